%% @private
%% @doc What the functions that look at sockets and associations have to do before the native ones.
-module(gen_sctp_nif_look).

-export([assoc_id/1]).
-export([getopt/2]).

-include("inet_sctp.hrl").

%% @doc The id of an association, in whatever form. One that is out of range is for the kernel's
%% side to refuse: a closed socket comes first.
-spec assoc_id(term()) -> integer() | badarg.
assoc_id(Id) when is_integer(Id) -> Id;
assoc_id(#sctp_assoc_change{assoc_id = Id}) when is_integer(Id) -> Id;
assoc_id(_) -> badarg.

%% @doc One option.
-spec getopt(gen_sctp_nif_prim:ref(), term()) ->
    {ok, term()} | gen_sctp_nif_prim:error() | badarg.
getopt(Ref, Option) ->
    try gen_sctp_nif_prim:getopt(Ref, Option) of
        {ok, Value} -> {ok, shown(Option, Value)};
        {error, _} = Error -> Error
    catch
        error:badarg -> badarg
    end.

%% A path as its characters, if it has such.
shown(Option, Path) when Option =:= netns orelse element(1, Option) =:= netns, is_binary(Path) ->
    [{netns, Characters}] = gen_sctp_nif_opts:from_native([{netns, Path}]),
    Characters;
shown(_, Value) ->
    Value.
