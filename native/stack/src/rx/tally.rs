//! What received data takes.

use std::ops::{AddAssign, SubAssign};

/// Bytes of data, and what they take of the receive buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Bytes of user data.
    pub(super) data: usize,
    /// With [`Tally::OVERHEAD`] for each message or part of one: about what they take in memory, so
    /// that messages of one byte are bounded, too.
    pub(super) charge: usize,
}

impl Tally {
    pub(super) const OVERHEAD: usize = 128;

    /// Of one message or part.
    pub(super) fn of(data: usize) -> Tally {
        Tally { data, charge: data + Self::OVERHEAD }
    }

    /// Of the message or part that has this charge.
    pub(super) fn of_charge(charge: usize) -> Tally {
        Tally { data: charge.saturating_sub(Self::OVERHEAD), charge }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.data += other.data;
        self.charge += other.charge;
    }
}

impl SubAssign for Tally {
    fn sub_assign(&mut self, other: Tally) {
        self.data = self.data.saturating_sub(other.data);
        self.charge = self.charge.saturating_sub(other.charge);
    }
}
