//! Messages, as users see them.

use std::time::Duration;

use stack::error::Error;
use stack::event::{Event, Received, SendInfo};
use stack::params::Params;
use stack::stack::Ready;

use crate::world::{A, B, Pair, World};

fn messages_in(all: &[Received]) -> Vec<Vec<u8>> {
    let data = all.iter().filter_map(|received| match received {
        Received::Data { bytes, end: true, .. } => Some(bytes.clone()),
        _ => None,
    });
    data.collect()
}

#[test]
fn both_ways_and_in_order() {
    let mut pair = Pair::new();
    let texts: Vec<Vec<u8>> = (0..200).map(|n| format!("message {n}").into_bytes()).collect();
    for text in &texts {
        pair.send_a(text);
        pair.send_b(text);
    }
    pair.world.run(Duration::from_secs(1));
    assert_eq!(pair.world.messages(A, pair.a), texts);
    assert_eq!(pair.world.messages(B, pair.b), texts);
}

#[test]
fn what_is_known_of_a_message() {
    let mut pair = Pair::new();
    let info = SendInfo { stream: 3, ppid: 18, context: 5, unordered: true, lifetime: None };
    pair.world.stacks[A].send(pair.world.now, pair.a, pair.at_a, info, b"s1ap").unwrap();
    pair.world.run(Duration::from_secs(1));
    let received = pair.world.received(B, pair.b);
    let [Received::Data { info, bytes, end: true }] = &received[..] else { panic!("{received:?}") };
    assert_eq!((info.stream, info.ppid, info.unordered), (3, 18, true));
    assert_eq!(info.assoc, pair.at_b);
    assert_eq!(info.from, pair.world.stacks[B].peer_address(pair.b, pair.at_b).unwrap());
    assert_eq!(bytes, b"s1ap");
}

#[test]
fn a_long_message_in_pieces_of_the_users_size() {
    let mut pair = Pair::new();
    let long: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    pair.send_a(&long);
    pair.world.run(Duration::from_secs(5));
    let mut got = Vec::new();
    loop {
        match pair.world.stacks[B].receive(pair.world.now, pair.b, 1000).unwrap() {
            Received::Data { bytes, end, .. } => {
                assert!(bytes.len() <= 1000);
                got.extend(bytes);
                if end {
                    break;
                }
            }
            Received::Event(_, event) => panic!("{event:?}"),
        }
    }
    assert_eq!(got, long);
    assert_eq!(pair.world.stacks[B].memory().receive_bytes, 0);
}

/// More than the window takes: in parts.
#[test]
fn a_message_longer_than_the_receive_buffer() {
    let small = Params { receive_buffer: 20_000, ..Params::default() };
    let mut pair = Pair::with(World::new(), Params::default(), small);
    let long: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    pair.send_a(&long);
    let mut got = Vec::new();
    for _ in 0..10_000 {
        pair.world.run(Duration::from_millis(50));
        match pair.world.stacks[B].receive(pair.world.now, pair.b, usize::MAX) {
            Ok(Received::Data { bytes, end, .. }) => {
                got.extend(bytes);
                if end {
                    break;
                }
            }
            Ok(Received::Event(_, event)) => panic!("{event:?}"),
            Err(error) => assert_eq!(error, Error::Again),
        }
    }
    assert!(got == long, "{} bytes of {}", got.len(), long.len());
}

/// A user who does not read stops the sender; both edges are told.
#[test]
fn a_full_buffer_and_room_again() {
    let mut pair = Pair::new();
    let (a, at_a) = (pair.a, pair.at_a);
    while pair.world.stacks[A].ready().is_some() {}
    let mut sent = 0;
    let message = vec![7; 10_000];
    loop {
        pair.world.run(Duration::from_millis(200));
        let now = pair.world.now;
        match pair.world.stacks[A].send(now, a, at_a, SendInfo::default(), &message) {
            Ok(()) => sent += 1,
            Err(error) => {
                assert_eq!(error, Error::Again);
                break;
            }
        }
        assert!(sent < 1000);
    }
    assert!(sent * 10_000 > 212_992);
    let (_, unacked) = pair.world.stacks[A].buffered(a).unwrap();
    assert!((212_992..2 * 212_992).contains(&unacked), "{unacked}");
    let (received, _) = pair.world.stacks[B].buffered(pair.b).unwrap();
    assert!(received <= 2 * 212_992, "{received}");
    assert_eq!(pair.world.stacks[A].ready(), None);
    let mut got = 0;
    for _ in 0..100 {
        got += pair.world.messages_or_parts(B, pair.b);
        pair.world.run(Duration::from_secs(1));
    }
    assert_eq!(got, sent * 10_000);
    let writable = Ready { readable: false, writable: true };
    assert_eq!(pair.world.stacks[A].ready(), Some((a, writable)));
    assert_eq!(pair.world.stacks[A].ready(), None);
}

#[test]
fn readiness_is_told_when_it_begins() {
    let mut pair = Pair::new();
    while pair.world.stacks[B].ready().is_some() {}
    pair.send_a(b"one");
    pair.world.run(Duration::from_millis(10));
    let readable = Ready { readable: true, writable: false };
    assert_eq!(pair.world.stacks[B].ready(), Some((pair.b, readable)));
    pair.send_a(b"two");
    pair.world.run(Duration::from_secs(1));
    assert_eq!(pair.world.stacks[B].ready(), None, "it was readable before");
    assert_eq!(pair.world.messages(B, pair.b).len(), 2);
    pair.send_a(b"three");
    pair.world.run(Duration::from_secs(1));
    assert_eq!(pair.world.stacks[B].ready(), Some((pair.b, readable)));
}

#[test]
fn what_is_refused() {
    let mut pair = Pair::new();
    let (now, a, at_a) = (pair.world.now, pair.a, pair.at_a);
    let stack = &mut pair.world.stacks[A];
    let mut send = |assoc, stream, data: &[u8]| {
        stack.send(now, a, assoc, SendInfo { stream, ..SendInfo::default() }, data)
    };
    assert_eq!(send(at_a, 0, b""), Err(Error::Invalid));
    assert_eq!(send(at_a, 10, b"no such stream"), Err(Error::Invalid));
    assert_eq!(send(at_a, 0, &vec![0; 212_993]), Err(Error::TooLong));
    assert_eq!(send(stack::types::AssocId(77), 0, b"x"), Err(Error::Pipe));
    assert_eq!(send(at_a, 9, &vec![0; 212_992]), Ok(()));
}

#[test]
fn no_fragments_if_the_user_wants_none() {
    let params = Params { disable_fragments: true, ..Params::default() };
    let mut pair = Pair::with(World::new(), params, Params::default());
    let point = {
        let status = pair.world.stacks[A].status(pair.a, pair.at_a).unwrap();
        status.fragmentation_point
    };
    assert_eq!(point, 1400 - 12 - 16);
    let now = pair.world.now;
    let stack = &mut pair.world.stacks[A];
    let mut send =
        |length| stack.send(now, pair.a, pair.at_a, SendInfo::default(), &vec![1; length]);
    assert_eq!(send(point + 1), Err(Error::TooLong));
    assert_eq!(send(point), Ok(()));
}

/// RFC 3758: what was not sent in time is not sent at all, and its user is told.
#[test]
fn a_lifetime_that_is_over() {
    let mut pair = Pair::new();
    pair.world.drop_all();
    let lifetime = Some(Duration::from_millis(500));
    let info = SendInfo { context: 9, lifetime, ..SendInfo::default() };
    pair.world.stacks[A].send(pair.world.now, pair.a, pair.at_a, info, b"late").unwrap();
    pair.world.run(Duration::from_secs(2));
    pair.world.drop_nothing();
    pair.send_a(b"next");
    pair.world.run(Duration::from_secs(10));
    let events = pair.world.events(A, pair.a);
    assert!(
        matches!(&events[..], [Event::SendFailed { sent: true, error: 0, info, bytes }]
            if info.context == 9 && bytes == b"late"),
        "{events:?}"
    );
    assert_eq!(pair.world.messages(B, pair.b), [b"next"]);
}

#[test]
fn the_peer_is_told_when_all_is_acknowledged() {
    let params = Params { sender_dry: true, ..Params::default() };
    let mut pair = Pair::with(World::new(), params, Params::default());
    pair.send_a(b"one");
    pair.send_a(b"two");
    pair.world.run(Duration::from_secs(1));
    assert_eq!(pair.world.events(A, pair.a), [Event::SenderDry]);
    assert_eq!(messages_in(&pair.world.received(B, pair.b)).len(), 2);
}
