%% @doc Two hosts on one machine, `near' and `far', joined by two paths, 0 and 1, that can be cut;
%% and packets made by hand.
%%
%% A host is a network namespace, which lasts as long as the program in it that waits for the end
%% of its input; sockets get into it by the option `netns' of gen_sctp. Nothing of the machine's
%% own network is touched.
-module(gen_sctp_test_net).

-include("gen_sctp_nif.hrl").

%% Frame of a suite.
-export([is/1]).
-export([is/2]).
-export([begin_suite/1]).
-export([end_suite/1]).

%% Hosts and paths.
-export([start/0]).
-export([stop/1]).
-export([netns/2]).
-export([address/3]).
-export([cut/2]).
-export([heal/2]).
-export([end_case/3]).
-export([impair/3]).
-export([with_slow_loopback/2]).
-export([sysctl/3]).
-export([mtu/4]).
-export([change_routes/4]).
-export([associations/2]).
-export([add_address/4]).
-export([remove_address/4]).

%% Sockets.
-export([open_at/4]).
-export([try_open_at/4]).
-export([join/4]).
-export([joined/3]).
-export([joined/4]).
-export([joined/5]).
-export([quick/0]).
-export([lasting/0]).

%% Packets.
-export([raw/1]).
-export([close/1]).
-export([tag/3]).
-export([forge/3]).
-export([packet/4]).
-export([chunks/1]).
-export([chunks/2]).
-export([chunk/3]).
-export([cause/2]).
-export([watch/3]).
-export([watch/4]).
-export([await_chunk/2]).
-export([of_type/2]).

-export_type([net/0, host/0, path/0, joined/0, raw/0, watch/0, way/0, seen/0]).

-type host() :: near | far.
-type path() :: 0 | 1.
-type net() :: #{keeper := pid(), near := pos_integer(), far := pos_integer()}.
%% A socket on each host, and the association between them.
-type joined() :: #{n := socket(), f := socket(), nid := integer(), fid := integer(), net := net()}.
-type config() :: [{atom(), term()}].
-type socket() :: gen_sctp_nif:sctp_socket().
-type raw() :: {inet | inet6, socket:socket()}.
-type watch() :: socket:socket().
%% In which packets: those of SCTP in IPv4 or IPv6, or in UDP over IPv4.
-type way() :: inet | inet6 | udp.
%% A chunk that has come: when the kernel got it (system time in microseconds), the IP header's
%% type of service, from and to which address and port, and the number of its packet; of IPv6 the
%% flow label, of UDP its ports.
-type seen() :: #{time := integer(), tos := byte(), from := inet:ip_address(),
                  to := inet:ip_address(), sport := inet:port_number(),
                  dport := inet:port_number(), packet := pos_integer(), type := byte(),
                  flags := byte(), value := binary(), label => 0..16#fffff,
                  udp => {inet:port_number(), inet:port_number()}}.

-define(TIMEOUT, 10000).
-define(SCTP, 132).
-define(UDP, 17).
%% Of Linux: sockets that see packets with the header of IPv6, that protocol in network order.
-define(AF_PACKET, 17).
-define(ETH_P_IPV6, 16#dd86).

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

%% @doc As in gen_sctp_test_lib, after the first path is healed if the case is one that cuts it.
-spec end_case(atom(), [atom()], [term()]) -> ok | {fail, term()}.
end_case(Case, Cut, Config) ->
    gen_sctp_test_lib:end_case(fun() ->
        case lists:member(Case, Cut) of
            true -> heal(proplists:get_value(net, Config), 0);
            false -> ok
        end
    end, Config).

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
    %% A command that fails has a line to say, too.
    [" ASSOC " ++ _ | Lines] =
        string:lexemes(os:cmd([entering(Net, Host), "cat /proc/net/sctp/assocs"]), "\n"),
    length(Lines).

%% @doc Sets how large a packet a host's end of a path takes. What is larger is lost, and nobody is
%% told.
-spec mtu(net(), host(), path(), pos_integer()) -> ok.
mtu(Net, Host, N, Size) ->
    batch(Net, Host, [["link set ", device(Host, N), " mtu ", integer_to_list(Size)]]).

%% @doc Has the kernel look anew for the way to the other host by a path.
-spec change_routes(net(), host(), inet | inet6, path()) -> ok.
change_routes(Net, Host, Family, N) ->
    Address = address(Host, Family, N),
    Nobody = inet:ntoa(setelement(tuple_size(Address), Address, 77)),
    batch(Net, Host, [["route ", Verb, " unreachable ", Nobody] || Verb <- ["add", "del"]]).

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

%% Sockets.

%% @doc Opens a socket on a host, with its addresses on these paths, or with all if there are none;
%% of IPv4 if Config does not say otherwise. Events of addresses come to who asks for them later.
-spec open_at(host(), [path()], [term()], config()) -> socket().
open_at(Host, Paths, Opts, Config) ->
    {ok, S} = try_open_at(Host, Paths, Opts, Config),
    gen_sctp_test_lib:adopt(S).

-spec try_open_at(host(), [path()], [term()], config()) -> {ok, socket()} | {error, term()}.
try_open_at(Host, Paths, Opts, Config) ->
    Family = family(Config),
    gen_sctp_nif:open([Family, netns(proplists:get_value(net, Config), Host), {sctp_nodelay, true},
                       {sctp_event, #sctp_event{type = address, on = false}},
                       {recbuf, 1000000}, {sndbuf, 1000000} | Opts] ++
                          [{ip, address(Host, Family, Path)} || Path <- Paths]).

%% @doc Connects a socket on the near host to one that listens on the far one; both comm_up events
%% are taken.
-spec join(socket(), socket(), path(), config()) -> joined().
join(N, F, Path, Config) ->
    {ok, #sctp_assoc_change{state = comm_up, assoc_id = Id}} =
        gen_sctp_nif:connect(N, address(far, family(Config), Path), gen_sctp_test_lib:port(F), []),
    #sctp_assoc_change{state = comm_up, assoc_id = FId} = gen_sctp_test_lib:event(gen_sctp_nif, F),
    #{n => N, f => F, nid => Id, fid => FId, net => proplists:get_value(net, Config)}.

family(Config) ->
    proplists:get_value(family, Config, inet).

%% @doc A socket on each host, and an association; on path 0 if nothing is said.
-spec joined(config(), [term()], [term()]) -> joined().
joined(Config, NearOpts, FarOpts) ->
    joined(Config, [0], NearOpts, FarOpts).

-spec joined(config(), [path()], [term()], [term()]) -> joined().
joined(Config, Paths, NearOpts, FarOpts) ->
    joined(Config, Paths, Paths, NearOpts, FarOpts).

-spec joined(config(), [path()], [path()], [term()], [term()]) -> joined().
joined(Config, NearPaths, FarPaths, NearOpts, FarOpts) ->
    F = open_at(far, FarPaths, FarOpts, Config),
    ok = gen_sctp_nif:listen(F, true),
    join(open_at(near, NearPaths, NearOpts, Config), F, hd(NearPaths), Config).

%% @doc An option with which lost packets are sent again soon.
-spec quick() -> {sctp_rtoinfo, #sctp_rtoinfo{}}.
quick() ->
    {sctp_rtoinfo, #sctp_rtoinfo{initial = 200, min = 200, max = 200}}.

%% @doc And with these for as long as it takes to heal a path, however busy the machine is.
-spec lasting() -> [{atom(), tuple()}].
lasting() ->
    [quick(), {sctp_associnfo, #sctp_assocparams{asocmaxrxt = 200}},
     {sctp_peer_addr_params, #sctp_paddrparams{pathmaxrxt = 200}}].

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
    Destination = #{family => Family, addr => loopback, port => 0},
    ok = socket:sendto(Socket, packet(From, To, Tag, Chunks), Destination).

%% @doc A packet of SCTP.
-spec packet(inet:port_number(), inet:port_number(), 0..16#ffffffff, iodata()) -> binary().
packet(From, To, Tag, Chunks) ->
    Body = iolist_to_binary(Chunks),
    Sum = crc32c(<<From:16, To:16, Tag:32, 0:32, Body/binary>>),
    <<From:16, To:16, Tag:32, Sum:32/little, Body/binary>>.

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

%% @doc What a function gives, and all chunks that have come to a host meanwhile, by IPv4 if nothing
%% else is said, in order; they wait in a buffer of some thousand packets.
-spec watch(net(), host(), fun((watch()) -> Result)) -> {Result, [seen()]}.
watch(Net, Host, Fun) ->
    watch(Net, Host, inet, Fun).

-spec watch(net(), host(), way(), fun((watch()) -> Result)) -> {Result, [seen()]}.
watch(Net, Host, Way, Fun) ->
    {Domain, Type, Protocol} = case Way of
        inet -> {inet, raw, ?SCTP};
        inet6 -> {?AF_PACKET, dgram, ?ETH_P_IPV6};
        udp -> {inet, raw, ?UDP}
    end,
    {ok, Socket} = socket:open(Domain, Type, Protocol, #{netns => namespace(Net, Host)}),
    try
        ok = socket:setopt(Socket, {socket, timestamp}, true),
        ok = socket:setopt(Socket, {socket, rcvbuf}, 4000000),
        put({?MODULE, Socket}, []),
        Result = Fun(Socket),
        await_chunk(Socket, fun(_) -> false end, 0),
        {Result, lists:append(lists:reverse(get({?MODULE, Socket})))}
    after
        erase({?MODULE, Socket}),
        ok = socket:close(Socket)
    end.

%% @doc Waits, within `watch/3', for a chunk that comes after all that were waited for so far.
-spec await_chunk(watch(), fun((seen()) -> boolean())) -> seen().
await_chunk(Socket, IsIt) ->
    case await_chunk(Socket, IsIt, ?TIMEOUT) of
        none -> error({not_seen, get({?MODULE, Socket})});
        Chunk -> Chunk
    end.

await_chunk(Socket, IsIt, Timeout) ->
    case socket:recvmsg(Socket, 65536, 1024, [], Timeout) of
        {ok, #{iov := [Packet], ctrl := [#{type := timestamp, value := Time}]}} ->
            Packets = get({?MODULE, Socket}),
            Chunks = chunks(Packet, Time, length(Packets) + 1),
            put({?MODULE, Socket}, [Chunks | Packets]),
            case lists:filter(IsIt, Chunks) of
                [Chunk | _] -> Chunk;
                [] -> await_chunk(Socket, IsIt, Timeout)
            end;
        {error, timeout} ->
            none
    end.

%% @doc The chunks in a packet with the IP header.
-spec chunks(binary()) -> [map()].
chunks(Packet) ->
    packet(Packet, #{}).

chunks(Packet, #{sec := Seconds, usec := Micros}, Number) ->
    packet(Packet, #{time => Seconds * 1000000 + Micros, packet => Number}).

packet(<<4:4, _:4, Tos, _:56, Protocol, _:16, A, B, C, D, E, F, G, H, _/binary>> = Packet, Head) ->
    Inner = without_header(inet, Packet),
    inner(Protocol, Inner, Head#{tos => Tos, from => {A, B, C, D}, to => {E, F, G, H}});
packet(<<6:4, Tos, Label:20, Size:16, Protocol, _, From:16/binary, To:16/binary,
         Inner:Size/binary, _/binary>>, Head) ->
    Address = fun(Bytes) -> list_to_tuple([Part || <<Part:16>> <= Bytes]) end,
    inner(Protocol, Inner, Head#{tos => Tos, label => Label, from => Address(From),
                                 to => Address(To)}).

inner(?SCTP, <<From:16, To:16, _:64, Chunks/binary>>, Head) ->
    chunks(Chunks, Head#{sport => From, dport => To});
inner(?UDP, <<From:16, To:16, _:32, Inner/binary>>, Head) ->
    inner(?SCTP, Inner, Head#{udp => {From, To}});
%% What else there is on a host, as neighbours that look for each other.
inner(_, _, _) ->
    [].

%% @doc The chunks of a packet, each with what is known of the packet.
-spec chunks(binary(), map()) -> [map()].
chunks(<<Type, Flags, Length:16, Rest/binary>>, Head) when Length >= 4 ->
    Size = Length - 4,
    Padding = min(-Length band 3, byte_size(Rest) - Size),
    <<Value:Size/binary, _:Padding/binary, More/binary>> = Rest,
    [Head#{type => Type, flags => Flags, value => Value} | chunks(More, Head)];
chunks(<<>>, _) ->
    [].

%% RFC 9260, appendix A.
crc32c(Bytes) ->
    crc32c(Bytes, 16#ffffffff, table()) bxor 16#ffffffff.

crc32c(<<Byte, Rest/binary>>, Sum, Table) ->
    crc32c(Rest, (Sum bsr 8) bxor element((Sum bxor Byte) band 255 + 1, Table), Table);
crc32c(<<>>, Sum, _) ->
    Sum.

%% What becomes of each byte.
table() ->
    case persistent_term:get(?MODULE, none) of
        none ->
            Table = list_to_tuple([bits(8, Byte) || Byte <- lists:seq(0, 255)]),
            ok = persistent_term:put(?MODULE, Table),
            Table;
        Table ->
            Table
    end.

bits(0, Sum) -> Sum;
bits(N, Sum) when Sum band 1 =:= 1 -> bits(N - 1, (Sum bsr 1) bxor 16#82f63b78);
bits(N, Sum) -> bits(N - 1, Sum bsr 1).

%% @doc Is a chunk of this type?
-spec is(byte()) -> fun((map()) -> boolean()).
is(Type) -> fun(#{type := Found}) -> Found =:= Type end.

%% @doc And came to this address?
-spec is(byte(), inet:ip_address()) -> fun((map()) -> boolean()).
is(Type, To) -> fun(Chunk) -> maps:with([type, to], Chunk) =:= #{type => Type, to => To} end.

-spec of_type(byte(), [Chunk]) -> [Chunk] when Chunk :: map().
of_type(Type, Chunks) -> lists:filter(is(Type), Chunks).
