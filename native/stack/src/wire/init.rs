//! INIT and INIT ACK (RFC 9260, sections 3.3.2 and 3.3.3).

use super::parameter::Parameters;
use crate::bytes::Reader;
use crate::types::Tsn;

/// What one end proposes for an association. Values that make no sense (a tag of 0, no streams, a
/// tiny window) are passed on as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Init<'a> {
    /// What the peer is to write into its packets as the verification tag.
    pub tag: u32,
    /// The advertised receiver window, in bytes.
    pub window: u32,
    /// Streams from the sender of this chunk.
    pub outbound: u16,
    /// Streams to the sender of this chunk, at most.
    pub inbound: u16,
    /// The first TSN.
    pub tsn: Tsn,
    /// What may follow.
    pub parameters: Parameters<'a>,
}

impl<'a> Init<'a> {
    pub(super) fn parse(value: &'a [u8]) -> Option<Init<'a>> {
        let mut fields = Reader::new(value);
        Some(Init {
            tag: fields.u32()?,
            window: fields.u32()?,
            outbound: fields.u16()?,
            inbound: fields.u16()?,
            tsn: Tsn(fields.u32()?),
            parameters: Parameters::new(fields.rest()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testing::{build, parse};
    use crate::wire::{Chunk, Malformed, Parameter, chunk_type};

    #[test]
    fn as_the_rfc_draws_it() {
        let mut bytes = vec![
            1, 0, 0, 28, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0xc0, 0, 0, 4,
            0x80, 0, 0, 4,
        ];
        let mut parameters = Vec::new();
        Parameter::ForwardTsnSupported.write(&mut parameters);
        Parameter::EcnCapable.write(&mut parameters);
        let init = Init {
            tag: 0x0102_0304,
            window: 0x0506_0708,
            outbound: 0x090a,
            inbound: 0x0b0c,
            tsn: Tsn(0x0d0e_0f10),
            parameters: Parameters::new(&parameters),
        };
        assert_eq!(build(&Chunk::Init(init)), bytes);
        assert_eq!(parse(&bytes), Ok(Chunk::Init(init)));
        bytes[0] = 2;
        assert_eq!(build(&Chunk::InitAck(init)), bytes);
        assert_eq!(parse(&bytes), Ok(Chunk::InitAck(init)));
    }

    #[test]
    fn must_have_its_fixed_part() {
        let bytes = [1, 0, 0, 19, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0];
        assert_eq!(parse(&bytes), Err(Malformed::Contents { kind: chunk_type::INIT.into() }));
    }
}
