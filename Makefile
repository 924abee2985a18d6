# Everything a developer, CI or an operator runs, each under one name. `make help` lists it.

PYTHON ?= python3
UV_VERSION := 0.13.9
# Training data: a CSV or Parquet file or an s3:// address; empty is the synthetic sample.
DATA ?=
# Port of `make serve` and `make predict`.
PORT ?= 8000
# Of `make bench` and `make bench-overload`: how often each server is asked, and how long each time.
BENCH_ROUNDS ?= 3
BENCH_SECONDS ?= 5

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
BIN := .venv/bin
SYNCED := .venv/.synced
UV := $(shell command -v uv || echo $(BIN)/uv)
# Before the export, which would define it as empty.
GIT_COMMIT ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
export DATA GIT_COMMIT

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -m venv .venv
	@command -v $(UV) >/dev/null || $(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(SYNCED): requirements.lock | $(BIN)/python
	VIRTUAL_ENV=$(CURDIR)/.venv $(UV) pip sync --quiet --require-hashes requirements.lock
	VIRTUAL_ENV=$(CURDIR)/.venv $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

LOCK := pip compile --quiet --universal --generate-hashes --python-version 3.11 --custom-compile-command 'make lock'
LOCK_ALL := $(LOCK) --all-extras --group dev pyproject.toml
JOURNEYS := tests/journeys/requirements.lock
# Beside the versions that every test runs with.
LOCK_JOURNEYS := $(LOCK) --group journeys --constraints requirements.lock
CLIENTS := tests/clients/requirements.lock
LOCK_CLIENTS := $(LOCK) --group clients

.PHONY: lock
lock: | $(BIN)/python ## Pin every dependency again, after a change of pyproject.toml
	$(UV) $(LOCK_ALL) -o requirements.lock
	$(UV) $(LOCK_JOURNEYS) -o $(JOURNEYS)
	$(UV) $(LOCK_CLIENTS) -o $(CLIENTS)

.PHONY: charts
charts: $(SYNCED) ## Write the charts' generated files again, after a change of policy, rules, dashboards or helpers
	$(BIN)/python -m scripts.chart_files

.PHONY: sample
sample: $(SYNCED) ## Write the synthetic sample again, after a change of harness/sample.py
	$(BIN)/python -m scripts.write_sample

.PHONY: commands
commands: $(SYNCED) ## Write docs/commands.md again, after a change of a command's help
	$(BIN)/python -m scripts.commands

.PHONY: version
version: $(SYNCED) ## Set the version everywhere: make version VERSION=1.2.3
	$(BIN)/python -m scripts.version $(VERSION)

.PHONY: check-format check-lint check-types check-lock check-charts
check-format: $(SYNCED)
	$(BIN)/ruff format --check .
check-lint: $(SYNCED)
	$(BIN)/ruff check .
check-types: $(SYNCED)
	$(BIN)/mypy
check-lock: $(SYNCED)
	@mkdir -p build && cp requirements.lock build/requirements.lock
	@$(UV) $(LOCK_ALL) -o build/requirements.lock
	@cmp -s requirements.lock build/requirements.lock || { echo "requirements.lock is stale: run make lock"; exit 1; }
	@cp $(JOURNEYS) build/journeys.lock
	@$(UV) $(LOCK_JOURNEYS) -o build/journeys.lock
	@cmp -s $(JOURNEYS) build/journeys.lock || { echo "$(JOURNEYS) is stale: run make lock"; exit 1; }
	@cp $(CLIENTS) build/clients.lock
	@$(UV) $(LOCK_CLIENTS) -o build/clients.lock
	@cmp -s $(CLIENTS) build/clients.lock || { echo "$(CLIENTS) is stale: run make lock"; exit 1; }
check-charts: $(SYNCED)
	@$(BIN)/python -m scripts.chart_files --check

.PHONY: check
check: ## Format, lint, types, lock file and generated files; edits nothing
	@$(MAKE) --no-print-directory --keep-going check-format check-lint check-types check-lock check-charts

.PHONY: fix
fix: $(SYNCED) ## Format, and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: tools
tools: $(SYNCED) ## Put helm and promtool into .tools where PATH has none
	@$(BIN)/python -m scripts.tools

.PHONY: test
test: $(SYNCED) tools ## Run every test that needs no cluster
	DATA= $(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

# Of Debian and what follows it; where no mirror answers it gives up soon.
APT_GET := DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 --option Acquire::Retries=0 --option Acquire::http::Timeout=30

.PHONY: journeys
journeys: $(SYNCED) ## Walk through the console in a real browser, which root gets from Debian: PICTURES=FOLDER keeps what is seen
	@command -v chromium google-chrome >/dev/null || { [ "$$(id -u)" = 0 ] && $(APT_GET) update && $(APT_GET) install --yes --no-install-recommends chromium fonts-dejavu-core >/dev/null; } || echo "no browser is here and none could be installed: the journeys are passed over"
	@VIRTUAL_ENV=$(CURDIR)/.venv $(UV) pip install --quiet --require-hashes --requirement $(JOURNEYS) || echo "what drives the browser could not be had: the journeys are passed over"
	@command -v npm >/dev/null || { [ "$$(id -u)" = 0 ] && $(APT_GET) install --yes --no-install-recommends nodejs npm >/dev/null; } || echo "no npm is here and none could be installed: nobody signs in at a provider"
	@mkdir -p build/provider && cp tests/journeys/provider/* build/provider && { npm ci --silent --no-audit --no-fund --prefix build/provider || echo "the provider could not be had: nobody signs in at one"; }
	DATA= $(BIN)/pytest -m journeys tests/journeys

.PHONY: clients
clients: $(SYNCED) ## Generate clients of the API in Python and TypeScript, check their types, and ask with them
	@$(BIN)/python -m venv build/clients && VIRTUAL_ENV=$(CURDIR)/build/clients $(UV) pip sync --quiet --require-hashes $(CLIENTS) || echo "what generates a client in Python could not be had: it is passed over"
	@command -v npm >/dev/null || { [ "$$(id -u)" = 0 ] && $(APT_GET) update && $(APT_GET) install --yes --no-install-recommends nodejs npm >/dev/null; } || echo "no npm is here and none could be installed: the client in TypeScript is passed over"
	@mkdir -p build/clients/typescript && cp tests/clients/typescript/* build/clients/typescript && { npm ci --silent --no-audit --no-fund --prefix build/clients/typescript || echo "what generates a client in TypeScript could not be had: it is passed over"; }
	DATA= $(BIN)/pytest -m clients tests/clients

.PHONY: demo
demo: $(SYNCED) ## Train on the synthetic sample, serve, and show one decision; needs no cluster
	$(BIN)/python -m scripts.demo

include cluster.mk

.PHONY: train
train: train-$(IN) ## Train, register and let the gate decide: make train DATA=applicants.csv
.PHONY: train-local train-cluster
train-local: $(SYNCED)
	$(BIN)/credit train
train-cluster: $(SYNCED)
	$(BIN)/python -m scripts.cluster_train --context $(CONTEXT)

.PHONY: serve
serve: $(SYNCED) ## Serve the model in production on PORT
	$(BIN)/credit serve --port $(PORT)

.PHONY: predict
predict: predict-$(IN) ## Ask for the decision on tests/data/request.json: on PORT, or in the cluster once it is up
.PHONY: predict-local predict-cluster
predict-local: $(SYNCED)
	@$(BIN)/python -m scripts.predict http://127.0.0.1:$(PORT) tests/data/request.json
predict-cluster: $(SYNCED)
	@$(BIN)/python -m scripts.predict --context $(CONTEXT) tests/data/request.json

.PHONY: bench-scoring
bench-scoring: $(SYNCED) ## Microseconds a row: compiled model against predict_proba, on DATA
	$(BIN)/python -m loadtests.scoring

.PHONY: bench
bench: $(SYNCED) ## Requests a second on one core beside other model servers, on DATA: BENCH_ROUNDS, BENCH_SECONDS
	$(BIN)/python -m loadtests.bench --rounds $(BENCH_ROUNDS) --seconds $(BENCH_SECONDS)

.PHONY: bench-overload
bench-overload: $(SYNCED) ## What is left of the best when twice as much is asked, on DATA: BENCH_ROUNDS, BENCH_SECONDS
	$(BIN)/python -m loadtests.overload --rounds $(BENCH_ROUNDS) --seconds $(BENCH_SECONDS)

.PHONY: profile
profile: $(SYNCED) ## Flame graph of /predict under load, as build/bench/flame.svg
	$(BIN)/python -m loadtests.flame

.PHONY: bench-batch
bench-batch: $(SYNCED) ## Microseconds a row of large batches and files, on DATA
	$(BIN)/python -m loadtests.batch

.PHONY: clean
clean: ## Remove what the targets made: environment, caches, embedded registry, demo
	rm -rf .venv .tools .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis build mlflow.db decisions.db* mlartifacts mlruns

.PHONY: check-workflows
check-workflows: ## Lint the GitHub workflows with actionlint, where PATH has it
	@if command -v actionlint >/dev/null; then actionlint; else echo "actionlint is not on PATH: the workflows were not checked"; fi
check: check-workflows

.PHONY: check-release
check-release: $(SYNCED) ## Whether TAG may be released: versions and changelog
	@$(BIN)/python -m scripts.check_release "$${TAG:-}"

.PHONY: package
package: $(SYNCED) tools chart-dependencies ## Make the charts' archives in build/charts
	rm -rf build/charts && mkdir -p build/charts
	for chart in charts/*/; do [ ! -e $$chart/Chart.yaml ] || PATH=$(CURDIR)/.tools:$$PATH helm package --destination build/charts $$chart; done

.PHONY: ci
ci: ## What CI runs where there is no cluster: check, demo, test, clients, journeys
	$(MAKE) check
	$(MAKE) demo
	$(MAKE) test
	$(MAKE) clients
	$(MAKE) journeys

.PHONY: ci-cluster
ci-cluster: ## What CI runs on a kind cluster of its own, which is deleted in the end
	trap 'status=$$?; [ $$status = 0 ] || .ci/diagnose; $(MAKE) down; exit $$status' EXIT; \
	$(MAKE) down; \
	$(MAKE) up; \
	$(MAKE) predict; \
	$(MAKE) load RUN_TIME=20s; \
	$(MAKE) e2e
