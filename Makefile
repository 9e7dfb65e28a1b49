# digitbot: `make run` starts it, `make test` checks everything; each sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help run test check format bench bench-network bench-reading bench-learning soak lock clean

help: ## list what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

run: $(VENV)/.installed ## set up what is needed to run, then start the bot (with no token: the local chat)
	@$(BIN)/digitbot run

test: check ## format, lint, types and tests
	$(BIN)/pytest

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev ## format the code and sort its imports
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev ## measure everything; bench-network, bench-reading and bench-learning measure a part
	$(BIN)/digitbot bench

bench-network bench-reading bench-learning: bench-%: $(VENV)/.installed-dev
	$(BIN)/digitbot bench $*

soak: $(VENV)/.installed-dev ## the long tests
	$(BIN)/pytest -m soak -n 0 --timeout 3600

lock: ## write the lock files anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --universal --generate-hashes --quiet --no-header --extra build -o requirements.txt
	uv pip compile pyproject.toml --universal --generate-hashes --quiet --no-header --extra build --extra dev -o requirements-dev.txt

clean: ## remove the virtual environment and the caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "digitbot needs Python 3.11 or newer; say which one with: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "this Python lacks venv; on Debian or Ubuntu install it with: sudo apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python requirements.txt pyproject.toml
	@echo "installing digitbot and what it needs into $(VENV) (once)"
	$(PIP) --require-hashes -r requirements.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(BIN)/python requirements-dev.txt pyproject.toml
	@echo "installing digitbot and what its tests need into $(VENV) (once)"
	$(PIP) --require-hashes -r requirements-dev.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.installed
