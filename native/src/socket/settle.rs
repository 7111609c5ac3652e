//! After anything has changed: what is still wanted is waited for.

use flow::interest::{self, Change, Interest, Need};
use flow::route::{Goal, Taker, keeps};
use sctp::Event;

use crate::poller::poller;
use crate::socket::state::{Open, State};

/// After any pass: asks for the next grant, has the I/O thread deliver what is kept, waits for the rest,
/// and lets go of a socket that is no longer needed.
#[inline]
pub(crate) fn settle(open: &mut Open) {
    hand_on(open);
    arm(open);
    open.loosen();
}

/// The same after an event: waits on for who still waits, and no longer for what nobody wanted when it
/// came.
#[inline]
pub(crate) fn settle_after(open: &mut Open, event: &Event, was_wanted: bool) {
    hand_on(open);
    let (registered, wanted) = (open.state.registered, wanted(&open.state));
    let change = interest::armed_after_event(registered, wanted, event.writable, was_wanted);
    make(open, change);
    open.loosen();
}

#[inline]
fn hand_on(open: &mut Open) {
    if open.state.delivery.limit.is_some() {
        ask(open);
    }
    if !open.state.backlog.is_empty() || open.state.has_ended() {
        offer(open);
    }
}

/// Asks for the next grant.
#[cold]
fn ask(open: &mut Open) {
    let state = &mut *open.state;
    if state.is_active()
        && let Some((limit, socket)) = state.delivery.limit_and_anchor()
    {
        limit.ask(open.socket.token, socket, state.ownership.owner());
    }
}

/// Has the I/O thread deliver what is kept, and tell of the end, which the kernel may not announce
/// again.
#[cold]
fn offer(open: &mut Open) {
    let token = open.socket.token;
    let state = &mut *open.state;
    let has_kept = !state.backlog.is_empty() && !keeps(Goal::Deliver, state.taker());
    if has_kept || state.has_end_to_tell() {
        poller(token).revisit(token);
    } else if state.selects_reading() {
        state.waiters.tell_reader();
    }
}

/// What is worth waiting for now, and how.
pub(crate) fn wanted(state: &State) -> Interest {
    interest::wanted(Need {
        read: state.taker() != Taker::Nobody
            || state.may_keep()
            || state.selects_reading()
            || state.waiters.acceptors.are_waiting(),
        write: !state.waiters.writers.is_empty(),
        exhausted: state.inbox.is_exhausted(),
    })
}

/// Makes sure that what is wanted is waited for.
#[inline]
fn arm(open: &mut Open) {
    let change = interest::armed(open.state.registered, wanted(&open.state));
    make(open, change);
}

/// The same for what may have been announced since somebody tried in vain.
pub(crate) fn arm_again(open: &mut Open) {
    let change = interest::asked_again(open.state.registered, wanted(&open.state));
    make(open, change);
}

/// Who was called to accept has not come. The next one is, if there is an association.
pub(crate) fn call_another(open: &mut Open) {
    if open.state.waiters.acceptors.are_waiting() {
        arm_again(open);
    }
}

#[inline]
fn make(open: &mut Open, change: Change) {
    match change {
        Change::Stay => {}
        Change::Wait(wanted) => modify(open, wanted, wanted),
        Change::Sleep => modify(open, Interest::NONE, Interest::NONE.oneshot()),
    }
}

#[cold]
fn modify(open: &mut Open, registered: Interest, asked: Interest) {
    let token = open.socket.token;
    // The source is in the set as long as the socket is open, so this cannot fail.
    let _ = poller(token).modify(open.kernel().source(), token, asked);
    open.state.registered = registered;
}

/// Out of the set, before the descriptor's number can be anybody else's.
pub(crate) fn leave(open: &Open) {
    // It is there, so this cannot fail; closing would take it out as well.
    let _ = poller(open.socket.token).delete(open.kernel().source());
}
