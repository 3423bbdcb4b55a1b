# `make demo` and `make test` are the two commands of the README; the rest is for those who work on it.
PYTHON ?= python3
BIN = .venv/bin
PIP = $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test test-fast check format bench bench-growth gpu gpu-wheels planted commands aa cluster coverage fuzz fuzz-logs fuzz-records faults kills lowest versions docs clean

demo: .venv/installed
	$(BIN)/diagnose demo
	$(BIN)/diagnose ablate --axis tokenizer --recipe quick --seeds 3 --resume
	$(BIN)/diagnose loss-gap runs/latest

test: .venv/tested
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

test-fast: .venv/tested
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder -m "not slow and not trains"

check: .venv/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/tested
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/tested
	$(BIN)/python benchmarks/throughput.py --others
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/recorder.py

bench-growth: .venv/tested
	$(BIN)/python benchmarks/growth.py

gpu:
	$(PYTHON) tools/gpu_python.py $(if $(WHEELS),--wheels $(WHEELS))

gpu-wheels:
	$(PYTHON) tools/gpu_python.py --download wheels --for $(or $(FOR),3.12)

planted: .venv/tested
	$(BIN)/pytest tests/validation/planted -m "slow or not slow" -s

cluster: .venv/tested
	$(BIN)/pytest tests/engines tests/ablation/test_networks_compared.py -m "slow or not slow"

commands: .venv/tested
	$(BIN)/pytest tests/commands tests/test_documented_commands.py tests/test_examples.py tests/test_first_hour.py \
	  tests/training/test_gpu_report.py -m "slow or not slow"

aa: .venv/tested
	$(BIN)/pytest tests/validation/aa -m "slow or not slow" -s

coverage: .venv/tested
	$(BIN)/python benchmarks/coverage.py
	$(BIN)/python benchmarks/compare_coverage.py

docs: .venv/tested
	$(BIN)/mkdocs build --strict

fuzz: .venv/tested fuzz-logs fuzz-records
	$(BIN)/pytest tests/logs/test_log_fuzz.py -m "slow or not slow"

fuzz-records: .venv/tested
	$(BIN)/python tests/reliability/record_fuzz.py $(or $(COUNT),100000) $(or $(SEED),0)
	$(BIN)/python tests/reliability/results_fuzz.py $(or $(COUNT),100000) $(or $(SEED),0)
	for kind in recipes corpora caches; do \
	  $(BIN)/python tests/reliability/input_fuzz.py $$kind $(or $(COUNT),100000) $(or $(SEED),0) || exit 1; done

faults: .venv/tested
	$(BIN)/pytest tests/reliability -m "slow or not slow"
	$(BIN)/python tests/reliability/fault_points.py

kills: .venv/tested
	$(BIN)/python tests/reliability/kill_anywhere.py $(or $(COUNT),500) $(or $(SEED),0)

lowest:
	$(PYTHON) tools/versions.py --lowest

versions:
	$(PYTHON) tools/versions.py --python all

fuzz-logs: .venv/tested
	$(BIN)/python tests/logs/log_fuzz.py $(or $(LOGS),600000) $(or $(SEED),0)
	$(BIN)/python tests/logs/folder_fuzz.py $(or $(FOLDERS),400000) $(or $(SEED),0)

.venv/bin/pip:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/pip pyproject.toml constraints.txt setup.py models/native/loops.c
	$(PIP) torch
	$(PIP) -e .
	touch $@

.venv/tested: .venv/installed
	$(PIP) -e '.[test,check,ray,slurm,docs]'
	touch $@

clean:
	rm -rf .venv .venv-gpu build models/native/*.so *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
