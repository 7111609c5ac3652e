//! What is sent and received.

use beam::entry::Scheduler;
use rustler::{Atom, Binary, Encoder, Env, NifResult, Term};
use sctp::{AssocId, SndInfo, To};

use crate::message::Most;
use crate::nif::invalid;
use crate::socket::inbox::MOST;
use crate::socket::receive::Received;
use crate::socket::send::{SENT_TOGETHER, Sent};
use crate::socket::state::SocketRef;
use crate::socket::waiter::Wait;
use crate::terms::error::Error;
use crate::terms::value::{assoc_id_or_none, is_undefined, uint};
use crate::terms::{address, atoms, info, send_info};

// These are called for each message. Functions on its way that return more than a word are inlined by
// order: through memory it all costs a tenth of what the library takes for a message.
beam::nif!("recv", 2, recv);
beam::nif!("send", 3, send_info, or dirty);
beam::nif!("send", 4, send_stream, or dirty);
beam::nif!("sendv", 5, sendv, or dirty);

/// More data in one message keeps a scheduler longer than it should: the kernel copies it, cuts it up
/// and often enough sends it.
const LARGE: usize = 32 * 1024;

fn recv<'a>(env: Env<'a>, [socket, reference]: [Term<'a>; 2]) -> NifResult<Term<'a>> {
    Ok(receive(env, socket.decode()?, reference, Most::One))
}

/// The same for all that is there, up to a number of messages: `{ok, List}`.
#[rustler::nif]
fn recv_batch<'a>(
    env: Env<'a>,
    socket: &'a SocketRef,
    reference: Term<'a>,
    most: usize,
) -> Term<'a> {
    receive(env, socket, reference, Most::Batch(most.clamp(1, MOST)))
}

fn receive<'a>(env: Env<'a>, socket: &SocketRef, reference: Term<'a>, most: Most) -> Term<'a> {
    let wait = Wait::of(reference);
    match socket.receive(env, socket, wait, most) {
        Ok(Received::Message(answer)) => answer,
        Ok(Received::Wait) => waits(env, socket, wait),
        Ok(Received::Nothing) => env.error_tuple(atoms::timeout()),
        Ok(Received::Already) => Error::Posix(libc::EALREADY).encode(env),
        Ok(Received::Active) => invalid(env),
        Ok(Received::More) => {
            rustler::schedule::consume_timeslice(env, 50);
            atoms::more().to_term(env)
        }
        Err(error) => error.encode(env),
    }
}

/// The caller is registered.
fn waits<'a>(env: Env<'a>, socket: &SocketRef, wait: Wait) -> Term<'a> {
    if let Wait::Select { .. } = wait {
        socket.watch_waiting(env, socket);
    }
    atoms::wait().to_term(env)
}

#[rustler::nif]
fn cancel<'a>(env: Env<'a>, socket: &'a SocketRef, reference: Term<'a>) -> Term<'a> {
    let cancelled = socket.cancel(reference) || socket.stop_accepting(env, reference);
    let answer = if cancelled { atoms::ok() } else { atoms::sent() };
    answer.to_term(env)
}

/// `send/4`: association, stream, and the rest from the default send parameters.
#[inline(always)]
fn send_stream<'a>(
    env: Env<'a>,
    [socket, assoc, stream, data]: [Term<'a>; 4],
    scheduler: Scheduler,
) -> NifResult<Option<Term<'a>>> {
    let socket: &SocketRef = socket.decode()?;
    Ok(match (assoc_id_or_none(assoc), uint(stream)) {
        (Some(assoc), Some(stream)) => {
            send(env, socket, data, scheduler, || socket.default_info(assoc, Some(stream)))
        }
        _ => Some(refused(env, socket)),
    })
}

/// `send/3`: what a record says, the default send parameters aside.
fn send_info<'a>(
    env: Env<'a>,
    [socket, info, data]: [Term<'a>; 3],
    scheduler: Scheduler,
) -> NifResult<Option<Term<'a>>> {
    let socket: &SocketRef = socket.decode()?;
    Ok(match info::to_send(info) {
        Some(info) => send(env, socket, data, scheduler, || Ok(info)),
        None => Some(refused(env, socket)),
    })
}

#[inline(always)]
fn send<'a>(
    env: Env<'a>,
    socket: &SocketRef,
    data: Term<'a>,
    scheduler: Scheduler,
    info: impl FnOnce() -> Result<SndInfo, Error>,
) -> Option<Term<'a>> {
    // Not an iolist: who calls has made one binary of it, where the VM can interrupt that.
    let Ok(data) = data.decode::<Binary>() else { return Some(refused(env, socket)) };
    if scheduler == Scheduler::Normal && data.len() > LARGE {
        return None;
    }
    let sent = info().and_then(|info| socket.send(env, &info, data.as_slice()));
    Some(outcome(env, sent))
}

#[inline(always)]
fn outcome(env: Env, sent: Result<Sent, Error>) -> Term {
    match sent {
        Ok(Sent::Done) => atoms::ok().to_term(env),
        Ok(Sent::Wait(None)) => atoms::wait().to_term(env),
        Ok(Sent::Wait(Some(time))) => (atoms::wait(), time).encode(env),
        Err(error) => error.encode(env),
    }
}

/// `sendv`: an association or `all`, an address of its peer or `undefined`, a list of records; where
/// that says nothing the default send parameters do.
fn sendv<'a>(
    env: Env<'a>,
    [socket, assoc, address, infos, data]: [Term<'a>; 5],
    scheduler: Scheduler,
) -> NifResult<Option<Term<'a>>> {
    let socket: &SocketRef = socket.decode()?;
    let (Some((assoc, to)), Ok(data)) =
        (recipient(socket, assoc, address), data.decode::<Binary>())
    else {
        return Ok(Some(refused(env, socket)));
    };
    // It takes a while where there are many associations.
    if scheduler == Scheduler::Normal && (to == To::All || data.len() > LARGE) {
        return Ok(None);
    }
    let info = socket
        .default_info(assoc, None)
        .and_then(|defaults| send_info::to_send(infos, defaults).ok_or_else(|| why(socket)));
    let sent = info.and_then(|info| socket.send_to(env, to, &info, data.as_slice()));
    Ok(Some(outcome(env, sent)))
}

/// Whom a message is for.
fn recipient(socket: &SocketRef, assoc: Term, path: Term) -> Option<(AssocId, To)> {
    if assoc.decode::<Atom>().is_ok_and(|all| all == atoms::all()) {
        return is_undefined(path).then_some((AssocId::FUTURE, To::All));
    }
    let to = match is_undefined(path) {
        true => To::Assoc,
        false => To::Path(address::record_address(path, socket.family)?),
    };
    Some((assoc_id_or_none(assoc)?, to))
}

/// The answer to a wrong argument where a closed socket is to be told first.
fn refused<'a>(env: Env<'a>, socket: &SocketRef) -> Term<'a> {
    why(socket).encode(env)
}

fn why(socket: &SocketRef) -> Error {
    socket.kernel().err().unwrap_or(Error::INVALID)
}

/// Sends a list of `{Stream | #sctp_sndrcvinfo{} | Infos, Binary}` to one association, from the first on, as
/// many as are sure to be taken, are well made, and keep no scheduler for long; answers how many that
/// were.
#[rustler::nif]
fn send_batch<'a>(
    env: Env<'a>,
    socket: &'a SocketRef,
    assoc: Term<'a>,
    messages: Term<'a>,
) -> Term<'a> {
    let Some(assoc) = assoc_id_or_none(assoc) else { return refused(env, socket) };
    let defaults = match socket.default_info(assoc, None) {
        Ok(defaults) => defaults,
        Err(error) => return error.encode(env),
    };
    let message = |message: Term<'a>| -> Option<(SndInfo, &'a [u8])> {
        let (how, data): (Term, Binary) = message.decode().ok()?;
        let info = match uint(how) {
            Some(stream) => SndInfo { stream, ..defaults },
            None if how.is_tuple() => info::to_send(how)?,
            None => send_info::to_send(how, defaults)?,
        };
        Some((SndInfo { assoc, ..info }, data.as_slice()))
    };
    let mut batch = Vec::with_capacity(sctp::BATCH);
    let (mut rest, mut bytes) = (messages, 0);
    while batch.len() < sctp::BATCH
        && let Ok((first, others)) = rest.list_get_cell()
        && let Some((info, data)) = message(first)
    {
        rest = others;
        bytes += data.len();
        if bytes > SENT_TOGETHER {
            break;
        }
        batch.push((info, data));
    }
    match socket.send_batch(env, assoc, &batch) {
        Ok(sent) => sent.encode(env),
        Err(error) => error.encode(env),
    }
}

#[rustler::nif]
fn await_writable<'a>(
    env: Env<'a>,
    socket: &'a SocketRef,
    assoc: Term<'a>,
    reference: Term<'a>,
) -> Term<'a> {
    let Some(assoc) = assoc_id_or_none(assoc) else { return invalid(env) };
    let wait = Wait::of(reference);
    match socket.await_room(env, socket, assoc, wait) {
        Ok(()) => waits(env, socket, wait),
        Err(error) => error.encode(env),
    }
}

/// `close` where the caller has to close the socket.
#[rustler::nif]
fn give_up_on<'a>(env: Env<'a>, socket: &'a SocketRef, assoc: Term<'a>) -> Term<'a> {
    let Some(assoc) = assoc_id_or_none(assoc) else { return refused(env, socket) };
    match socket.give_up_on(assoc) {
        Ok(false) => atoms::ok().to_term(env),
        Ok(true) => atoms::close().to_term(env),
        Err(error) => error.encode(env),
    }
}
