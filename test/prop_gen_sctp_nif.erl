%% @doc The API as a state machine: random calls by several processes, right ones and wrong ones,
%% on a kernel; after every call answers, mailboxes, modes and associations must be what
%% gen_sctp_nif_model says.
%%
%% A test is made from its seed and the family alone: run(M, [{seed, Seed}]) repeats what a
%% failure names.
-module(prop_gen_sctp_nif).

-behaviour(proper_statem).

-export([run/2]).

%% For proper_statem.
-export([initial_state/0]).
-export([command/1]).
-export([precondition/2]).
-export([next_state/3]).
-export([postcondition/3]).
-export([do/1]).

-include_lib("kernel/include/inet_sctp.hrl").

%% Debian's erlang-proper has no proper.hrl; these are its macros.
-define(FORALL(X, Type, Prop), proper:forall(Type, fun(X) -> Prop end)).
-define(LET(X, Type, Gen), proper_types:bind(Type, fun(X) -> Gen end, false)).
-define(SUCHTHAT(X, Type, Condition),
        proper_types:add_constraint(Type, fun(X) -> Condition end, true)).
-define(LAZY(Type), proper_types:lazy(fun() -> Type end)).

-import(proper_types,
        [oneof/1, frequency/1, integer/2, boolean/0, list/1, exactly/1, any/0, resize/2]).

-define(MODEL, gen_sctp_nif_model).
-define(WORLD, gen_sctp_nif_world).

%% Calls of one test at most, sockets open at a time, bytes unread in one.
-define(CALLS, 80).
-define(SOCKETS, 6).
-define(UNREAD, 100000).

%% Longer than anything takes on a machine that emulates another while others compile; once a test
%% has failed, what is looked for is a shorter one.
-define(PATIENCE, 10000).
-define(SHRINKING, 1000).

-type options() :: #{commands => pos_integer(), seed => seed()}.
-type seed() :: {integer(), integer(), integer()}.
-type result() :: {ok, Calls :: non_neg_integer()} | {failed, seed(), Report :: string()}.

%% @doc Tests until so many calls have been made; how many that were. With a seed: that test only.
-spec run(module(), options()) -> result().
run(Module, #{seed := Seed}) ->
    test(Module, Seed);
run(Module, #{commands := Commands}) ->
    {A, B, _} = erlang:timestamp(),
    io:format("seeds from ~w on~n", [{A, B, 0}]),
    run(Module, {A, B, 0}, Commands, 0).

run(_, _, Commands, Made) when Made >= Commands ->
    {ok, Made};
run(Module, {A, B, C} = Seed, Commands, Made) ->
    case test(Module, Seed) of
        {ok, Calls} -> run(Module, {A, B, C + 1}, Commands, Made + Calls);
        Failed -> Failed
    end.

test(Module, Seed) ->
    _ = erase(failed),
    put(calls, 0),
    Options = [quiet, {numtests, 1}, {start_size, ?CALLS}, {max_size, ?CALLS},
               {max_shrinks, 300}],
    try proper:quickcheck(property(Module, Seed), Options) of
        true ->
            {ok, get(calls)};
        _ ->
            {failed, Seed, lists:flatten(get(failed))}
    catch
        %% Debian's erlang-proper cannot shorten a test that has an improper list in it.
        error:function_clause:Stack ->
            case get(failed) of
                undefined -> erlang:raise(error, function_clause, Stack);
                Report -> {failed, Seed, lists:flatten(Report)}
            end
    end.

property(Module, Seed) ->
    ?FORALL(_, reseeded(Seed),
            ?FORALL({Family, Commands}, test(), passes(Module, Family, Commands))).

%% Has what is generated after it come from this seed.
reseeded(Seed) ->
    ?LAZY(begin _ = rand:seed(exsss, Seed), exactly(Seed) end).

test() ->
    {oneof([inet, inet6]), proper_statem:commands(?MODULE)}.

passes(Module, Family, Commands) ->
    Patience = case get(failed) of undefined -> ?PATIENCE; _ -> ?SHRINKING end,
    ok = ?WORLD:start(Module, Family, Patience),
    _ = erase(why),
    {History, _, Result} = proper_statem:run_commands(?MODULE, Commands),
    Leaks = ?WORLD:stop(),
    put(calls, get(calls) + length(History)),
    Passes = Result =:= ok andalso Leaks =:= [],
    _ = [put(failed, failure(Family, Commands, History, Result, Leaks)) || not Passes],
    Passes.

failure(Family, Commands, History, Result, Leaks) ->
    Calls = [Call || {set, _, {call, _, _, [Call]}} <- Commands],
    io_lib:format("~w, ~p~n", [Family, Result]) ++
        [io_lib:format("    ~p~n", [Call])
         || Call <- lists:sublist(Calls, length(History) + 1)] ++
        io_lib:format("    ~p~n", [{get(why), Leaks}]).

%% The state machine.

-spec initial_state() -> ?MODEL:model().
initial_state() ->
    ?MODEL:new().

%% What is raised here Debian's erlang-proper would hide behind an error of its own.
-spec do(?MODEL:call()) -> term().
do(Call) ->
    try ?WORLD:do(Call) catch Class:Reason:Stack -> {raised, Class, Reason, Stack} end.

-spec next_state(?MODEL:model(), term(), tuple()) -> ?MODEL:model().
next_state(Model, _, {call, _, do, [Call]}) ->
    {_, Next} = ?MODEL:step(Call, Model),
    Next.

-spec postcondition(?MODEL:model(), tuple(), term()) -> boolean().
postcondition(Model, {call, _, do, [Call]}, Answer) ->
    {Expected, Next} = ?MODEL:step(Call, Model),
    Differences = ?WORLD:differences(Model, Next),
    Right = Differences =:= [] andalso ?WORLD:is_answer(Expected, Answer),
    _ = [put(why, #{answer => Answer, expected => Expected, differences => Differences})
         || not Right],
    Right.

%% Calls.

-spec command(?MODEL:model()) -> proper_types:type().
command(Model) ->
    {call, ?MODULE, do, [call(Model)]}.

call(Model) ->
    case ?MODEL:sockets(Model) of
        [] -> open(Model);
        Sockets -> frequency([{Weight, ?LAZY(Type())}
                              || {Weight, Type} <- calls(Model, Sockets)])
    end.

%% The types are made when one is chosen, as this takes most of the time.
calls(Model, Sockets) ->
    Open = ?MODEL:open_sockets(Model),
    Receivers = [T || {T, _} <- ?MODEL:receivers(Model)],
    Unread = [N || N <- Open, ?MODEL:unread(N, Model) > 0],
    Acceptors = [N || N <- Open, ?MODEL:is_acceptor(N, Model)],
    Listening = [N || N <- Acceptors, ?MODEL:is_listening(N, Model)],
    Waited = [N || N <- Acceptors, ?MODEL:waiting(N, Model) =/= []],
    Single = [N || N <- Open, ?MODEL:is_single(N, Model)],
    Connected = [N || N <- Single, ?MODEL:is_connected(N, Model)],
    S = fun() -> some_socket(Sockets, Open) end,
    Accept = fun(N) -> {accept, actor(), N, oneof([0, nowait]), length(Sockets) + 1} end,
    [{3, fun() -> open(Model) end} || length(Open) < ?SOCKETS] ++
    [{4, fun() -> {listen, actor(), S(), backlog()} end},
     {6, fun() -> {recv, actor(), S(), oneof([0, 1, nowait])} end},
     {4, fun() -> {recv_batch, actor(), S(), oneof([1, 2, 5, 64])} end},
     {3, fun() -> {receiver, integer(1, 1 bsl 30), S()} end},
     {6, fun() -> {setopts, actor(), S(), resize(3, list(option()))} end},
     {2, fun() -> {getopts, actor(), S(), resize(4, list(option_name()))} end},
     {3, fun() -> {give, actor(), S(), actor()} end},
     {3, fun() -> {take, actor(), S()} end},
     {1, fun() -> {close, actor(), S()} end},
     {1, fun() -> {kill, actor()} end},
     {1, fun() -> Accept(S()) end},
     {1, fun() -> {shutdown, actor(), S(), oneof([read, write, read_write])} end},
     {4, fun() -> hostile(S()) end}] ++
    [{4, fun() -> {listen, actor(), oneof(Acceptors -- Listening), true} end}
     || Acceptors -- Listening =/= []] ++
    [{7, fun() -> connect(Model, Open, Listening) end} || Listening =/= [], length(Open) > 1] ++
    [{12, fun() -> Accept(oneof(Waited)) end} || Waited =/= []] ++
    [{5, fun() -> {shutdown, actor(), oneof(Connected), write} end} || Connected =/= []] ++
    [{5, fun() -> {setopts, actor(), oneof(Single), at_the_end()} end} || Single =/= []] ++
    [{Weight, Type}
     || Single -- Connected =/= [],
        Ended <- [fun() -> oneof(Single -- Connected) end],
        {Weight, Type} <- [{9, fun() -> {setopts, actor(), Ended(), at_the_end()} end},
                           {9, fun() -> {recv, actor(), Ended(), oneof([0, nowait])} end},
                           {3, fun() -> {recv_batch, actor(), Ended(), oneof([1, 5])} end},
                           {3, fun() -> {receiver, integer(1, 1 bsl 30), Ended()} end}]] ++
    [{6, fun() -> connect(Model, Open, Open) end} || length(Open) > 1] ++
    [{1, fun() -> {kill_receiver, oneof(Receivers)} end} || Receivers =/= []] ++
    [{8, fun() -> {setopts, actor(), oneof(Unread), in_batches()} end} || Unread =/= []] ++
    on_association(Model, Sockets).

%% Closed ones, too, now and then.
some_socket(Sockets, []) -> oneof(Sockets);
some_socket(Sockets, Open) -> frequency([{15, oneof(Open)}, {1, oneof(Sockets)}]).

backlog() ->
    frequency([{6, true}, {1, oneof([false, 0, 5, -1, 70000])}]).

connect(Model, Open, To) ->
    A = length(?MODEL:associations(Model)) + 1,
    From = case [N || N <- Open, ?MODEL:style(N, Model) =:= many] of
               [] -> Open;
               Many -> Many
           end,
    {connect, actor(), oneof(From), oneof(To), oneof([wait, init, initx]), A}.

on_association(Model, Sockets) ->
    Assocs = ?MODEL:associations(Model),
    Ends = [{N, A} || A <- Assocs, ?MODEL:is_up(A, Model),
                      N <- tuple_to_list(?MODEL:ends(A, Model)), ?MODEL:is_open(N, Model),
                      not ?MODEL:is_acceptor(N, Model)],
    New = length(Sockets) + 1,
    %% Mostly one that the socket has, and that is up.
    On = fun(Call) ->
        Some = {oneof(Sockets), oneof(Assocs)},
        fun() -> ?LET({N, A}, case Ends of
                                  [] -> Some;
                                  _ -> frequency([{8, oneof(Ends)}, {1, Some}])
                              end, Call(N, A)) end
    end,
    [{Weight, On(Call)}
     || Assocs =/= [],
        {Weight, Call} <- [{15, fun(N, A) -> {send, actor(), N, A, send()} end},
                           {8, fun(N, A) -> {sendv, actor(), N, frequency([{5, A}, {1, all}]),
                                             vector(), patience()} end},
                           {8, fun(N, A) -> {send_batch, actor(), N, A, sends(), patience()} end},
                           {2, fun(N, A) -> {peeloff, actor(), N, A, New} end},
                           {2, fun(N, A) -> {eof, actor(), N, A} end},
                           {2, fun(N, A) -> {abort, actor(), N, A} end}]] ++
    %% Chance has few of which nobody reads.
    [{4, fun() -> ?LET({N, A}, oneof(Fillable), overflow(N, A)) end}
     || Fillable <- [[End || {N, A} = End <- Ends,
                             ?MODEL:is_certain({overflow, a, N, A, one, 0}, Model)]],
        Fillable =/= []].

overflow(N, A) ->
    {overflow, actor(), N, A, oneof([one, batch]), oneof([option, 0, 20, nowait])}.

actor() ->
    oneof(?MODEL:actors()).

open(Model) ->
    Opt = oneof([{active, oneof([false, true, once, 1, 2, 5, 0, -3])},
                 {mode, oneof([list, binary])}, {buffer, buffer()}, {batch, batch()},
                 {send_timeout, timeouts()}, {send_timeout_close, boolean()}]),
    OfStream = {end_of_stream, oneof([wait, closed])},
    Type = frequency([{3, []}, {1, [{type, stream}]}, {1, [{type, stream}, OfStream]}]),
    ?LET({Opts, More}, {resize(3, list(Opt)), Type},
         {open, actor(), length(?MODEL:sockets(Model)) + 1, lists:ukeysort(1, Opts) ++ More}).

buffer() ->
    oneof([500, 5000, 65536, 300000]).

batch() ->
    oneof([1, 2, 3, 8, 64]).

%% Chance has few sockets with the option where several messages wait.
in_batches() ->
    [{batch, batch()}, {active, oneof([true, once, 1, 2, 3])}].

%% As above.
at_the_end() ->
    ?LET({Active, Told}, {resize(1, list({active, oneof([false, true, once, 1, 2])})),
                          oneof([wait, closed, closed])},
         [{end_of_stream, Told} | Active]).

%% Of who sends, and finds room.
timeouts() ->
    oneof([0, 1, 1000, infinity]).

option_name() ->
    oneof([foo | ?MODEL:option_names()]).

option() ->
    frequency(
        [{6, {active, oneof([false, true, once, once, 1, 2, 3, 10, 0, -1, -2, 32767, -32768])}},
         {1, {active, oneof([32768, -32769, 1 bsl 64, foo, 1.5, multi])}},
         {2, oneof([list, binary, {mode, list}, {mode, binary}])},
         {2, {buffer, frequency([{4, buffer()}, {1, foo}])}},
         {3, {batch, frequency([{8, batch()}, {1, oneof([0, -1, 65, 1 bsl 64, foo])}])}},
         {1, {send_timeout, frequency([{4, timeouts()}, {1, oneof([-1, 1 bsl 32, foo])}])}},
         {1, {send_timeout_close, frequency([{4, boolean()}, {1, oneof([0, foo])}])}},
         {2, {sctp_recvrcvinfo, frequency([{8, boolean()}, {1, oneof([1, foo])}])}},
         {2, {end_of_stream, frequency([{8, oneof([wait, closed])}, {1, oneof([true, foo])}])}},
         {1, {sctp_events, #sctp_event_subscribe{data_io_event = oneof([true, false, undefined]),
                                                 shutdown_event = oneof([true, false])}}}]).

send() ->
    send([info, stream, vector]).

vector() ->
    send([vector]).

send(Ways) ->
    ?LET({As, Policy, Stream, Order, Ppid, Size, Seq},
         {oneof(Ways), policy(), frequency([{8, integer(0, 3)}, {1, integer(9, 11)}]),
          oneof([ordered, ordered, unordered]), oneof([0, 46, 16#ffffffff]),
          frequency([{1, 0}, {10, integer(1, 100)}, {3, integer(1000, 5000)},
                     {1, integer(20000, 70000)}]),
          integer(0, 1 bsl 31)},
         #{as => As, policy => Policy, stream => Stream, order => Order, ppid => Ppid,
           size => Size, seq => Seq}).

%% None by which a message is given up that arrives at once.
policy() ->
    frequency([{2, absent}, {1, {none, 0}}, {1, {ttl, integer(60000, 16#ffffffff)}},
               {1, {rtx, integer(100, 16#ffffffff)}}, {1, {prio, integer(0, 16#ffffffff)}}]).

%% Few for what a count is to be known of, and now and then more than are sent at a time.
sends() ->
    frequency([{6, resize(8, list(send()))}, {1, resize(50, list(send()))}]).

patience() ->
    frequency([{2, option}, {1, oneof([0, 1000, infinity])}, {1, nowait}]).

hostile(S) ->
    Call = {hostile, actor(), S, oneof(gen_sctp_nif_hostile:kinds()), junk()},
    ?SUCHTHAT({_, _, _, Kind, Junk}, Call, gen_sctp_nif_hostile:is_wrong(Kind, Junk)).

junk() ->
    frequency(
        [{3, ?LAZY(resize(8, any()))},
         {1, oneof(['$pid', '$dead', '$reference', '$function'])},
         {1, oneof([-1, 65536, 1 bsl 32, 1 bsl 64, -(1 bsl 70), 1.5])},
         {1, oneof([[a | b], [1, 2 | 3], [[[[256]]]], <<1:3>>, [<<1:3>>], #{}, #{a => #{}}])},
         {1, oneof([{sctp_assoc_change, 1}, {sctp_sndrcvinfo, 1}, {'$inet', gen_sctp_nif, 1}])}]).

%% What makes the model's answer the only one.
-spec precondition(?MODEL:model(), tuple()) -> boolean().
precondition(Model, {call, _, do, [Call]}) ->
    is_known(Call, Model) andalso may(Call, Model) andalso ?MODEL:is_certain(Call, Model).

%% When a test is made shorter, calls are left without those that they refer to.
is_known({open, _, N, _}, M) ->
    not is_socket(N, M);
is_known({receiver, T, N}, M) ->
    is_socket(N, M) andalso not lists:keymember(T, 1, ?MODEL:receivers(M));
is_known({kill_receiver, T}, M) ->
    lists:keymember(T, 1, ?MODEL:receivers(M));
is_known({kill, _}, _) ->
    true;
is_known({connect, _, From, To, _, A}, M) ->
    is_socket(From, M) andalso is_socket(To, M) andalso not is_assoc(A, M);
is_known({peeloff, _, N, A, New}, M) ->
    is_socket(N, M) andalso is_assoc(A, M) andalso not is_socket(New, M);
is_known({accept, _, N, _, New}, M) ->
    is_socket(N, M) andalso not is_socket(New, M);
is_known({send, _, N, A, _}, M) ->
    is_socket(N, M) andalso is_assoc(A, M);
is_known({sendv, _, N, all, _, _}, M) ->
    is_socket(N, M);
is_known({Call, _, N, A, _, _}, M) when Call =:= send_batch; Call =:= sendv; Call =:= overflow ->
    is_socket(N, M) andalso is_assoc(A, M);
is_known({Call, _, N, A}, M) when Call =:= eof; Call =:= abort ->
    is_socket(N, M) andalso is_assoc(A, M);
is_known(Call, M) ->
    is_socket(element(3, Call), M).

is_socket(N, M) -> lists:member(N, ?MODEL:sockets(M)).

is_assoc(A, M) -> lists:member(A, ?MODEL:associations(M)).

may({connect, _, From, To, _, _}, M) ->
    ?MODEL:is_open(From, M) andalso ?MODEL:is_open(To, M) andalso
        ?MODEL:endpoint(From, M) =/= ?MODEL:endpoint(To, M) andalso ?MODEL:style(From, M) =:= many;
%% No more than the receiver's buffer takes, or the sender's is never empty again.
may({send, Actor, N, A, What}, M) ->
    may({send_batch, Actor, N, A, [What], option}, M);
may({sendv, Actor, N, all, What, Patience}, M) ->
    Has = fun(A) -> lists:member(N, tuple_to_list(?MODEL:ends(A, M))) end,
    lists:all(fun(A) -> may({sendv, Actor, N, A, What, Patience}, M) end,
              lists:filter(Has, ?MODEL:associations(M)));
may({sendv, Actor, N, A, What, _}, M) ->
    may({send, Actor, N, A, What}, M);
may({send_batch, _, _, A, Whats, _}, M) ->
    Size = lists:sum([Size || #{size := Size} <- Whats]),
    lists:all(fun(N) -> ?MODEL:unread(N, M) + Size =< ?UNREAD end,
              tuple_to_list(?MODEL:ends(A, M)));
%% Of two sockets that end at the same time, a receiver may hear of the other's end before its own.
may({kill, Actor}, M) ->
    not lists:any(fun({_, N}) -> has_peer_of_owner(N, Actor, M) end, ?MODEL:receivers(M));
%% It would raise badarg.
may({open, _, _, Opts}, _) ->
    lists:member({type, stream}, Opts) orelse not lists:keymember(end_of_stream, 1, Opts);
may({hostile, _, _, Kind, Junk}, _) ->
    gen_sctp_nif_hostile:is_wrong(Kind, Junk);
may(_, _) ->
    true.

has_peer_of_owner(N, Actor, M) ->
    ?MODEL:owner(N, M) =:= Actor andalso
        lists:any(fun(A) ->
                      Ends = tuple_to_list(?MODEL:ends(A, M)),
                      ?MODEL:is_up(A, M) andalso lists:member(N, Ends) andalso
                          lists:all(fun(End) -> ?MODEL:owner(End, M) =:= Actor end, Ends)
                  end,
                  ?MODEL:associations(M)).
