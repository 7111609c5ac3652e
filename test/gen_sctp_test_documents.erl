%% @doc The code in README.md and in guides/: taken from the text, compiled and run as it stands.
%%
%% A block with the line `-module(...)' is a program, which a test has to run. One that begins with
%% `1> ' is a session in the shell: it is typed in, and its answers are compared. All others are
%% pieces: they are compiled, their unbound variables being arguments.
-module(gen_sctp_test_documents).

-export([options/0]).
-export([top/0]).
-export([blocks/0]).
-export([programs/0]).
-export([build/0]).
-export([load/1]).
-export([directory/1]).
-export([compile_piece/1]).
-export([sessions/0]).
-export([session/1]).
-export([kind/1]).

-export_type([block/0]).

-type block() :: #{where := string(), line := pos_integer(), code := string()}.

-define(HEAD, "-compile([export_all, nowarn_export_all, nowarn_unused_record]).\n").
-define(RECORDS, "-include_lib(\"kernel/include/inet_sctp.hrl\").\n").

%% @doc The options of SCTP in the table of docs/options.md, which has all that the library has
%% beyond gen_sctp (native/sctp/tests/documented.rs).
-spec options() -> [atom()].
options() ->
    {ok, Text} = file:read_file(filename:join(top(), "docs/options.md")),
    [Table, _] = string:split(Text, "\n\"since\""),
    [list_to_atom(Name)
     || <<"| ", Row/binary>> <- string:split(Table, "\n", all),
        {match, Names} <- [re:run(hd(string:split(Row, " | ")), "`(sctp_\\w+)`",
                                  [global, {capture, all_but_first, list}])],
        [Name] <- Names].

%% @doc All blocks that are marked as Erlang, in order.
-spec blocks() -> [block()].
blocks() ->
    Top = top(),
    Guides = lists:sort(filelib:wildcard("guides/*.md", Top)),
    lists:append([blocks(Document, filename:join(Top, Document))
                  || Document <- ["README.md" | Guides]]).

blocks(Document, File) ->
    {ok, Text} = file:read_file(File),
    case re:run(Text, "^```erlang\n(.*?)^```$",
                [global, multiline, dotall, {capture, all_but_first, index}]) of
        {match, Blocks} ->
            [#{where => Document,
               line => length(binary:matches(Text, <<"\n">>, [{scope, {0, Start}}])) + 1,
               code => unicode:characters_to_list(binary:part(Text, Start, Length))}
             || [{Start, Length}] <- Blocks];
        nomatch ->
            []
    end.

%% @doc The documents are above all that is built.
-spec top() -> file:filename().
top() -> above(code:lib_dir(gen_sctp_nif)).

above(Directory) ->
    case filelib:is_regular(filename:join(Directory, "rebar.config")) of
        true -> Directory;
        false -> above(filename:dirname(Directory))
    end.

%% @doc What is to be done with a block.
-spec kind(block()) -> {program, module()} | session | piece.
kind(#{code := Code}) ->
    case re:run(Code, "^-module\\((\\w+)\\)", [multiline, {capture, all_but_first, list}]) of
        {match, [Name]} ->
            {program, list_to_atom(Name)};
        nomatch ->
            case re:run(Code, "^\\d+> ", [{capture, none}]) of
                match -> session;
                nomatch -> piece
            end
    end.

%% @doc All programs; a name may be there twice.
-spec programs() -> [{module(), block()}].
programs() ->
    [{Module, Block} || Block <- blocks(), {program, Module} <- [kind(Block)]].

%% @doc Compiles all. `scripts/ct' has it done before the machine starts, in which loading the
%% compiler takes a minute.
-spec build() -> ok.
build() ->
    lists:foreach(fun(Block) ->
        case kind(Block) of
            {program, Module} -> compile(Module, Block, fun code/1);
            session -> ok;
            piece -> compile_piece(Block)
        end
    end, blocks()).

%% @doc Loads a program, compiled if need be.
-spec load(module()) -> module().
load(Module) ->
    File = compile(Module, program(Module), fun code/1),
    {ok, Binary} = file:read_file(File),
    {module, Module} = code:load_binary(Module, File, Binary),
    Module.

program(Module) ->
    [Block] = [Block || {Name, Block} <- programs(), Name =:= Module],
    Block.

%% @doc Where a program lies when it is compiled, for other nodes.
-spec directory(module()) -> file:filename().
directory(Module) ->
    directory_of(program(Module)).

%% Of this very text and of how it is compiled, so that nothing in it is ever stale.
directory_of(#{code := Code}) ->
    Sum = erlang:phash2({Code, ?MODULE:module_info(md5)}, 1 bsl 32),
    filename:join([filename:dirname(filename:dirname(code:lib_dir(gen_sctp_nif))), "documents",
                   integer_to_list(Sum, 36)]).

compile(Module, #{where := Where, line := Line} = Block, Text) ->
    File = filename:join(directory_of(Block), atom_to_list(Module)),
    case filelib:is_regular(File ++ ".beam") of
        true ->
            ok;
        false ->
            ok = filelib:ensure_dir(File),
            ok = file:write_file(File ++ ".erl", unicode:characters_to_binary(Text(Block))),
            case compile:file(File, [binary, return, warnings_as_errors]) of
                {ok, Module, Binary, _} ->
                    ok = file:write_file(File ++ ".beam", Binary);
                {error, Errors, Warnings} ->
                    error({no_program, Where, {line, Line}, Errors, Warnings})
            end
    end,
    File ++ ".beam".

code(#{code := Code}) -> Code.

%% @doc Compiles a piece, which is functions and attributes, or expressions.
-spec compile_piece(block()) -> file:filename().
compile_piece(#{code := Code} = Block) ->
    Module = list_to_atom("piece_" ++ integer_to_list(erlang:phash2(Code))),
    Records = case string:find(Code, "gen_sctp_nif.hrl") of
        nomatch -> ?RECORDS;
        _ -> ""
    end,
    compile(Module, Block, fun(_) ->
        Body = case are_forms(Code) of
            true -> Code;
            false -> as_function(Block)
        end,
        lists:concat(["-module(", Module, ").\n", ?HEAD, Records, Body])
    end).

%% An attribute or the head of a function, which begins a line.
are_forms(Code) ->
    match =:= re:run(Code, "^(-[a-z]+\\(|-else|[a-z]\\w*\\(.*\\)( when .*)? ?->)",
                     [multiline, {capture, none}]).

%% Expressions, with a full stop at their end or not.
as_function(#{code := Code, where := Where, line := Line}) ->
    {ok, Tokens, _} = erl_scan:string(string:trim(Code, trailing, "\n. ") ++ "."),
    case erl_parse:parse_exprs(Tokens) of
        {ok, Body} ->
            Function = {function, 1, piece, arity(Body),
                        [{clause, 1, arguments(Body), [], used(Body)}]},
            lists:flatten(erl_pp:function(Function));
        {error, Reason} ->
            error({no_code, Where, {line, Line}, Reason})
    end.

arity(Body) -> length(unbound(Body)).
arguments(Body) -> [{var, 1, Name} || Name <- unbound(Body)].

unbound(Body) ->
    [{free, Free}] = [Item || {free, _} = Item <-
        erl_syntax:get_ann(erl_syntax_lib:annotate_bindings(erl_syntax:block_expr(Body), []))],
    Free.

%% What a piece binds, or is, its reader goes on with.
used(Body) ->
    Bound = [Name || {bound, Names} <- erl_syntax:get_ann(
                 erl_syntax_lib:annotate_bindings(erl_syntax:block_expr(Body), [])), Name <- Names],
    Value = {var, 1, 'ThePiece'},
    [{match, 1, Value, {block, 1, Body}}, {tuple, 1, [Value | [{var, 1, Name} || Name <- Bound]]}].

%% @doc The documents with sessions.
-spec sessions() -> [string()].
sessions() ->
    lists:usort([Where || #{where := Where} = Block <- blocks(), kind(Block) =:= session]).

%% @doc Types in all that a document's sessions type, which may use its programs; how many answers
%% were as they are shown. Numbers may be others.
-spec session(string()) -> non_neg_integer().
session(Document) ->
    _ = [load(Name) || {Name, #{where := Where}} <- programs(), Where =:= Document],
    Inputs = lists:append([inputs(Code) || #{where := Where, code := Code} = Block <- blocks(),
                                           Where =:= Document, kind(Block) =:= session]),
    {_, Compared} = lists:foldl(fun({Input, Expected}, {Bindings, N}) ->
        {ok, Tokens, _} = erl_scan:string(Input),
        {ok, Exprs} = erl_parse:parse_exprs(Tokens),
        {value, Value, New} = erl_eval:exprs(Exprs, Bindings),
        case string:trim(Expected) of
            "" -> {New, N};
            Text ->
                same_shape(value(Text), Value) orelse
                    error({other_answer, Document, Input, {shown, Text}, {is, Value}}),
                {New, N + 1}
        end
    end, {erl_eval:new_bindings(), 0}, Inputs),
    Compared.

%% `N> ' and what follows up to a full stop at the end of a line; then, up to the next, the answer.
inputs(Code) ->
    {match, Found} = re:run(Code, "^\\d+> (.*?\\.)$\n(.*?)(?=^\\d+> |\\z)",
                            [global, multiline, dotall, {capture, all_but_first, list}]),
    [{Input, Answer} || [Input, Answer] <- Found].

value(Text) ->
    Readable = re:replace(Text, "#Ref<[^>]*>|<\\d+\\.\\d+\\.\\d+>|\\.\\.\\.", "'any'",
                          [global, {return, list}]),
    {ok, Tokens, _} = erl_scan:string(Readable ++ "."),
    {ok, Value} = erl_parse:parse_term(Tokens),
    Value.

same_shape(any, _) -> true;
same_shape(One, Other) when is_integer(One) -> is_integer(Other);
same_shape([One | Ones], [Other | Others]) ->
    same_shape(One, Other) andalso same_shape(Ones, Others);
same_shape(One, Other) when is_tuple(One), is_tuple(Other) ->
    same_shape(tuple_to_list(One), tuple_to_list(Other));
same_shape(One, Other) when is_map(One), is_map(Other) ->
    lists:all(fun({Key, Value}) ->
        is_map_key(Key, Other) andalso same_shape(Value, maps:get(Key, Other))
    end, maps:to_list(One));
same_shape(One, Other) -> One =:= Other.
