# `make help` lists the targets. Everything lives in .venv and .avm; nothing else is touched.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
CLUSTER := $(VENV)/.ready-cluster

.DEFAULT_GOAL := help
.PHONY: help demo up down status test stories postgres-test cluster-test cluster-speed cluster-programs browser screenshots check format clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("AVM needs Python 3.11 or newer: make PYTHON=python3.11 …" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[airflow,dev]' -c constraints.txt
	@touch $@

$(CLUSTER): $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[airflow,cluster,dev]' -c constraints.txt
	@touch $@

demo: $(READY) ## Run the whole platform on real media and compare what it finds with what was planted
	$(BIN)/python -m local.demo

up: $(READY) ## Start SeaweedFS and Airflow and leave them running
	$(BIN)/python -m local.stack up

down: $(READY) ## Stop every process that `up` or `demo` started
	$(BIN)/python -m local.stack down

status: $(READY) ## Show addresses, login and health of the running platform
	$(BIN)/python -m local.stack status

test: $(READY) browser ## Run all tests, with a real SeaweedFS, a real Airflow and a real browser
	$(BIN)/python -m pytest

stories: $(READY) browser ## Run the long stories: intake, lifecycle, review, evaluation and page, each on a stack of its own
	$(BIN)/python -m pytest -m story

postgres-test: $(CLUSTER) cluster-programs ## Test the catalog, its views and statements on Postgres
	$(BIN)/python -m local.with_postgres $(BIN)/python -m pytest tests/avm_core/catalog tests/sql

cluster-test: $(CLUSTER) cluster-programs ## Kill workers of a cluster (Postgres, Redis, Celery, Edge), compare the rows
	$(BIN)/python -m pytest tests/cluster -m cluster -rP

cluster-speed: $(CLUSTER) cluster-programs ## Time the whole flow on one, two and three Celery workers
	$(BIN)/python -m local.cluster_speed

cluster-programs:
	@{ command -v redis-server && { command -v postgres || ls /usr/lib/postgresql/*/bin/postgres; }; } >/dev/null 2>&1 \
	|| { [ "$$(id -u)" = 0 ] && apt-get -qq update && apt-get -qq install -y --no-install-recommends postgresql redis-server; } \
	|| { echo 'A cluster needs Postgres and Redis: sudo apt-get install postgresql redis-server' >&2; exit 1; }

browser: # Debian's Chromium for the test of the page, where it may be installed; skipped elsewhere
	@command -v chromedriver >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	  apt-get install -y -qq --no-install-recommends chromium chromium-driver >/dev/null; } || \
	  echo "no Chromium here: the test of the page in a browser will be skipped"

screenshots: $(READY) browser ## Take the pictures of docs/page.md anew
	AVM_SCREENSHOTS=docs/images $(BIN)/python -m pytest -q -m story tests/e2e/test_page.py

check: $(READY) ## Format check, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY) ## Rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove what was built and made here (stop the platform first: make down)
	rm -rf $(VENV) .avm .pytest_cache .mypy_cache .ruff_cache *.egg-info build
