//! The processes that wait at a socket: for a message, for room to send, for their association, for that
//! of a peer.

use std::collections::VecDeque;
use std::mem::take;

use rustler::{Monitor, Term};
use sctp::AssocId;

use crate::message::Most;
use crate::socket::acceptors::Acceptors;
use crate::socket::waiter::Waiter;
use crate::socket::watched::Watched;
use crate::terms::error::Error;

/// So many who wait to send are worth a look at who is dead.
const MANY_WRITERS: usize = 64;

/// Who waits.
#[derive(Default)]
pub(crate) struct Waiters {
    /// The one process that may wait in recv, or select for reading.
    receiver: Option<Receiver>,
    writers: VecDeque<Writer>,
    /// How many of them select.
    selecting: usize,
    connects: Vec<Connect>,
    pub(crate) acceptors: Acceptors,
    /// Those who have selected or wait to accept, whose ends the VM tells.
    pub(crate) watched: Watched,
}

/// A process that waits in recv, or selects for reading.
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
    /// The process that waits in recv, for a message.
    pub(crate) fn receiver(&self) -> Option<&Receiver> {
        self.receiver.as_ref().filter(|receiver| !receiver.waiter.selects())
    }

    /// Whether a process waits in recv or selects for reading: there is a place for one.
    pub(crate) fn has_reader(&self) -> bool {
        self.receiver.is_some()
    }

    /// Whether one selects for reading.
    pub(crate) fn selects_reading(&self) -> bool {
        self.receiver.as_ref().is_some_and(|receiver| receiver.waiter.selects())
    }

    /// Tells the process that selects for reading, if one does, to try.
    pub(crate) fn tell_reader(&mut self) {
        if let Some(reader) = self.receiver.take_if(|receiver| receiver.waiter.selects()) {
            reader.waiter.wake_ready();
        }
    }

    /// Does any process select? Its message names the socket, which is kept for that.
    pub(crate) fn has_selects(&self) -> bool {
        self.selecting > 0 || self.selects_reading()
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
        // Processes that were killed meanwhile wait for nothing: now and then they are struck out.
        if self.writers.len() >= MANY_WRITERS && self.writers.len().is_power_of_two() {
            self.retain_writers(Waiter::is_alive);
        }
        self.selecting += usize::from(waiter.selects());
        self.writers.push_back(Writer { assoc, waiter });
    }

    fn retain_writers(&mut self, mut stays: impl FnMut(&Waiter) -> bool) {
        self.writers.retain(|writer| stays(&writer.waiter));
        self.selecting = self.writers.iter().filter(|writer| writer.waiter.selects()).count();
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
        while let Some(Writer { waiter, .. }) = self.writers.pop_front() {
            self.selecting -= usize::from(waiter.selects());
            if waiter.wake_ready() {
                break;
            }
        }
    }

    /// Wakes those who wait to send to such associations, to see for themselves.
    pub(crate) fn wake_writers(&mut self, mut wakes: impl FnMut(AssocId) -> bool) {
        self.selecting = 0;
        for writer in take(&mut self.writers) {
            if wakes(writer.assoc) {
                writer.waiter.wake_ready();
            } else {
                self.selecting += usize::from(writer.waiter.selects());
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
            let selected = self.writers.remove(at).is_some_and(|writer| writer.waiter.selects());
            self.selecting -= usize::from(selected);
            return true;
        }
        if let Some(at) = self.connects.iter().position(|connect| connect.waiter.is(reference)) {
            self.connects.swap_remove(at);
            return true;
        }
        false
    }

    /// A process that is watched is dead: whatever it waits for it does no more. `None` if this is none of
    /// their monitors, else whether it had been called to accept.
    pub(crate) fn gone(&mut self, monitor: &Monitor) -> Option<bool> {
        let pid = self.watched.remove(monitor)?;
        self.receiver.take_if(|receiver| receiver.waiter.is_of(&pid));
        self.retain_writers(|waiter| !waiter.is_of(&pid));
        Some(self.acceptors.gone(&pid))
    }

    /// The socket is closed: those who wait for an answer get it, or hear that there will be none.
    pub(crate) fn close(&mut self) {
        self.selecting = 0;
        self.watched = Watched::default();
        let receiver = self.receiver.take().map(|receiver| receiver.waiter);
        let writers = take(&mut self.writers).into_iter().map(|writer| writer.waiter);
        let connects = take(&mut self.connects).into_iter().map(|connect| connect.waiter);
        for waiter in receiver.into_iter().chain(writers).chain(connects) {
            waiter.refuse(Error::Closed);
        }
        self.acceptors.refuse(Error::Closed);
    }

    /// Strikes out all, who are dead.
    pub(crate) fn clear(&mut self) {
        *self = Waiters::default();
    }

    /// How many wait in recv, for room, in connect, and in accept; those who select for it, too.
    pub(crate) fn counts(&self) -> [usize; 4] {
        let receivers = usize::from(self.receiver.is_some());
        [receivers, self.writers.len(), self.connects.len(), self.acceptors.count()]
    }
}
