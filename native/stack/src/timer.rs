//! Deadlines, soonest first.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use crate::types::Time;

/// At most one deadline for each `K`.
#[derive(Debug)]
pub(crate) struct Deadlines<K> {
    sorted: BTreeSet<(Time, K)>,
    of: HashMap<K, Time>,
}

impl<K: Copy + Ord + Hash> Deadlines<K> {
    pub(crate) fn new() -> Deadlines<K> {
        Deadlines { sorted: BTreeSet::new(), of: HashMap::new() }
    }

    /// Sets the deadline of `key`; None: it has none.
    pub(crate) fn set(&mut self, key: K, deadline: Option<Time>) {
        let before = match deadline {
            Some(time) => self.of.insert(key, time),
            None => self.of.remove(&key),
        };
        if before == deadline {
            return;
        }
        if let Some(time) = before {
            self.sorted.remove(&(time, key));
        }
        if let Some(time) = deadline {
            self.sorted.insert((time, key));
        }
    }

    /// The soonest deadline.
    pub(crate) fn first(&self) -> Option<Time> {
        self.sorted.first().map(|(time, _)| *time)
    }

    /// Takes one whose deadline has come.
    pub(crate) fn take_due(&mut self, now: Time) -> Option<K> {
        let (time, key) = *self.sorted.first()?;
        if time > now {
            return None;
        }
        self.sorted.pop_first();
        self.of.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soonest_comes_first_and_only_when_it_is_due() {
        let mut deadlines = Deadlines::new();
        deadlines.set(1, Some(Time(30)));
        deadlines.set(2, Some(Time(10)));
        deadlines.set(3, Some(Time(20)));
        assert_eq!(deadlines.first(), Some(Time(10)));
        assert_eq!(deadlines.take_due(Time(9)), None);
        assert_eq!(deadlines.take_due(Time(25)), Some(2));
        assert_eq!(deadlines.take_due(Time(25)), Some(3));
        assert_eq!(deadlines.take_due(Time(25)), None);
        assert_eq!(deadlines.first(), Some(Time(30)));
    }

    #[test]
    fn a_deadline_set_anew_replaces_the_old_one() {
        let mut deadlines = Deadlines::new();
        deadlines.set('a', Some(Time(10)));
        deadlines.set('a', Some(Time(20)));
        assert_eq!(deadlines.take_due(Time(15)), None);
        deadlines.set('a', None);
        assert_eq!(deadlines.first(), None);
        assert_eq!(deadlines.take_due(Time(100)), None);
    }
}
