//! Why a call is refused.

use std::io;

use rustler::{Atom, Encoder, Env, Term};

use crate::terms::atoms;

/// What becomes `{error, Reason}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Error {
    /// The socket is closed.
    Closed,
    /// The kernel's number, or one that it would have.
    Posix(i32),
}

impl Error {
    pub(crate) const INVALID: Error = Error::Posix(libc::EINVAL);
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Posix(error.raw_os_error().unwrap_or(libc::EIO))
    }
}

impl Error {
    /// The reason alone.
    pub(crate) fn reason(self, env: Env) -> Term {
        match self {
            Error::Closed => atoms::closed().to_term(env),
            Error::Posix(errno) => reason(env, errno),
        }
    }
}

impl Encoder for Error {
    fn encode<'a>(&self, env: Env<'a>) -> Term<'a> {
        env.error_tuple(self.reason(env))
    }
}

/// The atom of an errno, or the number if it has no name.
pub(crate) fn reason(env: Env, errno: i32) -> Term {
    flow::errno::name(errno)
        .and_then(|name| Atom::from_str(env, name).ok())
        .map_or_else(|| errno.encode(env), |name| name.to_term(env))
}
