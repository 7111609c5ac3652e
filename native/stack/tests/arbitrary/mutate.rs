//! Damage that gets deeper into a parser than noise does.

use crate::source::Source;

/// Numbers at which lengths and counts go wrong.
const EDGES: [u8; 10] = [0, 1, 3, 4, 5, 8, 0x7f, 0x80, 0xfe, 0xff];

/// Changes a few places from `start` on: bits, bytes and 16-bit numbers, what is left out or comes
/// twice.
pub(crate) fn mutate(source: &mut Source<'_>, bytes: &mut Vec<u8>, start: usize) {
    for _ in 0..=source.below(4) {
        if bytes.len() <= start {
            return;
        }
        let at = start + source.below(bytes.len() - start);
        match source.below(7) {
            0 => bytes[at] ^= 1 << source.below(8),
            1 => bytes[at] = source.u8(),
            2 => bytes[at] = EDGES[source.below(EDGES.len())],
            3 => bytes[at] = bytes[at].wrapping_add(source.u8() % 9).wrapping_sub(4),
            4 => bytes.truncate(at),
            5 => drop(bytes.drain(at..bytes.len().min(at + source.below(9)))),
            _ => {
                let again = bytes[at..bytes.len().min(at + source.below(33))].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
}
