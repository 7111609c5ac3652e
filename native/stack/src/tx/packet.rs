//! A packet that is being filled.

use crate::wire::{Data, padded};

/// The room in it, and where its chunks go.
pub(super) struct Packet<'a> {
    room: usize,
    /// Nothing else is in it.
    empty: bool,
    count: usize,
    put: &'a mut dyn FnMut(&Data<'_>),
}

impl<'a> Packet<'a> {
    pub(super) fn new(room: usize, empty: bool, put: &'a mut dyn FnMut(&Data<'_>)) -> Packet<'a> {
        Packet { room, empty, count: 0, put }
    }

    /// How many chunks were put into it.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// A chunk of `size` bytes fits. One that fits no packet, as the MTU has shrunk since it was cut,
    /// goes alone (6.9: it cannot be cut again).
    pub(super) fn fits(&self, size: usize) -> bool {
        size <= self.room || self.empty && self.count == 0
    }

    pub(super) fn push(&mut self, data: Option<Data<'_>>) {
        if let Some(data) = data {
            self.room = self.room.saturating_sub(size_of(data.payload.len()));
            self.count += 1;
            (self.put)(&data);
        }
    }
}

/// Bytes of a chunk with so many bytes of data: what counts for the congestion window (7.2).
pub(super) fn size_of(len: usize) -> usize {
    padded(Data::OVERHEAD + len)
}
