# The commands of development; `make` lists them.
#
# They run in .venv, which is installed once from the lock files in requirements/, with hashes.

PYTHON ?= python3
ARGS ?=
DIST ?= dist

BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check
# Every package is locked, build dependencies of source packages included.
INSTALL := $(PIP) install --require-hashes --no-build-isolation --use-pep517

PYTHON_VERSION := $(shell $(PYTHON) -c 'import platform; print(platform.python_version())')
# Another PYTHON begins with an empty environment.
$(if $(PYTHON_VERSION),$(shell .venv/bin/python --version 2>&1 | grep -qxF 'Python $(PYTHON_VERSION)' || rm -rf .venv),$(error $(PYTHON) is no Python))

PYTHON_CODE := exporter tests tests_install $(wildcard bench grafana scripts)

# The times in what is built: that of the last commit, or in a source archive that of its files.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || stat --format=%Y pyproject.toml)

export PYTHON DIST SOURCE_DATE_EPOCH

# The tests start the exporter often: each time it would compile all of its modules.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-install lint format types contracts unit real coverage fuzz bench growth soak walk docs dist release deb preview audit lock upgrade clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/run.stamp ## Serve the metrics of a simulated fleet on port 9176
	@exec $(BIN)/openvpn-exporter demo

# The tests with OpenVPN wait most of the time, so they run beside the others; `env` because what a shell starts
# in the background ignores Ctrl-C.
test: lint types contracts .venv/real.stamp ## Run all checks and tests, as CI does; with ARGS, the checks and these tests
ifneq ($(ARGS),)
	@echo "== tests"
	@$(BIN)/pytest $(ARGS)
else
	@echo "== tests without OpenVPN"
	@env --default-signal=INT $(BIN)/pytest tests/real > .venv/real.log 2>&1 & real=$$!; \
	$(BIN)/pytest --ignore=tests/real; unit=$$?; \
	echo "== tests with OpenVPN, at the same time"; \
	tail --lines=+1 --follow --pid=$$real .venv/real.log; \
	wait $$real && exit $$unit
endif

test-install: .venv/install.stamp .venv/kubernetes.stamp .venv/release.stamp ## Install in clean chroots of Debian, as root; each check with its time
	@$(BIN)/pytest -o testpaths=tests_install --verbose --timeout=1800 $(ARGS)

lint: .venv/dev.stamp ## Check the style: ruff
	@echo "== ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: .venv/dev.stamp ## Correct the style: ruff
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: .venv/dev.stamp ## Check the types: mypy, strict
	@echo "== mypy"
	@$(BIN)/mypy $(PYTHON_CODE)

contracts: .venv/dev.stamp ## Check the directions of imports: import-linter
	@echo "== import-linter"
	@$(BIN)/lint-imports

unit: .venv/prometheus.stamp ## Run the tests that need no OpenVPN; ARGS="-k status" selects some
	@$(BIN)/pytest --ignore=tests/real $(ARGS)

real: .venv/real.stamp ## Run the tests with real OpenVPN daemons and a real Prometheus
	@$(BIN)/pytest tests/real $(ARGS)

coverage: .venv/real.stamp ## Measure the lines and branches that the tests reach
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report $(if $(ARGS),--fail-under=0)

fuzz: .venv/dev.stamp ## Fuzz the parsers of the management protocol; ARGS="protocol --seconds 600"
	@$(BIN)/python -m tests.fuzz $(ARGS)

bench: .venv/dev.stamp ## Measure time and memory
	@$(BIN)/python -m bench $(ARGS)

growth: .venv/dev.stamp ## Measure how polls and memory grow, and draw docs/images/growth.svg
	@$(BIN)/python -m bench.growth docs/images/growth.svg

soak: .venv/dev.stamp ## Attack one exporter and check that nothing grows; ARGS="--minutes 10"
	@$(BIN)/python -m bench.soak $(ARGS)

walk: .venv/dev.stamp ## Count the files and functions of a poll and a scrape; the size of the tree
	@$(BIN)/python -m bench.walk

docs: .venv/dev.stamp ## Generate the documentation and the dashboards
	@$(BIN)/python -m exporter.config.docs > docs/configuration.md
	@$(BIN)/python -m exporter.config.json_schema > config.schema.json
	@$(BIN)/python -m exporter.metrics.docs
	@$(BIN)/python -m grafana
	@$(BIN)/openvpn-exporter rules --output prometheus/openvpn.rules.yml
	@$(BIN)/openvpn-exporter rules --usage --output prometheus/openvpn-usage.rules.yml
	@$(BIN)/python -m scripts.helm_chart
	@$(BIN)/python -m scripts.render_docs

dist: .venv/run.stamp ## Build the wheel and the source archive
	@mkdir -p $(DIST)
	@$(BIN)/python -c 'from flit_core.buildapi import *; build_sdist("$(DIST)"); build_wheel("$(DIST)")'

release: dist .venv/release.stamp ## Build the wheel and the source archive, their bill of materials, and checksums of all in dist/
	@scripts/build-release

deb: ## Build the package of this Debian release
	@scripts/build-deb

preview: grafana/preview/node_modules/.stamp ## Take pictures of the dashboards; ARGS="--prometheus URL"
	@node grafana/preview/preview.mjs $(ARGS)

audit: .venv/audit.stamp ## Known vulnerabilities of the locked packages; needs the network
	@.venv/audit/bin/pip-audit --strict --require-hashes --disable-pip \
		$(foreach lock,run build dev audit release kubernetes tools,--requirement requirements/$(lock).txt) $(ARGS)

lock: ## Update the lock files, keeping versions that still fit
	@scripts/lock

upgrade: ## Update the lock files to the newest versions
	@scripts/lock --upgrade

clean: ## Remove everything that these targets made
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

.venv/audit.stamp: .venv/created.stamp requirements/audit.txt
	$(PYTHON) -m venv --clear .venv/audit
	.venv/audit/bin/pip --disable-pip-version-check install --require-hashes --only-binary :all: -r requirements/audit.txt
	@touch $@

.venv/release.stamp: .venv/created.stamp requirements/release.txt
	$(PYTHON) -m venv --clear .venv/release
	.venv/release/bin/pip --disable-pip-version-check install --require-hashes --only-binary :all: -r requirements/release.txt
	@touch $@

.venv/kubernetes.stamp: .venv/created.stamp requirements/kubernetes.txt
	$(PYTHON) -m venv --clear .venv/kubernetes
	.venv/kubernetes/bin/pip --disable-pip-version-check install --require-hashes --no-deps --only-binary :all: -r requirements/kubernetes.txt
	scripts/kubernetes-tools .venv/kubernetes
	@touch $@

.venv/tools.stamp: .venv/created.stamp requirements/build.txt requirements/tools.txt
	$(PYTHON) -m venv --clear .venv/tools
	.venv/tools/bin/pip --disable-pip-version-check install --require-hashes --only-binary :all: -r requirements/build.txt
	.venv/tools/bin/pip --disable-pip-version-check install --require-hashes --no-build-isolation --use-pep517 --no-deps -r requirements/tools.txt
	@touch $@

.venv/prometheus.stamp: .venv/dev.stamp
	@scripts/debian-packages promtool amtool systemd-analyze kill chromedriver
	@touch $@

.venv/real.stamp: .venv/prometheus.stamp .venv/tools.stamp
	@scripts/debian-packages openvpn ip easyrsa
	@touch $@

.venv/install.stamp: .venv/dev.stamp
	@scripts/debian-packages debootstrap ip promtool
	@touch $@
