//! Every atom that is not an option, record or errno name (those come from the core's tables).

rustler::atoms! {
    abort, active, addr_over, badarg, binary, closed, dollar_inet = "$inet",
    dollar_nif = "$gen_sctp_nif", down = "DOWN", ealready, einval, elsewhere, enomem, eof, error,
    family, false_ = "false", gen_sctp_nif, inet, inet6, infinity, list, nif_panicked, normal,
    not_owner, ok, once, owner, ready, same, sctp, sctp_batch, sctp_error, sctp_passive, seqpacket,
    sent, socket, stream, timeout, true_ = "true", type_ = "type", undefined, unordered, wait,
    // options kept in user space
    abort_causes, batch, mailbox_limit, gen_sctp_nif_limit, limited, many, more, buffer, debug, exclusiveaddruse,
    mode, netns, non_block_send,
    // bindx
    add, remove,
    // getstat
    recv_avg, recv_cnt, recv_dvi, recv_max, recv_oct,
    send_avg, send_cnt, send_max, send_oct, send_pend,
    // addresses
    any, loopback, addr, port, flowinfo, scope_id,
    // ancillary data
    tclass, tos, ttl,
    // info, counters
    counters, id, states, open, listen, sockets, local, peers, associations, resources, receivers,
    writers, connects, watchers, backlog, fragments, monitors, opened, closing, terms,
    backlog_bytes, fragment_bytes, panics,
    // records
    sctp_sndrcvinfo, sctp_assoc_change, sctp_paddr_change, sctp_remote_error, sctp_send_failed,
    sctp_shutdown_event, sctp_adaptation_event, sctp_pdapi_event,
    partial_delivery_aborted,
    comm_up, comm_lost, restart, shutdown_comp, cant_assoc,
    addr_available, addr_unreachable, addr_removed, addr_added, addr_made_prim, addr_confirmed,
}
