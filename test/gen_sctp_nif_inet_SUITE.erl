%% @doc The functions of OTP's `inet' on SCTP sockets. Those that `inet' of no release passes on to
%% a callback module (peernames, socknames/2) are functions of gen_sctp_nif under the same names.
-module(gen_sctp_nif_inet_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [mod/1, family/1, loopback/1, open/2, adopt/1, listener/2, pair/1, pair/3, port/1, data/2,
         event/2, async/1, await/1, no_message/0, counter/1]).

suite() -> [{timetrap, {seconds, 60}}].

all() -> [{group, stock}, {group, nif}].

groups() ->
    gen_sctp_test_lib:matrix(
        [names, all_names, peer_names, get_and_set, get_list, statistics, closed, close,
         monitor_socket, monitor_cancelled, monitor_closed, any_process, descriptor],
        [monitor_is_a_reference, monitor_is_forgotten, info, states, list_of_sockets,
         socket_to_list, other_modules, peer_of_stream]).

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% Who answers what `inet' does not pass on.
names_module(gen_sctp) -> inet;
names_module(M) -> M.

names(Config) ->
    #{s := S, c := C, ip := IP, sport := SPort} = pair(Config),
    ?assertEqual({ok, {IP, SPort}}, inet:sockname(S)),
    ?assertEqual({ok, SPort}, inet:port(S)),
    ?assertEqual({error, enotconn}, inet:peername(S)),
    ?assertEqual({error, enotconn}, inet:peername(C)),
    {ok, Any} = (mod(Config)):open([family(Config)]),
    adopt(Any),
    Wildcard = case family(Config) of
                   inet -> {0, 0, 0, 0};
                   inet6 -> {0, 0, 0, 0, 0, 0, 0, 0}
               end,
    ?assertMatch({ok, {Wildcard, _}}, inet:sockname(Any)).

all_names(Config) ->
    #{s := S, c := C, ip := IP, sport := SPort, cport := CPort} = pair(Config),
    ?assertEqual({ok, [{IP, SPort}]}, inet:socknames(S)),
    ?assertEqual({ok, [{IP, CPort}]}, inet:socknames(C)),
    %% A socket on all addresses has the machine's, not the wildcard.
    {ok, Any} = (mod(Config)):open([family(Config)]),
    adopt(Any),
    {ok, Names} = inet:socknames(Any),
    Port = port(Any),
    ?assert(lists:member({IP, Port}, Names)),
    ?assertEqual([], [Name || {Address, _} = Name <- Names,
                              lists:all(fun(Part) -> Part =:= 0 end, tuple_to_list(Address))]).

peer_names(Config) ->
    M = mod(Config),
    N = names_module(M),
    #{s := S, c := C, ip := IP, sid := SId, cid := CId, sup := Up, sport := SPort,
      cport := CPort} = pair(Config),
    ?assertEqual({ok, [{IP, CPort}]}, N:peernames(S, SId)),
    ?assertEqual({ok, [{IP, CPort}]}, N:peernames(S, Up)),
    ?assertEqual({ok, [{IP, SPort}]}, N:peernames(C, CId)),
    ?assertEqual({ok, [{IP, SPort}]}, N:socknames(S, SId)),
    ?assertEqual({ok, [{IP, SPort}]}, N:socknames(S, Up)),
    ?assertEqual({ok, [{IP, SPort}]}, N:socknames(S, undefined)),
    ?assertEqual({error, einval}, N:peernames(S)),
    ?assertEqual({error, einval}, N:peernames(S, SId + 100000)),
    ?assertEqual({error, einval}, N:socknames(S, SId + 100000)),
    {ok, P} = M:peeloff(S, SId),
    adopt(P),
    ?assertEqual({ok, [{IP, CPort}]}, N:peernames(P)),
    ?assertEqual({ok, {IP, CPort}}, inet:peername(P)).

descriptor(Config) ->
    N = names_module(mod(Config)),
    S = open(Config, []),
    {ok, Fd} = N:getfd(S),
    Link = "/proc/self/fd/" ++ integer_to_list(Fd),
    ?assertMatch({ok, "socket:" ++ _}, file:read_link(Link)),
    ok = inet:close(S),
    gen_sctp_test_lib:until(fun() -> file:read_link(Link) =:= {error, enoent} end),
    ?assertEqual({error, einval}, N:getfd(S)).

peer_of_stream(Config) ->
    S = listener(Config, []),
    C = open(Config, [{type, stream}]),
    #{ip := IP} = gen_sctp_test_lib:join(mod(Config), loopback(Config), S, C),
    %% enotconn in OTP, although it is connected.
    ?assertEqual({ok, {IP, port(S)}}, inet:peername(C)).

get_and_set(Config) ->
    S = open(Config, []),
    [begin
         ?assertEqual(ok, inet:setopts(S, [Option])),
         ?assertEqual({ok, [Option]}, inet:getopts(S, [element(1, Option)]))
     end || Option <- [{active, once}, {active, false}, {mode, list}, {mode, binary},
                       {buffer, 1234}, {linger, {false, 0}}, {linger, {true, 2}},
                       {reuseaddr, true}, {sctp_nodelay, false}, {sctp_nodelay, true},
                       {sctp_disable_fragments, true}, {sctp_autoclose, 30}, {priority, 3},
                       {sctp_maxseg, 1000},
                       {sctp_rtoinfo, #sctp_rtoinfo{assoc_id = 0, initial = 2000, max = 4000,
                                                    min = 1000}},
                       {sctp_initmsg, #sctp_initmsg{num_ostreams = 17, max_instreams = 33,
                                                    max_attempts = 3, max_init_timeo = 900}}]],
    ok = inet:setopts(S, [list]),
    ?assertEqual({ok, [{mode, list}]}, inet:getopts(S, [mode])),
    ok = inet:setopts(S, [{recbuf, 50000}, {sndbuf, 60000}]),
    ?assertEqual({ok, [{recbuf, 100000}, {sndbuf, 120000}]}, inet:getopts(S, [recbuf, sndbuf])),
    [?assertEqual({error, einval}, inet:setopts(S, [Bad]))
     || Bad <- [{active, maybe_later}, {no_such_option, 1}, foo, {mode, tuple}, {linger, true},
                {recbuf, big}, {sctp_nodelay, 1}, {port, 1}, {ip, any}, {type, stream},
                {sctp_status, #sctp_status{assoc_id = 0}}, {sctp_rtoinfo, {too, short}}]].

get_list(Config) ->
    #{c := C, cid := Id} = pair(Config),
    ?assertEqual({ok, []}, inet:getopts(C, [])),
    %% In the order asked for; what the kernel does not know is left out.
    ?assertMatch({ok, [{sctp_nodelay, true}, {active, false}, {sctp_nodelay, true}]},
                 inet:getopts(C, [sctp_nodelay, {sctp_status, #sctp_status{assoc_id = Id + 99999}},
                                  active, sctp_nodelay])),
    ?assertMatch({ok, [{sctp_status, #sctp_status{assoc_id = Id, state = established,
                                                  unackdata = 0, penddata = 0, instrms = 10,
                                                  outstrms = 10}}]},
                 inet:getopts(C, [{sctp_status, #sctp_status{assoc_id = Id}}])),
    [?assertEqual({Bad, {error, einval}}, {Bad, inet:getopts(C, [active, Bad])})
     || Bad <- [foo, keepalive, nodelay, {raw, 1, 2, 3}, high_msgq_watermark, header]].

statistics(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config),
    Items = [recv_oct, recv_cnt, recv_max, recv_avg, recv_dvi, send_oct, send_cnt, send_max,
             send_avg, send_pend],
    {ok, Before} = inet:getstat(S),
    ?assertEqual(Items, [Item || {Item, _} <- Before]),
    %% Events count as what the kernel gives: comm_up has 20 bytes.
    ?assertEqual({ok, [{recv_cnt, 1}, {recv_oct, 20}]}, inet:getstat(S, [recv_cnt, recv_oct])),
    [ok = M:send(C, Id, 0, binary:copy(<<1>>, Size)) || Size <- [100, 300]],
    [_ = data(M, S) || _ <- [1, 2]],
    ?assertEqual({ok, [{recv_max, 300}, {recv_cnt, 3}, {recv_oct, 420}, {recv_avg, 140}]},
                 inet:getstat(S, [recv_max, recv_cnt, recv_oct, recv_avg])),
    ?assertEqual({ok, [{send_cnt, 2}, {send_oct, 400}, {send_max, 300}, {send_avg, 200},
                       {send_pend, 0}]},
                 inet:getstat(C, [send_cnt, send_oct, send_max, send_avg, send_pend])),
    ?assertEqual({error, einval}, inet:getstat(S, [recv_cnt, no_such_item])).

closed(Config) ->
    M = mod(Config),
    S = open(Config, []),
    ok = M:close(S),
    Einval = {error, einval},
    ?assertEqual(Einval, inet:setopts(S, [{active, once}])),
    ?assertEqual(Einval, inet:getopts(S, [active])),
    ?assertEqual(Einval, inet:sockname(S)),
    ?assertEqual(Einval, inet:peername(S)),
    ?assertEqual(Einval, inet:socknames(S)),
    ?assertEqual(Einval, inet:port(S)),
    ?assertEqual(Einval, inet:getstat(S)),
    ?assertEqual(Einval, inet:getstat(S, [recv_cnt])),
    ?assertEqual(ok, inet:close(S)).

close(Config) ->
    M = mod(Config),
    #{s := S, c := C} = pair(Config),
    ?assertEqual(ok, inet:close(C)),
    ?assertMatch(#sctp_shutdown_event{}, event(M, S)),
    ?assertEqual({error, closed}, M:recv(C, 0)).

monitor_socket(Config) ->
    M = mod(Config),
    S = open(Config, []),
    Monitor = inet:monitor(S),
    Other = await(async(fun() -> {self(), inet:monitor(S)} end)),
    ?assert(is_reference(element(2, Other))),
    ok = M:close(S),
    receive
        {'DOWN', Monitor, Type, S, Reason} ->
            ?assertEqual(M =:= gen_sctp, Type =:= port),
            ?assertEqual(normal, Reason)
    after 10000 -> error(no_down)
    end,
    _ = inet:cancel_monitor(Monitor),
    no_message().

monitor_cancelled(Config) ->
    M = mod(Config),
    S = open(Config, []),
    Monitor = inet:monitor(S),
    ?assertEqual(true, inet:cancel_monitor(Monitor)),
    ?assertEqual(false, inet:cancel_monitor(Monitor)),
    ok = M:close(S),
    no_message().

monitor_closed(Config) ->
    M = mod(Config),
    S = open(Config, []),
    ok = M:close(S),
    Monitor = inet:monitor(S),
    receive
        {'DOWN', Monitor, _, S, Reason} ->
            ?assertEqual(case M of gen_sctp -> noproc; _ -> nosock end, Reason)
    after 10000 -> error(no_down)
    end,
    _ = inet:cancel_monitor(Monitor).

%% What inet hands out as a reference is one, for whoever has it.
monitor_is_a_reference(Config) ->
    M = mod(Config),
    [S, T] = [open(Config, []) || _ <- [1, 2]],
    Monitors = [A, B, C, D] = [inet:monitor(Socket) || Socket <- [S, S, S, T]],
    ?assert(lists:all(fun erlang:is_reference/1, Monitors)),
    ?assertEqual(4, length(lists:usort(Monitors))),
    ?assertEqual(Monitors, binary_to_term(term_to_binary(Monitors))),
    ?assertEqual(4, counter(watchers)),
    %% References of other kinds, and of no monitor any more.
    {'$inet', _, Ref} = S,
    [?assertNot(M:cancel_monitor(Other)) || Other <- [make_ref(), Ref]],
    ?assertError(badarg, M:cancel_monitor(foo)),
    ?assert(inet:cancel_monitor(B)),
    ?assertNot(M:cancel_monitor(B)),
    %% By another process, to which the reference was sent.
    ?assert(await(async(fun() -> inet:cancel_monitor(binary_to_term(term_to_binary(C))) end))),
    ?assertEqual(2, counter(watchers)),
    ok = M:close(S),
    receive {'DOWN', A, socket, S, normal} -> ok after 10000 -> error(no_down) end,
    ?assertNot(inet:cancel_monitor(A)),
    ?assertNot(M:cancel_monitor(A)),
    ?assertEqual(1, counter(watchers)),
    ?assert(inet:cancel_monitor(D)),
    ok = M:close(T),
    ?assertEqual(0, counter(watchers)),
    no_message().

%% Nobody need keep the reference.
monitor_is_forgotten(Config) ->
    M = mod(Config),
    S = open(Config, []),
    _ = M:monitor(S),
    erlang:garbage_collect(),
    ?assertEqual(1, counter(watchers)),
    ok = M:close(S),
    receive {'DOWN', Monitor, socket, S, normal} -> ?assertNot(M:cancel_monitor(Monitor))
    after 10000 -> error(no_down)
    end.

any_process(Config) ->
    S = open(Config, []),
    ?assertEqual(ok, await(async(fun() -> inet:setopts(S, [{sctp_nodelay, false}]) end))),
    ?assertEqual({ok, [{sctp_nodelay, false}]},
                 await(async(fun() -> inet:getopts(S, [sctp_nodelay]) end))),
    ?assertMatch({ok, _}, await(async(fun() -> inet:sockname(S) end))).

%% Ours only: OTP answers these of ports in its own way.

info(Config) ->
    S = open(Config, [{active, 5}]),
    #{owner := Owner} = inet:info(S),
    ?assertEqual(self(), Owner),
    ok = inet:close(S),
    ?assertMatch(#{rstates := [closed], wstates := [closed]}, inet:info(S)).

states(Config) ->
    #{s := S, c := C, sid := Id, ip := IP, sport := SPort, cport := CPort} = pair(Config),
    ?assertMatch(#{states := [listen, open], type := seqpacket, active := false, associations := 1,
                   local := [{IP, SPort}], peers := [], counters := #{recv_cnt := 1}},
                 inet:info(S)),
    ?assertMatch(#{states := [open]}, inet:info(C)),
    {ok, P} = (mod(Config)):peeloff(S, Id),
    adopt(P),
    ?assertMatch(#{states := [open], type := stream, peers := [{IP, CPort}]}, inet:info(P)),
    ?assertMatch(#{associations := 0}, inet:info(S)).

%% In the spirit of inet:i/0.
list_of_sockets(Config) ->
    M = mod(Config),
    #{s := S, c := C, sid := Id} = pair(Config, [], [{active, 5}]),
    {ok, P} = M:peeloff(S, Id),
    adopt(P),
    ok = M:send(P, Id, 0, <<"counted">>),
    receive {sctp, C, _, _, {_, <<"counted">>}} -> ok after 10000 -> error(no_data) end,
    {ok, [{active, Left}]} = inet:getopts(C, [active]),
    Active = integer_to_list(Left),
    ?assertEqual([], [S, C, P] -- M:which_sockets()),
    ct:capture_start(),
    ok = M:i(),
    ct:capture_stop(),
    [Header | Lines] = string:split(lists:append(ct:capture_get([])), "\n", all),
    ?assertEqual(["Socket", "Recv", "Sent", "Owner", "Local", "Address", "Foreign", "Address",
                  "Assocs", "Active", "Type"], string:lexemes(Header, " ")),
    Row = fun(Socket) ->
        Name = inet:socket_to_list(Socket),
        [Line] = [Line || Line <- Lines, lists:prefix(Name ++ " ", Line)],
        tl(string:lexemes(Line, " "))
    end,
    Owner = pid_to_list(self()),
    At = fun(Socket) ->
        {ok, {IP, Port}} = inet:sockname(Socket),
        inet:ntoa(IP) ++ ":" ++ integer_to_list(Port)
    end,
    ?assertMatch(["20", "0", Owner, _, "*:*", "0", "false", "SEQPACKET"], Row(S)),
    ?assertEqual(At(S), lists:nth(4, Row(S))),
    ?assertMatch([_, _, Owner, _, "*:*", "1", Active, "SEQPACKET"], Row(C)),
    Peer = At(C),
    ?assertMatch(["0", "7", Owner, _, Peer, "1", "false", "STREAM"], Row(P)),
    %% Of a peeled-off socket of IPv6 the kernel tells no local address but the port.
    ?assert(lists:suffix(integer_to_list(port(S)), lists:nth(4, Row(P)))).

socket_to_list(Config) ->
    S = open(Config, []),
    ?assert(io_lib:printable_list(inet:socket_to_list(S))).

other_modules(Config) ->
    %% What other modules of OTP do with a socket of this form ends politely.
    S = open(Config, []),
    ?assertMatch({error, _}, gen_tcp:send(S, <<"x">>)),
    ?assertMatch({error, _}, gen_tcp:recv(S, 0, 0)),
    ?assertMatch({error, _}, gen_tcp:shutdown(S, write)),
    ?assertMatch({error, _}, gen_udp:recv(S, 0, 0)),
    ?assertEqual(ok, gen_tcp:close(S)),
    ?assertEqual({error, einval}, inet:sockname(S)).
