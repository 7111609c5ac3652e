%% A client that waits for nobody: it starts associations with several peers
%% at once, and all that happens comes as messages, as with {active, true}.
%%
%%     1> c("examples/sctp_connect_init").
%%     2> sctp_connect_init:run([{localhost, 2006}, {localhost, 2007}]).
-module(sctp_connect_init).

-export([run/1]).

-include_lib("gen_sctp_nif/include/inet_sctp.hrl").

%% Greets each peer and says good-bye. Returns how each association ended.
-spec run([{inet:ip_address() | inet:hostname(), inet:port_number()}]) ->
    [{inet:port_number(), shutdown_comp | comm_lost | cant_assoc}].
run(Peers) ->
    {ok, S} = gen_sctp_nif:open([{active, true}]),
    Started = [Port || {Host, Port} <- Peers, start(S, Host, Port)],
    Ended = loop(S, Started),
    ok = gen_sctp_nif:close(S),
    Ended.

start(S, Host, Port) ->
    Result = gen_sctp_nif:connect_init(S, Host, Port, []),
    io:format("client: association with port ~b started: ~p~n", [Port, Result]),
    Result =:= ok.

loop(_S, []) ->
    [];
loop(S, Waiting) ->
    receive
        {sctp, S, _IP, Port, {_Anc, #sctp_assoc_change{state = comm_up} = Assoc}} ->
            io:format("client: port ~b is there~n", [Port]),
            ok = gen_sctp_nif:send(S, Assoc, 0, ["Hello, ", integer_to_list(Port)]),
            %% Ends the association after the peer has got everything.
            ok = gen_sctp_nif:eof(S, Assoc),
            loop(S, Waiting);
        {sctp, S, _IP, Port, {_Anc, #sctp_assoc_change{state = State}}} ->
            io:format("client: port ~b is gone: ~s~n", [Port, State]),
            [{Port, State} | loop(S, lists:delete(Port, Waiting))];
        {sctp, S, _IP, Port, {_Anc, Other}} ->
            io:format("client: port ~b: ~p~n", [Port, Other]),
            loop(S, Waiting);
        {sctp_error, S, _IP, Port, {_Anc, Event}} ->
            io:format("client: trouble with port ~b: ~p~n", [Port, Event]),
            loop(S, Waiting)
    end.
