"""Faults that a GPU or its driver reports by itself."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"

RULES = (
    fatal(
        "gpu-lost",
        When(
            message=r"gpu (?:is lost|has fallen off the bus)|reboot the system to recover this gpu"
        ),
        "The driver has lost the GPU; only a reset of the device or a reboot brings it back.",
        "Look at dmesg for the Xid line, drain the host and reboot it.",
        since="2026-11-25",
        scope=Scope.DEVICE,
    ),
    ambiguous(
        "cuda-not-available-unexplained",
        When(message=r"\bcuda (?:(?:is|was) not|isn't) available\b|\bcuda is unavailable\b"),
        "The code asked whether CUDA is there and was told no; why it is not was lost: a driver that starts (error 802) says the same.",
        "Look at nvidia-smi on this host, and above this one in the model log for torch's own warning.",
        since="2026-11-25",
        scope=Scope.HOST,
    ),
    ambiguous(
        "nccl-transport-failed",
        When(
            message=r"unhandled system error|ncclsystemerror|ncclinternalerror|nccl (?:error|warn).{0,200}(?:shm|shared memory|socket|interface|ib_)"
        ),
        "NCCL could not set up its way between the processes: shared memory is too small, or a network interface is wrong or away.",
        "Set NCCL_DEBUG=INFO and read its last WARN; give the container a larger /dev/shm (--shm-size), or name the interface "
        "with NCCL_SOCKET_IFNAME.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    ambiguous(
        "device-xid",
        When(message=r"\bxid\b.{0,20}\d{1,3}|nvrm: "),
        "The driver reported an Xid error: its number says whether the program, the card or the driver is at fault.",
        "Look the number up in NVIDIA's table of Xid errors, and see dmesg for the device; 48, 63, 64, 74, 79, 94 and 95 speak for the card.",
        since="2026-11-26",
        scope=Scope.DEVICE,
    ),
    ambiguous(
        "nvml-trouble",
        When(
            message=r"driver not loaded|nvmlerror_(?:unknown|driver_?not_?loaded|timeout|gpu_?is_?lost|irq|in_?use)|nvml: (?:unknown error|driver not loaded)|failed to initialize nvml: unknown"
        ),
        "The driver's management library gives no answer: the driver is not loaded yet, or the container lost its devices.",
        "Run nvidia-smi on the host and in the container; after a reload of systemd or a driver update the container has to be started anew.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    ambiguous(
        "xpu-fault",
        When(
            message=r"ze_result_error_\w+|ur_result_error\w*|level.?zero .{0,80}(?:error|fail)|native api (?:failed|error)|\boneapi .{0,60}error|pi_error_\w+"
        ),
        "The driver of the Intel GPU (Level Zero) gave an error that says nothing of its cause.",
        "Run sycl-ls and xpu-smi on this host; look at the driver's version and at who else uses the device.",
        since="2026-11-26",
        scope=Scope.DEVICE,
    ),
    ambiguous(
        "gpu-memory-defect",
        When(
            message=any_of(r"""
                uncorrectable ecc|cudaerroreccuncorrectable|cuda_error_ecc_uncorrectable|row remap
            """),
        ),
        "The GPU found an error in its own memory that it could not correct (ECC): the card is defective, or needs a reset so "
        "that it maps the rows out.",
        "Look at nvidia-smi -q -d ECC,ROW_REMAPPER and at dmesg (Xid 48, 63, 64, 94, 95); drain the node and reset the GPU, and "
        "have the card replaced if it comes back.",
        since="2026-11-27",
        scope=Scope.DEVICE,
    ),
    ambiguous(
        "cuda-not-initialized",
        When(
            message=any_of(r"""
                cuda unknown error|cuda error: (?:initialization error|unknown error)
            """),
        ),
        "CUDA could not be initialized in this process: no fault of the card is reported.",
        "Run nvidia-smi on the node and in the container; look whether the module nvidia_uvm is loaded and /dev/nvidia-uvm is "
        "there (nvidia-modprobe -u), at the container's runtime, at CUDA_VISIBLE_DEVICES, and for a fork after CUDA was used.",
        since="2026-11-27",
        scope=Scope.DEVICE,
    ),
    ambiguous(
        "index-out-of-range-on-device",
        When(
            message=any_of(r"""
                device-side assert
            """),
        ),
        "A kernel on the GPU met a value that must not be: mostly an index (a label, a token) beyond its table.",
        "Run the same input on CPU, where the message names the operation, or set CUDA_LAUNCH_BLOCKING=1; compare the "
        "vocabulary of tokenizer and model, and the number of classes.",
        since="2026-11-27",
        scope=Scope.DEVICE,
    ),
    ambiguous(
        "cuda-library-not-ready",
        When(
            message=any_of(r"""
                cublas_status_not_initialized|cudnn_status_not_initialized
            """),
        ),
        "cuBLAS or cuDNN could not set itself up on the device: mostly no device memory was left for it, or its version does not fit the driver.",
        "Look at the memory that others hold (nvidia-smi); let fewer workers use the device, and compare the versions of torch "
        "and the nvidia-* wheels.",
        since="2026-11-27",
        scope=Scope.DEVICE,
    ),
    ambiguous(
        "rocm-fault",
        When(
            message=any_of(r"""
                miopen|hsa_status_error
            """),
        ),
        "ROCm (MIOpen, HSA) reported a fault that says nothing of its cause.",
        "Look at dmesg for amdgpu lines, at rocm-smi and at rocminfo; a kernel that MIOpen compiles needs a cache that can be "
        "written (MIOPEN_USER_DB_PATH).",
        since="2026-11-27",
        scope=Scope.DEVICE,
    ),
    ambiguous(
        "device-fault",
        When(
            message=any_of(r"""
                # CUDA
                illegal memory access|unspecified launch failure|illegal instruction|misaligned address
                launch timed out|hardware stack error
                cuda error: (?:operation not (?:permitted|supported)|invalid argument|invalid resource handle)
                # CuDNN, cuBLAS
                cudnn_status_(?:execution_failed|internal_error|mapping_error|bad_param)
                cublas_status_(?:execution_failed|internal_error|invalid_value)
                # NCCL
                unhandled cuda error|ncclunhandledcudaerror
            """)
        ),
        "The GPU reported a fault that says nothing of its cause.",
        "Look at dmesg for Xid lines and at what else runs on the device; CUDA_LAUNCH_BLOCKING=1 shows the call.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
)
