"""TorchServe's own complaints about a handler or an archive (0.12.0: model_loader.py, base_handler.py)."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.builtin.words import ENVIRONMENT_TYPES
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

FATAL_IN_DISGUISE = (
    fatal(
        "handler-without-class",
        When(
            message=r"expected only one class (?:in custom service code or a function entry point|as model definition\.?) \[\]"
        ),
        "The file that the archive names for the handler, or for the model's class, defines no class.",
        "Name the file that has the class with --handler (a function as file:function) or --model-file; an imported class does not count.",
        since="2026-11-26",
        though_it_says_retry=True,
    ),
    fatal(
        "handler-class-count",
        When(message=r"expected only one class in custom service code"),
        "The handler's file defines several classes; TorchServe takes the only one, so exceptions count, too.",
        "Leave one class in the file: move {classes|the others}, exceptions included, into a module of their own and pack it "
        "with --extra-files; or name the entry point as file:function.",
        since=_SINCE,
        though_it_says_retry=True,
    ),
    fatal(
        "handler-without-handle",
        When(
            message=r"expect handle method in class|unable to load module .{0,200}make sure it is added to python path"
        ),
        "The handler has no handle method or entry point.",
        "Add it, or correct --handler.",
        since=_SINCE,
        though_it_says_retry=True,
    ),
    fatal(
        "model-class-count",
        When(message=r"expected only one class as model definition"),
        "The file with the model's class must define exactly one class.",
        "Leave one class in the file of --model-file: move {classes|the others} into another module, packed with --extra-files.",
        since=_SINCE,
        though_it_says_retry=True,
    ),
    fatal(
        "handler-module-missing",
        When(
            type=("ImportError",),
            message=r"no module named '?ts\.torch_handler\.",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "TorchServe cannot import the handler {handler|itself}: neither a file of that name is in the archive nor is it a default handler.",
        "Pack {handler|the handler}.py with --handler, or correct the name; if the file is there, look at the inner cause.",
        since=_SINCE,
    ),
)

RULES = (
    ambiguous(
        "torchserve-wrapper",
        When(message=r"^50[07] - (?:unknown exception|system out of memory)$", where="outermost"),
        "TorchServe's own wrapper: the failure itself was logged before it.",
        "Look for the traceback above this one in the model log.",
        since=_SINCE,
    ),
    fatal(
        "context-read-wrongly",
        # 0.12.0, ts/context.py: model_name, manifest, system_properties, model_yaml_config
        When(
            type=("AttributeError",),
            message=r"^'context' object has no attribute '(?:model_dir|gpu_id|batch_size|properties|model_version)'",
        ),
        "TorchServe's Context has no such attribute: what it knows of the model's folder and device stands in a dictionary.",
        "Write context.system_properties['model_dir'] (gpu_id, batch_size likewise); context.model_yaml_config has model-config.yaml.",
        since="2026-11-27",
    ),
    fatal(
        "handler-without-initialize",
        When(type=("AttributeError",), message=r"has no attribute '(?:initialize|handle)'"),
        "The handler has no initialize or handle method.",
        "Extend BaseHandler, or add the method.",
        since=_SINCE,
    ),
    ambiguous(
        "weights-missing-in-shared-place",
        When(
            message=r"no model (?:file|weights) (?:could be )?(?:loaded|found)|model weights not loaded",
            path="shared",
        ),
        "There are no weights in a place that something else fills: a mount, a cache.",
        "Look at what fills it; correct the path if nothing does.",
        since="2026-11-25",
        scope=Scope.HOST,
    ),
    fatal(
        "no-weights-in-the-archive",
        When(
            message=r"no model weights could be loaded",
            # 0.12.0, base_handler.py: neither serializedFile nor modelFile gave it anything to load.
            unless=r"/",
        ),
        "BaseHandler found nothing to load: the archive was packed without weights.",
        "Pack the weights with --serialized-file; for a state dict also the class with --model-file.",
        since="2026-11-26",
    ),
    ambiguous(
        # 0.12.0, base_handler.py: without a serializedFile, model_pt_path is None. Not fatal, since a method of the
        # model's own may be on the stack, too.
        "base-handler-without-weights",
        When(
            type=("AttributeError",),
            message=r"^'nonetype' object has no attribute 'endswith'",
            frame=("ts.torch_handler.base_handler.initialize",),
        ),
        "BaseHandler looks for weights, and the archive names none: it was packed without --serialized-file and --model-file.",
        "Pack the weights with --serialized-file; if the handler needs none, do not call initialize of BaseHandler.",
        since="2026-11-26",
    ),
    ambiguous(
        # 0.12.0, model_loader.py: initialize_fn = lambda ctx: entry_point(None, ctx)
        "function-called-without-data",
        When(
            type=("AttributeError", "TypeError"),
            message=r"nonetype",
            frame=("ts.model_loader.<lambda>",),
        ),
        "TorchServe calls the handler's function once with None as data when it loads the model, and the code met None.",
        "Let the function return None if its data is None; else look at the call before the last frame for what came back empty.",
        since="2026-11-26",
    ),
    fatal(
        "model-file-missing",
        When(
            message=any_of(r"""
                missing the (?:model|serialized|state_dict|\w+\.py|\.?\w{1,20}) ?(?:definition |weights? )?file
                missing the model\.(?:py|pt)|no model (?:file|weights) (?:could be )?(?:loaded|found)|model weights not loaded
                missing the \w+\.(?:py|pt|pth|bin|json)
            """)
        ),
        "The archive lacks {path|a file} that the handler loads.",
        "Pack {path|it} with --serialized-file, --model-file or --extra-files.",
        since=_SINCE,
    ),
    fatal(
        "manifest-key-missing",
        When(
            type=("KeyError",),
            message=r"^['\"]?(?:serializedfile|modelfile|model_yaml_config|modelname)['\"]?$",
        ),
        "The archive's manifest lacks the entry {key|that the handler reads}.",
        "Pack the archive with {option|the option of that name}.",
        since=_SINCE,
    ),
    fatal(
        "arguments-refused",
        When(type=("SystemExit",), message=r"^2$"),
        "Something parsed the command line and refused it: argparse ends the process with status 2.",
        "Parse no arguments in a handler (the worker's own are in sys.argv); at startup, look for an old ts package in the way.",
        since=_SINCE,
    ),
    fatal(
        "worker-arguments",
        When(
            message=r"wrong arguments passed\. no socket|incomplete data provided|failed to initialize metrics from file|invalid metric type:|metrics config"
        ),
        "The worker script was started with arguments or a metrics file it cannot use.",
        "Look at metrics_config in config.properties, and at what starts the worker.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
