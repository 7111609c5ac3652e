%% @doc The Erlang side of the benchmark, the same code for every module with
%% gen_sctp's functions.
%%
%% `erl ... -s sctp_bench main INSTRUMENT NAME ROUND MODULE CASE...' runs the
%% cases (`kind:size:mode:count', see bench/src/spec.rs) on sockets of MODULE
%% and prints a line of JSON for each figure.
-module(sctp_bench).

-export([main/1]).

-include("sctp_bench.hrl").

%% Milliseconds for a case; the longest ones take some tens of seconds. The counted
%% clock leaps ahead while nobody runs, also while code is read from a busy host.
-define(LIMIT(Instrument), case Instrument of counted -> 900000; _ -> 90000 end).

%% Milliseconds for closing its sockets.
-define(SETTLE, 10000).

%% @doc Called by `erl -s'; ends the node.
-spec main([atom()]) -> no_return().
main([Instrument, Name, Round, Module | Cases]) ->
    Origin = {Instrument, Name, Round},
    try
        Endpoints = endpoints(),
        lists:foreach(
            fun(Case) ->
                run(Origin, Module, parse(Case)),
                settle(Endpoints, erlang:monotonic_time(millisecond) + ?SETTLE)
            end,
            Cases
        ),
        halt(0)
    catch
        Class:Reason:Stack ->
            io:format(standard_error, "~s: ~p~n", [Name, {Class, Reason, Stack}]),
            halt(1)
    end.

%% What closing the sockets of one case takes is not for the next one to pay.
settle(Endpoints, Deadline) ->
    case endpoints() =< Endpoints orelse erlang:monotonic_time(millisecond) > Deadline of
        true -> ok;
        false -> receive after 20 -> settle(Endpoints, Deadline) end
    end.

endpoints() ->
    case file:read_file("/proc/net/sctp/eps") of
        {ok, Table} -> length(binary:matches(Table, <<"\n">>));
        %% The first socket has the kernel load its module.
        {error, enoent} -> 1
    end.

parse(Case) ->
    [Kind, Size, Mode, Count] = string:lexemes(atom_to_list(Case), ":"),
    #spec{
        kind = list_to_atom(Kind),
        size = list_to_integer(Size),
        mode = mode(Mode),
        count = list_to_integer(Count)
    }.

mode("100") -> 100;
mode(Mode) -> list_to_atom(Mode).

%% Who has no such function has no such case.
run(_Origin, gen_sctp, #spec{kind = Kind}) when
    Kind =:= batch; Kind =:= batches; Kind =:= bundle; Kind =:= accept
->
    ok;
run(_Origin, sctp_bench_socket, #spec{kind = Kind, mode = Mode}) when
    Mode =/= passive; Kind =/= oneway, Kind =/= pingpong, Kind =/= accept
->
    ok;
run(Origin, Module, #spec{kind = Kind} = Spec) ->
    Case = case Kind of
        oneway -> fun sctp_bench_stream:one_way/2;
        batch -> fun sctp_bench_stream:one_way/2;
        batches -> fun sctp_bench_stream:one_way/2;
        bundle -> fun sctp_bench_stream:one_way/2;
        senders -> fun sctp_bench_stream:senders/2;
        assocs -> fun sctp_bench_stream:assocs/2;
        sockets -> fun sctp_bench_stream:sockets/2;
        pingpong -> fun sctp_bench_pingpong:run/2;
        handover -> fun sctp_bench_pingpong:run/2;
        open -> fun sctp_bench_scale:open/2;
        idle -> fun sctp_bench_scale:idle/2;
        connect -> fun sctp_bench_scale:connect/2;
        accept -> fun sctp_bench_scale:accept/2
    end,
    lists:foreach(fun(Figure) -> print(Origin, Spec, Figure) end, alone(Origin, Case, Module, Spec)).

%% Each case in a process of its own, whose sockets die with it.
alone({Instrument, _, _}, Case, Module, Spec) ->
    {Pid, MRef} = spawn_monitor(fun() -> exit({result, Case(Module, Spec)}) end),
    receive
        {'DOWN', MRef, process, Pid, {result, Figures}} -> Figures;
        {'DOWN', MRef, process, Pid, Reason} -> failed(Module, {Spec, Reason})
    after ?LIMIT(Instrument) ->
        exit(Pid, kill),
        receive {'DOWN', MRef, process, Pid, _} -> ok end,
        failed(Module, {Spec, stuck})
    end.

%% OTP 25 has stood still with 1 MiB on one processor and less room to receive,
%% the kernel's queues empty: no figures then, and the other cases all the same.
failed(gen_sctp, Reason) ->
    io:format(standard_error, "gen_sctp: ~p~n", [Reason]),
    [];
failed(_Module, Reason) ->
    error(Reason).

print({Instrument, Name, Round}, Spec, {Metric, Value}) ->
    #spec{kind = Kind, size = Size, mode = Mode} = Spec,
    io:format(
        "{\"instrument\":\"~s\",\"implementation\":\"~s\",\"otp\":\"~s\",\"round\":~s,"
        "\"case\":\"~s:~b:~p\",\"metric\":\"~s\",\"value\":~.3f}~n",
        [Instrument, Name, erlang:system_info(otp_release), Round,
            Kind, Size, Mode, Metric, float(Value)]).
