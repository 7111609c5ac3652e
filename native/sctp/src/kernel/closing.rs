//! The end of a socket, as its associations' peers see it.

use std::io;
use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;

use super::socket::Socket;
use crate::abi::sstat_state::ESTABLISHED;
use crate::bytes::u32_at;
use crate::types::{AssocId, SndInfo, Style, flags};

/// Bytes that are given back in no time: some tens of messages.
const LITTLE: usize = 64 * 1024;

/// Associations that are said goodbye to in no time: each takes a packet there and back.
const FEW: u32 = 4;

/// `SK_MEMINFO_*` of `linux/sock_diag.h`, indices of `u32`s.
mod meminfo {
    pub(super) const RMEM_ALLOC: usize = 0;
    pub(super) const WMEM_ALLOC: usize = 2;
    pub(super) const SNDBUF: usize = 3;
    pub(super) const WMEM_QUEUED: usize = 5;
    pub(super) const COUNT: usize = 9;
}

/// Bytes as the kernel charges the buffers.
pub(super) struct Memory {
    pub(super) unread: usize,
    pub(super) to_send: usize,
    pub(super) send_buffer: usize,
}

impl Socket {
    /// What the kernel holds for it (`SO_MEMINFO`).
    pub(super) fn memory(&self) -> io::Result<Memory> {
        let mut value = [0; 4 * meminfo::COUNT];
        self.get_option(libc::SOL_SOCKET, libc::SO_MEMINFO, &mut value)?;
        let item = |index| u32_at(&value, 4 * index).unwrap_or(0) as usize;
        Ok(Memory {
            unread: item(meminfo::RMEM_ALLOC),
            to_send: item(meminfo::WMEM_ALLOC).max(item(meminfo::WMEM_QUEUED)),
            send_buffer: item(meminfo::SNDBUF),
        })
    }

    /// Does the kernel have little to do when this is closed? It says goodbye on each association
    /// and gives back what was neither read nor sent.
    pub fn closes_quickly(&self) -> bool {
        let few = match self.style() {
            Style::OneToMany => self.assoc_count().is_ok_and(|count| count <= FEW),
            Style::OneToOne => !self.is_listening(),
        };
        let little = |memory: Memory| memory.unread.max(memory.to_send) <= LITTLE;
        few && self.memory().is_ok_and(little)
    }

    /// Aborts an association. Refused on a one-to-one socket that was not peeled off, which can only
    /// be closed with a lingering time of 0.
    pub fn abort(&self, assoc: AssocId) -> io::Result<()> {
        let info = SndInfo { assoc, flags: flags::ABORT, ..SndInfo::default() };
        self.send(&info, &[])
    }

    /// Has the close of the socket abort its associations.
    pub fn abort_at_close(&self) -> io::Result<()> {
        SockRef::from(self).set_linger(Some(Duration::ZERO))
    }

    /// To be called before dropping the socket: a lingering time above 0 would make the close of a
    /// one-to-one socket block for that long, so it is switched off. Time 0 is kept, for it means to
    /// abort. What is queued is sent in the background, either way.
    ///
    /// `unread`: data has been read from the kernel that nobody has seen. The kernel aborts the
    /// associations of a socket that is closed with data unread, so this must do so as well.
    ///
    /// Associations whose handshake is not through may be up for their peers. The kernel forgets
    /// them without a word (`sctp_sf_cookie_wait_prm_shutdown`), and the peers would go on until a
    /// heartbeat is not answered. So these are aborted.
    pub fn prepare_close(&self, unread: bool) -> io::Result<()> {
        let socket = SockRef::from(self);
        if unread || self.abort_unfinished() {
            return socket.set_linger(Some(Duration::ZERO));
        }
        match socket.linger()? {
            Some(time) if time > Duration::ZERO => socket.set_linger(None),
            _ => Ok(()),
        }
    }

    /// How long a close is to wait for the end of the associations, if at all.
    pub fn lingering_time(&self) -> Option<Duration> {
        SockRef::from(self).linger().ok().flatten().filter(|time| *time > Duration::ZERO)
    }

    /// Begins the graceful end of all associations, and takes no new ones. `None` if that is for the
    /// close to do.
    pub fn begin_ends(&self) -> Option<Vec<AssocId>> {
        if self.abort_unfinished() {
            return None;
        }
        match self.style() {
            Style::OneToMany => {
                // What cannot be stopped, or is no more, needs none of it.
                let _ = self.listen(0);
                let assocs = self.assoc_ids().ok()?;
                for &assoc in &assocs {
                    let _ = self.end(assoc);
                }
                Some(assocs)
            }
            // Those of its peers have no socket yet.
            Style::OneToOne if self.is_listening() => None,
            Style::OneToOne => {
                // Only one that was peeled off can be ended like this, and not be shut down.
                if self.end(AssocId::FUTURE).is_err() {
                    let _ = SockRef::from(self).shutdown(Shutdown::Write);
                }
                Some(vec![AssocId::FUTURE])
            }
        }
    }

    /// Begins the graceful end of an association. `EINVAL` on a one-to-one socket that was not peeled off.
    pub(super) fn end(&self, assoc: AssocId) -> io::Result<()> {
        let info = SndInfo { assoc, flags: flags::EOF, ..SndInfo::default() };
        self.send(&info, &[])
    }

    /// Aborts what is not up yet. True if that is for the close to do: a one-to-one socket can only
    /// be aborted as a whole.
    fn abort_unfinished(&self) -> bool {
        if !self.has_connected() {
            return false;
        }
        if self.style() == Style::OneToOne {
            return self.is_unfinished(AssocId::FUTURE) && !self.is_listening();
        }
        for assoc in self.assoc_ids().unwrap_or_default() {
            if self.is_unfinished(assoc) {
                // It may have come to its end by itself.
                let _ = self.abort(assoc);
            }
        }
        false
    }

    /// Of one-to-one sockets that were not peeled off the kernel tells nothing before they are up;
    /// nor when there is no association, and nothing to be aborted.
    fn is_unfinished(&self, assoc: AssocId) -> bool {
        match self.assoc_state(assoc) {
            Ok(state) => state < ESTABLISHED,
            Err(error) => error.raw_os_error() == Some(libc::EINVAL),
        }
    }
}
