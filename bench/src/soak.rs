//! The long load's samples (`test/soak`), as a picture of memory and sockets over time.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

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
    let line = |name, value: fn(&Sample) -> f64| Line {
        name,
        points: samples.iter().map(|sample| (sample.seconds, value(sample))).collect(),
    };
    let calm = |name, value: fn(&Sample) -> f64| Line {
        name,
        points: samples
            .iter()
            .filter(|sample| sample.calm)
            .map(|sample| (sample.seconds, value(sample)))
            .collect(),
    };
    let file = dir.join("soak.svg");
    plot::draw_over_time(
        &[
            (
                "Memory, MB",
                vec![
                    line("resident", |sample| sample.resident / 1e6),
                    line("total", |sample| sample.total / 1e6),
                    line("processes", |sample| sample.processes / 1e6),
                    line("binary", |sample| sample.binary / 1e6),
                ],
            ),
            (
                "Memory when nothing goes on, MB",
                vec![
                    calm("resident", |sample| sample.resident / 1e6),
                    calm("total", |sample| sample.total / 1e6),
                    calm("processes", |sample| sample.processes / 1e6),
                    calm("binary", |sample| sample.binary / 1e6),
                ],
            ),
            (
                "Descriptors and sockets",
                vec![
                    line("descriptors", |sample| sample.descriptors),
                    line("sockets", |sample| sample.sockets),
                    line("associations", |sample| sample.associations),
                ],
            ),
        ],
        &file,
    )?;
    writeln!(io::stdout(), "memory over time: {}", file.display())?;
    Ok(())
}
