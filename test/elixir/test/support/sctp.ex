defmodule Sctp do
  @moduledoc "Records, and what every test does first."
  require Record

  @lib "gen_sctp_nif/include/inet_sctp.hrl"
  for {name, fields} <- Record.extract_all(from_lib: @lib), do: Record.defrecord(name, fields)

  @ip {127, 0, 0, 1}
  @timeout 10_000

  def ip, do: @ip

  @doc "On the loopback address only: no event about another address comes in between."
  def open(options \\ []) do
    {:ok, socket} = :gen_sctp_nif.open([ip: @ip] ++ options)
    ExUnit.Callbacks.on_exit(fn -> :gen_sctp_nif.close(socket) end)
    socket
  end

  def listener(options \\ []) do
    socket = open(options)
    :ok = :gen_sctp_nif.listen(socket, true)
    socket
  end

  def port(socket) do
    {:ok, port} = :inet.port(socket)
    port
  end

  @doc "Connects; the association's id."
  def connect(socket, port) do
    {:ok, sctp_assoc_change(state: :comm_up, assoc_id: id)} =
      :gen_sctp_nif.connect(socket, @ip, port, [], @timeout)

    id
  end

  def recv(socket), do: :gen_sctp_nif.recv(socket, @timeout)
end
