# Two commands for a fresh clone: `make demo` and `make test`.
.PHONY: demo test check bench pictures prepare clean

VENV := .venv/bin

prepare:
	@scripts/prepare

demo: prepare
	@scripts/with_display $(VENV)/sparseexplain demo --out out

# Tests run in this many processes; all windows are in one of them.
JOBS ?= 2

# napari's kernels would set OpenMP's threads for torch too, and two threads that spin on tiny tensors are slow.
test: prepare
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} NUMBA_NUM_THREADS=$${NUMBA_NUM_THREADS:-1} scripts/with_display $(VENV)/python -m pytest -n $(JOBS) --dist loadgroup $(TESTS)

check: prepare
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/pyright --pythonpath $(VENV)/python

bench: prepare
	@scripts/with_display $(VENV)/sparseexplain bench

clean:
	rm -rf .venv out build dist .pytest_cache .ruff_cache

pictures: prepare
	@scripts/with_display $(VENV)/sparseexplain demo --pictures --out docs/pictures
