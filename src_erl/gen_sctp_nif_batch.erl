%% @private
%% @doc Many messages to one association: cut into portions that keep no
%% scheduler for long.
-module(gen_sctp_nif_batch).

-export([send/4]).

%% What single/4 does, and what comes after that.
-export([send_one/3]).
-export([sent/5]).

-include("inet_sctp.hrl").

%% What one native call takes, messages and bytes: to make binaries of more
%% would be in vain.
-define(MESSAGES, 32).
-define(BYTES, 16384).

-type message() :: {integer() | #sctp_sndrcvinfo{}, iodata()}.

%% @doc See {@link gen_sctp_nif:send_batch/3}.
-spec send(gen_sctp_nif:sctp_socket(), gen_sctp_nif_prim:ref(), integer() | undefined,
    [message()]) ->
    ok | {error, {inet:posix() | closed, [message()]}}.
send(_S, _Ref, _AssocId, []) ->
    ok;
send(S, Ref, AssocId, Messages) ->
    case gen_sctp_nif_prim:send_batch(Ref, AssocId, portion(Messages)) of
        0 -> single(S, Ref, AssocId, Messages);
        Sent when is_integer(Sent) -> send(S, Ref, AssocId, drop(Sent, Messages));
        {error, Reason} -> {error, {Reason, Messages}}
    end.

%% The list may end in something else than a list.
drop(0, Messages) -> Messages;
drop(N, [_ | Messages]) -> drop(N - 1, Messages).

%% The message that did not go along: it waits, or tells what is wrong.
single(_S, _Ref, _AssocId, []) ->
    ok;
single(S, Ref, AssocId, [Message | _] = Messages) ->
    gen_sctp_nif_prim:then({?MODULE, send_one, [S, AssocId, Message]},
        {?MODULE, sent, [S, Ref, AssocId, Messages]});
single(_S, _Ref, _AssocId, Messages) ->
    {error, {einval, Messages}}.

-spec sent(ok | {error, inet:posix() | closed}, gen_sctp_nif:sctp_socket(),
    gen_sctp_nif_prim:ref(), integer(), [message(), ...]) ->
    ok | {error, {inet:posix() | closed, [message()]}}.
sent(ok, S, Ref, AssocId, [_ | Rest]) -> send(S, Ref, AssocId, Rest);
sent({error, Reason}, _S, _Ref, _AssocId, Messages) -> {error, {Reason, Messages}}.

-spec send_one(gen_sctp_nif:sctp_socket(), integer(), message()) ->
    ok | {error, inet:posix() | closed}.
send_one(S, AssocId, {#sctp_sndrcvinfo{} = Info, Data}) ->
    gen_sctp_nif:send(S, Info#sctp_sndrcvinfo{assoc_id = AssocId}, Data);
send_one(S, AssocId, {Stream, Data}) when is_integer(Stream) ->
    gen_sctp_nif:send(S, #sctp_assoc_change{assoc_id = AssocId}, Stream, Data);
send_one(_S, _AssocId, _Message) ->
    {error, einval}.

%% What the native call takes of it: messages up to the first one whose data
%% is no binary. If that is the first of all, some with binaries as data; ends
%% before what is not well made.
portion([{_, Data} | _] = Messages) when is_list(Data) ->
    portion(Messages, ?MESSAGES, ?BYTES);
portion(Messages) ->
    Messages.

portion([{How, Data} | Messages], Count, Bytes) when Count > 0 ->
    try iolist_to_binary(Data) of
        Bin when byte_size(Bin) =< Bytes ->
            [{How, Bin} | portion(Messages, Count - 1, Bytes - byte_size(Bin))];
        _ ->
            []
    catch
        error:badarg -> []
    end;
portion(_, _, _) ->
    [].
