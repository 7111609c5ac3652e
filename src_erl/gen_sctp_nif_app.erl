%% @private
%% @doc The application. It has no processes of its own to speak of; if its
%% environment says `{dropin, true}' it switches the drop-in on when it starts.
%% Where the native library cannot be loaded it does not start, and says why.
-module(gen_sctp_nif_app).

-behaviour(application).
-behaviour(supervisor).

-export([start/2]).
-export([stop/1]).

-export([init/1]).

-spec start(application:start_type(), term()) -> {ok, pid()} | {error, term()}.
start(_Type, _Args) ->
    case gen_sctp_nif_load:ensure() of
        ok -> start();
        {error, Text} -> {error, {load_failed, Text}}
    end.

start() ->
    case dropin() of
        ok ->
            case supervisor:start_link(?MODULE, []) of
                {ok, Pid} -> {ok, Pid};
                ignore -> {error, ignore};
                {error, _} = Error -> Error
            end;
        {error, Reason} ->
            {error, {dropin, Reason}}
    end.

%% The drop-in stays: the node may have sockets by way of it.
-spec stop(term()) -> ok.
stop(_State) ->
    ok.

-spec init([]) -> {ok, {supervisor:sup_flags(), []}}.
init([]) ->
    {ok, {#{}, []}}.

dropin() ->
    case application:get_env(gen_sctp_nif, dropin, false) of
        true -> gen_sctp_nif_dropin:install();
        false -> ok;
        Other -> {error, {bad_value, Other}}
    end.
