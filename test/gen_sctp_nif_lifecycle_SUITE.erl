%% @doc Owners, waiting processes and the end of sockets.
-module(gen_sctp_nif_lifecycle_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [mod/1, family/1, loopback/1, open/2, adopt/1, listener/2, pair/1, pair/3, join/4, port/1,
         recv/2, data/2, event/2, next/1, queued/2, silent/1, async/1, await/1, kill/1, helper/0,
         call/2, until/1, until_blocked/1, no_message/0, mailbox/0]).

suite() -> [{timetrap, {seconds, 60}}].

all() -> [{group, stock}, {group, nif}].

groups() ->
    %% From OTP 27 on stock blocks a sender too.
    Blocking = [blocked_sender, close_under_sender, peer_aborts_under_sender, non_block_send],
    {Common, NifOnly} = case gen_sctp_test_lib:otp() >= 27 of
                            true -> {Blocking, []};
                            false -> {[], Blocking}
                        end,
    gen_sctp_test_lib:matrix(
        [owner_death, owner_killed, owner_death_under_receiver, close_under_receiver,
         close_by_other, give_away, give_away_refused, give_away_moves_messages,
         give_away_keeps_mode, give_away_under_receiver, peel_off, peel_off_active,
         close_keeps_peeled | Common],
        [garbage, garbage_with_association, give_away_moves_everything, give_away_to_the_dead,
         give_away_closed, receiver_killed, connecting_killed, sender_killed, peel_off_owner_dies,
         late_timers, connect_beside_data, connect_beside_receiver, connect_from_other,
         connect_address_map, receive_after_error, stream_peer_closes, abort_past_blocked_sender,
         many_sockets | NifOnly]).

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% Death of the owner.

%% A pair whose client belongs to a helper process.
foreign_pair(Config, ClientOpts) ->
    S = listener(Config, []),
    Owner = helper(),
    C = call(Owner, fun() -> open(Config, ClientOpts) end),
    Pair = call(Owner, fun() -> connect(Config, C, port(S)) end),
    #sctp_assoc_change{state = comm_up, assoc_id = Id} = event(mod(Config), S),
    Pair#{s => S, sid => Id, owner => Owner}.

connect(Config, C, Port) ->
    M = mod(Config),
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = Id} = Up} =
        M:connect(C, loopback(Config), Port, []),
    #{c => C, cid => Id, cup => Up}.

owner_death(Config) ->
    owner_ends(Config, fun(Owner) -> unlink(Owner), exit(Owner, shutdown) end).

owner_killed(Config) ->
    owner_ends(Config, fun(Owner) -> kill(Owner) end).

owner_ends(Config, End) ->
    M = mod(Config),
    #{s := S, c := C, cid := CId, sid := SId, owner := Owner} = foreign_pair(Config, []),
    ok = M:send(C, CId, 0, <<"before">>),
    End(Owner),
    ?assertMatch({_, <<"before">>}, data(M, S)),
    ?assertEqual(#sctp_shutdown_event{assoc_id = SId}, event(M, S)),
    ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = SId}, event(M, S)),
    until(fun() -> M:recv(C, 0) =:= {error, closed} end),
    ?assertEqual({error, einval}, inet:sockname(C)).

owner_death_under_receiver(Config) ->
    M = mod(Config),
    #{c := C, owner := Owner} = foreign_pair(Config, []),
    Receiver = async(fun() -> M:recv(C) end),
    until_blocked(Receiver),
    kill(Owner),
    ?assertEqual({error, closed}, await(Receiver)).

%% Close.

close_under_receiver(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    Receivers = [async(fun() -> M:recv(S) end)],
    lists:foreach(fun(Receiver) -> until_blocked(Receiver) end, Receivers),
    ok = M:close(S),
    ?assertEqual([{error, closed}], [await(Receiver) || Receiver <- Receivers]),
    no_message().

close_by_other(Config) ->
    M = mod(Config),
    #{s := S, c := C, sid := SId} = pair(Config),
    ok = await(async(fun() -> M:close(C) end)),
    ?assertEqual(#sctp_shutdown_event{assoc_id = SId}, event(M, S)),
    ?assertEqual({error, closed}, M:recv(C)),
    no_message().

garbage(Config) ->
    M = mod(Config),
    Fds = gen_sctp_test_lib:socket_fds(),
    %% The owner lives; only its references are gone.
    Owner = helper(),
    ?assertEqual(Fds + 3, call(Owner, fun() -> with_sockets(M, family(Config)) end)),
    until(fun() ->
        call(Owner, fun() -> erlang:garbage_collect() end),
        gen_sctp_test_lib:socket_fds() =:= Fds
    end).

%% The number of descriptors while three sockets are held that nobody will know of later.
with_sockets(M, Family) ->
    Sockets = [begin {ok, S} = M:open([Family]), S end || _ <- [1, 2, 3]],
    Fds = gen_sctp_test_lib:socket_fds(),
    [{ok, _} = inet:sockname(S) || S <- Sockets],
    Fds.

garbage_with_association(Config) ->
    M = mod(Config),
    #{s := S, sid := SId, owner := Owner} = maps:remove(c, foreign_pair(Config, [])),
    until(fun() ->
        call(Owner, fun() -> erlang:garbage_collect() end),
        erlang:garbage_collect(),
        case M:recv(S, 0) of
            {ok, {_, _, [], #sctp_shutdown_event{assoc_id = SId}}} -> true;
            {error, timeout} -> false
        end
    end).

many_sockets(Config) ->
    %% Opened and closed over and over nothing piles up (end_per_testcase counts).
    M = mod(Config),
    [begin
         {ok, S} = M:open([family(Config), {active, Mode}]),
         ok = M:close(S)
     end || _ <- lists:seq(1, 50), Mode <- [false, true, once]],
    no_message().

%% Giving a socket away.

give_away(Config) ->
    M = mod(Config),
    #{s := S, c := C, sid := SId} = pair(Config),
    New = helper(),
    ?assertEqual(ok, M:controlling_process(C, self())),
    ?assertEqual(ok, M:controlling_process(C, New)),
    %% It is New's already, so anyone may say so.
    ?assertEqual(ok, M:controlling_process(C, New)),
    ?assertEqual({error, not_owner}, M:controlling_process(C, self())),
    ?assertEqual(ok, call(New, fun() -> M:controlling_process(C, New) end)),
    kill(New),
    ?assertEqual(#sctp_shutdown_event{assoc_id = SId}, event(M, S)).

give_away_refused(Config) ->
    M = mod(Config),
    S = open(Config, []),
    Other = helper(),
    ?assertEqual({error, not_owner}, call(Other, fun() -> M:controlling_process(S, Other) end)),
    [?assertError(badarg, M:controlling_process(A, B))
     || {A, B} <- [{S, no_pid}, {not_a_socket, self()}, {S, S}]].

give_away_moves_messages(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config),
    ok = inet:setopts(S, [{active, true}]),
    [ok = M:send(C, Id, 0, <<N>>) || N <- [1, 2, 3]],
    queued(S, 3),
    self() ! keep_me,
    New = helper(),
    ok = M:controlling_process(S, New),
    [ok = M:send(C, Id, 0, <<N>>) || N <- [4, 5]],
    ?assertEqual([<<N>> || N <- [1, 2, 3, 4, 5]],
                 call(New, fun() -> [next(S) || _ <- [1, 2, 3, 4, 5]] end)),
    ?assertEqual([keep_me], mailbox()).

give_away_keeps_mode(Config) ->
    M = mod(Config),
    [begin
         S = open(Config, [{active, Mode}]),
         New = helper(),
         ok = M:controlling_process(S, New),
         ?assertEqual({ok, [{active, Mode}]}, inet:getopts(S, [active])),
         ?assertEqual([], call(New, fun() -> mailbox() end))
     end || Mode <- [false, true, once, 1, 17]],
    no_message().

give_away_under_receiver(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config),
    Receiver = async(fun() -> M:recv(S) end),
    until_blocked(Receiver),
    New = helper(),
    ok = M:controlling_process(S, New),
    ok = M:send(C, Id, 0, <<"mine">>),
    ?assertMatch({ok, {_, _, _, <<"mine">>}}, await(Receiver)).

give_away_moves_everything(Config) ->
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

%% Waiting processes that are killed.

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

connecting_killed(Config) ->
    M = mod(Config),
    {ok, C} = M:open([family(Config)]),
    adopt(C),
    IP = gen_sctp_test_lib:unanswered(family(Config)),
    Connecting = async(fun() -> M:connect(C, IP, 9, []) end),
    until_blocked(Connecting),
    kill(Connecting),
    ?assertEqual({error, ealready}, M:connect(C, IP, 9, [])),
    ?assertEqual({error, timeout}, M:recv(C, 0)).

sender_killed(Config) ->
    M = mod(Config),
    #{c := C, cid := Id} = Pair = small_pair(Config),
    Number = fill(Pair),
    Sender = async(fun() -> M:send(C, Id, 0, chunk(Number)) end),
    until_blocked(Sender),
    Second = async(fun() -> M:send(C, Id, 0, chunk(Number)) end),
    until_blocked(Second),
    kill(Sender),
    %% The second one is not held up by the first one's death.
    read_chunks(Pair, Number),
    ?assertEqual(ok, await(Second)).

%% A full send buffer.

-define(CHUNK, 2000).

small_pair(Config) ->
    pair(Config, [{recbuf, 4096}], [{sndbuf, 8192}]).

chunk(N) ->
    <<N:32, 0:((?CHUNK - 4) * 8)>>.

%% Sends until the buffer is full: the number of messages that were taken.
fill(#{m := M, c := C, cid := Id}) ->
    ok = inet:setopts(C, [{non_block_send, true}]),
    Filled = fill(M, C, Id, 0, 2),
    ok = inet:setopts(C, [{non_block_send, false}]),
    Filled.

%% The kernel moves some to the peer first: it is full when it stays full for a round trip.
fill(_, _, _, Number, 0) ->
    Number;
fill(M, C, Id, Number, Tries) ->
    case M:send(C, Id, 0, chunk(Number)) of
        ok -> fill(M, C, Id, Number + 1, 2);
        {error, eagain} ->
            receive after 250 -> ok end,
            fill(M, C, Id, Number, Tries - 1)
    end.

read_chunks(_, 0) ->
    [];
read_chunks(#{m := M, s := S} = Pair, Left) ->
    {_, <<N:32, _/binary>>} = data(M, S),
    [N | read_chunks(Pair, Left - 1)].

non_block_send(Config) ->
    M = mod(Config),
    #{c := C, cid := Id} = Pair = small_pair(Config),
    ?assertEqual({ok, [false]}, inet:getopts(C, [non_block_send])),
    ok = inet:setopts(C, [{non_block_send, true}]),
    ?assertEqual({ok, [true]}, inet:getopts(C, [non_block_send])),
    Number = fill(Pair),
    ok = inet:setopts(C, [{non_block_send, true}]),
    ?assertEqual({error, eagain}, M:send(C, Id, 0, chunk(Number))),
    ?assertEqual(lists:seq(0, Number - 1), read_chunks(Pair, Number)),
    ?assertEqual(ok, M:send(C, Id, 0, chunk(Number))),
    ?assertEqual([Number], read_chunks(Pair, 1)).

blocked_sender(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id, sid := SId} = Pair = small_pair(Config),
    Number = fill(Pair),
    Sender = async(fun() -> M:send(C, Id, 0, chunk(Number)) end),
    until_blocked(Sender),
    %% Everything but sending goes on meanwhile.
    ?assertMatch({ok, [{sndbuf, _}]}, inet:getopts(C, [sndbuf])),
    ?assertEqual({error, timeout}, M:recv(C, 0)),
    ok = M:send(S, SId, 0, <<"other way">>),
    ?assertMatch({_, <<"other way">>}, data(M, C)),
    ?assertEqual(lists:seq(0, Number), read_chunks(Pair, Number + 1)),
    ?assertEqual(ok, await(Sender)).

close_under_sender(Config) ->
    M = mod(Config),
    #{c := C, cid := Id} = Pair = small_pair(Config),
    Number = fill(Pair),
    Sender = async(fun() -> M:send(C, Id, 0, chunk(Number)) end),
    until_blocked(Sender),
    ok = M:close(C),
    ?assertEqual({error, closed}, await(Sender)).

abort_past_blocked_sender(Config) ->
    M = mod(Config),
    #{c := C, cid := Id, cup := Up} = Pair = small_pair(Config),
    Number = fill(Pair),
    Senders = [async(fun() -> M:send(C, Id, 0, chunk(Number)) end) || _ <- [1, 2]],
    lists:foreach(fun(Sender) -> until_blocked(Sender) end, Senders),
    %% Nobody else is held up, and an aborted association lets the senders go.
    ok = inet:setopts(C, [{non_block_send, true}]),
    ?assertEqual({error, eagain}, M:send(C, Id, 0, chunk(Number))),
    ?assertEqual(ok, M:abort(C, Up)),
    ?assertEqual([{error, epipe}, {error, epipe}], [await(Sender) || Sender <- Senders]).

peer_aborts_under_sender(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id, sup := Up} = Pair = small_pair(Config),
    Number = fill(Pair),
    Sender = async(fun() -> M:send(C, Id, 0, chunk(Number)) end),
    until_blocked(Sender),
    ok = M:abort(S, Up),
    ?assertEqual({error, epipe}, await(Sender)).

%% Peeled-off sockets.

peel_off(Config) ->
    M = mod(Config),
    #{s := S, c := C, sid := SId, cid := CId} = pair(Config),
    Other = join(M, loopback(Config), S, open(Config, [])),
    ok = M:send(C, CId, 0, <<"queued">>),
    gen_sctp_test_lib:until(fun() -> unacknowledged(C, CId) =:= 0 end),
    {ok, P} = M:peeloff(S, SId),
    adopt(P),
    ?assertMatch({_, <<"queued">>}, data(M, P)),
    ?assertEqual(inet:sockname(C), inet:peername(P)),
    ?assertEqual({error, epipe}, M:send(S, SId, 0, <<"gone">>)),
    ?assertEqual({error, einval}, M:peeloff(S, SId)),
    ?assertEqual({error, einval}, M:peeloff(P, SId)),
    ?assertEqual({error, einval}, M:listen(P, true)),
    ok = M:send(P, SId, 0, <<"answer">>),
    ?assertMatch({_, <<"answer">>}, data(M, C)),
    %% The other association stays.
    ok = M:send(S, maps:get(sid, Other), 0, <<"stays">>),
    ?assertMatch({_, <<"stays">>}, data(M, maps:get(c, Other))),
    ok = M:eof(C, #sctp_assoc_change{assoc_id = CId}),
    ?assertMatch(#sctp_shutdown_event{}, event(M, P)),
    ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(M, P)).

unacknowledged(S, Id) ->
    {ok, [{sctp_status, #sctp_status{unackdata = Unacknowledged}}]} =
        inet:getopts(S, [{sctp_status, #sctp_status{assoc_id = Id}}]),
    Unacknowledged.

peel_off_active(Config) ->
    M = mod(Config),
    #{s := S, c := C, sup := Up, cid := CId} = pair(Config, [list], []),
    {ok, P} = M:peeloff(S, Up),
    adopt(P),
    ok = inet:setopts(P, [{active, once}]),
    ok = M:send(C, CId, 0, <<"peeled">>),
    ?assertEqual("peeled", next(P)),
    silent(P).

close_keeps_peeled(Config) ->
    M = mod(Config),
    #{s := S, c := C, sid := SId, cid := CId} = pair(Config),
    {ok, P} = M:peeloff(S, SId),
    adopt(P),
    ok = M:close(S),
    ok = M:send(C, CId, 0, <<"still">>),
    ?assertMatch({_, <<"still">>}, data(M, P)).

peel_off_owner_dies(Config) ->
    M = mod(Config),
    #{s := S, c := C, sid := SId, cid := CId} = pair(Config),
    Owner = helper(),
    {ok, P} = call(Owner, fun() -> M:peeloff(S, SId) end),
    %% It belongs to who peeled it off.
    ?assertEqual({error, not_owner}, M:controlling_process(P, self())),
    kill(Owner),
    ?assertEqual(#sctp_shutdown_event{assoc_id = CId}, event(M, C)).

%% Known faults of OTP that we do not have.

late_timers(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = open(Config, []),
    Map = gen_sctp_test_lib:address(family(Config), loopback(Config), port(S)),
    {ok, #sctp_assoc_change{}} = M:connect(C, Map, [], 100),
    %% The timer of a connect that is over must not speak up, nor must a receive's.
    ?assertEqual({error, timeout}, M:recv(C, 150)),
    no_message().

receive_after_error(Config) ->
    M = mod(Config),
    C = open(Config, [{type, stream}]),
    Unused = open(Config, []),
    {error, #sctp_assoc_change{}} = M:connect(C, loopback(Config), port(Unused), []),
    ?assertEqual({error, econnrefused}, M:recv(C, 50)),
    %% The 50 ms belonged to the receive that has ended.
    Begin = erlang:monotonic_time(millisecond),
    ?assertEqual({error, timeout}, M:recv(C, 150)),
    ?assert(erlang:monotonic_time(millisecond) - Begin >= 150).

stream_peer_closes(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = open(Config, [{type, stream}]),
    #{cid := CId, sup := Up} = join(M, loopback(Config), S, C),
    ok = M:eof(S, Up),
    ?assertEqual(#sctp_shutdown_event{assoc_id = CId}, event(M, C)),
    ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = CId}, event(M, C)),
    {_, _} = statistics(runtime),
    ?assertEqual({error, timeout}, M:recv(C, 100)),
    %% It waited, it did not spin.
    {_, Used} = statistics(runtime),
    ?assert(Used < 90).

connect_beside_data(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := CId, sid := SId} = pair(Config),
    L = listener(Config, []),
    ok = M:send(C, CId, 0, <<"first">>),
    gen_sctp_test_lib:until(fun() -> unacknowledged(C, CId) =:= 0 end),
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

connect_from_other(Config) ->
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

connect_address_map(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    F = family(Config),
    C = open(Config, []),
    ?assertMatch({ok, #sctp_assoc_change{state = comm_up}},
                 M:connect(C, gen_sctp_test_lib:address(F, loopback, port(S)), [])).
