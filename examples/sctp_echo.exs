# An echo server and a client for it, in Elixir. With the application built:
#
#     elixir -pa _build/default/lib/gen_sctp_nif/ebin examples/sctp_echo.exs
defmodule SctpEcho do
  require Record

  for name <- [:sctp_assoc_change, :sctp_sndrcvinfo] do
    Record.defrecord(name, Record.extract(name, from_lib: "kernel/include/inet_sctp.hrl"))
  end

  # Data goes back where it came from, on the same stream; events are left alone.
  def serve(socket) do
    with {:ok, {_ip, _port, anc, data}} <- :gen_sctp_nif.recv(socket) do
      with [sctp_sndrcvinfo(assoc_id: id, stream: stream)] <- anc,
           do: :ok = :gen_sctp_nif.send(socket, id, stream, data)

      serve(socket)
    end
  end
end

loopback = {127, 0, 0, 1}
{:ok, server} = :gen_sctp_nif.open(ip: loopback)
:ok = :gen_sctp_nif.listen(server, true)
{:ok, port} = :inet.port(server)
task = Task.async(fn -> SctpEcho.serve(server) end)

{:ok, client} = :gen_sctp_nif.open()
{:ok, assoc} = :gen_sctp_nif.connect(client, loopback, port, [], 5000)
:ok = :gen_sctp_nif.send(client, assoc, 3, "Hello from Elixir")
{:ok, {^loopback, ^port, _anc, reply}} = :gen_sctp_nif.recv(client, 5000)
IO.puts("echoed: #{reply}")

:ok = :gen_sctp_nif.close(client)
:ok = :gen_sctp_nif.close(server)
{:error, :closed} = Task.await(task)
