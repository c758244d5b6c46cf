# napari-dgc: set-up, demo, checks. `make` alone tells what there is.
#
# Variables: VENV (.venv), PYTHON (the interpreter to build it with), ARGS (more
# arguments for pytest, such as ARGS="-k merge -x").

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
PYTHON ?=
ARGS ?=
BENCH ?= --quick
export PYTHON

PY := $(VENV)/bin/python
STAMP := $(VENV)/.napari-dgc

# The stamp holds the checkout that the environment has installed, editable. It
# counts only while that is this one and the interpreter still runs.
READY := $(shell "$(PY)" -c "" 2>/dev/null \
	&& [ "$$(cat "$(STAMP)" 2>/dev/null)" = "$$(pwd -P)" ] && echo yes)

# A screen without a monitor where there is xvfb-run, the user's own otherwise.
# Expanded late: set-up may just have installed it.
SCREEN = $(if $(shell command -v xvfb-run),\
	xvfb-run -a -s "-screen 0 1600x1000x24" env QT_QPA_PLATFORM=xcb LIBGL_ALWAYS_SOFTWARE=1,\
	env) QT_API=pyqt6 PYTEST_QT_API=pyqt6
NO_SCREEN := env -u DISPLAY -u WAYLAND_DISPLAY -u QT_QPA_PLATFORM

# A test that hangs (a dialog nobody answers) for three minutes prints where, and ends the run.
PYTEST = $(PY) -m pytest -o faulthandler_timeout=180 -o faulthandler_exit_on_timeout=true
# Without a screen, napari's and Qt's pytest plugins must not even load.
PYTEST_CORE = $(NO_SCREEN) $(PYTEST) -p no:napari -p no:pytest-qt --ignore=tests/ui

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) \
		| while IFS='|' read -r name text; do printf '%-20s %s\n' "$$name" "$$text"; done

.PHONY: setup
setup: system $(STAMP) ## the environment in VENV (.venv); does nothing when up to date

.PHONY: system
system:
	@scripts/setup.sh system

.PHONY: renew
$(STAMP): pyproject.toml constraints.txt scripts/setup.sh $(if $(READY),,renew)
	@scripts/setup.sh environment "$(VENV)"

.PHONY: demo
demo: setup ## sample leaves from cube to masks in demo/, then napari where there is a display
	@$(PY) scripts/demo.py demo/

.PHONY: test
test: check tests packaging ## set-up, static checks and every test: what CI runs
	@echo "make test: every stage passed"

# Side by side, each on one thread; four on two cores, for screen tests wait a lot.
.PHONY: tests
tests: setup ## core and screen at once, as `make test` does
	@OMP_NUM_THREADS=1 LP_NUM_THREADS=1 $(MAKE) --no-print-directory --jobs 4 \
		screen-1 screen-2 screen-3 core

# Every third test of each file (tests/ui/conftest.py deals them out).
.PHONY: screen-1 screen-2 screen-3
screen-1 screen-2 screen-3: screen-%: setup
	NAPARI_DGC_PART=$*/3 NAPARI_DGC_REQUIRE_SCREEN=1 \
		$(SCREEN) $(PYTEST) -m screen tests/ui $(ARGS)

.PHONY: check
check: lint format types layers manifest ## static checks only

.PHONY: lint
lint: setup ## ruff check
	$(PY) -m ruff check .

.PHONY: format
format: setup ## ruff format --check
	$(PY) -m ruff format --check .

.PHONY: types
types: setup ## mypy
	$(PY) -m mypy

.PHONY: layers
layers: setup ## import-linter: which room may know which
	$(VENV)/bin/lint-imports --no-logo

.PHONY: manifest
manifest: setup ## npe2: the plugin's manifest and everything that it names
	$(NO_SCREEN) $(VENV)/bin/npe2 validate src/napari_dgc/napari.yaml --imports

.PHONY: core
core: setup ## tests that need no screen
	$(PYTEST_CORE) -m "not screen and not packaging" $(ARGS)

.PHONY: screen
screen: setup ## tests with napari on a screen
	NAPARI_DGC_REQUIRE_SCREEN=1 $(SCREEN) $(PYTEST) -m screen $(ARGS)

.PHONY: packaging
packaging: setup ## tests of the sdist, the wheel and the installed plugin
	$(PYTEST_CORE) -m packaging $(ARGS)

.PHONY: screenshots
screenshots: setup ## the pictures of the documentation, taken anew
	$(SCREEN) $(PY) scripts/screenshots.py

.PHONY: bench
bench: setup ## benchmarks (BENCH=--quick takes half an hour, BENCH=--full most of a day; resumable)
	$(PY) benchmarks/first_map.py $(BENCH)
	$(PY) benchmarks/quality.py $(BENCH)
	$(PY) benchmarks/stability.py $(BENCH)
	$(PY) benchmarks/ablation.py $(BENCH)
	$(PY) benchmarks/merging.py $(BENCH)
	$(PY) benchmarks/suggestions.py $(BENCH)
	$(SCREEN) $(PY) benchmarks/screen.py

.PHONY: clean
clean: ## remove what was built and cached, the demo too; keeps VENV
	rm -rf build dist demo .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find src tests scripts benchmarks -name __pycache__ -prune -exec rm -rf {} + \
		2>/dev/null || true

.PHONY: distclean
distclean: clean ## clean, and remove VENV
	@if [ -e "$(VENV)/pyvenv.cfg" ]; then echo "rm -rf $(VENV)"; rm -rf "$(VENV)"; fi
