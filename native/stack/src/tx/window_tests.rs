//! The peer's window (RFC 9260, sections 6.1 A and 6.2.1).

use super::testing::Sender;
use crate::types::Time;

#[test]
fn the_window_is_not_exceeded() {
    // (window, messages) -> chunks that go
    for (window, lens, sent) in [
        (1000, &[500, 500, 1][..], 2),
        (1000, &[500, 501], 1),
        (999, &[500, 500], 1),
        // One chunk is allowed where there is any room, and nothing on its way.
        (100, &[500, 500], 1),
        (1, &[984], 1),
        (0, &[1], 0),
    ] {
        let mut sender = Sender::new(window);
        lens.iter().for_each(|len| sender.push(*len));
        assert_eq!(sender.tx.wants_to_send(&sender.paths, 0), sent > 0, "{window} {lens:?}");
        assert_eq!(sender.packets().concat().len(), sent, "{window} {lens:?}");
    }
}

#[test]
fn what_is_on_its_way_is_taken_off() {
    let mut sender = Sender::new(2000);
    (0..4).for_each(|_| sender.push(900));
    assert_eq!(sender.tsns(), [[0], [1]]);
    assert_eq!(sender.tx.counts().window, 200);
    // 6.2.1, D ii: 1900 free when the first one had come, and the second is on its way.
    sender.sack_with(1, 1900, &[]).unwrap();
    assert_eq!(sender.tx.counts().window, 1000);
    assert_eq!(sender.tsns(), [[2]]);
    // C: what is marked is not on its way.
    sender.expire();
    assert_eq!(sender.tx.counts().window, 1900);
}

#[test]
fn a_closed_window_is_probed() {
    let mut sender = Sender::new(1000);
    sender.push(900);
    sender.push(900);
    sender.packets();
    sender.sack_with(1, 0, &[]).unwrap();
    assert_eq!(sender.tsns(), [[]; 0]);
    // The first probe after an RTO.
    assert_eq!(sender.tx.timeout(), Some(Time(1_000_000)));
    sender.now = Time(1_000_000);
    sender.tx.advance(sender.now);
    let cwnd = sender.paths[0].cwnd();
    assert_eq!(sender.tsns(), [[1]]);
    assert_eq!(sender.tx.timeout(), None, "T3-rtx runs");
    // The peer drops it, and says so: for hours. The interval grows, and nothing else changes.
    for _ in 0..40 {
        sender.sack_with(1, 0, &[]).unwrap();
        assert!(!sender.expire(), "it answers: no error");
        assert_eq!(sender.tsns(), [[1]]);
        assert_eq!(sender.paths[0].take_change(), None);
    }
    assert_eq!(sender.paths[0].rto().as_secs(), 60);
    assert_eq!(sender.paths[0].cwnd(), cwnd, "probing does not affect it");
    // One that does not answer is lost in the end.
    let errors = (0..10).filter(|_| {
        let error = sender.expire();
        sender.packets();
        error
    });
    assert_eq!(errors.count(), 10);
}

#[test]
fn a_window_that_opens_is_used_at_once() {
    let mut sender = Sender::new(1000);
    sender.push(900);
    sender.push(900);
    sender.push(900);
    sender.packets();
    sender.sack_with(1, 0, &[]).unwrap();
    sender.now = sender.tx.timeout().unwrap();
    sender.tx.advance(sender.now);
    assert_eq!(sender.tsns(), [[1]]);
    sender.sack_with(1, 0, &[]).unwrap();
    // The probe was dropped, and does not wait for its timer.
    sender.sack_with(1, 5000, &[]).unwrap();
    assert_eq!(sender.tsns(), [[1], [2]]);
}

#[test]
fn a_window_that_closes_and_opens_while_a_chunk_is_on_its_way_costs_nothing() {
    let mut sender = Sender::new(3000);
    (0..3).for_each(|_| sender.push(900));
    sender.packets();
    sender.wait(100);
    sender.sack_with(2, 1800, &[]).unwrap();
    sender.push(900);
    assert_eq!(sender.tsns(), [[3]]);
    // The round trip takes 100 ms.
    sender.wait(50);
    sender.sack_with(3, 0, &[]).unwrap();
    sender.wait(40);
    sender.sack_with(3, 5000, &[]).unwrap();
    assert_eq!(sender.tsns(), [[]; 0]);
}

#[test]
fn what_was_dropped_when_the_window_closed_goes_when_it_opens() {
    let mut sender = Sender::new(1900);
    (0..4).for_each(|_| sender.push(900));
    assert_eq!(sender.tsns(), [[0], [1]]);
    // The second one is dropped, again and again.
    for _ in 0..5 {
        sender.sack_with(1, 0, &[]).unwrap();
        assert!(!sender.expire());
        assert_eq!(sender.tsns(), [[1]]);
    }
    sender.sack_with(1, 0, &[]).unwrap();
    sender.sack_with(1, 10_000, &[]).unwrap();
    assert_eq!(sender.packet(0)[0].tsn, 1);
    sender.sack_with(2, 10_000, &[]).unwrap();
    assert_eq!(sender.tsns(), [[2], [3]], "the congestion window is open again");
}

#[test]
fn a_window_that_is_smaller_than_a_chunk_lets_one_through_at_a_time() {
    let mut sender = Sender::new(500);
    (0..4).for_each(|_| sender.push(900));
    for came in 0..4 {
        assert_eq!(sender.tsns(), [[came]]);
        sender.sack_with(came + 1, 500, &[]).unwrap();
    }
    assert!(sender.tx.is_empty());
}

#[test]
fn the_probe_is_not_forgotten_when_messages_come_later() {
    let mut sender = Sender::new(1000);
    sender.push(900);
    sender.packets();
    sender.sack_with(1, 0, &[]).unwrap();
    assert_eq!(sender.tx.timeout(), None, "there is nothing to send");
    sender.wait(5000);
    sender.push(900);
    assert_eq!(sender.tx.timeout(), Some(Time(6_000_000)));
}
