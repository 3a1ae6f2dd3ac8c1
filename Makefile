# Two commands matter: `make` runs the study, `make test` checks everything.
# Everything happens in .venv, whose versions are those of requirements.lock.

PYTHON ?= python3
CONFIG ?=
SEEDS ?= 50
KILLS ?= 100
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/complete
BENCH_STAMP := $(VENV)/complete-bench
MUTANTS_STAMP := $(VENV)/complete-mutants
MUTANTS ?= 60
# CONFIG takes the place of config/config.yaml. It is read first, since Snakemake says at length what
# is wrong with a file; an option follows it, or a target would be read as a second file.
SNAKEMAKE := $(if $(CONFIG),$(BIN)/python -m koopscope.config.files $(CONFIG) && )$(BIN)/python -m snakemake \
    $(if $(CONFIG),--configfile $(CONFIG) --cores all)
PIP := $(BIN)/python -m pip --disable-pip-version-check

export PATH := $(CURDIR)/$(BIN):$(PATH)
# Its warnings are about who installs, and no reader of a log can do anything with them.
export PIP_ROOT_USER_ACTION := ignore
.DEFAULT_GOAL := run
.PHONY: run figures verify repair findings test kill-test docs fuzz mutants blast-radius keys lint bench lock clean help
.DELETE_ON_ERROR:

run: $(STAMP)  ## Run the study (CONFIG=config/smoke.yaml for another) and write the report
	@$(SNAKEMAKE)
	@test ! -e results/summary.json || $(BIN)/python -m koopscope.experiments.answers results/summary.json
	@test ! -e results/answers.html || echo "Look at: $(CURDIR)/results/answers.html (all figures: report.html; all numbers: summary.md, tables/)"

figures: $(STAMP)  ## Make the figures, running only what they still need
	$(SNAKEMAKE) figures

verify: $(STAMP)  ## Prove or refute the chain of digests of every result
	$(SNAKEMAKE) verify

repair: $(STAMP)  ## Delete exactly what `verify` refutes, and make it again
	$(SNAKEMAKE) delete_refuted
	$(SNAKEMAKE) every_output

findings: $(STAMP)  ## Fill the tables of docs/findings*.md with the numbers of a run of config/paper.yaml
	@for page in docs/findings*.md; do $(BIN)/python -m koopscope.experiments.findings results/summary.json $$page || exit 1; done

# Those without the workflow side by side; the workflow uses every core by itself.
test: lint  ## Lint, then run every test: what CI runs
	$(BIN)/python -m pytest -n auto tests/unit tests/property tests/reference tests/integrations
	$(BIN)/python -m pytest tests/workflow

kill-test: $(STAMP)  ## Kill the smoke study at random moments, long (KILLS=100 times)
	KILLS=$(KILLS) $(BIN)/python -m pytest tests/workflow/test_killed_runs.py

# Those of `make test` are the same in every run. On another processor's kernels, where they can be
# had: OPENBLAS_CORETYPE=Haswell make fuzz.
fuzz: $(STAMP)  ## Run the property tests on new examples, long (SEEDS=50 draws of them)
	@failed=; for seed in $$(seq 1 $(SEEDS)); do \
	    echo "== seed $$seed"; \
	    HYPOTHESIS_PROFILE=explore $(BIN)/python -m pytest -q -n auto --hypothesis-seed=$$seed \
	        tests/property || failed="$$failed $$seed"; \
	done; test -z "$$failed" || { echo "failed with the seeds$$failed"; exit 1; }

# In a copy of the tree, on one core, and last in line for it; see docs/mutants.md.
mutants: $(MUTANTS_STAMP)  ## Change the heart of the library in MUTANTS=60 places a part, and see whether the tests notice
	@cd tests && PYTHONPATH=.:../src nice -n 15 ../$(BIN)/python mutants.py --count $(MUTANTS)

blast-radius: $(STAMP)  ## Print what a change of each file reruns, and how much code is behind each job
	@$(BIN)/python tests/blast_radius.py

keys: $(STAMP)  ## Write the schema and the tables of config/README.md from the keys in the code
	@$(BIN)/python -m koopscope.experiments.keys config/config.schema.json config/README.md

# Of a run's figures. A page whose link leads nowhere, or a docstring that is no numpydoc, is an error.
docs: $(STAMP)  ## Build the documentation, docs/_build/html/index.html, with the figures of a run
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "Documentation: $(CURDIR)/docs/_build/html/index.html"

lint: $(STAMP)  ## Check style of the library, the workflow and the tests, and the types of what people import
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint

bench: $(BENCH_STAMP)  ## Run every benchmark and print its ratios
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

# The stamp goes before anything changes and comes back last: without it the environment counts as
# half-made and is made anew; with it a changed lock updates in place. Torch comes first, alone and
# pinned: left to the resolver among the others it may bring gigabytes of CUDA that nobody asked for.
$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || \
	    { echo "koopscope needs Python 3.11 or later; '$(PYTHON)' is not there: try make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "koopscope needs Python 3.11 or later; '$(PYTHON)' is $$($(PYTHON) -V 2>&1): try make PYTHON=python3.12" >&2; exit 1; }
	@if [ -e $(STAMP) ] && $(PIP) --version >/dev/null 2>&1; \
	    then echo "Updating $(VENV)"; rm -f $(STAMP) $(BENCH_STAMP) $(MUTANTS_STAMP); \
	    else echo "Setting up $(VENV) (a few minutes, once)"; $(PYTHON) -m venv --clear $(VENV); fi
	@$(PIP) install -q -c requirements.lock "$$(grep '^torch==' requirements.lock)"
	@$(PIP) install -q -r requirements.lock
	@$(PIP) install -q --no-deps --no-build-isolation -e .
	@$(PIP) check
	@touch $@

$(BENCH_STAMP): requirements-bench.lock $(STAMP)
	@$(PIP) install -q --no-deps -r requirements-bench.lock
	@touch $@

$(MUTANTS_STAMP): requirements-mutants.lock $(STAMP)
	@$(PIP) install -q --no-deps -r requirements-mutants.lock
	@touch $@

# Resolve requirements.in in a fresh environment. Its headings become the lock's; the rest is
# "transitive". What a CUDA build of torch brings is left out, since torch pins it itself: so one
# lock serves machines with and without a GPU.
lock:  ## Renew requirements.lock from requirements.in
	rm -rf .venv-lock
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install -q "$$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' requirements.in)"
	.venv-lock/bin/python -m pip install -q -r requirements.in
	.venv-lock/bin/python -m pip list --format=freeze --exclude pip | \
	    grep -Evi '^(nvidia|cuda|triton)' | sed 's/+.*//' | LC_ALL=C sort -f -t= -k1,1 | \
	    awk "$$GROUP" requirements.in - > requirements.lock.new
	mv requirements.lock.new requirements.lock
	rm -rf .venv-lock

define GROUP
function key(name) { sub(/[=<>!~ ].*/, "", name); gsub(/[-_.]+/, "-", name); return tolower(name) }
NR == FNR && /^# (run|test-and-lint)$$/ { group = $$2; next }
NR == FNR { if (/^[A-Za-z]/) of[key($$1)] = group; next }
{ at = key($$0) in of ? of[key($$0)] : "transitive"; text[at] = text[at] $$0 "\n" }
END {
    print "# Made by `make lock` from requirements.in: do not edit by hand."
    printf "\n# run\n%s\n# test-and-lint\n%s\n# transitive\n%s", \
        text["run"], text["test-and-lint"], text["transitive"]
}
endef
export GROUP

clean:  ## Remove the environment (.venv); results and cached data stay
	rm -rf $(VENV) .venv-lock

help:  ## List the targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14
