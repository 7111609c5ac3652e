%% @doc OTP's `socket' module behind those functions of gen_sctp that the cases use: what it can do
%% is to receive passively. An association is called by the address of its peer.
%%
%% A socket is a term that `inet' passes on to this module, as ours is.
-module(sctp_bench_socket).

-export([open/1]).
-export([close/1]).
-export([listen/2]).
-export([accept/2]).
-export([connect/4]).
-export([send/4]).
-export([recv/1]).

%% For `inet'.
-export([setopts/2]).
-export([sockname/1]).

-include_lib("kernel/include/inet_sctp.hrl").

-define(SOCKET(Handle), {'$inet', ?MODULE, Handle}).

-spec open([term()]) -> {ok, term()} | {error, term()}.
open(Opts) ->
    {ok, Socket} = socket:open(inet, proplists:get_value(type, Opts, seqpacket), sctp),
    {ip, IP} = lists:keyfind(ip, 1, Opts),
    ok = socket:setopt(Socket, {sctp, nodelay}, proplists:get_bool(sctp_nodelay, Opts)),
    ok = socket:setopt(Socket, {sctp, events}, #{
        data_io => true, association => true, address => false, send_failure => false,
        peer_error => false, shutdown => false, partial_delivery => false
    }),
    ok = socket:bind(Socket, address(IP, 0)),
    {ok, ?SOCKET(Socket)}.

-spec close(term()) -> ok | {error, term()}.
close(?SOCKET(Socket)) ->
    socket:close(Socket).

-spec listen(term(), non_neg_integer()) -> ok | {error, term()}.
listen(?SOCKET(Socket), Backlog) ->
    socket:listen(Socket, Backlog).

-spec accept(term(), timeout()) -> {ok, term()} | {error, term()}.
accept(?SOCKET(Socket), Timeout) ->
    case socket:accept(Socket, Timeout) of
        {ok, Accepted} -> {ok, ?SOCKET(Accepted)};
        {error, _} = Error -> Error
    end.

%% @doc Waits for the association, as gen_sctp does.
-spec connect(term(), inet:ip_address(), inet:port_number(), []) ->
    {ok, #sctp_assoc_change{}} | {error, term()}.
connect(?SOCKET(Socket), IP, Port, []) ->
    Peer = address(IP, Port),
    ok = socket:connect(Socket, Peer),
    {ok, #{notification := #{type := assoc_change, state := comm_up}}} = socket:recvmsg(Socket),
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = Peer}}.

-spec send(term(), map(), 0, binary()) -> ok | {error, term()}.
send(?SOCKET(Socket), Peer, 0, Data) ->
    socket:sendmsg(Socket, #{addr => Peer, iov => [Data]}).

-spec recv(term()) -> {ok, tuple()} | {error, term()}.
recv(?SOCKET(Socket)) ->
    case socket:recvmsg(Socket) of
        {ok, #{addr := #{addr := IP, port := Port} = Peer, iov := [Data]}} ->
            {ok, {IP, Port, [#sctp_sndrcvinfo{assoc_id = Peer}], Data}};
        {ok, #{notification := Event}} ->
            {ok, {undefined, 0, [], {event, Event}}};
        {error, _} = Error ->
            Error
    end.

-spec setopts(term(), [term()]) -> ok | {error, term()}.
setopts(?SOCKET(Socket), Opts) ->
    lists:foreach(fun(Opt) -> ok = setopt(Socket, Opt) end, Opts).

setopt(Socket, {sndbuf, Size}) -> socket:setopt(Socket, {socket, sndbuf}, Size);
setopt(Socket, {recbuf, Size}) -> socket:setopt(Socket, {socket, rcvbuf}, Size);
setopt(Socket, {buffer, Size}) -> socket:setopt(Socket, {otp, rcvbuf}, Size).

-spec sockname(term()) -> {ok, {inet:ip_address(), inet:port_number()}} | {error, term()}.
sockname(?SOCKET(Socket)) ->
    {ok, #{addr := IP, port := Port}} = socket:sockname(Socket),
    {ok, {IP, Port}}.

address(IP, Port) ->
    #{family => inet, addr => IP, port => Port}.
