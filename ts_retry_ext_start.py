"""The gate of the start-up hook: is this interpreter one of TorchServe's, and if so, start the package.

A module of its own beside the package, so that a package which is gone or broken costs one line in a
worker and nothing anywhere else. ``ts_retry_ext.start`` (PEP 829) names `start`; the line in
``ts_retry_ext.pth`` repeats the gate, so that other interpreters import nothing, and then calls it.
"""

import sys

SCRIPTS = ("model_service_worker.py", "setup_model_venv.py")
"""TorchServe's worker script, and the one that makes a model's own environment."""


def start() -> None:
    """Start the package where a script of TorchServe is about to run. Idempotent; never raises.

    Python calls it while ``site`` is imported, before the script, and calls it twice in a virtual
    environment that sees its parent's packages. ``SystemExit`` would end the interpreter there.
    """
    try:
        script = str((getattr(sys, "argv", None) or [""])[0]).rpartition("/")[2]
        if script in SCRIPTS:
            _start_package()
    except BaseException:
        pass


def _start_package() -> None:
    try:
        from ts_retry_ext.worker.startup import activate

        activate()
    except BaseException as error:
        if not hasattr(sys, "_ts_retry_ext_failed"):
            sys._ts_retry_ext_failed = True  # type: ignore[attr-defined]
            cause = " ".join(str(error).split())
            sys.stderr.write(
                "ts-retry: start-up hook failed, TorchServe goes on as without it: "
                f"{type(error).__name__}: {cause}\n"
            )
