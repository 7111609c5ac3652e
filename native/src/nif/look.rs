//! What associations and their paths are like, and what the kernel allows.

use rustler::{Env, Term};
use sctp::AssocId;

use crate::nif::value;
use crate::socket::state::{Kernel, SocketRef};
use crate::terms::error::Error;
use crate::terms::value::assoc_id;
use crate::{inspect, look};

/// Dirty: there may be very many.
#[rustler::nif(schedule = "DirtyIo")]
fn assocs<'a>(env: Env<'a>, socket: &'a SocketRef) -> Term<'a> {
    let ids = socket.kernel().and_then(|kernel| Ok(kernel.assocs()?));
    value(env, ids.map(|ids| ids.into_iter().map(AssocId::to_u32).collect::<Vec<_>>()))
}

#[rustler::nif]
fn status<'a>(env: Env<'a>, socket: &'a SocketRef, assoc: Term<'a>) -> Term<'a> {
    let status = of(socket, assoc).and_then(|(kernel, assoc)| Ok(kernel.status(assoc)?));
    value(env, status.map(|status| look::status(env, &status)))
}

/// Dirty: a call of the kernel for each path.
#[rustler::nif(schedule = "DirtyIo")]
fn paths<'a>(env: Env<'a>, socket: &'a SocketRef, assoc: Term<'a>) -> Term<'a> {
    let paths = of(socket, assoc).and_then(|(kernel, assoc)| Ok(kernel.paths(assoc)?));
    value(
        env,
        paths.map(|paths| paths.iter().map(|path| look::path(env, path)).collect::<Vec<_>>()),
    )
}

#[rustler::nif]
fn assoc_stats<'a>(env: Env<'a>, socket: &'a SocketRef, assoc: Term<'a>) -> Term<'a> {
    let stats = of(socket, assoc).and_then(|(kernel, assoc)| Ok(kernel.assoc_stats(assoc)?));
    value(env, stats.map(|stats| look::assoc_stats(env, &stats)))
}

#[rustler::nif]
fn socket_stats<'a>(env: Env<'a>, socket: &'a SocketRef) -> Term<'a> {
    value(env, inspect::stats(env, socket))
}

/// Dirty: opens a socket, and may have the kernel load modules.
#[rustler::nif(schedule = "DirtyIo")]
fn features(env: Env) -> Term {
    value(env, look::features(env))
}

/// An open socket, and an association that it may have.
fn of<'a>(socket: &'a SocketRef, assoc: Term) -> Result<(Kernel<'a>, AssocId), Error> {
    let kernel = socket.kernel()?;
    Ok((kernel, assoc_id(assoc).ok_or(Error::INVALID)?))
}
