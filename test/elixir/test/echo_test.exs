defmodule EchoTest do
  use ExUnit.Case
  import Sctp

  setup do
    server = start_supervised!({Echo, [ip: ip()]})
    client = open()
    %{server: server, client: client, id: connect(client, port(:sys.get_state(server)))}
  end

  test "a GenServer answers on the stream that it was asked on", %{client: client, id: id} do
    for {text, stream} <- Enum.with_index(~w(one two three)) do
      :ok = :gen_sctp_nif.send(client, id, stream, text)

      assert {:ok, {_ip, _port, [sctp_sndrcvinfo(stream: ^stream, assoc_id: ^id)], ^text}} =
               recv(client)
    end
  end

  test "its end closes the socket", %{client: client, id: id, server: server} do
    socket = :sys.get_state(server)
    closed = :inet.monitor(socket)
    :ok = stop_supervised(Echo)

    assert_receive {:DOWN, ^closed, :socket, ^socket, _reason}
    assert {:error, :closed} = :gen_sctp_nif.recv(socket, 0)
    assert {:ok, {_ip, _port, [], sctp_shutdown_event(assoc_id: ^id)}} = recv(client)
    assert {:ok, {_, _, [], sctp_assoc_change(state: :shutdown_comp)}} = recv(client)
  end

  test "the README shows this GenServer, and the line of mix.exs" do
    readme = File.read!("../../README.md")
    assert readme =~ File.read!("lib/echo.ex")
    assert readme =~ "{:gen_sctp_nif, path: \"../gen_sctp_nif\"}"
    assert File.read!("mix.exs") =~ "{:gen_sctp_nif, path: \"../..\"}"
  end
end
