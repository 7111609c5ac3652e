//! SACK (RFC 9260, section 3.3.4).

use super::list::{Item, List};
use crate::bytes::Reader;
use crate::types::Tsn;

/// What came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sack<'a> {
    /// All up to this one came.
    pub cumulative: Tsn,
    /// The advertised receiver window, in bytes: what is free now.
    pub window: u32,
    /// What came after the first that is missing. Peers may send them in any order, overlapping,
    /// and beyond all that was sent.
    pub gaps: List<'a, Gap>,
    /// What came more than once since the last SACK.
    pub duplicates: List<'a, Tsn>,
}

/// A gap ack block: TSNs in a row that came, as distances from the cumulative TSN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Of the first of them.
    pub start: u16,
    /// Of the last of them. Peers may send one that is less than `start`.
    pub end: u16,
}

impl Item for Gap {
    type Bytes = [u8; 4];

    fn from_bytes([a, b, c, d]: [u8; 4]) -> Gap {
        Gap { start: u16::from_be_bytes([a, b]), end: u16::from_be_bytes([c, d]) }
    }

    fn to_bytes(self) -> [u8; 4] {
        let ([a, b], [c, d]) = (self.start.to_be_bytes(), self.end.to_be_bytes());
        [a, b, c, d]
    }
}

impl<'a> Sack<'a> {
    pub(super) fn parse(value: &'a [u8]) -> Option<Sack<'a>> {
        let mut fields = Reader::new(value);
        let (cumulative, window) = (Tsn(fields.u32()?), fields.u32()?);
        let (gaps, duplicates) = (usize::from(fields.u16()?), usize::from(fields.u16()?));
        Some(Sack {
            cumulative,
            window,
            gaps: List::new(fields.take(gaps * 4)?),
            duplicates: List::new(fields.take(duplicates * 4)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testing::{build, parse};
    use crate::wire::{Chunk, Malformed, chunk_type};

    const BYTES: [u8; 28] =
        [3, 0, 0, 28, 1, 2, 3, 4, 5, 6, 7, 8, 0, 2, 0, 1, 0, 2, 0, 3, 0, 5, 0, 9, 10, 11, 12, 13];

    #[test]
    fn as_the_rfc_draws_it() {
        let sack = Chunk::Sack(Sack {
            cumulative: Tsn(0x0102_0304),
            window: 0x0506_0708,
            gaps: List::new(&[0, 2, 0, 3, 0, 5, 0, 9]),
            duplicates: List::new(&[10, 11, 12, 13]),
        });
        assert_eq!(build(&sack), BYTES);
        assert_eq!(parse(&BYTES), Ok(sack));
        let Chunk::Sack(sack) = sack else { unreachable!() };
        assert!(sack.gaps.iter().eq([Gap { start: 2, end: 3 }, Gap { start: 5, end: 9 }]));
        assert!(sack.duplicates.iter().eq([Tsn(0x0a0b_0c0d)]));
    }

    #[test]
    fn more_blocks_than_came_are_an_error() {
        for (gaps, duplicates) in [(3, 1), (2, 2), (4, 0), (0, 4), (0xff, 0xff)] {
            let mut bytes = BYTES;
            (bytes[13], bytes[15]) = (gaps, duplicates);
            let error = Malformed::Contents { kind: chunk_type::SACK.into() };
            assert_eq!(parse(&bytes), Err(error), "{gaps} {duplicates}");
            (bytes[12], bytes[14]) = (gaps, duplicates);
            assert_eq!(parse(&bytes), Err(error), "{gaps} {duplicates}, in the high bytes");
        }
    }

    #[test]
    fn fewer_blocks_than_came_are_all() {
        let mut bytes = BYTES;
        (bytes[13], bytes[15]) = (1, 1);
        let Ok(Chunk::Sack(sack)) = parse(&bytes) else { panic!() };
        assert!(sack.gaps.iter().eq([Gap { start: 2, end: 3 }]));
        assert!(sack.duplicates.iter().eq([Tsn(0x0005_0009)]));
    }
}
