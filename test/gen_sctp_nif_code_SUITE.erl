%% @doc Code that is purged, loaded again and deleted, applications that are stopped, nodes that
%% end, all while sockets are open and messages flow.
-module(gen_sctp_nif_code_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [open/2, listener/2, pair/1, pair/3, port/1, data/2, next/1, async/1, await/1, until/1,
         until_blocked/1, unanswered/1, all_arrived/2]).

-define(TIMEOUT, 60000).
%% Milliseconds that all modules are loaded in.
-define(LOADING, 2000).

suite() -> [{timetrap, {minutes, 20}}].

all() ->
    [loaded_again, waiting_through_loads, bounded_through_a_load, deleted_and_loaded,
     other_library, application, ends_under_load].

init_per_testcase(_, Config) -> Config.
end_per_testcase(_, _) -> ok.

config() -> [{module, gen_sctp_nif}, {family, inet}].

in_node(Fun) ->
    in_node(#{}, Fun).

in_node(Options, Fun) ->
    Node = gen_sctp_test_node:start(Options),
    Fds = gen_sctp_test_node:call(Node, fun gen_sctp_test_lib:socket_fds/0),
    gen_sctp_test_node:call(Node, fun() ->
        {Pid, Monitor} = spawn_monitor(Fun),
        receive {'DOWN', Monitor, process, Pid, Reason} -> normal = Reason end
    end),
    %% Its sockets are closed, and nothing else is left.
    gen_sctp_test_node:call(Node, fun() ->
        until(fun() ->
            maps:with([sockets, closing, receivers, writers, connects, acceptors, terms],
                      gen_sctp_nif:info())
                =:= #{sockets => 0, closing => 0, receivers => 0, writers => 0, connects => 0,
                      acceptors => 0, terms => 0}
        end),
        until(fun() -> gen_sctp_test_lib:socket_fds() =:= Fds end)
    end),
    ok = gen_sctp_test_node:stop(Node).

%% The thread that closes waits as long as there is this file (test/faults/errors.c).
held_by(File) -> gen_sctp_test_node:faulty([{"SCTP_TEST_HOLD", File}]).

%% So many, or more with SCTP_ROUNDS.
rounds(Number) ->
    Number * max(1, list_to_integer(os:getenv("SCTP_ROUNDS", "300")) div 300).

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
             [{module, Module} = load(Module) || Module <- replaced_modules()],
             %% What is loaded goes on.
             {error, on_load_failure} = code:load_file(gen_sctp_nif_prim),
             Still = pair(config()),
             [ok = gen_sctp_nif:close(maps:get(Key, Still)) || Key <- [s, c]]
         end || _ <- lists:seq(1, rounds(5))],
        true = lists:min([stop(One) || One <- Traffic]) > 1
    end).

%% All but the one that stands for the native library.
replaced_modules() ->
    modules() -- [gen_sctp_nif_prim].

load(Module) ->
    true = code:soft_purge(Module),
    code:load_file(Module).

%% Who waits, in whatever way, is hurt by no module that is loaded twice, which purges the code that
%% it called, and gets the right answer in the end.
waiting_through_loads(_) ->
    Hold = filename:join("/tmp", lists:concat([?MODULE, $., os:getpid(), ".hold"])),
    in_node(held_by(Hold), fun() ->
        ok = application:load(gen_sctp_nif),
        [{module, Module} = code:ensure_loaded(Module) || Module <- modules()],
        Config = gen_sctp_test_lib:begin_case(config()),
        ok = file:write_file(Hold, ""),
        Waits = waits(),
        {ok, _} = inet:getaddr("localhost", inet),
        Resolver = whereis(inet_gethost_native),
        true = erlang:suspend_process(Resolver),
        "" = os:cmd("tc qdisc add dev lo root netem loss 100%"),
        Tasks = try
            Begun = [{Name, waiting(Call)} || {Name, {Call, _, _}} <- Waits],
            Hurt = [hurt_by(Module, Begun) || Module <- replaced_modules()],
            ?assertEqual([], lists:append(Hurt)),
            Begun
        after
            "" = os:cmd("tc qdisc del dev lo root"),
            ok = file:delete(Hold)
        end,
        true = erlang:resume_process(Resolver),
        [End() || {_, {_, End, _}} <- Waits],
        Answers = [{Name, await(Task)} || {Name, Task} <- Tasks],
        ?assertEqual([], [Answer || {{_, {_, _, IsRight}}, {_, Is} = Answer}
                                        <- lists:zip(Waits, Answers), not IsRight(Is)]),
        ok = gen_sctp_test_lib:end_case(Config)
    end).

waiting(Call) ->
    Task = async(Call),
    until_blocked(Task),
    Task.

%% Whom it has killed that this module was loaded twice; and whether somebody was in it.
hurt_by(Module, Tasks) ->
    Before = unhurt(Tasks),
    Unused = [begin
                  {module, Module} = code:load_file(Module),
                  Unused = code:soft_purge(Module),
                  _ = code:purge(Module),
                  Unused
              end || _ <- [1, 2]],
    [{Module, kills, Name} || Name <- Before -- unhurt(Tasks)] ++
        [{Module, in_use} || Unused =/= [true, true]].

%% Those who wait, and those who have their answer: a timeout may have been over before the last
%% load.
unhurt(Tasks) ->
    [Name || {Name, {task, Pid, Monitor}} <- Tasks,
             is_process_alive(Pid) orelse has_result(Monitor)].

%% The news of an end come a moment after it.
has_result(none) ->
    false;
has_result(Monitor) ->
    until(fun() -> reasons(Monitor) =/= [] end),
    lists:keymember(result, 1, reasons(Monitor)).

reasons(Monitor) ->
    {messages, Messages} = process_info(self(), messages),
    [Reason || {'DOWN', M, process, _, Reason} <- Messages, M =:= Monitor].

%% The ways to wait: a call, what brings its end about, and which answers are right.
waits() ->
    [{recv, receiving(fun(M, C) -> M:recv(C) end)},
     {recv_timeout, receiving(fun(M, C) -> M:recv(C, ?TIMEOUT) end)},
     {recv_batch, receiving(fun(M, C) -> M:recv_batch(C, 10, infinity) end)},
     {recv_in_vain, in_vain(fun(M, C) -> M:recv(C, ?LOADING) end)},
     {recv_batch_in_vain, in_vain(fun(M, C) -> M:recv_batch(C, 10, ?LOADING) end)},
     {send_stream, sending(fun(M, C, Id, Messages) ->
         [ok = M:send(C, Id, 0, Data) || Data <- Messages],
         ok
     end)},
     {send_info, sending(fun(M, C, Id, Messages) ->
         [ok = M:send(C, #sctp_sndrcvinfo{assoc_id = Id}, [Data]) || Data <- Messages],
         ok
     end)},
     {sendv, sending(fun(M, C, Id, Messages) ->
         [ok = M:sendv(C, Id, [], [Data]) || Data <- Messages],
         ok
     end)},
     {sendv_timeout, sending(fun(M, C, Id, Messages) ->
         [ok = M:sendv(C, Id, [], Data, ?TIMEOUT) || Data <- Messages],
         ok
     end)},
     {send_batch, sending(fun(M, C, Id, Messages) ->
         M:send_batch(C, Id, [{0, Data} || Data <- Messages])
     end)},
     {send_timeout, sending(fun(M, C, Id, Messages) ->
         ok = inet:setopts(C, [{send_timeout, ?TIMEOUT}]),
         [ok = M:send(C, Id, 0, Data) || Data <- Messages],
         ok
     end)},
     {send_batch_timeout, sending(fun(M, C, Id, Messages) ->
         M:send_batch(C, Id, [{0, Data} || Data <- Messages], ?TIMEOUT)
     end)},
     {send_in_vain, sending_in_vain(fun(M, C, Id) ->
         ok = inet:setopts(C, [{send_timeout, ?LOADING}]),
         send_until_refused(M, C, Id)
     end)},
     {send_batch_in_vain, sending_in_vain(fun(M, C, Id) ->
         Messages = lists:duplicate(100, {0, <<0:1000/unit:8>>}),
         {error, {timeout, [_ | _]}} = M:send_batch(C, Id, Messages, ?LOADING),
         {error, timeout}
     end)},
     {connect, connecting(fun(M, C, Port) -> M:connect(C, {127, 0, 0, 1}, Port, []) end)},
     {connect_timeout, connecting(fun(M, C, Port) ->
         M:connect(C, {127, 0, 0, 1}, Port, [], ?TIMEOUT)
     end)},
     {connect_map, connecting(fun(M, C, Port) ->
         M:connect(C, gen_sctp_test_lib:address(inet, loopback, Port), [])
     end)},
     {connect_name, connecting(fun(M, C, Port) -> M:connect(C, "localhost", Port, []) end)},
     {connect_in_vain, {fun() ->
         {ok, C} = gen_sctp_nif:open(),
         gen_sctp_nif:connect(C, unanswered(inet), 9, [], ?LOADING)
     end, fun() -> ok end, is({error, timeout})}},
     {connect_init_name, starting(fun(M, C, Port) ->
         M:connect_init(C, "localhost", Port, [])
     end, is(ok))},
     {connectx_init_names, starting(fun(M, C, Port) ->
         M:connectx_init(C, ["localhost"], Port, [])
     end, fun({ok, Id}) -> is_integer(Id); (_) -> false end)},
     {connectx_init_no_name, starting(fun(M, C, Port) ->
         try M:connectx_init(C, ["localhost", ""], Port, []) catch error:Reason -> Reason end
     end, is(badarg))},
     {accept, accepting(fun(M, L) -> M:accept(L) end)},
     {accept_timeout, accepting(fun(M, L) -> M:accept(L, ?TIMEOUT) end)},
     {accept_in_vain, {fun() -> gen_sctp_nif:accept(acceptor(), ?LOADING) end, fun() -> ok end,
                       is({error, timeout})}},
     {recv_data, receiving_data()},
     {close, closing()},
     {open, opening()},
     {connect_after_close, connecting_again()}].

is(Answer) -> fun(Is) -> Is =:= Answer end.

receiving(Call) ->
    #{m := M, s := S, c := C, sid := Id} = pair(config()),
    {fun() -> Call(M, C) end,
     fun() -> ok = M:send(S, Id, 0, <<"came">>) end,
     fun({ok, {_, _, _, Data}}) -> Data =:= <<"came">>;
        ({ok, [{_, _, _, Data}]}) -> Data =:= <<"came">>;
        (_) -> false
     end}.

in_vain(Call) ->
    #{m := M, c := C} = pair(config()),
    {fun() -> Call(M, C) end, fun() -> ok end, is({error, timeout})}.

%% More than there is room for.
sending(Call) ->
    #{m := M, s := S, c := C, cid := Id} = narrow_pair(),
    Messages = [<<N, 0:1000/unit:8>> || N <- lists:seq(1, 30)],
    {fun() -> Call(M, C, Id, Messages) end,
     fun() -> ?assertEqual(Messages, [Data || _ <- Messages, {_, Data} <- [data(M, S)]]) end,
     is(ok)}.

sending_in_vain(Call) ->
    #{m := M, c := C, cid := Id} = narrow_pair(),
    {fun() -> Call(M, C, Id) end, fun() -> ok end, is({error, timeout})}.

send_until_refused(M, C, Id) ->
    case M:send(C, Id, 0, <<0:1000/unit:8>>) of
        ok -> send_until_refused(M, C, Id);
        Error -> Error
    end.

%% Its first packet is lost as long as the network is down.
connecting(Call) ->
    starting(Call, fun({ok, #sctp_assoc_change{state = State}}) -> State =:= comm_up;
                      (_) -> false
                   end).

starting(Call, IsRight) ->
    S = listener(config(), []),
    C = open(config(), [{sctp_initmsg, #sctp_initmsg{max_attempts = 1000}} | quick()]),
    Port = port(S),
    {fun() -> Call(gen_sctp_nif, C, Port) end, fun() -> ok end, IsRight}.

%% Its buffers are soon full.
narrow_pair() ->
    pair(config(), [{recbuf, 4096} | quick()], [{sndbuf, 8192} | quick() ++ patient()]).

%% Soon sends again what was lost.
quick() ->
    [{sctp_rtoinfo, #sctp_rtoinfo{initial = 100, min = 100, max = 200}}].

%% Does not take its peer for dead, however long nothing comes.
patient() ->
    [{sctp_associnfo, #sctp_assocparams{asocmaxrxt = 10000}},
     {sctp_peer_addr_params, #sctp_paddrparams{address = {{0, 0, 0, 0}, 0}, pathmaxrxt = 10000}}].

acceptor() -> listener(config(), [{type, stream}]).

accepting(Call) ->
    L = acceptor(),
    C = open(config(), [{type, stream}]),
    {fun() -> Call(gen_sctp_nif, L) end,
     fun() -> {ok, _} = gen_sctp_nif:connect(C, {127, 0, 0, 1}, port(L), []) end,
     fun({ok, _}) -> true; (_) -> false end}.

receiving_data() ->
    #{s := S, c := C, sid := Id} = pair(config(), [], [{type, stream}]),
    {fun() -> gen_tcp:recv(C, 0) end,
     fun() -> ok = gen_sctp_nif:send(S, Id, 0, <<"came">>) end,
     is({ok, <<"came">>})}.

closing() ->
    #{m := M, c := C} = unread([]),
    {fun() -> M:close(C) end, fun() -> ok end, is(ok)}.

opening() ->
    #{m := M, c := C, cport := Port} = unread([]),
    Closing = waiting(fun() -> M:close(C) end),
    {fun() -> M:open(Port, [inet, {ip, loopback}]) end,
     fun() -> ok = await(Closing) end,
     fun({ok, _}) -> true; (_) -> false end}.

%% From the port of a socket that still has an association with this peer.
connecting_again() ->
    #{m := M, c := C, cport := From, sport := Port} = unread([{reuseaddr, true}]),
    Again = open(config(), [{port, From}, {reuseaddr, true}]),
    Closing = waiting(fun() -> M:close(C) end),
    {fun() -> M:connect(Again, {127, 0, 0, 1}, Port, []) end,
     fun() -> ok = await(Closing) end,
     fun({ok, #sctp_assoc_change{state = State}}) -> State =:= comm_up; (_) -> false end}.

%% A pair whose client has more to read than a socket that is closed at once.
unread(Opts) ->
    #{m := M, s := S, sid := Id} = Pair = pair(config(), [], Opts),
    [ok = M:send(S, Id, 0, <<0:20000/unit:8>>) || _ <- [1, 2, 3, 4]],
    all_arrived(S, Id),
    Pair.

%% Likewise the process that looks after the bound of a mailbox.
bounded_through_a_load(_) ->
    case gen_sctp_test_lib:otp() of
        29 -> {skip, "OTP 29 loses the timeout of a process that is suspended when it is over"};
        _ -> in_node(fun bounded_through_a_load/0)
    end.

bounded_through_a_load() ->
    ok = application:load(gen_sctp_nif),
    #{m := M, s := S, c := C, cid := Id} = pair(config()),
    ok = inet:setopts(S, [{mailbox_limit, 2}, {active, true}]),
    [ok = M:send(C, Id, 0, <<N>>) || N <- [1, 2, 3, 4]],
    Looks = fun() ->
        [Pid || Pid <- processes(),
                {initial_call, {gen_sctp_nif_limit, check, _}}
                    <- [process_info(Pid, initial_call)]]
    end,
    until(fun() -> length(Looks()) =:= 1 end),
    [Pid] = Looks(),
    %% Where it is most of the time: between two looks.
    true = erlang:suspend_process(Pid),
    ?assertEqual([], hurt_by(gen_sctp_nif_limit, [{looks, {task, Pid, none}}])),
    true = erlang:resume_process(Pid),
    ?assertEqual({message_queue_len, 2}, process_info(self(), message_queue_len)),
    [<<N>> = next(S) || N <- [1, 2, 3, 4]].

%% Deleted and loaded anew the library knows nothing of the sockets of before. They serve their
%% owners as far as that needs no calls, and end with them.
deleted_and_loaded(_) ->
    in_node(fun() -> new_library(fun() -> ok end) end).

%% The same with another file in the place of the library's.
other_library(_) ->
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
    in_node(#{ebin => filename:join(Copy, "ebin")}, fun() ->
        new_library(fun() ->
            {ok, _} = file:copy(Library, New),
            ok = file:rename(New, Library)
        end)
    end),
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
     end || N <- lists:seq(1, rounds(3))],
    ok = gen_sctp:close(C).

%% The application has nothing to do with sockets.
application(_) ->
    in_node(fun() ->
        Traffic = traffic(),
        [begin
             {ok, _} = application:ensure_all_started(gen_sctp_nif),
             ok = application:stop(gen_sctp_nif),
             ok = application:unload(gen_sctp_nif)
         end || _ <- lists:seq(1, rounds(10))],
        true = stop(Traffic) > 1
    end).

%% The end of the node.

%% Each end at random moments: the exit status that it should have, soon, and no crash dump.
ends_under_load(_) ->
    [?assertEqual({Status, false}, ended(How), How)
     || _ <- lists:seq(1, rounds(1)),
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
