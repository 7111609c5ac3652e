%% @doc The end of a one-to-one socket's association: shutdown/2, the option end_of_stream, and
%% abort/3.
-module(gen_sctp_nif_stream_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [loopback/1, open/2, adopt/1, listener/2, pair/1, pair/3, port/1, recv/2, data/2, event/2,
         next/1, no_message/0, async/1, await/1, helper/0, call/2, until/1, until_blocked/1]).

-define(M, gen_sctp_nif).
%% Milliseconds in which nothing is to happen.
-define(SILENCE, 1000).
-define(MESSAGES, 50).

suite() -> [{timetrap, {seconds, 120}}].

all() -> [{group, nif}].

groups() ->
    gen_sctp_test_lib:matrix([],
        [write, write_of_peeled_off, read, read_at_once, read_and_write, refused_shutdowns,
         beside_waiting, options, closed_to_receiver, closed_to_owner, waits_in_silence, aborted,
         does_not_count, batches, told_once, told_to_next_owner, full_mailbox, asked_for_later,
         without_events, connects_again, reason_of_abort]).

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% Each kind of one-to-one socket, and its peer. Both are up, and say so no more.
ends(Config) -> ends(Config, []).

ends(Config, Opts) -> [{Kind, ends(Kind, Config, Opts)} || Kind <- [accepted, connected, peeled]].

ends(connected, Config, Opts) ->
    {Peer, S} = ends(accepted, Config, []),
    ok = inet:setopts(S, Opts),
    {S, Peer};
ends(accepted, Config, Opts) ->
    L = listener(Config, [{type, stream}]),
    C = open(Config, [{type, stream}]),
    {ok, _} = ?M:connect(C, loopback(Config), port(L), []),
    {ok, S} = ?M:accept(L, 10000),
    #sctp_assoc_change{state = comm_up} = event(?M, adopt(S)),
    ok = inet:setopts(S, Opts),
    {S, C};
ends(peeled, Config, Opts) ->
    #{s := S, c := C, sid := Id} = pair(Config, [], [{type, stream}]),
    {ok, P} = ?M:peeloff(S, Id),
    ok = inet:setopts(adopt(P), Opts),
    {P, C}.

closed() -> {end_of_stream, closed}.

silence(S, Time) ->
    receive
        Message when element(2, Message) =:= S -> error({not_silent, Message})
    after Time ->
        ok
    end.

%% A second of silence in several places takes no longer than in one.
all_silent(Sockets) ->
    silence(hd(Sockets), ?SILENCE),
    [silence(S, 0) || S <- tl(Sockets)],
    ok.

%% What it says of an end by a shutdown of the peer, but for the last word.
shut_down(S) ->
    ?assertMatch(#sctp_shutdown_event{}, event(?M, S)),
    ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(?M, S)).

%% Shutdown.

write(Config) ->
    shuts_down_writing([accepted, connected], Config).

%% Where the kernel's shutdown does nothing.
write_of_peeled_off(Config) ->
    shuts_down_writing([peeled], Config).

shuts_down_writing(Kinds, Config) ->
    [begin
         {S, Peer} = ends(Kind, Config, [closed()]),
         ok = inet:setopts(Peer, [closed()]),
         Data = binary:copy(<<"much">>, 1000),
         [ok = ?M:send(S, 0, 0, <<N:32, Data/binary>>) || N <- lists:seq(1, ?MESSAGES)],
         ok = ?M:shutdown(S, write),
         {error, Refused} = ?M:send(S, 0, 0, <<"too late">>),
         ?assert(lists:member(Refused, [eshutdown, epipe])),
         %% All has been sent before.
         [?assertMatch({_, <<N:32, Data/binary>>}, data(?M, Peer)) || N <- lists:seq(1, ?MESSAGES)],
         shut_down(Peer),
         [?assertEqual({error, closed}, ?M:recv(Peer, 10000)) || _ <- [1, 2]],
         %% Nor can the peer go on.
         ?assertEqual({error, epipe}, ?M:send(Peer, 0, 0, <<"x">>)),
         ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(?M, S)),
         ?assertEqual({error, closed}, ?M:recv(S, 10000)),
         ?assertEqual({error, enotconn}, ?M:shutdown(S, write)),
         ?assertEqual({error, enotconn}, ?M:shutdown(Peer, read))
     end || Kind <- Kinds].

%% What has come is received, what comes is dropped; the association goes on.
read(Config) ->
    [begin
         {ok, Before} = inet:getstat(Peer, [send_cnt]),
         ok = ?M:send(Peer, 0, 0, <<"in time">>),
         until(fun() -> unacknowledged(Peer) =:= 0 end),
         ok = ?M:shutdown(S, read),
         ok = ?M:send(Peer, 0, 0, <<"dropped">>),
         until(fun() -> unacknowledged(Peer) =:= 0 end),
         ?assertMatch({_, <<"in time">>}, data(?M, S)),
         ?assertEqual({error, closed}, ?M:recv(S, 10000)),
         ?assertEqual({error, closed}, ?M:recv(S, 0)),
         ok = ?M:send(S, 0, 0, <<"still sent">>),
         ?assertMatch({_, <<"still sent">>}, data(?M, Peer)),
         ?assertEqual({ok, [{send_cnt, proplists:get_value(send_cnt, Before) + 2}]},
                      inet:getstat(Peer, [send_cnt])),
         ok = ?M:shutdown(S, write),
         shut_down(Peer)
     end || {_, {S, Peer}} <- ends(Config, [closed()])].

%% That it came up, which nobody has read yet, is no news then.
read_at_once(Config) ->
    [begin
         L = listener(Config, [{type, stream}]),
         C = open(Config, [{type, stream}, closed()]),
         {ok, _} = ?M:connectx_init(C, [loopback(Config)], port(L), []),
         {ok, S} = ?M:accept(L, 10000),
         [begin
              ok = ?M:shutdown(Socket, read),
              ?assertMatch(#sctp_assoc_change{state = comm_up}, event(?M, Socket)),
              Ended = case Mode of
                  false ->
                      ?M:recv(Socket, 10000);
                  true ->
                      ok = inet:setopts(Socket, [{active, true}]),
                      receive {sctp_closed, Socket} -> {error, closed} after 10000 -> none end
              end,
              ?assertEqual({error, closed}, Ended)
          end || Socket <- [adopt(S), C]]
     end || Mode <- [false, true]].

unacknowledged(S) ->
    {ok, [{sctp_status, #sctp_status{unackdata = Sent, penddata = Unsent}}]} =
        inet:getopts(S, [{sctp_status, #sctp_status{assoc_id = 0}}]),
    Sent + Unsent.

read_and_write(Config) ->
    [begin
         ok = ?M:send(S, 0, 0, <<"last">>),
         ok = ?M:shutdown(S, read_write),
         ?assertMatch({_, <<"last">>}, data(?M, Peer)),
         shut_down(Peer),
         ?assertEqual({error, closed}, last(S)),
         ?assertMatch({error, _}, ?M:send(S, 0, 0, <<"x">>)),
         %% Who waits for nothing does not keep anybody busy.
         ok = inet:setopts(S, [{active, true}]),
         receive {sctp_closed, S} -> ok end
     end || {_, {S, Peer}} <- ends(Config, [closed()])].

%% The first answer that is not an event.
last(S) ->
    case ?M:recv(S, 10000) of
        {ok, {_, _, [], Event}} when is_tuple(Event) -> last(S);
        Other -> Other
    end.

refused_shutdowns(Config) ->
    Hows = [read, write, read_write],
    %% One-to-many: the kernel would damage it.
    #{s := S, c := C} = Pair = pair(Config),
    [?assertEqual({error, enotsup}, ?M:shutdown(Socket, How)) || Socket <- [S, C], How <- Hows],
    gen_sctp_test_lib:exchange(Pair),
    %% Without an association, or before there is one.
    [begin
         One = open(Config, [{type, stream}, closed()]),
         ?assertEqual({error, enotconn}, ?M:shutdown(One, How)),
         L = listener(Config, [{type, stream}]),
         ?assertEqual({error, enotconn}, ?M:shutdown(L, How)),
         {ok, _} = ?M:connect(One, loopback(Config), port(L), []),
         {ok, Accepted} = ?M:accept(L, 10000),
         ok = gen_tcp:send(One, <<"there">>),
         ok = gen_tcp:send(adopt(Accepted), <<"back">>),
         ?assertEqual({ok, <<"there">>}, gen_tcp:recv(Accepted, 0, 10000)),
         ?assertEqual({ok, <<"back">>}, gen_tcp:recv(One, 0, 10000)),
         ok = ?M:close(One),
         ?assertEqual({error, closed}, ?M:shutdown(One, How))
     end || How <- Hows].

%% Who waits hears of it.
beside_waiting(Config) ->
    [begin
         Receiver = async(fun() -> ?M:recv(S) end),
         until_blocked(Receiver),
         ok = ?M:shutdown(S, read),
         ?assertEqual({error, closed}, await(Receiver))
     end || {_, {S, _}} <- ends(Config, [closed()])],
    [begin
         Receiver = async(fun() -> [?M:recv(S) || _ <- [1, 2]] end),
         until_blocked(Receiver),
         ok = ?M:shutdown(S, write),
         ?assertMatch([{ok, {_, _, [], #sctp_assoc_change{state = shutdown_comp}}},
                       {error, closed}], await(Receiver))
     end || {_, {S, _}} <- ends(Config, [closed()])].

%% The option.

options(Config) ->
    Get = fun(S) -> {ok, [{end_of_stream, Value}]} = inet:getopts(S, [end_of_stream]), Value end,
    Many = open(Config, []),
    ?assertEqual(wait, Get(Many)),
    %% It would have no effect.
    ?assertEqual({error, einval}, inet:setopts(Many, [{sctp_disable_fragments, true}, closed()])),
    ?assertEqual({ok, [{sctp_disable_fragments, false}]},
                 inet:getopts(Many, [sctp_disable_fragments])),
    ?assertError(badarg, ?M:open([closed()])),
    ok = inet:setopts(Many, [{end_of_stream, wait}]),
    [?assertEqual({Kind, Default}, {Kind, Get(S)})
     || {{Kind, {S, _}}, Default} <- lists:zip(ends(Config), [closed, wait, wait])],
    [begin
         L = listener(Config, [{type, stream} | Opts]),
         ?assertEqual(proplists:get_value(end_of_stream, Opts, wait), Get(L)),
         C = open(Config, [{type, stream}]),
         {ok, _} = ?M:connect(C, loopback(Config), port(L), []),
         {ok, S} = ?M:accept(L, 10000),
         ?assertEqual(Accepted, Get(adopt(S))),
         ok = inet:setopts(S, [closed()]),
         ?assertEqual(closed, Get(S)),
         ok = inet:setopts(S, [{end_of_stream, wait}]),
         ?assertEqual(wait, Get(S))
     end || {Opts, Accepted} <- [{[], closed}, {[closed()], closed},
                                 {[{end_of_stream, wait}], wait}]].

closed_to_receiver(Config) ->
    [begin
         Receiver = async(fun() -> [?M:recv(S) || _ <- [1, 2, 3, 4]] end),
         until_blocked(Receiver),
         ok = gen_tcp:send(Peer, <<"last">>),
         ok = ?M:close(Peer),
         ?assertMatch([{ok, {_, _, _, <<"last">>}}, {ok, {_, _, [], #sctp_shutdown_event{}}},
                       {ok, {_, _, [], #sctp_assoc_change{state = shutdown_comp}}},
                       {error, closed}], await(Receiver)),
         [?assertEqual({error, closed}, ?M:recv(S, T)) || T <- [0, 1, 10000, infinity]],
         ?assertEqual({error, closed}, ?M:recv_batch(S, 10, infinity)),
         ?assertEqual({error, closed}, gen_tcp:recv(S, 0))
     end || {_, {S, Peer}} <- ends(Config, [closed()])].

closed_to_owner(Config) ->
    Ends = ends(Config, [closed(), {active, true}]),
    [begin
         ok = gen_tcp:send(Peer, <<"last">>),
         ok = ?M:close(Peer),
         ?assertEqual(<<"last">>, next(S)),
         ?assertMatch(#sctp_shutdown_event{}, next(S)),
         ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, next(S)),
         receive {sctp_closed, S} -> ok end
     end || {_, {S, Peer}} <- Ends],
    %% Once.
    [ok = inet:setopts(S, [{active, Mode}])
     || {_, {S, _}} <- Ends, Mode <- [false, true, once, 5, true]],
    all_silent([S || {_, {S, _}} <- Ends]),
    [?assertEqual({ok, [{active, true}]}, inet:getopts(S, [active]), Kind)
     || {Kind, {S, _}} <- Ends].

%% The control: without the option an end is told by events alone.
waits_in_silence(Config) ->
    Active = ends(Config, [{end_of_stream, wait}, {active, true}]),
    Passive = ends(Config, [{end_of_stream, wait}]),
    [ok = ?M:close(Peer) || {_, {_, Peer}} <- Active ++ Passive],
    [begin
         ?assertMatch(#sctp_shutdown_event{}, next(S)),
         ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, next(S))
     end || {_, {S, _}} <- Active],
    [shut_down(S) || {_, {S, _}} <- Passive],
    Receivers = [async(fun() -> ?M:recv(S, ?SILENCE) end) || {_, {S, _}} <- Passive],
    all_silent([S || {_, {S, _}} <- Active]),
    [?assertEqual({error, timeout}, await(Receiver)) || Receiver <- Receivers].

aborted(Config) ->
    [begin
         ok = inet:setopts(Peer, [{linger, {true, 0}}]),
         ok = ?M:close(Peer),
         case Mode of
             false ->
                 ?assertMatch(#sctp_assoc_change{state = comm_lost}, event(?M, S)),
                 ?assertEqual({error, econnreset}, ?M:recv(S, 10000)),
                 [?assertEqual({error, closed}, ?M:recv(S, 10000)) || _ <- [1, 2]];
             true ->
                 ?assertMatch(#sctp_assoc_change{state = comm_lost}, next(S)),
                 ?assertEqual({error, econnreset}, next(S)),
                 receive {sctp_closed, S} -> ok end
         end
     end || Mode <- [false, true], {_, {S, Peer}} <- ends(Config, [closed(), {active, Mode}])],
    no_message().

%% For `once' and N it is no message.
does_not_count(Config) ->
    [begin
         ok = ?M:close(Peer),
         ?assertMatch(#sctp_shutdown_event{}, next(S)),
         ok = inet:setopts(S, [{active, once}]),
         ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, next(S)),
         ok = inet:setopts(S, [{active, once}]),
         receive {sctp_closed, S} -> ok end,
         ?assertEqual({ok, [{active, once}]}, inet:getopts(S, [active]))
     end || {_, {S, Peer}} <- ends(Config, [closed(), {active, once}])],
    [begin
         ok = ?M:close(Peer),
         ?assertMatch(#sctp_shutdown_event{}, next(S)),
         ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, next(S)),
         receive {sctp_closed, S} -> ok end,
         ?assertEqual({ok, [{active, 1}]}, inet:getopts(S, [active]))
     end || {_, {S, Peer}} <- ends(Config, [closed(), {active, 3}])].

batches(Config) ->
    [begin
         [ok = gen_tcp:send(Peer, <<N>>) || N <- [1, 2, 3]],
         ok = ?M:close(Peer),
         Waits = async(fun() -> in_batches(?M, S) end),
         ?assertMatch([<<1>>, <<2>>, <<3>>, #sctp_shutdown_event{}, #sctp_assoc_change{}, closed],
                      await(Waits))
     end || {_, {S, Peer}} <- ends(Config, [closed()])],
    [begin
         [ok = gen_tcp:send(Peer, <<N>>) || N <- [1, 2, 3]],
         ok = ?M:close(Peer),
         ?assertMatch([<<1>>, <<2>>, <<3>>, #sctp_shutdown_event{}, #sctp_assoc_change{}, closed],
                      of_batches(S))
     end || {_, {S, Peer}} <- ends(Config, [closed(), {batch, 10}, {active, true}])].

in_batches(M, S) ->
    case M:recv_batch(S, 10, infinity) of
        {ok, Messages} -> [What || {_, _, _, What} <- Messages] ++ in_batches(M, S);
        {error, closed} -> [closed]
    end.

of_batches(S) ->
    receive
        {sctp_batch, S, Messages} -> [What || {_, _, _, What} <- Messages] ++ of_batches(S);
        {sctp_closed, S} -> [closed]
    after 10000 -> error(no_end)
    end.

%% Whatever is done to it afterwards.
told_once(Config) ->
    [begin
         ok = ?M:close(Peer),
         [_, _] = [next(S) || _ <- [1, 2]],
         receive {sctp_closed, S} -> ok end,
         ok = inet:setopts(S, [{active, false}]),
         ?assertEqual({error, closed}, ?M:recv(S, 0)),
         ok = inet:setopts(S, [{active, true}]),
         Next = helper(),
         ok = ?M:controlling_process(S, Next),
         ok = call(Next, fun() -> ?M:controlling_process(S, whereis(?MODULE)) end),
         no_message()
     end || true <- [register(?MODULE, self())],
            {_, {S, Peer}} <- ends(Config, [closed(), {active, true}])],
    unregister(?MODULE).

%% One that has not been read goes along.
told_to_next_owner(Config) ->
    [begin
         ok = ?M:close(Peer),
         ok = gen_sctp_test_lib:queued(S, 3),
         Next = helper(),
         ok = ?M:controlling_process(S, Next),
         no_message(),
         ?assertMatch([_, _, {sctp_closed, S}], call(Next, fun gen_sctp_test_lib:mailbox/0))
     end || {_, {S, Peer}} <- ends(Config, [closed(), {active, true}])].

%% It waits for room like all others.
full_mailbox(Config) ->
    [begin
         self() ! something,
         ok = inet:setopts(S, [{active, true}]),
         ok = ?M:close(Peer),
         until(fun() -> queued() =:= 2 end),
         %% No more comes, while something has come on another socket.
         gen_sctp_test_lib:exchange(pair(Config)),
         ?assertEqual(2, queued()),
         receive {sctp, S, _, _, {_, #sctp_shutdown_event{}}} -> ok after 10000 -> error(none) end,
         receive {sctp, S, _, _, {_, #sctp_assoc_change{}}} -> ok after 10000 -> error(none) end,
         receive {sctp_closed, S} -> ok after 10000 -> error(none) end,
         receive something -> ok end
     end || {_, {S, Peer}} <- ends(Config, [closed(), {mailbox_limit, 2}])].

queued() ->
    {message_queue_len, Number} = process_info(self(), message_queue_len),
    Number.

%% The end has been there before.
asked_for_later(Config) ->
    [begin
         ok = ?M:close(Peer),
         ?assertMatch(#sctp_shutdown_event{}, next(S)),
         ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, next(S)),
         ok = inet:setopts(S, [closed()]),
         receive {sctp_closed, S} -> ok end
     end || {_, {S, Peer}} <- ends(Config, [{end_of_stream, wait}, {active, true}])],
    [begin
         ok = ?M:close(Peer),
         shut_down(S),
         Receiver = async(fun() -> ?M:recv(S) end),
         until_blocked(Receiver),
         ok = inet:setopts(S, [closed()]),
         ?assertEqual({error, closed}, await(Receiver))
     end || {_, {S, Peer}} <- ends(Config, [{end_of_stream, wait}])].

without_events(Config) ->
    None = #sctp_event_subscribe{association_event = false, shutdown_event = false},
    [begin
         Receiver = async(fun() -> [?M:recv(S) || _ <- [1, 2]] end),
         until_blocked(Receiver),
         ok = gen_tcp:send(Peer, <<"last">>),
         ok = ?M:close(Peer),
         ?assertMatch([{ok, {_, _, _, <<"last">>}}, {error, closed}], await(Receiver))
     end || {_, {S, Peer}} <- ends(Config, [closed(), {sctp_events, None}])],
    [begin
         ok = gen_tcp:send(Peer, <<"last">>),
         ok = ?M:close(Peer),
         ?assertEqual(<<"last">>, next(S)),
         receive {sctp_closed, S} -> ok end,
         no_message()
     end || {_, {S, Peer}} <- ends(Config, [closed(), {active, true}, {sctp_events, None}])].

%% That none was set up is not the end of one: another can be.
connects_again(Config) ->
    C = open(Config, [{type, stream}, closed()]),
    Unused = open(Config, []),
    ?assertMatch({error, #sctp_assoc_change{state = cant_assoc}},
                 ?M:connect(C, loopback(Config), port(Unused), [])),
    ?assertEqual({error, econnrefused}, ?M:recv(C, 10000)),
    ?assertEqual({error, timeout}, ?M:recv(C, 0)),
    L = listener(Config, [{type, stream}]),
    {ok, _} = ?M:connect(C, loopback(Config), port(L), []),
    {ok, S} = ?M:accept(L, 10000),
    ok = gen_tcp:send(adopt(S), <<"data">>),
    ?assertMatch({_, <<"data">>}, data(?M, C)),
    ?assertEqual({error, timeout}, ?M:recv(C, 0)),
    ok = inet:setopts(S, [{linger, {true, 0}}]),
    ok = ?M:close(S),
    ?assertMatch(#sctp_assoc_change{state = comm_lost}, event(?M, C)),
    ?assertEqual({error, econnreset}, ?M:recv(C, 10000)),
    ?assertEqual({error, closed}, ?M:recv(C, 10000)),
    %% Nor can it be undone.
    ?assertEqual({error, eisconn}, ?M:connectx_init(C, [loopback(Config)], port(L), [])),
    ?assertEqual({error, closed}, ?M:recv(C, 10000)).

%% abort/3

reason_of_abort(Config) ->
    [begin
         #{s := S, c := C, sup := Up} = pair(Config, [], [{abort_causes, true}]),
         ok = Abort(S, Up),
         ?assertMatch({ok, {_, _, [{abort_causes, [{12, Text}]}],
                            #sctp_assoc_change{state = comm_lost}}}, recv(?M, C)),
         ?assertMatch(#sctp_assoc_change{state = comm_lost}, event(?M, S)),
         ?assertEqual({error, epipe}, Abort(S, Up))
     end || {Text, Abort} <-
                [{<<"why">>, fun(S, Up) -> ?M:abort(S, Up, ["w", <<"hy">>]) end},
                 {<<>>, fun(S, Up) -> ?M:abort(S, Up, <<>>) end},
                 {<<>>, fun(S, Up) -> ?M:abort(S, Up) end}]],
    {S, _} = ends(accepted, Config, []),
    ?assertEqual({error, einval}, ?M:abort(S, #sctp_assoc_change{assoc_id = 0}, "why")),
    {P, Peer} = ends(peeled, Config, []),
    ok = inet:setopts(Peer, [{abort_causes, true}]),
    ok = ?M:abort(P, #sctp_assoc_change{assoc_id = 0}, "peeled"),
    ?assertMatch({ok, {_, _, [{abort_causes, [{12, <<"peeled">>}]}], _}}, recv(?M, Peer)).
