"""What model libraries beside torch say: scikit-learn, TensorFlow, CTranslate2, audio, and shapes."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.table import fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

RULES = (
    fatal(
        "shapes-do-not-fit",
        When(
            message=r"sizes of tensors must match|given groups=\d{1,4}, weight of size|too many dimensions '|expected \dd (?:or \dd )?.{0,60}input"
        ),
        "The input that the handler tries at load time doesn't fit the model.",
        "Correct the sample input or the model's definition.",
        since=_SINCE,
    ),
    fatal(
        "model-class-missing",
        When(message=r"no class found in module|model class (?:is )?not (?:defined|set)"),
        "The code finds no class for the model.",
        "Correct the name of the class or of its module.",
        since=_SINCE,
    ),
    fatal(
        "chat-template-missing",
        When(message=r"chat_template is not set"),
        "The tokenizer has no chat template.",
        "Pack one with the tokenizer, or pass it.",
        since=_SINCE,
    ),
    fatal(
        "allocator-option-unknown",
        When(message=r"unrecognized cachingallocator option|invalid device: cuda"),
        "An option for the device isn't known to the installed torch.",
        "Correct PYTORCH_CUDA_ALLOC_CONF or the device's name.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "library-not-loadable",
        When(
            message=r"could not load libtorchcodec|library (?:lib)?cu\w{1,30}[\w.]{0,20} is not found or cannot be loaded|sndfile library not found"
        ),
        "A shared library that a package needs isn't installed.",
        "Install the system package that holds it, or add its directory to LD_LIBRARY_PATH.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "compute-type-unsupported",
        When(message=r"do not support efficient (?:float16|bfloat16|int8)"),
        "The device can't compute in the type that is asked for.",
        "Choose another compute type, or another device.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    fatal(
        "estimator-unfit",
        When(type=("NotFittedError",)),
        "The estimator in the archive was never fitted.",
        "Pack the fitted one.",
        since=_SINCE,
    ),
    fatal(
        "estimator-of-another-version",
        When(message=r"node array from the pickle|incompatible dtype from the pickle"),
        "The estimator was pickled by another version of its library.",
        "Install that version, or save the estimator again.",
        since=_SINCE,
    ),
    fatal(
        "model-directory-incomplete",
        When(
            message=r"could not find savedmodel|unable to open file: name = '(?!/)[\w.\-/]{1,200}', errno = 2"
        ),
        "The directory doesn't hold the model that the library looks for.",
        "Pack the whole directory, or correct the path.",
        since=_SINCE,
    ),
    fatal(
        "opset-unsupported",
        When(message=r"unsupported onnx opset|unsupported onnx (?:data|operator)"),
        "The ONNX model needs a newer runtime.",
        "Export it for the installed runtime's opset.",
        since=_SINCE,
    ),
    fatal(
        "encoding-unknown",
        When(message=r"^unknown encoding: |configured to use ascii as encoding"),
        "The text encoding that is asked for, or the host's, can't be used.",
        "Correct its name, or set LANG=C.UTF-8.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
