%% @doc A peer on the same kernel that is not Erlang: a program in C on lksctp's library
%% (gen_sctp_test_foreign), once listening, once connecting to us. What gen_sctp has; the suite
%% `interop_beyond' has the rest.
-module(gen_sctp_nif_interop_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [mod/1, loopback/1, open/2, listener/2, port/1, recv/2, data/2, event/2]).

-define(FOREIGN, gen_sctp_test_foreign).
-define(TIMEOUT, 10000).
%% Cause 12, user initiated abort, with its bytes in network order as OTP shows it.
-define(USER_ABORT, 3072).

suite() -> [{timetrap, {seconds, 120}}].

all() -> [{group, stock}, {group, nif}].

groups() ->
    gen_sctp_test_lib:matrix(
        [data_to_peer, data_from_peer, data_to_active, peer_shutdown, peer_abort, peer_dies, eof,
         abort, close],
        []).

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).

end_per_testcase(_, Config) ->
    gen_sctp_test_lib:end_case(fun ?FOREIGN:end_case/0, Config).

%% Data.

%% Streams, numbers in them, ppids, order, size. The ppid of our records is a number, whose most
%% significant byte comes first on the wire: 60 is NGAP, as IANA has it, on both sides.
messages() ->
    [{0, 0, 0, ordered, 1},
     {1, 0, 60, ordered, 100},
     {9, 0, 16#01020304, ordered, 1500},
     {1, 0, 16#fffffffe, unordered, 3},
     {9, 1, 18, ordered, 100000},
     {0, 0, 1, unordered, 100000}
     | [{5, N - 1, N, ordered, N} || N <- lists:seq(1, 20)]].

data_to_peer(Config) ->
    M = mod(Config),
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        [begin
            Info = #sctp_sndrcvinfo{stream = Stream, ppid = Ppid, assoc_id = Id,
                                    flags = [unordered || Order =:= unordered]},
            ok = M:send(S, Info, pattern(Size)),
            ?assertEqual(told(Message), line(Peer))
        end || {Stream, _, Ppid, Order, Size} = Message <- messages()]
    end).

told({Stream, Ssn, Ppid, Order, Size}) ->
    ["data", Stream, Ssn, Ppid, atom_to_list(Order), 0, Size, ?FOREIGN:crc(Size)].

data_from_peer(Config) ->
    M = mod(Config),
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        [begin
            do(Peer, [send, Stream, Ppid, Order, Size]),
            {Info, Data} = data(M, S),
            ?assertMatch(#sctp_sndrcvinfo{stream = Stream, ssn = Ssn, ppid = Ppid, assoc_id = Id},
                         Info),
            ?assertEqual([unordered || Order =:= unordered], Info#sctp_sndrcvinfo.flags),
            ?assertEqual({Size, true}, {byte_size(Data), Data =:= pattern(Size)})
        end || {Stream, Ssn, Ppid, Order, Size} <- messages()]
    end).

%% All is sent before the first is looked at: each stream's come in order.
data_to_active(Config) ->
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        Sent = [{Stream, N} || N <- lists:seq(0, 9), Stream <- [2, 7]],
        [do(Peer, [send, Stream, 10 * Stream, ordered, 1 + N]) || {Stream, N} <- Sent],
        ok = inet:setopts(S, [{active, true}]),
        Received = [begin
            {[#sctp_sndrcvinfo{stream = Stream, ssn = N, ppid = Ppid, assoc_id = Id}], Data} =
                message(S),
            ?assertEqual({10 * Stream, pattern(1 + N)}, {Ppid, Data}),
            {Stream, N}
        end || _ <- Sent],
        ?assertEqual(Sent, Received),
        ok = inet:setopts(S, [{active, false}])
    end).

message(S) ->
    receive {sctp, S, _, _, Message} -> Message after ?TIMEOUT -> error({nothing_from, S}) end.

%% Ends.

peer_shutdown(Config) ->
    M = mod(Config),
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        do(Peer, [send, 3, 7, ordered, 10]),
        do(Peer, [shutdown]),
        ?assertMatch({#sctp_sndrcvinfo{stream = 3, ppid = 7}, _}, data(M, S)),
        ?assertEqual(#sctp_shutdown_event{assoc_id = Id}, event(M, S)),
        ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = Id}, event(M, S)),
        ?assertEqual({error, epipe}, M:send(S, Id, 0, <<"late">>))
    end).

peer_abort(Config) ->
    M = mod(Config),
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        do(Peer, [abort]),
        ?assertEqual(#sctp_assoc_change{state = comm_lost, error = ?USER_ABORT, assoc_id = Id},
                     event(M, S)),
        ?assertEqual({error, epipe}, M:send(S, Id, 0, <<"late">>))
    end).

%% The kernel closes for a killed program, as gracefully as close(2).
peer_dies(Config) ->
    M = mod(Config),
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        ?assertEqual({exit, 137}, ?FOREIGN:kill(Peer)),
        ?assertEqual(#sctp_shutdown_event{assoc_id = Id}, event(M, S)),
        ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = Id}, event(M, S))
    end).

eof(Config) ->
    M = mod(Config),
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        ok = M:send(S, Id, 4, pattern(5)),
        ok = M:eof(S, #sctp_assoc_change{assoc_id = Id}),
        ?assertEqual(told({4, 0, 0, ordered, 5}), line(Peer)),
        ?assertEqual(["eof"], line(Peer)),
        ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = Id}, event(M, S))
    end).

abort(Config) ->
    M = mod(Config),
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        ok = M:abort(S, #sctp_assoc_change{assoc_id = Id}),
        ?assertEqual(["error", "ECONNRESET"], line(Peer)),
        ?assertEqual(#sctp_assoc_change{state = comm_lost, error = ?USER_ABORT, assoc_id = Id},
                     event(M, S))
    end).

close(Config) ->
    M = mod(Config),
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        ok = M:send(S, Id, 4, pattern(5)),
        ok = M:close(S),
        ?assertEqual(told({4, 0, 0, ordered, 5}), line(Peer)),
        ?assertEqual(["eof"], line(Peer))
    end).

%% The peer.

do(Peer, Words) -> ?FOREIGN:do(Peer, Words).
line(Peer) -> ?FOREIGN:line(Peer).
pattern(Size) -> ?FOREIGN:pattern(Size).

%% Runs the case with a peer that listens, then with one that connects.
with_peer(Config, Case) ->
    %% OTP 25 cannot put the pieces of a message together.
    Opts = [{buffer, 262144}],
    lists:foreach(
        fun(Mode) ->
            Link = link(Mode, Config, Opts),
            Case(Link),
            ?FOREIGN:stop(maps:get(peer, Link))
        end,
        [listen, connect]).

link(listen, Config, Opts) ->
    M = mod(Config),
    IP = loopback(Config),
    {Peer, PeerPort} = start(IP),
    do(Peer, [listen]),
    S = open(Config, Opts),
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = Id}} =
        M:connect(S, IP, PeerPort, [], ?TIMEOUT),
    ?assertEqual(["accepted", port(S)], line(Peer)),
    #{s => S, id => Id, peer => Peer};
link(connect, Config, Opts) ->
    IP = loopback(Config),
    S = listener(Config, Opts),
    {Peer, PeerPort} = start(IP),
    do(Peer, [connect, inet:ntoa(IP), port(S)]),
    {ok, {IP, PeerPort, [], #sctp_assoc_change{state = comm_up, assoc_id = Id}}} =
        recv(mod(Config), S),
    #{s => S, id => Id, peer => Peer}.

start(IP) ->
    Peer = ?FOREIGN:start([]),
    [Port] = do(Peer, [open, inet:ntoa(IP), 0]),
    [[] = do(Peer, [set, Name, 1]) || Name <- [recvrcvinfo, nodelay]],
    {Peer, Port}.
