//! SCTP packets as the tests see them: taken apart and put together without a line of the stack's own
//! code, so that the two can disagree.

// Each test program uses a part of it.
#![allow(dead_code)]

pub(crate) mod describe;

/// Types of chunks (RFC 9260, section 3.2; RFC 3758, section 3.2).
pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const INIT: u8 = 1;
    pub(crate) const INIT_ACK: u8 = 2;
    pub(crate) const SACK: u8 = 3;
    pub(crate) const HEARTBEAT: u8 = 4;
    pub(crate) const HEARTBEAT_ACK: u8 = 5;
    pub(crate) const ABORT: u8 = 6;
    pub(crate) const SHUTDOWN: u8 = 7;
    pub(crate) const SHUTDOWN_ACK: u8 = 8;
    pub(crate) const ERROR: u8 = 9;
    pub(crate) const COOKIE_ECHO: u8 = 10;
    pub(crate) const COOKIE_ACK: u8 = 11;
    pub(crate) const SHUTDOWN_COMPLETE: u8 = 14;
    pub(crate) const FORWARD_TSN: u8 = 192;
}

/// Bits of a DATA chunk's flags.
pub(crate) mod data_flag {
    pub(crate) const END: u8 = 1;
    pub(crate) const BEGIN: u8 = 2;
    pub(crate) const UNORDERED: u8 = 4;
    pub(crate) const IMMEDIATE: u8 = 8;
}

/// The common header, and the chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) source: u16,
    pub(crate) destination: u16,
    pub(crate) tag: u32,
    pub(crate) chunks: Vec<Chunk>,
}

/// A chunk, or a parameter, or a cause: the three look alike but for the width of the type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    /// Without padding.
    pub(crate) value: Vec<u8>,
}

/// A parameter of INIT, or a cause of ERROR and ABORT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tlv {
    pub(crate) kind: u16,
    pub(crate) value: Vec<u8>,
}

/// What INIT and INIT ACK begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Init {
    pub(crate) tag: u32,
    pub(crate) window: u32,
    pub(crate) outbound: u16,
    pub(crate) inbound: u16,
    pub(crate) tsn: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Data<'a> {
    pub(crate) flags: u8,
    pub(crate) tsn: u32,
    pub(crate) stream: u16,
    pub(crate) ssn: u16,
    pub(crate) ppid: u32,
    pub(crate) bytes: &'a [u8],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sack {
    pub(crate) cumulative: u32,
    pub(crate) window: u32,
    pub(crate) gaps: Vec<(u16, u16)>,
    pub(crate) duplicates: Vec<u32>,
}

pub(crate) fn be16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

pub(crate) fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn padded(length: usize) -> usize {
    length.next_multiple_of(4)
}

/// CRC32c over the packet with a checksum of zero (RFC 9260, appendix A): sent with its lowest byte
/// first.
pub(crate) fn checksum(packet: &[u8]) -> u32 {
    let crc = crc32c::crc32c(&packet[..8]);
    let crc = crc32c::crc32c_append(crc, &[0; 4]);
    crc32c::crc32c_append(crc, &packet[12..])
}

/// Writes the right checksum over the one that is there.
pub(crate) fn seal(packet: &mut [u8]) {
    let sum = checksum(packet).to_le_bytes();
    packet[8..12].copy_from_slice(&sum);
}

impl Packet {
    /// Takes a well-formed packet apart; what is not well-formed is an error with its reason.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Packet, String> {
        if bytes.len() < 12 {
            return Err(format!("{} bytes are no packet", bytes.len()));
        }
        let stated = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
        if stated != checksum(bytes) {
            return Err("wrong checksum".into());
        }
        Packet::parse_unchecked(bytes)
    }

    /// As `parse`, whatever the checksum.
    pub(crate) fn parse_unchecked(bytes: &[u8]) -> Result<Packet, String> {
        let mut chunks = Vec::new();
        let mut at = 12;
        while at < bytes.len() {
            if bytes.len() - at < 4 {
                return Err(format!("{} bytes after the last chunk", bytes.len() - at));
            }
            let length = usize::from(be16(bytes, at + 2));
            if length < 4 || at + length > bytes.len() {
                return Err(format!("a chunk of {length} bytes in {}", bytes.len() - at));
            }
            let end = at + padded(length);
            if end > bytes.len() {
                return Err("a chunk without its padding".into());
            }
            if bytes[at + length..end].iter().any(|byte| *byte != 0) {
                return Err("padding that is not zero".into());
            }
            chunks.push(Chunk {
                kind: bytes[at],
                flags: bytes[at + 1],
                value: bytes[at + 4..at + length].to_vec(),
            });
            at = end;
        }
        Ok(Packet {
            source: be16(bytes, 0),
            destination: be16(bytes, 2),
            tag: be32(bytes, 4),
            chunks,
        })
    }

    /// With padding and the right checksum.
    pub(crate) fn build(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(self.source.to_be_bytes());
        bytes.extend(self.destination.to_be_bytes());
        bytes.extend(self.tag.to_be_bytes());
        bytes.extend([0; 4]);
        for chunk in &self.chunks {
            let length = u16::try_from(chunk.value.len() + 4).expect("a chunk of at most 64 KiB");
            bytes.extend([chunk.kind, chunk.flags]);
            bytes.extend(length.to_be_bytes());
            bytes.extend(&chunk.value);
            bytes.resize(padded(bytes.len()), 0);
        }
        seal(&mut bytes);
        bytes
    }

    pub(crate) fn find(&self, kind: u8) -> Option<&Chunk> {
        self.chunks.iter().find(|chunk| chunk.kind == kind)
    }
}

impl Chunk {
    pub(crate) fn init(&self) -> Option<Init> {
        let value = &self.value;
        (matches!(self.kind, kind::INIT | kind::INIT_ACK) && value.len() >= 16).then(|| Init {
            tag: be32(value, 0),
            window: be32(value, 4),
            outbound: be16(value, 8),
            inbound: be16(value, 10),
            tsn: be32(value, 12),
        })
    }

    pub(crate) fn data(&self) -> Option<Data<'_>> {
        let value = &self.value;
        (self.kind == kind::DATA && value.len() >= 12).then(|| Data {
            flags: self.flags,
            tsn: be32(value, 0),
            stream: be16(value, 4),
            ssn: be16(value, 6),
            ppid: be32(value, 8),
            bytes: &value[12..],
        })
    }

    pub(crate) fn sack(&self) -> Option<Sack> {
        let value = &self.value;
        if self.kind != kind::SACK || value.len() < 12 {
            return None;
        }
        let gaps = usize::from(be16(value, 8));
        let duplicates = usize::from(be16(value, 10));
        (value.len() == 12 + 4 * (gaps + duplicates)).then(|| Sack {
            cumulative: be32(value, 0),
            window: be32(value, 4),
            gaps: (0..gaps).map(|i| (be16(value, 12 + 4 * i), be16(value, 14 + 4 * i))).collect(),
            duplicates: (gaps..gaps + duplicates).map(|i| be32(value, 12 + 4 * i)).collect(),
        })
    }

    /// The parameters or causes that begin at byte `at` of the value.
    pub(crate) fn tlvs(&self, mut at: usize) -> Result<Vec<Tlv>, String> {
        let value = &self.value;
        let mut tlvs = Vec::new();
        while at < value.len() {
            if value.len() - at < 4 {
                return Err("bytes after the last parameter".into());
            }
            let length = usize::from(be16(value, at + 2));
            if length < 4 || at + length > value.len() {
                return Err(format!("a parameter of {length} bytes in {}", value.len() - at));
            }
            tlvs.push(Tlv { kind: be16(value, at), value: value[at + 4..at + length].to_vec() });
            at += padded(length);
        }
        Ok(tlvs)
    }
}
