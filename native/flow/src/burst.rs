//! How many messages are worth reading at one event of an I/O thread.
//!
//! The read that finds nothing costs as much as a wait, and the wait tells the same. So only as many
//! are read as were there before, and more if that proves too few again and again.

use crate::budget::Budget;

/// What was learnt of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    messages: u8,
    /// Events in a row at which there may have been more.
    short: u8,
    /// How many such events are proof.
    patience: u8,
}

impl Default for Burst {
    fn default() -> Burst {
        Burst { messages: 1, short: 0, patience: Self::PATIENCE }
    }
}

impl Burst {
    const MOST: u8 = 64;
    const PATIENCE: u8 = 4;
    /// In a dialogue, where there is never more than one, looking for more is all in vain.
    const MOST_PATIENCE: u8 = 64;

    /// What to read at the next event; to make lists of it?
    pub fn budget(self, list: bool) -> Budget {
        Budget::of_burst(self.messages.into(), list)
    }

    /// Learns from an event at which `messages` came: all there were (`dry`), or as many as allowed.
    pub fn learn(&mut self, messages: u64, dry: bool) {
        if messages > 1 {
            self.patience = Self::PATIENCE;
        } else if dry {
            self.patience = (self.patience * 2).min(Self::MOST_PATIENCE);
        }
        if dry {
            let messages = messages.clamp(1, Self::MOST.into());
            self.messages = u8::try_from(messages).unwrap_or(1);
            self.short = 0;
        } else if self.short < self.patience {
            self.short += 1;
        } else {
            self.messages = (self.messages * 2).min(Self::MOST);
            self.short = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The burst after these events, each `(messages, dry)`.
    fn after(events: &[(u64, bool)]) -> Burst {
        let mut burst = Burst::default();
        events.iter().for_each(|(messages, dry)| burst.learn(*messages, *dry));
        burst
    }

    #[test]
    fn a_stream_is_read_in_growing_bursts() {
        let full = (1, false);
        // (events at which there may have been more) -> messages at the next
        for (events, messages) in [(0, 1), (4, 1), (5, 2), (9, 2), (10, 4), (30, 64), (100, 64)] {
            assert_eq!(after(&vec![full; events]).messages, messages, "after {events}");
        }
    }

    #[test]
    fn what_was_there_is_read_the_next_time() {
        for (found, messages) in [(0, 1), (1, 1), (7, 7), (64, 64), (1000, 64)] {
            assert_eq!(after(&[(found, true)]).messages, messages, "{found} found");
        }
    }

    #[test]
    fn looking_in_vain_makes_patient() {
        // (events that brought one message, all there was) -> patience
        for (events, patience) in [(0, 4), (1, 8), (2, 16), (4, 64), (9, 64)] {
            assert_eq!(after(&vec![(1, true); events]).patience, patience, "after {events}");
        }
        assert_eq!(after(&[(1, true), (1, true), (2, true)]).patience, 4, "two at once are proof");
    }
}
