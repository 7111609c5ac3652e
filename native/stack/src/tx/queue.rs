//! Messages: those to be sent, and those of which not all is acknowledged.

use std::collections::VecDeque;
use std::ops::Range;

use super::failed::{Failed, Reason};
use super::packet::size_of;
use crate::event::SendInfo;
use crate::types::{Ssn, Time};

/// A message of the user's. Its bytes are copied once, here; chunks are views of them.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) info: SendInfo,
    /// Given when it is first sent: one that expires before that leaves no hole in the stream.
    pub(super) ssn: Ssn,
    expires: Option<Time>,
    bytes: Box<[u8]>,
    /// How many of the bytes are in chunks.
    cut: usize,
    /// It was given up: `bytes` is empty.
    abandoned: bool,
}

impl Message {
    pub(super) fn has_expired(&self, now: Time) -> bool {
        self.expires.is_some_and(|time| time <= now)
    }

    /// All of it is in chunks.
    fn is_cut(&self) -> bool {
        self.abandoned || self.cut == self.bytes.len()
    }

    /// A fragment's bytes.
    pub(super) fn fragment(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// What is not in chunks yet, in fragments of `size` bytes.
    fn rest(&self, size: usize) -> impl Iterator<Item = Range<usize>> {
        let (cut, end) = (self.cut, self.bytes.len());
        let size = size.max(1);
        (cut..end).step_by(size).map(move |start| start..(start + size).min(end))
    }
}

/// A fragment that was just cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    /// Of the message, in [`Queue::sent`].
    pub(super) message: u32,
    pub(super) offset: usize,
    pub(super) len: usize,
    pub(super) beginning: bool,
    pub(super) end: bool,
}

/// The messages of an association, first come, first served.
#[derive(Debug, Default)]
pub(super) struct Queue {
    unsent: VecDeque<Message>,
    /// Of which a chunk was sent; the last one may not be cut up to its end yet. A message's
    /// fragments have TSNs in a row (6.9), so all others are.
    sent: VecDeque<Message>,
    /// The number of the first one in `sent`.
    first: u32,
    /// The next SSN of each stream that was used.
    ssns: Vec<Ssn>,
    /// Bytes that are not acknowledged, with [`Queue::OVERHEAD`] for each message.
    charged: usize,
    /// Bytes of chunks that the unsent messages make, at least.
    waiting: usize,
}

impl Queue {
    /// What a message takes of the buffer besides its bytes: about what it takes in memory, so that
    /// messages of one byte are bounded, too.
    pub(super) const OVERHEAD: usize = 128;

    pub(super) fn charged(&self) -> usize {
        self.charged
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unsent.is_empty() && self.sent.is_empty()
    }

    /// Bytes of chunks that wait to be sent; of a message that is under way: none.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Takes a message. Returns what it takes of the buffer.
    pub(super) fn push(&mut self, now: Time, info: SendInfo, bytes: &[u8]) -> usize {
        let charge = bytes.len() + Self::OVERHEAD;
        self.charged += charge;
        self.waiting += size_of(bytes.len());
        self.unsent.push_back(Message {
            info,
            ssn: Ssn(0),
            expires: info.lifetime.map(|lifetime| now + lifetime),
            bytes: bytes.into(),
            cut: 0,
            abandoned: false,
        });
        charge
    }

    /// The message that is being cut: its first chunks were sent, others were not.
    fn being_cut(&self) -> Option<&Message> {
        self.sent.back().filter(|message| !message.is_cut())
    }

    pub(super) fn is_cutting(&self) -> bool {
        self.being_cut().is_some()
    }

    /// The length of the fragment that comes next.
    pub(super) fn next_len(&self, most: usize) -> Option<usize> {
        let message = self.being_cut().or(self.unsent.front())?;
        Some((message.bytes.len() - message.cut).min(most))
    }

    /// When the next message expires, if it was not sent by then.
    pub(super) fn expiry(&self) -> Option<Time> {
        self.unsent.front()?.expires
    }

    /// Cuts off the next fragment.
    pub(super) fn cut(&mut self, most: usize) -> Option<Fragment> {
        if !self.is_cutting() {
            let mut message = self.unsent.pop_front()?;
            self.waiting -= size_of(message.bytes.len());
            message.ssn = self.take_ssn(&message.info);
            self.sent.push_back(message);
        }
        let id = self.first.wrapping_add(u32::try_from(self.sent.len() - 1).unwrap_or(u32::MAX));
        let message = self.sent.back_mut()?;
        let offset = message.cut;
        let len = (message.bytes.len() - offset).min(most);
        message.cut += len;
        Some(Fragment {
            message: id,
            offset,
            len,
            beginning: offset == 0,
            end: message.cut == message.bytes.len(),
        })
    }

    /// Section 6.5: unordered messages have none, so any does.
    fn take_ssn(&mut self, info: &SendInfo) -> Ssn {
        let stream = usize::from(info.stream);
        if self.ssns.len() <= stream {
            self.ssns.resize(stream + 1, Ssn(0));
        }
        let ssn = self.ssns[stream];
        if !info.unordered {
            self.ssns[stream] = ssn.next();
        }
        ssn
    }

    /// A message of which a chunk was sent.
    pub(super) fn sent(&self, message: u32) -> Option<&Message> {
        self.sent.get(self.index(message))
    }

    fn index(&self, message: u32) -> usize {
        usize::try_from(message.wrapping_sub(self.first)).unwrap_or(usize::MAX)
    }

    /// A chunk of `len` bytes is acknowledged. Chunks are acknowledged in order, so with its last
    /// chunk the first message is done. Returns what is free of the buffer.
    pub(super) fn acked(&mut self, len: usize, end: bool) -> usize {
        let mut freed = len;
        if end && self.sent.pop_front().is_some() {
            self.first = self.first.wrapping_add(1);
            freed += Self::OVERHEAD;
        }
        self.free(freed)
    }

    fn free(&mut self, bytes: usize) -> usize {
        self.charged = self.charged.saturating_sub(bytes);
        bytes
    }

    /// Gives up a message of which something was sent. `chunks` are its chunks that are not
    /// acknowledged. True: not all of it was in chunks.
    pub(super) fn abandon(
        &mut self,
        message: u32,
        chunks: impl Iterator<Item = Range<usize>>,
        most: usize,
        reason: Reason,
        failed: &mut VecDeque<Failed>,
    ) -> bool {
        let index = self.index(message);
        let Some(message) = self.sent.get_mut(index).filter(|message| !message.abandoned) else {
            return false;
        };
        let mut freed = 0;
        let sent = chunks.map(|range| (true, range));
        for (sent, range) in sent.chain(message.rest(most).map(|range| (false, range))) {
            freed += range.len();
            failed.push_back(message.failure(sent, range, reason));
        }
        let rest = !message.is_cut();
        message.bytes = Box::default();
        message.abandoned = true;
        self.free(freed);
        rest
    }

    /// Gives up the next message, if nothing of it was sent and its lifetime is over.
    pub(super) fn expire(&mut self, now: Time, most: usize, failed: &mut VecDeque<Failed>) -> bool {
        match self.unsent.front() {
            Some(message) if message.has_expired(now) => {
                let message = self.unsent.pop_front();
                message.into_iter().for_each(|message| {
                    self.drop_unsent(&message, most, Reason::Expired, failed);
                });
                true
            }
            _ => false,
        }
    }

    /// Gives up unsent messages of streams that are not there.
    pub(super) fn limit_streams(
        &mut self,
        streams: u16,
        most: usize,
        failed: &mut VecDeque<Failed>,
    ) {
        for message in std::mem::take(&mut self.unsent) {
            if message.info.stream < streams {
                self.unsent.push_back(message);
            } else {
                self.drop_unsent(&message, most, Reason::NoStream, failed);
            }
        }
    }

    /// The association is over: all that is not in chunks fails, and is forgotten with the rest.
    pub(super) fn fail_rest(&mut self, most: usize, failed: &mut VecDeque<Failed>) {
        if let Some(message) = self.being_cut() {
            let rest = message.rest(most);
            failed.extend(rest.map(|range| message.failure(false, range, Reason::Ended)));
        }
        for message in std::mem::take(&mut self.unsent) {
            self.drop_unsent(&message, most, Reason::Ended, failed);
        }
        self.first = self.first.wrapping_add(u32::try_from(self.sent.len()).unwrap_or(u32::MAX));
        self.sent.clear();
        self.charged = 0;
    }

    fn drop_unsent(
        &mut self,
        message: &Message,
        most: usize,
        reason: Reason,
        failed: &mut VecDeque<Failed>,
    ) {
        failed.extend(message.rest(most).map(|range| message.failure(false, range, reason)));
        self.waiting -= size_of(message.bytes.len());
        self.free(message.bytes.len() + Self::OVERHEAD);
    }
}

impl Message {
    fn failure(&self, sent: bool, range: Range<usize>, reason: Reason) -> Failed {
        Failed {
            sent,
            reason,
            info: self.info,
            beginning: range.start == 0,
            end: range.end == self.bytes.len(),
            bytes: self.fragment(range).to_vec(),
        }
    }
}
