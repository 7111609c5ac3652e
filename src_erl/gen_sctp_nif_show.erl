%% @private
%% @doc The table of open sockets that `gen_sctp_nif:i/0' prints.
-module(gen_sctp_nif_show).

-export([print/1]).

-define(HEADER, ["Socket", "Recv", "Sent", "Owner", "Local Address", "Foreign Address",
    "Assocs", "Active", "Type"]).

%% @doc Prints a line for each socket, in columns as wide as needed.
-spec print([gen_sctp_nif:sctp_socket()]) -> ok.
print(Sockets) ->
    Rows = [?HEADER | lists:append([row(S, gen_sctp_nif:info(S)) || S <- Sockets])],
    Widths = [lists:max([length(Cell) || Cell <- Column]) || Column <- transpose(Rows)],
    lists:foreach(fun(Row) -> print_row(Row, Widths) end, Rows).

row(S, #{owner := Owner, type := Type, active := Active, counters := Counters} = Info) ->
    [[
        gen_sctp_nif:socket_to_list(S),
        text(maps:get(recv_oct, Counters)),
        text(maps:get(send_oct, Counters)),
        text(Owner),
        address(gen_sctp_nif:sockname(S)),
        address(gen_sctp_nif:peername(S)),
        text(maps:get(associations, Info, undefined)),
        text(Active),
        string:uppercase(text(Type))
    ]];
%% Closed since the list of sockets was made.
row(_S, #{}) ->
    [].

%% The wildcard address of either family, and no address at all, are stars.
address({ok, {IP, Port}}) ->
    case lists:usort(tuple_to_list(IP)) of
        [0] -> "*:" ++ text(Port);
        _ -> inet:ntoa(IP) ++ ":" ++ text(Port)
    end;
address({error, _}) ->
    "*:*".

text(undefined) -> "-";
text(Term) -> lists:flatten(io_lib:format("~w", [Term])).

print_row(Row, Widths) ->
    Cells = [string:pad(Cell, Width) || {Cell, Width} <- lists:zip(Row, Widths)],
    io:put_chars([string:trim(lists:join($\s, Cells), trailing), $\n]).

transpose([[] | _]) -> [];
transpose(Rows) -> [[hd(Row) || Row <- Rows] | transpose([tl(Row) || Row <- Rows])].
