//! Timed reliability (RFC 3758, section 4.1).

use super::testing::{Sender, settings};
use crate::event::SendInfo;
use crate::types::Time;

#[test]
fn what_expires_before_it_is_sent_leaves_no_trace() {
    let mut sender = Sender::new(0);
    sender.push_mortal(0, 2000, 100);
    sender.push_mortal(0, 10, 300);
    sender.push(10);
    assert_eq!(sender.tx.timeout(), Some(Time(100_000)));
    sender.wait(100);
    sender.tx.advance(sender.now);
    assert_eq!(sender.failed(), [(false, 984), (false, 984), (false, 32)]);
    assert_eq!(sender.tx.buffered(), 2 * 138);
    assert_eq!(sender.tx.timeout(), Some(Time(300_000)));
    sender.wait(250);
    sender.sack_with(0, 1000, &[]).unwrap();
    // It is asked when it would be sent, too.
    let sent = sender.packets().concat();
    assert_eq!(sender.failed(), [(false, 10)]);
    assert_eq!((sent[0].tsn, sent[0].ssn), (0, 0), "its number is not taken: there is no hole");
    assert_eq!(sender.tx.counts().abandoned_unsent, 2);
    assert_eq!(sender.forward(), None);
}

#[test]
fn the_last_one_expires_and_all_is_done() {
    let mut sender = Sender::new(0);
    sender.push_mortal(0, 10, 100);
    assert!(!sender.tx.take_dry());
    sender.wait(100);
    sender.tx.advance(sender.now);
    assert!(sender.tx.is_empty() && sender.tx.take_dry());
    assert_eq!((sender.tx.buffered(), sender.tx.timeout()), (0, None));
}

#[test]
fn what_is_lost_and_has_expired_is_given_up() {
    let mut sender = Sender::new(100_000);
    sender.push_mortal(3, 984, 500);
    sender.push_mortal(4, 984, 5000);
    sender.push_mortal(3, 984, 500);
    assert_eq!(sender.tsns(), [[0], [1], [2]]);
    sender.sack(0, &[(1, 1)]);
    assert_eq!(sender.forward(), None, "it has not expired");
    sender.expire();
    assert_eq!(sender.failed(), [(true, 984), (true, 984)]);
    // C2: past 0, but not past 1, which is acknowledged, but not for certain.
    assert_eq!(sender.forward(), Some((1, vec![(3, 0)])));
    assert_eq!(sender.forward(), None, "once is enough");
    assert_eq!(sender.tsns(), [[]; 0]);
    assert!(sender.paths[0].t3_runs(), "C5: it may be lost");
    sender.sack(2, &[]);
    assert_eq!(sender.forward(), Some((3, vec![(3, 1)])));
    sender.sack(3, &[]);
    assert!(sender.tx.is_empty() && !sender.paths[0].t3_runs());
    assert_eq!(sender.tx.buffered(), 0);
    assert_eq!(sender.tx.counts().abandoned_sent, 2);
}

#[test]
fn a_forward_tsn_goes_again_until_it_is_acknowledged() {
    let mut sender = Sender::new(100_000);
    sender.push_mortal(0, 984, 500);
    sender.packets();
    sender.expire();
    assert_eq!(sender.forward(), Some((1, vec![(0, 0)])));
    for _ in 0..3 {
        assert!(sender.expire(), "the peer does not answer: an error");
        assert_eq!(sender.forward(), Some((1, vec![(0, 0)])));
    }
    sender.sack(1, &[]);
    assert!(sender.tx.is_empty());
    assert_eq!(sender.forward(), None);
}

#[test]
fn what_expires_while_it_waits_to_be_sent_again_is_given_up() {
    let mut sender = Sender::new(100_000);
    sender.push_mortal(0, 984, 1500);
    sender.push_mortal(0, 984, 1500);
    sender.packets();
    sender.expire();
    assert_eq!(sender.forward(), None);
    assert_eq!(sender.tsns(), [[0]], "the other one waits");
    sender.wait(600);
    sender.sack(1, &[]);
    assert_eq!(sender.forward(), Some((2, vec![(0, 1)])));
    assert_eq!(sender.tsns(), [[]; 0]);
    assert_eq!(sender.failed(), [(true, 984)]);
}

#[test]
fn what_is_on_its_way_is_not_given_up() {
    let mut sender = Sender::new(100_000);
    sender.push_mortal(0, 984, 100);
    sender.packets();
    sender.wait(500);
    sender.tx.advance(sender.now);
    sender.sack(1, &[]);
    assert_eq!(sender.failed(), []);
    assert!(sender.tx.is_empty());
}

#[test]
fn all_of_a_message_is_given_up_together() {
    // Ten fragments; four are on their way, the second is acknowledged.
    let mut sender = Sender::new(100_000);
    sender.push_mortal(5, 9840, 500);
    sender.push(10);
    assert_eq!(sender.tsns(), [[0], [1], [2], [3]]);
    sender.sack(1, &[(2, 2)]);
    let more = sender.packets().len();
    assert_eq!(more, 3);
    sender.expire();
    let failed = sender.failed();
    assert_eq!(failed.iter().filter(|(sent, _)| *sent).count(), 6, "all but the first");
    assert_eq!(failed.len(), 9);
    assert_eq!(sender.tx.buffered(), 128 + 138);
    // One TSN stands for all that was not sent, so that the peer does not wait for it.
    assert_eq!(sender.forward(), Some((8, vec![(5, 0)])));
    assert_eq!(sender.tsns(), [[8]]);
    sender.sack(9, &[]);
    assert!(sender.tx.is_empty() && sender.tx.buffered() == 0);
}

#[test]
fn unordered_messages_are_not_named() {
    let mut sender = Sender::new(100_000);
    let lifetime = Some(std::time::Duration::from_millis(1));
    sender.push_with(SendInfo { unordered: true, lifetime, ..SendInfo::default() }, 100);
    sender.packets();
    sender.expire();
    assert_eq!(sender.forward(), Some((1, vec![])));
}

#[test]
fn a_peer_that_does_not_know_it_gets_what_was_sent_once() {
    let mut sender = Sender::with(settings(), 100_000, false);
    sender.push_mortal(0, 984, 1);
    sender.packets();
    sender.push_mortal(0, 984, 1);
    sender.expire();
    assert_eq!(sender.tsns(), [[0]]);
    assert_eq!(sender.failed(), [(false, 984)], "what was not sent expires all the same");
    sender.sack(1, &[]);
    assert!(sender.tx.is_empty());
}

#[test]
fn room_for_some_streams_only() {
    let mut sender = Sender::new(100_000);
    (0..5).for_each(|stream| sender.push_mortal(stream, 10, 1));
    sender.packets();
    sender.expire();
    let mut take = |room| {
        let forward = sender.tx.take_forward(sender.now, &mut sender.paths, 0, room);
        forward.map(|(cumulative, skipped)| (cumulative.0 - 99, skipped.len()))
    };
    assert_eq!(take(11), None);
    assert_eq!(take(16), Some((2, 2)));
    assert_eq!(take(100), None, "the rest follows when that is acknowledged");
    sender.sack(2, &[]);
    assert_eq!(sender.forward(), Some((5, vec![(2, 0), (3, 0), (4, 0)])));
}
