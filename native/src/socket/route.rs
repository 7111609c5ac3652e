//! One place through which every message passes, whoever reads it.
//!
//! The I/O thread, a process in recv, one that sets `{active, _}` and one that connects all pass over
//! a socket the same way, under its lock: take the next message, decide where it goes
//! ([`flow::route`]), bring it there.

use std::cell::RefCell;

use flow::budget::Budget;
use flow::route::{self, Before, Destination, Item, Next, Taker};
use rustler::{Env, Term};
use sctp::notification::AssocState;
use sctp::{AssocId, Notification, Style};

use crate::message::{Content, Held, Message, Most};
use crate::socket::batch::Batch;
use crate::socket::inbox::{Read, Scratch};
use crate::socket::state::{Open, State};
use crate::socket::waiter::Waiter;
use crate::socket::{owner_mail, receiver_mail};
use crate::terms::event;
use crate::terms::message::received;

thread_local! {
    static THREAD: RefCell<Thread> =
        const { RefCell::new(Thread { scratch: Scratch::new(), batch: Batch::new() }) };
}

/// What each thread has for a pass.
struct Thread {
    scratch: Scratch,
    /// Empty, but during a pass.
    batch: Batch,
}

/// What a pass is for.
#[derive(Clone, Copy)]
pub(crate) enum Goal<'a> {
    /// To deliver what can be delivered.
    Deliver,
    /// To receive so much, for the caller.
    Receive(Env<'a>, Most),
    /// To learn the outcome of the caller's connect.
    Connect(Env<'a>, AssocId),
}

/// What a pass ends with.
pub(crate) enum Passed<'a> {
    /// What the goal asked for, as the caller's call answers it.
    Got(Term<'a>),
    /// An error, for a receiver.
    Error(i32),
    /// The end of the stream, likewise.
    EndOfStream,
    /// Nothing more now.
    Dry,
    /// The budget is spent.
    Spent,
}

impl<'a> Goal<'a> {
    fn plain(self) -> route::Goal {
        match self {
            Goal::Deliver => route::Goal::Deliver,
            Goal::Receive(..) => route::Goal::Receive,
            Goal::Connect(..) => route::Goal::Connect,
        }
    }

    /// How many more messages there is use for.
    fn room(self, state: &State, taker: Taker, batch: &Batch) -> usize {
        match self {
            Goal::Deliver => batch.room(state.most(taker)),
            Goal::Receive(_, most) => batch.room(most),
            Goal::Connect(..) => 1,
        }
    }

    /// Whether the outcome of this association is what the caller waits for.
    fn awaits(self, assoc: AssocId) -> bool {
        matches!(self, Goal::Connect(_, own) if own == assoc)
    }

    /// The caller's batch, if there is anything in it.
    fn collected(self, state: &State, batch: &mut Batch) -> Option<Term<'a>> {
        let Goal::Receive(env, Most::Batch(_)) = self else { return None };
        if batch.is_empty() {
            return None;
        }
        // As for what it saves.
        let percent = 1 + batch.len() / 4;
        rustler::schedule::consume_timeslice(env, percent.try_into().unwrap_or(100));
        Some(batch.received(env, state.user.view))
    }
}

/// Takes and routes messages until the goal is reached, nothing is left or the budget is spent.
///
/// Who calls has struck out those who were killed ([`Waiters::prune`]).
///
/// [`Waiters::prune`]: crate::socket::waiters::Waiters::prune
pub(crate) fn pass<'a>(open: &mut Open, goal: Goal<'a>, budget: Budget) -> Passed<'a> {
    if let Some(limit) = &mut open.state.delivery.limit {
        limit.lift();
    }
    THREAD.with_borrow_mut(|Thread { scratch, batch }| {
        if !batch.is_empty() {
            // A panic has left something.
            batch.clear();
        }
        scratch.ahead.clear();
        let mut passed = run(open, goal, budget, scratch, batch);
        if !batch.is_empty() && !matches!(passed, Passed::Got(_)) {
            passed = collect(&mut open.state, goal, passed, batch);
        }
        if !scratch.ahead.is_empty() {
            deliver_ahead(open, scratch, batch);
        }
        flush(&mut open.state, batch);
        passed
    })
}

/// What a pass ends with that has brought the caller something before.
#[inline(never)]
fn collect<'a>(
    state: &mut State,
    goal: Goal<'a>,
    passed: Passed<'a>,
    batch: &mut Batch,
) -> Passed<'a> {
    let Some(answer) = goal.collected(state, batch) else { return passed };
    if let Passed::Error(errno) = passed {
        state.backlog.put_back(Held::Error(errno));
    }
    Passed::Got(answer)
}

/// What has been read beyond the goal.
#[inline(never)]
fn deliver_ahead(open: &mut Open, scratch: &mut Scratch, batch: &mut Batch) {
    run(open, Goal::Deliver, Budget::NONE, scratch, batch);
}

#[inline(always)]
fn run<'a>(
    open: &mut Open,
    goal: Goal<'a>,
    mut budget: Budget,
    scratch: &mut Scratch,
    batch: &mut Batch,
) -> Passed<'a> {
    let style = open.socket.style;
    let state = &mut *open.state;
    loop {
        let taker = state.taker();
        let next = route::next(Before {
            keeps: route::keeps(goal.plain(), taker),
            may_keep: state.may_keep(),
            spent: budget.is_spent(),
            ahead: !scratch.ahead.is_empty(),
            backlog: !state.backlog.is_empty(),
        });
        let kept_meta;
        let mut read = match next {
            Next::Dry => return Passed::Dry,
            Next::Spent => return Passed::Spent,
            Next::Backlog => {
                let Some(held) = state.backlog.pop() else { return Passed::Dry };
                budget.spend(held.bytes());
                match held {
                    Held::Message(meta, content) => {
                        kept_meta = meta;
                        Read::Message(Message { meta: &kept_meta, content })
                    }
                    Held::Error(errno) => Read::Error(errno),
                }
            }
            Next::Kernel => {
                let (limits, many) = (state.user.limits(), goal.room(state, taker, batch));
                let (inbox, kernel) = state.inbox_and_kernel();
                inbox.read(kernel, scratch, &mut budget, limits, many)
            }
        };
        let passed = match &mut read {
            Read::EndOfStream
                if !state.end.is_over() && !state.kernel().has_assoc(AssocId::FUTURE) =>
            {
                // What told of its end came before it did, or never.
                state.end.come();
                None
            }
            Read::Nothing | Read::EndOfStream if state.has_ended() => {
                return bring_end(state, goal, batch);
            }
            Read::Nothing | Read::EndOfStream => return Passed::Dry,
            Read::Spent => return Passed::Spent,
            Read::Error(libc::ENOTCONN) if state.has_ended() => {
                return bring_end(state, goal, batch);
            }
            Read::Error(errno) => bring_error(state, goal, *errno, batch),
            Read::Message(message) => {
                // What was kept has been noted, and is nobody's answer.
                let fresh = next == Next::Kernel;
                bring_message(state, style, goal, message, fresh, batch)
            }
        };
        if let Some(passed) = passed {
            return passed;
        }
    }
}

/// Brings an error where it goes.
#[cold]
fn bring_error<'a>(
    state: &mut State,
    goal: Goal<'a>,
    errno: i32,
    batch: &mut Batch,
) -> Option<Passed<'a>> {
    let item = match errno {
        libc::ENOTCONN => Item::NoAssociation,
        _ => Item::Error,
    };
    // What came before goes before, and may be all that there is room for.
    if let Destination::Owner | Destination::Receiver = to(state, goal, item) {
        flush(state, batch);
    }
    match to(state, goal, item) {
        Destination::Caller => return Some(Passed::Error(errno)),
        Destination::End => {
            state.inbox.exhaust();
            return Some(Passed::Dry);
        }
        Destination::Owner => owner_mail::error(state, errno),
        Destination::Receiver => receiver_mail::error(state, errno),
        Destination::Backlog => state.backlog.push(Held::Error(errno)),
        Destination::Drop | Destination::Connector => {}
    }
    None
}

/// Tells of the end of the stream, if that is news.
#[cold]
fn bring_end<'a>(state: &mut State, goal: Goal<'a>, batch: &mut Batch) -> Passed<'a> {
    let item = Item::EndOfStream { told: state.end.is_told() };
    // As above.
    if let Destination::Owner | Destination::Receiver = to(state, goal, item) {
        flush(state, batch);
    }
    match to(state, goal, item) {
        Destination::Caller => return Passed::EndOfStream,
        Destination::Owner => owner_mail::end_of_stream(state),
        Destination::Receiver => receiver_mail::end_of_stream(state),
        Destination::End | Destination::Drop | Destination::Connector | Destination::Backlog => {}
    }
    Passed::Dry
}

/// Brings a message where it goes.
fn bring_message<'a>(
    state: &mut State,
    style: Style,
    goal: Goal<'a>,
    message: &mut Message,
    fresh: bool,
    batch: &mut Batch,
) -> Option<Passed<'a>> {
    let item = match &message.content {
        Content::Event(event) if fresh => {
            let wanted = state.user.wants(event);
            if wanted {
                state.inbox.count_wanted(message.meta.len);
            }
            match bring_event(state, style, goal, event, wanted, batch) {
                Ok(item) => item,
                Err(passed) => return passed,
            }
        }
        _ => Item::Message,
    };
    let taker = state.taker();
    match (route::destination(item, goal.plain(), taker), goal) {
        (Destination::Caller, Goal::Receive(env, Most::One)) => {
            return Some(Passed::Got(received(env, message, state.user.view)));
        }
        (Destination::Caller, _) => {
            batch.push(message.take());
            if goal.room(state, taker, batch) == 0 {
                return goal.collected(state, batch).map(Passed::Got);
            }
        }
        (Destination::Backlog, _) => state.backlog.push(message.take().keep()),
        (to @ (Destination::Owner | Destination::Receiver), _) => match state.most(taker) {
            Most::Batch(most) => {
                batch.push(message.take());
                if batch.len() >= most {
                    flush(state, batch);
                }
            }
            Most::One if to == Destination::Owner => owner_mail::message(state, message),
            Most::One => receiver_mail::message(state, message),
        },
        (Destination::Drop | Destination::Connector | Destination::End, _) => {}
    }
    None
}

/// Takes note of an event, and tells who waits for it in connect: `Err`, with what that means for the
/// pass. Else it is still to be brought where it goes, as such an item.
#[inline(never)]
fn bring_event<'a>(
    state: &mut State,
    style: Style,
    goal: Goal<'a>,
    event: &Notification,
    wanted: bool,
    batch: &mut Batch,
) -> Result<Item, Option<Passed<'a>>> {
    let changed = note(state, style, event);
    // What came before counts before.
    if let Some((assoc, connector)) = changed.and_then(|assoc| connector(state, assoc)) {
        if goal.plain() != route::Goal::Receive {
            flush(state, batch);
        }
        let own = goal.awaits(assoc);
        if let (Destination::Caller, Goal::Connect(env, _)) =
            (to(state, goal, Item::Outcome { own }), goal)
        {
            owner_mail::spent_on_connect(state);
            return Err(Some(Passed::Got(event::connected(env, event))));
        }
        if connector.wake(|env| event::connected(env, event)) {
            owner_mail::spent_on_connect(state);
            return Err(None);
        }
        // The process is gone: the event is news again.
    }
    if wanted {
        return Ok(Item::Message);
    }
    state.inbox.drop_unwanted();
    Ok(Item::Unwanted)
}

#[inline]
fn to(state: &State, goal: Goal, item: Item) -> Destination {
    route::destination(item, goal.plain(), state.taker())
}

/// Brings the batch to who takes it, if there is anything in it.
#[inline]
fn flush(state: &mut State, batch: &mut Batch) {
    if !batch.is_empty() {
        flush_some(state, batch);
    }
}

#[inline(never)]
fn flush_some(state: &mut State, batch: &mut Batch) {
    match state.taker() {
        Taker::Receiver => receiver_mail::batch(state, batch),
        Taker::Owner | Taker::Nobody => owner_mail::batch(state, batch),
    }
}

/// Notes what an event changes; gives the association whose state changed.
fn note(state: &mut State, style: Style, event: &Notification) -> Option<AssocId> {
    match *event {
        Notification::AssocChange { state: change, assoc, .. } => {
            if style == Style::OneToOne
                && matches!(change, AssocState::CommLost | AssocState::ShutdownComp)
            {
                state.end.come();
            }
            if change != AssocState::CommUp {
                if change != AssocState::Restart {
                    state.user.subscriptions.forget(assoc);
                }
                state.inbox.abandon(assoc);
                // On a one-to-one socket there is no other, whatever they called it.
                state.waiters.writers.wake_all(|to| style == Style::OneToOne || to == assoc);
            }
            Some(assoc)
        }
        Notification::PartialDelivery { assoc, stream, unordered, .. } => {
            state.inbox.abandon_message(assoc, stream, unordered);
            None
        }
        _ => None,
    }
}

/// The process that waits for the outcome of this association.
fn connector(state: &mut State, assoc: AssocId) -> Option<(AssocId, Waiter)> {
    Some((assoc, state.waiters.take_connect(assoc)?))
}
