%% @doc What may take longer than a scheduler has time for is done by a dirty one, or by the thread
%% that closes; where each way ends, and that both do the same. How long they take: docs/testing.md.
%%
%% A native function goes to a dirty scheduler by itself, which no trace shows. But the VM counts
%% how long those are busy: in a node of its own, where nobody else uses them, not at all if nothing
%% went there.
-module(gen_sctp_nif_scheduler_SUITE).

-include_lib("stdlib/include/assert.hrl").
-include("gen_sctp_nif.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [all_arrived/2, async/1, await/1, data/2, family/1, join/4, listener/2, loopback/1, open/2,
         pair/3, recv/2, unanswered/1, until_blocked/1]).

-define(M, gen_sctp_nif).
-define(PRIM, gen_sctp_nif_prim).
%% The most that is for a scheduler.
-define(BYTES, 32768).
-define(OPTIONS, 16).
-define(ADDRESSES, 16).

suite() -> [{timetrap, {minutes, 2}}].

all() -> [{group, inet}, {group, inet6}].

groups() ->
    [{Family, [], [large_messages, many_pieces, long_lists, many_options, many_flags,
                   many_associations, long_path,
                   many_addresses, opening, closing, death, monitors]} || Family <- [inet, inet6]].

init_per_group(Family, Config) ->
    gen_sctp_test_lib:init_group(Family, gen_sctp_test_lib:init_group(nif, Config)).
end_per_group(_, _) -> ok.
init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case(Config).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

large_messages(Config) ->
    in_node(fun() ->
        #{s := S, c := C, cid := Id} = pair(Config, [], []),
        Info = #sctp_sndrcvinfo{assoc_id = Id},
        [begin
             Data = rand:bytes(Size),
             Sends = [fun() -> ok = ?M:send(C, Id, 0, Data) end,
                      fun() -> ok = ?M:send(C, Info, Data) end,
                      fun() -> ok = ?M:sendv(C, Id, [], Data) end],
             [begin
                  ?assertEqual({Size, IsDirty}, {Size, is_dirty(Send)}),
                  {_, Data} = data(?M, S)
              end || Send <- Sends]
         end || {Size, IsDirty} <- [{1, false}, {?BYTES, false}, {?BYTES + 1, true}]],
        %% However few associations there are.
        ?assert(is_dirty(fun() -> ok = ?M:sendv(C, all, [], <<"all">>) end)),
        {_, <<"all">>} = data(?M, S)
    end).

%% In the mode `list' a receiver makes the list, where the VM can interrupt it: the native function
%% answers with a binary, however it was called.
long_lists(Config) ->
    #{s := {_, _, Ref} = S, c := C, cid := Id} =
        pair(Config, [list, {recbuf, 1000000}], [{sndbuf, 1000000}]),
    Data = rand:bytes(200000),
    List = binary_to_list(Data),
    Arrived = fun() ->
        ok = ?M:send(C, Id, 0, Data),
        all_arrived(C, Id)
    end,
    Arrived(),
    ?assertMatch({list, {ok, {_, _, [_], Data}}}, polled(fun() -> ?PRIM:recv(Ref, poll) end)),
    Arrived(),
    ?assertMatch({list, {ok, [{_, _, [_], Data}]}},
                 polled(fun() -> ?PRIM:recv_batch(Ref, poll, 1) end)),
    %% What the functions make of it.
    [begin
         Arrived(),
         ?assertMatch({ok, {_, _, [_], List}}, Recv())
     end || Recv <- [fun() -> ?M:recv(S) end, fun() -> ?M:recv(S, 0) end,
                     fun() -> ?M:recv(S, 5000) end, fun() -> ?M:recv(S, nowait) end]],
    [begin
         Arrived(),
         ?assertMatch({ok, [{_, _, [_], List}]}, ?M:recv_batch(S, 1, Timeout))
     end || Timeout <- [infinity, 0, 5000, nowait]],
    %% And where the receiver is there first.
    [begin
         Receiver = async(Recv),
         until_blocked(Receiver),
         ok = ?M:send(C, Id, 0, Data),
         ?assertMatch({ok, {_, _, [_], List}}, one(await(Receiver)))
     end || Recv <- [fun() -> ?M:recv(S) end, fun() -> ?M:recv(S, 5000) end,
                     fun() -> ?M:recv_batch(S, 1, infinity) end]],
    %% The owner gets lists as well, and events are records in every mode.
    Arrived(),
    ok = inet:setopts(S, [{active, once}]),
    receive {sctp, S, _, _, {[_], Body}} -> ?assertEqual(List, Body) end,
    ok = ?M:close(C),
    ?assertMatch({ok, [{_, _, [], #sctp_shutdown_event{}} | _]}, ?M:recv_batch(S, 9, infinity)).

one({ok, [Message]}) -> {ok, Message};
one(Result) -> Result.

%% The answer of a native function that may have to be called again, as one call reads so much.
polled(Native) ->
    case Native() of
        more -> polled(Native);
        Answer -> Answer
    end.

%% A message of very many pieces is made one where the VM can interrupt that.
many_pieces(Config) ->
    #{s := S, c := C, cid := Id} = pair(Config, [], []),
    {_, _, Ref} = C,
    Pieces = [<<"x">> || _ <- lists:seq(1, ?BYTES)],
    ?assertEqual([{send, 4}], native(fun() -> ok = ?M:send(C, Id, 0, Pieces) end)),
    Whole = iolist_to_binary(Pieces),
    ?assertMatch({_, Whole}, data(?M, S)),
    ?assertEqual({error, einval}, ?PRIM:send(Ref, Id, 0, Pieces)),
    ?assertEqual(0, ?PRIM:send_batch(Ref, Id, [{0, Pieces}])).

many_options(Config) ->
    Family = family(Config),
    in_node(fun() ->
        {ok, S} = ?M:open([Family]),
        [begin
             Set = [{priority, 3} | lists:duplicate(Number - 1, {priority, 2})],
             Get = lists:duplicate(Number, priority),
             %% The first one is set last.
             Values = lists:duplicate(Number, {priority, 3}),
             SetGet = {is_dirty(fun() -> ok = inet:setopts(S, Set) end),
                       is_dirty(fun() -> {ok, Values} = inet:getopts(S, Get) end)},
             ?assertEqual({Number, {IsDirty, IsDirty}}, {Number, SetGet})
         end || {Number, IsDirty} <- [{?OPTIONS, false}, {?OPTIONS + 1, true}, {512, true}]]
    end),
    S = open(Config, []),
    Many = lists:duplicate(?OPTIONS + 1, {priority, 5}),
    ?assertEqual({error, einval}, inet:setopts(S, lists:duplicate(513, {priority, 5}))),
    %% The bound of a mailbox, too.
    Bound = [{mailbox_limit, 10} | Many],
    ?assertEqual(ok, inet:setopts(S, Bound)),
    ?assertEqual({ok, [{mailbox_limit, 10}]}, inet:getopts(S, [mailbox_limit])),
    {ok, Opened} = ?M:open([Family | Many]),
    ok = ?M:close(Opened).

many_flags(Config) ->
    S = open(Config, []),
    Option = fun(Number) ->
        Flags = lists:duplicate(Number, unordered),
        [{sctp_default_send_param, #sctp_sndrcvinfo{flags = Flags}}]
    end,
    ?assertEqual(ok, inet:setopts(S, Option(16))),
    ?assertEqual({error, einval}, inet:setopts(S, Option(17))).

%% However few there are.
many_associations(Config) ->
    Family = family(Config),
    in_node(fun() ->
        {ok, S} = ?M:open([Family]),
        [begin
             IsTold = is_dirty(fun() -> ok = inet:setopts(S, [Option]) end),
             ?assertEqual({Option, IsDirty}, {Option, IsTold})
         end || {Option, IsDirty} <-
                    [{{sctp_event, #sctp_event{assoc_id = Whose, type = Type, on = true}},
                      Whose =/= future orelse Type =:= association}
                     || Whose <- [future, current, all], Type <- [association, sender_dry]] ++
                    [{{sctp_default_sndinfo, #sctp_sndinfo{assoc_id = Whose, ppid = 1}},
                      Whose =/= future} || Whose <- [future, current, all]]]
    end).

%% The path of a network namespace is a string of any kind, and no longer than the kernel takes.
long_path(Config) ->
    S = open(Config, []),
    [?assertEqual(ok, inet:setopts(S, [{netns, Path}]))
     || Path <- [<<"/a">>, "/a", ["/" | <<"a">>], [[[], "/"], <<>>, [[$a]]]]],
    ?assertEqual({ok, [{netns, "/a"}]}, inet:getopts(S, [netns])),
    ?assertEqual(ok, inet:setopts(S, [{netns, lists:duplicate(4096, $a)}])),
    [?assertEqual({error, einval}, inet:setopts(S, [{netns, Path}]))
     || Path <- [lists:duplicate(4097, $a), binary:copy(<<"a">>, 4097), ["a" | $b], $a, a,
                 lists:duplicate(5, binary:copy(<<"a">>, 1000)), lists:duplicate(1000000, $a)]].

many_addresses(Config) ->
    Family = family(Config),
    First = loopback(Config),
    Further = [address(Config, N) || N <- lists:seq(2, 255)],
    in_node(fun() ->
        [begin
             {ok, S} = ?M:open([Family]),
             Addresses = [First | lists:sublist(Further, Number - 1)],
             Connect = fun() -> {ok, _} = ?M:connectx_init(S, Addresses, 9, []) end,
             ?assertEqual({Number, IsDirty}, {Number, is_dirty(Connect)})
         end || {Number, IsDirty} <- [{1, false}, {?ADDRESSES, false}, {?ADDRESSES + 1, true},
                                      {255, true}]]
    end).

address(Config, N) ->
    IP = unanswered(family(Config)),
    setelement(size(IP), IP, N).

%% Another namespace takes a thread; so might the first socket, for which the kernel loads a module.
opening(Config) ->
    Family = family(Config),
    in_node(fun() ->
        Open = fun(Netns) -> fun() -> {ok, _} = ?PRIM:open(Family, seqpacket, Netns) end end,
        0 = maps:get(opened, ?M:info()),
        ?assert(is_dirty(Open(undefined))),
        ?assertNot(is_dirty(Open(undefined))),
        ?assert(is_dirty(Open(<<"/proc/self/ns/net">>)))
    end).

%% A socket with more than four associations, or much that is unread, is closed by the thread.
closing(Config) ->
    Idle = open(Config, []),
    ?assertEqual(ok, closed(Idle)),
    #{s := S, c := C} = pair(Config, [], []),
    ?assertEqual(ok, closed(C)),
    {ok, {_, _, _, #sctp_shutdown_event{}}} = recv(?M, S),
    {ok, {_, _, _, #sctp_assoc_change{state = shutdown_comp}}} = recv(?M, S),

    [begin
         Server = listener(Config, []),
         Clients = [join(?M, loopback(Config), Server, open(Config, []))
                    || _ <- lists:seq(1, Number)],
         ?assertEqual(By, closed(Server)),
         [begin
              ?assertMatch({ok, {_, _, _, #sctp_shutdown_event{}}}, recv(?M, Client)),
              ?assertEqual(ok, closed(Client))
          end || #{c := Client} <- Clients]
     end || {Number, By} <- [{4, ok}, {5, wait}]],

    #{s := Full, c := Sender, cid := Id, sid := FullId} = pair(Config, [], []),
    [ok = ?M:send(Sender, Id, 0, binary:copy(<<"x">>, 20000)) || _ <- lists:seq(1, 4)],
    all_arrived(Sender, Id),
    {ok, Peeled} = ?M:peeloff(Full, FullId),
    ?assertEqual(wait, closed(Peeled)),
    ?assertEqual(ok, closed(Full)),

    #{s := Whole, c := Other, sid := WholeId} = pair(Config, [], []),
    {ok, Alone} = ?M:peeloff(Whole, WholeId),
    ?assertEqual(ok, closed(Alone)),
    [?assertEqual(ok, closed(Socket)) || Socket <- [Whole, Other]],

    Stream = open(Config, [{type, stream}]),
    ok = ?M:listen(Stream, true),
    ?assertEqual(wait, closed(Stream)),
    ?assertEqual(ok, closed(open(Config, [{type, stream}]))),

    %% With a lingering time it is the thread that looks whether there are any.
    [?assertEqual({wait, 3000}, closed(open(Config, [{type, Type}, {linger, {true, 3}}])))
     || Type <- [seqpacket, stream]],
    ok.

%% When their owner dies the first of its sockets is closed by the scheduler, most others by the
%% thread that closes. That stands still here, and they stay open.
death(Config) ->
    Hold = filename:join("/tmp", lists:concat([?MODULE, $., os:getpid(), ".hold"])),
    ok = file:write_file(Hold, ""),
    Node = gen_sctp_test_node:start(gen_sctp_test_node:faulty([{"SCTP_TEST_HOLD", Hold}])),
    [?assertEqual({Number, Left}, gen_sctp_test_node:call(Node, fun() ->
        Sockets = killed_with(Number, Config),
        IsLeft = left(Number) > 0,
        %% Known until here, or they would be closed as garbage.
        {length(Sockets), IsLeft}
     end)) || {Number, Left} <- [{1, false}, {200, true}]],
    ok = file:delete(Hold),
    ok = gen_sctp_test_node:call(Node, fun() ->
        gen_sctp_test_lib:until(fun() ->
            #{sockets := Open, closing := Closing} = ?M:info(),
            {Open, Closing} =:= {0, 0}
        end)
    end),
    ok = gen_sctp_test_node:stop(Node).

%% An owner of so many sockets is dead. These sockets.
killed_with(Number, Config) ->
    Caller = self(),
    {Owner, Monitor} = spawn_monitor(fun() ->
        Caller ! {open, [open(Config, []) || _ <- lists:seq(1, Number)]},
        receive after infinity -> ok end
    end),
    Sockets = receive {open, Open} -> Open end,
    exit(Owner, kill),
    receive {'DOWN', Monitor, process, Owner, killed} -> Sockets end.

%% How many sockets are open when no more are closed: the VM tells them after all others.
left(Before) ->
    gen_sctp_test_lib:until(fun() -> length(?M:which_sockets()) < Before end),
    left(length(?M:which_sockets()), 20).

left(Number, 0) ->
    Number;
left(Number, Looks) ->
    receive after 10 -> ok end,
    case length(?M:which_sockets()) of
        Number -> left(Number, Looks - 1);
        Fewer -> left(Fewer, 20)
    end.

%% However many sockets there are, only that of the monitor is looked at.
monitors(Config) ->
    [S | _] = [open(Config, []) || _ <- lists:seq(1, 10)],
    Monitor = inet:monitor(S),
    [?assertEqual([{demonitor, 1}], native(fun() -> Was = ?M:cancel_monitor(Reference) end))
     || {Reference, Was} <- [{make_ref(), false}, {Monitor, true}, {Monitor, false}]],
    ok.

%% What the native function answers: `wait' if the thread closes it.
closed({_, _, Ref} = S) ->
    WaitRef = make_ref(),
    Answer = ?PRIM:close(Ref, WaitRef),
    [receive {'$gen_sctp_nif', WaitRef, ready} -> ok end || Answer =/= ok],
    ?assertEqual({error, closed}, ?M:recv(S, 0)),
    ?assertEqual(ok, ?PRIM:close(Ref, WaitRef)),
    Answer.

%% In a node where nobody else uses dirty schedulers once all code is loaded.
in_node(Fun) ->
    Node = gen_sctp_test_node:start(#{}),
    gen_sctp_test_node:call(Node, fun() ->
        _ = erlang:system_flag(scheduler_wall_time, true),
        ok = application:load(gen_sctp_nif),
        {ok, Modules} = application:get_key(gen_sctp_nif, modules),
        ok = code:ensure_modules_loaded([?MODULE, gen_sctp_test_lib | Modules]),
        Fun()
    end),
    ok = gen_sctp_test_node:stop(Node).

%% Does a dirty scheduler do a part of it?
is_dirty(Fun) ->
    Before = at_rest(),
    _ = Fun(),
    dirty_time() > Before.

%% Who has done its work counts as busy until it sleeps.
at_rest() ->
    Now = dirty_time(),
    receive after 10 -> ok end,
    case dirty_time() of
        Now -> Now;
        _ -> at_rest()
    end.

%% How long those for input and output have been busy.
dirty_time() ->
    Others = erlang:system_info(schedulers) + erlang:system_info(dirty_cpu_schedulers),
    lists:sum([Active || {Id, Active, _} <- erlang:statistics(scheduler_wall_time_all),
                         Id > Others]).

%% The native functions that are called: a socket's.
native(Fun) ->
    {Tracer, Monitor} = spawn_monitor(fun() -> collect([]) end),
    [1 = erlang:trace_pattern({?PRIM, Name, Arity}, true, [local])
     || {Name, Arity} <- ?PRIM:module_info(nifs)],
    1 = erlang:trace(self(), true, [call, {tracer, Tracer}]),
    try Fun() after
        _ = erlang:trace(self(), false, [call]),
        _ = erlang:trace_pattern({?PRIM, '_', '_'}, false, [local])
    end,
    Delivered = erlang:trace_delivered(self()),
    receive {trace_delivered, _, Delivered} -> Tracer ! finish end,
    receive {'DOWN', Monitor, process, Tracer, Calls} -> Calls end.

collect(Calls) ->
    receive
        {trace, _, call, {?PRIM, Name, Args}} -> collect([{Name, length(Args)} | Calls]);
        finish -> exit(lists:reverse(Calls))
    end.
