%% @doc Every event, brought about on the kernel, and what is said of it to passive and to active
%% sockets; sockets with several addresses, and paths that fail.
-module(gen_sctp_nif_events_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [mod/1, family/1, loopback/1, open/2, pair/1, pair/3, port/1, recv/2,
         pattern/1, counter/1]).

-define(NET, gen_sctp_test_net).
-define(TIMEOUT, 10000).
%% Causes of an abort, in network order as OTP shows them: 12, user initiated, and 13, protocol
%% violation.
-define(USER_ABORT, 3072).
-define(PROTOCOL_VIOLATION, 3328).

suite() -> [{timetrap, {seconds, 60}}].

all() -> [{group, stock}, {group, nif}].

groups() ->
    Common = [comm_up, shutdown, abort, abort_causes, refused, adaptation, remote_error,
              send_failed, restart, path_fails, primary_address, addresses_come_and_go,
              connect_by_second_address, names],
    %% Of these, which take seconds, one family shows that they are right.
    Slow = [unanswered, expired, restart_of_two_paths, peer_is_lost],
    [{stock, [], [{inet, [], Common ++ Slow},
                  {inet6, [], Common ++ [both_families, link_local]}]},
     {nif, [], [{inet, [], Common ++ Slow ++ [partial_delivery, given_up_unheard,
                                              path_is_doubtful]},
                {inet6, [], Common ++ Slow ++ [partial_delivery, given_up_unheard, both_families,
                                               link_local]}]}].

init_per_suite(Config) -> ?NET:begin_suite(Config).
end_per_suite(Config) -> ?NET:end_suite(Config).
init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% An association begins and ends.

comm_up(Config) ->
    M = mod(Config),
    in_both_modes(fun(Mode) ->
        Streams = fun(Out, In) ->
            {sctp_initmsg, #sctp_initmsg{num_ostreams = Out, max_instreams = In}}
        end,
        S = open(Config, [{active, Mode}, Streams(5, 6)]),
        C = open(Config, [{active, Mode}, Streams(7, 8)]),
        ok = M:listen(S, true),
        {ok, Id} = M:connectx_init(C, [loopback(Config)], port(S), []),
        ?assertEqual({sctp, at(Config, S),
                      #sctp_assoc_change{state = comm_up, outbound_streams = 6,
                                         inbound_streams = 5, assoc_id = Id}},
                     take(Config, C)),
        {sctp, From, #sctp_assoc_change{assoc_id = SId} = Up} = take(Config, S),
        ?assertEqual(at(Config, C), From),
        ?assertEqual(#sctp_assoc_change{state = comm_up, outbound_streams = 5,
                                        inbound_streams = 6, assoc_id = SId}, Up),
        ok = M:abort(S, Up),
        ?assertMatch({sctp, _, #sctp_assoc_change{state = comm_lost}}, take(Config, S)),
        ?assertMatch({sctp, _, #sctp_assoc_change{state = comm_lost}}, take(Config, C))
    end).

shutdown(Config) ->
    M = mod(Config),
    with_pair(Config, fun(#{s := S, c := C, sid := SId, cid := Id, cup := Up}) ->
        ok = M:eof(C, Up),
        ?assertEqual({sctp, at(Config, C), #sctp_shutdown_event{assoc_id = SId}},
                     take(Config, S)),
        ?assertEqual({sctp, at(Config, C),
                      #sctp_assoc_change{state = shutdown_comp, assoc_id = SId}},
                     take(Config, S)),
        ?assertEqual({sctp, at(Config, S),
                      #sctp_assoc_change{state = shutdown_comp, assoc_id = Id}},
                     take(Config, C))
    end).

abort(Config) ->
    M = mod(Config),
    with_pair(Config, fun(#{s := S, c := C, sid := SId, cid := Id}) ->
        ok = M:send(C, #sctp_sndrcvinfo{assoc_id = Id, flags = [abort]}, <<"reason">>),
        ?assertEqual(lost(Config, C, SId, ?USER_ABORT), take(Config, S)),
        ?assertEqual(lost(Config, S, Id, ?USER_ABORT), take(Config, C))
    end).

abort_causes(Config) ->
    M = mod(Config),
    with_raw(Config, fun(Raw) ->
        [with_tagged_pair(Config, Raw, fun(#{s := S, c := C, cid := Id, sup := Up, to_c := ToC}) ->
            ok = ?NET:forge(Raw, ToC, ?NET:chunk(6, 0, Causes)),
            ?assertEqual(lost(Config, S, Id, Error), take(Config, C)),
            ok = M:abort(S, Up),
            ?assertMatch({sctp, _, #sctp_assoc_change{state = comm_lost}}, take(Config, S))
         end)
         || {Error, Causes} <- [{0, <<>>},
                                {?PROTOCOL_VIOLATION, ?NET:cause(13, <<"odd">>)},
                                {256, [?NET:cause(1, <<7:16, 0:16>>), ?NET:cause(12, <<>>)]}]]
    end).

lost(Config, Peer, Id, Error) ->
    {sctp, at(Config, Peer), #sctp_assoc_change{state = comm_lost, error = Error, assoc_id = Id}}.

refused(Config) ->
    M = mod(Config),
    in_both_modes(fun(Mode) ->
        Deaf = open(Config, []),
        C = open(Config, [{active, Mode}]),
        {ok, Id} = M:connectx_init(C, [loopback(Config)], port(Deaf), []),
        Event = {sctp, at(Config, Deaf), #sctp_assoc_change{state = cant_assoc, assoc_id = Id}},
        ?assertEqual(Event, take(Config, C))
    end).

%% What the peer says.

adaptation(Config) ->
    M = mod(Config),
    Opts = fun(Indication) ->
        [{sctp_adaptation_layer, #sctp_setadaptation{adaptation_ind = Indication}},
         {sctp_events, #sctp_event_subscribe{adaptation_layer_event = true}}]
    end,
    in_both_modes(fun(Mode) ->
        S = open(Config, [{active, Mode} | Opts(16#01020304)]),
        C = open(Config, [{active, Mode} | Opts(16#fffefdfc)]),
        ok = M:listen(S, true),
        {ok, Id} = M:connectx_init(C, [loopback(Config)], port(S), []),
        ?assertMatch({sctp, _, #sctp_assoc_change{state = comm_up}}, take(Config, C)),
        ?assertEqual({sctp, at(Config, S),
                      #sctp_adaptation_event{adaptation_ind = 16#01020304, assoc_id = Id}},
                     take(Config, C)),
        {sctp, From, #sctp_assoc_change{state = comm_up, assoc_id = SId} = Up} = take(Config, S),
        ?assertEqual({sctp, From, #sctp_adaptation_event{adaptation_ind = 16#fffefdfc,
                                                         assoc_id = SId}},
                     take(Config, S)),
        ok = M:abort(S, Up),
        [?assertMatch({sctp, _, #sctp_assoc_change{state = comm_lost}}, take(Config, Socket))
         || Socket <- [S, C]]
    end).

remote_error(Config) ->
    with_raw(Config, fun(Raw) ->
        with_tagged_pair(Config, Raw, fun(#{s := S, c := C, cid := Id} = Pair) ->
            #{to_s := ToS, to_c := ToC} = Pair,
            Errors = fun(Codes) ->
                [begin
                    {sctp_error, From, Event} = take(Config, C),
                    ?assertEqual(at(Config, S), From),
                    ?assertEqual(#sctp_remote_error{error = Code, assoc_id = Id,
                                                    data = causes(Config, Event)}, Event)
                 end || Code <- Codes]
            end,
            ok = ?NET:forge(Raw, ToC, ?NET:chunk(9, 0, ?NET:cause(1, <<7:16, 0:16>>))),
            Errors([1]),
            %% One event for each cause.
            ok = ?NET:forge(Raw, ToC, ?NET:chunk(9, 0, [?NET:cause(Code, <<"odd">>)
                                                        || Code <- [13, 200, 65535]])),
            Errors([13, 200, 65535]),
            %% The kernel's own: a chunk of a type that it does not know and is to report.
            ok = ?NET:forge(Raw, ToS, ?NET:chunk(16#fd, 0, <<"what?">>)),
            Errors([6])
        end)
    end).

%% OTP makes a list of what it takes for further causes: of anything that is in its memory there.
causes(Config, #sctp_remote_error{data = Data}) ->
    case mod(Config) of
        gen_sctp when is_list(Data) -> Data;
        _ -> [0]
    end.

%% What could not be sent.

unanswered(Config) ->
    M = mod(Config),
    cut(Config, [0], fun() ->
        in_both_modes(fun(Mode) ->
            S = host(Config, near, [0], [{active, Mode},
                                         {sctp_initmsg, #sctp_initmsg{max_attempts = 1}}
                                         | quick()]),
            {IP, Port} = From = {?NET:address(far, family(Config), 0), 5000},
            {ok, Id} = M:connectx_init(S, [IP], Port, []),
            Info = #sctp_sndrcvinfo{stream = 3, ppid = 4, context = 5, timetolive = 0,
                                    assoc_id = Id},
            ok = M:send(S, Info, <<"early">>),
            ?assertEqual({sctp, From, #sctp_assoc_change{state = cant_assoc, assoc_id = Id}},
                         take(Config, S)),
            ?assertEqual({sctp_error, From, send_failed(false, 0, Info, whole, <<"early">>)},
                         take(Config, S))
        end)
    end).

%% OTP takes the bits that tell where in its message a fragment is for those of send.
send_failed(Sent, Error, #sctp_sndrcvinfo{} = Info, Place, Data) ->
    Flags = case Place of
                whole -> [unordered, addr_over];
                first -> [addr_over];
                middle -> [];
                last -> [unordered]
            end,
    Unordered = [abort || Info#sctp_sndrcvinfo.flags =:= [unordered]],
    Id = Info#sctp_sndrcvinfo.assoc_id,
    #sctp_send_failed{flags = Sent, error = Error, assoc_id = Id, data = Data,
                      info = Info#sctp_sndrcvinfo{flags = Flags ++ Unordered, ssn = 0, tsn = 0,
                                                  cumtsn = 0}}.

%% An event for each fragment, those first that had been sent.
send_failed(Config) ->
    M = mod(Config),
    in_both_modes(fun(Mode) ->
        #{near := N, far := F, nid := Id, fid := FId, fat := [FAt]} =
            hosts(Config, [0], quick()),
        ok = inet:setopts(N, [{active, Mode}]),
        Info = #sctp_sndrcvinfo{ppid = 2, context = 3, timetolive = 0, assoc_id = Id},
        Messages = [{Info#sctp_sndrcvinfo{stream = 1}, pattern(100)},
                    {Info#sctp_sndrcvinfo{stream = 4, flags = [unordered]}, pattern(4000)},
                    {Info#sctp_sndrcvinfo{stream = 7}, pattern(5000)}],
        cut(Config, [0], fun() ->
            [ok = M:send(N, I, Data) || {I, Data} <- Messages],
            ok = M:abort(N, #sctp_assoc_change{assoc_id = Id}),
            ?assertEqual({sctp, FAt, #sctp_assoc_change{state = comm_lost, error = ?USER_ABORT,
                                                        assoc_id = Id}},
                         take(Config, N)),
            Sent = lists:append([failed_fragments(Config, N, FAt, I, Data)
                                 || {I, Data} <- Messages]),
            ?assertEqual({[true], [false]}, {lists:usort(lists:sublist(Sent, 2)),
                                             lists:usort(lists:nthtail(length(Sent) - 2, Sent))}),
            ?assertEqual(lists:reverse(lists:sort(Sent)), Sent)
        end),
        ok = M:abort(F, #sctp_assoc_change{assoc_id = FId}),
        ?assertMatch({sctp, _, #sctp_assoc_change{state = comm_lost}}, take(Config, F))
    end).

%% Takes the events of one message: whether each of its fragments had been sent.
failed_fragments(Config, S, From, Info, Data) ->
    failed_fragments(Config, S, From, Info, Data, first).

failed_fragments(_, _, _, _, <<>>, _) ->
    [];
failed_fragments(Config, S, From, Info, Data, Place) ->
    {sctp_error, From, #sctp_send_failed{flags = Sent, data = Part} = Event} = take(Config, S),
    <<Fragment:(byte_size(Part))/binary, Rest/binary>> = Data,
    Is = case {Place, Rest} of
             {first, <<>>} -> whole;
             {_, <<>>} -> last;
             _ -> Place
         end,
    ?assertEqual(send_failed(Sent, ?USER_ABORT, Info, Is, Fragment), Event),
    [Sent | failed_fragments(Config, S, From, Info, Rest, middle)].

expired(Config) ->
    M = mod(Config),
    in_both_modes(fun(Mode) ->
        #{near := N, far := F, nid := Id, fid := FId, nat := [At], fat := [FAt]} =
            hosts(Config, [0], quick()),
        ok = inet:setopts(N, [{active, Mode}]),
        Info = #sctp_sndrcvinfo{stream = 1, ppid = 2, context = 3, timetolive = 1, assoc_id = Id},
        cut(Config, [0], fun() ->
            ok = M:send(N, Id, 0, pattern(20000)),
            ok = M:send(N, Info, <<"too late">>)
        end),
        ?assertEqual({sctp_error, FAt, send_failed(false, 0, Info, whole, <<"too late">>)},
                     take(Config, N)),
        Long = pattern(20000),
        ?assertMatch({sctp, At, {#sctp_sndrcvinfo{stream = 0, assoc_id = FId}, Long}},
                     take(Config, F)),
        ok = gen_sctp_test_lib:all_arrived(N, Id),
        ok = M:abort(F, #sctp_assoc_change{assoc_id = FId}),
        [?assertMatch({sctp, _, #sctp_assoc_change{state = comm_lost}}, take(Config, S))
         || S <- [N, F]]
    end).

%% OTP 25 throws the pieces away, and now and then the event with them; from 27 on it misreads it,
%% and a recv never returns.
partial_delivery(Config) ->
    M = mod(Config),
    in_both_modes(fun(Mode) ->
        #{s := S, c := C, sid := SId, cid := Id, cup := Up} =
            pair(Config, [{recbuf, 20000}, {buffer, 5000} | gen_sctp_test_lib:told_again()],
                 [{sndbuf, 400000}]),
        ok = inet:setopts(S, [{active, Mode}]),
        ok = M:send(C, Id, 0, pattern(300000)),
        ThrownAway = gen_sctp_test_lib:thrown_away(),
        ok = M:abort(C, Up),
        ?assertEqual({sctp_error, at(Config, C),
                      #sctp_pdapi_event{indication = partial_delivery_aborted, assoc_id = SId}},
                     take(Config, S)),
        End = take(Config, S),
        case gen_sctp_test_lib:thrown_away() of
            ThrownAway ->
                ?assertEqual(lost(Config, C, SId, ?USER_ABORT), End);
            _ ->
                {_, _, #sctp_assoc_change{error = Error}} = End,
                ?assert(lists:member(Error, [0, ?USER_ABORT])),
                ?assertEqual(lost(Config, C, SId, Error), End)
        end
    end).

%% The beginning of a message that its sender has given up is not put together with the next one,
%% though the owner does not want to hear of that. Unordered ones have no number to tell them apart.
given_up_unheard(Config) ->
    M = mod(Config),
    #{s := S, c := C, sid := SId, cid := Id} =
        pair(Config,
             [{recbuf, 10000},
              {sctp_events, #sctp_event_subscribe{partial_delivery_event = false}}],
             [{sndbuf, 400000}, {sctp_maxseg, 1000} | quick()]),
    Info = #sctp_sndrcvinfo{assoc_id = Id, flags = [unordered], timetolive = 2000},
    ok = M:send(C, Info, pattern(200000)),
    %% The kernel hands over what it has no room for, and the library keeps it.
    gen_sctp_test_lib:until(fun() ->
        ?assertEqual({error, timeout}, M:recv(S, 0)),
        counter(fragment_bytes) > 0
    end),
    %% Nobody makes room for the rest, until it is too late.
    ?assertMatch({error, #sctp_send_failed{}}, gen_sctp_test_lib:event(M, C)),
    ok = M:send(C, Info#sctp_sndrcvinfo{timetolive = 0}, <<"next">>),
    ?assertMatch({#sctp_sndrcvinfo{flags = [unordered], assoc_id = SId}, <<"next">>},
                 gen_sctp_test_lib:data(M, S)).

%% Two hosts.

restart(Config) ->
    restarts(Config, [0]).

restart_of_two_paths(Config) ->
    restarts(Config, [0, 1]).

restarts(Config, Paths) ->
    M = mod(Config),
    lists:foreach(fun(Mode) ->
        #{near := N, far := F, nid := Id, nat := [At | Others], fat := [FAt | _]} =
            hosts(Config, Paths, quick()),
        ok = inet:setopts(N, [{active, Mode}]),
        %% Nobody hears of the end.
        ok = inet:setopts(F, [{active, false}, {linger, {true, 0}}]),
        cut(Config, Paths, fun() -> ok = M:close(F) end),
        Again = host(Config, far, Paths, [{active, Mode}, {port, element(2, FAt)}
                                           | quick()]),
        {ok, FId} = M:connectx_init(Again, [element(1, At)], element(2, At), []),
        Change = #sctp_assoc_change{outbound_streams = 10, inbound_streams = 10},
        ?assertEqual({sctp, At, Change#sctp_assoc_change{state = comm_up, assoc_id = FId}},
                     take(Config, Again)),
        ?assertEqual({sctp, FAt, Change#sctp_assoc_change{state = restart, assoc_id = Id}},
                     take(Config, N)),
        %% The other addresses are new to one end only.
        [?assertEqual(address_change(At, Other, addr_confirmed, FId), take(Config, Again))
         || Other <- Others],
        ok = M:send(N, Id, 0, <<"to the new one">>),
        ?assertMatch({sctp, At, {#sctp_sndrcvinfo{assoc_id = FId}, <<"to the new one">>}},
                     take(Config, Again)),
        ok = M:send(Again, FId, 0, <<"to the old one">>),
        ?assertMatch({sctp, FAt, {#sctp_sndrcvinfo{assoc_id = Id}, <<"to the old one">>}},
                     take(Config, N)),
        ok = M:abort(N, #sctp_assoc_change{assoc_id = Id}),
        [?assertMatch({sctp, _, #sctp_assoc_change{state = comm_lost}}, take(Config, S))
         || S <- [N, Again]]
    end, [false | [true || length(Paths) =:= 1]]).

path_fails(Config) ->
    #{near := N, far := F, nid := Id, fid := FId, nat := [At, At1], fat := [FAt, FAt1]} =
        Hosts = hosts(Config, [0, 1], impatient()),
    cut(Config, [0], fun() ->
        ?assertEqual(address_change(FAt, FAt, addr_unreachable, Id), take(Config, N)),
        ?assertEqual(address_change(At, At, addr_unreachable, FId), take(Config, F)),
        ?assertEqual({At1, FAt1}, sources(Config, Hosts))
    end),
    ?assertEqual(address_change(FAt, FAt, addr_available, Id), take(Config, N)),
    ?assertEqual(address_change(At, At, addr_available, FId), take(Config, F)),
    ?assertEqual({At, FAt}, sources(Config, Hosts)).

%% A state that the kernel knows and OTP does not, potentially failed (RFC 7829), is told only to
%% who asks for it, even where the kernel tells of it. That it has passed is an event.
path_is_doubtful(Config) ->
    M = mod(Config),
    Net = ?config(net, Config),
    Beats = {sctp_peer_addr_params, #sctp_paddrparams{hbinterval = 100, flags = [hb_enable]}},
    Asked = [{sctp_expose_potentially_failed_state,
              #sctp_assoc_value{assoc_id = 0, assoc_value = enable}}],
    ?NET:sysctl(Net, "pf_expose", "2"),
    try
        [begin
             #{near := N, far := F, nid := Id, fat := [FAt, _]} =
                 hosts(Config, [0, 1], quick() ++ [Beats | Opts]),
             Event = fun(State) -> address_change(FAt, FAt, State, Id) end,
             cut(Config, [0], fun() ->
                 gen_sctp_test_lib:until(fun() ->
                     {ok, #{primary := #{state := State}}} = M:status(N, Id),
                     State =:= potentially_failed
                 end),
                 [?assertEqual(Event(addr_potentially_failed), take(Config, N))
                  || Opts =:= Asked],
                 ?assertEqual({error, timeout}, M:recv(N, 0))
             end),
             %% The kernel says this only if it has told of the state.
             ?assertEqual(Event(addr_available), take(Config, N)),
             ok = inet:setopts(F, [{active, false}])
         end || Opts <- [Asked, []]],
        _ = gen_sctp_test_lib:mailbox(),
        ok
    after
        ?NET:sysctl(Net, "pf_expose", "0")
    end.

%% The kernel's number for a heartbeat's answer is 2.
address_change(From, Address, State, Id) ->
    Error = case State of
                addr_confirmed -> 2;
                addr_available -> 2;
                _ -> 0
            end,
    {sctp, From, #sctp_paddr_change{addr = Address, state = State, error = Error,
                                    assoc_id = Id}}.

%% Where data of each host comes from.
sources(Config, #{near := N, far := F, nid := Id, fid := FId}) ->
    M = mod(Config),
    ok = M:send(N, Id, 0, <<"from near">>),
    ok = M:send(F, FId, 0, <<"from far">>),
    {sctp, At, {#sctp_sndrcvinfo{assoc_id = FId}, <<"from near">>}} = take(Config, F),
    {sctp, FAt, {#sctp_sndrcvinfo{assoc_id = Id}, <<"from far">>}} = take(Config, N),
    {At, FAt}.

peer_is_lost(Config) ->
    M = mod(Config),
    Opts = [{sctp_associnfo, #sctp_assocparams{asocmaxrxt = 4}} | impatient()],
    #{near := N, far := F, nid := Id, fid := FId, nat := [At], fat := [FAt]} =
        hosts(Config, [0], Opts),
    Info = #sctp_sndrcvinfo{stream = 1, ppid = 2, context = 3, timetolive = 0, assoc_id = Id},
    cut(Config, [0], fun() ->
        ok = M:send(N, Info, <<"in vain">>),
        ?assertEqual(address_change(FAt, FAt, addr_unreachable, Id), take(Config, N)),
        ?assertEqual({sctp, FAt, #sctp_assoc_change{state = comm_lost, assoc_id = Id}},
                     take(Config, N)),
        ?assertEqual({sctp_error, FAt, send_failed(true, 0, Info, whole, <<"in vain">>)},
                     take(Config, N)),
        ?assertEqual(address_change(At, At, addr_unreachable, FId), take(Config, F)),
        ?assertEqual({sctp, At, #sctp_assoc_change{state = comm_lost, assoc_id = FId}},
                     take(Config, F))
    end).

primary_address(Config) ->
    #{near := N, far := F, nid := Id, fid := FId, nat := [At, At1], fat := [FAt, FAt1]} =
        Hosts = hosts(Config, [0, 1], impatient()),
    ?assertEqual({FAt, At}, {primary(N, Id), primary(F, FId)}),
    ok = inet:setopts(N, [{sctp_primary_addr, #sctp_prim{assoc_id = Id, addr = FAt1}}]),
    ?assertEqual(address_change(FAt1, FAt1, addr_made_prim, Id), take(Config, N)),
    ?assertEqual({FAt1, At}, {primary(N, Id), primary(F, FId)}),
    ?assertEqual({At1, FAt}, sources(Config, Hosts)),
    ok = inet:setopts(N, [{sctp_set_peer_primary_addr,
                           #sctp_setpeerprim{assoc_id = Id, addr = At1}}]),
    ?assertEqual(address_change(At1, At1, addr_made_prim, FId), take(Config, F)),
    ?assertEqual({FAt1, At1}, {primary(N, Id), primary(F, FId)}),
    ?assertEqual({At1, FAt1}, sources(Config, Hosts)),
    %% Not an address of the peer's; not one of ours.
    ?assertEqual({error, einval},
                 inet:setopts(N, [{sctp_primary_addr, #sctp_prim{assoc_id = Id, addr = At}}])),
    ?assertEqual({error, einval},
                 inet:setopts(N, [{sctp_set_peer_primary_addr,
                                   #sctp_setpeerprim{assoc_id = Id, addr = FAt}}])).

primary(S, Id) ->
    {ok, [{sctp_primary_addr, #sctp_prim{assoc_id = Id, addr = Address}}]} =
        inet:getopts(S, [{sctp_primary_addr, #sctp_prim{assoc_id = Id}}]),
    Address.

%% A socket without an address of its own has all of its host, and follows their changes.
addresses_come_and_go(Config) ->
    M = mod(Config),
    Net = ?config(net, Config),
    F = host(Config, far, [], [{active, true}]),
    ok = M:listen(F, true),
    N = host(Config, near, [0, 1],
             [{ipv6_v6only, true} || family(Config) =:= inet6] ++ impatient()),
    [FAt, FAt1] = at(Config, far, [0, 1], F),
    [At, At1] = at(Config, near, [0, 1], N),
    {ok, Id} = M:connectx_init(N, [element(1, FAt)], element(2, FAt), []),
    ?assertMatch({sctp, FAt, #sctp_assoc_change{state = comm_up, assoc_id = Id}},
                 take(Config, N)),
    {sctp, At, #sctp_assoc_change{state = comm_up, assoc_id = FId}} = take(Config, F),
    ?assertEqual(address_change(FAt, FAt1, addr_confirmed, Id), take(Config, N)),
    ?assertEqual(address_change(At, At1, addr_confirmed, FId), take(Config, F)),
    ?assertEqual({ok, [FAt, FAt1]}, peernames(Config, N, Id)),
    ok = ?NET:remove_address(Net, far, family(Config), 1),
    try
        ?assertEqual(address_change(FAt, FAt1, addr_removed, Id), take(Config, N)),
        ?assertEqual({ok, [FAt]}, peernames(Config, N, Id))
    after
        ?NET:add_address(Net, far, family(Config), 1)
    end,
    ?assertEqual(address_change(FAt, FAt1, addr_added, Id), take(Config, N)),
    ?assertEqual(address_change(FAt, FAt1, addr_confirmed, Id), take(Config, N)),
    ?assertEqual({ok, [FAt, FAt1]}, peernames(Config, N, Id)).

connect_by_second_address(Config) ->
    M = mod(Config),
    F = host(Config, far, [0, 1], [{active, true} | quick()]),
    ok = M:listen(F, true),
    N = host(Config, near, [0, 1], quick()),
    [FAt, FAt1] = at(Config, far, [0, 1], F),
    [At, At1] = at(Config, near, [0, 1], N),
    {Id, FId} = cut(Config, [0], fun() ->
        {ok, Id} = M:connectx_init(N, [element(1, A) || A <- [FAt, FAt1]], element(2, FAt), []),
        ?assertMatch({sctp, FAt1, #sctp_assoc_change{state = comm_up, assoc_id = Id}},
                     take(Config, N)),
        {sctp, At1, #sctp_assoc_change{state = comm_up, assoc_id = FId}} = take(Config, F),
        {Id, FId}
    end),
    ?assertEqual({ok, [FAt, FAt1]}, peernames(Config, N, Id)),
    ?assertEqual({ok, [At1, At]}, peernames(Config, F, FId)),
    ?assertEqual(address_change(At1, At, addr_confirmed, FId), take(Config, F)).

names(Config) ->
    #{near := N, far := F, nid := Id, fid := FId, nat := At, fat := FAt} =
        hosts(Config, [0, 1], impatient()),
    ?assertEqual({ok, At}, socknames(Config, N)),
    ?assertEqual({ok, At}, socknames(Config, N, Id)),
    ?assertEqual({ok, FAt}, peernames(Config, N, Id)),
    ?assertEqual({ok, FAt}, socknames(Config, F, FId)),
    ?assertEqual({ok, At}, peernames(Config, F, FId)),
    ?assertEqual({ok, hd(At)}, inet:sockname(N)),
    ?assertEqual({ok, [?NET:netns(?config(net, Config), near)]}, inet:getopts(N, [netns])).

%% Both families on one socket, and a path of each. Reached by its private address of IPv4 a peer
%% tells of its global ones, too, not the other way round.
both_families(Config) ->
    M = mod(Config),
    [N, F] = [host(Config, Host, [], [{ip, ?NET:address(Host, inet6, 0)},
                                      {ifaddr, ?NET:address(Host, inet, 1)}, {active, Active}
                                      | impatient()])
              || {Host, Active} <- [{near, false}, {far, true}]],
    ok = M:listen(F, true),
    [At, At6] = [mapped_at(Host, N) || Host <- [near4, near]],
    [FAt, FAt6] = [mapped_at(Host, F) || Host <- [far4, far]],
    ?assertEqual({ok, [At6, At]}, socknames(Config, N)),
    {ok, Id} = M:connectx_init(N, [{?NET:address(far, inet, 1), port(F)}], []),
    ?assertMatch({sctp, FAt, #sctp_assoc_change{state = comm_up, assoc_id = Id}},
                 take(Config, N)),
    {sctp, At, #sctp_assoc_change{state = comm_up, assoc_id = FId}} = take(Config, F),
    ?assertEqual(address_change(FAt, FAt6, addr_confirmed, Id), take(Config, N)),
    ?assertEqual(address_change(At, At6, addr_confirmed, FId), take(Config, F)),
    ?assertEqual({ok, [FAt, FAt6]}, peernames(Config, N, Id)),
    Hosts = #{near => N, far => F, nid => Id, fid => FId},
    ?assertEqual({At, FAt}, sources(Config, Hosts)),
    cut(Config, [1], fun() ->
        ?assertEqual(address_change(FAt, FAt, addr_unreachable, Id), take(Config, N)),
        ?assertEqual(address_change(At, At, addr_unreachable, FId), take(Config, F)),
        ?assertEqual({At6, FAt6}, sources(Config, Hosts))
    end),
    ?assertEqual(address_change(FAt, FAt, addr_available, Id), take(Config, N)),
    ?assertEqual(address_change(At, At, addr_available, FId), take(Config, F)).

mapped_at(near4, S) -> {inet:ipv4_mapped_ipv6_address(?NET:address(near, inet, 1)), port(S)};
mapped_at(far4, S) -> {inet:ipv4_mapped_ipv6_address(?NET:address(far, inet, 1)), port(S)};
mapped_at(Host, S) -> {?NET:address(Host, inet6, 0), port(S)}.

%% Addresses that mean something only together with an interface.
link_local(Config) ->
    M = mod(Config),
    {IP, Scope} = link_local_address(),
    At = fun(Port) -> #{family => inet6, addr => IP, port => Port, scope_id => Scope} end,
    Opened = fun() ->
        {ok, S} = M:open([inet6, {ifaddr, At(0)}]),
        gen_sctp_test_lib:adopt(S)
    end,
    S = Opened(),
    ok = M:listen(S, true),
    ?assertMatch({ok, {IP, _}}, inet:sockname(S)),
    Port = port(S),
    C = Opened(),
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = Id}} = M:connect(C, At(Port), []),
    {ok, {IP, _, [], #sctp_assoc_change{state = comm_up, assoc_id = SId}}} = recv(M, S),
    ?assertEqual({ok, [{IP, port(C)}]}, peernames(Config, S, SId)),
    ok = M:send(C, Id, 0, <<"over this link">>),
    ?assertMatch({ok, {IP, _, [#sctp_sndrcvinfo{}], <<"over this link">>}}, recv(M, S)),
    ?assertEqual(ok, M:connect_init(Opened(), At(Port), [])),
    ?assertMatch({ok, _}, M:connectx_init(Opened(), [At(Port)], [])),
    [?assertMatch({ok, {IP, _, [], #sctp_assoc_change{state = comm_up}}}, recv(M, S))
     || _ <- [1, 2]],
    %% Without the interface the kernel does not know where to.
    ?assertEqual({error, einval}, M:connect(Opened(), maps:remove(scope_id, At(Port)), [])).

%% That of the test machine, and the number of its interface.
link_local_address() ->
    {ok, Interfaces} = inet:getifaddrs(),
    hd([{IP, Index} || {Name, Opts} <- Interfaces,
                       {addr, {16#fe80, _, _, _, _, _, _, _} = IP} <- Opts,
                       {ok, Index} <- [net:if_name2index(Name)]]).

socknames(Config, S) -> (names_of(Config)):socknames(S).
socknames(Config, S, Id) -> (names_of(Config)):socknames(S, Id).
peernames(Config, S, Id) -> (names_of(Config)):peernames(S, Id).

%% `inet' does not pass these on to a module.
names_of(Config) ->
    case mod(Config) of
        gen_sctp -> inet;
        Module -> Module
    end.

%% Options with which what was lost is sent again soon, and no path is given up.
quick() ->
    [{sctp_rtoinfo, #sctp_rtoinfo{initial = 200, max = 2000, min = 200}},
     {sctp_associnfo, #sctp_assocparams{asocmaxrxt = 200}},
     {sctp_peer_addr_params, #sctp_paddrparams{pathmaxrxt = 200}}].

%% Options with which a path that fails is found out within a second.
impatient() ->
    [{sctp_rtoinfo, #sctp_rtoinfo{initial = 200, max = 300, min = 200}},
     {sctp_peer_addr_params, #sctp_paddrparams{hbinterval = 100, pathmaxrxt = 2,
                                               flags = [hb_enable]}}].

%% A socket on a host, with its addresses on these paths.
host(Config, Host, Paths, Opts) ->
    Addresses = [{ip, ?NET:address(Host, family(Config), Path)} || Path <- Paths],
    {ok, S} = (mod(Config)):open([family(Config), ?NET:netns(?config(net, Config), Host),
                                  {recbuf, 262144}, {sndbuf, 262144}, {sctp_nodelay, true}
                                  | Addresses ++ Opts]),
    gen_sctp_test_lib:adopt(S).

%% An association over these paths of a passive socket with an active one, and their addresses;
%% all events have been taken.
hosts(Config, [Path | Others] = Paths, Opts) ->
    M = mod(Config),
    F = host(Config, far, Paths, [{active, true} | Opts]),
    ok = M:listen(F, true),
    N = host(Config, near, Paths, Opts),
    [FAt | FOthers] = at(Config, far, Paths, F),
    [At | NOthers] = at(Config, near, Paths, N),
    {ok, Id} = M:connectx_init(N, [?NET:address(far, family(Config), Path)], port(F), []),
    Change = #sctp_assoc_change{state = comm_up, outbound_streams = 10, inbound_streams = 10},
    ?assertEqual({sctp, FAt, Change#sctp_assoc_change{assoc_id = Id}}, take(Config, N)),
    {sctp, At, #sctp_assoc_change{assoc_id = FId} = FChange} = take(Config, F),
    ?assertEqual(Change#sctp_assoc_change{assoc_id = FId}, FChange),
    [?assertEqual(address_change(FAt, Other, addr_confirmed, Id), take(Config, N))
     || Other <- FOthers],
    [?assertEqual(address_change(At, Other, addr_confirmed, FId), take(Config, F))
     || Other <- NOthers],
    true = length(Others) =:= length(FOthers),
    #{near => N, far => F, nid => Id, fid => FId, nat => [At | NOthers], fat => [FAt | FOthers]}.

at(Config, Host, Paths, S) ->
    [{?NET:address(Host, family(Config), Path), port(S)} || Path <- Paths].

%% Has nothing pass on these paths meanwhile.
cut(Config, Paths, Case) ->
    Net = ?config(net, Config),
    try
        lists:foreach(fun(Path) -> ?NET:cut(Net, Path) end, Paths),
        Case()
    after
        lists:foreach(fun(Path) -> ?NET:heal(Net, Path) end, Paths)
    end.

%% Pairs, and what comes, in one shape.

in_both_modes(Case) ->
    lists:foreach(Case, [false, true]).

with_pair(Config, Case) ->
    in_both_modes(fun(Mode) ->
        #{s := S, c := C} = Pair = pair(Config),
        [ok = inet:setopts(Socket, [{active, Mode}]) || Socket <- [S, C]],
        Case(Pair)
    end).

with_raw(Config, Case) ->
    Raw = ?NET:raw(family(Config)),
    try Case(Raw) after ?NET:close(Raw) end.

with_tagged_pair(Config, Raw, Case) ->
    with_pair(Config, fun(#{sport := SPort, cport := CPort} = Pair) ->
        ToS = {CPort, SPort, ?NET:tag(Raw, CPort, SPort)},
        ToC = {SPort, CPort, ?NET:tag(Raw, SPort, CPort)},
        Case(Pair#{to_s => ToS, to_c => ToC})
    end).

at(Config, S) ->
    {loopback(Config), port(S)}.

%% Next of a socket, passive or active: {sctp | sctp_error, {IP, Port}, Event or data}.
take(Config, S) ->
    case inet:getopts(S, [active]) of
        {ok, [{active, false}]} ->
            case recv(mod(Config), S) of
                {ok, {IP, Port, Anc, Content}} -> {sctp, {IP, Port}, content(Anc, Content)};
                {error, {Raw, Anc, Event}} -> {sctp_error, raw(Raw), content(Anc, Event)}
            end;
        {ok, _} ->
            receive
                {Tag, S, IP, Port, {Anc, Content}} -> {Tag, {IP, Port}, content(Anc, Content)}
            after ?TIMEOUT ->
                error({nothing_from, S})
            end
    end.

content([], Event) when is_tuple(Event) -> Event;
content([#sctp_sndrcvinfo{} = Info], Data) when is_binary(Data); is_list(Data) -> {Info, Data}.

%% As the driver has it.
raw([1, Port1, Port0, A, B, C, D]) ->
    {{A, B, C, D}, Port1 * 256 + Port0};
raw([2, Port1, Port0 | Bytes]) ->
    {list_to_tuple([Word || <<Word:16>> <= list_to_binary(Bytes)]), Port1 * 256 + Port0}.
