%% @doc What differs on purpose from stock gen_sctp: a test for each entry of docs/differences.md,
%% whose names are those of the cases here.
-module(gen_sctp_nif_differences_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [mod/1, family/1, loopback/1, open/2, adopt/1, listener/2, pair/1, pair/3, join/4, port/1,
         data/2, event/2, next/1, queued/2, silent/1, async/1, await/1, kill/1, helper/0,
         call/2, until/1, until_blocked/1, all_arrived/2, no_message/0]).

suite() -> [{timetrap, {seconds, 60}}].

all() -> [all_are_tested, {group, nif}].

groups() ->
    [{nif, [], [{inet, [], gen_sctp_nif_differences:names()},
                {inet6, [], gen_sctp_nif_differences:names()}]}].

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(all_are_tested, Config) -> Config;
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(all_are_tested, _) -> ok;
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% Each has a case here, each case is one of them.
all_are_tested(_) ->
    Cases = [Name || {Name, 1} <- ?MODULE:module_info(exports)] --
        [all_are_tested, init_per_group, end_per_group, module_info],
    ?assertEqual([], (Cases -- gen_sctp_nif_differences:names()) --
                         [remote_pid, end_per_testcase]),
    ?assertEqual([], gen_sctp_nif_differences:names() -- Cases).

%% Open and options.

crashes_are_badarg(Config) ->
    M = mod(Config),
    ?assertError(badarg, M:open([{sctp_module, no_such_module}])),
    ?assertError(badarg, M:open([{ip, []}])),
    ?assertError(badarg, M:open([inet6, {ip, #{family => inet6, addr => loopback, port => 0}}])),
    ?assertError(badarg, M:open([{ip, #{family => inet, addr => {a, b, c, d}, port => 0}}])),
    ?assertError(badarg, M:peeloff(foo, 1)),
    ?assertError(badarg, M:peeloff(open(Config, []), foo)).

module_over_family(Config) ->
    {ok, S} = (mod(Config)):open([inet, {sctp_module, inet6_sctp}, {ip, loopback}]),
    adopt(S),
    ?assertMatch({ok, {{0, 0, 0, 0, 0, 0, 0, 1}, _}}, inet:sockname(S)).

default_buffers(Config) ->
    {ok, S} = (mod(Config)):open([family(Config)]),
    adopt(S),
    {ok, [{recbuf, Recbuf}, {buffer, Buffer}]} = inet:getopts(S, [recbuf, buffer]),
    ?assert(Recbuf > 65536),
    ?assertEqual(65536, Buffer).

options_of_newer_releases(Config) ->
    S = open(Config, []),
    [begin
         ?assertEqual(ok, inet:setopts(S, [{Name, Value}])),
         ?assertEqual({ok, [Expected]}, inet:getopts(S, [Name]))
     end || {Name, Value, Expected} <- [{reuseport, true, {reuseport, true}},
                                        {reuseport_lb, false, {reuseport_lb, false}},
                                        {non_block_send, true, true},
                                        {non_block_send, false, false}, {debug, false, false}]],
    ?assertEqual(ok, inet:setopts(S, [{exclusiveaddruse, true}])),
    ?assertEqual({ok, []}, inet:getopts(S, [exclusiveaddruse])),
    [?assertEqual({error, einval}, inet:setopts(S, [{Name, 1}]))
     || Name <- [reuseport, reuseport_lb, non_block_send, exclusiveaddruse]],
    [?assertError(badarg, (mod(Config)):open([family(Config), {port, Port}, {ip, {loopback, 0}}]))
     || Port <- [-1, 65536]].

default_options_of_kernel(Config) ->
    M = mod(Config),
    Opened = fun(Default, Opts) ->
        ok = application:set_env(kernel, inet_default_sctp_options, Default),
        try
            {ok, S} = M:open([family(Config) | Opts]),
            adopt(S),
            {ok, [{buffer, Buffer}, {sctp_nodelay, Nodelay}]} =
                inet:getopts(S, [buffer, sctp_nodelay]),
            {Buffer, Nodelay}
        after
            application:unset_env(kernel, inet_default_sctp_options)
        end
    end,
    Default = [{buffer, 7777}, {sctp_nodelay, true}],
    ?assertEqual({7777, true}, Opened(Default, [])),
    ?assertEqual({8888, true}, Opened(Default, [{buffer, 8888}])),
    %% One that is none, and the whole list does not count.
    ?assertEqual({65536, false}, Opened([{foo, 1} | Default], [])).

plain_option_errors(Config) ->
    M = mod(Config),
    #{c := C, cid := Id} = pair(Config),
    Einval = {error, einval},
    [?assertEqual(Einval, inet:setopts(C, [Opt]))
     || Opt <- [{sctp_rtoinfo, #sctp_rtoinfo{initial = -1}},
                {sctp_initmsg, #sctp_initmsg{num_ostreams = 65536}},
                {sctp_default_send_param, #sctp_sndrcvinfo{flags = [foo]}},
                {sctp_default_send_param, #sctp_sndrcvinfo{flags = foo}},
                {sctp_peer_addr_params, #sctp_paddrparams{flags = [hb_enable | foo]}}]],
    ?assertEqual(Einval, inet:getopts(C, [sctp_status])),
    ?assertEqual(Einval, inet:getopts(C, [{sctp_rtoinfo, #sctp_rtoinfo{max = 1}}])),
    ?assertEqual(Einval, M:send(C, #sctp_sndrcvinfo{assoc_id = Id, tsn = 1}, <<"x">>)),
    ?assertEqual(Einval, M:send(C, #sctp_sndrcvinfo{assoc_id = Id, flags = foo}, <<"x">>)),
    ?assertEqual(Einval, M:send(C, #sctp_sndrcvinfo{assoc_id = Id, flags = [eof | foo]}, <<>>)),
    ?assertEqual(Einval, M:send(C, Id, 65536, <<"x">>)).

default_send_param_in_connect(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = open(Config, []),
    {ok, #sctp_assoc_change{assoc_id = Id}} =
        M:connect(C, loopback(Config), port(S),
                  [{sctp_default_send_param, #sctp_sndrcvinfo{ppid = 17}}]),
    ok = M:send(C, Id, 0, <<"x">>),
    _ = event(M, S),
    ?assertMatch({#sctp_sndrcvinfo{ppid = 17}, <<"x">>}, data(M, S)).

send_param_zeros(Config) ->
    S = open(Config, [{sctp_default_send_param, #sctp_sndrcvinfo{ppid = 1}}]),
    Info = #sctp_sndrcvinfo{stream = 0, ssn = 0, flags = [], ppid = 1, context = 0,
                            timetolive = 0, tsn = 0, cumtsn = 0, assoc_id = 0},
    ?assertEqual({ok, [{sctp_default_send_param, Info}]},
                 inet:getopts(S, [sctp_default_send_param])).

delayed_ack_time(Config) ->
    #{c := C, cid := Id} = pair(Config),
    Value = #sctp_assoc_value{assoc_id = Id, assoc_value = 160},
    ?assertEqual(ok, inet:setopts(C, [{sctp_delayed_ack_time, Value}])),
    Request = {sctp_delayed_ack_time, #sctp_assoc_value{assoc_id = Id}},
    ?assertEqual({ok, [{sctp_delayed_ack_time, Value}]}, inet:getopts(C, [Request])),
    ?assertEqual({ok, [{sctp_delayed_ack_time,
                        #sctp_assoc_value{assoc_id = 0, assoc_value = 200}}]},
                 inet:getopts(C, [sctp_delayed_ack_time])).

active_multi(Config) ->
    S = open(Config, [{active, 3}]),
    ?assertEqual({error, einval}, inet:setopts(S, [{active, multi}])),
    ?assertEqual({ok, [{active, 3}]}, inet:getopts(S, [active])).

%% Connect.

refused_has_id(Config) ->
    M = mod(Config),
    C = open(Config, []),
    Unused = open(Config, []),
    {error, #sctp_assoc_change{state = cant_assoc, assoc_id = First}} =
        M:connect(C, loopback(Config), port(Unused), []),
    ok = M:connect_init(C, loopback(Config), port(Unused), []),
    #sctp_assoc_change{state = cant_assoc, assoc_id = Second} = event(M, C),
    ?assert(First > 0),
    ?assert(Second > First).

no_empty_host(Config) ->
    M = mod(Config),
    S = open(Config, []),
    [?assertEqual({error, nxdomain}, M:Connect(S, Host, 9, []))
     || Connect <- [connect, connect_init], Host <- ["", '']].

connect_without_events(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = open(Config, [no_association_events()]),
    ?assertMatch({ok, #sctp_assoc_change{state = comm_up}},
                 M:connect(C, loopback(Config), port(S), [])),
    #sctp_assoc_change{state = comm_up} = Up = event(M, S),
    ok = M:abort(S, Up),
    #sctp_assoc_change{state = comm_lost} = event(M, S),
    ok = M:connect_init(C, loopback(Config), port(S), []),
    #sctp_assoc_change{state = comm_up, assoc_id = Id} = event(M, S),
    ok = M:send(S, Id, 0, <<"data">>),
    ?assertMatch({_, <<"data">>}, data(M, C)),
    ?assertEqual({ok, [no_association_events()]}, inet:getopts(C, [sctp_events])).

no_association_events() ->
    {sctp_events, #sctp_event_subscribe{data_io_event = true, association_event = false,
                                        address_event = true, send_failure_event = true,
                                        peer_error_event = true, shutdown_event = true,
                                        partial_delivery_event = true,
                                        adaptation_layer_event = false,
                                        authentication_event = false}}.

events_as_of_reading(Config) ->
    M = mod(Config),
    S = listener(Config, [no_association_events()]),
    C = open(Config, []),
    {ok, #sctp_assoc_change{assoc_id = Id}} = M:connect(C, loopback(Config), port(S), []),
    ok = inet:setopts(S, [{sctp_events, #sctp_event_subscribe{}}]),
    ?assertMatch(#sctp_assoc_change{state = comm_up}, event(M, S)),
    ok = M:abort(C, #sctp_assoc_change{assoc_id = Id}),
    #sctp_assoc_change{state = comm_lost} = event(M, C),
    ok = inet:setopts(S, [no_association_events()]),
    ?assertEqual({error, timeout}, M:recv(S, 0)).

checked_address_maps(Config) ->
    M = mod(Config),
    S = open(Config, []),
    Map = gen_sctp_test_lib:address(inet6, {0, 0, 0, 0, 0, 0, 0, 1}, 9),
    [?assertEqual({error, einval}, M:connect_init(S, Bad, []))
     || Bad <- [Map#{flowinfo := foo}, Map#{scope_id := -1}, Map#{scope_id := 1 bsl 32},
                Map#{addr := {a, 0, 0, 0, 0, 0, 0, 1}}]].

long_timeouts(Config) ->
    M = mod(Config),
    Unused = open(Config, []),
    [?assertMatch({error, #sctp_assoc_change{state = cant_assoc}},
                  M:connect(open(Config, []), loopback(Config), port(Unused), [], Timeout))
     || Timeout <- [16#ffffffff, 1 bsl 32, 1 bsl 40]].

no_stray_timers(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = open(Config, []),
    Map = gen_sctp_test_lib:address(family(Config), loopback(Config), port(S)),
    {ok, #sctp_assoc_change{}} = M:connect(C, Map, [], 100),
    %% The timer of a connect that is over must not speak up, nor must a receive's.
    ?assertEqual({error, timeout}, M:recv(C, 150)),
    no_message().

connect_compares_associations(Config) ->
    M = mod(Config),
    F = family(Config),
    S = listener(Config, []),
    Port = port(S),
    %% OTP compares the address with that of the event, literally.
    ?assertMatch({ok, #sctp_assoc_change{state = comm_up}},
                 M:connect(open(Config, []), gen_sctp_test_lib:address(F, loopback, Port), [])),
    {ok, Six} = M:open([inet6]),
    adopt(Six),
    Four = listener([{family, inet} | Config], []),
    ?assertMatch({ok, #sctp_assoc_change{state = comm_up}},
                 M:connect(Six, gen_sctp_test_lib:address(inet, {127, 0, 0, 1}, port(Four)), [])).

connect_beside_data(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := CId, sid := SId} = pair(Config),
    L = listener(Config, []),
    ok = M:send(C, CId, 0, <<"first">>),
    all_arrived(C, CId),
    %% Data is waiting when connect begins; it stays for a later receive.
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = New}} =
        M:connect(S, loopback(Config), port(L), []),
    ?assertNotEqual(SId, New),
    ?assertMatch({_, <<"first">>}, data(M, S)),
    ?assertEqual({error, timeout}, M:recv(S, 0)),
    %% The same while others' messages come in all the time.
    Sender = async(fun() -> [ok = M:send(C, CId, 0, <<N:32>>) || N <- lists:seq(1, 30)] end),
    Listeners = [listener(Config, []) || _ <- [1, 2, 3]],
    [?assertMatch({ok, #sctp_assoc_change{state = comm_up}},
                  M:connect(S, loopback(Config), port(Each), [])) || Each <- Listeners],
    await(Sender),
    ?assertEqual(lists:seq(1, 30), [N || _ <- lists:seq(1, 30), {_, <<N:32>>} <- [data(M, S)]]),
    ?assertEqual({error, timeout}, M:recv(S, 0)).

connect_beside_receiver(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := CId} = pair(Config),
    L = listener(Config, []),
    Receiver = async(fun() -> M:recv(S) end),
    until_blocked(Receiver),
    ?assertMatch({ok, #sctp_assoc_change{state = comm_up}},
                 M:connect(S, loopback(Config), port(L), [], 5000)),
    ok = M:send(C, CId, 0, <<"for the receiver">>),
    ?assertMatch({ok, {_, _, _, <<"for the receiver">>}}, await(Receiver)).

connect_by_any_process(Config) ->
    %% Not the owner's call, and active: OTP sends the answer to the owner, and the caller waits.
    M = mod(Config),
    S = listener(Config, []),
    [begin
         C = open(Config, [{active, Mode}]),
         ?assertMatch({ok, #sctp_assoc_change{state = comm_up}},
                      await(async(fun() -> M:connect(C, loopback(Config), port(S), [], 5000) end))),
         ?assertMatch(#sctp_assoc_change{state = comm_up}, event(M, S)),
         silent(C)
     end || Mode <- [true, once, false]].

%% Send and receive.

whole_bytes_only(Config) ->
    M = mod(Config),
    #{c := C, cid := Id} = pair(Config),
    ?assertEqual({error, einval}, M:send(C, Id, 0, [$a | <<1:3>>])).

receiver_killed(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config),
    [begin
         Receiver = async(fun() -> M:recv(S, Timeout) end),
         until_blocked(Receiver),
         kill(Receiver),
         %% Its place is free and the message is not lost.
         until(fun() -> M:recv(S, 0) =:= {error, timeout} end),
         ok = M:send(C, Id, 0, <<"for whom">>),
         ?assertMatch({_, <<"for whom">>}, data(M, S))
     end || Timeout <- [infinity, 60000]].

receiver_beside_active(Config) ->
    M = mod(Config),
    [begin
         #{s := S, c := C, cid := Id} = pair(Config),
         Receiver = async(fun() -> M:recv(S, 500) end),
         until_blocked(Receiver),
         ok = inet:setopts(S, [{active, Mode}]),
         ok = M:send(C, Id, 0, <<"for the owner">>),
         ?assertEqual(<<"for the owner">>, next(S)),
         ?assertEqual({error, timeout}, await(Receiver)),
         ok = inet:setopts(S, [{active, false}]),
         ?assertEqual({error, timeout}, M:recv(S, 0))
     end || Mode <- [true, once]].

receive_timer_ends(Config) ->
    M = mod(Config),
    C = open(Config, [{type, stream}]),
    Unused = open(Config, []),
    {error, #sctp_assoc_change{}} = M:connect(C, loopback(Config), port(Unused), []),
    ?assertEqual({error, econnrefused}, M:recv(C, 50)),
    %% The 50 ms belonged to the receive that has ended.
    Begin = erlang:monotonic_time(millisecond),
    ?assertEqual({error, timeout}, M:recv(C, 150)),
    ?assert(erlang:monotonic_time(millisecond) - Begin >= 150).

stream_end_is_quiet(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = open(Config, [{type, stream}]),
    #{cid := CId, sup := Up} = join(M, loopback(Config), S, C),
    ok = M:eof(S, Up),
    ?assertEqual(#sctp_shutdown_event{assoc_id = CId}, event(M, C)),
    ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = CId}, event(M, C)),
    {_, _} = statistics(runtime),
    ?assertEqual({error, timeout}, M:recv(C, 300)),
    %% It waited, it did not spin.
    {_, Used} = statistics(runtime),
    ?assert(Used < 250).

info_of_first_piece(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} =
        pair(Config, [{recbuf, 20000}, {buffer, 8000}], [{sndbuf, 1000000}]),
    ok = M:send(C, Id, 0, <<"before">>),
    {#sctp_sndrcvinfo{tsn = Before}, <<"before">>} = data(M, S),
    Large = binary:copy(<<1>>, 200000),
    ok = M:send(C, Id, 0, Large),
    {#sctp_sndrcvinfo{tsn = First}, Large} = data(M, S),
    ?assertEqual((Before + 1) band 16#ffffffff, First).

partial_delivery_ends(Config) ->
    M = mod(Config),
    %% A message that does not fit into the receiver's buffer, and whose end never comes.
    #{s := S, c := C, cid := Id, sid := SId, cup := Up} =
        pair(Config, [{recbuf, 20000} | gen_sctp_test_lib:told_again()], [{sndbuf, 400000}]),
    Receiver = async(fun() -> M:recv(S) end),
    until_blocked(Receiver),
    ok = inet:setopts(S, [{buffer, 5000}]),
    ok = M:send(C, Id, 0, binary:copy(<<"never whole ">>, 30000)),
    ok = M:abort(C, Up),
    {error, {_, [], Event}} = await(Receiver),
    ?assertEqual(#sctp_pdapi_event{indication = partial_delivery_aborted, assoc_id = SId}, Event),
    ?assertMatch(#sctp_assoc_change{state = comm_lost, assoc_id = SId}, event(M, S)).

blocked_senders_are_independent(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id, cup := Up} = pair(Config, [{recbuf, 4096}], [{sndbuf, 8192}]),
    Other = listener(Config, []),
    {ok, #sctp_assoc_change{assoc_id = OtherId}} =
        M:connect(C, loopback(Config), port(Other), []),
    Sender = async(fun() -> send_until_error(M, C, Id) end),
    until_blocked(Sender),
    %% Who does not want to wait is not made to, and an association can be peeled off.
    ok = inet:setopts(C, [{non_block_send, true}]),
    ?assertEqual({error, eagain}, M:send(C, Id, 0, binary:copy(<<0>>, 2000))),
    {ok, P} = M:peeloff(C, OtherId),
    adopt(P),
    ok = M:send(P, OtherId, 0, <<"free">>),
    _ = event(M, Other),
    ?assertMatch({_, <<"free">>}, data(M, Other)),
    ok = M:abort(C, Up),
    ?assertEqual({error, epipe}, await(Sender)),
    ?assertMatch({ok, _}, inet:sockname(S)).

send_until_error(M, S, Id) ->
    case M:send(S, Id, 0, binary:copy(<<0>>, 2000)) of
        ok -> send_until_error(M, S, Id);
        Error -> Error
    end.

refused_is_not_sent(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config, [{recbuf, 4096}], [{sndbuf, 8192},
                                                                   {non_block_send, true}]),
    Items = [send_cnt, send_oct, send_max, send_avg],
    Sent = fun() -> {ok, Counters} = inet:getstat(C, Items), [N || {_, N} <- Counters] end,
    ?assertEqual({error, epipe}, M:send(C, Id + 1000, 0, <<"nobody">>)),
    ?assertEqual({error, einval}, M:send(C, Id, 60000, <<"no such stream">>)),
    ?assertEqual({error, einval}, M:send(C, Id, 0, <<>>)),
    ?assertEqual({error, emsgsize}, M:send(C, Id, 0, binary:copy(<<0>>, 100000))),
    ?assertEqual({error, epipe}, M:send(C, #sctp_sndrcvinfo{assoc_id = Id + 1000}, <<"nobody">>)),
    ?assertMatch({error, {einval, [_, _]}},
                 M:send_batch(C, Id, [{60000, <<"no such stream">>}, {0, <<"next">>}])),
    ?assertEqual([0, 0, 0, 0], Sent()),
    Message = binary:copy(<<1>>, 2000),
    Taken = gen_sctp_test_lib:until_full(fun(_) -> M:send(C, Id, 0, Message) end),
    ?assertEqual([Taken, 2000 * Taken, 2000, 2000], Sent()),
    %% Nor is each attempt of one that waits.
    ok = inet:setopts(C, [{non_block_send, false}]),
    Sender = async(fun() -> M:send(C, Id, 0, Message) end),
    until_blocked(Sender),
    ?assertEqual([Taken, 2000 * Taken, 2000, 2000], Sent()),
    [data(M, S) || _ <- lists:seq(1, Taken + 1)],
    ok = await(Sender),
    ?assertEqual([Taken + 1, 2000 * (Taken + 1), 2000, 2000], Sent()).

close_releases_all_senders(Config) ->
    M = mod(Config),
    #{c := C, cid := Id} = pair(Config, [{recbuf, 4096}], [{sndbuf, 8192}]),
    Senders = [async(fun() -> send_until_error(M, C, Id) end) || _ <- [1, 2, 3]],
    lists:foreach(fun(Sender) -> until_blocked(Sender) end, Senders),
    ok = M:close(C),
    ?assertEqual(lists:duplicate(3, {error, closed}), [await(Sender) || Sender <- Senders]).

%% Owners, peeled-off sockets, names.

give_away_moves_all(Config) ->
    M = mod(Config),
    {ok, S} = M:open([family(Config), {active, 2}]),
    adopt(S),
    {ok, Id} = M:connectx_init(S, [gen_sctp_test_lib:unanswered(family(Config))], 9, []),
    ok = M:send(S, Id, 0, <<"never sent">>),
    ok = M:abort(S, #sctp_assoc_change{assoc_id = Id}),
    queued(S, 3),
    New = helper(),
    ok = M:controlling_process(S, New),
    no_message(),
    ?assertMatch([#sctp_assoc_change{state = cant_assoc}, {error, #sctp_send_failed{}}, passive],
                 call(New, fun() -> [next(S) || _ <- [1, 2, 3]] end)).

%% The new owner gets the first of many messages, stops who is giving the socket away, and asks for
%% one more.
give_away_keeps_new_mode(Config) ->
    until(fun() -> set_while_given_away(Config, 20000) end).

%% False if all was over when the new owner got its first message.
set_while_given_away(Config, Messages) ->
    M = mod(Config),
    S = open(Config, []),
    Self = self(),
    New = helper(),
    process_flag(priority, low),
    [Self ! {sctp, S, loopback(Config), 1, {[], N}} || N <- lists:seq(1, Messages)],
    Setting = async(fun() ->
        call(New, fun() ->
            receive {sctp, S, _, _, {[], 1}} -> ok end,
            true = erlang:suspend_process(Self),
            #{owner := Owner} = inet:info(S),
            ok = inet:setopts(S, [{active, once}]),
            true = erlang:resume_process(Self),
            Owner =:= Self
        end)
    end),
    ok = M:controlling_process(S, New),
    process_flag(priority, normal),
    InTime = await(Setting),
    ?assertEqual({ok, [{active, once}]}, inet:getopts(S, [active])),
    ok = M:close(S),
    InTime.

give_away_to_the_dead(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config),
    Dead = helper(),
    kill(Dead),
    ok = inet:setopts(S, [{active, 2}]),
    ok = M:send(C, Id, 0, <<"kept">>),
    queued(S, 1),
    ?assertEqual({error, badarg}, M:controlling_process(S, Dead)),
    %% Nothing has happened: messages, mode and owner are as before.
    ?assertEqual(<<"kept">>, next(S)),
    ?assertEqual({ok, [{active, 1}]}, inet:getopts(S, [active])),
    ok = M:send(C, Id, 0, <<"next">>),
    ?assertEqual([<<"next">>, passive], [next(S), next(S)]),
    ?assertEqual({error, badarg}, M:controlling_process(S, remote_pid())).

%% A process of a node that is not connected.
remote_pid() ->
    Name = <<"elsewhere@nowhere">>,
    binary_to_term(<<131, 88, 100, (byte_size(Name)):16, Name/binary, 1:32, 0:32, 1:32>>).

give_away_closed(Config) ->
    M = mod(Config),
    S = open(Config, []),
    ok = M:close(S),
    ?assertEqual({error, closed}, M:controlling_process(S, helper())).

peeled_inherits(Config) ->
    M = mod(Config),
    #{s := S, sid := Id} =
        pair(Config, [{linger, {true, 2}}, {priority, 5}, {sctp_nodelay, false}, list], []),
    ok = inet:setopts(S, [{buffer, 7000}, {active, 4}, {non_block_send, true}]),
    {ok, P} = M:peeloff(S, Id),
    adopt(P),
    Names = [active, mode, buffer, linger, priority, sctp_nodelay, reuseaddr, non_block_send],
    Expected = {ok, [{active, 4}, {mode, list}, {buffer, 7000}, {linger, {true, 2}},
                     {priority, 5}, {sctp_nodelay, false}, {reuseaddr, false}, true]},
    ?assertEqual(Expected, inet:getopts(S, Names)),
    ?assertEqual(Expected, inet:getopts(P, Names)).

names_without_inet(Config) ->
    M = mod(Config),
    #{s := S, sid := Id, ip := IP, sport := SPort, cport := CPort} = pair(Config),
    ?assertEqual({ok, [{IP, CPort}]}, M:peernames(S, Id)),
    ?assertEqual({ok, [{IP, SPort}]}, M:socknames(S, Id)),
    ?assertMatch({ok, _}, M:getfd(S)),
    ?assertError(function_clause, inet:peernames(S, Id)),
    ?assertError(function_clause, inet:getfd(S)).

stream_has_peer_name(Config) ->
    S = listener(Config, []),
    C = open(Config, [{type, stream}]),
    ?assertEqual({error, enotconn}, inet:peername(C)),
    #{ip := IP} = join(mod(Config), loopback(Config), S, C),
    ?assertEqual({ok, {IP, port(S)}}, inet:peername(C)).

no_port(Config) ->
    M = mod(Config),
    process_flag(trap_exit, true),
    S = open(Config, []),
    ?assertNot(is_port(S)),
    Links = process_info(self(), links),
    Monitor = inet:monitor(S),
    ok = await(async(fun() -> M:close(S) end)),
    receive {'DOWN', Monitor, socket, S, _} -> ok after 10000 -> error(no_down) end,
    _ = inet:cancel_monitor(Monitor),
    ?assertEqual(Links, process_info(self(), links)),
    no_message(),
    process_flag(trap_exit, false).

garbage_is_closed(Config) ->
    M = mod(Config),
    Owner = helper(),
    S = listener(Config, []),
    Port = port(S),
    %% Peers notice that nobody can ever use their association. (One that listens is kept: the suite
    %% lifecycle.)
    ok = call(Owner, fun() ->
        C = open(Config, []),
        {ok, #sctp_assoc_change{}} = M:connect(C, loopback(Config), Port, []),
        ok
    end),
    _ = event(M, S),
    until(fun() ->
        call(Owner, fun() -> erlang:garbage_collect() end),
        case M:recv(S, 0) of
            {ok, {_, _, [], #sctp_shutdown_event{}}} -> true;
            {error, timeout} -> false
        end
    end).
