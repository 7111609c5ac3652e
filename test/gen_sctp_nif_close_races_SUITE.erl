%% @doc close/1 beside everything else, by the thousand rounds (environment variable SCTP_ROUNDS).
%%
%% While sockets are used and closed, canaries open, use and close descriptors of their own, which
%% thus get the numbers of sockets that were closed a moment ago. A call that came too late would
%% reach one of them: it would find what it has not been sent, miss what it was, or have been
%% closed by somebody else.
-module(gen_sctp_nif_close_races_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [mod/1, family/1, loopback/1, open/2, listener/2, port/1, spin/1]).

-define(TIMEOUT, 60000).

suite() -> [{timetrap, {minutes, 60}}].

all() -> [{group, nif}].

groups() ->
    [{nif, [], [{inet, [], [close_beside_everything]}, {inet6, [], [close_beside_everything]}]}].

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

rounds(Config) ->
    All = list_to_integer(os:getenv("SCTP_ROUNDS", "150")),
    case family(Config) of inet -> All; inet6 -> All div 3 end.

close_beside_everything(Config) ->
    Rounds = rounds(Config),
    Before = maps:remove(opened, gen_sctp_nif:info()),
    Tables = #{numbers => ets:new(numbers, [public]), answers => ets:new(answers, [public])},
    Self = self(),
    Canaries = [spawn_link(fun() -> canary(Kind, Tables) end) || Kind <- [udp, sctp]],
    Workers = [spawn_link(fun() ->
        worker(Config, Tables, lists:seq(First, Rounds, 2)),
        Self ! {done, self()}
    end) || First <- [1, 2]],
    [receive {done, Pid} -> ok end || Pid <- Workers],
    Opened = [begin
                  Pid ! {stop, Self},
                  receive {opened, Pid, N} -> N end
              end || Pid <- Canaries],
    Both = [Number || {{sctp, Number}, _} <- ets:tab2list(maps:get(numbers, Tables)),
                      ets:member(maps:get(numbers, Tables), {canary, Number})],
    ct:pal("~b rounds~ndescriptors of canaries: ~p~nnumbers that both had: ~p~nanswers: ~p",
           [Rounds, Opened, Both, lists:sort(ets:tab2list(maps:get(answers, Tables)))]),
    %% Numbers did come back to others, and calls were before the close, and after it.
    ?assertNotEqual([], Both),
    Late = [{error, closed}, {error, einval}, nosock, [closed]],
    ?assertEqual([false, true],
                 lists:usort([lists:member(Answer, Late)
                              || {{Name, Answer}, _} <- ets:tab2list(maps:get(answers, Tables)),
                                 lists:member(Name, acts())])),
    gen_sctp_test_lib:until(fun() ->
        erlang:garbage_collect(),
        maps:remove(opened, gen_sctp_nif:info()) =:= Before
    end).

count(Table, Key) ->
    ets:update_counter(Table, Key, 1, {Key, 0}).

%% Canaries.

canary(udp, Tables) -> udp(Tables, 0);
canary(sctp, Tables) ->
    {ok, L} = socket:open(inet, stream, sctp),
    ok = socket:bind(L, #{family => inet, addr => loopback, port => 0}),
    ok = socket:listen(L),
    sctp(L, Tables, 0).

udp(Tables, Opened) ->
    [A, B] = Pair = [begin
                         {ok, Socket} = socket:open(inet, dgram, udp),
                         ok = socket:bind(Socket, #{family => inet, addr => loopback, port => 0}),
                         Socket
                     end || _ <- [1, 2]],
    [begin
         {ok, To} = socket:sockname(Other),
         ok = socket:connect(Socket, To)
     end || {Socket, Other} <- [{A, B}, {B, A}]],
    sings(Pair, Tables, Opened, fun(Count) -> udp(Tables, Count) end).

%% The `socket' module's own.
sctp(L, Tables, Opened) ->
    {ok, To} = socket:sockname(L),
    {ok, A} = socket:open(inet, stream, sctp),
    ok = socket:connect(A, To),
    {ok, B} = socket:accept(L, ?TIMEOUT),
    sings([A, B], Tables, Opened, fun(Count) -> sctp(L, Tables, Count) end).

%% Each of a pair gets what the other has sent and nothing else, and is there until it is closed.
sings(Pair, #{numbers := Numbers}, Opened, Again) ->
    [begin
         {ok, Number} = socket:getopt(Socket, otp, fd),
         count(Numbers, {canary, Number})
     end || Socket <- Pair],
    spin(rand:uniform(30)),
    [ok = socket:send(Socket, <<Opened:64>>) || Socket <- Pair],
    spin(rand:uniform(30)),
    [?assertEqual({ok, <<Opened:64>>}, socket:recv(Socket, 0, [], ?TIMEOUT)) || Socket <- Pair],
    [?assertEqual({error, timeout}, socket:recv(Socket, 0, [], 0)) || Socket <- Pair],
    [?assertEqual(ok, socket:close(Socket)) || Socket <- Pair],
    receive {stop, From} -> From ! {opened, self(), Opened + 2} after 0 -> Again(Opened + 2) end.

%% Rounds.

worker(Config, Tables, Rounds) ->
    S = listener(Config, []),
    %% A second peer, that takes what comes.
    Self = self(),
    Other = spawn_link(fun() ->
        Self ! {self(), port(listener(Config, [{active, true}]))},
        swallow()
    end),
    Port = receive {Other, P} -> P end,
    Shared = #{config => Config, tables => Tables, m => mod(Config), s => S, other => Port},
    lists:foreach(fun(Round) -> round(Round, Shared) end, Rounds),
    unlink(Other),
    gen_sctp_test_lib:kill(Other),
    ok = (mod(Config)):close(S).

swallow() ->
    receive _ -> swallow() end.

round(Round, #{m := M, s := S, tables := #{answers := Answers, numbers := Numbers}} = Shared0) ->
    Self = self(),
    Shared = Shared0#{worker => Self, tag => <<Round:32>>},
    %% The owner is one of those who are busy.
    Owner = monitored(fun() -> owner(Shared) end),
    #{c := C, sid := SId} = Pair = receive {pair, P} -> P end,
    {ok, Number} = gen_sctp_nif:getfd(C),
    count(Numbers, {sctp, Number}),
    Names = [close, close, deliver | [Name || Name <- acts(), rand:uniform(2) =:= 1]],
    Actors = [monitored(fun() -> actor(Name, Shared, Pair) end) || Name <- Names],
    [begin Pid ! go, spin(rand:uniform(10)) end
     || {_, {Pid, _}} <- lists:sort([{rand:uniform(), Actor} || Actor <- [Owner | Actors]])],
    [receive
         {answer, Name, Answer} ->
             ?assert(is_documented(Name, Answer, Shared), {Name, Answer}),
             count(Answers, {Name, class(Answer)})
     after ?TIMEOUT ->
         error({stuck, [process_info(Pid, current_stacktrace) || {Pid, _} <- [Owner | Actors]]})
     end || _ <- [Owner | Actors]],
    ?assertEqual({error, closed}, M:recv(C, 0)),
    [begin
         Pid ! finish,
         receive {'DOWN', Monitor, process, Pid, Reason} -> ?assertEqual(normal, Reason) end
     end || {Pid, Monitor} <- [Owner | Actors]],
    drain(M, S, SId, Shared).

monitored(Fun) -> spawn_opt(Fun, [link, monitor]).

%% What the peer has got is this round's, up to the end of the association.
drain(M, S, Id, #{tag := Tag} = Shared) ->
    case M:recv(S, ?TIMEOUT) of
        {ok, {_, _, [], #sctp_assoc_change{assoc_id = Id}}} -> ok;
        {ok, {_, _, [], #sctp_shutdown_event{assoc_id = Id}}} -> drain(M, S, Id, Shared);
        {ok, {_, _, [#sctp_sndrcvinfo{assoc_id = Id}], <<"C", Tag/binary>>}} ->
            drain(M, S, Id, Shared);
        {error, {_, [], #sctp_send_failed{data = <<"S", Tag/binary>>}}} -> drain(M, S, Id, Shared)
    end.

%% Those who are busy with a socket that others close.

owner(#{config := Config, m := M, s := S, worker := Worker} = Shared) ->
    C = open(Config, []),
    {ok, #sctp_assoc_change{assoc_id = Id} = Up} =
        M:connect(C, loopback(Config), port(S), [], ?TIMEOUT),
    Pair = #{c => C, cid => Id, cup => Up, sid => accepted(M, S)},
    Worker ! {pair, Pair},
    actor(give, Shared, Pair).

accepted(M, S) ->
    case M:recv(S, ?TIMEOUT) of
        {ok, {_, _, [], #sctp_assoc_change{state = comm_up, assoc_id = Id}}} -> Id;
        %% Of the round before.
        {error, {_, [], #sctp_send_failed{}}} -> accepted(M, S)
    end.

actor(Name, #{worker := Worker, tag := Tag} = Shared, #{c := C} = Pair) ->
    receive go -> ok end,
    Worker ! {answer, Name, act(Name, Shared, Pair)},
    receive finish -> ok end,
    %% Messages of a socket are its owner's to get. Nothing else is left behind.
    Rest = [Message || Message <- gen_sctp_test_lib:mailbox(), not is_of(C, Tag, Message),
                       not is_of(get(peeled), Tag, Message)],
    ?assertEqual({Name, []}, {Name, Rest}).

is_of(C, _, {sctp_passive, C}) -> true;
is_of(C, Tag, {sctp, C, _, _, {[#sctp_sndrcvinfo{}], <<"S", Sent/binary>>}}) -> Sent =:= Tag;
is_of(C, _, {sctp, C, _, _, {[], Event}}) -> is_tuple(Event);
is_of(C, _, {sctp_error, C, _, _, {[], Event}}) -> is_tuple(Event);
is_of(C, Tag, {sctp_batch, C, Messages}) ->
    lists:all(fun(Message) -> is_message(Tag, Message) end, Messages);
is_of(_, _, _) -> false.

is_message(Tag, {_, _, [#sctp_sndrcvinfo{}], Data}) -> Data =:= <<"S", Tag/binary>>;
is_message(_, {_, _, [], Event}) -> is_tuple(Event).

acts() ->
    [send, send_batch, recv, recv, recv_batch, setopts, setopts, getopts, peeloff, names,
     connect, abort, monitor, listen, look].

act(close, #{m := M}, #{c := C}) ->
    M:close(C);
%% From the peer, by way of the I/O thread if the socket is active.
act(deliver, #{m := M, s := S, tag := Tag}, #{sid := Id}) ->
    last([fun() -> M:send(S, Id, 0, <<"S", Tag/binary>>) end || _ <- lists:seq(1, 5)]);
act(send, #{m := M, tag := Tag}, #{c := C, cid := Id}) ->
    last([fun() -> M:send(C, Id, 0, <<"C", Tag/binary>>) end || _ <- lists:seq(1, 5)]);
act(send_batch, #{m := M, tag := Tag}, #{c := C, cid := Id}) ->
    M:send_batch(C, Id, [{N, <<"C", Tag/binary>>} || N <- lists:seq(0, 3)]);
act(recv, #{m := M}, #{c := C}) ->
    Timeout = lists:nth(rand:uniform(3), [infinity, 10, 0]),
    last([fun() -> M:recv(C, Timeout) end || _ <- lists:seq(1, 5)]);
act(recv_batch, #{m := M}, #{c := C}) ->
    Timeout = lists:nth(rand:uniform(3), [infinity, 10, 0]),
    last([fun() -> M:recv_batch(C, Most, Timeout) end || Most <- [1, 2, 64]]);
act(setopts, _, #{c := C}) ->
    Batch = [{batch, rand:uniform(4)} || _ <- [1], rand:uniform(2) =:= 1],
    last([fun() -> inet:setopts(C, Batch ++ [{active, Mode}]) end
          || Mode <- [true, false, once, 3]]);
act(getopts, _, #{c := C, cid := Id}) ->
    last([fun() -> inet:getopts(C, [active, sndbuf, {sctp_status, #sctp_status{assoc_id = Id}}]) end
          || _ <- [1, 2, 3]]);
act(peeloff, #{m := M}, #{c := C, cid := Id}) ->
    case M:peeloff(C, Id) of
        %% It is in the mode of its parent.
        {ok, Peeled} -> put(peeled, Peeled), {peeled, M:close(Peeled)};
        Error -> Error
    end;
act(names, _, #{c := C, cid := Id}) ->
    last([fun() -> inet:sockname(C) end, fun() -> gen_sctp_nif:peernames(C, Id) end,
          fun() -> inet:getstat(C) end]);
act(connect, #{m := M, config := Config, other := Port}, #{c := C}) ->
    M:connect(C, loopback(Config), Port, [], 100);
act(abort, #{m := M}, #{c := C, cup := Up}) ->
    M:abort(C, Up);
act(monitor, _, #{c := C}) ->
    Monitor = inet:monitor(C),
    receive {'DOWN', Monitor, socket, C, Reason} -> Reason end;
act(listen, #{m := M}, #{c := C}) ->
    last([fun() -> M:listen(C, Yes) end || Yes <- [true, false]]);
act(look, _, #{c := C}) ->
    _ = gen_sctp_nif:which_sockets(),
    maps:get(rstates, gen_sctp_nif:info(C), open);
%% Back and forth between the owner and another.
act(give, #{m := M}, #{c := C}) ->
    Owner = self(),
    {Heir, Monitor} = spawn_monitor(fun() ->
        receive yours -> M:controlling_process(C, Owner) end,
        send_all(Owner, gen_sctp_test_lib:mailbox())
    end),
    Answer = M:controlling_process(C, Heir),
    Heir ! yours,
    receive {'DOWN', Monitor, process, Heir, normal} -> Answer end.

send_all(To, Messages) ->
    lists:foreach(fun(Message) -> To ! Message end, Messages).

last([Fun]) -> Fun();
last([Fun | Funs]) ->
    case Fun() of
        Error when element(1, Error) =:= error, element(2, Error) =:= closed -> Error;
        _ -> last(Funs)
    end.

%% All that the documentation has for an answer.
is_documented(_, {error, closed}, _) -> true;
is_documented(close, Answer, _) -> Answer =:= ok;
is_documented(deliver, Answer, _) -> lists:member(Answer, [ok, {error, epipe}, {error, eshutdown}]);
is_documented(Name, Answer, _) when Name =:= send; Name =:= abort ->
    lists:member(Answer, [ok, {error, epipe}]);
is_documented(send_batch, Answer, _) ->
    Answer =:= ok orelse lists:member(element(1, element(2, Answer)), [closed, epipe]);
is_documented(recv_batch, {ok, [_ | _] = Messages}, #{tag := Tag}) ->
    lists:all(fun(Message) -> is_message(Tag, Message) end, Messages);
is_documented(recv, {ok, {_, _, [#sctp_sndrcvinfo{}], Data}}, #{tag := Tag}) ->
    Data =:= <<"S", Tag/binary>>;
is_documented(recv, {ok, {_, _, [], Event}}, _) -> is_tuple(Event);
is_documented(recv, {error, {_, [], Event}}, _) -> is_tuple(Event);
is_documented(Name, {error, Reason}, _) when Name =:= recv; Name =:= recv_batch ->
    lists:member(Reason, [timeout, einval, ealready]);
is_documented(peeloff, Answer, _) -> lists:member(Answer, [{peeled, ok}, {error, einval}]);
is_documented(connect, {ok, #sctp_assoc_change{state = comm_up}}, _) -> true;
is_documented(connect, {error, #sctp_assoc_change{}}, _) -> true;
is_documented(connect, {error, Reason}, _) -> Reason =:= timeout;
is_documented(monitor, Reason, _) -> lists:member(Reason, [normal, nosock]);
is_documented(look, Answer, _) -> lists:member(Answer, [open, [closed]]);
is_documented(give, Answer, _) -> Answer =:= ok;
is_documented(_, {ok, _}, _) -> true;
is_documented(_, Answer, _) -> lists:member(Answer, [ok, {error, einval}]).

class({ok, {_, _, [#sctp_sndrcvinfo{}], _}}) -> {ok, data};
class({ok, {_, _, [], Event}}) -> {ok, element(1, Event)};
class({error, {_, [], Event}}) -> {error, element(1, Event)};
class({error, {Reason, Rest}}) when is_list(Rest) -> {error, Reason};
class({Tag, Record}) when is_tuple(Record) -> {Tag, element(1, Record)};
class({ok, _}) -> ok;
class(Answer) -> Answer.
