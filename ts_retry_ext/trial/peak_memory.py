"""How much memory this process has taken at most. Runs in a worker: standard library only."""

from __future__ import annotations

import resource
import sys


def peak_memory() -> int:
    """Return the largest resident size of this process in bytes, of its children none."""
    try:
        # Unlike getrusage's, it starts anew when a program begins: a child of a large process
        # would inherit the size of that.
        with open("/proc/self/status", "rb") as stream:
            for line in stream:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def peak_gpu_memory() -> int | None:
    """Return what torch has reserved at most on all GPUs in bytes, or None where it used none.

    What libraries allocate past torch, and the CUDA context itself, are not in it.
    """
    torch = sys.modules.get("torch")
    try:
        cuda = torch.cuda  # type: ignore[union-attr]
        if not cuda.is_initialized():
            return None
        return sum(int(cuda.max_memory_reserved(i)) for i in range(cuda.device_count()))
    except Exception:
        return None  # No torch, or a broken one, which the load itself has met.
