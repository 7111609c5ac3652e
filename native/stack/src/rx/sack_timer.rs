//! When a SACK is sent (RFC 9260, sections 6.2 and 6.7).

use std::time::Duration;

use crate::types::{Time, Tsn};

/// What is to be acknowledged, and how soon.
#[derive(Debug)]
pub(super) struct SackTimer {
    delay: Duration,
    frequency: u32,
    /// Something came, ever.
    begun: bool,
    /// This packet brought something to acknowledge.
    something: bool,
    /// And that is not to wait.
    urgent: bool,
    /// Packets since the last SACK.
    packets: u32,
    /// One is due whatever the time.
    due: bool,
    at: Option<Time>,
    duplicates: Vec<Tsn>,
}

impl SackTimer {
    /// A SACK that reports more duplicates would say nothing more to anyone.
    const DUPLICATES: usize = 32;

    pub(super) fn new(delay: Duration, frequency: u32) -> SackTimer {
        SackTimer {
            delay,
            frequency,
            begun: false,
            something: false,
            urgent: false,
            packets: 0,
            due: false,
            at: None,
            duplicates: Vec::new(),
        }
    }

    pub(super) fn configure(&mut self, delay: Duration, frequency: u32) {
        self.delay = delay;
        self.frequency = frequency;
    }

    /// A chunk came that is to be acknowledged. Urgent: there is a gap or was one, it came before, it
    /// was dropped, or its sender asks for it.
    pub(super) fn came(&mut self, urgent: bool) {
        self.something = true;
        // The first DATA chunk's sender is not to wait for anything (5.1).
        self.urgent |= urgent || !self.begun;
        self.begun = true;
    }

    pub(super) fn came_again(&mut self, tsn: Tsn) {
        self.came(true);
        if self.duplicates.len() < Self::DUPLICATES {
            self.duplicates.push(tsn);
        }
    }

    /// No more chunks in this packet: there is one SACK for a packet at most.
    pub(super) fn packet_end(&mut self, now: Time) {
        if !std::mem::take(&mut self.something) {
            return;
        }
        self.packets = self.packets.saturating_add(1);
        if std::mem::take(&mut self.urgent)
            || self.packets >= self.frequency
            || self.delay.is_zero()
        {
            self.due = true;
        } else if self.at.is_none() {
            self.at = Some(now + self.delay);
        }
    }

    /// One is to be sent, whatever came.
    pub(super) fn want(&mut self) {
        self.due = true;
    }

    pub(super) fn is_due(&self, now: Time) -> bool {
        self.due || self.at.is_some_and(|time| time <= now)
    }

    pub(super) fn is_pending(&self) -> bool {
        self.due || self.at.is_some()
    }

    pub(super) fn timeout(&self) -> Option<Time> {
        self.at
    }

    /// One is sent.
    pub(super) fn sent(&mut self) {
        self.packets = 0;
        self.due = false;
        self.at = None;
    }

    pub(super) fn take_duplicates(&mut self) -> Vec<Tsn> {
        std::mem::take(&mut self.duplicates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_millis(200);

    /// One whose first packet is acknowledged.
    fn begun(delay: Duration, frequency: u32) -> SackTimer {
        let mut timer = SackTimer::new(delay, frequency);
        timer.came(false);
        timer.packet_end(Time(0));
        assert!(timer.is_due(Time(0)));
        timer.sent();
        timer
    }

    #[test]
    fn when_a_sack_is_sent() {
        // (urgency of each packet, delay, frequency) -> due at once, waits: 6.2, 6.7
        for (packets, delay, frequency, due, pending) in [
            (&[][..], DELAY, 2, false, false),
            (&[false], DELAY, 2, false, true),
            (&[false, false], DELAY, 2, true, true),
            (&[true], DELAY, 2, true, true),
            (&[false, false], DELAY, 3, false, true),
            (&[false], DELAY, 1, true, true),
            (&[false], DELAY, 0, true, true),
            (&[false], Duration::ZERO, 2, true, true),
        ] {
            let mut timer = begun(delay, frequency);
            for urgent in packets {
                timer.came(*urgent);
                timer.came(false);
                timer.packet_end(Time(0));
            }
            assert_eq!(timer.is_due(Time(0)), due, "{packets:?} {delay:?} {frequency}");
            assert_eq!(timer.is_pending(), pending, "{packets:?} {delay:?} {frequency}");
        }
    }

    #[test]
    fn the_delay_begins_with_the_first_packet() {
        let mut timer = begun(DELAY, 9);
        timer.packet_end(Time(0));
        assert_eq!(timer.timeout(), None, "nothing was in it");
        for time in [10, 20] {
            timer.came(false);
            timer.packet_end(Time(time));
        }
        assert_eq!(timer.timeout(), Some(Time(200_010)));
        assert!(!timer.is_due(Time(200_009)) && timer.is_due(Time(200_010)));
        timer.sent();
        assert!(!timer.is_pending() && timer.timeout().is_none());
        timer.came(false);
        timer.packet_end(Time(30));
        assert!(!timer.is_due(Time(30)), "packets are counted anew");
    }

    #[test]
    fn duplicates_are_told_once_and_not_without_end() {
        let mut timer = SackTimer::new(DELAY, 2);
        (0..1000).for_each(|tsn| timer.came_again(Tsn(tsn)));
        timer.packet_end(Time(0));
        assert!(timer.is_due(Time(0)));
        assert_eq!(timer.take_duplicates().len(), 32);
        assert_eq!(timer.take_duplicates(), []);
    }
}
