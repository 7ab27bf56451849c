# Two commands do everything on a fresh machine: `make run` and `make test`. Needs Python 3.11 or newer and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
AUDIT  := $(VENV)/audit
TORCH  := torch==2.13.0
# Tests at work at once: three more than processors, since many of them mostly wait; with two more, a fifth of two
# processors was idle.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(os.cpu_count() + 3)')

# Some machines tell Python to keep no compiled modules: then each of many hundreds of processes compiles them anew.
unexport PYTHONDONTWRITEBYTECODE

# Benchmarks that measure recordings of people, in directories that must be named.
ON_DIRECTORIES := benchmarks/keywords.py benchmarks/real_speech.py

.DEFAULT_GOAL := help
.PHONY: help setup dev-setup train-setup run test whole loop chaos power machines containers images upgrade fuzz coverage check bench docs audit sbom lock picture screenshots env clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.run-stamp  ## make .venv with what `glas run` needs
dev-setup: $(VENV)/.dev-stamp  ## the same, with what the tests need
train-setup: $(VENV)/.train-stamp  ## the same, with torch for training

run: setup  ## set up, then serve the page and the API at http://127.0.0.1:8000
	@$(BIN)/glas run

# Collected once beside the checks, which use one processor: workers that begin at once would each compile all modules.
# The checks go on beside the tests, or a processor would be idle until they end.
test: train-setup  ## set up, then everything: format, lint, types, layers, tests
	@$(MAKE) --no-print-directory check & checks=$$!; \
	  $(BIN)/pytest --collect-only -qq >/dev/null 2>&1; \
	  $(BIN)/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder; status=$$?; \
	  wait $$checks || { echo "The checks have failed: see above, or make check"; status=1; }; exit $$status

whole: train-setup  ## 50 people, 200 recordings through the whole system, in one process and as compose.yaml starts it; whole sets of recordings and replies
	@WHOLE_PEOPLE=50 $(BIN)/pytest -s tests/system/test_whole.py
	@WHOLE_SETS=1 $(BIN)/pytest -s tests/parts/test_tg_bot_replies.py tests/parts/test_nonspeech.py tests/models/test_whisper_inventions.py tests/models/test_whisper_base_ru.py \
	  tests/parts/test_nn_service_versions.py tests/system/test_comparisons.py

loop: train-setup  ## learn sixty names through the bot, then learn while killed a hundred times; see docs/learning.md for other scenes
	@LOOP_OUT=$${LOOP_OUT:-data/loop-$$(date +%F-%H%M%S)} $(BIN)/pytest -s tests/system/test_loop.py
	@LOOP_KILLS=100 $(BIN)/pytest -s tests/system/test_loop.py

chaos: train-setup  ## 1,000 messages while processes are killed a hundred times and more, twice; a burst of 5,000
	@CHAOS_MESSAGES=1000 CHAOS_KILLS=100 $(BIN)/pytest -s tests/system/test_kills.py
	@BURST_MESSAGES=5000 $(BIN)/pytest -s tests/parts/test_tg_bot_burst.py

power: train-setup  ## the power goes at 40 calls to Telegram while 24 messages are answered, and Glas starts again (Linux, strace)
	@POWER_MESSAGES=24 POWER_STARTS=40 $(BIN)/pytest -s tests/system/test_power.py tests/system/test_backup_power.py \
	  tests/system/test_forgetful_servers.py

machines: train-setup  ## recordings while one of three machines dies, another is cut off, and PostgreSQL fails over (root, Linux)
	@MACHINES_MESSAGES=60 $(BIN)/pytest -s tests/system/test_machines.py

containers: train-setup  ## each container of compose.yaml in namespaces: networks, rights, and the whole system in them (root, Linux)
	@IN_CONTAINERS=1 $(BIN)/pytest -s tests/system/test_containers.py tests/system/test_whole.py

images: train-setup  ## run the steps of the Dockerfile in a Debian that debootstrap makes, and start each program (root, Linux, debootstrap)
	@IMAGES_IN=$${IMAGES_IN:-data/images} $(BIN)/pytest -s tests/system/test_image_roots.py

upgrade: train-setup  ## messages while each process of an earlier release is replaced by one of this checkout (FROM=REVISION)
	@UPGRADE_FROM=$(FROM) $(BIN)/pytest -s tests/system/test_upgrade.py

fuzz: train-setup  ## 5,000 requests to each service made out of its OpenAPI document, right and wrong ones; then damaged recordings for ten minutes
	@FUZZ_CASES=5000 $(BIN)/pytest -s tests/system/test_openapi.py
	@FUZZ_AUDIO_S=600 $(BIN)/pytest -s tests/parts/test_damaged_audio.py

coverage: train-setup  ## run all tests and show which lines of src/glas they do not reach, processes that they start included
	@rm -f .coverage .coverage.*
	-@$(BIN)/coverage run -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder --timeout 600
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report
	@$(BIN)/coverage json --quiet -o - | $(BIN)/python -c 'import json, sys; found = json.load(sys.stdin)["totals"]; \
	  print("%.1f %% of lines, %.1f %% of branches" % (found["percent_statements_covered"], found["percent_branches_covered"]))'

check: dev-setup  ## format, lint, types, layers (no tests)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: dev-setup  ## measure: overhead, engines, audio (ratios against peers in the same run)
	@for script in $(filter-out $(ON_DIRECTORIES), $(wildcard benchmarks/[a-z]*.py)); do \
	  echo "== $$script"; $(BIN)/python $$script || exit 1; done

docs: $(VENV)/docs/.stamp  ## build the documentation as a site in build/site; fail if a link is wrong
	@$(BIN)/python docs/stage.py build/pages
	@cp $(VENV)/docs/lib/python*/site-packages/mermaidx/assets/mermaid.js build/pages/
	@$(VENV)/docs/bin/zensical build --strict --clean

sbom:  ## write dist/glas.cdx.json: all packages, images and the model that Glas is made of (CycloneDX)
	@$(PYTHON) deploy/sbom.py dist/glas.cdx.json

# --strict: a package about which nothing could be learnt is a failure, or an audit without a network would pass.
audit: sbom $(VENV)/.audit-stamp  ## the bill of materials, then known vulnerabilities of all pinned packages (needs the network)
	@for file in run dev nn_service_gpu audit; do \
	  echo "== requirements/$$file.txt"; \
	  $(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r requirements/$$file.txt || { \
	    echo "Not passed. A table above names packages with known vulnerabilities. 'could not be audited' or"; \
	    echo "ConnectionError instead of a table: the source of advisories cannot be reached, and nothing was checked."; \
	    exit 1; }; \
	done

lock: dev-setup  ## pin again what pyproject.toml asks for
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --extra asr --extra bot --extra db --extra data --extra backup --extra tracing \
	  pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --extra asr --extra bot --extra db --extra data --extra backup --extra tracing --extra train \
	  --group dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --group docs -c requirements/dev.txt \
	  -o requirements/docs.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --group audit -o requirements/audit.txt
	for part in "tg_bot --extra bot" "nn_service --extra asr" "nn_service_gpu --extra asr --extra gpu" "db_assist --extra db" "data_loader --extra data" "backup --extra db --extra data --extra backup" "training --extra asr --extra train" web; do set -- $$part; name=$$1; shift; \
	  $(BIN)/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 $$@ --extra tracing -c requirements/run.txt pyproject.toml \
	  -o requirements/$$name.txt || exit 1; done

picture:  ## render the picture of /start from its drawing (needs Chromium)
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,720 \
	  --screenshot=$(CURDIR)/src/glas/tg_bot/talk/pictures/start.png src/glas/tg_bot/talk/pictures/start.svg

screenshots: dev-setup  ## draw all pages, wide and on a phone, light and dark, into data/screenshots; docs/pictures too (needs Chromium)
	@$(BIN)/python -m tests.system.screenshots data/screenshots

env: .env  ## make .env for Docker Compose, with secrets of its own; the bot's token is yours to fill in

.env:
	@umask 077 && $(PYTHON) -c 'import re, secrets, sys; \
	  sys.stdout.write(re.sub(r"(?m)^(\w+_(?:PASSWORD|SECRET_KEY|TOKEN|API_KEY))=(?:changeme)?$$", \
	  lambda line: line[0] if line[1] == "TELEGRAM_TOKEN" else f"{line[1]}={secrets.token_urlsafe(32)}", \
	  open(".env.example", encoding="utf-8").read()))' > $@
	@echo "Made .env; fill in TELEGRAM_TOKEN, then: docker compose up -d"

clean:  ## remove .venv and caches; data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage .coverage.*

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Glas needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=/path/to/python3.11 run"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.run-stamp: requirements/run.txt pyproject.toml | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/run.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

$(VENV)/.dev-stamp: requirements/dev.txt $(VENV)/.run-stamp
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

# Apart from the rest: it renders pages and is needed for nothing else.
$(VENV)/docs/.stamp: requirements/docs.txt | $(BIN)/uv
	$(BIN)/uv venv --quiet --python $(BIN)/python $(VENV)/docs
	$(BIN)/uv pip install --quiet --python $(VENV)/docs/bin/python --require-hashes -r requirements/docs.txt
	@touch $@

# An environment of its own: what looks for faults in packages must not change which versions they have.
$(VENV)/.audit-stamp: requirements/audit.txt | $(BIN)/uv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(AUDIT)
	$(BIN)/uv pip install --quiet --python $(AUDIT)/bin/python --require-hashes -r requirements/audit.txt
	@touch $@

# pip, not uv: a wheel directory that pip is set up with (a CPU build, say) is honoured by pip alone. Of the thousands of
# modules few are ever imported, and those are compiled then.
$(VENV)/.train-stamp: $(VENV)/.dev-stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile "$(TORCH)"
	@touch $@
