PYTHON = .venv/bin/python
FULL_SIZE = full-size

.PHONY: compare test quick faults versions check report pictures speed

compare: .venv/ready  ## run the comparison with its defaults
	$(PYTHON) compare_all.py

test: .venv/ready-to-test  ## run all tests
	$(PYTHON) -m pytest

quick: .venv/ready-to-test  ## run the tests of every day, in a minute or so
	$(PYTHON) -m pytest -m "not slow"

faults: .venv/ready-to-test  ## kill, cut, break: all faults of tests/faults, counts for the docs
	FAULTS=all $(PYTHON) -m pytest tests/faults
	$(PYTHON) -m recbench.report

# What is measured stands here until all of it is there; stopped, the same command continues it.
MEASURED = results/speed-unfinished

speed: .venv/ready-to-test  ## measure what full size costs, for docs/scale.md
	test -d $(FULL_SIZE) || $(PYTHON) -m experiments.speed --make $(FULL_SIZE)
	$(PYTHON) -m experiments.speed --dataset $(FULL_SIZE) \
	  $$(test -d $(MEASURED) && echo --resume || echo --output-dir) $(MEASURED)
	earlier=results/earlier/speed-$$(date +%Y%m%d-%H%M%S) && mkdir -p $$earlier && \
	mv results/speed/full-size $$earlier && mv $(MEASURED) results/speed/full-size
	$(PYTHON) -m recbench.report

versions:  ## the quick tests under each Python that is installed, in environments of their own
	for version in 3.11 3.12 3.13; do \
	  if ! python$$version --version > /dev/null 2>&1; then echo "python$$version is not installed"; continue; fi; \
	  python$$version -m venv .venv-$$version && \
	  .venv-$$version/bin/pip install --quiet -r requirements.txt -r requirements-dev.txt && \
	  .venv-$$version/bin/python -m pytest -m "not slow" || exit 1; \
	done

check: .venv/ready-to-test  ## lint, format, types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

report: .venv/ready  ## write the tables and pictures of README and docs anew from results/
	$(PYTHON) -m recbench.report

pictures: .venv/ready-to-test  ## draw the terminal, the report and the page for the docs
	$(PYTHON) docs/pictures.py

.venv/ready: requirements.txt
	python3 -m venv .venv
	$(PYTHON) -m pip install --quiet -r requirements.txt
	touch $@

.venv/ready-to-test: .venv/ready requirements-dev.txt
	$(PYTHON) -m pip install --quiet -r requirements-dev.txt
	touch $@
