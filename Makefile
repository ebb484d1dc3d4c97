# make run    starts the app          make test   runs every check
# make serve  the same for many       (with admission, headers, metrics and logs; serve.py names its settings)
#             REPLICAS=4 starts four processes behind nginx
# make bench  prints the figures      make format tidies the code

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: run serve test scripts bench format chromium nginx

VENV := .venv
PY := $(VENV)/bin/python
NPM := $(PY) -m tests.harness.node
PORT ?= 8501
REPLICAS ?= 1
# On Linux the default wheels of torch bring gigabytes of CUDA; this index has the same version without them.
CPU_WHEELS := https://download.pytorch.org/whl/cpu

# At the sizes of a sentence a second thread costs more than it brings.
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM ?= false
export PIP_DISABLE_PIP_VERSION_CHECK := 1

run: $(VENV)/installed
	@echo "Headlight: http://localhost:$(PORT)   (stop it with Ctrl+C)"
	@exec $(PY) -m streamlit run app.py --server.port $(PORT)

serve: $(VENV)/installed
ifeq ($(REPLICAS),1)
	@echo "Headlight: http://localhost:$(PORT)   (stop it with Ctrl+C)"
	@PORT=$(PORT) exec $(PY) serve.py
else
	@PORT=$(PORT) REPLICAS=$(REPLICAS) exec $(PY) -m deploy
endif

test: $(VENV)/installed-dev chromium nginx
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m pyright
	@scripts=0; $(MAKE) --no-print-directory scripts || scripts=1; \
	$(PY) -m pytest --numprocesses 2 --dist loadscope; exit $$scripts

# The scripts in assets/components: linter, formatter, types, and the tests that need no browser.
scripts: node_modules/installed
	$(NPM) run --silent check

node_modules/installed: package.json package-lock.json | $(VENV)/installed-dev
	@if ! $(NPM) ci --silent --no-audit --no-fund; then \
		echo "npm's registry cannot be reached: the scripts in assets/components are not checked, all else is." >&2; exit 1; \
	fi
	@touch $@

# Without the soak, which takes a quarter of an hour: python -m benchmarks.soak
bench: $(VENV)/installed-dev chromium
	@for script in benchmarks/*.py; do \
		grep -q '^if __name__ == "__main__"' $$script || continue; \
		[ $$script != benchmarks/soak.py ] || continue; \
		echo; echo "== $$script"; $(PY) -m benchmarks.$$(basename $$script .py); \
	done

format: $(VENV)/installed-dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	$(MAKE) --no-print-directory node_modules/installed
	$(NPM) run --silent format

$(VENV)/installed: requirements.txt
	@$(create_venv)
	@$(call install,requirements.txt)
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt requirements.txt
	@$(create_venv)
	@$(call install,requirements-dev.txt)
	@touch $@ $(VENV)/installed

define create_venv
if ! $(PY) -m pip --version >/dev/null 2>&1; then \
	for python in $${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
		echo "Headlight needs Python 3.11 or newer: install it, or name it with PYTHON=/path/to/python3.11 make ..." >&2; exit 1; \
	fi; \
	echo "Creating $(VENV) with $$($$found --version)"; \
	if ! $$found -m venv --clear $(VENV); then \
		rm -rf $(VENV); \
		echo "$$found cannot create a virtual environment: on Debian or Ubuntu, apt-get install python3-venv" >&2; exit 1; \
	fi; \
fi
endef

define install
echo "Installing $(1) (the first time this takes a few minutes)"; \
index=; \
if [ "$$(uname)" = Linux ] && $(PY) -c 'from urllib.request import urlopen as u; u("$(CPU_WHEELS)/torch/", timeout=5)' 2>/dev/null; \
then index="--extra-index-url $(CPU_WHEELS)"; fi; \
$(PY) -m pip install --quiet $$index -r $(1)
endef

# The browser tests need a Chromium: $CHROMIUM, one on the PATH, or Debian's.
chromium: $(VENV)/installed-dev
	@if ! $(PY) -m tests.harness.browser >/dev/null 2>&1 && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "No Chromium found: installing Debian's"; \
		(apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y chromium) >/dev/null; \
	fi
	@$(PY) -m tests.harness.browser

# The tests of replicas need nginx; where there is none they are skipped, and say so.
nginx:
	@if ! PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "No nginx found: installing Debian's"; \
		(apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y nginx) >/dev/null; \
	fi
