//! What a case is, as `bench/run` writes it for all programs that take part: `kind:size:mode:count`.

use std::fmt;
use std::str::FromStr;

/// One case: what is done, with messages of which size (bytes), how they are received, how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) kind: String,
    pub(crate) size: usize,
    pub(crate) mode: String,
    pub(crate) count: u32,
}

impl Spec {
    /// Without the count: what patterns choose by, and what tables say.
    pub(crate) fn name(&self) -> String {
        format!("{}:{}:{}", self.kind, self.size, self.mode)
    }

    /// What is done before the clock starts, so that windows are open and code is loaded.
    pub(crate) fn warmup(&self) -> u32 {
        self.count / 4 + 1
    }

    /// The `SO_SNDBUF` that every implementation sets: room for a few messages.
    pub(crate) fn buffer(&self) -> usize {
        (4 * self.size).clamp(256 * 1024, 4 * 1024 * 1024)
    }

    /// The `SO_RCVBUF`: room for whatever a sender can have under way, with what the kernel charges
    /// for a message besides. It would throw the rest away, and wait for a second.
    pub(crate) fn receive_buffer(&self) -> usize {
        (8 * self.buffer()).min(8 * 1024 * 1024)
    }
}

impl FromStr for Spec {
    type Err = String;

    fn from_str(text: &str) -> Result<Spec, String> {
        let wrong = || format!("{text}: a case is kind:size:mode:count");
        let [kind, size, mode, count] =
            text.split(':').collect::<Vec<_>>().try_into().map_err(|_| wrong())?;
        Ok(Spec {
            kind: kind.into(),
            size: size.parse().map_err(|_| wrong())?,
            mode: mode.into(),
            count: count.parse().map_err(|_| wrong())?,
        })
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}", self.name(), self.count)
    }
}
