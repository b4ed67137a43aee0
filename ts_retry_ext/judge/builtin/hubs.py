"""Model hubs: Hugging Face, torch.hub, timm, ModelScope; and what transformers says of a model."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"

#: An absolute local path where a hub's name for a model should stand.
_LOCAL = r"['\"`]?(?<![:/\w])(?:/(?!/)[\w.\-]+/|\.{1,2}/|~/|[a-z]:\\)"
#: What huggingface_hub says of such a path.
_NO_HUB_NAME = r"repo id must (?:be|use|have|not)|repo_id.{0,60}must"
#: What the hub says of a state that passes.
_HUB_IN_TROUBLE = (
    r"\b(?:429|5\d\d) (?:client|server) error|rate.?limit|too many requests|expired signature"
)
HUB_TOKEN = (
    "Give TorchServe's process HF_TOKEN of an account with access, and check the repository's name."
)

FATAL_IN_DISGUISE = (
    ambiguous(
        "hub-access-awaits-review",
        When(message=r"awaiting a review from the repo authors"),
        "The repository is gated; access is asked for, and its authors have not answered yet.",
        "Wait for their answer (the repository's page shows it), or use HF_TOKEN of an account with access.",
        since="2026-11-26",
    ),
    fatal(
        "hub-offline-mode",
        When(
            message=any_of(r"""
                offline mode is enabled|outgoing traffic has been disabled|hf_hub_offline|transformers_offline
                local_files_only ?= ?true|'local_files_only' to false|set local_files_only|\(local_files_only\b
            """)
        ),
        "Downloads are switched off and the files are not in the local cache.",
        "Put the model into the archive or the cache, or unset HF_HUB_OFFLINE and local_files_only.",
        since=_SINCE,
    ),
    fatal(
        "hub-access-not-asked-for",
        When(
            type=("GatedRepoError",),
            message=r"not in the authorized list",
        ),
        "The repository is gated, and this account is not one of those that may read it.",
        "Ask for access with this account at the address in the message, or give TorchServe's process HF_TOKEN of an account that has it.",
        since="2026-11-27",
    ),
    fatal(
        "hub-access-gated",
        When(type=("GatedRepoError",)),
        "The repository is gated and this process has no access to it.",
        HUB_TOKEN,
        since=_SINCE,
    ),
    fatal(
        "hub-access-gated-text",
        When(
            message=any_of(r"""
                # The Hub, of a repository
                gated repo|access to (?:this )?(?:model|repo|dataset).{0,200} is restricted
                you must (?:be authenticated|have access to it)|your request to access|ask for access\.?$
                is currently (?:disabled|restricted)|repo .{0,100}is (?:disabled|gated)
                # The Hub, of its token
                invalid (?:user token|username or password|credentials in authorization)
                user access token .{0,40}(?:expired|invalid)|token .{0,40}(?:is invalid|has expired|is required)
                expired or invalid token
            """)
        ),
        "The hub asks for a token with access to this repository.",
        HUB_TOKEN,
        since=_SINCE,
    ),
    fatal(
        "hub-revision-missing",
        When(
            type=("RevisionNotFoundError",),
            unless_type=("ConnectionError", "Timeout", "TimeoutError"),
            unless=_HUB_IN_TROUBLE,
        ),
        "The hub has the repository, and not the revision (branch, tag or commit) that is asked for.",
        "Correct the revision in the model's code or configuration; the repository's page lists its branches and tags.",
        since="2026-11-27",
    ),
    fatal(
        "hub-file-not-in-repository",
        When(
            # Which one depends on the version. A type made from the latter says that the hub was not reached.
            exact_type=("RemoteEntryNotFoundError", "EntryNotFoundError"),
            unless_type=("ConnectionError", "Timeout", "TimeoutError", "LocalEntryNotFoundError"),
            unless=_HUB_IN_TROUBLE,
        ),
        "The hub has the repository, and not the file that is asked for in this revision.",
        "Correct the file's name, the subfolder, the variant or the revision; a token does not change it.",
        since="2026-11-27",
    ),
    fatal(
        "hub-repository-missing",
        When(
            type=(
                "RepositoryNotFoundError",
                "DisabledRepoError",
                "huggingface_hub.errors.BadRequestError",
                "huggingface_hub.utils._errors.BadRequestError",
            ),
            unless_type=("ConnectionError", "Timeout", "TimeoutError"),
            unless=_HUB_IN_TROUBLE,
        ),
        "The hub does not have this repository, revision or file, or not for this token.",
        HUB_TOKEN,
        since=_SINCE,
    ),
    ambiguous(
        "hub-name-is-a-directory-in-shared-place",
        When(message=_NO_HUB_NAME, path="shared"),
        "A path is given where a hub's name is expected: the directory is not there, in a place that may be mounted or filled later.",
        "Correct the path {path|that is named}, or see to it that the volume is mounted before TorchServe starts.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    fatal(
        "hub-name-is-a-missing-directory",
        When(message=_NO_HUB_NAME),
        "A path is given where a hub's name is expected: the directory does not exist here.",
        "Correct the path {path|that is named}, or pack the directory into the archive.",
        since=_SINCE,
    ),
    fatal(
        "local-directory-without-file",
        When(
            message=any_of(r"""
                error no file named .{1,300} found in directory (?!(?:/tmp|/var/tmp|/dev|/run)/)(?![^ ]{0,300}(?:\.cache/|/snapshots/|models--|/mnt/| \
                /efs|/fsx|/nfs|/gcs|/s3|/pvc|/shared?/|/volumes?/))(?:/(?!/)|\.{1,2}/|~/|[a-z]:\\)
            """),
        ),
        "A local model directory is there, but a file that the loader asks for is not in it.",
        "Pack the file, or ask for the variant or format that is there.",
        since=_SINCE,
    ),
    ambiguous(
        "local-directory-missing-in-shared-place",
        When(
            unless=r"internet connection|couldn't connect|could not be reached",
            message=any_of(r"""
                # Transformers, vLLM: a directory on a mount or in a cache
                (?:can'?t load|cannot find any model weights|incorrect path_or_model_id|is not a local folder|looks like|does not appear to have| \
                not the path to a directory|no file named|does not exist|path) .{0,300}['\"`]?(?:/mnt/|/efs|/fsx|/nfs|/gcs|/s3|/pvc|/shared?/| \
                /volumes?/|/data/|/[\w.\-/]{0,200}/(?:\.cache|snapshots|hub)/)
            """),
            unless_type=("GatedRepoError",),
        ),
        "A local model directory is not there; it lies in a place that may be mounted later.",
        "Correct the path, or see to it that the volume is mounted before TorchServe starts.",
        since=_SINCE,
    ),
    fatal(
        "local-directory-missing",
        When(
            message=r"(?:can'?t load (?:the )?(?:\w+ )?(?:for|from)|make sure (?:that )?-?|incorrect path_or_model_id:?|it looks like|error no file named .{1,300} found in directory) "
            + _LOCAL
            + r"|can'?t find '[\w.\-]{1,80}' at "
            + _LOCAL
            + r"|cannot find any model weights with "
            + _LOCAL
            + r"|"
            + _LOCAL
            + r"[^'\"`]{0,300}['\"`]? (?:is not a local folder|does not appear to have (?:a|any)|is the correct path|is not the path to a directory)"
        ),
        "A local model directory or a file in it is missing; the hub was asked only because of that.",
        "Correct the path {path|that is named}, or pack the directory into the archive.",
        since=_SINCE,
    ),
)

RECOVERABLE_IN_DISGUISE = (
    ambiguous(
        "hub-answers-unlike-a-hub",
        When(message=r"distant resource does not (?:seem to be on|have)"),
        "Something else than the hub answered: a firewall, a proxy or a mirror that leaves headers out.",
        "Try the download by hand on this host; check HF_ENDPOINT, proxy and firewall.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    curable(
        "hub-unreachable",
        When(
            message=any_of(r"""
                # Transformers, datasets
                couldn't reach|we couldn't connect to|couldn'?t connect to 'https
                can'?t (?:reach|connect to) (?:the )?(?:hub|server|huggingface)
                there was a specific connection error when trying to load|cannot find an appropriate cached snapshot folder
                # huggingface_hub
                error happened while trying to locate the files? on the hub
                and we cannot find the (?:requested files|appropriate snapshot)|look-up and download(?:s)? .{0,40}failed
                error while downloading from https?:|trying to resume download
                # hf-xet
                data processing error: (?:cas|file reconstruction|internal|request)|cas (?:service|client) error
                xet.{0,80}(?:error|failed)|reqwest
                # Several
                cannot reach https?:|unable to reach|download(?:ing .{0,200})? interrupted|download timed
            """),
            unless=r"\b40[0134]\b|not found|forbidden|unauthorized|no such file|does not exist|permission",
        ),
        "The hub could not be reached, and the files are not in the local cache. {connection|The text does not say in which way}.",
        "Nothing to repair in the model; {connection_step|look at the network (proxy, firewall, HF_ENDPOINT)} if it goes on, or pack the files.",
        since=_SINCE,
    ),
    ambiguous(
        "hub-storage-refuses",
        When(
            message=any_of(r"""
                \bcas (?:service|client) error.{0,300}(?:\b40[13]\b|authentic|unauthori|forbidden)
                \b40[0134]\b.{0,400}(?:cas-bridge|cas-server|xethub|cdn-lfs)|expired signature|request has expired
            """)
        ),
        "The store behind the hub refuses a link or token that the hub itself gave out: it has ended, or the store is in trouble.",
        "Nothing to repair in the model; set HF_HUB_DISABLE_XET=1 if it goes on, and look at the host's clock.",
        since="2026-11-25",
        scope=Scope.HOST,
    ),
    curable(
        "download-resumed-beyond-its-end",
        When(http_status=("416",)),
        "A download was resumed where the file ends already: what lies in the cache is whole or of another version.",
        "Nothing to repair in the model; delete the .incomplete file from the cache if it goes on.",
        since="2026-11-26",
    ),
)
