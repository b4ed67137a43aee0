"""What every bench ends with: the machine, a table for people, and JSON on the last line.

``--save`` keeps the JSON in ``bench/results``, from where `bench.publish` puts it into the documents.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Sequence

import psutil

from ts_retry_ext.cli.printing import print_table

RESULTS = Path(__file__).parent / "results"
#: Distributions whose versions matter to a figure, where they are installed.
_VERSIONS = ("torchserve", "torch")


class Table(NamedTuple):
    """A table as people read it: titles, and rows of cells."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options of every bench, described by the first line of `doc`."""
    return argparse.ArgumentParser(description=str(doc).split("\n", 1)[0], parents=[_common()])


def publish(name: str, found: Mapping[str, Any], table: Table, begun_at: str) -> None:
    """Print a table and JSON, and save the JSON where ``--save`` asks for it.

    Args:
        name: the bench's module in this folder.
        found: what was measured.
        table: the same for people.
        begun_at: what `now` said when the bench began.
    """
    options, rest = _common().parse_known_args(sys.argv[1:])
    content = {
        "bench": name,
        "command": shlex.join(["python", "-m", f"bench.{name}", *rest]),
        "begun_at": begun_at,
        "machine": machine(),
        "note": options.note,
        "found": found,
        "table": table._asdict(),
    }
    print(caption(content))
    print_table(*table)
    line = json.dumps(content)
    if options.save:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(line + "\n")
    print(line)


def now() -> str:
    """Return the time and the machine's load, which tells what else ran."""
    stamp = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    return f"{stamp}, 1-minute load {os.getloadavg()[0]:.1f}"


def machine() -> dict[str, Any]:
    """Return what a figure depends on, and what it does not say of itself."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version for name in _VERSIONS if (version := _version(name)) is not None},
    }


def caption(content: Mapping[str, Any]) -> str:
    """Return in one line how a result was measured."""
    on = content["machine"]
    versions = "".join(f", {name} {on[name]}" for name in _VERSIONS if name in on)
    told = (
        f"{content['begun_at']}; {on['cores']} cores ({on['processor']}), {on['memory_gb']} GB, "
        f"{on['system']}, Python {on['python']}{versions}"
    )
    return f"{told}. {content['note']}".rstrip(" .") + "."


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    common.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    common.add_argument("--note", default="", help="what else ran on the machine")
    return common


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
