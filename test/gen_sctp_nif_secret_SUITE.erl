%% @doc What keeps the keys of authentication (RFC 4895) from being seen: by who makes a mistake, by
%% who looks at sockets, in what a node leaves that crashes.
-module(gen_sctp_nif_secret_SUITE).

-include("gen_sctp_nif.hrl").
-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-define(M, gen_sctp_nif).
-define(NET, gen_sctp_test_net).

suite() -> [{timetrap, {seconds, 90}}].

all() -> [{group, inet}, {group, inet6}, {group, node}].

groups() ->
    [{inet, [], [keys_are_hidden]}, {inet6, [], [keys_are_hidden]}, {node, [], [crash_dump]}].

init_per_suite(Config) -> ?NET:begin_suite([{module, ?M} | Config]).
end_per_suite(Config) -> ?NET:end_suite(Config).

init_per_group(node, Config) -> Config;
init_per_group(Group, Config) -> gen_sctp_test_lib:init_group(Group, Config).
end_per_group(_, _) -> ok.

%% Sockets are opened with authentication on.
init_per_testcase(_, Config) ->
    ok = ?NET:sysctl(?config(net, Config), "auth_enable", "1"),
    gen_sctp_test_lib:begin_case(Config).

end_per_testcase(_, Config) ->
    gen_sctp_test_lib:end_case(fun() ->
        ?NET:sysctl(?config(net, Config), "auth_enable", "0")
    end, Config).

key(Number, Key) -> {sctp_auth_key, #sctp_authkey{keynumber = Number, key = Key}}.

%% What is raised, and what is said of it, has the wrong options but no key.
keys_are_hidden(Config) ->
    Near = ?NET:netns(?config(net, Config), near),
    {ok, S} = ?M:open([gen_sctp_test_lib:family(Config), Near]),
    gen_sctp_test_lib:adopt(S),
    Loopback = gen_sctp_test_lib:loopback(Config),
    Secret = "correct horse battery staple",
    Key = key(1, list_to_binary(Secret)),
    {sctp_auth_key, #sctp_authkey{key = Binary}} = Key,
    Calls =
        [fun() -> ?M:open([Near, Key | Rest]) end
         || Rest <- [[foo], [{active, wrong}], foo, [{ip, x}]]] ++
        [fun() -> ?M:open([Wrong]) end
         || Wrong <- [key(1, Secret), key(foo, Binary), {sctp_auth_key, Binary},
                      {sctp_auth_key, Secret}]] ++
        [fun() -> ?M:open(0, [Near, Key, foo]) end, fun() -> ?M:open(foo, [Key]) end,
         fun() -> ?M:open(0, [Key | foo]) end,
         fun() -> inet:setopts(S, [Key | foo]) end,
         fun() -> inet:setopts(setelement(3, S, make_ref()), [Key]) end,
         fun() -> ?M:connect(S, Loopback, 20, [Key], foo) end,
         fun() -> ?M:connect(S, Loopback, 20, [Key | foo], 0) end,
         fun() -> ?M:connect(foo, Loopback, 20, [Key]) end,
         fun() -> ?M:connect_init(S, #{family => foo}, [Key], foo) end,
         fun() -> ?M:connectx_init(S, foo, [Key]) end,
         fun() -> ?M:connectx_init(S, [Loopback], 20, [Key], foo) end,
         fun() -> ?M:connectx_init(S, [Loopback | foo], 20, [Key]) end,
         fun() -> ?M:open(#{sctp_auth_key => element(2, Key)}) end,
         fun() -> ?M:open(#{sctp_auth_key => Binary}) end,
         fun() -> ?M:connect(S, Loopback, 20, Key) end,
         fun() -> ?M:connect(S, Loopback, 20, [{active, false} | Key]) end,
         fun() -> ?M:connect_init(S, Loopback, 20, [{active, false} | Key]) end,
         fun() -> ?M:connectx_init(S, [{Loopback, 20}], [{active, false} | Key]) end,
         fun() -> inet:setopts(S, Key) end,
         fun() -> inet:setopts(S, [{active, false} | Key]) end,
         fun() -> inet:getopts(S, Key) end,
         fun() -> inet:getopts(S, [active | Key]) end,
         fun() -> ?M:getopt(S, Key) end,
         fun() -> ?M:getopt(foo, Key) end,
         fun() -> ?M:getopt(S, element(2, Key)) end] ++
        [fun() -> ?M:open([Near, Wrong]) end
         || Wrong <- [setelement(1, Key, sctp_authkey), setelement(1, Key, sctp_auth_active_key),
                      setelement(1, Key, misspelt), element(2, Key),
                      {sctp_auth_key, 1, Binary}, {sctp_authkey, Binary},
                      erlang:append_element(element(2, Key), 1), {misspelt, [Key]}]],
    [?assertEqual({Text, nomatch}, {Text, string:find(Text, "horse")})
     || Text <- [exception(Call) || Call <- Calls]],
    %% Which is where it would be.
    Shown = exception(fun() -> ?M:open([{sctp_autoclose, Secret}]) end),
    ?assertNotEqual(nomatch, string:find(Shown, "horse")),
    Wrong = exception(fun() -> ?M:open([key(1, Secret)]) end),
    ?assertNotEqual(nomatch, string:find(Wrong, "it takes an #sctp_authkey{}")),
    Other = exception(fun() -> ?M:open([Near, Key, {active, wrong}]) end),
    ?assertNotEqual(nomatch, string:find(Other, "{active,wrong}")),
    %% Nor is it told elsewhere.
    ok = inet:setopts(S, [Key]),
    ct:capture_start(),
    ok = ?M:i(),
    ct:capture_stop(),
    Told = io_lib:format("~p", [{ct:capture_get(), inet:info(S), ?M:stats(S)}]),
    ?assertEqual(nomatch, string:find(lists:flatten(Told), "horse")).

exception(Call) ->
    try Call() of
        Result -> error({none, Result})
    catch
        Class:Reason:Stack ->
            lists:flatten([io_lib:format("~0p ", [{Class, Reason, Stack}]),
                           erl_error:format_exception(Class, Reason, Stack)])
    end.

%% What a node that crashes leaves has no key that has been set, though the socket and its owner are
%% there; one that a process has would be found.
crash_dump(Config) ->
    Dump = filename:join(?config(priv_dir, Config), "erl_crash.dump"),
    Node = gen_sctp_test_node:start(#{env => [{"ERL_CRASH_DUMP", Dump}]}),
    unlink(Node),
    Netns = ?NET:netns(?config(net, Config), near),
    Sizes = [40, 100],
    ok = gen_sctp_test_node:call(Node, fun() ->
        {ok, S} = owner(Netns),
        {Pid, Monitor} = spawn_monitor(fun() ->
            [ok = inet:setopts(S, [key(Size, made(Size))]) || Size <- Sizes],
            ok = inet:setopts(S, [{sctp_auth_active_key, #sctp_authkeyid{keynumber = hd(Sizes)}}])
        end),
        receive {'DOWN', Monitor, process, Pid, Reason} -> normal = Reason end,
        Self = self(),
        Holder = spawn(fun() -> hold(Self, [made(Size + 1) || Size <- Sizes]) end),
        receive {Holder, ready} -> ok end
    end),
    ok = peer:cast(Node, erlang, halt, ["as it is wanted"]),
    gen_sctp_test_lib:until(fun() -> has_ended(Dump) end),
    {ok, Text} = file:read_file(Dump),
    ?assertEqual([{Size, false} || Size <- Sizes] ++ [{Size + 1, true} || Size <- Sizes],
                 [{Size, is_in(made(Size), Text)} || Size <- Sizes ++ [Size + 1 || Size <- Sizes]]).

%% Bytes that are nowhere before.
made(Size) ->
    Bytes = << <<(erlang:phash2({Size, N})):32>> || N <- lists:seq(1, Size) >>,
    %% A dump has no parts of binaries.
    binary:copy(binary:part(Bytes, 0, Size)).

owner(Netns) ->
    Self = self(),
    Owner = spawn(fun() ->
        {ok, S} = ?M:open([Netns]),
        Self ! {self(), S},
        receive stop -> ok end
    end),
    receive {Owner, S} -> {ok, S} end.

hold(Pid, Keys) ->
    Pid ! {self(), ready},
    receive stop -> Keys end.

has_ended(Dump) ->
    case file:read_file(Dump) of
        {ok, Text} -> binary:match(Text, <<"\n=end">>) =/= nomatch;
        {error, enoent} -> false
    end.

%% As it is, and as dumps have binaries, without what fills up the end.
is_in(Key, Text) ->
    Whole = byte_size(Key) div 3 * 3,
    Encoded = base64:encode(binary:part(Key, 0, Whole)),
    binary:match(Text, [Key, Encoded]) =/= nomatch.
