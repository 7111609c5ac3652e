//! The I/O thread's part: what a socket does when it is ready.

use beam::panics;
use flow::budget::Budget;
use flow::interest::covers;
use flow::pace::Traffic;
use flow::route::Taker;
use sctp::Event;

use crate::socket::receive;
use crate::socket::route::{Goal, Passed, pass};
use crate::socket::settle::{arm_again, settle_after, wanted};
use crate::socket::state::{Open, Socket};

/// What a socket did, as the I/O thread has to know.
#[derive(Default)]
pub(crate) struct Done {
    /// What the messages that it delivered look like, if there were any.
    pub(crate) traffic: Option<Traffic>,
    /// Those who wait to send are to be looked after soon.
    pub(crate) orphans: bool,
}

impl Socket {
    /// Takes an event.
    pub(crate) fn on_ready(&self, event: &Event) -> Done {
        let Ok(mut open) = self.lock() else {
            self.look_at_ends();
            return Done::default();
        };
        panics::point("socket");
        let was_wanted = covers(wanted(&open.state), event.readable, event.writable);
        let happened = event.readable || event.error;
        let for_accept = open.is_for_accept();
        if happened && for_accept && open.state.waiters.acceptors.call() {
            arm_again(&mut open);
        }
        // Its kernel has nothing to be read, but something may have been kept from before.
        let reads = happened
            && (!for_accept || open.state.waiters.has_connects() || !open.state.backlog.is_empty());
        let traffic = if reads { read(&mut open) } else { None };
        let orphans = tell_writers(&mut open, event);
        settle_after(&mut open, event, was_wanted);
        Done { traffic, orphans }
    }
}

/// Delivers what there is, for whoever takes it.
fn read(open: &mut Open) -> Option<Traffic> {
    let state = &mut open.state;
    state.waiters.prune();
    let active = state.is_active();
    let serves = state.taker() == Taker::Receiver;
    if state.selects_reading() {
        state.waiters.tell_reader();
    }
    if !active && !serves && !state.waiters.has_connects() {
        // The owner has yet to ask for this: it is slower than its peer.
        state.tuning.set_speculation(true);
        return None;
    }
    let list = state.user.view.list;
    let budget = match state.waiters.receiver().filter(|_| serves) {
        Some(receiver) => receive::budget(receiver.most),
        None if state.user.batch == 1 => state.tuning.budget(list),
        // To ask for more than there is costs nothing.
        None => Budget::of_batches(state.user.batch, list),
    };
    let before = state.inbox.counts().count();
    let passed = pass(open, Goal::Deliver, budget);
    let state = &mut open.state;
    let messages = state.inbox.counts().count() - before;
    // Who takes no more says nothing of what the kernel still has.
    if !serves && (!active || state.is_active()) {
        state.tuning.learn(messages, matches!(passed, Passed::Dry));
    }
    if !(active || serves) || messages == 0 {
        return None;
    }
    let traffic = state.tuning.traffic(open.socket.sent.count());
    // In a stream the next message may be there before it is asked for.
    match traffic {
        Traffic::Stream => state.tuning.set_speculation(true),
        Traffic::Dialogue if serves => state.tuning.set_speculation(false),
        Traffic::Dialogue => {}
    }
    Some(traffic)
}

/// Wakes those who wait for room, where there may be some. True if it is to be found out soon whose
/// association is gone.
fn tell_writers(open: &mut Open, event: &Event) -> bool {
    let state = &mut open.state;
    if state.waiters.writers.is_empty() {
        // Nobody to be told.
        return false;
    }
    if event.error {
        state.waiters.writers.wake_all(|_| true);
        return false;
    }
    if event.writable {
        state.waiters.writers.wake_one();
        return false;
    }
    // What came, and was not read, may be the end of an association. Only the kernel's list of all
    // tells, and with many of them and many messages to ask for it would be most of the work.
    state.taker() != Taker::Owner
}
