//! Options.

use rustler::{Env, NifResult, ResourceArc, Term};
use sctp::Family;

use crate::nif::{done, invalid, value};
use crate::options::setting::{MOST, Setting, setting};
use crate::options::{apply, query};
use crate::socket::mailbox::{Question, is_watched};
use crate::socket::state::SocketRef;
use crate::terms::value::{is_longer, list};
use crate::terms::{active, atoms};

/// Entries that keep no scheduler for long, with a system call each; more are for dirty ones.
const FEW: usize = 16;

// This is called for each message, by owners who get one at a time.
beam::nif!("set_active", 2, set_active);

/// `setopts/2` of the mode alone.
fn set_active<'a>(env: Env<'a>, [socket, mode]: [Term<'a>; 2]) -> NifResult<Term<'a>> {
    let socket: &SocketRef = socket.decode()?;
    Ok(match active::request(mode) {
        Some(request) => done(env, socket.set_active(socket, request)),
        None => invalid(env),
    })
}

/// Nothing is done where the answer is `many`, for more than a few options, or `limited`, for a bound
/// whose process does not run.
#[rustler::nif]
fn setopts<'a>(env: Env<'a>, socket: &'a SocketRef, options: Term<'a>) -> NifResult<Term<'a>> {
    if is_longer(options, FEW) {
        return Ok(atoms::many().to_term(env));
    }
    set(env, socket, options)
}

/// The same for as many options as there may be. Dirty: each is a system call.
#[rustler::nif(schedule = "DirtyIo")]
fn setopts_many<'a>(env: Env<'a>, socket: &'a SocketRef, options: Term<'a>) -> NifResult<Term<'a>> {
    set(env, socket, options)
}

fn set<'a>(env: Env<'a>, socket: &SocketRef, options: Term<'a>) -> NifResult<Term<'a>> {
    match list(options, MOST, |option| setting(option, socket.family)) {
        Ok(settings) if settings.iter().any(Setting::is_limit) && !is_watched(env) => {
            Ok(atoms::limited().to_term(env))
        }
        Ok(settings) => Ok(done(env, apply::apply(socket, settings))),
        Err(bad) => bad.answer(env),
    }
}

#[rustler::nif]
fn getopts<'a>(env: Env<'a>, socket: &'a SocketRef, options: Term<'a>) -> NifResult<Term<'a>> {
    if is_longer(options, FEW) {
        return Ok(atoms::many().to_term(env));
    }
    get(env, socket, options)
}

/// The same for as many options as there may be.
#[rustler::nif(schedule = "DirtyIo")]
fn getopts_many<'a>(env: Env<'a>, socket: &'a SocketRef, options: Term<'a>) -> NifResult<Term<'a>> {
    get(env, socket, options)
}

fn get<'a>(env: Env<'a>, socket: &SocketRef, options: Term<'a>) -> NifResult<Term<'a>> {
    if is_longer(options, MOST) {
        return Ok(env.error_tuple(atoms::enomem()));
    }
    match list(options, MOST, |option| query::query(option, socket.family)) {
        Ok(queries) => Ok(value(env, query::answers(env, socket, queries))),
        Err(bad) => bad.answer(env),
    }
}

/// Would `setopts` find name and type of an option right, on a socket that has all options?
#[rustler::nif]
fn check_opt(option: Term) -> bool {
    setting(option, Family::Inet6).is_some()
}

#[rustler::nif]
fn grant<'a>(
    env: Env<'a>,
    socket: &'a SocketRef,
    question: ResourceArc<Question>,
    messages: u32,
) -> Term<'a> {
    done(env, socket.grant(&question, messages))
}
