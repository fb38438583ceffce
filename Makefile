# `make compare` measures and draws; `make test` checks everything. Both set themselves up in .venv.

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

# The tests start hundreds of processes; each would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: compare demo test check bench clean

compare: .venv/ready
	$(BIN)/compare $(ARGS)

demo: .venv/ready
	$(BIN)/python -m demo $(ARGS)

# Three at a time, on two cores too: many a test waits for a process to start or end.
test: .venv/tested check
	$(BIN)/python -m pytest --numprocesses 3 --dist worksteal $(ARGS)

check: .venv/tested
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: .venv/tested
	$(BIN)/python -m tests.bench $(ARGS)

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

# The tests' own tools, and Node's ws package where there is Node: one test and the benchmark use it.
.venv/tested: .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	if command -v npm >/dev/null; then npm install --silent --no-save --no-package-lock --prefix .venv/node ws || true; fi
	touch $@
