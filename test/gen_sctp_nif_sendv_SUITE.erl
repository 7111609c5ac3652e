%% @doc Messages with all that can be said of them, the defaults of that, and what comes with a
%% received one: what each does on the wire or to a lost message, beside the same without it
%% (docs/proofs.md).
-module(gen_sctp_nif_sendv_SUITE).

-include("gen_sctp_nif.hrl").
-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").
-include("gen_sctp_test_chunks.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [pair/1, pair/3, adopt/1, event/2, data/2, port/1, until/1, set/3, av/2, given_up/2]).
-import(gen_sctp_test_net, [is/1, of_type/2, open_at/4, join/4, joined/4, quick/0, lasting/0]).

-define(M, gen_sctp_nif).
-define(NET, gen_sctp_test_net).

%% The I bit of DATA (RFC 7053).
-define(IMMEDIATE, 8).

suite() -> [{timetrap, {seconds, 60}}].

all() -> [{group, inet}, {group, inet6}, {group, wire}].

groups() ->
    Calls = [sent, bad_infos, bad_arguments, not_sent, in_time, one_to_one, nowait, mapped,
             received_info, default_info, refused_options, at_open_and_connect],
    Wire = [path, another_peer, to_all, to_all_in_turn, acknowledged_at_once, time_to_live,
            retransmissions, priority, status, defaults_on_the_wire, default_policy, batch,
            received_as_on_the_wire],
    [{inet, [], Calls}, {inet6, [], Calls}, {wire, [], Wire}].

init_per_suite(Config) -> ?NET:begin_suite([{module, ?M} | Config]).
end_per_suite(Config) -> ?NET:end_suite(Config).

init_per_group(wire, Config) -> Config;
init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.

init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).

end_per_testcase(Case, Config) ->
    Cut = [time_to_live, retransmissions, status, default_policy],
    ?NET:end_case(Case, Cut, Config).

%% Calls.

pr(Policy, Value) -> #sctp_prinfo{policy = Policy, value = Value}.

%% What it does: gen_sctp_nif_auth_SUITE.
auth(Number) -> #sctp_authinfo{keynumber = Number}.

%% What is said of a message comes along, in each form of what it is sent to, and of the data.
sent(Config) ->
    #{s := S, c := C, cid := Id, cup := Up, ip := IP, sport := Port} = pair(Config),
    To = [Id, Up, {Id, {IP, Port}}, {Up, {IP, Port}}, all,
          {Id, gen_sctp_test_lib:address(gen_sctp_test_lib:family(Config), IP, Port)}],
    Info = #sctp_sndinfo{sid = 2, ppid = 46, context = 7},
    [begin
         ?assertEqual(ok, apply(?M, sendv, [C, Whom, Infos, Data | Time])),
         {#sctp_sndrcvinfo{stream = Stream, ppid = Ppid, flags = Flags}, <<"data">>} = data(?M, S),
         ?assertEqual(Expected, {Stream, Ppid, Flags}, {Whom, Infos})
     end || Whom <- To,
            {Infos, Expected} <-
                [{[], {0, 0, []}}, {[Info], {2, 46, []}}, {[#sctp_sndinfo{}], {0, 0, []}},
                 {[Info#sctp_sndinfo{flags = [unordered]}], {2, 46, [unordered]}},
                 {[pr(ttl, 10000), Info], {2, 46, []}}, {[Info, pr(rtx, 0)], {2, 46, []}},
                 {[pr(prio, 16#ffffffff)], {0, 0, []}}, {[#sctp_prinfo{}], {0, 0, []}},
                 {[pr(none, 0)], {0, 0, []}}, {[auth(0)], {0, 0, []}},
                 {[auth(65535), pr(ttl, 10000), Info], {2, 46, []}}],
            Data <- [<<"data">>, ["da", [<<"ta">>]]], Time <- [[], [1000], [infinity], [nowait]]],
    ok = ?M:sendv(C, Id, [#sctp_sndinfo{assoc_id = Id, flags = [abort]}], <<"why">>),
    ?assertMatch(#sctp_assoc_change{state = comm_lost}, event(?M, S)),
    ?assertMatch(#sctp_assoc_change{state = comm_lost}, event(?M, C)).

%% Each field with what is of the wrong type, too small, too large, or unknown.
bad_infos(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config),
    Junk = [foo, -1, 1 bsl 32, 1 bsl 70, 2.5, <<>>, "text", {}, {a, b}, #{}, self(), [a | b],
            [unordered | foo], [addr_over], [sendall], lists:duplicate(1000000, unordered)],
    Good = [#sctp_sndinfo{sid = 0, flags = [], ppid = 1, context = 2, assoc_id = Id},
            pr(ttl, 1000), auth(1)],
    Bad = [setelement(Position, Record, Value)
           || Record <- Good, Position <- lists:seq(1, tuple_size(Record)), Value <- Junk] ++
          [setelement(1, Record, sctp_sndrcvinfo) || Record <- Good] ++
          [erlang:append_element(Record, undefined) || Record <- Good] ++
          [erlang:delete_element(2, Record) || Record <- Good] ++
          [#sctp_sndinfo{sid = 65536}, #sctp_sndinfo{sid = []}, #sctp_sndinfo{assoc_id = Id + 1},
           pr(none, 1), pr(ttl, 0), pr(ttl, undefined), pr(rtx, undefined), pr(prio, undefined),
           pr(undefined, 1), pr(all, 1), auth(undefined), auth(65536), auth([])] ++ Junk,
    [?assertEqual({error, einval}, ?M:sendv(C, Id, [Record], <<"data">>), Record)
     || Record <- Bad],
    [?assertEqual({error, einval}, ?M:sendv(C, Id, Infos, <<"data">>), Infos)
     || Infos <- [[pr(ttl, 1), pr(ttl, 1)], [#sctp_sndinfo{}, #sctp_sndinfo{}],
                  [auth(1), auth(1)], [auth(1), pr(ttl, 1), #sctp_sndinfo{}, auth(1)],
                  [pr(ttl, 1) | foo], Good ++ foo, lists:duplicate(1000000, pr(ttl, 1))]],
    [?assertEqual({error, {einval, [{[Record], <<"data">>}]}},
                  ?M:send_batch(C, Id, [{[Record], <<"data">>}]))
     || Record <- Bad],
    %% For all there is no association.
    ?assertEqual({error, einval}, ?M:sendv(C, all, [#sctp_sndinfo{assoc_id = Id}], <<"data">>)),
    nothing_came(C, Id, S).

bad_arguments(Config) ->
    #{s := S, c := C, cid := Id, ip := IP, sport := Port} = pair(Config),
    Junk = [foo, undefined, 2.5, <<>>, "text", [a | b], {}, {a, b}, #{}, self(), make_ref()],
    [?assertError(badarg, ?M:sendv(C, To, [], <<"data">>))
     || To <- Junk ++ [{all, {IP, Port}}, {Id, Id}, {Id, undefined}, {Id, {IP, Port}, 1},
                       {{Id, {IP, Port}}, {IP, Port}}, [Id]]],
    [?assertError(badarg, ?M:sendv(C, Id, Infos, <<"data">>))
     || Infos <- Junk -- ["text", [a | b]]],
    [?assertError(badarg, ?M:sendv(C, Id, [], <<"data">>, Time))
     || Time <- [-1, 1 bsl 32 - 1 | Junk]],
    [?assertError(badarg, ?M:sendv(Socket, Id, [], <<"data">>)) || Socket <- Junk],
    [?assertEqual({error, einval}, ?M:sendv(C, To, [], <<"data">>), To)
     || To <- [-1, 1 bsl 32, 1 bsl 70, {-1, {IP, Port}}, {Id, {IP, -1}}, {Id, {IP, 65536}},
               {Id, {{1, 2, 3}, Port}}, {Id, {foo, Port}}, {Id, {}}, {Id, #{}}]],
    [?assertEqual({error, einval}, ?M:sendv(C, Id, [], Data))
     || Data <- [foo, 1, [256], [a | b], {}, <<1:3>>]],
    nothing_came(C, Id, S),
    ok = ?M:close(C),
    [?assertEqual({error, closed}, apply(?M, sendv, [C, To, Infos, Data | Time]))
     || To <- [Id, -1, all, {Id, {IP, Port}}], Infos <- [[], [foo]], Data <- [<<"data">>, foo],
        Time <- [[], [nowait], [0]]],
    ?assertMatch(#sctp_shutdown_event{}, event(?M, S)),
    ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(?M, S)).

%% What is sent next is what comes next.
nothing_came(C, Id, S) ->
    ok = ?M:sendv(C, Id, [], <<"good">>),
    ?assertMatch({_, <<"good">>}, data(?M, S)).

%% The kernel's errors.
not_sent(Config) ->
    #{s := S, c := C, cid := Id, ip := IP, sport := Port} = pair(Config),
    Far = {IP, Port},
    [?assertEqual({error, Reason}, ?M:sendv(C, To, Infos, Data), {To, Infos})
     || {Reason, To, Infos, Data} <-
            [{epipe, Id + 1000, [], <<"x">>}, {epipe, 0, [], <<"x">>},
             {epipe, {Id + 1000, Far}, [], <<"x">>}, {epipe, {0, Far}, [], <<"x">>},
             {einval, {Id, {IP, Port + 1}}, [], <<"x">>}, {einval, {Id, {IP, 0}}, [], <<"x">>},
             {einval, Id, [#sctp_sndinfo{sid = 10}], <<"x">>},
             {einval, {Id, Far}, [#sctp_sndinfo{sid = 10}], <<"x">>}, {einval, Id, [], <<>>},
             {einval, Id, [#sctp_sndinfo{flags = [eof]}], <<"x">>},
             {emsgsize, Id, [], <<0:1000000/unit:8>>}]],
    nothing_came(C, Id, S),
    Alone = gen_sctp_test_lib:open(Config, []),
    [?assertEqual({error, enotconn}, ?M:sendv(Alone, all, Infos, Data))
     || {Infos, Data} <- [{[], <<"x">>}, {[#sctp_sndinfo{flags = [eof]}], <<>>},
                          {[#sctp_sndinfo{flags = [abort]}], <<>>}]].

%% As long as there is no room.
in_time(Config) ->
    #{s := S, c := C, cid := Id, ip := IP, sport := Port} =
        pair(Config, [{recbuf, 4096}], [{sndbuf, 8192}]),
    Send = fun(To, Time) -> ?M:sendv(C, To, [], <<0:2000/unit:8>>, Time) end,
    Count = fill(Send, Id, 500),
    Took = fun(Time) ->
        Start = erlang:monotonic_time(millisecond),
        ?assertEqual({error, timeout}, Send({Id, {IP, Port}}, Time)),
        erlang:monotonic_time(millisecond) - Start
    end,
    ?assert(Took(0) < 200),
    ?assert(Took(200) >= 200),
    ok = inet:setopts(C, [{send_timeout, 200}]),
    ?assertEqual({error, timeout}, ?M:sendv(C, Id, [], <<"x">>)),
    %% Nobody waits where some may have the message.
    ?assertEqual({error, eagain}, Send(all, infinity)),
    ?assertEqual({error, eagain}, Send(all, nowait)),
    Waiting = gen_sctp_test_lib:async(fun() -> Send({Id, {IP, Port}}, infinity) end),
    gen_sctp_test_lib:until_blocked(Waiting),
    [?assertMatch({_, <<0:2000/unit:8>>}, data(?M, S)) || _ <- lists:seq(1, Count + 1)],
    ?assertEqual(ok, gen_sctp_test_lib:await(Waiting)),
    ok = inet:setopts(C, [{non_block_send, true}]),
    %% There may still be some.
    _ = fill(Send, Id, infinity),
    ok.

%% Sends until there was no room for so long; how many it were.
fill(Send, To, Time) ->
    case Send(To, Time) of
        ok -> 1 + fill(Send, To, Time);
        {error, Reason} when Reason =:= timeout; Reason =:= eagain -> 0
    end.

nowait(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config, [{recbuf, 4096}], [{sndbuf, 8192}]),
    Send = fun(To, Time) -> ?M:sendv(C, To, [#sctp_sndinfo{ppid = 3}], <<0:2000/unit:8>>, Time) end,
    Count = fill(Send, Id, 500),
    {select, {select_info, send, Ref}} = Send(Id, nowait),
    [{_, <<0:2000/unit:8>>} = data(?M, S) || _ <- lists:seq(1, Count)],
    receive {'$socket', C, select, Ref} -> ok end,
    ok = Send(Id, nowait),
    _ = fill(Send, Id, 500),
    {select, Info} = Send(Id, nowait),
    ok = ?M:cancel(C, Info),
    gen_sctp_test_lib:no_message().

%% One-to-one sockets have one association, whatever the id.
one_to_one(Config) ->
    #{s := S, c := C, sid := Id, cid := CId, ip := IP, sport := Port} = pair(Config),
    {ok, P} = ?M:peeloff(S, Id),
    adopt(P),
    {ok, {IP, CPort}} = inet:peername(P),
    [begin
         ok = ?M:sendv(P, To, [#sctp_sndinfo{ppid = 5}], <<"data">>),
         {#sctp_sndrcvinfo{ppid = 5}, <<"data">>} = data(?M, C)
     end || To <- [Id, 0, 12345]],
    %% Where the kernel would not look at the address.
    [?assertEqual({error, enotsup}, ?M:sendv(P, {Whose, {IP, CPort}}, [], <<"data">>))
     || Whose <- [0, Id]],
    ?assertEqual({error, einval}, ?M:sendv(P, {Id, {IP, Port}}, [], <<"data">>)),
    ?assertEqual({error, enotsup}, ?M:sendv(P, all, [], <<"data">>)),
    Stream = gen_sctp_test_lib:open(Config, [{type, stream}]),
    ?assertEqual({error, epipe}, ?M:sendv(Stream, 0, [], <<"data">>)),
    ?assertEqual({error, epipe}, ?M:sendv(Stream, {0, {IP, Port}}, [], <<"data">>)),
    ?assertEqual({error, enotsup}, ?M:sendv(Stream, all, [], <<"data">>)),
    nothing_came(C, CId, P).

%% An IPv4 peer of an IPv6 socket has its address in two forms.
mapped(_) ->
    {ok, S} = ?M:open([inet6, {ip, any}]),
    adopt(S),
    ok = ?M:listen(S, true),
    {ok, C} = ?M:open([inet, {ip, {127, 0, 0, 1}}]),
    adopt(C),
    {ok, #sctp_assoc_change{}} = ?M:connect(C, {127, 0, 0, 1}, port(S), []),
    {ok, {_, _, [], #sctp_assoc_change{assoc_id = Id}}} = ?M:recv(S, 5000),
    [begin
         ?assertEqual(ok, ?M:sendv(S, {Id, {IP, port(C)}}, [], <<"data">>), IP),
         ?assertMatch({_, <<"data">>}, data(?M, C))
     end || IP <- [{127, 0, 0, 1}, {0, 0, 0, 0, 0, 16#ffff, 16#7f00, 1}]],
    ?assertEqual({error, einval}, ?M:sendv(S, {Id, {{127, 0, 0, 2}, port(C)}}, [], <<"data">>)).

%% What comes with a message, to each kind of receiver.
received_info(Config) ->
    #{s := S, c := C, sid := Id, cid := CId} = pair(Config),
    Send = fun() ->
        ok = ?M:sendv(C, CId, [#sctp_sndinfo{sid = 3, ppid = 46, context = 99}], <<"data">>)
    end,
    Received = fun() ->
        Send(),
        {ok, {_, _, Anc, Data}} = ?M:recv(S, 5000),
        {Anc, iolist_to_binary(Data)}
    end,
    ?assertEqual({ok, false}, ?M:getopt(S, sctp_recvrcvinfo)),
    {[#sctp_sndrcvinfo{stream = 3, context = 0, tsn = Tsn}], _} = Received(),
    ok = set(S, sctp_context, av(Id, 77)),
    {[#sctp_sndrcvinfo{context = 77}], _} = Received(),
    ok = set(S, sctp_recvrcvinfo, true),
    ?assertEqual({ok, true}, ?M:getopt(S, sctp_recvrcvinfo)),
    Info = #sctp_rcvinfo{sid = 3, ssn = 2, flags = [], ppid = 46, cumtsn = 0, context = 77,
                         assoc_id = Id, tsn = (Tsn + 2) rem (1 bsl 32)},
    ?assertEqual({[Info], <<"data">>}, Received()),
    Next = fun(Number) ->
        Info#sctp_rcvinfo{ssn = 2 + Number, tsn = (Tsn + 2 + Number) rem (1 bsl 32)}
    end,
    Send(),
    {ok, [{_, _, Batch, <<"data">>}]} = ?M:recv_batch(S, 10, 5000),
    ?assertEqual([Next(1)], Batch),
    %% Whatever is said of the older form.
    ok = inet:setopts(S, [{sctp_events, #sctp_event_subscribe{data_io_event = false}}, list]),
    ?assertEqual({[Next(2)], <<"data">>}, Received()),
    ok = inet:setopts(S, [binary, {active, once}]),
    Send(),
    receive {sctp, S, _, _, {Active, <<"data">>}} -> ?assertEqual([Next(3)], Active) end,
    ok = inet:setopts(S, [{batch, 10}, {active, once}]),
    Send(),
    receive {sctp_batch, S, [{_, _, Several, <<"data">>}]} -> ?assertEqual([Next(4)], Several) end,
    {ok, P} = ?M:peeloff(S, Id),
    adopt(P),
    Send(),
    {ok, {_, _, Peeled, <<"data">>}} = ?M:recv(P, 5000),
    ?assertEqual([Next(5)], Peeled),
    ok = set(P, sctp_recvrcvinfo, false),
    Send(),
    ?assertMatch({ok, {_, _, [], <<"data">>}}, ?M:recv(P, 5000)),
    ok = inet:setopts(P, [{sctp_events, #sctp_event_subscribe{}}]),
    Send(),
    ?assertMatch({ok, {_, _, [#sctp_sndrcvinfo{context = 77}], <<"data">>}}, ?M:recv(P, 5000)),
    [?assertEqual({error, einval}, set(P, sctp_recvrcvinfo, Bad)) || Bad <- [1, foo, <<>>, []]],
    ?assertError(badarg, ?M:open([{sctp_recvrcvinfo, 1}])).

%% Of the endpoint, one association, several; one store with the older form.
default_info(Config) ->
    #{c := C, cid := Id} = pair(Config),
    Snd = fun(Whose) -> get(C, {sctp_default_sndinfo, #sctp_sndinfo{assoc_id = Whose}}) end,
    Pr = fun(Whose) ->
        get(C, {sctp_default_prinfo, #sctp_default_prinfo{assoc_id = Whose}})
    end,
    None = #sctp_sndinfo{sid = 0, flags = [], ppid = 0, context = 0},
    Never = #sctp_default_prinfo{policy = none, value = 0},
    [begin
         ?assertEqual(None#sctp_sndinfo{assoc_id = Whose}, Snd(Whose)),
         ?assertEqual(Never#sctp_default_prinfo{assoc_id = Whose}, Pr(Whose))
     end || Whose <- [0, Id]],
    ?assertEqual(None#sctp_sndinfo{assoc_id = 0}, get(C, sctp_default_sndinfo)),
    ?assertEqual(Never#sctp_default_prinfo{assoc_id = 0}, get(C, sctp_default_prinfo)),
    [begin
         ok = set(C, sctp_default_prinfo, Never#sctp_default_prinfo{assoc_id = all}),
         ok = set(C, sctp_default_sndinfo, #sctp_sndinfo{assoc_id = all}),
         ok = set(C, sctp_default_prinfo,
                  #sctp_default_prinfo{assoc_id = Whose, policy = Policy, value = 5}),
         ok = set(C, sctp_default_sndinfo,
                  #sctp_sndinfo{assoc_id = Whose, sid = 1, flags = [unordered], ppid = 2,
                                context = 3}),
         [begin
              Set = lists:member(Which, Those),
              ?assertEqual({Which, Set}, {Which, Snd(Which) =:= #sctp_sndinfo{
                  sid = 1, flags = [unordered], ppid = 2, context = 3, assoc_id = Which}}),
              ?assertEqual({Which, Set}, {Which, Pr(Which) =:= #sctp_default_prinfo{
                  policy = Policy, value = 5, assoc_id = Which}})
          end || Which <- [0, Id]]
     end || {Whose, Those} <- [{0, [0]}, {undefined, [0]}, {future, [0]}, {Id, [Id]},
                               {current, [Id]}, {all, [0, Id]}],
            Policy <- [ttl, rtx, prio]],
    Older = #sctp_sndrcvinfo{stream = 4, ppid = 6, timetolive = 1000, assoc_id = Id},
    ok = set(C, sctp_default_send_param, Older),
    ?assertMatch(#sctp_sndinfo{sid = 4, ppid = 6}, Snd(Id)),
    ?assertMatch(#sctp_default_prinfo{policy = none, value = 1000}, Pr(Id)),
    %% That is a lifetime, and stays.
    ok = set(C, sctp_default_sndinfo, #sctp_sndinfo{assoc_id = Id, sid = 5}),
    ?assertMatch(#sctp_sndrcvinfo{stream = 5, ppid = 0, timetolive = 1000},
                 get(C, {sctp_default_send_param, #sctp_sndrcvinfo{assoc_id = Id}})).

refused_options(Config) ->
    #{c := C, cid := Id} = pair(Config),
    Snd = #sctp_sndinfo{assoc_id = Id, sid = 1, flags = [unordered], ppid = 2, context = 3},
    Pr = #sctp_default_prinfo{assoc_id = Id, policy = ttl, value = 1000},
    Good = [{sctp_default_sndinfo, Snd}, {sctp_default_prinfo, Pr}, {sctp_context, av(Id, 1)}],
    Junk = [foo, -1, 1 bsl 32, 1 bsl 70, 2.5, <<>>, "text", {}, {a, b}, #{}, self(), [a | b]],
    [begin
         ?assertEqual(ok, set(C, Name, Record)),
         [?assertEqual({error, einval}, set(C, Name, setelement(Position, Record, Value)),
                       {Position, Value})
          || Position <- lists:seq(2, tuple_size(Record)), Value <- Junk],
         [?assertEqual({error, einval}, set(C, Name, Bad), Bad)
          || Bad <- [setelement(1, Record, sctp_initmsg), erlang:delete_element(2, Record) | Junk]],
         ?assertEqual({error, einval}, set(C, Name, setelement(position(Record), Record, Id + 9))),
         ?assertError(badarg, ?M:getopt(C, {Name, Record}))
     end || {Name, Record} <- Good],
    [?assertEqual({error, einval}, set(C, Name, Record), Record)
     || {Name, Record} <-
            [{sctp_default_sndinfo, Snd#sctp_sndinfo{flags = [sack_immediately]}},
             {sctp_default_sndinfo, Snd#sctp_sndinfo{flags = [addr_over]}},
             {sctp_default_prinfo, Pr#sctp_default_prinfo{policy = all}},
             {sctp_default_prinfo, Pr#sctp_default_prinfo{policy = undefined}},
             %% What would be no lifetime, and a number that says nothing.
             {sctp_default_prinfo, Pr#sctp_default_prinfo{value = 0}},
             {sctp_default_prinfo, Pr#sctp_default_prinfo{policy = none}}]],
    Status = #sctp_prstatus{assoc_id = Id, policy = all},
    [?assertEqual({error, einval}, ?M:getopt(C, {Name, Record}), Record)
     || {Name, Record} <-
            [{sctp_pr_assoc_status, Status#sctp_prstatus{assoc_id = Id + 9}},
             {sctp_pr_assoc_status, Status#sctp_prstatus{assoc_id = 0}},
             {sctp_pr_stream_status, Status#sctp_prstatus{assoc_id = Id + 9, sid = 0}},
             {sctp_pr_stream_status, Status#sctp_prstatus{sid = 10}}]],
    [?assertError(badarg, ?M:getopt(C, Question))
     || Question <- [sctp_pr_assoc_status, sctp_pr_stream_status, {sctp_pr_stream_status, Status},
                     {sctp_pr_assoc_status, Status#sctp_prstatus{policy = none}},
                     {sctp_pr_assoc_status, Status#sctp_prstatus{policy = undefined}},
                     {sctp_pr_assoc_status, Status#sctp_prstatus{sid = 1}},
                     {sctp_pr_assoc_status, Status#sctp_prstatus{abandoned_sent = 1}}]],
    [?assertEqual({error, einval}, set(C, Name, Status))
     || Name <- [sctp_pr_assoc_status, sctp_pr_stream_status]],
    ok = ?M:close(C),
    [?assertEqual({error, einval}, set(C, Name, Record)) || {Name, Record} <- Good].

%% Where the association is named.
position(#sctp_sndinfo{}) -> #sctp_sndinfo.assoc_id;
position(_) -> 2.

%% In the options of open and connect, as the endpoint's, and so of the association.
at_open_and_connect(Config) ->
    Opts = [{sctp_default_sndinfo, #sctp_sndinfo{sid = 3, ppid = 46}},
            {sctp_default_prinfo, #sctp_default_prinfo{policy = rtx, value = 7}},
            {sctp_recvrcvinfo, true}, {sctp_context, av(undefined, 5)}],
    S = gen_sctp_test_lib:listener(Config, []),
    IP = gen_sctp_test_lib:loopback(Config),
    Has = fun(C, Id) ->
        ?assertMatch(#sctp_sndinfo{sid = 3, ppid = 46},
                     get(C, {sctp_default_sndinfo, #sctp_sndinfo{assoc_id = Id}})),
        ?assertMatch(#sctp_default_prinfo{policy = rtx, value = 7},
                     get(C, {sctp_default_prinfo, #sctp_default_prinfo{assoc_id = Id}})),
        ?assertEqual({ok, true}, ?M:getopt(C, sctp_recvrcvinfo)),
        ?assertEqual(av(Id, 5), get(C, {sctp_context, av(Id, undefined)}))
    end,
    Opened = gen_sctp_test_lib:open(Config, Opts),
    {ok, #sctp_assoc_change{assoc_id = Id}} = ?M:connect(Opened, IP, port(S), []),
    Has(Opened, Id),
    Later = gen_sctp_test_lib:open(Config, []),
    {ok, #sctp_assoc_change{assoc_id = LaterId}} =
        ?M:connect(Later, IP, port(S), lists:reverse(Opts)),
    Has(Later, LaterId),
    %% What is there is no number of another policy.
    Again = gen_sctp_test_lib:open(Config, [{sctp_default_prinfo,
                                             #sctp_default_prinfo{policy = rtx, value = 7}}]),
    ?assertEqual({error, einval},
                 ?M:connect(Again, IP, port(S), [{sctp_default_prinfo,
                                                  #sctp_default_prinfo{policy = ttl}}])),
    ok = ?M:connect_init(Again, IP, port(S), [{sctp_default_prinfo,
                                               #sctp_default_prinfo{policy = none}}]),
    ?assertMatch(#sctp_default_prinfo{policy = none, value = 0}, get(Again, sctp_default_prinfo)),
    ?assertMatch(#sctp_assoc_change{state = comm_up}, event(?M, Again)),
    {ok, Peeled} = ?M:peeloff(Later, LaterId),
    adopt(Peeled),
    ok = ?M:sendv(Peeled, 0, [], <<"data">>),
    [?assertMatch(#sctp_assoc_change{state = comm_up}, event(?M, S)) || _ <- [1, 2, 3]],
    ?assertMatch({#sctp_sndrcvinfo{stream = 3, ppid = 46}, <<"data">>}, data(?M, S)).

%% Two hosts.

far(Path) -> ?NET:address(far, inet, Path).

%% A chunk with these data.
has(Data) ->
    fun(#{type := ?DATA, value := <<_:12/binary, Found/binary>>}) -> Found =:= Data;
       (_) -> false
    end.

found(Data, Chunks) ->
    [#{value := <<Tsn:32, Sid:16, Ssn:16, Ppid:32, _/binary>>} = Chunk] =
        lists:filter(has(Data), Chunks),
    Chunk#{tsn => Tsn, sid => Sid, ssn => Ssn, ppid => Ppid}.

get(S, Option) ->
    {ok, Value} = ?M:getopt(S, Option),
    Value.

%% Without an address the primary path.
path(Config) ->
    #{n := N, nid := Id, f := F, net := Net} = joined(Config, [0, 1], [], []),
    until(fun() ->
        {ok, Paths} = ?M:paths(N, Id),
        [active, active] =:= [State || #{state := State} <- Paths]
    end),
    Sent = [{Id, <<"none">>, 0}, {{Id, {far(1), port(F)}}, <<"one">>, 1},
            {{Id, {far(0), port(F)}}, <<"zero">>, 0}, {Id, <<"again">>, 0}],
    {ok, Chunks} = ?NET:watch(Net, far, fun(Watch) ->
        [begin
             ok = ?M:sendv(N, To, [#sctp_sndinfo{ppid = 9}], Data),
             ?NET:await_chunk(Watch, has(Data))
         end || {To, Data, _} <- Sent],
        ok
    end),
    ?assertEqual([far(Path) || {_, _, Path} <- Sent],
                 [maps:get(to, found(Data, Chunks)) || {_, Data, _} <- Sent]),
    [?assertMatch({#sctp_sndrcvinfo{ppid = 9}, Data}, data(?M, F)) || {_, Data, _} <- Sent].

%% The kernel would send to whose address it is, and begin an association with who is nobody's peer.
another_peer(Config) ->
    #{n := N, nid := Id, f := F, net := Net} = joined(Config, [0], [], []),
    Other = open_at(far, [1], [], Config),
    ok = ?M:listen(Other, true),
    To = {Id, {far(1), port(Other)}},
    ?assertEqual({error, einval}, ?M:sendv(N, To, [], <<"data">>)),
    ?assertEqual(1, ?NET:associations(Net, near)),
    #{nid := OtherId} = join(N, Other, 1, Config),
    ?assertEqual({error, einval}, ?M:sendv(N, To, [], <<"data">>)),
    nothing_came(N, OtherId, Other),
    nothing_came(N, Id, F).

to_all(Config) ->
    N = open_at(near, [0], [], Config),
    Far = [begin
               F = open_at(far, [0], [], Config),
               ok = ?M:listen(F, true),
               #{nid := Id} = join(N, F, 0, Config),
               {Id, F}
           end || _ <- [1, 2, 3]],
    [{First, _} | _] = Far,
    {ok, Chunks} = ?NET:watch(?config(net, Config), far, fun(_) ->
        ok = ?M:sendv(N, all, [#sctp_sndinfo{sid = 1, ppid = 4}], <<"all">>),
        ok = ?M:sendv(N, First, [], <<"one">>),
        [gen_sctp_test_lib:all_arrived(N, Id) || {Id, _} <- Far],
        ok
    end),
    Ports = fun(Data) ->
        lists:sort([Port || #{dport := Port} <- lists:filter(has(Data), Chunks)])
    end,
    ?assertEqual(lists:sort([port(F) || {_, F} <- Far]), Ports(<<"all">>)),
    ?assertEqual([port(F) || {Id, F} <- Far, Id =:= First], Ports(<<"one">>)),
    [?assertMatch({#sctp_sndrcvinfo{stream = 1, ppid = 4}, <<"all">>}, data(?M, F))
     || {_, F} <- Far],
    ok = ?M:sendv(N, all, [#sctp_sndinfo{flags = [eof]}], <<>>),
    [?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(?M, N)) || _ <- Far],
    ?assertEqual({error, enotconn}, ?M:sendv(N, all, [], <<"all">>)).

%% The kernel says nothing of whom it has sent to where the last one is not up.
to_all_in_turn(Config) ->
    N = open_at(near, [0], [], Config),
    F = open_at(far, [0], [], Config),
    ok = ?M:listen(F, true),
    #{nid := Id} = join(N, F, 0, Config),
    {ok, _} = ?M:connectx_init(N, [{{10, 67, 0, 77}, 5000}], []),
    ?assertEqual(ok, ?M:sendv(N, all, [], <<"all">>)),
    ?assertMatch({_, <<"all">>}, data(?M, F)),
    nothing_came(N, Id, F).

%% Without the bit the acknowledgement is delayed as the peer says.
acknowledged_at_once(Config) ->
    Delay = {sctp_delayed_sack, #sctp_sack_info{delay = 500, freq = 2}},
    #{n := N, nid := Id, net := Net} = joined(Config, [0], [], [Delay]),
    ok = ?M:send(N, Id, 0, <<"first">>),
    gen_sctp_test_lib:all_arrived(N, Id),
    [Now, Later] =
        [begin
             {{ok, Sacks}, Chunks} = ?NET:watch(Net, far, fun(_) ->
                 ?NET:watch(Net, near, fun(Watch) ->
                     ok = ?M:sendv(N, Id, [#sctp_sndinfo{flags = Flags}], <<"data">>),
                     _ = ?NET:await_chunk(Watch, is(?SACK)),
                     ok
                 end)
             end),
             #{time := Sent, flags := Bits} = found(<<"data">>, Chunks),
             ?assertEqual(length(Flags), (Bits band ?IMMEDIATE) div ?IMMEDIATE),
             [#{time := Acknowledged}] = of_type(?SACK, Sacks),
             (Acknowledged - Sent) div 1000
         end || Flags <- [[sack_immediately], []]],
    ct:log("acknowledged after ~b ms with the bit, ~b ms without~n", [Now, Later]),
    ?assert(Now < 100, {Now, Later}),
    ?assert(Later >= 400, {Now, Later}).

%% Messages that lose their first transmission in a cut, until one is given up: what then comes, and
%% what is seen of it at the far host.
after_a_cut(#{n := N, nid := Id, f := F, net := Net}, Sends) ->
    Before = given_up(N, Id),
    ?NET:watch(Net, far, fun(_) ->
        ok = ?NET:cut(Net, 0),
        lists:foreach(fun(Send) -> ok = Send() end, Sends),
        until(fun() -> given_up(N, Id) > Before end),
        ok = ?NET:heal(Net, 0),
        %% Streams do not wait for each other.
        gen_sctp_test_lib:all_arrived(N, Id),
        ok = ?M:sendv(N, Id, [#sctp_prinfo{}], <<"end">>),
        received(F)
    end).

received(F) ->
    case data(?M, F) of
        {_, <<"end">>} -> [];
        {_, Data} -> [Data | received(F)]
    end.

time_to_live(Config) ->
    missing(Config, pr(ttl, 300), [[#sctp_prinfo{}], [], [pr(ttl, 60000)]]).

retransmissions(Config) ->
    missing(Config, pr(rtx, 0), [[#sctp_prinfo{}], [], [pr(rtx, 100)]]).

%% One message is given up, others that were lost with it are not; the peer is told by FORWARD-TSN.
missing(Config, Pr, Others) ->
    #{n := N, nid := Id} = Pair = joined(Config, [0], lasting(), []),
    Lasting = [<<"lasting", (integer_to_binary(I))/binary>> || I <- lists:seq(1, length(Others))],
    {Came, Chunks} = after_a_cut(Pair,
        [fun() -> ?M:sendv(N, Id, [Pr], <<"mortal">>) end |
         [fun() -> ?M:sendv(N, Id, Infos, Data) end
          || {Infos, Data} <- lists:zip(Others, Lasting)]]),
    ?assertEqual(Lasting, Came),
    ?assertEqual(1, given_up(N, Id)),
    ?assertEqual([], lists:filter(has(<<"mortal">>), Chunks)),
    ?assertMatch([_ | _], of_type(?FORWARD_TSN, Chunks)).

%% A full buffer: a more important message takes the room of others. (It gives up those first that
%% were sent once, which keep their room until the peer has heard of it.)
priority(Config) ->
    {Sent, Came, #sctp_prstatus{abandoned_unsent = Unsent, abandoned_sent = Repeated}} =
        crowded(Config, pr(prio, 9), fun(Send) -> until(fun() -> Send(0) =:= ok end) end),
    ct:log("~b sent, ~b came, ~b and ~b given up~n", [Sent, length(Came), Unsent, Repeated]),
    {Lesser, Important} = lists:partition(fun(Data) -> Data =:= <<9:8000>> end, Came),
    ?assertEqual([<<Number:8000>> || Number <- [1, 2, 3]], Important),
    ?assert(Unsent > 0),
    ?assert(length(Lesser) + Unsent =< Sent),
    ?assert(length(Lesser) + Unsent + Repeated >= Sent),
    %% Those that have no policy stay, and the others wait.
    {All, Kept, Status} =
        crowded(Config, pr(none, 0), fun(Send) -> ?assertEqual({error, timeout}, Send(300)) end),
    ?assertEqual(lists:duplicate(All, <<9:8000>>), Kept),
    ?assertMatch(#sctp_prstatus{abandoned_unsent = 0, abandoned_sent = 0}, Status).

%% To a peer that does not read: how many were sent, what came, what was given up.
crowded(Config, Pr, Then) ->
    #{n := N, nid := Id, f := F} =
        joined(Config, [0], [{sndbuf, 20000}, quick()], [{recbuf, 4096}]),
    Sent = fill(fun(To, Time) -> ?M:sendv(N, To, [Pr], <<9:8000>>, Time) end, Id, 400),
    ?assertEqual(0, given_up(N, Id)),
    [Then(fun(Time) -> ?M:sendv(N, Id, [pr(prio, 0)], <<Number:8000>>, Time) end)
     || Number <- [1, 2, 3]],
    Status = get(N, {sctp_pr_assoc_status, #sctp_prstatus{assoc_id = Id, policy = prio}}),
    Ended = gen_sctp_test_lib:async(fun() -> ?M:send(N, Id, 0, <<"end">>) end),
    Came = received(F),
    ok = gen_sctp_test_lib:await(Ended),
    {Sent, Came, Status}.

%% Of each stream and each policy for itself.
status(Config) ->
    #{n := N, nid := Id, f := F} = Pair = joined(Config, [0], lasting(), []),
    Status = fun(Option, Record) ->
        #sctp_prstatus{assoc_id = Id, abandoned_unsent = Unsent, abandoned_sent = Sent} =
            get(N, {Option, Record#sctp_prstatus{assoc_id = Id}}),
        Unsent + Sent
    end,
    Mortal = fun(Data) ->
        fun() -> ?M:sendv(N, Id, [#sctp_sndinfo{sid = 1}, pr(rtx, 0)], Data) end
    end,
    {Came, _} = after_a_cut(Pair,
        [fun() -> ?M:sendv(N, Id, [#sctp_sndinfo{sid = 2}, pr(ttl, 60000)], <<"kept">>) end,
         Mortal(<<"one">>), Mortal(<<"two">>), Mortal(<<"three">>)]),
    ?assertEqual([<<"kept">>], Came),
    Policies = [rtx, ttl, prio, all],
    ?assertEqual([3, 0, 0, 3], [Status(sctp_pr_assoc_status, #sctp_prstatus{policy = Policy})
                                || Policy <- Policies]),
    ?assertEqual([{1, [3, 0, 0, 3]}, {2, [0, 0, 0, 0]}],
                 [{Sid, [Status(sctp_pr_stream_status, #sctp_prstatus{sid = Sid, policy = Policy})
                         || Policy <- Policies]} || Sid <- [1, 2]]),
    nothing_came(N, Id, F).

%% Where the sender says nothing the defaults do, of stream, identifier and lifetime.
defaults_on_the_wire(Config) ->
    #{n := N, nid := Id, f := F, net := Net} = joined(Config, [0], [], []),
    Sids = fun(Data) ->
        {ok, Chunks} = ?NET:watch(Net, far, fun(Watch) ->
            ok = ?M:sendv(N, Id, [], <<Data/binary, "1">>),
            ok = ?M:send(N, Id, 1, <<Data/binary, "2">>),
            ok = ?M:send_batch(N, Id, [{[], <<Data/binary, "3">>}, {1, <<Data/binary, "4">>},
                                       {[#sctp_sndinfo{ppid = 5}], <<Data/binary, "5">>},
                                       {[pr(ttl, 1000)], <<Data/binary, "6">>},
                                       {#sctp_sndrcvinfo{}, <<Data/binary, "7">>}]),
            _ = ?NET:await_chunk(Watch, has(<<Data/binary, "7">>)),
            ok
        end),
        [{Sid, Ppid} || N_ <- "1234567",
                        #{sid := Sid, ppid := Ppid} <- [found(<<Data/binary, N_>>, Chunks)]]
    end,
    ?assertEqual([{0, 0}, {1, 0}, {0, 0}, {1, 0}, {0, 5}, {0, 0}, {0, 0}], Sids(<<"before">>)),
    ok = set(N, sctp_default_sndinfo, #sctp_sndinfo{assoc_id = Id, sid = 3, ppid = 46}),
    ?assertEqual([{3, 46}, {1, 46}, {3, 46}, {1, 46}, {0, 5}, {3, 46}, {0, 0}], Sids(<<"after">>)),
    [{_, _} = data(?M, F) || _ <- lists:seq(1, 14)],
    nothing_came(N, Id, F).

%% Who is said to be given up by default is, unless its sender says otherwise; also when
%% `sctp_default_sndinfo' is set later, where the kernel takes the number for milliseconds.
default_policy(Config) ->
    #{n := N, nid := Id} = Pair = joined(Config, [0], lasting(), []),
    Default = #sctp_default_prinfo{assoc_id = Id, policy = rtx, value = 0},
    Mortal = fun() -> ok = ?M:send(N, Id, 0, <<"mortal">>), ?M:sendv(N, Id, [], <<"mortal">>) end,
    Lasting = fun() -> ?M:sendv(N, Id, [#sctp_prinfo{}], <<"lasting">>) end,
    ok = set(N, sctp_default_prinfo, Default),
    ok = set(N, sctp_default_sndinfo, #sctp_sndinfo{assoc_id = Id, ppid = 1}),
    {Came, _} = after_a_cut(Pair, [Mortal, Lasting]),
    ?assertEqual({[<<"lasting">>], 2}, {Came, given_up(N, Id)}),
    %% A hundred times: that would be 100 ms.
    ok = set(N, sctp_default_prinfo, Default#sctp_default_prinfo{value = 100}),
    ok = set(N, sctp_default_sndinfo, #sctp_sndinfo{assoc_id = Id, ppid = 2}),
    Given = fun() -> ?M:sendv(N, Id, [pr(rtx, 0)], <<"given up">>) end,
    {CameNow, _} = after_a_cut(Pair, [fun() -> ?M:sendv(N, Id, [], <<"by default">>) end, Given]),
    ?assertEqual({[<<"by default">>], 3}, {CameNow, given_up(N, Id)}),
    ok = set(N, sctp_default_prinfo, Default#sctp_default_prinfo{policy = none}),
    {Last, _} = after_a_cut(Pair, [fun() -> ?M:sendv(N, Id, [], <<"lasting">>) end, Given]),
    ?assertEqual([<<"lasting">>], Last).

%% Many that say each for itself what they are like share a packet all the same.
batch(Config) ->
    #{n := N, nid := Id, f := F, net := Net} = joined(Config, [0], [], []),
    Messages = [{[#sctp_sndinfo{sid = 1, ppid = 1, flags = [sack_immediately]}], <<"a">>},
                {[#sctp_sndinfo{sid = 2, ppid = 2}, pr(ttl, 1000)], <<"b">>},
                {3, <<"c">>}, {#sctp_sndrcvinfo{stream = 4}, <<"d">>}, {[pr(prio, 1)], <<"e">>}],
    {ok, Chunks} = ?NET:watch(Net, far, fun(Watch) ->
        ok = ?M:send_batch(N, Id, Messages),
        _ = ?NET:await_chunk(Watch, has(<<"e">>)),
        ok
    end),
    Found = [found(Data, Chunks) || {_, Data} <- Messages],
    ?assertEqual([1, 2, 3, 4, 0], [Sid || #{sid := Sid} <- Found]),
    ?assertEqual([1, 2, 0, 0, 0], [Ppid || #{ppid := Ppid} <- Found]),
    ?assertEqual([?IMMEDIATE, 0, 0, 0, 0], [Flags band ?IMMEDIATE || #{flags := Flags} <- Found]),
    ?assertMatch([_], lists:usort([Packet || #{packet := Packet} <- Found])),
    [?assertMatch({_, Data}, data(?M, F)) || {_, Data} <- Messages].

%% All that comes with a message is what its chunk says, and the receiver's own number.
received_as_on_the_wire(Config) ->
    #{n := N, nid := Id, f := F, fid := FId, net := Net} =
        joined(Config, [0], [], [{sctp_recvrcvinfo, true}, {sctp_context, av(0, 77)}]),
    {Came, Chunks} = ?NET:watch(Net, far, fun(_) ->
        [begin
             ok = ?M:sendv(N, Id, [#sctp_sndinfo{sid = 2, flags = Flags, ppid = 46, context = 99}],
                           Data),
             {ok, {_, _, [Info], Data}} = ?M:recv(F, 5000),
             {Data, Flags, Info}
         end || {Data, Flags} <- [{<<"a">>, []}, {<<"b">>, [unordered]}, {<<"c">>, []}]]
    end),
    [begin
         #{tsn := Tsn, sid := Sid, ssn := Ssn, ppid := Ppid} = found(Data, Chunks),
         ?assertMatch(#sctp_rcvinfo{sid = Sid, flags = Flags, ppid = Ppid, tsn = Tsn, context = 77,
                                    assoc_id = FId}, Info),
         %% The number of an unordered message means nothing.
         ?assertEqual(Flags =:= [], Info#sctp_rcvinfo.cumtsn =:= 0),
         ?assert(Flags =/= [] orelse Info#sctp_rcvinfo.ssn =:= Ssn)
     end || {Data, Flags, Info} <- Came],
    ?assertEqual([0, 1], [Ssn || {_, [], #sctp_rcvinfo{ssn = Ssn}} <- Came]).
