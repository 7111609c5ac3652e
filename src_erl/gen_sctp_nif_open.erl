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
        {ok, #{addrs := Addrs, port := Port} = Open} ->
            case local_addresses(Family, Addrs, Port) of
                {ok, Locals} -> create(Family, Open, Locals);
                {error, _} = Error -> Error
            end;
        {error, _} = Error ->
            Error
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

%% A form with a port of its own keeps it; only addresses take that of the
%% port option. A map has got that port already, and can only be the first.
local_addresses(Family, undefined, Port) ->
    gen_sctp_nif_addr:sockaddrs(Family, [{any, Port}]);
local_addresses(Family, #{} = Map, _Port) ->
    gen_sctp_nif_addr:sockaddrs(Family, [Map]);
local_addresses(Family, [#{} = Map | Addrs], Port) ->
    gen_sctp_nif_addr:sockaddrs(Family, [Map | with_port(Addrs, Port)]);
local_addresses(Family, Addrs, Port) ->
    gen_sctp_nif_addr:sockaddrs(Family, with_port(Addrs, Port)).

with_port([{_, _} = Form | Addrs], Port) -> [Form | with_port(Addrs, Port)];
with_port([IP | Addrs], Port) -> [{IP, Port} | with_port(Addrs, Port)];
with_port([], _Port) -> [].

create(Family, #{type := Type, netns := Netns, opts := Opts}, Locals) ->
    case new(Family, Type, Netns) of
        {ok, Ref} ->
            case set_up(Ref, Opts, Locals) of
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

set_up(Ref, Opts, [First | Rest]) ->
    case gen_sctp_nif_limit:setopts(Ref, Opts) of
        ok ->
            case unless_in_use(fun() -> gen_sctp_nif_prim:bind(Ref, First) end) of
                ok -> add_all(Ref, Rest);
                {error, _} = Error -> Error
            end;
        {error, _} = Error ->
            Error
    end.

%% Whoever has the port may be dead.
unless_in_use(Try) ->
    case Try() of
        {error, eaddrinuse} -> gen_sctp_nif_wait:again_after_closings(Try);
        Result -> Result
    end.

add_all(_Ref, []) ->
    ok;
add_all(Ref, Rest) ->
    case gen_sctp_nif_prim:sockname(Ref) of
        {ok, {_, Port}} -> add_each(Ref, [fill_port(Addr, Port) || Addr <- Rest]);
        {error, _} = Error -> Error
    end.

%% One by one, so that the first address that is refused decides the error, and
%% not the kernel's order of checks over all of them.
add_each(Ref, [Addr | Addrs]) ->
    case unless_in_use(fun() -> gen_sctp_nif_prim:bindx(Ref, add, [Addr]) end) of
        ok -> add_each(Ref, Addrs);
        {error, _} = Error -> Error
    end;
add_each(_Ref, []) ->
    ok.

%% Port 0 means the one that the first address got.
fill_port(Addr, Port) when element(2, Addr) =:= 0 -> setelement(2, Addr, Port);
fill_port(Addr, _Port) -> Addr.
