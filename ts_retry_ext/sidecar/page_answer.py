"""Send a page: whether it has changed, and what it counts as it is now."""

from __future__ import annotations

import hashlib
import re
import time

from aiohttp import web

from ts_retry_ext.plain_text import duration_in_words
from ts_retry_ext.snapshot.down_in_words import local_time
from ts_retry_ext.store.halt_in_words import until
from ts_retry_ext.store.times import to_seconds

_AS_OF = re.compile(rb'<p class="quiet">As of <time[^>]*>[^<]*')
_AGES = re.compile(rb"\d+ (?:s|min|h|days) ago")
#: What counts on between two pictures, and without JavaScript, too: until when, since when, how old.
_COUNTED = re.compile(rb'(<time class="(until|ago|age)" datetime="([^"<]{24})">)[^<]*(</time>)')
#: The same, and times of the day: they get their day once it is another one.
_TIMES = re.compile(rb'(<time class="(until|ago|age|clock)" datetime="([^"<]{24})">)[^<]*(</time>)')


def page_answer(request: web.Request, page: bytes) -> web.Response:
    """Answer with a page, or with 304 where whoever asks has it.

    Args:
        page: the page, which may have been made a while ago.
    """
    page = _as_it_is_at(page, time.time())
    # What the page counts is no change.
    same = _AGES.sub(b"", _COUNTED.sub(rb"\1\4", _AS_OF.sub(b"", page)))
    headers = {"ETag": f'"{hashlib.blake2b(same, digest_size=12).hexdigest()}"'}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    return web.Response(body=page, content_type="text/html", charset="utf-8", headers=headers)


def wants_page(request: web.Request) -> bool:
    """Tell whether a browser asks; programs send forms too, some without meaning to."""
    return "text/html" in request.headers.get("Accept", "")


def ago(at: str, now: float) -> str:
    """Return how long a time has passed: ``23 min ago``."""
    return f"{age(at, now)} ago"


def age(at: str, now: float) -> str:
    """Return how long it is since a time: ``23 min``."""
    return duration_in_words(now - to_seconds(at))


_WORDS = {b"until": until, b"ago": ago, b"age": age, b"clock": local_time}


def _as_it_is_at(page: bytes, now: float) -> bytes:
    """Return a page that was made a while ago with its times in words as they are now."""

    def in_words(found: re.Match[bytes]) -> bytes:
        words = _WORDS[found[2]](found[3].decode("ascii"), now)
        return found[1] + words.encode("utf-8") + found[4]

    return _TIMES.sub(in_words, page)
