//! What is received: data and events, and how they are kept.

use std::mem::replace;
use std::ops::Deref;

use rustler::OwnedBinary;
use sctp::{AssocId, Notification, Received};

/// How many messages a receiver gets at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Most {
    /// One, by itself.
    One,
    /// A list of so many, at most.
    Batch(usize),
}

/// The bytes of data.
pub(crate) enum Payload<'a> {
    Read(&'a [u8]),
    Kept(Vec<u8>),
    Binary(OwnedBinary),
}

impl Payload<'_> {
    /// Takes them out, leaving none.
    pub(crate) fn take(&mut self) -> Self {
        replace(self, Payload::Read(&[]))
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Payload::Read(bytes) => bytes,
            Payload::Kept(bytes) => bytes,
            Payload::Binary(binary) => binary.as_slice(),
        }
    }
}

/// What a message is.
pub(crate) enum Content<'a> {
    Data(Payload<'a>),
    Event(Box<Notification>),
}

impl Content<'_> {
    /// Takes it out.
    fn take(&mut self) -> Self {
        replace(self, Content::Data(Payload::Read(&[])))
    }

    fn keep(self) -> Content<'static> {
        Content::Data(match self {
            Content::Event(event) => return Content::Event(event),
            Content::Data(Payload::Read(bytes)) => Payload::Kept(bytes.to_vec()),
            Content::Data(Payload::Kept(bytes)) => Payload::Kept(bytes),
            Content::Data(Payload::Binary(binary)) => Payload::Binary(binary),
        })
    }

    /// The memory it takes elsewhere.
    fn bytes(&self) -> usize {
        match self {
            Content::Data(payload) => payload.len(),
            Content::Event(_) => size_of::<Notification>(),
        }
    }
}

/// Data that are whole, or an event.
pub(crate) struct Message<'a> {
    /// What the kernel said with its last piece; `len` is that piece's.
    pub(crate) meta: &'a Received,
    pub(crate) content: Content<'a>,
}

impl Message<'_> {
    /// Takes it out, leaving nothing. By reference it is not moved on its way: it is large for that.
    pub(crate) fn take(&mut self) -> Self {
        Message { meta: self.meta, content: self.content.take() }
    }

    pub(crate) fn keep(self) -> Held {
        Held::Message(*self.meta, self.content.keep())
    }
}

/// What is kept for later.
pub(crate) enum Held {
    Message(Received, Content<'static>),
    Error(i32),
}

impl Held {
    /// The memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let content = match self {
            Held::Message(_, content) => content.bytes(),
            Held::Error(_) => 0,
        };
        size_of::<Held>() + content
    }

    /// Is it data, not an event?
    pub(crate) fn is_data(&self) -> bool {
        matches!(self, Held::Message(_, Content::Data(_)))
    }

    /// The association it is about.
    pub(crate) fn assoc(&self) -> Option<AssocId> {
        match self {
            Held::Message(_, Content::Event(event)) => event.assoc(),
            Held::Message(meta, Content::Data(_)) => meta.anc.info.map(|info| info.assoc),
            Held::Error(_) => None,
        }
    }
}
