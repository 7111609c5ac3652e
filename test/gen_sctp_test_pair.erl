%% @doc An agent ({@link gen_sctp_test_traffic}) on each of two hosts ({@link gen_sctp_test_net}),
%% an association between them, and senders both ways; how it ends, and whether the sums are right.
-module(gen_sctp_test_pair).

-include_lib("common_test/include/ct.hrl").
-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([pair/5]).
-export([agent/5]).
-export([ends/1]).
-export([await_random/1]).

%% Ends.
-export([sums/1]).
-export([finish/1]).
-export([finish_sending/1]).
-export([stop/1]).

-import(gen_sctp_test_lib, [mod/1, family/1]).

-define(NET, gen_sctp_test_net).
-define(T, gen_sctp_test_traffic).

-type config() :: [{atom(), term()}].
-type pair() :: #{m := module(), near := pid(), far := pid(), nid := integer(), fid := integer(),
                  senders := [[gen_sctp_test_lib:task()]]}.
-type sum() :: #{sent | came | failed | both => non_neg_integer()}.

-export_type([pair/0]).

%% @doc Sockets with their addresses on these paths, with all if there are none.
-spec pair(config(), [?NET:path()], ?T:mode(), ?T:mode(), [term()]) -> pair().
pair(Config, Paths, NearMode, FarMode, Opts) ->
    M = mod(Config),
    Near = agent(Config, near, Paths, NearMode, Opts),
    Far = agent(Config, far, Paths, FarMode, Opts),
    {Id, FId} = ?T:connect(Near, Far, ?NET:address(far, family(Config), 0)),
    Senders = [[?T:sender(M, ?T:socket(Agent), AssocId, First, 2, 1 bsl 30) || First <- [1, 2]]
               || {Agent, AssocId} <- [{Near, Id}, {Far, FId}]],
    #{m => M, near => Near, far => Far, nid => Id, fid => FId, senders => Senders}.

%% @doc Each agent, its association's id, and its peer's host.
-spec ends(pair()) -> [{pid(), integer(), ?NET:host()}].
ends(#{near := Near, far := Far, nid := Id, fid := FId}) ->
    [{Near, Id, far}, {Far, FId, near}].

-spec agent(config(), ?NET:host(), [?NET:path()], ?T:mode(), [term()]) -> pid().
agent(Config, Host, Paths, Mode, Opts) ->
    Addresses = [{ip, ?NET:address(Host, family(Config), Path)} || Path <- Paths],
    Buffers = [{Name, Size} || {Name, Size} <- [{recbuf, 1000000}, {sndbuf, 1000000}],
                               not proplists:is_defined(Name, Opts)],
    ?T:start(mod(Config), [family(Config), ?NET:netns(?config(net, Config), Host)
                           | Addresses ++ Buffers ++ possible(mod(Config), Opts)], Mode).

%% OTP 25 loses pieces of messages that are longer than `buffer', and Debian's refuses an option.
possible(gen_sctp, Opts) -> [{buffer, 200000} | lists:keydelete(sctp_delayed_ack_time, 1, Opts)];
possible(_, Opts) -> Opts.

%% @doc Some messages have come, both ways.
-spec await_random(pair()) -> ok.
await_random(Pair) ->
    lists:foreach(fun({Agent, Id, _}) -> ?T:await_got(Agent, Id, rand:uniform(1000)) end,
                  ends(Pair)).

%% Ends.

%% @doc The association has ended in between: the sums of both directions.
-spec sums(pair()) -> [sum()].
sums(#{near := Near, far := Far, nid := Id, fid := FId, senders := Senders}) ->
    [Sent, FarSent] = [lists:map(fun gen_sctp_test_lib:await/1, S) || S <- Senders],
    ?assertEqual([epipe], lists:usort([End || {sent, _, End} <- Sent ++ FarSent])),
    [ok = ?T:drain(Agent) || Agent <- [Near, Far]],
    both_ways(Sent, ?T:account(Near, Id), FarSent, ?T:account(Far, FId)).

both_ways(Sent, Account, FarSent, FarAccount) ->
    [?T:balance(Sent, Account, [FarAccount]), ?T:balance(FarSent, FarAccount, [Account])].

%% @doc Ends the association in peace: nothing has failed.
-spec finish(pair()) -> [sum()].
finish(#{near := Near, far := Far, nid := Id, fid := FId} = Pair) ->
    [Sent, FarSent] = finish_sending(Pair),
    Sums = both_ways(Sent, ?T:account(Near, Id), FarSent, ?T:account(Far, FId)),
    [?assertMatch(#{failed := 0}, Sum) || Sum <- Sums],
    Sums.

%% @doc The same, but what was sent is left to be added up.
-spec finish_sending(pair()) -> [[?T:sent()]].
finish_sending(#{m := M, near := Near, far := Far, nid := Id, fid := FId, senders := Senders}) ->
    lists:foreach(fun ?T:halt_sender/1, lists:append(Senders)),
    Sent = [lists:map(fun gen_sctp_test_lib:await/1, S) || S <- Senders],
    ok = M:eof(?T:socket(Near), #sctp_assoc_change{assoc_id = Id}),
    [?T:await_event(Agent, AssocId, shutdown_comp) || {Agent, AssocId} <- [{Near, Id}, {Far, FId}]],
    Sent.

-spec stop(pair()) -> ok.
stop(#{near := Near, far := Far}) ->
    ok = ?T:stop(Near),
    ok = ?T:stop(Far).
