//! A destination address of the peer's: its round trips, congestion window, failures and heartbeats
//! (RFC 9260, sections 6.3, 7, 8).

mod congestion;
mod heartbeat;
mod rto;

use std::time::Duration;

use crate::event::PathChange;
use crate::params::{PathParams, RtoParams};
use crate::status::PathState;
use crate::types::{Route, Time, Tsn};
use crate::wire::Header;
use congestion::Congestion;
use heartbeat::Heartbeat;
use rto::Rto;

/// A path, and what was learnt of it.
#[derive(Debug)]
pub(crate) struct Path {
    /// How packets get there.
    pub(crate) route: Route,
    mtu: usize,
    state: PathState,
    change: Option<PathChange>,
    /// Timeouts in a row.
    errors: u16,
    max_errors: u16,
    rto: Rto,
    congestion: Congestion,
    heartbeat: Heartbeat,
    /// When T3-rtx expires.
    t3: Option<Time>,
    /// The chunk whose round trip is being measured, and when it was sent: one at a time (6.3.1, C4).
    timed: Option<(Tsn, Time)>,
    last_data: Option<Time>,
    sack: Sacked,
}

/// What one SACK says about a path, while it is being looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Sacked {
    flight_before: usize,
    acked: usize,
    /// A chunk that was taken for lost was acknowledged.
    late: bool,
    /// A chunk that is on its way was not acknowledged.
    missing: bool,
    /// The earliest chunk on its way was.
    earliest: bool,
}

/// What the heartbeat timer asks for (section 8.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Beat {
    /// The last HEARTBEAT was not answered: one more error of the association, too.
    pub(crate) missed: bool,
    /// Send a HEARTBEAT with the nonce that was given.
    pub(crate) send: bool,
}

impl Path {
    /// A new path. `confirmed`: the INIT or INIT ACK went over it (section 5.4).
    pub(crate) fn new(route: Route, path: &PathParams, rto: &RtoParams, confirmed: bool) -> Path {
        Path {
            route,
            mtu: path.mtu,
            state: if confirmed { PathState::Active } else { PathState::Unconfirmed },
            change: None,
            errors: 0,
            max_errors: path.max_retransmissions,
            rto: Rto::new(*rto),
            congestion: Congestion::new(chunks_of(path.mtu), route.remote.is_ipv6()),
            heartbeat: Heartbeat::new(path.heartbeat_interval),
            t3: None,
            timed: None,
            last_data: None,
            sack: Sacked::default(),
        }
    }

    /// Takes other parameters; the MTU among them.
    pub(crate) fn configure(&mut self, now: Time, path: &PathParams, rto: &RtoParams) {
        self.mtu = path.mtu;
        self.max_errors = path.max_retransmissions;
        self.rto.configure(*rto);
        self.heartbeat.set_interval(now, path.heartbeat_interval, self.rto.current());
    }

    /// Whether it answers.
    pub(crate) fn state(&self) -> PathState {
        self.state
    }

    /// Bytes of a packet: common header and chunks.
    pub(crate) fn mtu(&self) -> usize {
        self.mtu
    }

    /// Bytes of a packet's chunks: the PMDCS, where it is one DATA chunk.
    pub(crate) fn most(&self) -> usize {
        chunks_of(self.mtu)
    }

    /// The retransmission timeout, backed off as it is.
    pub(crate) fn rto(&self) -> Duration {
        self.rto.current()
    }

    /// The smoothed round trip; zero if none was measured.
    pub(crate) fn srtt(&self) -> Duration {
        self.rto.smoothed()
    }

    /// The congestion window.
    pub(crate) fn cwnd(&self) -> usize {
        self.congestion.cwnd()
    }

    /// Bytes of chunks on their way.
    pub(crate) fn flight(&self) -> usize {
        self.congestion.flight()
    }

    /// What became of the path: ask after everything that is given a `Path`.
    pub(crate) fn take_change(&mut self) -> Option<PathChange> {
        self.change.take()
    }

    /// A round trip was measured, by INIT or COOKIE ECHO: by data and heartbeats it is done here.
    pub(crate) fn measured(&mut self, round_trip: Duration) {
        self.rto.measure(round_trip);
    }

    /// Something was not answered in time: INIT, COOKIE ECHO, SHUTDOWN, or data. Backs off (6.3.3,
    /// E2) and counts the error (8.2). The caller counts it for the association.
    pub(crate) fn timed_out(&mut self) {
        self.rto.back_off();
        // An inactive path's counter stays (8.3).
        if self.state == PathState::Inactive {
            return;
        }
        self.errors = self.errors.saturating_add(1);
        if self.errors > self.max_errors && self.state == PathState::Active {
            self.state = PathState::Inactive;
            self.change = Some(PathChange::Unreachable);
        }
    }

    /// Its timer backs off, but the peer is there: it answers that it has no room (6.1, A).
    pub(crate) fn waits_for_room(&mut self) {
        self.rto.back_off();
    }

    /// Data or a heartbeat that went over it was acknowledged (8.2), or data came while SHUTDOWN waits
    /// for its answer. What data says cannot confirm an address (5.4).
    pub(crate) fn answered(&mut self) {
        self.errors = 0;
        if self.state == PathState::Inactive {
            self.state = PathState::Active;
            self.change = Some(PathChange::Available);
        }
    }

    /// When T3-rtx or the heartbeat timer expires.
    pub(crate) fn timeout(&self) -> Option<Time> {
        self.t3.into_iter().chain(self.heartbeat.timeout()).min()
    }
}

/// T3-rtx (6.3.2).
impl Path {
    /// T3-rtx has expired: call `Outbound::t3_expired`.
    pub(crate) fn t3_is_due(&self, now: Time) -> bool {
        self.t3.is_some_and(|time| time <= now)
    }

    #[cfg(test)]
    pub(crate) fn t3_runs(&self) -> bool {
        self.t3.is_some()
    }

    /// R1: starts it if it is not running.
    pub(crate) fn start_t3(&mut self, now: Time) {
        if self.t3.is_none() {
            self.restart_t3(now);
        }
    }

    pub(crate) fn restart_t3(&mut self, now: Time) {
        self.t3 = Some(now + self.rto.current());
    }

    pub(crate) fn stop_t3(&mut self) {
        self.t3 = None;
    }
}

/// Data.
impl Path {
    /// One more packet with data may go.
    pub(crate) fn allows_packet(&self) -> bool {
        self.congestion.allows_packet()
    }

    /// So much more on its way would fill the congestion window.
    pub(crate) fn is_filled_by(&self, size: usize) -> bool {
        self.congestion.is_filled_by(size)
    }

    /// Data is about to be sent: the window has closed by the time nothing was (7.2.1).
    pub(crate) fn wake(&mut self, now: Time) {
        if self.congestion.flight() == 0
            && let Some(last) = self.last_data
        {
            let rto = self.rto.current().as_micros().max(1);
            let rtos = (now - last).as_micros() / rto;
            if rtos > 0 {
                self.congestion.idle(u64::try_from(rtos).unwrap_or(u64::MAX), self.most());
                // Not once more for the same time, whether something is sent now or not.
                self.last_data = Some(now);
            }
        }
    }

    /// A chunk of `size` bytes goes out for the first time.
    pub(crate) fn sent_new(&mut self, now: Time, tsn: Tsn, size: usize) {
        self.congestion.sent(size);
        self.last_data = Some(now);
        self.heartbeat.data_was_sent(now);
        if self.timed.is_none() {
            self.timed = Some((tsn, now));
        }
        self.start_t3(now);
    }

    /// A chunk of `size` bytes goes out again.
    pub(crate) fn sent_again(&mut self, now: Time, size: usize) {
        self.congestion.sent(size);
        self.last_data = Some(now);
        self.start_t3(now);
    }

    /// A chunk that is on its way is lost or given up.
    pub(crate) fn landed(&mut self, size: usize) {
        self.congestion.landed(size);
    }

    /// A chunk is sent again: what is acknowledged from now on may be either (6.3.1, C5).
    pub(crate) fn forget_timed(&mut self) {
        self.timed = None;
    }

    /// Chunks were lost, by what SACKs tell (7.2.3).
    pub(crate) fn lost(&mut self) {
        self.congestion.lost(self.most());
    }

    /// T3-rtx has expired, and it is not a probe of a closed window (7.2.3).
    pub(crate) fn collapse(&mut self) {
        self.congestion.timed_out(self.most());
    }
}

/// A SACK, from its begin to its end.
impl Path {
    pub(crate) fn sack_begins(&mut self) {
        self.sack = Sacked { flight_before: self.congestion.flight(), ..Sacked::default() };
    }

    /// A chunk that was on its way is acknowledged.
    pub(crate) fn acked(&mut self, now: Time, tsn: Tsn, size: usize) {
        self.congestion.landed(size);
        self.sack.acked += size;
        self.sack.earliest |= !self.sack.missing;
        if let Some((_, sent)) = self.timed.take_if(|(timed, _)| *timed == tsn) {
            self.rto.measure(now - sent);
        }
    }

    /// A chunk that was taken for lost is acknowledged: the peer answers.
    pub(crate) fn acked_late(&mut self) {
        self.sack.late = true;
    }

    /// A chunk that is on its way is not.
    pub(crate) fn missing(&mut self) {
        self.sack.missing = true;
    }

    /// `recovering`: in fast recovery.
    pub(crate) fn sack_ends(&mut self, now: Time, recovering: bool) {
        let Sacked { flight_before, acked, late, earliest, .. } = self.sack;
        if acked > 0 || late {
            self.congestion.acked(acked, flight_before, recovering, self.most());
            self.answered();
        }
        if self.congestion.flight() == 0 {
            // 6.3.2, R2.
            self.stop_t3();
        } else if earliest {
            // R3.
            self.restart_t3(now);
        }
    }
}

/// Heartbeats (8.3).
impl Path {
    /// The heartbeat timer has expired: call `beat`.
    pub(crate) fn beat_is_due(&self, now: Time) -> bool {
        self.heartbeat.timeout().is_some_and(|time| time <= now)
    }

    /// Starts the heartbeat timer, when the association comes up. `random` is for the jitter.
    pub(crate) fn start_beats(&mut self, now: Time, random: u32) {
        self.heartbeat.start(now, self.rto.current(), random);
    }

    /// The heartbeat timer has expired. `nonce` goes into the HEARTBEAT, `random` is for the jitter.
    pub(crate) fn beat(&mut self, now: Time, nonce: u64, random: u32) -> Beat {
        let missed = self.heartbeat.take_missed(now);
        if missed {
            self.timed_out();
        }
        let rto = self.rto.current();
        let send = self.heartbeat.take_due(now, rto, random);
        if send {
            self.heartbeat.send(now, nonce, rto);
        }
        Beat { missed, send }
    }

    /// A HEARTBEAT with this nonce is sent now because the user wishes it.
    pub(crate) fn beat_now(&mut self, now: Time, nonce: u64) {
        self.heartbeat.send(now, nonce, self.rto.current());
    }

    /// No more HEARTBEATs: SHUTDOWN or SHUTDOWN ACK was sent.
    pub(crate) fn stop_beats(&mut self) {
        self.heartbeat = Heartbeat::new(None);
    }

    /// HEARTBEAT ACK. False: not the nonce of one of the last HEARTBEATs, and nothing changed. True: the
    /// peer answers, so the association's error count is cleared.
    pub(crate) fn beat_answered(&mut self, now: Time, nonce: u64) -> bool {
        let Some(round_trip) = self.heartbeat.answered(now, nonce) else {
            return false;
        };
        self.rto.measure(round_trip);
        self.answered();
        if self.state == PathState::Unconfirmed {
            // 5.4.
            self.state = PathState::Active;
            self.change = Some(PathChange::Confirmed);
        }
        true
    }
}

/// What a packet has room for besides its header.
fn chunks_of(mtu: usize) -> usize {
    mtu.saturating_sub(Header::SIZE) / 4 * 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(confirmed: bool) -> Path {
        let address = "192.0.2.1:9899".parse().unwrap();
        let route = Route { local: address, remote: address };
        Path::new(route, &PathParams::default(), &RtoParams::default(), confirmed)
    }

    /// Goes on to the heartbeat timer's next expiry.
    fn beat(path: &mut Path, now: &mut Time, nonce: u64) -> Beat {
        *now = path.timeout().expect("the heartbeat timer runs");
        assert!(path.beat_is_due(*now));
        path.beat(*now, nonce, 0)
    }

    #[test]
    fn heartbeats_that_are_missed_make_a_path_inactive_and_one_answer_makes_it_active() {
        let mut path = path(true);
        let mut now = Time(0);
        assert_eq!(path.timeout(), None);
        path.start_beats(now, 0);
        let (mut sent, mut missed) = (0, 0);
        while path.state() == PathState::Active {
            let Beat { missed: one, send } = beat(&mut path, &mut now, sent);
            missed += u32::from(one);
            sent += u64::from(send);
        }
        // 8.3: Path.Max.Retrans is 5, and the sixth makes it.
        assert_eq!((sent, missed), (6, 6));
        assert_eq!(path.take_change(), Some(PathChange::Unreachable));
        assert_eq!(path.take_change(), None);
        assert!(path.rto() > Duration::from_secs(30), "it has backed off");
        // They go on.
        assert!(beat(&mut path, &mut now, 99).send);
        assert!(!path.beat_answered(now, 98));
        assert!(path.beat_answered(now + Duration::from_millis(100), 99));
        assert_eq!(path.take_change(), Some(PathChange::Available));
        assert_eq!(path.srtt(), Duration::from_millis(100));
        assert_eq!(path.rto(), Duration::from_secs(1));
    }

    #[test]
    fn an_address_is_confirmed_by_a_heartbeat_and_by_nothing_else() {
        let mut path = path(false);
        (0..9).for_each(|_| path.timed_out());
        path.sack_begins();
        path.acked_late();
        path.sack_ends(Time(0), false);
        assert_eq!((path.state(), path.take_change()), (PathState::Unconfirmed, None));
        path.beat_now(Time(0), 7);
        assert!(path.beat_answered(Time(1000), 7));
        assert_eq!(
            (path.state(), path.take_change()),
            (PathState::Active, Some(PathChange::Confirmed))
        );
    }

    #[test]
    fn no_heartbeats_after_the_end() {
        let mut path = path(true);
        path.start_beats(Time(0), 0);
        path.beat_now(Time(0), 1);
        path.stop_beats();
        assert_eq!(path.timeout(), None);
        assert!(!path.beat_answered(Time(1), 1));
    }

    #[test]
    fn what_was_sent_counts_as_a_heartbeat_if_it_measures() {
        let mut path = path(true);
        path.start_beats(Time(0), 0);
        path.sent_new(Time(20_000_000), Tsn(1), 100);
        path.stop_t3();
        let mut now = Time(0);
        assert_eq!(beat(&mut path, &mut now, 1), Beat { missed: false, send: false });
        path.sent_again(Time(40_000_000), 100);
        path.stop_t3();
        assert!(beat(&mut path, &mut now, 1).send, "8.3: what is sent again measures nothing");
        assert_eq!(now, Time(50_500_000));
    }
}
