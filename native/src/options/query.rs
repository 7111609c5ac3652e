//! `inet:getopts/2`.

use rustler::{Atom, Encoder, Env, NewBinary, Term};
use sctp::Family;
use sctp::abi::event_subscribe;
use sctp::option::{Access, Effect, OptionSpec};

use crate::options::record;
use crate::options::setting::kernel_option;
use crate::socket::state::{Socket, State};
use crate::socket::user_options::UserOptions;
use crate::terms::error::Error;
use crate::terms::{active, atoms, value};

/// What is asked for.
pub(crate) enum Query {
    AbortCauses,
    Active,
    MailboxLimit,
    Batch,
    Mode,
    Buffer,
    NonBlockSend,
    Debug,
    Netns,
    Nothing,
    /// With the buffer for the value, in which is what the request says.
    Kernel(&'static OptionSpec, Atom, Vec<u8>),
}

/// One element of a request; `None` if it is malformed.
pub(crate) fn query(term: Term, family: Family) -> Option<Query> {
    let (name, wanted) = match term.decode::<Atom>() {
        Ok(name) => (name, None),
        Err(_) => {
            let (name, wanted) = term.decode::<(Atom, Term)>().ok()?;
            (name, Some(wanted).filter(|wanted| !value::is_undefined(*wanted)))
        }
    };
    let local = match name {
        n if n == atoms::abort_causes() => Query::AbortCauses,
        n if n == atoms::active() => Query::Active,
        n if n == atoms::mailbox_limit() => Query::MailboxLimit,
        n if n == atoms::batch() => Query::Batch,
        n if n == atoms::mode() => Query::Mode,
        n if n == atoms::buffer() => Query::Buffer,
        n if n == atoms::non_block_send() => Query::NonBlockSend,
        n if n == atoms::debug() => Query::Debug,
        n if n == atoms::netns() => Query::Netns,
        n if n == atoms::exclusiveaddruse() => Query::Nothing,
        name => {
            let option = kernel_option(name)?;
            return Some(Query::Kernel(option, name, record::request(option, wanted, family)?));
        }
    };
    wanted.is_none().then_some(local)
}

/// The answers to requests that have one. The kernel is asked under its own lock, as there may be many.
pub(crate) fn answers<'a>(
    env: Env<'a>,
    socket: &Socket,
    queries: Vec<Query>,
) -> Result<Vec<Term<'a>>, Error> {
    let mut answers = Vec::with_capacity(queries.len());
    for query in queries {
        let answer = match query {
            Query::Kernel(option, name, bytes) => {
                ask_kernel(env, socket, option, bytes)?.map(|value| (name, value).encode(env))
            }
            above => answer(env, socket, &socket.lock()?.state, &above),
        };
        answers.extend(answer);
    }
    // Even an empty list asks whether the socket is open.
    drop(socket.kernel()?);
    Ok(answers)
}

/// The answer to a request that the kernel knows nothing of, if there is one.
fn answer<'a>(env: Env<'a>, socket: &Socket, state: &State, query: &Query) -> Option<Term<'a>> {
    let user = &state.user;
    Some(match query {
        Query::AbortCauses => (atoms::abort_causes(), user.view.abort_causes).encode(env),
        Query::Active => (atoms::active(), active::term(env, state.delivery.mode())).encode(env),
        Query::MailboxLimit => {
            let most = match &state.delivery.limit {
                Some(limit) => limit.most().encode(env),
                None => atoms::infinity().to_term(env),
            };
            (atoms::mailbox_limit(), most).encode(env)
        }
        Query::Batch => (atoms::batch(), user.batch).encode(env),
        Query::Mode => {
            let mode = if user.view.list { atoms::list() } else { atoms::binary() };
            (atoms::mode(), mode).encode(env)
        }
        Query::Buffer => (atoms::buffer(), user.buffer).encode(env),
        // Bare, as OTP answers these two.
        Query::NonBlockSend => (!socket.blocking_send()).encode(env),
        Query::Debug => user.debug.encode(env),
        Query::Netns => {
            let path = Term::from(NewBinary::from_slice(env, user.netns.as_ref()?.to_bytes()));
            (atoms::netns(), path).encode(env)
        }
        Query::Nothing | Query::Kernel(..) => return None,
    })
}

fn ask_kernel<'a>(
    env: Env<'a>,
    socket: &Socket,
    option: &OptionSpec,
    mut bytes: Vec<u8>,
) -> Result<Option<Term<'a>>, Error> {
    let kernel = socket.kernel()?;
    if option.access == Access::WriteOnly || option.family.is_some_and(|only| only != socket.family)
    {
        return Ok(None);
    }
    let Ok(len) = kernel.get_option(option, &mut bytes) else { return Ok(None) };
    drop(kernel);
    if option.effect == Effect::Events {
        put_events(&mut bytes, &socket.lock()?.state.user);
    }
    Ok(record::to_term(env, option, &bytes, len))
}

/// What the user wants of those events that are always on.
fn put_events(bytes: &mut [u8], user: &UserOptions) {
    bytes[event_subscribe::DATA_IO] = user.view.data_io.into();
    bytes[event_subscribe::ASSOCIATION] = user.association_event.into();
    bytes[event_subscribe::PARTIAL_DELIVERY] = user.partial_delivery_event.into();
}
