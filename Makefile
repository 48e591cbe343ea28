# `make run` and `make test` need only Python 3.11 or newer, make and git: they install the rest into .venv.

PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && command -v "$$p" && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install -c constraints.txt
WANTED := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help run test check bench screenshots clean

help: ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/.installed ## Start Phone Agent and print where it is; installs it first
	@exec $(BIN)/phone-agent run

test: $(VENV)/.tested-with ## Run every test
	@# Most of them wait for sound or for a browser, so three at once are no burden on two cores. Those that listen to
	@# speech in real time come after the others, two at once, and then what wants the machine for itself.
	@$(BIN)/python -m pytest -n 3 --dist loadfile -m "not speech and not alone"
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m speech
	@$(BIN)/python -m pytest -m alone

check: $(VENV)/.checked-with ## Style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed ## Measure speed, manners, silence and load on this machine
	@$(BIN)/phone-agent bench

screenshots: $(VENV)/.tested-with ## Take pictures of every page into docs/screenshots
	@$(BIN)/python -m tests.screenshots

clean: ## Remove what was installed and cached; calls and settings stay
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Phone Agent needs Python 3.11 to 3.14 with its venv module: install it (on Debian and Ubuntu: apt install python3-venv), or say where it is with make PYTHON=..."; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)."
	@$(PYTHON) -m venv $(VENV)

# The speech engines have no build for some systems; everything else works there with provider keys.
$(VENV)/.installed: $(WANTED) | $(BIN)/python
	@echo "Installing Phone Agent. The first time this takes a minute or two."
	@$(INSTALL) -e '.[offline]' || { \
		echo "The offline speech engines cannot be installed here (see above). Installing without them: set provider keys in .env to place calls."; \
		$(INSTALL) -e .; }
	@touch $@

$(VENV)/.tested-with: $(VENV)/.installed
	@echo "Installing what the tests need."
	@$(INSTALL) -e '.[test]'
	@for browser in chromium chromium-browser google-chrome; do command -v "$$browser" >/dev/null && exit 0; done; \
	echo "Installing Chromium, which the dashboard's tests drive."; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		{ apt-get install -y -q chromium || { apt-get update -q && apt-get install -y -q chromium; }; } >$(VENV)/chromium.log 2>&1; \
	then exit 0; fi; \
	$(BIN)/playwright install chromium
	@touch $@

$(VENV)/.checked-with: $(VENV)/.tested-with
	@echo "Installing the checkers."
	@$(INSTALL) -e '.[check]'
	@touch $@
