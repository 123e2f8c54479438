# The two commands: `make demo` and `make test`. Everything they need they install themselves.

PYTHON_IN_VENV := .venv/bin/python
IN_COMPAT := env -u PYTHONDONTWRITEBYTECODE PATH="$(CURDIR)/.compat/bin:$$PATH"
RUN := env -u PYTHONDONTWRITEBYTECODE PATH="$(CURDIR)/.venv/bin:$$PATH"

.PHONY: help setup demo test unit lint lock compat chaos wheel docs bench-ledger clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Make .venv with the locked versions
	@scripts/setup.sh

demo: setup ## Run the main job on the sandbox, then leave Airflow open (ONCE=1: end when it is done)
	@$(RUN) $(PYTHON_IN_VENV) -m airflow_provider_asperion.sandbox.demo $(if $(ONCE),--once)

test: setup sshd chromium ## Run all tests, with a real OpenSSH server, Airflow and browser
	@$(RUN) $(PYTHON_IN_VENV) -m pytest tests/unit tests/integration tests/system $(PYTEST)

unit: setup ## Run the quick tests only
	@$(RUN) $(PYTHON_IN_VENV) -m pytest tests/unit $(PYTEST)

lint: setup ## Style, types and layers
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(RUN) $(PYTHON_IN_VENV) -m pytest -q tests/unit/test_layers.py

lock: setup ## Renew the locked versions
	@scripts/lock.sh

compat: ## Prove the oldest supported Airflow in an environment of its own: unit tests and the demo
	@scripts/setup.sh .compat requirements/compat.txt
	@$(IN_COMPAT) .compat/bin/python -m pytest tests/unit $(PYTEST)
	@$(IN_COMPAT) .compat/bin/python -m airflow_provider_asperion.sandbox.demo --once --folder .demo-compat

chaos: setup ## Break things at random, judge what is left (SEED=1 RUNS=100; WRITE=1: docs/reliability.md)
	@$(RUN) $(PYTHON_IN_VENV) -m tests.chaos --seed $(or $(SEED),1) --runs $(or $(RUNS),100) $(if $(WRITE),--write) $(CHAOS)

wheel: setup ## Build the wheel, install it in a clean environment and ask Airflow for it
	@scripts/wheel.sh

docs: ## Build the manual as a site into site/, in an environment of its own
	@scripts/docs.sh

bench-ledger: setup ## Measure searches and pages with ten million trail events, into docs/performance.md
	@$(RUN) $(PYTHON_IN_VENV) -m benchmarks.ledger_search --write

clean: ## Remove what these commands made
	@rm -rf .venv .compat .docs .demo .demo-compat build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: sshd
sshd:
	@test -x /usr/sbin/sshd || scripts/apt.sh openssh-server

# Without root and without a browser the tests that want one are skipped, and say so.
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || scripts/apt.sh chromium || true
