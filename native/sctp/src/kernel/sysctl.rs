//! What a network namespace allows.

use std::fs::{File, read_to_string};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

/// Is a variable of SCTP there, and not 0? `/proc/sys/net` is that of the calling thread's namespace.
pub(super) fn is_open(gate: &str) -> bool {
    read_to_string(path(gate)).is_ok_and(|value| is_set(&value))
}

/// Has the process' own namespace a port of UDP? Every socket asks: the file stays open, as finding
/// it takes half as long as all else that a socket needs.
pub(super) fn has_own_udp_port() -> bool {
    const NAME: &str = "udp_port";
    static FILE: OnceLock<File> = OnceLock::new();
    let file = match FILE.get() {
        Some(file) => file,
        None => match File::open(path(NAME)) {
            Ok(file) => FILE.get_or_init(|| file),
            // The kernel has none before 5.11. Where it cannot be read the kernel decides.
            Err(error) => return error.kind() != ErrorKind::NotFound,
        },
    };
    let mut value = [0; 16];
    match file.read_at(&mut value, 0) {
        Ok(length) => std::str::from_utf8(&value[..length]).is_ok_and(is_set),
        // The module has been unloaded since, and loaded again.
        Err(_) => is_open(NAME),
    }
}

fn path(name: &str) -> String {
    format!("/proc/sys/net/sctp/{name}")
}

fn is_set(value: &str) -> bool {
    value.trim().parse::<i64>().is_ok_and(|value| value != 0)
}
