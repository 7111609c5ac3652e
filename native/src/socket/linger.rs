//! The lingering time: a socket that is closed for all but the kernel, until its associations have
//! ended or the process that closes it has waited for long enough.
//!
//! The thread that closes begins the ends, the I/O thread sees them come. Nobody waits but that
//! process. At its death, or the owner's, the rest is left to the kernel.

use std::sync::Arc;

use beam::panics;
use rustler::{Env, Term};
use sctp::ending::Progress;

use crate::close_thread;
use crate::poller::poller;
use crate::socket::closings::{Closing, tell_when_over};
use crate::socket::leftover::Leftover;
use crate::socket::lingering::{Ends, Lingering};
use crate::socket::state::{Handle, Socket};
use crate::socket::table;
use crate::socket::waiter::Waiter;

impl Socket {
    /// Has a socket that was shut linger. The caller gets a message under `reference` when it is
    /// closed.
    pub(crate) fn linger(
        self: &Arc<Self>,
        env: Env,
        handle: &Handle,
        left: Leftover,
        reference: Term,
    ) {
        table::insert(self.token, self);
        let monitor = handle.monitor(env, &env.pid());
        let lingering = Lingering::new(Waiter::new(env.pid(), reference), monitor);
        self.lock_any().lingering = Some(Box::new(lingering));
        // The owner's end may have been told before there was anything to be ended.
        if self.is_orphan() {
            self.end_lingering();
        }
        let socket = self.clone();
        close_thread::run(move || {
            if panics::guarded(|| socket.begin_ends(left)).is_none() {
                socket.end_lingering();
            }
        });
    }

    /// On the thread that closes, as there may be very many associations.
    fn begin_ends(&self, mut left: Leftover) {
        panics::point("linger");
        if let Some(kernel) = left.take_kernel() {
            match Ends::begin(kernel) {
                Err(kernel) => left.give_back(kernel),
                Ok(ends) => match self.await_ends(ends) {
                    Some(ends) => left.give_back_lingered(ends.kernel),
                    None => return,
                },
            }
        }
        if let Some((waiter, _)) = self.take_lingering() {
            left.tell(waiter);
        }
    }

    /// Leaves a socket to the I/O thread; gives it back if nobody waits any more.
    fn await_ends(&self, ends: Ends) -> Option<Ends> {
        let mut state = self.lock_any();
        let Some(lingering) = state.lingering.as_mut().filter(|lingering| !lingering.is_over())
        else {
            return Some(ends);
        };
        // Without room in the set, the time will be over some day.
        let _ = poller(self.token).add_ending(ends.source(), self.token);
        lingering.wait_for(ends);
        None
    }

    /// The I/O thread's part.
    pub(crate) fn look_at_ends(&self) {
        panics::point("ends");
        let progress = self.lock_any().lingering.as_mut().and_then(|it| it.progress());
        match progress {
            Some(Progress::Over) => self.end_lingering(),
            Some(Progress::More) => poller(self.token).revisit(self.token),
            Some(Progress::Waits) | None => {}
        }
    }

    /// Closes the socket whether its associations have ended or not, and tells who waits.
    pub(crate) fn end_lingering(&self) {
        match self.take_lingering() {
            Some((waiter, Some(mut left))) => {
                left.tell(waiter);
                close_thread::close(left);
            }
            // The thread that closes finds that nobody waits.
            Some((waiter, None)) => tell_when_over(waiter),
            None => {}
        }
    }

    /// The same, and nobody is to be told: who waits under `reference` has waited for long enough.
    /// False if nobody does.
    pub(crate) fn give_up_lingering(&self, reference: Term) -> bool {
        let waits = self.lock_any().lingering.as_ref().is_some_and(|it| it.is_for(reference));
        waits && self.abandon_lingering()
    }

    /// False if it was over.
    pub(crate) fn abandon_lingering(&self) -> bool {
        let Some((_, left)) = self.take_lingering() else { return false };
        if let Some(left) = left {
            close_thread::close_later(left);
        }
        true
    }

    /// Who waits, and what the I/O thread has of the socket; `None` if that is over.
    fn take_lingering(&self) -> Option<(Waiter, Option<Leftover>)> {
        let (waiter, ends) = {
            let mut state = self.lock_any();
            let (waiter, ends) = state.lingering.as_mut()?.take()?;
            // It is counted before anybody can find that the lingering is over.
            (waiter, ends.map(|ends| (ends, Closing::begin())))
        };
        table::remove(self.token);
        let left = ends.map(|(ends, closing)| {
            // Before the number can be another one's. Without room it was not in the set.
            let _ = poller(self.token).delete(ends.source());
            Leftover::lingered(ends.kernel, closing)
        });
        Some((waiter, left))
    }

    /// Has it lingered, and is that over?
    pub(crate) fn has_lingered(&self) -> bool {
        self.lock_any().lingering.as_ref().is_some_and(|lingering| lingering.is_over())
    }

    /// Is the owner dead, or who waits for the ends of associations? For good: only an owner that is
    /// alive gives its socket away.
    pub(crate) fn is_orphan(&self) -> bool {
        let state = self.lock_any();
        !state.ownership.is_owner_alive()
            || state.lingering.as_ref().is_some_and(|lingering| lingering.is_for_the_dead())
    }
}
