defmodule Echo do
  use GenServer
  require Record

  @lib "gen_sctp_nif/include/inet_sctp.hrl"
  Record.defrecordp(:info, :sctp_sndrcvinfo, Record.extract(:sctp_sndrcvinfo, from_lib: @lib))

  def start_link(options), do: GenServer.start_link(__MODULE__, options)

  def init(options) do
    {:ok, socket} = :gen_sctp_nif.open([active: :once] ++ options)
    :ok = :gen_sctp_nif.listen(socket, true)
    {:ok, socket}
  end

  # Data goes back where it came from; events have no sctp_sndrcvinfo.
  def handle_info(message, socket) do
    with {:sctp, ^socket, _ip, _port, {[info(assoc_id: id, stream: stream)], data}} <- message,
         do: :gen_sctp_nif.send(socket, id, stream, data)

    :ok = :inet.setopts(socket, active: :once)
    {:noreply, socket}
  end
end
