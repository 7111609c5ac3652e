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
    if let Some((_, number)) = split_reference(&handle.encode(env).to_binary()) {
        handle.number.get_or_init(|| number.into());
    }
    // None if the caller is dying: then the resource is garbage, which closes the socket.
    let monitor = handle.monitor(env, &owner);
    handle.lock_any().ownership.watch(monitor);
    handle
}

impl Socket {
    /// Erlang's reference to the resource, if it is still there.
    ///
    /// The VM makes it again of its external term format as long as the resource lives. Only its
    /// number is kept: the node may have got another name since.
    pub(crate) fn reference<'a>(&self, env: Env<'a>) -> Option<Term<'a>> {
        let number = self.number.get()?;
        let other = env.make_ref().to_binary();
        let (node, _) = split_reference(&other)?;
        let words = u16::try_from(number.len() / 4).ok()?.to_be_bytes();
        let external = [&other[..2], &words, node, number].concat();
        let (reference, _) = env.binary_to_term(&external)?;
        reference.decode::<Handle>().is_ok().then_some(reference)
    }
}

/// Node and number of a reference in the external term format (`NEWER_REFERENCE_EXT`).
fn split_reference(external: &[u8]) -> Option<(&[u8], &[u8])> {
    const TAG: [u8; 2] = [131, 90];
    let words = external.strip_prefix(&TAG)?;
    let (words, rest) = words.split_first_chunk()?;
    let number = usize::from(u16::from_be_bytes(*words)) * 4;
    rest.split_at_checked(rest.len().checked_sub(number)?)
}
