%% @doc Owners, waiting processes and the end of sockets.
-module(gen_sctp_nif_lifecycle_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [mod/1, family/1, loopback/1, open/2, adopt/1, listener/2, pair/1, pair/3, join/4, port/1,
         data/2, event/2, next/1, queued/2, silent/1, async/1, await/1, kill/1, helper/0, call/2,
         until/1, until_blocked/1, no_message/0, mailbox/0]).

suite() -> [{timetrap, {seconds, 60}}].

all() -> [{group, stock}, {group, nif}].

groups() ->
    gen_sctp_test_lib:matrix(
        [owner_death, owner_killed, owner_death_under_receiver, close_under_receiver,
         close_by_other, give_away, give_away_refused, give_away_moves_messages,
         give_away_keeps_mode, give_away_under_receiver, peel_off, peel_off_active,
         close_keeps_peeled, close_aborts, receiver_is_no_garbage],
        %% With gen_sctp who restarts an owner can be quicker than the end of its port.
        [restarted_server, restarted_client, garbage, garbage_with_association,
         listening_garbage, watched_garbage,
         connecting_killed, peel_off_owner_dies, many_sockets, restarted_among_links,
         port_of_the_dead, linger_of_many]).

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% Death of the owner.

%% A pair whose client belongs to a helper process.
foreign_pair(Config, ClientOpts) ->
    S = listener(Config, []),
    Owner = helper(),
    C = call(Owner, fun() -> open(Config, ClientOpts) end),
    Pair = call(Owner, fun() -> connect(Config, C, port(S)) end),
    #sctp_assoc_change{state = comm_up, assoc_id = Id} = event(mod(Config), S),
    Pair#{s => S, sid => Id, owner => Owner}.

connect(Config, C, Port) ->
    M = mod(Config),
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = Id} = Up} =
        M:connect(C, loopback(Config), Port, []),
    #{c => C, cid => Id, cup => Up}.

owner_death(Config) ->
    owner_ends(Config, fun(Owner) -> unlink(Owner), exit(Owner, shutdown) end).

owner_killed(Config) ->
    owner_ends(Config, fun(Owner) -> kill(Owner) end).

owner_ends(Config, End) ->
    M = mod(Config),
    #{s := S, c := C, cid := CId, sid := SId, owner := Owner} = foreign_pair(Config, []),
    ok = M:send(C, CId, 0, <<"before">>),
    End(Owner),
    ?assertMatch({_, <<"before">>}, data(M, S)),
    ?assertEqual(#sctp_shutdown_event{assoc_id = SId}, event(M, S)),
    ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = SId}, event(M, S)),
    until(fun() -> M:recv(C, 0) =:= {error, closed} end),
    ?assertEqual({error, einval}, inet:sockname(C)).

owner_death_under_receiver(Config) ->
    M = mod(Config),
    #{c := C, owner := Owner} = foreign_pair(Config, []),
    Receiver = async(fun() -> M:recv(C) end),
    until_blocked(Receiver),
    kill(Owner),
    ?assertEqual({error, closed}, await(Receiver)).

%% Close.

close_under_receiver(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    Receivers = [async(fun() -> M:recv(S) end)],
    lists:foreach(fun(Receiver) -> until_blocked(Receiver) end, Receivers),
    ok = M:close(S),
    ?assertEqual([{error, closed}], [await(Receiver) || Receiver <- Receivers]),
    no_message().

close_by_other(Config) ->
    M = mod(Config),
    #{s := S, c := C, sid := SId} = pair(Config),
    ok = await(async(fun() -> M:close(C) end)),
    ?assertEqual(#sctp_shutdown_event{assoc_id = SId}, event(M, S)),
    ?assertEqual({error, closed}, M:recv(C)),
    no_message().

garbage(Config) ->
    M = mod(Config),
    Fds = gen_sctp_test_lib:socket_fds(),
    %% The owner lives; only its references are gone.
    Owner = helper(),
    ?assertEqual(Fds + 3, call(Owner, fun() -> with_sockets(M, family(Config)) end)),
    until(fun() ->
        call(Owner, fun() -> erlang:garbage_collect() end),
        gen_sctp_test_lib:socket_fds() =:= Fds
    end).

%% The number of descriptors while three sockets are held that nobody will know of later.
with_sockets(M, Family) ->
    Sockets = [begin {ok, S} = M:open([Family]), S end || _ <- [1, 2, 3]],
    Fds = gen_sctp_test_lib:socket_fds(),
    [{ok, _} = inet:sockname(S) || S <- Sockets],
    Fds.

garbage_with_association(Config) ->
    M = mod(Config),
    #{s := S, sid := SId, owner := Owner} = maps:remove(c, foreign_pair(Config, [])),
    until(fun() ->
        call(Owner, fun() -> erlang:garbage_collect() end),
        erlang:garbage_collect(),
        case M:recv(S, 0) of
            {ok, {_, _, [], #sctp_shutdown_event{assoc_id = SId}}} -> true;
            {error, timeout} -> false
        end
    end).

%% Who waits, and will not use the socket again, still gets what it waits for.
receiver_is_no_garbage(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    Port = port(S),
    Test = self(),
    [begin
         {task, Pid, _} = Receiver = async(fun() -> last_message(Config, Port, Test, Receive) end),
         #sctp_assoc_change{state = comm_up, assoc_id = Id} = event(M, S),
         receive {Pid, connected} -> ok end,
         until_blocked(Receiver),
         true = erlang:garbage_collect(Pid),
         ?assertEqual(ok, M:send(S, Id, 0, <<"last">>)),
         {ok, {_, Port, _, <<"last">>}} = await(Receiver),
         #sctp_shutdown_event{assoc_id = Id} = event(M, S),
         #sctp_assoc_change{state = shutdown_comp} = event(M, S)
     end || Receive <- [fun M:recv/1, fun(C) -> M:recv(C, infinity) end,
                        fun(C) -> M:recv(C, 30000) end]].

last_message(Config, Port, Test, Receive) ->
    C = open(Config, []),
    _ = connect(Config, C, Port),
    Test ! {self(), connected},
    Receive(C).

%% Peers find a listening socket, and who knows its port finds it, too: with OTP's gen_sctp it lives
%% as long as its owner.
listening_garbage(Config) ->
    M = mod(Config),
    [begin
         Fds = gen_sctp_test_lib:socket_fds(),
         Owner = helper(),
         [Port, _] = call(Owner, fun() -> [listening_port(Config, Type) || _ <- [1, 2]] end),
         collect(Config, Owner),
         ?assertEqual(Fds + 2, gen_sctp_test_lib:socket_fds()),
         C = open(Config, []),
         #{cid := Id} = connect(Config, C, Port),
         collect(Config, Owner),
         ok = M:send(C, Id, 0, <<"served">>),
         gen_sctp_test_lib:all_arrived(C, Id),
         %% Whoever finds it can serve it, and end that.
         call(helper(), fun() ->
             [S] = [S || S <- M:which_sockets(), inet:port(S) =:= {ok, Port}],
             _ = [begin
                      #sctp_assoc_change{state = comm_up} = event(M, S),
                      {_, <<"served">>} = data(M, S)
                  end || Type =:= seqpacket],
             ok = M:listen(S, false)
         end),
         collect(Config, Owner),
         until(fun() -> collect(Config, Owner), gen_sctp_test_lib:socket_fds() =:= Fds + 2 end),
         case {Type, event(M, C)} of
             {seqpacket, #sctp_shutdown_event{}} -> ok;
             %% Of that which nobody accepts the data is unread.
             {stream, #sctp_assoc_change{state = comm_lost}} -> ok
         end,
         ok = M:close(C),
         %% The other one is left.
         kill(Owner),
         until(fun() -> gen_sctp_test_lib:socket_fds() =:= Fds end)
     end || Type <- [seqpacket, stream]].

listening_port(Config, Type) ->
    {ok, S} = gen_sctp_nif:open([family(Config), {ip, loopback}, {type, Type}]),
    ok = gen_sctp_nif:listen(S, 3),
    port(S).

%% Has all garbage collected: that of now, as that which comes after it.
collect(Config, Owner) ->
    Port = call(Owner, fun() ->
        {ok, S} = gen_sctp_nif:open([family(Config), {ip, loopback}]),
        port(S)
    end),
    until(fun() ->
        [erlang:garbage_collect(Pid) || Pid <- processes()],
        case gen_sctp_nif:open(Port, [family(Config), {ip, loopback}]) of
            {ok, S} -> ok = gen_sctp_nif:close(S), true;
            {error, eaddrinuse} -> false
        end
    end).

%% The message of a monitor names the socket; with the process it is for the monitor ends.
watched_garbage(Config) ->
    Fds = gen_sctp_test_lib:socket_fds(),
    Owner = helper(),
    Watcher = helper(),
    {Number, Monitor} = call(Owner, fun() ->
        S = open(Config, []),
        {ok, Number} = gen_sctp_nif:getfd(S),
        {Number, call(Watcher, fun() -> inet:monitor(S) end)}
    end),
    collect(Config, Owner),
    ?assertEqual(Fds + 1, gen_sctp_test_lib:socket_fds()),
    ?assertEqual(1, gen_sctp_test_lib:counter(watchers)),
    [S] = gen_sctp_nif:which_sockets(),
    ?assertEqual({ok, Number}, gen_sctp_nif:getfd(S)),
    kill(Watcher),
    until(fun() ->
        erlang:garbage_collect(),
        gen_sctp_test_lib:socket_fds() =:= Fds
    end),
    ?assertNot(inet:cancel_monitor(Monitor)).

many_sockets(Config) ->
    %% Opened and closed over and over nothing piles up (end_per_testcase counts).
    M = mod(Config),
    [begin
         {ok, S} = M:open([family(Config), {active, Mode}]),
         ok = M:close(S)
     end || _ <- lists:seq(1, 50), Mode <- [false, true, once]],
    no_message().

%% Giving a socket away.

give_away(Config) ->
    M = mod(Config),
    #{s := S, c := C, sid := SId} = pair(Config),
    New = helper(),
    ?assertEqual(ok, M:controlling_process(C, self())),
    ?assertEqual(ok, M:controlling_process(C, New)),
    %% It is New's already, so anyone may say so.
    ?assertEqual(ok, M:controlling_process(C, New)),
    ?assertEqual({error, not_owner}, M:controlling_process(C, self())),
    ?assertEqual(ok, call(New, fun() -> M:controlling_process(C, New) end)),
    kill(New),
    ?assertEqual(#sctp_shutdown_event{assoc_id = SId}, event(M, S)).

give_away_refused(Config) ->
    M = mod(Config),
    S = open(Config, []),
    Other = helper(),
    ?assertEqual({error, not_owner}, call(Other, fun() -> M:controlling_process(S, Other) end)),
    [?assertError(badarg, M:controlling_process(A, B))
     || {A, B} <- [{S, no_pid}, {not_a_socket, self()}, {S, S}]],
    %% A process of another node, by the external term format.
    Far = binary_to_term(<<131, 88, 119, 5, "far@x", 1:32, 0:32, 1:32>>),
    ?assertEqual({error, not_owner}, call(Other, fun() -> M:controlling_process(S, Far) end)),
    ?assertEqual({error, badarg}, M:controlling_process(S, Far)).

give_away_moves_messages(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config),
    ok = inet:setopts(S, [{active, true}]),
    [ok = M:send(C, Id, 0, <<N>>) || N <- [1, 2, 3]],
    queued(S, 3),
    self() ! keep_me,
    New = helper(),
    ok = M:controlling_process(S, New),
    [ok = M:send(C, Id, 0, <<N>>) || N <- [4, 5]],
    ?assertEqual([<<N>> || N <- [1, 2, 3, 4, 5]],
                 call(New, fun() -> [next(S) || _ <- [1, 2, 3, 4, 5]] end)),
    ?assertEqual([keep_me], mailbox()).

give_away_keeps_mode(Config) ->
    M = mod(Config),
    [begin
         S = open(Config, [{active, Mode}]),
         New = helper(),
         ok = M:controlling_process(S, New),
         ?assertEqual({ok, [{active, Mode}]}, inet:getopts(S, [active])),
         ?assertEqual([], call(New, fun() -> mailbox() end))
     end || Mode <- [false, true, once, 1, 17]],
    no_message().

give_away_under_receiver(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config),
    Receiver = async(fun() -> M:recv(S) end),
    until_blocked(Receiver),
    New = helper(),
    ok = M:controlling_process(S, New),
    ok = M:send(C, Id, 0, <<"mine">>),
    ?assertMatch({ok, {_, _, _, <<"mine">>}}, await(Receiver)).

%% Waiting processes that are killed.

connecting_killed(Config) ->
    M = mod(Config),
    {ok, C} = M:open([family(Config)]),
    adopt(C),
    IP = gen_sctp_test_lib:unanswered(family(Config)),
    Connecting = async(fun() -> M:connect(C, IP, 9, []) end),
    until_blocked(Connecting),
    kill(Connecting),
    ?assertEqual({error, ealready}, M:connect(C, IP, 9, [])),
    ?assertEqual({error, timeout}, M:recv(C, 0)).

%% Peeled-off sockets.

peel_off(Config) ->
    M = mod(Config),
    #{s := S, c := C, sid := SId, cid := CId} = pair(Config),
    Other = join(M, loopback(Config), S, open(Config, [])),
    ok = M:send(C, CId, 0, <<"queued">>),
    gen_sctp_test_lib:all_arrived(C, CId),
    {ok, P} = M:peeloff(S, SId),
    adopt(P),
    ?assertMatch({_, <<"queued">>}, data(M, P)),
    ?assertEqual(inet:sockname(C), inet:peername(P)),
    ?assertEqual({error, epipe}, M:send(S, SId, 0, <<"gone">>)),
    ?assertEqual({error, einval}, M:peeloff(S, SId)),
    ?assertEqual({error, einval}, M:peeloff(P, SId)),
    ?assertEqual({error, einval}, M:listen(P, true)),
    ok = M:send(P, SId, 0, <<"answer">>),
    ?assertMatch({_, <<"answer">>}, data(M, C)),
    %% The other association stays.
    ok = M:send(S, maps:get(sid, Other), 0, <<"stays">>),
    ?assertMatch({_, <<"stays">>}, data(M, maps:get(c, Other))),
    ok = M:eof(C, #sctp_assoc_change{assoc_id = CId}),
    ?assertMatch(#sctp_shutdown_event{}, event(M, P)),
    ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(M, P)).

peel_off_active(Config) ->
    M = mod(Config),
    #{s := S, c := C, sup := Up, cid := CId} = pair(Config, [list], []),
    {ok, P} = M:peeloff(S, Up),
    adopt(P),
    ok = inet:setopts(P, [{active, once}]),
    ok = M:send(C, CId, 0, <<"peeled">>),
    ?assertEqual("peeled", next(P)),
    silent(P).

%% Who hears of a server's end, as a supervisor does, can have its port at once.
restarted_server(Config) ->
    M = mod(Config),
    process_flag(trap_exit, true),
    Parent = self(),
    Serve = fun(Port) ->
        {ok, S} = M:open(Port, [family(Config), {ip, loopback}, {reuseaddr, true}]),
        ok = M:listen(S, true),
        S
    end,
    [begin
         Server = spawn_link(fun() ->
             S = Serve(0),
             Parent ! {serves, port(S)},
             receive stop -> M:close(S) end
         end),
         Port = receive {serves, P} -> P end,
         Clients = [connect(Config, open(Config, []), Port) || _ <- lists:seq(1, Number)],
         exit(Server, Reason),
         receive {'EXIT', Server, _} -> ok end,
         ok = M:close(Serve(Port)),
         [ok = M:close(C) || #{c := C} <- Clients]
     end || Number <- [0, 1, 3, 20], Reason <- [kill, shutdown], _ <- lists:seq(1, 5)].

%% The same port to the same peer again.
restarted_client(Config) ->
    M = mod(Config),
    Port = port(listener(Config, [])),
    Dial = fun(From) ->
        {ok, C} = M:open(From, [family(Config), {ip, loopback}, {reuseaddr, true}]),
        connect(Config, C, Port)
    end,
    Parent = self(),
    [begin
         {Client, Monitor} = spawn_monitor(fun() ->
             #{c := C} = Dial(0),
             Parent ! {from, port(C)},
             receive stop -> M:close(C) end
         end),
         From = receive {from, P} -> P end,
         exit(Client, kill),
         receive {'DOWN', Monitor, process, Client, killed} -> ok end,
         #{c := Again} = Dial(From),
         ok = M:close(Again)
     end || _ <- lists:seq(1, 20)].

%% An owner with links and monitors: the VM tells each of them of its end, and closes its sockets
%% after that.
restarted_among_links(Config) ->
    M = mod(Config),
    process_flag(trap_exit, true),
    Peer = port(listener(Config, [])),
    Bind = fun(Port) -> open(Config, [{port, Port}]) end,
    Serve = fun(Port) -> listener(Config, [{port, Port}, {reuseaddr, true}]) end,
    Dial = fun(Port) ->
        #{c := C} = connect(Config, open(Config, [{port, Port}, {reuseaddr, true}]), Peer),
        C
    end,
    [begin
         Owner = linked_owner(Links),
         Port = call(Owner, fun() -> port(Start(0)) end),
         ends(Owner),
         ok = M:close(Start(Port))
     end || {Links, Rounds} <- [{0, 2}, {100, 20}, {1000, 3}, {5000, 2}],
            Start <- [Bind, Serve, Dial], _ <- lists:seq(1, Rounds)].

%% It is not the first address that is in use, or not before the socket listens.
port_of_the_dead(Config) ->
    M = mod(Config),
    process_flag(trap_exit, true),
    Address = case family(Config) of
                  inet -> {10, 66, 0, 1};
                  inet6 -> {16#fd66, 0, 0, 0, 0, 0, 0, 1}
              end,
    At = fun(Addresses, Port) ->
        {ok, S} = M:open([family(Config), {port, Port}, {reuseaddr, true} |
                          [{ip, IP} || IP <- Addresses]]),
        adopt(S)
    end,
    [begin
         Owner = linked_owner(1000),
         S = call(Owner, fun() -> At([Address], 0) end),
         Port = port(S),
         Mine = At([loopback(Config) | [Address || Take =:= listen]], Port),
         ok = call(Owner, fun() -> M:listen(S, true) end),
         ends(Owner),
         case Take of
             listen -> ok = M:listen(Mine, true);
             bindx -> ok = M:bindx(Mine, add, [Address]);
             open -> ok = M:close(Mine), At([loopback(Config), Address], Port)
         end
     end || Take <- [listen, bindx, open], _ <- lists:seq(1, 5)].

%% A process with so many links, and as many that monitor it.
linked_owner(Links) ->
    Owner = helper(),
    call(Owner, fun() ->
        Linked = [spawn_link(fun() -> link_to(Owner) end) || _ <- lists:seq(1, Links)],
        [receive {Pid, linked} -> ok end || Pid <- Linked]
    end),
    Owner.

link_to(Owner) ->
    Monitor = monitor(process, Owner),
    Owner ! {self(), linked},
    receive {'DOWN', Monitor, process, Owner, _} -> ok end.

%% As its supervisor hears of it.
ends(Owner) ->
    exit(Owner, kill),
    receive {'EXIT', Owner, killed} -> ok end.

close_keeps_peeled(Config) ->
    M = mod(Config),
    #{s := S, c := C, sid := SId, cid := CId} = pair(Config),
    {ok, P} = M:peeloff(S, SId),
    adopt(P),
    ok = M:close(S),
    ok = M:send(C, CId, 0, <<"still">>),
    ?assertMatch({_, <<"still">>}, data(M, P)).

%% What the lingering time, and what data that nobody has read, make of a close.
close_aborts(Config) ->
    M = mod(Config),
    [begin
         #{s := S, c := C, sid := SId} = pair(Config, [], [{type, Type}, {linger, Linger}]),
         [begin
              ok = M:send(S, SId, 0, <<"unread">>),
              gen_sctp_test_lib:all_arrived(S, SId)
          end || Unread],
         ok = M:close(C),
         ?assertMatch(#sctp_assoc_change{state = comm_lost, assoc_id = SId}, event(M, S))
     end || Type <- [seqpacket, stream],
            {Linger, Unread} <- [{{true, 0}, false}, {{true, 30}, true}, {{false, 30}, true}]],
    no_message().

%% A negative time is a very long one, as it is for the kernel.
linger_of_many(Config) ->
    M = mod(Config),
    [begin
         S = listener(Config, [{linger, {true, Time}}]),
         Pairs = [join(M, loopback(Config), S, open(Config, [])) || _ <- lists:seq(1, Number)],
         ok = M:close(S),
         [begin
              ?assertMatch({ok, {_, _, _, #sctp_shutdown_event{}}}, M:recv(C, 0)),
              %% The last packet may be under way.
              ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(M, C))
          end || #{c := C} <- Pairs]
     end || {Time, Number} <- [{30, 0}, {30, 20}, {-1, 1}, {16#7fffffff, 1}]],
    no_message().

peel_off_owner_dies(Config) ->
    M = mod(Config),
    #{s := S, c := C, sid := SId, cid := CId} = pair(Config),
    Owner = helper(),
    {ok, P} = call(Owner, fun() -> M:peeloff(S, SId) end),
    %% It belongs to who peeled it off.
    ?assertEqual({error, not_owner}, M:controlling_process(P, self())),
    kill(Owner),
    ?assertEqual(#sctp_shutdown_event{assoc_id = CId}, event(M, C)).

