%% @doc Scenarios of what comes from the peer: data and each event, received passively and in the
%% active modes, and the arithmetic of {active, N}.
-module(gen_sctp_nif_diff_traffic).

-include_lib("kernel/include/inet_sctp.hrl").

-export([passive/0]).
-export([active/0]).
-export([modes/0]).

-import(gen_sctp_nif_diff, [socket/2, pair/3, note/2]).

-define(PLACES, [[inet], [inet6], [inet, list], [inet6, list]]).

%% @doc Each event, taken with recv by both sides.
-spec passive() -> [gen_sctp_nif_diff:scenario()].
passive() ->
    [{{passive, Where, What}, fun(M) ->
        Pair = pair(M, Where, client(Where)),
        {Server, Client} = provoke(What, Pair),
        {[M:recv(maps:get(s, Pair), 5000) || _ <- lists:seq(1, Server)],
         [M:recv(maps:get(c, Pair), 5000) || _ <- lists:seq(1, Client)]}
      end} || Where <- ?PLACES, What <- events()] ++
    [{{passive_unsubscribed, Event}, fun(M) ->
        %% All events but this one.
        Pair = #{s := S, c := C} = pair(M, [inet], [inet]),
        Subscription = setelement(Event, all_events(), false),
        [ok = inet:setopts(X, [{sctp_events, Subscription}]) || X <- [S, C]],
        _ = provoke(eof, Pair),
        {until_timeout(M, S), until_timeout(M, C)}
      end} || Event <- [#sctp_event_subscribe.data_io_event,
                        #sctp_event_subscribe.association_event,
                        #sctp_event_subscribe.shutdown_event]] ++
    [{{adaptation, Where, Indication}, fun(M) ->
        Layer = [{sctp_events, #sctp_event_subscribe{adaptation_layer_event = true}},
                 {sctp_adaptation_layer, #sctp_setadaptation{adaptation_ind = Indication}}],
        S = socket(M, Where ++ Layer),
        ok = M:listen(S, true),
        {ok, {IP, Port}} = inet:sockname(S),
        C = socket(M, Where ++ Layer),
        Up = M:connect(C, IP, Port, [], 5000),
        %% An indication of 0 is none.
        Events = case Indication of 0 -> [S]; _ -> [S, S, C] end,
        {Up, [element(4, element(2, M:recv(X, 5000))) || X <- Events]}
      end} || Where <- [[inet], [inet6]], Indication <- [0, 1, 16#01020304]] ++
    [{{unsent, Where, Mode}, fun(M) ->
        %% The data of an association that never came up comes back.
        {ok, C} = M:open(Where ++ [{active, Mode}]),
        {ok, Id} = M:connectx_init(C, [gen_sctp_test_lib:unanswered(hd(Where))], 9, []),
        note(Id, client_id),
        Sent = [M:send(C, #sctp_sndrcvinfo{assoc_id = Id, context = N, ppid = N, stream = N,
                                           flags = Flags}, Data)
                || {N, Flags, Data} <- [{1, [], <<"one">>}, {2, [unordered], "two"}]],
        ok = M:abort(C, #sctp_assoc_change{assoc_id = Id}),
        {Sent, take(M, C, Mode, 3)}
      end} || Where <- ?PLACES, Mode <- [false, true]].

client([Family | _]) -> [Family].

until_timeout(M, S) ->
    case M:recv(S, 300) of
        {error, timeout} -> [];
        Message -> [Message | until_timeout(M, S)]
    end.

all_events() ->
    #sctp_event_subscribe{data_io_event = true, association_event = true, address_event = true,
                          send_failure_event = true, peer_error_event = true,
                          shutdown_event = true, partial_delivery_event = true,
                          adaptation_layer_event = false, authentication_event = false}.

take(M, S, false, Number) -> [M:recv(S, 5000) || _ <- lists:seq(1, Number)];
take(_, S, _, Number) -> messages(S, Number).

messages(_, 0) ->
    [];
messages(S, Number) ->
    receive
        Message when element(2, Message) =:= S -> [Message | messages(S, Number - 1)]
    after 5000 ->
        [nothing]
    end.

events() ->
    [data, streams, unordered, eof, eof_by_server, abort, abort_by_server, close, close_lingering,
     large].

%% Makes something happen; how many messages the server and the client will get.
provoke(data, #{m := M, c := C, cid := Id}) ->
    ok = M:send(C, Id, 0, <<"data">>),
    ok = M:send(C, Id, 1, <<0, 255>>),
    {2, 0};
provoke(streams, #{m := M, s := S, sid := Id}) ->
    [ok = M:send(S, #sctp_sndrcvinfo{assoc_id = Id, stream = N, ppid = N * 16#1000001}, <<N>>)
     || N <- [0, 3, 9, 3]],
    {0, 4};
provoke(unordered, #{m := M, c := C, cid := Id}) ->
    ok = M:send(C, #sctp_sndrcvinfo{assoc_id = Id, flags = [unordered], stream = 2}, <<"any">>),
    {1, 0};
provoke(eof, #{m := M, c := C, cid := Id, cup := Up}) ->
    ok = M:send(C, Id, 0, <<"last">>),
    ok = M:eof(C, Up),
    {3, 1};
provoke(eof_by_server, #{m := M, s := S, sup := Up}) ->
    ok = M:eof(S, Up),
    {1, 2};
provoke(abort, #{m := M, c := C, cup := Up}) ->
    ok = M:abort(C, Up),
    {1, 1};
provoke(abort_by_server, #{m := M, s := S, sid := Id}) ->
    ok = M:send(S, #sctp_sndrcvinfo{assoc_id = Id, flags = [abort]}, <<"reason">>),
    {1, 1};
provoke(close, #{m := M, c := C}) ->
    ok = M:close(C),
    {2, 0};
provoke(close_lingering, #{m := M, c := C}) ->
    ok = inet:setopts(C, [{linger, {true, 0}}]),
    ok = M:close(C),
    {1, 0};
provoke(large, #{m := M, s := S, c := C, cid := Id}) ->
    ok = inet:setopts(S, [{buffer, 200000}]),
    ok = M:send(C, Id, 0, binary:copy(<<"0123456789">>, 5000)),
    {1, 0}.

%% @doc The same, delivered to the owner.
-spec active() -> [gen_sctp_nif_diff:scenario()].
active() ->
    [{{active, Where, Mode, What}, fun(M) ->
        Pair = #{s := S} = pair(M, Where, client(Where)),
        ok = inet:setopts(S, [{active, Mode}]),
        {Server, _} = provoke(What, Pair),
        Number = case Mode of
                     true -> Server;
                     once -> min(1, Server);
                     N when Server >= N -> N + 1;
                     _ -> Server
                 end,
        Messages = messages(S, Number),
        {ok, [{active, Left}]} = inet:getopts(S, [active]),
        ok = inet:setopts(S, [{active, false}]),
        {Messages, Left, [M:recv(S, 5000) || _ <- lists:seq(1, unread(Mode, Server))]}
      end} || Where <- ?PLACES, Mode <- [true, once, 1, 2, 10], What <- events()] ++
    [{{refused, Where, Mode}, fun(M) ->
        Unused = socket(M, Where),
        {ok, {IP, Port}} = inet:sockname(Unused),
        note(Port, server_port),
        C = socket(M, Where ++ [{active, Mode}]),
        ok = M:connect_init(C, IP, Port, []),
        Messages = messages(C, case {Where, Mode} of
                                   {[_, {type, stream}], Mode} when is_integer(Mode) -> 3;
                                   {[_, {type, stream}], _} -> 2;
                                   {_, 1} -> 2;
                                   _ -> 1
                               end),
        {Messages, inet:getopts(C, [active])}
      end} || Where <- [[inet], [inet6], [inet, {type, stream}]], Mode <- [true, 1, 2],
              {Where, Mode} =/= {[inet, {type, stream}], 2},
              {Where, Mode} =/= {[inet, {type, stream}], 1}].

unread(true, _) -> 0;
unread(once, Number) -> max(0, Number - 1);
unread(N, Number) -> max(0, Number - N).

%% @doc Sequences of {active, _}, each step with the mode and the messages that it gives.
-spec modes() -> [gen_sctp_nif_diff:scenario()].
modes() ->
    [{{modes, Steps}, fun(M) ->
        S = socket(M, [inet]),
        [{inet:setopts(S, [{active, Mode} || Mode <- Modes]), inet:getopts(S, [active]),
          gen_sctp_test_lib:mailbox()} || Modes <- Steps]
      end} || Steps <- steps()].

steps() ->
    Values = [false, true, once, 0, 1, 5, -1, -5, 32767, -32768],
    [[[First], [Second]] || First <- Values, Second <- Values] ++
    [[[First, Second]] || First <- [false, true, once, 0, 3, -2], Second <- [false, once, 3, -2]] ++
    [[[20000], [20000], [-20001], [0], [1]], [[32766], [1], [1], [-32768], [-1]],
     [[3], [-1], [-1], [-1], [2]]].
