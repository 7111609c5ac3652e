//! A non-blocking SCTP socket, whatever is behind it.

use std::ffi::CStr;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::{AsFd, RawFd};
use std::time::Duration;

use crate::ahead::Ahead;
use crate::kernel;
use crate::look::{AssocStats, Path, Status};
use crate::option::OptionSpec;
use crate::readiness::Source;
#[cfg(feature = "stub")]
use crate::stub;
use crate::types::{AssocId, Bindx, Family, Half, Received, SndInfo, Style, To};

/// An open socket; dropping it closes it (see [`Socket::prepare_close`]).
///
/// All calls can be made by several threads at a time, and none of them blocks. Errors have the
/// kernel's numbers, and are those of the kernel unless said otherwise.
#[derive(Debug)]
pub enum Socket {
    /// A socket of the Linux kernel.
    Kernel(kernel::socket::Socket),
    /// A backend that refuses everything: it keeps the border between backends and the rest honest.
    #[cfg(feature = "stub")]
    Stub(stub::Socket),
}

/// The same call of whatever backend it is.
macro_rules! backend {
    ($self:ident, $socket:ident => $call:expr) => {
        match $self {
            Socket::Kernel($socket) => $call,
            #[cfg(feature = "stub")]
            Socket::Stub($socket) => $call,
        }
    };
}

impl Socket {
    /// Opens a socket of the kernel, if `netns` is given in the network namespace at that path (the
    /// calling thread's own one never changes). Every message will come with its
    /// [`crate::RcvInfo`], and all notifications but those of adaptation, authentication and the
    /// later ones are on.
    ///
    /// Without SCTP in the kernel: `ESOCKTNOSUPPORT` or `EPROTONOSUPPORT`.
    pub fn open(family: Family, style: Style, netns: Option<&CStr>) -> io::Result<Socket> {
        kernel::socket::Socket::open(family, style, netns).map(Socket::Kernel)
    }

    /// The family it was opened with.
    pub fn family(&self) -> Family {
        backend!(self, socket => socket.family())
    }

    /// How it relates to associations.
    pub fn style(&self) -> Style {
        backend!(self, socket => socket.style())
    }

    /// Can packets go in UDP (RFC 6951)? Decided when it, or whom it was accepted by or peeled off, was
    /// opened: by `net.sctp.udp_port` of its network namespace.
    pub fn encapsulates(&self) -> bool {
        backend!(self, socket => socket.encapsulates())
    }

    /// Where its events come from.
    pub fn source(&self) -> Source<'_> {
        match self {
            Socket::Kernel(socket) => Source::Fd(socket.as_fd()),
            #[cfg(feature = "stub")]
            Socket::Stub(socket) => Source::Posted(socket.readiness()),
        }
    }

    /// The number of its descriptor, which stays its own; `EOPNOTSUPP` if it has none.
    pub fn fd(&self) -> io::Result<RawFd> {
        match self {
            Socket::Kernel(socket) => Ok(socket.fd()),
            #[cfg(feature = "stub")]
            Socket::Stub(_) => stub::refused(),
        }
    }

    /// Gives the endpoint its first address. A second time is `EINVAL`.
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        backend!(self, socket => socket.bind(addr))
    }

    /// Adds or removes further addresses; to add, their port must be the endpoint's or 0.
    pub fn bindx(&self, op: Bindx, addrs: &[SocketAddr]) -> io::Result<()> {
        backend!(self, socket => socket.bindx(op, addrs))
    }

    /// Accepts associations, of which one-to-one sockets keep `backlog` + 1; 0 stops accepting.
    pub fn listen(&self, backlog: i32) -> io::Result<()> {
        backend!(self, socket => socket.listen(backlog))
    }

    /// Whether it takes associations that peers begin.
    pub fn is_listening(&self) -> bool {
        backend!(self, socket => socket.is_listening())
    }

    /// Starts an association with the peer that has all these addresses, on one port. The id is
    /// valid at once; a notification tells how it went.
    ///
    /// `EISCONN`: there is one. `EALREADY`: one is being set up. `EAGAIN`: no local port is left.
    pub fn connect(&self, addrs: &[SocketAddr]) -> io::Result<AssocId> {
        backend!(self, socket => socket.connect(addrs))
    }

    /// Sends one message, wholly or not at all.
    ///
    /// `EAGAIN`: no room now. `EMSGSIZE`: never any room for that much. `EPIPE`: no such
    /// association. `EINVAL`: no such stream, or empty without `EOF` or `ABORT`.
    #[inline]
    pub fn send(&self, info: &SndInfo, payload: &[u8]) -> io::Result<()> {
        backend!(self, socket => socket.send(info, payload))
    }

    /// As [`Socket::send`], but to one path of the association, or to all associations.
    ///
    /// A path: `EINVAL` for an address that is not its peer's, `EOPNOTSUPP` on a peeled-off socket,
    /// whose messages all go by the primary path. All: `EOPNOTSUPP` on one-to-one sockets,
    /// `ENOTCONN` if none is up. The first that refuses ends it, those before have the message.
    pub fn send_to(&self, to: To, info: &SndInfo, payload: &[u8]) -> io::Result<()> {
        backend!(self, socket => socket.send_to(to, info, payload))
    }

    /// Sends messages to one association, from the first on, as many as are sure to be taken now, at
    /// most [`crate::BATCH`]; answers how many that were. The rest is for [`Socket::send`], which says
    /// what is wrong with the next one, if anything is.
    ///
    /// All that was sent is on its way, as if the last message had been sent alone; unless others
    /// have filled the buffer meanwhile: then, and only then, the last one that was taken is not
    /// counted, and the next send to this association takes the others along.
    pub fn send_batch(&self, assoc: AssocId, messages: &[(SndInfo, &[u8])]) -> usize {
        backend!(self, socket => socket.send_batch(assoc, messages))
    }

    /// Receives the next message or notification, or as much of it as there is and `buf` has room
    /// for; `EAGAIN` if there is none. `buf` must have room for something (else `EINVAL`).
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<Received> {
        self.recv_vectored(&mut [IoSliceMut::new(buf)])
    }

    /// As [`Socket::recv`], into one buffer after the other.
    pub fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<Received> {
        backend!(self, socket => socket.recv(bufs))
    }

    /// Whether [`Socket::recv_ahead`] gives the same messages in the same order as [`Socket::recv`]:
    /// not where it tells of an error of the socket before the messages that came before it.
    pub fn reads_ahead(&self) -> bool {
        match self {
            // One-to-one sockets have errors.
            Socket::Kernel(socket) => socket.style() == Style::OneToMany,
            #[cfg(feature = "stub")]
            Socket::Stub(_) => false,
        }
    }

    /// As [`Socket::recv`], of as many messages as there are and `most` says, to where all must have
    /// been taken; returns how many were received. An error that comes after a message is for the
    /// next call.
    pub fn recv_ahead(&self, ahead: &mut Ahead, most: usize) -> io::Result<usize> {
        match self {
            Socket::Kernel(socket) => ahead.fill(most, |payloads, most, headers, found| {
                socket.recv_many(payloads, most, headers, found)
            }),
            #[cfg(feature = "stub")]
            Socket::Stub(_) => stub::refused(),
        }
    }

    /// Branches an association off into a socket of its own, which takes what is queued for it
    /// along, and inherits the options of SCTP and the sizes of the buffers.
    pub fn peeloff(&self, assoc: AssocId) -> io::Result<Socket> {
        match self {
            Socket::Kernel(socket) => socket.peeloff(assoc).map(Socket::Kernel),
            #[cfg(feature = "stub")]
            Socket::Stub(_) => stub::refused(),
        }
    }

    /// Does an association wait to be accepted? To be asked before [`Socket::accept`], which may take
    /// some milliseconds to say that none does.
    pub fn has_waiting(&self) -> io::Result<bool> {
        backend!(self, socket => socket.has_waiting())
    }

    /// Gives the association that has waited longest on a listening one-to-one socket a socket of its
    /// own, which inherits all options. It may have ended by now.
    ///
    /// `EAGAIN`: none waits. `EINVAL`: it does not listen. `EOPNOTSUPP`: it is one-to-many. Without a
    /// descriptor the association goes on waiting.
    pub fn accept(&self) -> io::Result<Socket> {
        match self {
            Socket::Kernel(socket) => socket.accept().map(Socket::Kernel),
            #[cfg(feature = "stub")]
            Socket::Stub(_) => stub::refused(),
        }
    }

    /// Ends one direction or both of a one-to-one socket. SCTP has no half-open associations: who
    /// stops to send ends it, when all that was sent has arrived.
    ///
    /// `ENOTCONN`: there is no association. `EOPNOTSUPP`: it is one-to-many.
    pub fn shutdown(&self, half: Half) -> io::Result<()> {
        backend!(self, socket => socket.shutdown(half))
    }

    /// An address of the endpoint and its port, which is 0 before it has one.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        backend!(self, socket => socket.local_addr())
    }

    /// The primary address of the peer; `ENOTCONN` on one-to-many sockets.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        backend!(self, socket => socket.peer_addr())
    }

    /// All addresses of an association's end here, or with [`AssocId::FUTURE`] of the endpoint.
    pub fn local_addrs(&self, assoc: AssocId) -> io::Result<Vec<SocketAddr>> {
        backend!(self, socket => socket.local_addrs(assoc))
    }

    /// All addresses of an association's peer. One-to-one sockets ignore the id.
    pub fn peer_addrs(&self, assoc: AssocId) -> io::Result<Vec<SocketAddr>> {
        backend!(self, socket => socket.peer_addrs(assoc))
    }

    /// Number of associations of a one-to-many socket; `EOPNOTSUPP` on others.
    pub fn assoc_count(&self) -> io::Result<u32> {
        backend!(self, socket => socket.assoc_count())
    }

    /// The associations of a one-to-many socket; `EOPNOTSUPP` on others.
    pub fn assoc_ids(&self) -> io::Result<Vec<AssocId>> {
        backend!(self, socket => socket.assoc_ids())
    }

    /// The associations of any socket: of a one-to-one socket its one, when it is up.
    pub fn assocs(&self) -> io::Result<Vec<AssocId>> {
        backend!(self, socket => socket.assocs())
    }

    /// The state of an association (`SCTP_STATUS`). One-to-one sockets ignore the id here and below.
    pub fn status(&self, assoc: AssocId) -> io::Result<Status> {
        backend!(self, socket => socket.status(assoc))
    }

    /// All addresses of an association's peer, with the state of the paths to them
    /// (`SCTP_GET_PEER_ADDR_INFO`), a call of the kernel for each.
    pub fn paths(&self, assoc: AssocId) -> io::Result<Vec<Path>> {
        backend!(self, socket => socket.paths(assoc))
    }

    /// The counters of an association (`SCTP_GET_ASSOC_STATS`). The largest timeout is that since the
    /// last call: the kernel begins anew with each.
    pub fn assoc_stats(&self, assoc: AssocId) -> io::Result<AssocStats> {
        backend!(self, socket => socket.assoc_stats(assoc))
    }

    /// Whether there is this association. On a one-to-one socket: any?
    pub fn has_assoc(&self, assoc: AssocId) -> bool {
        backend!(self, socket => socket.has_assoc(assoc))
    }

    /// Does an association wait for its peer: to acknowledge data, or before it is up?
    pub fn awaits_peer(&self, assoc: AssocId) -> bool {
        backend!(self, socket => socket.awaits_peer(assoc))
    }

    /// What `SCTP_DEFAULT_SEND_PARAM` says for an association, or with [`AssocId::FUTURE`] for the
    /// endpoint.
    pub fn default_send_info(&self, assoc: AssocId) -> io::Result<SndInfo> {
        backend!(self, socket => socket.default_send_info(assoc))
    }

    /// Reads an option: `value` is the request and then, as far as the length given, the answer.
    pub fn get_option(&self, option: &OptionSpec, value: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Kernel(socket) => socket.get_option(option.level, option.optname, value),
            #[cfg(feature = "stub")]
            Socket::Stub(_) => stub::refused(),
        }
    }

    /// Sets an option.
    pub fn set_option(&self, option: &OptionSpec, value: &[u8]) -> io::Result<()> {
        match self {
            Socket::Kernel(socket) => socket.set_option(option.level, option.optname, value),
            #[cfg(feature = "stub")]
            Socket::Stub(_) => stub::refused(),
        }
    }

    /// Aborts an association. Refused on a one-to-one socket that was not peeled off, which can only
    /// be closed with a lingering time of 0.
    pub fn abort(&self, assoc: AssocId) -> io::Result<()> {
        backend!(self, socket => socket.abort(assoc))
    }

    /// Has the close of the socket abort its associations, whatever it was to do.
    pub fn abort_at_close(&self) -> io::Result<()> {
        backend!(self, socket => socket.abort_at_close())
    }

    /// Whether closing takes no time worth mentioning. Else it has to say goodbye on many
    /// associations, or to give back much that was neither read nor sent.
    pub fn closes_quickly(&self) -> bool {
        backend!(self, socket => socket.closes_quickly())
    }

    /// To be called before dropping the socket, so that this does not block.
    ///
    /// Associations of a socket with data that nobody has read are aborted. `unread` says that there
    /// is some outside of the socket. Associations whose handshake is not through are aborted, too:
    /// they may be up for their peers.
    pub fn prepare_close(&self, unread: bool) -> io::Result<()> {
        backend!(self, socket => socket.prepare_close(unread))
    }

    /// How long a close is to wait for the end of the associations (`SO_LINGER`), if at all.
    pub fn lingering_time(&self) -> Option<Duration> {
        backend!(self, socket => socket.lingering_time())
    }

    /// Begins the graceful end of all associations, which are returned, and takes no new ones. `None`
    /// if that is for the close to do.
    pub(crate) fn begin_ends(&self) -> Option<Vec<AssocId>> {
        backend!(self, socket => socket.begin_ends())
    }
}
