//! The benchmark; `bench/run` calls it. It decides what is measured ([`options`], [`plan`]), builds that
//! ([`prepare`]) and has `bench/guest` take the turns on a kernel that has SCTP ([`measure`]).
//!
//! Other scripts call parts of it:
//!
//! - `sctp-bench bare INSTRUMENT OTP ROUND CASE...` runs the bare loop ([`bare`]).
//! - `sctp-bench report DIR` turns the lines of `DIR/*.jsonl` to tables and plots ([`report`]).
//! - `sctp-bench soak DIR` draws the samples of the long load ([`soak`]).
//!
//! A CASE is `kind:size:mode:count` ([`spec`]).

mod bare;
mod cases;
mod command;
mod figures;
mod handover;
mod instrument;
mod measure;
mod meter;
mod options;
mod plan;
mod plot;
mod prepare;
mod report;
mod result;
mod soak;
mod spec;
mod sys;
mod table;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use options::{CommandLine, Options, Part};
use plan::Plan;
use result::Origin;

fn run(line: CommandLine) -> Result<(), Box<dyn Error>> {
    match line.part {
        None => whole(line.options),
        Some(Part::Bare { instrument, otp, round, cases }) => {
            let origin = Origin { instrument, implementation: "bare".into(), otp, round };
            bare::run(&origin, &cases)
        }
        Some(Part::Peer { port, case }) => bare::peer(port, &case),
        Some(Part::Report { dir }) => report::run(&dir),
        Some(Part::Soak { dir }) => soak::run(&dir),
    }
}

fn whole(options: Options) -> Result<(), Box<dyn Error>> {
    let list = options.list;
    let plan = Plan::new(options).unwrap_or_else(|wrong| {
        CommandLine::command().error(ErrorKind::ValueValidation, wrong).exit()
    });
    if !list {
        return measure::run(&plan);
    }
    for case in &plan.cases {
        writeln!(io::stdout(), "{case}")?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(CommandLine::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench/run: {error}");
            ExitCode::FAILURE
        }
    }
}
