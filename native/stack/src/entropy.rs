//! Random bytes.

/// Where random bytes come from: tags, first TSNs and the cookie's secret.
pub trait Entropy: Send {
    /// Fills all of `bytes`.
    fn fill(&mut self, bytes: &mut [u8]);
}
