# Hotswap needs Python 3.11 or newer, with pip and venv, and make. `make help` says what there is.
PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 8000
HOST   ?= 127.0.0.1

PY := $(VENV)/bin/python
INSTALL := $(PY) -P config/install.py

.DEFAULT_GOAL := help
.PHONY: help demo up setup setup-dev test lint check format litellm setup-sso sso setup-tracing tracing clients browser screenshots pictures bench mutants audit wheel changelog lock clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: setup ## Run everything with a sample world and simulated providers (PORT=8000)
	@HOTSWAP_DATA_DIR="$(CURDIR)/var/demo" DATABASE_URL= CELERY_BROKER_URL= \
	 exec $(PY) -m sample_world.demo --host $(HOST) --port $(PORT)

up: setup ## Run web, worker and scheduler for real on this machine (PORT=8000, HOST=127.0.0.1)
	@exec $(PY) -P config/supervisor.py --host $(HOST) --port $(PORT)

setup: $(VENV)/.runtime ## Install what running needs into .venv

setup-dev: $(VENV)/.dev ## Install what tests and checks need too

test: setup-dev ## Run the tests on SQLite, as in a fresh clone
	@$(PY) -m pytest -n auto

lint: setup-dev ## Format, lint, strict types, import contract, missing migrations, API description
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m ruff check --quiet .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports --no-logo
	@$(PY) manage.py makemigrations --check --dry-run
	@$(PY) manage.py spectacular --validate --fail-on-warn --file /dev/null

check: lint test ## Everything that must be green before a commit

format: setup-dev ## Write the code in the project's format
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

litellm: ## Run the tests against the real litellm, in an environment of its own
	@$(MAKE) --no-print-directory setup-dev VENV=$(VENV)/litellm
	@$(VENV)/litellm/bin/python -P config/install.py litellm requirements-litellm.lock
	@$(VENV)/litellm/bin/python -m pytest tests/integrations tests/config/test_locks.py

setup-sso: setup ## Install what single sign-on needs, too, into .venv
	@$(INSTALL) "what single sign-on needs" requirements-sso.lock

sso: ## Sign in through an identity provider on this machine, in an environment of its own (needs Chromium)
	@$(MAKE) --no-print-directory setup-dev VENV=$(VENV)/sso
	@$(VENV)/sso/bin/python -P config/install.py "what single sign-on needs" requirements-sso.lock
	@$(VENV)/sso/bin/python -P config/install.py "an identity provider" requirements-sso-tests.lock
	@$(VENV)/sso/bin/python -m pytest -m e2e -n auto tests/sso
	@$(VENV)/sso/bin/python -m pytest tests/config/test_locks.py

setup-tracing: setup ## Install what traces of its own work need, too, into .venv
	@$(INSTALL) "what traces need" requirements-tracing.lock

tracing: ## Follow a request and its task by their spans, in an environment of its own
	@$(MAKE) --no-print-directory setup-dev VENV=$(VENV)/tracing
	@$(VENV)/tracing/bin/python -P config/install.py "what traces need" requirements-tracing.lock
	@$(VENV)/tracing/bin/python -m pytest tests/tracing tests/config/test_locks.py

setup-clients: setup-dev
	@$(PYTHON) -m venv $(VENV)/clients
	@$(VENV)/clients/bin/python -P config/install.py "the generators of clients" requirements-clients.lock
	@cd tests/clients && npm ci --silent

clients: setup-clients ## Generate clients from the API's description and call a server with each (needs Node)
	@$(PY) -m pytest -n auto -m clients tests/clients

browser: setup-dev ## Run the browser tests (needs Chromium)
	@$(PY) -m pytest -m e2e -n auto tests/e2e

screenshots: setup-dev ## Take every page, wide and phone, light and dark, into var/screenshots
	@SCREENSHOTS="$(CURDIR)/var/screenshots" $(PY) -m pytest -m e2e -n auto tests/e2e/test_access.py

pictures: setup-dev ## Take README's pictures from a running demo (ADDRESS=http://localhost:8000)
	@$(PY) -m sample_world.pictures $(ADDRESS)

bench: setup-dev ## Measure everything, and compare with the budgets (quiet machine, please)
	@missed=""; for name in lineage checking ingestion retention current comparison writers admin_pages stopping migrating idle; do \
	  echo "== $$name"; $(PY) -m benchmarks.$$name || missed="$$missed $$name"; done; \
	if [ -n "$$missed" ]; then echo "Budgets missed:$$missed"; exit 1; fi

mutants: setup-dev ## Put small faults into the rules, and see whether a test notices each
	@$(PY) -m benchmarks.mutants $(ONLY)

audit: ## Look for what is known against packages, code and the files of deploy/
	@$(PYTHON) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -P config/install.py "what looks for weaknesses" requirements-audit.lock
	@$(VENV)/audit/bin/python -m pip check --disable-pip-version-check
	@$(PYTHON) .ci/audit.py $(VENV)/audit/bin

wheel: $(VENV)/.build ## Build what ships, into dist/
	@$(VENV)/build/bin/python -m hatchling build -t wheel

changelog: $(VENV)/.build ## Move the fragments of changelog.d into CHANGELOG.md, under the version of config/__init__.py
	@$(VENV)/build/bin/python -m towncrier build --yes --version "$$($(VENV)/build/bin/python -m hatchling version)"

lock: ## Write the lock files anew from pyproject.toml (for maintainers)
	@$(PYTHON) -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -P config/install.py uv requirements-uv.lock
	@$(COMPILE) -o requirements-pip.lock --group installer
	@$(COMPILE) -o requirements-uv.lock --group locking
	@$(COMPILE) $(EXTRAS) -o requirements.lock pyproject.toml
	@$(COMPILE) $(EXTRAS) -o requirements-dev.lock pyproject.toml -c requirements.lock \
	  --group dev --group e2e
	@$(COMPILE) -o requirements-audit.lock --group auditing -c requirements-dev.lock
	@$(COMPILE) -o requirements-build.lock --group building -c requirements-dev.lock
	@$(COMPILE) -o requirements-clients.lock --group clients -c requirements-dev.lock
	@$(COMPILE) --extra sso -o requirements-sso.lock pyproject.toml -c requirements-dev.lock
	@$(COMPILE) -o requirements-sso-tests.lock --group sso-tests -c requirements-dev.lock \
	  -c requirements-sso.lock
	@$(COMPILE) --extra tracing -o requirements-tracing.lock pyproject.toml -c requirements-dev.lock
	@$(COMPILE) -o requirements-litellm.lock integrations/pyproject.toml \
	  -c requirements-dev.lock --extra litellm
	@if grep -nE '(https?|file)://|--(index|extra|find)' requirements*.lock; then \
	  echo "A lock file names a host or a folder: don't commit it."; exit 1; fi

EXTRAS = --extra prices --extra bedrock
# With their extras: a pip that finds no pin for name[extra] looks for the newest release of name.
COMPILE = $(VENV)/lock/bin/uv pip compile --no-annotate --no-header --quiet --universal \
  --python-version 3.11 --fork-strategy fewest --generate-hashes --no-strip-extras

clean: ## Delete the environment and caches; data in var/ stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage

# The stamps are younger than the lock files they were installed from.
$(VENV)/.runtime: requirements-pip.lock requirements.lock | $(VENV)/bin/python
	@$(INSTALL) "what Hotswap needs" requirements.lock
	@touch $@

$(VENV)/.dev: requirements-pip.lock requirements-dev.lock | $(VENV)/bin/python
	@$(INSTALL) "what tests and checks need" requirements-dev.lock
	@touch $@ $(VENV)/.runtime

$(VENV)/.build: requirements-pip.lock requirements-build.lock
	@$(PYTHON) -m venv $(VENV)/build
	@$(VENV)/build/bin/python -P config/install.py "what building needs" requirements-build.lock
	@touch $@

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Hotswap needs Python 3.11 or newer, and there is no $(PYTHON): install one, or name it: make PYTHON=python3.12 demo"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Hotswap needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -c 'import platform; print(platform.python_version())'): install one, or name it: make PYTHON=python3.12 demo"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) can't make an environment: install its venv package (on Debian and Ubuntu: apt install python3-venv)."; exit 1; }
	@mkdir -p $(VENV) 2>/dev/null && test -w $(VENV) || { \
	  echo "Can't write to $(CURDIR): make the folder writable, or clone the project into another one."; exit 1; }
	@$(PYTHON) -m venv $(VENV)
