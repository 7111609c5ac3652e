%% @doc Scenarios of the calls that make associations and send, with good and odd arguments.
-module(gen_sctp_nif_diff_calls).

-include_lib("kernel/include/inet_sctp.hrl").

-export([connect/0]).
-export([connectx/0]).
-export([send/0]).
-export([others/0]).

-import(gen_sctp_nif_diff, [socket/1, socket/2, pair/1, pair/3, note/2, seen/2]).

-define(V4, {127, 0, 0, 1}).
-define(V6, {0, 0, 0, 0, 0, 0, 0, 1}).
-define(MAPPED, {0, 0, 0, 0, 0, 65535, 32512, 1}).

%% @doc connect and connect_init: addresses, ports, options, timeouts.
-spec connect() -> [gen_sctp_nif_diff:scenario()].
connect() ->
    [{{connect, Where, Addr, Port, Opts, Timeout}, fun(M) ->
        {C, LPort} = ends(M, Where),
        Result = M:connect(C, Addr, port(Port, LPort), Opts, Timeout),
        After = {Result, inet:getopts(C, [active]), M:recv(C, 0)},
        After
      end} || {Where, Addr, Port, Opts, Timeout} <- forms()] ++
    [{{connect_init, Where, Addr, Port, Opts, Timeout}, fun(M) ->
        {C, LPort} = ends(M, Where),
        Result = M:connect_init(C, Addr, port(Port, LPort), Opts, Timeout),
        After = {Result, [M:recv(C, 5000) || Result =:= ok]},
        After
      end} || {Where, Addr, Port, Opts, Timeout} <- forms(), Opts =/= [{active, true}],
              Opts =/= [{active, once}], not multicast(Addr)] ++
    [{{connect_map, Where, Function, Map, Opts, Timeout}, fun(M) ->
        {C, LPort} = ends(M, Where),
        Full = case Map of
                   #{port := listening} -> Map#{port := LPort};
                   _ -> Map
               end,
        Result = apply(M, Function, [C, Full, Opts | [Timeout || Timeout =/= none]]),
        Result
      end} || {Where, Map, Opts, Timeout} <- maps(), Function <- [connect, connect_init]] ++
    [{{connect_again, Second}, fun(M) ->
        #{c := C, sport := Port} = pair(M),
        apply(M, Second, [C | again(Second, Port)])
      end} || Second <- [connect, connect_init, connectx_init]] ++
    [{{connect_stream, How}, fun(M) ->
        L = socket(M),
        ok = M:listen(L, How =:= served),
        {ok, Port} = inet:port(L),
        C = socket(M, [inet, {type, stream}]),
        First = M:connect(C, ?V4, Port, [], 5000),
        Then = [M:recv(C, 0), M:send(C, 0, 0, <<"x">>), M:recv(C, 0),
                M:send(C, #sctp_assoc_change{assoc_id = undefined}, 0, <<"y">>)],
        {First, Then}
      end} || How <- [served]].

ends(M, Where) ->
    L = socket(M, Where),
    ok = M:listen(L, true),
    C = socket(M, Where),
    {ok, LPort} = inet:port(L),
    {ok, CPort} = inet:port(C),
    note(LPort, server_port),
    note(CPort, client_port),
    {C, LPort}.

port(listening, Port) -> Port;
port(Other, _) -> Other.

again(connectx_init, Port) -> [[?V4], Port, []];
again(_, Port) -> [?V4, Port, []].

multicast(Addr) -> lists:member(Addr, [{224, 0, 0, 1}, {255, 255, 255, 255}, {0, 0, 0, 0}]).

forms() ->
    [{[inet], ?V4, listening, Opts, Timeout}
     || Opts <- [[], [{active, once}], [{active, true}], [list], foo, [foo], [{foo, 1}],
                 [{active, true} | foo]], Timeout <- [infinity, 5000]] ++
    [{[inet], ?V4, listening, [], Timeout}
     || Timeout <- [-1, foo, 2.5, 1 bsl 70, undefined, []]] ++
    [{[inet], ?V4, Port, [], 5000}
     || Port <- [-1, 65536, foo, "9", <<"9">>, 2.5, undefined, {}]] ++
    [{[inet], Addr, listening, [], 5000}
     || Addr <- ["127.0.0.1", "localhost", localhost, '127.0.0.1', ?V6, ?MAPPED, any, loopback,
                 "", '', "no-such-host.invalid", {127, 0, 0}, {127, 0, 0, 256}, <<127, 0, 0, 1>>,
                 127, {inet, ?V4}, [?V4], #{}, undefined, self_as_text, {224, 0, 0, 1},
                 {255, 255, 255, 255}]] ++
    [{[inet6], Addr, listening, [], 5000}
     || Addr <- [?V6, "::1", ?V4, any, loopback, {0, 0, 0, 0, 0, 0, 0, 65536},
                 {0, 0, 0, 0, 0, 0, 1}]].

maps() ->
    Map = #{family => inet, addr => ?V4, port => listening},
    Map6 = #{family => inet6, addr => ?V6, port => listening, flowinfo => 0, scope_id => 0},
    [{[inet], Map, [], Timeout} || Timeout <- [none, infinity]] ++
    [{[inet], Changed, [], none}
     || Changed <- [Map#{family := inet6}, Map#{family := foo}, Map#{addr := ?V6},
                    Map#{addr := foo}, maps:remove(family, Map), #{}, Map#{port := -1},
                    Map#{port := foo}, Map#{surplus => 1}, Map#{addr := "127.0.0.1"}]] ++
    [{[inet6], Map6, [], none}, {[inet6], maps:remove(flowinfo, Map6), [], none},
     {[inet6], Map6#{flowinfo := foo}, [], none}, {[inet6], Map6#{scope_id := -1}, [], none},
     {[inet], Map6, [], none}, {[inet], Map, foo, none}, {[inet], Map, [foo], none},
     {[inet], Map, [], foo}, {[inet], Map, [], -1}].

%% @doc connectx_init with lists of addresses.
-spec connectx() -> [gen_sctp_nif_diff:scenario()].
connectx() ->
    [{{connectx_init, Where, Addrs, Port, Opts, Timeout}, fun(M) ->
        {C, LPort} = ends(M, Where),
        Result = M:connectx_init(C, Addrs, port(Port, LPort), Opts, Timeout),
        Event = [M:recv(C, 1500) || {ok, _} <- [Result]],
        {{connectx, Result}, Event}
      end} || {Where, Addrs, Port, Opts, Timeout} <- lists_of_addresses()] ++
    [{{connectx_init_3, Where, Addrs, Opts}, fun(M) ->
        {C, LPort} = ends(M, Where),
        Result = M:connectx_init(C, [with_port(Addr, LPort) || Addr <- Addrs], Opts),
        Event = [M:recv(C, 1500) || {ok, _} <- [Result]],
        {{connectx, Result}, Event}
      end} || {Where, Addrs, Opts} <- lists_of_sockaddrs()] ++
    [{{connectx_init_3, Junk}, fun(M) -> M:connectx_init(socket(M), Junk, []) end}
     || Junk <- [foo, [], [{?V4, 20010} | foo], {}, #{}, [foo], [?V4], [{?V4, 0}], [{?V4, foo}],
                 [{?V4, -1}], [{?V4, 65536}], [#{}], [{inet, ?V4}]]].

with_port({Addr, listening}, Port) -> {Addr, Port};
with_port({Family, {Addr, listening}}, Port) -> {Family, {Addr, Port}};
with_port(#{port := listening} = Map, Port) -> Map#{port := Port};
with_port(Other, _) -> Other.

lists_of_addresses() ->
    [{[inet], Addrs, listening, [], infinity}
     || Addrs <- [[?V4], ["localhost"], ["127.0.0.1"], [?V4, ?V4], [], foo, [foo], [?V6], [any],
                  [loopback], [{127, 0, 0}], ["no-such-host.invalid"], [?V4 | ?V4], [[]],
                  [#{family => inet, addr => ?V4}], lists:duplicate(256, ?V4)]] ++
    [{[inet], [?V4], Port, [], infinity} || Port <- [-1, 65536, foo, "9", 2.5, undefined]] ++
    [{[inet], [?V4], listening, Opts, infinity} || Opts <- [foo, [foo], [list], [{foo, 1}]]] ++
    [{[inet], [?V4], listening, [], Timeout} || Timeout <- [0, 5000, -1, foo, 2.5]] ++
    [{[inet6], [Addr], listening, [], infinity} || Addr <- [?V6, ?V4, ?MAPPED, "::1"]].

lists_of_sockaddrs() ->
    Map = #{family => inet, addr => ?V4, port => listening},
    [{[inet], Addrs, []}
     || Addrs <- [[{?V4, listening}], [{inet, {?V4, listening}}], [Map], [Map#{addr := loopback}],
                  [{inet, {loopback, listening}}], [{inet, {any, listening}}],
                  [{?V4, 0}, {?V4, listening}], [{?V4, 1}, {?V4, listening}],
                  [maps:remove(port, Map), {?V4, listening}], [{?V6, listening}],
                  [{inet6, {?V6, listening}}], [Map#{family := inet6}], [Map#{addr := foo}],
                  [Map#{family := foo}], [{"127.0.0.1", listening}], [{localhost, listening}],
                  [{?V4, listening}, foo]]] ++
    [{[inet], [{?V4, listening}], Opts} || Opts <- [foo, [foo], [list]]] ++
    [{[inet6], [Addr], []} || Addr <- [{?V6, listening}, {inet6, {?V6, listening}}, Map]].

%% @doc send/3 and send/4, what arrives, and what the peer sees of it.
-spec send() -> [gen_sctp_nif_diff:scenario()].
send() ->
    [{{send, Id, Stream, Data}, fun(M) ->
        #{s := S, c := C, cid := CId, cup := Up} = pair(M),
        Actual = case Id of id -> CId; up -> Up; unknown -> CId + 99999; _ -> Id end,
        Result = M:send(C, Actual, Stream, Data),
        {Result, [M:recv(S, 5000) || Result =:= ok]}
      end} || {Id, Stream, Data} <-
                [{Id, 0, <<"x">>} || Id <- [id, up, 0, unknown, -1, 1 bsl 32, 1 bsl 70, foo, 2.5,
                                            #sctp_assoc_change{assoc_id = foo},
                                            #sctp_assoc_change{assoc_id = undefined},
                                            #sctp_assoc_change{assoc_id = -1},
                                            #sctp_assoc_change{assoc_id = 1 bsl 32},
                                            #sctp_assoc_change{assoc_id = 2.5},
                                            #sctp_assoc_change{}, #sctp_shutdown_event{},
                                            undefined]] ++
                [{id, Stream, <<"x">>}
                 || Stream <- [9, 10, 65535, 65536, -1, 1 bsl 70, foo, 2.5]] ++
                [{id, 0, Data} || Data <- data()]] ++
    [{{send_info, Info, Data}, fun(M) ->
        #{s := S, c := C, cid := Id} = pair(M),
        Result = M:send(C, case Info of
                               #sctp_sndrcvinfo{assoc_id = undefined} ->
                                   Info#sctp_sndrcvinfo{assoc_id = Id};
                               _ -> Info
                           end, Data),
        {Result, [M:recv(S, 5000) || Result =:= ok]}
      end} || {Info, Data} <- infos()] ++
    [{{send_default, Default}, fun(M) ->
        #{s := S, c := C, cid := Id} = pair(M, [inet], [inet, {sctp_default_send_param, Default}]),
        Result = M:send(C, Id, 2, <<"data">>),
        {Result, [M:recv(S, 5000) || Result =:= ok]}
      end} || Default <- [#sctp_sndrcvinfo{}, #sctp_sndrcvinfo{ppid = 5, context = 6, stream = 4},
                          #sctp_sndrcvinfo{flags = [unordered]},
                          #sctp_sndrcvinfo{flags = [abort]}, #sctp_sndrcvinfo{flags = [eof]}]] ++
    [{{send_after, End}, fun(M) ->
        #{c := C, cid := Id, cup := Up} = pair(M),
        ok = apply(M, End, [C, Up]),
        First = M:recv(C, 5000),
        {First, M:send(C, Id, 0, <<"x">>), M:eof(C, Up), M:abort(C, Up)}
      end} || End <- [eof, abort]] ++
    [{{send_to, What}, fun(M) ->
        S = socket(M, [inet | Opts]),
        {M:send(S, 0, 0, <<"x">>), M:send(S, 1, 0, <<"x">>),
         M:send(S, #sctp_assoc_change{assoc_id = undefined}, 0, <<"x">>),
         M:send(S, #sctp_sndrcvinfo{}, <<"x">>)}
      end} || {What, Opts} <- [{unconnected, []}, {unconnected_stream, [{type, stream}]}]] ++
    [{{send_sizes, Sndbuf}, fun(M) ->
        #{s := S, c := C, cid := Id} = pair(M, [inet, {buffer, 70000}], [inet, {sndbuf, Sndbuf}]),
        {ok, [{sndbuf, Limit}]} = inet:getopts(C, [sndbuf]),
        Sent = [M:send(C, Id, 0, binary:copy(<<7>>, Limit + More)) || More <- [1, 0]],
        {ok, {_, _, _, Data}} = M:recv(S, 5000),
        {Limit, Sent, byte_size(Data)}
      end} || Sndbuf <- [2304, 10000, 30000]] ++
    [{{send_unfragmented, Size}, fun(M) ->
        #{c := C, cid := Id} = pair(M, [inet], [inet, {sctp_disable_fragments, true}]),
        M:send(C, Id, 0, binary:copy(<<7>>, Size))
      end} || Size <- [1000, 65400, 65500, 70000]].

data() ->
    ["x", [], <<>>, [[], <<>>], ["a", [<<"b">>, [$c]], $d], ["a", [<<"b">> | <<"c">>]],
     [256], [-1], [a], a, 1, <<1:3>>, ["a" | b], #{}, {}, ["x", 2.5], [$a | <<1:3>>],
     binary:copy(<<1>>, 5000)].

infos() ->
    [{#sctp_sndrcvinfo{}, <<"x">>}, {#sctp_sndrcvinfo{stream = 3, ppid = 16#fffffffe}, <<"x">>},
     {#sctp_sndrcvinfo{context = 1, timetolive = 60000}, <<"x">>},
     {#sctp_sndrcvinfo{flags = []}, <<"x">>}, {#sctp_sndrcvinfo{flags = [unordered]}, <<"x">>},
     {#sctp_sndrcvinfo{flags = [unordered, unordered]}, <<"x">>},
     {#sctp_sndrcvinfo{flags = [addr_over]}, <<"x">>}, {#sctp_sndrcvinfo{flags = [foo]}, <<"x">>},
     {#sctp_sndrcvinfo{flags = foo}, <<"x">>}, {#sctp_sndrcvinfo{flags = [eof | foo]}, <<"x">>},
     {#sctp_sndrcvinfo{flags = [eof]}, <<>>}, {#sctp_sndrcvinfo{flags = [eof]}, <<"x">>},
     {#sctp_sndrcvinfo{flags = [abort]}, <<>>}, {#sctp_sndrcvinfo{flags = [abort]}, <<"why">>},
     {#sctp_sndrcvinfo{flags = [eof, abort]}, <<>>}, {#sctp_sndrcvinfo{}, <<>>},
     {#sctp_sndrcvinfo{}, [256]}, {#sctp_sndrcvinfo{assoc_id = 0}, <<"x">>},
     {#sctp_sndrcvinfo{assoc_id = foo}, <<"x">>}, {#sctp_sndrcvinfo{assoc_id = -1}, <<"x">>},
     {{sctp_sndrcvinfo, 0}, <<"x">>}, {foo, <<"x">>}] ++
    [{setelement(Position, #sctp_sndrcvinfo{}, Value), <<"x">>}
     || Position <- [#sctp_sndrcvinfo.stream, #sctp_sndrcvinfo.ppid, #sctp_sndrcvinfo.context,
                     #sctp_sndrcvinfo.timetolive], Value <- [-1, 1 bsl 32, foo, 2.5]] ++
    [{setelement(Position, #sctp_sndrcvinfo{}, Value), <<"x">>}
     || Position <- [#sctp_sndrcvinfo.ssn, #sctp_sndrcvinfo.tsn, #sctp_sndrcvinfo.cumtsn],
        Value <- [0, 1, foo]].

%% @doc listen, recv, eof and abort, peeloff, controlling_process, names, counters.
-spec others() -> [gen_sctp_nif_diff:scenario()].
others() ->
    [{{listen, Type, Backlogs}, fun(M) ->
        S = socket(M, [inet, {type, Type}]),
        [M:listen(S, Backlog) || Backlog <- Backlogs]
      end} || Type <- [seqpacket, stream],
              Backlogs <- [[true], [false], [0], [5], [-1], [70000], [65536], [1 bsl 70], [foo],
                           [2.5], [[]], [true, true], [true, false, false, true], [3, 0]]] ++
    [{{recv, Type, Mode, Timeout}, fun(M) ->
        M:recv(socket(M, [inet, {type, Type}, {active, Mode}]), Timeout)
      end} || Type <- [seqpacket, stream], Mode <- [false, true, once, 3],
              Timeout <- [0, 10, -1, foo, 2.5, 16#ffffffff, 1 bsl 70, undefined, []]] ++
    [{{End, Arg}, fun(M) -> apply(M, End, [socket(M), Arg]) end}
     || End <- [eof, abort], Arg <- [0, 5, foo, #sctp_assoc_change{},
                                     #sctp_assoc_change{assoc_id = undefined},
                                     #sctp_assoc_change{assoc_id = 77},
                                     #sctp_assoc_change{assoc_id = foo},
                                     #sctp_assoc_change{assoc_id = -1},
                                     #sctp_assoc_change{assoc_id = 1 bsl 32},
                                     #sctp_shutdown_event{}, {}, undefined]] ++
    [{{peeloff, Type, Arg}, fun(M) -> M:peeloff(socket(M, [inet, {type, Type}]), Arg) end}
     || Type <- [seqpacket, stream], Arg <- [0, 5, -1, #sctp_assoc_change{},
                                             #sctp_assoc_change{assoc_id = 77}]] ++
    [{{peeled, Family}, fun(M) ->
        #{s := S, c := C, sid := Id, cid := CId} =
            pair(M, [Family, list, {sctp_nodelay, false}, {linger, {true, 2}}], [Family]),
        {ok, P} = M:peeloff(S, Id),
        ok = M:send(C, CId, 0, <<"to the peeled one">>),
        {inet:peername(P), inet:sockname(P), M:recv(P, 5000), M:send(S, Id, 0, <<"x">>),
         M:peeloff(S, Id), M:listen(P, true), M:connect(P, ?V4, 9, []),
         inet:getopts(P, [mode, buffer, active, sctp_nodelay, linger]),
         M:send(P, 0, 0, <<"any id">>), M:recv(C, 5000),
         M:send(P, #sctp_assoc_change{assoc_id = undefined}, 0, <<"no id">>), M:recv(C, 5000),
         M:eof(P, #sctp_assoc_change{assoc_id = undefined}), M:recv(C, 5000)}
      end} || Family <- [inet, inet6]] ++
    [{owner, fun(M) ->
        S = socket(M),
        Other = spawn_link(fun() -> receive stop -> ok end end),
        [M:controlling_process(S, self()), M:controlling_process(S, Other),
         M:controlling_process(S, Other), M:controlling_process(S, self())]
      end},
     {names, fun(M) ->
        #{s := S, c := C} = pair(M),
        [{inet:sockname(X), inet:peername(X), inet:socknames(X), {port, inet:port(X)}}
         || X <- [S, C]]
      end},
     {counters, fun(M) ->
        #{s := S, c := C, cid := Id} = pair(M),
        [ok = M:send(C, Id, 0, binary:copy(<<1>>, Size)) || Size <- [10, 200, 3000]],
        [{ok, _} = M:recv(S, 5000) || _ <- [1, 2, 3]],
        _ = M:send(C, Id, 99, <<"refused">>),
        [inet:getstat(X) || X <- [S, C]]
      end},
     {counters_without_events, fun(M) ->
        Off = {sctp_events, #sctp_event_subscribe{association_event = false}},
        S = socket(M, [inet, Off]),
        ok = M:listen(S, true),
        {ok, {IP, Port}} = inet:sockname(S),
        C = socket(M, [inet]),
        {ok, #sctp_assoc_change{assoc_id = Id}} = M:connect(C, IP, Port, [], 5000),
        ok = M:send(C, Id, 0, <<"the first that counts">>),
        {ok, {_, _, _, <<"the first that counts">>}} = M:recv(S, 5000),
        inet:getstat(S, [recv_cnt, recv_oct, recv_max, recv_avg])
      end}] ++
    [{{error_string, Arg}, fun(M) -> M:error_string(Arg) end}
     || Arg <- lists:seq(-1, 15) ++ [3072, 1 bsl 70, foo, 2.5, "1"]] ++
    [{{getstat, Items}, fun(M) -> inet:getstat(socket(M), Items) end}
     || Items <- [[], [recv_cnt], [foo], [send_pend, recv_cnt], [recv_cnt, foo], [1],
                  [recv_cnt | foo], [foo | recv_cnt]]] ++
    [{several_at_once, fun(M) ->
        S = socket(M),
        ok = M:listen(S, true),
        {ok, Port} = inet:port(S),
        note(Port, server_port),
        Clients = [socket(M) || _ <- [1, 2, 3]],
        Ups = [M:connect(C, ?V4, Port, []) || C <- Clients],
        {Ups, length(lists:usort([element(2, R) || R <- seen(S, {M, 3})]))}
      end}].
