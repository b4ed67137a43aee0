"""How weights were saved: torch.load, safetensors, pickles and TorchScript."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.builtin.weights import DOWNLOADERS
from ts_retry_ext.judge.damaged_file import WEIGHTS
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

ABOUT_WEIGHTS = True
_SINCE = "2026-11-23"

_ARCHIVE = (
    "Compare size and checksum of {path|the file} with those of its source. If it is one of the archive, pack it again; if it lies in a "
    "cache, delete it there once nothing writes it any more. A file of about 130 bytes is a pointer of Git LFS: fetch the file with git lfs pull."
)
#: What safetensors says of such a file.
_SAFETENSORS_CUT = any_of(r"""
    headertoolarge|headertoosmall|invalidheader|metadataincompletebuffer|error while deserializing header
    does not contain the valid metadata|safetensors.{0,80}metadata|invalidoffset|tensorinvalidinfo
""")

RULES = (
    fatal(
        "torchscript-read-as-weights",
        When(
            message=r"weights_only=true`* with torchscript archives|torchscript archive.{0,80}(?:passed to|not supported).{0,40}torch\.load"
            r"|is a zip archive \(did you mean to use torch\.jit\.load|'recursivescriptmodule' object has no attribute 'copy'"
        ),
        "The file is TorchScript, and is read as a state dict: that is what --model-file tells the handler to do.",
        "Pack it without --model-file, so that BaseHandler loads it with torch.jit.load; or pack a state dict instead.",
        since="2026-11-26",
    ),
    fatal(
        "weights-only-refused",
        When(
            message=any_of(r"""
                weights only load failed|weights_only|unsupported global|add_safe_globals|unsupported operand \d+
                can only build tensor|upgrade torch to at least v2\.6
            """)
        ),
        "torch.load refuses the file: since 2.6 it loads only plain tensors unless told otherwise.",
        "Save a state_dict, allow the types with torch.serialization.add_safe_globals, or pass weights_only=False for files you trust.",
        since=_SINCE,
    ),
    ambiguous(
        "safetensors-damaged-in-download",
        When(message=_SAFETENSORS_CUT, frame=DOWNLOADERS),
        "A downloaded safetensors file is cut or damaged; what fetched it may fetch it again, or find it in its cache.",
        "Delete the file from the cache; look at the network or a proxy if it goes on.",
        since="2026-11-25",
        scope=Scope.HOST,
    ),
    fatal(
        "safetensors-damaged",
        When(
            type=("SafetensorError",),
            message=r"header|incomplete|invalid|deserializ|metadata|tensor|type|mmap.{0,20}empty",
            unless=r"os error (?:5|11|12|16|23|24|116)\b|no such file",
        ),
        "A safetensors file is cut, damaged or of another format.",
        _ARCHIVE,
        since=_SINCE,
        damaged_file=WEIGHTS,
    ),
    fatal(
        "safetensors-damaged-text",
        When(message=_SAFETENSORS_CUT),
        "A safetensors file is cut, damaged or of another format.",
        _ARCHIVE,
        since=_SINCE,
        damaged_file=WEIGHTS,
    ),
    fatal(
        "class-missing-in-library-for-pickle",
        When(
            type=("AttributeError",),
            message=r"can'?t get attribute .{1,200} on <module ['\"](?!__(?:mp_)?main__).{1,400}/(?:site|dist)-packages/",
        ),
        "The pickle needs a class that the installed version of its library does not have: another version wrote it.",
        "Install the version of the library that wrote the file (name it in the archive's requirements.txt), or save the model "
        "anew with the one that is installed.",
        since="2026-11-26",
    ),
    fatal(
        "class-pickled-in-a-script",
        When(
            type=("AttributeError",),
            message=r"can'?t get attribute '\w{1,200}' on <module '__main__'",
        ),
        "The object was pickled by a script, so its class is looked for in __main__, and that is TorchServe's worker script here.",
        "Move the class into a module, import it from there, save again (of a torch model better the state_dict), and pack that module; packing the class alone does not help.",
        since="2026-11-27",
    ),
    fatal(
        "class-missing-for-pickle",
        When(
            type=("AttributeError", "ModuleNotFoundError", "UnpicklingError"),
            message=r"can'?t get attribute|cannot get attribute",
        ),
        "The pickled object's class cannot be found where it was when it was saved.",
        "Save a state_dict, or make the class importable under its old module name.",
        since=_SINCE,
    ),
    fatal(
        "object-not-picklable",
        When(
            # pickle, joblib, multiprocessing
            message=r"(?:can't|cannot) pickle (?:['<]|\w+ objects?\b)|could not pickle the task|failed to un-serialize"
        ),
        "An object that is saved, or sent to another process, cannot be pickled.",
        "Keep locks, lambdas, open files and generators out of it; create them in the process that needs them.",
        since="2026-11-26",
    ),
    fatal(
        "class-missing-for-pickle-text",
        When(message=r"can'?t get attribute '[\w.<>]+' on <module"),
        "The pickled object's class cannot be found where it was when it was saved.",
        "Save a state_dict, or make the class importable under its old module name.",
        since=_SINCE,
    ),
    fatal(
        "torch-operator-not-registered",
        When(
            message=any_of(r"""
                # torch.jit.load
                unknown builtin op|couldn't find (?:an )?operator|schema not found for node|could not find (?:any )?(?:similar )?ops?[ ]
                unknown type name ['"]__torch__\.torch\.classes\.|tried to instantiate class ['"]__torch__\.
                # torch.ops, its dispatcher
                no such operator \w+::|could not find schema for \w+::|'_opnamespace' '\w+' object has no attribute
            """)
        ),
        "The model uses an operator, or a class, that no imported library has registered with torch.",
        "Import the library that brings it (torchvision, torchaudio, torch_tensorrt) in the handler before the model is loaded, "
        "in the version that fits the installed torch.",
        since="2026-11-26",
    ),
    fatal(
        "torchscript-unloadable",
        When(
            message=any_of(r"""
                # Reading a file
                constants\.pkl
                torchscript (?:archive|model).{0,80}(?:not|in)|attempted to read a pytorch file with version
                maximum supported version for reading|legacy model format is not supported|produced by a newer
                loading a torch\.package
                # Operators
                the following (?:operation|operator)s? .{0,80}(?:not|in)|no function .{0,100}in torchscript
                # Compiling
                unknown type name|could not export python function|_jit_internal
                tried to (?:instantiate|access) .{0,80}torchscript|torch\.jit\.frontend|tracer cannot infer type
                argument is not (?:a )?torchscript|method '.{1,80}' is not defined
            """)
        ),
        "The TorchScript file cannot be loaded by this torch.",
        "Export it again with the installed torch and its extension libraries.",
        since=_SINCE,
    ),
    fatal(
        "jit-compile",
        When(
            type=(
                "torch.jit.frontend.NotSupportedError",
                "torch.jit.frontend.UnsupportedNodeError",
                "torch.jit.frontend.FrontendError",
                "torch.jit.Error",
            )
        ),
        "TorchScript cannot compile the code.",
        "Rewrite the part the message names, or trace the model.",
        since=_SINCE,
    ),
)
