//! The receive buffer, and messages that are delivered in parts (RFC 9260, sections 6.2 and 6.9).

use super::testing::{Chunk, Receiver, fragment, settings, whole};
use super::{Settings, Verdict};

/// A whole message of so many bytes.
fn sized(tsn: u32, ssn: u16, len: usize) -> Chunk {
    Chunk { len, ..whole(tsn, ssn) }
}

/// A fragment of so many bytes.
fn part(kind: char, tsn: u32, ssn: u16, len: usize) -> Chunk {
    Chunk { len, ..fragment(kind, tsn, ssn) }
}

/// The window that a SACK tells now.
fn window(receiver: &mut Receiver) -> u32 {
    receiver.rx.take_sack().window
}

#[test]
fn the_window_is_what_is_left() {
    // (messages) -> the window of a buffer of 10000
    for (lens, left) in [
        (&[][..], 10_000),
        (&[1000], 9000),
        (&[1000, 500], 8500),
        (&[8000, 1000], 1000),
        // Less than a packet is nothing: 6.2, silly windows.
        (&[8000, 1001], 0),
        (&[60_000], 0),
    ] {
        let mut receiver = Receiver::new(10_000);
        for (index, len) in (0..).zip(lens) {
            receiver.get_all(&[sized(index, index as u16, *len)]);
        }
        assert_eq!(window(&mut receiver), left, "{lens:?}");
        receiver.read();
        assert_eq!(window(&mut receiver), 10_000, "{lens:?}");
    }
}

#[test]
fn small_messages_take_what_they_take_in_memory() {
    let mut receiver = Receiver::new(10_000);
    // (messages of a byte) -> the window: that of ten thousand bytes is full with 155 of them.
    for (messages, left) in [(1, 9999), (77, 9923), (78, 77), (100, 55), (147, 8), (148, 0)] {
        while receiver.came().0 < messages {
            let tsn = receiver.came().0;
            receiver.get_all(&[sized(tsn, tsn as u16, 1)]);
        }
        assert_eq!(receiver.rx.charged(), 129 * messages as usize);
        assert_eq!(window(&mut receiver), left, "{messages}");
    }
}

#[test]
fn what_was_not_received_before_a_restart_is_in_the_window() {
    let mut receiver = Receiver::new(10_000);
    receiver.rx.charge(3000);
    receiver.get_all(&[sized(0, 0, 1000)]);
    assert_eq!(window(&mut receiver), 6000);
    receiver.rx.release(1000);
    receiver.rx.release(2000);
    assert_eq!(window(&mut receiver), 9000);
    receiver.read();
    assert_eq!((window(&mut receiver), receiver.rx.charged()), (10_000, 0));
}

#[test]
fn a_window_that_opens_is_told_but_not_for_every_few_bytes() {
    let mut receiver = Receiver::new(10_000);
    (0..10).for_each(|tsn| receiver.get_all(&[sized(tsn, tsn as u16, 1000)]));
    assert_eq!(window(&mut receiver), 0);
    let messages = receiver.waits();
    let told: Vec<Option<u32>> = messages
        .iter()
        .map(|message| {
            receiver.rx.release(message.charge);
            receiver.sack()
        })
        .collect();
    // Two packets, then each quarter of the buffer.
    let none = None;
    let expected = [none, Some(2000), none, none, Some(5000), none, none, Some(8000), none, none];
    assert_eq!(told, expected);
}

#[test]
fn a_closed_window_takes_what_fills_gaps_only() {
    let mut receiver = Receiver::new(4000);
    receiver.get_all(&[sized(0, 0, 2000), sized(2, 2, 2000)]);
    assert_eq!(receiver.sack(), Some(0));
    receiver.get_all(&[sized(3, 3, 100)]);
    assert_eq!(receiver.came(), (1, vec![(2, 2)]), "6.2: it is dropped");
    assert_eq!(receiver.sack(), Some(0), "and that is told at once");
    receiver.get_all(&[sized(1, 1, 100)]);
    assert_eq!(receiver.came(), (3, vec![]));
    receiver.read();
    receiver.get_all(&[sized(3, 3, 100)]);
    assert_eq!(receiver.came(), (4, vec![]));
}

#[test]
fn what_was_in_the_window_when_it_was_sent_is_taken() {
    let mut receiver = Receiver::new(4000);
    // The peer does not know yet that it is closed.
    receiver.get_all(&[sized(0, 0, 3900), sized(1, 1, 1000)]);
    assert_eq!(receiver.came(), (2, vec![]));
    // A window of less than a packet is not told, but there it is: the peer was told 1500 before.
    let mut receiver = Receiver::new(4000);
    receiver.get_all(&[sized(0, 0, 2500)]);
    assert_eq!(receiver.sack(), Some(1500));
    receiver.get_all(&[sized(1, 1, 600), sized(2, 2, 600)]);
    assert_eq!(receiver.sack(), Some(0));
    receiver.get_all(&[sized(3, 3, 300), sized(4, 4, 1)]);
    assert_eq!(receiver.came(), (4, vec![]));
}

#[test]
fn the_highest_are_dropped_for_those_that_fill_a_gap() {
    let mut receiver = Receiver::new(1500);
    // Single bytes after a gap, until twice the buffer is full of them.
    let mut tsn = 1;
    while receiver.rx.charged() < 3000 {
        receiver.get_all(&[sized(tsn, tsn as u16, 1)]);
        tsn += 2;
    }
    let (_, gaps) = receiver.came();
    assert_eq!(gaps.len(), 24);
    receiver.get_all(&[sized(2, 2, 1)]);
    let (came, gaps) = receiver.came();
    assert_eq!((came, gaps.len(), gaps[0]), (0, 22, (1, 3)), "6.2: 47 is not there any more");
    assert_eq!(gaps.last(), Some(&(45, 45)));
    // And come again.
    receiver.get_all(&[sized(0, 0, 1)]);
    assert_eq!(receiver.read().len(), 4);
    receiver.get_all(&[sized(47, 47, 1)]);
    assert_eq!(receiver.came().1.last(), Some(&(47, 47)));
}

#[test]
fn fragments_are_dropped_one_by_one() {
    let mut receiver = Receiver::new(1500);
    receiver.get_all(&[part('E', 3, 0, 1400), part('M', 2, 0, 1400), sized(4, 1, 1)]);
    receiver.get_all(&[part('M', 1, 0, 700)]);
    assert_eq!(receiver.came(), (0, vec![(1, 3)]), "4 has gone for 1");
    receiver.get_all(&[part('B', 0, 0, 700)]);
    // 3 has gone; 0 to 2 came out in a part, for there is nothing else.
    assert_eq!(receiver.came(), (3, vec![]));
    assert_eq!(receiver.read(), [(0, 0, 2800, false)]);
    receiver.get_all(&[part('E', 3, 0, 1400), sized(4, 1, 1)]);
    assert_eq!(receiver.read(), [(0, 0, 1400, true), (0, 1, 1, true)]);
}

#[test]
fn a_message_larger_than_the_window_comes_in_parts() {
    let mut receiver = Receiver::new(4000);
    let mut lens = Vec::new();
    for tsn in 0..20 {
        let kind = ['B', 'M', 'E'][usize::from(tsn > 0) + usize::from(tsn == 19)];
        receiver.get_all(&[part(kind, tsn, 0, 900)]);
        lens.extend(receiver.read().iter().map(|(_, _, len, end)| (*len, *end)));
    }
    // The first part when the window would be closed, then chunk by chunk.
    let mut expected = vec![(3600, false)];
    expected.extend([(900, false); 15]);
    expected.push((900, true));
    assert_eq!(lens, expected);
    assert_eq!(receiver.rx.charged(), 0);
}

#[test]
fn a_message_that_the_user_does_not_receive_closes_the_window() {
    let mut receiver = Receiver::new(4000);
    for tsn in 0..4 {
        receiver.get_all(&[part(if tsn == 0 { 'B' } else { 'M' }, tsn, 0, 1000)]);
    }
    assert_eq!(window(&mut receiver), 0);
    receiver.get_all(&[part('M', 4, 0, 1000)]);
    assert_eq!(receiver.came(), (4, vec![]));
    assert_eq!(receiver.read(), [(0, 0, 4000, false)]);
    assert_eq!(receiver.sack(), Some(4000), "it opens");
}

#[test]
fn others_wait_for_the_end_of_a_message_in_parts() {
    let mut receiver =
        Receiver::with(Settings { partial_delivery_point: 1500, ..settings(100_000) });
    receiver.get_all(&[part('B', 0, 0, 1000)]);
    assert_eq!(receiver.read(), []);
    receiver.get_all(&[part('M', 1, 0, 1000)]);
    assert_eq!(receiver.read(), [(0, 0, 2000, false)], "as much as was wished");
    let other = Chunk { stream: 1, ..sized(4, 0, 10) };
    let unordered = Chunk { unordered: true, ..sized(5, 0, 20) };
    receiver.get_all(&[other, unordered, sized(6, 1, 30)]);
    assert_eq!(receiver.read(), [], "RFC 6458, 8.1.20: level 0");
    receiver.get_all(&[part('M', 2, 0, 100)]);
    assert_eq!(receiver.read(), [(0, 0, 100, false)]);
    receiver.get_all(&[part('E', 3, 0, 100)]);
    let expected = [(0, 0, 100, true), (1, 0, 10, true), (0, 0, 20, true), (0, 1, 30, true)];
    assert_eq!(receiver.read(), expected);
    assert_eq!(receiver.rx.charged(), 0);
}

#[test]
fn only_a_message_in_its_turn_comes_in_parts() {
    let mut receiver = Receiver::with(Settings { partial_delivery_point: 1, ..settings(100_000) });
    // Behind a gap; whole ones wait, and this one is not the next of its stream.
    receiver.get_all(&[part('B', 1, 1, 1000), part('M', 2, 1, 1000)]);
    assert_eq!(receiver.read(), []);
    receiver.get_all(&[sized(0, 0, 10)]);
    assert_eq!(receiver.read(), [(0, 0, 10, true), (0, 1, 2000, false)]);
}

#[test]
fn a_full_buffer_takes_what_it_needs_to_go_on() {
    // All of it is after a gap, and nothing of it can be dropped: it is out of the streams' hands.
    let mut receiver = Receiver::with(Settings { partial_delivery_point: 1, ..settings(1500) });
    receiver.get_all(&[part('B', 0, 0, 1)]);
    assert_eq!(receiver.read(), [(0, 0, 1, false)]);
    let mut tsn = 3;
    while receiver.rx.charged() < 3000 {
        receiver.get_all(&[Chunk { unordered: true, ..sized(tsn, 0, 1) }]);
        tsn += 1;
    }
    assert_eq!(receiver.read(), [], "they wait for the end of the first");
    receiver.get_all(&[part('M', 1, 0, 1000)]);
    assert_eq!(receiver.read(), [(0, 0, 1000, false)]);
    receiver.get_all(&[part('E', 2, 0, 1000)]);
    assert_eq!(receiver.read().len(), tsn as usize - 2);
}

#[test]
fn a_peer_that_breaks_the_order_to_fill_the_buffer_is_found_out() {
    let mut receiver = Receiver::new(1500);
    let mut ssn = 1;
    let verdict = loop {
        // In the order of TSNs, but the first message of the stream never comes.
        let verdict = receiver.get(sized(u32::from(ssn) - 1, ssn, 1));
        if verdict != Verdict::Fine {
            break verdict;
        }
        ssn += 1;
        assert!(receiver.rx.charged() < 4000);
    };
    assert!(matches!(verdict, Verdict::Violation(_)));
}

#[test]
fn no_buffer_at_all_still_goes_on() {
    let mut receiver = Receiver::new(0);
    let mut out = Vec::new();
    for chunk in [part('B', 0, 0, 10), part('E', 1, 0, 10), sized(2, 1, 10)] {
        receiver.get_all(&[chunk]);
        assert_eq!(window(&mut receiver), 0);
        out.extend(receiver.read());
    }
    assert_eq!(out, [(0, 0, 10, false), (0, 0, 10, true), (0, 1, 10, true)]);
}
