%% @doc Scenarios of open: families, ports, addresses, options that are refused.
-module(gen_sctp_nif_diff_open).

-export([scenarios/0]).

-define(V6, {0, 0, 0, 0, 0, 0, 0, 1}).
-define(V4, {127, 0, 0, 1}).
%% Further addresses of the test machine; where they are missing both give the same error.
-define(OTHER4, {10, 66, 0, 1}).
-define(THIRD4, {10, 66, 1, 1}).
-define(OTHER6, {16#fd66, 0, 0, 0, 0, 0, 0, 1}).

-spec scenarios() -> [gen_sctp_nif_diff:scenario()].
scenarios() ->
    [{{open, Opts}, fun(M) -> described(M, M:open(Opts)) end} || Opts <- options()] ++
    [{{open_1, Arg}, fun(M) -> described(M, M:open(Arg)) end}
     || Arg <- [0, 20001, -1, 65536, 1.5, foo, {}, #{}, <<>>, undefined]] ++
    [{{open_2, Port, Opts}, fun(M) -> described(M, M:open(Port, Opts)) end}
     || {Port, Opts} <- [{0, []}, {20001, []}, {20001, [{port, 20002}]}, {0, {}}, {0, foo},
                         {foo, []}, {1.0, []}, {-1, []}, {65536, []}, {0, [inet6]},
                         {0, [inet | inet6]}]] ++
    [{open_twice, fun(M) ->
        {ok, _} = M:open(20003),
        M:open(20003)
      end},
     {open_again, fun(M) ->
        {ok, S} = M:open(20011),
        [M:close(S), M:close(S), described(M, M:open(20011))]
      end}].

%% What can be asked of a fresh socket.
described(M, {ok, S}) ->
    Names = [inet:sockname(S), {port, inet:port(S)}, inet:peername(S)],
    %% Of a socket on all addresses: all that the machine has.
    All = case inet:socknames(S) of
              {ok, List} when length(List) > 4 -> many;
              Few -> Few
          end,
    Opts = [inet:getopts(S, [Name]) || Name <- [active, mode, buffer, reuseaddr, sctp_nodelay]],
    M:close(S),
    {opened, Names, All, Opts};
described(_, Error) ->
    Error.

options() ->
    families() ++ ports() ++ addresses() ++ lists_of_addresses() ++ maps() ++ refused() ++
        repeated().

families() ->
    [[], [inet], [inet6], [inet6, inet], [inet, inet6], [{sctp_module, inet_sctp}],
     [{sctp_module, inet6_sctp}],
     [{sctp_module, inet6_sctp}, inet], [{sctp_module, no_such_module}], [local],
     [{type, stream}], [{type, seqpacket}], [{type, dgram}], [{type, foo}], [inet6, {type, stream}],
     [inet | inet6], [foo], [{foo, 1}], [{}], [[]], [{1, 2}], [1]] ++
    case gen_sctp_test_lib:otp() >= 29 of
        true -> [[inet, {sctp_module, inet6_sctp}]];
        false -> []
    end.

ports() ->
    [[{port, Port}] || Port <- [0, 20001, -1, 65536, 1.5, no_such_service, "20001", <<"1">>]] ++
    [[{port, -1}, {port, 0}], [{port, 0}, {port, -1}]].

addresses() ->
    [[{Key, Addr}] || Key <- [ip, ifaddr], Addr <- [any, loopback, ?V4, ?V6, {0, 0, 0, 0}]] ++
    [[inet, {ip, ?V6}], [inet6, {ip, ?V4}], [inet6, {ip, any}], [inet6, {ip, loopback}],
     [{ip, undefined}], [{ip, "127.0.0.1"}], [{ip, localhost}], [{ip, <<127, 0, 0, 1>>}],
     [{ip, {127, 0, 0}}], [{ip, {127, 0, 0, 256}}], [{ip, {127, 0, 0, -1}}], [{ip, []}],
     [{ip, {1, 2, 3, 4}}], [{ip, {224, 0, 0, 1}}], [{ip, {255, 255, 255, 255}}],
     [{ip, {?V4, 0}}], [{ip, {inet, {?V4, 0}}}], [inet6, {ip, {inet6, {?V6, 0}}}],
     [{ip, {any, 0}}], [{ip, {?V4, 70000}}], [{ip, {local, "/x"}}],
     [{ip, ?V4}, {ip, ?OTHER4}], [{ip, ?OTHER4}, {ip, ?V4}], [{ip, ?V4}, {ip, ?V4}],
     [{ip, any}, {ip, ?V4}], [{ip, ?V4}, {ip, any}], [{ip, ?V4}, {ip, {1, 2, 3, 4}}],
     [{ip, ?V6}, {ip, ?OTHER6}], [{ip, ?V4}, {ip, ?V6}], [{ip, ?V6}, {ip, ?V4}],
     [inet6, {ip, ?V6}, {ip, ?V4}], [inet6, {ip, ?OTHER6}, {ip, ?OTHER4}],
     [inet6, {ip, ?V6}, {ip, ?V4}, {ipv6_v6only, true}],
     [inet6, {ip, ?V6}, {ip, ?V4}, {ipv6_v6only, false}],
     [inet6, {ipv6_v6only, true}], [inet6, {ipv6_v6only, false}], [{ipv6_v6only, true}],
     [{ip, {?V4, 20004}}, {ip, {?OTHER4, 20005}}], [{ip, {?V4, 20004}}, {ip, {?OTHER4, 20004}}]].

%% A list in one option. More of them are in gen_sctp_nif_diff_forms.
lists_of_addresses() ->
    Map = #{family => inet, addr => ?OTHER4, port => 0},
    [[{ip, [?V4, ?OTHER4]}], [{ifaddr, [?V4, ?OTHER4]}], [{ip, [?V4]}], [{ip, [any]}],
     [{ip, [loopback]}], [{ip, [?V4, ?OTHER4]}, {ip, ?THIRD4}], [{ip, ?V4}, {ip, [?OTHER4]}],
     [{port, 20004}, {ip, [?V4, ?OTHER4]}], [{ip, [?V4, ?OTHER4]}, {port, 20004}],
     [{ip, [{?V4, 20004}, {?OTHER4, 20004}]}], [{ip, [{?V4, 20004}, {?OTHER4, 20005}]}],
     [inet6, {ip, [?V6, ?OTHER6]}], [{ip, [?V6, ?OTHER6]}], [{ip, [?V6]}, {ip, ?OTHER6}],
     [{ip, [?V4 | ?OTHER4]}], [{ip, [[?V4]]}], [{ip, []}, {ip, ?V4}], [{ip, [?V4, Map]}],
     [{ip, [Map, ?V4]}], [{ip, [undefined]}], [{ip, [?V4, {1, 2, 3, 4}]}]].

maps() ->
    Map = #{family => inet, addr => loopback},
    Map6 = #{family => inet6, addr => loopback},
    [[{ifaddr, Map}], [{ifaddr, Map6}], [inet6, {ifaddr, Map6}], [inet, {ifaddr, Map6}],
     [{ifaddr, #{family => inet}}], [{ifaddr, #{family => inet6}}], [{ifaddr, #{}}],
     [{ifaddr, #{family => foo}}], [{ifaddr, #{addr => ?V4}}],
     [{ifaddr, Map#{addr := ?V6}}], [{ifaddr, Map#{port => 20006}}],
     [{ifaddr, Map#{port => 70000}}], [{ifaddr, Map#{surplus => 1}}],
     [{ifaddr, Map}, {port, 20006}], [{port, 20006}, {ifaddr, Map}],
     [{ip, any}, {ifaddr, Map}], [{ifaddr, Map}, {ip, ?OTHER4}], [{ip, Map6#{port => 0}}],
     [inet6, {ip, Map6#{port => 0, flowinfo => 0, scope_id => 0}}], [{ip, Map}],
     [{ip, Map#{port => 20006}}, {ip, ?OTHER4}],
     [{ifaddr, Map}, {ifaddr, ?OTHER4}], [{ifaddr, Map}, {ifaddr, Map#{addr := ?OTHER4}}]].

refused() ->
    [[Opt] || Opt <- [{fd, 3}, {raw, 1, 2, <<1>>}, {header, 1}, {keepalive, true},
                      {nodelay, true}, {active, foo}, {active, 32768}, {active, -32769},
                      {active, 1.0}, {netns, foo}, {netns, "/no/such/file"},
                      {netns, <<"/no/such/file">>}, {netns, "/proc/self/ns/net"},
                      {netns, "/proc/self/ns/net\0no"}, {netns, <<"/proc/self/ns/net\0">>},
                      {netns, "/no\0/proc/self/ns/net"}, {netns, "/n\x{f6}"},
                      {netns, "\x{20ac}"}, {bind_to_device, "lo"},
                      {bind_to_device, <<"lo">>}, {bind_to_device, <<"no_such_dev">>},
                      {bind_to_device, <<"much_longer_than_16">>}, {high_msgq_watermark, 5},
                      {low_msgq_watermark, 5}, {tclass, 1}, {recvtclass, true}, {mode, foo},
                      {debug, foo}, {list, true}, binary, list]] ++
    [[{type, stream}, {sctp_autoclose, 5}], [{port, 0} | {port, 1}]] ++
    %% What is wrong with the second is told of although it never comes into force, or comes late.
    [[{linger, 3}, {linger, {true, 3}}], [{netns, "/no/such/file"}, {foo, 1}],
     [{netns, "/no/such/file"}, {ip, foo}], [{foo, 1}, {ifaddr, #{}}], [{ifaddr, #{}}, {foo, 1}],
     [{ip, {1, 2, 3, 4}}, {ip, foo}], [{ip, foo}, {ip, {1, 2, 3, 4}}]].

repeated() ->
    [[{active, 3}], [{active, 0}], [{active, -2}], [{active, once}, {active, true}],
     [{active, 5}, {active, 3}], [{recbuf, 200000}], [{recbuf, 200000}, {buffer, 1000}],
     [{buffer, 1000}, {recbuf, 200000}],
     [list, binary], [binary, list], [{mode, list}, binary], [{mode, binary}, list],
     [{reuseaddr, true}, {reuseaddr, false}]].
