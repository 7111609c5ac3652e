%% @doc Options that gen_sctp does not have: what they give, what they refuse, and the effect of
%% each on the wire or on a path between two hosts, beside the same without it (docs/proofs.md).
-module(gen_sctp_nif_options_SUITE).

-include("gen_sctp_nif.hrl").
-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").
-include("gen_sctp_test_chunks.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [pair/1, event/2, data/2, port/1, until/1, get/2, set/3, av/2]).
-import(gen_sctp_test_net, [is/1, is/2, of_type/2, joined/4, quick/0]).

-define(M, gen_sctp_nif).
-define(NET, gen_sctp_test_net).

suite() -> [{timetrap, {seconds, 90}}].

all() -> [{group, inet}, {group, inet6}, {group, node}].

groups() ->
    Calls = [defaults, set_and_get, bad_values, refused, at_open_and_connect, on_closed,
             kept_thresholds, without_effect],
    Wire = [dscp, dscp_of_the_endpoint, delayed_sack, max_burst, potentially_failed, not_exposed,
            zero_heartbeats, shutdown_of_writing, abort_of_a_stuck_peer],
    [{inet, [], Calls ++ Wire}, {inet6, [], Calls}, {node, [], [missing_in_the_kernel]}].

init_per_suite(Config) -> ?NET:begin_suite([{module, ?M} | Config]).
end_per_suite(Config) -> ?NET:end_suite(Config).

init_per_group(node, Config) -> Config;
init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.

init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).

end_per_testcase(Case, Config) ->
    Cut = [max_burst, potentially_failed, not_exposed],
    gen_sctp_test_lib:end_case(fun() ->
        lists:foreach(fun(Path) -> ok = ?NET:heal(?config(net, Config), Path) end,
                      [Path || Path <- [0, 1], lists:member(Case, Cut)])
    end, Config).

%% Calls.

defaults(Config) ->
    #{c := C, cid := Id} = pair(Config),
    lists:foreach(fun(Whose) ->
        ?assertEqual(av(Whose, 4), get(C, {sctp_max_burst, av(Whose, undefined)})),
        ?assertEqual(av(Whose, unset),
                     get(C, {sctp_expose_potentially_failed_state, av(Whose, undefined)})),
        ?assertEqual(#sctp_sack_info{assoc_id = Whose, delay = 200, freq = 2},
                     get(C, {sctp_delayed_sack, #sctp_sack_info{assoc_id = Whose}})),
        ?assertEqual(#sctp_dscp{assoc_id = Whose},
                     get(C, {sctp_dscp, #sctp_dscp{assoc_id = Whose}})),
        ?assertEqual(#sctp_paddrthlds{assoc_id = Whose, pathmaxrxt = 5, pathpfthld = 0,
                                      pathcpthld = 65535},
                     get(C, {sctp_peer_addr_thlds, #sctp_paddrthlds{assoc_id = Whose}}))
    end, [0, Id]),
    %% By the name alone they are the endpoint's.
    ?assertEqual(av(0, 4), get(C, sctp_max_burst)),
    ?assertMatch(#sctp_sack_info{assoc_id = 0}, get(C, sctp_delayed_sack)).

%% Of one address, the association, the endpoint.
set_and_get(Config) ->
    #{c := C, cid := Id, ip := IP, sport := Port} = pair(Config),
    Address = {IP, Port},
    lists:foreach(fun({Name, Record}) ->
        ?assertEqual(ok, set(C, Name, Record)),
        ?assertEqual(Record, get(C, {Name, asked(Record)}))
    end, [{sctp_max_burst, av(Id, 7)}, {sctp_max_burst, av(0, 0)},
          {sctp_delayed_sack, #sctp_sack_info{assoc_id = Id, delay = 100, freq = 5}},
          {sctp_delayed_sack, #sctp_sack_info{assoc_id = 0, delay = 500, freq = 3}},
          {sctp_dscp, #sctp_dscp{assoc_id = Id, address = Address, dscp = 46}},
          {sctp_dscp, #sctp_dscp{assoc_id = Id, address = Address, dscp = 0}},
          {sctp_dscp, #sctp_dscp{assoc_id = Id, dscp = 63}},
          {sctp_dscp, #sctp_dscp{assoc_id = 0, dscp = 10}},
          {sctp_peer_addr_thlds, #sctp_paddrthlds{assoc_id = Id, address = Address,
                                                  pathmaxrxt = 3, pathpfthld = 1,
                                                  pathcpthld = 2}},
          {sctp_peer_addr_thlds, #sctp_paddrthlds{assoc_id = 0, pathmaxrxt = 7, pathpfthld = 4,
                                                  pathcpthld = 6}}
          | [{sctp_expose_potentially_failed_state, av(Whose, Value)}
             || Whose <- [Id, 0], Value <- [enable, disable, unset]]]),
    %% What says "several" reaches the association, too, or does not.
    [begin
         ok = set(C, sctp_max_burst, av(Id, 1)),
         ok = set(C, sctp_max_burst, av(0, 2)),
         ok = set(C, sctp_max_burst, av(Whose, 9)),
         ?assertEqual(Expected, {get(C, {sctp_max_burst, av(Id, undefined)}),
                                 get(C, {sctp_max_burst, av(future, undefined)})})
     end || {Whose, Expected} <- [{future, {av(Id, 1), av(0, 9)}},
                                  {current, {av(Id, 9), av(0, 2)}},
                                  {all, {av(Id, 9), av(0, 9)}},
                                  {undefined, {av(Id, 1), av(0, 9)}}]],
    [?assertEqual(none, get(C, {sctp_max_burst, av(Whose, undefined)}))
     || Whose <- [current, all]].

%% The record that asks for it.
asked(#sctp_assoc_value{assoc_id = Id}) -> av(Id, undefined);
asked(#sctp_sack_info{assoc_id = Id}) -> #sctp_sack_info{assoc_id = Id};
asked(#sctp_dscp{} = Dscp) -> Dscp#sctp_dscp{dscp = undefined};
asked(#sctp_paddrthlds{assoc_id = Id, address = Address}) ->
    #sctp_paddrthlds{assoc_id = Id, address = Address}.

%% Each field with what is of the wrong type, too small, too large, or unknown.
bad_values(Config) ->
    #{c := C, cid := Id, ip := IP, sport := Port} = pair(Config),
    Good = [{sctp_max_burst, av(Id, 7)},
            {sctp_delayed_sack, #sctp_sack_info{assoc_id = Id, delay = 100, freq = 5}},
            {sctp_dscp, #sctp_dscp{assoc_id = Id, address = {IP, Port}, dscp = 46}},
            {sctp_peer_addr_thlds,
             #sctp_paddrthlds{assoc_id = Id, address = {IP, Port}, pathmaxrxt = 3,
                              pathpfthld = 1, pathcpthld = 2}},
            {sctp_expose_potentially_failed_state, av(Id, enable)},
            {sctp_event, #sctp_event{assoc_id = Id, type = sender_dry, on = false}}],
    Junk = [foo, -1, 1 bsl 32, 1 bsl 70, 2.5, <<>>, "text", [], {}, {a, b}, #{}, self(),
            [a | b], {IP, -1}, {IP, 70000}, {{1, 2, 3}, 80}],
    [begin
         ?assertEqual(ok, set(C, Name, Record)),
         [begin
              Bad = setelement(Position, Record, Value),
              ?assertEqual({error, einval}, set(C, Name, Bad), Bad),
              ?assertEqual({error, einval}, inet:getopts(C, [{Name, Bad}]), Bad)
          end || Position <- lists:seq(2, tuple_size(Record)), Value <- Junk],
         [?assertEqual({error, einval}, set(C, Name, Bad), Bad)
          || Bad <- Junk ++ [setelement(1, Record, sctp_initmsg),
                             erlang:append_element(Record, undefined),
                             erlang:delete_element(2, Record)]]
     end || {Name, Record} <- Good],
    ?assertEqual({error, einval}, set(C, sctp_dscp, #sctp_dscp{dscp = 64})),
    ?assertEqual({error, einval}, set(C, sctp_dscp, #sctp_dscp{dscp = 256})),
    ?assertEqual({error, einval}, set(C, sctp_dscp, #sctp_dscp{})),
    ?assertEqual({error, einval}, set(C, sctp_max_burst, av(Id, undefined))),
    %% What is not a question.
    [?assertEqual({error, einval}, inet:getopts(C, [{Name, Record}])) || {Name, Record} <- Good],
    ?assertEqual({error, einval}, inet:getopts(C, [sctp_event])).

%% The kernel's own error where gen_sctp does not have the option, and einval where it has.
refused(Config) ->
    #{c := C, cid := Id, ip := IP, sport := Port} = pair(Config),
    Nobody = {IP, (Port + 1) rem 65536},
    [?assertEqual({error, Reason}, set(C, Name, Record), Record)
     || {Reason, Name, Record} <-
            [{enoent, sctp_peer_addr_thlds,
              #sctp_paddrthlds{assoc_id = Id, address = Nobody, pathpfthld = 1}},
             {einval, sctp_peer_addr_thlds,
              #sctp_paddrthlds{assoc_id = Id, pathpfthld = 3, pathcpthld = 2}},
             {einval, sctp_dscp, #sctp_dscp{assoc_id = Id, address = Nobody, dscp = 1}},
             {einval, sctp_delayed_sack, #sctp_sack_info{assoc_id = Id, delay = 501}},
             {einval, sctp_primary_addr, #sctp_prim{assoc_id = Id, addr = Nobody}}]],
    Unknown = Id + 1000,
    [?assertEqual({{error, einval}, none}, {set(C, Name, Record), get(C, {Name, asked(Record)})})
     || {Name, Record} <-
            [{sctp_max_burst, av(Unknown, 7)},
             {sctp_delayed_sack, #sctp_sack_info{assoc_id = Unknown, freq = 5}},
             {sctp_dscp, #sctp_dscp{assoc_id = Unknown, dscp = 46}},
             {sctp_peer_addr_thlds, #sctp_paddrthlds{assoc_id = Unknown, pathpfthld = 1}},
             {sctp_expose_potentially_failed_state, av(Unknown, enable)}]],
    %% These are of one association, or the endpoint.
    [?assertEqual({error, einval}, set(C, Name, Record))
     || Whose <- [current, all],
        {Name, Record} <-
            [{sctp_dscp, #sctp_dscp{assoc_id = Whose, dscp = 46}},
             {sctp_peer_addr_thlds, #sctp_paddrthlds{assoc_id = Whose, pathpfthld = 1}},
             {sctp_expose_potentially_failed_state, av(Whose, enable)}]],
    %% What came before it in the list's order of setting is set, what comes after is not.
    ?assertEqual({error, enoent},
                 inet:setopts(C, [{sctp_max_burst, av(Id, 11)},
                                  {sctp_peer_addr_thlds,
                                   #sctp_paddrthlds{assoc_id = Id, address = Nobody,
                                                    pathpfthld = 1}},
                                  {sctp_delayed_sack, #sctp_sack_info{assoc_id = Id, freq = 9}}])),
    ?assertEqual(av(Id, 4), get(C, {sctp_max_burst, av(Id, undefined)})),
    ?assertMatch(#sctp_sack_info{freq = 9},
                 get(C, {sctp_delayed_sack, #sctp_sack_info{assoc_id = Id}})).

%% As the endpoint's, which the association has from the beginning.
at_open_and_connect(Config) ->
    Opts = [{sctp_max_burst, #sctp_assoc_value{assoc_value = 9}},
            {sctp_delayed_sack, #sctp_sack_info{freq = 4}},
            {sctp_dscp, #sctp_dscp{dscp = 3}},
            {sctp_peer_addr_thlds, #sctp_paddrthlds{pathmaxrxt = 6}},
            {sctp_expose_potentially_failed_state, av(undefined, enable)},
            {sctp_event, #sctp_event{type = sender_dry, on = true}},
            {sctp_event, #sctp_event{type = address, on = true}},
            {sctp_event, #sctp_event{type = address, on = false}},
            {sctp_events, #sctp_event_subscribe{}}],
    S = gen_sctp_test_lib:listener(Config, []),
    IP = gen_sctp_test_lib:loopback(Config),
    Opened = gen_sctp_test_lib:open(Config, Opts),
    {ok, #sctp_assoc_change{assoc_id = Id}} = ?M:connect(Opened, IP, port(S), []),
    has(Opened, Id),
    Later = gen_sctp_test_lib:open(Config, []),
    %% As everywhere, the last one in a list of setopts is set first.
    {ok, #sctp_assoc_change{assoc_id = LaterId}} =
        ?M:connect(Later, IP, port(S), lists:reverse(Opts)),
    has(Later, LaterId),
    [?assertError(badarg, ?M:open([Bad]))
     || Bad <- [{sctp_dscp, #sctp_dscp{dscp = 64}}, {sctp_event, sender_dry}, {sctp_max_burst, 4},
                {sctp_event, #sctp_event{type = sender_dry}}]],
    [?assertMatch(#sctp_assoc_change{state = comm_up}, event(?M, S)) || _ <- [1, 2]].

has(S, Id) ->
    ?assertEqual(av(Id, 9), get(S, {sctp_max_burst, av(Id, undefined)})),
    ?assertEqual(#sctp_sack_info{assoc_id = Id, delay = 200, freq = 4},
                 get(S, {sctp_delayed_sack, #sctp_sack_info{assoc_id = Id}})),
    ?assertEqual(#sctp_dscp{assoc_id = Id, dscp = 3},
                 get(S, {sctp_dscp, #sctp_dscp{assoc_id = Id}})),
    ?assertMatch(#sctp_paddrthlds{pathmaxrxt = 6, pathpfthld = 0},
                 get(S, {sctp_peer_addr_thlds, #sctp_paddrthlds{assoc_id = Id}})),
    ?assertEqual(av(Id, enable),
                 get(S, {sctp_expose_potentially_failed_state, av(Id, undefined)})),
    [?assertEqual(#sctp_event{assoc_id = Id, type = Type, on = On},
                  get(S, {sctp_event, #sctp_event{assoc_id = Id, type = Type}}))
     || {Type, On} <- [{sender_dry, true}, {address, false}, {association, true},
                       {send_failure, true}, {send_failed_event, false}, {adaptation, false}]].

on_closed(Config) ->
    S = gen_sctp_test_lib:open(Config, []),
    ok = ?M:close(S),
    [begin
         ?assertEqual({error, einval}, set(S, Name, Record)),
         ?assertEqual({error, einval}, inet:getopts(S, [Name]))
     end || {Name, Record} <- [{sctp_max_burst, av(0, 1)}, {sctp_dscp, #sctp_dscp{dscp = 1}},
                               {sctp_peer_addr_thlds, #sctp_paddrthlds{pathpfthld = 1}},
                               {sctp_delayed_sack, #sctp_sack_info{freq = 2}},
                               {sctp_expose_potentially_failed_state, av(0, enable)}]],
    ?assertEqual({error, einval}, set(S, sctp_event, #sctp_event{type = sender_dry, on = true})),
    ?assertEqual({error, einval}, inet:getopts(S, [{sctp_event, #sctp_event{type = address}}])).

%% The kernel would write 0 for what is left out.
kept_thresholds(Config) ->
    #{c := C, cid := Id, ip := IP, sport := Port} = pair(Config),
    Record = #sctp_paddrthlds{assoc_id = Id, address = {IP, Port}},
    ok = set(C, sctp_peer_addr_thlds,
             Record#sctp_paddrthlds{pathmaxrxt = 9, pathpfthld = 3, pathcpthld = 5}),
    [begin
         ok = set(C, sctp_peer_addr_thlds, Changed),
         ?assertEqual(Expected, get(C, {sctp_peer_addr_thlds, Record}))
     end || {Changed, Expected} <-
                [{Record#sctp_paddrthlds{pathmaxrxt = 8},
                  Record#sctp_paddrthlds{pathmaxrxt = 8, pathpfthld = 3, pathcpthld = 5}},
                 {Record#sctp_paddrthlds{pathpfthld = 4},
                  Record#sctp_paddrthlds{pathmaxrxt = 8, pathpfthld = 4, pathcpthld = 5}},
                 {Record#sctp_paddrthlds{pathcpthld = 65535},
                  Record#sctp_paddrthlds{pathmaxrxt = 8, pathpfthld = 4, pathcpthld = 65535}}]].

%% The kernel would accept these without effect.
without_effect(Config) ->
    #{c := C, cid := Id} = pair(Config),
    [?assertEqual({error, einval}, set(C, Name, Record), Record)
     || {Name, Record} <-
            [{sctp_delayed_sack, #sctp_sack_info{assoc_id = Id}},
             {sctp_delayed_sack, #sctp_sack_info{assoc_id = Id, delay = 0, freq = 0}},
             {sctp_peer_addr_thlds, #sctp_paddrthlds{assoc_id = Id}},
             {sctp_peer_addr_params, #sctp_paddrparams{assoc_id = Id, flags = [hb_time_is_zero]}},
             {sctp_peer_addr_params,
              #sctp_paddrparams{assoc_id = Id, flags = [hb_disable, hb_time_is_zero]}}]],
    Flags = fun() ->
        #sctp_paddrparams{flags = Set} =
            get(C, {sctp_peer_addr_params, #sctp_paddrparams{assoc_id = Id}}),
        Set
    end,
    Before = Flags(),
    ok = set(C, sctp_peer_addr_params,
             #sctp_paddrparams{assoc_id = Id, flags = [hb_enable, hb_time_is_zero]}),
    ?assertEqual(Before, Flags(), "the kernel does not tell it").

%% A kernel that has none of them, as far as a node with calls that fail sees: it knows no more than
%% the two options that it takes to open a socket. What is documented is asked for, which is all
%% that the library has: a new one is left out by nobody.
missing_in_the_kernel(_) ->
    Options = gen_sctp_test_documents:options(),
    ?assert(length(Options) > 35),
    Node = gen_sctp_test_node:start(gen_sctp_test_node:faulty([{"SCTP_TEST_KNOWN", "11 32"}])),
    Ask = fun(Name, Request) ->
        {ok, S} = ?M:open([inet6]),
        Answer = case Request of
            {set, Value} -> set(S, Name, Value);
            {get, Record} -> ?M:getopt(S, {Name, Record})
        end,
        ok = ?M:close(S),
        Answer
    end,
    Answers = gen_sctp_test_node:call(Node, fun() ->
        [{Name, Ask(Name, Request)}
         || Name <- Options ++ [sctp_nodelay, sctp_initmsg], Request <- a_request(Name)]
    end),
    ok = gen_sctp_test_node:stop(Node),
    %% gen_sctp's own ones, one of which has a new flag; and one that the kernel has no part in.
    Others = #{sctp_nodelay => {error, einval}, sctp_initmsg => {error, einval},
               sctp_peer_addr_params => {error, einval}, sctp_recvrcvinfo => ok},
    [?assertEqual({Name, maps:get(Name, Others, {error, enoprotoopt})}, {Name, Answer})
     || {Name, Answer} <- Answers].

%% What could be asked for. There has to be something for each option.
a_request(sctp_event) ->
    [{set, #sctp_event{type = Type, on = true}} || Type <- [sender_dry, association]];
a_request(sctp_dscp) -> [{set, #sctp_dscp{dscp = 46}}];
a_request(sctp_delayed_sack) -> [{set, #sctp_sack_info{freq = 5}}];
a_request(sctp_peer_addr_thlds) ->
    [{set, #sctp_paddrthlds{pathpfthld = 1}},
     {set, #sctp_paddrthlds{pathmaxrxt = 3, pathpfthld = 1, pathcpthld = 2}}];
a_request(sctp_expose_potentially_failed_state) -> [{set, av(0, enable)}];
a_request(sctp_auth_chunk) -> [{set, data}];
a_request(sctp_hmac_ident) -> [{set, #sctp_hmacalgo{idents = [sha1]}}];
a_request(sctp_auth_key) -> [{set, #sctp_authkey{keynumber = 1, key = <<"key">>}}];
a_request(Name) when Name =:= sctp_auth_active_key; Name =:= sctp_auth_deactivate_key;
                     Name =:= sctp_auth_delete_key ->
    [{set, #sctp_authkeyid{keynumber = 1}}];
a_request(Name) when Name =:= sctp_local_auth_chunks; Name =:= sctp_peer_auth_chunks ->
    [{get, #sctp_authchunks{}}];
a_request(sctp_ipv6_flowlabel) -> [{set, #sctp_ipv6_flowlabel{flowlabel = 1}}];
a_request(sctp_plpmtud_probe_interval) -> [{set, #sctp_probeinterval{interval = 5000}}];
a_request(sctp_remote_udp_encaps_port) ->
    [{set, #sctp_udpencaps{port = Port}} || Port <- [9899, 0]];
a_request(sctp_enable_stream_reset) -> [{set, av(0, [reset_streams])}];
a_request(sctp_reset_streams) -> [{set, #sctp_reset_streams{flags = [outgoing], streams = all}}];
a_request(sctp_reset_assoc) -> [{set, 1}];
a_request(sctp_add_streams) -> [{set, #sctp_add_streams{outstrms = 1}}];
a_request(sctp_stream_scheduler) -> [{set, av(0, rr)}];
a_request(sctp_stream_scheduler_value) -> [{set, #sctp_stream_value{sid = 0, value = 1}}];
a_request(sctp_default_sndinfo) -> [{set, #sctp_sndinfo{ppid = 1}}];
a_request(sctp_default_prinfo) -> [{set, #sctp_default_prinfo{policy = ttl, value = 1}}];
a_request(sctp_pr_assoc_status) -> [{get, #sctp_prstatus{policy = all}}];
a_request(sctp_pr_stream_status) -> [{get, #sctp_prstatus{sid = 0, policy = all}}];
a_request(sctp_initmsg) -> [{set, #sctp_initmsg{num_ostreams = 5}}];
a_request(sctp_peer_addr_params) ->
    [{set, #sctp_paddrparams{flags = [hb_enable, hb_time_is_zero]}}];
a_request(Name) when Name =:= sctp_max_burst; Name =:= sctp_context -> [{set, av(0, 7)}];
a_request(Name) when Name =:= sctp_auto_asconf; Name =:= sctp_reuse_port;
                     Name =:= sctp_fragment_interleave; Name =:= sctp_recvrcvinfo;
                     Name =:= sctp_nodelay ->
    [{set, true}];
a_request(Name) ->
    "_supported" = string:find(atom_to_list(Name), "_", trailing),
    [{set, av(0, true)}].

%% Two hosts.

far(Path) -> ?NET:address(far, inet, Path).

heartbeats(Interval) ->
    {sctp_peer_addr_params, #sctp_paddrparams{hbinterval = Interval, flags = [hb_enable]}}.

%% The DSCP of all data and heartbeats that come to each address, while there are some of all.
marks(#{n := N, nid := Id, net := Net}) ->
    {ok, Chunks} = ?NET:watch(Net, far, fun(Watch) ->
        ok = ?M:send(N, Id, 0, <<"data">>),
        _ = ?NET:await_chunk(Watch, is(?DATA, far(0))),
        %% In any order.
        _ = ?NET:await_chunk(Watch, is(?HEARTBEAT, far(0))),
        _ = ?NET:await_chunk(Watch, is(?HEARTBEAT, far(1))),
        _ = ?NET:await_chunk(Watch, is(?HEARTBEAT, far(0))),
        ok
    end),
    [lists:usort([Tos bsr 2 || #{type := Type, to := To, tos := Tos} <- Chunks,
                               Type =:= ?DATA orelse Type =:= ?HEARTBEAT, To =:= far(Path)])
     || Path <- [0, 1]].

dscp(Config) ->
    #{n := N, nid := Id, f := F} = Pair =
        joined(Config, [0, 1], [quick(), heartbeats(100)], []),
    ?assertEqual([[0], [0]], marks(Pair)),
    At = {far(0), port(F)},
    ok = set(N, sctp_dscp, #sctp_dscp{assoc_id = Id, address = At, dscp = 46}),
    ?assertEqual([[46], [0]], marks(Pair)),
    ok = set(N, sctp_dscp, #sctp_dscp{assoc_id = Id, dscp = 10}),
    ?assertEqual([[10], [10]], marks(Pair)),
    ok = set(N, sctp_dscp, #sctp_dscp{assoc_id = Id, address = At, dscp = 0}),
    ?assertEqual([[0], [10]], marks(Pair)).

dscp_of_the_endpoint(Config) ->
    Opts = [quick(), heartbeats(100), {sctp_dscp, #sctp_dscp{dscp = 34}}],
    #{n := N} = Pair = joined(Config, [0, 1], Opts, []),
    ?assertEqual([[34], [34]], marks(Pair)),
    %% Of associations to come.
    ok = set(N, sctp_dscp, #sctp_dscp{dscp = 0}),
    ?assertEqual([[34], [34]], marks(Pair)).

%% Who shuts down reading says nothing of it; who shuts down writing sends all, then SHUTDOWN.
shutdown_of_writing(Config) ->
    #{n := N, f := F, net := Net} = joined(Config, [0], [{type, stream}], []),
    Chunks = fun(How) ->
        {ok, Seen} = ?NET:watch(Net, far, fun(Watch) ->
            ok = ?M:shutdown(N, How),
            await_last(How, N, Watch)
        end),
        [Type || #{type := Type} <- Seen, Type =:= ?DATA orelse Type =:= ?SHUTDOWN]
    end,
    ?assertEqual([?DATA], Chunks(read)),
    {_, <<"sent">>} = data(?M, F),
    ok = ?M:send(N, 0, 0, <<"before">>),
    ?assertEqual([?SHUTDOWN], lists:usort(Chunks(write)) -- [?DATA]),
    {_, <<"before">>} = data(?M, F),
    ?assertMatch(#sctp_shutdown_event{}, event(?M, F)).

await_last(read, N, Watch) ->
    ok = ?M:send(N, 0, 0, <<"sent">>),
    _ = ?NET:await_chunk(Watch, is(?DATA, far(0))),
    ok;
await_last(write, _N, Watch) ->
    _ = ?NET:await_chunk(Watch, is(?SHUTDOWN, far(0))),
    ok.

%% A send that takes too long aborts its association, cause 12, if that is asked for.
abort_of_a_stuck_peer(Config) ->
    Opts = [{sndbuf, 8192}, {send_timeout, 200}],
    #{n := N, nid := Id, net := Net} = joined(Config, [0], Opts, [{recbuf, 4096}]),
    Aborts = fun(Close) ->
        ok = inet:setopts(N, [{send_timeout_close, Close}]),
        {ok, Seen} = ?NET:watch(Net, far, fun(_) -> send_until_timeout(N, Id) end),
        [Value || #{type := ?ABORT, value := Value} <- Seen]
    end,
    ?assertEqual([], Aborts(false)),
    ?assertMatch([<<12:16, _/binary>>], Aborts(true)).

send_until_timeout(S, Id) ->
    case ?M:send(S, Id, 0, <<0:2000/unit:8>>) of
        ok -> send_until_timeout(S, Id);
        {error, timeout} -> ok
    end.

%% How many acknowledgements twelve packets get; without what is asked for, six.
delayed_sack(Config) ->
    [begin
         #{n := N, nid := Id, net := Net} =
             joined(Config, [0], [], [{sctp_delayed_sack, #sctp_sack_info{delay = 500, freq = Freq}}
                                      || Freq > 0]),
         %% The first packet of all is always acknowledged at once.
         ok = ?M:send(N, Id, 0, <<"first">>),
         gen_sctp_test_lib:all_arrived(N, Id),
         {{ok, Sacks}, Data} = ?NET:watch(Net, far, fun(_) ->
             ?NET:watch(Net, near, fun(_) ->
                 %% Each fills more than half a packet.
                 [ok = ?M:send(N, Id, 0, <<Number:8000>>) || Number <- lists:seq(1, 12)],
                 gen_sctp_test_lib:all_arrived(N, Id)
             end)
         end),
         ?assertEqual(12, length(of_type(?DATA, Data))),
         Count = length(of_type(?SACK, Sacks)),
         ct:log("freq ~b: ~b acknowledgements~n", [Freq, Count]),
         %% One more if the timer was quicker than a packet.
         ?assert(lists:member(Count, Expected), {Freq, Count})
     end || {Freq, Expected} <- [{1, [12]}, {3, [4, 5]}, {6, [2, 3]}, {0, [6, 7]}]].

%% How many packets of a long message leave at a time, of a window that has room for all: the kernel
%% sends while less than so many full packets are under way, hence one more.
max_burst(Config) ->
    #{n := N, nid := Id, net := Net, f := F} =
        joined(Config, [0], [{sctp_max_burst, av(0, 0)}], []),
    ok = ?NET:impair(Net, 0, "delay 50ms"),
    open_window(N, Id, {far(0), port(F)}),
    Counts = [begin
                  ok = set(N, sctp_max_burst, av(Id, Burst)),
                  {ok, Chunks} = ?NET:watch(Net, far, fun(Watch) ->
                      ok = ?M:send(N, Id, 0, <<0:40000/unit:8>>),
                      _ = ?NET:await_chunk(Watch, fun(#{type := Type, flags := Flags}) ->
                                                      Type =:= ?DATA andalso Flags band 1 =:= 1
                                                  end),
                      gen_sctp_test_lib:all_arrived(N, Id)
                  end),
                  [#{time := First} | _] = Data = of_type(?DATA, Chunks),
                  ?assertEqual(28, length(Data)),
                  %% The next ones come a round trip of 100 ms later.
                  length([Time || #{time := Time} <- Data, Time < First + 80000])
              end || Burst <- [2, 5, 0]],
    ct:log("packets at first with 2, 5 and no limit: ~w~n", [Counts]),
    [Two, Five, Unlimited] = Counts,
    ?assert(Two =< 3, Counts),
    ?assert(Five =< 6 andalso Five > 3, Counts),
    ?assert(Unlimited > 20, Counts).

open_window(N, Id, Address) ->
    ok = ?M:send(N, Id, 0, <<0:60000/unit:8>>),
    gen_sctp_test_lib:all_arrived(N, Id),
    case get(N, {sctp_get_peer_addr_info, #sctp_paddrinfo{assoc_id = Id, address = Address}}) of
        #sctp_paddrinfo{cwnd = Window} when Window > 45000 -> ok;
        #sctp_paddrinfo{} -> open_window(N, Id, Address)
    end.

%% What becomes of path 0 after it was cut, with the times in ms since then, while data is sent; and
%% what its state was when the first of that was told, or had to be.
fate(#{n := N, nid := Id, f := F, fid := FId, net := Net}) ->
    %% Before that a host does not acknowledge what comes by the other path.
    [until(fun() -> confirmed(S, Assoc) end) || {S, Assoc} <- [{N, Id}, {F, FId}]],
    ok = set(N, sctp_event, #sctp_event{assoc_id = Id, type = address, on = true}),
    ok = ?NET:cut(Net, 0),
    Address = {far(0), port(F)},
    Fate = fate(N, Id, Address, erlang:monotonic_time(millisecond)),
    ct:log("~p~n", [Fate]),
    Fate.

fate(N, Id, Address, Start) ->
    ok = ?M:send(N, Id, 0, <<"data">>),
    Now = since(Start),
    #sctp_paddrinfo{state = State} =
        get(N, {sctp_get_peer_addr_info, #sctp_paddrinfo{assoc_id = Id, address = Address}}),
    case ?M:recv(N, 20) of
        {ok, {_, _, [], #sctp_paddr_change{addr = Address, state = addr_unreachable}}} ->
            [{State, Now}, {addr_unreachable, since(Start)}];
        {ok, {_, _, [], #sctp_paddr_change{addr = Address, state = Event, assoc_id = Id}}} ->
            Told = since(Start),
            [{State, Now}, {Event, Told} | fate(N, Id, Address, Start)];
        {ok, {_, _, [], #sctp_paddr_change{}}} ->
            fate(N, Id, Address, Start);
        {error, timeout} ->
            [{State, Now} | fate(N, Id, Address, Start)]
    end.

since(Start) -> erlang:monotonic_time(millisecond) - Start.

confirmed(S, Id) ->
    {ok, Paths} = ?M:paths(S, Id),
    [active, active] =:= [State || #{state := State} <- Paths].

%% In order, each once.
steps(Fate) ->
    {Steps, _} = lists:mapfoldl(fun({Step, _}, Before) ->
        case lists:member(Step, Before) of
            true -> {[], Before};
            false -> {[Step], [Step | Before]}
        end
    end, [], Fate),
    lists:append(Steps).

is_event(Step) -> lists:member(Step, [addr_potentially_failed, addr_unreachable]).

thresholds(Failing) ->
    [quick(), {sctp_peer_addr_thlds,
               #sctp_paddrthlds{pathmaxrxt = Failing + 2, pathpfthld = Failing}}].

exposed() -> {sctp_expose_potentially_failed_state, av(0, enable)}.

%% After one more timeout than the threshold, and then the other path carries.
potentially_failed(Config) ->
    [Early, Late] =
        [begin
             #{f := F, n := N, nid := Id, net := Net} = Pair =
                 joined(Config, [0, 1], [exposed() | thresholds(Failing)], [quick()]),
             Fate = fate(Pair),
             %% The state is asked for before the event is read: either may be seen first.
             {Events, States} = lists:partition(fun is_event/1, steps(Fate)),
             ?assertEqual([addr_potentially_failed, addr_unreachable], Events),
             ?assertEqual([active, potentially_failed], States -- [inactive]),
             ok = ?M:send(N, Id, 0, <<"last">>),
             ?assertEqual(?NET:address(near, inet, 1), source_of(<<"last">>, F)),
             ok = ?NET:heal(Net, 0),
             [ok = ?M:close(S) || S <- [N, F]],
             proplists:get_value(addr_potentially_failed, Fate)
         end || Failing <- [0, 2]],
    %% Timeouts of 200 ms, one and three.
    ?assert(Early >= 150 andalso Late >= 550 andalso Early < Late, {Early, Late}).

source_of(Data, S) ->
    case ?M:recv(S, 5000) of
        {ok, {IP, _, [_], Data}} -> IP;
        {ok, _} -> source_of(Data, S)
    end.

%% Who has not asked for it sees what gen_sctp shows: no event, no state, though there is one. So it
%% is where the administrator exposes it (events:path_is_doubtful).
not_exposed(Config) ->
    Steps = steps(fate(joined(Config, [0, 1], thresholds(0), [quick()]))),
    ?assertEqual([active, undefined, addr_unreachable], Steps -- [inactive]).

%% Heartbeats come at once after each other's answer and timeout, here within 200 ms and a half.
zero_heartbeats(Config) ->
    #{n := N, nid := Id, net := Net} = joined(Config, [0], [quick()], []),
    Params = #sctp_paddrparams{assoc_id = Id},
    Beats = fun(Fun) ->
        {ok, Chunks} = ?NET:watch(Net, far, Fun),
        length(of_type(?HEARTBEAT, Chunks))
    end,
    Quiet = fun(_) -> timer:sleep(1500) end,
    %% An interval of 0 alone is none, as in gen_sctp.
    ok = set(N, sctp_peer_addr_params, Params#sctp_paddrparams{hbinterval = 0,
                                                               flags = [hb_enable]}),
    ?assertEqual(0, Beats(Quiet)),
    ok = set(N, sctp_peer_addr_params,
             Params#sctp_paddrparams{flags = [hb_enable, hb_time_is_zero]}),
    ?assertMatch(#sctp_paddrparams{hbinterval = 0},
                 get(N, {sctp_peer_addr_params, Params})),
    ok = set(N, sctp_peer_addr_params, Params#sctp_paddrparams{flags = [hb_demand]}),
    ?assertEqual(6, Beats(fun(Watch) ->
        [?NET:await_chunk(Watch, is(?HEARTBEAT)) || _ <- lists:seq(1, 6)],
        ok
    end)),
    ok = set(N, sctp_peer_addr_params, Params#sctp_paddrparams{flags = [hb_disable]}),
    %% One may be under way.
    ?assert(Beats(Quiet) =< 1),
    ?assertEqual(0, Beats(fun(_) -> timer:sleep(500) end)).
