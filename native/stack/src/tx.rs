//! From messages to DATA chunks, and what became of them (RFC 9260, sections 6 and 7).
//!
//! A message waits in the [`queue`] until it is cut into chunks, which happens when they are sent.
//! Sent chunks are [`outstanding`], in the order of their TSNs, until the peer's cumulative TSN has
//! passed them. What [`sack`]s say decides which of them are sent again.

mod failed;
mod forwarding;
mod ledger;
mod outstanding;
mod packet;
mod queue;
mod sack;
mod window;

#[cfg(test)]
mod lifetime_tests;
#[cfg(test)]
mod loss_tests;
#[cfg(test)]
mod send_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod window_tests;

use std::time::Duration;

use crate::event::SendInfo;
use crate::params::Params;
use crate::path::Path;
use crate::types::{Time, Tsn};
use crate::violation::Violation;
use crate::wire::{Data, Gap, Header, Skipped};
pub(crate) use failed::{Failed, Reason};
use forwarding::Forwarding;
use ledger::Ledger;
use outstanding::State;
use packet::{Packet, size_of};
use window::Window;

/// Max.Burst: packets of new data at one go (6.1, D).
const MAX_BURST: u32 = 4;

/// All that the user sends.
#[derive(Debug)]
pub(crate) struct Outbound {
    settings: Settings,
    /// The smallest of all paths.
    mtu: usize,
    /// As many as we wish for, and as there are.
    wished: u16,
    streams: u16,
    /// The association is up.
    established: bool,
    /// Nothing more will be pushed.
    finishing: bool,
    ledger: Ledger,
    /// Fast recovery lasts until this TSN is acknowledged (7.2.4).
    recovery: Option<Tsn>,
    /// One packet of marked chunks may go whatever the congestion window says (7.2.4, 3).
    fast: bool,
    /// Packets of new data that may go now: Max.Burst for each SACK since the last time that nothing
    /// more went (6.1, D), whether we are asked for packets after each SACK or after many.
    burst: u32,
    forwarding: Forwarding,
    /// The timeout of the path that was used last, for the probe of a closed window.
    rto: Duration,
    /// Something was pushed since it was told last that all is acknowledged.
    wet: bool,
}

/// What `Outbound` needs of the parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// See `Params`.
    pub(crate) nodelay: bool,
    /// See `Params`.
    pub(crate) disable_fragments: bool,
    /// See `Params`.
    pub(crate) max_segment: usize,
    /// See `Params`.
    pub(crate) send_buffer: usize,
}

impl From<&Params> for Settings {
    fn from(params: &Params) -> Settings {
        Settings {
            nodelay: params.nodelay,
            disable_fragments: params.disable_fragments,
            max_segment: params.max_segment,
            send_buffer: params.send_buffer,
        }
    }
}

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The buffer is full (EAGAIN).
    Full,
    /// Longer than the buffer, or than a chunk where messages may not be fragmented (EMSGSIZE).
    TooLong,
    /// No bytes, or no such stream (EINVAL).
    Invalid,
}

/// What a SACK did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Acked {
    /// It acknowledged something new: the association's error count is cleared (8.1).
    pub(crate) news: bool,
    /// Bytes of the buffer became free.
    pub(crate) freed: usize,
}

/// Numbers for SCTP_STATUS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// What the peer still takes, in bytes.
    pub(crate) window: usize,
    /// Chunks sent and not acknowledged.
    pub(crate) unacked: usize,
    /// Chunks sent again, ever.
    pub(crate) retransmissions: u64,
    /// Messages whose lifetime was over before they were sent.
    pub(crate) abandoned_unsent: u64,
    /// Messages whose lifetime was over after that.
    pub(crate) abandoned_sent: u64,
}

/// The longest data of one chunk.
fn most_data(mtu: usize, max_segment: usize) -> usize {
    // What a length field of 16 bits allows is more than a UDP datagram does.
    let mtu = mtu.min(usize::from(u16::MAX));
    let most = (mtu.saturating_sub(Header::SIZE) / 4 * 4).saturating_sub(Data::OVERHEAD).max(1);
    if max_segment == 0 { most } else { most.min(max_segment) }
}

impl Outbound {
    /// Messages can be pushed at once, and are sent once the association is up. `streams`: as many
    /// as we wish for. `mtu`: the smallest of all paths.
    pub(crate) fn new(settings: Settings, first: Tsn, streams: u16, mtu: usize) -> Outbound {
        Outbound {
            settings,
            mtu,
            wished: streams,
            streams,
            established: false,
            finishing: false,
            ledger: Ledger::new(first, most_data(mtu, settings.max_segment)),
            recovery: None,
            fast: false,
            burst: MAX_BURST,
            forwarding: Forwarding::default(),
            rto: Duration::from_secs(1),
            wet: false,
        }
    }

    /// The association is up: `window` is the peer's, `streams` how many it allows, `forward_tsn`
    /// says that it knows FORWARD TSN. Messages of other streams fail. It may be called again while
    /// nothing was acknowledged: data goes along with COOKIE ECHO, which the peer may not take.
    pub(crate) fn establish(&mut self, window: u32, streams: u16, forward_tsn: bool) {
        self.established = true;
        self.streams = self.wished.min(streams);
        let Ledger { queue, chunks, failed, most, .. } = &mut self.ledger;
        queue.limit_streams(self.streams, *most, failed);
        let window = usize::try_from(window).unwrap_or(usize::MAX);
        self.ledger.window = Window::new(window.saturating_sub(chunks.data_in_flight()));
        self.ledger.forward_tsn = forward_tsn;
    }

    /// Takes other settings.
    pub(crate) fn configure(&mut self, settings: Settings) {
        self.settings = settings;
        self.burst = self.burst.max(MAX_BURST);
        self.ledger.most = most_data(self.mtu, settings.max_segment);
    }

    /// The smallest MTU of all paths is another one.
    pub(crate) fn set_mtu(&mut self, mtu: usize) {
        self.mtu = mtu;
        self.ledger.most = most_data(mtu, self.settings.max_segment);
    }

    /// Nothing more will be pushed: Nagle's algorithm no longer waits for more.
    pub(crate) fn finish(&mut self) {
        self.finishing = true;
        self.burst = self.burst.max(MAX_BURST);
    }

    /// The longest data of one chunk.
    pub(crate) fn fragmentation_point(&self) -> usize {
        self.ledger.most
    }

    /// Takes a message whole, or not at all. Returns what it takes of the buffer.
    pub(crate) fn push(
        &mut self,
        now: Time,
        info: SendInfo,
        data: &[u8],
    ) -> Result<usize, Refused> {
        if data.is_empty() || info.stream >= self.streams {
            return Err(Refused::Invalid);
        }
        let fits = data.len() <= self.ledger.most || !self.settings.disable_fragments;
        if data.len() > self.settings.send_buffer || !fits {
            return Err(Refused::TooLong);
        }
        // As Linux: any room is room enough. A message as long as the buffer could not be sent else.
        if self.buffered() >= self.settings.send_buffer {
            return Err(Refused::Full);
        }
        let charge = self.ledger.queue.push(now, info, data);
        self.wet = true;
        self.event(now);
        Ok(charge)
    }

    /// What is taken of the buffer: bytes not acknowledged, and something for each message.
    pub(crate) fn buffered(&self) -> usize {
        self.ledger.queue.charged()
    }

    /// All that was pushed is acknowledged or given up, and that was told to nobody yet
    /// (SCTP_SENDER_DRY_EVENT).
    pub(crate) fn take_dry(&mut self) -> bool {
        let dry = self.wet && self.is_empty();
        self.wet &= !dry;
        dry
    }

    /// All that was pushed is acknowledged or given up. Look at it after `sack`, `produce` and
    /// `advance`: a lifetime may be over, too.
    pub(crate) fn is_empty(&self) -> bool {
        self.ledger.is_empty()
    }

    /// A fragment that has failed.
    pub(crate) fn take_failed(&mut self) -> Option<Failed> {
        self.ledger.failed.pop_front()
    }

    /// The association is over, or begins anew: all that is not acknowledged has failed. It is of no
    /// use any more, and what its paths say of data on its way is wrong.
    pub(crate) fn fail_all(&mut self) {
        self.ledger.fail_all();
        self.established = false;
        self.wet = false;
    }

    /// How it is.
    pub(crate) fn counts(&self) -> Counts {
        let Ledger { chunks, window, abandoned_unsent, abandoned_sent, .. } = &self.ledger;
        Counts {
            window: window.room(),
            unacked: chunks.len(),
            retransmissions: chunks.retransmissions(),
            abandoned_unsent: *abandoned_unsent,
            abandoned_sent: *abandoned_sent,
        }
    }

    #[cfg(test)]
    pub(crate) fn next_tsn(&self) -> Tsn {
        self.ledger.chunks.next_tsn()
    }
}

/// Sending.
impl Outbound {
    /// There is something that could go out on `paths[on]` now: `produce` would put a chunk into an
    /// empty packet, or `take_forward` has something.
    pub(crate) fn wants_to_send(&self, paths: &[Path], on: usize) -> bool {
        let Some(path) = paths.get(on).filter(|_| self.established) else {
            return false;
        };
        if self.forwarding.is_wanted() {
            return true;
        }
        if self.ledger.chunks.marked() > 0 {
            return self.fast || path.allows_packet();
        }
        path.allows_packet() && self.may_begin(path, false) && self.ledger.next_len().is_some()
    }

    /// New data may go into a packet. `started`: data that is sent again is in it already.
    fn may_begin(&self, path: &Path, started: bool) -> bool {
        let Ledger { queue, chunks, .. } = &self.ledger;
        // Nagle's algorithm (6.1): while something is on its way, little waits for more. The rest of
        // a message does not: there may be no more for a long time.
        let enough = self.settings.nodelay
            || self.finishing
            || started
            || chunks.data_in_flight() == 0
            || queue.is_cutting()
            || queue.waiting() >= path.most();
        (self.burst > 0 || chunks.data_in_flight() == 0) && enough
    }

    /// Puts DATA chunks into one packet for `paths[on]` that has `room` bytes left for chunks: first
    /// what is to be sent again, then new ones (6.1, C). `empty`: there is nothing in it yet, so one
    /// chunk may be longer than the room, where the MTU has shrunk. Returns how many.
    /// Call it again with a new packet until it returns 0.
    pub(crate) fn produce(
        &mut self,
        now: Time,
        paths: &mut [Path],
        on: usize,
        room: usize,
        empty: bool,
        put: &mut dyn FnMut(&Data<'_>),
    ) -> usize {
        let Some(path) = paths.get_mut(on).filter(|_| self.established) else {
            return 0;
        };
        self.rto = path.rto();
        path.wake(now);
        let allowed = path.allows_packet();
        let mut packet = Packet::new(room, empty, put);
        if allowed || self.fast {
            self.send_again(now, paths, on, &mut packet);
        }
        if allowed && self.ledger.chunks.marked() == 0 {
            self.send_new(now, paths, on, &mut packet);
        }
        let count = packet.count();
        if count == 0 {
            self.burst = 0;
        }
        self.settle(now);
        count
    }

    /// Sends marked chunks again, the lowest TSN first.
    fn send_again(&mut self, now: Time, paths: &mut [Path], on: usize, packet: &mut Packet<'_>) {
        // A chunk with a lower TSN is on its way on this path.
        let mut earlier = false;
        let mut index = 0;
        while self.ledger.chunks.marked() > 0
            && let Some(chunk) = self.ledger.chunks.get(index).copied()
        {
            match chunk.state {
                State::InFlight => earlier |= usize::from(chunk.path) == on,
                State::Marked if !packet.fits(chunk.size()) => break,
                State::Marked => {
                    self.ledger.send_again(now, index, on, paths);
                    // 6.1: the timer starts anew with the earliest chunk.
                    if let Some(path) = paths.get_mut(on).filter(|_| !earlier) {
                        path.restart_t3(now);
                    }
                    earlier = true;
                    packet.push(self.ledger.data(index, false));
                }
                State::GapAcked | State::Abandoned => {}
            }
            index += 1;
        }
        self.fast &= packet.count() == 0;
    }

    /// Sends new chunks as far as rules A and B of 6.1 allow.
    fn send_new(&mut self, now: Time, paths: &mut [Path], on: usize, packet: &mut Packet<'_>) {
        self.ledger.expire(now);
        let Some(path) = paths.get_mut(on).filter(|path| self.may_begin(path, packet.count() > 0))
        else {
            return;
        };
        let before = packet.count();
        while let Some(len) = self.ledger.next_len()
            && packet.fits(size_of(len))
            && let Some(index) = self.ledger.send_new(now, on, path)
        {
            let immediate =
                self.benefits_from_haste(path, packet.room().saturating_sub(size_of(len)));
            packet.push(self.ledger.data(index, immediate));
            // Messages that have expired behind it.
            self.ledger.expire(now);
        }
        if packet.count() > before {
            self.burst = self.burst.saturating_sub(1);
        }
    }

    /// The I bit of the chunk that was just sent, after which the packet has `room`: its SACK should
    /// not be put off (6.1; RFC 7053, section 4), as there is more to send and a window is full, or
    /// as the association waits for it to end.
    fn benefits_from_haste(&self, path: &Path, room: usize) -> bool {
        let Ledger { queue, window, most, .. } = &self.ledger;
        match queue.next_len(*most) {
            None => self.finishing,
            Some(next) => {
                !window.allows(next, false) || size_of(next) > room && path.is_filled_by(0)
            }
        }
    }

    /// A FORWARD TSN that is to be sent to `paths[on]`, of at most `room` bytes with its header
    /// (RFC 3758, section 3.5). Call it before `produce`: what would be sent again is given up here
    /// if its lifetime is over.
    pub(crate) fn take_forward(
        &mut self,
        now: Time,
        paths: &mut [Path],
        on: usize,
        room: usize,
    ) -> Option<(Tsn, Vec<Skipped>)> {
        self.ledger.abandon_expired(now, paths);
        self.settle(now);
        self.forwarding.take(now, &self.ledger, paths, on, room)
    }
}

/// What happens.
impl Outbound {
    /// SACK (6.2.1, 7.2).
    pub(crate) fn sack(
        &mut self,
        now: Time,
        paths: &mut [Path],
        cumulative: Tsn,
        window: u32,
        gaps: impl Iterator<Item = Gap> + Clone,
    ) -> Result<Acked, Violation> {
        self.acknowledge(now, paths, cumulative, Some((window, gaps)))
    }

    /// The cumulative TSN of a SHUTDOWN (9.2): as a SACK, but it says nothing of the window and of gaps.
    pub(crate) fn shutdown_ack(
        &mut self,
        now: Time,
        paths: &mut [Path],
        cumulative: Tsn,
    ) -> Result<Acked, Violation> {
        self.acknowledge(now, paths, cumulative, None::<(u32, std::iter::Empty<Gap>)>)
    }

    fn acknowledge<G: Iterator<Item = Gap> + Clone>(
        &mut self,
        now: Time,
        paths: &mut [Path],
        cumulative: Tsn,
        more: Option<(u32, G)>,
    ) -> Result<Acked, Violation> {
        let (window, gaps) = more.unzip();
        let recovering = self.recovery.is_some();
        paths.iter_mut().for_each(Path::sack_begins);
        let Ledger { chunks, queue, .. } = &mut self.ledger;
        let report = sack::process(now, chunks, queue, paths, cumulative, gaps, recovering)?;
        if report.old {
            return Ok(Acked::default());
        }
        // The rules of 7.2.1 and 7.2.2 come before those of 7.2.4.
        paths.iter_mut().for_each(|path| path.sack_ends(now, recovering));
        // 6.2.1, D iv.
        if self.recovery.is_some_and(|exit| cumulative >= exit) {
            self.recovery = None;
        }
        if report.lost {
            self.retransmit_fast(now, paths);
        }
        if let Some(window) = window {
            self.set_window(now, paths, window);
        }
        self.forwarding.after_sack(now, &self.ledger, paths, report.advanced);
        self.burst = self.burst.saturating_add(MAX_BURST);
        self.settle(now);
        Ok(Acked { news: report.news, freed: report.freed })
    }

    /// The peer's window is so large (6.2.1, D ii). If it has just opened, what was dropped while it
    /// was closed goes again at once, and need not wait for a timer that has backed off: the first
    /// chunk, if this SACK would know of it, and by reports the others.
    fn set_window(&mut self, now: Time, paths: &mut [Path], window: u32) {
        let Ledger { chunks, window: room, .. } = &mut self.ledger;
        let first = chunks.get(0).copied();
        let len = first.map_or(0, |chunk| usize::from(chunk.len));
        if room.sack(window, chunks.data_in_flight(), len)
            && let Some(chunk) = first
            && let Some(path) = paths.get(usize::from(chunk.path))
            && chunk.age(now) >= path.srtt()
        {
            self.ledger.mark(now, 0, paths);
            self.fast |= self.ledger.chunks.marked() > 0;
        }
    }

    /// Fast retransmit (7.2.4).
    fn retransmit_fast(&mut self, now: Time, paths: &mut [Path]) {
        let lost = sack::lost(&self.ledger.chunks);
        if self.recovery.is_none() {
            let on = |index: &usize| self.ledger.chunks.get(*index).map(|chunk| chunk.path);
            let mut hit: Vec<u16> = lost.iter().filter_map(on).collect();
            hit.sort_unstable();
            hit.dedup();
            for path in hit {
                if let Some(path) = paths.get_mut(usize::from(path)) {
                    path.lost();
                }
            }
            self.recovery = Some(self.ledger.chunks.next_tsn().previous());
            self.fast = true;
        }
        lost.into_iter().for_each(|index| self.ledger.mark(now, index, paths));
    }

    /// T3-rtx of `paths[on]` has expired (6.3.3). True: one more error of the association (8.1).
    pub(crate) fn t3_expired(&mut self, now: Time, paths: &mut [Path], on: usize) -> bool {
        let Some(path) = paths.get_mut(on) else {
            return false;
        };
        path.stop_t3();
        let forwards = self.forwarding.timed_out(on);
        if path.flight() == 0 && !forwards {
            return false;
        }
        let answered = self.ledger.window.take_answered();
        if answered {
            path.waits_for_room();
        } else {
            path.timed_out();
        }
        // "Zero window probing does not affect the calculation of cwnd" (6.1, A).
        if !self.ledger.window.is_probing() {
            path.collapse();
        }
        self.mark_all(now, paths, on);
        !answered
    }

    /// COOKIE ECHO was not answered in time: what went along with it goes with the next one. That is
    /// T1-cookie's error, and its backing off.
    pub(crate) fn cookie_expired(&mut self, now: Time, paths: &mut [Path], on: usize) {
        if let Some(path) = paths.get_mut(on) {
            path.collapse();
            self.cookie_refused(now, paths, on);
        }
    }

    /// COOKIE ECHO was answered, but not taken, and so what went along with it was not: it goes with
    /// the next one.
    pub(crate) fn cookie_refused(&mut self, now: Time, paths: &mut [Path], on: usize) {
        if let Some(path) = paths.get_mut(on) {
            path.stop_t3();
            self.mark_all(now, paths, on);
        }
    }

    /// All that is on its way on a path is lost: E3, and what does not fit one packet, which goes when
    /// the window allows.
    fn mark_all(&mut self, now: Time, paths: &mut [Path], on: usize) {
        for index in 0..self.ledger.chunks.len() {
            if self.ledger.chunks.get(index).is_some_and(|chunk| usize::from(chunk.path) == on) {
                self.ledger.mark(now, index, paths);
            }
        }
        self.recovery = None;
        self.fast = false;
        self.event(now);
    }

    /// When `advance` is to be called: a probe of a closed window, the end of a lifetime. T3-rtx is
    /// the paths'.
    pub(crate) fn timeout(&self) -> Option<Time> {
        let Ledger { queue, window, .. } = &self.ledger;
        window.timeout().into_iter().chain(queue.expiry()).min()
    }

    /// Does what is due.
    pub(crate) fn advance(&mut self, now: Time) {
        self.ledger.expire(now);
        self.ledger.window.advance(now);
        self.event(now);
    }

    /// Something happened after which a burst may go out.
    fn event(&mut self, now: Time) {
        self.burst = self.burst.max(MAX_BURST);
        self.settle(now);
    }

    /// What follows from how things are now.
    fn settle(&mut self, now: Time) {
        self.forwarding.look(&self.ledger);
        if self.established && self.ledger.is_blocked() {
            self.ledger.window.blocks(now, self.rto);
        } else {
            self.ledger.window.unblocks();
        }
    }
}
