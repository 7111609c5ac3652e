//! One place through which every message passes, whoever reads it.
//!
//! The I/O thread, a process in recv, one that sets `{active, _}` and one that connects all pump
//! the same way, under the socket's lock: read, give a connecting process what it waits for, and
//! the rest to the owner (active), to the receiver, or to the backlog.

use std::cell::RefCell;

use beam::message;
use flow::active::{Active, OutOfRange, Request};
use flow::budget::Budget;
use rustler::Encoder;
use sctp::notification::{self, AssocState, Notification};
use sctp::types::AssocId;

use crate::atoms;
use crate::batch::Batch;
use crate::encode::{self, Class};
use crate::message::{Held, Message};
use crate::poller::poller;
use crate::read::{Read, Scratch};
use crate::socket::{Connect, Handle, Open, SocketRef, State, socket_term};

thread_local! {
    static THREAD: RefCell<Thread> =
        const { RefCell::new(Thread { scratch: Scratch::new(), batch: Batch::new() }) };
}

/// What each thread that pumps has for that.
struct Thread {
    scratch: Scratch,
    /// Empty, but during a pumping.
    batch: Batch,
}

/// What a pumping ends with.
pub(crate) enum Pumped<T> {
    /// What `goal` asked for.
    Got(T),
    Error(i32),
    /// Nothing more now.
    Dry,
    /// The budget is spent.
    Spent,
}

/// What becomes of messages that a pumping has as its goal.
pub(crate) trait Take {
    type Taken;

    /// Takes a message, or puts it to the batch; `Some` if that is enough.
    fn message(
        &mut self,
        state: &State,
        message: Message,
        batch: &mut Batch,
    ) -> Option<Self::Taken>;

    /// How much may be read for it.
    fn budget(&self, _state: &State) -> Budget {
        Budget::RECEIVE
    }

    /// How many more it has use for.
    fn room(&self, _batch: &Batch) -> usize {
        1
    }

    /// Takes the batch, if there is any, when nothing more comes now.
    fn rest(&mut self, _state: &State, _batch: &mut Batch) -> Option<Self::Taken> {
        None
    }
}

/// One is enough.
impl<T, F: FnMut(&State, Message) -> T> Take for F {
    type Taken = T;

    fn message(&mut self, state: &State, message: Message, _batch: &mut Batch) -> Option<T> {
        Some(self(state, message))
    }
}

/// What a pumping is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// Deliver; keep what cannot be delivered.
    Background,
    /// The next message, for a receiver on a passive socket.
    Receive,
    /// The outcome of this association's connect.
    Connect(AssocId),
}

/// For a pumping that has no goal but to deliver.
pub(crate) fn ignore(_: &State, _: Message) {}

impl Open<'_> {
    /// Takes the oldest of what was kept.
    fn unkeep(&mut self) -> Option<Held> {
        let held = self.state.backlog.pop_front()?;
        self.state.backlog_bytes -= held.bytes();
        Some(held)
    }

    fn keep(&mut self, held: Held) {
        self.state.backlog_bytes += held.bytes();
        self.state.backlog.push_back(held);
    }

    /// Puts back what is not to be told now, before all that was kept.
    fn put_back(&mut self, held: Held) {
        self.state.backlog_bytes += held.bytes();
        self.state.backlog.push_front(held);
    }

    /// Reads and routes messages until `goal` is reached, nothing is left or `budget` is spent.
    /// `take` makes the result of the messages that `goal` asks for.
    pub(crate) fn pump<T: Take>(
        &mut self,
        goal: Goal,
        budget: Budget,
        mut take: T,
    ) -> Pumped<T::Taken> {
        THREAD.with_borrow_mut(|Thread { scratch, batch }| {
            if !batch.is_empty() {
                // A panic has left something.
                batch.clear();
            }
            scratch.ahead.clear();
            let pumped = self.pump_with(goal, budget, &mut take, scratch, batch);
            let pumped = match pumped {
                Pumped::Got(taken) => Pumped::Got(taken),
                other => match take.rest(&self.state, batch) {
                    Some(taken) => {
                        if let Pumped::Error(errno) = other {
                            self.put_back(Held::Error(errno));
                        }
                        Pumped::Got(taken)
                    }
                    None => other,
                },
            };
            if !scratch.ahead.is_empty() {
                self.pump_with(Goal::Background, Budget::NONE, &mut ignore, scratch, batch);
            }
            self.deliver_batch(batch);
            pumped
        })
    }

    fn pump_with<T: Take>(
        &mut self,
        goal: Goal,
        mut budget: Budget,
        take: &mut T,
        scratch: &mut Scratch,
        batch: &mut Batch,
    ) -> Pumped<T::Taken> {
        loop {
            let keeps = self.keeps(goal);
            let ahead = !scratch.ahead.is_empty();
            let many = match goal {
                Goal::Background => self.state.user.batch - batch.len(),
                Goal::Receive => take.room(batch),
                Goal::Connect(_) => 1,
            };
            // What was kept is older than what the kernel has.
            let kept = match keeps {
                true => None,
                false if budget.is_spent() && !ahead => return Pumped::Spent,
                false => self.unkeep(),
            };
            let fresh = kept.is_none();
            let kept_meta;
            let read = match kept {
                Some(held) => {
                    budget.spend(held.bytes());
                    match held {
                        Held::Message(meta, payload) => {
                            kept_meta = meta;
                            Read::Message(Message { meta: &kept_meta, payload })
                        }
                        Held::Error(errno) => Read::Error(errno),
                    }
                }
                None if keeps && !self.may_keep() && !ahead => return Pumped::Dry,
                None => self.read(scratch, &mut budget, many),
            };
            match read {
                Read::Nothing => return Pumped::Dry,
                Read::Spent => return Pumped::Spent,
                Read::Error(errno) if goal == Goal::Receive => return Pumped::Error(errno),
                Read::Error(libc::ENOTCONN) => {
                    // There is no association to read from. Not worth telling anybody, and
                    // not worth waiting for.
                    self.state.exhausted = true;
                    return Pumped::Dry;
                }
                Read::Error(errno) => {
                    // What came before goes before, and may be all that there is room for.
                    if !keeps {
                        self.deliver_batch(batch);
                    }
                    if keeps || self.keeps(goal) {
                        self.keep(Held::Error(errno));
                    } else {
                        self.deliver_error(errno);
                    }
                }
                Read::Message(message) if encode::class(&message).is_none() => {}
                Read::Message(message) => {
                    // What was kept has been noted, and is nobody's answer.
                    let news = fresh && message.meta.notification;
                    let change = if news { self.note(&message) } else { None };
                    // What came before counts before.
                    if let Some(connect) = change.and_then(|assoc| self.take_connect(assoc)) {
                        if goal != Goal::Receive {
                            self.deliver_batch(batch);
                        }
                        if goal == Goal::Connect(connect.assoc) {
                            self.consume_for_connect();
                            if let Some(taken) = take.message(&self.state, message, batch) {
                                return Pumped::Got(taken);
                            }
                            continue;
                        }
                        if self.answer_connect(&connect, &message) {
                            self.consume_for_connect();
                            continue;
                        }
                        // The process is gone: the event is news again.
                    }
                    if news && !self.is_wanted(&message) {
                        continue;
                    }
                    if keeps || self.keeps(goal) {
                        self.keep(message.keep());
                    } else if goal == Goal::Receive {
                        if let Some(taken) = take.message(&self.state, message, batch) {
                            return Pumped::Got(taken);
                        }
                    } else if self.state.user.batch > 1 {
                        batch.push(message);
                        if batch.len() >= self.state.user.batch {
                            self.deliver_batch(batch);
                        }
                    } else {
                        self.deliver(message);
                    }
                }
            }
        }
    }

    /// Is what comes kept for later?
    fn keeps(&self, goal: Goal) -> bool {
        !self.state.delivers() && goal != Goal::Receive
    }

    /// May a socket be read ahead of its receiver or owner? Only for a connect's sake.
    fn may_keep(&self) -> bool {
        !self.state.connects.is_empty() && !self.state.backlog_is_full()
    }

    /// Notes what a notification changes; gives the association whose state changed.
    fn note(&mut self, event: &Message) -> Option<AssocId> {
        match notification::parse(&event.payload)? {
            Notification::AssocChange { state, assoc, .. } => {
                if state != AssocState::CommUp {
                    self.state.fragments.abandon(assoc);
                    self.wake_writers_to(assoc);
                }
                Some(assoc)
            }
            Notification::PartialDelivery { assoc, .. } => {
                self.state.fragments.abandon(assoc);
                None
            }
            _ => None,
        }
    }

    /// Does the owner want to hear of it? What the library needs comes in any case.
    fn is_wanted(&self, event: &Message) -> bool {
        let user = &self.state.user;
        match notification::parse(&event.payload) {
            Some(Notification::AssocChange { .. }) => user.association_event,
            Some(Notification::PartialDelivery { .. }) => user.partial_delivery_event,
            _ => true,
        }
    }

    fn take_connect(&mut self, assoc: AssocId) -> Option<Connect> {
        let connects = &mut self.state.connects;
        let at = connects.iter().position(|connect| connect.assoc == assoc)?;
        Some(connects.swap_remove(at))
    }

    fn answer_connect(&self, connect: &Connect, message: &Message) -> bool {
        connect.waiter.wake(|env| encode::connect_result(env, message))
    }

    fn consume_for_connect(&mut self) {
        if self.state.active.consume_for_connect() {
            self.announce_passive();
        }
    }

    /// Sends a message to the owner and accounts for it.
    fn deliver(&mut self, message: Message) {
        let state = &mut *self.state;
        let Some(anchor) = &state.anchor else { return };
        let tag = match encode::class(&message) {
            Some(Class::Error) => atoms::sctp_error(),
            _ => atoms::sctp(),
        };
        let Message { meta, payload } = message;
        message::send(&state.owner, |env| {
            let socket = socket_term(env, anchor);
            let (ip, port) = encode::ip_port(env, meta.from);
            let anc = encode::ancillary(env, meta, state.user.data_io);
            let body = encode::body(env, meta, payload, state.user.list);
            (tag, socket, ip, port, (anc, body)).encode(env)
        });
        state.spend_grant();
        if state.active.consume() {
            self.announce_passive();
        }
    }

    /// Sends what has come to the owner, as one message.
    fn deliver_batch(&mut self, batch: &mut Batch) {
        let state = &mut *self.state;
        let Some(anchor) = state.anchor.as_ref().filter(|_| !batch.is_empty()) else { return };
        message::send(&state.owner, |env| {
            let messages = batch.encode(env, &state.user);
            (atoms::sctp_batch(), socket_term(env, anchor), messages).encode(env)
        });
        state.spend_grant();
        if state.active.consume() {
            self.announce_passive();
        }
    }

    /// Tells the owner of a read error, which is not counted as a message.
    fn deliver_error(&mut self, errno: i32) {
        let Some(anchor) = &self.state.anchor else { return };
        message::send(&self.state.owner, |env| {
            let reason = encode::errno(env, errno);
            (atoms::sctp_error(), socket_term(env, anchor), reason).encode(env)
        });
        self.state.spend_grant();
    }

    /// Announces that a count has come to its end: a message, too, but one that comes whether there
    /// is room for it or not.
    pub(crate) fn announce_passive(&mut self) {
        let state = &mut *self.state;
        if let Some(handover) = &mut state.handover {
            handover.ended += 1;
            return;
        }
        let Some(anchor) = &state.anchor else { return };
        message::send(&state.owner, |env| {
            (atoms::sctp_passive(), socket_term(env, anchor)).encode(env)
        });
        state.spend_grant();
    }

    /// Wakes the waiting receiver, if any, to read for itself.
    pub(crate) fn wake_receiver(&mut self) {
        let Some(receiver) = &mut self.state.receiver else { return };
        if receiver.woken {
            return;
        }
        receiver.woken = true;
        if !receiver.waiter.wake_ready() {
            self.state.receiver = None;
        }
    }

    /// Changes the mode; [`Open::resume`] makes it so, and has to follow.
    pub(crate) fn set_active(
        &mut self,
        socket: &SocketRef,
        request: Request,
    ) -> Result<(), OutOfRange> {
        let (active, ended) = self.state.active.after(request)?;
        self.state.active = active;
        self.hold(socket);
        if ended {
            self.announce_passive();
        }
        Ok(())
    }

    /// Delivers what can be delivered at once in the mode that was set, and waits for the rest. The
    /// anchor it returns must be dropped after unlocking.
    #[must_use]
    pub(crate) fn resume(&mut self) -> Option<Handle> {
        let active = self.state.active;
        // An owner that asks for one message at a time and is quicker than its peer would look in
        // vain each time; the I/O thread waits anyway.
        let look = active != Active::Once || self.state.speculate || !self.state.backlog.is_empty();
        if self.state.is_active() && look {
            let user = &self.state.user;
            let budget = Budget::of_batches(user.batch, user.list);
            self.pump(Goal::Background, budget, ignore);
            self.state.speculate = !self.state.is_active();
        }
        self.settle()
    }

    /// After any pumping: wakes who has something to fetch and waits for the rest. The anchor it
    /// returns must be dropped after unlocking.
    #[must_use]
    pub(crate) fn settle(&mut self) -> Option<Handle> {
        self.state.ask_for_grant(self.inner.token);
        if !self.state.backlog.is_empty() {
            if !self.state.is_active() {
                self.wake_receiver();
            } else if self.state.delivers() {
                poller(self.inner.token).revisit(self.inner.token);
            }
        }
        self.arm();
        self.loose_anchor()
    }
}
