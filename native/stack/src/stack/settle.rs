//! What follows from what happened to an association: for its endpoint, the timers, and those who
//! wait.

use crate::assoc::context::Context;
use crate::assoc::state::{Assoc, End, Happened};
use crate::endpoint::{Endpoint, Piece};
use crate::error::Error;
use crate::event::{Event, RcvInfo};
use crate::params::Style;
use crate::rx::Message;
use crate::stack::used::Past;
use crate::stack::{Limits, Stack};
use crate::status::{Ready, State};
use crate::types::{AssocId, EndpointId};

impl Stack {
    /// Does something to an association, and what follows from it.
    pub(super) fn with<T>(
        &mut self,
        id: AssocId,
        act: impl FnOnce(&mut Assoc, &mut Context) -> T,
    ) -> Option<T> {
        let entry = self.assocs.get_mut(&id)?;
        let result = act(&mut entry.assoc, &mut self.cx);
        if !entry.sending {
            entry.sending = true;
            self.sending.push_back(id);
        }
        self.settle(id);
        Some(result)
    }

    /// Brings all else up to date with an association.
    pub(super) fn settle(&mut self, id: AssocId) {
        let Some(entry) = self.assocs.get_mut(&id) else { return };
        entry.assoc.collect();
        if entry.assoc.orphan && entry.assoc.state == State::Established {
            // It was closed, and the peer began anew: nobody is there any more (9.2).
            entry.assoc.shut_down(&mut self.cx);
            entry.assoc.collect();
        }
        if entry.tag != entry.assoc.local_tag {
            self.peers.change_tag(entry.tag, entry.assoc.local_tag, id);
            if let Some(until) = entry.assoc.cookie_until {
                self.used.insert(self.cx.now, entry.tag, until, Past::Up);
            }
            entry.tag = entry.assoc.local_tag;
        }
        self.deliver(id);
        let Some(entry) = self.assocs.get(&id) else { return };
        match entry.assoc.end {
            Some(end) => self.remove(id, end),
            None => self.deadlines.set(id, entry.assoc.timeout(self.cx.now)),
        }
    }

    /// Hands over what happened to the endpoint.
    fn deliver(&mut self, id: AssocId) {
        let Some(entry) = self.assocs.get_mut(&id) else { return };
        let happened = std::mem::take(&mut entry.assoc.happened);
        let unacked = entry.assoc.tx.buffered();
        let before = std::mem::replace(&mut entry.unacked, unacked);
        let endpoint = entry.endpoint.and_then(|endpoint| self.endpoints.get_mut(&endpoint));
        let Some(endpoint) = endpoint else {
            // Nobody is there to receive it. The window may open by that.
            let mut released = false;
            for happened in happened {
                if let Happened::Data(message) = happened {
                    entry.assoc.release(message.charge);
                    released = true;
                }
            }
            if released && !std::mem::replace(&mut entry.sending, true) {
                self.sending.push_back(id);
            }
            return;
        };
        let was_readable = endpoint.is_readable();
        let from = entry.assoc.peer();
        for happened in happened {
            match happened {
                Happened::Event(event) => {
                    push_event(endpoint, &self.limits, id, event);
                }
                Happened::Data(message) => endpoint.inbox.push_data(piece(id, from, message)),
            }
        }
        endpoint.unacked = endpoint.unacked + unacked - before;
        let ready = Ready {
            readable: !was_readable && endpoint.is_readable(),
            writable: endpoint.refused && endpoint.is_writable(),
        };
        let endpoint = entry.endpoint;
        if let Some(endpoint) = endpoint {
            self.tell_ready(endpoint, ready);
        }
    }

    /// An endpoint has become ready for this.
    pub(super) fn tell_ready(&mut self, id: EndpointId, ready: Ready) {
        let Some(endpoint) = self.endpoints.get_mut(&id) else { return };
        if endpoint.hidden || (!ready.readable && !ready.writable) {
            return;
        }
        if endpoint.ready == Ready::default() {
            self.ready.push_back(id);
        }
        endpoint.ready.readable |= ready.readable;
        endpoint.ready.writable |= ready.writable;
        if ready.writable {
            endpoint.refused = false;
        }
    }

    /// An association has ended.
    fn remove(&mut self, id: AssocId, end: End) {
        let Some(entry) = self.assocs.remove(&id) else { return };
        let assoc = &entry.assoc;
        self.peers.remove(assoc.ports.local, assoc.peer(), entry.tag, id);
        self.ports.release(entry.binding);
        self.deadlines.set(id, None);
        if let Some(until) = assoc.cookie_until {
            let past = if assoc.is_up() { Past::Up } else { Past::NeverUp };
            self.used.insert(self.cx.now, entry.tag, until, past);
        }
        if assoc.is_up() {
            let tag = (assoc.ports.local, assoc.peer(), assoc.peer_tag);
            // A preservative can make it twice as long (5.2.6).
            let until = self.cx.now + 2 * assoc.params.cookie_life;
            self.used_by_peers.insert(self.cx.now, tag, until, Past::Up);
        }
        let Some(owner) = entry.endpoint else { return };
        let Some(endpoint) = self.endpoints.get_mut(&owner) else { return };
        endpoint.assocs.remove(&id);
        endpoint.unacked -= entry.unacked;
        endpoint.inbox.end(assoc.delivered);
        let was_readable = endpoint.is_readable();
        if endpoint.style == Style::OneToOne {
            endpoint.failure = failure(end);
            // It may try again.
            endpoint.used = assoc.is_up();
        }
        let ready = Ready {
            readable: !was_readable && endpoint.is_readable(),
            writable: endpoint.refused && endpoint.is_writable(),
        };
        self.tell_ready(owner, ready);
    }
}

/// What a one-to-one endpoint says of an end.
fn failure(end: End) -> Option<Error> {
    match end {
        End::Complete => None,
        End::Aborted => Some(Error::Reset),
        End::Refused => Some(Error::Refused),
        End::Unreachable => Some(Error::TimedOut),
    }
}

fn push_event(endpoint: &mut Endpoint, limits: &Limits, id: AssocId, event: Event) {
    // A peer must not fill memory with what it makes us tell.
    let needed = matches!(
        event,
        Event::AssocChange(_)
            | Event::SendFailed { .. }
            | Event::Shutdown
            | Event::PartialDeliveryAborted { .. }
    );
    if needed || !endpoint.inbox.exceeds(limits) {
        endpoint.inbox.push_event(id, event);
    }
}

fn piece(assoc: AssocId, from: std::net::SocketAddr, message: Message) -> Piece {
    let Message { stream, ssn, unordered, ppid, tsn, cumulative, bytes, end, charge } = message;
    let info = RcvInfo { assoc, from, stream, ssn, unordered, ppid, tsn, cumulative };
    Piece { info, bytes, taken: 0, end, charge }
}
