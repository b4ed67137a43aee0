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

#: What tells that a process failed that the model started.
_CHILD = (
    "CalledProcessError",
    "BrokenProcessPool",
    "ProcessExitedException",
    "ProcessRaisedException",
    "ChildFailedError",
    "ExecutionError",
)

FIRST = (
    curable(
        "slow-download",
        When(type=("ProcessDied",), message=r"^hang", phase=(Phase.PROCESS,), frame=_DOWNLOADERS),
        "The load was still reading from the network when TorchServe ended it.",
        "Raise startupTimeout in model-config.yaml ({startup_timeout|120 s if nothing is set}), or put the files into the "
        "archive or where they outlive a worker.",
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
        "signal-outside-main-thread",
        When(
            message=any_of(r"""
                signal only works in main thread
            """),
        ),
        "The code sets a handler for signals, and runs in a thread where Python does not allow that.",
        "Set no signals in a handler; an option of the library that does it (install_signal_handlers=False and its kin) mostly switches it off.",
        since="2026-11-27",
    ),
    fatal(
        "event-loop-misused",
        When(
            message=any_of(r"""
                no current event loop in thread|asyncio\.run\(\) cannot be called|event loop is already running
            """),
        ),
        "The code asks for an event loop of asyncio where there is none, or starts one inside of another.",
        "Make a loop of the handler's own (asyncio.new_event_loop) and use it with run_until_complete, or call the library's synchronous methods.",
        since="2026-11-27",
    ),
    fatal(
        "daemon-may-not-have-children",
        When(
            message=any_of(r"""
                daemonic processes are not allowed to have children
            """),
        ),
        "A process of a pool starts processes itself, which multiprocessing does not allow for a daemon.",
        "Start them from the worker itself, use concurrent.futures or threads, or set num_workers=0 for a DataLoader in it.",
        since="2026-11-27",
    ),
    fatal(
        "spawn-without-main-guard",
        When(
            message=any_of(r"""
                # multiprocessing
                an attempt has been made to start a new process before the current process has finished its bootstrapping
                ^context has already been set$
            """)
        ),
        "The model starts processes while its file is imported, or sets the way to start them twice.",
        "Start processes in initialize, not at the top of a file; take set_start_method out, or use multiprocessing.get_context.",
        since=_SINCE,
    ),
    fatal(
        "java-missing",
        When(
            message=any_of(r"""
                no jvm shared library|java_home is not set|unable to find java\b
            """),
        ),
        "A library of the model starts Java (PySpark, JPype, tabula and their kin), and finds none.",
        "Install a Java runtime in the image (apt-get install openjdk-17-jre-headless) and set JAVA_HOME for TorchServe's process.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    ambiguous(
        "java-ended",
        # PySpark
        When(message=r"java gateway process exited"),
        "Probably final: PySpark starts Java, and that ended before it answered. It is not installed, or refuses its options, or had no memory.",
        "Read what Java says above this one in the model log; `java -version` in the worker's environment tells whether it is there. "
        "Without it: apt-get install openjdk-17-jre-headless, and JAVA_HOME for TorchServe's process.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "r-missing",
        # rpy2
        When(message=r"\br_home is none\b|\bno r (?:home|installation) found"),
        "A library of the model starts R (rpy2), and finds none.",
        "Install R in the image (apt-get install r-base-core) and set R_HOME for TorchServe's process; `python -m rpy2.situation` shows what is found.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "display-missing",
        When(
            message=any_of(r"""
                no display name and no \$display
            """),
        ),
        "The code opens a window, and a worker has no display.",
        "Use a backend without one: matplotlib.use('Agg') or MPLBACKEND=Agg, opencv-python-headless; or start TorchServe under xvfb-run.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "user-without-entry",
        When(
            message=any_of(r"""
                uid not found: \d+
            """),
        ),
        "The user ID that TorchServe runs as has no entry in /etc/passwd, and the code asks for its name or home.",
        "Add an entry in the image (useradd -u), or set HOME, USER and LOGNAME (TORCHINDUCTOR_CACHE_DIR for torch.compile) for TorchServe's process.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "program-not-executable",
        When(
            message=any_of(r"""
                returned non-zero exit status 126\b
            """),
        ),
        "The program that the model starts is there, and may not be executed, or is no program.",
        "Give it the right to be executed (chmod +x) on a mount without noexec, and look at its first line (#!).",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "program-not-found",
        When(
            message=any_of(r"""
                # Shells
                (?:sh|bash): .{0,20}\d{0,4}:? ?[\w.\-]+: (?:command )?not found|returned non-zero exit status 127
                executable (?:needs to be|not found)
                # OCR, pictures, sound
                is not in (?:the |your )?path|unable to find (?:tesseract|ffmpeg|poppler)|tesseract is not installed
                couldn't find ffmpeg|unable to get page count
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
        "child-process-killed",
        When(
            type=_CHILD,
            message=any_of(r"""
                # subprocess, torch.multiprocessing, torchrun
                died with <signals\.|terminated with signal|exit status (?:137|139|134)\b|exitcode +: -\d|signal \d{1,2} \(sig\w+\)
                # concurrent.futures
                terminated abruptly
            """),
        ),
        "A process that the model started was killed ({signal|by a signal}), and left no words of its own: SIGKILL is mostly "
        "the OOM killer, SIGSEGV, SIGABRT and SIGILL a native library.",
        "Look at dmesg and the container's events for the OOM killer (OOMKilled), and give it more memory or start fewer processes; "
        "for a native library set PYTHONFAULTHANDLER=1 and look at the stack in the model log.",
        since="2026-11-27",
    ),
    ambiguous(
        "child-process-raised",
        When(type=("ProcessRaisedException", "ChildFailedError")),
        "A process that the model started raised an exception of its own: that is the cause, and this one only reports it.",
        "Read the traceback of the child: in this message, or above this one in the model log (torchrun: the first one under 'Root Cause').",
        since="2026-11-27",
    ),
    ambiguous(
        "subprocess-failed",
        When(type=_CHILD),
        "A program or process that the model started failed: {command|the message names it, and its exit code}.",
        "Look at what it printed in the model log, and run it by hand in the container.",
        since=_SINCE,
    ),
)
