# Two commands on a fresh machine do everything: `make demo` (the main job) and `make test`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

VENV := $(CURDIR)/.venv
PYTHON ?= python3.11
PY := $(VENV)/bin/python
ARGS ?=
PLATFORM := $(shell uname -s | tr A-Z a-z)-$(shell uname -m | sed 's/x86_64/amd64/;s/aarch64/arm64/')
export SOLCX_BINARY_PATH := $(CURDIR)/.solcx
export PATH := $(VENV)/bin:$(CURDIR)/node_modules/@foundry-rs/anvil-$(PLATFORM)/bin:$(PATH)
SOL := $(shell find contracts interfaces -name '*.sol' 2>/dev/null)
SAY := @printf '\033[1m== %s\033[0m\n' >&2
STEP := $(CURDIR)/scripts/setup/step.sh

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  %-15s %s\n", $$1, $$2}'

$(VENV)/.stamp: requirements.txt pyproject.toml
	@$(STEP) "creating .venv" $(PYTHON) -m venv $(VENV)
	@$(STEP) "installing the pinned Python packages" $(PY) -m pip install -q --disable-pip-version-check -r requirements.txt
	@$(STEP) "installing plimsoll itself" $(PY) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

node_modules/.stamp: package-lock.json
	@$(STEP) "installing compiler, chain and Solidity libraries (npm ci)" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.solcx/.stamp: $(VENV)/.stamp node_modules/.stamp scripts/setup/compiler.py scripts/dev/solc.cjs
	@$(STEP) "setting up solc 0.8.30" $(PY) scripts/setup/compiler.py
	@touch $@

setup: .solcx/.stamp ## install everything this repository needs, inside this folder

build/.stamp: $(SOL) brownie-config.yaml scripts/dev/export_artifacts.py | .solcx/.stamp
	@$(STEP) "compiling the contracts" brownie compile --all
	@$(STEP) "exporting ABI and bytecode" $(PY) scripts/dev/export_artifacts.py
	@touch $@

build: setup build/.stamp ## compile every contract; export ABI and bytecode for the package

lint: setup ## format, types, import order, file shape
	@$(STEP) "ruff check" ruff check offchain scripts tests
	@$(STEP) "ruff format --check" ruff format --check offchain scripts tests
	@$(STEP) "mypy --strict" mypy
	@$(STEP) "solhint" npx --no-install solhint --max-warnings 0 'contracts/**/*.sol' 'interfaces/**/*.sol'
	@$(STEP) "layer order and file shape" $(PY) scripts/dev/lint_layers.py

test-python: setup ## pure Python tests, no chain
	$(SAY) "tests/python"
	@$(PY) -m pytest -p no:pytest-brownie tests/python

test: lint test-python ## everything CI runs

clean: ## remove what the build made (keeps .venv and node_modules)
	rm -rf build reports .solcx offchain/chain/artifacts

.PHONY: help setup build lint test-python test clean
