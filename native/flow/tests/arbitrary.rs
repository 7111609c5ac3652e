//! Whatever is asked for in whatever order: the modes against a model of them.

use flow::active::{Active, Request};
use proptest::prelude::*;

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        Just(Request::Passive),
        Just(Request::Always),
        Just(Request::Once),
        (-5..=5_i64).prop_map(Request::Add),
        (-33_000..=33_000_i64).prop_map(Request::Add),
        any::<i64>().prop_map(Request::Add),
    ]
}

proptest! {
    // Failures are printed, not kept in files beside the sources.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A count is a number from 1 to 32767, and so much is delivered.
    #[test]
    fn counts_count(requests in proptest::collection::vec((request(), 0..4_u8), 0..30)) {
        let mut mode = Active::Passive;
        for (request, messages) in requests {
            let left = if let Active::Count(left) = mode { i64::from(left) } else { 0 };
            match (request, mode.after(request)) {
                (Request::Add(step), Ok((next, announced))) => {
                    prop_assert!((-32_768..=32_767).contains(&step));
                    prop_assert_eq!(announced, left + step <= 0);
                    match next {
                        Active::Passive => prop_assert!(announced),
                        Active::Count(n) => prop_assert_eq!(i64::from(n), left + step),
                        other => prop_assert!(false, "{:?} of a count", other),
                    }
                    mode = next;
                }
                (Request::Add(step), Err(_)) => {
                    prop_assert!(
                        !(-32_768..=32_767).contains(&step) || left.saturating_add(step) > 32_767
                    );
                }
                (_, Ok((next, announced))) => {
                    prop_assert!(!announced);
                    mode = next;
                }
                (_, Err(_)) => prop_assert!(false, "refused without a count"),
            }
            for _ in 0..messages {
                let before = mode;
                let announced = mode.consume();
                prop_assert_eq!(announced, before == Active::Count(1));
                match before {
                    Active::Count(n) if n > 1 => prop_assert_eq!(mode, Active::Count(n - 1)),
                    Active::Always => prop_assert_eq!(mode, Active::Always),
                    _ => prop_assert_eq!(mode, Active::Passive),
                }
            }
        }
    }
}
