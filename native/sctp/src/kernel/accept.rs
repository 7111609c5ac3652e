//! One-to-one sockets as those of TCP: associations that peers have begun get sockets of their own, and
//! one end stops to send or to receive.

use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;

use libc::{IPPROTO_IP, IPPROTO_IPV6, SOL_SOCKET};
use socket2::SockRef;

use super::socket::Socket;
use super::sys;
use crate::types::{AssocId, Family, Half, Style};

/// Options of which an accepted socket has none before Linux 6.19, level and name. The type of service
/// comes before the priority, which it changes.
const FORGOTTEN: [(i32, i32); 5] = [
    (IPPROTO_IP, libc::IP_TOS),
    (SOL_SOCKET, libc::SO_PRIORITY),
    (SOL_SOCKET, libc::SO_REUSEPORT),
    (IPPROTO_IP, libc::IP_RECVTOS),
    (IPPROTO_IP, libc::IP_RECVTTL),
];

/// The same of IPv6 alone.
const FORGOTTEN_INET6: [(i32, i32); 2] =
    [(IPPROTO_IPV6, libc::IPV6_TCLASS), (IPPROTO_IPV6, libc::IPV6_RECVTCLASS)];

impl Socket {
    /// Does an association wait to be accepted? To be asked before [`Socket::accept`]: without any that
    /// sleeps until the kernel's next tick, non-blocking or not (`sctp_wait_for_accept`).
    pub fn has_waiting(&self) -> io::Result<bool> {
        sys::is_readable(self.as_fd())
    }

    /// Gives the association that has waited longest a socket of its own.
    pub fn accept(&self) -> io::Result<Socket> {
        let accepted = self.accepted(sys::accept(self.as_fd())?);
        let of_family: &[_] = match self.family() {
            Family::Inet => &[],
            Family::Inet6 => &FORGOTTEN_INET6,
        };
        for &(level, option) in FORGOTTEN.iter().chain(of_family) {
            let mut value = [0; 4];
            // What this one may have that may have, too; an association is worth more than an option.
            if self.get_option(level, option, &mut value).is_ok() && value != [0; 4] {
                let _ = accepted.set_option(level, option, &value);
            }
        }
        Ok(accepted)
    }

    /// Ends one direction or both. `ENOTCONN` without an association: the kernel would say so as well,
    /// and yet shut the next one down.
    pub fn shutdown(&self, half: Half) -> io::Result<()> {
        if self.style() == Style::OneToMany {
            return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
        }
        if self.is_listening() || !self.has_assoc(AssocId::FUTURE) {
            return Err(io::Error::from_raw_os_error(libc::ENOTCONN));
        }
        let socket = SockRef::from(self);
        if half == Half::Read {
            return socket.shutdown(Shutdown::Read);
        }
        match (self.end(AssocId::FUTURE), half) {
            (Ok(()), Half::Write) => Ok(()),
            // Peeled off: to the kernel the end of sending is a message there, and a shutdown nothing.
            (Ok(()), _) => socket.shutdown(Shutdown::Read),
            (Err(error), _) if error.raw_os_error() != Some(libc::EINVAL) => Err(error),
            (Err(_), Half::Write) => socket.shutdown(Shutdown::Write),
            (Err(_), _) => socket.shutdown(Shutdown::Both),
        }
    }
}
