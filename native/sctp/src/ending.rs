//! Associations that end gracefully before their socket is closed.

use crate::socket::Socket;
use crate::types::AssocId;

/// Reads at a time of what nobody wants any more, and the room for each.
const READS: usize = 16;
const ROOM: usize = 16 * 1024;

/// Associations of a socket on their way to a graceful end.
#[derive(Debug)]
pub struct Ending(Vec<AssocId>);

/// How far they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All have ended.
    Over,
    /// To be looked at when something has happened to the socket.
    Waits,
    /// To be looked at again: there is more to read than is read at a time.
    More,
}

impl Socket {
    /// Is there data to be read? It may get lost by this: only for a socket whose data nobody wants
    /// any more, but for what [`Socket::prepare_close`] makes of it.
    pub fn has_unread_data(&self) -> bool {
        // There may be many notifications before it, none of them long.
        const LOOKS: usize = 256;
        let mut buf = [0; 4096];
        for _ in 0..LOOKS {
            match self.recv(&mut buf) {
                Ok(event) if event.notification => {}
                Ok(received) => return !received.is_end_of_stream(),
                Err(_) => return false,
            }
        }
        false
    }

    /// Begins the graceful end of all associations (RFC 9260, section 9.2), and takes no new ones.
    /// `None` if there is nothing to wait for: no association, or one that is for the close to end.
    pub fn end_gracefully(&self) -> Option<Ending> {
        let mut ending = Ending(self.begin_ends()?);
        (!ending.is_over(self)).then_some(ending)
    }

    /// Reads and drops what has come, as much as takes little time, and sees how far the end is.
    /// What is not read would keep the peer from sending what it still has, and so from ending.
    pub fn progress(&self, ending: &mut Ending) -> Progress {
        if !self.discard(READS) {
            Progress::More
        } else if ending.is_over(self) {
            Progress::Over
        } else {
            Progress::Waits
        }
    }

    /// Drops what has come, in at most so many reads; true if nothing is left.
    pub fn discard(&self, reads: usize) -> bool {
        let mut buf = [0; ROOM];
        for _ in 0..reads {
            match self.recv(&mut buf) {
                Ok(received) if received.is_end_of_stream() => return true,
                Err(error)
                    if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOTCONN)) =>
                {
                    return true;
                }
                // An error that the socket has to tell is told once.
                Ok(_) | Err(_) => {}
            }
        }
        false
    }
}

impl Ending {
    /// Each association is asked for until it is gone, and the next one only then.
    fn is_over(&mut self, socket: &Socket) -> bool {
        while let Some(&assoc) = self.0.last() {
            if socket.has_assoc(assoc) {
                return false;
            }
            self.0.pop();
        }
        true
    }
}
