defmodule Documents do
  @moduledoc """
  The code in Elixir of README.md and guides/. A block with `defmodule` is a program, which a test
  has to run; all others are pieces, which are compiled.
  """

  @top Path.expand("../../../..", __DIR__)

  # What documents_test.exs runs; what is not here is an error.
  @programs %{
    "README.md" => [Echo],
    "guides/elixir.md" => [SctpRecords, Counter, Reporter]
  }

  def documents, do: ["README.md" | Enum.map(Path.wildcard("#{@top}/guides/*.md"), &name/1)]

  defp name(path), do: Path.relative_to(path, @top)

  def text(document), do: File.read!(Path.join(@top, document))

  @doc "Compiles all programs; they are those that are to be there."
  def compile_programs do
    found =
      for document <- documents(), programs(document) != [], into: %{} do
        compiled = for code <- programs(document), do: Code.compile_string(code, document)
        {document, for({module, _} <- List.flatten(compiled), do: module)}
      end

    sorted = fn modules -> Map.new(modules, fn {name, list} -> {name, Enum.sort(list)} end) end
    true = sorted.(found) == sorted.(@programs)
  end

  @doc "A configuration is read; all else becomes a function."
  def compile_piece("import Config" <> _ = code, document) do
    [_ | _] = Config.Reader.eval!(document, code)
  end

  def compile_piece(code, document) do
    quoted = Code.string_to_quoted!(code, file: document)
    module = Module.concat(Piece, "P#{:erlang.phash2({document, code})}")

    [{^module, _}] =
      Code.compile_quoted(
        quote do
          defmodule unquote(module) do
            def run, do: unquote(quoted)
          end
        end
      )
  end

  def pieces(document), do: blocks(document) -- programs(document)

  defp programs(document), do: Enum.filter(blocks(document), &(&1 =~ ~r/^defmodule /m))

  defp blocks(document) do
    for [_, code] <- Regex.scan(~r/^```elixir\n(.*?)^```$/ms, text(document)), do: code
  end
end
