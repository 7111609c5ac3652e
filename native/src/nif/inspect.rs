//! What a socket, and the library, says about itself.

use rustler::{Atom, Encoder, Env, NifResult, Term};

use crate::inspect;
use crate::options::setting::MOST;
use crate::socket::state::SocketRef;
use crate::terms::atoms;
use crate::terms::value::{is_longer, list};

#[rustler::nif]
fn getstat<'a>(env: Env<'a>, socket: &'a SocketRef, items: Term<'a>) -> NifResult<Term<'a>> {
    if is_longer(items, MOST) {
        return Ok(env.error_tuple(atoms::enomem()));
    }
    let open = match socket.lock() {
        Ok(open) => open,
        Err(error) => return Ok(error.encode(env)),
    };
    let counter = |item: Term| -> Option<(Atom, u64)> {
        let item = item.decode().ok()?;
        Some((item, inspect::counter_of(&open, item)?))
    };
    match list(items, MOST, counter) {
        Ok(counters) => Ok((atoms::ok(), counters).encode(env)),
        Err(bad) => bad.answer(env),
    }
}

#[rustler::nif]
fn info<'a>(env: Env<'a>, socket: &'a SocketRef) -> Term<'a> {
    match inspect::info(env, socket) {
        Ok(info) => info,
        Err(error) => error.encode(env),
    }
}

/// Dirty: there may be very many.
#[rustler::nif(schedule = "DirtyIo")]
fn sockets(env: Env) -> Term {
    inspect::sockets(env)
}

/// Dirty: as above.
#[rustler::nif(schedule = "DirtyIo")]
fn counters(env: Env) -> Term {
    // Who exports figures asks for them now and then.
    beam::log::find(env);
    inspect::counters(env)
}
