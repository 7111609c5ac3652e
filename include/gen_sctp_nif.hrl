%% The records of gen_sctp, and those of options and events that it does not have
%% (docs/options.md). Fields have the names of the structs of RFC 6458, 6525 and 7829.
-ifndef(GEN_SCTP_NIF_HRL).
-define(GEN_SCTP_NIF_HRL, true).

-include("inet_sctp.hrl").

%% Options. `assoc_id': an association; undefined, 0 or `future' the endpoint, for associations to
%% come; `current' all that there are, `all' both. `address': {IP, Port} of the peer, undefined all.

%% sctp_event: whether this kind of event comes.
-record(sctp_event, {
    assoc_id,
    type,           % association | address | send_failure | sender_dry | ...
    on              % boolean()
}).

%% sctp_delayed_sack: when what was received is acknowledged.
-record(sctp_sack_info, {
    assoc_id,
    delay,          % ms, at most 500; 0: as it is
    freq            % packets, 1: each at once; 0: as it is
}).

%% sctp_dscp: the differentiated services code point of packets to a peer's address.
-record(sctp_dscp, {
    assoc_id,
    address,
    dscp            % 0..63
}).

%% sctp_peer_addr_thlds: timeouts in a row until a path is given up. What is undefined stays.
-record(sctp_paddrthlds, {
    assoc_id,
    address,
    pathmaxrxt,     % it is unreachable (0: as it is)
    pathpfthld,     % it is potentially failed
    pathcpthld      % another path becomes the primary one
}).

%% Authentication (RFC 4895).

%% sctp_hmac_ident: what this end understands; the peer uses the first of them that it has.
-record(sctp_hmacalgo, {
    idents          % [sha256 | sha1 | 0..65535], sha1 among them
}).

%% sctp_auth_key: a key that both ends have by the same number.
-record(sctp_authkey, {
    assoc_id,
    keynumber,      % 0..65535
    key             % binary of 1..65535 bytes
}).

%% sctp_auth_active_key, sctp_auth_deactivate_key, sctp_auth_delete_key.
-record(sctp_authkeyid, {
    assoc_id,
    keynumber
}).

%% sctp_local_auth_chunks, sctp_peer_auth_chunks.
-record(sctp_authchunks, {
    assoc_id,
    chunks          % [data | asconf | ... | 0..255]
}).

%% sctp_ipv6_flowlabel: the flow label of packets to a peer's address of IPv6.
-record(sctp_ipv6_flowlabel, {
    assoc_id,
    address,
    flowlabel       % 0..16#fffff
}).

%% sctp_remote_udp_encaps_port: the peer's port, for packets in UDP.
-record(sctp_udpencaps, {
    assoc_id,
    address,
    port            % 0: not in UDP
}).

%% sctp_plpmtud_probe_interval: how often larger packets are tried.
-record(sctp_probeinterval, {
    assoc_id,
    address,
    interval        % ms, at least 5000; 0: never
}).

%% sctp_reset_streams: their messages are numbered from 0 again.
-record(sctp_reset_streams, {
    assoc_id,
    flags,          % [incoming | outgoing]
    streams         % [0..65535, ...] | all
}).

%% sctp_add_streams: so many more.
-record(sctp_add_streams, {
    assoc_id,
    instrms,
    outstrms
}).

%% sctp_stream_scheduler_value: a stream's place among others.
-record(sctp_stream_value, {
    assoc_id,
    sid,            % stream
    value           % prio: the lowest goes first; wfq: its share
}).

%% Sending with information: gen_sctp_nif:sendv/4,5.

%% When a message is given up (RFC 7496), if the peer can have it so.
-record(sctp_prinfo, {
    policy = none,  % none | ttl | rtx | prio
    value           % ms | times it is sent again | the larger, the sooner
}).

%% The key that a message is signed by, if the peer has data signed.
-record(sctp_authinfo, {
    keynumber       % 0..65535
}).

%% sctp_default_prinfo: when messages are given up whose sender does not say.
-record(sctp_default_prinfo, {
    assoc_id,
    policy,
    value
}).

%% sctp_pr_assoc_status, sctp_pr_stream_status: messages that were given up; only read.
-record(sctp_prstatus, {
    assoc_id,
    sid,                % of sctp_pr_stream_status
    policy,             % ttl | rtx | prio | all
    abandoned_unsent,
    abandoned_sent
}).

%% sctp_recvrcvinfo: what comes with a message then.
-record(sctp_rcvinfo, {
    sid,
    ssn,                % the number of the message in its stream
    flags,              % [unordered]
    ppid,
    tsn,                % of the first DATA chunk
    cumtsn,             % of unordered messages
    context,            % the receiver's: sctp_context
    assoc_id
}).

%% Events, for who has asked for them by sctp_event.

-record(sctp_sender_dry_event, {
    assoc_id
}).

%% What is said of a message, by who sends it or of one that was not delivered.
-record(sctp_sndinfo, {
    sid,            % stream
    flags,          % [unordered | sack_immediately | abort | eof]
    ppid,
    context,
    assoc_id
}).

-record(sctp_send_failed_event, {
    flags,          % unsent | sent
    error,          % cause, as for gen_sctp:error_string/1; 0: none
    info,           % #sctp_sndinfo{}
    fragment,       % whole | first | middle | last
    assoc_id,
    data            % of that fragment
}).

-record(sctp_authkey_event, {
    keynumber,
    indication,     % new_key | free_key | no_auth
    assoc_id
}).

-record(sctp_stream_reset_event, {
    flags,          % [incoming | outgoing | denied | failed]
    assoc_id,
    streams         % [0..65535] | all
}).

-record(sctp_assoc_reset_event, {
    flags,          % [denied | failed]
    assoc_id,
    local_tsn,
    remote_tsn
}).

-record(sctp_stream_change_event, {
    flags,          % [denied | failed]
    assoc_id,
    instrms,        % so many more
    outstrms
}).

-endif.
