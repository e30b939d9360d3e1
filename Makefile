# Every command that people and CI use. `make` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# hundreds of programs that tests start share what Python has compiled, also where the environment says that nothing is to be kept
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache
unexport PYTHONDONTWRITEBYTECODE

PYTHON := .venv/bin/python
# one tier or one test: make test ARGS=tests/planning
ARGS ?=
# the engines of make test-engines (docs/engines.md)
ENGINES ?= docker-20 docker-26 docker-28 docker-28-containerd
# the cluster of make test-kubernetes
export DTN_KUBECONFIG
# workers of make test, each with files of tests and labs of its own; 0: all tests one after the other
JOBS ?= 6

help: ## what you can do here
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 24

setup: ## system packages (as root), .venv, every Python package at its pinned hash
	@hack/setup

demo: setup ## the whole story on two endpoints made on this machine (root); KEEP=1 keeps them
	@hack/demo

test: setup ## every tier of tests and the coverage gate; root, for the lab. ARGS=tests/planning runs a part, without the gate
	@hack/system-packages.sh --browser
	@echo "test: $(if $(ARGS),$(ARGS),every tier, then 100 % of branches in dtnctl/model and dtnctl/planning)" >&2
	@$(PYTHON) -m pytest $(if $(ARGS),$(ARGS),-n $(JOBS) --dist loadfile --no-loadscope-reorder -p tests.compiled_first -p tests.longest_files -p tests.coverage_gate --coverage-gate)

test-engines: setup ## contract, scenarios, 300 random services on every engine of the lab (root); ENGINES=docker-26 runs one
	@DTN_ENGINES="$(ENGINES)" $(PYTHON) -m pytest -m every_engine -o session_timeout=7200 $(if $(ARGS),$(ARGS),tests/providers tests/lab tests/e2e tests/engines)

test-hardware: setup ## scenarios on two emulated machines with SR-IOV, NUMA and NVMe (root; QEMU from Debian's packages)
	@hack/system-packages.sh --hardware
	@$(PYTHON) -m pytest -m hardware -o session_timeout=2700 $(if $(ARGS),$(ARGS),tests/hardware)

test-kubernetes: setup ## scenarios on a cluster whose nodes run pods (k3s, kind, any); DTN_KUBECONFIG=FILE names it (docs/kubernetes.md)
	@$(PYTHON) -m pytest -m kubernetes -o session_timeout=3600 $(if $(ARGS),$(ARGS),tests/kubernetes)

check: setup ## format, lint, types, import contracts, shell scripts, workflows
	@hack/check

bench: setup ## the published figures P1-P13, one line each, also in bench/results.json
	@hack/system-packages.sh --bench
	@hack/system-packages.sh --hardware || echo "bench: going on without the emulator" >&2
	@$(PYTHON) -m bench

agent-image: setup ## the agent as a container image, with this machine's docker; TAG=reg.example.net/dtn-agent:1 names it
	@hack/agent-image $(or $(TAG),dtn-agent)

dist: setup ## wheel, sdist, a folder of every wheel that dtnctl needs and, where docker runs, the controller's image, into dist/
	@hack/dist $(or $(TAG),dtnctl)

docs: setup ## the pages of docs/ as a site, in build/site; every link and anchor is checked
	@NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict
	@echo "docs: build/site/index.html; to search in it: $(PYTHON) -m http.server --directory build/site" >&2

faults: setup ## the published figures R1-R18 as one table (root, for the lab); FULL=1 tries every case, ARGS=R9 runs a part
	@$(PYTHON) -m tests.faults $(if $(FULL),--full) $(ARGS)

soak: setup ## the pull loop follows random pushes while engines restart and go away (root); MINUTES=10, SEED=7 repeats one
	@$(PYTHON) -m tests.pulling.soak $(or $(MINUTES),10) $(SEED)

from-nothing: setup ## the commands of docs/ci.md from a wheel to a session that runs, typed on a bare machine (root; asks package indexes)
	@DTN_FROM_NOTHING=1 $(PYTHON) -m pytest -s -o session_timeout=1800 tests/quickstart/test_from_nothing.py

random: setup ## every generated test with new inputs; EXAMPLES=1000 of each
	@DTNCTL_EXAMPLES=$(or $(EXAMPLES),1000) $(PYTHON) -m pytest $(or $(ARGS),$$(git grep -l "^@given" tests))

clean: ## remove everything that the commands above made in this clone
	@hack/clean

.PHONY: help setup demo test test-engines test-hardware test-kubernetes check bench agent-image dist docs faults soak from-nothing random clean
