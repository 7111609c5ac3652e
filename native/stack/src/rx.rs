//! From DATA chunks to messages (RFC 9260, sections 6.2 and 6.5 to 6.9).
//!
//! The [`tsn_map`] knows which TSNs have come. Chunks that are whole messages whose turn it is go
//! straight into [`delivery`], all others wait in [`reassembly`]; the [`order`] of each stream says
//! whose turn it is.
//!
//! # Memory, and why it never locks up
//!
//! The receive buffer, S, bounds the bytes of data; 2 S bounds them with their accounting ([`tally`]),
//! which is what messages of a few bytes come up against. The window that is advertised is what is
//! left of S, and less where the second bound is nearer. Chunks are taken until that is crossed, so a
//! peer that fills its window loses nothing; once it was told that there is none, only what fills a
//! gap is taken (6.2). Beyond 2 S there are two chunks at most, and what is kept of the message that is
//! delivered in parts: the chunk that crosses it, and one that is taken however full we are, below.
//!
//! What is held belongs to one of these:
//!
//! 1. It is unread: out, or whole and in its turn. The user can receive it, and that frees it.
//! 2. It is of the message that is being received, which ends at the cumulative TSN.
//! 3. It came after a gap.
//! 4. It is whole, and waits for the end of the message that is delivered in parts.
//!
//! There is nothing else: peers number messages of a stream in the order of their TSNs, so below the
//! cumulative TSN all are whole and in their turn, but for 2. Suppose that nothing is unread, and
//! no room is left. If there is no gap, then all is of 2, and that message is handed up in parts,
//! which makes it unread (6.9). If there is a gap, then the peer has the chunk that fills it, and
//! sends it again whatever our window is, for the window is for new data (6.1, A). It is taken
//! however full we are: others that came after it are dropped, the highest TSN first (6.2), and
//! where none is left to drop it is taken all the same. Then it is out itself, or with all of 2 in
//! parts. So the user always gets something to receive, and the window opens when that is done. A
//! peer for which this does not hold has broken the order of a stream to fill our memory.

mod delivery;
mod order;
mod reassembly;
mod sack_timer;
mod tally;
mod tsn_map;

#[cfg(test)]
mod forward_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod receive_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod window_tests;

use std::time::Duration;

use crate::params::Params;
use crate::types::{Ppid, Ssn, StreamId, Time, Tsn};
use crate::violation::Violation;
use crate::wire::{Data, Gap, Skipped};
pub(crate) use delivery::{Delivered, Message};
use delivery::{Delivery, Partial};
use order::Order;
use reassembly::{Dropped, Reassembly, Run};
use sack_timer::SackTimer;
use tally::Tally;
use tsn_map::{Tidings, TsnMap};

/// All that the peer sends.
#[derive(Debug)]
pub(crate) struct Inbound {
    settings: Settings,
    streams: u16,
    map: TsnMap,
    reassembly: Reassembly,
    order: Order,
    delivery: Delivery,
    sack_timer: SackTimer,
    /// The window that the peer was told last.
    told: usize,
    /// Fragments from here on are the rest of a message that the peer has given up.
    given_up: Option<u64>,
}

/// What `Inbound` needs of the parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// See `Params`.
    pub(crate) sack_delay: Duration,
    /// See `Params`.
    pub(crate) sack_frequency: u32,
    /// See `Params`.
    pub(crate) receive_buffer: usize,
    /// See `Params`.
    pub(crate) partial_delivery_point: usize,
    /// Of the path: windows open and close by so much at least.
    pub(crate) mtu: usize,
}

impl From<&Params> for Settings {
    fn from(params: &Params) -> Settings {
        Settings {
            sack_delay: params.sack_delay,
            sack_frequency: params.sack_frequency,
            receive_buffer: params.receive_buffer,
            partial_delivery_point: params.partial_delivery_point,
            mtu: params.path.mtu,
        }
    }
}

/// What became of a DATA chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Taken, or a duplicate, or dropped for want of room: SACKs tell the peer.
    Fine,
    /// Taken as far as its TSN goes; answer with an ERROR, cause 1 (6.5).
    InvalidStream(StreamId),
    /// Without user data; answer with an ABORT, cause 9 (6.2).
    NoUserData(Tsn),
    /// Answer with an ABORT, cause 13.
    Violation(Violation),
}

/// What a SACK says; the gap blocks and duplicates have iterators of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sack {
    pub(crate) cumulative: Tsn,
    pub(crate) window: u32,
}

impl Inbound {
    /// `first`: the peer's initial TSN. `streams`: how many the peer may use.
    pub(crate) fn new(settings: Settings, first: Tsn, streams: u16) -> Inbound {
        let Settings { sack_delay, sack_frequency, receive_buffer, .. } = settings;
        Inbound {
            settings,
            streams,
            map: TsnMap::new(first),
            reassembly: Reassembly::default(),
            order: Order::default(),
            delivery: Delivery::default(),
            sack_timer: SackTimer::new(sack_delay, sack_frequency),
            told: receive_buffer,
            given_up: None,
        }
    }

    /// So much of the receive buffer is taken already: by what the user has not received yet from
    /// the association as it was before a restart. `release` frees it.
    pub(crate) fn charge(&mut self, charge: usize) {
        self.delivery.carry(charge);
    }

    /// Takes other settings; the receive buffer stays.
    pub(crate) fn configure(&mut self, settings: Settings) {
        let receive_buffer = self.settings.receive_buffer;
        self.settings = Settings { receive_buffer, ..settings };
        self.sack_timer.configure(settings.sack_delay, settings.sack_frequency);
    }

    /// A DATA chunk. Call `packet_end` after the last one of a packet.
    pub(crate) fn data(&mut self, data: &Data<'_>) -> Verdict {
        if data.payload.is_empty() {
            return Verdict::NoUserData(data.tsn);
        }
        let place = match self.map.look_up(data.tsn) {
            Tidings::New(place) => place,
            Tidings::Old => {
                self.sack_timer.came_again(data.tsn);
                return Verdict::Fine;
            }
            Tidings::Far => {
                self.sack_timer.came(true);
                return Verdict::Fine;
            }
        };
        if !self.makes_room(place) {
            // 6.2: a SACK says at once that it was not taken.
            self.sack_timer.came(true);
            return Verdict::Fine;
        }
        let had_gaps = self.map.has_gaps();
        let verdict = if data.stream < self.streams {
            self.take_in(place, data).map_or_else(Verdict::Violation, |()| Verdict::Fine)
        } else {
            // 6.5: the TSN counts, the rest does not.
            let next = self.map.next();
            self.map.insert(place);
            let passed = self.check_passed(next);
            passed.map_or_else(Verdict::Violation, |()| Verdict::InvalidStream(data.stream))
        };
        self.sack_timer.came(data.immediate || had_gaps || self.map.has_gaps());
        verdict
    }

    /// Whether a new chunk is taken. Drops others for it (6.2).
    fn makes_room(&mut self, place: u64) -> bool {
        // Nobody but the peer can bring us on: the head of this file says why that is taken.
        let vital = place == self.map.next() && self.delivery.is_all_read();
        while self.is_full() {
            match self.reassembly.drop_last(place) {
                Some(Dropped { place, whole }) => {
                    self.map.remove(place);
                    if let Some((stream, ssn)) = whole {
                        self.order.forget(stream, ssn);
                    }
                }
                None => return vital,
            }
        }
        // New data when there is no room left, and the peer knows it. What it does not know it may
        // have sent into the window that it was told before.
        let closed = self.told == 0 && self.free() == 0 && place >= self.map.end();
        vital || !closed
    }

    /// A chunk of a stream that there is.
    fn take_in(&mut self, place: u64, data: &Data<'_>) -> Result<(), Violation> {
        let next = self.map.next();
        let turn = data.unordered || self.order.is_next(data.stream, data.ssn);
        if turn && data.beginning && data.end && place == next && self.reassembly.is_empty() {
            // Nearly all chunks are like this one.
            self.map.insert(place);
            self.deliver(place, Run::new(data));
            return Ok(());
        }
        let (full, before) = (self.is_full(), self.reassembly.tally().charge);
        let start = self.reassembly.insert(place, data, next)?;
        self.map.insert(place);
        self.offer(start)?;
        self.check_passed(next)?;
        self.deliver_in_parts();
        let held = self.reassembly.tally().charge > before;
        if full && held && self.delivery.is_all_read() {
            return Err(Violation("fills the buffer with messages out of order"));
        }
        Ok(())
    }

    /// A chunk was added to the run that starts at `start`.
    fn offer(&mut self, start: u64) -> Result<(), Violation> {
        if let Some(partial) = self.delivery.partial().filter(|partial| partial.start == start) {
            self.deliver_part(partial);
        } else if let Some(run) = self.reassembly.get(start).filter(|run| run.is_whole())
            && (run.unordered || self.order.offer(run.stream, run.ssn, start)?)
            && let Some(run) = self.reassembly.take(start)
        {
            self.deliver(start, run);
        }
        Ok(())
    }

    /// A whole message in its turn, and those that waited for it.
    fn deliver(&mut self, start: u64, run: Run) {
        let (stream, unordered) = (run.stream, run.unordered);
        self.push(start, run);
        if !unordered {
            self.deliver_next(stream);
        }
    }

    /// The turn goes to the next message of a stream.
    fn deliver_next(&mut self, stream: StreamId) {
        while let Some(start) = self.order.delivered(stream) {
            if let Some(run) = self.reassembly.take(start) {
                self.push(start, run);
            }
        }
    }

    fn push(&mut self, start: u64, run: Run) {
        let Run { stream, ssn, unordered, ppid, bytes, .. } = run;
        let partial = Partial { start, stream, ssn, unordered };
        let message = self.message(&partial, ppid, bytes.into(), true);
        self.delivery.push(message);
    }

    fn message(&self, of: &Partial, ppid: Ppid, bytes: Vec<u8>, end: bool) -> Message {
        Message {
            stream: of.stream,
            ssn: of.ssn,
            unordered: of.unordered,
            ppid,
            tsn: self.map.tsn(of.start),
            cumulative: self.map.cumulative(),
            charge: Tally::of(bytes.len()).charge,
            bytes,
            end,
        }
    }

    /// Nothing more is to come of what the cumulative TSN has passed since it was at `from`. A
    /// message that is not whole is one that its sender has given up, or that no sender makes.
    fn check_passed(&mut self, from: u64) -> Result<(), Violation> {
        let next = self.map.next();
        let mut place = self.reassembly.before(from).map_or(from, |(start, _)| start);
        while let Some((start, run)) =
            self.reassembly.from(place).filter(|(start, _)| *start < next)
        {
            let end = run.end_of(start);
            if !run.beginning {
                if self.given_up != Some(start) {
                    return Err(Violation("continues a message that has not begun"));
                }
                self.given_up = (!run.end).then_some(end);
                self.reassembly.take(start);
            } else if !run.end && end < next {
                return Err(Violation("does not end a message"));
            }
            place = end;
        }
        Ok(())
    }

    /// Begins to deliver the message that is being received in parts: when there is as much of it as
    /// the user wishes, or when nothing else can go on (see the head of this file).
    fn deliver_in_parts(&mut self) {
        let next = self.map.next();
        let Some((start, run)) = self.reassembly.before(next) else {
            return;
        };
        let receives = !run.end && run.end_of(start) == next;
        let turn = run.unordered || self.order.is_next(run.stream, run.ssn);
        if self.delivery.partial().is_some() || !receives || !turn {
            return;
        }
        let point = self.settings.partial_delivery_point;
        let enough = point > 0 && run.bytes.len() >= point;
        // Behind a gap there is what was sent after it: the peer can fill it without a window.
        let stuck = if self.map.has_gaps() { self.is_full() } else { self.window() == 0 };
        if enough || stuck && self.delivery.is_all_read() {
            let Run { stream, ssn, unordered, .. } = *run;
            let partial = Partial { start, stream, ssn, unordered };
            self.delivery.begin(partial);
            self.deliver_part(partial);
        }
    }

    /// What has come of the message that is delivered in parts.
    fn deliver_part(&mut self, partial: Partial) {
        let Some(run) = self.reassembly.get(partial.start) else {
            return;
        };
        let (ppid, end) = (run.ppid, run.end);
        let bytes = self.reassembly.take_bytes(partial.start);
        let part = self.message(&partial, ppid, bytes, end);
        self.delivery.push_part(part);
        if end {
            self.reassembly.take(partial.start);
            if !partial.unordered {
                self.deliver_next(partial.stream);
            }
        }
    }

    /// FORWARD TSN (RFC 3758, section 3.6). Call `packet_end` after it.
    pub(crate) fn forward(
        &mut self,
        cumulative: Tsn,
        skipped: impl Iterator<Item = Skipped>,
    ) -> Verdict {
        // One that is out of date says that a SACK was lost.
        self.sack_timer.came(true);
        let Some(last) = self.map.place(cumulative) else {
            if cumulative == self.map.cumulative() {
                self.give_up_received();
            }
            return Verdict::Fine;
        };
        let before = self.map.next();
        if let Some(Partial { stream, ssn, unordered, .. }) = self.delivery.partial() {
            // Its next fragment is given up, and so is all of it.
            self.delivery.abort();
            if !unordered {
                self.skip(stream, ssn);
            }
        }
        let next = last + 1;
        // Before the first run here all are whole.
        let mut place = self.reassembly.before(before).map_or(before, |(start, _)| start);
        while let Some((start, run)) =
            self.reassembly.from(place).filter(|(start, _)| *start < next)
        {
            place = start + 1;
            if !run.is_whole() {
                self.reassembly.take(start);
            }
        }
        self.map.advance(next);
        self.given_up = Some(next);
        let streams = self.streams;
        for Skipped { stream, ssn } in skipped.filter(|skipped| skipped.stream < streams) {
            self.skip(stream, ssn);
        }
        let passed = self.check_passed(before);
        self.deliver_in_parts();
        passed.map_or_else(Verdict::Violation, |()| Verdict::Fine)
    }

    /// All that has come is over. Of a message that has not ended with it there is no more to come:
    /// its sender does not know that all it had sent of it has come.
    fn give_up_received(&mut self) {
        let next = self.map.next();
        let received = self.reassembly.before(next).filter(|(_, run)| !run.is_whole());
        let Some((start, Run { stream, ssn, unordered, .. })) = received else {
            return;
        };
        let (stream, ssn, unordered) = (*stream, *ssn, *unordered);
        self.delivery.abort();
        self.reassembly.take(start);
        self.given_up = Some(next);
        if !unordered {
            self.skip(stream, ssn);
        }
    }

    /// Messages of a stream are given up, up to this one. What came of them all the same is delivered,
    /// and what waited for them.
    fn skip(&mut self, stream: StreamId, ssn: Ssn) {
        for start in self.order.skip(stream, ssn) {
            if let Some(run) = self.reassembly.take(start) {
                self.push(start, run);
            }
        }
        if let Some(start) = self.order.take_next(stream)
            && let Some(run) = self.reassembly.take(start)
        {
            self.deliver(start, run);
        }
    }

    /// The next of what came.
    pub(crate) fn take(&mut self) -> Option<Delivered> {
        self.delivery.take()
    }

    /// The user has received something: `charge` bytes of the receive buffer are free again. A SACK
    /// may be due, if the window has opened.
    pub(crate) fn release(&mut self, charge: usize) {
        self.delivery.release(charge);
        self.deliver_in_parts();
        // 6.2: not for every few bytes. Where it was closed, as soon as two packets fit: the peer
        // may be waiting for just that.
        let Settings { receive_buffer, mtu, .. } = self.settings;
        let (window, quarter) = (self.window(), receive_buffer / 4);
        let opens = self.told == 0 && window >= quarter.min(2 * mtu);
        if window > self.told && (opens || window - self.told >= quarter) {
            self.sack_timer.want();
        }
    }

    /// The association is over: a message that was delivered in parts will have no end.
    pub(crate) fn fail_all(&mut self) {
        self.delivery.abort();
        self.reassembly = Reassembly::default();
    }
}

/// The window.
impl Inbound {
    fn tally(&self) -> Tally {
        let mut tally = self.reassembly.tally();
        tally += self.delivery.tally();
        tally
    }

    /// What is taken of the receive buffer, whether the user has it waiting or not.
    pub(crate) fn charged(&self) -> usize {
        self.tally().charge
    }

    /// No more memory is taken: that is not what the window says.
    fn is_full(&self) -> bool {
        self.tally().charge >= 2 * self.settings.receive_buffer
    }

    /// What is left of the receive buffer.
    fn free(&self) -> usize {
        let receive_buffer = self.settings.receive_buffer;
        let Tally { data, charge } = self.tally();
        let free = receive_buffer.saturating_sub(data);
        free.min((2 * receive_buffer).saturating_sub(charge))
    }

    /// The window as it is told. None is better than a silly one (6.2). The peer does not know what
    /// we charge for small messages: where that matters, as much is told as would fit of such as there
    /// are.
    pub(crate) fn window(&self) -> usize {
        let Settings { receive_buffer, mtu, .. } = self.settings;
        let Tally { data, charge } = self.tally();
        let free = receive_buffer.saturating_sub(data);
        if self.free() < mtu.min(receive_buffer / 4) {
            0
        } else if charge <= receive_buffer {
            free
        } else {
            let fits = (2 * receive_buffer).saturating_sub(charge).saturating_mul(data) / charge;
            free.min(fits.max(1))
        }
    }
}

/// SACKs.
impl Inbound {
    /// All chunks of a packet were seen: decides when to send a SACK, if there was DATA or FORWARD TSN.
    pub(crate) fn packet_end(&mut self, now: Time) {
        self.sack_timer.packet_end(now);
    }

    /// A SACK is to be sent at once.
    pub(crate) fn sack_is_due(&self, now: Time) -> bool {
        self.sack_timer.is_due(now)
    }

    /// A SACK waits for company: put it into a packet that is sent anyway.
    pub(crate) fn sack_is_pending(&self) -> bool {
        self.sack_timer.is_pending()
    }

    /// When the SACK that waits has to go.
    pub(crate) fn timeout(&self) -> Option<Time> {
        self.sack_timer.timeout()
    }

    /// A SACK is wanted whatever has come: while in SHUTDOWN-SENT (9.2).
    pub(crate) fn want_sack(&mut self) {
        self.sack_timer.want();
    }

    /// A SACK is sent now: what it says. `gaps` and `duplicates` are to be read before anything
    /// else happens.
    pub(crate) fn take_sack(&mut self) -> Sack {
        self.sack_timer.sent();
        self.told = self.window();
        let window = u32::try_from(self.told).unwrap_or(u32::MAX);
        Sack { cumulative: self.map.cumulative(), window }
    }

    /// The gap blocks of a SACK, lowest first.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = Gap> {
        self.map.gaps()
    }

    /// Takes the duplicates since the last SACK, as far as they were kept.
    pub(crate) fn take_duplicates(&mut self) -> Vec<Tsn> {
        self.sack_timer.take_duplicates()
    }

    /// The cumulative TSN.
    pub(crate) fn cumulative(&self) -> Tsn {
        self.map.cumulative()
    }
}
