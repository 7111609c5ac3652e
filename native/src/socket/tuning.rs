//! What a socket's traffic has taught: how much to read, and whether to look before waiting.

use std::mem::replace;

use flow::budget::Budget;
use flow::burst::Burst;
use flow::pace::Traffic;

/// What was learnt.
pub(crate) struct Tuning {
    /// How many messages are worth reading at one event.
    burst: Burst,
    /// Is data usually there when it is asked for? Then it is worth a look.
    speculate: bool,
    /// How many messages had been sent when the last one was delivered.
    sent_before: u64,
}

impl Default for Tuning {
    fn default() -> Tuning {
        Tuning { burst: Burst::default(), speculate: true, sent_before: 0 }
    }
}

impl Tuning {
    /// What to read at an event; to make lists of it?
    pub(crate) fn budget(&self, list: bool) -> Budget {
        self.burst.budget(list)
    }

    /// Learns from an event at which `messages` came: all there were, or as many as allowed.
    pub(crate) fn learn(&mut self, messages: u64, dry: bool) {
        self.burst.learn(messages, dry);
    }

    /// Is data worth a look before somebody waits for it?
    pub(crate) fn speculates(&self) -> bool {
        self.speculate
    }

    pub(crate) fn set_speculation(&mut self, speculate: bool) {
        self.speculate = speculate;
    }

    /// Tells what delivered messages look like, where `sent` have been sent so far.
    pub(crate) fn traffic(&mut self, sent: u64) -> Traffic {
        let answered = replace(&mut self.sent_before, sent) != sent;
        if answered { Traffic::Dialogue } else { Traffic::Stream }
    }
}
