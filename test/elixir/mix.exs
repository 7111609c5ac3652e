defmodule Echo.MixProject do
  use Mix.Project

  def project do
    [
      app: :echo,
      version: "0.1.0",
      elixir: "~> 1.14",
      elixirc_paths: if(Mix.env() == :test, do: ["lib", "test/support"], else: ["lib"]),
      deps: deps(),
      releases: [
        # With it the drop-in can change inet.
        echo: [strip_beams: [keep: ["Dbgi"]]],
        # As Mix does it if it is not told otherwise.
        stripped: []
      ]
    ]
  end

  def application, do: [extra_applications: [:logger]]

  defp deps do
    [
      {:gen_sctp_nif, path: "../.."}
    ]
  end
end
