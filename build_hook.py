"""Build step that puts the start-up hook and the demo handlers into wheels.

``package_data`` and ``data_files`` lose a ``.pth`` file in editable installs without a word, so the hook's
files are copied here, in both kinds of build.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from setuptools.command.build_py import build_py

HOOK = Path("ts_retry_ext.pth")
"""Sorts after ``__editable__...``, so that an editable package can be imported when the line runs."""

GATE = Path("ts_retry_ext_start.py")
START = Path("ts_retry_ext.start")
"""Names the gate for Python 3.18 and later, which ignores the line in the ``.pth`` file (PEP 829)."""

WITHOUT_START = ((3, 15), (3, 16), (3, 17))
"""They read both files, and the ``.start`` file switches the line off, which serves better (docs/decisions.md)."""

HANDLERS = Path("handlers")
INSTALLED_HANDLERS = Path("ts_retry_ext", "demo_handlers")
"""Where ``ts-retry demo`` looks in an installed package; a checkout has them in ``handlers/``."""

UNPARSABLE_SUFFIX = ".txt"
"""Appended to sources that are broken on purpose, so that ``python -m compileall`` stays content."""


class BuildWithHook(build_py):
    """Build the package as usual, then add what lies outside it."""

    def run(self) -> None:
        """Copy the ``.pth`` file to where the wheel takes it from, and the handlers into the package."""
        super().run()
        # A wheel for other Pythons, built here before, leaves it behind: setuptools never clears build/.
        (self._root() / START).unlink(missing_ok=True)
        for source, target in self._extra_files():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """List the files built, with the extra ones.

        An editable build reads this list to link the package's files; the extra ones are no part of that.
        """
        outputs: list[str] = super().get_outputs(include_bytecode)
        if not self.editable_mode:
            outputs.extend(str(target) for _, target in self._extra_files())
        return outputs

    def _extra_files(self) -> list[tuple[Path, Path]]:
        root = self._root()
        hook = [HOOK, GATE, START] if self._wants_start() else [HOOK, GATE]
        files = [(name, root / name) for name in hook]
        return files if self.editable_mode else [*files, *_handler_files(root / INSTALLED_HANDLERS)]

    def _wants_start(self) -> bool:
        """Tell whether the ``.start`` file belongs into what is built.

        A wheel for all Pythons (tag ``py3``) has it, one for 3.15 to 3.17 alone has not. What pip builds on
        one of those for itself has the tag ``py3`` too, and does without.
        """
        wheel: Any = self.distribution.get_command_obj("bdist_wheel", create=False)
        tag = str(getattr(wheel, "python_tag", None) or "py3")
        without = {f"py{major}{minor}" for major, minor in WITHOUT_START}
        return not set(tag.split(".")) <= without and sys.version_info[:2] not in WITHOUT_START

    def _root(self) -> Path:
        """Return the folder whose content the wheel puts into site-packages.

        An editable build throws ``build_lib`` away. The wheel is made from a folder that only the install
        command knows: its data scheme lies in ``NAME.data/data``, and installers unpack
        ``NAME.data/purelib`` into site-packages.
        """
        if not self.editable_mode:
            return Path(self.build_lib)
        install: Any = self.get_finalized_command("install")
        return Path(install.install_data).parent / "purelib"


def _handler_files(target: Path) -> list[tuple[Path, Path]]:
    sources = (path for path in sorted(HANDLERS.rglob("*")) if _belongs_in_a_wheel(path))
    return [(path, target / _installed_name(path)) for path in sources]


def _belongs_in_a_wheel(path: Path) -> bool:
    made_by_a_run = path.suffix in {".pyc", ".pt", ".mar"} or "__pycache__" in path.parts
    return path.is_file() and not made_by_a_run


def _installed_name(path: Path) -> Path:
    relative = path.relative_to(HANDLERS)
    if path.suffix == ".py" and not _parses(path):
        return relative.with_name(relative.name + UNPARSABLE_SUFFIX)
    return relative


def _parses(path: Path) -> bool:
    try:
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True
