//! The long load's samples (`test/soak`), as a picture of memory and sockets over time.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;

use fs_err as fs;
use serde::Deserialize;

use crate::plot::{self, Line};

/// What was measured at one moment; memory in bytes.
#[derive(Debug, Deserialize)]
struct Sample {
    seconds: f64,
    /// Was nothing going on?
    calm: bool,
    total: f64,
    binary: f64,
    processes: f64,
    resident: f64,
    descriptors: f64,
    sockets: f64,
    associations: f64,
}

/// Reads `dir/samples.jsonl`, writes `dir/soak.svg`.
pub(crate) fn run(dir: &Path) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(dir.join("samples.jsonl"))?;
    let samples = text.lines().map(serde_json::from_str).collect::<Result<Vec<Sample>, _>>()?;
    let line = |name, value: fn(&Sample) -> f64, taken: fn(&Sample) -> bool| Line {
        name,
        points: samples
            .iter()
            .filter(|sample| taken(sample))
            .map(|sample| (sample.seconds, value(sample)))
            .collect(),
    };
    let always: fn(&Sample) -> bool = |_| true;
    let memory = |taken| {
        vec![
            line("resident", |sample| sample.resident / 1e6, taken),
            line("total", |sample| sample.total / 1e6, taken),
            line("processes", |sample| sample.processes / 1e6, taken),
            line("binary", |sample| sample.binary / 1e6, taken),
        ]
    };
    let kernel = vec![
        line("descriptors", |sample| sample.descriptors, always),
        line("sockets", |sample| sample.sockets, always),
        line("associations", |sample| sample.associations, always),
    ];
    let file = dir.join("soak.svg");
    plot::draw_over_time(
        &[
            ("Memory, MB", memory(always)),
            ("Memory when nothing goes on, MB", memory(|sample| sample.calm)),
            ("Descriptors and sockets", kernel),
        ],
        &file,
    )?;
    writeln!(io::stdout(), "memory over time: {}", file.display())?;
    Ok(())
}
