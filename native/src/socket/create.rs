//! A socket is made: known to its poller, its table and the VM.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustler::{Encoder, Env, Term};
use sctp::Token;

use crate::poller::{new_token, poller};
use crate::socket::state::{Handle, Inherited, Shared, Socket};
use crate::socket::table;
use crate::socket::user_options::UserOptions;
use crate::terms::error::Error;
use crate::terms::reference::Number;

/// Resources that Erlang has not collected yet, open or closed.
pub(crate) static RESOURCES: AtomicUsize = AtomicUsize::new(0);

/// A socket of the kernel that has its place in a poller's set.
pub(crate) struct Admitted {
    kernel: sctp::Socket,
    token: Token,
}

/// Gives a socket of the kernel its place. Where there is none its association, if it has one, is
/// aborted: nobody would ever end it.
pub(crate) fn admit(kernel: sctp::Socket) -> Result<Admitted, Error> {
    let token = new_token();
    match poller(token).add(kernel.source(), token) {
        Ok(()) => Ok(Admitted { kernel, token }),
        Err(error) => {
            // Fails only for a descriptor that is none, which this is not.
            let _ = kernel.prepare_close(true);
            Err(error.into())
        }
    }
}

/// Makes a socket that the caller owns.
pub(crate) fn create(
    env: Env,
    admitted: Admitted,
    user: UserOptions,
    inherited: Inherited,
) -> Handle {
    let Admitted { kernel, token } = admitted;
    let owner = env.pid();
    let socket = Arc::new(Socket::new(kernel, token, owner, user, inherited));
    table::insert(token, &socket);
    let handle = Handle::new(Shared(socket));
    RESOURCES.fetch_add(1, Ordering::Relaxed);
    if let Some(number) = Number::of(handle.encode(env)) {
        handle.number.get_or_init(|| number);
    }
    // None if the caller is dying: then the resource is garbage, which closes the socket.
    let monitor = handle.monitor(env, &owner);
    handle.lock_any().ownership.watch(monitor);
    handle
}

impl Socket {
    /// Erlang's reference to the resource, if it is still there.
    pub(crate) fn reference<'a>(&self, env: Env<'a>) -> Option<Term<'a>> {
        let reference = self.number.get()?.reference(env)?;
        reference.decode::<Handle>().is_ok().then_some(reference)
    }
}
