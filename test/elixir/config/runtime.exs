import Config

config :gen_sctp_nif, dropin: true
