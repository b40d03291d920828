# Everything a developer or a first user runs. `make help` lists it. Needs Python >= 3.11 and make, nothing else.

VENV ?= .venv
PY := $(VENV)/bin/python
# The published clients need another major version of `mcp`; the tests drive them as they are.
PUBLISHED_CLIENTS_VENV ?= .venv-published
export PUBLISHED_CLIENTS_VENV
# MCP clients by others, from npm: a conformance suite, an inspector, an SDK, Claude Code.
MCP_CLIENTS_FOLDER ?= .mcp-clients
export MCP_CLIENTS_FOLDER
PYTHON ?=
# Test processes: most tests wait for servers of their own, so two share one core well.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help serve demo test test-stores chaos soak fuzz lint format types wheel bench losses check clean
.DELETE_ON_ERROR:

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: $(VENV)/.installed ## Serve the HTTP API and the MCP endpoint on the embedded store (ARGS="--port 9000")
	@exec $(PY) -m api.cli serve $(ARGS)

demo: $(VENV)/.installed ## Two MCP processes hand work over; one is killed in the middle
	@exec $(PY) -m api.cli demo

test: $(VENV)/.testing $(PUBLISHED_CLIENTS_VENV)/.installed $(MCP_CLIENTS_FOLDER)/.installed ## Run the whole test suite; it starts every server it needs (ARGS="tests/contract -x")
	$(PY) -m pytest --numprocesses=$(WORKERS) --dist=loadfile $(ARGS)

test-stores: $(VENV)/.testing ## Run every promise on a cluster and behind a sentinel too, and the failovers that take long; takes minutes
	BACKCHANNEL_TEST_STORES=all $(PY) -m pytest --numprocesses=$(WORKERS) --dist=loadfile tests/topologies tests/contract \
	  -k "topologies or cluster-redis or sentinel-redis" $(ARGS)

chaos: $(VENV)/.testing ## Play every fault over thousands of tasks each, and check the history; most of an hour (ARGS="--only Sentinel")
	$(PY) -m tests.chaos $(ARGS)

soak: $(VENV)/.testing ## Mixed load for half an hour (BACKCHANNEL_SOAK_MINUTES), with samples of what may grow
	$(PY) -m tests.chaos.soak

fuzz: $(VENV)/.testing ## Send the API much of what its OpenAPI document allows and forbids; takes minutes, and is new each time
	BACKCHANNEL_FUZZ_EXAMPLES=$${BACKCHANNEL_FUZZ_EXAMPLES:-200} $(PY) -m pytest tests/api/test_openapi_fuzz.py $(ARGS)

lint: $(VENV)/.developing ## Check style and formatting
	$(PY) -m ruff check
	$(PY) -m ruff format --check

format: $(VENV)/.developing ## Format, and repair what can be repaired
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

types: $(VENV)/.developing ## Check types, strictly
	$(PY) -m pyright --pythonpath $(PY)

wheel: $(VENV)/.testing ## Build the wheel and try it in a clean environment
	$(PY) -m tools.try_wheel

bench: $(VENV)/.testing ## Measure; prints ratios against floors taken in the same run
	for script in bus http lists scale capacity peers; do $(PY) -m bench.$$script || exit 1; done

losses: $(VENV)/.testing ## Kill servers under load and count the answered posts that are gone; takes minutes
	$(PY) -m bench.losses $(ARGS)

check: test lint types wheel ## All of what CI runs

clean: ## Remove what make created (the embedded store's data is elsewhere and stays)
	rm -rf $(VENV) $(PUBLISHED_CLIENTS_VENV) $(MCP_CLIENTS_FOLDER) dist build .pytest_cache .ruff_cache .hypothesis

# One stamp per set of requirements: a second run finds them newer than pyproject.toml and does nothing.
# The first candidate that really runs wins: a name on PATH may be a version manager's placeholder.
$(VENV)/.created:
	@for candidate in $(PYTHON) python3.13 python3.12 python3.11 python3.14 python3 python; do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found="$$candidate"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "No Python 3.11 or newer found. Install one, or name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
	  echo "$$found cannot create virtual environments. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; \
	fi; \
	echo "Creating $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv --clear $(VENV)
	@touch $@

# --group needs pip 25.1; a new environment may have an older one. Where it is new enough this asks nobody.
$(VENV)/.pip: $(VENV)/.created
	@$(PY) -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	@touch $@

$(VENV)/.installed: pyproject.toml | $(VENV)/.pip
	@echo "Installing Backchannel into $(VENV)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.testing: pyproject.toml | $(VENV)/.pip
	@echo "Installing Backchannel and what its tests need into $(VENV)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[memory]' --group test
	@touch $@ $(VENV)/.installed

$(PUBLISHED_CLIENTS_VENV)/.installed: tools/published_clients.py | $(VENV)/.testing
	@echo "Installing the published clients into $(PUBLISHED_CLIENTS_VENV)"
	@$(PY) -m tools.published_clients

# Where npm gets none, the tests that need them are skipped, and this says so each time.
$(MCP_CLIENTS_FOLDER)/.installed: tools/mcp_clients.py $(wildcard tests/mcp_clients/package*.json) | $(VENV)/.testing
	@echo "Installing MCP clients from npm into $(MCP_CLIENTS_FOLDER)"
	@$(PY) -m tools.mcp_clients

$(VENV)/.developing: pyproject.toml | $(VENV)/.testing
	@echo "Installing linter and type checker into $(VENV)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --group dev
	@touch $@
