%% @doc What gen_sctp does not have, with a peer that is not Erlang: a program in C on lksctp's
%% library, on another host (gen_sctp_test_foreign). Asked for by either end, seen at both, each
%% beside the same without it.
-module(gen_sctp_nif_interop_beyond_SUITE).

-include("gen_sctp_nif.hrl").
-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").
-include("gen_sctp_test_chunks.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [adopt/1, port/1, event/2, data/2, all_arrived/2, until/1, set/3, av/2, given_up/2]).
-import(gen_sctp_test_foreign, [do/2, ask/2, line/1, nothing/1, pattern/1, crc/1]).
-import(gen_sctp_test_net, [is/1, of_type/2]).
-import(gen_sctp_test_auth, [vectors/1, signatures/4]).

-define(M, gen_sctp_nif).
-define(NET, gen_sctp_test_net).
-define(FOREIGN, gen_sctp_test_foreign).
-define(TIMEOUT, 10000).

-define(SHA1, 1).

%% What the peer's lines have as numbers, of <linux/sctp.h>: states of an association and of an
%% address, policies, directions of a reset, the scheduler that takes turns, what becomes of a key.
-define(COMM_UP, 0).
-define(COMM_LOST, 1).
-define(SHUTDOWN_COMP, 3).
-define(ADDR_ADDED, 3).
-define(ADDR_MADE_PRIM, 4).
-define(ADDR_CONFIRMED, 5).
-define(TTL, 16#10).
-define(RTX, 16#20).
-define(INCOMING, 1).
-define(OUTGOING, 2).
-define(DENIED, 4).
-define(RR, 2).
-define(NEW_KEY, 0).
-define(FREE_KEY, 1).

-define(UDP_PORT, 9899).

suite() -> [{timetrap, {seconds, 90}}].

all() ->
    [said_of_messages, given_up_by_us, given_up_by_peer, reset_by_us, reset_by_peer, denied,
     added_by_us, added_by_peer, association_reset, signed, another_key, interleaved, told,
     not_delivered_by_peer, not_delivered_by_us, shut_down_by_us, shut_down_by_peer, in_udp,
     addresses_of_peer, addresses_of_ours].

init_per_suite(Config) -> ?NET:begin_suite([{module, ?M}, {family, inet} | Config]).
end_per_suite(Config) -> ?NET:end_suite(Config).

init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).

end_per_testcase(Case, Config) ->
    gen_sctp_test_lib:end_case(fun() ->
        ok = ?FOREIGN:end_case(),
        restore(Case, ?config(net, Config))
    end, Config).

%% Of what the cases change of the hosts.
restore(Case, Net) when Case =:= given_up_by_us; Case =:= given_up_by_peer -> ?NET:heal(Net, 0);
restore(interleaved, Net) -> ok = ?NET:sysctl(Net, "intl_enable", "0"), ?NET:heal(Net, 0);
restore(in_udp, Net) -> ?NET:sysctl(Net, "udp_port", "0");
restore(_, _) -> ok.

%% Two ends.

%% Our socket is near, the peer far. It has been told these commands before it listens, or connects.
link(Config, Mode, Opts, Commands) ->
    Net = ?config(net, Config),
    [Near, Far] = [?NET:address(Host, inet, 0) || Host <- [near, far]],
    {ok, S} = ?M:open([?NET:netns(Net, near), {ip, Near}, {sctp_nodelay, true}, {recbuf, 1000000},
                       {sndbuf, 1000000}, {sctp_event, #sctp_event{type = address, on = false}}
                       | Opts]),
    adopt(S),
    Peer = ?FOREIGN:start(?NET:netns(Net, far), []),
    [FarPort] = do(Peer, [open, inet:ntoa(Far), 0]),
    [[] = do(Peer, Command)
     || Command <- [[set, recvrcvinfo, 1], [set, nodelay, 1] | Commands]],
    Id = joined(Mode, S, Peer, {Near, port(S)}, {Far, FarPort}),
    #{s => S, id => Id, peer => Peer, net => Net}.

joined(listen, S, Peer, {_, Port}, {Far, FarPort}) ->
    [] = do(Peer, [listen]),
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = Id}} =
        ?M:connect(S, Far, FarPort, [], ?TIMEOUT),
    ?assertEqual(["accepted", Port], line(Peer)),
    Id;
joined(connect, S, Peer, {Near, Port}, {Far, FarPort}) ->
    ok = ?M:listen(S, true),
    [] = do(Peer, [connect, inet:ntoa(Near), Port]),
    {ok, {Far, FarPort, [], #sctp_assoc_change{state = comm_up, assoc_id = Id}}} =
        ?M:recv(S, ?TIMEOUT),
    Id.

%% With a peer that listens, then with one that connects.
both(Config, Opts, Commands, Case) ->
    [begin
         #{s := S, peer := Peer} = Link = link(Config, Mode, Opts, Commands),
         Case(Link),
         ?FOREIGN:stop(Peer),
         ok = ?M:close(S)
     end || Mode <- [listen, connect]].

events(Types) -> [{sctp_event, #sctp_event{type = Type, on = true}} || Type <- Types].

%% Lost packets are sent again soon, and for as long as a path is cut.
lasting() ->
    {?NET:lasting(), [[set, rto, 200], [set, retransmissions, 200]]}.

%% What the peer tells of a message of ours.
told_data(Stream, Ssn, Size) -> ["data", Stream, Ssn, 0, "ordered", 0, Size, crc(Size)].

%% What is said of a message.

%% Stream, number, ppid and order are the sender's, the context is the receiver's own.
said_of_messages(Config) ->
    Opts = [{sctp_recvrcvinfo, true}, {sctp_context, av(0, 77)}],
    both(Config, Opts, [[set, context, 55]], fun(#{s := S, id := Id, peer := Peer}) ->
        Messages = [{3, 0, 46, []}, {3, 1, 16#fffffffe, []}, {7, 0, 1, [unordered]}, {3, 2, 0, []}],
        [begin
             Info = #sctp_sndinfo{sid = Sid, ppid = Ppid, context = 9, flags = Flags},
             ok = ?M:sendv(S, Id, [Info], pattern(100)),
             ?assertEqual(["data", Sid, Ssn, Ppid, order(Flags), 55, 100, crc(100)], line(Peer))
         end || {Sid, Ssn, Ppid, Flags} <- Messages],
        Infos = [begin
                     [] = do(Peer, [send, Sid, Ppid, order(Flags), 100, 9]),
                     {ok, {_, _, [Info], Data}} = ?M:recv(S, ?TIMEOUT),
                     ?assertEqual(pattern(100), Data),
                     ?assertMatch(#sctp_rcvinfo{sid = Sid, ssn = Ssn, ppid = Ppid, flags = Flags,
                                                context = 77, assoc_id = Id}, Info),
                     Info
                 end || {Sid, Ssn, Ppid, Flags} <- Messages],
        [First | _] = Tsns = [Tsn || #sctp_rcvinfo{tsn = Tsn} <- Infos],
        ?assertEqual([(First + N) rem (1 bsl 32) || N <- lists:seq(0, 3)], Tsns),
        %% Of nothing said.
        ok = ?M:sendv(S, Id, [], pattern(10)),
        ?assertEqual(["data", 0, 0, 0, "ordered", 55, 10, crc(10)], line(Peer))
    end).

order([unordered]) -> "unordered";
order([]) -> "ordered".

%% Lost in a cut, and given up, so that its number is missing; what was lost with it is not.
given_up_by_us(Config) ->
    {Opts, Commands} = lasting(),
    [begin
         #{s := S, id := Id, peer := Peer, net := Net} = link(Config, listen, Opts, Commands),
         ok = ?M:sendv(S, Id, [#sctp_sndinfo{sid = 1}], pattern(10)),
         ?assertEqual(told_data(1, 0, 10), line(Peer)),
         all_arrived(S, Id),
         ok = ?NET:cut(Net, 0),
         ok = ?M:sendv(S, Id, [#sctp_sndinfo{sid = 1}, Mortal], pattern(11)),
         ok = ?M:sendv(S, Id, [#sctp_sndinfo{sid = 1}], pattern(12)),
         until(fun() -> given_up(S, Id) =:= 1 end),
         ok = ?NET:heal(Net, 0),
         ?assertEqual(told_data(1, 2, 12), line(Peer)),
         nothing(Peer),
         ?FOREIGN:stop(Peer)
     end || Mortal <- [#sctp_prinfo{policy = ttl, value = 300},
                       #sctp_prinfo{policy = rtx, value = 0}]].

given_up_by_peer(Config) ->
    {Opts, Commands} = lasting(),
    [begin
         #{s := S, peer := Peer, net := Net} =
             link(Config, listen, [{sctp_recvrcvinfo, true} | Opts], Commands),
         [] = do(Peer, [send, 1, 0, ordered, 10]),
         ?assertEqual({1, 0, pattern(10)}, numbered(S)),
         until(fun() -> do(Peer, [get, unacknowledged]) =:= [0] end),
         ok = ?NET:cut(Net, 0),
         [] = do(Peer, [send, 1, 0, ordered, 11, 0, Policy, Value]),
         [] = do(Peer, [send, 1, 0, ordered, 12]),
         until(fun() -> lists:sum(do(Peer, [get, pr_status, Policy])) =:= 1 end),
         ok = ?NET:heal(Net, 0),
         ?assertEqual({1, 2, pattern(12)}, numbered(S)),
         ?assertEqual({error, timeout}, ?M:recv(S, 0)),
         ?FOREIGN:stop(Peer)
     end || {Policy, Value} <- [{?TTL, 300}, {?RTX, 0}]].

numbered(S) ->
    {ok, {_, _, [#sctp_rcvinfo{sid = Sid, ssn = Ssn}], Data}} = ?M:recv(S, ?TIMEOUT),
    {Sid, Ssn, Data}.

%% Streams.

changeable() ->
    {[{sctp_reconfig_supported, av(undefined, true)},
      {sctp_enable_stream_reset, av(undefined, [reset_streams, reset_assoc, change_assoc])}
      | events([stream_reset, assoc_reset, stream_change])],
     [[set, reconfig_supported, 1], [set, enable_stream_reset, 7]
      | [[event, Type, 1] || Type <- [stream_reset, assoc_reset, stream_change]]]}.

changeable_link(Config) ->
    {Opts, Commands} = changeable(),
    link(Config, listen, Opts, Commands).

%% The numbers of messages that are sent on these streams now, as the receiver has them.
to_peer(#{s := S, id := Id, peer := Peer}, Streams) ->
    [begin
         ok = ?M:send(S, Id, Stream, pattern(10)),
         ["data", Stream, Ssn | _] = line(Peer),
         Ssn
     end || Stream <- Streams].

from_peer(#{s := S, peer := Peer}, Streams) ->
    [begin
         [] = do(Peer, [send, Stream, 0, ordered, 10]),
         {#sctp_sndrcvinfo{stream = Stream, ssn = Ssn}, _} = data(?M, S),
         Ssn
     end || Stream <- Streams].

reset(#{s := S, id := Id}, Flags, Streams) ->
    set(S, sctp_reset_streams,
        #sctp_reset_streams{assoc_id = Id, flags = Flags, streams = Streams}).

%% Those that are reset begin anew, others go on.
reset_by_us(Config) ->
    #{s := S, id := Id, peer := Peer} = Link = changeable_link(Config),
    Event = #sctp_stream_reset_event{assoc_id = Id},
    ?assertEqual([0, 1, 0], to_peer(Link, [1, 1, 3])),
    ok = reset(Link, [outgoing], [1]),
    ?assertEqual(["event", "stream_reset", ?INCOMING, 1], line(Peer)),
    ?assertEqual(Event#sctp_stream_reset_event{flags = [outgoing], streams = [1]}, event(?M, S)),
    ?assertEqual([0, 1], to_peer(Link, [1, 3])),
    ?assertEqual([0, 1, 0], from_peer(Link, [2, 2, 4])),
    ok = reset(Link, [incoming], [2]),
    ?assertEqual(["event", "stream_reset", ?OUTGOING, 2], line(Peer)),
    ?assertEqual(Event#sctp_stream_reset_event{flags = [incoming], streams = [2]}, event(?M, S)),
    ?assertEqual([0, 1], from_peer(Link, [2, 4])),
    ok = reset(Link, [outgoing], all),
    ?assertEqual(["event", "stream_reset", ?INCOMING], line(Peer)),
    ?assertEqual(Event#sctp_stream_reset_event{flags = [outgoing], streams = all}, event(?M, S)),
    ?assertEqual([0, 0], to_peer(Link, [1, 3])),
    ?FOREIGN:stop(Peer).

reset_by_peer(Config) ->
    #{s := S, id := Id, peer := Peer} = Link = changeable_link(Config),
    Event = #sctp_stream_reset_event{assoc_id = Id},
    ?assertEqual([0, 1, 0], from_peer(Link, [1, 1, 3])),
    [] = do(Peer, [set, reset_streams, ?OUTGOING, 1]),
    ?assertEqual(Event#sctp_stream_reset_event{flags = [incoming], streams = [1]}, event(?M, S)),
    ?assertEqual(["event", "stream_reset", ?OUTGOING, 1], line(Peer)),
    ?assertEqual([0, 1], from_peer(Link, [1, 3])),
    ?assertEqual([0, 1, 0], to_peer(Link, [2, 2, 4])),
    [] = do(Peer, [set, reset_streams, ?INCOMING, 2]),
    ?assertEqual(Event#sctp_stream_reset_event{flags = [outgoing], streams = [2]}, event(?M, S)),
    ?assertEqual(["event", "stream_reset", ?INCOMING, 2], line(Peer)),
    ?assertEqual([0, 1], to_peer(Link, [2, 4])),
    ?FOREIGN:stop(Peer).

%% Where one end does not grant it the other hears of that, and numbers go on.
denied(Config) ->
    #{s := S, id := Id, peer := Peer} = Link = changeable_link(Config),
    [] = do(Peer, [set, enable_stream_reset, 0]),
    ?assertEqual([0], to_peer(Link, [1])),
    ok = reset(Link, [outgoing], [1]),
    ?assertEqual(#sctp_stream_reset_event{flags = [outgoing, denied], assoc_id = Id,
                                          streams = [1]}, event(?M, S)),
    ?assertEqual([1], to_peer(Link, [1])),
    ?assertEqual({failed, "ENOPROTOOPT"}, ask(Peer, [set, reset_streams, ?OUTGOING, 1])),
    [] = do(Peer, [set, enable_stream_reset, 7]),
    ok = set(S, sctp_enable_stream_reset, av(Id, [])),
    ?assertEqual([0], from_peer(Link, [1])),
    [] = do(Peer, [set, reset_streams, ?OUTGOING, 1]),
    ?assertEqual(["event", "stream_reset", ?OUTGOING + ?DENIED, 1], line(Peer)),
    ?assertEqual([1], from_peer(Link, [1])),
    ?FOREIGN:stop(Peer).

added_by_us(Config) ->
    #{s := S, id := Id, peer := Peer} = Link = changeable_link(Config),
    Add = fun(In, Out) ->
        set(S, sctp_add_streams, #sctp_add_streams{assoc_id = Id, instrms = In, outstrms = Out})
    end,
    Event = #sctp_stream_change_event{flags = [], assoc_id = Id},
    ?assertEqual({error, einval}, ?M:send(S, Id, 10, <<"too far">>)),
    ok = Add(0, 2),
    ?assertEqual(["event", "stream_change", 0, 2, 0], line(Peer)),
    ?assertEqual(Event#sctp_stream_change_event{instrms = 0, outstrms = 2}, event(?M, S)),
    ?assertEqual([0, 0], to_peer(Link, [10, 11])),
    ?assertEqual({failed, "EINVAL"}, ask(Peer, [send, 10, 0, ordered, 10])),
    ok = Add(3, 0),
    ?assertEqual(["event", "stream_change", 0, 0, 3], line(Peer)),
    ?assertEqual(Event#sctp_stream_change_event{instrms = 3, outstrms = 0}, event(?M, S)),
    ?assertEqual([0], from_peer(Link, [12])),
    ?FOREIGN:stop(Peer).

added_by_peer(Config) ->
    #{s := S, id := Id, peer := Peer} = Link = changeable_link(Config),
    Event = #sctp_stream_change_event{flags = [], assoc_id = Id},
    ?assertEqual({failed, "EINVAL"}, ask(Peer, [send, 10, 0, ordered, 10])),
    [] = do(Peer, [set, add_streams, 0, 2]),
    ?assertEqual(Event#sctp_stream_change_event{instrms = 2, outstrms = 0}, event(?M, S)),
    ?assertEqual(["event", "stream_change", 0, 0, 2], line(Peer)),
    ?assertEqual([0, 0], from_peer(Link, [10, 11])),
    ?assertEqual({error, einval}, ?M:send(S, Id, 10, <<"too far">>)),
    [] = do(Peer, [set, add_streams, 3, 0]),
    ?assertEqual(Event#sctp_stream_change_event{instrms = 0, outstrms = 3}, event(?M, S)),
    ?assertEqual(["event", "stream_change", 0, 3, 0], line(Peer)),
    ?assertEqual([0], to_peer(Link, [12])),
    ?FOREIGN:stop(Peer).

%% By either end. The library's own numbers are what the kernel calls the peer's: it takes one for
%% the other, at both ends.
association_reset(Config) ->
    #{s := S, id := Id, peer := Peer} = Link = changeable_link(Config),
    [begin
         ?assertEqual([0, 1], to_peer(Link, [0, 0])),
         ?assertEqual([0, 1], from_peer(Link, [0, 0])),
         ok = Reset(),
         #sctp_assoc_reset_event{flags = [], assoc_id = Id, local_tsn = Local,
                                 remote_tsn = Remote} = event(?M, S),
         ?assertEqual(["event", "assoc_reset", 0, Local, Remote], line(Peer)),
         ?assertEqual([0], to_peer(Link, [0])),
         ?assertEqual([0], from_peer(Link, [0])),
         ok = reset(Link, [outgoing, incoming], all),
         #sctp_stream_reset_event{} = event(?M, S),
         #sctp_stream_reset_event{} = event(?M, S),
         [["event", "stream_reset" | _] = line(Peer) || _ <- [1, 2]]
     end || Reset <- [fun() -> set(S, sctp_reset_assoc, Id) end,
                      fun() -> [] = do(Peer, [set, reset_assoc, 0]), ok end]],
    ?FOREIGN:stop(Peer).

%% Keys.

key(Number, Key) -> {sctp_auth_key, #sctp_authkey{keynumber = Number, key = Key}}.

authenticated(Required, Key, PeerKey) ->
    {[{sctp_auth_supported, av(0, true)}, key(1, list_to_binary(Key)),
      {sctp_auth_active_key, #sctp_authkeyid{keynumber = 1}},
      {sctp_rtoinfo, #sctp_rtoinfo{initial = 200, min = 200, max = 200}}
      | [{sctp_auth_chunk, data} || Required] ++ events([authentication])],
     [[set, auth_supported, 1], [set, auth_key, 1, PeerKey], [set, auth_active_key, 1],
      [set, rto, 200], [event, authentication, 1]
      | [[set, auth_chunk, ?DATA] || Required]]}.

%% Each end signs by the key in use, or by one that it names with a message, and both take another
%% while the association goes on. What is signed by a key that the other end does not have does not
%% arrive, but what was sent before and after it does. Where nothing is to be signed no key matters.
signed(Config) ->
    Net = ?config(net, Config),
    [begin
         {Opts, Commands} = authenticated(Required, "one", "one"),
         {Link, FromNear, FromFar} = seen(Net, fun() -> link(Config, Mode, Opts, Commands) end),
         Vectors = vectors(of_link(Link, FromNear ++ FromFar)),
         {ok, There, Back} = seen(Net, fun() -> by_keys(Required, Link) end),
         Keys = #{1 => <<"one">>, 2 => <<"two">>, 3 => <<"three">>},
         Expected = case Required of
             true -> [{Number, ?SHA1, true} || Number <- [1, 2, 2, 3, 2]];
             false -> [none, none, none, none]
         end,
         [?assertEqual({Mode, Expected},
                       {Mode, [Signature || Packet <- sent_last(Chunks),
                                            Signature <- signatures(?DATA, Packet, Vectors, Keys)]})
          || Chunks <- [of_link(Link, There), of_link(Link, Back)]],
         ?FOREIGN:stop(maps:get(peer, Link))
     end || {Mode, Required} <- [{listen, true}, {connect, true}, {connect, false}]].

%% Messages to far and to near.
by_keys(Required, Link) ->
    New = fun(Number) -> [{Number, new_key} || Required] end,
    [begin
         ok = sign(End, Link, 1, []),
         ?assertEqual([], arrived(other(End), Link, 1))
     end || End <- [near, far]],
    [ok = new_key(End, Link, 2, "two") || End <- [near, far]],
    [begin
         ok = sign(End, Link, 1, [2]),
         ?assertEqual(New(2), arrived(other(End), Link, 1))
     end || End <- [near, far]],
    %% Who uses that key already has no news of it.
    [begin
         ok = change_key(End, Link, 1, 2),
         ok = sign(End, Link, 1, []),
         ?assertEqual(News, arrived(other(End), Link, 1))
     end || {End, News} <- [{near, New(2)}, {far, []}]],
    [case Required of
         true ->
             ?assertEqual({error, einval}, sign(End, Link, 1, [1])),
             key_of_one_end(End, Link);
         false ->
             ok = sign(End, Link, 1, [1]),
             ?assertEqual([], arrived(other(End), Link, 1))
     end || End <- [near, far]],
    ok.

key_of_one_end(End, #{s := S, peer := Peer} = Link) ->
    Other = other(End),
    ok = new_key(End, Link, 3, "three"),
    ok = new_key(Other, Link, 3, "something else"),
    ok = sign(End, Link, 5, [3]),
    ok = sign(End, Link, 1, []),
    ?assertEqual([], arrived(Other, Link, 1)),
    ?assertEqual({error, timeout}, ?M:recv(S, 0)),
    nothing(Peer),
    ok = new_key(Other, Link, 3, "three"),
    ?assertEqual([{3, new_key}], arrived(Other, Link, 5)).

other(near) -> far;
other(far) -> near.

%% Near are we.
sign(near, #{s := S, id := Id}, Stream, By) ->
    Infos = [#sctp_sndinfo{sid = Stream} | [#sctp_authinfo{keynumber = Number} || Number <- By]],
    ?M:sendv(S, Id, Infos, pattern(10));
sign(far, #{peer := Peer}, Stream, By) ->
    case ask(Peer, [send, Stream, 0, ordered, 10 | [Word || Number <- By,
                                                            Word <- [0, 0, 0, Number]]]) of
        {done, []} -> ok;
        {failed, "EINVAL"} -> {error, einval}
    end.

new_key(near, #{s := S, id := Id}, Number, Key) ->
    {Name, Record} = key(Number, list_to_binary(Key)),
    set(S, Name, Record#sctp_authkey{assoc_id = Id});
new_key(far, #{peer := Peer}, Number, Key) ->
    [] = do(Peer, [set, auth_key, Number, Key]),
    ok.

%% The old one is free when all that is signed by it has arrived.
change_key(near, #{s := S, id := Id} = Link, Old, New) ->
    [ok = set(S, Name, #sctp_authkeyid{assoc_id = Id, keynumber = Number})
     || {Name, Number} <- [{sctp_auth_active_key, New}, {sctp_auth_deactivate_key, Old}]],
    ?assertEqual({Old, free_key}, authentication(near, Link));
change_key(far, #{peer := Peer} = Link, Old, New) ->
    [[] = do(Peer, [set | Words])
     || Words <- [[auth_active_key, New], [auth_deactivate_key, Old]]],
    ?assertEqual({Old, free_key}, authentication(far, Link)).

%% The events before a message on this stream. Each is told again where a packet comes again.
arrived(End, Link, Stream) ->
    case authentication(End, Link) of
        {data, Stream} -> [];
        Event -> lists:usort([Event | arrived(End, Link, Stream)])
    end.

authentication(near, #{s := S, id := Id}) ->
    case ?M:recv(S, ?TIMEOUT) of
        {ok, {_, _, [#sctp_sndrcvinfo{stream = Stream}], _}} ->
            {data, Stream};
        {ok, {_, _, [], #sctp_authkey_event{keynumber = Number, indication = What,
                                            assoc_id = Id}}} ->
            {Number, What}
    end;
authentication(far, #{peer := Peer}) ->
    case line(Peer) of
        ["data", Stream | _] -> {data, Stream};
        ["event", "authentication", Number, ?NEW_KEY] -> {Number, new_key};
        ["event", "authentication", Number, ?FREE_KEY] -> {Number, free_key}
    end.

%% What a function gives, and what has come to far and to near meanwhile.
seen(Net, Fun) ->
    {{Result, Back}, There} = ?NET:watch(Net, far, fun(_) ->
        ?NET:watch(Net, near, fun(_) -> Fun() end)
    end),
    {Result, There, Back}.

%% What is of this association: packets of one that is over may still come.
of_link(#{s := S}, Chunks) ->
    Port = port(S),
    [Chunk || #{sport := From, dport := To} = Chunk <- Chunks, From =:= Port orelse To =:= Port].

%% Of each message, by its number, the packet in which it came for the last time. Into one that it
%% throws away the kernel has written the code that it had expected, before anybody sees it.
sent_last(Chunks) ->
    Last = maps:from_list([{Tsn, Packet} || #{packet := Packet, value := <<Tsn:32, _/binary>>}
                                                <- of_type(?DATA, Chunks)]),
    [[Chunk || #{packet := Found} = Chunk <- Chunks, Found =:= Packet]
     || {_, Packet} <- lists:keysort(1, maps:to_list(Last))].

%% What is signed by another key does not arrive, however often it is sent; when the receiver has
%% that key it does.
another_key(Config) ->
    {Opts, Commands} = authenticated(true, "one_key", "another"),
    [begin
         Link = #{s := S, id := Id, peer := Peer, net := Net} =
             link(Config, listen, Opts, Commands),
         {ok, Chunks} = ?NET:watch(Net, Receiver, fun(Watch) ->
             ok = Send(Link),
             _ = [?NET:await_chunk(Watch, is(?DATA)) || _ <- [1, 2, 3]],
             ok
         end),
         ?assertMatch([_], lists:usort([Tsn || #{value := <<Tsn:32, _/binary>>}
                                                   <- of_type(?DATA, of_link(Link, Chunks))])),
         ?assertEqual({error, timeout}, ?M:recv(S, 0)),
         nothing(Peer),
         case Receiver of
             far ->
                 [] = do(Peer, [set, auth_key, 1, "one_key"]),
                 ?assertEqual(told_data(1, 0, 10), line(Peer));
             near ->
                 {_, Right} = key(1, <<"another">>),
                 ok = set(S, sctp_auth_key, Right#sctp_authkey{assoc_id = Id}),
                 ?assertMatch({#sctp_sndrcvinfo{stream = 1}, _}, data(?M, S))
         end,
         ?FOREIGN:stop(Peer)
     end || {Receiver, Send} <-
                [{far, fun(#{s := S, id := Id}) -> ?M:send(S, Id, 1, pattern(10)) end},
                 {near, fun(#{peer := Peer}) ->
                            [] = do(Peer, [send, 1, 0, ordered, 10]),
                            ok
                        end}]].

%% A short message gets past a long one of another stream where both interleave.
interleaved(Config) ->
    Net = ?config(net, Config),
    ok = ?NET:sysctl(Net, "intl_enable", "1"),
    [begin
         ok = ?NET:heal(Net, 0),
         Opts = [{sctp_fragment_interleave, true},
                 {sctp_interleaving_supported, av(0, On =:= 1)},
                 {sctp_stream_scheduler, av(0, rr)}],
         Commands = [[set, fragment_interleave, 1], [set, interleaving_supported, On],
                     [set, stream_scheduler, ?RR], [set, sndbuf, 1000000]],
         Link = #{s := S, id := Id, peer := Peer} = link(Config, Mode, Opts, Commands),
         ?assertEqual({Mode, [On]}, {Mode, do(Peer, [get, interleaving_supported])}),
         ?assertEqual({ok, av(Id, On =:= 1)},
                      ?M:getopt(S, {sctp_interleaving_supported, av(Id, undefined)})),
         ok = ?NET:impair(Net, 0, "delay 20ms"),
         Sizes = [{0, 60000}, {1, 1000}],
         {{ok, Back}, There} = ?NET:watch(Net, far, fun(_) ->
             ?NET:watch(Net, near, fun(_) ->
                 [ok = ?M:send(S, Id, Stream, pattern(Size)) || {Stream, Size} <- Sizes],
                 ?assertEqual([told_data(Stream, 0, Size) || {Stream, Size} <- Order(Sizes)],
                              [line(Peer), line(Peer)]),
                 [[] = do(Peer, [send, Stream, 0, ordered, Size]) || {Stream, Size} <- Sizes],
                 ?assertEqual([{Stream, Size, crc(Size)} || {Stream, Size} <- Order(Sizes)],
                              [on_stream(S), on_stream(S)]),
                 ok
             end)
         end),
         [?assertEqual([Type], lists:usort([Is || #{type := Is} <- Chunks,
                                                  Is =:= ?DATA orelse Is =:= ?I_DATA]))
          || Chunks <- [of_link(Link, There), of_link(Link, Back)]],
         ?FOREIGN:stop(Peer)
     end || {On, Mode, Order, Type} <- [{1, listen, fun lists:reverse/1, ?I_DATA},
                                        {1, connect, fun lists:reverse/1, ?I_DATA},
                                        {0, listen, fun(Same) -> Same end, ?DATA}]].

on_stream(S) ->
    {#sctp_sndrcvinfo{stream = Stream}, Data} = data(?M, S),
    {Stream, byte_size(Data), erlang:crc32(Data)}.

%% What the peer is told.

%% From the beginning to the end of an association; nothing to who has not asked.
told(Config) ->
    Opts = [{sctp_adaptation_layer, #sctp_setadaptation{adaptation_ind = 7}},
            {sctp_initmsg, #sctp_initmsg{num_ostreams = 5, max_instreams = 6}}
            | events([adaptation])],
    Types = [assoc_change, adaptation, shutdown, sender_dry],
    [begin
         Commands = [[set, adaptation, 9] | [[event, Type, On] || Type <- Types]],
         #{s := S, id := Id, peer := Peer} = link(Config, listen, Opts, Commands),
         ?assertEqual(#sctp_adaptation_event{adaptation_ind = swapped(9), assoc_id = Id},
                      event(?M, S)),
         [?assertEqual([["event", "assoc_change", ?COMM_UP, 0, 6, 5],
                        ["event", "adaptation", swapped(7)]], [line(Peer), line(Peer)])
          || On =:= 1],
         nothing(Peer),
         [] = do(Peer, [send, 0, 0, ordered, 10]),
         {_, _} = data(?M, S),
         [?assertEqual(["event", "sender_dry"], line(Peer)) || On =:= 1],
         %% From the SHUTDOWN on a read says that it is the end: the last event is not before it.
         [] = do(Peer, [pause]),
         ok = ?M:eof(S, #sctp_assoc_change{assoc_id = Id}),
         ?assertMatch(#sctp_assoc_change{state = shutdown_comp}, event(?M, S)),
         until(fun() -> ask(Peer, [get, unacknowledged]) =:= {failed, "EINVAL"} end),
         [] = do(Peer, [resume]),
         [?assertEqual([["event", "shutdown"],
                        ["event", "assoc_change", ?SHUTDOWN_COMP, 0, 0, 0]],
                       [line(Peer), line(Peer)])
          || On =:= 1],
         ?assertEqual(["eof"], line(Peer)),
         ?FOREIGN:stop(Peer)
     end || On <- [1, 0]].

%% As gen_sctp has it: the kernel's number, whose bytes it takes for those of the wire.
swapped(Number) ->
    <<Swapped:32/native>> = <<Number:32/big>>,
    Swapped.

%% Nobody reads, and the association is aborted: what has not arrived comes back, as it was sent.
%% The last ones have not. The other end is told why.
not_delivered_by_peer(Config) ->
    Commands = [[event, Type, 1] || Type <- [send_failed, assoc_change]],
    #{s := S, id := Id, peer := Peer} = link(Config, listen, [{recbuf, 4096}], Commands),
    ["event", "assoc_change", ?COMM_UP | _] = line(Peer),
    [[] = do(Peer, [send, 2, 46, ordered, 1000, Context]) || Context <- lists:seq(1, 30)],
    ok = ?M:abort(S, #sctp_assoc_change{assoc_id = Id}, <<"maintenance">>),
    ?assertMatch(#sctp_assoc_change{state = comm_lost}, event_after_data(S)),
    ?assertMatch(["event", "assoc_change", ?COMM_LOST, _, _, _, "maintenance"], line(Peer)),
    suffix(failed_there(Peer)),
    ?FOREIGN:stop(Peer).

failed_there(Peer) ->
    case line(Peer) of
        ["event", "send_failed", _, _, 2, 46, Context, 1000] -> [Context | failed_there(Peer)];
        ["error", "ECONNRESET"] -> []
    end.

%% What came before is still there.
event_after_data(S) ->
    case ?M:recv(S, ?TIMEOUT) of
        {ok, {_, _, [_], _}} -> event_after_data(S);
        {ok, {_, _, _, Event}} -> Event
    end.

suffix([First | _] = Contexts) ->
    ?assertEqual(lists:seq(First, 30), Contexts).

not_delivered_by_us(Config) ->
    Opts = [{abort_causes, true} | events([send_failed_event])] ++
        [{sctp_event, #sctp_event{type = send_failure, on = false}}],
    #{s := S, id := Id, peer := Peer} = link(Config, listen, Opts, [[set, rcvbuf, 4096]]),
    [] = do(Peer, [pause]),
    Data = pattern(1000),
    [ok = ?M:sendv(S, Id, [#sctp_sndinfo{sid = 2, ppid = 46, context = Context}], Data)
     || Context <- lists:seq(1, 30)],
    [] = do(Peer, [abort]),
    ?assertMatch({ok, {_, _, [{abort_causes, [{12, <<>>}]}],
                       #sctp_assoc_change{state = comm_lost, assoc_id = Id}}},
                 ?M:recv(S, ?TIMEOUT)),
    suffix(failed_here(S, Id, Data)),
    ?FOREIGN:stop(Peer).

failed_here(S, Id, Data) ->
    {error, {_, _, #sctp_send_failed_event{info = Info, fragment = whole, assoc_id = Id,
                                           data = Data}}} = ?M:recv(S, ?TIMEOUT),
    case Info of
        #sctp_sndinfo{sid = 2, ppid = 46, context = 30} -> [30];
        #sctp_sndinfo{sid = 2, ppid = 46, context = Context} ->
            [Context | failed_here(S, Id, Data)]
    end.

%% Ends.

%% Ours is a one-to-one socket, too: it has connected, or been accepted.
shut_down_by_us(Config) ->
    one_to_one(Config, fun(S, Peer) ->
        ok = ?M:send(S, 0, 4, pattern(10)),
        ok = ?M:shutdown(S, write),
        ?assertEqual(told_data(4, 0, 10), line(Peer)),
        ?assertEqual(["eof"], line(Peer)),
        ?assertEqual({failed, "EPIPE"}, ask(Peer, [send, 0, 0, ordered, 10]))
    end).

shut_down_by_peer(Config) ->
    one_to_one(Config, fun(S, Peer) ->
        [] = do(Peer, [send, 4, 7, ordered, 10]),
        [] = do(Peer, [shutdown]),
        ?assertMatch({#sctp_sndrcvinfo{stream = 4, ppid = 7}, _}, data(?M, S)),
        closed(S),
        ?assertEqual({error, epipe}, ?M:send(S, 0, 0, <<"late">>))
    end).

closed(S) ->
    case ?M:recv(S, ?TIMEOUT) of
        {ok, {_, _, [], _Event}} -> closed(S);
        Other -> ?assertEqual({error, closed}, Other)
    end.

one_to_one(Config, Case) ->
    Net = ?config(net, Config),
    [Near, Far] = [?NET:address(Host, inet, 0) || Host <- [near, far]],
    [begin
         {ok, S} = ?M:open([?NET:netns(Net, near), {ip, Near}, {type, stream},
                            {end_of_stream, closed}, {sctp_nodelay, true}]),
         adopt(S),
         Peer = ?FOREIGN:start(?NET:netns(Net, far), []),
         [Port] = do(Peer, [open, inet:ntoa(Far), 0]),
         [] = do(Peer, [set, recvrcvinfo, 1]),
         One = case Mode of
             listen ->
                 [] = do(Peer, [listen]),
                 {ok, _} = ?M:connect(S, Far, Port, [], ?TIMEOUT),
                 ?assertEqual(["accepted", port(S)], line(Peer)),
                 S;
             connect ->
                 ok = ?M:listen(S, 1),
                 [] = do(Peer, [connect, inet:ntoa(Near), port(S)]),
                 {ok, Accepted} = ?M:accept(S, ?TIMEOUT),
                 #sctp_assoc_change{state = comm_up} = event(?M, Accepted),
                 adopt(Accepted)
         end,
         Case(One, Peer),
         ?FOREIGN:stop(Peer)
     end || Mode <- [listen, connect]].

%% Networks.

%% Who connects says that packets go in UDP, the other learns it.
in_udp(Config) ->
    Net = ?config(net, Config),
    ok = ?NET:sysctl(Net, "udp_port", integer_to_list(?UDP_PORT)),
    [begin
         Opts = [{sctp_remote_udp_encaps_port, #sctp_udpencaps{port = Port}} || Mode =:= listen],
         Commands = [[set, udp_encaps, Port] || Mode =:= connect],
         Link = #{s := S, id := Id, peer := Peer} = link(Config, Mode, Opts, Commands),
         {{ok, InUdp}, Plain} = ?NET:watch(Net, far, inet, fun(_) ->
             ?NET:watch(Net, far, udp, fun(_) ->
                 ?assertEqual([0], to_peer(Link, [1])),
                 ok
             end)
         end),
         ?assertEqual([0], from_peer(Link, [1])),
         ?assertEqual([Port], do(Peer, [get, udp_encaps])),
         ?assertMatch({ok, #sctp_udpencaps{port = Port}},
                      ?M:getopt(S, {sctp_remote_udp_encaps_port, #sctp_udpencaps{assoc_id = Id}})),
         ?assertEqual({Port =/= 0, Port =:= 0},
                      {of_type(?DATA, of_link(Link, InUdp)) =/= [],
                       of_type(?DATA, of_link(Link, Plain)) =/= []}),
         ?FOREIGN:stop(Peer)
     end || Port <- [?UDP_PORT, 0], Mode <- [listen, connect]].

%% Where the host that is watched gets data from the other while the function runs.
destinations(#{net := Net} = Link, Host, Send) ->
    {_, Chunks} = ?NET:watch(Net, Host, fun(_) -> Send() end),
    [To || #{to := To} <- of_type(?DATA, of_link(Link, Chunks))].

%% A new address of the peer's, which then asks us to prefer it.
addresses_of_peer(Config) ->
    #{s := S, id := Id, peer := Peer} = Link = link(Config, listen, [], []),
    [Old, New] = [?NET:address(far, inet, Path) || Path <- [0, 1]],
    ok = set(S, sctp_event, #sctp_event{assoc_id = Id, type = address, on = true}),
    Send = fun() -> to_peer(Link, [1]) end,
    ?assertEqual([Old], destinations(Link, far, Send)),
    [] = do(Peer, [bindx, add, inet:ntoa(New)]),
    changed(S, addr_added, New),
    changed(S, addr_confirmed, New),
    ?assertEqual([Old], destinations(Link, far, Send)),
    [] = do(Peer, [peer_primary, inet:ntoa(New)]),
    changed(S, addr_made_prim, New),
    ?assertEqual([New], destinations(Link, far, Send)),
    ?FOREIGN:stop(Peer).

changed(S, State, IP) ->
    ?assertMatch(#sctp_paddr_change{state = State, addr = {IP, _}}, event(?M, S)).

%% The same of ours.
addresses_of_ours(Config) ->
    #{s := S, id := Id, peer := Peer} = Link = link(Config, listen, [], []),
    [Old, New] = [?NET:address(near, inet, Path) || Path <- [0, 1]],
    [] = do(Peer, [event, peer_addr_change, 1]),
    Send = fun() -> from_peer(Link, [1]) end,
    ?assertEqual([Old], destinations(Link, near, Send)),
    ok = ?M:bindx(S, add, [New]),
    ?assertEqual(["event", "peer_addr_change", ?ADDR_ADDED, inet:ntoa(New)], line(Peer)),
    ?assertEqual(["event", "peer_addr_change", ?ADDR_CONFIRMED, inet:ntoa(New)], line(Peer)),
    ?assertEqual([Old], destinations(Link, near, Send)),
    ok = set(S, sctp_set_peer_primary_addr,
             #sctp_setpeerprim{assoc_id = Id, addr = {New, port(S)}}),
    ?assertEqual(["event", "peer_addr_change", ?ADDR_MADE_PRIM, inet:ntoa(New)], line(Peer)),
    ?assertEqual([New], destinations(Link, near, Send)),
    ?FOREIGN:stop(Peer).
