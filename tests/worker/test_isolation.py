from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

ROOT = str(Path(__file__).resolve().parents[2])


def run(archive: Path, code: str, *further: str) -> str:
    """Run `code` the way a worker runs: the archive first on the path, ours in site-packages.

    `further` is what the server's own ``PYTHONPATH`` adds.
    """
    prologue = f"import sys; sys.path.append({ROOT!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", prologue + dedent(code)],
        env={"PYTHONPATH": os.pathsep.join([str(archive), *further]), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["json", "socket", "typing", "contextlib", "enum"])
def test_ours_gets_the_real_module_and_the_worker_still_the_archives(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / f"{name}.py").write_text("shadow = True\n")
    code = f"""
        from ts_retry_ext.worker.isolation import Isolated
        with Isolated():
            import {name}
            real = {name}
        import {name}
        print(hasattr(real, "shadow"), hasattr({name}, "shadow"))
    """
    assert run(tmp_path, code) == "False True"


def test_a_shadow_that_is_imported_already_stays_for_the_worker(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("shadow = True\n")
    code = """
        import json as theirs
        from ts_retry_ext.worker.isolation import Isolated
        with Isolated():
            import json as ours
        import json as again
        print(hasattr(ours, "shadow"), again is theirs)
    """
    assert run(tmp_path, code) == "False True"


def test_without_shadows_modules_and_path_stay_as_imported(tmp_path: Path) -> None:
    code = """
        from ts_retry_ext.worker.isolation import Isolated
        before = sys.path[:]
        with Isolated():
            import json
        print("json" in sys.modules, sys.path == before)
    """
    assert run(tmp_path, code) == "True True"


@pytest.mark.parametrize(
    "further", [os.path.dirname(os.path.dirname(yaml.__file__)), os.path.dirname(os.__file__)]
)
def test_what_is_installed_stays_though_the_servers_path_names_it(
    tmp_path: Path, further: str
) -> None:
    (tmp_path / "json.py").write_text("shadow = True\n")
    code = """
        from ts_retry_ext.worker.isolation import Isolated
        with Isolated():
            import fractions, json, yaml
        print(hasattr(json, "shadow"), "fractions" in sys.modules)
    """
    assert run(tmp_path, code, further) == "False True"


def test_a_module_that_imports_itself_lazily_is_left_alone(tmp_path: Path) -> None:
    code = """
        import types
        from ts_retry_ext.worker.isolation import Isolated
        class Lazy(types.ModuleType):
            def __getattr__(self, name):
                raise ImportError(f"{name} needs a library that is not installed")
        sys.modules["lazy"] = Lazy("lazy")
        sys.modules["no_module"] = 3
        with Isolated():
            import json
        print("lazy" in sys.modules)
    """
    assert run(tmp_path, code) == "True"


def test_a_handler_that_moves_and_changes_the_environment_hides_no_file_of_the_archive(
    tmp_path: Path,
) -> None:
    (tmp_path / "json.py").write_text("shadow = True\n")
    code = """
        import os
        from ts_retry_ext.worker.isolation import Isolated
        with Isolated():
            pass
        os.environ["PYTHONPATH"] = "elsewhere"
        os.chdir("/")
        with Isolated():
            import json
        print(hasattr(json, "shadow"))
    """
    assert run(tmp_path, code) == "False"


def test_a_path_that_leads_nowhere_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("shadow = True\n")
    code = """
        import os, pathlib, tempfile
        from ts_retry_ext.worker.isolation import Isolated
        with tempfile.TemporaryDirectory() as gone:
            os.chdir(gone)
        sys.path += ["", None, 3, "\\0", pathlib.Path("/usr")]
        with Isolated():
            import json
        print(hasattr(json, "shadow"), len(sys.path[-5:]))
    """
    assert run(tmp_path, code) == "False 5"
