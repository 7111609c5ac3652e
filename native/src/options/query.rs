//! `inet:getopts/2`.

use flow::subscriptions::Needed;
use rustler::{Atom, Encoder, Env, NewBinary, Term};
use sctp::abi::{PATH_POTENTIALLY_FAILED, event_subscribe};
use sctp::bytes::{i32_at, put_i32};
use sctp::option::{Access, Effect, OptionSpec};
use sctp::reassembly::Reassembly;
use sctp::{AssocId, Family};

use crate::options::setting::kernel_option;
use crate::options::{record, subscription};
use crate::socket::mailbox::Limit;
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
    MaxMessageSize,
    NonBlockSend,
    SendTimeout,
    SendTimeoutClose,
    Debug,
    Netns,
    EndOfStream,
    RecvRcvInfo,
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
        n if n == atoms::max_message_size() => Query::MaxMessageSize,
        n if n == atoms::non_block_send() => Query::NonBlockSend,
        n if n == atoms::send_timeout() => Query::SendTimeout,
        n if n == atoms::send_timeout_close() => Query::SendTimeoutClose,
        n if n == atoms::debug() => Query::Debug,
        n if n == atoms::netns() => Query::Netns,
        n if n == atoms::end_of_stream() => Query::EndOfStream,
        n if n == atoms::sctp_recvrcvinfo() => Query::RecvRcvInfo,
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
            Query::Kernel(option, name, bytes) => match ask_kernel(env, socket, option, bytes) {
                Ok(value) => Some((name, value).encode(env)),
                Err(Error::Closed) => return Err(Error::Closed),
                // Left out, as OTP does.
                Err(Error::Posix(_)) => None,
            },
            above => answer(env, socket, &socket.lock()?.state, &above),
        };
        answers.extend(answer);
    }
    // Even an empty list asks whether the socket is open.
    drop(socket.kernel()?);
    Ok(answers)
}

/// The value that is asked for, by itself, or why there is none.
pub(crate) fn value<'a>(env: Env<'a>, socket: &Socket, query: Query) -> Result<Term<'a>, Error> {
    match query {
        Query::Kernel(option, _, bytes) => ask_kernel(env, socket, option, bytes),
        above => match answer(env, socket, &socket.lock()?.state, &above) {
            // Some answers are bare values.
            Some(answer) => {
                Ok(answer.decode::<(Atom, Term)>().map_or(answer, |(_name, value)| value))
            }
            None if matches!(above, Query::Netns) => Ok(atoms::undefined().to_term(env)),
            None => Err(Error::Posix(libc::ENOPROTOOPT)),
        },
    }
}

/// The answer to a request that the kernel knows nothing of, if there is one.
fn answer<'a>(env: Env<'a>, socket: &Socket, state: &State, query: &Query) -> Option<Term<'a>> {
    let user = &state.user;
    Some(match query {
        Query::AbortCauses => (atoms::abort_causes(), user.view.abort_causes).encode(env),
        Query::Active => (atoms::active(), active::term(env, state.delivery.mode())).encode(env),
        Query::MailboxLimit => {
            let most = state.delivery.limit.as_ref().map(Limit::most);
            (atoms::mailbox_limit(), or_infinity(env, most)).encode(env)
        }
        Query::Batch => (atoms::batch(), user.batch).encode(env),
        Query::Mode => {
            let mode = if user.view.list { atoms::list() } else { atoms::binary() };
            (atoms::mode(), mode).encode(env)
        }
        Query::Buffer => (atoms::buffer(), user.buffer).encode(env),
        Query::MaxMessageSize => {
            let most = Some(user.max_message_size).filter(|most| *most < Reassembly::MESSAGE_MAX);
            (atoms::max_message_size(), or_infinity(env, most)).encode(env)
        }
        // Bare, as OTP answers these two.
        Query::NonBlockSend => socket.patience.non_block().encode(env),
        Query::Debug => user.debug.encode(env),
        Query::SendTimeout => {
            (atoms::send_timeout(), or_infinity(env, socket.patience.timeout())).encode(env)
        }
        Query::SendTimeoutClose => {
            (atoms::send_timeout_close(), socket.patience.closes()).encode(env)
        }
        Query::Netns => {
            let path = Term::from(NewBinary::from_slice(env, user.netns.as_ref()?.to_bytes()));
            (atoms::netns(), path).encode(env)
        }
        Query::EndOfStream => {
            let told = if user.tells_end() { atoms::closed() } else { atoms::wait() };
            (atoms::end_of_stream(), told).encode(env)
        }
        Query::RecvRcvInfo => (atoms::sctp_recvrcvinfo(), user.view.info.rcvinfo).encode(env),
        Query::Nothing | Query::Kernel(..) => return None,
    })
}

fn or_infinity(env: Env, number: Option<impl Encoder>) -> Term {
    match number {
        Some(number) => number.encode(env),
        None => atoms::infinity().to_term(env),
    }
}

fn ask_kernel<'a>(
    env: Env<'a>,
    socket: &Socket,
    option: &OptionSpec,
    mut bytes: Vec<u8>,
) -> Result<Term<'a>, Error> {
    let kernel = socket.kernel()?;
    if option.access == Access::WriteOnly {
        return Err(Error::Posix(libc::EOPNOTSUPP));
    }
    if option.family.is_some_and(|only| only != socket.family) {
        return Err(Error::Posix(libc::ENOPROTOOPT));
    }
    let len = kernel.get_option(option, &mut bytes)?;
    drop(kernel);
    match option.effect {
        Effect::Events => put_events(&mut bytes, &socket.lock()?.state.user),
        Effect::Subscription => {
            subscription::put(&mut bytes, socket.style, &socket.lock()?.state.user.subscriptions);
        }
        Effect::PathState(at) => hide_state(&mut bytes, at, socket)?,
        _ => {}
    }
    record::to_term(env, option, &bytes, len).ok_or(Error::Posix(libc::EIO))
}

/// A state of paths that has no name.
const NO_STATE: i32 = -1;

/// Takes the state of a path away from users who do not know of it.
fn hide_state(bytes: &mut [u8], at: usize, socket: &Socket) -> Result<(), Error> {
    let failing = i32_at(bytes, at) == Some(PATH_POTENTIALLY_FAILED);
    if failing && !socket.lock()?.state.user.potentially_failed {
        put_i32(bytes, at, NO_STATE);
    }
    Ok(())
}

/// What the user wants of those events that are always on.
fn put_events(bytes: &mut [u8], user: &UserOptions) {
    let on = |event| u8::from(user.subscriptions.is_on(event, AssocId::FUTURE));
    bytes[event_subscribe::DATA_IO] = user.view.info.data_io.into();
    bytes[event_subscribe::ASSOCIATION] = on(Needed::Association);
    bytes[event_subscribe::PARTIAL_DELIVERY] = on(Needed::PartialDelivery);
}
