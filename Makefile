# The verbs of a contributor. `make run` is all that a visitor needs.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=
# One more than cores: tests wait for databases, browsers and processes.
PROCESSES = $(shell $(PYTHON) -c 'import os; print(1 + (os.cpu_count() or 1))')

export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run test check bench chaos docs lock clean help
.DEFAULT_GOAL := help

help:  ## Show the verbs.
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

run: $(VENV)/installed  ## Install, import the demo data, train, serve. More: make run ARGS="--port 8080"
	@$(BIN)/projectionist run $(ARGS)

test: $(VENV)/installed-dev  ## Run every test that this machine can run; REQUIRE_ALL=1 fails on the others.
	@$(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal $(ARGS)

check: $(VENV)/installed-dev  ## Lint, types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/installed-bench  ## Measure: training, ranking quality, peers in the same run.
	$(BIN)/python -m benchmarks $(ARGS)

chaos: $(VENV)/installed-dev  ## The long fault tests: kill the server five hundred times, and more (hours).
	PROJECTIONIST_TEST_KILLS=500 PROJECTIONIST_TEST_SWAPS=1000 PROJECTIONIST_TEST_STOPS=20 \
	PROJECTIONIST_TEST_BACKUPS=100 PROJECTIONIST_TEST_BACKUP_KILLS=50 \
	PROJECTIONIST_TEST_IMPORT_KILLS=100 PROJECTIONIST_TEST_BAD_ROWS=1000000 \
	$(BIN)/python -m pytest -m chaos $(ARGS)

docs: $(VENV)/installed-dev  ## Write the generated pages of docs/ anew.
	$(BIN)/python docs/build_reference.py

lock: $(VENV)/installed-dev  ## Choose newest allowed versions, and pin them with hashes.
	$(BIN)/python constraints/lock.py

clean:  ## Remove the virtual environment and caches; var/ with your data stays.
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Each stamp stands for one set of pinned packages in the virtual environment.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; name another with PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@echo "Creating a virtual environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: constraints/run.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing pinned packages (once; about 180 MB unless pip has them already) …"
	@$(BIN)/python -m pip install --quiet --no-deps --no-compile --require-hashes -r constraints/run.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-compile --no-build-isolation --editable .
	@# Byte-compile what the command imports, and no more: pip would compile everything.
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -c 'import app.cli'
	@touch $@

$(VENV)/installed-tune: constraints/tune.txt $(VENV)/installed
	@echo "Installing what \`projectionist tune\` needs (once) …"
	@$(BIN)/python -m pip install --quiet --no-deps --no-compile --require-hashes -r constraints/tune.txt
	@touch $@

$(VENV)/installed-postgres: constraints/postgres.txt $(VENV)/installed
	@echo "Installing what PostgreSQL needs (once) …"
	@$(BIN)/python -m pip install --quiet --no-deps --no-compile --require-hashes -r constraints/postgres.txt
	@touch $@

$(VENV)/installed-dev: constraints/dev.txt $(VENV)/installed
	@echo "Installing what tests and checks need (once) …"
	@$(BIN)/python -m pip install --quiet --no-deps --no-compile --require-hashes -r constraints/dev.txt
	@touch $@

$(VENV)/installed-bench: constraints/bench.txt $(VENV)/installed-dev
	@echo "Installing the peers (once) …"
	@$(BIN)/python -m pip install --quiet --no-deps --no-compile --require-hashes -r constraints/bench.txt
	@touch $@
