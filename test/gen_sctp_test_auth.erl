%% @doc Signatures of packets (RFC 4895) that were seen on the wire, computed once more.
-module(gen_sctp_test_auth).

-export([vectors/1]).
-export([signatures/4]).

-export_type([vectors/0, signature/0]).

-define(NET, gen_sctp_test_net).

%% Types of chunks.
-define(INIT, 1).
-define(INIT_ACK, 2).
-define(AUTH, 15).

%% Of message authentication codes.
-define(SHA1, 1).
-define(SHA256, 3).

%% What both ends have said in the handshake, as it goes into their keys.
-type vectors() :: [binary()].
%% The numbers of the key and of the algorithm, and whether it is right; none: a packet that should
%% be signed is not.
-type signature() :: {Key :: 0..65535, Algorithm :: 0..65535, boolean()} | none.

%% The part of an association's keys that an INIT or INIT ACK has (RFC 4895, section 6.1): its
%% parameters, without what fills them up.
vector(#{value := <<_:16/binary, Parameters/binary>>}) ->
    Found = parameters(Parameters),
    iolist_to_binary([maps:get(Type, Found, <<>>) || Type <- [16#8002, 16#8003, 16#8004]]).

parameters(<<Type:16, Length:16, _/binary>> = Parameters) ->
    <<Parameter:Length/binary, Rest/binary>> = Parameters,
    Filling = min(-Length band 3, byte_size(Rest)),
    <<_:Filling/binary, More/binary>> = Rest,
    (parameters(More))#{Type => Parameter};
parameters(<<>>) ->
    #{}.

%% @doc Both ends' vectors, the smaller one first, of the chunks of a handshake.
-spec vectors([?NET:seen()]) -> vectors().
vectors(Chunks) ->
    [One, Other] = [vector(Chunk) || #{type := Type} = Chunk <- Chunks,
                                     Type =:= ?INIT orelse Type =:= ?INIT_ACK],
    case {binary:decode_unsigned(One), binary:decode_unsigned(Other)} of
        {A, B} when A =< B -> [One, Other];
        _ -> [Other, One]
    end.

%% @doc The signatures of a watched host's packets that have chunks of this type, in their order.
-spec signatures(byte(), [?NET:seen()], vectors(), #{0..65535 => binary()}) -> [signature()].
signatures(Type, Chunks, Vectors, Keys) ->
    Packets = lists:usort([Packet || #{packet := Packet, type := Found} <- Chunks, Found =:= Type]),
    [signature(Type, [Chunk || #{packet := Number} = Chunk <- Chunks, Number =:= Packet], Vectors,
               Keys)
     || Packet <- Packets].

signature(Type, Packet, Vectors, Keys) ->
    case lists:dropwhile(fun(#{type := Found}) -> Found =/= ?AUTH andalso Found =/= Type end,
                         Packet) of
        [#{type := ?AUTH, flags := Flags, value := <<Number:16, Algorithm:16, Mac/binary>>}
         | Signed] ->
            Size = byte_size(Mac),
            Empty = ?NET:chunk(?AUTH, Flags, <<Number:16, Algorithm:16, 0:Size/unit:8>>),
            Text = [Empty | [?NET:chunk(Found, Bits, Value)
                             || #{type := Found, flags := Bits, value := Value} <- Signed]],
            Key = iolist_to_binary([maps:get(Number, Keys) | Vectors]),
            {Number, Algorithm, Mac =:= crypto:mac(hmac, hash(Algorithm), Key, Text)};
        _ ->
            none
    end.

hash(?SHA1) -> sha;
hash(?SHA256) -> sha256.
