//! What a process that waits in recv gets: its answer, with which the wait is over.

use crate::message::Message;
use crate::socket::batch::Batch;
use crate::socket::state::State;
use crate::terms::error::Error;
use crate::terms::message::received;

/// Answers with a message or an event.
pub(crate) fn message(state: &mut State, message: &mut Message) {
    let view = state.user.view;
    if let Some(receiver) = state.waiters.take_receiver() {
        receiver.waiter.wake(|env| received(env, message, view));
    }
}

/// Answers with all that has come.
pub(crate) fn batch(state: &mut State, batch: &mut Batch) {
    let view = state.user.view;
    if let Some(receiver) = state.waiters.take_receiver() {
        receiver.waiter.wake(|env| batch.received(env, view));
    }
}

/// Answers that the stream has ended.
pub(crate) fn end_of_stream(state: &mut State) {
    if let Some(receiver) = state.waiters.take_receiver() {
        receiver.waiter.refuse(Error::Closed);
    }
}

/// Answers with an error of the socket.
pub(crate) fn error(state: &mut State, errno: i32) {
    if let Some(receiver) = state.waiters.take_receiver() {
        receiver.waiter.refuse(Error::Posix(errno));
    }
}
