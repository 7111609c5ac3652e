//! Messages that the kernel hands over in pieces.
//!
//! A read without `MSG_EOR` is a piece: the read buffer was too small, or the kernel delivers a
//! message of which not all has arrived (partial delivery, RFC 6458 section 6.1.7).

use std::collections::BTreeMap;

use crate::types::{AssocId, RcvInfo, flags};

/// What pieces of one message have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    assoc: AssocId,
    stream: u16,
    /// The number of an unordered message. Where messages are interleaved (RFC 8260), an unordered one
    /// may come between the parts of another on its stream; an ordered one ends the other.
    unordered: Option<u16>,
}

impl Key {
    /// Are both of unordered messages of the same stream?
    fn shares_unordered(&self, other: &Key) -> bool {
        let unordered = self.unordered.is_some() && other.unordered.is_some();
        unordered && (self.assoc, self.stream) == (other.assoc, other.stream)
    }
}

/// An unfinished message.
#[derive(Debug)]
struct Part {
    key: Key,
    /// What came with the first piece. Of interleaved messages the kernel says the payload protocol
    /// identifier with that one alone.
    info: Option<RcvInfo>,
    bytes: Vec<u8>,
    /// The rest is not wanted any more.
    too_long: bool,
}

impl Part {
    fn new(key: Key, info: Option<&RcvInfo>) -> Part {
        Part { key, info: info.copied(), bytes: Vec::new(), too_long: false }
    }

    /// Its number in the stream: what comes under another one is another message.
    fn ssn(&self) -> u16 {
        self.info.map_or(0, |info| info.ssn)
    }

    /// What it counts for in the bound on all: no less than so much, so that there are few.
    fn weight(&self) -> usize {
        if self.too_long { 0 } else { self.bytes.len().max(Reassembly::LEAST) }
    }

    /// Drops what has come of the message; gives whom to blame.
    fn give_up(&mut self) -> Added {
        self.bytes = Vec::new();
        self.too_long = true;
        Added::TooLong(self.key.assoc)
    }
}

/// What a piece makes together with those before it.
#[derive(Debug, PartialEq, Eq)]
pub enum Added {
    /// It was the last one. The message, and what came with its first piece.
    Whole(Vec<u8>, Option<RcvInfo>),
    /// More is to come.
    Partial,
    /// There is more of a message of this association than is allowed; or more than
    /// [`Reassembly::MAX`] of all, and this association has most of it, whichever the piece was for.
    /// Said once: what has come of that message is dropped, and so is the rest.
    TooLong(AssocId),
}

/// The pieces of unfinished messages: of each stream at most one ordered and two unordered ones.
///
/// A list, not a map: the kernel gives parts of one message of an association at a time, or where
/// messages are interleaved of one of a stream. So it rarely holds more than a few entries.
#[derive(Debug, Default)]
pub struct Reassembly {
    /// The oldest first.
    parts: Vec<Part>,
}

impl Reassembly {
    /// The longest message that is put together, in bytes. The peer decides how long a message is;
    /// senders are bound by their send buffer, which takes privileges to make so large.
    pub const MESSAGE_MAX: usize = 64 * 1024 * 1024;

    /// The most that is held of all messages together, in bytes. Messages of several associations,
    /// and interleaved ones, are under way at the same time; honest peers have far less of them.
    pub const MAX: usize = 2 * Self::MESSAGE_MAX;

    /// What the shortest message counts for in that.
    const LEAST: usize = 64 * 1024;

    /// The most unfinished messages, twice what has room in [`Reassembly::MAX`]: at least half of so
    /// many are given up.
    const PARTS: usize = 2 * (Self::MAX / Self::LEAST);

    /// The most unordered messages of a stream: one that the kernel delivers partially, and one that
    /// came in between and is larger than the read buffer. More of them only a peer makes that gives
    /// the parts of one message several numbers.
    const UNORDERED: usize = 2;

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.bytes.len()).sum()
    }

    /// Adds a piece of a message that may have `most` bytes, [`Reassembly::MESSAGE_MAX`] or less.
    ///
    /// `info` is what the kernel says with every piece, `None` only if it said nothing.
    pub fn add(&mut self, info: Option<&RcvInfo>, piece: &[u8], last: bool, most: usize) -> Added {
        let key = Key {
            assoc: info.map_or(AssocId(0), |info| info.assoc),
            stream: info.map_or(0, |info| info.stream),
            unordered: info.filter(|info| is_unordered(info)).map(|info| info.ssn),
        };
        let at = match self.parts.iter().position(|part| part.key == key) {
            Some(at) => at,
            None if last && piece.len() > most => return Added::TooLong(key.assoc),
            None if last => return Added::Whole(piece.to_vec(), info.copied()),
            None => {
                self.make_room(&key);
                self.parts.push(Part::new(key, info));
                self.parts.len() - 1
            }
        };
        let part = &mut self.parts[at];
        if part.ssn() != info.map_or(0, |info| info.ssn) {
            // The sender gave the earlier message up half way.
            *part = Part::new(key, info);
        }
        if !part.too_long {
            part.bytes.extend_from_slice(piece);
        }
        let added = match part.bytes.len() > most {
            true => part.give_up(),
            false => Added::Partial,
        };
        if last {
            let part = self.parts.remove(at);
            return if part.too_long { added } else { Added::Whole(part.bytes, part.info) };
        }
        // One that was just given up leaves less than there was before.
        if added == Added::Partial { self.keep_to_max() } else { added }
    }

    /// Drops the oldest where one more would be too many.
    fn make_room(&mut self, key: &Key) {
        let mut same = (0..self.parts.len()).filter(|at| self.parts[*at].key.shares_unordered(key));
        if let Some(oldest) = same.next()
            && same.count() + 1 >= Self::UNORDERED
        {
            self.parts.remove(oldest);
        }
        if self.parts.len() >= Self::PARTS
            && let Some(oldest) = self.parts.iter().position(|part| part.too_long)
        {
            self.parts.remove(oldest);
        }
    }

    /// Gives up messages of the association that has most, the longest first, if all are too much.
    /// It has no less than the last piece, so that its messages are enough.
    fn keep_to_max(&mut self) -> Added {
        let mut all = self.parts.iter().map(Part::weight).sum::<usize>();
        if all <= Self::MAX {
            return Added::Partial;
        }
        let assoc = self.heaviest();
        while all > Self::MAX {
            let held =
                self.parts.iter_mut().filter(|part| part.key.assoc == assoc && !part.too_long);
            let Some(longest) = held.max_by_key(|part| part.bytes.len()) else { break };
            all -= longest.weight();
            longest.give_up();
        }
        Added::TooLong(assoc)
    }

    /// The association whose unfinished messages count for most.
    fn heaviest(&self) -> AssocId {
        let mut weights = BTreeMap::new();
        for part in self.parts.iter().filter(|part| !part.too_long) {
            *weights.entry(part.key.assoc.0).or_insert(0) += part.weight();
        }
        let most = weights.into_iter().max_by_key(|(_, weight)| *weight);
        AssocId(most.map_or(0, |(assoc, _)| assoc))
    }

    /// Drops what has come of an association's unfinished messages: the rest never will.
    pub fn abandon(&mut self, assoc: AssocId) {
        self.parts.retain(|part| part.key.assoc != assoc);
    }

    /// Drops what has come of the message that a partial delivery event is about. Where messages are not
    /// interleaved it does not say which, and there is but one.
    pub fn abandon_message(&mut self, assoc: AssocId, stream: u32, unordered: bool) {
        let is_it = |part: &Part| {
            let Key { assoc: of, stream: on, unordered: number } = part.key;
            of == assoc && u32::from(on) == stream && number.is_some() == unordered
        };
        if self.parts.iter().any(is_it) {
            self.parts.retain(|part| !is_it(part));
        } else {
            self.abandon(assoc);
        }
    }

    /// Moves an association's pieces out, for the socket it is peeled off to.
    pub fn split_off(&mut self, assoc: AssocId) -> Reassembly {
        let (moved, kept) = self.parts.drain(..).partition(|part| part.key.assoc == assoc);
        self.parts = kept;
        Reassembly { parts: moved }
    }
}

fn is_unordered(info: &RcvInfo) -> bool {
    info.flags & flags::UNORDERED != 0
}

#[cfg(test)]
#[path = "reassembly_tests.rs"]
mod tests;
