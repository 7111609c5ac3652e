%% @private
%% @doc The timeout `nowait': what is there at once, or a message when it is worth
%% while to try again. In the shapes of `socket'.
%%
%% A native function that would wait is given `{Socket, SelectRef}' in place of the
%% reference of a wait, and answers `wait' likewise. Then one message comes, and no
%% more: `{'$socket', Socket, select, SelectRef}', or where there is nothing to wait
%% for any more, as the socket is closed, `{'$socket', Socket, abort, {SelectRef, Reason}}'.
-module(gen_sctp_nif_select).

-export([recv/3]).
-export([accept/2]).
-export([send/4]).
-export([cancel/3]).

-type info() :: {select_info, Op :: atom(), reference()}.

-export_type([info/0]).

%% @doc A message, or several.
-spec recv(gen_sctp_nif:sctp_socket(), gen_sctp_nif_prim:ref(), one | pos_integer()) ->
    {ok, gen_sctp_nif:message() | [gen_sctp_nif:message(), ...]}
    | {select, info()}
    | {error, gen_sctp_nif:recv_error()}.
recv(S, Ref, Most) ->
    SelectRef = make_ref(),
    case gen_sctp_nif_prim:read(Ref, Most, {S, SelectRef}) of
        wait -> {select, {select_info, recv, SelectRef}};
        %% A message that is longer than what one call reads.
        more -> recv(S, Ref, Most);
        Result -> Result
    end.


%% @doc An association that waits, as a socket.
-spec accept(gen_sctp_nif:sctp_socket(), gen_sctp_nif_prim:ref()) ->
    {ok, gen_sctp_nif:sctp_socket()}
    | {select, info()}
    | gen_sctp_nif_prim:error() | {error, timeout}.
accept(S, Ref) ->
    SelectRef = make_ref(),
    case gen_sctp_nif_prim:accept(Ref, {S, SelectRef}) of
        wait -> {select, {select_info, accept, SelectRef}};
        Result -> Result
    end.

%% @doc Sends a message if there is room; else a message comes when there may be some.
-spec send(gen_sctp_nif:sctp_socket(), gen_sctp_nif_prim:ref(), all | integer() | undefined,
    gen_sctp_nif_prim:outgoing()) -> ok | {select, info()} | gen_sctp_nif_prim:error().
send(S, Ref, AssocId, Message) ->
    case gen_sctp_nif_prim:send_message(Ref, AssocId, Message) of
        wait -> await_room(S, Ref, AssocId);
        {wait, _} -> await_room(S, Ref, AssocId);
        Result -> Result
    end.

await_room(S, Ref, AssocId) ->
    SelectRef = make_ref(),
    case gen_sctp_nif_prim:await_writable(Ref, AssocId, {S, SelectRef}) of
        wait -> {select, {select_info, send, SelectRef}};
        {error, _} = Error -> Error
    end.

%% @doc See {@link gen_sctp_nif:cancel/2}.
-spec cancel(gen_sctp_nif:sctp_socket(), gen_sctp_nif_prim:ref(), info()) ->
    ok | {error, inet:posix() | closed | {invalid, info()}}.
cancel(S, Ref, {select_info, _Op, SelectRef} = Info) ->
    case gen_sctp_nif_prim:cancel_select(S, Ref, SelectRef) of
        ok -> ok;
        select -> ok;
        {abort, Reason} -> {error, Reason};
        none -> gone(Ref, Info)
    end.

gone(Ref, Info) ->
    case gen_sctp_nif_prim:owner(Ref) of
        {ok, _} -> {error, {invalid, Info}};
        {error, closed} = Error -> Error
    end.
