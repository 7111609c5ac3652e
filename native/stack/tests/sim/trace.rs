//! What happened: as a hash, always; as text, when somebody is to read it.

use std::collections::VecDeque;

use stack::types::Time;

/// How much of the text is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Hash,
    Last(usize),
    /// Written to standard output as it happens.
    All,
}

#[derive(Debug)]
pub(crate) struct Trace {
    keep: Keep,
    hash: u64,
    lines: VecDeque<String>,
}

impl Trace {
    pub(crate) fn new(keep: Keep) -> Trace {
        Trace { keep, hash: 0, lines: VecDeque::new() }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// Part of what two runs of a seed must have in common.
    pub(crate) fn mark(&mut self, word: u64) {
        self.hash = (self.hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    pub(crate) fn mark_bytes(&mut self, bytes: &[u8]) {
        let crc = u64::from(crc32c::crc32c(bytes));
        self.mark(crc << 32 | bytes.len() as u64);
    }

    /// A line, which is made only if somebody wants it.
    pub(crate) fn note(&mut self, now: Time, line: impl FnOnce() -> String) {
        let most = match self.keep {
            Keep::Hash => return,
            Keep::Last(most) => most,
            Keep::All => {
                println!("{:>12.6} {}", now.0 as f64 / 1e6, line());
                return;
            }
        };
        if self.lines.len() == most {
            self.lines.pop_front();
        }
        self.lines.push_back(format!("{:>12.6} {}", now.0 as f64 / 1e6, line()));
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = &String> {
        self.lines.iter()
    }
}
