//! What was read on behalf of a connect while nobody took it, in order.

use std::collections::VecDeque;

use sctp::AssocId;

use crate::message::Held;

/// Enough is kept; the rest waits in the kernel, and so does the connect.
const FULL: usize = 16 * 1024 * 1024;

/// What is kept for later.
#[derive(Default)]
pub(crate) struct Backlog {
    queue: VecDeque<Held>,
    /// The memory it takes.
    bytes: usize,
}

impl Backlog {
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= FULL
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// The memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn has_data(&self) -> bool {
        self.queue.iter().any(Held::is_data)
    }

    /// Takes the oldest.
    pub(crate) fn pop(&mut self) -> Option<Held> {
        let held = self.queue.pop_front()?;
        self.bytes -= held.bytes();
        Some(held)
    }

    pub(crate) fn push(&mut self, held: Held) {
        self.bytes += held.bytes();
        self.queue.push_back(held);
    }

    /// Puts back what is not to be told now, before all that was kept.
    pub(crate) fn put_back(&mut self, held: Held) {
        self.bytes += held.bytes();
        self.queue.push_front(held);
    }

    /// Takes out what is about an association.
    pub(crate) fn split_off(&mut self, assoc: AssocId) -> Backlog {
        let mut moved = Backlog::default();
        for held in std::mem::take(self).queue {
            let to = if held.assoc() == Some(assoc) { &mut moved } else { &mut *self };
            to.push(held);
        }
        moved
    }
}
