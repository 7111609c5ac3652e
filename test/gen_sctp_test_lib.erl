%% @doc Helpers of the test suites.
%%
%% A suite runs the same cases in the groups `stock' (OTP's gen_sctp, the oracle that shows that
%% the case itself is right) and `nif' (ours), each for `inet' and `inet6'. Sockets and helper
%% processes made through this module are known to it: `end_case/1' closes them and then fails
%% the case if a message is left in the mailbox or a descriptor, socket or waiter has leaked.
-module(gen_sctp_test_lib).

-include("gen_sctp_nif.hrl").

%% Frame of a suite.
-export([matrix/2]).
-export([init_group/2]).
-export([begin_case/1]).
-export([end_case/1]).
-export([end_case/2]).
-export([otp/0]).

%% Sockets.
-export([mod/1]).
-export([family/1]).
-export([loopback/1]).
-export([address/3]).
-export([unanswered/1]).
-export([open/2]).
-export([adopt/1]).
-export([listener/2]).
-export([pair/1]).
-export([pair/3]).
-export([join/4]).
-export([told_again/0]).
-export([thrown_away/0]).
-export([port/1]).

%% Messages.
-export([recv/2]).
-export([data/2]).
-export([event/2]).
-export([next/1]).
-export([queued/2]).
-export([all_arrived/2]).
-export([exchange/1]).
-export([silent/1]).
-export([no_message/0]).
-export([mailbox/0]).
-export([pattern/1]).

%% Processes and waiting.
-export([async/1]).
-export([await/1]).
-export([kill/1]).
-export([helper/0]).
-export([call/2]).
-export([until/1]).
-export([until_blocked/1]).
-export([until_full/1]).
-export([spin/1]).
-export([sockets/1]).
-export([socket_fds/0]).
-export([counter/1]).
-export([io_threads/0]).
-export([io_times/0]).

%% Options.
-export([get/2]).
-export([set/3]).
-export([av/2]).
-export([given_up/2]).

-export_type([task/0, pair/0]).

-type config() :: [{atom(), term()}].
-type task() :: {task, pid(), reference()}.
-type socket() :: term().
%% Two connected sockets: server, client, their ports, association ids and comm_up events.
-type pair() :: #{m := module(), s := socket(), c := socket(), sport := inet:port_number(),
                  cport := inet:port_number(), sid := integer(), cid := integer(),
                  sup := #sctp_assoc_change{}, cup := #sctp_assoc_change{},
                  ip := inet:ip_address()}.

%% Long enough for a machine that emulates the guest's processor while others compile.
-define(TIMEOUT, 10000).

%% What marks the process of a task, in its dictionary.
-define(TASK, {?MODULE, task}).
-define(POLL, 5).

%% Frame of a suite.

%% @doc Groups `stock' and `nif', the latter with both families. The oracle leaves out the cases
%% of the second argument: behaviour that only we have.
-spec matrix([atom()], [atom()]) -> [tuple()].
matrix(Common, NifOnly) ->
    Ours = Common ++ NifOnly,
    [{stock, [], [{inet, [], Common}]}, {nif, [], [{inet, [], Ours}, {inet6, [], Ours}]}].

-spec init_group(atom(), config()) -> config().
init_group(stock, Config) -> [{module, gen_sctp} | Config];
init_group(nif, Config) -> [{module, gen_sctp_nif} | Config];
init_group(inet, Config) -> [{family, inet} | Config];
init_group(inet6, Config) -> [{family, inet6} | Config].

-spec begin_case(config()) -> config().
begin_case(Config) ->
    put(?MODULE, {[], []}),
    [{baseline, resources(Config)} | Config].

%% @doc To be returned from end_per_testcase: `{fail, _}' when the case has left something behind.
-spec end_case(config()) -> ok | {fail, term()}.
end_case(Config) -> end_case(fun() -> ok end, Config).

%% @doc The same after a clean-up. What it does wrong fails the case as well: a crash of
%% end_per_testcase would be a warning of Common Test's and no more.
-spec end_case(fun(() -> ok | {fail, term()}), config()) -> ok | {fail, term()}.
end_case(CleanUp, Config) ->
    Failed = [Status || {tc_status, {failed, _} = Status} <- Config],
    case problems(CleanUp) ++ problems(fun() -> end_sockets(Failed, Config) end) of
        [] -> ok;
        %% What is left of a case that failed must not hide why it failed.
        Problems -> {fail, Failed ++ Problems}
    end.

problems(Fun) ->
    try Fun() of
        ok -> [];
        {fail, Problem} -> [Problem]
    catch
        Class:Reason:Stack -> [{Class, Reason, Stack}]
    end.

end_sockets(Failed, Config) ->
    case erase(?MODULE) of
        {Sockets, Helpers} -> end_sockets(Sockets, Helpers, Failed, Config);
        %% After a time limit this is another process; its sockets have gone with the case's.
        undefined when Failed =/= [] -> ok
    end.

end_sockets(Sockets, Helpers, Failed, Config) ->
    M = mod(Config),
    %% Its tasks are about to wait forever for what did not happen.
    _ = [kill(Task) || Failed =/= [], Task <- tasks()],
    _ = [inet:setopts(S, [{active, false}]) || S <- Sockets],
    Strays = mailbox(),
    lists:foreach(fun kill/1, Helpers),
    _ = [M:close(S) || S <- Sockets],
    Baseline = proplists:get_value(baseline, Config),
    Leaks = case leaked(M, Baseline, deadline()) of
                [] -> [];
                Leaked -> [{leaked, Leaked, open_sockets(M)}]
            end,
    case [{left_in_mailbox, Strays} || Strays =/= []] ++ Leaks ++
         [{came_after_close, Late} || Late <- [mailbox()], Late =/= []] of
        [] -> ok;
        Problems -> {fail, Problems}
    end.

%% Those of this process that have not ended.
tasks() ->
    {monitors, Monitors} = process_info(self(), monitors),
    [Pid || {process, Pid} <- Monitors, is_pid(Pid), node(Pid) =:= node(), is_task(Pid)].

is_task(Pid) ->
    case process_info(Pid, dictionary) of
        {dictionary, Dictionary} -> lists:member({?TASK, true}, Dictionary);
        undefined -> false
    end.

leaked(M, Baseline, Deadline) ->
    %% Terms of closed sockets may lie on our heap still, and the descriptor of a closed port is
    %% given back a moment after close/1.
    erlang:garbage_collect(),
    Now = resources([{module, M}]),
    case [{Key, {was, maps:get(Key, Baseline)}, {is, Value}}
          || {Key, Value} <- maps:to_list(Now), Value =/= maps:get(Key, Baseline)] of
        [] -> [];
        Different ->
            case erlang:monotonic_time(millisecond) > Deadline of
                true -> Different;
                false -> pause(), leaked(M, Baseline, Deadline)
            end
    end.

%% What is still open, to find out whose it is.
open_sockets(gen_sctp_nif) -> [{S, gen_sctp_nif:info(S)} || S <- sockets(gen_sctp_nif)];
open_sockets(gen_sctp) -> sockets(gen_sctp).

resources(Config) ->
    M = mod(Config),
    #{fds => socket_fds(), sockets => length(sockets(M)), waiters => waiters(M)}.

waiters(gen_sctp_nif) ->
    maps:with([receivers, writers, connects, acceptors], gen_sctp_nif_prim:counters());
waiters(gen_sctp) ->
    #{}.

%% @doc The release that the suites run on: stock gen_sctp differs between them.
-spec otp() -> pos_integer().
otp() ->
    list_to_integer(erlang:system_info(otp_release)).

%% Sockets.

-spec mod(config()) -> module().
mod(Config) ->
    proplists:get_value(module, Config).

-spec family(config()) -> inet | inet6.
family(Config) ->
    proplists:get_value(family, Config).

-spec loopback(config() | inet | inet6) -> inet:ip_address().
loopback(inet) -> {127, 0, 0, 1};
loopback(inet6) -> {0, 0, 0, 0, 0, 0, 0, 1};
loopback(Config) -> loopback(family(Config)).

%% @doc A socket address map.
-spec address(inet | inet6, inet:ip_address() | any | loopback, inet:port_number()) -> map().
address(inet, IP, Port) ->
    #{family => inet, addr => IP, port => Port};
address(inet6, IP, Port) ->
    #{family => inet6, addr => IP, port => Port, flowinfo => 0, scope_id => 0}.

%% @doc An address that nobody answers for: the test machine's dummy interface swallows what is
%% sent there; elsewhere an address reserved for documentation (RFC 5737, RFC 3849).
-spec unanswered(inet | inet6) -> inet:ip_address().
unanswered(Family) ->
    {ok, Interfaces} = inet:getifaddrs(),
    Dummy = proplists:get_value("dummy0", Interfaces, []),
    Size = size(loopback(Family)),
    case {Family, [A || {addr, A} <- Dummy, size(A) =:= Size, element(1, A) =/= 16#fe80]} of
        {_, [Address | _]} -> setelement(Size, Address, 77);
        {inet, []} -> {192, 0, 2, 77};
        {inet6, []} -> {16#2001, 16#db8, 0, 0, 0, 0, 0, 77}
    end.

%% @doc Opens a socket on the loopback address only, so that no event about a further address of
%% the machine comes in between, with buffers that do not depend on the release's defaults, and
%% without waiting for acknowledgements before the next small message.
-spec open(config(), [term()]) -> socket().
open(Config, Opts) ->
    M = mod(Config),
    {ok, S} = M:open([family(Config), {ip, loopback}, {recbuf, 262144}, {sndbuf, 262144},
                      {sctp_nodelay, true} | Opts]),
    adopt(S).

%% @doc Has `end_case/1' close this socket.
-spec adopt(socket()) -> socket().
adopt(S) ->
    case get(?MODULE) of
        {Sockets, Helpers} -> put(?MODULE, {[S | Sockets], Helpers});
        undefined -> ok
    end,
    S.

-spec listener(config(), [term()]) -> socket().
listener(Config, Opts) ->
    S = open(Config, Opts),
    ok = (mod(Config)):listen(S, true),
    S.

-spec port(socket()) -> inet:port_number().
port(S) ->
    {ok, Port} = inet:port(S),
    Port.

%% @doc A listening socket and one connected to it; both comm_up events are taken.
-spec pair(config()) -> pair().
pair(Config) ->
    pair(Config, [], []).

-spec pair(config(), [term()], [term()]) -> pair().
pair(Config, ServerOpts, ClientOpts) ->
    S = listener(Config, ServerOpts),
    C = open(Config, ClientOpts),
    join(mod(Config), loopback(Config), S, C).

%% @doc Connects a passive client to a passive listening server.
-spec join(module(), inet:ip_address(), socket(), socket()) -> pair().
join(M, IP, S, C) ->
    SPort = port(S),
    CPort = port(C),
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = CId} = CUp} =
        M:connect(C, IP, SPort, [], ?TIMEOUT),
    {ok, {IP, CPort, [], #sctp_assoc_change{state = comm_up, assoc_id = SId} = SUp}} = recv(M, S),
    #{m => M, s => S, c => C, sport => SPort, cport => CPort, sid => SId, cid => CId,
      sup => SUp, cup => CUp, ip => IP}.

%% @doc Options of a receiver that hears of its association's end even if the ABORT is lost. The
%% kernel throws a packet away that comes while somebody reads from a full socket
%% (`thrown_away/0'), and an ABORT is not sent twice; but a heartbeat to a peer that has no such
%% association any more is answered with another, which gives no reason.
-spec told_again() -> [term()].
told_again() ->
    [{sctp_rtoinfo, #sctp_rtoinfo{initial = 200, max = 300, min = 200}},
     {sctp_associnfo, #sctp_assocparams{asocmaxrxt = 200}},
     {sctp_peer_addr_params, #sctp_paddrparams{hbinterval = 100, pathmaxrxt = 200,
                                               flags = [hb_enable]}}].

%% @doc How many packets this machine's kernel has thrown away.
-spec thrown_away() -> non_neg_integer().
thrown_away() ->
    {ok, Counters} = file:read_file("/proc/net/sctp/snmp"),
    {match, [Number]} = re:run(Counters, "SctpInPktDiscards\\s+(\\d+)",
                               [{capture, all_but_first, binary}]),
    binary_to_integer(Number).

%% Messages.

-spec recv(module(), socket()) -> {ok, tuple()} | {error, term()}.
recv(M, S) ->
    M:recv(S, ?TIMEOUT).

%% @doc Next message, which must be data: what came and the facts with it.
-spec data(module(), socket()) -> {#sctp_sndrcvinfo{}, binary() | string()}.
data(M, S) ->
    case recv(M, S) of
        {ok, {_, _, [#sctp_sndrcvinfo{} = Info], Data}} when is_binary(Data); is_list(Data) ->
            {Info, Data};
        Other ->
            error({no_data, Other})
    end.

%% @doc Next message, which must be an event.
-spec event(module(), socket()) -> tuple().
event(M, S) ->
    case recv(M, S) of
        {ok, {_, _, [], Event}} when is_tuple(Event) -> Event;
        {error, {_, [], Event}} when is_tuple(Event) -> {error, Event};
        Other -> error({no_event, Other})
    end.

%% @doc Next message of an active socket.
-spec next(socket()) -> term().
next(S) ->
    receive
        {sctp, S, _, _, {_, Content}} -> Content;
        {sctp_error, S, _, _, {_, Event}} -> {error, Event};
        {sctp_error, S, Reason} -> {error, Reason};
        {sctp_passive, S} -> passive
    after ?TIMEOUT ->
        error({nothing_from, S, mailbox()})
    end.

%% @doc Waits for messages of a socket and leaves them in the mailbox, as the last ones there.
%% (Looking at the queue's length instead, again and again, can keep OTP 25's driver from reading
%% for seconds.)
-spec queued(socket(), pos_integer()) -> ok.
queued(S, Number) ->
    Messages = [receive
                    Message when element(2, Message) =:= S -> Message
                after ?TIMEOUT ->
                    error({nothing_from, S, mailbox()})
                end || _ <- lists:seq(1, Number)],
    lists:foreach(fun(Message) -> self() ! Message end, Messages).

%% @doc Waits until the peer's kernel has taken all that was sent on this association.
-spec all_arrived(socket(), integer()) -> ok.
all_arrived(S, Id) ->
    until(fun() ->
        {ok, [{sctp_status, #sctp_status{unackdata = Unacknowledged, penddata = Pending}}]} =
            inet:getopts(S, [{sctp_status, #sctp_status{assoc_id = Id}}]),
        {Unacknowledged, Pending} =:= {0, 0}
    end).

%% @doc Messages go both ways, one to a process that waits, one to an active socket: the library's
%% threads work.
-spec exchange(pair()) -> ok.
exchange(#{m := M, s := S, c := C, sid := SId, cid := CId}) ->
    Receiver = async(fun() -> M:recv(C) end),
    until_blocked(Receiver),
    ok = M:send(S, SId, 0, <<"there">>),
    {ok, {_, _, _, <<"there">>}} = await(Receiver),
    ok = inet:setopts(S, [{active, once}]),
    ok = M:send(C, CId, 0, <<"back">>),
    <<"back">> = next(S),
    ok.

%% @doc Nothing of this socket is in the mailbox.
-spec silent(socket()) -> ok.
silent(S) ->
    receive
        {Tag, S} -> error({stray, Tag});
        {Tag, S, Reason} -> error({stray, Tag, Reason});
        {Tag, S, _, _, Content} -> error({stray, Tag, Content})
    after 0 ->
        ok
    end.

-spec no_message() -> ok.
no_message() ->
    [] = mailbox(),
    ok.

%% @doc Takes what is in the mailbox.
-spec mailbox() -> [term()].
mailbox() ->
    receive
        Message -> [Message | mailbox()]
    after 0 ->
        []
    end.

%% @doc Bytes that are not periodic in any size: a piece that is lost, doubled or in another's place
%% shows.
-spec pattern(non_neg_integer()) -> binary().
pattern(Size) ->
    binary:part(<< <<(erlang:phash2(N)):32>> || N <- lists:seq(0, Size div 4) >>, 0, Size).

%% Processes and waiting.

%% @doc Runs a function in another process. Its end gives the result to `await/1'.
-spec async(fun(() -> term())) -> task().
async(Fun) ->
    {Pid, Monitor} = spawn_monitor(fun() ->
        put(?TASK, true),
        exit({result, Fun()})
    end),
    {task, Pid, Monitor}.

-spec await(task()) -> term().
await({task, Pid, Monitor}) ->
    receive
        {'DOWN', Monitor, process, Pid, {result, Result}} -> Result;
        {'DOWN', Monitor, process, Pid, Reason} -> error({task_died, Reason})
    after ?TIMEOUT ->
        error({task_stuck, process_info(Pid, current_stacktrace)})
    end.

%% @doc Kills a task or helper and waits until it is gone.
-spec kill(task() | pid()) -> ok.
kill({task, Pid, Monitor}) ->
    demonitor(Monitor, [flush]),
    kill(Pid);
kill(Pid) ->
    Monitor = monitor(process, Pid),
    unlink(Pid),
    exit(Pid, kill),
    receive
        {'DOWN', Monitor, process, Pid, _} -> ok
    end.

%% @doc A process that runs functions for `call/2' until the case ends or `kill/1'.
-spec helper() -> pid().
helper() ->
    Pid = spawn_link(fun serve/0),
    case get(?MODULE) of
        {Sockets, Helpers} -> put(?MODULE, {Sockets, [Pid | Helpers]});
        undefined -> ok
    end,
    Pid.

serve() ->
    receive
        {?MODULE, From, Ref, Fun} ->
            From ! {Ref, Fun()},
            serve()
    end.

-spec call(pid(), fun(() -> Result)) -> Result.
call(Pid, Fun) ->
    Monitor = monitor(process, Pid),
    Pid ! {?MODULE, self(), Monitor, Fun},
    receive
        {Monitor, Result} -> demonitor(Monitor, [flush]), Result;
        {'DOWN', Monitor, process, Pid, Reason} -> error({helper_died, Reason})
    after ?TIMEOUT ->
        error({helper_stuck, process_info(Pid, current_stacktrace)})
    end.

%% @doc Awaits a condition that nothing sends a message about.
-spec until(fun(() -> boolean())) -> ok.
until(Condition) ->
    until(Condition, deadline()).

until(Condition, Deadline) ->
    case Condition() of
        true -> ok;
        false ->
            case erlang:monotonic_time(millisecond) > Deadline of
                true -> error(condition_never_true);
                false -> pause(), until(Condition, Deadline)
            end
    end.

%% @doc Awaits that a task, or a helper, waits inside the function that it was started for.
-spec until_blocked(task() | pid()) -> ok.
until_blocked({task, Pid, _}) ->
    until_blocked(Pid);
until_blocked(Pid) ->
    until(fun() ->
        case process_info(Pid, [status, current_function]) of
            [{status, waiting}, {current_function, {Module, _, _}}] -> Module =/= ?MODULE;
            [_, _] -> false;
            undefined -> error(task_has_ended)
        end
    end).

%% @doc Sends message number 0, 1, 2, ... until the kernel takes no more, not even a while later: it
%% moves some to the peer first, which may acknowledge them late. How many it took.
-spec until_full(fun((non_neg_integer()) -> ok | {error, eagain})) -> pos_integer().
until_full(Send) ->
    until_full(Send, 0, 2).

until_full(_, Number, 0) ->
    Number;
until_full(Send, Number, Tries) ->
    case Send(Number) of
        ok -> until_full(Send, Number + 1, 2);
        {error, eagain} ->
            receive after 250 -> ok end,
            until_full(Send, Number, Tries - 1)
    end.

deadline() ->
    erlang:monotonic_time(millisecond) + ?TIMEOUT.

pause() ->
    receive after ?POLL -> ok end.

%% @doc Gives way so often: to be a moment later than another process.
-spec spin(non_neg_integer()) -> ok.
spin(0) -> ok;
spin(N) -> erlang:yield(), spin(N - 1).

%% @doc All open sockets of the implementation under test.
-spec sockets(module()) -> [socket()].
sockets(gen_sctp_nif) ->
    gen_sctp_nif_prim:sockets();
sockets(gen_sctp) ->
    [P || P <- erlang:ports(), erlang:port_info(P, name) =:= {name, "sctp_inet"}].

%% @doc Number of this process' descriptors that are sockets, whoever opened them.
-spec socket_fds() -> non_neg_integer().
socket_fds() ->
    %% Without the file server: it is asked before and after each case, of thirty descriptors.
    {ok, Names} = prim_file:list_dir("/proc/self/fd"),
    length([Name || Name <- Names,
                    {ok, "socket:" ++ _} <- [prim_file:read_link("/proc/self/fd/" ++ Name)]]).

%% @doc One of the numbers that the library tells of what it holds.
-spec counter(atom()) -> non_neg_integer().
counter(Name) ->
    maps:get(Name, gen_sctp_nif_prim:counters()).

%% @doc The I/O threads of this node, as directories of the kernel's.
-spec io_threads() -> [file:filename()].
io_threads() ->
    [Task || Task <- filelib:wildcard("/proc/self/task/*"),
             file:read_file(Task ++ "/comm") =:= {ok, <<"gen_sctp_nif_io\n">>}].

%% @doc How long each of them has run, in nanoseconds.
-spec io_times() -> [non_neg_integer()].
io_times() ->
    [begin
         {ok, Stat} = file:read_file(Task ++ "/schedstat"),
         binary_to_integer(hd(binary:split(Stat, <<" ">>)))
     end || Task <- io_threads()].

%% Options.

%% @doc The value of an option, or none.
-spec get(socket(), atom() | {atom(), tuple()}) -> term().
get(S, Option) ->
    case inet:getopts(S, [Option]) of
        {ok, [{_, Value}]} -> Value;
        {ok, []} -> none
    end.

%% @doc Sets one option.
-spec set(socket(), atom(), term()) -> ok | {error, term()}.
set(S, Name, Value) ->
    inet:setopts(S, [{Name, Value}]).

-spec av(term(), term()) -> #sctp_assoc_value{}.
av(Id, Value) ->
    #sctp_assoc_value{assoc_id = Id, assoc_value = Value}.

%% @doc How many messages of an association have been given up.
-spec given_up(socket(), integer()) -> non_neg_integer().
given_up(S, Id) ->
    Asked = #sctp_prstatus{assoc_id = Id, policy = all},
    #sctp_prstatus{abandoned_unsent = Unsent, abandoned_sent = Sent} =
        get(S, {sctp_pr_assoc_status, Asked}),
    Unsent + Sent.
