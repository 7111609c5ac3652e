//! The NIFs: decode, one call, encode. None blocks; what may take long runs on dirty schedulers.
//!
//! Their contract with `gen_sctp_nif_prim` is that module's documentation.

use beam::message;
use rustler::{
    Atom, Binary, Encoder, Env, Error, LocalPid, NifResult, Reference, ResourceArc, Term,
};
use sctp::types::{AssocId, Family, SndInfo, Style};

use crate::batch::{self, Collect};
use crate::closer;
use crate::defaults::SendDefaults;
use crate::limit::Question;
use crate::message::Message;
use crate::owner::{self, Begun};
use crate::pump::Take;
use crate::receive::{Connecting, Received};
use crate::socket::{Closed, Handle, Inner, SocketRef, State, UserOptions};
use crate::waiter::Waiter;
use crate::watch::Watch;
use crate::{atoms, decode, encode, options, poller, report};

type Ref = Handle;

// These are called for each message.
beam::nif!("send", 3, send_info);
beam::nif!("send", 4, send_stream);
beam::nif!("set_active", 2, set_active);

fn closed(env: Env) -> Term {
    env.error_tuple(atoms::closed())
}

fn einval(env: Env) -> Term {
    env.error_tuple(atoms::einval())
}

/// The answer to a wrong argument where a closed socket is to be told first.
fn closed_or_einval<'a>(env: Env<'a>, socket: &SocketRef) -> Term<'a> {
    if socket.0.kernel.read().is_some() { einval(env) } else { closed(env) }
}

fn done<'a>(env: Env<'a>, result: Result<std::io::Result<()>, Closed>) -> Term<'a> {
    match result {
        Ok(Ok(())) => atoms::ok().to_term(env),
        Ok(Err(error)) => encode::posix_error(env, &error),
        Err(Closed) => closed(env),
    }
}

/// Opens a socket for the calling process; `elsewhere` if that is for [`open_dirty`] to do.
#[rustler::nif]
fn open<'a>(env: Env<'a>, family: Atom, style: Atom, netns: Term<'a>) -> NifResult<Term<'a>> {
    // The first socket has the kernel load its module, if it has not; for another network namespace
    // it takes a thread.
    if poller::tokens() == 0 || !decode::is_undefined(netns) {
        return Ok(atoms::elsewhere().to_term(env));
    }
    open_for(env, family, style, netns)
}

/// The same where it may take long.
#[rustler::nif(schedule = "DirtyIo")]
fn open_dirty<'a>(env: Env<'a>, family: Atom, style: Atom, netns: Term<'a>) -> NifResult<Term<'a>> {
    open_for(env, family, style, netns)
}

fn open_for<'a>(env: Env<'a>, family: Atom, style: Atom, netns: Term<'a>) -> NifResult<Term<'a>> {
    let family = match family {
        inet if inet == atoms::inet() => Family::Inet,
        inet6 if inet6 == atoms::inet6() => Family::Inet6,
        _ => return Err(Error::BadArg),
    };
    let style = match style {
        seqpacket if seqpacket == atoms::seqpacket() => Style::OneToMany,
        stream if stream == atoms::stream() => Style::OneToOne,
        _ => return Err(Error::BadArg),
    };
    let netns = match decode::is_undefined(netns) {
        true => None,
        false => Some(decode::path(&netns.decode::<Binary>()?)),
    };
    Ok(match sctp::Socket::open(family, style, netns.as_deref()) {
        Ok(kernel) => {
            let user = UserOptions { netns, ..Default::default() };
            match Inner::create(env, kernel, SendDefaults::default(), user, false) {
                Ok(socket) => (atoms::ok(), socket).encode(env),
                Err(error) => encode::posix_error(env, &error),
            }
        }
        Err(error) => encode::posix_error(env, &error),
    })
}

#[rustler::nif]
fn bind<'a>(env: Env<'a>, socket: Ref, address: Term<'a>) -> Term<'a> {
    let Some(address) = decode::address(address) else { return einval(env) };
    done(env, socket.0.lock().map(|open| open.kernel().bind(address)))
}

/// Dirty: there may be many addresses, and the peers are told.
#[rustler::nif(schedule = "DirtyIo")]
fn bindx<'a>(env: Env<'a>, socket: Ref, how: Atom, addresses: Term<'a>) -> NifResult<Term<'a>> {
    let how = match how {
        add if add == atoms::add() => sctp::Bindx::Add,
        remove if remove == atoms::remove() => sctp::Bindx::Remove,
        _ => return Err(Error::BadArg),
    };
    let Some(addresses) = decode::addresses(addresses) else { return Ok(einval(env)) };
    Ok(done(env, socket.0.lock().map(|open| open.kernel().bindx(how, &addresses))))
}

#[rustler::nif]
fn listen(env: Env, socket: Ref, backlog: i32) -> Term {
    done(env, socket.0.listen(&socket, backlog))
}

#[rustler::nif]
fn connect<'a>(env: Env<'a>, socket: Ref, addresses: Term<'a>, reference: Term<'a>) -> Term<'a> {
    connect_to(env, &socket, addresses, reference)
}

/// The same for many addresses. Dirty: the kernel looks for a route to each.
#[rustler::nif(schedule = "DirtyIo")]
fn connect_many<'a>(
    env: Env<'a>,
    socket: Ref,
    addresses: Term<'a>,
    reference: Term<'a>,
) -> Term<'a> {
    connect_to(env, &socket, addresses, reference)
}

fn connect_to<'a>(
    env: Env<'a>,
    socket: &Ref,
    addresses: Term<'a>,
    reference: Term<'a>,
) -> Term<'a> {
    let addresses = match decode::addresses(addresses) {
        Some(addresses) if !addresses.is_empty() => addresses,
        _ => return einval(env),
    };
    let reference = Some(reference).filter(|reference| reference.is_ref());
    let take = |_: &State, message: Message| encode::connect_result(env, &message);
    match socket.0.connect(env, &addresses, reference, take) {
        Ok(Ok(Connecting::Started(assoc))) => (atoms::ok(), assoc.to_u32()).encode(env),
        Ok(Ok(Connecting::Done(outcome))) => outcome,
        Ok(Ok(Connecting::Wait)) => atoms::wait().to_term(env),
        Ok(Err(error)) => encode::posix_error(env, &error),
        Err(Closed) => closed(env),
    }
}

#[rustler::nif]
fn cancel<'a>(env: Env<'a>, socket: Ref, reference: Term<'a>) -> Term<'a> {
    let answer = if socket.0.cancel(reference) { atoms::ok() } else { atoms::sent() };
    answer.to_term(env)
}

#[rustler::nif]
fn recv<'a>(env: Env<'a>, socket: Ref, reference: Term<'a>) -> Term<'a> {
    let take = |state: &State, message: Message| encode::received(env, message, &state.user);
    receive(env, &socket, reference, take)
}

/// The same for all that is there, up to a number of messages: `{ok, List}`.
#[rustler::nif]
fn recv_batch<'a>(env: Env<'a>, socket: Ref, reference: Term<'a>, most: usize) -> Term<'a> {
    let most = most.clamp(1, batch::MOST);
    receive(env, &socket, reference, Collect { env, most })
}

fn receive<'a>(
    env: Env<'a>,
    socket: &Ref,
    reference: Term<'a>,
    take: impl Take<Taken = Term<'a>>,
) -> Term<'a> {
    let reference = Some(reference).filter(|reference| reference.is_ref());
    match socket.0.receive(env, reference, take) {
        Ok(Received::Message(message)) => message,
        Ok(Received::Error(errno)) => env.error_tuple(encode::errno(env, errno)),
        Ok(Received::Already) => env.error_tuple(atoms::ealready()),
        Ok(Received::Active) => einval(env),
        Ok(Received::Wait) if reference.is_some() => atoms::wait().to_term(env),
        Ok(Received::More) => {
            rustler::schedule::consume_timeslice(env, 50);
            atoms::more().to_term(env)
        }
        Ok(Received::Wait) => env.error_tuple(atoms::timeout()),
        Err(Closed) => closed(env),
    }
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
    let (Some(assoc), Some(stream)) = (decode::assoc_id_or_none(assoc), decode::uint(stream))
    else {
        return closed_or_einval(env, socket);
    };
    send_with(env, socket, data, |kernel| SndInfo {
        stream,
        assoc,
        ..socket.0.defaults.get(kernel, assoc)
    })
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
    let Some(info) = decode::send_info(info) else { return closed_or_einval(env, socket) };
    send_with(env, socket, data, |_| info)
}

fn send_with<'a>(
    env: Env<'a>,
    socket: &SocketRef,
    data: Term<'a>,
    info: impl FnOnce(&sctp::Socket) -> SndInfo,
) -> Term<'a> {
    let kernel = socket.0.kernel.read();
    let Some(kernel) = kernel.as_ref() else { return closed(env) };
    // Not an iolist: who calls has made one binary of it, where the VM can interrupt that.
    let Ok(data) = data.decode::<Binary>() else { return einval(env) };
    charge(env, 1, data.len());
    match kernel.send(&info(kernel), data.as_slice()) {
        Ok(()) => {
            socket.0.sent.add(data.len());
            atoms::ok().to_term(env)
        }
        Err(error) if error.raw_os_error() == Some(libc::EAGAIN) && socket.0.blocking_send() => {
            atoms::wait().to_term(env)
        }
        Err(error) => encode::posix_error(env, &error),
    }
}

/// Bytes that are sent together. A message that is larger gains nothing from company.
const SENT_TOGETHER: usize = 16 * 1024;

/// Sends a list of `{Stream | #sctp_sndrcvinfo{}, Binary}` to one association, from the first on, as
/// many as are sure to be taken, are well made, and keep no scheduler for long; answers how many that
/// were.
#[rustler::nif]
fn send_batch<'a>(env: Env<'a>, socket: Ref, assoc: Term<'a>, messages: Term<'a>) -> Term<'a> {
    let kernel = socket.0.kernel.read();
    let Some(kernel) = kernel.as_ref() else { return closed(env) };
    let Some(assoc) = decode::assoc_id_or_none(assoc) else { return einval(env) };
    let defaults = socket.0.defaults.get(kernel, assoc);
    let message = |message: Term<'a>| -> Option<(SndInfo, &'a [u8])> {
        let (how, data): (Term, Binary) = message.decode().ok()?;
        let info = match decode::uint(how) {
            Some(stream) => SndInfo { stream, ..defaults },
            None => decode::send_info(how)?,
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
    if batch.is_empty() {
        return 0.encode(env);
    }
    let sent = kernel.send_batch(assoc, &batch);
    let lengths = batch[..sent].iter().map(|(_, data)| data.len());
    charge(env, sent, lengths.clone().sum());
    lengths.for_each(|len| socket.0.sent.add(len));
    sent.encode(env)
}

/// Charges the caller for sending, so that who sends in a loop leaves the scheduler to who receives:
/// for a call as much as a port is charged for (200 reductions of 4000), more for much.
fn charge(env: Env, messages: usize, len: usize) {
    let percent = i32::try_from(3 + 2 * messages + len / 8192).unwrap_or(100);
    rustler::schedule::consume_timeslice(env, percent.min(100));
}

#[rustler::nif]
fn await_writable<'a>(
    env: Env<'a>,
    socket: Ref,
    assoc: Term<'a>,
    reference: Reference<'a>,
) -> Term<'a> {
    let Some(assoc) = decode::assoc_id_or_none(assoc) else { return einval(env) };
    match socket.0.await_writable(env, assoc, *reference) {
        Ok(()) => atoms::wait().to_term(env),
        Err(Closed) => closed(env),
    }
}

/// `setopts/2` of the mode alone.
fn set_active<'a>(env: Env<'a>, [socket, mode]: [Term<'a>; 2]) -> NifResult<Term<'a>> {
    Ok(options::set_active(env, socket.decode()?, mode))
}

#[rustler::nif]
fn setopts<'a>(env: Env<'a>, socket: Ref, list: Term<'a>) -> NifResult<Term<'a>> {
    options::set(env, &socket, list)
}

/// The same for many options. Dirty: each is a system call.
#[rustler::nif(schedule = "DirtyIo")]
fn setopts_many<'a>(env: Env<'a>, socket: Ref, list: Term<'a>) -> NifResult<Term<'a>> {
    options::set_many(env, &socket, list)
}

#[rustler::nif]
fn grant(env: Env, socket: Ref, question: ResourceArc<Question>, messages: u32) -> Term {
    match socket.0.grant(&question, messages) {
        Ok(()) => atoms::ok().to_term(env),
        Err(Closed) => closed(env),
    }
}

#[rustler::nif]
fn getopts<'a>(env: Env<'a>, socket: Ref, list: Term<'a>) -> NifResult<Term<'a>> {
    options::get(env, &socket, list)
}

/// The same for many options.
#[rustler::nif(schedule = "DirtyIo")]
fn getopts_many<'a>(env: Env<'a>, socket: Ref, list: Term<'a>) -> NifResult<Term<'a>> {
    options::get_many(env, &socket, list)
}

#[rustler::nif]
fn check_opt(option: Term) -> bool {
    options::check(option)
}

#[rustler::nif]
fn getstat<'a>(env: Env<'a>, socket: Ref, items: Term<'a>) -> NifResult<Term<'a>> {
    report::getstat(env, &socket, items)
}

fn addressed<'a>(
    env: Env<'a>,
    result: Result<std::io::Result<std::net::SocketAddr>, Closed>,
) -> Term<'a> {
    match result {
        Ok(Ok(address)) => (atoms::ok(), encode::address(env, address)).encode(env),
        Ok(Err(error)) => encode::posix_error(env, &error),
        Err(Closed) => closed(env),
    }
}

#[rustler::nif]
fn sockname(env: Env, socket: Ref) -> Term {
    addressed(env, socket.0.lock().map(|open| open.kernel().local_addr()))
}

#[rustler::nif]
fn peername(env: Env, socket: Ref) -> Term {
    addressed(env, socket.0.lock().map(|open| open.kernel().peer_addr()))
}

/// The descriptor stays ours, and whoever uses it has to be done before the socket is closed.
#[rustler::nif]
fn getfd(env: Env, socket: Ref) -> Term {
    match socket.0.lock().map(|open| open.kernel().fd()) {
        Ok(Ok(fd)) => (atoms::ok(), fd).encode(env),
        Ok(Err(error)) => encode::posix_error(env, &error),
        Err(Closed) => closed(env),
    }
}

fn address_list<'a>(
    env: Env<'a>,
    socket: &Ref,
    assoc: Term<'a>,
    ask: impl FnOnce(&sctp::Socket, AssocId) -> std::io::Result<Vec<std::net::SocketAddr>>,
) -> Term<'a> {
    let Some(assoc) = decode::assoc_id(assoc) else { return einval(env) };
    match socket.0.lock().map(|open| ask(open.kernel(), assoc)) {
        Ok(Ok(list)) => {
            let list: Vec<_> = list.into_iter().map(|addr| encode::address(env, addr)).collect();
            (atoms::ok(), list).encode(env)
        }
        Ok(Err(error)) => encode::posix_error(env, &error),
        Err(Closed) => closed(env),
    }
}

#[rustler::nif]
fn socknames<'a>(env: Env<'a>, socket: Ref, assoc: Term<'a>) -> Term<'a> {
    address_list(env, &socket, assoc, sctp::Socket::local_addrs)
}

#[rustler::nif]
fn peernames<'a>(env: Env<'a>, socket: Ref, assoc: Term<'a>) -> Term<'a> {
    address_list(env, &socket, assoc, sctp::Socket::peer_addrs)
}

/// Dirty: what was read of the association is looked for among all that was read ahead.
#[rustler::nif(schedule = "DirtyIo")]
fn peeloff<'a>(env: Env<'a>, socket: Ref, assoc: Term<'a>) -> Term<'a> {
    let Some(assoc) = decode::assoc_id(assoc) else { return einval(env) };
    match socket.0.peeloff(env, assoc) {
        Ok(Ok(peeled)) => (atoms::ok(), peeled).encode(env),
        Ok(Err(error)) => encode::posix_error(env, &error),
        Err(Closed) => closed(env),
    }
}

#[rustler::nif]
fn close(env: Env, socket: Ref, reference: Reference) -> Atom {
    if socket.0.close(env, &socket, *reference) { atoms::ok() } else { atoms::wait() }
}

/// Has the caller told under `reference` when the sockets of all processes that are dead, and those
/// that are about to be closed, are closed. Dirty: looks at every socket.
#[rustler::nif(schedule = "DirtyIo")]
fn await_closings(env: Env, reference: Reference) -> Atom {
    owner::close_orphans();
    closer::tell_when_over(Waiter::new(env.pid(), *reference));
    atoms::wait()
}

#[rustler::nif]
fn family(env: Env, socket: Ref) -> Term {
    let family = match socket.0.family {
        Family::Inet => atoms::inet(),
        Family::Inet6 => atoms::inet6(),
    };
    match socket.0.lock() {
        Ok(_) => (atoms::ok(), family).encode(env),
        Err(Closed) => closed(env),
    }
}

#[rustler::nif]
fn owner(env: Env, socket: Ref) -> Term {
    match socket.0.lock() {
        Ok(open) => (atoms::ok(), open.state.owner).encode(env),
        Err(Closed) => closed(env),
    }
}

#[rustler::nif]
fn handover<'a>(env: Env<'a>, socket: Ref, to: Term<'a>) -> Term<'a> {
    match socket.0.handover(env, to.decode().ok()) {
        Ok(Begun::Ready) => atoms::ok().to_term(env),
        Ok(Begun::Same) => atoms::same().to_term(env),
        Ok(Begun::NotOwner) => env.error_tuple(atoms::not_owner()),
        Ok(Begun::Dead) => env.error_tuple(atoms::badarg()),
        Err(Closed) => closed(env),
    }
}

/// Sends a message of a socket to who is about to own it: as the library sends all others, so that
/// they keep their order.
#[rustler::nif]
fn forward(to: LocalPid, message: Term) -> bool {
    message::send(&to, |env| message.in_env(env))
}

#[rustler::nif]
fn adopt(env: Env, socket: Ref, to: LocalPid) -> Term {
    match socket.0.adopt(env, &socket, to) {
        Ok(true) => atoms::ok().to_term(env),
        Ok(false) => env.error_tuple(atoms::badarg()),
        Err(Closed) => closed(env),
    }
}

#[rustler::nif]
fn monitor(env: Env, socket: Ref) -> Term {
    match socket.0.watch(env, &socket) {
        Ok(watch) => (atoms::ok(), watch).encode(env),
        Err(Closed) => closed(env),
    }
}

#[rustler::nif]
fn demonitor(env: Env, reference: Term) -> bool {
    reference.decode::<ResourceArc<Watch>>().is_ok_and(|watch| watch.cancel(env))
}

#[rustler::nif]
fn info(env: Env, socket: Ref) -> Term {
    report::info(env, &socket.0)
}

/// Dirty: there may be very many.
#[rustler::nif(schedule = "DirtyIo")]
fn sockets(env: Env) -> Term {
    report::sockets(env)
}

/// Dirty: as above.
#[rustler::nif(schedule = "DirtyIo")]
fn counters(env: Env) -> Term {
    report::counters(env)
}
