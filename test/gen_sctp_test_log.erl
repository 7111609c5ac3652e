%% @doc What a node logs about the library.
-module(gen_sctp_test_log).

-export([keep/0]).
-export([kept/2]).
-export([stop/1]).

-export([log/2]).

-export_type([event/0]).

-type event() :: {logger:level(), string(), logger:metadata()}.

%% @doc Keeps what is logged in this node from now on.
-spec keep() -> pid().
keep() ->
    Keeper = spawn(fun() -> keep([]) end),
    ok = logger:add_handler(?MODULE, ?MODULE, #{config => Keeper}),
    Keeper.

%% @doc What has been logged, as soon as it is so much.
-spec kept(pid(), non_neg_integer()) -> [event()].
kept(Keeper, Count) ->
    gen_sctp_test_lib:until(fun() -> length(ask(Keeper)) >= Count end),
    ask(Keeper).

-spec stop(pid()) -> ok.
stop(Keeper) ->
    ok = logger:remove_handler(?MODULE),
    exit(Keeper, kill),
    ok.

keep(Events) ->
    receive
        {event, Event} -> keep([Event | Events]);
        {ask, From, Ref} -> From ! {Ref, lists:reverse(Events)}, keep(Events)
    end.

ask(Keeper) ->
    Ref = make_ref(),
    Keeper ! {ask, self(), Ref},
    receive {Ref, Events} -> Events end.

%% @private
%% @doc For `logger', in the process that logs.
-spec log(logger:log_event(), logger:handler_config()) -> ok.
log(#{level := Level, msg := {Format, Args}, meta := #{application := gen_sctp_nif} = Metadata},
    #{config := Keeper}) when is_list(Args), Format =/= string, Format =/= report ->
    Keeper ! {event, {Level, lists:flatten(io_lib:format(Format, Args)), Metadata}},
    ok;
log(_, _) ->
    ok.
