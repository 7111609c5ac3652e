%% @doc Scenarios of option lists and addresses in all forms: nested, repeated, in any order, of
%% mixed families, improper. By chance, but always the same ones.
%%
%% The name of a scenario says all of the call that it makes. `again/1' makes it once more.
-module(gen_sctp_nif_diff_forms).

-include_lib("kernel/include/inet_sctp.hrl").

-export([of_open/1]).
-export([of_options/1]).
-export([of_addresses/1]).
-export([again/1]).

-import(gen_sctp_nif_diff, [socket/2]).

%% Addresses of the test machine, and some that it has not.
-define(V4, {127, 0, 0, 1}).
-define(A4, {10, 66, 0, 1}).
-define(B4, {10, 66, 1, 1}).
-define(NONE4, {1, 2, 3, 4}).
-define(V6, {0, 0, 0, 0, 0, 0, 0, 1}).
-define(A6, {16#fd66, 0, 0, 0, 0, 0, 0, 1}).
-define(B6, {16#fd66, 1, 0, 0, 0, 0, 0, 1}).
-define(NONE6, {16#fd67, 0, 0, 0, 0, 0, 0, 1}).
-define(MAPPED, {0, 0, 0, 0, 0, 16#ffff, 16#7f00, 1}).
-define(PORT, 20100).
%% Nobody listens there.
-define(DEAD, 20).

%% @doc So many different calls of open/1 and open/2.
-spec of_open(pos_integer()) -> [gen_sctp_nif_diff:scenario()].
of_open(Number) ->
    forms(Number, fun open_form/0).

%% @doc Of `inet:setopts/2', `inet:getopts/2', `inet:getstat/2', and of connect_init/4 for its
%% options.
-spec of_options(pos_integer()) -> [gen_sctp_nif_diff:scenario()].
of_options(Number) ->
    forms(Number, fun options_form/0).

%% @doc Of connect_init/3,4 and connectx_init/3,4 for their addresses and ports.
-spec of_addresses(pos_integer()) -> [gen_sctp_nif_diff:scenario()].
of_addresses(Number) ->
    forms(Number, fun addresses_form/0).

%% @doc What both modules give for the name of a scenario.
-spec again(term()) -> [{module(), term()}].
again(Name) ->
    [{M, gen_sctp_nif_diff:outcome(M, fun(_) -> run(M, Name) end)}
     || M <- [gen_sctp, gen_sctp_nif]].

forms(Number, Form) ->
    _ = rand:seed(exsss, {1, 2, 3}),
    [{Name, fun(M) -> run(M, Name) end} || Name <- distinct(Number, Form, #{})].

distinct(Number, _, Names) when map_size(Names) =:= Number -> lists:sort(maps:keys(Names));
distinct(Number, Form, Names) -> distinct(Number, Form, Names#{Form() => true}).

run(M, {form, open, Args}) ->
    opened(M, apply(M, open, Args));
run(M, {form, open_with_defaults, Defaults, Args}) ->
    ok = application:set_env(kernel, inet_default_sctp_options, Defaults),
    try
        opened(M, apply(M, open, Args))
    after
        application:unset_env(kernel, inet_default_sctp_options)
    end;
run(M, {form, Function, Where, Opts}) ->
    S = socket(M, Where),
    Result = case Function of
                 in_connect -> M:connect_init(S, ?V4, ?DEAD, Opts);
                 _ -> apply(inet, Function, [S, Opts])
             end,
    After = described(S),
    M:close(S),
    {Result, After};
run(M, {form, Function, Where, Addr, Rest}) ->
    S = socket(M, Where),
    Result = apply(M, Function, [S, Addr | Rest]),
    M:close(S),
    case Function of
        connectx_init -> {connectx, Result};
        connect_init -> Result
    end.

opened(M, {ok, S}) ->
    %% All addresses of the machine, of a socket on all of them.
    Opened = {opened, inet:sockname(S), inet:socknames(S), described(S)},
    M:close(S),
    Opened;
opened(_, Other) ->
    Other.

described(S) ->
    inet:getopts(S, [active, mode, buffer, reuseaddr, sctp_nodelay, linger, netns, sctp_initmsg]).

%% Open. Most parts are right, so that much of it opens a socket.

open_form() ->
    case gen_sctp_test_lib:otp() >= 29 of
        true -> newest_open_form();
        false -> open_form_of_all()
    end.

newest_open_form() ->
    Args = open_arguments(),
    case rand:uniform(20) of
        1 -> {form, open_with_defaults, several(3, fun open_option/0), Args};
        _ -> {form, open, Args}
    end.

%% Releases before 29 let the first that names the family win, and look at the port only where it
%% is needed: see the differences `module_over_family' and `options_of_newer_releases'.
open_form_of_all() ->
    Args = open_arguments(),
    Opts = proper(lists:last(Args)) ++ [{port, Port} || [Port, _] <- [Args]],
    OutOfRange = [Opt || {port, Port} = Opt <- Opts, Port =:= -1 orelse Port =:= 65536],
    Families = [Opt || Opt <- Opts, selects_family(Opt)],
    case OutOfRange =:= [] andalso length(Families) < 2 of
        true -> {form, open, Args};
        false -> open_form_of_all()
    end.

selects_family({sctp_module, _}) -> true;
selects_family(Opt) -> Opt =:= inet orelse Opt =:= inet6.

proper([Head | Tail]) -> [Head | proper(Tail)];
proper(_) -> [].

open_arguments() ->
    case rand:uniform(10) of
        1 -> [any_port(), open_options()];
        _ -> [open_options()]
    end.

open_options() ->
    improper(40, several(4, fun open_option/0)).

open_option() ->
    case rand:uniform(30) of
        N when N =< 15 -> {one([ip, ip, ifaddr]), address()};
        N when N =< 18 -> {port, any_port()};
        N when N =< 22 -> one([inet, inet6, inet6, {sctp_module, inet_sctp},
                               {sctp_module, inet6_sctp}]);
        23 -> {type, one([stream, seqpacket, foo])};
        24 -> {ipv6_v6only, one([true, false, foo])};
        25 -> {netns, one(["/proc/self/ns/net", <<"/proc/self/ns/net">>, "/proc/self/ns/net\0x",
                           "/no/such", "", foo, ["/proc", <<"/self/ns/net">>], [$a | b]])};
        26 -> one([foo, {foo, 1}, {ip}, {ip, ?V4, ?A4}, [], {}, [{ip, ?V4}], {ip, ?V4, 0},
                   {sctp_module, foo}, local, {fd, 3}, {ifaddr}]);
        27 -> {active, one([true, false, once, 5, foo])};
        _ -> option()
    end.

option() ->
    one([list, binary, {mode, list}, {reuseaddr, true}, {reuseaddr, false}, {sctp_nodelay, false},
         {sctp_nodelay, true}, {buffer, 5000}, {recbuf, 100000}, {linger, {true, 2}},
         {sctp_initmsg, #sctp_initmsg{num_ostreams = 3}}, {reuseaddr, 1}, {linger, 3}]).

any_port() ->
    one([0, 0, 0, 0, ?PORT, ?PORT, ?PORT + 1, -1, 65536, one([foo, "1", undefined])]).

%% An address, a form with a port, a map, or a list of all of these.
address() ->
    case rand:uniform(20) of
        N when N =< 7 -> ip();
        N when N =< 9 -> {ip(), port()};
        10 -> family_form(port());
        N when N =< 13 -> map(port());
        N when N =< 19 -> improper(20, several(3, fun address/0));
        20 -> junk()
    end.

ip() ->
    case rand:uniform(5) of
        N when N =< 2 -> one([?V4, ?A4, ?B4]);
        3 -> one([?V6, ?A6, ?B6]);
        4 -> one([any, loopback]);
        5 -> one([?NONE4, ?NONE6, ?MAPPED, {0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}, ?V4, ?A6])
    end.

family_form(Port) ->
    one([{inet, {one([?V4, ?A4, any, loopback, ?V6]), Port}},
         {inet6, {one([?V6, ?A6, any, loopback, ?V4]), Port}}]).

port() ->
    one([0, 0, 0, 0, ?PORT, ?PORT, ?PORT, ?PORT + 1, one([-1, 65536, foo])]).

map(Port) ->
    Map = one([#{family => inet, addr => one([?V4, ?A4, ?B4, any, loopback])},
               #{family => inet6, addr => one([?V6, ?A6, ?B6, any, loopback]), flowinfo => 0,
                 scope_id => 0}]),
    With = one([Map, Map#{port => Port}, Map#{port => Port}]),
    one([With, With, With, With, With#{addr => one([junk(), ?V4, ?V6])}, With#{surplus => 1},
         maps:remove(family, With)]).

junk() ->
    one([undefined, foo, localhost, "127.0.0.1", <<127, 0, 0, 1>>, 1, {}, {127, 0, 0},
         {127, 0, 0, 256}, {127, 0, 0, -1}, {a, b, c, d}, {local, "/x"}, {inet, ?V4}, [[]], #{},
         {?V4, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 65536}]).

%% Options.

options_form() ->
    {Function, Generate} = one([{setopts, fun option_to_set/0}, {getopts, fun option_to_get/0},
                                {getstat, fun counter/0}, {in_connect, fun option_to_connect/0}]),
    {form, Function, place(), improper(6, several(4, Generate))}.

place() ->
    one([[inet], [inet], [inet6], [inet, {type, stream}]]).

option_to_set() ->
    case rand:uniform(4) of
        1 -> one([{active, one([true, false, once, 3, 0, -1, 32767, 32768, foo, undefined])},
                  {active, [once]}]);
        _ -> option_to_connect()
    end.

%% Not of the modes, as the outcome of the association would come at any time.
option_to_connect() ->
    case rand:uniform(5) of
        1 ->
            {one([linger, mode, reuseaddr, sctp_nodelay, sctp_initmsg, sctp_rtoinfo, netns, buffer,
                  sctp_events, foo]), one([undefined, foo, [], [true], {}, 1, true, {true, 1}])};
        2 ->
            one([foo, list, binary, [], {}, {linger}, {linger, true, 1}, [{linger, {true, 1}}],
                 {ip, any}, {port, 0}, inet, {raw, 6, 1, <<1:32>>}]);
        3 ->
            one([{sctp_initmsg, #sctp_initmsg{num_ostreams = one([3, undefined, -1])}},
                 {sctp_initmsg, {foo, one([3, undefined]), 4, 5, 6}},
                 {sctp_initmsg, {sctp_initmsg}},
                 {sctp_rtoinfo, #sctp_rtoinfo{initial = one([2000, undefined]),
                                              assoc_id = one([0, undefined, foo])}},
                 {sctp_peer_addr_params,
                  #sctp_paddrparams{address = one([undefined, {?V4, ?DEAD}, [?V4], {any, 0}]),
                                    flags = one([[], [hb_enable], [[hb_enable]], undefined])}}]);
        4 -> {netns, one(["/no", <<"/no">>, "/a\0b", <<0>>, [[$/], "b"], [16#20ac], foo, 1])};
        5 -> option()
    end.

option_to_get() ->
    Name = one([active, mode, buffer, linger, sctp_nodelay, netns, sctp_initmsg, sctp_rtoinfo,
                sctp_status, sctp_get_peer_addr_info, sctp_primary_addr, ttl, tclass,
                priority, list, ip, foo]),
    case rand:uniform(4) of
        N when N =< 2 ->
            Name;
        3 ->
            {Name, one([undefined, true, [], #sctp_initmsg{}, #sctp_rtoinfo{assoc_id = 0},
                        #sctp_rtoinfo{}, #sctp_status{assoc_id = 0}, #sctp_status{},
                        #sctp_paddrinfo{address = {?V4, ?DEAD}}, #sctp_prim{assoc_id = foo}])};
        4 ->
            one([[], {}, {Name}, [Name], {Name, undefined, undefined}, 1, {raw, 6, 1, 4}, "mode"])
    end.

counter() ->
    one([recv_cnt, recv_max, send_oct, send_pend, recv_cnt, recv_max, send_oct, send_pend, foo,
         [recv_cnt], {recv_cnt}, 1]).

%% Addresses.

addresses_form() ->
    Where = place(),
    case one([connect_init, map, connectx_init, sockaddrs]) of
        connect_init -> {form, connect_init, Where, host(), [any_service(), []]};
        map -> {form, connect_init, Where, map(?DEAD), [[]]};
        connectx_init ->
            {form, connectx_init, Where, improper(10, several(3, fun host/0)),
             [any_service(), []]};
        sockaddrs -> {form, connectx_init, Where, improper(10, several(3, fun peer/0)), [[]]}
    end.

any_service() ->
    one([?DEAD, ?DEAD, ?DEAD, ?DEAD, 0, -1, 65536, foo, "20", undefined]).

host() ->
    case rand:uniform(6) of
        6 -> one([junk(), [?V4], {?V4, ?DEAD}, map(?DEAD), "::1", "10.66.0.1", '127.0.0.1',
                  <<"::1">>]);
        _ -> ip()
    end.

peer() ->
    case rand:uniform(6) of
        N when N =< 3 -> {ip(), any_service()};
        4 -> family_form(any_service());
        5 -> map(?DEAD);
        6 -> one([junk(), {junk(), ?DEAD}, [{?V4, ?DEAD}]])
    end.

%% Chance.

one(List) ->
    lists:nth(rand:uniform(length(List)), List).

several(Most, Generate) ->
    [Generate() || _ <- lists:seq(1, rand:uniform(Most + 1) - 1)].

%% Once in so many times a list that is none at its end.
improper(Seldom, [_ | _] = List) ->
    case rand:uniform(Seldom) of
        1 -> List ++ foo;
        _ -> List
    end;
improper(_, []) ->
    [].
