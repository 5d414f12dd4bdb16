# Two commands on a fresh machine do everything: `make demo` (the main job) and `make test`.
# Progress goes to stderr; stdout carries only what a command was asked for (`make demo ARGS=--json`).
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := $(CURDIR)/.venv
PYTHON ?= python3.11
PY := $(VENV)/bin/python
PACKAGES := $(CURDIR)/tools/setup/packages.sh
ARGS ?=
STARTED_TS := $(shell date +%s)
PLATFORM := $(shell uname -s | tr A-Z a-z)-$(shell uname -m | sed 's/x86_64/amd64/;s/aarch64/arm64/')
export SOLCX_BINARY_PATH := $(CURDIR)/.solcx
# What the compiler answered before is kept by content, outside this folder: a fresh clone needs no second compilation.
export PLIMSOLL_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/plimsoll
# The native binary, not the npm wrapper script: ending its process ends the chain.
ANVIL := $(CURDIR)/node_modules/@foundry-rs/anvil-$(PLATFORM)/bin
ANVIL_VERSION := 1.7.1
NPM_QUIET := --ignore-scripts --no-audit --no-fund --loglevel=error
export PATH := $(VENV)/bin:$(ANVIL):$(PATH)
export PYTHONUNBUFFERED := 1
SOL := $(shell find contracts interfaces -name '*.sol' 2>/dev/null)
STEP := $(CURDIR)/tools/setup/step.sh
SOLHINT := node $(CURDIR)/node_modules/solhint/solhint.js
# Brownie keeps networks and settings in the home folder; its own home makes every machine alike.
BROWNIE := env HOME=$(CURDIR)/.brownie $(VENV)/bin/brownie
# Brownie wants the paths before any option: behind one it adds the whole test folder.
CHAIN_TEST := $(BROWNIE) test

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# What Plimsoll runs on, and no more: the demo starts with this.
$(VENV)/.stamp: requirements.txt pyproject.toml
	@$(STEP) "checking Python, node and npm" tools/setup/tools.sh $(PYTHON)
	@$(STEP) "creating .venv" $(PYTHON) -m venv $(VENV)
	@$(STEP) "installing the Python packages that Plimsoll runs on" $(PACKAGES) $(VENV) -r requirements.txt
	@$(STEP) "installing plimsoll itself" $(PACKAGES) $(VENV) --no-deps -e .
	@touch $@

# What tests, lints and solvers need as well.
$(VENV)/.stamp-dev: $(VENV)/.stamp requirements-dev.txt
	@$(STEP) "installing the Python packages of tests and tools" $(PACKAGES) $(VENV) -r requirements-dev.txt
	@touch $@

node_modules/.stamp: package-lock.json
	@$(STEP) "installing chain, compiler and Solidity libraries (npm ci)" npm ci $(NPM_QUIET)
	@test -x $(ANVIL)/anvil || $(STEP) "installing anvil for $(PLATFORM)" npm install --no-save $(NPM_QUIET) @foundry-rs/anvil-$(PLATFORM)@$(ANVIL_VERSION)
	@touch $@

.solcx/.stamp: $(VENV)/.stamp-dev node_modules/.stamp tools/setup/compiler.py
	@$(STEP) "setting up the Solidity compiler" $(PY) tools/setup/compiler.py
	@mkdir -p .brownie && touch $@

# An environment of its own: the pins of halmos and of Brownie exclude each other.
.symbolic/.stamp: requirements-symbolic.txt
	@$(STEP) "creating .symbolic" $(PYTHON) -m venv .symbolic
	@$(STEP) "installing the pinned prover" $(PACKAGES) .symbolic -r requirements-symbolic.txt
	@touch $@

# An environment of its own: nothing that the site needs is needed to use, test or deploy anything.
.docs/.stamp: requirements-docs.txt
	@$(STEP) "creating .docs" $(PYTHON) -m venv .docs
	@$(STEP) "installing the pinned site builder" $(PACKAGES) .docs -r requirements-docs.txt
	@touch $@

setup: .solcx/.stamp ## install everything the project needs, inside this folder

build/.stamp: $(SOL) brownie-config.yaml tools/generate/artifacts.py | .solcx/.stamp
	@$(STEP) "compiling the contracts" $(BROWNIE) compile --all
	@$(STEP) "exporting ABI and bytecode" $(PY) tools/generate/artifacts.py
	@touch $@

build: build/.stamp ## compile every contract; export ABI and bytecode for the package

lint: build/.stamp ## ruff, mypy --strict, solhint, layer order, file shape, NatSpec, contract size
	@$(STEP) "ruff check" ruff check .
	@$(STEP) "ruff format --check" ruff format --check .
	@$(STEP) "mypy --strict" mypy
	@$(STEP) "solhint" $(SOLHINT) --max-warnings 0 'contracts/**/*.sol' 'interfaces/**/*.sol'
	@$(STEP) "layer order" $(PY) tools/lint/layers.py
	@$(STEP) "dependencies" $(PY) tools/lint/dependencies.py
	@$(STEP) "one definition of each constant" $(PY) tools/lint/constants.py
	@$(STEP) "what an instrument kind is, in one place" $(PY) tools/lint/kinds.py
	@$(STEP) "file shape" $(PY) tools/lint/shape.py
	@$(STEP) "NatSpec and documents" $(PY) tools/lint/docs.py
	@$(STEP) "contract size" $(PY) tools/lint/sizes.py
	@$(STEP) "artefacts are those of the sources" $(PY) tools/generate/artifacts.py --check
	@$(STEP) "storage and access tables" $(PY) tools/generate/tables.py --check
	@$(STEP) "page of the keeper's options" $(PY) tools/generate/keeper_config.py --check
	@$(STEP) "JSON schemas of files" $(PY) tools/generate/schemas.py --check
	@$(STEP) "OpenAPI file of the venue" $(PY) tools/generate/openapi.py --check

slither: .solcx/.stamp ## static analysis of the contracts: no finding of high or medium impact
	@$(STEP) "slither" $(PY) tools/lint/static_analysis.py

# Four parts, so that two cores can share them; the last one is all that the others are not.
PYTEST := $(PY) -m pytest -p no:pytest-brownie
NUMBERS := $(addprefix tests/python/,analytics holes libraries market mirror oracle properties)
KEEPER := $(addprefix tests/python/,index keeper storage transact)
VENUE := tests/python/venue

test-python: .solcx/.stamp ## Python tests without a chain
	@printf '== tests/python\n' >&2
	@$(PYTEST) tests/python

test-python-numbers: .solcx/.stamp
	@printf '== tests/python: fits, mirror, analytics\n' >&2
	@$(PYTEST) $(NUMBERS)

test-python-keeper: .solcx/.stamp
	@printf '== tests/python: the stages of the keeper\n' >&2
	@$(PYTEST) $(KEEPER)

test-python-venue: .solcx/.stamp
	@printf '== tests/python: the venue, killed and cut off\n' >&2
	@$(PYTEST) $(VENUE)

test-python-rest: .solcx/.stamp
	@printf '== tests/python: all else\n' >&2
	@$(PYTEST) tests/python $(addprefix --ignore=,$(NUMBERS) $(KEEPER) $(VENUE))

# Without a chain, without a fit, without a simulation, without a cluster.
QUICK := $(addprefix tests/python/,border decide files index mirror transact session dev/test_lint_layers.py dev/test_lint_constants.py dev/test_lint_docs.py dev/test_lint_kinds.py)

test-quick: artifacts $(VENV)/.stamp-dev ## what finds most mistakes within two minutes: style, types, and the nouns, files, mirror and command line
	@$(MAKE) -j2 test-quick-style test-quick-python

test-quick-style: $(VENV)/.stamp-dev
	@$(STEP) "ruff check" ruff check .
	@$(STEP) "layer order" $(PY) tools/lint/layers.py
	@$(STEP) "mypy --strict" mypy

test-quick-python: $(VENV)/.stamp-dev
	@printf '== quick tests\n' >&2
	@$(PYTEST) -n 2 $(QUICK) --ignore=tests/python/mirror/test_ray_fleet.py

test-faults: artifacts $(VENV)/.stamp-dev ## the whole keeper under every fault: node, chain, feed, database, kill -9; report into reports/faults.md
	@printf '== tests/faults\n' >&2
	@$(PYTEST) tests/faults $(ARGS)

faults-proof: artifacts $(VENV)/.stamp-dev ## plant every fault in the keeper, one at a time, and see its tests fail, into reports/faults-proof.md (ARGS='-k feed')
	@printf '== faults planted in the keeper, one at a time\n' >&2
	@$(PY) -m tests.faults.proof $(ARGS)

soak: artifacts $(VENV)/.stamp-dev ## half an hour of the demo's market at 20 times its speed: faults, kill -9, PostgreSQL, a standby; into reports/soak.md (ARGS='--minutes 3 --seed 7')
	@printf '== soak\n' >&2
	@$(PY) -m tests.faults.soak $(ARGS)

test-chain: build/.stamp ## Brownie tests on anvil, one file per external function
	@printf '== tests/chain/unit\n' >&2
	@$(CHAIN_TEST) tests/chain/unit tests/chain/gas tests/chain/deployment tests/chain/scripts tests/chain/integration tests/chain/remote --disable-warnings --stateful false

test-diff: build/.stamp ## mirror against chain on generated portfolios
	@printf '== tests/chain/differential\n' >&2
	@$(CHAIN_TEST) tests/chain/differential --disable-warnings --stateful false

# Apart from the unit tests: traced for coverage, thousands of points in one call would take hours.
test-accuracy: build/.stamp ## the fixed-point libraries bit for bit, in bounds, in shape, and their exact gas
	@printf '== tests/chain/accuracy\n' >&2
	@$(CHAIN_TEST) tests/chain/accuracy --disable-warnings --stateful false

test-stateful: build/.stamp ## the property machine over every user action
	@printf '== tests/chain/invariants\n' >&2
	@$(CHAIN_TEST) tests/chain/invariants --disable-warnings

# The report says what was reached; the regression tests of peers' failures belong to the same question.
audit: build/.stamp ## attack a local chain: 24,000 random calls, every property after each, into reports/audit.md (ARGS='--seed 7')
	@printf '== audit: the property machine\n' >&2
	@$(PY) -m tests.chain.audit $(ARGS)
	@printf '== audit: the profit machine\n' >&2
	@$(PY) -m tests.chain.profit
	@printf '== audit: failures of peers\n' >&2
	@$(CHAIN_TEST) tests/chain/proof/test_peer_failures.py --disable-warnings --stateful false
	@$(MAKE) symbolic
	@$(MAKE) slither
	@$(MAKE) coverage

audit-proof: build/.stamp ## take each fix against extraction out and see the profit machine notice, into reports/audit-proof.md
	@printf '== audit: fixes taken out, one at a time\n' >&2
	@$(PY) -m tests.chain.profit.proof $(ARGS)

# Every play once: the long run belongs to the audit.
test-profit: build/.stamp ## the profit machine: attackers with one purse, each play once
	@printf '== tests/chain/profit\n' >&2
	@$(PY) -m tests.chain.profit --episodes 35

# A short run, so that no change of the contracts leaves the rules of the audit behind.
test-audit: build/.stamp ## the property machine of the audit, 1,500 calls
	@printf '== tests/chain/audit\n' >&2
	@$(PY) -m tests.chain.audit --calls 1500

test-proof: build/.stamp ## exact references, certified scan, shape of the requirement, failures of peers
	@printf '== tests/chain/proof\n' >&2
	@$(CHAIN_TEST) tests/chain/proof --disable-warnings --stateful false

# A margin check has a hundred thousand steps; their traces do not fit into memory. What needs none is traced.
COVERED := tests/chain/unit/accounts

coverage: build/.stamp ## contract coverage of ledger, vault, funding and lending, into reports/
	@printf '== contract coverage (%s)\n' "$(COVERED)" >&2
	@rm -f build/tests.json
	@$(CHAIN_TEST) $(COVERED) --disable-warnings --stateful false --coverage

.PHONY: web lint-web test-page test-web bench-web web-api

web/node_modules/.stamp: web/package-lock.json
	@$(STEP) "installing the packages of the wallet page (npm ci)" npm ci --prefix web $(NPM_QUIET)
	@touch $@

web: web/node_modules/.stamp ## build the wallet page into web/dist; the first view must stay below 150 kB gzip
	@$(STEP) "building the wallet page" npm run --silent --prefix web build

lint-web: web/node_modules/.stamp $(VENV)/.stamp-dev ## types and style of the wallet page, and whether it knows the contracts as they are
	@$(STEP) "tsc --strict and biome" npm run --silent --prefix web lint
	@$(STEP) "ABI and errors of the wallet page" $(PY) tools/generate/web_abi.py --check
	@$(STEP) "installing the generator of types" npm ci --prefix web/tools/api $(NPM_QUIET)
	@$(STEP) "types of the order service" npm run --silent --prefix web/tools/api check

test-page: web/node_modules/.stamp ## logic of the wallet page, without a browser
	@printf '== web: vitest\n' >&2
	@npm run --silent --prefix web test

# Debian's chromium, or what PLIMSOLL_CHROMIUM names; pictures of every view go into reports/web.
CHROMIUM := $(or $(PLIMSOLL_CHROMIUM),/usr/bin/chromium)
test-web: artifacts web test-page $(VENV)/.stamp-dev ## the wallet page: logic, then every flow in a real browser on a real chain
	@test -x "$(CHROMIUM)" || { printf 'error: %s is not there: install chromium, or name one by PLIMSOLL_CHROMIUM\n' "$(CHROMIUM)" >&2; exit 2; }
	@printf '== web: playwright\n' >&2
	@npm run --silent --prefix web test-browser -- $(ARGS)

bench-web: web ## size of the wallet page's first view beside its budget, into reports/bench.json
	@$(PY) tools/bench/web.py

# The generator of types needs another TypeScript than the page: it has a folder and a lock file of its own.
web-api: docs/reference/openapi.json ## write the types of the order service for the wallet page from its OpenAPI file
	@$(STEP) "installing the generator of types" npm ci --prefix web/tools/api $(NPM_QUIET)
	@$(STEP) "writing web/src/venue/schema.ts" npm run --silent --prefix web/tools/api generate

demo-slice: build/.stamp
	@printf '== demo on a short slice\n' >&2
	@$(VENV)/bin/plimsoll demo --rounds 6

# Three at a time on two cores, because the venue's tests mostly wait; the next when one ends, the long ones first, so
# that the cores are busy to the end. Each run has a chain of its own.
PARTS := test-python-venue lint test-python-numbers test-python-keeper test-diff test-python-rest test-chain test-proof test-accuracy test-stateful test-profit test-audit \
	lint-web test-page docs demo-slice

test: build ## everything CI runs: lint, the site, a short demo, all tests but the audit, the browser and injected faults
	@$(MAKE) -j3 $(PARTS)
	@printf '== make test: %d s in all\n' $$(( $$(date +%s) - $(STARTED_TS) )) >&2

# The artefacts are in the repository; only sources that differ from them have to be compiled.
artifacts: $(VENV)/.stamp node_modules/.stamp
	@$(PY) tools/generate/artifacts.py --fresh || $(MAKE) build

demo: artifacts ## the main job: a market on chain, replayed through a real crash (ARGS=--json for JSON)
	@$(VENV)/bin/plimsoll demo $(ARGS)
	@printf '== make demo: %d s in all\n' $$(( $$(date +%s) - $(STARTED_TS) )) >&2

# The page is served when it was built.
venue: artifacts web ## a whole market to trade on: chain, moving prices, keeper, venue, makers (ARGS='--speed 20')
	@$(VENV)/bin/plimsoll venue local $(ARGS)

bench: bench-gas bench-math bench-fleet bench-keeper bench-venue bench-web ## every benchmark, into reports/bench.json: gas, fixed-point libraries, speed of mirror and keeper
	@$(PY) tools/bench/mirror.py

bench-fleet: ## speed of pricing and margins of a million accounts beside anchors of the same run, into reports/bench.json
	@$(PY) tools/bench/fleet.py

bench-keeper: ## from a new round to the first liquidation with 100,000 accounts, sync and state of the index, into reports/bench.json
	@$(PY) tools/bench/index.py
	@$(PY) tools/bench/keeper.py

bench-venue: ## orders accepted a second, from order to settled, a book of 10,000 beside web3.py and a dictionary
	@$(PY) tools/bench/venue.py

search-scan: .solcx/.stamp ## search for a portfolio that loses more than the certified scan (ARGS='--restarts 40 --seed 2')
	@$(PY) tools/prove/search_scan.py $(ARGS)

search-holes: build/.stamp ## search for the portfolio that breaks the promise of the scenario book (ARGS='--book params.json --json')
	@$(PY) tools/prove/search_holes.py $(ARGS)

search-dense: .solcx/.stamp ## the same question by other means: own prices, dense scenarios, evolved portfolios (ARGS='--seed 2')
	@$(PY) tools/prove/search_dense.py $(ARGS)

symbolic: .solcx/.stamp .symbolic/.stamp ## prove packing and rounding for every input there is (halmos)
	@printf '== proofs for every input\n' >&2
	@$(PY) tools/prove/symbolic.py

mutation: build/.stamp ## break the libraries, the risk and the margin contracts one place at a time; report what no check noticed
	@$(PY) tools/prove/mutate.py $(ARGS)

accuracy: build/.stamp ## a million points per fixed-point library, and the engine's kernel, against references
	@$(PY) tools/prove/accuracy.py $(ARGS)

bench-math: .solcx/.stamp ## gas of every fixed-point library beside the best public one, into reports/bench.json
	@$(PY) tools/bench/libraries.py

bench-gas: build/.stamp ## gas of margin check, trade, bid and round beside peers and goals, into reports/bench.json
	@$(PY) tools/bench/gas.py

docs: .docs/.stamp ## build the pages as a site into reports/site; a dead link or anchor fails
	@$(STEP) "building the site" env NO_MKDOCS_2_WARNING=1 .docs/bin/mkdocs build --strict
	@printf 'reports/site/index.html\n'
notebooks: $(VENV)/.stamp-dev ## execute the notebooks and keep what they print (ARGS=--check writes nothing)
	@$(PY) tools/generate/notebooks.py $(ARGS)

market-fit: $(VENV)/.stamp ## fit the volatility surface of an option chain: make market-fit FILE=chain.parquet
	@test -n "$(FILE)" || { echo 'error: FILE: name an option chain, as in make market-fit FILE=chain.parquet' >&2; exit 2; }
	@$(VENV)/bin/plimsoll market fit "$(FILE)" $(ARGS)

clean: ## remove what the build made (keeps .venv and node_modules)
	rm -rf build reports .brownie

.PHONY: help setup build docs lint audit audit-proof test-profit test-audit artifacts slither test-faults faults-proof soak test-python test-python-numbers test-python-keeper test-python-rest test-quick test-chain test-diff test-proof test-accuracy test-stateful coverage demo-slice test demo bench bench-gas bench-math bench-fleet bench-keeper accuracy notebooks search-scan search-holes search-dense symbolic mutation market-fit clean venue bench-venue
