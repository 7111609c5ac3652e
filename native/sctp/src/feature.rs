//! What a kernel may have or not, and a network namespace may allow or not: as data, with how to
//! find out.

use crate::abi::optname;

/// An option of SCTP.
#[derive(Debug)]
pub struct Feature {
    /// Its name in Erlang.
    pub name: &'static str,
    /// The kernel's number of it.
    pub optname: i32,
    /// How to find out.
    pub probe: Probe,
}

/// How to find out whether an option can be used, on a socket made for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// The kernel knows it.
    Known,
    /// It can be switched on for the endpoint (`struct sctp_assoc_value`).
    On,
    /// It can be switched on where fragments are interleaved.
    OnInterleaved,
    /// The kernel knows it, and `SCTP_AUTH_SUPPORTED` can be switched on, or is.
    Auth,
    /// The struct is so large in this kernel: it had fewer fields once.
    Size(usize),
    /// The kernel knows it, and this variable of `/proc/sys/net/sctp` is not 0.
    Gate(&'static str),
}

/// All options that have come to the kernel in the course of time, or that have to be allowed.
pub const OPTIONS: &[Feature] = &[
    known("sctp_adaptation_layer", 7),
    known("sctp_fragment_interleave", 18),
    known("sctp_context", 17),
    known("sctp_delayed_sack", 16),
    known("sctp_max_burst", 20),
    known("sctp_recvrcvinfo", 32),
    known("sctp_default_sndinfo", 34),
    known("sctp_default_prinfo", 114),
    known("sctp_event", 127),
    known("sctp_auto_asconf", 30),
    known("sctp_reuse_port", 36),
    known("sctp_peer_addr_thlds", 31),
    known("sctp_peer_addr_thlds_v2", 37),
    known("sctp_expose_potentially_failed_state", 131),
    known("sctp_plpmtud_probe_interval", 133),
    known("sctp_get_assoc_stats", 112),
    known("sctp_set_peer_primary_addr", 5),
    known("sctp_pr_assoc_status", 115),
    known("sctp_pr_stream_status", 116),
    known("sctp_enable_stream_reset", 118),
    known("sctp_reset_streams", 119),
    known("sctp_reset_assoc", 120),
    known("sctp_add_streams", 121),
    known("sctp_stream_scheduler", 123),
    known("sctp_stream_scheduler_value", 124),
    feature("sctp_dscp", PEER_ADDR_PARAMS, Probe::Size(156)),
    feature("sctp_ipv6_flowlabel", PEER_ADDR_PARAMS, Probe::Size(156)),
    feature("hb_time_is_zero", PEER_ADDR_PARAMS, Probe::Known),
    feature("sctp_pr_supported", 113, Probe::On),
    feature("sctp_reconfig_supported", 117, Probe::On),
    feature("sctp_asconf_supported", 128, Probe::On),
    feature("sctp_auth_supported", AUTH_SUPPORTED, Probe::On),
    feature("sctp_ecn_supported", 130, Probe::On),
    feature("sctp_interleaving_supported", 125, Probe::OnInterleaved),
    feature("sctp_auth_chunk", 21, Probe::Auth),
    feature("sctp_hmac_ident", 22, Probe::Auth),
    feature("sctp_auth_key", 23, Probe::Auth),
    feature("sctp_auth_active_key", 24, Probe::Auth),
    feature("sctp_auth_delete_key", 25, Probe::Auth),
    feature("sctp_auth_deactivate_key", 35, Probe::Auth),
    feature("sctp_peer_auth_chunks", 26, Probe::Auth),
    feature("sctp_local_auth_chunks", 27, Probe::Auth),
    // The kernel accepts a port without effect in a namespace that takes no such packets.
    feature("sctp_remote_udp_encaps_port", 132, Probe::Gate("udp_port")),
];

/// `SCTP_PEER_ADDR_PARAMS`.
const PEER_ADDR_PARAMS: i32 = 9;
/// `SCTP_FRAGMENT_INTERLEAVE`.
pub(crate) const FRAGMENT_INTERLEAVE: i32 = 18;
/// `SCTP_STREAM_SCHEDULER`.
pub(crate) const STREAM_SCHEDULER: i32 = optname::STREAM_SCHEDULER;
/// `SCTP_AUTH_SUPPORTED`.
pub(crate) const AUTH_SUPPORTED: i32 = optname::AUTH_SUPPORTED;

/// The values of `SCTP_STREAM_SCHEDULER` (`enum sctp_sched_type`).
pub const SCHEDULERS: &[(&str, u32)] = &[
    ("scheduler_fcfs", 0),
    ("scheduler_prio", 1),
    ("scheduler_rr", 2),
    ("scheduler_fc", 3),
    ("scheduler_wfq", 4),
];

/// Variables of `/proc/sys/net/sctp`: what a namespace allows, and what its sockets begin with.
pub const GATES: &[&str] = &[
    "addip_enable",
    "addip_noauth_enable",
    "auth_enable",
    "default_auto_asconf",
    "ecn_enable",
    "intl_enable",
    "pf_enable",
    "prsctp_enable",
    "rcvbuf_policy",
    "reconf_enable",
    "sndbuf_policy",
    "udp_port",
];

impl Feature {
    /// Its name in C.
    pub fn c_name(&self) -> String {
        match self.optname {
            PEER_ADDR_PARAMS => "SCTP_PEER_ADDR_PARAMS".into(),
            _ => self.name.to_uppercase(),
        }
    }
}

const fn known(name: &'static str, optname: i32) -> Feature {
    feature(name, optname, Probe::Known)
}

const fn feature(name: &'static str, optname: i32, probe: Probe) -> Feature {
    Feature { name, optname, probe }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedulers_are_those_of_the_option() {
        let named = SCHEDULERS.iter().map(|(name, value)| (*value, *name));
        let option = crate::option::SCHEDULERS;
        assert!(
            named
                .map(|(value, name)| (value, &name["scheduler_".len()..]))
                .eq(option.iter().copied())
        );
    }

    #[test]
    fn names_are_distinct() {
        let options = OPTIONS.iter().map(|feature| feature.name);
        let schedulers = SCHEDULERS.iter().map(|(name, _)| *name);
        let mut names: Vec<_> =
            options.chain(schedulers).chain(GATES.iter().copied()).chain(["sctp"]).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
