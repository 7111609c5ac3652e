defmodule DocumentsTest do
  # The code in Elixir of README.md and guides/, taken from the text and run as it stands there.
  use ExUnit.Case
  import Sctp

  test "pieces are code" do
    pieces =
      for document <- Documents.documents(),
          code <- Documents.pieces(document),
          do: {code, document}

    assert pieces != []
    for {code, document} <- pieces, do: Documents.compile_piece(code, document)
  end

  test "a GenServer answers on the stream that it was asked on" do
    server = start_supervised!({Echo, [ip: ip()]})
    client = open()
    id = connect(client, port(:sys.get_state(server)))

    for {text, stream} <- Enum.with_index(~w(one two three)) do
      :ok = :gen_sctp_nif.send(client, id, stream, text)

      assert {:ok, {_ip, _port, [sctp_sndrcvinfo(stream: ^stream, assoc_id: ^id)], ^text}} =
               recv(client)
    end
  end

  test "its client gets an answer, every time" do
    server = start_supervised!({Echo, []})
    port = port(:sys.get_state(server))

    for host <- [ip(), ~c"localhost"], _ <- 1..5 do
      assert Echo.ping(host, port) == {:ok, "ping"}
    end
  end

  test "its end closes the socket" do
    server = start_supervised!({Echo, [ip: ip()]})
    client = open()
    socket = :sys.get_state(server)
    id = connect(client, port(socket))
    closed = :inet.monitor(socket)
    :ok = stop_supervised(Echo)

    assert_receive {:DOWN, ^closed, :socket, ^socket, _reason}
    assert {:error, :closed} = :gen_sctp_nif.recv(socket, 0)
    assert {:ok, {_ip, _port, [], sctp_shutdown_event(assoc_id: ^id)}} = recv(client)
    assert {:ok, {_, _, [], sctp_assoc_change(state: :shutdown_comp)}} = recv(client)
  end

  test "a server counts, past the end of its counter, and forgets who has gone" do
    server = start_supervised!({Counter, [ip: ip()]})
    port = Counter.port(server)
    client = open()
    id = connect(client, port)

    for n <- 1..25, do: :ok = :gen_sctp_nif.send(client, id, 0, "#{n}")
    until(fn -> Counter.counts(server) == [25] end)

    assert :ok = Reporter.report(ip(), port, ~w(one two three))
    until(fn -> Counter.counts(server) == [25] end)

    :ok = :gen_sctp_nif.close(client)
    until(fn -> Counter.counts(server) == [] end)
  end

  test "each message of a report has a stream of its own" do
    server = listener()
    report = Task.async(fn -> Reporter.report(ip(), port(server), ~w(one two three)) end)
    assert {:ok, {_, _, [], sctp_assoc_change(state: :comm_up)}} = recv(server)

    for {text, stream} <- Enum.with_index(~w(one two three)) do
      assert {:ok, {_, _, [sctp_sndrcvinfo(stream: ^stream)], ^text}} = recv(server)
    end

    assert Task.await(report, 20_000) == :ok
    assert {:error, _} = Reporter.report(ip(), port(open()), ["in vain"])
    assert {:error, :einval} = Reporter.report("127.0.0.1", port(server), ["in vain"])
  end

  test "a supervisor starts a server again on its port" do
    {:ok, free} = :inet.port(socket = open())
    :ok = :gen_sctp_nif.close(socket)

    {:ok, supervisor} =
      Supervisor.start_link([{Counter, [ip: ip(), port: free]}], strategy: :one_for_one)

    child = fn -> supervisor |> Supervisor.which_children() |> hd() |> elem(1) end
    first = child.()
    Process.exit(first, :kill)
    until(fn -> is_pid(child.()) and child.() != first end)
    assert Counter.port(child.()) == free
    :ok = Supervisor.stop(supervisor)
  end

  test "the line of mix.exs" do
    assert File.read!("mix.exs") =~ "{:gen_sctp_nif, path: \"../..\"}"
    assert Documents.text("guides/elixir.md") =~ "{:gen_sctp_nif, path: \"../gen_sctp_nif\"}"
  end

  defp until(condition, tries \\ 1000) do
    cond do
      condition.() ->
        :ok

      tries == 0 ->
        flunk("the condition has never become true")

      true ->
        Process.sleep(10)
        until(condition, tries - 1)
    end
  end
end
