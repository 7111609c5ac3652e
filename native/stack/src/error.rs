//! Why a call is refused.

/// Why a call was refused; each is one errno of the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Nothing to receive, or no room to send (EAGAIN).
    Again,
    /// No such endpoint or association, or a value that makes no sense (EINVAL).
    Invalid,
    /// The port is taken (EADDRINUSE).
    AddressInUse,
    /// There is an association with that peer (EISCONN).
    Connected,
    /// There is none (ENOTCONN).
    NotConnected,
    /// The association is under way already (EALREADY).
    Already,
    /// There is no such association, or not any more (EPIPE).
    Pipe,
    /// The association is being shut down (ESHUTDOWN).
    Shutdown,
    /// The message is too long (EMSGSIZE).
    TooLong,
    /// Not for this style of endpoint (EOPNOTSUPP).
    Unsupported,
    /// No more associations (ENOBUFS).
    NoBuffers,
    /// Refused by the peer (ECONNREFUSED).
    Refused,
    /// Aborted by the peer (ECONNRESET).
    Reset,
    /// The peer did not answer (ETIMEDOUT).
    TimedOut,
}
