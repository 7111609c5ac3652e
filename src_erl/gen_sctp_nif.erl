%% @doc SCTP sockets: the functions of `gen_sctp', over a native
%% implementation that talks to the kernel without a port in between.
%%
%% Every function takes and gives what its namesake in `gen_sctp' does, and
%% `inet:setopts/2', `inet:getopts/2', `inet:port/1', `inet:close/1' and the
%% other functions of `inet' that know module sockets work on these sockets.
%% The records are those of `kernel/include/inet_sctp.hrl'; including
%% `gen_sctp_nif/include/inet_sctp.hrl' gets the same.
%%
%% Where releases of OTP differ, this is the newest one (29): the kernel's own
%% buffer sizes, a `send' that waits for room, `inet_default_sctp_options'.
%%
%% == Sockets ==
%% A socket is `{'$inet', gen_sctp_nif, Reference}'. It belongs to the process
%% that opened it: only the owner gets the messages of the active modes, and
%% when it dies the socket is closed. All else may be done by any process.
%% There is no link between owner and socket, hence no `EXIT' message either.
%%
%% == Messages to the owner ==
%% <dl>
%% <dt>`{sctp, Socket, IP, Port, {AncData, Data}}'</dt>
%% <dd>Data is what a peer sent, a binary or a list as the mode says, or the
%% record of an event.</dd>
%% <dt>`{sctp_error, Socket, IP, Port, {AncData, Event}}'</dt>
%% <dd>`#sctp_remote_error{}', `#sctp_send_failed{}' or
%% `#sctp_pdapi_event{}'.</dd>
%% <dt>`{sctp_batch, Socket, [{IP, Port, AncData, Data}]}'</dt>
%% <dd>One or several of both, where the option `{batch, N}' is set: see
%% {@link recv_batch/3}. Counts as one message for `once' and N.</dd>
%% <dt>`{sctp_error, Socket, Posix}'</dt>
%% <dd>The socket itself had an error. Does not count for `once' and N.</dd>
%% <dt>`{sctp_error, Socket, closed}'</dt>
%% <dd>The library had to close the socket, for a fault of its own. That would
%% be a bug.</dd>
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

%% Traffic.
-export([send/3]).
-export([send/4]).
-export([send_batch/3]).
-export([recv/1]).
-export([recv/2]).
-export([recv_batch/3]).
-export([error_string/1]).

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

%% What gen_tcp, gen_udp and file call; an SCTP socket refuses.
-export([send/2]).
-export([recv/3]).
-export([accept/2]).
-export([shutdown/2]).
-export([sendfile/4]).

-compile({inline, [closed_is_einval/1]}).

-include("inet_sctp.hrl").

-define(SOCKET(Ref), {'$inet', ?MODULE, Ref}).
%% As many messages has a batch at most.
-define(BATCH, 64).

-type sctp_socket() :: {'$inet', ?MODULE, reference()}.
%% The kernel's number of an association. 0 is the endpoint itself.
-type assoc_id() :: 0..16#ffffffff.
-type option() ::
    gen_sctp:option()
    | {abort_causes, boolean()}
    | {batch, 1..64}
    | {debug, boolean()}
    | {exclusiveaddruse, boolean()}
    | {mailbox_limit, pos_integer() | infinity}
    | {non_block_send, boolean()}
    | {reuseport, boolean()}
    | {reuseport_lb, boolean()}.
-type option_name() ::
    gen_sctp:option_name()
    | abort_causes
    | batch
    | debug
    | exclusiveaddruse
    | mailbox_limit
    | non_block_send
    | reuseport
    | reuseport_lb.
-type option_value() :: gen_sctp:option_value() | #{atom() => term()}.
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
-type anc_data() :: [#sctp_sndrcvinfo{} | inet:ancillary_data() | abort_causes()].
%% With the option `abort_causes': what the peer said in its ABORT, which comes with
%% `#sctp_assoc_change{}'. Code 12 is the user's own abort, Info what it said (RFC
%% 9260, section 3.3.10; {@link error_string/1}).
-type abort_causes() :: {abort_causes, [{Code :: 0..65535, Info :: binary()}, ...]}.
-type event() ::
    #sctp_assoc_change{}
    | #sctp_paddr_change{}
    | #sctp_shutdown_event{}
    | #sctp_adaptation_event{}.
-type error_event() ::
    #sctp_remote_error{}
    | #sctp_send_failed{}
    | #sctp_pdapi_event{}.
%% Where it came from (an event: the primary address of the peer), and what. In
%% a batch the error events, too.
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
-type connect_result() ::
    {ok, #sctp_assoc_change{}}
    | {error, #sctp_assoc_change{} | inet:posix() | closed | timeout}.
-type address_and_port() :: {inet:ip_address(), inet:port_number()}.

-export_type([assoc_id/0, option/0, option_name/0, option_value/0, sctp_socket/0]).
-export_type([abort_causes/0, open_option/0, sockaddr/0, message/0, recv_error/0, anc_data/0]).
-export_type([event/0, error_event/0]).

%% Sockets.

%% @equiv open([])
-spec open() -> {ok, sctp_socket()} | {error, inet:posix()}.
open() ->
    open([]).

%% @doc Opens a socket on a port or with a list of options.
%%
%% It is bound to the wildcard address of its family and to a port that the
%% kernel picks, unless `ip', `ifaddr' or `port' say otherwise. Several
%% addresses make it multihomed, in as many options or in a list, of which the
%% last is bound first, as in `gen_sctp'. Passive, in binary mode and
%% one-to-many (`{type, seqpacket}') by default. The caller becomes the owner.
%%
%% Raises `badarg' for an option that is not known, is wrong, or is refused by
%% the kernel. On a kernel without SCTP the answer is
%% `{error, esocktnosupport}' or `{error, eprotonosupport}'.
-spec open(inet:port_number() | [open_option()]) ->
    {ok, sctp_socket()} | {error, inet:posix()}.
open(Port) when is_integer(Port) ->
    open([{port, Port}]);
open(Opts) when is_list(Opts) ->
    case gen_sctp_nif_open:open(Opts) of
        {error, badarg} -> error(badarg, [Opts]);
        {error, eaddrinuse} -> gen_sctp_nif_open:open_after_closings(Opts);
        Result -> Result
    end;
open(Other) ->
    error(badarg, [Other]).

%% @doc Opens a socket on a port, with options. A `port' among these wins.
-spec open(inet:port_number(), [open_option()]) ->
    {ok, sctp_socket()} | {error, inet:posix()}.
open(Port, Opts) when is_integer(Port), is_list(Opts) ->
    open([{port, Port} | Opts]);
open(Port, Opts) ->
    error(badarg, [Port, Opts]).

%% @doc Closes a socket and all its associations.
%%
%% Returns when addresses and port are free, for who closes first: at once but
%% for a socket with many associations or much data. What was sent is still
%% delivered by the kernel, unless there is received data that nobody has read
%% or `{linger, {true, 0}}' is set: then the associations are aborted. Those
%% that are not up yet always are. Calls that wait on the socket return
%% `{error, closed}'. Closing twice is fine.
%%
%% With `{linger, {true, Seconds}}' it returns when all associations have ended
%% gracefully, the peers having all that was sent, or after so many seconds;
%% the kernel goes on with the rest. Only the calling process waits. What
%% still comes from the peers is dropped.
-spec close(sctp_socket()) -> ok.
close(?SOCKET(Ref)) when is_reference(Ref) ->
    gen_sctp_nif_prim:close_wait(Ref);
close(S) ->
    error(badarg, [S]).

%% @doc Lets peers set up associations, or no longer. `true' is a backlog of
%% 5, `false' one of 0; of an integer the low 16 bits count.
-spec listen(sctp_socket(), boolean() | integer()) -> ok | {error, inet:posix() | closed}.
listen(?SOCKET(Ref), true) when is_reference(Ref) ->
    gen_sctp_nif_open:listen(Ref, 5);
listen(?SOCKET(Ref), false) when is_reference(Ref) ->
    gen_sctp_nif_open:listen(Ref, 0);
listen(?SOCKET(Ref), Backlog) when is_reference(Ref), is_integer(Backlog) ->
    gen_sctp_nif_open:listen(Ref, Backlog band 16#ffff);
listen(S, Backlog) ->
    error(badarg, [S, Backlog]).

%% @doc Makes an association a one-to-one socket of its own.
%%
%% The caller owns it. Messages of the association that are still in the
%% kernel move to it; its id stays the same. Inherited are the options that
%% the kernel copies, the modes of receiving (with the present count of
%% `{active, N}'), and sctp_nodelay, priority, linger, reuseaddr and the
%% options of traffic class and hop limit.
-spec peeloff(sctp_socket(), #sctp_assoc_change{} | assoc_id()) ->
    {ok, sctp_socket()} | {error, inet:posix() | closed}.
peeloff(?SOCKET(Ref), #sctp_assoc_change{assoc_id = AssocId})
        when is_reference(Ref), is_integer(AssocId) ->
    gen_sctp_nif_open:peeloff(Ref, AssocId);
peeloff(?SOCKET(Ref), AssocId) when is_reference(Ref), is_integer(AssocId) ->
    gen_sctp_nif_open:peeloff(Ref, AssocId);
peeloff(S, Assoc) ->
    error(badarg, [S, Assoc]).

%% @doc Adds local addresses to an open socket, or removes some, all of them or
%% none. Not in `gen_sctp'.
%%
%% Associations that are already up hear of it only where the kernel's
%% `net.sctp.addip_enable' is on, and then by ASCONF (RFC 5061); all later ones
%% have the addresses. `ebusy': the last address stays. `eaddrnotavail': not
%% an address of this machine. `einval': to remove one that the socket does not
%% have, or the socket is bound to all addresses.
-spec bindx(sctp_socket(), add | remove, [inet:ip_address()]) ->
    ok | {error, inet:posix() | closed}.
bindx(?SOCKET(Ref) = S, Op, IPs)
        when is_reference(Ref), Op =:= add orelse Op =:= remove, length(IPs) >= 0 ->
    case lists:all(fun is_tuple/1, IPs) of
        true -> gen_sctp_nif_open:bindx(Ref, Op, IPs);
        false -> error(badarg, [S, Op, IPs])
    end;
bindx(S, Op, IPs) ->
    error(badarg, [S, Op, IPs]).

%% @doc Gives the socket to another process, which must be alive and local.
%%
%% Messages of the socket that the caller has not read yet go along, in order,
%% and precede all that the new owner gets itself. The active mode stays, unless
%% somebody changes it meanwhile: the new owner may answer the first message.
-spec controlling_process(sctp_socket(), pid()) ->
    ok | {error, closed | not_owner | badarg}.
controlling_process(?SOCKET(Ref) = S, Pid) when is_reference(Ref), is_pid(Pid) ->
    case gen_sctp_nif_prim:handover(Ref, Pid) of
        ok ->
            Messages = take_messages(S),
            send_all(Pid, Messages),
            case gen_sctp_nif_prim:adopt(Ref, Pid) of
                {error, badarg} = Error ->
                    %% The new owner died just now. The caller keeps socket
                    %% and messages.
                    send_all(self(), Messages),
                    _ = gen_sctp_nif_prim:adopt(Ref, self()),
                    Error;
                Result ->
                    Result
            end;
        same ->
            ok;
        {error, _} = Error ->
            Error
    end;
controlling_process(S, Pid) ->
    error(badarg, [S, Pid]).

%% All messages of a socket in the mailbox, oldest first.
take_messages(S) ->
    receive
        {sctp, S, _, _, _} = Message -> [Message | take_messages(S)];
        {sctp_batch, S, _} = Message -> [Message | take_messages(S)];
        {sctp_error, S, _, _, _} = Message -> [Message | take_messages(S)];
        {sctp_error, S, _} = Message -> [Message | take_messages(S)];
        {sctp_passive, S} = Message -> [Message | take_messages(S)]
    after 0 ->
        []
    end.

send_all(Pid, Messages) ->
    lists:foreach(fun(Message) -> gen_sctp_nif_prim:forward(Pid, Message) end, Messages).

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
        badarg -> error(badarg, [S, SockAddr, Opts, Timeout]);
        Way -> gen_sctp_nif_connect:go(Way)
    end;
connect(S, Addr, Port, Opts) ->
    connect(S, Addr, Port, Opts, infinity).

%% @doc Sets up an association and waits until that is done.
%%
%% The options are set on the socket first; undefined fields of their records
%% keep what they are. Waits for this very association, at most Timeout
%% milliseconds including the lookup of names: events and data of others stay
%% for later receives. Its own `#sctp_assoc_change{}' is the result, and is
%% not received again.
%%
%% After `{error, timeout}' the kernel goes on trying, and the outcome comes
%% as an event like any other.
-spec connect(sctp_socket(), inet:ip_address() | inet:hostname(),
    inet:port_number() | atom(), [option()], timeout()) -> connect_result().
connect(S, Addr, Port, Opts, Timeout) ->
    case gen_sctp_nif_connect:way(connect, S, {host, Addr, Port}, Opts, Timeout) of
        badarg -> error(badarg, [S, Addr, Port, Opts, Timeout]);
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
        badarg -> error(badarg, [S, SockAddr, Opts, Timeout]);
        Way -> gen_sctp_nif_connect:go(Way)
    end;
connect_init(S, Addr, Port, Opts) ->
    connect_init(S, Addr, Port, Opts, infinity).

%% @doc Starts an association. Its `#sctp_assoc_change{}' event tells what has
%% become of it. The timeout is only for the lookup of names.
-spec connect_init(sctp_socket(), inet:ip_address() | inet:hostname(),
    inet:port_number() | atom(), [option()], timeout()) -> ok | {error, term()}.
connect_init(S, Addr, Port, Opts, Timeout) ->
    case gen_sctp_nif_connect:way(connect_init, S, {host, Addr, Port}, Opts, Timeout) of
        badarg -> error(badarg, [S, Addr, Port, Opts, Timeout]);
        Way -> gen_sctp_nif_connect:go(Way)
    end.

%% @doc Starts an association with a peer that has several addresses.
%%
%% They are sockaddr maps, `{IP, Port}' or `{Family, {IP, Port}}'. All share
%% the last port that is given; the others may be 0.
-spec connectx_init(sctp_socket(),
    [address_and_port() | inet:family_address() | sockaddr()], [option()]) ->
    {ok, assoc_id()} | {error, term()}.
connectx_init(S, SockAddrs, Opts) when is_list(SockAddrs) ->
    case gen_sctp_nif_connect:way(connectx_init, S, {sockaddrs, SockAddrs}, Opts, infinity) of
        badarg -> error(badarg, [S, SockAddrs, Opts]);
        Way -> gen_sctp_nif_connect:go(Way)
    end;
connectx_init(S, SockAddrs, Opts) ->
    error(badarg, [S, SockAddrs, Opts]).

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
        badarg -> error(badarg, [S, Addrs, Port, Opts, Timeout]);
        Way -> gen_sctp_nif_connect:go(Way)
    end;
connectx_init(S, Addrs, Port, Opts, Timeout) ->
    error(badarg, [S, Addrs, Port, Opts, Timeout]).

%% @doc Ends an association gracefully: what was sent is still delivered.
-spec eof(sctp_socket(), #sctp_assoc_change{}) -> ok | {error, inet:posix() | closed}.
eof(?SOCKET(Ref), #sctp_assoc_change{assoc_id = AssocId}) when is_reference(Ref) ->
    send_info(Ref, #sctp_sndrcvinfo{assoc_id = AssocId, flags = [eof]}, <<>>);
eof(S, Assoc) ->
    error(badarg, [S, Assoc]).

%% @doc Ends an association at once and tells the peer: both sides see
%% `comm_lost'.
-spec abort(sctp_socket(), #sctp_assoc_change{}) -> ok | {error, inet:posix() | closed}.
abort(?SOCKET(Ref), #sctp_assoc_change{assoc_id = AssocId}) when is_reference(Ref) ->
    send_info(Ref, #sctp_sndrcvinfo{assoc_id = AssocId, flags = [abort]}, <<>>);
abort(S, Assoc) ->
    error(badarg, [S, Assoc]).

%% Traffic.

%% @doc Sends with all parameters as given. Undefined ones are 0, whatever
%% `sctp_default_send_param' says.
-spec send(sctp_socket(), #sctp_sndrcvinfo{}, iodata()) -> ok | {error, inet:posix() | closed}.
send(?SOCKET(Ref), #sctp_sndrcvinfo{} = Info, Data) when is_reference(Ref) ->
    send_info(Ref, Info, Data);
send(S, Info, Data) ->
    error(badarg, [S, Info, Data]).

send_info(Ref, Info, Data) when is_binary(Data) ->
    gen_sctp_nif_prim:send_wait(Ref, Info, Data);
send_info(Ref, Info, Data) ->
    case flatten(Data) of
        {ok, Bin} -> send_info(Ref, Info, Bin);
        error -> unless_closed(Ref, {error, einval})
    end.

%% @doc Sends on a stream of an association, all else as
%% `sctp_default_send_param' says.
%%
%% Waits as long as the socket's send buffer is full, or returns
%% `{error, eagain}' if `{non_block_send, true}' is set. `ok' means that the
%% kernel has taken the data. Errors are `epipe' where there is no such
%% association, `eshutdown' where it is being ended, `emsgsize' for more than
%% the send buffer ever takes, `einval' for a stream that does not exist and
%% for no data at all.
-spec send(sctp_socket(), #sctp_assoc_change{} | assoc_id(), non_neg_integer(), iodata()) ->
    ok | {error, inet:posix() | closed}.
send(?SOCKET(Ref), AssocId, Stream, Data)
        when is_reference(Ref), is_integer(AssocId), is_integer(Stream) ->
    send_stream(Ref, AssocId, Stream, Data);
send(?SOCKET(Ref), #sctp_assoc_change{assoc_id = AssocId}, Stream, Data)
        when is_reference(Ref), is_integer(Stream) ->
    send_stream(Ref, AssocId, Stream, Data);
send(S, Assoc, Stream, Data) ->
    error(badarg, [S, Assoc, Stream, Data]).

send_stream(Ref, AssocId, Stream, Data) when is_binary(Data) ->
    gen_sctp_nif_prim:send_wait(Ref, AssocId, Stream, Data);
send_stream(Ref, AssocId, Stream, Data) ->
    case flatten(Data) of
        {ok, Bin} -> send_stream(Ref, AssocId, Stream, Bin);
        error -> unless_closed(Ref, {error, einval})
    end.

%% Here, as the VM can interrupt it.
flatten(Data) ->
    try
        {ok, iolist_to_binary(Data)}
    catch
        error:badarg -> error
    end.

%% @doc Sends many messages to one association, in order: `send/4' for each
%% `{Stream, Data}', `send/3' for each `{Info, Data}', whose `assoc_id' is not
%% looked at. Not in `gen_sctp'.
%%
%% Takes far less time than single calls, as the messages share system calls
%% and packets. Waits for room like `send/4'. Where a message cannot be sent,
%% the error comes with the messages that were not: the refused one is the
%% first of them, those before it have been sent. With `{non_block_send, true}'
%% the reason can be `eagain', and the rest can be sent later; if others filled
%% the buffer in that very moment, the next send takes along what the kernel
%% has kept for it.
-spec send_batch(sctp_socket(), #sctp_assoc_change{} | assoc_id(), [Message]) ->
    ok | {error, {inet:posix() | closed, Rest :: [Message]}} when
    Message :: {non_neg_integer() | #sctp_sndrcvinfo{}, iodata()}.
send_batch(?SOCKET(Ref) = S, #sctp_assoc_change{assoc_id = AssocId}, Messages)
        when is_reference(Ref), is_list(Messages) ->
    gen_sctp_nif_batch:send(S, Ref, AssocId, Messages);
send_batch(?SOCKET(Ref) = S, AssocId, Messages)
        when is_reference(Ref), is_integer(AssocId), is_list(Messages) ->
    gen_sctp_nif_batch:send(S, Ref, AssocId, Messages);
send_batch(S, Assoc, Messages) ->
    error(badarg, [S, Assoc, Messages]).

%% @equiv recv(S, infinity)
-spec recv(sctp_socket()) -> {ok, message()} | {error, recv_error()}.
recv(S) ->
    recv(S, infinity).

%% @doc Receives a message or an event, waiting at most Timeout milliseconds
%% (up to 16#fffffffe). Timeout 0 takes what is there.
%%
%% Only on a passive socket, else `{error, einval}', and for one process at a
%% time, else `{error, ealready}'. Any process may receive.
-spec recv(sctp_socket(), timeout()) -> {ok, message()} | {error, recv_error()}.
recv(?SOCKET(Ref), infinity) when is_reference(Ref) ->
    gen_sctp_nif_prim:recv_wait(Ref, infinity);
recv(?SOCKET(Ref), Timeout)
        when is_reference(Ref), is_integer(Timeout), Timeout >= 0, Timeout < 16#ffffffff ->
    gen_sctp_nif_prim:recv_wait(Ref, Timeout);
recv(?SOCKET(Ref), _Timeout) when is_reference(Ref) ->
    unless_closed(Ref, {error, einval});
recv(S, Timeout) ->
    error(badarg, [S, Timeout]).

%% @doc Receives what is there, at most N messages and events and no more than
%% 64, and waits for the first one like {@link recv/2}. Not in `gen_sctp'.
%%
%% In order, each as `recv' gives it, and error events like all others: the
%% record tells. Takes far less time than single calls, for small messages.
%% Such messages share a binary: who keeps one of them for long copies it
%% (`binary:copy/1'), or all that came with it are kept. The owner of an active
%% socket gets the same with the option `{batch, N}', as
%% `{sctp_batch, Socket, Messages}'; 1, the default, gives each message alone,
%% as `gen_sctp' does.
-spec recv_batch(sctp_socket(), pos_integer(), timeout()) ->
    {ok, [message(), ...]} | {error, timeout | closed | inet:posix()}.
recv_batch(?SOCKET(Ref) = S, N, Timeout) when is_reference(Ref), is_integer(N), N > 0 ->
    case is_timeout(Timeout) of
        true -> gen_sctp_nif_prim:recv_batch_wait(Ref, min(N, ?BATCH), Timeout);
        false -> error(badarg, [S, N, Timeout])
    end;
recv_batch(S, N, Timeout) ->
    error(badarg, [S, N, Timeout]).

is_timeout(infinity) -> true;
is_timeout(Timeout) -> is_integer(Timeout) andalso Timeout >= 0 andalso Timeout < 16#ffffffff.

%% @doc The name of an error cause (RFC 9260, section 3.3.10). Mind that the
%% `error' of an `#sctp_assoc_change{}' has its two bytes swapped on Linux.
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
error_string(Other) -> error(badarg, [Other]).

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
%% <dt>`closing'</dt><dd>closed sockets that the kernel is not done with</dd>
%% <dt>`resources'</dt><dd>sockets, open or closed, that Erlang has references
%% to, or has not collected yet</dd>
%% <dt>`receivers', `writers', `connects'</dt><dd>processes that wait in `recv',
%% for room to send, and in `connect'</dd>
%% <dt>`watchers'</dt><dd>monitors by `inet:monitor/1'</dd>
%% <dt>`monitors'</dt><dd>owners that are monitored</dd>
%% <dt>`terms'</dt><dd>terms that are kept for those who wait</dd>
%% <dt>`backlog_bytes'</dt><dd>memory of messages that passive sockets have read
%% ahead while somebody waits in `connect'</dd>
%% <dt>`fragment_bytes'</dt><dd>pieces of messages that are not whole yet</dd>
%% <dt>`opened'</dt><dd>sockets since the library was loaded</dd>
%% <dt>`panics'</dt><dd>faults of the library that its threads have survived;
%% each is told of on standard error, and any at all is a bug</dd>
%% </dl>
-spec info() -> #{atom() => non_neg_integer()}.
info() ->
    gen_sctp_nif_prim:counters().

%% @doc All open sockets of the node.
-spec which_sockets() -> [sctp_socket()].
which_sockets() ->
    [?SOCKET(Ref) || Ref <- gen_sctp_nif_prim:sockets()].

%% What inet calls for a module socket.

%% @doc For `inet:setopts/2'. Types are checked first, then the options are set
%% from the last to the first; what the kernel refuses is `einval'.
-spec setopts(sctp_socket(), [option()]) -> ok | {error, inet:posix()}.
setopts(?SOCKET(Ref), [{active, Mode}]) ->
    %% With every message, in the mode once.
    closed_is_einval(gen_sctp_nif_prim:set_active(Ref, Mode));
setopts(?SOCKET(Ref), Opts) ->
    closed_is_einval(gen_sctp_nif_limit:setopts(Ref, gen_sctp_nif_opts:to_native(Opts))).

%% @doc For `inet:getopts/2'. An option that the kernel cannot tell is left out.
-spec getopts(sctp_socket(), [option_name() | {option_name(), term()}]) ->
    {ok, [option_value() | boolean()]} | {error, inet:posix()}.
getopts(?SOCKET(Ref), Opts) when is_list(Opts) ->
    case gen_sctp_nif_opts:get(Ref, Opts) of
        {ok, Values} -> {ok, gen_sctp_nif_opts:from_native(Values)};
        Error -> closed_is_einval(Error)
    end.

%% @doc For `inet:getstat/1,2'. Octets and packets of the socket; an event that
%% was received counts as a packet, a message that was refused does not.
-spec getstat(sctp_socket(), [inet:stat_option()]) ->
    {ok, [{inet:stat_option(), integer()}]} | {error, inet:posix()}.
getstat(?SOCKET(Ref), Items) when is_list(Items) ->
    closed_is_einval(gen_sctp_nif_prim:getstat(Ref, Items)).

%% @doc For `inet:sockname/1' and `inet:port/1'.
-spec sockname(sctp_socket()) -> {ok, address_and_port()} | {error, inet:posix()}.
sockname(?SOCKET(Ref)) ->
    closed_is_einval(gen_sctp_nif_prim:sockname(Ref)).

%% @doc For `inet:peername/1'. Only a one-to-one or peeled-off socket has one peer.
-spec peername(sctp_socket()) -> {ok, address_and_port()} | {error, inet:posix()}.
peername(?SOCKET(Ref)) ->
    closed_is_einval(gen_sctp_nif_prim:peername(Ref)).

%% @doc For `inet:socknames/1'. All local addresses.
-spec socknames(sctp_socket()) -> {ok, [address_and_port()]} | {error, inet:posix()}.
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
    error(badarg, [S]).

%% @doc For `inet:cancel_monitor/1'. Whether there was such a monitor.
-spec cancel_monitor(reference()) -> boolean().
cancel_monitor(MRef) when is_reference(MRef) ->
    gen_sctp_nif_prim:demonitor(MRef);
cancel_monitor(MRef) ->
    error(badarg, [MRef]).

%% @doc For `inet:info/1'. Owner, type, family, states, modes, counters.
-spec info(sctp_socket()) -> map().
info(?SOCKET(Ref)) ->
    case gen_sctp_nif_prim:info(Ref) of
        #{} = Info -> Info;
        {error, closed} -> #{states => [closed], rstates => [closed], wstates => [closed]}
    end.

%% @doc For `inet:socket_to_list/1'.
-spec socket_to_list(sctp_socket()) -> string().
socket_to_list(?SOCKET(Ref)) ->
    "#Ref" ++ Id = ref_to_list(Ref),
    "#SctpSocket" ++ Id.

%% What inet has, but does not pass on to a module.

%% @doc The local addresses of an association, or all of the socket (id 0).
-spec socknames(sctp_socket(), #sctp_assoc_change{} | assoc_id() | undefined) ->
    {ok, [address_and_port()]} | {error, inet:posix()}.
socknames(S, #sctp_assoc_change{assoc_id = AssocId}) ->
    socknames(S, AssocId);
socknames(S, undefined) ->
    socknames(S, 0);
socknames(?SOCKET(Ref), AssocId) when is_integer(AssocId) ->
    closed_is_einval(gen_sctp_nif_prim:socknames(Ref, AssocId)).

%% @doc The addresses of the peer of a one-to-one socket.
-spec peernames(sctp_socket()) -> {ok, [address_and_port()]} | {error, inet:posix()}.
peernames(S) ->
    peernames(S, 0).

%% @doc The addresses of the peer of an association.
-spec peernames(sctp_socket(), #sctp_assoc_change{} | assoc_id() | undefined) ->
    {ok, [address_and_port()]} | {error, inet:posix()}.
peernames(S, #sctp_assoc_change{assoc_id = AssocId}) ->
    peernames(S, AssocId);
peernames(S, undefined) ->
    peernames(S, 0);
peernames(?SOCKET(Ref), AssocId) when is_integer(AssocId) ->
    closed_is_einval(gen_sctp_nif_prim:peernames(Ref, AssocId)).

%% @doc The file descriptor. It stays the socket's: to read from it, to write to
%% it or to close it breaks the socket.
-spec getfd(sctp_socket()) -> {ok, non_neg_integer()} | {error, inet:posix()}.
getfd(?SOCKET(Ref)) ->
    closed_is_einval(gen_sctp_nif_prim:getfd(Ref)).

%% What gen_tcp, gen_udp and file call; an SCTP socket refuses.

%% @private Which association, which stream?
-spec send(sctp_socket(), iodata()) -> {error, enotsup}.
send(?SOCKET(_), _Data) ->
    {error, enotsup}.

%% @private
-spec recv(sctp_socket(), non_neg_integer(), timeout()) -> {error, enotsup}.
recv(?SOCKET(_), _Length, _Timeout) ->
    {error, enotsup}.

%% @private
-spec accept(sctp_socket(), timeout()) -> {error, enotsup}.
accept(?SOCKET(_), _Timeout) ->
    {error, enotsup}.

%% @private
-spec shutdown(sctp_socket(), read | write | read_write) -> {error, enotsup}.
shutdown(?SOCKET(_), _How) ->
    {error, enotsup}.

%% @private Not enotsup, which would make file:sendfile/5 use gen_tcp:send/2.
-spec sendfile(sctp_socket(), term(), integer(), integer()) -> {error, exbadport}.
sendfile(?SOCKET(_), _Fd, _Offset, _Bytes) ->
    {error, exbadport}.

%% Helpers.

unless_closed(Ref, Result) ->
    case gen_sctp_nif_prim:owner(Ref) of
        {ok, _} -> Result;
        {error, closed} = Error -> Error
    end.

closed_is_einval({error, closed}) -> {error, einval};
closed_is_einval(Result) -> Result.
