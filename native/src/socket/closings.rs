//! The closings that are under way, and who waits for them.

use beam::panics;
use flow::pending::Pending;
use parking_lot::Mutex;

use crate::socket::waiter::Waiter;

static UNDER_WAY: Mutex<Pending<Waiter>> = Mutex::new(Pending::new());

/// A closing that is under way: from before the socket is marked closed until the kernel has let go
/// of it, but for the time that it lingers. Who finds a socket closed can wait until it is.
pub(crate) struct Closing {
    number: u64,
    /// Waits for this one alone.
    waiter: Option<Waiter>,
}

impl Closing {
    pub(crate) fn begin() -> Closing {
        Closing { number: UNDER_WAY.lock().begin(), waiter: None }
    }

    /// Has `waiter` told at its end.
    pub(crate) fn tell(&mut self, waiter: Waiter) {
        self.waiter = Some(waiter);
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        let waiters = UNDER_WAY.lock().end(self.number);
        for waiter in waiters.into_iter().chain(self.waiter.take()) {
            // Whatever happens, the next one must be told.
            panics::guarded(|| waiter.wake_ready());
        }
    }
}

/// How many closings are under way.
pub(crate) fn under_way() -> usize {
    UNDER_WAY.lock().count()
}

/// Wakes `waiter` when all closings that have begun are over.
pub(crate) fn tell_when_over(waiter: Waiter) {
    let nothing = UNDER_WAY.lock().wait(waiter);
    if let Some(waiter) = nothing {
        waiter.wake_ready();
    }
}
