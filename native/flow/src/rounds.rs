//! Work that is done now and then, for all who need it by then.

use std::collections::BTreeSet;
use std::mem::take;
use std::time::{Duration, Instant};

/// What a round is for. The first one after a pause is due at once, the next ones 10 ms after that of
/// before.
#[derive(Debug)]
pub struct Rounds<T> {
    items: BTreeSet<T>,
    last: Option<Instant>,
}

/// From one round to the next.
const PAUSE: Duration = Duration::from_millis(10);

impl<T: Ord> Rounds<T> {
    /// Has an item in the next round.
    pub fn add(&mut self, item: T) {
        self.items.insert(item);
    }

    /// How long to wait for other things until a round is due; `None` if none is to come, which is seen
    /// without a look at the clock.
    pub fn timeout(&self, now: impl FnOnce() -> Instant) -> Option<Duration> {
        if self.items.is_empty() {
            return None;
        }
        let since = self.last.map(|last| now().saturating_duration_since(last));
        Some(since.map_or(Duration::ZERO, |since| PAUSE.saturating_sub(since)))
    }

    /// The items of the round that is due, if one is.
    pub fn due(&mut self, now: impl Fn() -> Instant) -> Vec<T> {
        if self.timeout(&now) != Some(Duration::ZERO) {
            return Vec::new();
        }
        self.last = Some(now());
        take(&mut self.items).into_iter().collect()
    }
}

impl<T> Default for Rounds<T> {
    fn default() -> Self {
        Rounds { items: BTreeSet::new(), last: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_due_at_once_and_the_next_after_the_pause() {
        let start = Instant::now();
        let ms = |n| start + Duration::from_millis(n);
        let mut rounds = Rounds::default();
        assert_eq!(rounds.timeout(|| unreachable!()), None);
        // What is added at each time, the timeout then, and what is due.
        for (time, added, timeout, due) in [
            (0, vec![1, 2, 1], Some(0), vec![1, 2]),
            (1, vec![3], Some(9), vec![]),
            (4, vec![], Some(6), vec![]),
            (9, vec![4], Some(1), vec![]),
            (10, vec![], Some(0), vec![3, 4]),
            (15, vec![], None, vec![]),
            (500, vec![5], Some(0), vec![5]),
            (505, vec![6], Some(5), vec![]),
            (900, vec![], Some(0), vec![6]),
        ] {
            added.into_iter().for_each(|item| rounds.add(item));
            let now = || ms(time);
            assert_eq!(rounds.timeout(now), timeout.map(Duration::from_millis), "at {time}");
            assert_eq!(rounds.due(now), due, "at {time}");
        }
    }
}
