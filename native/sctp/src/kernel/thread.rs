//! How the calling thread is scheduled.

use std::io;

use super::sys;

/// Switches the calling thread from `SCHED_OTHER` to `SCHED_BATCH`, or back: the same share of the
/// processor, but no preemption of a running thread when this one wakes (sched(7)).
///
/// False, and nothing is changed, if it has another policy than the one to be switched from: that is
/// somebody's decision.
pub fn set_batch(batch: bool) -> io::Result<bool> {
    let (from, to) = match batch {
        true => (libc::SCHED_OTHER, libc::SCHED_BATCH),
        false => (libc::SCHED_BATCH, libc::SCHED_OTHER),
    };
    let switches = sys::sched_getscheduler()? == from;
    if switches {
        sys::sched_setscheduler(to)?;
    }
    Ok(switches)
}

#[cfg(test)]
mod tests {
    use super::sys;

    #[test]
    fn there_and_back() {
        assert!(super::set_batch(true).unwrap());
        assert!(super::set_batch(false).unwrap());
    }

    #[test]
    fn what_somebody_has_chosen_stays() {
        assert!(!super::set_batch(false).unwrap());
        for policy in [libc::SCHED_BATCH, libc::SCHED_IDLE] {
            sys::sched_setscheduler(policy).unwrap();
            assert!(!super::set_batch(true).unwrap());
            assert_eq!(sys::sched_getscheduler().unwrap(), policy);
        }
    }
}
