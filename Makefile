# make bench: the main job, end to end. make test: every test that this machine can run.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 5001
USERS ?= 5
RUN_TIME ?= 30s

.PHONY: bench mlserver test quick lint format lock schemas pictures licences audit clean help
help:
	@echo 'make bench   load-test the demo model on a real mlflow models serve (PORT, USERS, RUN_TIME)'
	@echo 'make test    every test that this machine can run'
	@echo 'make quick   lint, types and the quick tests: no process, no server, no simulation'
	@echo 'make lint    ruff and mypy'
	@echo 'make lock    resolve the dependencies anew'
	@echo 'make schemas  write the schema files from the types that they describe'
	@echo 'make audit   ask for known weaknesses of the locked packages; make licences lists their licences'
	@echo 'make pictures  those of the README, each from a real run (needs chromium)'

# The locked dependencies, by hash; the project itself from this folder.
$(VENV)/installed: locks/dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "scorebench needs Python 3.11 or newer; try make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check -q --require-hashes -r locks/dev.txt
	$(BIN)/pip install --disable-pip-version-check -q --no-deps -e .
	@touch $@

# A server of another kind for the tests, in an environment of its own.
mlserver: $(VENV)-mlserver/installed
$(VENV)-mlserver/installed: locks/mlserver.txt
	$(PYTHON) -m venv $(VENV)-mlserver
	$(VENV)-mlserver/bin/pip install --disable-pip-version-check -q --require-hashes -r locks/mlserver.txt
	@touch $@

bench: $(VENV)/installed
	$(BIN)/scorebench run webserver --port $(PORT) --users $(USERS) --run-time $(RUN_TIME)

test: $(VENV)/installed
	$(BIN)/python -m pytest -n 3 --dist loadfile --durations 20 --ignore tests/live
	$(BIN)/python -m pytest --durations 20 tests/live

quick: lint
	$(BIN)/python -m pytest -n 2 -m quick --ignore tests/live

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    --no-annotate pyproject.toml --extra mlflow --extra otel --extra plots --extra aws --extra databricks \
	    --extra azure --extra containers --group dev -o locks/dev.txt
	printf 'mlserver\nmlserver-sklearn\n' | uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --no-annotate - -o locks/mlserver.txt

# Both bring their tool with uv, as it is no part of the project.
licences: $(VENV)/installed
	uvx pip-licenses@5.5.5 --python $(BIN)/python --format markdown --from mixed --with-urls --with-system \
	    --packages $$(sed -n 's/^\([a-z0-9-]*\)==.*/\1/p' locks/dev.txt) > locks/licences.md

audit:
	uvx pip-audit@2.7.3 --strict --disable-pip --no-deps -r locks/dev.txt

schemas: $(VENV)/installed
	$(BIN)/python -m bench.schemas

pictures: $(VENV)/installed
	$(BIN)/python -m bench.pictures

clean:
	rm -rf $(VENV) .models .build .mypy_cache .ruff_cache .hypothesis
