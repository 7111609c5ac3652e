%% @private
%% @doc Hosts, services and the many address forms of gen_sctp, made into what
%% the native functions take.
-module(gen_sctp_nif_addr).

%% What a connect is aimed at.
-export([target/2]).
-export([host/3]).
-export([service/1]).

%% Address forms.
-export([translate/2]).
-export([sockaddr_defaults/1]).
-export([sockaddr/2]).
-export([sockaddrs/2]).

%% An SCTP association has at most this many addresses in one connectx call.
-define(MAX_ADDRS, 255).

-define(IS_U16(X), (is_integer(X) andalso X >= 0 andalso X =< 16#ffff)).
-define(IS_U32(X), (is_integer(X) andalso X >= 0 andalso X =< 16#ffffffff)).

%% Checked no further than to be told apart: see sockaddr/2.
-type form() :: {term(), term()} | map().
-type destination() ::
    {host, term(), term()}
    | {hosts, [term()], term()}
    | {sockaddr, map()}
    | {sockaddrs, [term()]}.

-type target() :: #{
    hosts := [term()],
    port => integer(),
    forms := [form()],
    deadline := gen_sctp_nif_prim:deadline()
}.

-export_type([form/0, destination/0]).

%% What a connect is aimed at.

%% @doc What is to be looked up, or the forms of addresses, the last one first.
%% The service is looked at first, then the timeout, which bounds all that
%% follows. `badarg' is for the caller to raise, as OTP does for a bad timeout
%% and for any bad address of a list.
-spec target(destination(), term()) -> target() | {error, inet:posix()} | badarg.
target({host, Host, Service}, Timeout) ->
    hosts([Host], Service, Timeout);
target({hosts, Hosts, Service}, Timeout) ->
    hosts(Hosts, Service, Timeout);
target({sockaddr, Map}, Timeout) ->
    with_deadline(Timeout, fun() -> #{hosts => [], forms => [sockaddr_defaults(Map)]} end);
target({sockaddrs, SockAddrs}, Timeout) ->
    with_deadline(Timeout, fun() -> same_port(SockAddrs) end).

hosts(Hosts, Service, Timeout) ->
    case service(Service) of
        {ok, Port} ->
            with_deadline(Timeout, fun() -> #{hosts => Hosts, port => Port, forms => []} end);
        {error, _} = Error ->
            Error
    end.

with_deadline(Timeout, Target) ->
    try gen_sctp_nif_prim:deadline(Timeout) of
        Deadline ->
            case Target() of
                #{} = Map -> Map#{deadline => Deadline};
                badarg -> badarg
            end
    catch
        error:badarg -> badarg
    end.

%% @doc The port of a number or of an atom that names an SCTP service. The
%% number's range is checked only when the address is used, as in OTP.
-spec service(term()) -> {ok, integer()} | {error, inet:posix()}.
service(Port) when is_integer(Port) ->
    {ok, Port};
service(Name) when is_atom(Name) ->
    inet:getservbyname(Name, sctp);
service(_) ->
    {error, einval}.

%% @doc The address of a host. For the empty name releases before 27 say einval.
-spec host(term(), gen_sctp_nif_prim:family(), gen_sctp_nif_prim:deadline()) ->
    {ok, inet:ip_address()} | {error, inet:posix()}.
host(Empty, _Family, _Deadline) when Empty =:= ""; Empty =:= '' ->
    {error, nxdomain};
host(Host, Family, Deadline) ->
    inet:getaddr(Host, Family, gen_sctp_nif_prim:remaining(Deadline)).

%% One association has one peer port. It is the last one given; it stands in
%% for ports that are 0 or missing, and overrides those before it.
same_port(SockAddrs) ->
    case last_port(SockAddrs, 0, []) of
        {0, _} -> badarg;
        {Port, Forms} -> #{hosts => [], forms => [set_port(Form, Port) || Form <- Forms]};
        badarg -> badarg
    end.

last_port([SockAddr | SockAddrs], Port, Acc) ->
    case port_of(SockAddr) of
        {P, Form} when is_integer(P), P > 0 -> last_port(SockAddrs, P, [Form | Acc]);
        {0, Form} -> last_port(SockAddrs, Port, [Form | Acc]);
        _ -> badarg
    end;
last_port([], Port, Acc) ->
    {Port, Acc}.

port_of({IP, Port} = Form) when is_tuple(IP) ->
    {Port, Form};
port_of({Family, {_, Port}} = Form) when Family =:= inet; Family =:= inet6 ->
    {Port, Form};
port_of(#{family := Family} = Map) when Family =:= inet; Family =:= inet6 ->
    #{port := Port} = Form = sockaddr_defaults(Map),
    {Port, Form};
port_of(_) ->
    badarg.

set_port({IP, _}, Port) when is_tuple(IP) -> {IP, Port};
set_port({Family, {IP, _}}, Port) -> {Family, {IP, Port}};
set_port(#{} = Map, Port) -> Map#{port := Port}.

%% Address forms.

%% @doc `any' and `loopback' as addresses of the family, all else unchanged.
-spec translate(term(), gen_sctp_nif_prim:family()) -> term().
translate(any, inet) -> {0, 0, 0, 0};
translate(loopback, inet) -> {127, 0, 0, 1};
translate(any, inet6) -> {0, 0, 0, 0, 0, 0, 0, 0};
translate(loopback, inet6) -> {0, 0, 0, 0, 0, 0, 0, 1};
translate(Other, _) -> Other.

%% @doc A sockaddr map with the missing keys filled in. Raises
%% `{invalid, {sockaddr, ...}}' for a map without family or with keys that no
%% address of its family has. An unknown family is let through: sockaddr/2
%% refuses it later, as OTP does.
-spec sockaddr_defaults(map()) -> map().
sockaddr_defaults(#{family := inet} = Map) ->
    defaults(#{family => inet, addr => any, port => 0}, Map);
sockaddr_defaults(#{family := inet6} = Map) ->
    defaults(#{family => inet6, addr => any, port => 0, flowinfo => 0, scope_id => 0}, Map);
sockaddr_defaults(#{family := _} = Map) ->
    Map;
sockaddr_defaults(Map) ->
    error({invalid, {sockaddr, family, Map}}).

defaults(Defaults, Map) ->
    case maps:keys(maps:without(maps:keys(Defaults), Map)) of
        [] -> maps:merge(Defaults, Map);
        Keys -> error({invalid, {sockaddr, {keys, Keys}, Map}})
    end.

%% @doc The address that a form stands for, every number in its range.
%% `badarg', for the caller to raise as OTP does, is a map whose address is not
%% even a tuple.
-spec sockaddr(gen_sctp_nif_prim:family(), term()) ->
    {ok, gen_sctp_nif_prim:address()} | {error, einval | badarg}.
sockaddr(Family, {Wild, Port}) when Wild =:= any; Wild =:= loopback ->
    checked(translate(Wild, Family), Port);
sockaddr(_, {IP, Port}) when is_tuple(IP) ->
    checked(IP, Port);
sockaddr(_, {Family, {IP, Port}}) when Family =:= inet; Family =:= inet6 ->
    checked_family(Family, IP, Port);
sockaddr(_, #{family := Family, addr := Addr, port := _})
        when Family =:= inet orelse Family =:= inet6, Addr =/= any, Addr =/= loopback,
            not is_tuple(Addr) ->
    {error, badarg};
sockaddr(_, #{family := inet, addr := Addr, port := Port}) ->
    checked_family(inet, Addr, Port);
sockaddr(_, #{family := inet6, addr := Addr, port := Port,
        flowinfo := FlowInfo, scope_id := ScopeId}) ->
    case checked_family(inet6, Addr, Port) of
        {ok, _} = Ok when FlowInfo =:= 0, ScopeId =:= 0 ->
            Ok;
        {ok, {IP6, Port}} when ?IS_U32(FlowInfo), ?IS_U32(ScopeId) ->
            {ok, {IP6, Port, FlowInfo, ScopeId}};
        _ ->
            {error, einval}
    end;
sockaddr(_, _) ->
    {error, einval}.

checked_family(Family, IP0, Port) ->
    IP = translate(IP0, Family),
    case {Family, IP} of
        {inet, {_, _, _, _}} -> checked(IP, Port);
        {inet6, {_, _, _, _, _, _, _, _}} -> checked(IP, Port);
        _ -> {error, einval}
    end.

checked(IP, Port) when ?IS_U16(Port) ->
    case inet:is_ip_address(IP) of
        true -> {ok, {IP, Port}};
        false -> {error, einval}
    end;
checked(_, _) ->
    {error, einval}.

%% @doc All the forms of one call; the first that is wrong decides the error.
%% None, or too many, is an error as well.
-spec sockaddrs(gen_sctp_nif_prim:family(), [form()]) ->
    {ok, [gen_sctp_nif_prim:address(), ...]} | {error, einval | badarg}.
sockaddrs(_, Forms) when Forms =:= []; length(Forms) > ?MAX_ADDRS ->
    {error, einval};
sockaddrs(Family, Forms) ->
    sockaddrs(Family, Forms, []).

sockaddrs(Family, [Form | Forms], Acc) ->
    case sockaddr(Family, Form) of
        {ok, Addr} -> sockaddrs(Family, Forms, [Addr | Acc]);
        {error, _} = Error -> Error
    end;
sockaddrs(_, [], Acc) ->
    {ok, lists:reverse(Acc)}.
