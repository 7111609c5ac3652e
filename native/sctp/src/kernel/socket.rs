//! A non-blocking SCTP socket of the kernel.

use std::ffi::CStr;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use socket2::{Domain, Protocol, SockAddr, SockRef, Type};

use super::cmsg;
use super::sys;
use super::sysctl::{has_own_udp_port, is_open};
use crate::abi::sstat_state::ESTABLISHED;
use crate::abi::{SOL_SCTP, assoc_ids, getaddrs, optname, sndrcvinfo, status};
use crate::address;
use crate::bytes::{i32_at, put_i32, u16_at, u32_at};
use crate::types::{AssocId, Bindx, Family, Received, SndInfo, Style};

/// A descriptor. What its calls do is said at [`crate::Socket`].
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    family: Family,
    kind: Kind,
    /// Has [`Socket::connect`] begun an association? Who has not need not be asked for the state of
    /// all that others have begun.
    connected: AtomicBool,
    /// Had its network namespace a port of UDP when it was opened? The kernel, too, looks then.
    encapsulates: bool,
}

/// What a socket is to its associations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    OneToMany,
    OneToOne,
    /// One-to-one as well, but heeds no addresses.
    PeeledOff,
}

/// Notifications switched on in a new socket, as the start of `struct sctp_event_subscribe`:
/// association, address, send failure, peer error, shutdown, partial delivery. The first byte is not
/// a notification but the older form of [`crate::RcvInfo`].
const DEFAULT_EVENTS: [u8; 7] = [0, 1, 1, 1, 1, 1, 1];

impl Socket {
    /// Opens a socket, if `netns` is given in the network namespace at that path (the calling
    /// thread's own one never changes). Every message will come with its [`crate::RcvInfo`], and all
    /// notifications but those of adaptation, authentication and the later ones are on.
    ///
    /// Without SCTP in the kernel: `ESOCKTNOSUPPORT` or `EPROTONOSUPPORT`.
    pub fn open(family: Family, style: Style, netns: Option<&CStr>) -> io::Result<Self> {
        let (fd, encapsulates) = match netns {
            None => (create(family, style)?, has_own_udp_port()),
            Some(path) => in_netns(path, || Ok((create(family, style)?, is_open("udp_port"))))?,
        };
        let kind = match style {
            Style::OneToMany => Kind::OneToMany,
            Style::OneToOne => Kind::OneToOne,
        };
        let socket = Self { fd, family, kind, connected: false.into(), encapsulates };
        socket.set_option(SOL_SCTP, optname::RECVRCVINFO, &1i32.to_ne_bytes())?;
        socket.set_option(SOL_SCTP, optname::EVENTS, &DEFAULT_EVENTS)?;
        Ok(socket)
    }

    /// The family it was opened with.
    pub fn family(&self) -> Family {
        self.family
    }

    /// How it relates to associations.
    pub fn style(&self) -> Style {
        match self.kind {
            Kind::OneToMany => Style::OneToMany,
            Kind::OneToOne | Kind::PeeledOff => Style::OneToOne,
        }
    }

    /// Gives the endpoint its first address. A second time is `EINVAL`.
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        SockRef::from(self).bind(&addr.into())
    }

    /// Adds or removes further addresses; to add, their port must be the endpoint's or 0.
    pub fn bindx(&self, op: Bindx, addrs: &[SocketAddr]) -> io::Result<()> {
        let option = match op {
            Bindx::Add => optname::SOCKOPT_BINDX_ADD,
            Bindx::Remove => optname::SOCKOPT_BINDX_REM,
        };
        self.set_option(SOL_SCTP, option, &address::put_list(addrs))
    }

    /// Accepts associations, of which one-to-one sockets keep `backlog` + 1; 0 stops accepting.
    pub fn listen(&self, backlog: i32) -> io::Result<()> {
        SockRef::from(self).listen(backlog)
    }

    /// Starts an association with the peer that has all these addresses, on one port. The id is
    /// valid at once; a notification tells how it went.
    ///
    /// `EISCONN`: there is one. `EALREADY`: one is being set up. `EAGAIN`: no local port is left.
    pub fn connect(&self, addrs: &[SocketAddr]) -> io::Result<AssocId> {
        let assoc = sys::connectx3(self.as_fd(), &address::put_list(addrs))?;
        self.connected.store(true, Ordering::Relaxed);
        Ok(AssocId(assoc))
    }

    /// Has [`Socket::connect`] begun an association, here or before it was peeled off?
    pub(crate) fn has_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// Sends one message.
    #[inline]
    pub fn send(&self, info: &SndInfo, payload: &[u8]) -> io::Result<()> {
        self.send_named(&[], info, payload)?;
        Ok(())
    }

    /// Sends one to a `sockaddr`, if that is not empty: how many bytes were taken.
    #[inline(always)]
    pub(super) fn send_named(
        &self,
        name: &[u8],
        info: &SndInfo,
        payload: &[u8],
    ) -> io::Result<usize> {
        let payload = [IoSlice::new(payload)];
        match info.key {
            None => sys::sendmsg(self.as_fd(), name, &payload, &cmsg::encode_sndrcv(info)),
            Some(key) => self.send_signed(name, info, key, &payload),
        }
    }

    #[cold]
    fn send_signed(
        &self,
        name: &[u8],
        info: &SndInfo,
        key: u16,
        payload: &[IoSlice<'_>],
    ) -> io::Result<usize> {
        sys::sendmsg(self.as_fd(), name, payload, &cmsg::encode_signed(info, key))
    }

    /// Receives the next message or notification into one buffer after the other.
    pub fn recv(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<Received> {
        let room = bufs.iter().map(|buf| buf.len()).sum();
        if room == 0 {
            // The kernel would say 0 bytes, as at the end of a stream.
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let mut raw = sys::RawReceived::NOTHING;
        sys::recvmsg(self.as_fd(), bufs, &mut raw)?;
        received(&raw, raw.len.min(room))
    }

    /// Branches an association off into a socket of its own, which takes what is queued for it
    /// along, and inherits the options of SCTP and the sizes of the buffers.
    pub fn peeloff(&self, assoc: AssocId) -> io::Result<Self> {
        let fd = sys::peeloff(self.as_fd(), assoc.0)?;
        let connected = self.has_connected().into();
        Ok(Self { connected, kind: Kind::PeeledOff, ..self.accepted(fd) })
    }

    /// Does [`Socket::peeloff`] answer it?
    pub(super) fn is_peeled_off(&self) -> bool {
        self.kind == Kind::PeeledOff
    }

    /// One that this one has accepted.
    pub(super) fn accepted(&self, fd: OwnedFd) -> Self {
        let Self { family, encapsulates, .. } = *self;
        Self { fd, family, kind: Kind::OneToOne, connected: false.into(), encapsulates }
    }

    /// Can packets go in UDP (RFC 6951)? Decided when it, or whom it is of, was opened.
    pub(crate) fn encapsulates(&self) -> bool {
        self.encapsulates
    }

    /// An address of the endpoint and its port, which is 0 before it has one.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        known(&SockRef::from(self).local_addr()?)
    }

    /// The primary address of the peer; `ENOTCONN` on one-to-many sockets.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        known(&SockRef::from(self).peer_addr()?)
    }

    /// All addresses of an association's end here, or with [`AssocId::FUTURE`] of the endpoint.
    pub fn local_addrs(&self, assoc: AssocId) -> io::Result<Vec<SocketAddr>> {
        self.addrs(optname::GET_LOCAL_ADDRS, assoc)
    }

    /// All addresses of an association's peer. One-to-one sockets ignore the id.
    pub fn peer_addrs(&self, assoc: AssocId) -> io::Result<Vec<SocketAddr>> {
        self.addrs(optname::GET_PEER_ADDRS, assoc)
    }

    fn addrs(&self, option: i32, assoc: AssocId) -> io::Result<Vec<SocketAddr>> {
        // Some 36 addresses at first; 64 KiB are more than an association can have.
        let mut buf = vec![0; 1024];
        loop {
            buf.fill(0);
            put_i32(&mut buf, getaddrs::ASSOC_ID, assoc.0);
            match self.get_option(SOL_SCTP, option, &mut buf) {
                Err(error) if error.raw_os_error() == Some(libc::ENOMEM) && buf.len() < 1 << 16 => {
                    buf.resize(buf.len() * 4, 0);
                }
                Err(error) => return Err(error),
                Ok(_) => {
                    let count = u32_at(&buf, getaddrs::ADDR_NUM).unwrap_or_default();
                    return address::get_list(&buf[getaddrs::ADDRS..], count as usize)
                        .ok_or_else(|| io::ErrorKind::InvalidData.into());
                }
            }
        }
    }

    /// Number of associations of a one-to-many socket; `EOPNOTSUPP` on others.
    pub fn assoc_count(&self) -> io::Result<u32> {
        let mut count = [0; 4];
        self.get_option(SOL_SCTP, optname::GET_ASSOC_NUMBER, &mut count)?;
        Ok(u32::from_ne_bytes(count))
    }

    /// The associations of a one-to-many socket; `EOPNOTSUPP` on others.
    pub fn assoc_ids(&self) -> io::Result<Vec<AssocId>> {
        const FEW: usize = 15;
        let mut most = FEW;
        loop {
            match self.some_assoc_ids(most) {
                // More may come in between, the more the longer it takes.
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                    most = (self.assoc_count()? as usize + FEW).max(2 * most);
                }
                result => return result,
            }
        }
    }

    /// The same; `EINVAL` if there are more than `most`.
    fn some_assoc_ids(&self, most: usize) -> io::Result<Vec<AssocId>> {
        const ID: usize = 4;
        let mut list = vec![0; assoc_ids::IDS + ID * most];
        let len = self.get_option(SOL_SCTP, optname::GET_ASSOC_ID_LIST, &mut list)?;
        let ids = list[..len].get(assoc_ids::IDS..).unwrap_or_default();
        Ok(ids.chunks_exact(ID).filter_map(|id| i32_at(id, 0)).map(AssocId).collect())
    }

    /// Does it take associations that peers begin?
    pub fn is_listening(&self) -> bool {
        SockRef::from(self).is_listener().unwrap_or(false)
    }

    /// Does the kernel know this association (`SCTP_STATUS`)? On a one-to-one socket: any?
    pub fn has_assoc(&self, assoc: AssocId) -> bool {
        self.assoc_state(assoc).is_ok()
    }

    /// Does an association wait for its peer: to acknowledge data, or before it is up?
    pub fn awaits_peer(&self, assoc: AssocId) -> bool {
        let Ok(bytes) = self.status_bytes(assoc) else { return false };
        let state = i32_at(&bytes, status::STATE);
        let unacknowledged = u16_at(&bytes, status::UNACKDATA);
        state != Some(ESTABLISHED) || unacknowledged != Some(0)
    }

    /// The state of an association (`enum sctp_sstat_state`).
    pub(crate) fn assoc_state(&self, assoc: AssocId) -> io::Result<i32> {
        let bytes = self.status_bytes(assoc)?;
        i32_at(&bytes, status::STATE).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// What `SCTP_STATUS` says of an association.
    pub(super) fn status_bytes(&self, assoc: AssocId) -> io::Result<[u8; status::SIZE]> {
        let mut value = [0; status::SIZE];
        put_i32(&mut value, status::ASSOC_ID, assoc.0);
        self.get_option(SOL_SCTP, optname::STATUS, &mut value)?;
        Ok(value)
    }

    /// What `SCTP_DEFAULT_SEND_PARAM` says for an association, or with [`AssocId::FUTURE`] for the
    /// endpoint.
    pub fn default_send_info(&self, assoc: AssocId) -> io::Result<SndInfo> {
        let mut value = [0; sndrcvinfo::SIZE];
        put_i32(&mut value, sndrcvinfo::ASSOC_ID, assoc.0);
        self.get_option(SOL_SCTP, optname::DEFAULT_SEND_PARAM, &mut value)?;
        SndInfo::decode(&value).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Reads an option: `value` is the request and then, as far as the length given, the answer.
    pub(crate) fn get_option(
        &self,
        level: i32,
        option: i32,
        value: &mut [u8],
    ) -> io::Result<usize> {
        sys::getsockopt(self.as_fd(), level, option, value)
    }

    /// Sets an option.
    pub(crate) fn set_option(&self, level: i32, option: i32, value: &[u8]) -> io::Result<()> {
        if (level, option) == (SOL_SCTP, optname::INTERLEAVING_SUPPORTED) {
            self.bound_waits()?;
        }
        sys::setsockopt(self.as_fd(), level, option, value)
    }

    /// The descriptor's number.
    pub fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

/// What the kernel said of a message or notification of `len` bytes.
///
/// `EBADMSG`: it had more control data than there was room for, and what is left out is whose message
/// this is. Room is made for all that it may say ([`cmsg::RECV_SPACE`]), so this is not expected.
#[inline(always)]
pub(super) fn received(raw: &sys::RawReceived, len: usize) -> io::Result<Received> {
    let anc = cmsg::decode(&raw.control[..raw.control_len]);
    let notification = raw.flags & libc::MSG_NOTIFICATION != 0;
    let truncated = raw.flags & libc::MSG_CTRUNC != 0;
    if truncated && !notification && anc.info.is_none() {
        return Err(io::Error::from_raw_os_error(libc::EBADMSG));
    }
    Ok(Received {
        len,
        end_of_record: raw.flags & libc::MSG_EOR != 0,
        notification,
        from: address::get(&raw.from),
        anc,
    })
}

fn known(addr: &SockAddr) -> io::Result<SocketAddr> {
    addr.as_socket().ok_or_else(|| io::Error::from_raw_os_error(libc::EAFNOSUPPORT))
}

fn create(family: Family, style: Style) -> io::Result<OwnedFd> {
    let domain = match family {
        Family::Inet => Domain::IPV4,
        Family::Inet6 => Domain::IPV6,
    };
    let ty = match style {
        Style::OneToMany => Type::SEQPACKET,
        Style::OneToOne => Type::STREAM,
    };
    // socket2 adds "close on exec".
    socket2::Socket::new(domain, ty.nonblocking(), Some(Protocol::SCTP)).map(OwnedFd::from)
}

/// Runs `make` in another network namespace: on a thread of its own, that ends with it, so that no
/// thread with a future is ever in a wrong namespace.
fn in_netns<T: Send>(path: &CStr, make: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let run = || {
        sys::enter_netns(path)?;
        make()
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("sctp-netns".into());
        let thread = thread.spawn_scoped(scope, run)?;
        thread.join().unwrap_or_else(|_| Err(io::Error::other("panic in a network namespace")))
    })
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sys::RawReceived;

    /// What the kernel would say of a message with these flags, with or without whose it is.
    fn raw(flags: i32, with_info: bool) -> RawReceived {
        let mut raw = RawReceived { flags, ..RawReceived::NOTHING };
        if with_info {
            let control = cmsg::tests::rcvinfo_message();
            raw.control[..control.len()].copy_from_slice(&control);
            raw.control_len = control.len();
        }
        raw
    }

    #[test]
    fn a_message_of_nobody_knows_whom_is_an_error() {
        // (flags, with the information that tells its association) -> is an error
        for (flags, with_info, refused) in [
            (libc::MSG_EOR, true, false),
            (libc::MSG_EOR, false, false),
            (libc::MSG_EOR | libc::MSG_CTRUNC, true, false),
            (libc::MSG_EOR | libc::MSG_CTRUNC, false, true),
            (libc::MSG_EOR | libc::MSG_CTRUNC | libc::MSG_NOTIFICATION, false, false),
        ] {
            let found = received(&raw(flags, with_info), 10);
            match found {
                Ok(found) => {
                    assert!(!refused, "{flags:x}");
                    assert_eq!(found.anc.info.is_some(), with_info);
                }
                Err(error) => {
                    assert!(refused, "{flags:x}");
                    assert_eq!(error.raw_os_error(), Some(libc::EBADMSG));
                }
            }
        }
    }
}
