//! What goes out when all goes well (RFC 9260, sections 6.1, 6.5, 6.9, 7.2.1).

use super::testing::{MTU, Sender, Sent, settings};
use super::{Outbound, Reason, Refused, Settings};
use crate::event::SendInfo;
use crate::types::{Time, Tsn};
use crate::wire::Data;

#[test]
fn messages_are_cut_into_fragments() {
    // (message, longest data of a chunk) -> fragments: 6.9
    for (len, max_segment, fragments) in [
        (1, 0, &[1][..]),
        (984, 0, &[984]),
        (985, 0, &[984, 1]),
        (2500, 0, &[984, 984, 532]),
        (1000, 400, &[400, 400, 200]),
        (10, 5000, &[10]),
        (3, 1, &[1, 1, 1]),
    ] {
        let mut sender = Sender::with(Settings { max_segment, ..settings() }, 100_000, false);
        sender.push(len);
        let sent: Vec<Sent> = sender.packets().concat();
        assert_eq!(sent.iter().map(|sent| sent.len).collect::<Vec<_>>(), fragments, "{len}");
        for (index, sent) in sent.iter().enumerate() {
            assert_eq!(sent.tsn as usize, index);
            assert_eq!((sent.beginning, sent.end), (index == 0, index + 1 == fragments.len()));
            assert_eq!(sent.ssn, 0, "all fragments of a message have the same");
        }
    }
}

#[test]
fn each_stream_has_its_numbers() {
    let mut sender = Sender::new(100_000);
    let streams = [(0, false), (3, false), (0, true), (0, false), (3, true), (3, false)];
    for (stream, unordered) in streams {
        sender.push_with(SendInfo { stream, unordered, ..SendInfo::default() }, 10);
    }
    let ssns: Vec<u16> = sender.packets().concat().iter().map(|sent| sent.ssn).collect();
    // 6.5, 6.6: an unordered message takes no number; its own is of no meaning.
    assert_eq!((ssns[0], ssns[1], ssns[3], ssns[5]), (0, 0, 1, 1));
}

#[test]
fn small_chunks_share_a_packet() {
    // lengths -> TSNs in each packet: 6.10, with 16 bytes and padding for each chunk
    for (lens, packets) in [
        (&[100, 100, 100][..], &[&[0, 1, 2][..]][..]),
        (&[484, 484, 1], &[&[0, 1], &[2]]),
        (&[481, 482], &[&[0, 1]]),
        (&[485, 485], &[&[0], &[1]]),
        (&[900, 70, 60], &[&[0], &[1, 2]]),
    ] {
        let mut sender = Sender::new(100_000);
        lens.iter().for_each(|len| sender.push(*len));
        assert_eq!(sender.tsns(), packets, "{lens:?}");
    }
}

#[test]
fn little_waits_while_something_is_on_its_way() {
    // (nodelay, nothing more will come, pushed later) -> chunks that go at once: Nagle, 6.1
    for (nodelay, finish, lens, sent) in [
        (true, false, &[10][..], 1),
        (false, false, &[10], 0),
        (false, true, &[10], 1),
        (false, false, &[900, 68], 2),
        (false, false, &[900, 60], 0),
        (false, false, &[900, 70], 1),
        // The rest of a message does not wait.
        (false, false, &[1000], 2),
    ] {
        let mut sender = Sender::with(Settings { nodelay, ..settings() }, 100_000, false);
        sender.push(10);
        assert_eq!(sender.tsns(), [[0]], "nothing is on its way");
        lens.iter().for_each(|len| sender.push(*len));
        if finish {
            sender.tx.finish();
        }
        assert_eq!(sender.tx.wants_to_send(&sender.paths, 0), sent > 0, "{lens:?}");
        assert_eq!(sender.packets().concat().len(), sent, "{nodelay} {finish} {lens:?}");
        sender.sack(u32::try_from(1 + sent).unwrap(), &[]);
        assert_eq!(sender.packets().concat().len(), lens.len().saturating_sub(sent));
    }
}

#[test]
fn the_congestion_window_is_filled_and_exceeded_once() {
    // The first window is 4000 bytes of chunks: 7.2.1, and 6.1, B.
    let mut sender = Sender::new(100_000);
    sender.push(984 * 10);
    assert_eq!(sender.tsns(), [[0], [1], [2], [3]]);
    let mut sender = Sender::new(100_000);
    (0..10).for_each(|_| sender.push(750));
    assert_eq!(sender.tsns(), [[0], [1], [2], [3]], "that is a burst");
    sender.push(1);
    assert_eq!(sender.tsns(), [[4], [5]], "5 * 768 is less than 4000, 6 * 768 is not");
}

#[test]
fn bursts_have_an_end() {
    let mut sender = Sender::new(1_000_000);
    sender.push(984 * 200);
    let came = sender.warm_up(10_000);
    assert_eq!(sender.packets().len(), 4, "the window has room for more: 6.1, D");
    assert_eq!(sender.packets().len(), 0);
    // The driver may take several SACKs before it asks for packets.
    sender.sack(came + 1, &[]);
    sender.sack(came + 2, &[]);
    assert_eq!(sender.packets().len(), 8);
}

#[test]
fn the_last_chunk_that_a_window_allows_asks_for_haste() {
    // (messages, peer's window, finished) -> the I bits: 6.1, RFC 7053
    for (lens, window, finish, bits) in [
        (&[10, 10][..], 1000, false, &[false, false][..]),
        (&[10, 10], 1000, true, &[false, true]),
        (&[10, 10, 10], 25, false, &[false, true]),
        // The congestion window is full after the fourth.
        (&[984, 984, 984, 984, 984], 100_000, false, &[false, false, false, true]),
        (&[984, 984, 984, 984], 100_000, false, &[false, false, false, false]),
    ] {
        let mut sender = Sender::new(window);
        lens.iter().for_each(|len| sender.push(*len));
        if finish {
            sender.tx.finish();
        }
        let sent: Vec<bool> = sender.packets().concat().iter().map(|sent| sent.immediate).collect();
        assert_eq!(sent, bits, "{lens:?} into {window}");
    }
}

#[test]
fn what_is_refused() {
    let settings = Settings { send_buffer: 1000, ..settings() };
    for (stream, len, disable_fragments, result) in [
        (0, 1, false, Ok(129)),
        (9, 1000, false, Ok(1128)),
        (0, 1001, false, Err(Refused::TooLong)),
        (0, 0, false, Err(Refused::Invalid)),
        (10, 1, false, Err(Refused::Invalid)),
        (0, 984, true, Ok(1112)),
        (0, 985, true, Err(Refused::TooLong)),
    ] {
        let mut sender = Sender::with(Settings { disable_fragments, ..settings }, 1000, false);
        let info = SendInfo { stream, ..SendInfo::default() };
        assert_eq!(sender.tx.push(Time(0), info, &vec![0; len]), result, "{stream} {len}");
    }
}

#[test]
fn the_buffer_is_free_when_all_is_acknowledged() {
    let mut sender = Sender::with(Settings { send_buffer: 2000, ..settings() }, 100_000, false);
    let info = SendInfo::default();
    sender.push(1000);
    sender.push(2000);
    assert_eq!(sender.tx.buffered(), 3256, "any room is room enough");
    assert_eq!(sender.tx.push(Time(0), info, &[1]), Err(Refused::Full));
    assert!(!sender.tx.take_dry());
    assert_eq!(sender.packets().concat().len(), 4, "984, 16; 984, 984");
    assert_eq!(sender.sack(1, &[]).freed, 984);
    assert_eq!(sender.packets().concat().len(), 1, "32");
    assert_eq!(sender.sack(2, &[]).freed, 16 + 128);
    assert_eq!(sender.tx.push(Time(0), info, &[1]), Err(Refused::Full), "2128 are left");
    assert_eq!(sender.sack(4, &[]).freed, 1968);
    sender.push(1);
    assert_eq!(sender.tx.buffered(), 160 + 129);
    sender.packets();
    assert!(!sender.tx.take_dry() && !sender.tx.is_empty());
    assert_eq!(sender.sack(6, &[]).freed, 160 + 129);
    assert!(sender.tx.take_dry() && sender.tx.is_empty());
    assert!(!sender.tx.take_dry(), "told once");
    assert_eq!(sender.tx.buffered(), 0);
}

#[test]
fn nothing_goes_out_before_the_association_is_up() {
    let mut sender = Sender::new(1000);
    sender.tx = Outbound::new(settings(), Tsn(100), 10, MTU);
    for stream in [0, 5, 9] {
        sender.push_with(SendInfo { stream, context: stream.into(), ..SendInfo::default() }, 10);
    }
    assert!(!sender.tx.wants_to_send(&sender.paths, 0));
    assert_eq!(sender.packets(), Vec::<Vec<Sent>>::new());
    // The peer allows fewer streams than we wished for.
    sender.tx.establish(1000, 6, false);
    let failed = sender.tx.take_failed().unwrap();
    assert_eq!((failed.reason, failed.sent, failed.info.context), (Reason::NoStream, false, 9));
    assert_eq!(sender.tsns(), [[0, 1]]);
    let info = SendInfo { stream: 6, ..SendInfo::default() };
    assert_eq!(sender.tx.push(Time(0), info, &[1]), Err(Refused::Invalid));
}

#[test]
fn a_smaller_mtu_cuts_smaller_and_leaves_what_was_cut() {
    let mut sender = Sender::new(100_000);
    sender.push(1500);
    sender.push(1500);
    assert_eq!(sender.packet(0)[0].len, 984);
    sender.tx.set_mtu(612);
    assert_eq!(sender.tx.fragmentation_point(), 584);
    let packets = sender.packets();
    let lens = packets.iter().map(|packet| packet.iter().map(|sent| sent.len).collect());
    assert_eq!(lens.collect::<Vec<Vec<usize>>>(), [vec![516], vec![584], vec![584, 332]]);
    sender.expire();
    // The first one does not fit into a packet any more: it goes alone, and only into an empty one.
    let mut put = |_: &Data<'_>| panic!("there is no room");
    let Sender { now, tx, paths } = &mut sender;
    assert_eq!(tx.produce(*now, paths, 0, 600, false, &mut put), 0);
    let mut lens = Vec::new();
    let mut put = |data: &Data<'_>| lens.push(data.payload.len());
    assert_eq!(tx.produce(*now, paths, 0, 600, true, &mut put), 1);
    assert_eq!(lens, [984]);
}

#[test]
fn everything_fails_when_the_association_is_over() {
    let mut sender = Sender::new(100_000);
    sender.push(100);
    sender.push(984 * 5);
    sender.push(1000);
    sender.packets();
    sender.sack(1, &[(2, 2)]);
    sender.packets();
    assert_eq!(sender.tx.counts().unacked, 5);
    sender.tx.fail_all();
    let failed = std::iter::from_fn(|| sender.tx.take_failed());
    let failed: Vec<_> = failed
        .inspect(|failed| assert_eq!(failed.reason, Reason::Ended))
        .map(|failed| (failed.sent, failed.bytes.len(), failed.beginning, failed.end))
        .collect();
    // A SACK may be taken back: what only gaps have acknowledged has failed.
    let expected = [
        (true, 984, true, false),
        (true, 984, false, false),
        (true, 984, false, false),
        (true, 984, false, false),
        (true, 984, false, true),
        (false, 984, true, false),
        (false, 16, false, true),
    ];
    assert_eq!(failed, expected);
    assert!(sender.tx.is_empty());
    assert_eq!(sender.tx.buffered(), 0);
}
