%% @doc What the machine has spent on a stretch of work.
-module(sctp_bench_meter).

-export([start/0]).
-export([stop/2]).
-export([resident/0]).
-export([cpu_time/0]).

-export_type([reading/0, figures/0]).

-type figures() :: [{atom() | string(), number()}].
-type syscalls() :: #{binary() => non_neg_integer()}.
-type threads() :: [file:io_device()].
-opaque reading() :: {integer(), threads(), float(), float(), integer(), syscalls()}.

%% @doc The state of all meters before the work.
-spec start() -> reading().
start() ->
    Threads = threads(),
    {Idle, Switches, Syscalls, Cpu} = {idle_time(), switches(), syscalls(), cpu_time(Threads)},
    %% The clock last, as it is the first in stop.
    {erlang:monotonic_time(), Threads, Cpu, Idle, Switches, Syscalls}.

%% @doc What each of N units of work has cost: elapsed time, CPU time of this
%% node, idle time of all processors (us), context switches of the machine and,
%% if they are counted, its system calls.
-spec stop(reading(), pos_integer()) -> figures().
stop({Start, Threads, Cpu, Idle, Switches, Syscalls}, N) ->
    Elapsed = erlang:monotonic_time() - Start,
    CpuUsed = cpu_time(Threads) - Cpu,
    Called = [
        {"sys_" ++ binary_to_list(Name), (Calls - maps:get(Name, Syscalls, 0)) / N}
     || {Name, Calls} <- maps:to_list(syscalls())
    ],
    Figures = [
        {us, erlang:convert_time_unit(Elapsed, native, nanosecond) / 1000 / N},
        {cpu, CpuUsed / N},
        {idle, (idle_time() - Idle) / N},
        {switches, (switches() - Switches) / N}
        | [Figure || {_, Calls} = Figure <- Called, Calls > 0]
    ],
    lists:foreach(fun file:close/1, Threads),
    Figures.

%% @doc CPU time of the node in us, user and system, of all threads.
-spec cpu_time() -> float().
cpu_time() ->
    Threads = threads(),
    Time = cpu_time(Threads),
    lists:foreach(fun file:close/1, Threads),
    Time.

%% Open files: reading them is little work, and so little of it is measured.
threads() ->
    {ok, Names} = file:list_dir("/proc/self/task"),
    [
        begin
            {ok, Fd} = file:open(["/proc/self/task/", Name, "/schedstat"], [raw, binary]),
            Fd
        end
     || Name <- Names
    ].

cpu_time(Threads) ->
    lists:sum([thread_time(Thread) || Thread <- Threads]).

%% The first number of sched-stats.rst: ns on the processor.
thread_time(Thread) ->
    case file:pread(Thread, 0, 64) of
        {ok, Stat} ->
            [Time | _] = binary:split(Stat, <<" ">>),
            binary_to_integer(Time) / 1000;
        {error, esrch} ->
            0.0
    end.

%% @doc Bytes of memory of the node that are in use, by the kernel's count.
-spec resident() -> non_neg_integer().
resident() ->
    1024 * number("VmRSS:\\s+(\\d+)", read("/proc/self/status")).

idle_time() ->
    [_, Seconds] = string:lexemes(read("/proc/uptime"), " \n"),
    1.0e6 * binary_to_float(Seconds).

switches() ->
    number("ctxt (\\d+)", read("/proc/stat")).

%% The histogram that bench/guest has the kernel keep, if it does.
syscalls() ->
    case os:getenv("SCTP_BENCH_SYSCALLS") of
        false ->
            #{};
        File ->
            Lines = re:run(read(File), "id: sys_(\\w+) .*hitcount: +(\\d+)",
                [global, {capture, all_but_first, binary}]),
            case Lines of
                {match, Found} ->
                    maps:from_list([{Name, binary_to_integer(Calls)} || [Name, Calls] <- Found]);
                nomatch ->
                    #{}
            end
    end.

number(Pattern, Text) ->
    {match, [Digits]} = re:run(Text, Pattern, [{capture, all_but_first, binary}]),
    binary_to_integer(Digits).

read(File) ->
    {ok, Text} = file:read_file(File),
    Text.
