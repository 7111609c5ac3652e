//! What the network namespace of the calling thread allows.

use std::fs::read_to_string;

/// Is a variable of SCTP there, and not 0? `/proc/sys/net` is that of the thread's namespace.
pub(super) fn is_open(gate: &str) -> bool {
    read_to_string(format!("/proc/sys/net/sctp/{gate}"))
        .is_ok_and(|value| value.trim().parse::<i64>().is_ok_and(|value| value != 0))
}
