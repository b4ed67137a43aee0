"""Calls whose arguments do not fit, and attributes that a module does not have."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import fatal
from ts_retry_ext.judge.builtin.words import ENVIRONMENT_TYPES
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.rule import When

_SINCE = "2026-11-23"
_LOADING = (Phase.STARTUP, Phase.IMPORT, Phase.CONSTRUCT, Phase.INITIALIZE)

#: What Python says of a call whose arguments do not fit.
_CALL = any_of(r"""
    # CPython, calls
    unexpected keyword argument|missing \d+ required|takes (?:no|from|exactly|at most|at least|\d+) .{0,60}argument
    got multiple values for|takes no (?:keyword )?arguments|positional arguments? but|got some positional-only
    takes no parameters|invalid keyword argument
    # CPython, classes
    can't instantiate abstract class|multiple bases have instance lay-?out|metaclass conflict
    cannot create a consistent method resolution
    # pybind11
    incompatible (?:function|constructor) arguments
""")

# An error of the language itself needs no further evidence: see `python_code.py`.

FATAL_IN_DISGUISE = (
    fatal(
        "handler-takes-arguments",
        # 0.12.0, model_loader.py: model_service = entry_point_class()
        When(
            type=("TypeError",),
            phase=(Phase.CONSTRUCT,),
            where="outermost",
            message=r"__init__\(\) (?:missing|takes)|__new__\(\) (?:missing|takes)",
            raised_in="torchserve",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "TorchServe constructs the handler without arguments, and its __init__ asks for some.",
        "Give __init__ no arguments beside self (or defaults), and read what it needs in initialize(self, context): "
        "context.system_properties['model_dir'], context.model_yaml_config.",
        since="2026-11-27",
    ),
    fatal(
        "handler-called-otherwise",
        # 0.12.0, model_loader.py and service.py: initialize(context), handle(data, context)
        When(
            type=("TypeError",),
            phase=_LOADING,
            where="outermost",
            message=_CALL,
            raised_in="torchserve",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "TorchServe calls the handler in a way that its class or function is not written for.",
        "Write the handler as TorchServe calls it: __init__(self), initialize(self, context), handle(self, data, context), or a "
        "function handle(data, context).",
        since="2026-11-27",
    ),
    fatal(
        "call-inside-library-lacks-argument",
        When(
            type=("TypeError",),
            phase=_LOADING,
            where="outermost",
            message=r"missing \d+ required",
            raised_in="library",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "{package|An installed library} makes a call without an argument that is needed: another version of it wrote what it reads, "
        "or the model's own code left the argument out.",
        "Install the version of {package|the library} that wrote the model's files, or write them anew with the installed one; "
        "else give the argument in the call of the model's own code.",
        since="2026-11-27",
    ),
    fatal(
        "call-inside-library-does-not-fit",
        When(
            type=("TypeError",),
            phase=_LOADING,
            where="outermost",
            message=_CALL,
            raised_in="library",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "{package|An installed library} makes a call with arguments that are not taken: a configuration file of the model is "
        "for another version of it, "
        "or a library that it calls has another version.",
        "Update {package|the library}, or install the version that wrote the model's configuration; else take the argument that "
        "the message names out of "
        "the configuration (config.json, adapter_config.json and their kin) or out of the model's own call.",
        since="2026-11-27",
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
        "A function is called with arguments it does not take: wrong code, or another version installed.",
        "Correct the call at the last frame of the model's own code, or install the version of the library that the code was written for.",
        since=_SINCE,
    ),
    fatal(
        "module-attribute-missing-in-library",
        When(
            type=("AttributeError",),
            message=r"module ['\"][\w.]+['\"] has no attribute",
            raised_in="library",
            unless_type=ENVIRONMENT_TYPES,
            unless=r"partially initialized module",
        ),
        "{importer|An installed library} uses an attribute that {source|a module} does not have: the two do not fit.",
        "Update {importer|the library that uses it}, or install a version of {source_package|the module} that still has the attribute; pin "
        "both in the archive's requirements.txt.",
        since="2026-11-27",
    ),
    fatal(
        "module-attribute-missing",
        When(
            type=("AttributeError",),
            message=r"module ['\"][\w.]+['\"] has no attribute",
            unless_type=ENVIRONMENT_TYPES,
            # Two threads that import it at once say the same as a circle of imports.
            unless=r"partially initialized module",
        ),
        "{source|A module} does not have the attribute used: mostly another version is installed.",
        "Install a version of {source_package|the module} that has the attribute, or change the model's code to what the installed version has.",
        since=_SINCE,
    ),
)
