//! Panics: logged, counted and caught, and in tests brought about.
//!
//! There is no panic that we know of. But who depends on a thread must not wait forever because
//! somebody was wrong.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::log;

mod atoms {
    rustler::atoms! { error, panic }
}

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// How many there have been.
pub fn count() -> usize {
    COUNT.load(Ordering::Relaxed)
}

/// Has each panic from now on counted and logged, besides what Rust writes to standard error.
pub fn watch() {
    // A library that is loaded again may be the same one.
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let write = take_hook();
        set_hook(Box::new(move |info| {
            COUNT.fetch_add(1, Ordering::Relaxed);
            write(info);
            log::log(atoms::error(), atoms::panic(), &format!("a fault of the library: {info}"));
        }));
    });
}

/// Calls `f`; `None` if it panicked.
///
/// Whether what `f` left behind is sound is for the caller to know: our locks do not poison.
pub fn guarded<T>(f: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(f)).ok()
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
