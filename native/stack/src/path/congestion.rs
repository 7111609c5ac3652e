//! How much may be on its way to an address (RFC 9260, sections 7.2.1 to 7.2.3).
//!
//! All sizes are of DATA chunks with header and padding (7.2). `most` is the PMDCS, what a packet
//! has room for.

/// A path's congestion window, and what is on its way.
#[derive(Debug)]
pub(crate) struct Congestion {
    cwnd: usize,
    ssthresh: usize,
    partial_bytes_acked: usize,
    flight: usize,
    /// After a timeout one packet at a time, until something is acknowledged.
    one_packet: bool,
}

impl Congestion {
    pub(crate) fn new(most: usize, ipv6: bool) -> Congestion {
        let least = if ipv6 { 4344 } else { 4404 };
        Congestion {
            cwnd: (4 * most).min((2 * most).max(least)),
            ssthresh: usize::MAX,
            partial_bytes_acked: 0,
            flight: 0,
            one_packet: false,
        }
    }

    pub(crate) fn cwnd(&self) -> usize {
        self.cwnd
    }

    pub(crate) fn flight(&self) -> usize {
        self.flight
    }

    /// One more packet may go. It may be larger than what is left of the window, and the next one may
    /// not go then (6.1, B).
    pub(crate) fn allows_packet(&self) -> bool {
        self.flight < self.cwnd && !(self.one_packet && self.flight > 0)
    }

    /// With so much more on its way, would the window be full?
    pub(crate) fn is_filled_by(&self, size: usize) -> bool {
        self.flight + size >= self.cwnd || self.one_packet
    }

    /// A chunk is on its way.
    pub(crate) fn sent(&mut self, size: usize) {
        self.flight += size;
    }

    /// A chunk is no longer on its way: it is acknowledged, lost or given up.
    pub(crate) fn landed(&mut self, size: usize) {
        self.flight = self.flight.saturating_sub(size);
    }

    /// A SACK acknowledged something: `acked` bytes that were on their way, when there were `before`
    /// in all, and perhaps some that were taken for lost.
    pub(crate) fn acked(&mut self, acked: usize, before: usize, recovering: bool, most: usize) {
        self.one_packet = false;
        let full = before >= self.cwnd;
        if self.cwnd <= self.ssthresh {
            // Slow start, 7.2.1, with L = 1.
            if full && !recovering {
                self.cwnd += acked.min(most);
            }
        } else {
            // Congestion avoidance, 7.2.2. More conservative than it has to be: nothing is credited
            // in fast recovery, and for duplicates.
            if !recovering {
                self.partial_bytes_acked += acked;
            }
            if self.partial_bytes_acked >= self.cwnd {
                if full {
                    self.partial_bytes_acked -= self.cwnd;
                    self.cwnd += most;
                } else {
                    self.partial_bytes_acked = self.cwnd;
                }
            }
        }
        if self.flight == 0 {
            self.partial_bytes_acked = 0;
        }
    }

    /// A chunk was lost, by what SACKs tell (7.2.3).
    pub(crate) fn lost(&mut self, most: usize) {
        self.ssthresh = (self.cwnd / 2).max(4 * most);
        self.cwnd = self.ssthresh;
        self.partial_bytes_acked = 0;
    }

    /// T3-rtx has expired (7.2.3).
    pub(crate) fn timed_out(&mut self, most: usize) {
        self.ssthresh = (self.cwnd / 2).max(4 * most);
        self.cwnd = most;
        self.partial_bytes_acked = 0;
        self.one_packet = true;
    }

    /// Nothing was sent for so many RTOs (7.2.1). It does not open a window that is small.
    pub(crate) fn idle(&mut self, rtos: u64, most: usize) {
        let least = 4 * most;
        if rtos == 0 || self.cwnd <= least {
            return;
        }
        self.ssthresh = self.cwnd;
        let shift = u32::try_from(rtos).unwrap_or(u32::MAX);
        self.cwnd = self.cwnd.checked_shr(shift).unwrap_or(0).max(least);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1000;

    /// A window of `cwnd` with a threshold of `ssthresh`, and all of it on its way.
    fn full(cwnd: usize, ssthresh: usize) -> Congestion {
        Congestion { cwnd, ssthresh, flight: cwnd, ..Congestion::new(MOST, false) }
    }

    #[test]
    fn the_first_window() {
        // (most of a packet, IPv6) -> window: 7.2.1
        for (most, ipv6, cwnd) in [
            (1000, false, 4000),
            (1200, false, 4404),
            (1452, false, 4404),
            (1452, true, 4344),
            (2500, false, 5000),
            (65_000, false, 130_000),
        ] {
            assert_eq!(Congestion::new(most, ipv6).cwnd(), cwnd, "{most}");
        }
    }

    #[test]
    fn slow_start() {
        // (acknowledged, on their way before, in fast recovery) -> window after 4000: 7.2.1
        for (acked, before, recovering, cwnd) in [
            (500, 4000, false, 4500),
            (1000, 4000, false, 5000),
            (3000, 4000, false, 5000),
            (1000, 3999, false, 4000),
            (1000, 4000, true, 4000),
            (0, 4000, false, 4000),
        ] {
            let mut congestion = full(4000, usize::MAX);
            congestion.acked(acked, before, recovering, MOST);
            assert_eq!(congestion.cwnd(), cwnd, "{acked} of {before}, {recovering}");
        }
    }

    #[test]
    fn congestion_avoidance_adds_one_packet_for_each_window() {
        let mut congestion = full(4000, 3000);
        // acknowledged -> window, bytes left over: 7.2.2
        for (acked, cwnd, partial) in
            [(1500, 4000, 1500), (1500, 4000, 3000), (1500, 5000, 500), (4500, 6000, 0)]
        {
            congestion.acked(acked, congestion.cwnd, false, MOST);
            assert_eq!((congestion.cwnd, congestion.partial_bytes_acked), (cwnd, partial));
        }
    }

    #[test]
    fn congestion_avoidance_saves_no_more_than_a_window() {
        let mut congestion = full(4000, 3000);
        congestion.acked(9000, 3999, false, MOST);
        assert_eq!((congestion.cwnd, congestion.partial_bytes_acked), (4000, 4000));
        congestion.flight = 0;
        congestion.acked(1, 3999, false, MOST);
        assert_eq!(congestion.partial_bytes_acked, 0, "all is acknowledged");
    }

    #[test]
    fn losses() {
        // window -> threshold and window after a loss; after a timeout the window is one packet: 7.2.3
        for (cwnd, threshold) in [(20_000, 10_000), (8001, 4000), (3000, 4000)] {
            let mut congestion = full(cwnd, usize::MAX);
            congestion.lost(MOST);
            assert_eq!((congestion.cwnd, congestion.ssthresh), (threshold, threshold));
            let mut congestion = full(cwnd, usize::MAX);
            congestion.timed_out(MOST);
            assert_eq!((congestion.cwnd, congestion.ssthresh), (MOST, threshold));
        }
    }

    #[test]
    fn a_packet_may_exceed_the_window_once() {
        let mut congestion = Congestion { cwnd: 2000, ..Congestion::new(MOST, false) };
        congestion.sent(1999);
        assert!(congestion.allows_packet() && congestion.is_filled_by(1));
        congestion.sent(1000);
        assert!(!congestion.allows_packet());
        congestion.landed(5000);
        assert_eq!(congestion.flight(), 0);
    }

    #[test]
    fn one_packet_after_a_timeout_however_small() {
        let mut congestion = full(4000, usize::MAX);
        congestion.landed(4000);
        congestion.timed_out(MOST);
        assert!(congestion.allows_packet());
        congestion.sent(20);
        assert!(!congestion.allows_packet());
        congestion.landed(20);
        congestion.acked(20, 20, false, MOST);
        congestion.sent(20);
        assert!(congestion.allows_packet());
    }

    #[test]
    fn an_idle_window_closes() {
        // (window, RTOs of silence) -> window, threshold: 7.2.1
        for (cwnd, rtos, left, threshold) in [
            (20_000, 0, 20_000, usize::MAX),
            (20_000, 1, 10_000, 20_000),
            (20_000, 2, 5000, 20_000),
            (20_000, 3, 4000, 20_000),
            (20_000, u64::MAX, 4000, 20_000),
            (1000, 9, 1000, usize::MAX),
        ] {
            let mut congestion = full(cwnd, usize::MAX);
            congestion.idle(rtos, MOST);
            assert_eq!((congestion.cwnd, congestion.ssthresh), (left, threshold), "{cwnd}, {rtos}");
        }
    }
}
