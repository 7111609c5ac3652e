//! An association gets a socket of its own.

use rustler::Env;
use sctp::AssocId;

use crate::poller::poller;
use crate::socket::create::{admit, create};
use crate::socket::inbox::Inbox;
use crate::socket::send::wake_orphans;
use crate::socket::send_defaults::SendDefaults;
use crate::socket::settle::settle;
use crate::socket::state::{Handle, Inherited, Socket};
use crate::terms::error::Error;

impl Socket {
    /// Gives an association a socket of its own, which the caller owns. What was read of it so far
    /// goes with it.
    pub(crate) fn peeloff(&self, env: Env, assoc: AssocId) -> Result<Handle, Error> {
        let mut open = self.lock()?;
        // What follows cannot be undone: the association would end for want of a descriptor.
        poller(self.token).has_room()?;
        let admitted = admit(open.kernel().peeloff(assoc)?)?;
        let state = &mut *open.state;
        let inherited = Inherited {
            defaults: SendDefaults::inherited(&self.defaults),
            patience: self.patience.inherited(),
            inbox: Inbox::with(state.inbox.split_off(assoc)),
            backlog: state.backlog.split_off(assoc),
        };
        let user = state.user.inherited(assoc);
        state.user.subscriptions.forget(assoc);
        // Whatever comes of this association, it comes to the new socket.
        while let Some(connector) = state.waiters.take_connect(assoc) {
            connector.refuse(Error::INVALID);
        }
        wake_orphans(&mut open);
        // Without what is gone the backlog may have room again.
        settle(&mut open);
        drop(open);
        Ok(create(env, admitted, user, inherited))
    }
}
