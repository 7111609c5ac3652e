%% @doc The option sctp_event: each kind of event, of one association or several, and the events
%% that gen_sctp does not have (docs/proofs.md).
-module(gen_sctp_nif_subscribe_SUITE).

-include("gen_sctp_nif.hrl").
-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").
-include("gen_sctp_test_chunks.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib, [pair/1, pair/3, adopt/1, event/2, data/2, next/1, family/1, port/1,
                            async/1, await/1, until_blocked/1, all_arrived/2]).

-define(M, gen_sctp_nif).
-define(NET, gen_sctp_test_net).

suite() -> [{timetrap, {seconds, 90}}].

all() -> [{group, inet}, {group, inet6}].

groups() ->
    All = [told, whose, whose_on_one_to_one, mask_overrides, peeled_off, forgotten,
           dry_at_once, dry_every_way, failed_in_the_new_form, failed_in_both_forms,
           failed_in_fragments, connect_without, no_authentication],
    [{inet, [], All ++ [dry_after_the_last_acknowledgement]}, {inet6, [], All}].

init_per_suite(Config) -> ?NET:begin_suite([{module, ?M} | Config]).
end_per_suite(Config) -> ?NET:end_suite(Config).

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.

init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).

end_per_testcase(Case, Config) ->
    Cut = [failed_in_the_new_form, failed_in_both_forms, failed_in_fragments,
           dry_after_the_last_acknowledgement],
    ?NET:end_case(Case, Cut, Config).

subscribe(S, Whose, Type, On) ->
    inet:setopts(S, [{sctp_event, #sctp_event{assoc_id = Whose, type = Type, on = On}}]).

is_on(S, Whose, Type) ->
    case inet:getopts(S, [{sctp_event, #sctp_event{assoc_id = Whose, type = Type}}]) of
        {ok, [{sctp_event, #sctp_event{assoc_id = Id, type = Type, on = On}}]} when Id =:= Whose ->
            On;
        {ok, []} -> none
    end.

silent(S) ->
    ?assertEqual({error, timeout}, ?M:recv(S, 0)).

%% What is on.

own() -> [association, address, send_failure, peer_error, shutdown, partial_delivery].

added() ->
    [adaptation, authentication, sender_dry, stream_reset, assoc_reset, stream_change,
     send_failed_event].

told(Config) ->
    #{s := S, sid := Id} = pair(Config),
    [?assertEqual({Type, lists:member(Type, own())}, {Type, is_on(S, Whose, Type)})
     || Type <- own() ++ added(), Whose <- [0, Id]],
    [begin
         ok = subscribe(S, Id, Type, On),
         ?assertEqual({Type, On, lists:member(Type, own())},
                      {Type, is_on(S, Id, Type), is_on(S, 0, Type)})
     end || Type <- own() ++ added(), On <- [true, false]],
    [begin
         ?assertEqual({error, einval}, subscribe(S, Id + 1000, Type, true)),
         ?assertEqual(none, is_on(S, Id + 1000, Type))
     end || Type <- own() ++ added()],
    [?assertEqual({error, einval}, subscribe(S, Whose, Type, On))
     || {Whose, Type, On} <- [{Id, data_io, true}, {Id, undefined, true}, {Id, 16#8001, true},
                              {Id, address, undefined}, {Id, address, 1}, {foo, address, true},
                              {-1, address, true}]],
    %% One was on when nothing was under way.
    ?assertMatch(#sctp_sender_dry_event{assoc_id = Id}, event(?M, S)),
    silent(S).

%% A server that listens and two associations of it, whose events were taken.
two(Config) ->
    #{s := S, sid := First, cup := CUp, c := C} = pair(Config),
    Other = third(Config, S),
    [S, {C, CUp, First}, Other].

third(Config, S) ->
    D = gen_sctp_test_lib:open(Config, []),
    #{sid := Id, cup := Up} =
        gen_sctp_test_lib:join(?M, gen_sctp_test_lib:loopback(Config), S, D),
    {D, Up, Id}.

%% Which of two kinds the server gets of associations that end; one is known to the kernel alone,
%% the other to the library alone.
ends(S, Ends) ->
    [ok = ?M:eof(C, Up) || {C, Up, _} <- Ends],
    [#sctp_assoc_change{state = shutdown_comp} = event(?M, C) || {C, _, _} <- Ends],
    lists:foreach(fun({_, _, Id}) -> await_gone(S, Id) end, Ends),
    Events = all_events(S),
    [[element(1, Event) || Event <- Events, element(tuple_size(Event), Event) =:= Id]
     || {_, _, Id} <- Ends].

await_gone(S, Id) ->
    gen_sctp_test_lib:until(fun() ->
        {ok, []} =:= inet:getopts(S, [{sctp_status, #sctp_status{assoc_id = Id}}])
    end).

all_events(S) ->
    case ?M:recv(S, 0) of
        {ok, {_, _, [], Event}} -> [Event | all_events(S)];
        {error, timeout} -> []
    end.

whose(Config) ->
    Both = [sctp_shutdown_event, sctp_assoc_change],
    [begin
         [S, {_, _, First} = A, {_, _, Second} = B] = two(Config),
         Off = case Whose of
                   first -> First;
                   _ -> Whose
               end,
         [ok = subscribe(S, Off, Type, false) || Type <- [shutdown, association]],
         %% The third is to come.
         C = silent_third(Config, S, lists:member(Whose, [future, all, 0, undefined])),
         ?assertEqual({Whose, Expected},
                      {Whose, [is_on(S, Id, association) || {_, _, Id} <- [A, B, C]]}),
         ?assertEqual({Whose, Expected},
                      {Whose, [is_on(S, Id, shutdown) || {_, _, Id} <- [A, B, C]]}),
         Kinds = ends(S, [A, B, C]),
         ?assertEqual({Whose, [case On of true -> Both; false -> [] end || On <- Expected]},
                      {Whose, Kinds}),
         ?assert(Second > First)
     end || {Whose, Expected} <- [{first, [false, true, true]}, {current, [false, false, true]},
                                  {future, [true, true, false]}, {undefined, [true, true, false]},
                                  {0, [true, true, false]}, {all, [false, false, false]}]].

%% Whether it is told of or not.
silent_third(Config, S, false) ->
    third(Config, S);
silent_third(Config, S, true) ->
    D = gen_sctp_test_lib:open(Config, []),
    {ok, #sctp_assoc_change{} = Up} =
        ?M:connect(D, gen_sctp_test_lib:loopback(Config), port(S), [], 5000),
    %% Something of it comes nevertheless: its data, with its id.
    ok = ?M:send(D, Up, 0, <<"here">>),
    {#sctp_sndrcvinfo{assoc_id = Id}, <<"here">>} = data(?M, S),
    {D, Up, Id}.

%% They have one association, whatever id is given.
whose_on_one_to_one(Config) ->
    [begin
         #{s := S, c := C, sup := Up, cid := Id} = pair(Config, [], [{type, stream}]),
         [ok = subscribe(C, Whose, Type, false) || Type <- [shutdown, association]],
         ?assertEqual([false, false], [is_on(C, 0, Type) || Type <- [shutdown, association]]),
         ok = ?M:eof(S, Up),
         #sctp_assoc_change{state = shutdown_comp} = event(?M, S),
         await_gone(C, Id),
         silent(C)
     end || Whose <- [undefined, future, current, all, 12345]].

%% sctp_events says it of all, now and to come; where both are in one list it comes first.
mask_overrides(Config) ->
    [S, {_, _, First} = A, {_, _, Second} = B] = two(Config),
    [ok = subscribe(S, First, Type, false) || Type <- [shutdown, association]],
    ok = inet:setopts(S, [{sctp_events, #sctp_event_subscribe{association_event = true}}]),
    ?assertEqual([true, true], [is_on(S, First, Type) || Type <- [shutdown, association]]),
    Mask = #sctp_event_subscribe{shutdown_event = false, association_event = false},
    Event = #sctp_event{assoc_id = Second, on = true},
    ok = inet:setopts(S, [{sctp_event, Event#sctp_event{type = association}}, {sctp_events, Mask},
                          {sctp_event, Event#sctp_event{type = shutdown}}]),
    {ok, [{sctp_events, Masked}]} = inet:getopts(S, [sctp_events]),
    ?assertMatch(#sctp_event_subscribe{association_event = false, shutdown_event = false,
                                       address_event = true}, Masked),
    ?assertEqual([false, true, false, true],
                 [is_on(S, Id, Type) || Type <- [shutdown, association], Id <- [First, Second]]),
    ?assertEqual([[], [sctp_shutdown_event, sctp_assoc_change]], ends(S, [A, B])).

%% What was said of an association goes with it.
peeled_off(Config) ->
    [begin
         [S, {C, Up, First}, {D, DUp, Second}] = two(Config),
         [ok = subscribe(S, First, Type, On) || Type <- [shutdown, association]],
         [ok = subscribe(S, Second, Type, not On) || Type <- [shutdown, association]],
         {ok, P} = ?M:peeloff(S, First),
         adopt(P),
         ?assertEqual([On, On], [is_on(P, First, Type) || Type <- [shutdown, association]]),
         [ok = ?M:eof(Client, Assoc) || {Client, Assoc} <- [{C, Up}, {D, DUp}]],
         [#sctp_assoc_change{state = shutdown_comp} = event(?M, Client) || Client <- [C, D]],
         {Loud, Quiet, Id} = case On of true -> {P, S, Second}; false -> {S, P, First} end,
         ?assertMatch(#sctp_shutdown_event{}, event(?M, Loud)),
         ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(?M, Loud)),
         await_gone(Quiet, Id),
         silent(Quiet)
     end || On <- [true, false]].

%% An association that has ended leaves nothing, whether its end was told of or not.
forgotten(Config) ->
    [S, {_, _, First} = A, B] = two(Config),
    ok = subscribe(S, First, association, false),
    ?assertEqual([[sctp_shutdown_event], [sctp_shutdown_event, sctp_assoc_change]],
                 ends(S, [A, B])),
    ?assertEqual(none, is_on(S, First, association)),
    ?assertEqual(true, is_on(S, 0, association)).

%% Its own outcome is what a connect waits for, wanted or not.
connect_without(Config) ->
    S = gen_sctp_test_lib:listener(Config, []),
    C = gen_sctp_test_lib:open(Config, [{sctp_event, #sctp_event{type = association, on = false}}]),
    IP = gen_sctp_test_lib:loopback(Config),
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = Id} = Up} = ?M:connect(C, IP, port(S), []),
    ?assertEqual(false, is_on(C, Id, association)),
    silent(C),
    ?assertMatch(#sctp_assoc_change{state = comm_up}, event(?M, S)),
    ok = ?M:eof(C, Up),
    ?assertMatch(#sctp_shutdown_event{}, event(?M, S)),
    ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(?M, S)),
    await_gone(C, Id),
    silent(C).

%% sender_dry

%% Where nothing is under way there is nothing to wait for.
dry_at_once(Config) ->
    #{c := C, cid := Id} = pair(Config),
    ok = subscribe(C, Id, sender_dry, true),
    ?assertEqual(#sctp_sender_dry_event{assoc_id = Id}, event(?M, C)),
    silent(C),
    ok = subscribe(C, current, sender_dry, true),
    ?assertEqual(#sctp_sender_dry_event{assoc_id = Id}, event(?M, C)),
    ok = subscribe(C, Id, sender_dry, false),
    silent(C).

%% To a receiver that waits, an owner in every mode, in batches; and never to who has not asked.
dry_every_way(Config) ->
    #{c := C, s := S, cid := Id, ip := IP, sport := Port} = pair(Config),
    ok = ?M:send(C, Id, 0, <<"unsubscribed">>),
    all_arrived(C, Id),
    silent(C),
    ok = subscribe(C, Id, sender_dry, true),
    Dry = #sctp_sender_dry_event{assoc_id = Id},
    Dry = event(?M, C),
    Send = fun() -> ok = ?M:send(C, Id, 0, <<"data">>) end,
    Receiver = async(fun() -> ?M:recv(C, 5000) end),
    until_blocked(Receiver),
    Send(),
    ?assertEqual({ok, {IP, Port, [], Dry}}, await(Receiver)),
    Send(),
    ?assertEqual({ok, [{IP, Port, [], Dry}]}, ?M:recv_batch(C, 10, 5000)),
    [begin
         ok = inet:setopts(C, [{active, Mode}]),
         Send(),
         receive {sctp, C, IP, Port, {[], Dry}} -> ok after 5000 -> ct:fail({Mode, none}) end,
         [receive {sctp_passive, C} -> ok after 5000 -> ct:fail(active) end || Mode =:= 1]
     end || Mode <- [true, once, 1]],
    ok = inet:setopts(C, [{batch, 5}, {active, true}]),
    Send(),
    receive {sctp_batch, C, [{IP, Port, [], Dry}]} -> ok after 5000 -> ct:fail(batch) end,
    ok = inet:setopts(C, [{active, false}]),
    %% The other end has not asked.
    [{_, _} = data(?M, S) || _ <- lists:seq(1, 7)],
    silent(S),
    gen_sctp_test_lib:no_message().

%% Both hosts on path 0.
joined(Config, NearOpts, FarOpts) ->
    Net = ?config(net, Config),
    F = open_at(far, FarOpts, Config),
    ok = ?M:listen(F, true),
    N = open_at(near, NearOpts, Config),
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = Id}} =
        ?M:connect(N, ?NET:address(far, family(Config), 0), port(F), []),
    #sctp_assoc_change{state = comm_up, assoc_id = FId} = event(?M, F),
    #{net => Net, n => N, f => F, nid => Id, fid => FId}.

open_at(Host, Opts, Config) ->
    {ok, S} = ?M:open([family(Config), ?NET:netns(?config(net, Config), Host),
                       {sctp_nodelay, true}, {ip, ?NET:address(Host, family(Config), 0)} | Opts]),
    adopt(S).

%% By the times of the acknowledgements on the wire.
dry_after_the_last_acknowledgement(Config) ->
    #{n := N, nid := Id, net := Net} = joined(Config, [], []),
    ok = ?NET:impair(Net, 0, "delay 30ms"),
    ok = subscribe(N, Id, sender_dry, true),
    #sctp_sender_dry_event{} = event(?M, N),
    {{Event, Acknowledgements}, Data} = watched(N, Id, Net),
    Tsns = [Tsn || #{type := ?DATA, value := <<Tsn:32, _/binary>>} <- Data],
    ?assertEqual(20, length(Tsns)),
    Last = lists:last(Tsns),
    [Until] = [Time || #{type := ?SACK, time := Time, value := <<Tsn:32, _/binary>>}
                           <- Acknowledgements, Tsn =:= Last],
    ?assert(length(lists:filter(fun(#{type := Type}) -> Type =:= ?SACK end,
                                Acknowledgements)) > 1),
    ?assert(Event >= Until, {Event, Until}),
    %% Once.
    silent(N).

watched(N, Id, Net) ->
    ?NET:watch(Net, far, fun(_) ->
        ?NET:watch(Net, near, fun(_) ->
            [ok = ?M:send(N, Id, 0, <<Number:8000>>) || Number <- lists:seq(1, 20)],
            #sctp_sender_dry_event{assoc_id = Id} = event(?M, N),
            os:system_time(microsecond)
        end)
    end).

%% send_failed_event

%% Messages that the peer does not get, as it has aborted before they come: the first of them are
%% sent, the others wait for that.
abandoned(Config, Types) ->
    #{n := N, nid := Id, f := F, fid := FId} = joined(Config, [], []),
    [ok = subscribe(N, Id, Type, On) || {Type, On} <- Types],
    [ok = ?M:send(N, Info#sctp_sndrcvinfo{assoc_id = Id}, Data) || {Info, Data} <- messages()],
    ok = ?M:send(F, #sctp_sndrcvinfo{assoc_id = FId, flags = [abort]}, <<"gone">>),
    {ok, {_, _, [], #sctp_assoc_change{state = comm_lost, assoc_id = Id}}} = ?M:recv(N, 5000),
    {Id, failures(N)}.

messages() ->
    [{#sctp_sndrcvinfo{stream = N rem 3, ppid = 100 + N, context = 1000 + N,
                       flags = [unordered || N =:= 2]}, <<N, 0:1000/unit:8>>}
     || N <- lists:seq(1, 10)].

failures(N) ->
    case ?M:recv(N, 100) of
        {error, {_Raw, [], Event}} -> [Event | failures(N)];
        {error, timeout} -> []
    end.

failed_in_the_new_form(Config) ->
    ok = ?NET:impair(?config(net, Config), 0, "delay 100ms"),
    {Id, Failed} = abandoned(Config, [{send_failed_event, true}, {send_failure, false}]),
    ?assertEqual([{Stream, Ppid, Context, Flags, Data}
                  || {#sctp_sndrcvinfo{stream = Stream, ppid = Ppid, context = Context,
                                       flags = Flags}, Data} <- messages()],
                 lists:sort(fun by_context/2,
                            [{Stream, Ppid, Context, Flags, Data}
                             || #sctp_send_failed_event{
                                    error = 12, fragment = whole, assoc_id = Of, data = Data,
                                    info = #sctp_sndinfo{sid = Stream, ppid = Ppid, flags = Flags,
                                                         context = Context}} <- Failed,
                                Of =:= Id])),
    ?assertEqual([sent, unsent],
                 lists:usort([Flags || #sctp_send_failed_event{flags = Flags} <- Failed])),
    ?assertEqual("User Initiated Abort", ?M:error_string(12)).

by_context(A, B) -> element(3, A) =< element(3, B).

%% Who asks for both gets both, who asks for nothing the old form alone.
failed_in_both_forms(Config) ->
    ok = ?NET:impair(?config(net, Config), 0, "delay 100ms"),
    {_, Both} = abandoned(Config, [{send_failed_event, true}]),
    {_, Old} = abandoned(Config, []),
    {_, None} = abandoned(Config, [{send_failure, false}]),
    ?assertEqual([{10, 10}, {10, 0}, {0, 0}],
                 [{length([E || #sctp_send_failed{} = E <- Events]),
                   length([E || #sctp_send_failed_event{} = E <- Events])}
                  || Events <- [Both, Old, None]]),
    Contents = fun(Events) ->
        lists:sort([{Info#sctp_sndrcvinfo.context, Data}
                    || #sctp_send_failed{info = Info, data = Data} <- Events])
    end,
    ?assertEqual(Contents(Both), Contents(Old)),
    ?assertEqual(Contents(Both),
                 lists:sort([{Context, Data}
                             || #sctp_send_failed_event{info = #sctp_sndinfo{context = Context},
                                                        data = Data} <- Both])).

%% To an active owner it is an error, as the old form; a message that was cut comes in its pieces.
failed_in_fragments(Config) ->
    #{n := N, nid := Id, net := Net} = joined(Config, [], []),
    [ok = subscribe(N, Id, Type, On) || {Type, On} <- [{send_failed_event, true},
                                                       {send_failure, false}]],
    ok = ?NET:cut(Net, 0),
    Data = gen_sctp_test_lib:pattern(5000),
    ok = ?M:send(N, #sctp_sndrcvinfo{assoc_id = Id, context = 77}, Data),
    ok = inet:setopts(N, [{active, true}]),
    ok = ?M:abort(N, #sctp_assoc_change{assoc_id = Id}),
    ?assertMatch(#sctp_assoc_change{state = comm_lost}, next(N)),
    Pieces = pieces(N, Id),
    ?assertEqual([first, last, middle, middle], lists:sort([Part || {Part, _} <- Pieces])),
    ?assertEqual(Data, iolist_to_binary([Piece || {_, Piece} <- Pieces])),
    ok = inet:setopts(N, [{active, false}]).

pieces(N, Id) ->
    receive
        {sctp_error, N, _, _, {[], #sctp_send_failed_event{
                fragment = Part, info = #sctp_sndinfo{context = 77}, assoc_id = Id,
                data = Piece}}} when Part =:= last ->
            [{Part, Piece}];
        {sctp_error, N, _, _, {[], #sctp_send_failed_event{fragment = Part, data = Piece}}} ->
            [{Part, Piece} | pieces(N, Id)]
    after 5000 ->
        ct:fail(gen_sctp_test_lib:mailbox())
    end.

%% The peer of an association has no keys.
no_authentication(Config) ->
    S = gen_sctp_test_lib:listener(Config, []),
    Opts = [{sctp_event, #sctp_event{type = authentication, on = true}}],
    C = gen_sctp_test_lib:open(Config, Opts),
    {ok, #sctp_assoc_change{assoc_id = Id}} =
        ?M:connect(C, gen_sctp_test_lib:loopback(Config), port(S), []),
    ?assertEqual(#sctp_authkey_event{keynumber = 0, indication = no_auth, assoc_id = Id},
                 event(?M, C)),
    #sctp_assoc_change{state = comm_up} = event(?M, S),
    silent(S).
