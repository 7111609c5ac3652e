%% @private
%% @doc Whether the native library is there, and why not.
-module(gen_sctp_nif_load).

-export([ensure/0]).

%% @doc Loads the native library, if it is not. The text names the file and
%% says what the loader said: that it is missing, or was built for another
%% machine.
-spec ensure() -> ok | {error, Text :: string()}.
ensure() ->
    try gen_sctp_nif_prim:counters() of
        #{} -> ok
    catch
        error:_ ->
            case code:load_file(gen_sctp_nif_prim) of
                {module, _} -> ok;
                {error, Reason} -> {error, text(Reason)}
            end
    end.

%% All that the code server tells is that `on_load' failed.
text(Reason) ->
    case persistent_term:get({gen_sctp_nif_prim, load_error}, Reason) of
        {load_failed, File, {_, Text}} -> lists:flatten(io_lib:format("~ts: ~ts", [File, Text]));
        Other -> lists:flatten(io_lib:format("gen_sctp_nif_prim: ~tp", [Other]))
    end.
