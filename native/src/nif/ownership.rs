//! Whose a socket is, and who watches it.

use beam::message;
use rustler::{Encoder, Env, LocalPid, ResourceArc, Term};
use sctp::{Family, Style};

use crate::nif::value;
use crate::socket::owner::Begun;
use crate::socket::state::{Handle, SocketRef};
use crate::socket::watch;
use crate::socket::watchers::Watch;
use crate::terms::atoms;

#[rustler::nif]
fn family<'a>(env: Env<'a>, socket: &'a SocketRef) -> Term<'a> {
    let family = match socket.family {
        Family::Inet => atoms::inet(),
        Family::Inet6 => atoms::inet6(),
    };
    value(env, socket.lock().map(|_| family))
}

/// Whether it is open or not.
#[rustler::nif]
fn style<'a>(env: Env<'a>, socket: &'a SocketRef) -> Term<'a> {
    match socket.style {
        Style::OneToMany => atoms::seqpacket().to_term(env),
        Style::OneToOne => atoms::stream().to_term(env),
    }
}

#[rustler::nif]
fn owner<'a>(env: Env<'a>, socket: &'a SocketRef) -> Term<'a> {
    value(env, socket.lock().map(|open| open.state.ownership.owner()))
}

#[rustler::nif]
fn handover<'a>(env: Env<'a>, socket: &'a SocketRef, to: Term<'a>) -> Term<'a> {
    match socket.handover(env, to.decode().ok()) {
        Ok(Begun::Ready) => atoms::ok().to_term(env),
        Ok(Begun::Same) => atoms::same().to_term(env),
        Ok(Begun::NotOwner) => env.error_tuple(atoms::not_owner()),
        Ok(Begun::Dead) => env.error_tuple(atoms::badarg()),
        Err(error) => error.encode(env),
    }
}

/// Sends a message of a socket to who is about to own it: as the library sends all others, so that
/// they keep their order.
#[rustler::nif]
fn forward(to: LocalPid, message: Term) -> bool {
    message::send(&to, |env| message.in_env(env))
}

#[rustler::nif]
fn adopt(env: Env, socket: Handle, to: LocalPid) -> Term {
    match socket.adopt(env, &socket, to) {
        Ok(true) => atoms::ok().to_term(env),
        Ok(false) => env.error_tuple(atoms::badarg()),
        Err(error) => error.encode(env),
    }
}

#[rustler::nif]
fn monitor(env: Env, socket: Handle) -> Term {
    value(env, socket.watch(env, &socket))
}

#[rustler::nif]
fn demonitor(env: Env, reference: Term) -> bool {
    reference.decode::<ResourceArc<Watch>>().is_ok_and(|watch| watch::cancel(&watch, env))
}
