%% @doc What gen_sctp does not have: send_batch/3, bindx/3, and the option abort_causes.
-module(gen_sctp_nif_extensions_SUITE).

-include_lib("stdlib/include/assert.hrl").
-include_lib("kernel/include/inet_sctp.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [pair/1, pair/3, adopt/1, data/2, event/2, async/1, await/1,
         until_blocked/1, family/1]).

-define(M, gen_sctp_nif).

suite() -> [{timetrap, {seconds, 90}}].

all() -> [{group, nif}].

groups() ->
    Batch = [batch_in_order, batch_with_info, batch_takes_defaults, batch_of_nothing,
             batch_stops_at_an_error, batch_is_not_well_made, batch_waits_for_room,
             batch_does_not_wait, batch_of_large_ones, batch_of_uncut_ones, batch_to_the_dead,
             batch_on_closed, batch_of_one_to_one, batch_counts],
    Bindx = [bindx_adds_and_removes, bindx_refuses, bindx_is_told_to_the_peer],
    Causes = [abort_causes, abort_causes_when_active, abort_causes_of_a_refused_connect],
    All = Batch ++ Bindx ++ Causes,
    [{nif, [], [{inet, [], All}, {inet6, [], All}]}].

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.

%% The kernel looks at it when a socket is made.
init_per_testcase(bindx_is_told_to_the_peer, Config) ->
    Old = [{Name, sysctl(Name)} || Name <- ["addip_enable", "addip_noauth_enable"]],
    [sysctl(Name, "1\n") || {Name, _} <- Old],
    [{sysctls, Old} | gen_sctp_test_lib:begin_case(Config)];
init_per_testcase(_, Config) ->
    gen_sctp_test_lib:begin_case(Config).

end_per_testcase(_, Config) ->
    gen_sctp_test_lib:end_case(fun() ->
        lists:foreach(fun({Name, Value}) -> sysctl(Name, Value) end,
                      proplists:get_value(sysctls, Config, []))
    end, Config).

sysctl(Name) ->
    {ok, Value} = file:read_file("/proc/sys/net/sctp/" ++ Name),
    Value.

sysctl(Name, Value) ->
    ok = file:write_file("/proc/sys/net/sctp/" ++ Name, Value).

%% send_batch/3

numbered(Count, Size) ->
    [{N rem 5, <<N:32, 0:(8 * (Size - 4))>>} || N <- lists:seq(1, Count)].

received(_S, 0) -> [];
received(S, Count) -> [data(?M, S) | received(S, Count - 1)].

streams_and_data(Received) ->
    [{Stream, Data} || {#sctp_sndrcvinfo{stream = Stream}, Data} <- Received].

%% More than one native call, more than one packet, all kinds of iodata.
batch_in_order(Config) ->
    #{s := S, c := C, cid := Id, cup := Up} = pair(Config),
    Messages = numbered(500, 100),
    ?assertEqual(ok, ?M:send_batch(C, Id, Messages)),
    ?assertEqual(Messages, streams_and_data(received(S, 500))),
    Lists = [{0, [N, [<<"b">>], "c" | <<"d">>]} || N <- lists:seq(1, 70)],
    ?assertEqual(ok, ?M:send_batch(C, Up, Lists)),
    ?assertEqual([{0, iolist_to_binary(Data)} || {0, Data} <- Lists],
                 streams_and_data(received(S, 70))),
    ?assertEqual({error, timeout}, ?M:recv(S, 0)).

batch_with_info(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config),
    Info = #sctp_sndrcvinfo{stream = 3, ppid = 18, assoc_id = 12345},
    ok = ?M:send_batch(C, Id, [{Info, <<"one">>}, {1, <<"two">>},
                               {Info#sctp_sndrcvinfo{flags = [unordered]}, <<"three">>}]),
    [{#sctp_sndrcvinfo{stream = 3, ppid = 18, flags = []}, <<"one">>},
     {#sctp_sndrcvinfo{stream = 1, ppid = 0}, <<"two">>},
     {#sctp_sndrcvinfo{stream = 3, ppid = 18, flags = [unordered]}, <<"three">>}] =
        received(S, 3),
    %% Ends the association, and what is before it still arrives.
    Last = {#sctp_sndrcvinfo{flags = [eof]}, <<>>},
    ok = ?M:send_batch(C, Id, [{0, <<"a">>}, {0, <<"b">>}, Last]),
    [{_, <<"a">>}, {_, <<"b">>}] = received(S, 2),
    event(?M, S),
    ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(?M, S)).

batch_takes_defaults(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config),
    Default = #sctp_sndrcvinfo{stream = 0, ppid = 46, assoc_id = Id},
    ok = inet:setopts(C, [{sctp_default_send_param, Default}]),
    ok = ?M:send_batch(C, Id, [{2, <<"a">>}, {#sctp_sndrcvinfo{stream = 2}, <<"b">>}]),
    ?assertMatch([{#sctp_sndrcvinfo{stream = 2, ppid = 46}, <<"a">>},
                  {#sctp_sndrcvinfo{stream = 2, ppid = 0}, <<"b">>}], received(S, 2)).

batch_of_nothing(Config) ->
    #{c := C, cid := Id} = pair(Config),
    ?assertEqual(ok, ?M:send_batch(C, Id, [])),
    ?assertEqual({error, {epipe, [{0, <<"x">>}]}}, ?M:send_batch(C, Id + 77, [{0, <<"x">>}])).

%% What is before the error arrives, though nothing else is ever sent.
batch_stops_at_an_error(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config),
    Good = {1, <<"good">>},
    lists:foreach(fun({Reason, Bad}) ->
        Before = lists:duplicate(100, Good),
        ?assertEqual({error, {Reason, [Bad, Good]}},
                     ?M:send_batch(C, Id, Before ++ [Bad, Good])),
        ?assertEqual(Before, streams_and_data(received(S, 100))),
        ?assertEqual({error, {Reason, [Bad]}}, ?M:send_batch(C, Id, [Bad]))
    end, [{einval, {60000, <<"no such stream">>}}, {einval, {0, <<>>}}, {einval, {0, foo}},
          {einval, {-1, <<"x">>}}, {einval, {1 bsl 70, <<"x">>}}, {einval, {foo, <<"x">>}},
          {einval, foo}, {einval, {0, <<1:3>>}}, {einval, {0, [<<"a">> | foo]}},
          {einval, {#sctp_sndrcvinfo{ppid = -1}, <<"x">>}},
          {emsgsize, {0, binary:copy(<<0>>, 20000000)}}]),
    ?assertEqual({error, timeout}, ?M:recv(S, 0)).

batch_is_not_well_made(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config),
    ?assertEqual({error, {einval, foo}}, ?M:send_batch(C, Id, [{0, <<"a">>} | foo])),
    ?assertMatch({_, <<"a">>}, data(?M, S)),
    [?assertError(badarg, ?M:send_batch(C, Id, Bad)) || Bad <- [foo, <<>>, {}, 1]],
    ?assertError(badarg, ?M:send_batch(C, foo, [])),
    [?assertEqual({error, {Reason, numbered(2, 10)}},
                  ?M:send_batch(C, #sctp_assoc_change{assoc_id = Wrong}, numbered(2, 10)))
     || {Wrong, Reason} <- [{undefined, epipe}, {foo, einval}, {-1, einval}]],
    ?assertError(badarg, ?M:send_batch(foo, Id, [])),
    [?assertEqual({error, {einval, [{0, <<"a">>}]}}, ?M:send_batch(C, Bad, [{0, <<"a">>}]))
     || Bad <- [-1, 1 bsl 32, 1 bsl 70]].

small_pair(Config) -> pair(Config, [{recbuf, 4096}], [{sndbuf, 16384}]).

batch_waits_for_room(Config) ->
    #{s := S, c := C, cid := Id} = small_pair(Config),
    Messages = numbered(300, 500),
    Sender = async(fun() -> ?M:send_batch(C, Id, Messages) end),
    until_blocked(Sender),
    ?assertEqual(Messages, streams_and_data(received(S, 300))),
    ?assertEqual(ok, await(Sender)).

batch_does_not_wait(Config) ->
    #{s := S, c := C, cid := Id} = small_pair(Config),
    ok = inet:setopts(C, [{non_block_send, true}]),
    Messages = numbered(300, 500),
    {error, {eagain, Rest}} = ?M:send_batch(C, Id, Messages),
    Sent = length(Messages) - length(Rest),
    ?assert(Sent > 0),
    %% The rest is the rest, and all before it arrives without further sending.
    ?assertEqual(Rest, lists:nthtail(Sent, Messages)),
    ?assertEqual(lists:sublist(Messages, Sent), streams_and_data(received(S, Sent))),
    ?assertEqual({error, timeout}, ?M:recv(S, 0)).

%% What may not be cut into fragments, and is too long for one, is refused; what is before it is
%% on its way.
batch_of_uncut_ones(Config) ->
    #{s := S, c := C, cid := Id} =
        pair(Config, [], [{sctp_disable_fragments, true}, {sctp_maxseg, 1000}]),
    Good = {1, <<"good">>},
    Bad = {0, <<0:1200/unit:8>>},
    Before = lists:duplicate(30, Good),
    ?assertEqual({error, {emsgsize, [Bad, Good]}}, ?M:send_batch(C, Id, Before ++ [Bad, Good])),
    ?assertEqual(Before, streams_and_data(received(S, 30))),
    ok = inet:setopts(C, [{sctp_disable_fragments, false}]),
    ok = ?M:send_batch(C, Id, Before ++ [Bad, Good]),
    ?assertEqual(Before ++ [Bad, Good], streams_and_data(received(S, 32))).

batch_of_large_ones(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config, [{recbuf, 4194304}], [{sndbuf, 4194304}]),
    Messages = [{N rem 3, binary:copy(<<N>>, Size)}
                || {N, Size} <- lists:enumerate([300000, 1, 65536, 65537, 100000, 20, 300000])],
    ?assertEqual(ok, ?M:send_batch(C, Id, Messages)),
    ?assertEqual(Messages, streams_and_data(received(S, length(Messages)))).

batch_to_the_dead(Config) ->
    #{s := S, c := C, cid := Id, sup := Up} = small_pair(Config),
    Messages = numbered(300, 500),
    Sender = async(fun() -> ?M:send_batch(C, Id, Messages) end),
    until_blocked(Sender),
    ok = ?M:abort(S, Up),
    {error, {epipe, Rest}} = await(Sender),
    ?assertEqual(Rest, lists:nthtail(300 - length(Rest), Messages)).

batch_on_closed(Config) ->
    #{c := C, cid := Id} = small_pair(Config),
    Messages = numbered(300, 500),
    Sender = async(fun() -> ?M:send_batch(C, Id, Messages) end),
    until_blocked(Sender),
    ok = ?M:close(C),
    ?assertMatch({error, {closed, [_ | _]}}, await(Sender)),
    ?assertEqual({error, {closed, Messages}}, ?M:send_batch(C, Id, Messages)).

batch_of_one_to_one(Config) ->
    #{s := S, c := C, sid := SId} = pair(Config, [], [{type, stream}]),
    Messages = numbered(100, 100),
    [begin
         ok = ?M:send_batch(C, Any, Messages),
         ?assertEqual(Messages, streams_and_data(received(S, 100)))
     end || Any <- [0, #sctp_assoc_change{assoc_id = undefined}]],
    ok = ?M:send_batch(S, SId, Messages),
    ?assertEqual(Messages, streams_and_data(received(C, 100))).

batch_counts(Config) ->
    #{c := C, cid := Id} = pair(Config),
    ok = ?M:send_batch(C, Id, numbered(100, 100)),
    ?assertEqual({ok, [{send_cnt, 100}, {send_oct, 10000}, {send_max, 100}]},
                 inet:getstat(C, [send_cnt, send_oct, send_max])).

%% bindx/3

%% Of the network that all tests find.
addresses(Config) ->
    case family(Config) of
        inet -> {{10, 66, 0, 1}, {10, 66, 1, 1}};
        inet6 -> {{16#fd66, 0, 0, 0, 0, 0, 0, 1}, {16#fd66, 1, 0, 0, 0, 0, 0, 1}}
    end.

at(Config, IP) ->
    {ok, S} = ?M:open([family(Config), {ip, IP}]),
    adopt(S),
    S.

names(S) ->
    {ok, Names} = ?M:socknames(S),
    lists:sort([IP || {IP, _} <- Names]).

bindx_adds_and_removes(Config) ->
    {One, Two} = addresses(Config),
    S = at(Config, One),
    ok = ?M:listen(S, true),
    ?assertEqual([One], names(S)),
    ?assertEqual(ok, ?M:bindx(S, add, [Two])),
    ?assertEqual([One, Two], names(S)),
    C = at(Config, One),
    {ok, Port} = inet:port(S),
    {ok, #sctp_assoc_change{assoc_id = Id}} = ?M:connect(C, Two, Port, []),
    {ok, Peers} = ?M:peernames(C, Id),
    ?assertEqual([{One, Port}, {Two, Port}], lists:sort(Peers)),
    ?assertEqual(ok, ?M:bindx(S, remove, [One])),
    ?assertEqual([Two], names(S)),
    ?assertMatch(#sctp_assoc_change{state = comm_up}, event(?M, S)).

bindx_refuses(Config) ->
    {One, Two} = addresses(Config),
    S = at(Config, One),
    ?assertEqual({error, ebusy}, ?M:bindx(S, remove, [One])),
    Foreign = case family(Config) of
                  inet -> {192, 0, 2, 1};
                  inet6 -> {16#2001, 16#db8, 0, 0, 0, 0, 0, 1}
              end,
    ok = ?M:bindx(S, add, [Two]),
    ?assertEqual({error, einval}, ?M:bindx(S, remove, [Foreign])),
    ok = ?M:bindx(S, remove, [Two]),
    ?assertEqual({error, eaddrnotavail}, ?M:bindx(S, add, [Foreign])),
    ?assertEqual({error, eaddrnotavail}, ?M:bindx(S, add, [Two, Foreign])),
    ?assertEqual([One], names(S)),
    ?assertEqual({error, einval}, ?M:bindx(S, add, [])),
    ?assertEqual({error, einval}, ?M:bindx(S, add, [{1, 2, 3}])),
    ?assertEqual({error, einval}, ?M:bindx(S, add, [{300, 0, 0, 1}])),
    [?assertError(badarg, ?M:bindx(S, Op, IPs))
     || {Op, IPs} <- [{foo, [Two]}, {add, foo}, {add, [foo]}, {add, [Two | foo]}]],
    ok = ?M:close(S),
    ?assertEqual({error, closed}, ?M:bindx(S, add, [Two])),
    ?assertError(badarg, ?M:bindx(foo, add, [Two])).

bindx_is_told_to_the_peer(Config) ->
    {One, Two} = addresses(Config),
    S = at(Config, One),
    ok = ?M:listen(S, true),
    C = at(Config, One),
    {ok, Port} = inet:port(S),
    {ok, #sctp_assoc_change{assoc_id = Id}} = ?M:connect(C, One, Port, []),
    ?assertMatch(#sctp_assoc_change{state = comm_up}, event(?M, S)),
    ok = ?M:bindx(S, add, [Two]),
    ?assertMatch(#sctp_paddr_change{addr = {Two, Port}, state = addr_added}, event(?M, C)),
    ?assertEqual({ok, lists:sort([{One, Port}, {Two, Port}])}, sorted(?M:peernames(C, Id))),
    ok = ?M:bindx(S, remove, [Two]),
    ?assertMatch(#sctp_paddr_change{addr = {Two, Port}, state = addr_removed},
                 removal(C)),
    ?assertEqual({ok, [{One, Port}]}, ?M:peernames(C, Id)).

%% The new path may be confirmed meanwhile.
removal(S) ->
    case event(?M, S) of
        #sctp_paddr_change{state = addr_confirmed} -> removal(S);
        Event -> Event
    end.

sorted({ok, List}) -> {ok, lists:sort(List)}.

%% abort_causes

abort_with(C, Id, Reason) ->
    ok = ?M:send(C, #sctp_sndrcvinfo{assoc_id = Id, flags = [abort]}, Reason).

%% What the peer's user said, with its code, for who asks; others see what gen_sctp shows.
abort_causes(Config) ->
    [begin
         #{s := S, c := C, cid := Id} = pair(Config),
         ?assertEqual({ok, [{abort_causes, false}]}, inet:getopts(S, [abort_causes])),
         ok = inet:setopts(S, [{abort_causes, On}]),
         ?assertEqual({ok, [{abort_causes, On}]}, inet:getopts(S, [abort_causes])),
         abort_with(C, Id, Reason),
         {ok, {_, _, Anc, #sctp_assoc_change{state = comm_lost, error = Error}}} = ?M:recv(S, 5000),
         ?assertEqual(12, Error bsr 8, "in network order"),
         ?assertEqual(Expected, Anc)
     end || {On, Reason, Expected} <-
                [{true, <<"maintenance">>, [{abort_causes, [{12, <<"maintenance">>}]}]},
                 {true, <<>>, [{abort_causes, [{12, <<>>}]}]},
                 {true, binary:copy(<<"x">>, 1000),
                  [{abort_causes, [{12, binary:copy(<<"x">>, 1000)}]}]},
                 {false, <<"maintenance">>, []}]],
    %% A graceful end has none.
    #{s := S, c := C, cup := Up} = pair(Config),
    ok = inet:setopts(S, [{abort_causes, true}]),
    ok = ?M:eof(C, Up),
    {ok, {_, _, [], #sctp_shutdown_event{}}} = ?M:recv(S, 5000),
    {ok, {_, _, [], #sctp_assoc_change{state = shutdown_comp}}} = ?M:recv(S, 5000),
    ?assertEqual({error, einval}, inet:setopts(S, [{abort_causes, perhaps}])),
    ?assertError(badarg, ?M:open([{abort_causes, 1}])).

%% As a message to the owner, alone and in a batch; and where the association was peeled off.
abort_causes_when_active(Config) ->
    Causes = [{abort_causes, [{12, <<"reason">>}]}],
    [begin
         #{s := S0, c := C, cid := Id, sid := SId} =
             pair(Config, [{abort_causes, true} | Options], []),
         S = case Peel of
                 true -> {ok, Peeled} = ?M:peeloff(S0, SId), adopt(Peeled);
                 false -> S0
             end,
         ok = inet:setopts(S, [{active, true}]),
         abort_with(C, Id, <<"reason">>),
         receive
             {sctp, S, _, _, {Anc, #sctp_assoc_change{state = comm_lost}}} ->
                 ?assertEqual({[], Causes}, {Options, Anc});
             {sctp_batch, S, [{_, _, Anc, #sctp_assoc_change{state = comm_lost}}]} ->
                 ?assertEqual({[{batch, 10}], Causes}, {Options, Anc})
         after 5000 -> ct:fail(no_event)
         end,
         %% A socket with one association has the error itself, too.
         [receive {sctp_error, S, econnreset} -> ok after 5000 -> ct:fail(no_error) end || Peel]
     end || Options <- [[], [{batch, 10}]], Peel <- [false, true]].

%% The answer of connect is gen_sctp's.
abort_causes_of_a_refused_connect(Config) ->
    {ok, Free} = ?M:open([family(Config), {ip, loopback}]),
    {ok, Port} = inet:port(Free),
    ok = ?M:close(Free),
    {ok, C} = ?M:open([family(Config), {ip, loopback}, {abort_causes, true}]),
    ?assertMatch({error, #sctp_assoc_change{state = cant_assoc}},
                 ?M:connect(adopt(C), gen_sctp_test_lib:loopback(Config), Port, [], 5000)).
