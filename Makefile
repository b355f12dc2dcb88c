# `make demo` and `make test` are all a newcomer needs: Python 3.11 or newer with venv, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_DIR ?= demo-workspace
# Images often forbid Python to keep what it compiled; the tests start hundreds of interpreters.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help:            ## list the recipes
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/:/' | column -t -s:

$(VENV)/.demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[demo,dev]'
	@touch $@ $(VENV)/.demo

$(VENV)/.engines: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[engines]'
	@touch $@

.PHONY: engines
engines: $(VENV)/.engines  ## ClickHouse and Spark for the tests of the language (1 GB; Spark needs Java 17 as well)

.PHONY: demo
demo: $(VENV)/.demo  ## install, load a real shop's year, live its last 60 days, serve the console
	$(BIN)/spira demo --dir $(DEMO_DIR)

.PHONY: test
test: $(VENV)/.dev  ## everything CI runs: format, lint, types, all tests, the docs
	$(BIN)/ruff format --check src tests benchmarks tools
	$(BIN)/ruff check src tests benchmarks tools
	$(MAKE) --no-print-directory -j 2 types-and-docs suite

.PHONY: types-and-docs suite
types-and-docs: $(VENV)/.dev
	$(BIN)/mypy
	$(BIN)/mkdocs build --strict --quiet --site-dir $(VENV)/site
suite: $(VENV)/.dev
	$(BIN)/pytest -n 4 --dist worksteal

.PHONY: thorough
thorough: $(VENV)/.dev  ## the tests of promises with twenty times as many examples (an hour)
	SPIRA_EXAMPLES=20 $(BIN)/pytest -n 2 --dist worksteal $$(grep -rl --include='test_*.py' 'examples(' tests)

.PHONY: check
check: $(VENV)/.dev  ## format, lint, types, fast tests
	$(BIN)/ruff format src tests benchmarks tools
	$(BIN)/ruff check --fix src tests benchmarks tools
	$(BIN)/mypy
	$(BIN)/pytest -n 2 -m "not slow and not browser and not demo"

.PHONY: golden
golden: $(VENV)/.dev  ## rewrite the golden files; read the difference before you commit it
	SPIRA_GOLDEN=rewrite $(BIN)/pytest -q tests -k golden

.PHONY: screenshots
screenshots: $(VENV)/.dev  ## take a picture of every page into docs/images/, over a finished demo
	$(BIN)/spira demo --no-serve --dir $(DEMO_DIR)
	$(BIN)/python tools/screenshots.py --dir $(DEMO_DIR)

.PHONY: docs
docs: $(VENV)/.dev  ## build the documentation, warnings as errors
	$(BIN)/mkdocs build --strict

.PHONY: lock
lock: $(VENV)/.dev  ## rewrite constraints.txt from this Python's environment (see CONTRIBUTING.md)
	$(BIN)/python -m pip freeze --exclude-editable > constraints.new.txt
