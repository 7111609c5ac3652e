//! The peer's window, and how it is probed when it is closed (RFC 9260, sections 6.1 A and 6.2.1).

use std::time::Duration;

use crate::types::Time;

/// What the peer has room for.
#[derive(Debug)]
pub(super) struct Window {
    /// rwnd.
    room: usize,
    probe: Probe,
    /// The last SACK said that there is no room for the first chunk that is outstanding.
    closed: bool,
    /// A SACK said so since T3-rtx expired last: the peer is there.
    answered: bool,
}

/// Where nothing is on its way and the window is closed, nobody would ever speak again if the SACK
/// that opens the window is lost. So one chunk goes all the same, after an RTO; if it is not taken,
/// T3-rtx sends it again and again, with its backing off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    No,
    /// The first one goes at that time.
    At(Time),
    /// It may go.
    Due,
    /// It went, and nothing else is on its way.
    Sent,
}

impl Window {
    pub(super) fn new(room: usize) -> Window {
        Window { room, probe: Probe::No, closed: false, answered: false }
    }

    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// A new chunk of `len` bytes of data may go. `idle`: nothing is outstanding.
    pub(super) fn allows(&self, len: usize, idle: bool) -> bool {
        // One chunk is allowed where there is any room: a peer whose window is always smaller than
        // our chunks could not be sent anything else.
        len <= self.room || idle && (self.room > 0 || self.probe == Probe::Due)
    }

    /// A chunk could not be sent although nothing is outstanding: the probe's time begins.
    pub(super) fn blocks(&mut self, now: Time, rto: Duration) {
        if matches!(self.probe, Probe::No | Probe::Sent) {
            self.probe = Probe::At(now + rto);
        }
    }

    /// Nothing waits for the window any more.
    pub(super) fn unblocks(&mut self) {
        if matches!(self.probe, Probe::At(_)) {
            self.probe = Probe::No;
        }
    }

    pub(super) fn timeout(&self) -> Option<Time> {
        match self.probe {
            Probe::At(time) => Some(time),
            _ => None,
        }
    }

    pub(super) fn advance(&mut self, now: Time) {
        if self.timeout().is_some_and(|time| time <= now) {
            self.probe = Probe::Due;
        }
    }

    /// A new chunk goes out.
    pub(super) fn sent(&mut self, len: usize) {
        if len > self.room {
            self.probe = Probe::Sent;
        }
        self.sent_again(len);
    }

    /// A chunk goes out again. It may be larger than the window.
    pub(super) fn sent_again(&mut self, len: usize) {
        self.room = self.room.saturating_sub(len);
    }

    /// A chunk that was on its way is lost or given up.
    pub(super) fn landed(&mut self, len: usize) {
        self.room += len;
    }

    /// A SACK says `window`, when `in_flight` bytes of data were on their way, and the first chunk
    /// that was outstanding had `first` (6.2.1, D ii). True: the window has opened. What was sent
    /// while it was closed has been dropped, most likely, and waits for a timer that has backed off.
    pub(super) fn sack(&mut self, window: u32, in_flight: usize, first: usize) -> bool {
        let window = usize::try_from(window).unwrap_or(usize::MAX);
        self.room = window.saturating_sub(in_flight);
        if window > 0 {
            self.probe = Probe::No;
        }
        let closed = window < first.max(1);
        self.answered |= closed;
        std::mem::replace(&mut self.closed, closed) && !closed
    }

    /// What is on its way is a probe.
    pub(super) fn is_probing(&self) -> bool {
        self.probe == Probe::Sent
    }

    /// T3-rtx has expired. True: the peer answers, but has no room. That is no error, however long
    /// it takes (6.1, A).
    pub(super) fn take_answered(&mut self) -> bool {
        std::mem::take(&mut self.answered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTO: Duration = Duration::from_secs(1);

    #[test]
    fn what_may_be_sent() {
        // (room, length, nothing outstanding) -> allowed: 6.1, A
        for (room, len, idle, allowed) in [
            (100, 100, false, true),
            (100, 101, false, false),
            (100, 101, true, true),
            (1, 1000, true, true),
            (0, 1, true, false),
            (0, 1, false, false),
        ] {
            assert_eq!(Window::new(room).allows(len, idle), allowed, "{len} into {room}, {idle}");
        }
    }

    #[test]
    fn what_is_on_its_way_is_not_in_the_window() {
        let mut window = Window::new(1000);
        window.sent(400);
        window.sent(400);
        assert_eq!(window.room(), 200);
        window.landed(400);
        assert_eq!(window.room(), 600);
        // (said, on their way) -> room: 6.2.1, D ii
        for (said, in_flight, room) in [(5000, 400, 4600), (300, 400, 0), (0, 0, 0)] {
            window.sack(said, in_flight, 400);
            assert_eq!(window.room(), room);
        }
    }

    #[test]
    fn a_closed_window_is_probed_after_an_rto() {
        let mut window = Window::new(0);
        window.blocks(Time(0), RTO);
        window.blocks(Time(500_000), RTO);
        assert_eq!(window.timeout(), Some(Time(1_000_000)), "counted from the first time");
        window.advance(Time(999_999));
        assert!(!window.allows(10, true));
        window.advance(Time(1_000_000));
        assert!(window.allows(10, true) && !window.allows(10, false));
        window.sent(10);
        assert!(window.is_probing() && !window.allows(10, true));
        window.sack(0, 10, 10);
        assert!(window.is_probing());
        window.sack(1000, 10, 10);
        assert!(!window.is_probing());
    }

    #[test]
    fn a_peer_without_room_is_there_and_it_shows_when_it_has_some_again() {
        // What SACKs say while a chunk of 10 is outstanding -> it has just opened, it answers: 6.1, A
        for (said, opens, answers) in [
            (&[1000][..], false, false),
            (&[0], false, true),
            (&[9], false, true),
            (&[0, 1000], true, true),
            (&[0, 0, 10], true, true),
            (&[0, 1000, 1000], false, true),
        ] {
            let mut window = Window::new(0);
            let opened = said.iter().map(|said| window.sack(*said, 10, 10)).last();
            assert_eq!(opened, Some(opens), "{said:?}");
            assert_eq!(window.take_answered(), answers, "{said:?}");
            assert!(!window.take_answered(), "{said:?}");
        }
    }

    #[test]
    fn a_window_that_opens_needs_no_probe() {
        let mut window = Window::new(0);
        window.blocks(Time(0), RTO);
        window.sack(1, 0, 0);
        assert_eq!(window.timeout(), None);
    }
}
