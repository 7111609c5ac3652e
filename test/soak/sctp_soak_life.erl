%% @doc A life: two sockets, an association, messages, modes that change, and an end of one kind or
%% another; its sum must add up.
-module(sctp_soak_life).

-export([run/1]).

%% Sums.
-export([none/0]).
-export([add/2]).
-export([line/1]).
-export([text/1]).

-include_lib("kernel/include/inet_sctp.hrl").

-define(M, gen_sctp_nif).
-define(NET, gen_sctp_test_net).
-define(T, gen_sctp_test_traffic).
-define(ENDS, [eof, near_aborts, far_aborts, near_dies, far_dies]).

-export_type([sum/0]).

%% Of messages: `both' came though they were reported as failed (see `balance/3'); `unread' were on
%% their way to the owner of the receiving socket when he was killed, after his kernel had
%% acknowledged them.
-type sum() :: #{lives | sent | came | failed | both | unread => non_neg_integer()}.

%% @doc One life.
-spec run(gen_sctp_test_net:net()) -> sum().
run(Net) ->
    {Where, IP} = case rand:uniform(3) of
        1 ->
            {fun(Host) -> [?NET:netns(Net, Host), {ip, ?NET:address(Host, inet, 0)}] end,
             ?NET:address(far, inet, 0)};
        _ ->
            {fun(_) -> [{ip, {127, 0, 0, 1}}] end, {127, 0, 0, 1}}
    end,
    %% It is still there when the receiver is not.
    Came = ets:new(came, [public]),
    Note = fun(N) -> ets:insert_new(Came, {N, ok}) end,
    Far = ?T:start(?M, options() ++ Where(far), mode(), Note),
    Near = ?T:start(?M, options() ++ Where(near), mode()),
    {Id, FId} = ?T:connect(Near, Far, IP),
    Number = rand:uniform(3000),
    Senders = [?T:sender(?M, ?T:socket(Near), Id, First, 2, Number) || First <- [1, 2]],
    Sum = case random(?ENDS) of
        far_dies -> far_dies({Near, Id}, {Far, FId}, Number, Senders, Came);
        End -> finish(End, {Near, Id}, {Far, FId}, Number, Senders)
    end,
    true = ets:info(Came, size) =:= maps:get(came, Sum),
    ets:delete(Came),
    Sum#{lives => 1}.

options() ->
    [inet, {sctp_nodelay, random([true, false])}, {batch, random([1, 1, 5, 64])},
     {sctp_rtoinfo, #sctp_rtoinfo{initial = 200, min = 100, max = 1000}}].

mode() -> random([recv, recv_batch, true, once, 5, 100]).

random(List) -> lists:nth(rand:uniform(length(List)), List).

finish(eof, {Near, Id}, {Far, FId}, Number, Senders) ->
    read(Far, FId, Number),
    ok = ?M:eof(?T:socket(Near), #sctp_assoc_change{assoc_id = Id}),
    ended(shutdown_comp, [{Near, Id}, {Far, FId}]),
    #{sent := Number, came := Number, failed := 0} =
        balance(Senders, {Near, Id}, {Far, FId}, all);
finish(near_aborts, {Near, Id}, {Far, FId}, Number, Senders) ->
    read(Far, FId, rand:uniform(Number)),
    ok = aborted(Near, Id),
    ended(comm_lost, [{Near, Id}, {Far, FId}]),
    balance(Senders, {Near, Id}, {Far, FId}, epipe);
finish(far_aborts, {Near, Id}, {Far, FId}, Number, Senders) ->
    read(Far, FId, rand:uniform(Number)),
    ok = aborted(Far, FId),
    ended(comm_lost, [{Near, Id}, {Far, FId}]),
    balance(Senders, {Near, Id}, {Far, FId}, epipe);
finish(near_dies, {Near, _}, {Far, FId}, Number, Senders) ->
    read(Far, FId, rand:uniform(Number)),
    ok = ?T:kill(Near),
    %% What the kernel has taken is delivered still.
    ended(shutdown_comp, [{Far, FId}]),
    Sum = ?T:balance(sent(Senders, closed), ?T:no_account(), [?T:account(Far, FId)]),
    ok = ?T:stop(Far),
    Sum.

far_dies({Near, Id}, {Far, FId}, Number, Senders, Came) ->
    read(Far, FId, rand:uniform(Number)),
    ok = ?T:kill(Far),
    %% In peace, if there was nothing unread.
    _ = ?T:await(Near, fun(#{Id := #{events := Events}}) ->
        case [State || #sctp_assoc_change{state = State} <- Events, State =/= comm_up] of
            [] -> false;
            [State | _] -> {true, State}
        end
    end),
    Sent = sent(Senders, [epipe, eshutdown]),
    ok = ?T:drain(Near),
    Got = (?T:no_account())#{got := maps:from_list(ets:tab2list(Came))},
    {Sum, Unread} = ?T:add_up(Sent, ?T:account(Near, Id), [Got]),
    ok = ?T:stop(Near),
    Sum#{unread => length(Unread)}.

%% Reads so many messages, in changing modes, now and then none.
read(Far, FId, Number) ->
    lists:foreach(fun(Part) ->
        ?T:await_got(Far, FId, Number * Part div 4),
        ok = ?T:mode(Far, false),
        ok = ?T:mode(Far, mode())
    end, [1, 2, 3]),
    ?T:await_got(Far, FId, Number).

aborted(Agent, Id) ->
    ?M:abort(?T:socket(Agent), #sctp_assoc_change{assoc_id = Id}).

ended(State, Agents) ->
    lists:foreach(fun({Agent, Id}) -> _ = ?T:await_event(Agent, Id, State) end, Agents).

balance(Senders, {Near, Id}, {Far, FId}, End) ->
    Sent = sent(Senders, End),
    lists:foreach(fun ?T:drain/1, [Near, Far]),
    Sum = ?T:balance(Sent, ?T:account(Near, Id), [?T:account(Far, FId)]),
    lists:foreach(fun ?T:stop/1, [Near, Far]),
    Sum.

%% A sender ends when it has sent all, or as the end of the association or socket wants it.
sent(Senders, Ends) ->
    Results = lists:map(fun gen_sctp_test_lib:await/1, Senders),
    [] = [End || {sent, _, End} <- Results,
                 not lists:member(End, [all | lists:flatten([Ends])])],
    Results.

%% Sums.

-spec none() -> sum().
none() ->
    #{lives => 0, sent => 0, came => 0, failed => 0, both => 0, unread => 0}.

-spec add(sum(), sum()) -> sum().
add(A, B) ->
    maps:map(fun(Key, N) -> N + maps:get(Key, A, 0) end, B).

%% @doc The sum of a round.
-spec line(sum()) -> iolist().
line(#{lives := Lives, sent := Sent, came := Came, failed := Failed}) ->
    io_lib:format("~5b lives, ~7b sent, ~7b came, ~6b failed", [Lives, Sent, Came, Failed]).

%% @doc The sum of all, which must add up.
-spec text(sum()) -> iolist().
text(#{lives := Lives, sent := Sent, came := Came, failed := Failed, both := Both,
       unread := Unread}) ->
    Sent = Came + Failed - Both + Unread,
    io_lib:format("~b associations; ~b messages sent = ~b delivered + ~b failed - ~b that did both "
                  "(not acknowledged in time) + ~b unread when their receiver was killed",
                  [Lives, Sent, Came, Failed, Both, Unread]).
