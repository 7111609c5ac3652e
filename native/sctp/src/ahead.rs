//! Messages that are received together, before anybody takes them.

use std::collections::VecDeque;
use std::io;

use crate::kernel::many::Headers;
use crate::types::Received;

/// Room for messages that are received together.
///
/// Each has so much room; of a longer one the next place has the next piece.
pub struct Ahead {
    places: usize,
    size: usize,
    /// Empty until the first read.
    payloads: Vec<u8>,
    headers: Headers,
    /// What is said of those that are still to be taken.
    found: VecDeque<io::Result<Received>>,
    /// The place of the next one.
    next: usize,
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
            headers: Headers::new(),
            found: VecDeque::new(),
            next: 0,
            short: false,
        }
    }

    /// Whether all that was read has been taken.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Forgets what has not been taken.
    #[inline]
    pub fn clear(&mut self) {
        if !self.found.is_empty() {
            self.found.clear();
        }
        self.short = false;
    }

    /// Whether the last read since [`Ahead::clear`] found fewer messages than it was to: then there
    /// were no more.
    #[inline]
    pub fn was_short(&self) -> bool {
        self.short
    }

    /// Takes the oldest message: where [`Ahead::payload`] has it.
    pub fn take(&mut self) -> Option<io::Result<(usize, Received)>> {
        let found = self.found.pop_front()?;
        let place = self.next;
        self.next += 1;
        Some(found.map(|received| (place, received)))
    }

    /// The bytes of a message that was taken, until the next read.
    pub fn payload(&self, place: usize, len: usize) -> &[u8] {
        &self.payloads[place * self.size..][..len.min(self.size)]
    }

    /// Fills it by `read`, which is given a place for each payload, how many messages there is use
    /// for, and where to say what it found; returns how many were found.
    pub(crate) fn fill(
        &mut self,
        most: usize,
        read: impl FnOnce(
            &mut dyn Iterator<Item = &mut [u8]>,
            usize,
            &mut Headers,
            &mut VecDeque<io::Result<Received>>,
        ) -> io::Result<()>,
    ) -> io::Result<usize> {
        let most = most.min(self.places);
        self.clear();
        self.next = 0;
        self.payloads.resize(self.places * self.size, 0);
        let mut payloads = self.payloads.chunks_exact_mut(self.size);
        read(&mut payloads, most, &mut self.headers, &mut self.found)?;
        self.short = self.found.len() < most;
        Ok(self.found.len())
    }
}
