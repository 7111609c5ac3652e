%% Messages that send_batch is given, and a receiver gets, at a time.
-define(BATCH, 64).

%% A case of the benchmark.
-record(spec, {
    kind :: atom(),
    %% Bytes of a message.
    size :: non_neg_integer(),
    %% How messages are received: passive, or the active mode.
    mode :: passive | true | once | pos_integer(),
    %% Messages that are measured, of each sender.
    count :: pos_integer()
}).
