//! How often strangers are answered.

use crate::types::Time;

/// A bucket of answers, which fills again over a second.
#[derive(Debug)]
pub(crate) struct Limiter {
    per_second: u64,
    /// Millionths of an answer.
    left: u64,
    filled: Time,
}

const ONE: u64 = 1_000_000;

impl Limiter {
    pub(crate) fn new(per_second: u32) -> Limiter {
        let per_second = u64::from(per_second);
        Limiter { per_second, left: per_second * ONE, filled: Time(0) }
    }

    /// One more answer may be given.
    pub(crate) fn allows(&mut self, now: Time) -> bool {
        let elapsed = now.0.saturating_sub(self.filled.0).min(ONE);
        self.filled = self.filled.max(now);
        self.left = (self.left + elapsed * self.per_second).min(self.per_second * ONE);
        if self.left < ONE {
            return false;
        }
        self.left -= ONE;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_so_many_answers() {
        let mut limiter = Limiter::new(10);
        let at = |limiter: &mut Limiter, now| (0..100).filter(|_| limiter.allows(now)).count();
        assert_eq!(at(&mut limiter, Time(5_000_000)), 10);
        assert_eq!(at(&mut limiter, Time(5_000_000)), 0);
        assert_eq!(at(&mut limiter, Time(5_100_000)), 1);
        assert_eq!(at(&mut limiter, Time(5_600_000)), 5);
        assert_eq!(at(&mut limiter, Time(60_000_000)), 10);
    }

    #[test]
    fn none_at_all() {
        assert!(!Limiter::new(0).allows(Time(9_000_000)));
    }
}
