"""Versions of packages that do not fit, and extensions that cannot be compiled here."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.builtin.words import ENVIRONMENT_TYPES
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

#: What a build says of a passing state.
_BUILD_PASSES = r"opening build log|build\.ninja|file truncated|file is truncated|killed|virtual memory exhausted"

RULES = (
    fatal(
        "package-metadata-missing",
        # The standard library, importlib
        When(type=("PackageNotFoundError",), message=r"no package metadata was found for"),
        "A package is asked for its version, and its metadata (the folder .dist-info) is not there: it is not installed, or was copied without it.",
        "Install the package that the message names anew with pip; if it is bundled (PyInstaller, a copied folder), bring its metadata along.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "version-conflict",
        When(
            type=(
                "VersionConflict",
                "DistributionNotFound",
                "PackageNotFoundError",
                "ResolutionImpossible",
                "ContextualVersionConflict",
                "UnknownExtra",
                "InvalidVersion",
            )
        ),
        "A package that another one needs is missing or of the wrong version.",
        "Install the versions that the message asks for.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "driver-too-old-for-torch",
        When(
            message=any_of(r"""
                driver on your system is too old|cuda driver version is insufficient|cudaerrorinsufficientdriver
            """),
        ),
        "The NVIDIA driver of the node is too old for the CUDA that the installed torch or library was built with.",
        "Update the driver on the node (nvidia-smi shows it and the newest CUDA that it can run), or install a build for an "
        "older CUDA (torch from download.pytorch.org/whl/cuXXX); nothing in the container brings the driver.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "keras-reads-no-saved-model",
        When(
            message=any_of(r"""
                keras 3 only supports
            """),
            unless=r"does not recognize this architecture",
        ),
        "Keras 3 does not read a SavedModel, or a file of this kind, with load_model.",
        "Save the model as .keras (or .h5) with the Keras that made it; load a SavedModel with keras.layers.TFSMLayer(path, "
        "call_endpoint='serving_default'), or install tf-keras and set TF_USE_LEGACY_KERAS=1.",
        since="2026-11-27",
    ),
    fatal(
        "keras-2-asked-for",
        When(
            message=any_of(r"""
                keras 3|tf-keras
            """),
            unless=r"does not recognize this architecture",
        ),
        "The code needs Keras 2, and Keras 3 is installed.",
        "Install tf-keras and set TF_USE_LEGACY_KERAS=1 for TorchServe's process (transformers asks for it so), or a TensorFlow before 2.16.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "numba-cannot-cache",
        When(
            message=any_of(r"""
                cannot cache function .{1,100}no locator available
            """),
            unless=r"does not recognize this architecture",
        ),
        "numba may not write its compiled functions where it wants to keep them.",
        "Set NUMBA_CACHE_DIR to a directory that the user of TorchServe may write.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "version-conflict-text",
        When(
            message=any_of(r"""
                # Transformers' check of versions
                is required for a normal functioning of this module
                requires? (?:pytorch|torch|transformers|python|numpy|cuda|tensorflow|protobuf|pydantic|accelerate|tokenizers|vllm|ray|triton|onnx\w*| \
                scikit-learn|pandas|\w+)(?: version)? ?(?:>=|==|<=|<|>|~=|!=)
                (?:>=|==|<=|~=|!=)\d[\w.]* is required|but (?:found|you have|installed|version) .{0,40}[=<> ]v?\d+\.\d+\.\d
                # pkg_resources
                distribution was not found and is required
                # Several
                is used but incompatible|\bneeds (?:numpy|python|torch|pandas|cuda|protobuf) \d
                update (?:transformers|your (?:transformers|torch|pytorch|tensorflow|numpy|cuda|driver|python))
                upgrade (?:to (?:torch|transformers|python|version \d)|transformers|torch|pytorch)
                (?:was|has been) removed in (?:\w+ ){0,3}v?\d
            """),
            unless=r"does not recognize this architecture",
        ),
        "Installed versions do not fit each other or the model.",
        "Install the version that the message asks for; if it names the one in which something was removed, change the model's code to what that version has, "
        "or install an older one.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "dataset-scripts-gone",
        # datasets 4
        When(message=r"dataset scripts are no longer supported"),
        "The installed datasets runs no scripts of datasets any more; version 4 took that away.",
        "Install datasets below 4, or convert the dataset to Parquet and load that.",
        since="2026-11-27",
    ),
    fatal(
        "version-conflict-by-words",
        When(
            type=(
                "ImportError",
                "AttributeError",
                "RuntimeError",
                "ValueError",
                "TypeError",
                "NotImplementedError",
            ),
            phase=(Phase.STARTUP, Phase.IMPORT, Phase.CONSTRUCT, Phase.INITIALIZE),
            message=any_of(r"""
                version .{1,40} is (?:too old|too new|not supported|incompatible|required)|minimum (?:required )?version
                this version of .{1,60} (?:requires|is not|only)|incompatible versions?|needs? (?:to be )?(?:at least )?version
                no longer supported|has been (?:removed|deprecated and removed)|was removed in|upgrade (?:to|your)|update your
            """),
            unless_type=ENVIRONMENT_TYPES,
            unless=r"\bserver|\bclient|protocol|\bapi\b|broker|cluster|gateway|firmware|\bagent|connect|request|database|retry",
        ),
        "Installed versions do not fit each other or the model.",
        "Install the version that the message asks for; if it names none, a version of {package|the library} from before the change that it speaks "
        "of, or change the model's code.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    ambiguous(
        "extension-not-built-unexplained",
        When(message=r"^error building extension ['\"`]?[^'\"`]{1,200}['\"`]?\W{0,3}$"),
        "An extension could not be built, and the compiler's own words are not in the text.",
        "Look above this one in the model log for what the compiler or ninja said.",
        since="2026-11-25",
        scope=Scope.HOST,
    ),
    fatal(
        "cuda-toolkit-missing",
        When(
            message=any_of(r"""
                cuda_home environment variable is not set|cuda_home does not exist|nvcc (?:not found|was not found)|unable to find nvcc
                could not find (?:a )?cuda compiler
            """),
            unless=_BUILD_PASSES,
        ),
        "An extension has to be compiled at load time, and the CUDA toolkit (nvcc) is not found: CUDA_HOME points to none.",
        "Use an image with the toolkit (nvidia/cuda:…-devel, of the version of torch.version.cuda) and set CUDA_HOME to it, or "
        "install a wheel that has the extension compiled; the driver and torch do not bring nvcc.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "compiler-missing",
        When(
            message=any_of(r"""
                failed to find c compiler|unable to find (?:vcvarsall|a c\+\+ compiler)|no (?:working )?c\+\+ compiler|could not find (?:a )?(?:c\+\+|c) compiler
                command '?\[?'?(?:gcc|cc|c\+\+|g\+\+)\b.{0,300}(?:no such file|not found)|cc1plus|invalidcxxcompiler
            """),
            unless=_BUILD_PASSES,
        ),
        "An extension or a kernel has to be compiled at load time, and this image has no C or C++ compiler.",
        "Install it (apt-get install build-essential) and set CC if it has another name; without a compiler, turn torch.compile "
        "and triton off, or install a wheel that is compiled.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "headers-missing",
        When(
            message=any_of(r"""
                python\.h: no such file|cannot find -l\w+
            """),
            unless=_BUILD_PASSES,
        ),
        "An extension has to be compiled at load time, and headers or a library for it are not installed.",
        "Install them (Python.h: apt-get install python3-dev; -lX: the -dev package of that library), or build the extension beforehand.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "extension-not-built",
        When(
            message=any_of(r"""
                # torch.utils.cpp_extension
                error building extension|ninja is required
                unable to compile (?:cuda|cpp)
                # triton
                cannot find a working triton installation
                # inductor
                inductor.{0,60}compiler
                # Compilers and linkers
                command '?\[?'?(?:gcc|cc|c\+\+|g\+\+|nvcc|ninja)\b.{0,300}(?:non-zero|no such file|not found)
            """),
            unless=_BUILD_PASSES,
        ),
        "An extension has to be compiled at load time, and that is not possible here.",
        "Read what the compiler says above this one in the model log; or build the extension beforehand, in an image with the "
        "compiler, Python's headers and the CUDA toolkit of torch.version.cuda.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
