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

/// The pieces of unfinished messages, at most one for a stream's ordered and unordered data.
///
/// A list, not a map: the kernel does not interleave messages of one association (RFC 8260 is
/// off), so it rarely holds more than one entry.
#[derive(Debug, Default)]
pub struct Reassembly {
    parts: Vec<(Key, Vec<u8>)>,
}

impl Reassembly {
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Adds a piece; gives the whole message if it was the last one.
    ///
    /// `info` is what the kernel says with every piece, `None` only if it said nothing.
    pub fn add(&mut self, info: Option<&RcvInfo>, piece: &[u8], last: bool) -> Option<Vec<u8>> {
        let key = Key {
            assoc: info.map_or(AssocId(0), |info| info.assoc),
            stream: info.map_or(0, |info| info.stream),
            unordered: info.is_some_and(|info| info.flags & flags::UNORDERED != 0),
        };
        match self.parts.iter().position(|(k, _)| *k == key) {
            Some(at) => {
                self.parts[at].1.extend_from_slice(piece);
                last.then(|| self.parts.swap_remove(at).1)
            }
            None if last => Some(piece.to_vec()),
            None => {
                self.parts.push((key, piece.to_vec()));
                None
            }
        }
    }

    /// Drops what has come of an association's unfinished messages: the rest never will.
    pub fn abandon(&mut self, assoc: AssocId) {
        self.parts.retain(|(key, _)| key.assoc != assoc);
    }

    /// Moves an association's pieces out, for the socket it is peeled off to.
    pub fn split_off(&mut self, assoc: AssocId) -> Reassembly {
        let (moved, kept) = self.parts.drain(..).partition(|(key, _)| key.assoc == assoc);
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
        assert_eq!(pieces.add(Some(&a), b"a1", false), None);
        assert_eq!(pieces.add(Some(&b), b"b1", false), None);
        assert_eq!(pieces.add(Some(&c), b"c1", false), None);
        assert_eq!(pieces.bytes(), 6);
        assert_eq!(pieces.add(Some(&a), b"a2", true), Some(b"a1a2".to_vec()));
        assert_eq!(pieces.add(Some(&c), b"c2", true), Some(b"c1c2".to_vec()));
        assert_eq!(pieces.add(Some(&b), b"b2", true), Some(b"b1b2".to_vec()));
        assert!(pieces.is_empty());
    }

    #[test]
    fn abandoned_pieces_are_gone() {
        let mut pieces = Reassembly::default();
        let a = info(3, 1, false);
        pieces.add(Some(&a), b"head", false);
        pieces.add(Some(&info(4, 1, false)), b"other", false);
        pieces.abandon(AssocId(3));
        assert_eq!(pieces.add(Some(&a), b"new", true), Some(b"new".to_vec()));
        assert_eq!(pieces.bytes(), 5);
    }

    #[test]
    fn a_peeled_off_association_takes_its_pieces() {
        let mut pieces = Reassembly::default();
        pieces.add(Some(&info(3, 0, false)), b"x", false);
        pieces.add(Some(&info(4, 0, false)), b"y", false);
        let mut moved = pieces.split_off(AssocId(3));
        assert_eq!(moved.add(Some(&info(3, 0, false)), b"z", true), Some(b"xz".to_vec()));
        assert_eq!(pieces.bytes(), 1);
    }
}
