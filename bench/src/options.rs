//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, value_parser};
use glob::Pattern;

use crate::instrument::Choice;
use crate::spec::Spec;

const CASES: &str = "\
A case is kind:size:mode. oneway, batch (send_batch), batches (and the receiver gets many at a time),
senders (20 into one socket), assocs (1,000 on one socket), sockets (1,000): us a message; pingpong:
us a round trip, median and 99th percentile; handover: the same beside a bare loop that has an I/O
thread; bundle: batch beside a bare loop that bundles; connect: us to open, connect and close; accept:
the same, and to accept on a one-to-one socket and close that; open: us and bytes a socket, of 10,000;
idle: CPU time with 1,000. `socket` is OTP 29's module of this name, with oneway, pingpong and accept
of mode passive.";

/// Builds everything and measures on a kernel with SCTP (this one, or a virtual machine), taking turns
/// between a bare loop of system calls, OTP's gen_sctp and `socket`, and gen_sctp_nif; prints a table.
#[derive(Debug, Parser)]
#[command(
    name = "bench/run",
    override_usage = "bench/run [OPTION...]",
    after_help = CASES,
    verbatim_doc_comment,
    // The last of several counts; those that are repeatable add up.
    args_override_self = true,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) part: Option<Part>,
    #[command(flatten)]
    pub(crate) options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// counted: one CPU with an instruction counter as the clock (2 ns
    /// each), which gives the same figures each time; parallel: two CPUs,
    /// noisy; or both
    #[arg(long, value_name = "WHICH", value_enum, default_value = "both")]
    #[arg(verbatim_doc_comment, hide_possible_values = true)]
    pub(crate) instrument: Choice,

    /// turns each; the table has the medians [default: counted 1, parallel 5]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    pub(crate) rounds: Option<u32>,

    /// the few headline cases, with few messages
    #[arg(long)]
    pub(crate) quick: bool,

    /// count system calls in a turn of its own, too (default unless --quick)
    #[arg(long)]
    pub(crate) syscalls: bool,

    /// only the cases kind:size:mode that match, as in a shell; repeatable
    #[arg(long = "cases", value_name = "PATTERN")]
    pub(crate) patterns: Vec<Pattern>,

    /// measure only this implementation (repeatable: bare, stock, socket,
    /// nif, or the name of a --nif); the figures of the others are those of
    /// the last run
    #[arg(long, value_name = "NAME", verbatim_doc_comment)]
    pub(crate) only: Vec<String>,

    /// one more implementation: another build of priv/gen_sctp_nif.so;
    /// repeatable
    #[arg(long = "nif", value_name = "NAME=FILE", verbatim_doc_comment)]
    pub(crate) nifs: Vec<Nif>,

    /// root file system with another Erlang/OTP, as in test/vm/run --root
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// where results go [default: _build/bench/quick or _build/bench/results]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// print the cases
    #[arg(long)]
    pub(crate) list: bool,
}

/// What other scripts call.
#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    /// Runs the bare loop; `bench/guest` calls it.
    #[command(hide = true)]
    Bare { instrument: String, otp: String, round: u32, cases: Vec<Spec> },
    /// The other side of the bare loop, which is its parent.
    #[command(hide = true)]
    Peer { port: u16, case: Spec },
    /// Turns the lines of DIR/*.jsonl to tables and plots.
    #[command(hide = true)]
    Report { dir: PathBuf },
    /// Draws the samples of the long load; `test/soak/run` calls it.
    #[command(hide = true)]
    Soak { dir: PathBuf },
}

/// A build of the library, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Nif {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
}

const WRONG_NAME: &str =
    "a name is made of letters, digits, _, . and -, and begins with a letter or digit";

impl FromStr for Nif {
    type Err = String;

    fn from_str(text: &str) -> Result<Nif, String> {
        let (name, file) = text.split_once('=').ok_or("it is not NAME=FILE")?;
        // It becomes the name of a directory, and a word in a shell.
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(plain) {
            return Err(WRONG_NAME.into());
        }
        let file = PathBuf::from(file);
        if !file.is_file() {
            return Err(format!("there is no file {}", file.display()));
        }
        Ok(Nif { name: name.into(), file })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    fn options(args: &[&str]) -> Options {
        parsed(args).unwrap().options
    }

    fn parsed(args: &[&str]) -> Result<CommandLine, clap::Error> {
        CommandLine::try_parse_from([&["bench/run"], args].concat())
    }

    #[test]
    fn the_command_line_is_sound_and_help_names_the_options_alone() {
        CommandLine::command().debug_assert();
        let help = CommandLine::command().render_help().to_string();
        let options = "instrument rounds quick syscalls cases only nif root out list help";
        for option in options.split(' ') {
            assert!(help.contains(&format!("--{option}")), "{option}: {help}");
        }
        for part in ["Commands", "peer", "soak"] {
            assert!(!help.contains(part), "{part}: {help}");
        }
        assert!(help.lines().all(|line| line.len() <= 110), "{help}");
    }

    #[test]
    fn without_options_everything_is_measured() {
        let options = options(&[]);
        assert_eq!(options.instrument, Choice::Both);
        assert!(options.rounds.is_none() && options.root.is_none() && options.out.is_none());
        assert!(!options.quick && !options.syscalls && !options.list);
        assert!(options.patterns.is_empty() && options.only.is_empty() && options.nifs.is_empty());
    }

    #[test]
    fn what_is_repeatable_adds_up_and_of_the_rest_the_last_counts() {
        let options = options(&[
            "--only", "bare", "--rounds", "3", "--quick", "--only", "nif", "--cases", "open:*",
            "--rounds", "7", "--quick", "--cases", "idle:*",
        ]);
        assert_eq!(options.only, ["bare", "nif"]);
        assert_eq!(options.patterns.len(), 2);
        assert_eq!(options.rounds, Some(7));
        assert!(options.quick);
    }

    #[test]
    fn wrong_options_are_refused_with_status_2() {
        let wrong: [&[&str]; 8] = [
            &["--wrong"],
            &["--rounds"],
            &["--rounds", "0"],
            &["--rounds", "many"],
            &["--instrument", "clock"],
            &["--cases", "oneway:[1"],
            &["--quick", "report", "_build"],
            &["everything"],
        ];
        for args in wrong {
            assert_eq!(parsed(args).map(|_| ()).unwrap_err().exit_code(), 2, "{args:?}");
        }
        assert_eq!(parsed(&["--help"]).unwrap_err().kind(), ErrorKind::DisplayHelp);
    }

    #[test]
    fn a_nif_is_a_name_and_a_file_that_exists() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let nif = Nif { name: "v0.2-b".into(), file: file.into() };
        assert_eq!(options(&["--nif", &format!("v0.2-b={file}")]).nifs, [nif]);
        let wrong = [
            (file.to_owned(), "it is not NAME=FILE"),
            (format!("={file}"), WRONG_NAME),
            (format!("../x={file}"), WRONG_NAME),
            (format!("two words={file}"), WRONG_NAME),
            ("old=/nowhere/old.so".into(), "there is no file /nowhere/old.so"),
            ("old=/".into(), "there is no file /"),
        ];
        for (text, error) in wrong {
            assert_eq!(text.parse::<Nif>(), Err(error.into()), "{text}");
            let error = parsed(&["--nif", &text]).map(|_| ()).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{text}");
        }
    }

    #[test]
    fn parts_are_called_by_scripts() {
        let line =
            parsed(&["bare", "counted", "25", "2", "oneway:100:bare:10", "connect:0:bare:1"]);
        match line.unwrap().part {
            Some(Part::Bare { instrument, otp, round: 2, cases }) => {
                assert_eq!((instrument.as_str(), otp.as_str()), ("counted", "25"));
                let names: Vec<_> = cases.iter().map(Spec::name).collect();
                assert_eq!(names, ["oneway:100:bare", "connect:0:bare"]);
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(parsed(&["peer", "7", "a:1:b:2"]).unwrap().part, Some(Part::Peer { .. })));
        assert!(parsed(&["peer", "7", "a:1:b"]).is_err());
        assert!(matches!(parsed(&["soak", "x"]).unwrap().part, Some(Part::Soak { .. })));
    }
}
