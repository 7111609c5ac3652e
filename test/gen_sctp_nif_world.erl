%% @doc The sockets and processes of the property test: makes the calls of gen_sctp_nif_model, and
%% tells in what the world differs from the model.
%%
%% Three actors make the calls, and their mailboxes are looked into, not emptied. A receiver is a
%% process of its own, as it waits. The world's knowledge is in a table: what the model's names
%% stand for.
-module(gen_sctp_nif_world).

-include("gen_sctp_nif.hrl").

-export([start/3]).
-export([stop/0]).
-export([do/1]).
-export([is_answer/2]).
-export([differences/2]).

-define(MODEL, gen_sctp_nif_model).
%% Messages of an overflow: more of them than these have room nowhere.
-define(LARGE, 30000).
-define(MANY, 100).
%% For a call that does not wait for long.
-define(TIMEOUT, 30000).

%% @doc Patience, in milliseconds, is for what must come to pass.
-spec start(module(), inet | inet6, pos_integer()) -> ok.
start(Module, Family, Patience) ->
    ?MODULE = ets:new(?MODULE, [named_table, public]),
    put_all([{module, Module}, {family, Family}, {patience, Patience},
             {baseline, resources(Module)}
             | [{{actor, Actor}, actor()} || Actor <- ?MODEL:actors()]]).

%% @doc Ends all; what is left behind of what there was not at the start.
-spec stop() -> [term()].
stop() ->
    [kill(Pid) || [Pid] <- ets:match(?MODULE, {{receiver, '_'}, {'$1', '_'}})],
    M = get_one(module),
    [M:close(S) || [S] <- ets:match(?MODULE, {{socket, '_'}, '$1'})],
    [kill(get_one({actor, Actor})) || Actor <- ?MODEL:actors()],
    Baseline = get_one(baseline),
    %% Nothing names a socket any more, once this process has forgotten them.
    ets:match_delete(?MODULE, {{socket, '_'}, '_'}),
    Leaked = eventually(fun() ->
        erlang:garbage_collect(),
        maps:to_list(resources(M)) -- maps:to_list(Baseline)
    end),
    ets:delete(?MODULE),
    [{leaked, Leaked, Baseline} || Leaked =/= []].

resources(gen_sctp_nif) ->
    %% All but the number of sockets that there ever were.
    Held = maps:remove(opened, gen_sctp_nif_prim:counters()),
    Held#{fds => gen_sctp_test_lib:socket_fds()};
resources(gen_sctp) ->
    #{fds => gen_sctp_test_lib:socket_fds(), ports => length(gen_sctp_test_lib:sockets(gen_sctp))}.

%% Calls.

%% @doc Makes a call; what it answers, or `{raised, Reason}'. A new socket is remembered.
-spec do(?MODEL:call()) -> term().
do({open, Actor, N, Opts}) ->
    M = get_one(module),
    %% Nothing but loopback, so that no event about another address of the machine comes, and
    %% no wait for acknowledgements.
    Base = [get_one(family), {ip, loopback}, {recbuf, 262144}, {sndbuf, 262144},
            {sctp_nodelay, true},
            {sctp_peer_addr_params, #sctp_paddrparams{flags = [sackdelay_disable]}}],
    opened(N, act(Actor, fun() -> M:open(Opts ++ Base) end));
do({peeloff, Actor, N, A, New}) ->
    call(Actor, N, fun(M, S) -> opened(New, M:peeloff(S, id(N, A))) end);
do({connect, Actor, From, To, How, A}) ->
    IP = ip(),
    Port = get_one({port, To}),
    put_all([{{ends, A}, {From, To}}]),
    call(Actor, From, fun(M, S) ->
        case How of
            wait -> M:connect(S, IP, Port, [], ?TIMEOUT div 2);
            init -> M:connect_init(S, IP, Port, []);
            initx -> remember(A, M:connectx_init(S, [IP], Port, []))
        end
    end);
do({send, Actor, N, A, What}) ->
    call(Actor, N, fun(M, S) ->
        case message(What) of
            {#sctp_sndrcvinfo{} = Info, Data} ->
                M:send(S, Info#sctp_sndrcvinfo{assoc_id = id(N, A)}, Data);
            {Infos, Data} when is_list(Infos) ->
                M:sendv(S, id(N, A), Infos, Data);
            {Stream, Data} ->
                M:send(S, id(N, A), Stream, Data)
        end
    end);
do({sendv, Actor, N, A, What, Patience}) ->
    {Infos, Data} = message(What),
    To = case A of all -> all; _ -> id(N, A) end,
    call(Actor, N, fun(M, S) ->
        case Patience of
            option -> M:sendv(S, To, Infos, Data);
            _ -> M:sendv(S, To, Infos, Data, Patience)
        end
    end);
do({overflow, Actor, N, A, How, Patience}) ->
    Receiver = get_one({socket, receiver_of(N, A)}),
    call(Actor, N, fun(M, S) ->
        Id = id(N, A),
        case overflow(fun(Numbers) -> numbered(M, S, Id, Numbers, How, Patience) end, 0) of
            {Sent, Answer} -> all_came(M, Receiver, Sent, Answer)
        end
    end);
do({send_batch, Actor, N, A, Whats, Patience}) ->
    Messages = [message(What) || What <- Whats],
    call(Actor, N, fun(M, S) ->
        case Patience of
            option -> M:send_batch(S, id(N, A), Messages);
            _ -> M:send_batch(S, id(N, A), Messages, Patience)
        end
    end);
do({recv, Actor, N, Timeout}) ->
    call(Actor, N, fun(M, S) -> unless_selected(M, S, M:recv(S, Timeout)) end);
do({accept, Actor, N, Timeout, New}) ->
    call(Actor, N, fun(M, S) -> opened(New, unless_selected(M, S, M:accept(S, Timeout))) end);
do({shutdown, Actor, N, How}) ->
    call(Actor, N, fun(M, S) -> M:shutdown(S, How) end);
do({recv_batch, Actor, N, Most}) ->
    call(Actor, N, fun(M, S) -> batches(M, S, Most) end);
do({receiver, T, N}) ->
    M = get_one(module),
    S = get_one({socket, N}),
    {Pid, Monitor} = spawn_monitor(fun() -> exit({result, M:recv(S)}) end),
    put_all([{{receiver, T}, {Pid, Monitor}}]),
    [] = eventually(fun() -> [Pid || not is_waiting(Pid)] end),
    ok;
do({kill_receiver, T}) ->
    {Pid, Monitor} = get_one({receiver, T}),
    demonitor(Monitor, [flush]),
    kill(Pid),
    forget({receiver, T});
do({listen, Actor, N, Value}) ->
    call(Actor, N, fun(M, S) -> M:listen(S, Value) end);
do({setopts, Actor, N, Opts}) ->
    call(Actor, N, fun(_, S) -> inet:setopts(S, Opts) end);
do({getopts, Actor, N, Names}) ->
    call(Actor, N, fun(_, S) -> inet:getopts(S, Names) end);
do({give, Actor, N, To}) ->
    Pid = get_one({actor, To}),
    call(Actor, N, fun(M, S) -> M:controlling_process(S, Pid) end);
do({Call, Actor, N, A}) when Call =:= eof; Call =:= abort ->
    call(Actor, N, fun(M, S) -> M:Call(S, #sctp_assoc_change{assoc_id = id(N, A)}) end);
do({take, Actor, N}) ->
    call(Actor, N, fun(_, S) -> take(S) end);
do({close, Actor, N}) ->
    call(Actor, N, fun(M, S) -> M:close(S) end);
do({kill, Actor}) ->
    kill(get_one({actor, Actor})),
    put_all([{{actor, Actor}, actor()}]);
do({hostile, Actor, N, Kind, Junk}) ->
    IP = ip(),
    call(Actor, N, fun(M, S) -> gen_sctp_nif_hostile:call(M, Kind, S, real(Junk), IP) end).

call(Actor, N, Fun) ->
    M = get_one(module),
    S = get_one({socket, N}),
    act(Actor, fun() -> Fun(M, S) end).

remember(A, {ok, Id} = Answer) ->
    put_all([{{id, A, 1}, Id}]),
    Answer;
remember(_, Answer) ->
    Answer.

opened(N, {ok, S}) ->
    {ok, Port} = inet:port(S),
    put_all([{{socket, N}, S}, {{port, N}, Port}]);
opened(_, Other) ->
    Other.

%% The other end of an association; of one that it does not send to, of its own.
receiver_of(N, A) ->
    case get_one({ends, A}) of
        {N, Other} -> Other;
        {Other, _} -> Other
    end.

%% Sends numbered messages until one finds no room; how many found some.
overflow(_, Sent) when Sent > ?MANY ->
    {Sent, endless};
overflow(Send, Sent) ->
    case Send(lists:seq(Sent, Sent + 2)) of
        {ok, Number} -> overflow(Send, Sent + Number);
        {Error, Number} -> {Sent + Number, Error}
    end.

numbered(M, S, Id, [Number | _], one, Patience) ->
    {Infos, Data} = large(Number),
    Answer = case Patience of
        option -> M:sendv(S, Id, Infos, Data);
        _ -> unless_selected(M, S, M:sendv(S, Id, Infos, Data, Patience))
    end,
    {Answer, case Answer of ok -> 1; _ -> 0 end};
numbered(M, S, Id, Numbers, batch, Patience) ->
    All = [large(Number) || Number <- Numbers],
    Answer = case Patience of
        option -> M:send_batch(S, Id, All);
        _ -> M:send_batch(S, Id, All, Patience)
    end,
    case Answer of
        ok -> {ok, length(All)};
        {error, {Reason, Rest}} -> {{error, Reason}, before(Rest, All)};
        {select, {Info, Rest}} -> {unless_selected(M, S, {select, Info}), before(Rest, All)};
        {select, _} -> {unless_selected(M, S, Answer), 0}
    end.

before(Rest, All) ->
    {Before, Rest} = lists:split(length(All) - length(Rest), All),
    length(Before).

large(Number) ->
    {[#sctp_sndinfo{flags = [unordered]}], <<Number:32, 0:(?LARGE - 4)/unit:8>>}.

%% What was sent comes, once, and nothing else but what was there before.
all_came(M, S, Sent, Answer) ->
    {Before, Came} = come(M, S, Sent),
    case lists:sort(Came) =:= lists:seq(0, Sent - 1) of
        true -> {Answer, Before};
        false -> {came, Came, Sent, Answer}
    end.

come(_, _, 0) ->
    {[], []};
come(M, S, Left) ->
    Answer = M:recv(S, ?TIMEOUT div 2),
    case number_of(Answer) of
        none ->
            {Before, Came} = come(M, S, Left),
            {[Answer | Before], Came};
        Number ->
            {Before, Came} = come(M, S, Left - 1),
            {Before, [Number | Came]}
    end.

number_of({error, timeout}) ->
    error(missing);
number_of({ok, {_, _, _, Data}}) when is_binary(Data); is_list(Data) ->
    case iolist_to_binary(Data) of
        <<Number:32, 0:(?LARGE - 4)/unit:8>> -> Number;
        _ -> none
    end;
number_of(_) ->
    none.

%% Where there is nothing the select is taken back, once, which leaves nothing in the mailbox.
unless_selected(M, S, {select, {select_info, _, _} = Info}) ->
    ok = M:cancel(S, Info),
    {error, {invalid, Info}} = M:cancel(S, Info),
    {error, timeout};
unless_selected(_, _, Answer) ->
    Answer.

%% A batch ends where the rest of a long message has yet to be read.
batches(_, _, 0) ->
    [full];
batches(M, S, Most) ->
    case M:recv_batch(S, Most, 0) of
        {ok, [_ | _] = Messages} -> Messages ++ batches(M, S, Most - length(Messages));
        Error -> [Error]
    end.

take(S) ->
    receive
        Message when element(2, Message) =:= S -> take(S)
    after 0 ->
        ok
    end.

%% In connect's first receive as in recv's: the native call is behind it.
is_waiting(Pid) ->
    case process_info(Pid, [status, current_function]) of
        [{status, waiting}, {current_function, {Module, _, _}}] ->
            lists:member(Module, [gen_sctp_nif_prim, prim_inet]);
        undefined ->
            true;
        _ ->
            false
    end.

%% What the model says, and what is.

%% @doc Is it this answer, but for names?
-spec is_answer(term(), term()) -> boolean().
is_answer(Expected, Answer) ->
    same(real(Expected), Answer).

%% @doc In what the world is not as the model says, which was another one before: in the end, for
%% much of it takes its time.
-spec differences(?MODEL:model(), ?MODEL:model()) -> [term()].
differences(Before, Model) ->
    eventually(fun() -> differs(Before, Model) end).

differs(Before, Model) ->
    Steps = [fun associations/2, fun sockets/2, fun receivers/2, fun mailboxes/2],
    first([fun() -> Step(Before, Model) end || Step <- Steps]).

first([Step | Steps]) ->
    case Step() of
        [] -> first(Steps);
        Differences -> Differences
    end;
first([]) ->
    [].

%% First of all, as this is what takes its time in the kernel: everything sent has come, everybody
%% has heard of what ended. A socket that listens for what is accepted knows no association.
associations(Before, Model) ->
    [{association, A, N, Is, Expected}
     || A <- ?MODEL:associations(Model),
        ?MODEL:is_up(A, Model) orelse ?MODEL:is_up(A, Before),
        N <- tuple_to_list(?MODEL:ends(A, Model)), ?MODEL:is_open(N, Model),
        not ?MODEL:is_acceptor(N, Model),
        {Is, Expected} <- [{status(N, A, Model), ?MODEL:is_up(A, Model)}], Is =/= Expected].

%% Up and all is acknowledged: true; gone: false.
status(N, A, Model) ->
    {X, _} = Ends = ?MODEL:ends(A, Model),
    put_all([{{ends, A}, Ends}]),
    End = case X of N -> 1; _ -> 2 end,
    S = get_one({socket, N}),
    case learn(S, A, End) of
        unknown ->
            %% It may have ended before anybody could ask.
            case ?MODEL:is_up(A, Model) of true -> unknown; false -> false end;
        Id ->
            case inet:getopts(S, [{sctp_status, #sctp_status{assoc_id = Id}}]) of
                {ok, [{_, #sctp_status{state = established, unackdata = 0, penddata = 0}}]} ->
                    true;
                {ok, []} ->
                    false;
                Other ->
                    Other
            end
    end.

%% The kernel knows an association by the address of the peer.
learn(S, A, End) ->
    case ets:lookup(?MODULE, {id, A, End}) of
        [{_, Id}] ->
            Id;
        [] ->
            Peer = {ip(), get_one({port, element(3 - End, get_one({ends, A}))})},
            Request = [{sctp_get_peer_addr_info, #sctp_paddrinfo{address = Peer}}],
            case inet:getopts(S, Request) of
                {ok, [{_, #sctp_paddrinfo{assoc_id = Id}}]} ->
                    put_all([{{id, A, End}, Id}]),
                    Id;
                _ ->
                    unknown
            end
    end.

sockets(_, Model) ->
    [{socket, N, Is, Expected}
     || N <- ?MODEL:sockets(Model),
        {Is, Expected} <- [{inet:getopts(get_one({socket, N}), ?MODEL:option_names()),
                            case ?MODEL:is_open(N, Model) of
                                true -> ?MODEL:user_options(N, Model);
                                false -> {error, einval}
                            end}],
        Is =/= Expected].

receivers(_, Model) ->
    [{receiver, T, Is, Expected}
     || {T, Expected} <- ?MODEL:results(Model),
        Is <- [result(T)], not is_answer(Expected, Is)] ++
    [{receiver, T, no_longer_waits}
     || {T, _} <- ?MODEL:receivers(Model),
        {Pid, _} <- [get_one({receiver, T})], not is_process_alive(Pid)].

result(T) ->
    {Pid, Monitor} = get_one({receiver, T}),
    case is_process_alive(Pid) of
        true ->
            waits;
        false ->
            receive
                {'DOWN', Monitor, process, Pid, {result, Result}} ->
                    put_all([{{result, T}, Result}]),
                    Result
            after 0 ->
                [{_, Result}] = ets:lookup(?MODULE, {result, T}),
                Result
            end
    end.

mailboxes(_, Model) ->
    lists:append([mailbox(Actor, Model) || Actor <- ?MODEL:actors()]).

mailbox(Actor, Model) ->
    {messages, All} = process_info(get_one({actor, Actor}), messages),
    Known = [{N, get_one({socket, N})} || N <- ?MODEL:sockets(Model)],
    Strays = [Message || Message <- All, not lists:keymember(about(Message), 2, Known)],
    [{strays, Actor, Strays} || Strays =/= []] ++
    [{mailbox, Actor, N, Is, Expected}
     || {N, S} <- Known,
        {Is, Expected} <- [{[Message || Message <- All, about(Message) =:= S],
                            real(?MODEL:mailbox(Actor, N, Model))}],
        not same(joined(Expected), joined(Is))].

%% Where one batch ends and the next begins is not always certain.
joined([{sctp_batch, S, Batch}, {sctp_batch, S, Next} | Messages]) ->
    joined([{sctp_batch, S, Batch ++ Next} | Messages]);
joined([Message | Messages]) ->
    [Message | joined(Messages)];
joined([]) ->
    [].

about(Message) when is_tuple(Message), size(Message) > 1 -> element(2, Message);
about(_) -> none.

%% Names.

%% Puts the real things in the place of names.
real({'$socket', N}) -> get_one({socket, N});
real({'$port', N}) -> get_one({port, N});
real({'$id', A, End}) -> get_one({id, A, End});
real({'$data', Seq, Size}) -> data(Seq, Size);
real({'$list', Data}) -> binary_to_list(real(Data));
real({'$message', What}) -> message(What);
real('$ip') -> ip();
real('$dead') -> dead();
real('$pid') -> self();
real('$reference') -> make_ref();
real('$function') -> fun() -> ok end;
real(Tuple) when is_tuple(Tuple) -> list_to_tuple([real(Part) || Part <- tuple_to_list(Tuple)]);
real([Head | Tail]) -> [real(Head) | real(Tail)];
real(Term) -> Term.

%% The numbers of transmission are what they are: but of ordered messages the last one is 0, of
%% others it is that of the message.
same('_', _) -> true;
same(#sctp_sndrcvinfo{tsn = '_', cumtsn = tsn} = Info, #sctp_sndrcvinfo{tsn = Tsn} = Is) ->
    Is =:= Info#sctp_sndrcvinfo{tsn = Tsn, cumtsn = Tsn};
same(#sctp_sndrcvinfo{tsn = '_'} = Info, #sctp_sndrcvinfo{tsn = Tsn} = Is) ->
    Is =:= Info#sctp_sndrcvinfo{tsn = Tsn};
same(#sctp_rcvinfo{tsn = '_', cumtsn = tsn} = Info, #sctp_rcvinfo{tsn = Tsn} = Is) ->
    Is =:= Info#sctp_rcvinfo{tsn = Tsn, cumtsn = Tsn};
same(#sctp_rcvinfo{tsn = '_'} = Info, #sctp_rcvinfo{tsn = Tsn} = Is) ->
    Is =:= Info#sctp_rcvinfo{tsn = Tsn};
same(Expected, Is) when is_tuple(Expected), is_tuple(Is) ->
    same(tuple_to_list(Expected), tuple_to_list(Is));
same([Expected | More], [Is | Rest]) ->
    same(Expected, Is) andalso same(More, Rest);
same(Expected, Is) ->
    Expected =:= Is.

%% What a socket calls an association; one that it does not have, what another does.
id(N, A) ->
    case get_one({ends, A}) of
        {_, N} -> id_at(A, 2);
        _ -> id_at(A, 1)
    end.

%% An association that was refused has no id; this is nobody's.
id_at(A, End) ->
    case ets:lookup(?MODULE, {id, A, End}) of
        [{_, Id}] -> Id;
        [] -> 16#7fffffff
    end.

%% What is sent, as in a batch; where send/4 would do, no binary, as there may be others among them.
message(#{as := info, stream := Stream, order := Order, ppid := Ppid, seq := Seq, size := Size}) ->
    {#sctp_sndrcvinfo{stream = Stream, ppid = Ppid, flags = [unordered || Order =:= unordered]},
     data(Seq, Size)};
message(#{as := vector, policy := Policy, stream := Stream, order := Order, ppid := Ppid,
          seq := Seq, size := Size}) ->
    Said = #sctp_sndinfo{sid = Stream, ppid = Ppid, flags = [unordered || Order =:= unordered]},
    {case Policy of
         absent -> [Said];
         {Name, Value} -> [#sctp_prinfo{policy = Name, value = Value}, Said]
     end, data(Seq, Size)};
message(#{as := stream, stream := Stream, seq := Seq, size := Size}) ->
    {Stream, [data(Seq, Size)]}.

data(Seq, Size) ->
    binary:part(binary:copy(<<Seq:32/little>>, Size div 4 + 1), 0, Size).

ip() ->
    gen_sctp_test_lib:loopback(get_one(family)).

%% Processes.

actor() ->
    spawn(fun serve/0).

serve() ->
    receive
        {?MODULE, From, Ref, Fun} ->
            From ! {Ref, outcome(Fun)},
            serve()
    end.

act(Actor, Fun) ->
    Pid = get_one({actor, Actor}),
    Ref = monitor(process, Pid),
    Pid ! {?MODULE, self(), Ref, Fun},
    receive
        {Ref, Outcome} ->
            demonitor(Ref, [flush]),
            Outcome;
        {'DOWN', Ref, process, Pid, Reason} ->
            {actor_died, Reason}
    after ?TIMEOUT ->
        {actor_stuck, process_info(Pid, current_stacktrace)}
    end.

%% Stock peeloff has no clause for what is wrong.
outcome(Fun) ->
    try
        Fun()
    catch
        error:badarg -> {raised, badarg};
        error:function_clause:Stack ->
            case {get_one(module), Stack} of
                {gen_sctp, [{gen_sctp, peeloff, _, _} | _]} -> {raised, badarg};
                _ -> {raised, function_clause, Stack}
            end;
        Class:Reason:Stack -> {raised, Class, Reason, Stack}
    end.

kill(Pid) ->
    Monitor = monitor(process, Pid),
    exit(Pid, kill),
    receive {'DOWN', Monitor, process, Pid, _} -> ok end.

dead() ->
    {Pid, Monitor} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', Monitor, process, Pid, _} -> Pid end.

%% The list that a function gives, when it is empty or does not become so.
eventually(Fun) ->
    eventually(Fun, erlang:monotonic_time(millisecond) + get_one(patience)).

eventually(Fun, Deadline) ->
    case Fun() of
        [] ->
            [];
        Problems ->
            case erlang:monotonic_time(millisecond) > Deadline of
                true -> Problems;
                false -> receive after 1 -> eventually(Fun, Deadline) end
            end
    end.

%% The table.

get_one(Key) ->
    ets:lookup_element(?MODULE, Key, 2).

put_all(Entries) ->
    true = ets:insert(?MODULE, Entries),
    ok.

forget(Key) ->
    true = ets:delete(?MODULE, Key),
    ok.
