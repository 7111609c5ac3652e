//! RFC 9260, section 5.1.

use std::time::Duration;

use stack::error::Error;
use stack::event::{AssocChange, Event};
use stack::params::{InitParams, Params, Style};
use stack::status::State;
use stack::wire::{Chunk, Packet, chunk_type as kind};

use crate::world::{A, B, PORT, Pair, World, cannot_start, complete, up};

#[test]
fn four_packets_bring_it_up() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToMany, 4000);
    let b = world.listen(B, PORT);
    let at_a = world.connect(A, a, B, PORT);
    assert_eq!(world.stacks[A].status(a, at_a).unwrap().state, State::CookieWait);
    world.settle();
    let kinds: Vec<_> = world.log.iter().map(|sent| sent.kinds()).collect();
    let four = [kind::INIT, kind::INIT_ACK, kind::COOKIE_ECHO, kind::COOKIE_ACK];
    assert_eq!(kinds, four.map(|kind| vec![kind]));
    let up = Event::AssocChange(AssocChange::Up { outbound: 10, inbound: 10 });
    assert_eq!(world.events(A, a), std::slice::from_ref(&up));
    assert_eq!(world.events(B, b), [up]);
    assert_eq!(world.stacks[A].status(a, at_a).unwrap().state, State::Established);
}

#[test]
fn over_ipv6() {
    let mut world = World::new();
    world.use_ipv6();
    let mut pair = Pair::with(world, Params::default(), Params::default());
    pair.send_a(b"six");
    pair.world.settle();
    assert_eq!(pair.world.messages(B, pair.b), [b"six"]);
}

/// A link-local address is a host on each link.
#[test]
fn over_one_link_of_many() {
    let mut world = World::new();
    world.use_ipv6();
    let a = world.open(A, Style::OneToMany, 0);
    let remote = "[fe80::2%7]:5000".parse().unwrap();
    let id = world.stacks[A].connect(world.now, a, remote, PORT).unwrap();
    let sent = world.stacks[A].output().unwrap();
    assert_eq!(sent.route.remote, remote);
    assert_eq!(world.stacks[A].peer_address(a, id), Ok(remote));
    let elsewhere = "[fe80::2%8]:5000".parse().unwrap();
    assert!(world.stacks[A].connect(world.now, a, elsewhere, PORT).is_ok());
    assert_eq!(world.stacks[A].connect(world.now, a, remote, PORT), Err(Error::Already));
}

/// 5.1.1: each has as many streams out as the other one takes.
#[test]
fn streams_are_agreed_on() {
    let few = InitParams { outbound_streams: 3, inbound_streams: 4, ..InitParams::default() };
    let many = InitParams { outbound_streams: 20, inbound_streams: 2, ..InitParams::default() };
    let mut world = World::new();
    let a = world.open_with(A, Style::OneToMany, 0, Params { init: few, ..Params::default() });
    let b = world.open_with(B, Style::OneToMany, PORT, Params { init: many, ..Params::default() });
    world.stacks[B].listen(b, 5).unwrap();
    world.connect(A, a, B, PORT);
    world.settle();
    let up = |outbound, inbound| Event::AssocChange(AssocChange::Up { outbound, inbound });
    assert_eq!(world.events(A, a), [up(2, 4)]);
    assert_eq!(world.events(B, b), [up(4, 2)]);
}

/// 5.1, step A: T1-init doubles, and has a limit of its own.
#[test]
fn init_is_sent_again_until_nobody_answers_for_too_long() {
    let longest_timeout = Duration::from_secs(3);
    let init = InitParams { attempts: 4, longest_timeout, ..InitParams::default() };
    let mut world = World::new();
    let a = world.open_with(A, Style::OneToMany, 0, Params { init, ..Params::default() });
    let start = world.now;
    world.connect(A, a, B, PORT);
    world.drop_all();
    world.run(Duration::from_secs(60));
    let times: Vec<_> = world.log.iter().map(|sent| (sent.at - start).as_secs()).collect();
    assert_eq!(times, [0, 1, 3, 6, 9]);
    assert_eq!(world.events(A, a), [cannot_start(0)]);
    assert_eq!(world.stacks[A].association_count(), 0);
    assert_eq!(world.stacks[A].timeout(), None);
}

/// 5.1, step C: T1-cookie.
#[test]
fn cookie_echo_is_sent_again() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToMany, 0);
    let b = world.listen(B, PORT);
    world.connect(A, a, B, PORT);
    world.drop_chunks(kind::COOKIE_ECHO);
    world.run(Duration::from_secs(4));
    assert_eq!(world.sent(kind::COOKIE_ECHO), 3);
    assert_eq!(world.events(A, a), []);
    world.drop_nothing();
    world.run(Duration::from_secs(4));
    assert!(matches!(world.events(A, a)[..], [up!()]));
    assert!(matches!(world.events(B, b)[..], [up!()]));
}

/// 5.2.5 and 5.2.4 D: the COOKIE ACK was lost.
#[test]
fn cookie_ack_is_sent_again() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToMany, 0);
    let b = world.listen(B, PORT);
    world.connect(A, a, B, PORT);
    world.drop_chunks(kind::COOKIE_ACK);
    world.run(Duration::from_millis(2500));
    world.drop_nothing();
    world.run(Duration::from_secs(4));
    assert!(matches!(world.events(A, a)[..], [up!()]));
    assert!(matches!(world.events(B, b)[..], [up!()]), "once");
    assert_eq!(world.stacks[B].association_count(), 1);
}

/// 8.4, step 3: nobody listens.
#[test]
fn refused() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToMany, 0);
    world.connect(A, a, B, PORT);
    world.settle();
    assert_eq!(world.events(A, a), [cannot_start(0)]);
    assert_eq!(world.stacks[A].association_count(), 0);
}

/// 5.1, step C: what was sent in time goes along with COOKIE ECHO.
#[test]
fn data_goes_along_with_the_cookie() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToMany, 0);
    let b = world.listen(B, PORT);
    let at_a = world.connect(A, a, B, PORT);
    world.send(A, a, at_a, b"early");
    world.drop_chunks(kind::COOKIE_ECHO);
    world.run(Duration::from_millis(10));
    world.drop_nothing();
    world.run(Duration::from_secs(2));
    let echoes: Vec<_> = world
        .log
        .iter()
        .map(|sent| sent.kinds())
        .filter(|all| all[0] == kind::COOKIE_ECHO)
        .collect();
    assert_eq!(echoes, [[kind::COOKIE_ECHO, kind::DATA], [kind::COOKIE_ECHO, kind::DATA]]);
    let received = world.received(B, b);
    assert!(
        matches!(&received[..], [
        stack::event::Received::Event(_, up!()),
        stack::event::Received::Data { bytes, end: true, .. },
    ] if bytes == b"early"),
        "{received:?}"
    );
}

/// 5.1.5 and 5.2.6: the cookie is too old when it comes back; the next one lives longer.
#[test]
fn a_stale_cookie_is_asked_for_again() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToMany, 0);
    let cookie_life = Duration::from_millis(1500);
    let params = Params { cookie_life, ..Params::default() };
    let b = world.open_with(B, Style::OneToMany, PORT, params);
    world.stacks[B].listen(b, 5).unwrap();
    world.connect(A, a, B, PORT);
    world.drop_chunks(kind::COOKIE_ECHO);
    world.run(Duration::from_millis(2500));
    world.drop_nothing();
    world.run(Duration::from_secs(1));
    assert_eq!(world.sent(kind::ERROR), 1);
    let inits: Vec<_> = world.log.iter().filter(|sent| sent.kinds() == [kind::INIT]).collect();
    assert_eq!(inits.len(), 2);
    let packet = Packet::parse(&inits[1].transmit.bytes).unwrap();
    let Some(Ok(Chunk::Init(init))) = packet.chunks().next() else { panic!("{packet:?}") };
    assert!(init.parameters.iter().any(|parameter| matches!(
        parameter,
        Ok(stack::wire::Parameter::CookiePreservative(by)) if by >= Duration::from_millis(1500)
    )));
    assert!(matches!(world.events(A, a)[..], [up!()]));
    assert!(matches!(world.events(B, b)[..], [up!()]));
}

/// RFC 5061, section 4.2.6.
#[test]
fn the_layers_tell_their_numbers() {
    let params = |adaptation| Params { adaptation, ..Params::default() };
    let mut world = World::new();
    let a = world.open_with(A, Style::OneToMany, 0, params(Some(7)));
    let b = world.open_with(B, Style::OneToMany, PORT, params(None));
    world.stacks[B].listen(b, 5).unwrap();
    world.connect(A, a, B, PORT);
    world.settle();
    assert!(matches!(world.events(A, a)[..], [up!()]));
    assert!(matches!(world.events(B, b)[..], [up!(), Event::Adaptation(7)]));
}

/// An association with oneself.
#[test]
fn connects_to_itself() {
    let mut world = World::new();
    let a = world.listen(A, PORT);
    let id = world.connect(A, a, A, PORT);
    world.settle();
    assert!(matches!(world.events(A, a)[..], [up!()]));
    world.send(A, a, id, b"me");
    world.settle();
    assert_eq!(world.messages(A, a), [b"me"]);
    world.stacks[A].shutdown(world.now, a, id).unwrap();
    world.run(Duration::from_secs(10));
    assert!(world.events(A, a).contains(&complete()));
    assert_eq!(world.stacks[A].association_count(), 0);
}

#[test]
fn one_association_with_one_peer() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToMany, 0);
    world.listen(B, PORT);
    world.connect(A, a, B, PORT);
    let remote = std::net::SocketAddr::new(world.ip(B), PORT);
    let connect = |world: &mut World| world.stacks[A].connect(world.now, a, remote, PORT);
    assert_eq!(connect(&mut world), Err(Error::Already));
    world.settle();
    assert_eq!(connect(&mut world), Err(Error::Connected));
}

#[test]
fn no_association_with_many_or_nobody() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToMany, 0);
    for remote in ["0.0.0.0:1", "224.0.0.1:1", "255.255.255.255:1", "10.0.0.2:0", "[ff02::1]:1"] {
        let result = world.stacks[A].connect(world.now, a, remote.parse().unwrap(), 1);
        assert_eq!(result, Err(Error::Invalid), "{remote}");
    }
}

/// RFC 6951, section 5.4: each answers to the UDP port from which it hears.
#[test]
fn the_udp_port_is_learnt() {
    let mut world = World::new();
    let a = world.stacks[A].open(Style::OneToMany, Params::default());
    let (of_a, of_b) = (world.ip(A), world.ip(B));
    world.stacks[A].bind(a, of_a, 4000, 9899).unwrap();
    let b = world.stacks[B].open(Style::OneToMany, Params::default());
    world.stacks[B].bind(b, of_b, PORT, 7777).unwrap();
    world.stacks[B].listen(b, 5).unwrap();
    let remote = std::net::SocketAddr::new(world.ip(B), PORT);
    world.stacks[A].connect(world.now, a, remote, 7777).unwrap();
    world.settle();
    assert!(matches!(world.events(A, a)[..], [up!()]));
    let at_b = world.stacks[B].associations(b).unwrap()[0];
    assert_eq!(world.stacks[B].status(b, at_b).unwrap().primary.udp_port, 9899);
    assert!(world.log.iter().all(|sent| match sent.from {
        A => sent.transmit.route.remote.port() == 7777,
        _ => sent.transmit.route.remote.port() == 9899,
    }));
}
