# make run | test | bench | lint; each brings what it needs from the package registries.
PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .tools/uv/bin/uv
DATA ?= data
PORT ?= 5000
TRUST_PORT ?= 4443

export UV_PYTHON_DOWNLOADS := never
export UV_PYTHON ?= $(shell $(PYTHON) -c 'import sys; print(sys.executable)')
export UV_FROZEN := 1
# Without compiled modules every start would compile them: the cold start has a stated target.
export UV_COMPILE_BYTECODE := 1

.PHONY: run plugins test bench lint sync format tools translations

# The plug-ins of the command line that the service offers for installation.
PLUGINS := build/plugins
PLUGIN_SOURCES := $(wildcard plugins/*/pyproject.toml) \
  $(shell find plugins -path '*/src/*' -type f ! -path '*/__pycache__/*')

run: $(UV) plugins
	@$(UV) sync --quiet --inexact --no-dev --all-packages
	@env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -m compileall -q common/src server/src
	@WHARFINGER_PLUGINS=$(PLUGINS) WHARFINGER_DATA=$(DATA) WHARFINGER_PORT=$(PORT) WHARFINGER_TRUST_PORT=$(TRUST_PORT) \
	  exec .venv/bin/wharfd serve

plugins: $(PLUGINS)/.built

$(PLUGINS)/.built: $(PLUGIN_SOURCES) | $(UV)
	@mkdir -p $(PLUGINS)
	@for folder in plugins/*/; do $(UV) build --quiet --wheel --out-dir $(PLUGINS) $$folder || exit 1; done
	@touch $@

sync: $(UV)
	@$(UV) sync --quiet --all-packages

tools: sync
	.venv/bin/python -m tests.support.tools all

test: tools
	.venv/bin/python -m pytest

bench: sync
	.venv/bin/python -m bench

lint: sync
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

format: sync
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

# Collects new texts into the .po file and compiles it; tells which still wait for a translation.
translations: sync
	.venv/bin/python common/translations.py

$(UV): Makefile
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --upgrade \
	  --target .tools/uv uv==$(UV_VERSION)
	@touch $@
