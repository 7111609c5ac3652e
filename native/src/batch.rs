//! Messages that Erlang gets many at a time: `recv_batch/3` and the option `batch`.
//!
//! What costs most of a small message is not its bytes: an allocation, a message to a process, a
//! call. A batch has one of each. Its messages share one binary, of which each is a part.

use std::net::SocketAddr;

use flow::budget::Budget;
use rustler::{Binary, Encoder, Env, OwnedBinary, Term};

use crate::message::{Message, Payload};
use crate::pump::Take;
use crate::read::DIRECT_MIN;
use crate::socket::{State, UserOptions};
use crate::{atoms, encode};
use beam::term::tuple;

/// Messages of a batch, at most.
pub(crate) const MOST: usize = 64;

/// The first guess at what the messages of a batch need together.
const ROOM: usize = 4096;

/// Messages in the order they came.
pub(crate) struct Batch {
    entries: Vec<Entry>,
    /// The bytes of all that share, one after the other, and room for more.
    shared: Option<OwnedBinary>,
    used: usize,
    /// What the last batch needed.
    expected: usize,
}

struct Entry {
    meta: sctp::Received,
    body: Body,
}

enum Body {
    /// So many bytes of those that are shared.
    Shared(usize),
    Alone(Payload<'static>),
}

impl Batch {
    pub(crate) const fn new() -> Batch {
        Batch { entries: Vec::new(), shared: None, used: 0, expected: ROOM }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Forgets what a panic may have left.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.shared = None;
        self.used = 0;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn push(&mut self, message: Message) {
        let Message { meta, payload } = message;
        let body = if payload.len() < DIRECT_MIN && self.share(&payload) {
            Body::Shared(payload.len())
        } else {
            Body::Alone(alone(payload))
        };
        self.entries.push(Entry { meta: *meta, body });
    }

    /// Adds to what is shared; false without memory.
    fn share(&mut self, bytes: &[u8]) -> bool {
        let end = self.used + bytes.len();
        let room = self.expected.max(end);
        let shared = self.shared.get_or_insert_with(|| OwnedBinary::new(room));
        if end > shared.len() && !shared.realloc(2 * end) {
            return false;
        }
        shared.as_mut_slice()[self.used..end].copy_from_slice(bytes);
        self.used = end;
        true
    }

    /// The list `[{IP, Port, AncData, Data | Event}]` of what is in it, which is empty then.
    pub(crate) fn encode<'a>(&mut self, env: Env<'a>, user: &UserOptions) -> Term<'a> {
        let mut end = std::mem::take(&mut self.used);
        let shared = self.shared.take().map(|mut shared| {
            self.expected = end;
            // It does not fail to shrink, and if it did there would be some bytes too many.
            let _ = shared.realloc(end);
            shared.release(env)
        });
        let mut from = Sender::unknown(env);
        let mut list = Term::list_new_empty(env);
        for Entry { meta, body } in self.entries.iter_mut().rev() {
            let body = match body {
                Body::Alone(payload) => {
                    let payload = std::mem::replace(payload, Payload::Read(&[]));
                    encode::body(env, meta, payload, user.list)
                }
                Body::Shared(len) => {
                    end -= *len;
                    part(env, meta, shared.as_ref(), end, *len, user.list)
                }
            };
            let (ip, port) = from.terms(env, meta.from);
            let anc = encode::ancillary(env, meta, user.data_io);
            list = list.list_prepend(tuple(env, [ip, port, anc, body]));
        }
        self.entries.clear();
        list
    }
}

/// Data or event of a message that shares its binary.
fn part<'a>(
    env: Env<'a>,
    meta: &sctp::Received,
    shared: Option<&Binary<'a>>,
    start: usize,
    len: usize,
    list: bool,
) -> Term<'a> {
    let whole = shared.map_or(&[][..], Binary::as_slice);
    let bytes = whole.get(start..start + len).unwrap_or_default();
    match shared.filter(|_| !list && !meta.notification) {
        Some(shared) => match shared.make_subbinary(start, len) {
            Ok(part) => part.to_term(env),
            Err(_) => encode::body(env, meta, Payload::Read(bytes), list),
        },
        None => encode::body(env, meta, Payload::Read(bytes), list),
    }
}

/// A payload for as long as it takes, in a binary where it can be.
fn alone(payload: Payload) -> Payload<'static> {
    match payload {
        Payload::Binary(binary) => Payload::Binary(binary),
        Payload::Kept(bytes) => Payload::Kept(bytes),
        Payload::Read(bytes) => {
            let mut binary = OwnedBinary::new(bytes.len());
            binary.as_mut_slice().copy_from_slice(bytes);
            Payload::Binary(binary)
        }
    }
}

/// Where the last message came from, as terms: most often it is that of the next one, too.
struct Sender<'a> {
    address: Option<SocketAddr>,
    ip: Term<'a>,
    port: Term<'a>,
}

impl<'a> Sender<'a> {
    fn unknown(env: Env<'a>) -> Sender<'a> {
        let (ip, port) = encode::ip_port(env, None);
        Sender { address: None, ip, port: port.encode(env) }
    }

    fn terms(&mut self, env: Env<'a>, address: Option<SocketAddr>) -> (Term<'a>, Term<'a>) {
        if address != self.address {
            let (ip, port) = encode::ip_port(env, address);
            *self = Sender { address, ip, port: port.encode(env) };
        }
        (self.ip, self.port)
    }
}

/// Takes what is there for `recv_batch`, up to a number of messages.
pub(crate) struct Collect<'a> {
    pub(crate) env: Env<'a>,
    pub(crate) most: usize,
}

impl<'a> Take for Collect<'a> {
    type Taken = Term<'a>;

    fn message(&mut self, state: &State, message: Message, batch: &mut Batch) -> Option<Term<'a>> {
        batch.push(message);
        if batch.len() < self.most { None } else { self.rest(state, batch) }
    }

    fn budget(&self, state: &State) -> Budget {
        Budget::of_batches(self.most, state.user.list)
    }

    fn room(&self, batch: &Batch) -> usize {
        self.most - batch.len()
    }

    fn rest(&mut self, state: &State, batch: &mut Batch) -> Option<Term<'a>> {
        if batch.is_empty() {
            return None;
        }
        // As for what it saves.
        let percent = 1 + batch.len() / 4;
        rustler::schedule::consume_timeslice(self.env, percent.try_into().unwrap_or(100));
        Some((atoms::ok(), batch.encode(self.env, &state.user)).encode(self.env))
    }
}
