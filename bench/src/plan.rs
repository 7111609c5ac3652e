//! What a run does, decided from its options.

use std::path::PathBuf;

use crate::cases;
use crate::instrument::Instrument;
use crate::options::{Nif, Options};
use crate::spec::Spec;

/// The implementations that are always there, in the order of their turns.
const NAMES: [&str; 4] = ["bare", "stock", "socket", "nif"];

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) cases: Vec<Spec>,
    /// Each with its rounds.
    pub(crate) instruments: Vec<(Instrument, u32)>,
    /// The implementations that take turns.
    pub(crate) names: Vec<String>,
    /// Builds of the library besides our own.
    pub(crate) nifs: Vec<Nif>,
    pub(crate) syscalls: bool,
    pub(crate) root: Option<PathBuf>,
    pub(crate) out: PathBuf,
}

impl Plan {
    pub(crate) fn new(options: Options) -> Result<Plan, String> {
        let cases = cases::choose(options.quick, &options.patterns)?;
        let names = names(&options)?;
        let each = options.instrument.instruments().iter();
        let results = if options.quick { "_build/bench/quick" } else { "_build/bench/results" };
        Ok(Plan {
            cases,
            instruments: each.map(|it| (*it, options.rounds.unwrap_or(it.rounds()))).collect(),
            names,
            nifs: options.nifs,
            syscalls: options.syscalls || !options.quick,
            root: options.root,
            out: options.out.unwrap_or_else(|| results.into()),
        })
    }
}

fn names(options: &Options) -> Result<Vec<String>, String> {
    let mut names = NAMES.map(str::to_owned).to_vec();
    for nif in &options.nifs {
        if names.contains(&nif.name) {
            return Err(format!("--nif {}: the name is taken", nif.name));
        }
        names.push(nif.name.clone());
    }
    if options.only.is_empty() {
        return Ok(names);
    }
    match options.only.iter().find(|name| !names.contains(name)) {
        Some(name) => Err(format!("--only {name}: there are {}", names.join(", "))),
        None => Ok(options.only.clone()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::options::CommandLine;

    fn plan(args: &[&str]) -> Result<Plan, String> {
        Plan::new(CommandLine::parse_from([&["bench/run"], args].concat()).options)
    }

    #[test]
    fn rounds_depend_on_the_instrument_unless_given() {
        use Instrument::{Counted, Parallel};
        assert_eq!(plan(&[]).unwrap().instruments, [(Counted, 1), (Parallel, 5)]);
        let counted = plan(&["--instrument", "counted"]).unwrap();
        assert_eq!(counted.instruments, [(Counted, 1)]);
        let three = plan(&["--rounds", "3"]).unwrap();
        assert_eq!(three.instruments, [(Counted, 3), (Parallel, 3)]);
    }

    #[test]
    fn quick_has_fewer_cases_no_system_calls_and_a_place_of_its_own() {
        let (whole, quick) = (plan(&[]).unwrap(), plan(&["--quick"]).unwrap());
        assert!(quick.cases.len() < whole.cases.len());
        assert!(whole.syscalls && !quick.syscalls);
        assert!(plan(&["--quick", "--syscalls"]).unwrap().syscalls);
        assert_eq!(whole.out, PathBuf::from("_build/bench/results"));
        assert_eq!(quick.out, PathBuf::from("_build/bench/quick"));
        assert_eq!(plan(&["--quick", "--out", "x"]).unwrap().out, PathBuf::from("x"));
    }

    #[test]
    fn a_nif_takes_turns_under_a_name_of_its_own() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let (old, ours) = (format!("old={file}"), format!("nif={file}"));
        assert_eq!(plan(&[]).unwrap().names, NAMES);
        let names = plan(&["--nif", &old]).unwrap().names;
        assert_eq!(names, ["bare", "stock", "socket", "nif", "old"]);
        let only = plan(&["--nif", &old, "--only", "old", "--only", "bare"]).unwrap();
        assert_eq!(only.names, ["old", "bare"]);
        let wrong = [
            (vec!["--nif", &ours], "--nif nif: the name is taken"),
            (vec!["--nif", &old, "--nif", &old], "--nif old: the name is taken"),
            (vec!["--only", "old"], "--only old: there are bare, stock, socket, nif"),
            (vec!["--cases", "none"], "no case matches (see --list)"),
        ];
        for (args, error) in wrong {
            assert_eq!(plan(&args).map(|_| ()), Err(error.into()), "{args:?}");
        }
    }
}
