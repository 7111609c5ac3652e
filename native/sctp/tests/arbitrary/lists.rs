//! Lists at the end of a struct.

use proptest::prelude::*;
use sctp::option::{Kind, List, OPTIONS, Shape};

use super::{config, noise};

/// All of the table, with where they begin.
fn lists() -> Vec<(&'static List, usize)> {
    let mut found = Vec::new();
    for option in OPTIONS {
        let Shape::Record(record) = option.shape else { continue };
        for field in record.fields {
            if let Kind::List(list) = field.kind {
                found.push((list, field.offset));
            }
        }
    }
    assert!(found.len() >= 3);
    found
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_got_was_there(bytes in noise(300), count in 0..300_u32) {
        for (list, at) in lists() {
            let mut bytes = bytes.clone();
            // Mostly of a length that is possible.
            if let Some(place) = bytes.get_mut(list.count..list.count + 4) {
                place.copy_from_slice(&count.to_ne_bytes());
            }
            if let Some(numbers) = list.get(&bytes, at) {
                prop_assert!(numbers.len() <= list.most);
                prop_assert!(at + numbers.len() * list.width <= bytes.len());
            }
            prop_assert!(list.get(&reversed(&bytes), at).is_none_or(|all| all.len() <= list.most));
        }
    }

    #[test]
    fn what_is_put_is_got(numbers in proptest::collection::vec(0..70_000_u32, 0..300)) {
        for (list, at) in lists() {
            let mut bytes = vec![0; at + list.most * list.width];
            match list.put(&mut bytes, at, &numbers) {
                Some(length) => prop_assert_eq!(list.get(&bytes[..length], at), Some(numbers.clone())),
                None => prop_assert!(
                    numbers.len() > list.most
                        || numbers.iter().any(|number| *number >= 1 << (8 * list.width))
                ),
            }
        }
    }
}

/// The other end first: a count of any size.
fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}
