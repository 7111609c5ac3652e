//! RFC 6458, section 9.2.

use std::time::Duration;

use stack::error::Error;
use stack::event::{Event, Received, SendInfo};
use stack::params::Style;
use stack::stack::Ready;
use stack::types::AssocId;

use crate::world::{A, B, PORT, Pair, complete, up};

/// Messages and events of the association move along, in order; those of others stay.
#[test]
fn with_what_waits() {
    let mut pair = Pair::new();
    let other = pair.world.open(A, Style::OneToMany, 0);
    let at_other = pair.world.connect(A, other, B, PORT);
    pair.world.settle();
    for n in 0..3_u8 {
        pair.send_a(&[n]);
        pair.world.send(A, other, at_other, &[10 + n]);
        pair.world.run(Duration::from_secs(1));
    }
    let child = pair.world.stacks[B].peeloff(pair.b, pair.at_b).unwrap();
    assert_eq!(pair.world.messages(B, child), [[0], [1], [2]]);
    let stays = pair.world.received(B, pair.b);
    assert!(matches!(&stays[0], Received::Event(_, up!())));
    assert_eq!(stays.len(), 4);
    pair.send_a(b"for the child");
    pair.world.run(Duration::from_secs(1));
    assert_eq!(pair.world.messages(B, child), [b"for the child"]);
    let now = pair.world.now;
    let send = pair.world.stacks[B].send(now, pair.b, pair.at_b, SendInfo::default(), b"x");
    assert_eq!(send, Err(Error::Pipe));
    pair.world.send(B, child, pair.at_b, b"from the child");
    pair.world.run(Duration::from_secs(1));
    assert_eq!(pair.world.messages(A, pair.a), [b"from the child"]);
}

#[test]
fn what_cannot_be_peeled_off() {
    let mut pair = Pair::new();
    assert_eq!(pair.world.stacks[B].peeloff(pair.b, AssocId(0)), Err(Error::Invalid));
    assert_eq!(pair.world.stacks[B].peeloff(pair.b, AssocId(99)), Err(Error::Invalid));
    let child = pair.world.stacks[B].peeloff(pair.b, pair.at_b).unwrap();
    assert_eq!(pair.world.stacks[B].peeloff(pair.b, pair.at_b), Err(Error::Invalid));
    assert_eq!(pair.world.stacks[B].peeloff(child, pair.at_b), Err(Error::Invalid));
}

/// Closing one does nothing to the other; the port is theirs together.
#[test]
fn lives_without_its_parent() {
    let mut pair = Pair::new();
    let child = pair.world.stacks[B].peeloff(pair.b, pair.at_b).unwrap();
    pair.world.stacks[B].close(pair.world.now, pair.b).unwrap();
    pair.send_a(b"hello");
    pair.world.run(Duration::from_secs(1));
    assert_eq!(pair.world.messages(B, child), [b"hello"]);
    pair.world.stacks[B].close(pair.world.now, child).unwrap();
    pair.world.run(Duration::from_secs(5));
    assert_eq!(pair.world.events(A, pair.a), [Event::Shutdown, complete()]);
    assert_eq!(pair.world.stacks[B].memory(), stack::status::Memory::default());
    let again = pair.world.listen(B, PORT);
    assert_eq!(pair.world.stacks[B].associations(again), Ok(Vec::new()));
}

/// What it had in the parent's send buffer is its own now.
#[test]
fn room_in_the_parents_buffer() {
    let mut pair = Pair::new();
    pair.world.drop_all();
    pair.world.send(B, pair.b, pair.at_b, &vec![0; 212_992]);
    let now = pair.world.now;
    let full = pair.world.stacks[B].send(now, pair.b, pair.at_b, SendInfo::default(), b"x");
    assert_eq!(full, Err(Error::Again));
    while pair.world.stacks[B].ready().is_some() {}
    let child = pair.world.stacks[B].peeloff(pair.b, pair.at_b).unwrap();
    let writable = Ready { readable: false, writable: true };
    assert_eq!(pair.world.stacks[B].ready(), Some((pair.b, writable)));
    assert!(!pair.world.stacks[B].readiness(child).unwrap().writable);
}

#[test]
fn while_it_comes_up() {
    let mut pair = Pair::new();
    let one = pair.world.open(A, Style::OneToMany, 0);
    let id = pair.world.connect(A, one, B, PORT);
    let child = pair.world.stacks[A].peeloff(one, id).unwrap();
    pair.world.settle();
    assert!(matches!(pair.world.events(A, child)[..], [up!()]));
    assert_eq!(pair.world.events(A, one), []);
}
