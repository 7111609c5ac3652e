%% @doc The code in README.md and in guides/, taken from the text and run as it stands there. Each
%% program has a case that runs it; all other blocks are compiled, or typed in as in a shell.
%% (Blocks in Elixir: test/elixir/test/documents_test.exs.)
-module(gen_sctp_nif_documents_SUITE).

-include("gen_sctp_nif.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(gen_sctp_test_lib,
        [adopt/1, all_arrived/2, kill/1, mailbox/0, pair/1, port/1, recv/2, until/1]).

-define(M, gen_sctp_nif).
-define(DOCUMENTS, gen_sctp_test_documents).
-define(NET, gen_sctp_test_net).
-define(IP, {127, 0, 0, 1}).
-define(ROUNDS, 20).
-define(TIMEOUT, 10000).

suite() -> [{timetrap, {seconds, 180}}].

all() -> [nothing_is_left_out, pieces, sessions | [Case || {Case, _} <- programs()]].

%% Which case runs which programs.
programs() ->
    [{readme, [echo]},
     {getting_started, [greeter, greeted]},
     {full_mailbox, [bounded]},
     {batches, [collector]},
     {stuck_peer, [hub]},
     {failover, [two_paths]},
     {moved, [moving]},
     {expired, [positions]},
     {urgent_first, [priorities]},
     {begun_anew, [channels]},
     {signed_by_key, [signed]},
     {identifiers_and_streams, [ngap]},
     {signalling_link, [m3ua]},
     {dropped_in, [unchanged, diameter_node]},
     {parse_transform, [transformed]},
     {metrics, [sctp_metrics]}].

init_per_testcase(_, Config) ->
    put(loaded, []),
    gen_sctp_test_lib:begin_case([{module, ?M}, {family, inet} | Config]).

end_per_testcase(Case, Config) ->
    gen_sctp_test_lib:end_case(fun() ->
        case proplists:get_value(tc_status, Config) of
            ok -> ?assertEqual(lists:sort(proplists:get_value(Case, programs(), [])),
                               lists:sort(get(loaded)));
            _ -> ok
        end
    end, Config).

%% Every program is in the list above, under a name of its own.
nothing_is_left_out(_) ->
    ?assertEqual(lists:sort(lists:append([Names || {_, Names} <- programs()])),
                 lists:sort([Name || {Name, _} <- ?DOCUMENTS:programs()])).

pieces(_) ->
    Pieces = [Block || Block <- ?DOCUMENTS:blocks(), ?DOCUMENTS:kind(Block) =:= piece],
    ?assertNotEqual([], Pieces),
    [?assert(filelib:is_regular(?DOCUMENTS:compile_piece(Piece))) || Piece <- Pieces].

sessions(_) ->
    Documents = ?DOCUMENTS:sessions(),
    ?assertNotEqual([], Documents),
    [?assertNotEqual(0, ?DOCUMENTS:session(Document)) || Document <- Documents].

%% The README's server and client find each other, every time: no event gets in the way of either.
readme(_) ->
    load(echo),
    {Server, S} = server(fun() -> echo:server(0) end),
    [?assertEqual({ok, <<"ping">>}, echo:ping(loopback(N), port(S)))
     || N <- lists:seq(1, ?ROUNDS)],
    kill(Server).

%% guides/metrics.md: each figure is there once, with the number that the library gives.
metrics(Config) ->
    load(sctp_metrics),
    #{s := S, c := C, cid := Id, sid := SId} = pair(Config),
    [ok = gen_sctp_nif:send(C, Id, 0, <<"data">>) || _ <- [1, 2, 3]],
    all_arrived(C, Id),
    Lines = string:lexemes(lists:flatten(sctp_metrics:text()), "\n"),
    Socket = "socket=\"" ++ gen_sctp_nif:socket_to_list(C) ++ "\"}",
    Assoc = "assoc=\"" ++ integer_to_list(Id) ++ "\"," ++ Socket,
    {ok, [#{mtu := Mtu}]} = gen_sctp_nif:paths(C, Id),
    [?assertEqual([Line], [Found || Found <- Lines, string:prefix(Found, Start) =/= nomatch])
     || {Start, Value} <- [{"sctp_socket_send_cnt{" ++ Socket, 3},
                           {"sctp_assoc_oodchunks{" ++ Assoc, 3},
                           {"sctp_assoc_rtxchunks{" ++ Assoc, 0},
                           {"sctp_path_up{peer=\"127.0.0.1\"," ++ Assoc, 1},
                           {"sctp_path_mtu{peer=\"127.0.0.1\"," ++ Assoc, Mtu},
                           {"sctp_library_sockets{}", 2}, {"sctp_library_panics{}", 0}],
        Line <- [Start ++ " " ++ integer_to_list(Value)]],
    %% A type for each name, before its samples.
    Types = [Name || "# TYPE " ++ Rest <- Lines, [Name, "untyped"] <- [string:lexemes(Rest, " ")]],
    ?assertEqual(lists:usort(Types), Types),
    Named = [hd(string:lexemes(Line, "{")) || Line <- Lines, hd(Line) =/= $#],
    ?assertEqual(Types, lists:usort(Named)),
    Self = self(),
    sctp_metrics:report(fun(Name, Value, Labels) -> Self ! {Name, Value, Labels} end),
    Reported = mailbox(),
    ?assertEqual([3], [N || {[sctp, sctp_assoc_iodchunks], #{value := N}, #{"assoc" := Text}}
                                <- Reported, Text =:= integer_to_list(SId)]),
    ?assertEqual(length(Named), length(Reported)),
    scraped(),
    ok = gen_sctp_nif:close(S).

%% An HTTP client gets the same names.
scraped() ->
    {ok, Started} = application:ensure_all_started(inets),
    {ok, Server} = sctp_metrics:serve(0),
    [{port, Port}] = httpd:info(Server, [port]),
    URL = "http://localhost:" ++ integer_to_list(Port) ++ "/sctp/sctp_metrics:scrape",
    %% The default for TLS, which is not used, wants the certificates of the system.
    {ok, {{_, 200, _}, Headers, Text}} = httpc:request(get, {URL, []}, [{ssl, []}], []),
    ?assertEqual("text/plain; version=0.0.4", proplists:get_value("content-type", Headers)),
    ?assertNotEqual(nomatch, string:find(Text, "\nsctp_path_up{peer=\"127.0.0.1\",")),
    ok = inets:stop(httpd, Server),
    [ok = application:stop(Application) || Application <- lists:reverse(Started)].

loopback(N) when N rem 2 =:= 0 -> ?IP;
loopback(_) -> "localhost".

getting_started(_) ->
    load(greeter),
    load(greeted),
    {ok, Greeter} = greeter:start_link([{ip, ?IP}]),
    Port = greeter:port(Greeter),
    [?assertEqual({ok, <<"hello, Ada">>}, greeted:ask(?IP, Port, "Ada"))
     || _ <- lists:seq(1, ?ROUNDS)],
    until(fun() -> greeter:peers(Greeter) =:= [] end),
    {C, _} = client(Port, []),
    until(fun() -> greeter:peers(Greeter) =:= [{?IP, port(C)}] end),
    ?assertEqual({error, refused}, greeted:ask(?IP, port(C), "Ada")),
    ok = gen_server:stop(Greeter).

%% While the receiver takes its time its mailbox has as many messages as the limit says, and no
%% more; without the limit it has all.
full_mailbox(_) ->
    load(bounded),
    Messages = 300,
    Limit = 50,
    Full = fun(Options, Length) ->
        Test = self(),
        Handle = fun(Data) -> Test ! {handles, Data}, receive next -> ok end end,
        {Receiver, S} = server(fun() -> bounded:start([{ip, ?IP} | Options], Handle) end),
        {C, Id} = client(port(S), []),
        [ok = ?M:send(C, Id, 0, <<N:32, 0:96/unit:8>>) || N <- lists:seq(1, Messages)],
        until(fun() -> in_mailbox(Receiver) >= Length end),
        Longest = lists:max([begin
                                 receive {handles, <<N:32, _/binary>>} -> ok end,
                                 %% Before `next' is there.
                                 InMailbox = in_mailbox(Receiver),
                                 Receiver ! next,
                                 InMailbox
                             end || N <- lists:seq(1, Messages)]),
        kill(Receiver),
        ok = ?M:close(C),
        Longest
    end,
    ?assert(Full([], Limit) =< Limit),
    %% One is being handled. The event of the beginning is not in the mailbox any more.
    ?assertEqual(Messages - 1, Full([{mailbox_limit, infinity}], Messages - 1)).

in_mailbox(Pid) ->
    {message_queue_len, Length} = process_info(Pid, message_queue_len),
    Length.

batches(_) ->
    load(collector),
    Test = self(),
    Report = fun(Number, Bytes) -> Test ! {batch, Number, Bytes} end,
    {Collector, S} = server(fun() -> collector:start([{ip, ?IP}], Report) end),
    {C, Id} = client(port(S), []),
    Messages = [{Stream, <<0:100/unit:8>>} || _ <- lists:seq(1, 100), Stream <- lists:seq(0, 4)],
    ok = ?M:send_batch(C, Id, Messages),
    Batches = collect(length(Messages)),
    ?assertEqual(length(Messages) * 100, lists:sum([Bytes || {_, Bytes} <- Batches])),
    ?assert(length(Batches) < length(Messages) div 5),
    kill(Collector).

%% Up to so many messages; batches of events alone are left out.
collect(0) -> [];
collect(Left) ->
    receive
        {batch, 0, 0} -> collect(Left);
        {batch, Number, Bytes} -> [{Number, Bytes} | collect(Left - Number)]
    after ?TIMEOUT ->
        error({missing, Left})
    end.

%% One peer does not read: its worker waits, and the other peer gets all.
stuck_peer(_) ->
    load(hub),
    Messages = 30,
    {ok, Hub} = hub:start_link([{ip, ?IP}, {sndbuf, 65536}]),
    Port = hub:port(Hub),
    [{Reads, _}, {Stuck, _}] = [client(Port, [{recbuf, 32768}]) || _ <- [reads, stuck]],
    Workers = fun() ->
        [Owner || S <- ?M:which_sockets(), #{owner := Owner} <- [inet:info(S)],
                  Owner =/= self(), Owner =/= Hub]
    end,
    until(fun() -> length(Workers()) =:= 2 end),
    Data = [<<N:32, 0:20000/unit:8>> || N <- lists:seq(1, Messages)],
    [hub:publish(Hub, Message) || Message <- Data],
    [{ok, {_, _, [#sctp_sndrcvinfo{}], Message}} = recv(?M, Reads) || Message <- Data],
    ?assertEqual([false, true], lists:sort([in_mailbox(Worker) > 0 || Worker <- Workers()])),
    ok = ?M:close(Stuck),
    until(fun() -> length(Workers()) =:= 1 end),
    hub:publish(Hub, <<"goes on">>),
    ?assertMatch({ok, {_, _, [#sctp_sndrcvinfo{}], <<"goes on">>}}, recv(?M, Reads)),
    unlink(Hub),
    kill(Hub).

%% Two networks, one of which fails and comes back.
failover(_) ->
    load(two_paths),
    on_hosts(fun failover_on/1).

on_hosts(Fun) ->
    case ?NET:start() of
        {ok, Net} ->
            try Fun(Net) after ?NET:stop(Net) end;
        {error, Reason} ->
            {skip, Reason}
    end.

failover_on(Net) ->
    [Near, [Far0, Far1] = Far] =
        [[?NET:address(Host, inet, Path) || Path <- [0, 1]] || Host <- [near, far]],
    {Server, S} = server(fun() ->
        {ok, S} = two_paths:open(Far, [?NET:netns(Net, far)]),
        ok = ?M:listen(S, true),
        two_paths:serve(S)
    end),
    {ok, N} = two_paths:open(Near, [?NET:netns(Net, near)]),
    adopt(N),
    {ok, Id} = two_paths:connect(N, Far, port(S)),
    Echo = fun() ->
        ok = ?M:send(N, Id, 0, <<"echo">>),
        receive {sctp, N, From, _, {[#sctp_sndrcvinfo{}], <<"echo">>}} -> From
        after ?TIMEOUT -> error({no_echo, mailbox()}) end
    end,
    Paths = fun() -> lists:sort(two_paths:paths(N, Id)) end,
    ?assertEqual([{Far0, active}, {Far1, active}], Paths()),
    ?assertEqual(Far0, Echo()),
    [begin
         ok = two_paths:prefer(N, Id, {IP, port(S)}),
         ?assertEqual({IP, addr_made_prim}, two_paths:path_event(N, ?TIMEOUT))
     end || IP <- [Far1, Far0]],
    ok = ?NET:cut(Net, 0),
    ?assertEqual({Far0, addr_unreachable}, two_paths:path_event(N, ?TIMEOUT)),
    ?assertEqual([{Far0, inactive}, {Far1, active}], Paths()),
    ?assertEqual(Far1, Echo()),
    ok = ?NET:heal(Net, 0),
    ?assertEqual({Far0, addr_available}, two_paths:path_event(N, ?TIMEOUT)),
    kill(Server),
    passive(N).

passive(S) ->
    ok = inet:setopts(S, [{active, false}]),
    _ = mailbox(),
    ok.

%% An association moves from one network to another, where namespaces do not say that it may. Where
%% one end does not offer it the peer hears of nothing.
moved(_) ->
    load(moving),
    on_hosts(fun moved_on/1).

moved_on(Net) ->
    [ok = ?NET:sysctl(Net, Name, "0")
     || Name <- ["addip_enable", "addip_noauth_enable", "default_auto_asconf"]],
    [[Old, New], Far] = [[?NET:address(Host, inet, Path) || Path <- [0, 1]] || Host <- [near, far]],
    [begin
         {ok, F} = moving:open(Far, [?NET:netns(Net, far) | Offer]),
         adopt(F),
         ok = ?M:listen(F, true),
         {ok, N} = moving:open([Old], [?NET:netns(Net, near)]),
         adopt(N),
         {ok, #sctp_assoc_change{assoc_id = Id}} = ?M:connect(N, hd(Far), port(F), []),
         FId = receive {sctp, F, _, _, {[], #sctp_assoc_change{assoc_id = It}}} -> It end,
         To = fun() ->
             {_, Chunks} = ?NET:watch(Net, near, fun(_) ->
                 ok = ?M:send(F, FId, 0, <<"where">>),
                 receive {sctp, N, _, _, {[_], <<"where">>}} -> ok
                 after ?TIMEOUT -> error({nothing, mailbox()}) end
             end),
             lists:usort([Address || #{type := 0, to := Address} <- Chunks])
         end,
         ?assertEqual([Old], To()),
         case Offer of
             [] ->
                 ok = moving:move({N, Id}, Old, New),
                 Changes = [{addr_added, New}, {addr_confirmed, New}, {addr_made_prim, New},
                            {addr_removed, Old}],
                 ?assertEqual(lists:sort(Changes), lists:sort(changes(F, {addr_removed, Old}))),
                 ?assertEqual([New], To()),
                 ?assertEqual({ok, [{New, port(N)}]}, ?M:peernames(F, FId));
             [_] ->
                 ok = ?M:bindx(N, add, [New]),
                 ?assertEqual({error, einval}, moving:prefer(N, Id, New)),
                 ?assertEqual([Old], To()),
                 ?assertEqual({ok, [{Old, port(N)}]}, ?M:peernames(F, FId))
         end,
         passive(N),
         passive(F)
     end || Offer <- [[], [{sctp_asconf_supported, #sctp_assoc_value{assoc_value = false}}]]].

%% Up to this one, without those of other addresses.
changes(S, Last) ->
    case moving:change(S, ?TIMEOUT) of
        Last -> [Last];
        {addr_confirmed, {10, 67, 0, 1}} -> changes(S, Last);
        Change -> [Change | changes(S, Last)]
    end.

%% A position that was lost is given up, and missed; a command that was lost with it is not.
expired(_) ->
    load(positions),
    on_hosts(fun expired_on/1).

expired_on(Net) ->
    Quick = [{sctp_rtoinfo, #sctp_rtoinfo{initial = 200, min = 200, max = 200}},
             {sctp_associnfo, #sctp_assocparams{asocmaxrxt = 200}},
             {sctp_peer_addr_params, #sctp_paddrparams{pathmaxrxt = 200}}],
    [Near, Far] = [[{ip, ?NET:address(Host, inet, 0)}, ?NET:netns(Net, Host) | Quick]
                   || Host <- [near, far]],
    {ok, S} = positions:listen(Far),
    adopt(S),
    {ok, {C, _} = Link, true} =
        positions:connect(?NET:address(far, inet, 0), port(S), Near),
    adopt(C),
    ok = positions:report(Link, <<"first">>, 300),
    {position, <<"first">>, 0, Next} = positions:next(S, 0),
    ok = ?NET:cut(Net, 0),
    ok = positions:report(Link, <<"late">>, 300),
    ok = positions:command(Link, <<"stop">>),
    until(fun() -> positions:given_up(Link) =:= 1 end),
    ok = ?NET:heal(Net, 0),
    ok = positions:report(Link, <<"now">>, 60000),
    Came = [positions:next(S, Next) || _ <- [1, 2]],
    ?assertEqual([{command, <<"stop">>}, {position, <<"now">>, 1, 3}], lists:sort(Came)),
    ?assertEqual(1, positions:given_up(Link)).

%% What is urgent gets past a long message where the kernels allow it, and past those that wait in
%% any case.
urgent_first(_) ->
    load(priorities),
    on_hosts(fun urgent_first_on/1).

urgent_first_on(Net) ->
    Long = <<0:200000/unit:8>>,
    Sent = [{bulk, Long}, {bulk, <<"more">>}, {normal, <<"normal">>}, {urgent, <<"urgent">>}],
    [begin
         ok = ?NET:sysctl(Net, "intl_enable", Allowed),
         [Near, Far] = [[{ip, ?NET:address(Host, inet, 0)}, ?NET:netns(Net, Host),
                         {sndbuf, 1000000}, {recbuf, 1000000}] || Host <- [near, far]],
         {ok, S} = priorities:open(Far),
         adopt(S),
         ok = ?M:listen(S, true),
         {ok, {C, _} = Link} = priorities:connect(?NET:address(far, inet, 0), port(S), Near),
         adopt(C),
         {ok, {_, _, [], #sctp_assoc_change{assoc_id = Id}}} = recv(?M, S),
         ok = priorities:arrange({S, Id}),
         ?assertEqual({Allowed, Allowed =:= "1"}, {Allowed, priorities:interleaved(Link)}),
         ok = ?NET:impair(Net, 0, "delay 20ms"),
         [ok = priorities:send(Link, Class, Data) || {Class, Data} <- Sent],
         Came = [begin
                     {ok, {_, _, [#sctp_sndrcvinfo{stream = Stream}], _}} = received(S),
                     Stream
                 end || _ <- Sent],
         ok = ?NET:heal(Net, 0),
         ?assertEqual(Order, Came)
     end || {Allowed, Order} <- [{"1", [0, 1, 2, 2]}, {"0", [2, 0, 1, 2]}]].

received(S) ->
    case recv(?M, S) of
        {ok, {_, _, [], #sctp_paddr_change{}}} -> received(S);
        Other -> Other
    end.

%% A channel that is given to somebody else begins anew, others go on; there can be more.
begun_anew(_) ->
    load(channels),
    {Server, S} = server(fun() -> channels:serve([{ip, ?IP}]) end),
    {ok, {C, Id} = Link} = channels:connect(?IP, port(S), [{ip, ?IP}]),
    adopt(C),
    Ask = fun(Channels) -> [channels:ask(Link, Channel) || Channel <- Channels] end,
    ?assertEqual([{ok, 1}, {ok, 2}, {ok, 1}], Ask([1, 1, 2])),
    ?assertEqual(ok, channels:recycle(Link, 1)),
    ?assertEqual([{ok, 1}, {ok, 2}], Ask([1, 2])),
    ?assertEqual([{error, einval}], Ask([10])),
    ?assertEqual(ok, channels:grow(Link, 2)),
    ?assertEqual([{ok, 1}, {ok, 1}, {error, einval}], Ask([10, 11, 12])),
    %% The peer's word is needed, and our own.
    ok = inet:setopts(C, [{sctp_enable_stream_reset, #sctp_assoc_value{assoc_id = Id,
                                                                      assoc_value = []}}]),
    ?assertEqual({error, enoprotoopt}, channels:recycle(Link, 1)),
    Strict = [{ip, ?IP}, {sctp_enable_stream_reset, #sctp_assoc_value{assoc_value = []}}],
    {Other, T} = server(fun() -> channels:serve(Strict) end),
    {ok, {D, _} = Denied} = channels:connect(?IP, port(T), [{ip, ?IP}]),
    adopt(D),
    ?assertEqual({ok, 1}, channels:ask(Denied, 1)),
    ?assertEqual([{error, denied}, {error, denied}],
                 [channels:recycle(Denied, 1), channels:grow(Denied, 1)]),
    ?assertEqual({ok, 2}, channels:ask(Denied, 1)),
    [kill(Pid) || Pid <- [Server, Other]],
    [passive(Client) || Client <- [C, D]].

%% With the server's key, with another, with none; and a change of it.
signed_by_key(_) ->
    load(signed),
    {Server, S} = server(fun() -> signed:serve({1, <<"of both">>}, [{ip, ?IP}]) end),
    Connect = fun(Key, Options) -> signed:connect(?IP, port(S), Key, [{ip, ?IP} | Options]) end,
    {ok, {C, _} = Link} = Connect({1, <<"of both">>}, []),
    adopt(C),
    ?assertEqual({ok, <<"one">>}, signed:ask(Link, <<"one">>, ?TIMEOUT)),
    {ok, [SId]} = ?M:assocs(S),
    Server ! {add_key, SId, 2, <<"new">>},
    ok = signed:add_key(Link, 2, <<"new">>),
    %% The server has handled that when it answers.
    ?assertEqual({ok, <<"two">>}, signed:ask(Link, <<"two">>, ?TIMEOUT)),
    ?assertEqual(ok, signed:use_key(Link, 2, 1)),
    ?assertEqual({ok, <<"three">>}, signed:ask(Link, <<"three">>, ?TIMEOUT)),
    until(fun() -> active_key(S, SId) =:= 2 end),
    ?assertEqual({ok, <<"four">>}, signed:ask(Link, <<"four">>, ?TIMEOUT)),
    {ok, {W, _} = Wrong} = Connect({1, <<"another">>}, []),
    adopt(W),
    ?assertEqual({error, no_answer}, signed:ask(Wrong, <<"wrong">>, 2000)),
    ?assertMatch({ok, #{unackdata := 1}}, ?M:status(W, element(2, Wrong))),
    kill(Server),
    [begin
         L = gen_sctp_test_lib:listener([{module, ?M}, {family, inet}], Options),
         ?assertEqual({error, Reason}, signed:connect(?IP, port(L), {1, <<"of both">>},
                                                      [{ip, ?IP}]))
     end || {Reason, Options} <-
                [{not_supported, []},
                 {not_required, [{sctp_auth_supported, #sctp_assoc_value{assoc_value = true}}]}]],
    [passive(Client) || Client <- [C, W]].

active_key(S, Id) ->
    {ok, #sctp_authkeyid{keynumber = Number}} =
        ?M:getopt(S, {sctp_auth_active_key, #sctp_authkeyid{assoc_id = Id}}),
    Number.

%% The identifier is a plain number in Erlang and in network order on the wire.
identifiers_and_streams(Config) ->
    load(ngap),
    S = gen_sctp_test_lib:listener(Config, []),
    Raw = ?NET:raw(inet),
    {ok, Ngap} = ngap:connect(?IP, port(S), [{ip, ?IP}]),
    {ok, {_, CPort, [], #sctp_assoc_change{state = comm_up, assoc_id = Id}}} = recv(?M, S),
    ok = ngap:send(Ngap, <<"setup">>),
    ok = ngap:send_ue(Ngap, 10, <<"ten">>),
    ok = ngap:send_ue(Ngap, 17, <<"seventeen">>),
    [?assertMatch({ok, {?IP, CPort, [#sctp_sndrcvinfo{ppid = 60, stream = Stream}], Data}},
                  recv(?M, S))
     || {Stream, Data} <- [{0, <<"setup">>}, {4, <<"ten">>}, {4, <<"seventeen">>}]],
    ?assertEqual([{CPort, 60}], lists:usort(identifiers(Raw, port(S)))),
    ok = ?NET:close(Raw),
    [ok = ?M:send(S, #sctp_sndrcvinfo{assoc_id = Id, stream = 3, ppid = Ppid},
                 integer_to_list(Ppid))
     || Ppid <- [0, 18, 60]],
    ?assertEqual({ok, 3, <<"60">>}, ngap:recv(Ngap, ?TIMEOUT)),
    ok = ?M:abort(S, #sctp_assoc_change{assoc_id = Id}),
    ?assertEqual({error, comm_lost}, ngap:recv(Ngap, ?TIMEOUT)),
    ok = ngap:close(Ngap),
    Narrow = gen_sctp_test_lib:listener(Config, [{sctp_initmsg, #sctp_initmsg{max_instreams = 1}}]),
    ?assertEqual({error, too_few_streams}, ngap:connect(?IP, port(Narrow), [{ip, ?IP}])).

%% Who sent what is in the packets of data that have come from this port or for it: source port
%% and identifier.
identifiers({inet, Socket} = Raw, Of) ->
    case socket:recv(Socket, 0, [], 0) of
        {ok, <<4:4, Words:4, _/binary>> = Packet} ->
            <<_:Words/unit:32, From:16, To:16, _:8/binary, Chunks/binary>> = Packet,
            [{From, Ppid} || From =:= Of orelse To =:= Of, Ppid <- of_data(Chunks)]
                ++ identifiers(Raw, Of);
        {error, timeout} ->
            []
    end.

of_data(<<Type, _, Length:16, Rest/binary>>) ->
    <<Chunk:(Length - 4)/binary, More/binary>> = Rest,
    Next = binary_part(More, min(-Length band 3, byte_size(More)),
                       max(0, byte_size(More) - (-Length band 3))),
    case {Type, Chunk} of
        {0, <<_Tsn:32, _Stream:16, _Ssn:16, Ppid:32/big, _/binary>>} -> [Ppid | of_data(Next)];
        {_, _} -> of_data(Next)
    end;
of_data(<<>>) ->
    [].

signalling_link(_) ->
    load(m3ua),
    {Gateway, S} = server(fun() -> m3ua:gateway([{ip, ?IP}]) end),
    {C, _} = Link = m3ua:connect(?IP, port(S), [{ip, ?IP}]),
    adopt(C),
    [begin
         Label = #{opc => 1, dpc => 2, si => 3, ni => 2, sls => Sls},
         Payload = binary:part(<<"sixteen letters!">>, 0, Sls),
         ?assertEqual({Sls + 1, {Label#{opc := 2, dpc := 1}, Payload}},
                      m3ua:transfer(Link, Label, Payload))
     end || Sls <- lists:seq(0, 15)],
    kill(Gateway),
    _ = ended(C).

ended(S) ->
    receive
        {sctp, S, _, _, {[], #sctp_assoc_change{state = State}}} -> State;
        {sctp, S, _, _, _} -> ok = inet:setopts(S, [{active, once}]), ended(S)
    after ?TIMEOUT ->
        error({not_ended, mailbox()})
    end.

%% In a node of its own, as it changes gen_sctp for all. (It takes seconds to start one.)
dropped_in(_) ->
    Peer = node_with([unchanged, diameter_node]),
    Exchange = fun() -> call(Peer, unchanged, exchange, []) end,
    {<<"hello">>, Before} = Exchange(),
    ?assert(is_port(Before)),
    ok = call(Peer, gen_sctp_nif_dropin, install, []),
    ?assertMatch({<<"hello">>, {'$inet', ?M, _}}, Exchange()),
    diameter(Peer),
    ok = call(Peer, gen_sctp_nif_dropin, uninstall, []),
    {<<"hello">>, After} = Exchange(),
    ?assert(is_port(After)),
    ok = peer:stop(Peer).

%% All data of both nodes says that it is Diameter.
diameter(Peer) ->
    Raw = ?NET:raw(inet),
    ok = call(Peer, diameter_node, start, []),
    {ok, Listen} = call(Peer, diameter_node, listen, [server, [{ip, ?IP}, {port, 0}]]),
    until(fun() -> call(Peer, diameter_sctp, ports, [Listen]) =/= [] end),
    [{listen, Port, _}] = call(Peer, diameter_sctp, ports, [Listen]),
    {ok, _} = call(Peer, diameter_node, connect, [client, Port, [{ip, ?IP}, {raddr, ?IP}]]),
    until(fun() -> call(Peer, diameter_node, request, [client]) =:= 2001 end),
    {SourcePorts, Identifiers} = lists:unzip(lists:usort(identifiers(Raw, Port))),
    ?assertEqual([46, 46], Identifiers),
    ?assert(lists:member(Port, SourcePorts)),
    ?assertMatch([_ | _], call(Peer, ?M, which_sockets, [])),
    ok = ?NET:close(Raw),
    ok = call(Peer, diameter, stop, []).

parse_transform(Config) ->
    load(transformed),
    S = gen_sctp_test_lib:listener(Config, []),
    {ok, {'$inet', ?M, _} = C} = transformed:open(),
    adopt(C),
    {ok, #sctp_assoc_change{assoc_id = Id}} = ?M:connect(C, ?IP, port(S), [], ?TIMEOUT),
    ?assertEqual({ok, [{?IP, port(S)}]}, transformed:peers(C, Id)),
    ok = inet:setopts(C, [{active, false}]),
    _ = mailbox().

%% Helpers.

load(Module) ->
    Module = ?DOCUMENTS:load(Module),
    put(loaded, [Module | get(loaded)]).

%% A node with our code and these programs.
node_with(Programs) ->
    lists:foreach(fun load/1, Programs),
    {ok, Peer, _} = peer:start_link(#{
        connection => standard_io,
        args => lists:append([["-pa", Path] || Path <- [filename:dirname(code:which(?M)) |
                                                        lists:map(fun ?DOCUMENTS:directory/1,
                                                                  Programs)]]),
        wait_boot => 120000
    }),
    Peer.

call(Peer, Module, Function, Arguments) -> peer:call(Peer, Module, Function, Arguments, 60000).

%% A process that listens, and its socket.
server(Fun) ->
    Server = spawn(Fun),
    until(fun() -> listeners(Server) =/= [] end),
    [S] = listeners(Server),
    {Server, S}.

listeners(Pid) ->
    [S || S <- ?M:which_sockets(),
          #{owner := Owner, states := [listen | _]} <- [inet:info(S)],
          Owner =:= Pid].

client(Port, Options) ->
    {ok, C} = ?M:open([{ip, ?IP} | Options]),
    adopt(C),
    {ok, #sctp_assoc_change{assoc_id = Id}} = ?M:connect(C, ?IP, Port, [], ?TIMEOUT),
    {C, Id}.
