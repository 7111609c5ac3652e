//! The processes that wait at a listening socket for associations, in the order they came.
//!
//! An association stays in the kernel until a process takes it. So a process is only called: it comes
//! and sees for itself. Who is called and dies, or goes away, has to have another one called, or the
//! association would wait for the next one: so the VM watches all of them (`watched.rs`). But who selects
//! need not come: after it the next one is called at once.

use std::collections::VecDeque;

use rustler::{LocalPid, Term};

use crate::socket::waiter::Waiter;
use crate::terms::error::Error;

/// Who waits, and who has been called. Most sockets have none of either.
#[derive(Default)]
pub(crate) struct Acceptors(Option<Box<Line>>);

#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiter>,
    called: Vec<LocalPid>,
}

impl Acceptors {
    fn line(&mut self) -> &mut Line {
        self.0.get_or_insert_default()
    }

    /// Has a process wait behind all others.
    pub(crate) fn wait(&mut self, waiter: Waiter) {
        self.line().waiting.push_back(waiter);
    }

    /// Has a process that was called in vain wait before all others.
    pub(crate) fn wait_on(&mut self, waiter: Waiter) {
        self.line().waiting.push_front(waiter);
    }

    /// Does anybody wait to be called?
    pub(crate) fn are_waiting(&self) -> bool {
        self.0.as_ref().is_some_and(|line| !line.waiting.is_empty())
    }

    /// How many wait, those that have been called among them.
    pub(crate) fn count(&self) -> usize {
        self.0.as_ref().map_or(0, |line| line.waiting.len() + line.called.len())
    }

    /// Calls the next one. True if another is to be called, as this one need not come.
    pub(crate) fn call(&mut self) -> bool {
        let Some(line) = &mut self.0 else { return false };
        while let Some(waiter) = line.waiting.pop_front() {
            let (pid, need_not_come) = (waiter.pid(), waiter.selects());
            // Who is dead by now has its end told to `gone`, which may find nothing.
            if waiter.wake_ready() {
                if need_not_come {
                    return !line.waiting.is_empty();
                }
                line.called.push(pid);
                return false;
            }
        }
        false
    }

    /// A process has come. Was it called?
    pub(crate) fn come(&mut self, pid: &LocalPid) -> bool {
        let Some(Line { called, .. }) = self.0.as_deref_mut() else { return false };
        let at = called.iter().position(|called| called == pid);
        at.map(|at| called.swap_remove(at)).is_some()
    }

    /// A process waits no longer. False if none does under this reference.
    pub(crate) fn leave(&mut self, reference: Term) -> bool {
        let Some(Line { waiting, .. }) = self.0.as_deref_mut() else { return false };
        let at = waiting.iter().position(|waiter| waiter.is(reference));
        at.and_then(|at| waiting.remove(at)).is_some()
    }

    /// A process is dead. True if it had been called.
    pub(crate) fn gone(&mut self, pid: &LocalPid) -> bool {
        let Some(Line { waiting, called }) = self.0.as_deref_mut() else { return false };
        waiting.retain(|waiter| !waiter.is_of(pid));
        let before = called.len();
        called.retain(|called| called != pid);
        called.len() != before
    }

    /// There is nothing to wait for any more. Who has been called finds out.
    pub(crate) fn refuse(&mut self, error: Error) {
        if let Some(line) = self.0.take() {
            line.waiting.into_iter().for_each(|waiter| waiter.refuse(error));
        }
    }
}
