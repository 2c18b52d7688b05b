# The two commands: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Every script runs on the Node that npm pinned, whatever the system's is.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

.PHONY: help demo demo-down test bench chaos check generate verify install cluster cluster-down images lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: install ## Set everything up and run the main job on a real cluster (CLUSTER=current uses your context)
	@node test/demo/demo.ts

demo-down: install ## Remove everything that `make demo` made
	@node test/demo/down.ts

test: install ## Run every level of tests; LEVELS="static unit" runs some
	@node test/run.ts $(LEVELS)

bench: install ## Measure side by side with other queues; BENCH=B1,B3 ROUNDS=3 N=20000 narrow it (see bench/README.md)
	@node bench/main.ts

chaos: install ## Load under random faults, judged by the history checker: MINUTES=5 SEED=random; ROUND=k repeats one round; FAULTS=operator adds operators
	@node test/chaos/main.ts

check: install ## Types, lint, format, dead code, generated files
	@node test/run.ts static unit

generate: install ## Regenerate CRDs, types, the golden schema, the reference, the chart's CRDs
	@node test/generate.ts && prettier --write --log-level warn docs/reference

verify: install ## Fail when something generated is not up to date
	@node test/generate.ts --check

cluster: install ## Start (or reuse) the kind cluster; the kubeconfig is .cluster/kubeconfig
	@node test/cluster/up.ts

cluster-down: install ## Delete the cluster and stop what it started
	@node test/cluster/down.ts

images: install ## Build our images
	@node images/build.ts

install: node_modules/.package-lock.json

node_modules/.package-lock.json: package-lock.json package.json */package.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or newer, with npm" >&2; exit 1; }
	@echo "installing npm packages"
	@npm ci --loglevel=error
	@touch $@

lock: ## Make package-lock.json anew, for every platform (npm forgets the others when it starts from node_modules)
	rm -rf node_modules package-lock.json && npm install --package-lock-only --loglevel=error && npm ci --loglevel=error

clean: ## Remove what builds and runs left in this folder (not the cluster)
	rm -rf node_modules dist
