%% @doc What happens at the same time as something else: each case is a race that was lost once,
%% or could be.
-module(gen_sctp_nif_race_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [mod/1, loopback/1, open/2, adopt/1, listener/2, pair/1, pair/3, join/4, port/1,
         event/2, next/1, async/1, await/1, kill/1, until/1, until_blocked/1, all_arrived/2,
         unanswered/1, family/1, counter/1, spin/1, io_times/0]).

suite() -> [{timetrap, {seconds, 90}}].

all() -> [{group, nif}].

groups() ->
    Cases = [blocked_sender_costs_nothing, lingering_costs_nothing, end_of_stream_costs_nothing,
             end_of_stream_is_not_the_end,
             timeout_beside_message, killed_beside_message,
             timeout_beside_close, close_wakes_all, killed_while_closing,
             blocked_senders_of_a_dead_peer, peeled_under_connect, peeled_under_sender,
             unread_backlog_aborts, long_backlog, full_backlog_is_peeled_off,
             nothing_is_kept_for_the_dead, killed_senders,
             dead_watchers, port_is_free_after_close, port_is_free_after_news],
    [{nif, [], [{inet, [], Cases ++ [renamed_node]}, {inet6, [], Cases}]}].

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% The I/O thread.

%% The time that passes is what is tested: a thread that spins runs all of it.
rests() ->
    [Before] = io_times(),
    receive after 400 -> ok end,
    [Now] = io_times(),
    ?assert(Now - Before < 100000000).

-define(CHUNK, 2000).

chunk() -> binary:copy(<<7>>, ?CHUNK).

small_pair(Config) ->
    pair(Config, [{recbuf, 4096}], [{sndbuf, 8192}]).

%% A process that sends until it blocks, and on.
sender(#{m := M, c := C, cid := Id}) ->
    Task = async(fun() -> send_on(M, C, Id) end),
    until_blocked(Task),
    Task.

send_on(M, C, Id) ->
    send_on(M, C, Id, chunk()).

send_on(M, C, Id, Data) ->
    case M:send(C, Id, 0, Data) of
        ok -> send_on(M, C, Id, Data);
        Error -> Error
    end.

%% A peer that does not read, and senders that are given up: nothing is left of most.
killed_senders(Config) ->
    #{m := M, c := C, cid := Id} = small_pair(Config),
    [begin
         Senders = [async(fun() -> send_on(M, C, Id) end) || _ <- lists:seq(1, 100)],
         lists:foreach(fun gen_sctp_test_lib:until_blocked/1, Senders),
         lists:foreach(fun gen_sctp_test_lib:kill/1, Senders)
     end || _ <- lists:seq(1, 10)],
    ?assertMatch(#{writers := Left} when Left =< 256, gen_sctp_nif:info()).

blocked_sender_costs_nothing(Config) ->
    #{m := M, s := S, c := C, sid := SId} = Pair = small_pair(Config),
    ok = inet:setopts(C, [{active, once}]),
    Sender = sender(Pair),
    %% The second message stays in the kernel: the socket is readable, and nobody asks.
    [ok = M:send(S, SId, 0, <<N>>) || N <- [1, 2]],
    ?assertEqual(<<1>>, next(C)),
    all_arrived(S, SId),
    rests(),
    ok = inet:setopts(C, [{active, once}]),
    ?assertEqual(<<2>>, next(C)),
    ok = inet:setopts(C, [{active, true}]),
    ok = inet:setopts(C, [{active, false}]),
    ok = M:send(S, SId, 0, <<3>>),
    all_arrived(S, SId),
    rests(),
    ok = M:close(C),
    ?assertEqual({error, closed}, await(Sender)).

%% A close that waits for a peer that does not read, with more than the buffer takes. The peer may
%% have shut down by then.
lingering_costs_nothing(Config) ->
    M = mod(Config),
    [begin
         S = listener(Config, [{recbuf, 4096}]),
         C = open(Config, [{type, Type}, {sndbuf, 8192}, {linger, {true, 600}}]),
         #{sup := Up} = Pair = join(M, loopback(Config), S, C),
         Sender = sender(Pair),
         [begin
              ok = M:eof(S, Up),
              ?assertMatch(#sctp_shutdown_event{}, event(M, C))
          end || Shut],
         Closing = async(fun() -> M:close(C) end),
         until_blocked(Closing),
         {error, Reason} = await(Sender),
         ?assert(Reason =:= closed orelse Shut andalso Reason =:= eshutdown),
         rests(),
         until(fun() -> reads_on(M, S) end),
         ?assertEqual(ok, await(Closing))
     end || {Type, Shut} <- [{seqpacket, false}, {stream, true}]],
    ok.

%% Until the association has ended.
reads_on(M, S) ->
    case M:recv(S, 0) of
        {ok, {_, _, _, #sctp_assoc_change{state = shutdown_comp}}} -> true;
        _ -> false
    end.

end_of_stream_costs_nothing(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = open(Config, [{type, stream}]),
    #{sup := Up} = join(M, loopback(Config), S, C),
    ok = inet:setopts(C, [{active, true}]),
    ok = M:eof(S, Up),
    ?assertMatch(#sctp_shutdown_event{}, next(C)),
    ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, next(C)),
    rests(),
    %% Nor does waiting in vain.
    ok = inet:setopts(C, [{active, false}]),
    Receiver = async(fun() -> M:recv(C, 1000) end),
    until_blocked(Receiver),
    rests(),
    ?assertEqual({error, timeout}, await(Receiver)).

%% The peer's SHUTDOWN makes reads say "end of stream" a round trip before the association ends.
end_of_stream_is_not_the_end(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    [begin
         C = open(Config, [{type, stream}]),
         #{sup := Up} = join(M, loopback(Config), S, C),
         ok = inet:setopts(C, [{active, Active}]),
         delayed(fun() ->
             ok = M:eof(S, Up),
             Events = case Active of
                          false -> [event(M, C), event(M, C)];
                          true -> [next(C), next(C)]
                      end,
             ?assertMatch([#sctp_shutdown_event{}, #sctp_assoc_change{state = shutdown_comp}],
                          Events),
             ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(M, S))
         end)
     end || Active <- [true, false]].

%% On a network that takes its time.
delayed(Fun) ->
    "" = os:cmd("tc qdisc add dev lo root netem delay 50ms"),
    try Fun() after "" = os:cmd("tc qdisc del dev lo root") end.

%% Receiving.

%% A message that comes when its receiver gives up waiting is the answer of this receive or of the
%% next, in a stream as in a dialogue.
timeout_beside_message(Config) ->
    [begin
         #{m := M, s := S, sid := SId} = Pair = pair(Config),
         Self = self(),
         Sender = async(fun() -> send_at(Pair, Self, Answers) end),
         {task, Peer, _} = Sender,
         {Timeouts, _} = lists:mapfoldl(fun(Round, Delay) ->
             Late = receive_about(M, S, SId, Answers, Peer, Round, Delay),
             {Late, max(0, Delay + if Late -> -20; true -> 20 end)}
         end, 1000, lists:seq(1, 500)),
         Peer ! done,
         ok = await(Sender),
         ?assertEqual([], gen_sctp_test_lib:mailbox()),
         ?assertEqual({error, timeout}, M:recv(S, 0)),
         %% Both ways have been taken.
         ?assertEqual([false, true], lists:usort(Timeouts))
     end || Answers <- [false, true]],
    ok.

%% The message of this round is to come after so many microseconds: was it too late? What is late
%% has the next one come sooner, and the other way round: they stay near the end of the wait.
receive_about(M, S, SId, Answers, Peer, Round, Delay) ->
    Due = erlang:monotonic_time(microsecond) + Delay,
    Peer ! {send, Round, Due},
    {Late, Message} = case M:recv(S, 1) of
                          {error, timeout} -> {true, M:recv(S)};
                          {ok, _} = Here -> {false, Here}
                      end,
    ?assertMatch({ok, {_, _, _, <<Round:32>>}}, Message),
    [ok = M:send(S, SId, 0, <<Round:32>>) || Answers],
    Late.

send_at(#{m := M, c := C, cid := Id} = Pair, Receiver, Answers) ->
    receive
        {send, Round, Due} ->
            spin_until(Due),
            ok = M:send(C, Id, 0, <<Round:32>>),
            [{ok, {_, _, _, <<Round:32>>}} = M:recv(C) || Answers],
            send_at(Pair, Receiver, Answers);
        done ->
            [] = gen_sctp_test_lib:mailbox(),
            ok
    end.

spin_until(Due) ->
    case erlang:monotonic_time(microsecond) < Due of
        true -> spin_until(Due);
        false -> ok
    end.

%% What a receiver that is killed has not got is the next one's, and the place is free.
killed_beside_message(Config) ->
    #{m := M, s := S, c := C, cid := Id} = pair(Config),
    Left = [begin
                Receiver = async(fun() -> M:recv(S) end),
                until_blocked(Receiver),
                Sender = async(fun() -> spin(Round rem 16), M:send(C, Id, 0, <<Round:32>>) end),
                spin(Round rem 16),
                kill(Receiver),
                ok = await(Sender),
                ok = M:send(C, Id, 0, <<"next">>),
                case M:recv(S) of
                    {ok, {_, _, _, <<Round:32>>}} -> {ok, {_, _, _, <<"next">>}} = M:recv(S), true;
                    {ok, {_, _, _, <<"next">>}} -> false
                end
            end || Round <- lists:seq(1, 100)],
    ct:log("~b of 100 messages were left", [length([true || true <- Left])]),
    ?assert(lists:member(true, Left)),
    ?assertEqual({error, timeout}, M:recv(S, 0)).

%% Close.

timeout_beside_close(Config) ->
    M = mod(Config),
    Results = [begin
                   S = open(Config, []),
                   Receiver = async(fun() ->
                       Result = M:recv(S, Round rem 3),
                       %% Whatever came first, there is nothing to come later.
                       _ = M:recv(S, 0),
                       {Result, gen_sctp_test_lib:mailbox()}
                   end),
                   spin(Round rem 32),
                   ok = M:close(S),
                   {Result, Mailbox} = await(Receiver),
                   ?assertEqual([], Mailbox),
                   Result
               end || Round <- lists:seq(1, 500)],
    %% Each of the two has been first.
    ?assertEqual([{error, closed}, {error, timeout}], lists:usort(Results)).

close_wakes_all(Config) ->
    M = mod(Config),
    S = listener(Config, [{recbuf, 4096}]),
    C = wide(Config, [{sndbuf, 8192}]),
    Pair = join(M, loopback(Config), S, C),
    Sender = sender(Pair),
    Connecting = connecting(Config, C),
    Receiver = async(fun() -> M:recv(C) end),
    until_blocked(Receiver),
    Monitor = inet:monitor(C),
    ok = M:close(C),
    receive {'DOWN', Monitor, _, C, _} -> ok end,
    ?assertEqual([{error, closed}, {error, closed}, {error, closed}],
                 [await(Task) || Task <- [Sender, Receiver, Connecting]]).

killed_while_closing(Config) ->
    M = mod(Config),
    [begin
         S = open(Config, []),
         Receiver = async(fun() -> M:recv(S) end),
         until_blocked(Receiver),
         Closer = spawn(fun() -> M:close(S) end),
         spin(Round rem 8),
         kill(Closer),
         %% It has closed the socket or not.
         ok = M:close(S),
         ?assertEqual({error, closed}, await(Receiver))
     end || Round <- lists:seq(1, 100)],
    ok.

port_is_free_after_close(Config) ->
    M = mod(Config),
    First = open(Config, []),
    Port = port(First),
    ok = M:close(First),
    [begin
         {ok, S} = M:open(Port, [family(Config), {ip, loopback(Config)}]),
         ok = M:close(S)
     end || _ <- lists:seq(1, 50)],
    ok.

%% Nor has who is told of a close by another process to find the port in use.
port_is_free_after_news(Config) ->
    M = mod(Config),
    [begin
         #{s := S, c := C, cport := Port} = pair(Config),
         Next = async(fun() ->
             {error, closed} = M:recv(C),
             M:open(Port, [family(Config), {ip, loopback(Config)}, {reuseaddr, true}])
         end),
         until_blocked(Next),
         ok = M:close(C),
         ?assertMatch({ok, _}, await(Next)),
         ok = M:close(S)
     end || _ <- lists:seq(1, 50)],
    ok.

%% Data that the library has read and nobody has got is unread data: the kernel aborts then.
unread_backlog_aborts(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = wide(Config, []),
    #{sid := SId} = join(M, loopback(Config), S, C),
    Connecting = connecting(Config, C),
    ok = M:send(S, SId, 0, <<"unread">>),
    until(fun() -> backlog(C) > 0 end),
    ok = M:close(C),
    ?assertEqual({error, closed}, await(Connecting)),
    ?assertMatch(#sctp_assoc_change{state = comm_lost, assoc_id = SId}, ending(M, S)).

%% The next event, but for those about further addresses of the peer.
ending(M, S) ->
    case event(M, S) of
        #sctp_paddr_change{} -> ending(M, S);
        Event -> Event
    end.

%% Bound to all addresses: packets to others than the loopback's find a way out.
wide(Config, Opts) ->
    Events = #sctp_event_subscribe{data_io_event = true, association_event = true,
                                   shutdown_event = true},
    {ok, S} = (mod(Config)):open([family(Config), {sctp_nodelay, true}, {sctp_events, Events}
                                  | Opts]),
    adopt(S).

%% A process that connects in vain.
connecting(Config, C) ->
    M = mod(Config),
    Task = async(fun() -> M:connect(C, unanswered(family(Config)), 9, []) end),
    until_blocked(Task),
    Task.

backlog({'$inet', _, Ref}) ->
    maps:get(backlog, gen_sctp_nif_prim:info(Ref)).

%% What was kept is delivered in portions, and all of it.
long_backlog(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = wide(Config, []),
    #{sid := SId} = join(M, loopback(Config), S, C),
    Connecting = connecting(Config, C),
    Numbers = lists:seq(1, 1000),
    [ok = M:send(S, SId, 0, <<N:16>>) || N <- Numbers],
    until(fun() -> backlog(C) =:= 1000 end),
    ok = inet:setopts(C, [{active, true}]),
    ?assertEqual(Numbers, [begin <<N:16>> = next(C), N end || _ <- Numbers]),
    kill(Connecting).

%% What one connect has had kept leaves the other's answer in the kernel, until it goes.
full_backlog_is_peeled_off(Config) ->
    M = mod(Config),
    %% With large buffers the sender waits for nothing: not for the peer's delayed SACK.
    S = wide(Config, [{recbuf, 4000000}]),
    ok = M:listen(S, true),
    #{c := C, cid := CId, sid := SId} =
        join(M, loopback(Config), S, open(Config, [{sndbuf, 4000000}])),
    First = connecting(Config, S),
    Large = binary:copy(<<7>>, 60000),
    Sender = async(fun() -> send_on(M, C, CId, Large) end),
    %% Each MiB in its own time.
    [until(fun() -> counter(backlog_bytes) >= N bsl 20 end) || N <- lists:seq(1, 16)],
    kill(Sender),
    Other = listener(Config, []),
    Port = port(Other),
    Second = async(fun() -> M:connect(S, loopback(Config), Port, []) end),
    ?assertMatch(#sctp_assoc_change{state = comm_up}, event(M, Other)),
    until_blocked(Second),
    ?assertEqual(2, counter(connects)),
    {ok, Peeled} = M:peeloff(S, SId),
    adopt(Peeled),
    ?assertMatch({ok, #sctp_assoc_change{state = comm_up}}, await(Second)),
    ?assertMatch({ok, {_, _, _, Large}}, M:recv(Peeled)),
    kill(First).

nothing_is_kept_for_the_dead(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = wide(Config, []),
    #{sid := SId} = join(M, loopback(Config), S, C),
    kill(connecting(Config, C)),
    Numbers = lists:seq(1, 100),
    [ok = M:send(S, SId, 0, <<N:16>>) || N <- Numbers],
    until(fun() -> counter(connects) =:= 0 end),
    ?assertEqual(0, backlog(C)),
    ok = inet:setopts(C, [{active, true}]),
    ?assertEqual(Numbers, [begin <<N:16>> = next(C), N end || _ <- Numbers]).

%% Senders.

%% Two of three associations fill the buffer; the peer of the third dies.
blocked_senders_of_a_dead_peer(Config) ->
    M = mod(Config),
    C = open(Config, [{sndbuf, 8192}]),
    Servers = [listener(Config, [{recbuf, 4096}]) || _ <- [1, 2]],
    [Living, Dying] = [join(M, loopback(Config), S, C) || S <- Servers],
    Sender = sender(Living),
    Orphans = [async(fun() -> send_on(M, C, maps:get(cid, Dying)) end) || _ <- [1, 2, 3]],
    lists:foreach(fun gen_sctp_test_lib:until_blocked/1, Orphans),
    ok = M:abort(maps:get(s, Dying), maps:get(sup, Dying)),
    ?assertEqual(lists:duplicate(3, {error, epipe}), [await(Task) || Task <- Orphans]),
    ?assertMatch(#sctp_assoc_change{state = comm_lost}, event(M, C)),
    ok = M:close(C),
    ?assertEqual({error, closed}, await(Sender)).

peeled_under_sender(Config) ->
    #{m := M, c := C, cid := CId} = Pair = small_pair(Config),
    Sender = sender(Pair),
    {ok, Peeled} = M:peeloff(C, CId),
    adopt(Peeled),
    ?assertEqual({error, epipe}, await(Sender)).

peeled_under_connect(Config) ->
    M = mod(Config),
    #{cid := Before} = pair(Config),
    C = wide(Config, []),
    Connecting = connecting(Config, C),
    {ok, Peeled} = M:peeloff(C, assoc(C, Before)),
    adopt(Peeled),
    ?assertEqual({error, einval}, await(Connecting)).

%% The one association of a socket: the kernel has counted on since the one Before.
assoc({'$inet', _, _} = S, Before) ->
    hd([Id || Id <- lists:seq(Before + 1, Before + 1000),
              {ok, [{sctp_status, _}]} <-
                  [inet:getopts(S, [{sctp_status, #sctp_status{assoc_id = Id}}])]]).

dead_watchers(Config) ->
    {'$inet', _, Ref} = S = open(Config, []),
    [kill(spawn(fun() -> inet:monitor(S), receive stop -> ok end end)) || _ <- lists:seq(1, 50)],
    Watchers = fun() -> maps:get(watchers, gen_sctp_nif_prim:info(Ref)) end,
    until(fun() -> Watchers() =:= 0 end),
    Monitor = inet:monitor(S),
    ?assertEqual(1, Watchers()),
    true = inet:cancel_monitor(Monitor),
    ?assertEqual(0, Watchers()).

%% References to sockets survive that the node gets a name, and loses it.
renamed_node(Config) ->
    S = open(Config, []),
    _ = os:cmd("epmd -daemon"),
    ?assert(lists:member(S, gen_sctp_nif:which_sockets())),
    {ok, _} = net_kernel:start([gen_sctp_nif_race, shortnames]),
    try
        T = open(Config, []),
        ?assertEqual([], [S, T] -- gen_sctp_nif:which_sockets()),
        ok = net_kernel:stop(),
        ?assertEqual([], [S, T] -- gen_sctp_nif:which_sockets())
    after
        _ = net_kernel:stop()
    end.
