%% @private
%% @doc Many messages to one association: cut into portions that keep no
%% scheduler for long.
-module(gen_sctp_nif_batch).

-export([send/4]).

-include("inet_sctp.hrl").

%% What one native call takes, messages and bytes. A message that is larger
%% than that gains nothing from company.
-define(MESSAGES, 24).
-define(BYTES, 32768).

-type message() :: {integer() | #sctp_sndrcvinfo{}, iodata()}.

%% @doc See {@link gen_sctp_nif:send_batch/3}.
-spec send(gen_sctp_nif:sctp_socket(), gen_sctp_nif_prim:ref(), integer(), [message()]) ->
    ok | {error, {inet:posix() | closed, [message()]}}.
send(_S, _Ref, _AssocId, []) ->
    ok;
send(S, Ref, AssocId, Messages) ->
    Portion = portion(Messages, ?MESSAGES, ?BYTES),
    case gen_sctp_nif_prim:send_batch(Ref, AssocId, Portion) of
        Sent when is_integer(Sent) ->
            Left = drop(Sent, Messages),
            case Sent > 0 andalso Sent =:= length(Portion) of
                true -> send(S, Ref, AssocId, Left);
                false -> single(S, Ref, AssocId, Left)
            end;
        {error, Reason} ->
            {error, {Reason, Messages}}
    end.

%% The list may end in something else than a list.
drop(0, Messages) -> Messages;
drop(N, [_ | Messages]) -> drop(N - 1, Messages).

%% The message that did not go along: it waits, or tells what is wrong.
single(_S, _Ref, _AssocId, []) ->
    ok;
single(S, Ref, AssocId, [Message | Rest] = Messages) ->
    case send_one(S, AssocId, Message) of
        ok -> send(S, Ref, AssocId, Rest);
        {error, Reason} -> {error, {Reason, Messages}}
    end;
single(_S, _Ref, _AssocId, Messages) ->
    {error, {einval, Messages}}.

send_one(S, AssocId, {#sctp_sndrcvinfo{} = Info, Data}) ->
    gen_sctp_nif:send(S, Info#sctp_sndrcvinfo{assoc_id = AssocId}, Data);
send_one(S, AssocId, {Stream, Data}) when is_integer(Stream) ->
    gen_sctp_nif:send(S, AssocId, Stream, Data);
send_one(_S, _AssocId, _Message) ->
    {error, einval}.

%% The first messages, with binaries as data; ends before what is not well
%% made.
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
