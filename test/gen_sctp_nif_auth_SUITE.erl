%% @doc Authentication (RFC 4895) and the change of addresses (RFC 5061): what the options of keys
%% and chunks give and refuse, and their effect on the wire, beside the same without them
%% (docs/proofs.md). What is signed is computed here once more.
-module(gen_sctp_nif_auth_SUITE).

-include("gen_sctp_nif.hrl").
-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").
-include("gen_sctp_test_chunks.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [adopt/1, event/2, data/2, family/1, port/1, all_arrived/2, until/1, get/2, set/3]).
-import(gen_sctp_test_net, [is/1, of_type/2, open_at/4, joined/3, joined/5, quick/0]).
-import(gen_sctp_test_auth, [vectors/1, signatures/4]).

-define(M, gen_sctp_nif).
-define(NET, gen_sctp_test_net).

-define(ASCONF_ACK, 128).

-define(SHA1, 1).
-define(SHA256, 3).

suite() -> [{timetrap, {seconds, 90}}].

all() -> [{group, inet}, {group, inet6}].

groups() ->
    Calls = [defaults, set_and_get, bad_values, refused, off, order_of_a_list, several_in_open,
             on_closed],
    Wire = [signed, wrong_key, new_key_under_load, no_key_of_this_number, key_of_a_message,
            key_of_a_message_unsigned, accepted, peeled_off, addresses_change,
            addresses_change_signed],
    [{inet, [], Calls ++ Wire}, {inet6, [], Calls}].

init_per_suite(Config) -> ?NET:begin_suite([{module, ?M} | Config]).
end_per_suite(Config) -> ?NET:end_suite(Config).

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.

%% Sockets are opened with authentication on, where a case does not say otherwise.
init_per_testcase(_, Config) ->
    ok = ?NET:sysctl(?config(net, Config), "auth_enable", "1"),
    gen_sctp_test_lib:begin_case(Config).

end_per_testcase(Case, Config) ->
    Net = ?config(net, Config),
    gen_sctp_test_lib:end_case(fun() ->
        [ok = ?NET:heal(Net, 0) || Case =:= new_key_under_load],
        ok = ?NET:sysctl(Net, "auth_enable", "0"),
        ?NET:sysctl(Net, "addip_noauth_enable", "1")
    end, Config).

key(Number, Key) -> {sctp_auth_key, #sctp_authkey{keynumber = Number, key = Key}}.

active(Number) -> {sctp_auth_active_key, #sctp_authkeyid{keynumber = Number}}.

id(Id, Number) -> #sctp_authkeyid{assoc_id = Id, keynumber = Number}.

hmacs(Idents) -> {sctp_hmac_ident, #sctp_hmacalgo{idents = Idents}}.

%% What an endpoint offers, where its namespace says the opposite.
toggle(Name, On) -> {Name, #sctp_assoc_value{assoc_id = 0, assoc_value = On}}.

chunks(S, Which, Id) ->
    case get(S, {Which, #sctp_authchunks{assoc_id = Id}}) of
        #sctp_authchunks{assoc_id = Id, chunks = Chunks} -> Chunks;
        none -> none
    end.

%% Calls.

defaults(Config) ->
    #{n := N, nid := Id, f := F} = joined(Config, [], []),
    ?assertEqual(#sctp_hmacalgo{idents = [sha1]}, get(N, sctp_hmac_ident)),
    ?assertEqual(#sctp_hmacalgo{idents = [sha1]}, get(N, {sctp_hmac_ident, #sctp_hmacalgo{}})),
    [?assertEqual(id(Whose, 0), get(N, {sctp_auth_active_key, id(Whose, undefined)}))
     || Whose <- [0, Id]],
    ?assertEqual(id(0, 0), get(F, sctp_auth_active_key)),
    %% The hosts' kernels change addresses, and want that signed.
    [?assertEqual([asconf, asconf_ack], chunks(N, Which, Whose))
     || {Which, Whose} <- [{sctp_local_auth_chunks, 0}, {sctp_local_auth_chunks, Id},
                           {sctp_peer_auth_chunks, Id}]],
    ?assertEqual(none, chunks(N, sctp_peer_auth_chunks, 0)).

set_and_get(Config) ->
    Chunks = [data, 3, reconfig, i_data, 200],
    #{n := N, nid := Id, f := F, fid := FId} =
        joined(Config, [{sctp_auth_chunk, Chunk} || Chunk <- Chunks], []),
    %% In open's list the last one is set first.
    All = [asconf, asconf_ack, 200, i_data, reconfig, sack, data],
    ?assertEqual([All, All, [asconf, asconf_ack]],
                 [chunks(N, sctp_local_auth_chunks, 0), chunks(F, sctp_peer_auth_chunks, FId),
                  chunks(N, sctp_peer_auth_chunks, Id)]),
    %% Of associations to come.
    ok = set(N, sctp_auth_chunk, 7),
    ?assertEqual([All ++ [shutdown], All], [chunks(N, sctp_local_auth_chunks, Whose)
                                            || Whose <- [0, Id]]),
    ok = set(N, sctp_auth_chunk, shutdown),
    ?assertEqual(All ++ [shutdown], chunks(N, sctp_local_auth_chunks, 0)),
    [begin
         ok = inet:setopts(N, [hmacs(Idents)]),
         ?assertEqual(#sctp_hmacalgo{idents = Told}, get(N, sctp_hmac_ident))
     end || {Idents, Told} <- [{[sha1], [sha1]}, {[3, 1], [sha256, sha1]},
                               {[sha1, sha256], [sha1, sha256]}]],
    Key = #sctp_authkey{assoc_id = Id, keynumber = 7, key = <<0:65535/unit:8>>},
    ok = set(N, sctp_auth_key, Key),
    ok = set(N, sctp_auth_key, Key#sctp_authkey{key = <<"shorter">>}),
    ok = set(N, sctp_auth_active_key, id(Id, 7)),
    ?assertEqual([id(Id, 7), id(0, 0)],
                 [get(N, {sctp_auth_active_key, id(Whose, undefined)}) || Whose <- [Id, 0]]),
    %% Of several.
    [begin
         ok = set(N, sctp_auth_key, Key#sctp_authkey{assoc_id = all, keynumber = Number}),
         ok = set(N, sctp_auth_active_key, id(Whose, Number)),
         ?assertEqual({Whose, [{Id, Of}, {0, Endpoints}]},
                      {Whose, [{It, (get(N, {sctp_auth_active_key, id(It, undefined)}))
                                    #sctp_authkeyid.keynumber} || It <- [Id, 0]]})
     end || {Whose, Number, Of, Endpoints} <- [{current, 21, 21, 0}, {future, 22, 21, 22},
                                               {all, 23, 23, 23}, {undefined, 24, 23, 24}]],
    %% Nobody is told a key.
    ?assertEqual(none, get(N, sctp_auth_key)),
    [?assertEqual({error, enotsup}, ?M:getopt(N, Name))
     || Name <- [sctp_auth_key, sctp_auth_chunk, sctp_auth_delete_key, sctp_auth_deactivate_key]].

bad_values(Config) ->
    #{n := N, nid := Id} = joined(Config, [], []),
    Junk = [foo, undefined, -1, 65536, 1 bsl 32, 1 bsl 70, 2.5, {}, {a, b}, #{}, self(), [a | b],
            <<1:3>>, [[]]],
    ok = set(N, sctp_auth_key, #sctp_authkey{assoc_id = Id, keynumber = 1, key = <<"k">>}),
    Good = [{sctp_auth_key, #sctp_authkey{assoc_id = Id, keynumber = 1, key = <<"k">>}},
            {sctp_auth_active_key, id(Id, 1)},
            {sctp_auth_deactivate_key, id(Id, 0)},
            {sctp_auth_delete_key, id(Id, 0)},
            {sctp_hmac_ident, #sctp_hmacalgo{idents = [sha256, sha1]}}],
    [begin
         ok = set(N, Name, Record),
         [begin
              Bad = setelement(Position, Record, Value),
              %% An undefined association is the endpoint.
              ?assertEqual({error, einval}, set(N, Name, Bad), Bad)
          end || Position <- lists:seq(2, tuple_size(Record)), Value <- Junk,
                 Position > 2 orelse Value =/= undefined orelse Name =:= sctp_hmac_ident,
                 Position > 2 orelse Value =/= 65536],
         [?assertEqual({error, einval}, set(N, Name, Bad), Bad)
          || Bad <- Junk ++ [setelement(1, Record, sctp_initmsg),
                             erlang:append_element(Record, undefined),
                             erlang:delete_element(2, Record)]]
     end || {Name, Record} <- Good],
    [?assertEqual({error, einval}, set(N, sctp_auth_key, #sctp_authkey{assoc_id = Id,
                                                                      keynumber = 1, key = Key}))
     || Key <- [<<>>, "list", [<<"io">>], <<0:65536/unit:8>>]],
    [?assertEqual({error, einval}, set(N, sctp_auth_chunk, Chunk), Chunk)
     || Chunk <- [256 | Junk]],
    [?assertEqual({error, einval}, inet:setopts(N, [hmacs(Idents)]), Idents)
     || Idents <- [[], [foo], [65536], [sha1 | sha256], lists:duplicate(9, sha1),
                   lists:duplicate(5, sha1), [sha256]]],
    %% What cannot be set, what is no question.
    Chunks = #sctp_authchunks{assoc_id = Id},
    [begin
         ?assertEqual({error, einval}, set(N, Name, Chunks)),
         [?assertEqual({error, einval}, inet:getopts(N, [{Name, Bad}]), Bad)
          || Bad <- [Chunks#sctp_authchunks{chunks = []}, Chunks#sctp_authchunks{assoc_id = foo},
                     Chunks#sctp_authchunks{assoc_id = -1}, {sctp_authchunks}, 1, {}]]
     end || Name <- [sctp_local_auth_chunks, sctp_peer_auth_chunks]],
    [?assertEqual({error, einval}, inet:getopts(N, [Bad]))
     || Bad <- [{sctp_auth_active_key, id(Id, 1)}, {sctp_hmac_ident, #sctp_hmacalgo{idents = []}},
                {sctp_auth_chunk, data}, {sctp_auth_active_key, 1}]].

%% The kernel's own words.
refused(Config) ->
    #{n := N, nid := Id} = joined(Config, [], []),
    [?assertEqual({Reason, Name, Value}, {element(2, set(N, Name, Value)), Name, Value})
     || {Reason, Name, Value} <-
            [{einval, sctp_auth_chunk, Chunk} || Chunk <- [init, init_ack, shutdown_complete, auth]]
            ++ [{enotsup, sctp_hmac_ident, #sctp_hmacalgo{idents = [sha1, 2]}},
                {enotsup, sctp_hmac_ident, #sctp_hmacalgo{idents = [999, sha1]}},
                {einval, sctp_auth_active_key, id(Id, 9)},
                {einval, sctp_auth_delete_key, id(Id, 9)},
                {einval, sctp_auth_deactivate_key, id(Id, 9)},
                %% It is in use.
                {einval, sctp_auth_delete_key, id(Id, 0)},
                {einval, sctp_auth_deactivate_key, id(Id, 0)}]
            ++ [{einval, Name, id(Id + 1000, 0)}
                || Name <- [sctp_auth_active_key, sctp_auth_delete_key,
                            sctp_auth_deactivate_key]]],
    ?assertEqual(none, chunks(N, sctp_local_auth_chunks, Id + 1000)),
    %% Once more, and then it is not there.
    ok = set(N, sctp_auth_key, #sctp_authkey{assoc_id = Id, keynumber = 2, key = <<"k">>}),
    ok = set(N, sctp_auth_active_key, id(Id, 2)),
    ok = set(N, sctp_auth_delete_key, id(Id, 0)),
    ?assertEqual({error, einval}, set(N, sctp_auth_delete_key, id(Id, 0))),
    ?assertEqual({error, einval}, set(N, sctp_auth_active_key, id(Id, 0))).

%% Where authentication is off.
off(Config) ->
    Net = ?config(net, Config),
    ok = ?NET:sysctl(Net, "auth_enable", "0"),
    #{n := N, nid := Id} = joined(Config, [], []),
    [?assertEqual({error, eacces}, inet:setopts(N, [Option]), Option) || Option <- settings(0)],
    [?assertEqual({error, eacces}, ?M:getopt(N, Option), Option)
     || Option <- [sctp_hmac_ident, sctp_auth_active_key, sctp_local_auth_chunks,
                   {sctp_auth_active_key, id(Id, undefined)},
                   {sctp_local_auth_chunks, #sctp_authchunks{assoc_id = Id}},
                   {sctp_peer_auth_chunks, #sctp_authchunks{assoc_id = Id}}]],
    ok = ?NET:sysctl(Net, "auth_enable", "1"),
    %% Sockets keep what was so when they were opened.
    ?assertEqual({error, eacces}, inet:setopts(N, [key(1, <<"key">>)])),
    On = open_at(near, [0], [], Config),
    [?assertEqual(ok, inet:setopts(On, [Option]), Option) || Option <- settings(0)],
    ?assertMatch({error, eacces}, begin
                     ok = ?NET:sysctl(Net, "auth_enable", "0"),
                     ?M:open([family(Config), ?NET:netns(Net, near), key(1, <<"key">>)])
                 end).

settings(Id) ->
    [{sctp_auth_chunk, data}, hmacs([sha1]), key(1, <<"key">>),
     {sctp_auth_active_key, id(Id, 1)}, {sctp_auth_deactivate_key, id(Id, 0)},
     {sctp_auth_delete_key, id(Id, 0)}].

%% A key is there before it is used, and not in use when it is given up, in any order of the list.
order_of_a_list(Config) ->
    N = open_at(near, [0], [], Config),
    lists:foldl(fun(Order, Old) ->
        New = Old + 1,
        Options = [key(New, <<"key">>), active(New), {sctp_auth_delete_key, id(0, Old)}],
        ?assertEqual(ok, inet:setopts(N, [lists:nth(Place, Options) || Place <- Order])),
        ?assertEqual(id(0, New), get(N, sctp_auth_active_key)),
        New
    end, 0, [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]]),
    %% What allows it all is set before.
    ok = ?NET:sysctl(?config(net, Config), "auth_enable", "0"),
    %% Of the key that is given up it is one or the other.
    Settings = lists:keydelete(sctp_auth_deactivate_key, 1, settings(0)),
    [begin
         S = open_at(near, [0], Options, Config),
         ?assertEqual({id(0, 1), [data]},
                      {get(S, sctp_auth_active_key),
                       chunks(S, sctp_local_auth_chunks, 0) -- [asconf, asconf_ack]}),
         T = open_at(near, [0], [], Config),
         ?assertEqual(ok, inet:setopts(T, Options)),
         ?assertEqual(id(0, 1), get(T, sctp_auth_active_key))
     end || Options <- [[toggle(sctp_auth_supported, true) | Settings],
                        Settings ++ [toggle(sctp_auth_supported, true)]]].

%% Keys of different numbers do not replace each other, nor do chunks.
several_in_open(Config) ->
    S = open_at(near, [0], [{sctp_auth_chunk, data}, active(2), key(1, <<"one">>),
                            {sctp_auth_chunk, sack}, key(2, <<"two">>), key(3, <<"three">>),
                            {sctp_auth_deactivate_key, id(0, 1)},
                            {sctp_auth_delete_key, id(0, 3)}, {sctp_auth_chunk, data}], Config),
    ?assertEqual([data, sack], lists:sort(chunks(S, sctp_local_auth_chunks, 0) --
                                              [asconf, asconf_ack])),
    ?assertEqual(id(0, 2), get(S, sctp_auth_active_key)),
    %% The first can be used no more, the third is not there.
    [?assertEqual({error, einval}, inet:setopts(S, [active(Number)])) || Number <- [1, 3]].

on_closed(Config) ->
    S = open_at(near, [0], [], Config),
    ok = ?M:close(S),
    [?assertEqual({error, einval}, inet:setopts(S, [Option])) || Option <- settings(0)],
    [?assertEqual({error, closed}, ?M:getopt(S, Name))
     || Name <- [sctp_hmac_ident, sctp_auth_active_key, sctp_local_auth_chunks]].

%% On the wire.

%% An association, and what it takes to compute its keys.
with_vectors(Config, NearOpts, FarOpts) ->
    with_vectors(Config, [0], [0], NearOpts, FarOpts).

with_vectors(Config, NearPaths, FarPaths, NearOpts, FarOpts) ->
    Net = ?config(net, Config),
    {{Pair, Near}, Far} = ?NET:watch(Net, far, fun(_) ->
        ?NET:watch(Net, near, fun(_) -> joined(Config, NearPaths, FarPaths, NearOpts, FarOpts) end)
    end),
    {Pair, vectors(Far ++ Near)}.

%% What is required is signed, by the key in use and the receiver's first algorithm; nothing else
%% is.
signed(Config) ->
    Key = crypto:strong_rand_bytes(40),
    [begin
         Opts = [key(5, Key), active(5)],
         {#{n := N, nid := Id, f := F, fid := FId, net := Net}, Vectors} =
             with_vectors(Config, Opts, [hmacs(Idents), {sctp_auth_chunk, data} | Opts]),
         ?assert(lists:member(data, chunks(N, sctp_peer_auth_chunks, Id))),
         Messages = [<<"short">>, <<1:9000/unit:8>>, <<"last">>],
         {{ok, AtNear}, AtFar} = ?NET:watch(Net, far, fun(_) ->
             ?NET:watch(Net, near, fun(_) ->
                 [ok = ?M:send(N, Id, 0, Message) || Message <- Messages],
                 ?assertEqual(Messages, [element(2, data(?M, F)) || _ <- Messages]),
                 ok = ?M:send(F, FId, 0, <<"back">>),
                 {_, <<"back">>} = data(?M, N),
                 all_arrived(N, Id)
             end)
         end),
         Signatures = signatures(?DATA, AtFar, Vectors, #{5 => Key}),
         ?assert(length(Signatures) >= 7),
         ?assertEqual([{5, Algorithm, true}], lists:usort(Signatures)),
         %% The other key, or none, would show.
         ?assertEqual([{5, Algorithm, false}],
                      lists:usort(signatures(?DATA, AtFar, Vectors, #{5 => <<>>}))),
         ?assertEqual([none], lists:usort(signatures(?DATA, AtNear, Vectors, #{}))),
         ?assertEqual([], of_type(?AUTH, AtNear))
     end || {Idents, Algorithm} <- [{[sha1], ?SHA1}, {[sha256, sha1], ?SHA256},
                                    {[sha1, sha256], ?SHA1}]],
    %% With nothing required nothing is.
    {#{n := N, nid := Id, f := F, net := Net}, _} =
        with_vectors(Config, [key(5, Key), active(5)], [key(5, Key), active(5)]),
    {{_, <<"data">>}, Chunks} = ?NET:watch(Net, far, fun(_) ->
        ok = ?M:send(N, Id, 0, <<"data">>),
        data(?M, F)
    end),
    ?assertEqual([[], 1], [of_type(?AUTH, Chunks), length(of_type(?DATA, Chunks))]).

%% What is signed by another key than the receiver's is thrown away, however often it comes, until
%% the receiver has that key.
wrong_key(Config) ->
    Opts = [quick(), active(1)],
    #{n := N, nid := Id, f := F, fid := FId, net := Net} =
        joined(Config, [key(1, <<"right">>) | Opts],
               [key(1, <<"wrong">>), {sctp_auth_chunk, data} | Opts]),
    {{ok, AtNear}, AtFar} = ?NET:watch(Net, far, fun(Watch) ->
        ?NET:watch(Net, near, fun(_) ->
            ok = ?M:send(N, Id, 0, <<"signed">>),
            [?NET:await_chunk(Watch, is(?DATA)) || _ <- lists:seq(1, 3)],
            ok
        end)
    end),
    ?assert(length(lists:usort([Tsn || #{value := <<Tsn:32, _/binary>>}
                                           <- of_type(?DATA, AtFar)])) =:= 1),
    ?assertEqual([], of_type(?SACK, AtNear)),
    ?assertEqual({error, timeout}, ?M:recv(F, 0)),
    ok = set(F, sctp_auth_key, #sctp_authkey{assoc_id = FId, keynumber = 1, key = <<"right">>}),
    ?assertMatch({_, <<"signed">>}, data(?M, F)),
    all_arrived(N, Id).

authentication() -> {sctp_event, #sctp_event{type = authentication, on = true}}.

%% A change of the key loses nothing: what is under way is signed by the old one, which is free when
%% that has arrived.
new_key_under_load(Config) ->
    {#{n := N, nid := Id, f := F, fid := FId, net := Net}, Vectors} =
        with_vectors(Config, [key(1, <<"one">>), active(1), authentication()],
                     [key(1, <<"one">>), active(1), authentication(), {sctp_auth_chunk, data}]),
    ok = ?NET:impair(Net, 0, "delay 50ms"),
    Send = fun(From, To) -> [ok = ?M:send(N, Id, 0, <<Number:4000>>)
                             || Number <- lists:seq(From, To)] end,
    {Events, Chunks} = ?NET:watch(Net, far, fun(_) ->
        _ = Send(1, 50),
        ok = set(F, sctp_auth_key, #sctp_authkey{assoc_id = FId, keynumber = 2, key = <<"two">>}),
        ok = inet:setopts(N, [{sctp_auth_deactivate_key, id(Id, 1)},
                              {sctp_auth_active_key, id(Id, 2)},
                              {sctp_auth_key, #sctp_authkey{assoc_id = Id, keynumber = 2,
                                                            key = <<"two">>}}]),
        %% Messages are under way, for 50 ms at least.
        ?assertEqual({error, timeout}, ?M:recv(N, 0)),
        ?assertEqual({error, einval}, set(N, sctp_auth_active_key, id(Id, 1))),
        _ = Send(51, 100),
        ?assertEqual(#sctp_authkey_event{keynumber = 1, indication = free_key, assoc_id = Id},
                     event(?M, N)),
        ok = set(N, sctp_auth_delete_key, id(Id, 1)),
        {Events, Numbers} = collect(F, 100),
        ?assertEqual(lists:seq(1, 100), Numbers),
        all_arrived(N, Id),
        Events
    end),
    %% The receiver hears of a key that it does not use itself.
    ?assertEqual([#sctp_authkey_event{keynumber = 2, indication = new_key, assoc_id = FId}],
                 lists:usort(Events)),
    Signatures = signatures(?DATA, Chunks, Vectors, #{1 => <<"one">>, 2 => <<"two">>}),
    ?assertEqual([1, 2], dedup([Number || {Number, _, true} <- Signatures])),
    ?assertEqual([true], lists:usort([Right || {_, _, Right} <- Signatures])).

%% So many messages by number, and the events among them.
collect(_, 0) ->
    {[], []};
collect(S, Left) ->
    case ?M:recv(S, 10000) of
        {ok, {_, _, [_], <<Number:4000>>}} ->
            {Events, Numbers} = collect(S, Left - 1),
            {Events, [Number | Numbers]};
        {ok, {_, _, [], Event}} ->
            {Events, Numbers} = collect(S, Left),
            {[Event | Events], Numbers}
    end.

dedup([Same, Same | Rest]) -> dedup([Same | Rest]);
dedup([One | Rest]) -> [One | dedup(Rest)];
dedup([]) -> [].

%% Without the new key at the other end the same change stops it, until it has it.
no_key_of_this_number(Config) ->
    #{n := N, nid := Id, f := F, fid := FId, net := Net} =
        joined(Config, [quick()], [quick(), {sctp_auth_chunk, data}]),
    ok = ?M:send(N, Id, 0, <<"no key at all is one, too">>),
    {_, <<"no key at all", _/binary>>} = data(?M, F),
    ok = inet:setopts(N, [{sctp_auth_active_key, id(Id, 2)},
                          {sctp_auth_key, #sctp_authkey{assoc_id = Id, keynumber = 2,
                                                        key = <<"two">>}}]),
    {ok, _} = ?NET:watch(Net, far, fun(Watch) ->
        ok = ?M:send(N, Id, 0, <<"signed">>),
        [?NET:await_chunk(Watch, is(?DATA)) || _ <- lists:seq(1, 3)],
        ok
    end),
    ?assertEqual({error, timeout}, ?M:recv(F, 0)),
    ok = set(F, sctp_auth_key, #sctp_authkey{assoc_id = FId, keynumber = 2, key = <<"two">>}),
    ?assertMatch({_, <<"signed">>}, data(?M, F)).

by(Number) -> #sctp_authinfo{keynumber = Number}.

%% Two keys at both ends: a message goes by that which its sender says, others by the active one, in
%% whatever way they are sent.
key_of_a_message(Config) ->
    Keys = #{5 => <<"five">>, 6 => <<"six">>},
    Opts = [active(5) | [key(Number, Key) || {Number, Key} <- maps:to_list(Keys)]],
    {#{n := N, nid := Id, f := F, net := Net}, Vectors} =
        with_vectors(Config, Opts, [{sctp_auth_chunk, data} | Opts]),
    Long = gen_sctp_test_lib:pattern(9000),
    To = {Id, {?NET:address(far, inet, 0), port(F)}},
    %% To whom, what is said of it, and the key that it is to have.
    Single = [{Id, [], 5}, {Id, [by(6)], 6}, {Id, [by(5)], 5}, {To, [by(6)], 6},
              {all, [by(6)], 6}, {all, [], 5},
              {Id, [#sctp_sndinfo{sid = 1, ppid = 7}, by(6), #sctp_prinfo{}], 6},
              {Id, [by(6), #sctp_sndinfo{flags = [unordered]}], 6}],
    Batch = [{0, 5}, {0, 5}, {[by(6)], 6}, {[by(5)], 5}, {#sctp_sndrcvinfo{}, 5}, {[], 5},
             {[#sctp_sndinfo{sid = 2}, by(6)], 6}, {1, 5}],
    Named = fun(Way, Sends) ->
        lists:zip([<<Way, Number>> || Number <- lists:seq(1, length(Sends))], Sends)
    end,
    {ok, Chunks} = ?NET:watch(Net, far, fun(_) ->
        [begin
             ok = ?M:sendv(N, Whom, Infos, Data),
             ?assertMatch({_, Data}, data(?M, F))
         end || {Data, {Whom, Infos, _}} <- Named($s, Single)],
        ok = ?M:sendv(N, Id, [by(6)], Long),
        ?assertMatch({_, Long}, data(?M, F)),
        ok = ?M:send_batch(N, Id, [{How, Data} || {Data, {How, _}} <- Named($b, Batch)]),
        Came = [element(2, data(?M, F)) || _ <- Batch],
        ?assertEqual([Data || {Data, _} <- Named($b, Batch)], lists:sort(Came)),
        no_such_key(N, Id, F),
        all_arrived(N, Id)
    end),
    Signed = fun(Data) -> signatures(?DATA, packet(Data, Chunks), Vectors, Keys) end,
    [?assertEqual([{Number, ?SHA1, true}], Signed(Data), {Data, Infos})
     || {Data, {_, Infos, Number}} <- Named($s, Single)],
    [?assertEqual([{Number, ?SHA1, true}], Signed(Data), {Data, How})
     || {Data, {How, Number}} <- Named($b, Batch)],
    %% All of them.
    Fragments = [Part || #{value := <<_:12/binary, Part/binary>>} <- of_type(?DATA, Chunks),
                         byte_size(Part) > 100],
    ?assertEqual(Long, iolist_to_binary(Fragments)),
    [?assertEqual([{6, ?SHA1, true}], Signed(Part)) || Part <- Fragments],
    %% What was refused was not sent, and took no number.
    Tsns = [Tsn || #{value := <<Tsn:32, _/binary>>} <- of_type(?DATA, Chunks)],
    ?assertEqual(length(Tsns), (lists:last(Tsns) - hd(Tsns)) band 16#ffffffff + 1),
    ?assertEqual([], [Data || #{value := <<_:12/binary, "no", _/binary>> = Data}
                                  <- of_type(?DATA, Chunks)]).

%% The kernel refuses what cannot be signed so; of a batch what was before it is sent.
no_such_key(N, Id, F) ->
    ?assertEqual({error, einval}, ?M:sendv(N, Id, [by(7)], <<"no">>)),
    ?assertEqual({error, einval}, ?M:sendv(N, all, [by(7)], <<"no">>)),
    [First, _ | _] = Batch = [{0, <<"yes">>}, {[by(7)], <<"no">>}, {0, <<"no more">>}],
    ?assertEqual({error, {einval, Batch -- [First]}}, ?M:send_batch(N, Id, Batch)),
    ?assertMatch({_, <<"yes">>}, data(?M, F)),
    %% One that is used no more.
    ok = set(N, sctp_auth_deactivate_key, id(Id, 6)),
    ?assertEqual({error, einval}, ?M:sendv(N, Id, [by(6)], <<"no">>)),
    ok = ?M:sendv(N, Id, [by(5)], <<"five">>),
    ?assertMatch({_, <<"five">>}, data(?M, F)),
    ?assertEqual({error, timeout}, ?M:recv(F, 0)).

%% All of the packet in which these data came.
packet(Data, Chunks) ->
    [Number] = [Number || #{packet := Number, value := <<_:12/binary, Found/binary>>}
                              <- of_type(?DATA, Chunks), Found =:= Data],
    [Chunk || #{packet := Found} = Chunk <- Chunks, Found =:= Number].

%% Where the peer has nothing signed the kernel looks at no key.
key_of_a_message_unsigned(Config) ->
    Opts = [key(6, <<"six">>)],
    #{n := N, nid := Id, f := F, net := Net} = joined(Config, Opts, Opts),
    {_, Chunks} = ?NET:watch(Net, far, fun(_) ->
        [begin
             ok = ?M:sendv(N, Id, [by(Number)], <<Number>>),
             ?assertMatch({_, <<Number>>}, data(?M, F))
         end || Number <- [6, 7]]
    end),
    ?assertEqual({2, []}, {length(of_type(?DATA, Chunks)), of_type(?AUTH, Chunks)}).

%% The keys of an association go with it, and can be changed there.
accepted(Config) ->
    Opts = [quick(), key(1, <<"one">>), active(1), {sctp_auth_chunk, data}],
    L = open_at(far, [0], [{type, stream} | Opts], Config),
    ok = ?M:listen(L, 1),
    N = open_at(near, [0], [{type, stream} | Opts], Config),
    {ok, #sctp_assoc_change{assoc_id = Id}} =
        ?M:connect(N, ?NET:address(far, inet, 0), port(L), []),
    {ok, A} = ?M:accept(L, 5000),
    adopt(A),
    #sctp_assoc_change{assoc_id = AId} = event(?M, A),
    other_key(N, Id, A, AId).

%% From loopback, as the kernel peels nothing off in another namespace than the caller's.
peeled_off(Config) ->
    Opts = [toggle(sctp_auth_supported, true), quick(), key(1, <<"one">>), active(1),
            {sctp_auth_chunk, data}],
    #{c := C, cid := Id, s := S, sid := SId} = gen_sctp_test_lib:pair(Config, Opts, Opts),
    ?assert(lists:member(data, chunks(C, sctp_peer_auth_chunks, Id))),
    {ok, P} = ?M:peeloff(S, SId),
    other_key(C, Id, adopt(P), SId).

%% What goes by a key that the two do not share does not arrive.
other_key(A, AId, B, BId) ->
    both_ways(A, AId, B, BId),
    Set = fun(S, Id, Key) ->
        ok = set(S, sctp_auth_key, #sctp_authkey{assoc_id = Id, keynumber = 9, key = Key})
    end,
    Set(A, AId, <<"nine">>),
    Set(B, BId, <<"eight">>),
    [ok = set(S, sctp_auth_active_key, id(Id, 9)) || {S, Id} <- [{A, AId}, {B, BId}]],
    [begin
         Before = sent_again(From, Id),
         ok = ?M:send(From, Id, 0, <<"signed">>),
         until(fun() -> sent_again(From, Id) > Before + 1 end),
         ?assertEqual({error, timeout}, ?M:recv(To, 0))
     end || {From, Id, To} <- [{A, AId, B}, {B, BId, A}]],
    Set(B, BId, <<"nine">>),
    [?assertMatch({_, <<"signed">>}, data(?M, S)) || S <- [A, B]],
    both_ways(A, AId, B, BId).

sent_again(S, Id) ->
    {ok, #{rtxchunks := Number}} = ?M:stats(S, Id),
    Number.

both_ways(A, AId, B, BId) ->
    ok = ?M:send(A, AId, 0, <<"there">>),
    {_, <<"there">>} = data(?M, B),
    ok = ?M:send(B, BId, 0, <<"back">>),
    {_, <<"back">>} = data(?M, A).

%% Addresses.

near(Path) -> ?NET:address(near, inet, Path).

peer_primary(S, Id, Path) ->
    set(S, sctp_set_peer_primary_addr,
        #sctp_setpeerprim{assoc_id = Id, addr = {near(Path), port(S)}}).

%% The same with the kernel's own error, which the options of gen_sctp do not tell.
peer_primary_natively(S, Id, Path) ->
    {A, B, C, D} = near(Path),
    Address = <<2:16/native, (port(S)):16, A, B, C, D, 0:120/unit:8>>,
    {ok, Fd} = ?M:getfd(S),
    {ok, Socket} = socket:open(Fd, #{domain => inet, type => seqpacket, protocol => sctp,
                                     dup => true}),
    try socket:setopt_native(Socket, {132, 5}, <<Id:32/native, Address/binary>>)
    after ok = socket:close(Socket) end.

%% Where data of the far host goes to.
destination(F, FId, N, Net) ->
    {{_, <<"where">>}, Chunks} = ?NET:watch(Net, near, fun(_) ->
        ok = ?M:send(F, FId, 0, <<"where">>),
        data(?M, N)
    end),
    [#{to := To}] = of_type(?DATA, Chunks),
    To.

%% A new address of the near host: the chunks that say so, the peer's events, and its data, which
%% goes there when it is asked to.
moved(#{n := N, nid := Id, f := F, fid := FId, net := Net}) ->
    ok = set(F, sctp_event, #sctp_event{assoc_id = FId, type = address, on = true}),
    ?assertEqual(near(0), destination(F, FId, N, Net)),
    {{ok, Answers}, Requests} = ?NET:watch(Net, far, fun(_) ->
        ?NET:watch(Net, near, fun(Watch) ->
            ok = ?M:bindx(N, add, [near(1)]),
            _ = ?NET:await_chunk(Watch, is(?ASCONF_ACK)),
            ok
        end)
    end),
    ?assertMatch(#sctp_paddr_change{state = addr_added, assoc_id = FId}, change(F, near(1))),
    ?assertMatch(#sctp_paddr_change{state = addr_confirmed}, change(F, near(1))),
    {{ok, _}, MoreRequests} = ?NET:watch(Net, far, fun(_) ->
        ?NET:watch(Net, near, fun(Watch) ->
            ok = peer_primary(N, Id, 1),
            _ = ?NET:await_chunk(Watch, is(?ASCONF_ACK)),
            ok
        end)
    end),
    ?assertMatch(#sctp_paddr_change{state = addr_made_prim}, change(F, near(1))),
    ?assertEqual(near(1), destination(F, FId, N, Net)),
    ?assertEqual(1, length(of_type(?ASCONF_ACK, Answers))),
    {Requests, MoreRequests}.

change(S, IP) ->
    case event(?M, S) of
        #sctp_paddr_change{addr = {IP, _}} = Change -> Change;
        #sctp_paddr_change{} -> change(S, IP)
    end.

%% What an ASCONF chunk asks for: its parameters after the address of the sender.
asked(Chunks) ->
    [begin
         <<_Serial:32, _:16, Length:16, Rest/binary>> = Value,
         <<_:(Length - 4)/binary, Type:16, _/binary>> = Rest,
         Type
     end || #{value := Value} <- of_type(?ASCONF, Chunks)].

-define(ADD, 16#c001).
-define(SET_PRIMARY, 16#c004).

addresses_change(Config) ->
    Net = ?config(net, Config),
    %% As the hosts' kernels are set up: not signed.
    ok = ?NET:sysctl(Net, "auth_enable", "0"),
    {Added, Moved} = moved(joined(Config, [0], [0, 1], [], [])),
    ?assertEqual({[?ADD], [?SET_PRIMARY]}, {asked(Added), asked(Moved)}),
    ?assertEqual([], of_type(?AUTH, Added ++ Moved)),
    Off = [toggle(sctp_asconf_supported, false)],
    not_moved(joined(Config, [0], [0, 1], Off, [])),
    not_moved(joined(Config, [0], [0, 1], [], Off)).

%% Where one end has it off nobody is told, and there is nothing to ask for.
not_moved(#{n := N, nid := Id, f := F, fid := FId, net := Net}) ->
    {ok, Chunks} = ?NET:watch(Net, far, fun(_) ->
        ok = ?M:bindx(N, add, [near(1)]),
        ?assertEqual({error, einval}, peer_primary(N, Id, 1)),
        ?assertEqual({error, eperm}, peer_primary_natively(N, Id, 1)),
        ok = ?M:send(N, Id, 0, <<"after it">>),
        all_arrived(N, Id)
    end),
    ?assertEqual({1, []}, {length(of_type(?DATA, Chunks)), of_type(?ASCONF, Chunks)}),
    ?assertMatch({_, <<"after it">>}, data(?M, F)),
    ?assertEqual(near(0), destination(F, FId, N, Net)),
    [ok = ?M:close(S) || S <- [N, F]].

%% RFC 5061 wants them signed; without keys nobody takes part then.
addresses_change_signed(Config) ->
    Net = ?config(net, Config),
    ok = ?NET:sysctl(Net, "addip_noauth_enable", "0"),
    {Pair, Vectors} = with_vectors(Config, [0], [0, 1], [key(3, <<"three">>), active(3)],
                                   [key(3, <<"three">>)]),
    {Added, Moved} = moved(Pair),
    ?assertEqual({[?ADD], [?SET_PRIMARY]}, {asked(Added), asked(Moved)}),
    [?assertEqual([{3, ?SHA1, true}], signatures(?ASCONF, Chunks, Vectors, #{3 => <<"three">>}))
     || Chunks <- [Added, Moved]],
    ok = ?NET:sysctl(Net, "auth_enable", "0"),
    F = open_at(far, [0, 1], [], Config),
    ok = ?M:listen(F, true),
    N = open_at(near, [0], [], Config),
    Connect = fun() -> ?M:connect(N, ?NET:address(far, inet, 0), port(F), [], 2000) end,
    {{Refused, Back}, There} = ?NET:watch(Net, far, fun(_) ->
        ?NET:watch(Net, near, fun(_) -> Connect() end)
    end),
    ?assertMatch({error, #sctp_assoc_change{state = cant_assoc, error = 0}}, Refused),
    Types = fun(Chunks) -> [Type || #{type := Type, sport := From, dport := To} <- Chunks,
                                    port(N) =:= From orelse port(N) =:= To] end,
    ?assertEqual({[?INIT], [?ABORT]}, {Types(There), Types(Back)}),
    %% For nothing else.
    ok = ?NET:sysctl(Net, "addip_noauth_enable", "1"),
    ?assertMatch({ok, #sctp_assoc_change{state = comm_up}}, Connect()).
