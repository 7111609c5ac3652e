%% @doc Delivery to the owner: {active, false | true | once | N} and changes between them.
-module(gen_sctp_nif_active_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [mod/1, family/1, loopback/1, open/2, adopt/1, listener/2, pair/1, pair/3, port/1,
         recv/2, data/2, event/2, next/1, silent/1, async/1, await/1, until_blocked/1,
         no_message/0]).

suite() -> [{timetrap, {seconds, 60}}].

all() -> [{group, stock}, {group, nif}].

groups() ->
    gen_sctp_test_lib:matrix(
        [message_shapes, list_mode, once, once_takes_what_is_queued, n_counts_down,
         n_arithmetic, n_out_of_range, n_at_open, n_counts_events, true_then_false,
         false_is_final, receive_while_active, active_while_receiving, active_connect,
         once_connect, connect_with_n, error_events, stream_socket_error, switch_under_load,
         owner_only, whole_list_counts],
        [multi_is_refused, order_off_heap]).

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

active(S, Mode) ->
    inet:setopts(S, [{active, Mode}]).

active(S) ->
    {ok, [{active, Mode}]} = inet:getopts(S, [active]),
    Mode.

send(#{m := M, c := C, cid := Id}, Numbers) ->
    [ok = M:send(C, Id, 0, <<N:32>>) || N <- Numbers].

%% A mailbox outside of the heap has several places when it is busy, and to the VM each sender has
%% his own: messages of a socket keep their order even so, whoever has read them for the owner, the
%% owner himself, another process or the I/O thread. Which place comes first depends on the pids.
order_off_heap(Config) ->
    M = mod(Config),
    _ = erts_debug:set_internal_state(available_internal_state, true),
    try
        [begin
             Pair = #{s := S} = pair(Config),
             Owner = gen_sctp_test_lib:helper(),
             true = gen_sctp_test_lib:call(Owner, fun busy_off_heap/0),
             ok = M:controlling_process(S, Owner),
             _ = send(Pair, lists:seq(1, 100)),
             ok = gen_sctp_test_lib:all_arrived(maps:get(c, Pair), maps:get(cid, Pair)),
             gen_sctp_test_lib:call(Owner, fun() -> ?assertEqual(ok, Start(S)), in_order(S) end)
         end || _ <- lists:seq(1, 8),
                Start <- [fun(S) -> active(S, true) end,
                          fun(S) -> ok = active(S, once), active(S, true) end,
                          fun(S) -> active(S, 100) end,
                          fun(S) -> await(async(fun() -> active(S, true) end)) end]]
    after
        erts_debug:set_internal_state(available_internal_state, false)
    end,
    no_message().

busy_off_heap() ->
    process_flag(message_queue_data, off_heap),
    erts_debug:set_internal_state(proc_sig_buffers, true).

%% Nothing is taken out of the mailbox before all has been read for it.
in_order(S) ->
    case inet:getstat(S, [recv_cnt]) of
        {ok, [{recv_cnt, Read}]} when Read < 101 -> erlang:yield(), in_order(S);
        {ok, _} -> [?assertEqual(<<N:32>>, next(S)) || N <- lists:seq(1, 100)]
    end.

%% What the messages look like.

message_shapes(Config) ->
    M = mod(Config),
    IP = loopback(Config),
    S = listener(Config, [{active, true}]),
    C = open(Config, [{active, true}]),
    SPort = port(S),
    CPort = port(C),
    ok = M:connect_init(C, IP, SPort, []),
    CId = receive {sctp, C, IP, SPort, {[], #sctp_assoc_change{state = comm_up} = Up}} ->
              Up#sctp_assoc_change.assoc_id
          after 10000 -> error(no_comm_up)
          end,
    SId = receive {sctp, S, IP, CPort, {[], #sctp_assoc_change{state = comm_up} = SUp}} ->
              SUp#sctp_assoc_change.assoc_id
          after 10000 -> error(no_comm_up)
          end,
    ok = M:send(C, CId, 0, <<"data">>),
    receive
        {sctp, S, IP, CPort, {[Info], Data}} ->
            ?assertEqual(<<"data">>, Data),
            ?assertMatch(#sctp_sndrcvinfo{stream = 0, assoc_id = SId}, Info)
    after 10000 -> error(no_data)
    end,
    ok = M:eof(C, #sctp_assoc_change{assoc_id = CId}),
    ?assertEqual(#sctp_shutdown_event{assoc_id = SId}, next(S)),
    ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = SId}, next(S)),
    ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = CId}, next(C)),
    ?assertEqual(true, active(S)).

list_mode(Config) ->
    #{s := S} = Pair = pair(Config, [list], []),
    ok = active(S, true),
    send(Pair, [1]),
    ?assertEqual([0, 0, 0, 1], next(S)),
    %% Without data_io_event there is no information with the data.
    ok = inet:setopts(S, [{sctp_events, #sctp_event_subscribe{data_io_event = false}}]),
    send(Pair, [2]),
    receive
        {sctp, S, _, _, Content} -> ?assertEqual({[], [0, 0, 0, 2]}, Content)
    after 10000 -> error(no_data)
    end.

%% Once.

once(Config) ->
    M = mod(Config),
    #{s := S} = Pair = pair(Config),
    ok = active(S, once),
    ?assertEqual(once, active(S)),
    send(Pair, [1, 2, 3]),
    ?assertEqual(<<1:32>>, next(S)),
    ?assertEqual(false, active(S)),
    silent(S),
    ?assertMatch({_, <<2:32>>}, data(M, S)),
    ok = active(S, once),
    ?assertEqual(<<3:32>>, next(S)),
    %% No sctp_passive after once.
    silent(S).

once_takes_what_is_queued(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = Pair = pair(Config),
    send(Pair, [1, 2]),
    [begin ok = active(S, once), ?assertEqual(<<N:32>>, next(S)) end || N <- [1, 2]],
    ok = M:eof(C, #sctp_assoc_change{assoc_id = Id}),
    [begin ok = active(S, once), ?assertEqual(Tag, element(1, next(S))) end
     || Tag <- [sctp_shutdown_event, sctp_assoc_change]],
    ?assertEqual(false, active(S)),
    silent(S).

%% N.

n_counts_down(Config) ->
    M = mod(Config),
    #{s := S} = Pair = pair(Config),
    ok = active(S, 3),
    send(Pair, lists:seq(1, 5)),
    ?assertEqual([<<1:32>>, <<2:32>>, <<3:32>>, passive], [next(S) || _ <- [1, 2, 3, p]]),
    ?assertEqual(false, active(S)),
    [?assertMatch({_, <<N:32>>}, data(M, S)) || N <- [4, 5]],
    silent(S).

n_arithmetic(Config) ->
    S = open(Config, []),
    %% Mode set, mode it gives, sctp_passive messages it sends.
    [begin
         ok = active(S, Mode),
         ?assertEqual({Mode, Expected}, {Mode, active(S)}),
         ?assertEqual({Mode, Passive}, {Mode, passives(S)})
     end || {Mode, Expected, Passive} <-
                [{0, false, 1}, {5, 5, 0}, {3, 8, 0}, {0, 8, 0}, {-2, 6, 0}, {-6, false, 1},
                 {-1, false, 1}, {7, 7, 0}, {-100, false, 1}, {4, 4, 0}, {true, true, 0},
                 {2, 2, 0}, {once, once, 0}, {6, 6, 0}, {false, false, 0}, {1, 1, 0},
                 {true, true, 0}, {-2, false, 1}, {once, once, 0}, {0, false, 1},
                 {32767, 32767, 0}, {-32768, false, 1}, {-32768, false, 1},
                 {32000, 32000, 0}, {767, 32767, 0}, {false, false, 0}]],
    %% Several in one call are done from the last to the first.
    [begin
         ok = inet:setopts(S, [{active, Mode} || Mode <- Modes]),
         ?assertEqual({Modes, Expected}, {Modes, active(S)}),
         ok = active(S, false),
         ?assertEqual({Modes, Passive}, {Modes, passives(S)})
     end || {Modes, Expected, Passive} <-
                [{[3, true], 3, 0}, {[true, 3], true, 0}, {[3, 4], 7, 0}, {[-2, 5], 3, 0},
                 {[5, -2], 5, 1}, {[once, 0], once, 1}]].

passives(S) ->
    receive
        {sctp_passive, S} -> 1 + passives(S)
    after 0 ->
        0
    end.

n_out_of_range(Config) ->
    S = open(Config, []),
    [begin
         ok = active(S, Start),
         [?assertEqual({Start, Bad, {error, einval}}, {Start, Bad, active(S, Bad)})
          || Bad <- [32768, -32769, 1 bsl 40, 1.0, sometimes, undefined, {once}]],
         ?assertEqual(Start, active(S))
     end || Start <- [false, true, once]],
    ok = active(S, 32767),
    ?assertEqual({error, einval}, active(S, 1)),
    ?assertEqual({error, einval}, active(S, 32767)),
    ?assertEqual(32767, active(S)),
    ok = active(S, -1),
    ok = active(S, 1),
    ?assertEqual(32767, active(S)),
    %% A list is set from its end, up to what is refused.
    ?assertEqual({error, einval}, inet:setopts(S, [{sctp_disable_fragments, true}, {active, 1}])),
    ?assertEqual({ok, [{sctp_disable_fragments, false}]},
                 inet:getopts(S, [sctp_disable_fragments])),
    silent(S).

n_at_open(Config) ->
    M = mod(Config),
    [begin
         S = open(Config, [{active, Mode} || Mode <- Modes]),
         ?assertEqual({Modes, Expected}, {Modes, active(S)}),
         ?assertEqual({Modes, Passive}, {Modes, passives(S)})
     end || {Modes, Expected, Passive} <-
                [{[10], 10, 0}, {[10, 3], 3, 0}, {[0], false, 1}, {[-1], false, 1},
                 {[32767], 32767, 0}, {[once], once, 0}, {[true], true, 0}]],
    [?assertError(badarg, M:open([family(Config), {active, Bad}]))
     || Bad <- [32768, -32769, sometimes]].

n_counts_events(Config) ->
    M = mod(Config),
    S = listener(Config, [{active, 3}]),
    C = open(Config, []),
    {ok, #sctp_assoc_change{assoc_id = Id} = Up} =
        M:connect(C, loopback(Config), port(S), []),
    ?assertMatch(#sctp_assoc_change{state = comm_up}, next(S)),
    ?assertEqual(2, active(S)),
    ok = M:send(C, Id, 0, <<"one">>),
    ?assertEqual(<<"one">>, next(S)),
    ?assertEqual(1, active(S)),
    ok = M:eof(C, Up),
    ?assertMatch(#sctp_shutdown_event{}, next(S)),
    ?assertEqual(passive, next(S)),
    ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(M, S)).

multi_is_refused(Config) ->
    S = open(Config, []),
    ?assertEqual({error, einval}, active(S, multi)),
    ?assertEqual(false, active(S)).

%% Changes.

%% What waits is delivered as the whole list says, wherever `active' is in it.
whole_list_counts(Config) ->
    #{m := M, s := S, c := C, cid := Id} = pair(Config),
    Send = fun() -> ok = M:send(C, Id, 0, <<"ab">>), gen_sctp_test_lib:all_arrived(C, Id) end,
    Send(),
    ok = inet:setopts(S, [{mode, list}, {active, once}]),
    ?assertEqual("ab", next(S)),
    Send(),
    ok = inet:setopts(S, [{active, once}, {mode, binary}]),
    ?assertEqual(<<"ab">>, next(S)),
    Send(),
    %% The first of several modes is the last to be set.
    ok = inet:setopts(S, [{active, false}, {active, true}]),
    ?assertEqual(false, active(S)),
    silent(S),
    ?assertMatch({ok, {_, _, _, <<"ab">>}}, M:recv(S)).

true_then_false(Config) ->
    M = mod(Config),
    #{s := S} = Pair = pair(Config),
    Numbers = lists:seq(1, 20),
    send(Pair, Numbers),
    ok = inet:setopts(S, [{active, false}, {active, true}]),
    Early = drain(S),
    Rest = [begin {_, <<N:32>>} = data(M, S), N end
            || _ <- lists:seq(1, 20 - length(Early))],
    ?assertEqual(Numbers, Early ++ Rest),
    ?assertEqual({error, timeout}, M:recv(S, 0)).

drain(S) ->
    receive
        {sctp, S, _, _, {_, <<N:32>>}} -> [N | drain(S)]
    after 0 ->
        []
    end.

false_is_final(Config) ->
    M = mod(Config),
    #{s := S} = Pair = pair(Config),
    Total = 200,
    Sender = async(fun() -> send(Pair, lists:seq(1, Total)) end),
    Received = false_is_final(M, S, Total, 1),
    await(Sender),
    ?assertEqual(lists:seq(1, Total), Received).

%% Takes at least one message in active mode, stops, and then looks whether one came later.
false_is_final(_, _, Total, Next) when Next > Total ->
    [];
false_is_final(M, S, Total, Next) ->
    ok = active(S, true),
    <<First:32>> = next(S),
    ok = active(S, false),
    Early = [First | drain(S)],
    %% A receive that polls gives the loop of an implementation time to break the promise.
    Polled = case M:recv(S, 0) of
                 {ok, {_, _, _, <<N:32>>}} -> [N];
                 {error, timeout} -> []
             end,
    silent(S),
    Got = Early ++ Polled,
    Got ++ false_is_final(M, S, Total, Next + length(Got)).

switch_under_load(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config),
    Total = 400,
    Sender = async(fun() -> [push(M, C, Id, <<N:32>>) || N <- lists:seq(1, Total)], sent end),
    Modes = [once, true, 3, false, 1, once, false, 7],
    Received = switch(M, S, Modes, Modes, Total),
    ?assertEqual(sent, await(Sender)),
    ?assertEqual(lists:seq(1, Total), Received),
    ok = active(S, false),
    ?assertEqual({error, timeout}, M:recv(S, 0)),
    _ = passives(S),
    silent(S).

%% Sends in spite of a full buffer, which OTP 25 reports at once.
push(M, C, Id, Data) ->
    case M:send(C, Id, 0, Data) of
        ok -> ok;
        {error, eagain} -> erlang:yield(), push(M, C, Id, Data)
    end.

switch(_, _, _, _, Left) when Left =< 0 ->
    [];
switch(M, S, [], All, Left) ->
    switch(M, S, All, All, Left);
switch(M, S, [false | Modes], All, Left) ->
    ok = active(S, false),
    Early = drain(S),
    Polled = [N || Left > length(Early), {_, <<N:32>>} <- [data(M, S)]],
    Got = Early ++ Polled,
    Got ++ switch(M, S, Modes, All, Left - length(Got));
switch(M, S, [Mode | Modes], All, Left) ->
    ok = active(S, Mode),
    %% What lies there already may be all that this mode gives.
    Got = case drain(S) of
              [] -> [next_number(S)];
              Early -> Early
          end,
    Got ++ switch(M, S, Modes, All, Left - length(Got)).

next_number(S) ->
    case next(S) of
        <<N:32>> -> N;
        passive -> next_number(S)
    end.

receive_while_active(Config) ->
    M = mod(Config),
    #{s := S} = Pair = pair(Config),
    [begin
         ok = active(S, Mode),
         ?assertEqual({error, einval}, M:recv(S, 0)),
         ?assertEqual({error, einval}, M:recv(S)),
         ok = active(S, false)
     end || Mode <- [true, once, 5]],
    send(Pair, [1]),
    ?assertMatch({_, <<1:32>>}, data(M, S)),
    no_message().

active_while_receiving(Config) ->
    M = mod(Config),
    #{s := S} = Pair = pair(Config),
    Timeout = case M of gen_sctp_nif -> infinity; gen_sctp -> 1000 end,
    Receiver = async(fun() -> M:recv(S, Timeout) end),
    until_blocked(Receiver),
    ok = active(S, true),
    send(Pair, [1, 2]),
    %% The owner gets them; the one who waited waits on.
    ?assertEqual([<<1:32>>, <<2:32>>], [next(S), next(S)]),
    ok = active(S, false),
    until_blocked(Receiver),
    case M of
        gen_sctp_nif ->
            send(Pair, [3]),
            ?assertMatch({ok, {_, _, _, <<3:32>>}}, await(Receiver));
        %% In vain, as OTP's no longer looks for it.
        gen_sctp ->
            ?assertEqual({error, timeout}, await(Receiver)),
            send(Pair, [3]),
            ?assertMatch({_, <<3:32>>}, data(M, S))
    end.

%% Connect on an active socket.

active_connect(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = open(Config, [{active, true}]),
    ?assertMatch({ok, #sctp_assoc_change{state = comm_up}},
                 M:connect(C, loopback(Config), port(S), [])),
    silent(C),
    Unused = open(Config, []),
    ?assertMatch({error, #sctp_assoc_change{state = cant_assoc, error = 0}},
                 M:connect(C, loopback(Config), port(Unused), [], 5000)),
    silent(C),
    ?assertEqual(true, active(C)).

once_connect(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = open(Config, [{active, once}]),
    {ok, #sctp_assoc_change{state = comm_up}} = M:connect(C, loopback(Config), port(S), []),
    ?assertEqual(once, active(C)),
    {ok, {_, _, [], #sctp_assoc_change{assoc_id = Id}}} = recv(M, S),
    ok = M:send(S, Id, 0, <<"answer">>),
    ?assertEqual(<<"answer">>, next(C)),
    ?assertEqual(false, active(C)),
    silent(C).

connect_with_n(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = open(Config, [{active, 2}]),
    {ok, #sctp_assoc_change{state = comm_up}} = M:connect(C, loopback(Config), port(S), []),
    {ok, {_, _, [], #sctp_assoc_change{assoc_id = Id} = Up}} = recv(M, S),
    ok = M:send(S, Id, 0, <<"answer">>),
    ok = M:eof(S, Up),
    ?assertEqual(<<"answer">>, next(C)),
    %% The event that connect took was one of the two.
    ?assertEqual(passive, next(C)),
    ?assertMatch(#sctp_shutdown_event{}, event(M, C)),
    silent(C).

%% Errors.

error_events(Config) ->
    M = mod(Config),
    {ok, C} = M:open([family(Config), {active, true}]),
    adopt(C),
    IP = gen_sctp_test_lib:unanswered(family(Config)),
    {ok, Id} = M:connectx_init(C, [IP], 9, []),
    ok = M:send(C, #sctp_sndrcvinfo{assoc_id = Id, context = 5, ppid = 6}, <<"never sent">>),
    ok = active(C, false),
    ok = active(C, 2),
    ok = M:abort(C, #sctp_assoc_change{assoc_id = Id}),
    ?assertEqual(#sctp_assoc_change{state = cant_assoc, error = 3072, assoc_id = Id}, next(C)),
    receive
        {sctp_error, C, _, 9, {[], Event}} ->
            ?assertMatch(#sctp_send_failed{flags = false, error = 3072, assoc_id = Id,
                                           data = <<"never sent">>}, Event),
            ?assertMatch(#sctp_sndrcvinfo{context = 5, ppid = 6},
                         Event#sctp_send_failed.info)
    after 10000 -> error(no_send_failed)
    end,
    %% It was one of the two.
    ?assertEqual(passive, next(C)),
    silent(C).

stream_socket_error(Config) ->
    M = mod(Config),
    C = open(Config, [{type, stream}, {active, true}]),
    Unused = open(Config, []),
    ok = M:connect_init(C, loopback(Config), port(Unused), []),
    ?assertMatch(#sctp_assoc_change{state = cant_assoc, error = 0}, next(C)),
    ?assertEqual({error, econnrefused}, next(C)),
    %% An error of the operating system is no message: the mode stays.
    ?assertEqual(true, active(C)).

owner_only(Config) ->
    M = mod(Config),
    #{s := S} = Pair = pair(Config),
    %% Anyone may set the mode, what comes is the owner's.
    ok = await(async(fun() -> active(S, true) end)),
    send(Pair, [1]),
    ?assertEqual(<<1:32>>, next(S)),
    ?assertEqual({error, einval}, await(async(fun() -> M:recv(S, 0) end))),
    ok = await(async(fun() -> active(S, false) end)),
    ?assertEqual(false, active(S)).
