"""GPU, driver and device placement: CUDA, cuDNN, NCCL, ROCm."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"

FATAL_IN_DISGUISE = (
    # The words speak of a shortage, but they compare a kernel with the card's build.
    fatal(
        "kernel-exceeds-device",
        When(message=r"out of resources?: .{1,60}required: \d+,? hardware limit: \d+"),
        "A compiled kernel needs more shared memory or registers than this GPU's generation has.",
        "Choose smaller block sizes or fewer stages, a version of the library that knows the card, or another card.",
        since="2026-11-25",
        scope=Scope.DEVICE,
    ),
)

RECOVERABLE_IN_DISGUISE = (
    curable(
        "xpu-memory-shortage",
        When(
            message=r"(?:ze|ur|pi)_(?:result_)?error_out_of_(?:device_memory|resources|host_memory)|level.?zero .{0,80}out of (?:device memory|resources)|xpu out of memory"
        ),
        "The Intel GPU had no free memory at this moment.",
        "Free the device, lower the number of workers on it, or make the model smaller.",
        since="2026-11-26",
        scope=Scope.DEVICE,
    ),
    ambiguous(
        "device-busy-or-unavailable",
        When(
            message=r"busy or unavailable|cudaerrordevice(?:s)?unavailable|cuda_error_device_unavailable"
        ),
        "CUDA gives no access to the device: another process has it for itself, or it is out of order.",
        "Look at nvidia-smi: compute mode, processes, errors (MIG without instances says the same).",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    curable(
        "device-busy",
        When(
            message=any_of(r"""
                # CUDA
                devices? (?:are|is) (?:currently )?(?:busy|in use)|exclusive[- ]process|system not yet initialized
                cudaerrorsystemnotready|cuda error 802|error 802
                # CUDA's multi-process service
                procedural call between the mps server|mps server (?:is )?not ready
                mps (?:client|server) .{0,40}(?:not ready|busy)|cudaerrormpsservernotready|cudaerrormpsmaxclients
                cudaerrormpsconnectionfailed
                # libtpu
                already in use by (?:process|pid)
                # Fabric manager
                fabric ?manager.{0,60}(?:not|start|in progress)
            """),
        ),
        "The device (GPU, TPU) or its service is in use or still starting.",
        "Wait; if it goes on, look at the process that holds the device (nvidia-smi, or the one that the message names), and at "
        "the fabric manager or MPS daemon.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    curable(
        "memory-profiling-disturbed",
        When(message=r"error in memory profiling|initial free memory .{0,60}current free memory"),
        "Another process released device memory while the engine measured it.",
        "Nothing to repair; start engines on one device one after the other.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    curable(
        "process-group-not-formed",
        When(
            message=any_of(r"""
                # Torch's stores
                timed out (?:after .{0,40} )?waiting for clients|store (?:get|wait|set)?.{0,40}timed? ?out|socket timeout
                tcpstore|distnetworkerror|diststoreerror|unable to create process group.{0,60}time
                # NCCL
                failed to recv, got 0 bytes|connection was likely closed|watchdog caught collective operation timeout
                nccl.{0,80}(?:timeout|timed out|connection|remote error|socket)|ncclremoteerror
                # torch elastic
                rendezvous.{0,60}(?:time|closed|fail)
            """),
            unless=r"invalid usage|duplicate gpu|e\.g\.,? socket",
        ),
        "The processes of one model did not find each other in time.",
        "Nothing to repair; look at the other ranks' logs if it goes on.",
        since=_SINCE,
    ),
)

RULES = (
    fatal(
        "cuda-not-there-for-weights",
        When(
            message=any_of(r"""
                attempting to deserialize object on (?:a |an )?(?:cuda|mps|hip|xpu|tpu|npu|xla)
                torch\.cuda\.is_available\(\) is false|don't know how to restore data location
            """)
        ),
        "The weights were saved on a device that this worker does not have.",
        "Load with map_location, or run the model on such a host.",
        since=_SINCE,
    ),
    fatal(
        "dtype-not-on-cpu",
        When(
            message=any_of(r"""
                # torch
                not implemented for 'half'|\"\w+\" not implemented for '\w+'
            """),
        ),
        "An operation of the model does not exist for this type of numbers on this device: mostly float16 on a CPU.",
        "Load the model in float32 (or bfloat16) where it runs on CPU: torch_dtype, model.float(); or run it on a GPU.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "torch-without-cuda",
        When(
            message=any_of(r"""
                # torch
                torch not compiled with|(?:torch|pytorch is) not linked with
                module ['\"]?torch\._c['\"]? has no attribute ['\"]?_cuda|_cuda_setdevice|nccl .{0,20}not (?:built|available)
                doesn't have nccl built in|could not run '.{1,120}' with arguments from the
            """)
        ),
        "The installed build of torch has no support for the device, or no kernel for the operation on it.",
        "Install a torch build for the device (with CUDA or ROCm; a plain pip install can bring the one for CPU), or set the device to cpu.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "library-without-gpu",
        # Asked after torch's own words.
        When(
            message=any_of(r"""
                not compiled with (?:cuda|rocm|gpu|nccl|xpu|mps)|without (?:cuda|gpu) support|isn't built with (?:cuda|gpu)
                compiled without gpu
            """)
        ),
        "The installed build of a library has no support for the GPU.",
        "Install a build of that library with it (its wheel for CUDA or ROCm; a CPU build of torch does not matter here), or set the device to cpu.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    fatal(
        "number-type-not-on-this-card",
        When(
            message=r"bfloat16 is only supported|\bbf16.{0,60}not supported|\bfp8.{0,60}not supported|does not support (?:bfloat16|bf16|fp8)\b"
        ),
        "This GPU's generation cannot compute in the type of numbers that is asked for.",
        "Choose another dtype (half instead of bfloat16, no FP8), or a newer card; the installed software is fine.",
        since="2026-11-26",
        scope=Scope.DEVICE,
    ),
    fatal(
        "no-kernel-image",
        When(
            message=any_of(r"""
                # CUDA
                no kernel image|invalid device function|device kernel image is invalid|cudaerrornokernelimagefordevice
                # torch
                is not compatible with the current pytorch installation
                # nvcc, ptxas, triton
                unsupported gpu architecture|sm_\d+ is not (?:defined|supported)
                ptxas .{0,60}(?:unsupported|not (?:defined|supported)|fatal)|unsupported architecture[: ]+['\"]?(?:sm|compute|gfx)_?\d
                # ROCm
                hiperrornobinaryforgpu
                # Libraries that ask for a generation
                compute capability (?:of )?(?:at least |>=? ?|less(?: than)? |lower(?: than)? |below |under )?\d
                requires? (?:a )?(?:gpu|device)s? with compute capability|only supported on (?:gpus?|devices?) with
                only supports? (?:ampere|hopper|turing) gpus|not supported on this (?:gpu|architecture|device)
            """)
        ),
        "The installed torch or extension has no code for this GPU's generation: the card is too old or too new for it.",
        "Install a build that lists this GPU's compute capability (torch.cuda.get_device_capability), or use another card.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    fatal(
        "parallel-size-exceeds-gpus",
        When(
            message=any_of(r"""
                world size .{0,60}(?:larger|greater|exceeds).{0,40}(?:gpu|device)|tensor parallel size .{0,60}(?:larger|greater|exceeds|more)
                not enough gpus|number of (?:required )?gpus exceeds|required gpus exceeds
            """),
        ),
        "The model is to be spread over more GPUs than this worker sees.",
        "Lower tensor_parallel_size (or the world size), or give the worker more GPUs: parallelLevel in model-config.yaml, "
        "number_of_gpu, CUDA_VISIBLE_DEVICES.",
        since="2026-11-27",
        scope=Scope.DEVICE,
    ),
    fatal(
        "no-such-device",
        When(
            message=any_of(r"""
                # CUDA, torch
                invalid device ordinal|invalid device id|device index must not be|no such cuda device
                no such device\b(?! or address)|cudaerrorinvaliddevice\b|cuda_error_invalid_device
                device_count\(\) (?:is|returned) \d|expected one of cpu, cuda|invalid device string
                device string must not be empty|peer access is not supported
                # Ultralytics
                invalid cuda 'device=
                # Engines
                visible devices? .{0,40}(?:invalid|less)
            """)
        ),
        "The model asks for a GPU that this host does not have.",
        "Correct the device's number in the model's code (properties['gpu_id'] counts within CUDA_VISIBLE_DEVICES), "
        "CUDA_VISIBLE_DEVICES or number_of_gpu.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    fatal(
        "openvino-device-unknown",
        When(message=r"device with .{1,80} name is not registered in the openvino"),
        "OpenVINO has no device of the name that the model asks for.",
        "Write a name that openvino.Core().available_devices lists, in capitals (CPU, GPU, NPU, AUTO); a GPU or NPU needs its driver in the image.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    fatal(
        "driver-changed-under-the-kernel",
        When(message=r"driver/library version mismatch|nvml/rm version mismatch"),
        "The NVIDIA driver was updated and its old kernel module is still loaded, or a container brings another version of the driver's library.",
        "Reboot the host, or unload and load the nvidia kernel modules; in a container, leave the driver's library to the NVIDIA container toolkit.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    fatal(
        "driver-too-old",
        When(
            message=any_of(r"""
                # CUDA
                forward compatibility was attempted|unsupported toolchain|unsupported display driver
                cudaerrorcompatnotsupportedondevice|cudaerrorunsupportedptxversion|cuda error 80[34]\b|error 80[34]:
                # Several
                update your gpu driver|requires? (?:a )?(?:newer )?(?:nvidia |cuda )?driver (?:version )?(?:>=|at least)
            """)
        ),
        "The GPU driver does not fit the installed CUDA libraries.",
        "Update the driver (and reboot after an update), or install a torch built for an older CUDA.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "cuda-library-of-driver-missing",
        When(
            message=any_of(r"""
                # what the driver brings, and a container gets from its runtime
                libcuda\.so\.1 (?:cannot|not)|nvml shared library not found|found no nvidia driver
            """),
            unless=r"\bwaiting\b|\bpool\b|\bpending\b|\blease\b|not (?:yet )?ready",
        ),
        "The NVIDIA driver's own library is not there: the node has no driver, or the container was started without the NVIDIA runtime.",
        "Run nvidia-smi on the node and in the container; start the container with --gpus (or nvidia.com/gpu in the pod's "
        "limits and the device plugin), or run the model on CPU.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "no-driver",
        When(
            message=any_of(r"""
                # CUDA, torch
                no cuda gpus are available|no cuda-capable device|cudaerrornodevice|cuda_error_no_device
                # ROCm
                no hip gpus are available|hip.{0,20}no devices
                # XPU
                no xpu devices
                # VLLM
                failed to infer device type
                # Several
                no nvidia gpus?|no gpus? (?:was |were |is |are )?(?:found|detected|available)|couldn't find a gpu
                unable to find any usable cuda|cuda is required|requires (?:a )?(?:cuda|gpu)|gpu is required|no accelerator (?:is |was )?(?:available|found|device|present)
                device type .{0,40}(?:not available|is not supported)
            """),
            unless=r"\bwaiting\b|\bpool\b|\bpending\b|\blease\b|not (?:yet )?ready",
        ),
        "No GPU is visible to this process.",
        "Look at nvidia-smi in the container and at CUDA_VISIBLE_DEVICES (empty or -1 hides all); give the container a GPU, or run the model on CPU.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
