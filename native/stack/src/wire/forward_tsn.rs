//! FORWARD TSN (RFC 3758, section 3.2).

use super::list::{Item, List};
use crate::bytes::Reader;
use crate::types::{Ssn, StreamId, Tsn};

/// What the sender has given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForwardTsn<'a> {
    /// The receiver is to take all up to this one as received.
    pub cumulative: Tsn,
    /// The streams of ordered messages among them. Peers may name one twice.
    pub skipped: List<'a, Skipped>,
}

/// A stream, and its last message that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The stream.
    pub stream: StreamId,
    /// The message's number.
    pub ssn: Ssn,
}

impl Item for Skipped {
    type Bytes = [u8; 4];

    fn from_bytes([a, b, c, d]: [u8; 4]) -> Skipped {
        Skipped { stream: u16::from_be_bytes([a, b]), ssn: Ssn(u16::from_be_bytes([c, d])) }
    }

    fn to_bytes(self) -> [u8; 4] {
        let ([a, b], [c, d]) = (self.stream.to_be_bytes(), self.ssn.0.to_be_bytes());
        [a, b, c, d]
    }
}

impl<'a> ForwardTsn<'a> {
    pub(super) fn parse(value: &'a [u8]) -> Option<ForwardTsn<'a>> {
        let mut fields = Reader::new(value);
        Some(ForwardTsn { cumulative: Tsn(fields.u32()?), skipped: List::new(fields.rest()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testing::{build, parse};
    use crate::wire::{Chunk, Malformed, chunk_type};

    #[test]
    fn as_the_rfc_draws_it() {
        let bytes = [192, 0, 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        let Ok(Chunk::ForwardTsn(chunk)) = parse(&bytes) else { panic!() };
        assert_eq!(chunk.cumulative, Tsn(0x0102_0304));
        assert!(chunk.skipped.iter().eq([
            Skipped { stream: 0x0506, ssn: Ssn(0x0708) },
            Skipped { stream: 0x090a, ssn: Ssn(0x0b0c) },
        ]));
        assert_eq!(build(&Chunk::ForwardTsn(chunk)), bytes);
    }

    #[test]
    fn must_have_its_fixed_part() {
        let bytes = [192, 0, 0, 7, 1, 2, 3, 0];
        assert_eq!(
            parse(&bytes),
            Err(Malformed::Contents { kind: chunk_type::FORWARD_TSN.into() })
        );
    }
}
