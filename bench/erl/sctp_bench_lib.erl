%% @doc What the cases share: sockets, sending, receiving, times.
-module(sctp_bench_lib).

-export([open/2]).
-export([connect/3]).
-export([send/4]).
-export([start_receiving/2]).
-export([receive_messages/4]).
-export([receive_batches/4]).
-export([receive_message/3]).
-export([receive_any/3]).

-export([warmup/1]).
-export([percentile/2]).

-include_lib("kernel/include/inet_sctp.hrl").
-include("sctp_bench.hrl").

-define(LOCALHOST, {127, 0, 0, 1}).

%% @doc A listening passive socket with the buffers that all implementations
%% use (bench/src/spec.rs), and its port.
-spec open(module(), #spec{}) -> {term(), inet:port_number()}.
open(Module, #spec{size = Size} = Spec) ->
    {ok, S} = Module:open([{ip, ?LOCALHOST}, binary, {active, false}, {sctp_nodelay, true}]),
    Buffer = min(max(4 * Size, 256 * 1024), 4 * 1024 * 1024),
    ok = inet:setopts(S, [{sndbuf, Buffer}]),
    ok = inet:setopts(S, [{recbuf, min(8 * Buffer, 8 * 1024 * 1024)}]),
    %% Last: it was raised by recbuf. OTP 25 needs room for a whole message.
    ok = inet:setopts(S, [{buffer, max(Size, 65536)}]),
    ok = inet:setopts(S, [{batch, ?BATCH} || Spec#spec.kind =:= batches]),
    ok = Module:listen(S, 128),
    {ok, Port} = inet:port(S),
    {S, Port}.

%% @doc A new association of a socket.
-spec connect(module(), term(), inet:port_number()) -> integer().
connect(Module, S, Port) ->
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = Id}} =
        Module:connect(S, ?LOCALHOST, Port, []),
    Id.

%% @doc Sends. Where a full buffer is an error (OTP 25), tries again after all
%% others have had their turn; gives how often it did.
-spec send(module(), term(), integer(), iodata()) -> non_neg_integer().
send(Module, S, Id, Data) ->
    send(Module, S, Id, Data, 0).

send(Module, S, Id, Data, Retries) ->
    case Module:send(S, Id, 0, Data) of
        ok ->
            Retries;
        {error, eagain} ->
            erlang:yield(),
            send(Module, S, Id, Data, Retries + 1)
    end.

%% @doc Makes a socket receive in the mode of the case.
-spec start_receiving(term(), #spec{}) -> ok.
start_receiving(_S, #spec{mode = passive}) -> ok;
start_receiving(S, #spec{mode = Mode}) -> inet:setopts(S, [{active, Mode}]).

%% @doc Receives that many messages of the right size; events do not count.
-spec receive_messages(module(), term(), #spec{}, non_neg_integer()) -> ok.
receive_messages(_Module, _S, _Spec, 0) ->
    ok;
receive_messages(Module, S, Spec, N) ->
    _ = receive_message(Module, S, Spec),
    receive_messages(Module, S, Spec, N - 1).

%% @doc The same, many at a time.
-spec receive_batches(module(), term(), #spec{}, integer()) -> ok.
receive_batches(Module, S, Spec, N) when N > 0 ->
    Messages = receive_batch(Module, S, Spec),
    receive_batches(Module, S, Spec, N - count(Messages, Spec#spec.size, 0));
receive_batches(_Module, _S, _Spec, 0) ->
    ok.

receive_batch(Module, S, #spec{mode = passive}) ->
    {ok, Messages} = Module:recv_batch(S, ?BATCH, infinity),
    Messages;
receive_batch(Module, S, #spec{mode = Mode} = Spec) ->
    receive
        {sctp_batch, S, Messages} ->
            rearm(S, Mode),
            Messages;
        {sctp_passive, S} ->
            ok = inet:setopts(S, [{active, Mode}]),
            receive_batch(Module, S, Spec)
    end.

count([{_, _, [#sctp_sndrcvinfo{}], Data} | Messages], Size, N) when byte_size(Data) =:= Size ->
    count(Messages, Size, N + 1);
count([{_, _, _, Event} | Messages], Size, N) when is_tuple(Event) ->
    count(Messages, Size, N);
count([], _Size, N) ->
    N.

%% @doc Receives a message; gives its association.
-spec receive_message(module(), term(), #spec{}) -> integer().
receive_message(Module, S, #spec{mode = passive, size = Size} = Spec) ->
    case Module:recv(S) of
        {ok, {_, _, [#sctp_sndrcvinfo{assoc_id = Id}], <<_:Size/binary>>}} -> Id;
        {ok, {_, _, _, Event}} when is_tuple(Event) -> receive_message(Module, S, Spec)
    end;
receive_message(Module, S, #spec{mode = Mode, size = Size} = Spec) ->
    receive
        {sctp, S, _, _, {[#sctp_sndrcvinfo{assoc_id = Id}], <<_:Size/binary>>}} ->
            rearm(S, Mode),
            Id;
        {sctp, S, _, _, {_, Event}} when is_tuple(Event) ->
            rearm(S, Mode),
            receive_message(Module, S, Spec);
        {sctp_passive, S} ->
            ok = inet:setopts(S, [{active, Mode}]),
            receive_message(Module, S, Spec)
    end.

rearm(S, once) -> ok = inet:setopts(S, [{active, once}]);
rearm(_S, _Mode) -> ok.

%% @doc Receives that many messages from any of many active sockets.
-spec receive_any(module(), #spec{}, non_neg_integer()) -> ok.
receive_any(_Module, _Spec, 0) ->
    ok;
receive_any(Module, #spec{mode = Mode, size = Size} = Spec, N) when Mode =/= passive ->
    receive
        {sctp, S, _, _, {_, <<_:Size/binary>>}} ->
            rearm(S, Mode),
            receive_any(Module, Spec, N - 1);
        {sctp, S, _, _, {_, Event}} when is_tuple(Event) ->
            rearm(S, Mode),
            receive_any(Module, Spec, N);
        {sctp_passive, S} ->
            ok = inet:setopts(S, [{active, Mode}]),
            receive_any(Module, Spec, N)
    end.

%% @doc How many messages come before the clock starts.
-spec warmup(#spec{}) -> pos_integer().
warmup(#spec{count = Count}) ->
    Count div 4 + 1.

%% @doc Of a sorted list.
-spec percentile(float(), [number(), ...]) -> number().
percentile(Share, Sorted) ->
    lists:nth(1 + round((length(Sorted) - 1) * Share), Sorted).
