//! T1-init, T1-cookie and T2-shutdown: a chunk that is sent again until it is answered (RFC 9260,
//! sections 4, 5.1 and 9.2).

use std::time::Duration;

use crate::types::Time;

/// One of these timers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Retry {
    deadline: Option<Time>,
    timeout: Duration,
    /// How often it expired.
    expired: u32,
}

impl Retry {
    /// Starts it for a chunk that is sent for the first time.
    pub(crate) fn start(&mut self, now: Time, timeout: Duration) {
        *self = Retry { deadline: Some(now + timeout), timeout, expired: 0 };
    }

    /// Starts it for a chunk that is sent again though it has not expired.
    pub(crate) fn restart(&mut self, now: Time) {
        self.deadline = Some(now + self.timeout);
    }

    pub(crate) fn stop(&mut self) {
        self.deadline = None;
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    pub(crate) fn is_due(&self, now: Time) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// It expired: starts it with twice the time, and says how often it has.
    pub(crate) fn expire(&mut self, now: Time, longest: Duration) -> u32 {
        self.timeout = (self.timeout * 2).min(longest);
        self.deadline = Some(now + self.timeout);
        self.expired += 1;
        self.expired
    }

    pub(crate) fn expired(&self) -> u32 {
        self.expired
    }
}
