//! Messages that Erlang gets many at a time: `recv_batch/3` and the option `batch`.
//!
//! What costs most of a small message is not its bytes: an allocation, a message to a process, a
//! call. A batch has one of each. Its messages share one binary, of which each is a part.

use std::net::SocketAddr;

use beam::term::tuple;
use rustler::{Binary, Encoder, Env, OwnedBinary, Term};
use sctp::Received;

use crate::message::{Content, Message, Most, Payload};
use crate::socket::inbox::DIRECT_MIN;
use crate::terms::address::ip_port;
use crate::terms::message::{View, body, contents, listed};
use crate::terms::{atoms, info};

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
    meta: Received,
    body: Body,
}

enum Body {
    /// So many bytes of those that are shared.
    Shared(usize),
    Alone(Content<'static>),
}

impl Batch {
    pub(crate) const fn new() -> Batch {
        Batch { entries: Vec::new(), shared: None, used: 0, expected: ROOM }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many more a receiver has use for.
    pub(crate) fn room(&self, most: Most) -> usize {
        match most {
            Most::One => 1,
            Most::Batch(most) => most.saturating_sub(self.len()),
        }
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
        let Message { meta, content } = message;
        let body = match content {
            Content::Data(payload) if payload.len() < DIRECT_MIN && self.share(&payload) => {
                Body::Shared(payload.len())
            }
            Content::Data(payload) => Body::Alone(Content::Data(alone(payload))),
            Content::Event(event) => Body::Alone(Content::Event(event)),
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

    /// `{ok, List}`, as recv_batch answers it.
    pub(crate) fn received<'a>(&mut self, env: Env<'a>, view: View) -> Term<'a> {
        let (view, list) = view.for_receiver();
        listed(env, list, (atoms::ok(), self.encode(env, view)).encode(env))
    }

    /// The list `[{IP, Port, AncData, Data | Event}]` of what is in it, which is empty then.
    pub(crate) fn encode<'a>(&mut self, env: Env<'a>, view: View) -> Term<'a> {
        let mut end = std::mem::take(&mut self.used);
        let shared = self.shared.take().map(|mut shared| {
            self.expected = end;
            // It does not fail to shrink, and if it did there would be some bytes too many.
            let _ = shared.realloc(end);
            shared.release(env)
        });
        let mut from = Sender::unknown(env);
        let mut list = Term::list_new_empty(env);
        for Entry { meta, body: kept } in self.entries.drain(..).rev() {
            let (anc, body) = match kept {
                Body::Alone(mut content) => contents(env, &meta.anc, &mut content, view),
                Body::Shared(len) => {
                    end -= len;
                    let anc = info::ancillary(env, &meta.anc, view.info);
                    (anc, part(env, shared.as_ref(), end, len, view.list))
                }
            };
            let (ip, port) = from.terms(env, meta.from);
            list = list.list_prepend(tuple(env, [ip, port, anc, body]));
        }
        list
    }
}

/// Data of a message that shares its binary.
fn part<'a>(
    env: Env<'a>,
    shared: Option<&Binary<'a>>,
    start: usize,
    len: usize,
    list: bool,
) -> Term<'a> {
    if let Some(shared) = shared.filter(|_| !list)
        && let Ok(part) = shared.make_subbinary(start, len)
    {
        return part.to_term(env);
    }
    let whole = shared.map_or(&[][..], Binary::as_slice);
    let bytes = whole.get(start..start + len).unwrap_or_default();
    body(env, &mut Content::Data(Payload::Read(bytes)), list)
}

/// A payload for as long as it takes, in a binary where it can be.
fn alone(payload: Payload) -> Payload<'static> {
    match payload {
        Payload::Binary(binary) => Payload::Binary(binary),
        Payload::Kept(bytes) => Payload::Kept(bytes),
        Payload::Read(bytes) => Payload::Binary(OwnedBinary::from_slice(bytes)),
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
        let (ip, port) = ip_port(env, None);
        Sender { address: None, ip, port: port.encode(env) }
    }

    fn terms(&mut self, env: Env<'a>, address: Option<SocketAddr>) -> (Term<'a>, Term<'a>) {
        if address != self.address {
            let (ip, port) = ip_port(env, address);
            *self = Sender { address, ip, port: port.encode(env) };
        }
        (self.ip, self.port)
    }
}
