defmodule RecordsTest do
  use ExUnit.Case, async: true
  import Sctp

  test "our header gives Elixir the records that OTP's gives" do
    ours = Record.extract_all(from_lib: "gen_sctp_nif/include/inet_sctp.hrl")
    assert Keyword.has_key?(ours, :sctp_assoc_change)
    assert ours == Record.extract_all(from_lib: "kernel/include/inet_sctp.hrl")
  end

  test "the other header gives these and further ones" do
    all = Record.extract_all(from_lib: "gen_sctp_nif/include/gen_sctp_nif.hrl")
    assert Record.extract_all(from_lib: "kernel/include/inet_sctp.hrl") -- all == []
    event = [assoc_id: :undefined, type: :undefined, on: :undefined]
    assert Keyword.fetch!(all, :sctp_event) == event

    server = listener()
    client = open(sctp_event: {:sctp_event, :undefined, :sender_dry, true})
    id = connect(client, port(server))
    :ok = :gen_sctp_nif.send(client, id, 0, "to be acknowledged")
    assert {:ok, {_ip, _port, [], {:sctp_sender_dry_event, ^id}}} = recv(client)
  end

  test "they go in and come out" do
    init = sctp_initmsg(num_ostreams: 3, max_instreams: 4, max_attempts: 5, max_init_timeo: 6000)
    server = listener()
    client = open(sctp_initmsg: init)
    assert {:ok, [sctp_initmsg: ^init]} = :inet.getopts(client, [:sctp_initmsg])

    connect(client, port(server))
    client_port = port(client)

    assert {:ok, {ip, ^client_port, [], event}} = recv(server)
    assert ip == ip()
    assert sctp_assoc_change(state: :comm_up, inbound_streams: 3, outbound_streams: 4) = event
  end

  test "a message takes all that sctp_sndrcvinfo says" do
    server = listener()
    client = open()
    id = connect(client, port(server))
    info = sctp_sndrcvinfo(assoc_id: id, stream: 7, ppid: 0x12345678, flags: [:unordered])
    assert :ok = :gen_sctp_nif.send(client, info, ["io", [?l | "ist"]])

    assert {:ok, {_ip, _port, [], sctp_assoc_change()}} = recv(server)
    assert {:ok, {_ip, _port, [received], "iolist"}} = recv(server)
    assert sctp_sndrcvinfo(stream: 7, ppid: 0x12345678, flags: [:unordered]) = received
  end
end
