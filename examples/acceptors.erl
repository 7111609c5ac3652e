%% A pool of processes that accept, each of which serves what it has accepted in
%% a process of its own: what acceptor pools of TCP do, on one-to-one sockets of
%% SCTP with the functions of gen_tcp.
%%
%%     1> c("examples/acceptors").
%%     2> Pool = acceptors:start([{port, 2006}], 10, fun acceptors:echo/1).
%%     3> acceptors:stop(Pool).
-module(acceptors).

-export([start/3]).
-export([port/1]).
-export([stop/1]).
-export([echo/1]).

%% Serve gets a passive socket whose owner it is called by.
-spec start([gen_sctp_nif:open_option()], pos_integer(),
    fun((gen_sctp_nif:sctp_socket()) -> term())) -> pid().
start(Opts, Acceptors, Serve) ->
    Starter = self(),
    Pool = spawn_link(fun() ->
        process_flag(trap_exit, true),
        {ok, L} = gen_sctp_nif:open([{type, stream}, {reuseaddr, true} | Opts]),
        ok = gen_sctp_nif:listen(L, 1024),
        _ = [acceptor(L, Serve) || _ <- lists:seq(1, Acceptors)],
        Starter ! {self(), ready},
        pool(L, Serve)
    end),
    receive {Pool, ready} -> Pool end.

-spec port(pid()) -> inet:port_number().
port(Pool) ->
    Ref = make_ref(),
    Pool ! {port, self(), Ref},
    receive {Ref, {ok, Port}} -> Port end.

%% Acceptors and all that is served end.
-spec stop(pid()) -> ok.
stop(Pool) ->
    Monitor = monitor(process, Pool),
    unlink(Pool),
    exit(Pool, shutdown),
    receive {'DOWN', Monitor, process, Pool, _} -> ok end.

%% The process that owns the listening socket. It is linked to all others, and
%% has another acceptor in the place of one that has died.
pool(L, Serve) ->
    receive
        {port, From, Ref} ->
            From ! {Ref, inet:port(L)},
            pool(L, Serve);
        {'EXIT', _Starter, shutdown} ->
            exit(shutdown);
        {'EXIT', _Acceptor, {accept, _Reason}} ->
            acceptor(L, Serve),
            pool(L, Serve);
        {'EXIT', _Connection, _Reason} ->
            pool(L, Serve)
    end.

acceptor(L, Serve) ->
    Pool = self(),
    spawn_link(fun() -> accept(Pool, L, Serve) end).

accept(Pool, L, Serve) ->
    case gen_tcp:accept(L) of
        {ok, S} ->
            Connection = spawn(fun() ->
                link(Pool),
                receive {serve, S} -> Serve(S) end
            end),
            ok = gen_tcp:controlling_process(S, Connection),
            Connection ! {serve, S},
            accept(Pool, L, Serve);
        {error, closed} ->
            ok;
        {error, Reason} when Reason =:= emfile; Reason =:= enfile ->
            %% The association waits until there is a descriptor.
            receive after 100 -> accept(Pool, L, Serve) end;
        {error, Reason} ->
            exit({accept, Reason})
    end.

-spec echo(gen_sctp_nif:sctp_socket()) -> ok.
echo(S) ->
    case gen_tcp:recv(S, 0) of
        {ok, Data} ->
            ok = gen_tcp:send(S, Data),
            echo(S);
        {error, closed} ->
            gen_tcp:close(S)
    end.
