//! What a socket, and the library, says about itself.

use std::sync::Arc;

use beam::{kept, panics};
use rustler::{Atom, Encoder, Env, NifResult, Term};
use sctp::types::{AssocId, Family, Style};

use crate::socket::{Closed, Handle, Inner, Open, State, resources};
use crate::{atoms, closer, decode, encode, options, poller, table};

/// `getstat(Ref, [Item])`.
pub(crate) fn getstat<'a>(env: Env<'a>, socket: &Handle, items: Term<'a>) -> NifResult<Term<'a>> {
    if decode::is_longer(items, options::MOST) {
        return Ok(env.error_tuple(atoms::enomem()));
    }
    let open = match socket.0.lock() {
        Ok(open) => open,
        Err(Closed) => return Ok(env.error_tuple(atoms::closed())),
    };
    let counter = |item: Term| -> Option<(Atom, u64)> {
        let item = item.decode().ok()?;
        Some((item, counter_of(&open, item)?))
    };
    match decode::list(items, options::MOST, counter) {
        Ok(counters) => Ok((atoms::ok(), counters).encode(env)),
        Err(bad) => bad.answer(env),
    }
}

fn counter_of(open: &Open, item: Atom) -> Option<u64> {
    let (sent, received) = (&open.inner.sent, &open.state.received);
    Some(match item {
        i if i == atoms::recv_cnt() => received.count(),
        i if i == atoms::recv_oct() => received.octets(),
        i if i == atoms::recv_max() => received.max(),
        i if i == atoms::recv_avg() => received.average(),
        i if i == atoms::recv_dvi() => received.deviation(),
        i if i == atoms::send_cnt() => sent.count(),
        i if i == atoms::send_oct() => sent.octets(),
        i if i == atoms::send_max() => sent.max(),
        i if i == atoms::send_avg() => sent.average(),
        // Nothing is ever queued above the kernel.
        i if i == atoms::send_pend() => 0,
        _ => return None,
    })
}

/// `info(Ref)`: a map in the manner of `inet:info/1`.
pub(crate) fn info<'a>(env: Env<'a>, socket: &Arc<Inner>) -> Term<'a> {
    match socket.lock() {
        Ok(open) => describe(env, &open),
        Err(Closed) => env.error_tuple(atoms::closed()),
    }
}

fn describe<'a>(env: Env<'a>, open: &Open) -> Term<'a> {
    let (state, kernel) = (&*open.state, open.kernel());
    let family = match open.inner.family {
        Family::Inet => atoms::inet(),
        Family::Inet6 => atoms::inet6(),
    };
    let style = match open.inner.style {
        Style::OneToMany => atoms::seqpacket(),
        Style::OneToOne => atoms::stream(),
    };
    let local = kernel.local_addrs(AssocId::FUTURE).unwrap_or_default();
    // A one-to-many socket has no peer of its own.
    let peers = kernel.peer_addrs(AssocId::FUTURE).unwrap_or_default();
    let addresses = |list: Vec<_>| -> Vec<Term> {
        list.into_iter().map(|address| encode::address(env, address)).collect()
    };
    let items = [
        atoms::recv_cnt(),
        atoms::recv_max(),
        atoms::recv_avg(),
        atoms::recv_oct(),
        atoms::recv_dvi(),
        atoms::send_cnt(),
        atoms::send_max(),
        atoms::send_avg(),
        atoms::send_oct(),
        atoms::send_pend(),
    ];
    let counters = items.map(|item| (item, counter_of(open, item).unwrap_or(0)));
    let mut states = vec![atoms::open()];
    if kernel.is_listening() {
        states.insert(0, atoms::listen());
    }
    let waiting = usize::from(state.receiver.is_some());
    map(
        env,
        &[
            (atoms::id(), open.inner.token.0.encode(env)),
            (atoms::owner(), state.owner.encode(env)),
            (atoms::family(), family.encode(env)),
            (atoms::type_(), style.encode(env)),
            (atoms::states(), states.encode(env)),
            (atoms::active(), options::active_term(env, state.active)),
            (atoms::local(), addresses(local).encode(env)),
            (atoms::peers(), addresses(peers).encode(env)),
            (atoms::associations(), kernel.assoc_count().ok().encode(env)),
            (atoms::receivers(), waiting.encode(env)),
            (atoms::writers(), state.writers.len().encode(env)),
            (atoms::connects(), state.connects.len().encode(env)),
            (atoms::watchers(), state.watchers.len().encode(env)),
            (atoms::backlog(), state.backlog.len().encode(env)),
            (atoms::fragments(), state.fragments.bytes().encode(env)),
            (atoms::counters(), map(env, &counters.map(|(item, n)| (item, n.encode(env))))),
        ],
    )
}

fn map<'a>(env: Env<'a>, pairs: &[(Atom, Term<'a>)]) -> Term<'a> {
    Term::map_from_pairs(env, pairs).unwrap_or_else(|_| Term::map_new(env))
}

/// `sockets()`: the references of all open sockets.
pub(crate) fn sockets(env: Env) -> Term {
    let sockets = table::all();
    let open = sockets.iter().filter(|socket| socket.lock().is_ok());
    open.filter_map(|socket| socket.reference(env)).collect::<Vec<_>>().encode(env)
}

/// `counters()`: what the library holds and has done, for all who look for leaks.
pub(crate) fn counters(env: Env) -> Term {
    let mut held = Held::default();
    for socket in &table::all() {
        if let Ok(open) = socket.lock() {
            held.add(&open.state);
        }
    }
    let counters = [
        (atoms::sockets(), held.sockets),
        (atoms::closing(), closer::under_way()),
        (atoms::resources(), resources()),
        (atoms::receivers(), held.receivers),
        (atoms::writers(), held.writers),
        (atoms::connects(), held.connects),
        (atoms::watchers(), held.watchers),
        (atoms::monitors(), held.monitors),
        (atoms::terms(), kept::count()),
        (atoms::backlog_bytes(), held.backlog_bytes),
        (atoms::fragment_bytes(), held.fragment_bytes),
        (atoms::panics(), panics::caught()),
    ];
    let mut pairs = vec![(atoms::opened(), poller::tokens().encode(env))];
    pairs.extend(counters.map(|(name, n)| (name, n.encode(env))));
    map(env, &pairs)
}

/// What all sockets hold together.
#[derive(Default)]
struct Held {
    sockets: usize,
    receivers: usize,
    writers: usize,
    connects: usize,
    watchers: usize,
    monitors: usize,
    backlog_bytes: usize,
    fragment_bytes: usize,
}

impl Held {
    fn add(&mut self, state: &State) {
        self.sockets += 1;
        self.receivers += usize::from(state.receiver.is_some());
        self.writers += state.writers.len();
        self.connects += state.connects.len();
        self.watchers += state.watchers.len();
        self.monitors += usize::from(state.owner_monitor.is_some());
        self.backlog_bytes += state.backlog_bytes;
        self.fragment_bytes += state.fragments.bytes() + state.notification.len();
    }
}
