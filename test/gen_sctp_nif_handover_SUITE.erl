%% @doc Giving a socket to another process: what happens meanwhile, to mode, counts and messages.
-module(gen_sctp_nif_handover_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [mod/1, loopback/1, open/2, listener/2, pair/1, port/1, next/1, async/1,
         await/1, kill/1, until/1, until_blocked/1, all_arrived/2, family/1, helper/0,
         call/2, silent/1, spin/1]).

suite() -> [{timetrap, {seconds, 90}}].

all() -> [{group, nif}].

groups() ->
    Cases = [give_away_to_the_dying, give_away_twice, mode_set_while_given_away,
             counts_end_while_given_away, given_back, receiver_while_given_away,
             connect_while_given_away, limit_while_given_away, closed_while_given_away,
             give_away_answered_at_once, counted_while_given_away],
    [{nif, [], [{inet, [], Cases}, {inet6, [], Cases}]}].

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

give_away_to_the_dying(Config) ->
    M = mod(Config),
    Results = [begin
                   S = open(Config, [{active, 3}]),
                   Pid = spawn(fun() -> receive stop -> ok end end),
                   Killer = spawn_link(fun() -> spin(Round rem 64), exit(Pid, kill) end),
                   spin(Round div 64),
                   Result = M:controlling_process(S, Pid),
                   kill(Killer),
                   kill(Pid),
                   case Result of
                       ok ->
                           %% Its end was the socket's end.
                           until(fun() -> M:recv(S, 0) =:= {error, closed} end);
                       {error, badarg} ->
                           ?assertEqual({ok, [{active, 3}]}, inet:getopts(S, [active])),
                           ok = M:close(S)
                   end,
                   Result
               end || Round <- lists:seq(1, 500)],
    %% It died before, and after.
    ?assertEqual([ok, {error, badarg}], lists:usort(Results)).

give_away_twice(Config) ->
    %% The library's own calls: the first handover is not completed.
    {'$inet', _, Ref} = S = open(Config, [{active, once}]),
    [First, Second] = [spawn(fun() -> receive stop -> ok end end) || _ <- [1, 2]],
    ok = gen_sctp_nif_prim:handover(Ref, First),
    ok = gen_sctp_nif_prim:handover(Ref, Second),
    ?assertEqual({error, badarg}, gen_sctp_nif_prim:adopt(Ref, First)),
    kill(First),
    %% Taken back.
    ok = gen_sctp_nif_prim:adopt(Ref, self()),
    ?assertEqual({ok, [{active, once}]}, inet:getopts(S, [active])),
    ?assertEqual({error, badarg}, gen_sctp_nif_prim:adopt(Ref, Second)),
    kill(Second),
    ?assertEqual({ok, [{active, once}]}, inet:getopts(S, [active])).

%% A socket in mode Before, in the middle of being given to a helper; a message waits for it.
half_given(Config, Before) ->
    #{m := M, s := S, c := C, cid := Id} = Pair = pair(Config),
    {'$inet', _, Ref} = S,
    New = helper(),
    ok = inet:setopts(S, Before),
    ok = gen_sctp_nif_prim:handover(Ref, New),
    ok = M:send(C, Id, 0, <<"first">>),
    all_arrived(C, Id),
    Pair#{ref => Ref, new => New}.

%% Whatever the new owner sets stands, and is in force when it is the owner, not before.
mode_set_while_given_away(Config) ->
    [begin
         #{m := M, s := S, c := C, cid := Id, ref := Ref, new := New} =
             half_given(Config, [{active, Before}]),
         ?assertEqual({ok, [{active, Before}]}, inet:getopts(S, [active])),
         [ok = call(New, fun() -> inet:setopts(S, Set) end) || Set <- Sets],
         ?assertEqual({ok, [{active, After}]}, inet:getopts(S, [active])),
         ?assertMatch(#{active := After}, gen_sctp_nif_prim:info(Ref)),
         ok = M:send(C, Id, 0, <<"second">>),
         all_arrived(C, Id),
         silent(S),
         ok = call(New, fun() -> silent(S) end),
         ok = gen_sctp_nif_prim:adopt(Ref, New),
         ?assertEqual({ok, New}, gen_sctp_nif_prim:owner(Ref)),
         ?assertEqual(Got, call(New, fun() -> [next(S) || _ <- Got] end)),
         ?assertEqual({ok, [{active, Left}]}, inet:getopts(S, [active])),
         ok = call(New, fun() -> silent(S) end),
         ok = M:close(S)
     end || {Before, Sets, After, Got, Left} <-
                [{false, [], false, [], false},
                 {false, [[{active, once}]], once, [<<"first">>], false},
                 {false, [[{active, true}]], true, [<<"first">>, <<"second">>], true},
                 {false, [[{active, 3}]], 3, [<<"first">>, <<"second">>], 1},
                 {false, [[binary, {active, once}]], once, [<<"first">>], false},
                 {false, [[{active, once}], [{active, false}]], false, [], false},
                 {once, [], once, [<<"first">>], false},
                 {once, [[{active, true}]], true, [<<"first">>, <<"second">>], true},
                 {true, [[{active, once}]], once, [<<"first">>], false},
                 {true, [[{active, false}]], false, [], false},
                 {true, [[{active, false}, binary]], false, [], false},
                 {2, [], 2, [<<"first">>, <<"second">>, passive], false},
                 {2, [[{active, 2}]], 4, [<<"first">>, <<"second">>], 2},
                 {2, [[binary, {active, -1}]], 1, [<<"first">>, passive], false},
                 {2, [[{active, once}]], once, [<<"first">>], false}]].

%% A count that ends by being set is announced to who owns the socket then, after all that is moved
%% to it, and before what comes in a later mode.
counts_end_while_given_away(Config) ->
    [begin
         #{m := M, s := S, ref := Ref, new := New} = half_given(Config, [{active, Before}]),
         [ok = inet:setopts(S, Set) || Set <- Sets],
         true = gen_sctp_nif_prim:forward(New, {sctp, S, loopback(Config), 1, {[], moved}}),
         silent(S),
         ok = gen_sctp_nif_prim:adopt(Ref, New),
         ?assertEqual([moved | Got], call(New, fun() -> [next(S) || _ <- [moved | Got]] end)),
         ok = call(New, fun() -> silent(S) end),
         silent(S),
         ok = M:close(S)
     end || {Before, Sets, Got} <-
                [{2, [[{active, -2}]], [passive]},
                 {false, [[{active, 0}]], [passive]},
                 {true, [[binary, {active, 0}]], [passive]},
                 {3, [[{active, -5}], [{active, once}]], [passive, <<"first">>]},
                 {3, [[{active, -3}], [{active, 1}], [{active, -1}]], [passive, passive]}]].

%% The new owner dies: what it has set is in force for the old one, when that takes the socket back.
given_back(Config) ->
    #{m := M, s := S, c := C, cid := Id, ref := Ref, new := New} =
        half_given(Config, [{active, 2}]),
    ok = call(New, fun() -> inet:setopts(S, [{active, -2}]) end),
    ok = call(New, fun() -> inet:setopts(S, [{active, once}]) end),
    kill(New),
    ?assertEqual({error, badarg}, gen_sctp_nif_prim:adopt(Ref, New)),
    silent(S),
    ok = gen_sctp_nif_prim:adopt(Ref, self()),
    ?assertEqual([passive, <<"first">>], [next(S), next(S)]),
    ?assertEqual({ok, [{active, false}]}, inet:getopts(S, [active])),
    %% It is the owner as before, and can give it away.
    Next = helper(),
    ok = M:controlling_process(S, Next),
    ok = inet:setopts(S, [{active, once}]),
    ok = M:send(C, Id, 0, <<"second">>),
    ?assertEqual(<<"second">>, call(Next, fun() -> next(S) end)),
    kill(Next),
    until(fun() -> M:recv(S, 0) =:= {error, closed} end).

%% Nobody gets messages, so who asks does.
receiver_while_given_away(Config) ->
    #{m := M, s := S, c := C, cid := Id, ref := Ref, new := New} =
        half_given(Config, [{active, true}]),
    ?assertMatch({ok, {_, _, _, <<"first">>}}, M:recv(S, 0)),
    ?assertEqual({error, timeout}, M:recv(S, 0)),
    Receiver = async(fun() -> M:recv(S) end),
    until_blocked(Receiver),
    ok = M:send(C, Id, 0, <<"second">>),
    ?assertMatch({ok, {_, _, _, <<"second">>}}, await(Receiver)),
    Waiting = async(fun() -> M:recv(S) end),
    until_blocked(Waiting),
    ok = gen_sctp_nif_prim:adopt(Ref, New),
    ?assertEqual({error, einval}, M:recv(S, 0)),
    ok = M:send(C, Id, 0, <<"third">>),
    ?assertEqual(<<"third">>, call(New, fun() -> next(S) end)),
    %% As when the mode is changed under a receiver.
    until_blocked(Waiting),
    kill(Waiting).

%% The event that a connecting process gets counts, as on any active socket.
connect_while_given_away(Config) ->
    M = mod(Config),
    Port = port(listener(Config, [])),
    #{s := S, ref := Ref, new := New} = half_given(Config, [{active, 2}]),
    {ok, #sctp_assoc_change{state = comm_up}} = M:connect(S, loopback(Config), Port, []),
    ?assertEqual({ok, [{active, 1}]}, inet:getopts(S, [active])),
    Other = port(listener(Config, [])),
    {ok, #sctp_assoc_change{state = comm_up}} = M:connect(S, loopback(Config), Other, []),
    ?assertEqual({ok, [{active, false}]}, inet:getopts(S, [active])),
    silent(S),
    ok = inet:setopts(S, [{active, once}]),
    ok = gen_sctp_nif_prim:adopt(Ref, New),
    ?assertEqual([passive, <<"first">>], call(New, fun() -> [next(S), next(S)] end)).

%% What may be delivered is what the new owner's mailbox has room for.
limit_while_given_away(Config) ->
    #{m := M, s := S, c := C, cid := Id, ref := Ref, new := New} =
        half_given(Config, [{active, false}, {mailbox_limit, 1}]),
    ok = inet:setopts(S, [{active, true}, {mailbox_limit, 2}]),
    [ok = M:send(C, Id, 0, Data) || Data <- [<<"second">>, <<"third">>]],
    all_arrived(C, Id),
    New ! in_the_way,
    silent(S),
    ok = gen_sctp_nif_prim:adopt(Ref, New),
    Queued = fun() -> element(2, process_info(New, message_queue_len)) end,
    until(fun() -> Queued() =:= 2 end),
    ?assertEqual([<<"first">>, <<"second">>, <<"third">>],
                 call(New, fun() ->
                     receive in_the_way -> ok end,
                     [next(S) || _ <- [1, 2, 3]]
                 end)).

closed_while_given_away(Config) ->
    [begin
         #{m := M, s := S, ref := Ref, new := New} = half_given(Config, [{active, true}]),
         ok = M:close(S),
         ?assertEqual({error, closed}, gen_sctp_nif_prim:adopt(Ref, To(New))),
         ok = call(New, fun() -> silent(S) end)
     end || To <- [fun(New) -> New end, fun(_) -> self() end]],
    %% By the death of the old owner, too.
    S = open(Config, [{active, true}]),
    {'$inet', _, Ref} = S,
    Old = helper(),
    New = helper(),
    ok = (mod(Config)):controlling_process(S, Old),
    ok = call(Old, fun() -> gen_sctp_nif_prim:handover(Ref, New) end),
    kill(Old),
    until(fun() -> gen_sctp_nif_prim:owner(Ref) =:= {error, closed} end),
    ?assertEqual({error, closed}, gen_sctp_nif_prim:adopt(Ref, New)).

%% Two processes give a socket to each other, and with it a message. The new owner answers that at
%% once, while it is still being made the owner: it asks for one more, which lies in the kernel, and
%% must get it. That one is moved in the next round.
give_away_answered_at_once(Config) ->
    #{m := M, s := S, c := C, cid := Id} = Pair = pair(Config),
    ok = M:send(C, Id, 0, <<1:32>>),
    Rounds = rounds(Config, 5),
    Players = in_turns(Config, S, <<0:32>>, fun(Other) -> answer(Pair, Other, Rounds) end),
    lists:foreach(fun gen_sctp_test_lib:kill/1, Players).

answer(#{m := M, s := S, c := C, cid := Id} = Pair, Other, Rounds) ->
    N = spin_for(S),
    ok = inet:setopts(S, [{active, once}]),
    receive
        {sctp, S, _, _, {_, <<Rounds:32>>}} ->
            ok;
        {sctp, S, _, _, {_, <<Next:32>>}} = Message ->
            ?assertEqual(N + 1, Next),
            ok = M:send(C, Id, 0, <<(Next + 1):32>>),
            self() ! Message,
            ok = M:controlling_process(S, Other),
            answer(Pair, Other, Rounds)
    after 10000 ->
        error({nothing_after, N, inet:getopts(S, [active])})
    end.

%% Who waits in a receive is not quick enough.
spin_for(S) ->
    receive {sctp, S, _, _, {_, <<N:32>>}} -> N after 0 -> spin_for(S) end.

%% While they do, a third process adds to the count, and finds each time all that it has added.
counted_while_given_away(Config) ->
    M = mod(Config),
    S = open(Config, []),
    Rounds = rounds(Config, 100),
    Adder = spawn_link(fun() -> add(S, 1) end),
    Players = in_turns(Config, S, Rounds, fun(Other) -> pass(M, S, Other) end),
    lists:foreach(fun gen_sctp_test_lib:kill/1, [Adder | Players]).

pass(M, S, Other) ->
    receive
        {sctp, S, _, _, {[], 0}} ->
            ok;
        {sctp, S, IP, Port, {[], N}} ->
            self() ! {sctp, S, IP, Port, {[], N - 1}},
            ok = M:controlling_process(S, Other),
            pass(M, S, Other)
    end.

add(S, Count) ->
    ok = inet:setopts(S, [binary || Count rem 2 =:= 0] ++ [{active, 1}]),
    ?assertEqual({ok, [{active, Count}]}, inet:getopts(S, [active])),
    case Count of
        1000 -> ok = inet:setopts(S, [{active, 1 - Count}]), add(S, 2);
        _ -> add(S, Count + 1)
    end.

rounds(Config, Times) ->
    All = Times * list_to_integer(os:getenv("SCTP_ROUNDS", "200")),
    case family(Config) of inet -> All; inet6 -> All div 5 end.

%% Two processes run a function of the other one, until it returns for one of them. The first owns
%% the socket and has a message of it.
in_turns(Config, S, Data, Fun) ->
    Self = self(),
    Play = fun() ->
        receive {play, Other} -> ok = Fun(Other) end,
        Self ! ended,
        receive stop -> ok end
    end,
    Players = [First, Second] = [spawn_link(Play) || _ <- [1, 2]],
    ok = (mod(Config)):controlling_process(S, First),
    Second ! {play, First},
    First ! {sctp, S, loopback(Config), 1, {[], Data}},
    First ! {play, Second},
    receive ended -> Players end.
