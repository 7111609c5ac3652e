//! Whatever bytes may come: no panic, nothing read that is not there, what was built is parsed
//! again, and no cookie opens that was not sealed here.
//!
//! All that a case does is decided by one string of bytes ([`source::Source`]), so that the same
//! cases come from proptest, which finds the smallest that fails, and from a plain loop, which is
//! fast: `STACK_INPUTS=100000000 cargo test --release -p stack --test arbitrary many_` takes that
//! many.

#[path = "../captured/mod.rs"]
mod captured;
mod cookies;
mod mutate;
mod packets;
mod source;
mod states;

use proptest::prelude::*;

/// Failures are printed, not kept in files beside the sources.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// What decides a case.
fn decisions() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..600)
}

/// Feeds as many cases as `STACK_INPUTS` says to `case`, 20,000 if it says nothing: each with up to
/// 256 bytes from a xorshift generator.
fn feed(mut case: impl FnMut(&[u8])) {
    let inputs: u64 = match std::env::var("STACK_INPUTS") {
        Ok(number) => number.parse().expect("STACK_INPUTS is a number"),
        Err(_) => 20_000,
    };
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes = [0; 256];
    for _ in 0..inputs {
        let length = next() as usize % (bytes.len() + 1);
        for word in bytes[..length.next_multiple_of(8)].chunks_exact_mut(8) {
            word.copy_from_slice(&next().to_le_bytes());
        }
        case(&bytes[..length]);
    }
}
