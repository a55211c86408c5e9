# The commands of this repository. They need Python 3.11 or newer, git and make.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help serve airflow test test-thorough test-nightly test-engines lint bench bench-engines rig-emr rig-athena rig-down rig-status clean
PORT ?= 8080
# To choose the Python for the environments: make test PYTHON=python3.12
export PYTHON

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' Makefile

# demonstration: begin
.PHONY: demo
demo: ## Build the whole mesh on this machine from scratch: environment, lake, ports, catalog
	@demo/run.sh

# demonstration: end
serve: ## Serve the catalog at http://127.0.0.1:8080 (change the port: PORT=8081)
	@tools/environment.sh run
	@.venv/bin/portmesh serve --port $(PORT)

AIRFLOW_PORT ?= 8081
airflow: ## Open an Airflow on this machine with the mesh's DAGs, at http://127.0.0.1:8081 (change the port: AIRFLOW_PORT=8082)
	@tools/environment.sh run
	@tools/environment.sh airflow3
	@.venv/bin/dbt --quiet deps
# demonstration: begin
	@tools/environment.sh pyspark
	@[ -d "$${PORTMESH_LAKE:-.lake}" ] || { echo "Landing the grocery data in the lake …"; .venv/bin/portmesh demo land; }
# demonstration: end
	@.venv/bin/python -m orchestration.local $(AIRFLOW_PORT)

test: WHICH = not thorough and not nightly
test: ## Run the test suite, except the thorough tests
test-thorough: WHICH = thorough and not nightly
test-thorough: ## Run the thorough tests: many cases of rules, rights, attacks on the gate, hostile texts, batches, kills (THIRD=1, 2 or 3: a third of them)
test-thorough: PART_OF_IT = $(THIRD:%=--splits 3 --group %)
test-nightly: WHICH = nightly
test-nightly: standards
test-nightly: ## Run what CI has no time for: a real Airflow, the pages of the docs, planted flaws, TPC-DS, random SQL, the standards' tools
test test-thorough test-nightly:
	@tools/environment.sh dev
	@tools/environment.sh lint
	@tools/environment.sh pyspark
	@.venv/bin/dbt --quiet deps
	.venv/bin/python -m pytest -n 3 --dist loadfile -m "$(WHICH)" $(PART_OF_IT)

.PHONY: standards
standards:
	@tools/environment.sh standards

# Uses its own rig, because the tests empty its lake. CI runs parity, emr and athena.
PART ?= all
TESTS_all = "--engine emr" "--engine athena" "tests/engines"
TESTS_parity = "tests/engines/test_parity.py tests/engines/test_spark_adapter.py tests/engines/test_athena_adapter.py"
TESTS_emr = "--engine emr tests/test_output_port.py"
TESTS_athena = "--engine athena tests/test_output_port.py"
# demonstration: begin
TESTS_all += "demo/tests/engines"
# demonstration: end
test-engines: export PORTMESH_RIG_HOME := $(CURDIR)/.rig/tests
test-engines: ## Run the tests of ports on Spark and on Athena, and the tests of the rigs (PART=parity: every kind of check, and the adapters; emr or athena: ports)
	@tools/environment.sh dev
	@.venv/bin/dbt --quiet deps
	@tools/environment.sh rig
	@failed=0; \
	for tests in $(TESTS_$(PART)); do \
	  echo "pytest $$tests"; .venv/bin/python -m pytest $$tests || failed=1; \
	done; \
	.venv-rig/bin/python -m rig down; \
	exit $$failed

lint: ## Check SQL, YAML, Python and the mesh's conventions
	@tools/environment.sh dev
	@tools/environment.sh lint
	@.venv/bin/dbt --quiet deps
	.venv/bin/pre-commit run --all-files

bench: ## Measure the rules; with the demonstration, also the audit and a build of the mesh (15 minutes, 15 GB of disk)
	@tools/environment.sh dev
# demonstration: begin
	.venv/bin/python -m demo.benchmarks.audit
	.venv/bin/python -m demo.benchmarks.mesh
# demonstration: end
	.venv/bin/python -m benchmarks.rules

bench-engines: ## Measure what readers of ports on Spark and Athena see; with the demonstration, also the ports
	@tools/environment.sh dev
	@tools/environment.sh rig
	@for engine in emr athena; do .venv/bin/python -m benchmarks.readers $$engine || exit 1; done
# demonstration: begin
	@for engine in emr athena; do .venv/bin/python -m demo.benchmarks.engines $$engine || exit 1; done
	.venv/bin/python -m demo.benchmarks.year
# demonstration: end

rig-emr: ## Start Spark with Iceberg on Glue and S3 on this machine, as on EMR (rig/README.md)
	@tools/environment.sh rig
	@.venv-rig/bin/python -m rig up emr

rig-athena: ## Start Trino behind Athena's API on this machine; both rigs share one catalog and one lake
	@tools/environment.sh rig
	@.venv-rig/bin/python -m rig up athena

rig-status: ## Show which rig servers run, with ports, memory and logs
	@.venv-rig/bin/python -m rig status

rig-down: ## Stop the rigs; their tables and files are deleted
	@.venv-rig/bin/python -m rig down

clean: ## Delete everything that was built, landed and logged; keep the environments
	rm -rf target logs dbt_packages .lake .airflow build mesh.duckdb mesh.duckdb.wal .pytest_cache .mypy_cache .ruff_cache
