//! Bytes that are gone when they are no longer needed.

use std::ops::{Deref, DerefMut};

use super::sys;

/// Bytes of which no copy stays in memory after this one is dropped: a value to be set, as it may be a
/// key. Not to be printed, either.
///
/// To grow is to leave a copy behind, so what is secret is added last, and at once.
pub struct Erased(Vec<u8>);

impl Erased {
    /// That many zeros.
    pub fn zeroed(len: usize) -> Self {
        Self(vec![0; len])
    }

    /// Adds bytes at the end.
    pub fn append(&mut self, bytes: &[u8]) {
        let mut all = Vec::with_capacity(self.0.len() + bytes.len());
        all.extend_from_slice(&self.0);
        all.extend_from_slice(bytes);
        sys::erase(&mut self.0);
        self.0 = all;
    }

    /// Leaves out all but the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        if let Some(rest) = self.0.get_mut(len..) {
            sys::erase(rest);
        }
        self.0.truncate(len);
    }
}

impl From<Vec<u8>> for Erased {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Erased {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Erased {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Erased {
    fn drop(&mut self) {
        sys::erase(&mut self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_shrinks() {
        let mut bytes = Erased::zeroed(2);
        bytes[1] = 7;
        bytes.append(b"key");
        assert_eq!(*bytes, [0, 7, b'k', b'e', b'y']);
        bytes.truncate(9);
        assert_eq!(bytes.len(), 5);
        bytes.truncate(1);
        assert_eq!(*bytes, [0]);
        bytes.append(&[]);
        assert_eq!(*Erased::from(vec![1, 2]), [1, 2]);
    }

    #[test]
    fn is_overwritten() {
        let mut bytes = *b"secret";
        sys::erase(&mut bytes[2..]);
        assert_eq!(bytes, *b"se\0\0\0\0");
        sys::erase(&mut []);
    }
}
