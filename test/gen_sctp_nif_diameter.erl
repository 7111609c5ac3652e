%% @doc A program on OTP's `diameter': servers that answer session termination requests (STR) and
%% clients that send them, over SCTP. It does not know whose sockets diameter has.
%%
%% A service is an atom. Its functions are called in the node that it runs in.
-module(gen_sctp_nif_diameter).

-include_lib("diameter/include/diameter.hrl").

-export([start/0]).
-export([stop/0]).
-export([stop_services/0]).
-export([service/1]).
-export([listen/2]).
-export([connect/2]).
-export([event/2]).
-export([requests/4]).
-export([counted/2]).
-export([connections/1]).
-export([transports/1]).
-export([workers/0]).

%% Called by diameter.
-export([peer_up/3]).
-export([peer_down/3]).
-export([pick_peer/4]).
-export([prepare_request/3]).
-export([prepare_retransmit/3]).
-export([handle_answer/4]).
-export([handle_error/4]).
-export([handle_request/3]).
-export([message/3]).
-export([watchdog/0]).

-import(gen_sctp_test_lib, [until/1]).

-define(EVENTS, gen_sctp_nif_diameter_events).
-define(DICTIONARY, diameter_gen_base_rfc6733).
-define(REALM, "gen-sctp.test").
-define(LOGOUT, 1).
-define(DISCONNECT_PEER, 282).
-define(SESSION_TERMINATION, 275).
-define(TIMEOUT, 30000).

%% @doc Starts the application, and the process that the events of all services go to.
start() ->
    ok = diameter:start(),
    true = register(?EVENTS, spawn(fun events/0)),
    ok.

%% @doc Stops what is left of services, and the application; then there is no process of it left.
stop() ->
    stop_services(),
    ok = diameter:stop(),
    ok = gen_sctp_test_lib:kill(whereis(?EVENTS)),
    until(fun() ->
        [P || P <- processes(), "diameter" ++ _ <- [atom_to_list(code_of(P))]] =:= []
    end).

stop_services() ->
    [ok = diameter:stop_service(Service) || Service <- diameter:services()],
    until(fun() -> workers() =:= [] end).

%% @doc The processes that belong to a service, transport or peer.
workers() ->
    [{Module, P} || P <- processes(), Module <- [code_of(P)],
        lists:member(Module, [diameter_service, diameter_watchdog, diameter_peer_fsm,
                              diameter_sctp])].

code_of(P) ->
    {Module, _, _} = proc_lib:translate_initial_call(P),
    Module.

service(Service) ->
    ok = ask({subscribe, Service}),
    ok = diameter:start_service(Service, [
        {'Origin-Host', host(Service)},
        {'Origin-Realm', ?REALM},
        {'Vendor-Id', 0},
        {'Product-Name', "gen_sctp"},
        {'Auth-Application-Id', [?DICTIONARY:id()]},
        {decode_format, map},
        {string_decode, false},
        {application, [{alias, str}, {dictionary, ?DICTIONARY}, {module, ?MODULE}]}
    ]),
    start = event(Service, start),
    ok.

host(Service) -> atom_to_list(Service) ++ "." ++ ?REALM.

listen(Service, Config) ->
    {ok, Ref} = diameter:add_transport(Service, {listen, transport(Config)}),
    until(fun() -> lists:keymember(listen, 1, diameter_sctp:ports(Ref)) end),
    {listen, Port, _} = lists:keyfind(listen, 1, diameter_sctp:ports(Ref)),
    {Ref, Port}.

connect(Service, Config) ->
    {ok, Ref} = diameter:add_transport(Service, {connect, transport(Config)}),
    Ref.

%% A peer that comes back is up at once, instead of after three answered watchdogs.
transport(Config) ->
    [{transport_module, diameter_sctp}, {transport_config, Config}, {connect_timer, 1000},
        {watchdog_timer, {?MODULE, watchdog, []}}, {watchdog_config, [{okay, 0}]}].

watchdog() -> 2000.

%% Events.

events() ->
    receive
        {?EVENTS, From, {subscribe, Service}} ->
            true = diameter:subscribe(Service),
            From ! {?EVENTS, ok},
            events();
        {?EVENTS, From, {event, Service, Kind}} ->
            From ! {?EVENTS, next(Service, Kind)},
            events()
    end.

next(Service, Kind) ->
    receive
        #diameter_event{service = Service, info = Kind} -> Kind;
        #diameter_event{service = Service, info = Info} when element(1, Info) =:= Kind -> Info
    after ?TIMEOUT ->
        {no_event, Service, Kind, process_info(self(), messages)}
    end.

ask(Request) ->
    Monitor = monitor(process, ?EVENTS),
    ?EVENTS ! {?EVENTS, self(), Request},
    receive
        {?EVENTS, Answer} -> demonitor(Monitor, [flush]), Answer;
        {'DOWN', Monitor, process, _, Reason} -> error({no_events, Reason})
    end.

%% @doc Awaits the next event of a kind: `up', `down', `watchdog', `reconnect', `start', and
%% `message', which is ours.
event(Service, Kind) ->
    case ask({event, Service, Kind}) of
        {no_event, _, _, _} = Nothing -> error(Nothing);
        {up, Ref, {_, #diameter_caps{origin_host = Hosts}}, _, _} -> {up, Ref, hosts(Hosts)};
        {Kind, Ref, {_, #diameter_caps{origin_host = Hosts}}, _} -> {Kind, Ref, hosts(Hosts)};
        {watchdog, Ref, _, Change, _} -> {watchdog, Ref, Change};
        {reconnect, Ref, _} -> {reconnect, Ref};
        Info -> Info
    end.

hosts({Own, Peer}) -> {service_of(Own), service_of(Peer)}.

service_of(Host) ->
    [Service | _] = binary:split(iolist_to_binary(Host), <<".">>),
    binary_to_atom(Service).

%% Tells of the messages that end a connection; a `message_cb' of the transport.
message(ack, _, _) ->
    [];
message(Direction, Message, Service) ->
    case binary(Message) of
        <<1, _:24, Request:1, _:7, ?DISCONNECT_PEER:24, _/binary>> ->
            Name = element(Request + 1, {'DPA', 'DPR'}),
            ?EVENTS ! #diameter_event{service = Service, info = {message, Direction, Name}};
        <<1, _/binary>> ->
            ok
    end,
    [Message].

binary(#diameter_packet{bin = Bin}) -> Bin;
binary(Bin) -> Bin.

%% Requests.

%% @doc Several processes send requests, each one after the other; how often which result came,
%% and the time of all in microseconds.
requests(Service, Processes, Each, Sizes) ->
    Requests = lists:sublist(lists:append(lists:duplicate(Each, Sizes)), Each),
    timer:tc(fun() ->
        Monitors = [spawn_monitor(fun() -> exit([request(Service, Size) || Size <- Requests]) end)
                    || _ <- lists:seq(1, Processes)],
        Results = lists:append([receive {'DOWN', M, process, P, R} -> R end || {P, M} <- Monitors]),
        lists:foldl(fun(R, Map) -> maps:update_with(R, fun(N) -> N + 1 end, 1, Map) end, #{},
                    Results)
    end).

%% The result code, if session and data came back as they were sent.
request(Service, Size) ->
    Session = iolist_to_binary(diameter:session_id(host(Service))),
    Data = rand:bytes(Size),
    Request = #{
        'Session-Id' => Session,
        'Destination-Realm' => ?REALM,
        'Auth-Application-Id' => ?DICTIONARY:id(),
        'Termination-Cause' => ?LOGOUT,
        'Class' => [Data]
    },
    case diameter:call(Service, str, ['STR' | Request], [{timeout, ?TIMEOUT}]) of
        #{'Session-Id' := Session, 'Class' := [Data], 'Result-Code' := Code} -> Code;
        #{} -> wrong_answer;
        {error, Reason} -> Reason
    end.

%% @doc How many requests of clients the server has received and answered so, as diameter says.
counted(Service, Code) ->
    Counters = lists:append([Pairs || {_, Pairs} <- diameter:service_info(Service, statistics)]),
    Sum = fun(Wanted) -> lists:sum([N || {Key, N} <- Counters, Key =:= Wanted]) end,
    Message = fun(Request) -> {?DICTIONARY:id(), ?SESSION_TERMINATION, Request} end,
    {Sum({Message(1), recv}), Sum({Message(0), send, {'Result-Code', Code}})}.

%% Connections.

%% @doc What diameter itself knows of the sockets of the connections: owner, own addresses and
%% port, and the peer's, which it can tell only of a socket with one association.
connections(Service) ->
    [{proplists:get_value(owner, Port), names(socket, Port), names(peer, Port)}
        || Connection <- diameter:service_info(Service, connections),
           {port, Port} <- Connection].

names(Key, Port) ->
    case proplists:get_value(Key, Port) of
        {Addresses, Number} -> {lists:sort(Addresses), Number};
        undefined -> undefined
    end.

%% @doc Process, association and socket of the transports of a kind: `accept', `connect', or
%% `listener', which has its addresses in the place of the association.
transports(Kind) ->
    [{Pid, Id, Socket} || {{_, _, {_, {Id, Socket}}}, Pid} <-
        diameter_reg:match({diameter_sctp, Kind, '_'})].

%% Callbacks of diameter.

peer_up(_Service, _Peer, State) -> State.

peer_down(_Service, _Peer, State) -> State.

pick_peer([Peer | _], _, _Service, _State) -> {ok, Peer}.

prepare_request(#diameter_packet{msg = ['STR' | Request]}, _Service, {_, Caps}) ->
    #diameter_caps{origin_host = {Host, _}, origin_realm = {Realm, _}} = Caps,
    {send, ['STR' | Request#{'Origin-Host' => Host, 'Origin-Realm' => Realm}]}.

prepare_retransmit(Packet, _Service, _Peer) -> {send, Packet}.

handle_answer(#diameter_packet{msg = ['STA' | Answer], errors = []}, _, _Service, _Peer) -> Answer.

handle_error(Reason, _Request, _Service, _Peer) -> {error, Reason}.

handle_request(#diameter_packet{msg = ['STR' | Request], errors = []}, _Service, {_, Caps}) ->
    #diameter_caps{origin_host = {Host, _}, origin_realm = {Realm, _}} = Caps,
    {reply, ['STA' | (maps:with(['Session-Id', 'Class'], Request))#{
        'Result-Code' => 2001, 'Origin-Host' => Host, 'Origin-Realm' => Realm}]}.
