//! The order of messages in each stream (RFC 9260, sections 6.5 and 6.6).

use std::collections::BTreeMap;

use crate::types::{Ssn, StreamId};
use crate::violation::Violation;

/// Which message comes next in each stream, and which ones came too early.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The SSNs that come next, of streams up to the highest that was used.
    next: Vec<Ssn>,
    /// Whole messages that wait for those before them: their places.
    waiting: BTreeMap<(StreamId, u16), u64>,
}

impl Order {
    fn next(&self, stream: StreamId) -> Ssn {
        self.next.get(usize::from(stream)).copied().unwrap_or_default()
    }

    fn set_next(&mut self, stream: StreamId, ssn: Ssn) {
        let index = usize::from(stream);
        if self.next.len() <= index {
            self.next.resize(index + 1, Ssn(0));
        }
        self.next[index] = ssn;
    }

    /// It is the message's turn.
    pub(super) fn is_next(&self, stream: StreamId, ssn: Ssn) -> bool {
        ssn == self.next(stream)
    }

    /// A whole message at `place`. True: it is its turn. False: it waits.
    pub(super) fn offer(
        &mut self,
        stream: StreamId,
        ssn: Ssn,
        place: u64,
    ) -> Result<bool, Violation> {
        if self.is_next(stream, ssn) {
            return Ok(true);
        }
        // Numbers that are in use come again only after half of all others.
        if ssn < self.next(stream) || self.waiting.insert((stream, ssn.0), place).is_some() {
            return Err(Violation("uses a stream sequence number twice"));
        }
        Ok(false)
    }

    /// The message whose turn it was is delivered. The place of the next one, if it is there.
    pub(super) fn delivered(&mut self, stream: StreamId) -> Option<u64> {
        let ssn = self.next(stream).next();
        self.set_next(stream, ssn);
        self.take_next(stream)
    }

    /// The place of the message whose turn it is.
    pub(super) fn take_next(&mut self, stream: StreamId) -> Option<u64> {
        self.waiting.remove(&(stream, self.next(stream).0))
    }

    /// A message that waits was dropped: it will come again.
    pub(super) fn forget(&mut self, stream: StreamId, ssn: Ssn) {
        self.waiting.remove(&(stream, ssn.0));
    }

    /// The sender has given up messages up to `ssn` (RFC 3758, section 3.6). The places of those that
    /// came all the same, in order; ask `take_next` after them.
    pub(super) fn skip(&mut self, stream: StreamId, ssn: Ssn) -> Vec<u64> {
        let next = self.next(stream);
        if ssn < next {
            return Vec::new();
        }
        let ranges = if next.0 <= ssn.0 {
            vec![next.0..=ssn.0]
        } else {
            // The numbers wrap in between.
            vec![next.0..=u16::MAX, 0..=ssn.0]
        };
        let mut found = Vec::new();
        for range in ranges {
            let (from, to) = range.into_inner();
            let keys: Vec<_> =
                self.waiting.range((stream, from)..=(stream, to)).map(|(key, _)| *key).collect();
            found.extend(keys.iter().filter_map(|key| self.waiting.remove(key)));
        }
        self.set_next(stream, ssn.next());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stream 3 at `next`, with messages that wait; each one's place is 1000 more than its number.
    fn order(next: u16, waiting: &[u16]) -> Order {
        let mut order = Order::default();
        order.set_next(3, Ssn(next));
        for ssn in waiting {
            assert_eq!(order.offer(3, Ssn(*ssn), 1000 + u64::from(*ssn)), Ok(false));
        }
        order
    }

    #[test]
    fn messages_wait_for_those_before_them() {
        let mut order = order(0, &[1, 2, 4]);
        assert_eq!(order.offer(3, Ssn(0), 7), Ok(true));
        assert_eq!(order.delivered(3), Some(1001));
        assert_eq!(order.delivered(3), Some(1002));
        assert_eq!(order.delivered(3), None);
        assert!(order.is_next(3, Ssn(3)) && order.is_next(4, Ssn(0)));
    }

    #[test]
    fn numbers_wrap() {
        let mut order = order(65_535, &[0, 1]);
        assert_eq!(order.delivered(3), Some(1000));
        assert_eq!(order.delivered(3), Some(1001));
    }

    #[test]
    fn no_number_is_used_twice() {
        let mut order = order(5, &[7]);
        for ssn in [7, 4, 0, 40_000] {
            assert!(order.offer(3, Ssn(ssn), 0).is_err(), "{ssn}");
        }
        order.forget(3, Ssn(7));
        assert_eq!(order.offer(3, Ssn(7), 0), Ok(false), "it was dropped in between");
    }

    #[test]
    fn skipping() {
        // (next, waiting, up to) -> what came all the same, what is next then: RFC 3758, 3.6
        for (next, waiting, ssn, found, after) in [
            (0, &[2, 5, 6][..], 5, &[1002, 1005][..], 6),
            (0, &[2], 0, &[], 1),
            (5, &[7], 4, &[], 5),
            (65_534, &[65_535, 1, 3], 1, &[66_535, 1001], 2),
            (65_534, &[], 65_535, &[], 0),
        ] {
            let mut order = order(next, waiting);
            assert_eq!(order.skip(3, Ssn(ssn)), found, "{next} {waiting:?} {ssn}");
            assert!(order.is_next(3, Ssn(after)), "{next} {waiting:?} {ssn}");
        }
    }

    #[test]
    fn a_stream_that_is_not_used_takes_nothing() {
        let order = order(1, &[]);
        assert_eq!(order.next.len(), 4);
        assert!(order.is_next(65_535, Ssn(0)));
    }
}
