"""Compiled packages that do not fit each other, this processor, or this Python."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.builtin.words import ENVIRONMENT_TYPES
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

RULES = (
    fatal(
        "vision-of-another-torch",
        When(
            message=any_of(r"""
                operator torchvision::nms does not exist|(?:torchvision and pytorch|pytorch and torchvision) (?:have|were|major)
                (?:couldn't|could not) load custom c\+\+ ops
                detected that pytorch and torchvision were compiled with different
            """),
        ),
        "The installed torchvision was built for another torch than the one that is installed.",
        "Install the pair that belongs together, both from the same index (torch 2.5 with torchvision 0.20, 2.6 with 0.21): pip "
        "install torch torchvision --index-url https://download.pytorch.org/whl/cuXXX.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "audio-of-another-torch",
        When(
            message=any_of(r"""
                detected that pytorch and torchaudio were compiled with different|libtorchaudio\w*\.so.{0,200}undefined symbol
            """),
        ),
        "The installed torchaudio was built for another torch than the one that is installed.",
        "Install the torchaudio of the same version as torch (2.5.1 with 2.5.1), both from the same index.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "numpy-2-for-a-package-of-1",
        When(
            message=any_of(r"""
                # dtype's C structure has 96 bytes in NumPy 1 and 88 in 2
                \.dtype size changed.{0,100}expected 96 .{0,40}got 88|compiled using numpy 1\.x|_array_api not found
            """),
        ),
        "{extension|A package} was built for NumPy 1, and NumPy 2 is installed.",
        "Install numpy<2 (name it in the archive's requirements.txt), or update {extension|the package} to a version that is built for NumPy 2.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "numpy-not-usable-for-torch",
        When(
            message=any_of(r"""
                numpy is not available
            """),
        ),
        "torch cannot use NumPy: it is not installed, or it is NumPy 2 with a torch that was built for 1 (before 2.3).",
        "Install numpy<2 into TorchServe's environment, or update torch.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "numpy-of-another-version",
        When(
            message=any_of(r"""
                \.dtype size changed|module compiled against a[bp]i|multiarray failed to import|numpy\.core\.umath failed
            """),
        ),
        "{extension|A package} was built for another version of NumPy than the one that is installed: mostly for a newer one.",
        "Update numpy to the version that {extension|the package} was built with, or install a build of {extension|the package} "
        "for the NumPy that is there.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "numpy-broken",
        When(
            message=any_of(r"""
                importing the numpy c-extensions failed|\.ndarray size changed
            """),
        ),
        "The installed NumPy cannot load its own compiled parts, or {extension|a package} was built for another one.",
        "Install numpy anew (pip install --force-reinstall), built for this Python; look for two of them on the path (print(numpy.__file__)).",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "extension-of-another-torch",
        When(
            message=any_of(r"""
                # c10, at and torch: what torch's C++ library has
                undefined symbol: _z\w{0,40}(?:3c10|(?<!\d)2at\d|5torch)\w*|undefined symbol: \w*(?:torch|aten)\w*
                relocating .{1,200}(?:c10|torch).{0,200}: symbol not found
            """),
        ),
        "{extension|A compiled package} was built for another torch than the one that is installed: it asks for a name of torch "
        "that this one does not have.",
        "Install the build of {extension|the package} for the installed torch, CUDA and C++ ABI (torch.__version__, "
        "torch.version.cuda, torch.compiled_with_cxx11_abi()), build it from source here (pip install --no-build-isolation "
        "--no-cache-dir), or install the torch that it was built for.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "undefined-symbol-of-cuda",
        When(
            message=any_of(r"""
                undefined symbol: (?:_*nv\w+|cu(?:da|blas|dnn|fft|rand|sparse|solver)\w*|__cuda\w*)
            """),
        ),
        "{extension|A compiled package} and the CUDA libraries that are found first do not fit: one of them is of another version.",
        "Look at LD_LIBRARY_PATH: a CUDA of the system hides the nvidia-* wheels of torch; take it out, or install versions that belong together.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "protobuf-of-another-version",
        When(
            message=any_of(r"""
                couldn't build proto file into descriptor pool|is already defined in file|conflicting .{0,60}descriptor pool
                descriptors cannot (?:not )?be created directly|duplicate file name .{0,80}proto
                already exists in the (?:descriptor )?pool
            """),
        ),
        "The generated code of {package|a package} does not fit the installed protobuf, or the same .proto file was loaded twice.",
        "Update {package|the package} to one that is made for the installed protobuf, or install the older protobuf "
        "(protobuf<3.21 for 'Descriptors cannot be created directly'); two packages that bring the same file have to agree on "
        "one.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "cudnn-of-another-version",
        When(
            message=any_of(r"""
                cudnn version incompatibility
            """),
        ),
        "torch was built for another cuDNN than the one that is found first.",
        "Take the system's cuDNN out of LD_LIBRARY_PATH, so that torch finds the one of its own wheel (nvidia-cudnn-cu*).",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "abi-mismatch",
        When(
            message=any_of(r"""
                # Loaders
                undefined symbol|relocating .{1,200}: symbol not found|symbol not found: __zn\w+|expected in:[ ](?:/|flat|<)|flat namespace
                # CPython's byte code
                ^unknown opcode
                # NumPy
                size changed, may indicate binary incompatibility
                # torch and its extensions
                compiled with (?:a )?different (?:cuda|version)|cuda version.{0,60}mismatch
                detected that pytorch and (?:torchvision|torchaudio|\w+) were compiled with different
                different cuda (?:major )?versions
                built (?:with|against|for) (?:a )?(?:different|another|older|newer|torch|pytorch|cuda|numpy)
                abi (?:version )?mismatch|incompatible (?:abi|version of)|class \w+ already registered
                only a single torch_library|tried to register .{0,60}(?:multiple|twice)
            """)
        ),
        "A compiled package ({extension|the message names it}) does not fit another one: they were built for different versions.",
        "Install a build of {extension|the package} for the versions that are installed, or the versions that it was built for.",
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
        "program-not-for-this-host",
        When(
            message=any_of(r"""
                exec format error
            """),
        ),
        "A program that is started is for another kind of processor, or is a script without its first line (#!).",
        "Install the build for this processor (uname -m), or add the line #!/bin/sh to the script; an image for arm64 on an "
        "amd64 node says the same.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "compiled-file-cut",
        When(
            message=any_of(r"""
                : file too short
            """),
        ),
        "A compiled file ({path|the message names it}) is cut: it was not copied or installed to its end.",
        "Install its package anew (pip install --force-reinstall --no-cache-dir), and look whether the disk was full.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "processor-lacks-instructions",
        When(
            message=any_of(r"""
                incompatible cpu|cpu (?:does not|doesn't) support|avx2? (?:instruction|support|is (?:not|required))|illegal instruction.{0,40}cpu
                # NumPy
                was built with baseline optimizations: .{1,300} but your machine doesn't support
            """),
        ),
        "A compiled package uses instructions (AVX, AVX2 …) that the processor of this host does not have, or that its virtual machine hides.",
        "Run the model on nodes with such a processor (lscpu shows the flags), let the virtual machine pass the host's "
        "processor on, or install a build without these instructions.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "wrong-architecture",
        When(
            message=any_of(r"""
                wrong elf class|invalid elf header|incompatible architecture|invalid machine
                not a valid win32 application|mach-o
            """)
        ),
        "A compiled file ({path|the message names it}) is for another kind of processor, or is none.",
        "Install the build for this processor (uname -m: x86_64, aarch64); a file that was packed on another machine has to be built here.",
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
)
