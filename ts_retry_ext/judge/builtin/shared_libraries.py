"""Shared libraries that are not there, by the family that they are of."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
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
        "A shared library that {package|a package} needs is not installed: {library|the message names it}.",
        "{library_step|Install the package of the system that holds it (apt-file search), or add its directory to LD_LIBRARY_PATH if it is there}.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
