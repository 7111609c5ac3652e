//! The processes that wait for room to send to an association, in the order they came.

use std::collections::VecDeque;

use rustler::Term;
use sctp::AssocId;

use crate::socket::waiter::Waiter;

/// So many are worth a look at who is dead.
const MANY: usize = 64;

/// Who waits. Most sockets never have anybody who does.
#[derive(Default)]
pub(crate) struct Writers(Option<Box<Queue>>);

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Writer>,
    /// How many of them select.
    selecting: usize,
}

struct Writer {
    assoc: AssocId,
    waiter: Waiter,
}

impl Writers {
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |queue| queue.waiting.len())
    }

    /// Does any of them select?
    pub(crate) fn has_selects(&self) -> bool {
        self.0.as_ref().is_some_and(|queue| queue.selecting > 0)
    }

    /// Has a process wait behind all others.
    pub(crate) fn push(&mut self, assoc: AssocId, waiter: Waiter) {
        // Processes that were killed meanwhile wait for nothing: now and then they are struck out.
        if self.len() >= MANY && self.len().is_power_of_two() {
            self.retain(Waiter::is_alive);
        }
        let queue = self.0.get_or_insert_default();
        queue.selecting += usize::from(waiter.selects());
        queue.waiting.push_back(Writer { assoc, waiter });
    }

    /// Strikes out the others.
    pub(crate) fn retain(&mut self, mut stays: impl FnMut(&Waiter) -> bool) {
        let Some(Queue { waiting, selecting }) = self.0.as_deref_mut() else { return };
        waiting.retain(|writer| stays(&writer.waiter));
        *selecting = waiting.iter().filter(|writer| writer.waiter.selects()).count();
    }

    /// Wakes one: it leaves room or not for the next.
    pub(crate) fn wake_one(&mut self) {
        let Some(Queue { waiting, selecting }) = self.0.as_deref_mut() else { return };
        while let Some(Writer { waiter, .. }) = waiting.pop_front() {
            *selecting -= usize::from(waiter.selects());
            if waiter.wake_ready() {
                break;
            }
        }
    }

    /// Wakes those who wait to send to such associations, to see for themselves.
    pub(crate) fn wake_all(&mut self, mut wakes: impl FnMut(AssocId) -> bool) {
        let Some(Queue { waiting, selecting }) = self.0.as_deref_mut() else { return };
        // Most associations end without anybody who waits for them, beside thousands who wait for others.
        let Some(first) = waiting.iter().position(|writer| wakes(writer.assoc)) else { return };
        let mut met = true;
        for writer in waiting.split_off(first) {
            if std::mem::take(&mut met) || wakes(writer.assoc) {
                *selecting -= usize::from(writer.waiter.selects());
                writer.waiter.wake_ready();
            } else {
                waiting.push_back(writer);
            }
        }
    }

    /// A process waits no longer. False if none does under this reference.
    pub(crate) fn leave(&mut self, reference: Term) -> bool {
        let Some(Queue { waiting, selecting }) = self.0.as_deref_mut() else { return false };
        let at = waiting.iter().position(|writer| writer.waiter.is(reference));
        let Some(writer) = at.and_then(|at| waiting.remove(at)) else { return false };
        *selecting -= usize::from(writer.waiter.selects());
        true
    }

    /// There will be no room any more.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Waiter> {
        let waiting = self.0.take().map_or_else(VecDeque::new, |queue| queue.waiting);
        waiting.into_iter().map(|writer| writer.waiter)
    }
}
