%% @doc What can be seen of sockets, associations and paths: getopt/2, assocs/1, status/2, paths/2,
%% stats/1,2, i/1, features/0. Figures are brought about, and compared with what else tells of them.
-module(gen_sctp_nif_look_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [adopt/1, all_arrived/2, async/1, await/1, data/2, event/2, family/1, join/4, kill/1,
         listener/2, loopback/1, open/2, pair/1, pair/3, port/1, recv/2, until/1,
         until_blocked/1]).

-define(M, gen_sctp_nif).
-define(NET, gen_sctp_test_net).
-define(SCTP, 132).
-define(SYSCTL, "/proc/sys/net/sctp/").

suite() -> [{timetrap, {minutes, 2}}].

all() -> [{group, inet}, {group, inet6}, mapped_addresses, features, features_by_namespace,
          features_as_documented, {group, net}].

groups() ->
    [{Family, [], [options, refused_options, associations, states, one_to_one, counters, waiting,
                   dropped_events, table, bad_input]} || Family <- [inet, inet6]] ++
    [{net, [], [round_trip_time, retransmissions, cut_path, potentially_failed, as_ss]}].

init_per_group(net, Config) ->
    ?NET:begin_suite([{family, inet}, {module, ?M} | Config]);
init_per_group(Family, Config) ->
    gen_sctp_test_lib:init_group(Family, [{module, ?M} | Config]).
end_per_group(net, Config) -> ?NET:end_suite(Config);
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) ->
    gen_sctp_test_lib:begin_case(Config ++ [{module, ?M}, {family, inet}]).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config ++ [{module, ?M}]).

%% Options by themselves.

%% Every option that can be got: the value that is in getopts' list.
options(Config) ->
    #{s := S, c := C, cid := Id, sport := Port, ip := IP} = pair(Config),
    Family = case family(Config) of
                 inet -> [tos, ttl, recvtos, recvttl];
                 inet6 -> [tclass, recvtclass, ipv6_v6only]
             end,
    [begin
         {ok, [{_, Value}]} = inet:getopts(C, [Option]),
         ?assertEqual({Option, {ok, Value}}, {Option, ?M:getopt(C, Option)})
     end || Option <- [linger, reuseaddr, reuseport, reuseport_lb, dontroute, priority, recbuf,
                       sndbuf, bind_to_device, sctp_rtoinfo, sctp_associnfo, sctp_initmsg,
                       sctp_autoclose, sctp_nodelay, sctp_disable_fragments,
                       sctp_i_want_mapped_v4_addr, sctp_maxseg, sctp_adaptation_layer,
                       sctp_peer_addr_params,
                       sctp_default_send_param, sctp_events, sctp_delayed_ack_time,
                       {sctp_status, #sctp_status{assoc_id = Id}},
                       {sctp_get_peer_addr_info, #sctp_paddrinfo{assoc_id = Id,
                                                                 address = {IP, Port}}},
                       {sctp_primary_addr, #sctp_prim{assoc_id = Id}},
                       {sctp_rtoinfo, #sctp_rtoinfo{assoc_id = Id}},
                       active, mode, buffer, batch, mailbox_limit, abort_causes] ++ Family],
    %% Two that getopts gives without their names.
    ?assertEqual({ok, false}, ?M:getopt(C, non_block_send)),
    ok = inet:setopts(C, [{non_block_send, true}, {debug, true}]),
    ?assertEqual([{ok, true}, {ok, true}], [?M:getopt(C, Name) || Name <- [non_block_send, debug]]),
    ?assertEqual({ok, undefined}, ?M:getopt(C, netns)),
    ok = inet:setopts(C, [{netns, "/a/b"}]),
    ?assertEqual({ok, "/a/b"}, ?M:getopt(C, netns)),
    %% What events the owner wants, not what the kernel tells the library.
    ok = inet:setopts(S, [{sctp_events, #sctp_event_subscribe{association_event = false}}]),
    ?assertMatch({ok, #sctp_event_subscribe{association_event = false}},
                 ?M:getopt(S, sctp_events)).

%% Where getopts leaves an option out, the reason; any process is told.
refused_options(Config) ->
    #{c := C, cid := Id} = pair(Config),
    T = open(Config, [{type, stream}]),
    Foreign = [{C, tclass, enoprotoopt} || family(Config) =:= inet],
    [begin
         ?assertEqual({Option, {ok, []}}, {Option, inet:getopts(S, [Option])}),
         ?assertEqual({Option, {error, Reason}}, {Option, ?M:getopt(S, Option)}),
         ?assertEqual({error, Reason}, await(async(fun() -> ?M:getopt(S, Option) end)))
     end || {S, Option, Reason} <-
                [{T, sctp_autoclose, enotsup},
                 {C, {sctp_status, #sctp_status{assoc_id = Id + 1000}}, einval},
                 {C, {sctp_status, #sctp_status{assoc_id = 0}}, einval},
                 {C, {sctp_set_peer_primary_addr, #sctp_setpeerprim{assoc_id = Id}}, enotsup},
                 {C, exclusiveaddruse, enoprotoopt} | Foreign]],
    ?assertMatch({ok, _}, ?M:getopt(C, sctp_autoclose)),
    ?assertMatch({ok, #sctp_status{state = established}},
                 ?M:getopt(C, {sctp_status, #sctp_status{assoc_id = Id}})).

%% Associations.

%% As many as there are, more than the library asks for at first, and none when they have ended.
associations(Config) ->
    S = listener(Config, []),
    ?assertEqual({ok, []}, ?M:assocs(S)),
    Pairs = [join(?M, loopback(Config), S, open(Config, [])) || _ <- lists:seq(1, 20)],
    Ids = [Id || #{sid := Id} <- Pairs],
    {ok, Listed} = ?M:assocs(S),
    ?assertEqual(Ids, lists:sort(Listed)),
    ?assertMatch({ok, #{associations := 20}}, ?M:stats(S)),
    ?assertEqual({ok, Listed}, await(async(fun() -> ?M:assocs(S) end))),
    [First | Others] = Ids,
    {ok, Peeled} = ?M:peeloff(S, First),
    adopt(Peeled),
    ?assertEqual({ok, [First]}, ?M:assocs(Peeled)),
    ?assertMatch({ok, #{associations := 1}}, ?M:stats(Peeled)),
    {ok, Rest} = ?M:assocs(S),
    ?assertEqual(Others, lists:sort(Rest)),
    [ok = ?M:close(C) || #{c := C} <- Pairs],
    until(fun() -> {?M:assocs(S), ?M:assocs(Peeled)} =:= {{ok, []}, {ok, []}} end),
    ?assertMatch({ok, #{associations := 0}}, ?M:stats(Peeled)).

%% What was agreed on, what is under way; the map agrees with the record, but for its units.
states(Config) ->
    Streams = fun(Out, In) ->
        [{sctp_initmsg, #sctp_initmsg{num_ostreams = Out, max_instreams = In}}]
    end,
    #{s := S, c := C, cid := Id, cup := Up, sport := Port, ip := IP} =
        pair(Config, Streams(7, 9), Streams(5, 100)),
    {ok, #{primary := Primary} = Status} = ?M:status(C, Id),
    ?assertEqual({ok, Status}, ?M:status(C, Up)),
    ?assertMatch(#{assoc_id := Id, state := established, instrms := 7, outstrms := 5,
                   unackdata := 0, penddata := 0}, Status),
    {ok, #sctp_status{rwnd = Window, fragmentation_point = Point, primary = Record}} =
        ?M:getopt(C, {sctp_status, #sctp_status{assoc_id = Id}}),
    ?assertMatch(#{rwnd := Window, fragmentation_point := Point}, Status),
    #sctp_paddrinfo{address = {IP, Port}, state = active, cwnd = Cwnd, rto = Rto, mtu = Mtu} =
        Record,
    ?assertMatch(#{address := {IP, Port}, state := active, cwnd := Cwnd, rto := Rto, mtu := Mtu,
                   primary := true}, Primary),
    ?assertEqual({ok, [Primary]}, ?M:paths(C, Id)),
    ?assertEqual({ok, [Primary]}, ?M:paths(C, Up)),
    %% What nobody has received takes from the window that the peer sees.
    ok = ?M:send(C, Id, 0, binary:copy(<<"x">>, 50000)),
    all_arrived(C, Id),
    {ok, #{rwnd := Less}} = ?M:status(C, Id),
    ?assert(Less =< Window - 50000),
    {_, _} = data(?M, S),
    ?assertEqual({error, einval}, ?M:status(C, Id + 1000)),
    ?assertEqual({error, einval}, ?M:paths(C, Id + 1000)),
    ?assertEqual({error, einval}, ?M:stats(C, Id + 1000)).

%% The one association of a socket, by any id: when it is up.
one_to_one(Config) ->
    S = listener(Config, []),
    T = open(Config, [{type, stream}]),
    Look = fun() -> [?M:assocs(T), ?M:status(T, 0), ?M:paths(T, 0), ?M:stats(T, 0)] end,
    Refused = [{ok, []}, {error, einval}, {error, einval}, {error, einval}],
    ?assertEqual(Refused, Look()),
    ?assertMatch({ok, #{associations := 0}}, ?M:stats(T)),
    {ok, #sctp_assoc_change{assoc_id = Id}} = ?M:connect(T, loopback(Config), port(S), [], 10000),
    ?assertMatch([{ok, [Id]}, {ok, #{assoc_id := Id}}, {ok, [#{primary := true}]}, {ok, #{}}],
                 Look()),
    ?assertMatch({ok, #{associations := 1}}, ?M:stats(T)),
    [?assertMatch({ok, #{assoc_id := Id}}, ?M:status(T, Any)) || Any <- [4711, 16#ffffffff]],
    L = listener(Config, [{type, stream}]),
    ?assertEqual({ok, []}, ?M:assocs(L)).

%% What was sent and received, and the largest timeout, which is told once.
counters(Config) ->
    Timeouts = [{sctp_rtoinfo, #sctp_rtoinfo{initial = 800, max = 2000, min = 400}}],
    #{s := S, c := C, cid := Id, sid := SId, cup := Up, sport := Port, ip := IP} =
        pair(Config, Timeouts, Timeouts),
    {ok, #{max_rto := First, max_rto_address := Address}} = ?M:stats(C, Id),
    ?assertEqual({800, {IP, Port}}, {First, Address}),
    ?assertMatch({ok, #{max_rto := 400}}, ?M:stats(C, Up)),
    [ok = ?M:send(C, #sctp_sndrcvinfo{assoc_id = Id, flags = Flags}, <<"data">>)
     || Flags <- [[], [], [], [unordered], [unordered]]],
    all_arrived(C, Id),
    [{_, <<"data">>} = data(?M, S) || _ <- lists:seq(1, 5)],
    {ok, Ours} = ?M:stats(C, Id),
    {ok, Theirs} = ?M:stats(S, SId),
    ?assertMatch(#{oodchunks := 3, ouodchunks := 2, iodchunks := 0, iuodchunks := 0,
                   rtxchunks := 0, idupchunks := 0, gapcnt := 0, outofseqtsns := 0}, Ours),
    ?assertMatch(#{iodchunks := 3, iuodchunks := 2, oodchunks := 0, ouodchunks := 0,
                   rtxchunks := 0}, Theirs),
    #{isacks := Acknowledged} = Ours,
    ?assertMatch(#{osacks := Acknowledged}, Theirs),
    ?assert(Acknowledged > 0),
    %% The socket's own counters are getstat's.
    {ok, Stats} = ?M:stats(C),
    {ok, Getstat} = inet:getstat(C),
    ?assertEqual(maps:from_list(Getstat), maps:with(proplists:get_keys(Getstat), Stats)),
    ?assertMatch(#{send_cnt := 5, send_oct := 20, associations := 1}, Stats).

%% Who waits.
waiting(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config, [{recbuf, 16384}], [{sndbuf, 16384}]),
    Waits = fun(Socket) ->
        {ok, Stats} = ?M:stats(Socket),
        maps:with([receivers, writers, connects], Stats)
    end,
    ?assertEqual(#{receivers => 0, writers => 0, connects => 0}, Waits(C)),
    Receiver = async(fun() -> ?M:recv(C) end),
    until_blocked(Receiver),
    until(fun() -> Waits(C) =:= #{receivers => 1, writers => 0, connects => 0} end),
    Data = binary:copy(<<"x">>, 4000),
    Sender = async(fun Send() -> ok = ?M:send(C, Id, 0, Data), Send() end),
    until(fun() -> Waits(C) =:= #{receivers => 1, writers => 1, connects => 0} end),
    ?assertEqual(#{receivers => 0, writers => 0, connects => 0}, Waits(S)),
    kill(Sender),
    kill(Receiver),
    %% Who is dead is struck out when somebody looks for them.
    ok = ?M:abort(C, #sctp_assoc_change{assoc_id = Id}),
    #sctp_assoc_change{state = comm_lost} = event(?M, C),
    until(fun() -> Waits(C) =:= #{receivers => 0, writers => 0, connects => 0} end).

%% Events that the owner does not want come to the library all the same, and are counted.
dropped_events(Config) ->
    Dropped = fun(Events) ->
        S = listener(Config, [{sctp_events, Events}]),
        C = open(Config, []),
        {ok, #sctp_assoc_change{assoc_id = Id}} =
            ?M:connect(C, loopback(Config), port(S), [], 10000),
        ok = ?M:send(C, Id, 0, <<"after it">>),
        {ok, #{dropped := Before}} = ?M:stats(S),
        Got = case recv(?M, S) of
                  {ok, {_, _, _, #sctp_assoc_change{}}} -> {_, <<"after it">>} = data(?M, S), event;
                  {ok, {_, _, _, <<"after it">>}} -> data
              end,
        {ok, #{dropped := After}} = ?M:stats(S),
        {Got, Before, After}
    end,
    ?assertEqual({data, 0, 1}, Dropped(#sctp_event_subscribe{association_event = false})),
    ?assertEqual({event, 0, 0}, Dropped(#sctp_event_subscribe{})).

%% A line for each path, under the titles.
table(Config) ->
    #{s := S, c := C, cid := Id, sport := Port} = pair(Config),
    ok = ?M:send(C, Id, 0, <<"data">>),
    all_arrived(C, Id),
    [Titles, Line] = printed(C),
    ?assertEqual(["Assoc", "State", "Peer", "Address", "Path", "Cwnd", "SRTT", "RTO", "Rtx", "In",
                  "Out"], string:lexemes(Titles, " ")),
    Address = inet:ntoa(loopback(Config)) ++ ":" ++ integer_to_list(Port),
    [IdText, "established", Address, "active*", _Cwnd, _Srtt, _Rto, "0", "0", "1"] =
        string:lexemes(Line, " "),
    ?assertEqual(Id, list_to_integer(IdText)),
    {_, _} = data(?M, S),
    ?assertMatch([Titles2] when Titles2 =/= Line, printed(open(Config, []))),
    ok = ?M:close(C),
    ?assertEqual(["closed"], printed(C)).

printed(S) ->
    ok = ct:capture_start(),
    ok = ?M:i(S),
    ok = ct:capture_stop(),
    string:lexemes(lists:flatten(ct:capture_get()), "\n").

%% Arguments of all kinds, and sockets that are closed or none.
bad_input(Config) ->
    #{c := C, cid := Id} = pair(Config),
    Junk = [foo, undefined, infinity, -1, 0, 70000, 1 bsl 32, 1 bsl 70, -(1 bsl 70), 2.5, <<>>,
            <<"text">>, <<1:3>>, "text", [a | b], [], {}, {a, b}, #{}, self(), make_ref(),
            fun() -> ok end, #sctp_assoc_change{}, #sctp_assoc_change{assoc_id = foo},
            {sctp_assoc_change, Id}, #sctp_assoc_change{assoc_id = -1}],
    Closed = open(Config, []),
    ok = ?M:close(Closed),
    [begin
         Number = is_integer(Assoc) orelse
             (is_record(Assoc, sctp_assoc_change) andalso
              is_integer(Assoc#sctp_assoc_change.assoc_id)),
         case Number of
             true ->
                 ?assertEqual({error, einval}, ?M:Function(C, Assoc)),
                 ?assertEqual({error, closed}, ?M:Function(Closed, Assoc));
             false ->
                 ?assertError(badarg, ?M:Function(C, Assoc)),
                 ?assertError(badarg, ?M:Function(Closed, Assoc))
         end
     end || Function <- [status, paths, stats], Assoc <- Junk],
    %% Every wrong request is badarg, and what is known has an answer.
    [?assertError(badarg, ?M:getopt(C, Option))
     || Option <- Junk ++ [{sctp_nodelay, true}, {sctp_status, foo}, sctp_status, {active, 5},
                           {sctp_status, #sctp_status{assoc_id = -1}},
                           {sctp_status, #sctp_status{assoc_id = 1 bsl 32}},
                           {sctp_status, #sctp_status{assoc_id = Id, rwnd = 5}},
                           {sctp_rtoinfo, {sctp_rtoinfo, 1}}, [sctp_nodelay],
                           {sctp_get_peer_addr_info, #sctp_paddrinfo{address = {1, 2}}}]],
    [?assertEqual({error, closed}, ?M:getopt(Closed, Option))
     || Option <- [active, sctp_nodelay, netns, {sctp_status, #sctp_status{assoc_id = Id}}]],
    [?assertEqual({error, closed}, ?M:Function(Closed)) || Function <- [assocs, stats]],
    {ok, Udp} = gen_udp:open(0),
    [begin
         [?assertError(badarg, ?M:Function(S)) || Function <- [assocs, stats, i]],
         [?assertError(badarg, ?M:Function(S, Id)) || Function <- [status, paths, stats]],
         ?assertError(badarg, ?M:getopt(S, sctp_nodelay))
     end || S <- [Udp | Junk] ++
                [{'$inet', ?M, No} || No <- [foo, make_ref(), self(), 1, <<>>, {}]]],
    ok = gen_udp:close(Udp),
    ?assertMatch({ok, #{state := established}}, ?M:status(C, Id)).

%% A peer of IPv4 on a socket of IPv6, whichever way its address is shown.
mapped_addresses(Config) ->
    #{s := S} = pair([{family, inet} | Config]),
    Six = adopt(element(2, {ok, _} = ?M:open([inet6, {ip, any}]))),
    Mapped = {0, 0, 0, 0, 0, 16#ffff, 16#7f00, 1},
    {ok, #sctp_assoc_change{assoc_id = Id}} = ?M:connect(Six, Mapped, port(S), [], 10000),
    [begin
         ok = inet:setopts(Six, [{sctp_i_want_mapped_v4_addr, Want}]),
         {ok, Paths} = ?M:paths(Six, Id),
         ?assertEqual(1, length([Path || #{address := Address, primary := true, mtu := _} = Path
                                             <- Paths, Address =:= {Shown, port(S)}])),
         ?assertEqual(length(Paths), length([Path || #{state := active} = Path <- Paths]))
     end || {Want, Shown} <- [{true, Mapped}, {false, {127, 0, 0, 1}}]].

%% What the kernel has.

%% Each name says what OTP's socket finds when it tries the option; where the library has it, too,
%% getopt says the same; and variables are those of sysctl.
features(_) ->
    Features = features_as_tried(),
    ct:pal("~ts~p", [os:cmd("uname -r"), Features]),
    %% Not all the same: no kernel has everything as its sockets begin, and each has these.
    ?assertMatch(#{sctp := true, sctp_max_burst := true, sctp_context := true,
                   scheduler_fcfs := true, sctp_interleaving_supported := false,
                   sctp_remote_udp_encaps_port := false}, Features),
    Known = [Name || Name <- maps:keys(Features), known_to_getopt(Name)],
    ?assert(lists:member(sctp_adaptation_layer, Known)).

known_to_getopt(Name) ->
    %% On one of IPv4 there are no flow labels.
    {ok, S} = ?M:open([inet6]),
    try ?M:getopt(S, Name) of
        Result ->
            Has = maps:get(Name, ?M:features()),
            case Result of
                %% What the kernel tells, and the variables of the namespace do not allow.
                {ok, _} when Name =:= sctp_interleaving_supported;
                             Name =:= sctp_remote_udp_encaps_port ->
                    ?assertEqual({Name, false}, {Name, Has});
                {ok, _} -> ?assertEqual({Name, true}, {Name, Has});
                {error, enoprotoopt} -> ?assertEqual({Name, false}, {Name, Has});
                {error, _} -> ok
            end,
            true
    catch
        error:badarg -> false
    after
        ok = ?M:close(S)
    end.

%% And where the namespace allows more, by its variables.
features_by_namespace(_) ->
    Before = ?M:features(),
    try [variable(Name, Value) || {Name, Value} <- [{"intl_enable", "1"}, {"udp_port", "9899"},
                                                    {"auth_enable", "1"}, {"ecn_enable", "0"}]] of
        _ ->
            Features = features_as_tried(),
            ?assertMatch(#{intl_enable := true, sctp_interleaving_supported := true,
                           udp_port := true, sctp_remote_udp_encaps_port := true,
                           auth_enable := true, ecn_enable := false}, Features),
            ?assertMatch(#{intl_enable := false, sctp_interleaving_supported := false,
                           udp_port := false, sctp_remote_udp_encaps_port := false,
                           auth_enable := false, ecn_enable := true}, Before)
    after
        [variable(Name, Value) || {Name, Value} <- [{"intl_enable", "0"}, {"udp_port", "0"},
                                                    {"auth_enable", "0"}, {"ecn_enable", "1"}]]
    end,
    ?assertEqual(Before, ?M:features()).

%% The data of docs/features.md, of this kernel.
features_as_documented(_) ->
    File = filename:join([gen_sctp_test_documents:top(), "docs", "features",
                          gen_sctp_test_features:release() ++ ".txt"]),
    case file:read_file(File) of
        {ok, Text} ->
            ?assertEqual(string:lexemes(binary_to_list(Text), "\n"),
                         gen_sctp_test_features:lines());
        {error, enoent} ->
            {skip, {not_documented, gen_sctp_test_features:release()}}
    end.

variable(Name, Value) ->
    case file:write_file(?SYSCTL ++ Name, Value) of
        ok -> ok;
        {error, enoent} -> throw({skip, {no_variable, Name}});
        {error, Reason} -> throw({skip, {Name, Reason}})
    end.

features_as_tried() ->
    Features = ?M:features(),
    {ok, S} = socket:open(inet, seqpacket, sctp),
    Tried = [{sctp, true}] ++
        [{Name, tried(S, Number, How)} || {Name, Number, How} <- numbers()] ++
        [{Name, ok =:= socket:setopt_native(S, {?SCTP, 123}, value(Value))}
         || {Name, Value} <- [{scheduler_fcfs, 0}, {scheduler_prio, 1}, {scheduler_rr, 2},
                              {scheduler_fc, 3}, {scheduler_wfq, 4}]] ++
        [{Name, is_set(atom_to_list(Name))}
         || Name <- [addip_enable, addip_noauth_enable, auth_enable, default_auto_asconf,
                     ecn_enable, intl_enable, pf_enable, prsctp_enable, rcvbuf_policy,
                     reconf_enable, sndbuf_policy, udp_port]],
    ok = socket:close(S),
    [?assertEqual({Name, Value}, {Name, maps:get(Name, Features, missing)})
     || {Name, Value} <- Tried],
    ?assertEqual(lists:sort(maps:keys(Features)), lists:sort(proplists:get_keys(Tried))),
    Features.

is_set(Name) ->
    case file:read_file(?SYSCTL ++ Name) of
        {ok, Value} -> string:trim(Value) =/= <<"0">>;
        {error, enoent} -> false
    end.

value(Value) -> <<0:32, Value:32/native>>.

%% By number, of linux/sctp.h: got if it is so large (set if it can only be set), switched on.
tried(S, Number, Size) when is_integer(Size) ->
    case socket:getopt_native(S, {?SCTP, Number}, Size) of
        {ok, Value} -> Size < 100 orelse byte_size(Value) =:= Size;
        {error, Reason} -> Reason =/= enoprotoopt
    end;
tried(S, Number, set) ->
    {error, Reason} = socket:setopt_native(S, {?SCTP, Number}, <<0>>),
    Reason =/= enoprotoopt;
tried(S, Number, on) ->
    ok =:= socket:setopt_native(S, {?SCTP, Number}, value(1));
tried(S, Number, interleaved) ->
    ok = socket:setopt_native(S, {?SCTP, 18}, <<1:32/native>>),
    tried(S, Number, on);
tried(S, Number, auth) ->
    tried(S, Number, 12) andalso tried(S, 129, on);
tried(S, Number, encapsulation) ->
    tried(S, Number, 16) andalso is_set("udp_port").

numbers() ->
    [{sctp_adaptation_layer, 7, 4}, {sctp_fragment_interleave, 18, 4}, {sctp_context, 17, 8},
     {sctp_delayed_sack, 16, 12}, {sctp_max_burst, 20, 8}, {sctp_recvrcvinfo, 32, 4},
     {sctp_default_sndinfo, 34, 16}, {sctp_default_prinfo, 114, 12}, {sctp_event, 127, 8},
     {sctp_auto_asconf, 30, 4}, {sctp_reuse_port, 36, 4}, {sctp_peer_addr_thlds, 31, 16},
     {sctp_peer_addr_thlds_v2, 37, 16}, {sctp_expose_potentially_failed_state, 131, 8},
     {sctp_plpmtud_probe_interval, 133, 16}, {sctp_get_assoc_stats, 112, 16},
     {sctp_set_peer_primary_addr, 5, set}, {sctp_pr_assoc_status, 115, 24},
     {sctp_pr_stream_status, 116, 24}, {sctp_enable_stream_reset, 118, 8},
     {sctp_reset_streams, 119, set}, {sctp_reset_assoc, 120, set}, {sctp_add_streams, 121, set},
     {sctp_stream_scheduler, 123, 8}, {sctp_stream_scheduler_value, 124, 8},
     {sctp_dscp, 9, 156}, {sctp_ipv6_flowlabel, 9, 156}, {hb_time_is_zero, 9, 152},
     {sctp_pr_supported, 113, on}, {sctp_reconfig_supported, 117, on},
     {sctp_asconf_supported, 128, on}, {sctp_auth_supported, 129, on},
     {sctp_ecn_supported, 130, on}, {sctp_interleaving_supported, 125, interleaved},
     {sctp_auth_chunk, 21, auth}, {sctp_hmac_ident, 22, auth}, {sctp_auth_key, 23, auth},
     {sctp_auth_active_key, 24, auth}, {sctp_auth_delete_key, 25, auth},
     {sctp_auth_deactivate_key, 35, auth}, {sctp_peer_auth_chunks, 26, auth},
     {sctp_local_auth_chunks, 27, auth}, {sctp_remote_udp_encaps_port, 132, encapsulation}].

%% Between two hosts.

%% Milliseconds, and as many as the network takes.
round_trip_time(Config) ->
    Net = ?config(net, Config),
    Measured = fun(How, Range) ->
        ?NET:impair(Net, 0, How),
        {Near, Id, Far} = hosts(Config, [0], [{sctp_delayed_ack_time,
                                               #sctp_assoc_value{assoc_value = 0}}]),
        Path = measured(Near, Id, Far, Range, 50),
        ?assertMatch({ok, #{primary := Path}}, ?M:status(Near, Id)),
        %% The option has the kernel's ticks.
        {ok, #sctp_status{primary = #sctp_paddrinfo{srtt = Ticks}}} =
            ?M:getopt(Near, {sctp_status, #sctp_status{assoc_id = Id}}),
        ct:pal("~ts: ~b ms, ~b ticks", [How, maps:get(srtt, Path), Ticks])
    end,
    try
        Measured("delay 50ms", {80, 150}),
        Measured("delay 0ms", {0, 40})
    after
        ?NET:heal(Net, 0)
    end.

%% A machine that is busy may be late, but not each time.
measured(Near, Id, Far, {Least, Most} = Range, Times) ->
    ok = ?M:send(Near, Id, 0, <<"there">>),
    all_arrived(Near, Id),
    {_, _} = data(?M, Far),
    case ?M:paths(Near, Id) of
        {ok, [#{srtt := Time} = Path]} when Times < 46, Time >= Least, Time =< Most -> Path;
        {ok, [_]} when Times > 0 -> measured(Near, Id, Far, Range, Times - 1)
    end.

%% Lost packets are sent again; others are not.
retransmissions(Config) ->
    Net = ?config(net, Config),
    {Near, Id, Far} = hosts(Config, [0], [], 1000),
    Send = fun(Number) ->
        [ok = ?M:send(Near, Id, 0, <<N:32>>) || N <- lists:seq(1, Number)],
        [{_, <<N:32>>} = data(?M, Far) || N <- lists:seq(1, Number)],
        {ok, #{rtxchunks := Chunks}} = ?M:stats(Near, Id),
        Chunks
    end,
    ?assertEqual(0, Send(60)),
    try
        ?NET:impair(Net, 0, "loss 30%"),
        Chunks = Send(60),
        ct:pal("~b chunks were sent again", [Chunks]),
        ?assert(Chunks > 0)
    after
        ?NET:heal(Net, 0)
    end.

%% A path that is cut is inactive, and the other one is not; healed, it is active again.
cut_path(Config) ->
    Net = ?config(net, Config),
    {Near, Id, _} = hosts(Config, [0, 1], []),
    until(fun() -> states_of(Near, Id) =:= [active, active] end),
    ?assertEqual([true, false], [primary_of(Near, Id, Path) || Path <- [0, 1]]),
    try
        ?NET:cut(Net, 0),
        until(fun() -> states_of(Near, Id) =:= [inactive, active] end),
        ?assertEqual([true, false], [primary_of(Near, Id, Path) || Path <- [0, 1]]),
        [_, Line, Other] = printed(Near),
        ?assertMatch([_, "established", "10.67.0.2:" ++ _, "inactive*" | _],
                     string:lexemes(Line, " ")),
        ?assertMatch(["10.67.1.2:" ++ _, "active" | _], string:lexemes(Other, " "))
    after
        ?NET:heal(Net, 0)
    end,
    until(fun() -> states_of(Near, Id) =:= [active, active] end).

%% A path that has lost a few packets; where that is not to be seen the kernel says no more of it.
potentially_failed(Config) ->
    Net = ?config(net, Config),
    try
        [begin
             ?NET:sysctl(Net, "pf_expose", Expose),
             {Near, Id, _} = hosts(Config, [0, 1], [], 1000),
             until(fun() -> states_of(Near, Id) =:= [active, active] end),
             ?assertEqual(lists:duplicate(2, [cwnd, mtu, rto, srtt]),
                          [figures_of(Near, Id, Path) || Path <- [0, 1]]),
             ?NET:cut(Net, 0),
             until(fun() -> states_of(Near, Id) =:= [potentially_failed, active] end),
             ?assertEqual(Figures, figures_of(Near, Id, 0)),
             ?assertEqual([cwnd, mtu, rto, srtt], figures_of(Near, Id, 1)),
             {ok, #{primary := #{state := potentially_failed}}} = ?M:status(Near, Id),
             [_, Line, _] = printed(Near),
             ?assertNotEqual(nomatch, string:find(Line, " potentially_failed* ")),
             ?NET:heal(Net, 0)
         end || {Expose, Figures} <- [{"1", []}, {"2", [cwnd, mtu, rto, srtt]}]]
    after
        ?NET:heal(Net, 0),
        ?NET:sysctl(Net, "pf_expose", "0")
    end.

%% What iproute2's `ss' says of the same association.
as_ss(Config) ->
    case os:find_executable("ss") of
        false -> {skip, "no ss"};
        _ -> as_ss(Config, ?config(net, Config))
    end.

as_ss(Config, Net) ->
    {Near, Id, _} = hosts(Config, [0], [{sctp_initmsg, #sctp_initmsg{num_ostreams = 6}}], 1000),
    try
        ?NET:cut(Net, 0),
        [ok = ?M:send(Near, Id, 0, <<"not to arrive">>) || _ <- lists:seq(1, 3)],
        {Status, Line} = compared(Net, Near, Id),
        #{state := established, rwnd := Window, instrms := 6, outstrms := Out,
          unackdata := 3, fragmentation_point := Point} = Status,
        [?assertEqual({Key, {match, [Value]}},
                      {Key, re:run(Line, "\\b" ++ Key ++ ":(\\w+)", [{capture, [1], list}])})
         || {Key, Value} <- [{"state", "ESTAB"}, {"prwnd", integer_to_list(Window)},
                             {"instrms", "6"}, {"outstrms", integer_to_list(Out)},
                             {"unackdata", "3"}, {"maxseg", integer_to_list(Point)}]]
    after
        ?NET:heal(Net, 0)
    end.

%% Two looks at one moment: what the one sees has not changed when the other has looked.
compared(Net, S, Id) ->
    {netns, Path} = ?NET:netns(Net, near),
    {ok, Status} = ?M:status(S, Id),
    Output = os:cmd(io_lib:format("nsenter --net=~s ss --sctp --info --numeric 'sport = :~b' 2>&1",
                                  [Path, port(S)])),
    case ?M:status(S, Id) of
        {ok, Status} ->
            ct:pal("~p~n~ts", [Status, Output]),
            {match, [Line]} =
                re:run(Output, "^.*\\bstate:.*$", [multiline, {capture, first, list}]),
            {Status, Line};
        {ok, _} ->
            compared(Net, S, Id)
    end.

%% An association between the hosts with these paths; options of the far one.
hosts(Config, Paths, FarOpts) ->
    hosts(Config, Paths, FarOpts, 2).

hosts(Config, Paths, FarOpts, PathMaxRetrans) ->
    Family = family(Config),
    Quick = [{sctp_nodelay, true},
             {sctp_rtoinfo, #sctp_rtoinfo{initial = 300, max = 300, min = 200}},
             {sctp_associnfo, #sctp_assocparams{asocmaxrxt = 2 * PathMaxRetrans}},
             {sctp_peer_addr_params,
              #sctp_paddrparams{hbinterval = 100, pathmaxrxt = PathMaxRetrans,
                                flags = [hb_enable]}}],
    Open = fun(Host, Opts) ->
        Addresses = [{ip, ?NET:address(Host, Family, Path)} || Path <- Paths],
        {ok, S} = ?M:open([Family, ?NET:netns(?config(net, Config), Host) | Addresses] ++
                              Quick ++ Opts),
        adopt(S)
    end,
    {Far, Near} = {Open(far, FarOpts), Open(near, [])},
    ok = ?M:listen(Far, true),
    {ok, #sctp_assoc_change{assoc_id = Id}} =
        ?M:connect(Near, ?NET:address(far, Family, hd(Paths)), port(Far), [], 10000),
    #sctp_assoc_change{state = comm_up} = event(?M, Far),
    [ok = inet:setopts(S, [{sctp_events, #sctp_event_subscribe{address_event = false}}])
     || S <- [Near, Far]],
    {Near, Id, Far}.

states_of(S, Id) ->
    [maps:get(state, path(S, Id, Path)) || Path <- [0, 1]].

primary_of(S, Id, Path) ->
    maps:get(primary, path(S, Id, Path)).

figures_of(S, Id, Path) ->
    lists:sort(maps:keys(maps:without([address, state, primary], path(S, Id, Path)))).

path(S, Id, Path) ->
    Address = ?NET:address(far, inet, Path),
    {ok, Paths} = ?M:paths(S, Id),
    [Found] = [Map || #{address := {IP, _}} = Map <- Paths, IP =:= Address],
    Found.
