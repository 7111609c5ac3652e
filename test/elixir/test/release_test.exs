defmodule ReleaseTest do
  # Releases that `scripts/elixir-test` has built, started as they are by default.
  use ExUnit.Case, async: true

  @tag timeout: 300_000
  test "a release in embedded mode uses us for gen_sctp" do
    assert {output, 0} = start("echo")
    assert List.last(lines(output)) == "embedded gen_sctp_nif hello"
  end

  @tag timeout: 300_000
  test "a release without debug information does, too, and says what will not work" do
    assert {output, 0} = start("stripped")
    assert output =~ "inet:peernames/1"
    assert List.last(lines(output)) == "embedded gen_sctp_nif hello"
  end

  defp start(release) do
    build = Path.dirname(Mix.Project.build_path())

    System.cmd(Path.join(build, "prod/rel/#{release}/bin/#{release}"), ["start"],
      stderr_to_stdout: true,
      env: [
        # Neither a name nor epmd is needed here.
        {"RELEASE_DISTRIBUTION", "none"},
        # Run when all applications have started.
        {"ELIXIR_ERL_OPTIONS", "-s Elixir.Echo.Release main"},
        {"ERL_CRASH_DUMP_SECONDS", "0"}
      ]
    )
  end

  defp lines(output), do: String.split(output, "\n", trim: true)
end
