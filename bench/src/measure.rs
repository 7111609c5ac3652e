//! A run: builds, measures, and reports.

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::Command;

use fs_err as fs;

use crate::instrument::Instrument;
use crate::plan::Plan;
use crate::{command, prepare, report};

/// Seconds for all that one instrument measures.
const TIME_LIMIT: &str = "3600";

/// Does what is planned. The current directory is the top of the tree.
pub(crate) fn run(plan: &Plan) -> Result<(), Box<dyn Error>> {
    prepare::all(&plan.nifs)?;
    fs::create_dir_all(&plan.out)?;
    let out = fs::canonicalize(&plan.out)?;
    let target = env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    for (instrument, rounds) in &plan.instruments {
        command::run(&mut guest(plan, &out, &target, *instrument, *rounds))?;
    }
    report::run(&out)
}

/// `bench/guest`, on a kernel that has SCTP.
fn guest(plan: &Plan, out: &Path, target: &str, instrument: Instrument, rounds: u32) -> Command {
    let mut command = Command::new("test/vm/run");
    if instrument == Instrument::Counted {
        command.arg("--counted");
    }
    if let Some(root) = &plan.root {
        command.arg("--root").arg(root);
    }
    command.arg("--out").arg(out).args(["--time-limit", TIME_LIMIT, "--"]);
    command.args(["env", &format!("CARGO_TARGET_DIR={target}"), "bench/guest"]).arg(out);
    command.args([instrument.to_string(), rounds.to_string()]);
    command.arg(if plan.syscalls { "1" } else { "" }).arg(plan.names.join(" "));
    command.args(plan.cases.iter().map(ToString::to_string));
    command
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::options::CommandLine;

    fn words(args: &[&str], instrument: Instrument) -> String {
        let options = CommandLine::parse_from([&["bench/run"], args].concat()).options;
        let plan = Plan::new(options).unwrap();
        let command = guest(&plan, Path::new("/out"), "target", instrument, 2);
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        words.join("|")
    }

    #[test]
    fn the_guest_is_told_what_to_measure() {
        let args = ["--quick", "--cases", "oneway:*:[to]*", "--only", "bare", "--only", "nif"];
        assert_eq!(
            words(&args, Instrument::Counted),
            "--counted|--out|/out|--time-limit|3600|--|env|CARGO_TARGET_DIR=target|bench/guest|\
             /out|counted|2||bare nif|oneway:100:true:1000|oneway:100:once:1000"
        );
        assert_eq!(
            words(&["--cases", "idle:*", "--root", "/otp29"], Instrument::Parallel),
            "--root|/otp29|--out|/out|--time-limit|3600|--|env|CARGO_TARGET_DIR=target|\
             bench/guest|/out|parallel|2|1|bare stock socket nif|idle:0:true:1000"
        );
    }
}
