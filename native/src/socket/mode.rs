//! The mode of a socket, and what follows when it changes.

use flow::active::{Active, OutOfRange, Request};
use flow::budget::Budget;

use crate::socket::mailbox::Question;
use crate::socket::owner_mail;
use crate::socket::route::{Goal, pass};
use crate::socket::settle::settle;
use crate::socket::state::{Open, Socket, SocketRef};
use crate::terms::error::Error;

/// Changes the mode; [`resume`] makes it so, and has to follow.
pub(crate) fn set(open: &mut Open, socket: &SocketRef, request: Request) -> Result<(), OutOfRange> {
    let ended = open.state.delivery.request(request)?;
    open.hold(socket);
    if ended {
        owner_mail::passive(&mut open.state);
    }
    Ok(())
}

/// Delivers what can be delivered at once in the present mode, and waits for the rest.
pub(crate) fn resume(open: &mut Open) {
    let state = &open.state;
    // An owner that asks for one message at a time and is quicker than its peer would look in vain
    // each time; the I/O thread waits anyway.
    let look = state.delivery.mode() != Active::Once || state.is_worth_a_look();
    if state.is_active() && look {
        let budget = Budget::of_batches(state.user.batch, state.user.view.list);
        open.state.waiters.prune();
        pass(open, Goal::Deliver, budget);
        let spent = !open.state.is_active();
        open.state.tuning.set_speculation(spent);
    }
    settle(open);
}

impl Socket {
    /// Sets the mode alone, what programs ask for with every message.
    pub(crate) fn set_active(&self, socket: &SocketRef, request: Request) -> Result<(), Error> {
        let mut open = self.lock()?;
        set(&mut open, socket, request).map_err(|OutOfRange| Error::INVALID)?;
        resume(&mut open);
        Ok(())
    }

    /// Takes the answer to a question about the owner's mailbox. Not if there is a new one.
    pub(crate) fn grant(&self, question: &Question, messages: u32) -> Result<(), Error> {
        let mut open = self.lock()?;
        let limit = &mut open.state.delivery.limit;
        if let Some(limit) = limit.as_mut().filter(|limit| limit.awaits(question)) {
            limit.answer(messages);
            resume(&mut open);
        }
        Ok(())
    }
}
