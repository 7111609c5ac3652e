//! What messages consist of: bytes that follow from the message's number, so that any part of one can
//! be checked, and no two messages are alike.

fn word(id: u32, index: u64) -> [u8; 8] {
    let mut z =
        (u64::from(id) << 32 | 0x9e37).wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)).to_le_bytes()
}

/// The bytes of message `id` from `offset` on.
pub(crate) fn bytes(id: u32, offset: usize, length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 16);
    let first = offset / 8;
    let skip = offset % 8;
    for index in first..(offset + length).div_ceil(8) {
        bytes.extend(word(id, index as u64));
    }
    bytes.drain(..skip);
    bytes.truncate(length);
    bytes
}

/// `part` is what message `id` has at `offset`.
pub(crate) fn is_at(id: u32, offset: usize, part: &[u8]) -> bool {
    bytes(id, offset, part.len()) == part
}

/// `part` is in the `length` bytes of message `id`.
pub(crate) fn contains(id: u32, length: usize, part: &[u8]) -> bool {
    if part.is_empty() || part.len() > length {
        return false;
    }
    // Most often the whole, or the end.
    is_at(id, length - part.len(), part)
        || bytes(id, 0, length).windows(part.len()).any(|window| window == part)
}
