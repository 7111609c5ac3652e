//! What `inet:getstat/2` counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Of sent messages: those that the kernel has taken. Shared by concurrent senders.
#[derive(Debug, Default)]
pub struct SendCounts {
    count: AtomicU64,
    octets: AtomicU64,
    max: AtomicU64,
}

impl SendCounts {
    pub fn add(&self, len: usize) {
        let len = len as u64;
        self.count.fetch_add(1, Ordering::Relaxed);
        self.octets.fetch_add(len, Ordering::Relaxed);
        // Nearly always false, and a plain load is cheaper than a locked maximum.
        if len > self.max.load(Ordering::Relaxed) {
            self.max.fetch_max(len, Ordering::Relaxed);
        }
    }

    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub fn octets(&self) -> u64 {
        self.octets.load(Ordering::Relaxed)
    }

    pub fn max(&self) -> u64 {
        self.max.load(Ordering::Relaxed)
    }

    pub fn average(&self) -> u64 {
        self.octets().checked_div(self.count()).unwrap_or(0)
    }
}

/// Of reads from the kernel: each piece of a message and each notification.
#[derive(Debug, Default)]
pub struct RecvCounts {
    count: u64,
    octets: u64,
    max: u64,
    average: f64,
    deviation: f64,
}

impl RecvCounts {
    pub fn add(&mut self, len: usize) {
        self.count += 1;
        self.octets += len as u64;
        self.max = self.max.max(len as u64);
        let n = self.count as f64;
        self.average += (len as f64 - self.average) / n;
        // With its sign, and from the average that includes it: so OTP reckons.
        self.deviation += (len as f64 - self.average - self.deviation) / n;
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn octets(&self) -> u64 {
        self.octets
    }

    pub fn max(&self) -> u64 {
        self.max
    }

    pub fn average(&self) -> u64 {
        self.average as u64
    }

    /// The mean deviation from the average, without its sign.
    pub fn deviation(&self) -> u64 {
        self.deviation.abs() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted() {
        // lengths -> (count, octets, max, average, deviation)
        for (lengths, expected) in [
            (&[][..], [0, 0, 0, 0, 0]),
            (&[100], [1, 100, 100, 100, 0]),
            (&[100, 100], [2, 200, 100, 100, 0]),
            (&[10, 20, 30], [3, 60, 30, 20, 5]),
            (&[30, 20, 10], [3, 60, 30, 20, 5]),
        ] {
            let mut received = RecvCounts::default();
            let sent = SendCounts::default();
            for len in lengths {
                received.add(*len);
                sent.add(*len);
            }
            let [count, octets, max, average, deviation] = expected;
            assert_eq!(
                [received.count(), received.octets(), received.max(), received.average()],
                [count, octets, max, average],
                "{lengths:?}"
            );
            assert_eq!(received.deviation(), deviation, "{lengths:?}");
            assert_eq!(
                [sent.count(), sent.octets(), sent.max(), sent.average()],
                [count, octets, max, average],
                "{lengths:?}"
            );
        }
    }
}
