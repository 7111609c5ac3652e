//! Panics on the library's own threads: caught and counted, and in tests brought about.
//!
//! There is no panic that we know of. But who depends on a thread must not wait for ever because
//! somebody was wrong.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

static CAUGHT: AtomicUsize = AtomicUsize::new(0);

/// How many there have been.
pub fn caught() -> usize {
    CAUGHT.load(Ordering::Relaxed)
}

/// Calls `f`; `None` if it panicked. The panic hook has told of it on standard error by then.
///
/// Whether what `f` left behind is sound is for the caller to know: our locks do not poison.
pub fn guarded<T>(f: impl FnOnce() -> T) -> Option<T> {
    let result = catch_unwind(AssertUnwindSafe(f));
    if result.is_err() {
        CAUGHT.fetch_add(1, Ordering::Relaxed);
    }
    result.ok()
}

/// A place where a test can have a panic: by a file of this name in the directory that the
/// environment variable `GEN_SCTP_NIF_PANICS` names. The file is used up.
#[cfg(feature = "panics")]
pub fn point(name: &str) {
    let Some(directory) = std::env::var_os("GEN_SCTP_NIF_PANICS") else { return };
    let order = std::path::Path::new(&directory).join(name);
    if std::fs::remove_file(order).is_ok() {
        panic!("as ordered: {name}");
    }
}

/// Nothing, but in tests.
#[cfg(not(feature = "panics"))]
pub fn point(_name: &str) {}
