%% @doc Two hosts on one machine, `near' and `far', joined by two paths, 0 and 1, that can be cut;
%% and packets made by hand.
%%
%% A host is a network namespace, which lasts as long as the program in it that waits for the end
%% of its input; sockets get into it by the option `netns' of gen_sctp. Nothing of the machine's
%% own network is touched.
-module(gen_sctp_test_net).

%% Frame of a suite.
-export([begin_suite/1]).
-export([end_suite/1]).

%% Hosts and paths.
-export([start/0]).
-export([stop/1]).
-export([netns/2]).
-export([address/3]).
-export([cut/2]).
-export([heal/2]).
-export([impair/3]).
-export([with_slow_loopback/2]).
-export([sysctl/3]).
-export([associations/2]).
-export([add_address/4]).
-export([remove_address/4]).

%% Packets.
-export([raw/1]).
-export([close/1]).
-export([tag/3]).
-export([forge/3]).
-export([chunk/3]).
-export([cause/2]).

-export_type([net/0, host/0, path/0, raw/0]).

-type host() :: near | far.
-type path() :: 0 | 1.
-type net() :: #{keeper := pid(), near := pos_integer(), far := pos_integer()}.
-type raw() :: {inet | inet6, socket:socket()}.

-define(TIMEOUT, 10000).
-define(SCTP, 132).

%% Frame of a suite.

%% @doc To be returned from init_per_suite: with the hosts as `net', or the suite is skipped.
-spec begin_suite([{atom(), term()}]) -> [{atom(), term()}] | {skip, term()}.
begin_suite(Config) ->
    case start() of
        {ok, Net} -> [{net, Net} | Config];
        {error, Reason} -> {skip, Reason}
    end.

-spec end_suite([{atom(), term()}]) -> ok.
end_suite(Config) ->
    stop(proplists:get_value(net, Config)).

%% Hosts and paths.

%% @doc An error if this is not allowed here, or a command is missing.
-spec start() -> {ok, net()} | {error, term()}.
start() ->
    %% A case's or a suite's own process would take the namespaces with it.
    {Keeper, Monitor} = spawn_monitor(fun keep/0),
    Keeper ! {hosts, self()},
    receive
        {Keeper, Near, Far} ->
            demonitor(Monitor, [flush]),
            Net = #{keeper => Keeper, near => Near, far => Far},
            try join(Net) of
                ok -> {ok, Net}
            catch
                error:{command, _, _} = Reason -> stop(Net), {error, Reason}
            end;
        {'DOWN', Monitor, process, Keeper, Reason} ->
            {error, Reason}
    end.

-spec stop(net()) -> ok.
stop(#{keeper := Keeper}) ->
    Monitor = monitor(process, Keeper),
    Keeper ! stop,
    receive {'DOWN', Monitor, process, Keeper, _} -> ok end.

keep() ->
    Near = host(),
    Far = host(),
    receive {hosts, From} -> From ! {self(), Near, Far} end,
    receive stop -> ok end.

host() ->
    Port = open_port({spawn, "unshare --net sh -c 'echo ready; exec cat'"},
                     [exit_status, {line, 100}, stderr_to_stdout]),
    {os_pid, Pid} = erlang:port_info(Port, os_pid),
    receive
        {Port, {data, {eol, "ready"}}} -> Pid;
        {Port, Other} -> exit({no_namespace, Other})
    after ?TIMEOUT ->
        exit(no_namespace)
    end.

join(#{far := Far} = Net) ->
    batch(Net, near, [io_lib:format("link add ~s address ~s type veth peer name ~s address ~s "
                                    "netns ~b", [device(near, N), mac(near, N), device(far, N),
                                                 mac(far, N), Far])
                      || N <- [0, 1]]),
    lists:foreach(fun(Host) -> configure(Net, Host) end, [near, far]).

%% Sockets tell their peers of new addresses (RFC 5061), without the keys that this asks for.
%% Who has which hardware address is said, not asked: in a cut it would be forgotten. Packets are
%% sent one by one, as on a real link: the kernel 6.1 dies of an ASCONF chunk in several at a time
%% (GSO).
configure(Net, Host) ->
    run(Net, Host, "sh -c 'cd /proc/sys/net/sctp; for name in addip_enable addip_noauth_enable "
        "default_auto_asconf; do echo 1 >$name; done'"),
    batch(Net, Host,
          ["link set lo up"] ++
          [["link set ", device(Host, N), Setting]
           || N <- [0, 1], Setting <- [" addrgenmode none", " gso_max_size 1500", " up"]] ++
          [change_address("add", Host, Family, N) || N <- [0, 1], Family <- [inet, inet6]] ++
          [["neigh replace ", inet:ntoa(address(other(Host), Family, N)), " lladdr ",
            mac(other(Host), N), " nud permanent dev ", device(Host, N)]
           || N <- [0, 1], Family <- [inet, inet6]]).

other(near) -> far;
other(far) -> near.

device(Host, N) -> io_lib:format("~s~b", [Host, N]).

mac(near, N) -> io_lib:format("02:00:00:00:67:~b1", [N]);
mac(far, N) -> io_lib:format("02:00:00:00:67:~b2", [N]).

%% @doc The option that opens a socket on this host.
-spec netns(net(), host()) -> {netns, string()}.
netns(Net, Host) ->
    {netns, namespace(Net, Host)}.

namespace(Net, Host) ->
    lists:flatten(io_lib:format("/proc/~b/ns/net", [maps:get(Host, Net)])).

%% @doc A host's address on a path.
-spec address(host(), inet | inet6, path()) -> inet:ip_address().
address(near, inet, N) -> {10, 67, N, 1};
address(far, inet, N) -> {10, 67, N, 2};
address(near, inet6, N) -> {16#fd67, N, 0, 0, 0, 0, 0, 1};
address(far, inet6, N) -> {16#fd67, N, 0, 0, 0, 0, 0, 2}.

%% @doc Loses all that is sent on a path, both ways; the links stay up, so that nobody is told.
-spec cut(net(), path()) -> ok.
cut(Net, N) ->
    queue(Net, N, "netem loss 100%").

-spec heal(net(), path()) -> ok.
heal(Net, N) ->
    queue(Net, N, "pfifo").

%% Both directions as nearly at once as can be.
queue(Net, N, Kind) ->
    shell([[entering(Net, Host), "tc qdisc replace dev ", device(Host, N), " root ", Kind, " & "]
           || Host <- [near, far]] ++ "wait").

%% @doc Has `tc' treat all that is sent on a path this way, in both directions; see tc-netem(8).
-spec impair(net(), path(), iodata()) -> ok.
impair(Net, N, How) ->
    queue(Net, N, ["netem limit 10000 ", How]).

%% @doc Slows the tests' own loopback, each way, while the function runs.
-spec with_slow_loopback(string(), fun(() -> Result)) -> Result.
with_slow_loopback(Delay, Fun) ->
    ok = shell(["tc qdisc replace dev lo root netem limit 10000 delay ", Delay]),
    try Fun() after ok = shell("tc qdisc del dev lo root") end.

%% @doc Sets a variable of /proc/sys/net/sctp on both hosts; sockets that are opened later heed it.
-spec sysctl(net(), string(), string()) -> ok.
sysctl(Net, Name, Value) ->
    lists:foreach(fun(Host) ->
        run(Net, Host, ["sh -c 'echo ", Value, " >/proc/sys/net/sctp/", Name, "'"])
    end, [near, far]).

%% @doc How many associations a host's kernel has.
-spec associations(net(), host()) -> non_neg_integer().
associations(Net, Host) ->
    [_Titles | Lines] =
        string:lexemes(os:cmd([entering(Net, Host), "cat /proc/net/sctp/assocs"]), "\n"),
    length(Lines).

-spec add_address(net(), host(), inet | inet6, path()) -> ok.
add_address(Net, Host, Family, N) ->
    batch(Net, Host, [change_address("add", Host, Family, N)]).

-spec remove_address(net(), host(), inet | inet6, path()) -> ok.
remove_address(Net, Host, Family, N) ->
    batch(Net, Host, [change_address("del", Host, Family, N)]).

%% Without `nodad' an address of IPv6 is tried out for a second before it can be used.
change_address(Verb, Host, Family, N) ->
    Size = case Family of inet -> "/24"; inet6 -> "/64 nodad" end,
    ["addr ", Verb, $ , inet:ntoa(address(Host, Family, N)), Size, " dev ", device(Host, N)].

batch(Net, Host, Lines) ->
    run(Net, Host, ["ip -batch - <<END\n", [[Line, $\n] || Line <- Lines], "END\n"]).

run(Net, Host, Words) ->
    shell([entering(Net, Host), Words]).

entering(Net, Host) ->
    ["nsenter --net=", namespace(Net, Host), $ ].

shell(Words) ->
    Command = lists:flatten(Words),
    case os:cmd(Command) of
        "" -> ok;
        Output -> error({command, Command, Output})
    end.

%% Packets.

%% @doc A socket that sees every SCTP packet that comes in, and sends such.
-spec raw(inet | inet6) -> raw().
raw(Family) ->
    {ok, Socket} = socket:open(Family, raw, ?SCTP),
    {Family, Socket}.

-spec close(raw()) -> ok.
close({_, Socket}) ->
    ok = socket:close(Socket).

%% @doc Waits for a packet between these ports: its verification tag. Sending this way needs it.
-spec tag(raw(), inet:port_number(), inet:port_number()) -> 1..16#ffffffff.
tag({Family, Socket} = Raw, From, To) ->
    {ok, {_, Packet}} = socket:recvfrom(Socket, 0, [], ?TIMEOUT),
    case without_header(Family, Packet) of
        %% An INIT has none yet.
        <<From:16, To:16, Tag:32, _/binary>> when Tag =/= 0 -> Tag;
        _ -> tag(Raw, From, To)
    end.

%% The IP header comes along in IPv4 only.
without_header(inet, <<4:4, Words:4, _/binary>> = Packet) ->
    binary:part(Packet, Words * 4, byte_size(Packet) - Words * 4);
without_header(inet6, Packet) ->
    Packet.

%% @doc Sends chunks on loopback, in the name of the socket with the port `From'.
-spec forge(raw(), {inet:port_number(), inet:port_number(), 1..16#ffffffff}, iodata()) -> ok.
forge({Family, Socket}, {From, To, Tag}, Chunks) ->
    Body = iolist_to_binary(Chunks),
    Sum = crc32c(<<From:16, To:16, Tag:32, 0:32, Body/binary>>),
    Packet = <<From:16, To:16, Tag:32, Sum:32/little, Body/binary>>,
    Destination = #{family => Family, addr => loopback, port => 0},
    ok = socket:sendto(Socket, Packet, Destination).

-spec chunk(byte(), byte(), iodata()) -> binary().
chunk(Type, Flags, Body) ->
    padded(<<Type, Flags>>, iolist_to_binary(Body)).

%% @doc An error cause, of ERROR and ABORT chunks.
-spec cause(0..65535, iodata()) -> binary().
cause(Code, Body) ->
    padded(<<Code:16>>, iolist_to_binary(Body)).

padded(Head, Body) ->
    Padding = (4 - byte_size(Body) rem 4) rem 4,
    <<Head/binary, (byte_size(Body) + 4):16, Body/binary, 0:Padding/unit:8>>.

%% RFC 9260, appendix A.
crc32c(Bytes) ->
    lists:foldl(fun(Byte, Sum) -> bits(8, Sum bxor Byte) end, 16#ffffffff,
                binary_to_list(Bytes)) bxor 16#ffffffff.

bits(0, Sum) -> Sum;
bits(N, Sum) when Sum band 1 =:= 1 -> bits(N - 1, (Sum bsr 1) bxor 16#82f63b78);
bits(N, Sum) -> bits(N - 1, Sum bsr 1).
