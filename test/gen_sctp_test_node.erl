%% @doc Nodes of their own, to be limited, loaded and broken.
-module(gen_sctp_test_node).

-export([start/1]).
-export([call/2]).
-export([stop/1]).
-export([os_pid/1]).
-export([faults/0]).
-export([faulty/1]).
-export([paths/1]).

-export_type([options/0]).

%% `shell': what the shell that becomes the node does before. `by': a command that runs it. `ebin':
%% where our modules are. `panics': the directory that panics are ordered in, of a node with the
%% library that has them.
-type options() :: #{shell => string(), by => string(), env => [{string(), string()}],
                     ebin => file:filename(), panics => file:filename()}.

-define(TIMEOUT, 120000).

-spec start(options()) -> pid().
start(Options) ->
    Erl = filename:join([code:root_dir(), "bin", "erl"]),
    Shell = [maps:get(shell, Options, ""), "exec ", maps:get(by, Options, ""), " ", Erl, " \"$@\""],
    Env = case Options of
              #{panics := Directory} -> [{"GEN_SCTP_NIF_PANICS", Directory}];
              #{} -> []
          end,
    {ok, Peer, _} = peer:start_link(#{
        connection => standard_io,
        exec => {"/bin/sh", ["-c", lists:flatten(Shell), "sh"]},
        args => lists:append([["-pa", Path] || Path <- paths(Options)]),
        env => Env ++ maps:get(env, Options, []),
        wait_boot => ?TIMEOUT
    }),
    Peer.

%% @doc What is in the code path of such a node.
-spec paths(options()) -> [file:filename()].
paths(Options) ->
    Ebin = maps:get(ebin, Options, filename:dirname(code:which(gen_sctp_nif))),
    Tests = filename:dirname(code:which(?MODULE)),
    case Options of
        #{panics := Directory} -> [with_panics(Directory, Ebin), Tests];
        #{} -> [Ebin, Tests]
    end.

%% An application directory with our modules and the other library.
with_panics(Directory, Ebin) ->
    Application = filename:join(Directory, "gen_sctp_nif"),
    ok = filelib:ensure_path(Application),
    [case file:make_symlink(To, filename:join(Application, Name)) of
         ok -> ok;
         {error, eexist} -> ok
     end || {Name, To} <- [{"ebin", Ebin}, {"priv", filename:join(faults(), "priv")}]],
    filename:join(Application, "ebin").

%% @doc Where `scripts/build-faults' has built: below the directory that rebar3 builds in, or one
%% above that.
-spec faults() -> file:filename().
faults() ->
    faults(filename:dirname(code:which(gen_sctp_nif))).

faults("/") ->
    error({missing, "scripts/build-faults"});
faults(Directory) ->
    Faults = filename:join(Directory, "faults"),
    case filelib:is_regular(filename:join(Faults, "errors.so")) of
        true -> Faults;
        false -> faults(filename:dirname(Directory))
    end.

%% @doc What starts a node with test/faults/errors.c, which this environment tells what to do.
-spec faulty([{string(), string()}]) -> options().
faulty(Env) ->
    Library = filename:join(faults(), "errors.so"),
    #{shell => "export LD_PRELOAD=" ++ Library ++ "; ", env => Env}.

%% @doc Calls a function there, in a process that lives as long as the call.
-spec call(pid(), fun(() -> Result)) -> Result.
call(Peer, Fun) ->
    peer:call(Peer, erlang, apply, [Fun, []], ?TIMEOUT).

-spec os_pid(pid()) -> string().
os_pid(Peer) ->
    peer:call(Peer, os, getpid, [], ?TIMEOUT).

-spec stop(pid()) -> ok.
stop(Peer) ->
    peer:stop(Peer).
