//! After anything has changed: what is still wanted is waited for.

use flow::interest::{self, Change, Interest, Need};
use flow::route::{Goal, Taker, keeps};
use sctp::Event;

use crate::poller::poller;
use crate::socket::state::{Open, State};

/// After any pass: asks for the next grant, has the I/O thread deliver what is kept, waits for the rest,
/// and lets go of a socket that is no longer needed.
pub(crate) fn settle(open: &mut Open) {
    let token = open.socket.token;
    let state = &mut *open.state;
    if state.is_active()
        && let Some((limit, socket)) = state.delivery.limit_and_anchor()
    {
        limit.ask(token, socket, state.ownership.owner());
    }
    if !state.backlog.is_empty() && !keeps(Goal::Deliver, state.taker()) {
        poller(token).revisit(token);
    }
    arm(open);
    open.loosen();
}

/// What is worth waiting for now, and how.
pub(crate) fn wanted(state: &State) -> Interest {
    interest::wanted(Need {
        read: state.taker() != Taker::Nobody || state.may_keep(),
        write: state.waiters.has_writers(),
        exhausted: state.inbox.is_exhausted(),
    })
}

/// Makes sure that what is wanted is waited for.
fn arm(open: &mut Open) {
    let change = interest::armed(open.state.registered, wanted(&open.state));
    make(open, change);
}

/// The same for what may have been announced since somebody tried in vain.
pub(crate) fn arm_again(open: &mut Open) {
    let change = interest::asked_again(open.state.registered, wanted(&open.state));
    make(open, change);
}

/// After an event: waits on for who still waits, and no longer for what nobody wanted when it came.
pub(crate) fn rearm(open: &mut Open, event: &Event, was_wanted: bool) {
    let (registered, wanted) = (open.state.registered, wanted(&open.state));
    let change = interest::after_event(registered, wanted, event.writable, was_wanted);
    make(open, change);
}

fn make(open: &mut Open, change: Change) {
    let (registered, asked) = match change {
        Change::Stay => return,
        Change::Wait(wanted) => (wanted, wanted),
        Change::Sleep => (Interest::NONE, Interest::NONE.oneshot()),
    };
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
