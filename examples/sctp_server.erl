%% A server: takes associations from anybody, prints what comes in.
%%
%%     1> c("examples/sctp_server").
%%     2> sctp_server:start(2006).
-module(sctp_server).

-export([start/1]).
-export([open/1]).
-export([serve/2]).
-export([describe/1]).

-include_lib("gen_sctp_nif/include/inet_sctp.hrl").

%% Runs until somebody closes the socket.
-spec start(inet:port_number()) -> ok.
start(Port) ->
    S = open(Port),
    io:format("server: listening on port ~b~n", [Port]),
    serve(S, fun(Received) -> io:format("server: ~ts~n", [describe(Received)]) end).

%% A listening socket on the loopback address. Port 0 lets the kernel choose.
-spec open(inet:port_number()) -> gen_sctp_nif:sctp_socket().
open(Port) ->
    {ok, S} = gen_sctp_nif:open(Port, [{ip, {127, 0, 0, 1}}, {reuseaddr, true}]),
    ok = gen_sctp_nif:listen(S, true),
    S.

%% One socket serves all associations: what a recv gets can be of any of them.
-spec serve(gen_sctp_nif:sctp_socket(), fun((term()) -> term())) -> ok.
serve(S, Handle) ->
    case gen_sctp_nif:recv(S) of
        {error, closed} ->
            ok;
        Received ->
            Handle(Received),
            serve(S, Handle)
    end.

%% In a line of text what recv/1 has returned.
-spec describe(term()) -> string().
describe({ok, {IP, Port, _, #sctp_assoc_change{state = State, assoc_id = Id} = Change}}) ->
    text("~ts: association ~b is now ~s~ts", [peer(IP, Port), Id, State, streams(Change)]);
describe({ok, {IP, Port, _, #sctp_shutdown_event{assoc_id = Id}}}) ->
    text("~ts: wants to end association ~b", [peer(IP, Port), Id]);
describe({ok, {IP, Port, [#sctp_sndrcvinfo{assoc_id = Id, stream = Stream}], Data}}) ->
    text("~ts: association ~b, stream ~b: ~p", [peer(IP, Port), Id, Stream, Data]);
describe({ok, {IP, Port, _, Other}}) ->
    text("~ts: ~p", [peer(IP, Port), Other]);
describe({error, Reason}) ->
    text("error ~p", [Reason]).

streams(#sctp_assoc_change{state = comm_up, outbound_streams = Out, inbound_streams = In}) ->
    text(" (~b streams out, ~b in)", [Out, In]);
streams(_) ->
    "".

peer(IP, Port) ->
    text("~s:~b", [inet:ntoa(IP), Port]).

text(Format, Args) ->
    lists:flatten(io_lib:format(Format, Args)).
