"""Other formats of a model's files: ONNX, TensorRT, tokenizers, quantised weights, Keras."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.builtin.weights import DOWNLOADERS
from ts_retry_ext.judge.damaged_file import WEIGHTS
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

ABOUT_WEIGHTS = True
_SINCE = "2026-11-23"

#: What onnxruntime says of a passing trouble of device, memory or file system.
_ONNX_PASSES = r"cuda failure|bfcarena|failed to allocate|out of memory|system error number (?:5|11|12|16|23|24|116)\b"

RULES = (
    ambiguous(
        "onnx-file-in-shared-place",
        When(
            message=r"\[onnxruntimeerror\].{0,600}(?:no_suchfile|file doesn't exist|system error number)",
            path="shared",
            unless=r"/models/[0-9a-f]{32}/",
        ),
        "An ONNX file is not there, or cannot be read, in a place that something else fills: a mount, a cache.",
        "Look at what fills it, and at the mount; correct the path if nothing does.",
        since="2026-11-25",
        scope=Scope.HOST,
    ),
    fatal(
        "onnx-providers-not-there",
        When(
            message=any_of(r"""
                since ort 1\.9, you are required to explicitly set the providers|onnx ?runtime.{0,60}providers explicitly
                specified provider '.{1,60}' is (?:unavailable|not in available provider names)
            """)
        ),
        "The code names no execution provider, or one that this build of onnxruntime lacks.",
        "Pass providers=onnxruntime.get_available_providers() to InferenceSession, or install the build that has the provider (onnxruntime-gpu).",
        since="2026-11-26",
    ),
    fatal(
        "onnx-input-does-not-fit",
        When(
            message=any_of(r"""
                \[onnxruntimeerror\] : 2 : invalid_argument : (?:got invalid dimensions for input|unexpected input data type|invalid rank for input)
                \[onnxruntimeerror\] : 2 : invalid_argument : (?:missing input|invalid (?:feed )?input name)|required inputs \(.{0,300}are missing from input feed
            """)
        ),
        "The input that the handler tries at load time does not fit the ONNX model.",
        "Correct the sample input: names, shapes and types are those of session.get_inputs().",
        since="2026-11-26",
    ),
    fatal(
        "onnx-file-damaged",
        When(
            message=any_of(r"""
                # ONNX Runtime
                \[onnxruntimeerror\] : 7[ ]|invalid_protobuf|failed:protobuf parsing failed|external initializer: .{1,200} out of bounds
                # onnx
                unable to parse proto from file
            """)
        ),
        "The ONNX file is cut or damaged, or is no ONNX file.",
        "Pack the whole file again (external data too), and compare sizes or checksums.",
        since="2026-11-26",
        damaged_file=WEIGHTS,
    ),
    fatal(
        "onnx-newer-than-the-runtime",
        When(
            message=any_of(r"""
                # the IR version of the file; the opset is another number
                unsupported model ir version|opset \d+ is under development
            """),
            unless=_ONNX_PASSES,
        ),
        "The ONNX file is written in a newer format than the installed onnxruntime reads; the message has both versions.",
        "Update onnxruntime, or write the file again with the older format (onnx.save after model.ir_version = the highest that "
        "the message allows, or an older onnx or opset_version in the export).",
        since="2026-11-27",
    ),
    fatal(
        "onnx-operator-unknown",
        When(
            message=any_of(r"""
                is not a registered function/op|no op registered for|could not find an implementation for
            """),
            unless=_ONNX_PASSES,
        ),
        "The ONNX model has an operator that the installed runtime does not have: of a newer opset, of another domain, or not "
        "for this device and type.",
        "Update onnxruntime, export with a lower opset_version, or register the library of custom operators "
        "(SessionOptions.register_custom_ops_library).",
        since="2026-11-27",
    ),
    fatal(
        "onnx-file-not-there",
        When(
            message=any_of(r"""
                \[onnxruntimeerror\].{0,600}no_suchfile|onnx model .{0,60}(?:does not|not) exist
            """),
            unless=_ONNX_PASSES,
        ),
        "The ONNX file, or its external data, is not at {path|the path}.",
        "Pack the whole model: the .onnx file and every file of external data beside it (--extra-files), and load it by its "
        "path in the model's directory.",
        since="2026-11-27",
    ),
    fatal(
        "onnx-unloadable",
        When(
            message=any_of(r"""
                # ONNX Runtime
                \[onnxruntimeerror\] : (?:2|8|9|10|11)[ ]
                \[onnxruntimeerror\] : (?:1) : fail : .{0,200}(?:load model|type error|fatal error|not a registered|invalid|unsupported)
                invalid_graph|no_suchfile|protobuf parsing failed
                failed to load model with error
                # onnx
                onnx\.onnx_cpp2py_export\.checker|model_proto
            """),
            unless=_ONNX_PASSES,
        ),
        "The installed onnxruntime refuses the ONNX model; the message says why behind the number.",
        "Look at what the message names; onnx.checker.check_model(path) tells whether the file itself is right, and "
        "onnxruntime.__version__ what reads it. Export it again for that version.",
        since=_SINCE,
    ),
    fatal(
        "tensorrt-engine-for-another-gpu",
        When(
            message=any_of(r"""
                generated on an incompatible device|engine (?:plan )?(?:file|is) (?:is )?(?:not compatible with|generated|built|incompatible with).{0,40}(?:gpu|device|compute|hardware)
            """),
        ),
        "The TensorRT engine was built on another kind of GPU than the one that it is loaded on.",
        "Build the engine on this kind of GPU, run the model on the kind that it was built on, or build it with hardware "
        "compatibility (ampere_plus).",
        since="2026-11-27",
    ),
    fatal(
        "tensorrt-engine-unfit",
        When(
            message=any_of(r"""
                # TensorRT
                serialization assertion .{0,120}failed|magictag
                engine (?:plan )?(?:file|is) (?:is )?(?:not compatible with|generated|built|incompatible with).{0,40}(?:version|tensorrt|gpu|device|platform|compute|hardware)|deserializecudaengine
                different version of tensorrt|expecting library version .{0,40}got|generated on an incompatible device
                engine deserialization failed|could not deserialize
                # torch
                stdarchivereader
            """)
        ),
        "The TensorRT engine was built by another version of TensorRT than the installed one, or its file is none.",
        "Build the engine with the installed TensorRT (tensorrt.__version__), install the version that built it, or build it "
        "with version compatibility; compare the file's size with that of its source.",
        since=_SINCE,
    ),
    ambiguous(
        "tensorrt-gave-no-engine",
        When(
            type=("AttributeError",),
            # What TensorRT's ICudaEngine has: deserialize_cuda_engine gave None and logged why.
            message=r"^'nonetype' object has no attribute '(?:create_execution_context|num_io_tensors|num_bindings|get_tensor_\w+|get_binding_\w+)'",
        ),
        "TensorRT gave no engine: it was built for another version or GPU, the file is cut, or the device had no memory.",
        "Look above this one in the model log for TensorRT's own line; build the engine with the installed TensorRT on this GPU.",
        since="2026-11-26",
        scope=Scope.DEVICE,
    ),
    fatal(
        "faiss-index-of-another-kind",
        When(
            # A page ('<', '{') may be fetched anew, and zeros may still be written.
            message=r"faiss::.{1,400}index type 0x\w{1,8} \(['\"](?![<{\[\\]).{1,16}\) not recognized",
            unless_frame=DOWNLOADERS,
        ),
        "The file is no index that the installed faiss knows: 'vers' begins a Git LFS pointer, other letters an index of a newer faiss.",
        "Fetch the real file (git lfs pull) and pack the archive again, or update faiss.",
        since="2026-11-26",
        damaged_file=WEIGHTS,
    ),
    ambiguous(
        "faiss-index-not-read",
        When(
            message=r"faiss::.{1,400}(?:index type 0x\w{1,8}.{0,24} not recognized|read error in .{1,400} \(success\))",
        ),
        "The index of faiss is cut, empty or no index: in a shared place it may still be being written.",
        "Compare size and checksum of {path|the file}; look at what fetches or writes it, or pack it again.",
        since="2026-11-26",
    ),
)
