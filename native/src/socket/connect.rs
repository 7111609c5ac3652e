//! Associations that are begun here.

use std::net::SocketAddr;

use flow::budget::Budget;
use rustler::{Env, Term};
use sctp::AssocId;

use crate::socket::route::{Goal, Passed, pass};
use crate::socket::settle::settle;
use crate::socket::state::Socket;
use crate::socket::waiter::Waiter;
use crate::terms::error::Error;

impl Socket {
    /// Starts an association, of which an event will tell. The kernel looks for a route to each
    /// address, so that takes the kernel's lock alone.
    pub(crate) fn start(&self, addresses: &[SocketAddr]) -> Result<AssocId, Error> {
        let assoc = self.kernel()?.connect(addresses)?;
        let mut open = self.lock()?;
        open.state.inbox.refresh();
        settle(&mut open);
        Ok(assoc)
    }

    /// Starts an association and gives its outcome as connect answers it, or registers the caller.
    ///
    /// Under the state's lock, as the event must not be read before it is known that somebody waits for
    /// it. Callers give one address.
    pub(crate) fn connect<'a>(
        &self,
        env: Env<'a>,
        addresses: &[SocketAddr],
        reference: Term,
    ) -> Result<Option<Term<'a>>, Error> {
        let mut open = self.lock()?;
        let assoc = open.kernel().connect(addresses)?;
        open.state.inbox.refresh();
        open.state.waiters.add_connect(assoc, Waiter::new(env.pid(), reference));
        open.state.waiters.prune();
        let passed = pass(&mut open, Goal::Connect(env, assoc), Budget::CALLER);
        settle(&mut open);
        Ok(match passed {
            Passed::Got(outcome) => Some(outcome),
            Passed::Error(_) | Passed::EndOfStream | Passed::Dry | Passed::Spent => None,
        })
    }
}
