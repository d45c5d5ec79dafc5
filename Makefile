# Each command does its own set-up: make compare, make test, make grid.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: compare grid test test-slow check types clean

compare: .venv/ready  ## learn the digits from reward and from labels: a table and a picture
	$(BIN)/python scripts/compare.py --sizes 64,32 --batch 32 --epochs 80 --out results/digits

grid: .venv/ready  ## every credit rule under every signal, on the digits: heat maps
	$(BIN)/python scripts/grid.py --sizes 64,32 --batch 32 --epochs 80 --out results/grid

test: .venv/ready  ## everything but the long proofs
	$(BIN)/python -m pytest -q -n 2

test-slow: .venv/ready  ## the long proofs
	$(BIN)/python -m pytest -q -m slow

check: .venv/ready  ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready  ## types; pyright fetches a node of its own where there is none
	$(BIN)/pyright

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

clean:
	rm -rf .venv results
