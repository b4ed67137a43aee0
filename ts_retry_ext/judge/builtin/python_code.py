"""Python itself: syntax, names, calls and values that do not fit."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.builtin.words import (
    ABSENCE_WORDS,
    ENVIRONMENT_TYPES,
    ENVIRONMENT_WORDS,
    NETWORK_MODULES,
)
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.lineage import SYNTAX_ERRORS
from ts_retry_ext.judge.rule import When

_SINCE = "2026-11-23"
_SYNTAX_ERRORS = tuple(f"builtins.{name}" for name in SYNTAX_ERRORS)
#: A text that the code itself evaluates (ast.literal_eval, eval) is no source file.
_EVALUATED = r"\(<(?:unknown|string)>, line "
_LOADING = (Phase.STARTUP, Phase.IMPORT, Phase.CONSTRUCT, Phase.INITIALIZE)

#: Words that state what a value has to be; without them a ValueError may tell of an outcome.
_NOT_ALLOWED = any_of(r"""
    # A demand
    \bmust\b|\bshould\b|\binvalid\b|\bexpect(?:s|ed)?\b|\brequire[sd]?\b|at least|at most|exactly
    # A refusal
    unsupported|not support(?:ed)?\b|\bunknown\b|unrecogni[sz]ed|not recogni[sz]ed|cannot be|can't be|not allowed
    values to unpack|could not convert|is not (?:a|an|in|one of|implemented|defined|of type)\b|incompatible|mismatch
    not (?:a )?valid|out of range
    # A comparison
    \bonly\b|\bgot\b|divisible|greater than|less than|larger than|smaller than|duplicate|conflict|ambiguous|has no
    have no|doesn't have|do(?:es)? not (?:have|match)
""")

# An error of the language itself needs no further evidence, whatever words its text holds ("rate_limit",
# "connection_pool"), as long as no failure of the environment led to it.

FATAL_IN_DISGUISE = (
    fatal(
        "syntax-error",
        When(
            exact_type=_SYNTAX_ERRORS,
            where="outermost",
            unless=_EVALUATED,
            unless_type=ENVIRONMENT_TYPES,
        ),
        "A source file is not valid Python for this interpreter.",
        "Correct the line the message names, and check the Python version the code is written for.",
        since=_SINCE,
    ),
    fatal(
        "name-error-in-library",
        When(
            type=("NameError",),
            where="outermost",
            raised_in="library",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "{package|An installed library} uses a name that it did not define: mostly an optional part of it is not installed or was not built, "
        "and its own code goes on without it.",
        "Look at the warnings that {package|the library} writes while it is imported, above this one in the model log; install its build "
        "for the installed torch and CUDA, or the optional package that it looks for.",
        since="2026-11-27",
    ),
    fatal(
        "name-error",
        When(type=("NameError",), where="outermost", unless_type=ENVIRONMENT_TYPES),
        "The code uses a name that is not defined.",
        "Correct the code at the last frame.",
        since=_SINCE,
    ),
)

RULES = (
    fatal(
        "syntax-error-inside",
        When(exact_type=_SYNTAX_ERRORS, unless=_EVALUATED),
        "A source file is not valid Python for this interpreter.",
        "Correct the line the message names, and check the Python version the code is written for.",
        since=_SINCE,
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
        "The code asks {package|a library} for something that it does not implement.",
        "Correct the last frame of the model's own code, or install a version that implements it.",
        since=_SINCE,
    ),
    fatal(
        "regular-expression-invalid",
        When(type=("re.error", "re.PatternError", "regex._regex_core.error")),
        "A regular expression in the code or the configuration is not valid.",
        "Correct the pattern; the message names the place in it.",
        since="2026-11-25",
    ),
    fatal(
        "launcher-variable-missing",
        When(
            type=("KeyError",),
            # In capitals: `rank` in lower case is a key of something else.
            message=r"^['\"](?-i:LOCAL_RANK|RANK|WORLD_SIZE|MASTER_ADDR|MASTER_PORT|LOCAL_WORLD_SIZE|GROUP_RANK|ROLE_RANK)['\"]$",
        ),
        "{key|The variable} is set by a launcher of distributed processes (torchrun), and this worker was started without one.",
        "Set parallelType and torchrun: nproc-per-node in model-config.yaml, so that TorchServe starts the workers with torchrun, "
        "or read {key|the variable} with a default.",
        since="2026-11-26",
    ),
    fatal(
        "model-type-unknown-to-library",
        When(
            type=("KeyError",),
            frame=("transformers.models.auto", "diffusers.pipelines", "timm.models._registry"),
            message=r"^['\"][\w.\-]{1,80}['\"]$",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "The installed library does not know the type of model {key|that is named}: it is older than the model.",
        "Update the library at the last frame (transformers, diffusers, timm) to a version that knows {key|it}.",
        since="2026-11-26",
    ),
    fatal(
        "environment-variable-missing",
        When(type=("KeyError",), frame=("os",)),
        "The code reads the environment variable {key|that is named}, which is not set.",
        "Set {key|it} for TorchServe's process; it passes its environment to the workers.",
        since=_SINCE,
    ),
)

FALLBACKS = (
    fatal(
        "file-is-not-text",
        When(
            type=("UnicodeDecodeError", "UnicodeEncodeError"),
            unless_type=("HTTPError", "ConnectionError"),
            unless_frame=NETWORK_MODULES,
        ),
        "A file is not in the encoding it is read with; a binary file read as text says the same.",
        "Pack the right file, or set PYTHONUTF8=1 where the locale is at fault.",
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
        "prophet-without-stan",
        When(type=("AttributeError",), message=r"'prophet' object has no attribute 'stan_backend'"),
        "Prophet finds no Stan that it can run: cmdstanpy is missing, is of a version that does not fit, or its compiled model is not there.",
        "Install prophet anew as a wheel, with the cmdstanpy that it asks for; logging.getLogger('prophet').setLevel('DEBUG') tells what it tried.",
        since="2026-11-27",
    ),
    fatal(
        "attribute-missing-in-library",
        When(
            type=("AttributeError",),
            phase=_LOADING,
            where="outermost",
            message=r"has no attribute|attribute .{1,100} not found|can't set attribute|object attribute .{1,80} is read-only",
            raised_in="library",
            unless_type=ENVIRONMENT_TYPES,
            unless=r"partially initialized",
            unless_frame=("socket", "ssl", "urllib3", "redis", "psycopg2", "grpc", "subprocess"),
        ),
        "{package|An installed library} meets an object without an attribute that it needs: another version made it, or it is no object of the kind.",
        "Install the version of {package|the library} that the model was made with, or make the file anew with the installed one; "
        "else look at what the model's own code gives to it.",
        since="2026-11-27",
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
        "The code uses an attribute that the object does not have.",
        "Correct the code at the last frame, or install the version of the library that it was written for.",
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
        "A value is of a type that {package|the code} does not expect.",
        "Correct the code at the last frame of the model's own code, or the configuration that it reads.",
        since=_SINCE,
    ),
    fatal(
        "key-missing",
        When(
            type=("KeyError",),
            phase=_LOADING,
            where="outermost",
            message=any_of(r"""
                ^['\"](?!(?:data|results?|responses?|body|items|content|choices|outputs?|error|hits|records|rows|payload|embeddings?|predictions?)['\"])[\w.\- /]{1,120}['\"]$
                attempted to access the value of|is not (?:in|found in) the (?:registry|mapping)|unknown
                not (?:a )?(?:valid|registered|supported)
            """),
            unless_type=ENVIRONMENT_TYPES,
            unless=ENVIRONMENT_WORDS,
            unless_frame=NETWORK_MODULES,
        ),
        "A configuration or a checkpoint lacks an entry that the code reads: {key|the message names it}.",
        "Pack the configuration or checkpoint that {package|the code} was written for, or correct the key where the model's own code reads it.",
        since=_SINCE,
    ),
    fatal(
        "library-not-for-this-python",
        # dataclasses of Python 3.11 and newer, of a default that cannot be hashed
        When(
            type=("ValueError",),
            message=r"^mutable default <class .{1,200} for field .{1,100} is not allowed: use default_factory",
            raised_in="library",
        ),
        "{package|An installed library} is not written for this version of Python: from 3.11 on, dataclasses refuse such a default.",
        "Install a version of {package|the library} that supports it, or run the workers with Python 3.10.",
        since="2026-11-27",
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
        "{package|The code} does not allow a value, and nothing speaks for the environment.",
        "Correct the value that the message names: in the model's configuration, or in the last frame of the model's own code.",
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
        "{package|The code} checks a condition that does not hold, and nothing speaks for the environment.",
        "Correct what the message names: in the model's configuration, or in the last frame of the model's own code.",
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
        "A calculation in {package|the model's code} is impossible with these numbers.",
        "Correct the configuration that the numbers are from, or the last frame of the model's own code.",
        since=_SINCE,
    ),
)
