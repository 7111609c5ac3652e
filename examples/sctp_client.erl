%% A client for sctp_server: five streams, one message that fits, one that
%% does not, and a rude end.
%%
%%     1> c("examples/sctp_client").
%%     2> sctp_client:run(localhost, 2006).
-module(sctp_client).

-export([run/2]).

-include_lib("gen_sctp_nif/include/inet_sctp.hrl").

-spec run(inet:ip_address() | inet:hostname(), inet:port_number()) ->
    [{connect | send | abort, term()}].
run(Host, Port) ->
    {ok, S} = gen_sctp_nif:open(),
    Streams = {sctp_initmsg, #sctp_initmsg{num_ostreams = 5}},
    Steps = case gen_sctp_nif:connect(S, Host, Port, [Streams], 5000) of
        {ok, Assoc} ->
            io:format("client: connected, association ~b, streams 0 to ~b~n",
                [Assoc#sctp_assoc_change.assoc_id, Assoc#sctp_assoc_change.outbound_streams - 1]),
            [{connect, Assoc} | talk(S, Assoc)];
        {error, Reason} ->
            io:format("client: no connection: ~p~n", [Reason]),
            [{connect, {error, Reason}}]
    end,
    ok = gen_sctp_nif:close(S),
    Steps.

talk(S, Assoc) ->
    Sent0 = send(S, Assoc, 0, <<"Test 0">>),
    Sent5 = send(S, Assoc, 5, <<"Test 5">>),
    %% An abort throws away what is still under way.
    ok = wait_until_acknowledged(S, Assoc, 500),
    Aborted = gen_sctp_nif:abort(S, Assoc),
    io:format("client: abort of association ~b: ~p~n",
        [Assoc#sctp_assoc_change.assoc_id, Aborted]),
    [{send, Sent0}, {send, Sent5}, {abort, Aborted}].

send(S, Assoc, Stream, Data) ->
    Result = gen_sctp_nif:send(S, Assoc, Stream, Data),
    io:format("client: send of ~p on stream ~b: ~p~n", [Data, Stream, Result]),
    Result.

%% There is no event for this: ask the association for its state.
wait_until_acknowledged(S, #sctp_assoc_change{assoc_id = Id} = Assoc, Tries) when Tries > 0 ->
    Query = {sctp_status, #sctp_status{assoc_id = Id}},
    case inet:getopts(S, [Query]) of
        {ok, [{sctp_status, #sctp_status{unackdata = 0, penddata = 0}}]} ->
            ok;
        {ok, _} ->
            timer:sleep(10),
            wait_until_acknowledged(S, Assoc, Tries - 1)
    end.
