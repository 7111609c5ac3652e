//! What is sent and received.

use rustler::{Binary, Encoder, Env, NifResult, Reference, Term};
use sctp::SndInfo;

use crate::message::Most;
use crate::nif::invalid;
use crate::socket::inbox::MOST;
use crate::socket::receive::Received;
use crate::socket::send::{SENT_TOGETHER, Sent};
use crate::socket::state::SocketRef;
use crate::terms::error::Error;
use crate::terms::value::{assoc_id_or_none, uint};
use crate::terms::{atoms, info};

// These are called for each message.
beam::nif!("recv", 2, recv);
beam::nif!("send", 3, send_info);
beam::nif!("send", 4, send_stream);

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
    let reference = Some(reference).filter(|reference| reference.is_ref());
    match socket.receive(env, reference, most) {
        Ok(Received::Message(answer)) => answer,
        Ok(Received::Wait) => atoms::wait().to_term(env),
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

#[rustler::nif]
fn cancel<'a>(env: Env<'a>, socket: &'a SocketRef, reference: Term<'a>) -> Term<'a> {
    let answer = if socket.cancel(reference) { atoms::ok() } else { atoms::sent() };
    answer.to_term(env)
}

/// `send/4`: association, stream, and the rest from the default send parameters.
fn send_stream<'a>(
    env: Env<'a>,
    [socket, assoc, stream, data]: [Term<'a>; 4],
) -> NifResult<Term<'a>> {
    Ok(send_on_stream(env, socket.decode()?, assoc, stream, data))
}

/// The same for much data. Dirty: the kernel copies it, cuts it up and often enough sends it.
#[rustler::nif(name = "send_large", schedule = "DirtyIo")]
fn send_stream_large<'a>(
    env: Env<'a>,
    socket: &'a SocketRef,
    assoc: Term<'a>,
    stream: Term<'a>,
    data: Term<'a>,
) -> Term<'a> {
    send_on_stream(env, socket, assoc, stream, data)
}

fn send_on_stream<'a>(
    env: Env<'a>,
    socket: &SocketRef,
    assoc: Term<'a>,
    stream: Term<'a>,
    data: Term<'a>,
) -> Term<'a> {
    match (assoc_id_or_none(assoc), uint(stream)) {
        (Some(assoc), Some(stream)) => send(env, socket, socket.default_info(assoc, stream), data),
        _ => refused(env, socket),
    }
}

/// `send/3`: what a record says, the default send parameters aside.
fn send_info<'a>(env: Env<'a>, [socket, info, data]: [Term<'a>; 3]) -> NifResult<Term<'a>> {
    Ok(send_with_info(env, socket.decode()?, info, data))
}

/// The same for much data.
#[rustler::nif(name = "send_large", schedule = "DirtyIo")]
fn send_info_large<'a>(
    env: Env<'a>,
    socket: &'a SocketRef,
    info: Term<'a>,
    data: Term<'a>,
) -> Term<'a> {
    send_with_info(env, socket, info, data)
}

fn send_with_info<'a>(
    env: Env<'a>,
    socket: &SocketRef,
    info: Term<'a>,
    data: Term<'a>,
) -> Term<'a> {
    match info::to_send(info) {
        Some(info) => send(env, socket, Ok(info), data),
        None => refused(env, socket),
    }
}

fn send<'a>(
    env: Env<'a>,
    socket: &SocketRef,
    info: Result<SndInfo, Error>,
    data: Term<'a>,
) -> Term<'a> {
    // Not an iolist: who calls has made one binary of it, where the VM can interrupt that.
    let Ok(data) = data.decode::<Binary>() else { return refused(env, socket) };
    match info.and_then(|info| socket.send(env, &info, data.as_slice())) {
        Ok(Sent::Done) => atoms::ok().to_term(env),
        Ok(Sent::Wait) => atoms::wait().to_term(env),
        Err(error) => error.encode(env),
    }
}

/// The answer to a wrong argument where a closed socket is to be told first.
fn refused<'a>(env: Env<'a>, socket: &SocketRef) -> Term<'a> {
    socket.kernel().err().unwrap_or(Error::INVALID).encode(env)
}

/// Sends a list of `{Stream | #sctp_sndrcvinfo{}, Binary}` to one association, from the first on, as
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
    let defaults = match socket.default_info(assoc, 0) {
        Ok(defaults) => defaults,
        Err(error) => return error.encode(env),
    };
    let message = |message: Term<'a>| -> Option<(SndInfo, &'a [u8])> {
        let (how, data): (Term, Binary) = message.decode().ok()?;
        let info = match uint(how) {
            Some(stream) => SndInfo { stream, ..defaults },
            None => info::to_send(how)?,
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
    reference: Reference<'a>,
) -> Term<'a> {
    let Some(assoc) = assoc_id_or_none(assoc) else { return invalid(env) };
    match socket.await_room(env, assoc, *reference) {
        Ok(()) => atoms::wait().to_term(env),
        Err(error) => error.encode(env),
    }
}
