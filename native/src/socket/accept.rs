//! A one-to-one socket that listens, and what becomes of the associations of its peers.
//!
//! Who accepts takes an association from the kernel itself. Where there is none it waits in line; the
//! I/O thread calls the first one when there is, and each one that comes sees to it that the next one is
//! called, if there are more.

use flow::active::Active;
use rustler::{Env, Term};
use sctp::Style;

use crate::poller::poller;
use crate::socket::create::{Admitted, admit, create};
use crate::socket::mailbox::Limit;
use crate::socket::mode::resume;
use crate::socket::send_defaults::SendDefaults;
use crate::socket::settle::{arm_again, call_another, settle};
use crate::socket::state::{Handle, Inherited, Open, Socket};
use crate::socket::user_options::UserOptions;
use crate::socket::waiter::{Wait, Waiter};
use crate::terms::error::Error;

/// The answer to accept.
pub(crate) enum Accepted {
    /// A socket that the caller owns.
    Socket(Handle),
    /// The caller does not wait, and there is nothing.
    Nothing,
    /// The caller stands in line, and is called.
    Wait,
}

/// The kernel has nothing for who accepts.
const NOTHING: Error = Error::Posix(libc::EAGAIN);

impl Socket {
    /// Lets peers set up associations, or no longer with a backlog of 0.
    pub(crate) fn listen(&self, socket: &Handle, backlog: i32) -> Result<(), Error> {
        let mut open = self.lock()?;
        open.kernel().listen(backlog)?;
        if self.style == Style::OneToOne {
            // There is nothing to be read from now on, as every read says.
            open.state.inbox.exhaust();
            if let Some(receiver) = open.state.waiters.take_receiver() {
                receiver.waiter.refuse(Error::Posix(libc::ENOTCONN));
            }
            if backlog == 0 {
                open.state.waiters.acceptors.refuse(Error::INVALID);
            }
        }
        open.state.delivery.set_listening(backlog != 0);
        open.hold(socket);
        settle(&mut open);
        Ok(())
    }

    /// An association for the caller, who owns its socket. Where there is none it waits as it says.
    pub(crate) fn accept(&self, env: Env, socket: &Handle, wait: Wait) -> Result<Accepted, Error> {
        let mut open = self.lock()?;
        let called = open.state.waiters.acceptors.come(&env.pid());
        let others = open.state.waiters.acceptors.are_waiting();
        // Who is not called stands behind all others.
        let taken = match (wait, called) {
            (Wait::Call(_), false) if others => self.listens(&open).and(Err(NOTHING)),
            _ => self.listens(&open).and_then(|()| take(&open)),
        };
        if let Err(NOTHING) = &taken
            && let Some(waiter) = Waiter::of(env, wait)
        {
            if called && !waiter.selects() {
                open.state.waiters.acceptors.wait_on(waiter);
                arm_again(&mut open);
                return Ok(Accepted::Wait);
            }
            if called {
                call_another(&mut open);
            }
            drop(open);
            return self.wait_in_line(env, socket, waiter);
        }
        if called && others {
            // There may be more than one.
            arm_again(&mut open);
        }
        let child = taken.map(|admitted| (admitted, Child::of(&open)));
        drop(open);
        match child {
            Ok((admitted, child)) => Ok(Accepted::Socket(child.create(env, admitted))),
            Err(NOTHING) => Ok(Accepted::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Puts the caller at the end of the line.
    fn wait_in_line(&self, env: Env, socket: &Handle, waiter: Waiter) -> Result<Accepted, Error> {
        self.watch_waiting(env, socket);
        let mut open = self.lock()?;
        self.listens(&open)?;
        open.state.waiters.acceptors.wait(waiter);
        // What has come since it was looked for has been announced, perhaps.
        arm_again(&mut open);
        Ok(Accepted::Wait)
    }

    /// Does it take associations that can be accepted?
    fn listens(&self, open: &Open) -> Result<(), Error> {
        match (self.style, open.state.delivery.is_listening()) {
            (Style::OneToMany, _) => Err(Error::Posix(libc::EOPNOTSUPP)),
            (Style::OneToOne, true) => Ok(()),
            (Style::OneToOne, false) => Err(Error::INVALID),
        }
    }

    /// The caller waits no longer. False if it has been called: then it is not any more, and the message
    /// is there; or if it did not wait.
    pub(crate) fn stop_accepting(&self, env: Env, reference: Term) -> bool {
        let Ok(mut open) = self.lock() else { return false };
        let acceptors = &mut open.state.waiters.acceptors;
        let waited = acceptors.leave(reference);
        if !waited && acceptors.come(&env.pid()) {
            call_another(&mut open);
        }
        waited
    }
}

/// An association from the kernel, with its place in a poller's set.
fn take(open: &Open) -> Result<Admitted, Error> {
    if !open.kernel().has_waiting()? {
        return Err(NOTHING);
    }
    // What follows cannot be undone: the association would end for want of a place.
    poller(open.socket.token).has_room()?;
    admit(open.kernel().accept()?)
}

/// What an accepted socket has from the one that listens.
struct Child {
    inherited: Inherited,
    user: UserOptions,
    mode: Active,
    limit: Option<Limit>,
}

impl Child {
    fn of(open: &Open) -> Child {
        let (socket, state) = (open.socket, &*open.state);
        Child {
            inherited: Inherited {
                defaults: SendDefaults::inherited(&socket.defaults),
                patience: socket.patience.inherited(),
                ..Inherited::default()
            },
            user: state.user.accepted(),
            mode: state.delivery.mode(),
            limit: state.delivery.limit.as_ref().map(|limit| Limit::new(limit.most())),
        }
    }

    fn create(self, env: Env, admitted: Admitted) -> Handle {
        let Child { inherited, user, mode, limit } = self;
        let socket = create(env, admitted, user, inherited);
        if let Ok(mut open) = socket.lock() {
            open.state.delivery.begin(mode, limit);
            open.hold(&socket);
            resume(&mut open);
        }
        socket
    }
}
