%% @private
%% @doc Makes a socket: create, set the options, bind, add further addresses.
%% Whatever fails on the way closes it again.
-module(gen_sctp_nif_open).

-export([open/1]).
-export([open_after_closings/1]).
-export([peeloff/2]).
-export([bindx/3]).
-export([listen/2]).

%% What comes after a wait.
-export([again/2]).
-export([open_again/2]).
-export([closed/2]).

-define(SOCKET(Ref), {'$inet', gen_sctp_nif, Ref}).

%% @doc Options are set before the socket is bound, as some are refused later.
%% `badarg' is for the caller to raise.
-spec open([term()]) ->
    {ok, gen_sctp_nif:sctp_socket()} | {error, badarg | inet:posix() | closed}.
open(Opts) ->
    open(Opts, first).

open(Opts, Attempt) ->
    case gen_sctp_nif_opts:family(Opts) of
        {ok, Family, Rest} ->
            case open(Family, Rest, Attempt) of
                {ok, Ref} -> {ok, ?SOCKET(Ref)};
                {error, einval} -> {error, badarg};
                {error, _} = Error -> Error
            end;
        {error, badarg} = Error ->
            Error
    end.

%% @doc Opens what may have been refused only because the kernel has yet to let
%% go of a port that a process which has died had.
-spec open_after_closings([term()]) ->
    {ok, gen_sctp_nif:sctp_socket()} | {error, inet:posix() | closed}.
open_after_closings(Opts) ->
    gen_sctp_nif_prim:then({gen_sctp_nif_prim, closings_wait, []}, {?MODULE, open_again, [Opts]}).

-spec open_again(ok, [term()]) ->
    {ok, gen_sctp_nif:sctp_socket()} | {error, inet:posix() | closed}.
open_again(ok, Opts) ->
    case open(Opts, last) of
        {error, badarg} -> error(badarg);
        Result -> Result
    end.

open(Family, Opts, Attempt) ->
    case gen_sctp_nif_opts:open_options(Family, Opts) of
        {ok, Open} -> create(Family, Open, Attempt);
        {error, _} = Error -> Error
    end.

%% @doc Makes an association a socket of its own, which inherits the options
%% that the kernel does not copy.
-spec peeloff(gen_sctp_nif_prim:ref(), integer()) ->
    {ok, gen_sctp_nif:sctp_socket()} | gen_sctp_nif_prim:error().
peeloff(Ref, AssocId) ->
    case gen_sctp_nif_prim:family(Ref) of
        {ok, Family} ->
            case gen_sctp_nif_prim:peeloff(Ref, AssocId) of
                {ok, NewRef} -> inherit(Family, Ref, NewRef);
                {error, _} = Error -> Error
            end;
        {error, _} = Error ->
            Error
    end.

inherit(Family, Ref, NewRef) ->
    case gen_sctp_nif_opts:inherit(Family, Ref, NewRef) of
        ok ->
            {ok, ?SOCKET(NewRef)};
        {error, _} = Error ->
            gen_sctp_nif_prim:then({gen_sctp_nif_prim, close_wait, [NewRef]},
                {?MODULE, closed, [Error]})
    end.

-spec closed(ok, Error) -> Error.
closed(ok, Error) ->
    Error.

%% @doc Adds addresses to an open socket, or removes them; all or none.
-spec bindx(gen_sctp_nif_prim:ref(), add | remove, [term()]) ->
    ok | {error, inet:posix() | closed}.
bindx(Ref, Op, Addrs) ->
    case {gen_sctp_nif_prim:family(Ref), gen_sctp_nif_prim:sockname(Ref)} of
        {{ok, Family}, {ok, {_, Port}}} ->
            case gen_sctp_nif_addr:sockaddrs(Family, [{Addr, Port} || Addr <- Addrs]) of
                {ok, Locals} -> unless_in_use({gen_sctp_nif_prim, bindx, [Ref, Op, Locals]});
                {error, _} = Error -> Error
            end;
        {{error, _} = Error, _} ->
            Error;
        {_, {error, _} = Error} ->
            Error
    end.

%% @doc Lets peers set up associations.
-spec listen(gen_sctp_nif_prim:ref(), 0..65535) -> ok | gen_sctp_nif_prim:error().
listen(Ref, Backlog) ->
    unless_in_use({gen_sctp_nif_prim, listen, [Ref, Backlog]}).

%% Whoever has the port may be dead.
unless_in_use({Module, Function, Args} = Call) ->
    case apply(Module, Function, Args) of
        {error, eaddrinuse} ->
            gen_sctp_nif_prim:then({gen_sctp_nif_prim, closings_wait, []},
                {?MODULE, again, [Call]});
        Result ->
            Result
    end.

-spec again(ok, {module(), atom(), [term()]}) -> term().
again(ok, {Module, Function, Args}) ->
    apply(Module, Function, Args).

create(Family, #{type := Type, netns := Netns} = Open, Attempt) ->
    case gen_sctp_nif_prim:open(Family, Type, Netns) of
        {ok, Ref} ->
            case set_up(Ref, Family, Open) of
                ok ->
                    {ok, Ref};
                {error, _} = Error ->
                    %% Which waits for nothing: it has no associations, and does not linger.
                    _ = gen_sctp_nif_prim:setopts(Ref, [{linger, {false, 0}}]),
                    ok = gen_sctp_nif_prim:close_wait(Ref),
                    _ = forget(Ref, Error, Attempt),
                    Error
            end;
        {error, Reason} = Error when Reason =:= esocktnosupport; Reason =:= eprotonosupport ->
            %% A kernel without SCTP hides no mistake.
            case addresses(Family, Open) of
                {ok, _, _} -> Error;
                {error, _} = Mistake -> Mistake
            end;
        {error, _} = Error ->
            Error
    end.

%% Another attempt follows. What this socket has told of `{active, N}' the next one
%% tells again.
forget(Ref, {error, eaddrinuse}, first) ->
    receive {sctp_passive, ?SOCKET(Ref)} -> ok after 0 -> ok end;
forget(_Ref, _Error, _Attempt) ->
    ok.

set_up(Ref, Family, #{opts := Opts} = Open) ->
    {Late, Early} = lists:partition(fun is_late/1, Opts),
    case gen_sctp_nif_limit:setopts(Ref, Early) of
        ok ->
            case addresses(Family, Open) of
                {ok, First, Further} -> set_late(bind_all(Ref, Family, First, Further), Ref, Late);
                {error, _} = Error -> Error
            end;
        {error, _} = Error ->
            Error
    end.

%% The kernel takes it only from a socket that is bound to all addresses.
is_late({Name, _}) -> Name =:= sctp_auto_asconf.

set_late(ok, Ref, [_ | _] = Late) -> gen_sctp_nif_limit:setopts(Ref, Late);
set_late(Bound, _Ref, _Late) -> Bound.

bind_all(Ref, Family, First, Further) ->
    case gen_sctp_nif_prim:bind(Ref, First) of
        ok -> add_all(Ref, Family, Further);
        {error, _} = Error -> Error
    end.

%% The first address, and the forms of the others, which count only when that is
%% bound.
addresses(_Family, #{addrs := []}) ->
    {error, einval};
addresses(Family, #{addrs := [First | Rest], port := Port}) ->
    case gen_sctp_nif_addr:sockaddr(Family, first_form(First, Port)) of
        {ok, Addr} -> {ok, Addr, [form(Other, Port) || Other <- Rest]};
        {error, _} = Error -> Error
    end.

%% A map is taken only as the first address.
first_form(#{} = Map, _Port) -> Map;
first_form(Addr, Port) -> form(Addr, Port).

%% A form with a port of its own keeps it.
form({_, _} = Form, _Port) -> Form;
form(IP, Port) -> {IP, Port}.

add_all(_Ref, _Family, []) ->
    ok;
add_all(Ref, Family, Forms) ->
    case gen_sctp_nif_addr:sockaddrs(Family, Forms) of
        {ok, Addrs} -> add_each(Ref, Addrs);
        {error, _} = Error -> Error
    end.

%% One by one, so that the first address that is refused decides the error, and
%% not the kernel's order of checks over all of them. Port 0 is that of the
%% first address.
add_each(Ref, [Addr | Addrs]) ->
    case gen_sctp_nif_prim:bindx(Ref, add, [Addr]) of
        ok -> add_each(Ref, Addrs);
        {error, _} = Error -> Error
    end;
add_each(_Ref, []) ->
    ok.
