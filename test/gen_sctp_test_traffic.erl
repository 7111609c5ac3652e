%% @doc Numbered messages, and the account that is kept of them: which ones were sent, which ones
%% came, which ones failed.
%%
%% The number says all about a message: its stream, whether it is ordered, its size and every byte.
%% An agent is a process with a socket; it checks whatever comes against that and books it. So a
%% message that comes twice, out of order, or changed ends the agent, and the case with it.
-module(gen_sctp_test_traffic).

-include_lib("kernel/include/inet_sctp.hrl").

%% Messages.
-export([message/1]).
-export([info/2]).

%% Agents.
-export([start/3]).
-export([start/4]).
-export([stop/1]).
-export([kill/1]).
-export([socket/1]).
-export([mode/2]).
-export([connect/3]).
-export([connect/4]).
-export([account/2]).
-export([no_account/0]).
-export([await/2]).
-export([await_got/3]).
-export([await_event/3]).
-export([drain/1]).

%% Senders.
-export([sender/6]).
-export([halt_sender/1]).
-export([balance/3]).
-export([add_up/3]).

-export_type([mode/0, account/0, sent/0]).

-type agent() :: pid().
%% How an agent reads: by calls, `{active, Mode}', or not at all.
-type mode() :: recv | recv_batch | true | once | pos_integer() | false.
%% `via': how many messages came from each address.
-type account() :: #{got := #{pos_integer() => ok}, latest := #{0..7 => pos_integer()},
                     failed := #{pos_integer() => [{boolean(), binary()}]},
                     via := #{inet:ip_address() => pos_integer()}, events := [tuple()]}.
%% What a sender of `First', `First + Step', ... has sent, and how it ended.
-type sent() :: {sent, {First :: pos_integer(), Step :: pos_integer(), Next :: pos_integer()},
                 all | halted | term()}.

-define(STREAMS, 8).
%% A case has its own limit.
-define(TIMEOUT, 1800000).
-define(PATTERN, 8192).
-define(LARGE, 70000).

%% Messages.

%% @doc Most are small; some are fragmented, a few are longer than a socket reads at once.
-spec message(pos_integer()) -> binary().
message(N) ->
    Size = length_of(N),
    <<N:32, (binary:part(pattern(), N rem ?PATTERN, Size))/binary>>.

length_of(N) when N rem 997 =:= 0 -> ?LARGE + N rem 5000;
length_of(N) when N rem 50 =:= 0 -> 2000 + N rem 3000;
length_of(N) -> 20 + N rem 100.

%% Not periodic: a fragment in another's place shows.
pattern() ->
    case persistent_term:get(?MODULE, none) of
        none ->
            Words = lists:seq(0, (?LARGE + 5000 + ?PATTERN) div 4),
            Pattern = << <<(erlang:phash2(N, 1 bsl 32)):32>> || N <- Words >>,
            persistent_term:put(?MODULE, Pattern),
            Pattern;
        Pattern ->
            Pattern
    end.

%% @doc A quarter of the messages is unordered.
-spec info(integer(), pos_integer()) -> #sctp_sndrcvinfo{}.
info(Id, N) ->
    #sctp_sndrcvinfo{assoc_id = Id, stream = stream(N), flags = flags(N), ppid = N, context = N,
                     timetolive = 0}.

stream(N) -> N rem ?STREAMS.

flags(N) when N div ?STREAMS rem 4 =:= 3 -> [unordered];
flags(_) -> [].

%% Agents.

%% @doc An agent of a new socket of the module, which is closed with it.
-spec start(module(), [term()], mode()) -> agent().
start(M, Opts, Mode) ->
    start(M, Opts, Mode, fun(_) -> true end).

%% @doc The same, and tells of the number of each message that comes.
-spec start(module(), [term()], mode(), fun((pos_integer()) -> true)) -> agent().
start(M, Opts, Mode, Tell) ->
    Starter = self(),
    Pid = spawn_link(fun() ->
        {ok, S} = M:open(Opts ++ [{active, false}]),
        ok = M:listen(S, true),
        Starter ! {self(), S},
        loop(set_mode(Mode, #{m => M, s => S, mode => false, tell => Tell, accounts => #{},
                              waiting => []}))
    end),
    receive {Pid, S} -> put({?MODULE, Pid}, S), Pid end.

%% @doc Closes the socket.
-spec stop(agent()) -> ok.
stop(Agent) ->
    erase({?MODULE, Agent}),
    unlink(Agent),
    call(Agent, stop).

%% @doc Ends it at once, and so the socket.
-spec kill(agent()) -> ok.
kill(Agent) ->
    erase({?MODULE, Agent}),
    gen_sctp_test_lib:kill(Agent).

-spec socket(agent()) -> term().
socket(Agent) -> get({?MODULE, Agent}).

%% @doc Changes how the agent reads.
-spec mode(agent(), mode()) -> ok.
mode(Agent, Mode) -> call(Agent, {mode, Mode}).

%% @doc Starts an association and waits until it is up; its id here and there.
-spec connect(agent(), agent(), inet:ip_address()) -> {integer(), integer()}.
connect(Near, Far, IP) ->
    {ok, Port} = inet:port(socket(Far)),
    Known = maps:keys(call(Far, accounts)),
    Id = connect(Near, IP, Port, comm_up),
    FarId = await(Far, fun(Accounts) ->
        case [New || {New, #{events := Events}} <- maps:to_list(Accounts),
                     not lists:member(New, Known), is_event(comm_up, Events)] of
            [FarId] -> {true, FarId};
            [] -> false
        end
    end),
    {Id, FarId}.

%% @doc Starts an association and waits for this state; its id.
-spec connect(agent(), inet:ip_address(), inet:port_number(), atom()) -> integer().
connect(Agent, IP, Port, State) ->
    {ok, Id} = call(Agent, {connect, IP, Port}),
    #sctp_assoc_change{} = await_event(Agent, Id, State),
    Id.

%% @doc What is booked of an association.
-spec account(agent(), integer()) -> account().
account(Agent, Id) ->
    maps:get(Id, call(Agent, accounts), no_account()).

%% @doc Waits until the accounts of all associations are as wanted.
-spec await(agent(), fun((#{integer() => account()}) -> false | {true, Result})) -> Result.
await(Agent, Condition) ->
    call(Agent, {await, Condition}).

%% @doc Waits until so many messages have come.
-spec await_got(agent(), integer(), non_neg_integer()) -> ok.
await_got(Agent, Id, Number) ->
    await(Agent, fun(Accounts) ->
        case Accounts of
            #{Id := #{got := Got}} when map_size(Got) >= Number -> {true, ok};
            _ -> false
        end
    end).

%% @doc Waits for an event of this state, or of this kind.
-spec await_event(agent(), integer(), atom()) -> tuple().
await_event(Agent, Id, Kind) ->
    await(Agent, fun(Accounts) ->
        Events = maps:get(events, maps:get(Id, Accounts, no_account())),
        case [Event || Event <- Events, is_kind(Kind, Event)] of
            [] -> false;
            [Event | _] -> {true, Event}
        end
    end).

is_event(Kind, Events) ->
    lists:any(fun(Event) -> is_kind(Kind, Event) end, Events).

is_kind(Kind, #sctp_assoc_change{state = State}) -> Kind =:= State;
is_kind(Kind, #sctp_paddr_change{state = State}) -> Kind =:= State;
is_kind(Kind, Event) -> Kind =:= element(1, Event).

%% @doc Reads what is there, and no more: all events of what has happened so far.
-spec drain(agent()) -> ok.
drain(Agent) ->
    call(Agent, drain).

call(Agent, Request) ->
    Monitor = monitor(process, Agent),
    Agent ! {call, {self(), Monitor}, Request},
    receive
        {Monitor, Answer} -> demonitor(Monitor, [flush]), Answer;
        {'DOWN', Monitor, process, Agent, Reason} -> error({agent_died, Reason})
    after ?TIMEOUT ->
        error({agent_stuck, Request, process_info(Agent, [current_stacktrace, messages])})
    end.

loop(#{mode := Mode, m := M, s := S} = State) when Mode =:= recv; Mode =:= recv_batch ->
    receive
        {call, From, Request} -> answer(From, Request, State)
    after 0 ->
        loop(case Mode of
                 recv -> received(M:recv(S, 20), State);
                 recv_batch -> received_many(M:recv_batch(S, 16, 20), State)
             end)
    end;
loop(#{s := S, mode := Mode} = State) ->
    receive
        {call, From, Request} ->
            answer(From, Request, State);
        {sctp_passive, S} ->
            ok = inet:setopts(S, [{active, Mode}]),
            loop(State);
        {sctp_batch, S, Messages} ->
            _ = [ok = inet:setopts(S, [{active, once}]) || Mode =:= once],
            loop(received_many({ok, Messages}, State));
        {Tag, S, IP, _, {Anc, Content}} when Tag =:= sctp; Tag =:= sctp_error ->
            _ = [ok = inet:setopts(S, [{active, once}]) || Mode =:= once],
            loop(book(IP, Anc, Content, State))
    end.

answer({Pid, Tag} = From, Request, #{m := M, s := S, accounts := Accounts} = State) ->
    case Request of
        stop ->
            Pid ! {Tag, M:close(S)};
        {await, Condition} ->
            loop(try_waiting(State#{waiting := [{From, Condition}]}));
        {mode, Mode} ->
            Changed = set_mode(Mode, State),
            Pid ! {Tag, ok},
            loop(Changed);
        drain ->
            #{mode := Mode} = State,
            %% The kernel makes all events of one cause under the lock that this takes.
            {ok, _} = inet:getopts(S, [sctp_nodelay]),
            Drained = set_mode(Mode, drain_all(set_mode(false, State))),
            Pid ! {Tag, ok},
            loop(Drained);
        {connect, IP, Port} ->
            Pid ! {Tag, M:connectx_init(S, [IP], Port, [])},
            loop(State);
        accounts ->
            Pid ! {Tag, Accounts},
            loop(State)
    end.

set_mode(Mode, #{s := S} = State) ->
    Active = case Mode of
                 recv -> false;
                 recv_batch -> false;
                 _ -> Mode
             end,
    %% An integer would be added to what is left of the last one.
    ok = inet:setopts(S, [{active, false}]),
    ok = inet:setopts(S, [{active, Active}]),
    State#{mode := Mode}.

%% What was delivered, then what was not.
drain_all(#{m := M, s := S} = State) ->
    receive
        {sctp_passive, S} ->
            drain_all(State);
        {sctp_batch, S, Messages} ->
            drain_all(received_many({ok, Messages}, State));
        {Tag, S, IP, _, {Anc, Content}} when Tag =:= sctp; Tag =:= sctp_error ->
            drain_all(book(IP, Anc, Content, State))
    after 0 ->
        case M:recv(S, 0) of
            {error, timeout} -> State;
            Received -> drain_all(received(Received, State))
        end
    end.

received({ok, {IP, _, Anc, Content}}, State) -> book(IP, Anc, Content, State);
received({error, {IP, Anc, Event}}, State) -> book(IP, Anc, Event, State);
received({error, timeout}, State) -> State.

received_many({ok, [_ | _] = Messages}, State) ->
    lists:foldl(fun({IP, _, Anc, Content}, Before) -> book(IP, Anc, Content, Before) end,
                State, Messages);
received_many({error, timeout}, State) ->
    State.

book(IP, Anc, Content, #{accounts := Accounts, tell := Tell} = State) ->
    Id = assoc_id(Anc, Content),
    Account = maps:get(Id, Accounts, no_account()),
    Booked = case Anc of
                 [] -> book_event(Content, Account);
                 [#sctp_sndrcvinfo{ppid = N} = Info] ->
                     Data = book_data(Info, Content, book_via(IP, Account)),
                     true = Tell(N),
                     Data
             end,
    try_waiting(State#{accounts := Accounts#{Id => Booked}}).

%% @doc The account of an association of which nothing has been heard.
-spec no_account() -> account().
no_account() ->
    #{got => #{}, latest => #{}, failed => #{}, via => #{}, events => []}.

book_via(IP, #{via := Via} = Account) ->
    Account#{via := Via#{IP => maps:get(IP, Via, 0) + 1}}.

book_event(#sctp_send_failed{flags = Sent, info = Info, data = Data},
           #{failed := Failed} = Account) ->
    #sctp_sndrcvinfo{stream = Stream, ppid = N, context = N} = Info,
    Stream = stream(N),
    Account#{failed := Failed#{N => [{Sent, Data} | maps:get(N, Failed, [])]}};
book_event(Event, #{events := Events} = Account) ->
    Account#{events := [Event | Events]}.

book_data(#sctp_sndrcvinfo{stream = Stream, ppid = N, flags = Flags}, Data,
          #{got := Got, latest := Latest} = Account) ->
    case {stream(N), flags(N), message(N), Got} of
        {_, _, _, #{N := _}} -> error({came_twice, N});
        {Stream, Flags, Data, _} -> ok;
        _ -> error({came_changed, N, Stream, Flags, byte_size(Data)})
    end,
    case {Flags, maps:get(Stream, Latest, 0)} of
        {[], Before} when Before > N -> error({out_of_order, Before, N});
        {[], _} -> Account#{got := Got#{N => ok}, latest := Latest#{Stream => N}};
        {[unordered], _} -> Account#{got := Got#{N => ok}}
    end.

assoc_id([#sctp_sndrcvinfo{assoc_id = Id}], _) -> Id;
assoc_id([], #sctp_assoc_change{assoc_id = Id}) -> Id;
assoc_id([], #sctp_paddr_change{assoc_id = Id}) -> Id;
assoc_id([], #sctp_send_failed{assoc_id = Id}) -> Id;
assoc_id([], #sctp_shutdown_event{assoc_id = Id}) -> Id;
assoc_id([], #sctp_pdapi_event{assoc_id = Id}) -> Id.

try_waiting(#{waiting := [{{Pid, Tag}, Condition}], accounts := Accounts} = State) ->
    case Condition(Accounts) of
        false -> State;
        {true, Result} -> Pid ! {Tag, Result}, State#{waiting := []}
    end;
try_waiting(State) ->
    State.

%% Senders.

%% @doc A process that sends the messages `First', `First + Step', ... up to `Last', until the
%% association is no more, or it is halted. A stream has one sender, so `Step' divides 8.
-spec sender(module(), term(), integer(), pos_integer(), pos_integer(), pos_integer()) ->
    gen_sctp_test_lib:task().
sender(M, S, Id, First, Step, Last) ->
    gen_sctp_test_lib:async(fun() ->
        {Next, End} = send(M, S, Id, First, Step, Last),
        {sent, {First, Step, Next}, End}
    end).

send(_, _, _, N, _, Last) when N > Last ->
    {N, all};
send(M, S, Id, N, Step, Last) ->
    receive
        halt_sender -> {N, halted}
    after 0 ->
        case M:send(S, info(Id, N), message(N)) of
            ok -> send(M, S, Id, N + Step, Step, Last);
            {error, eagain} when M =:= gen_sctp -> send_later(M, S, Id, N, Step, Last);
            {error, Reason} -> {N, Reason}
        end
    end.

%% OTP 25 does not wait, and tells nobody when there is room.
send_later(M, S, Id, N, Step, Last) ->
    receive
        halt_sender -> {N, halted}
    after 1 ->
        send(M, S, Id, N, Step, Last)
    end.

%% @doc Has a sender end when its call returns.
-spec halt_sender(gen_sctp_test_lib:task()) -> ok.
halt_sender({task, Pid, _}) ->
    Pid ! halt_sender,
    ok.

%% @doc Every message that was sent has come or has failed, and no other has; the numbers of those
%% sent, come, failed, and of those that have both come and failed. That is so for those only that
%% had left when the association ended, and had not been acknowledged. A peer that has restarted
%% has an account of each of its lives.
-spec balance([sent()], account(), [account()]) ->
    #{sent | came | failed | both => non_neg_integer()}.
balance(Senders, Account, Lives) ->
    case add_up(Senders, Account, Lives) of
        {Sum, []} -> Sum;
        {_, Lost} -> error({lost, Lost})
    end.

%% @doc The same, and which messages have neither come nor failed.
-spec add_up([sent()], account(), [account()]) ->
    {#{sent | came | failed | both => non_neg_integer()}, [pos_integer()]}.
add_up(Senders, #{failed := Failed}, Lives) ->
    Got = lists:foldl(fun maps:merge/2, #{}, [Got || #{got := Got} <- Lives]),
    true = map_size(Got) =:= lists:sum([map_size(One) || #{got := One} <- Lives]),
    Sent = maps:from_list([{N, ok} || {sent, {First, Step, Next}, _} <- Senders,
                                      N <- lists:seq(First, Next - Step, Step)]),
    [] = maps:keys(maps:without(maps:keys(Sent), Got)),
    [] = maps:keys(maps:without(maps:keys(Sent), Failed)),
    Lost = maps:keys(maps:without(maps:keys(Failed), maps:without(maps:keys(Got), Sent))),
    maps:foreach(fun check_failed/2, Failed),
    Both = maps:with(maps:keys(Got), Failed),
    [] = [N || {N, Parts} <- maps:to_list(Both), {false, _} <- Parts],
    {#{sent => map_size(Sent), came => map_size(Got), failed => map_size(Failed),
       both => map_size(Both)}, lists:sort(Lost)}.

%% There is an event for each fragment; those that are missing were acknowledged, from the first on.
check_failed(N, Parts) ->
    Message = message(N),
    Places = lists:sort([{_, _} = binary:match(Message, Part) || {_, Part} <- Parts]),
    [{First, _} | _] = Places,
    End = lists:foldl(fun({At, Size}, At) -> At + Size end, First, Places),
    End = byte_size(Message),
    ok.
