# Two commands for a fresh clone: `make demo` and `make test`.
.PHONY: demo test test-windows test-rest check bench pictures prepare clean

VENV := .venv/bin

prepare:
	@scripts/prepare

demo: prepare
	@scripts/with_display $(VENV)/sparseexplain demo --out out

# Windows in one process (two would take the focus from each other), all else in another beside it.
test: prepare
	@scripts/with_display $(MAKE) --no-print-directory --jobs=2 test-windows test-rest

# napari's kernels would set OpenMP's threads for torch too, and two threads that spin on tiny tensors are slow.
# Status 5 of pytest: nothing of the kind among TESTS.
PYTEST = OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} NUMBA_NUM_THREADS=$${NUMBA_NUM_THREADS:-1} $(VENV)/python -m pytest
test-windows:
	@$(PYTEST) -m gui $(TESTS) || [ $$? -eq 5 ]
test-rest:
	@$(PYTEST) -m "not gui" $(TESTS) || [ $$? -eq 5 ]

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
