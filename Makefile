# Stable targets; `make help` lists them. SITE=<name> works in sites/<name>, else in the root (the demo).
.DEFAULT_GOAL := help
.PHONY: help demo site doctor test test-containers test-cycle repro ingest review submit share start-model crossval compare site-index exps retrain promote rollback move-runs remote ui images docs \
	website lint types workflows bench bench-compare locks clean check-lock region region-environment test-region openvino

# All paths are relative, or variables of the shell in quotes: the checkout may lie in a folder of any name.
export ROOT := $(CURDIR)
ifneq (,$(findstring :,$(ROOT)))
$(error make cannot work in a folder with a colon in its path ($(ROOT)): it separates the folders of PATH; fix: move the checkout)
endif
ifneq (,$(SITE))
ifneq (1-found,$(words $(SITE))-$(if $(wildcard sites/$(SITE)/params.yaml),found))
SITES := $(patsubst sites/%/params.yaml,%,$(wildcard sites/*/params.yaml))
NEAREST := $(shell python3 -c 'import difflib, sys; print(*difflib.get_close_matches(sys.argv[1], sys.argv[2:], 1))' '$(subst ','\'',$(SITE))' $(SITES))
$(error there is no site "$(SITE)"$(if $(NEAREST), (did you mean SITE=$(NEAREST)?)); expected: SITE=$(SITES), or no SITE for the demo)
endif
endif
# Of these only what stands in the command counts: many shells export a VERSION or a URL, which would choose a champion.
$(foreach word,A B BASE VERSION URL REGION MODEL DRY ARGS,$(if $(filter environment,$(origin $(word))),$(eval override $(word) :=)$(eval unexport $(word))))
ifneq (,$(MODEL))
ifneq (1-found,$(words $(MODEL))-$(if $(wildcard models/$(MODEL)/dvc.yaml),found))
$(error there is no model "$(MODEL)"; expected: MODEL=$(patsubst models/%/dvc.yaml,%,$(wildcard models/*/dvc.yaml)))
endif
endif
SITE_DIR := $(if $(SITE),sites/$(SITE),.)
STAMP := .venv/.installed
export PATH := $(ROOT)/.venv/bin:$(PATH)
export PYTHONPATH := $(ROOT)
unexport DVC_ROOT DVC_STAGE DVC_EXP_NAME DVC_EXP_BASELINE_REV  # DVC sets them for a stage; what is left of one is no setting
unexport PYTHONDONTWRITEBYTECODE  # else every process compiles all its libraries again, and starts two to three times as slowly

REGION_STAMP := .venv-region/.installed

$(STAMP): docker/locks/dev.txt docker/locks/bootstrap.txt
	@bin/environment

$(REGION_STAMP): docker/locks/region.txt | $(STAMP)
	@bin/region-environment

##@ Use

demo: export DATA_MEANWHILE := yes
demo: $(STAMP)  ## Make the demo site's data (simulated) and run the whole pipeline on it
	@bin/repro . --keep-lock; code=$$?; [ $$code -gt 1 ] || bin/summary .; exit $$code

repro: $(STAMP)  ## Run the pipeline: what is out of date, no more (SITE=name)
	@bin/repro $(SITE_DIR); code=$$?; [ $$code -gt 1 ] || bin/summary $(SITE_DIR); exit $$code

ingest: $(STAMP)  ## Fetch scenes and outlines into data/ and record them in data.dvc (SITE=name)
	@bin/ingest $(SITE_DIR)

# A dollar sign begins a variable of make: what it names would be lost without a word.
typed = $(if $(findstring $$,$(subst $$$$,,$(value $(1)))),$(error $(1) holds a single dollar sign, which make takes for a variable; fix: write it twice ($$$$)),"$(1)=$$$(1)")
as_typed = $(foreach word,$(1),$(if $(filter command,$(origin $(word))),$(call typed,$(word))))

SITE_WORDS := NAME SCENES OUTLINES DEM AOI RGI_ID YEARS SEASON PROFILE URL DATES BANDS
# Only what stands in this command counts, not what the shell exports; the shell hands it on, whatever signs it holds.
site: $(STAMP)  ## Write a new site: NAME=mine SCENES="a.tif b.tif" OUTLINES=rgi.gpkg, or RGI_ID= or AOI= (docs/data.md)
	@python -m setup.site $(call as_typed,$(SITE_WORDS))

region: $(REGION_STAMP)  ## Map all glaciers of a region on Dask: REGION=name, DRY=1 for the plan alone (docs/region.md)
	@bin/region "$$REGION" $(if $(DRY),--dry)

doctor: $(STAMP)  ## Say what this machine and a site lack, a line each with the fix (SITE=name)
	@cd $(SITE_DIR) && python -m setup.doctor

# Only what stands in this command counts.
review: $(STAMP)  ## Write a page to look at the maps and decide; FROM=review.json OUTLINES=drawn.gpkg takes it in (SITE=name)
	@python -m review $(SITE_DIR) $(call as_typed,FROM OUTLINES)

submit: $(STAMP)  ## Write outlines for GLIMS and tables for the WGMS, after a review (SITE=name, ANYWAY=yes)
	@cd $(SITE_DIR) && python -m exports.submit $(if $(filter command,$(origin ANYWAY)),"ANYWAY=$$ANYWAY")

share: $(STAMP)  ## Write results as STAC, Data Package, RGI 7 outlines, PROV; the model for other programs (SITE=name)
	@cd $(SITE_DIR) && python -m exports.share

start-model: $(STAMP)  ## Make the model that sites can start from, out of seeds (MODEL=start)
	@python -m dvc repro models/$(or $(MODEL),start)/dvc.yaml

ui: $(STAMP)  ## Serve MLflow on http://127.0.0.1:5000
	@MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
		python -m mlflow server --workers 1 --backend-store-uri sqlite:///mlruns/mlflow.db \
		--artifacts-destination mlruns/artifacts --host 127.0.0.1 --port 5000

help:  ## List the targets
	@awk -F':.*## ' '/^##@ / { printf "%s%s\n", gap, substr($$0, 5); gap = "\n" } \
		/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

##@ Compare

compare: $(STAMP)  ## Compare two versions: A=<revision, experiment or model version> B=<...> (SITE=name)
	@cd $(SITE_DIR) && python -m versions.compare "$$A" "$$B"

site-index: $(STAMP)  ## Write public/: one page over all sites with their reports, to publish as it is
	@python -m versions.site_index

exps: $(STAMP)  ## Table of the experiments: what differs and how well it does (SITE=name)
	@cd $(SITE_DIR) && python -m versions.experiments

crossval: $(STAMP)  ## Test every fold of crossval.folds by a training of its own (SITE=name)
	@cd $(SITE_DIR) && python -m versions.crossval

check-lock: $(STAMP)  ## Say whether dvc.lock is current, without data (SITE=name, or MODEL=start)
	@bin/check-lock $(if $(MODEL),models/$(MODEL),$(SITE_DIR))

##@ Operate

retrain: $(STAMP)  ## Retrain and compare with main, as CI does (SITE=name, BASE=revision)
	@cd $(SITE_DIR) && python -m versions.retrain $(if $(BASE),--base="$$BASE")

promote: $(STAMP)  ## Judge a registered model beside the champion; champion if it passes (SITE=name, VERSION=number)
	@cd $(SITE_DIR) && python -m versions.promote $(if $(VERSION),--version="$$VERSION")

rollback: $(STAMP)  ## Go back to the champion before (SITE=name)
	@cd $(SITE_DIR) && python -m versions.rollback

move-runs: $(STAMP)  ## After the checkout was moved: let its store of runs name the new folder
	@python -m versions.move_runs

remote: $(STAMP)  ## Use another DVC remote on this machine: URL=s3://bucket/path or a folder
	@python -m dvc remote add --local --force --default chosen "$$URL"

images: $(STAMP)  ## Build the container images that are missing and print their sizes
	@python docker/images.py

##@ Develop

test: $(STAMP)  ## Run the tests that need no container engine
	@python -m pytest -m "not engine and not long and not qgis and not browser and not formats" -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-containers: images  ## Run the tests that need a container engine (minutes)
	@GLACIER_ENGINE_REQUIRED=1 python -m pytest -m engine --durations=5 tests/docker

test-cycle: $(STAMP)  ## Run a whole cycle on a real S3 server, PostgreSQL and MLflow (minutes)
	@bin/cycle-servers && GLACIER_CYCLE_REQUIRED=1 python -m pytest --durations=10 tests/cycle

test-region: $(STAMP) $(REGION_STAMP)  ## Map a small region with two workers, kill one, the scheduler and the client (minutes)
	@GLACIER_REGION_REQUIRED=1 python -m pytest --durations=5 tests/region

region-environment: $(REGION_STAMP)  ## Make the environment of regions, .venv-region

openvino: $(STAMP)  ## Install OpenVINO, for predict.engine: openvino (180 MB)
	@bin/openvino

lint: $(STAMP)  ## Lint and format check
	@python -m ruff check . && python -m ruff format --check .

types: $(STAMP)  ## Type check
	@python -m mypy

docs: $(STAMP)  ## Write docs/contracts.md from the contracts, the code that stages depend on, and the sites' dvc.yaml
	@python bin/contracts
	@python docker/closure.py
	@for site in sites/*; do cp dvc.yaml $$site/dvc.yaml; done  # DVC follows no link in a revision

website: $(STAMP)  ## Build the documentation as a site in .website
	@bin/website

bench: $(STAMP)  ## Run the benchmarks (minutes to an hour)
	@python -m bench.predict && python -m bench.everest_protocol

bench-compare: $(STAMP)  ## Say what has become slower than the committed record by more than a tenth (make demo first)
	@python -m bench.speed --compare

locks: $(STAMP)  ## Resolve the hashed requirement locks again
	@bin/locks

workflows:  ## Check .github/workflows with actionlint and zizmor
	@bin/workflows

clean:  ## Remove the environment and caches; data and results stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis artifacts/.tmp sites/*/artifacts/.tmp
