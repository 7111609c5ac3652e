//! Whatever bytes the kernel or Erlang might give: no panic, nothing read that is not there, and
//! what was written is read again.
//!
//! Cases are made to a plan: noise alone would hardly get past a header. `PROPTEST_CASES=1000000`
//! runs that many of each property.

mod addresses;
mod control;
mod lists;
mod notifications;
mod state;

use proptest::prelude::*;

/// Failures are printed, not kept in files beside the sources.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// Up to `most` bytes of any kind.
fn noise(most: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..=most)
}

/// Numbers at which lengths and offsets go wrong, and others.
fn edge(around: usize) -> impl Strategy<Value = usize> {
    prop_oneof![
        4 => around.saturating_sub(9)..around + 9,
        2 => 0..64_usize,
        1 => (usize::MAX - 16)..=usize::MAX,
        1 => any::<usize>(),
    ]
}
