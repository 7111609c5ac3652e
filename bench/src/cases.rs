//! The cases that there are, and which of them are measured.

use glob::Pattern;

use crate::spec::Spec;

/// Cases that differ by size and mode alone: kind, sizes, modes, count. The count is what takes some
/// tenths of a second of counted time.
type Group = (&'static str, &'static [usize], &'static [&'static str], u32);

const MODES: &[&str] = &["true", "100", "once", "passive"];

/// The headlines.
const QUICK: &[Group] =
    &[("oneway", &[100], MODES, 1000), ("pingpong", &[100], &["true", "once"], 500)];

const ALL: &[Group] = &[
    ("oneway", &[100, 1400], MODES, 4000),
    ("oneway", &[32_768], MODES, 2000),
    ("oneway", &[1_048_576], MODES, 20),
    ("batch", &[100], MODES, 4000),
    ("batches", &[100], MODES, 4000),
    ("bundle", &[100], &["passive"], 4000),
    ("pingpong", &[100], &["true", "once", "passive"], 1000),
    ("handover", &[100], &["true"], 1000),
    ("senders", &[100], MODES, 200),
    ("assocs", &[100], &["true", "once", "passive"], 4000),
    ("sockets", &[100], &["true", "once"], 4000),
    ("connect", &[100], &["true"], 300),
    ("accept", &[100], &["passive"], 300),
    ("open", &[0], &["passive", "true"], 10_000),
    ("idle", &[0], &["true"], 1000),
];

/// The cases, or the quick ones, whose `kind:size:mode` any of the patterns matches; all of them
/// without a pattern.
pub(crate) fn choose(quick: bool, patterns: &[Pattern]) -> Result<Vec<Spec>, String> {
    let mut cases: Vec<Spec> =
        if quick { QUICK } else { ALL }.iter().copied().flat_map(expanded).collect();
    if !patterns.is_empty() {
        cases.retain(|case| patterns.iter().any(|pattern| pattern.matches(&case.name())));
    }
    if cases.is_empty() { Err("no case matches (see --list)".into()) } else { Ok(cases) }
}

fn expanded((kind, sizes, modes, count): Group) -> impl Iterator<Item = Spec> {
    sizes.iter().flat_map(move |&size| {
        modes.iter().map(move |&mode| Spec { kind: kind.into(), size, mode: mode.into(), count })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(quick: bool, patterns: &[&str]) -> Vec<String> {
        let patterns: Vec<_> = patterns.iter().map(|text| text.parse().unwrap()).collect();
        choose(quick, &patterns).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn without_a_pattern_all_cases_are_chosen() {
        let all = chosen(false, &[]);
        assert_eq!(all.len(), 43);
        assert_eq!(all[..2], ["oneway:100:true:4000", "oneway:100:100:4000"]);
        assert_eq!(all[4], "oneway:1400:true:4000");
        assert_eq!(all[42], "idle:0:true:1000");
        assert_eq!(
            chosen(true, &[]),
            [
                "oneway:100:true:1000",
                "oneway:100:100:1000",
                "oneway:100:once:1000",
                "oneway:100:passive:1000",
                "pingpong:100:true:500",
                "pingpong:100:once:500",
            ]
        );
    }

    #[test]
    fn a_pattern_is_of_the_whole_name_without_the_count() {
        assert_eq!(chosen(false, &["pingpong:*:true"]), ["pingpong:100:true:1000"]);
        assert_eq!(chosen(true, &["*:100:p*"]), ["oneway:100:passive:1000"]);
        assert_eq!(chosen(false, &["batch:100:?00"]), ["batch:100:100:4000"]);
        assert_eq!(chosen(false, &["[ab]*:passive"]).len(), 5);
        for none in ["oneway", "oneway:100:true:4000", "OPEN:*"] {
            let wrong = choose(false, &[none.parse().unwrap()]);
            assert_eq!(wrong, Err("no case matches (see --list)".into()), "{none}");
        }
    }

    #[test]
    fn of_several_patterns_one_is_enough_and_the_order_is_that_of_the_list() {
        assert_eq!(
            chosen(false, &["open:*", "connect:*", "open:0:true"]),
            ["connect:100:true:300", "open:0:passive:10000", "open:0:true:10000"]
        );
    }
}
