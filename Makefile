# Every target sets up what it needs, then runs. With uv on the path it is used; else venv and pip.
# A stamp file in the environment records each installation, so the second run starts at once.
#
#   make showcase ARGS="--only 2"      arguments for the program
#   make test ARGS="tests/dagger -x"   arguments for pytest; -n 0 among them: in one process
#   make install EXTRAS=live,history   optional packages in the same environment

VENV ?= .venv
BENCH_VENV ?= .venv-bench
NAUTILUS_VENV ?= .venv-nautilus
ARGS ?=
EXTRAS ?=

BIN := $(VENV)/bin
BENCHMARKS := $(sort $(filter-out benchmarks/_%,$(wildcard benchmarks/*.py)))

# Installs into the environment $(1) what $(2) says.
install = if command -v uv >/dev/null; then uv pip install --quiet --python $(1)/bin/python $(2); \
	else $(1)/bin/python -m pip install --quiet --disable-pip-version-check $(2); fi

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help showcase desk test test-all lint format bench nautilus install clean

help: ## show what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

showcase: $(VENV)/.stamp-core ## run the scripted tour of the platform (ARGS=--plain, ARGS="--only 2")
	@$(BIN)/python showcase.py $(ARGS)

desk: $(VENV)/.stamp-core ## watch the trading desk live in the terminal; Ctrl-C ends it
	@$(BIN)/python prop_desk.py $(or $(ARGS),--live)

test: $(VENV)/.stamp-test ## run the default tests, on all cores (ARGS="tests/dagger -x", ARGS="-n 0")
	@$(BIN)/python -m pytest $(ARGS)

test-all: $(VENV)/.stamp-test ## run every test, the slow ones too, on all cores
	@$(BIN)/python -m pytest -m "slow or not slow" $(ARGS)

lint: $(VENV)/.stamp-test ## check style, format, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.stamp-test ## rewrite the code in the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(BENCH_VENV)/.stamp ## run the benchmarks beside their peers, in an environment of their own
	@for script in $(BENCHMARKS); do echo "== $$script"; $(BENCH_VENV)/bin/python $$script $(ARGS) || exit 1; done

nautilus: $(NAUTILUS_VENV)/.stamp ## install nautilus_trader, beside which benchmarks/backtest.py runs, in its own environment

install: $(VENV)/.stamp-core ## add optional packages (EXTRAS=live,history or EXTRAS=all)
	@$(call install,$(VENV),--constraint constraints.txt --editable ".$(if $(EXTRAS),[$(EXTRAS)])")

clean: ## remove the environments, caches and built files
	rm -rf $(VENV) $(BENCH_VENV) $(NAUTILUS_VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist build
	find bank_python tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.stamp-python $(BENCH_VENV)/.stamp-python $(NAUTILUS_VENV)/.stamp-python:
	@sh .ci/make_venv $(@D)
	@touch $@

$(VENV)/.stamp-core: $(VENV)/.stamp-python pyproject.toml constraints.txt
	@echo "Installing the library into $(VENV) ..."
	@$(call install,$(VENV),--constraint constraints.txt --editable .)
	@touch $@

$(VENV)/.stamp-test: $(VENV)/.stamp-python pyproject.toml constraints.txt
	@echo "Installing the library and its checks into $(VENV) ..."
	@$(call install,$(VENV),--constraint constraints.txt --editable ".[test]")
	@touch $(VENV)/.stamp-core $@

$(BENCH_VENV)/.stamp: $(BENCH_VENV)/.stamp-python pyproject.toml benchmarks/requirements.txt
	@echo "Installing the library and its peers into $(BENCH_VENV) ..."
	@$(call install,$(BENCH_VENV),--editable . --requirement benchmarks/requirements.txt)
	@touch $@

$(NAUTILUS_VENV)/.stamp: $(NAUTILUS_VENV)/.stamp-python benchmarks/requirements-nautilus.txt
	@echo "Installing nautilus_trader into $(NAUTILUS_VENV) ..."
	@$(call install,$(NAUTILUS_VENV),--requirement benchmarks/requirements-nautilus.txt)
	@touch $@
