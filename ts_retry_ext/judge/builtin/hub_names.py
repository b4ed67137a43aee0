"""Names of models, revisions and files that a hub or a library does not have."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.hubs import HUB_TOKEN
from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"
#: What a hub or a server of models says while it is at work.
_HUB_AT_WORK = r"\bloading\b|not yet|try again|\bretry|syncing|in progress"

RULES = (
    fatal(
        "hub-http-refused",
        When(
            type=("HfHubHTTPError", "huggingface_hub.errors.HfHubHTTPError"),
            http_status=("400", "401", "404", "410"),
            unless_type=("TimeoutError",),
        ),
        "The hub does not have this repository or file, or not for this token.",
        HUB_TOKEN,
        since=_SINCE,
    ),
    fatal(
        "hub-forbidden",
        When(
            message=r"\b403\b.{0,300}(?:gated|permission|token|authenticat)|forbidden: .{0,100}(?:access|permission|gated|token|authenticat)"
        ),
        "The hub forbids this token the access.",
        HUB_TOKEN,
        since=_SINCE,
    ),
    fatal(
        "library-model-unknown",
        # timm, open_clip
        When(
            message=r"^(?:runtimeerror: )?unknown model \([\w.\-/]{1,100}\)|invalid pretrained tag"
        ),
        "The installed library has no model of that name, or no weights of that tag for it.",
        "Correct the name (timm.list_models(), open_clip.list_pretrained()), or install the version that has it.",
        since="2026-11-26",
    ),
    fatal(
        "torch-hub-entry-unknown",
        When(
            message=any_of(r"""
                # torch.hub
                cannot find callable .{1,100} in hubconf|cannot find (?:hubconf|callable)|cannot find .{1,80} in https://github\.com
            """),
            unless=_HUB_AT_WORK,
        ),
        "The repository on GitHub has no hubconf.py, or no function of this name in it.",
        "Correct the name (torch.hub.list(repository) lists them) or the branch behind the colon, and delete the old copy in TORCH_HOME/hub.",
        since="2026-11-27",
    ),
    fatal(
        "pretrained-weights-unknown",
        When(
            message=any_of(r"""
                # timm, open_clip
                pretrained weights .{0,100}not (?:found|available)|no pretrained (?:weights|checkpoint|model|config)|no checkpoints exist for
            """),
            unless=_HUB_AT_WORK,
        ),
        "The library has no pretrained weights of this name.",
        "Take a name that the library lists (timm.list_models(pretrained=True), open_clip.list_pretrained()), pass "
        "pretrained=False and load the packed weights, or update the library.",
        since="2026-11-27",
    ),
    fatal(
        "hub-revision-or-file-unknown",
        When(
            message=any_of(r"""
                revision not found for url|entry not found for url|is not a valid git identifier
            """),
            unless=_HUB_AT_WORK,
        ),
        "The hub has the repository, and not the revision or the file that is asked for.",
        "Correct the revision, the file's name or the subfolder in the model's code or configuration; a token does not change it.",
        since="2026-11-27",
    ),
    fatal(
        "hub-model-unknown",
        When(
            message=any_of(r"""
                # huggingface_hub
                repository not found for url
                is not a valid (?:repo|repository|checkpoint) (?:name|id|identifier)
                # Old transformers
                model name .{1,200} was not found in model
                # Several
                is not a valid model (?:name|id)\b
                model ['\"]?[\w\-./:]{1,100}['\"]? (?:was )?not found(?:\W{0,3}$|,? (?:try|please|locally|on the hub|in (?:the )?(?:hub|model list)))
            """),
            unless=_HUB_AT_WORK,
        ),
        "The hub has no model, revision or file of that name, or not for this token.",
        HUB_TOKEN,
        since=_SINCE,
    ),
    fatal(
        "language-package-missing",
        # spaCy (E050). A name that is a path is a directory's, not a package's.
        When(message=r"\[e050\] can't find model '[a-z][\w.\-]{1,80}'"),
        "The package of a language that spaCy loads by name is not installed.",
        "Install it into TorchServe's environment (python -m spacy download NAME), or name its wheel in the archive's requirements.txt.",
        since="2026-11-26",
    ),
    fatal(
        "hub-file-missing",
        When(
            message=any_of(r"""
                error no file named|no file named .{1,300} found|there are no .{1,60} files in
                doesn't contain (?:any )?.{0,60}(?:files|weights)|can't find model '
                unable to find .{1,200} in (?:repo|directory)|no safetensors (?:files?|weights|found)
            """)
        ),
        "The repository or directory does not hold the file that the loader asks for.",
        "Correct the name, revision or format asked for, or pack the file.",
        since=_SINCE,
    ),
    ambiguous(
        "language-data-missing",
        # nltk.data.find. nltk.download returns False and raises nothing where the connection fails.
        When(
            type=("LookupError",),
            message=r"resource .{0,40}not found\. please use the nltk downloader",
        ),
        "NLTK's data is not in the folders where it looks. Probably final, unless the handler downloads it before: "
        "nltk.download() raises nothing if the connection fails.",
        "Put it into the image with python -m nltk.downloader, and set NLTK_DATA to its folder.",
        since="2026-11-26",
    ),
    ambiguous(
        "hub-model-not-loaded",
        When(
            message=any_of(r"""
                # transformers
                is not a valid model identifier|does not appear to have (?:a|any) files? named
                can'?t load (?:the )?(?:config(?:uration)?|model|tokenizer|feature extractor|image processor|processor|weights) ?(?:for|of)
                can't load .{1,80} for '|make sure that: - '|is not a correct model identifier
                # VLLM
                cannot find any model weights|no supported config format found
                # nltk
                resource .{0,40}not found\. please use the nltk
                # pip
                from versions: none
                # peft
                can'?t find '[\w.\-]{1,80}' at
                # huggingface_hub
                file_metadata|distant resource does not
                # Several
                couldn't find (?:any|a) (?:file|module|checkpoint)|unable to load .{0,40}from the hub
            """)
        ),
        "The library says only that it could not load the model; a lost connection says the same.",
        "Check the name; try the download by hand on this host.",
        since=_SINCE,
    ),
)

FALLBACKS = (
    ambiguous(
        "drive-file-not-public",
        When(
            message=any_of(r"""
                # gdown
                cannot retrieve the public link of the file
            """),
        ),
        "Google Drive gives no public link to the file: it is not shared with everybody who has the link, or too many have "
        "fetched it (then for up to 24 hours).",
        "Set its sharing to 'Anyone with the link' and open the link without a login; if that works, wait, or keep the file in "
        "a store of your own. The network has no part in it.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    ambiguous(
        "download-failed-unexplained",
        When(
            message=any_of(r"""
                unable to (?:download|fetch)|failed to (?:download|fetch|retrieve)|downloading .{0,200}failed
                could not (?:download|fetch)|error downloading|download (?:failed|error)
            """)
        ),
        "A download failed, and the text does not say why.",
        "Look above this one in the model log; try the download by hand on this host.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
