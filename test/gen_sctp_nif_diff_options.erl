%% @doc Scenarios of options: each option with good and bad values, set at open, later, on a
%% connected socket and as an option of connect, read back by name and by record.
-module(gen_sctp_nif_diff_options).

-include_lib("kernel/include/inet_sctp.hrl").

-export([at_open/0]).
-export([later/0]).
-export([connected/0]).
-export([in_connect/0]).
-export([reading/0]).

-import(gen_sctp_nif_diff, [socket/2, pair/3]).

-define(BIG, 1 bsl 40).

%% @doc Set at open, on both families, and on one-to-one sockets.
-spec at_open() -> [gen_sctp_nif_diff:scenario()].
at_open() ->
    [{{open, Where, Option}, fun(M) ->
        case M:open(Where ++ [Option]) of
            {ok, S} -> inet:getopts(S, [key(Option)]);
            Error -> Error
        end
      end} || Where <- places(), Option <- elementary() ++ records(0) ++ active(),
              %% The default of recbuf, which OTP 29 no longer has, raises a lower one.
              not lists:member(Option, [{buffer, 1000} | small_buffers()])].

%% @doc Set on an open socket; what was before and what is then.
-spec later() -> [gen_sctp_nif_diff:scenario()].
later() ->
    [{{set, Where, Option}, fun(M) ->
        S = socket(M, Where),
        Set = inet:setopts(S, [Option]),
        {Set, inet:getopts(S, [key(Option)]), inet:getopts(S, [priority, tos, buffer])}
      end} || Where <- places(), Option <- elementary() ++ records(0) ++ odd() ++ active()] ++
    [{{set, Options}, fun(M) ->
        S = socket(M, [inet]),
        {inet:setopts(S, Options),
         inet:getopts(S, [active, mode, buffer, recbuf, sctp_nodelay, linger, priority, tos]),
         lists:sort(gen_sctp_test_lib:mailbox())}
      end} || Options <- lists_of_options()].

%% @doc Set on a socket with an association, for the endpoint, for it, and for none that exists.
-spec connected() -> [gen_sctp_nif_diff:scenario()].
connected() ->
    [{{connected, Where, Whose, Option}, fun(M) ->
        #{c := C} = Pair = connected_pair(M, Where),
        Actual = for(Whose, Pair, Option),
        Set = inet:setopts(C, [Actual]),
        {Set, inet:getopts(C, [element(1, Actual)]), inet:getopts(C, [request(Actual)])}
      end} || Where <- places(), Whose <- [endpoint, association, unknown],
              Option <- [Option || Option <- records(0) ++ addressed(),
                                   Whose =:= endpoint orelse has_id(Option)]] ++
    [{{connected, Where, Option}, fun(M) ->
        #{c := C} = connected_pair(M, Where),
        {inet:setopts(C, [Option]), inet:getopts(C, [key(Option)])}
      end} || Where <- places(), Option <- elementary()].

%% The client is the socket of that place.
connected_pair(M, [Family | _] = Where) ->
    pair(M, [Family], Where).

%% @doc As an option of connect: partial records are completed with present values.
-spec in_connect() -> [gen_sctp_nif_diff:scenario()].
in_connect() ->
    [{{in_connect, Where, Options}, fun(M) ->
        L = socket(M, [hd(Where)]),
        ok = M:listen(L, true),
        {ok, {IP, Port}} = inet:sockname(L),
        S = socket(M, Where),
        Connected = M:connect(S, IP, Port, Options, 1500),
        {Connected, inet:getopts(S, [key(Option) || Option <- Options])}
      end} || Where <- places(),
              Options <- [[Option] || Option <- elementary() ++ records(0) ++ odd() ++
                                                [{active, once}, {active, true}, {active, 5}],
                                      %% OTP 25 cannot read an event with these.
                                      not lists:member(Option, small_buffers())] ++
                         [[{sctp_rtoinfo, #sctp_rtoinfo{initial = 2000}},
                           {sctp_rtoinfo, #sctp_rtoinfo{initial = 2500}}],
                          [list, {linger, {true, 1}}], [{sctp_nodelay, true}, {foo, 1}],
                          [{keepalive, true}, {active, once}]]].

%% @doc What getopts gives for names and records.
-spec reading() -> [gen_sctp_nif_diff:scenario()].
reading() ->
    [{{get, Where, Request}, fun(M) -> inet:getopts(socket(M, Where), Request) end}
     || Where <- places(),
        Request <- [[Name] || Name <- names()] ++ [names_known(), [active, foo], [foo, active], [],
                    [{active, undefined}], [{active, true}], [{linger, undefined}],
                    [active, active],
                    [{raw, 6, 1, 4}], [1], [{1, 2}], [[]], [{}], ["active"],
                    [active | foo], [foo | active], [sctp_status | foo],
                    [{active, undefined} | foo]]] ++
    [{{get_record, Where, Whose, Request}, fun(M) ->
        #{c := C} = Pair = connected_pair(M, Where),
        inet:getopts(C, [for(Whose, Pair, Request)])
      end} || Where <- places(), Whose <- [endpoint, association, unknown],
              Request <- requests()].

%% The options.

places() ->
    [[inet], [inet6], [inet, {type, stream}]].

names() ->
    names_known() ++
    [foo, keepalive, nodelay, header, packet, deliver, exit_on_close, broadcast,
     high_msgq_watermark, low_msgq_watermark, ip, port, type, fd, binary, list, netns,
     sctp_primary_addr, sctp_status, sctp_get_peer_addr_info, sctp_set_peer_primary_addr].

names_known() ->
    [active, mode, buffer, recbuf, sndbuf, dontroute, reuseaddr, linger, priority, tos, tclass,
     ttl, recvtos, recvttl, recvtclass, ipv6_v6only, sctp_autoclose, sctp_nodelay,
     sctp_disable_fragments, sctp_i_want_mapped_v4_addr, sctp_maxseg, bind_to_device, sctp_rtoinfo,
     sctp_associnfo, sctp_initmsg, sctp_adaptation_layer, sctp_peer_addr_params,
     sctp_default_send_param, sctp_events] ++ lists:usort([Name || {Name, _} <- since_27()]).

%% Options that OTP 25 does not know have a test of their own there.
since_27() ->
    case gen_sctp_test_lib:otp() >= 27 of
        true -> [{Name, Value} || Name <- [reuseport, reuseport_lb, exclusiveaddruse,
                                           non_block_send],
                                  Value <- [true, false, 1]] ++
                %% With true the driver of ports writes what it does.
                [{debug, false}, {debug, 1}];
        false -> []
    end.

active() ->
    [{active, Mode} || Mode <- [false, true, once, 0, 1, 32767, 32768, -1, -32768, -32769, foo,
                                2.5, {}, ?BIG]].

elementary() ->
    [{Name, Value} || Name <- [dontroute, reuseaddr, recvtos, recvttl, recvtclass, ipv6_v6only,
                               sctp_nodelay, sctp_disable_fragments, sctp_i_want_mapped_v4_addr],
                      Value <- [true, false, 1, foo]] ++
    [{Name, Value} || {Name, Values} <- [{buffer, [-1, 0, 1, 1000, 200000]},
                                         {recbuf, [-1, 0, 1, 5000, 200000]},
                                         {sndbuf, [0, 1, 5000, 200000]},
                                         {priority, [0, 3, 6, 7, -1]},
                                         {tos, [0, 8, 16, 255, 256, -1]},
                                         {tclass, [0, 8, 255, 256, -1, -2]},
                                         {ttl, [1, 255, 256, 0, -1, -2]},
                                         {sctp_autoclose, [0, 5, -1]},
                                         {sctp_maxseg, [0, 1000, 1, 70000, -1]}],
                      Value <- Values ++ [foo, 2.5]] ++
    [{tos, ?BIG + 8}, {priority, ?BIG + 3}, {buffer, ?BIG + 3000}, {sctp_autoclose, ?BIG + 3}] ++
    [{linger, Value} || Value <- [{true, 0}, {true, 3}, {false, 3}, {true, -1}, {true, ?BIG},
                                  true, 3, {3, true}, {true, 3, 4}]] ++
    [{mode, Mode} || Mode <- [list, binary, foo, 1]] ++ [list, binary] ++
    [{bind_to_device, Device} || Device <- [<<>>, <<"lo">>, <<"no_such_dev">>, "lo", lo,
                                            <<"much_longer_than_16">>]] ++
    [{high_msgq_watermark, 100}, {low_msgq_watermark, 100}] ++ since_27().

small_buffers() ->
    [{buffer, -1}, {buffer, 0}, {buffer, 1}].

%% Record options of association Id. What no record has is tried with odd/0.
records(Id) ->
    [{sctp_rtoinfo, Info} || Info <- [#sctp_rtoinfo{assoc_id = Id, initial = 2000, max = 40000,
                                                    min = 900},
                                      #sctp_rtoinfo{assoc_id = Id, initial = 2000},
                                      #sctp_rtoinfo{assoc_id = Id, min = 5000, max = 2000},
                                      #sctp_rtoinfo{assoc_id = Id, initial = -1},
                                      #sctp_rtoinfo{assoc_id = Id, initial = 1 bsl 32},
                                      #sctp_rtoinfo{assoc_id = Id, initial = foo}]] ++
    [{sctp_associnfo, Info} || Info <- [#sctp_assocparams{assoc_id = Id, asocmaxrxt = 4},
                                        #sctp_assocparams{assoc_id = Id, asocmaxrxt = 65536},
                                        #sctp_assocparams{assoc_id = Id, cookie_life = 30000,
                                                          peer_rwnd = 7, local_rwnd = 8,
                                                          number_peer_destinations = 2}]] ++
    [{sctp_initmsg, Init} || Init <- [#sctp_initmsg{num_ostreams = 3}, #sctp_initmsg{},
                                      #sctp_initmsg{num_ostreams = 65535, max_instreams = 1,
                                                    max_attempts = 2, max_init_timeo = 500},
                                      #sctp_initmsg{max_instreams = 65536},
                                      #sctp_initmsg{max_attempts = -1}], Id =:= 0] ++
    [{sctp_adaptation_layer, #sctp_setadaptation{adaptation_ind = Ind}}
     || Ind <- [undefined, 0, 16#01020304, 16#ffffffff, 1 bsl 32, foo], Id =:= 0] ++
    [{sctp_peer_addr_params, Params#sctp_paddrparams{assoc_id = Id}}
     || Params <- [#sctp_paddrparams{}, #sctp_paddrparams{pathmaxrxt = 7},
                   #sctp_paddrparams{hbinterval = 5000}, #sctp_paddrparams{pathmaxrxt = 65536},
                   #sctp_paddrparams{hbinterval = 5000, flags = [hb_enable]},
                   #sctp_paddrparams{flags = [hb_disable]}, #sctp_paddrparams{flags = [hb_demand]},
                   #sctp_paddrparams{flags = [hb_enable, hb_disable]},
                   #sctp_paddrparams{pathmtu = 1000, flags = [pmtud_disable]},
                   #sctp_paddrparams{pathmtu = 1000},
                   #sctp_paddrparams{sackdelay = 100, flags = [sackdelay_enable]},
                   #sctp_paddrparams{sackdelay = 100},
                   #sctp_paddrparams{flags = [sackdelay_disable]},
                   #sctp_paddrparams{flags = [foo]}]] ++
    [{sctp_default_send_param, Info#sctp_sndrcvinfo{assoc_id = Id}}
     || Info <- [#sctp_sndrcvinfo{}, #sctp_sndrcvinfo{ppid = 16#01020304, context = 9},
                 #sctp_sndrcvinfo{stream = 3, flags = [unordered], timetolive = 1000},
                 #sctp_sndrcvinfo{flags = [unordered, addr_over, abort, eof]},
                 #sctp_sndrcvinfo{flags = [foo]}, #sctp_sndrcvinfo{stream = 65536},
                 #sctp_sndrcvinfo{ssn = 1}, #sctp_sndrcvinfo{tsn = 0},
                 #sctp_sndrcvinfo{ppid = 1 bsl 32}, #sctp_sndrcvinfo{ppid = -1}]] ++
    [{sctp_events, Events} || Events <- [#sctp_event_subscribe{}, subscribe(true),
                                         subscribe(false), subscribe(1),
                                         #sctp_event_subscribe{adaptation_layer_event = true},
                                         #sctp_event_subscribe{data_io_event = false}], Id =:= 0].

subscribe(Value) ->
    list_to_tuple([sctp_event_subscribe | lists:duplicate(9, Value)]).

%% Records that name a peer address; `peer' becomes it.
addressed() ->
    [{sctp_primary_addr, #sctp_prim{assoc_id = 0, addr = peer}},
     {sctp_primary_addr, #sctp_prim{assoc_id = 0, addr = {{127, 0, 0, 2}, 9}}},
     {sctp_primary_addr, #sctp_prim{assoc_id = 0, addr = {127, 0, 0, 1}}},
     {sctp_primary_addr, #sctp_prim{assoc_id = 0, addr = {{127, 0, 0, 1}, 65536}}},
     {sctp_primary_addr, #sctp_prim{assoc_id = 0, addr = {"127.0.0.1", 7}}},
     {sctp_primary_addr, #sctp_prim{assoc_id = 0}},
     {sctp_set_peer_primary_addr, #sctp_setpeerprim{assoc_id = 0, addr = peer}},
     {sctp_peer_addr_params, #sctp_paddrparams{assoc_id = 0, address = peer, pathmaxrxt = 3}},
     {sctp_peer_addr_params, #sctp_paddrparams{assoc_id = 0, address = peer,
                                               flags = [hb_demand]}},
     {sctp_peer_addr_params, #sctp_paddrparams{assoc_id = 0, address = {any, 0},
                                               pathmaxrxt = 3}}].

%% Whatever is no option, or no value of one.
odd() ->
    [{sctp_rtoinfo, undefined}, {sctp_initmsg, undefined}, {sctp_events, undefined},
     {sctp_adaptation_layer, undefined}, {sctp_rtoinfo, {foo, 0, 2000, 3000, 1000}},
     {sctp_rtoinfo, {sctp_rtoinfo, 0, 2000}}, {sctp_rtoinfo, foo}, {sctp_rtoinfo, []},
     {sctp_initmsg, {sctp_initmsg, a, b, c, d}}, {sctp_events, foo},
     {sctp_default_send_param, {sctp_sndrcvinfo, 0}}, {sctp_status, #sctp_status{assoc_id = 0}},
     {sctp_get_peer_addr_info, #sctp_paddrinfo{assoc_id = 0}},
     {sctp_primary_addr, #sctp_prim{addr = {{127, 0, 0, 1}, 9}}}, {sctp_primary_addr, undefined},
     {foo, 1}, {1, 2}, {fd, 1}, {ip, any}, {ifaddr, any}, {port, 9}, {type, stream},
     {keepalive, true}, {nodelay, true}, {raw, 1, 2, <<1:32>>}, {active}, {active, true, true}, foo,
     inet, inet6, 1, [], {}, "active", {netns, foo}].

lists_of_options() ->
    [[], [{active, 3}, {active, true}], [{active, true}, {active, 3}], [{active, 3}, {active, 4}],
     [{active, 0}, {active, 0}], [{active, false}, {active, 0}], [{active, once}, list],
     [list, binary], [binary, list], [{buffer, 1000}, {recbuf, 200000}],
     [{recbuf, 200000}, {buffer, 1000}], [{recbuf, 5000}, {buffer, 9000}],
     [{priority, 5}, {tos, 16}], [{tos, 16}, {priority, 5}], [{tos, 16}], [{priority, 5}],
     %% A wrong type: nothing is done. A refusal: what comes later in the list has been done.
     [{sctp_nodelay, false}, {linger, foo}], [{linger, foo}, {sctp_nodelay, false}],
     [{sctp_nodelay, false}, foo], [{active, once}, {foo, 1}],
     [{sctp_maxseg, 1}, {sctp_nodelay, false}], [{sctp_nodelay, false}, {sctp_maxseg, 1}],
     [{active, 32767}, {active, 1}], [{active, 1}, {ttl, 0}], [{ttl, 0}, {active, 1}],
     [{linger, {true, 1}}, {linger, {true, 2}}],
     %% Only a socket of IPv6 has the option: what comes later in the list has been done.
     [{ipv6_v6only, true}, {active, 3}], [{active, 3}, {ipv6_v6only, true}],
     [{active, 3} | foo], [foo | foo]] ++
    %% Options that only other sockets have: likewise. With a wrong type nothing is done.
    [Options || Foreign <- [{keepalive, true}, {nodelay, false}, {broadcast, true}, {nopush, true},
                            {multicast_ttl, 1}, {multicast_loop, true}, {header, 1}, {packet, 4},
                            {packet, raw}, {packet, httph_bin}, {line_delimiter, 10},
                            {deliver, term}, {exit_on_close, true}, {low_watermark, 1},
                            {high_watermark, 1}, {low_msgq_watermark, 1},
                            {high_msgq_watermark, 1}, {delay_send, true}, {packet_size, 1},
                            {read_packets, 1}, {show_econnreset, true}, {raw, 1, 2, <<1:32>>},
                            {bind_to_device, binary:copy(<<"a">>, 30)}, {keepalive, 1},
                            {header, -1}, {deliver, foo}, {packet, 7}, {raw, 1, 2, 3}],
                Options <- [[Foreign, {active, once}], [{active, 3}, Foreign, list]]].

%% Reading with records.

requests() ->
    [{sctp_status, #sctp_status{assoc_id = 0}}, {sctp_status, #sctp_status{}},
     {sctp_status, #sctp_status{assoc_id = 0, rwnd = 1}}, {sctp_status, undefined},
     {sctp_status, foo}, {sctp_status, #sctp_status{assoc_id = foo}},
     {sctp_get_peer_addr_info, #sctp_paddrinfo{assoc_id = 0, address = peer}},
     {sctp_get_peer_addr_info, #sctp_paddrinfo{assoc_id = 0}},
     {sctp_get_peer_addr_info, #sctp_paddrinfo{assoc_id = 0, address = {{127, 0, 0, 9}, 1}}},
     {sctp_get_peer_addr_info, #sctp_paddrinfo{assoc_id = 0, address = peer, mtu = 1}},
     {sctp_get_peer_addr_info, #sctp_paddrinfo{assoc_id = 0, address = foo}},
     {sctp_primary_addr, #sctp_prim{assoc_id = 0}},
     {sctp_primary_addr, #sctp_prim{assoc_id = 0, addr = peer}},
     {sctp_set_peer_primary_addr, #sctp_setpeerprim{assoc_id = 0}},
     {sctp_rtoinfo, #sctp_rtoinfo{assoc_id = 0}}, {sctp_rtoinfo, #sctp_rtoinfo{}},
     {sctp_rtoinfo, #sctp_rtoinfo{assoc_id = 0, max = 1}}, {sctp_rtoinfo, foo},
     {sctp_rtoinfo, undefined}, {sctp_rtoinfo, {foo, 0, undefined, undefined, undefined}},
     {sctp_rtoinfo, {sctp_rtoinfo, 0}}, {sctp_rtoinfo, #sctp_rtoinfo{assoc_id = -1}},
     {sctp_associnfo, #sctp_assocparams{assoc_id = 0}},
     {sctp_peer_addr_params, #sctp_paddrparams{assoc_id = 0}},
     {sctp_peer_addr_params, #sctp_paddrparams{assoc_id = 0, address = peer}},
     {sctp_peer_addr_params, #sctp_paddrparams{assoc_id = 0, flags = [hb_enable]}},
     {sctp_default_send_param, #sctp_sndrcvinfo{assoc_id = 0}},
     {sctp_default_send_param, #sctp_sndrcvinfo{assoc_id = 0, ppid = 1}},
     {sctp_initmsg, #sctp_initmsg{}}, {sctp_initmsg, #sctp_initmsg{num_ostreams = 1}},
     {sctp_events, #sctp_event_subscribe{}},
     {sctp_events, #sctp_event_subscribe{data_io_event = true}},
     {sctp_adaptation_layer, #sctp_setadaptation{}}].

%% Puts the association's id in place of 0, and the peer's address in place of `peer'.
for(Whose, Pair, {Name, Record}) when is_tuple(Record), size(Record) > 1 ->
    {Name, list_to_tuple([for_field(Whose, Pair, Field, Position)
                          || {Position, Field} <- lists:enumerate(tuple_to_list(Record))])};
for(_, _, Option) ->
    Option.

for_field(_, #{ip := IP, sport := Port}, peer, _) -> {IP, Port};
for_field(association, #{cid := Id}, 0, Position) when Position =:= 2; Position =:= 10 -> Id;
for_field(unknown, #{cid := Id}, 0, Position) when Position =:= 2; Position =:= 10 -> Id + 99999;
for_field(_, _, Field, _) -> Field.

has_id({Name, _}) ->
    not lists:member(Name, [sctp_initmsg, sctp_adaptation_layer, sctp_events]).

%% A request for the same association.
request({sctp_primary_addr, #sctp_prim{assoc_id = Id}}) ->
    {sctp_primary_addr, #sctp_prim{assoc_id = Id}};
request({sctp_set_peer_primary_addr, #sctp_setpeerprim{assoc_id = Id}}) ->
    {sctp_set_peer_primary_addr, #sctp_setpeerprim{assoc_id = Id}};
request({sctp_peer_addr_params, #sctp_paddrparams{assoc_id = Id, address = Address}}) ->
    {sctp_peer_addr_params, #sctp_paddrparams{assoc_id = Id, address = Address}};
request({sctp_default_send_param, #sctp_sndrcvinfo{assoc_id = Id}}) ->
    {sctp_default_send_param, #sctp_sndrcvinfo{assoc_id = Id}};
request({sctp_rtoinfo, #sctp_rtoinfo{assoc_id = Id}}) ->
    {sctp_rtoinfo, #sctp_rtoinfo{assoc_id = Id}};
request({sctp_associnfo, #sctp_assocparams{assoc_id = Id}}) ->
    {sctp_associnfo, #sctp_assocparams{assoc_id = Id}};
request({Name, _}) ->
    Name.

key(Option) when is_tuple(Option), size(Option) > 0 -> element(1, Option);
key(Mode) when Mode =:= list; Mode =:= binary -> mode;
key(Option) -> Option.
