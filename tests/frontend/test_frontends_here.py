from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ts_retry_ext.frontend.frontends_here import (
    Unseen,
    in_words,
    running_frontends,
    unseen_frontends,
)
from ts_retry_ext.frontend.process import MAIN_CLASS

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes root to be somebody else")


@as_root
def test_frontend_of_another_user_is_named_with_whose_it_is() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()", MAIN_CLASS], stdin=subprocess.PIPE)
    # Whoever this is may not read the interpreter's files: all that is needed is imported before.
    code = (
        "import os, psutil, pwd, unicodedata\n"
        "from ts_retry_ext.cli.main import main\n"
        "import ts_retry_ext.cli.status, ts_retry_ext.cli.sources\n"
        f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY}); os.chdir('/')\n"
        f"raise SystemExit(main(['status', '--pid', '{process.pid}']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    process.communicate(b"\n", timeout=60)

    assert done.returncode == 1
    assert done.stderr == (
        f"ts-retry: process {process.pid} is a TorchServe of user root, which this user cannot look "
        "into: run this as root\n"
    )


@as_root
def test_frontend_of_another_container_is_none_of_this_machine_and_is_named(tmp_path: Path) -> None:
    code = "import os, sys; os.chroot(sys.argv[1]); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), MAIN_CLASS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert process.pid not in [found.pid for found in running_frontends()]
        (why,) = in_words(found for found in unseen_frontends() if found.pid == process.pid)

    assert why.startswith(f"process {process.pid} is a TorchServe in another container")


def test_frontends_that_are_unseen_for_the_same_reason_share_a_sentence() -> None:
    told = in_words([Unseen(1, "of user a"), Unseen(2, "of user b"), Unseen(3, "of user a")])

    assert told == [
        "processes 1, 3 are each a TorchServe of user a",
        "process 2 is a TorchServe of user b",
    ]
