//! Whatever a peer sends, memory is bounded (RFC 9260, section 12.2 of its threats; 6.2).

use proptest::prelude::*;

use super::tally::Tally;
use super::testing::{Chunk, Receiver, fragment, settings};
use super::{Settings, Verdict};

#[derive(Clone, Debug)]
enum Step {
    Data(Chunk),
    Forward(u32, Vec<(u16, u16)>),
    /// The user receives all there is.
    Read,
}

/// Mostly what makes some sense, as that goes deepest.
fn chunk() -> impl Strategy<Value = Chunk> {
    let tsn = prop_oneof![
        8 => 0..40_u32,
        2 => 0..3000_u32,
        1 => prop_oneof![Just(u32::MAX), Just(1 << 31), Just(20_000), any::<u32>()],
    ];
    let ssn = prop_oneof![6 => 0..4_u16, 3 => 0..40_u16, 1 => any::<u16>()];
    let len = prop_oneof![6 => Just(1_usize), 3 => 0..1000_usize, 1 => Just(60_000)];
    (tsn, 0..12_u16, ssn, 0..2_u32, any::<(bool, bool, bool)>(), len).prop_map(
        |(tsn, stream, ssn, ppid, (unordered, beginning, end), len)| Chunk {
            tsn,
            stream: if stream < 9 { 0 } else { stream },
            ssn,
            ppid: if ppid == 0 { 0 } else { ppid },
            unordered,
            beginning,
            end,
            immediate: false,
            len,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let skipped = proptest::collection::vec((0..12_u16, 0..40_u16), 0..4);
    let step = prop_oneof![
        30 => chunk().prop_map(Step::Data),
        1 => (0..100_u32, skipped).prop_map(|(over, skipped)| Step::Forward(over, skipped)),
        1 => Just(Step::Read),
    ];
    proptest::collection::vec(step, 0..120)
}

proptest! {
    /// A violation ends the association; here it goes on, to see more.
    #[test]
    fn memory_is_bounded(
        receive_buffer in prop_oneof![0..2000_usize, 2000..20_000_usize],
        partial_delivery_point in prop_oneof![Just(0), 1..2000_usize],
        steps in steps(),
    ) {
        let settings = Settings { partial_delivery_point, ..settings(receive_buffer) };
        let mut receiver = Receiver::with(settings);
        let mut violations = 0;
        for step in steps {
            match step {
                Step::Data(chunk) => {
                    let verdict = receiver.get(chunk);
                    violations += usize::from(matches!(verdict, Verdict::Violation(_)));
                }
                Step::Forward(over, skipped) => {
                    receiver.forward(over, &skipped);
                }
                Step::Read => {
                    receiver.read();
                }
            }
            // Two chunks may go beyond it, and what is kept of the message that is delivered in parts:
            // the head of `rx`. And one for each violation that should have been the end.
            let chunk = 60_000 + Tally::OVERHEAD + 8;
            let most = 2 * receive_buffer + (2 + violations) * chunk + Tally::OVERHEAD;
            prop_assert!(receiver.rx.charged() <= most, "{}", receiver.rx.charged());
            receiver.rx.take_sack();
        }
        prop_assert!(receiver.came().1.len() <= 8192);
    }

    /// Chunks that no other contradicts, from a peer that ignores the window: no violation is seen, and
    /// nothing grows.
    #[test]
    fn a_flood_is_bounded(
        receive_buffer in 0..20_000_usize,
        tsns in proptest::collection::vec(0..5000_u32, 0..600),
        len in prop_oneof![Just(1), 1..2000_usize],
        unordered: bool,
        read in 1..100_usize,
    ) {
        let mut receiver = Receiver::new(receive_buffer);
        for (count, tsn) in tsns.into_iter().enumerate() {
            let chunk = Chunk { len, unordered, ..super::testing::whole(tsn, tsn as u16) };
            prop_assert_eq!(receiver.get(chunk), Verdict::Fine);
            prop_assert!(receiver.rx.charged() < 2 * receive_buffer + len + 129);
            if count % read == 0 {
                receiver.read();
            }
            receiver.rx.take_sack();
        }
    }
}

/// Fragments that come last first, one byte each before a large end: each is put before those that
/// are there, and these are not copied for it.
#[test]
fn fragments_in_reverse_cost_no_more_than_in_order() {
    let mut receiver = Receiver::new(200_000);
    let lens = |tsn: u32| if tsn > 2900 { 1000 } else { 1 };
    let counted = allocation_counter::measure(|| {
        for tsn in (0..3000).rev() {
            let kind = ['B', 'M', 'E'][usize::from(tsn > 0) + usize::from(tsn == 2999)];
            receiver.get_all(&[Chunk { len: lens(tsn), ..fragment(kind, tsn, 0) }]);
        }
    });
    assert!(counted.bytes_total < 2_000_000, "{} bytes", counted.bytes_total);
    let messages = receiver.waits();
    assert_eq!(messages.len(), 1);
    let expected: Vec<u8> = (0..3000).flat_map(|tsn| vec![tsn as u8; lens(tsn)]).collect();
    assert!(messages[0].bytes == expected && messages[0].end);
}
