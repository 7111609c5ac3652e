//! A process in recv: what there is for it, or a place to wait.

use beam::panics;
use flow::budget::Budget;
use rustler::{Env, Term};

use crate::message::Most;
use crate::socket::route::{Goal, Passed, pass};
use crate::socket::settle::settle;
use crate::socket::state::{Open, Socket, SocketRef};
use crate::socket::waiter::{Wait, Waiter};
use crate::socket::waiters::Receiver;
use crate::terms::error::Error;

/// The answer to recv.
pub(crate) enum Received<'a> {
    /// A message or several, as the call answers them.
    Message(Term<'a>),
    /// Another process waits already.
    Already,
    /// Messages go to the owner.
    Active,
    /// The caller does not wait, and there is nothing.
    Nothing,
    /// The caller is registered, and the answer comes as a message, or that it can try again.
    Wait,
    /// The caller, who does not wait in the call, has to ask again: the budget was spent before its message was
    /// whole.
    More,
}

/// How much is read for a receiver of so many messages.
pub(crate) fn budget(most: Most) -> Budget {
    match most {
        Most::One => Budget::ONE,
        Most::Batch(most) => Budget::of_batches(most, false),
    }
}

impl Socket {
    /// What there is for the calling process. Where there is nothing it waits as it says.
    pub(crate) fn receive<'a>(
        &self,
        env: Env<'a>,
        socket: &SocketRef,
        wait: Wait,
        most: Most,
    ) -> Result<Received<'a>, Error> {
        let mut open = self.lock()?;
        panics::point("recv");
        if open.state.is_active() {
            return Ok(Received::Active);
        }
        open.state.waiters.prune();
        if open.state.waiters.has_reader() {
            return Ok(Received::Already);
        }
        let budget = budget(most);
        // Who waits anyway need not look where there is never anything yet: the I/O thread will.
        let look = !matches!(wait, Wait::Call(_)) || open.state.is_worth_a_look();
        let passed = match look {
            true => pass(&mut open, Goal::Receive(env, most), budget),
            false => Passed::Dry,
        };
        let waits = |open: &mut Open| {
            let Some(waiter) = Waiter::of(env, wait) else { return Received::Nothing };
            if waiter.selects() {
                open.hold(socket);
            }
            open.state.waiters.set_receiver(Receiver { waiter, most });
            Received::Wait
        };
        let answer = match (passed, wait) {
            (Passed::Got(answer), _) => Ok(Received::Message(answer)),
            (Passed::Error(errno), _) => Err(Error::Posix(errno)),
            (Passed::EndOfStream, _) => Err(Error::Closed),
            (Passed::Dry, _) => Ok(waits(&mut open)),
            // The I/O thread goes on with what has begun.
            (Passed::Spent, Wait::Call(_)) => Ok(waits(&mut open)),
            (Passed::Spent, Wait::Not | Wait::Select { .. }) => Ok(Received::More),
        };
        settle(&mut open);
        answer
    }

    /// Gives up waiting; false if nothing was waiting under `reference`: its message is on its way.
    pub(crate) fn cancel(&self, reference: Term) -> bool {
        let cancelled = match self.lock() {
            Ok(mut open) => {
                let cancelled = open.state.waiters.cancel(reference);
                open.loosen();
                cancelled
            }
            Err(_) => false,
        };
        // Of a closed socket it is the close that waits.
        cancelled || self.give_up_lingering(reference)
    }
}
