%% @doc One message there and back again: how long that takes.
-module(sctp_bench_pingpong).

-export([run/2]).

-include("sctp_bench.hrl").

%% @doc Median, 99th percentile and mean of the round trips.
-spec run(module(), #spec{}) -> sctp_bench_meter:figures().
run(Module, #spec{size = Size, count = Count} = Spec) ->
    Port = echo(Module, Spec),
    {S, _} = sctp_bench_lib:open(Module, Spec),
    Id = sctp_bench_lib:connect(Module, S, Port),
    ok = sctp_bench_lib:start_receiving(S, Spec),
    Data = binary:copy(<<"x">>, Size),
    %% Off the heap, so that keeping the times does not cost collections.
    Kept = atomics:new(max(Count, sctp_bench_lib:warmup(Spec)), []),
    ok = trips(Module, S, Id, Data, Spec, sctp_bench_lib:warmup(Spec), Kept),
    Meter = sctp_bench_meter:start(),
    ok = trips(Module, S, Id, Data, Spec, Count, Kept),
    [{us, Mean} | Figures] = sctp_bench_meter:stop(Meter, Count),
    Times = lists:sort([
        erlang:convert_time_unit(atomics:get(Kept, N), native, nanosecond) / 1000
     || N <- lists:seq(1, Count)
    ]),
    [
        {us, sctp_bench_lib:percentile(0.5, Times)},
        {p99, sctp_bench_lib:percentile(0.99, Times)},
        {mean, Mean}
        | Figures
    ].

trips(_Module, _S, _Id, _Data, _Spec, 0, _Kept) ->
    ok;
trips(Module, S, Id, Data, Spec, N, Kept) ->
    Start = erlang:monotonic_time(),
    _ = sctp_bench_lib:send(Module, S, Id, Data),
    Id = sctp_bench_lib:receive_message(Module, S, Spec),
    atomics:put(Kept, N, erlang:monotonic_time() - Start),
    trips(Module, S, Id, Data, Spec, N - 1, Kept).

%% A process that sends back what comes, on the association it came on.
echo(Module, Spec) ->
    Parent = self(),
    {Pid, MRef} = spawn_monitor(fun() ->
        {S, Port} = sctp_bench_lib:open(Module, Spec),
        ok = sctp_bench_lib:start_receiving(S, Spec),
        Parent ! {self(), Port},
        Data = binary:copy(<<"x">>, Spec#spec.size),
        echo_loop(Module, S, Data, Spec, sctp_bench_lib:warmup(Spec) + Spec#spec.count)
    end),
    receive
        {Pid, Port} -> Port;
        {'DOWN', MRef, process, Pid, Reason} -> error({echo, Reason})
    end.

echo_loop(_Module, _S, _Data, _Spec, 0) ->
    receive stop -> ok end;
echo_loop(Module, S, Data, Spec, N) ->
    Id = sctp_bench_lib:receive_message(Module, S, Spec),
    _ = sctp_bench_lib:send(Module, S, Id, Data),
    echo_loop(Module, S, Data, Spec, N - 1).
