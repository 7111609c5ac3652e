%% @doc The same scenarios through gen_sctp and gen_sctp_nif, on one kernel. What is meant to
%% differ is in gen_sctp_nif_differences and docs/differences.md; anything else fails.
-module(gen_sctp_nif_diff_SUITE).

-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() -> [{timetrap, {seconds, 120}}].

all() ->
    [open, options_at_open, options_set, options_connected, options_in_connect, options_read,
     connect, connectx, send, other_calls, passive, active, modes].

init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case([{module, gen_sctp_nif} | Config]).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

check(Scenarios) ->
    gen_sctp_nif_diff:check(Scenarios, fun gen_sctp_nif_differences:expected/2).

open(_) -> check(gen_sctp_nif_diff_open:scenarios()).

options_at_open(_) -> check(gen_sctp_nif_diff_options:at_open()).

options_set(_) -> check(gen_sctp_nif_diff_options:later()).

options_connected(_) -> check(gen_sctp_nif_diff_options:connected()).

options_in_connect(_) -> check(gen_sctp_nif_diff_options:in_connect()).

options_read(_) -> check(gen_sctp_nif_diff_options:reading()).

connect(_) -> check(gen_sctp_nif_diff_calls:connect()).

connectx(_) -> check(gen_sctp_nif_diff_calls:connectx()).

send(_) -> check(gen_sctp_nif_diff_calls:send()).

other_calls(_) -> check(gen_sctp_nif_diff_calls:others()).

passive(_) -> check(gen_sctp_nif_diff_traffic:passive()).

active(_) -> check(gen_sctp_nif_diff_traffic:active()).

modes(_) -> check(gen_sctp_nif_diff_traffic:modes()).
