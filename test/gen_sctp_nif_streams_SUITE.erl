%% @doc What two ends agree on in their handshake, and what is done with the streams of an
%% association: reset, added, scheduled. Each beside the same without it (docs/proofs.md).
-module(gen_sctp_nif_streams_SUITE).

-include("gen_sctp_nif.hrl").
-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").
-include("gen_sctp_test_chunks.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [pair/1, adopt/1, event/2, data/2, port/1, all_arrived/2, get/2, set/3, av/2]).
-import(gen_sctp_test_net, [open_at/4, joined/3, quick/0, lasting/0]).

-define(M, gen_sctp_nif).
-define(NET, gen_sctp_test_net).

%% Parameters of RE-CONFIG (RFC 6525).
-define(OUTGOING_RESET, 13).
-define(INCOMING_RESET, 14).
-define(TSN_RESET, 15).
-define(ADD_OUTGOING, 17).
-define(ADD_INCOMING, 18).

suite() -> [{timetrap, {seconds, 90}}].

all() -> [{group, inet}, {group, inet6}].

groups() ->
    Calls = [toggles, toggles_of_the_endpoint, toggles_of_a_listener, bad_values, only_set,
             what_is_allowed, not_agreed_on, refused, streams_are_reset, reset_by_the_peer,
             reset_is_denied, association_is_reset, streams_are_added, on_one_to_one,
             schedulers, values, values_without_effect],
    Wire = [offered, allowed_before_it_is_up, on_the_wire, while_data_waits, one_at_a_time,
            scheduled, scheduled_anew, fair_schedulers, congestion],
    [{inet, [], Calls ++ Wire}, {inet6, [], Calls}].

init_per_suite(Config) -> ?NET:begin_suite([{module, ?M} | Config]).
end_per_suite(Config) -> ?NET:end_suite(Config).

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.

init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).

end_per_testcase(Case, Config) ->
    Cut = [allowed_before_it_is_up, while_data_waits, one_at_a_time, scheduled, scheduled_anew,
           fair_schedulers, congestion],
    ?NET:end_case(Case, Cut, Config).

value(S, Name, Id) ->
    case get(S, {Name, av(Id, undefined)}) of
        #sctp_assoc_value{assoc_id = Id, assoc_value = Value} -> Value;
        none -> none
    end.

%% What is agreed on.

%% With what each is offered to the peer: a parameter of INIT, or a chunk that is understood.
offers() ->
    [{sctp_pr_supported, {parameter, 16#c000}}, {sctp_ecn_supported, {parameter, 16#8000}},
     {sctp_reconfig_supported, {chunk, 130}}, {sctp_auth_supported, {chunk, 15}},
     {sctp_asconf_supported, {chunk, 193}}].

toggles() ->
    [Name || {Name, _} <- offers()].

%% INIT offers what its sender has, the answer what both have; and both ends say the same of it.
offered(Config) ->
    [begin
         {{Pair, Answer}, Init} = ?NET:watch(?config(net, Config), far, fun(_) ->
             ?NET:watch(?config(net, Config), near, fun(_) ->
                 joined(Config, [{Name, av(undefined, Near)}], [{Name, av(0, Far)}])
             end)
         end),
         ?assertEqual({Name, Near, Near, Near and Far},
                      {Name, Near, is_offered(Offer, ?INIT, Init),
                       is_offered(Offer, ?INIT_ACK, Answer)}),
         #{n := N, f := F, nid := Id, fid := FId} = Pair,
         ?assertEqual({Name, Near, Far, Near and Far, Near and Far},
                      {Name, value(N, Name, 0), value(F, Name, 0), value(N, Name, Id),
                       value(F, Name, FId)}),
         [ok = ?M:close(S) || S <- [N, F]]
     end || {Name, Offer} <- offers(), Near <- [true, false], Far <- [true, false]].

is_offered(Offer, Type, Chunks) ->
    [<<_:16/binary, Parameters/binary>>] =
        [Value || #{type := Found, value := Value} <- Chunks, Found =:= Type],
    lists:member(Offer, offers(Parameters)).

offers(<<Type:16, Length:16, Rest/binary>>) ->
    Size = Length - 4,
    Padding = min(-Length band 3, byte_size(Rest) - Size),
    <<Value:Size/binary, _:Padding/binary, More/binary>> = Rest,
    [{parameter, Type}] ++ [{chunk, Chunk} || Type =:= 16#8008, <<Chunk>> <= Value] ++ offers(More);
offers(<<>>) ->
    [].

%% What sockets begin with is the namespace's.
toggles(Config) ->
    #{s := S, sid := Id} = pair(Config),
    Features = ?M:features(),
    [begin
         ?assertEqual({Name, maps:get(Gate, Features)}, {Name, value(S, Name, 0)}),
         ?assertEqual({Name, maps:get(Gate, Features)}, {Name, value(S, Name, Id)}),
         ?assertEqual(get(S, Name), get(S, {Name, av(0, undefined)})),
         ?assertEqual(get(S, Name), get(S, {Name, av(future, undefined)})),
         ?assertEqual(true, maps:get(Name, Features)),
         [begin
              ok = set(S, Name, av(Whose, On)),
              ?assertEqual({Name, On}, {Name, value(S, Name, 0)})
          end || Whose <- [0, future, undefined], On <- [true, false]],
         %% Of an association, or several, it cannot be set.
         [?assertEqual({error, einval}, set(S, Name, av(Whose, true)), {Name, Whose})
          || Whose <- [Id, Id + 1000, current, all]],
         ?assertEqual({Name, false}, {Name, value(S, Name, 0)}),
         [?assertEqual(none, value(S, Name, Whose)) || Whose <- [Id + 1000, current, all]]
     end || {Name, Gate} <-
                [{sctp_pr_supported, prsctp_enable}, {sctp_ecn_supported, ecn_enable},
                 {sctp_reconfig_supported, reconf_enable}, {sctp_auth_supported, auth_enable},
                 {sctp_asconf_supported, addip_enable}]].

%% It is for associations to come.
toggles_of_the_endpoint(Config) ->
    #{s := S, c := C, sid := Old} = pair(Config),
    [ok = set(Socket, sctp_reconfig_supported, av(0, true)) || Socket <- [S, C]],
    D = gen_sctp_test_lib:open(Config, [{sctp_reconfig_supported, av(undefined, true)}]),
    #{sid := New, cid := NewC} =
        gen_sctp_test_lib:join(?M, gen_sctp_test_lib:loopback(Config), S, D),
    ?assertEqual([false, true], [value(S, sctp_reconfig_supported, Id) || Id <- [Old, New]]),
    ?assertEqual(true, value(D, sctp_reconfig_supported, NewC)),
    %% And connect's options are in time.
    E = gen_sctp_test_lib:open(Config, []),
    {ok, #sctp_assoc_change{assoc_id = Last}} =
        ?M:connect(E, gen_sctp_test_lib:loopback(Config), port(S),
                   [{sctp_reconfig_supported, av(undefined, true)}], 5000),
    ?assertEqual(true, value(E, sctp_reconfig_supported, Last)),
    #sctp_assoc_change{state = comm_up} = event(?M, S).

%% What a listener of one-to-one sockets has is what those have that it accepts, and those that are
%% peeled off keep theirs.
toggles_of_a_listener(Config) ->
    On = {sctp_reconfig_supported, av(0, true)},
    [begin
         L = gen_sctp_test_lib:listener(Config, [{type, stream} | Opts]),
         C = gen_sctp_test_lib:open(Config, [On]),
         {ok, #sctp_assoc_change{assoc_id = Id}} =
             ?M:connect(C, gen_sctp_test_lib:loopback(Config), port(L), []),
         {ok, A} = ?M:accept(L, 5000),
         adopt(A),
         {ok, P} = ?M:peeloff(C, Id),
         adopt(P),
         ?assertEqual([Opts =/= [], Opts =/= []],
                      [begin
                           #sctp_assoc_value{assoc_value = Has} = get(S, sctp_reconfig_supported),
                           Has
                       end || S <- [A, P]]),
         Answer = case Opts of [On] -> ok; [] -> {error, enoprotoopt} end,
         [?assertEqual(Answer, set(S, sctp_enable_stream_reset, av(Whose, [reset_streams])))
          || S <- [A, P], Whose <- [0, Id, all]]
     end || Opts <- [[On], []]].

%% Each field with what is of the wrong type, too small, too large, or unknown.
bad_values(Config) ->
    #{c := C} = pair(Config),
    [begin
         [?assertEqual({error, einval}, set(C, Name, setelement(Position, Record, Value)))
          || Position <- lists:seq(2, tuple_size(Record)), Value <- junk()],
         [?assertEqual({error, einval}, set(C, Name, Bad), Bad)
          || Bad <- junk() ++ [setelement(1, Record, sctp_initmsg),
                               erlang:append_element(Record, undefined),
                               erlang:delete_element(2, Record)]]
     end || {Name, Record} <- good()],
    [?assertEqual({error, einval}, set(C, Name, av(0, Value)), {Name, Value})
     || Name <- toggles(), Value <- [undefined, 0, 1, enable]],
    [?assertError(badarg, ?M:open([{Name, Bad}]))
     || Name <- toggles(), Bad <- [true, av(0, 1), av(5, true), av(current, true)]].

good() ->
    [{Name, av(0, true)} || Name <- toggles()] ++
        [{sctp_enable_stream_reset, av(0, [reset_streams])},
         {sctp_reset_streams, #sctp_reset_streams{assoc_id = 5, flags = [outgoing], streams = [1]}},
         {sctp_add_streams, #sctp_add_streams{assoc_id = 5, instrms = 1, outstrms = 1}},
         {sctp_stream_scheduler, av(0, prio)},
         {sctp_stream_scheduler_value, #sctp_stream_value{assoc_id = 5, sid = 1, value = 1}}].

junk() ->
    [foo, -1, 1 bsl 32, 1 bsl 70, 2.5, <<>>, "text", {}, {a, b}, #{}, self(), [a | b],
     {{127, 0, 0, 1}, 80}].

%% They ask for something to be done, which is nothing to be read.
only_set(Config) ->
    #{c := C, cid := Id} = pair(Config),
    [begin
         ?assertEqual({error, enotsup}, ?M:getopt(C, Name)),
         ?assertEqual({ok, []}, inet:getopts(C, [Name]))
     end || Name <- [sctp_reset_streams, sctp_reset_assoc, sctp_add_streams]],
    Reset = #sctp_reset_streams{assoc_id = Id, flags = [outgoing], streams = [1]},
    [?assertEqual({error, einval}, set(C, Name, Bad), {Name, Bad})
     || {Name, Bads} <-
            [{sctp_reset_streams,
              [Reset#sctp_reset_streams{streams = Streams}
               || Streams <- [undefined, [], [65536], [-1], [1 | 2], [foo], any, [all],
                              lists:duplicate(1025, 1), lists:duplicate(1000000, 1)]] ++
              [Reset#sctp_reset_streams{flags = Flags}
               || Flags <- [undefined, [sideways], outgoing, [outgoing | incoming], [denied]]]},
             {sctp_reset_assoc, junk() ++ [undefined, [], 0, Id + 1000]},
             {sctp_enable_stream_reset,
              [av(0, Value) || Value <- [undefined, all, 7, [reset], [reset_streams, 1],
                                         [reset_streams | reset_assoc]]]},
             {sctp_stream_scheduler, [av(0, Value) || Value <- [undefined, 0, 1, lifo]]}],
        Bad <- Bads],
    [?assertError(badarg, ?M:open([Bad]))
     || Bad <- [{sctp_reset_streams, Reset}, {sctp_reset_assoc, 5}, {sctp_reset_assoc, foo},
                {sctp_add_streams, #sctp_add_streams{outstrms = 1}},
                {sctp_enable_stream_reset, [reset_streams]},
                {sctp_stream_scheduler_value, #sctp_stream_value{sid = 1, value = 1}}]].

%% Streams that are reset or added.

-define(EVERYTHING, [reset_streams, reset_assoc, change_assoc]).

%% Options of a socket whose associations' streams may be reset, as far as it allows that.
changeable(Allowed) ->
    [{sctp_reconfig_supported, av(undefined, true)},
     {sctp_enable_stream_reset, av(undefined, Allowed)}
     | [{sctp_event, #sctp_event{type = Type, on = true}}
        || Type <- [stream_reset, assoc_reset, stream_change]]].

changeable_pair(Config, FarAllows) ->
    joined(Config, changeable(?EVERYTHING), changeable(FarAllows)).

reset(S, Id, Flags, Streams) ->
    set(S, sctp_reset_streams,
        #sctp_reset_streams{assoc_id = Id, flags = Flags, streams = Streams}).

%% The numbers of messages that are sent on these streams now.
numbers(From, Id, To, Streams) ->
    [begin
         ok = ?M:send(From, Id, Stream, <<"data">>),
         {#sctp_sndrcvinfo{stream = Stream, ssn = Number}, <<"data">>} = data(?M, To),
         Number
     end || Stream <- Streams].

silent(S) ->
    ?assertEqual({error, timeout}, ?M:recv(S, 0)).

what_is_allowed(Config) ->
    #{n := N, nid := Id} = changeable_pair(Config, []),
    ?assertEqual(?EVERYTHING, value(N, sctp_enable_stream_reset, Id)),
    ?assertEqual(?EVERYTHING, value(N, sctp_enable_stream_reset, 0)),
    [begin
         ok = set(N, sctp_enable_stream_reset, av(Id, [])),
         ok = set(N, sctp_enable_stream_reset, av(0, [reset_assoc])),
         ok = set(N, sctp_enable_stream_reset, av(Whose, [change_assoc, reset_streams])),
         ?assertEqual({Whose, Expected}, {Whose, [value(N, sctp_enable_stream_reset, Of)
                                                  || Of <- [Id, 0]]})
     end || {Whose, Expected} <- [{Id, [[reset_streams, change_assoc], [reset_assoc]]},
                                  {future, [[], [reset_streams, change_assoc]]},
                                  {current, [[reset_streams, change_assoc], [reset_assoc]]},
                                  {all, [[reset_streams, change_assoc],
                                         [reset_streams, change_assoc]]}]],
    ?assertEqual({error, einval}, set(N, sctp_enable_stream_reset, av(Id + 1000, []))),
    %% Each request needs its own.
    Requests = [{[reset_streams], fun() -> reset(N, Id, [outgoing], [1]) end},
                {[reset_assoc], fun() -> set(N, sctp_reset_assoc, Id) end},
                {[change_assoc], fun() -> add(N, Id, 0, 1) end}],
    [begin
         ok = set(N, sctp_enable_stream_reset, av(Id, ?EVERYTHING -- Needed)),
         ?assertEqual({error, enoprotoopt}, Request())
     end || {Needed, Request} <- Requests].

%% What the two do not know of each other yet is not refused.
allowed_before_it_is_up(Config) ->
    Net = ?config(net, Config),
    F = open_at(far, [0], changeable(?EVERYTHING), Config),
    ok = ?M:listen(F, true),
    N = open_at(near, [0], [quick() | changeable([])], Config),
    ok = ?NET:cut(Net, 0),
    {ok, Id} = ?M:connectx_init(N, [{?NET:address(far, inet, 0), port(F)}], []),
    ?assertMatch({ok, #{state := cookie_wait}}, ?M:status(N, Id)),
    ?assertEqual(ok, set(N, sctp_enable_stream_reset, av(Id, [reset_streams]))),
    ok = ?NET:heal(Net, 0),
    ?assertMatch(#sctp_assoc_change{state = comm_up}, event(?M, N)),
    ?assertEqual(ok, reset(N, Id, [outgoing], [1])).

%% Where one of the two does not know of it nothing can be asked for, nor allowed.
not_agreed_on(Config) ->
    Asks = changeable(?EVERYTHING),
    Not = lists:keyreplace(sctp_reconfig_supported, 1, Asks,
                           {sctp_reconfig_supported, av(undefined, false)}),
    [begin
         #{n := N, nid := Id, f := F} = joined(Config, Near, Far),
         ?assertEqual(false, value(N, sctp_reconfig_supported, Id)),
         [?assertEqual({error, enoprotoopt}, Answer)
          || Answer <- [reset(N, Id, [outgoing], all), set(N, sctp_reset_assoc, Id),
                        add(N, Id, 1, 1),
                        set(N, sctp_enable_stream_reset, av(Id, [reset_streams]))]],
         ok = set(N, sctp_enable_stream_reset, av(Id, [])),
         ?assertEqual([0, 1], numbers(N, Id, F, [1, 1]))
     end || {Near, Far} <- [{Asks, Not}, {Not, Asks}]].

refused(Config) ->
    #{n := N, nid := Id} = changeable_pair(Config, ?EVERYTHING),
    [?assertEqual({Case, {error, einval}}, {Case, Answer})
     || {Case, Answer} <- [{no_direction, reset(N, Id, [], [1])},
                           {no_such_stream, reset(N, Id, [outgoing], [10])},
                           {no_such_association, reset(N, Id + 1000, [outgoing], [1])},
                           {the_endpoint, reset(N, 0, [outgoing], [1])},
                           {nothing_more, add(N, Id, 0, 0)},
                           {too_many, add(N, Id, 0, 65530)},
                           {added_to_none, add(N, Id + 1000, 1, 1)}]],
    silent(N).

%% Those that are named begin anew, others go on.
streams_are_reset(Config) ->
    #{n := N, nid := Id, f := F, fid := FId} = changeable_pair(Config, ?EVERYTHING),
    Event = #sctp_stream_reset_event{flags = [outgoing], assoc_id = Id},
    FarEvent = #sctp_stream_reset_event{flags = [incoming], assoc_id = FId},
    ?assertEqual([0, 1, 0, 0, 1], numbers(N, Id, F, [1, 1, 3, 5, 5])),
    [begin
         ok = reset(N, Id, [outgoing], Streams),
         ?assertEqual(Event#sctp_stream_reset_event{streams = Streams}, event(?M, N)),
         ?assertEqual(FarEvent#sctp_stream_reset_event{streams = Streams}, event(?M, F)),
         ?assertEqual({Streams, Expected}, {Streams, numbers(N, Id, F, [1, 3, 5])})
     end || {Streams, Expected} <- [{[1, 3], [0, 0, 2]}, {[5], [1, 1, 0]}, {all, [0, 0, 0]},
                                    {[3], [1, 0, 1]}]],
    %% What comes back is not concerned.
    ?assertEqual([0, 1], numbers(F, FId, N, [1, 1])).

%% Who receives can ask for it as well.
reset_by_the_peer(Config) ->
    #{n := N, nid := Id, f := F, fid := FId} = changeable_pair(Config, ?EVERYTHING),
    ?assertEqual([0, 1, 0, 1], numbers(F, FId, N, [2, 2, 4, 4])),
    ok = reset(N, Id, [incoming], [2]),
    ?assertEqual(#sctp_stream_reset_event{flags = [incoming], assoc_id = Id, streams = [2]},
                 event(?M, N)),
    ?assertEqual(#sctp_stream_reset_event{flags = [outgoing], assoc_id = FId, streams = [2]},
                 event(?M, F)),
    ?assertEqual([0, 2], numbers(F, FId, N, [2, 4])).

%% Where the peer does not allow it, it goes on; where it does, not.
reset_is_denied(Config) ->
    #{n := N, nid := Id, f := F, fid := FId} = changeable_pair(Config, []),
    ?assertEqual([0, 1], numbers(N, Id, F, [1, 1])),
    ok = reset(N, Id, [outgoing], [1]),
    ?assertEqual(#sctp_stream_reset_event{flags = [outgoing, denied], assoc_id = Id,
                                          streams = [1]}, event(?M, N)),
    ?assertEqual([2], numbers(N, Id, F, [1])),
    ok = set(N, sctp_reset_assoc, Id),
    ?assertMatch(#sctp_assoc_reset_event{flags = [denied], assoc_id = Id}, event(?M, N)),
    ?assertEqual([3], numbers(N, Id, F, [1])),
    ok = add(N, Id, 0, 1),
    ?assertMatch(#sctp_stream_change_event{flags = [denied], assoc_id = Id}, event(?M, N)),
    ?assertEqual({error, einval}, ?M:send(N, Id, 10, <<"too far">>)),
    silent(F),
    ok = set(F, sctp_enable_stream_reset, av(FId, [reset_streams])),
    ok = reset(N, Id, [outgoing], [1]),
    ?assertMatch(#sctp_stream_reset_event{flags = [outgoing]}, event(?M, N)),
    ?assertMatch(#sctp_stream_reset_event{flags = [incoming]}, event(?M, F)),
    ?assertEqual([0], numbers(N, Id, F, [1])).

association_is_reset(Config) ->
    #{n := N, nid := Id, f := F, fid := FId} = changeable_pair(Config, ?EVERYTHING),
    ?assertEqual([0, 1, 0, 1], numbers(N, Id, F, [0, 0]) ++ numbers(F, FId, N, [0, 0])),
    ok = set(N, sctp_reset_assoc, Id),
    #sctp_assoc_reset_event{flags = [], assoc_id = Id, local_tsn = Local, remote_tsn = Remote} =
        event(?M, N),
    ?assertEqual(#sctp_assoc_reset_event{flags = [], assoc_id = FId, local_tsn = Remote,
                                         remote_tsn = Local}, event(?M, F)),
    [begin
         ok = ?M:send(From, Of, 0, <<"after">>),
         ?assertMatch({#sctp_sndrcvinfo{tsn = Tsn, ssn = 0}, <<"after">>}, data(?M, To))
     end || {From, Of, To, Tsn} <- [{N, Id, F, Local}, {F, FId, N, Remote}]].

add(S, Id, In, Out) ->
    set(S, sctp_add_streams, #sctp_add_streams{assoc_id = Id, instrms = In, outstrms = Out}).

%% Of what is sent, of what is received, of both; a field that is left out is 0.
streams_are_added(Config) ->
    #{n := N, nid := Id, f := F, fid := FId} = changeable_pair(Config, ?EVERYTHING),
    Change = #sctp_stream_change_event{flags = [], instrms = 0, outstrms = 0},
    ?assertEqual({error, einval}, ?M:send(N, Id, 11, <<"too far">>)),
    ok = add(N, Id, undefined, 3),
    ?assertEqual(Change#sctp_stream_change_event{assoc_id = Id, outstrms = 3}, event(?M, N)),
    ?assertEqual(Change#sctp_stream_change_event{assoc_id = FId, instrms = 3}, event(?M, F)),
    ?assertEqual([0, 0, 0], numbers(N, Id, F, [10, 11, 12])),
    ?assertEqual({error, einval}, ?M:send(N, Id, 13, <<"too far">>)),
    ?assertEqual({error, einval}, ?M:send(F, FId, 10, <<"too far">>)),
    ok = add(N, Id, 2, undefined),
    ?assertEqual(Change#sctp_stream_change_event{assoc_id = Id, instrms = 2}, event(?M, N)),
    ?assertEqual(Change#sctp_stream_change_event{assoc_id = FId, outstrms = 2}, event(?M, F)),
    ?assertEqual([0, 0], numbers(F, FId, N, [10, 11])),
    ok = add(N, Id, 1, 1),
    ?assertEqual([{0, 1}, {1, 0}],
                 lists:sort([{In, Out} || _ <- [1, 2],
                                          #sctp_stream_change_event{instrms = In, outstrms = Out}
                                              <- [event(?M, N)]])),
    ?assertEqual([{0, 1}, {1, 0}],
                 lists:sort([{In, Out} || _ <- [1, 2],
                                          #sctp_stream_change_event{instrms = In, outstrms = Out}
                                              <- [event(?M, F)]])),
    ?assertEqual([0, 0], numbers(N, Id, F, [13]) ++ numbers(F, FId, N, [12])),
    {ok, #{instrms := 13, outstrms := 14}} = ?M:status(N, Id).

%% One-to-one sockets have one association, whatever they call it.
on_one_to_one(Config) ->
    #{n := N, f := F} = joined(Config, [{type, stream} | changeable(?EVERYTHING)],
                               changeable(?EVERYTHING)),
    ?assertEqual([0, 1, 0], numbers(N, 0, F, [1, 1, 2])),
    ok = reset(N, undefined, [outgoing], [1]),
    ?assertMatch(#sctp_stream_reset_event{flags = [outgoing], streams = [1]}, event(?M, N)),
    ?assertMatch(#sctp_stream_reset_event{flags = [incoming], streams = [1]}, event(?M, F)),
    ?assertEqual([0, 1], numbers(N, 0, F, [1, 2])),
    ok = set(N, sctp_stream_scheduler, av(0, prio)),
    ok = set(N, sctp_stream_scheduler_value, #sctp_stream_value{sid = 3, value = 7}),
    ?assertMatch(#sctp_stream_value{sid = 3, value = 7},
                 get(N, {sctp_stream_scheduler_value, #sctp_stream_value{sid = 3}})),
    %% None yet.
    Alone = gen_sctp_test_lib:open(Config, [{type, stream},
                                            {sctp_stream_scheduler, av(undefined, prio)}]),
    ?assertEqual({error, einval},
                 set(Alone, sctp_stream_scheduler_value, #sctp_stream_value{sid = 1, value = 1})).

%% RE-CONFIG with what was asked for, and none before.
on_the_wire(Config) ->
    #{n := N, nid := Id, f := F, fid := FId, net := Net} =
        changeable_pair(Config, ?EVERYTHING),
    Sent = fun(Do, Events) ->
        {ok, Chunks} = ?NET:watch(Net, far, fun(_) ->
            ok = Do(),
            [{_, _} = {event(?M, N), event(?M, F)} || _ <- lists:seq(1, Events)],
            ok
        end),
        [Value || #{type := ?RE_CONFIG, value := Value} <- Chunks]
    end,
    ?assertEqual([], Sent(fun() -> [0] = numbers(N, Id, F, [1]), ok end, 0)),
    ?assertMatch([<<?OUTGOING_RESET:16, 20:16, _:32, _:32, _:32, 1:16, 3:16>>],
                 Sent(fun() -> reset(N, Id, [outgoing], [1, 3]) end, 1)),
    ?assertMatch([<<?INCOMING_RESET:16, 10:16, _:32, 2:16, _/binary>> | _],
                 Sent(fun() -> reset(N, Id, [incoming], [2]) end, 1)),
    ?assertMatch([<<?TSN_RESET:16, 8:16, _:32>>],
                 Sent(fun() -> set(N, sctp_reset_assoc, Id) end, 1)),
    ?assertMatch([<<?ADD_OUTGOING:16, 12:16, _:32, 3:16, _:16>>],
                 Sent(fun() -> add(N, Id, 0, 3) end, 1)),
    ?assertMatch([<<?ADD_INCOMING:16, 12:16, _:32, 4:16, _:16>> | _],
                 Sent(fun() -> add(N, Id, 4, 0) end, 1)),
    ?assertEqual([0], numbers(F, FId, N, [10])).

%% What was sent on a stream has to leave before.
while_data_waits(Config) ->
    #{n := N, nid := Id, f := F, net := Net} =
        joined(Config, lasting() ++ changeable(?EVERYTHING), changeable(?EVERYTHING)),
    ok = ?NET:cut(Net, 0),
    %% More than goes out at once, and that is kept as well.
    [ok = ?M:send(N, Id, 1, <<0:1000/unit:8>>) || _ <- lists:seq(1, 20)],
    ?assertEqual({error, eagain}, reset(N, Id, [outgoing], [1])),
    ?assertEqual({error, eagain}, set(N, sctp_reset_assoc, Id)),
    ok = ?NET:heal(Net, 0),
    [data(?M, F) || _ <- lists:seq(1, 20)],
    all_arrived(N, Id),
    ok = reset(N, Id, [outgoing], [1]),
    ?assertMatch(#sctp_stream_reset_event{flags = [outgoing], streams = [1]}, event(?M, N)),
    ?assertMatch(#sctp_stream_reset_event{flags = [incoming], streams = [1]}, event(?M, F)),
    ?assertEqual([0], numbers(N, Id, F, [1])).

%% A request waits for the answer to the one before.
one_at_a_time(Config) ->
    #{n := N, nid := Id, f := F, net := Net} =
        joined(Config, lasting() ++ changeable(?EVERYTHING), changeable(?EVERYTHING)),
    ?assertEqual([0, 0], numbers(N, Id, F, [1, 2])),
    all_arrived(N, Id),
    ok = ?NET:cut(Net, 0),
    ok = reset(N, Id, [outgoing], [1]),
    [?assertEqual({error, einprogress}, Answer)
     || Answer <- [reset(N, Id, [outgoing], [2]), set(N, sctp_reset_assoc, Id),
                   add(N, Id, 1, 0)]],
    %% Messages on that stream wait, and those behind them.
    [ok = ?M:send(N, Id, Stream, <<"data">>) || Stream <- [1, 2]],
    ok = ?NET:heal(Net, 0),
    ?assertMatch(#sctp_stream_reset_event{flags = [outgoing], streams = [1]}, event(?M, N)),
    ?assertEqual([[1], {1, 0}, {2, 1}], [what_came(F) || _ <- [1, 2, 3]]),
    ok = reset(N, Id, [outgoing], [2]),
    ?assertMatch(#sctp_stream_reset_event{flags = [outgoing], streams = [2]}, event(?M, N)),
    ?assertMatch(#sctp_stream_reset_event{flags = [incoming], streams = [2]}, event(?M, F)).

what_came(S) ->
    case ?M:recv(S, 5000) of
        {ok, {_, _, [#sctp_sndrcvinfo{stream = Stream, ssn = Number}], <<"data">>}} ->
            {Stream, Number};
        {ok, {_, _, [], #sctp_stream_reset_event{flags = [incoming], streams = Streams}}} ->
            Streams
    end.

%% Schedulers.

%% Which the running kernel has is what features/0 says.
schedulers(Config) ->
    #{c := C, cid := Id} = pair(Config),
    Features = ?M:features(),
    ?assertEqual([fcfs, fcfs], [value(C, sctp_stream_scheduler, Of) || Of <- [0, Id]]),
    [begin
         Expected = case maps:get(Feature, Features) of true -> ok; false -> {error, einval} end,
         ?assertEqual({Name, Whose, Expected},
                      {Name, Whose, set(C, sctp_stream_scheduler, av(Whose, Name))}),
         [?assertEqual(Name, value(C, sctp_stream_scheduler, Whose)) || Expected =:= ok]
     end || {Name, Feature} <- [{prio, scheduler_prio}, {rr, scheduler_rr}, {fc, scheduler_fc},
                                {wfq, scheduler_wfq}, {fcfs, scheduler_fcfs}], Whose <- [0, Id]],
    [begin
         ok = set(C, sctp_stream_scheduler, av(all, fcfs)),
         ok = set(C, sctp_stream_scheduler, av(Whose, rr)),
         ?assertEqual({Whose, Expected},
                      {Whose, [value(C, sctp_stream_scheduler, Of) || Of <- [0, Id]]})
     end || {Whose, Expected} <- [{Id, [fcfs, rr]}, {future, [rr, fcfs]}, {current, [fcfs, rr]},
                                  {all, [rr, rr]}]],
    ?assertEqual({error, einval}, set(C, sctp_stream_scheduler, av(Id + 1000, rr))),
    ?assertEqual(none, value(C, sctp_stream_scheduler, Id + 1000)),
    Opened = gen_sctp_test_lib:open(Config, [{sctp_stream_scheduler, av(undefined, prio)}]),
    ?assertEqual(prio, value(Opened, sctp_stream_scheduler, 0)).

stream_value(S, Id, Stream) ->
    case get(S, {sctp_stream_scheduler_value, #sctp_stream_value{assoc_id = Id, sid = Stream}}) of
        #sctp_stream_value{assoc_id = Id, sid = Stream, value = Value} -> Value;
        none -> none
    end.

values(Config) ->
    #{c := C, cid := Id} = pair(Config),
    Set = fun(Whose, Stream, Value) ->
        set(C, sctp_stream_scheduler_value,
            #sctp_stream_value{assoc_id = Whose, sid = Stream, value = Value})
    end,
    %% In any order: the scheduler begins without values.
    ok = inet:setopts(C, [{sctp_stream_scheduler, av(Id, prio)},
                          {sctp_stream_scheduler_value,
                           #sctp_stream_value{assoc_id = Id, sid = 9, value = 65535}}]),
    ?assertEqual([0, 65535], [stream_value(C, Id, Stream) || Stream <- [0, 9]]),
    ok = inet:setopts(C, [{sctp_stream_scheduler_value,
                           #sctp_stream_value{assoc_id = Id, sid = 8, value = 2}},
                          {sctp_stream_scheduler, av(Id, prio)}]),
    ok = Set(current, 3, 5),
    ?assertEqual([2, 5], [stream_value(C, Id, Stream) || Stream <- [8, 3]]),
    [?assertEqual({error, einval}, Set(Whose, Stream, 1), {Whose, Stream})
     || {Whose, Stream} <- [{Id, 10}, {Id, 65535}, {Id + 1000, 1}, {0, 1}, {future, 1}, {all, 1}]],
    [?assertEqual(none, stream_value(C, Whose, Stream), {Whose, Stream})
     || {Whose, Stream} <- [{Id, 10}, {Id + 1000, 1}, {0, 1}]],
    [ok = set(C, sctp_stream_scheduler, av(Id, Scheduler)) || Scheduler <- [fcfs, prio]],
    ?assertEqual([0, 0], [stream_value(C, Id, Stream) || Stream <- [8, 3]]).

%% The others take no account of them.
values_without_effect(Config) ->
    #{c := C, cid := Id} = pair(Config),
    Has = [Scheduler || {Scheduler, Feature} <- [{fcfs, scheduler_fcfs}, {rr, scheduler_rr},
                                                 {fc, scheduler_fc}],
                        maps:get(Feature, ?M:features())],
    [begin
         ok = set(C, sctp_stream_scheduler, av(Id, Scheduler)),
         ?assertEqual({error, einval},
                      set(C, sctp_stream_scheduler_value,
                          #sctp_stream_value{assoc_id = Id, sid = 1, value = 1}), Scheduler)
     end || Scheduler <- Has].

%% Streams in the order in which messages left that had to wait, with their sizes. Four packets fill
%% the first window, on a path that loses all; the rest waits until it is healed.
departures(#{n := N, nid := Id, f := F, net := Net}, Messages, WhileTheyWait) ->
    ok = ?NET:cut(Net, 0),
    Plug = [{9, 1400} || _ <- lists:seq(1, 4)],
    [ok = ?M:send(N, Id, Stream, <<0:Size/unit:8>>) || {Stream, Size} <- Plug ++ Messages],
    ok = WhileTheyWait(),
    ok = ?NET:heal(Net, 0),
    Came = lists:sort([begin
                           {#sctp_sndrcvinfo{tsn = Tsn, stream = Stream, ssn = Number}, Data} =
                               data(?M, F),
                           {Tsn, Stream, Number, byte_size(Data)}
                       end || _ <- Plug ++ Messages]),
    %% Within a stream there is one order.
    [?assertEqual(lists:sort(Numbers), Numbers)
     || Of <- lists:usort([Stream || {_, Stream, _, _} <- Came]),
        Numbers <- [[Number || {_, Stream, Number, _} <- Came, Stream =:= Of]]],
    {First, Rest} = lists:split(length(Plug), [{Stream, Size} || {_, Stream, _, Size} <- Came]),
    ?assertEqual(Plug, First),
    ct:log("~w~n", [Rest]),
    Rest.

%% One stream after the other, of packets.
in_turn(Count, Size) ->
    [{Stream, Size} || Stream <- [0, 1, 2], _ <- lists:seq(1, Count)].

scheduled(Config) ->
    Sent = in_turn(5, 1000),
    Left = fun(Scheduler, Values) ->
        #{n := N, nid := Id, f := F} = Pair =
            joined(Config, [{sctp_stream_scheduler, av(undefined, Scheduler)} | lasting()], []),
        [ok = set(N, sctp_stream_scheduler_value,
                  #sctp_stream_value{assoc_id = Id, sid = Stream, value = Value})
         || {Stream, Value} <- Values],
        Departures = departures(Pair, Sent, fun() -> ok end),
        [ok = ?M:close(S) || S <- [N, F]],
        [Stream || {Stream, 1000} <- Departures]
    end,
    ?assertEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2], Left(fcfs, [])),
    ?assertEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0],
                 Left(prio, [{0, 9}, {1, 3}, {2, 5}])),
    %% In turn, whoever begins.
    [A, B, C | _] = Turns = Left(rr, []),
    ?assertEqual([0, 1, 2], lists:sort([A, B, C])),
    ?assertEqual(lists:append(lists:duplicate(5, [A, B, C])), Turns).

%% What waits already goes by the new order.
scheduled_anew(Config) ->
    #{n := N, nid := Id} = Pair = joined(Config, lasting(), []),
    Left = departures(Pair, in_turn(3, 1000), fun() ->
        ok = set(N, sctp_stream_scheduler, av(Id, prio)),
        [ok = set(N, sctp_stream_scheduler_value,
                  #sctp_stream_value{assoc_id = Id, sid = Stream, value = 9 - Stream})
         || Stream <- [0, 1, 2]],
        ok
    end),
    ?assertEqual([2, 2, 2, 1, 1, 1, 0, 0, 0], [Stream || {Stream, _} <- Left]).

%% By bytes: as many for each, or by their shares. Kernels that do not have them say so.
fair_schedulers(Config) ->
    #{scheduler_fc := Has, scheduler_wfq := Has} = ?M:features(),
    Sizes = [{0, 1400}, {1, 700}, {2, 350}],
    Sent = [Message || {_, Size} = Message <- Sizes, _ <- lists:seq(1, 28000 div Size)],
    [begin
         Opts = [{sctp_stream_scheduler, av(undefined, Scheduler)} | lasting()],
         case Has of
             false ->
                 ?assertError(badarg, ?M:open(Opts));
             true ->
                 #{n := N, nid := Id, f := F} = Pair = joined(Config, Opts, []),
                 [ok = set(N, sctp_stream_scheduler_value,
                           #sctp_stream_value{assoc_id = Id, sid = Stream, value = Share})
                  || {Stream, Share} <- Shares, Scheduler =:= wfq],
                 Left = departures(Pair, Sent, fun() -> ok end),
                 [ok = ?M:close(S) || S <- [N, F]],
                 is_fair(Scheduler, Left, Shares)
         end
     end || {Scheduler, Shares} <- [{fc, [{0, 1}, {1, 1}, {2, 1}]},
                                    {wfq, [{0, 4}, {1, 2}, {2, 1}]}]].

%% As long as all have something to send.
is_fair(Scheduler, Left, Shares) ->
    Until = lists:min([last_of(Stream, Left) || {Stream, _} <- Shares]),
    Bytes = [lists:sum([Size || {Of, Size} <- lists:sublist(Left, Until), Of =:= Stream]) / Share
             || {Stream, Share} <- Shares],
    ct:log("~w: bytes by share ~w~n", [Scheduler, Bytes]),
    Mean = lists:sum(Bytes) / length(Bytes),
    [?assert(abs(Each - Mean) =< 0.2 * Mean, {Scheduler, Bytes}) || Each <- Bytes].

last_of(Stream, Left) ->
    lists:last([Place || {{Of, _}, Place} <- lists:zip(Left, lists:seq(1, length(Left))),
                         Of =:= Stream]).

%% A path that is too full marks packets instead of losing them. Where both ends have agreed on that
%% the receiver says so (ECNE), and the sender answers that it has slowed down (CWR). Linux has
%% packets marked in either case.
congestion(Config) ->
    [begin
         #{n := N, nid := Id, f := F, net := Net} =
             joined(Config, [{sctp_ecn_supported, av(undefined, On)} | lasting()], []),
         ok = ?NET:impair(Net, 0, "loss 30% ecn"),
         {{ok, Back}, There} = ?NET:watch(Net, far, fun(_) ->
             ?NET:watch(Net, near, fun(_) ->
                 [ok = ?M:send(N, Id, 0, <<0:1000/unit:8>>) || _ <- lists:seq(1, 30)],
                 [data(?M, F) || _ <- lists:seq(1, 30)],
                 ok
             end)
         end),
         ok = ?NET:heal(Net, 0),
         [ok = ?M:close(S) || S <- [N, F]],
         Has = fun(Type, Chunks) -> lists:any(fun(#{type := Is}) -> Is =:= Type end, Chunks) end,
         ?assert(lists:any(fun(#{tos := Tos}) -> Tos band 3 =:= 3 end, There)),
         ?assertEqual({On, On, On}, {On, Has(?ECNE, Back), Has(?CWR, There)})
     end || On <- [true, false]].
