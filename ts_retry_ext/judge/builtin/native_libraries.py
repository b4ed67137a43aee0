"""Shared libraries, binary interfaces and versions of what is installed."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import curable, fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

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
        "Use an image whose CUDA toolkit has the version of torch.version.cuda (or point CUDA_HOME to such a one), or build the "
        "extension beforehand.",
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
)
