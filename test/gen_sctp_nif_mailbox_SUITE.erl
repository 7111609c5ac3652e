%% @doc The option mailbox_limit: an active socket delivers no more than its owner's mailbox has
%% room for, loses nothing, and goes on when the owner reads.
-module(gen_sctp_nif_mailbox_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [mod/1, open/2, listener/2, pair/3, loopback/1, next/1, helper/0, call/2, async/1, await/1,
         kill/1, until/1, until_blocked/1, no_message/0]).

-define(MOST, 20).
-define(SENT, 200).

suite() -> [{timetrap, {seconds, 90}}].

all() -> [{group, nif}].

groups() ->
    [{nif, [], [{inet, [], [set_and_get, wrong, in_a_refused_list, flood, with_others, every_mode,
                            lifted, lowered, given_away, peeled_off, connects, owner_connects,
                            owner_sends, process_is_killed, looker_is_killed,
                            closed_while_full]}]}].

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

limit(S) ->
    {ok, [{mailbox_limit, Limit}]} = inet:getopts(S, [mailbox_limit]),
    Limit.

set_and_get(Config) ->
    S = open(Config, [{mailbox_limit, 7}]),
    ?assertEqual(7, limit(S)),
    ok = inet:setopts(S, [{mailbox_limit, infinity}]),
    ?assertEqual(infinity, limit(S)),
    ?assertEqual(infinity, limit(open(Config, []))).

wrong(Config) ->
    S = open(Config, []),
    [begin
         ?assertEqual({error, einval}, inet:setopts(S, [{mailbox_limit, Wrong}])),
         ?assertError(badarg, gen_sctp_nif:open([{mailbox_limit, Wrong}]))
     end || Wrong <- [0, -1, foo, 1.5, 1 bsl 32, 1 bsl 70, <<>>, "", {5}, undefined]],
    ?assertEqual(infinity, limit(S)).

%% Of a list that is refused the options before the wrong one, from the end on, are in force: with a
%% bound, too, messages come.
in_a_refused_list(Config) ->
    #{s := S} = Pair = pair(Config, [], []),
    ?assertEqual({error, einval}, inet:setopts(S, [{sctp_maxseg, 1}, {active, true},
                                                   {mailbox_limit, ?MOST}])),
    ?assertEqual(?MOST, limit(S)),
    ok = send(Pair),
    ?assert(read(S, 1, 0) =< ?MOST).

%% Traffic.

%% Messages 1 to ?SENT from a process of its own; the owner of the other end is a helper that reads
%% nothing unless told.
send(#{m := M, c := C, cid := Id}) ->
    [ok = M:send(C, Id, 0, <<N:32>>) || N <- lists:seq(1, ?SENT)],
    ok.

%% A server of which Owner is the owner, with a client.
served(Config, Owner, Opts) ->
    #{m := M, s := S} = Pair = pair(Config, [], []),
    ok = M:controlling_process(S, Owner),
    ok = inet:setopts(S, Opts),
    Pair.

%% A server whose owner has as much as it may have, and more waits in the kernel.
full(Config, Opts) ->
    Owner = helper(),
    Pair = served(Config, Owner, [{active, true}, {mailbox_limit, ?MOST} | Opts]),
    ok = send(Pair),
    until(fun() -> queued(Owner) =:= ?MOST end),
    Pair#{owner => Owner}.

queued(Owner) ->
    {message_queue_len, Length} = process_info(Owner, message_queue_len),
    Length.

%% What the owner takes, until it has the last message; the most that lay there at a time.
read_all(Owner, S) ->
    call(Owner, fun() -> read(S, 1, 0) end).

read(_S, N, Most) when N > ?SENT ->
    Most;
read(S, N, Most) ->
    Queued = queued(self()),
    case next(S) of
        <<N:32>> -> read(S, N + 1, max(Queued, Most));
        passive -> read(S, N, max(Queued, Most))
    end.

flood(Config) ->
    Owner = helper(),
    #{s := S} = Pair = served(Config, Owner, [{active, true}, {mailbox_limit, ?MOST}]),
    Sender = async(fun() -> send(Pair) end),
    until(fun() -> queued(Owner) =:= ?MOST end),
    ok = await(Sender),
    %% All has been sent, and nothing more has come.
    ?assertEqual(?MOST, queued(Owner)),
    ?assert(read_all(Owner, S) =< ?MOST),
    ?assertEqual(0, queued(Owner)).

%% What others send counts as well: the mailbox is what is bounded.
with_others(Config) ->
    Owner = spawn_link(fun() -> receive stop -> ok end end),
    [Owner ! N || N <- lists:seq(1, 15)],
    Pair = served(Config, Owner, [{mailbox_limit, ?MOST}, {active, true}]),
    ok = send(Pair),
    until(fun() -> queued(Owner) =:= ?MOST end),
    unlink(Owner),
    kill(Owner).

every_mode(Config) ->
    [begin
         Owner = helper(),
         #{m := M, s := S} = Pair = served(Config, Owner, [{mailbox_limit, 3}, {active, Mode}]),
         Sender = async(fun() -> send(Pair) end),
         until(fun() -> queued(Owner) =:= Length end),
         ok = await(Sender),
         ok = inet:setopts(S, [{active, true}]),
         %% sctp_passive comes even so.
         ?assert(read_all(Owner, S) =< 3 + length([passive || is_integer(Mode)])),
         ok = M:close(S)
     end || {Mode, Length} <- [{once, 1}, {2, 3}, {5, 3}, {true, 3}]].

lifted(Config) ->
    #{s := S, owner := Owner} = full(Config, []),
    ok = inet:setopts(S, [{mailbox_limit, infinity}]),
    until(fun() -> queued(Owner) =:= ?SENT end),
    ?assertEqual(?SENT, read_all(Owner, S)).

%% What the old bound would allow does not count.
lowered(Config) ->
    #{s := S, owner := Owner} = full(Config, []),
    _ = looker(),
    ok = inet:setopts(S, [{mailbox_limit, 5}]),
    until(fun() -> length(looking()) =:= 2 end),
    %% Room for the old bound, not for the new one.
    call(Owner, fun() -> [receive {sctp, S, _, _, _} -> ok end || _ <- lists:seq(1, 10)] end),
    _ = looker(),
    ?assertEqual(?MOST - 10, queued(Owner)),
    call(Owner, fun() -> [receive {sctp, S, _, _, _} -> ok end || _ <- lists:seq(1, 6)] end),
    until(fun() -> queued(Owner) =:= 5 end).

%% The bound goes along with the mode, or the child of a bounded socket would have none.
peeled_off(Config) ->
    Owner = helper(),
    #{m := M, s := S, sid := Id} = Pair =
        served(Config, Owner, [{active, true}, {mailbox_limit, ?MOST}]),
    {ok, P} = call(Owner, fun() -> M:peeloff(S, Id) end),
    ?assertEqual({?MOST, {ok, [{active, true}]}}, {limit(P), inet:getopts(P, [active])}),
    ok = send(Pair),
    until(fun() -> queued(Owner) =:= ?MOST end),
    ?assert(read_all(Owner, P) =< ?MOST).

%% The new owner has a mailbox of its own.
given_away(Config) ->
    Second = helper(),
    #{m := M, s := S, owner := First} = full(Config, []),
    ok = call(First, fun() -> M:controlling_process(S, Second) end),
    until(fun() -> queued(Second) =:= ?MOST end),
    ?assertEqual(0, queued(First)),
    ?assert(read_all(Second, S) =< ?MOST).

%% A blocking connect on a socket whose owner has no room: it succeeds when there is some.
connects(Config) ->
    #{s := S, owner := Owner} = full(Config, []),
    Connect = connecting(Config, S),
    Connected = async(Connect),
    ?assert(read_all(Owner, S) =< ?MOST),
    ?assertMatch({ok, #sctp_assoc_change{state = comm_up}}, await(Connected)).

%% A blocking connect of this socket to one that listens.
connecting(Config, S) ->
    M = mod(Config),
    Port = gen_sctp_test_lib:port(listener(Config, [])),
    fun() -> M:connect(S, loopback(Config), Port, [], 10000) end.

%% Nor has the owner, who cannot read while he connects.
owner_connects(Config) ->
    #{s := S, owner := Owner} = full(Config, []),
    Connect = connecting(Config, S),
    ?assertMatch({ok, #sctp_assoc_change{state = comm_up}}, call(Owner, Connect)),
    ?assertEqual(?MOST, queued(Owner)),
    ?assert(read_all(Owner, S) =< ?MOST).

%% An owner without room who waits to send hears of the end of the association.
owner_sends(Config) ->
    #{m := M, s := S, c := C, cup := Up, sid := SId, owner := Owner} =
        full(Config, [{sndbuf, 16384}]),
    Self = self(),
    Fill = fun Again() ->
        case M:send(S, SId, 0, <<0:1000/unit:8>>) of
            ok -> Again();
            Error -> Self ! {filled, Error}
        end
    end,
    Owner ! {gen_sctp_test_lib, Self, make_ref(), Fill},
    until_blocked(Owner),
    ok = M:abort(C, Up),
    receive {filled, Error} -> ?assertEqual({error, epipe}, Error)
    after 10000 -> error(blocked)
    end,
    receive {_, _} -> ok end.

%% Without the process there is no bound; but there are messages, even if it died with a question
%% unread, and the next limit has it started again. The operator is told, once.
process_is_killed(Config) ->
    Log = gen_sctp_test_log:keep(),
    Owner = helper(),
    #{s := S} = Pair = served(Config, Owner, [{active, true}, {mailbox_limit, ?MOST}]),
    Process = whereis(gen_sctp_nif_limit),
    true = erlang:suspend_process(Process),
    ok = send(Pair),
    until(fun() -> queued(Process) =:= 1 end),
    kill(Process),
    until(fun() -> queued(Owner) =:= ?SENT end),
    ?assertMatch([{warning, "gen_sctp_nif: the process gen_sctp_nif_limit has died" ++ _,
                   #{event := mailbox_limit}}], gen_sctp_test_log:kept(Log, 1)),
    _ = read_all(Owner, S),
    ok = inet:setopts(S, [{mailbox_limit, 3}]),
    ?assert(is_pid(whereis(gen_sctp_nif_limit))),
    ok = send(Pair),
    until(fun() -> queued(Owner) =:= 3 end),
    ?assert(read_all(Owner, S) =< 3),
    ?assertEqual(1, length(gen_sctp_test_log:kept(Log, 1))),
    gen_sctp_test_log:stop(Log).

%% The question it had is asked again when as much has come as the bound allows.
looker_is_killed(Config) ->
    Log = gen_sctp_test_log:keep(),
    #{s := S, owner := Owner} = full(Config, []),
    kill(looker()),
    until(fun() -> queued(Owner) =:= 2 * ?MOST end),
    _ = looker(),
    ?assert(read_all(Owner, S) =< 2 * ?MOST),
    ?assertEqual(0, queued(Owner)),
    ?assertEqual([], gen_sctp_test_log:kept(Log, 0)),
    gen_sctp_test_log:stop(Log).

%% Who looks at the mailbox ends with the socket.
closed_while_full(Config) ->
    #{m := M, s := S} = full(Config, []),
    _ = looker(),
    ok = M:close(S),
    until(fun() -> looking() =:= [] end),
    no_message().

%% The question is on its way when the last message is in the mailbox.
looker() ->
    until(fun() -> length(looking()) =:= 1 end),
    hd(looking()).

looking() ->
    [Pid || Pid <- processes(),
            process_info(Pid, initial_call) =:= {initial_call, {gen_sctp_nif_limit, check, 5}}].
