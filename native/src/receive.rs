//! Who has the socket read: a process in recv, one that connects, and the I/O thread.

use std::io;
use std::net::SocketAddr;

use beam::{message, panics};
use flow::budget::Budget;
use flow::pace::Traffic;
use rustler::{Env, Term};
use sctp::Event;
use sctp::types::AssocId;

use crate::pump::{Goal, Pumped, Take, ignore};
use crate::socket::{Closed, Connect, Inner, Receiver, Writer};
use crate::waiter::Waiter;

/// The answer to recv.
pub(crate) enum Received<T> {
    Message(T),
    Error(i32),
    /// Another process waits already.
    Already,
    /// Messages go to the owner.
    Active,
    /// Nothing is there; the caller is registered if it gave a reference.
    Wait,
    /// The caller has to ask again, and keeps its place: the budget was spent before its message was
    /// whole.
    More,
}

impl Inner {
    /// What there is for the calling process, or a place to wait for it.
    pub(crate) fn receive<T: Take>(
        &self,
        env: Env,
        reference: Option<Term>,
        take: T,
    ) -> Result<Received<T::Taken>, Closed> {
        let anchor;
        let answer = {
            let mut open = self.lock()?;
            panics::point("recv");
            let waiting = open.state.receiver.as_ref();
            let again = waiting.is_some_and(|waiting| {
                reference.is_some_and(|reference| waiting.waiter.is(reference))
            });
            if !again {
                if open.state.is_active() {
                    return Ok(Received::Active);
                }
                if waiting.is_some_and(|w| message::is_alive(&w.waiter.pid)) {
                    return Ok(Received::Already);
                }
                open.state.receiver = None;
            }
            let pumped = if open.state.is_active() {
                // Made active while this process waited: it goes on waiting.
                Pumped::Dry
            } else {
                let budget = take.budget(&open.state);
                open.pump(Goal::Receive, budget, take)
            };
            let answer = match pumped {
                Pumped::Got(message) => Received::Message(message),
                Pumped::Error(errno) => Received::Error(errno),
                Pumped::Spent => Received::More,
                Pumped::Dry => Received::Wait,
            };
            let woken = matches!(answer, Received::More);
            let stays = woken || matches!(answer, Received::Wait);
            match reference.filter(|_| stays) {
                Some(reference) => match &mut open.state.receiver {
                    Some(receiver) => receiver.woken = woken,
                    none => {
                        let waiter = Waiter::new(env.pid(), reference);
                        *none = Some(Receiver { waiter, woken });
                    }
                },
                None => open.state.receiver = None,
            }
            anchor = open.settle();
            answer
        };
        drop(anchor);
        Ok(answer)
    }

    /// Starts an association; with a reference, reports its outcome or registers the caller.
    pub(crate) fn connect<T: Take>(
        &self,
        env: Env,
        addresses: &[SocketAddr],
        reference: Option<Term>,
        take: T,
    ) -> Result<io::Result<Connecting<T::Taken>>, Closed> {
        let anchor;
        let answer = {
            let mut open = self.lock()?;
            let assoc = match open.kernel().connect(addresses) {
                Ok(assoc) => assoc,
                Err(error) => return Ok(Err(error)),
            };
            open.state.exhausted = false;
            let Some(reference) = reference else {
                anchor = open.settle();
                drop(open);
                drop(anchor);
                return Ok(Ok(Connecting::Started(assoc)));
            };
            let waiter = Waiter::new(env.pid(), reference);
            open.state.connects.push(Connect { assoc, waiter });
            let pumped = open.pump(Goal::Connect(assoc), Budget::CALLER, take);
            anchor = open.settle();
            match pumped {
                Pumped::Got(outcome) => Connecting::Done(outcome),
                Pumped::Error(_) | Pumped::Dry | Pumped::Spent => Connecting::Wait,
            }
        };
        drop(anchor);
        Ok(Ok(answer))
    }

    /// Registers the caller for the moment when there is room to send to an association.
    pub(crate) fn await_writable(
        &self,
        env: Env,
        assoc: AssocId,
        reference: Term,
    ) -> Result<(), Closed> {
        let waiter = Waiter::new(env.pid(), reference);
        let mut open = self.lock()?;
        open.add_writer(Writer { assoc, waiter });
        // It may have come to its end since the process tried, and been mourned.
        if !open.kernel().has_assoc(assoc) {
            open.wake_orphans();
        }
        Ok(())
    }

    /// The I/O thread's part. Tells what it delivered to the owner, if anything.
    pub(crate) fn on_ready(&self, event: &Event) -> Option<Traffic> {
        let anchor;
        let mut traffic = None;
        {
            let mut open = self.lock().ok()?;
            open.fired();
            panics::point("socket");
            let wanted = open.wants(event);
            let active = open.state.is_active();
            if event.readable || event.error {
                if active || !open.state.connects.is_empty() {
                    let before = open.state.received.count();
                    let user = &open.state.user;
                    let budget = match user.batch {
                        1 => open.state.burst.budget(),
                        // To ask for more than there is costs nothing.
                        batch => Budget::of_batches(batch, user.list),
                    };
                    let pumped = open.pump(Goal::Background, budget, ignore);
                    let messages = open.state.received.count() - before;
                    // A count that has come to its end says nothing of what the kernel still has.
                    if !active || open.state.is_active() {
                        open.state.burst.learn(messages, matches!(pumped, Pumped::Dry));
                    }
                    if active && messages > 0 {
                        let sent = self.sent.count();
                        let answered = std::mem::replace(&mut open.state.sent_before, sent) != sent;
                        traffic = Some(if answered { Traffic::Dialogue } else { Traffic::Stream });
                        // In a stream the next message may be there before it is asked for.
                        open.state.speculate |= !answered;
                    }
                } else {
                    open.wake_receiver();
                    // The owner has yet to ask for this: it is slower than its peer.
                    open.state.speculate = true;
                }
            }
            if open.state.writers.is_empty() {
                // Nobody to be told.
            } else if event.error {
                open.wake_writers();
            } else if event.writable {
                open.wake_writer();
            } else if !open.state.delivers() {
                // What came, and was not read, may be the end of an association.
                open.wake_orphans();
            }
            open.rearm(event, wanted);
            anchor = open.settle();
        }
        drop(anchor);
        traffic
    }
}

/// The answer to connect.
pub(crate) enum Connecting<T> {
    /// Under way, with this id.
    Started(AssocId),
    /// The association change that ended it.
    Done(T),
    /// The caller is registered for it.
    Wait,
}
