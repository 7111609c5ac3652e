//! Many messages with few system calls, in few packets.
//!
//! `MSG_MORE` has the kernel keep a message for the next packet, until one without it comes. Such a
//! message must follow, or the kernel may keep the others for ever: so all that could refuse a
//! message is looked at before, and what is not sure to be taken is left to a send of its own.

use std::io;
use std::os::fd::AsFd;

use crate::abi::{SOL_SCTP, optname};
use crate::bytes::{put_i32, u16_at, u32_at};
use crate::option::STATUS;
use crate::types::{AssocId, SndInfo, flags};
use crate::{Socket, cmsg, sys};

/// Messages that one call takes at most.
pub const MOST: usize = 64;

/// `SCTP_ESTABLISHED` of `enum sctp_sstat_state`.
const ESTABLISHED: u32 = 4;

/// `struct sctp_status`.
mod status {
    pub(super) const STATE: usize = 4;
    pub(super) const OUTSTRMS: usize = 18;
}

/// No less than the kernel charges the send buffer for a message, its buffers and fragments, each
/// with its headers, included.
fn charge(len: usize) -> usize {
    2 * len + 2048
}

/// How many messages, from the first on, the kernel is sure to take: into a buffer with `room`,
/// from an association with `streams`.
fn taken(messages: &[(SndInfo, &[u8])], streams: u16, room: usize) -> usize {
    let mut left = room;
    let fits = |(info, payload): &&(SndInfo, &[u8])| {
        // The kernel takes a message as long as there is room for its first byte.
        let fits = left > 0 && payload.len() < room;
        left = left.saturating_sub(charge(payload.len()));
        let plain = info.flags & (flags::EOF | flags::ABORT | flags::ADDR_OVER) == 0;
        fits && plain && info.stream < streams && !payload.is_empty()
    };
    messages.iter().take(MOST).take_while(fits).count()
}

impl Socket {
    /// Sends messages to one association, from the first on, as many as are sure to be taken now;
    /// answers how many that were. The rest is for [`Socket::send`], which says what is wrong with
    /// the next one, if anything is.
    ///
    /// All that was sent is on its way, as if the last message had been sent alone.
    pub fn send_batch(&self, assoc: AssocId, messages: &[(SndInfo, &[u8])]) -> usize {
        let Ok((streams, room)) = self.capacity(assoc) else { return 0 };
        let messages = &messages[..taken(messages, streams, room)];
        let Some((last, before)) = messages.split_last() else { return 0 };
        let controls: Vec<_> = before.iter().map(|(info, _)| cmsg::encode_sndrcv(info)).collect();
        let before: Vec<_> =
            controls.iter().zip(before).map(|(control, (_, data))| (&control[..], *data)).collect();
        let sent = match before.is_empty() {
            true => 0,
            false => sys::sendmmsg_more(self.as_fd(), &before).unwrap_or(0),
        };
        // Whatever has become of the others, one message must go without `MSG_MORE`.
        let (info, data) = messages.get(sent).unwrap_or(last);
        sent + usize::from(self.send(info, data).is_ok())
    }

    /// The outgoing streams of an established association, and the free part of the send buffer.
    fn capacity(&self, assoc: AssocId) -> io::Result<(u16, usize)> {
        let mut value = [0; STATUS.size];
        put_i32(&mut value, STATUS.fields[0].offset, assoc.0);
        self.get_option(SOL_SCTP, optname::STATUS, &mut value)?;
        let streams = match u32_at(&value, status::STATE) {
            Some(ESTABLISHED) => u16_at(&value, status::OUTSTRMS).unwrap_or(0),
            _ => 0,
        };
        let memory = self.memory()?;
        Ok((streams, memory.send_buffer.saturating_sub(memory.to_send)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(stream: u16, flags: u16, len: usize) -> (SndInfo, &'static [u8]) {
        static DATA: [u8; 100_000] = [0; 100_000];
        (SndInfo { stream, flags, ..SndInfo::default() }, &DATA[..len])
    }

    #[test]
    fn what_may_be_refused_is_left() {
        let good = message(1, 0, 100);
        for bad in [
            message(2, 0, 100),
            message(0, 0, 0),
            message(0, flags::EOF, 100),
            message(0, flags::ABORT, 100),
            message(0, flags::ADDR_OVER, 100),
            message(0, 0, 65_536),
        ] {
            assert_eq!(taken(&[good, good, bad, good], 2, 65_536), 2, "{:?}", bad.0);
        }
        assert_eq!(taken(&[message(0, flags::UNORDERED, 1); 3], 1, 65_536), 3);
        assert_eq!(taken(&[good], 0, 65_536), 0);
        assert_eq!(taken(&[], 2, 65_536), 0);
    }

    #[test]
    fn no_more_than_there_is_room_for() {
        let messages = [message(0, 0, 100); 2 * MOST];
        assert_eq!(taken(&messages, 1, 0), 0);
        assert_eq!(taken(&messages, 1, 101), 1);
        assert_eq!(taken(&messages, 1, charge(100)), 1);
        assert_eq!(taken(&messages, 1, charge(100) + 1), 2);
        assert_eq!(taken(&messages, 1, usize::MAX), MOST);
    }
}
