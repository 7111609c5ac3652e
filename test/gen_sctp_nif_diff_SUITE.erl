%% @doc The same scenarios through gen_sctp and gen_sctp_nif, on one kernel. What is meant to
%% differ is in gen_sctp_nif_differences and docs/differences.md; anything else fails.
-module(gen_sctp_nif_diff_SUITE).

-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() -> [{timetrap, {seconds, 120}}].

all() ->
    [open, options_at_open, options_set, options_connected, options_in_connect, options_read,
     connect, connectx, send, other_calls, passive, active, modes,
     forms_of_open, forms_of_options, forms_of_addresses].

init_per_testcase(_, Config) -> gen_sctp_test_lib:begin_case([{module, gen_sctp_nif} | Config]).
end_per_testcase(_, Config) -> gen_sctp_test_lib:end_case(Config).

%% With the intended differences that these scenarios show on every release.
check(Scenarios, Expected) ->
    gen_sctp_nif_diff:check(Scenarios, Expected, fun gen_sctp_nif_differences:expected/2).

open(_) -> check(gen_sctp_nif_diff_open:scenarios(), [crashes_are_badarg]).

options_at_open(_) -> check(gen_sctp_nif_diff_options:at_open(), []).

options_set(_) -> check(gen_sctp_nif_diff_options:later(), [plain_option_errors]).

options_connected(_) -> check(gen_sctp_nif_diff_options:connected(), [plain_option_errors]).

options_in_connect(_) ->
    check(gen_sctp_nif_diff_options:in_connect(),
          [default_send_param_in_connect, plain_option_errors, connect_without_events]).

options_read(_) -> check(gen_sctp_nif_diff_options:reading(), [plain_option_errors]).

connect(_) ->
    check(gen_sctp_nif_diff_calls:connect(),
          [checked_address_maps] ++ gen_sctp_nif_differences:until_26([no_empty_host])).

connectx(_) -> check(gen_sctp_nif_diff_calls:connectx(), []).

send(_) ->
    check(gen_sctp_nif_diff_calls:send(),
          [plain_option_errors | gen_sctp_nif_differences:until_26([whole_bytes_only])]).

other_calls(_) -> check(gen_sctp_nif_diff_calls:others(),
                               [plain_option_errors, refused_is_not_sent]).

%% SCTP_ROUNDS=20000 tries so many forms.
forms_of_open() -> [{timetrap, {hours, 24}}].
forms_of_open(_) ->
    check(gen_sctp_nif_diff_forms:of_open(forms(2000)), [crashes_are_badarg]).

forms_of_options() -> [{timetrap, {hours, 24}}].
forms_of_options(_) ->
    check(gen_sctp_nif_diff_forms:of_options(forms(1000)), [plain_option_errors]).

forms_of_addresses() -> [{timetrap, {hours, 24}}].
forms_of_addresses(_) ->
    check(gen_sctp_nif_diff_forms:of_addresses(forms(600)), [{perhaps, checked_address_maps}]).

forms(Default) -> list_to_integer(os:getenv("SCTP_ROUNDS", integer_to_list(Default))).

passive(_) -> check(gen_sctp_nif_diff_traffic:passive(), []).

active(_) -> check(gen_sctp_nif_diff_traffic:active(), [refused_has_id]).

modes(_) -> check(gen_sctp_nif_diff_traffic:modes(), []).
