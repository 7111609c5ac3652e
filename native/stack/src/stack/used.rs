//! Cookies that were used up.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::SocketAddr;

use crate::types::Time;

/// Tags that are in cookies of ours which are still valid, and whose association has ended. A COOKIE
/// ECHO that comes late a second time would make a second association of it: one that delivers once
/// more what was in its packet, and takes what is left of the first one for its own. Where both ends
/// began, there may be a second cookie for the same tag of the peer, with another one of ours; the
/// peer MUST take another tag for its next association (section 5.3.1).
#[derive(Debug)]
pub(super) struct UsedTags<T> {
    tags: HashMap<T, Past>,
    order: VecDeque<(Time, T)>,
}

/// A tag that the peer chose: our SCTP port, the peer's address and SCTP port, and the tag.
pub(super) type PeerTag = (u16, SocketAddr, u32);

/// What became of the association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// It was up. Its peer may still wait for the last packet of a graceful end: it is not disturbed.
    Up,
    /// It was given up before. Its peer need not go on asking.
    NeverUp,
}

/// More are forgotten, the oldest first.
const MOST: usize = 16_384;

impl<T> Default for UsedTags<T> {
    fn default() -> UsedTags<T> {
        UsedTags { tags: HashMap::new(), order: VecDeque::new() }
    }
}

impl<T: Copy + Eq + Hash> UsedTags<T> {
    /// An association has ended; cookies with its tag are valid until then.
    pub(super) fn insert(&mut self, now: Time, tag: T, until: Time, past: Past) {
        self.forget(now);
        if until > now && self.tags.insert(tag, past).is_none() {
            self.order.push_back((until, tag));
        }
    }

    pub(super) fn get(&self, tag: T) -> Option<Past> {
        self.tags.get(&tag).copied()
    }

    fn forget(&mut self, now: Time) {
        while let Some((until, tag)) = self.order.front().copied()
            && (until <= now || self.order.len() >= MOST)
        {
            self.order.pop_front();
            self.tags.remove(&tag);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_while_its_cookie_is_valid() {
        let mut used = UsedTags::default();
        used.insert(Time(0), 1, Time(10), Past::Up);
        used.insert(Time(0), 2, Time(0), Past::Up);
        assert_eq!(used.get(1), Some(Past::Up));
        assert_eq!(used.get(2), None);
        used.insert(Time(10), 3, Time(20), Past::NeverUp);
        assert_eq!(used.get(1), None);
        assert_eq!(used.get(3), Some(Past::NeverUp));
    }

    #[test]
    fn there_is_a_bound() {
        let mut used = UsedTags::default();
        for tag in 0..100_000 {
            used.insert(Time(0), tag, Time(10), Past::Up);
        }
        assert!(used.tags.len() <= MOST && used.order.len() <= MOST);
        assert_eq!(used.get(99_999), Some(Past::Up));
        assert_eq!(used.get(0), None);
    }
}
