%% @private
%% @doc Option lists: of open (family, addresses, what is set before bind), of
%% connect (merged with the present values) and of peeloff (inherited).
%%
%% The options proper are not known here. They live in one table of the native
%% code, which checks names and types: adding one touches nothing in Erlang.
-module(gen_sctp_nif_opts).

-export([family/1]).
-export([open_options/2]).
-export([to_native/1]).
-export([from_native/1]).
-export([configure/2]).
-export([inherit/3]).

-include("gen_sctp_nif.hrl").

%% The user's receive buffer. A default as in OTP, and not the native code's
%% own only, because it competes with recbuf: see open_options/2.
-define(BUFFER, 65536).

%% What is needed to make a socket. `addrs' are forms of
%% gen_sctp_nif_addr:sockaddr/2, the first one to be bound, the rest added.
-type open() :: #{
    type := seqpacket | stream,
    netns := undefined | binary(),
    addrs := [term()],
    port := integer(),
    opts := [{term(), term()}]
}.

-export_type([open/0]).

%% Open.

%% @doc The family of an option list, and the list without what selects it.
%%
%% The last `{sctp_module, Module}' decides, else the first of `inet' and
%% `inet6'; the modules inet_sctp and inet6_sctp are other names for the
%% families, other modules cannot be used. Without any, an IPv6 address in the last `ip' or `ifaddr'
%% means inet6.
-spec family([term()]) -> {ok, gen_sctp_nif_prim:family(), [term()]} | {error, badarg}.
family(Opts) ->
    family(Opts, undefined, undefined, []).

family([{sctp_module, Module} | Opts], _, Addr, Acc) ->
    family(Opts, Module, Addr, Acc);
family([inet | Opts], Module, Addr, Acc) ->
    family(Opts, first(Module, inet_sctp), Addr, Acc);
family([inet6 | Opts], Module, Addr, Acc) ->
    family(Opts, first(Module, inet6_sctp), Addr, Acc);
family([{Name, Addr} = Opt | Opts], Module, _, Acc) when Name =:= ip; Name =:= ifaddr ->
    family(Opts, Module, Addr, [Opt | Acc]);
family([Opt | Opts], Module, Addr, Acc) ->
    family(Opts, Module, Addr, [Opt | Acc]);
family([], Module, Addr, Acc) ->
    case first(Module, module_of(Addr)) of
        inet_sctp -> {ok, inet, lists:reverse(Acc)};
        inet6_sctp -> {ok, inet6, lists:reverse(Acc)};
        _ -> {error, badarg}
    end.

module_of(IP) when tuple_size(IP) =:= 8 -> inet6_sctp;
module_of(#{family := inet6}) -> inet6_sctp;
%% What {sctp, Module} of the node's inetrc says, inet_sctp by default.
module_of(_) -> inet_db:sctp_module().

first(undefined, New) -> New;
first(Old, _) -> Old.

%% @doc The option list of open, sorted out.
%%
%% `opts' is in the order in which setopts/2 wants it, which applies the last
%% one first: the default `buffer' comes after the user's `recbuf' and so wins
%% over the size that recbuf would give the buffer, and an option that is
%% there twice has been replaced by the later one. The options of kernel's
%% `inet_default_sctp_options' are the base, unless one of them is wrong.
-spec open_options(gen_sctp_nif_prim:family(), [term()]) ->
    {ok, open()} | {error, badarg | inet:posix()}.
open_options(Family, Opts) ->
    case parse(Opts, Family, base(Family)) of
        {ok, #{port := Port}} when Port < 0; Port > 65535 -> {error, badarg};
        {ok, #{addrs := Addrs} = Open} -> {ok, Open#{addrs := list_of(Addrs)}};
        {error, _} = Error -> Error
    end.

list_of(undefined) -> [any];
list_of(Addrs) when is_list(Addrs) -> Addrs;
list_of(Addr) -> [Addr].

base(Family) ->
    None = #{
        type => seqpacket,
        netns => undefined,
        addrs => undefined,
        port => 0,
        opts => [{buffer, ?BUFFER}]
    },
    case application:get_env(kernel, inet_default_sctp_options) of
        {ok, Defaults} when is_list(Defaults), Defaults =/= [] ->
            case parse(Defaults, Family, None) of
                {ok, Open} -> Open;
                {error, _} -> None
            end;
        _ ->
            None
    end.

parse([Opt | Opts], Family, Open) ->
    case option(Opt, Family, Open) of
        #{} = NewOpen -> parse(Opts, Family, NewOpen);
        {error, _} = Error -> Error
    end;
%% Lists were collected by prepending.
parse([], _Family, #{addrs := Addrs, opts := Opts} = Open) when is_list(Addrs) ->
    {ok, Open#{addrs := lists:reverse(Addrs), opts := lists:reverse(Opts)}};
parse([], _Family, #{opts := Opts} = Open) ->
    {ok, Open#{opts := lists:reverse(Opts)}}.

%% A map stands alone: it replaces all addresses before it, and a later ip or
%% port goes into it.
option({ifaddr, #{} = Map}, _, Open) ->
    Open#{addrs := gen_sctp_nif_addr:sockaddr_defaults(Map)};
option({ip, Addr}, Family, #{addrs := #{} = Map} = Open) ->
    Open#{addrs := Map#{addr => gen_sctp_nif_addr:translate(Addr, Family)}};
option({Name, Addr}, Family, #{addrs := Addrs} = Open) when Name =:= ip; Name =:= ifaddr ->
    Open#{addrs := add_address(gen_sctp_nif_addr:translate(Addr, Family), Addrs)};
option({port, Service}, _, #{addrs := Addrs} = Open) ->
    case gen_sctp_nif_addr:service(Service) of
        {ok, Port} when is_map(Addrs) -> Open#{addrs := Addrs#{port => Port}};
        {ok, Port} -> Open#{port := Port};
        {error, _} = Error -> Error
    end;
option({type, Type}, _, Open) when Type =:= seqpacket; Type =:= stream ->
    Open#{type := Type};
option({netns, Path}, _, Open) ->
    case filename(Path) of
        Bin when is_binary(Bin) -> Open#{netns := Bin};
        _ -> {error, badarg}
    end;
option(Mode, _, Open) when Mode =:= binary; Mode =:= list ->
    add_option(mode, Mode, Open);
option({Name, Value}, _, Open) ->
    add_option(Name, Value, Open);
option(_, _, _) ->
    {error, badarg}.

%% The first address is taken as it is, and a list of addresses for those that
%% were collected so far: of `{ip, [A, B]}' B is the first, as in OTP.
add_address(Addr, undefined) -> Addr;
add_address(Addr, Addrs) when is_list(Addrs) -> [Addr | Addrs];
add_address(Addr, First) -> [Addr, First].

%% Checked here, as one that is replaced is never set.
add_option(Name, Value, #{opts := Opts} = Open) ->
    Option = {Name, Value},
    case gen_sctp_nif_prim:check_opt(Option) of
        true -> Open#{opts := [Option | [Old || Old <- Opts, not is_replaced(Old, Option)]]};
        false -> {error, badarg}
    end.

%% Each kind of event has an option of its own, by one name; so has each key, and type of chunk.
is_replaced({sctp_event, #sctp_event{type = Old}}, {sctp_event, #sctp_event{type = New}}) ->
    Old =:= New;
is_replaced({sctp_auth_chunk, Old}, {sctp_auth_chunk, New}) ->
    Old =:= New;
is_replaced({Name, #sctp_authkey{keynumber = Old}}, {Name, #sctp_authkey{keynumber = New}}) ->
    Old =:= New;
is_replaced({Name, #sctp_authkeyid{keynumber = Old}}, {Name, #sctp_authkeyid{keynumber = New}})
        when Name =/= sctp_auth_active_key ->
    Old =:= New;
is_replaced({Old, _}, {New, _}) ->
    Old =:= New.

%% Paths.

%% @doc Options for the native code, where a path is what the file system has.
-spec to_native([term()]) -> [term()].
to_native(Opts) ->
    [case Opt of
         {netns, Path} -> {netns, filename(Path)};
         _ -> Opt
     end || Opt <- Opts].

%% @doc And from it: the characters of a path, if it has such.
-spec from_native([term()]) -> [term()].
from_native(Values) ->
    [case Value of
         {netns, Path} -> {netns, characters(Path)};
         _ -> Value
     end || Value <- Values].

filename(Path) when is_list(Path) ->
    try
        unicode:characters_to_binary(Path, unicode, file:native_name_encoding())
    catch
        error:badarg -> Path
    end;
filename(Path) ->
    Path.

characters(Path) ->
    case unicode:characters_to_list(Path, file:native_name_encoding()) of
        Characters when is_list(Characters) -> Characters;
        _ -> Path
    end.

%% Connect.

%% @doc Set the options of a connect call. Fields of a record that are
%% undefined keep their present values (those of the endpoint: an association
%% id in the record is for the setting only), and so does `{Name, undefined}'.
-spec configure(gen_sctp_nif_prim:ref(), [term()]) ->
    ok | gen_sctp_nif_prim:error().
configure(_Ref, []) ->
    ok;
configure(Ref, Opts) ->
    case present(Ref, incomplete(Opts)) of
        {ok, Present} ->
            case merge(Opts, Present) of
                {ok, Merged} -> gen_sctp_nif_limit:setopts(Ref, Merged);
                {error, _} = Error -> Error
            end;
        {error, _} = Error ->
            Error
    end.

present(_Ref, []) -> {ok, []};
present(Ref, Names) -> gen_sctp_nif_prim:getopts(Ref, Names).

%% Cannot be asked for without a kind of event; the rest of it is what is wanted.
incomplete([{sctp_event, _} | Opts]) ->
    incomplete(Opts);
incomplete([{Name, undefined} | Opts]) when is_atom(Name) ->
    [Name | incomplete(Opts)];
incomplete([{Name, Record} | Opts]) when is_atom(Name), tuple_size(Record) >= 2 ->
    case lists:member(undefined, tl(tuple_to_list(Record))) of
        true -> [Name | incomplete(Opts)];
        false -> incomplete(Opts)
    end;
incomplete([_ | Opts]) ->
    incomplete(Opts);
incomplete([]) ->
    [];
incomplete(_) ->
    %% Without the end of what is no list, which may have a key.
    error(function_clause).

merge(Opts, Present) ->
    try
        {ok, [merge_option(Opt, Present) || Opt <- Opts]}
    catch
        throw:einval -> {error, einval}
    end.

%% The value that is there belongs to the policy that is there.
merge_option({sctp_default_prinfo, #sctp_default_prinfo{policy = Policy}} = Opt, _)
        when Policy =/= undefined ->
    Opt;
%% An option that cannot be read here is not in Present: it stays as it is.
merge_option({Name, Value} = Opt, Present) when Value =:= undefined; tuple_size(Value) >= 2 ->
    case lists:keyfind(Name, 1, Present) of
        false -> Opt;
        {Name, _} = Whole when Value =:= undefined -> settable(Whole);
        {Name, Template} -> {Name, merge_record(Value, settable_value(Template))}
    end;
merge_option(Opt, _) ->
    Opt.

merge_record(Record, Template)
        when tuple_size(Record) =:= tuple_size(Template),
            element(1, Record) =:= element(1, Template) ->
    list_to_tuple([first(Mine, Theirs) ||
        {Mine, Theirs} <- lists:zip(tuple_to_list(Record), tuple_to_list(Template))]);
merge_record(_Record, _Template) ->
    throw(einval).

settable({Name, Value}) ->
    {Name, settable_value(Value)}.

%% Three fields that getopts fills and that setopts must find undefined. OTP
%% leaves them filled, so that no connect call ever took this option.
settable_value(#sctp_sndrcvinfo{} = Info) ->
    Info#sctp_sndrcvinfo{ssn = undefined, tsn = undefined, cumtsn = undefined};
settable_value(Value) ->
    Value.

%% Peeloff.

%% @doc Give a peeled-off socket the options that the kernel does not copy.
%% `active' is the first in the list, so that it is set last.
-spec inherit(gen_sctp_nif_prim:family(), gen_sctp_nif_prim:ref(), gen_sctp_nif_prim:ref()) ->
    ok | gen_sctp_nif_prim:error().
inherit(Family, Parent, Child) ->
    case gen_sctp_nif_prim:getopts(Parent, inherited(Family)) of
        {ok, Opts} -> gen_sctp_nif_limit:setopts(Child, Opts);
        {error, _} = Error -> Error
    end.

inherited(inet) ->
    [active, mailbox_limit, sctp_nodelay, priority, linger, reuseaddr, tos, ttl, recvtos, recvttl];
inherited(inet6) ->
    [active, mailbox_limit, sctp_nodelay, priority, linger, reuseaddr, tclass, recvtclass].
