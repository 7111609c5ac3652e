//! Options of TCP and UDP. OTP's `inet` passes them on whatever the socket, and the driver of SCTP refuses
//! them when their turn comes: what stands after one in a list is set before.

use rustler::{Binary, Term};

use crate::options::record::{int, uint};

/// The values of `packet` that are no sizes.
const PACKETS: [&str; 13] = [
    "raw",
    "sunrm",
    "asn1",
    "cdr",
    "fcgi",
    "line",
    "tpkt",
    "http",
    "httph",
    "http_bin",
    "httph_bin",
    "ssl",
    "ssl_tls",
];

/// Is it one of them, with a value of the right type?
pub(crate) fn is_foreign(option: Term) -> bool {
    if let Ok((name, level, number, value)) = option.decode::<(Term, Term, Term, Term)>() {
        let is_raw = name.atom_to_string().is_ok_and(|name| name == "raw");
        return is_raw
            && int(level).is_some()
            && int(number).is_some()
            && value.decode::<Binary>().is_ok();
    }
    let Ok((name, value)) = option.decode::<(Term, Term)>() else { return false };
    let Ok(name) = name.atom_to_string() else { return false };
    let is_one_of = |names: &[&str]| value.atom_to_string().is_ok_and(|is| names.contains(&&*is));
    match &*name {
        "broadcast" | "delay_send" | "exit_on_close" | "keepalive" | "multicast_loop"
        | "nodelay" | "nopush" | "show_econnreset" => value.decode::<bool>().is_ok(),
        "high_msgq_watermark"
        | "high_watermark"
        | "line_delimiter"
        | "low_msgq_watermark"
        | "low_watermark"
        | "multicast_ttl" => int(value).is_some(),
        "header" | "packet_size" | "read_packets" => uint(value).is_some(),
        // Of SCTP as well, but here too long for a name.
        "bind_to_device" => value.decode::<Binary>().is_ok(),
        "deliver" => is_one_of(&["port", "term"]),
        "packet" => {
            int(value).is_some_and(|size| matches!(size, 0 | 1 | 2 | 4)) || is_one_of(&PACKETS)
        }
        _ => false,
    }
}
