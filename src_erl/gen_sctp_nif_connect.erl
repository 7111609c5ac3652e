%% @private
%% @doc The way to a peer: look its addresses up, set the options, connect.
%%
%% The order of the checks is what programs see: socket, service, timeout,
%% address, options, and the numbers of the address last of all. `badarg' is
%% for the caller to raise.
-module(gen_sctp_nif_connect).

-export([connect/4]).
-export([start/4]).

-include("inet_sctp.hrl").

-define(SOCKET(Ref), {'$inet', gen_sctp_nif, Ref}).

-type destination() ::
    {sockaddr, term()} | {sockaddrs, [term()]}
    | {host, term(), term()} | {hosts, [term()], term()}.

%% @doc Sets up an association, and waits for it.
-spec connect(term(), destination(), term(), term()) ->
    {ok, #sctp_assoc_change{}} | {error, term()} | badarg.
connect(S, Destination, Opts, Timeout) ->
    reach(S, Destination, Opts, Timeout, fun gen_sctp_nif_wait:connect/3).

%% @doc Starts one; its id.
-spec start(term(), destination(), term(), term()) -> {ok, integer()} | {error, term()} | badarg.
start(S, Destination, Opts, Timeout) ->
    reach(S, Destination, Opts, Timeout, fun(Ref, Addrs, _Deadline) ->
        gen_sctp_nif_wait:start_connect(Ref, Addrs, undefined)
    end).

reach(?SOCKET(Ref), Destination, Opts, Timeout, Connect)
        when is_reference(Ref), is_list(Opts) ->
    case gen_sctp_nif_prim:family(Ref) of
        {ok, Family} ->
            case gen_sctp_nif_addr:resolve(Family, Destination, Timeout) of
                {ok, Forms, Deadline} ->
                    reach_forms(Ref, Family, Forms, Opts, Deadline, Connect);
                Other ->
                    Other
            end;
        {error, _} = Error ->
            Error
    end;
reach(_, _, _, _, _) ->
    badarg.

reach_forms(Ref, Family, Forms, Opts, Deadline, Connect) ->
    case gen_sctp_nif_opts:configure(Ref, Opts) of
        ok ->
            case gen_sctp_nif_addr:sockaddrs(Family, Forms) of
                {ok, Addrs} -> attempt(fun() -> Connect(Ref, Addrs, Deadline) end);
                {error, badarg} -> badarg;
                {error, _} = Error -> Error
            end;
        {error, _} = Error ->
            Error
    end.

%% The association of a process that has died may be in the way.
attempt(Connect) ->
    case Connect() of
        {error, eaddrnotavail} -> gen_sctp_nif_wait:again_after_closings(Connect);
        Result -> Result
    end.
