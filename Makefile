# The targets a user needs are `demo` and `test`; `make help` lists all.
VM := test/vm/run
EBIN := _build/default/lib/gen_sctp_nif/ebin
CT_CHOICE = $(if $(SUITE),--suite test/$(SUITE)) $(if $(GROUP),--group $(GROUP)) \
	$(if $(CASE),--case $(CASE))

.PHONY: help demo test check ct properties elixir test-otp conformance bench soak cross aarch64 musl platforms nif precompiled compile lint doc ex-doc figures pictures stack miri clean clean-nif

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## install what is missing, build, run the examples on a kernel with SCTP
	@scripts/bootstrap demo
	@rebar3 compile
	@$(VM) --time-limit 300 -- escript examples/demo.escript $(EBIN)

test: ## install what is missing, build, run all checks and tests
	@scripts/bootstrap test
	@scripts/test

check: ## run a part of the tests, for the inner loop: lint, unit tests, the quick suites
	@scripts/bootstrap check
	@rebar3 compile
	@scripts/check

ct: ## run the Common Test suites alone; SUITE=, GROUP= and CASE= choose some
	@scripts/bootstrap ct
	@scripts/ct $(CT_CHOICE)

properties: ## make random calls and compare with a model; COMMANDS=100000 calls, SEED= repeats a failure
	@scripts/bootstrap properties
	@scripts/properties

test-otp: ## run the suites on another Erlang/OTP: OTP=27 (default) or OTP=29
	@scripts/bootstrap test-otp
	@scripts/test-otp $(or $(OTP),27) $(CT_CHOICE)

elixir: ## run the tests in Elixir, and start Mix releases; OTP= as above
	@scripts/bootstrap elixir
	@scripts/elixir-test

conformance: ## run OTP's own gen_sctp_SUITE on OTP's gen_sctp and on ours; OTP= as above
	@scripts/bootstrap conformance
	@test/conformance/run $(OTP)

bench: ## measure beside OTP's gen_sctp and a bare loop; BENCH='--quick ...', see bench/run --help
	@scripts/bootstrap bench
	@bench/run $(BENCH)

soak: ## run under load for 30 minutes, or MINUTES=, then make 100,000 random calls, or in proportion
	@scripts/bootstrap soak
	@test/soak/run $(MINUTES)
	@COMMANDS=$$(($(or $(MINUTES),30) * 10000 / 3)) scripts/properties

cross: ## build the NIF for aarch64, run the unit tests as that machine's under QEMU
	@scripts/bootstrap cross
	@scripts/cross

aarch64: ## build the NIF for aarch64, run some suites with it in an emulated machine; SUITES='basic events'
	@scripts/bootstrap aarch64
	@scripts/aarch64 $(SUITES)

musl: ## build the NIF and an Erlang VM for musl, run some suites in it; SUITES='basic events'
	@scripts/bootstrap musl
	@scripts/musl $(SUITES)

platforms: ## make the tables of platforms in README.md and docs/platforms.md from docs/platforms.tsv
	@scripts/platforms

nif: ## build the NIF, priv/gen_sctp_nif.so
	@scripts/build-nif

precompiled: ## pack the NIF, with its checksum, for machines without Rust: _build/precompiled/
	@scripts/precompiled

compile: ## build the NIF and the Erlang modules
	@rebar3 compile

lint: ## check formatting, types, links, and more, without running anything
	@scripts/bootstrap lint
	@scripts/lint

doc: ## build the API reference, doc/, what h(gen_sctp_nif) shows, and target/doc/
	@scripts/doc
	@cargo doc --no-deps --workspace --document-private-items

ex-doc: ## build guides, documents and API reference with ExDoc, doc/; Debian 13 has it
	@scripts/ex-doc

stack: ## run the tests of native/stack, SCTP in user space, which is no part of the library yet
	@cargo test --locked --package stack

miri: ## run the tests of native/flow under Miri; needs a nightly Rust with it
	@cargo +nightly miri test --package flow --lib

figures: ## make the README's table and plot from docs/benchmark.md
	@scripts/figures

pictures: ## draw docs/architecture.svg from docs/architecture.dot; needs Graphviz
	@dot -Tsvg docs/architecture.dot -o docs/architecture.svg

clean: clean-nif ## remove what was built
	@rm -rf _build test/elixir/_build doc target

clean-nif:
	@rm -f priv/gen_sctp_nif.so
