//! What is measured with.

use std::fmt;

use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instrument {
    /// One processor, whose clock counts instructions.
    Counted,
    /// Two processors, or this machine's own.
    Parallel,
}

impl Instrument {
    /// How many turns each implementation takes if nobody says: counted figures are the same each
    /// time.
    pub(crate) fn rounds(self) -> u32 {
        match self {
            Instrument::Counted => 1,
            Instrument::Parallel => 5,
        }
    }
}

impl fmt::Display for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Instrument::Counted => "counted",
            Instrument::Parallel => "parallel",
        })
    }
}

/// One of them, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Choice {
    Counted,
    Parallel,
    Both,
}

impl Choice {
    pub(crate) fn instruments(self) -> &'static [Instrument] {
        match self {
            Choice::Counted => &[Instrument::Counted],
            Choice::Parallel => &[Instrument::Parallel],
            Choice::Both => &[Instrument::Counted, Instrument::Parallel],
        }
    }
}
