//! A process in recv: what there is for it, or a place to wait.

use beam::panics;
use flow::budget::Budget;
use rustler::{Env, Term};

use crate::message::Most;
use crate::socket::route::{Goal, Passed, pass};
use crate::socket::settle::settle;
use crate::socket::state::Socket;
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
    /// The caller is registered, and the answer comes as a message.
    Wait,
    /// The caller, who does not wait, has to ask again: the budget was spent before its message was
    /// whole.
    More,
}

/// How much is read for a receiver of so many messages.
pub(crate) fn budget(most: Most, list: bool) -> Budget {
    match most {
        Most::One => Budget::ONE,
        Most::Batch(most) => Budget::of_batches(most, list),
    }
}

impl Socket {
    /// What there is for the calling process. With a reference it waits where there is nothing.
    pub(crate) fn receive<'a>(
        &self,
        env: Env<'a>,
        reference: Option<Term>,
        most: Most,
    ) -> Result<Received<'a>, Error> {
        let mut open = self.lock()?;
        panics::point("recv");
        if open.state.is_active() {
            return Ok(Received::Active);
        }
        open.state.waiters.prune_receiver();
        if open.state.waiters.receiver().is_some() {
            return Ok(Received::Already);
        }
        let budget = budget(most, open.state.user.view.list);
        // Who waits anyway need not look where there is never anything yet: the I/O thread will.
        let look = reference.is_none() || open.state.is_worth_a_look();
        let passed = match look {
            true => pass(&mut open, Goal::Receive(env, most), budget),
            false => Passed::Dry,
        };
        let answer = match (passed, reference) {
            (Passed::Got(answer), _) => Ok(Received::Message(answer)),
            (Passed::Error(errno), _) => Err(Error::Posix(errno)),
            (Passed::Spent, None) => Ok(Received::More),
            (Passed::Dry, None) => Ok(Received::Nothing),
            // The I/O thread goes on with what has begun.
            (Passed::Dry | Passed::Spent, Some(reference)) => {
                open.state.waiters.set_receiver(Receiver::new(env, reference, most));
                Ok(Received::Wait)
            }
        };
        settle(&mut open);
        answer
    }

    /// Gives up waiting; false if nothing was waiting under `reference`: its message is on its way.
    pub(crate) fn cancel(&self, reference: Term) -> bool {
        let cancelled = self.lock_any().waiters.cancel(reference);
        // Of a closed socket it is the close that waits.
        cancelled || self.give_up_lingering(reference)
    }
}
