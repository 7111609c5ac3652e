%% @private
%% @doc A socket changes hands, and the messages that its owner has not read yet go along.
-module(gen_sctp_nif_owner).

-export([give_away/3]).

%% @doc Meanwhile the socket delivers nothing to an owner: what is moved comes first.
-spec give_away(gen_sctp_nif:sctp_socket(), gen_sctp_nif_prim:ref(), pid()) ->
    ok | {error, closed | not_owner | badarg}.
give_away(S, Ref, Pid) ->
    case gen_sctp_nif_prim:handover(Ref, Pid) of
        ok ->
            Messages = take_messages(S),
            send_all(Pid, Messages),
            case gen_sctp_nif_prim:adopt(Ref, Pid) of
                {error, badarg} = Error ->
                    %% The new owner died just now. The caller keeps socket
                    %% and messages.
                    send_all(self(), Messages),
                    _ = gen_sctp_nif_prim:adopt(Ref, self()),
                    Error;
                Result ->
                    Result
            end;
        same ->
            ok;
        {error, _} = Error ->
            Error
    end.

%% All messages of a socket in the mailbox, oldest first.
take_messages(S) ->
    receive
        {sctp, S, _, _, _} = Message -> [Message | take_messages(S)];
        {sctp_batch, S, _} = Message -> [Message | take_messages(S)];
        {sctp_error, S, _, _, _} = Message -> [Message | take_messages(S)];
        {sctp_error, S, _} = Message -> [Message | take_messages(S)];
        {sctp_closed, S} = Message -> [Message | take_messages(S)];
        {sctp_passive, S} = Message -> [Message | take_messages(S)]
    after 0 ->
        []
    end.

send_all(Pid, Messages) ->
    lists:foreach(fun(Message) -> gen_sctp_nif_prim:forward(Pid, Message) end, Messages).
