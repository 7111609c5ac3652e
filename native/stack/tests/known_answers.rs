//! What kernels send is parsed, and built again byte for byte (`test/vm/capture` has written it
//! down).

mod captured;

use std::collections::BTreeSet;

use captured::{Captured, captured, entries, kernels};
use stack::wire::{
    Builder, Causes, Chunk, Init, Packet, Parameters, cause_code, chunk_type, parameter_type,
};

fn name(chunk: &Chunk<'_>) -> &'static str {
    match chunk {
        Chunk::Data(_) => "DATA",
        Chunk::Init(_) => "INIT",
        Chunk::InitAck(_) => "INIT-ACK",
        Chunk::Sack(_) => "SACK",
        Chunk::Heartbeat(_) => "HEARTBEAT",
        Chunk::HeartbeatAck(_) => "HEARTBEAT-ACK",
        Chunk::Abort { .. } => "ABORT",
        Chunk::Shutdown(_) => "SHUTDOWN",
        Chunk::ShutdownAck => "SHUTDOWN-ACK",
        Chunk::Error(_) => "ERROR",
        Chunk::CookieEcho(_) => "COOKIE-ECHO",
        Chunk::CookieAck => "COOKIE-ACK",
        Chunk::Ecne(_) => "ECNE",
        Chunk::Cwr(_) => "CWR",
        Chunk::ShutdownComplete { .. } => "SHUTDOWN-COMPLETE",
        Chunk::ForwardTsn(_) => "FORWARD-TSN",
        Chunk::Unknown { kind, .. } => match kind {
            15 => "AUTH",
            64 => "I-DATA",
            128 => "ASCONF-ACK",
            130 => "RE-CONFIG",
            193 => "ASCONF",
            194 => "I-FORWARD-TSN",
            _ => "?",
        },
    }
}

/// All that has a type.
#[derive(Default)]
struct Seen {
    chunks: BTreeSet<u8>,
    parameters: BTreeSet<u16>,
    causes: BTreeSet<u16>,
    gaps: usize,
    duplicates: usize,
    reflected_tags: usize,
}

fn written_again(parameters: Parameters<'_>, seen: &mut Seen) -> Vec<u8> {
    let mut bytes = Vec::new();
    for parameter in parameters.iter() {
        let parameter = parameter.expect("a parameter");
        seen.parameters.insert(parameter.kind());
        parameter.write(&mut bytes);
    }
    bytes
}

fn causes_again(causes: Causes<'_>, seen: &mut Seen) -> Vec<u8> {
    let mut bytes = Vec::new();
    for cause in causes.iter() {
        let cause = cause.expect("a cause");
        seen.causes.insert(cause.code());
        cause.write(&mut bytes);
    }
    bytes
}

/// Built again from the fields of each chunk, parameter and cause.
fn built_again(packet: &Packet<'_>, limit: usize, seen: &mut Seen) -> Vec<u8> {
    let mut builder = Builder::new(packet.header, limit);
    for chunk in packet.chunks() {
        let chunk = chunk.expect("a chunk");
        seen.chunks.insert(chunk.kind());
        let parts = match chunk {
            Chunk::Init(init) | Chunk::InitAck(init) => written_again(init.parameters, seen),
            Chunk::Abort { causes, .. } | Chunk::Error(causes) => causes_again(causes, seen),
            _ => Vec::new(),
        };
        let parameters = Parameters::new(&parts);
        let causes = Causes::new(&parts);
        let pushed = match chunk {
            Chunk::Data(data) => builder.push_data(&data),
            Chunk::Init(init) => builder.push(&Chunk::Init(Init { parameters, ..init })),
            Chunk::InitAck(init) => builder.push(&Chunk::InitAck(Init { parameters, ..init })),
            Chunk::Sack(sack) => {
                seen.gaps += sack.gaps.len();
                seen.duplicates += sack.duplicates.len();
                let (gaps, duplicates) = (sack.gaps.iter(), sack.duplicates.iter());
                builder.push_sack(sack.cumulative, sack.window, gaps, duplicates)
            }
            Chunk::Abort { reflected_tag, .. } => {
                seen.reflected_tags += usize::from(reflected_tag);
                builder.push(&Chunk::Abort { reflected_tag, causes })
            }
            Chunk::Error(_) => builder.push(&Chunk::Error(causes)),
            Chunk::ForwardTsn(forward) => {
                builder.push_forward_tsn(forward.cumulative, forward.skipped.iter())
            }
            other => builder.push(&other),
        };
        pushed.expect("it did fit");
    }
    builder.finish()
}

#[test]
fn what_kernels_send_is_parsed_and_built_again() {
    for kernel in kernels() {
        for file in entries(&kernel) {
            let captured = captured(&file);
            assert!(!captured.is_empty(), "{file:?}");
            for Captured { names, bytes } in captured {
                let packet = Packet::parse(&bytes).expect("a packet");
                let found: Vec<_> =
                    packet.chunks().map(|chunk| name(&chunk.expect("a chunk"))).collect();
                assert_eq!(found, names, "{file:?}");
                let again = built_again(&packet, bytes.len(), &mut Seen::default());
                assert_eq!(again, bytes, "{file:?}: {names:?}");
            }
        }
    }
}

/// What a kernel cannot be brought to send is not here: PAD, and the causes "out of resource", which
/// it sends when it has no memory, and "user-initiated abort" in an ERROR.
#[test]
fn each_kernel_has_sent_each_kind() {
    let kernels = kernels();
    assert!(kernels.len() >= 2);
    for kernel in kernels {
        let mut seen = Seen::default();
        for file in entries(&kernel) {
            for Captured { bytes, .. } in captured(&file) {
                let packet = Packet::parse(&bytes).expect("a packet");
                built_again(&packet, bytes.len(), &mut seen);
            }
        }
        let chunks = (chunk_type::DATA..=chunk_type::SHUTDOWN_COMPLETE).chain([
            chunk_type::FORWARD_TSN,
            15,
            64,
            128,
            130,
            193,
            194,
        ]);
        assert_eq!(seen.chunks, chunks.collect(), "{kernel:?}");
        for parameter in [
            parameter_type::IPV4_ADDRESS,
            parameter_type::IPV6_ADDRESS,
            parameter_type::STATE_COOKIE,
            parameter_type::UNRECOGNIZED,
            parameter_type::COOKIE_PRESERVATIVE,
            parameter_type::SUPPORTED_ADDRESS_TYPES,
            parameter_type::ECN_CAPABLE,
            parameter_type::SUPPORTED_EXTENSIONS,
            parameter_type::FORWARD_TSN_SUPPORTED,
            parameter_type::ADAPTATION,
        ] {
            assert!(seen.parameters.contains(&parameter), "{kernel:?}: parameter {parameter:#x}");
        }
        for cause in [
            cause_code::INVALID_STREAM,
            cause_code::MISSING_PARAMETERS,
            cause_code::STALE_COOKIE,
            cause_code::UNRESOLVABLE_ADDRESS,
            cause_code::UNRECOGNIZED_CHUNK,
            cause_code::INVALID_MANDATORY_PARAMETER,
            cause_code::UNRECOGNIZED_PARAMETERS,
            cause_code::NO_USER_DATA,
            cause_code::COOKIE_WHILE_SHUTTING_DOWN,
            cause_code::RESTART_WITH_NEW_ADDRESSES,
            cause_code::USER_INITIATED_ABORT,
            cause_code::PROTOCOL_VIOLATION,
            cause_code::RESTART_WITH_NEW_ENCAPSULATION_PORT,
        ] {
            assert!(seen.causes.contains(&cause), "{kernel:?}: cause {cause}");
        }
        assert!(seen.gaps > 3 && seen.duplicates > 0 && seen.reflected_tags > 0);
    }
}
