//! When HEARTBEATs are sent, and which ones are missed (RFC 9260, section 8.3).

use std::collections::VecDeque;
use std::time::Duration;

use crate::types::Time;

/// The heartbeat timer of a path.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    interval: Option<Duration>,
    /// The association is up: there are heartbeats.
    started: bool,
    next: Option<Time>,
    /// When the period began that `next` ends.
    since: Time,
    /// The last ones that were not answered, the oldest first: nonces, and when they were sent. Where
    /// RTO.Max is less than the round trip there are several, and the answer to each says that the
    /// peer is there.
    sent: VecDeque<(u64, Time)>,
    /// When the last one is missed.
    missed: Option<Time>,
    /// The last time something went out that measures the round trip: as good as a heartbeat.
    measured: Option<Time>,
}

impl Heartbeat {
    /// Heartbeats of which an answer is still expected.
    const EXPECTED: usize = 8;

    pub(crate) fn new(interval: Option<Duration>) -> Heartbeat {
        Heartbeat {
            interval,
            started: false,
            next: None,
            since: Time(0),
            sent: VecDeque::new(),
            missed: None,
            measured: None,
        }
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        self.next.into_iter().chain(self.missed).min()
    }

    pub(crate) fn start(&mut self, now: Time, rto: Duration, random: u32) {
        self.started = true;
        self.schedule(now, rto, random);
    }

    /// None: no more heartbeats.
    pub(crate) fn set_interval(&mut self, now: Time, interval: Option<Duration>, rto: Duration) {
        if self.interval != interval {
            self.interval = interval;
            if self.started {
                self.schedule(now, rto, u32::MAX / 2);
            }
        }
    }

    /// Data that was not sent before goes out.
    pub(crate) fn data_was_sent(&mut self, now: Time) {
        self.measured = Some(now);
    }

    /// The last one was not answered within an RTO. Told once.
    pub(crate) fn take_missed(&mut self, now: Time) -> bool {
        self.missed.take_if(|time| *time <= now).is_some()
    }

    /// One is to be sent. If the path was not idle the timer runs on, and nothing is sent.
    pub(crate) fn take_due(&mut self, now: Time, rto: Duration, random: u32) -> bool {
        if self.next.take_if(|time| *time <= now).is_none() {
            return false;
        }
        // What measures the round trip begins a period, as a heartbeat does.
        let busy = self.measured.filter(|time| *time > self.since);
        self.schedule(busy.unwrap_or(now), rto, random);
        busy.is_none()
    }

    /// One is sent.
    pub(crate) fn send(&mut self, now: Time, nonce: u64, rto: Duration) {
        if self.sent.len() == Self::EXPECTED {
            self.sent.pop_front();
        }
        self.sent.push_back((nonce, now));
        self.missed = Some(now + rto);
    }

    /// The round trip, if that was the answer to one of the last. A late answer is one, too; those
    /// from before it are no longer expected.
    pub(crate) fn answered(&mut self, now: Time, nonce: u64) -> Option<Duration> {
        let index = self.sent.iter().position(|(expected, _)| *expected == nonce)?;
        let (_, sent) = self.sent.drain(..=index).next_back()?;
        if self.sent.is_empty() {
            self.missed = None;
        }
        Some(now - sent)
    }

    /// HB.interval plus the RTO, which varies by half of itself either way.
    fn schedule(&mut self, from: Time, rto: Duration, random: u32) {
        // A part of an RTO, in 1/65536.
        self.since = from;
        let jitter = (rto / 65_536) * (random >> 16);
        self.next = self.interval.map(|interval| from + interval + rto / 2 + jitter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTO: Duration = Duration::from_secs(1);
    const MIDDLE: u32 = u32::MAX / 2;

    fn s(seconds: u64) -> Time {
        Time(seconds * 1_000_000)
    }

    fn started() -> Heartbeat {
        let mut heartbeat = Heartbeat::new(Some(Duration::from_secs(30)));
        heartbeat.start(s(0), RTO, 0);
        heartbeat
    }

    #[test]
    fn the_period_varies_by_half_an_rto() {
        for (random, millis) in [(0, 30_500), (MIDDLE, 30_999), (u32::MAX, 31_499)] {
            let mut heartbeat = Heartbeat::new(Some(Duration::from_secs(30)));
            heartbeat.start(s(0), RTO, random);
            assert_eq!(heartbeat.timeout().map(|time| time.0 / 1000), Some(millis));
        }
    }

    #[test]
    fn none_before_the_start_and_none_without_an_interval() {
        assert_eq!(Heartbeat::new(Some(RTO)).timeout(), None);
        let mut heartbeat = started();
        heartbeat.set_interval(s(1), None, RTO);
        assert_eq!(heartbeat.timeout(), None);
        heartbeat.set_interval(s(1), Some(Duration::from_secs(2)), RTO);
        assert_eq!(heartbeat.timeout().map(|time| time.0 / 10_000), Some(399));
    }

    #[test]
    fn an_answer_tells_the_round_trip_and_a_wrong_nonce_nothing() {
        let mut heartbeat = started();
        assert!(heartbeat.take_due(s(31), RTO, 0));
        heartbeat.send(s(31), 7, RTO);
        assert_eq!(heartbeat.answered(s(32), 8), None);
        assert_eq!(heartbeat.answered(s(32), 7), Some(Duration::from_secs(1)));
        assert_eq!(heartbeat.answered(s(32), 7), None, "it is answered once");
        assert!(!heartbeat.take_missed(s(40)));
    }

    #[test]
    fn a_heartbeat_without_answer_is_missed_once_after_an_rto() {
        let mut heartbeat = started();
        heartbeat.send(s(31), 7, RTO);
        assert_eq!(heartbeat.timeout(), Some(Time(30_500_000)));
        assert!(heartbeat.take_due(s(31), RTO, 0));
        assert_eq!(heartbeat.timeout(), Some(s(32)));
        assert!(!heartbeat.take_missed(Time(31_999_999)));
        assert!(heartbeat.take_missed(s(32)));
        assert!(!heartbeat.take_missed(s(33)));
        assert_eq!(heartbeat.answered(s(34), 7), Some(Duration::from_secs(3)), "late, but true");
    }

    #[test]
    fn answers_that_take_longer_than_the_next_heartbeat_are_answers() {
        let mut heartbeat = started();
        (0..10).for_each(|second| heartbeat.send(s(second), second, RTO));
        assert_eq!(heartbeat.answered(s(10), 1), None, "not without end");
        assert_eq!(heartbeat.answered(s(10), 2), Some(Duration::from_secs(8)));
        assert_eq!(heartbeat.answered(s(11), 4), Some(Duration::from_secs(7)));
        assert_eq!(heartbeat.answered(s(11), 3), None, "a later one was answered");
        assert!(heartbeat.take_missed(s(11)), "the last one was not");
        assert_eq!(heartbeat.answered(s(11), 9), Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_path_with_data_needs_none() {
        let mut heartbeat = started();
        heartbeat.data_was_sent(s(20));
        assert!(!heartbeat.take_due(s(31), RTO, 0));
        assert_eq!(heartbeat.timeout(), Some(Time(50_500_000)));
        assert!(heartbeat.take_due(s(51), RTO, 0));
    }
}
