# One word for everything a developer or a user does. `make help` lists the words.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
RUNNER_VENV := .venv-runner
CLAUDE_VENV := .venv-claude
GENERATORS := .venv-generators
KEYCLOAK := .keycloak
FRAMEWORK ?= demo
PY := $(VENV)/bin/python
export UV_SYSTEM_CERTS := 1
# One of the workers mostly waits, for the platform that it tests from outside.
XDIST ?= 3

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.ready-dev $(RUNNER_VENV)/.ready ## environments and dependencies, from the locked files

platform: $(VENV)/.ready $(RUNNER_VENV)/.ready # what runs, without what tests it

$(VENV)/bin/uv: requirements/tools.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed ($(PYTHON) is older)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "this Python cannot make environments: apt install python3-venv"; exit 1; }
	@echo "setup: making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.txt || echo "setup: no uv here, going on with plain pip"
	@touch $@

$(VENV)/.ready: $(VENV)/bin/uv requirements/embedded.txt
	@echo "setup: installing the server's dependencies"
	@tools/install.sh $(PYTHON) $(VENV) requirements/embedded.txt
	@$(PY) tools/compile.py server || echo "setup: not all could be compiled, starts will be slower"
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements/dev.txt
	@echo "setup: installing what tests and checks need"
	@tools/install.sh $(PYTHON) $(VENV) requirements/dev.txt
	@touch $@

$(RUNNER_VENV)/.ready: $(VENV)/bin/uv requirements/runner.txt
	@echo "setup: installing the runner's dependencies"
	@tools/install.sh $(PYTHON) $(RUNNER_VENV) requirements/runner.txt
	@$(RUNNER_VENV)/bin/python tools/compile.py runner || echo "setup: not all could be compiled, starts will be slower"
	@touch $@

setup-claude: $(CLAUDE_VENV)/.ready ## the runner's environment with the framework claude (400 MB)

$(CLAUDE_VENV)/.ready: $(VENV)/bin/uv requirements/claude.txt
	@echo "setup: installing the claude framework (about 170 MB to download)"
	@tools/install.sh $(PYTHON) $(CLAUDE_VENV) requirements/claude.txt
	@touch $@

generators: $(GENERATORS)/.ready ## what test-generators needs: Go, Node and the generators (800 MB)

$(GENERATORS)/.ready-go: $(VENV)/bin/uv requirements/generators.txt
	@echo "setup: installing Go and Node (about 150 MB to download)"
	@tools/install.sh $(PYTHON) $(GENERATORS) requirements/generators.txt
	@touch $@

$(GENERATORS)/.ready: $(GENERATORS)/.ready-go $(addprefix tools/generators/,run.sh go.mod go.sum keep.go package-lock.json)
	@echo "setup: installing the generators"
	@tools/generators/run.sh setup
	@touch $@

$(KEYCLOAK)/.ready: tools/keycloak.sh
	@echo "setup: fetching Keycloak (about 150 MB)"
	@tools/keycloak.sh $(KEYCLOAK)
	@touch $@

kube-programs: ## build a Kubernetes control plane, helm and kwok, once for all checkouts (Go from the host or PyPI)
	@tools/kube/build.sh

setup-otel: platform ## traces: OpenTelemetry beside the server and the runners
	@for venv in $(VENV) $(RUNNER_VENV) $(wildcard $(CLAUDE_VENV)); do echo "setup: adding OpenTelemetry to $$venv"; tools/add.sh $$venv requirements/otel.txt; done

demo: platform $(if $(filter claude,$(FRAMEWORK)),setup-claude) ## start everything, run one real session before your eyes, stop (FRAMEWORK=claude)
	@$(PY) -m ambient.demo --framework $(FRAMEWORK)

up: platform ## start everything and stay up; prints the URLs and the sign-in
	@$(PY) -m ambient.embedded up

kube: setup kube-programs ## a real Kubernetes cluster to try things on, with one simulated node; stays up, prints its kubeconfig
	@$(PY) -m tests.kube

down: platform ## stop the platform of this AMBIENT_HOME
	@$(PY) -m ambient.embedded down

test: setup setup-claude ## all tests but the fault injections, the browser's, the generators', Keycloak's and Kubernetes'
	@$(PY) -m pytest -n $(XDIST) -m "not faults and not browser and not generators and not idp and not kube" $(ARGS)

test-browser: setup ## the admin in a real Chromium (apt install chromium)
	@$(PY) -m pytest -m browser -p no:randomly $(ARGS)

test-generators: setup generators ## sdk/openapi.yaml through stock generators of Go, TypeScript and Python
	@$(PY) -m pytest -m generators -p no:randomly $(ARGS)

test-idp: setup $(KEYCLOAK)/.ready ## sign-in and tokens with a real Keycloak (apt install chromium openjdk-17-jre-headless maven)
	@$(PY) -m pytest -m idp -p no:randomly $(ARGS)

test-kube: setup ## on a real Kubernetes control plane; skipped where it cannot be built
	@tools/kube/build.sh >/dev/null || echo "test-kube: no Kubernetes programs here, its tests are skipped"
	@$(PY) -m pytest -n $(XDIST) -m "kube and not faults" $(ARGS)

test-faults: setup $(if $(filter kubernetes,$(RUNTIME)),kube-programs) ## fault injection against real processes, one after another (RUNTIME=kubernetes: runners are pods)
	@TEST_RUNTIME=$(RUNTIME) $(PY) -m pytest -m "faults$(if $(filter kubernetes,$(RUNTIME)),, and not kube)" -p no:randomly $(ARGS)

test-e2e: setup setup-claude $(if $(filter kubernetes,$(RUNTIME)),kube-programs) ## the whole platform from outside (RUNTIME=kubernetes: runners are pods)
	@TEST_RUNTIME=$(RUNTIME) $(PY) -m pytest -m "not faults and not browser and not idp" -p no:randomly tests/e2e $(ARGS)

fuzz: setup ## random input at length: every operation (EXAMPLES=100 each), searches, counters, access
	@FUZZ_EXAMPLES=$(or $(EXAMPLES),100) $(PY) -m pytest -n $(XDIST) tests/contract/test_fuzz.py tests/contract/test_fuzz_runner.py tests/integration/search tests/integration/api/test_counters.py tests/integration/access --timeout 1800 $(ARGS)

chaos: setup ## N=50 random kills over SESSIONS=10 live sessions, then an audit; SEED=..., ARGS=--double
	@$(PY) -m tests.chaos --kills $(or $(N),50) --sessions $(or $(SESSIONS),10) $(if $(SEED),--seed $(SEED)) $(ARGS)

check: setup ## format, lint, types, layers, migrations, OpenAPI and SDK drift
	@tools/check.sh

format: setup ## rewrite the code in the project's format
	@$(VENV)/bin/ruff format . && $(VENV)/bin/ruff check --fix .

openapi: setup ## write sdk/openapi.yaml from the viewsets
	@$(PY) manage.py spectacular --validate --fail-on-warn --file sdk/openapi.yaml

sdk: openapi ## generate the SDKs from sdk/openapi.yaml
	@tools/sdk.sh

bench: setup ## measure; writes the table of docs/performance.md
	@$(PY) -m bench $(ARGS)

lock: setup ## compile requirements/*.in to hashed pins
	@for name in base runner claude embedded otel dev generators tools; do $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes requirements/$$name.in -o requirements/$$name.txt; done

clean: down ## remove the environments and the embedded home
	@rm -rf $(VENV) $(RUNNER_VENV) $(CLAUDE_VENV) $(GENERATORS) $(KEYCLOAK) .ambient

.PHONY: help setup setup-claude setup-otel generators kube-programs platform demo up kube down test test-browser test-generators test-idp test-kube test-faults test-e2e fuzz chaos check format openapi sdk bench lock clean
