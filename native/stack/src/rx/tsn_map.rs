//! Which TSNs have come (RFC 9260, sections 6.2 and 6.7).
//!
//! Inside, a chunk has a place: how many come before it since the association began. Places do not
//! wrap, so only this file knows of serial numbers.

use std::collections::VecDeque;

use crate::types::Tsn;
use crate::wire::Gap;

/// The cumulative TSN, and a bit for each TSN after it.
#[derive(Debug)]
pub(super) struct TsnMap {
    first: Tsn,
    /// The place of the first one that has not come.
    next: u64,
    /// 64 places each, the first word that in which `next` lies. The last one is not 0. What is
    /// before `next` in the first word is of no meaning.
    words: VecDeque<u64>,
}

/// What a TSN is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tidings {
    /// It has come before.
    Old,
    /// It has not.
    New(u64),
    /// So far ahead that we do not keep track of it.
    Far,
}

const WORD: u64 = 64;

impl TsnMap {
    /// TSNs that may have come after the first that has not. A SACK cannot speak of more than 65535;
    /// windows hold far less. It makes 2 KiB.
    pub(super) const MOST: u64 = 16_384;

    pub(super) fn new(first: Tsn) -> TsnMap {
        TsnMap { first, next: 0, words: VecDeque::new() }
    }

    /// The place of the first one that has not come.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The TSN of a place.
    pub(super) fn tsn(&self, place: u64) -> Tsn {
        // The low half says it all: TSNs wrap.
        let [.., a, b, c, d] = place.to_be_bytes();
        Tsn(self.first.0.wrapping_add(u32::from_be_bytes([a, b, c, d])))
    }

    pub(super) fn cumulative(&self) -> Tsn {
        self.tsn(self.next).previous()
    }

    /// The place of a TSN that is not before the cumulative one.
    pub(super) fn place(&self, tsn: Tsn) -> Option<u64> {
        let cumulative = self.cumulative();
        // Half a circle away is neither before nor after: far.
        (tsn > cumulative).then(|| self.next + u64::from(tsn.since(cumulative) - 1))
    }

    pub(super) fn look_up(&self, tsn: Tsn) -> Tidings {
        match self.place(tsn) {
            None if tsn <= self.cumulative() => Tidings::Old,
            Some(place) if self.has(place) => Tidings::Old,
            Some(place) if place - self.next < Self::MOST => Tidings::New(place),
            _ => Tidings::Far,
        }
    }

    /// One at `next` or after it has come.
    fn has(&self, place: u64) -> bool {
        let bit = 1 << (place % WORD);
        self.index(place).is_some_and(|index| self.words[index] & bit != 0)
    }

    /// The word of a place, if there is one.
    fn index(&self, place: u64) -> Option<usize> {
        let index = usize::try_from((place / WORD).checked_sub(self.next / WORD)?).ok()?;
        (index < self.words.len()).then_some(index)
    }

    /// One that is new has come.
    pub(super) fn insert(&mut self, place: u64) {
        if place == self.next && self.words.is_empty() {
            self.next += 1;
            return;
        }
        let Some(ahead) = place.checked_sub(self.next).filter(|ahead| *ahead < Self::MOST) else {
            return;
        };
        if ahead == 0 {
            return self.advance(place + 1);
        }
        while self.index(place).is_none() {
            self.words.push_back(0);
        }
        if let Some(index) = self.index(place) {
            self.words[index] |= 1 << (place % WORD);
        }
    }

    /// All before `next` have come, or count as if they had; so do those that follow and have come.
    pub(super) fn advance(&mut self, next: u64) {
        let next = self.first_missing(next.max(self.next));
        let passed = usize::try_from(next / WORD - self.next / WORD).unwrap_or(usize::MAX);
        self.words.drain(..passed.min(self.words.len()));
        self.next = next;
        self.trim();
    }

    /// One after `next` is dropped: it has not come (6.2).
    pub(super) fn remove(&mut self, place: u64) {
        if let Some(index) = self.index(place).filter(|_| place > self.next) {
            self.words[index] &= !(1 << (place % WORD));
            self.trim();
        }
    }

    /// Drops words at the end that say nothing.
    fn trim(&mut self) {
        while let Some(last) = self.words.back() {
            let meant = if self.words.len() == 1 { !0 << (self.next % WORD) } else { !0 };
            if last & meant != 0 {
                break;
            }
            self.words.pop_back();
        }
    }

    /// Some have come after one that has not.
    pub(super) fn has_gaps(&self) -> bool {
        !self.words.is_empty()
    }

    /// The place after the highest that has come.
    pub(super) fn end(&self) -> u64 {
        match (self.words.back(), u64::try_from(self.words.len())) {
            (Some(last), Ok(len)) => {
                (self.next / WORD + len) * WORD - u64::from(last.leading_zeros())
            }
            _ => self.next,
        }
    }

    /// The first one from `from` that has not come.
    fn first_missing(&self, from: u64) -> u64 {
        self.search(from, |word| !word).unwrap_or(from.max(self.end()))
    }

    /// The first one from `from` that has.
    fn first_present(&self, from: u64) -> Option<u64> {
        self.search(from, |word| word)
    }

    /// The first place from `from` whose bit is set in what `of` makes of the words there are.
    fn search(&self, from: u64, of: impl Fn(u64) -> u64) -> Option<u64> {
        let start = self.index(from)?;
        let mut masked = !0 << (from % WORD);
        let base = self.next / WORD;
        for (index, word) in self.words.iter().enumerate().skip(start) {
            let found = of(*word) & masked;
            if found != 0 {
                let index = u64::try_from(index).ok()?;
                return Some((base + index) * WORD + u64::from(found.trailing_zeros()));
            }
            masked = !0;
        }
        None
    }

    /// The gap ack blocks, lowest first (3.3.4).
    pub(super) fn gaps(&self) -> impl Iterator<Item = Gap> {
        let mut from = self.next;
        std::iter::from_fn(move || {
            let start = self.first_present(from)?;
            let end = self.first_missing(start);
            from = end;
            // The cumulative TSN is the one before `next`.
            let offset = |place: u64| u16::try_from(place - self.next + 1).ok();
            Some(Gap { start: offset(start)?, end: offset(end - 1)? })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A map of TSNs that begin with 100, after these have come.
    fn map(tsns: &[u32]) -> TsnMap {
        let mut map = TsnMap::new(Tsn(100));
        for tsn in tsns {
            match map.look_up(Tsn(*tsn)) {
                Tidings::New(place) => map.insert(place),
                other => panic!("{tsn} is {other:?}"),
            }
        }
        map
    }

    fn gaps(map: &TsnMap) -> Vec<(u16, u16)> {
        map.gaps().map(|gap| (gap.start, gap.end)).collect()
    }

    #[test]
    fn the_cumulative_tsn_and_the_gaps() {
        // what has come -> cumulative TSN, gaps: 6.7, 3.3.4
        for (tsns, cumulative, blocks) in [
            (&[][..], 99, &[][..]),
            (&[100, 101], 101, &[]),
            (&[101], 99, &[(2, 2)]),
            (&[100, 102, 103, 105], 100, &[(2, 3), (5, 5)]),
            (&[102, 103, 105, 100], 100, &[(2, 3), (5, 5)]),
            (&[102, 101, 100], 102, &[]),
            (&[101, 103, 100], 101, &[(2, 2)]),
            (&[300, 200, 163, 164], 99, &[(64, 65), (101, 101), (201, 201)]),
        ] {
            let map = map(tsns);
            assert_eq!(map.cumulative(), Tsn(cumulative), "{tsns:?}");
            assert_eq!(gaps(&map), blocks, "{tsns:?}");
            assert_eq!(map.has_gaps(), !blocks.is_empty(), "{tsns:?}");
        }
    }

    #[test]
    fn what_is_old_and_what_is_far() {
        let map = map(&[100, 101, 105]);
        let far = 102 + 16_384;
        for (tsn, tidings) in [
            (101, Tidings::Old),
            (99, Tidings::Old),
            (u32::MAX, Tidings::Old),
            (105, Tidings::Old),
            (102, Tidings::New(2)),
            (106, Tidings::New(6)),
            (far - 1, Tidings::New(16_385)),
            (far, Tidings::Far),
            (101 + 0x8000_0000, Tidings::Far),
            (102 + 0x8000_0000, Tidings::Old),
        ] {
            assert_eq!(map.look_up(Tsn(tsn)), tidings, "{tsn}");
        }
    }

    #[test]
    fn tsns_wrap() {
        let mut map = TsnMap::new(Tsn(u32::MAX - 1));
        for (tsn, place) in [(u32::MAX - 1, 0), (0, 2), (1, 3)] {
            assert_eq!(map.look_up(Tsn(tsn)), Tidings::New(place));
            map.insert(place);
        }
        assert_eq!(gaps(&map), [(2, 3)]);
        map.insert(1);
        assert_eq!(map.cumulative(), Tsn(1));
    }

    #[test]
    fn far_ahead_takes_no_more_than_its_bits() {
        let mut map = map(&[]);
        map.insert(TsnMap::MOST - 1);
        map.insert(TsnMap::MOST);
        map.insert(u64::MAX);
        assert_eq!(map.words.len(), 256);
        assert_eq!(map.end(), TsnMap::MOST);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64),
        Remove(u64),
        Advance(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            6 => (0..200_u64).prop_map(Step::Insert),
            1 => (0..200_u64).prop_map(Step::Remove),
            1 => (0..200_u64).prop_map(Step::Advance),
        ];
        proptest::collection::vec(step, 0..100)
    }

    proptest! {
        /// The map says what a set says.
        #[test]
        fn is_a_set(first: u32, steps in steps()) {
            let mut map = TsnMap::new(Tsn(first));
            let (mut next, mut set) = (0, BTreeSet::new());
            for step in steps {
                match step {
                    Step::Insert(place) => {
                        let tsn = map.tsn(place);
                        let old = place < next || set.contains(&place);
                        prop_assert_eq!(map.look_up(tsn) == Tidings::Old, old);
                        if !old {
                            set.insert(place);
                            map.insert(place);
                        }
                    }
                    Step::Remove(place) => {
                        if place > next {
                            set.remove(&place);
                            map.remove(place);
                        }
                    }
                    Step::Advance(to) => {
                        next = next.max(to);
                        map.advance(to);
                    }
                }
                while set.contains(&next) {
                    next += 1;
                }
                set = set.split_off(&next);
                prop_assert_eq!(map.next(), next);
                prop_assert_eq!(map.cumulative(), Tsn(first.wrapping_add(next as u32)).previous());
                prop_assert_eq!(map.end(), set.last().map_or(next, |last| last + 1));
                let present: Vec<u64> = map
                    .gaps()
                    .flat_map(|gap| gap.start..=gap.end)
                    .map(|offset| next + u64::from(offset) - 1)
                    .collect();
                prop_assert_eq!(present, Vec::from_iter(set.iter().copied()));
            }
        }
    }
}
