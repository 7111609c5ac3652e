%% @doc The long load: rounds of lives ({@link sctp_soak_life}), as many at once as keep the machine
%% busy. After each round, with nothing going on, descriptors, sockets and the kernel's sockets must
%% be what they were at the start; at the end the memory of all these moments must be flat.
%%
%% Started by test/soak/run; writes `samples.jsonl', for the plot.
-module(sctp_soak).

-export([main/1]).

-define(NET, gen_sctp_test_net).
-define(WORKERS, 4).
-define(ROUND, 20).
%% Seconds that a round may take longer, until all lives have ended.
-define(PATIENCE, 300).
%% A process and the allocators take their time to find their size.
-define(WARM_UP, 3).

%% @doc Called by `erl -s' with the number of seconds and a directory; ends the node.
-spec main([atom()]) -> no_return().
main([Seconds, Dir]) ->
    try
        ok = run(list_to_integer(atom_to_list(Seconds)), atom_to_list(Dir)),
        halt(0)
    catch
        throw:{soak, Text} ->
            io:format(standard_error, "make soak: ~ts~n", [Text]),
            halt(1);
        Class:Reason:Stack ->
            io:format(standard_error, "make soak: ~tp~n", [{Class, Reason, Stack}]),
            halt(1)
    end.

fail(Format, Args) ->
    throw({soak, io_lib:format(Format, Args)}).

run(Seconds, Dir) ->
    {ok, _} = application:ensure_all_started(gen_sctp_nif),
    {ok, Net} = ?NET:start(),
    ok = ?NET:impair(Net, 0, "loss 1% delay 1ms"),
    {ok, File} = file:open(filename:join(Dir, "samples.jsonl"), [write]),
    Start = now_ms(),
    Sampler = spawn_opt(fun() -> sample(Net, File, Start) end, [link, {priority, high}]),
    State = #{net => Net, base => counts(Net), sampler => Sampler, start => Start,
              stop => Start + Seconds * 1000},
    {Totals, Quiet} = rounds(State, sctp_soak_life:none(), []),
    Sampler ! {stop, self()},
    receive {Sampler, stopped} -> ok end,
    ok = file:close(File),
    ok = ?NET:stop(Net),
    io:format("~n~ts~n", [sctp_soak_life:text(Totals)]),
    flat(lists:reverse(Quiet)).

rounds(#{net := Net, start := Start, stop := Stop} = State, Totals, Quiet) ->
    Sum = round(Net, min(now_ms() + ?ROUND * 1000, Stop)),
    Calm = calm(State, now_ms() + ?PATIENCE * 1000),
    io:format("~5b s: ~ts; total ~.1f, binary ~.2f, resident ~.1f MB~n",
              [(now_ms() - Start) div 1000, sctp_soak_life:line(Sum)
               | [maps:get(Key, Calm) / 1.0e6 || Key <- [total, binary, resident]]]),
    New = sctp_soak_life:add(Sum, Totals),
    case now_ms() < Stop of
        true -> rounds(State, New, [Calm | Quiet]);
        false -> {New, [Calm | Quiet]}
    end.

now_ms() -> erlang:monotonic_time(millisecond).

%% One round: every worker has one life after the other until it is time.
round(Net, End) ->
    Workers = [spawn_monitor(fun() -> exit({done, work(Net, End, sctp_soak_life:none())}) end)
               || _ <- lists:seq(1, ?WORKERS)],
    Limit = End + ?PATIENCE * 1000,
    lists:foldl(fun({Pid, Monitor}, Sum) ->
        receive
            {'DOWN', Monitor, process, Pid, {done, One}} ->
                sctp_soak_life:add(One, Sum);
            {'DOWN', Monitor, process, Pid, Reason} ->
                fail("a life has gone wrong: ~tp", [Reason])
        after max(0, Limit - now_ms()) ->
            fail("a life does not end: ~tp", [process_info(Pid, current_stacktrace)])
        end
    end, sctp_soak_life:none(), Workers).

work(Net, End, Sum) ->
    case now_ms() < End of
        true -> work(Net, End, sctp_soak_life:add(sctp_soak_life:run(Net), Sum));
        false -> Sum
    end.

%% Nothing goes on: all is given back.
calm(#{net := Net, base := Base, sampler := Sampler} = State, Deadline) ->
    lists:foreach(fun erlang:garbage_collect/1, processes()),
    case counts(Net) of
        Base ->
            Sampler ! {calm, self()},
            receive {Sampler, Sample} -> Sample end;
        Now ->
            now_ms() < Deadline orelse
                fail("not given back: ~tp; at the start: ~tp",
                     [maps:filter(fun(Key, N) -> maps:get(Key, Base) =/= N end, Now), Base]),
            receive after 100 -> calm(State, Deadline) end
    end.

%% What must be as it was.
counts(Net) ->
    maps:merge(maps:remove(opened, gen_sctp_nif:info()),
               #{descriptors => descriptors(), kernel_sockets => kernel(Net, "eps"),
                 kernel_associations => kernel(Net, "assocs"),
                 monitored => length(element(2, process_info(self(), monitors)))}).

descriptors() ->
    {ok, Names} = file:list_dir("/proc/self/fd"),
    length(Names).

%% Each host has a table of its own; its first line is a heading.
kernel(#{near := Near, far := Far}, Table) ->
    lists:sum([begin
                   File = lists:flatten(io_lib:format("/proc/~s/net/sctp/~s", [Process, Table])),
                   length(lines(File)) - 1
               end || Process <- ["self", integer_to_list(Near), integer_to_list(Far)]]).

lines(File) ->
    {ok, Text} = file:read_file(File),
    binary:split(Text, <<"\n">>, [global, trim]).

%% A line each second, and when all is calm.
sample(Net, File, Start) ->
    receive
        {calm, From} ->
            Sample = measure(Net),
            write(File, Start, true, Sample),
            From ! {self(), Sample},
            sample(Net, File, Start);
        {stop, From} ->
            From ! {self(), stopped}
    after 1000 ->
        write(File, Start, false, measure(Net)),
        sample(Net, File, Start)
    end.

measure(Net) ->
    {ok, Memory} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = binary:split(Memory, <<" ">>, [global]),
    #{total => erlang:memory(total), binary => erlang:memory(binary),
      processes => erlang:memory(processes), resident => binary_to_integer(Pages) * 4096,
      descriptors => descriptors(), sockets => kernel(Net, "eps"),
      associations => kernel(Net, "assocs")}.

write(File, Start, Calm, Sample) ->
    Seconds = (now_ms() - Start) / 1000,
    ok = io:format(File, "{\"seconds\":~.1f,\"calm\":~w~s}~n",
                   [Seconds, Calm, [io_lib:format(",\"~s\":~b", [Key, Value])
                                    || {Key, Value} <- maps:to_list(Sample)]]).

%% Is the last third of the calm moments where the first third is? What grows with every life has
%% had thousands of them.
flat(Samples) ->
    Warm = lists:nthtail(min(?WARM_UP, length(Samples) - 1), Samples),
    Third = max(1, length(Warm) div 3),
    First = lists:sublist(Warm, Third),
    Last = lists:nthtail(length(Warm) - Third, Warm),
    Figures = [{Key, median(Key, First), median(Key, Last), Tolerance}
               || {Key, Tolerance} <- [{total, 1000000}, {binary, 500000}, {resident, 8000000}]],
    [io:format("~s memory when calm: ~.2f MB in the first third, ~.2f MB in the last~n",
               [Key, Before / 1.0e6, After / 1.0e6]) || {Key, Before, After, _} <- Figures],
    case [Key || {Key, Before, After, Tolerance} <- Figures,
                 After > Before + max(Tolerance, Before div 20)] of
        [] -> ok;
        Keys -> fail("memory grows: ~tp", [Keys])
    end.

median(Key, Samples) ->
    Sorted = lists:sort([maps:get(Key, Sample) || Sample <- Samples]),
    lists:nth((length(Sorted) + 1) div 2, Sorted).
