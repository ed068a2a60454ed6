# Stable targets; `make help` lists them. SITE=<name> works in sites/<name>, else in the root (the demo).
.DEFAULT_GOAL := help
.PHONY: help demo test test-containers test-cycle repro ingest crossval compare exps retrain promote rollback remote ui images docs \
	lint types workflows bench locks clean check-lock

ROOT := $(CURDIR)
ifneq ($(words $(ROOT)),1)
$(error make cannot work in a folder with a blank in its path ($(ROOT)); fix: move the checkout)
endif
SITE_DIR := $(if $(SITE),$(ROOT)/sites/$(SITE),$(ROOT))
VENV := $(ROOT)/.venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export PATH := $(BIN):$(PATH)
export PYTHONPATH := $(ROOT)

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "  make %-16s %s\n", $$1, $$2}'

$(STAMP): docker/locks/dev.txt docker/locks/bootstrap.txt
	@bin/environment

demo: $(STAMP)  ## Make the demo site's data (simulated) and run the whole pipeline on it
	@bin/repro $(ROOT) --keep-lock; code=$$?; [ $$code -gt 1 ] || bin/summary $(ROOT); exit $$code

test: $(STAMP)  ## Run the tests that need no container engine
	@$(BIN)/python -m pytest -m "not engine and not long and not qgis" -n 2 --dist loadfile $(ARGS)

test-containers: images  ## Run the tests that need a container engine (minutes)
	@GLACIER_ENGINE_REQUIRED=1 $(BIN)/python -m pytest -m engine --durations=5 tests/docker

test-cycle: $(STAMP)  ## Run a whole cycle on a real S3 server, PostgreSQL and MLflow (minutes)
	@bin/cycle-servers && GLACIER_CYCLE_REQUIRED=1 $(BIN)/python -m pytest --durations=10 tests/cycle

repro: $(STAMP)  ## Run the pipeline: what is out of date, no more (SITE=name)
	@bin/repro $(SITE_DIR); code=$$?; [ $$code -gt 1 ] || bin/summary $(SITE_DIR); exit $$code

ingest: $(STAMP)  ## Fetch scenes and outlines into data/ and record them in data.dvc (SITE=name)
	@cd $(SITE_DIR) && docker/run python -m stages.ingest && $(BIN)/dvc commit --quiet --force data.dvc

crossval: $(STAMP)  ## Test every fold of crossval.folds by a training of its own (SITE=name)
	@cd $(SITE_DIR) && $(BIN)/python -m versions.crossval

retrain: $(STAMP)  ## Retrain and compare with main, as CI does (SITE=name, BASE=revision)
	@cd $(SITE_DIR) && $(BIN)/python -m versions.retrain $(if $(BASE),--base $(BASE))

promote: $(STAMP)  ## Judge a registered model beside the champion; champion if it passes (SITE=name, VERSION=number)
	@cd $(SITE_DIR) && $(BIN)/python -m versions.promote $(if $(VERSION),--version $(VERSION))

rollback: $(STAMP)  ## Go back to the champion before (SITE=name)
	@cd $(SITE_DIR) && $(BIN)/python -m versions.rollback

remote: $(STAMP)  ## Use another DVC remote on this machine: URL=s3://bucket/path or a folder
	@$(BIN)/dvc remote add --local --force --default chosen $(URL)

check-lock: $(STAMP)  ## Say whether dvc.lock is current, without data (SITE=name)
	@bin/check-lock $(SITE_DIR)

compare: $(STAMP)  ## Compare two versions: A=<revision, experiment or model version> B=<...> (SITE=name)
	@cd $(SITE_DIR) && $(BIN)/python -m versions.compare "$(A)" "$(B)"

exps: $(STAMP)  ## Table of the experiments: what differs and how well it does (SITE=name)
	@cd $(SITE_DIR) && $(BIN)/python -m versions.experiments

ui: $(STAMP)  ## Serve MLflow on http://127.0.0.1:5000
	@MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
		$(BIN)/mlflow server --workers 1 --backend-store-uri sqlite:///$(ROOT)/mlruns/mlflow.db \
		--artifacts-destination $(ROOT)/mlruns/artifacts --host 127.0.0.1 --port 5000

images: $(STAMP)  ## Build the container images that are missing and print their sizes
	@$(BIN)/python docker/images.py

docs: $(STAMP)  ## Write docs/contracts.md from the contracts, the code that stages depend on, and the sites' dvc.yaml
	@$(BIN)/python bin/contracts
	@$(BIN)/python docker/closure.py
	@for site in sites/*; do cp dvc.yaml $$site/dvc.yaml; done  # DVC follows no link in a revision

workflows:  ## Check .github/workflows with actionlint and zizmor
	@bin/workflows

lint: $(STAMP)  ## Lint and format check
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP)  ## Type check
	@$(BIN)/mypy

bench: $(STAMP)  ## Run the benchmarks (minutes to an hour)
	@$(BIN)/python -m bench.predict && $(BIN)/python -m bench.everest_protocol

locks: $(STAMP)  ## Resolve the hashed requirement locks again
	@bin/locks

clean:  ## Remove the environment and caches; data and results stay
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis artifacts/.tmp sites/*/artifacts/.tmp
