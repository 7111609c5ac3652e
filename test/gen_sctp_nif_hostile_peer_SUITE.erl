%% @doc A peer that means harm: whatever it sends, no atom is made, nothing is kept without bound,
%% and the socket goes on working.
-module(gen_sctp_nif_hostile_peer_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib, [loopback/1, open/2, pair/3, port/1, recv/2]).

-define(M, gen_sctp_nif).
-define(NET, gen_sctp_test_net).
%% What is kept for later receives while a process connects, by docs/architecture.md.
-define(BACKLOG, 16 * 1024 * 1024).

suite() -> [{timetrap, {seconds, 240}}].

all() -> [{group, inet}, {group, inet6}].

groups() ->
    [{Family, [], [error_causes, any_chunks, come_and_go, backlog_is_bounded]}
     || Family <- [inet, inet6]].

init_per_group(Family, Config) ->
    gen_sctp_test_lib:init_group(Family, gen_sctp_test_lib:init_group(nif, Config)).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% Error causes with all numbers and any bodies: an event for each, of known size.
error_causes(Config) ->
    with_victim(Config, fun(Raw, #{c := C, cid := Id, to_c := ToC} = Pair) ->
        Codes = [rand:uniform(65536) - 1 || _ <- lists:seq(1, 500)],
        Flood = fun() ->
            [ok = ?NET:forge(Raw, ToC, ?NET:chunk(9, 0, ?NET:cause(Code, noise(400))))
             || Code <- Codes],
            [begin
                 {error, {_, [], Event}} = recv(?M, C),
                 ?assertEqual(#sctp_remote_error{error = Code, assoc_id = Id, data = [0]}, Event)
             end || Code <- Codes]
        end,
        Flood(),
        Before = held(),
        Flood(),
        ?assertEqual(Before, held()),
        works(Pair)
    end).

%% Chunks of every type that end no association, with any flags and any bodies, to an active socket.
any_chunks(Config) ->
    with_victim(Config, fun(Raw, #{c := C, to_c := ToC} = Pair) ->
        ok = inet:setopts(C, [{active, true}]),
        %% ABORT, SHUTDOWN and their like would end it, DATA and SACK may break it for its kernel.
        Types = lists:seq(0, 255) -- [0, 3, 6, 7, 8, 10, 11, 14, 16#40, 192],
        Flood = fun() ->
            [ok = ?NET:forge(Raw, ToC, ?NET:chunk(Type, rand:uniform(256) - 1, noise(64)))
             || Type <- Types]
        end,
        Flood(),
        gen_sctp_test_lib:mailbox(),
        Before = held(),
        Flood(),
        ok = inet:setopts(C, [{active, false}]),
        _ = gen_sctp_test_lib:mailbox(),
        ?assertEqual(Before, held()),
        survives(Pair)
    end).

%% Associations that come up and are aborted, while nobody looks.
come_and_go(Config) ->
    S = gen_sctp_test_lib:listener(Config, []),
    Storm = fun() ->
        [begin
             C = open(Config, []),
             {ok, Up} = ?M:connect(C, loopback(Config), port(S), [], 10000),
             ok = ?M:abort(C, Up),
             ok = ?M:close(C)
         end || _ <- lists:seq(1, 100)],
        [begin
             {ok, {_, _, [], #sctp_assoc_change{state = State}}} = recv(?M, S),
             State
         end || _ <- lists:seq(1, 200)]
    end,
    Expected = lists:append(lists:duplicate(100, [comm_up, comm_lost])),
    ?assertEqual(Expected, Storm()),
    Before = held(),
    ?assertEqual(Expected, Storm()),
    ?assertEqual(Before, held()).

%% While a process waits for another peer, this one sends as much as it can. What is over the bound
%% stays in the kernel, and then with the sender; and nothing is lost.
backlog_is_bounded(Config) ->
    Unanswered = gen_sctp_test_lib:unanswered(gen_sctp_test_lib:family(Config)),
    #{s := S, c := C, cid := Id} = pair_beside(Config, Unanswered),
    Task = gen_sctp_test_lib:async(fun() -> ?M:connect(S, Unanswered, 5000, [], 100000) end),
    ok = gen_sctp_test_lib:until_blocked(Task),
    Sent = flood(C, Id, 0, 0),
    gen_sctp_test_lib:kill(Task),
    ?assert(backlog() > ?BACKLOG div 2),
    ?assert(backlog() =< ?BACKLOG + 2 * 65536),
    [begin
         {_, <<N:32, _/binary>>} = gen_sctp_test_lib:data(?M, S),
         N
     end || N <- lists:seq(0, Sent - 1)],
    ?assertEqual(0, backlog()).

%% Sends until there is no room anywhere, and the backlog has not grown for a while.
flood(C, Id, N, Full) ->
    case ?M:send(C, Id, 0, <<N:32, 0:(65532 * 8)>>) of
        ok ->
            flood(C, Id, N + 1, 0);
        {error, eagain} when Full > 200 ->
            N;
        {error, eagain} ->
            Before = backlog(),
            receive after 5 -> ok end,
            case backlog() of
                Before -> flood(C, Id, N, Full + 1);
                _ -> flood(C, Id, N, 0)
            end
    end.

backlog() ->
    maps:get(backlog_bytes, gen_sctp_nif_prim:counters()).

%% A pair on the address of this machine that has the unanswered one beside it.
pair_beside(Config, Unanswered) ->
    {ok, Interfaces} = inet:getifaddrs(),
    [IP | _] = [A || {_, Opts} <- Interfaces, {addr, A} <- Opts, size(A) =:= size(Unanswered),
                     setelement(size(A), A, 77) =:= Unanswered],
    Opts = [gen_sctp_test_lib:family(Config), {ip, IP}, {recbuf, 262144}, {sndbuf, 262144},
            {non_block_send, true}],
    [S, C] = [begin
                  {ok, Socket} = ?M:open(Opts),
                  gen_sctp_test_lib:adopt(Socket)
              end || _ <- [s, c]],
    ok = ?M:listen(S, true),
    gen_sctp_test_lib:join(?M, IP, S, C).

%% What must not grow.
held() ->
    erlang:garbage_collect(),
    #{atoms => erlang:system_info(atom_count),
      native => maps:without([opened, terms, resources], gen_sctp_nif_prim:counters())}.

noise(Most) ->
    rand:bytes(rand:uniform(Most)).

with_victim(Config, Case) ->
    Raw = ?NET:raw(gen_sctp_test_lib:family(Config)),
    try
        #{sport := SPort, cport := CPort} = Pair = pair(Config, [], []),
        Case(Raw, Pair#{to_c => {SPort, CPort, ?NET:tag(Raw, SPort, CPort)}})
    after
        ?NET:close(Raw)
    end.

works(#{s := S, sid := SId, c := C, cid := Id}) ->
    ok = ?M:send(C, Id, 0, <<"ping">>),
    ?assertMatch({_, <<"ping">>}, gen_sctp_test_lib:data(?M, S)),
    ok = ?M:send(S, SId, 0, <<"pong">>),
    ?assertMatch({_, <<"pong">>}, gen_sctp_test_lib:data(?M, C)).

%% The kernel may have taken the association for broken, not the socket.
survives(#{s := S} = Pair) ->
    #{c := C, ip := IP} = Pair,
    drain(S),
    drain(C),
    case ?M:connect(C, IP, port(S), [], 10000) of
        {ok, #sctp_assoc_change{}} -> ok;
        {error, eisconn} -> ok
    end.

drain(S) ->
    case ?M:recv(S, 0) of
        {error, timeout} -> ok;
        _ -> drain(S)
    end.
