//! One endpoint: what waits for its user, and what its user may not exceed.

use std::collections::{BTreeSet, VecDeque};

use crate::error::Error;
use crate::event::{AssocChange, Event, RcvInfo, Received, SendInfo};
use crate::params::{Limits, Params, Style};
use crate::ports::BindingId;
use crate::status::Ready;
use crate::types::{AssocId, EndpointId};

/// What a socket is to a kernel.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) style: Style,
    pub(crate) params: Params,
    pub(crate) send_info: SendInfo,
    pub(crate) binding: Option<BindingId>,
    pub(crate) listens: bool,
    pub(crate) backlog: usize,
    /// One-to-one: associations that wait for `accept`, with their endpoints. They may have ended
    /// already: what came before is still to be received.
    pub(crate) waiting: VecDeque<(EndpointId, AssocId)>,
    /// It waits for `accept`: nobody knows of it yet.
    pub(crate) hidden: bool,
    pub(crate) assocs: BTreeSet<AssocId>,
    /// One-to-one: it had an association, and can have no other.
    pub(crate) used: bool,
    /// One-to-one: why there is none any more, until `receive` has told it.
    pub(crate) failure: Option<Error>,
    pub(crate) inbox: Inbox,
    /// Bytes that were sent and are not acknowledged, with their accounting, of all associations.
    pub(crate) unacked: usize,
    /// `send` was refused for want of room.
    pub(crate) refused: bool,
    /// What is to be told of it.
    pub(crate) ready: Ready,
}

impl Endpoint {
    pub(crate) fn new(style: Style, params: Params) -> Endpoint {
        Endpoint {
            style,
            params,
            send_info: SendInfo::default(),
            binding: None,
            listens: false,
            backlog: 0,
            waiting: VecDeque::new(),
            hidden: false,
            assocs: BTreeSet::new(),
            used: false,
            failure: None,
            inbox: Inbox::default(),
            unacked: 0,
            refused: false,
            ready: Ready::default(),
        }
    }

    /// `receive` or `accept` has something.
    pub(crate) fn is_readable(&self) -> bool {
        if self.listens && self.style == Style::OneToOne {
            !self.waiting.is_empty()
        } else {
            !self.inbox.items.is_empty() || self.failure.is_some()
        }
    }

    /// `send` has room.
    pub(crate) fn is_writable(&self) -> bool {
        self.unacked < self.params.send_buffer
    }
}

/// What was received and what happened, in order.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    items: VecDeque<Item>,
    /// Events among them.
    events: usize,
    /// Bytes that the events carry.
    event_bytes: usize,
    /// What the data among them is charged with.
    charge: usize,
    /// The part of `charge` whose associations have ended: no window bounds it.
    ended: usize,
}

#[derive(Debug)]
enum Item {
    Event(AssocId, Event),
    Data(Piece),
}

/// A message, or a part of one.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) info: RcvInfo,
    pub(crate) bytes: Vec<u8>,
    /// Bytes of them that were received before.
    pub(crate) taken: usize,
    pub(crate) end: bool,
    /// What it takes of the receive buffer until all of it was received.
    pub(crate) charge: usize,
}

/// Something taken, and what of the receive buffer is free again.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) received: Received,
    pub(crate) freed: Option<(AssocId, usize)>,
}

impl Inbox {
    pub(crate) fn push_event(&mut self, assoc: AssocId, event: Event) {
        // A peer may begin anew again and again: what is not read yet need not be told twice.
        if let Event::AssocChange(AssocChange::Restart { .. }) = event
            && let Some(Item::Event(last, Event::AssocChange(AssocChange::Restart { .. }))) =
                self.items.back()
            && *last == assoc
        {
            self.items.pop_back();
            self.events -= 1;
        }
        self.events += 1;
        self.event_bytes += event.carried();
        self.items.push_back(Item::Event(assoc, event));
    }

    pub(crate) fn push_data(&mut self, piece: Piece) {
        self.charge += piece.charge;
        self.items.push_back(Item::Data(piece));
    }

    pub(crate) fn events(&self) -> usize {
        self.events
    }

    pub(crate) fn event_bytes(&self) -> usize {
        self.event_bytes
    }

    pub(crate) fn charge(&self) -> usize {
        self.charge
    }

    /// An association has ended of which so much waits.
    pub(crate) fn end(&mut self, charge: usize) {
        self.ended += charge;
    }

    /// So much of an association that has ended was taken.
    pub(crate) fn release_ended(&mut self, charge: usize) {
        self.ended = self.ended.saturating_sub(charge);
    }

    /// More than this waits that only the user's reading makes less.
    pub(crate) fn exceeds(&self, limits: &Limits) -> bool {
        self.events >= limits.events_per_endpoint
            || self.ended + self.event_bytes >= limits.unread_per_endpoint
    }

    /// Messages of an association, and parts of such, that wait.
    pub(crate) fn data_of(&self, assoc: AssocId) -> usize {
        let is_of = |item: &&Item| matches!(item, Item::Data(piece) if piece.info.assoc == assoc);
        self.items.iter().filter(is_of).count()
    }

    /// The next one, at most `max` bytes of data.
    pub(crate) fn take(&mut self, max: usize) -> Option<Taken> {
        if let Some(Item::Data(piece)) = self.items.front_mut()
            && piece.bytes.len() - piece.taken > max
        {
            let bytes = piece.bytes[piece.taken..piece.taken + max].to_vec();
            piece.taken += max;
            let received = Received::Data { info: piece.info, bytes, end: false };
            return Some(Taken { received, freed: None });
        }
        Some(match self.items.pop_front()? {
            Item::Event(assoc, event) => {
                self.events -= 1;
                self.event_bytes -= event.carried();
                Taken { received: Received::Event(assoc, event), freed: None }
            }
            Item::Data(Piece { info, mut bytes, taken, end, charge }) => {
                self.charge -= charge;
                bytes.drain(..taken);
                let received = Received::Data { info, bytes, end };
                Taken { received, freed: Some((info.assoc, charge)) }
            }
        })
    }

    /// Moves what is of an association to another endpoint.
    pub(crate) fn move_to(&mut self, assoc: AssocId, other: &mut Inbox) {
        for item in std::mem::take(&mut self.items) {
            let (inbox, item) = match item {
                Item::Event(id, event) if id == assoc => (&mut *other, Item::Event(id, event)),
                Item::Data(piece) if piece.info.assoc == assoc => (&mut *other, Item::Data(piece)),
                item => {
                    self.items.push_back(item);
                    continue;
                }
            };
            match item {
                Item::Event(id, event) => {
                    self.events -= 1;
                    self.event_bytes -= event.carried();
                    inbox.push_event(id, event);
                }
                Item::Data(piece) => {
                    self.charge -= piece.charge;
                    inbox.push_data(piece);
                }
            }
        }
    }
}
