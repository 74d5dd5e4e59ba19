PYTHON = .venv/bin/python

.PHONY: compare test check report report

compare: .venv/ready  ## run the comparison with its defaults
	$(PYTHON) compare_all.py

test: .venv/ready-to-test  ## run the tests
	$(PYTHON) -m pytest

check: .venv/ready-to-test  ## lint, format, types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

.venv/ready: requirements.txt
	python3 -m venv .venv
	$(PYTHON) -m pip install --quiet -r requirements.txt
	touch $@

.venv/ready-to-test: .venv/ready requirements-dev.txt
	$(PYTHON) -m pip install --quiet -r requirements-dev.txt
	touch $@

report: .venv/ready  ## write the tables of the README and docs anew from results/
	$(PYTHON) -m report

report: .venv/ready  ## write the tables of the README and docs anew from results/
	$(PYTHON) -m report
