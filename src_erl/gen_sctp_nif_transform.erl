%% @doc A parse transform that turns a module's calls of `gen_sctp' into calls
%% of `gen_sctp_nif', at compile time and for that module alone.
%%
%% ```
%% -compile({parse_transform, gen_sctp_nif_transform}).
%% '''
%%
%% Calls, funs and imports of `gen_sctp' are turned, and those functions of
%% `inet' that OTP does not pass on to a socket's module: they then ask at run
%% time whose socket it is. Calls of a module that is only known at run time
%% stay as they are.
%% @end
-module(gen_sctp_nif_transform).

-export([parse_transform/2]).

-export([peernames/1]).
-export([peernames/2]).
-export([socknames/2]).

-define(INET_FUNCTIONS, [{peernames, 1}, {peernames, 2}, {socknames, 2}]).

-spec parse_transform([erl_parse:abstract_form()], [compile:option()]) ->
    [erl_parse:abstract_form()].
parse_transform(Forms, _Options) ->
    walk(Forms).

walk({attribute, L, import, {gen_sctp, Functions}}) ->
    {attribute, L, import, {gen_sctp_nif, Functions}};
walk({call, L, {remote, R, {atom, A, gen_sctp}, Function}, Args}) ->
    {call, L, {remote, R, {atom, A, gen_sctp_nif}, walk(Function)}, walk(Args)};
walk({call, L, {remote, R, {atom, A, inet}, {atom, _, Name} = Function}, Args}) ->
    {call, L, {remote, R, {atom, A, inet_module(Name, length(Args))}, Function}, walk(Args)};
walk({'fun', L, {function, {atom, A, gen_sctp}, Name, Arity}}) ->
    {'fun', L, {function, {atom, A, gen_sctp_nif}, Name, Arity}};
walk({'fun', L, {function, {atom, A, inet}, {atom, _, Name} = Function,
        {integer, _, N} = Arity}}) ->
    {'fun', L, {function, {atom, A, inet_module(Name, N)}, Function, Arity}};
walk(Form) when is_tuple(Form) ->
    list_to_tuple(walk(tuple_to_list(Form)));
walk([Head | Tail]) ->
    [walk(Head) | walk(Tail)];
walk(Other) ->
    Other.

inet_module(Name, Arity) ->
    case lists:member({Name, Arity}, ?INET_FUNCTIONS) of
        true -> ?MODULE;
        false -> inet
    end.

%% What transformed modules call.

%% @private
-spec peernames(term()) -> {ok, [tuple()]} | {error, term()}.
peernames({'$inet', gen_sctp_nif, _} = S) -> gen_sctp_nif:peernames(S);
peernames(S) -> inet:peernames(S).

%% @private
-spec peernames(term(), term()) -> {ok, [tuple()]} | {error, term()}.
peernames({'$inet', gen_sctp_nif, _} = S, Assoc) -> gen_sctp_nif:peernames(S, Assoc);
peernames(S, Assoc) -> inet:peernames(S, Assoc).

%% @private
-spec socknames(term(), term()) -> {ok, [tuple()]} | {error, term()}.
socknames({'$inet', gen_sctp_nif, _} = S, Assoc) -> gen_sctp_nif:socknames(S, Assoc);
socknames(S, Assoc) -> inet:socknames(S, Assoc).
