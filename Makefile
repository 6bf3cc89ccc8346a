# Everything a developer runs. `make` alone lists it.
#
# All happens in .venv, from the locks in requirements/ (hashes checked); what is already there isn't installed again.

PYTHON ?= python3
ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check
# Nothing may be fetched that isn't locked: not even what builds a package that comes as source.
INSTALL := $(PIP) install --require-hashes --no-build-isolation --use-pep517

PYTHON_CODE := exporter tests $(wildcard bench grafana)

export PYTHON

.PHONY: help demo test lint format types contracts unit real coverage fuzz bench walk docs dist preview lock upgrade clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/run.stamp ## Serve the metrics of a simulated fleet on port 9176
	@exec $(BIN)/openvpn-exporter demo

test: lint types contracts .venv/real.stamp ## Check and test everything, as CI does
	@echo "== tests"
	@$(BIN)/pytest $(ARGS)

lint: .venv/dev.stamp ## Style: ruff
	@echo "== ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: .venv/dev.stamp ## Let ruff repair style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: .venv/dev.stamp ## Types: mypy, strict
	@echo "== mypy"
	@$(BIN)/mypy $(PYTHON_CODE)

contracts: .venv/dev.stamp ## Who may import whom: import-linter
	@echo "== import-linter"
	@$(BIN)/lint-imports

unit: .venv/prometheus.stamp ## Tests that need no OpenVPN; ARGS="-k ledger" picks some
	@$(BIN)/pytest --ignore=tests/real $(ARGS)

real: .venv/real.stamp ## Tests with real OpenVPN daemons and a real Prometheus
	@$(BIN)/pytest tests/real $(ARGS)

coverage: .venv/real.stamp ## Tests, and which lines and branches they reach
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report $(if $(ARGS),--fail-under=0)

fuzz: .venv/dev.stamp ## Fuzz the parsers of the management protocol; ARGS="protocol --seconds 600"
	@$(BIN)/python -m tests.fuzz $(ARGS)

bench: .venv/dev.stamp ## Benchmarks
	@$(BIN)/python -m bench $(ARGS)

walk: .venv/dev.stamp ## How many files and functions a poll and a scrape pass; the size of the tree
	@$(BIN)/python -m bench.walk

docs: .venv/dev.stamp ## Write the documentation and the dashboards, which come from code
	@$(BIN)/python -m exporter.config.docs > docs/configuration.md
	@$(BIN)/python -m exporter.config.json_schema > config.schema.json
	@$(BIN)/python -m exporter.metrics.docs
	@$(BIN)/python -m grafana
	@$(BIN)/openvpn-exporter rules --output prometheus/openvpn.rules.yml

dist: .venv/run.stamp ## Build the wheel and the source archive
	@mkdir -p dist
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -c 'from flit_core.buildapi import *; build_sdist("dist"); build_wheel("dist")'

preview: grafana/preview/node_modules/.stamp ## Photograph the dashboards over a Prometheus; ARGS="--prometheus URL"
	@node grafana/preview/preview.mjs $(ARGS)

lock: ## Resolve the locks anew, keeping what still fits
	@scripts/lock

upgrade: ## Resolve the locks anew, taking the newest
	@scripts/lock --upgrade

clean: ## Remove all that these targets made
	rm -rf .venv build dist htmlcov grafana/preview/node_modules grafana/preview/out .coverage .coverage.* .fuzz .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

grafana/preview/node_modules/.stamp: grafana/preview/package-lock.json
	cd grafana/preview && npm ci
	@touch $@

.venv/created.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: name one, as in make PYTHON=python3.11")'
	@scripts/debian-packages venv
	$(PYTHON) -m venv --clear .venv
	@touch $@

.venv/run.stamp: .venv/created.stamp requirements/build.txt requirements/run.txt pyproject.toml
	$(INSTALL) -r requirements/build.txt -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements/dev.txt
	$(INSTALL) -r requirements/dev.txt
	@touch $@

.venv/prometheus.stamp: .venv/dev.stamp
	@scripts/debian-packages promtool amtool systemd-analyze kill
	@touch $@

.venv/real.stamp: .venv/prometheus.stamp
	@scripts/debian-packages openvpn ip
	@touch $@
