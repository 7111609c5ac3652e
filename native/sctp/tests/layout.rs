//! Compares our offsets and constants with those of the C header `linux/sctp.h`, by compiling and
//! running a small C program. Skipped, loudly, where there is no C compiler or no such header.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use sctp::abi::{
    PATH_POTENTIALLY_FAILED, assoc, assoc_ids, cmsg_type, connectx3_arg, event_subscribe, getaddrs,
    notification_type as ty, optname,
};
use sctp::abi::{
    assoc_stats, paddrinfo, peeloff_flags_arg, rcvinfo, spp_flags, sstat_state, status,
};
use sctp::feature::{OPTIONS as FEATURES, SCHEDULERS};
use sctp::look::COUNTERS;
use sctp::notification::{AssocState, Notification, PeerAddrState, parse};
use sctp::option::{self, Kind, OPTIONS, PATH_STATES, Record, Shape};
use sctp::{AssocId, SndInfo, SndRcvInfo};

const HEADERS: &str = "#include <stddef.h>\n#include <stdio.h>\n#include <string.h>\n\
    #include <netinet/in.h>\n#include <sys/socket.h>\n#include <linux/sctp.h>\n";

/// Compiles C and gives the path of the program, or says why not. Without `cc` or the header the
/// whole comparison is impossible; with both, what does not compile does not agree.
fn compile(name: &str, source: &str) -> Result<PathBuf, String> {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (input, output) = (dir.join(format!("{name}.c")), dir.join(name));
    std::fs::write(&input, format!("{HEADERS}{source}")).unwrap();
    let result = Command::new("cc").arg("-o").arg(&output).arg(&input).output();
    match result {
        Err(error) => Err(format!("cc: {error}")),
        Ok(result) if result.status.success() => Ok(output),
        Ok(result) => Err(String::from_utf8_lossy(&result.stderr).into_owned()),
    }
}

/// Whether C can be compiled here. Writes past the test harness, which hides what passing tests say.
fn can_compile(test: &str) -> bool {
    let result = compile(&format!("{test}_probe"), "int main(void) { return 0; }\n");
    if let Err(reason) = &result {
        let line = format!("SKIP: {test}: no C compiler or linux/sctp.h: {reason}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    result.is_ok()
}

/// The records, the structs they stand for, and the members in the order of the record's fields.
const RECORDS: &[(&Record, &str, &str)] = &[
    (&option::RTOINFO, "sctp_rtoinfo", "srto_assoc_id srto_initial srto_max srto_min"),
    (
        &option::ASSOCPARAMS,
        "sctp_assocparams",
        "sasoc_assoc_id sasoc_asocmaxrxt sasoc_number_peer_destinations sasoc_peer_rwnd \
         sasoc_local_rwnd sasoc_cookie_life",
    ),
    (
        &option::INITMSG,
        "sctp_initmsg",
        "sinit_num_ostreams sinit_max_instreams sinit_max_attempts sinit_max_init_timeo",
    ),
    (&option::PRIM, "sctp_prim", "ssp_assoc_id ssp_addr"),
    (&option::SETPEERPRIM, "sctp_setpeerprim", "sspp_assoc_id sspp_addr"),
    (&option::SETADAPTATION, "sctp_setadaptation", "ssb_adaptation_ind"),
    (
        &option::PADDRPARAMS,
        "sctp_paddrparams",
        "spp_assoc_id spp_address spp_hbinterval spp_pathmaxrxt spp_pathmtu spp_sackdelay spp_flags",
    ),
    (
        &option::SNDRCVINFO,
        "sctp_sndrcvinfo",
        "sinfo_stream sinfo_ssn sinfo_flags sinfo_ppid sinfo_context sinfo_timetolive sinfo_tsn \
         sinfo_cumtsn sinfo_assoc_id",
    ),
    (
        &option::EVENT_SUBSCRIBE,
        "sctp_event_subscribe",
        "sctp_data_io_event sctp_association_event sctp_address_event sctp_send_failure_event \
         sctp_peer_error_event sctp_shutdown_event sctp_partial_delivery_event \
         sctp_adaptation_layer_event sctp_authentication_event",
    ),
    (&option::ASSOC_VALUE, "sctp_assoc_value", "assoc_id assoc_value"),
    (&option::ASSOC_VALUES, "sctp_assoc_value", "assoc_id assoc_value"),
    (&option::TOGGLE, "sctp_assoc_value", "assoc_id assoc_value"),
    (&option::ENABLE_STREAM_RESET, "sctp_assoc_value", "assoc_id assoc_value"),
    (&option::RESET_STREAMS, "sctp_reset_streams", "srs_assoc_id srs_flags srs_number_streams"),
    (&option::ADD_STREAMS, "sctp_add_streams", "sas_assoc_id sas_instrms sas_outstrms"),
    (&option::SCHEDULER, "sctp_assoc_value", "assoc_id assoc_value"),
    (&option::STREAM_VALUE, "sctp_stream_value", "assoc_id stream_id stream_value"),
    (&option::EXPOSE, "sctp_assoc_value", "assoc_id assoc_value"),
    (&option::EVENT, "sctp_event", "se_assoc_id se_type se_on"),
    (&option::SACK_INFO, "sctp_sack_info", "sack_assoc_id sack_delay sack_freq"),
    (&option::PADDRPARAMS_DSCP, "sctp_paddrparams", "spp_assoc_id spp_address spp_dscp"),
    (
        &option::PADDRTHLDS,
        "sctp_paddrthlds_v2",
        "spt_assoc_id spt_address spt_pathmaxrxt spt_pathpfthld spt_pathcpthld",
    ),
    (&option::HMACALGO, "sctp_hmacalgo", "shmac_idents"),
    (&option::AUTHKEY, "sctp_authkey", "sca_assoc_id sca_keynumber sca_key"),
    (&option::AUTHKEYID, "sctp_authkeyid", "scact_assoc_id scact_keynumber"),
    (&option::AUTHCHUNKS, "sctp_authchunks", "gauth_assoc_id gauth_chunks"),
    (
        &option::PADDRPARAMS_FLOWLABEL,
        "sctp_paddrparams",
        "spp_assoc_id spp_address spp_ipv6_flowlabel",
    ),
    (&option::PROBEINTERVAL, "sctp_probeinterval", "spi_assoc_id spi_address spi_interval"),
    (&option::UDPENCAPS, "sctp_udpencaps", "sue_assoc_id sue_address sue_port"),
    (&option::SNDINFO, "sctp_sndinfo", "snd_sid snd_flags snd_ppid snd_context snd_assoc_id"),
    (&option::DEFAULT_PRINFO, "sctp_default_prinfo", "pr_assoc_id pr_policy pr_value"),
    (&option::PRSTATUS, "sctp_prstatus", PRSTATUS),
    (&option::PRSTATUS_STREAM, "sctp_prstatus", PRSTATUS),
    (
        &option::PADDRINFO,
        "sctp_paddrinfo",
        "spinfo_assoc_id spinfo_address spinfo_state spinfo_cwnd spinfo_srtt spinfo_rto spinfo_mtu",
    ),
    (
        &option::STATUS,
        "sctp_status",
        "sstat_assoc_id sstat_state sstat_rwnd sstat_unackdata sstat_penddata sstat_instrms \
         sstat_outstrms sstat_fragmentation_point sstat_primary",
    ),
];

const PRSTATUS: &str = "sprstat_assoc_id sprstat_sid sprstat_policy sprstat_abandoned_unsent \
    sprstat_abandoned_sent";

/// Records that are the start of a struct which grew, or that have a list at the end.
const GREW: &[&str] =
    &["sctp_paddrparams", "sctp_event_subscribe", "sctp_hmacalgo", "sctp_authchunks"];

const CONSTANTS: &[(&str, i64)] = &[
    ("SOL_SCTP_OF_C", sctp::abi::SOL_SCTP as i64),
    ("sizeof(struct sctp_rcvinfo)", rcvinfo::SIZE as i64),
    ("offsetof(struct sctp_event_subscribe, sctp_data_io_event)", event_subscribe::DATA_IO as i64),
    (
        "offsetof(struct sctp_event_subscribe, sctp_association_event)",
        event_subscribe::ASSOCIATION as i64,
    ),
    (
        "offsetof(struct sctp_event_subscribe, sctp_partial_delivery_event)",
        event_subscribe::PARTIAL_DELIVERY as i64,
    ),
    ("offsetof(struct sctp_getaddrs, addr_num)", getaddrs::ADDR_NUM as i64),
    ("offsetof(struct sctp_getaddrs, addrs)", getaddrs::ADDRS as i64),
    ("sizeof(struct sctp_getaddrs_old)", connectx3_arg::SIZE as i64),
    ("offsetof(struct sctp_getaddrs_old, addr_num)", connectx3_arg::LENGTH as i64),
    ("offsetof(struct sctp_getaddrs_old, addrs)", connectx3_arg::ADDRS as i64),
    ("sizeof(sctp_peeloff_flags_arg_t)", peeloff_flags_arg::SIZE as i64),
    ("offsetof(sctp_peeloff_flags_arg_t, p_arg.sd)", peeloff_flags_arg::SD as i64),
    ("offsetof(sctp_peeloff_flags_arg_t, flags)", peeloff_flags_arg::FLAGS as i64),
    ("offsetof(struct linger, l_linger)", option::linger::SECONDS as i64),
    ("sizeof(struct linger)", option::linger::SIZE as i64),
    ("offsetof(struct sctp_assoc_value, assoc_value)", option::assoc_value::VALUE as i64),
    ("SCTP_SNDRCV", cmsg_type::SNDRCV as i64),
    ("SCTP_RCVINFO", cmsg_type::RCVINFO as i64),
    ("SCTP_AUTHINFO", cmsg_type::AUTHINFO as i64),
    ("sizeof(struct sctp_authinfo)", size_of::<u16>() as i64),
    ("SCTP_GET_ASSOC_NUMBER", optname::GET_ASSOC_NUMBER as i64),
    ("SCTP_GET_ASSOC_ID_LIST", optname::GET_ASSOC_ID_LIST as i64),
    ("offsetof(struct sctp_assoc_ids, gaids_assoc_id)", assoc_ids::IDS as i64),
    ("SCTP_ESTABLISHED", sstat_state::ESTABLISHED as i64),
    ("sizeof(struct sctp_paddrinfo)", paddrinfo::SIZE as i64),
    ("offsetof(struct sctp_paddrinfo, spinfo_assoc_id)", paddrinfo::ASSOC_ID as i64),
    ("offsetof(struct sctp_paddrinfo, spinfo_address)", paddrinfo::ADDRESS as i64),
    ("offsetof(struct sctp_paddrinfo, spinfo_state)", paddrinfo::STATE as i64),
    ("offsetof(struct sctp_paddrinfo, spinfo_cwnd)", paddrinfo::CWND as i64),
    ("offsetof(struct sctp_paddrinfo, spinfo_srtt)", paddrinfo::SRTT as i64),
    ("offsetof(struct sctp_paddrinfo, spinfo_rto)", paddrinfo::RTO as i64),
    ("offsetof(struct sctp_paddrinfo, spinfo_mtu)", paddrinfo::MTU as i64),
    ("sizeof(struct sctp_status)", status::SIZE as i64),
    ("offsetof(struct sctp_status, sstat_assoc_id)", status::ASSOC_ID as i64),
    ("offsetof(struct sctp_status, sstat_state)", status::STATE as i64),
    ("offsetof(struct sctp_status, sstat_rwnd)", status::RWND as i64),
    ("offsetof(struct sctp_status, sstat_unackdata)", status::UNACKDATA as i64),
    ("offsetof(struct sctp_status, sstat_penddata)", status::PENDDATA as i64),
    ("offsetof(struct sctp_status, sstat_instrms)", status::INSTRMS as i64),
    ("offsetof(struct sctp_status, sstat_outstrms)", status::OUTSTRMS as i64),
    ("offsetof(struct sctp_status, sstat_fragmentation_point)", status::FRAGMENTATION_POINT as i64),
    ("offsetof(struct sctp_status, sstat_primary)", status::PRIMARY as i64),
    ("sizeof(struct sctp_assoc_stats)", assoc_stats::SIZE as i64),
    ("offsetof(struct sctp_assoc_stats, sas_assoc_id)", assoc_stats::ASSOC_ID as i64),
    ("offsetof(struct sctp_assoc_stats, sas_obs_rto_ipaddr)", assoc_stats::OBS_RTO_IPADDR as i64),
    ("offsetof(struct sctp_assoc_stats, sas_maxrto)", assoc_stats::MAXRTO as i64),
    ("SCTP_GET_ASSOC_STATS", optname::GET_ASSOC_STATS as i64),
    ("SCTP_RECVRCVINFO", optname::RECVRCVINFO as i64),
    ("SCTP_SOCKOPT_BINDX_ADD", optname::SOCKOPT_BINDX_ADD as i64),
    ("SCTP_SOCKOPT_BINDX_REM", optname::SOCKOPT_BINDX_REM as i64),
    ("SCTP_GET_PEER_ADDRS", optname::GET_PEER_ADDRS as i64),
    ("SCTP_GET_LOCAL_ADDRS", optname::GET_LOCAL_ADDRS as i64),
    ("SCTP_SOCKOPT_CONNECTX3", optname::SOCKOPT_CONNECTX3 as i64),
    ("SCTP_SOCKOPT_PEELOFF_FLAGS", optname::SOCKOPT_PEELOFF_FLAGS as i64),
    ("SCTP_UNORDERED", sctp::types::flags::UNORDERED as i64),
    ("SCTP_ADDR_OVER", sctp::types::flags::ADDR_OVER as i64),
    ("SCTP_ABORT", sctp::types::flags::ABORT as i64),
    ("SCTP_EOF", sctp::types::flags::EOF as i64),
    ("SCTP_SACK_IMMEDIATELY", sctp::types::flags::SACK_IMMEDIATELY as i64),
    ("SCTP_SENDALL", sctp::types::flags::SENDALL as i64),
    ("SCTP_PR_SCTP_MASK", sctp::types::flags::PR_MASK as i64),
    ("SCTP_PR_SCTP_NONE", 0),
    ("SCTP_PR_SCTP_TTL", sctp::types::flags::PR_TTL as i64),
    ("SCTP_PR_SCTP_RTX", sctp::types::flags::PR_RTX as i64),
    ("SCTP_PR_SCTP_PRIO", sctp::types::flags::PR_PRIO as i64),
    ("SCTP_PR_SCTP_ALL", 0x80),
    ("SCTP_ASSOC_CHANGE", ty::ASSOC_CHANGE as i64),
    ("SCTP_PEER_ADDR_CHANGE", ty::PEER_ADDR_CHANGE as i64),
    ("SCTP_SEND_FAILED", ty::SEND_FAILED as i64),
    ("SCTP_REMOTE_ERROR", ty::REMOTE_ERROR as i64),
    ("SCTP_SHUTDOWN_EVENT", ty::SHUTDOWN_EVENT as i64),
    ("SCTP_PARTIAL_DELIVERY_EVENT", ty::PARTIAL_DELIVERY_EVENT as i64),
    ("SCTP_ADAPTATION_INDICATION", ty::ADAPTATION_INDICATION as i64),
    ("SCTP_AUTHENTICATION_EVENT", ty::AUTHENTICATION_EVENT as i64),
    ("SCTP_SENDER_DRY_EVENT", ty::SENDER_DRY_EVENT as i64),
    ("SCTP_STREAM_RESET_EVENT", ty::STREAM_RESET_EVENT as i64),
    ("SCTP_ASSOC_RESET_EVENT", ty::ASSOC_RESET_EVENT as i64),
    ("SCTP_STREAM_CHANGE_EVENT", ty::STREAM_CHANGE_EVENT as i64),
    ("SCTP_SEND_FAILED_EVENT", ty::SEND_FAILED_EVENT as i64),
    ("sizeof(struct sctp_paddrparams)", option::PADDRPARAMS_DSCP.size as i64),
    ("offsetof(struct sctp_paddrparams, spp_assoc_id)", sctp::abi::paddrparams::ASSOC_ID as i64),
    ("offsetof(struct sctp_paddrparams, spp_flags)", sctp::abi::paddrparams::FLAGS as i64),
    ("SPP_SACKDELAY_DISABLE", 0x40),
    ("offsetof(struct sctp_reset_streams, srs_stream_list)", option::RESET_STREAMS.size as i64),
    ("sizeof(((struct sctp_reset_streams *)0)->srs_stream_list[0])", 2),
    ("SCTP_STREAM_RESET_INCOMING", 0x01),
    ("SCTP_STREAM_RESET_OUTGOING", 0x02),
    ("SCTP_ENABLE_RESET_STREAM_REQ", 0x01),
    ("SCTP_ENABLE_RESET_ASSOC_REQ", 0x02),
    ("SCTP_ENABLE_CHANGE_ASSOC_REQ", 0x04),
    ("SPP_HB_ENABLE", spp_flags::HB_ENABLE as i64),
    ("SPP_HB_TIME_IS_ZERO", spp_flags::HB_TIME_IS_ZERO as i64),
    ("SPP_DSCP", spp_flags::DSCP as i64),
    ("SPP_IPV6_FLOWLABEL", spp_flags::IPV6_FLOWLABEL as i64),
    ("SCTP_FUTURE_ASSOC", assoc::FUTURE as i64),
    ("SCTP_CURRENT_ASSOC", assoc::CURRENT as i64),
    ("SCTP_ALL_ASSOC", assoc::ALL as i64),
    ("offsetof(struct sctp_hmacalgo, shmac_num_idents)", 0),
    ("sizeof(((struct sctp_hmacalgo *)0)->shmac_num_idents)", 4),
    ("offsetof(struct sctp_authchunks, gauth_number_of_chunks)", 4),
    ("sizeof(((struct sctp_authchunks *)0)->gauth_number_of_chunks)", 4),
    ("offsetof(struct sctp_authkey, sca_keylength)", 6),
    ("sizeof(((struct sctp_authkey *)0)->sca_keylength)", 2),
    ("sizeof(struct sctp_authchunk)", 1),
    ("SCTP_AUTH_HMAC_ID_SHA1", 1),
    ("SCTP_AUTH_HMAC_ID_SHA256", 3),
    ("SCTP_PF", PATH_POTENTIALLY_FAILED as i64),
    ("SCTP_ADDR_POTENTIALLY_FAILED", 6),
    ("SCTP_ACTIVE", 2),
    ("SCTP_UNCONFIRMED", 3),
    ("SCTP_SHUTDOWN_ACK_SENT", 8),
];

#[test]
fn offsets_sizes_and_constants() {
    if !can_compile("offsets") {
        return;
    }
    let mut source = String::from("#define SOL_SCTP_OF_C IPPROTO_SCTP\n");
    let mut agree = |expression: &str, value: i64| {
        writeln!(source, "_Static_assert(({expression}) == {value}, \"{expression}\");").unwrap();
    };
    for (record, name, members) in RECORDS {
        if !GREW.contains(name) {
            agree(&format!("sizeof(struct {name})"), record.size as i64);
        }
        let members: Vec<_> = members.split_whitespace().collect();
        assert_eq!(members.len(), record.fields.len(), "{name}");
        for (field, member) in record.fields.iter().zip(members) {
            if matches!(field.kind, Kind::Absent) {
                continue;
            }
            agree(&format!("offsetof(struct {name}, {member})"), field.offset as i64);
            match field.kind {
                Kind::List(list) => {
                    let element = format!("sizeof(*((struct {name} *)0)->{member})");
                    agree(&element, list.width as i64);
                }
                Kind::Secret { .. } => {}
                _ => {
                    let size = format!("sizeof(((struct {name} *)0)->{member})");
                    agree(&size, field.kind.width() as i64);
                }
            }
        }
    }
    for (expression, value) in CONSTANTS {
        agree(expression, *value);
    }
    for option in OPTIONS {
        let level = option.level;
        if level == sctp::abi::SOL_SCTP {
            agree(&c_name(option.name), option.optname.into());
        }
    }
    for (counter, offset) in COUNTERS {
        agree(&format!("offsetof(struct sctp_assoc_stats, sas_{counter})"), *offset as i64);
        agree(&format!("sizeof(((struct sctp_assoc_stats *)0)->sas_{counter})"), 8);
    }
    for (value, name) in PATH_STATES {
        // The header's name of potentially failed.
        let name = name.replace("potentially_failed", "pf").to_uppercase();
        agree(&format!("SCTP_{name}"), (*value).into());
    }
    for feature in FEATURES {
        agree(&feature.c_name(), feature.optname.into());
    }
    for (name, value) in &SCHEDULERS[..3] {
        let name = name.replace("scheduler_", "SCTP_SS_").to_uppercase();
        // A constant of an enumeration; two came later than this header may be.
        agree(&name, (*value).into());
    }
    source.push_str("int main(void) { return 0; }\n");
    compile("offsets", &source).unwrap();
}

/// The C name of an option of SCTP: Erlang's in capitals, but for those that share or split one.
fn c_name(option: &str) -> String {
    match option {
        "sctp_peer_addr_params" => "SCTP_PEER_ADDR_PARAMS".into(),
        "sctp_delayed_ack_time" => "SCTP_DELAYED_ACK_TIME".into(),
        "sctp_dscp" => "SCTP_PEER_ADDR_PARAMS".into(),
        "sctp_peer_addr_thlds" => "SCTP_PEER_ADDR_THLDS_V2".into(),
        "sctp_ipv6_flowlabel" => "SCTP_PEER_ADDR_PARAMS".into(),
        name => name.to_uppercase(),
    }
}

#[test]
fn every_record_of_the_table_is_compared() {
    let tags: Vec<_> = RECORDS.iter().map(|(record, _, _)| record.tag).collect();
    for option in OPTIONS {
        if let Shape::Record(record) = option.shape {
            assert!(tags.contains(&record.tag), "{}", record.tag);
        }
    }
}

/// Fills notifications through the C header and writes them to standard output, each after its
/// length.
const WRITE_NOTIFICATIONS: &str = r#"
static void out(void *notification, unsigned length) {
    fwrite(&length, 4, 1, stdout);
    fwrite(notification, 1, length, stdout);
}

#define START(type, var, kind, tail) \
    union { type it; char room[sizeof(type) + tail]; } u_##var; \
    type *var = &u_##var.it; \
    memset(&u_##var, 0, sizeof u_##var); \
    ((struct sctp_shutdown_event *)var)->sse_type = kind; \
    ((struct sctp_shutdown_event *)var)->sse_length = sizeof(type) + tail;

int main(void) {
    { START(struct sctp_assoc_change, n, SCTP_ASSOC_CHANGE, 2)
      n->sac_state = SCTP_SHUTDOWN_COMP; n->sac_error = 1; n->sac_outbound_streams = 2;
      n->sac_inbound_streams = 3; n->sac_assoc_id = 4; memcpy(n->sac_info, "ab", 2);
      out(n, n->sac_length); }
    { START(struct sctp_paddr_change, n, SCTP_PEER_ADDR_CHANGE, 0)
      struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(5),
                                .sin_addr.s_addr = htonl(0x01020304) };
      memcpy(&n->spc_aaddr, &in, sizeof in);
      n->spc_state = SCTP_ADDR_MADE_PRIM; n->spc_error = 6; n->spc_assoc_id = 7;
      out(n, n->spc_length); }
    { START(struct sctp_send_failed, n, SCTP_SEND_FAILED, 1)
      n->ssf_flags = SCTP_DATA_SENT; n->ssf_error = 8; n->ssf_info.sinfo_stream = 9;
      n->ssf_info.sinfo_ssn = 10; n->ssf_info.sinfo_flags = 11;
      n->ssf_info.sinfo_ppid = htonl(12); n->ssf_info.sinfo_context = 13;
      n->ssf_info.sinfo_timetolive = 14; n->ssf_info.sinfo_tsn = 15;
      n->ssf_info.sinfo_cumtsn = 16; n->ssf_info.sinfo_assoc_id = 17; n->ssf_assoc_id = 18;
      n->ssf_data[0] = 'c';
      out(n, n->ssf_length); }
    { START(struct sctp_remote_error, n, SCTP_REMOTE_ERROR, 1)
      n->sre_error = htons(19); n->sre_assoc_id = 20; n->sre_data[0] = 'd';
      out(n, n->sre_length); }
    { START(struct sctp_shutdown_event, n, SCTP_SHUTDOWN_EVENT, 0)
      n->sse_assoc_id = 21;
      out(n, n->sse_length); }
    { START(struct sctp_pdapi_event, n, SCTP_PARTIAL_DELIVERY_EVENT, 0)
      n->pdapi_indication = 22; n->pdapi_assoc_id = 23; n->pdapi_stream = 24; n->pdapi_seq = 25;
      n->pdapi_flags = 1;
      out(n, n->pdapi_length); }
    { START(struct sctp_adaptation_event, n, SCTP_ADAPTATION_INDICATION, 0)
      n->sai_adaptation_ind = 26; n->sai_assoc_id = 27;
      out(n, n->sai_length); }
    { START(struct sctp_authkey_event, n, SCTP_AUTHENTICATION_EVENT, 0)
      n->auth_keynumber = 28; n->auth_indication = 29; n->auth_assoc_id = 30;
      out(n, n->auth_length); }
    { START(struct sctp_sender_dry_event, n, SCTP_SENDER_DRY_EVENT, 0)
      n->sender_dry_assoc_id = 31;
      out(n, n->sender_dry_length); }
    { START(struct sctp_stream_reset_event, n, SCTP_STREAM_RESET_EVENT, 4)
      n->strreset_flags = 32; n->strreset_assoc_id = 33;
      n->strreset_stream_list[0] = 34; n->strreset_stream_list[1] = 35;
      out(n, n->strreset_length); }
    { START(struct sctp_assoc_reset_event, n, SCTP_ASSOC_RESET_EVENT, 0)
      n->assocreset_flags = 36; n->assocreset_assoc_id = 37;
      n->assocreset_local_tsn = 38; n->assocreset_remote_tsn = 39;
      out(n, n->assocreset_length); }
    { START(struct sctp_stream_change_event, n, SCTP_STREAM_CHANGE_EVENT, 0)
      n->strchange_flags = 40; n->strchange_assoc_id = 41;
      n->strchange_instrms = 42; n->strchange_outstrms = 43;
      out(n, n->strchange_length); }
    { START(struct sctp_send_failed_event, n, SCTP_SEND_FAILED_EVENT, 1)
      n->ssf_error = htons(44); n->ssfe_info.snd_sid = 45; n->ssfe_info.snd_flags = 46;
      n->ssfe_info.snd_ppid = htonl(47); n->ssfe_info.snd_context = 48;
      n->ssfe_info.snd_assoc_id = 49; n->ssf_assoc_id = 50; n->ssf_data[0] = 'e';
      out(n, n->ssf_length); }
    return 0;
}
"#;

#[test]
fn notifications() {
    if !can_compile("notifications") {
        return;
    }
    let program = compile("notifications", WRITE_NOTIFICATIONS).unwrap();
    let written = Command::new(program).output().unwrap().stdout;
    let mut rest = &written[..];
    let mut found = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk() {
        let (bytes, tail) = tail.split_at(u32::from_ne_bytes(*length) as usize);
        found.push(parse(bytes).unwrap());
        rest = tail;
    }
    assert_eq!(found, expected_notifications());
}

fn expected_notifications() -> Vec<Notification> {
    vec![
        Notification::AssocChange {
            state: AssocState::ShutdownComp,
            error: 1,
            outbound_streams: 2,
            inbound_streams: 3,
            assoc: AssocId(4),
            info: b"ab".to_vec(),
        },
        Notification::PeerAddrChange {
            addr: Some("1.2.3.4:5".parse().unwrap()),
            state: PeerAddrState::MadePrim,
            error: 6,
            assoc: AssocId(7),
        },
        Notification::SendFailed {
            sent: true,
            error: 8,
            info: SndRcvInfo {
                stream: 9,
                ssn: 10,
                flags: 11,
                ppid: 12,
                context: 13,
                timetolive: 14,
                tsn: 15,
                cumtsn: 16,
                assoc: AssocId(17),
            },
            assoc: AssocId(18),
            data: b"c".to_vec(),
        },
        Notification::RemoteError { error: 19, assoc: AssocId(20), data: b"d".to_vec() },
        Notification::Shutdown { assoc: AssocId(21) },
        Notification::PartialDelivery {
            indication: 22,
            assoc: AssocId(23),
            stream: 24,
            sequence: 25,
            unordered: true,
        },
        Notification::Adaptation { indication: 26u32.to_be(), assoc: AssocId(27) },
        Notification::Authentication { key: 28, indication: 29, assoc: AssocId(30) },
        Notification::SenderDry { assoc: AssocId(31) },
        Notification::StreamReset { flags: 32, assoc: AssocId(33), streams: vec![34, 35] },
        Notification::AssocReset { flags: 36, assoc: AssocId(37), local_tsn: 38, remote_tsn: 39 },
        Notification::StreamChange {
            flags: 40,
            assoc: AssocId(41),
            inbound_streams: 42,
            outbound_streams: 43,
        },
        Notification::SendFailedEvent {
            sent: false,
            error: 44,
            info: SndInfo {
                stream: 45,
                flags: 46,
                ppid: 47,
                context: 48,
                timetolive: 0,
                assoc: AssocId(49),
                key: None,
            },
            assoc: AssocId(50),
            data: b"e".to_vec(),
        },
    ]
}
