//! Messages that the kernel hands over in pieces.
//!
//! A read without `MSG_EOR` is a piece: the read buffer was too small, or the kernel delivers a
//! message of which not all has arrived (partial delivery, RFC 6458 section 6.1.7).

use crate::types::{AssocId, RcvInfo, flags};

/// What pieces of one message have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    assoc: AssocId,
    stream: u16,
    unordered: bool,
}

/// An unfinished message.
#[derive(Debug)]
struct Part {
    key: Key,
    /// Of ordered messages: what comes under another number is another message.
    ssn: u16,
    bytes: Vec<u8>,
    /// The rest is not wanted any more.
    too_long: bool,
}

impl Part {
    fn new(key: Key, ssn: u16) -> Part {
        Part { key, ssn, bytes: Vec::new(), too_long: false }
    }

    /// What it counts for in the bound on all: no less than so much, so that there are few.
    fn weight(&self) -> usize {
        self.bytes.len().max(64 * 1024)
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
    /// It was the last one.
    Whole(Vec<u8>),
    /// More is to come.
    Partial,
    /// There is more of a message of this association than [`Reassembly::MESSAGE_MAX`]; or more than
    /// [`Reassembly::MAX`] of all, and most of it is of a message of this one, whichever the piece
    /// was for. Said once: what has come of that message is dropped, and so is the rest.
    TooLong(AssocId),
}

/// The pieces of unfinished messages, at most one for a stream's ordered and unordered data.
///
/// A list, not a map: the kernel does not interleave messages of one association (RFC 8260 is
/// off), so it rarely holds more than one entry.
#[derive(Debug, Default)]
pub struct Reassembly {
    parts: Vec<Part>,
}

impl Reassembly {
    /// The longest message that is put together, in bytes. The peer decides how long a message is;
    /// senders are bound by their send buffer, which takes privileges to make so large.
    pub const MESSAGE_MAX: usize = 64 * 1024 * 1024;

    /// The most that is held of all messages together, in bytes. The kernel hands over one message
    /// of a socket after the other, so this is more than enough; but what is held should not depend
    /// on how it does that.
    pub const MAX: usize = 2 * Self::MESSAGE_MAX;

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.bytes.len()).sum()
    }

    /// Adds a piece.
    ///
    /// `info` is what the kernel says with every piece, `None` only if it said nothing.
    pub fn add(&mut self, info: Option<&RcvInfo>, piece: &[u8], last: bool) -> Added {
        let key = Key {
            assoc: info.map_or(AssocId(0), |info| info.assoc),
            stream: info.map_or(0, |info| info.stream),
            unordered: info.is_some_and(|info| info.flags & flags::UNORDERED != 0),
        };
        let ssn = info.map_or(0, |info| info.ssn);
        let at = self.parts.iter().position(|part| part.key == key).unwrap_or_else(|| {
            self.parts.push(Part::new(key, ssn));
            self.parts.len() - 1
        });
        let part = &mut self.parts[at];
        if part.ssn != ssn {
            // The sender gave the earlier message up half way.
            *part = Part::new(key, ssn);
        }
        if !part.too_long {
            part.bytes.extend_from_slice(piece);
        }
        let added = match part.bytes.len() > Self::MESSAGE_MAX {
            true => part.give_up(),
            false => Added::Partial,
        };
        if last {
            let part = self.parts.swap_remove(at);
            return if part.too_long { added } else { Added::Whole(part.bytes) };
        }
        if self.parts.iter().map(Part::weight).sum::<usize>() > Self::MAX {
            let held = self.parts.iter_mut().filter(|part| !part.too_long);
            return held.max_by_key(|part| part.bytes.len()).map_or(added, Part::give_up);
        }
        added
    }

    /// Drops what has come of an association's unfinished messages: the rest never will.
    pub fn abandon(&mut self, assoc: AssocId) {
        self.parts.retain(|part| part.key.assoc != assoc);
    }

    /// Moves an association's pieces out, for the socket it is peeled off to.
    pub fn split_off(&mut self, assoc: AssocId) -> Reassembly {
        let (moved, kept) = self.parts.drain(..).partition(|part| part.key.assoc == assoc);
        self.parts = kept;
        Reassembly { parts: moved }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(assoc: i32, stream: u16, unordered: bool) -> RcvInfo {
        RcvInfo { assoc: AssocId(assoc), stream, flags: u16::from(unordered), ..RcvInfo::default() }
    }

    #[test]
    fn pieces_of_several_associations_do_not_mix() {
        let mut pieces = Reassembly::default();
        let (a, b, c) = (info(3, 0, false), info(4, 0, false), info(3, 0, true));
        assert_eq!(pieces.add(Some(&a), b"a1", false), Added::Partial);
        assert_eq!(pieces.add(Some(&b), b"b1", false), Added::Partial);
        assert_eq!(pieces.add(Some(&c), b"c1", false), Added::Partial);
        assert_eq!(pieces.bytes(), 6);
        assert_eq!(pieces.add(Some(&a), b"a2", true), Added::Whole(b"a1a2".to_vec()));
        assert_eq!(pieces.add(Some(&c), b"c2", true), Added::Whole(b"c1c2".to_vec()));
        assert_eq!(pieces.add(Some(&b), b"b2", true), Added::Whole(b"b1b2".to_vec()));
        assert!(pieces.is_empty());
    }

    #[test]
    fn abandoned_pieces_are_gone() {
        let mut pieces = Reassembly::default();
        let a = info(3, 1, false);
        pieces.add(Some(&a), b"head", false);
        pieces.add(Some(&info(4, 1, false)), b"other", false);
        pieces.abandon(AssocId(3));
        assert_eq!(pieces.add(Some(&a), b"new", true), Added::Whole(b"new".to_vec()));
        assert_eq!(pieces.bytes(), 5);
    }

    #[test]
    fn a_peeled_off_association_takes_its_pieces() {
        let mut pieces = Reassembly::default();
        pieces.add(Some(&info(3, 0, false)), b"x", false);
        pieces.add(Some(&info(4, 0, false)), b"y", false);
        let mut moved = pieces.split_off(AssocId(3));
        assert_eq!(moved.add(Some(&info(3, 0, false)), b"z", true), Added::Whole(b"xz".to_vec()));
        assert_eq!(pieces.bytes(), 1);
    }

    #[test]
    fn another_number_is_another_message() {
        let mut pieces = Reassembly::default();
        let first = RcvInfo { ssn: 7, ..info(3, 0, false) };
        let second = RcvInfo { ssn: 8, ..first };
        assert_eq!(pieces.add(Some(&first), b"given up", false), Added::Partial);
        assert_eq!(pieces.add(Some(&second), b"ne", false), Added::Partial);
        assert_eq!(pieces.add(Some(&second), b"xt", true), Added::Whole(b"next".to_vec()));
        assert!(pieces.is_empty());
    }

    #[test]
    fn a_message_without_end_is_dropped() {
        let mut pieces = Reassembly::default();
        let (a, b) = (info(3, 0, false), info(4, 0, false));
        let half = vec![1; Reassembly::MESSAGE_MAX / 2];
        assert_eq!(pieces.add(Some(&b), b"an", false), Added::Partial);
        assert_eq!(pieces.add(Some(&a), &half, false), Added::Partial);
        assert_eq!(pieces.add(Some(&a), &half, false), Added::Partial, "just as much as allowed");
        assert_eq!(pieces.add(Some(&a), b"!", false), Added::TooLong(AssocId(3)));
        assert_eq!(pieces.bytes(), 2);
        assert_eq!(pieces.add(Some(&a), &half, false), Added::Partial);
        assert_eq!(pieces.add(Some(&a), b"end", true), Added::Partial);
        assert_eq!(pieces.add(Some(&a), b"new", true), Added::Whole(b"new".to_vec()));
        assert_eq!(pieces.add(Some(&b), b"other", true), Added::Whole(b"another".to_vec()));
        assert!(pieces.is_empty());
    }

    #[test]
    fn the_longest_of_too_many_is_dropped() {
        let mut pieces = Reassembly::default();
        let (long, longer) = (info(3, 0, false), info(4, 0, false));
        let half = vec![1; Reassembly::MAX / 2 - 1];
        assert_eq!(pieces.add(Some(&longer), &half, false), Added::Partial);
        assert_eq!(pieces.add(Some(&long), &half[1..], false), Added::Partial);
        let (a, b) = (info(5, 0, false), info(5, 1, false));
        assert_eq!(pieces.add(Some(&a), b"be", false), Added::TooLong(AssocId(4)));
        assert_eq!(pieces.bytes(), half.len() + 1);
        assert_eq!(pieces.add(Some(&b), b"an", false), Added::Partial, "room again");
        assert_eq!(pieces.add(Some(&longer), b"more", true), Added::Partial, "not wanted any more");
        assert_eq!(pieces.add(Some(&long), b"!", true), Added::Whole([&half[1..], b"!"].concat()));
        assert_eq!(pieces.add(Some(&a), b"gun", true), Added::Whole(b"begun".to_vec()));
        assert_eq!(pieces.add(Some(&b), b"other", true), Added::Whole(b"another".to_vec()));
        assert!(pieces.is_empty());
    }

    #[test]
    fn many_short_ones_are_too_many() {
        let mut pieces = Reassembly::default();
        let begun = (0..10_000).take_while(|assoc| {
            pieces.add(Some(&info(*assoc, 0, false)), b"x", false) == Added::Partial
        });
        assert_eq!(begun.count(), 2048);
        // One given up is remembered as long as its association: a piece of it comes to nothing.
        assert_eq!(pieces.bytes(), 2048);
    }
}
