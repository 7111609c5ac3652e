%% @doc The model of the property test: what users see of sockets, associations and mailboxes, and
%% what a call answers.
%%
%% No socket is touched here. Sockets and associations are numbers; where an answer or a message
%% has something in it that only the kernel knows, the model has a name (`name()'), for which
%% gen_sctp_nif_world puts the real thing.
%%
%% Calls are made one after the other, each when all that the one before brought about has come to
%% pass. So every queue and every mailbox is known exactly, whoever reads it.
-module(gen_sctp_nif_model).

-include("gen_sctp_nif.hrl").

-export([new/0]).
-export([step/2]).
-export([is_certain/2]).

%% What generators, preconditions and the world ask.
-export([actors/0]).
-export([sockets/1]).
-export([open_sockets/1]).
-export([owner/2]).
-export([active/2]).
-export([option_names/0]).
-export([user_options/2]).
-export([is_open/2]).
-export([style/2]).
-export([is_acceptor/2]).
-export([is_listening/2]).
-export([waiting/2]).
-export([is_single/2]).
-export([is_connected/2]).
-export([unread/2]).
-export([receivers/1]).
-export([results/1]).
-export([associations/1]).
-export([ends/2]).
-export([is_up/2]).
-export([endpoint/2]).
-export([mailbox/3]).

-export_type([model/0, call/0, name/0]).

%% Streams of an association, by the kernel's default.
-define(STREAMS, 10).
%% Cause 12, user initiated abort, in network order as OTP shows it.
-define(USER_ABORT, 3072).
%% Messages and bytes that surely are read at one time, whatever the options: see is_certain/2.
-define(FEW, 16).
-define(SMALL, 1000).
%% Associations that surely find room in the backlog, see prop_gen_sctp_nif:backlog/0.
-define(BACKLOG, 5).

-type actor() :: a | b | c.
%% Of sockets, associations and receivers.
-type index() :: pos_integer().
-type name() ::
    {'$socket', index()}
    | '$ip'
    %% The port of a socket, or of the one that it was peeled off from.
    | {'$port', index()}
    %% What an association is called at one end.
    | {'$id', index(), 1 | 2}
    | {'$data', Seq :: integer(), Size :: non_neg_integer()}
    | {'$list', name()}
    %% An element of what send_batch/3 takes.
    | {'$message', send()}
    %% Anything.
    | '_'.
%% A vector says all that in records, and a policy by which nothing is given up here.
-type send() :: #{as := info | stream | vector, stream := integer(), order := ordered | unordered,
                  ppid := integer(), size := non_neg_integer(), seq := integer(),
                  policy := absent | {none | ttl | rtx | prio, non_neg_integer()}}.
-type patience() :: option | timeout() | nowait.
-type call() ::
    {open, actor(), index(), [term()]}
    | {listen, actor(), index(), boolean() | integer()}
    | {connect, actor(), index(), index(), wait | init | initx, Assoc :: index()}
    | {send, actor(), index(), Assoc :: index(), send()}
    | {sendv, actor(), index(), Assoc :: index() | all, send(), patience()}
    | {send_batch, actor(), index(), Assoc :: index(), [send()], patience()}
    %% Sends until there is no room, then receives all of it at the other end.
    | {overflow, actor(), index(), Assoc :: index(), one | batch, patience()}
    | {recv, actor(), index(), timeout() | nowait}
    | {recv_batch, actor(), index(), Most :: pos_integer()}
    | {take, actor(), index()}
    | {receiver, index(), index()}
    | {kill_receiver, index()}
    | {setopts, actor(), index(), [term()]}
    | {getopts, actor(), index(), [atom()]}
    | {peeloff, actor(), index(), Assoc :: index(), index()}
    | {give, actor(), index(), actor()}
    | {eof | abort, actor(), index(), Assoc :: index()}
    | {accept, actor(), index(), 0 | nowait, index()}
    | {shutdown, actor(), index(), read | write | read_write}
    | {close, actor(), index()}
    | {kill, actor()}
    | {hostile, actor(), index(), atom(), term()}.

-type style() :: many | stream | peeled.

-record(socket, {
    owner :: actor(),
    style = many :: style(),
    %% The socket whose port it has: itself, unless it was peeled off or accepted.
    endpoint :: index(),
    %% Of a peeled-off or accepted socket, its only one.
    assoc :: undefined | index(),
    open = true :: boolean(),
    listening = false :: boolean(),
    active = false :: boolean() | once | pos_integer(),
    list = false :: boolean(),
    buffer = 65536 :: pos_integer(),
    batch = 1 :: pos_integer(),
    data_io = true :: boolean(),
    shutdown_event = true :: boolean(),
    rcvinfo = false :: boolean(),
    send_timeout = infinity :: timeout(),
    send_timeout_close = false :: boolean(),
    end_of_stream = undefined :: undefined | wait | closed,
    %% Of one with an association of its own: has that ended? Has an owner heard of it?
    over = false :: boolean(),
    told = false :: boolean(),
    %% What has come and nobody has got, oldest first.
    queue = [] :: [item()],
    receiver = none :: none | index()
}).
-record(assoc, {
    ends :: {index(), index()},
    up = true :: boolean(),
    %% The numbers of the next ordered messages, of each end on each stream.
    ssn = #{} :: #{{1 | 2, integer()} => non_neg_integer()}
}).
%% What comes to a socket. What comes for an association that waits to be accepted is with the
%% socket that listens, where nobody gets it.
-type item() ::
    {event, Assoc :: index(), From :: index(), tuple()}
    | {data, Assoc :: index(), From :: index(), #sctp_sndrcvinfo{}, name()}
    %% The error that a one-to-one socket is left with.
    | {errno, atom()}.
-record(model, {
    sockets = #{} :: #{index() => #socket{}},
    assocs = #{} :: #{index() => #assoc{}},
    mail = #{} :: #{{actor(), index()} => [term()]},
    receivers = #{} :: #{index() => index()},
    results = [] :: [{index(), term()}],
    %% In the last step: sockets that have got a batch which counts, and is all of it certain?
    batched = [] :: [index()],
    certain = true :: boolean()
}).
-opaque model() :: #model{}.

-spec new() -> model().
new() ->
    #model{}.

-spec actors() -> [actor()].
actors() ->
    [a, b, c].

%% @doc What the call answers, and the model after it.
-spec step(call(), model()) -> {Answer :: term(), model()}.
step(Call, Model) ->
    call(Call, Model#model{results = [], batched = [], certain = true}).

%% @doc Can only one thing come of the call? Where messages come one soon after the other, and where
%% they are more than is read at a time, batches are as large as it happens. In the mode `true' all
%% come nonetheless; but what would then be left of a count nobody can say. Nor can anybody see that
%% an association has ended which waits to be accepted.
-spec is_certain(call(), model()) -> boolean().
is_certain(Call, Model) ->
    {_, After} = step(Call, Model),
    After#model.certain andalso
        lists:all(fun(A) -> is_up(A, After) orelse not is_open(self_of(A, 2, Model), After) end,
                  [A || A <- associations(Model), is_waiting(A, Model)]).

%% Sockets.

call({open, Actor, N, Opts}, M) ->
    Type = {type, stream},
    Style = case lists:member(Type, Opts) of true -> stream; false -> many end,
    Socket = #socket{owner = Actor, style = Style, endpoint = N},
    {ok, M1} = set_options(N, lists:delete(Type, Opts), put_socket(N, Socket, M)),
    {ok, M1};
call({kill_receiver, T}, #model{receivers = Receivers} = M) ->
    N = maps:get(T, Receivers),
    {ok, put_socket(N, (socket(N, M))#socket{receiver = none},
                    M#model{receivers = maps:remove(T, Receivers)})};
call({kill, Actor}, M) ->
    Owned = [N || N <- open_sockets(M), owner(N, M) =:= Actor],
    Closed = lists:foldl(fun close/2, M, Owned),
    %% Who was associated with two of them hears first of the one that the VM comes to first.
    Hear = [N || A <- associations(M), is_up(A, M),
                 [N] <- [tuple_to_list(ends(A, M)) -- Owned]],
    {ok, Closed#model{mail = maps:filter(fun({Owner, _}, _) -> Owner =/= Actor end,
                                         Closed#model.mail),
                      certain = Closed#model.certain andalso Hear -- lists:usort(Hear) =:= []}};
call({hostile, _, N, Kind, _}, M) ->
    {gen_sctp_nif_hostile:answer(Kind, is_open(N, M)), M};
%% An actor looks into its mailbox.
call({take, Actor, N}, #model{mail = Mail} = M) ->
    {ok, M#model{mail = maps:remove({Actor, N}, Mail)}};
call({close, _, N}, M) ->
    {ok, case is_open(N, M) of true -> close(N, M); false -> M end};
call({Call, _, N, Arg}, M) when Call =:= setopts; Call =:= getopts ->
    case is_open(N, M) of
        true when Call =:= setopts -> set_options(N, Arg, M);
        true -> {options(Arg, socket(N, M)), M};
        false -> {{error, einval}, M}
    end;
call({recv_batch, _, N, Most}, M) ->
    recv_batch(N, Most, M);
%% There is room for all that is sent, however long anybody would wait for it.
call({send_batch, _, _, _, [], _}, M) ->
    {ok, M};
call({send_batch, Actor, N, A, [What | More] = All, Patience}, M) ->
    case call({send, Actor, N, A, What}, M) of
        {ok, M1} -> call({send_batch, Actor, N, A, More, Patience}, M1);
        {{error, Reason}, M1} -> {{error, {Reason, [{'$message', Unsent} || Unsent <- All]}}, M1}
    end;
call({sendv, Actor, N, A, What, _}, M) when A =/= all ->
    call({send, Actor, N, A, What}, M);
call({receiver, T, N}, #model{receivers = Receivers} = M) ->
    case recv(N, infinity, M) of
        {wait, M1} ->
            Socket = socket(N, M1),
            {ok, put_socket(N, Socket#socket{receiver = T},
                            M1#model{receivers = Receivers#{T => N}})};
        {Answer, M1} ->
            {ok, M1#model{results = [{T, Answer}]}}
    end;
call(Call, M) ->
    case is_open(element(3, Call), M) of
        true -> open_call(Call, socket(element(3, Call), M), M);
        false -> {{error, closed}, M}
    end.

open_call({listen, _, N, Value}, #socket{assoc = undefined} = Socket, M) ->
    %% The kernel has one port for all of them, and nobody listens on a port in use.
    Peeled = [P || P <- open_sockets(M), P =/= N, endpoint(P, M) =:= N],
    case Value =/= false andalso Value =/= 0 of
        true when not Socket#socket.listening, Peeled =/= [] -> {{error, eaddrinuse}, M};
        true -> {ok, listens(N, put_socket(N, Socket#socket{listening = true}, M))};
        false when Socket#socket.listening ->
            Left = put_socket(N, Socket#socket{listening = false}, M),
            {ok, Left#model{certain = waiting(N, M) =:= []}};
        false -> {{error, einval}, M}
    end;
open_call({listen, _, _, _}, _, M) ->
    {{error, einval}, M};
open_call({recv, _, N, Timeout}, _, M) ->
    recv(N, Timeout, M);
open_call({connect, _, From, To, How, A}, _, M) ->
    connect(From, To, How, A, M);
open_call({accept, _, _, _, _}, #socket{style = many}, M) ->
    {{error, enotsup}, M};
open_call({accept, _, _, _, _}, #socket{listening = false}, M) ->
    {{error, einval}, M};
open_call({accept, Actor, N, _, New}, Socket, M) ->
    case waiting(N, M) of
        [A | _] -> {ok, accept(Actor, N, Socket, A, New, M)};
        [] -> {{error, timeout}, M}
    end;
open_call({peeloff, Actor, N, A, New}, #socket{style = many} = Socket, M) ->
    case is_up(A, M) andalso end_of(N, A, M) of
        false -> {{error, einval}, M};
        none -> {{error, einval}, M};
        End -> {ok, peeloff(Actor, N, Socket, A, End, New, M)}
    end;
open_call({peeloff, _, _, _, _}, _, M) ->
    {{error, einval}, M};
open_call({give, _, _, Owner}, #socket{owner = Owner}, M) ->
    {ok, M};
open_call({give, Actor, N, To}, #socket{owner = Actor} = Socket, #model{mail = Mail} = M) ->
    Moved = maps:get({Actor, N}, Mail, []),
    Given = M#model{mail = maps:put({To, N}, Moved, maps:remove({Actor, N}, Mail))},
    {ok, put_socket(N, Socket#socket{owner = To}, Given)};
open_call({give, _, _, _}, _, M) ->
    {{error, not_owner}, M};
%% The kernel looks at nothing else before.
open_call({Send, _, _, _}, #socket{style = stream, listening = true}, M)
        when Send =:= eof; Send =:= abort ->
    {{error, epipe}, M};
open_call({Send, _, _, _}, #socket{style = stream}, M) when Send =:= eof; Send =:= abort ->
    {{error, einval}, M};
open_call({send, _, _, _, _}, #socket{style = stream, listening = true}, M) ->
    {{error, epipe}, M};
open_call({sendv, _, _, all, _, _}, #socket{style = Style}, M) when Style =/= many ->
    {{error, enotsup}, M};
open_call({sendv, _, _, all, #{size := 0}, _}, _, M) ->
    {{error, einval}, M};
open_call({sendv, _, N, all, #{stream := Stream} = What, _}, _, M) ->
    case [{A, End} || A <- associations(M), is_up(A, M), End <- [end_of(N, A, M)], End =/= none] of
        [] -> {{error, enotconn}, M};
        _ when Stream >= ?STREAMS -> {{error, einval}, M};
        All -> {ok, lists:foldl(fun({A, End}, Before) -> send(A, End, What, Before) end, M, All)}
    end;
%% Nothing of it is left, as unordered messages have no numbers; nor of what was there before.
open_call({overflow, _, N, A, _, Patience}, Socket, M) ->
    case may_overflow(N, A, Patience, Socket, M) of
        true ->
            Receiver = peer(A, end_of(N, A, M), M),
            #socket{queue = Queue} = Emptied = socket(Receiver, M),
            {{{error, timeout}, [received(Item, Emptied) || Item <- Queue]},
             put_socket(Receiver, Emptied#socket{queue = []}, M)};
        false ->
            {none, M#model{certain = false}}
    end;
open_call({shutdown, _, _, _}, #socket{style = many}, M) ->
    {{error, enotsup}, M};
open_call({shutdown, _, N, How}, #socket{assoc = A}, M) ->
    case is_connected(N, M) of
        true when How =:= write -> {ok, shutdown(A, end_of(N, A, M), M)};
        %% Which messages come after it is not modelled.
        true -> {ok, M#model{certain = false}};
        false -> {{error, enotconn}, M}
    end;
open_call({send, _, _, _, #{size := 0}}, _, M) ->
    {{error, einval}, M};
open_call({send, _, N, A, #{stream := Stream} = What}, _, M) ->
    case sending(N, A, M) of
        {up, _, _} when Stream >= ?STREAMS -> {{error, einval}, M};
        {up, Own, End} -> {ok, send(Own, End, What, M)};
        {down, Errno, M1} -> {{error, Errno}, M1}
    end;
open_call({eof, _, N, A}, _, M) ->
    case sending(N, A, M) of
        {up, Own, End} -> {ok, shutdown(Own, End, M)};
        {down, Errno, M1} -> {{error, Errno}, M1}
    end;
open_call({abort, _, N, A}, _, M) ->
    case sending(N, A, M) of
        {up, Own, End} -> {ok, abort(Own, End, econnaborted, M)};
        {down, Errno, M1} -> {{error, Errno}, M1}
    end.

%% The association that a socket sends to, and which end of it the socket is. A one-to-one socket
%% does not look at the id; the error that its association left comes once.
sending(N, A, M) ->
    #socket{style = Style, assoc = Only, queue = Queue, batch = Batch} = Socket = socket(N, M),
    Own = case Style of many -> A; _ -> Only end,
    case is_up(Own, M) andalso end_of(N, Own, M) of
        End when is_integer(End) ->
            {up, Own, End};
        _ ->
            case lists:keytake(errno, 1, Queue) of
                {value, {errno, Errno}, Rest} ->
                    %% The library may have taken it from the kernel, to fill a batch.
                    Certain = M#model.certain andalso Batch =:= 1,
                    {down, Errno, put_socket(N, Socket#socket{queue = Rest},
                                             M#model{certain = Certain})};
                false ->
                    {down, epipe, M}
            end
    end.

%% Nobody else must get what is sent; nor must the sender wait forever, or lose the association.
may_overflow(N, A, Patience, #socket{send_timeout = Time, send_timeout_close = Closes}, M) ->
    case sending(N, A, M) of
        {up, Own, End} ->
            #socket{open = Open, active = Active, receiver = T} = socket(peer(Own, End, M), M),
            Own =:= A andalso Open andalso not is_waiting(A, M) andalso
                {Active, T} =:= {false, none} andalso
                (Patience =/= option orelse Time =/= infinity andalso not Closes);
        _ ->
            false
    end.

%% Associations.

%% A peer that the socket, or one peeled off from it, is associated with already; one that listens;
%% one that does not.
connect(From, To, How, A, M) ->
    case [B || B <- associations(M), is_up(B, M), same_endpoints(B, From, To, M)] of
        [B | _] ->
            {X, Y} = ends(B, M),
            case X =:= From orelse Y =:= From of
                true -> {{error, eisconn}, M};
                false -> {{error, eaddrnotavail}, M}
            end;
        [] ->
            %% A peeled-off or accepted socket has its port in common with one that may listen.
            Server = endpoint(To, M),
            #socket{open = Open, listening = Listening} = socket(Server, M),
            Up = Open andalso Listening,
            Room = length(waiting(Server, M)) < ?BACKLOG,
            M1 = put_assoc(A, #assoc{ends = {From, Server}, up = Up}, M#model{certain = Room}),
            M2 = case Up of
                     true -> event(A, 2, up(A, 2), M1);
                     false -> M1
                 end,
            %% Of an association that never was only connectx_init tells the id.
            Id = case How of initx -> {'$id', A, 1}; _ -> '_' end,
            Outcome = case Up of
                          true -> up(A, 1);
                          false -> #sctp_assoc_change{state = cant_assoc, assoc_id = Id}
                      end,
            case How of
                wait -> {{connected(Up), Outcome}, consumed_by_connect(From, M2)};
                init -> {ok, event(A, 1, Outcome, M2)};
                initx -> {{ok, {'$id', A, 1}}, event(A, 1, Outcome, M2)}
            end
    end.

connected(true) -> ok;
connected(false) -> error.

same_endpoints(A, From, To, M) ->
    {X, Y} = ends(A, M),
    lists:sort([endpoint(X, M), endpoint(Y, M)]) =:=
        lists:sort([endpoint(From, M), endpoint(To, M)]).

up(A, End) ->
    #sctp_assoc_change{state = comm_up, outbound_streams = ?STREAMS, inbound_streams = ?STREAMS,
                       assoc_id = {'$id', A, End}}.

send(A, End, What, #model{assocs = Assocs} = M) ->
    #{stream := Stream, order := Order, ppid := Ppid, size := Size, seq := Seq, as := As} = What,
    #assoc{ssn = Numbers} = Assoc = maps:get(A, Assocs),
    %% send/4 has no place for more.
    Unordered = As =/= stream andalso Order =:= unordered,
    Ssn = case Unordered of
              true -> 0;
              false -> maps:get({End, Stream}, Numbers, 0)
          end,
    Next = case Unordered of
               true -> Numbers;
               false -> Numbers#{{End, Stream} => (Ssn + 1) rem 65536}
           end,
    %% The last number is 0 in ordered messages, see gen_sctp_nif_world:same/2.
    Info = #sctp_sndrcvinfo{stream = Stream, ssn = Ssn, flags = [unordered || Unordered],
                            ppid = case As of stream -> 0; _ -> Ppid end,
                            context = 0, timetolive = 0, tsn = '_',
                            cumtsn = case Unordered of true -> tsn; false -> 0 end,
                            assoc_id = {'$id', A, 3 - End}},
    Sent = M#model{assocs = Assocs#{A := Assoc#assoc{ssn = Next}}},
    arrive(peer(A, End, M), [{data, A, self_of(A, End, M), Info, {'$data', Seq, Size}}], Sent).

shutdown(A, End, M) ->
    M1 = down(A, M),
    M2 = event(A, 3 - End, #sctp_shutdown_event{assoc_id = {'$id', A, 3 - End}}, M1),
    M3 = event(A, 3 - End, ended(shutdown_comp, 0, A, 3 - End), M2),
    event(A, End, ended(shutdown_comp, 0, A, End), M3).

%% Errno: what a one-to-one socket at this end is left with.
abort(A, End, Errno, M) ->
    lost(A, 3 - End, econnreset, lost(A, End, Errno, down(A, M))).

lost(A, End, Errno, M) ->
    N = self_of(A, End, M),
    Event = {event, A, peer(A, End, M), ended(comm_lost, ?USER_ABORT, A, End)},
    arrive(N, [Event | [{errno, Errno} || is_single(N, M)]], M).

ended(State, Error, A, End) ->
    #sctp_assoc_change{state = State, error = Error, assoc_id = {'$id', A, End}}.

peeloff(Actor, N, Socket, A, End, New, M) ->
    Peeled = Socket#socket{owner = Actor, style = peeled, assoc = A},
    split_off(N, Socket, A, End, New, Peeled, M).

accept(Actor, N, #socket{end_of_stream = Told} = Socket, A, New, M) ->
    Accepted = Socket#socket{owner = Actor, assoc = A,
                             end_of_stream = case Told of undefined -> closed; _ -> Told end},
    split_off(N, Socket, A, 2, New, Accepted, M).

%% An association gets a socket of its own, with what has come of it.
split_off(N, Socket, A, End, New, Split, M) ->
    IsOf = fun(Item) -> not is_errno(Item) andalso element(2, Item) =:= A end,
    {Moved, Kept} = lists:partition(IsOf, Socket#socket.queue),
    #assoc{ends = Ends} = Assoc = maps:get(A, M#model.assocs),
    M1 = put_socket(New, Split#socket{listening = false, queue = Moved, receiver = none}, M),
    M2 = put_socket(N, Socket#socket{queue = Kept}, M1),
    flush(New, put_assoc(A, Assoc#assoc{ends = setelement(End, Ends, New)}, M2)).

%% Where associations are accepted there is nothing to receive.
listens(N, M) ->
    case socket(N, M) of
        #socket{style = stream, receiver = T} = Socket when T =/= none ->
            result(T, {error, enotconn}, put_socket(N, Socket#socket{receiver = none}, M));
        _ ->
            M
    end.

%% The end of a socket, by its user's or its owner's will. The kernel aborts where data is unread.
close(N, M) ->
    Socket = socket(N, M),
    Unread = unread(N, M) > 0,
    M1 = put_socket(N, Socket#socket{open = false, queue = [], receiver = none}, M),
    M2 = case Socket#socket.receiver of
             none -> M1;
             T -> result(T, {error, closed}, M1)
         end,
    lists:foldl(fun({A, End}, Before) ->
                        case Unread of
                            true -> abort(A, End, closed, Before);
                            false -> shutdown(A, End, Before)
                        end
                end,
                M2,
                [{A, End} || A <- associations(M), is_up(A, M), End <- [end_of(N, A, M)],
                             End =/= none]).

%% What comes to a socket, and where it goes.

event(A, End, Event, M) ->
    arrive(self_of(A, End, M), [{event, A, peer(A, End, M), Event}], M).

%% All at once: the end of a stream comes after the error that goes with it.
arrive(N, Items, M) ->
    #socket{open = Open, queue = Queue, over = Over} = Socket = socket(N, M),
    case [Item || Open, Item <- Items, is_wanted(Item, Socket)] of
        [] ->
            M;
        Wanted ->
            Ends = is_single(N, M) andalso lists:any(fun is_end/1, Wanted),
            Now = Socket#socket{queue = Queue ++ Wanted, over = Over orelse Ends},
            Came = put_socket(N, Now, M),
            Late = lists:member(N, M#model.batched) andalso not lists:all(fun is_errno/1, Wanted),
            flush(N, case Late of
                         true -> Came#model{certain = false};
                         false -> Came
                     end)
    end.

is_wanted({event, _, _, #sctp_shutdown_event{}}, #socket{shutdown_event = Wanted}) -> Wanted;
is_wanted(_, _) -> true.

is_end({event, _, _, #sctp_assoc_change{state = State}}) -> State =/= comm_up;
is_end(_) -> false.

%% To the owner, or to the receiver that waits.
flush(N, M) ->
    case socket(N, M) of
        #socket{style = stream, listening = true} ->
            M;
        #socket{active = false, receiver = none} ->
            M;
        #socket{queue = []} = Socket ->
            flush_end(N, Socket, M);
        #socket{active = false, receiver = T, queue = [Item | Rest]} = Socket ->
            Freed = put_socket(N, Socket#socket{queue = Rest, receiver = none}, M),
            result(T, received(Item, Socket), Freed);
        #socket{queue = [{errno, Errno} | Rest]} = Socket ->
            Left = put_socket(N, Socket#socket{queue = Rest}, M),
            flush(N, mail(N, {sctp_error, {'$socket', N}, Errno}, Left));
        #socket{queue = [Item | Rest], batch = 1} = Socket ->
            {IP, Port, Anc, Body} = content(Item, Socket),
            Left = put_socket(N, Socket#socket{queue = Rest}, M),
            flush(N, consume(N, mail(N, {sctp, {'$socket', N}, IP, Port, {Anc, Body}}, Left)));
        #socket{queue = Queue, batch = Most} = Socket ->
            {Batch, Rest} = split_batch(Most, Queue),
            Left = put_socket(N, Socket#socket{queue = Rest}, note_batch(N, M)),
            Contents = [content(Item, Socket) || Item <- Batch],
            flush(N, consume(N, mail(N, {sctp_batch, {'$socket', N}, Contents}, Left)))
    end.

%% The owner hears of the end once.
flush_end(N, #socket{active = Active, receiver = T, told = Told} = Socket, M) ->
    case has_ended(Socket) of
        true when Active =:= false ->
            result(T, {error, closed}, put_socket(N, Socket#socket{receiver = none}, M));
        true when not Told ->
            mail(N, {sctp_closed, {'$socket', N}}, put_socket(N, Socket#socket{told = true}, M));
        _ ->
            M
    end.

has_ended(#socket{over = Over, end_of_stream = Told}) -> Over andalso Told =:= closed.

%% An error of the socket is in no batch.
split_batch(Most, Queue) ->
    Before = lists:takewhile(fun(Item) -> not is_errno(Item) end, Queue),
    lists:split(min(Most, length(Before)), Queue).

note_batch(N, #model{batched = Batched, certain = Certain} = M) ->
    case socket(N, M) of
        #socket{active = true} ->
            M;
        #socket{queue = Queue} ->
            Fits = length(Queue) =< ?FEW andalso unread(N, M) =< ?SMALL,
            M#model{batched = [N | Batched], certain = Certain andalso Fits}
    end.

consume(N, M) ->
    Socket = socket(N, M),
    case Socket#socket.active of
        once -> put_socket(N, Socket#socket{active = false}, M);
        1 -> announce(N, put_socket(N, Socket#socket{active = false}, M));
        Count when is_integer(Count) -> put_socket(N, Socket#socket{active = Count - 1}, M);
        _ -> M
    end.

%% The owner is still owed the one message.
consumed_by_connect(N, M) ->
    case (socket(N, M))#socket.active of
        once -> M;
        _ -> consume(N, M)
    end.

announce(N, M) ->
    mail(N, {sctp_passive, {'$socket', N}}, M).

mail(N, Message, #model{mail = Mail} = M) ->
    Key = {owner(N, M), N},
    M#model{mail = Mail#{Key => maps:get(Key, Mail, []) ++ [Message]}}.

result(T, Answer, #model{receivers = Receivers, results = Results} = M) ->
    M#model{receivers = maps:remove(T, Receivers), results = Results ++ [{T, Answer}]}.

recv(N, Timeout, M) ->
    case socket(N, M) of
        #socket{open = false} -> {{error, closed}, M};
        #socket{active = Active} when Active =/= false -> {{error, einval}, M};
        #socket{receiver = T} when T =/= none -> {{error, ealready}, M};
        #socket{style = stream, listening = true} -> {{error, enotconn}, M};
        #socket{queue = []} = Socket ->
            case has_ended(Socket) of
                true -> {{error, closed}, M};
                false when Timeout =:= infinity -> {wait, M};
                false -> {{error, timeout}, M}
            end;
        #socket{queue = [Item | Rest]} = Socket ->
            {received(Item, Socket), put_socket(N, Socket#socket{queue = Rest}, M)}
    end.

%% As many as there are; what ends the list is why there are no more.
recv_batch(_, 0, M) ->
    {[full], M};
recv_batch(N, Most, M) ->
    case recv(N, 0, M) of
        {{ok, Message}, M1} ->
            {Messages, M2} = recv_batch(N, Most - 1, M1),
            {[Message | Messages], M2};
        {Error, M1} ->
            {[Error], M1}
    end.

received({errno, Errno}, _) ->
    {error, Errno};
received(Item, Socket) ->
    {ok, content(Item, Socket)}.

content({event, _, From, Event}, _) ->
    {'$ip', {'$port', From}, [], Event};
content({data, _, From, Info, Data}, #socket{list = List} = Socket) ->
    Body = case List of true -> {'$list', Data}; false -> Data end,
    {'$ip', {'$port', From}, infos(Info, Socket), Body}.

infos(Info, #socket{rcvinfo = true}) ->
    #sctp_sndrcvinfo{stream = Stream, ssn = Ssn, flags = Flags, ppid = Ppid, context = Context,
                     tsn = Tsn, cumtsn = CumTsn, assoc_id = Id} = Info,
    [#sctp_rcvinfo{sid = Stream, ssn = Ssn, flags = Flags, ppid = Ppid, context = Context,
                   tsn = Tsn, cumtsn = CumTsn, assoc_id = Id}];
infos(Info, #socket{data_io = DataIo}) ->
    [Info || DataIo].

is_errno(Item) -> element(1, Item) =:= errno.

%% Options.

%% All are checked, then set from the last to the first, until one is refused.
set_options(N, Opts, M) ->
    case lists:all(fun is_option/1, Opts) of
        true ->
            {Answer, Set} = set_each(lists:reverse(Opts), N, M),
            {Answer, flush(N, Set)};
        false ->
            {{error, einval}, M}
    end.

is_option({active, N}) when is_integer(N) -> N >= -32768 andalso N =< 32767;
is_option({active, Active}) -> lists:member(Active, [true, false, once]);
is_option({mode, Mode}) -> is_option(Mode);
is_option({buffer, N}) -> is_integer(N);
is_option({batch, N}) -> is_integer(N) andalso N >= 1 andalso N =< 64;
is_option({send_timeout, infinity}) -> true;
is_option({send_timeout, N}) -> is_integer(N) andalso N >= 0 andalso N < 16#ffffffff;
is_option({send_timeout_close, Closes}) -> is_boolean(Closes);
is_option({end_of_stream, Told}) -> Told =:= wait orelse Told =:= closed;
is_option({sctp_recvrcvinfo, On}) -> is_boolean(On);
is_option({sctp_events, #sctp_event_subscribe{}}) -> true;
is_option(Mode) -> Mode =:= list orelse Mode =:= binary.

set_each([Opt | Opts], N, M) ->
    case set(Opt, N, socket(N, M), M) of
        #model{} = Set -> set_each(Opts, N, Set);
        refused -> {{error, einval}, M}
    end;
set_each([], _, M) ->
    {ok, M}.

set({active, Step}, N, #socket{active = Active} = Socket, M) when is_integer(Step) ->
    Left = case is_integer(Active) of true -> Active; false -> 0 end,
    case Left + Step of
        Sum when Sum > 32767 -> refused;
        Sum when Sum =< 0 -> announce(N, put_socket(N, Socket#socket{active = false}, M));
        Sum -> put_socket(N, Socket#socket{active = Sum}, M)
    end;
set({active, Active}, N, Socket, M) ->
    put_socket(N, Socket#socket{active = Active}, M);
set({mode, Mode}, N, Socket, M) ->
    put_socket(N, Socket#socket{list = Mode =:= list}, M);
set({buffer, Size}, N, Socket, M) ->
    put_socket(N, Socket#socket{buffer = max(Size, 1)}, M);
set({batch, Most}, N, Socket, M) ->
    put_socket(N, Socket#socket{batch = Most}, M);
set({send_timeout, Time}, N, Socket, M) ->
    put_socket(N, Socket#socket{send_timeout = Time}, M);
set({send_timeout_close, Closes}, N, Socket, M) ->
    put_socket(N, Socket#socket{send_timeout_close = Closes}, M);
%% One-to-many sockets have no end.
set({end_of_stream, closed}, _, #socket{style = many}, _) ->
    refused;
set({end_of_stream, wait}, _, #socket{style = many}, M) ->
    M;
set({end_of_stream, Told}, N, Socket, M) ->
    put_socket(N, Socket#socket{end_of_stream = Told}, M);
%% What has come may have been read before, or not.
set({sctp_recvrcvinfo, On}, N, Socket, #model{certain = Certain} = M) ->
    Set = put_socket(N, Socket#socket{rcvinfo = On}, M),
    Set#model{certain = Certain andalso unread(N, M) =:= 0};
set({sctp_events, Events}, N, Socket, M) ->
    #sctp_event_subscribe{data_io_event = DataIo, shutdown_event = Shutdown} = Events,
    put_socket(N, Socket#socket{data_io = DataIo =/= false, shutdown_event = Shutdown =/= false},
               M);
set(Mode, N, Socket, M) ->
    put_socket(N, Socket#socket{list = Mode =:= list}, M).

options(Names, Socket) ->
    case lists:all(fun(Name) -> lists:member(Name, option_names()) end, Names) of
        true -> {ok, [option(Name, Socket) || Name <- Names]};
        false -> {error, einval}
    end.

option(active, #socket{active = Active}) -> {active, Active};
option(mode, #socket{list = true}) -> {mode, list};
option(mode, #socket{}) -> {mode, binary};
option(buffer, #socket{buffer = Size}) -> {buffer, Size};
option(batch, #socket{batch = Most}) -> {batch, Most};
option(send_timeout, #socket{send_timeout = Time}) -> {send_timeout, Time};
option(send_timeout_close, #socket{send_timeout_close = Closes}) -> {send_timeout_close, Closes};
option(end_of_stream, #socket{end_of_stream = closed}) -> {end_of_stream, closed};
option(end_of_stream, #socket{}) -> {end_of_stream, wait};
option(sctp_recvrcvinfo, #socket{rcvinfo = On}) -> {sctp_recvrcvinfo, On}.

%% What others ask.

-spec sockets(model()) -> [index()].
sockets(M) -> lists:sort(maps:keys(M#model.sockets)).

-spec open_sockets(model()) -> [index()].
open_sockets(M) -> [N || N <- sockets(M), is_open(N, M)].

-spec owner(index(), model()) -> actor().
owner(N, M) -> (socket(N, M))#socket.owner.

-spec active(index(), model()) -> term().
active(N, M) -> (socket(N, M))#socket.active.

-spec option_names() -> [atom()].
option_names() ->
    [active, mode, buffer, batch, send_timeout, send_timeout_close, end_of_stream,
     sctp_recvrcvinfo].

%% @doc What `inet:getopts' gives, of all of these.
-spec user_options(index(), model()) -> {ok, [{atom(), term()}]}.
user_options(N, M) -> options(option_names(), socket(N, M)).

-spec is_open(index(), model()) -> boolean().
is_open(N, M) -> (socket(N, M))#socket.open.

-spec style(index(), model()) -> style().
style(N, M) -> (socket(N, M))#socket.style.

%% @doc One that may listen for associations that are accepted.
-spec is_acceptor(index(), model()) -> boolean().
is_acceptor(N, M) -> style(N, M) =:= stream andalso not is_single(N, M).

-spec is_listening(index(), model()) -> boolean().
is_listening(N, M) -> (socket(N, M))#socket.listening.

%% @doc Associations that wait to be accepted there, the first one first.
-spec waiting(index(), model()) -> [index()].
waiting(N, M) -> [A || A <- associations(M), is_waiting(A, M), self_of(A, 2, M) =:= N].

%% @doc Has it, or had it, an association of its own?
-spec is_single(index(), model()) -> boolean().
is_single(N, M) -> (socket(N, M))#socket.assoc =/= undefined.

%% @doc Is that up?
-spec is_connected(index(), model()) -> boolean().
is_connected(N, M) -> is_single(N, M) andalso is_up((socket(N, M))#socket.assoc, M).

%% @doc Bytes of data in the socket.
-spec unread(index(), model()) -> non_neg_integer().
unread(N, M) ->
    lists:sum([Size || {data, _, _, _, {'$data', _, Size}} <- (socket(N, M))#socket.queue]).

%% @doc Those that wait, and on which socket.
-spec receivers(model()) -> [{index(), index()}].
receivers(M) -> maps:to_list(M#model.receivers).

%% @doc Those that have got an answer by the last step.
-spec results(model()) -> [{index(), term()}].
results(M) -> M#model.results.

-spec associations(model()) -> [index()].
associations(M) -> lists:sort(maps:keys(M#model.assocs)).

-spec ends(index(), model()) -> {index(), index()}.
ends(A, M) -> (maps:get(A, M#model.assocs))#assoc.ends.

-spec is_up(index(), model()) -> boolean().
is_up(A, #model{assocs = Assocs}) ->
    case Assocs of
        #{A := #assoc{up = Up}} -> Up;
        #{} -> false
    end.

-spec endpoint(index(), model()) -> index().
endpoint(N, M) -> (socket(N, M))#socket.endpoint.

%% @doc What an actor has got from a socket and not taken.
-spec mailbox(actor(), index(), model()) -> [term()].
mailbox(Actor, N, M) -> maps:get({Actor, N}, M#model.mail, []).

%% Helpers.

socket(N, M) -> maps:get(N, M#model.sockets).

put_socket(N, Socket, #model{sockets = Sockets} = M) ->
    M#model{sockets = Sockets#{N => Socket}}.

put_assoc(A, Assoc, #model{assocs = Assocs} = M) ->
    M#model{assocs = Assocs#{A => Assoc}}.

is_waiting(A, M) -> is_up(A, M) andalso is_acceptor(self_of(A, 2, M), M).

down(A, #model{assocs = Assocs} = M) ->
    put_assoc(A, (maps:get(A, Assocs))#assoc{up = false}, M).

self_of(A, End, M) -> element(End, ends(A, M)).

peer(A, End, M) -> self_of(A, 3 - End, M).

end_of(N, A, M) ->
    case ends(A, M) of
        {N, _} -> 1;
        {_, N} -> 2;
        _ -> none
    end.
