//! Lists of items of one size: gap blocks, duplicates, skipped streams, types.

use std::fmt;
use std::marker::PhantomData;

use crate::types::Tsn;

/// An item of a [`List`].
pub trait Item: Copy {
    /// Its bytes on the wire.
    type Bytes: AsRef<[u8]> + for<'a> TryFrom<&'a [u8]>;

    /// Of its bytes.
    fn from_bytes(bytes: Self::Bytes) -> Self;

    /// To its bytes.
    fn to_bytes(self) -> Self::Bytes;
}

/// A view of items that follow each other. What does not fill an item at the end is not seen.
#[derive(Clone, Copy)]
pub struct List<'a, T> {
    bytes: &'a [u8],
    items: PhantomData<T>,
}

impl<'a, T: Item> List<'a, T> {
    /// Of bytes as they are on the wire.
    pub const fn new(bytes: &'a [u8]) -> List<'a, T> {
        List { bytes, items: PhantomData }
    }

    /// The items in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = T> + Clone + use<'a, T> {
        // An array's size is not known to generic code, a chunk's is.
        self.bytes.chunks_exact(size_of::<T::Bytes>()).map(|bytes| match bytes.try_into() {
            Ok(bytes) => T::from_bytes(bytes),
            Err(_) => unreachable!("chunks have the size that was asked for"),
        })
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.bytes.len() / size_of::<T::Bytes>()
    }

    /// As they are on the wire.
    pub fn as_bytes(&self) -> &'a [u8] {
        &self.bytes[..self.len() * size_of::<T::Bytes>()]
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Item + PartialEq> PartialEq for List<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: Item + Eq> Eq for List<'_, T> {}

impl<T: Item + fmt::Debug> fmt::Debug for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Item for Tsn {
    type Bytes = [u8; 4];

    fn from_bytes(bytes: [u8; 4]) -> Tsn {
        Tsn(u32::from_be_bytes(bytes))
    }

    fn to_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

impl Item for u16 {
    type Bytes = [u8; 2];

    fn from_bytes(bytes: [u8; 2]) -> u16 {
        u16::from_be_bytes(bytes)
    }

    fn to_bytes(self) -> [u8; 2] {
        self.to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fill_an_item_is_not_seen() {
        let list = List::<u16>::new(&[0, 5, 0, 6, 7]);
        assert!(list.iter().eq([5, 6]));
        assert_eq!(list.len(), 2);
        assert_eq!(list.as_bytes(), [0, 5, 0, 6]);
        assert_eq!(list, List::new(&[0, 5, 0, 6]));
        assert!(List::<Tsn>::new(&[0; 3]).is_empty());
        assert_eq!(format!("{list:?}"), "[5, 6]");
    }
}
