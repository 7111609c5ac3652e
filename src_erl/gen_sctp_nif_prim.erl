%% @private
%% @doc The native functions of `priv/gen_sctp_nif.so', and the waits that
%% belong to them.
%%
%% No native function ever blocks: where waiting is needed the answer is
%% `wait', and a message `{'$gen_sctp_nif', WaitRef, _}' follows. What needs an
%% open socket answers `{error, closed}' for a closed one; all raise `badarg'
%% for a reference that is not a socket.
%%
%% The functions whose names end in `_wait' call one of them and wait for its
%% message. Every wait has a reference of its own. It is made in the function
%% that leads straight to the `receive', so that the VM skips all messages that
%% were in the mailbox before: the length of the caller's queue costs nothing.
%% A wait that ends early is cancelled, and the message that may have been
%% under way is taken out of the mailbox: none is ever left behind.
%%
%% This module stands for the native library, and so is the one that is never
%% loaded anew. That is why the waits are here: who waits in a module, or is
%% to return to it, is killed when that is loaded twice. All other modules
%% make their way to a wait by tail calls, and hand over data, not funs; what
%% they have to do after it they have done by {@link then/2}.
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
-export([start_connect/2]).

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

%% Waits.
-export([recv_wait/2]).
-export([recv_batch_wait/3]).
-export([send_wait/3]).
-export([send_wait/4]).
-export([connect_wait/3]).
-export([close_wait/1]).
-export([closings_wait/0]).
-export([then/2]).

%% Time.
-export([deadline/1]).
-export([remaining/1]).

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
%% Monotonic time in milliseconds.
-type deadline() :: infinity | integer().
-type call() :: {module(), Function :: atom(), Args :: [term()]}.

-export_type([ref/0, wait_ref/0, family/0, address/0, error/0, deadline/0]).

-define(MAX_IO_THREADS, 64).
%% More data in one message keeps a scheduler longer than it should.
-define(LARGE, 32768).
%% Addresses that take no scheduler too long: 30 microseconds each.
-define(FEW, 16).
%% How often a sender tries in vain before it makes a pause, and the longest one
%% in milliseconds.
-define(BELIEVED, 8).
-define(MAX_PAUSE, 20).
%% The longest time that `receive ... after' takes.
-define(MAX_AFTER, 16#ffffffff).

-define(TAG, '$gen_sctp_nif').
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

%% With a time: so many milliseconds, at most, are to be waited for the message.
%% After the message, or cancel/2 after that time, the call is to be made again.
-spec close(ref(), wait_ref()) -> ok | wait | {wait, pos_integer()}.
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

%% One or the other: an association is started; its id.
-spec start_connect(ref(), [address(), ...]) -> {ok, non_neg_integer()} | error().
start_connect(Ref, Addrs) ->
    start_connect(Ref, Addrs, undefined).

start_connect(Ref, Addrs, WaitRef) when length(Addrs) =< ?FEW -> connect(Ref, Addrs, WaitRef);
start_connect(Ref, Addrs, WaitRef) -> connect_many(Ref, Addrs, WaitRef).

%% Traffic.

%% `wait': the message of the wait has the answer. `more', to who polls: there is
%% more of a message than one call reads; to be called again.
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

%% Waits.

%% @doc One message or event, or `{error, timeout}' after Timeout milliseconds.
-spec recv_wait(ref(), timeout()) ->
    {ok, gen_sctp_nif:message()} | {error, gen_sctp_nif:recv_error()}.
recv_wait(Ref, Timeout) ->
    read_wait(Ref, one, Timeout).

%% @doc The same for what there is, at most so many.
-spec recv_batch_wait(ref(), pos_integer(), timeout()) ->
    {ok, [gen_sctp_nif:message(), ...]} | error() | {error, timeout}.
recv_batch_wait(Ref, Most, Timeout) ->
    read_wait(Ref, Most, Timeout).

read_wait(Ref, Most, 0) ->
    poll(Ref, Most);
read_wait(Ref, Most, Timeout) ->
    WaitRef = make_ref(),
    case read(Ref, Most, WaitRef) of
        wait ->
            case answer(Ref, WaitRef, deadline(Timeout)) of
                {error, timeout} -> last_look(Ref, Most);
                Result -> Result
            end;
        Result ->
            Result
    end.

%% What is there by the deadline has not come too late, even if the I/O thread
%% has not got to it. Others may have come in between: a receiver, an owner
%% who wants the socket active.
last_look(Ref, Most) ->
    case poll(Ref, Most) of
        {error, Refused} when Refused =:= ealready; Refused =:= einval -> {error, timeout};
        Result -> Result
    end.

%% A message may be longer than what one call reads: as long as there is more
%% of it that is no reason to give up.
poll(Ref, Most) ->
    case read(Ref, Most, poll) of
        more -> poll(Ref, Most);
        Result -> Result
    end.

read(Ref, one, WaitRef) -> recv(Ref, WaitRef);
read(Ref, Most, WaitRef) -> recv_batch(Ref, WaitRef, Most).

%% @doc Sends a message, when the socket's buffer has room.
%%
%% There is no send timeout in gen_sctp; a dying association or a closed socket
%% ends the wait with an error.
-spec send_wait(ref(), #sctp_sndrcvinfo{}, binary()) -> ok | error().
send_wait(Ref, #sctp_sndrcvinfo{assoc_id = AssocId} = Info, Data) ->
    case send_now(Ref, Info, Data) of
        wait -> writable_wait(Ref, AssocId, {info, Info, Data}, 0);
        Result -> Result
    end.

-spec send_wait(ref(), integer(), integer(), binary()) -> ok | error().
send_wait(Ref, AssocId, Stream, Data) ->
    case send_now(Ref, AssocId, Stream, Data) of
        wait -> writable_wait(Ref, AssocId, {stream, Stream, Data}, 0);
        Result -> Result
    end.

%% Writable is a hint: another sender can be quicker, or the kernel have no
%% memory, then we wait again.
writable_wait(Ref, AssocId, Message, InVain) ->
    WaitRef = make_ref(),
    case await_writable(Ref, AssocId, WaitRef) of
        wait ->
            receive {?TAG, WaitRef, ready} -> ok end,
            case send_again(Ref, AssocId, Message) of
                wait -> pause(InVain), writable_wait(Ref, AssocId, Message, InVain + 1);
                Result -> Result
            end;
        {error, _} = Error ->
            Error
    end.

send_again(Ref, _AssocId, {info, Info, Data}) -> send_now(Ref, Info, Data);
send_again(Ref, AssocId, {stream, Stream, Data}) -> send_now(Ref, AssocId, Stream, Data).

send_now(Ref, Info, Data) when byte_size(Data) =< ?LARGE -> send(Ref, Info, Data);
send_now(Ref, Info, Data) -> send_large(Ref, Info, Data).

send_now(Ref, AssocId, Stream, Data) when byte_size(Data) =< ?LARGE ->
    send(Ref, AssocId, Stream, Data);
send_now(Ref, AssocId, Stream, Data) ->
    send_large(Ref, AssocId, Stream, Data).

%% Epoll knows nothing of SCTP's memory (net.sctp.sctp_mem): without any it
%% calls a socket writable all the time, and who believes it is all the time
%% busy.
pause(InVain) when InVain < ?BELIEVED -> ok;
pause(InVain) -> receive after min(InVain - ?BELIEVED + 1, ?MAX_PAUSE) -> ok end.

%% @doc Connect and wait for the association that this call has started.
-spec connect_wait(ref(), [address(), ...], deadline()) ->
    {ok, #sctp_assoc_change{}} | {error, #sctp_assoc_change{} | inet:posix() | closed | timeout}.
connect_wait(Ref, Addrs, Deadline) ->
    WaitRef = make_ref(),
    case start_connect(Ref, Addrs, WaitRef) of
        wait -> answer(Ref, WaitRef, Deadline);
        Result -> Result
    end.

%% @doc Close, and wait until the kernel has let go of addresses and port, with
%% a lingering time not for longer than that.
-spec close_wait(ref()) -> ok.
close_wait(Ref) ->
    WaitRef = make_ref(),
    case close(Ref, WaitRef) of
        {wait, Time} -> linger(Ref, WaitRef, deadline(Time));
        wait -> receive {?TAG, WaitRef, ready} -> ok end;
        ok -> ok
    end.

linger(Ref, WaitRef, Deadline) ->
    receive
        {?TAG, WaitRef, ready} -> close(Ref, WaitRef)
    after remaining(Deadline) ->
        case remaining(Deadline) of
            0 -> stop_lingering(Ref, WaitRef);
            _ -> linger(Ref, WaitRef, Deadline)
        end
    end.

stop_lingering(Ref, WaitRef) ->
    case cancel(Ref, WaitRef) of
        ok -> close(Ref, WaitRef);
        %% The last association has just ended: the message follows the close.
        sent -> linger(Ref, WaitRef, infinity)
    end.

%% @doc Has the sockets of dead processes closed, and waits until all that are
%% about to be closed are.
-spec closings_wait() -> ok.
closings_wait() ->
    WaitRef = make_ref(),
    wait = await_closings(WaitRef),
    receive {?TAG, WaitRef, ready} -> ok end.

%% @doc Makes a call that may wait, and then the next one, whose first argument
%% is the result. What is left on the stack meanwhile is of this module.
%%
%% The next one is that of the code that is there by then: its name and
%% arguments are to stay what they are from one release to another.
-spec then(call(), call()) -> term().
then({Module, Function, Args}, {NextModule, NextFunction, NextArgs}) ->
    Result = apply(Module, Function, Args),
    apply(NextModule, NextFunction, [Result | NextArgs]).

%% The answer to a call that was told to wait.
answer(Ref, WaitRef, Deadline) ->
    receive
        {?TAG, WaitRef, Answer} -> Answer
    after remaining(Deadline) ->
        %% Or the wait was only cut short by MAX_AFTER.
        case remaining(Deadline) of
            0 -> timed_out(Ref, WaitRef);
            _ -> answer(Ref, WaitRef, Deadline)
        end
    end.

%% A result that was sent just before we gave up has used up its event: it must
%% be told, nobody else will see it.
timed_out(Ref, WaitRef) ->
    case cancel(Ref, WaitRef) of
        ok ->
            {error, timeout};
        sent ->
            receive
                {?TAG, WaitRef, Result} -> Result
            after 0 ->
                {error, timeout}
            end
    end.

%% Time.

%% @doc The monotonic time in milliseconds at which Timeout will be over.
%% Raises `badarg' for what no timer of the VM takes.
-spec deadline(term()) -> deadline().
deadline(infinity) ->
    infinity;
deadline(Timeout) when is_integer(Timeout), Timeout >= 0 ->
    Deadline = erlang:monotonic_time(millisecond) + Timeout,
    End = erlang:convert_time_unit(erlang:system_info(end_time), native, millisecond),
    case Deadline =< End of
        true -> Deadline;
        false -> error(badarg, [Timeout])
    end;
deadline(Timeout) ->
    error(badarg, [Timeout]).

%% @doc Milliseconds until Deadline, in the range of `receive ... after'.
-spec remaining(deadline()) -> timeout().
remaining(infinity) ->
    infinity;
remaining(Deadline) ->
    min(max(Deadline - erlang:monotonic_time(millisecond), 0), ?MAX_AFTER).
