%% @private
%% @doc A message with all that can be said of it: to whom, by which path, with which records.
-module(gen_sctp_nif_sendv).

-export([recipient/1]).
-export([send/6]).

-include("inet_sctp.hrl").

%% An association or all, and the path.
-type recipient() :: {all | integer() | undefined, Path :: term()}.

-export_type([recipient/0]).

-spec recipient(term()) -> recipient() | badarg.
recipient(all) ->
    {all, undefined};
recipient({Assoc, Path}) when Assoc =/= all, is_tuple(Path) orelse is_map(Path) ->
    case recipient(Assoc) of
        {AssocId, undefined} -> {AssocId, Path};
        _ -> badarg
    end;
recipient(#sctp_assoc_change{assoc_id = AssocId}) ->
    recipient(AssocId);
recipient(AssocId) when is_integer(AssocId) ->
    {AssocId, undefined};
recipient(_) ->
    badarg.

-spec send(gen_sctp_nif:sctp_socket(), gen_sctp_nif_prim:ref(), recipient(), [tuple()],
    iodata(), gen_sctp_nif_prim:patience() | nowait) ->
    ok
    | {select, gen_sctp_nif_select:info()}
    | {error, inet:posix() | closed | timeout}.
send(S, Ref, {AssocId, Path}, Infos, Data, Patience) ->
    case gen_sctp_nif_send:flatten(Data) of
        {ok, Binary} -> send(S, Ref, AssocId, {vector, Path, Infos, Binary}, Patience);
        error -> gen_sctp_nif_send:refused(Ref)
    end.

send(S, Ref, AssocId, Message, nowait) ->
    gen_sctp_nif_select:send(S, Ref, AssocId, Message);
send(_S, Ref, AssocId, Message, Patience) ->
    gen_sctp_nif_prim:sendv_wait(Ref, AssocId, Message, Patience).
