%% @doc The programs of the documents, taken from the text and run as they stand there.
-module(gen_sctp_nif_documents_SUITE).

-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib, [until/1]).

-define(ROUNDS, 50).

suite() -> [{timetrap, {seconds, 180}}].

all() -> [readme_echo].

init_per_testcase(_, Config) ->
    gen_sctp_test_lib:begin_case([{module, gen_sctp_nif}, {family, inet} | Config]).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% The README's server and client find each other, every time: no event gets in the way of either.
readme_echo(_) ->
    Echo = load(echo, program("README.md", "-module(echo)")),
    {Server, MRef} = spawn_monitor(fun() -> Echo:server(0) end),
    until(fun() -> listeners(Server) =/= [] end),
    [S] = listeners(Server),
    {ok, Port} = inet:port(S),
    [?assertEqual({ok, <<"ping">>}, Echo:ping(loopback(N), Port)) || N <- lists:seq(1, ?ROUNDS)],
    exit(Server, kill),
    receive {'DOWN', MRef, process, Server, Reason} -> ?assertEqual(killed, Reason) end.

loopback(N) when N rem 2 =:= 0 -> {127, 0, 0, 1};
loopback(_) -> "localhost".

listeners(Pid) ->
    [S || S <- gen_sctp_nif:which_sockets(),
          #{owner := Owner, states := [listen | _]} <- [inet:info(S)],
          Owner =:= Pid].

%% The one block of code of a document in which such a line is.
program(Document, Line) ->
    {ok, Text} = file:read_file(filename:join(top(), Document)),
    {match, Blocks} = re:run(Text, "^```erlang\n(.*?)^```$",
        [global, multiline, dotall, {capture, all_but_first, list}]),
    [Program] = [Block || [Block] <- Blocks, string:find(Block, Line) =/= nomatch],
    Program.

%% The documents are above all that is built.
top() -> above(code:lib_dir(gen_sctp_nif)).

above(Directory) ->
    case filelib:is_regular(filename:join(Directory, "rebar.config")) of
        true -> Directory;
        false -> above(filename:dirname(Directory))
    end.

load(Module, Program) ->
    File = filename:join(filename:basedir(user_cache, "gen_sctp_nif"), atom_to_list(Module)),
    ok = filelib:ensure_dir(File),
    ok = file:write_file(File ++ ".erl", Program),
    {ok, Module, Code} = compile:file(File, [binary, report, warnings_as_errors]),
    {module, Module} = code:load_binary(Module, File, Code),
    Module.
