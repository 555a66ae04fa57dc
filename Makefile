# The door for people: `make` lists the targets. Everything but npm itself runs on the Node that the lock file pins.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build demo test testbed testbed-down bench format lint clean

node := tools/node
once := $(if $(or $(filter true,$(CI)),$(ONCE)),--once)

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: node_modules/.package-lock.json ## Install the dependencies (done by itself when needed)

# npm writes this file last, so it is newer than the lock file exactly when an install of that lock file came to its end.
node_modules/.package-lock.json: package-lock.json
	@command -v npm >/dev/null || { echo "make: npm was not found, and it brings everything else. Install Node.js 20 or newer with npm (any package of your system will do), then call make again." >&2; exit 1; }
	@echo "── dependencies (npm ci)"
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

build: setup ## Bundle the CLI and the mover into dist/
	@$(node) tools/build.ts

demo: setup ## Two clusters, a running application, one command, and the proof (ONCE=1: end them afterwards)
	@$(node) tools/build.ts
	@$(node) demo/main.ts $(once) $(ARGS)

test: setup ## All checks and tests (ARGS="--only unit,lint" or a part of a file name)
	@$(node) tools/test.ts $(ARGS)

testbed: setup ## Start the two clusters and the object store
	@$(node) testbed/main.ts up $(ARGS)

testbed-down: setup ## End them; leaves nothing behind
	@$(node) testbed/main.ts down $(ARGS)

bench: setup ## Figures beside those of other tools (ARGS=data, ARGS="data --scale 0.1": docs/benchmarks.md)
	@$(node) tools/build.ts
	@$(node) bench/main.ts $(ARGS)

format: setup ## Format the sources
	@$(node) node_modules/oxfmt/bin/oxfmt .

lint: setup ## Lint, types, import arrows and hygiene
	@$(node) tools/test.ts --only lint,types,arrows,hygiene

clean: ## Remove what was built (not the test bed, not the dependencies)
	@rm -rf dist coverage
