//! How the calling thread is scheduled.

use std::io;

use crate::sys;

/// Switches the calling thread to `SCHED_BATCH`, or back to `SCHED_OTHER`: the same share of the
/// processor, but no preemption of a running thread when this one wakes (sched(7)).
pub fn set_batch(batch: bool) -> io::Result<()> {
    sys::sched_setscheduler(if batch { libc::SCHED_BATCH } else { libc::SCHED_OTHER })
}

#[cfg(test)]
mod tests {
    #[test]
    fn there_and_back() {
        super::set_batch(true).unwrap();
        super::set_batch(false).unwrap();
    }
}
