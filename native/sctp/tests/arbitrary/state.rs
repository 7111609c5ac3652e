//! Reassembly, against a model of it.

use proptest::prelude::*;
use sctp::reassembly::{Added, Reassembly};
use sctp::types::{AssocId, RcvInfo, flags};

use crate::config;

#[derive(Clone, Debug)]
enum Step {
    /// A piece of the message under way on one of the channels; the last one?
    Piece {
        channel: usize,
        bytes: Vec<u8>,
        last: bool,
    },
    /// The sender gives the message up, and begins another one.
    NextMessage {
        channel: usize,
    },
    Abandon {
        assoc: i32,
    },
    Split {
        assoc: i32,
    },
}

/// Associations, streams, order: few, so that they meet.
const CHANNELS: usize = ORDERED * 2;

/// The first ones. An unordered message does not end another.
const ORDERED: usize = 3 * 2;

fn info(channel: usize, ssn: u16) -> RcvInfo {
    RcvInfo {
        assoc: AssocId(assoc_of(channel)),
        stream: (channel / 3 % 2) as u16,
        flags: if channel >= ORDERED { flags::UNORDERED } else { 0 },
        ssn,
        ..RcvInfo::default()
    }
}

fn assoc_of(channel: usize) -> i32 {
    (channel % 3) as i32
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..20);
    prop_oneof![
        10 => (0..CHANNELS, bytes, any::<bool>())
            .prop_map(|(channel, bytes, last)| Step::Piece { channel, bytes, last }),
        1 => (0..ORDERED).prop_map(|channel| Step::NextMessage { channel }),
        1 => (0..3).prop_map(|assoc| Step::Abandon { assoc }),
        1 => (0..3).prop_map(|assoc| Step::Split { assoc }),
    ]
}

fn add(to: &mut Reassembly, info: &RcvInfo, piece: &[u8], last: bool) -> Added {
    to.add(Some(info), piece, last, Reassembly::MESSAGE_MAX)
}

proptest! {
    #![proptest_config(config())]

    /// Messages come out as they went in, whatever comes in between.
    #[test]
    fn pieces_make_messages(steps in proptest::collection::vec(step(), 0..60)) {
        let mut pieces = Reassembly::default();
        let mut open: [Option<Vec<u8>>; CHANNELS] = Default::default();
        let mut ssn = [0; CHANNELS];
        for step in steps {
            match step {
                Step::Piece { channel, bytes, last } => {
                    let added = add(&mut pieces, &info(channel, ssn[channel]), &bytes, last);
                    open[channel].get_or_insert_default().extend(bytes);
                    if last {
                        ssn[channel] += 1;
                        let message = open[channel].take().unwrap();
                        let Added::Whole(bytes, first) = added else { panic!("{added:?}") };
                        prop_assert_eq!(bytes, message);
                        prop_assert_eq!(first.map(|info| info.ssn), Some(ssn[channel] - 1));
                    } else {
                        prop_assert_eq!(added, Added::Partial);
                    }
                }
                Step::NextMessage { channel } => {
                    // Seen only with the next piece, which takes the place of the others.
                    if open[channel].is_some() {
                        ssn[channel] += 1;
                        open[channel] = Some(Vec::new());
                        add(&mut pieces, &info(channel, ssn[channel]), &[], false);
                    }
                }
                Step::Abandon { assoc } => {
                    pieces.abandon(AssocId(assoc));
                    for (channel, message) in open.iter_mut().enumerate() {
                        if assoc_of(channel) == assoc {
                            *message = None;
                        }
                    }
                }
                Step::Split { assoc } => {
                    let moved = pieces.split_off(AssocId(assoc));
                    let mut bytes = 0;
                    for (channel, message) in open.iter_mut().enumerate() {
                        if assoc_of(channel) == assoc {
                            bytes += message.take().map_or(0, |message| message.len());
                        }
                    }
                    prop_assert_eq!(moved.bytes(), bytes);
                }
            }
            prop_assert_eq!(pieces.bytes(), open.iter().flatten().map(Vec::len).sum::<usize>());
            prop_assert_eq!(pieces.is_empty(), open.iter().all(Option::is_none));
        }
    }
}
