# make run   sets up the device's part and judges the bundled cells
# make test  sets up everything, checks the code and runs the tests
# make docs  writes the documents as a site into out/site
# make audit asks the public list of vulnerabilities about what the device and the server install; needs the internet
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: constraints docs run test check audit format setup bundle combinations clean

run: $(STAMPS)/edge
	$(BIN)/plasmolite classify edge/samples/cells --picture out/verdicts.png
	$(BIN)/plasmolite analyze edge/samples/fields --report out/report
	@echo "Look at out/verdicts.png and open out/report/report.html"

test: check
	$(BIN)/python -m pytest

check: $(STAMPS)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/codespell --dictionary docs/site_hooks/american.txt *.md docs
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: $(STAMPS)/audit
	@mkdir -p out
	$(PIP) install --dry-run --ignore-installed --report out/audit.json '.[edge,server,signing]'
	$(BIN)/python -c 'import json; print(*sorted("{name}=={version}".format(**package["metadata"]) \
		for package in json.load(open("out/audit.json"))["install"] if not package["is_direct"]), sep="\n")' \
		> out/audit.txt
	# Strict: a package that the list does not answer for is no clean one.
	$(BIN)/pip-audit --strict --no-deps --requirement out/audit.txt

format: $(STAMPS)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: $(STAMPS)/dev

# Anew for every Python at once, then without what no Python of ours takes (its own upper bound is not seen).
constraints: | $(STAMPS)/python
	$(PIP) install uv
	for kind in device:edge,server,signing dev:dev,docs; do \
		$(BIN)/uv pip compile --quiet --universal --no-header --no-annotate --no-emit-index-url --python-version 3.11 \
			pyproject.toml $$(echo $${kind#*:} | tr , '\n' | sed 's/^/--extra /') \
			| grep -v '^backports-strenum' \
			| sed '1i # Releases with which the tests passed, for every Python from 3.11 on. Made by: make constraints' \
			> constraints/$${kind%%:*}.txt || exit 1; \
	done

docs: $(STAMPS)/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "Open out/site/index.html"

bundle: $(STAMPS)/edge
	$(BIN)/python -m deploy.bundle

# The tests of edge under every Python, runtime, numpy and OpenCV that devices have.
combinations: $(STAMPS)/edge
	$(BIN)/python -m deploy.combinations tests

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

$(STAMPS)/audit: pyproject.toml | $(STAMPS)/python
	$(PIP) install pip-audit
	@touch $@

clean:
	rm -rf $(VENV) out build *.egg-info .pytest_cache .mypy_cache .ruff_cache
