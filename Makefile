# Cachekey: `make demo` shows it, `make test` proves it; both set up what they need.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BASE_PYTHON ?= python3
VENV := .venv
PYTHON := $(CURDIR)/$(VENV)/bin/python
PYTEST := $(PYTHON) -m pytest
READY := $(VENV)/.ready

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo test lint unit judges fuzz bench lock docs docs-site release clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

setup: $(READY) ## Make the virtual environment

# Debian ships python3 without venv; then its package is installed first.
$(READY): requirements-dev.txt pyproject.toml
	@$(BASE_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "Cachekey needs Python 3.10 or newer; set BASE_PYTHON" >&2; exit 1; }
	@test -x $(PYTHON) || $(BASE_PYTHON) -m venv $(VENV) 2>/dev/null \
		|| { rm -rf $(VENV); apt-get update -q && apt-get install -yq python3-venv; \
		     $(BASE_PYTHON) -m venv $(VENV); }
	$(PYTHON) -m pip install -q --require-hashes -r requirements-dev.txt
	$(PYTHON) -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## Check a small realistic project
	@$(PYTHON) tests/examples/demo.py

include tests/builders.mk tests/editors.mk tests/pieces.mk

test: builders judges editors-setup vsix ## Everything, from nothing
	@$(MAKE) --no-print-directory --keep-going -j$(JOBS) beside

lint: $(READY) ## Style and types
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy

unit: $(READY) ## The fast tests: no builder, no editor
	$(PYTEST) -q --ignore tests/buildkit --ignore tests/editors

judges: $(READY) ## Get the schemas and checkers of other projects that judge what we write, once
	@$(PYTHON) -m tests.support.judges

SECONDS ?= 600
fuzz: $(READY) ## Try texts that nobody has written, for SECONDS=600
	$(PYTHON) -m tests.fuzz.run $(SECONDS) $$($(PYTHON) -c 'import time; print(int(time.time()) * 1000000)')
	$(PYTHON) -m tests.fuzz.growth
	@# Coverage shows the way where atheris can be had; it has no wheels for some platforms.
	@if $(PYTHON) -m pip install -q --target .cache/atheris --upgrade atheris 2>/dev/null; then \
		PYTHONPATH=.cache/atheris $(PYTHON) -m tests.fuzz.guided -max_total_time=$(SECONDS); \
	else echo "atheris cannot be had here: the guided part is left out"; fi

bench: $(READY) ## Measure speed beside the peers (15 minutes; QUICK=1 three); nothing passes or fails
	$(PYTHON) -m tests.bench.run $(if $(QUICK),--quick) $(if $(KEEP),--keep "$(KEEP)")

lock: ## Renew requirements-dev.txt from pyproject.toml
	$(PYTHON) -m pip install -q uv
	$(PYTHON) -m uv pip compile -q --universal --generate-hashes --python-version 3.10 \
		--no-emit-index-url --no-annotate --group dev pyproject.toml -o requirements-dev.txt

SITE := $(CURDIR)/.cache/site
docs-site: $(READY) judges ## Build the documentation's site, dist/site
	$(PYTHON) docs/pages.py $(SITE)/pages $(CURDIR)/dist/site
	PYTHONPATH=$$(echo .cache/judges/mkdocs-*-python-$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')) \
		$(PYTHON) -m mkdocs build -q --clean -f $(SITE)/mkdocs.yml

release: $(READY) $(CLIENT_READY) ## Make a release of the last commit in dist/release; the same bytes every time
	@$(PYTHON) .ci/release/make.py

docs: $(READY) ## Renew the generated parts of the README and the manifest, and the schemas
	$(PYTHON) -m tests.support.generate

clean: ## Remove everything that was downloaded or built
	rm -rf $(VENV) .cache dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf client-vscode/node_modules client-vscode/bundled client-vscode/out
