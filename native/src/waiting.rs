//! Who waits for what, and what the epoll set waits for on their behalf.

use std::collections::HashMap;
use std::mem::take;

use beam::message;
use rustler::Term;
use sctp::{Event, Interest};

use sctp::types::{AssocId, Style};

use crate::poller::poller;
use crate::socket::{Inner, Open, Writer};

/// So many who wait to send are worth a look at who is dead.
const MANY_WRITERS: usize = 64;

impl Open<'_> {
    /// What is worth waiting for now, and how.
    fn wanted(&self) -> Interest {
        let state = &*self.state;
        let active = state.is_active();
        let received = !active && state.receiver.as_ref().is_some_and(|receiver| !receiver.woken);
        let connected = !state.connects.is_empty() && !state.backlog_is_full();
        let readable = state.delivers() || received || connected;
        let writable = !state.writers.is_empty();
        if readable && state.exhausted {
            return Interest { readable, writable, edge: true, ..Interest::NONE };
        }
        if active && (readable || !writable) {
            return Interest { readable, writable, ..Interest::NONE };
        }
        if readable || !writable {
            // Who waits on a passive socket is told once and reads for himself; till he has, the
            // socket would fire on and on.
            return Interest { readable, writable, oneshot: true, ..Interest::NONE };
        }
        // The kernel wakes nobody for the room that an association leaves when it dies. But it
        // tells of the death, and at that moment the room shows.
        Interest { readable: true, writable: true, edge: true, ..Interest::NONE }
    }

    /// Makes sure that what is wanted is waited for.
    ///
    /// What an active socket no longer wants stays in the epoll set until it shows up there
    /// unasked ([`Open::rearm`]): a busy socket wants it back before that, and both ways are
    /// system calls.
    pub(crate) fn arm(&mut self) {
        let (old, new) = (self.state.registered, self.wanted());
        if old == new {
            return;
        }
        let idle = !new.readable && !new.writable;
        let lasting = !old.oneshot && !old.edge;
        let covered = (old.readable || !new.readable) && (old.writable || !new.writable);
        let enough = lasting && covered;
        if !idle && !enough {
            self.register(new);
        }
    }

    /// Waits for what is wanted and for nothing else.
    fn disarm(&mut self) {
        let wanted = self.wanted();
        let idle = !wanted.readable && !wanted.writable;
        if !idle {
            self.register(wanted);
        } else if self.state.registered != Interest::NONE {
            self.register(Interest::NONE.oneshot());
            self.state.registered = Interest::NONE;
        }
    }

    /// Is all that `event` reports wanted? An error is, if anything is.
    pub(crate) fn wants(&self, event: &Event) -> bool {
        let wanted = self.wanted();
        match (wanted.readable, wanted.writable) {
            (true, true) => true,
            (true, false) => !event.writable,
            (false, true) => !event.readable,
            (false, false) => false,
        }
    }

    fn register(&mut self, interest: Interest) {
        // The fd is in the set as long as it is open, so this cannot fail.
        let _ = poller(self.inner.token).modify(self.kernel().source(), self.inner.token, interest);
        self.state.registered = interest;
    }

    /// Out of the epoll set, before the fd number can be anybody else's.
    pub(crate) fn leave(&self) {
        // It is there, so this cannot fail; closing would take it out as well.
        let _ = poller(self.inner.token).delete(self.kernel().source());
    }

    /// An event has come: the kernel has forgotten a one-shot.
    pub(crate) fn fired(&mut self) {
        if self.state.registered.oneshot {
            self.state.registered = Interest::NONE;
        }
    }

    /// After an event: waits on for who still waits, and no longer for what nobody wanted when it
    /// came.
    pub(crate) fn rearm(&mut self, event: &Event, was_wanted: bool) {
        let wanted = self.wanted();
        if self.state.registered.edge {
            // An edge stays: it is silent until something happens. But it does not repeat what is
            // still true: ask again for the next in line.
            if wanted.edge && event.writable && wanted.writable {
                self.register(wanted);
            }
        } else if wanted.edge {
            self.register(wanted);
        } else if !was_wanted {
            self.disarm();
        }
    }

    /// Waits for room on behalf of a process.
    pub(crate) fn add_writer(&mut self, writer: Writer) {
        let writers = &mut self.state.writers;
        // Processes that were killed meanwhile wait for nothing: now and then they are struck out.
        if writers.len() >= MANY_WRITERS && writers.len().is_power_of_two() {
            writers.retain(|writer| message::is_alive(&writer.waiter.pid));
        }
        writers.push_back(writer);
        let wanted = self.wanted();
        if wanted.edge {
            // The room may have come since the process tried, and been announced.
            self.register(wanted);
        } else {
            self.arm();
        }
    }

    /// Wakes one of those who wait to send: it leaves room or not for the next.
    pub(crate) fn wake_writer(&mut self) {
        while let Some(writer) = self.state.writers.pop_front() {
            if writer.waiter.wake_ready() {
                break;
            }
        }
    }

    /// Wakes all who wait to send, to see for themselves.
    pub(crate) fn wake_writers(&mut self) {
        for writer in take(&mut self.state.writers) {
            writer.waiter.wake_ready();
        }
    }

    /// Wakes those who wait to send to this association. On a one-to-one socket there is no other,
    /// whatever they called it.
    pub(crate) fn wake_writers_to(&mut self, assoc: AssocId) {
        let only = self.inner.style == Style::OneToOne;
        for writer in take(&mut self.state.writers) {
            if only || writer.assoc == assoc {
                writer.waiter.wake_ready();
            } else {
                self.state.writers.push_back(writer);
            }
        }
    }

    /// Wakes those who wait to send to an association that is no more: there may never be room.
    pub(crate) fn wake_orphans(&mut self) {
        let mut known = HashMap::new();
        for writer in take(&mut self.state.writers) {
            let assoc = writer.assoc;
            if *known.entry(assoc).or_insert_with(|| self.kernel().has_assoc(assoc)) {
                self.state.writers.push_back(writer);
            } else {
                writer.waiter.wake_ready();
            }
        }
    }
}

impl Inner {
    /// Gives up waiting; false if nothing was waiting under `reference`.
    pub(crate) fn cancel(&self, reference: Term) -> bool {
        let mut state = self.state.lock();
        if state.receiver.as_ref().is_some_and(|receiver| receiver.waiter.is(reference)) {
            let receiver = state.receiver.take();
            // Woken means that the message is in the mailbox.
            return receiver.is_some_and(|receiver| !receiver.woken);
        }
        if let Some(at) = state.writers.iter().position(|writer| writer.waiter.is(reference)) {
            state.writers.remove(at);
            return true;
        }
        if let Some(at) = state.connects.iter().position(|connect| connect.waiter.is(reference)) {
            state.connects.swap_remove(at);
            return true;
        }
        false
    }
}
