//! From lines to tables and plots.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::figures::runs;
use crate::result::Measured;
use crate::{plot, table};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Reads `dir/*.jsonl`; writes `results.json`, `results.md` and `results.svg` there, and the
/// tables to stdout too.
pub(crate) fn run(dir: &Path) -> Result<()> {
    let runs = runs(&read(dir)?);
    let text = table::markdown(&runs)?;
    fs::write(dir.join("results.json"), serde_json::to_string_pretty(&runs)?)?;
    fs::write(dir.join("results.md"), &text)?;
    plot::draw(&runs, &dir.join("results.svg"))?;
    io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

fn read(dir: &Path) -> Result<Vec<Measured>> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let mut lines = Vec::new();
    for file in files {
        for line in fs::read_to_string(&file)?.lines() {
            let measured = serde_json::from_str(line)
                .map_err(|error| format!("{}: {error}: {line}", file.display()))?;
            lines.push(measured);
        }
    }
    Ok(lines)
}
