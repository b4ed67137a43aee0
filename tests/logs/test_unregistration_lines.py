"""What a request unregistered, from a server's log; the lines are those of 0.12.0."""

from __future__ import annotations

import pytest

from ts_retry_ext.logs.unregistration_lines import PidLine, unregistered_in

BANNER = "Torchserve version: 0.12.0"
OURS = frozenset({PidLine(7, "bad_1.0"), PidLine(8, "bad_2.0")})


def line(thread: str, logger: str, text: str) -> str:
    return f"2026-11-26T17:39:20,214 [INFO ] {thread} {logger} - {text}"


def added(version: str, name: str = "bad") -> str:
    text = f"Adding new version {version} for model {name}"
    return line("main", "org.pytorch.serve.wlm.ModelManager", text)


def started(name: str, pid: int) -> str:
    return line(f"W-9000-{name}-stdout", "MODEL_LOG", f"[PID]{pid}")


def asked(request: str, status: int = 200) -> str:
    text = f'/127.0.0.1:40828 "{request} HTTP/1.1" {status} 28'
    return line("epollEventLoopGroup-3-4", "ACCESS_LOG", text)


BOTH = (BANNER, added("1.0"), added("2.0"), started("bad_1.0", 7), started("bad_2.0", 8))
DELETE = asked("DELETE /models/bad/1.0")
OTHER_RUN = (BANNER, added("2.0"), started("bad_2.0", 70), asked("DELETE /models/bad/2.0"))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (BOTH, set()),
        ((*BOTH, DELETE), {("bad", "1.0")}),
        ((*BOTH, asked("DELETE /models/bad/1.0?timeout=5")), {("bad", "1.0")}),
        ((*BOTH, asked("DELETE /models/bad/1%2E0", 200)), {("bad", "1.0")}),
        ((*BOTH, asked("DELETE /models/bad/1.0", 403)), set()),
        ((*BOTH, asked("GET /models/bad/1.0")), set()),
        ((*BOTH, DELETE, added("1.0"), started("bad_1.0", 9)), set()),
        ((*BOTH, DELETE, asked("DELETE /models/bad")), {("bad", "1.0"), ("bad", "2.0")}),
        ((*BOTH, DELETE, asked("DELETE /models/bad"), added("3.0", "bad")), {("bad", "1.0"), ("bad", "2.0")}),
        ((*OTHER_RUN, *BOTH, DELETE), {("bad", "1.0")}),
        ((*BOTH, DELETE, *OTHER_RUN), {("bad", "1.0")}),
        (OTHER_RUN, set()),
        ((*BOTH, line("W-9000-bad_1.0-stdout", "MODEL_LOG", 'x "DELETE /models/bad/1.0 HTTP/1.1" 200 1')), set()),
        ((), set()),
    ],
)  # fmt: skip
def test_what_is_unregistered_by_the_end_of_a_run(
    lines: tuple[str, ...], expected: set[tuple[str, str]]
) -> None:
    assert unregistered_in("\n".join(lines).encode(), OURS) == expected
    assert unregistered_in("".join(f"{each}\r\n" for each in lines).encode(), OURS) == expected
