%% @doc A peer that means harm: whatever it sends, no atom is made, nothing is kept without bound,
%% and the socket goes on working.
-module(gen_sctp_nif_hostile_peer_SUITE).

-include("gen_sctp_nif.hrl").
-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").
-include("gen_sctp_test_chunks.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [adopt/1, av/2, loopback/1, open/2, pair/3, port/1, recv/2, until/1]).

-define(M, gen_sctp_nif).
-define(NET, gen_sctp_test_net).
-define(FORGER, gen_sctp_test_forger).
%% What is kept for later receives while a process connects, by docs/architecture.md.
-define(BACKLOG, 16 * 1024 * 1024).
%% The longest message that is put together, by docs/differences.md.
-define(MESSAGE, 64 * 1024 * 1024).
%% The most of unfinished messages that a socket holds, by that document, and what the shortest
%% counts for in it.
-define(UNFINISHED, (128 * 1024 * 1024)).
-define(LEAST, (64 * 1024)).

-define(HEARTBEAT_ACK, 5).
-define(SHUTDOWNS, [7, 8, 14]).

suite() -> [{timetrap, {seconds, 240}}].

all() -> [{group, inet}, {group, inet6}, {group, forged}].

groups() ->
    Cases = [error_causes, events_in_pieces, any_chunks, come_and_go, restarts, address_changes,
             backlog_is_bounded, unfinished_messages],
    %% A long one, and the same for both families.
    [{inet, [], Cases ++ [endless_message]}, {inet6, [], Cases},
     {forged, [], [any_packets, messages_without_end]}].

init_per_group(forged, Config) ->
    case ?NET:begin_suite([{module, ?M} | Config]) of
        {skip, _} = Skip ->
            Skip;
        With ->
            [ok = ?NET:sysctl(?config(net, With), Name, Value)
             || {Name, Value} <- [{"udp_port", "9899"}, {"intl_enable", "1"}]],
            gen_sctp_test_lib:init_group(inet, With)
    end;
init_per_group(Family, Config) ->
    gen_sctp_test_lib:init_group(Family, gen_sctp_test_lib:init_group(nif, Config)).
end_per_group(forged, Config) -> ?NET:end_suite(Config);
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

%% An event of the peer's making that a call reads in pieces, the last of which looks like another
%% event. It must not be left to a socket that the association gets before the next call, nor its
%% beginning to the event that comes next.
events_in_pieces(Config) ->
    %% A call reads 64 pieces, here of one byte. The event's own head has 16 bytes.
    event_in_pieces(Config, [{buffer, 1}], 1, 64 - 16, fun one_and_another/1),
    %% Or 64 messages together, and 1024 bytes of each.
    event_in_pieces(Config, [], 63, 1024 - 16, fun one_batch/1).

event_in_pieces(Config, Opts, Before, Head, Read) ->
    with_victim(Config, fun(Raw, #{c := C, cid := Id, to_c := ToC} = Pair) ->
        ok = inet:setopts(C, Opts),
        Causes = [?NET:cause(Code, <<>>) || Code <- lists:seq(1, Before)],
        Last = ?NET:cause(Before + 1, [<<0:Head/unit:8>>, comm_lost(Id)]),
        ok = ?NET:forge(Raw, ToC, ?NET:chunk(9, 0, [Causes, Last])),
        Events = Read(C),
        {ok, Peeled} = ?M:peeloff(C, Id),
        gen_sctp_test_lib:adopt(Peeled),
        ?assertEqual({error, timeout}, ?M:recv(Peeled, 0)),
        ?assertEqual(lists:seq(1, Before + 1),
                     [Code || #sctp_remote_error{error = Code} <- Events]),
        Other = gen_sctp_test_lib:listener(Config, []),
        ?assertMatch({ok, #sctp_assoc_change{state = comm_up}},
                     ?M:connect(C, loopback(Config), port(Other), [], 10000)),
        works(Pair#{c => Peeled})
    end).

%% As the kernel has it.
comm_lost(Id) ->
    <<16#8001:16/native, 0:16, 20:32/native, 1:16/native, 0:16, 0:32, Id:32/native>>.

%% They come together: the second is there when the first is. Then one call, not as many as recv/2
%% makes of it, which another process could come between.
one_and_another({'$inet', _, Ref} = C) ->
    {error, {_, [], First}} = recv(?M, C),
    case gen_sctp_nif_prim:recv(Ref, poll) of
        {error, {_, [], Second}} -> [First, Second];
        more -> [First]
    end.

one_batch(C) ->
    {ok, Messages} = ?M:recv_batch(C, 64, 10000),
    [Event || {_, _, [], Event} <- Messages].

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

%% Associations that come up, say what is above them, and are aborted, while nobody looks.
come_and_go(Config) ->
    Events = {sctp_events, #sctp_event_subscribe{adaptation_layer_event = true}},
    S = gen_sctp_test_lib:listener(Config, [Events]),
    Storm = fun() ->
        [begin
             Layer = #sctp_setadaptation{adaptation_ind = N},
             C = open(Config, [{sctp_adaptation_layer, Layer}]),
             {ok, Up} = ?M:connect(C, loopback(Config), port(S), [], 10000),
             ok = ?M:abort(C, Up),
             ok = ?M:close(C)
         end || N <- lists:seq(1, 100)],
        [begin
             {ok, {_, _, [], Event}} = recv(?M, S),
             case Event of
                 #sctp_assoc_change{state = State} -> State;
                 #sctp_adaptation_event{adaptation_ind = N} -> N
             end
         end || _ <- lists:seq(1, 300)]
    end,
    Expected = lists:append([[comm_up, N, comm_lost] || N <- lists:seq(1, 100)]),
    ?assertEqual(Expected, Storm()),
    Before = held(),
    ?assertEqual(Expected, Storm()),
    ?assertEqual(Before, held()).

%% A peer that begins the same association again and again, and never ends it.
restarts(Config) ->
    S = gen_sctp_test_lib:listener(Config, []),
    Storm = fun(First, Port) ->
        lists:foldl(
            fun(N, At) ->
                C = open(Config, [{linger, {true, 0}}, {port, At}]),
                {ok, #sctp_assoc_change{assoc_id = Id}} =
                    ?M:connect(C, loopback(Config), port(S), [], 10000),
                ok = ?M:send(C, Id, 0, <<N:32>>),
                {ok, {_, From, [], #sctp_assoc_change{state = State}}} = recv(?M, S),
                ?assertEqual(case N of 1 -> comm_up; _ -> restart end, State),
                ?assertMatch({_, <<N:32>>}, gen_sctp_test_lib:data(?M, S)),
                unheard(fun() -> ok = ?M:close(C) end),
                From
            end, Port, lists:seq(First, First + 7))
    end,
    Port = Storm(1, 0),
    Before = held(),
    Port = Storm(9, Port),
    ?assertEqual(Before, held()),
    ?assertMatch(#{associations := 1}, ?M:info(S)).

%% A peer that gets an address and loses it, again and again, and says so (ASCONF, RFC 5061).
address_changes(Config) ->
    with_asconf(fun() ->
        [IP, Other | _] = addresses(Config),
        #{c := C, s := S} = Pair = pair_on(Config, IP),
        Flood = fun() ->
            [begin
                 ok = ?M:bindx(C, add, [Other]),
                 ok = ?M:bindx(C, remove, [Other]),
                 ok = removed(S)
             end || _ <- lists:seq(1, 100)]
        end,
        Flood(),
        Before = held(),
        Flood(),
        ?assertEqual(Before, held()),
        drain(C),
        works(Pair)
    end).

removed(S) ->
    case recv(?M, S) of
        {ok, {_, _, [], #sctp_paddr_change{state = addr_removed}}} -> ok;
        {ok, {_, _, [], #sctp_paddr_change{}}} -> removed(S)
    end.

with_asconf(Case) ->
    Files = ["/proc/sys/net/sctp/" ++ Name || Name <- ["addip_enable", "addip_noauth_enable"]],
    Before = [begin {ok, Value} = file:read_file(File), Value end || File <- Files],
    [ok = file:write_file(File, "1") || File <- Files],
    try Case() after [ok = file:write_file(F, B) || {F, B} <- lists:zip(Files, Before)] end.

%% While a process waits for another peer, this one sends as much as it can. What is over the bound
%% stays in the kernel, and then with the sender; and nothing is lost.
backlog_is_bounded(Config) ->
    Unanswered = gen_sctp_test_lib:unanswered(gen_sctp_test_lib:family(Config)),
    [IP | _] = [A || A <- addresses(Config), setelement(size(A), A, 77) =:= Unanswered],
    #{s := S, c := C, cid := Id} = pair_on(Config, IP),
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

%% Messages of which only the beginning comes, as their associations end; to a socket that wants to
%% hear neither of the one nor of the other.
unfinished_messages(Config) ->
    S = gen_sctp_test_lib:listener(Config, [{active, true} | deaf()]
                                      ++ gen_sctp_test_lib:told_again()),
    [begin
         {C, Id} = half_a_message(Config, S, []),
         ok = ?M:abort(C, #sctp_assoc_change{assoc_id = Id}),
         ok = ?M:close(C),
         gen_sctp_test_lib:until(fun() -> fragments() =:= 0 end)
     end || _ <- lists:seq(1, 20)],
    ok = gen_sctp_test_lib:no_message().

deaf() ->
    [{recbuf, 20000}, {buffer, 5000},
     {sctp_events, #sctp_event_subscribe{association_event = false, address_event = false,
                                         send_failure_event = false, peer_error_event = false,
                                         shutdown_event = false,
                                         partial_delivery_event = false}}].

%% More than the receiver's buffer takes is delivered as it comes.
half_a_message(Config, S, Opts) ->
    C = open(Config, [{sndbuf, 4000000} | Opts]),
    {ok, #sctp_assoc_change{assoc_id = Id}} =
        ?M:connect(C, loopback(Config), port(S), [], 10000),
    ok = ?M:send(C, Id, 0, <<0:3000000/unit:8>>),
    gen_sctp_test_lib:until(fun() -> fragments() > 0 end),
    {C, Id}.

%% Nothing that is sent meanwhile arrives.
unheard(Fun) ->
    "" = os:cmd("tc qdisc add dev lo root netem loss 100%"),
    try Fun() after "" = os:cmd("tc qdisc del dev lo root") end.

%% A message that is longer than the longest that is put together (docs/differences.md).
endless_message(Config) ->
    #{s := S, sid := SId, c := C, cid := Id} = Pair = pair(Config, [{recbuf, 8000000}], []),
    ok = inet:setopts(S, [{active, true}]),
    force_sndbuf(Config, C, 200000000),
    ok = ?M:send(C, Id, 0, <<0:(?MESSAGE + 1000000)/unit:8>>),
    %% However long that takes.
    receive
        {sctp, S, _, _, {[], Event}} ->
            ?assertMatch(#sctp_assoc_change{state = comm_lost, assoc_id = SId}, Event)
    end,
    ?assertEqual(0, fragments()),
    ok = inet:setopts(S, [{active, false}]),
    survives(Pair).

%% A hostile peer's machine is its own.
force_sndbuf(Config, S, Size) ->
    {ok, Fd} = ?M:getfd(S),
    {ok, Socket} = socket:open(Fd, #{domain => gen_sctp_test_lib:family(Config),
                                     type => seqpacket, protocol => sctp, dup => true}),
    %% SOL_SOCKET, SO_SNDBUFFORCE
    ok = socket:setopt_native(Socket, {1, 32}, <<Size:32/native>>),
    ok = socket:close(Socket).

fragments() ->
    maps:get(fragment_bytes, gen_sctp_nif_prim:counters()).

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

%% The addresses of this machine that are not only its own.
addresses(Config) ->
    Loopback = loopback(Config),
    {ok, Interfaces} = inet:getifaddrs(),
    [A || {_, Opts} <- Interfaces, {addr, A} <- Opts, size(A) =:= size(Loopback),
          A =/= Loopback, element(1, A) =/= 16#fe80].

pair_on(Config, IP) ->
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

%% No kernel at the other end (gen_sctp_test_forger).

%% Chunks of every type, where an association is up: with any body and flags, with lengths that lie,
%% with another tag than the association's, several in a packet, cut off. What becomes of the
%% association is the kernel's affair; of none anything is kept.
any_packets(Config) ->
    with_forger(Config, [{active, true}], fun(S, Udp) ->
        Flood = fun() ->
            Last = lists:foldl(fun(Type, Peer) -> forge(Type, Peer, Udp, port(S)) end, down,
                               lists:seq(0, 255)),
            [end_of(Last) || Last =/= down],
            %% The last thing that the socket hears.
            begins(S, Udp)
        end,
        Flood(),
        Before = held(),
        Flood(),
        %% All atoms were made when the library was loaded, an active socket's owner gets at once
        %% what comes, and what was unfinished went with its association. So the bound is 0.
        ?assertEqual(Before, held()),
        ?assertEqual(0, maps:get(panics, gen_sctp_nif_prim:counters()))
    end).

%% Gives the association, if it seems to be up.
forge(Type, Before, Udp, Port) ->
    Peer = #{tag := Tag} = case Before of
        down -> ?FORGER:associate(Udp, Port, [?I_DATA, 192, 194, 130]);
        _ -> Before
    end,
    Wrong = (Tag bxor rand:uniform(16#ffffffff)) band 16#ffffffff,
    [ok = ?FORGER:send(Peer, Wrong, any_chunk(Type, true)) || _ <- [1, 2]],
    [ok = ?FORGER:send(Peer, Chunks)
     || Chunks <- [any_chunk(Type, false), any_chunk(Type, false),
                   [any_chunk(Type, true), any_chunk(rand:uniform(256) - 1, true)],
                   %% Nothing behind the head, and not all of the head.
                   <<Type, 255, 0, 200>>, <<Type>>, <<>>,
                   any_chunk(Type, true)]],
    case is_up(Peer) of
        true -> Peer;
        false -> end_of(Peer), down
    end.

%% Waits until all is dealt with that was sent before, too.
is_up(Peer) ->
    Beat = <<1:16, 8:16, (rand:uniform(16#ffffffff)):32>>,
    ok = ?FORGER:send(Peer, ?NET:chunk(?HEARTBEAT, 0, Beat)),
    is_up(Peer, Beat).

is_up(Peer, Beat) ->
    case ?FORGER:await(Peer, [?HEARTBEAT_ACK, ?ABORT | ?SHUTDOWNS]) of
        #{type := ?HEARTBEAT_ACK, value := Beat} -> true;
        #{type := ?HEARTBEAT_ACK} -> is_up(Peer, Beat);
        #{} -> false
    end.

%% Nothing is left of it, nor of what was to become of it.
end_of(Peer) ->
    ok = ?FORGER:send(Peer, ?NET:chunk(?ABORT, 0, <<>>)).

%% Of any content. Where it lies it says another length than it has.
any_chunk(Type, true) ->
    ?NET:chunk(Type, rand:uniform(256) - 1, noise(64));
any_chunk(Type, false) ->
    <<Head:2/binary, Length:16, Body/binary>> = any_chunk(Type, true),
    Lies = [0, 1, 3, 4, Length - 1, Length + 1, Length + 4, 65535, rand:uniform(65536) - 1],
    <<Head/binary, (lists:nth(rand:uniform(length(Lies)), Lies)):16, Body/binary>>.

%% The beginnings of ever more messages, each on a stream of its own, of which none ends. As their
%% streams may interleave the kernel hands over all of them.
messages_without_end(Config) ->
    Size = 40,
    Opts = [{recbuf, 4096}, {sctp_fragment_interleave, true},
            {sctp_interleaving_supported, av(0, true)},
            {sctp_initmsg, #sctp_initmsg{max_instreams = 65535}}],
    with_forger(Config, Opts ++ [{active, true}], fun(S, Udp) ->
        Before = held(),
        Peer = ?FORGER:associate(Udp, port(S), [?I_DATA, 192, 194]),
        Id = begun(S),
        %% Short ones count for more, so that there are no more than this, and one that is too many.
        Most = ?UNFINISHED div ?LEAST,
        {Begun, Held} = begin_messages(Peer, 0, 0, Most + 100, Size),
        ?assert(Begun > Most),
        ?assert(Held =< Most * Size),
        %% Most of them were there at the same time.
        ?assert(Held > Most * Size div 2),
        #sctp_assoc_change{state = comm_lost, assoc_id = Id} = heard(S),
        until(fun() -> fragments() =:= 0 end),
        begins(S, Udp),
        ?assertEqual(Before, held())
    end).

%% Until the association is aborted; how many were begun, and the most bytes that were held.
begin_messages(_, Begun, _, Most, _) when Begun > Most ->
    error({never_aborted, Begun, fragments()});
begin_messages(#{tsn := Tsn} = Peer, Begun, Held, Most, Size) ->
    Number = 20,
    %% First parts, ordered, to be acknowledged at once.
    Chunks = [?NET:chunk(?I_DATA, 2#1010, <<(Tsn + N):32, (Begun + N):16, 0:16, 0:32, 0:32,
                                            0:Size/unit:8>>)
              || N <- lists:seq(0, Number - 1)],
    case acknowledged(Peer, Tsn + Number - 1, Chunks) of
        true ->
            begin_messages(Peer#{tsn := Tsn + Number}, Begun + Number, max(Held, fragments()), Most,
                           Size);
        aborted ->
            {Begun + Number, Held}
    end.

%% What found no room is sent again.
acknowledged(Peer, Last, Chunks) ->
    ok = ?FORGER:send(Peer, Chunks),
    case ?FORGER:await(Peer, [?SACK, ?ABORT]) of
        #{type := ?ABORT} -> aborted;
        #{value := <<Last:32, _/binary>>} -> true;
        #{} -> acknowledged(Peer, Last, Chunks)
    end.

with_forger(Config, Opts, Case) ->
    Net = ?config(net, Config),
    {ok, S} = ?M:open([inet, ?NET:netns(Net, near), {ip, ?NET:address(near, inet, 0)},
                       {sctp_nodelay, true} | Opts]),
    ok = ?M:listen(adopt(S), true),
    Udp = ?FORGER:open(Net),
    try Case(S, Udp)
    after
        %% By the thousand.
        _ = gen_sctp_test_lib:mailbox(),
        ?FORGER:close(Udp)
    end.

%% The next association there is; what came before of others is thrown away.
begins(S, Udp) ->
    Peer = ?FORGER:associate(Udp, port(S), []),
    Port = maps:get(sport, Peer),
    Up = ?FORGER:data(Peer, <<"ping">>),
    Id = receive
        {sctp, S, _, Port, {[], #sctp_assoc_change{state = comm_up, assoc_id = Of}}} -> Of
    after 10000 ->
        error(silent)
    end,
    receive {sctp, S, _, Port, {[#sctp_sndrcvinfo{assoc_id = Id}], <<"ping">>}} -> ok
    after 10000 -> error(silent)
    end,
    ok = ?M:send(S, Id, 0, <<"pong">>),
    ?assertMatch(#{value := <<_:12/binary, "pong">>}, ?FORGER:await(Up, [?DATA])),
    end_of(Up),
    receive {sctp, S, _, Port, {[], #sctp_assoc_change{state = comm_lost}}} -> ok
    after 10000 -> error(silent)
    end,
    _ = gen_sctp_test_lib:mailbox(),
    ok.

begun(S) ->
    #sctp_assoc_change{state = comm_up, assoc_id = Id} = heard(S),
    Id.

%% The next change of an association: there may be other events before it.
heard(S) ->
    receive {sctp, S, _, _, {[], #sctp_assoc_change{} = Change}} -> Change
    after 10000 -> error(silent)
    end.
