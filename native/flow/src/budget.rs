//! How much one pass over a socket may read, so that no busy socket keeps a scheduler or an I/O
//! thread to itself.

/// What is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    messages: usize,
    bytes: usize,
}

impl Budget {
    /// Nothing: only what has been read already passes.
    pub const NONE: Budget = Budget { messages: 0, bytes: 0 };

    /// For a caller's thread: well under a millisecond. An owner that counts its messages
    /// (`{active, N}`) gets as many at once as keep it busy for a while; else the I/O thread would
    /// wake it for each of them.
    pub const CALLER: Budget = Budget { messages: 32, bytes: 64 * 1024 };

    /// For one whole message in recv, however many reads it takes.
    pub const ONE: Budget = Budget { messages: 64, bytes: 64 * 1024 };

    /// Bytes that become a list: each takes far longer than a byte of a binary.
    const LIST_BYTES: usize = 4 * 1024;

    /// Bytes of one burst on an I/O thread.
    const BURST_BYTES: usize = 512 * 1024;

    /// The same where they become lists. The socket is locked meanwhile, and calls wait for that.
    const LIST_BURST_BYTES: usize = 64 * 1024;

    /// As [`Budget::CALLER`], but whole batches of `batch` messages each.
    pub fn of_batches(batch: usize, list: bool) -> Budget {
        let batches = (Self::CALLER.messages / batch.max(1)).max(1);
        let bytes = if list { Self::LIST_BYTES } else { Self::CALLER.bytes };
        Budget { messages: batches * batch, bytes }
    }

    /// For an I/O thread that reads so many messages at one event.
    pub const fn of_burst(messages: usize, list: bool) -> Budget {
        let bytes = if list { Self::LIST_BURST_BYTES } else { Self::BURST_BYTES };
        Budget { messages, bytes }
    }

    /// Whether nothing more may be read.
    pub fn is_spent(&self) -> bool {
        self.messages == 0 || self.bytes == 0
    }

    /// Accounts for one read.
    pub fn spend(&mut self, bytes: usize) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// How many small messages, of at most `size` bytes each, may be read together where `wanted` are.
    pub fn together(&self, wanted: usize, size: usize) -> usize {
        wanted.min(self.messages).min(self.bytes.div_ceil(size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_batches() {
        // (size of a batch, as lists) -> (messages, bytes)
        for ((batch, list), (messages, bytes)) in [
            ((1, false), (32, 65_536)),
            ((1, true), (32, 4096)),
            ((10, false), (30, 65_536)),
            ((32, false), (32, 65_536)),
            ((33, false), (33, 65_536)),
            ((64, true), (64, 4096)),
        ] {
            assert_eq!(Budget::of_batches(batch, list), Budget { messages, bytes }, "{batch}");
        }
    }

    #[test]
    fn bursts() {
        // (messages, as lists) -> bytes
        for ((messages, list), bytes) in [((1, false), 524_288), ((64, true), 65_536)] {
            assert_eq!(Budget::of_burst(messages, list), Budget { messages, bytes });
        }
    }

    #[test]
    fn either_end_is_the_end() {
        let full = Budget { messages: 2, bytes: 100 };
        for (reads, spent) in [
            (&[][..], false),
            (&[99], false),
            (&[0, 0], true),
            (&[100], true),
            (&[1000], true),
            (&[50, 50, 50], true),
        ] {
            let mut budget = full;
            reads.iter().for_each(|bytes| budget.spend(*bytes));
            assert_eq!(budget.is_spent(), spent, "{reads:?}");
        }
        assert!(Budget::NONE.is_spent());
    }

    #[test]
    fn small_messages_together() {
        let budget = Budget { messages: 20, bytes: 5000 };
        // (wanted, size) -> as many
        for ((wanted, size), most) in [((1, 1024), 1), ((64, 1024), 5), ((64, 100), 20)] {
            assert_eq!(budget.together(wanted, size), most, "{wanted} of {size}");
        }
        assert_eq!(Budget::NONE.together(64, 1024), 0);
    }
}
