//! A socket's life: open, names, associations of its own, the end.

use beam::entry::Scheduler;
use rustler::{Atom, Binary, Encoder, Env, Error, NifResult, Reference, Term};
use sctp::{Bindx, Family, Half, Style};

use crate::nif::{done, invalid, value};
use crate::poller;
use crate::socket::accept::Accepted;
use crate::socket::closings::tell_when_over;
use crate::socket::create::{admit, create};
use crate::socket::lingering::Close;
use crate::socket::owner::close_orphans;
use crate::socket::state::{Handle, Inherited, SocketRef, socket_term};
use crate::socket::user_options::UserOptions;
use crate::socket::waiter::{Wait, Waiter};
use crate::terms::value::{assoc_id, is_longer, is_undefined, path};
use crate::terms::{address, atoms, error};

beam::nif!("open", 3, open, or dirty);
beam::nif!("connect", 3, connect, or dirty);
beam::nif!("close", 2, close, or dirty);

/// Addresses that take no scheduler too long: the kernel looks for a route to each, which takes it 30
/// microseconds.
const FEW: usize = 16;

/// Opens a socket for the calling process.
fn open<'a>(
    env: Env<'a>,
    [family, style, netns]: [Term<'a>; 3],
    scheduler: Scheduler,
) -> NifResult<Option<Term<'a>>> {
    // The first socket has the kernel load its module, if it has not; for another network namespace
    // it takes a thread.
    let is_long = poller::tokens() == 0 || !is_undefined(netns);
    if scheduler == Scheduler::Normal && is_long {
        return Ok(None);
    }
    let family = match family.decode::<Atom>()? {
        inet if inet == atoms::inet() => Family::Inet,
        inet6 if inet6 == atoms::inet6() => Family::Inet6,
        _ => return Err(Error::BadArg),
    };
    let style = match style.decode::<Atom>()? {
        seqpacket if seqpacket == atoms::seqpacket() => Style::OneToMany,
        stream if stream == atoms::stream() => Style::OneToOne,
        _ => return Err(Error::BadArg),
    };
    let netns = match is_undefined(netns) {
        true => None,
        false => Some(path(&netns.decode::<Binary>()?)),
    };
    beam::log::find(env);
    let opened = sctp::Socket::open(family, style, netns.as_deref())
        .map_err(error::Error::from)
        .and_then(admit)
        .map(|admitted| {
            let user = UserOptions { netns, ..UserOptions::default() };
            create(env, admitted, user, Inherited::default())
        });
    Ok(Some(value(env, opened)))
}

#[rustler::nif]
fn bind<'a>(env: Env<'a>, socket: &'a SocketRef, address: Term<'a>) -> Term<'a> {
    let Some(address) = address::decode(address) else { return invalid(env) };
    done(env, socket.kernel().and_then(|kernel| Ok(kernel.bind(address)?)))
}

/// Dirty: there may be many addresses, and the peers are told.
#[rustler::nif(schedule = "DirtyIo")]
fn bindx<'a>(
    env: Env<'a>,
    socket: &'a SocketRef,
    how: Atom,
    addresses: Term<'a>,
) -> NifResult<Term<'a>> {
    let how = match how {
        add if add == atoms::add() => Bindx::Add,
        remove if remove == atoms::remove() => Bindx::Remove,
        _ => return Err(Error::BadArg),
    };
    let Some(addresses) = address::decode_all(addresses) else { return Ok(invalid(env)) };
    Ok(done(env, socket.kernel().and_then(|kernel| Ok(kernel.bindx(how, &addresses)?))))
}

#[rustler::nif]
fn listen<'a>(env: Env<'a>, socket: &'a SocketRef, backlog: i32) -> Term<'a> {
    done(env, socket.listen(&Handle::of(socket), backlog))
}

#[rustler::nif]
fn accept<'a>(env: Env<'a>, socket: Handle, reference: Term<'a>) -> Term<'a> {
    let wait = Wait::of(reference);
    match socket.accept(env, &socket, wait) {
        Ok(Accepted::Socket(accepted)) => (atoms::ok(), socket_term(env, &accepted)).encode(env),
        Ok(Accepted::Nothing) => env.error_tuple(atoms::timeout()),
        Ok(Accepted::Wait) => atoms::wait().to_term(env),
        Err(error) => error.encode(env),
    }
}

#[rustler::nif]
fn shutdown<'a>(env: Env<'a>, socket: &'a SocketRef, how: Atom) -> NifResult<Term<'a>> {
    let half = match how {
        read if read == atoms::read() => Half::Read,
        write if write == atoms::write() => Half::Write,
        both if both == atoms::read_write() => Half::Both,
        _ => return Err(Error::BadArg),
    };
    Ok(done(env, socket.shutdown(half)))
}

fn connect<'a>(
    env: Env<'a>,
    [socket, addresses, reference]: [Term<'a>; 3],
    scheduler: Scheduler,
) -> NifResult<Option<Term<'a>>> {
    let socket: &SocketRef = socket.decode()?;
    if scheduler == Scheduler::Normal && is_longer(addresses, FEW) {
        return Ok(None);
    }
    let addresses = match address::decode_all(addresses) {
        Some(addresses) if !addresses.is_empty() => addresses,
        _ => return Ok(Some(invalid(env))),
    };
    if !reference.is_ref() {
        return Ok(Some(value(env, socket.start(&addresses).map(|assoc| assoc.to_u32()))));
    }
    Ok(Some(match socket.connect(env, &addresses, reference) {
        Ok(Some(outcome)) => outcome,
        Ok(None) => atoms::wait().to_term(env),
        Err(error) => error.encode(env),
    }))
}

#[rustler::nif]
fn sockname<'a>(env: Env<'a>, socket: &'a SocketRef) -> Term<'a> {
    let name = socket.kernel().and_then(|kernel| Ok(kernel.local_addr()?));
    value(env, name.map(|name| address::encode(env, name)))
}

#[rustler::nif]
fn peername<'a>(env: Env<'a>, socket: &'a SocketRef) -> Term<'a> {
    let name = socket.kernel().and_then(|kernel| Ok(kernel.peer_addr()?));
    value(env, name.map(|name| address::encode(env, name)))
}

#[rustler::nif]
fn socknames<'a>(env: Env<'a>, socket: &'a SocketRef, assoc: Term<'a>) -> Term<'a> {
    let Some(assoc) = assoc_id(assoc) else { return invalid(env) };
    let names = socket.kernel().and_then(|kernel| Ok(kernel.local_addrs(assoc)?));
    value(env, names.map(|names| address::encode_all(env, names)))
}

#[rustler::nif]
fn peernames<'a>(env: Env<'a>, socket: &'a SocketRef, assoc: Term<'a>) -> Term<'a> {
    let Some(assoc) = assoc_id(assoc) else { return invalid(env) };
    let names = socket.kernel().and_then(|kernel| Ok(kernel.peer_addrs(assoc)?));
    value(env, names.map(|names| address::encode_all(env, names)))
}

/// The descriptor stays ours, and whoever uses it has to be done before the socket is closed.
#[rustler::nif]
fn getfd<'a>(env: Env<'a>, socket: &'a SocketRef) -> Term<'a> {
    value(env, socket.kernel().and_then(|kernel| Ok(kernel.fd()?)))
}

/// Dirty: what was read of the association is looked for among all that was read ahead.
#[rustler::nif(schedule = "DirtyIo")]
fn peeloff<'a>(env: Env<'a>, socket: &'a SocketRef, assoc: Term<'a>) -> Term<'a> {
    let Some(assoc) = assoc_id(assoc) else { return invalid(env) };
    value(env, socket.peeloff(env, assoc))
}

/// To be called again when the caller has waited for the ends of associations.
fn close<'a>(
    env: Env<'a>,
    [socket, reference]: [Term<'a>; 2],
    scheduler: Scheduler,
) -> NifResult<Option<Term<'a>>> {
    let (socket, reference): (Handle, Reference) = (socket.decode()?, reference.decode()?);
    if scheduler == Scheduler::Normal && socket.0.has_many_waiting() {
        return Ok(None);
    }
    Ok(Some(match socket.0.close(env, &socket, *reference) {
        Close::Done => atoms::ok().to_term(env),
        Close::Waits => atoms::wait().to_term(env),
        Close::Lingers(time) => {
            // The kernel takes a negative time for a very long one.
            let seconds = time.as_secs().min(u32::MAX.into());
            (atoms::wait(), seconds * 1000).encode(env)
        }
    }))
}

/// Has the caller told under `reference` when the sockets of all processes that are dead, and those
/// that are about to be closed, are closed. Dirty: looks at every socket.
#[rustler::nif(schedule = "DirtyIo")]
fn await_closings(env: Env, reference: Reference) -> Atom {
    close_orphans();
    tell_when_over(Waiter::new(env.pid(), *reference));
    atoms::wait()
}
