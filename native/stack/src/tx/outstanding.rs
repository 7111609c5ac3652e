//! Chunks that were sent and are not acknowledged.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use super::packet::size_of;
use super::queue::Fragment;
use crate::path::Path;
use crate::types::{Time, Tsn};

/// What is known of a chunk's fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// On its way, as far as we know.
    InFlight,
    /// Acknowledged by a gap ack block, which the peer may take back (6.2.1, D iii).
    GapAcked,
    /// Lost; to be sent again.
    Marked,
    /// Given up (RFC 3758).
    Abandoned,
}

/// A DATA chunk. Its bytes are its message's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) message: u32,
    pub(super) offset: u32,
    pub(super) len: u16,
    /// On which it was sent last, and when: the low half of the time.
    pub(super) path: u16,
    sent: u32,
    /// How often; 0 for one that only stands for the rest of an abandoned message.
    pub(super) transmissions: u8,
    /// Reports in a row that it is missing (7.2.4).
    pub(super) misses: u8,
    pub(super) beginning: bool,
    pub(super) end: bool,
    pub(super) state: State,
}

impl Chunk {
    /// Bytes on the wire.
    pub(super) fn size(&self) -> usize {
        size_of(usize::from(self.len))
    }

    /// For how long it has been on its way, if that is less than an hour.
    pub(super) fn age(&self, now: Time) -> Duration {
        Duration::from_micros(low_half(now).wrapping_sub(self.sent).into())
    }

    pub(super) fn range(&self) -> Range<usize> {
        let start = self.offset as usize;
        start..start + usize::from(self.len)
    }
}

fn low_half(time: Time) -> u32 {
    let [.., a, b, c, d] = time.0.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// All chunks from the one after the cumulative TSN to the last that was sent, by TSN without holes.
#[derive(Debug)]
pub(super) struct Outstanding {
    chunks: VecDeque<Chunk>,
    /// The TSN of the first of them.
    first: Tsn,
    /// Bytes of data on their way: what counts for the peer's window (6.2.1).
    data_in_flight: usize,
    /// Chunks in these states.
    gap_acked: usize,
    marked: usize,
    retransmissions: u64,
}

impl Outstanding {
    pub(super) fn new(first: Tsn) -> Outstanding {
        Outstanding {
            chunks: VecDeque::new(),
            first,
            data_in_flight: 0,
            gap_acked: 0,
            marked: 0,
            retransmissions: 0,
        }
    }

    /// The cumulative TSN that the peer has acknowledged.
    pub(super) fn cumulative(&self) -> Tsn {
        self.first.previous()
    }

    pub(super) fn next_tsn(&self) -> Tsn {
        self.tsn(self.chunks.len())
    }

    /// Of a chunk by its place.
    pub(super) fn tsn(&self, index: usize) -> Tsn {
        Tsn(self.first.0.wrapping_add(u32::try_from(index).unwrap_or(u32::MAX)))
    }

    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Chunk> {
        self.chunks.get(index)
    }

    pub(super) fn is_gap_acked(&self, index: usize) -> bool {
        self.get(index).is_some_and(|chunk| chunk.state == State::GapAcked)
    }

    /// One more report that a chunk is missing, if it is on its way.
    pub(super) fn count_miss(&mut self, index: usize) {
        if let Some(chunk) = self.chunks.get_mut(index)
            && chunk.state == State::InFlight
        {
            chunk.misses = chunk.misses.saturating_add(1);
        }
    }

    pub(super) fn data_in_flight(&self) -> usize {
        self.data_in_flight
    }

    pub(super) fn gap_acked(&self) -> usize {
        self.gap_acked
    }

    pub(super) fn marked(&self) -> usize {
        self.marked
    }

    pub(super) fn retransmissions(&self) -> u64 {
        self.retransmissions
    }

    /// Sends a new chunk. Returns its TSN.
    pub(super) fn send(
        &mut self,
        now: Time,
        fragment: &Fragment,
        on: usize,
        path: &mut Path,
    ) -> Tsn {
        let tsn = self.next_tsn();
        let chunk = Chunk {
            message: fragment.message,
            // A message is no longer than the buffer, a chunk no longer than its length field says.
            offset: u32::try_from(fragment.offset).unwrap_or(u32::MAX),
            len: u16::try_from(fragment.len).unwrap_or(u16::MAX),
            path: u16::try_from(on).unwrap_or(u16::MAX),
            sent: low_half(now),
            transmissions: 1,
            misses: 0,
            beginning: fragment.beginning,
            end: fragment.end,
            state: State::InFlight,
        };
        self.data_in_flight += fragment.len;
        path.sent_new(now, tsn, chunk.size());
        self.chunks.push_back(chunk);
        tsn
    }

    /// A TSN for what was not sent of an abandoned message: FORWARD TSN goes past it. Without it the
    /// peer, which may have acknowledged all that was sent, would wait for the rest forever.
    pub(super) fn stand_in(&mut self, message: u32) {
        self.chunks.push_back(Chunk {
            message,
            offset: 0,
            len: 0,
            path: 0,
            sent: 0,
            transmissions: 0,
            misses: 0,
            beginning: false,
            end: true,
            state: State::Abandoned,
        });
    }

    /// Sends a marked chunk again.
    pub(super) fn send_again(&mut self, now: Time, index: usize, on: usize, paths: &mut [Path]) {
        let Some(chunk) = self.chunks.get_mut(index).filter(|chunk| chunk.state == State::Marked)
        else {
            return;
        };
        self.marked -= 1;
        self.retransmissions += 1;
        self.data_in_flight += usize::from(chunk.len);
        chunk.state = State::InFlight;
        chunk.transmissions = chunk.transmissions.saturating_add(1);
        chunk.misses = 0;
        chunk.path = u16::try_from(on).unwrap_or(u16::MAX);
        chunk.sent = low_half(now);
        // 6.3.1, C5: of what was sent before and after it alike, for we do not know which came first.
        paths.iter_mut().for_each(Path::forget_timed);
        if let Some(path) = paths.get_mut(on) {
            path.sent_again(now, chunk.size());
        }
    }

    /// Takes the first chunk: the cumulative TSN has passed it. `acked`: not only by us.
    pub(super) fn pop(&mut self, now: Time, paths: &mut [Path]) -> Option<Chunk> {
        let tsn = self.first;
        let chunk = self.chunks.pop_front()?;
        self.first = tsn.next();
        self.leave(now, &chunk, tsn, true, paths);
        Some(chunk)
    }

    /// Gives a chunk another state. `acked`: because a SACK acknowledges it.
    pub(super) fn set(&mut self, now: Time, index: usize, to: State, paths: &mut [Path]) {
        let tsn = self.tsn(index);
        let Some(chunk) = self.chunks.get_mut(index) else {
            return;
        };
        let before = *chunk;
        chunk.state = to;
        chunk.misses = 0;
        self.leave(now, &before, tsn, to == State::GapAcked, paths);
        match to {
            State::InFlight => {
                // The peer has taken its acknowledgement back: it is on its way again.
                self.data_in_flight += usize::from(before.len);
                if let Some(path) = paths.get_mut(usize::from(before.path)) {
                    path.sent_again(now, before.size());
                }
            }
            State::GapAcked => self.gap_acked += 1,
            State::Marked => self.marked += 1,
            State::Abandoned => {}
        }
    }

    /// Takes a chunk out of the count of its state.
    fn leave(&mut self, now: Time, chunk: &Chunk, tsn: Tsn, acked: bool, paths: &mut [Path]) {
        match chunk.state {
            State::InFlight => {
                self.data_in_flight = self.data_in_flight.saturating_sub(usize::from(chunk.len));
                if let Some(path) = paths.get_mut(usize::from(chunk.path)) {
                    if acked {
                        path.acked(now, tsn, chunk.size());
                    } else {
                        path.landed(chunk.size());
                        path.forget_timed();
                    }
                }
            }
            State::GapAcked => self.gap_acked -= 1,
            State::Marked => {
                self.marked -= 1;
                if let Some(path) = paths.get_mut(usize::from(chunk.path)).filter(|_| acked) {
                    path.acked_late();
                }
            }
            State::Abandoned => {}
        }
    }

    /// The places of a message's chunks, of which one is known: TSNs in a row.
    pub(super) fn of_message(&self, index: usize) -> Range<usize> {
        let Some(message) = self.chunks.get(index).map(|chunk| chunk.message) else {
            return 0..0;
        };
        let same = |chunk: &&Chunk| chunk.message == message;
        let before = self.chunks.range(..index).rev().take_while(same).count();
        let after = self.chunks.range(index..).take_while(same).count();
        index - before..index + after
    }

    /// How many chunks at the front are abandoned: the advanced peer ack point is so far after the
    /// cumulative TSN (RFC 3758, section 3.5, C1 and C2).
    pub(super) fn abandoned_at_front(&self) -> usize {
        self.chunks.iter().take_while(|chunk| chunk.state == State::Abandoned).count()
    }

    /// Forgets all chunks: the TSN after them is the next.
    pub(super) fn clear(&mut self) {
        let next = self.next_tsn();
        let retransmissions = self.retransmissions;
        *self = Outstanding { retransmissions, ..Outstanding::new(next) };
    }
}
