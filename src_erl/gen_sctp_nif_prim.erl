%% @private
%% @doc The native functions of `priv/gen_sctp_nif.so'. Nothing else is here.
%%
%% No function of this module ever blocks: where waiting is needed the answer
%% is `wait', and a message `{'$gen_sctp_nif', WaitRef, _}' follows
%% (see {@link gen_sctp_nif_wait}). What needs an open socket answers
%% `{error, closed}' for a closed one; all raise `badarg' for a reference that
%% is not a socket.
-module(gen_sctp_nif_prim).

%% Life of a socket.
-export([open/3]).
-export([open_dirty/3]).
-export([close/2]).
-export([await_closings/1]).
-export([peeloff/2]).
-export([bind/2]).
-export([bindx/3]).
-export([listen/2]).
-export([connect/3]).
-export([connect_many/3]).

%% Traffic.
-export([recv/2]).
-export([recv_batch/3]).
-export([send/3]).
-export([send/4]).
-export([send_large/3]).
-export([send_large/4]).
-export([send_batch/3]).
-export([await_writable/3]).
-export([cancel/2]).

%% Options and names.
-export([set_active/2]).
-export([setopts/2]).
-export([setopts_many/2]).
-export([grant/3]).
-export([getopts/2]).
-export([getopts_many/2]).
-export([check_opt/1]).
-export([getstat/2]).
-export([sockname/1]).
-export([peername/1]).
-export([socknames/2]).
-export([peernames/2]).
-export([getfd/1]).

%% Ownership and supervision.
-export([family/1]).
-export([owner/1]).
-export([handover/2]).
-export([forward/2]).
-export([adopt/2]).
-export([monitor/1]).
-export([demonitor/1]).
-export([info/1]).
-export([sockets/0]).
-export([counters/0]).

-nifs([open/3, open_dirty/3, close/2, await_closings/1, peeloff/2, bind/2, bindx/3, listen/2,
    connect/3, connect_many/3, setopts_many/2, getopts_many/2,
    recv/2, recv_batch/3, send/3, send/4, send_large/3, send_large/4, send_batch/3,
    await_writable/3, cancel/2,
    set_active/2, setopts/2, grant/3, getopts/2, check_opt/1, getstat/2,
    sockname/1, peername/1, socknames/2, peernames/2, getfd/1,
    family/1, owner/1, handover/2, forward/2, adopt/2, monitor/1, demonitor/1,
    info/1, sockets/0, counters/0]).

-on_load(init/0).

-include("inet_sctp.hrl").

%% The resource of one socket.
-type ref() :: reference().
%% A fresh reference that marks the messages of one wait.
-type wait_ref() :: reference().
-type family() :: inet | inet6.
-type address() ::
    {inet:ip_address(), inet:port_number()}
    | {inet:ip6_address(), inet:port_number(),
        FlowInfo :: 0..16#ffffffff, ScopeId :: 0..16#ffffffff}.
-type error() :: {error, inet:posix() | closed}.

-export_type([ref/0, wait_ref/0, family/0, address/0, error/0]).

-define(MAX_IO_THREADS, 64).
-define(NIF, erlang:nif_error({nif_not_loaded, ?MODULE})).

-spec init() -> ok | {error, {load_failed, file:filename(), term()}}.
init() ->
    Path = filename:join(priv_dir(), "gen_sctp_nif"),
    case load(Path, io_threads()) of
        ok -> ok;
        {error, Reason} ->
            %% All that the loader of this module will tell is that it failed.
            Error = {load_failed, Path ++ ".so", Reason},
            persistent_term:put({?MODULE, load_error}, Error),
            {error, Error}
    end.

load(Path, Threads) when is_integer(Threads), Threads >= 1, Threads =< ?MAX_IO_THREADS ->
    erlang:load_nif(Path, Threads);
load(_Path, Threads) ->
    {error, {io_threads, lists:flatten(io_lib:format("io_threads is ~p", [Threads]))}}.

%% How many threads wait for all sockets. What one thread has time for is far
%% more than four schedulers can do with it.
io_threads() ->
    Default = (erlang:system_info(schedulers) + 3) div 4,
    application:get_env(gen_sctp_nif, io_threads, min(Default, ?MAX_IO_THREADS)).

%% Without an application directory in the code path (a plain -pa ebin of a
%% build tree) priv is still beside the directory that the beam is in.
priv_dir() ->
    case code:priv_dir(gen_sctp_nif) of
        {error, bad_name} ->
            Beam = case code:which(?MODULE) of
                File when is_list(File) -> File;
                _ -> "ebin/."
            end,
            filename:join(filename:dirname(filename:dirname(Beam)), "priv");
        Dir ->
            Dir
    end.

%% Life of a socket.

%% `elsewhere': open_dirty does it.
-spec open(family(), seqpacket | stream, undefined | binary()) ->
    {ok, ref()} | elsewhere | error().
open(_Family, _Type, _Netns) ->
    ?NIF.

-spec open_dirty(family(), seqpacket | stream, undefined | binary()) -> {ok, ref()} | error().
open_dirty(_Family, _Type, _Netns) ->
    ?NIF.

-spec close(ref(), wait_ref()) -> ok | wait.
close(_Ref, _WaitRef) ->
    ?NIF.

%% A message follows when all sockets of dead processes, and those that are
%% about to be closed, are closed.
-spec await_closings(wait_ref()) -> wait.
await_closings(_WaitRef) ->
    ?NIF.

-spec peeloff(ref(), integer()) -> {ok, ref()} | error().
peeloff(_Ref, _AssocId) ->
    ?NIF.

-spec bind(ref(), address()) -> ok | error().
bind(_Ref, _Addr) ->
    ?NIF.

-spec bindx(ref(), add | remove, [address()]) -> ok | error().
bindx(_Ref, _Op, _Addrs) ->
    ?NIF.

-spec listen(ref(), 0..65535) -> ok | error().
listen(_Ref, _Backlog) ->
    ?NIF.

-spec connect(ref(), [address(), ...], undefined | wait_ref()) ->
    {ok, non_neg_integer() | #sctp_assoc_change{}}
    | {error, #sctp_assoc_change{}} | error() | wait.
connect(_Ref, _Addrs, _WaitRef) ->
    ?NIF.

%% On a dirty scheduler, for many addresses.
-spec connect_many(ref(), [address(), ...], undefined | wait_ref()) ->
    {ok, non_neg_integer() | #sctp_assoc_change{}}
    | {error, #sctp_assoc_change{}} | error() | wait.
connect_many(_Ref, _Addrs, _WaitRef) ->
    ?NIF.

%% Traffic.

%% `more': there is more of a message than one call reads; to be called again.
-spec recv(ref(), poll | wait_ref()) ->
    {ok, gen_sctp_nif:message()} | {error, gen_sctp_nif:recv_error()} | wait | more.
recv(_Ref, _WaitRef) ->
    ?NIF.

%% What is there, so many at most.
-spec recv_batch(ref(), poll | wait_ref(), Most :: pos_integer()) ->
    {ok, [gen_sctp_nif:message(), ...]} | {error, inet:posix() | closed | timeout} | wait | more.
recv_batch(_Ref, _WaitRef, _Most) ->
    ?NIF.

-spec send(ref(), #sctp_sndrcvinfo{}, binary()) -> ok | error() | wait.
send(_Ref, _Info, _Data) ->
    ?NIF.

%% An undefined association is 0, as in the records.
-spec send(ref(), integer() | undefined, integer(), binary()) -> ok | error() | wait.
send(_Ref, _AssocId, _Stream, _Data) ->
    ?NIF.

%% The same on dirty schedulers.
-spec send_large(ref(), #sctp_sndrcvinfo{}, binary()) -> ok | error() | wait.
send_large(_Ref, _Info, _Data) ->
    ?NIF.

-spec send_large(ref(), integer() | undefined, integer(), binary()) -> ok | error() | wait.
send_large(_Ref, _AssocId, _Stream, _Data) ->
    ?NIF.

%% The first messages, up to one whose data is no binary, and no more than keep
%% no scheduler for long. How many were sent; the next one is for send/3,4, which
%% waits or tells what is wrong with it.
-spec send_batch(ref(), integer() | undefined, [term()]) -> non_neg_integer() | error().
send_batch(_Ref, _AssocId, _Messages) ->
    ?NIF.

-spec await_writable(ref(), integer() | undefined, wait_ref()) -> error() | wait.
await_writable(_Ref, _AssocId, _WaitRef) ->
    ?NIF.

-spec cancel(ref(), wait_ref()) -> ok | sent.
cancel(_Ref, _WaitRef) ->
    ?NIF.

%% Options and names.

%% The option `active' alone.
-spec set_active(ref(), term()) -> ok | error().
set_active(_Ref, _Mode) ->
    ?NIF.

%% `limited': the process that looks after the bound is to be started first.
-spec setopts(ref(), [term()]) -> ok | limited | many | error().
setopts(_Ref, _Opts) ->
    ?NIF.

%% On a dirty scheduler, where the answer was `many'.
-spec setopts_many(ref(), [term()]) -> ok | limited | error().
setopts_many(_Ref, _Opts) ->
    ?NIF.

%% So many messages may be delivered to this owner.
-spec grant(ref(), reference(), non_neg_integer()) -> ok | {error, closed}.
grant(_Ref, _Question, _Messages) ->
    ?NIF.

-spec getopts(ref(), [term()]) -> {ok, [term()]} | many | error().
getopts(_Ref, _Opts) ->
    ?NIF.

%% On a dirty scheduler, where the answer was `many'.
-spec getopts_many(ref(), [term()]) -> {ok, [term()]} | error().
getopts_many(_Ref, _Opts) ->
    ?NIF.

%% Whether setopts/2 would find name and type right; touches no socket.
-spec check_opt(term()) -> boolean().
check_opt(_Opt) ->
    ?NIF.

-spec getstat(ref(), [inet:stat_option()]) ->
    {ok, [{inet:stat_option(), integer()}]} | error().
getstat(_Ref, _Items) ->
    ?NIF.

-spec sockname(ref()) -> {ok, {inet:ip_address(), inet:port_number()}} | error().
sockname(_Ref) ->
    ?NIF.

-spec peername(ref()) -> {ok, {inet:ip_address(), inet:port_number()}} | error().
peername(_Ref) ->
    ?NIF.

-spec socknames(ref(), integer()) ->
    {ok, [{inet:ip_address(), inet:port_number()}]} | error().
socknames(_Ref, _AssocId) ->
    ?NIF.

-spec peernames(ref(), integer()) ->
    {ok, [{inet:ip_address(), inet:port_number()}]} | error().
peernames(_Ref, _AssocId) ->
    ?NIF.

-spec getfd(ref()) -> {ok, non_neg_integer()} | error().
getfd(_Ref) ->
    ?NIF.

%% Ownership and supervision.

-spec owner(ref()) -> {ok, pid()} | {error, closed}.
owner(_Ref) ->
    ?NIF.

%% Until adopt/2 nobody gets a message; the mode can be changed meanwhile.
-spec handover(ref(), pid()) -> ok | same | {error, not_owner | badarg | closed}.
handover(_Ref, _NewPid) ->
    ?NIF.

%% A message of a socket to a process that is about to own it. False if there is
%% no such process.
-spec forward(pid(), term()) -> boolean().
forward(_Pid, _Message) ->
    ?NIF.

%% With the owner's own pid it takes a handover back.
-spec adopt(ref(), pid()) -> ok | {error, badarg | closed}.
adopt(_Ref, _NewPid) ->
    ?NIF.

-spec monitor(ref()) -> {ok, reference()} | {error, closed}.
monitor(_Ref) ->
    ?NIF.

%% False for any other reference, too.
-spec demonitor(reference()) -> boolean().
demonitor(_MRef) ->
    ?NIF.

-spec family(ref()) -> {ok, family()} | {error, closed}.
family(_Ref) ->
    ?NIF.

-spec info(ref()) -> map() | {error, closed}.
info(_Ref) ->
    ?NIF.

-spec sockets() -> [ref()].
sockets() ->
    ?NIF.

-spec counters() -> #{atom() => non_neg_integer()}.
counters() ->
    ?NIF.
