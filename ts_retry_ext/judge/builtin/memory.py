"""Memory shortage on host and GPU: whether waiting helps is in the numbers."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

#: Words of a memory shortage on a device.
GPU_SHORTAGE = any_of(r"""
    # torch
    cuda out of memory|hip out of memory|mps backend out of memory|xpu out of memory|out of memory\b
    cuda error: out of memory
    # CUDA's runtime and driver
    cudaerrormemoryallocation|cuda_error_out_of_memory|cuda failure 2\b|cuda error 2\b
    # CuBLAS, cuDNN, cuSPARSE
    cublas_status_alloc_failed|cudnn_status_alloc_failed|cusparse_status_alloc_failed
    cudnn_status_internal_error_device_allocation_failed
    # ONNX Runtime
    failed to allocate memory for requested buffer
""")

FATAL_IN_DISGUISE = (
    fatal(
        "memory-request-impossible",
        When(memory="request_is_impossible", message=r"alloc|mmap"),
        "One piece of memory was asked for that no host has: a wrong shape, or a damaged file.",
        "Look at the shapes in the model's code and configuration, and at the file the sizes are read from.",
        since=_SINCE,
    ),
    fatal(
        "gpu-request-exceeds-card",
        When(memory="request_exceeds_total", message=r"alloc|memory"),
        "One request for device memory is larger than the whole device.",
        "Load the model in a smaller dtype, shard it, or use a device with more memory.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    fatal(
        "gpu-model-exceeds-card",
        When(memory="own_use_exceeds_total", message=r"out of memory|tried to allocate"),
        "What this worker holds and what it asks for do not fit the device even when it is empty.",
        "Load the model in a smaller dtype, shard it, lower the batch or context size, or use a "
        "device with more memory.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
)

RULES = (
    ambiguous(
        "host-request-huge",
        When(
            memory="request_is_huge",
            message=r"can't allocate memory|cannot allocate memory|unable to (?:allocate .{0,40}for an array|mmap)|requested buffer of size",
        ),
        "One piece of memory was asked for that many hosts do not have at all.",
        "Compare it with the memory of the host and the limit of the container; look for a wrong shape.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "gpu-memory-numbers-contradict",
        When(memory="request_is_less_than_free", message=r"out of memory"),
        "More memory was free than was asked for: it was fragmented, or changed at that moment.",
        "Look at what else runs on the device; set PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True, "
        "or make the model smaller, if it goes on.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    ambiguous(
        "gpu-memory-held-mostly-here",
        When(memory="held_mostly_here", message=r"out of memory"),
        "Most of the device's memory is held by this worker itself, the rest by others.",
        "Make the model smaller, or free the device of everything else.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    ambiguous(
        "gpu-memory-share-nearly-free",
        When(
            memory="nearly_enough_free", message=r"free memory on device .{0,120}less than desired"
        ),
        "Very little is missing to the configured share of the device: the driver's own use can be it.",
        "Lower the configured share a little (gpu_memory_utilization), or free the device.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    curable(
        "gpu-memory-held-by-others",
        When(memory="held_by_others", message=GPU_SHORTAGE + r"|free memory on device"),
        "The device has the memory, but other processes hold it now.",
        "Wait for the other processes, give the model its own device, or lower its share.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    curable(
        "gpu-memory-shortage",
        When(message=GPU_SHORTAGE, unless=r"defaultcpuallocator|shared memory|oom-?killed"),
        "The device had no free memory at this moment.",
        "Free the device, lower the number of workers on it, or make the model smaller.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    curable(
        "gpu-memory-low-at-start",
        When(
            message=any_of(r"""
                free memory on device .{0,120}less than desired|memory profiling .{0,80}initial free memory
                not enough (?:gpu |free )?memory (?:available )?on (?:device|gpu)
            """),
        ),
        "The device had less free memory at start-up than the model is configured to take.",
        "Wait until other processes let go of the device, or lower the configured share.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    fatal(
        "kv-cache-does-not-fit",
        When(
            message=r"max(?:imum)? (?:seq|model) len.{0,80}is larger than the maximum number of tokens"
            r"|kv cache is needed, which is larger than the available"
        ),
        "The model's context length needs a larger key-value cache than the device has room for.",
        "Lower max_model_len, raise the memory share of the engine, or use a larger device.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    ambiguous(
        "kv-cache-without-room",
        When(message=r"no available memory for the cache blocks"),
        "The engine found no device memory for its key-value cache; others may hold it.",
        "Raise the memory share of the engine, lower max_model_len, or free the device.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    curable(
        "shared-memory-not-mappable",
        # torch's segments of shared memory are called so.
        When(errno=("ENOMEM",), message=r"file </?torch_\d"),
        "The host refused to map a piece of shared memory for torch: its memory or /dev/shm is used up at this moment, or a limit is low.",
        "Look at the memory limit of the container and the size of /dev/shm (--shm-size), and at what else runs on the host; "
        "num_workers=0 needs none.",
        since="2026-11-27",
    ),
    curable(
        "host-memory-shortage",
        When(
            errno=("ENOMEM",),
        ),
        "The host refused memory at this moment.",
        "Look at what else runs on the host, and at the memory limit of the container.",
        since=_SINCE,
    ),
    curable(
        "host-memory-shortage-text",
        When(
            message=any_of(r"""
                cannot allocate memory|can't allocate memory|not enough memory: you tried|std::bad_alloc
                unable to allocate .{0,40}for an array|failed to allocate memory|insufficient (?:system )?memory
            """)
        ),
        "The host had no memory for the model at this moment.",
        "Look at what else runs on the host, and at the memory limit of the container.",
        since=_SINCE,
    ),
    ambiguous(
        "shared-memory-shortage",
        When(
            message=r"shared memory.{0,60}(?:shm|insufficient|limit)|bus error.{0,60}shared memory"
        ),
        "Shared memory (/dev/shm) is full or too small.",
        "Give the container a larger /dev/shm (--shm-size).",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)

FALLBACKS = (
    curable(
        "memory-error",
        When(type=("MemoryError",), unless=r"can't be bigger|negative"),
        "The host had no memory for the model at this moment.",
        "Look at what else runs on the host, and at the memory limit of the container.",
        since=_SINCE,
    ),
)
