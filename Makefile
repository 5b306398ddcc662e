# Two commands for a fresh clone: `make demo` and `make test`.
.PHONY: docs demo test test-windows test-rest test-chosen check bench fuzz pictures prepare clean

VENV := .venv/bin

prepare:
	@scripts/prepare

demo: prepare
	@scripts/with_display $(VENV)/sparseexplain demo --out out

# napari's kernels would set OpenMP's threads for torch too, and two threads that spin on tiny tensors are slow.
PYTEST = env OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} NUMBA_NUM_THREADS=$${NUMBA_NUM_THREADS:-1} $(VENV)/python -m pytest

# Windows in four parts, each on a screen of its own (on one they would take the focus from each
# other), all else in a fifth, three of them at a time, so that no long one is left alone; chosen tests, as in
# `make test TESTS=tests/volumes`, in one. Where there is no virtual screen the windows are tested in one process.
ifneq ($(shell command -v xvfb-run),)
WINDOWS := $(foreach part,1 2 3 4,test-windows-$(part))
else
WINDOWS := test-windows
endif

test: prepare
ifdef TESTS
	@scripts/with_display $(MAKE) --no-print-directory test-chosen
else
	@scripts/with_display $(MAKE) --no-print-directory --keep-going --jobs=3 test-rest $(WINDOWS)
endif

test-windows:
	@$(PYTEST) -m gui
test-windows-%:
	@SPARSEEXPLAIN_VIRTUAL_SCREEN=1 scripts/with_display $(PYTEST) -m gui --part $*/4
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

# Thousands of damaged files: `make fuzz`, or `make fuzz SEEDS="3 4" CASES=1000`. The table goes to out/fuzz.md.
SEEDS ?= 7 11 23 2026
CASES ?= 300
fuzz: prepare
	@mkdir -p out
	@$(VENV)/python -m tests.fuzz --seeds $(SEEDS) --cases $(CASES) --out out/fuzz.md

docs: prepare
	@$(VENV)/python scripts/module_table

clean:
	rm -rf .venv out build dist .pytest_cache .ruff_cache

pictures: prepare
	@rm -rf out/pictures
	@scripts/with_display $(VENV)/sparseexplain demo --pictures --out out/pictures
	@cp out/pictures/*.png docs/pictures/
