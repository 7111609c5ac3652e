%% @doc One-to-one sockets that listen: backlog, accept, what an accepted socket inherits, and the
%% line of processes that wait.
-module(gen_sctp_nif_accept_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [family/1, loopback/1, open/2, adopt/1, listener/2, port/1, data/2, event/2, next/1,
         no_message/0, async/1, await/1, kill/1, helper/0, call/2, until/1, until_blocked/1]).

-define(M, gen_sctp_nif).
-define(PRIM, gen_sctp_nif_prim).
%% Milliseconds in which nothing is to happen.
-define(SILENCE, 300).
%% How often an association may be announced twice.
-define(ANNOUNCEMENTS, 20).

suite() -> [{timetrap, {seconds, 120}}].

all() -> [{group, nif}].

groups() ->
    gen_sctp_test_lib:matrix([],
        [backlog, order, times, refused, bad_input, inherits, inherits_network_options, active,
         active_once_and_counted, ended_while_it_waited, to_any_process, line, dead_in_line,
         dead_when_called, called_in_vain, late_when_called, cancelled_when_called, closed,
         owner_dies, listens_no_longer, descriptors, gen_tcp_functions, pool, counted,
         killed_at_random, killed_in_the_call, nowait, nowait_is_taken_back, nowait_in_line]).

init_per_suite(Config) ->
    true = code:add_patha(filename:join(code:lib_dir(gen_sctp_nif), "examples")),
    Config.
end_per_suite(_) -> ok.

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

acceptor(Config) -> acceptor(Config, []).
acceptor(Config, Opts) -> listener(Config, [{type, stream} | Opts]).

%% A client that has connected: to its peer's kernel the association is up.
client(Config, L) -> client(Config, L, [{type, stream}]).

client(Config, L, Opts) ->
    C = open(Config, Opts),
    {ok, #sctp_assoc_change{state = comm_up}} = ?M:connect(C, loopback(Config), port(L), [], 10000),
    C.

accept(L) ->
    {ok, S} = ?M:accept(L, 10000),
    adopt(S).

%% The association of this socket is that of this client.
is_peer(S, C) ->
    {ok, Name} = inet:sockname(C),
    ?assertEqual({ok, Name}, inet:peername(S)).

up(S) ->
    ?assertMatch(#sctp_assoc_change{state = comm_up}, event(?M, S)).

%% Backlog.

%% N + 1 associations wait, the next one is refused.
backlog(Config) ->
    [begin
         L = open(Config, [{type, stream}]),
         ok = ?M:listen(L, Backlog),
         Clients = [client(Config, L) || _ <- lists:seq(1, Backlog + 1)],
         One = open(Config, [{type, stream}]),
         ?assertMatch({error, #sctp_assoc_change{state = cant_assoc}},
                      ?M:connect(One, loopback(Config), port(L), [])),
         ?assertEqual({error, econnrefused}, ?M:recv(One, 10000)),
         [is_peer(accept(L), C) || C <- Clients],
         ?assertEqual({error, timeout}, ?M:accept(L, 0)),
         %% With room again.
         C = client(Config, L),
         is_peer(accept(L), C)
     end || Backlog <- [1, 2]].

order(Config) ->
    L = acceptor(Config),
    Clients = [client(Config, L) || _ <- [1, 2, 3]],
    Accepted = [accept(L) || _ <- Clients],
    [is_peer(S, C) || {S, C} <- lists:zip(Accepted, Clients)],
    [begin
         up(S),
         ok = ?M:send(C, 0, 1, <<"to the server">>),
         ?assertMatch({#sctp_sndrcvinfo{stream = 1}, <<"to the server">>}, data(?M, S)),
         ok = ?M:send(S, 0, 2, <<"to the client">>),
         ?assertMatch({#sctp_sndrcvinfo{stream = 2}, <<"to the client">>}, data(?M, C))
     end || {S, C} <- lists:zip(Accepted, Clients)],
    ?assertMatch(#{type := stream, states := [open]}, inet:info(hd(Accepted))).

%% Arguments.

times(Config) ->
    L = acceptor(Config),
    ?assertEqual({error, timeout}, ?M:accept(L, 0)),
    %% The kernel's accept4 would sleep until its next tick (sctp_wait_for_accept), up to 4 ms.
    Times = [element(1, timer:tc(fun() -> ?M:accept(L, 0) end)) || _ <- lists:seq(1, 51)],
    ?assert(lists:nth(26, lists:sort(Times)) < 1000),
    Begin = erlang:monotonic_time(millisecond),
    ?assertEqual({error, timeout}, ?M:accept(L, 100)),
    ?assert(erlang:monotonic_time(millisecond) - Begin >= 100),
    no_message(),
    %% Nothing is lost by who has given up.
    C = client(Config, L),
    {ok, S} = ?M:accept(L, 0),
    is_peer(adopt(S), C),
    [begin
         Client = async(fun() -> timer:sleep(Wait), connect_and_go(Config, L) end),
         Result = ?M:accept(L, 10),
         ok = await(Client),
         case Result of
             {ok, Early} -> ok = ?M:close(Early);
             {error, timeout} -> ok = ?M:close(accept(L))
         end,
         ?assertEqual({error, timeout}, ?M:accept(L, 0)),
         no_message()
     end || Wait <- lists:seq(0, 14)].

connect_and_go(Config, L) ->
    {ok, C} = ?M:open([family(Config), {ip, loopback}, {type, stream}]),
    {ok, _} = ?M:connect(C, loopback(Config), port(L), []),
    ?M:close(C).

refused(Config) ->
    Many = listener(Config, []),
    ?assertEqual({error, enotsup}, ?M:accept(Many, 0)),
    ?assertEqual({error, enotsup}, ?M:accept(Many)),
    One = open(Config, [{type, stream}]),
    ?assertEqual({error, einval}, ?M:accept(One, 0)),
    ?assertEqual({error, einval}, ?M:accept(One)),
    Connected = client(Config, Many),
    ?assertEqual({error, einval}, ?M:accept(Connected)),
    #sctp_assoc_change{assoc_id = Id} = event(?M, Many),
    {ok, Peeled} = ?M:peeloff(Many, Id),
    ?assertEqual({error, einval}, ?M:accept(adopt(Peeled))),
    ok = ?M:close(One),
    ?assertEqual({error, closed}, ?M:accept(One)),
    ?assertEqual({error, closed}, ?M:accept(One, 0)).

bad_input(Config) ->
    L = acceptor(Config),
    [?assertError(badarg, ?M:accept(Socket, Timeout))
     || {Socket, Timeout} <- [{L, -1}, {L, 1.0}, {L, nowhere}, {L, 16#ffffffff}, {L, 1 bsl 70},
                              {foo, 0}, {{'$inet', ?M, foo}, 0}, {setelement(2, L, foo), 0}]],
    ?assertError(badarg, ?M:accept(foo)),
    ?assertError(badarg, ?PRIM:accept(make_ref(), poll)),
    [?assertError(badarg, ?M:shutdown(Socket, How))
     || {Socket, How} <- [{L, both}, {L, 1}, {L, [read]}, {foo, read}, {{'$inet', ?M, foo}, read}]],
    ?assertError(badarg, ?PRIM:shutdown(element(3, L), both)),
    ?assertError(badarg, ?PRIM:style(make_ref())),
    Up = #sctp_assoc_change{assoc_id = 1},
    [?assertError(badarg, ?M:abort(Socket, Assoc, "why"))
     || {Socket, Assoc} <- [{foo, Up}, {L, 1}, {L, foo}]],
    S = open(Config, []),
    ?assertEqual({error, einval}, ?M:abort(S, Up, foo)),
    ?assertEqual({error, einval}, ?M:abort(S, Up, [a | b])),
    ?assertEqual({error, epipe}, ?M:abort(S, Up, "why")),
    [?assertError(badarg, ?M:open([{type, stream}, {end_of_stream, Value}]))
     || Value <- [true, foo, 1, undefined, {closed}, "wait"]],
    ?assertEqual({error, einval}, inet:setopts(L, [{end_of_stream, true}])),
    ?assertEqual({error, einval}, inet:getopts(L, [{end_of_stream, foo}])).

%% What is inherited.

above_the_kernel() ->
    [{mode, list}, {buffer, 5000}, {batch, 7}, {abort_causes, true}, {mailbox_limit, 11}].

inherits(Config) ->
    Events = #sctp_event_subscribe{data_io_event = false, association_event = false,
                                   address_event = false, send_failure_event = true,
                                   peer_error_event = false, shutdown_event = false,
                                   partial_delivery_event = false, adaptation_layer_event = true},
    Set = [{sctp_events, Events}, {sctp_nodelay, false}, {linger, {true, 3}}, {reuseaddr, true},
           {non_block_send, true} | above_the_kernel()],
    Names = [sctp_events, sctp_nodelay, linger, reuseaddr, recbuf, sndbuf, non_block_send
             | [Name || {Name, _} <- above_the_kernel()]],
    Plain = acceptor(Config),
    L = acceptor(Config, Set),
    [begin
         C = client(Config, Listener),
         S = accept(Listener),
         {ok, Of} = inet:getopts(Listener, Names),
         ?assertEqual({ok, Of}, inet:getopts(S, Names)),
         ok = ?M:send(C, 0, 0, <<"data">>),
         Seen = ?M:recv(S, 10000),
         case Listener of
             %% No event, no #sctp_sndrcvinfo{}, and a list.
             L -> ?assertMatch({ok, {_, _, [], "data"}}, Seen);
             Plain -> ?assertMatch({ok, {_, _, [], #sctp_assoc_change{}}}, Seen)
         end,
         ok = inet:setopts(S, [{linger, {false, 0}}])
     end || Listener <- [L, Plain]],
    {ok, A} = inet:getopts(L, Names),
    {ok, B} = inet:getopts(Plain, Names),
    [?assertNotEqual(lists:nth(N, A), lists:nth(N, B)) || N <- lists:seq(1, length(Names)),
                                                          N < 5 orelse N > 6].

%% Those that the kernel forgets before 6.19.
inherits_network_options(Config) ->
    Class = case family(Config) of
                inet -> [{tos, 16#68}, {recvtos, true}, {recvttl, true}, {ttl, 77}];
                inet6 -> [{tclass, 16#68}, {recvtclass, true}]
            end,
    %% The last one is set first: the type of service changes the priority.
    Set = [{priority, 5}, {reuseport, true} | Class],
    Names = [Name || {Name, _} <- Set],
    Plain = acceptor(Config),
    L = acceptor(Config),
    ok = inet:setopts(L, Set),
    [begin
         client(Config, Listener),
         Of = network_options(Listener, Names),
         ?assertEqual(Of, network_options(accept(Listener), Names)),
         case Listener of
             L -> ?assertEqual(Set, Of);
             Plain -> ?assertEqual([], [Name || {Name, _} = Is <- Of, lists:member(Is, Set)])
         end
     end || Listener <- [L, Plain]].

%% The kernel notes in the type of service whether it uses ECN.
network_options(S, Names) ->
    {ok, Values} = inet:getopts(S, Names),
    [case Value of
         {Name, Class} when Name =:= tos; Name =:= tclass -> {Name, Class band 16#fc};
         _ -> Value
     end || Value <- Values].

%% As in gen_tcp: what comes goes to who has accepted.
active(Config) ->
    L = acceptor(Config, [{active, true}]),
    C = client(Config, L),
    ok = ?M:send(C, 0, 0, <<"first">>),
    S = accept(L),
    ?assertMatch(#sctp_assoc_change{state = comm_up}, next(S)),
    ?assertEqual(<<"first">>, next(S)),
    ?assertEqual({ok, [{active, true}]}, inet:getopts(S, [active])),
    ok = ?M:send(C, 0, 0, <<"second">>),
    ?assertEqual(<<"second">>, next(S)),
    ok = ?M:close(C),
    ?assertMatch(#sctp_shutdown_event{}, next(S)),
    ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, next(S)),
    receive {sctp_closed, S} -> ok end,
    %% The listening socket stays as it is.
    ?assertEqual({ok, [{active, true}]}, inet:getopts(L, [active])),
    ?assertEqual({error, einval}, ?M:recv(L, 0)).

active_once_and_counted(Config) ->
    [begin
         L = acceptor(Config, [{active, Mode}]),
         C = client(Config, L),
         ok = ?M:send(C, 0, 0, <<"data">>),
         S = accept(L),
         ?assertMatch(#sctp_assoc_change{state = comm_up}, next(S)),
         Last =:= none orelse ?assertEqual(Last, next(S)),
         ?assertEqual({ok, [{active, false}]}, inet:getopts(S, [active])),
         ?assertEqual({ok, [{active, Mode}]}, inet:getopts(L, [active])),
         ?assertMatch({_, <<"data">>}, data(?M, S)),
         no_message()
     end || {Mode, Last} <- [{once, none}, {1, passive}]],
    L = acceptor(Config, [{active, 3}]),
    client(Config, L),
    S = accept(L),
    ?assertMatch(#sctp_assoc_change{state = comm_up}, next(S)),
    ?assertEqual({ok, [{active, 2}]}, inet:getopts(S, [active])).

ended_while_it_waited(Config) ->
    L = acceptor(Config),
    [begin
         C = client(Config, L),
         ok = ?M:send(C, 0, 0, <<"last words">>),
         ok = inet:setopts(C, [{linger, Linger}]),
         ok = ?M:close(C),
         S = accept(L),
         Received = all(S),
         ?assertEqual({error, closed}, lists:last(Received)),
         ?assertEqual([<<"last words">> || Linger =:= {false, 0}],
                      [Data || {ok, {_, _, _, Data}} <- Received, is_binary(Data)]
                          -- [<<"last words">> || Linger =/= {false, 0}]),
         ?assertEqual({error, closed}, ?M:recv(S, 0)),
         %% Nor does it say anything else to an owner.
         ok = inet:setopts(S, [{active, true}]),
         receive {sctp_closed, S} -> ok end,
         no_message()
     end || Linger <- [{false, 0}, {true, 0}]].

all(S) ->
    case ?M:recv(S, 10000) of
        {error, closed} = End -> [End];
        Received -> [Received | all(S)]
    end.

%% Who waits.

to_any_process(Config) ->
    L = acceptor(Config),
    Other = helper(),
    C = client(Config, L),
    {ok, S} = call(Other, fun() -> ?M:accept(L) end),
    ?assertMatch(#{owner := Other}, inet:info(S)),
    is_peer(S, C),
    %% The socket is its owner's, and ends with it; the listening one does not.
    kill(Other),
    until(fun() -> ?M:recv(S, 0) =:= {error, closed} end),
    ?assertMatch(#sctp_shutdown_event{}, event(?M, C)),
    client(Config, L),
    accept(L).

line(Config) ->
    L = acceptor(Config),
    Tasks = [named(N, L) || N <- [1, 2, 3]],
    ?assertMatch(#{acceptors := 3}, inet:info(L)),
    ?assertEqual(3, gen_sctp_test_lib:counter(acceptors)),
    [begin
         C = client(Config, L),
         {N, S} = arrived(),
         is_peer(S, C),
         ?assertEqual(3 - N, gen_sctp_test_lib:counter(acceptors))
     end || N <- [1, 2, 3]],
    lists:foreach(fun gen_sctp_test_lib:kill/1, Tasks).

%% A process that accepts, tells who has arrived, and keeps it.
named(N, L) -> named(N, L, infinity).

named(N, L, Timeout) ->
    Parent = self(),
    Task = async(fun() ->
        Parent ! {N, ?M:accept(L, Timeout)},
        receive never -> ok end
    end),
    until_blocked(Task),
    Task.

arrived() ->
    receive {N, {ok, S}} when is_integer(N) -> {N, S} after 10000 -> error(nobody) end.

nobody_arrives() ->
    receive {N, Result} when is_integer(N) -> error({arrived, N, Result}) after ?SILENCE -> ok end.

dead_in_line(Config) ->
    L = acceptor(Config),
    [One, Two] = [named(N, L) || N <- [1, 2]],
    kill(One),
    until(fun() -> gen_sctp_test_lib:counter(acceptors) =:= 1 end),
    C = client(Config, L),
    {2, S} = arrived(),
    is_peer(S, C),
    kill(Two).

%% The first one is called and does not come.
called_and_suspended(Config, L) -> once_announced(?ANNOUNCEMENTS, fun() ->
    [{task, Pid, _} = One, Two] = [named(N, L) || N <- [1, 2]],
    true = erlang:suspend_process(Pid),
    C = client(Config, L),
    until(fun() -> process_info(Pid, message_queue_len) =:= {message_queue_len, 1} end),
    {[One, Two], {One, Two, C}}
end).

%% What `Call' returns where only the first in line was called. The kernel announces an association
%% when its state changes, and again with its event. Where the I/O thread sees two the second one in
%% line is called as well, and takes it: then all begins anew.
once_announced(0, _) -> error(always_announced_twice);
once_announced(Tries, Call) ->
    {Tasks, Result} = Call(),
    receive
        {2, {ok, S}} ->
            lists:foreach(fun gen_sctp_test_lib:kill/1, Tasks),
            until(fun() -> ?M:recv(S, 0) =:= {error, closed} end),
            once_announced(Tries - 1, Call)
    after ?SILENCE -> Result
    end.

dead_when_called(Config) ->
    L = acceptor(Config),
    {One, Two, C} = called_and_suspended(Config, L),
    kill(One),
    {2, S} = arrived(),
    is_peer(S, C),
    kill(Two).

%% Somebody else is quicker; then it is still the first.
called_in_vain(Config) ->
    L = acceptor(Config),
    {{task, Pid, _} = One, Two, C} = called_and_suspended(Config, L),
    {ok, S} = ?M:accept(L, 0),
    is_peer(adopt(S), C),
    true = erlang:resume_process(Pid),
    until_blocked(One),
    nobody_arrives(),
    C2 = client(Config, L),
    {1, S2} = arrived(),
    is_peer(S2, C2),
    nobody_arrives(),
    lists:foreach(fun gen_sctp_test_lib:kill/1, [One, Two]).

%% Who does not come holds up nobody but itself.
late_when_called(Config) ->
    L = acceptor(Config),
    {{task, Pid, _} = One, Two, C} = called_and_suspended(Config, L),
    C2 = client(Config, L),
    {2, S} = arrived(),
    is_peer(S, C),
    true = erlang:resume_process(Pid),
    {1, S2} = arrived(),
    is_peer(S2, C2),
    lists:foreach(fun gen_sctp_test_lib:kill/1, [One, Two]).

cancelled_when_called(Config) ->
    {_, _, Ref} = L = acceptor(Config),
    {WaitRef, Two, C} = once_announced(?ANNOUNCEMENTS, fun() ->
        WaitRef = make_ref(),
        wait = ?PRIM:accept(Ref, WaitRef),
        Two = named(2, L),
        C = client(Config, L),
        receive {'$gen_sctp_nif', WaitRef, ready} -> ok end,
        {[Two], {WaitRef, Two, C}}
    end),
    sent = ?PRIM:cancel(Ref, WaitRef),
    {2, S} = arrived(),
    is_peer(S, C),
    kill(Two),
    %% Who is not called is not told anything.
    wait = ?PRIM:accept(Ref, WaitRef),
    ok = ?PRIM:cancel(Ref, WaitRef),
    client(Config, L),
    accept(L),
    no_message().

closed(Config) ->
    L = acceptor(Config),
    Tasks = [async(fun() -> ?M:accept(L, Timeout) end) || Timeout <- [infinity, 60000, infinity]],
    lists:foreach(fun gen_sctp_test_lib:until_blocked/1, Tasks),
    ok = ?M:close(L),
    [?assertEqual({error, closed}, await(Task)) || Task <- Tasks],
    %% One that was called.
    L2 = acceptor(Config),
    {{task, Pid, _} = One, Two, _} = called_and_suspended(Config, L2),
    ok = ?M:close(L2),
    true = erlang:resume_process(Pid),
    [receive {N, Result} -> ?assertEqual({error, closed}, Result) end || N <- [1, 2]],
    lists:foreach(fun gen_sctp_test_lib:kill/1, [One, Two]).

owner_dies(Config) ->
    Owner = helper(),
    L = call(Owner, fun() ->
        {ok, L} = ?M:open([family(Config), {ip, loopback}, {type, stream}]),
        ok = ?M:listen(L, 5),
        L
    end),
    Tasks = [async(fun() -> ?M:accept(L) end) || _ <- [1, 2]],
    lists:foreach(fun gen_sctp_test_lib:until_blocked/1, Tasks),
    C = client(Config, L),
    until(fun() -> gen_sctp_test_lib:counter(acceptors) =:= 1 end),
    kill(Owner),
    ?assertMatch([{error, closed}, {ok, _}], lists:sort([await(Task) || Task <- Tasks])),
    %% Its own owner is gone as well.
    ?assertMatch(#sctp_shutdown_event{}, event(?M, C)).

listens_no_longer(Config) ->
    L = acceptor(Config),
    Tasks = [async(fun() -> ?M:accept(L) end) || _ <- [1, 2]],
    lists:foreach(fun gen_sctp_test_lib:until_blocked/1, Tasks),
    ok = ?M:listen(L, false),
    [?assertEqual({error, einval}, await(Task)) || Task <- Tasks],
    ?assertEqual({error, einval}, ?M:accept(L)),
    ok = ?M:listen(L, true),
    C = client(Config, L),
    is_peer(accept(L), C).

%% Without a descriptor an association goes on waiting, in a node of its own.
descriptors(_) ->
    Node = gen_sctp_test_node:start(#{shell => "ulimit -n 64; "}),
    Config = [{module, ?M}, {family, inet}],
    gen_sctp_test_node:call(Node, fun() ->
        L = acceptor(Config),
        %% Before there are none left.
        C = client(Config, L),
        Later = open(Config, [{type, stream}]),
        {ok, First} = ?M:accept(L),
        Tasks = [async(fun() -> ?M:accept(L) end) || _ <- [1, 2]],
        lists:foreach(fun gen_sctp_test_lib:until_blocked/1, Tasks),
        Sockets = use_up([]),
        ?assertEqual({error, timeout}, ?M:accept(L, 0)),
        {ok, _} = ?M:connect(Later, {127, 0, 0, 1}, port(L), []),
        [?assertEqual({error, emfile}, await(Task)) || Task <- Tasks],
        [?assertEqual({error, emfile}, ?M:accept(L, Timeout)) || Timeout <- [0, 1000, infinity]],
        [ok = ?M:close(S) || S <- Sockets],
        {ok, S} = ?M:accept(L, 0),
        is_peer(S, Later),
        ?assertMatch(#{acceptors := 0}, ?M:info()),
        [ok = ?M:close(Socket) || Socket <- [First, S, C, Later, L]]
    end),
    ok = gen_sctp_test_node:stop(Node).

use_up(Sockets) ->
    case ?M:open() of
        {ok, S} -> use_up([S | Sockets]);
        {error, emfile} -> Sockets
    end.

%% gen_tcp.

gen_tcp_functions(Config) ->
    L = acceptor(Config),
    C = client(Config, L),
    {ok, S} = gen_tcp:accept(L),
    adopt(S),
    ?assertEqual({error, timeout}, gen_tcp:accept(L, 0)),
    ok = gen_tcp:send(C, [<<"some">>, " words"]),
    %% The comm_up before it is left out.
    ?assertEqual({ok, <<"some words">>}, gen_tcp:recv(S, 0)),
    ok = ?M:send(C, 0, 3, <<"on another stream">>),
    ?assertEqual({ok, <<"on another stream">>}, gen_tcp:recv(S, 0, 10000)),
    ?assertEqual({error, timeout}, gen_tcp:recv(S, 0, 50)),
    ?assertEqual({error, timeout}, gen_tcp:recv(S, 0, 0)),
    ?assertEqual({error, einval}, gen_tcp:recv(S, 5)),
    ?assertError(badarg, gen_tcp:recv(S, 0, -1)),
    ?assertEqual({error, einval}, gen_tcp:send(S, foo)),
    Other = helper(),
    ok = gen_tcp:controlling_process(S, Other),
    ok = call(Other, fun() -> gen_tcp:send(S, <<"from the other">>) end),
    ?assertEqual({ok, <<"from the other">>}, gen_tcp:recv(C, 0)),
    ok = gen_tcp:shutdown(C, write),
    ?assertEqual({error, closed}, gen_tcp:recv(S, 0, 10000)),
    ok = gen_tcp:close(S),
    ?assertEqual({error, closed}, gen_tcp:recv(S, 0)),
    ?assertEqual({error, closed}, gen_tcp:recv(S, 1)),
    ?assertEqual({error, closed}, gen_tcp:send(S, <<"x">>)),
    ?assertEqual({error, closed}, gen_tcp:shutdown(S, write)),
    ?assertEqual({error, closed}, gen_tcp:accept(S)),
    %% Which association?
    Many = listener(Config, []),
    [?assertEqual({error, enotsup}, Answer)
     || Answer <- [gen_tcp:send(Many, <<"x">>), gen_tcp:recv(Many, 0, 0), gen_tcp:recv(Many, 0),
                   gen_tcp:accept(Many), gen_tcp:shutdown(Many, write)]].

%% A pool as of a server: connections come and go, none is lost, none is left.
pool(Config) ->
    Pool = acceptors:start([family(Config), {ip, loopback}], 100, fun acceptors:echo/1),
    Port = acceptors:port(Pool),
    Rounds = 10,
    Clients = [async(fun() -> [ask(Config, Port, N) || N <- lists:seq(1, Rounds)] end)
               || _ <- lists:seq(1, 10)],
    ?assertEqual([lists:duplicate(Rounds, ok) || _ <- Clients], [await(C) || C <- Clients]),
    until(fun() -> gen_sctp_test_lib:counter(acceptors) =:= 100 end),
    ok = acceptors:stop(Pool),
    until(fun() -> maps:with([sockets, closing, acceptors, receivers, terms, monitors], ?M:info())
              =:= #{sockets => 0, closing => 0, acceptors => 0, receivers => 0, terms => 0,
                    monitors => 0}
          end).

ask(Config, Port, N) ->
    {ok, C} = ?M:open([family(Config), {ip, loopback}, {type, stream}, {sctp_nodelay, true}]),
    {ok, _} = ?M:connect(C, loopback(Config), Port, [], 10000),
    ok = gen_tcp:send(C, <<N:32>>),
    {ok, <<N:32>>} = gen_tcp:recv(C, 0, 10000),
    ok = gen_tcp:close(C).

%% Many at once, by fewer processes, some of which die: as many as connected are accepted.
counted(Config) ->
    L = open(Config, [{type, stream}]),
    ok = ?M:listen(L, 100),
    Parent = self(),
    Accept = fun Accept() ->
        {ok, S} = ?M:accept(L),
        {ok, {_, Port}} = inet:peername(S),
        Parent ! {accepted, Port},
        Accept()
    end,
    Tasks = [async(Accept) || _ <- lists:seq(1, 8)],
    Doomed = [async(fun() -> error({taken, ?M:accept(L, 60000)}) end) || _ <- [1, 2, 3]],
    lists:foreach(fun gen_sctp_test_lib:until_blocked/1, Tasks ++ Doomed),
    lists:foreach(fun gen_sctp_test_lib:kill/1, Doomed),
    Ports = [port(client(Config, L)) || _ <- lists:seq(1, 40)],
    ?assertEqual(lists:sort(Ports), lists:sort([accepted() || _ <- Ports])),
    no_message(),
    lists:foreach(fun gen_sctp_test_lib:kill/1, Tasks).

accepted() ->
    receive {accepted, Port} -> Port after 10000 -> error(lost) end.

%% Acceptors that die at any moment: each association is served, or ends with who had it, and
%% nothing is left. For each client one dies that is among the first in line, about when it is
%% called; and of those who tell that they have an association every second dies. Nobody comes in
%% their place, which would hide that somebody else should have been called.
killed_at_random(Config) ->
    L = open(Config, [{type, stream}]),
    ok = ?M:listen(L, 100),
    Before = held(),
    Number = 40,
    Acceptors = 2 * Number + 2,
    {task, Pid, _} = Killer = async(fun() ->
        kill_some([acceptor_of(L) || _ <- lists:seq(1, Acceptors)],
                  #{served => [], died_with => [], died_without => 0})
    end),
    until(fun() -> gen_sctp_test_lib:counter(acceptors) =:= Acceptors end),
    Clients = [async(fun() -> [greeted(Config, L, Pid) || _ <- lists:seq(1, Number div 4)] end)
               || _ <- [1, 2, 3, 4]],
    Ends = lists:append([await(Client) || Client <- Clients]),
    Pid ! stop,
    #{served := Served, died_with := With, died_without := Without} = await(Killer),
    Ended = [Port || {Port, {error, closed}} <- Ends],
    ct:log("~p served, ~p died with an association and ~p without; ~p ended",
           [length(Served), length(With), Without, length(Ended)]),
    %% Who was served, and nobody else, was greeted; all others have their end.
    ?assertEqual(lists:sort(Served), lists:sort([Port || {Port, {ok, <<"hello">>}} <- Ends])),
    ?assertEqual(length(Ends), length(Served) + length(Ended)),
    ?assertEqual([], With -- Ended),
    ?assert(length(Served) > 0 andalso length(With) > 0 andalso Without > 0),
    until(fun() -> held() =:= Before end),
    ?assertEqual({error, timeout}, ?M:accept(L, 0)),
    C = client(Config, L),
    is_peer(accept(L), C).

held() ->
    {gen_sctp_test_lib:socket_fds(),
     maps:with([sockets, closing, acceptors, receivers, monitors], ?M:info())}.

%% Tells who has arrived, and greets it when told to.
acceptor_of(L) ->
    Killer = self(),
    spawn(fun() ->
        {ok, S} = ?M:accept(L),
        {ok, {_, Port}} = inet:peername(S),
        Killer ! {has, self(), Port},
        receive serve -> ok end,
        ok = gen_tcp:send(S, <<"hello">>),
        Killer ! {served, self()}
    end).

kill_some(Line, #{served := Served, died_with := With} = Account) ->
    receive
        comes ->
            _ = erlang:send_after(rand:uniform(4) - 1, self(), kill),
            kill_some(Line, Account);
        kill ->
            Pid = lists:nth(rand:uniform(2), Line),
            kill_some(lists:delete(Pid, Line), died(Pid, Account));
        {has, Pid, Port} when length(Served) > length(With) ->
            ok = kill(Pid),
            kill_some(lists:delete(Pid, Line), Account#{died_with := [Port | With]});
        {has, Pid, Port} ->
            Pid ! serve,
            receive {served, Pid} -> ok end,
            kill_some(lists:delete(Pid, Line), Account#{served := [Port | Served]});
        stop ->
            lists:foreach(fun gen_sctp_test_lib:kill/1, Line),
            Account
    end.

%% Kills one of which it is not known what it has.
died(Pid, #{died_with := With, died_without := Without} = Account) ->
    ok = kill(Pid),
    receive
        {has, Pid, Port} -> Account#{died_with := [Port | With]}
    after 0 -> Account#{died_without := Without + 1}
    end.

greeted(Config, L, Killer) ->
    {ok, C} = ?M:open([family(Config), {ip, loopback}, {type, stream}, {end_of_stream, closed}]),
    Killer ! comes,
    {ok, _} = ?M:connect(C, loopback(Config), port(L), [], 10000),
    Port = port(C),
    Greeting = gen_tcp:recv(C, 0, 5000),
    ok = ?M:close(C),
    {Port, Greeting}.

%% The kernel has given it the association, and the library has not yet. In a node of its own, where
%% that takes a while; its scheduler waits with it, so that who kills it has another one.
killed_in_the_call(Config0) ->
    File = filename:join(proplists:get_value(priv_dir, Config0), "accepted"),
    Slow = #{env := Env} = gen_sctp_test_node:faulty([{"SCTP_TEST_ACCEPTED", File}]),
    Node = gen_sctp_test_node:start(Slow#{env := [{"ERL_AFLAGS", "+S 2:2"} | Env]}),
    Config = [{module, ?M}, {family, inet}],
    gen_sctp_test_node:call(Node, fun() ->
        L = acceptor(Config),
        C = open(Config, [{type, stream}]),
        Before = {Fds, _} = held(),
        {Pid, Monitor} = spawn_opt(fun() ->
            _ = ?M:accept(L),
            receive never -> ok end
        end, [monitor, {scheduler, 1}]),
        until_blocked(Pid),
        ok = file:write_file(File, ""),
        _ = spawn_opt(fun() -> kill_when(Fds + 1, Pid, File) end, [link, {scheduler, 2}]),
        {ok, _} = ?M:connect(C, loopback(Config), port(L), [], 10000),
        receive {'DOWN', Monitor, process, Pid, Reason} -> ?assertEqual(killed, Reason) end,
        ?assertMatch(#sctp_shutdown_event{}, event(?M, C)),
        until(fun() -> held() =:= Before end),
        C2 = client(Config, L),
        {ok, S} = ?M:accept(L, 10000),
        is_peer(S, C2)
    end),
    ok = gen_sctp_test_node:stop(Node).

%% It sleeps nowhere: the timer might be the other scheduler's.
kill_when(Fds, Pid, File) ->
    case gen_sctp_test_lib:socket_fds() of
        Fds -> exit(Pid, kill), ok = file:delete(File, [raw]);
        _ -> kill_when(Fds, Pid, File)
    end.

%% The timeout nowait.

select(L) ->
    {select, {select_info, accept, Ref} = Info} = ?M:accept(L, nowait),
    {Info, Ref}.

nowait(Config) ->
    L = acceptor(Config),
    {_, Ref} = select(L),
    ?assertMatch(#{acceptors := 1}, inet:info(L)),
    [C, C2] = [client(Config, L) || _ <- [1, 2]],
    receive {'$socket', L, select, Ref} -> ok end,
    %% Once, however many there are.
    receive Message -> error(Message) after ?SILENCE -> ok end,
    [begin
         {ok, S} = ?M:accept(L, nowait),
         is_peer(adopt(S), Client)
     end || Client <- [C, C2]],
    %% When it is closed.
    {_, Again} = select(L),
    ok = ?M:close(L),
    receive {'$socket', L, abort, {Again, closed}} -> ok end,
    ?assertEqual({error, closed}, ?M:accept(L, nowait)),
    L2 = acceptor(Config),
    {_, Ref2} = select(L2),
    ok = ?M:listen(L2, false),
    receive {'$socket', L2, abort, {Ref2, einval}} -> ok end,
    ?assertEqual({error, einval}, ?M:accept(L2, nowait)),
    ?assertEqual({error, enotsup}, ?M:accept(listener(Config, []), nowait)).

nowait_is_taken_back(Config) ->
    L = acceptor(Config),
    {Info, _} = select(L),
    ok = ?M:cancel(L, Info),
    client(Config, L),
    no_message(),
    accept(L),
    {Info2, _} = select(L),
    client(Config, L),
    receive Message -> self() ! Message end,
    ok = ?M:cancel(L, Info2),
    no_message(),
    ?assertEqual({error, {invalid, Info2}}, ?M:cancel(L, Info2)),
    accept(L),
    %% Who dies waits no longer.
    Other = helper(),
    call(Other, fun() -> select(L) end),
    ?assertMatch(#{acceptors := 1}, inet:info(L)),
    kill(Other),
    until(fun() -> gen_sctp_test_lib:counter(acceptors) =:= 0 end).

%% Who has selected need not come, and holds up nobody.
nowait_in_line(Config) ->
    L = acceptor(Config),
    {_, Ref} = select(L),
    One = named(1, L),
    C = client(Config, L),
    receive {'$socket', L, select, Ref} -> ok end,
    {1, S} = arrived(),
    is_peer(S, C),
    %% And the other way round.
    Two = named(2, L),
    {Info, Ref2} = select(L),
    C2 = client(Config, L),
    {2, S2} = arrived(),
    is_peer(S2, C2),
    %% The kernel announces an association more than once, at times also to who selects: in vain.
    Waits = receive
        {'$socket', L, select, Ref2} -> element(1, select(L))
    after 0 -> Info
    end,
    ok = ?M:cancel(L, Waits),
    no_message(),
    lists:foreach(fun gen_sctp_test_lib:kill/1, [One, Two]).
