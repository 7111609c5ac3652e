%% @private
%% @doc Many messages to one association: cut into portions that keep no
%% scheduler for long.
-module(gen_sctp_nif_batch).

-export([send/5]).

%% What comes after a wait.
-export([sent/5]).

-include("inet_sctp.hrl").

%% What one native call takes, messages and bytes: to make binaries of more
%% would be in vain.
-define(MESSAGES, 32).
-define(BYTES, 16384).

-type message() :: {integer() | #sctp_sndrcvinfo{} | [tuple()], iodata()}.
%% `nowait' becomes `nowait_sent' with the first message that is sent.
-type patience() :: gen_sctp_nif_prim:patience() | nowait | nowait_sent.
-type answer() ::
    ok
    | {select, gen_sctp_nif_select:info() | {gen_sctp_nif_select:info(), [message()]}}
    | {error, {inet:posix() | closed | timeout, [message()]}}.

%% @doc See {@link gen_sctp_nif:send_batch/4}.
-spec send(gen_sctp_nif:sctp_socket(), gen_sctp_nif_prim:ref(), integer() | undefined,
    [message()], patience()) -> answer().
send(_S, _Ref, _AssocId, [], _Patience) ->
    ok;
send(S, Ref, AssocId, Messages, Patience) ->
    case gen_sctp_nif_prim:send_batch(Ref, AssocId, portion(Messages)) of
        0 -> single(S, Ref, AssocId, Messages, Patience);
        Sent when is_integer(Sent) ->
            send(S, Ref, AssocId, drop(Sent, Messages), some_sent(Patience));
        {error, Reason} -> {error, {Reason, Messages}}
    end.

some_sent(nowait) -> nowait_sent;
some_sent(Patience) -> Patience.

%% The list may end in something else than a list.
drop(0, Messages) -> Messages;
drop(N, [_ | Messages]) -> drop(N - 1, Messages).

%% The message that did not go along: it waits, or tells what is wrong.
single(_S, _Ref, _AssocId, [], _Patience) ->
    ok;
single(S, Ref, AssocId, [Message | _] = Messages, Patience) ->
    case {outgoing(Message), Patience} of
        {error, _} ->
            sent({gen_sctp_nif_send:refused(Ref), Patience}, S, Ref, AssocId, Messages);
        {Outgoing, Nowait} when Nowait =:= nowait; Nowait =:= nowait_sent ->
            Result = gen_sctp_nif_select:send(S, Ref, AssocId, Outgoing),
            sent({Result, Nowait}, S, Ref, AssocId, Messages);
        {Outgoing, _} ->
            Send = [Ref, AssocId, Outgoing, Patience],
            gen_sctp_nif_prim:then({gen_sctp_nif_prim, send_message_wait, Send},
                {?MODULE, sent, [S, Ref, AssocId, Messages]})
    end;
single(_S, _Ref, _AssocId, Messages, _Patience) ->
    {error, {einval, Messages}}.

-spec sent({ok | {select, gen_sctp_nif_select:info()} | {error, inet:posix() | closed | timeout},
    patience()}, gen_sctp_nif:sctp_socket(), gen_sctp_nif_prim:ref(), integer() | undefined,
    [message(), ...]) -> answer().
sent({ok, Patience}, S, Ref, AssocId, [_ | Rest]) ->
    send(S, Ref, AssocId, Rest, some_sent(Patience));
sent({{select, Info}, nowait}, _S, _Ref, _AssocId, _Messages) ->
    {select, Info};
sent({{select, Info}, nowait_sent}, _S, _Ref, _AssocId, Rest) ->
    {select, {Info, Rest}};
sent({{error, Reason}, _Patience}, _S, _Ref, _AssocId, Messages) ->
    {error, {Reason, Messages}}.

outgoing({How, Data}) ->
    try iolist_to_binary(Data) of
        Bin when is_integer(How) -> {stream, How, Bin};
        Bin when is_record(How, sctp_sndrcvinfo) -> {info, How, Bin};
        Bin when is_list(How) -> {vector, undefined, How, Bin};
        _ -> error
    catch
        error:badarg -> error
    end;
outgoing(_Message) ->
    error.

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
