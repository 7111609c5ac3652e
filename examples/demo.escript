#!/usr/bin/env escript
%%! +W w
%% Runs the examples of this directory in one node, and checks that what
%% happens is what should. Exit code 1 if it is not, or takes too long.
%%
%% usage: escript examples/demo.escript [EBIN]
%% EBIN is where the built application is,
%% _build/default/lib/gen_sctp_nif/ebin beside this directory if not given.

-mode(compile).

-include_lib("kernel/include/inet_sctp.hrl").

-define(TIME_LIMIT, 20000).

main(Args) ->
    Dir = filename:dirname(filename:absname(escript:script_name())),
    Ebin = case Args of
        [Given] -> Given;
        [] -> filename:join(filename:dirname(Dir), "_build/default/lib/gen_sctp_nif/ebin")
    end,
    case code:add_patha(filename:absname(Ebin)) of
        true -> ok;
        {error, bad_directory} -> fail("~ts is not there; is the application built?", [Ebin])
    end,
    lists:foreach(fun(Module) -> load(Dir, Module) end,
        [sctp_server, sctp_client, sctp_connect_init]),
    {Pid, MRef} = spawn_monitor(fun story/0),
    receive
        {'DOWN', MRef, process, Pid, normal} ->
            io:format("~nAll went as it should.~n");
        {'DOWN', MRef, process, Pid, Reason} ->
            fail("~p", [Reason])
    after ?TIME_LIMIT ->
        fail("not done after ~b s, at ~p",
            [?TIME_LIMIT div 1000, process_info(Pid, current_stacktrace)])
    end.

fail(Format, Args) ->
    io:format(standard_error, "~nThe demo failed: " ++ Format ++ "~n", Args),
    halt(1).

load(Dir, Module) ->
    File = filename:join(Dir, Module),
    case compile:file(File, [binary, report, warnings_as_errors]) of
        {ok, Module, Code} -> {module, Module} = code:load_binary(Module, File, Code);
        error -> fail("~s does not compile", [Module])
    end.

story() ->
    classic_pair(),
    two_peers(),
    case gen_sctp_nif:which_sockets() of
        [] -> ok;
        Left -> exit({sockets_left, Left})
    end.

%% sctp_server and sctp_client.
classic_pair() ->
    chapter("A server and a client"),
    {Server, Port} = start_server(server),
    io:format("server: listening on port ~b~n", [Port]),
    Steps = sctp_client:run({127, 0, 0, 1}, Port),
    [
        {connect, #sctp_assoc_change{state = comm_up, outbound_streams = 5}},
        {send, ok},
        %% Streams 0 to 4 are all that the client asked for.
        {send, {error, einval}},
        {abort, ok}
    ] = Steps,
    #sctp_assoc_change{state = comm_up, inbound_streams = 5, assoc_id = Id} = heard(server),
    {#sctp_sndrcvinfo{assoc_id = Id, stream = 0}, <<"Test 0">>} = heard(server),
    #sctp_assoc_change{state = comm_lost, assoc_id = Id} = heard(server),
    stop_server(Server).

%% sctp_connect_init and two of sctp_server.
two_peers() ->
    chapter("A client with two associations at once, in active mode"),
    {Server1, Port1} = start_server(server1),
    {Server2, Port2} = start_server(server2),
    Ended = sctp_connect_init:run([{{127, 0, 0, 1}, Port} || Port <- [Port1, Port2]]),
    true = lists:sort([{Port1, shutdown_comp}, {Port2, shutdown_comp}]) =:= lists:sort(Ended),
    lists:foreach(fun({Name, Port}) ->
        Hello = list_to_binary(["Hello, ", integer_to_list(Port)]),
        #sctp_assoc_change{state = comm_up, assoc_id = Id} = heard(Name),
        {#sctp_sndrcvinfo{assoc_id = Id, stream = 0}, Hello} = heard(Name),
        #sctp_shutdown_event{assoc_id = Id} = heard(Name),
        #sctp_assoc_change{state = shutdown_comp, assoc_id = Id} = heard(Name)
    end, [{server1, Port1}, {server2, Port2}]),
    stop_server(Server1),
    stop_server(Server2).

chapter(Title) ->
    io:format("~n~ts~n~ts~n", [Title, lists:duplicate(length(Title), $-)]).

%% A server in a process of its own that prints what it gets and passes it on
%% to this one.
start_server(Name) ->
    Demo = self(),
    Handle = fun(Received) ->
        io:format("~s: ~ts~n", [Name, sctp_server:describe(Received)]),
        Demo ! {heard, Name, Received}
    end,
    {Pid, MRef} = spawn_monitor(fun() ->
        S = sctp_server:open(0),
        Demo ! {self(), S},
        ok = sctp_server:serve(S, Handle)
    end),
    receive
        {Pid, S} ->
            {ok, Port} = inet:port(S),
            {{MRef, S}, Port};
        {'DOWN', MRef, process, Pid, Reason} ->
            exit({Name, Reason})
    end.

%% Another process closes the socket; the receive that waits on it ends.
stop_server({MRef, S}) ->
    ok = gen_sctp_nif:close(S),
    receive {'DOWN', MRef, process, _, Reason} -> normal = Reason end.

heard(Name) ->
    receive
        {heard, Name, {ok, {_, _, [], Event}}} -> Event;
        {heard, Name, {ok, {_, _, [Info], Data}}} -> {Info, Data};
        {heard, Name, {error, Reason}} -> exit({Name, Reason})
    after 5000 ->
        exit({Name, heard_nothing})
    end.
