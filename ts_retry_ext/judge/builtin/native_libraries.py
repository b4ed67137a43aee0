"""Shared libraries, binary interfaces and versions of what is installed."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.builtin.words import ENVIRONMENT_TYPES
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

#: What the dynamic loader says of a passing trouble of the file system or the host.
_PASSING = any_of(r"""
    stale (?:nfs )?file|too many open|input/output error|resource temporarily|text file busy|interrupted system
    paging files? (?:is|are) too small|open shared object file: cannot allocate
    failed to map segment from shared object: cannot allocate
""")

FATAL_IN_DISGUISE = (
    fatal(
        "static-tls-exhausted",
        When(message=r"cannot allocate memory in static tls block"),
        "A shared library was loaded too late for its thread-local storage.",
        "Import it first, or name it in LD_PRELOAD.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "shared-library-missing-on-a-mount",
        When(
            message=r"(?:^|['\" ])/\S{1,300}: cannot open shared object file: no such file",
            path="shared",
            unless=r"/models/[0-9a-f]{32}/|site-packages|dist-packages",
        ),
        "A shared library is not there, in a place that something else fills: a mount, a cache.",
        "Look at what fills it; correct the path if nothing does.",
        since="2026-11-25",
        scope=Scope.HOST,
    ),
    fatal(
        "shared-library-missing",
        When(
            message=any_of(r"""
                # glibc's loader
                cannot open shared object file: no such file|cannot open shared object file$
                # musl's loader
                error loading shared library
                # dyld on macOS
                dlopen\(.{0,300}image not found|library not loaded|symbol not found in flat namespace|\.dylib.{0,20}no such file
                # Windows
                the specified module could not be found|dll load failed
                # CUDA's libraries, named
                could not find (?:the )?(?:libcuda|libcudart|libcudnn|libcublas|libnvrtc|libnccl|libgomp|library lib)
                required cuda (?:runtime )?librar
                (?:libcudart|libcudnn|libcublas|libnvrtc|libnvinfer|libonnxruntime|libtorch\w*)[\w.]* not found
                # Packages that load a library themselves
                failed to load (?:dynlib|dll|shared library)
                lib[\w.+\-]{2,60}\.so[\w.]{0,20}:? (?:cannot open|(?:cannot|not) (?:be )?found|is missing)
                could not load (?:dynamic |this )?library|could not find/load shared object
                unable to load (?:dynamic |shared )?library|failed to load libgl|could not (?:load|find) .{0,80}ffmpeg libraries
                no such file: lib[\w]+\.so
            """),
            unless=_PASSING,
        ),
        "A shared library that a package needs is not installed.",
        "Install what holds {library|it} (for a library of CUDA the torch build or nvidia-* wheel that brings it), or add its directory to LD_LIBRARY_PATH.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)

RECOVERABLE_IN_DISGUISE = (
    curable(
        "build-directory-shared",
        When(
            message=any_of(r"""
                ninja: error: (?:opening build log|loading 'build\.ninja'|build\.ninja:\d|failed recompaction|rebuilding 'build\.ninja')
                opening build log|file not recognized: file (?:is )?truncated
            """)
        ),
        "Two processes built an extension in the same directory at the same moment.",
        "Give each worker its own TORCH_EXTENSIONS_DIR, or build extensions beforehand, if it goes on.",
        since="2026-11-25",
    ),
    curable(
        "compiler-killed",
        When(
            message=r"killed signal terminated program|c\+\+: fatal error: killed|internal compiler error: killed|virtual memory exhausted"
        ),
        "The compiler was killed while it built an extension; mostly the host was short of memory.",
        "Build extensions beforehand, or lower MAX_JOBS.",
        since=_SINCE,
    ),
)

RULES = (
    fatal(
        "cuda-toolkit-of-another-version",
        When(
            message=any_of(r"""
                # torch.utils.cpp_extension
                the detected cuda version \(.{1,20}\) mismatch(?:es|ed) the version that was used to compile
                # DeepSpeed, apex
                installed cuda version .{1,20} does not match the version torch was compiled with
                cuda extensions are being compiled with a version of cuda that does not match
            """)
        ),
        "An extension is compiled at load time, and the CUDA toolkit here is of another version than the one torch was built with.",
        "Use an image whose CUDA toolkit has the version of torch.version.cuda (or point CUDA_HOME to such a one), or build the extension beforehand.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    fatal(
        "bitsandbytes-without-cuda",
        When(
            message=any_of(r"""
                # bitsandbytes
                cuda setup failed despite|cuda setup: (?:something unexpected|problem)
                (?:configured|bitsandbytes) cuda binary not found|8-bit optimizer is not available on your device
                bitsandbytes library load error|native code is required .{0,80}bitsandbytes
                failed to load (?:the )?(?:native )?bitsandbytes
                # transformers
                (?:no gpu found\. )?a gpu is needed for quantization
            """)
        ),
        "bitsandbytes finds no CUDA libraries that fit it.",
        "Install a bitsandbytes for this CUDA, and put its libraries on LD_LIBRARY_PATH; python -m bitsandbytes shows what is missing.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "library-version-too-old",
        When(
            message=any_of(r"""
                version [`'\"]?(?:glibc|glibcxx|cxxabi|gomp|libcublas|libnv\w+|openssl|libcu\w+|libcudnn)[\w.]*['\"`]? not found
                (?:glibcxx|cxxabi|glibc)_[\d.]+['\"`]? not found|glibcxx_\d|cxxabi_\d|glibc_\d
            """)
        ),
        "A package was built for a newer system library than this host has.",
        "Use a newer base image, or a build of the package for this one.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "abi-mismatch",
        When(
            message=any_of(r"""
                # Loaders
                undefined symbol|relocating .{1,200}: symbol not found|symbol not found: __zn\w+|expected in:[ ](?:/|flat|<)|flat namespace
                # CuDNN
                cudnn version incompatibility
                # CPython's byte code
                ^unknown opcode
                # NumPy
                \.dtype size changed|\.ndarray size changed|size changed, may indicate binary incompatibility
                _array_api not found|module compiled against a[bp]i|compiled using numpy 1\.x|multiarray failed to import
                numpy\.core\.umath failed|numpy is not available|importing the numpy c-extensions failed
                # torch and its extensions
                operator torchvision::nms does not exist|(?:couldn't|could not) load custom c\+\+ ops
                (?:torchvision and pytorch|pytorch and torchvision) (?:have|were|major)
                compiled with (?:a )?different (?:cuda|version)|cuda version.{0,60}mismatch
                detected that pytorch and (?:torchvision|torchaudio|\w+) were compiled with different
                different cuda (?:major )?versions
                built (?:with|against|for) (?:a )?(?:different|another|older|newer|torch|pytorch|cuda|numpy)
                abi (?:version )?mismatch|incompatible (?:abi|version of)|class \w+ already registered
                only a single torch_library|tried to register .{0,60}(?:multiple|twice)
                # protobuf
                couldn't build proto file into descriptor pool|is already defined in file|conflicting .{0,60}descriptor pool
                descriptors cannot (?:not )?be created directly|duplicate file name .{0,80}proto
                already exists in the (?:descriptor )?pool
            """)
        ),
        "A compiled package does not fit another one: they were built against different versions.",
        "Install versions built for each other (torch with its extensions, numpy below 2, protobuf).",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "library-cut-in-shared-place",
        When(
            message=r"files? too short|invalid elf headers?",
            path="shared",
            unless=r"site-packages|dist-packages",
        ),
        "A compiled file in a shared place is cut: it may still be being copied there.",
        "Look whether something builds or copies it; else delete it so that it is made again.",
        since="2026-11-25",
        scope=Scope.HOST,
    ),
    fatal(
        "wrong-architecture",
        When(
            message=any_of(r"""
                wrong elf class|invalid elf header|exec format error|incompatible architecture|incompatible cpu|invalid machine
                not a valid win32 application|: file too short|cpu (?:does not|doesn't) support
                avx2? (?:instruction|support|is (?:not|required))|illegal instruction.{0,40}cpu|mach-o
            """)
        ),
        "A compiled file is cut or for another kind of processor.",
        "Install the build for this architecture.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "library-not-mappable",
        When(
            message=r"failed to map segment from shared object: operation not permitted|cannot enable executable stack|cannot apply additional memory protection"
        ),
        "The host forbids to run code from where a library lies (noexec), or an executable stack.",
        "Put the directory on a mount without noexec (TMPDIR), or update the library.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "extension-for-an-older-python",
        When(
            type=("SystemError",),
            message=r"py_ssize_t_clean|returned a result with an exception set|returned null without setting|initialization of \w+ raised unreported|bad argument to internal function|opcode",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "A compiled package does not fit this version of Python: it was built for an older one.",
        "Update the package at the last frame, or use the Python it was built for.",
        since="2026-11-26",
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
                # numba
                cannot cache function .{1,100}no locator available
                # Keras 3
                keras 3(?! only supports)|tf-keras
                # Several
                is used but incompatible|\bneeds (?:numpy|python|torch|pandas|cuda|protobuf) \d
                update (?:transformers|your (?:transformers|torch|pytorch|tensorflow|numpy|cuda|driver|python))
                upgrade (?:to (?:torch|transformers|python|version \d)|transformers|torch|pytorch)
                (?:was|has been) removed in (?:\w+ ){0,3}v?\d
            """),
            unless=r"does not recognize this architecture",
        ),
        "Installed versions do not fit each other or the model.",
        "Install the versions that the message asks for.",
        since=_SINCE,
        scope=Scope.HOST,
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
        "Install the versions that the message asks for.",
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
        "extension-not-built",
        When(
            message=any_of(r"""
                # torch.utils.cpp_extension
                error building extension|ninja is required|cuda_home environment variable is not set|cuda_home does not exist
                unable to compile (?:cuda|cpp)
                # triton
                cannot find a working triton installation|failed to find c compiler
                # inductor
                inductor.{0,60}compiler|invalidcxxcompiler
                # Compilers and linkers
                nvcc (?:not found|was not found)|unable to find (?:nvcc|vcvarsall|a c\+\+ compiler)
                no (?:working )?c\+\+ compiler|could not find (?:a )?(?:c\+\+|c|cuda) compiler
                command '?\[?'?(?:gcc|cc|c\+\+|g\+\+|nvcc|ninja)\b.{0,300}(?:non-zero|no such file|not found)
                python\.h: no such file|cannot find -l\w+|cc1plus
            """),
            unless=r"opening build log|build\.ninja|file truncated|file is truncated|killed|virtual memory exhausted",
        ),
        "An extension has to be compiled at load time, and that is not possible here.",
        "Install compiler and headers (build-essential, python3-dev, the CUDA toolkit), or build it beforehand.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
