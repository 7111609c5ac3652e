%% @doc The options send_timeout and send_timeout_close, the timeouts of send_batch/4, and the
%% timeout `nowait' with cancel/2. Each effect has its control: the same without it.
-module(gen_sctp_nif_deadlines_SUITE).

-include_lib("stdlib/include/assert.hrl").
-include_lib("kernel/include/inet_sctp.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [open/2, listener/2, pair/1, pair/3, join/4, adopt/1, data/2, event/2, next/1, recv/2,
         async/1, await/1, kill/1, until/1, until_blocked/1, counter/1, all_arrived/2]).

-define(M, gen_sctp_nif).
-define(TIMEOUT, 10000).
-define(SIZE, 1000).

%% After Time, and not much later: other programs may have the processor.
-define(in_time(Time, Expression),
    (fun() ->
        {Took, Result} = timed(fun() -> Expression end),
        ?assert(Took >= Time),
        ?assert(Took =< Time * 1.1 + 2000),
        Result
    end)()).

suite() -> [{timetrap, {seconds, 90}}].

all() -> [{group, nif}].

groups() ->
    Nowait = [recv_nowait, recv_batch_nowait, select_has_the_place, select_is_told_at_close,
              select_of_the_dead, select_keeps_the_socket, select_while_active,
              select_while_connecting, cancel_answers, cancel_races_ready],
    Timeouts = [options, send_timeout, batch_timeout, timeout_argument, timeout_arguments,
                closed_while_waiting, timeout_aborts, timeout_closes, room_of_the_socket],
    Sending = [send_nowait, send_nowait_all, send_select_ends, timeout_races_ready,
               cancel_races_room],
    All = Timeouts ++ Nowait ++ Sending,
    OfBoth = [options, send_timeout, timeout_aborts, timeout_closes, recv_nowait, send_nowait,
              select_is_told_at_close],
    [{nif, [], [{inet, [], All}, {inet6, [], OfBoth}]}].

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.

init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% The one message of a select, and no other.
selected(S, {select_info, _, Ref}) ->
    receive {'$socket', S, select, Ref} -> ok after ?TIMEOUT -> error(not_selected) end.

aborted(S, {select_info, _, Ref}) ->
    receive {'$socket', S, abort, {Ref, closed}} -> ok after ?TIMEOUT -> error(not_aborted) end.

nothing() ->
    receive Message -> error({stray, Message}) after 0 -> ok end.

%% Nothing comes for a while, during which something has come on another socket.
silence(Config) ->
    gen_sctp_test_lib:exchange(pair(Config)),
    nothing().

%% recv/2 with nowait.

recv_nowait(Config) ->
    #{s := S, c := C, sid := Id} = pair(Config),
    [begin
         {select, {select_info, recv, Ref} = Info} = ?M:recv(C, nowait),
         ?assert(is_reference(Ref)),
         ok = ?M:send(S, Id, 0, <<N:32>>),
         selected(C, Info),
         ?assertMatch({ok, {_, _, [#sctp_sndrcvinfo{}], <<N:32>>}}, ?M:recv(C, nowait)),
         %% What is there is given at once.
         ok = ?M:send(S, Id, 0, <<"there">>),
         all_arrived(S, Id),
         ?assertMatch({ok, {_, _, _, <<"there">>}}, ?M:recv(C, nowait))
     end || N <- lists:seq(1, 20)],
    %% Longer than what one call reads.
    Long = gen_sctp_test_lib:pattern(200000),
    {select, Info} = ?M:recv(C, nowait),
    ok = ?M:send(S, Id, 0, Long),
    ?assertMatch({ok, {_, _, _, Long}}, selects(C, Info)),
    silence(Config).

%% Tries again as often as it is told to.
selects(S, Info) ->
    selected(S, Info),
    case ?M:recv(S, nowait) of
        {select, Next} -> selects(S, Next);
        Result -> Result
    end.

recv_batch_nowait(Config) ->
    #{s := S, c := C, sid := Id} = pair(Config),
    {select, {select_info, recv, _} = Info} = ?M:recv_batch(C, 10, nowait),
    ok = ?M:send_batch(S, Id, [{0, <<N>>} || N <- [1, 2, 3]]),
    all_arrived(S, Id),
    selected(C, Info),
    {ok, Messages} = ?M:recv_batch(C, 10, nowait),
    ?assertEqual([<<1>>, <<2>>, <<3>>], [Data || {_, _, _, Data} <- Messages]),
    {select, Again} = ?M:recv_batch(C, 1000000, nowait),
    ?assertEqual(ok, ?M:cancel(C, Again)),
    silence(Config).

select_has_the_place(Config) ->
    #{s := S, c := C, sid := Id} = pair(Config),
    {select, Info} = ?M:recv(C, nowait),
    [?assertEqual({error, ealready}, ?M:recv(C, Timeout)) || Timeout <- [0, 10, infinity, nowait]],
    ?assertEqual({error, ealready}, await(async(fun() -> ?M:recv(C) end))),
    ?assertEqual(ok, ?M:cancel(C, Info)),
    ?assertEqual({error, timeout}, ?M:recv(C, 0)),
    %% And the other way round.
    Receiver = async(fun() -> ?M:recv(C) end),
    until_blocked(Receiver),
    ?assertEqual({error, ealready}, ?M:recv(C, nowait)),
    ok = ?M:send(S, Id, 0, <<"x">>),
    ?assertMatch({ok, {_, _, _, <<"x">>}}, await(Receiver)),
    %% With its message it has left the place.
    {select, Last} = ?M:recv(C, nowait),
    ok = ?M:send(S, Id, 0, <<"y">>),
    selected(C, Last),
    ?assertMatch({ok, {_, _, _, <<"y">>}}, await(async(fun() -> ?M:recv(C, 0) end))),
    silence(Config).

select_is_told_at_close(Config) ->
    #{c := C} = pair(Config),
    {select, Info} = ?M:recv(C, nowait),
    ok = ?M:close(C),
    aborted(C, Info),
    ?assertEqual({error, closed}, ?M:recv(C, nowait)),
    ?assertEqual({error, closed}, ?M:cancel(C, Info)),
    %% The message is taken out of the mailbox.
    #{c := D} = pair(Config),
    {select, Other} = ?M:recv(D, nowait),
    ok = ?M:close(D),
    ?assertEqual({error, closed}, ?M:cancel(D, Other)),
    silence(Config),
    %% The owner dies.
    Monitors = counter(monitors),
    Self = self(),
    {Owner, Monitor} = spawn_monitor(fun() ->
        {ok, S} = ?M:open(),
        Self ! {socket, S},
        receive stop -> ok end
    end),
    S = receive {socket, Opened} -> Opened end,
    {select, Orphan} = ?M:recv(S, nowait),
    Owner ! stop,
    receive {'DOWN', Monitor, process, Owner, normal} -> ok end,
    aborted(S, Orphan),
    until(fun() -> counter(monitors) =:= Monitors end).

%% A process that has selected dies: nothing is kept for it, and the next one has the place.
select_of_the_dead(Config) ->
    #{s := S, c := C, sid := Id} = pair(Config),
    Names = [receivers, writers, monitors, terms],
    Before = [counter(Name) || Name <- Names],
    Selecting = [spawn(fun() ->
        {select, _} = ?M:recv(C, nowait),
        receive after infinity -> ok end
    end)],
    until(fun() -> counter(receivers) =:= 1 end),
    lists:foreach(fun(Pid) -> kill(Pid) end, Selecting),
    until(fun() -> [counter(Name) || Name <- Names] =:= Before end),
    {select, Info} = ?M:recv(C, nowait),
    ok = ?M:send(S, Id, 0, <<"x">>),
    selected(C, Info),
    ?assertMatch({ok, {_, _, _, <<"x">>}}, ?M:recv(C, 0)).

%% Nobody has a reference to the socket but the message that is to come.
select_keeps_the_socket(Config) ->
    [begin
         S = listener(Config, []),
         Helper = gen_sctp_test_lib:helper(),
         IP = gen_sctp_test_lib:loopback(Config),
         Opts = [gen_sctp_test_lib:family(Config), {ip, IP}],
         Port = gen_sctp_test_lib:port(S),
         ok = gen_sctp_test_lib:call(Helper, fun() ->
             {ok, C} = ?M:open(Opts),
             {ok, #sctp_assoc_change{}} = ?M:connect(C, IP, Port, []),
             [{select, _} = ?M:recv(C, nowait) || Selects],
             ok
         end),
         #sctp_assoc_change{state = comm_up, assoc_id = Id} = event(?M, S),
         case Selects of
             true ->
                 true = gen_sctp_test_lib:call(Helper, fun erlang:garbage_collect/0),
                 ok = ?M:send(S, Id, 0, <<"kept">>),
                 ?assertMatch({ok, {_, _, _, <<"kept">>}},
                              gen_sctp_test_lib:call(Helper, fun() ->
                     receive {'$socket', C, select, _} -> ?M:recv(C, nowait) end
                 end));
             false ->
                 ok
         end,
         %% Then it is garbage, and closed.
         until(fun() ->
             true = gen_sctp_test_lib:call(Helper, fun erlang:garbage_collect/0),
             true = erlang:garbage_collect(),
             case ?M:recv(S, 0) of
                 {ok, {_, _, [], #sctp_shutdown_event{assoc_id = Id}}} -> true;
                 {error, timeout} -> false
             end
         end),
         ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(?M, S))
     end || Selects <- [true, false]].

%% It waits like a process in recv: what comes meanwhile is the owner's.
select_while_active(Config) ->
    #{s := S, c := C, sid := Id} = pair(Config),
    {select, Info} = ?M:recv(C, nowait),
    ok = inet:setopts(C, [{active, once}]),
    ?assertEqual({error, einval}, ?M:recv(C, nowait)),
    ok = ?M:send(S, Id, 0, <<"owner's">>),
    ?assertEqual(<<"owner's">>, next(C)),
    silence(Config),
    ok = ?M:send(S, Id, 0, <<"next">>),
    selected(C, Info),
    ?assertMatch({ok, {_, _, _, <<"next">>}}, ?M:recv(C, nowait)),
    silence(Config).

%% While somebody waits in connect what comes is kept for later.
select_while_connecting(Config) ->
    Family = gen_sctp_test_lib:family(Config),
    Unanswered = gen_sctp_test_lib:unanswered(Family),
    Events = #sctp_event_subscribe{data_io_event = true, association_event = true},
    {ok, C} = ?M:open([Family, {sctp_events, Events}]),
    #{s := S, sid := Id} = join(?M, gen_sctp_test_lib:loopback(Config), listener(Config, []),
                                adopt(C)),
    [begin
         Connect = fun() -> ?M:connect(C, Unanswered, Port, []) end,
         {Connecting, Info} = case When of
             before ->
                 {select, Before} = ?M:recv(C, nowait),
                 {waiting(Connect), Before};
             during ->
                 Task = waiting(Connect),
                 {select, During} = ?M:recv(C, nowait),
                 {Task, During}
         end,
         ok = ?M:send(S, Id, 0, <<"kept">>),
         selected(C, Info),
         ?assertMatch({ok, {_, _, _, <<"kept">>}}, ?M:recv(C, nowait)),
         kill(Connecting)
     %% Of the one that is given up the kernel still tries.
     end || {When, Port} <- [{before, 9}, {during, 10}]],
    silence(Config).

waiting(Call) ->
    Task = async(Call),
    until_blocked(Task),
    Task.

%% cancel/2

cancel_answers(Config) ->
    #{s := S, c := C, sid := Id} = pair(Config),
    {select, Info} = ?M:recv(C, nowait),
    ?assertEqual(ok, ?M:cancel(C, Info)),
    ?assertEqual({error, {invalid, Info}}, ?M:cancel(C, Info)),
    %% One that was sent is taken out.
    {select, Sent} = ?M:recv(C, nowait),
    ok = ?M:send(S, Id, 0, <<"x">>),
    until(fun() -> counter(receivers) =:= 0 end),
    ?assertEqual(ok, ?M:cancel(C, Sent)),
    nothing(),
    %% One that was received cannot be taken back.
    ?assertMatch({ok, {_, _, _, <<"x">>}}, ?M:recv(C, nowait)),
    {select, Last} = ?M:recv(C, nowait),
    ok = ?M:send(S, Id, 0, <<"y">>),
    selected(C, Last),
    ?assertEqual({error, {invalid, Last}}, ?M:cancel(C, Last)),
    [?assertError(badarg, ?M:cancel(A, B))
     || {A, B} <- [{C, foo}, {C, {select_info, recv, foo}}, {C, {select_info, "recv", make_ref()}},
                   {C, {completion_info, recv, make_ref()}}, {foo, Last}, {self(), Last}]],
    silence(Config).

%% A message comes just as the select is taken back.
cancel_races_ready(Config) ->
    #{s := S, c := C, sid := Id} = pair(Config),
    Answers = [begin
                   {select, Info} = ?M:recv(C, nowait),
                   Sender = spawn_link(fun() -> ok = ?M:send(S, Id, 0, <<N:32>>) end),
                   Monitor = monitor(process, Sender),
                   case N rem 4 of
                       0 -> gen_sctp_test_lib:queued(C, 1);
                       1 -> receive {'DOWN', Monitor, process, _, _} -> ok end;
                       2 -> erlang:yield();
                       3 -> ok
                   end,
                   Selected = has_select(C),
                   ok = ?M:cancel(C, Info),
                   {_, <<N:32>>} = data(?M, C),
                   demonitor(Monitor, [flush]),
                   nothing(),
                   {N rem 4, Selected}
               end || N <- lists:seq(1, rounds(1000))],
    ct:log("selected before the cancel, by how long it waits: ~p",
           [[{Way, length([N || {N, true} <- Answers, N =:= Way])} || Way <- [0, 1, 2, 3]]]),
    %% The select came before the cancel in some rounds, and in others it had not.
    ?assertEqual([false, true], lists:usort([Selected || {_, Selected} <- Answers])),
    silence(Config).

%% Whether the message of a select lies in the mailbox.
has_select(S) ->
    {messages, Messages} = process_info(self(), messages),
    [] =/= [Socket || {'$socket', Socket, select, _} <- Messages, Socket =:= S].

%% Associations that nobody reads from.

%% Their kernels acknowledge at once, and soon send again what did not get through.
quick() ->
    [{sctp_delayed_ack_time, #sctp_assoc_value{assoc_id = 0, assoc_value = 0}},
     {sctp_rtoinfo, #sctp_rtoinfo{initial = 100, min = 100, max = 200}}].

message(N) -> <<N:32, 0:(?SIZE - 4)/unit:8>>.

numbers(First, Last) -> [{0, message(N)} || N <- lists:seq(First, Last)].

%% A pair between whose ends little has room.
narrow(Config, Opts) ->
    pair(Config, [{recbuf, 4096} | quick()], [{sndbuf, 8192} | quick() ++ Opts]).

%% Sends until there is no room and none comes for longer than the kernels take to probe the peer's
%% window; how many messages that took.
fill(C, Id) ->
    fill(C, Id, 1).

fill(C, Id, First) ->
    Messages = numbers(First, First + 99),
    case ?M:send_batch(C, Id, Messages, 500) of
        {error, {timeout, Rest}} when length(Rest) =:= 100 -> First - 1;
        {error, {timeout, Rest}} -> fill(C, Id, First + 100 - length(Rest))
    end.

%% What has come, in order, until there is nothing more.
drain(S, Count) ->
    [N || _ <- lists:seq(1, Count), {_, <<N:32, _/binary>>} <- [data(?M, S)]].

%% Milliseconds that a call takes, and what it answers.
timed(Call) ->
    Start = erlang:monotonic_time(microsecond),
    Result = Call(),
    {(erlang:monotonic_time(microsecond) - Start) / 1000, Result}.

%% The options.

options(Config) ->
    #{c := C, cid := Id} = pair(Config),
    Names = [send_timeout, send_timeout_close],
    ?assertEqual({ok, [{send_timeout, infinity}, {send_timeout_close, false}]},
                 inet:getopts(C, Names)),
    [begin
         ok = inet:setopts(C, [{send_timeout, Time}]),
         ?assertEqual({ok, [{send_timeout, Time}]}, inet:getopts(C, [send_timeout]))
     end || Time <- [0, 1, 16#fffffffe, infinity, 5000]],
    ok = inet:setopts(C, [{send_timeout_close, true}]),
    ?assertEqual({ok, [{send_timeout, 5000}, {send_timeout_close, true}]}, inet:getopts(C, Names)),
    {ok, P} = ?M:peeloff(C, Id),
    adopt(P),
    ?assertEqual({ok, [{send_timeout, 5000}, {send_timeout_close, true}]}, inet:getopts(P, Names)),
    O = open(Config, [{send_timeout, 7}, {send_timeout_close, true}]),
    ?assertEqual({ok, [{send_timeout, 7}, {send_timeout_close, true}]}, inet:getopts(O, Names)),
    [begin
         ?assertEqual({error, einval}, inet:setopts(C, [Wrong])),
         ?assertError(badarg, ?M:open([Wrong]))
     end || Wrong <- [{send_timeout, Value}
                      || Value <- [-1, 16#ffffffff, 1 bsl 70, 1.5, foo, <<"1">>, undefined, []]] ++
                     [{send_timeout_close, Value} || Value <- [0, yes, undefined]]],
    ?assertEqual({ok, [{send_timeout, 5000}, {send_timeout_close, true}]}, inet:getopts(C, Names)).

%% All forms of sending. What was not sent never comes, what is sent again comes once.
send_timeout(Config) ->
    Time = 200,
    #{s := S, c := C, cid := Id, cup := Up} = narrow(Config, []),
    Full = fill(C, Id),
    Forms = [fun() -> ?M:send(C, Id, 0, message(Full + 1)) end,
             fun() -> ?M:send(C, Up, 0, [message(Full + 1)]) end,
             fun() -> ?M:send(C, #sctp_sndrcvinfo{assoc_id = Id}, message(Full + 1)) end],
    ok = inet:setopts(C, [{send_timeout, Time}]),
    [?assertEqual({error, timeout}, ?in_time(Time, Send())) || Send <- Forms],
    Batch = numbers(Full + 1, Full + 3),
    ?assertEqual({error, {timeout, Batch}}, ?in_time(Time, ?M:send_batch(C, Id, Batch))),
    ok = inet:setopts(C, [{send_timeout, 0}]),
    ?assertEqual({error, timeout}, ?in_time(0, (hd(Forms))())),
    %% Without the option it waits for as long as it takes.
    ok = inet:setopts(C, [{send_timeout, infinity}]),
    Waiting = waiting(hd(Forms)),
    receive after 3 * Time -> ok end,
    until_blocked(Waiting),
    ?assertEqual(lists:seq(1, Full), drain(S, Full)),
    ?assertEqual(ok, await(Waiting)),
    ok = inet:setopts(C, [{send_timeout, 5000}]),
    ?assertEqual(ok, ?M:send_batch(C, Id, tl(Batch))),
    ?assertEqual(lists:seq(Full + 1, Full + 3), drain(S, 3)),
    ?assertEqual({error, timeout}, ?M:recv(S, 0)),
    %% Room that comes in time is used.
    More = fill(C, Id),
    Sending = waiting(hd(Forms)),
    ?assertEqual(lists:seq(1, More), drain(S, More)),
    ?assertEqual(ok, await(Sending)),
    %% The end of an association needs no room.
    _ = fill(C, Id),
    ?assertEqual(ok, ?M:eof(C, Up)),
    ?assertMatch({error, Ended} when Ended =:= eshutdown; Ended =:= epipe,
                 ?M:send(C, Id, 0, message(1))),
    silence(Config).

%% A batch that is sent in part.
batch_timeout(Config) ->
    Time = 200,
    #{s := S, c := C, cid := Id} = narrow(Config, [{send_timeout, Time}]),
    Messages = numbers(1, 100),
    {error, {timeout, Rest}} = ?in_time(Time, ?M:send_batch(C, Id, Messages)),
    Sent = 100 - length(Rest),
    ?assertEqual(lists:nthtail(Sent, Messages), Rest),
    ?assert(Sent > 0),
    %% The rest as it is read: the time is that of waiting.
    ok = inet:setopts(C, [{send_timeout, 5000}]),
    Sending = async(fun() -> ?M:send_batch(C, Id, Rest) end),
    ?assertEqual(lists:seq(1, 100), drain(S, 100)),
    ?assertEqual(ok, await(Sending)),
    ?assertEqual({error, timeout}, ?M:recv(S, 0)).

%% send_batch/4: the argument counts, not the options.
timeout_argument(Config) ->
    Time = 200,
    #{s := S, c := C, cid := Id, cup := Up} =
        narrow(Config, [{send_timeout, 1}, {send_timeout_close, true}]),
    Full = fill(C, Id),
    Batch = numbers(Full + 1, Full + 2),
    ?assertEqual({error, {timeout, Batch}}, ?in_time(0, ?M:send_batch(C, Id, Batch, 0))),
    ?assertEqual({error, {timeout, Batch}}, ?in_time(Time, ?M:send_batch(C, Up, Batch, Time))),
    Waiting = waiting(fun() -> ?M:send_batch(C, Id, Batch, infinity) end),
    ?assertEqual(lists:seq(1, Full), drain(S, Full)),
    ?assertEqual(ok, await(Waiting)),
    ?assertEqual(lists:seq(Full + 1, Full + 2), drain(S, 2)),
    ok = inet:setopts(C, [{non_block_send, true}]),
    Many = numbers(1, 100),
    [begin
         {error, {eagain, Rest}} = ?M:send_batch(C, Id, Many, Timeout),
         ?assert(length(Rest) > 0)
     end || Timeout <- [0, 1000, infinity, nowait]].

timeout_arguments(Config) ->
    #{c := C, cid := Id} = pair(Config),
    [?assertError(badarg, ?M:send_batch(C, Id, [{0, <<"x">>}], Timeout))
     || Timeout <- [-1, 16#ffffffff, 1.0, foo, undefined, [], make_ref()]],
    [?assertError(badarg, ?M:send_batch(Socket, Assoc, Messages, 0))
     || {Socket, Assoc, Messages} <- [{C, foo, []}, {C, Id, foo}, {foo, Id, []}, {self(), Id, []}]],
    [begin
         ?assertEqual({error, {einval, [Bad]}}, ?M:send_batch(C, Id, [Bad], Timeout)),
         ?assertEqual({error, {einval, [Bad]}},
                      ?M:send_batch(C, Id, [{0, <<"x">>}, Bad], Timeout))
     end || Bad <- [foo, {0, foo}, {foo, <<"x">>}, {0, <<>>}, {99, <<"x">>}, {0, [1 | 2]},
                    {#sctp_sndrcvinfo{stream = -1}, <<"x">>}, {{sctp_sndrcvinfo, 1}, <<"x">>}],
            Timeout <- [0, 100, infinity, nowait]],
    [?assertEqual({error, {epipe, [{0, <<"x">>}]}},
                  ?M:send_batch(C, Id + 77, [{0, <<"x">>}], Timeout)) || Timeout <- [0, nowait]],
    ?assertEqual(ok, ?M:send_batch(C, Id, [], nowait)),
    %% The natives: no reference, no wait.
    {'$inet', gen_sctp_nif, Ref} = C,
    [?assertEqual({error, timeout}, gen_sctp_nif_prim:recv(Ref, Wait))
     || Wait <- [{C, foo}, {C, make_ref(), 1}, foo, [], {}]],
    [?assertEqual({error, einval}, gen_sctp_nif_prim:await_writable(Ref, Id, Wait))
     || Wait <- [{C, foo}, {C, make_ref(), 1}, foo, [], {}]],
    [?assertEqual({error, einval}, gen_sctp_nif_prim:give_up_on(Ref, Junk)) || Junk <- [foo, -1]],
    ok = ?M:close(C),
    [?assertEqual({error, {closed, [{0, <<"x">>}]}}, ?M:send_batch(C, Id, [{0, <<"x">>}], Timeout))
     || Timeout <- [0, 100, infinity, nowait]],
    ?assertEqual({error, closed}, gen_sctp_nif_prim:give_up_on(Ref, Id)).

%% The socket is closed while a sender waits.
closed_while_waiting(Config) ->
    #{c := C, cid := Id} = narrow(Config, [{send_timeout, 60000}]),
    _ = fill(C, Id),
    Senders = [waiting(fun() -> ?M:send(C, Id, 0, message(0)) end),
               waiting(fun() -> ?M:send_batch(C, Id, [{0, message(0)}], 60000) end)],
    ok = ?M:close(C),
    ?assertEqual([{error, closed}, {error, {closed, [{0, message(0)}]}}],
                 [await(Sender) || Sender <- Senders]).

%% send_timeout_close

%% Of two associations of one socket one is stuck: with the option it is aborted, and the other one
%% goes on.
timeout_aborts(Config) ->
    [begin
         Opts = [{send_timeout, 200}, {send_timeout_close, Closes}],
         #{s := Stuck, c := C, cid := Id, sid := SId} = narrow(Config, Opts),
         ok = inet:setopts(Stuck, [{abort_causes, true}]),
         #{s := Reads, cid := Other} = join(?M, gen_sctp_test_lib:loopback(Config),
                                            listener(Config, []), C),
         Full = fill(C, Id),
         ?assertEqual({error, timeout}, ?in_time(200, ?M:send(C, Id, 0, message(0)))),
         case Closes of
             true ->
                 ?assertMatch(#sctp_assoc_change{state = comm_lost, assoc_id = Id}, lost(C)),
                 ?assertEqual({error, epipe}, ?M:send(C, Id, 0, message(0))),
                 ?assertEqual([12], causes(Stuck, SId, Full));
             false ->
                 ?assertEqual({error, timeout}, ?M:recv(C, 300)),
                 ?assertEqual(lists:seq(1, Full), drain(Stuck, Full))
         end,
         ok = ?M:send(C, Other, 0, <<"goes on">>),
         ?assertMatch({_, <<"goes on">>}, data(?M, Reads)),
         [ok = ?M:close(S) || S <- [C, Stuck, Reads]]
     end || Closes <- [true, false]].

%% The events of messages that could not be delivered come first.
lost(S) ->
    case event(?M, S) of
        {error, #sctp_send_failed{}} -> lost(S);
        Event -> Event
    end.

%% What the peer's ABORT said, after what has come before it.
causes(S, Id, Most) when Most >= 0 ->
    case recv(?M, S) of
        {ok, {_, _, [#sctp_sndrcvinfo{}], _}} -> causes(S, Id, Most - 1);
        {ok, {_, _, Anc, #sctp_assoc_change{state = comm_lost, assoc_id = Id}}} ->
            [Code || {abort_causes, Causes} <- Anc, {Code, _} <- Causes]
    end.

%% A one-to-one socket and one that was peeled off are closed.
timeout_closes(Config) ->
    [begin
         {S, SId, C, Id} = single(Kind, Config, [{send_timeout, 200},
                                                 {send_timeout_close, Closes}]),
         ok = inet:setopts(S, [{abort_causes, true}]),
         Receiver = waiting(fun() -> ?M:recv(C) end),
         Full = fill(C, Id),
         ?assertEqual({error, {timeout, [{0, message(0)}]}},
                      ?in_time(200, ?M:send_batch(C, Id, [{0, message(0)}]))),
         case Closes of
             true ->
                 ?assertEqual({error, closed}, ?M:send(C, Id, 0, message(0))),
                 ?assertEqual({error, closed}, await(Receiver)),
                 ?assertEqual([12], causes(S, SId, Full));
             false ->
                 ?assertEqual({error, timeout}, ?M:send(C, Id, 0, message(0))),
                 until_blocked(Receiver),
                 ?assertEqual(lists:seq(1, Full), drain(S, Full)),
                 ok = ?M:send(S, SId, 0, <<"x">>),
                 ?assertMatch({ok, {_, _, _, <<"x">>}}, await(Receiver)),
                 ok = ?M:close(C)
         end,
         ok = ?M:close(S)
     end || Kind <- [stream, peeled_off], Closes <- [true, false]].

single(stream, Config, Opts) ->
    S = listener(Config, [{recbuf, 4096} | quick()]),
    C = open(Config, [{type, stream}, {sndbuf, 8192} | quick() ++ Opts]),
    #{sid := SId, cid := Id} = join(?M, gen_sctp_test_lib:loopback(Config), S, C),
    {S, SId, C, Id};
single(peeled_off, Config, Opts) ->
    #{s := S, sid := SId, c := C, cid := Id} = narrow(Config, Opts),
    {ok, P} = ?M:peeloff(C, Id),
    {S, SId, adopt(P), Id}.

%% Whose room it is.

%% The buffer is the socket's: of two associations one that is stuck keeps the other from sending.
%% Where net.sctp.sndbuf_policy is 1 each has as much for itself.
room_of_the_socket(Config) ->
    File = "/proc/sys/net/sctp/sndbuf_policy",
    {ok, Old} = file:read_file(File),
    [begin
         ok = file:write_file(File, Policy),
         try
             #{s := Stuck, c := C, cid := Id} =
                 narrow(Config, [{send_timeout, 200}, {send_timeout_close, true}]),
             #{s := Reads, cid := Other} = join(?M, gen_sctp_test_lib:loopback(Config),
                                                listener(Config, [{recbuf, 4096} | quick()]), C),
             Full = fill(C, Id),
             %% Which is not aborted for that: it has nothing in the buffer.
             ?assertEqual(Answer, ?M:send(C, Other, 0, <<"other">>)),
             ?assertEqual({error, timeout}, ?M:recv(C, 0)),
             [begin
                  ?assertMatch({_, <<"other">>}, data(?M, Reads)),
                  N = fill(C, Other),
                  %% But the kernel tells of room only where all together leave some: it is
                  %% the last try that finds it.
                  ok = inet:setopts(C, [{send_timeout, 1000}]),
                  Waiting = waiting(fun() ->
                      ?in_time(1000, ?M:send(C, Other, 0, message(N + 1)))
                  end),
                  ?assertEqual(lists:seq(1, N), drain(Reads, N)),
                  ?assertEqual(ok, await(Waiting))
              end || Answer =:= ok],
             ?assertEqual(lists:seq(1, Full), drain(Stuck, Full)),
             ?assertEqual(ok, ?M:send(C, Other, 0, <<"other">>)),
             [ok = ?M:close(S) || S <- [C, Stuck, Reads]]
         after
             ok = file:write_file(File, Old)
         end
     end || {Policy, Answer} <- [{"0", {error, timeout}}, {"1", ok}]].

%% send_batch/4 with nowait

send_nowait(Config) ->
    #{s := S, c := C, cid := Id} = narrow(Config, []),
    ?assertEqual(ok, ?M:send_batch(C, Id, numbers(1, 2), nowait)),
    {select, {{select_info, send, Ref} = Info, Rest}} =
        ?M:send_batch(C, Id, numbers(3, 100), nowait),
    ?assert(is_reference(Ref)),
    ?assert(length(Rest) > 0),
    ?assertEqual(lists:nthtail(98 - length(Rest), numbers(3, 100)), Rest),
    ?assertEqual(ok, ?M:cancel(C, Info)),
    %% Something may have got through.
    Full = fill(C, Id, 101 - length(Rest)),
    {select, Select} = ?M:send_batch(C, Id, numbers(Full + 1, Full + 1), nowait),
    silence(Config),
    ?assertEqual(lists:seq(1, Full), drain(S, Full)),
    selected(C, Select),
    ?assertEqual(ok, ?M:send_batch(C, Id, numbers(Full + 1, Full + 1), nowait)),
    ?assertEqual([Full + 1], drain(S, 1)),
    silence(Config).

%% As a program uses it: all arrives, once and in order.
send_nowait_all(Config) ->
    #{s := S, c := C, cid := Id} = narrow(Config, []),
    Sender = async(fun() ->
        Selects = send_all(C, Id, numbers(1, 100), 0),
        nothing(),
        Selects
    end),
    ?assertEqual(lists:seq(1, 100), drain(S, 100)),
    ?assert(await(Sender) > 0).

send_all(C, Id, Messages, Selects) ->
    case ?M:send_batch(C, Id, Messages, nowait) of
        ok -> Selects;
        {select, {Info, Rest}} -> selected(C, Info), send_all(C, Id, Rest, Selects + 1);
        {select, Info} -> selected(C, Info), send_all(C, Id, Messages, Selects + 1)
    end.

send_select_ends(Config) ->
    #{s := S, c := C, cid := Id, cup := Up} = narrow(Config, []),
    _ = fill(C, Id),
    Select = fun() -> {select, Info} = ?M:send_batch(C, Id, [{0, message(0)}], nowait), Info end,
    %% Taken back.
    Info = Select(),
    ?assertEqual(ok, ?M:cancel(C, Info)),
    ?assertEqual({error, {invalid, Info}}, ?M:cancel(C, Info)),
    %% Several processes, of which one dies.
    Dead = spawn(fun() -> Select(), receive after infinity -> ok end end),
    until(fun() -> counter(writers) =:= 1 end),
    Mine = [Select(), Select()],
    ?assertEqual(3, counter(writers)),
    kill(Dead),
    until(fun() -> counter(writers) =:= 2 end),
    %% The association ends.
    ok = ?M:abort(C, Up),
    [selected(C, One) || One <- Mine],
    ?assertEqual({error, {epipe, [{0, <<"x">>}]}},
                 ?M:send_batch(C, Id, [{0, <<"x">>}], nowait)),
    %% The socket is closed.
    #{c := D, cid := DId} = narrow(Config, []),
    _ = fill(D, DId),
    {select, Last} = ?M:send_batch(D, DId, [{0, message(0)}], nowait),
    {select, Other} = ?M:send_batch(D, DId, [{0, message(0)}], nowait),
    {select, Reading} = ?M:recv(D, nowait),
    ok = ?M:close(D),
    ?assertEqual({error, closed}, ?M:cancel(D, Other)),
    aborted(D, Last),
    aborted(D, Reading),
    ok = ?M:close(S),
    silence(Config).

%% Races. With FULL=1 more of them.

rounds(Few) ->
    case os:getenv("FULL") of
        "1" -> Few * 10;
        _ -> Few
    end.

%% The time is over as there is room: what was answered `ok' comes, and nothing else.
timeout_races_ready(Config) ->
    #{s := S, c := C, cid := Id} = narrow(Config, []),
    Rounds = rounds(1000),
    Sender = async(fun() ->
        Sent = [N || N <- lists:seq(1, Rounds),
                     ok =:= begin
                         ok = inet:setopts(C, [{send_timeout, N rem 3}]),
                         case N rem 2 of
                             0 -> ?M:send(C, Id, 0, message(N));
                             1 -> tried(?M:send_batch(C, Id, [{0, message(N)}]), N)
                         end
                     end],
        ok = inet:setopts(C, [{send_timeout, infinity}]),
        ok = ?M:send(C, Id, 0, message(0)),
        nothing(),
        Sent
    end),
    Got = until_the_last(S, 1),
    Sent = await(Sender),
    ?assertEqual(Sent, Got),
    ?assert(Sent =/= [] andalso length(Sent) < Rounds),
    silence(Config).

tried(ok, _N) -> ok;
tried({error, {timeout, [{0, <<N:32, _/binary>>}]}}, N) -> {error, timeout}.

%% Slowly, so that there is room now and then.
until_the_last(S, N) ->
    [receive after 1 -> ok end || N rem 5 =:= 0],
    case data(?M, S) of
        {_, <<0:32, _/binary>>} -> [];
        {_, <<Number:32, _/binary>>} -> [Number | until_the_last(S, N + 1)]
    end.

%% Room comes as the select for it is taken back.
cancel_races_room(Config) ->
    #{s := S, c := C, cid := Id} = narrow(Config, []),
    Rounds = rounds(1000),
    Full = fill(C, Id),
    Reader = async(fun() -> until_the_last(S, 1) end),
    Sent = race_room(C, Id, Full + 1, Rounds, 10),
    ok = ?M:send(C, Id, 0, message(0)),
    ?assertEqual(lists:seq(1, Sent), await(Reader)),
    nothing(),
    silence(Config).

%% Until so many were taken back, and so often there was room: the kernels take their time for it.
race_room(_C, _Id, Next, Rounds, Rooms) when Rounds =< 0, Rooms =< 0 ->
    Next - 1;
race_room(C, Id, Next, Rounds, Rooms) ->
    case ?M:send_batch(C, Id, [{0, message(Next)}], nowait) of
        ok ->
            race_room(C, Id, Next + 1, Rounds, Rooms - 1);
        {select, Info} ->
            [erlang:yield() || _ <- lists:seq(1, abs(Rounds) rem 7)],
            ok = ?M:cancel(C, Info),
            nothing(),
            race_room(C, Id, Next, Rounds - 1, Rooms)
    end.
