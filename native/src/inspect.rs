//! What a socket, and the library, says about itself.

use std::sync::atomic::Ordering;

use beam::{kept, panics};
use rustler::{Atom, Encoder, Env, Term};
use sctp::{AssocId, Family, Style};

use crate::poller;
use crate::socket::create::RESOURCES;
use crate::socket::state::{Open, Socket, State};
use crate::socket::{closings, table};
use crate::terms::address::encode_all;
use crate::terms::error::Error;
use crate::terms::{active, atoms};

/// A counter of `inet:getstat/2`; `None` if there is none of this name.
pub(crate) fn counter_of(open: &Open, item: Atom) -> Option<u64> {
    let (sent, received) = (&open.socket.sent, open.state.inbox.counts());
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

/// All counters.
fn counters_of(open: &Open) -> [(Atom, u64); 10] {
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
    items.map(|item| (item, counter_of(open, item).unwrap_or(0)))
}

/// All of them, and who waits, and what was dropped.
pub(crate) fn stats<'a>(env: Env<'a>, socket: &Socket) -> Result<Term<'a>, Error> {
    // Above the lock: it is a call of the kernel.
    let associations = associations(&*socket.kernel()?);
    let open = socket.lock()?;
    let [receivers, writers, connects, acceptors] = open.state.waiters.counts();
    let mut pairs = vec![
        (atoms::associations(), associations.encode(env)),
        (atoms::receivers(), receivers.encode(env)),
        (atoms::writers(), writers.encode(env)),
        (atoms::connects(), connects.encode(env)),
        (atoms::acceptors(), acceptors.encode(env)),
        (atoms::dropped(), open.state.inbox.dropped().encode(env)),
    ];
    pairs.extend(counters_of(&open).map(|(item, n)| (item, n.encode(env))));
    Ok(map(env, &pairs))
}

/// How many associations there are: of a one-to-one socket its one, or none.
fn associations(kernel: &sctp::Socket) -> usize {
    match kernel.style() {
        Style::OneToMany => kernel.assoc_count().map_or(0, |count| count as usize),
        Style::OneToOne => usize::from(kernel.has_assoc(AssocId::FUTURE)),
    }
}

/// A map in the manner of `inet:info/1`.
pub(crate) fn info<'a>(env: Env<'a>, socket: &Socket) -> Result<Term<'a>, Error> {
    socket.lock().map(|open| describe(env, &open))
}

fn describe<'a>(env: Env<'a>, open: &Open) -> Term<'a> {
    let (state, kernel) = (&*open.state, open.kernel());
    let family = match open.socket.family {
        Family::Inet => atoms::inet(),
        Family::Inet6 => atoms::inet6(),
    };
    let style = match open.socket.style {
        Style::OneToMany => atoms::seqpacket(),
        Style::OneToOne => atoms::stream(),
    };
    let local = kernel.local_addrs(AssocId::FUTURE).unwrap_or_default();
    // A one-to-many socket has no peer of its own.
    let peers = kernel.peer_addrs(AssocId::FUTURE).unwrap_or_default();
    let counters = counters_of(open);
    let mut states = vec![atoms::open()];
    if kernel.is_listening() {
        states.insert(0, atoms::listen());
    }
    let [receivers, writers, connects, acceptors] = state.waiters.counts();
    map(
        env,
        &[
            (atoms::id(), open.socket.token.0.encode(env)),
            (atoms::owner(), state.ownership.owner().encode(env)),
            (atoms::family(), family.encode(env)),
            (atoms::type_(), style.encode(env)),
            (atoms::states(), states.encode(env)),
            (atoms::active(), active::term(env, state.delivery.mode())),
            (atoms::local(), encode_all(env, local).encode(env)),
            (atoms::peers(), encode_all(env, peers).encode(env)),
            (atoms::associations(), kernel.assoc_count().ok().encode(env)),
            (atoms::receivers(), receivers.encode(env)),
            (atoms::writers(), writers.encode(env)),
            (atoms::connects(), connects.encode(env)),
            (atoms::acceptors(), acceptors.encode(env)),
            (atoms::watchers(), state.watchers.len().encode(env)),
            (atoms::backlog(), state.backlog.len().encode(env)),
            (atoms::fragments(), state.inbox.bytes().encode(env)),
            (atoms::counters(), map(env, &counters.map(|(item, n)| (item, n.encode(env))))),
        ],
    )
}

pub(crate) fn map<'a>(env: Env<'a>, pairs: &[(Atom, Term<'a>)]) -> Term<'a> {
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
        held.add(&socket.lock_any());
    }
    let counters = [
        (atoms::sockets(), held.sockets),
        (atoms::closing(), held.lingering + closings::under_way()),
        (atoms::resources(), RESOURCES.load(Ordering::Relaxed)),
        (atoms::receivers(), held.receivers),
        (atoms::writers(), held.writers),
        (atoms::connects(), held.connects),
        (atoms::acceptors(), held.acceptors),
        (atoms::watchers(), held.watchers),
        (atoms::monitors(), held.monitors),
        (atoms::terms(), kept::count()),
        (atoms::backlog_bytes(), held.backlog_bytes),
        (atoms::fragment_bytes(), held.fragment_bytes),
        (atoms::panics(), panics::count()),
    ];
    let mut pairs = vec![(atoms::opened(), poller::tokens().encode(env))];
    pairs.extend(counters.map(|(name, n)| (name, n.encode(env))));
    map(env, &pairs)
}

/// What all sockets hold together.
#[derive(Default)]
struct Held {
    sockets: usize,
    lingering: usize,
    receivers: usize,
    writers: usize,
    connects: usize,
    acceptors: usize,
    watchers: usize,
    monitors: usize,
    backlog_bytes: usize,
    fragment_bytes: usize,
}

impl Held {
    fn add(&mut self, state: &State) {
        let [receivers, writers, connects, acceptors] = state.waiters.counts();
        self.sockets += usize::from(state.is_open());
        self.lingering += usize::from(state.lingering.as_ref().is_some_and(|it| it.awaits_ends()));
        self.receivers += receivers;
        self.writers += writers;
        self.connects += connects;
        self.acceptors += acceptors;
        self.watchers += state.watchers.len();
        self.monitors += state.monitors();
        self.backlog_bytes += state.backlog.bytes();
        self.fragment_bytes += state.inbox.bytes();
    }
}
