defmodule ActiveTest do
  use ExUnit.Case, async: true
  import Sctp

  # Far more than the buffers of both sockets hold.
  @messages 1000
  @size 1000
  @buffered 300

  test "once hands over one message at a time, and holds the sender up" do
    server = listener(active: :once, recbuf: 16_384)
    client = open(sndbuf: 16_384)
    id = connect(client, port(server))
    test = self()

    Task.async(fn ->
      for n <- 1..@messages, do: :ok = :gen_sctp_nif.send(client, id, 0, numbered(n))
      send(test, :all_sent)
    end)

    assert_receive {:sctp, ^server, _ip, _port, {[], sctp_assoc_change(state: :comm_up)}}

    for n <- 1..@messages do
      refute_received {:sctp, ^server, _, _, _}
      if n < @messages - @buffered, do: refute_received(:all_sent)
      :ok = :inet.setopts(server, active: :once)
      message = numbered(n)
      assert_receive {:sctp, ^server, _, _, {[_info], ^message}}
    end

    assert_receive :all_sent
    assert {:ok, [active: false]} = :inet.getopts(server, [:active])
  end

  defp numbered(n), do: <<n::size(@size)-unit(8)>>

  test "a count comes to its end with sctp_passive" do
    server = listener(active: 3)
    client = open()
    id = connect(client, port(server))
    for text <- ~w(a b c), do: :ok = :gen_sctp_nif.send(client, id, 0, text)

    assert_receive {:sctp, ^server, _, _, {[], sctp_assoc_change(state: :comm_up)}}
    assert_receive {:sctp, ^server, _, _, {[_], "a"}}
    assert_receive {:sctp, ^server, _, _, {[_], "b"}}
    assert_receive {:sctp_passive, ^server}
    assert {:ok, {_, _, [_], "c"}} = recv(server)
  end

  test "a socket can be given to another process, with what has come already" do
    server = listener(active: true)
    client = open()
    id = connect(client, port(server))
    :ok = :gen_sctp_nif.send(client, id, 0, "early")
    assert_receive {:sctp, ^server, ip, port, {[info], "early"}}
    send(self(), {:sctp, server, ip, port, {[info], "early"}})

    heir =
      Task.async(fn ->
        assert_receive {:sctp, ^server, _, _, {[], sctp_assoc_change()}}
        assert_receive {:sctp, ^server, _, _, {[_], "early"}}
        assert_receive {:sctp, ^server, _, _, {[_], "late"}}
        :heard
      end)

    assert :ok = :gen_sctp_nif.controlling_process(server, heir.pid)
    refute_received {:sctp, ^server, _, _, _}
    :ok = :gen_sctp_nif.send(client, id, 0, "late")
    assert :heard = Task.await(heir, 10_000)
  end
end
