//! One-to-one endpoints (RFC 6458, section 4).

use std::time::Duration;

use stack::error::Error;
use stack::event::{Event, Received};
use stack::params::{Params, Style};
use stack::stack::Ready;
use stack::types::AssocId;

use crate::world::{A, B, PORT, World, cannot_start, complete, lost, up};

fn listener(world: &mut World, backlog: usize) -> stack::types::EndpointId {
    let b = world.open(B, Style::OneToOne, PORT);
    world.stacks[B].listen(b, backlog).unwrap();
    b
}

#[test]
fn accept() {
    let mut world = World::new();
    let b = listener(&mut world, 5);
    assert_eq!(world.stacks[B].accept(b), Err(Error::Again));
    let a = world.open(A, Style::OneToOne, 0);
    let at_a = world.connect(A, a, B, PORT);
    world.send(A, a, at_a, b"before accept");
    world.run(Duration::from_secs(1));
    let readable = Ready { readable: true, writable: false };
    assert_eq!(world.stacks[B].ready(), Some((b, readable)));
    let (child, at_b) = world.stacks[B].accept(b).unwrap();
    assert_eq!(world.stacks[B].accept(b), Err(Error::Again));
    let received = world.received(B, child);
    assert!(matches!(&received[..], [Received::Event(_, up!()), Received::Data { bytes, .. }]
        if bytes == b"before accept"));
    world.send(B, child, at_b, b"welcome");
    world.run(Duration::from_secs(1));
    let received = world.received(A, a);
    assert!(matches!(&received[..], [Received::Event(_, up!()), Received::Data { bytes, .. }]
        if bytes == b"welcome"));
    assert_eq!(world.stacks[B].receive(world.now, b, 100), Err(Error::NotConnected));
}

/// Which association is meant need not be said.
#[test]
fn the_association_goes_without_saying() {
    let mut world = World::new();
    let b = listener(&mut world, 5);
    let a = world.open(A, Style::OneToOne, 0);
    assert_eq!(world.stacks[A].receive(world.now, a, 1), Err(Error::NotConnected));
    world.connect(A, a, B, PORT);
    world.settle();
    world.send(A, a, AssocId(0), b"x");
    assert!(world.stacks[A].status(a, AssocId(0)).is_ok());
    let remote = (world.ip(B), PORT).into();
    assert_eq!(world.stacks[A].connect(world.now, a, remote, PORT), Err(Error::Connected));
    let (child, _) = world.stacks[B].accept(b).unwrap();
    assert_eq!(world.stacks[B].connect(world.now, child, remote, PORT), Err(Error::Connected));
    assert_eq!(world.stacks[B].listen(child, 1), Err(Error::Invalid));
    assert_eq!(world.stacks[B].connect(world.now, b, remote, PORT), Err(Error::Connected));
}

#[test]
fn the_backlog_is_full() {
    let mut world = World::new();
    let b = listener(&mut world, 2);
    let clients: Vec<_> = (0..3)
        .map(|_| {
            let a = world.open(A, Style::OneToOne, 0);
            world.connect(A, a, B, PORT);
            world.settle();
            a
        })
        .collect();
    assert!(matches!(world.events(A, clients[0])[..], [up!()]));
    assert!(matches!(world.events(A, clients[1])[..], [up!()]));
    let now = world.now;
    let mut receive = |endpoint| world.stacks[A].receive(now, endpoint, 100);
    let Ok(Received::Event(_, event)) = receive(clients[2]) else { panic!() };
    assert_eq!(event, cannot_start(0));
    assert_eq!(receive(clients[2]), Err(Error::Refused));
    assert_eq!(receive(clients[2]), Err(Error::NotConnected));
    assert!(world.stacks[B].accept(b).is_ok());
    assert!(world.stacks[B].accept(b).is_ok());
    assert_eq!(world.stacks[B].accept(b), Err(Error::Again));
    // The one who was refused may try again.
    world.connect(A, clients[2], B, PORT);
    world.settle();
    assert!(world.stacks[B].accept(b).is_ok());
}

/// Why one association did not come up is no word on the next one.
#[test]
fn beginning_again_forgets_the_failure() {
    let mut world = World::new();
    let a = world.open(A, Style::OneToOne, 0);
    world.connect(A, a, B, PORT);
    world.settle();
    assert!(matches!(
        world.stacks[A].receive(world.now, a, 9),
        Ok(Received::Event(_, event)) if event == cannot_start(0)
    ));
    let b = listener(&mut world, 2);
    world.connect(A, a, B, PORT);
    assert_eq!(world.stacks[A].receive(world.now, a, 9), Err(Error::Again));
    world.settle();
    assert!(matches!(world.events(A, a)[..], [up!()]));
    assert!(world.stacks[B].accept(b).is_ok());
    // Nor on those that it accepts itself.
    let (c, nobody) = (world.open(A, Style::OneToOne, 0), PORT + 1);
    world.connect(A, c, B, nobody);
    world.settle();
    assert!(world.stacks[A].receive(world.now, c, 9).is_ok());
    world.stacks[A].listen(c, 1).unwrap();
    assert_eq!(world.stacks[A].receive(world.now, c, 9), Err(Error::NotConnected));
}

/// What a listener's user says counts for those whom it has not accepted yet.
#[test]
fn parameters_before_accept() {
    let mut world = World::new();
    let b = listener(&mut world, 5);
    let a = world.open(A, Style::OneToOne, 0);
    world.connect(A, a, B, PORT);
    world.settle();
    let send_buffer = Params::default().send_buffer;
    let wide = Params { send_buffer: 2 * send_buffer, ..Params::default() };
    world.stacks[B].set_params(world.now, b, None, wide).unwrap();
    let (child, at_b) = world.stacks[B].accept(b).unwrap();
    assert_eq!(world.stacks[B].params(child, None), Ok(wide));
    world.send(B, child, at_b, &vec![7; send_buffer + 1]);
    world.run(Duration::from_secs(1));
    let Ok(Received::Event(..)) = world.stacks[A].receive(world.now, a, 1) else { panic!() };
    assert!(world.messages_or_parts(A, a) > 0);
}

/// What came is not lost because nobody accepted it in time.
#[test]
fn over_before_accept() {
    let mut world = World::new();
    let b = listener(&mut world, 2);
    let (a, c) = (world.open(A, Style::OneToOne, 0), world.open(A, Style::OneToOne, 0));
    let at_a = world.connect(A, a, B, PORT);
    let at_c = world.connect(A, c, B, PORT);
    world.settle();
    world.send(A, a, at_a, b"all that I wanted to say");
    world.run(Duration::from_secs(1));
    world.stacks[A].shutdown(world.now, a, at_a).unwrap();
    world.stacks[A].abort(world.now, c, at_c, b"").unwrap();
    world.run(Duration::from_secs(1));
    assert_eq!(world.stacks[B].association_count(), 0);
    // They still take room in the backlog.
    let late = world.open(A, Style::OneToOne, 0);
    world.connect(A, late, B, PORT);
    world.settle();
    assert_eq!(world.stacks[B].association_count(), 0);
    let (child, _) = world.stacks[B].accept(b).unwrap();
    let received = world.received(B, child);
    assert!(
        matches!(&received[..], [
            Received::Event(_, up!()),
            Received::Data { bytes, .. },
            Received::Event(_, Event::Shutdown),
            Received::Event(_, last),
        ] if bytes == b"all that I wanted to say" && *last == complete()),
        "{received:?}"
    );
    let (aborted, _) = world.stacks[B].accept(b).unwrap();
    let mut receive = || world.stacks[B].receive(world.now, aborted, 9);
    assert!(matches!(receive(), Ok(Received::Event(_, up!()))));
    assert!(matches!(receive(), Ok(Received::Event(_, event)) if lost(&event) == Some(12)));
    assert_eq!(receive(), Err(Error::Reset));
    for endpoint in [child, aborted, b] {
        world.stacks[B].close(world.now, endpoint).unwrap();
    }
    assert_eq!(world.stacks[B].memory(), stack::status::Memory::default());
}

#[test]
fn why_it_is_over() {
    let mut world = World::new();
    let b = listener(&mut world, 5);
    let a = world.open(A, Style::OneToOne, 0);
    world.connect(A, a, B, PORT);
    world.settle();
    let (child, at_b) = world.stacks[B].accept(b).unwrap();
    world.stacks[B].abort(world.now, child, at_b, b"").unwrap();
    world.settle();
    let mut events = Vec::new();
    let error = loop {
        match world.stacks[A].receive(world.now, a, 100) {
            Ok(Received::Event(_, event)) => events.push(event),
            Ok(received) => panic!("{received:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(lost(&events[1]), Some(12));
    assert_eq!(error, Error::Reset);
    assert_eq!(world.stacks[A].receive(world.now, a, 100), Err(Error::Again));
}

/// Closing the listener closes those who wait; those who were accepted stay, and so does the port.
#[test]
fn close_the_listener() {
    let mut world = World::new();
    let b = listener(&mut world, 5);
    let accepted = world.open(A, Style::OneToOne, 0);
    world.connect(A, accepted, B, PORT);
    let waiting = world.open(A, Style::OneToOne, 0);
    world.connect(A, waiting, B, PORT);
    world.settle();
    let (child, at_b) = world.stacks[B].accept(b).unwrap();
    world.stacks[B].close(world.now, b).unwrap();
    world.run(Duration::from_secs(5));
    assert!(matches!(&world.events(A, accepted)[..], [up!()]));
    let events = world.events(A, waiting);
    assert!(matches!(&events[..], [up!(), Event::Shutdown, _]), "{events:?}");
    assert_eq!(events[2], complete());
    let other = world.stacks[B].open(Style::OneToOne, Params::default());
    let any = "0.0.0.0".parse().unwrap();
    assert_eq!(world.stacks[B].bind(other, any, PORT, 0), Err(Error::AddressInUse));
    let late = world.open(A, Style::OneToOne, 0);
    world.connect(A, late, B, PORT);
    world.settle();
    assert_eq!(
        world.stacks[A]
            .receive(world.now, late, 9)
            .map(|received| format!("{received:?}"))
            .unwrap(),
        format!("{:?}", Received::Event(AssocId(3), cannot_start(0)))
    );
    world.send(B, child, at_b, b"still here");
    world.run(Duration::from_secs(1));
    assert_eq!(world.messages(A, accepted), [b"still here"]);
    world.stacks[B].close(world.now, child).unwrap();
    world.run(Duration::from_secs(5));
    assert_eq!(world.stacks[B].bind(other, any, PORT, 0), Ok(PORT));
}
