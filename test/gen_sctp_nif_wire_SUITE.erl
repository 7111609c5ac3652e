%% @doc Options about what goes over the wire, which gen_sctp does not have: shared ports, addresses
%% that come and go, flow labels, packets in UDP, the size of packets and of messages, messages in
%% parts. The effect of each, beside the same without it (docs/proofs.md).
-module(gen_sctp_nif_wire_SUITE).

-include("gen_sctp_nif.hrl").
-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").
-include("gen_sctp_test_chunks.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [adopt/1, all_arrived/2, data/2, event/2, pair/1, port/1, until/1, set/3, av/2]).
-import(gen_sctp_test_net, [is/1, is/2, open_at/4, try_open_at/4, join/4, joined/4]).

-define(M, gen_sctp_nif).
-define(NET, gen_sctp_test_net).

%% The port of SCTP in UDP (RFC 6951).
-define(UDP_PORT, 9899).

suite() -> [{timetrap, {seconds, 90}}].

all() -> [{group, inet}, {group, inet6}].

groups() ->
    Calls = [set_and_get, bad_values, refused, at_open, inherited],
    Wire = [reuse_port, auto_asconf, flow_label, max_message_size, max_message_memory,
            encapsulation, probes, interleaving, interleaved_parts, fragment_interleave],
    [{inet, [], Calls ++ Wire}, {inet6, [], Calls}].

init_per_suite(Config) -> ?NET:begin_suite([{module, ?M} | Config]).
end_per_suite(Config) -> ?NET:end_suite(Config).

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.

init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).

end_per_testcase(Case, Config) ->
    gen_sctp_test_lib:end_case(fun() -> restore(Case, ?config(net, Config)) end, Config).

%% Of what the cases change of the hosts.
restore(auto_asconf, Net) -> ?NET:sysctl(Net, "default_auto_asconf", "1");
restore(encapsulation, Net) -> ?NET:sysctl(Net, "udp_port", "0");
restore(probes, Net) -> ?NET:mtu(Net, far, 0, 1500);
restore(Case, Net) when Case =:= interleaving; Case =:= interleaved_parts ->
    ok = ?NET:sysctl(Net, "intl_enable", "0"),
    ?NET:heal(Net, 0);
restore(Case, Net) when Case =:= max_message_memory; Case =:= fragment_interleave ->
    ?NET:heal(Net, 0);
restore(_, _) -> ok.

%% Calls.

get(S, Option) ->
    ?M:getopt(S, Option).

%% Plain ones, and records whose last field is the value: what they say at first, and take.
plain() ->
    [{sctp_fragment_interleave, false, [true]},
     {max_message_size, infinity, [1, 65536, 67108863]}].

with(Record, Value) ->
    setelement(tuple_size(Record), Record, Value).

set_and_get(Config) ->
    #{c := C, cid := Id, ip := IP, sport := Port} = pair(Config),
    [begin
         ?assertEqual({Name, {ok, Default}}, {Name, get(C, Name)}),
         [begin
              ?assertEqual(ok, set(C, Name, Value), {Name, Value}),
              ?assertEqual({ok, Value}, get(C, Name))
          end || Value <- Values ++ [Default]]
     end || {Name, Default, Values} <- plain()],
    [begin
         ?assertEqual({ok, with(Asked, Default)}, get(C, {Name, Asked})),
         [begin
              ?assertEqual(ok, set(C, Name, with(Asked, Value)), {Asked, Value}),
              ?assertEqual({ok, with(Asked, Value)}, get(C, {Name, Asked}))
          end || Value <- Values]
     end || {Whose, Address} <- [{0, undefined}, {Id, {IP, Port}}],
            {Name, Asked, Default, Values} <- records(IP, Whose, Address)],
    [?assertEqual({ok, false}, get(C, Name)) || Name <- [sctp_reuse_port, sctp_auto_asconf]],
    [?assertEqual({ok, av(Whose, false)}, get(C, {sctp_interleaving_supported,
                                                  av(Whose, undefined)})) || Whose <- [0, Id]],
    ?assertEqual({ok, #sctp_udpencaps{assoc_id = Id, port = 0}},
                 get(C, {sctp_remote_udp_encaps_port, #sctp_udpencaps{assoc_id = Id}})).

%% A flow label is only of IPv6.
records(IP, Id, Address) ->
    [{sctp_plpmtud_probe_interval, #sctp_probeinterval{assoc_id = Id, address = Address}, 0,
      [5000, 60000, 0]} |
     [{sctp_ipv6_flowlabel, #sctp_ipv6_flowlabel{assoc_id = Id, address = Address}, undefined,
       [1, 16#fffff, 0]} || tuple_size(IP) =:= 8]].

%% Each field with what is of the wrong type, too small, too large, or unknown.
bad_values(Config) ->
    #{c := C, cid := Id, ip := IP, sport := Port} = pair(Config),
    Address = {IP, Port},
    Junk = [foo, -1, 1 bsl 32, 1 bsl 70, 2.5, <<>>, "text", [], {}, {a, b}, #{}, self(),
            [a | b], {IP, -1}, {IP, 70000}, {{1, 2, 3}, 80}],
    [?assertEqual({error, einval}, set(C, Name, Bad), {Name, Bad})
     || Name <- [sctp_reuse_port, sctp_auto_asconf, sctp_fragment_interleave, max_message_size],
        Bad <- Junk],
    [?assertEqual({error, einval}, set(C, max_message_size, Bad)) || Bad <- [0, 67108864, true]],
    [begin
         [begin
              Bad = setelement(Position, Record, Value),
              ?assertEqual({error, einval}, set(C, Name, Bad), Bad),
              ?assertError(badarg, get(C, {Name, Bad}), Bad)
          end || Position <- lists:seq(2, tuple_size(Record)), Value <- Junk],
         [?assertEqual({error, einval}, set(C, Name, Bad), Bad)
          || Bad <- Junk ++ [undefined, with(Record, undefined),
                             setelement(1, Record, sctp_initmsg),
                             erlang:append_element(Record, undefined),
                             erlang:delete_element(2, Record)]],
         %% What is not a question.
         ?assertError(badarg, get(C, {Name, Record}))
     end || {Name, Record} <-
                [{sctp_plpmtud_probe_interval,
                  #sctp_probeinterval{assoc_id = Id, address = Address, interval = 5000}},
                 {sctp_ipv6_flowlabel,
                  #sctp_ipv6_flowlabel{assoc_id = Id, address = Address, flowlabel = 1}},
                 {sctp_remote_udp_encaps_port,
                  #sctp_udpencaps{assoc_id = Id, address = Address, port = 1}},
                 {sctp_interleaving_supported, av(0, true)}]],
    [?assertEqual({error, einval}, set(C, Name, Bad), Bad)
     || {Name, Bad} <- [{sctp_ipv6_flowlabel, #sctp_ipv6_flowlabel{flowlabel = 16#100000}},
                        {sctp_remote_udp_encaps_port, #sctp_udpencaps{port = 65536}}]],
    [?assertError(badarg, ?M:open([Bad]))
     || Bad <- [{max_message_size, 0}, {sctp_reuse_port, 1}, {sctp_auto_asconf, 1},
                {sctp_interleaving_supported, true},
                {sctp_plpmtud_probe_interval, #sctp_probeinterval{interval = foo}}]].

%% By the kernel, in its own words, or because the kernel would accept it without effect.
refused(Config) ->
    #{c := C, cid := Id, ip := IP, sport := Port} = pair(Config),
    Nobody = {IP, (Port + 1) rem 65536},
    [?assertEqual({error, einval}, set(C, Name, Record), Record)
     || {Name, Record} <-
            [{sctp_plpmtud_probe_interval, #sctp_probeinterval{assoc_id = Whose, address = Of,
                                                               interval = Interval}}
             || {Whose, Of, Interval} <- [{Id, undefined, 1}, {Id, undefined, 4999},
                                          {Id, Nobody, 5000}, {Id + 1000, undefined, 5000},
                                          {current, undefined, 5000}, {all, undefined, 5000}]] ++
            %% Opened where net.sctp.udp_port is 0.
            [{sctp_remote_udp_encaps_port, #sctp_udpencaps{assoc_id = Whose, port = ?UDP_PORT}}
             || Whose <- [0, Id]] ++
            %% What is up has negotiated.
            [{sctp_interleaving_supported, av(Whose, On)}
             || Whose <- [Id, all], On <- [true, false]]],
    ?assertEqual(ok, set(C, sctp_remote_udp_encaps_port, #sctp_udpencaps{port = 0})),
    ?assertEqual({error, eperm}, set(C, sctp_interleaving_supported, av(0, true))),
    %% It is bound, and to one address.
    ?assertEqual({error, enotsup}, set(C, sctp_reuse_port, true)),
    ?assertEqual({error, einval}, set(C, sctp_auto_asconf, true)),
    Stream = gen_sctp_test_lib:open(Config, [{type, stream}]),
    ?assertEqual({error, efault}, set(Stream, sctp_reuse_port, true)),
    label_refused(IP, C, Id).

label_refused(IP, C, Id) when tuple_size(IP) =:= 4 ->
    Record = #sctp_ipv6_flowlabel{assoc_id = Id},
    ?assertEqual({error, enoprotoopt}, get(C, {sctp_ipv6_flowlabel, Record})),
    ?assertEqual({error, einval}, set(C, sctp_ipv6_flowlabel, with(Record, 1)));
label_refused(_IP, C, Id) ->
    %% An address of IPv4.
    Record = #sctp_ipv6_flowlabel{assoc_id = Id, address = {{0, 0, 0, 0, 0, 16#ffff, 1, 2}, 80}},
    ?assertEqual({error, einval}, set(C, sctp_ipv6_flowlabel, with(Record, 1))).

%% What has to come before the socket is bound does, and after it what has to come after.
at_open(Config) ->
    Family = gen_sctp_test_lib:family(Config),
    Open = fun(Opts) -> {ok, S} = ?M:open([Family | Opts]), adopt(S) end,
    S = Open([{type, stream}, {sctp_reuse_port, true}, {sctp_auto_asconf, true},
              {max_message_size, 1000}, {sctp_fragment_interleave, true}]),
    ?assertEqual([{ok, true}, {ok, true}, {ok, 1000}, {ok, true}],
                 [get(S, Name) || Name <- [sctp_reuse_port, sctp_auto_asconf, max_message_size,
                                           sctp_fragment_interleave]]),
    ?assertEqual({error, enotsup}, ?M:open([Family, {sctp_reuse_port, true}])),
    ?assertError(badarg, ?M:open([Family, {ip, loopback}, {sctp_auto_asconf, true}])).

%% By what is peeled off, and what is accepted.
inherited(Config) ->
    Opts = [{max_message_size, 1000}, {sctp_fragment_interleave, true}],
    Has = fun(S) -> [{Name, element(2, get(S, Name))} || {Name, _} <- Opts] end,
    #{c := C, cid := Id} = gen_sctp_test_lib:pair(Config, [], Opts),
    {ok, Own} = ?M:peeloff(C, Id),
    ?assertEqual(Opts, Has(adopt(Own))),
    L = gen_sctp_test_lib:listener(Config, [{type, stream} | Opts]),
    Client = gen_sctp_test_lib:open(Config, [{type, stream}]),
    {ok, _} = ?M:connect(Client, gen_sctp_test_lib:loopback(Config), port(L), []),
    {ok, Accepted} = ?M:accept(L, 5000),
    ?assertEqual(Opts, Has(adopt(Accepted))).

%% Two hosts.

types(Chunks) -> lists:usort([Type || #{type := Type} <- Chunks]).

%% Two clients with one port, each with a server of its own.
reuse_port(Config) ->
    Stream = {type, stream},
    Servers = [begin
                   L = open_at(far, [0], [Stream], Config),
                   ok = ?M:listen(L, 5),
                   L
               end || _ <- [1, 2]],
    First = open_at(near, [0], [Stream, {sctp_reuse_port, true}], Config),
    Port = port(First),
    Try = fun(Shared) ->
        try_open_at(near, [0], [Stream, {port, Port}, {sctp_reuse_port, Shared}], Config)
    end,
    ?assertEqual({error, eaddrinuse}, Try(false)),
    {ok, Second} = Try(true),
    adopt(Second),
    Came = [begin
                {ok, _} = ?M:connect(C, ?NET:address(far, inet, 0), port(L), []),
                ok = ?M:send(C, 0, 0, Data),
                {ok, S} = ?M:accept(L, 5000),
                #sctp_assoc_change{state = comm_up} = event(?M, adopt(S)),
                {ok, {_, From, _, Text}} = ?M:recv(S, 5000),
                {From, Text}
            end || {C, L, Data} <- lists:zip3([First, Second], Servers, [<<"one">>, <<"two">>])],
    ?assertEqual([{Port, <<"one">>}, {Port, <<"two">>}], Came),
    %% Both have to ask for it.
    Alone = open_at(near, [0], [Stream], Config),
    ?assertEqual({error, eaddrinuse},
                 try_open_at(near, [0], [Stream, {port, port(Alone)}, {sctp_reuse_port, true}],
                             Config)).

%% A host loses an address, and gets it again: the peer hears of it, from who has asked for that
%% alone.
auto_asconf(Config) ->
    Net = ?config(net, Config),
    ok = ?NET:sysctl(Net, "default_auto_asconf", "0"),
    [On, Off] = [begin
                     F = open_at(far, [0], [], Config),
                     ok = ?M:listen(F, true),
                     ok = set(F, sctp_event, #sctp_event{type = address, on = true}),
                     join(open_at(near, [], [{sctp_auto_asconf, Auto}], Config), F, 0, Config)
                 end || Auto <- [true, false]],
    ok = ?NET:remove_address(Net, near, inet, 1),
    try told(addr_removed, On, Off) after ok = ?NET:add_address(Net, near, inet, 1) end,
    told(addr_added, On, Off).

%% The kernel looks after all sockets at a time.
told(State, #{f := F, n := N}, #{n := Silent, nid := Id, f := Untold}) ->
    Address = {?NET:address(near, inet, 1), port(N)},
    ?assertEqual(Address, changed(State, F)),
    ok = ?M:send(Silent, Id, 0, <<"nothing new">>),
    [?assert(lists:member(Other, [addr_confirmed, addr_available])) || Other <- states(Untold)],
    ok.

%% All that comes before the next message.
states(F) ->
    case ?M:recv(F, 5000) of
        {ok, {_, _, [], #sctp_paddr_change{state = State}}} -> [State | states(F)];
        {ok, {_, _, [_], <<"nothing new">>}} -> []
    end.

changed(State, F) ->
    case event(?M, F) of
        #sctp_paddr_change{state = State, addr = Address} -> Address;
        #sctp_paddr_change{} -> changed(State, F)
    end.

%% The flow labels of data and heartbeats that come to each address, while there are some of all.
labels(#{n := N, nid := Id, net := Net}) ->
    To = [First, Second] = [?NET:address(far, inet6, Path) || Path <- [0, 1]],
    {ok, Chunks} = ?NET:watch(Net, far, inet6, fun(Watch) ->
        ok = ?M:send(N, Id, 0, <<"data">>),
        [_ = ?NET:await_chunk(Watch, is(Type, Address))
         || {Type, Address} <- [{?DATA, First}, {?HEARTBEAT, First}, {?HEARTBEAT, Second},
                                {?HEARTBEAT, First}]],
        ok
    end),
    [lists:usort([Label || #{type := Type, to := Found, label := Label} <- Chunks,
                           Type =:= ?DATA orelse Type =:= ?HEARTBEAT, Found =:= Address])
     || Address <- To].

%% Without one the kernel makes it up, another for each path. It heeds it when it looks for the way.
flow_label(Config) ->
    Quick = {sctp_rtoinfo, #sctp_rtoinfo{initial = 200, min = 200, max = 200}},
    Beats = {sctp_peer_addr_params, #sctp_paddrparams{hbinterval = 100, flags = [hb_enable]}},
    Opts = [Quick, Beats],
    Config6 = [{family, inet6} | Config],
    #{n := N, nid := Id, f := F} = Pair = joined(Config6, [0, 1], Opts, []),
    [Own, _] = Before = labels(Pair),
    ?assert(not lists:member(16#12345, lists:append(Before)), Before),
    At = {?NET:address(far, inet6, 0), port(F)},
    Label = #sctp_ipv6_flowlabel{assoc_id = Id},
    ok = set(N, sctp_ipv6_flowlabel, Label#sctp_ipv6_flowlabel{address = At, flowlabel = 16#12345}),
    Changed = fun() ->
        [ok = ?NET:change_routes(?config(net, Config), near, inet6, Path) || Path <- [0, 1]],
        labels(Pair)
    end,
    [Set, Other] = Changed(),
    ?assertEqual([16#12345], Set),
    ?assert(not lists:member(16#12345, Other) andalso Own =/= Set, {Own, Other}),
    ok = set(N, sctp_ipv6_flowlabel, Label#sctp_ipv6_flowlabel{flowlabel = 7}),
    ?assertEqual([[7], [7]], Changed()),
    ok = ?M:close(N),
    %% Of associations to come.
    Later = joined(Config6, [0, 1], [{sctp_ipv6_flowlabel, #sctp_ipv6_flowlabel{flowlabel = 9}}
                                     | Opts], []),
    ?assertEqual([[9], [9]], labels(Later)).

%% Whose message is too long is aborted, in whatever pieces it comes; others are not.
max_message_size(Config) ->
    Limit = 20000,
    [begin
         #{n := N, nid := Id, f := F, fid := FId, net := Net} =
             joined(Config, [0], [], [{max_message_size, Limit} | Opts]),
         #{n := Other, nid := OtherId} = join(open_at(near, [0], [], Config), F, 0, Config),
         Sent = fun(Size) ->
             {ok, Chunks} = ?NET:watch(Net, near, fun(_) ->
                 ok = ?M:send(N, Id, 0, gen_sctp_test_lib:pattern(Size)),
                 case Size > Limit of
                     false -> ?assertEqual({FId, Size}, came(F));
                     true -> ?assertEqual({comm_lost, FId}, lost(F))
                 end,
                 ok
             end),
             [Value || #{type := ?ABORT, value := Value} <- Chunks]
         end,
         ?assertEqual([], Sent(Limit)),
         ?assertMatch([<<12:16, _/binary>>], Sent(Limit + 1)),
         ?assertMatch(#sctp_assoc_change{state = comm_lost}, event_or_error(N)),
         ok = ?M:send(Other, OtherId, 0, <<"goes on">>),
         ?assertMatch({_, <<"goes on">>}, data(?M, F)),
         %% Without it that is no length.
         ok = set(F, max_message_size, infinity),
         ok = ?M:send(Other, OtherId, 0, gen_sctp_test_lib:pattern(Limit + 1)),
         ?assertMatch({_, Long} when byte_size(Long) =:= Limit + 1, data(?M, F))
     end || Opts <- [[], [{buffer, 5000}], [{recbuf, 8000}], [{batch, 5}]]].

came(F) ->
    {#sctp_sndrcvinfo{assoc_id = Id}, Data} = data(?M, F),
    ?assertEqual(gen_sctp_test_lib:pattern(byte_size(Data)), Data),
    {Id, byte_size(Data)}.

lost(F) ->
    #sctp_assoc_change{state = State, assoc_id = Id} = event(?M, F),
    {State, Id}.

%% What comes before it is a failed send.
event_or_error(S) ->
    case event(?M, S) of
        {error, _} -> event_or_error(S);
        Event -> Event
    end.

%% What is kept of a message that is too long is never much more than is allowed.
max_message_memory(Config) ->
    Limit = 100000,
    ok = ?NET:impair(?config(net, Config), 0, "rate 20mbit"),
    Held = fun(Most) ->
        #{n := N, nid := Id, f := F} =
            joined(Config, [0], [], [{max_message_size, Most}, {recbuf, 20000}]),
        Receiver = gen_sctp_test_lib:async(fun() -> whole_or_lost(F) end),
        ok = ?M:send(N, Id, 0, <<0:800000/unit:8>>),
        Held = most_held(Receiver, 0),
        {Held, gen_sctp_test_lib:await(Receiver)}
    end,
    {Some, Lost} = Held(Limit),
    ?assertEqual(comm_lost, Lost),
    {All, Came} = Held(infinity),
    ?assertEqual(800000, Came),
    ct:log("held at most: ~b bytes of a message that is too long, ~b of one that is not~n",
           [Some, All]),
    ?assert(Some =< 2 * Limit andalso All > 2 * Limit, {Some, All}).

%% Where the kernel has given parts of it, that it gives it up is told first.
whole_or_lost(F) ->
    case ?M:recv(F, 20000) of
        {ok, {_, _, [], #sctp_assoc_change{state = State}}} -> State;
        {ok, {_, _, [_], Data}} -> byte_size(Data);
        {error, {_, [], #sctp_pdapi_event{}}} -> whole_or_lost(F)
    end.

most_held({task, Pid, _} = Receiver, Most) ->
    #{fragment_bytes := Held} = ?M:info(),
    case is_process_alive(Pid) of
        true -> most_held(Receiver, max(Most, Held));
        false -> Most
    end.

%% Types of the chunks that come to a host while a message does, in packets of SCTP and of UDP.
ways(#{n := N, nid := Id, f := F, net := Net}) ->
    {{_, InUdp}, Plain} = ?NET:watch(Net, far, inet, fun(_) ->
        ?NET:watch(Net, far, udp, fun(_) ->
            ok = ?M:send(N, Id, 0, <<"data">>),
            ?assertMatch({_, <<"data">>}, data(?M, F))
        end)
    end),
    [?assertMatch({_, ?UDP_PORT}, Ports) || #{udp := Ports} <- InUdp],
    {types(Plain), types(InUdp)}.

%% A socket that was opened where there is no port of UDP sends nothing that way.
encapsulation(Config) ->
    Net = ?config(net, Config),
    Port = #sctp_udpencaps{port = ?UDP_PORT},
    Before = open_at(near, [0], [], Config),
    ?assertError(badarg, try_open_at(near, [0], [{sctp_remote_udp_encaps_port, Port}], Config)),
    ok = ?NET:sysctl(Net, "udp_port", integer_to_list(?UDP_PORT)),
    ?assertEqual({error, einval}, set(Before, sctp_remote_udp_encaps_port, Port)),
    Plain = #{n := N, nid := Id} = joined(Config, [0], [], []),
    ?assertEqual({[?DATA], []}, ways(Plain)),
    Wrapped = #{f := F, fid := FId} =
        joined(Config, [0], [{sctp_remote_udp_encaps_port, Port}], []),
    ?assertEqual({[], [?DATA]}, ways(Wrapped)),
    %% The peer has learnt it.
    Asked = #sctp_udpencaps{assoc_id = FId},
    ?assertEqual({ok, Asked#sctp_udpencaps{port = ?UDP_PORT}},
                 get(F, {sctp_remote_udp_encaps_port, Asked})),
    %% Of an association that is up, and back; as said when the socket was opened.
    ok = ?NET:sysctl(Net, "udp_port", "0"),
    [?assertEqual(ok, set(N, sctp_remote_udp_encaps_port,
                          #sctp_udpencaps{assoc_id = Id, port = Value}))
     || Value <- [?UDP_PORT, 0]].

%% A path that loses packets of some 1300 bytes and more, and tells nobody: who tries what goes
%% through gets by, others do not.
probes(Config) ->
    Net = ?config(net, Config),
    Message = gen_sctp_test_lib:pattern(5000),
    Probing = {sctp_plpmtud_probe_interval, #sctp_probeinterval{interval = 5000}},
    [Stuck, Probes] = [joined(Config, [0], Opts, []) || Opts <- [[], [Probing]]],
    ok = ?NET:mtu(Net, far, 0, 1308),
    #{n := Blind, nid := BlindId, f := Waits} = Stuck,
    ok = ?M:send(Blind, BlindId, 0, Message),
    #{n := N, nid := Id, f := F} = Probes,
    {ok, Chunks} = ?NET:watch(Net, far, fun(Watch) ->
        _ = ?NET:await_chunk(Watch, is(?PAD)),
        later(fun() -> point(N, Id) < 1300 end),
        ok = ?M:send(N, Id, 0, Message),
        ?assertMatch({_, Message}, data(?M, F)),
        ok
    end),
    ?assert(lists:member(?PAD, types(Chunks))),
    ?assert(point(Blind, BlindId) > 1300),
    ?assertEqual({error, timeout}, ?M:recv(Waits, 0)).

%% The kernel takes a size for lost after three probes, 5 seconds apart.
later(Condition) ->
    try until(Condition) catch error:condition_never_true -> until(Condition) end.

point(S, Id) ->
    {ok, #{fragmentation_point := Point}} = ?M:status(S, Id),
    Point.

%% Whether both sides interleave messages; the sender's streams take turns in any case.
interleaved(Config, On, NearOpts, FarOpts) ->
    Opts = [{sctp_interleaving_supported, av(0, true)} || On] ++
        [{sctp_fragment_interleave, true}],
    %% In whatever order.
    Pair = #{n := N, nid := Id, f := F, fid := FId} =
        joined(Config, [0], Opts ++ NearOpts, lists:reverse(Opts) ++ FarOpts),
    [?assertEqual({ok, av(Whose, On)}, get(S, {sctp_interleaving_supported, av(Whose, undefined)}))
     || {S, Whose} <- [{N, Id}, {F, FId}]],
    ok = set(N, sctp_stream_scheduler, av(Id, rr)),
    Pair.

send_on(#{n := N, nid := Id}, Stream, Ppid, Data) ->
    ok = ?M:send(N, #sctp_sndrcvinfo{assoc_id = Id, stream = Stream, ppid = Ppid}, Data).

next_on(#{f := F}) ->
    {#sctp_sndrcvinfo{stream = Stream, ppid = Ppid}, Data} = data(?M, F),
    {Stream, Ppid, Data}.

%% A short message gets past a long one of another stream, if they are interleaved.
interleaving(Config) ->
    Net = ?config(net, Config),
    ok = ?NET:sysctl(Net, "intl_enable", "1"),
    Long = {0, 7, gen_sctp_test_lib:pattern(200000)},
    Short = {1, 8, gen_sctp_test_lib:pattern(1000)},
    [begin
         Pair = interleaved(Config, On, [], []),
         ok = ?NET:impair(Net, 0, "delay 20ms"),
         {Came, Chunks} = ?NET:watch(Net, far, fun(_) ->
             [send_on(Pair, Stream, Ppid, Data) || {Stream, Ppid, Data} <- [Long, Short]],
             [next_on(Pair) || _ <- [1, 2]]
         end),
         ?assertEqual(Order, Came),
         ?assertEqual([Type], [Found || Found <- types(Chunks), Found =:= ?DATA orelse
                                                                Found =:= ?I_DATA]),
         ok = ?NET:heal(Net, 0)
     end || {On, Order, Type} <- [{true, [Short, Long], ?I_DATA}, {false, [Long, Short], ?DATA}]].

%% Parts of several messages come in turn, as the window is small: each is put together.
interleaved_parts(Config) ->
    Net = ?config(net, Config),
    ok = ?NET:sysctl(Net, "intl_enable", "1"),
    ok = ?NET:impair(Net, 0, "delay 5ms"),
    Quick = {sctp_rtoinfo, #sctp_rtoinfo{initial = 200, min = 100, max = 200}},
    Pair = interleaved(Config, true, [Quick], [{recbuf, 20000}]),
    Messages = [{Stream, 10 + Stream, gen_sctp_test_lib:pattern(60000 + Stream)}
                || Stream <- [0, 1]],
    Receiver = gen_sctp_test_lib:async(fun() -> [next_on(Pair) || _ <- Messages] end),
    [send_on(Pair, Stream, Ppid, Data) || {Stream, Ppid, Data} <- Messages],
    Held = most_held(Receiver, 0),
    ?assertEqual(Messages, lists:sort(gen_sctp_test_lib:await(Receiver))),
    ct:log("held at most: ~b bytes~n", [Held]),
    ?assert(Held > 60000, Held).

%% One peer's long message stops half way: another's gets past it, or waits. The kernel gives a
%% message in parts that has no room in its window.
fragment_interleave(Config) ->
    Net = ?config(net, Config),
    Long = gen_sctp_test_lib:pattern(300000),
    Slow = [{sctp_rtoinfo, #sctp_rtoinfo{initial = 2000, min = 2000, max = 2000}}],
    [begin
         F = open_at(far, [0, 1], [{recbuf, 20000}, {sctp_fragment_interleave, On}], Config),
         ok = ?M:listen(F, true),
         A = join(open_at(near, [0], Slow, Config), F, 0, Config),
         B = join(open_at(near, [1], [], Config), F, 1, Config),
         ok = ?NET:impair(Net, 0, "rate 256kbit"),
         Receiver = gen_sctp_test_lib:async(fun() -> [text(F) || _ <- [1, 2]] end),
         send_on(A, 0, 0, Long),
         until(fun() -> maps:get(fragment_bytes, ?M:info()) > 50000 end),
         ok = ?NET:cut(Net, 0),
         Held = maps:get(fragment_bytes, ?M:info()),
         ?assert(Held > 50000 andalso Held < byte_size(Long), Held),
         send_on(B, 0, 0, <<"short">>),
         all_arrived(maps:get(n, B), maps:get(nid, B)),
         ok = ?NET:heal(Net, 0),
         ?assertEqual(Order, gen_sctp_test_lib:await(Receiver))
     end || {On, Order} <- [{true, [<<"short">>, Long]}, {false, [Long, <<"short">>]}]].

text(F) ->
    {_, Data} = data(?M, F),
    Data.
