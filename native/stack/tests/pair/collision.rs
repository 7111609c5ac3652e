//! RFC 9260, section 5.2: both ends begin at once, and what comes twice.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use stack::event::Event;
use stack::params::Style;
use stack::types::{Route, Tsn};
use stack::wire::{Builder, Chunk, Header, Init, Parameter, Parameters, chunk_type as kind};

use crate::world::{A, B, Pair, World, complete, first, up};

/// Both send INIT before anything has arrived: 5.2.1, and 5.2.4 D.
#[test]
fn both_connect_at_once() {
    let mut world = World::new();
    let a = world.listen(A, 4000);
    let b = world.listen(B, 5000);
    let at_a = world.connect(A, a, B, 5000);
    let at_b = world.connect(B, b, A, 4000);
    world.run(Duration::from_secs(5));
    assert!(matches!(world.events(A, a)[..], [up!()]));
    assert!(matches!(world.events(B, b)[..], [up!()]));
    assert_eq!(world.stacks[A].associations(a).unwrap(), [at_a]);
    assert_eq!(world.stacks[B].associations(b).unwrap(), [at_b]);
    world.send(A, a, at_a, b"to b");
    world.send(B, b, at_b, b"to a");
    world.run(Duration::from_secs(1));
    assert_eq!(world.messages(A, a), [b"to a"]);
    assert_eq!(world.messages(B, b), [b"to b"]);
}

/// The same in every order of the packets: one association in the end, and data goes both ways.
#[test]
fn both_connect_at_once_in_any_order() {
    for order in 0..256_u32 {
        let mut world = World::new();
        let a = world.listen(A, 4000);
        let b = world.listen(B, 5000);
        let at_a = world.connect(A, a, B, 5000);
        world.collect();
        let at_b = world.connect(B, b, A, 4000);
        world.send(A, a, at_a, b"to b");
        world.send(B, b, at_b, b"to a");
        world.collect();
        for bit in 0..8 {
            // Another packet first?
            if order >> bit & 1 == 1 && world.wire.len() > 1 {
                world.wire.rotate_left(1);
            }
            world.deliver_one();
            world.collect();
        }
        world.run(Duration::from_secs(10));
        let received =
            |world: &mut World, node, endpoint| format!("{:?}", world.received(node, endpoint));
        let (of_a, of_b) = (received(&mut world, A, a), received(&mut world, B, b));
        for received in [&of_a, &of_b] {
            assert_eq!(received.matches("Up {").count(), 1, "{order}: {received}");
            assert_eq!(received.matches("Data {").count(), 1, "{order}: {received}");
            assert_eq!(received.matches("Event(").count(), 1, "{order}: {received}");
        }
        assert_eq!(world.stacks[A].association_count(), 1, "{order}");
        assert_eq!(world.stacks[B].association_count(), 1, "{order}");
    }
}

/// 5.2.4, table: B. The peer answered our INIT before it began itself, with another tag.
#[test]
fn a_peer_that_answered_before_it_began() {
    let mut world = World::new();
    let a = world.listen(A, 4000);
    let b = world.listen(B, 5000);
    world.connect(A, a, B, 5000);
    world.collect();
    world.deliver_one();
    world.collect();
    // B's INIT ACK is on its way, and B remembers nothing of it.
    let at_b = world.connect(B, b, A, 4000);
    world.run(Duration::from_secs(10));
    assert!(matches!(world.events(A, a)[..], [up!()]));
    assert!(matches!(world.events(B, b)[..], [up!()]));
    world.send(B, b, at_b, b"there");
    world.run(Duration::from_secs(1));
    assert_eq!(world.messages(A, a), [b"there"]);
}

/// Every packet of a whole life comes twice, the second time at once.
#[test]
fn all_comes_twice() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToMany, 0);
    let b = world.listen(B, 5000);
    let at_a = world.connect(A, a, B, 5000);
    world.send(A, a, at_a, b"once");
    let drive = |world: &mut World| {
        world.collect();
        while let Some(sent) = world.wire.front().cloned() {
            world.wire.push_front(sent);
            world.deliver_one();
            world.deliver_one();
            world.collect();
        }
    };
    drive(&mut world);
    assert!(matches!(world.events(A, a)[..], [up!()]));
    let received = format!("{:?}", world.received(B, b));
    assert_eq!(received.matches("Data {").count(), 1, "{received}");
    assert_eq!(received.matches("Up {").count(), 1, "{received}");
    world.run(Duration::from_secs(1));
    world.stacks[A].shutdown(world.now, a, at_a).unwrap();
    drive(&mut world);
    assert_eq!(world.events(A, a), [complete()]);
    assert_eq!(world.stacks[B].association_count(), 0);
}

/// A COOKIE ECHO that comes again when its association is over makes no new one.
#[test]
fn a_cookie_is_used_once() {
    let mut pair = Pair::new();
    let echo = pair.world.log.iter().find(|sent| sent.kinds() == [kind::COOKIE_ECHO]).cloned();
    let echo = echo.unwrap();
    pair.shutdown_a();
    pair.world.run(Duration::from_secs(5));
    assert_eq!(pair.world.stacks[B].association_count(), 0);
    pair.world.events(B, pair.b);
    pair.world.wire.push_back(echo);
    pair.world.settle();
    assert_eq!(pair.world.stacks[B].association_count(), 0);
    assert_eq!(pair.world.events(B, pair.b), []);
}

/// Both began, and A had two cookies of B's: one that B gave when it knew nothing of A, and one of
/// the association that came up and is over. The first one comes late: A's tag is over, too.
#[test]
fn a_cookie_for_a_peer_that_is_over() {
    let mut world = World::new();
    let a = world.listen(A, 4000);
    let b = world.listen(B, 5000);
    let at_a = world.connect(A, a, B, 5000);
    world.collect();
    world.deliver_one();
    world.collect();
    world.connect(B, b, A, 4000);
    world.passes = Box::new(|sent| sent.from == B || sent.kinds() != [kind::COOKIE_ECHO]);
    world.settle();
    world.drop_nothing();
    assert!(matches!(world.events(A, a)[..], [up!()]));
    assert!(matches!(world.events(B, b)[..], [up!()]));
    world.stacks[A].shutdown(world.now, a, at_a).unwrap();
    world.settle();
    assert_eq!(world.events(B, b), [Event::Shutdown, complete()]);
    let mut echoes = world.log.iter().filter(|sent| sent.kinds() == [kind::COOKIE_ECHO]);
    let late = echoes.find(|sent| sent.from == A).cloned().unwrap();
    world.wire.push_back(late);
    world.settle();
    assert_eq!(world.stacks[B].association_count(), 0);
    assert_eq!(world.events(B, b), []);
    // What A begins now is no restart.
    world.connect(A, a, B, 5000);
    world.settle();
    assert!(matches!(world.events(B, b)[..], [up!()]));
}

/// 5.2.3 and 5.2.5: late answers change nothing.
#[test]
fn late_answers() {
    let mut pair = Pair::new();
    let late: Vec<_> = pair.world.log.clone();
    for sent in late {
        if [[kind::INIT_ACK], [kind::COOKIE_ACK]].iter().any(|kinds| sent.kinds() == kinds) {
            pair.world.wire.push_back(sent);
        }
    }
    let before = pair.world.log.len();
    pair.world.settle();
    assert_eq!(pair.world.log.len(), before, "no answer");
    assert_eq!(pair.world.events(A, pair.a), []);
}

/// A peer that begins again and again lists other addresses each time: the last ones are its own.
#[test]
fn the_last_list_of_addresses_counts() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToMany, 4000);
    world.connect(A, a, B, 5000);
    world.collect();
    let Chunk::Init(own) = first(&world.last().transmit.bytes) else { panic!() };
    let own_tag = own.tag;
    let (local, remote) = (SocketAddr::new(world.ip(A), 4000), SocketAddr::new(world.ip(B), 5000));
    let says = |world: &mut World, ip: IpAddr, tag, chunk: Chunk<'_>| {
        let header = Header { source: 5000, destination: 4000, tag };
        let mut packet = Builder::new(header, 1400);
        packet.push(&chunk).unwrap();
        let route = Route { local, remote: SocketAddr::new(ip, 5000) };
        world.stacks[A].input(world.now, route, &packet.finish());
        world.stacks[A].output()
    };
    let mut echoes = Vec::new();
    for n in 1..=3 {
        let mut parameters = Vec::new();
        Parameter::Ipv4Address([10, 0, 1, n].into()).write(&mut parameters);
        let parameters = Parameters::new(&parameters);
        let tag = u32::from(n);
        let init = Init { tag, window: 9000, outbound: 1, inbound: 1, tsn: Tsn(1), parameters };
        let answer = says(&mut world, remote.ip(), 0, Chunk::Init(init)).unwrap();
        let Chunk::InitAck(ack) = first(&answer.bytes) else { panic!() };
        let cookie = ack.parameters.iter().find_map(|parameter| match parameter {
            Ok(Parameter::StateCookie(cookie)) => Some(cookie.to_vec()),
            _ => None,
        });
        echoes.push(cookie.unwrap());
    }
    for cookie in &echoes {
        let answer = says(&mut world, remote.ip(), own_tag, Chunk::CookieEcho(cookie)).unwrap();
        assert_eq!(first(&answer.bytes), Chunk::CookieAck);
    }
    for (n, is_of_peer) in [(1, false), (2, false), (3, true)] {
        let answer = says(&mut world, [10, 0, 1, n].into(), own_tag, Chunk::Heartbeat(b"x"));
        let answer = first(&answer.unwrap().bytes) == Chunk::HeartbeatAck(b"x");
        assert_eq!(answer, is_of_peer, "{n}");
    }
}
