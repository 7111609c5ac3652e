%% @doc The I/O threads: how many there are, and that none of their sockets starves another.
-module(gen_sctp_nif_io_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [pair/3, listener/2, open/2, join/4, loopback/1, data/2, next/1, async/1, await/1, kill/1,
         until/1, counter/1, io_threads/0, io_times/0]).

suite() -> [{timetrap, {seconds, 120}}].

all() ->
    [one_thread, three_threads, wrong_number, gives_way, {group, policy}, policy_while_running,
     busy_neighbours, many_blocked_senders].

groups() -> [{policy, [], [round_robin, fifo, batch, idle]}].

init_per_group(_, Config) -> Config.
end_per_group(_, _) -> ok.

init_per_testcase(_, Config) ->
    gen_sctp_test_lib:begin_case([{module, gen_sctp_nif}, {family, inet} | Config]).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% Threads.

%% A node whose application has this environment.
start(Args) ->
    Paths = [filename:dirname(code:which(Module)) || Module <- [gen_sctp_nif, ?MODULE]],
    {ok, Peer, _} = peer:start_link(#{
        connection => standard_io,
        args => lists:append([["-pa", Path] || Path <- Paths]) ++ Args,
        wait_boot => 60000
    }),
    ok = peer:call(Peer, application, load, [gen_sctp_nif]),
    Peer.

%% On pairs of sockets, one after the other: a message, and what it has cost the threads.
exchange() ->
    Pairs = [pair([{module, gen_sctp_nif}, {family, inet}], [], []) || _ <- lists:seq(1, 6)],
    Before = io_times(),
    [begin
         ok = inet:setopts(S, [{active, once}]),
         ok = gen_sctp_nif:send(C, Id, 0, <<N>>),
         <<N>> = next(S)
     end || {N, #{s := S, c := C, cid := Id}} <- lists:enumerate(Pairs)],
    lists:zipwith(fun(T0, T1) -> T1 - T0 end, Before, io_times()).

%% The default where there are no more than four schedulers.
one_thread(_) ->
    Peer = start(["+S", "2"]),
    ?assertMatch([_], peer:call(Peer, ?MODULE, exchange, [], 60000)),
    ok = peer:stop(Peer).

three_threads(_) ->
    Peer = start(["-gen_sctp_nif", "io_threads", "3"]),
    Times = peer:call(Peer, ?MODULE, exchange, [], 60000),
    ?assertMatch([_, _, _], Times),
    %% Each has had sockets.
    ?assertEqual([], [Time || Time <- Times, Time =< 0]),
    ok = peer:stop(Peer).

wrong_number(_) ->
    [begin
         Peer = start(["-gen_sctp_nif", "io_threads", Wrong]),
         {error, {load_failed, Text}} = peer:call(Peer, gen_sctp_nif_dropin, install, []),
         ?assertNotEqual(nomatch, string:find(Text, "io_threads is " ++ Wrong)),
         ok = peer:stop(Peer)
     end || Wrong <- ["0", "65", "many"]].

%% How the thread is scheduled (sched(7)).

%% In a stream it gives way to who is running, in a dialogue it does not.
gives_way(_) ->
    Node = start_by(""),
    ?assertEqual([other, batch, other, batch], gen_sctp_test_node:call(Node, fun paces/0)),
    ok = gen_sctp_test_node:stop(Node).

%% A policy that the node was started with stays, whatever passes.
round_robin(_) -> keeps("chrt -r 10 ", {round_robin, 10}).
fifo(_) -> keeps("chrt -f 10 ", {fifo, 10}).
batch(_) -> keeps("chrt -b 0 ", batch).
idle(_) -> keeps("chrt -i 0 ", idle).

keeps(Chrt, Policy) ->
    case os:cmd(Chrt ++ "true") of
        "" ->
            Node = start_by(Chrt),
            ?assertEqual(lists:duplicate(4, Policy), gen_sctp_test_node:call(Node, fun paces/0)),
            ok = gen_sctp_test_node:stop(Node);
        Refused ->
            {skip, Refused}
    end.

%% So does one that the thread is given later, whether it gives way at that moment or not.
policy_while_running(_) ->
    case os:cmd("chrt -r 10 true") of
        "" ->
            [begin
                 Node = start_by(""),
                 gen_sctp_test_node:call(Node, fun() ->
                     Pair = active_pair(),
                     _ = Pass(Pair),
                     Policy = policy(),
                     [Task] = io_threads(),
                     "" = os:cmd("chrt -r -p 10 " ++ filename:basename(Task)),
                     [{round_robin, 10}] = lists:usort(paces(Pair))
                 end),
                 ok = gen_sctp_test_node:stop(Node)
             end || {Pass, Policy} <- [{fun stream/1, batch}, {fun dialogue/1, other}]];
        Refused ->
            {skip, Refused}
    end.

%% A node with one I/O thread.
start_by(Command) ->
    gen_sctp_test_node:start(#{by => Command, env => [{"ERL_FLAGS", "+S 2"}]}).

%% The policy of the I/O thread of this node, and that after a stream, a dialogue, and a stream.
paces() ->
    paces(active_pair()).

active_pair() ->
    #{s := S} = Pair = pair([{module, gen_sctp_nif}, {family, inet}], [], []),
    ok = inet:setopts(S, [{active, true}]),
    Pair.

paces(Pair) ->
    [policy() | [begin _ = Pass(Pair), policy() end
                 || Pass <- [fun stream/1, fun dialogue/1, fun stream/1]]].

%% More messages than it takes to be believed in, each at an event of its own.
stream(#{m := M, s := S, c := C, cid := Id}) ->
    [begin ok = M:send(C, Id, 0, <<N>>), <<N>> = next(S) end || N <- lists:seq(1, 100)].

dialogue(#{m := M, s := S, c := C, sid := SId, cid := CId}) ->
    [begin
         ok = M:send(C, CId, 0, <<N>>),
         <<N>> = next(S),
         ok = M:send(S, SId, 0, <<N>>),
         {ok, {_, _, _, <<N>>}} = M:recv(C)
     end || N <- lists:seq(1, 20)].

policy() ->
    [Task] = io_threads(),
    {ok, Stat} = file:read_file(Task ++ "/stat"),
    [_, Fields] = binary:split(Stat, <<") ">>),
    %% From the third field on; the 40th and 41st are asked for (proc(5)).
    [Priority, Policy] = lists:sublist(string:lexemes(Fields, " "), 38, 2),
    case {binary_to_integer(Policy), binary_to_integer(Priority)} of
        {0, 0} -> other;
        {1, N} -> {fifo, N};
        {2, N} -> {round_robin, N};
        {3, 0} -> batch;
        {5, 0} -> idle
    end.

%% Fairness.

%% Four sockets are flooded without end, all on one thread with a fifth. What is said on that one
%% is answered all the same.
busy_neighbours(Config) ->
    Floods = [flood(Config) || _ <- lists:seq(1, 4)],
    #{m := M, s := S, c := C, sid := SId, cid := CId} = pair(Config, [], []),
    Before = [count(Owner) || {Owner, _} <- Floods],
    [begin
         ok = inet:setopts(S, [{active, once}]),
         ok = M:send(C, CId, 0, <<N>>),
         <<N>> = next(S),
         ok = M:send(S, SId, 0, <<N>>),
         {ok, {_, _, _, <<N>>}} = M:recv(C)
     end || N <- lists:seq(1, 50)],
    %% They did flood, each of them.
    [?assert(count(Owner) > Then) || {{Owner, _}, Then} <- lists:zip(Floods, Before)],
    [begin kill(Sender), kill(Owner) end || {Owner, Sender} <- Floods].

%% A socket's owner that counts, and a process that sends.
flood(Config) ->
    #{m := M, s := S, c := C, cid := Id} = pair(Config, [], []),
    Owner = spawn(fun() -> counting(S, 0) end),
    ok = M:controlling_process(S, Owner),
    ok = inet:setopts(S, [{active, true}]),
    {Owner, async(fun() -> flooding(M, C, Id) end)}.

flooding(M, C, Id) ->
    ok = M:send(C, Id, 0, <<"flood">>),
    flooding(M, C, Id).

counting(S, N) ->
    receive
        {sctp, S, _, _, {_, <<"flood">>}} -> counting(S, N + 1);
        {count, From} -> From ! {self(), N}, counting(S, N)
    end.

count(Owner) ->
    Owner ! {count, self()},
    receive {Owner, N} -> N end.

%% On a passive socket what comes is not read at once, and may be the end of an association that
%% somebody waits to send to. However many wait, it takes a few calls of the kernel to find out.
many_blocked_senders(Config) ->
    Calls = filename:join(proplists:get_value(priv_dir, Config), "calls"),
    Node = gen_sctp_test_node:start(gen_sctp_test_node:faulty([{"SCTP_TEST_CALLS", Calls}])),
    gen_sctp_test_node:call(Node, fun() -> blocked_senders(Config, Calls) end),
    ok = gen_sctp_test_node:stop(Node).

blocked_senders(Config, Calls) ->
    M = gen_sctp_nif,
    S = listener(Config, [{sndbuf, 8192}]),
    Join = fun(Opts) -> join(M, loopback(Config), S, open(Config, Opts)) end,
    Stuck = [Join([{recbuf, 4096}]) || _ <- lists:seq(1, 100)],
    Senders = [async(fun() -> send_on(M, S, Id) end) || #{sid := Id} <- Stuck],
    until(fun() -> counter(writers) =:= 100 end),
    #{c := C, cid := Id} = Join([]),
    Before = filelib:file_size(Calls),
    [begin ok = M:send(C, Id, 0, <<N>>), {_, <<N>>} = data(M, S) end || N <- lists:seq(1, 200)],
    Asked = filelib:file_size(Calls) - Before,
    %% It would be a hundred for each message if each association were asked for.
    {true, _} = {Asked > 0 andalso Asked =< 10 * 200, Asked},
    {Dying, Living} = lists:split(50, lists:zip(Stuck, Senders)),
    [ok = M:abort(Peer, Up) || {#{c := Peer, cup := Up}, _} <- Dying],
    [{error, epipe} = await(Sender) || {_, Sender} <- Dying],
    %% The others go on waiting, but for one who may try again.
    until(fun() -> counter(writers) =:= 50 end),
    ok = M:close(S),
    [{error, closed} = await(Sender) || {_, Sender} <- Living].

send_on(M, S, Id) ->
    case M:send(S, Id, 0, binary:copy(<<0>>, 2000)) of
        ok -> send_on(M, S, Id);
        Error -> Error
    end.
