//! RFC 9260, sections 8.1 and 9, and what `close` does.

use std::time::Duration;

use stack::error::Error;
use stack::event::{AssocChange, Event, PathChange, Received, SendInfo};
use stack::params::{Params, PathParams, Style};
use stack::status::State;
use stack::wire::{Cause, Causes, chunk_type as kind};

use crate::world::{A, B, PORT, Pair, World, cannot_start, complete, is_abort, lost, up};

/// 9.2: SHUTDOWN, SHUTDOWN ACK, SHUTDOWN COMPLETE.
#[test]
fn gracefully() {
    let mut pair = Pair::new();
    let before = pair.world.log.len();
    pair.shutdown_a();
    pair.world.settle();
    let kinds: Vec<_> = pair.world.log[before..].iter().map(|sent| sent.kinds()).collect();
    let three = [kind::SHUTDOWN, kind::SHUTDOWN_ACK, kind::SHUTDOWN_COMPLETE];
    assert_eq!(kinds, three.map(|kind| vec![kind]));
    assert_eq!(pair.world.events(A, pair.a), [complete()]);
    assert_eq!(pair.world.events(B, pair.b), [Event::Shutdown, complete()]);
    assert_eq!(pair.world.stacks[A].association_count(), 0);
    assert_eq!(pair.world.stacks[B].association_count(), 0);
    assert_eq!(pair.world.stacks[A].timeout(), None);
    assert_eq!(pair.world.stacks[B].timeout(), None);
}

/// 9.2: what both have sent before arrives first.
#[test]
fn gracefully_with_data_on_both_sides() {
    let mut pair = Pair::new();
    for _ in 0..20 {
        pair.send_a(&[1; 5000]);
        pair.send_b(&[2; 5000]);
    }
    pair.shutdown_a();
    assert_eq!(
        pair.world.stacks[A].send(pair.world.now, pair.a, pair.at_a, SendInfo::default(), b"x"),
        Err(Error::Shutdown)
    );
    pair.world.run(Duration::from_secs(10));
    let data = |all: &[Received]| {
        let count = |received: &&Received| matches!(received, Received::Data { end: true, .. });
        all.iter().filter(count).count()
    };
    let at_a = pair.world.received(A, pair.a);
    let at_b = pair.world.received(B, pair.b);
    assert_eq!((data(&at_a), data(&at_b)), (20, 20));
    let last = |all: &[Received]| all.last().cloned();
    assert_eq!(last(&at_a), Some(Received::Event(pair.at_a, complete())));
    assert_eq!(last(&at_b), Some(Received::Event(pair.at_b, complete())));
}

/// 9.2: both at once.
#[test]
fn gracefully_from_both_sides() {
    let mut pair = Pair::new();
    pair.shutdown_a();
    pair.shutdown_b();
    pair.world.run(Duration::from_secs(10));
    assert!(pair.world.events(A, pair.a).ends_with(&[complete()]));
    assert!(pair.world.events(B, pair.b).ends_with(&[complete()]));
    assert_eq!(pair.world.stacks[B].association_count(), 0);
}

/// 9.2: each of the three may be lost.
#[test]
fn gracefully_over_losses() {
    for lost in [kind::SHUTDOWN, kind::SHUTDOWN_ACK, kind::SHUTDOWN_COMPLETE] {
        let mut pair = Pair::new();
        pair.shutdown_a();
        pair.world.drop_chunks(lost);
        pair.world.run(Duration::from_millis(500));
        pair.world.drop_nothing();
        pair.world.run(Duration::from_secs(20));
        assert_eq!(pair.world.events(A, pair.a), [complete()], "without {lost}");
        assert_eq!(pair.world.events(B, pair.b), [Event::Shutdown, complete()], "without {lost}");
        assert_eq!(pair.world.stacks[B].association_count(), 0);
    }
}

/// 9.2: T2 and the error counter; 8.1: then the association is lost.
#[test]
fn a_peer_that_never_answers_shutdown() {
    let path = PathParams { heartbeat_interval: None, ..PathParams::default() };
    let params = Params { max_retransmissions: 3, path, ..Params::default() };
    let mut pair = Pair::with(World::new(), params, Params::default());
    pair.shutdown_a();
    pair.world.drop_all();
    pair.world.run(Duration::from_secs(100));
    assert_eq!(pair.world.sent(kind::SHUTDOWN), 4);
    let events = pair.world.events(A, pair.a);
    assert_eq!(events.iter().map(lost).collect::<Vec<_>>(), [Some(0)]);
    assert_eq!(pair.world.stacks[A].association_count(), 0);
}

/// 9.2: T5-shutdown-guard. The peer answers everything but SHUTDOWN.
#[test]
fn a_peer_that_does_not_let_go() {
    let params = Params { max_retransmissions: 1000, ..Params::default() };
    let mut pair = Pair::with(World::new(), params, Params::default());
    pair.shutdown_a();
    pair.world.drop_chunks(kind::SHUTDOWN);
    pair.world.run(Duration::from_secs(299));
    assert_eq!(pair.world.stacks[A].association_count(), 1);
    pair.world.run(Duration::from_secs(2));
    let events = pair.world.events(A, pair.a);
    assert_eq!(events.iter().filter_map(lost).collect::<Vec<_>>(), [13]);
}

/// 9.1
#[test]
fn by_abort() {
    let mut pair = Pair::new();
    pair.world.stacks[A].abort(pair.world.now, pair.a, pair.at_a, b"enough").unwrap();
    pair.world.settle();
    for (node, endpoint) in [(A, pair.a), (B, pair.b)] {
        let events = pair.world.events(node, endpoint);
        let [Event::AssocChange(AssocChange::Lost { error: 12, causes })] = &events[..] else {
            panic!("{events:?}")
        };
        let cause = Causes::new(causes).iter().next();
        assert_eq!(cause, Some(Ok(Cause::UserInitiatedAbort(b"enough"))));
        assert_eq!(pair.world.stacks[node].association_count(), 0);
    }
    let counters = pair.world.stacks[B].counters();
    assert_eq!((counters.aborted, counters.established), (1, 1));
}

/// What the peer did not acknowledge comes back, after the event.
#[test]
fn what_was_not_acknowledged_has_failed() {
    let mut pair = Pair::new();
    pair.world.drop_all();
    pair.send_a(b"sent");
    pair.world.collect();
    pair.send_a(b"not sent");
    pair.world.stacks[A].abort(pair.world.now, pair.a, pair.at_a, b"").unwrap();
    let events = pair.world.events(A, pair.a);
    let failed = |event: &Event| match event {
        Event::SendFailed { sent, error: 12, bytes, .. } => Some((*sent, bytes.clone())),
        _ => None,
    };
    assert_eq!(lost(&events[0]), Some(12));
    let failed: Vec<_> = events[1..].iter().filter_map(failed).collect();
    assert_eq!(failed, [(true, b"sent".to_vec()), (false, b"not sent".to_vec())]);
    assert_eq!(pair.world.stacks[A].memory().send_bytes, 0);
}

/// Messages that came before the peer's ABORT stay.
#[test]
fn what_had_come_stays_readable() {
    let mut pair = Pair::new();
    pair.send_a(b"last words");
    pair.world.settle();
    pair.world.stacks[A].abort(pair.world.now, pair.a, pair.at_a, b"").unwrap();
    pair.world.settle();
    let received = pair.world.received(B, pair.b);
    assert!(matches!(&received[0], Received::Data { bytes, .. } if bytes == b"last words"));
    assert!(matches!(&received[1], Received::Event(_, event) if lost(event) == Some(12)));
}

/// 8.1 to 8.3: heartbeats find out, the path first.
#[test]
fn a_peer_that_has_vanished() {
    let mut pair = Pair::new();
    pair.world.drop_all();
    pair.world.run(Duration::from_secs(3600));
    let events = pair.world.events(A, pair.a);
    assert!(matches!(events[0], Event::PathChange { state: PathChange::Unreachable, .. }));
    assert_eq!(events[1..].iter().map(lost).collect::<Vec<_>>(), [Some(0)]);
    assert_eq!(pair.world.stacks[A].counters().lost, 1);
}

/// 8.3: a peer that answers heartbeats is there.
#[test]
fn an_idle_association_lives() {
    let mut pair = Pair::new();
    pair.world.run(Duration::from_secs(3600));
    assert!(pair.world.sent(kind::HEARTBEAT) > 100);
    assert_eq!(pair.world.sent(kind::HEARTBEAT), pair.world.sent(kind::HEARTBEAT_ACK));
    assert_eq!(pair.world.events(A, pair.a), []);
    assert_eq!(pair.world.events(B, pair.b), []);
}

/// The peer has lost the association: 8.4, step 8.
#[test]
fn a_peer_that_knows_nothing_any_more() {
    let mut pair = Pair::new();
    pair.world.reboot(B, 9);
    pair.send_a(b"hello?");
    pair.world.settle();
    let events = pair.world.events(A, pair.a);
    assert_eq!(lost(&events[0]), Some(0));
    assert!(matches!(&events[1..], [Event::SendFailed { sent: true, .. }]));
}

/// SCTP_AUTOCLOSE.
#[test]
fn autoclose() {
    let params = Params { autoclose: Some(Duration::from_secs(5)), ..Params::default() };
    let mut pair = Pair::with(World::new(), params, Params::default());
    pair.world.run(Duration::from_secs(4));
    pair.send_a(b"busy");
    pair.world.run(Duration::from_secs(4));
    assert_eq!(pair.world.events(A, pair.a), []);
    pair.world.run(Duration::from_secs(2));
    assert_eq!(pair.world.events(A, pair.a), [complete()]);
}

/// An association outlives its endpoint until all is delivered; the port is taken until then.
#[test]
fn close_is_graceful_and_the_port_is_taken_until_it_is_done() {
    let mut pair = Pair::new();
    let port = pair.world.stacks[A].local_address(pair.a).unwrap().unwrap().port();
    pair.send_a(b"farewell");
    pair.world.stacks[A].close(pair.world.now, pair.a).unwrap();
    assert_eq!(pair.world.stacks[A].association_count(), 1);
    let other = pair.world.stacks[A].open(Style::OneToMany, Params::default());
    let any = "0.0.0.0".parse().unwrap();
    assert_eq!(pair.world.stacks[A].bind(other, any, port, 0), Err(Error::AddressInUse));
    pair.world.run(Duration::from_secs(10));
    assert_eq!(pair.world.stacks[A].association_count(), 0);
    assert_eq!(pair.world.stacks[A].bind(other, any, port, 0), Ok(port));
    let received = pair.world.received(B, pair.b);
    assert!(matches!(&received[0], Received::Data { bytes, .. } if bytes == b"farewell"));
    assert!(matches!(&received[1], Received::Event(_, Event::Shutdown)));
    assert_eq!(received[2], Received::Event(pair.at_b, complete()));
    assert_eq!(pair.world.stacks[A].memory().endpoints, 1);
}

/// Data that nobody received: the peer must not believe that it was.
#[test]
fn close_with_unread_data_aborts() {
    let mut pair = Pair::new();
    pair.send_b(b"unread");
    pair.world.run(Duration::from_secs(1));
    pair.world.stacks[A].close(pair.world.now, pair.a).unwrap();
    pair.world.settle();
    assert!(is_abort(pair.world.last()));
    let events = pair.world.events(B, pair.b);
    assert_eq!(events.iter().map(lost).collect::<Vec<_>>(), [Some(12)]);
    assert_eq!(pair.world.stacks[A].association_count(), 0);
}

/// SO_LINGER with 0 seconds.
#[test]
fn close_abortively() {
    let mut pair = Pair::new();
    pair.world.stacks[A].close_abortively(pair.world.now, pair.a).unwrap();
    pair.world.settle();
    assert!(is_abort(pair.world.last()));
    assert_eq!(pair.world.events(B, pair.b).iter().map(lost).collect::<Vec<_>>(), [Some(12)]);
}

/// After `close` data may still come: nobody reads it, and it blocks nothing.
#[test]
fn data_for_a_closed_endpoint_is_dropped() {
    let mut pair = Pair::new();
    pair.world.drop_chunks(kind::SHUTDOWN);
    pair.world.stacks[A].close(pair.world.now, pair.a).unwrap();
    for _ in 0..50 {
        pair.send_b(&[1; 4000]);
    }
    pair.world.run(Duration::from_millis(500));
    pair.world.drop_nothing();
    pair.world.run(Duration::from_secs(60));
    assert_eq!(pair.world.events(B, pair.b), [Event::Shutdown, complete()]);
    assert_eq!(pair.world.stacks[A].memory(), stack::status::Memory::default());
}

/// Before INIT ACK the peer knows nothing that would have to end.
#[test]
fn shutdown_before_it_is_up() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToMany, 0);
    let id = world.connect(A, a, B, PORT);
    world.stacks[A].shutdown(world.now, a, id).unwrap();
    assert_eq!(world.events(A, a), [cannot_start(0)]);
    assert_eq!(world.stacks[A].association_count(), 0);
}

/// What was sent before it was up is delivered, then it ends.
#[test]
fn close_before_it_is_up_but_with_data() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToMany, 0);
    let b = world.listen(B, PORT);
    let id = world.connect(A, a, B, PORT);
    world.send(A, a, id, b"only this");
    world.stacks[A].close(world.now, a).unwrap();
    world.run(Duration::from_secs(5));
    let received = world.received(B, b);
    assert!(matches!(&received[0], Received::Event(_, up!())));
    assert!(matches!(&received[1], Received::Data { bytes, .. } if bytes == b"only this"));
    assert!(matches!(received.last(), Some(Received::Event(_, last)) if *last == complete()));
    assert_eq!(world.stacks[A].association_count(), 0);
}

#[test]
fn abort_before_it_is_up() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToMany, 0);
    let id = world.connect(A, a, B, PORT);
    world.stacks[A].abort(world.now, a, id, b"").unwrap();
    assert_eq!(world.events(A, a), [cannot_start(12)]);
    world.settle();
    assert_eq!(world.sent(kind::ABORT), 0, "no tag is known");
}

#[test]
fn calls_after_the_end() {
    let mut pair = Pair::new();
    pair.shutdown_a();
    pair.world.settle();
    let (now, a, at_a) = (pair.world.now, pair.a, pair.at_a);
    let stack = &mut pair.world.stacks[A];
    assert_eq!(stack.send(now, a, at_a, SendInfo::default(), b"x"), Err(Error::Pipe));
    assert_eq!(stack.shutdown(now, a, at_a), Err(Error::Pipe));
    assert_eq!(stack.abort(now, a, at_a, b""), Err(Error::Pipe));
    assert_eq!(stack.status(a, at_a), Err(Error::Invalid));
    assert_eq!(stack.close(now, a), Ok(()));
    assert_eq!(stack.close(now, a), Err(Error::Invalid));
    assert_eq!(stack.receive(now, a, 1), Err(Error::Invalid));
}

/// `State` follows RFC 9260, section 4.
#[test]
fn the_states_of_a_shutdown() {
    let mut pair = Pair::new();
    let states = |pair: &Pair| {
        let state = |node: usize, endpoint, assoc| {
            pair.world.stacks[node].status(endpoint, assoc).map(|status| status.state)
        };
        (state(A, pair.a, pair.at_a), state(B, pair.b, pair.at_b))
    };
    pair.send_b(b"still on its way");
    pair.send_a(b"too");
    pair.shutdown_a();
    assert_eq!(states(&pair), (Ok(State::ShutdownPending), Ok(State::Established)));
    pair.world.drop_chunks(kind::DATA);
    pair.world.run(Duration::from_millis(100));
    pair.world.drop_nothing();
    pair.world.run(Duration::from_secs(3));
    assert_eq!(states(&pair), (Err(Error::Invalid), Err(Error::Invalid)));
}

/// B has as much as it takes, and does not read. A has sent more, and is closed.
fn left_behind() -> Pair {
    let small = Params { receive_buffer: 5000, ..Params::default() };
    let mut pair = Pair::with(World::new(), Params::default(), small);
    for _ in 0..20 {
        pair.send_a(&[1; 1000]);
    }
    pair.world.run(Duration::from_secs(1));
    pair
}

/// Nobody is there any more who could abort it: a peer that has no room, for good, holds what it did
/// not take, and the port, no longer than one that does not answer.
#[test]
fn a_closed_endpoint_does_not_wait_for_room_for_ever() {
    for peer_ends in [false, true] {
        let mut pair = left_behind();
        if peer_ends {
            pair.shutdown_b();
            pair.world.run(Duration::from_secs(1));
        }
        pair.world.stacks[A].close(pair.world.now, pair.a).unwrap();
        pair.world.run(Duration::from_secs(300));
        assert_eq!(pair.world.stacks[A].association_count(), 1, "it takes its time");
        pair.world.run(Duration::from_secs(600));
        assert_eq!(pair.world.stacks[A].memory(), stack::status::Memory::default());
        let received = pair.world.received(B, pair.b);
        let Some(Received::Event(_, event)) = received.last() else { panic!() };
        assert_eq!(lost(event), Some(13));
    }
}

/// A peer that reads, be it slowly, gets all.
#[test]
fn a_closed_endpoint_waits_as_long_as_it_goes_on() {
    let mut pair = left_behind();
    pair.world.stacks[A].close(pair.world.now, pair.a).unwrap();
    let mut bytes = 0;
    loop {
        pair.world.run(Duration::from_secs(500));
        let received = pair.world.received(B, pair.b);
        for received in &received {
            if let Received::Data { bytes: some, .. } = received {
                bytes += some.len();
            }
        }
        if matches!(received.last(), Some(Received::Event(_, event)) if *event == complete()) {
            break;
        }
        assert_eq!(pair.world.stacks[A].association_count(), 1, "{bytes}");
    }
    assert_eq!(bytes, 20_000);
}

/// SCTP_SENDER_DRY_EVENT is about what was acknowledged.
#[test]
fn what_has_failed_does_not_make_a_sender_dry() {
    let params = Params { sender_dry: true, ..Params::default() };
    let mut pair = Pair::with(World::new(), params, params);
    pair.world.drop_all();
    pair.send_a(b"never acknowledged");
    pair.world.collect();
    pair.world.stacks[A].abort(pair.world.now, pair.a, pair.at_a, b"").unwrap();
    let events = pair.world.events(A, pair.a);
    assert_eq!(lost(&events[0]), Some(12));
    assert!(matches!(events[1..], [Event::SendFailed { .. }]), "{events:?}");
}
