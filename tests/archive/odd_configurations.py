"""One configuration written in every way that people and tools write it, and what each is in force as."""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_TIMEOUT_SEC = 120
DEFAULT_WINDOW_SEC = 300


class Odd(NamedTuple):
    """A ``model-config.yaml`` and what a frontend, and with it each of our readers, makes of it.

    Attributes:
        name: names the case.
        data: the file.
        startup_sec: ``startupTimeout`` in force.
        response_sec: ``responseTimeout`` in force.
        window_sec: ``maxRetryTimeoutInSec`` as the frontend reports it.
        on_fatal: the action in force.
        rules: ids of the model's own rules.
        read: whether the frontend reads the file; one that it cannot read is ignored as a whole.
    """

    name: str
    data: bytes
    startup_sec: int = 70
    response_sec: int = 80
    window_sec: int = 20
    on_fatal: str = "reject"
    rules: tuple[str, ...] = ("mine",)
    read: bool = True


def ignored(name: str, text: str) -> Odd:
    """Return a file that the frontend cannot read."""
    return Odd(name, text.encode(), DEFAULT_TIMEOUT_SEC, DEFAULT_TIMEOUT_SEC, DEFAULT_WINDOW_SEC,
               "hold", (), read=False)  # fmt: skip


def windowed(name: str, value: str, window_sec: int) -> Odd:
    """Return a file with nothing but a window."""
    text = f"maxRetryTimeoutInSec: {value}\n"
    return Odd(
        name, text.encode(), DEFAULT_TIMEOUT_SEC, DEFAULT_TIMEOUT_SEC, window_sec, "hold", ()
    )


RULE = "{id: mine, when: {type: ValueError}, verdict: recoverable}"
BLOCK = f"""startupTimeout: 70
responseTimeout: 80
maxRetryTimeoutInSec: 20
retry:
  onFatal: reject
  rules:
    - {RULE}
"""
FLOW = (
    "{startupTimeout: 70, responseTimeout: 80, maxRetryTimeoutInSec: 20, "
    f"retry: {{onFatal: reject, rules: [{RULE}]}}}}\n"
)
JSON = (
    '{"startupTimeout": 70, "responseTimeout": 80, "maxRetryTimeoutInSec": 20, "retry": {"onFatal": '
    '"reject", "rules": [{"id": "mine", "when": {"type": "ValueError"}, "verdict": "recoverable"}]}}'
)
INDENTED = "".join(f"  {line}\n" for line in BLOCK.splitlines())
FILLER = "".join(f"key{number}: {number}\n" for number in range(20_000))
DEEP = "deep: " + "[" * 49 + "]" * 49 + "\n"

CONFIGURATIONS = (
    Odd("block", BLOCK.encode()),
    Odd("flow", FLOW.encode()),
    Odd("json", JSON.encode()),
    Odd("json without spaces", JSON.replace(" ", "").encode()),
    Odd("json on lines", JSON.replace(", ", ",\n  ").encode()),
    Odd("json with a byte order mark", ("\ufeff" + JSON).encode()),
    Odd("byte order mark", ("\ufeff" + BLOCK).encode()),
    Odd("byte order mark and a document's start", ("\ufeff---\n" + BLOCK).encode()),
    Odd("indented", INDENTED.encode()),
    Odd("tag", ("!!map\n" + BLOCK).encode()),
    Odd("tag of its own before flow", ("!!map " + FLOW).encode()),
    Odd("tagged keys", BLOCK.replace("retry:", "!!str retry:").encode()),
    Odd("quoted keys", BLOCK.replace("retry:", '"retry":').replace("startup", "'startup", 1)
        .replace("Timeout: 70", "Timeout': 70", 1).encode()),
    Odd("escaped keys", BLOCK.replace("retry:", '"\\x72etry":')
        .replace("startupTimeout", '"\\u0073tartupTimeout"').encode()),
    Odd("keys with question marks", BLOCK.replace("startupTimeout: 70", "? startupTimeout\n: 70").encode()),
    Odd("anchors", ("rejects: &rejects\n  onFatal: reject\n" + BLOCK.replace(
        f"retry:\n  onFatal: reject\n  rules:\n    - {RULE}",
        f"mine: &mine {RULE}\nretry:\n  <<: *rejects\n  rules: [*mine]")).encode()),
    Odd("merge keys", ("base: &base\n" + INDENTED + "<<: *base\n").encode()),
    Odd("merge keys that are overridden", ("base: &base {startupTimeout: 1, responseTimeout: 1}\n"
        + BLOCK + "<<: *base\n").encode()),
    Odd("list of merge keys", ("<<: [{startupTimeout: 70}, {startupTimeout: 1, responseTimeout: 80}]\n"
        + BLOCK.replace("startupTimeout: 70\nresponseTimeout: 80\n", "")).encode()),
    Odd("one document with an end", (BLOCK + "...\n").encode()),
    Odd("duplicate keys", ("startupTimeout: 1\nretry: {onFatal: hold}\n" + BLOCK).encode()),
    Odd("hexadecimal", BLOCK.replace("70", "0x46").encode()),
    Odd("sexagesimal", BLOCK.replace("70", "1:10").encode()),
    Odd("octal", BLOCK.replace("70", "0106").encode()),
    Odd("carriage returns", BLOCK.replace("\n", "\r\n").encode()),
    Odd("tabs behind values", BLOCK.replace("70", "70\t").replace("20", "20\t# seconds").encode()),
    Odd("comments", ("# retry: {onFatal: hold}\n" + BLOCK).encode()),
    Odd("deep nesting", (DEEP + BLOCK).encode()),
    Odd("other keys of many kinds", ("2024-01-02x: {1: 2, yes: no, ~: 3}\n" + BLOCK).encode()),
    Odd("300 kB of other keys", (FILLER + BLOCK).encode()),
    Odd("2 MB of comment", (BLOCK + "# " + "x" * (2 << 20) + "\n").encode()),
    Odd("broken UTF-8", b"note: \xe9\n" + BLOCK.encode()),
    Odd("0o is text", BLOCK.replace("70", "0o106").encode(), startup_sec=DEFAULT_TIMEOUT_SEC),
    Odd("a text is no number", BLOCK.replace("70", "'70'").encode(), startup_sec=DEFAULT_TIMEOUT_SEC),
    Odd("a fraction is no integer", BLOCK.replace("70", "70.0").encode(),
        startup_sec=DEFAULT_TIMEOUT_SEC),
    Odd("an empty section", b"startupTimeout: 70\nresponseTimeout: 80\nmaxRetryTimeoutInSec: 20\nretry:\n",
        on_fatal="hold", rules=()),
    windowed("window of 0", "0", 0),
    windowed("negative window", "-20", 0),
    windowed("window that overflows", "2147484", -2147483),
    windowed("window that overflows to little", "4294968", 0),
    windowed("window beyond 32 bits", "99999999999", DEFAULT_WINDOW_SEC),
    windowed("window in minutes and seconds", "5:30", 330),
    windowed("window as text", "'20'", DEFAULT_WINDOW_SEC),
    ignored("several documents", BLOCK + "---\nstartupTimeout: 9\n"),
    ignored("too deep nesting", "deep: " + "[" * 60 + "]" * 60 + "\n" + BLOCK),
    ignored("tabs before keys", "retry:\n\tonFatal: reject\n" + BLOCK),
    ignored("tag of a program", BLOCK + "date: !!java.util.Date 2024-01-02\n"),
    ignored("json with an escaped slash", JSON.replace('{"startup', '{"note": "a\\/b", "startup')),
)  # fmt: skip
