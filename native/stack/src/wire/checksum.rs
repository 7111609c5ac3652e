//! The checksum of a packet (RFC 9260, section 6.8 and appendix A).

use std::ops::Range;

/// Where in the packet.
const PLACE: Range<usize> = 8..12;

/// CRC32c of the packet as if the checksum were zero, as it stands in the packet: the least
/// significant byte first. The packet has at least a common header.
pub(super) fn of(packet: &[u8]) -> [u8; 4] {
    let before = crc32c::crc32c(&packet[..PLACE.start]);
    let zero = crc32c::crc32c_append(before, &[0; 4]);
    crc32c::crc32c_append(zero, &packet[PLACE.end..]).to_le_bytes()
}

/// A zero is taken where it happens to be right, and nowhere else (RFC 9653 is not agreed upon).
pub(super) fn is_right(packet: &[u8]) -> bool {
    packet[PLACE] == of(packet)
}

pub(super) fn write(packet: &mut [u8]) {
    let checksum = of(packet);
    packet[PLACE].copy_from_slice(&checksum);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3720, appendix B.4, to which the CRC of RFC 9260 is the same.
    #[test]
    fn examples_of_the_polynomial() {
        let ascending: Vec<u8> = (0..32).collect();
        let descending: Vec<u8> = (0..32).rev().collect();
        for (bytes, crc) in [
            (&[0; 32][..], 0x8a91_36aa),
            (&[0xff; 32], 0x62a8_ab43),
            (&ascending, 0x46dd_794e),
            (&descending, 0x113f_db5c),
            (b"123456789", 0xe306_9283),
        ] {
            assert_eq!(crc32c::crc32c(bytes), crc, "{bytes:?}");
        }
    }

    /// Bit by bit: x^32 + x^28 + ... + 1 with the bits mirrored, begun with and turned into ones.
    fn by_definition(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 }
            })
        })
    }

    #[test]
    fn stands_in_the_packet_with_its_least_byte_first() {
        for length in 12..80 {
            let mut packet: Vec<u8> = (1..).take(length).collect();
            packet[PLACE].fill(0);
            let crc = by_definition(&packet);
            write(&mut packet);
            assert_eq!(u32::from_le_bytes(packet[PLACE].try_into().unwrap()), crc);
            assert!(is_right(&packet));
            for bit in 0..length * 8 {
                packet[bit / 8] ^= 1 << (bit % 8);
                assert!(!is_right(&packet), "bit {bit} of {length} bytes");
                packet[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    #[test]
    fn zero_is_not_taken() {
        let mut packet = *b"any packet there is!";
        packet[PLACE].fill(0);
        assert!(!is_right(&packet));
    }
}
