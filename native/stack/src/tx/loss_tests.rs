//! What SACKs and timers do (RFC 9260, sections 6.2.1, 6.3, 7.2.3, 7.2.4, 8).

use std::time::Duration;

use super::testing::{FIRST, Sender, path};
use crate::event::PathChange;
use crate::params::{PathParams, RtoParams};
use crate::status::PathState;
use crate::types::{Time, Tsn};
use crate::wire::Gap;

/// A sender with so many chunks of one packet each on their way, four at most.
fn flying(chunks: u32) -> Sender {
    let mut sender = Sender::new(1_000_000);
    (0..chunks).for_each(|_| sender.push(984));
    assert_eq!(sender.packets().len() as u32, chunks);
    sender
}

#[test]
fn what_sacks_may_say() {
    // Four chunks were sent, one is acknowledged: (came, gaps) -> old, news, or a violation
    for (came, gaps, expected) in [
        (0, &[][..], Some(false)),
        (1, &[], Some(false)),
        (2, &[], Some(true)),
        (4, &[], Some(true)),
        (5, &[], None),
        (1, &[(2, 3)], Some(true)),
        (1, &[(3, 3), (2, 2)], Some(true)),
        (1, &[(2, 4)], None),
        (1, &[(2, 2), (9, 9)], None),
        // Nonsense, but nothing that was not sent.
        (1, &[(3, 2)], Some(false)),
        (1, &[(2, 3), (2, 3), (3, 3)], Some(true)),
    ] {
        let mut sender = flying(4);
        sender.sack(1, &[]);
        let acked = sender.sack_with(came, 100_000, gaps);
        assert_eq!(acked.ok().map(|acked| acked.news), expected, "{came} {gaps:?}");
    }
    let mut sender = flying(4);
    for cumulative in [FIRST + 4, FIRST.wrapping_add(0x7fff_ffff)] {
        let tsn = Tsn(cumulative);
        assert!(sender.tx.shutdown_ack(Time(0), &mut sender.paths, tsn).is_err());
    }
    let far_back = Tsn(FIRST.wrapping_sub(0x7fff_0000));
    let old = sender.tx.shutdown_ack(Time(0), &mut sender.paths, far_back).unwrap();
    assert!(!old.news && sender.paths[0].flight() == 4000);
}

#[test]
fn a_shutdown_acknowledges_and_takes_nothing_back() {
    let mut sender = flying(4);
    sender.sack(0, &[(2, 2)]);
    let tsn = Tsn(FIRST);
    assert!(sender.tx.shutdown_ack(sender.now, &mut sender.paths, tsn).unwrap().news);
    assert_eq!(sender.paths[0].flight(), 2000, "the gap is still acknowledged");
}

#[test]
fn the_third_report_sends_again() {
    let mut sender = flying(4);
    sender.sack(0, &[(1, 1)]);
    sender.sack(0, &[(1, 2)]);
    assert_eq!(sender.tsns(), [[]; 0], "two reports");
    let cwnd = sender.paths[0].cwnd();
    sender.sack(0, &[(1, 3)]);
    assert_eq!(sender.paths[0].cwnd(), (cwnd / 2).max(4000), "7.2.3");
    assert_eq!(sender.tsns(), [[0]]);
    assert_eq!(sender.tx.counts().retransmissions, 1);
    sender.sack(4, &[]);
    assert!(sender.tx.is_empty());
}

#[test]
fn reports_count_below_what_is_new() {
    // Each SACK acknowledges something new below chunk 2, which is missing all the time: HTNA, 7.2.4
    let mut sender = flying(4);
    sender.sack(0, &[(3, 3)]);
    sender.sack(0, &[(1, 1), (3, 3)]);
    sender.sack(2, &[(3, 3)]);
    sender.sack(2, &[(3, 3)]);
    assert_eq!(sender.tsns(), [[]; 0], "it was reported once above which something was new");
}

#[test]
fn fast_recovery_halves_once_and_ends_at_its_exit() {
    let mut sender = Sender::new(1_000_000);
    sender.push(984 * 200);
    let came = sender.warm_up(12_000);
    let mut sent = came;
    while sender.paths[0].flight() < 12_000 {
        sent += sender.packets().len() as u32;
        // Nothing new, but another burst.
        sender.sack(came, &[]);
    }
    let cwnd = sender.paths[0].cwnd();
    // came and came + 2 are missing.
    for last in 3..6 {
        sender.sack(came, &[(came + 1, came + 1), (came + 3, came + last)]);
    }
    let half = sender.paths[0].cwnd();
    assert_eq!(half, cwnd / 2);
    let again = sender.packets();
    assert_eq!(again[0][0].tsn, came, "7.2.4, 3: whatever the window says");
    let still = sent;
    sent += again.iter().flatten().filter(|chunk| chunk.tsn >= still).count() as u32;
    // In recovery another loss does not halve it again, and nothing lets it grow.
    for last in 6..10 {
        let missing = [(came + 5, came + 5), (came + 7, came + last)];
        sender.sack(came + 4, &missing);
        assert_eq!(sender.paths[0].cwnd(), half);
    }
    // Until all that was outstanding when it began is acknowledged.
    sender.sack(sent, &[]);
    assert!(sender.tx.recovery.is_none());
}

#[test]
fn what_was_sent_again_waits_for_the_timer() {
    let mut sender = flying(4);
    (1..4).for_each(|last| {
        sender.sack(0, &[(1, last)]);
    });
    assert_eq!(sender.tsns(), [[0]]);
    sender.push(984 * 8);
    let mut last = 3 + sender.packets().len() as u32;
    for _ in 0..4 {
        sender.sack(0, &[(1, last)]);
        last +=
            sender.packets().iter().flatten().inspect(|sent| assert!(sent.tsn > 0)).count() as u32;
    }
    sender.expire();
    assert_eq!(sender.packet(0)[0].tsn, 0);
}

#[test]
fn a_timeout_sends_one_packet_and_backs_off() {
    let mut sender = Sender::new(1_000_000);
    (0..6).for_each(|_| sender.push(480));
    assert_eq!(sender.tsns(), [[0, 1], [2, 3], [4, 5]]);
    assert_eq!(sender.paths[0].rto(), Duration::from_secs(1));
    assert!(sender.expire(), "it is an error");
    assert_eq!(sender.now, Time(1_000_000));
    assert_eq!(sender.paths[0].cwnd(), 1000, "7.2.3");
    assert_eq!(sender.paths[0].rto(), Duration::from_secs(2), "6.3.3, E2");
    sender.push(984);
    assert_eq!(sender.tsns(), [[0, 1]], "E3, and one packet only until something is acknowledged");
    assert_eq!(sender.paths[0].timeout(), Some(Time(3_000_000)));
    sender.sack(2, &[]);
    // What is marked goes first (6.1, C), as the window allows.
    assert_eq!(sender.tsns(), [[2, 3], [4, 5]]);
    assert_eq!(sender.tx.counts().retransmissions, 6);
    sender.sack(6, &[]);
    assert_eq!(sender.tsns(), [[6]]);
}

#[test]
fn what_gaps_acknowledge_is_not_sent_again() {
    let mut sender = flying(4);
    sender.sack(0, &[(2, 2)]);
    sender.expire();
    let mut tsns = Vec::new();
    for came in [0, 1, 3] {
        sender.sack(came, &[(2, 2)][..usize::from(came < 2)]);
        tsns.extend(sender.tsns().concat());
    }
    assert_eq!(tsns, [0, 1, 3]);
}

#[test]
fn an_acknowledgement_may_be_taken_back() {
    let mut sender = flying(4);
    sender.sack(1, &[(2, 3)]);
    assert_eq!(sender.paths[0].flight(), 1000);
    // 6.2.1, D iii: on their way again, and T3-rtx runs for them.
    sender.sack(1, &[]);
    assert_eq!(sender.paths[0].flight(), 3000);
    assert!(sender.paths[0].t3_runs());
    sender.expire();
    assert_eq!(sender.tsns(), [[1]]);
    sender.sack(4, &[]);
    assert!(sender.tx.is_empty() && sender.paths[0].flight() == 0);
}

#[test]
fn when_the_timer_runs() {
    let mut sender = flying(3);
    assert_eq!(sender.paths[0].timeout(), Some(Time(1_000_000)), "6.3.2, R1");
    sender.wait(100);
    sender.sack(0, &[(1, 1)]);
    assert_eq!(sender.paths[0].timeout(), Some(Time(1_000_000)), "the earliest is missing");
    sender.sack(2, &[]);
    assert_eq!(sender.paths[0].timeout(), Some(Time(1_100_000)), "R3");
    sender.sack(3, &[]);
    assert_eq!(sender.paths[0].timeout(), None, "R2");
}

#[test]
fn round_trips_are_measured_once_at_a_time_and_not_of_what_was_sent_again() {
    let mut sender = flying(3);
    sender.wait(50);
    sender.sack(1, &[]);
    assert_eq!(sender.paths[0].srtt(), Duration::from_millis(50));
    sender.wait(50);
    sender.sack(2, &[]);
    assert_eq!(sender.paths[0].srtt(), Duration::from_millis(50), "6.3.1, C4");
    sender.expire();
    assert_eq!(sender.tsns(), [[2]]);
    sender.wait(5);
    sender.sack(3, &[]);
    assert_eq!(sender.paths[0].srtt(), Duration::from_millis(50), "C5");
}

#[test]
fn errors_make_a_path_inactive_and_an_answer_makes_it_active() {
    let mut sender = flying(1);
    for count in 1..=6 {
        assert_eq!(sender.paths[0].take_change(), None);
        assert_eq!(sender.paths[0].state(), PathState::Active);
        assert!(sender.expire(), "error {count}: 8.1");
        assert_eq!(sender.tsns(), [[0]]);
    }
    // 8.2: Path.Max.Retrans is 5.
    assert_eq!(sender.paths[0].take_change(), Some(PathChange::Unreachable));
    assert_eq!(sender.paths[0].state(), PathState::Inactive);
    sender.expire();
    assert_eq!(sender.paths[0].take_change(), None, "it is told once");
    // Late, when it is taken for lost: it is an answer all the same.
    assert!(sender.sack(1, &[]).news);
    assert_eq!(sender.paths[0].take_change(), Some(PathChange::Available));
    assert_eq!(sender.paths[0].state(), PathState::Active);
}

#[test]
fn an_old_answer_is_no_news() {
    let mut sender = flying(2);
    assert!(sender.sack(1, &[]).news);
    assert!(!sender.sack(1, &[]).news);
    assert!(!sender.sack(0, &[(1, 1)]).news);
}

#[test]
fn a_path_that_was_silent_begins_slowly() {
    let mut sender = Sender::new(1_000_000);
    sender.push(984 * 100);
    sender.warm_up(1_000_000);
    let cwnd = sender.paths[0].cwnd();
    sender.wait(2100);
    sender.push(10);
    sender.packets();
    assert_eq!(sender.paths[0].cwnd(), cwnd / 4, "7.2.1: two RTOs");
}

#[test]
fn a_chunk_may_be_sent_again_on_another_path() {
    let mut sender = flying(2);
    sender.paths.push(path());
    sender.expire();
    assert_eq!((sender.paths[0].flight(), sender.paths[1].flight()), (0, 0));
    let tsns: Vec<u32> = sender.packet(1).iter().map(|sent| sent.tsn).collect();
    assert_eq!(tsns, [0]);
    // 6.4: it is outstanding there, and that timer runs for it.
    assert_eq!((sender.paths[0].flight(), sender.paths[1].flight()), (0, 1000));
    assert!(!sender.paths[0].t3_runs() && sender.paths[1].t3_runs());
    assert_eq!(sender.packet(0).len(), 1, "the other one on the first path");
    sender.sack(1, &[]);
    assert_eq!((sender.paths[0].flight(), sender.paths[1].flight()), (1000, 0));
    assert!(sender.paths[0].t3_runs() && !sender.paths[1].t3_runs());
}

#[test]
fn other_parameters_count_from_now_on() {
    let mut sender = flying(1);
    let rto = RtoParams {
        initial: Duration::from_millis(300),
        min: Duration::from_millis(100),
        max: Duration::from_millis(500),
    };
    let params = PathParams { max_retransmissions: 0, mtu: 512, ..PathParams::default() };
    sender.paths[0].configure(sender.now, &params, &rto);
    assert_eq!((sender.paths[0].rto(), sender.paths[0].mtu()), (rto.initial, 512));
    sender.expire();
    assert_eq!(sender.paths[0].take_change(), Some(PathChange::Unreachable));
    assert_eq!(sender.paths[0].rto(), rto.max);
}

#[test]
fn what_went_along_with_a_cookie_goes_again() {
    let mut sender = flying(2);
    let rto = sender.paths[0].rto();
    sender.tx.cookie_expired(sender.now, &mut sender.paths, 0);
    assert_eq!(sender.tsns(), [[0]]);
    assert_eq!(sender.paths[0].rto(), rto, "it is no error of the path's");
    // The association begins with another window and fewer streams after all.
    sender.tx.establish(5000, 1, false);
    assert_eq!(sender.tx.counts().window, 5000 - 984);
    sender.sack(1, &[]);
    assert_eq!(sender.tsns(), [[1]]);
}

/// 3.3.4: a block begins after the first chunk that is missing. One that does not would leave nothing
/// on its way, and so no timer.
#[test]
fn a_gap_block_says_nothing_of_the_first_chunk() {
    for start in [0, 1] {
        let mut sender = flying(2);
        let gaps = [Gap { start, end: 2 }].into_iter();
        let cumulative = Tsn(FIRST).previous();
        sender.tx.sack(sender.now, &mut sender.paths, cumulative, 10_000, gaps).unwrap();
        assert!(sender.paths[0].t3_runs(), "{start}");
        assert!(sender.expire(), "{start}");
        assert_eq!(sender.tsns(), [[0]], "{start}");
    }
}

/// 6.2.1, D iii: what the peer takes back is missing once by that, whether others are missing or not.
#[test]
fn what_is_taken_back_is_missing_once() {
    let mut sender = Sender::new(1_000_000);
    (0..8).for_each(|_| sender.push(200));
    sender.packets();
    sender.sack(0, &[(1, 2)]);
    sender.sack(0, &[(3, 3)]);
    assert_eq!(sender.tsns(), [[]; 0]);
    sender.sack(0, &[(3, 4)]);
    assert_eq!(sender.tsns(), [[0]], "the third report about 0, the second about 1 and 2");
    sender.sack(0, &[(3, 5)]);
    assert_eq!(sender.tsns(), [[1, 2]]);
    // Above all that is newly acknowledged it counts, too.
    let mut sender = Sender::new(1_000_000);
    (0..8).for_each(|_| sender.push(200));
    sender.packets();
    sender.sack(0, &[(2, 2)]);
    sender.sack(0, &[]);
    sender.sack(0, &[(3, 3)]);
    sender.sack(0, &[(3, 4)]);
    assert_eq!(sender.tsns(), [[0, 1, 2]]);
}
