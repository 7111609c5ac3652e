//! The messages, their chunks and the peer's window, kept in step with each other.

use std::collections::VecDeque;

use super::failed::{Failed, Reason};
use super::outstanding::{Chunk, Outstanding, State};
use super::queue::Queue;
use super::window::Window;
use crate::path::Path;
use crate::types::{Ssn, StreamId, Time, Tsn};
use crate::wire::Data;

/// Everything that is to be sent or not acknowledged.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) queue: Queue,
    pub(super) chunks: Outstanding,
    pub(super) window: Window,
    pub(super) failed: VecDeque<Failed>,
    /// The longest data of one chunk.
    pub(super) most: usize,
    /// The peer knows FORWARD TSN: messages of which something was sent can be given up.
    pub(super) forward_tsn: bool,
    /// Messages that expired before anything of them was sent, and after that.
    pub(super) abandoned_unsent: u64,
    pub(super) abandoned_sent: u64,
}

impl Ledger {
    pub(super) fn new(first: Tsn, most: usize) -> Ledger {
        Ledger {
            queue: Queue::default(),
            chunks: Outstanding::new(first),
            window: Window::new(0),
            failed: VecDeque::new(),
            most,
            forward_tsn: false,
            abandoned_unsent: 0,
            abandoned_sent: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.chunks.is_empty()
    }

    /// The length of the next new chunk, if the peer has room for it.
    pub(super) fn next_len(&self) -> Option<usize> {
        let len = self.queue.next_len(self.most)?;
        self.window.allows(len, self.chunks.is_empty()).then_some(len)
    }

    /// There is a new chunk, but the peer has no room, and nothing on its way will change that.
    pub(super) fn is_blocked(&self) -> bool {
        self.chunks.is_empty() && !self.queue.is_empty() && self.next_len().is_none()
    }

    /// Sends the next new chunk. Returns its place.
    pub(super) fn send_new(&mut self, now: Time, on: usize, path: &mut Path) -> Option<usize> {
        let fragment = self.queue.cut(self.most)?;
        self.chunks.send(now, &fragment, on, path);
        self.window.sent(fragment.len);
        Some(self.chunks.len() - 1)
    }

    /// Sends a marked chunk again.
    pub(super) fn send_again(&mut self, now: Time, index: usize, on: usize, paths: &mut [Path]) {
        if let Some(chunk) = self.chunks.get(index) {
            self.window.sent_again(usize::from(chunk.len));
        }
        self.chunks.send_again(now, index, on, paths);
    }

    /// A chunk as it goes into a packet.
    pub(super) fn data(&self, index: usize, immediate: bool) -> Option<Data<'_>> {
        let chunk = self.chunks.get(index)?;
        let message = self.queue.sent(chunk.message)?;
        Some(Data {
            immediate,
            unordered: message.info.unordered,
            beginning: chunk.beginning,
            end: chunk.end,
            tsn: self.chunks.tsn(index),
            stream: message.info.stream,
            ssn: message.ssn,
            ppid: message.info.ppid,
            payload: message.fragment(chunk.range()),
        })
    }

    /// A chunk that is on its way is lost: it is to be sent again, or given up if its message's
    /// lifetime is over.
    pub(super) fn mark(&mut self, now: Time, index: usize, paths: &mut [Path]) {
        let Some(chunk) = self.chunks.get(index).filter(|chunk| chunk.state == State::InFlight)
        else {
            return;
        };
        self.window.landed(usize::from(chunk.len));
        self.chunks.set(now, index, State::Marked, paths);
        self.abandon_if_expired(now, index, paths);
    }

    /// Gives up all that is to be sent again and whose lifetime is over. What is on its way is not
    /// asked: it may arrive.
    pub(super) fn abandon_expired(&mut self, now: Time, paths: &mut [Path]) {
        if !self.forward_tsn || self.chunks.marked() == 0 {
            return;
        }
        for index in 0..self.chunks.len() {
            if self.chunks.get(index).is_some_and(|chunk| chunk.state == State::Marked) {
                self.abandon_if_expired(now, index, paths);
            }
        }
    }

    /// Gives up a chunk's message if its lifetime is over.
    fn abandon_if_expired(&mut self, now: Time, index: usize, paths: &mut [Path]) {
        let message = self.chunks.get(index).and_then(|chunk| self.queue.sent(chunk.message));
        let expired = self.forward_tsn && message.is_some_and(|message| message.has_expired(now));
        if expired {
            self.abandon(now, index, paths);
        }
    }

    /// All chunks of a message are given up together (RFC 3758, section 3.5, A3).
    fn abandon(&mut self, now: Time, index: usize, paths: &mut [Path]) {
        let Some(message) = self.chunks.get(index).map(|chunk| chunk.message) else {
            return;
        };
        let places = self.chunks.of_message(index);
        let ranges = places.clone().filter_map(|place| self.chunks.get(place)).map(Chunk::range);
        let unfinished =
            self.queue.abandon(message, ranges, self.most, Reason::Expired, &mut self.failed);
        for place in places {
            if let Some(chunk) = self.chunks.get(place)
                && chunk.state == State::InFlight
            {
                self.window.landed(usize::from(chunk.len));
            }
            self.chunks.set(now, place, State::Abandoned, paths);
        }
        if unfinished {
            self.chunks.stand_in(message);
        }
        self.abandoned_sent += 1;
    }

    /// Gives up messages of which nothing was sent, and whose lifetime is over.
    pub(super) fn expire(&mut self, now: Time) {
        while self.queue.expire(now, self.most, &mut self.failed) {
            self.abandoned_unsent += 1;
        }
    }

    /// The advanced peer ack point, if it is past the cumulative TSN (RFC 3758, section 3.5).
    pub(super) fn advanced_point(&self) -> Option<Tsn> {
        let abandoned = self.chunks.abandoned_at_front();
        (abandoned > 0).then(|| self.chunks.tsn(abandoned).previous())
    }

    /// The stream and number of the message of a chunk, if it is ordered.
    pub(super) fn ordered(&self, index: usize) -> Option<(StreamId, Ssn)> {
        let message = self.queue.sent(self.chunks.get(index)?.message)?;
        (!message.info.unordered).then_some((message.info.stream, message.ssn))
    }

    /// Everything fails. What is on its way is forgotten; the paths still count it.
    pub(super) fn fail_all(&mut self) {
        let mut index = 0;
        while let Some(chunk) = self.chunks.get(index) {
            let message = chunk.message;
            let places = self.chunks.of_message(index);
            index = places.end;
            let ranges = places.filter_map(|place| self.chunks.get(place)).map(Chunk::range);
            self.queue.abandon(message, ranges, self.most, Reason::Ended, &mut self.failed);
        }
        self.queue.fail_rest(self.most, &mut self.failed);
        self.chunks.clear();
    }
}
