%% @doc What differs on purpose between stock gen_sctp and gen_sctp_nif in the scenarios of the
%% differential suite. docs/differences.md has the reasons; gen_sctp_nif_differences_SUITE has a
%% test for each.
-module(gen_sctp_nif_differences).

-include_lib("kernel/include/inet_sctp.hrl").

-export([names/0]).
-export([expected/2]).
-export([until_26/1]).

%% @doc The differences, as docs/differences.md and the cases of the suite call them.
-spec names() -> [atom()].
names() ->
    [crashes_are_badarg, default_buffers, options_of_newer_releases, default_options_of_kernel,
     plain_option_errors, default_send_param_in_connect, send_param_zeros, delayed_ack_time,
     active_multi, refused_has_id, no_empty_host, checked_address_maps, long_timeouts,
     no_stray_timers, connect_compares_associations, connect_beside_data, connect_beside_receiver,
     connect_by_any_process, whole_bytes_only, receiver_killed, receive_timer_ends,
     stream_end_is_quiet, partial_delivery_ends, blocked_senders_are_independent,
     close_releases_all_senders, give_away_moves_all, give_away_keeps_new_mode,
     give_away_to_the_dead, give_away_closed, peeled_inherits, names_without_inet,
     stream_has_peer_name, module_over_family, no_port, garbage_is_closed,
     connect_without_events, events_as_of_reading, refused_is_not_sent,
     receiver_beside_active, info_of_first_piece].

%% @doc Differences that only older releases show.
-spec until_26([atom()]) -> [atom()].
until_26(Names) ->
    [Name || Name <- Names, gen_sctp_test_lib:otp() < 27].

%% @doc What gen_sctp_nif gives where stock of this release gives Stock, and which difference
%% that is; `same' if none is meant.
-spec expected(term(), term()) -> same | {atom(), term()}.
expected({open, [{sctp_module, no_such_module}]}, {raised, error, undef}) ->
    {crashes_are_badarg, {raised, error, badarg}};
expected({open, [{ip, []}]}, {raised, error, badmatch}) ->
    {crashes_are_badarg, {raised, error, badarg}};
expected({open, [{ip, #{family := inet6}}]}, {raised, error, function_clause}) ->
    {crashes_are_badarg, {raised, error, badarg}};
expected(Form, {raised, error, Crash})
  when element(1, Form) =:= form, element(2, Form) =:= open orelse
           element(2, Form) =:= open_with_defaults,
       Crash =:= badmatch orelse Crash =:= badarith orelse Crash =:= undef ->
    {crashes_are_badarg, {raised, error, badarg}};
expected({form, connect_init, _, _, _}, {raised, error, badarith}) ->
    {checked_address_maps, {returned, {error, einval}}};
expected({form, connectx_init, _, _, _}, {raised, error, badarith}) ->
    {checked_address_maps, {returned, {connectx, {error, einval}}}};
%% SELinux is asked before SCTP, and refuses an address of another family in its own way.
expected({open, [{ip, Local}]}, {returned, {error, eafnosupport}})
  when is_binary(Local); element(1, Local) =:= local ->
    {crashes_are_badarg, {raised, error, badarg}};
expected({in_connect, _, [{sctp_default_send_param, Info}]},
         {returned, {{error, type}, {ok, [{sctp_default_send_param, _}]}}} = Stock) ->
    case settable(Info) of
        true ->
            Up = #sctp_assoc_change{state = comm_up, outbound_streams = 10, inbound_streams = 10,
                                    assoc_id = some_id},
            Set = {sctp_default_send_param, filled(Info)},
            {default_send_param_in_connect, {returned, {{ok, Up}, {ok, [Set]}}}};
        false ->
            plain(Stock)
    end;
expected({in_connect, _, [{sctp_events, #sctp_event_subscribe{association_event = false}}]},
         {returned, {{error, timeout}, Events}}) ->
    Up = #sctp_assoc_change{state = comm_up, outbound_streams = 10, inbound_streams = 10,
                            assoc_id = some_id},
    {connect_without_events, {returned, {{ok, Up}, Events}}};
expected({Function, _, Host, _, _, _}, {returned, Stock})
  when Function =:= connect orelse Function =:= connect_init, Host =:= "" orelse Host =:= '' ->
    case {gen_sctp_test_lib:otp() >= 27, Stock} of
        {false, {{error, einval}, Rest}} -> {no_empty_host, {returned, {{error, nxdomain}, Rest}}};
        {false, {{error, einval}, R1, R2}} ->
            {no_empty_host, {returned, {{error, nxdomain}, R1, R2}}};
        _ -> same
    end;
expected({connect_map, [inet6], _, #{flowinfo := foo}, [], none}, {raised, error, badarith}) ->
    {checked_address_maps, {returned, {error, einval}}};
expected({connect_map, [inet6], _, #{scope_id := -1}, [], none}, {returned, _}) ->
    {checked_address_maps, {returned, {error, einval}}};
expected({send_info, #sctp_sndrcvinfo{flags = Flags}, _}, {raised, error, function_clause})
  when Flags =:= foo; Flags =:= [eof | foo] ->
    {plain_option_errors, {returned, {{error, einval}, []}}};
expected({send, id, 0, [$a | <<1:3>>]}, {returned, {ok, _}}) ->
    {whole_bytes_only, {returned, {{error, einval}, []}}};
expected({What, peeloff, _, _}, {raised, error, function_clause})
  when What =:= call; What =:= no_socket; What =:= closed ->
    {crashes_are_badarg, {raised, error, badarg}};
expected({call, Function, _, [socket, [] | _]}, {returned, {error, einval}})
  when Function =:= connect; Function =:= connect_init ->
    {no_empty_host, {returned, {error, nxdomain}}};
expected({call, connect, _, [socket | Args]}, {returned, {error, einval}})
  when length(Args) > 2 ->
    case lists:last(Args) of
        Timeout when is_integer(Timeout), Timeout > 16#fffffffe, Timeout < 1 bsl 64 ->
            {long_timeouts, {returned, {error, #sctp_assoc_change{assoc_id = some_id}}}};
        _ ->
            same
    end;
expected({call, connect, _, _}, {{returned, Result}, {mailbox, [{timeout, reference, inet}]}}) ->
    {no_stray_timers, {returned, with_id(Result)}};
expected({call, connect, _, _}, {returned, {error, #sctp_assoc_change{}}} = Stock) ->
    {refused_has_id, with_id(Stock)};
expected(counters, {returned, [Server, {ok, Counters}]}) ->
    Sent = [{send_cnt, 3}, {send_oct, 3210}, {send_max, 3000}, {send_avg, 1070}],
    {refused_is_not_sent, {returned, [Server, {ok, lists:foldl(fun(Counter, All) ->
        lists:keyreplace(element(1, Counter), 1, All, Counter)
    end, Counters, Sent)}]}};
expected({refused, _, _}, Stock) ->
    {refused_has_id, with_id(Stock)};
expected(_, Stock) ->
    plain(Stock).

%% The event of a refused association, with its number.
with_id(#sctp_assoc_change{state = cant_assoc, assoc_id = 0} = Event) ->
    Event#sctp_assoc_change{assoc_id = some_id};
with_id(Tuple) when is_tuple(Tuple) -> list_to_tuple(with_id(tuple_to_list(Tuple)));
with_id([Head | Tail]) -> [with_id(Head) | with_id(Tail)];
with_id(Term) -> Term.

settable(#sctp_sndrcvinfo{stream = Stream, ppid = Ppid, flags = Flags, ssn = undefined,
                          tsn = undefined, cumtsn = undefined}) ->
    Stream =/= 65536 andalso Flags =/= [foo] andalso
        (Ppid =:= undefined orelse Ppid >= 0 andalso Ppid < 1 bsl 32);
settable(_) ->
    false.

filled(#sctp_sndrcvinfo{flags = Flags} = Info) ->
    Zeros = list_to_tuple([case Field of undefined -> 0; _ -> Field end
                           || Field <- tuple_to_list(Info)]),
    Zeros#sctp_sndrcvinfo{flags = case Flags of undefined -> []; _ -> Flags end}.

plain(Stock) ->
    case plain_errors(Stock) of
        Stock -> same;
        Plain -> {plain_option_errors, Plain}
    end.

%% {error, {type, _}} and {error, {merge, _, _}} tell of types inside prim_inet.
plain_errors({error, Reason}) when Reason =:= type; Reason =:= merge -> {error, einval};
plain_errors(Tuple) when is_tuple(Tuple) -> list_to_tuple(plain_errors(tuple_to_list(Tuple)));
plain_errors([Head | Tail]) -> [plain_errors(Head) | plain_errors(Tail)];
plain_errors(Term) -> Term.
