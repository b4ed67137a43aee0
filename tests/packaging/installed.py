"""Check the package that is installed beside this Python, as users get it: version, commands, start-up hook, plug-in.

    python tests/packaging/installed.py 0.2.0

``nox -s wheels`` runs it in clean environments. It takes nothing from the checkout.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

WORKER = "model_service_worker.py"
PROBE = "import sys; print('ts_retry_ext.worker.startup' in sys.modules)"


def main(version: str) -> None:
    """Check everything in an empty directory.

    Raises:
        AssertionError: something is not as it has to be.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        command = str(Path(sys.executable).with_name("ts-retry"))
        said = output(command, "--version")
        assert said == f"ts-retry {version}", said
        assert len(json.loads(output(command, "rules", "--json"))) > 250
        assert "own_key_file" in output(command, "sidecar", "--help").replace("-", "_")
        for name, is_active in ((WORKER, "True"), ("train.py", "False")):
            Path(name).write_text(PROBE)
            said = output(sys.executable, name, "--sock-type", "unix", "--sock-name", "s")
            assert said.splitlines()[-1] == is_active, (name, said)
        jar = "from ts_retry_ext import plugin; import os; print(os.path.getsize(plugin.JAR))"
        assert int(output(sys.executable, "-c", jar)) > 1000


def output(*command: str) -> str:
    """Return what a command prints. Raises AssertionError if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1])
    print(f"ts-retry-ext {sys.argv[1]} works with Python {sys.version.split()[0]}")
