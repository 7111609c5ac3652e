%% @doc Random calls by several processes against a model of the API: see prop_gen_sctp_nif.
-module(gen_sctp_nif_property_SUITE).

-compile([export_all, nowarn_export_all]).

%% So many calls where nobody says how many: about half a minute in the emulated machine.
-define(COMMANDS, 1500).

suite() -> [{timetrap, {hours, 24}}].

all() -> [model].

%% COMMANDS=100000 makes a long run of it; SEED={1,2,3} repeats the test that failed.
model(_) ->
    Options = case {os:getenv("SEED", ""), os:getenv("COMMANDS", "")} of
                  {"", ""} -> #{commands => ?COMMANDS};
                  {"", Commands} -> #{commands => list_to_integer(Commands)};
                  {Seed, _} -> #{seed => seed(Seed)}
              end,
    case prop_gen_sctp_nif:run(gen_sctp_nif, Options) of
        {ok, Made} -> {comment, io_lib:format("~b calls", [Made])};
        {failed, Seed1, Report} -> ct:fail("seed ~w~n~s", [Seed1, Report])
    end.

seed(Text) ->
    {ok, Tokens, _} = erl_scan:string(Text ++ "."),
    {ok, Seed} = erl_parse:parse_term(Tokens),
    Seed.
