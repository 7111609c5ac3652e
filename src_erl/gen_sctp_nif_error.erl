%% @private
%% @doc Says what is wrong with the arguments of a call that raised `badarg'.
%%
%% The shell, crash reports and `erl_error' call {@link format_error/2} when
%% they show the exception (EEP 54). It looks at the arguments again; the
%% exception itself is a bare `badarg', as in `gen_sctp'.
-module(gen_sctp_nif_error).

-export([format_error/2]).
-export([without_keys/1]).
-export([without_key/1]).

-include("gen_sctp_nif.hrl").

%% @doc A text for each argument that is wrong, by its number.
-spec format_error(term(), [tuple(), ...]) ->
    #{pos_integer() | general => unicode:chardata()}.
format_error(badarg, [{gen_sctp_nif, Function, Args, _} | _]) when is_list(Args) ->
    Roles = roles(Function, length(Args)),
    Wrong = [{N, Text} ||
        {N, Role, Arg} <- lists:zip3(lists:seq(1, length(Roles)), Roles, Args),
        Text <- [wrong(Role, Arg)],
        Text =/= ok],
    case Wrong of
        [] -> #{general => general(Roles)};
        _ -> maps:from_list(Wrong)
    end;
format_error(_Reason, _Stack) ->
    #{}.

%% @doc Arguments for an exception, with something else in the place of keys:
%% what is as right or wrong as they are.
-spec without_keys([term()]) -> [term()].
without_keys(Args) ->
    [without_key(Arg) || Arg <- Args].

%% @doc The same for any term: an option that is written wrong has its key somewhere else.
-spec without_key(term()) -> term().
without_key([First | Rest]) ->
    [without_key(First) | without_key(Rest)];
without_key(#sctp_authkey{key = Key} = Record) ->
    Record#sctp_authkey{key = hidden(Key)};
without_key(Tuple) when element(1, Tuple) =:= sctp_auth_key; element(1, Tuple) =:= sctp_authkey ->
    [Name | Rest] = tuple_to_list(Tuple),
    list_to_tuple([Name | [hidden_unless_record(Element) || Element <- Rest]]);
without_key(Tuple) when is_tuple(Tuple) ->
    list_to_tuple([without_key(Element) || Element <- tuple_to_list(Tuple)]);
without_key(Map) when is_map(Map) ->
    maps:from_list([without_key(Option) || Option <- maps:to_list(Map)]);
without_key(Other) ->
    Other.

hidden_unless_record(#sctp_authkey{} = Record) -> without_key(Record);
hidden_unless_record(_) -> hidden.

hidden(Key) when is_binary(Key), byte_size(Key) > 0, byte_size(Key) < 65536 -> <<"hidden">>;
hidden(undefined) -> undefined;
hidden(_) -> hidden.

%% What each argument of a function is.
roles(open, 1) -> [port_or_options];
roles(open, 2) -> [port, open_options];
roles(close, 1) -> [socket];
roles(listen, 2) -> [socket, backlog];
roles(peeloff, 2) -> [socket, assoc];
roles(bindx, 3) -> [socket, add_or_remove, addresses];
roles(controlling_process, 2) -> [socket, pid];
roles(connect, 4) -> [socket, sockaddr, options, timeout];
roles(connect, 5) -> [socket, any, port, options, timeout];
roles(connect_init, 4) -> [socket, sockaddr, options, timeout];
roles(connect_init, 5) -> [socket, any, port, options, timeout];
roles(connectx_init, 3) -> [socket, sockaddrs, options];
roles(connectx_init, 5) -> [socket, addresses, port, options, timeout];
roles(eof, 2) -> [socket, assoc_change];
roles(abort, 2) -> [socket, assoc_change];
roles(send, 3) -> [socket, info, any];
roles(send, 4) -> [socket, assoc, stream, any];
roles(send_batch, 3) -> [socket, assoc, list];
roles(recv, 2) -> [socket, any];
roles(recv_batch, 3) -> [socket, count, wait];
roles(error_string, 1) -> [integer];
roles(accept, 2) -> [socket, wait];
roles(shutdown, 2) -> [socket, how];
roles(abort, 3) -> [socket, assoc_change, any];
roles(send_batch, 4) -> [socket, assoc, list, wait];
roles(sendv, 4) -> [socket, recipient, infos, any];
roles(sendv, 5) -> [socket, recipient, infos, any, wait];
roles(cancel, 2) -> [socket, select_info];
roles(getopt, 2) -> [socket, option];
roles(assocs, 1) -> [socket];
roles(status, 2) -> [socket, assoc];
roles(paths, 2) -> [socket, assoc];
roles(stats, 1) -> [socket];
roles(stats, 2) -> [socket, assoc];
roles(i, 1) -> [socket];
roles(monitor, 1) -> [socket];
roles(cancel_monitor, 1) -> [reference];
roles(_, Arity) -> lists:duplicate(Arity, any).

wrong(socket, {'$inet', gen_sctp_nif, Ref}) when is_reference(Ref) -> ok;
wrong(socket, _) -> "not a socket of gen_sctp_nif";
wrong(assoc, Id) when is_integer(Id) -> ok;
wrong(assoc, #sctp_assoc_change{}) -> ok;
wrong(assoc, _) -> "not an association: its id or an #sctp_assoc_change{}";
wrong(assoc_change, #sctp_assoc_change{}) -> ok;
wrong(assoc_change, _) -> "not an #sctp_assoc_change{}";
wrong(backlog, Backlog) when is_boolean(Backlog); is_integer(Backlog) -> ok;
wrong(backlog, _) -> "not a backlog: true, false or an integer";
wrong(add_or_remove, Op) when Op =:= add; Op =:= remove -> ok;
wrong(add_or_remove, _) -> "neither add nor remove";
wrong(addresses, Addrs) when length(Addrs) >= 0 -> ok;
wrong(addresses, _) -> "not a list of addresses";
wrong(pid, Pid) when is_pid(Pid) -> ok;
wrong(pid, _) -> "not a pid";
wrong(sockaddr, #{family := Family}) when Family =:= inet; Family =:= inet6 -> ok;
wrong(sockaddr, _) -> "not a socket address: a map with the key family";
wrong(sockaddrs, Addrs) when length(Addrs) >= 0 -> ok;
wrong(sockaddrs, _) -> "not a list of socket addresses";
wrong(port, Port) when is_integer(Port), Port >= 0, Port =< 65535; is_atom(Port) -> ok;
wrong(port, _) -> "not a port: an integer from 0 to 65535";
wrong(options, Opts) when is_list(Opts) -> ok;
wrong(options, _) -> "not a list of options";
wrong(port_or_options, Port) when is_integer(Port) -> wrong(port, Port);
wrong(port_or_options, Opts) when is_list(Opts) -> wrong(open_options, Opts);
wrong(port_or_options, _) -> "neither a port nor a list of options";
wrong(open_options, Opts) when length(Opts) >= 0 -> first_wrong(Opts);
wrong(open_options, _) -> "not a list of options";
wrong(how, How) when How =:= read; How =:= write; How =:= read_write -> ok;
wrong(how, _) -> "none of read, write and read_write";
wrong(select_info, {select_info, Op, Ref}) when is_atom(Op), is_reference(Ref) -> ok;
wrong(select_info, _) -> "not a select_info";
wrong(timeout, infinity) -> ok;
wrong(timeout, Timeout) when is_integer(Timeout), Timeout >= 0 -> ok;
wrong(timeout, _) -> "not a timeout: milliseconds or infinity";
wrong(wait, Wait) when Wait =:= infinity; Wait =:= nowait -> ok;
wrong(wait, Wait) when is_integer(Wait), Wait >= 0, Wait < 16#ffffffff -> ok;
wrong(wait, _) -> "not a timeout: milliseconds up to 16#fffffffe, infinity or nowait";
wrong(info, #sctp_sndrcvinfo{}) -> ok;
wrong(info, _) -> "not an #sctp_sndrcvinfo{}";
wrong(stream, Stream) when is_integer(Stream) -> ok;
wrong(stream, _) -> "not a stream: an integer from 0 to 65535";
wrong(recipient, To) ->
    case gen_sctp_nif_sendv:recipient(To) of
        badarg -> "not an association, {Association, {IP, Port}} or all";
        _ -> ok
    end;
wrong(infos, Infos) when is_list(Infos) -> ok;
wrong(infos, _) -> "not a list of records";
wrong(list, List) when is_list(List) -> ok;
wrong(list, _) -> "not a list of messages";
wrong(count, N) when is_integer(N), N > 0 -> ok;
wrong(count, _) -> "not a positive integer";
wrong(integer, N) when is_integer(N) -> ok;
wrong(integer, _) -> "not an integer";
wrong(reference, Ref) when is_reference(Ref) -> ok;
wrong(reference, _) -> "not a reference";
wrong(option, _) -> "not the name of an option, nor {Name, Record} with a record that asks for it";
wrong(any, _) -> ok.

%% No argument is wrong by itself.
general(Roles) ->
    case lists:member(port_or_options, Roles) orelse lists:member(open_options, Roles) of
        true ->
            "the options are right one by one, but the kernel refused one of them, "
            "or an address does not fit the socket's family";
        false ->
            "an address or a name cannot be used with this socket"
    end.

%% The first option of open that is wrong by itself.
first_wrong([Opt | Opts]) ->
    case is_right(Opt) of
        true -> first_wrong(Opts);
        false -> [io_lib:format("wrong option ~0tp: ", [without_key(Opt)]), expected(Opt)]
    end;
first_wrong([]) ->
    ok.

is_right(Opt) ->
    case gen_sctp_nif_opts:family([Opt]) of
        {ok, Family, Rest} ->
            case gen_sctp_nif_opts:open_options(Family, Rest) of
                {ok, #{addrs := Addrs}} ->
                    lists:all(fun(Addr) -> is_address(Family, Addr) end, Addrs);
                {error, _} ->
                    false
            end;
        {error, badarg} ->
            false
    end.

is_address(Family, Addr) ->
    Form = case Addr of
        #{} -> Addr;
        {_, _} -> Addr;
        _ -> {Addr, 0}
    end,
    case gen_sctp_nif_addr:sockaddr(Family, Form) of
        {ok, _} -> true;
        {error, _} -> false
    end.

expected({Name, _Value}) when is_atom(Name) -> expects(Name);
expected(_) -> "there is no such option".

%% What an option takes: those that never reach the kernel are known here.
expects(abort_causes) -> "it takes a boolean";
expects(active) -> "it takes true, false, once or an integer from -32768 to 32767";
expects(batch) -> "it takes an integer from 1 to 64";
expects(buffer) -> "it takes a number of bytes";
expects(debug) -> "it takes a boolean";
expects(end_of_stream) -> "it takes wait or closed";
expects(exclusiveaddruse) -> "it takes a boolean";
expects(ifaddr) -> "it takes an address, a list of addresses or a map";
expects(ip) -> "it takes an address or a list of addresses";
expects(mailbox_limit) -> "it takes a positive integer or infinity";
expects(max_message_size) -> "it takes a number of bytes from 1 to 67108863 or infinity";
expects(mode) -> "it takes binary or list";
expects(netns) -> "it takes the path of a network namespace";
expects(non_block_send) -> "it takes a boolean";
expects(port) -> "it takes an integer from 0 to 65535 or the name of a service";
expects(send_timeout) -> "it takes milliseconds from 0 or infinity";
expects(send_timeout_close) -> "it takes a boolean";
expects(sctp_recvrcvinfo) -> "it takes a boolean";
expects(sctp_module) -> "it takes inet_sctp or inet6_sctp";
expects(type) -> "it takes seqpacket or stream";
expects(Name) -> shape(gen_sctp_nif_prim:option_shape(Name)).

shape(boolean) -> "it takes a boolean";
shape(integer) -> "it takes an integer";
shape(non_neg_integer) -> "it takes an integer from 0";
shape(chunk) -> "it takes the type of a chunk, by name or from 0 to 255";
shape(linger) -> "it takes {boolean(), Seconds}";
shape(device) -> "it takes the name of an interface as a binary";
shape(read_only) -> "it cannot be set";
shape({record, Tag}) -> io_lib:format("it takes an #~ts{} of which all fields are right", [Tag]);
shape(undefined) -> "there is no such option".
