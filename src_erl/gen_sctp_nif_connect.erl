%% @private
%% @doc The way to a peer: look its addresses up, set the options, connect.
%%
%% The order of the checks is what programs see: socket, service, timeout,
%% address, options, and the numbers of the address last of all. Those up to
%% the timeout are made by {@link way/5}, whose `badarg' is for the caller to
%% raise. From there on {@link go/1} may have to wait: for names, for sockets
%% that are being closed, for the association.
-module(gen_sctp_nif_connect).

-export([way/5]).
-export([go/1]).

%% What comes after a wait.
-export([found/2]).
-export([tried/3]).
-export([try_again/3]).
-export([outcome/2]).

-include("inet_sctp.hrl").

-define(SOCKET(Ref), {'$inet', gen_sctp_nif, Ref}).

-type way() :: #{
    call := connect | connect_init | connectx_init,
    ref := gen_sctp_nif_prim:ref(),
    family := gen_sctp_nif_prim:family(),
    %% To be looked up.
    hosts := [term()],
    port => integer(),
    %% Known, the last one first.
    forms := [gen_sctp_nif_addr:form()],
    opts := [term()],
    deadline := gen_sctp_nif_prim:deadline()
}.

-export_type([way/0]).

%% @doc What is to be done, if nothing is wrong with it so far.
-spec way(connect | connect_init | connectx_init, term(), gen_sctp_nif_addr:destination(),
    term(), term()) -> way() | {error, inet:posix() | closed} | badarg.
way(Call, ?SOCKET(Ref), Destination, Opts, Timeout) when is_reference(Ref), is_list(Opts) ->
    case gen_sctp_nif_prim:family(Ref) of
        {ok, Family} ->
            case gen_sctp_nif_addr:target(Destination, Timeout) of
                #{} = Target -> Target#{call => Call, ref => Ref, family => Family, opts => Opts};
                Other -> Other
            end;
        {error, _} = Error ->
            Error
    end;
way(_, _, _, _, _) ->
    badarg.

%% @doc Does it. `connect' waits for the association, the others start one.
-spec go(way() | {error, Reason}) ->
    ok | {ok, #sctp_assoc_change{} | integer()} | {error, Reason | term()}.
go(#{hosts := [Host | _], family := Family, deadline := Deadline} = Way) ->
    gen_sctp_nif_prim:then({gen_sctp_nif_addr, host, [Host, Family, Deadline]},
        {?MODULE, found, [Way]});
go(#{hosts := [], ref := Ref, family := Family, forms := Forms, opts := Opts} = Way) ->
    case gen_sctp_nif_opts:configure(Ref, Opts) of
        ok ->
            case gen_sctp_nif_addr:sockaddrs(Family, lists:reverse(Forms)) of
                {ok, Addrs} -> try_once(native(Way, Addrs), Way);
                {error, badarg} -> error(badarg);
                {error, _} = Error -> Error
            end;
        {error, _} = Error ->
            Error
    end;
go(#{hosts := _Improper}) ->
    %% Without the options, which may have a key.
    error(function_clause);
go({error, _} = Error) ->
    Error.

native(#{call := connect, ref := Ref, deadline := Deadline}, Addrs) ->
    {gen_sctp_nif_prim, connect_wait, [Ref, Addrs, Deadline]};
native(#{ref := Ref}, Addrs) ->
    {gen_sctp_nif_prim, start_connect, [Ref, Addrs]}.

try_once(Native, Way) ->
    gen_sctp_nif_prim:then(Native, {?MODULE, tried, [Native, Way]}).

%% What comes after a wait.

%% An address of a list that cannot be resolved raises `badarg', as in OTP.
-spec found({ok, inet:ip_address()} | {error, inet:posix()}, way()) -> term().
found({ok, IP}, #{hosts := [_ | Hosts], port := Port, forms := Forms} = Way) ->
    go(Way#{hosts := Hosts, forms := [{IP, Port} | Forms]});
found({error, _}, #{call := connectx_init}) ->
    error(badarg);
found({error, _} = Error, _Way) ->
    Error.

%% The association of a process that has died may be in the way.
-spec tried(term(), tuple(), way()) -> term().
tried({error, eaddrnotavail}, Native, Way) ->
    gen_sctp_nif_prim:then({gen_sctp_nif_prim, closings_wait, []},
        {?MODULE, try_again, [Native, Way]});
tried(Result, _Native, Way) ->
    outcome(Result, Way).

-spec try_again(ok, tuple(), way()) -> term().
try_again(ok, Native, Way) ->
    gen_sctp_nif_prim:then(Native, {?MODULE, outcome, [Way]}).

-spec outcome(term(), way()) -> term().
outcome({ok, _}, #{call := connect_init}) -> ok;
outcome(Result, _Way) -> Result.
