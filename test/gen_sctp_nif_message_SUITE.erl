%% @doc Messages: what is sent is received, with its parameters; large ones; a full send buffer.
-module(gen_sctp_nif_message_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [mod/1, loopback/1, open/2, listener/2, pair/1, pair/3, port/1, recv/2, data/2, event/2,
         async/1, await/1, kill/1, until_blocked/1, no_message/0, pattern/1]).

suite() -> [{timetrap, {seconds, 60}}].

all() -> [{group, stock}, {group, nif}].

groups() ->
    %% From OTP 27 on stock puts pieces together, and a send waits for room.
    Newer = [default_buffers_carry_large_messages, small_buffer_collects_pieces,
             pieces_outlive_the_socket, large_ones_from_many, blocked_sender, close_under_sender,
             non_block_send],
    {Common, NifOnly} = case gen_sctp_test_lib:otp() >= 27 of
                            true -> {Newer, []};
                            false -> {[], Newer}
                        end,
    gen_sctp_test_lib:matrix(
        [recv_timeouts, recv_on_a_listener, mode, messages, ancillary_data, send_parameters,
         default_send_parameters, streams, unordered, large_messages, too_large,
         send_while_connecting, two_processes
         | Common],
        %% Stock senders may wait forever after an abort: the kernel wakes nobody for the room.
        [poll_collects_pieces, waiting_for_an_error, sender_killed, abort_past_blocked_sender,
         peer_aborts_under_sender
         | NifOnly]).

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% Receive and send.

recv_timeouts(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config),
    ?assertEqual({error, timeout}, M:recv(S, 0)),
    Begin = erlang:monotonic_time(millisecond),
    ?assertEqual({error, timeout}, M:recv(S, 50)),
    ?assert(erlang:monotonic_time(millisecond) - Begin >= 50),
    [?assertEqual({error, einval}, M:recv(S, Bad)) || Bad <- [-1, never, 1.0, 16#ffffffff]],
    ok = M:send(C, Id, 0, <<"one">>),
    ?assertMatch({ok, {_, _, _, <<"one">>}}, M:recv(S)),
    no_message().

%% A one-to-one socket that listens has nothing to be received, whatever it did before.
recv_on_a_listener(Config) ->
    M = mod(Config),
    S = open(Config, [{type, stream}]),
    ok = inet:setopts(S, [{active, once}]),
    ok = inet:setopts(S, [{active, false}]),
    ok = M:listen(S, true),
    ?assertEqual({error, enotconn}, M:recv(S, 1000)).

%% An error of the socket is the answer to who waits, without an event before.
waiting_for_an_error(Config) ->
    M = mod(Config),
    [begin
         #{s := S, c := C, sid := SId, cup := Up} = pair(Config),
         {ok, P} = M:peeloff(S, SId),
         gen_sctp_test_lib:adopt(P),
         ok = inet:setopts(P, [{sctp_events, #sctp_event_subscribe{association_event = false}}]),
         Receiver = async(fun() -> apply(M, Function, [P | Args]) end),
         until_blocked(Receiver),
         ok = M:abort(C, Up),
         ?assertEqual({error, econnreset}, await(Receiver)),
         ?assertEqual({error, timeout}, M:recv(P, 0))
     end || {Function, Args} <- [{recv, []}, {recv_batch, [5, infinity]}]],
    ok.

mode(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config, [list], [{mode, binary}]),
    ok = M:send(C, Id, 0, [<<"a">>, "b", [$c]]),
    ?assertMatch({_, "abc"}, data(M, S)),
    ok = inet:setopts(S, [binary]),
    ok = M:send(C, Id, 0, "def"),
    ?assertMatch({_, <<"def">>}, data(M, S)),
    ok = inet:setopts(S, [{mode, list}]),
    ok = M:send(C, Id, 0, <<255, 0>>),
    ?assertMatch({_, [255, 0]}, data(M, S)),
    %% Events are records in every mode.
    ok = M:eof(C, #sctp_assoc_change{assoc_id = Id}),
    ?assertMatch(#sctp_shutdown_event{}, event(M, S)).

messages(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id, sid := SId, cup := Up, ip := IP, cport := CPort} = pair(Config),
    ok = M:send(C, Id, 0, <<"by id">>),
    {ok, {IP, CPort, [Info], <<"by id">>}} = recv(M, S),
    ?assertMatch(#sctp_sndrcvinfo{stream = 0, ssn = 0, flags = [], ppid = 0, context = 0,
                                  timetolive = 0, cumtsn = 0, assoc_id = SId}, Info),
    ok = M:send(C, Up, 3, ["by ", <<"record">>]),
    ?assertMatch({#sctp_sndrcvinfo{stream = 3, ssn = 0}, <<"by record">>}, data(M, S)),
    ok = M:send(C, Up, 3, <<0>>),
    ?assertMatch({#sctp_sndrcvinfo{stream = 3, ssn = 1}, <<0>>}, data(M, S)),
    %% And back: the server's id is its own.
    ok = M:send(S, SId, 9, <<"answer">>),
    ?assertMatch({#sctp_sndrcvinfo{stream = 9, assoc_id = Id}, <<"answer">>}, data(M, C)),
    %% There is no empty message, and no stream 10 of 10.
    [?assertEqual({error, einval}, M:send(C, Id, 0, Empty)) || Empty <- [<<>>, [], [[], <<>>]]],
    ?assertEqual({error, einval}, M:send(C, Id, 10, <<"x">>)),
    [?assertEqual({error, einval}, M:send(C, Id, 0, Bad)) || Bad <- [[256], [a], <<1:1>>, [-1]]],
    ?assertEqual({error, epipe}, M:send(C, 0, 0, <<"x">>)),
    ?assertEqual({error, epipe}, M:send(C, Id + 100000, 0, <<"x">>)),
    ?assertEqual({error, timeout}, M:recv(S, 0)).

%% Linux has no fields of the IP header for who receives SCTP; nothing comes in their place.
ancillary_data(Config) ->
    M = mod(Config),
    Asked = case gen_sctp_test_lib:family(Config) of
                inet -> [{recvtos, true}, {recvttl, true}];
                inet6 -> [{recvtclass, true}, {recvtos, true}, {recvttl, true}]
            end,
    #{s := S, c := C, cid := Id} = pair(Config, Asked, [{tos, 16}]),
    ?assertEqual({ok, Asked}, inet:getopts(S, [Name || {Name, true} <- Asked])),
    ok = M:send(C, Id, 1, <<"data">>),
    ?assertMatch({ok, {_, _, [#sctp_sndrcvinfo{stream = 1}], <<"data">>}}, recv(M, S)),
    ok = inet:setopts(S, [{sctp_events, #sctp_event_subscribe{data_io_event = false}}]),
    ok = M:send(C, Id, 1, <<"no more">>),
    ?assertMatch({ok, {_, _, [], <<"no more">>}}, recv(M, S)),
    ok = M:eof(C, #sctp_assoc_change{assoc_id = Id}),
    ?assertMatch({ok, {_, _, [], #sctp_shutdown_event{}}}, recv(M, S)).

send_parameters(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config),
    Info = #sctp_sndrcvinfo{stream = 4, ppid = 16#01020304, context = 77, assoc_id = Id},
    ok = M:send(C, Info, <<"a">>),
    ?assertMatch({#sctp_sndrcvinfo{stream = 4, ppid = 16#01020304, context = 0}, <<"a">>},
                 data(M, S)),
    ok = M:send(C, #sctp_sndrcvinfo{assoc_id = Id, ppid = 16#ffffffff}, <<"b">>),
    ?assertMatch({#sctp_sndrcvinfo{stream = 0, ppid = 16#ffffffff}, <<"b">>}, data(M, S)),
    [?assertMatch({error, _}, M:send(C, Bad, <<"x">>))
     || Bad <- [Info#sctp_sndrcvinfo{stream = 65536}, Info#sctp_sndrcvinfo{stream = -1},
                Info#sctp_sndrcvinfo{ppid = 1 bsl 32}, Info#sctp_sndrcvinfo{flags = [nonsense]},
                Info#sctp_sndrcvinfo{assoc_id = 1 bsl 32}, Info#sctp_sndrcvinfo{tsn = 1},
                Info#sctp_sndrcvinfo{stream = 10}]],
    ?assertEqual({error, timeout}, M:recv(S, 0)).

default_send_parameters(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} =
        pair(Config, [], [{sctp_default_send_param, #sctp_sndrcvinfo{ppid = 11}}]),
    Set = fun(Info) -> ok = inet:setopts(C, [{sctp_default_send_param, Info}]) end,
    Sent = fun() ->
        ok = M:send(C, Id, 2, <<"default">>),
        {#sctp_sndrcvinfo{stream = 2} = Info, <<"default">>} = data(M, S),
        {Info#sctp_sndrcvinfo.ppid, Info#sctp_sndrcvinfo.flags}
    end,
    ?assertEqual({11, []}, Sent()),
    Set(#sctp_sndrcvinfo{assoc_id = Id, ppid = 22, flags = [unordered], stream = 7}),
    ?assertEqual({22, [unordered]}, Sent()),
    %% The endpoint's values are for later associations; send/3 uses neither.
    Set(#sctp_sndrcvinfo{ppid = 33}),
    ?assertEqual({22, [unordered]}, Sent()),
    ok = M:send(C, #sctp_sndrcvinfo{assoc_id = Id}, <<"plain">>),
    ?assertMatch({#sctp_sndrcvinfo{stream = 0, ppid = 0, flags = []}, <<"plain">>}, data(M, S)).

streams(Config) ->
    M = mod(Config),
    Streams = [{sctp_initmsg, #sctp_initmsg{num_ostreams = 64, max_instreams = 64}}],
    #{s := S, c := C, cid := Id, cup := Up} = pair(Config, Streams, Streams),
    ?assertMatch(#sctp_assoc_change{outbound_streams = 64, inbound_streams = 64}, Up),
    Numbers = [{Stream, Ssn} || Ssn <- [0, 1, 2], Stream <- lists:seq(0, 63)],
    [ok = M:send(C, Id, Stream, <<Stream, Ssn>>) || {Stream, Ssn} <- Numbers],
    Received = [begin
                    {#sctp_sndrcvinfo{stream = Stream, ssn = Ssn}, <<Stream, Ssn>>} = data(M, S),
                    {Stream, Ssn}
                end || _ <- Numbers],
    ?assertEqual(lists:sort(Numbers), lists:sort(Received)),
    [?assertEqual([0, 1, 2], [Ssn || {Stream, Ssn} <- Received, Stream =:= Wanted])
     || Wanted <- lists:seq(0, 63)],
    ?assertEqual({error, einval}, M:send(C, Id, 64, <<"x">>)).

unordered(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config),
    [ok = M:send(C, #sctp_sndrcvinfo{assoc_id = Id, stream = 1, flags = [unordered]}, <<N>>)
     || N <- [1, 2, 3]],
    Received = [begin
                    {#sctp_sndrcvinfo{flags = [unordered], ssn = 0, tsn = Tsn, cumtsn = Tsn},
                     <<N>>} = data(M, S),
                    N
                end || _ <- [1, 2, 3]],
    ?assertEqual([1, 2, 3], lists:sort(Received)).

%% Large messages.

large_messages(Config) ->
    %% A buffer that takes any of them in one piece: OTP 25 cannot put pieces together.
    large(Config, [{buffer, 1 bsl 21}]).

default_buffers_carry_large_messages(Config) ->
    large(Config, []).

small_buffer_collects_pieces(Config) ->
    %% A receiver's buffer of 1000 bytes needs many reads for one message.
    large(Config, [{buffer, 1000}]).

%% Those of several associations come in turns; where the window does not take a message as a
%% whole, in pieces. For that each association must have a window of its own: in a common one the
%% pieces of several messages can fill it before any of them is whole, and the kernel is stuck.
large_ones_from_many(Config) ->
    [with_rcvbuf_policy(Policy, fun() -> large_ones(Config, Recbuf, Streams, Active) end)
     || {Policy, Recbuf, Streams} <- [{"0", 400000, [1, 2, 3]}, {"1", 60000, [1]}],
        Active <- [false, true]].

%% Whether the associations of a socket have windows of their own.
with_rcvbuf_policy(Policy, Fun) ->
    File = "/proc/sys/net/sctp/rcvbuf_policy",
    {ok, Before} = file:read_file(File),
    ok = file:write_file(File, Policy),
    try Fun() after ok = file:write_file(File, Before) end.

large_ones(Config, Recbuf, Streams, Active) ->
    M = mod(Config),
    S = listener(Config, [{recbuf, Recbuf}, {buffer, 3000}]),
    Clients = [begin
                   C = open(Config, [{sndbuf, 4 bsl 20}]),
                   #{cid := CId, sid := SId} = gen_sctp_test_lib:join(M, loopback(Config), S, C),
                   {C, CId, SId}
               end || _ <- lists:seq(1, 3)],
    Message = fun(SId, N) -> <<SId:32, N, (pattern(150000 + 7 * N))/binary>> end,
    ok = inet:setopts(S, [{active, Active}]),
    Senders = [async(fun() -> [ok = M:send(C, CId, N, Message(SId, N)) || N <- Streams] end)
               || {C, CId, SId} <- Clients],
    Expected = [{SId, N} || {_, _, SId} <- Clients, N <- Streams],
    Received = [begin
                    {#sctp_sndrcvinfo{assoc_id = SId, stream = N}, Data} = large_one(M, S, Active),
                    ?assertEqual({N, true}, {N, Data =:= Message(SId, N)}),
                    {SId, N}
                end || _ <- Expected],
    ?assertEqual(lists:sort(Expected), lists:sort(Received)),
    lists:foreach(fun(Sender) -> await(Sender) end, Senders),
    ok = M:close(S).

large_one(M, S, false) ->
    data(M, S);
large_one(_, S, true) ->
    receive {sctp, S, _, _, {[Info], Data}} -> {Info, Data} after 30000 -> error(nothing) end.

large(Config, Opts) ->
    M = mod(Config),
    Big = [{sndbuf, 4 bsl 20}, {recbuf, 4 bsl 20} | Opts],
    #{s := S, c := C, cid := Id} = pair(Config, Big, Big),
    ok = inet:setopts(S, [{buffer, Size} || {buffer, Size} <- Opts]),
    [begin
         Data = pattern(Size),
         ok = M:send(C, Id, 1, Data),
         {#sctp_sndrcvinfo{stream = 1, ssn = Ssn}, Got} = data(M, S),
         ?assertEqual({Size, true}, {byte_size(Got), Got =:= Data})
     end || {Ssn, Size} <- lists:enumerate(0, [1, 1452, 65535, 65536, 65537, 200000, 1 bsl 20])].

%% Who does not wait gets a message that is there, too, however many reads that takes.
poll_collects_pieces(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config, [{buffer, 500}], []),
    Data = pattern(60000),
    ok = M:send(C, Id, 0, Data),
    ok = gen_sctp_test_lib:all_arrived(C, Id),
    ?assertMatch({ok, {_, _, _, Data}}, M:recv(S, 0)),
    ?assertEqual({error, timeout}, M:recv(S, 0)),
    %% Nor does a longer timeout have it wait for what is there.
    [begin
         ok = M:send(C, Id, 0, Data),
         gen_sctp_test_lib:all_arrived(C, Id),
         ?assertMatch({ok, {_, _, _, Data}}, M:recv(S, 1))
     end || _ <- lists:seq(1, 10)].

%% A message that came in pieces is a binary like any other: parts of it, processes that have got it
%% and what was appended to it are as they were when everything else is gone.
pieces_outlive_the_socket(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config, [{buffer, 10000}], [{sndbuf, 400000}]),
    Data = pattern(200000),
    ok = M:send(C, Id, 0, Data),
    {_, Whole} = data(M, S),
    %% Stock appends piece to piece, with room for more.
    Waste = binary:referenced_byte_size(Whole) - byte_size(Whole),
    ?assert(M =/= gen_sctp_nif orelse Waste =:= 0),
    Part = binary:part(Whole, 150000, 1000),
    Longer = <<Whole/binary, "end">>,
    Self = self(),
    Other = spawn_link(fun() -> receive close -> Self ! {self(), Whole} end end),
    [ok = M:close(Socket) || Socket <- [C, S]],
    true = garbage_collect(),
    true = garbage_collect(Other),
    ?assertEqual(binary:part(Data, 150000, 1000), Part),
    ?assertEqual(<<Data/binary, "end">>, Longer),
    Other ! close,
    receive {Other, Theirs} -> ?assertEqual(Data, Theirs) end.

too_large(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id} = pair(Config, [{buffer, 70000}], [{sndbuf, 30000}]),
    {ok, [{sndbuf, Limit}]} = inet:getopts(C, [sndbuf]),
    ?assertEqual({error, emsgsize}, M:send(C, Id, 0, pattern(Limit + 1))),
    ok = M:send(C, Id, 0, pattern(Limit)),
    {_, Whole} = data(M, S),
    ?assertEqual(pattern(Limit), Whole).

send_while_connecting(Config) ->
    M = mod(Config),
    S = listener(Config, []),
    C = open(Config, []),
    {ok, Id} = M:connectx_init(C, [loopback(Config)], port(S), []),
    ok = M:send(C, Id, 0, <<"early">>),
    ?assertMatch(#sctp_assoc_change{state = comm_up}, event(M, S)),
    ?assertMatch({_, <<"early">>}, data(M, S)).

two_processes(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id, sid := SId} = pair(Config),
    Receiver = async(fun() -> M:recv(S) end),
    until_blocked(Receiver),
    ?assertEqual({error, ealready}, M:recv(S, 0)),
    ?assertEqual({error, ealready}, M:recv(S)),
    %% Others may send meanwhile. What comes goes to the receiver, not to the owner.
    ?assertEqual(ok, await(async(fun() -> M:send(S, SId, 0, <<"out">>) end))),
    ?assertMatch({_, <<"out">>}, data(M, C)),
    ok = M:send(C, Id, 0, <<"in">>),
    ?assertMatch({ok, {_, _, _, <<"in">>}}, await(Receiver)),
    no_message(),
    ok = M:send(C, Id, 0, <<"next">>),
    ?assertMatch({_, <<"next">>}, data(M, S)).

%% A full send buffer.

-define(CHUNK, 2000).

small_pair(Config) ->
    pair(Config, [{recbuf, 4096}], [{sndbuf, 8192}]).

chunk(N) ->
    <<N:32, 0:((?CHUNK - 4) * 8)>>.

%% Sends until the buffer is full: the number of messages that were taken.
fill(#{m := M, c := C, cid := Id}) ->
    ok = inet:setopts(C, [{non_block_send, true}]),
    Filled = gen_sctp_test_lib:until_full(fun(N) -> M:send(C, Id, 0, chunk(N)) end),
    ok = inet:setopts(C, [{non_block_send, false}]),
    Filled.

%% A process that waits to send the next message, and its number: on a slow machine the kernel finds
%% room for some more.
waiting_sender(#{m := M, c := C, cid := Id} = Pair, Number) ->
    Sender = async(fun() -> M:send(C, Id, 0, chunk(Number)) end),
    try until_blocked(Sender) of
        ok -> {Sender, Number}
    catch
        error:task_has_ended ->
            ok = await(Sender),
            waiting_sender(Pair, Number + 1)
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
    %% The end of this is eagain.
    Number = fill(Pair),
    ok = inet:setopts(C, [{non_block_send, true}]),
    ?assertEqual(lists:seq(0, Number - 1), read_chunks(Pair, Number)),
    ?assertEqual(ok, M:send(C, Id, 0, chunk(Number))),
    ?assertEqual([Number], read_chunks(Pair, 1)).

blocked_sender(Config) ->
    M = mod(Config),
    #{s := S, c := C, sid := SId} = Pair = small_pair(Config),
    {Sender, Number} = waiting_sender(Pair, fill(Pair)),
    %% Everything but sending goes on meanwhile.
    ?assertMatch({ok, [{sndbuf, _}]}, inet:getopts(C, [sndbuf])),
    ?assertEqual({error, timeout}, M:recv(C, 0)),
    ok = M:send(S, SId, 0, <<"other way">>),
    ?assertMatch({_, <<"other way">>}, data(M, C)),
    ?assertEqual(lists:seq(0, Number), read_chunks(Pair, Number + 1)),
    ?assertEqual(ok, await(Sender)).

close_under_sender(Config) ->
    M = mod(Config),
    #{c := C} = Pair = small_pair(Config),
    {Sender, _} = waiting_sender(Pair, fill(Pair)),
    ok = M:close(C),
    ?assertEqual({error, closed}, await(Sender)).

peer_aborts_under_sender(Config) ->
    %% Many times over: the kernel makes room and tells of the death at nearly the same moment,
    %% and wakes nobody for the room.
    [?assertEqual({Round, {error, epipe}}, {Round, sender_of_aborted(Config)})
     || Round <- lists:seq(1, 20)].

sender_of_aborted(Config) ->
    M = mod(Config),
    #{s := S, c := C, cid := Id, sup := Up} = small_pair(Config),
    Sender = async(fun() -> send_until_error(M, C, Id, 0) end),
    until_blocked(Sender),
    ok = M:abort(S, Up),
    await(Sender).

send_until_error(M, S, Id, N) ->
    case M:send(S, Id, 0, chunk(N)) of
        ok -> send_until_error(M, S, Id, N + 1);
        Error -> Error
    end.

sender_killed(Config) ->
    Pair = small_pair(Config),
    {Sender, First} = waiting_sender(Pair, fill(Pair)),
    {Second, Number} = waiting_sender(Pair, First),
    kill(Sender),
    %% The second one is not held up by the first one's death.
    read_chunks(Pair, Number),
    ?assertEqual(ok, await(Second)).

abort_past_blocked_sender(Config) ->
    M = mod(Config),
    #{c := C, cid := Id, cup := Up} = Pair = small_pair(Config),
    {First, Number} = waiting_sender(Pair, fill(Pair)),
    {Second, _} = waiting_sender(Pair, Number),
    %% Nobody else is held up, and an aborted association lets the senders go.
    ok = inet:setopts(C, [{non_block_send, true}]),
    ?assertEqual({error, eagain}, M:send(C, Id, 0, chunk(Number))),
    ?assertEqual(ok, M:abort(C, Up)),
    ?assertEqual([{error, epipe}, {error, epipe}], [await(Sender) || Sender <- [First, Second]]).
