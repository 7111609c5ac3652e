%% The drop-in: each case in a node of its own, but those that leave it as it was, which share one.
-module(gen_sctp_nif_dropin_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").
-include_lib("kernel/include/inet_sctp.hrl").

-export([all/0, suite/0, groups/0, init_per_group/2, end_per_group/2, init_per_testcase/2,
    end_per_testcase/2]).
-export([on_and_off/1, ports_live_on/1, traffic_through_switch/1, blocked_caller/1,
    other_gen_sctp/1, nif_missing/1, stripped_inet/1, stripped_gen_sctp/1, inet_dispatch/1,
    command_line/1, erl_flags_and_vm_args/1, environment/1, misspelt/1, sys_config/1, embedded/1,
    parse_transform/1, compiler_options/1]).
%% Called in the other node.
-export([exchange/0, port_before/0, flood/0, receive_blocked/0, tcp_names/0, sctp_names/0,
    without_inet/0, without_stock/0, transformed/1, await_switch/0]).

-define(IP, {127, 0, 0, 1}).

suite() -> [{timetrap, {seconds, 120}}].

all() ->
    [{group, one_node}, other_gen_sctp, nif_missing, stripped_inet, stripped_gen_sctp, command_line,
        erl_flags_and_vm_args, environment, misspelt, sys_config, embedded].

%% It takes seconds to start a node, and as long to load the compiler.
groups() ->
    [{one_node, [], [on_and_off, ports_live_on, traffic_through_switch, blocked_caller,
        inet_dispatch, parse_transform, compiler_options]}].

init_per_group(one_node, Config) -> start(start, Config, [], []).

end_per_group(one_node, Config) -> stop(Config).

init_per_testcase(_, Config) -> Config.

end_per_testcase(_, Config) ->
    %% A node that is shared is given back with OTP's gen_sctp in it.
    Uninstalled = case proplists:is_defined(peer, Config) of
        true -> uninstall(Config);
        false -> ok
    end,
    case {messages(), Uninstalled} of
        {[], ok} -> ok;
        Problems -> {fail, Problems}
    end.

messages() ->
    receive Message -> [Message | messages()] after 0 -> [] end.

%% A node with our code, and with what Args and Env say.
start(Config) -> start(Config, [], []).

start(Config, Args, Env) -> start(start_link, Config, Args, Env).

start(Start, Config, Args, Env) ->
    Paths = [filename:dirname(code:which(gen_sctp_nif)), filename:dirname(code:which(?MODULE))],
    {ok, Peer, _} = peer:Start(#{
        connection => standard_io,
        args => lists:append([["-pa", Path] || Path <- Paths]) ++ Args,
        env => Env,
        wait_boot => 60000
    }),
    [{peer, Peer} | Config].

call(Config, M, F, A) -> peer:call(?config(peer, Config), M, F, A, 60000).

stop(Config) -> ok = peer:stop(?config(peer, Config)).

install(Config) -> call(Config, gen_sctp_nif_dropin, install, []).
uninstall(Config) -> call(Config, gen_sctp_nif_dropin, uninstall, []).

%% What identifies the code of a module.
identity(Config, Module) ->
    {call(Config, Module, module_info, [md5]), call(Config, code, which, [Module]),
        call(Config, code, is_sticky, [Module])}.

%% What an unchanged program does: says whose sockets it had.
exchange() ->
    {ok, S} = gen_sctp:open([{ip, ?IP}]),
    ok = gen_sctp:listen(S, true),
    {ok, Port} = inet:port(S),
    {ok, C} = gen_sctp:open([{active, true}]),
    {ok, #sctp_assoc_change{assoc_id = Id} = Assoc} = gen_sctp:connect(C, ?IP, Port, []),
    {ok, {_, _, [], #sctp_assoc_change{state = comm_up, assoc_id = SId}}} = gen_sctp:recv(S, 5000),
    ok = gen_sctp:send(C, Assoc, 1, <<"there">>),
    {ok, {_, _, [#sctp_sndrcvinfo{stream = 1}], <<"there">>}} = gen_sctp:recv(S, 5000),
    ok = gen_sctp:send(S, SId, 2, <<"back">>),
    receive {sctp, C, ?IP, Port, {[#sctp_sndrcvinfo{assoc_id = Id}], <<"back">>}} -> ok end,
    {ok, [{?IP, Port}]} = inet:peernames(C, Id),
    {ok, [_ | _]} = inet:socknames(C, Id),
    ok = gen_sctp:close(C),
    ok = gen_sctp:close(S),
    {is_port(S), is_port(C)}.

on_and_off(Config) ->
    Before = [identity(Config, M) || M <- [gen_sctp, inet]],
    Log = call(Config, gen_sctp_test_log, keep, []),
    ?assertEqual(ok, uninstall(Config)),
    ?assertEqual({true, true}, call(Config, ?MODULE, exchange, [])),
    ?assertEqual(ok, install(Config)),
    ?assertEqual(ok, install(Config)),
    ?assertEqual(installed, call(Config, gen_sctp_nif_dropin, status, [])),
    ?assertEqual({false, false}, call(Config, ?MODULE, exchange, [])),
    ?assertEqual(true, call(Config, code, is_sticky, [inet])),
    ?assertEqual(ok, uninstall(Config)),
    ?assertEqual(ok, uninstall(Config)),
    ?assertEqual(not_installed, call(Config, gen_sctp_nif_dropin, status, [])),
    ?assertEqual({true, true}, call(Config, ?MODULE, exchange, [])),
    ?assertEqual(Before, [identity(Config, M) || M <- [gen_sctp, inet]]),
    ?assertMatch([{notice, "gen_sctp_nif: the drop-in is on", #{event := dropin}},
                  {notice, "gen_sctp_nif: the drop-in is off", #{event := dropin}}],
                 call(Config, gen_sctp_test_log, kept, [Log, 2])).

%% Sockets of before the switch are ports and go on; ours outlive the way back.
ports_live_on(Config) ->
    ?assertEqual(ok, call(Config, ?MODULE, port_before, [])).

port_before() ->
    {ok, Old} = gen_sctp:open([{ip, ?IP}]),
    ok = gen_sctp:listen(Old, true),
    ok = gen_sctp_nif_dropin:install(),
    {ok, Port} = inet:port(Old),
    {ok, New} = gen_sctp:open(),
    {ok, Assoc} = gen_sctp:connect(New, ?IP, Port, []),
    {ok, {_, _, _, #sctp_assoc_change{assoc_id = Id}}} = gen_sctp:recv(Old, 5000),
    ok = gen_sctp:send(New, Assoc, 0, <<"to a port">>),
    {ok, {_, _, _, <<"to a port">>}} = gen_sctp:recv(Old, 5000),
    {ok, [_ | _]} = inet:peernames(Old, Id),
    {true, false} = {is_port(Old), is_port(New)},
    ok = gen_sctp_nif_dropin:uninstall(),
    ok = gen_sctp:send(Old, Id, 0, <<"to ours">>),
    {ok, {_, _, _, <<"to ours">>}} = gen_sctp_nif:recv(New, 5000),
    ok = gen_sctp_nif:close(New),
    gen_sctp:close(Old).

%% Messages flow while the switch is thrown, both ways.
traffic_through_switch(Config) ->
    ?assertEqual(ok, call(Config, ?MODULE, flood, [])).

flood() ->
    Self = self(),
    Sent = counters:new(1, []),
    {ok, S} = gen_sctp:open([{ip, ?IP}, {active, true}, {recbuf, 65536}]),
    ok = gen_sctp:listen(S, true),
    {ok, Port} = inet:port(S),
    {Pid, MRef} = spawn_monitor(fun() ->
        {ok, C} = gen_sctp:open(),
        {ok, Assoc} = gen_sctp:connect(C, ?IP, Port, []),
        Send = fun Again(N) ->
            receive {stop, Ref} -> Self ! {Ref, N - 1}, gen_sctp:close(C) after 0 ->
                case gen_sctp:send(C, Assoc, 0, <<N:32>>) of
                    ok -> counters:put(Sent, 1, N), Again(N + 1);
                    %% OTP 25 does not wait for room.
                    {error, eagain} -> erlang:yield(), Again(N)
                end
            end
        end,
        Send(1)
    end),
    More = fun() ->
        Before = counters:get(Sent, 1),
        gen_sctp_test_lib:until(fun() -> counters:get(Sent, 1) > Before + 10 end)
    end,
    More(),
    ok = gen_sctp_nif_dropin:install(),
    More(),
    ok = gen_sctp_nif_dropin:uninstall(),
    More(),
    Pid ! {stop, MRef},
    Messages = receive
        {MRef, Last} -> Last;
        {'DOWN', MRef, process, Pid, Reason} -> error(Reason)
    end,
    Receive = fun(N) -> receive {sctp, S, _, _, {_, <<N:32>>}} -> ok end end,
    lists:foreach(Receive, lists:seq(1, Messages)),
    receive {'DOWN', MRef, process, Pid, normal} -> ok end,
    gen_sctp:close(S).

%% A process that waits in the old code is neither killed nor disturbed.
blocked_caller(Config) ->
    ?assertEqual({error, closed}, call(Config, ?MODULE, receive_blocked, [])).

receive_blocked() ->
    {ok, S} = gen_sctp:open(),
    {Pid, MRef} = spawn_monitor(fun() -> exit(gen_sctp:recv(S)) end),
    (fun Wait() ->
        case process_info(Pid, status) of
            {status, waiting} -> ok;
            _ -> erlang:yield(), Wait()
        end
    end)(),
    ok = gen_sctp_nif_dropin:install(),
    Second = gen_sctp_nif_dropin:uninstall(),
    true = Second =:= ok orelse Second =:= {error, {in_use, gen_sctp}},
    true = is_process_alive(Pid),
    ok = gen_sctp:close(S),
    receive {'DOWN', MRef, process, Pid, Reason} -> Reason end.

other_gen_sctp(Config0) ->
    Config = start(Config0),
    Forms = [{attribute, 1, module, gen_sctp}, {attribute, 1, export, [{open, 0}]},
        {function, 1, open, 0, [{clause, 1, [], [], [{atom, 1, theirs}]}]}, {eof, 1}],
    {ok, gen_sctp, Beam} = compile:forms(Forms, []),
    true = call(Config, code, unstick_mod, [gen_sctp]),
    {module, gen_sctp} = call(Config, code, load_binary, [gen_sctp, "theirs", Beam]),
    ?assertMatch({error, {other_gen_sctp, _}}, install(Config)),
    ?assertEqual(theirs, call(Config, gen_sctp, open, [])),
    stop(Config).

%% The NIF cannot be loaded: stock stays.
nif_missing(Config0) ->
    Dir = filename:join(?config(priv_dir, Config0), "gen_sctp_nif/ebin"),
    ok = filelib:ensure_dir(filename:join(Dir, "x")),
    Ours = filename:dirname(code:which(gen_sctp_nif)),
    [{ok, _} = file:copy(Beam, filename:join(Dir, filename:basename(Beam)))
        || Beam <- filelib:wildcard(filename:join(Ours, "*.beam"))],
    Config = start(Config0, ["-pa", Dir], []),
    {error, {load_failed, Text}} = install(Config),
    ?assertNotEqual(nomatch, string:find(Text, "gen_sctp_nif.so")),
    %% Nor does the application start, without the drop-in.
    {ok, _} = file:copy(filename:join(Ours, "gen_sctp_nif.app"),
                        filename:join(Dir, "gen_sctp_nif.app")),
    ?assertMatch({error, {gen_sctp_nif, {{load_failed, Text}, _}}},
                 call(Config, application, ensure_all_started, [gen_sctp_nif])),
    ?assertEqual(not_installed, call(Config, gen_sctp_nif_dropin, status, [])),
    ?assertEqual({true, true}, call(Config, ?MODULE, exchange, [])),
    stop(Config).

%% Without debug information inet cannot be changed: what will not work is said.
stripped_inet(Config0) ->
    Config = start(Config0),
    strip(Config, [inet]),
    ?assertEqual(ok, call(Config, ?MODULE, without_inet, [])),
    stop(Config).

without_inet() ->
    Log = gen_sctp_test_log:keep(),
    ok = gen_sctp_nif_dropin:install(),
    [{warning, Text, #{event := dropin}}, {notice, _, _}] = gen_sctp_test_log:kept(Log, 2),
    [true = string:find(Text, "inet:" ++ Function) =/= nomatch
        || Function <- ["peernames/1", "peernames/2", "socknames/2", "getfd/1"]],
    {ok, S} = gen_sctp:open([{ip, ?IP}]),
    {error, einval} = gen_sctp_nif:peernames(S),
    function_clause = try inet:peernames(S) catch error:Reason -> Reason end,
    ok = gen_sctp:close(S),
    ok = gen_sctp_nif_dropin:uninstall(),
    {true, true} = exchange(),
    ok.

%% Nor can gen_sctp be kept beside: those who have a socket of its would be cut off.
stripped_gen_sctp(Config0) ->
    Config = start(Config0),
    strip(Config, [gen_sctp, inet]),
    ?assertEqual(ok, call(Config, ?MODULE, without_stock, [])),
    stop(Config).

without_stock() ->
    {ok, S} = gen_sctp:open([{ip, ?IP}]),
    Log = gen_sctp_test_log:keep(),
    {error, {no_debug_info, gen_sctp}} = gen_sctp_nif_dropin:install(),
    [{error, "gen_sctp_nif: gen_sctp stays as it was: " ++ _, #{event := dropin}}] =
        gen_sctp_test_log:kept(Log, 1),
    not_installed = gen_sctp_nif_dropin:status(),
    {true, true} = exchange(),
    ok = gen_sctp:close(S),
    ok = gen_sctp_nif_dropin:install(),
    {ok, L} = gen_sctp:open([{ip, ?IP}]),
    ok = gen_sctp:listen(L, true),
    {ok, Port} = inet:port(L),
    {ok, C} = gen_sctp:open(),
    {ok, #sctp_assoc_change{}} = gen_sctp:connect(C, ?IP, Port, []),
    [] = [P || P <- erlang:ports(), erlang:port_info(P, name) =:= {name, "sctp_inet"}],
    ok = gen_sctp:close(C),
    ok = gen_sctp:close(L),
    ok = gen_sctp_nif_dropin:uninstall(),
    {true, true} = exchange(),
    ok.

%% Has the node find these modules without debug information, as in a stripped release.
strip(Config, Modules) ->
    Dir = filename:join(?config(priv_dir, Config), lists:concat(["stripped" | Modules])),
    ok = filelib:ensure_dir(filename:join(Dir, "x")),
    lists:foreach(fun(Module) ->
        {Module, Beam, _} = code:get_object_code(Module),
        {ok, {Module, Stripped}} = beam_lib:strip(Beam),
        ok = file:write_file(filename:join(Dir, atom_to_list(Module) ++ ".beam"), Stripped)
    end, Modules),
    true = call(Config, code, add_patha, [Dir]).

%% inet's own sockets are served as ever.
inet_dispatch(Config) ->
    ok = install(Config),
    ?assertEqual(tcp_names(), call(Config, ?MODULE, tcp_names, [])),
    ?assertEqual(ok, call(Config, ?MODULE, sctp_names, [])).

%% All that OTP's inet does not pass on.
sctp_names() ->
    {ok, S} = gen_sctp:open([{ip, ?IP}]),
    ok = gen_sctp:listen(S, true),
    {ok, C} = gen_sctp:open([{ip, ?IP}]),
    {ok, Port} = inet:port(S),
    {ok, #sctp_assoc_change{assoc_id = CId}} = gen_sctp:connect(C, ?IP, Port, []),
    {ok, {_, CPort, [], #sctp_assoc_change{assoc_id = Id} = Up}} = gen_sctp:recv(S, 5000),
    Ours = [{?IP, Port}],
    {ok, Ours} = inet:peernames(C, CId),
    {ok, [{?IP, CPort}]} = inet:peernames(S, Up),
    {ok, Ours} = inet:socknames(S, Id),
    {ok, Ours} = inet:socknames(S, undefined),
    {error, einval} = inet:peernames(S),
    {ok, P} = gen_sctp:peeloff(S, Id),
    {ok, [{?IP, CPort}]} = inet:peernames(P),
    Fds = [begin {ok, Fd} = inet:getfd(X), Fd end || X <- [S, C, P]],
    3 = length(lists:usort([Fd || Fd <- Fds, is_integer(Fd), Fd >= 0])),
    lists:foreach(fun gen_sctp:close/1, [P, C, S]),
    {error, einval} = inet:getfd(S),
    ok.

tcp_names() ->
    {ok, L} = gen_tcp:listen(0, [{ip, ?IP}]),
    {ok, {?IP, _}} = inet:sockname(L),
    Names = {inet:peernames(L), inet:peernames(L, 1), try inet:peernames(foo) catch _:R -> R end},
    ok = gen_tcp:close(L),
    Names.

%% The node answers before it has done all that its command line says, and does not say when it has.
switched_on(Config) ->
    ok = call(Config, ?MODULE, await_switch, []),
    serves(Config).

await_switch() ->
    case gen_sctp_nif_dropin:status() of
        installed -> ok;
        not_installed -> receive after 20 -> await_switch() end
    end.

serves(Config) ->
    ?assertEqual({false, false}, call(Config, ?MODULE, exchange, [])),
    stop(Config).

command_line(Config) ->
    switched_on(start(Config, ["-s", "gen_sctp_nif_dropin", "install"], [])).

%% The one names the other.
erl_flags_and_vm_args(Config) ->
    File = filename:join(?config(priv_dir, Config), "vm.args"),
    ok = file:write_file(File, "## Nothing but ours.\n-s gen_sctp_nif_dropin install\n"),
    switched_on(start(Config, [], [{"ERL_FLAGS", "-args_file " ++ File}])).

sys_config(Config0) ->
    File = filename:join(?config(priv_dir, Config0), "sys.config"),
    ok = file:write_file(File, "[{gen_sctp_nif, [{dropin, true}]}].\n"),
    Config = start(Config0, ["-config", File], []),
    {ok, _} = call(Config, application, ensure_all_started, [gen_sctp_nif]),
    serves(Config).

%% What the environment asks of the compiler is none of the drop-in's.
compiler_options(Config) ->
    true = call(Config, os, putenv, ["ERL_COMPILER_OPTIONS", "[return, {parse_transform, none}]"]),
    try
        ?assertEqual(ok, install(Config)),
        ?assertEqual({false, false}, call(Config, ?MODULE, exchange, []))
    after
        call(Config, os, unsetenv, ["ERL_COMPILER_OPTIONS"])
    end.

environment(Config0) ->
    Config = start(Config0, ["-gen_sctp_nif", "dropin", "true"], []),
    {ok, _} = call(Config, application, ensure_all_started, [gen_sctp_nif]),
    serves(Config).

misspelt(Config0) ->
    Config = start(Config0, ["-gen_sctp_nif", "dropin", "yes"], []),
    {error, {gen_sctp_nif, Reason}} = call(Config, application, ensure_all_started, [gen_sctp_nif]),
    ?assertMatch({{dropin, {bad_value, yes}}, _}, Reason),
    ?assertEqual(not_installed, call(Config, gen_sctp_nif_dropin, status, [])),
    stop(Config).

%% As a release starts: all code is loaded and the applications are started by the boot script.
embedded(Config0) ->
    Boot = filename:join(?config(priv_dir, Config0), "embedded"),
    Applications = [{App, version(App)} || App <- [kernel, stdlib, compiler, gen_sctp_nif]],
    Release = {release, {"embedded", "1"}, {erts, erlang:system_info(version)}, Applications},
    ok = file:write_file(Boot ++ ".rel", io_lib:format("~p.~n", [Release])),
    {ok, systools_make, []} = systools:make_script(Boot, [local, silent, no_warn_sasl]),
    ok = file:write_file(Boot ++ ".config", "[{gen_sctp_nif, [{dropin, true}]}].\n"),
    Config = start(Config0, ["-mode", "embedded", "-boot", Boot, "-config", Boot], []),
    ?assertEqual(embedded, call(Config, code, get_mode, [])),
    {module, ?MODULE} = call(Config, code, load_file, [?MODULE]),
    serves(Config).

version(App) ->
    _ = application:load(App),
    {ok, Version} = application:get_key(App, vsn),
    Version.

%% A module of its own gets our sockets, all others keep OTP's.
parse_transform(Config) ->
    Dir = ?config(priv_dir, Config),
    ?assertEqual(ok, call(Config, ?MODULE, transformed, [Dir])).

transformed(Dir) ->
    File = filename:join(Dir, "transformed.erl"),
    ok = file:write_file(File, source()),
    {ok, transformed, Beam} = compile:file(filename:rootname(File),
        [binary, debug_info, return_errors, warnings_as_errors]),
    {module, transformed} = code:load_binary(transformed, File, Beam),
    %% Types, too, for dialyzer.
    {ok, {_, [{abstract_code, {_, Forms}}]}} = beam_lib:chunks(Beam, [abstract_code]),
    [{gen_sctp_nif, sctp_socket}] = [{M, T} || {attribute, _, spec, {{open, 0}, [Spec]}} <- Forms,
        {type, _, 'fun', [_, {remote_type, _, [{atom, _, M}, {atom, _, T}, []]}]} <- [Spec]],
    {'$inet', gen_sctp_nif, _} = transformed:run(),
    {ok, S} = gen_sctp:open(),
    true = is_port(S),
    %% A port's names are inet's business, in that module as well.
    true = inet:socknames(S, 0) =:= transformed:names(S),
    gen_sctp:close(S).

source() ->
    "-module(transformed).\n"
    "-compile({parse_transform, gen_sctp_nif_transform}).\n"
    "-export([open/0, run/0, names/1]).\n"
    "-import(gen_sctp, [listen/2]).\n"
    "-import(inet, [port/1, peernames/2]).\n"
    "-include_lib(\"kernel/include/inet_sctp.hrl\").\n"
    "-spec open() -> gen_sctp:sctp_socket().\n"
    "open() -> {ok, S} = gen_sctp:open([{ip, {127, 0, 0, 1}}]), S.\n"
    "names(S) -> inet:socknames(S, 0).\n"
    "run() ->\n"
    "    S = open(), ok = listen(S, true), {ok, Port} = port(S),\n"
    "    C = open(), Connect = fun gen_sctp:connect/4,\n"
    "    {ok, #sctp_assoc_change{assoc_id = Id}} = Connect(C, {127, 0, 0, 1}, Port, []),\n"
    "    Name = {{127, 0, 0, 1}, Port},\n"
    "    {ok, [Name]} = names(S), {ok, [Name]} = peernames(C, Id),\n"
    "    {error, _} = inet:peernames(S),\n"
    "    Names = fun inet:peernames/2, {ok, [Name]} = Names(C, Id), {ok, _} = inet:getfd(C),\n"
    "    lists:foreach(fun gen_sctp:close/1, [C, S]), S.\n".
