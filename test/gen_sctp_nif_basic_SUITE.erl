%% @doc Sockets and associations: open, listen, connect, the ways they end, one-to-one sockets.
-module(gen_sctp_nif_basic_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [mod/1, family/1, loopback/1, open/2, adopt/1, listener/2, pair/1, join/4, port/1, recv/2,
         data/2, event/2, no_message/0]).

%% Which association failed only gen_sctp_nif says (docs/differences.md).
-define(REFUSED, #sctp_assoc_change{state = cant_assoc, error = 0, outbound_streams = 0,
                                    inbound_streams = 0}).

suite() -> [{timetrap, {seconds, 60}}].

all() -> [{group, stock}, {group, nif}].

groups() ->
    gen_sctp_test_lib:matrix(
        [open_close, open_port_and_options, listen, connect_arities, connect_by_name,
         connect_by_service, connect_init, connect_init_arities, connect_refused, connect_timeout,
         connect_busy, connect_to_itself, closed_socket, eof, abort, close, close_with_unread_data,
         several_associations, stream_socket, stream_socket_refused, error_string],
        [defaults]).

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% Open and close.

open_close(Config) ->
    M = mod(Config),
    {ok, S0} = M:open(),
    {ok, S1} = M:open(0),
    {ok, S2} = M:open([family(Config)]),
    {ok, S3} = M:open(0, [family(Config), {active, false}]),
    [?assertNotEqual(0, port(S)) || S <- [S0, S1, S2, S3]],
    [?assertEqual(ok, M:close(S)) || S <- [S0, S1, S2, S3, S0, S1, S2, S3]].

open_port_and_options(Config) ->
    M = mod(Config),
    F = family(Config),
    {ok, S} = M:open([F, {port, 0}]),
    Port = port(S),
    ?assertEqual({error, eaddrinuse}, M:open([F, {port, Port}])),
    %% What is told of a count is told once, though there may be two attempts.
    ?assertEqual({error, eaddrinuse}, M:open([F, {port, Port}, {active, 0}])),
    receive {sctp_passive, _} -> ok end,
    ?assertEqual({messages, []}, process_info(self(), messages)),
    ok = M:close(S),
    %% The port is free again at once; the options' port wins over the argument.
    [begin
         {ok, Again} = M:open(First, Options),
         ?assertEqual(Port, port(Again)),
         ok = M:close(Again)
     end || {First, Options} <- [{Port, [F]}, {0, [F, {port, Port}]}, {Port, [F, {ip, any}]},
                                 {Port, [F, {ifaddr, loopback}]}]],
    ?assertError(badarg, M:open(Port, {})),
    ?assertError(badarg, M:open([F, {port, 65536}])),
    ?assertError(badarg, M:open([F, {no_such_option, 1}])),
    ?assertError(badarg, M:open(not_a_list)).

defaults(Config) ->
    M = mod(Config),
    {ok, S} = M:open([family(Config)]),
    adopt(S),
    %% The kernel's own sizes, never the 1024 bytes of OTP 25 and 27.
    {ok, [{sndbuf, Send}, {recbuf, Receive}]} = inet:getopts(S, [sndbuf, recbuf]),
    ?assertEqual([kernel_default("wmem_default"), kernel_default("rmem_default")],
                 [Send, Receive]),
    ?assertMatch({ok, [{mode, binary}, {active, false}, {buffer, 65536}, false,
                       {sctp_events, #sctp_event_subscribe{
                           data_io_event = true, association_event = true, address_event = true,
                           send_failure_event = true, peer_error_event = true,
                           shutdown_event = true, partial_delivery_event = true,
                           adaptation_layer_event = false, authentication_event = false}}]},
                 inet:getopts(S, [mode, active, buffer, non_block_send, sctp_events])).

kernel_default(Name) ->
    {ok, Text} = file:read_file("/proc/sys/net/core/" ++ Name),
    binary_to_integer(string:trim(Text)).

closed_socket(Config) ->
    M = mod(Config),
    S = open(Config, []),
    IP = loopback(Config),
    ok = M:close(S),
    Up = #sctp_assoc_change{state = comm_up, assoc_id = 1},
    [?assertEqual({Call, {error, closed}}, {Call, apply(M, element(1, Call), element(2, Call))})
     || Call <- [{listen, [S, true]}, {connect, [S, IP, 1, []]}, {connect_init, [S, IP, 1, []]},
                 {connectx_init, [S, [IP], 1, []]}, {recv, [S]}, {recv, [S, 0]},
                 {recv, [S, bad_timeout]}, {send, [S, 1, 0, <<"x">>]},
                 {send, [S, #sctp_sndrcvinfo{}, <<"x">>]}, {eof, [S, Up]}, {abort, [S, Up]},
                 {peeloff, [S, 1]}]],
    ?assertEqual(ok, M:close(S)).

error_string(Config) ->
    M = mod(Config),
    ?assertEqual(ok, M:error_string(0)),
    ?assertEqual("Invalid Stream Identifier", M:error_string(1)),
    ?assertEqual("User Initiated Abort", M:error_string(12)),
    ?assertEqual("Protocol Violation", M:error_string(13)),
    [?assertEqual(unknown_error, M:error_string(N)) || N <- [14, -1, 3072]],
    ?assertError(badarg, M:error_string(abort)).

%% Listen and connect.

listen(Config) ->
    M = mod(Config),
    IP = loopback(Config),
    S = open(Config, []),
    C = open(Config, []),
    ?assertEqual({error, einval}, M:listen(S, false)),
    ?assertMatch({error, ?REFUSED}, M:connect(C, IP, port(S), [])),
    [?assertEqual(ok, M:listen(S, Backlog)) || Backlog <- [true, true, 1, 65535, -1, 70000]],
    #{} = join(M, IP, S, C),
    ok = M:listen(S, false),
    ?assertMatch({error, ?REFUSED}, M:connect(open(Config, []), IP, port(S), [])),
    ok = M:listen(S, 3),
    #{} = join(M, IP, S, open(Config, [])).

connect_arities(Config) ->
    M = mod(Config),
    F = family(Config),
    IP = loopback(Config),
    S = listener(Config, []),
    Port = port(S),
    Map = gen_sctp_test_lib:address(F, IP, Port),
    [begin
         C = open(Config, []),
         Streams = {sctp_initmsg, #sctp_initmsg{num_ostreams = 5}},
         {ok, Up} = Connect(C, [Streams]),
         ?assertMatch(#sctp_assoc_change{state = comm_up, error = 0, outbound_streams = 5,
                                         inbound_streams = 10}, Up),
         ?assertNotEqual(0, Up#sctp_assoc_change.assoc_id),
         ?assertMatch(#sctp_assoc_change{state = comm_up, inbound_streams = 5,
                                         outbound_streams = 10}, event(M, S))
     end || Connect <- [fun(C, Opts) -> M:connect(C, IP, Port, Opts) end,
                        fun(C, Opts) -> M:connect(C, IP, Port, Opts, infinity) end,
                        fun(C, Opts) -> M:connect(C, IP, Port, Opts, 10000) end,
                        fun(C, Opts) -> M:connect(C, Map, Opts) end,
                        fun(C, Opts) -> M:connect(C, Map, Opts, infinity) end]].

connect_by_name(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = open(Config, []),
    ?assertEqual({error, nxdomain}, M:connect(C, "no-such-host.invalid", port(S), [])),
    ?assertEqual({error, einval}, M:connect(C, loopback(Config), no_such_service, [])),
    Name = inet:ntoa(loopback(Config)),
    ?assertMatch({ok, #sctp_assoc_change{state = comm_up}}, M:connect(C, Name, port(S), [])).

%% A service with a port of SCTP's is known by its name, in every place of a port.
connect_by_service(Config) ->
    M = mod(Config),
    IP = loopback(Config),
    case inet:getservbyname(amqp, sctp) of
        {ok, Port} ->
            S = open(Config, [{port, amqp}]),
            ?assertEqual(Port, port(S)),
            ok = M:listen(S, true),
            ?assertMatch({ok, #sctp_assoc_change{state = comm_up}},
                         M:connect(open(Config, []), IP, amqp, [])),
            ?assertEqual(ok, M:connect_init(open(Config, []), IP, amqp, [])),
            ?assertMatch({ok, _}, M:connectx_init(open(Config, []), [IP], amqp, [])),
            [?assertMatch(#sctp_assoc_change{state = comm_up}, event(M, S)) || _ <- [1, 2, 3]];
        {error, einval} ->
            {skip, "/etc/services has no service of SCTP's"}
    end.

connect_init(Config) ->
    M = mod(Config),
    IP = loopback(Config),
    S = listener(Config, []),
    C = open(Config, []),
    SPort = port(S),
    CPort = port(C),
    ?assertEqual(ok, M:connect_init(C, IP, SPort, [])),
    ?assertMatch({ok, {IP, SPort, [], #sctp_assoc_change{state = comm_up}}}, recv(M, C)),
    ?assertMatch({ok, {IP, CPort, [], #sctp_assoc_change{state = comm_up}}}, recv(M, S)),
    %% A refused one is an event like any other.
    Unused = open(Config, []),
    ?assertEqual(ok, M:connect_init(C, IP, port(Unused), [])),
    ?assertMatch(?REFUSED, event(M, C)).

connect_init_arities(Config) ->
    M = mod(Config),
    IP = loopback(Config),
    S = listener(Config, []),
    Port = port(S),
    Map = gen_sctp_test_lib:address(family(Config), IP, Port),
    [begin
         C = open(Config, []),
         ?assertEqual(ok, Connect(C)),
         ?assertMatch(#sctp_assoc_change{state = comm_up}, event(M, C)),
         ?assertMatch(#sctp_assoc_change{state = comm_up}, event(M, S))
     end || Connect <- [fun(C) -> M:connect_init(C, IP, Port, [], 5000) end,
                        fun(C) -> M:connect_init(C, IP, Port, [], infinity) end,
                        fun(C) -> M:connect_init(C, Map, []) end,
                        fun(C) -> M:connect_init(C, Map, [], infinity) end]],
    X = open(Config, []),
    {ok, Id} = M:connectx_init(X, [IP], Port, []),
    ?assertMatch(#sctp_assoc_change{state = comm_up, assoc_id = Id}, event(M, X)).

connect_refused(Config) ->
    M = mod(Config),
    Port = port(open(Config, [])),
    C = open(Config, []),
    [?assertMatch({error, ?REFUSED}, M:connect(C, loopback(Config), Port, [])) || _ <- [1, 2, 3]],
    ?assertEqual({error, timeout}, M:recv(C, 0)).

connect_timeout(Config) ->
    M = mod(Config),
    {ok, C} = M:open([family(Config)]),
    adopt(C),
    IP = gen_sctp_test_lib:unanswered(family(Config)),
    Begin = erlang:monotonic_time(millisecond),
    ?assertEqual({error, timeout}, M:connect(C, IP, 7, [], 200)),
    ?assert(erlang:monotonic_time(millisecond) - Begin >= 200),
    %% The association is still being set up.
    ?assertEqual({error, ealready}, M:connect(C, IP, 7, [], 200)),
    ?assertEqual({error, timeout}, M:recv(C, 0)),
    no_message().

connect_busy(Config) ->
    M = mod(Config),
    #{c := C, sport := Port, ip := IP} = pair(Config),
    ?assertEqual({error, eisconn}, M:connect(C, IP, Port, [])),
    ?assertEqual({error, eisconn}, M:connect_init(C, IP, Port, [])),
    ?assertEqual({error, eisconn}, M:connectx_init(C, [IP], Port, [])).

connect_to_itself(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = Id}} =
        M:connect(S, loopback(Config), port(S), []),
    ok = M:send(S, Id, 0, <<"mirror">>),
    ?assertMatch(<<"mirror">>, first_data(M, S)).

first_data(M, S) ->
    case recv(M, S) of
        {ok, {_, _, [], #sctp_assoc_change{}}} -> first_data(M, S);
        {ok, {_, _, [#sctp_sndrcvinfo{}], Data}} -> Data
    end.

%% The end of an association.

eof(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := CId, sid := SId, cup := Up} = pair(Config),
    ok = M:send(C, CId, 0, <<"last">>),
    ?assertEqual(ok, M:eof(C, Up)),
    ?assertMatch({_, <<"last">>}, data(M, S)),
    ?assertEqual(#sctp_shutdown_event{assoc_id = SId}, event(M, S)),
    ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = SId}, event(M, S)),
    ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = CId}, event(M, C)),
    ?assertEqual({error, epipe}, M:send(C, CId, 0, <<"late">>)),
    ?assertEqual({error, epipe}, M:eof(C, Up)).

abort(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := CId, sid := SId, sup := Up} = pair(Config),
    ?assertEqual(ok, M:abort(S, Up)),
    %% Cause 12, user initiated abort, with its bytes in network order as OTP shows it.
    ?assertEqual(#sctp_assoc_change{state = comm_lost, error = 3072, assoc_id = SId}, event(M, S)),
    ?assertEqual(#sctp_assoc_change{state = comm_lost, error = 3072, assoc_id = CId}, event(M, C)),
    ?assertEqual({error, epipe}, M:abort(S, Up)).

close(Config) ->
    M = mod(Config),
    #{s := S, c := C, sid := SId, cid := CId} = pair(Config),
    ok = M:send(C, CId, 0, <<"sent before close">>),
    ok = M:close(C),
    ?assertMatch({_, <<"sent before close">>}, data(M, S)),
    ?assertEqual(#sctp_shutdown_event{assoc_id = SId}, event(M, S)),
    ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = SId}, event(M, S)).

close_with_unread_data(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := CId} = pair(Config),
    ok = M:send(C, CId, 0, <<"unread">>),
    %% In the server's queue before the server closes.
    gen_sctp_test_lib:all_arrived(C, CId),
    ok = M:close(S),
    ?assertEqual(#sctp_assoc_change{state = comm_lost, error = 3072, assoc_id = CId}, event(M, C)).

several_associations(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    Pairs = [join(M, loopback(Config), S, open(Config, [])) || _ <- [1, 2, 3]],
    Ids = [Id || #{sid := Id} <- Pairs],
    ?assertEqual(3, length(lists:usort(Ids))),
    [ok = M:send(C, Id, 0, <<(port(C)):16, N>>) || N <- [1, 2], #{c := C, cid := Id} <- Pairs],
    Received = [begin
                    {ok, {_, Port, [#sctp_sndrcvinfo{assoc_id = Id}], <<Port:16, N>>}} =
                        recv(M, S),
                    {Id, Port, N}
                end || _ <- [1, 2], _ <- Pairs],
    ?assertEqual(lists:sort([{Id, Port, N} || N <- [1, 2], #{sid := Id, cport := Port} <- Pairs]),
                 lists:sort(Received)),
    %% Aborting one leaves the others.
    [#{sid := First, sup := Up, c := C1, cid := CId1} | Rest] = Pairs,
    ok = M:abort(S, Up),
    ?assertMatch(#sctp_assoc_change{state = comm_lost, assoc_id = First}, event(M, S)),
    ?assertMatch(#sctp_assoc_change{state = comm_lost, assoc_id = CId1}, event(M, C1)),
    [begin
         ok = M:send(S, Id, 0, <<"still here">>),
         ?assertMatch({_, <<"still here">>}, data(M, C))
     end || #{sid := Id, c := C} <- Rest].

%% One-to-one sockets.

stream_socket(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = open(Config, [{type, stream}]),
    #{sid := SId, cid := CId, cup := Up} = join(M, loopback(Config), S, C),
    ?assertEqual({error, eisconn}, M:connect(C, loopback(Config), port(S), [])),
    %% The association's number does not matter here, there is only one.
    [ok = M:send(C, Id, 1, <<"to the server">>) || Id <- [CId, 0]],
    [?assertMatch({#sctp_sndrcvinfo{stream = 1, assoc_id = SId}, <<"to the server">>}, data(M, S))
     || _ <- [1, 2]],
    ok = M:send(S, SId, 2, <<"to the client">>),
    ?assertMatch({#sctp_sndrcvinfo{stream = 2, assoc_id = CId}, <<"to the client">>}, data(M, C)),
    ?assertEqual({error, einval}, M:eof(C, Up)),
    ?assertEqual({error, einval}, M:abort(C, Up)),
    ok = M:close(C),
    ?assertEqual(#sctp_shutdown_event{assoc_id = SId}, event(M, S)),
    ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = SId}, event(M, S)).

stream_socket_refused(Config) ->
    M = mod(Config),
    C = open(Config, [{type, stream}]),
    Unused = open(Config, []),
    ?assertMatch({error, ?REFUSED},
                 M:connect(C, loopback(Config), port(Unused), [])),
    %% A socket that listens takes no messages.
    L = listener(Config, [{type, stream}]),
    ?assertEqual({error, enotconn}, M:recv(L, 0)),
    ?assertEqual({error, epipe}, M:send(L, 0, 0, <<"x">>)).
