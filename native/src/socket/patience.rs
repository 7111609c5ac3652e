//! What a sender does that finds no room: the options of senders, which each of them looks at without
//! the state's lock.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// For as long as it takes.
const INFINITY: u32 = u32::MAX;

/// How long senders wait, and what follows.
pub(crate) struct Patience {
    /// Do they not wait at all, and hear of it (`non_block_send`)?
    non_block: AtomicBool,
    /// Milliseconds, at most (`send_timeout`).
    timeout: AtomicU32,
    /// Is an association that has made a sender wait for so long to end (`send_timeout_close`)?
    closes: AtomicBool,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { non_block: false.into(), timeout: INFINITY.into(), closes: false.into() }
    }
}

impl Patience {
    /// That of a socket that an association is peeled off to.
    pub(crate) fn inherited(&self) -> Patience {
        Patience {
            non_block: self.non_block().into(),
            timeout: self.timeout.load(Ordering::Relaxed).into(),
            closes: self.closes().into(),
        }
    }

    pub(crate) fn non_block(&self) -> bool {
        self.non_block.load(Ordering::Relaxed)
    }

    pub(crate) fn set_non_block(&self, on: bool) {
        self.non_block.store(on, Ordering::Relaxed);
    }

    /// `None` is infinity.
    pub(crate) fn timeout(&self) -> Option<u32> {
        Some(self.timeout.load(Ordering::Relaxed)).filter(|time| *time != INFINITY)
    }

    pub(crate) fn set_timeout(&self, time: Option<u32>) {
        self.timeout.store(time.unwrap_or(INFINITY), Ordering::Relaxed);
    }

    pub(crate) fn closes(&self) -> bool {
        self.closes.load(Ordering::Relaxed)
    }

    pub(crate) fn set_closes(&self, on: bool) {
        self.closes.store(on, Ordering::Relaxed);
    }
}
