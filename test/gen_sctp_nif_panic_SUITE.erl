%% @doc What a panic of the library does: in a node of its own, whose library has panics to order
%% (native/beam/src/panics.rs). Nobody waits forever, no thread dies, and the owner hears of it.
-module(gen_sctp_nif_panic_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [open/2, listener/2, pair/1, pair/3, join/4, port/1, exchange/1, data/2, event/2, next/1,
         recv/2, async/1, await/1, until/1, until_blocked/1, unanswered/1]).

-define(TIMEOUT, 30000).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [owner_hears_of_it, waiting_processes_hear_of_it, panic_while_closing, panic_while_lingering,
     answers_that_panic, events_are_not_lost,
     close_returns, exception_of_a_call, again_and_again, only_to_order].

init_per_testcase(Case, Config) ->
    Directory = filename:join("/tmp", lists:concat([?MODULE, $., Case, $., os:getpid()])),
    ok = filelib:ensure_path(Directory),
    [{directory, Directory} | Config].

end_per_testcase(_, Config) ->
    file:del_dir_r(proplists:get_value(directory, Config)).

%% Runs a function of how to order a panic; then everything must be given back. `Panics' is how
%% many there were.
in_node(Panics, Fun, Config) ->
    in_node(Panics, Fun, Config, fun(Directory) -> #{panics => Directory} end).

in_node(Panics, Fun, Config, Options) ->
    Directory = proplists:get_value(directory, Config),
    Stderr = filename:join(Directory, "stderr"),
    Node = gen_sctp_test_node:start((Options(Directory))#{shell => "exec 2>" ++ Stderr ++ "; "}),
    Order = fun(Name) -> ok = file:write_file(filename:join(Directory, Name), "") end,
    Fds = gen_sctp_test_node:call(Node, fun gen_sctp_test_lib:socket_fds/0),
    Log = gen_sctp_test_node:call(Node, fun gen_sctp_test_log:keep/0),
    gen_sctp_test_node:call(Node, fun() -> alone(Order, Fun) end),
    Held = gen_sctp_test_node:call(Node, fun() ->
        until(fun() ->
            #{resources := Resources, closing := Closing} = gen_sctp_nif:info(),
            {Resources, Closing} =:= {0, 0}
        end),
        {gen_sctp_nif:info(), gen_sctp_test_lib:socket_fds()}
    end),
    Logged = gen_sctp_test_node:call(Node, fun() -> gen_sctp_test_log:kept(Log, Panics) end),
    ok = gen_sctp_test_node:stop(Node),
    {Info, Fds} = Held,
    ?assertEqual(maps:from_list([{panics, Panics} || Panics > 0]),
                 maps:filter(fun(Name, Value) -> Name =/= opened andalso Value =/= 0 end, Info)),
    %% The operator hears of each, in the log and on standard error.
    ?assertEqual(Panics, length(Logged)),
    [begin
         ?assertMatch({error, #{application := gen_sctp_nif, event := panic}}, {Level, Metadata}),
         ?assertNotEqual(nomatch, string:find(Text, "as ordered: ")),
         ?assertNotEqual(nomatch, string:find(Text, "panics.rs:"))
     end || {Level, Text, Metadata} <- Logged],
    {ok, Told} = file:read_file(Stderr),
    ?assertEqual(Panics, length(binary:matches(Told, <<"as ordered: ">>))).

%% In a process whose end closes what it has opened.
alone(Order, Fun) ->
    {Pid, Monitor} = spawn_monitor(fun() -> Fun(Order), ok = gen_sctp_test_lib:no_message() end),
    receive {'DOWN', Monitor, process, Pid, Reason} -> normal = Reason end.

config() -> [{module, gen_sctp_nif}, {family, inet}].

%% The I/O thread with one socket.

owner_hears_of_it(Config) ->
    in_node(3, fun(Order) ->
        Other = pair(config()),
        [begin
             #{m := M, s := S, c := C, cid := CId, sid := SId} = pair(config()),
             ok = inet:setopts(C, [{active, Mode}]),
             Monitor = inet:monitor(C),
             Order("socket"),
             ok = M:send(S, SId, 0, <<"unlucky">>),
             ?assertEqual({error, closed}, next(C)),
             receive {'DOWN', Monitor, socket, C, Reason} -> ?assertEqual(closed, Reason) end,
             ?assertEqual({error, closed}, M:send(C, CId, 0, <<"late">>)),
             ?assertMatch(#sctp_assoc_change{state = comm_lost}, lost(M, S)),
             exchange(Other)
         end || Mode <- [true, once, 5]]
    end, Config).

%% The kernel may first say what could not be delivered.
lost(M, S) ->
    case event(M, S) of
        {error, #sctp_send_failed{}} -> lost(M, S);
        Event -> Event
    end.

waiting_processes_hear_of_it(Config) ->
    in_node(1, fun(Order) ->
        M = gen_sctp_nif,
        S = listener(config(), [{recbuf, 4096}]),
        Events = #sctp_event_subscribe{data_io_event = true, association_event = true},
        {ok, C} = M:open([{sndbuf, 8192}, {sctp_events, Events}]),
        #{cid := CId, sid := SId} = join(M, {127, 0, 0, 1}, S, C),
        Tasks = [async(fun() -> send_on(M, C, CId) end),
                 async(fun() -> M:connect(C, unanswered(inet), 9, []) end)],
        lists:foreach(fun gen_sctp_test_lib:until_blocked/1, Tasks),
        Receiver = async(fun() -> M:recv(C) end),
        until_blocked(Receiver),
        Order("socket"),
        ok = M:send(S, SId, 0, <<"unlucky">>),
        ?assertEqual(lists:duplicate(3, {error, closed}),
                     [await(Task) || Task <- [Receiver | Tasks]])
    end, Config).

send_on(M, C, Id) ->
    case M:send(C, Id, 0, <<0:2000/unit:8>>) of
        ok -> send_on(M, C, Id);
        Error -> Error
    end.

%% It is the answer to a waiting process itself that cannot be made: that is told in its place.
answers_that_panic(Config) ->
    in_node(4, fun(Order) ->
        M = gen_sctp_nif,
        Other = pair(config()),
        [begin
             #{s := S, c := C, cid := CId, sid := SId} = pair(config()),
             Receiver = async(fun() -> Receive(C) end),
             until_blocked(Receiver),
             Order("answer"),
             ok = M:send(S, SId, 0, <<"unlucky">>),
             ?assertEqual({error, closed}, await(Receiver)),
             until(fun() -> M:send(C, CId, 0, <<"late">>) =:= {error, closed} end)
         end || Receive <- [fun(C) -> M:recv(C) end, fun(C) -> M:recv_batch(C, 5, infinity) end]],
        #{s := Slow, c := Full, cid := Id} = pair(config(), [{recbuf, 4096}], [{sndbuf, 8192}]),
        Sender = async(fun() -> send_on(M, Full, Id) end),
        until_blocked(Sender),
        Order("answer"),
        _ = [data(M, Slow) || _ <- [1, 2, 3]],
        ?assertEqual({error, closed}, await(Sender)),
        ?assertEqual({error, closed}, connected(Order, "answer")),
        exchange(Other)
    end, Config).

%% The next panic comes as the socket is closed for the first one: before anything else, and in the
%% thread that closes.
panic_while_closing(Config) ->
    in_node(8, fun(Order) ->
        Other = pair(config()),
        [begin
             #{m := M, s := S, c := C, cid := CId, sid := SId} = pair(config()),
             ok = inet:setopts(C, [{active, Active}]),
             Waiting = [async(fun() -> M:recv(C) end) || not Active],
             lists:foreach(fun gen_sctp_test_lib:until_blocked/1, Waiting),
             Monitor = inet:monitor(C),
             Order("socket"),
             Order(Second),
             ok = M:send(S, SId, 0, <<"unlucky">>),
             [?assertEqual({error, closed}, next(C)) || Active],
             [?assertEqual({error, closed}, await(Task)) || Task <- Waiting],
             receive {'DOWN', Monitor, socket, C, Reason} -> ?assertEqual(closed, Reason) end,
             ?assertEqual({error, closed}, M:send(C, CId, 0, <<"late">>)),
             ?assertMatch(#sctp_assoc_change{state = comm_lost}, lost(M, S)),
             exchange(Other)
         end || Active <- [true, false], Second <- ["close", "closer"]]
    end, Config).

%% Who closes with a lingering time waits for the thread that closes, and for the I/O thread.
panic_while_lingering(Config) ->
    in_node(3, fun(Order) ->
        [begin
             #{m := M, s := S, c := C, cid := CId, sid := SId} =
                 pair(config(), [{recbuf, 4096}], [{sndbuf, 8192}, {linger, {true, 600}}]),
             Sender = async(fun() -> send_on(M, C, CId) end),
             until_blocked(Sender),
             [Order(Point) || Point =:= "linger"],
             Closing = async(fun() -> M:close(C) end),
             [begin
                  until_blocked(Closing),
                  [Order(P) || P <- ["ends", "closer"]],
                  ok = M:send(S, SId, 0, <<"unlucky">>)
              end || Point =:= "ends"],
             ?assertEqual(ok, await(Closing)),
             ?assertEqual({error, closed}, await(Sender)),
             ok = M:close(S)
         end || Point <- ["linger", "ends"]]
    end, Config).

%% The I/O thread outside of any socket. What it was told when it panicked it is told only once.

events_are_not_lost(Config) ->
    in_node(3, fun(Order) ->
        Pairs = [pair(config()) || _ <- lists:seq(1, 10)],
        Receivers = [async(fun() -> M:recv(C) end) || #{m := M, c := C} <- Pairs],
        lists:foreach(fun gen_sctp_test_lib:until_blocked/1, Receivers),
        Order("turn"),
        [ok = M:send(S, Id, 0, <<"all">>) || #{m := M, s := S, sid := Id} <- Pairs],
        [?assertMatch({ok, {_, _, _, <<"all">>}}, await(Receiver)) || Receiver <- Receivers],
        until(fun() -> maps:get(panics, gen_sctp_nif:info()) =:= 1 end),
        sender_is_woken(Order),
        until(fun() -> maps:get(panics, gen_sctp_nif:info()) =:= 2 end),
        connect_is_answered(Order),
        lists:foreach(fun gen_sctp_test_lib:exchange/1, Pairs)
    end, Config).

sender_is_woken(Order) ->
    #{m := M, s := S, c := C, cid := Id} = pair(config(), [{recbuf, 4096}], [{sndbuf, 8192}]),
    Total = 30,
    Sender = async(fun() ->
        [ok = M:send(C, Id, 0, <<N:16, 0:1000/unit:8>>) || N <- lists:seq(1, Total)]
    end),
    until_blocked(Sender),
    Order("turn"),
    [?assertMatch({_, <<N:16, _/binary>>}, data(M, S)) || N <- lists:seq(1, Total)],
    await(Sender),
    ok = M:close(C).

connect_is_answered(Order) ->
    ?assertMatch({ok, #sctp_assoc_change{state = comm_up}}, connected(Order, "turn")).

%% What connect answers where there is a panic while it waits.
connected(Order, Where) ->
    S = listener(config(), []),
    C = open(config(), []),
    "" = os:cmd("tc qdisc add dev lo root netem delay 200ms"),
    try
        Connecting = async(fun() -> gen_sctp_nif:connect(C, {127, 0, 0, 1}, port(S), []) end),
        until_blocked(Connecting),
        Order(Where),
        await(Connecting)
    after
        "" = os:cmd("tc qdisc del dev lo root")
    end.

%% The thread that closes.

close_returns(Config) ->
    in_node(1, fun(Order) ->
        #{m := M, s := S, c := C, cport := Port} = pair(config()),
        Order("closer"),
        ok = M:close(C),
        {ok, _} = recv(M, S),
        {ok, Again} = M:open(Port, [{ip, loopback}]),
        ok = M:close(Again)
    end, Config).

%% A scheduler: an exception, and the socket is as before.

exception_of_a_call(Config) ->
    in_node(1, fun(Order) ->
        #{m := M, s := S, sid := SId, c := C} = Pair = pair(config()),
        ok = M:send(S, SId, 0, <<"kept">>),
        gen_sctp_test_lib:all_arrived(S, SId),
        Order("recv"),
        ?assertError(nif_panicked, M:recv(C, 0)),
        ?assertMatch({_, <<"kept">>}, data(M, C)),
        exchange(Pair)
    end, Config).

again_and_again(Config) ->
    Rounds = 30,
    in_node(3 * Rounds, fun(Order) ->
        Other = pair(config()),
        [begin
             #{m := M, s := S, c := C, sid := Id} = pair(config()),
             ok = inet:setopts(C, [{active, true}]),
             Order("socket"),
             ok = M:send(S, Id, 0, <<"unlucky">>),
             ?assertEqual({error, closed}, next(C)),
             Order("turn"),
             exchange(Other),
             until(fun() -> maps:get(panics, gen_sctp_nif:info()) =:= 3 * Round - 1 end),
             Order("closer"),
             ok = M:close(S)
         end || Round <- lists:seq(1, Rounds)]
    end, Config).

%% The library that is used has no such thing.
only_to_order(Config) ->
    in_node(0, fun(Order) ->
        [Order(Name) || Name <- ["socket", "turn", "closer", "recv"]],
        #{m := M, c := C} = Pair = pair(config()),
        exchange(Pair),
        ok = M:close(C)
    end, Config, fun(Directory) -> #{env => [{"GEN_SCTP_NIF_PANICS", Directory}]} end).
