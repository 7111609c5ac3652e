//! Messages that did not get there (RFC 6458, section 6.1.4).

use crate::event::SendInfo;

/// A fragment of a message that the peer did not get for certain. One for each chunk, sent or to be
/// sent, as Linux has it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    /// It was sent at least once.
    pub(crate) sent: bool,
    /// Why.
    pub(crate) reason: Reason,
    /// As the user said.
    pub(crate) info: SendInfo,
    /// It begins the message.
    pub(crate) beginning: bool,
    /// It ends the message.
    pub(crate) end: bool,
    /// The fragment.
    pub(crate) bytes: Vec<u8>,
}

/// Why a message failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Its lifetime was over.
    Expired,
    /// The peer allows fewer streams than we wished for.
    NoStream,
    /// The association is over, or begins anew.
    Ended,
}
