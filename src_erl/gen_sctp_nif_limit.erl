%% @private
%% @doc Bounds the mailboxes of owners: the option `mailbox_limit'.
%%
%% One process of this name, started when it is first needed, is asked by the
%% native code when a socket has delivered what was granted. It has a process
%% look at the owner's mailbox until that has room.
-module(gen_sctp_nif_limit).

-export([setopts/2]).

-export([serve/0]).
-export([question/0]).
-export([check/5]).
-export([found/5]).

%% Milliseconds between two looks at a full mailbox: the VM tells nobody when
%% it has room.
-define(PAUSE, 2).
%% The same where the mailbox holds many times what it should.
-define(MAX_PAUSE, 50).

%% @doc Sets options, of which one may be the bound.
-spec setopts(gen_sctp_nif_prim:ref(), [term()]) -> ok | gen_sctp_nif_prim:error().
setopts(Ref, Opts) ->
    case gen_sctp_nif_prim:setopts(Ref, Opts) of
        limited ->
            ok = ensure_running(),
            setopts(Ref, Opts);
        Result ->
            Result
    end.

ensure_running() ->
    case whereis(?MODULE) of
        undefined ->
            Pid = spawn(?MODULE, serve, []),
            try
                true = register(?MODULE, Pid),
                ok
            catch
                %% Somebody was quicker.
                error:badarg ->
                    exit(Pid, kill),
                    ensure_running()
            end;
        _ ->
            ok
    end.

%% @doc The process.
-spec serve() -> no_return().
serve() ->
    %% It is nobody's, and outlives the application of who was the first.
    true = group_leader(whereis(init), self()),
    next().

%% Whatever is remembered of a question would keep it, and the socket, from
%% being collected. Hibernation forgets.
-spec next() -> no_return().
next() ->
    erlang:hibernate(?MODULE, question, []).

-spec question() -> no_return().
question() ->
    receive
        {Ref, Owner, Most, Question} ->
            try
                spawn(?MODULE, check, [ok, Ref, Owner, Most, Question])
            catch
                %% No more processes: this question ends without an answer.
                error:system_limit -> ok
            end;
        _ ->
            ok
    end,
    next().

%% The longer it will take the owner, who has to answer each question. It may have thousands of
%% sockets, all of them full.
pause(Length, Most) -> min(?MAX_PAUSE, ?PAUSE * (Length div Most)).

%% @doc Waits for room in a mailbox, and grants it. Ends with the socket, and
%% when that has got another owner, whose mailbox is somebody else's.
%%
%% The question is kept until then: its end without an answer lifts the bound.
-spec check(ok, gen_sctp_nif_prim:ref(), pid(), pos_integer(), reference()) -> ok.
check(ok, Ref, Owner, Most, Question) ->
    gen_sctp_nif_prim:then({erlang, process_info, [Owner, message_queue_len]},
        {?MODULE, found, [Ref, Owner, Most, Question]}).

-spec found(undefined | {message_queue_len, non_neg_integer()}, gen_sctp_nif_prim:ref(), pid(),
    pos_integer(), reference()) -> ok.
found(Found, Ref, Owner, Most, Question) ->
    case {gen_sctp_nif_prim:owner(Ref), Found} of
        {{ok, Owner}, {message_queue_len, Length}} when Length < Most ->
            _ = gen_sctp_nif_prim:grant(Ref, Question, Most - Length),
            ok;
        {{ok, Owner}, {message_queue_len, Length}} ->
            gen_sctp_nif_prim:then({timer, sleep, [pause(Length, Most)]},
                {?MODULE, check, [Ref, Owner, Most, Question]});
        _ ->
            ok
    end.
