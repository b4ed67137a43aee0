"""Imports: modules and names that are not there, packages that are required, versions of Python."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.builtin.words import ENVIRONMENT_TYPES
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"
_LOADING = (Phase.STARTUP, Phase.IMPORT, Phase.CONSTRUCT, Phase.INITIALIZE)

# An import that failed needs no further evidence, whatever words its text holds, as long as no failure
# of the environment led to it.

FATAL_IN_DISGUISE = (
    ambiguous(
        "generated-module-missing",
        When(
            type=("ImportError",),
            message=r"transformers_modules|torch_?extensions|torchinductor|\.triton|triton.{0,40}cache",
        ),
        "A module that is written into a shared cache at load time is not there: two workers may have met.",
        "Give each worker its own HF_HOME or TORCH_EXTENSIONS_DIR, or fill the cache beforehand.",
        since=_SINCE,
    ),
    ambiguous(
        "generated-module-half-written",
        When(
            type=("SyntaxError", "AttributeError", "FileNotFoundError"),
            message=any_of(r"""
                module '(?:\w+\.)*transformers_modules|invalid syntax|null bytes|never closed|unexpected eof
                expected an indented block|unterminated|transformers_modules
            """),
            frame=("transformers.dynamic_module_utils",),
        ),
        "Code of a hub that is copied into a shared cache at load time is not whole: two workers may have met.",
        "Give each worker its own HF_HOME, or fill the cache beforehand; else the code and this Python do not fit.",
        since="2026-11-25",
    ),
    fatal(
        "module-shadowed",
        When(
            type=("ImportError", "AttributeError"),
            shadowed="yes",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "{shadow|A file} of the archive hides the module of the same name: the model's directory comes first on the import path.",
        "Rename {shadow|it} and what imports it, then pack the archive again; nothing has to be installed.",
        since="2026-11-26",
    ),
    fatal(
        "torchserve-module-missing",
        When(
            type=("ImportError",),
            message=r"no module named '?ts(?:'|\.(?!torch_handler\.)|$)",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "{module|A module} belongs to TorchServe, and this worker's Python does not have it.",
        "Install torchserve into the Python that runs the workers (a virtual environment of the model's own needs it too), or update it.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    fatal(
        "startup-module-missing",
        When(
            type=("ImportError",),
            phase=(Phase.STARTUP,),
            message=r"no module named",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "TorchServe's worker itself cannot start: {module|a module} that it needs is not installed.",
        "Install {installed_as|the module that is named} into TorchServe's environment; it affects every model.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "part-of-namespace-missing",
        When(
            type=("ImportError",),
            message=r"no module named",
            # Packages that many distributions share; each of them brings a part.
            module=(
                "google.*",
                "azure.*",
                "opentelemetry.*",
                "nvidia.*",
                "ruamel.*",
                "backports.*",
            ),
            unless_type=ENVIRONMENT_TYPES,
        ),
        "{module|A part of a package that several distributions share} is not installed: each part is a distribution of its own.",
        "Install the distribution that has {module|it}, mostly called {distribution|like the module, with hyphens}, or name it "
        "in the archive's requirements.txt.",
        since="2026-11-26",
    ),
    fatal(
        "pickle-needs-another-version",
        When(
            type=("ImportError",),
            message=r"no module named (?!'?ts\.)['\"]?\w+\.\w",
            frame=("pickle", "joblib", "dill", "cloudpickle", "torch.serialization"),
            unless_type=ENVIRONMENT_TYPES,
        ),
        "A pickled file asks for {module|a module} that the installed {parent_package|library} does not have: another version wrote it.",
        "Install the version of {parent_package|the library} that wrote the file (name it in the archive's requirements.txt), or load it "
        "there and save it anew with the version that is installed here.",
        since="2026-11-27",
    ),
    fatal(
        "submodule-missing",
        When(
            type=("ImportError",),
            message=r"no module named (?!'?ts\.)['\"]?\w+\.\w",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "{parent|The package} is there, but its part {module|that is imported} is not: mostly another version is installed.",
        "Install the version of {parent_package|the package} that has {module|it}; if {parent|the package} is your own, pack "
        "the file with --extra-files.",
        since="2026-11-26",
    ),
    fatal(
        "handler-not-named",
        When(
            type=("ImportError",),
            # The folder that the archive was unpacked to (0.12.0 ModelManager.createModelArchive).
            message=r"no module named '[0-9a-f]{32}'$",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "The archive names no handler: it has no MAR-INF/MANIFEST.json, or was cut, and TorchServe takes the name of the model's folder for one.",
        "Pack or copy the archive again; ts-retry check tells what is wrong with it. A folder without a manifest needs "
        "default_service_handler in config.properties.",
        since="2026-11-26",
    ),
    fatal(
        "module-missing",
        When(
            type=("ImportError",),
            message=r"no module named (?!'?ts\.torch_handler\.)",
            unless_type=ENVIRONMENT_TYPES,
        ),
        "{module|A module} that the code imports is not installed and is not in the archive.",
        "Install {installed_as|it}, name it in the archive's requirements.txt (install_py_dep_per_model=true), or "
        "pack the file with --extra-files.",
        since=_SINCE,
    ),
)

RULES = (
    fatal(
        "module-missing-text",
        When(
            message=r"no module named (?!'?ts\.torch_handler\.)['\"]?[\w.]+|cannot import name ['\"]\w+"
        ),
        "A module or a name that the code imports is not there.",
        "Install the version the code was written for, or pack the file with --extra-files.",
        since=_SINCE,
    ),
    fatal(
        "system-library-missing",
        When(
            # What Python packages say that look for a library or a program of the system.
            message=any_of(r"""
                # sounddevice, soundfile, python-magic, pyzbar, phonemizer, cairocffi, pydub, pdf2image, weasyprint
                (?:portaudio|sndfile|openal|libusb|sdl2?|mecab|graphviz|geos|gdal|proj) library not found|failed to find libmagic
                unable to find (?:\w+ ){1,3}shared library|espeak(?:-ng)? not installed on your system|no library called ['\"][\w.+\-]{1,60}['\"] was found
                unable to get page count\. is poppler installed|couldn't find ffmpeg or avconv|ffmpeg (?:was )?not found|could not find proj_data
            """)
        ),
        "A library or a program of the system that a Python package needs is not installed; pip does not bring it.",
        "Install it into the image with the system's package manager (apt-get install): the message names it.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    fatal(
        "odbc-driver-missing",
        When(
            # unixODBC: 01000, IM002
            message=r"\[unixodbc\]\[driver manager\](?:can't open lib|data source name not found|driver's sqlallochandle)"
        ),
        "The ODBC driver that the connection string names is not installed, or is not in odbcinst.ini.",
        "Install the driver's package (msodbcsql18 for SQL Server), or correct its name: odbcinst -q -d lists those that are there.",
        since="2026-11-26",
        scope=Scope.HOST,
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
            message=any_of(r"""
                # transformers
                requires the .{1,80}(?:library|package)
                requires? (?:accelerate|bitsandbytes|optimum|auto-gptq|autoawq|flash[-_]attn|sentencepiece|protobuf|tiktoken|timm|peft|einops)
                but it was not found in your environment
                # Several
                (?:package|module) (?:is required for|must be installed)
                (?:library|package|module) (?:is )?not (?:been )?(?:found|installed)|pip3? install
                please install (?:the )?['\"`]?[\w\-.\[\]]{1,40}['\"`]?(?:\W{0,2}$|[.,;=<>]| (?:first|using|with|via|by|from|and|to|or|package|library|>=|==))
                is required to (?:use|run|load)|need to install|must (?:be )?install|conda install
                [\w\-.\])'\"`] is not installed(?:\W{0,3}$|[.,;:)]| (?:or|and|but|please|properly|on (?:this|the|your) \w+)\b| in (?:the|your) (?:env|sys|im)\w+)
                not installed(?:\W{0,3}$|[.,;:)])
            """),
            unless=r"tesseract|ffmpeg|poppler|\bjava\b|connection|timed out|max retries|could not reach|cannot reach|\bretry|try again"
            r"|does not recognize this architecture",
        ),
        "The code needs {needed|a package} that is not installed, or a newer version of it.",
        "Install {needed|it} into TorchServe's environment, or name it in the archive's requirements.txt; if it is installed, update it.",
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
            message=any_of(r"""
                bad magic number in ['\"]?[\w.]+|python version mismatch|was compiled for python|requires python '?[<>=]
                python \d\.\d+ or (?:later|newer|higher) is required
            """)
        ),
        "Compiled code or a package is for another version of Python.",
        "Use that version of Python, or build the package for this one.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)

FALLBACKS = (
    fatal(
        "import-error-told-by-transformers",
        When(
            message=any_of(r"""
                failed to import [\w.]+ because of the following error.{0,80}: ?.{0,600}(?:is not defined|has no attribute|cannot import name| \
                no module named|undefined symbol|invalid syntax|unexpected keyword|positional argument|not installed|is required|requires |incompatib| \
                compiled (?:with|against|for)|unsupported operand|not subscriptable|metaclass|already registered|partially initialized|not supported)
            """),
            unless=any_of(r"""
                temporar|\bbusy\b|stale|timed out|input/output error|too many open|allocate|out of memory|map segment|connection
                no space|no such file|ran out of input|unknown error|not enough|page ?file
            """),
        ),
        "A module of transformers cannot be imported; the text behind the colon says why.",
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
            unless=r"temporar|busy|stale|timed out|input/output error|too many open|cannot allocate|failed to map segment|too short|elf header|shared object|paging files?",
        ),
        "An import failed, and nothing speaks for a passing cause.",
        "Install or correct the module that is named.",
        since=_SINCE,
    ),
)
