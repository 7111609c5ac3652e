//! One figure, as a line of JSON: what the programs of the benchmark print and the report reads.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::spec::Spec;

/// Where a figure comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// `counted` or `parallel`.
    pub(crate) instrument: String,
    /// `bare`, `stock`, `socket`, `nif`, or the name that a build of the library was given.
    pub(crate) implementation: String,
    /// The release of Erlang/OTP that it was the turn of, bare or not.
    pub(crate) otp: String,
    pub(crate) round: u32,
}

/// A figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    #[serde(flatten)]
    pub(crate) origin: Origin,
    /// `kind:size:mode`
    pub(crate) case: String,
    pub(crate) metric: String,
    pub(crate) value: f64,
}

impl Measured {
    pub(crate) fn new(origin: &Origin, spec: &Spec, metric: &str, value: f64) -> Measured {
        Measured { origin: origin.clone(), case: spec.name(), metric: metric.into(), value }
    }

    pub(crate) fn print(&self) -> io::Result<()> {
        writeln!(io::stdout(), "{}", serde_json::to_string(self)?)
    }
}
