//! What a socket has that was closed with a lingering time: who waits, and for what.

use std::time::Duration;

use rustler::{Monitor, Term};
use sctp::Source;
use sctp::ending::{Ending, Progress};

use crate::socket::waiter::Waiter;

/// How a close goes on.
pub(crate) enum Close {
    Done,
    /// A message follows.
    Waits,
    /// As well, which is to be waited for no longer than this.
    Lingers(Duration),
}

/// Associations that end, and the socket of the kernel that has them.
pub(crate) struct Ends {
    pub(crate) kernel: sctp::Socket,
    ending: Ending,
}

/// Of a closed socket, whose descriptor is here and nowhere else.
pub(crate) struct Lingering {
    /// Who closes it; none when the time is over.
    waiter: Option<Waiter>,
    /// Tells of that process' end.
    monitor: Option<Monitor>,
    /// Some while ends are awaited.
    ends: Option<Ends>,
}

impl Ends {
    /// Begins the ends of the associations; gives the socket back if there are none to be waited for.
    pub(crate) fn begin(kernel: sctp::Socket) -> Result<Ends, sctp::Socket> {
        match kernel.end_gracefully() {
            Some(ending) => Ok(Ends { kernel, ending }),
            None => Err(kernel),
        }
    }

    pub(crate) fn source(&self) -> Source<'_> {
        self.kernel.source()
    }
}

impl Lingering {
    pub(crate) fn new(waiter: Waiter, monitor: Option<Monitor>) -> Lingering {
        Lingering { waiter: Some(waiter), monitor, ends: None }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.waiter.is_none()
    }

    pub(crate) fn awaits_ends(&self) -> bool {
        self.ends.is_some()
    }

    pub(crate) fn is_for_the_dead(&self) -> bool {
        self.waiter.as_ref().is_some_and(|waiter| !waiter.is_alive())
    }

    pub(crate) fn is_for(&self, reference: Term) -> bool {
        self.waiter.as_ref().is_some_and(|waiter| waiter.is(reference))
    }

    /// Does the VM watch the process that closes?
    pub(crate) fn is_watched(&self) -> bool {
        self.monitor.is_some()
    }

    pub(crate) fn is_watched_by(&self, monitor: &Monitor) -> bool {
        self.monitor.as_ref() == Some(monitor)
    }

    pub(crate) fn into_monitor(self) -> Option<Monitor> {
        self.monitor
    }

    /// Leaves the ends to be awaited.
    pub(crate) fn wait_for(&mut self, ends: Ends) {
        self.ends = Some(ends);
    }

    /// How far the ends are; `None` if none are awaited.
    pub(crate) fn progress(&mut self) -> Option<Progress> {
        self.ends.as_mut().map(|Ends { kernel, ending }| kernel.progress(ending))
    }

    /// The end of it: who waits, and what is to be closed. `None` if it was over.
    pub(crate) fn take(&mut self) -> Option<(Waiter, Option<Ends>)> {
        self.waiter.take().map(|waiter| (waiter, self.ends.take()))
    }
}
