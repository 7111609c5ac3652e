%% @private
%% @doc Makes a socket: create, set the options, bind, add further addresses.
%% Whatever fails on the way closes it again.
-module(gen_sctp_nif_open).

-export([open/2]).
-export([peeloff/2]).
-export([bindx/3]).
-export([listen/2]).

%% @doc Options are those without the family. They are set before the socket
%% is bound, as some are refused later.
-spec open(gen_sctp_nif_prim:family(), [term()]) ->
    {ok, gen_sctp_nif_prim:ref()} | {error, badarg | inet:posix() | closed}.
open(Family, Opts) ->
    case gen_sctp_nif_opts:open_options(Family, Opts) of
        {ok, Open} -> create(Family, Open);
        {error, _} = Error -> Error
    end.

%% @doc Makes an association a socket of its own, which inherits the options
%% that the kernel does not copy.
-spec peeloff(gen_sctp_nif_prim:ref(), integer()) ->
    {ok, gen_sctp_nif_prim:ref()} | gen_sctp_nif_prim:error().
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
            {ok, NewRef};
        {error, _} = Error ->
            ok = gen_sctp_nif_wait:close(NewRef),
            Error
    end.

%% @doc Adds addresses to an open socket, or removes them; all or none.
-spec bindx(gen_sctp_nif_prim:ref(), add | remove, [term()]) ->
    ok | {error, inet:posix() | closed}.
bindx(Ref, Op, Addrs) ->
    case {gen_sctp_nif_prim:family(Ref), gen_sctp_nif_prim:sockname(Ref)} of
        {{ok, Family}, {ok, {_, Port}}} ->
            case gen_sctp_nif_addr:sockaddrs(Family, [{Addr, Port} || Addr <- Addrs]) of
                {ok, Locals} ->
                    unless_in_use(fun() -> gen_sctp_nif_prim:bindx(Ref, Op, Locals) end);
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
    unless_in_use(fun() -> gen_sctp_nif_prim:listen(Ref, Backlog) end).

create(Family, #{type := Type, netns := Netns} = Open) ->
    case new(Family, Type, Netns) of
        {ok, Ref} ->
            case set_up(Ref, Family, Open) of
                ok ->
                    {ok, Ref};
                {error, _} = Error ->
                    ok = gen_sctp_nif_wait:close(Ref),
                    Error
            end;
        {error, _} = Error ->
            Error
    end.

new(Family, Type, Netns) ->
    case gen_sctp_nif_prim:open(Family, Type, Netns) of
        elsewhere -> gen_sctp_nif_prim:open_dirty(Family, Type, Netns);
        Result -> Result
    end.

set_up(Ref, Family, #{opts := Opts, addrs := Addrs, port := Port}) ->
    case gen_sctp_nif_limit:setopts(Ref, Opts) of
        ok -> bind_all(Ref, Family, Addrs, Port);
        {error, _} = Error -> Error
    end.

bind_all(_Ref, _Family, [], _Port) ->
    {error, einval};
bind_all(Ref, Family, [First | Rest], Port) ->
    case bind(Ref, gen_sctp_nif_addr:sockaddr(Family, first_form(First, Port))) of
        ok -> add_all(Ref, Family, [form(Addr, Port) || Addr <- Rest]);
        {error, _} = Error -> Error
    end.

%% A map is taken only as the first address.
first_form(#{} = Map, _Port) -> Map;
first_form(Addr, Port) -> form(Addr, Port).

%% A form with a port of its own keeps it.
form({_, _} = Form, _Port) -> Form;
form(IP, Port) -> {IP, Port}.

bind(Ref, {ok, Addr}) ->
    unless_in_use(fun() -> gen_sctp_nif_prim:bind(Ref, Addr) end);
bind(_Ref, {error, _} = Error) ->
    Error.

%% Whoever has the port may be dead.
unless_in_use(Try) ->
    case Try() of
        {error, eaddrinuse} -> gen_sctp_nif_wait:again_after_closings(Try);
        Result -> Result
    end.

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
    case unless_in_use(fun() -> gen_sctp_nif_prim:bindx(Ref, add, [Addr]) end) of
        ok -> add_each(Ref, Addrs);
        {error, _} = Error -> Error
    end;
add_each(_Ref, []) ->
    ok.
