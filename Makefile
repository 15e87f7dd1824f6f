# Nothing is needed but Python 3.11 or newer, git and make. Each target makes the
# virtual environment by itself, once; stamp files in it say what is installed.
#
#   make demo                 monitor a real trace and a moving pattern
#   make test                 run the tests; TESTFLAGS="-k units" picks some
#   make lint                 ruff, and mypy in strict mode
#   make bench                print the benchmarks' ratios
#   make stress               try to break the engine, for about an hour
#   make soak                 see that nothing stays behind in a million aggregations
#   make PYTHON=python3.13 …  use another interpreter
#   make clean                throw the virtual environment away

PYTHON ?= python3
VENV ?= .venv
TESTFLAGS ?= -n auto
STRESSFLAGS ?= --schedules 100000 --faults 1000

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test lint bench stress soak clean
.DELETE_ON_ERROR:

demo: $(VENV)/demo.stamp
	$(BIN)/damon-async demo

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest $(TESTFLAGS)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/test.stamp
	@set -e; for file in benchmarks/bench_*.py; do \
		echo "== $$file"; $(BIN)/python "$$file"; \
	done

# STRESSFLAGS="--schedules 1000 --faults 100" is over in minutes.
stress: $(VENV)/test.stamp
	$(BIN)/damon-async stress $(STRESSFLAGS)

soak: $(VENV)/test.stamp
	$(BIN)/python benchmarks/soak.py

clean:
	rm -rf $(VENV)

# The version is asked first, because pip's own complaint comes late and is long.
$(VENV)/venv.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say which: make PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || \
		{ echo "Python's venv module is incomplete; on Debian: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# Editable, so that a change of the code needs no installation; a change of the
# project file does.
$(VENV)/demo.stamp: $(VENV)/venv.stamp pyproject.toml
	$(PIP) --editable '.[cli,plot]'
	@touch $@

$(VENV)/test.stamp: $(VENV)/venv.stamp pyproject.toml
	$(PIP) --editable '.[test]'
	@touch $@

$(VENV)/dev.stamp: $(VENV)/venv.stamp pyproject.toml
	$(PIP) --editable '.[dev]'
	@touch $@
