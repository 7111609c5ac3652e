%% @doc Runs a scenario through gen_sctp and through gen_sctp_nif and compares what came out.
%%
%% A scenario is a name and a function of the module under test. It runs in a process of its own;
%% its outcome is what it returned or raised, and what was left in its mailbox. Terms are
%% normalised only where they cannot be equal: sockets, references, ports that the kernel chose,
%% association ids, TSNs and measured times. A port or id that the scenario made known with
%% `note/2' keeps its name, so that one cannot stand for another.
-module(gen_sctp_nif_diff).

-include_lib("kernel/include/inet_sctp.hrl").

-export([check/3]).
-export([outcome/2]).
-export([note/2]).
-export([normalise/1]).

%% Building blocks of scenarios.
-export([socket/1]).
-export([socket/2]).
-export([pair/1]).
-export([pair/3]).
-export([seen/2]).

-export_type([scenario/0]).

-type scenario() :: {Name :: term(), fun((module()) -> term())}.
%% The name of an intended difference and what gen_sctp_nif gives where stock gives Stock.
-type intended() :: fun((Name :: term(), Stock :: term()) -> same | {Id :: atom(), Nif :: term()}).

-define(TIMEOUT, 8000).

%% @doc Runs all scenarios through both. Fails with every difference that is not intended, after
%% printing both terms; and with one that is expected to be met here and was not. Whether a
%% `{perhaps, Id}' is met is a matter of time.
-spec check([scenario()], [atom() | {perhaps, atom()}], intended()) -> ok.
check(Scenarios, Expected, Intended) ->
    %% Each name once: it says which scenario it was, and the table which difference is meant.
    Names = [Name || {Name, _} <- Scenarios],
    [] = Names -- lists:usort(Names),
    Met = [compare(Scenario, Intended) || Scenario <- Scenarios],
    case [Name || {different, Name} <- Met] of
        [] ->
            Count = [{Id, length([Id || {intended, Same} <- Met, Same =:= Id])}
                     || Id <- lists:usort([Id || {intended, Id} <- Met])],
            ct:pal("~b scenarios, intended differences ~p", [length(Scenarios), Count]),
            ct:comment("~b scenarios, ~b of them differ as intended",
                       [length(Scenarios), lists:sum([N || {_, N} <- Count])]),
            Perhaps = [Id || {perhaps, Id} <- Expected],
            {_, []} = {not_met, [Id || Id <- Expected, is_atom(Id)] -- [Id || {Id, _} <- Count]},
            {_, []} = {not_expected, [Id || {Id, _} <- Count] -- (Expected ++ Perhaps)},
            ok;
        Different ->
            error({different, length(Different), of_scenarios, length(Scenarios), Different})
    end.

compare({Name, Fun}, Intended) ->
    Stock = outcome(gen_sctp, Fun),
    Nif = outcome(gen_sctp_nif, Fun),
    case Intended(Name, Stock) of
        {Id, Nif} -> {intended, Id};
        Expected ->
            case Expected =:= same andalso Nif =:= Stock andalso not broken(Nif) of
                true -> same;
                false -> differs(Name, Stock, Nif, Expected)
            end
    end.

differs(Name, Stock, Nif, Expected) ->
    ct:pal(error, "~p~n  stock    ~p~n  nif      ~p~n  expected ~p",
           [Name, Stock, Nif, Expected]),
    {different, Name}.

%% Who hangs, waits in vain or fails in the scenario's own code has shown nothing. No function of
%% gen_sctp_nif raises what does not match.
broken({Result, {mailbox, _}}) -> broken(Result);
broken({raised, error, Reason}) -> lists:member(Reason, [badmatch, case_clause]);
broken(hangs) -> true;
broken({died, _}) -> true;
broken(Result) -> waited_in_vain(Result).

waited_in_vain(nothing) -> true;
waited_in_vain(Tuple) when is_tuple(Tuple) -> waited_in_vain(tuple_to_list(Tuple));
waited_in_vain([Head | Tail]) -> waited_in_vain(Head) orelse waited_in_vain(Tail);
waited_in_vain(_) -> false.

%% @doc What a scenario gives with this implementation.
-spec outcome(module(), fun((module()) -> term())) -> term().
outcome(M, Fun) ->
    {Pid, Monitor} = spawn_monitor(fun() -> exit({outcome, run(M, Fun)}) end),
    receive
        {'DOWN', Monitor, process, Pid, {outcome, Outcome}} -> Outcome;
        {'DOWN', Monitor, process, Pid, Reason} -> {died, Reason}
    after ?TIMEOUT ->
        demonitor(Monitor, [flush]),
        exit(Pid, kill),
        hangs
    end.

run(M, Fun) ->
    put(?MODULE, #{}),
    put({?MODULE, sockets}, []),
    Result = try
                 {returned, Fun(M)}
             catch
                 Class:Reason -> {raised, Class, reason(Reason)}
             end,
    %% A port is closed with its owner. It can no longer send anything then.
    case normalise(gen_sctp_test_lib:mailbox()) of
        [] -> normalise(Result);
        Left -> {normalise(Result), {mailbox, Left}}
    end.

%% Which clause of which internal function did not match is nobody's business.
reason(Reason) when is_tuple(Reason) -> element(1, Reason);
reason(Reason) -> Reason.

%% @doc Gives a port number or an association id a name.
-spec note(non_neg_integer(), atom()) -> ok.
note(Number, Name) ->
    put(?MODULE, (get(?MODULE))#{Number => Name}),
    ok.

%% Building blocks.

%% @doc A passive socket of its own on the loopback address.
-spec socket(module()) -> term().
socket(M) ->
    socket(M, [inet]).

%% @doc The same with further options, which name the family.
-spec socket(module(), [term()]) -> term().
socket(M, Opts) ->
    {ok, S} = M:open([{ip, loopback}, {sctp_nodelay, true}, {recbuf, 262144}, {sndbuf, 262144}
                      | Opts]),
    %% Known as long as the process lives: a socket of ours that nobody knows gets closed.
    case get({?MODULE, sockets}) of
        undefined -> ok;
        Sockets -> put({?MODULE, sockets}, [S | Sockets])
    end,
    S.

%% @doc Two connected sockets whose ports and ids have names.
-spec pair(module()) -> gen_sctp_test_lib:pair().
pair(M) ->
    pair(M, [inet], [inet]).

-spec pair(module(), [term()], [term()]) -> gen_sctp_test_lib:pair().
pair(M, ServerOpts, ClientOpts) ->
    S = socket(M, ServerOpts),
    C = socket(M, ClientOpts),
    ok = M:listen(S, true),
    {ok, {IP, _}} = inet:sockname(S),
    #{sport := SPort, cport := CPort, sid := SId, cid := CId} = Pair =
        gen_sctp_test_lib:join(M, IP, S, C),
    lists:foreach(fun({Number, Name}) -> note(Number, Name) end,
                  [{SPort, server_port}, {CPort, client_port}, {SId, server_id},
                   {CId, client_id}]),
    Pair.

%% @doc The next messages of a passive socket.
-spec seen(term(), {module(), pos_integer()}) -> [term()].
seen(S, {M, Number}) ->
    [M:recv(S, 5000) || _ <- lists:seq(1, Number)].

%% Normal form.

-spec normalise(term()) -> term().
normalise({'$inet', gen_sctp_nif, Ref}) when is_reference(Ref) ->
    socket;
normalise(Port) when is_port(Port) ->
    socket;
normalise(Pid) when is_pid(Pid) ->
    pid;
normalise(Ref) when is_reference(Ref) ->
    reference;
normalise({sctp_default_send_param, #sctp_sndrcvinfo{} = Info}) ->
    %% OTP shows whatever memory holds in these; that we give 0 has a test of its own.
    {sctp_default_send_param, normalise(Info#sctp_sndrcvinfo{ssn = 0, tsn = 0, cumtsn = 0})};
normalise(#sctp_sndrcvinfo{tsn = Tsn, cumtsn = CumTsn, assoc_id = Id} = Info) ->
    list_to_tuple([normalise(Field) || Field <- tuple_to_list(
        Info#sctp_sndrcvinfo{tsn = tsn(Tsn), cumtsn = cumtsn(CumTsn, Tsn), assoc_id = id(Id)})]);
normalise(#sctp_assoc_change{assoc_id = Id} = Event) ->
    Event#sctp_assoc_change{assoc_id = id(Id)};
normalise(#sctp_paddr_change{addr = Addr, assoc_id = Id} = Event) ->
    Event#sctp_paddr_change{addr = normalise(Addr), assoc_id = id(Id)};
normalise(#sctp_remote_error{assoc_id = Id} = Event) ->
    Event#sctp_remote_error{assoc_id = id(Id)};
normalise(#sctp_send_failed{info = Info, assoc_id = Id} = Event) ->
    Event#sctp_send_failed{info = normalise(Info), assoc_id = id(Id)};
normalise(#sctp_shutdown_event{assoc_id = Id}) ->
    #sctp_shutdown_event{assoc_id = id(Id)};
normalise(#sctp_adaptation_event{assoc_id = Id} = Event) ->
    Event#sctp_adaptation_event{assoc_id = id(Id)};
normalise(#sctp_pdapi_event{assoc_id = Id} = Event) ->
    Event#sctp_pdapi_event{assoc_id = id(Id)};
normalise(#sctp_paddrinfo{address = Address, assoc_id = Id} = Info) when Address =/= undefined ->
    %% Measured by the kernel.
    Info#sctp_paddrinfo{address = normalise(Address), assoc_id = id(Id), cwnd = cwnd,
                        srtt = srtt, rto = rto};
normalise(#sctp_status{primary = Primary, assoc_id = Id} = Status) when Primary =/= undefined ->
    Status#sctp_status{primary = normalise(Primary), assoc_id = id(Id)};
normalise(#sctp_rtoinfo{assoc_id = Id} = Record) ->
    Record#sctp_rtoinfo{assoc_id = id(Id)};
normalise(#sctp_assocparams{assoc_id = Id} = Record) ->
    Record#sctp_assocparams{assoc_id = id(Id)};
normalise(#sctp_prim{assoc_id = Id, addr = Addr}) ->
    #sctp_prim{assoc_id = id(Id), addr = normalise(Addr)};
normalise(#sctp_paddrparams{assoc_id = Id, address = Addr} = Record) ->
    Record#sctp_paddrparams{assoc_id = id(Id), address = normalise(Addr)};
normalise(#sctp_assoc_value{assoc_id = Id} = Record) ->
    Record#sctp_assoc_value{assoc_id = id(Id)};
normalise({error, {type, _}}) ->
    %% The inside of prim_inet.
    {error, type};
normalise({error, {merge, _, _}}) ->
    {error, merge};
normalise({IP, Port, Anc, Content}) when is_tuple(IP), is_integer(Port), is_list(Anc) ->
    {IP, port(Port), normalise(Anc), normalise(Content)};
normalise({IP, Port}) when is_tuple(IP), is_integer(Port), size(IP) =:= 4;
                           is_tuple(IP), is_integer(Port), size(IP) =:= 8 ->
    {IP, port(Port)};
normalise({Tag, S, IP, Port, Content}) when Tag =:= sctp; Tag =:= sctp_error ->
    {Tag, normalise(S), IP, port(Port), normalise(Content)};
%% The bytes of an address that a passive receive gives with an error event.
normalise([1, High, Low | IP]) when length(IP) =:= 4, is_integer(High) ->
    {raw, inet, port(High * 256 + Low), IP};
normalise([2, High, Low | IP]) when length(IP) =:= 16, is_integer(High) ->
    {raw, inet6, port(High * 256 + Low), IP};
normalise({connectx, {ok, Id}}) ->
    {connectx, {ok, id(Id)}};
normalise({port, {ok, Port}}) ->
    {port, {ok, port(Port)}};
normalise(Tuple) when is_tuple(Tuple) ->
    list_to_tuple(normalise(tuple_to_list(Tuple)));
normalise([Head | Tail]) ->
    [normalise(Head) | normalise(Tail)];
normalise(Term) ->
    Term.

id(Id) when is_integer(Id), Id > 0 -> maps:get(Id, get(?MODULE), some_id);
id(Id) -> Id.

%% 32768 to 60999 are the kernel's to choose from.
port(Port) when Port >= 32768, Port < 61000 -> maps:get(Port, get(?MODULE), some_port);
port(Port) -> Port.

tsn(Tsn) when is_integer(Tsn), Tsn > 0 -> tsn;
tsn(Tsn) -> Tsn.

cumtsn(Tsn, Tsn) when is_integer(Tsn), Tsn > 0 -> tsn;
cumtsn(CumTsn, _) -> CumTsn.
