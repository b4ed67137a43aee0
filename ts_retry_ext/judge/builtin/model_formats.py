"""Other formats of a model's files: ONNX, TensorRT, tokenizers, quantised weights, Keras."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.builtin.weights import DOWNLOADERS
from ts_retry_ext.judge.damaged_file import DATA, TOKENIZERS, WEIGHTS
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

RULES = (
    ambiguous(
        "onnx-file-in-shared-place",
        When(
            message=r"\[onnxruntimeerror\].{0,600}(?:no_suchfile|file doesn't exist|system error number)",
            path="shared",
            unless=r"/models/[0-9a-f]{32}/",
        ),
        "An ONNX file is not there, or cannot be read, in a place that something else fills: a mount, a cache.",
        "Look at what fills it, and at the mount; correct the path if nothing does.",
        since="2026-11-25",
        scope=Scope.HOST,
    ),
    fatal(
        "onnx-providers-not-there",
        When(
            message=any_of(r"""
                since ort 1\.9, you are required to explicitly set the providers|onnx ?runtime.{0,60}providers explicitly
                specified provider '.{1,60}' is (?:unavailable|not in available provider names)
            """)
        ),
        "The code names no execution provider, or one that this build of onnxruntime lacks.",
        "Pass providers=onnxruntime.get_available_providers() to InferenceSession, or install the build that has the provider (onnxruntime-gpu).",
        since="2026-11-26",
    ),
    fatal(
        "onnx-input-does-not-fit",
        When(
            message=any_of(r"""
                \[onnxruntimeerror\] : 2 : invalid_argument : (?:got invalid dimensions for input|unexpected input data type|invalid rank for input)
                \[onnxruntimeerror\] : 2 : invalid_argument : (?:missing input|invalid (?:feed )?input name)|required inputs \(.{0,300}are missing from input feed
            """)
        ),
        "The input that the handler tries at load time does not fit the ONNX model.",
        "Correct the sample input: names, shapes and types are those of session.get_inputs().",
        since="2026-11-26",
    ),
    fatal(
        "onnx-file-damaged",
        When(
            message=any_of(r"""
                # ONNX Runtime
                \[onnxruntimeerror\] : 7[ ]|invalid_protobuf|failed:protobuf parsing failed|external initializer: .{1,200} out of bounds
                # onnx
                unable to parse proto from file
            """)
        ),
        "The ONNX file is cut or damaged, or is no ONNX file.",
        "Pack the whole file again (external data too), and compare sizes or checksums.",
        since="2026-11-26",
        damaged_file=WEIGHTS,
    ),
    fatal(
        "onnx-unloadable",
        When(
            message=any_of(r"""
                # ONNX Runtime
                \[onnxruntimeerror\] : (?:2|8|9|10|11)[ ]
                \[onnxruntimeerror\] : (?:1) : fail : .{0,200}(?:load model|type error|fatal error|not a registered|invalid|unsupported)
                invalid_graph|no_suchfile|protobuf parsing failed|opset \d+ is under development
                is not a registered function/op
                failed to load model with error
                could not find an implementation for|onnx model .{0,60}(?:does not|not) exist
                # onnx
                unsupported model ir version|no op registered for
                onnx\.onnx_cpp2py_export\.checker|model_proto
            """),
            unless=r"cuda failure|bfcarena|failed to allocate|out of memory|system error number (?:5|11|12|16|23|24|116)\b",
        ),
        "The ONNX model cannot be loaded by this runtime.",
        "Export it for the installed onnxruntime's opset and providers, and pack the whole file (external data too).",
        since=_SINCE,
    ),
    fatal(
        "tensorrt-engine-unfit",
        When(
            message=any_of(r"""
                # TensorRT
                serialization assertion .{0,120}failed|magictag
                engine (?:plan )?(?:file|is) (?:is )?(?:not compatible with|generated|built|incompatible with).{0,40}(?:version|tensorrt|gpu|device|platform|compute|hardware)|deserializecudaengine
                different version of tensorrt|expecting library version .{0,40}got|generated on an incompatible device
                engine deserialization failed|could not deserialize
                # torch
                stdarchivereader
            """)
        ),
        "The TensorRT engine was built for another version or GPU.",
        "Build the engine with the installed TensorRT on this GPU.",
        since=_SINCE,
    ),
    ambiguous(
        "tensorrt-gave-no-engine",
        When(
            type=("AttributeError",),
            # What TensorRT's ICudaEngine has: deserialize_cuda_engine gave None and logged why.
            message=r"^'nonetype' object has no attribute '(?:create_execution_context|num_io_tensors|num_bindings|get_tensor_\w+|get_binding_\w+)'",
        ),
        "TensorRT gave no engine: it was built for another version or GPU, the file is cut, or the device had no memory.",
        "Look above this one in the model log for TensorRT's own line; build the engine with the installed TensorRT on this GPU.",
        since="2026-11-26",
        scope=Scope.DEVICE,
    ),
    fatal(
        "faiss-index-of-another-kind",
        When(
            # A page ('<', '{') may be fetched anew, and zeros may still be written.
            message=r"faiss::.{1,400}index type 0x\w{1,8} \(['\"](?![<{\[\\]).{1,16}\) not recognized",
            unless_frame=DOWNLOADERS,
        ),
        "The file is no index that the installed faiss knows: 'vers' begins a Git LFS pointer, other letters an index of a newer faiss.",
        "Fetch the real file (git lfs pull) and pack the archive again, or update faiss.",
        since="2026-11-26",
        damaged_file=WEIGHTS,
    ),
    ambiguous(
        "faiss-index-not-read",
        When(
            message=r"faiss::.{1,400}(?:index type 0x\w{1,8}.{0,24} not recognized|read error in .{1,400} \(success\))",
        ),
        "The index of faiss is cut, empty or no index: in a shared place it may still be being written.",
        "Compare size and checksum of {path|the file}; look at what fetches or writes it, or pack it again.",
        since="2026-11-26",
    ),
    ambiguous(
        "json-empty",
        When(
            message=r"^eof while parsing a (?:value|object|list|string) at line \d+ column \d+$",
            path="shared",
        ),
        "A JSON file is empty or cut; in a shared place another process may be writing it.",
        "Look whether something downloads or copies it; else delete it so that it is fetched again.",
        since=_SINCE,
    ),
    ambiguous(
        "json-empty-unnamed",
        When(message=r"^eof while parsing a value at line 1 column 0$"),
        "A JSON file is empty, and the text does not say which; another process may be writing it.",
        "Look at tokenizer.json; delete an empty one in a cache so that it is fetched again, or pack the archive again.",
        since=_SINCE,
    ),
    fatal(
        "tokenizer-file-damaged",
        When(
            exact_type=("Exception",),
            message=r"at line \d+ column \d+$",
            # A page or an empty answer begins so: it may be fetched anew.
            unless=r"expected value at line 1 column [01]$|eof while parsing a value|\bresponse|\bbody\b|\brequest",
        ),
        "A file of the tokenizer is not what the installed tokenizers library reads: another version wrote it, or it is cut.",
        "Update tokenizers and transformers, or pack tokenizer.json again.",
        since="2026-11-26",
        damaged_file=TOKENIZERS,
    ),
    fatal(
        "tokenizer-file-damaged-in-library",
        When(
            message=r"at line \d+ column \d+$",
            frame=(
                "tokenizers",
                "transformers.tokenization_utils_fast",
                "transformers.tokenization_utils_tokenizers",
            ),
            unless=r"expected value at line 1 column [01]$|eof while parsing a value",
        ),
        "A file of the tokenizer is not what the installed tokenizers library reads: another version wrote it, or it is cut.",
        "Update tokenizers and transformers, or pack tokenizer.json again.",
        since="2026-11-26",
        damaged_file=TOKENIZERS,
    ),
    fatal(
        "tokenizer-unloadable",
        When(
            message=any_of(r"""
                # tokenizers
                data did not match any variant of untagged enum|error while initializing bpe|error while initializing wordpiece
                error while initializing unigram
                # transformers
                couldn't instantiate the backend tokenizer|tokenizer class .{1,80}(?:does not exist|is not currently imported)
                unk token .{0,60}not in the vocabulary|non-consecutive added token|unable to load vocabulary from file
                can't load the vocabulary|make sure that your vocabulary|converting from (?:tiktoken|sentencepiece)
                vocab(?:ulary)? file .{0,200}(?:does not exist|not found|missing)|can't find a vocabulary file at path
                tokenizer\.json.{0,60}(?:invalid|missing)
                # sentencepiece
                could not parse modelproto|internal: .{0,200}sentencepiece_processor\.cc|sentencepiece.{0,120}parsefromarray
                invalid model(?:proto)? file|loadfromfile .{0,40}not a string|^not a string$
                # Several
                error parsing line .{0,80}in .{0,200}tokenizer
            """)
        ),
        "The tokenizer's files do not fit the installed tokenizers library, or are damaged.",
        "Update tokenizers and transformers, or pack the tokenizer's files again.",
        since=_SINCE,
        damaged_file=TOKENIZERS,
    ),
    fatal(
        "keras-of-another-version",
        When(
            message=any_of(r"""
                # Keras 2 and 3
                unrecognized keyword arguments passed to \w|could not (?:locate|deserialize) (?:class|function) '|keras 3 only supports
                \bunknown (?:layer|optimizer|loss|metric)(?: function)?: ['\"]?\w
            """)
        ),
        "The model was saved by another version of Keras than the installed one, or with a class of its own.",
        "Install the Keras or TensorFlow version that saved it, or save it again as .keras (Keras 3 reads a SavedModel with keras.layers.TFSMLayer only); give classes of its own as custom_objects.",
        since="2026-11-26",
    ),
    fatal(
        "gguf-or-quantised-unfit",
        When(
            message=any_of(r"""
                # llama.cpp
                invalid gguf|gguf.{0,60}(?:not supported|magic)
                # Transformers, vLLM
                unknown (?:model )?quantization (?:method|type)|quantization method .{0,80}(?:not|does)|quantization_config
                cannot find the config file for|unsupported quantization
                not supported with (?:gptq|awq|bitsandbytes|4-bit|8-bit)|\.to.? is not supported for .?(?:4|8)-bit
                already been set to the correct devices|quantized models? (?:is|are) not supported
                the quantization method .{0,60}is not supported
            """),
        ),
        "The quantization of these weights is not supported here.",
        "Use weights, library and device that fit each other.",
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
        "keras-or-other-format",
        When(
            message=any_of(r"""
                # h5py
                unable to (?:synchronously )?open file .{0,80}signature|file signature not found
                # TensorFlow, Keras
                no such layer|op type not registered
                # XGBoost, LightGBM, CatBoost, scikit-learn
                not a (?:valid )?(?:xgboost|lightgbm|sklearn|joblib)|input model is not a valid|wrong model format
                doesn't specify the number of|incorrect model file descriptor|json\.exception\.parse_error
                incompatible dtype from the pickle|model format error|unknown format code|unknown model format
                # protobuf
                ^error parsing message
                # OpenCV: -210, -212
                error: \(-21[02]:.{0,200}(?:failed to parse|unknown layer type|can't create layer)
                # pillow
                cannot identify image file
                # pandas
                no columns to parse from file
                # NumPy
                failed to interpret file .{0,200}as a pickle|cannot load file containing pickled data|allow_pickle
                # Several
                dtype mismatch for
            """)
        ),
        "A model file is not of the format it is read as.",
        "Pack the file that fits the loader, made with the installed version.",
        since=_SINCE,
        damaged_file=DATA,
    ),
)
