//! What is given up (RFC 3758).

use std::collections::BTreeMap;

use crate::types::{Ssn, StreamId, Tsn};
use crate::wire::Skipped;

/// A FORWARD TSN in the making: chunks are given up in the order of their TSNs.
#[derive(Debug)]
pub(crate) struct Forward {
    cumulative: Tsn,
    skipped: BTreeMap<StreamId, Ssn>,
    /// How many streams there is room for.
    streams: usize,
}

impl Forward {
    /// Bytes of the chunk without streams.
    const SIZE: usize = 8;
    /// Bytes of each stream.
    const STREAM_SIZE: usize = 4;

    /// `cumulative`: what the peer has acknowledged. None: it does not fit into `room` bytes.
    pub(crate) fn new(cumulative: Tsn, room: usize) -> Option<Forward> {
        let streams = room.checked_sub(Self::SIZE)? / Self::STREAM_SIZE;
        Some(Forward { cumulative, skipped: BTreeMap::new(), streams })
    }

    /// The next TSN is given up. `message`: of an ordered one, its stream and number. False: there
    /// is no room for one more stream, so it ends before this TSN (3.5, F1: all streams are named).
    pub(crate) fn add(&mut self, message: Option<(StreamId, Ssn)>) -> bool {
        if let Some((stream, ssn)) = message {
            if !self.skipped.contains_key(&stream) && self.skipped.len() == self.streams {
                return false;
            }
            // Of a stream the last one counts (3.2).
            self.skipped.insert(stream, ssn);
        }
        self.cumulative = self.cumulative.next();
        true
    }

    /// The new cumulative TSN, and the streams of which messages are skipped.
    pub(crate) fn finish(self) -> (Tsn, Vec<Skipped>) {
        let skipped = self.skipped.into_iter().map(|(stream, ssn)| Skipped { stream, ssn });
        (self.cumulative, skipped.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stream_is_named_once_with_its_last_message() {
        let mut forward = Forward::new(Tsn(u32::MAX), 100).unwrap();
        for message in [Some((3, Ssn(7))), None, Some((1, Ssn(0))), Some((3, Ssn(8)))] {
            assert!(forward.add(message));
        }
        let (cumulative, skipped) = forward.finish();
        assert_eq!(cumulative, Tsn(3));
        assert_eq!(
            skipped,
            [Skipped { stream: 1, ssn: Ssn(0) }, Skipped { stream: 3, ssn: Ssn(8) }]
        );
    }

    #[test]
    fn it_ends_where_the_room_ends() {
        // (room) -> chunks of streams 1, 1, 2, 3 that fit
        for (room, fit) in [(8, 0), (11, 0), (12, 2), (16, 3), (20, 4)] {
            let mut forward = Forward::new(Tsn(0), room).unwrap();
            let added = [1, 1, 2, 3].into_iter().take_while(|s| forward.add(Some((*s, Ssn(0)))));
            assert_eq!(added.count(), fit, "{room}");
            assert_eq!(forward.finish().0, Tsn(fit as u32));
        }
        assert!(Forward::new(Tsn(0), 7).is_none());
    }
}
