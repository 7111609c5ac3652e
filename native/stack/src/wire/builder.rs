//! Makes packets.

use super::checksum;
use super::chunk::{Chunk, REFLECTED_TAG, chunk_type};
use super::data::Data;
use super::forward_tsn::Skipped;
use super::init::Init;
use super::list::Item;
use super::packet::Header;
use super::parameter::parameter_type;
use super::sack::Gap;
use super::tlv::{self, HEADER, LONGEST, padded};
use crate::types::Tsn;

/// The chunk does not fit any more; nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// A packet in the making. Which chunks may go together, and in which order, is its user's business
/// (RFC 9260, section 6.10).
#[derive(Clone, Debug)]
pub struct Builder {
    /// All that was pushed; the last chunk is not padded yet.
    bytes: Vec<u8>,
    limit: usize,
}

impl Builder {
    /// Bytes of a SACK without blocks, and of a FORWARD TSN without streams.
    const SACK: usize = 16;
    const FORWARD_TSN: usize = 8;

    /// A packet without chunks that gets no longer than `limit` bytes, common header included.
    pub fn new(header: Header, limit: usize) -> Builder {
        // Most paths carry no more; what is longer grows.
        let mut bytes = Vec::with_capacity(limit.clamp(Header::SIZE, 1500));
        bytes.extend(header.source.to_be_bytes());
        bytes.extend(header.destination.to_be_bytes());
        bytes.extend(header.tag.to_be_bytes());
        bytes.extend([0; 4]);
        Builder { bytes, limit }
    }

    /// No chunk was pushed.
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == Header::SIZE
    }

    /// How long the longest chunk is that still fits, its header included.
    pub fn room(&self) -> usize {
        // Padding must fit, too.
        let left = self.limit.saturating_sub(padded(self.bytes.len())) / 4 * 4;
        left.min(LONGEST)
    }

    /// Whether a chunk of this length fits, its header included.
    pub fn fits(&self, length: usize) -> bool {
        length <= self.room()
    }

    /// Appends a chunk.
    pub fn push(&mut self, chunk: &Chunk<'_>) -> Result<(), Full> {
        let t_bit = |reflected_tag: bool| if reflected_tag { REFLECTED_TAG } else { 0 };
        let kind = chunk.kind();
        match chunk {
            Chunk::Data(data) => self.push_data(data),
            Chunk::Init(init) | Chunk::InitAck(init) => self.push_init(kind, init),
            Chunk::Sack(sack) => {
                if !self.fits(Builder::SACK + (sack.gaps.len() + sack.duplicates.len()) * 4) {
                    return Err(Full);
                }
                self.push_sack(
                    sack.cumulative,
                    sack.window,
                    sack.gaps.iter(),
                    sack.duplicates.iter(),
                )
            }
            Chunk::Heartbeat(info) | Chunk::HeartbeatAck(info) => self.push_heartbeat(kind, info),
            Chunk::Abort { reflected_tag, causes } => {
                self.append(kind, t_bit(*reflected_tag), &[causes.as_bytes()])
            }
            Chunk::Error(causes) => self.append(kind, 0, &[causes.as_bytes()]),
            Chunk::Shutdown(tsn) | Chunk::Ecne(tsn) | Chunk::Cwr(tsn) => {
                self.append(kind, 0, &[&tsn.0.to_be_bytes()])
            }
            Chunk::CookieEcho(cookie) => self.append(kind, 0, &[cookie]),
            Chunk::ShutdownAck | Chunk::CookieAck => self.append(kind, 0, &[]),
            Chunk::ShutdownComplete { reflected_tag } => {
                self.append(kind, t_bit(*reflected_tag), &[])
            }
            Chunk::ForwardTsn(forward) => {
                self.push_forward_tsn(forward.cumulative, forward.skipped.iter())
            }
            Chunk::Unknown { bytes, .. } => self.push_unknown(bytes),
        }
    }

    /// Appends a DATA chunk (section 3.3.1).
    pub fn push_data(&mut self, data: &Data<'_>) -> Result<(), Full> {
        self.append(
            chunk_type::DATA,
            data.flags(),
            &[
                &data.tsn.0.to_be_bytes(),
                &data.stream.to_be_bytes(),
                &data.ssn.0.to_be_bytes(),
                &data.ppid.to_be_bytes(),
                data.payload,
            ],
        )
    }

    fn push_init(&mut self, kind: u8, init: &Init<'_>) -> Result<(), Full> {
        self.append(
            kind,
            0,
            &[
                &init.tag.to_be_bytes(),
                &init.window.to_be_bytes(),
                &init.outbound.to_be_bytes(),
                &init.inbound.to_be_bytes(),
                &init.tsn.0.to_be_bytes(),
                init.parameters.as_bytes(),
            ],
        )
    }

    fn push_heartbeat(&mut self, kind: u8, info: &[u8]) -> Result<(), Full> {
        let length = u16::try_from(HEADER + info.len()).map_err(|_| Full)?;
        let head = parameter_type::HEARTBEAT_INFO.to_be_bytes();
        self.append(kind, 0, &[&head, &length.to_be_bytes(), info])
    }

    /// Appends a SACK with as many of the gap blocks, and then of the duplicates, as fit: the first
    /// ones (section 3.3.4).
    pub fn push_sack(
        &mut self,
        cumulative: Tsn,
        window: u32,
        gaps: impl IntoIterator<Item = Gap>,
        duplicates: impl IntoIterator<Item = Tsn>,
    ) -> Result<(), Full> {
        let most = self.room().checked_sub(Builder::SACK).ok_or(Full)? / 4;
        let fixed: [&[u8]; 3] = [&cumulative.0.to_be_bytes(), &window.to_be_bytes(), &[0; 4]];
        self.append(chunk_type::SACK, 0, &fixed)?;
        let start = self.bytes.len() - Builder::SACK;
        let blocks = self.extend(gaps.into_iter().take(most));
        let twice = self.extend(duplicates.into_iter().take(most - usize::from(blocks)));
        self.bytes[start + 12..start + 14].copy_from_slice(&blocks.to_be_bytes());
        self.bytes[start + 14..start + 16].copy_from_slice(&twice.to_be_bytes());
        tlv::close(&mut self.bytes, start);
        Ok(())
    }

    /// Appends a FORWARD TSN with all these streams (RFC 3758, section 3.2).
    pub fn push_forward_tsn(
        &mut self,
        cumulative: Tsn,
        skipped: impl ExactSizeIterator<Item = Skipped>,
    ) -> Result<(), Full> {
        if !self.fits(Builder::FORWARD_TSN + skipped.len() * 4) {
            return Err(Full);
        }
        self.append(chunk_type::FORWARD_TSN, 0, &[&cumulative.0.to_be_bytes()])?;
        let start = self.bytes.len() - Builder::FORWARD_TSN;
        self.extend(skipped);
        tlv::close(&mut self.bytes, start);
        Ok(())
    }

    /// One that has its header already.
    fn push_unknown(&mut self, chunk: &[u8]) -> Result<(), Full> {
        if !self.fits(chunk.len()) {
            return Err(Full);
        }
        self.bytes.resize(padded(self.bytes.len()), 0);
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    fn append(&mut self, kind: u8, flags: u8, value: &[&[u8]]) -> Result<(), Full> {
        if !self.fits(HEADER + value.iter().map(|part| part.len()).sum::<usize>()) {
            return Err(Full);
        }
        tlv::append(&mut self.bytes, [kind, flags], value);
        Ok(())
    }

    /// Writes items of four bytes each, and gives their number, which `room` has bounded.
    fn extend<T: Item<Bytes = [u8; 4]>>(&mut self, items: impl Iterator<Item = T>) -> u16 {
        let before = self.bytes.len();
        items.for_each(|item| self.bytes.extend(item.to_bytes()));
        u16::try_from((self.bytes.len() - before) / 4).unwrap_or(u16::MAX)
    }

    /// The packet with its checksum.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.resize(padded(self.bytes.len()), 0);
        checksum::write(&mut self.bytes);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{List, Packet, Sack};

    const HEAD: Header = Header { source: 2905, destination: 2944, tag: 0x0102_0304 };

    fn data(payload: &[u8]) -> Data<'_> {
        let (stream, ssn, ppid) = (1, crate::types::Ssn(2), 3);
        Data {
            immediate: false,
            unordered: false,
            beginning: true,
            end: true,
            tsn: Tsn(7),
            stream,
            ssn,
            ppid,
            payload,
        }
    }

    #[test]
    fn an_empty_packet_is_a_header() {
        let builder = Builder::new(HEAD, 100);
        assert!(builder.is_empty());
        assert_eq!(builder.room(), 88);
        let bytes = builder.finish();
        assert_eq!(bytes[..8], [0x0b, 0x59, 0x0b, 0x80, 1, 2, 3, 4]);
        assert_eq!(Packet::parse(&bytes).unwrap().header, HEAD);
    }

    #[test]
    fn holds_as_much_as_it_says() {
        for limit in 0..100 {
            for first in 0..20 {
                let mut builder = Builder::new(HEAD, limit);
                if builder.push(&Chunk::CookieEcho(&[9; 20][..first])).is_err() {
                    assert!(!builder.fits(4 + first));
                    assert!(builder.is_empty());
                    continue;
                }
                let room = builder.room();
                assert_eq!(room % 4, 0);
                if let Some(longest) = room.checked_sub(Data::OVERHEAD) {
                    let too_long = vec![5; longest + 1];
                    let before = builder.clone().finish();
                    assert_eq!(builder.push_data(&data(&too_long)), Err(Full));
                    assert_eq!(builder.clone().finish(), before, "nothing was written");
                    builder.push_data(&data(&too_long[1..])).unwrap();
                    assert_eq!(builder.room(), 0);
                }
                let bytes = builder.finish();
                assert!(bytes.len() <= limit, "{} of {limit}", bytes.len());
                assert_eq!(bytes.len() % 4, 0);
                assert!(Packet::parse(&bytes).unwrap().chunks().all(|chunk| chunk.is_ok()));
            }
        }
    }

    #[test]
    fn padding_is_zero() {
        let mut builder = Builder::new(HEAD, 100);
        builder.push(&Chunk::CookieEcho(&[9])).unwrap();
        builder.push(&Chunk::Unknown { kind: 99, bytes: &[99, 0, 0, 6, 8, 8] }).unwrap();
        builder.push(&Chunk::CookieAck).unwrap();
        let bytes = builder.finish();
        assert_eq!(bytes[12..], [10, 0, 0, 5, 9, 0, 0, 0, 99, 0, 0, 6, 8, 8, 0, 0, 11, 0, 0, 4]);
    }

    /// Section 3.3.4: as many gap blocks as fit, the first ones.
    #[test]
    fn a_sack_is_filled_from_the_front() {
        let gaps = (0..5).map(|n| Gap { start: 2 * n + 2, end: 2 * n + 2 });
        let duplicates = (0..5).map(Tsn);
        for (room, blocks, twice) in
            [(16, 0, 0), (20, 1, 0), (36, 5, 0), (40, 5, 1), (56, 5, 5), (90, 5, 5)]
        {
            let mut builder = Builder::new(HEAD, Header::SIZE + room);
            builder.push_sack(Tsn(7), 8, gaps.clone(), duplicates.clone()).unwrap();
            let bytes = builder.finish();
            let Some(Ok(Chunk::Sack(sack))) = Packet::parse(&bytes).unwrap().chunks().next() else {
                panic!("no SACK");
            };
            assert_eq!((sack.cumulative, sack.window), (Tsn(7), 8));
            assert!(sack.gaps.iter().eq(gaps.clone().take(blocks)), "{room}");
            assert!(sack.duplicates.iter().eq(duplicates.clone().take(twice)), "{room}");
        }
        let mut builder = Builder::new(HEAD, Header::SIZE + 15);
        assert_eq!(builder.push_sack(Tsn(7), 8, gaps, duplicates), Err(Full));
        assert!(builder.is_empty());
    }

    #[test]
    fn a_chunk_that_is_given_whole_is_written_whole() {
        let sack = Sack {
            cumulative: Tsn(1),
            window: 2,
            gaps: List::new(&[0, 2, 0, 2]),
            duplicates: List::new(&[0; 4]),
        };
        let mut builder = Builder::new(HEAD, Header::SIZE + 20);
        assert_eq!(builder.push(&Chunk::Sack(sack)), Err(Full));
        assert!(builder.is_empty());
    }

    #[test]
    fn a_chunk_is_no_longer_than_its_length_can_say() {
        let mut builder = Builder::new(HEAD, 1_000_000);
        let bytes = vec![0; 70_000];
        assert_eq!(builder.room(), LONGEST);
        assert_eq!(builder.push_data(&data(&bytes)), Err(Full));
        assert_eq!(builder.push(&Chunk::Heartbeat(&bytes)), Err(Full));
        let skipped = (0..20_000).map(|stream| Skipped { stream, ssn: Default::default() });
        assert_eq!(builder.push_forward_tsn(Tsn(1), skipped), Err(Full));
        let gaps = (0..20_000).map(|start| Gap { start, end: start });
        builder.push_sack(Tsn(1), 2, gaps, []).unwrap();
        let bytes = builder.finish();
        let Some(Ok(Chunk::Sack(sack))) = Packet::parse(&bytes).unwrap().chunks().next() else {
            panic!("no SACK");
        };
        assert_eq!(sack.gaps.len(), (LONGEST - 16) / 4);
    }
}
