"""Build step that puts the start-up hook and the demo handlers into wheels.

``package_data`` and ``data_files`` lose a ``.pth`` file in editable installs without a word, so the file
is copied here, in both kinds of build.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from setuptools.command.build_py import build_py

HOOK = Path("ts_retry_ext.pth")
"""Sorts after ``__editable__...``, so that an editable package can be imported when the line runs."""

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
        if self.editable_mode:
            return [(HOOK, self._editable_root() / HOOK)]
        build_lib = Path(self.build_lib)
        return [(HOOK, build_lib / HOOK), *_handler_files(build_lib / INSTALLED_HANDLERS)]

    def _editable_root(self) -> Path:
        """Return the folder whose content an editable wheel puts into site-packages.

        ``build_lib`` is thrown away there. The wheel is made from a folder that only the install
        command knows: its data scheme lies in ``NAME.data/data``, and installers unpack
        ``NAME.data/purelib`` into site-packages.
        """
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
