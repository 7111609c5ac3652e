%% @doc A peer by hand: no kernel has its end of the association, so that it says what no kernel
%% would, and nothing that one would say by itself. Its packets go in UDP (RFC 6951), from the host
%% `far' to a socket on `near', where `net.sctp.udp_port' is 9899.
-module(gen_sctp_test_forger).

-export([open/1]).
-export([close/1]).
-export([associate/3]).
-export([send/2]).
-export([send/3]).
-export([chunks/1]).
-export([await/2]).
-export([data/2]).
-export([acknowledge/2]).

-export_type([peer/0]).

%% Of an association: where its packets go, its ports, the tag that they need, and the number of the
%% next message.
-type peer() :: #{udp := gen_udp:socket(), to := {inet:ip_address(), inet:port_number()},
                  sport := inet:port_number(), dport := inet:port_number(),
                  tag := 0..16#ffffffff, tsn := 0..16#ffffffff}.

-define(NET, gen_sctp_test_net).
-define(TIMEOUT, 10000).
-define(UDP_PORT, 9899).

%% Types of chunks (RFC 9260).
-define(DATA, 0).
-define(INIT, 1).
-define(INIT_ACK, 2).
-define(SACK, 3).
-define(COOKIE_ECHO, 10).
-define(COOKIE_ACK, 11).
%% Parameters of them (RFC 9260, 5061).
-define(COOKIE, 7).
-define(EXTENSIONS, 16#8008).

%% @doc Where such peers live, any number of them one after the other.
-spec open(?NET:net()) -> gen_udp:socket().
open(Net) ->
    %% By default few answers have room.
    {ok, Udp} = gen_udp:open(0, [binary, {active, false}, {recbuf, 1000000},
                                 {ip, ?NET:address(far, inet, 0)}, ?NET:netns(Net, far)]),
    Udp.

-spec close(gen_udp:socket()) -> ok.
close(Udp) ->
    gen_udp:close(Udp).

%% @doc A new association, with a socket on `near' that listens at this port. The peer says that it
%% knows these types of chunks.
-spec associate(gen_udp:socket(), inet:port_number(), [byte()]) -> peer().
associate(Udp, Port, Extensions) ->
    %% One that was used before would begin the same association anew.
    Own = 1024 + erlang:unique_integer([positive, monotonic]) rem 60000,
    Peer = #{udp => Udp, to => {?NET:address(near, inet, 0), ?UDP_PORT}, sport => Own,
             dport => Port, tag => 0, tsn => 1},
    %% A parameter looks like a cause.
    Known = ?NET:cause(?EXTENSIONS, Extensions),
    _ = chunks(Peer),
    ok = send(Peer, ?NET:chunk(?INIT, 0, <<1:32, 1000000:32, 65535:16, 65535:16, 1:32,
                                           Known/binary>>)),
    #{value := <<Tag:32, _:96, Parameters/binary>>} = await(Peer, [?INIT_ACK]),
    Up = Peer#{tag := Tag},
    ok = send(Up, ?NET:chunk(?COOKIE_ECHO, 0, cookie(Parameters))),
    #{} = await(Up, [?COOKIE_ACK]),
    Up.

cookie(<<Type:16, Length:16, Rest/binary>>) ->
    Size = Length - 4,
    Padding = min(-Length band 3, byte_size(Rest) - Size),
    <<Value:Size/binary, _:Padding/binary, More/binary>> = Rest,
    case Type of ?COOKIE -> Value; _ -> cookie(More) end.

%% @doc A packet of these chunks, or of what else should be in their place.
-spec send(peer(), iodata()) -> ok.
send(#{tag := Tag} = Peer, Chunks) ->
    send(Peer, Tag, Chunks).

%% @doc With another verification tag.
-spec send(peer(), 0..16#ffffffff, iodata()) -> ok.
send(#{udp := Udp, to := {IP, Port}, sport := From, dport := To}, Tag, Chunks) ->
    ok = gen_udp:send(Udp, IP, Port, ?NET:packet(From, To, Tag, Chunks)).

%% @doc What has come to the peer. What is not for it is thrown away.
-spec chunks(peer()) -> [?NET:seen()].
chunks(Peer) ->
    case received(Peer, 0) of
        {ok, Chunks} -> Chunks ++ chunks(Peer);
        timeout -> []
    end.

%% @doc Waits for a chunk of one of these types; what comes before it is thrown away.
-spec await(peer(), [byte()]) -> ?NET:seen().
await(Peer, Types) ->
    case received(Peer, ?TIMEOUT) of
        {ok, Chunks} ->
            case [Chunk || #{type := Type} = Chunk <- Chunks, lists:member(Type, Types)] of
                [Chunk | _] -> Chunk;
                [] -> await(Peer, Types)
            end;
        timeout ->
            error({not_seen, Types, Peer})
    end.

received(#{udp := Udp, sport := Own, dport := Port}, Timeout) ->
    case gen_udp:recv(Udp, 0, Timeout) of
        {ok, {_, _, <<Port:16, Own:16, _:64, Chunks/binary>>}} -> {ok, ?NET:chunks(Chunks, #{})};
        {ok, _} -> {ok, []};
        {error, timeout} -> timeout
    end.

%% @doc Has a message delivered, to show that the association is up.
-spec data(peer(), binary()) -> peer().
data(#{tsn := Tsn} = Peer, Data) ->
    %% Both a first and a last part, unordered, to be acknowledged at once.
    ok = send(Peer, ?NET:chunk(?DATA, 2#1111, <<Tsn:32, 0:16, 0:16, 0:32, Data/binary>>)),
    acknowledge(Peer, Tsn).

%% @doc Waits until all up to this number are acknowledged.
-spec acknowledge(peer(), 0..16#ffffffff) -> peer().
acknowledge(Peer, Tsn) ->
    case await(Peer, [?SACK]) of
        #{value := <<Tsn:32, _/binary>>} -> Peer#{tsn := Tsn + 1};
        #{} -> acknowledge(Peer, Tsn)
    end.
