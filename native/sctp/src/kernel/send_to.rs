//! Messages to a path of an association, and to all associations.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::SockRef;

use super::look::unmapped;
use super::socket::Socket;
use crate::abi::sstat_state::ESTABLISHED;
use crate::address;
use crate::types::{AssocId, SndInfo, Style, To, flags};

impl Socket {
    /// Sends one message, to whom is said.
    pub fn send_to(&self, to: To, info: &SndInfo, payload: &[u8]) -> io::Result<()> {
        match to {
            To::Assoc => self.send(info, payload),
            To::Path(addr) => self.send_by(addr, info, payload),
            To::All => self.send_all(info, payload),
        }
    }

    /// By one path. The kernel does not look at the id where there is an address: it sends to the
    /// association that has it, and where there is none begins one. So both are looked at before.
    fn send_by(&self, addr: SocketAddr, info: &SndInfo, payload: &[u8]) -> io::Result<()> {
        if !self.has_assoc(info.assoc) {
            return Err(io::Error::from_raw_os_error(libc::EPIPE));
        }
        // The kernel looks for an IPv4 address as what it is.
        let addr = unmapped(addr).unwrap_or(addr);
        self.path(info.assoc, addr)?;
        // There the kernel ignores the address (`sctp_sendmsg_get_daddr`), and sends by the primary one.
        if self.is_peeled_off() {
            return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
        }
        let info = SndInfo { flags: info.flags | flags::ADDR_OVER, ..*info };
        self.send_named(&address::put_list(&[addr]), &info, payload)?;
        Ok(())
    }

    /// A message to an address begins an association where the one that was looked at has ended
    /// meanwhile. An endpoint that interleaves waits for that in spite of `MSG_DONTWAIT`
    /// (`sctp_sendmsg_to_asoc`), as long as `SO_SNDTIMEO` says: no longer than to the kernel's next
    /// tick, then. Nothing else goes by it, and who is peeled off or accepted inherits it.
    pub(super) fn bound_waits(&self) -> io::Result<()> {
        SockRef::from(self).set_write_timeout(Some(Duration::from_micros(1)))
    }

    /// To all that are up.
    fn send_all(&self, info: &SndInfo, payload: &[u8]) -> io::Result<()> {
        if self.style() == Style::OneToOne {
            return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
        }
        let ends = info.flags & (flags::EOF | flags::ABORT) != 0;
        if ends {
            self.check_any_is_up()?;
        }
        let flags = info.flags | flags::SENDALL;
        let sent = self.send_named(&[], &SndInfo { flags, ..*info }, payload)?;
        // It is also 0 of an end, and where the last one that the kernel looks at is not up.
        if sent == 0 && !ends {
            self.check_any_is_up()?;
        }
        Ok(())
    }

    fn check_any_is_up(&self) -> io::Result<()> {
        let is_up =
            |assoc: AssocId| self.assoc_state(assoc).is_ok_and(|state| state == ESTABLISHED);
        match self.assoc_ids()?.into_iter().any(is_up) {
            true => Ok(()),
            false => Err(io::Error::from_raw_os_error(libc::ENOTCONN)),
        }
    }
}
