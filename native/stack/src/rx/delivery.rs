//! What has come out and waits for the user.

use std::collections::VecDeque;

use super::tally::Tally;
use crate::types::{Ppid, Ssn, StreamId, Tsn};

/// What comes out, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// A message, or a part of one.
    Data(Message),
    /// The rest of the message that was delivered in parts never comes.
    Aborted {
        /// Its stream.
        stream: StreamId,
        /// Its number.
        ssn: Ssn,
    },
}

/// A message, or a part of one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) stream: StreamId,
    pub(crate) ssn: Ssn,
    pub(crate) unordered: bool,
    pub(crate) ppid: Ppid,
    /// Of the message's first chunk.
    pub(crate) tsn: Tsn,
    /// The cumulative TSN when it came out.
    pub(crate) cumulative: Tsn,
    pub(crate) bytes: Vec<u8>,
    /// The message ends with these bytes.
    pub(crate) end: bool,
    /// What it takes of the receive buffer until `release` is called with it.
    pub(crate) charge: usize,
}

/// The message that is delivered in parts (6.9; RFC 6458, section 8.1.20, level 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Partial {
    /// The place at which it begins.
    pub(super) start: u64,
    pub(super) stream: StreamId,
    pub(super) ssn: Ssn,
    pub(super) unordered: bool,
}

/// Messages on their way to the user.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    ready: VecDeque<Delivered>,
    /// Whole ones that wait for the end of the one that is delivered in parts.
    locked: VecDeque<Message>,
    partial: Option<Partial>,
    /// What the user can receive, or has waiting, and has not received.
    unread: Tally,
    locked_tally: Tally,
    /// Charges of before a restart: what the user receives next.
    carried: usize,
}

impl Delivery {
    /// What everything takes.
    pub(super) fn tally(&self) -> Tally {
        let mut all = self.unread;
        all += self.locked_tally;
        all += Tally { data: self.carried, charge: self.carried };
        all
    }

    /// The user has nothing to receive: only the peer can change that.
    pub(super) fn is_all_read(&self) -> bool {
        self.unread.charge == 0 && self.carried == 0
    }

    pub(super) fn partial(&self) -> Option<Partial> {
        self.partial
    }

    /// A whole message.
    pub(super) fn push(&mut self, message: Message) {
        if self.partial.is_some() {
            self.locked_tally += Tally::of_charge(message.charge);
            self.locked.push_back(message);
        } else {
            self.make_ready(message);
        }
    }

    fn make_ready(&mut self, message: Message) {
        self.unread += Tally::of_charge(message.charge);
        self.ready.push_back(Delivered::Data(message));
    }

    /// From now on this one is delivered in parts, and others wait.
    pub(super) fn begin(&mut self, partial: Partial) {
        self.partial = Some(partial);
    }

    /// The next part of it.
    pub(super) fn push_part(&mut self, part: Message) {
        let end = part.end;
        self.make_ready(part);
        if end {
            self.unlock();
        }
    }

    /// It never ends.
    pub(super) fn abort(&mut self) {
        if let Some(Partial { stream, ssn, .. }) = self.partial {
            self.ready.push_back(Delivered::Aborted { stream, ssn });
            self.unlock();
        }
    }

    fn unlock(&mut self) {
        self.partial = None;
        self.locked_tally = Tally::default();
        for message in std::mem::take(&mut self.locked) {
            self.make_ready(message);
        }
    }

    pub(super) fn take(&mut self) -> Option<Delivered> {
        self.ready.pop_front()
    }

    pub(super) fn carry(&mut self, charge: usize) {
        self.carried += charge;
    }

    /// The user has received what had this charge.
    pub(super) fn release(&mut self, charge: usize) {
        // What came before a restart is received before what came after it.
        let carried = charge.min(self.carried);
        self.carried -= carried;
        if charge > carried {
            self.unread -= Tally::of_charge(charge - carried);
        }
    }
}
