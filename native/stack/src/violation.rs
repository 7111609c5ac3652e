//! What a peer may not do.

/// What the peer did: it is answered by an ABORT with the cause "protocol violation" and this text
/// (RFC 9260, section 3.3.10.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation(pub(crate) &'static str);
