//! DATA (RFC 9260, section 3.3.1).

use crate::bytes::Reader;
use crate::types::{Ppid, Ssn, StreamId, Tsn};

const END: u8 = 1;
const BEGINNING: u8 = 2;
const UNORDERED: u8 = 4;
const IMMEDIATE: u8 = 8;

/// A message, or a fragment of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// I bit: the receiver should acknowledge it at once.
    pub immediate: bool,
    /// U bit: `ssn` is of no meaning.
    pub unordered: bool,
    /// B bit: the first fragment.
    pub beginning: bool,
    /// E bit: the last fragment.
    pub end: bool,
    /// Its number.
    pub tsn: Tsn,
    /// The stream.
    pub stream: StreamId,
    /// The message's number in the stream.
    pub ssn: Ssn,
    /// For the peer's user.
    pub ppid: Ppid,
    /// The bytes. Peers may send none, which is answered by an ABORT (section 6.2).
    pub payload: &'a [u8],
}

impl<'a> Data<'a> {
    /// Bytes of a chunk besides its payload.
    pub const OVERHEAD: usize = 16;

    pub(super) fn parse(flags: u8, value: &'a [u8]) -> Option<Data<'a>> {
        let mut fields = Reader::new(value);
        Some(Data {
            immediate: flags & IMMEDIATE != 0,
            unordered: flags & UNORDERED != 0,
            beginning: flags & BEGINNING != 0,
            end: flags & END != 0,
            tsn: Tsn(fields.u32()?),
            stream: fields.u16()?,
            ssn: Ssn(fields.u16()?),
            ppid: fields.u32()?,
            payload: fields.rest(),
        })
    }

    pub(super) fn flags(&self) -> u8 {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        flag(self.immediate, IMMEDIATE)
            | flag(self.unordered, UNORDERED)
            | flag(self.beginning, BEGINNING)
            | flag(self.end, END)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::testing::{build, parse};
    use crate::wire::{Chunk, Malformed, chunk_type};

    const DATA: Data<'_> = Data {
        immediate: false,
        unordered: false,
        beginning: true,
        end: false,
        tsn: Tsn(0x0102_0304),
        stream: 0x0506,
        ssn: Ssn(0x0708),
        ppid: 0x090a_0b0c,
        payload: b"abcde",
    };

    #[test]
    fn as_the_rfc_draws_it() {
        let bytes = [
            0, 2, 0, 21, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, b'a', b'b', b'c', b'd', b'e', 0, 0,
            0,
        ];
        assert_eq!(build(&Chunk::Data(DATA)), bytes);
        assert_eq!(parse(&bytes), Ok(Chunk::Data(DATA)));
    }

    #[test]
    fn each_flag_is_its_bit() {
        for flags in 0..=255 {
            let data = Data::parse(flags, &[0; 12]).unwrap();
            assert_eq!(data.flags(), flags & 0x0f, "the others are reserved");
        }
        assert_eq!(Data { immediate: true, ..DATA }.flags(), 0x0a);
        assert_eq!(Data { unordered: true, ..DATA }.flags(), 0x06);
        assert_eq!(Data { end: true, ..DATA }.flags(), 0x03);
    }

    /// Section 6.2 has an answer for a chunk without data.
    #[test]
    fn may_be_empty_but_not_shorter() {
        let empty = Chunk::Data(Data { payload: &[], ..DATA });
        let bytes = build(&empty);
        assert_eq!(bytes.len(), Data::OVERHEAD);
        assert_eq!(parse(&bytes), Ok(empty));
        let short = [0, 3, 0, 15, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0];
        assert_eq!(parse(&short), Err(Malformed::Contents { kind: chunk_type::DATA.into() }));
    }
}
