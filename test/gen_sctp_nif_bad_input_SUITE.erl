%% @doc Wrong types, improper lists, huge and negative numbers, closed and foreign sockets, dead
%% processes, for every function: stock gen_sctp's answer, and nothing leaks.
-module(gen_sctp_nif_bad_input_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-define(V4, {127, 0, 0, 1}).

suite() -> [{timetrap, {seconds, 120}}].

all() ->
    [arguments, what_is_wrong, which_is_wrong, sockets, closed_sockets, inet_functions,
     foreign_sockets, primitives, endless_lists, random].

init_per_testcase(_, Config) ->
    gen_sctp_test_lib:begin_case([{module, gen_sctp_nif}, {family, inet} | Config]).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% With the intended differences that these scenarios show on every release.
check(Expected, Scenarios) ->
    gen_sctp_nif_diff:check(Scenarios, Expected, fun gen_sctp_nif_differences:expected/2).

%% Every function and arity with arguments that are all right; `socket' stands for an open one.
%% Port 20 has no listener: associations are refused at once.
calls() ->
    Map = #{family => inet, addr => ?V4, port => 20},
    Up = #sctp_assoc_change{state = comm_up, assoc_id = 5},
    [{open, [[]]}, {open, [0, []]}, {close, [socket]}, {listen, [socket, true]},
     {connect, [socket, Map, []]}, {connect, [socket, ?V4, 20, []]},
     {connect, [socket, Map, [], 3000]}, {connect, [socket, ?V4, 20, [], 3000]},
     {connect_init, [socket, Map, []]}, {connect_init, [socket, ?V4, 20, []]},
     {connect_init, [socket, Map, [], 3000]}, {connect_init, [socket, ?V4, 20, [], 3000]},
     {connectx_init, [socket, [{?V4, 20}], []]}, {connectx_init, [socket, [?V4], 20, []]},
     {connectx_init, [socket, [?V4], 20, [], 3000]},
     {peeloff, [socket, 5]}, {eof, [socket, Up]}, {abort, [socket, Up]},
     {send, [socket, #sctp_sndrcvinfo{assoc_id = 5}, <<"x">>]}, {send, [socket, 5, 0, <<"x">>]},
     {send, [socket, Up, 0, <<"x">>]}, {recv, [socket, 0]}, {error_string, [1]},
     {controlling_process, [socket, self]}].

junk() ->
    [foo, undefined, infinity, 0, -1, 70000, 1 bsl 32, 1 bsl 70, -(1 bsl 70), 2.5, <<>>,
     <<"text">>, <<1:3>>, "text", [a | b], [1, 2 | 3], [[]], [], {}, {a, b}, #{}, #{a => b}, self,
     dead, reference, function, #sctp_assoc_change{assoc_id = foo}, {sctp_assoc_change, 1},
     #sctp_sndrcvinfo{assoc_id = foo}, #sctp_sndrcvinfo{stream = -1}, {sctp_sndrcvinfo, 1}].

%% What cannot be written down in a name.
real(self, _) -> self();
real(dead, _) -> dead();
real(reference, _) -> make_ref();
real(function, _) -> fun() -> ok end;
real(socket, S) -> S;
real(Term, _) -> Term.

dead() ->
    {Pid, Monitor} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', Monitor, process, Pid, _} -> Pid end.

call(M, Function, S, Args) ->
    Result = apply(M, Function, [real(Arg, S) || Arg <- Args]),
    case {Function, Result} of
        {connectx_init, _} -> {connectx, Result};
        {open, {ok, Opened}} -> M:close(Opened);
        _ -> Result
    end.

arguments(_) ->
    %% Stock looks at a timeout when it has to wait: if the answer is there already, it does not.
    check([crashes_are_badarg, {perhaps, long_timeouts}, {perhaps, no_stray_timers},
           plain_option_errors, refused_has_id] ++
              gen_sctp_nif_differences:until_26([no_empty_host]),
          [{{call, Function, Position, Args}, fun(M) ->
              call(M, Function, gen_sctp_nif_diff:socket(M), Args)
            end} || {Function, Position, Args} <- mutated()]).

%% Who shows a badarg of ours is told what was wrong, whatever that is.
what_is_wrong(_) ->
    Told = [begin
                [_ | _] = Texts = maps:values(Wrong),
                true = lists:all(fun(Text) -> unicode:characters_to_list(Text) =/= [] end, Texts)
            end || {Function, _, Args} <- mutated() ++
                       [{Function, 0, [foo | Rest]} || {Function, [socket | Rest]} <- calls()],
                   Wrong <- wrong(Function, Args)],
    true = length(Told) > 500.

wrong(Function, Args) ->
    {ok, S} = gen_sctp_nif:open(),
    try call(gen_sctp_nif, Function, S, Args) of
        _ -> []
    catch
        error:Reason:Stack ->
            case {Reason, Stack} of
                {badarg, [{gen_sctp_nif, Function, _, Info} | _]} ->
                    #{error_info := #{module := Module}} = maps:from_list(Info),
                    [Module:format_error(Reason, Stack)];
                _ ->
                    []
            end
    after
        ok = gen_sctp_nif:close(S)
    end.

which_is_wrong(_) ->
    [begin
         Text = lists:flatten(io_lib:format("~0p", [
             [unicode:characters_to_list(Wrong) || #{N := Wrong} <- wrong(Function, Args)]])),
         ?assertNotEqual({Args, nomatch, Text}, {Args, string:find(Text, Part), Text})
     end || {Function, Args, N, Part} <- [
         {open, [[{active, foo}]], 1, "{active,foo}: it takes true, false, once"},
         {open, [[inet, {foo, 1}]], 1, "{foo,1}: there is no such option"},
         {open, [[foo]], 1, "there is no such option"},
         {open, [[{sctp_nodelay, 1}]], 1, "{sctp_nodelay,1}: it takes a boolean"},
         {open, [[{sctp_status, 1}]], 1, "it cannot be set"},
         {open, [[{sctp_auth_chunk, 256}]], 1, "it takes the type of a chunk"},
         {open, [[{sctp_initmsg, {a}}]], 1, "it takes an #sctp_initmsg{}"},
         {open, [[{ip, {1, 2, 3}}]], 1, "{ip,{1,2,3}}: it takes an address"},
         {open, [0, foo], 2, "not a list of options"},
         {open, [70000], 1, "{port,70000}: it takes an integer from 0 to 65535"},
         {listen, [foo, true], 1, "not a socket"},
         {listen, [socket, foo], 2, "not a backlog"},
         {peeloff, [socket, foo], 2, "not an association"},
         {send, [socket, 5, foo, <<>>], 3, "not a stream"},
         {connect, [socket, ?V4, 20, [], foo], 5, "not a timeout"},
         {accept, [socket, foo], 2, "not a timeout: milliseconds up to 16#fffffffe"},
         {accept, [socket, 16#ffffffff], 2, "not a timeout: milliseconds up to 16#fffffffe"},
         {recv_batch, [socket, 1, -1], 3, "not a timeout"},
         {controlling_process, [socket, foo], 2, "not a pid"}
     ]],
    %% And what is right is not: `nowait' is no mistake.
    [?assertEqual({Call, [[1]]}, {Call, [maps:keys(Wrong) || Wrong <- wrong(Function, Args)]})
     || {Function, Args} = Call <- [
         {accept, [foo, nowait]}, {accept, [foo, infinity]}, {accept, [foo, 0]},
         {recv_batch, [foo, 1, nowait]}, {send_batch, [foo, 1, [], nowait]},
         {sendv, [foo, 1, [], <<>>, nowait]}
     ]].

mutated() ->
    lists:usort([{Function, {length(Args), Position}, replace(Position, Args, Junk)}
                 || {Function, Args} <- calls(),
                    {Position, Arg} <- lists:enumerate(Args), Arg =/= socket,
                    Junk <- junk(), not waits(Function, Args, Position, Junk)]).

%% Nothing would end these in time.
waits(recv, _, _, Timeout) -> lists:member(Timeout, [infinity, 70000]);
waits(_, _, _, _) -> false.

replace(Position, List, New) ->
    {Before, [_ | After]} = lists:split(Position - 1, List),
    Before ++ [New | After].

%% What is not a socket at all.
sockets(_) ->
    check([crashes_are_badarg],
          [{{no_socket, Function, Args, Junk},
            fun(M) -> call(M, Function, real(Junk, Junk), Args) end}
           || {Function, [socket | _] = Args} <- calls() ++ [{recv, [socket]}],
              Junk <- [foo, 5, -1, 2.5, <<>>, "text", [], {}, #{}, self, dead, reference, function,
                       {'$inet', gen_sctp_nif, foo}, {'$inet', foo, bar}, {'$inet'}]]).

closed_sockets(_) ->
    check([crashes_are_badarg],
          [{{closed, Function, Args}, fun(M) ->
              S = gen_sctp_nif_diff:socket(M),
              ok = M:close(S),
              call(M, Function, S, Args)
            end} || {Function, [socket | _] = Args} <- calls() ++ [{recv, [socket]}],
                    {Function, Args} =/= {controlling_process, [socket, self]}] ++
          [{{closed, Function, Position, Args}, fun(M) ->
              S = gen_sctp_nif_diff:socket(M),
              ok = M:close(S),
              call(M, Function, S, Args)
            end} || {Function, Position, [socket | _] = Args} <- mutated(),
                    lists:member(lists:last(Args), [foo, -1, [a | b], {}, #{}, 1 bsl 70]),
                    Function =/= controlling_process] ++
          %% Closed comes before out of range.
          [{{closed, send, Args}, fun(M) ->
              S = gen_sctp_nif_diff:socket(M),
              ok = M:close(S),
              call(M, send, S, [socket | Args])
            end} || Args <- [[5, -1, <<"x">>], [5, 1 bsl 70, <<"x">>], [-1, 0, <<"x">>],
                             [#sctp_sndrcvinfo{stream = -1}, <<"x">>],
                             [#sctp_sndrcvinfo{flags = [foo]}, <<"x">>]]]).

%% inet's functions on our sockets. Names (with a closed socket too) are in other suites.
inet_functions(_) ->
    check([plain_option_errors],
          [{{inet, Function, Junk}, fun(M) ->
              apply(inet, Function, [gen_sctp_nif_diff:socket(M), real(Junk, none)])
            end} || Function <- [setopts, getopts, getstat], Junk <- junk()] ++
          [{{inet, Function, [Junk]}, fun(M) ->
              apply(inet, Function, [gen_sctp_nif_diff:socket(M), [real(Junk, none)]])
            end} || Function <- [setopts, getopts, getstat], Junk <- junk() -- [[]]] ++
          [{{inet, setopts, Name, Junk}, fun(M) ->
              inet:setopts(gen_sctp_nif_diff:socket(M), [{Name, real(Junk, none)}])
            end} || Name <- [active, mode, buffer, linger, sctp_nodelay, sctp_autoclose,
                             sctp_rtoinfo, sctp_initmsg, sctp_events, sctp_peer_addr_params,
                             sctp_default_send_param, bind_to_device],
                    Junk <- junk()]).

%% Ours only.

forged() ->
    [{'$inet', gen_sctp_nif, Ref} || Ref <- [foo, make_ref(), self(), 1, <<>>, {}]].

foreign_sockets(_) ->
    {ok, Udp} = gen_udp:open(0),
    {ok, Stock} = gen_sctp:open(),
    [?assertError(badarg, call(gen_sctp_nif, Function, S, Args))
     || {Function, [socket | _] = Args} <- calls() ++ [{recv, [socket]}],
        S <- [Udp, Stock | forged()]],
    ok = gen_udp:close(Udp),
    ok = gen_sctp:close(Stock).

%% The native functions take what no caller of ours would give.
primitives(_) ->
    Functions = [{Name, Arity} || {Name, Arity} <- gen_sctp_nif_prim:module_info(nifs), Arity > 0],
    ?assert(length(Functions) > 20),
    [begin
         {'$inet', _, Ref} = S = gen_sctp_nif_diff:socket(gen_sctp_nif),
         Args = [real(Junk, Ref) || Junk <- [socket | lists:duplicate(Arity, Value)]],
         sane({Name, Value}, outcome(Name, lists:sublist(Args, Arity))),
         sane({Name, no_socket, Value}, outcome(Name, tl(Args))),
         ok = gen_sctp_nif:close(S)
     end || {Name, Arity} <- Functions, Value <- junk()],
    %% The junk that is a process is a right argument for forward/2.
    Self = self(),
    receive Self -> ok after 0 -> error(not_forwarded) end,
    %% And for set_active/2 counts of 0 and -1, which are at their end at once.
    [receive {sctp_passive, _} -> ok after 0 -> error(not_announced) end || _ <- [0, -1]],
    flush_answers(),
    gen_sctp_test_lib:no_message().

%% Far longer than anybody has a use for: refused, whatever is in them, and not read through.
endless_lists(_) ->
    S = gen_sctp_nif_diff:socket(gen_sctp_nif),
    Endless = fun(Item) -> lists:duplicate(1000000, Item) end,
    ?assertEqual({error, enomem}, inet:getopts(S, Endless(active))),
    ?assertEqual({error, enomem}, inet:getopts(S, Endless(active) ++ improper)),
    ?assertEqual({error, enomem}, inet:getstat(S, Endless(recv_cnt))),
    ?assertEqual({error, einval}, inet:setopts(S, Endless({active, false}))),
    ?assertEqual({error, einval}, gen_sctp_nif_prim:connect(socket_ref(S), Endless({?V4, 20}),
                                                            undefined)),
    ?assertMatch({ok, [_ | _]}, inet:getopts(S, lists:duplicate(512, active))),
    ?assertMatch({ok, [_ | _]}, inet:getstat(S, lists:duplicate(512, recv_cnt))),
    ok = gen_sctp_nif:close(S).

socket_ref({'$inet', gen_sctp_nif, Ref}) -> Ref.

%% A reference is a right argument for those who wait: they are told of the end.
flush_answers() ->
    receive
        {'$gen_sctp_nif', Ref, _} when is_reference(Ref) -> flush_answers();
        {'DOWN', Ref, socket, _, _} when is_reference(Ref) -> flush_answers()
    after 0 ->
        ok
    end.

outcome(Name, Args) ->
    try
        apply(gen_sctp_nif_prim, Name, Args)
    catch
        Class:Reason -> {raised, Class, Reason}
    end.

sane(_, {raised, error, badarg}) -> ok;
%% What should be a list of options is none.
sane(_, {raised, error, function_clause}) -> ok;
sane(Call, {raised, Class, Reason}) -> error({Call, Class, Reason});
%% Not a socket, but what takes a monitor back.
sane(Call, {ok, Ref}) when element(1, Call) =:= monitor, is_reference(Ref) -> ok;
sane(_, {ok, Ref}) when is_reference(Ref) -> gen_sctp_nif_prim:close_wait(Ref);
sane({close, _}, wait) -> receive {'$gen_sctp_nif', _, ready} -> ok end;
sane(_, _) -> ok.

%% A part of valid arguments, at any depth, is replaced by something else, over and over. Always
%% the same calls: what fails can be run again.
random(_) ->
    _ = rand:seed(exsss, {1, 2, 3}),
    Calls = [call || _ <- lists:seq(1, 1500)],
    Kinds = [begin
                 {Function, Args} = pick(calls()),
                 Mutated = [mutated_deep(Arg) || Arg <- Args],
                 Outcome = gen_sctp_nif_diff:outcome(gen_sctp_nif, fun(M) ->
                     call(M, Function, gen_sctp_nif_diff:socket(M), Mutated)
                 end),
                 {Function, Mutated, kind(Outcome)}
             end || call <- Calls],
    ?assertEqual([], [Bad || {_, _, Kind} = Bad <- Kinds, Kind =:= unexpected]),
    %% Not all of it was refused at the door.
    ?assert(length([returned || {_, _, returned} <- Kinds]) > 300).

kind({Outcome, {mailbox, _}}) -> kind(Outcome);
kind({returned, _}) -> returned;
kind({raised, error, Reason}) when Reason =:= badarg; Reason =:= function_clause;
                                   Reason =:= invalid; Reason =:= undef -> raised;
kind(_) -> unexpected.

mutated_deep(socket) ->
    socket;
mutated_deep(Term) ->
    case rand:uniform(4) of
        %% A receive must not wait forever.
        1 -> pick(junk() -- [infinity, 70000]);
        _ -> mutated_part(Term)
    end.

mutated_part(Tuple) when is_tuple(Tuple), size(Tuple) > 0 ->
    Position = rand:uniform(size(Tuple)),
    setelement(Position, Tuple, mutated_deep(element(Position, Tuple)));
mutated_part([Head | Tail]) ->
    case rand:uniform(3) of
        1 -> [mutated_deep(Head) | Tail];
        2 -> [Head, mutated_deep(Head) | Tail];
        3 -> [Head | mutated_deep(Tail)]
    end;
mutated_part(Map) when map_size(Map) > 0 ->
    Key = pick(maps:keys(Map)),
    case rand:uniform(3) of
        1 -> maps:remove(Key, Map);
        _ -> Map#{Key := mutated_deep(maps:get(Key, Map))}
    end;
mutated_part(Number) when is_integer(Number) ->
    pick([Number - 1, Number + 1, -Number, Number bsl 16, Number bsl 32, Number bsl 64]);
mutated_part([]) ->
    [pick([{active, pick(junk())}, {sctp_initmsg, pick(junk())}, {linger, pick(junk())},
           pick(junk()), {pick(junk()), pick(junk())}, list])];
mutated_part(Term) ->
    Term.

pick(List) ->
    lists:nth(rand:uniform(length(List)), List).
