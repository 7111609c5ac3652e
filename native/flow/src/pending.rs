//! What is under way, and who waits until it is over.

use std::collections::BTreeMap;

/// Things under way, numbered as they begin, each with those who wait for it and for all before it.
#[derive(Debug)]
pub struct Pending<W>(BTreeMap<u64, Vec<W>>);

impl<W> Pending<W> {
    /// Nothing is under way.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Begins something: the number that ends it.
    pub fn begin(&mut self) -> u64 {
        let number = self.0.last_key_value().map_or(0, |(last, _)| last + 1);
        self.0.insert(number, Vec::new());
        number
    }

    /// Has somebody wait for all that has begun; gives it back if there is nothing to wait for.
    pub fn wait(&mut self, waiter: W) -> Option<W> {
        match self.0.last_entry() {
            Some(mut last) => {
                last.get_mut().push(waiter);
                None
            }
            None => Some(waiter),
        }
    }

    /// Ends what has this number: those who have nothing to wait for any more.
    pub fn end(&mut self, number: u64) -> Vec<W> {
        let mut waiters = self.0.remove(&number).unwrap_or_default();
        if let Some((_, earlier)) = self.0.range_mut(..number).next_back() {
            earlier.append(&mut waiters);
        }
        waiters
    }

    /// How much is under way.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl<W> Default for Pending<W> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_anything_nobody_waits() {
        let mut pending = Pending::new();
        assert_eq!(pending.wait("a"), Some("a"));
        let first = pending.begin();
        assert_eq!(pending.end(first), [""; 0]);
        assert_eq!(pending.wait("b"), Some("b"));
    }

    #[test]
    fn the_last_of_those_before_ends_the_wait() {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut pending = Pending::new();
            let numbers = [(); 3].map(|()| pending.begin());
            assert_eq!(pending.wait("all"), None);
            let later = pending.begin();
            assert_eq!(pending.count(), 4);
            let [first, second, last] = order.map(|at| pending.end(numbers[at]));
            assert_eq!((first, second, last), (vec![], vec![], vec!["all"]), "{order:?}");
            assert_eq!((pending.end(later), pending.count()), (vec![], 0));
        }
    }

    #[test]
    fn what_begins_later_is_not_waited_for() {
        let mut pending = Pending::new();
        let first = pending.begin();
        assert_eq!(pending.wait("first"), None);
        let second = pending.begin();
        assert_eq!(pending.wait("both"), None);
        assert_eq!(pending.end(first), ["first"]);
        let third = pending.begin();
        assert_eq!(pending.end(second), ["both"]);
        assert!(pending.end(third).is_empty());
    }

    #[test]
    fn a_number_may_come_again() {
        let mut pending = Pending::new();
        let first = pending.begin();
        let second = pending.begin();
        assert_eq!(pending.wait("two"), None);
        assert!(pending.end(second).is_empty());
        let again = pending.begin();
        assert_eq!(pending.wait("three"), None);
        assert!(pending.end(again).is_empty());
        assert_eq!(pending.end(first), ["two", "three"]);
    }
}
