%% @doc Calls with one argument that is wrong in itself, whatever state the socket is in, and what
%% they answer. For the property test.
-module(gen_sctp_nif_hostile).

-include_lib("kernel/include/inet_sctp.hrl").

-export([kinds/0]).
-export([is_wrong/2]).
-export([call/5]).
-export([answer/2]).

%% Discard: nobody listens there.
-define(PORT, 9).

%% @doc What is wrong: named by function and argument.
-spec kinds() -> [atom()].
kinds() ->
    [listen, connect_opts, connect_timeout, connect_address, connect_port, connectx_addresses,
     send_id, send_id_range, send_stream_range, send_data, send_info, send_info_field, eof, abort,
     peeloff, recv, controlling_process, setopts, setopts_value, setopts_timeout, getopts,
     getopts_value, open, no_socket, accept, shutdown, send_batch, cancel].

%% @doc Is this junk wrong there? What is not must not be used.
-spec is_wrong(atom(), term()) -> boolean().
is_wrong(listen, Junk) -> not is_boolean(Junk) andalso not is_integer(Junk);
is_wrong(connect_opts, Junk) -> not is_list(Junk);
is_wrong(connectx_addresses, Junk) -> not is_list(Junk);
is_wrong(connect_timeout, Junk) -> Junk =/= infinity andalso not is_natural(Junk);
%% A number is an address of no family; names would be looked up.
is_wrong(connect_address, Junk) -> is_number(Junk) orelse is_binary(Junk) orelse is_small(Junk);
is_wrong(connect_port, Junk) -> not in_range(Junk, 65535) andalso not is_atom(Junk);
is_wrong(send_id, Junk) -> not is_integer(Junk) andalso not is_record(Junk, sctp_assoc_change);
is_wrong(send_id_range, Junk) -> is_integer(Junk) andalso not in_range(Junk, 16#ffffffff);
is_wrong(send_stream_range, Junk) -> is_integer(Junk) andalso not in_range(Junk, 65535);
is_wrong(send_data, Junk) -> not is_iodata(Junk);
is_wrong(send_info, Junk) -> not is_record(Junk, sctp_sndrcvinfo);
is_wrong(send_info_field, Junk) -> Junk =/= undefined andalso not in_range(Junk, 65535);
is_wrong(eof, Junk) -> not is_record(Junk, sctp_assoc_change);
is_wrong(abort, Junk) -> not is_record(Junk, sctp_assoc_change);
is_wrong(peeloff, Junk) -> is_wrong(send_id, Junk);
is_wrong(recv, Junk) -> Junk =/= infinity andalso not in_range(Junk, 16#fffffffe);
is_wrong(controlling_process, Junk) -> Junk =/= '$pid' andalso Junk =/= '$dead';
is_wrong(setopts, Junk) -> is_wrong(open, Junk);
is_wrong(setopts_value, Junk) -> not is_boolean(Junk) andalso Junk =/= once;
is_wrong(setopts_timeout, Junk) -> is_wrong(recv, Junk);
is_wrong(getopts, Junk) -> is_wrong(open, Junk) andalso not is_atom(Junk);
is_wrong(getopts_value, Junk) -> Junk =/= undefined;
is_wrong(open, Junk) -> not is_atom(Junk) andalso not is_pair(Junk);
is_wrong(no_socket, _) -> true;
is_wrong(accept, Junk) -> Junk =/= nowait andalso is_wrong(recv, Junk);
is_wrong(shutdown, Junk) -> not lists:member(Junk, [read, write, read_write]);
is_wrong(send_batch, Junk) -> is_wrong(accept, Junk);
is_wrong(cancel, Junk) -> not is_tuple(Junk) orelse size(Junk) =/= 3.

is_natural(Junk) -> is_integer(Junk) andalso Junk >= 0.

in_range(Junk, Last) -> is_natural(Junk) andalso Junk =< Last.

is_small(Junk) -> is_tuple(Junk) andalso size(Junk) < 4 andalso not is_pair(Junk).

is_pair(Junk) -> is_tuple(Junk) andalso size(Junk) =:= 2.

is_iodata(Junk) ->
    try iolist_size(Junk) of _ -> true catch error:badarg -> false end.

%% @doc The call, on a socket; IP is an address of its family.
-spec call(module(), atom(), term(), term(), inet:ip_address()) -> term().
call(M, listen, S, Junk, _) -> M:listen(S, Junk);
call(M, connect_opts, S, Junk, IP) -> M:connect(S, IP, ?PORT, Junk);
call(M, connectx_addresses, S, Junk, _) -> M:connectx_init(S, Junk, ?PORT, []);
call(M, connect_timeout, S, Junk, IP) -> M:connect(S, IP, ?PORT, [], Junk);
call(M, connect_address, S, Junk, _) -> M:connect(S, Junk, ?PORT, []);
call(M, connect_port, S, Junk, IP) -> M:connect_init(S, IP, Junk, []);
call(M, send_id, S, Junk, _) -> M:send(S, Junk, 0, <<"x">>);
call(M, send_id_range, S, Junk, _) -> M:send(S, Junk, 0, <<"x">>);
call(M, send_stream_range, S, Junk, _) -> M:send(S, 1, Junk, <<"x">>);
call(M, send_data, S, Junk, _) -> M:send(S, 1, 0, Junk);
call(M, send_info, S, Junk, _) -> M:send(S, Junk, <<"x">>);
call(M, send_info_field, S, Junk, _) -> M:send(S, #sctp_sndrcvinfo{stream = Junk}, <<"x">>);
call(M, eof, S, Junk, _) -> M:eof(S, Junk);
call(M, abort, S, Junk, _) -> M:abort(S, Junk);
call(M, peeloff, S, Junk, _) -> M:peeloff(S, Junk);
call(M, recv, S, Junk, _) -> M:recv(S, Junk);
call(M, controlling_process, S, Junk, _) -> M:controlling_process(S, Junk);
call(_, setopts, S, Junk, _) -> inet:setopts(S, [Junk]);
call(_, setopts_value, S, Junk, _) -> inet:setopts(S, [{sctp_nodelay, Junk}]);
call(_, setopts_timeout, S, Junk, _) -> inet:setopts(S, [{send_timeout, Junk}]);
call(_, getopts, S, Junk, _) -> inet:getopts(S, [active, Junk]);
call(_, getopts_value, S, Junk, _) -> inet:getopts(S, [{sctp_nodelay, Junk}]);
call(M, open, _, Junk, _) -> M:open([Junk]);
call(M, no_socket, _, Junk, _) -> M:send({'$inet', gen_sctp_nif, Junk}, 1, 0, <<"x">>);
call(M, accept, S, Junk, _) -> M:accept(S, Junk);
call(M, shutdown, S, Junk, _) -> M:shutdown(S, Junk);
call(M, send_batch, S, Junk, _) -> M:send_batch(S, 1, [], Junk);
call(M, cancel, S, Junk, _) -> M:cancel(S, Junk).

%% @doc What it answers, on an open or a closed socket.
-spec answer(atom(), boolean()) -> term().
answer(Kind, _) when Kind =:= listen; Kind =:= connect_opts; Kind =:= connectx_addresses;
                     Kind =:= send_id; Kind =:= send_info; Kind =:= eof; Kind =:= abort;
                     Kind =:= peeloff; Kind =:= controlling_process; Kind =:= open;
                     Kind =:= no_socket; Kind =:= accept; Kind =:= shutdown;
                     Kind =:= send_batch; Kind =:= cancel ->
    {raised, badarg};
answer(Kind, _) when Kind =:= setopts; Kind =:= setopts_value; Kind =:= setopts_timeout;
                     Kind =:= getopts; Kind =:= getopts_value ->
    {error, einval};
answer(_, false) ->
    {error, closed};
answer(connect_timeout, true) ->
    {raised, badarg};
answer(_, true) ->
    {error, einval}.
