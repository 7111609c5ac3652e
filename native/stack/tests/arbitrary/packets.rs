//! The parser and the builder.

use std::collections::BTreeSet;

use proptest::prelude::*;
use stack::wire::{
    Builder, Causes, Chunk, Header, Malformed, Packet, Parameter, Parameters, cause_code,
    chunk_type, parameter_type,
};

use crate::captured;
use crate::mutate::mutate;
use crate::source::Source;
use crate::{config, decisions, feed};

/// Those that have a variant of their own.
pub(crate) const CHUNKS: [u8; 16] = [
    chunk_type::DATA,
    chunk_type::INIT,
    chunk_type::INIT_ACK,
    chunk_type::SACK,
    chunk_type::HEARTBEAT,
    chunk_type::HEARTBEAT_ACK,
    chunk_type::ABORT,
    chunk_type::SHUTDOWN,
    chunk_type::SHUTDOWN_ACK,
    chunk_type::ERROR,
    chunk_type::COOKIE_ECHO,
    chunk_type::COOKIE_ACK,
    chunk_type::ECNE,
    chunk_type::CWR,
    chunk_type::SHUTDOWN_COMPLETE,
    chunk_type::FORWARD_TSN,
];

const PARAMETERS: [u16; 11] = [
    parameter_type::IPV4_ADDRESS,
    parameter_type::IPV6_ADDRESS,
    parameter_type::STATE_COOKIE,
    parameter_type::UNRECOGNIZED,
    parameter_type::COOKIE_PRESERVATIVE,
    parameter_type::HOST_NAME,
    parameter_type::SUPPORTED_ADDRESS_TYPES,
    parameter_type::ECN_CAPABLE,
    parameter_type::SUPPORTED_EXTENSIONS,
    parameter_type::FORWARD_TSN_SUPPORTED,
    parameter_type::ADAPTATION,
];

/// What came up in all cases: whether they were worth anything.
#[derive(Default)]
struct Seen {
    chunks: BTreeSet<u8>,
    parameters: BTreeSet<u16>,
    causes: BTreeSet<u16>,
    errors: BTreeSet<(&'static str, &'static str)>,
    unknown: u64,
}

impl Seen {
    fn error(&mut self, of: &'static str, error: Malformed) {
        let what = match error {
            Malformed::Short => "short",
            Malformed::Checksum => "checksum",
            Malformed::Length { .. } => "length",
            Malformed::Contents { .. } => "contents",
        };
        self.errors.insert((of, what));
    }

    fn all(&self) {
        let known = self.chunks.iter().filter(|kind| CHUNKS.contains(kind));
        assert_eq!(known.count(), CHUNKS.len());
        let known = self.parameters.iter().filter(|kind| PARAMETERS.contains(kind));
        assert_eq!(known.count(), PARAMETERS.len());
        let codes = 1..=cause_code::RESTART_WITH_NEW_ENCAPSULATION_PORT;
        assert!(codes.clone().all(|code| self.causes.contains(&code)));
        assert!(self.unknown > 0);
        let errors = [
            ("cause", "contents"),
            ("cause", "length"),
            ("chunk", "contents"),
            ("chunk", "length"),
            ("packet", "checksum"),
            ("packet", "short"),
            ("parameter", "contents"),
            ("parameter", "length"),
        ];
        assert_eq!(self.errors, BTreeSet::from(errors));
    }
}

/// Looks at all that is in a packet.
fn walk(bytes: &[u8], seen: &mut Seen) {
    let packet = match Packet::parse(bytes) {
        Ok(packet) => packet,
        Err(error) => return seen.error("packet", error),
    };
    let mut chunks = packet.chunks();
    let mut number = 0;
    while let Some(chunk) = chunks.next() {
        match chunk {
            Ok(chunk) => look(&chunk, seen),
            Err(error) => {
                seen.error("chunk", error);
                assert_eq!(chunks.next(), None, "nothing after an error");
            }
        }
        number += 1;
    }
    assert!(number * 4 <= bytes.len(), "each has a header");
}

fn look(chunk: &Chunk<'_>, seen: &mut Seen) {
    seen.chunks.insert(chunk.kind());
    match chunk {
        Chunk::Init(init) | Chunk::InitAck(init) => look_at_parameters(init.parameters, seen),
        Chunk::Abort { causes, .. } | Chunk::Error(causes) => look_at_causes(*causes, seen),
        Chunk::Unknown { .. } => seen.unknown += 1,
        _ => (),
    }
    let again = built(Header { source: 1, destination: 2, tag: 3 }, &[*chunk]);
    let packet = Packet::parse(&again).expect("it was just built");
    assert!(packet.chunks().eq([Ok(*chunk)]), "{chunk:?}");
}

fn look_at_parameters(parameters: Parameters<'_>, seen: &mut Seen) {
    let (mut number, mut again) = (0, Vec::new());
    for parameter in parameters.iter() {
        number += 1;
        match parameter {
            Ok(parameter) => {
                seen.parameters.insert(parameter.kind());
                again.clear();
                parameter.write(&mut again);
                assert!(Parameters::new(&again).iter().eq([Ok(parameter)]), "{parameter:?}");
            }
            Err(error) => seen.error("parameter", error),
        }
    }
    assert!(number * 4 <= parameters.as_bytes().len() + 3, "each has a header");
}

fn look_at_causes(causes: Causes<'_>, seen: &mut Seen) {
    let (mut number, mut again) = (0, Vec::new());
    for cause in causes.iter() {
        number += 1;
        match cause {
            Ok(cause) => {
                seen.causes.insert(cause.code());
                again.clear();
                cause.write(&mut again);
                assert!(Causes::new(&again).iter().eq([Ok(cause)]), "{cause:?}");
            }
            Err(error) => seen.error("cause", error),
        }
    }
    assert!(number * 4 <= causes.as_bytes().len() + 3, "each has a header");
}

fn built(header: Header, chunks: &[Chunk<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(header, 100_000);
    for chunk in chunks {
        builder.push(chunk).expect("there is room");
    }
    builder.finish()
}

pub(crate) fn with_checksum(mut packet: Vec<u8>) -> Vec<u8> {
    if packet.len() >= Header::SIZE {
        packet[8..12].fill(0);
        let checksum = crc32c::crc32c(&packet);
        packet[8..12].copy_from_slice(&checksum.to_le_bytes());
    }
    packet
}

/// All that kernels were seen to send.
fn kernels() -> Vec<Vec<u8>> {
    let files = captured::kernels().into_iter().flat_map(|kernel| captured::entries(&kernel));
    let packets = files.flat_map(|file| captured::captured(&file));
    packets.map(|packet| packet.bytes).collect()
}

/// A packet of up to six chunks; what was built is parsed again.
fn well_formed(source: &mut Source<'_>) -> Vec<u8> {
    let header = source.header();
    let kinds: Vec<u8> = (0..source.below(7)).map(|_| CHUNKS[source.below(16)]).collect();
    let tlvs: Vec<Vec<u8>> = kinds
        .iter()
        .map(|kind| match *kind {
            chunk_type::INIT | chunk_type::INIT_ACK => {
                let (parameters, bytes) = source.parameters();
                assert!(Parameters::new(&bytes).iter().eq(parameters.into_iter().map(Ok)));
                bytes
            }
            chunk_type::ABORT | chunk_type::ERROR => {
                let (causes, bytes) = source.causes();
                assert!(Causes::new(&bytes).iter().eq(causes.into_iter().map(Ok)));
                bytes
            }
            _ => Vec::new(),
        })
        .collect();
    let chunks: Vec<Chunk<'_>> =
        kinds.iter().zip(&tlvs).map(|(kind, tlvs)| source.chunk(*kind, tlvs)).collect();
    let bytes = built(header, &chunks);
    let packet = Packet::parse(&bytes).expect("it was just built");
    assert_eq!(packet.header, header);
    assert!(packet.chunks().eq(chunks.into_iter().map(Ok)), "{bytes:?}");
    bytes
}

/// Noise after a header.
fn noise(source: &mut Source<'_>) -> Vec<u8> {
    with_checksum(source.take(source.0.len()).to_vec())
}

/// A packet that was damaged before its checksum was made.
fn wrong(source: &mut Source<'_>) -> Vec<u8> {
    let mut bytes = well_formed(source);
    mutate(source, &mut bytes, Header::SIZE);
    with_checksum(bytes)
}

/// A packet that was damaged on its way.
fn damaged(source: &mut Source<'_>) -> Vec<u8> {
    let mut bytes = well_formed(source);
    mutate(source, &mut bytes, 0);
    bytes
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_was_built_is_parsed(bytes in decisions()) {
        well_formed(&mut Source(&bytes));
    }

    #[test]
    fn any_bytes_can_be_walked(bytes in decisions()) {
        walk(&bytes, &mut Seen::default());
        walk(&noise(&mut Source(&bytes)), &mut Seen::default());
    }

    #[test]
    fn any_damage_can_be_walked(bytes in decisions()) {
        walk(&wrong(&mut Source(&bytes)), &mut Seen::default());
        walk(&damaged(&mut Source(&bytes)), &mut Seen::default());
    }

    #[test]
    fn any_parameters_and_causes_can_be_walked(bytes in decisions()) {
        look_at_parameters(Parameters::new(&bytes), &mut Seen::default());
        look_at_causes(Causes::new(&bytes), &mut Seen::default());
    }
}

#[test]
fn many_packets() {
    let mut seen = Seen::default();
    let kernels = kernels();
    feed(|bytes| {
        let mut source = Source(bytes);
        let packet = match source.below(9) {
            0 => bytes.to_vec(),
            1 => noise(&mut source),
            2 => well_formed(&mut source),
            3 => damaged(&mut source),
            4 | 5 => {
                let mut packet = kernels[source.below(kernels.len())].clone();
                mutate(&mut source, &mut packet, Header::SIZE);
                with_checksum(packet)
            }
            _ => wrong(&mut source),
        };
        walk(&packet, &mut seen);
    });
    seen.all();
}

/// What is cut off at any place.
#[test]
fn every_beginning_of_a_packet() {
    let mut seen = Seen::default();
    let mut parameters = Vec::new();
    Parameter::StateCookie(&[7; 9]).write(&mut parameters);
    Parameter::Adaptation(1).write(&mut parameters);
    let bytes: Vec<u8> = (0..=255).collect();
    let mut source = Source(&bytes);
    for kind in CHUNKS {
        let whole = built(source.header(), &[source.chunk(kind, &parameters)]);
        for length in 0..whole.len() {
            walk(&with_checksum(whole[..length].to_vec()), &mut seen);
        }
    }
}
