//! The processes that wait at a socket: for a message, for room to send, for their association, for that
//! of a peer.

use std::mem::take;

use rustler::{Monitor, Term};
use sctp::AssocId;

use crate::message::Most;
use crate::socket::acceptors::Acceptors;
use crate::socket::waiter::Waiter;
use crate::socket::watched::Watched;
use crate::socket::writers::Writers;
use crate::terms::error::Error;

/// Who waits.
#[derive(Default)]
pub(crate) struct Waiters {
    /// The one process that may wait in recv, or select for reading.
    receiver: Option<Receiver>,
    pub(crate) writers: Writers,
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
        self.writers.has_selects() || self.selects_reading()
    }

    /// Strikes out who was killed: a receiver, which would get the next message, and those who connect,
    /// for whose sake messages would be read ahead, up to one that lives.
    pub(crate) fn prune(&mut self) {
        self.receiver.take_if(|receiver| !receiver.waiter.is_alive());
        while self.connects.first().is_some_and(|connect| !connect.waiter.is_alive()) {
            self.connects.swap_remove(0);
        }
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
        let Connect { waiter, .. } = self.connects.swap_remove(at);
        // Few sockets ever see another one, and most that do no two at a time.
        self.connects.shrink_to_fit();
        Some(waiter)
    }

    /// Gives up waiting; false if nothing was waiting under `reference`: its message is on its way.
    pub(crate) fn cancel(&mut self, reference: Term) -> bool {
        if self.receiver.take_if(|receiver| receiver.waiter.is(reference)).is_some() {
            return true;
        }
        if self.writers.leave(reference) {
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
        self.writers.retain(|waiter| !waiter.is_of(&pid));
        Some(self.acceptors.gone(&pid))
    }

    /// The socket is closed: those who wait for an answer get it, or hear that there will be none.
    pub(crate) fn close(&mut self) {
        self.watched = Watched::default();
        let receiver = self.receiver.take().map(|receiver| receiver.waiter);
        let writers = self.writers.take();
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
