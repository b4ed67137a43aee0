"""Hook of mkdocs: what lies outside of ``docs`` is part of the site, and links to it hold there too.

README.md is the first page. Other files of the repository that documents link to are under ``files/``,
so that a link leads to the same file in the repository and in the site, and no address is needed.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
#: What is taken along; a folder with all that is in it.
TAKEN = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.zh-CN.md",
    "config.properties",
    "deploy",
    "handlers",
    "plugin",
)
_LEFT_OUT = ("__pycache__", ".pyc")
_LINK = re.compile(r"(\]\()([^)#:\s]+)((?:#[^)]*)?\))")
_ITEM = re.compile(r"(?:\d+\.|[*-]) +")
#: Python-Markdown takes what is indented less for no part of a list; GitHub wants it under the text.
_INDENT = "    "


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files that lie outside of ``docs``."""
    files.append(_file(config, "index.md", ROOT / "README.md"))
    for name in TAKEN:
        path = ROOT / name
        for found in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if found.is_file() and not any(part in str(found) for part in _LEFT_OUT):
                inside = found.relative_to(ROOT).as_posix()
                files.append(_file(config, f"files/{inside}", found))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Let the links of a page lead to where the site has what they name."""
    here = _in_repository(page.file.src_uri)

    def there(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(here), link[2]))
        at = posixpath.relpath(_in_site(target), posixpath.dirname(page.file.src_uri) or ".")
        return f"{link[1]}{at}{link[3]}"

    return "\n".join(_indented(_LINK.sub(there, markdown).split("\n")))


def _indented(lines: list[str]) -> list[str]:
    """Return lines of which those that belong to an item of a list are indented by four."""
    made: list[str] = []
    at = 0
    while at < len(lines):
        item = _ITEM.match(lines[at])
        made.append(lines[at])
        at += 1
        if lines[at - 1].startswith("```"):
            end = next((n for n in range(at, len(lines)) if lines[n].startswith("```")), at)
            made += lines[at : end + 1]
            at = end + 1
        elif item is not None:
            width = len(item[0])
            first = at
            while at < len(lines) and (not lines[at] or lines[at].startswith(" " * width)):
                at += 1
            inner = _indented([line[width:] for line in lines[first:at]])
            made += [f"{_INDENT}{line}" if line else "" for line in inner]
    return made


def _file(config: MkDocsConfig, name: str, path: Path) -> File:
    return File.generated(config, name, abs_src_path=str(path))


def _in_repository(src_uri: str) -> str:
    if src_uri == "index.md":
        return "README.md"
    return src_uri[len("files/") :] if src_uri.startswith("files/") else f"docs/{src_uri}"


def _in_site(path: str) -> str:
    if path == "README.md":
        return "index.md"
    return path[len("docs/") :] if path.startswith("docs/") else f"files/{path}"
