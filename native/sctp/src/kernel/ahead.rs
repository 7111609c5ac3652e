//! Many messages in one call of recvmmsg(2).

use std::io;
use std::os::fd::AsFd;

use super::socket::{Received, Socket};
use super::sys;

/// Room for messages that are read before anybody takes them.
///
/// Each has so much room; of a longer one the next place has the next piece.
pub struct Ahead {
    places: usize,
    size: usize,
    /// Empty until the first read.
    payloads: Vec<u8>,
    received: Vec<sys::RawReceived>,
    /// Those from `next` to `end` are still to be taken.
    next: usize,
    end: usize,
    /// The last read found fewer than were asked for.
    short: bool,
}

impl Ahead {
    /// Room for so many messages of so many bytes, which it takes when it is first needed.
    pub const fn new(places: usize, size: usize) -> Ahead {
        Ahead {
            places,
            size,
            payloads: Vec::new(),
            received: Vec::new(),
            next: 0,
            end: 0,
            short: false,
        }
    }

    /// Whether all that was read has been taken.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.next == self.end
    }

    /// Forgets what has not been taken.
    #[inline]
    pub fn clear(&mut self) {
        (self.next, self.end, self.short) = (0, 0, false);
    }

    /// Whether the last read since [`Ahead::clear`] found fewer messages than it was to: then there
    /// were no more.
    #[inline]
    pub fn was_short(&self) -> bool {
        self.short
    }

    /// Takes the oldest message: where [`Ahead::payload`] has it.
    pub fn take(&mut self) -> Option<(usize, Received)> {
        if self.is_empty() {
            return None;
        }
        let place = self.next;
        let received = self.received.get(place)?;
        self.next += 1;
        Some((place, Received::of(received, received.len.min(self.size))))
    }

    /// The bytes of a message that was taken, until the next read.
    pub fn payload(&self, place: usize, len: usize) -> &[u8] {
        &self.payloads[place * self.size..][..len.min(self.size)]
    }
}

impl Socket {
    /// As [`Socket::recv`], of as many messages as there are and `most` says, to where all must have
    /// been taken; how many it were. An error that comes after a message is for the next call.
    ///
    /// An error of the socket, which only one-to-one sockets are left with, comes before all messages
    /// here; [`Socket::recv`] gives it last.
    pub fn recv_ahead(&self, ahead: &mut Ahead, most: usize) -> io::Result<usize> {
        let most = most.min(ahead.places);
        ahead.clear();
        if ahead.received.is_empty() {
            ahead.payloads.resize(ahead.places * ahead.size, 0);
            ahead.received.resize_with(ahead.places, || sys::RawReceived::NOTHING);
        }
        let payloads = ahead.payloads.chunks_exact_mut(ahead.size);
        ahead.end = sys::recvmmsg(self.as_fd(), payloads, &mut ahead.received[..most])?;
        ahead.short = ahead.end < most;
        Ok(ahead.end)
    }
}
