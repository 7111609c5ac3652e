//! Packets that are nobody's, or not their sender's: RFC 9260, sections 8.4 and 8.5, and chunks that
//! are not known (3.2).

use std::net::SocketAddr;

use stack::event::Event;
use stack::types::{Route, Transmit, Tsn};
use stack::wire::{
    Builder, Cause, Causes, Chunk, Data, Header, Init, Packet, Parameter, Parameters,
    chunk_type as kind,
};

use crate::world::{A, B, PORT, Pair, World, first, lost};

/// What a stranger at this SCTP and UDP port says to B.
fn packet(port: u16, tag: u32, chunks: &[Chunk<'_>]) -> Vec<u8> {
    let mut packet = Builder::new(Header { source: port, destination: PORT, tag }, 65_000);
    for chunk in chunks {
        packet.push(chunk).unwrap();
    }
    packet.finish()
}

fn says(world: &mut World, port: u16, tag: u32, chunks: &[Chunk<'_>]) -> Option<Transmit> {
    let route = Route {
        local: SocketAddr::new(world.ip(B), PORT),
        remote: SocketAddr::new(world.ip(A), port),
    };
    let packet = packet(port, tag, chunks);
    world.stacks[B].input(world.now, route, &packet);
    let answer = world.stacks[B].output();
    assert_eq!(world.stacks[B].output(), None);
    answer
}

fn tag_of(packet: &[u8]) -> u32 {
    Packet::parse(packet).unwrap().header.tag
}

const STALE: [u8; 8] = [0, 3, 0, 8, 0, 0, 0, 1];

#[test]
fn out_of_the_blue() {
    let mut world = World::new();
    world.listen(B, PORT);
    let none = Causes::new(&[]);
    let silent: [&[Chunk<'_>]; 8] = [
        &[Chunk::Abort { reflected_tag: false, causes: none }],
        &[Chunk::Abort { reflected_tag: true, causes: none }],
        &[Chunk::ShutdownComplete { reflected_tag: false }],
        &[Chunk::CookieAck],
        &[Chunk::Error(Causes::new(&STALE))],
        &[Chunk::CookieEcho(b"not one of ours")],
        &[Chunk::Sack(EMPTY_SACK), Chunk::Abort { reflected_tag: false, causes: none }],
        &[],
    ];
    for chunks in silent {
        assert_eq!(says(&mut world, 1, 7, chunks), None, "{chunks:?}");
    }
    // 5
    let answer = says(&mut world, 1, 7, &[Chunk::ShutdownAck]).unwrap();
    assert_eq!(first(&answer.bytes), Chunk::ShutdownComplete { reflected_tag: true });
    assert_eq!(tag_of(&answer.bytes), 7);
    // "contains a SHUTDOWN ACK": wherever.
    let chunks = [Chunk::Error(none), Chunk::ShutdownAck];
    let answer = says(&mut world, 1, 7, &chunks).unwrap();
    assert_eq!(first(&answer.bytes), Chunk::ShutdownComplete { reflected_tag: true });
    // 8
    let rest: [&[Chunk<'_>]; 4] = [
        &[Chunk::Sack(EMPTY_SACK)],
        &[Chunk::Heartbeat(b"x")],
        &[Chunk::InitAck(INIT)],
        &[Chunk::Unknown { kind: 99, bytes: &[99, 0, 0, 4] }],
    ];
    for chunks in rest {
        let answer = says(&mut world, 1, 7, chunks).unwrap();
        assert_eq!(first(&answer.bytes), Chunk::Abort { reflected_tag: true, causes: none });
        assert_eq!(tag_of(&answer.bytes), 7);
        assert_eq!(answer.route.remote.port(), 1);
    }
    assert_eq!(world.stacks[B].association_count(), 0);
}

const INIT: Init<'_> = Init {
    tag: 5,
    window: 10_000,
    outbound: 1,
    inbound: 1,
    tsn: Tsn(1),
    parameters: NO_PARAMETERS,
};

const NO_PARAMETERS: Parameters<'_> = Parameters::new(&[]);

const EMPTY_SACK: stack::wire::Sack<'_> = stack::wire::Sack {
    cumulative: Tsn(0),
    window: 0,
    gaps: stack::wire::List::new(&[]),
    duplicates: stack::wire::List::new(&[]),
};

/// 3.3.2, 5.1 and 8.4, step 3.
#[test]
fn inits_that_cannot_be_taken() {
    let mut world = World::new();
    world.listen(B, PORT);
    // A tag of 0, a tag in the packet, and company: silence.
    assert_eq!(says(&mut world, 1, 0, &[Chunk::Init(Init { tag: 0, ..INIT })]), None);
    assert_eq!(says(&mut world, 1, 3, &[Chunk::Init(INIT)]), None);
    assert_eq!(says(&mut world, 1, 0, &[Chunk::Init(INIT), Chunk::CookieAck]), None);
    let route = Route { local: (world.ip(B), PORT + 1).into(), remote: (world.ip(A), 1).into() };
    let mut nobody = Builder::new(Header { source: 1, destination: PORT + 1, tag: 0 }, 1000);
    nobody.push(&Chunk::Init(Init { tag: 0, ..INIT })).unwrap();
    world.stacks[B].input(world.now, route, &nobody.finish());
    assert_eq!(world.stacks[B].output(), None, "nobody listens, and no tag to answer with");
    // What makes no sense: ABORT.
    for wrong in
        [Init { outbound: 0, ..INIT }, Init { inbound: 0, ..INIT }, Init { window: 1499, ..INIT }]
    {
        let answer = says(&mut world, 1, 0, &[Chunk::Init(wrong)]).unwrap();
        let Chunk::Abort { reflected_tag: false, causes } = first(&answer.bytes) else { panic!() };
        assert_eq!(causes.iter().next(), Some(Ok(Cause::InvalidMandatoryParameter)));
        assert_eq!(tag_of(&answer.bytes), 5);
    }
    // 5.1.2: host names are not resolved.
    let mut parameters = Vec::new();
    Parameter::HostName(b"example.org\0").write(&mut parameters);
    let init = Init { parameters: Parameters::new(&parameters), ..INIT };
    let answer = says(&mut world, 1, 0, &[Chunk::Init(init)]).unwrap();
    let Chunk::Abort { causes, .. } = first(&answer.bytes) else { panic!() };
    assert!(matches!(causes.iter().next(), Some(Ok(Cause::UnresolvableAddress(_)))));
}

/// 3.2.1: the two highest bits say it.
#[test]
fn parameters_that_are_not_known() {
    let mut world = World::new();
    world.listen(B, PORT);
    let reported = |world: &mut World, kinds: &[u16]| -> Vec<u16> {
        let mut parameters = Vec::new();
        for kind in kinds {
            Parameter::Unknown { kind: *kind, value: b"abc" }.write(&mut parameters);
        }
        let init = Init { parameters: Parameters::new(&parameters), ..INIT };
        let answer = says(world, 1, 0, &[Chunk::Init(init)]).unwrap();
        let Chunk::InitAck(ack) = first(&answer.bytes) else { panic!() };
        let unrecognized = ack.parameters.iter().filter_map(|parameter| match parameter.unwrap() {
            Parameter::Unrecognized(bytes) => Some(u16::from_be_bytes([bytes[0], bytes[1]])),
            _ => None,
        });
        unrecognized.collect()
    };
    assert_eq!(reported(&mut world, &[0x0fff, 0xcfff]), []);
    assert_eq!(reported(&mut world, &[0x4fff, 0xcfff]), [0x4fff]);
    assert_eq!(reported(&mut world, &[0x8fff, 0xcfff]), [0xcfff]);
    assert_eq!(reported(&mut world, &[0xcffe, 0xcfff]), [0xcffe, 0xcfff]);
}

/// What A would say to B, with this tag.
fn as_a(pair: &mut Pair, tag: u32, chunks: &[Chunk<'_>]) -> Option<Transmit> {
    let port = port_of_a(pair);
    says(&mut pair.world, port, tag, chunks)
}

fn port_of_a(pair: &Pair) -> u16 {
    pair.world.stacks[A].local_address(pair.a).unwrap().unwrap().port()
}

/// B's tag and A's, from what they have sent.
fn tags(pair: &Pair) -> (u32, u32) {
    let tag = |kind, from| {
        let sent = pair.world.log.iter().find(|sent| sent.kinds() == [kind] && sent.from == from);
        tag_of(&sent.unwrap().transmit.bytes)
    };
    (tag(kind::COOKIE_ECHO, A), tag(kind::COOKIE_ACK, B))
}

/// 8.5: any tag but the right one is worth nothing.
#[test]
fn a_wrong_tag_is_silently_discarded() {
    let mut pair = Pair::new();
    let (of_b, of_a) = tags(&pair);
    let none = Causes::new(&[]);
    for tag in [0, of_b ^ 1, of_a] {
        for chunk in [
            Chunk::Abort { reflected_tag: false, causes: none },
            Chunk::Shutdown(Tsn(0)),
            Chunk::ShutdownAck,
            Chunk::Heartbeat(b"x"),
            Chunk::Error(none),
        ] {
            assert_eq!(as_a(&mut pair, tag, &[chunk]), None, "{chunk:?}");
        }
    }
    // 8.5.1 B and C: the T bit belongs to the peer's tag.
    for (tag, reflected_tag) in [(of_b, true), (of_a, false)] {
        assert_eq!(as_a(&mut pair, tag, &[Chunk::Abort { reflected_tag, causes: none }]), None);
        assert_eq!(as_a(&mut pair, tag, &[Chunk::ShutdownComplete { reflected_tag }]), None);
    }
    assert_eq!(pair.world.stacks[B].association_count(), 1);
    assert_eq!(pair.world.events(B, pair.b), []);
    assert!(pair.world.stacks[B].counters().wrong_tag >= 15);
}

#[test]
fn an_abort_with_the_peers_tag_and_the_t_bit() {
    let mut pair = Pair::new();
    let (_, of_a) = tags(&pair);
    let abort = Chunk::Abort { reflected_tag: true, causes: Causes::new(&[]) };
    assert_eq!(as_a(&mut pair, of_a, &[abort]), None);
    assert_eq!(pair.world.events(B, pair.b).iter().map(lost).collect::<Vec<_>>(), [Some(0)]);
}

/// 9.2 and 8.5.1 C: in ESTABLISHED a SHUTDOWN COMPLETE means nothing.
#[test]
fn chunks_at_the_wrong_time() {
    let mut pair = Pair::new();
    let (of_b, _) = tags(&pair);
    for chunk in [
        Chunk::ShutdownComplete { reflected_tag: false },
        Chunk::ShutdownAck,
        Chunk::CookieAck,
        Chunk::InitAck(INIT),
        Chunk::Error(Causes::new(&STALE)),
        Chunk::HeartbeatAck(b"nobody asked"),
        Chunk::Ecne(Tsn(0)),
        Chunk::Cwr(Tsn(0)),
    ] {
        assert_eq!(as_a(&mut pair, of_b, &[chunk]), None, "{chunk:?}");
    }
    assert_eq!(pair.world.stacks[B].association_count(), 1);
}

/// 6.10: never bundled.
#[test]
fn bundled_with_what_goes_alone() {
    let mut pair = Pair::new();
    let (of_b, _) = tags(&pair);
    for alone in [Chunk::InitAck(INIT), Chunk::ShutdownComplete { reflected_tag: false }] {
        assert_eq!(as_a(&mut pair, of_b, &[alone, Chunk::Heartbeat(b"x")]), None);
    }
}

/// 3.2: the two highest bits of a chunk's type.
#[test]
fn chunks_that_are_not_known() {
    let mut pair = Pair::new();
    let (of_b, _) = tags(&pair);
    let unknown = |kind| match kind {
        0x3f => Chunk::Unknown { kind: 0x3f, bytes: &[0x3f, 0, 0, 4] },
        0x7f => Chunk::Unknown { kind: 0x7f, bytes: &[0x7f, 0, 0, 4] },
        0xbf => Chunk::Unknown { kind: 0xbf, bytes: &[0xbf, 0, 0, 4] },
        _ => Chunk::Unknown { kind: 0xff, bytes: &[0xff, 0, 0, 4] },
    };
    let (beat, error) = (kind::HEARTBEAT_ACK, kind::ERROR);
    for (kind, answer) in
        [(0x3f, vec![]), (0x7f, vec![error]), (0xbf, vec![beat]), (0xff, vec![beat, error])]
    {
        let sent = as_a(&mut pair, of_b, &[unknown(kind), Chunk::Heartbeat(b"after")]);
        let kinds = sent.as_ref().map(|sent| crate::world::kinds(&sent.bytes)).unwrap_or_default();
        assert_eq!(kinds, answer, "{kind:x}");
        if kinds.contains(&error) {
            let packet = Packet::parse(&sent.as_ref().unwrap().bytes).unwrap();
            let causes = packet.chunks().find_map(|chunk| match chunk {
                Ok(Chunk::Error(causes)) => causes.iter().next(),
                _ => None,
            });
            assert_eq!(causes, Some(Ok(Cause::UnrecognizedChunk(&[kind, 0, 0, 4]))));
        }
    }
}

/// 6.2: "the endpoint MUST send an ABORT", cause 9.
#[test]
fn data_without_data() {
    let mut pair = Pair::new();
    let (of_b, _) = tags(&pair);
    let init = pair.world.log[0].transmit.bytes.clone();
    let Chunk::Init(init) = first(&init) else { panic!() };
    let answer = as_a(&mut pair, of_b, &[Chunk::Data(data(init.tsn, 0, b""))]).unwrap();
    let Chunk::Abort { causes, .. } = first(&answer.bytes) else { panic!("{answer:?}") };
    assert_eq!(causes.iter().next(), Some(Ok(Cause::NoUserData(init.tsn))));
    assert_eq!(pair.world.stacks[B].association_count(), 0);
}

fn data(tsn: Tsn, stream: u16, payload: &[u8]) -> Data<'_> {
    Data {
        immediate: false,
        unordered: false,
        beginning: true,
        end: true,
        tsn,
        stream,
        ssn: stack::types::Ssn(0),
        ppid: 0,
        payload,
    }
}

/// 6.5: acknowledged, reported, and not delivered.
#[test]
fn data_for_a_stream_that_is_not_there() {
    let mut pair = Pair::new();
    let (of_b, _) = tags(&pair);
    let init = pair.world.log[0].transmit.bytes.clone();
    let Chunk::Init(init) = first(&init) else { panic!() };
    let answer = as_a(&mut pair, of_b, &[Chunk::Data(data(init.tsn, 10, b"x"))]).unwrap();
    let packet = Packet::parse(&answer.bytes).unwrap();
    let Some(Ok(Chunk::Error(causes))) = packet.chunks().next() else { panic!("{packet:?}") };
    assert_eq!(causes.iter().next(), Some(Ok(Cause::InvalidStream(10))));
    assert_eq!(pair.world.received(B, pair.b), []);
}

/// 3.3.10: what the peer reports.
#[test]
fn an_error_is_told() {
    let mut pair = Pair::new();
    let (of_b, _) = tags(&pair);
    let mut causes = Vec::new();
    Cause::InvalidStream(3).write(&mut causes);
    Cause::Unknown { code: 0x4711, value: b"?" }.write(&mut causes);
    assert_eq!(as_a(&mut pair, of_b, &[Chunk::Error(Causes::new(&causes))]), None);
    let events = pair.world.events(B, pair.b);
    assert!(
        matches!(&events[..], [
        Event::RemoteError { error: 1, cause: one },
        Event::RemoteError { error: 0x4711, cause: other },
    ] if one == &[0, 1, 0, 8, 0, 3, 0, 0] && other[..5] == [0x47, 0x11, 0, 5, b'?']),
        "{events:?}"
    );
}

/// 8.3: answered with the same contents, to where it came from.
#[test]
fn a_heartbeat() {
    let mut pair = Pair::new();
    let (of_b, _) = tags(&pair);
    let answer = as_a(&mut pair, of_b, &[Chunk::Heartbeat(b"my clock")]).unwrap();
    assert_eq!(first(&answer.bytes), Chunk::HeartbeatAck(b"my clock"));
}

/// 6.8, and lengths that lie.
#[test]
fn garbage() {
    let mut pair = Pair::new();
    let (of_b, _) = tags(&pair);
    let port = port_of_a(&pair);
    let good =
        packet(port, of_b, &[Chunk::Abort { reflected_tag: false, causes: Causes::new(&[]) }]);
    let route = Route {
        local: SocketAddr::new(pair.world.ip(B), PORT),
        remote: SocketAddr::new(pair.world.ip(A), port),
    };
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        pair.world.stacks[B].input(pair.world.now, route, &bad);
    }
    for length in 0..good.len() {
        pair.world.stacks[B].input(pair.world.now, route, &good[..length]);
    }
    assert_eq!(pair.world.stacks[B].output(), None);
    assert_eq!(pair.world.stacks[B].association_count(), 1);
    pair.world.stacks[B].input(pair.world.now, route, &good);
    assert_eq!(pair.world.stacks[B].association_count(), 0);
}

/// 9.2: a SHUTDOWN that acknowledges what was never sent.
#[test]
fn a_forged_shutdown() {
    let mut pair = Pair::new();
    let (of_b, _) = tags(&pair);
    let ack = pair.world.log.iter().find(|sent| sent.kinds() == [kind::INIT_ACK]).unwrap();
    let Chunk::InitAck(ack) = first(&ack.transmit.bytes) else { panic!() };
    let beyond = Tsn(ack.tsn.0.wrapping_add(5));
    let answer = as_a(&mut pair, of_b, &[Chunk::Shutdown(beyond)]).unwrap();
    let Chunk::Abort { causes, .. } = first(&answer.bytes) else { panic!("{answer:?}") };
    assert_eq!(causes.iter().next().unwrap().unwrap().code(), 13);
    assert_eq!(lost(&pair.world.events(B, pair.b)[0]), Some(13));
}
