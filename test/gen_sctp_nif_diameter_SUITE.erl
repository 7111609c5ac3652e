%% @doc OTP's `diameter', as it is, over SCTP: on OTP's gen_sctp (group `stock'), which shows that
%% the case itself is right, and with the drop-in (group `nif').
%%
%% Each group has a node of its own, in which server and clients are; gen_sctp_nif_diameter is what
%% they do there.
-module(gen_sctp_nif_diameter_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("kernel/include/inet_sctp.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, groups/0, init_per_suite/1, end_per_suite/1, init_per_group/2,
    end_per_group/2, init_per_testcase/2, end_per_testcase/2]).
-export([requests/1, options/1, multihomed/1, peeled_off/1, ipv6/1, remove_transport/1,
    stop_service/1, server_dies/1, client_dies/1, rates/1]).

-import(gen_sctp_nif_diameter, [event/2, transports/1, connections/1]).
-import(gen_sctp_test_lib, [mod/1, until/1]).

-define(IP, {127, 0, 0, 1}).
-define(TIMEOUT, 120000).

suite() -> [{timetrap, {seconds, 300}}].

all() -> [{group, stock}, {group, nif}] ++ [rates || os:getenv("FULL") =/= false].

groups() ->
    Cases = [requests, options, multihomed, peeled_off, ipv6, remove_transport, stop_service,
        server_dies, client_dies],
    [{stock, [], Cases}, {nif, [], Cases}].

init_per_suite(Config) ->
    Modules = [gen_sctp, gen_sctp_nif],
    [{nodes, lists:zip(Modules, at_once([fun() -> start_node(M) end || M <- Modules]))} | Config].

end_per_suite(Config) ->
    [ok = peer:stop(Node) || {_, Node} <- ?config(nodes, Config)],
    ok.

init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).

end_per_group(_, _Config) -> ok.

init_per_testcase(_, Config) ->
    [in_node(Node, fun gen_sctp_nif_diameter:start/0) || Node <- nodes_of(Config)],
    Config.

%% When all is stopped nothing of it is left.
end_per_testcase(_, Config) ->
    case lists:flatmap(fun left/1, nodes_of(Config)) of
        [] -> receive Message -> {fail, {message_left, Message}} after 0 -> ok end;
        Problems -> {fail, Problems}
    end.

left(Node) ->
    Stop = fun() -> gen_sctp_nif_diameter:stop(), sockets_left(0) end,
    try in_node(Node, Stop) of
        ok -> []
    catch
        _:Reason -> [Reason]
    end.

%% Nodes.

%% A node with our code whose gen_sctp is OTP's or ours. What is only started, without a link,
%% ends with the node of the suite at the latest.
start_node(M) ->
    Paths = [filename:dirname(code:which(Module)) || Module <- [gen_sctp_nif, ?MODULE]],
    {ok, Node, _} = peer:start(#{
        connection => standard_io,
        args => lists:append([["-pa", Path] || Path <- Paths]),
        wait_boot => ?TIMEOUT
    }),
    ok = case M of
        gen_sctp -> ok;
        gen_sctp_nif -> in_node(Node, fun gen_sctp_nif_dropin:install/0)
    end,
    Node.

%% In the group's node, or in another.
in_node(Config, Fun) when is_list(Config) ->
    [Node] = nodes_of(Config),
    in_node(Node, Fun);
in_node(Node, Fun) ->
    peer:call(Node, erlang, apply, [Fun, []], ?TIMEOUT).

%% The group's, or all.
nodes_of(Config) ->
    [Node || {M, Node} <- ?config(nodes, Config), M =:= proplists:get_value(module, Config, M)].

%% Two nodes that also end with the case.
mortals(Config) ->
    Start = fun() ->
        Node = start_node(mod(Config)),
        in_node(Node, fun gen_sctp_nif_diameter:start/0),
        Node
    end,
    Nodes = at_once([Start, Start]),
    lists:foreach(fun link/1, Nodes),
    Nodes.

%% It takes seconds to start a node, of which a second processor takes half.
at_once(Starts) ->
    Starting = [spawn_monitor(fun() -> exit({started, Start()}) end) || Start <- Starts],
    [receive
         {'DOWN', Monitor, process, Pid, {started, Node}} -> Node;
         {'DOWN', Monitor, process, Pid, Reason} -> error(Reason)
     end || {Pid, Monitor} <- Starting].

%% No process of it can say good-bye.
kill(Node) ->
    Monitor = monitor(process, Node),
    "" = os:cmd("kill -9 " ++ peer:call(Node, os, getpid, [])),
    receive {'DOWN', Monitor, process, Node, _} -> ok end.

%% In a node.

%% All of both kinds: a socket that is not of the kind that it should be is found, too.
open_sockets() ->
    erlang:garbage_collect(),
    Ours = case gen_sctp_nif_dropin:status() of
        installed -> gen_sctp_nif:which_sockets();
        not_installed -> []
    end,
    Ours ++ gen_sctp_test_lib:sockets(gen_sctp).

sockets_left(Number) -> until(fun() -> length(open_sockets()) =:= Number end).

serve(Port, Opts) ->
    ok = gen_sctp_nif_diameter:service(server),
    gen_sctp_nif_diameter:listen(server, [{port, Port}, {reuseaddr, true} | Opts]).

connect(Client, Port, Opts) ->
    ok = gen_sctp_nif_diameter:service(Client),
    Ref = gen_sctp_nif_diameter:connect(Client, [{rport, Port} | Opts]),
    {up, Ref, {Client, server}} = event(Client, up),
    Ref.

connected(Listen, Client) ->
    {up, Listen, {server, Client}} = event(server, up),
    ok.

%% A server and a client that have exchanged capabilities.
pair() -> pair([{ip, ?IP}], [{ip, ?IP}, {raddr, ?IP}]).

pair(ServerOpts, ClientOpts) ->
    {Listen, Port} = serve(0, ServerOpts),
    Connect = connect(client, Port, ClientOpts),
    ok = connected(Listen, client),
    {Listen, Connect, Port}.

%% Requests of the client's, all well answered, and the time that they took.
exchange(Processes, Each, Sizes) ->
    {Time, Results} = gen_sctp_nif_diameter:requests(client, Processes, Each, Sizes),
    ?assertEqual(#{2001 => Processes * Each}, Results),
    Time.

served(Number) ->
    ?assertEqual({Number, Number}, gen_sctp_nif_diameter:counted(server, 2001)).

%% Traffic.

requests(Config) ->
    %% OTP's own is but the yardstick.
    Each = case mod(Config) of
        gen_sctp -> 50;
        gen_sctp_nif -> case os:getenv("FULL") of false -> 100; _ -> 1000 end
    end,
    in_node(Config, fun() ->
        _ = pair(),
        _ = exchange(8, Each, [0, 100, 1000]),
        served(8 * Each)
    end).

%% The options of diameter_sctp that make it use sockets in other ways: a process beside the
%% socket's owner sends, the sending defaults of an association are set, the peer is looked at
%% before it is accepted. Messages of many packets, in buffers that OTP 25's own needs for them.
options(Config) ->
    in_node(Config, fun() ->
        Opts = [{ip, ?IP}, {sender, true}, {packet, raw}, {unordered, true},
            {buffer, 262144}, {recbuf, 262144}, {sndbuf, 262144}],
        _ = pair([{accept, ?IP} | Opts], [{raddr, ?IP} | Opts]),
        _ = exchange(4, 25, [10, 3000, 60000]),
        served(100)
    end).

multihomed(Config) ->
    in_node(Config, fun() ->
        IPs = [{10, 66, 0, 1}, {10, 66, 1, 1}],
        Opts = [{ip, IP} || IP <- IPs],
        {_, _, Port} = pair(Opts, [{raddr, hd(IPs)} | Opts]),
        [{_, {IPs, ClientPort}, undefined}] = connections(client),
        [{_, {IPs, Port}, {IPs, ClientPort}}] = connections(server),
        _ = exchange(2, 10, [100]),
        [{_, Id, Client}] = transports(connect),
        [{_, ServerId, Server}] = transports(accept),
        ok = paths(Client, Id, [{IP, Port} || IP <- IPs]),
        ok = paths(Server, ServerId, [{IP, ClientPort} || IP <- IPs])
    end).

%% All addresses of the peer can be used; of a second one a heartbeat tells.
paths(Socket, Id, Peers) ->
    {ok, Names} = inet:peernames(Socket, Id),
    ?assertEqual(Peers, lists:sort(Names)),
    until(fun() -> [active, active] =:= [path(Socket, Id, Peer) || Peer <- Peers] end).

path(Socket, Id, Peer) ->
    Asked = #sctp_paddrinfo{assoc_id = Id, address = Peer},
    {ok, [{_, #sctp_paddrinfo{state = State}}]} =
        inet:getopts(Socket, [{sctp_get_peer_addr_info, Asked}]),
    State.

%% Each association that the server has accepted has a socket of its own.
peeled_off(Config) ->
    M = mod(Config),
    in_node(Config, fun() ->
        {Listen, Port} = serve(0, [{ip, ?IP}]),
        [begin
            _ = connect(Client, Port, [{ip, ?IP}, {raddr, ?IP}]),
            connected(Listen, Client)
        end || Client <- [client, client_b, client_c, client_d, client_e]],
        [{_, _, Listener}] = transports(listener),
        Accepted = transports(accept),
        Connected = transports(connect),
        Sockets = [Listener | [S || {_, _, S} <- Accepted ++ Connected]],
        ?assertEqual({11, 11}, {length(Sockets), length(lists:usort(Sockets))}),
        ?assertEqual([], Sockets -- open_sockets()),
        ?assertEqual([], open_sockets() -- Sockets),
        ?assertEqual([], [S || S <- Sockets, not is_socket(M, S)]),
        ?assertEqual([], [S || {Owner, _, S} <- Accepted ++ Connected,
                               Owner =/= maps:get(owner, inet:info(S))]),
        %% Each serves one of them.
        ?assertEqual(lists:sort([inet:port(S) || {_, _, S} <- Connected]),
                     lists:sort([peer_port(S) || {_, _, S} <- Accepted])),
        _ = exchange(2, 10, [100])
    end).

is_socket(gen_sctp, S) -> is_port(S);
is_socket(gen_sctp_nif, {'$inet', gen_sctp_nif, Ref}) -> is_reference(Ref);
is_socket(gen_sctp_nif, _) -> false.

peer_port(S) ->
    {ok, [{?IP, Port}]} = inet:peernames(S),
    {ok, Port}.

ipv6(Config) ->
    in_node(Config, fun() ->
        IP = gen_sctp_test_lib:loopback(inet6),
        {_, _, Port} = pair([inet6, {ip, IP}], [inet6, {ip, IP}, {raddr, IP}]),
        [{_, {[IP], ClientPort}, undefined}] = connections(client),
        [{_, {[IP], Port}, {[IP], ClientPort}}] = connections(server),
        _ = exchange(4, 25, [100]),
        served(100)
    end).

%% Ends.

%% The client leaves, the server goes on listening.
remove_transport(Config) ->
    in_node(Config, fun() ->
        {Listen, Connect} = told_pair(),
        ok = diameter:remove_transport(client, Connect),
        farewell(client, server, Listen),
        {down, Connect, {client, server}} = event(client, down),
        sockets_left(1),
        ?assertMatch([_], transports(listener)),
        ?assertEqual([], connections(client) ++ connections(server))
    end).

stop_service(Config) ->
    in_node(Config, fun() ->
        {_, Connect} = told_pair(),
        ?assertNotEqual([], gen_sctp_nif_diameter:workers()),
        ok = diameter:stop_service(server),
        farewell(server, client, Connect),
        stop = event(server, stop),
        ok = diameter:stop_service(client),
        stop = event(client, stop),
        until(fun() -> gen_sctp_nif_diameter:workers() =:= [] end),
        sockets_left(0)
    end).

%% With the messages that end a connection as further events.
told_pair() ->
    Told = fun(Service) -> {message_cb, {gen_sctp_nif_diameter, message, [Service]}} end,
    {Listen, Connect, _} =
        pair([Told(server), {ip, ?IP}], [Told(client), {ip, ?IP}, {raddr, ?IP}]),
    _ = exchange(2, 10, [100]),
    {Listen, Connect}.

farewell(Leaver, Stayer, Ref) ->
    {message, send, 'DPR'} = event(Leaver, message),
    {message, recv, 'DPR'} = event(Stayer, message),
    {message, send, 'DPA'} = event(Stayer, message),
    {message, recv, 'DPA'} = event(Leaver, message),
    {down, Ref, {Stayer, Leaver}} = event(Stayer, down),
    ok.

%% The client finds the next server on the same port.
server_dies(Config) ->
    Serve = fun(Port) -> fun() -> serve(Port, [{ip, ?IP}]) end end,
    [First, Second] = mortals(Config),
    {Listen, Port} = in_node(First, Serve(0)),
    Connect = in_node(Config, fun() -> connect(client, Port, [{ip, ?IP}, {raddr, ?IP}]) end),
    in_node(First, fun() -> connected(Listen, client) end),
    in_node(Config, fun() -> exchange(2, 10, [100]) end),
    kill(First),
    in_node(Config, fun() ->
        lost(client, Connect, server),
        {reconnect, Connect} = event(client, reconnect)
    end),
    {Next, Port} = in_node(Second, Serve(Port)),
    %% What a peer gets before it says that the other is up it throws away.
    in_node(Second, fun() -> connected(Next, client) end),
    in_node(Config, fun() ->
        {up, Connect, {client, server}} = event(client, up),
        _ = exchange(2, 10, [100]),
        sockets_left(1)
    end),
    in_node(Second, fun() -> served(20) end),
    ok = peer:stop(Second).

%% The server takes the next client of the same name.
client_dies(Config) ->
    {Listen, Port} = in_node(Config, fun() -> serve(0, [{ip, ?IP}]) end),
    Connect = fun() -> connect(client, Port, [{ip, ?IP}, {raddr, ?IP}]) end,
    [First, Second] = mortals(Config),
    _ = in_node(First, Connect),
    in_node(First, fun() -> exchange(2, 10, [100]) end),
    in_node(Config, fun() -> connected(Listen, client) end),
    kill(First),
    in_node(Config, fun() ->
        lost(server, Listen, client),
        sockets_left(1)
    end),
    _ = in_node(Second, Connect),
    in_node(Config, fun() -> connected(Listen, client) end),
    in_node(Second, fun() -> exchange(2, 10, [100]) end),
    in_node(Config, fun() ->
        served(40),
        sockets_left(2)
    end),
    ok = peer:stop(Second).

lost(Service, Ref, Peer) ->
    {down, Ref, {Service, Peer}} = event(Service, down),
    {watchdog, Ref, {initial, okay}} = event(Service, watchdog),
    {watchdog, Ref, {okay, down}} = event(Service, watchdog).

%% Speed.

%% Figures for the log, nothing that could fail: requests per second, in turns.
rates(Config) ->
    Nodes = ?config(nodes, Config),
    Tuned = [{recbuf, 262144}, {sndbuf, 262144}, {sctp_nodelay, true}],
    lists:foreach(
        fun({Name, Opts}) ->
            [in_node(Node, fun() ->
                _ = pair([{ip, ?IP} | Opts], [{ip, ?IP}, {raddr, ?IP} | Opts]),
                exchange(8, 10, [100])
            end) || {_, Node} <- Nodes],
            Rates = [{Processes, M, rate(Node, Processes)}
                     || Processes <- [1, 8], _ <- lists:seq(1, 3), {M, Node} <- Nodes],
            [in_node(Node, fun gen_sctp_nif_diameter:stop_services/0) || {_, Node} <- Nodes],
            [ct:pal("~s, ~b at a time: requests per second, stock ~w, nif ~w", [Name, Processes,
                    [R || {P, gen_sctp, R} <- Rates, P =:= Processes],
                    [R || {P, gen_sctp_nif, R} <- Rates, P =:= Processes]])
             || Processes <- [1, 8]]
        end,
        [{"default options", []}, {"large buffers, no delay", Tuned}]).

rate(Node, Processes) ->
    Each = 240 div Processes,
    Time = in_node(Node, fun() -> exchange(Processes, Each, [100]) end),
    Processes * Each * 1000000 div Time.
