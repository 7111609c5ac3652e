//! Every atom that is not an option, record or errno name (those come from the core's tables).

rustler::atoms! {
    abort, active, addr_over, badarg, binary, close, closed, dollar_inet = "$inet",
    dollar_nif = "$gen_sctp_nif", dollar_socket = "$socket", down = "DOWN", einval,
    enomem, eof, error, family, false_ = "false", gen_sctp_nif, inet, inet6, infinity,
    list, normal, not_owner, ok, once, owner, ready, same, sctp, sctp_batch,
    sctp_closed, sctp_error, sctp_passive, select, seqpacket,
    sent, socket, stream, timeout, true_ = "true", type_ = "type", undefined, unordered, wait,
    warning,
    // options kept in user space
    abort_causes, batch, mailbox_limit, gen_sctp_nif_limit, limited, more, buffer, debug, exclusiveaddruse,
    mode, netns, non_block_send, send_timeout, send_timeout_close,
    end_of_stream, max_message_size,
    // shutdown
    read, write, read_write,
    // what options take
    boolean, chunk, device, integer, linger, non_neg_integer, read_only, record,
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
    writers, connects, acceptors, watchers, backlog, fragments, monitors, opened, closing, terms,
    backlog_bytes, fragment_bytes, panics,
    // what associations and paths are like
    address, assoc_id, cwnd, dropped, fragmentation_point, instrms, max_rto, max_rto_address, mtu,
    outstrms, penddata, primary, rto, rwnd, srtt, state, unackdata,
    // records
    sctp_sndrcvinfo, sctp_assoc_change, sctp_paddr_change, sctp_remote_error, sctp_send_failed,
    sctp_shutdown_event, sctp_adaptation_event, sctp_pdapi_event,
    partial_delivery_aborted,
    comm_up, comm_lost, restart, shutdown_comp, cant_assoc,
    addr_available, addr_unreachable, addr_removed, addr_added, addr_made_prim, addr_confirmed,
    // what gen_sctp does not have
    sctp_authkey_event, sctp_sender_dry_event, sctp_stream_reset_event, sctp_assoc_reset_event,
    sctp_stream_change_event, sctp_send_failed_event, sctp_sndinfo,
    addr_potentially_failed, new_key, free_key, no_auth, incoming, outgoing, denied, failed,
    unsent, whole, first, middle, last, sack_immediately, future, current, all,
    sctp_prinfo, sctp_authinfo, none, rtx, prio, sctp_rcvinfo, sctp_recvrcvinfo,
}
