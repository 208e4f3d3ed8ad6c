# make bench: the main job, end to end. make test: every test that this machine can run.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 5001
USERS ?= 5
RUN_TIME ?= 30s
# The tests start thousands of Pythons: what one has compiled, the next one finds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: up down pythons bench mlserver test quick fuzz lint format lock schemas pictures licences audit clean help
help:
	@echo 'make bench   load-test the demo model on a real mlflow models serve (PORT, USERS, RUN_TIME)'
	@echo 'make test    every test that this machine can run'
	@echo 'make quick   lint, types and the quick tests: no process, no server, no simulation'
	@echo 'make fuzz    try made-up input on everything that reads any, for MINUTES (10)'
	@echo 'make up PROFILE=webserver|docker|sagemaker   the model, its images, and docker compose until it is ready'
	@echo 'make down    stop what make up started'
	@echo 'make pythons the quick tests with every other Python that this machine has'
	@echo 'make lint    ruff and mypy'
	@echo 'make lock    resolve the dependencies anew'
	@echo 'make schemas  write the schema files from the types that they describe'
	@echo 'make audit   ask for known weaknesses of the locked packages; make licences lists their licences'
	@echo 'make pictures  those of the README, each from a real run (needs chromium)'

# The locked dependencies, by hash; the project itself from this folder. `make bench` needs no tools of developers.
INSTALL := locks/install.sh $(PYTHON) $(VENV)

$(VENV)/installed: locks/dev.txt locks/install.sh pyproject.toml
	@$(INSTALL) locks/dev.txt
	@touch $(VENV)/runs $@

$(VENV)/runs: locks/bench.txt locks/install.sh pyproject.toml
	@[ $(VENV)/installed -nt $< ] || $(INSTALL) locks/bench.txt
	@touch $@

# A server of another kind for the tests, in an environment of its own.
mlserver: .venv-mlserver/installed
.venv-mlserver/installed: locks/mlserver.txt locks/install.sh
	@PROJECT=no locks/install.sh $(PYTHON) .venv-mlserver locks/mlserver.txt
	@touch $@

bench: $(VENV)/runs
	$(BIN)/scorebench run webserver --port $(PORT) --users $(USERS) --run-time $(RUN_TIME)

# One server in a container, from a clean clone: its model, its images, docker compose, ready.
PROFILE ?= webserver
up: $(VENV)/runs
	$(BIN)/scorebench images build $(PROFILE)
	docker compose --profile $(PROFILE) up --wait
	@at=http://$$(docker compose --profile $(PROFILE) port $(PROFILE) 8080) && \
	    echo "ready: $$at" && \
	    echo "next:  $(BIN)/scorebench run $$at --users 5 --run-time 30s" && \
	    echo 'then:  make down'

down:
	SCOREBENCH_IMAGES=any docker compose --profile '*' down

# The quick tests with each other Python that is here; one that is not is left out, and said.
PYTHONS ?= 3.12 3.13 3.14
pythons: locks/dev.txt
	@for version in $(PYTHONS); do \
	    found=$$(python$$version -c 'import sys; print(sys.executable)' 2>/dev/null || \
	        ls -d $$HOME/.pyenv/versions/$$version.*/bin/python 2>/dev/null | tail -1); \
	    [ -n "$$found" ] || { echo "no Python $$version here: left out"; continue; }; \
	    locks/install.sh $$found .venv-$$version locks/dev.txt && \
	        .venv-$$version/bin/python -m pytest -n 2 -m quick --ignore tests/live || exit 1; \
	done

test: $(VENV)/installed
	$(BIN)/python -m tests.twice -n 3 --dist loadfile --durations 20 --ignore tests/live
	$(BIN)/python -m tests.twice -n 2 --durations 20 tests/live

quick: lint
	$(BIN)/python -m pytest -n 2 -m quick --ignore tests/live

MINUTES ?= 10
fuzz: $(VENV)/installed
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

COMPILE := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
    --no-annotate
lock:
	$(COMPILE) pyproject.toml --extra mlflow --extra otel --extra plots --extra aws --extra databricks --extra azure \
	    --extra containers --group dev -o locks/dev.txt
	$(COMPILE) pyproject.toml --extra mlflow -c locks/dev.txt -o locks/bench.txt
	$(COMPILE) pyproject.toml --extra otel --extra aws --extra databricks --extra azure -c locks/dev.txt \
	    -o locks/load.txt
	printf 'mlserver\nmlserver-sklearn\n' | $(COMPILE) - -o locks/mlserver.txt
	echo uv | $(COMPILE) - -o locks/uv.txt

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
	rm -rf $(VENV) .models .build .mypy_cache .ruff_cache .hypothesis .fuzz
