//! A packet: the common header and chunks (RFC 9260, sections 3 and 3.1).

use super::checksum;
use super::chunk::Chunk;
use super::tlv::{Malformed, Walk};
use crate::bytes::Reader;

/// The common header, but for the checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The sender's SCTP port.
    pub source: u16,
    /// The receiver's SCTP port.
    pub destination: u16,
    /// The verification tag: the receiver chose it; 0 with INIT (section 8.5.1).
    pub tag: u32,
}

impl Header {
    /// Bytes of the common header.
    pub const SIZE: usize = 12;

    fn parse(bytes: &[u8]) -> Option<Header> {
        let mut fields = Reader::new(bytes);
        Some(Header { source: fields.u16()?, destination: fields.u16()?, tag: fields.u32()? })
    }
}

/// A packet that came, its checksum found right.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The common header.
    pub header: Header,
    chunks: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Of a datagram's payload.
    pub fn parse(bytes: &'a [u8]) -> Result<Packet<'a>, Malformed> {
        let chunks = bytes.get(Header::SIZE..).ok_or(Malformed::Short)?;
        if !checksum::is_right(bytes) {
            return Err(Malformed::Checksum);
        }
        let header = Header::parse(bytes).ok_or(Malformed::Short)?;
        Ok(Packet { header, chunks })
    }

    /// Its chunks in order.
    pub fn chunks(&self) -> Chunks<'a> {
        Chunks::new(self.chunks)
    }
}

/// The chunks of a packet: an iterator, which may be cloned to look ahead. After an error comes
/// nothing more: the packet's sender does not know what it does.
#[derive(Clone, Debug)]
pub struct Chunks<'a> {
    walk: Walk<'a>,
}

impl<'a> Chunks<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Chunks<'a> {
        Chunks { walk: Walk::new(bytes) }
    }

    /// None is left: the chunk that was just given is the last one.
    pub fn is_empty(&self) -> bool {
        self.walk.is_empty()
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<Chunk<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk = match self.walk.next()? {
            Ok(tlv) => Chunk::parse(&tlv),
            Err([kind, _]) => Err(Malformed::Length { kind: kind.into() }),
        };
        if chunk.is_err() {
            self.walk = Walk::new(&[]);
        }
        Some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Tsn;

    /// With the header that all tests have, and a right checksum.
    fn packet(chunks: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x0b, 0x59, 0x0b, 0x80, 1, 2, 3, 4, 0, 0, 0, 0];
        bytes.extend(chunks);
        checksum::write(&mut bytes);
        bytes
    }

    fn chunks(bytes: &[u8]) -> Vec<Result<Chunk<'_>, Malformed>> {
        Packet::parse(bytes).unwrap().chunks().collect()
    }

    #[test]
    fn the_header_as_the_rfc_draws_it() {
        let bytes = packet(&[]);
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(packet.header, Header { source: 2905, destination: 2944, tag: 0x0102_0304 });
        assert!(packet.chunks().is_empty());
        assert_eq!(packet.chunks().next(), None);
    }

    #[test]
    fn what_is_shorter_than_the_header() {
        let bytes = packet(&[]);
        for length in 0..Header::SIZE {
            assert_eq!(Packet::parse(&bytes[..length]).unwrap_err(), Malformed::Short);
        }
    }

    #[test]
    fn what_was_changed_on_its_way() {
        let mut bytes = packet(&[11, 0, 0, 4]);
        bytes[3] ^= 1;
        assert_eq!(Packet::parse(&bytes).unwrap_err(), Malformed::Checksum);
        bytes[3] ^= 1;
        bytes[8..12].fill(0);
        assert_eq!(Packet::parse(&bytes).unwrap_err(), Malformed::Checksum, "no checksum");
    }

    #[test]
    fn chunks_in_order_and_what_is_left() {
        let bytes = packet(&[11, 0, 0, 4, 10, 0, 0, 5, 9, 0, 0, 0, 8, 0, 0, 4]);
        let mut chunks = Packet::parse(&bytes).unwrap().chunks();
        assert_eq!(chunks.next(), Some(Ok(Chunk::CookieAck)));
        assert_eq!(chunks.clone().count(), 2);
        assert_eq!(chunks.next(), Some(Ok(Chunk::CookieEcho(&[9]))));
        assert!(!chunks.is_empty());
        assert_eq!(chunks.next(), Some(Ok(Chunk::ShutdownAck)));
        assert!(chunks.is_empty());
        assert_eq!(chunks.next(), None);
    }

    #[test]
    fn an_error_is_the_last() {
        let bytes = packet(&[11, 0, 0, 4, 7, 0, 0, 9, 0, 0, 0, 0]);
        assert_eq!(chunks(&bytes), [Ok(Chunk::CookieAck), Err(Malformed::Length { kind: 7 })]);
        let bytes = packet(&[7, 0, 0, 4, 11, 0, 0, 4]);
        assert_eq!(chunks(&bytes), [Err(Malformed::Contents { kind: 7 })]);
        let bytes = packet(&[7, 0, 0, 8, 0, 0, 0, 1, 11]);
        assert_eq!(
            chunks(&bytes),
            [Ok(Chunk::Shutdown(Tsn(1))), Err(Malformed::Length { kind: 11 })]
        );
    }
}
