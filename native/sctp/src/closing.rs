//! The end of a socket, as its associations' peers see it.

use std::io;
use std::time::Duration;

use socket2::SockRef;

use crate::abi::sstat_state::COOKIE_ECHOED;
use crate::socket::{Memory, Socket};
use crate::types::{AssocId, SndInfo, Style, flags};

/// Bytes that are given back in no time: some tens of messages.
const LITTLE: usize = 64 * 1024;

impl Socket {
    /// Does the kernel have little to do when this is closed? It says goodbye on each association
    /// and gives back what was neither read nor sent.
    pub fn closes_quickly(&self) -> bool {
        let at_most_one = match self.style() {
            Style::OneToMany => self.assoc_count().is_ok_and(|count| count <= 1),
            Style::OneToOne => !self.is_listening(),
        };
        let little = |memory: Memory| memory.unread.max(memory.to_send) <= LITTLE;
        at_most_one && self.memory().is_ok_and(little)
    }

    /// Closes the socket without blocking; what is queued is sent in the background.
    ///
    /// `unread`: data has been read from the kernel that nobody has seen. The kernel aborts the
    /// associations of a socket that is closed with data unread, so this must do so as well.
    pub fn close(self, unread: bool) {
        // Fails only for a descriptor that is none, which this is not.
        let _ = self.prepare_close(unread);
    }

    /// A lingering time above 0 would make the close of a one-to-one socket block for that long, so
    /// it is switched off. Time 0 is kept, for it means to abort.
    fn prepare_close(&self, unread: bool) -> io::Result<()> {
        let socket = SockRef::from(self);
        if unread || self.abort_half_open() {
            return socket.set_linger(Some(Duration::ZERO));
        }
        match socket.linger()? {
            Some(time) if time > Duration::ZERO => socket.set_linger(None),
            _ => Ok(()),
        }
    }

    /// Aborts the associations that may be up for their peers but not for us, as the last step of
    /// the handshake is not through. Of these the kernel forgets without a word (in
    /// `sctp_sf_cookie_wait_prm_shutdown`), and the peers would go on for a heartbeat's time. True if
    /// that is for the close to do.
    fn abort_half_open(&self) -> bool {
        if !self.has_begun() {
            return false;
        }
        if self.style() == Style::OneToOne {
            return self.is_half_open_itself();
        }
        for assoc in self.assoc_ids().unwrap_or_default() {
            if self.assoc_state(assoc).is_ok_and(|state| state == COOKIE_ECHOED) {
                let info = SndInfo { assoc, flags: flags::ABORT, ..SndInfo::default() };
                let _ = self.send(&info, &[]);
            }
        }
        false
    }

    /// May the only association be half open? The kernel tells nothing of that of a one-to-one socket
    /// before it is up; where it has ended, there is nothing to abort.
    fn is_half_open_itself(&self) -> bool {
        self.assoc_state(AssocId::FUTURE).is_err() && !self.is_listening()
    }
}
