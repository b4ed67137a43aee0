"""Python itself: syntax, imports, names, calls that don't fit."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.builtin.words import (
    ABSENCE_WORDS,
    ENVIRONMENT_TYPES,
    ENVIRONMENT_WORDS,
    NETWORK_MODULES,
)
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"
_LOADING = (Phase.STARTUP, Phase.IMPORT, Phase.CONSTRUCT, Phase.INITIALIZE)

#: What Python says of a call whose arguments don't fit.
_CALL = (
    r"unexpected keyword argument|missing \d+ required|takes (?:no|from|exactly|at most|at least|\d+) .{0,60}argument"
    r"|got multiple values for|can't instantiate abstract class|takes no (?:keyword )?arguments|positional arguments? but"
    r"|got some positional-only|takes no parameters|invalid keyword argument|incompatible (?:function|constructor) arguments"
    r"|multiple bases have instance lay-?out|metaclass conflict|cannot create a consistent method resolution"
)

#: Words that state what a value has to be; without them a ValueError may tell of an outcome.
_NOT_ALLOWED = (
    r"\bmust\b|\bshould\b|\binvalid\b|\bexpect(?:s|ed)?\b|unsupported|not support(?:ed)?\b|\bunknown\b|unrecogni[sz]ed|not recogni[sz]ed"
    r"|cannot be|can't be|not allowed|\bonly\b|values to unpack|could not convert|is not (?:a|an|in|one of|implemented|defined|of type)\b"
    r"|incompatible|mismatch|\brequire[sd]?\b|not (?:a )?valid|out of range|\bgot\b|divisible|greater than|less than|larger than"
    r"|smaller than|at least|at most|exactly|duplicate|conflict|ambiguous|has no|have no|doesn't have|do(?:es)? not (?:have|match)"
)

# An error of the language itself needs no further evidence, whatever words its text holds ("rate_limit",
# "connection_pool"), as long as no failure of the environment led to it.
FATAL_IN_DISGUISE = (
    ambiguous(
        "generated-module-missing",
        When(
            type=("ImportError",),
            message=r"transformers_modules|torch_?extensions|torchinductor|\.triton|triton.{0,40}cache",
        ),
        "A module that is written into a shared cache at load time isn't there: two workers may have met.",
        "Give each worker its own HF_HOME or TORCH_EXTENSIONS_DIR, or fill the cache beforehand.",
        since=_SINCE,
    ),
    fatal(
        "syntax-error",
        When(type=("SyntaxError",), where="outermost", unless_type=ENVIRONMENT_TYPES),
        "A source file isn't valid Python for this interpreter.",
        "Correct the line the message names, and check the Python version the code is written for.",
        since=_SINCE,
    ),
    fatal(
        "startup-module-missing",
        When(
            type=("ImportError",),
            phase=(Phase.STARTUP,),
            message=r"no module named",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "TorchServe's worker itself can't start: a package it needs isn't installed.",
        "Install the module that is named into TorchServe's environment; it affects every model.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "module-missing",
        When(
            type=("ImportError",),
            message=r"no module named (?!'?ts\.torch_handler\.)",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "A module that the code imports isn't installed and isn't in the archive.",
        "Install it, name it in the archive's requirements.txt (install_py_dep_per_model=true), or "
        "pack the file with --extra-files.",
        since=_SINCE,
    ),
    fatal(
        "name-missing-in-module",
        When(
            type=("ImportError",),
            message=r"cannot import name|circular import",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "A module doesn't have the name that is imported from it: mostly another version is installed.",
        "Compare the installed version with the one the code was written for.",
        since=_SINCE,
    ),
    fatal(
        "name-error",
        When(type=("NameError",), where="outermost", unless_type=ENVIRONMENT_TYPES),
        "The code uses a name that isn't defined.",
        "Correct the code at the last frame.",
        since=_SINCE,
    ),
    fatal(
        "call-does-not-fit",
        When(
            type=("TypeError",),
            phase=_LOADING,
            where="outermost",
            message=_CALL,
            unless_type=ENVIRONMENT_TYPES,
        ),
        "A function is called with arguments it doesn't take: wrong code, or another version installed.",
        "Correct the call at the last frame, or install the version the code was written for.",
        since=_SINCE,
    ),
    fatal(
        "module-attribute-missing",
        When(
            type=("AttributeError",),
            message=r"module ['\"][\w.]+['\"] has no attribute",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "A module doesn't have the attribute used: mostly another version is installed.",
        "Compare the installed version with the one the code was written for.",
        since=_SINCE,
    ),
)

RULES = (
    fatal(
        "syntax-error-inside",
        When(type=("SyntaxError",)),
        "A source file isn't valid Python for this interpreter.",
        "Correct the line the message names, and check the Python version the code is written for.",
        since=_SINCE,
    ),
    fatal(
        "module-missing-text",
        When(message=r"no module named ['\"]?[\w.]+|cannot import name ['\"]?\w+"),
        "A module or a name that the code imports isn't there.",
        "Install the version the code was written for, or pack the file with --extra-files.",
        since=_SINCE,
    ),
    fatal(
        "package-required",
        When(
            type=(
                "ImportError",
                "RuntimeError",
                "ValueError",
                "OSError",
                "pymongo.errors.ConfigurationError",
            ),
            message=r"requires the .{1,80}(?:library|package)|(?:package|module) (?:is required for|must be installed)|(?:library|package|module) (?:is )?not (?:been )?(?:found|installed)|pip3? install|please install|is required to (?:use|run|load)"
            r"|requires? (?:accelerate|bitsandbytes|optimum|auto-gptq|autoawq|flash[-_]attn|sentencepiece|protobuf|tiktoken|timm|peft|einops)"
            r"|but it was not found in your environment|need to install|must (?:be )?install|conda install|is not installed|not installed\b",
            unless=r"connection|timed out|max retries|could not reach|cannot reach",
        ),
        "The code needs a package that isn't installed, or a newer version of it.",
        "Install it into TorchServe's environment, or name it in the archive's requirements.txt.",
        since=_SINCE,
    ),
    fatal(
        "import-outside-package",
        When(type=("ImportError",), message=r"attempted relative import|beyond top-level package"),
        "A relative import has no package to be relative to: TorchServe imports the handler as a single module.",
        "Import by absolute name; files packed with --extra-files lie beside the handler.",
        since=_SINCE,
    ),
    fatal(
        "bytecode-of-another-python",
        When(
            message=r"bad magic number in ['\"]?[\w.]+|python version mismatch|was compiled for python|requires python '?[<>=]|python \d\.\d+ or (?:later|newer|higher) is required"
        ),
        "Compiled code or a package is for another version of Python.",
        "Use that version of Python, or build the package for this one.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "recursion-without-end",
        When(type=("RecursionError",)),
        "A function calls itself without end.",
        "Correct the code at the frames that repeat.",
        since=_SINCE,
    ),
    fatal(
        "not-implemented",
        When(
            type=("NotImplementedError",),
            phase=_LOADING,
            where="outermost",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "The code asks for something that isn't implemented.",
        "Correct the code at the last frame; for 'meta tensor' use the loader's own way of placing weights.",
        since=_SINCE,
    ),
    fatal(
        "environment-variable-missing",
        When(type=("KeyError",), frame=("os",)),
        "The code reads an environment variable that isn't set.",
        "Set it for TorchServe's process; it passes its environment to the workers.",
        since=_SINCE,
    ),
    fatal(
        "file-is-not-text",
        When(
            type=("UnicodeDecodeError", "UnicodeEncodeError"),
            unless_type=("HTTPError", "ConnectionError"),
            unless_frame=NETWORK_MODULES,
        ),
        "A file isn't in the encoding it is read with; a binary file read as text says the same.",
        "Pack the right file, or set PYTHONUTF8=1 where the locale is at fault.",
        since=_SINCE,
    ),
)

FALLBACKS = (
    fatal(
        "import-error-told-by-transformers",
        When(
            message=r"failed to import [\w.]+ because of the following error.{0,80}: ?.{0,600}(?:is not defined|has no attribute|cannot import name|no module named|undefined symbol|invalid syntax"
            r"|unexpected keyword|positional argument|not installed|is required|requires |incompatib|compiled (?:with|against|for)|unsupported operand|not subscriptable|metaclass|already registered|partially initialized|not supported)",
            unless=r"temporar|\bbusy\b|stale|timed out|input/output error|too many open|allocate|out of memory|map segment"
            r"|connection|no space|no such file|ran out of input|unknown error|not enough|page ?file",
        ),
        "A module of transformers can't be imported; the text behind the colon says why.",
        "Install the version that the message asks for, or correct the package that it names.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "import-error",
        When(
            type=("ImportError",),
            phase=_LOADING,
            unless_type=("ConnectionError", "TimeoutError", "MemoryError"),
            unless=r"temporar|busy|stale|timed out|input/output error|too many open|cannot allocate|failed to map segment",
        ),
        "An import failed, and nothing speaks for a passing cause.",
        "Install or correct the module that is named.",
        since=_SINCE,
    ),
    ambiguous(
        "nothing-where-something-was-expected",
        When(
            type=("AttributeError", "TypeError"),
            message=r"nonetype|string indices must be|(?:list|byte) indices must be",
        ),
        "The code met None where it expects an object: an earlier step gave nothing.",
        "Look at the call before the last frame for what came back empty.",
        since=_SINCE,
    ),
    fatal(
        "attribute-missing",
        When(
            type=("AttributeError",),
            phase=_LOADING,
            where="outermost",
            message=r"has no attribute|attribute .{1,100} not found|can't set attribute|object attribute .{1,80} is read-only",
            unless_type=ENVIRONMENT_TYPES,
            unless=r"partially initialized",
            unless_frame=("socket", "ssl", "urllib3", "redis", "psycopg2", "grpc", "subprocess"),
        ),
        "The code uses an attribute that the object doesn't have.",
        "Correct the code at the last frame, or install the version it was written for.",
        since=_SINCE,
    ),
    fatal(
        "type-does-not-fit",
        When(
            type=("TypeError",),
            phase=_LOADING,
            where="outermost",
            message=r"\w",
            unless_type=ENVIRONMENT_TYPES,
            unless=ENVIRONMENT_WORDS + r"|nonetype",
            unless_frame=NETWORK_MODULES,
        ),
        "A value is of a type that the code doesn't expect.",
        "Correct the code at the last frame, or the configuration it reads.",
        since=_SINCE,
    ),
    fatal(
        "key-missing",
        When(
            type=("KeyError",),
            phase=_LOADING,
            where="outermost",
            message=r"^['\"](?!(?:data|results?|responses?|body|items|content|choices|outputs?|error|hits|records|rows|payload|embeddings?|predictions?)['\"])[\w.\- /]{1,120}['\"]$|attempted to access the value of|is not (?:in|found in) the (?:registry|mapping)|unknown|not (?:a )?(?:valid|registered|supported)",
            unless_type=ENVIRONMENT_TYPES,
            unless=ENVIRONMENT_WORDS,
            unless_frame=NETWORK_MODULES,
        ),
        "A configuration or a checkpoint lacks an entry that the code reads.",
        "Correct the key at the last frame, or pack the configuration or checkpoint the code was written for.",
        since=_SINCE,
    ),
    fatal(
        "value-not-allowed",
        When(
            type=("ValueError",),
            phase=_LOADING,
            where="outermost",
            message=_NOT_ALLOWED,
            unless_type=ENVIRONMENT_TYPES,
            unless=ENVIRONMENT_WORDS + "|" + ABSENCE_WORDS,
            unless_frame=NETWORK_MODULES,
        ),
        "A value isn't allowed, and nothing speaks for the environment.",
        "Correct the configuration or the code at the last frame.",
        since=_SINCE,
    ),
    fatal(
        "assertion-with-reason",
        When(
            type=("AssertionError",),
            phase=_LOADING,
            where="outermost",
            message=_NOT_ALLOWED,
            unless_type=ENVIRONMENT_TYPES,
            unless=ENVIRONMENT_WORDS + "|" + ABSENCE_WORDS,
            unless_frame=NETWORK_MODULES,
        ),
        "The code checks a condition that doesn't hold, and nothing speaks for the environment.",
        "Correct the configuration or the code at the last frame.",
        since=_SINCE,
    ),
    fatal(
        "arithmetic-error",
        When(
            type=("ZeroDivisionError", "OverflowError"),
            phase=_LOADING,
            where="outermost",
            unless_type=ENVIRONMENT_TYPES,
            unless_frame=NETWORK_MODULES,
        ),
        "A calculation in the model's code is impossible with these numbers.",
        "Correct the configuration or the code at the last frame.",
        since=_SINCE,
    ),
)
