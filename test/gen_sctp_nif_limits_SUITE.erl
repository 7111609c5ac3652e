%% @doc What the system refuses: descriptors, places in an epoll set, threads, memory; and system
%% calls that are interrupted. In nodes of their own. A clear error, no more than that, and
%% afterwards everything works and nothing is lost.
-module(gen_sctp_nif_limits_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [pair/1, pair/3, exchange/1, data/2, next/1, async/1, await/1, until/1, until_blocked/1]).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [no_descriptors, no_descriptors_to_load, no_threads_to_load, full_epoll_set, no_memory,
     failing_calls, batch_without_its_end, interrupted_calls, signals, slow_calls,
     peeled_off_to_no_place].

init_per_testcase(_, Config) -> Config.
end_per_testcase(_, _) -> ok.

config() -> config(gen_sctp_nif).
config(M) -> [{module, M}, {family, inet}].

in_node(Options, Fun) ->
    Node = gen_sctp_test_node:start(Options),
    Result = gen_sctp_test_node:call(Node, Fun),
    ok = gen_sctp_test_node:stop(Node),
    Result.

%% Descriptors.

no_descriptors(_) ->
    [Stock, Ours] = [in_node(#{shell => "ulimit -n 64; "}, fun() -> use_up(M) end)
                     || M <- [gen_sctp, gen_sctp_nif]],
    ?assertEqual([emfile], Stock),
    ?assertEqual(Stock, Ours).

%% Opens as many as can be, again and again; answers the errors.
use_up(M) ->
    Pair = #{s := S, sid := Id} = pair(config(M)),
    Fds = gen_sctp_test_lib:socket_fds(),
    Errors = [begin
                  {Sockets, Error} = open_all(M, []),
                  true = length(Sockets) > 10,
                  %% What there is works.
                  exchange(Pair),
                  M =:= gen_sctp orelse refuses_gently(M, S, Id, Pair),
                  ok = M:close(hd(Sockets)),
                  until(fun() -> gen_sctp_test_lib:socket_fds() < Fds + length(Sockets) end),
                  {ok, Again} = M:open(),
                  [ok = M:close(Socket) || Socket <- [Again | tl(Sockets)]],
                  until(fun() -> gen_sctp_test_lib:socket_fds() =:= Fds end),
                  Error
              end || _ <- lists:seq(1, 5)],
    exchange(Pair),
    lists:usort(Errors).

open_all(M, Sockets) ->
    case M:open() of
        {ok, S} -> open_all(M, [S | Sockets]);
        {error, Reason} -> {Sockets, Reason}
    end.

%% The kernel ends an association that it has no descriptor for; we see to it that it is not asked.
refuses_gently(M, S, Id, Pair) ->
    {error, emfile} = M:peeloff(S, Id),
    {error, emfile} = M:open([{netns, "/proc/self/ns/net"}]),
    exchange(Pair).

no_descriptors_to_load(_) ->
    in_node(#{shell => "ulimit -n 64; "}, fun() ->
        Load = loader(),
        Files = open_files([]),
        {error, on_load_failure} = Load(),
        ok = load_sometime(Load, Files),
        exchange(pair(config()))
    end).

%% Loads the module with the library; all else that is needed is there already.
loader() ->
    [{module, Module} = code:ensure_loaded(Module)
     || Module <- [gen_sctp_nif, gen_sctp_nif_open, gen_sctp_nif_opts, gen_sctp_nif_addr,
                   gen_sctp_test_lib]],
    File = code:which(gen_sctp_nif_prim),
    {ok, Beam} = file:read_file(File),
    fun() -> code:load_binary(gen_sctp_nif_prim, File, Beam) end.

open_files(Files) ->
    case file:open("/dev/null", [raw, read]) of
        {ok, File} -> open_files([File | Files]);
        {error, emfile} -> Files
    end.

load_sometime(Load, [File | Files]) ->
    ok = file:close(File),
    case Load() of
        {module, _} -> lists:foreach(fun file:close/1, Files);
        {error, on_load_failure} -> load_sometime(Load, Files)
    end.

%% Threads: one for the library's two is as bad as none.

no_threads_to_load(_) ->
    as_nobody(fun(Nobody) ->
        Node = gen_sctp_test_node:start(Nobody),
        Load = gen_sctp_test_node:call(Node, fun loader/0),
        Try = fun() -> gen_sctp_test_node:call(Node, Load) end,
        [begin
             allow_threads(Node, Count),
             ?assertEqual({error, on_load_failure}, Try())
         end || Count <- [0, 1]],
        allow_threads(Node, 100),
        ?assertMatch({module, _}, Try()),
        gen_sctp_test_node:call(Node, fun() -> exchange(pair(config())) end),
        ok = gen_sctp_test_node:stop(Node)
    end).

%% Limits do not bind root.
as_nobody(Fun) ->
    Command = "setpriv --reuid=65534 --clear-groups ",
    case os:cmd(Command ++ "cat " ++ code:which(gen_sctp_nif) ++ " >/dev/null") of
        "" -> Fun(#{by => Command});
        Output -> {skip, Output}
    end.

allow_threads(Node, More) ->
    Threads = length([Task || Task <- filelib:wildcard("/proc/[0-9]*/task/*/status"),
                              {ok, Status} <- [file:read_file(Task)],
                              binary:match(Status, <<"\nUid:\t65534\t">>) =/= nomatch]),
    "" = os:cmd(io_lib:format("prlimit --pid ~s --nproc=~b",
                              [gen_sctp_test_node:os_pid(Node), Threads + More])).

%% Limits of the whole machine, which is nobody else's.

with_setting(File, Value, Fun) ->
    case os:getenv("GEN_SCTP_NIF_VM") of
        "1" ->
            {ok, Before} = file:read_file(File),
            ok = file:write_file(File, Value),
            try Fun() after ok = file:write_file(File, Before) end;
        _ ->
            {skip, "a limit of the whole machine"}
    end.

full_epoll_set(_) ->
    as_nobody(fun(Nobody) ->
        with_setting("/proc/sys/fs/epoll/max_user_watches", "64", fun() ->
            in_node(Nobody, fun() ->
                #{m := M, s := S, sid := Id} = Pair = pair(config()),
                Fds = gen_sctp_test_lib:socket_fds(),
                [begin
                     {Sockets, enospc} = open_all(M, []),
                     {error, enospc} = M:peeloff(S, Id),
                     exchange(Pair),
                     [ok = M:close(Socket) || Socket <- Sockets],
                     until(fun() -> gen_sctp_test_lib:socket_fds() =:= Fds end)
                 end || _ <- lists:seq(1, 20)],
                {ok, Peeled} = M:peeloff(S, Id),
                ok = M:close(Peeled)
            end)
        end)
    end).

%% SCTP may use no more memory: there is less room to send, senders wait, or are told so, and go on
%% when it may.
no_memory(_) ->
    File = "/proc/sys/net/sctp/sctp_mem",
    {ok, Enough} = file:read_file(File),
    with_setting(File, Enough, fun() ->
        in_node(#{}, fun() ->
            {_, Plenty} = filled(),
            ok = file:write_file(File, "1 1 1"),
            {Pair = #{m := M, s := S, c := C, cid := Id}, Few} = filled(),
            true = Few < Plenty,
            ok = inet:setopts(C, [{non_block_send, false}]),
            Sender = async(fun() -> M:send(C, Id, 0, numbered(Few)) end),
            until_blocked(Sender),
            [Before] = gen_sctp_test_lib:io_times(),
            receive after 500 -> ok end,
            %% Nobody looks all the time whether there is memory.
            [Now] = gen_sctp_test_lib:io_times(),
            Spent = Now - Before,
            ok = file:write_file(File, Enough),
            Numbers = lists:seq(0, Few),
            Numbers = [begin {_, <<N:16, _/binary>>} = data(M, S), N end || _ <- Numbers],
            ok = await(Sender),
            exchange(Pair),
            {true, _} = {Spent < 250000000, Spent}
        end)
    end).

numbered(N) -> <<N:16, 0:10000/unit:8>>.

%% A pair with as many messages on the way as there is room for.
filled() ->
    #{m := M, c := C, cid := Id} = Pair = pair(config(), [], [{non_block_send, true}]),
    {Pair, gen_sctp_test_lib:until_full(fun(N) -> M:send(C, Id, 0, numbered(N)) end)}.

%% System calls that fail (test/faults/errors.c).

with_errors(Errors) -> with_errors(Errors, []).

with_errors(Errors, Env) -> gen_sctp_test_node:faulty([{"SCTP_TEST_ERRORS", Errors} | Env]).

%% The association of a socket that finds no place in the epoll set after all: nobody could end it.
peeled_off_to_no_place(_) ->
    %% ENOSPC for every third socket.
    in_node(with_errors("epoll_ctl:28:3"), fun() ->
        #{m := M, s := S, c := C, sid := Id, cid := CId} = pair(config()),
        Held = fun() ->
            {gen_sctp_test_lib:socket_fds(), maps:remove(opened, gen_sctp_nif:info())}
        end,
        Before = Held(),
        ?assertEqual({error, enospc}, M:peeloff(S, Id)),
        ?assertMatch(#sctp_assoc_change{state = comm_lost, assoc_id = CId},
                     gen_sctp_test_lib:event(M, C)),
        ?assertEqual(Before, Held()),
        {ok, Next} = M:open([{ip, loopback}]),
        {ok, Port} = inet:port(S),
        {ok, #sctp_assoc_change{assoc_id = NextId}} = M:connect(Next, {127, 0, 0, 1}, Port, []),
        #sctp_assoc_change{state = comm_up, assoc_id = Up} = gen_sctp_test_lib:event(M, S),
        {ok, Peeled} = M:peeloff(S, Up),
        ok = M:send(Next, NextId, 0, <<"through">>),
        ?assertMatch({_, <<"through">>}, gen_sctp_test_lib:data(M, Peeled))
    end).

%% Calls of the kernel that take long hold up nobody else: they have the descriptor, and no other
%% lock of the socket.
slow_calls(_) ->
    File = "/tmp/gen_sctp_nif_slow",
    in_node(gen_sctp_test_node:faulty([{"SCTP_TEST_SLOW", File}]), fun() ->
        [slow_call(File, Slow, Expected) || {Slow, Expected} <- [
            {fun(S) -> gen_sctp_nif:bindx(S, add, [{127, 0, 0, 2}]) end, ok},
            {fun(S) ->
                 inet:setopts(S, lists:duplicate(100, {sctp_nodelay, true}) ++ [{buffer, 5000}])
             end, {error, einval}},
            {fun(S) ->
                 To = [{{127, 0, 0, N}, 9} || N <- lists:seq(1, 100)],
                 gen_sctp_nif:connectx_init(S, To, [])
             end, {error, closed}}
        ]]
    end).

slow_call(File, Slow, Expected) ->
    M = gen_sctp_nif,
    {ok, S} = M:open([{ip, loopback}]),
    {ok, Port} = inet:port(S),
    ok = M:listen(S, true),
    {ok, C} = M:open([{ip, loopback}]),
    {ok, #sctp_assoc_change{assoc_id = Id}} = M:connect(C, {127, 0, 0, 1}, Port, []),
    #sctp_assoc_change{state = comm_up, assoc_id = SId} = gen_sctp_test_lib:event(M, S),
    ok = file:write_file(File, ""),
    Caller = async(fun() -> Slow(S) end),
    until(fun() -> element(2, process_info(element(2, Caller), status)) =:= running end),
    %% All of these need the socket's lock, or its descriptor.
    ok = M:send(C, Id, 0, <<"one">>),
    {ok, {_, _, _, <<"one">>}} = M:recv(S),
    ok = M:send(S, SId, 0, <<"back">>),
    ok = inet:setopts(S, [{active, once}]),
    ok = M:send(C, Id, 0, <<"two">>),
    <<"two">> = next(S),
    {ok, [{active, false}, {buffer, 65536}]} = inet:getopts(S, [active, buffer]),
    {ok, _} = inet:sockname(S),
    %% So does close, which the thread that closes waits for.
    Closer = async(fun() -> M:close(S) end),
    until(fun() -> M:recv(S, 0) =:= {error, closed} end),
    true = is_process_alive(element(2, Caller)),
    ok = file:delete(File),
    %% What has more to do than call the kernel finds the socket closed.
    Expected = await(Caller),
    ok = await(Closer),
    ok = M:close(C).

%% ENOBUFS (105) and ENOMEM (12) now and then, wherever there can be any.
failing_calls(_) ->
    Errors = "socket:105:3 setsockopt:12:7 sendmsg:105:5 recvmsg:12:5 recvmmsg:12:3",
    in_node(with_errors(Errors), fun() ->
        M = gen_sctp_nif,
        Fds = gen_sctp_test_lib:socket_fds(),
        S = patiently(fun() -> M:open([{ip, loopback}, {active, true}]) end),
        {ok, Port} = inet:port(S),
        ok = M:listen(S, true),
        Results = [M:open([{ip, loopback}, {sctp_nodelay, true}]) || _ <- lists:seq(1, 100)],
        [C | _] = Sockets = [Socket || {ok, Socket} <- Results],
        [enobufs, enomem] = lists:usort([Reason || {error, Reason} <- Results]),
        #sctp_assoc_change{assoc_id = Id} =
            patiently(fun() -> M:connect(C, {127, 0, 0, 1}, Port, []) end),
        Sent = [{N, M:send(C, Id, 0, <<N:16>>)} || N <- lists:seq(1, 1000)],
        [ok, {error, enobufs}] = lists:usort([Answer || {_, Answer} <- Sent]),
        Taken = [N || {N, ok} <- Sent],
        Errors1 = received(S, Taken, 0),
        true = Errors1 > 10,
        ok = inet:setopts(S, [{active, false}]),
        true = many_at_a_time(M, S, C, Id) > 10,
        [ok = M:close(Socket) || Socket <- [S | Sockets]],
        until(fun() -> gen_sctp_test_lib:socket_fds() =:= Fds end)
    end).

%% Others have filled the buffer between the first messages of a batch and its last, which alone has
%% the kernel send at once: what was taken arrives all the same. Here each sendmsg(2) finds the
%% buffer full (EAGAIN, 11), and nothing else makes the kernel send: no acknowledgement, no path.
batch_without_its_end(_) ->
    in_node(with_errors("sendmsg:11:1"), fun() ->
        M = gen_sctp_nif,
        {ok, S} = M:open([{ip, {127, 0, 0, 1}}]),
        ok = M:listen(S, true),
        {ok, Port} = inet:port(S),
        [begin
             {ok, C} = M:open([{ip, {127, 0, 0, 1}}, {type, Type}, {sctp_nodelay, true}]),
             #sctp_assoc_change{assoc_id = Id} =
                 patiently(fun() -> M:connect(C, {127, 0, 0, 1}, Port, []) end),
             {ok, {_, _, _, #sctp_assoc_change{state = comm_up}}} = M:recv(S, 10000),
             Batch = [{0, <<N>>} || N <- lists:seq(1, 5)],
             {error, {timeout, [{0, <<5>>}]}} = M:send_batch(C, Id, Batch, 0),
             %% Sooner than heartbeats come by themselves: 30 seconds.
             [1, 2, 3, 4] = [begin {ok, {_, _, _, <<N>>}} = M:recv(S, 10000), N end
                             || _ <- lists:seq(1, 4)],
             ok = M:close(C),
             {ok, {_, _, _, #sctp_shutdown_event{}}} = M:recv(S, 10000),
             {ok, {_, _, _, #sctp_assoc_change{state = shutdown_comp}}} = M:recv(S, 10000)
         end || Type <- [seqpacket, stream]]
    end).

patiently(Fun) ->
    case Fun() of
        {ok, Result} -> Result;
        {error, Reason} when Reason =:= enobufs; Reason =:= enomem -> patiently(Fun)
    end.

%% In order, each once; the number of errors that the owner has been told of.
received(_, [], Errors) -> Errors;
received(S, [N | Rest] = All, Errors) ->
    case next(S) of
        {error, enomem} -> received(S, All, Errors + 1);
        #sctp_assoc_change{state = comm_up} -> received(S, All, Errors);
        <<N:16>> -> received(S, Rest, Errors)
    end.

%% EINTR (4) is nobody's business.
interrupted_calls(Config) ->
    Calls = ["epoll_wait", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg"],
    Errors = lists:append([Call ++ ":4:2 " || Call <- Calls]),
    File = filename:join(proplists:get_value(priv_dir, Config), "failed"),
    in_node(with_errors(Errors, [{"SCTP_TEST_FAILED", File}]), fun() ->
        Pair = pair(config()),
        flow(Pair, 1000),
        #{m := M, s := S, c := C, cid := Id} = Pair,
        0 = many_at_a_time(M, S, C, Id),
        exchange(Pair)
    end),
    {ok, Failed} = file:read_file(File),
    ?assertEqual(Calls, lists:usort(string:lexemes(binary_to_list(Failed), "\n"))).

%% Each comes once, in order; the number of errors that the receiver was told of.
many_at_a_time(M, S, C, Id) ->
    lists:sum([
        begin
            Data = [<<Round, N:16>> || N <- lists:seq(1, 100)],
            ok = send_all(M, C, Id, [{0, Bin} || Bin <- Data]),
            taken(M, S, Data, 0)
        end
     || Round <- lists:seq(1, 50)]).

send_all(M, C, Id, Messages) ->
    case M:send_batch(C, Id, Messages) of
        ok -> ok;
        {error, {enobufs, Rest}} -> send_all(M, C, Id, Rest)
    end.

taken(_, _, [], Errors) ->
    Errors;
taken(M, S, Data, Errors) ->
    case M:recv_batch(S, 64, 20000) of
        {ok, Messages} ->
            Came = [Bin || {_, _, [_], Bin} <- Messages],
            {Came, Rest} = lists:split(length(Messages), Data),
            taken(M, S, Rest, Errors);
        {error, enomem} ->
            taken(M, S, Data, Errors + 1)
    end.

%% Messages in all ways there are: each arrives once, in order.
flow(#{m := M, s := S, c := C, cid := Id}, Count) ->
    ok = inet:setopts(S, [{active, true}]),
    Sender = async(fun() ->
        [begin
             ok = M:send(C, Id, 0, <<N:16>>),
             ok = M:send_batch(C, Id, [{0, <<N:16, I>>} || I <- [1, 2]])
         end || N <- lists:seq(1, Count)]
    end),
    [begin
         ?assertEqual([<<N:16>>, <<N:16, 1>>, <<N:16, 2>>], [next(S) || _ <- [1, 2, 3]])
     end || N <- lists:seq(1, Count)],
    _ = await(Sender),
    ok = inet:setopts(S, [{active, false}]).

%% Signals at the process, before, during and after the calls; and it is stopped and continued,
%% which cuts waiting short.
signals(Config) ->
    [Storm, Interrupted] = [filename:join(proplists:get_value(priv_dir, Config), Name)
                            || Name <- ["storm", "interrupted"]],
    Node = gen_sctp_test_node:start(
        gen_sctp_test_node:faulty([{"SCTP_TEST_INTERRUPTED", Interrupted}])),
    gen_sctp_test_node:call(Node, fun() ->
        [ok = os:set_signal(Signal, handle) || Signal <- [sigusr2, sigchld]]
    end),
    Pid = gen_sctp_test_node:os_pid(Node),
    ok = file:write_file(Storm, ""),
    Signals = async(fun() ->
        os:cmd("while [ -e " ++ Storm ++ " ]; do for s in USR2 CHLD STOP CONT; do kill -$s " ++ Pid
               ++ "; done; done")
    end),
    Times = try gen_sctp_test_node:call(Node, fun() -> flow_interrupted(Interrupted) end)
            after ok = file:delete(Storm)
            end,
    ?assertEqual("", await(Signals)),
    ok = gen_sctp_test_node:stop(Node),
    ct:pal("the I/O thread was interrupted ~b times", [Times]),
    ?assert(Times > 0).

%% How often that was while messages went. It was before, and is after them.
flow_interrupted(File) ->
    Count = fun() -> filelib:file_size(File) end,
    Pair = pair(config()),
    until(fun() -> Count() > 0 end),
    Before = Count(),
    flow(Pair, 2000),
    exchange(Pair),
    Now = Count(),
    until(fun() -> Count() > Now end),
    Now - Before.
