%% @private
%% @doc The tables of `gen_sctp_nif:i/0', open sockets, and `i/1', associations.
-module(gen_sctp_nif_show).

-export([print/1]).
-export([associations/1]).

-define(HEADER, ["Socket", "Recv", "Sent", "Owner", "Local Address", "Foreign Address",
    "Assocs", "Active", "Type"]).
-define(ASSOCIATIONS, ["Assoc", "State", "Peer Address", "Path", "Cwnd", "SRTT", "RTO", "Rtx",
    "In", "Out"]).

%% Sockets.

%% @doc Prints a line for each socket, in columns as wide as needed.
-spec print([gen_sctp_nif:sctp_socket()]) -> ok.
print(Sockets) ->
    table([?HEADER | lists:append([row(S, gen_sctp_nif:info(S)) || S <- Sockets])]).

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

%% Associations.

%% @doc Prints a line for each path of each association.
-spec associations(gen_sctp_nif:sctp_socket()) -> ok.
associations(S) ->
    case gen_sctp_nif:assocs(S) of
        {ok, Ids} -> table([?ASSOCIATIONS | lists:append([paths(S, Id) || Id <- Ids])]);
        {error, Reason} -> io:put_chars([text(Reason), $\n])
    end.

paths(S, Id) ->
    case {gen_sctp_nif:status(S, Id), gen_sctp_nif:paths(S, Id), gen_sctp_nif:stats(S, Id)} of
        {{ok, #{state := State}}, {ok, [First | Others]}, {ok, Stats}} ->
            [[text(Id), text(State) | path(First)] ++ traffic(Stats) |
             [["", "" | path(Path)] ++ ["", "", ""] || Path <- Others]];
        %% Ended since the list was made.
        _ ->
            []
    end.

path(#{state := State, primary := Primary} = Path) ->
    Star = case Primary of true -> "*"; false -> "" end,
    [address(maps:get(address, Path)), text(State) ++ Star |
     [text(maps:get(Key, Path, undefined)) || Key <- [cwnd, srtt, rto]]].

traffic(#{rtxchunks := Again, iodchunks := In, iuodchunks := UnorderedIn, oodchunks := Out,
          ouodchunks := UnorderedOut}) ->
    [text(Again), text(In + UnorderedIn), text(Out + UnorderedOut)].

%% Cells.

%% The wildcard address of either family, and no address at all, are stars.
address({ok, Address}) ->
    address(Address);
address({IP, Port}) when is_tuple(IP) ->
    case lists:usort(tuple_to_list(IP)) of
        [0] -> "*:" ++ text(Port);
        _ -> inet:ntoa(IP) ++ ":" ++ text(Port)
    end;
address(_None) ->
    "*:*".

text(undefined) -> "-";
text(Term) -> lists:flatten(io_lib:format("~w", [Term])).

table(Rows) ->
    Widths = [lists:max([length(Cell) || Cell <- Column]) || Column <- transpose(Rows)],
    lists:foreach(fun(Row) -> print_row(Row, Widths) end, Rows).

print_row(Row, Widths) ->
    Cells = [string:pad(Cell, Width) || {Cell, Width} <- lists:zip(Row, Widths)],
    io:put_chars([string:trim(lists:join($\s, Cells), trailing), $\n]).

transpose([[] | _]) -> [];
transpose(Rows) -> [[hd(Row) || Row <- Rows] | transpose([tl(Row) || Row <- Rows])].
