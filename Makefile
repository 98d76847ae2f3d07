# What developers do often. Everything runs in .venv-dev, which is made on first use.
.DEFAULT_GOAL := help
.PHONY: help environment check unit storage wire browser fault bench api coverage requirements

BIN := .venv-dev/bin
PYTEST := $(BIN)/python -m pytest
REQUIREMENTS := runtime build dev awscli-v1

help: ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

environment: ## make or renew .venv-dev
	@"$$(tools/find-python make)" -I -B tools/environment.py dev

check: environment ## format, lint, types, layers, generated files current
	tools/check

unit: environment ## tests of single parts, under a minute
	$(PYTEST) tests/unit

storage: environment ## one suite on every database at hand
	$(PYTEST) tests/storage

wire: environment ## real AWS clients on a live server (./test finds both generations of the AWS CLI)
	$(PYTEST) tests/wire

browser: environment ## pages in Chromium (./test installs it)
	$(PYTEST) tests/browser

fault: environment ## killed, full, raced and damaged
	$(PYTEST) tests/fault

bench: environment ## figures, to be compared within one run
	PYTHONPATH=src:. $(BIN)/python -m tests.bench

api: environment ## generate src/instep/api from the pinned models
	$(BIN)/python -m tools.generate_api

coverage: environment ## generate docs/coverage.md
	$(BIN)/python -m tools.generate_coverage

requirements: environment ## pin requirements/*.in, with hashes, into *.txt (UPGRADE=--upgrade for newer ones)
	cd requirements && for name in $(REQUIREMENTS); do \
		../$(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --no-emit-find-links --no-annotate --no-header $(UPGRADE) "$$name.in" -o "$$name.txt" || exit; \
	done
