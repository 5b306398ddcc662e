# Two commands for a fresh clone: `make demo` and `make test`.
.PHONY: demo test test-windows test-windows-1 test-windows-2 test-rest test-chosen check bench pictures prepare clean

VENV := .venv/bin

prepare:
	@scripts/prepare

demo: prepare
	@scripts/with_display $(VENV)/sparseexplain demo --out out

# napari's kernels would set OpenMP's threads for torch too, and two threads that spin on tiny tensors are slow.
PYTEST = env OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} NUMBA_NUM_THREADS=$${NUMBA_NUM_THREADS:-1} $(VENV)/python -m pytest

# Windows in two processes, each on a screen of its own (on one they would take the focus from each
# other), all else in a third that takes what time they leave; chosen tests, as in
# `make test TESTS=tests/volumes`, in one. Where there is no virtual screen the windows are tested in one process.
ifneq ($(shell command -v xvfb-run),)
WINDOWS := test-windows-1 test-windows-2
else
WINDOWS := test-windows
endif

test: prepare
ifdef TESTS
	@scripts/with_display $(MAKE) --no-print-directory test-chosen
else
	@scripts/with_display $(MAKE) --no-print-directory --keep-going --jobs=3 $(WINDOWS) test-rest
endif

test-windows:
	@$(PYTEST) -m gui
test-windows-1:
	@$(PYTEST) -m gui --part 1/2
test-windows-2:
	@SPARSEEXPLAIN_VIRTUAL_SCREEN=1 scripts/with_display $(PYTEST) -m gui --part 2/2
test-rest:
	@nice -n 4 $(PYTEST) -m "not gui"
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
	@rm -rf out/pictures
	@scripts/with_display $(VENV)/sparseexplain demo --pictures --out out/pictures
	@cp out/pictures/*.png docs/pictures/
