%% @doc Messages received many at a time: recv_batch/3 and the option `batch'.
-module(gen_sctp_nif_batch_SUITE).

-include_lib("stdlib/include/assert.hrl").
-include_lib("kernel/include/inet_sctp.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [pair/1, pair/3, listener/2, open/2, adopt/1, data/2, event/2, next/1, all_arrived/2,
         async/1, await/1, until/1, until_blocked/1, helper/0, call/2, no_message/0, exchange/1,
         port/1, loopback/1]).

-define(M, gen_sctp_nif).
-define(TIMEOUT, 5000).

suite() -> [{timetrap, {seconds, 60}}].

all() -> [{group, nif}].

groups() ->
    Cases = [in_order, so_many_at_most, waits_for_the_first, waits_for_many, without_waiting,
             events_among_them, error_events_among_them, of_all_sizes, in_small_pieces, as_lists,
             without_information, of_several_peers, refuses, only_one_receives,
             closed_meanwhile, receiver_is_killed, after_a_connect, end_of_a_stream,
             error_comes_last,
             delivered, delivered_once, delivered_and_counted, delivered_alone,
             delivered_events, delivered_lists, error_after_a_count, option, inherited,
             handed_over, bounded, one_binary, counted],
    [{nif, [], [{inet, [], Cases}, {inet6, [], Cases}]}].

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% What is sent and received, numbered.

messages(From, To) -> messages(From, To, 100).

messages(From, To, Size) ->
    [{N rem 5, <<N:32, 0:(8 * (Size - 4))>>} || N <- lists:seq(From, To)].

%% Sends, and waits until all is in the peer's kernel.
send(C, Id, Messages) ->
    ok = ?M:send_batch(C, Id, Messages),
    all_arrived(C, Id).

batch(S) -> batch(S, 64).

batch(S, Most) ->
    {ok, [_ | _] = Messages} = ?M:recv_batch(S, Most, ?TIMEOUT),
    Messages.

%% Messages until so many have come, batch by batch.
batches(_Next, 0) -> [];
batches(Next, Left) ->
    Messages = Next(),
    Messages ++ batches(Next, Left - length(Messages)).

%% The next batch of an active socket.
delivery(S) ->
    receive
        {sctp_batch, S, [_ | _] = Messages} -> Messages
    after ?TIMEOUT ->
        error({nothing_from, S, gen_sctp_test_lib:mailbox()})
    end.

plain(Messages) ->
    [{Stream, Data} || {_, _, [#sctp_sndrcvinfo{stream = Stream}], Data} <- Messages].

%% recv_batch/3

in_order(Config) ->
    #{s := S, c := C, cid := Id, sid := SId, cport := Port, ip := IP} = pair(Config),
    Sent = messages(1, 200),
    send(C, Id, Sent),
    Messages = batches(fun() -> batch(S) end, 200),
    ?assertEqual(Sent, plain(Messages)),
    [?assertMatch({IP, Port, [#sctp_sndrcvinfo{assoc_id = SId}], _}, Message)
     || Message <- Messages],
    Tsns = [Tsn || {_, _, [#sctp_sndrcvinfo{tsn = Tsn}], _} <- Messages],
    ?assertEqual(lists:seq(hd(Tsns), hd(Tsns) + 199), Tsns),
    ?assertEqual({error, timeout}, ?M:recv_batch(S, 64, 0)).

so_many_at_most(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config),
    send(C, Id, messages(1, 200)),
    ?assertEqual(messages(1, 1), plain(batch(S, 1))),
    ?assertEqual(messages(2, 8), plain(batch(S, 7))),
    ?assertEqual(messages(9, 72), plain(batch(S, 64))),
    ?assertEqual(messages(73, 136), plain(batch(S, 1 bsl 70))),
    ?assertEqual(element(2, hd(messages(137, 137))), element(2, data(?M, S))),
    ?assertEqual(messages(138, 200), plain(batch(S))).

waits_for_the_first(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config),
    Start = erlang:monotonic_time(millisecond),
    ?assertEqual({error, timeout}, ?M:recv_batch(S, 10, 50)),
    ?assert(erlang:monotonic_time(millisecond) - Start >= 50),
    [begin
         Receiver = async(fun() -> ?M:recv_batch(S, 10, Timeout) end),
         until_blocked(Receiver),
         ok = ?M:send(C, Id, 0, <<"one">>),
         ?assertMatch({ok, [{_, _, _, <<"one">>}]}, await(Receiver))
     end || Timeout <- [infinity, 60000]].

without_waiting(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config),
    ?assertEqual({error, timeout}, ?M:recv_batch(S, 10, 0)),
    send(C, Id, messages(1, 3)),
    {ok, Messages} = ?M:recv_batch(S, 10, 0),
    ?assertEqual(messages(1, 3), plain(Messages)),
    no_message().

events_among_them(Config) ->
    S = listener(Config, []),
    C = open(Config, []),
    IP = loopback(Config),
    {ok, #sctp_assoc_change{assoc_id = Id} = Up} = ?M:connect(C, IP, port(S), []),
    send(C, Id, messages(1, 5)),
    ok = ?M:eof(C, Up),
    ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(?M, C)),
    CPort = port(C),
    ?assertMatch([{IP, CPort, [], #sctp_assoc_change{state = comm_up, assoc_id = A}},
                  {IP, CPort, [#sctp_sndrcvinfo{assoc_id = A}], <<1:32, _/binary>>},
                  {_, _, _, <<2:32, _/binary>>}, {_, _, _, <<3:32, _/binary>>},
                  {_, _, _, <<4:32, _/binary>>}, {_, _, _, <<5:32, _/binary>>},
                  {IP, CPort, [], #sctp_shutdown_event{assoc_id = A}},
                  {IP, CPort, [], #sctp_assoc_change{state = shutdown_comp, assoc_id = A}}],
                 batch(S)).

%% Here like all others; recv has them as errors.
error_events_among_them(Config) ->
    #{s := S, c := C, cid := Id, sup := Up, ip := IP, sport := Port} =
        pair(Config, [{recbuf, 4096}], [{non_block_send, true}]),
    Fill = fun Fill(N) ->
               case ?M:send(C, Id, 0, <<N:32, 0:1000/unit:8>>) of
                   ok -> Fill(N + 1);
                   {error, eagain} -> N
               end
           end,
    Count = Fill(0),
    ok = ?M:abort(S, Up),
    %% Those that the peer's kernel has acknowledged are not failed.
    Events = until_lost(C),
    Failed = [N || {_, _, [], #sctp_send_failed{data = <<N:32, _/binary>>}} <- Events],
    ?assert(length(Failed) > 1),
    ?assertEqual(lists:seq(hd(Failed), Count - 1), Failed),
    [?assertMatch({IP, Port, [], _}, Event) || Event <- Events].

until_lost(C) ->
    Events = batch(C, 5),
    case lists:any(fun(Event) -> element(1, element(4, Event)) =:= sctp_assoc_change end, Events) of
        true -> Events ++ rest(C);
        false -> Events ++ until_lost(C)
    end.

rest(C) ->
    case ?M:recv_batch(C, 64, 0) of
        {ok, Messages} -> Messages ++ rest(C);
        {error, timeout} -> []
    end.

%% Some share a binary, some have their own, some come in pieces; and the size of the last one is
%% what the next read goes by.
of_all_sizes(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config, [{recbuf, 4194304}], [{sndbuf, 4194304}]),
    Sizes = [1, 64, 65, 1023, 1024, 2047, 2048, 2049, 10, 5000, 100, 300000, 4, 5, 65536, 100, 7],
    Sent = [{N rem 3, binary:copy(<<N>>, Size)} || {N, Size} <- lists:enumerate(Sizes)],
    [begin
         send(C, Id, Sent),
         ?assertEqual(Sent, plain(batches(fun() -> batch(S, Most) end, length(Sent))))
     end || Most <- [1, 2, 3, 5, 64]].

%% The buffer is smaller than a message.
in_small_pieces(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config, [{buffer, 50}], []),
    Sent = messages(1, 20, 120) ++ messages(21, 22, 4000) ++ messages(23, 40, 20),
    send(C, Id, Sent),
    ?assertEqual(Sent, plain(batches(fun() -> batch(S) end, length(Sent)))).

as_lists(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config, [list], []),
    send(C, Id, [{0, <<"small">>}, {1, binary:copy(<<"large">>, 1000)}]),
    ?assertEqual([{0, "small"}, {1, lists:append(lists:duplicate(1000, "large"))}],
                 plain(batches(fun() -> batch(S) end, 2))).

without_information(Config) ->
    #{s := S, c := C, cid := Id} =
        pair(Config, [{sctp_events, #sctp_event_subscribe{data_io_event = false}}], []),
    send(C, Id, messages(1, 2)),
    ?assertMatch([{_, _, [], <<1:32, _/binary>>}, {_, _, [], <<2:32, _/binary>>}], batch(S)).

of_several_peers(Config) ->
    #{s := S, c := C, cid := Id, sport := Port, cport := CPort} = pair(Config),
    D = open(Config, []),
    {ok, #sctp_assoc_change{assoc_id = DId}} = ?M:connect(D, loopback(Config), Port, []),
    ?assertMatch(#sctp_assoc_change{state = comm_up}, event(?M, S)),
    [send(From, To, [{0, <<N>>}]) || {N, From, To} <- [{1, C, Id}, {2, D, DId}, {3, C, Id}]],
    DPort = port(D),
    ?assertMatch([{_, CPort, _, <<1>>}, {_, DPort, _, <<2>>}, {_, CPort, _, <<3>>}], batch(S)).

refuses(Config) ->
    #{s := S} = pair(Config),
    [?assertError(badarg, ?M:recv_batch(Socket, Most, Timeout))
     || {Socket, Most, Timeout} <- [{foo, 1, 0}, {S, 0, 0}, {S, -1, 0}, {S, foo, 0}, {S, 1.0, 0},
                                    {S, 1, -1}, {S, 1, foo}, {S, 1, 1 bsl 32}]],
    [begin
         ok = inet:setopts(S, [{active, Mode}]),
         ?assertEqual({error, einval}, ?M:recv_batch(S, 1, 0))
     end || Mode <- [true, once, 5]],
    ok = ?M:close(S),
    ?assertEqual({error, closed}, ?M:recv_batch(S, 1, 0)),
    ?assertEqual({error, closed}, ?M:recv_batch(S, 1, infinity)).

%% Who waits gets what is there at once, no more than it asked for, and nothing is taken for it
%% but that.
waits_for_many(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config),
    Sizes = [begin
                 Receiver = async(fun() ->
                     Result = ?M:recv_batch(S, 5, ?TIMEOUT),
                     ?assertEqual([], gen_sctp_test_lib:mailbox()),
                     Result
                 end),
                 until_blocked(Receiver),
                 Sent = messages(10 * Round, 10 * Round + 7),
                 send(C, Id, Sent),
                 {ok, First} = await(Receiver),
                 Rest = batches(fun() -> batch(S) end, 8 - length(First)),
                 ?assertEqual(Sent, plain(First ++ Rest)),
                 length(First)
             end || Round <- lists:seq(1, 10)],
    ?assertEqual(5, lists:max(Sizes)).

only_one_receives(Config) ->
    #{s := S} = Pair = pair(Config),
    Receiver = async(fun() -> ?M:recv_batch(S, 5, infinity) end),
    until_blocked(Receiver),
    ?assertEqual({error, ealready}, ?M:recv_batch(S, 5, 0)),
    ?assertEqual({error, ealready}, ?M:recv(S, 0)),
    #{c := C, cid := Id} = Pair,
    ok = ?M:send(C, Id, 0, <<"a">>),
    ?assertMatch({ok, [{_, _, _, <<"a">>}]}, await(Receiver)),
    exchange(Pair).

closed_meanwhile(Config) ->
    #{s := S} = pair(Config),
    Receiver = async(fun() -> ?M:recv_batch(S, 5, infinity) end),
    until_blocked(Receiver),
    ok = ?M:close(S),
    ?assertEqual({error, closed}, await(Receiver)).

receiver_is_killed(Config) ->
    #{s := S} = Pair = pair(Config),
    Receiver = async(fun() -> ?M:recv_batch(S, 5, infinity) end),
    until_blocked(Receiver),
    gen_sctp_test_lib:kill(Receiver),
    exchange(Pair).

%% What was kept while the socket connected comes first.
after_a_connect(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config),
    send(C, Id, messages(1, 3)),
    T = listener(Config, []),
    {ok, #sctp_assoc_change{state = comm_up}} = ?M:connect(S, loopback(Config), port(T), []),
    send(C, Id, messages(4, 6)),
    ?assertEqual(messages(1, 2), plain(batch(S, 2))),
    ?assertEqual(messages(3, 6), plain(batches(fun() -> batch(S) end, 4))).

end_of_a_stream(Config) ->
    #{s := S, sid := SId, c := C, cid := Id, cup := Up} = pair(Config),
    {ok, P} = ?M:peeloff(S, SId),
    adopt(P),
    send(C, Id, messages(1, 3)),
    ok = ?M:eof(C, Up),
    ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(?M, C)),
    Messages = batches(fun() -> batch(P) end, 5),
    ?assertEqual(messages(1, 3), plain(lists:sublist(Messages, 3))),
    ?assertMatch([#sctp_shutdown_event{}, #sctp_assoc_change{state = shutdown_comp}],
                 [Event || {_, _, [], Event} <- Messages]),
    ?assertEqual({error, timeout}, ?M:recv_batch(P, 5, 0)).

%% What the end of its association leaves a one-to-one socket with comes last.
error_comes_last(Config) ->
    #{s := S, sid := SId, c := C, cid := Id, cup := Up} = pair(Config),
    {ok, P} = ?M:peeloff(S, SId),
    adopt(P),
    send(C, Id, messages(1, 3)),
    ok = ?M:abort(C, Up),
    until(fun() ->
        {ok, []} =:= inet:getopts(P, [{sctp_status, #sctp_status{assoc_id = SId}}])
    end),
    Messages = batch(P),
    ?assertEqual(messages(1, 3), plain(Messages)),
    ?assertMatch({_, _, [], #sctp_assoc_change{state = comm_lost}}, lists:last(Messages)),
    ?assertEqual({error, econnreset}, ?M:recv_batch(P, 64, 0)),
    ?assertEqual({error, timeout}, ?M:recv_batch(P, 64, 0)).

%% {batch, N}

delivered(Config) ->
    #{s := S, c := C, cid := Id, ip := IP, cport := Port} = pair(Config, [{batch, 10}], []),
    send(C, Id, messages(1, 95)),
    ok = inet:setopts(S, [{active, true}]),
    Next = fun() -> Batch = delivery(S), ?assert(length(Batch) =< 10), Batch end,
    Messages = batches(Next, 95),
    ?assertEqual(messages(1, 95), plain(Messages)),
    [?assertMatch({IP, Port, [_], _}, Message) || Message <- Messages],
    %% And what comes later.
    send(C, Id, messages(96, 300)),
    ?assertEqual(messages(96, 300), plain(batches(Next, 205))),
    ok = inet:setopts(S, [{active, false}]),
    no_message().

delivered_once(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config, [{batch, 8}], []),
    send(C, Id, messages(1, 20)),
    [begin
         ok = inet:setopts(S, [{active, once}]),
         ?assertEqual(messages(From, To), plain(delivery(S))),
         ?assertEqual({ok, [{active, false}]}, inet:getopts(S, [active]))
     end || {From, To} <- [{1, 8}, {9, 16}, {17, 20}]],
    ok = inet:setopts(S, [{active, once}]),
    ok = ?M:send(C, Id, 0, <<"later">>),
    ?assertMatch([{_, _, _, <<"later">>}], delivery(S)),
    no_message().

delivered_and_counted(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config, [{batch, 8}], []),
    send(C, Id, messages(1, 40)),
    ok = inet:setopts(S, [{active, 3}]),
    Batches = [delivery(S) || _ <- lists:seq(1, 3)],
    ?assertEqual(messages(1, 24), plain(lists:append(Batches))),
    ?assertEqual(passive, next(S)),
    no_message(),
    ?assertEqual(messages(25, 40), plain(batch(S))).

%% 1 is what gen_sctp does.
delivered_alone(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config, [{batch, 1}], []),
    send(C, Id, messages(1, 2)),
    ok = inet:setopts(S, [{active, true}]),
    {_, One} = hd(messages(1, 1)),
    ?assertEqual(One, next(S)),
    ok = inet:setopts(S, [{active, false}]),
    [{sctp, S, _, _, {_, <<2:32, _/binary>>}}] = gen_sctp_test_lib:mailbox().

%% A count is at its end with the batch, and an error of the socket is for later.
error_after_a_count(Config) ->
    #{s := S, sid := SId, c := C, cid := Id, cup := Up} = pair(Config),
    {ok, P} = ?M:peeloff(S, SId),
    adopt(P),
    send(C, Id, messages(1, 3, 2000)),
    ok = ?M:abort(C, Up),
    until(fun() ->
        {ok, []} =:= inet:getopts(P, [{sctp_status, #sctp_status{assoc_id = SId}}])
    end),
    ok = inet:setopts(P, [{batch, 8}, {active, 1}]),
    Messages = delivery(P),
    ?assertEqual(messages(1, 3, 2000), plain(Messages)),
    ?assertEqual(4, length(Messages)),
    ?assertEqual(passive, next(P)),
    no_message(),
    ?assertEqual({error, econnreset}, ?M:recv(P, 0)).

%% Lists of bytes take long to make: fewer at a time, and all in the end.
delivered_lists(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config, [list, {batch, 64}], []),
    send(C, Id, messages(1, 60, 500)),
    ok = inet:setopts(S, [{active, once}]),
    First = delivery(S),
    ?assert(length(First) < 20),
    Rest = batches(fun() -> batch(S) end, 60 - length(First)),
    ?assertEqual([{Stream, binary_to_list(Data)} || {Stream, Data} <- messages(1, 60, 500)],
                 plain(First ++ Rest)).

%% Events come in batches, too.
delivered_events(Config) ->
    S = open(Config, [{batch, 8}, {active, true}]),
    Closed = listener(Config, []),
    Port = port(Closed),
    ok = ?M:close(Closed),
    ok = ?M:connect_init(S, loopback(Config), Port, []),
    ?assertMatch([{_, Port, [], #sctp_assoc_change{state = cant_assoc}}], delivery(S)).

option(Config) ->
    S = open(Config, []),
    ?assertEqual({ok, [{batch, 1}]}, inet:getopts(S, [batch])),
    ok = inet:setopts(S, [{batch, 64}]),
    ?assertEqual({ok, [{batch, 64}, {active, false}]}, inet:getopts(S, [batch, active])),
    [begin
         ?assertEqual({error, einval}, inet:setopts(S, [{batch, Wrong}])),
         ?assertError(badarg, ?M:open([{batch, Wrong}]))
     end || Wrong <- [0, -1, 65, 1 bsl 32, 1 bsl 70, infinity, true, 1.0, <<>>]],
    ?assertEqual({error, einval}, inet:setopts(S, [batch])),
    ?assertEqual({ok, [{batch, 64}]}, inet:getopts(S, [batch])).

inherited(Config) ->
    #{s := S, sid := SId, c := C, cid := Id} = pair(Config, [{batch, 5}], []),
    {ok, P} = ?M:peeloff(S, SId),
    adopt(P),
    ?assertEqual({ok, [{batch, 5}]}, inet:getopts(P, [batch])),
    send(C, Id, messages(1, 5)),
    ok = inet:setopts(P, [{active, once}]),
    ?assertEqual(messages(1, 5), plain(delivery(P))).

handed_over(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config, [{batch, 4}], []),
    send(C, Id, messages(1, 10)),
    ok = inet:setopts(S, [{active, 2}]),
    gen_sctp_test_lib:queued(S, 3),
    New = helper(),
    ok = ?M:controlling_process(S, New),
    no_message(),
    {Batches, Next} = call(New, fun() -> {[delivery(S), delivery(S)], next(S)} end),
    ?assertEqual({messages(1, 8), passive}, {plain(lists:append(Batches)), Next}),
    ?assertEqual(messages(9, 10), call(New, fun() -> plain(batch(S)) end)).

%% mailbox_limit counts batches, as it does all messages.
bounded(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config, [{batch, 5}, {mailbox_limit, 2}], []),
    send(C, Id, messages(1, 30)),
    ok = inet:setopts(S, [{active, true}]),
    gen_sctp_test_lib:queued(S, 2),
    ?assertEqual({message_queue_len, 2}, process_info(self(), message_queue_len)),
    ?assertEqual(messages(1, 30), plain(batches(fun() -> delivery(S) end, 30))).

%% Small messages share a binary, larger ones do not.
one_binary(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config),
    send(C, Id, messages(1, 10, 100) ++ messages(11, 11, 1500)),
    [{_, _, _, First} | _] = Messages = batches(fun() -> batch(S) end, 11),
    ?assertEqual(1000, binary:referenced_byte_size(First)),
    {_, _, _, Large} = lists:last(Messages),
    ?assertEqual(1500, binary:referenced_byte_size(Large)).

counted(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config),
    Items = [recv_cnt, recv_oct, recv_max],
    {ok, [{_, Cnt}, {_, Oct}, {_, Max}]} = inet:getstat(S, Items),
    send(C, Id, messages(1, 30)),
    ?assertEqual(30, length(batch(S))),
    ?assertEqual({ok, [{recv_cnt, Cnt + 30}, {recv_oct, Oct + 3000}, {recv_max, max(Max, 100)}]},
                 inet:getstat(S, Items)).
