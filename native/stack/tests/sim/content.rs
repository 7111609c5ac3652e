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

/// Where `part` is in the `length` bytes of message `id`: at `likely`, most often, or at the end.
pub(crate) fn find(id: u32, length: usize, likely: usize, part: &[u8]) -> Option<usize> {
    let end = length.checked_sub(part.len()).filter(|_| !part.is_empty())?;
    [likely.min(end), end].into_iter().find(|offset| is_at(id, *offset, part)).or_else(|| {
        let all = bytes(id, 0, length);
        all.windows(part.len()).position(|window| window == part)
    })
}
