%% @doc Many sockets, and what one costs when nothing happens on it.
-module(sctp_bench_scale).

-export([open/2]).
-export([idle/2]).
-export([connect/2]).
-export([accept/2]).

-include_lib("kernel/include/inet_sctp.hrl").
-include("sctp_bench.hrl").

-define(LOCALHOST, {127, 0, 0, 1}).

%% @doc Opening and closing sockets that do nothing: us and bytes of each.
-spec open(module(), #spec{}) -> sctp_bench_meter:figures().
open(Module, #spec{mode = Mode, count = Count}) ->
    Active = active(Mode),
    %% So that code is loaded and pools have their first memory.
    ok = close(Module, open_many(Module, Active, Count div 100)),
    erlang:garbage_collect(),
    {Memory, Resident} = {erlang:memory(total), sctp_bench_meter:resident()},
    {Opened, Sockets} = timer:tc(fun() -> open_many(Module, Active, Count) end),
    erlang:garbage_collect(),
    {MoreMemory, MoreResident} = {erlang:memory(total), sctp_bench_meter:resident()},
    {Closed, ok} = timer:tc(fun() -> close(Module, Sockets) end),
    [
        {open, Opened / Count},
        {close, Closed / Count},
        {resident, (MoreResident - Resident) / Count},
        {memory, (MoreMemory - Memory) / Count}
    ].

%% @doc What a node costs in which nothing happens: us of CPU time a second,
%% without sockets and with so many that listen and are active.
-spec idle(module(), #spec{}) -> sctp_bench_meter:figures().
idle(Module, #spec{mode = Mode, count = Count}) ->
    Seconds = 5,
    Without = asleep(Seconds),
    Sockets = open_many(Module, active(Mode), Count),
    lists:foreach(fun(S) -> ok = Module:listen(S, 128) end, Sockets),
    With = asleep(Seconds),
    ok = close(Module, Sockets),
    [{idle_without, Without / Seconds}, {idle_cpu, With / Seconds}].

%% The time that passes is the case itself here.
asleep(Seconds) ->
    Cpu = sctp_bench_meter:cpu_time(),
    timer:sleep(1000 * Seconds),
    sctp_bench_meter:cpu_time() - Cpu.

%% @doc Open, connect, close, one after the other: us of each turn.
-spec connect(module(), #spec{}) -> sctp_bench_meter:figures().
connect(Module, #spec{count = Count} = Spec) ->
    {S, Port} = sctp_bench_lib:open(Module, Spec),
    ok = inet:setopts(S, [{active, true}]),
    ok = connect_many(Module, Port, sctp_bench_lib:warmup(Spec)),
    Meter = sctp_bench_meter:start(),
    ok = connect_many(Module, Port, Count),
    sctp_bench_meter:stop(Meter, Count).

connect_many(_Module, _Port, 0) ->
    ok;
connect_many(Module, Port, N) ->
    {ok, C} = Module:open([{ip, ?LOCALHOST}, {sctp_nodelay, true}]),
    {ok, #sctp_assoc_change{state = comm_up}} = Module:connect(C, ?LOCALHOST, Port, []),
    ok = Module:close(C),
    %% The server reads of it, as a server does.
    receive {sctp, _, _, _, {_, #sctp_assoc_change{state = shutdown_comp}}} -> ok end,
    connect_many(Module, Port, N - 1).

%% @doc The same, and each association is accepted and its socket closed.
-spec accept(module(), #spec{}) -> sctp_bench_meter:figures().
accept(Module, #spec{count = Count} = Spec) ->
    {ok, L} = Module:open([{ip, ?LOCALHOST}, {type, stream}, {sctp_nodelay, true}]),
    ok = Module:listen(L, 128),
    {ok, Port} = inet:port(L),
    ok = accept_many(Module, L, Port, sctp_bench_lib:warmup(Spec)),
    Meter = sctp_bench_meter:start(),
    ok = accept_many(Module, L, Port, Count),
    sctp_bench_meter:stop(Meter, Count).

accept_many(_Module, _L, _Port, 0) ->
    ok;
accept_many(Module, L, Port, N) ->
    {ok, C} = Module:open([{ip, ?LOCALHOST}, {sctp_nodelay, true}]),
    {ok, #sctp_assoc_change{state = comm_up}} = Module:connect(C, ?LOCALHOST, Port, []),
    {ok, S} = Module:accept(L, infinity),
    ok = Module:close(S),
    ok = Module:close(C),
    accept_many(Module, L, Port, N - 1).

open_many(Module, Active, Count) ->
    [
        begin
            {ok, S} = Module:open([{ip, ?LOCALHOST}, {active, Active}]),
            S
        end
     || _ <- lists:seq(1, Count)
    ].

close(Module, Sockets) ->
    lists:foreach(fun(S) -> ok = Module:close(S) end, Sockets).

active(passive) -> false;
active(Mode) -> Mode.
