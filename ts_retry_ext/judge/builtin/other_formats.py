"""Files of Keras, llama.cpp, trees, arrays and pictures that are of another format or version."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.damaged_file import CATBOOST, DATA, JSON, WEIGHTS
from ts_retry_ext.judge.rule import When

ABOUT_WEIGHTS = True
_SINCE = "2026-11-23"

RULES = (
    fatal(
        "keras-of-another-version",
        When(
            message=any_of(r"""
                # Keras 2 and 3
                unrecognized keyword arguments passed to \w|could not (?:locate|deserialize) (?:class|function) '
                \bunknown (?:layer|optimizer|loss|metric)(?: function)?: ['\"]?\w
            """)
        ),
        "The model was saved by another version of Keras than the installed one, or with a class of its own.",
        "Install the Keras or TensorFlow version that saved it, or save it again as .keras with the installed one; give classes "
        "of its own as custom_objects.",
        since="2026-11-26",
    ),
    fatal(
        "quantized-model-not-movable",
        When(
            message=any_of(r"""
                \.to.? is not supported for .?(?:4|8)-bit|already been set to the correct devices
            """),
        ),
        "A quantized model (4 or 8 bits) is moved with .to(), .cuda() or .half(), and it lies on its device already.",
        "Take that call out of the model's code; device_map and torch_dtype of from_pretrained say where and how it is loaded.",
        since="2026-11-27",
    ),
    fatal(
        "gguf-not-readable",
        When(
            message=any_of(r"""
                invalid gguf|gguf.{0,60}(?:not supported|magic)
            """),
        ),
        "The file is no GGUF that the installed library reads: another kind of file, cut, or of a newer version of the format.",
        "Look at the first four letters of {path|the file} (GGUF); update llama-cpp-python, or convert the model again.",
        since="2026-11-27",
    ),
    fatal(
        "quantization-asked-otherwise",
        # vLLM
        When(
            message=r"quantization method specified in the model config .{1,60} does not match the quantization method specified in the"
        ),
        "The model's code asks for another quantization than that of the weights.",
        "Leave the argument quantization out, or give it the method that config.json of the model names.",
        since="2026-11-27",
    ),
    fatal(
        "gguf-or-quantised-unfit",
        When(
            message=any_of(r"""
                # Transformers, vLLM
                unknown (?:model )?quantization (?:method|type)|quantization method .{0,80}(?:not|does)|quantization_config
                cannot find the config file for|unsupported quantization
                not supported with (?:gptq|awq|bitsandbytes|4-bit|8-bit)|quantized models? (?:is|are) not supported
                the quantization method .{0,60}is not supported
            """),
        ),
        "The quantization of these weights is not one that the installed library supports on this device.",
        "Update the library, install the package of the method (auto-gptq, autoawq, bitsandbytes), or pack weights that are "
        "quantized in another way; quantization_config in config.json names the method.",
        since=_SINCE,
    ),
    ambiguous(
        "gguf-not-loaded-unexplained",
        When(message=r"failed to load model from file: |failed to create llm '"),
        "The library says only that it could not load the model: a file that is cut or too new, or memory.",
        "Look above this one in the model log (verbose=True); compare size and checksum of the file.",
        since="2026-11-25",
    ),
    ambiguous(
        "picture-from-memory",
        When(message=r"cannot identify image files? <_io\.bytesio"),
        "What the code takes for a picture is not one; it was held in memory, so mostly an answer of a server.",
        "Look at what the server answers, or pack the picture with the model.",
        since="2026-11-25",
    ),
    fatal(
        "hdf5-file-cut",
        # h5py, of HDF5's own words: the file is shorter than its superblock says.
        When(message=r"truncated file: eof = \d+, sblock"),
        "An HDF5 file (.h5, .hdf5) is cut: it is shorter than its own header says.",
        "Pack the archive again from a sound file, and compare sizes or checksums.",
        since="2026-11-26",
        damaged_file=WEIGHTS,
    ),
    fatal(
        "catboost-file-not-one",
        When(
            message=any_of(r"""
                incorrect model file descriptor
            """),
        ),
        "What CatBoost reads is no model of CatBoost: the file begins with other bytes. It is empty or still being copied, of "
        "another format, or a pointer of Git LFS.",
        "Compare size and checksum of {path|the file that load_model is given} with those of its source, and give load_model "
        "the format that it was saved in (format='json', 'onnx'). Where a mount or a download brings the file, look at that; "
        "where the archive holds it, pack the whole file again.",
        since="2026-11-27",
        damaged_file=CATBOOST,
    ),
    fatal(
        "tree-model-not-one",
        When(
            message=any_of(r"""
                not a (?:valid )?(?:xgboost|lightgbm|sklearn|joblib)|input model is not a valid|wrong model format|doesn't specify the number of
                json\.exception\.parse_error|model format error|unknown format code|unknown model format
            """),
        ),
        "What the library reads is no model file of its own kind, or is cut.",
        "Compare size and checksum of {path|the file} with those of its source, and load it with the library and the call that "
        "belong to how it was saved (Booster.load_model, joblib.load, lightgbm.Booster(model_file=…)).",
        since="2026-11-27",
        damaged_file=DATA,
    ),
    fatal(
        "numpy-file-holds-objects",
        When(
            message=any_of(r"""
                failed to interpret file .{0,200}as a pickle|cannot load file containing pickled data|allow_pickle
            """),
        ),
        "The NumPy file holds Python objects, or is no NumPy file, and numpy.load does not read these unless told otherwise.",
        "Pass allow_pickle=True for a file that you trust, or save plain arrays; if the file should be an array, compare its "
        "size and checksum with those of its source.",
        since="2026-11-27",
        damaged_file=DATA,
    ),
    fatal(
        "picture-not-readable",
        When(
            message=any_of(r"""
                # pillow
                cannot identify image file
            """),
        ),
        "What the code opens as a picture is none that the installed pillow knows.",
        "Look at {path|the file}: is it whole, and of a format that pillow reads (HEIC and AVIF need a plug-in)? Pack the right one.",
        since="2026-11-27",
        damaged_file=DATA,
    ),
    fatal(
        "tensorflow-operator-unknown",
        When(
            message=any_of(r"""
                op type not registered|no such layer
            """),
        ),
        "The model has an operator or a layer that the installed TensorFlow does not have.",
        "Install the TensorFlow that saved it, and import the package that brings the operator before the model is loaded "
        "(tensorflow_text, tensorflow_addons).",
        since="2026-11-27",
        damaged_file=DATA,
    ),
    fatal(
        "hdf5-file-not-one",
        When(
            message=any_of(r"""
                # h5py
                unable to (?:synchronously )?open file .{0,80}signature|file signature not found
            """),
        ),
        "What is opened as HDF5 (.h5, .hdf5) is no HDF5 file: of another format (.keras is a zip file), cut, or a pointer of Git LFS.",
        "Load it with the call that belongs to its format; compare size and checksum of {path|the file} with those of its "
        "source, and pack the whole file.",
        since="2026-11-27",
        damaged_file=DATA,
    ),
    fatal(
        "image-volume-not-readable",
        # nibabel
        When(type=("nibabel.filebasedimages.ImageFileError",)),
        "What is opened as an image of brain or body (NIfTI, MGH, Analyze) is none, or is cut.",
        "Look at what {path|the file} begins with, and pack the real one; a .gz that was unpacked on the way keeps its name.",
        since="2026-11-27",
        damaged_file=DATA,
    ),
    fatal(
        "genai-configuration-not-read",
        # onnxruntime-genai
        When(message=r"error encountered while parsing '.{1,300}' json error: "),
        "The installed onnxruntime-genai does not read the model's configuration: a newer builder wrote it, or it is damaged.",
        "Update onnxruntime-genai to the version that built the model, or take out of {path|the file} the value that the message names.",
        since="2026-11-27",
        damaged_file=JSON,
    ),
    fatal(
        "keras-or-other-format",
        When(
            message=any_of(r"""
                # scikit-learn
                incompatible dtype from the pickle
                # protobuf
                ^error parsing message
                # OpenCV: -210, -212
                error: \(-21[02]:.{0,200}(?:failed to parse|unknown layer type|can't create layer)
                # pandas
                no columns to parse from file
                # Several
                dtype mismatch for
            """)
        ),
        "A file of the model is not of the format it is read as.",
        "Look at {path|the file}: give the loader the file and format that it is for, made with the installed version.",
        since=_SINCE,
        damaged_file=DATA,
    ),
)
