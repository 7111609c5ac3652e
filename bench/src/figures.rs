//! Figures made of lines: medians and spread of the rounds, case by case.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::result::{Measured, Origin};

/// One figure of one implementation, over all rounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) rounds: usize,
}

impl Summary {
    fn of(values: &[f64]) -> Option<Summary> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Summary { median, least, most, rounds: sorted.len() })
    }
}

/// What one implementation has spent on a case, by metric.
pub(crate) type Metrics = BTreeMap<String, Summary>;

/// A case, and what each implementation has spent on it.
#[derive(Debug, Serialize)]
pub(crate) struct Case {
    /// `kind:size:mode`
    pub(crate) name: String,
    pub(crate) implementations: BTreeMap<String, Metrics>,
}

impl Case {
    pub(crate) fn get(&self, implementation: &str, metric: &str) -> Option<&Summary> {
        self.implementations.get(implementation)?.get(metric)
    }

    pub(crate) fn median(&self, implementation: &str, metric: &str) -> Option<f64> {
        Some(self.get(implementation, metric)?.median)
    }
}

/// All cases of one instrument on one release of Erlang/OTP.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    pub(crate) instrument: String,
    pub(crate) otp: String,
    /// In the order in which they ran.
    pub(crate) cases: Vec<Case>,
}

impl Run {
    fn case(&mut self, name: &str) -> &mut Case {
        let at = self.cases.iter().position(|case| case.name == name).unwrap_or_else(|| {
            self.cases.push(Case { name: name.into(), implementations: BTreeMap::new() });
            self.cases.len() - 1
        });
        &mut self.cases[at]
    }

    /// The names of all implementations, in the order of the columns.
    pub(crate) fn implementations(&self) -> Vec<&str> {
        let names = self.cases.iter().flat_map(|case| case.implementations.keys());
        let mut names: Vec<&str> = names.map(String::as_str).collect();
        names.sort_by_key(|name| (rank(name), *name));
        names.dedup();
        names
    }

    /// The bare loop has no modes: its figures stand beside those of every mode.
    fn share_bare(&mut self) {
        let bare: Vec<Case> =
            self.cases.extract_if(.., |case| case.name.ends_with(":bare")).collect();
        for bare in bare {
            let stem = bare.name.trim_end_matches("bare");
            for case in self.cases.iter_mut().filter(|case| case.name.starts_with(stem)) {
                case.implementations.extend(bare.implementations.clone());
            }
        }
    }
}

/// First what others are compared with, then ours.
fn rank(implementation: &str) -> usize {
    const ORDER: [&str; 4] = ["bare", "stock", "socket", "nif"];
    ORDER.iter().position(|name| *name == implementation).unwrap_or(ORDER.len())
}

/// Is it one of ours, which are compared with the others?
pub(crate) fn is_ours(implementation: &str) -> bool {
    rank(implementation) >= rank("nif")
}

/// The figures of these lines.
pub(crate) fn runs(lines: &[Measured]) -> Vec<Run> {
    let mut rounds: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    let mut runs: Vec<Run> = Vec::new();
    for line in lines {
        let Origin { instrument, otp, implementation, .. } = &line.origin;
        let key = (instrument, otp, &line.case, implementation, &line.metric);
        rounds.entry(key).or_default().push(line.value);
        if !runs.iter().any(|run| run.instrument == *instrument && run.otp == *otp) {
            let (instrument, otp) = (instrument.clone(), otp.clone());
            runs.push(Run { instrument, otp, cases: Vec::new() });
        }
        for run in &mut runs {
            if run.instrument == *instrument && run.otp == *otp {
                // Only to have the cases in their order.
                run.case(&line.case);
            }
        }
    }
    for ((instrument, otp, case, implementation, metric), values) in rounds {
        let (Some(run), Some(summary)) = (
            runs.iter_mut().find(|run| run.instrument == *instrument && run.otp == *otp),
            Summary::of(&values),
        ) else {
            continue;
        };
        let metrics = run.case(case).implementations.entry(implementation.clone()).or_default();
        metrics.insert(metric.clone(), summary);
    }
    runs.iter_mut().for_each(Run::share_bare);
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(implementation: &str, case: &str, round: u32, value: f64) -> Measured {
        let origin = Origin {
            instrument: "counted".into(),
            implementation: implementation.into(),
            otp: "25".into(),
            round,
        };
        Measured { origin, case: case.into(), metric: "us".into(), value }
    }

    #[test]
    fn rounds_become_a_median_and_a_spread() {
        let runs = runs(&[
            line("nif", "oneway:100:true", 1, 9.0),
            line("nif", "oneway:100:true", 2, 1.0),
            line("nif", "oneway:100:true", 3, 2.0),
        ]);
        let figure = runs[0].cases[0].get("nif", "us");
        assert_eq!(figure, Some(&Summary { median: 2.0, least: 1.0, most: 9.0, rounds: 3 }));
        assert_eq!(Summary::of(&[1.0, 4.0]).map(|figure| figure.median), Some(2.5));
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn bare_figures_stand_beside_every_mode() {
        let runs = runs(&[
            line("bare", "oneway:100:bare", 1, 5.0),
            line("nif", "oneway:100:true", 1, 6.0),
            line("nif", "oneway:100:once", 1, 7.0),
            line("nif", "oneway:1400:once", 1, 8.0),
        ]);
        let names: Vec<_> = runs[0].cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["oneway:100:true", "oneway:100:once", "oneway:1400:once"]);
        let bare: Vec<_> = runs[0].cases.iter().map(|case| case.median("bare", "us")).collect();
        assert_eq!(bare, [Some(5.0), Some(5.0), None]);
        assert_eq!(runs[0].implementations(), ["bare", "nif"]);
    }
}
