# The targets a user needs are `demo` and `test`; `make help` lists all.
SHELL := /bin/bash
VM := test/vm/run
EBIN := _build/default/lib/gen_sctp_nif/ebin
CT_CHOICE = $(if $(SUITE),--suite test/$(SUITE)) $(if $(GROUP),--group $(GROUP)) \
	$(if $(CASE),--case $(CASE))

.PHONY: help demo test ct properties elixir test-otp conformance bench soak nif compile lint doc pictures miri clean clean-nif

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## install what is missing, build, run the examples on a kernel with SCTP
	@scripts/bootstrap demo
	@rebar3 compile
	@$(VM) --time-limit 300 -- escript examples/demo.escript $(EBIN)

test: ## install what is missing, then all checks and tests
	@scripts/bootstrap test
	@scripts/test

ct: compile ## the Common Test suites alone; SUITE=, GROUP= and CASE= narrow it
	@scripts/ct $(CT_CHOICE)

properties: compile ## random calls against a model of the API; COMMANDS=100000 of them, SEED= of a failure
	@scripts/properties

test-otp: ## those suites on another release of Erlang/OTP: OTP=27 (default) or OTP=29
	@scripts/bootstrap test-otp
	@scripts/test-otp $(or $(OTP),27) $(CT_CHOICE)

elixir: ## the tests of the Mix project test/elixir, and its releases
	@scripts/bootstrap elixir
	@scripts/elixir-test

conformance: ## OTP's own gen_sctp_SUITE, on OTP's gen_sctp and on ours; OTP= as above
	@scripts/bootstrap conformance
	@test/conformance/run $(OTP)

bench: ## the benchmark, beside OTP's gen_sctp and a bare loop; BENCH='--quick ...', see bench/run --help
	@scripts/bootstrap bench
	@bench/run $(BENCH)

soak: ## the long load, 30 minutes or MINUTES=, then 100,000 random calls, or as many for the time
	@scripts/bootstrap soak
	@test/soak/run $(MINUTES)
	@COMMANDS=$$(($(or $(MINUTES),30) * 10000 / 3)) scripts/properties

nif: ## the NIF library, priv/gen_sctp_nif.so
	@scripts/build-nif

compile: ## the NIF and the Erlang modules
	@rebar3 compile

lint: ## formatting and static checks
	@scripts/bootstrap lint
	@scripts/lint

doc: ## API documentation: doc/ and target/doc/
	@rebar3 edoc
	@cargo doc --no-deps --workspace --document-private-items

miri: ## the tests of native/flow under Miri; needs a nightly Rust with it
	@cargo +nightly miri test --package flow --lib

pictures: ## docs/architecture.svg, of docs/architecture.dot; needs Graphviz
	@dot -Tsvg docs/architecture.dot -o docs/architecture.svg

clean: clean-nif ## removes what was built
	@rm -rf _build test/elixir/_build doc target

clean-nif:
	@rm -f priv/gen_sctp_nif.so
