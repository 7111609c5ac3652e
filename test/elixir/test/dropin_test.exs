defmodule DropinTest do
  # Changes code of the whole node, and stops the application.
  use ExUnit.Case

  # What is said when an application stops.
  @moduletag :capture_log

  test "config/runtime.exs has switched it on" do
    assert {:"$inet", :gen_sctp_nif, _} = open()
    assert :installed = :gen_sctp_nif_dropin.status()
  end

  test "the application switches it on if its environment says so" do
    :ok = :gen_sctp_nif_dropin.uninstall()
    start(false)
    assert is_port(open())
    start(true)
    assert {:"$inet", :gen_sctp_nif, _} = open()
  end

  defp open do
    {:ok, socket} = :gen_sctp.open()
    :ok = :gen_sctp.close(socket)
    socket
  end

  defp start(dropin) do
    :ok = Application.stop(:gen_sctp_nif)
    Application.put_env(:gen_sctp_nif, :dropin, dropin)
    :ok = Application.start(:gen_sctp_nif)
  end
end
