//! What is read: messages and notifications, and how they are kept.

use std::ops::Deref;

use rustler::OwnedBinary;
use sctp::notification;
use sctp::types::AssocId;

/// The bytes of a message.
pub(crate) enum Payload<'a> {
    Read(&'a [u8]),
    Kept(Vec<u8>),
    Binary(OwnedBinary),
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

/// A whole message or notification.
pub(crate) struct Message<'a> {
    /// What the kernel said with its last piece; `len` is that piece's.
    pub(crate) meta: &'a sctp::Received,
    pub(crate) payload: Payload<'a>,
}

impl Message<'_> {
    pub(crate) fn keep(self) -> Held {
        let payload = match self.payload {
            Payload::Read(bytes) => Payload::Kept(bytes.to_vec()),
            Payload::Kept(bytes) => Payload::Kept(bytes),
            Payload::Binary(binary) => Payload::Binary(binary),
        };
        Held::Message(*self.meta, payload)
    }
}

/// What the backlog keeps.
pub(crate) enum Held {
    Message(sctp::Received, Payload<'static>),
    Error(i32),
}

impl Held {
    /// The memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let payload = match self {
            Held::Message(_, payload) => payload.len(),
            Held::Error(_) => 0,
        };
        size_of::<Held>() + payload
    }

    /// Is it data, not an event?
    pub(crate) fn is_data(&self) -> bool {
        matches!(self, Held::Message(meta, _) if !meta.notification)
    }

    /// The association it is about.
    pub(crate) fn assoc(&self) -> Option<AssocId> {
        match self {
            Held::Message(meta, payload) if meta.notification => {
                notification::parse(payload)?.assoc()
            }
            Held::Message(meta, _) => meta.anc.info.map(|info| info.assoc),
            Held::Error(_) => None,
        }
    }
}
