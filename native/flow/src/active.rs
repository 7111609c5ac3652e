//! The arithmetic of `{active, false | true | once | N}`.

/// How messages reach the owner of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Active {
    /// Not at all: it has to ask.
    #[default]
    Passive,
    /// As they come.
    Always,
    /// The next one, then [`Active::Passive`].
    Once,
    /// So many more (at least 1), then [`Active::Passive`] with an announcement.
    Count(u16),
}

/// What a user asks of a socket's [`Active`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    Passive,
    Always,
    Once,
    /// Added to what is left of a count.
    Add(i64),
}

/// The largest count, and the largest step down.
const COUNT_MAX: i64 = 32767;

/// The count asked for, or what it would add up to, is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange;

impl Active {
    /// The mode after `request`, and whether `sctp_passive` must be announced.
    ///
    /// # Errors
    /// [`OutOfRange`] if a count leaves -32768..=32767, alone or added up.
    pub fn after(self, request: Request) -> Result<(Active, bool), OutOfRange> {
        let step = match request {
            Request::Passive => return Ok((Active::Passive, false)),
            Request::Always => return Ok((Active::Always, false)),
            Request::Once => return Ok((Active::Once, false)),
            Request::Add(step) => step,
        };
        if !(-COUNT_MAX - 1..=COUNT_MAX).contains(&step) {
            return Err(OutOfRange);
        }
        let left = match self {
            Active::Count(n) => i64::from(n),
            Active::Passive | Active::Always | Active::Once => 0,
        };
        match left + step {
            sum if sum > COUNT_MAX => Err(OutOfRange),
            sum if sum <= 0 => Ok((Active::Passive, true)),
            sum => u16::try_from(sum).map(|n| (Active::Count(n), false)).map_err(|_| OutOfRange),
        }
    }

    /// Accounts for one delivered message; true if `sctp_passive` must be announced.
    pub fn consume(&mut self) -> bool {
        match *self {
            Active::Passive | Active::Always => false,
            Active::Once => {
                *self = Active::Passive;
                false
            }
            Active::Count(0 | 1) => {
                *self = Active::Passive;
                true
            }
            Active::Count(n) => {
                *self = Active::Count(n - 1);
                false
            }
        }
    }

    /// Accounts for one message that a connecting process took before the owner could see it.
    /// `once` stays armed, as the owner is still owed its message.
    pub fn consume_for_connect(&mut self) -> bool {
        match self {
            Active::Once => false,
            _ => self.consume(),
        }
    }

    pub fn is_passive(self) -> bool {
        matches!(self, Active::Passive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_to_what_is_left() {
        let (mode, _) = Active::Passive.after(Request::Add(3)).unwrap();
        assert_eq!(mode.after(Request::Add(4)), Ok((Active::Count(7), false)));
        assert_eq!(mode.after(Request::Add(0)), Ok((Active::Count(3), false)));
        assert_eq!(mode.after(Request::Add(-2)), Ok((Active::Count(1), false)));
        assert_eq!(mode.after(Request::Add(-3)), Ok((Active::Passive, true)));
        assert_eq!(mode.after(Request::Add(-32768)), Ok((Active::Passive, true)));
    }

    #[test]
    fn other_modes_count_from_zero() {
        for mode in [Active::Passive, Active::Always, Active::Once] {
            assert_eq!(mode.after(Request::Add(5)), Ok((Active::Count(5), false)));
            assert_eq!(mode.after(Request::Add(0)), Ok((Active::Passive, true)));
            assert_eq!(mode.after(Request::Add(-2)), Ok((Active::Passive, true)));
        }
    }

    #[test]
    fn range_is_checked() {
        let full = Active::Count(32767);
        assert_eq!(full.after(Request::Add(1)), Err(OutOfRange));
        assert_eq!(full.after(Request::Add(0)), Ok((full, false)));
        assert_eq!(Active::Passive.after(Request::Add(32767)), Ok((full, false)));
        for step in [32768, -32769, i64::MAX, i64::MIN] {
            assert_eq!(Active::Passive.after(Request::Add(step)), Err(OutOfRange));
        }
    }

    #[test]
    fn consumption_ends_in_passive() {
        let mut mode = Active::Count(2);
        assert!(!mode.consume());
        assert!(mode.consume());
        assert_eq!(mode, Active::Passive);
        let mut mode = Active::Once;
        assert!(!mode.consume_for_connect());
        assert_eq!(mode, Active::Once);
        assert!(!mode.consume());
        assert_eq!(mode, Active::Passive);
        let mut mode = Active::Always;
        assert!(!mode.consume());
        assert_eq!(mode, Active::Always);
    }
}
