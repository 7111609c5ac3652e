//! A process that waits for one message about something.

use beam::kept::Kept;
use beam::message;
use rustler::{Encoder, Env, LocalPid, Term};

use crate::terms::atoms;
use crate::terms::error::Error;

/// The process, and the reference that its message is to have.
pub(crate) struct Waiter {
    pid: LocalPid,
    reference: Kept,
}

impl Waiter {
    pub(crate) fn new(pid: LocalPid, reference: Term) -> Waiter {
        Waiter { pid, reference: Kept::new(reference) }
    }

    pub(crate) fn is(&self, reference: Term) -> bool {
        self.reference.is(reference)
    }

    pub(crate) fn is_alive(&self) -> bool {
        message::is_alive(&self.pid)
    }

    /// Sends `{'$gen_sctp_nif', Ref, Msg}`; false if the process is gone.
    pub(crate) fn wake<F>(self, msg: F) -> bool
    where
        F: for<'a> FnOnce(Env<'a>) -> Term<'a>,
    {
        self.reference.send(&self.pid, |env, reference| {
            (atoms::dollar_nif(), reference, msg(env)).encode(env)
        })
    }

    /// Tells the process to try again; false if it is gone.
    pub(crate) fn wake_ready(self) -> bool {
        self.wake(|env| atoms::ready().to_term(env))
    }

    /// Tells the process that its call is refused.
    pub(crate) fn refuse(self, error: Error) {
        self.wake(|env| error.encode(env));
    }
}
