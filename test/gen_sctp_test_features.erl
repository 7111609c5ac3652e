%% @doc What the running kernel has of the options and events that gen_sctp does not have, as the
%% lines of docs/features/: `NAME yes', `NAME no', or `NAME VARIABLE' where a new network namespace
%% does not allow it until that variable of net.sctp is set. `net.sctp.VARIABLE on' or `off' is how
%% a new namespace has it.
%%
%% `scripts/features --run' writes them down, the suite `look' compares them.
-module(gen_sctp_test_features).

-include("gen_sctp_nif.hrl").

-export([print/0]).
-export([lines/0]).
-export([release/0]).

-define(SYSCTL, "/proc/sys/net/sctp/").

%% Types of `sctp_event' that gen_sctp has not.
-define(EVENTS, [sender_dry, send_failed_event, authentication, stream_reset, assoc_reset,
                 stream_change]).

%% @doc For the script.
-spec print() -> ok.
print() ->
    io:format("~s", [[[Line, $\n] || Line <- lines()]]).

%% @doc The kernel's version, as its file is called: `"6.1"'.
-spec release() -> string().
release() ->
    {_, {Major, Minor, _}} = {os:type(), os:version()},
    lists:flatten(io_lib:format("~b.~b", [Major, Minor])).

%% @doc In a network namespace that is as it was made, whose variables can be set for a moment.
-spec lines() -> [string()].
lines() ->
    Features = gen_sctp_nif:features(),
    {Variables, Names} = lists:partition(fun is_variable/1, lists:sort(maps:keys(Features))),
    Closed = [Name || Name <- Variables, not maps:get(Name, Features)],
    Opened = [{Variable, with(Variable, fun gen_sctp_nif:features/0)} || Variable <- Closed],
    [line(Name, has(Name, Features, Opened)) || Name <- Names] ++
        [line(["event ", atom_to_list(Type)], yes(has_event(Type))) || Type <- ?EVENTS] ++
        [line(["net.sctp.", atom_to_list(Name)], on(maps:get(Name, Features)))
         || Name <- Variables].

line(Name, Word) ->
    lists:flatten(io_lib:format("~s ~s", [Name, Word])).

yes(true) -> yes;
yes(false) -> no.

on(true) -> on;
on(false) -> off.

is_variable(Name) ->
    filelib:is_regular(?SYSCTL ++ atom_to_list(Name)).

has(Name, Features, Opened) ->
    case maps:get(Name, Features) of
        true -> yes;
        false ->
            case [Variable || {Variable, #{Name := true}} <- Opened] of
                [] -> no;
                [Variable] -> Variable
            end
    end.

with(Variable, Fun) ->
    File = ?SYSCTL ++ atom_to_list(Variable),
    {ok, Before} = file:read_file(File),
    ok = file:write_file(File, "1"),
    try Fun() after ok = file:write_file(File, Before) end.

has_event(Type) ->
    {ok, S} = gen_sctp_nif:open(),
    Result = inet:setopts(S, [{sctp_event, #sctp_event{type = Type, on = true}}]),
    ok = gen_sctp_nif:close(S),
    Result =:= ok.
