//! Messages as Erlang gets them.

use beam::term::byte_list;
use rustler::{Encoder, Env, NewBinary, Resource, ResourceArc, Term};

use crate::message::{Content, Message, Payload};
use crate::terms::address::{ip_port, raw};
use crate::terms::event::Class;
use crate::terms::info::Wanted;
use crate::terms::{atoms, event, info};

/// What its owner wants to see of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    /// Data are a list of bytes, not a binary.
    pub(crate) list: bool,
    /// With what data come.
    pub(crate) info: Wanted,
    /// The end of an association comes with the causes of the ABORT that was it.
    pub(crate) abort_causes: bool,
}

impl View {
    /// The same with binaries, and whether the receiver is to make lists of them. It does so in Erlang, where the
    /// VM can interrupt it; here a list of a long message would take many milliseconds, and lock the socket.
    pub(crate) fn for_receiver(self) -> (View, bool) {
        (View { list: false, ..self }, self.list)
    }
}

/// Whether it comes as `sctp` or as `sctp_error`.
pub(crate) fn class(content: &Content) -> Class {
    match content {
        Content::Data(_) => Class::Normal,
        // What has none has been left out where it was read.
        Content::Event(event) => event::class(event).unwrap_or(Class::Normal),
    }
}

/// The ancillary data, and the data or the event's record.
#[inline(always)]
pub(crate) fn contents<'a>(
    env: Env<'a>,
    anc: &sctp::Ancillary,
    content: &mut Content,
    view: View,
) -> (Term<'a>, Term<'a>) {
    let anc = match content {
        Content::Event(event) if view.abort_causes => event::causes(env, event),
        _ => info::ancillary(env, anc, view.info),
    };
    (anc, body(env, content, view.list))
}

/// The data, as a list of bytes or a binary, or the event's record. What can be handed over is taken out.
pub(crate) fn body<'a>(env: Env<'a>, content: &mut Content, list: bool) -> Term<'a> {
    match content {
        Content::Event(event) => event::record(env, event),
        Content::Data(payload) if list => byte_list(env, payload),
        Content::Data(Payload::Read(bytes)) => NewBinary::from_slice(env, bytes).into(),
        Content::Data(payload) => match payload.take() {
            Payload::Binary(binary) => binary.release(env).to_term(env),
            Payload::Kept(bytes) if bytes.len() >= HANDED_OVER_MIN => handed_over(env, bytes),
            small => NewBinary::from_slice(env, &small).into(),
        },
    }
}

/// What recv answers with a message: `{ok, {IP, Port, Anc, Data}}` or `{error, {Raw, Anc, Event}}`.
pub(crate) fn received<'a>(env: Env<'a>, message: &mut Message, view: View) -> Term<'a> {
    let class = class(&message.content);
    let from = message.meta.from;
    let (view, list) = view.for_receiver();
    let (anc, body) = contents(env, &message.meta.anc, &mut message.content, view);
    if class == Class::Error {
        (atoms::error(), (raw(env, from), anc, body)).encode(env)
    } else {
        let (ip, port) = ip_port(env, from);
        listed(env, list, (atoms::ok(), (ip, port, anc, body)).encode(env))
    }
}

/// An answer of which the receiver makes lists.
pub(crate) fn listed<'a>(env: Env<'a>, list: bool, answer: Term<'a>) -> Term<'a> {
    if list { (atoms::list(), answer).encode(env) } else { answer }
}

/// From this size on, a message that was put together of pieces is not copied once more: the largest
/// would keep a scheduler for tens of milliseconds.
const HANDED_OVER_MIN: usize = 64 * 1024;

/// Bytes that live as long as the binary that is made of them.
struct Bytes(Vec<u8>);

#[rustler::resource_impl]
impl Resource for Bytes {}

fn handed_over(env: Env, mut bytes: Vec<u8>) -> Term {
    bytes.shrink_to_fit();
    ResourceArc::new(Bytes(bytes)).make_binary(env, |bytes| &bytes.0).to_term(env)
}
