//! The parts of the benchmark that are not Erlang; `bench/run` calls them.
//!
//! - `sctp-bench bare INSTRUMENT OTP ROUND CASE...` runs the bare loop ([`bare`]).
//! - `sctp-bench report DIR` turns the lines of `DIR/lines.jsonl` to tables and plots ([`report`]).
//! - `sctp-bench soak DIR` draws the samples of the long load ([`soak`]).
//!
//! A CASE is `kind:size:mode:count` ([`spec`]).

mod bare;
mod figures;
mod handover;
mod meter;
mod plot;
mod report;
mod result;
mod soak;
mod spec;
mod sys;
mod table;

use std::path::Path;
use std::process::ExitCode;

use result::Origin;

fn run(args: &[&str]) -> Result<(), Box<dyn std::error::Error>> {
    match args {
        ["bare", instrument, otp, round, specs @ ..] => {
            let origin = Origin {
                instrument: (*instrument).into(),
                implementation: "bare".into(),
                otp: (*otp).into(),
                round: round.parse()?,
            };
            let specs = specs.iter().map(|spec| spec.parse()).collect::<Result<Vec<_>, _>>()?;
            bare::run(&origin, &specs)
        }
        // A child of the bare loop.
        ["peer", port, spec] => bare::peer(port.parse()?, &spec.parse()?),
        ["report", dir] => report::run(Path::new(dir)),
        ["soak", dir] => soak::run(Path::new(dir)),
        _ => {
            Err("usage: sctp-bench bare INSTRUMENT OTP ROUND CASE... | report DIR | soak DIR"
                .into())
        }
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sctp-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
