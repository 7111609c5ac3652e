%% @private
%% @doc Waiting: the only `receive's in the calling process.
%%
%% Every wait has a reference of its own. It is made in the function that
%% leads straight to the `receive', so that the VM skips all messages that
%% were in the mailbox before: the length of the caller's queue costs nothing.
%% Deadlines are in monotonic milliseconds. A wait that ends early is
%% cancelled, and the message that may have been under way is taken out of the
%% mailbox: none is ever left behind.
-module(gen_sctp_nif_wait).

-export([recv/2]).
-export([recv_batch/3]).
-export([send/3]).
-export([connect/3]).
-export([start_connect/3]).
-export([close/1]).
-export([again_after_closings/1]).

-export([deadline/1]).
-export([remaining/1]).

-export([take_messages/1]).

-include("inet_sctp.hrl").

-define(TAG, '$gen_sctp_nif').
%% The longest time that `receive ... after' takes.
-define(MAX_AFTER, 16#ffffffff).
%% How often a sender tries in vain before it makes a pause, and the longest one
%% in milliseconds.
-define(BELIEVED, 8).
-define(MAX_PAUSE, 20).

%% Addresses that take no scheduler too long: 30 microseconds each.
-define(FEW, 16).

-type deadline() :: infinity | integer().

-export_type([deadline/0]).

%% Receive.

%% @doc One message or event, or `{error, timeout}' after Timeout milliseconds.
-spec recv(gen_sctp_nif_prim:ref(), timeout()) ->
    {ok, gen_sctp_nif:message()} | {error, gen_sctp_nif:recv_error()}.
recv(Ref, Timeout) ->
    recv_wait(Ref, one, Timeout).

%% @doc The same for what there is, at most so many.
-spec recv_batch(gen_sctp_nif_prim:ref(), pos_integer(), timeout()) ->
    {ok, [gen_sctp_nif:message(), ...]} | gen_sctp_nif_prim:error() | {error, timeout}.
recv_batch(Ref, Most, Timeout) ->
    recv_wait(Ref, Most, Timeout).

recv_wait(Ref, Most, 0) ->
    read(Ref, Most, poll);
recv_wait(Ref, Most, Timeout) ->
    WaitRef = make_ref(),
    case read(Ref, Most, WaitRef) of
        wait -> recv_wait(Ref, Most, WaitRef, deadline(Timeout));
        Result -> Result
    end.

%% A message may be longer than what one call reads: as long as there is more
%% of it nobody waits.
read(Ref, Most, WaitRef) ->
    case read_once(Ref, Most, WaitRef) of
        more -> read(Ref, Most, WaitRef);
        Result -> Result
    end.

read_once(Ref, one, WaitRef) -> gen_sctp_nif_prim:recv(Ref, WaitRef);
read_once(Ref, Most, WaitRef) -> gen_sctp_nif_prim:recv_batch(Ref, WaitRef, Most).

%% The same reference all the way: it keeps our place, other receivers are
%% refused meanwhile. What is not read by the deadline stays in the socket for
%% the next receive.
recv_wait(Ref, Most, WaitRef, Deadline) ->
    receive
        {?TAG, WaitRef, ready} ->
            case read(Ref, Most, WaitRef) of
                wait -> recv_wait(Ref, Most, WaitRef, Deadline);
                Result -> Result
            end
    after remaining(Deadline) ->
        case is_over(Deadline) of
            true ->
                _ = cancel(Ref, WaitRef),
                {error, timeout};
            false ->
                recv_wait(Ref, Most, WaitRef, Deadline)
        end
    end.

%% Send.

%% @doc Send when the socket's buffer has room again.
%%
%% Writable is a hint: another sender can be quicker, or the kernel have no
%% memory, then we wait again. There is no send timeout in gen_sctp; a dying
%% association or a closed socket ends the wait with an error.
-spec send(gen_sctp_nif_prim:ref(), integer() | undefined, Send) ->
    ok | gen_sctp_nif_prim:error() when
    Send :: fun(() -> ok | gen_sctp_nif_prim:error() | wait).
send(Ref, AssocId, Send) ->
    send(Ref, AssocId, Send, 0).

send(Ref, AssocId, Send, InVain) ->
    WaitRef = make_ref(),
    case gen_sctp_nif_prim:await_writable(Ref, AssocId, WaitRef) of
        wait ->
            receive {?TAG, WaitRef, ready} -> ok end,
            case Send() of
                wait -> pause(InVain), send(Ref, AssocId, Send, InVain + 1);
                Result -> Result
            end;
        {error, _} = Error ->
            Error
    end.

%% Epoll knows nothing of SCTP's memory (net.sctp.sctp_mem): without any it
%% calls a socket writable all the time, and who believes it is all the time
%% busy.
pause(InVain) when InVain < ?BELIEVED -> ok;
pause(InVain) -> receive after min(InVain - ?BELIEVED + 1, ?MAX_PAUSE) -> ok end.

%% Connect.

%% @doc Connect and wait for the association that this call has started.
-spec connect(gen_sctp_nif_prim:ref(), [gen_sctp_nif_prim:address(), ...], deadline()) ->
    {ok, #sctp_assoc_change{}} | {error, #sctp_assoc_change{} | inet:posix() | closed | timeout}.
connect(Ref, Addrs, Deadline) ->
    WaitRef = make_ref(),
    case start_connect(Ref, Addrs, WaitRef) of
        wait -> connect_wait(Ref, WaitRef, Deadline);
        Result -> Result
    end.

%% @doc Starts an association; many addresses take long.
-spec start_connect(gen_sctp_nif_prim:ref(), [gen_sctp_nif_prim:address(), ...],
    undefined | gen_sctp_nif_prim:wait_ref()) ->
    {ok, non_neg_integer() | #sctp_assoc_change{}}
    | {error, #sctp_assoc_change{}} | gen_sctp_nif_prim:error() | wait.
start_connect(Ref, Addrs, WaitRef) when length(Addrs) =< ?FEW ->
    gen_sctp_nif_prim:connect(Ref, Addrs, WaitRef);
start_connect(Ref, Addrs, WaitRef) ->
    gen_sctp_nif_prim:connect_many(Ref, Addrs, WaitRef).

connect_wait(Ref, WaitRef, Deadline) ->
    receive
        {?TAG, WaitRef, Result} -> Result
    after remaining(Deadline) ->
        case is_over(Deadline) of
            true ->
                %% A result that is already here has used up its event: it
                %% must be told, nobody else will see it.
                case cancel(Ref, WaitRef) of
                    {message, Result} -> Result;
                    none -> {error, timeout}
                end;
            false ->
                connect_wait(Ref, WaitRef, Deadline)
        end
    end.

%% Close.

%% @doc Close, and wait until the kernel has let go of addresses and port.
-spec close(gen_sctp_nif_prim:ref()) -> ok.
close(Ref) ->
    WaitRef = make_ref(),
    case gen_sctp_nif_prim:close(Ref, WaitRef) of
        wait -> receive {?TAG, WaitRef, ready} -> ok end;
        ok -> ok
    end.

%% @doc Try again, once, what may have failed only because the kernel has yet to
%% let go of a port that a process which has died had.
-spec again_after_closings(fun(() -> Result)) -> Result.
again_after_closings(Try) ->
    WaitRef = make_ref(),
    wait = gen_sctp_nif_prim:await_closings(WaitRef),
    receive {?TAG, WaitRef, ready} -> ok end,
    Try().

%% Give up a wait; answers the message that was sent just before that.
cancel(Ref, WaitRef) ->
    case gen_sctp_nif_prim:cancel(Ref, WaitRef) of
        ok ->
            none;
        sent ->
            receive
                {?TAG, WaitRef, Message} -> {message, Message}
            after 0 ->
                none
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

%% False when the wait was only cut short by MAX_AFTER.
is_over(Deadline) ->
    remaining(Deadline) =:= 0.

%% Mailbox.

%% @doc Take all messages of a socket out of the mailbox, oldest first.
-spec take_messages(gen_sctp_nif:sctp_socket()) -> [tuple()].
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
