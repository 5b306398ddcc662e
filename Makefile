# Two commands for a fresh clone: `make demo` and `make test`.
.PHONY: docs demo test slowest coverage test-windows test-rest test-chosen check bench fuzz pictures prepare clean

VENV := .venv/bin

prepare:
	@scripts/prepare

demo: prepare
	@scripts/with_display $(VENV)/sparseexplain demo --out out

# What each test file costs lies in out/test-cpu; `make slowest` prints one list of it.
# Bytecode is kept: several processes read the same files.
# napari's kernels would set OpenMP's threads for torch too, and two threads that spin on tiny tensors are slow.
RUN = -m pytest
PYTEST = env PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} NUMBA_NUM_THREADS=$${NUMBA_NUM_THREADS:-1} $(VENV)/python $(RUN)

# Windows in two parts, each on a screen of its own (on one they would take the focus from each
# other), all else in a third, all at a time; chosen tests, as in `make test TESTS=tests/volumes`, in one. More
# parts would import all again and share no window. Without a virtual screen the windows are tested in one process.
ifneq ($(shell command -v xvfb-run),)
WINDOWS := $(foreach part,1 2,test-windows-$(part))
else
WINDOWS := test-windows
endif

test: prepare
	@rm -rf out/test-cpu
ifdef TESTS
	@scripts/with_display $(MAKE) --no-print-directory test-chosen
else
	@scripts/with_display $(MAKE) --no-print-directory --keep-going --jobs=3 test-rest $(WINDOWS)
endif

test-windows:
	@$(PYTEST) -m gui
test-windows-%:
	@SPARSEEXPLAIN_VIRTUAL_SCREEN=1 scripts/with_display $(PYTEST) -m gui --part $*/2
test-rest:
	@$(PYTEST) -m "not gui"
test-chosen:
	@$(PYTEST) $(TESTS)

# CPU seconds of the slowest test files over all parts of the last run.
slowest:
	@$(VENV)/python -m tests.cpu_of_files

# Lines of the package that the tests run, over all parts and the processes that they start.
coverage: prepare
	@rm -rf out/coverage
	@$(MAKE) --no-print-directory test RUN="-m coverage run -m pytest"
	@$(VENV)/python -m coverage combine --quiet && $(VENV)/python -m coverage report

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

# The site goes to out/docs. What builds it is installed when it is first asked for; the building needs no network.
docs: prepare
	@$(VENV)/python scripts/module_table
	@$(VENV)/python -c "import furo, myst_parser, sphinx_gallery" 2>/dev/null || \
	  $(VENV)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[docs]'
	@rm -rf docs/examples out/docs  # every script runs anew, so that a page shows what is true now
	@env OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(VENV)/python -m sphinx -W --keep-going -q -b html -d out/doctrees docs out/docs

clean:
	rm -rf .venv out build dist docs/examples .pytest_cache .ruff_cache

pictures: prepare
	@rm -rf out/pictures
	@scripts/with_display $(VENV)/sparseexplain demo --pictures --out out/pictures
	@cp out/pictures/*.png docs/pictures/
