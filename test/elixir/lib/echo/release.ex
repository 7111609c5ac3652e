defmodule Echo.Release do
  @moduledoc """
  What the release test runs in a release: a program of its own that knows `gen_sctp` alone.
  """

  @ip {127, 0, 0, 1}

  @doc "Says in which mode the code is loaded, whose socket it got and what came through it."
  def main do
    {:ok, server} = :gen_sctp.open(ip: @ip)
    :ok = :gen_sctp.listen(server, true)
    {:ok, port} = :inet.port(server)
    {:ok, client} = :gen_sctp.open(ip: @ip)
    {:ok, assoc} = :gen_sctp.connect(client, @ip, port, [], 10_000)
    :ok = :gen_sctp.send(client, assoc, 0, "hello")

    IO.puts("#{:code.get_mode()} #{kind(server)} #{received(server)}")
    System.halt()
  end

  defp kind({:"$inet", module, _reference}), do: module
  defp kind(port) when is_port(port), do: :port

  defp received(socket) do
    case :gen_sctp.recv(socket, 10_000) do
      {:ok, {@ip, _port, [_info], data}} -> data
      {:ok, {@ip, _port, [], _event}} -> received(socket)
    end
  end
end
