%% @doc A peer on the same kernel that is not Erlang: a program in Python on one-to-one sockets,
%% once listening, once connecting to us.
-module(gen_sctp_nif_interop_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [mod/1, loopback/1, open/2, listener/2, port/1, recv/2, data/2, event/2]).

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

init_per_suite(Config) ->
    case os:find_executable("python3") of
        false -> {skip, "there is no python3"};
        Python -> [{python, Python} | Config]
    end.

end_per_suite(_) -> ok.
init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% Data.

%% Streams, ppids, order, size. The ppid of our records is a number, whose most significant byte
%% comes first on the wire: 60 is NGAP, as IANA has it, on both sides.
messages() ->
    [{0, 0, ordered, 1},
     {1, 60, ordered, 100},
     {9, 16#01020304, ordered, 1500},
     {1, 16#fffffffe, unordered, 3},
     {9, 18, ordered, 100000},
     {0, 1, unordered, 100000}
     | [{5, N, ordered, N} || N <- lists:seq(1, 20)]].

data_to_peer(Config) ->
    M = mod(Config),
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        [begin
            Info = #sctp_sndrcvinfo{stream = Stream, ppid = Ppid, assoc_id = Id,
                                    flags = [unordered || Order =:= unordered]},
            ok = M:send(S, Info, pattern(Size)),
            ?assertEqual(told(Message), line(Peer))
        end || {Stream, Ppid, Order, Size} = Message <- messages()]
    end).

told({Stream, Ppid, Order, Size}) ->
    Digest = string:lowercase(binary:encode_hex(erlang:md5(pattern(Size)))),
    line_of(["data", Stream, Ppid, Order, Size, Digest]).

data_from_peer(Config) ->
    M = mod(Config),
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        [begin
            do(Peer, ["send", Stream, Ppid, Order, Size]),
            {Info, Data} = data(M, S),
            ?assertMatch(#sctp_sndrcvinfo{stream = Stream, ppid = Ppid, assoc_id = Id}, Info),
            ?assertEqual([unordered || Order =:= unordered], Info#sctp_sndrcvinfo.flags),
            ?assertEqual({Size, true}, {byte_size(Data), Data =:= pattern(Size)})
        end || {Stream, Ppid, Order, Size} <- messages()]
    end).

%% All is sent before the first is looked at: each stream's come in order.
data_to_active(Config) ->
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        Sent = [{Stream, N} || N <- lists:seq(0, 9), Stream <- [2, 7]],
        [do(Peer, ["send", Stream, 10 * Stream, ordered, 1 + N]) || {Stream, N} <- Sent],
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
        do(Peer, ["send", 3, 7, ordered, 10]),
        do(Peer, ["shutdown"]),
        ?assertMatch({#sctp_sndrcvinfo{stream = 3, ppid = 7}, _}, data(M, S)),
        ?assertEqual(#sctp_shutdown_event{assoc_id = Id}, event(M, S)),
        ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = Id}, event(M, S)),
        ?assertEqual({error, epipe}, M:send(S, Id, 0, <<"late">>))
    end).

peer_abort(Config) ->
    M = mod(Config),
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        do(Peer, ["abort"]),
        ?assertEqual(#sctp_assoc_change{state = comm_lost, error = ?USER_ABORT, assoc_id = Id},
                     event(M, S)),
        ?assertEqual({error, epipe}, M:send(S, Id, 0, <<"late">>))
    end).

%% The kernel closes for a killed program, as gracefully as close(2).
peer_dies(Config) ->
    M = mod(Config),
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        ?assertEqual({exit, 137}, kill(Peer)),
        ?assertEqual(#sctp_shutdown_event{assoc_id = Id}, event(M, S)),
        ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = Id}, event(M, S))
    end).

eof(Config) ->
    M = mod(Config),
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        ok = M:send(S, Id, 4, pattern(5)),
        ok = M:eof(S, #sctp_assoc_change{assoc_id = Id}),
        ?assertEqual(told({4, 0, ordered, 5}), line(Peer)),
        ?assertEqual("eof", line(Peer)),
        ?assertEqual(#sctp_assoc_change{state = shutdown_comp, assoc_id = Id}, event(M, S))
    end).

abort(Config) ->
    M = mod(Config),
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        ok = M:abort(S, #sctp_assoc_change{assoc_id = Id}),
        ?assertEqual("error ECONNRESET", line(Peer)),
        ?assertEqual(#sctp_assoc_change{state = comm_lost, error = ?USER_ABORT, assoc_id = Id},
                     event(M, S))
    end).

close(Config) ->
    M = mod(Config),
    with_peer(Config, fun(#{s := S, id := Id, peer := Peer}) ->
        ok = M:send(S, Id, 4, pattern(5)),
        ok = M:close(S),
        ?assertEqual(told({4, 0, ordered, 5}), line(Peer)),
        ?assertEqual("eof", line(Peer))
    end).

%% The peer.

%% Runs the case with a peer that listens, then with one that connects.
with_peer(Config, Case) ->
    %% OTP 25 cannot put the pieces of a message together.
    Opts = [{buffer, 262144}],
    lists:foreach(
        fun(Mode) ->
            Link = link(Mode, Config, Opts),
            Case(Link),
            stop(maps:get(peer, Link))
        end,
        [listen, connect]).

link(listen, Config, Opts) ->
    M = mod(Config),
    IP = loopback(Config),
    Peer = start(Config, ["listen", inet:ntoa(IP)]),
    {"listening", PeerPort} = port_line(Peer),
    S = open(Config, Opts),
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = Id}} =
        M:connect(S, IP, PeerPort, [], ?TIMEOUT),
    ?assertEqual({"accepted", port(S)}, port_line(Peer)),
    #{s => S, id => Id, peer => Peer};
link(connect, Config, Opts) ->
    IP = loopback(Config),
    S = listener(Config, Opts),
    Peer = start(Config, ["connect", inet:ntoa(IP), integer_to_list(port(S))]),
    {"connected", PeerPort} = port_line(Peer),
    {ok, {IP, PeerPort, [], #sctp_assoc_change{state = comm_up, assoc_id = Id}}} =
        recv(mod(Config), S),
    #{s => S, id => Id, peer => Peer}.

start(Config, Args) ->
    Program = filename:join(?config(data_dir, Config), "peer.py"),
    open_port({spawn_executable, ?config(python, Config)},
              [{args, [Program | Args]}, {line, 1000}, exit_status]).

do(Peer, Words) ->
    true = port_command(Peer, [line_of(Words), $\n]),
    ?assertEqual("done", line(Peer)).

line_of(Words) ->
    lists:flatten(lists:join(" ", [io_lib:format("~" ++ format(W), [W]) || W <- Words])).

format(Word) when is_integer(Word); is_atom(Word) -> "w";
format(_) -> "s".

line(Peer) ->
    receive
        {Peer, {data, {eol, Line}}} -> Line;
        {Peer, {exit_status, Status}} -> {exit, Status}
    after ?TIMEOUT ->
        error({silent, Peer})
    end.

port_line(Peer) ->
    [Word, Port] = string:lexemes(line(Peer), " "),
    {Word, list_to_integer(Port)}.

stop(Peer) ->
    case erlang:port_info(Peer, os_pid) of
        {os_pid, _} ->
            do(Peer, ["quit"]),
            ?assertEqual({exit, 0}, line(Peer));
        undefined ->
            ok
    end.

kill(Peer) ->
    {os_pid, Pid} = erlang:port_info(Peer, os_pid),
    "" = os:cmd("kill -9 " ++ integer_to_list(Pid)),
    line(Peer).

%% What peer.py sends, too.
pattern(Size) ->
    Blocks = << <<(erlang:md5(<<N:32>>))/binary>> || N <- lists:seq(0, (Size + 15) div 16) >>,
    binary:part(Blocks, 0, Size).
