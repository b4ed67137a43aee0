"""Tell whether a rule's condition holds for a failure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ts_retry_ext.judge.evidence import Evidence, LinkEvidence
from ts_retry_ext.judge.lineage import plain, same_type
from ts_retry_ext.judge.memory_figures import MEMORY_PREDICATES
from ts_retry_ext.judge.paths import PATH_PREDICATES
from ts_retry_ext.judge.prefilter import may_occur, search
from ts_retry_ext.judge.rule import When


def matches(when: When, evidence: Evidence) -> bool:
    """Tell whether every field of a condition holds. The cheap fields are asked first."""
    if when.message and not may_occur(when.message, evidence.lowered, evidence.beginnings):
        return False  # most rules ask for words, and have none of them
    if when.phase and evidence.failure.phase not in when.phase:
        return False
    if when.shadowed and evidence.shadow is None:
        return False
    if when.module and not _module_matches(when.module, evidence.missing_modules):
        return False
    if when.raised_in and when.raised_in != evidence.raised.kind:
        return False
    if when.path and not evidence.paths:
        return False  # no predicate of paths holds for none
    if not any(_link_matches(when, link) for link in _links(when, evidence)):
        return False
    if when.cause and not any(
        _type_matches(when.cause, link.cause.mro) for link in evidence.links[1:]
    ):
        return False
    if when.frame and not any(_is_within(module, when.frame) for module in evidence.modules):
        return False
    if when.unless_frame and any(
        _is_within(module, when.unless_frame) for module in evidence.modules
    ):
        return False
    if when.unless_type and any(
        _type_matches(when.unless_type, link.cause.mro or (link.cause.type,))
        for link in evidence.links
    ):
        return False
    if when.unless and any(_text_matches(when.unless, link) for link in evidence.links):
        return False
    if when.path and not PATH_PREDICATES[when.path](evidence.paths, evidence.host):
        return False
    if when.memory:
        return evidence.memory is not None and MEMORY_PREDICATES[when.memory](evidence.memory)
    return True


def _links(when: When, evidence: Evidence) -> tuple[LinkEvidence, ...]:
    if when.where == "outermost":
        return evidence.links[:1]
    if when.where == "inner":
        return evidence.links[1:]
    return evidence.links


def _link_matches(when: When, link: LinkEvidence) -> bool:
    if when.type and not _type_matches(when.type, link.cause.mro or (link.cause.type,)):
        return False
    if when.exact_type and not _type_matches(when.exact_type, (link.cause.type,)):
        return False
    if when.errno and link.errnos.isdisjoint(when.errno):
        return False
    if when.http_status and not _status_matches(when.http_status, link.statuses):
        return False
    return not when.message or _text_matches(when.message, link)


def _type_matches(wanted: tuple[str, ...], mro: tuple[str, ...]) -> bool:
    # The plain names first: most rules name none of a failure's types.
    if _plain_names(wanted).isdisjoint(_plain_names(mro)):
        return False
    return any(same_type(name, seen) for seen in mro for name in wanted)


@lru_cache(maxsize=4096)
def _plain_names(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(plain(name) for name in names)


def _text_matches(pattern: str, link: LinkEvidence) -> bool:
    return search(pattern, link.text, link.lowered)


def _status_matches(wanted: Sequence[str], seen: frozenset[int]) -> bool:
    for code in seen:
        text = str(code)
        if text in wanted or f"{text[0]}xx" in wanted:
            return True
    return False


def _is_within(module: str, wanted: Sequence[str]) -> bool:
    for name in wanted:
        if name.endswith("*"):
            if module.startswith(name[:-1]):
                return True
        elif module == name or module.startswith(name + "."):
            return True
    return False


def _module_matches(wanted: Sequence[str], missing: Sequence[str]) -> bool:
    return any(_is_within(module, wanted) for module in missing)
