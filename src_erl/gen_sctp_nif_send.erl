%% @private
%% @doc Messages that are not binaries yet. They are made such here and not in the native code, as
%% the VM can interrupt that.
-module(gen_sctp_nif_send).

-export([pieces/3]).
-export([pieces/4]).
-export([flatten/1]).
-export([refused/1]).

-include("inet_sctp.hrl").

%% @doc As send/3.
-spec pieces(gen_sctp_nif_prim:ref(), #sctp_sndrcvinfo{}, iodata()) ->
    ok | gen_sctp_nif_prim:error() | {error, timeout}.
pieces(Ref, Info, Data) ->
    case flatten(Data) of
        {ok, Binary} -> gen_sctp_nif_prim:send_wait(Ref, Info, Binary);
        error -> refused(Ref)
    end.

%% @doc As send/4.
-spec pieces(gen_sctp_nif_prim:ref(), integer(), integer(), iodata()) ->
    ok | gen_sctp_nif_prim:error() | {error, timeout}.
pieces(Ref, AssocId, Stream, Data) ->
    case flatten(Data) of
        {ok, Binary} -> gen_sctp_nif_prim:send_wait(Ref, AssocId, Stream, Binary);
        error -> refused(Ref)
    end.

-spec flatten(term()) -> {ok, binary()} | error.
flatten(Data) ->
    try
        {ok, iolist_to_binary(Data)}
    catch
        error:badarg -> error
    end.

%% @doc What an argument is answered that is wrong in itself: of a closed socket it does not matter.
-spec refused(gen_sctp_nif_prim:ref()) -> {error, einval | closed}.
refused(Ref) ->
    case gen_sctp_nif_prim:owner(Ref) of
        {ok, _} -> {error, einval};
        {error, closed} = Error -> Error
    end.
