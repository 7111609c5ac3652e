//! What the owner of an active socket gets: where a received event becomes a message to it.

use beam::message;
use rustler::Encoder;

use crate::message::Message;
use crate::socket::batch::Batch;
use crate::socket::state::{State, socket_term};
use crate::terms::address::ip_port;
use crate::terms::event::Class;
use crate::terms::message::{class, contents};
use crate::terms::{atoms, error};

/// Sends a message or an event, and accounts for it.
pub(crate) fn message(state: &mut State, message: &mut Message) {
    let Some(anchor) = state.delivery.anchor() else { return };
    let tag = match class(&message.content) {
        Class::Normal => atoms::sctp(),
        Class::Error => atoms::sctp_error(),
    };
    let Message { meta, content } = message;
    message::send(&state.ownership.owner(), |env| {
        let socket = socket_term(env, anchor);
        let (ip, port) = ip_port(env, meta.from);
        (tag, socket, ip, port, contents(env, &meta.anc, content, state.user.view)).encode(env)
    });
    account(state);
}

/// Sends what has come as one message.
pub(crate) fn batch(state: &mut State, batch: &mut Batch) {
    let Some(anchor) = state.delivery.anchor() else { return };
    message::send(&state.ownership.owner(), |env| {
        let messages = batch.encode(env, state.user.view);
        (atoms::sctp_batch(), socket_term(env, anchor), messages).encode(env)
    });
    account(state);
}

fn account(state: &mut State) {
    state.delivery.spend();
    if state.delivery.consume() {
        passive(state);
    }
}

/// Tells of an error of the socket, which the mode does not count.
pub(crate) fn error(state: &mut State, errno: i32) {
    let Some(anchor) = state.delivery.anchor() else { return };
    message::send(&state.ownership.owner(), |env| {
        let reason = error::reason(env, errno);
        (atoms::sctp_error(), socket_term(env, anchor), reason).encode(env)
    });
    state.delivery.spend();
}

/// Tells of the end of the stream, likewise, and once.
pub(crate) fn end_of_stream(state: &mut State) {
    let Some(anchor) = state.delivery.anchor() else { return };
    message::send(&state.ownership.owner(), |env| {
        (atoms::sctp_closed(), socket_term(env, anchor)).encode(env)
    });
    state.end.tell();
    state.delivery.spend();
}

/// A connecting process got a message in the owner's place.
pub(crate) fn spent_on_connect(state: &mut State) {
    if state.delivery.consume_for_connect() {
        passive(state);
    }
}

/// Announces that a count has come to its end: a message, too, but one that comes whether there is
/// room for it or not. During a handover it waits for the next owner.
pub(crate) fn passive(state: &mut State) {
    if state.ownership.defer_end() {
        return;
    }
    let Some(anchor) = state.delivery.anchor() else { return };
    message::send(&state.ownership.owner(), |env| {
        (atoms::sctp_passive(), socket_term(env, anchor)).encode(env)
    });
    state.delivery.spend();
}
