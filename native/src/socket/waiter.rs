//! A process that waits for one message about something.

use std::thread;

use beam::kept::Kept;
use beam::{message, panics};
use rustler::{Encoder, Env, LocalPid, Term};

use crate::terms::atoms;
use crate::terms::error::Error;

/// How a caller waits for what is not there yet.
#[derive(Clone, Copy)]
pub(crate) enum Wait<'a> {
    /// Not at all.
    Not,
    /// In the call, for the answer, which has this reference.
    Call(Term<'a>),
    /// It goes on, and is told once, under this reference, that it is worth while to try again.
    Select { socket: Term<'a>, reference: Term<'a> },
}

/// The process, and the reference that its message is to have.
///
/// One that is dropped by a panic, whatever panicked, still tells its process that it waits in vain.
pub(crate) struct Waiter {
    pid: LocalPid,
    reference: Kept,
    /// Of one that selects, the socket as its message names it. Whoever drops this under the socket's
    /// lock has another reference (`Open::hold`).
    socket: Option<Box<Kept>>,
    told: bool,
}

impl<'a> Wait<'a> {
    /// As natives take it: a reference, `{Socket, Reference}`, or something else.
    pub(crate) fn of(term: Term<'a>) -> Wait<'a> {
        if term.is_ref() {
            return Wait::Call(term);
        }
        match term.decode::<(Term, Term)>() {
            Ok((socket, reference)) if reference.is_ref() => Wait::Select { socket, reference },
            _ => Wait::Not,
        }
    }
}

impl Waiter {
    /// One that waits in a call.
    pub(crate) fn new(pid: LocalPid, reference: Term) -> Waiter {
        Waiter { pid, reference: Kept::new(reference), socket: None, told: false }
    }

    /// The caller; `None` if it does not wait.
    pub(crate) fn of(env: Env, wait: Wait) -> Option<Waiter> {
        match wait {
            Wait::Not => None,
            Wait::Call(reference) => Some(Waiter::new(env.pid(), reference)),
            Wait::Select { socket, reference } => {
                let mut waiter = Waiter::new(env.pid(), reference);
                waiter.socket = Some(Box::new(Kept::new(socket)));
                Some(waiter)
            }
        }
    }

    pub(crate) fn is(&self, reference: Term) -> bool {
        self.reference.is(reference)
    }

    pub(crate) fn pid(&self) -> LocalPid {
        self.pid
    }

    pub(crate) fn is_of(&self, pid: &LocalPid) -> bool {
        self.pid == *pid
    }

    pub(crate) fn is_alive(&self) -> bool {
        message::is_alive(&self.pid)
    }

    /// Does it not wait in a call?
    pub(crate) fn selects(&self) -> bool {
        self.socket.is_some()
    }

    /// Sends `{'$gen_sctp_nif', Ref, Msg}` to a process that waits in a call; false if it is gone.
    pub(crate) fn wake<F>(mut self, msg: F) -> bool
    where
        F: for<'a> FnOnce(Env<'a>) -> Term<'a>,
    {
        self.tell(|env, reference| {
            panics::point("answer");
            (atoms::dollar_nif(), reference, msg(env)).encode(env)
        })
    }

    /// Tells the process to try again; false if it is gone.
    pub(crate) fn wake_ready(mut self) -> bool {
        match self.socket.take() {
            None => self.wake(|env| atoms::ready().to_term(env)),
            Some(socket) => self.tell(|env, reference| {
                (atoms::dollar_socket(), &*socket, atoms::select(), reference).encode(env)
            }),
        }
    }

    /// Tells the process that its call is refused, or that there will never be anything to try.
    pub(crate) fn refuse(mut self, error: Error) {
        self.tell_refused(error);
    }

    fn tell_refused(&mut self, error: Error) {
        match self.socket.take() {
            None => self.tell(|env, reference| (atoms::dollar_nif(), reference, error).encode(env)),
            Some(socket) => self.tell(|env, reference| {
                let why = (reference, error.reason(env));
                (atoms::dollar_socket(), &*socket, atoms::abort(), why).encode(env)
            }),
        };
    }

    fn tell<F>(&mut self, message: F) -> bool
    where
        F: for<'a> FnOnce(Env<'a>, Term<'a>) -> Term<'a>,
    {
        let alive = self.reference.send(&self.pid, message);
        self.told = true;
        alive
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if !self.told && thread::panicking() {
            panics::guarded(|| self.tell_refused(Error::Closed));
        }
    }
}
