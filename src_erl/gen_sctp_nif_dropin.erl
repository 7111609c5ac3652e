%% @doc Puts gen_sctp_nif in the place of `gen_sctp' in a running node.
%%
%% After {@link install/0} every module that calls `gen_sctp' gets our sockets,
%% and the functions of `inet' that OTP does not pass on to a socket's module
%% (`peernames/1,2', `socknames/2', `getfd/1') work on them. Sockets that were
%% opened before are ports: they go on working, served by the code that opened
%% them. {@link uninstall/0} gives the node back as it was.
%%
%% Nothing is loaded before all of it is made and checked, and all is loaded at
%% once or not at all. No process is ever killed: where one still runs code
%% from before an earlier switch, the answer is `{error, {in_use, Module}}'.
%% @end
-module(gen_sctp_nif_dropin).

-export([install/0]).
-export([uninstall/0]).
-export([status/0]).

%% The code of the replaced gen_sctp, under a name of its own.
-define(STOCK, gen_sctp_nif_stock).
-define(MARK, gen_sctp_nif_dropin).
%% Where generated code is from.
-define(LINE_1, erl_anno:new(1)).
-define(INET_FUNCTIONS, [{peernames, 1}, {peernames, 2}, {socknames, 2}, {getfd, 1}]).

-type reason() ::
    {load_failed, string()}
    | {other_gen_sctp, file:filename()}
    | {in_use, module()}
    | {no_object_code, module()}
    | {no_debug_info, gen_sctp}
    | {compile_failed, module(), term()}
    | {load, [{module(), term()}]}.

-export_type([reason/0]).

%% @doc Switches the drop-in on, and logs it; `ok' if it is on already.
%%
%% `{load_failed, Text}': the NIF cannot be loaded. `{other_gen_sctp, File}':
%% the gen_sctp that is loaded is not the one found in the code path, so it
%% could not be brought back.
%%
%% In a release that was stripped of debug information `inet' stays as it is; a
%% warning is logged that names the functions that do not work on our sockets.
%% `{no_debug_info, gen_sctp}': there are sockets of the old kind in such a
%% release, and they would be cut off. An error is logged, too.
-spec install() -> ok | {error, reason()}.
install() ->
    Result = exclusively(fun() ->
        case status() of
            installed -> ok;
            not_installed -> tell("on", do_install())
        end
    end),
    %% Who calls this by `-s' sees no answer.
    case Result of
        ok -> ok;
        {error, Reason} -> log(error, "gen_sctp stays as it was: ~tp", [Reason]), Result
    end.

%% @doc Switches the drop-in off, and logs it; `ok' if it is off already. Our open sockets
%% stay usable by way of `gen_sctp_nif'.
-spec uninstall() -> ok | {error, reason()}.
uninstall() ->
    exclusively(fun() ->
        case status() of
            installed -> tell("off", do_uninstall());
            not_installed -> ok
        end
    end).

%% @doc Whether the drop-in is on.
-spec status() -> installed | not_installed.
status() ->
    case lists:keyfind(?MARK, 1, gen_sctp:module_info(attributes)) of
        {?MARK, [on]} -> installed;
        false -> not_installed
    end.

exclusively(Fun) ->
    try
        global:trans({?MODULE, self()}, Fun, [node()])
    catch
        throw:{?MODULE, Reason} -> {error, Reason}
    end.

%% The operator is to know which code serves `gen_sctp'.
tell(Now, ok) -> log(notice, "the drop-in is ~s", [Now]);
tell(_Now, {error, _} = Error) -> Error.

log(Level, Format, Args) ->
    logger:log(Level, "gen_sctp_nif: " ++ Format, Args,
               #{application => gen_sctp_nif, event => dropin}).

-spec fail(reason()) -> no_return().
fail(Reason) -> throw({?MODULE, Reason}).

%% On.

do_install() ->
    ok = ensure_nif(),
    {gen_sctp, Sctp, SctpFile} = stock(gen_sctp),
    {inet, Inet, InetFile} = stock(inet),
    Stock = [{?STOCK, "gen_sctp_nif_stock", compile(?STOCK, rename(Forms))}
        || {ok, Forms} <- [abstract_code(gen_sctp, Sctp)]],
    Stock =/= [] orelse no_ports() orelse fail({no_debug_info, gen_sctp}),
    Gen = {gen_sctp, SctpFile, compile(gen_sctp, delegate(Stock =/= []))},
    NewInet = [{inet, InetFile, compile(inet, dispatch(Forms))}
        || {ok, Forms} <- [abstract_code(inet, Inet)]],
    case load(Stock ++ [Gen | NewInet]) of
        ok when NewInet =:= [] -> warn_of_inet();
        Result -> Result
    end.

%% Nobody has a socket of OTP's gen_sctp.
no_ports() ->
    not lists:any(fun(Port) -> erlang:port_info(Port, name) =:= {name, "sctp_inet"} end,
        erlang:ports()).

warn_of_inet() ->
    Functions = [io_lib:format("inet:~s/~b", [Name, Arity]) || {Name, Arity} <- ?INET_FUNCTIONS],
    log(warning, "inet was stripped of its debug information. On SCTP sockets do not work: ~s; "
        "those of gen_sctp_nif do.", [lists:join(", ", Functions)]).

%% The NIF is the one thing that may well be missing: look before anything is
%% touched.
ensure_nif() ->
    case gen_sctp_nif_load:ensure() of
        ok -> ok;
        {error, Text} -> fail({load_failed, Text})
    end.

%% The object code of a module as it is loaded.
stock(Module) ->
    {module, Module} = code:ensure_loaded(Module),
    case code:get_object_code(Module) of
        {Module, Beam, File} ->
            case is_loaded(Module, Beam) of
                true -> {Module, Beam, File};
                false when Module =:= gen_sctp -> fail({other_gen_sctp, File});
                false -> fail({no_object_code, Module})
            end;
        error ->
            fail({no_object_code, Module})
    end.

is_loaded(Module, Beam) ->
    {ok, {Module, MD5}} = beam_lib:md5(Beam),
    Module:module_info(md5) =:= MD5.

abstract_code(Module, Beam) ->
    case beam_lib:chunks(Beam, [abstract_code]) of
        {ok, {Module, [{abstract_code, {raw_abstract_v1, Forms}}]}} -> {ok, Forms};
        _ -> stripped
    end.

%% Whatever ERL_COMPILER_OPTIONS says: it is for the programs of who runs the node.
compile(Module, Forms) ->
    case compile:noenv_forms(Forms, [binary, debug_info, return_errors]) of
        {ok, Module, Beam} -> Beam;
        Error -> fail({compile_failed, Module, Error})
    end.

rename(Forms) ->
    lists:map(
        fun
            ({attribute, L, module, gen_sctp}) -> {attribute, L, module, ?STOCK};
            (Form) -> Form
        end,
        Forms).

%% A gen_sctp with the functions of the one it replaces. What takes a port goes
%% to the code that made it, where there is a copy of that.
delegate(HasStock) ->
    Exports = gen_sctp:module_info(exports) -- [{module_info, 0}, {module_info, 1}],
    [
        {attribute, ?LINE_1, module, gen_sctp},
        {attribute, ?LINE_1, ?MARK, on},
        {attribute, ?LINE_1, export, Exports}
        | [delegate(Function, Arity, HasStock) || {Function, Arity} <- Exports]
    ].

delegate(Function, Arity, HasStock) ->
    Args = [{var, ?LINE_1, list_to_atom("A" ++ integer_to_list(N))} || N <- lists:seq(1, Arity)],
    Ours = {clause, ?LINE_1, Args, [], [call(gen_sctp_nif, Function, Args)]},
    {function, ?LINE_1, Function, Arity, port_clause(Function, Args, HasStock) ++ [Ours]}.

port_clause(Function, [Socket | _] = Args, true)
        when Function =/= open, Function =/= error_string ->
    IsPort = {call, ?LINE_1, {atom, ?LINE_1, is_port}, [Socket]},
    [{clause, ?LINE_1, Args, [[IsPort]], [call(?STOCK, Function, Args)]}];
port_clause(_, _, _) ->
    [].

%% inet, with a clause before those of each function that does not dispatch.
dispatch(Forms) ->
    lists:map(
        fun
            ({function, L, Function, Arity, Clauses} = Form) ->
                case lists:member({Function, Arity}, ?INET_FUNCTIONS) of
                    true -> {function, L, Function, Arity, [our_clause(Function, Arity) | Clauses]};
                    false -> Form
                end;
            (Form) ->
                Form
        end,
        Forms).

our_clause(Function, Arity) ->
    Rest = [{var, ?LINE_1, list_to_atom("A" ++ integer_to_list(N))} || N <- lists:seq(2, Arity)],
    Socket = {var, ?LINE_1, 'S'},
    Tag = {atom, ?LINE_1, '$inet'},
    Ours = {tuple, ?LINE_1, [Tag, {atom, ?LINE_1, gen_sctp_nif}, {var, ?LINE_1, '_'}]},
    {clause, ?LINE_1, [{match, ?LINE_1, Ours, Socket} | Rest], [],
        [call(gen_sctp_nif, Function, [Socket | Rest])]}.

call(Module, Function, Args) ->
    {call, ?LINE_1, {remote, ?LINE_1, {atom, ?LINE_1, Module}, {atom, ?LINE_1, Function}}, Args}.

%% Off.

do_uninstall() ->
    Originals = [original(Module) || Module <- [gen_sctp, inet]],
    case load([New || {Module, _, Beam} = New <- Originals, not is_loaded(Module, Beam)]) of
        ok -> forget_stock();
        {error, _} = Error -> Error
    end.

original(Module) ->
    case code:get_object_code(Module) of
        {Module, Beam, File} -> {Module, File, Beam};
        error -> fail({no_object_code, Module})
    end.

%% The copy stays while somebody is in it, which does no harm.
forget_stock() ->
    case code:soft_purge(?STOCK) andalso code:delete(?STOCK) of
        true -> _ = code:soft_purge(?STOCK), ok;
        false -> ok
    end.

%% Loads all or nothing.
load(Modules) ->
    Names = [Module || {Module, _, _} <- Modules],
    %% Loading would purge old code, and kill who is in it.
    lists:foreach(fun(Module) -> code:soft_purge(Module) orelse fail({in_use, Module}) end, Names),
    Sticky = [Module || Module <- Names, code:is_sticky(Module)],
    lists:foreach(fun(Module) -> code:unstick_mod(Module) end, Sticky),
    try code:atomic_load(Modules) of
        ok -> ok;
        {error, Reasons} -> {error, {load, Reasons}}
    after
        lists:foreach(fun(Module) -> code:stick_mod(Module) end, Sticky)
    end.
