//! RFC 9260, sections 5.2.2 and 5.2.4 A: a peer that begins anew.

use std::time::Duration;

use stack::event::{AssocChange, Event, Received};
use stack::params::{Params, Style};
use stack::types::{AssocId, EndpointId, Route};
use stack::wire::{
    Builder, Cause, Chunk, Header, Init, Packet, Parameter, Parameters, chunk_type as kind,
};

use crate::world::{A, B, PORT, Pair, World, complete, first, lost, up};

/// A dies, comes back, and connects from the same port.
fn restarted() -> (Pair, EndpointId, AssocId) {
    let mut pair = Pair::new();
    let port = pair.world.stacks[A].local_address(pair.a).unwrap().unwrap().port();
    pair.world.reboot(A, 77);
    let a = pair.world.open(A, Style::OneToMany, port);
    let at_a = pair.world.connect(A, a, B, PORT);
    (pair, a, at_a)
}

#[test]
fn the_association_stays_and_begins_anew() {
    let (mut pair, a, at_a) = restarted();
    pair.world.settle();
    assert!(matches!(pair.world.events(A, a)[..], [up!()]));
    let events = pair.world.events(B, pair.b);
    let restart = Event::AssocChange(AssocChange::Restart { outbound: 10, inbound: 10 });
    assert_eq!(events, [restart]);
    assert_eq!(pair.world.stacks[B].associations(pair.b).unwrap(), [pair.at_b]);
    pair.world.send(A, a, at_a, b"new");
    pair.send_b(b"and old");
    pair.world.run(Duration::from_secs(1));
    assert_eq!(pair.world.messages(A, a), [b"and old"]);
    assert_eq!(pair.world.messages(B, pair.b), [b"new"]);
    pair.shutdown_b();
    pair.world.run(Duration::from_secs(5));
    assert_eq!(pair.world.events(B, pair.b), [complete()]);
}

/// What the old peer did not acknowledge has failed.
#[test]
fn what_was_on_its_way_has_failed() {
    let mut pair = Pair::new();
    let port = pair.world.stacks[A].local_address(pair.a).unwrap().unwrap().port();
    pair.world.drop_all();
    pair.send_b(b"into the void");
    pair.world.collect();
    pair.world.reboot(A, 77);
    pair.world.drop_nothing();
    let a = pair.world.open(A, Style::OneToMany, port);
    pair.world.connect(A, a, B, PORT);
    pair.world.settle();
    let events = pair.world.events(B, pair.b);
    assert!(
        matches!(&events[..], [
            Event::SendFailed { sent: true, bytes, .. },
            Event::AssocChange(AssocChange::Restart { .. }),
        ] if bytes == b"into the void"),
        "{events:?}"
    );
}

/// What had come before is received before the event, and what it takes of the buffer is not
/// forgotten.
#[test]
fn what_had_come_before_stays() {
    let mut pair = Pair::new();
    let port = pair.world.stacks[A].local_address(pair.a).unwrap().unwrap().port();
    pair.send_a(b"old");
    pair.world.run(Duration::from_secs(1));
    let (before, _) = pair.world.stacks[B].buffered(pair.b).unwrap();
    pair.world.reboot(A, 77);
    let a = pair.world.open(A, Style::OneToMany, port);
    pair.world.connect(A, a, B, PORT);
    pair.world.settle();
    assert_eq!(pair.world.stacks[B].buffered(pair.b).unwrap().0, before);
    let received = pair.world.received(B, pair.b);
    assert!(matches!(&received[0], Received::Data { bytes, .. } if bytes == b"old"));
    assert!(matches!(
        &received[1],
        Received::Event(_, Event::AssocChange(AssocChange::Restart { .. }))
    ));
    assert_eq!(pair.world.stacks[B].buffered(pair.b).unwrap().0, 0);
}

/// A user that does not look is told once.
#[test]
fn many_restarts_are_one_event() {
    let mut pair = Pair::new();
    let port = pair.world.stacks[A].local_address(pair.a).unwrap().unwrap().port();
    for seed in 0..50 {
        pair.world.reboot(A, 100 + seed);
        let a = pair.world.open(A, Style::OneToMany, port);
        pair.world.connect(A, a, B, PORT);
        pair.world.settle();
        assert!(matches!(pair.world.events(A, a)[..], [up!()]));
    }
    assert_eq!(pair.world.events(B, pair.b).len(), 1);
}

/// 5.2.2: the unexpected INIT changes nothing; only its cookie does.
#[test]
fn an_init_alone_changes_nothing() {
    let (mut pair, a, _) = restarted();
    pair.world.drop_chunks(kind::COOKIE_ECHO);
    pair.world.run(Duration::from_secs(1));
    assert_eq!(pair.world.events(B, pair.b), []);
    assert_eq!(pair.world.sent(kind::INIT_ACK), 2);
    assert_eq!(pair.world.events(A, a), []);
}

/// 9.2: the SHUTDOWN COMPLETE was lost, and the peer begins anew. It gets the association out of its
/// way first.
#[test]
fn while_we_wait_for_shutdown_complete() {
    let mut pair = Pair::new();
    let port = pair.world.stacks[A].local_address(pair.a).unwrap().unwrap().port();
    pair.world.drop_chunks(kind::SHUTDOWN_ACK);
    pair.shutdown_a();
    pair.world.settle();
    pair.world.reboot(A, 77);
    pair.world.drop_nothing();
    let a = pair.world.open(A, Style::OneToMany, port);
    pair.world.connect(A, a, B, PORT);
    pair.world.run(Duration::from_secs(20));
    assert_eq!(pair.world.events(B, pair.b)[..2], [Event::Shutdown, complete()]);
    assert!(matches!(pair.world.events(A, a)[..], [up!()]));
}

/// An INIT as A would send it, with one parameter.
fn init_of(pair: &Pair, parameter: Parameter<'_>) -> (Route, Vec<u8>) {
    let mut parameters = Vec::new();
    parameter.write(&mut parameters);
    init_with(pair, &parameters)
}

fn bare_init_of(pair: &Pair) -> (Route, Vec<u8>) {
    init_with(pair, &[])
}

fn init_with(pair: &Pair, parameters: &[u8]) -> (Route, Vec<u8>) {
    let init = pair.world.log.iter().find(|sent| sent.kinds() == [kind::INIT]).unwrap();
    let packet = Packet::parse(&init.transmit.bytes).unwrap();
    let header = Header { tag: 0, ..packet.header };
    let mut forged = Builder::new(header, 1400);
    let chunk = Init {
        tag: 99,
        window: 10_000,
        outbound: 1,
        inbound: 1,
        tsn: stack::types::Tsn(5),
        parameters: Parameters::new(parameters),
    };
    forged.push(&Chunk::Init(chunk)).unwrap();
    let udp = init.transmit.route.local.port();
    let route =
        Route { local: (pair.world.ip(B), PORT).into(), remote: (pair.world.ip(A), udp).into() };
    (route, forged.finish())
}

fn abort_code(packet: &[u8]) -> Option<u16> {
    match first(packet) {
        Chunk::Abort { causes, reflected_tag: false } => {
            Some(causes.iter().next().map_or(0, |cause| cause.unwrap().code()))
        }
        _ => None,
    }
}

/// 5.2.2: "the endpoint MUST respond with an ABORT": somebody might take the association over.
#[test]
fn not_with_new_addresses() {
    let mut pair = Pair::new();
    let (route, init) = init_of(&pair, Parameter::Ipv4Address("10.0.0.66".parse().unwrap()));
    pair.world.stacks[B].input(pair.world.now, route, &init);
    let answer = pair.world.stacks[B].output().unwrap();
    let packet = Packet::parse(&answer.bytes).unwrap();
    assert_eq!(packet.header.tag, 99, "the tag of the INIT");
    assert_eq!(abort_code(&answer.bytes), Some(11));
    assert_eq!(pair.world.events(B, pair.b), []);
    // An address that it has anyway is no new one.
    let (route, init) = init_of(&pair, Parameter::Ipv4Address("10.0.0.1".parse().unwrap()));
    pair.world.stacks[B].input(pair.world.now, route, &init);
    let answer = pair.world.stacks[B].output().unwrap();
    assert!(matches!(first(&answer.bytes), Chunk::InitAck(_)));
}

/// draft-tuexen-tsvwg-sctp-udp-encaps-cons, section 4.
#[test]
fn not_from_another_udp_port() {
    let mut pair = Pair::new();
    let (mut route, init) = init_of(&pair, Parameter::EcnCapable);
    route.remote.set_port(1);
    pair.world.stacks[B].input(pair.world.now, route, &init);
    let answer = pair.world.stacks[B].output().unwrap();
    assert_eq!(answer.route.remote.port(), 1);
    assert_eq!(abort_code(&answer.bytes), Some(14));
    let Chunk::Abort { causes, .. } = first(&answer.bytes) else { panic!() };
    assert!(matches!(
        causes.iter().next(),
        Some(Ok(Cause::RestartWithNewEncapsulationPort { new: 1, .. }))
    ));
}

/// It was closed here, so nobody is there any more: the new association ends again.
#[test]
fn of_an_association_without_endpoint() {
    let mut pair = Pair::new();
    let port = pair.world.stacks[A].local_address(pair.a).unwrap().unwrap().port();
    pair.world.drop_all();
    pair.send_b(b"never acknowledged");
    pair.world.stacks[B].close(pair.world.now, pair.b).unwrap();
    pair.world.collect();
    pair.world.reboot(A, 77);
    pair.world.drop_nothing();
    let a = pair.world.open_with(A, Style::OneToMany, port, Params::default());
    pair.world.connect(A, a, B, PORT);
    pair.world.run(Duration::from_secs(20));
    let events = pair.world.events(A, a);
    assert!(matches!(
        events[..],
        [up!(), Event::Shutdown, Event::AssocChange(AssocChange::ShutdownComplete)]
    ));
    assert_eq!(pair.world.stacks[B].association_count(), 0);
    assert_eq!(events.iter().filter_map(lost).count(), 0);
}

/// The shortest INIT there is gets an INIT ACK, though that is bounded by its length.
#[test]
fn by_an_init_without_parameters() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToMany, 0);
    let params = Params { adaptation: Some(7), ..Params::default() };
    let b = world.open_with(B, Style::OneToMany, PORT, params);
    world.stacks[B].listen(b, 5).unwrap();
    let at_a = world.connect(A, a, B, PORT);
    world.settle();
    let at_b = world.stacks[B].associations(b).unwrap()[0];
    let mut pair = Pair { world, a, b, at_a, at_b };
    let (route, init) = bare_init_of(&pair);
    pair.world.stacks[B].input(pair.world.now, route, &init);
    let answer = pair.world.stacks[B].output().expect("an answer");
    let Chunk::InitAck(ack) = first(&answer.bytes) else { panic!() };
    let parameters: Vec<_> = ack.parameters.iter().map(Result::unwrap).collect();
    assert!(parameters.contains(&Parameter::ForwardTsnSupported));
    assert!(parameters.contains(&Parameter::Adaptation(7)));
    assert!(answer.bytes.len() + 28 <= 3 * (init.len() + 28));
}

/// 1.3: tie-tags "not reveal the true Verification Tags": whoever gets the cookie could end the
/// association with them.
#[test]
fn a_cookie_does_not_tell_the_tags() {
    let mut pair = Pair::new();
    let tag = |from| {
        let sent = pair.world.log.iter().rev().find(|sent| sent.from == from).unwrap();
        Packet::parse(&sent.transmit.bytes).unwrap().header.tag.to_be_bytes()
    };
    let tags = [tag(A), tag(B)];
    let (route, init) = bare_init_of(&pair);
    pair.world.stacks[B].input(pair.world.now, route, &init);
    let answer = pair.world.stacks[B].output().unwrap();
    assert!(matches!(first(&answer.bytes), Chunk::InitAck(_)));
    assert!(!answer.bytes.windows(4).any(|bytes| tags.iter().any(|tag| tag == bytes)));
}
