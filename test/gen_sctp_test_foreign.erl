%% @doc The other end of an association that is not Erlang's: the program
%% test/peer/peer.c, on lksctp's library, which says what it can be told
%% and what it tells.
%%
%% Lines are lists of words; numbers are integers.
-module(gen_sctp_test_foreign).

-export([start/1]).
-export([start/2]).
-export([do/2]).
-export([ask/2]).
-export([line/1]).
-export([nothing/1]).
-export([stop/1]).
-export([kill/1]).
-export([end_case/0]).
-export([pattern/1]).
-export([crc/1]).

-export_type([peer/0, words/0]).

-type peer() :: port().
-type words() :: [string() | atom() | integer()].

-define(TIMEOUT, 10000).

%% @doc Runs the program, with these commands done.
-spec start([words()]) -> peer().
start(Commands) ->
    run(program(), [], Commands).

%% @doc The same on another host.
-spec start({netns, string()}, [words()]) -> peer().
start({netns, Namespace}, Commands) ->
    run(os:find_executable("nsenter"), ["--net=" ++ Namespace, program()], Commands).

program() ->
    filename:join(gen_sctp_test_node:faults(), "peer").

run(Program, Args, Commands) ->
    Peer = open_port({spawn_executable, Program}, [{args, Args}, {line, 4096}, exit_status]),
    put(?MODULE, [Peer | started()]),
    _ = [do(Peer, Command) || Command <- Commands],
    Peer.

%% @doc Has a command done, and gives what it gives.
-spec do(peer(), words()) -> [string() | integer()].
do(Peer, Words) ->
    case ask(Peer, Words) of
        {done, Results} -> Results;
        {failed, Reason} -> error({Words, Reason})
    end.

%% @doc The same, where it may fail. What comes meanwhile is left for `line/1'.
-spec ask(peer(), words()) -> {done, [string() | integer()]} | {failed, string()}.
ask(Peer, Words) ->
    true = port_command(Peer, [lists:join($ , [io_lib:format(format(W), [W]) || W <- Words]), $\n]),
    receive
        {Peer, {data, {eol, "done" ++ Results}}} -> {done, words(Results)};
        {Peer, {data, {eol, "failed " ++ Reason}}} -> {failed, Reason};
        {Peer, {exit_status, Status}} -> error({exit, Status, Words})
    after ?TIMEOUT ->
        error({silent, Peer, Words})
    end.

format(Word) when is_integer(Word); is_atom(Word) -> "~w";
format(_) -> "~s".

words(Line) ->
    [try list_to_integer(Word) catch error:badarg -> Word end || Word <- string:lexemes(Line, " ")].

%% @doc The next line that is no answer to a command.
-spec line(peer()) -> [string() | integer()] | {exit, integer()}.
line(Peer) ->
    receive
        {Peer, {data, {eol, Line}}} -> words(Line);
        {Peer, {exit_status, Status}} -> {exit, Status}
    after ?TIMEOUT ->
        error({silent, Peer})
    end.

%% @doc Nothing has come that was not looked at.
-spec nothing(peer()) -> ok.
nothing(Peer) ->
    [] = do(Peer, ["sync"]),
    receive
        {Peer, {data, {eol, Line}}} -> error({told, Line})
    after 0 ->
        ok
    end.

-spec stop(peer()) -> ok.
stop(Peer) ->
    case erlang:port_info(Peer, os_pid) of
        {os_pid, _} ->
            [] = do(Peer, ["quit"]),
            {exit, 0} = ended(Peer),
            ok;
        undefined ->
            ok
    end.

%% It may tell something before.
ended(Peer) ->
    case line(Peer) of
        {exit, Status} -> {exit, Status};
        _ -> ended(Peer)
    end.

%% @doc Kills the program; how it ended.
-spec kill(peer()) -> {exit, integer()}.
kill(Peer) ->
    {os_pid, Pid} = erlang:port_info(Peer, os_pid),
    "" = os:cmd("kill -9 " ++ integer_to_list(Pid)),
    ended(Peer).

%% @doc Ends the programs that a case has left behind because it failed, and forgets what they told:
%% it would hide why.
-spec end_case() -> ok.
end_case() ->
    lists:foreach(fun end_program/1,
                  [Peer || Peer <- started(), erlang:port_info(Peer) =/= undefined]),
    erase(?MODULE),
    ok.

end_program(Peer) ->
    true = port_close(Peer),
    forget(Peer).

forget(Peer) ->
    receive {Peer, _} -> forget(Peer) after 0 -> ok end.

started() ->
    case get(?MODULE) of
        undefined -> [];
        Peers -> Peers
    end.

%% @doc The bytes that the program sends: no piece is like another.
-spec pattern(non_neg_integer()) -> binary().
pattern(Size) ->
    Words = << <<(N * 2654435761):32>> || N <- lists:seq(0, Size div 4) >>,
    binary:part(Words, 0, Size).

%% @doc What it tells of them.
-spec crc(non_neg_integer()) -> non_neg_integer().
crc(Size) ->
    erlang:crc32(pattern(Size)).
