//! What a peer cannot make a stack hold or send.

use std::net::SocketAddr;
use std::time::Duration;

use stack::event::Received;
use stack::params::{Params, Style};
use stack::stack::Limits;
use stack::types::{AssocId, EndpointId, Route, Tsn};
use stack::wire::{
    Builder, Cause, Causes, Chunk, Header, Init, Parameter, Parameters, chunk_type as kind,
};

use crate::world::{A, B, PORT, Pair, World, cannot_start, first, up};

fn route(remote: SocketAddr) -> Route {
    Route { local: "10.0.0.2:5000".parse().unwrap(), remote }
}

fn init(source: u16, parameters: &[u8]) -> Vec<u8> {
    let mut packet = Builder::new(Header { source, destination: PORT, tag: 0 }, 65_000);
    let parameters = Parameters::new(parameters);
    let init = Init { tag: 5, window: 10_000, outbound: 1, inbound: 1, tsn: Tsn(1), parameters };
    packet.push(&Chunk::Init(init)).unwrap();
    packet.finish()
}

/// RFC 9260, section 5.1.3.
#[test]
fn an_init_costs_nothing() {
    let mut world = World::new();
    world.listen(B, PORT);
    let before = world.stacks[B].memory();
    for n in 0..5000_u32 {
        let remote = SocketAddr::from((std::net::Ipv4Addr::from(0x0b00_0000 + n), 1));
        world.stacks[B].input(world.now, route(remote), &init(1, &[]));
        let answer = world.stacks[B].output().unwrap();
        assert!(matches!(first(&answer.bytes), Chunk::InitAck(_)));
        assert_eq!(world.stacks[B].output(), None);
    }
    assert_eq!(world.stacks[B].memory(), before);
    assert_eq!(world.stacks[B].timeout(), None);
}

/// Nobody can make us send much more than they send.
#[test]
fn an_answer_is_at_most_three_times_as_long() {
    let mut world = World::new();
    let b = world.listen(B, PORT);
    for count in 0..100_u16 {
        let mut parameters = Vec::new();
        for n in 0..count {
            Parameter::Unknown { kind: 0xd000 + n, value: &[] }.write(&mut parameters);
        }
        for source in ["10.0.0.1:1", "[fd00::1]:1"] {
            let (remote, headers): (SocketAddr, _) =
                (source.parse().unwrap(), if source.starts_with('[') { 48 } else { 28 });
            let mut route = route(remote);
            if remote.is_ipv6() {
                route.local = "[fd00::2]:5000".parse().unwrap();
            }
            let packet = init(1, &parameters);
            world.stacks[B].input(world.now, route, &packet);
            // The endpoint is bound to IPv4: over IPv6 nobody listens.
            let answer = world.stacks[B].output().unwrap();
            let (got, sent) = (packet.len() + headers, answer.bytes.len() + headers);
            assert!(sent <= 3 * got, "{sent} for {got}");
        }
    }
    assert!(world.stacks[B].close(world.now, b).is_ok());
}

/// Answers to strangers have a rate, for the whole stack; the peers that are there are not affected.
#[test]
fn strangers_are_answered_so_often() {
    let limits = Limits { answers_per_second: 100, ..Limits::default() };
    let world = World::with_limits(limits);
    let mut pair = Pair::with(world, Params::default(), Params::default());
    let flood = |pair: &mut Pair, packet: &[u8]| {
        let mut answers = 0;
        for n in 0..1000_u16 {
            let remote = SocketAddr::from(([11, 0, (n >> 8) as u8, n as u8], 1));
            pair.world.stacks[B].input(pair.world.now, route(remote), packet);
            while pair.world.stacks[B].output().is_some() {
                answers += 1;
            }
        }
        answers
    };
    let mut blue = Builder::new(Header { source: 1, destination: 9, tag: 7 }, 1000);
    blue.push(&Chunk::ShutdownAck).unwrap();
    let blue = blue.finish();
    let forged = {
        let mut packet = Builder::new(Header { source: 1, destination: PORT, tag: 7 }, 1000);
        packet.push(&Chunk::CookieEcho(&[1; 100])).unwrap();
        packet.finish()
    };
    pair.world.run(Duration::from_secs(2));
    assert_eq!(flood(&mut pair, &init(1, &[])), 100);
    assert_eq!(flood(&mut pair, &blue), 0);
    pair.world.run(Duration::from_secs(2));
    assert_eq!(flood(&mut pair, &blue), 100);
    assert_eq!(flood(&mut pair, &forged), 0);
    assert!(pair.world.stacks[B].counters().unanswered >= 2800);
    assert_eq!(pair.world.stacks[B].counters().bad_cookies, 1000);
    pair.send_a(b"through all that");
    pair.world.run(Duration::from_secs(1));
    assert_eq!(pair.world.messages(B, pair.b), [b"through all that"]);
}

#[test]
fn so_many_associations() {
    let limits = Limits { associations_per_endpoint: 3, associations: 5, ..Limits::default() };
    let mut world = World::new();
    world.stacks[B] = crate::world::stack(5, limits);
    let b = world.listen(B, PORT);
    let c = world.listen(B, PORT + 1);
    let mut connect = |port| {
        let a = world.open(A, Style::OneToMany, 0);
        world.connect(A, a, B, port);
        world.settle();
        world.events(A, a)
    };
    for _ in 0..3 {
        assert!(matches!(connect(PORT)[..], [up!()]));
    }
    // Cause 4: out of resource.
    assert_eq!(connect(PORT), [cannot_start(4)]);
    for _ in 0..2 {
        assert!(matches!(connect(PORT + 1)[..], [up!()]));
    }
    assert_eq!(connect(PORT + 1), [cannot_start(4)]);
    assert_eq!(world.stacks[B].associations(b).unwrap().len(), 3);
    assert_eq!(world.stacks[B].associations(c).unwrap().len(), 2);
    let own = world.stacks[B].open(Style::OneToMany, Params::default());
    let remote = SocketAddr::new(world.ip(A), 1);
    assert_eq!(
        world.stacks[B].connect(world.now, own, remote, 1),
        Err(stack::error::Error::NoBuffers)
    );
}

/// Peers that come and go while the user does not look.
#[test]
fn so_many_events() {
    let limits = Limits { events_per_endpoint: 20, ..Limits::default() };
    let mut world = World::new();
    world.stacks[B] = crate::world::stack(5, limits);
    let b = world.listen(B, PORT);
    for _ in 0..100 {
        let a = world.open(A, Style::OneToMany, 0);
        let id = world.connect(A, a, B, PORT);
        world.settle();
        let _ = world.stacks[A].abort(world.now, a, id, b"");
        world.settle();
    }
    assert!(world.stacks[B].memory().queued_events <= 21);
    let events = world.events(B, b);
    assert_eq!(events.len(), 20);
    let a = world.open(A, Style::OneToMany, 0);
    world.connect(A, a, B, PORT);
    world.settle();
    assert!(matches!(world.events(A, a)[..], [up!()]), "the user has looked");
}

const UNREAD: usize = 300_000;

/// B's receive buffer is small, and its bound on what ended associations leave.
fn forgetful() -> (World, EndpointId) {
    let limits = Limits { unread_per_endpoint: UNREAD, ..Limits::default() };
    let mut world = World::with_limits(limits);
    let params = Params { receive_buffer: 20_000, sack_delay: Duration::ZERO, ..Params::default() };
    let b = world.open_with(B, Style::OneToMany, PORT, params);
    world.stacks[B].listen(b, 5).unwrap();
    (world, b)
}

/// Sends until B has no window left. Returns how many bytes were acknowledged.
fn fill(world: &mut World, a: EndpointId, id: AssocId) -> usize {
    let mut sent = 0;
    while world.stacks[A].status(a, id).unwrap().rwnd > 0 {
        world.send(A, a, id, &[7; 1000]);
        sent += 1000;
        world.settle();
    }
    assert_eq!(world.stacks[A].status(a, id).unwrap().unacked, 0);
    sent
}

/// What waits at B, and what it carries in events.
fn unread(world: &World) -> usize {
    let memory = world.stacks[B].memory();
    memory.receive_bytes + memory.event_bytes
}

/// Peers that fill the window, and end, while the user does not look; by SHUTDOWN and by ABORT.
#[test]
fn so_much_data_of_associations_that_ended() {
    let (mut world, b) = forgetful();
    let (mut acknowledged, mut refused) = (0, 0);
    for n in 0..100 {
        let a = world.open(A, Style::OneToMany, 0);
        let id = world.connect(A, a, B, PORT);
        world.settle();
        match &world.events(A, a)[..] {
            [up!()] => {
                assert_eq!(refused, 0, "the user has not looked");
                acknowledged += fill(&mut world, a, id);
            }
            // Cause 4: out of resource.
            [event] if *event == cannot_start(4) => {
                refused += 1;
                continue;
            }
            other => panic!("{other:?}"),
        }
        let now = world.now;
        match n % 2 {
            0 => world.stacks[A].shutdown(now, a, id).unwrap(),
            _ => world.stacks[A].abort(now, a, id, b"").unwrap(),
        }
        world.settle();
        assert_eq!(world.stacks[B].association_count(), 0);
        // What the last one left is more than the bound, by its receive buffer at most.
        assert!(unread(&world) < UNREAD + 2 * 20_000, "{}", unread(&world));
    }
    assert!(unread(&world) >= UNREAD);
    assert!(refused > 50, "{refused}");
    // The endpoint itself begins none, either.
    let remote = SocketAddr::new(world.ip(A), PORT);
    let own = world.stacks[B].connect(world.now, b, remote, PORT);
    assert_eq!(own, Err(stack::error::Error::NoBuffers));

    // All that was acknowledged is there, and then there is room again.
    let received = world.received(B, b);
    let data = received.iter().filter_map(|received| match received {
        Received::Data { bytes, .. } => Some(bytes.len()),
        Received::Event(..) => None,
    });
    assert_eq!(data.sum::<usize>(), acknowledged);
    assert_eq!(unread(&world), 0);
    let a = world.open(A, Style::OneToMany, 0);
    world.connect(A, a, B, PORT);
    world.settle();
    assert!(matches!(world.events(A, a)[..], [up!()]), "the user has looked");
}

/// Peers that begin all at once, or that have their cookies when the bound is reached: it is crossed
/// by what those can hold that were there before, and by nothing else.
#[test]
fn a_cookie_is_no_way_around_the_bound() {
    let (mut world, _) = forgetful();
    let mut peers = Vec::new();
    for _ in 0..20 {
        let a = world.open(A, Style::OneToMany, 0);
        let id = world.connect(A, a, B, PORT);
        peers.push((a, id));
    }
    world.settle();
    // This one has a cookie, and keeps it for later.
    world.drop_chunks(kind::COOKIE_ECHO);
    let late = world.open(A, Style::OneToMany, 0);
    world.connect(A, late, B, PORT);
    world.settle();
    let echo = world.last().transmit.clone();
    world.drop_nothing();
    for (a, id) in &peers {
        assert!(matches!(world.events(A, *a)[..], [up!()]));
        fill(&mut world, *a, *id);
    }
    let held = world.stacks[B].memory().receive_bytes;
    assert!((UNREAD..=20 * 2 * 20_000).contains(&held), "{held}");
    for (a, id) in peers {
        let _ = world.stacks[A].abort(world.now, a, id, b"");
    }
    world.settle();
    assert_eq!(world.stacks[B].memory().receive_bytes, held);
    // No time has passed: the cookie is as good as new.
    let remote = SocketAddr::new(world.ip(A), echo.route.local.port());
    world.stacks[B].input(world.now, Route { local: echo.route.remote, remote }, &echo.bytes);
    let answer = world.stacks[B].output().unwrap();
    assert!(matches!(first(&answer.bytes), Chunk::Abort { .. }));
    assert_eq!(world.stacks[B].association_count(), 0);
}

/// ERRORs and ABORTs as long as a packet may be.
#[test]
fn so_many_bytes_in_events() {
    let (mut world, b) = forgetful();
    let mut causes = Vec::new();
    Cause::UserInitiatedAbort(&[7; 60_000]).write(&mut causes);
    let mut lost = 0;
    for _ in 0..30 {
        let a = world.open(A, Style::OneToMany, 0);
        world.connect(A, a, B, PORT);
        world.settle();
        let [id] = world.stacks[B].associations(b).unwrap()[..] else { continue };
        let echo = world.log.iter().rfind(|sent| sent.kinds() == [kind::COOKIE_ECHO]).unwrap();
        let header = stack::wire::Packet::parse(&echo.transmit.bytes).unwrap().header;
        let remote = SocketAddr::new(world.ip(A), header.source);
        let causes = Causes::new(&causes);
        let errors = if lost == 2 { 10 } else { 1 };
        for chunk in std::iter::repeat_n(Chunk::Error(causes), errors)
            .chain([Chunk::Abort { reflected_tag: false, causes }])
        {
            let mut packet = Builder::new(header, 65_000);
            packet.push(&chunk).unwrap();
            world.stacks[B].input(world.now, route(remote), &packet.finish());
        }
        assert!(!world.stacks[B].associations(b).unwrap().contains(&id));
        lost += 1;
        // By one ERROR, and by the ABORT of the one that was there.
        assert!(world.stacks[B].memory().event_bytes < UNREAD + 2 * 61_000);
    }
    assert_eq!(lost, 3, "then nobody can begin");
    let ends = world.events(B, b).into_iter().filter(|event| crate::world::lost(event) == Some(12));
    assert_eq!(ends.count(), 3, "ends are told");
    assert_eq!(world.stacks[B].memory().event_bytes, 0);
}

/// A peer that reports errors without end.
#[test]
fn errors_are_events_up_to_the_bound() {
    let limits = Limits { events_per_endpoint: 20, ..Limits::default() };
    let mut pair = Pair::with(World::with_limits(limits), Params::default(), Params::default());
    let mut causes = Vec::new();
    for _ in 0..300 {
        Cause::OutOfResource.write(&mut causes);
    }
    let echo = pair.world.log.iter().find(|sent| sent.kinds() == [kind::COOKIE_ECHO]).unwrap();
    let header = stack::wire::Packet::parse(&echo.transmit.bytes).unwrap().header;
    let mut packet = Builder::new(header, 65_000);
    for _ in 0..20 {
        packet.push(&Chunk::Error(Causes::new(&causes))).unwrap();
    }
    let remote = SocketAddr::new(pair.world.ip(A), header.source);
    let packet = packet.finish();
    for _ in 0..10 {
        pair.world.stacks[B].input(pair.world.now, route(remote), &packet);
    }
    assert_eq!(pair.world.stacks[B].memory().queued_events, 20);
}

/// A flood of heartbeats, or of chunks that are not known: one answer of each kind waits.
#[test]
fn one_answer_at_a_time() {
    let mut pair = Pair::new();
    let echo = pair.world.log.iter().find(|sent| sent.kinds() == [kind::COOKIE_ECHO]).unwrap();
    let header = stack::wire::Packet::parse(&echo.transmit.bytes).unwrap().header;
    let mut packet = Builder::new(header, 65_000);
    for _ in 0..1000 {
        packet.push(&Chunk::Heartbeat(b"beat")).unwrap();
        packet.push(&Chunk::Unknown { kind: 0xff, bytes: &[0xff, 0, 0, 8, 1, 2, 3, 4] }).unwrap();
    }
    let packet = packet.finish();
    let remote = SocketAddr::new(pair.world.ip(A), header.source);
    for _ in 0..10 {
        pair.world.stacks[B].input(pair.world.now, route(remote), &packet);
    }
    let mut answers = 0;
    while let Some(answer) = pair.world.stacks[B].output() {
        assert!(answer.bytes.len() <= 1400);
        answers += 1;
    }
    assert!(answers <= 2, "{answers}");
}

/// The receive buffer holds, whatever the peer sends.
#[test]
fn data_beyond_the_window_is_dropped() {
    let small = Params { receive_buffer: 20_000, ..Params::default() };
    let mut pair = Pair::with(World::new(), Params::default(), small);
    let Chunk::Init(init) = first(&pair.world.log[0].transmit.bytes) else { panic!() };
    let tsn = init.tsn;
    let echo = pair.world.log.iter().find(|sent| sent.kinds() == [kind::COOKIE_ECHO]).unwrap();
    let header = stack::wire::Packet::parse(&echo.transmit.bytes).unwrap().header;
    let remote = SocketAddr::new(pair.world.ip(A), header.source);
    for n in 1..2000_u32 {
        let mut packet = Builder::new(header, 1400);
        let data = stack::wire::Data {
            immediate: false,
            unordered: n % 2 == 0,
            beginning: true,
            end: true,
            // The first one never comes.
            tsn: Tsn(tsn.0.wrapping_add(n)),
            stream: 0,
            ssn: stack::types::Ssn(n as u16),
            ppid: 0,
            payload: &[0; 1000],
        };
        packet.push(&Chunk::Data(data)).unwrap();
        pair.world.stacks[B].input(pair.world.now, route(remote), &packet.finish());
        while pair.world.stacks[B].output().is_some() {}
        let held = pair.world.stacks[B].memory().receive_bytes;
        assert!(held <= 20_000 + 4 * 1400, "{held}");
    }
}

/// RFC 9260, section 5.3.1: tags and first TSNs do not follow from each other.
#[test]
fn every_association_has_its_own_tag() {
    let mut world = World::new();
    world.listen(B, PORT);
    let mut tags = std::collections::HashSet::new();
    for n in 0..100 {
        let remote = SocketAddr::from(([11, 0, 0, n], 1));
        world.stacks[B].input(world.now, route(remote), &init(1, &[]));
        let answer = world.stacks[B].output().unwrap();
        let Chunk::InitAck(ack) = first(&answer.bytes) else { panic!() };
        assert!(tags.insert(ack.tag));
        assert!(tags.insert(ack.tsn.0));
    }
}
