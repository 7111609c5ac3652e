defmodule LookTest do
  use ExUnit.Case, async: true
  import Sctp

  test "an association and its path are maps" do
    server = listener()
    client = open()
    port = port(server)
    id = connect(client, port)
    ip = ip()

    assert {:ok, [^id]} = :gen_sctp_nif.assocs(client)
    assert {:ok, %{state: :established, primary: path}} = :gen_sctp_nif.status(client, id)
    assert %{address: {^ip, ^port}, state: :active, primary: true, rto: rto} = path
    assert is_integer(rto)
    assert {:ok, [^path]} = :gen_sctp_nif.paths(client, id)

    :ok = :gen_sctp_nif.send(client, id, 0, "data")
    assert {:ok, %{oodchunks: 1, rtxchunks: 0}} = :gen_sctp_nif.stats(client, id)
    assert {:ok, %{send_cnt: 1, associations: 1}} = :gen_sctp_nif.stats(client)

    assert {:ok, false} = :gen_sctp_nif.getopt(client, :sctp_nodelay)
    assert {:error, :einval} = :gen_sctp_nif.status(client, id + 1000)
    assert_raise ArgumentError, fn -> :gen_sctp_nif.getopt(client, :no_such_option) end
    assert %{sctp: true} = :gen_sctp_nif.features()
  end
end
