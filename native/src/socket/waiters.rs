//! The processes that wait at a socket: for a message, for room to send, for their association.

use std::collections::VecDeque;
use std::mem::take;

use rustler::{Env, Term};
use sctp::AssocId;

use crate::message::Most;
use crate::socket::waiter::Waiter;
use crate::terms::error::Error;

/// So many who wait to send are worth a look at who is dead.
const MANY_WRITERS: usize = 64;

/// Who waits.
#[derive(Default)]
pub(crate) struct Waiters {
    /// The one process that may wait in recv.
    receiver: Option<Receiver>,
    writers: VecDeque<Writer>,
    connects: Vec<Connect>,
}

/// A process that waits in recv.
pub(crate) struct Receiver {
    pub(crate) waiter: Waiter,
    pub(crate) most: Most,
}

/// A process that waits for room to send to an association.
struct Writer {
    assoc: AssocId,
    waiter: Waiter,
}

/// A process that waits for its association to come up.
struct Connect {
    assoc: AssocId,
    waiter: Waiter,
}

impl Waiters {
    /// The process that waits in recv.
    pub(crate) fn receiver(&self) -> Option<&Receiver> {
        self.receiver.as_ref()
    }

    /// Strikes out a receiver that was killed, which waits for nothing.
    pub(crate) fn prune_receiver(&mut self) {
        self.receiver.take_if(|receiver| !receiver.waiter.is_alive());
    }

    pub(crate) fn set_receiver(&mut self, receiver: Receiver) {
        self.receiver = Some(receiver);
    }

    /// Takes out the receiver: its message has come.
    pub(crate) fn take_receiver(&mut self) -> Option<Receiver> {
        self.receiver.take()
    }

    /// Has a process wait for the outcome of an association that it has begun.
    pub(crate) fn add_connect(&mut self, assoc: AssocId, waiter: Waiter) {
        self.connects.push(Connect { assoc, waiter });
    }

    pub(crate) fn has_connects(&self) -> bool {
        !self.connects.is_empty()
    }

    /// Takes out the process that waits for the outcome of this association.
    pub(crate) fn take_connect(&mut self, assoc: AssocId) -> Option<Waiter> {
        let at = self.connects.iter().position(|connect| connect.assoc == assoc)?;
        Some(self.connects.swap_remove(at).waiter)
    }

    /// Has a process wait for room.
    pub(crate) fn add_writer(&mut self, assoc: AssocId, waiter: Waiter) {
        let writers = &mut self.writers;
        // Processes that were killed meanwhile wait for nothing: now and then they are struck out.
        if writers.len() >= MANY_WRITERS && writers.len().is_power_of_two() {
            writers.retain(|writer| writer.waiter.is_alive());
        }
        writers.push_back(Writer { assoc, waiter });
    }

    pub(crate) fn has_writers(&self) -> bool {
        !self.writers.is_empty()
    }

    /// How many wait to send.
    pub(crate) fn writers(&self) -> usize {
        self.writers.len()
    }

    /// Wakes one of those who wait to send: it leaves room or not for the next.
    pub(crate) fn wake_writer(&mut self) {
        while let Some(writer) = self.writers.pop_front() {
            if writer.waiter.wake_ready() {
                break;
            }
        }
    }

    /// Wakes those who wait to send to such associations, to see for themselves.
    pub(crate) fn wake_writers(&mut self, mut wakes: impl FnMut(AssocId) -> bool) {
        for writer in take(&mut self.writers) {
            if wakes(writer.assoc) {
                writer.waiter.wake_ready();
            } else {
                self.writers.push_back(writer);
            }
        }
    }

    /// Gives up waiting; false if nothing was waiting under `reference`: its message is on its way.
    pub(crate) fn cancel(&mut self, reference: Term) -> bool {
        if self.receiver.take_if(|receiver| receiver.waiter.is(reference)).is_some() {
            return true;
        }
        if let Some(at) = self.writers.iter().position(|writer| writer.waiter.is(reference)) {
            self.writers.remove(at);
            return true;
        }
        if let Some(at) = self.connects.iter().position(|connect| connect.waiter.is(reference)) {
            self.connects.swap_remove(at);
            return true;
        }
        false
    }

    /// The socket is closed: those who wait for an answer get it, the others find out.
    pub(crate) fn close(&mut self) {
        self.wake_writers(|_| true);
        let receiver = self.receiver.take().map(|receiver| receiver.waiter);
        let connects = take(&mut self.connects).into_iter().map(|connect| connect.waiter);
        for waiter in receiver.into_iter().chain(connects) {
            waiter.refuse(Error::Closed);
        }
    }

    /// Strikes out all, who are dead.
    pub(crate) fn clear(&mut self) {
        *self = Waiters::default();
    }

    /// How many wait in recv, for room, and in connect.
    pub(crate) fn counts(&self) -> [usize; 3] {
        [usize::from(self.receiver.is_some()), self.writers.len(), self.connects.len()]
    }
}

impl Receiver {
    pub(crate) fn new(env: Env, reference: Term, most: Most) -> Receiver {
        Receiver { waiter: Waiter::new(env.pid(), reference), most }
    }
}
