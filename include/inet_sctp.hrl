%% The SCTP records of gen_sctp, unchanged: those of the very kernel
%% application that the code is compiled with.
-ifndef(GEN_SCTP_NIF_INET_SCTP_HRL).
-define(GEN_SCTP_NIF_INET_SCTP_HRL, true).

-include_lib("kernel/include/inet_sctp.hrl").

-endif.
