//! The packets that `test/vm/capture` has written down, a directory for each kernel.

use std::path::{Path, PathBuf};

/// A packet, and what the one who wrote it down says of its chunks.
pub(crate) struct Captured {
    #[allow(dead_code, reason = "not every test asks")]
    pub(crate) names: Vec<String>,
    pub(crate) bytes: Vec<u8>,
}

/// The kernels' directories.
pub(crate) fn kernels() -> Vec<PathBuf> {
    entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packets"))
}

/// What is in a directory, by name.
pub(crate) fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// The packets of one file.
pub(crate) fn captured(file: &Path) -> Vec<Captured> {
    let text = std::fs::read_to_string(file).expect("a file");
    let mut paragraphs = text.split("\n\n");
    assert!(paragraphs.next().expect("a first one").starts_with("# Linux "));
    paragraphs
        .map(|paragraph| {
            let (names, bytes) = paragraph.split_once('\n').expect("names, and then bytes");
            let names = names.strip_prefix("# ").expect("names");
            Captured { names: names.split(' ').map(String::from).collect(), bytes: unhex(bytes) }
        })
        .collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| *byte != b'\n')
        .map(|byte| char::from(byte).to_digit(16).expect("a hexadecimal digit") as u8)
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
