%% @doc SCTP sockets: the functions of `gen_sctp', over a NIF that calls the
%% kernel without a port in between.
%%
%% Every function takes and returns what its namesake in `gen_sctp' does.
%% `inet:setopts/2', `inet:getopts/2', `inet:port/1', `inet:close/1' and most
%% other functions of `inet' work on these sockets. Instead of
%% `inet:peernames/1,2', `inet:socknames/2' and `inet:getfd/1' call the
%% functions of this module.
%%
%% The records are those of `kernel/include/inet_sctp.hrl', which
%% `gen_sctp_nif/include/inet_sctp.hrl' includes. Include
%% `gen_sctp_nif/include/gen_sctp_nif.hrl' for those of further options and
%% events as well. Set these by `inet:setopts/2' or in the options of `open'
%% (`docs/options.md' has a table). A program that does not ask for them sees
%% no difference.
%%
%% Where releases of OTP differ, this module does as the newest one (29): the
%% kernel's own buffer sizes, a `send' that waits for room,
%% `inet_default_sctp_options'.
%%
%% == Sockets ==
%% A socket is `{'$inet', gen_sctp_nif, Reference}'. Its owner is the process
%% that opened, accepted or peeled it off, or got it by
%% {@link controlling_process/2}. Only the owner gets the messages of the active
%% modes. When it dies the socket is closed. All other functions may be called by
%% any process. There is no link between owner and socket, and so no `EXIT'
%% message.
%%
%% A socket that is neither active nor listening is also closed when no process
%% refers to it or monitors it any more.
%%
%% == Messages to the owner ==
%% <dl>
%% <dt>`{sctp, Socket, IP, Port, {AncData, Data}}'</dt>
%% <dd>Data is what a peer sent, a binary or a list as the mode says, or the
%% record of an event.</dd>
%% <dt>`{sctp_error, Socket, IP, Port, {AncData, Event}}'</dt>
%% <dd>`#sctp_remote_error{}', `#sctp_send_failed{}', `#sctp_pdapi_event{}' or
%% `#sctp_send_failed_event{}'.</dd>
%% <dt>`{sctp_batch, Socket, [{IP, Port, AncData, Data}]}'</dt>
%% <dd>One or several of the two above, with the option `{batch, N}': see
%% {@link recv_batch/3}. Counts as one message for `once' and N.</dd>
%% <dt>`{sctp_error, Socket, Posix}'</dt>
%% <dd>The socket itself had an error. Does not count for `once' and N.</dd>
%% <dt>`{sctp_closed, Socket}'</dt>
%% <dd>The association of a one-to-one socket with the option
%% `{end_of_stream, closed}' has ended, and nothing follows. You still have to
%% close the socket. Comes once, and does not count for `once' and N.</dd>
%% <dt>`{sctp_error, Socket, closed}'</dt>
%% <dd>The library had to close the socket, for a fault of its own: a bug.</dd>
%% <dt>`{sctp_passive, Socket}'</dt>
%% <dd>The count of `{active, N}' has come down to 0.</dd>
%% </dl>
%%
%% == Errors ==
%% Arguments of a wrong type raise `badarg'. A closed socket is
%% `{error, closed}' here and `{error, einval}' in the functions of `inet'.
%% What the kernel refuses is `{error, Posix}'.
-module(gen_sctp_nif).

%% Sockets.
-export([open/0]).
-export([open/1]).
-export([open/2]).
-export([close/1]).
-export([listen/2]).
-export([accept/1]).
-export([accept/2]).
-export([shutdown/2]).
-export([peeloff/2]).
-export([bindx/3]).
-export([controlling_process/2]).

%% Associations.
-export([connect/3]).
-export([connect/4]).
-export([connect/5]).
-export([connect_init/3]).
-export([connect_init/4]).
-export([connect_init/5]).
-export([connectx_init/3]).
-export([connectx_init/4]).
-export([connectx_init/5]).
-export([eof/2]).
-export([abort/2]).
-export([abort/3]).

%% Traffic.
-export([send/3]).
-export([send/4]).
-export([sendv/4]).
-export([sendv/5]).
-export([send_batch/3]).
-export([send_batch/4]).
-export([recv/1]).
-export([recv/2]).
-export([recv_batch/3]).
-export([cancel/2]).
-export([error_string/1]).

%% What a socket, an association, the kernel is like.
-export([getopt/2]).
-export([assocs/1]).
-export([status/2]).
-export([paths/2]).
-export([stats/1]).
-export([stats/2]).
-export([i/1]).
-export([features/0]).

%% All open sockets.
-export([i/0]).
-export([info/0]).
-export([which_sockets/0]).

%% What inet calls for a module socket.
-export([setopts/2]).
-export([getopts/2]).
-export([getstat/2]).
-export([sockname/1]).
-export([peername/1]).
-export([socknames/1]).
-export([monitor/1]).
-export([cancel_monitor/1]).
-export([info/1]).
-export([socket_to_list/1]).

%% What inet has, but does not pass on to a module.
-export([socknames/2]).
-export([peernames/1]).
-export([peernames/2]).
-export([getfd/1]).

%% What gen_tcp, gen_udp and file call. One-to-many sockets refuse.
-export([send/2]).
-export([recv/3]).
-export([sendfile/4]).

-compile({inline, [closed_is_einval/1]}).

-include("gen_sctp_nif.hrl").

-define(SOCKET(Ref), {'$inet', ?MODULE, Ref}).
%% Raises badarg; who shows it can say what is wrong.
-define(BADARG(Args), error(badarg, Args, [{error_info, #{module => gen_sctp_nif_error}}])).
%% The same where there are options among the arguments, which may have keys.
-define(BADARG_WITHOUT_KEYS(Args), ?BADARG(gen_sctp_nif_error:without_keys(Args))).
%% Raises what was raised, which may have a key in itself or among its arguments.
-define(ERROR_WITHOUT_KEYS(Reason, Args),
    error(gen_sctp_nif_error:without_key(Reason), gen_sctp_nif_error:without_keys(Args))).
%% As gen_sctp does with a list whose end is none.
-define(IMPROPER(Args), ?ERROR_WITHOUT_KEYS(function_clause, Args)).
%% So many messages a batch has at most.
-define(BATCH, 64).

-type sctp_socket() :: {'$inet', ?MODULE, reference()}.
%% The kernel's number of an association. 0 is the endpoint itself.
-type assoc_id() :: 0..16#ffffffff.
-type option() ::
    gen_sctp:option()
    | {abort_causes, boolean()}
    | {batch, 1..64}
    | {debug, boolean()}
    | {end_of_stream, wait | closed}
    | {exclusiveaddruse, boolean()}
    | {mailbox_limit, pos_integer() | infinity}
    | {non_block_send, boolean()}
    | {reuseport, boolean()}
    | {reuseport_lb, boolean()}
    | {sctp_event, #sctp_event{}}
    | {sctp_delayed_sack, #sctp_sack_info{}}
    | {sctp_max_burst, #sctp_assoc_value{}}
    | {sctp_dscp, #sctp_dscp{}}
    | {sctp_peer_addr_thlds, #sctp_paddrthlds{}}
    | {sctp_expose_potentially_failed_state, #sctp_assoc_value{}}
    | {sctp_pr_supported, #sctp_assoc_value{}}
    | {sctp_ecn_supported, #sctp_assoc_value{}}
    | {sctp_reconfig_supported, #sctp_assoc_value{}}
    | {sctp_auth_supported, #sctp_assoc_value{}}
    | {sctp_asconf_supported, #sctp_assoc_value{}}
    | {sctp_auth_chunk, chunk_type()}
    | {sctp_hmac_ident, #sctp_hmacalgo{}}
    | {sctp_auth_key, #sctp_authkey{}}
    | {sctp_auth_active_key, #sctp_authkeyid{}}
    | {sctp_auth_deactivate_key, #sctp_authkeyid{}}
    | {sctp_auth_delete_key, #sctp_authkeyid{}}
    | {max_message_size, 1..67108863 | infinity}
    | {sctp_reuse_port, boolean()}
    | {sctp_auto_asconf, boolean()}
    | {sctp_ipv6_flowlabel, #sctp_ipv6_flowlabel{}}
    | {sctp_remote_udp_encaps_port, #sctp_udpencaps{}}
    | {sctp_plpmtud_probe_interval, #sctp_probeinterval{}}
    | {sctp_fragment_interleave, boolean()}
    | {sctp_interleaving_supported, #sctp_assoc_value{}}
    | {sctp_enable_stream_reset, #sctp_assoc_value{}}
    | {sctp_reset_streams, #sctp_reset_streams{}}
    | {sctp_reset_assoc, assoc_id()}
    | {sctp_add_streams, #sctp_add_streams{}}
    | {sctp_stream_scheduler, #sctp_assoc_value{}}
    | {sctp_stream_scheduler_value, #sctp_stream_value{}}
    | {sctp_recvrcvinfo, boolean()}
    | {sctp_context, #sctp_assoc_value{}}
    | {sctp_default_sndinfo, #sctp_sndinfo{}}
    | {sctp_default_prinfo, #sctp_default_prinfo{}}
    | {send_timeout, timeout()}
    | {send_timeout_close, boolean()}.
-type option_name() ::
    gen_sctp:option_name()
    | abort_causes
    | batch
    | debug
    | end_of_stream
    | exclusiveaddruse
    | mailbox_limit
    | non_block_send
    | reuseport
    | reuseport_lb
    | sctp_event
    | sctp_delayed_sack
    | sctp_max_burst
    | sctp_dscp
    | sctp_peer_addr_thlds
    | sctp_expose_potentially_failed_state
    | sctp_pr_supported
    | sctp_ecn_supported
    | sctp_reconfig_supported
    | sctp_auth_supported
    | sctp_asconf_supported
    | sctp_hmac_ident
    | sctp_auth_active_key
    | sctp_local_auth_chunks
    | sctp_peer_auth_chunks
    | max_message_size
    | sctp_reuse_port
    | sctp_auto_asconf
    | sctp_ipv6_flowlabel
    | sctp_remote_udp_encaps_port
    | sctp_plpmtud_probe_interval
    | sctp_fragment_interleave
    | sctp_interleaving_supported
    | sctp_enable_stream_reset
    | sctp_stream_scheduler
    | sctp_stream_scheduler_value
    | sctp_recvrcvinfo
    | sctp_context
    | sctp_default_sndinfo
    | sctp_default_prinfo
    | sctp_pr_assoc_status
    | sctp_pr_stream_status
    | send_timeout
    | send_timeout_close.
-type option_value() :: gen_sctp:option_value() | #{atom() => term()}.
%% A type of chunk, by its number or by its name in RFC 9260 and the extensions.
-type chunk_type() ::
    0..255
    | data | init | init_ack | sack | heartbeat | heartbeat_ack | abort | shutdown | shutdown_ack
    | error | cookie_echo | cookie_ack | ecne | cwr | shutdown_complete | auth | i_data
    | asconf_ack | reconfig | pad | forward_tsn | asconf | i_forward_tsn.
-type open_option() ::
    {ifaddr, local_address() | [local_address()] | sockaddr()}
    | {ip, local_address() | [local_address()]}
    | {port, inet:port_number() | ServiceName :: atom()}
    | {type, seqpacket | stream}
    | {netns, file:filename_all()}
    | {bind_to_device, binary()}
    | {sctp_module, inet_sctp | inet6_sctp}
    | inet
    | inet6
    | option().
-type local_address() :: inet:ip_address() | any | loopback.
-type sockaddr() :: socket:sockaddr_in() | socket:sockaddr_in6().
%% `#sctp_rcvinfo{}' with the option `sctp_recvrcvinfo'.
-type anc_data() ::
    [#sctp_sndrcvinfo{} | #sctp_rcvinfo{} | inet:ancillary_data() | abort_causes()].
%% With the option `abort_causes': the causes in the peer's ABORT, which come with
%% `#sctp_assoc_change{}'. Code 12 is an abort by the peer's program, Info its reason
%% (RFC 9260, section 3.3.10; {@link error_string/1}).
-type abort_causes() :: {abort_causes, [{Code :: 0..65535, Info :: binary()}, ...]}.
-type event() ::
    #sctp_assoc_change{}
    | #sctp_paddr_change{}
    | #sctp_shutdown_event{}
    | #sctp_adaptation_event{}
    | #sctp_authkey_event{}
    | #sctp_sender_dry_event{}
    | #sctp_stream_reset_event{}
    | #sctp_assoc_reset_event{}
    | #sctp_stream_change_event{}.
-type error_event() ::
    #sctp_remote_error{}
    | #sctp_send_failed{}
    | #sctp_send_failed_event{}
    | #sctp_pdapi_event{}.
%% Where it came from (for an event the primary address of the peer), and what it is.
%% A batch also has error events.
-type message() :: {
    FromIP :: inet:ip_address(),
    FromPort :: inet:port_number(),
    anc_data(),
    binary() | string() | event() | error_event()
}.
%% The address of an error event is undecoded, as gen_sctp gives it:
%% [1, PortHigh, PortLow | FourBytes] or [2, PortHigh, PortLow | SixteenBytes].
-type recv_error() ::
    timeout
    | closed
    | inet:posix()
    | {RawAddr :: [byte()], anc_data(), error_event()}.
-type send_error() :: timeout | closed | inet:posix().
%% For {@link send_batch/3}: on a stream; as the record says, but for its `assoc_id'; as
%% {@link sendv/4} has it.
-type outgoing() :: {non_neg_integer() | #sctp_sndrcvinfo{} | [send_info()], iodata()}.
%% For {@link sendv/4}.
-type send_info() :: #sctp_sndinfo{} | #sctp_prinfo{} | #sctp_authinfo{}.
-type recipient() ::
    assoc_id()
    | #sctp_assoc_change{}
    | {assoc_id() | #sctp_assoc_change{}, address_and_port()}
    | all.
-type connect_result() ::
    {ok, #sctp_assoc_change{}}
    | {error, #sctp_assoc_change{} | inet:posix() | closed | timeout}.
%% What {@link cancel/2} takes. Op says what is waited for: `recv', `send', ...
-type select_info() :: {select_info, Op :: atom(), reference()}.
-type address_and_port() :: {inet:ip_address(), inet:port_number()}.
%% See {@link status/2}. A state that has no name here is its number in the kernel.
-type status() :: #{
    assoc_id := assoc_id(),
    state := empty | closed | cookie_wait | cookie_echoed | established | shutdown_pending
        | shutdown_sent | shutdown_received | shutdown_ack_sent | integer(),
    rwnd := non_neg_integer(),
    unackdata := non_neg_integer(),
    penddata := non_neg_integer(),
    instrms := non_neg_integer(),
    outstrms := non_neg_integer(),
    fragmentation_point := non_neg_integer(),
    primary := path()
}.
%% See {@link paths/2}.
-type path() :: #{
    address := address_and_port() | undefined,
    state := active | inactive | unconfirmed | potentially_failed | integer(),
    primary := boolean(),
    cwnd => non_neg_integer(),
    srtt => non_neg_integer(),
    rto => non_neg_integer(),
    mtu => non_neg_integer()
}.
%% See {@link stats/2} and {@link stats/1}.
-type assoc_stats() :: #{
    max_rto := non_neg_integer(),
    max_rto_address := address_and_port() | undefined,
    atom() => non_neg_integer()
}.
-type socket_stats() :: #{atom() => non_neg_integer()}.

-export_type([assoc_id/0, option/0, option_name/0, option_value/0, sctp_socket/0]).
-export_type([abort_causes/0, open_option/0, sockaddr/0, message/0, recv_error/0, anc_data/0]).
-export_type([chunk_type/0]).
-export_type([event/0, error_event/0, select_info/0, send_error/0, outgoing/0]).
-export_type([send_info/0, recipient/0]).
-export_type([status/0, path/0, assoc_stats/0, socket_stats/0]).

%% Sockets.

%% @equiv open([])
-spec open() -> {ok, sctp_socket()} | {error, inet:posix()}.
open() ->
    open([]).

%% @doc Opens a socket on a port or with a list of options.
%%
%% It is bound to the wildcard address of its family and to a port that the
%% kernel picks, unless `ip', `ifaddr' or `port' say otherwise. Several
%% addresses, in several options or in a list, make it multihomed. The last one
%% is bound first, as in `gen_sctp'. By default the socket is passive, in binary
%% mode, and one-to-many (`{type, seqpacket}'). The caller becomes the owner.
%%
%% Raises `badarg' for an option that is unknown or wrong, or that the kernel
%% refuses with `einval'. A kernel without SCTP gives
%% `{error, esocktnosupport}' or `{error, eprotonosupport}'.
-spec open(inet:port_number() | [open_option()]) ->
    {ok, sctp_socket()} | {error, inet:posix()}.
open(Port) when is_integer(Port) ->
    open([{port, Port}]);
open(Opts) when length(Opts) >= 0 ->
    case gen_sctp_nif_open:open(Opts) of
        {error, badarg} -> ?BADARG_WITHOUT_KEYS([Opts]);
        {error, eaddrinuse} -> gen_sctp_nif_open:open_after_closings(Opts);
        Result -> Result
    end;
open(Improper) when is_list(Improper) ->
    ?IMPROPER([Improper]);
open(Other) ->
    ?BADARG_WITHOUT_KEYS([Other]).

%% @doc Opens a socket on a port, with options. A `port' among these wins.
-spec open(inet:port_number(), [open_option()]) ->
    {ok, sctp_socket()} | {error, inet:posix()}.
open(Port, Opts) when is_integer(Port), length(Opts) >= 0 ->
    open([{port, Port} | Opts]);
open(Port, Improper) when is_integer(Port), is_list(Improper) ->
    ?IMPROPER([Port, Improper]);
open(Port, Opts) ->
    ?BADARG_WITHOUT_KEYS([Port, Opts]).

%% @doc Closes a socket and all its associations.
%%
%% Returns when addresses and port are free: at once, but for a socket with many
%% associations or much data. (Of several calls the first waits for that.) The
%% kernel still delivers what was sent, and ends the associations gracefully. If
%% there is received data that nobody has read, or with `{linger, {true, 0}}', it
%% aborts them instead. Associations that are not up yet are always aborted.
%% Calls that wait on the socket return `{error, closed}'. You can close a socket
%% twice.
%%
%% With `{linger, {true, Seconds}}' it returns when all associations have ended
%% gracefully and the peers have all that was sent, or after so many seconds; the
%% kernel goes on with the rest. Only the calling process waits. What still comes
%% from the peers is dropped.
-spec close(sctp_socket()) -> ok.
close(?SOCKET(Ref)) when is_reference(Ref) ->
    gen_sctp_nif_prim:close_wait(Ref);
close(S) ->
    ?BADARG([S]).

%% @doc Lets peers set up associations, or stops that. `true' is a backlog of 5,
%% `false' and 0 stop listening; of an integer the low 16 bits count.
%%
%% On a `{type, stream}' socket a backlog of N lets N + 1 associations wait for
%% {@link accept/2}, as far as `net.core.somaxconn' allows. Further peers are
%% refused. On a one-to-many socket the kernel ignores the number.
-spec listen(sctp_socket(), boolean() | integer()) -> ok | {error, inet:posix() | closed}.
listen(?SOCKET(Ref), true) when is_reference(Ref) ->
    gen_sctp_nif_open:listen(Ref, 5);
listen(?SOCKET(Ref), false) when is_reference(Ref) ->
    gen_sctp_nif_open:listen(Ref, 0);
listen(?SOCKET(Ref), Backlog) when is_reference(Ref), is_integer(Backlog) ->
    gen_sctp_nif_open:listen(Ref, Backlog band 16#ffff);
listen(S, Backlog) ->
    ?BADARG([S, Backlog]).

%% @equiv accept(L, infinity)
-spec accept(sctp_socket()) -> {ok, sctp_socket()} | {error, inet:posix() | closed}.
accept(L) ->
    accept(L, infinity).

%% @doc Takes the association that has waited longest at a listening
%% `{type, stream}' socket, and gives it a socket of its own (RFC 6458, section
%% 4.1.4). Waits for one at most Timeout milliseconds (up to 16#fffffffe);
%% Timeout 0 takes what is there. Not in `gen_sctp'.
%%
%% With `nowait' it also takes what is there. If nothing is there it returns
%% `{select, {select_info, accept, SelectRef}}', and one message follows as
%% {@link recv/2} says. Several processes may have selected, so after the message
%% there may be nothing left to accept.
%%
%% Any process may accept, and owns the new socket. Several that wait are served
%% in the order they came. The new socket has all options of the one that
%% listens, `active' and `mailbox_limit' among them, but not `debug' and `netns'.
%% `end_of_stream' is `closed' unless it was set. The first event is the `comm_up'
%% of its association. An association that has ended while it waited is accepted,
%% too; its events say so.
%%
%% `{error, einval}': the socket does not listen. `{error, enotsup}': it is
%% one-to-many. `{error, emfile}', `{error, enospc}' and the like: the association
%% goes on waiting for the next call. `{error, closed}': the socket was closed, and
%% all who wait get this.
-spec accept(sctp_socket(), timeout()) ->
        {ok, sctp_socket()} | {error, timeout | closed | inet:posix()};
    (sctp_socket(), nowait) ->
        {ok, sctp_socket()} | {select, select_info()} | {error, closed | inet:posix()}.
accept(?SOCKET(Ref) = L, nowait) when is_reference(Ref) ->
    gen_sctp_nif_select:accept(L, Ref);
accept(?SOCKET(Ref) = L, Timeout) when is_reference(Ref) ->
    case is_timeout(Timeout) of
        true -> gen_sctp_nif_prim:accept_wait(Ref, Timeout);
        false -> ?BADARG([L, Timeout])
    end;
accept(L, Timeout) ->
    ?BADARG([L, Timeout]).

%% @doc Ends one direction of a `{type, stream}', accepted or peeled-off socket,
%% or both (RFC 6458, section 4.1.7). Not in `gen_sctp'.
%%
%% `write': what was sent is delivered, then the association ends. SCTP has no
%% half-closed associations: the peer cannot go on sending either. You hear of the
%% end by events, and as `end_of_stream' says. `read': what still comes is dropped.
%% With `{end_of_stream, closed}' the stream ends when you have received all that
%% has come. `{error, enotconn}': there is no association, or the socket listens.
%% `{error, enotsup}': it is one-to-many; see {@link eof/2}.
-spec shutdown(sctp_socket(), read | write | read_write) ->
    ok | {error, inet:posix() | closed}.
shutdown(?SOCKET(Ref), How)
        when is_reference(Ref), How =:= read orelse How =:= write orelse How =:= read_write ->
    gen_sctp_nif_prim:shutdown(Ref, How);
shutdown(S, How) ->
    ?BADARG([S, How]).

%% @doc Makes an association a one-to-one socket of its own.
%%
%% The caller owns it. Messages of the association that are still in the kernel
%% move to it. The association keeps its id. The new socket inherits the options
%% that the kernel copies, the modes of receiving (with the present count of
%% `{active, N}'), `mailbox_limit', `sctp_nodelay', `priority', `linger', `reuseaddr', the send
%% timeouts, and the options of traffic class and hop limit.
%%
%% `{error, einval}' for an association that is not there, and for any of a socket
%% that was opened with `netns': the kernel peels off nothing of another network
%% namespace than the node's own.
-spec peeloff(S :: sctp_socket(), Assoc :: #sctp_assoc_change{} | assoc_id()) ->
    {ok, sctp_socket()} | {error, inet:posix() | closed}.
peeloff(?SOCKET(Ref), #sctp_assoc_change{assoc_id = AssocId})
        when is_reference(Ref), is_integer(AssocId) ->
    gen_sctp_nif_open:peeloff(Ref, AssocId);
peeloff(?SOCKET(Ref), AssocId) when is_reference(Ref), is_integer(AssocId) ->
    gen_sctp_nif_open:peeloff(Ref, AssocId);
peeloff(S, Assoc) ->
    ?BADARG([S, Assoc]).

%% @doc Adds local addresses to an open socket, or removes some, all of them or
%% none. Not in `gen_sctp'.
%%
%% Later associations have the new set. Those that are already up change only if
%% both ends have agreed on it (`sctp_asconf_supported' or the kernel's
%% `net.sctp.addip_enable'), by ASCONF (RFC 5061). `ebusy': the last address stays.
%% `eaddrnotavail': not an address of this machine. `einval': the socket does not
%% have an address to be removed, or is bound to all addresses.
-spec bindx(sctp_socket(), add | remove, [inet:ip_address()]) ->
    ok | {error, inet:posix() | closed}.
bindx(?SOCKET(Ref) = S, Op, IPs)
        when is_reference(Ref), Op =:= add orelse Op =:= remove, length(IPs) >= 0 ->
    case lists:all(fun is_tuple/1, IPs) of
        true -> gen_sctp_nif_open:bindx(Ref, Op, IPs);
        false -> ?BADARG([S, Op, IPs])
    end;
bindx(S, Op, IPs) ->
    ?BADARG([S, Op, IPs]).

%% @doc Gives the socket to another process, which must be alive and local.
%%
%% Messages of the socket that the caller has not read yet move to the new owner,
%% in order, before any others. The active mode stays, unless somebody changes it
%% meanwhile. Only the owner may call this: else `{error, not_owner}'.
-spec controlling_process(sctp_socket(), pid()) ->
    ok | {error, closed | not_owner | badarg}.
controlling_process(?SOCKET(Ref) = S, Pid) when is_reference(Ref), is_pid(Pid) ->
    gen_sctp_nif_owner:give_away(S, Ref, Pid);
controlling_process(S, Pid) ->
    ?BADARG([S, Pid]).

%% Associations.

%% @equiv connect(S, SockAddr, Opts, infinity)
-spec connect(sctp_socket(), sockaddr(), [option()]) -> connect_result().
connect(S, SockAddr, Opts) ->
    connect(S, SockAddr, Opts, infinity).

%% @doc {@link connect/5} to a sockaddr map, or without a timeout.
-spec connect(sctp_socket(), sockaddr(), [option()], timeout()) -> connect_result();
    (sctp_socket(), inet:ip_address() | inet:hostname(), inet:port_number() | atom(),
        [option()]) -> connect_result().
connect(S, SockAddr, Opts, Timeout) when is_map(SockAddr), is_list(Opts) ->
    case gen_sctp_nif_connect:way(connect, S, {sockaddr, SockAddr}, Opts, Timeout) of
        badarg -> ?BADARG_WITHOUT_KEYS([S, SockAddr, Opts, Timeout]);
        Way -> gen_sctp_nif_connect:go(Way)
    end;
connect(S, Addr, Port, Opts) ->
    connect(S, Addr, Port, Opts, infinity).

%% @doc Sets up an association and waits until that is done.
%%
%% The options are set on the socket first; what is undefined in their records
%% stays as it is. Waits for this association, at most Timeout milliseconds with
%% the lookup of names. Events and data of other associations stay for later
%% receives. The association's own `#sctp_assoc_change{}' is the result, and is
%% not received again.
%%
%% After `{error, timeout}' the kernel goes on trying, and the outcome comes
%% as an event like any other.
-spec connect(sctp_socket(), inet:ip_address() | inet:hostname(),
    inet:port_number() | atom(), [option()], timeout()) -> connect_result().
connect(S, Addr, Port, Opts, Timeout) ->
    case gen_sctp_nif_connect:way(connect, S, {host, Addr, Port}, Opts, Timeout) of
        badarg -> ?BADARG_WITHOUT_KEYS([S, Addr, Port, Opts, Timeout]);
        Way -> gen_sctp_nif_connect:go(Way)
    end.

%% @equiv connect_init(S, SockAddr, Opts, infinity)
-spec connect_init(sctp_socket(), sockaddr(), [option()]) -> ok | {error, term()}.
connect_init(S, SockAddr, Opts) ->
    connect_init(S, SockAddr, Opts, infinity).

%% @doc {@link connect_init/5} to a sockaddr map, or without a timeout.
-spec connect_init(sctp_socket(), sockaddr(), [option()], timeout()) -> ok | {error, term()};
    (sctp_socket(), inet:ip_address() | inet:hostname(), inet:port_number() | atom(),
        [option()]) -> ok | {error, term()}.
connect_init(S, SockAddr, Opts, Timeout) when is_map(SockAddr), is_list(Opts) ->
    case gen_sctp_nif_connect:way(connect_init, S, {sockaddr, SockAddr}, Opts, Timeout) of
        badarg -> ?BADARG_WITHOUT_KEYS([S, SockAddr, Opts, Timeout]);
        Way -> gen_sctp_nif_connect:go(Way)
    end;
connect_init(S, Addr, Port, Opts) ->
    connect_init(S, Addr, Port, Opts, infinity).

%% @doc Starts an association. Its `#sctp_assoc_change{}' event says whether it
%% came up. The timeout is only for the lookup of names.
-spec connect_init(sctp_socket(), inet:ip_address() | inet:hostname(),
    inet:port_number() | atom(), [option()], timeout()) -> ok | {error, term()}.
connect_init(S, Addr, Port, Opts, Timeout) ->
    case gen_sctp_nif_connect:way(connect_init, S, {host, Addr, Port}, Opts, Timeout) of
        badarg -> ?BADARG_WITHOUT_KEYS([S, Addr, Port, Opts, Timeout]);
        Way -> gen_sctp_nif_connect:go(Way)
    end.

%% @doc Starts an association with a peer that has several addresses.
%%
%% The addresses are sockaddr maps, `{IP, Port}' or `{Family, {IP, Port}}'. The
%% last port counts for all of them; the others may be 0.
-spec connectx_init(sctp_socket(),
    [address_and_port() | inet:family_address() | sockaddr()], [option()]) ->
    {ok, assoc_id()} | {error, term()}.
connectx_init(S, SockAddrs, Opts) when is_list(SockAddrs) ->
    case gen_sctp_nif_connect:way(connectx_init, S, {sockaddrs, SockAddrs}, Opts, infinity) of
        badarg -> ?BADARG_WITHOUT_KEYS([S, SockAddrs, Opts]);
        Way -> gen_sctp_nif_connect:go(Way)
    end;
connectx_init(S, SockAddrs, Opts) ->
    ?BADARG_WITHOUT_KEYS([S, SockAddrs, Opts]).

%% @equiv connectx_init(S, Addrs, Port, Opts, infinity)
-spec connectx_init(sctp_socket(), [inet:ip_address() | inet:hostname()],
    inet:port_number() | atom(), [option()]) -> {ok, assoc_id()} | {error, term()}.
connectx_init(S, Addrs, Port, Opts) ->
    connectx_init(S, Addrs, Port, Opts, infinity).

%% @doc Starts an association with a peer that has several addresses and one
%% port. The timeout is only for the lookup of names. An address that cannot
%% be resolved raises `badarg'.
-spec connectx_init(sctp_socket(), [inet:ip_address() | inet:hostname()],
    inet:port_number() | atom(), [option()], timeout()) ->
    {ok, assoc_id()} | {error, term()}.
connectx_init(S, Addrs, Port, Opts, Timeout) when is_list(Addrs) ->
    case gen_sctp_nif_connect:way(connectx_init, S, {hosts, Addrs, Port}, Opts, Timeout) of
        badarg -> ?BADARG_WITHOUT_KEYS([S, Addrs, Port, Opts, Timeout]);
        Way -> gen_sctp_nif_connect:go(Way)
    end;
connectx_init(S, Addrs, Port, Opts, Timeout) ->
    ?BADARG_WITHOUT_KEYS([S, Addrs, Port, Opts, Timeout]).

%% @doc Ends an association gracefully: what was sent is still delivered.
-spec eof(S :: sctp_socket(), Assoc :: #sctp_assoc_change{}) -> ok | {error, send_error()}.
eof(?SOCKET(Ref), #sctp_assoc_change{assoc_id = AssocId}) when is_reference(Ref) ->
    send_info(Ref, #sctp_sndrcvinfo{assoc_id = AssocId, flags = [eof]}, <<>>);
eof(S, Assoc) ->
    ?BADARG([S, Assoc]).

%% @doc Ends an association at once and tells the peer: both sides see
%% `comm_lost'.
-spec abort(S :: sctp_socket(), Assoc :: #sctp_assoc_change{}) ->
    ok | {error, inet:posix() | closed}.
abort(?SOCKET(Ref), #sctp_assoc_change{assoc_id = AssocId}) when is_reference(Ref) ->
    send_info(Ref, #sctp_sndrcvinfo{assoc_id = AssocId, flags = [abort]}, <<>>);
abort(S, Assoc) ->
    ?BADARG([S, Assoc]).

%% @doc Like {@link abort/2}, and tells the peer why. Reason is the text of the
%% cause `User Initiated Abort' (RFC 9260, section 3.3.10.12). A peer with this
%% library sees it with the option `abort_causes'. Not in `gen_sctp'.
-spec abort(S :: sctp_socket(), Assoc :: #sctp_assoc_change{}, Reason :: iodata()) ->
    ok | {error, inet:posix() | closed}.
abort(?SOCKET(Ref), #sctp_assoc_change{assoc_id = AssocId}, Reason) when is_reference(Ref) ->
    send_info(Ref, #sctp_sndrcvinfo{assoc_id = AssocId, flags = [abort]}, Reason);
abort(S, Assoc, Reason) ->
    ?BADARG([S, Assoc, Reason]).

%% Traffic.

%% @doc Sends with all parameters as given. Undefined ones are 0, whatever
%% `sctp_default_send_param' says.
-spec send(S :: sctp_socket(), Info :: #sctp_sndrcvinfo{}, iodata()) -> ok | {error, send_error()}.
send(?SOCKET(Ref), #sctp_sndrcvinfo{} = Info, Data) when is_reference(Ref) ->
    send_info(Ref, Info, Data);
send(S, Info, Data) ->
    ?BADARG([S, Info, Data]).

send_info(Ref, Info, Data) when is_binary(Data) ->
    gen_sctp_nif_prim:send_wait(Ref, Info, Data);
send_info(Ref, Info, Data) ->
    gen_sctp_nif_send:pieces(Ref, Info, Data).

%% @doc Sends on a stream of an association. All else is as
%% `sctp_default_send_param' says.
%%
%% Waits as long as the socket's send buffer is full, or returns
%% `{error, eagain}' if `{non_block_send, true}' is set. `ok' means that the
%% kernel has taken the data.
%%
%% Errors: `epipe', there is no such association; `eshutdown', it is being ended;
%% `emsgsize', the message is larger than the send buffer ever takes; `einval',
%% there is no such stream, or no data.
%%
%% With the option `{send_timeout, Milliseconds}' (up to 16#fffffffe; the default
%% is `infinity') it returns `{error, timeout}' after that time. The kernel takes a
%% message whole or not at all, so you can send it again. With
%% `{send_timeout_close, true}' as well the association is aborted with cause 12. A
%% one-to-one or peeled-off socket is closed. The owner of a one-to-many socket gets
%% `comm_lost', and other associations go on. (An association whose peer has
%% acknowledged all is not aborted: then others have filled the buffer that they
%% share.) Both options also apply to {@link send/3} and {@link send_batch/3}, and
%% a peeled-off socket inherits them. Not in `gen_sctp'.
-spec send(sctp_socket(), #sctp_assoc_change{} | assoc_id(), non_neg_integer(), iodata()) ->
    ok | {error, send_error()}.
send(?SOCKET(Ref), AssocId, Stream, Data)
        when is_reference(Ref), is_integer(AssocId), is_integer(Stream) ->
    send_stream(Ref, AssocId, Stream, Data);
send(?SOCKET(Ref), #sctp_assoc_change{assoc_id = AssocId}, Stream, Data)
        when is_reference(Ref), is_integer(Stream) ->
    send_stream(Ref, AssocId, Stream, Data);
send(S, Assoc, Stream, Data) ->
    ?BADARG([S, Assoc, Stream, Data]).

send_stream(Ref, AssocId, Stream, Data) when is_binary(Data) ->
    gen_sctp_nif_prim:send_wait(Ref, AssocId, Stream, Data);
send_stream(Ref, AssocId, Stream, Data) ->
    gen_sctp_nif_send:pieces(Ref, AssocId, Stream, Data).

%% @doc Sends a message with all parameters of RFC 6458 (section 9.12), waiting as {@link send/4}
%% does. Not in `gen_sctp'.
%%
%% To is an association; or `{Assoc, {IP, Port}}', which takes the path to that address of its peer
%% (`SCTP_ADDR_OVER'); or `all', a copy to each association that is up (`SCTP_SENDALL', kernel
%% 4.17).
%%
%% Infos has at most one record of each kind:
%% <dl>
%% <dt>`#sctp_sndinfo{sid, flags, ppid, context}'</dt><dd>The stream; a list of `unordered',
%% `sack_immediately' (the peer acknowledges without delay, RFC 7053), `abort' (Data is the reason)
%% and `eof' (without Data); the payload protocol identifier; and a number that comes back if the
%% message is not delivered. What is undefined is 0. `assoc_id' is undefined, or that of To.</dd>
%% <dt>`#sctp_prinfo{policy, value}'</dt><dd>When the kernel gives the message up if it has not
%% arrived (RFC 7496): `ttl', value milliseconds from now; `rtx', after value retransmissions;
%% `prio', when a message with a smaller value needs its room in the buffer; `none', never. Nothing
%% is given up if the peer does not support that (`net.sctp.prsctp_enable'). `sctp_pr_assoc_status'
%% counts what was given up. If a message was never sent at all there is an event as well.</dd>
%% <dt>`#sctp_authinfo{keynumber}'</dt><dd>The key that signs the message (RFC 6458, section
%% 5.3.8; kernel 4.17). `einval': there is no such key. The kernel ignores it if the peer does not
%% want data signed (`sctp_auth_chunk').</dd>
%% </dl>
%% Without a record of a kind the options `sctp_default_sndinfo', `sctp_default_prinfo' and
%% `sctp_auth_active_key' apply; for `all' the endpoint's values of the first two.
%%
%% Errors are those of `send/4'. `einval': a record or field is wrong, or there twice, or an address
%% is not the peer's. By a path: `enotsup' on a peeled-off socket, where the kernel sends all by the
%% primary one. To `all': `enotsup' on a one-to-one socket, `enotconn' if no association is up.
%% The kernel stops at the first association that refuses, or that has no room (`eagain', whatever
%% the timeout): those before have the message.
-spec sendv(sctp_socket(), recipient(), [send_info()], iodata()) -> ok | {error, send_error()}.
sendv(?SOCKET(Ref) = S, To, Infos, Data) when is_reference(Ref), is_list(Infos) ->
    case gen_sctp_nif_sendv:recipient(To) of
        badarg -> ?BADARG([S, To, Infos, Data]);
        Recipient -> gen_sctp_nif_sendv:send(S, Ref, Recipient, Infos, Data, option)
    end;
sendv(S, To, Infos, Data) ->
    ?BADARG([S, To, Infos, Data]).

%% @doc Like {@link sendv/4}, but waits at most Timeout milliseconds, or with `nowait' not at all:
%% see {@link send_batch/4}.
-spec sendv(sctp_socket(), recipient(), [send_info()], iodata(), timeout()) ->
        ok | {error, send_error()};
    (sctp_socket(), recipient(), [send_info()], iodata(), nowait) ->
        ok | {select, select_info()} | {error, inet:posix() | closed}.
sendv(?SOCKET(Ref) = S, To, Infos, Data, Timeout) when is_reference(Ref), is_list(Infos) ->
    case {gen_sctp_nif_sendv:recipient(To), is_timeout(Timeout)} of
        {{_, _} = Recipient, _} when Timeout =:= nowait ->
            gen_sctp_nif_sendv:send(S, Ref, Recipient, Infos, Data, nowait);
        {{_, _} = Recipient, true} ->
            Deadline = gen_sctp_nif_prim:deadline(Timeout),
            gen_sctp_nif_sendv:send(S, Ref, Recipient, Infos, Data, Deadline);
        _ ->
            ?BADARG([S, To, Infos, Data, Timeout])
    end;
sendv(S, To, Infos, Data, Timeout) ->
    ?BADARG([S, To, Infos, Data, Timeout]).

%% @doc Sends many messages to one association, in order: `{Stream, Data}' like
%% `send/4', `{Info, Data}' like `send/3' (its `assoc_id' is ignored), and
%% `{Infos, Data}' like {@link sendv/4}. Not in `gen_sctp'.
%%
%% This takes far less time than single calls, as the messages share system calls
%% and packets. It waits for room like `send/4'.
%%
%% If a message cannot be sent, the error has the messages that were not sent. The
%% refused one is the first of them; those before it have been sent. With
%% `{non_block_send, true}' the reason can be `eagain': send the rest later.
%%
%% The option `send_timeout' (see {@link send/4}) starts when the call first has to
%% wait, and is for all its messages together: `{error, {timeout, Rest}}'.
-spec send_batch(S :: sctp_socket(), Assoc :: #sctp_assoc_change{} | assoc_id(),
                 Messages :: [outgoing()]) ->
    ok | {error, {send_error(), Rest :: [outgoing()]}}.
send_batch(?SOCKET(Ref) = S, #sctp_assoc_change{assoc_id = AssocId}, Messages)
        when is_reference(Ref), is_list(Messages) ->
    gen_sctp_nif_batch:send(S, Ref, AssocId, Messages, option);
send_batch(?SOCKET(Ref) = S, AssocId, Messages)
        when is_reference(Ref), is_integer(AssocId), is_list(Messages) ->
    gen_sctp_nif_batch:send(S, Ref, AssocId, Messages, option);
send_batch(S, Assoc, Messages) ->
    ?BADARG([S, Assoc, Messages]).

%% @doc Like {@link send_batch/3}, but waits at most Timeout milliseconds (up to
%% 16#fffffffe) from the call on. `send_timeout' and `send_timeout_close' do not
%% apply. 0 sends what there is room for: `{error, {timeout, Rest}}'.
%%
%% With `nowait' it returns at once, like `socket:send/4'. If there is no room it
%% returns `{select, SelectInfo}', or `{select, {SelectInfo, Rest}}' if some messages
%% were sent. SelectInfo is `{select_info, send, SelectRef}'. One message follows, as
%% {@link recv/2} says, when you can try again with the rest: there may be room, or
%% the association has ended. {@link cancel/2} takes it back. Any number of processes
%% can wait so. With `{non_block_send, true}' you get `{error, {eagain, Rest}}'
%% instead.
%%
%% The kernel tells of room in the socket's buffer, not in an association's: see
%% docs/operations.md.
-spec send_batch(S :: sctp_socket(), Assoc :: #sctp_assoc_change{} | assoc_id(),
                 Messages :: [outgoing()], Timeout :: timeout()) ->
        ok | {error, {send_error(), Rest :: [outgoing()]}};
    (S :: sctp_socket(), Assoc :: #sctp_assoc_change{} | assoc_id(), Messages :: [outgoing()],
     Timeout :: nowait) ->
        ok
        | {select, select_info() | {select_info(), Rest :: [outgoing()]}}
        | {error, {inet:posix() | closed, Rest :: [outgoing()]}}.
send_batch(?SOCKET(Ref) = S, #sctp_assoc_change{assoc_id = AssocId}, Messages, Timeout)
        when is_reference(Ref), is_list(Messages) ->
    send_batch_in_time(S, Ref, AssocId, Messages, Timeout);
send_batch(?SOCKET(Ref) = S, AssocId, Messages, Timeout)
        when is_reference(Ref), is_integer(AssocId), is_list(Messages) ->
    send_batch_in_time(S, Ref, AssocId, Messages, Timeout);
send_batch(S, Assoc, Messages, Timeout) ->
    ?BADARG([S, Assoc, Messages, Timeout]).

send_batch_in_time(S, Ref, AssocId, Messages, nowait) ->
    gen_sctp_nif_batch:send(S, Ref, AssocId, Messages, nowait);
send_batch_in_time(S, Ref, AssocId, Messages, Timeout) ->
    case is_timeout(Timeout) of
        true ->
            Deadline = gen_sctp_nif_prim:deadline(Timeout),
            gen_sctp_nif_batch:send(S, Ref, AssocId, Messages, Deadline);
        false ->
            ?BADARG([S, AssocId, Messages, Timeout])
    end.

%% @equiv recv(S, infinity)
-spec recv(sctp_socket()) -> {ok, message()} | {error, recv_error()}.
recv(S) ->
    recv(S, infinity).

%% @doc Receives a message or an event, waiting at most Timeout milliseconds
%% (up to 16#fffffffe). Timeout 0 takes what is there.
%%
%% With `nowait' (not in `gen_sctp') it also takes what is there. If nothing is
%% there it returns `{select, SelectInfo}', like `socket:recv/3', with
%% `{select_info, recv, SelectRef}' as SelectInfo. The caller then gets one
%% message: `{'$socket', Socket, select, SelectRef}' when it can try again, or
%% `{'$socket', Socket, abort, {SelectRef, Reason}}' when it has nothing to wait for.
%% Reason is `closed' for a closed socket. It is `enotconn' for a receiver whose
%% socket listens now, and `einval' for `accept/2' where it no longer does.
%% {@link cancel/2} takes it back.
%%
%% The socket must be passive, else `{error, einval}'. Any process may receive, but
%% only one at a time, else `{error, ealready}'. A process that has selected counts
%% until its message comes or it has cancelled. If the socket becomes active
%% meanwhile, its message comes when the socket is passive again.
-spec recv(sctp_socket(), timeout()) -> {ok, message()} | {error, recv_error()};
    (sctp_socket(), nowait) ->
        {ok, message()} | {select, select_info()} | {error, recv_error()}.
recv(?SOCKET(Ref), infinity) when is_reference(Ref) ->
    gen_sctp_nif_prim:recv_wait(Ref, infinity);
recv(?SOCKET(Ref), Timeout)
        when is_reference(Ref), is_integer(Timeout), Timeout >= 0, Timeout < 16#ffffffff ->
    gen_sctp_nif_prim:recv_wait(Ref, Timeout);
recv(?SOCKET(Ref) = S, nowait) when is_reference(Ref) ->
    gen_sctp_nif_select:recv(S, Ref, one);
recv(?SOCKET(Ref), _Timeout) when is_reference(Ref) ->
    gen_sctp_nif_send:refused(Ref);
recv(S, Timeout) ->
    ?BADARG([S, Timeout]).

%% @doc Receives what is there, at most N messages and events and no more than
%% 64. Waits for the first one like {@link recv/2}. Not in `gen_sctp'.
%%
%% They come in order, each as `recv' gives it. Error events are among them like all
%% others; their records tell them apart. For small messages this takes far less
%% time than single calls. Small messages share a binary: if you keep one for long,
%% copy it (`binary:copy/1'), or all that came with it stay in memory.
%%
%% The owner of an active socket gets the same with the option `{batch, N}', as
%% `{sctp_batch, Socket, Messages}'. The default is 1: each message alone, as in
%% `gen_sctp'.
%%
%% `nowait' is as in {@link recv/2}.
-spec recv_batch(sctp_socket(), pos_integer(), timeout()) ->
        {ok, [message(), ...]} | {error, timeout | closed | inet:posix()};
    (sctp_socket(), pos_integer(), nowait) ->
        {ok, [message(), ...]} | {select, select_info()} | {error, closed | inet:posix()}.
recv_batch(?SOCKET(Ref) = S, N, nowait) when is_reference(Ref), is_integer(N), N > 0 ->
    gen_sctp_nif_select:recv(S, Ref, min(N, ?BATCH));
recv_batch(?SOCKET(Ref) = S, N, Timeout) when is_reference(Ref), is_integer(N), N > 0 ->
    case is_timeout(Timeout) of
        true -> gen_sctp_nif_prim:recv_batch_wait(Ref, min(N, ?BATCH), Timeout);
        false -> ?BADARG([S, N, Timeout])
    end;
recv_batch(S, N, Timeout) ->
    ?BADARG([S, N, Timeout]).

is_timeout(infinity) -> true;
is_timeout(Timeout) -> is_integer(Timeout) andalso Timeout >= 0 andalso Timeout < 16#ffffffff.

%% @doc Takes back what a call with the timeout `nowait' has begun, like
%% `socket:cancel/2'.
%%
%% After `ok' no message comes: one that was already sent is taken out of the
%% caller's mailbox. `{error, Reason}': an abort was sent, such as `closed', and is
%% taken out as well. `{error, {invalid, SelectInfo}}': there is nothing to take
%% back, as you have received the message.
-spec cancel(sctp_socket(), select_info()) ->
    ok | {error, inet:posix() | closed | {invalid, select_info()}}.
cancel(?SOCKET(Ref) = S, {select_info, Op, SelectRef} = Info)
        when is_reference(Ref), is_atom(Op), is_reference(SelectRef) ->
    gen_sctp_nif_select:cancel(S, Ref, Info);
cancel(S, Info) ->
    ?BADARG([S, Info]).

%% @doc The name of an error cause (RFC 9260, section 3.3.10). The `error' of an
%% `#sctp_assoc_change{}' has its two bytes swapped on Linux: cause 12 reads 3072.
-spec error_string(integer()) -> ok | string() | unknown_error.
error_string(0) -> ok;
error_string(1) -> "Invalid Stream Identifier";
error_string(2) -> "Missing Mandatory Parameter";
error_string(3) -> "Stale Cookie Error";
error_string(4) -> "Out of Resource";
error_string(5) -> "Unresolvable Address";
error_string(6) -> "Unrecognized Chunk Type";
error_string(7) -> "Invalid Mandatory Parameter";
error_string(8) -> "Unrecognized Parameters";
error_string(9) -> "No User Data";
error_string(10) -> "Cookie Received While Shutting Down";
error_string(11) -> "Restart of an Association with New Addresses";
error_string(12) -> "User Initiated Abort";
error_string(13) -> "Protocol Violation";
error_string(N) when is_integer(N) -> unknown_error;
error_string(Other) -> ?BADARG([Other]).

%% What a socket, an association, the kernel is like.

%% @doc Reads one option, or says why it cannot. Not in `gen_sctp'.
%%
%% Option is one element of the list that `inet:getopts/2' takes. The result is the value without
%% the name: `getopt(S, sctp_nodelay)', `getopt(S, {sctp_status, #sctp_status{assoc_id = Id}})'.
%% `getopts' leaves out an option that is refused; here you get the kernel's error: `enoprotoopt'
%% for an option that the running kernel or this family does not have, `enotsup' for one that can
%% only be set, or does not fit this type of socket, `einval' for an association that is not there.
%% Raises `badarg' for a name that is no option of this library, and for a record with a field
%% missing or of the wrong type.
-spec getopt(sctp_socket(), option_name() | {option_name(), term()}) ->
    {ok, term()} | {error, inet:posix() | closed}.
getopt(?SOCKET(Ref) = S, Option) when is_reference(Ref) ->
    case gen_sctp_nif_look:getopt(Ref, Option) of
        badarg -> ?BADARG_WITHOUT_KEYS([S, Option]);
        Result -> Result
    end;
getopt(S, Option) ->
    ?BADARG_WITHOUT_KEYS([S, Option]).

%% @doc The associations of a socket (`SCTP_GET_ASSOC_ID_LIST', RFC 6458, section 8.2.6), those
%% included that are being set up or ended. A one-to-one or peeled-off socket has one when it is
%% up. Not in `gen_sctp'; nor are the next functions.
-spec assocs(sctp_socket()) -> {ok, [assoc_id()]} | {error, inet:posix() | closed}.
assocs(?SOCKET(Ref)) when is_reference(Ref) ->
    gen_sctp_nif_prim:assocs(Ref);
assocs(S) ->
    ?BADARG([S]).

%% @doc The state of an association (`SCTP_STATUS', RFC 6458, section 8.2.1). On one-to-one and
%% peeled-off sockets the id does not matter, here and in the next functions. `einval': there is no
%% such association, or none yet.
%%
%% <dl>
%% <dt>`assoc_id'</dt><dd>its id</dd>
%% <dt>`state'</dt><dd>`established', one of the states before (`cookie_wait', `cookie_echoed') or
%% after (`shutdown_pending', `shutdown_sent', `shutdown_received', `shutdown_ack_sent')</dd>
%% <dt>`rwnd'</dt><dd>bytes that the peer has room for</dd>
%% <dt>`unackdata'</dt><dd>DATA chunks that were sent, and that the peer has not acknowledged</dd>
%% <dt>`penddata'</dt><dd>DATA chunks of the peer that have not come while later ones have</dd>
%% <dt>`instrms', `outstrms'</dt><dd>streams from and to the peer</dd>
%% <dt>`fragmentation_point'</dt><dd>bytes of a message that is still sent in one piece</dd>
%% <dt>`primary'</dt><dd>the primary path, as in {@link paths/2}</dd>
%% </dl>
-spec status(sctp_socket(), #sctp_assoc_change{} | assoc_id()) ->
    {ok, status()} | {error, inet:posix() | closed}.
status(?SOCKET(Ref) = S, Assoc) when is_reference(Ref) ->
    case gen_sctp_nif_look:assoc_id(Assoc) of
        badarg -> ?BADARG([S, Assoc]);
        Id -> gen_sctp_nif_prim:status(Ref, Id)
    end;
status(S, Assoc) ->
    ?BADARG([S, Assoc]).

%% @doc The paths of an association: one to each address of the peer (`SCTP_GET_PEER_ADDR_INFO',
%% RFC 6458, section 8.2.2).
%%
%% <dl>
%% <dt>`address'</dt><dd>the peer's address and port</dd>
%% <dt>`state'</dt><dd>`active'; `unconfirmed' until the peer has answered there; `inactive' after
%% `pathmaxrxt' packets in a row were lost; `potentially_failed' before that (RFC 7829)</dd>
%% <dt>`primary'</dt><dd>whether data takes this path as long as it is active</dd>
%% <dt>`cwnd', `mtu'</dt><dd>congestion window, and the largest packet, in bytes</dd>
%% <dt>`srtt'</dt><dd>round trip time, smoothed, in milliseconds: the kernel measures in ticks of
%% its clock (4 ms on Debian's kernels). 0 before the first measurement</dd>
%% <dt>`rto'</dt><dd>retransmission timeout, in milliseconds</dd>
%% </dl>
%%
%% If `sctp_expose_potentially_failed_state' is `disable', the kernel hides a path that is
%% potentially failed: its map has `address', `state' and `primary' only. This function makes a
%% system call for each path.
-spec paths(sctp_socket(), #sctp_assoc_change{} | assoc_id()) ->
    {ok, [path()]} | {error, inet:posix() | closed}.
paths(?SOCKET(Ref) = S, Assoc) when is_reference(Ref) ->
    case gen_sctp_nif_look:assoc_id(Assoc) of
        badarg -> ?BADARG([S, Assoc]);
        Id -> gen_sctp_nif_prim:paths(Ref, Id)
    end;
paths(S, Assoc) ->
    ?BADARG([S, Assoc]).

%% @doc What has happened on a socket: the counters of `inet:getstat/1', and
%%
%% <dl>
%% <dt>`associations'</dt><dd>how many there are now</dd>
%% <dt>`receivers', `writers', `connects', `acceptors'</dt><dd>processes that wait
%% now in `recv', for room to send, in `connect' and in `accept'</dd>
%% <dt>`dropped'</dt><dd>events that the library needed itself, and that the owner had not asked for
%% (`sctp_events')</dd>
%% </dl>
-spec stats(sctp_socket()) -> {ok, socket_stats()} | {error, inet:posix() | closed}.
stats(?SOCKET(Ref)) when is_reference(Ref) ->
    gen_sctp_nif_prim:socket_stats(Ref);
stats(S) ->
    ?BADARG([S]).

%% @doc The counters of an association since it began (`SCTP_GET_ASSOC_STATS', Linux only), by the
%% names of `struct sctp_assoc_stats'.
%%
%% <dl>
%% <dt>`opackets', `ipackets'</dt><dd>packets sent and received</dd>
%% <dt>`oodchunks', `iodchunks'</dt><dd>DATA chunks of ordered messages, sent and received</dd>
%% <dt>`ouodchunks', `iuodchunks'</dt><dd>of unordered ones</dd>
%% <dt>`octrlchunks', `ictrlchunks'</dt><dd>all other chunks</dd>
%% <dt>`osacks', `isacks'</dt><dd>SACK chunks, which are among these</dd>
%% <dt>`rtxchunks'</dt><dd>DATA chunks that were sent again</dd>
%% <dt>`idupchunks'</dt><dd>DATA chunks that came again</dd>
%% <dt>`outofseqtsns'</dt><dd>DATA chunks that came before one that was expected earlier</dd>
%% <dt>`gapcnt'</dt><dd>gaps that the peer reported in its SACKs</dd>
%% <dt>`max_rto', `max_rto_address'</dt><dd>the largest retransmission timeout of any path, in
%% milliseconds, and which path it was: <em>since the last reading</em>. Each reading resets it to
%% the smallest timeout (`sctp_rtoinfo'), for all readers: this function, {@link i/1}, and
%% other programs</dd>
%% </dl>
-spec stats(sctp_socket(), #sctp_assoc_change{} | assoc_id()) ->
    {ok, assoc_stats()} | {error, inet:posix() | closed}.
stats(?SOCKET(Ref) = S, Assoc) when is_reference(Ref) ->
    case gen_sctp_nif_look:assoc_id(Assoc) of
        badarg -> ?BADARG([S, Assoc]);
        Id -> gen_sctp_nif_prim:assoc_stats(Ref, Id)
    end;
stats(S, Assoc) ->
    ?BADARG([S, Assoc]).

%% @doc Prints the associations of a socket, a line for each path: what {@link status/2}, {@link
%% paths/2} and {@link stats/2} say. The primary path has a star; In and Out are DATA chunks. It
%% reads `stats/2', and so resets `max_rto'. For a closed socket it prints `closed'.
-spec i(sctp_socket()) -> ok.
i(?SOCKET(Ref) = S) when is_reference(Ref) ->
    gen_sctp_nif_show:associations(S);
i(S) ->
    ?BADARG([S]).

%% @doc What the running kernel and the node's network namespace allow.
%%
%% <dl>
%% <dt>`sctp'</dt><dd>whether sockets can be opened at all; if not, all else is false, but for the
%% variables below</dd>
%% <dt>options, by their names</dt><dd>`sctp_event', `sctp_stream_scheduler' and so on, of RFC 6458
%% and later ones: whether the kernel has the option and the namespace allows it. Those of AUTH
%% (`sctp_auth_key' and others) need `sctp_auth_supported', `sctp_interleaving_supported' needs
%% `intl_enable', `sctp_remote_udp_encaps_port' needs a `udp_port'. {@link getopt/2} tells whether
%% this release of the library has the option: if not, it raises `badarg'. `sctp_dscp' and
%% `sctp_ipv6_flowlabel' are fields of the kernel's `SCTP_PEER_ADDR_PARAMS', `hb_time_is_zero' a
%% flag of it. `sctp_peer_addr_thlds_v2' is `sctp_peer_addr_thlds' with the field `pathcpthld'</dd>
%% <dt>`scheduler_fcfs', `scheduler_prio', `scheduler_rr', `scheduler_fc', `scheduler_wfq'</dt>
%% <dd>values that `sctp_stream_scheduler' can have</dd>
%% <dt>`addip_enable', `addip_noauth_enable', `auth_enable', `default_auto_asconf', `ecn_enable',
%% `intl_enable', `pf_enable', `prsctp_enable', `rcvbuf_policy', `reconf_enable', `sndbuf_policy',
%% `udp_port'</dt><dd>variables of `net.sctp' (sysctl): false for 0, or if the kernel has none of
%% this name. New sockets begin as they say</dd>
%% </dl>
%%
%% This is about the node's namespace, not that of sockets opened with `{netns, _}'. The answer can
%% change with `sysctl'; open sockets keep what was set when they were opened. The function opens a
%% socket and closes it, and raises the reason if it cannot (`emfile').
-spec features() -> #{atom() => boolean()}.
features() ->
    case gen_sctp_nif_prim:features() of
        {ok, Features} -> Features;
        {error, Reason} -> error(Reason)
    end.

%% All open sockets.

%% @doc Prints all open sockets of the node with owner, addresses, counters
%% and modes, as `inet:i/0' does for other sockets.
-spec i() -> ok.
i() ->
    gen_sctp_nif_show:print(which_sockets()).

%% @doc What the library holds in this node, in numbers. When no socket is open
%% and none is referred to, all of them are 0 but for `opened' and, if there
%% was one, `panics'.
%%
%% <dl>
%% <dt>`sockets'</dt><dd>open sockets</dd>
%% <dt>`closing'</dt><dd>closed sockets that the kernel is still closing</dd>
%% <dt>`resources'</dt><dd>sockets, open or closed, that Erlang still refers to,
%% or has not garbage-collected yet</dd>
%% <dt>`receivers', `writers', `connects', `acceptors'</dt><dd>processes that wait
%% in `recv', for room to send, in `connect', and in `accept'</dd>
%% <dt>`watchers'</dt><dd>monitors by `inet:monitor/1'</dd>
%% <dt>`monitors'</dt><dd>owners, and processes that wait in `accept', that are
%% monitored</dd>
%% <dt>`terms'</dt><dd>terms that are kept for those who wait</dd>
%% <dt>`backlog_bytes'</dt><dd>memory of messages that passive sockets have read
%% ahead while a process waits in `connect'</dd>
%% <dt>`fragment_bytes'</dt><dd>pieces of messages that are not whole yet</dd>
%% <dt>`opened'</dt><dd>sockets since the library was loaded</dd>
%% <dt>`panics'</dt><dd>faults of the library; each is logged, and any at all is
%% a bug</dd>
%% </dl>
-spec info() -> #{atom() => non_neg_integer()}.
info() ->
    gen_sctp_nif_prim:counters().

%% @doc All open sockets of the node.
-spec which_sockets() -> [sctp_socket()].
which_sockets() ->
    [?SOCKET(Ref) || Ref <- gen_sctp_nif_prim:sockets()].

%% What inet calls for a module socket.

%% @doc For `inet:setopts/2'. Checks all types first. Then it sets the options from
%% the last to the first, but for some that need others (`docs/options.md'), and
%% `sctp_event' after all others. What
%% the kernel refuses is `einval'. For an option that `gen_sctp' does not have you
%% get the kernel's own error, such as `enoprotoopt' on an older kernel.
-spec setopts(S :: sctp_socket(), [option()]) -> ok | {error, inet:posix()}.
setopts(?SOCKET(Ref), [{active, Mode}]) ->
    %% With every message, in the mode once.
    closed_is_einval(gen_sctp_nif_prim:set_active(Ref, Mode));
setopts(?SOCKET(Ref) = S, Opts) ->
    try gen_sctp_nif_limit:setopts(Ref, gen_sctp_nif_opts:to_native(Opts)) of
        Result -> closed_is_einval(Result)
    catch
        error:Reason -> ?ERROR_WITHOUT_KEYS(Reason, [S, Opts])
    end.

%% @doc For `inet:getopts/2'. An option that the kernel cannot tell is left out.
-spec getopts(S :: sctp_socket(), [option_name() | {option_name(), term()}]) ->
    {ok, [option_value() | boolean()]} | {error, inet:posix()}.
getopts(?SOCKET(Ref) = S, Opts) when is_list(Opts) ->
    try gen_sctp_nif_prim:getopts(Ref, Opts) of
        {ok, Values} -> {ok, gen_sctp_nif_opts:from_native(Values)};
        Error -> closed_is_einval(Error)
    catch
        error:Reason -> ?ERROR_WITHOUT_KEYS(Reason, [S, Opts])
    end;
getopts(S, Opts) ->
    ?ERROR_WITHOUT_KEYS(function_clause, [S, Opts]).

%% @doc For `inet:getstat/1,2'. Octets and packets of the socket; an event that
%% was received counts as a packet, a message that was refused does not.
-spec getstat(S :: sctp_socket(), [inet:stat_option()]) ->
    {ok, [{inet:stat_option(), integer()}]} | {error, inet:posix()}.
getstat(?SOCKET(Ref), Items) when is_list(Items) ->
    closed_is_einval(gen_sctp_nif_prim:getstat(Ref, Items)).

%% @doc For `inet:sockname/1' and `inet:port/1'.
-spec sockname(S :: sctp_socket()) -> {ok, address_and_port()} | {error, inet:posix()}.
sockname(?SOCKET(Ref)) ->
    closed_is_einval(gen_sctp_nif_prim:sockname(Ref)).

%% @doc For `inet:peername/1'. Only a one-to-one or peeled-off socket has one peer.
-spec peername(S :: sctp_socket()) -> {ok, address_and_port()} | {error, inet:posix()}.
peername(?SOCKET(Ref)) ->
    closed_is_einval(gen_sctp_nif_prim:peername(Ref)).

%% @doc For `inet:socknames/1'. All local addresses.
-spec socknames(S :: sctp_socket()) -> {ok, [address_and_port()]} | {error, inet:posix()}.
socknames(S) ->
    socknames(S, 0).

%% @doc For `inet:monitor/1'. When the socket is closed the caller gets
%% `{'DOWN', MRef, socket, Socket, Reason}', at once if it is closed already.
%% Reason is `normal', `nosock' if it was closed before, and `closed' if the
%% library closed it for a fault of its own.
-spec monitor(sctp_socket()) -> reference().
monitor(?SOCKET(Ref) = S) when is_reference(Ref) ->
    case gen_sctp_nif_prim:monitor(Ref) of
        {ok, MRef} ->
            MRef;
        {error, closed} ->
            MRef = make_ref(),
            self() ! {'DOWN', MRef, socket, S, nosock},
            MRef
    end;
monitor(S) ->
    ?BADARG([S]).

%% @doc For `inet:cancel_monitor/1'. Whether there was such a monitor.
-spec cancel_monitor(reference()) -> boolean().
cancel_monitor(MRef) when is_reference(MRef) ->
    gen_sctp_nif_prim:demonitor(MRef);
cancel_monitor(MRef) ->
    ?BADARG([MRef]).

%% @doc For `inet:info/1'. Owner, type, family, states, modes, counters.
-spec info(S :: sctp_socket()) -> map().
info(?SOCKET(Ref)) ->
    case gen_sctp_nif_prim:info(Ref) of
        #{} = Info -> Info;
        {error, closed} -> #{states => [closed], rstates => [closed], wstates => [closed]}
    end.

%% @doc For `inet:socket_to_list/1'.
-spec socket_to_list(S :: sctp_socket()) -> string().
socket_to_list(?SOCKET(Ref)) ->
    "#Ref" ++ Id = ref_to_list(Ref),
    "#SctpSocket" ++ Id.

%% What inet has, but does not pass on to a module.

%% @doc The local addresses of an association, or all of the socket (id 0).
-spec socknames(S :: sctp_socket(), Assoc :: #sctp_assoc_change{} | assoc_id() | undefined) ->
    {ok, [address_and_port()]} | {error, inet:posix()}.
socknames(S, #sctp_assoc_change{assoc_id = AssocId}) ->
    socknames(S, AssocId);
socknames(S, undefined) ->
    socknames(S, 0);
socknames(?SOCKET(Ref), AssocId) when is_integer(AssocId) ->
    closed_is_einval(gen_sctp_nif_prim:socknames(Ref, AssocId)).

%% @doc The addresses of the peer of a one-to-one socket.
-spec peernames(S :: sctp_socket()) -> {ok, [address_and_port()]} | {error, inet:posix()}.
peernames(S) ->
    peernames(S, 0).

%% @doc The addresses of the peer of an association.
-spec peernames(S :: sctp_socket(), Assoc :: #sctp_assoc_change{} | assoc_id() | undefined) ->
    {ok, [address_and_port()]} | {error, inet:posix()}.
peernames(S, #sctp_assoc_change{assoc_id = AssocId}) ->
    peernames(S, AssocId);
peernames(S, undefined) ->
    peernames(S, 0);
peernames(?SOCKET(Ref), AssocId) when is_integer(AssocId) ->
    closed_is_einval(gen_sctp_nif_prim:peernames(Ref, AssocId)).

%% @doc The file descriptor. It stays the socket's: to read from it, to write to
%% it or to close it breaks the socket.
-spec getfd(S :: sctp_socket()) -> {ok, non_neg_integer()} | {error, inet:posix()}.
getfd(?SOCKET(Ref)) ->
    closed_is_einval(gen_sctp_nif_prim:getfd(Ref)).

%% What gen_tcp, gen_udp and file call. One-to-many sockets refuse: which
%% association, which stream?

%% @doc For `gen_tcp:send/2': {@link send/4} on stream 0 of a one-to-one socket.
-spec send(S :: sctp_socket(), iodata()) -> ok | {error, inet:posix() | closed}.
send(?SOCKET(Ref), Data) ->
    case gen_sctp_nif_prim:style(Ref) of
        stream -> send_stream(Ref, 0, 0, Data);
        seqpacket -> {error, enotsup}
    end.

%% @doc For `gen_tcp:recv/2,3': the data of the next message on a one-to-one
%% socket, from whatever stream. Events are left out. Length is 0: a message is
%% a packet.
-spec recv(sctp_socket(), non_neg_integer(), timeout()) ->
    {ok, binary() | string()} | {error, timeout | closed | inet:posix()}.
recv(?SOCKET(Ref) = S, Length, Timeout) ->
    case {gen_sctp_nif_prim:style(Ref), is_timeout(Timeout)} of
        {seqpacket, _} -> {error, enotsup};
        {stream, true} when Length =:= 0 ->
            gen_sctp_nif_prim:recv_data_wait(Ref, gen_sctp_nif_prim:deadline(Timeout));
        {stream, true} when is_integer(Length) -> gen_sctp_nif_send:refused(Ref);
        {stream, _} -> ?BADARG([S, Length, Timeout])
    end.

%% @private Not enotsup, which would make file:sendfile/5 use gen_tcp:send/2.
-spec sendfile(sctp_socket(), term(), integer(), integer()) -> {error, exbadport}.
sendfile(?SOCKET(_), _Fd, _Offset, _Bytes) ->
    {error, exbadport}.

%% Helpers.

closed_is_einval({error, closed}) -> {error, einval};
closed_is_einval(Result) -> Result.
