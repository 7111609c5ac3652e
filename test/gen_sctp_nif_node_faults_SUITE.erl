%% @doc Faults in the node, by the thousand: owners that die at any moment.
%%
%% The environment variable SCTP_ROUNDS sets the number of rounds. OTP's gen_sctp runs the same
%% rounds, fewer of them: what a peer sees of an owner's end must be the same.
-module(gen_sctp_nif_node_faults_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [mod/1, family/1, loopback/1, listener/2, port/1, recv/2, until/1,
         unanswered/1, kill/1, spin/1]).

%% Longer than a heartbeat takes. The end of an association that is cut off in its handshake may be
%% lost: where the peer's socket is busy, the kernel looks at an ABORT before it has looked at the
%% COOKIE-ECHO that came before it, and drops it as out of the blue. The network suite has cases for
%% what is to be heard at once.
-define(TIMEOUT, 60000).
-define(WORKERS, 3).

%% How often an owner opens or connects, and closes: as long as it lives it would take the time of
%% who is to end it.
-define(AGAIN, 30).

suite() -> [{timetrap, {minutes, 60}}].

all() -> [{group, stock}, {group, nif}].

groups() ->
    [{stock, [], [{inet, [], [owner_dies]}]},
     {nif, [], [{inet, [], [peers_see_the_same, owner_dies]}, {inet6, [], [owner_dies]}]}].

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% The oracle is there to show that the case is right, IPv6 that the family makes no difference.
rounds(Config) ->
    All = list_to_integer(os:getenv("SCTP_ROUNDS", "240")),
    case {mod(Config), family(Config)} of
        {gen_sctp_nif, inet} -> All;
        _ -> All div 3
    end.

%% What a peer, of OTP's, sees of an owner's death does not depend on whose socket the owner had.
peers_see_the_same(Config) ->
    [begin
         [Stock, Ours] = [peer_sees(M, Mode, Opts, Messages, Config)
                          || M <- [gen_sctp, gen_sctp_nif]],
         ct:pal("~p", [{Mode, Opts, Messages, Stock}]),
         ?assertEqual(Stock, Ours)
     end || {Mode, Opts} <- [{false, []}, {true, []}, {once, []}, {peeled, []},
                             {false, [{type, stream}]}, {false, [{linger, {true, 0}}]}],
            Messages <- [0, 2]].

%% The peer sends `Messages', the owner in mode `Mode' three. The data and events that the peer has
%% got in the end.
peer_sees(M, Mode, Opts, Messages, Config) ->
    Self = self(),
    {ok, S} = gen_sctp:open([family(Config), {ip, loopback}, {sctp_nodelay, true}]),
    ok = gen_sctp:listen(S, true),
    Owner = spawn(fun() ->
        {ok, C} = M:open([{ip, loopback}, {recbuf, 65536}, {sndbuf, 65536} | Opts]),
        {ok, #sctp_assoc_change{assoc_id = Id}} = M:connect(C, loopback(Config), port(S), []),
        [ok = M:send(C, Id, 0, <<N>>) || N <- [1, 2, 3]],
        Kept = case Mode of
                   peeled -> {ok, Peeled} = M:peeloff(C, Id), Peeled;
                   _ -> ok = inet:setopts(C, [{active, Mode}])
               end,
        Self ! {self(), ready},
        receive after infinity -> Kept end
    end),
    receive {Owner, ready} -> ok end,
    {ok, {_, _, [], #sctp_assoc_change{state = comm_up, assoc_id = Id}}} = recv(gen_sctp, S),
    [ok = gen_sctp:send(S, Id, 0, <<"for the owner">>) || _ <- lists:seq(1, Messages)],
    gen_sctp_test_lib:all_arrived(S, Id),
    InMailbox = case Mode of true -> Messages; once -> min(1, Messages); _ -> 0 end,
    until(fun() -> process_info(Owner, message_queue_len) =:= {message_queue_len, InMailbox} end),
    kill(Owner),
    Seen = to_the_end(S),
    ok = gen_sctp:close(S),
    Seen.

to_the_end(S) ->
    case recv(gen_sctp, S) of
        {ok, {_, _, [], #sctp_assoc_change{state = State, error = Error}}} -> [{State, Error}];
        {ok, {_, _, [], Event}} -> [element(1, Event) | to_the_end(S)];
        {ok, {_, _, [_], Data}} -> [Data | to_the_end(S)]
    end.

%% What an owner is busy with when it dies.
occupations(gen_sctp_nif) -> [connect_in_vain, send_batch | occupations(gen_sctp)];
occupations(gen_sctp) ->
    [open, connect, recv, poll, send, blocked, queued, active, once, peeled, given, giving].

%% Owners die at random moments. Of each association that a peer saw begin it sees the end, and
%% before that what was sent, all of it in order; afterwards everything is as it was.
owner_dies(Config) ->
    Rounds = rounds(Config),
    Seen = ets:new(seen, [public]),
    Idle = sockets(counts(Config)),
    %% Memory is compared when all code is loaded and all tables have grown. Associations outlive
    %% their sockets: what is taken for normal has none of them.
    work(Config, Seen, ?WORKERS * length(occupations(mod(Config)))),
    Before = settled(Config, fun(Last, Now) ->
        sockets(Now) =:= Idle andalso exact(Now) =:= exact(Last)
    end),
    ?assertEqual(Idle, sockets(Before)),
    work(Config, Seen, Rounds),
    After = settled(Config, fun(_, Now) -> exact(Now) =:= exact(Before) end),
    ct:pal("~b rounds~nbefore ~p~nafter ~p~nwhat peers saw ~p",
           [Rounds, Before, After, lists:sort(ets:tab2list(Seen))]),
    ?assertEqual(exact(Before), exact(After)),
    %% Some of each kind were up; one that only opens, or connects to nobody, never is.
    ?assertEqual([], (occupations(mod(Config)) -- [open, connect_in_vain]) --
                         [Name || {{Name, _, _, _}, _} <- ets:tab2list(Seen)]),
    [?assert(maps:get(Memory, After) < maps:get(Memory, Before) + Slack, Memory)
     || {Memory, Slack} <- [{binary, 1 bsl 20}, {system, 4 bsl 20}, {resident, 32 bsl 20}]],
    ok.

work(Config, Seen, Rounds) ->
    Workers = [spawn_monitor(fun() -> worker(Config, Seen, Rounds div ?WORKERS) end)
               || _ <- lists:seq(1, ?WORKERS)],
    Failed = [Reason || {Pid, Monitor} <- Workers,
                        Reason <- [receive {'DOWN', Monitor, process, Pid, R} -> R end],
                        Reason =/= normal],
    [ct:pal("~p", [Reason]) || Reason <- Failed],
    ?assertEqual([], Failed).

%% The counts when they are as they have to be, or after a time. `Done' sees the last ones, too.
settled(Config, Done) ->
    Deadline = erlang:monotonic_time(millisecond) + ?TIMEOUT,
    settled(Config, Done, Deadline, counts(Config)).

settled(Config, Done, Deadline, Last) ->
    Now = counts(Config),
    case Done(Last, Now) orelse erlang:monotonic_time(millisecond) > Deadline of
        true -> Now;
        false -> receive after 20 -> settled(Config, Done, Deadline, Now) end
    end.

%% What must not grow.
counts(Config) ->
    erlang:garbage_collect(),
    {ok, Statm} = file:read_file("/proc/self/statm"),
    [_, Resident | _] = binary:split(Statm, <<" ">>, [global]),
    #{fds => gen_sctp_test_lib:socket_fds(), kernel => in_kernel(),
      library => library(mod(Config)), ports => length(erlang:ports()),
      processes => erlang:system_info(process_count),
      binary => erlang:memory(binary), system => erlang:memory(system),
      resident => binary_to_integer(Resident) * 4096}.

sockets(Counts) -> maps:with([fds, kernel, ports], Counts).

exact(Counts) -> maps:with([fds, kernel, library, ports, processes], Counts).

library(gen_sctp_nif) -> maps:remove(opened, gen_sctp_nif:info());
library(gen_sctp) -> none.

%% The kernel's endpoints and associations.
in_kernel() ->
    [begin
         {ok, Table} = file:read_file("/proc/net/sctp/" ++ Name),
         length(binary:split(Table, <<"\n">>, [global, trim])) - 1
     end || Name <- ["eps", "assocs"]].

%% A peer, with one listening socket for all its rounds. It knows the lives of its owners by their
%% ports; `up' are the associations that have not ended.
worker(Config, Seen, Rounds) ->
    M = mod(Config),
    %% Window and buffer are small, so that senders block.
    S = listener(Config, [{recbuf, 4096}]),
    Worker = #{config => Config, m => M, seen => Seen, s => S, port => port(S),
               lives => #{}, up => #{}},
    Names = occupations(M),
    _ = lists:foldl(fun(Round, W) -> round(lists:nth(1 + Round rem length(Names), Names), W) end,
                    Worker, lists:seq(1, Rounds)),
    ok = M:close(S).

%% One owner's life and death.
round(Name, Worker0) ->
    Life = #{name => Name, progress => counters:new(2, []), peer => self()},
    Worker1 = Worker0#{life => Life},
    {Owner, Monitor} = spawn_monitor(fun() -> owner(Name, maps:merge(Worker1, Life)) end),
    Worker = case rand:uniform(2) of
                 1 -> spin(rand:uniform(2000)), Worker1;
                 2 -> when_busy(Name, Owner, Worker1)
             end,
    exit(Owner, element(rand:uniform(2), {kill, shutdown})),
    receive
        {'DOWN', Monitor, process, Owner, Reason} ->
            ?assert(lists:member(Reason, [killed, shutdown]), {Name, Reason})
    end,
    receive {busy, Owner} -> ok after 0 -> ok end,
    ended(Worker).

%% When the owner is where it wanted to be.
when_busy(Name, Owner, Worker) ->
    receive {busy, Owner} -> ok after ?TIMEOUT -> error({never_busy, Name}) end,
    case lists:member(Name, [queued, active, once, given, giving]) of
        true -> send_to_owner(Worker);
        false -> spin(rand:uniform(100)), Worker
    end.

send_to_owner(#{m := M, s := S} = Worker0) ->
    #{up := Up} = Worker = read(Worker0, ?TIMEOUT),
    [begin
         _ = M:send(S, Id, 0, <<"for the owner">>),
         spin(rand:uniform(10))
     end || Id <- maps:keys(Up), _ <- lists:seq(1, rand:uniform(10))],
    Worker.

%% Reads until all that began has ended.
ended(Worker) ->
    case read(Worker, 0) of
        #{up := Up} = Now when map_size(Up) =:= 0 -> introduced(Now);
        Now -> ended(read(Now, ?TIMEOUT))
    end.

%% Reads what is there; waits for the first.
read(#{m := M, s := S} = Worker, Timeout) ->
    case M:recv(S, Timeout) of
        {ok, {_, Port, Anc, Content}} ->
            read(note(Port, Anc, Content, introduced(Worker)), 0);
        %% What was under way to an owner that is no more.
        {error, {_, [], #sctp_send_failed{}}} -> read(Worker, Timeout);
        {error, timeout} when Timeout =:= 0 -> Worker;
        Other -> error({Other, maps:with([life, up], Worker), M:recv(S, 0), circumstances(M)})
    end.

%% What there is to know of an end that does not come.
circumstances(M) ->
    Kernel = [["/proc/net/sctp/", Name] || Name <- ["eps", "assocs", "remaddr", "snmp"]],
    {library(M), [binary:split(Table, <<"\n">>, [global, trim])
                  || {ok, Table} <- [file:read_file(Path) || Path <- Kernel]]}.

%% Takes note of the ports that the present owner has told of.
introduced(#{life := Life, lives := Lives} = Worker) ->
    receive
        {port, Port} -> introduced(Worker#{lives := Lives#{Port => Life}})
    after 0 ->
        Worker
    end.

note(Port, [], #sctp_assoc_change{state = comm_up, assoc_id = Id}, #{up := Up} = Worker) ->
    Life = maps:get(Port, maps:get(lives, Worker)),
    Worker#{up := Up#{Id => Life#{data => 0, shutdown => false}}};
note(_, [#sctp_sndrcvinfo{assoc_id = Id}], <<N:32, _/binary>>, #{up := Up} = Worker) ->
    #{Id := #{data := Before} = Life} = Up,
    ?assertEqual(Before + 1, N),
    Worker#{up := Up#{Id := Life#{data := N}}};
note(_, [], #sctp_shutdown_event{assoc_id = Id}, #{up := Up} = Worker) ->
    #{Id := Life} = Up,
    Worker#{up := Up#{Id := Life#{shutdown := true}}};
note(_, [], #sctp_assoc_change{state = End, assoc_id = Id}, #{up := Up, seen := Seen} = Worker) ->
    {#{name := Name, data := Data, shutdown := Shutdown, progress := Progress}, Rest} =
        maps:take(Id, Up),
    ets:update_counter(Seen, {Name, Data > 0, Shutdown, End}, 1, {x, 0}),
    Sees = {Name, Shutdown, End},
    case counters:get(Progress, 2) of
        1 ->
            %% It was connected and had read all: a clean end, after all data. It may have died
            %% between sending and counting.
            ?assertEqual({Name, true, shutdown_comp}, Sees),
            Sent = counters:get(Progress, 1),
            ?assert(Data >= Sent andalso Data - Sent =< 10, {Sees, Data, Sent});
        0 ->
            ?assert(lists:member({Shutdown, End}, [{true, shutdown_comp}, {false, comm_lost}]),
                    Sees)
    end,
    Worker#{up := Rest}.

%% What owners do until they die.

owner(open, Owner) ->
    busy(Owner),
    open_on(Owner, ?AGAIN);
owner(connect, Owner) ->
    busy(Owner),
    connect_on(Owner, ?AGAIN);
owner(connect_in_vain, #{m := M, config := Config} = Owner) ->
    {ok, C} = M:open([family(Config)]),
    busy(Owner),
    M:connect(C, unanswered(family(Config)), 9, []);
owner(recv, #{m := M} = Owner) ->
    {C, _} = read_up(Owner, []),
    busy(Owner),
    M:recv(C);
owner(poll, Owner) ->
    {C, _} = read_up(Owner, []),
    busy(Owner),
    poll_on(Owner, C, 0);
owner(send, #{m := M} = Owner) ->
    {C, Id} = read_up(Owner, []),
    [send(Owner, C, Id, N, 100) || N <- lists:seq(1, 10)],
    busy(Owner),
    [send(Owner, C, Id, N, 100) || N <- lists:seq(11, 20)],
    M:recv(C);
owner(blocked, Owner) ->
    {C, Id} = read_up(Owner, [{sndbuf, 4096}]),
    send(Owner, C, Id, 1, 1000),
    busy(Owner),
    send_on(Owner, C, Id, 2, 1000);
owner(send_batch, Owner) ->
    {C, Id} = read_up(Owner, [{sndbuf, 4096}]),
    busy(Owner),
    batch_on(Owner, C, Id, 1);
owner(queued, Owner) ->
    {C, _} = connected(Owner, []),
    busy(Owner),
    receive after infinity -> C end;
owner(active, Owner) ->
    {C, _} = connected(Owner, []),
    ok = inet:setopts(C, [{active, true}]),
    busy(Owner),
    take_on(C, true);
owner(once, Owner) ->
    {C, _} = connected(Owner, []),
    busy(Owner),
    take_on(C, once);
owner(peeled, #{m := M} = Owner) ->
    {C, Id} = read_up(Owner, []),
    {ok, Peeled} = M:peeloff(C, Id),
    busy(Owner),
    M:recv(Peeled);
owner(given, #{m := M} = Owner) ->
    Heir = spawn_link(fun() -> take_on(none, none) end),
    {C, _} = connected(Owner, []),
    ok = inet:setopts(C, [{active, 7}]),
    busy(Owner),
    ok = M:controlling_process(C, Heir),
    receive after infinity -> ok end;
owner(giving, Owner) ->
    Heir = spawn_link(fun() -> receive {yours, From, C} -> give_on(Owner, C, From) end end),
    {C, _} = connected(Owner, []),
    ok = inet:setopts(C, [{active, true}]),
    busy(Owner),
    give_on(Owner, C, Heir).

busy(#{peer := Peer}) ->
    Peer ! {busy, self()}.

client(#{m := M, config := Config, peer := Peer}, Opts) ->
    {ok, C} = M:open([family(Config), {ip, loopback}, {sctp_nodelay, true} | Opts]),
    Peer ! {port, port(C)},
    C.

connected(#{m := M, config := Config, port := Port} = Owner, Opts) ->
    C = client(Owner, Opts),
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = Id}} =
        M:connect(C, loopback(Config), Port, [], ?TIMEOUT),
    {C, Id}.

%% The same, and nothing will come that stays unread: `note/4' counts on that.
read_up(#{progress := Progress} = Owner, Opts) ->
    Connected = connected(Owner, Opts),
    counters:put(Progress, 2, 1),
    Connected.

send(#{m := M, progress := Progress} = Owner, C, Id, N, Size) ->
    case M:send(C, Id, 0, <<N:32, 0:(Size - 4)/unit:8>>) of
        ok -> counters:put(Progress, 1, N);
        %% The oracle's senders do not wait.
        {error, eagain} -> receive after 1 -> send(Owner, C, Id, N, Size) end
    end.

send_on(Owner, C, Id, N, Size) ->
    send(Owner, C, Id, N, Size),
    send_on(Owner, C, Id, N + 1, Size).

batch_on(#{m := M, progress := Progress} = Owner, C, Id, N) ->
    ok = M:send_batch(C, Id, [{0, <<I:32, 0:100/unit:8>>} || I <- lists:seq(N, N + 9)]),
    counters:put(Progress, 1, N + 9),
    batch_on(Owner, C, Id, N + 10).

poll_on(#{m := M} = Owner, C, N) ->
    {error, timeout} = M:recv(C, N rem 3),
    poll_on(Owner, C, N + 1).

take_on(C, Mode) ->
    Mode =:= once andalso (ok = inet:setopts(C, [{active, once}])),
    receive {sctp, C, _, _, _} -> take_on(C, Mode) end.

give_on(#{m := M} = Owner, C, Other) ->
    ok = M:controlling_process(C, Other),
    Other ! {yours, self(), C},
    receive {yours, From, C} -> give_on(Owner, C, From) end.

open_on(#{m := M, config := Config} = Owner, Times) ->
    {ok, C} = M:open([family(Config), {active, lists:nth(rand:uniform(3), [false, true, once])}]),
    at_last(C, Times),
    ok = M:close(C),
    open_on(Owner, Times - 1).

connect_on(#{m := M} = Owner, Times) ->
    {C, _} = connected(Owner, []),
    at_last(C, Times),
    ok = M:close(C),
    connect_on(Owner, Times - 1).

at_last(C, 0) -> receive after infinity -> C end;
at_last(_, _) -> ok.
