defmodule ErrorsTest do
  use ExUnit.Case, async: true
  import Sctp

  test "what the kernel refuses is a posix name" do
    port = port(open())
    assert {:error, :eaddrinuse} = :gen_sctp_nif.open(port, ip: ip())
    assert {:error, :eaddrnotavail} = :gen_sctp_nif.open(ip: {192, 0, 2, 1})
    assert {:error, :epipe} = :gen_sctp_nif.send(open(), 4711, 0, "nobody")
    assert {:error, :einval} = :inet.setopts(open(), no_such_option: 1)
    assert {:error, :einval} = :gen_sctp_nif.send(open(), 1, 0, :no_iodata)
  end

  test "an association that does not come about is a record" do
    # A socket that does not listen refuses.
    port = port(open())

    assert {:error, sctp_assoc_change(state: :cant_assoc)} =
             :gen_sctp_nif.connect(open(), ip(), port, [], 10_000)
  end

  test "nothing came" do
    assert {:error, :timeout} = :gen_sctp_nif.recv(listener(), 0)
    assert {:error, :einval} = :gen_sctp_nif.recv(listener(active: true), 0)
  end

  test "a closed socket" do
    socket = open()
    assert :ok = :gen_sctp_nif.close(socket)
    assert :ok = :gen_sctp_nif.close(socket)
    assert {:error, :closed} = :gen_sctp_nif.recv(socket)
    assert {:error, :closed} = :gen_sctp_nif.send(socket, 1, 0, "too late")
    assert {:error, :closed} = :gen_sctp_nif.listen(socket, true)
    assert {:error, :einval} = :inet.setopts(socket, active: :once)
  end

  test "a wrong argument is an ArgumentError" do
    assert_raise ArgumentError, fn -> :gen_sctp_nif.open(colour: :green) end
    assert_raise ArgumentError, fn -> :gen_sctp_nif.open("nine") end
    assert_raise ArgumentError, fn -> :gen_sctp_nif.recv(:no_socket) end
    assert_raise ArgumentError, fn -> :gen_sctp_nif.listen(open(), "yes") end
  end
end
