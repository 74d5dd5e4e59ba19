PYTHON = .venv/bin/python

.PHONY: compare test quick check report

compare: .venv/ready  ## run the comparison with its defaults
	$(PYTHON) compare_all.py

test: .venv/ready-to-test  ## run all tests
	$(PYTHON) -m pytest

quick: .venv/ready-to-test  ## run the tests of every day, in a minute or so
	$(PYTHON) -m pytest -m "not slow"

check: .venv/ready-to-test  ## lint, format, types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

report: .venv/ready  ## write the tables and pictures of README and docs anew from results/
	$(PYTHON) -m recbench.report

.venv/ready: requirements.txt
	python3 -m venv .venv
	$(PYTHON) -m pip install --quiet -r requirements.txt
	touch $@

.venv/ready-to-test: .venv/ready requirements-dev.txt
	$(PYTHON) -m pip install --quiet -r requirements-dev.txt
	touch $@
