//! What `inet:getstat/2` counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Of messages that the kernel has taken. Shared by concurrent senders.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    count: AtomicU64,
    octets: AtomicU64,
    max: AtomicU64,
}

impl Sent {
    pub(crate) fn add(&self, len: usize) {
        let len = len as u64;
        self.count.fetch_add(1, Ordering::Relaxed);
        self.octets.fetch_add(len, Ordering::Relaxed);
        // Nearly always false, and a plain load is cheaper than a locked maximum.
        if len > self.max.load(Ordering::Relaxed) {
            self.max.fetch_max(len, Ordering::Relaxed);
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn octets(&self) -> u64 {
        self.octets.load(Ordering::Relaxed)
    }

    pub(crate) fn max(&self) -> u64 {
        self.max.load(Ordering::Relaxed)
    }

    pub(crate) fn average(&self) -> u64 {
        self.octets().checked_div(self.count()).unwrap_or(0)
    }
}

/// Of reads from the kernel: each piece of a message and each notification.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) count: u64,
    pub(crate) octets: u64,
    pub(crate) max: u64,
    average: f64,
    deviation: f64,
}

impl Read {
    pub(crate) fn add(&mut self, len: usize) {
        self.count += 1;
        self.octets += len as u64;
        self.max = self.max.max(len as u64);
        let n = self.count as f64;
        self.average += (len as f64 - self.average) / n;
        // With its sign, and from the average that includes it: so OTP reckons.
        self.deviation += (len as f64 - self.average - self.deviation) / n;
    }

    pub(crate) fn average(&self) -> u64 {
        self.average as u64
    }

    /// The mean deviation from the average, without its sign.
    pub(crate) fn deviation(&self) -> u64 {
        self.deviation.abs() as u64
    }
}
