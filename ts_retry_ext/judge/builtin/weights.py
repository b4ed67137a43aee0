"""Weights: torch, TorchScript, safetensors and pickle; files of them that are cut or do not fit."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.damaged_file import WEIGHTS
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

ABOUT_WEIGHTS = True
_SINCE = "2026-11-23"

_ARCHIVE = (
    "Compare size and checksum of {path|the file} with those of its source. If it is one of the archive, pack it again; if it lies in a "
    "cache, delete it there once nothing writes it any more."
)

#: What loaders say of a file that ends too early or holds something else.
_CUT = any_of(r"""
    # Torch's reader
    pytorchstreamreader failed|failed finding central directory|file in archive is not in a subdirectory
    only one file ?\(not dir\) is allowed in the zipfile|storage has wrong (?:byte )?size|invalid magic number
    file not found in archive|enforce fail at inline_container|only tensors, lists, tuples of tensors
    error in reading the archive|failed reading zip archive
    # pickle
    ran out of input|pickle data was truncated
    # zipfile
    end-of-central-directory|(?:finding|no|for|find(?: the)?) central directory|central directory (?:record|header|not found)|not a zip archive|file is not a zip file|bad magic number for
    bad crc-?32|zipfile.{0,30}invalid
    # numpy
    failed to read all data for array|cannot reshape array of size|eof: reading array (?:header|data), expected
    # gzip
    not a gzipped file|compressed file ended before
    # Several
    (?:file|checkpoint|weights|archive)\b.{0,60} not fully written|unexpected end of (?:data|file)(?:\W{0,3}$|[:;,(]| (?:at|while|when)\b)|unexpected eof\b
    corrupted (?:file|zip|record at \d)
    the file might be corrupted|file (?:is|may be|might be|appears to be|seems to be) (?:corrupt|truncated|damaged)
    filesize .{0,40}invalid
""")

#: Modules that fetch the file they load: they may fetch it again, or find it in their cache.
DOWNLOADERS = (
    "urllib3",
    "requests",
    "http.client",
    "botocore",
    "httpx",
    "aiohttp",
    "torch.hub",
    "gdown",
    "wget",
    "huggingface_hub.file_download",
    "huggingface_hub._snapshot_download",
)
#: Types that say by themselves that the network cut the file.
_CONNECTION = ("ConnectionError", "TimeoutError", "HTTPException", "HTTPError", "Timeout")

FATAL_IN_DISGUISE = (
    fatal(
        "weights-not-torchscript",
        # torch.jit.load of what torch.save wrote: a sound file, which lacks what only torch.jit.save writes.
        When(message=r"failed locating file constants\.pkl"),
        "The file is no TorchScript: it holds a state dict or a pickled model, as torch.save writes it.",
        "Pack the model's class, too, with --model-file, or save the model with torch.jit.save.",
        since="2026-11-26",
    ),
    fatal(
        "weights-left-without-data",
        When(
            message=any_of(r"""
                cannot copy out of meta tensor|meta tensors? (?:cannot|can't|has no|have no)|is on the meta device
                tensor\.item\(\) cannot be called on meta|tensor on device meta is not on the expected device
            """)
        ),
        "The model was built without memory (on the 'meta' device), and a part of it got no weights before it was moved.",
        "Load the weights with assign=True or move the model with to_empty() first; with transformers drop .to() where "
        "device_map is given, or set low_cpu_mem_usage=False.",
        since="2026-11-26",
    ),
)

RECOVERABLE_IN_DISGUISE = (
    curable(
        "download-fails-its-check",
        When(
            message=any_of(r"""
                # huggingface_hub
                consistency check failed|please retry with .?force_download|file should be of size
                # torch.hub
                invalid hash value
                # whisper, open_clip
                retry loading the model|checksum doesn'?t match
                # botocore
                flexiblechecksumerror
                # Urllib, wget
                retrieval incomplete|data transmission was incomplete|content ?length mismatch|got only \d+ out of \d+ bytes
                # Several
                (?:hash|checksum|md5|sha256) (?:of .{0,200})?(?:does(?: not|n't) (?:not )?match|mismatch|did(?: not|n't) match)
                does not match the expected (?:hash|checksum)|checksum mismatch
                download(?:ed)? (?:was )?(?:incomplete|interrupted|corrupt)
            """),
        ),
        "A download came damaged; it is thrown away and fetched again.",
        "Nothing to repair; look at the network or a proxy that changes files if it goes on.",
        since=_SINCE,
    ),
    curable(
        "download-fails-its-check-by-type",
        When(type=("FlexibleChecksumError", "google.resumable_media.common.DataCorruption")),
        "A download came damaged; the next one is fetched afresh.",
        "Nothing to repair; look at the network or a proxy that changes files if it goes on.",
        since="2026-11-25",
    ),
    ambiguous(
        "weights-not-written",
        When(message=r"unexpected pos \d+ vs|pytorchstreamwriter failed|file write failed"),
        "torch could not write a file to its end: the disk or the quota is full, or the mount failed.",
        "Make room where the model writes while it loads.",
        since="2026-11-25",
        scope=Scope.HOST,
    ),
    ambiguous(
        "download-unpacked-badly",
        When(
            type=("BadZipFile", "tarfile.TarError", "zlib.error", "BadGzipFile"),
            frame=(
                "nltk",
                "gdown",
                "wget",
                "urllib.request",
                "requests",
                "keras.utils",
                "tensorflow_hub",
                "torchvision.datasets",
                "torch.hub._load_local",
                "torch.hub._get_cache_or_reload",
                "modelscope",
                "paddle",
                "datasets",
                "spacy.cli",
            ),
            unless_type=_CONNECTION,
        ),
        "A packed download is cut or damaged; what fetched it may fetch it again, or find it in its cache.",
        "Delete the file from the cache; look at the network or a proxy if it goes on.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "packed-file-of-unknown-origin",
        When(
            type=(
                "BadZipFile",
                "tarfile.TarError",
                "tarfile.ReadError",
                "BadGzipFile",
                "zlib.error",
                "LZMAError",
                "EOFError",
            ),
            frame=("zipfile", "tarfile", "gzip", "bz2", "lzma"),
            unless=r"/models/[0-9a-f]{32}/",
            unless_frame=("torch", "numpy", "joblib", "pickle", "keras", "ts.torch_handler"),
            unless_type=_CONNECTION,
        ),
        "The code unpacks a file that is cut or damaged: one of the archive stays so, a download or a file that "
        "another worker unpacks at the same moment does not.",
        "Compare size and checksum; unpack into a directory of the worker's own.",
        since="2026-11-25",
    ),
)

RULES = (
    ambiguous(
        "compile-cache-cut",
        When(
            type=("EOFError", "UnpicklingError", "JSONDecodeError", "RuntimeError"),
            frame=(
                "torch._inductor",
                "torch._dynamo",
                "triton",
                "torch.utils.cpp_extension",
                "datasets",
            ),
            message=r"ran out of input|pickle|unexpected end|truncated|expecting|char \d+",
        ),
        "An entry of a shared compile cache is cut: another worker may be writing it.",
        "Give each worker its own cache directory, or fill it beforehand.",
        since=_SINCE,
    ),
    fatal(
        "state-dict-mismatch",
        When(
            message=any_of(r"""
                # torch
                error\(s\) in loading state_dict|missing key\(s\) in state_dict|unexpected key\(s\) in state_dict
                size mismatch for|copying a param with shape|expected state_dict to be|the size of tensor a .{1,40} must match
                while copying the parameter named
                # Transformers, accelerate, diffusers
                mismatched size|loading a checkpoint for .{1,80} with \d+ corresponding to|trying to set a tensor of shape
                ignore_mismatched_sizes
                # torch.distributed.checkpoint
                missing key in checkpoint state_dict|size mismatch between saved
                # TensorFlow, h5py
                \bkey [\w/.:\-]{1,200} not found in checkpoint|open object \(object .{1,200} doesn't exist\)
                # Several
                keys? (?:are )?missing (?:from|in) (?:the )?(?:checkpoint|state_dict)
                shapes? .{1,60} (?:do(?:es)? not|don't|didn't) match|shape mismatch.{0,120}[\[(]\d
                mismatch(?:ed)? (?:in )?(?:weight|tensor|parameter) (?:shape|size)
            """)
        ),
        "The weights do not belong to this model class: names or shapes differ.",
        "Pack the weights and the model file of one and the same model.",
        since=_SINCE,
    ),
    ambiguous(
        "weights-cut-in-shared-cache",
        When(
            message=any_of(r"""
                # torch
                pytorchstreamreader failed|failed finding central directory
                # pickle
                ran out of input|pickle data was truncated
                # zipfile, HDF5
                unexpected end of (?:data|file)|unexpected eof|not a zip file|truncated file\b
                # protobuf
                protobuf parsing failed
                # transformers
                unable to load weights from|not a valid json
                # safetensors
                incomplete metadata, file not fully covered|invalid header|header ?too ?(?:large|small)
                metadata ?incomplete ?buffer
            """),
            path="shared",
            unless=r"/models/[0-9a-f]{32}/",
        ),
        "A file of weights in a shared place is cut: it may still be being written there.",
        "Look whether something downloads or copies it; else delete it so that it is fetched again.",
        since=_SINCE,
    ),
    ambiguous(
        "weights-not-readable",
        When(message=r"failed reading files? .{1,200}: files? read failed"),
        "A part of the weights could not be read: the file is cut, or the disk or mount failed.",
        "Compare size and checksum of the file; look at dmesg and at the mount.",
        since=_SINCE,
    ),
    ambiguous(
        "page-instead-of-weights",
        When(
            # pickle and gzip show the first character, torch its number
            message=r"invalid load keys?, ['\"`]?[<{]|not a gzipped file \(b['\"][<{]|unsupported operand (?:60|123)\b",
            unless_frame=("ts.torch_handler",),
        ),
        "The file holds a page or an answer of a server: fetched at load, the next one may be sound; packed so, it stays.",
        "Look at what the file begins with, and at what fetches it; pack the real file.",
        since="2026-11-25",
    ),
    fatal(
        "weights-cut",
        When(
            message=_CUT,
            unless=r"files? read failed",
            unless_frame=DOWNLOADERS,
        ),
        "A file of weights is cut or damaged.",
        _ARCHIVE,
        since=_SINCE,
        damaged_file=WEIGHTS,
    ),
    ambiguous(
        "weights-cut-in-download",
        When(message=_CUT, frame=DOWNLOADERS),
        "A downloaded file of weights is cut or damaged; what fetched it may fetch it again, or find it in its cache.",
        "Delete the file from the cache; look at the network or a proxy if it goes on.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "weights-empty",
        When(
            type=("EOFError",),
            frame=("torch.serialization", "torch.jit", "pickle", "joblib", "dill", "cloudpickle"),
        ),
        "A file of weights is empty or cut.",
        _ARCHIVE,
        since=_SINCE,
        damaged_file=WEIGHTS,
    ),
    fatal(
        "weights-not-a-pickle",
        When(
            message=any_of(r"""
                # pickle
                invalid load key|could not find mark|unsupported pickle protocol|unpickling stack underflow|^stack underflow$
                pickle exhausted before end
                # torch
                unregistered persistent id|persistent_load|a load persistent id instruction|legacy load function|\.tar support
                magic_number|unsupported operand (?:\d\d|1[01]\d|12[0-7])\b
                # transformers
                unable to locate the file .{0,200}which is necessary to load
                unable to load weights from (?:pytorch )?checkpoint file for ['\"]?[^'\"]{1,300}\.(?:bin|pth?|ckpt|h5|safetensors)\b
                # Git LFS
                you seem to have cloned a repository without having git-lfs|git-?lfs
                # Several
                not a supported wheel|unrecognized (?:file|checkpoint) format|does not look like a (?:model|checkpoint)
            """)
        ),
        "A file of weights is not what its name says; a Git LFS pointer begins with 'v', a page with '<'.",
        "Fetch the real file (git lfs pull) and pack the archive again.",
        since=_SINCE,
        damaged_file=WEIGHTS,
    ),
    ambiguous(
        "weights-not-loaded-unexplained",
        When(message=r"unable to load weights from (?:\w+ )?(?:checkpoint )?file"),
        "The library says only that it could not load the weights: a cut file, a file of another kind, or memory.",
        "Look above this one in the model log; compare size and checksum of the file.",
        since=_SINCE,
    ),
)
