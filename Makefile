# `make demo` shows the whole way on a real log, `make test` checks the project. Both make .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test check lock race bench clean notebook soak
.DEFAULT_GOAL := demo

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, for example: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	touch $@

demo: $(STAMP)
	$(BIN)/stayworth demo

# What is quick: style and types.
check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: check
	$(BIN)/python -m pytest -m "not soak" -n 2 --dist loadfile

# Long runs, by hand.
soak: $(STAMP)
	$(BIN)/python -m pytest -m soak

# The comparison in the README, on CDNOW and, where STAYWORTH_DATA has it, Online Retail II.
race: $(STAMP)
	$(BIN)/python -W ignore tests/benchmarks/race.py

bench: $(STAMP)
	for benchmark in tests/benchmarks/bench_*.py; do $(BIN)/python $$benchmark || exit 1; done

notebook: $(STAMP)
	for notebook in notebooks/*.ipynb; do $(BIN)/python tests/test_notebooks.py $$notebook || exit 1; done

# Exact versions of what pyproject.toml allows today, and of what builds the package; no address of an index.
lock:
	set -e; fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	$(PYTHON) -m venv $$fresh/venv; \
	$$fresh/venv/bin/python -m pip install --disable-pip-version-check --quiet '.[dev]' hatchling editables; \
	echo '# Made by "make lock" from the ranges in pyproject.toml.' > $$fresh/lock; \
	$$fresh/venv/bin/python -m pip freeze --exclude stayworth >> $$fresh/lock; \
	cp $$fresh/lock requirements.lock

clean:
	rm -rf $(VENV) build dist demo .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
