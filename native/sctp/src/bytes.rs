//! Scalars at an offset of a byte string.
//!
//! Reading outside the string gives `None`, for what is read comes from elsewhere. Writing outside
//! it panics, for what is written to is our own.

fn array_at<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

/// The byte at `offset`.
pub fn u8_at(bytes: &[u8], offset: usize) -> Option<u8> {
    bytes.get(offset).copied()
}

/// Two bytes in host order.
pub fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    array_at(bytes, offset).map(u16::from_ne_bytes)
}

/// Two bytes in network order.
pub fn u16_be_at(bytes: &[u8], offset: usize) -> Option<u16> {
    array_at(bytes, offset).map(u16::from_be_bytes)
}

/// Four bytes in host order.
pub fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    array_at(bytes, offset).map(u32::from_ne_bytes)
}

/// Four bytes in network order.
pub fn u32_be_at(bytes: &[u8], offset: usize) -> Option<u32> {
    array_at(bytes, offset).map(u32::from_be_bytes)
}

/// Four bytes in host order, signed.
pub fn i32_at(bytes: &[u8], offset: usize) -> Option<i32> {
    array_at(bytes, offset).map(i32::from_ne_bytes)
}

/// Eight bytes in host order.
pub fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    array_at(bytes, offset).map(u64::from_ne_bytes)
}

/// A `size_t` in host order.
pub fn usize_at(bytes: &[u8], offset: usize) -> Option<usize> {
    array_at(bytes, offset).map(usize::from_ne_bytes)
}

fn put<const N: usize>(out: &mut [u8], offset: usize, value: [u8; N]) {
    out[offset..offset + N].copy_from_slice(&value);
}

/// Writes one byte.
pub fn put_u8(out: &mut [u8], offset: usize, value: u8) {
    put(out, offset, [value]);
}

/// Writes two bytes in host order.
pub fn put_u16(out: &mut [u8], offset: usize, value: u16) {
    put(out, offset, value.to_ne_bytes());
}

/// Writes two bytes in network order.
pub fn put_u16_be(out: &mut [u8], offset: usize, value: u16) {
    put(out, offset, value.to_be_bytes());
}

/// Writes four bytes in host order.
pub fn put_u32(out: &mut [u8], offset: usize, value: u32) {
    put(out, offset, value.to_ne_bytes());
}

/// Writes four bytes in network order.
pub fn put_u32_be(out: &mut [u8], offset: usize, value: u32) {
    put(out, offset, value.to_be_bytes());
}

/// Writes four bytes in host order, signed.
pub fn put_i32(out: &mut [u8], offset: usize, value: i32) {
    put(out, offset, value.to_ne_bytes());
}

/// Writes a `size_t` in host order.
pub fn put_usize(out: &mut [u8], offset: usize, value: usize) {
    put(out, offset, value.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_found() {
        let mut out = [0xff; 8];
        put_u16(&mut out, 1, 0x1234);
        assert_eq!(u16_at(&out, 1), Some(0x1234));
        put_u32_be(&mut out, 3, 0x0a0b_0c0d);
        assert_eq!(out[3..7], [0x0a, 0x0b, 0x0c, 0x0d]);
        assert_eq!(u32_be_at(&out, 3), Some(0x0a0b_0c0d));
        put_i32(&mut out, 0, -5);
        assert_eq!(i32_at(&out, 0), Some(-5));
        assert_eq!(u32_at(&out, 0), Some(-5i32 as u32));
        put_u16_be(&mut out, 0, 0x0102);
        assert_eq!((u8_at(&out, 0), u16_be_at(&out, 0)), (Some(1), Some(0x0102)));
        put_u8(&mut out, 7, 9);
        assert_eq!(out[7], 9);
    }

    #[test]
    fn reading_outside_is_none() {
        let bytes = [0; 4];
        assert_eq!(u8_at(&bytes, 4), None);
        assert_eq!(u16_at(&bytes, 3), None);
        assert_eq!(u32_at(&bytes, 1), None);
        assert_eq!(u32_at(&bytes, usize::MAX), None);
        assert_eq!(u32_at(&bytes, 0), Some(0));
    }
}
