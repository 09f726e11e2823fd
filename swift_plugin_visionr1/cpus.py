"""How many processors this process may use."""

import os
from pathlib import Path

CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds in each period


def usable_cpus() -> int:
    """The CPUs that the scheduler (taskset, Slurm) and the container (docker --cpus) allow."""
    has_affinity = hasattr(os, "sched_getaffinity")  # not on macOS and Windows
    count = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    try:
        quota, period = CPU_LIMIT.read_text().split()
        return max(min(count, round(int(quota) / int(period))), 1)
    except (OSError, ValueError):  # no container, or "max"
        return count
