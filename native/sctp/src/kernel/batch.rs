//! Many messages with few system calls, in few packets.
//!
//! `MSG_MORE` has the kernel keep a message for the next packet, until one without it comes. Such a
//! message must follow, or the kernel may keep the others forever: so all that could refuse a
//! message is looked at before, and what is not sure to be taken is left to a send of its own.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;

use super::socket::Socket;
use super::{cmsg, sys};
use crate::abi::sstat_state::ESTABLISHED;
use crate::abi::{SOL_SCTP, optname, paddrparams, spp_flags, status};
use crate::bytes::{i32_at, put_i32, put_u32, u16_at, u32_at};
use crate::types::{AssocId, SndInfo, flags};

/// Messages that one call takes at most.
pub const MOST: usize = 32;

/// What there is room for now.
#[derive(Clone, Copy)]
struct Capacity {
    /// The association's outgoing streams.
    streams: u16,
    /// The free part of the send buffer, bytes.
    room: usize,
    /// The size of a fragment.
    fragment: usize,
    /// The longest message.
    longest: usize,
}

/// No less than the kernel charges the send buffer for a message, its buffers and fragments, each
/// with its headers, included.
fn charge(len: usize, fragment: usize) -> usize {
    2 * len + 2048 * len.div_ceil(fragment.max(1)).max(1)
}

/// How many messages, from the first on, the kernel is sure to take.
fn taken(messages: &[(SndInfo, &[u8])], capacity: Capacity) -> usize {
    let Capacity { streams, room, fragment, longest } = capacity;
    let mut left = room;
    let fits = |(info, payload): &&(SndInfo, &[u8])| {
        // The kernel takes a message as long as there is room for its first byte.
        let fits = left > 0 && payload.len() < room && payload.len() <= longest;
        left = left.saturating_sub(charge(payload.len(), fragment));
        const OTHERS: u16 = flags::EOF | flags::ABORT | flags::ADDR_OVER | flags::SENDALL;
        // Only the kernel knows which keys there are.
        let plain = info.flags & OTHERS == 0 && info.key.is_none();
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
        let Ok(mut capacity) = self.capacity(assoc) else { return 0 };
        let is_long = |(_, data): &(SndInfo, &[u8])| data.len() > capacity.fragment;
        if messages.iter().any(is_long) && self.sends_whole() {
            capacity.longest = capacity.fragment;
        }
        let messages = &messages[..taken(messages, capacity)];
        let Some((last, before)) = messages.split_last() else { return 0 };
        let (controls, payloads): (Vec<_>, Vec<_>) = before
            .iter()
            .map(|(info, payload)| (cmsg::encode_sndrcv(info), IoSlice::new(payload)))
            .unzip();
        let sent = match before.is_empty() {
            true => 0,
            false => sys::sendmmsg_more(self.as_fd(), &controls, &payloads).unwrap_or(0),
        };
        // Whatever has become of the others, one message must go without `MSG_MORE`.
        let (info, data) = messages.get(sent).unwrap_or(last);
        match self.send(info, data) {
            Ok(()) => sent + 1,
            Err(_) => {
                // Others have filled the buffer meanwhile.
                if sent > 0 {
                    self.push(assoc);
                }
                sent
            }
        }
    }

    /// Has the kernel send what it keeps for the next packet, with a heartbeat, if the congestion window has room;
    /// else the next message takes it along.
    fn push(&self, assoc: AssocId) {
        let mut params = [0; paddrparams::SIZE];
        put_i32(&mut params, paddrparams::ASSOC_ID, assoc.0);
        put_u32(&mut params, paddrparams::FLAGS, spp_flags::HB_DEMAND);
        // An association that has ended keeps nothing.
        let _ = self.set_option(SOL_SCTP, optname::PEER_ADDR_PARAMS, &params);
    }

    /// Is what would take several fragments refused (`SCTP_DISABLE_FRAGMENTS`)?
    fn sends_whole(&self) -> bool {
        let mut on = [0; 4];
        let asked = self.get_option(SOL_SCTP, optname::DISABLE_FRAGMENTS, &mut on);
        asked.is_err() || on != [0; 4]
    }

    /// What an established association has room for; nothing if it is not.
    fn capacity(&self, assoc: AssocId) -> io::Result<Capacity> {
        let value = self.status_bytes(assoc)?;
        let streams = match i32_at(&value, status::STATE) {
            Some(ESTABLISHED) => u16_at(&value, status::OUTSTRMS).unwrap_or(0),
            _ => 0,
        };
        let fragment = u32_at(&value, status::FRAGMENTATION_POINT).unwrap_or(0);
        let memory = self.memory()?;
        Ok(Capacity {
            streams,
            room: memory.send_buffer.saturating_sub(memory.to_send),
            fragment: usize::try_from(fragment).unwrap_or(usize::MAX),
            longest: usize::MAX,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPACITY: Capacity =
        Capacity { streams: 2, room: 65_536, fragment: 1452, longest: usize::MAX };

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
            message(0, flags::SENDALL, 100),
            message(0, 0, 65_536),
            (SndInfo { key: Some(0), ..good.0 }, good.1),
        ] {
            assert_eq!(taken(&[good, good, bad, good], CAPACITY), 2, "{:?}", bad.0);
        }
        assert_eq!(taken(&[message(0, flags::UNORDERED, 1); 3], CAPACITY), 3);
        assert_eq!(taken(&[good], Capacity { streams: 0, ..CAPACITY }), 0);
        assert_eq!(taken(&[], CAPACITY), 0);
    }

    #[test]
    fn what_may_not_be_cut_is_left() {
        let messages = [message(0, 0, 1452), message(0, 0, 1453), message(0, 0, 10)];
        assert_eq!(taken(&messages, CAPACITY), 3);
        assert_eq!(taken(&messages, Capacity { longest: 1452, ..CAPACITY }), 1);
    }

    #[test]
    fn no_more_than_there_is_room_for() {
        let messages = [message(0, 0, 100); 2 * MOST];
        let into = |room| taken(&messages, Capacity { room, ..CAPACITY });
        assert_eq!(into(0), 0);
        assert_eq!(into(101), 1);
        assert_eq!(into(charge(100, 1452)), 1);
        assert_eq!(into(charge(100, 1452) + 1), 2);
        assert_eq!(into(usize::MAX), MOST);
        assert_eq!(charge(100, 1452), 2248);
        assert_eq!(charge(1453, 1452), 2 * 1453 + 2 * 2048, "each fragment has a buffer");
    }
}
