# Two commands for a fresh clone: `make demo` and `make test`.
.PHONY: demo test test-windows test-rest test-chosen check bench pictures prepare clean

VENV := .venv/bin

prepare:
	@scripts/prepare

demo: prepare
	@scripts/with_display $(VENV)/sparseexplain demo --out out

# napari's kernels would set OpenMP's threads for torch too, and two threads that spin on tiny tensors are slow.
PYTEST = OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} NUMBA_NUM_THREADS=$${NUMBA_NUM_THREADS:-1} $(VENV)/python -m pytest

# Windows in one process (two would take the focus from each other), all else in another beside it;
# chosen tests, as in `make test TESTS=tests/volumes`, in one.
test: prepare
ifdef TESTS
	@scripts/with_display $(MAKE) --no-print-directory test-chosen
else
	@scripts/with_display $(MAKE) --no-print-directory --jobs=2 test-windows test-rest
endif

test-windows:
	@$(PYTEST) -m gui
test-rest:
	@$(PYTEST) -m "not gui"
test-chosen:
	@$(PYTEST) $(TESTS)

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
