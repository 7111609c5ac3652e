%% @doc Messages in one direction: what a message costs.
-module(sctp_bench_stream).

-export([one_way/2]).
-export([senders/2]).
-export([assocs/2]).
-export([sockets/2]).

-include("sctp_bench.hrl").

-define(SENDERS, 20).
-define(MANY, 1000).

%% @doc One sender, one receiver.
-spec one_way(module(), #spec{}) -> sctp_bench_meter:figures().
one_way(Module, Spec) ->
    {S, Port} = sctp_bench_lib:open(Module, Spec),
    stream(Module, Spec, S, [sender(Module, Spec, Port)]).

%% @doc 20 processes, each with a socket of its own, send to one socket.
-spec senders(module(), #spec{}) -> sctp_bench_meter:figures().
senders(Module, Spec) ->
    {S, Port} = sctp_bench_lib:open(Module, Spec),
    stream(Module, Spec, S, [sender(Module, Spec, Port) || _ <- lists:seq(1, ?SENDERS)]).

%% @doc One process sends to one socket on 1,000 associations in turns. The
%% sockets of the associations' other ends are the sender's.
-spec assocs(module(), #spec{}) -> sctp_bench_meter:figures().
assocs(Module, Spec) ->
    {S, Port} = sctp_bench_lib:open(Module, Spec),
    stream(Module, Spec, S, [sender(Module, Spec, lists:duplicate(?MANY, Port))]).

%% @doc One process sends to 1,000 sockets with an association each, in turns;
%% one process receives from all.
-spec sockets(module(), #spec{}) -> sctp_bench_meter:figures().
sockets(Module, Spec) ->
    {Sockets, Ports} = lists:unzip(
        [sctp_bench_lib:open(Module, Spec) || _ <- lists:seq(1, ?MANY)]),
    stream(Module, Spec, Sockets, [sender(Module, Spec, Ports)]).

%% A sender's process that is connected and waits for the start.
sender(Module, Spec, Ports) ->
    Parent = self(),
    {Pid, MRef} = spawn_monitor(fun() -> sender_init(Parent, Module, Spec, Ports) end),
    receive
        {Pid, ready} -> Pid;
        {'DOWN', MRef, process, Pid, Reason} -> error({sender, Reason})
    end.

sender_init(Parent, Module, Spec, Ports) when is_list(Ports) ->
    Targets = [
        begin
            {S, _} = sctp_bench_lib:open(Module, Spec),
            {S, sctp_bench_lib:connect(Module, S, Port)}
        end
     || Port <- Ports
    ],
    send_when_told(Parent, Module, Spec, Targets);
sender_init(Parent, Module, Spec, Port) ->
    sender_init(Parent, Module, Spec, [Port]).

send_when_told(Parent, Module, #spec{size = Size, count = Count} = Spec, Targets) ->
    Data = binary:copy(<<"x">>, Size),
    Parent ! {self(), ready},
    Retries = [
        begin
            receive start -> ok end,
            send_all(Module, Spec, Targets, Data, N)
        end
     || N <- [sctp_bench_lib:warmup(Spec), Count]
    ],
    Parent ! {self(), sent, lists:last(Retries) / Count},
    %% The sockets live until the receiver has all.
    receive stop -> ok end.

send_all(Module, #spec{kind = Kind}, [{S, Id}], Data, N) when
    Kind =:= batch; Kind =:= bundle; Kind =:= batches
->
    send_batches(Module, S, Id, lists:duplicate(?BATCH, {0, Data}), N);
send_all(Module, _Spec, Targets, Data, N) ->
    send_rounds(Module, Targets, Targets, Data, N, 0).

send_batches(Module, S, Id, Batch, N) when N > ?BATCH ->
    ok = Module:send_batch(S, Id, Batch),
    send_batches(Module, S, Id, Batch, N - ?BATCH);
send_batches(Module, S, Id, Batch, N) ->
    ok = Module:send_batch(S, Id, lists:sublist(Batch, N)),
    0.

send_rounds(_Module, _All, _Left, _Data, 0, Retries) ->
    Retries;
send_rounds(Module, All, [], Data, N, Retries) ->
    send_rounds(Module, All, All, Data, N, Retries);
send_rounds(Module, All, [{S, Id} | Left], Data, N, Retries) ->
    More = sctp_bench_lib:send(Module, S, Id, Data),
    send_rounds(Module, All, Left, Data, N - 1, Retries + More).

stream(Module, #spec{count = Count} = Spec, Receivers, Senders) ->
    start_receiving(Receivers, Spec),
    tell(Senders, start),
    receive_all(Module, Receivers, Spec, sctp_bench_lib:warmup(Spec) * length(Senders)),
    N = Count * length(Senders),
    %% All that it takes to send and receive the messages is in the time: on
    %% one processor that is the whole work, wherever messages queue up
    %% meanwhile.
    Meter = sctp_bench_meter:start(),
    tell(Senders, start),
    receive_all(Module, Receivers, Spec, N),
    Figures = sctp_bench_meter:stop(Meter, N),
    Retries = [
        receive {Sender, sent, R} -> Sender ! stop, R end
     || Sender <- Senders
    ],
    [{retries, lists:sum(Retries) / length(Retries)} | Figures].

tell(Pids, Message) ->
    lists:foreach(fun(Pid) -> Pid ! Message end, Pids).

start_receiving(Sockets, Spec) when is_list(Sockets) ->
    lists:foreach(fun(S) -> sctp_bench_lib:start_receiving(S, Spec) end, Sockets);
start_receiving(S, Spec) ->
    sctp_bench_lib:start_receiving(S, Spec).

receive_all(Module, Sockets, Spec, N) when is_list(Sockets) ->
    sctp_bench_lib:receive_any(Module, Spec, N);
receive_all(Module, S, #spec{kind = batches} = Spec, N) ->
    sctp_bench_lib:receive_batches(Module, S, Spec, N);
receive_all(Module, S, Spec, N) ->
    sctp_bench_lib:receive_messages(Module, S, Spec, N).
