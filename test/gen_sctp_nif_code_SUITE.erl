%% @doc Code that is purged, loaded again and deleted, applications that are stopped, nodes that
%% end, all while sockets are open and messages flow.
-module(gen_sctp_nif_code_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [open/2, listener/2, pair/1, pair/3, join/4, port/1, data/2, event/2, next/1, recv/2,
         async/1, await/1, kill/1, until/1, until_blocked/1, unanswered/1]).

-define(TIMEOUT, 60000).

suite() -> [{timetrap, {minutes, 20}}].

all() ->
    [loaded_again, waiting_through_a_load, deleted_and_loaded, other_library, application,
     ends_under_load].

init_per_testcase(_, Config) -> Config.
end_per_testcase(_, _) -> ok.

config() -> [{module, gen_sctp_nif}, {family, inet}].

in_node(Fun) ->
    Node = gen_sctp_test_node:start(#{}),
    Fds = gen_sctp_test_node:call(Node, fun gen_sctp_test_lib:socket_fds/0),
    gen_sctp_test_node:call(Node, fun() ->
        {Pid, Monitor} = spawn_monitor(Fun),
        receive {'DOWN', Monitor, process, Pid, Reason} -> normal = Reason end
    end),
    %% Its sockets are closed, and nothing else is left.
    gen_sctp_test_node:call(Node, fun() ->
        until(fun() ->
            maps:with([sockets, closing, receivers, writers, connects, terms],
                      gen_sctp_nif:info())
                =:= #{sockets => 0, closing => 0, receivers => 0, writers => 0, connects => 0,
                      terms => 0}
        end),
        until(fun() -> gen_sctp_test_lib:socket_fds() =:= Fds end)
    end),
    ok = gen_sctp_test_node:stop(Node).

modules() ->
    {ok, Modules} = application:get_key(gen_sctp_nif, modules),
    Modules.

%% Traffic that goes on until it is told to stop: numbered messages, one way to an active socket,
%% the other way to a process in recv; nothing may be missing.
traffic() ->
    Self = self(),
    spawn_link(fun() ->
        #{m := M, s := S, c := C, sid := SId, cid := CId} = pair(config()),
        Answerer = spawn_link(fun() -> answer(M, C, CId, 1) end),
        ok = inet:setopts(S, [{active, once}]),
        Self ! {self(), M:send(S, SId, 0, <<1:32>>)},
        ask(M, S, SId, 1, Answerer)
    end).

ask(M, S, Id, N, Answerer) ->
    <<N:32>> = next(S),
    receive
        {stop, From} ->
            unlink(Answerer),
            exit(Answerer, kill),
            From ! {stopped, self(), N}
    after 0 ->
        ok = inet:setopts(S, [{active, once}]),
        ok = M:send(S, Id, 0, <<(N + 1):32>>),
        ask(M, S, Id, N + 1, Answerer)
    end.

answer(M, C, Id, N) ->
    case M:recv(C, ?TIMEOUT) of
        {ok, {_, _, [#sctp_sndrcvinfo{}], <<N:32>>}} ->
            ok = M:send(C, Id, 0, <<N:32>>),
            answer(M, C, Id, N + 1)
    end.

stop(Traffic) ->
    Traffic ! {stop, self()},
    receive {stopped, Traffic, Rounds} -> Rounds after ?TIMEOUT -> error(stuck) end.

%% Loading.

%% The native functions stay what they are; all else is replaced at any time.
loaded_again(_) ->
    in_node(fun() ->
        ok = application:load(gen_sctp_nif),
        Traffic = [traffic() || _ <- [1, 2]],
        [begin
             [_ = code:soft_purge(Module) || Module <- modules()],
             [{module, Module} = load(Module) || Module <- idle_modules()],
             %% What is loaded goes on.
             {error, on_load_failure} = code:load_file(gen_sctp_nif_prim),
             Still = pair(config()),
             [ok = gen_sctp_nif:close(maps:get(Key, Still)) || Key <- [s, c]]
         end || _ <- lists:seq(1, 20)],
        true = lists:min([stop(One) || One <- Traffic]) > 1
    end).

%% Whatever has nobody waiting in it.
idle_modules() ->
    modules() -- [gen_sctp_nif_prim, gen_sctp_nif_wait].

load(Module) ->
    true = code:soft_purge(Module),
    code:load_file(Module).

%% Who waits does so in the code that was called: a purge of that, which is the second load, kills
%% it, like everybody in old code; a soft purge says so before.
waiting_through_a_load(_) ->
    in_node(fun() ->
        #{m := M, s := S, c := C, sid := Id} = pair(config()),
        Waits = gen_sctp_nif_wait,
        Receiver = async(fun() -> M:recv(C) end),
        until_blocked(Receiver),
        {module, Waits} = load(Waits),
        false = code:soft_purge(Waits),
        ok = M:send(S, Id, 0, <<"over the load">>),
        {ok, {_, _, _, <<"over the load">>}} = await(Receiver),
        true = code:soft_purge(Waits),
        {Pid, Monitor} = spawn_monitor(fun() -> M:recv(C) end),
        until_blocked({task, Pid, Monitor}),
        {module, Waits} = load(Waits),
        true = code:purge(Waits),
        receive {'DOWN', Monitor, process, Pid, killed} -> ok end,
        %% Its place is free.
        ok = M:send(S, Id, 0, <<"for the next">>),
        {_, <<"for the next">>} = data(M, C)
    end).

%% Deleted and loaded anew the library knows nothing of the sockets of before. They serve their
%% owners as far as that needs no calls, and end with them.
deleted_and_loaded(_) ->
    in_node(fun() -> new_library(fun() -> ok end) end).

%% The same with another file in the place of the library's.
other_library(Config) ->
    Directory = filename:join("/tmp", lists:concat([?MODULE, $., os:getpid()])),
    Copy = filename:join(Directory, "gen_sctp_nif"),
    Priv = filename:join(Copy, "priv"),
    Ours = filename:dirname(code:which(gen_sctp_nif)),
    ok = filelib:ensure_path(Priv),
    ok = file:make_symlink(Ours, filename:join(Copy, "ebin")),
    Library = filename:join(Priv, "gen_sctp_nif.so"),
    New = Library ++ ".new",
    Install = fun() ->
        {ok, _} = file:copy(filename:join(code:priv_dir(gen_sctp_nif), "gen_sctp_nif.so"), New),
        ok = file:rename(New, Library)
    end,
    Install(),
    _ = Config,
    Node = gen_sctp_test_node:start(#{ebin => filename:join(Copy, "ebin")}),
    Fds = gen_sctp_test_node:call(Node, fun gen_sctp_test_lib:socket_fds/0),
    gen_sctp_test_node:call(Node, fun() ->
        {Pid, Monitor} = spawn_monitor(fun() ->
            new_library(fun() ->
                {ok, _} = file:copy(Library, New),
                ok = file:rename(New, Library)
            end)
        end),
        receive {'DOWN', Monitor, process, Pid, Reason} -> normal = Reason end,
        until(fun() -> gen_sctp_test_lib:socket_fds() =:= Fds end)
    end),
    ok = gen_sctp_test_node:stop(Node),
    ok = file:del_dir_r(Directory).

new_library(Replace) ->
    {ok, S} = gen_sctp_nif:open([{ip, loopback}, {active, true}]),
    ok = gen_sctp_nif:listen(S, true),
    %% OTP's, as ours of before could not send.
    {ok, C} = gen_sctp:open([{ip, loopback}]),
    {ok, #sctp_assoc_change{assoc_id = Id}} = gen_sctp:connect(C, {127, 0, 0, 1}, port(S), []),
    #sctp_assoc_change{state = comm_up} = next(S),
    [begin
         Replace(),
         true = code:delete(gen_sctp_nif_prim),
         _ = code:purge(gen_sctp_nif_prim),
         {module, _} = code:load_file(gen_sctp_nif_prim),
         badarg = try gen_sctp_nif:recv(S, 0) catch error:Reason -> Reason end,
         ok = gen_sctp:send(C, Id, 0, <<N>>),
         <<N>> = next(S),
         New = pair(config()),
         ok = gen_sctp_nif:send(maps:get(c, New), maps:get(cid, New), 0, <<"new">>),
         {_, <<"new">>} = data(gen_sctp_nif, maps:get(s, New)),
         [ok = gen_sctp_nif:close(maps:get(Key, New)) || Key <- [s, c]]
     end || N <- lists:seq(1, 5)],
    ok = gen_sctp:close(C).

%% The application has nothing to do with sockets.
application(_) ->
    in_node(fun() ->
        Traffic = traffic(),
        [begin
             {ok, _} = application:ensure_all_started(gen_sctp_nif),
             ok = application:stop(gen_sctp_nif),
             ok = application:unload(gen_sctp_nif)
         end || _ <- lists:seq(1, 50)],
        true = stop(Traffic) > 1
    end).

%% The end of the node.

%% Each end at random moments: the exit status that it should have, soon, and no crash dump.
ends_under_load(_) ->
    Rounds = max(1, list_to_integer(os:getenv("SCTP_ROUNDS", "300")) div 300),
    [?assertEqual({Status, false}, ended(How), How)
     || _ <- lists:seq(1, Rounds),
        {How, Status} <- [{"init:stop(4)", 4}, {"erlang:halt(5)", 5},
                          {"erlang:halt(6, [{flush, false}])", 6}]],
    ok.

ended(How) ->
    Dump = filename:join("/tmp", lists:concat([?MODULE, $., os:getpid(), ".dump"])),
    Erl = filename:join([code:root_dir(), "bin", "erl"]),
    Paths = lists:append([["-pa", Path] || Path <- gen_sctp_test_node:paths(#{})]),
    Eval = lists:concat([?MODULE, ":under_load(fun() -> ", How, " end)."]),
    Port = open_port({spawn_executable, Erl},
                     [exit_status, stderr_to_stdout, {env, [{"ERL_CRASH_DUMP", Dump}]},
                      {args, ["-noshell" | Paths] ++ ["-eval", Eval]}]),
    Status = exit_status(Port, []),
    {Status, filelib:is_file(Dump)}.

exit_status(Port, Output) ->
    receive
        {Port, {data, More}} -> exit_status(Port, [Output | More]);
        {Port, {exit_status, Status}} -> Output =/= [] andalso ct:pal("~s", [Output]), Status
    after ?TIMEOUT ->
        {hangs, lists:flatten(Output)}
    end.

%% All that can be going on: messages in both directions, blocked senders, calls that connect in
%% vain, sockets that are opened and closed.
under_load(End) ->
    _ = [traffic() || _ <- [1, 2, 3]],
    #{c := C, cid := Id, m := M} = pair(config(), [{recbuf, 4096}], [{sndbuf, 8192}]),
    _ = [spawn_link(fun() -> send_on(M, C, Id) end) || _ <- [1, 2]],
    _ = spawn_link(fun() ->
        {ok, Vain} = M:open(),
        M:connect(Vain, unanswered(inet), 9, [])
    end),
    _ = [spawn_link(fun() -> open_on(M) end) || _ <- [1, 2]],
    receive after rand:uniform(300) -> End() end,
    receive after infinity -> ok end.

send_on(M, C, Id) ->
    ok = M:send(C, Id, 0, <<0:2000/unit:8>>),
    send_on(M, C, Id).

open_on(M) ->
    #{s := S, c := C} = pair(config()),
    ok = M:close(C),
    ok = M:close(S),
    open_on(M).
