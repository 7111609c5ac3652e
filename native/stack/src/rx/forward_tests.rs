//! FORWARD TSN, received (RFC 3758, section 3.6).

use super::testing::{Chunk, Receiver, fragment, settings, whole};
use super::{Settings, Verdict};

#[test]
fn what_is_given_up_is_not_waited_for() {
    let mut receiver = Receiver::new(100_000);
    receiver.get_all(&[whole(2, 2), whole(4, 4), Chunk { stream: 1, ..whole(5, 1) }]);
    assert_eq!(receiver.forward(2, &[(0, 1)]), Verdict::Fine);
    // 0 and 1 are over; 2 has come. 3 is still missing.
    assert_eq!(receiver.came(), (3, vec![(4, 5)]));
    assert_eq!(receiver.read(), [(0, 2, 10, true)]);
    receiver.forward(4, &[(0, 3)]);
    assert_eq!(receiver.came(), (6, vec![]));
    assert_eq!(receiver.read(), [(0, 4, 10, true)], "stream 1 is not named");
    receiver.get_all(&[whole(6, 5)]);
    assert_eq!(receiver.read(), [(0, 5, 10, true)]);
}

#[test]
fn one_that_is_out_of_date_is_answered() {
    let mut receiver = Receiver::new(100_000);
    receiver.get_all(&[whole(0, 0), whole(1, 1)]);
    receiver.sack();
    for over in [2, 1, 0] {
        receiver.forward(over, &[(0, 7)]);
        assert!(receiver.sack().is_some(), "at once: a SACK was lost");
    }
    assert_eq!(receiver.came(), (2, vec![]));
    receiver.get_all(&[whole(2, 2)]);
    assert_eq!(receiver.read().len(), 3, "it has skipped nothing");
}

#[test]
fn whole_messages_that_came_all_the_same_come_out() {
    let mut receiver = Receiver::new(100_000);
    receiver.get_all(&[whole(1, 1), whole(3, 3), fragment('B', 4, 4)]);
    receiver.forward(6, &[(0, 4), (9, 0), (10, 0), (65_535, 3)]);
    assert_eq!(receiver.read(), [(0, 1, 10, true), (0, 3, 10, true)], "in their order");
    assert_eq!(receiver.rx.charged(), 0, "and what is not whole is dropped");
    receiver.get_all(&[whole(6, 5), Chunk { stream: 9, ..whole(7, 1) }]);
    assert_eq!(receiver.read(), [(0, 5, 10, true), (9, 1, 10, true)]);
}

#[test]
fn the_rest_of_a_message_that_was_given_up_is_dropped() {
    // Of the message 0 to 4 the peer gave up what it had sent, and sends the rest all the same.
    for order in [[2, 3, 4], [4, 3, 2], [3, 4, 2], [3, 2, 4]] {
        let mut receiver = Receiver::new(100_000);
        receiver.get_all(&[fragment('B', 0, 0)]);
        receiver.forward(2, &[(0, 0)]);
        for tsn in order {
            receiver.get_all(&[fragment(if tsn == 4 { 'E' } else { 'M' }, tsn, 0)]);
        }
        receiver.get_all(&[whole(5, 1)]);
        assert_eq!(receiver.read(), [(0, 1, 10, true)], "{order:?}");
        assert_eq!(receiver.rx.charged(), 0, "{order:?}");
        // But none begins in its middle.
        assert!(matches!(receiver.get(fragment('M', 6, 2)), Verdict::Violation(_)));
    }
}

#[test]
fn the_rest_may_have_come_before() {
    let mut receiver = Receiver::new(100_000);
    receiver.get_all(&[fragment('M', 2, 0), fragment('E', 3, 0), whole(4, 1)]);
    receiver.forward(2, &[(0, 0)]);
    assert_eq!(receiver.came(), (5, vec![]));
    assert_eq!(receiver.read(), [(0, 1, 10, true)]);
    assert_eq!(receiver.rx.charged(), 0);
}

#[test]
fn a_message_that_was_delivered_in_parts_never_ends() {
    for unordered in [false, true] {
        let mut receiver = Receiver::with(Settings { partial_delivery_point: 1, ..settings(9000) });
        receiver.get_all(&[Chunk { unordered, ..fragment('B', 0, 0) }]);
        let next = u16::from(!unordered);
        receiver.get_all(&[Chunk { stream: 1, ..whole(3, 0) }, whole(4, next)]);
        assert_eq!(receiver.read(), [(0, 0, 10, false)]);
        // The stream is not named: what is over is over.
        receiver.forward(3, &[]);
        let expected = [(0, 0, -1, true), (1, 0, 10, true), (0, next, 10, true)];
        let mut read = receiver.read();
        read[1..].sort_unstable_by_key(|(stream, ..)| std::cmp::Reverse(*stream));
        assert_eq!(read, expected, "{unordered}");
        assert_eq!(receiver.rx.charged(), 0);
    }
}

#[test]
fn a_jump_costs_nothing() {
    let mut receiver = Receiver::new(100_000);
    receiver.get_all(&[whole(3, 3)]);
    receiver.forward(0x7fff_fff0, &[(0, 40)]);
    assert_eq!(receiver.came(), (0x7fff_fff0, vec![]));
    assert_eq!(receiver.read(), [(0, 3, 10, true)]);
    receiver.get_all(&[whole(0x7fff_fff0, 41)]);
    assert_eq!(receiver.read().len(), 1);
}

/// All of a message that was sent has come, but its sender does not know that, gives it up, and sends
/// nothing more of it: Linux does.
#[test]
fn the_rest_of_a_message_may_be_given_up_that_was_never_sent() {
    for point in [0, 1] {
        let settings = Settings { partial_delivery_point: point, ..settings(100_000) };
        let mut receiver = Receiver::with(settings);
        receiver.get_all(&[fragment('B', 0, 0), fragment('M', 1, 0)]);
        assert_eq!(receiver.forward(1, &[(0, 0)]), Verdict::Fine, "that is out of date");
        assert_eq!(receiver.forward(2, &[(0, 0)]), Verdict::Fine);
        receiver.get_all(&[whole(2, 1), fragment('B', 3, 2), fragment('E', 4, 2)]);
        let mut expected = vec![(0, 1, 10, true), (0, 2, 20, true)];
        if point > 0 {
            expected = vec![
                (0, 0, 10, false),
                (0, 0, 10, false),
                (0, 0, -1, true),
                (0, 1, 10, true),
                (0, 2, 10, false),
                (0, 2, 10, true),
            ];
        }
        assert_eq!(receiver.read(), expected);
        assert_eq!(receiver.rx.charged(), 0);
    }
    // Without FORWARD TSN it is a fault, as before.
    let mut receiver = Receiver::new(100_000);
    receiver.get_all(&[fragment('B', 0, 0), fragment('M', 1, 0)]);
    assert!(matches!(receiver.get(whole(2, 1)), Verdict::Violation(_)));
}
