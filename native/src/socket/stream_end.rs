//! Whether the association of a one-to-one socket has ended, and who knows.

/// What is known of the end. It is final: the kernel sets up no second association where one was up.
#[derive(Default)]
pub(crate) struct StreamEnd {
    over: bool,
    told: bool,
}

impl StreamEnd {
    /// Nothing comes any more but what has come.
    pub(crate) fn come(&mut self) {
        self.over = true;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// The owner of an active socket hears of it once.
    pub(crate) fn tell(&mut self) {
        self.told = true;
    }

    pub(crate) fn is_told(&self) -> bool {
        self.told
    }
}
