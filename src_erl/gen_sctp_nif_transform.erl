%% @doc A parse transform that turns a module's calls of `gen_sctp' into calls
%% of `gen_sctp_nif', at compile time and for that module alone.
%%
%% ```
%% -compile({parse_transform, gen_sctp_nif_transform}).
%% '''
%%
%% Calls, funs, imports and types of `gen_sctp' are turned, and so are those
%% functions of `inet' that OTP does not pass on to a socket's module
%% (`peernames/1,2', `socknames/2', `getfd/1'): they then ask at run time whose
%% socket it is. Where the module is a value, as in `apply(gen_sctp, F, Args)',
%% it stays as it is.
%% @end
-module(gen_sctp_nif_transform).

-export([parse_transform/2]).

-export([peernames/1]).
-export([peernames/2]).
-export([socknames/2]).
-export([getfd/1]).

-define(INET_FUNCTIONS, [{peernames, 1}, {peernames, 2}, {socknames, 2}, {getfd, 1}]).

-spec parse_transform([erl_parse:abstract_form()], [compile:option()]) ->
    [erl_parse:abstract_form()].
parse_transform(Forms, _Options) ->
    lists:flatmap(fun form/1, Forms).

form({attribute, L, import, {gen_sctp, Functions}}) ->
    [{attribute, L, import, {gen_sctp_nif, Functions}}];
form({attribute, L, import, {inet, Functions}}) ->
    {Ours, Theirs} = lists:partition(fun is_ours/1, Functions),
    [{attribute, L, import, {?MODULE, Ours}}, {attribute, L, import, {inet, Theirs}}];
form(Form) ->
    [walk(Form)].

walk({call, L, {remote, R, {atom, A, gen_sctp}, Function}, Args}) ->
    {call, L, {remote, R, {atom, A, gen_sctp_nif}, walk(Function)}, walk(Args)};
walk({call, L, {remote, R, {atom, A, inet}, {atom, _, Name} = Function}, Args}) ->
    {call, L, {remote, R, {atom, A, inet_module(Name, length(Args))}, Function}, walk(Args)};
walk({'fun', L, {function, {atom, A, gen_sctp}, Name, Arity}}) ->
    {'fun', L, {function, {atom, A, gen_sctp_nif}, Name, Arity}};
walk({'fun', L, {function, {atom, A, inet}, {atom, _, Name} = Function,
        {integer, _, N} = Arity}}) ->
    {'fun', L, {function, {atom, A, inet_module(Name, N)}, Function, Arity}};
walk({remote_type, L, [{atom, A, gen_sctp} | Type]}) ->
    {remote_type, L, [{atom, A, gen_sctp_nif} | walk(Type)]};
walk(Form) when is_tuple(Form) ->
    list_to_tuple(walk(tuple_to_list(Form)));
walk([Head | Tail]) ->
    [walk(Head) | walk(Tail)];
walk(Other) ->
    Other.

inet_module(Name, Arity) ->
    case is_ours({Name, Arity}) of
        true -> ?MODULE;
        false -> inet
    end.

is_ours(Function) ->
    lists:member(Function, ?INET_FUNCTIONS).

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

%% @private
-spec getfd(term()) -> {ok, integer()} | {error, term()}.
getfd({'$inet', gen_sctp_nif, _} = S) -> gen_sctp_nif:getfd(S);
getfd(S) -> inet:getfd(S).
