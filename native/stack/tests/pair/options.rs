//! Options in typed form (RFC 6458, section 8).

use std::time::Duration;

use stack::error::Error;
use stack::event::SendInfo;
use stack::params::{Params, PathParams, RtoParams, Style};
use stack::status::{PathState, State};
use stack::types::AssocId;
use stack::wire::chunk_type as kind;

use crate::world::{A, B, PORT, Pair, World};

#[test]
fn of_the_endpoint_for_those_to_come_and_of_one_association() {
    let mut pair = Pair::new();
    let (now, a) = (pair.world.now, pair.a);
    let stack = &mut pair.world.stacks[A];
    let rto = RtoParams { initial: Duration::from_millis(300), ..RtoParams::default() };
    let rto = RtoParams { min: Duration::from_millis(200), ..rto };
    let new = Params { rto, ..Params::default() };
    stack.set_params(now, a, None, new).unwrap();
    assert_eq!(stack.params(a, None), Ok(new));
    assert_eq!(stack.params(a, Some(pair.at_a)).unwrap().rto, RtoParams::default());
    let nodelay = Params { nodelay: true, sender_dry: true, ..new };
    stack.set_params(now, a, None, nodelay).unwrap();
    let of_assoc = stack.params(a, Some(pair.at_a)).unwrap();
    assert!(of_assoc.nodelay && of_assoc.sender_dry);
    stack.set_params(now, a, Some(pair.at_a), nodelay).unwrap();
    assert_eq!(stack.params(a, Some(pair.at_a)), Ok(nodelay));
    assert_eq!(stack.params(a, Some(AssocId(99))), Err(Error::Invalid));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToMany, 0);
    let good = Params::default();
    let second = Duration::from_secs(1);
    for bad in [
        Params { rto: RtoParams { min: second * 2, ..good.rto }, ..good },
        Params { rto: RtoParams { max: second / 2, ..good.rto }, ..good },
        Params { path: PathParams { mtu: 100, ..good.path }, ..good },
        Params { path: PathParams { mtu: 70_000, ..good.path }, ..good },
        Params { cookie_life: Duration::ZERO, ..good },
        Params { sack_delay: second, ..good },
        Params { sack_frequency: 0, ..good },
        Params { receive_buffer: 1499, ..good },
        Params { send_buffer: 0, ..good },
    ] {
        assert_eq!(world.stacks[A].set_params(world.now, a, None, bad), Err(Error::Invalid));
    }
    assert_eq!(world.stacks[A].params(a, None), Ok(good));
}

#[test]
fn the_mtu_can_shrink() {
    let mut pair = Pair::new();
    let path = PathParams { mtu: 600, ..PathParams::default() };
    let small = Params { path, ..Params::default() };
    pair.world.stacks[A].set_params(pair.world.now, pair.a, Some(pair.at_a), small).unwrap();
    let before = pair.world.log.len();
    pair.send_a(&[1; 10_000]);
    pair.world.run(Duration::from_secs(5));
    assert!(pair.world.log[before..].iter().all(|sent| sent.transmit.bytes.len() <= 600));
    let status = pair.world.stacks[A].status(pair.a, pair.at_a).unwrap();
    assert_eq!((status.primary.mtu, status.fragmentation_point), (600, 600 - 12 - 16));
    assert_eq!(pair.world.messages(B, pair.b), [[1; 10_000]]);
}

/// SCTP_MAXSEG.
#[test]
fn a_segment_can_be_shorter() {
    let params = Params { max_segment: 100, ..Params::default() };
    let mut pair = Pair::with(World::new(), params, Params::default());
    let status = pair.world.stacks[A].status(pair.a, pair.at_a).unwrap();
    assert_eq!(status.fragmentation_point, 100);
    pair.send_a(&[1; 1000]);
    pair.world.run(Duration::from_secs(1));
    assert_eq!(pair.world.messages(B, pair.b), [[1; 1000]]);
}

#[test]
fn status() {
    let mut pair = Pair::new();
    pair.world.run(Duration::from_secs(1));
    let status = pair.world.stacks[A].status(pair.a, pair.at_a).unwrap();
    assert_eq!(status.state, State::Established);
    assert_eq!((status.inbound_streams, status.outbound_streams), (10, 10));
    assert_eq!((status.unacked, status.pending), (0, 0));
    assert_eq!(status.rwnd, 212_992);
    assert_eq!(status.primary.state, PathState::Active);
    assert_eq!(status.primary.address, (pair.world.ip(B), PORT).into());
    assert_eq!(status.primary.udp_port, PORT);
    assert_eq!(status.primary.mtu, 1400);
    let address = status.primary.address;
    let path = |address| pair.world.stacks[A].path_status(pair.a, pair.at_a, address);
    assert_eq!(path(address), Ok(status.primary));
    assert_eq!(path("10.0.0.77:5000".parse().unwrap()), Err(Error::Invalid));
    pair.world.drop_chunks(kind::SACK);
    pair.send_a(b"x");
    pair.send_b(b"y");
    pair.world.run(Duration::from_millis(100));
    let status = pair.world.stacks[A].status(pair.a, pair.at_a).unwrap();
    assert_eq!((status.unacked, status.pending), (1, 1));
}

#[test]
fn primary() {
    let mut pair = Pair::new();
    let address = pair.world.stacks[A].peer_address(pair.a, pair.at_a).unwrap();
    let stack = &mut pair.world.stacks[A];
    assert_eq!(stack.set_primary(pair.a, pair.at_a, address), Ok(()));
    let other = "10.0.0.9:5000".parse().unwrap();
    assert_eq!(stack.set_primary(pair.a, pair.at_a, other), Err(Error::Invalid));
}

#[test]
fn what_is_sent_if_nothing_is_said() {
    let mut pair = Pair::new();
    let stack = &mut pair.world.stacks[A];
    let info = SendInfo { ppid: 3, ..SendInfo::default() };
    stack.set_default_send_info(pair.a, None, info).unwrap();
    assert_eq!(stack.default_send_info(pair.a, None), Ok(info));
    assert_eq!(stack.default_send_info(pair.a, Some(pair.at_a)), Ok(SendInfo::default()));
    stack.set_default_send_info(pair.a, Some(pair.at_a), info).unwrap();
    assert_eq!(stack.default_send_info(pair.a, Some(pair.at_a)), Ok(info));
}

/// SPP_HB_DEMAND.
#[test]
fn a_heartbeat_on_demand() {
    let mut pair = Pair::new();
    pair.world.stacks[A].heartbeat(pair.world.now, pair.a, pair.at_a).unwrap();
    pair.world.settle();
    let kinds = pair.world.last().kinds();
    assert_eq!((pair.world.sent(kind::HEARTBEAT), kinds), (1, vec![kind::HEARTBEAT_ACK]));
}

#[test]
fn heartbeats_can_be_switched_off() {
    let path = PathParams { heartbeat_interval: None, ..PathParams::default() };
    let params = Params { path, ..Params::default() };
    let mut pair = Pair::with(World::new(), params, params);
    pair.world.run(Duration::from_secs(3600));
    assert_eq!(pair.world.sent(kind::HEARTBEAT), 0);
    assert_eq!(pair.world.stacks[A].timeout(), None);
}

#[test]
fn counters() {
    let mut pair = Pair::new();
    pair.send_a(b"12345");
    pair.send_b(b"123");
    pair.world.run(Duration::from_secs(1));
    pair.world.received(A, pair.a);
    let counters = pair.world.stacks[A].assoc_counters(pair.a, pair.at_a).unwrap();
    assert_eq!((counters.messages_out, counters.bytes_out), (1, 5));
    assert_eq!((counters.messages_in, counters.bytes_in), (1, 3));
    assert_eq!(counters.retransmissions, 0);
    assert!(counters.packets_in >= 4 && counters.packets_out >= 4);
    let of_stack = pair.world.stacks[A].counters();
    assert_eq!((of_stack.established, of_stack.malformed), (1, 0));
    assert_eq!(of_stack.packets_out, counters.packets_out);
}

#[test]
fn ports() {
    let mut world = World::new();
    let any = "0.0.0.0".parse().unwrap();
    let a = world.stacks[A].open(Style::OneToMany, Params::default());
    assert_eq!(world.stacks[A].listen(a, 1), Err(Error::Invalid), "bound to nothing");
    assert_eq!(world.stacks[A].local_address(a), Ok(None));
    let port = world.stacks[A].bind(a, any, 0, 0).unwrap();
    assert!(port >= 49_152);
    assert_eq!(world.stacks[A].local_address(a), Ok(Some((any, port).into())));
    assert_eq!(world.stacks[A].bind(a, any, 0, 0), Err(Error::Invalid), "bound already");
    let b = world.stacks[A].open(Style::OneToMany, Params::default());
    assert_eq!(world.stacks[A].bind(b, any, port, 0), Err(Error::AddressInUse));
    let many = "224.0.0.1".parse().unwrap();
    assert_eq!(world.stacks[A].bind(b, many, 0, 0), Err(Error::Invalid));
    world.stacks[A].close(world.now, a).unwrap();
    assert_eq!(world.stacks[A].bind(b, any, port, 0), Ok(port));
}

/// `listen` with 0 takes no more associations; those that are there stay.
#[test]
fn listening_can_end() {
    let mut pair = Pair::new();
    pair.world.stacks[B].listen(pair.b, 0).unwrap();
    let other = pair.world.open(A, Style::OneToMany, 0);
    pair.world.connect(A, other, B, PORT);
    pair.world.settle();
    assert_eq!(pair.world.events(A, other), [crate::world::cannot_start(0)]);
    pair.send_a(b"still");
    pair.world.run(Duration::from_secs(1));
    assert_eq!(pair.world.messages(B, pair.b), [b"still"]);
}
