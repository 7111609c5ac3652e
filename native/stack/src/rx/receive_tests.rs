//! What comes out, and what is refused (RFC 9260, sections 6.2, 6.5 to 6.7, 6.9).

use proptest::prelude::*;

use super::testing::{Chunk, FIRST, Receiver, fragment, whole};
use super::{Delivered, Message, Verdict};
use crate::types::{Ssn, Time, Tsn};

#[test]
fn messages_come_out_in_the_order_of_their_streams() {
    let mut receiver = Receiver::new(100_000);
    let other = Chunk { stream: 3, ..whole(2, 0) };
    let unordered = Chunk { unordered: true, ..whole(3, 77) };
    receiver.get_all(&[whole(1, 1), other, unordered, whole(4, 2)]);
    // Those of other streams need not wait, and what is unordered waits for nothing.
    assert_eq!(receiver.read(), [(3, 0, 10, true), (0, 77, 10, true)]);
    receiver.get_all(&[whole(0, 0)]);
    assert_eq!(receiver.read(), [(0, 0, 10, true), (0, 1, 10, true), (0, 2, 10, true)]);
    assert_eq!(receiver.rx.charged(), 0);
}

#[test]
fn what_is_told_of_a_message() {
    let mut receiver = Receiver::new(100_000);
    receiver.get_all(&[
        fragment('E', 2, 0),
        Chunk { ppid: 9, stream: 4, unordered: true, ..whole(3, 8) },
        fragment('B', 0, 0),
    ]);
    receiver.get_all(&[fragment('M', 1, 0)]);
    let messages = receiver.waits();
    let expected = Message {
        stream: 4,
        ssn: Ssn(8),
        unordered: true,
        ppid: 9,
        tsn: Tsn(FIRST + 3),
        cumulative: Tsn(FIRST - 1),
        bytes: vec![3; 10],
        end: true,
        charge: 138,
    };
    assert_eq!(messages[0], expected);
    assert_eq!((messages[1].tsn, messages[1].cumulative), (Tsn(FIRST), Tsn(FIRST + 3)));
    assert_eq!(messages[1].bytes, [[0; 10], [1; 10], [2; 10]].concat());
    assert_eq!(messages[1].charge, 158);
}

#[test]
fn what_is_refused() {
    let violation = |verdict| matches!(verdict, Verdict::Violation(_));
    let other_stream = Chunk { stream: 1, ..fragment('M', 1, 0) };
    let other_ppid = Chunk { ppid: 1, ..fragment('M', 1, 0) };
    let other_order = Chunk { unordered: true, ..fragment('M', 1, 0) };
    // What comes first, then the chunk that nobody sends: 3.3.1, 6.6, 6.9
    for (before, chunk) in [
        (&[fragment('B', 0, 0)][..], fragment('B', 1, 1)),
        (&[fragment('B', 0, 0)], whole(1, 1)),
        (&[fragment('B', 0, 0)], fragment('M', 1, 1)),
        (&[fragment('B', 0, 0)], other_stream),
        (&[fragment('B', 0, 0)], other_ppid),
        (&[fragment('B', 0, 0)], other_order),
        (&[fragment('E', 2, 0)], fragment('E', 1, 0)),
        (&[fragment('B', 2, 0)], fragment('M', 1, 0)),
        (&[fragment('M', 2, 0)], fragment('M', 1, 1)),
        (&[whole(1, 1)], fragment('B', 0, 0)),
        (&[whole(1, 1)], fragment('M', 0, 0)),
        (&[], fragment('M', 0, 0)),
        (&[], fragment('E', 0, 0)),
        (&[whole(0, 0)], fragment('E', 1, 1)),
        (&[whole(0, 0)], whole(1, 0)),
        (&[whole(1, 1)], whole(2, 1)),
        (&[whole(0, 0)], whole(1, 65_535)),
        // The whole message after it has come out already.
        (&[Chunk { unordered: true, ..whole(1, 0) }], fragment('B', 0, 0)),
    ] {
        let mut receiver = Receiver::new(100_000);
        receiver.get_all(before);
        let verdict = receiver.get(chunk);
        assert!(violation(verdict), "{chunk:?} after {before:?} is {verdict:?}");
    }
}

#[test]
fn unordered_fragments_have_no_number() {
    let mut receiver = Receiver::new(100_000);
    for (kind, tsn, ssn) in [('B', 0, 5), ('M', 1, 6), ('E', 2, 7)] {
        receiver.get_all(&[Chunk { unordered: true, ..fragment(kind, tsn, ssn) }]);
    }
    assert_eq!(receiver.read(), [(0, 5, 30, true)], "6.6: the field is ignored");
}

#[test]
fn data_without_data() {
    let mut receiver = Receiver::new(100_000);
    let verdict = receiver.get(Chunk { len: 0, ..whole(0, 0) });
    assert_eq!(verdict, Verdict::NoUserData(Tsn(FIRST)));
    assert_eq!(receiver.came(), (0, vec![]));
}

#[test]
fn a_stream_that_is_not_there() {
    let mut receiver = Receiver::new(100_000);
    assert_eq!(receiver.get(Chunk { stream: 10, ..whole(0, 0) }), Verdict::InvalidStream(10));
    assert_eq!(receiver.came(), (1, vec![]), "6.5: the TSN counts");
    receiver.get_all(&[Chunk { stream: 9, ..whole(1, 0) }]);
    assert_eq!(receiver.read(), [(9, 0, 10, true)]);
    // In the middle of a message it is worse.
    receiver.get_all(&[fragment('B', 2, 0)]);
    let verdict = receiver.get(Chunk { stream: 10, ..whole(3, 0) });
    assert!(matches!(verdict, Verdict::Violation(_)));
}

#[test]
fn when_a_sack_goes() {
    let urgent = Chunk { immediate: true, ..whole(1, 1) };
    // Chunks, a packet each -> SACKs: 6.2, 6.7
    for (chunks, sacks) in [
        // The very first one: 5.1.
        (&[whole(0, 0)][..], &[true][..]),
        (&[whole(0, 0), whole(1, 1), whole(2, 2), whole(3, 3)], &[true, false, true, false]),
        (&[whole(0, 0), urgent], &[true, true]),
        // A gap, data behind it, what fills it, and then no more.
        (&[whole(1, 1), whole(2, 2), whole(0, 0), whole(3, 3)], &[true, true, true, false]),
        // It came before.
        (&[whole(0, 0), whole(1, 1), whole(1, 1)], &[true, false, true]),
        // Too far ahead to be taken.
        (&[whole(20_000, 0)], &[true]),
    ] {
        let mut receiver = Receiver::new(100_000);
        let due: Vec<bool> = chunks
            .iter()
            .map(|chunk| {
                receiver.get(*chunk);
                receiver.sack().is_some()
            })
            .collect();
        assert_eq!(due, sacks, "{chunks:?}");
    }
}

#[test]
fn a_sack_that_waits_goes_in_time_or_in_company() {
    let mut receiver = Receiver::new(100_000);
    receiver.get_all(&[whole(0, 0)]);
    assert!(receiver.sack().is_some());
    receiver.get_all(&[whole(1, 1)]);
    assert!(receiver.rx.sack_is_pending() && !receiver.rx.sack_is_due(Time(0)));
    assert_eq!(receiver.rx.timeout(), Some(Time(200_000)));
    assert!(receiver.rx.sack_is_due(Time(200_000)));
    assert_eq!(receiver.rx.take_sack().cumulative, Tsn(FIRST + 1));
    assert!(!receiver.rx.sack_is_pending());
    receiver.rx.want_sack();
    assert!(receiver.rx.sack_is_due(Time(0)));
}

#[test]
fn duplicates_are_reported() {
    let mut receiver = Receiver::new(100_000);
    receiver.get_all(&[whole(0, 0), whole(0, 0), whole(2, 2), whole(2, 2)]);
    assert_eq!(receiver.rx.take_duplicates(), [Tsn(FIRST), Tsn(FIRST + 2)]);
    assert_eq!(receiver.read(), [(0, 0, 10, true)]);
    assert_eq!(receiver.came(), (1, vec![(2, 2)]));
}

#[test]
fn other_settings_count_from_now_on() {
    let mut receiver = Receiver::new(100_000);
    let settings = super::Settings { sack_frequency: 1, ..super::testing::settings(1) };
    receiver.rx.configure(settings);
    receiver.get_all(&[whole(0, 0)]);
    assert_eq!(receiver.sack(), Some(100_000 - 10), "the buffer stays");
    receiver.get_all(&[whole(1, 1)]);
    assert!(receiver.sack().is_some());
}

/// Messages as one chunk or many, in any order of streams: their chunks, in the order of their TSNs.
fn messages() -> impl Strategy<Value = Vec<Chunk>> {
    let message = (0..3_u16, any::<bool>(), 1..5_u32, 1..20_usize);
    proptest::collection::vec(message, 1..30).prop_map(|messages| {
        let (mut chunks, mut ssns) = (Vec::new(), [0_u16; 3]);
        for (ppid, (stream, unordered, fragments, len)) in (0..).zip(messages) {
            let ssn = ssns[usize::from(stream)];
            ssns[usize::from(stream)] += u16::from(!unordered);
            for fragment in 0..fragments {
                let (beginning, end) = (fragment == 0, fragment + 1 == fragments);
                let tsn = chunks.len() as u32;
                let immediate = false;
                chunks.push(Chunk {
                    tsn,
                    stream,
                    ssn,
                    ppid,
                    unordered,
                    beginning,
                    end,
                    immediate,
                    len,
                });
            }
        }
        chunks
    })
}

proptest! {
    /// Whatever the order in which chunks come, and however often: each message comes out once, whole,
    /// and in the order of its stream.
    #[test]
    fn any_order_will_do(
        (chunks, order) in messages().prop_flat_map(|chunks| {
            let twice: Vec<usize> = (0..chunks.len()).chain(0..chunks.len()).collect();
            (Just(chunks), Just(twice).prop_shuffle())
        })
    ) {
        let mut receiver = Receiver::new(1_000_000);
        let mut out = Vec::new();
        for index in order {
            receiver.get_all(&[chunks[index]]);
            out.extend(receiver.waits());
        }
        let (came, gaps) = receiver.came();
        prop_assert_eq!((came as usize, gaps), (chunks.len(), vec![]));
        let expected = |ppid: u32| -> Vec<u8> {
            let of_message = chunks.iter().filter(|chunk| chunk.ppid == ppid);
            of_message.flat_map(|chunk| vec![chunk.tsn as u8; chunk.len]).collect()
        };
        let mut next = [0; 3];
        for message in &out {
            prop_assert_eq!(&message.bytes, &expected(message.ppid));
            prop_assert!(message.end);
            if !message.unordered {
                let next = &mut next[usize::from(message.stream)];
                prop_assert_eq!(message.ssn.0, *next);
                *next += 1;
            }
        }
        let all = chunks.iter().filter(|chunk| chunk.end).count();
        prop_assert_eq!(out.len(), all);
        out.iter().for_each(|message| receiver.rx.release(message.charge));
        prop_assert_eq!(receiver.rx.charged(), 0);
        prop_assert!(receiver.rx.take().is_none());
    }
}

#[test]
fn the_end_of_the_association() {
    let mut receiver = Receiver::new(1000);
    receiver.get_all(&[Chunk { len: 900, ..fragment('B', 0, 0) }, whole(2, 1)]);
    receiver.rx.fail_all();
    let out = std::iter::from_fn(|| receiver.rx.take()).collect::<Vec<_>>();
    assert!(matches!(out[0], Delivered::Data(_)), "a part came out, for the window was closed");
    assert_eq!(out[1], Delivered::Aborted { stream: 0, ssn: Ssn(0) });
    assert_eq!(out.len(), 2);
}
