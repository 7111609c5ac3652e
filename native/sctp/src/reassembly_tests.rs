use std::ops::Range;

use super::*;

/// It was the last one of a message.
fn whole(bytes: &[u8]) -> Result<Vec<u8>, Added> {
    Ok(bytes.to_vec())
}

/// What a piece makes: the message if it is whole.
fn made(added: Added) -> Result<Vec<u8>, Added> {
    match added {
        Added::Whole(bytes, _) => Ok(bytes),
        other => Err(other),
    }
}

/// Adds a piece of a message as long as can be.
fn add(to: &mut Reassembly, info: &RcvInfo, piece: &[u8], last: bool) -> Added {
    to.add(Some(info), piece, last, Reassembly::MESSAGE_MAX)
}

fn info(assoc: i32, stream: u16, unordered: bool) -> RcvInfo {
    RcvInfo { assoc: AssocId(assoc), stream, flags: u16::from(unordered), ..RcvInfo::default() }
}

#[test]
fn pieces_of_several_associations_do_not_mix() {
    let mut pieces = Reassembly::default();
    let (a, b, c) = (info(3, 0, false), info(4, 0, false), info(3, 0, true));
    assert_eq!(add(&mut pieces, &a, b"a1", false), Added::Partial);
    assert_eq!(add(&mut pieces, &b, b"b1", false), Added::Partial);
    assert_eq!(add(&mut pieces, &c, b"c1", false), Added::Partial);
    assert_eq!(pieces.bytes(), 6);
    assert_eq!(made(add(&mut pieces, &a, b"a2", true)), whole(b"a1a2"));
    assert_eq!(made(add(&mut pieces, &c, b"c2", true)), whole(b"c1c2"));
    assert_eq!(made(add(&mut pieces, &b, b"b2", true)), whole(b"b1b2"));
    assert!(pieces.is_empty());
}

#[test]
fn abandoned_pieces_are_gone() {
    let mut pieces = Reassembly::default();
    let a = info(3, 1, false);
    add(&mut pieces, &a, b"head", false);
    add(&mut pieces, &info(4, 1, false), b"other", false);
    pieces.abandon(AssocId(3));
    assert_eq!(made(add(&mut pieces, &a, b"new", true)), whole(b"new"));
    assert_eq!(pieces.bytes(), 5);
}

#[test]
fn a_peeled_off_association_takes_its_pieces() {
    let mut pieces = Reassembly::default();
    add(&mut pieces, &info(3, 0, false), b"x", false);
    add(&mut pieces, &info(4, 0, false), b"y", false);
    let mut moved = pieces.split_off(AssocId(3));
    assert_eq!(made(add(&mut moved, &info(3, 0, false), b"z", true)), whole(b"xz"));
    assert_eq!(pieces.bytes(), 1);
}

#[test]
fn another_number_is_another_message() {
    let mut pieces = Reassembly::default();
    let first = RcvInfo { ssn: 7, ..info(3, 0, false) };
    let second = RcvInfo { ssn: 8, ..first };
    assert_eq!(add(&mut pieces, &first, b"given up", false), Added::Partial);
    assert_eq!(add(&mut pieces, &second, b"ne", false), Added::Partial);
    assert_eq!(made(add(&mut pieces, &second, b"xt", true)), whole(b"next"));
    assert!(pieces.is_empty());
}

/// As of interleaved messages (RFC 8260).
#[test]
fn messages_of_several_streams_come_in_turn() {
    let mut pieces = Reassembly::default();
    let first = RcvInfo { ppid: 7, tsn: 100, ssn: 3, ..info(3, 0, false) };
    let other = RcvInfo { ppid: 8, tsn: 101, ssn: 9, ..info(3, 1, false) };
    assert_eq!(add(&mut pieces, &first, b"one", false), Added::Partial);
    assert_eq!(add(&mut pieces, &other, b"two", false), Added::Partial);
    // With later pieces the kernel gives their number for an identifier.
    let later = RcvInfo { ppid: 1 << 24, tsn: 200, ..first };
    let done = Added::Whole(b"one, whole".to_vec(), Some(first));
    assert_eq!(add(&mut pieces, &later, b", whole", true), done);
    let later = RcvInfo { ppid: 2 << 24, tsn: 201, ..other };
    assert_eq!(add(&mut pieces, &later, b"!", true), Added::Whole(b"two!".to_vec(), Some(other)));
    assert!(pieces.is_empty());
}

#[test]
fn an_unordered_message_comes_between_the_parts_of_another() {
    let mut pieces = Reassembly::default();
    let long = RcvInfo { ssn: 4, ..info(3, 0, true) };
    let short = RcvInfo { ssn: 5, ..long };
    assert_eq!(add(&mut pieces, &long, b"lo", false), Added::Partial);
    assert_eq!(made(add(&mut pieces, &short, b"short", true)), whole(b"short"));
    assert_eq!(made(add(&mut pieces, &long, b"ng", true)), whole(b"long"));
}

#[test]
fn a_message_is_given_up_and_others_are_not() {
    let all = [info(3, 0, false), info(3, 1, false), info(3, 1, true), info(4, 1, false)];
    // (stream, unordered, which are left)
    for (stream, unordered, left) in [
        (0, false, [false, true, true, true]),
        (1, false, [true, false, true, true]),
        (1, true, [true, true, false, true]),
        (9, false, [false, false, false, true]),
        (0x1_0000, false, [false, false, false, true]),
    ] {
        let mut pieces = Reassembly::default();
        for info in &all {
            assert_eq!(add(&mut pieces, info, b"begun, ", false), Added::Partial);
        }
        pieces.abandon_message(AssocId(3), stream, unordered);
        for (info, left) in all.iter().zip(left) {
            let expected: &[u8] = if left { b"begun, done" } else { b"done" };
            assert_eq!(made(add(&mut pieces, info, b"done", true)), whole(expected));
        }
    }
}

#[test]
fn a_message_without_end_is_dropped() {
    let mut pieces = Reassembly::default();
    let (a, b) = (info(3, 0, false), info(4, 0, false));
    let half = vec![1; Reassembly::MESSAGE_MAX / 2];
    assert_eq!(add(&mut pieces, &b, b"an", false), Added::Partial);
    assert_eq!(add(&mut pieces, &a, &half, false), Added::Partial);
    assert_eq!(add(&mut pieces, &a, &half, false), Added::Partial, "just as much as allowed");
    assert_eq!(add(&mut pieces, &a, b"!", false), Added::TooLong(AssocId(3)));
    assert_eq!(pieces.bytes(), 2);
    assert_eq!(add(&mut pieces, &a, &half, false), Added::Partial);
    assert_eq!(add(&mut pieces, &a, b"end", true), Added::Partial);
    assert_eq!(made(add(&mut pieces, &a, b"new", true)), whole(b"new"));
    assert_eq!(made(add(&mut pieces, &b, b"other", true)), whole(b"another"));
    assert!(pieces.is_empty());
}

#[test]
fn the_longest_of_too_many_is_dropped() {
    let mut pieces = Reassembly::default();
    let (long, longer) = (info(3, 0, false), info(4, 0, false));
    let half = vec![1; Reassembly::MAX / 2 - 1];
    assert_eq!(add(&mut pieces, &longer, &half, false), Added::Partial);
    assert_eq!(add(&mut pieces, &long, &half[1..], false), Added::Partial);
    let (a, b) = (info(5, 0, false), info(5, 1, false));
    assert_eq!(add(&mut pieces, &a, b"be", false), Added::TooLong(AssocId(4)));
    assert_eq!(pieces.bytes(), half.len() + 1);
    assert_eq!(add(&mut pieces, &b, b"an", false), Added::Partial, "room again");
    assert_eq!(add(&mut pieces, &longer, b"more", true), Added::Partial, "not wanted any more");
    assert_eq!(made(add(&mut pieces, &long, b"!", true)), whole(&[&half[1..], b"!"].concat()));
    assert_eq!(made(add(&mut pieces, &a, b"gun", true)), whole(b"begun"));
    assert_eq!(made(add(&mut pieces, &b, b"other", true)), whole(b"another"));
    assert!(pieces.is_empty());
}

#[test]
fn many_short_ones_are_too_many() {
    let mut pieces = Reassembly::default();
    let begun = (0..10_000).take_while(|assoc| {
        add(&mut pieces, &info(*assoc, 0, false), b"x", false) == Added::Partial
    });
    assert_eq!(begun.count(), 2048);
    // One given up is remembered: a piece of it comes to nothing.
    assert_eq!((pieces.bytes(), pieces.parts.len()), (2048, 2049));
}

#[test]
fn of_a_stream_there_are_two_unordered_ones() {
    let mut pieces = Reassembly::default();
    let numbered = |ssn| RcvInfo { ssn, ..info(3, 0, true) };
    for (info, piece) in
        [(info(3, 0, false), b"o"), (info(3, 1, true), b"s"), (info(4, 0, true), b"a")]
    {
        assert_eq!(add(&mut pieces, &info, piece, false), Added::Partial);
    }
    for ssn in 1..=3 {
        assert_eq!(add(&mut pieces, &numbered(ssn), b"be", false), Added::Partial);
    }
    assert_eq!(made(add(&mut pieces, &numbered(4), b"whole", true)), whole(b"whole"), "drops none");
    assert_eq!(made(add(&mut pieces, &numbered(2), b"gun", true)), whole(b"begun"));
    assert_eq!(made(add(&mut pieces, &numbered(3), b"gun", true)), whole(b"begun"));
    assert_eq!((pieces.bytes(), pieces.parts.len()), (3, 3), "the oldest is gone, others are not");
}

/// A peer that gives each part of an unordered message another number.
#[test]
fn unordered_pieces_of_ever_new_numbers_are_bounded() {
    let mut pieces = Reassembly::default();
    let (piece, most) = ([1; 1000], 1500);
    for ssn in 0..u16::MAX {
        let info = RcvInfo { ssn, ..info(3, 0, true) };
        assert_eq!(pieces.add(Some(&info), &piece, false, most), Added::Partial);
        assert!(pieces.parts.len() <= 2 && pieces.bytes() <= 2 * most);
    }
    // Nor do those add up that were given up.
    for ssn in 0..u16::MAX {
        let info = RcvInfo { ssn, ..info(3, 0, true) };
        assert_eq!(pieces.add(Some(&info), &piece, false, 999), Added::TooLong(AssocId(3)));
        assert!(pieces.parts.len() <= 2);
    }
    assert_eq!(pieces.bytes(), 0);
}

#[test]
fn pieces_of_ever_new_streams_are_bounded() {
    let mut pieces = Reassembly::default();
    let piece = [1; 1000];
    let room = Reassembly::PARTS / 2;
    let mut begin = |streams, most| {
        let too_long = |stream: &usize| {
            let info = info(3, *stream as u16, stream.is_multiple_of(2));
            let added = pieces.add(Some(&info), &piece, false, most);
            assert!(pieces.parts.len() <= Reassembly::PARTS);
            assert!(pieces.bytes() <= room * piece.len());
            assert!(matches!(added, Added::Partial | Added::TooLong(AssocId(3))));
            added != Added::Partial
        };
        Range::filter(streams, too_long).count()
    };
    // Too long by themselves, then with all others.
    assert_eq!(begin(0..5000, 999), 5000);
    assert_eq!(begin(5000..5000 + room + 100, 1000), 100);
    assert_eq!(pieces.bytes(), room * piece.len());
    assert_eq!(pieces.parts.len(), Reassembly::PARTS);
}

#[test]
fn who_has_most_is_blamed_for_too_much() {
    let mut pieces = Reassembly::default();
    let long = vec![1; Reassembly::MAX / 8];
    assert_eq!(
        add(&mut pieces, &info(4, 0, false), &[&long[..], b"!"].concat(), false),
        Added::Partial
    );
    for stream in 0..6 {
        assert_eq!(add(&mut pieces, &info(3, stream, false), &long, false), Added::Partial);
    }
    let others = (0..).take_while(|stream| {
        let added = add(&mut pieces, &info(5, *stream, false), b"x", false);
        assert!(matches!(added, Added::Partial | Added::TooLong(AssocId(3))));
        added == Added::Partial
    });
    let others = others.count();
    assert!(others > 0);
    assert_eq!(pieces.bytes(), 6 * long.len() + 1 + others + 1);
    assert_eq!(
        made(add(&mut pieces, &info(4, 0, false), b"", true)),
        whole(&[&long[..], b"!"].concat())
    );
}

#[test]
fn what_is_held_never_passes_the_bound() {
    let mut pieces = Reassembly::default();
    for stream in 0..2000 {
        add(&mut pieces, &info(3, stream, false), b"x", false);
    }
    let large = vec![1; 16 * 1024 * 1024];
    let mut blamed = Vec::new();
    for stream in 0..20 {
        if let Added::TooLong(assoc) = add(&mut pieces, &info(4, stream, false), &large, false) {
            blamed.push(assoc.0);
        }
        assert!(pieces.parts.iter().map(Part::weight).sum::<usize>() <= Reassembly::MAX);
    }
    assert!(blamed.contains(&3) && blamed.contains(&4));
    // Of one that is too long by itself that is said, whatever else there is.
    let most = large.len() - 1;
    let added = pieces.add(Some(&info(5, 0, false)), &large, false, most);
    assert_eq!(added, Added::TooLong(AssocId(5)));
}
