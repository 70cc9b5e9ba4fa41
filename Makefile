# `make demo` shows the whole way on a real log, `make test` checks the project. Both make .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BUILD := build

.PHONY: demo test coverage test-slow test-spark check lock bench bench-quality bench-scale bench-serving bento clean notebook soak
.DEFAULT_GOAL := demo

$(STAMP): requirements.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, for example: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes \
	    -r requirements.lock -r requirements-dev.lock
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
	$(BIN)/python -m pytest -m "not soak and not slow and not spark" -n 3 --dist loadfile --no-loadscope-reorder

# Which lines of the three packages the same tests run in their own processes: they take a third longer for it.
coverage: $(STAMP)
	$(BIN)/python -m pytest -m "not soak and not slow and not spark" -n 3 --dist loadfile --no-loadscope-reorder --cov

# Whole commands, the commands of README and docs, notebooks, and services under attack: what .ci/run runs besides.
test-slow: $(STAMP)
	$(BIN)/python -m pytest -m "slow and not soak and not spark" -n 3 --dist loadfile --no-loadscope-reorder

# What runs on Spark: a gigabyte more to install, and Java (default-jre-headless) to run it.
SPARK := $(VENV)/.installed-spark
$(SPARK): $(STAMP) requirements-spark.lock
	sed -n '/^setuptools==/,$$p' requirements-spark.lock > $@.txt  # what builds PySpark, of which there is no wheel
	for lock in $@.txt requirements-spark.lock; do $(BIN)/python -m pip install --disable-pip-version-check --quiet \
	    --require-hashes --no-deps --no-build-isolation -r $$lock || exit 1; done
	touch $@

test-spark: $(SPARK)
	$(BIN)/python -m pytest -m "spark and not soak"

# Long runs, by hand.
soak: $(STAMP)
	$(BIN)/python -m pytest -m soak

# The comparison in the README, on every log there is: CDNOW, the simulated worlds and, where STAYWORTH_DATA has them,
# Online Retail II and Ta-Feng. Takes some forty minutes; some logs only: make bench-quality LOGS="CDNOW regular".
bench-quality: $(STAMP)
	$(BIN)/python -W ignore tests/benchmarks/bench_quality.py $(LOGS)

# What training and scoring cost by size, beside peers, with a plot, and how many customers suffice to learn from: they
# take many minutes.
bench-scale: $(STAMP)
	mkdir -p $(BUILD)
	$(BIN)/python tests/benchmarks/bench_scale.py 20000 100000 1000000 --plot $(BUILD)/cost.svg
	$(BIN)/python tests/benchmarks/bench_sample.py

# The service has a benchmark of its own: it needs wrk, and takes minutes.
bench: $(STAMP)
	for benchmark in $(filter-out %/bench_serving.py %/bench_quality.py %/bench_dates.py %/bench_sample.py %/bench_scale.py %/bench_baskets.py,$(wildcard tests/benchmarks/bench_*.py)); do \
	    $(BIN)/python $$benchmark || exit 1; done

bench-serving: $(STAMP)
	$(BIN)/python tests/benchmarks/bench_serving.py

# The service as BentoML packs it: the wheel's content and the runtime lock. Nothing is downloaded; without no_image,
# BentoML would install a tool of its own for locking, although it is told not to lock.
bento: $(STAMP)
	rm -rf $(BUILD)/wheel $(BUILD)/bento $(BUILD)/bentoml
	$(BIN)/python -m pip wheel --disable-pip-version-check --quiet --no-deps --no-build-isolation \
	    --wheel-dir $(BUILD)/wheel .
	$(BIN)/python -m zipfile -e $(BUILD)/wheel/*.whl $(BUILD)/bento
	cp pyproject.toml requirements.lock $(BUILD)/bento
	mkdir -p $(BUILD)/bentoml
	cd $(BUILD)/bento && BENTOML_HOME=$(abspath $(BUILD))/bentoml BENTOML_DO_NOT_TRACK=true \
	    BENTOML_ENABLE_FEATURES=no_image $(abspath $(BIN))/bentoml build --quiet
	@echo "Serve it: BENTOML_HOME=$(BUILD)/bentoml $(BIN)/bentoml serve stayworth:latest"

notebook: $(STAMP)
	for notebook in notebooks/*.ipynb; do $(BIN)/python tests/test_notebooks.py $$notebook || exit 1; done

# Exact versions of what pyproject.toml allows today, for every system and Python that it allows, with the hashes of
# their files and without the address of an index: what stayworth needs to run, what its tests, checks and packaging need
# besides, what Spark's tests need, and what builds the image's wheel. Only what no longer fits: make lock UPGRADE=
UPGRADE := --upgrade
lock:
	set -e; fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	$(PYTHON) -m venv $$fresh; \
	$$fresh/bin/python -m pip install --disable-pip-version-check --quiet uv; \
	compile() { $$fresh/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	    --generate-hashes --no-annotate --custom-compile-command 'make lock' $(UPGRADE) --output-file "$$@"; }; \
	compile requirements.lock pyproject.toml; \
	printf 'hatchling\neditables\n' | compile requirements-dev.lock pyproject.toml - --extra dev \
	    --constraint requirements.lock $$(sed -nE 's/^([a-z0-9-]+)==.*/--no-emit-package \1/p' requirements.lock); \
	printf 'setuptools\n' | compile requirements-spark.lock pyproject.toml - --extra spark \
	    --constraint requirements.lock $$(sed -nE 's/^([a-z0-9-]+)==.*/--no-emit-package \1/p' requirements.lock); \
	echo hatchling | compile serving/deploy/requirements-build.lock - \
	    --constraint requirements.lock --constraint requirements-dev.lock

clean:
	rm -rf $(VENV) build dist demo .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
