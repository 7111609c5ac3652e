//! A process that waits for one message about something.

use beam::kept::Kept;
use beam::message;
use rustler::{Encoder, Env, LocalPid, Term};

use crate::atoms;

/// A process that waits for one message about something.
pub(crate) struct Waiter {
    pub(crate) pid: LocalPid,
    pub(crate) reference: Kept,
}

impl Waiter {
    pub(crate) fn new(pid: LocalPid, reference: Term) -> Waiter {
        Waiter { pid, reference: Kept::new(reference) }
    }

    pub(crate) fn is(&self, reference: Term) -> bool {
        self.reference.is(reference)
    }

    /// Sends `{'$gen_sctp_nif', Ref, Msg}`; false if the process is gone.
    pub(crate) fn wake<F>(&self, msg: F) -> bool
    where
        F: for<'a> FnOnce(Env<'a>) -> Term<'a>,
    {
        message::send(&self.pid, |env| {
            (atoms::dollar_nif(), self.reference.encode(env), msg(env)).encode(env)
        })
    }

    /// Tells the process to try again.
    pub(crate) fn wake_ready(&self) -> bool {
        self.wake(|env| atoms::ready().to_term(env))
    }
}
