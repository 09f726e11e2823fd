"""Options for running vLLM on a CPU, and whether it is installed."""

from importlib import metadata

import pytest

OFFLINE = {"USE_HF": "1", "HF_HUB_OFFLINE": "1"}
ON_CPU = {"VLLM_CPU_KVCACHE_SPACE": "1", "ONEDNN_MAX_CPU_ISA": "AVX2"}  # GiB of RAM
ENGINE = {
    "vllm_max_model_len": 1024,
    "vllm_enforce_eager": "true",
    "vllm_gpu_memory_utilization": 0.2,
}  # of RAM


def has_vllm_for_cpus() -> bool:
    """Whether this is the environment of `make test-vllm`."""
    try:
        return bool(metadata.version("vllm-cpu"))
    except metadata.PackageNotFoundError:
        return False


needs_vllm = pytest.mark.skipif(
    not has_vllm_for_cpus(), reason="needs vLLM for CPUs: make test-vllm"
)


def flags(**options: object) -> list[str]:
    """Options as words of a command line."""
    return [str(word) for name, value in options.items() for word in (f"--{name}", value)]
