"""Processes that a model starts."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"
#: Who reads from the network in a load: what is there already is not fetched again.
_DOWNLOADERS = (
    "huggingface_hub", "torch.hub", "urllib.request", "http.client", "requests", "urllib3", "httpx",
    "botocore", "s3transfer", "google.cloud.storage", "azure.storage.blob", "gdown", "fsspec", "wget",
)  # fmt: skip

FIRST = (
    curable(
        "slow-download",
        When(type=("ProcessDied",), message=r"^hang", phase=(Phase.PROCESS,), frame=_DOWNLOADERS),
        "The load was still reading from the network when TorchServe ended it.",
        "Raise startupTimeout in model-config.yaml ({startup_timeout|120 s if nothing is set}), or put the files into the archive or where they outlive a worker.",
        since="2026-11-25",
    ),
    ambiguous(
        "load-longer-than-its-limit",
        When(type=("ProcessDied",), message=r"^hang", phase=(Phase.PROCESS,)),
        "The load took longer than TorchServe waits for it: {startup_timeout|startupTimeout, 120 s if nothing is set}.",
        "Look at the stack for what it was doing; raise startupTimeout in model-config.yaml if the load needs the time.",
        since="2026-11-26",
    ),
    # Its text is ours ("hang until the start-up time-out"), so no word of it may speak for a rule.
    ambiguous(
        "process-died",
        When(type=("ProcessDied",), phase=(Phase.PROCESS,)),
        "The worker's process ended without an exception.",
        "Look at the stack and the way it ended: a native library, the memory limit, or a hang.",
        since=_SINCE,
    ),
)

FATAL_IN_DISGUISE = (
    fatal(
        "program-not-in-path",
        # pytesseract, pdf2image, ffmpeg-python and their kin raise an error of their own over that of subprocess.
        When(
            message=any_of(r"""
                is not installed or (?:it'?s|it is|is) not (?:in|on) (?:your |the )?path|is \w+ installed and in path
                \b(?:executable|program|binary|command) \S{0,80} ?(?:is |was )?not found (?:in|on) (?:your |the |\$)?path
            """)
        ),
        "A program that a library of the model starts is not installed.",
        "Install {command|it} where TorchServe runs, as a package of the system (tesseract-ocr, ffmpeg, poppler-utils); pip does not bring it.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
)

RULES = (
    curable(
        "download-program-failed",
        When(
            type=("CalledProcessError",),
            message=any_of(r"""
                # what it was to fetch, and a status that means a connection: git 128; curl; wget; rsync; ssh and scp; aws, gsutil, azcopy
                \bgit\b.{0,40}(?:clone|fetch|pull|lfs|submodule).{0,400}(?:https?://|git@|ssh://|lfs).{0,400}status 128\b
                \bcurl\b.{0,600}status (?:5|6|7|18|28|35|52|55|56|92)\b|\bwget\b.{0,600}status (?:4|8)\b
                \brsync\b.{0,600}status (?:5|10|12|23|24|30|35)\b|\b(?:ssh|scp|sftp)\b.{0,600}status 255\b
                \b(?:aws|gsutil|gcloud|azcopy|rclone|s5cmd|hf|huggingface-cli)\b.{0,40}(?:s3|cp|rsync|sync|storage|copy|download|run|cat).{0,600}status (?:1|2|4|5|7|253|254|255)\b
                \bgit\b.{0,40}(?:lfs|fetch|pull)\b.{0,400}status (?:1|2|128)\b
            """),
            unless=r"not found|no such|denied|invalid",
        ),
        "{command|A program} that fetches something failed, in the way in which it does when a connection fails.",
        "Look at its output in the model log; correct address or credentials if it goes on.",
        since="2026-11-26",
    ),
    ambiguous(
        "engine-wrapper",
        When(
            message=any_of(r"""
                rank \d+ scheduler died|please see the error messages? above|executor worker returned error|see root cause above
                see stack trace for root cause|failed to start engine|failed to be inspected\. please check the logs
                (?:worker|engine|scheduler)\w* (?:proc(?:ess)? )?initialization failed due to an exception in a background process
                engine (?:core|process) (?:initialization )?(?:failed|died|dead)|enginedeaderror|background loop has errored
            """)
        ),
        "The engine's own process failed; its log holds the failure itself.",
        "Look for the traceback above this one in the model log.",
        since=_SINCE,
    ),
    fatal(
        "spawn-without-main-guard",
        When(
            message=any_of(r"""
                # multiprocessing
                an attempt has been made to start a new process before the current process has finished its bootstrapping
                daemonic processes are not allowed to have children|^context has already been set$
                # signal
                signal only works in main thread
                # asyncio
                no current event loop in thread|asyncio\.run\(\) cannot be called|event loop is already running
            """)
        ),
        "The model starts processes or sets signals in a way a worker cannot.",
        "Start no processes at import time; set signals in no handler.",
        since=_SINCE,
    ),
    fatal(
        "program-not-found",
        When(
            message=any_of(r"""
                # Shells
                (?:sh|bash): .{0,20}\d{0,4}:? ?[\w.\-]+: (?:command )?not found|returned non-zero exit status 12[67]
                # Containers
                uid not found: \d+|executable (?:needs to be|not found)
                # Java
                no jvm shared library|java gateway process exited|java_home is not set
                # OCR, pictures, sound
                is not in (?:the |your )?path|unable to find (?:java|tesseract|ffmpeg|poppler)|tesseract is not installed
                no display name and no \$display|couldn't find ffmpeg|unable to get page count
            """)
        ),
        "A program that the model starts is not installed.",
        "Install {command|it} where TorchServe runs, as a package of the system.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "program-for-another-processor",
        When(type=("CalledProcessError",), message=r"died with <signals\.sigill: 4>"),
        "A program that the model starts uses instructions that this host's processor does not have.",
        "Install a build for this processor.",
        since="2026-11-25",
        scope=Scope.HOST,
    ),
    ambiguous(
        "subprocess-failed",
        When(
            type=(
                "CalledProcessError",
                "BrokenProcessPool",
                "ProcessExitedException",
                "ProcessRaisedException",
                "ChildFailedError",
                "ExecutionError",
            )
        ),
        "A process that the model started failed.",
        "Look at its output in the model log.",
        since=_SINCE,
    ),
)
