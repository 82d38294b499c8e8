PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# The tests of one file stay together, so that what they share is made once; the files come as conftest.py has them.
PYTEST := $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder
CORES := $(shell getconf _NPROCESSORS_ONLN)
# One more than cores, since browsers, servers and other programs are waited for.
ALL := --numprocesses $(shell expr $(CORES) + 1)
FAST := --numprocesses $(CORES) -m "not slow and not browser"
CHECKS := check-format check-lint check-spelling check-types check-imports

.PHONY: help run setup test test-fast cov check $(CHECKS) format docs bundle combinations constraints audit clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

run: $(STAMPS)/edge ## set up the device's part and judge the bundled cells and fields
	$(BIN)/plasmolite classify edge/samples/cells --picture out/verdicts.png
	$(BIN)/plasmolite analyze edge/samples/fields --report out/report
	@echo "Look at out/verdicts.png and open out/report/report.html"

test: $(STAMPS)/dev ## check the code and run all tests; both are reported, whichever fails
	@$(MAKE) --no-print-directory --keep-going check && checks=passed || checks=FAILED; \
	$(PYTEST) $(ALL) && tests=passed || tests=FAILED; \
	echo "checks $$checks, tests $$tests"; \
	[ "$$checks $$tests" = "passed passed" ]

test-fast: $(STAMPS)/dev ## run the tests that take less than a second each and need no browser
	$(PYTEST) $(FAST)

cov: $(STAMPS)/dev ## measure how much of edge and server the tests run; at least 96 and 95 %
	$(PYTEST) $(ALL) -m "not browser" --cov=edge --cov=server --cov-report= tests/edge tests/plasmolite tests/server
	$(BIN)/coverage report --include='edge/*' --fail-under=96 --skip-covered
	$(BIN)/coverage report --include='server/*' --fail-under=95 --skip-covered

check: $(CHECKS) ## check format, rules, spelling, types and imports

check-format: $(STAMPS)/dev
	$(BIN)/ruff format --check .

check-lint: $(STAMPS)/dev
	$(BIN)/ruff check .

check-spelling: $(STAMPS)/dev
	$(BIN)/codespell
	$(BIN)/codespell --dictionary docs/site_hooks/american.txt *.md docs

check-types: $(STAMPS)/dev
	$(BIN)/mypy

check-imports: $(STAMPS)/dev
	$(BIN)/lint-imports

audit: $(STAMPS)/audit ## ask the public list of vulnerabilities about what device and server install
	@mkdir -p out
	$(PIP) install --dry-run --ignore-installed --report out/audit.json '.[edge,server,signing]'
	$(BIN)/python -c 'import json; print(*sorted("{name}=={version}".format(**package["metadata"]) \
		for package in json.load(open("out/audit.json"))["install"] if not package["is_direct"]), sep="\n")' \
		> out/audit.txt
	# Strict: a package that the list does not answer for is no clean one.
	$(BIN)/pip-audit --strict --no-deps --requirement out/audit.txt

format: $(STAMPS)/dev ## format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: $(STAMPS)/dev ## install everything that development needs into .venv

# Anew for every Python at once, then without what no Python of ours takes (its own upper bound is not seen).
constraints: | $(STAMPS)/python ## pin the newest releases in constraints/
	$(PIP) install uv
	for kind in device:edge,server,signing dev:dev,docs; do \
		$(BIN)/uv pip compile --quiet --universal --no-header --no-annotate --no-emit-index-url --python-version 3.11 \
			pyproject.toml $$(echo $${kind#*:} | tr , '\n' | sed 's/^/--extra /') \
			| grep -v '^backports-strenum' \
			| sed '1i # Releases with which the tests passed, for every Python from 3.11 on. Made by: make constraints' \
			> constraints/$${kind%%:*}.txt || exit 1; \
	done

docs: $(STAMPS)/docs ## write the documents as a site into out/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "Open out/site/index.html"

bundle: $(STAMPS)/edge ## pack an offline bundle for each kind of device into dist
	$(BIN)/python -m deploy.bundle

combinations: $(STAMPS)/nox ## run the tests of edge under each Python, runtime, numpy and OpenCV
	$(BIN)/nox

$(STAMPS)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Plasmolite needs Python 3.11 or newer.")'
	$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS)
	@touch $@

$(STAMPS)/edge: pyproject.toml | $(STAMPS)/python
	$(PIP) install --constraint constraints/device.txt --editable '.[edge]'
	@touch $@

$(STAMPS)/dev: pyproject.toml | $(STAMPS)/python
	$(PIP) install --constraint constraints/dev.txt --editable '.[dev]'
	@touch $@ $(STAMPS)/edge

$(STAMPS)/docs: $(STAMPS)/edge
	$(PIP) install --constraint constraints/dev.txt --editable '.[edge,server,docs]'
	@touch $@

$(STAMPS)/nox: pyproject.toml | $(STAMPS)/python
	$(PIP) install 'nox[uv]'
	@touch $@

$(STAMPS)/audit: pyproject.toml | $(STAMPS)/python
	$(PIP) install pip-audit
	@touch $@

clean: ## remove the environment and everything made
	rm -rf $(VENV) out build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .nox .coverage
