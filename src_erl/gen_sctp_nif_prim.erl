%% @private
%% @doc The native functions of `priv/gen_sctp_nif.so', and the waits that
%% belong to them.
%%
%% No native function ever blocks: where waiting is needed the answer is
%% `wait', and a message `{'$gen_sctp_nif', WaitRef, _}' follows. What needs an
%% open socket answers `{error, closed}' for a closed one; all raise `badarg'
%% for a reference that is not a socket. What has much to do goes on on a dirty
%% scheduler by itself.
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
-export([close/2]).
-export([await_closings/1]).
-export([peeloff/2]).
-export([bind/2]).
-export([bindx/3]).
-export([listen/2]).
-export([accept/2]).
-export([shutdown/2]).
-export([connect/3]).
-export([start_connect/2]).

%% Traffic.
-export([recv/2]).
-export([recv_batch/3]).
-export([send/3]).
-export([send/4]).
-export([sendv/5]).
-export([send_batch/3]).
-export([await_writable/3]).
-export([give_up_on/2]).
-export([cancel/2]).

%% Options and names.
-export([set_active/2]).
-export([setopts/2]).
-export([grant/3]).
-export([getopts/2]).
-export([getopt/2]).
-export([check_opt/1]).
-export([option_shape/1]).
-export([getstat/2]).
-export([sockname/1]).
-export([peername/1]).
-export([socknames/2]).
-export([peernames/2]).
-export([getfd/1]).

%% Ownership and supervision.
-export([family/1]).
-export([style/1]).
-export([owner/1]).
-export([handover/2]).
-export([forward/2]).
-export([adopt/2]).
-export([monitor/1]).
-export([demonitor/1]).
-export([info/1]).
-export([sockets/0]).
-export([counters/0]).

%% What associations and their paths are like.
-export([assocs/1]).
-export([status/2]).
-export([paths/2]).
-export([assoc_stats/2]).
-export([socket_stats/1]).
-export([features/0]).

%% Waits.
-export([read/3]).
-export([recv_wait/2]).
-export([recv_batch_wait/3]).
-export([recv_data_wait/2]).
-export([send_wait/3]).
-export([send_wait/4]).
-export([send_message/3]).
-export([send_message_wait/4]).
-export([sendv_wait/4]).
-export([connect_wait/3]).
-export([accept_wait/2]).
-export([close_wait/1]).
-export([closings_wait/0]).
-export([cancel_select/3]).
-export([then/2]).

%% Time.
-export([deadline/1]).
-export([remaining/1]).

-nifs([open/3, close/2, await_closings/1, peeloff/2, bind/2, bindx/3, listen/2,
    accept/2, shutdown/2, connect/3,
    recv/2, recv_batch/3, send/3, send/4, sendv/5, send_batch/3,
    await_writable/3, give_up_on/2, cancel/2,
    set_active/2, setopts/2, grant/3, getopts/2, check_opt/1, option_shape/1, getstat/2,
    sockname/1, peername/1, socknames/2, peernames/2, getfd/1,
    family/1, style/1, owner/1, handover/2, forward/2, adopt/2, monitor/1, demonitor/1,
    info/1, sockets/0, counters/0,
    getopt/2, assocs/1, status/2, paths/2, assoc_stats/2, socket_stats/1, features/0]).

-on_load(init/0).

%% OTP 25 crashes, seldom, where a process' marks in its mailbox (see above) meet the
%% signals that monitor it for a socket: there the length of the mailbox does cost.
-if(?OTP_RELEASE < 27).
-compile(no_recv_opt).
-endif.

-include("inet_sctp.hrl").

%% The resource of one socket.
-type ref() :: reference().
%% A fresh reference that marks the messages of one wait.
-type wait_ref() :: reference().
%% The same of a caller that goes on: it gets `{'$socket', Socket, select, Ref}', or
%% `{'$socket', Socket, abort, {Ref, Reason}}', once.
-type select() :: {gen_sctp_nif:sctp_socket(), reference()}.
-type family() :: inet | inet6.
-type address() ::
    {inet:ip_address(), inet:port_number()}
    | {inet:ip6_address(), inet:port_number(),
        FlowInfo :: 0..16#ffffffff, ScopeId :: 0..16#ffffffff}.
-type error() :: {error, inet:posix() | closed}.
%% Monotonic time in milliseconds.
-type deadline() :: infinity | integer().
%% A message to an association, which the record need not name.
-type outgoing() ::
    {info, #sctp_sndrcvinfo{}, binary()}
    | {stream, integer(), binary()}
    | {vector, Path :: undefined | term(), Infos :: [tuple()], binary()}.
%% There is no room, and the caller is to wait for it; so many milliseconds, at most,
%% if it says nothing else.
-type room() :: wait | {wait, non_neg_integer()}.
%% How long a sender waits for room: until then; or as long as `send_timeout' says
%% from when it had to wait for the first time, which once it had to is until then.
-type patience() :: deadline() | option | {option, deadline()}.
-type call() :: {module(), Function :: atom(), Args :: [term()]}.

-export_type([outgoing/0, patience/0, room/0]).
-export_type([ref/0, wait_ref/0, select/0, family/0, address/0, error/0, deadline/0]).

-define(MAX_IO_THREADS, 64).
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

-spec open(family(), seqpacket | stream, undefined | binary()) -> {ok, ref()} | error().
open(_Family, _Type, _Netns) ->
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

%% `wait': the caller is called when there may be an association, and then calls
%% again with the same reference.
-spec accept(ref(), poll | wait_ref() | select()) ->
    {ok, gen_sctp_nif:sctp_socket()} | error() | {error, timeout} | wait.
accept(_Ref, _WaitRef) ->
    ?NIF.

-spec shutdown(ref(), read | write | read_write) -> ok | error().
shutdown(_Ref, _How) ->
    ?NIF.

-spec connect(ref(), [address(), ...], undefined | wait_ref()) ->
    {ok, non_neg_integer() | #sctp_assoc_change{}}
    | {error, #sctp_assoc_change{}} | error() | wait.
connect(_Ref, _Addrs, _WaitRef) ->
    ?NIF.

%% An association is started; its id.
-spec start_connect(ref(), [address(), ...]) -> {ok, non_neg_integer()} | error().
start_connect(Ref, Addrs) ->
    connect(Ref, Addrs, undefined).

%% Traffic.

%% `wait': the message of the wait has the answer. `more', to who does not wait in
%% the call: there is more of a message than one call reads; to be called again.
%% `list': with binaries, of which `listed/1' makes lists.
-spec recv(ref(), poll | wait_ref() | select()) ->
    {ok, gen_sctp_nif:message()} | {list, {ok, gen_sctp_nif:message()}}
    | {error, gen_sctp_nif:recv_error()} | wait | more.
recv(_Ref, _WaitRef) ->
    ?NIF.

%% What is there, so many at most.
-spec recv_batch(ref(), poll | wait_ref() | select(), Most :: pos_integer()) ->
    {ok, [gen_sctp_nif:message(), ...]} | {list, {ok, [gen_sctp_nif:message(), ...]}}
    | {error, inet:posix() | closed | timeout} | wait | more.
recv_batch(_Ref, _WaitRef, _Most) ->
    ?NIF.

-spec send(ref(), #sctp_sndrcvinfo{}, binary()) -> ok | error() | room().
send(_Ref, _Info, _Data) ->
    ?NIF.

%% An undefined association is 0, as in the records.
-spec send(ref(), integer() | undefined, integer(), binary()) -> ok | error() | room().
send(_Ref, _AssocId, _Stream, _Data) ->
    ?NIF.

%% By a path of the association, or to all. To `all', the answer is never `wait'.
-spec sendv(ref(), all | integer() | undefined, undefined | term(), [tuple()], binary()) ->
    ok | error() | room().
sendv(_Ref, _AssocId, _Path, _Infos, _Data) ->
    ?NIF.

%% The first messages, up to one whose data is no binary, and no more than keep
%% no scheduler for long. How many were sent; the next one is for send/3,4, which
%% waits or tells what is wrong with it.
-spec send_batch(ref(), integer() | undefined, [term()]) -> non_neg_integer() | error().
send_batch(_Ref, _AssocId, _Messages) ->
    ?NIF.

-spec await_writable(ref(), integer() | undefined, wait_ref() | select()) -> error() | wait.
await_writable(_Ref, _AssocId, _WaitRef) ->
    ?NIF.

%% After as long a wait as `send_timeout' says: what `send_timeout_close' says is to
%% follow. `close': the caller has to close the socket.
-spec give_up_on(ref(), integer() | undefined) -> ok | close | error().
give_up_on(_Ref, _AssocId) ->
    ?NIF.

%% `sent': nobody waits under this reference. If somebody did, the message is in
%% the mailbox.
-spec cancel(ref(), reference()) -> ok | sent.
cancel(_Ref, _WaitRef) ->
    ?NIF.

%% Options and names.

%% The option `active' alone.
-spec set_active(ref(), term()) -> ok | error().
set_active(_Ref, _Mode) ->
    ?NIF.

%% `limited': the process that looks after the bound is to be started first.
-spec setopts(ref(), [term()]) -> ok | limited | error().
setopts(_Ref, _Opts) ->
    ?NIF.

%% So many messages may be delivered to this owner.
-spec grant(ref(), reference(), non_neg_integer()) -> ok | {error, closed}.
grant(_Ref, _Question, _Messages) ->
    ?NIF.

-spec getopts(ref(), [term()]) -> {ok, [term()]} | error().
getopts(_Ref, _Opts) ->
    ?NIF.

%% One option; what is wrong with the request itself raises badarg.
-spec getopt(ref(), term()) -> {ok, term()} | error().
getopt(_Ref, _Opt) ->
    ?NIF.

%% Whether setopts/2 would find name and type right; touches no socket.
-spec check_opt(term()) -> boolean().
check_opt(_Opt) ->
    ?NIF.

%% What an option of the kernel takes.
-spec option_shape(atom()) -> undefined | read_only | boolean | integer | non_neg_integer | linger
    | device | chunk | {record, binary()}.
option_shape(_Name) ->
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

%% Whether it is open or not. A peeled-off socket is a stream.
-spec style(ref()) -> seqpacket | stream.
style(_Ref) ->
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

%% What associations and their paths are like.

-spec assocs(ref()) -> {ok, [gen_sctp_nif:assoc_id()]} | error().
assocs(_Ref) ->
    ?NIF.

-spec status(ref(), integer()) -> {ok, gen_sctp_nif:status()} | error().
status(_Ref, _AssocId) ->
    ?NIF.

-spec paths(ref(), integer()) -> {ok, [gen_sctp_nif:path()]} | error().
paths(_Ref, _AssocId) ->
    ?NIF.

-spec assoc_stats(ref(), integer()) -> {ok, gen_sctp_nif:assoc_stats()} | error().
assoc_stats(_Ref, _AssocId) ->
    ?NIF.

-spec socket_stats(ref()) -> {ok, gen_sctp_nif:socket_stats()} | error().
socket_stats(_Ref) ->
    ?NIF.

-spec features() -> {ok, #{atom() => boolean()}} | {error, inet:posix()}.
features() ->
    ?NIF.

%% Waits.

%% @doc One message or event, or `{error, timeout}' after Timeout milliseconds.
-spec recv_wait(ref(), timeout()) ->
    {ok, gen_sctp_nif:message()} | {error, gen_sctp_nif:recv_error()}.
recv_wait(Ref, infinity) ->
    %% As below, without what only a deadline needs.
    WaitRef = make_ref(),
    case recv(Ref, WaitRef) of
        %% The guard is true. It keeps the socket, to which the caller may have no other
        %% reference, from being collected meanwhile: nobody would end the wait.
        wait -> receive {?TAG, WaitRef, Answer} when is_reference(Ref) -> listed(Answer) end;
        Result -> listed(Result)
    end;
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
                Result -> listed(Result)
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

%% @doc One message, or so many at most, for one who waits as in `recv/2'.
-spec read(ref(), one | pos_integer(), poll | wait_ref() | select()) ->
    {ok, gen_sctp_nif:message() | [gen_sctp_nif:message(), ...]}
    | {error, gen_sctp_nif:recv_error()} | wait | more.
read(Ref, one, WaitRef) -> listed(recv(Ref, WaitRef));
read(Ref, Most, WaitRef) -> listed(recv_batch(Ref, WaitRef, Most)).

%% The mode `list' is made here, where the VM can interrupt it.
listed({list, {ok, Messages}}) when is_list(Messages) ->
    {ok, [as_list(Message) || Message <- Messages]};
listed({list, {ok, Message}}) ->
    {ok, as_list(Message)};
listed(Result) ->
    Result.

as_list({IP, Port, Anc, Data}) when is_binary(Data) -> {IP, Port, Anc, binary_to_list(Data)};
as_list(Event) -> Event.

%% @doc The next message's data. Events are left out.
-spec recv_data_wait(ref(), deadline()) -> {ok, binary() | string()} | error() | {error, timeout}.
recv_data_wait(Ref, Deadline) ->
    case recv_wait(Ref, remaining(Deadline)) of
        {ok, {_, _, _, Data}} when is_binary(Data); is_list(Data) ->
            {ok, Data};
        {error, timeout} ->
            %% Or the wait was only cut short by MAX_AFTER.
            case remaining(Deadline) of
                0 -> {error, timeout};
                _ -> recv_data_wait(Ref, Deadline)
            end;
        {error, Reason} when not is_tuple(Reason) ->
            {error, Reason};
        _Event ->
            recv_data_wait(Ref, Deadline)
    end.

%% @doc Sends a message, when the socket's buffer has room.
%%
%% Waits no longer than the option `send_timeout' says; a dying association or a
%% closed socket ends the wait with an error.
-spec send_wait(ref(), #sctp_sndrcvinfo{}, binary()) -> ok | error() | {error, timeout}.
send_wait(Ref, #sctp_sndrcvinfo{assoc_id = AssocId} = Info, Data) ->
    case send(Ref, Info, Data) of
        wait -> room_wait(Ref, AssocId, {info, Info, Data}, infinity);
        {wait, Time} -> room_wait(Ref, AssocId, {info, Info, Data}, {option, deadline(Time)});
        Result -> Result
    end.

-spec send_wait(ref(), integer(), integer(), binary()) -> ok | error() | {error, timeout}.
send_wait(Ref, AssocId, Stream, Data) ->
    case send(Ref, AssocId, Stream, Data) of
        wait -> room_wait(Ref, AssocId, {stream, Stream, Data}, infinity);
        {wait, Time} -> room_wait(Ref, AssocId, {stream, Stream, Data}, {option, deadline(Time)});
        Result -> Result
    end.

%% @doc Sends a message, and does not wait.
-spec send_message(ref(), all | integer() | undefined, outgoing()) -> ok | error() | room().
send_message(Ref, AssocId, {info, Info, Data}) ->
    send(Ref, Info#sctp_sndrcvinfo{assoc_id = AssocId}, Data);
send_message(Ref, AssocId, {stream, Stream, Data}) ->
    send(Ref, AssocId, Stream, Data);
send_message(Ref, AssocId, {vector, Path, Infos, Data}) ->
    sendv(Ref, AssocId, Path, Infos, Data).

%% @doc Sends a message, for which there is room within that time.
-spec sendv_wait(ref(), all | integer() | undefined, outgoing(), patience()) ->
    ok | error() | {error, timeout}.
sendv_wait(Ref, AssocId, Message, Patience) ->
    {Result, _} = send_message_wait(Ref, AssocId, Message, Patience),
    Result.

%% @doc Sends one message of several, which all together are waited for as long as
%% the patience says. What is left of that is for the next one.
-spec send_message_wait(ref(), all | integer() | undefined, outgoing(), patience()) ->
    {ok | error() | {error, timeout}, patience()}.
send_message_wait(Ref, AssocId, Message, Patience) ->
    case send_message(Ref, AssocId, Message) of
        wait ->
            Left = patience(infinity, Patience),
            {room_wait(Ref, AssocId, Message, Left), Left};
        {wait, Time} ->
            Left = patience(Time, Patience),
            {room_wait(Ref, AssocId, Message, Left), Left};
        Result ->
            {Result, Patience}
    end.

patience(Time, option) -> {option, deadline(Time)};
patience(_Time, Patience) -> Patience.

room_wait(Ref, AssocId, Message, Patience) ->
    room_wait(Ref, AssocId, Message, Patience, 0).

%% That there is room is a hint: another sender can be quicker, or the kernel have
%% no memory, then we wait again.
room_wait(Ref, AssocId, Message, Patience, InVain) ->
    case is_over(Patience) of
        true ->
            give_up(Ref, AssocId, Patience);
        false ->
            WaitRef = make_ref(),
            case await_writable(Ref, AssocId, WaitRef) of
                wait -> room(Ref, WaitRef, AssocId, Message, Patience, InVain);
                {error, _} = Error -> Error
            end
    end.

%% Whatever ends the wait, it is worth a try: the message of the wait may have been
%% under way when the time was over. A fault of the library shows then, too.
room(Ref, WaitRef, AssocId, Message, Patience, InVain) ->
    receive
        {?TAG, WaitRef, _} -> try_again(Ref, AssocId, Message, Patience, InVain)
    after time(Patience) ->
        case is_over(Patience) of
            true ->
                _ = timed_out(Ref, WaitRef),
                try_again(Ref, AssocId, Message, Patience, InVain);
            %% The wait was only cut short by MAX_AFTER.
            false ->
                room(Ref, WaitRef, AssocId, Message, Patience, InVain)
        end
    end.

try_again(Ref, AssocId, Message, Patience, InVain) ->
    case send_message(Ref, AssocId, Message) of
        wait -> again(Ref, AssocId, Message, Patience, InVain);
        {wait, _} -> again(Ref, AssocId, Message, Patience, InVain);
        Result -> Result
    end.

again(Ref, AssocId, Message, Patience, InVain) ->
    pause(InVain, time(Patience)),
    room_wait(Ref, AssocId, Message, Patience, InVain + 1).

time({option, Deadline}) -> remaining(Deadline);
time(Deadline) -> remaining(Deadline).

is_over(Patience) -> time(Patience) =:= 0.

%% The message was not sent, and is never sent in part.
give_up(Ref, AssocId, {option, _}) ->
    case give_up_on(Ref, AssocId) of
        ok ->
            {error, timeout};
        close ->
            ok = close_wait(Ref),
            {error, timeout};
        {error, _} = Error ->
            Error
    end;
give_up(_Ref, _AssocId, _Deadline) ->
    {error, timeout}.

%% Epoll knows nothing of SCTP's memory (net.sctp.sctp_mem): without any it
%% calls a socket writable all the time, and who believes it is all the time
%% busy.
pause(InVain, _Left) when InVain < ?BELIEVED -> ok;
pause(InVain, Left) -> receive after min(Left, min(InVain - ?BELIEVED + 1, ?MAX_PAUSE)) -> ok end.

%% @doc Connect and wait for the association that this call has started.
-spec connect_wait(ref(), [address(), ...], deadline()) ->
    {ok, #sctp_assoc_change{}} | {error, #sctp_assoc_change{} | inet:posix() | closed | timeout}.
connect_wait(Ref, Addrs, Deadline) ->
    WaitRef = make_ref(),
    case connect(Ref, Addrs, WaitRef) of
        wait -> answer(Ref, WaitRef, Deadline);
        Result -> Result
    end.

%% @doc The next association of a listening socket, as a socket of the caller's.
-spec accept_wait(ref(), timeout()) ->
    {ok, gen_sctp_nif:sctp_socket()} | error() | {error, timeout}.
accept_wait(Ref, 0) ->
    accept(Ref, poll);
accept_wait(Ref, Timeout) ->
    WaitRef = make_ref(),
    case accept(Ref, WaitRef) of
        wait -> accept_when_called(Ref, WaitRef, deadline(Timeout));
        Result -> Result
    end.

%% Who is called may find that somebody was quicker, and then is the next one to
%% be called.
accept_when_called(Ref, WaitRef, Deadline) ->
    receive
        {?TAG, WaitRef, ready} ->
            case accept(Ref, WaitRef) of
                wait -> accept_when_called(Ref, WaitRef, Deadline);
                Result -> Result
            end;
        {?TAG, WaitRef, Error} ->
            Error
    after remaining(Deadline) ->
        case remaining(Deadline) of
            0 -> give_up_accept(Ref, WaitRef);
            _ -> accept_when_called(Ref, WaitRef, Deadline)
        end
    end.

%% What is there by the deadline has not come too late.
give_up_accept(Ref, WaitRef) ->
    case cancel(Ref, WaitRef) of
        ok ->
            accept(Ref, poll);
        sent ->
            receive
                {?TAG, WaitRef, ready} -> accept(Ref, poll);
                {?TAG, WaitRef, Error} -> Error
            after 0 ->
                {error, closed}
            end
    end.

%% @doc Close, and wait until the kernel has let go of addresses and port, with
%% a lingering time not for longer than that.
-spec close_wait(ref()) -> ok.
close_wait(Ref) ->
    WaitRef = make_ref(),
    case close(Ref, WaitRef) of
        {wait, Time} -> linger(Ref, WaitRef, deadline(Time));
        wait -> receive {?TAG, WaitRef, _} -> ok end;
        ok -> ok
    end.

linger(Ref, WaitRef, Deadline) ->
    receive
        {?TAG, WaitRef, _} -> close(Ref, WaitRef)
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
    receive {?TAG, WaitRef, _} -> ok end.

%% @doc Takes a select back. Whatever has been sent for it is taken out of the
%% caller's mailbox: `select', or the reason of an abort. `none': nothing was there.
-spec cancel_select(gen_sctp_nif:sctp_socket(), ref(), reference()) ->
    ok | select | {abort, inet:posix() | closed} | none.
cancel_select(S, Ref, SelectRef) ->
    case cancel(Ref, SelectRef) of
        ok ->
            ok;
        sent ->
            receive
                {'$socket', S, select, SelectRef} -> select;
                {'$socket', S, abort, {SelectRef, Reason}} -> {abort, Reason}
            after 0 ->
                none
            end
    end.

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
