//! Options.

use beam::entry::Scheduler;
use rustler::{Atom, Encoder, Env, NifResult, ResourceArc, Term};
use sctp::Family;
use sctp::option::{Access, Shape};

use crate::nif::{done, invalid, value};
use crate::options::setting::{MOST, Setting, kernel_option, known, setting};
use crate::options::{apply, query};
use crate::socket::mailbox::{Question, is_watched};
use crate::socket::state::SocketRef;
use crate::terms::value::{is_longer, list};
use crate::terms::{active, atoms};

/// Entries that keep no scheduler for long, with a system call each; more are for dirty ones.
const FEW: usize = 16;

// This is called for each message, by owners who get one at a time.
beam::nif!("set_active", 2, set_active);
beam::nif!("setopts", 2, setopts, or dirty);
beam::nif!("getopts", 2, getopts, or dirty);

/// `setopts/2` of the mode alone.
fn set_active<'a>(env: Env<'a>, [socket, mode]: [Term<'a>; 2]) -> NifResult<Term<'a>> {
    let socket: &SocketRef = socket.decode()?;
    Ok(match active::request(mode) {
        Some(request) => done(env, socket.set_active(socket, request)),
        None => invalid(env),
    })
}

/// Nothing is done where the answer is `limited`: for a bound whose process does not run.
fn setopts<'a>(
    env: Env<'a>,
    [socket, options]: [Term<'a>; 2],
    scheduler: Scheduler,
) -> NifResult<Option<Term<'a>>> {
    let socket: &SocketRef = socket.decode()?;
    if scheduler == Scheduler::Normal && is_longer(options, FEW) {
        return Ok(None);
    }
    Ok(Some(match list(options, MOST, |option| setting(option, socket.family)) {
        Ok(settings) if settings.iter().any(Setting::is_limit) && !is_watched(env) => {
            atoms::limited().to_term(env)
        }
        Ok(settings)
            if scheduler == Scheduler::Normal && settings.iter().any(Setting::is_of_many) =>
        {
            return Ok(None);
        }
        Ok(settings) => done(env, apply::apply(socket, settings)),
        Err(bad) => bad.answer(env)?,
    }))
}

fn getopts<'a>(
    env: Env<'a>,
    [socket, options]: [Term<'a>; 2],
    scheduler: Scheduler,
) -> NifResult<Option<Term<'a>>> {
    let socket: &SocketRef = socket.decode()?;
    if is_longer(options, MOST) {
        return Ok(Some(env.error_tuple(atoms::enomem())));
    }
    if scheduler == Scheduler::Normal && is_longer(options, FEW) {
        return Ok(None);
    }
    Ok(Some(match list(options, MOST, |option| query::query(option, socket.family)) {
        Ok(queries) => value(env, query::answers(env, socket, queries)),
        Err(bad) => bad.answer(env)?,
    }))
}

/// An option by itself, with the kernel's error. One that is not known, or a wrong request, is badarg.
#[rustler::nif]
fn getopt<'a>(env: Env<'a>, socket: &'a SocketRef, option: Term<'a>) -> NifResult<Term<'a>> {
    // Whatever else is wrong.
    if let Err(error) = socket.kernel() {
        return Ok(error.encode(env));
    }
    let query = query::query(option, socket.family).ok_or(rustler::Error::BadArg)?;
    Ok(value(env, query::value(env, socket, query)))
}

/// Would `setopts` find name and type of an option right, on a socket that has all options?
#[rustler::nif]
fn check_opt(option: Term) -> bool {
    known(option, Family::Inet6).is_some()
}

/// What a kernel's option takes, for who gave it something else; `undefined` if there is none of this
/// name.
#[rustler::nif]
fn option_shape<'a>(env: Env<'a>, name: Atom) -> Term<'a> {
    let Some(option) = kernel_option(name) else { return atoms::undefined().to_term(env) };
    if option.access == Access::ReadOnly {
        return atoms::read_only().to_term(env);
    }
    match option.shape {
        Shape::Bool => atoms::boolean().to_term(env),
        Shape::Int => atoms::integer().to_term(env),
        Shape::UInt | Shape::AssocUInt | Shape::AssocId => atoms::non_neg_integer().to_term(env),
        Shape::Linger => atoms::linger().to_term(env),
        Shape::DeviceName => atoms::device().to_term(env),
        Shape::Record(record) => (atoms::record(), record.tag).encode(env),
        Shape::Chunk => atoms::chunk().to_term(env),
    }
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
