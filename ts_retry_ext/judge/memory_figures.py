"""Memory numbers in a message: how much was asked for, how much there is, and who holds it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNITS = {"b": 1, "bytes": 1, "byte": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
#: numpy writes a whole number of a unit as "596. TiB".
_SIZE = r"(-?\d+(?:\.\d*)?) ?(bytes?|[KMGT]i?B|B)\b"

#: Number -> the texts that carry it. Sources: torch's caching allocator (old form up to 2.0,
#: new form since), vLLM's start-up check, numpy and torch's CPU allocator.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern.replace("SIZE", _SIZE), re.IGNORECASE))
    for name, pattern in (
        ("requested", r"tried to allocate SIZE"),
        ("requested", r"requested ?: SIZE"),
        ("total", r"device limit ?: SIZE"),
        ("allocated", r"currently allocated ?: SIZE"),
        ("free", r"free \(according to cuda\) ?: SIZE"),
        ("requested", r"unable to allocate SIZE"),
        ("requested", r"unable to mmap SIZE"),
        ("requested", r"requested buffer of size (-?\d+)()"),
        ("requested", r"failed to allocate (?:a )?(?:buffer of )?(?:memory of )?(?:size )?SIZE"),
        ("requested", r"allocation of SIZE"),
        ("total", r"SIZE total capacity"),
        ("total", r"total capac[a-z]{1,4} of SIZE"),
        ("free", r"SIZE (?:is )?free\b"),
        ("own", r"this process has SIZE memory in use"),
        ("allocated", r"SIZE already allocated"),
        ("allocated", r"of the allocated memory SIZE is allocated by"),
        ("reserved", r"SIZE reserved in total by pytorch"),
        ("reserved", r"SIZE cached"),
    )
)
_OTHER = re.compile(r"\bprocess \d+ has " + _SIZE + r" memory in use", re.IGNORECASE)
_IMPOSSIBLE = 2.0**50
#: Bytes of a device that no allocation can have: the driver's share and the CUDA context of the
#: process (300-600 MB on current cards).
_OVERHEAD = 0.5 * 2**30
#: Of devices smaller than this, the overhead is not taken for granted.
_SMALL_DEVICE = 4 * 2**30
#: One request of this size is as often a model too large for the host as a passing shortage.
_HUGE = 8e9
#: More than any host or device has: a wrong shape, or a size read from a damaged file.
_BEYOND_ANY_HOST = 2.0**46
_PAIR = re.compile(
    r"free memory on device (?:[\w:]{1,12} )?\((\d+(?:\.\d+)?)/(\d+(?:\.\d+)?) ([GM]i?B)\)"
    r".{0,120}?utilization \((\d*\.?\d+), (\d+(?:\.\d+)?) ([GM]i?B)\)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class MemoryNumbers:
    """Hold the memory numbers of one message, in bytes; None where it does not say.

    Attributes:
        requested: what was asked for and refused.
        total: capacity of the device.
        free: free on the device at that moment.
        own: held by the failing process, everything included.
        reserved: held by torch's allocator in the failing process.
        allocated: in use by tensors of the failing process.
        others: held by other processes, where the text lists them.
    """

    requested: float | None = None
    total: float | None = None
    free: float | None = None
    own: float | None = None
    reserved: float | None = None
    allocated: float | None = None
    others: float | None = None

    @property
    def held_here(self) -> float | None:
        """Return the best lower bound of what the failing process itself holds."""
        known = [value for value in (self.own, self.reserved, self.allocated) if value is not None]
        return max(known) if known else None


def memory_numbers(text: str) -> MemoryNumbers | None:
    """Read the memory numbers of a message, None when it has none."""
    lowered = text.lower()
    if "alloc" not in lowered and "memory" not in lowered:
        return None
    found: dict[str, float] = {}
    for name, pattern in _PATTERNS:
        match = pattern.search(text)
        if match and name not in found:
            found[name] = _bytes(match.group(1), match.group(2))
    others = [_bytes(number, unit) for number, unit in _OTHER.findall(text)]
    if others:
        found["others"] = sum(others)
    # A process that cannot see the host's process ids reports 16 EiB (2**64) for itself or others.
    limit = found.get("total", _IMPOSSIBLE)
    for name in ("own", "others", "reserved", "allocated"):
        if found.get(name, 0.0) > limit:
            del found[name]
    pair = _PAIR.search(text)
    if pair:
        found["free"] = _bytes(pair.group(1), pair.group(3))
        found["total"] = _bytes(pair.group(2), pair.group(3))
        found["requested"] = _bytes(pair.group(5), pair.group(6))
    return MemoryNumbers(**found) if found else None


def request_exceeds_total(numbers: MemoryNumbers) -> bool:
    """Tell whether one request alone is larger than the device."""
    if numbers.requested is None or numbers.total is None:
        return False
    return numbers.requested > numbers.total


def own_use_exceeds_total(numbers: MemoryNumbers) -> bool:
    """Tell whether what this process holds and the request do not fit even an empty device."""
    if numbers.requested is None or numbers.total is None or numbers.held_here is None:
        return False
    if numbers.total < _SMALL_DEVICE:
        # So little that the overhead must be seen: nothing is left that others could hold.
        others = numbers.total - numbers.held_here - (numbers.free or 0.0)
        usable = numbers.total - (others if 0.0 <= others <= _OVERHEAD else 0.0)
    else:
        usable = numbers.total - _OVERHEAD
    return numbers.requested + numbers.held_here > usable


def held_by_others(numbers: MemoryNumbers) -> bool:
    """Tell whether the request would fit if other processes let go of what they hold."""
    if numbers.total is None or numbers.requested is None:
        return bool(numbers.others)
    if numbers.others:
        return not own_use_exceeds_total(numbers)
    if numbers.free is None:
        return False
    here = numbers.held_here or 0.0
    elsewhere = numbers.total - numbers.free - here
    return elsewhere + numbers.free >= numbers.requested > numbers.free


def request_is_less_than_free(numbers: MemoryNumbers) -> bool:
    """Tell whether more was free than was asked for: the numbers do not explain the failure."""
    if numbers.requested is None or numbers.free is None:
        return False
    return numbers.requested <= numbers.free


def held_mostly_here(numbers: MemoryNumbers) -> bool:
    """Tell whether what others hold is little against the device and against what is held here."""
    here = numbers.held_here
    if numbers.total is None or numbers.free is None or here is None:
        return False
    elsewhere = numbers.total - numbers.free - here
    return elsewhere <= numbers.total / 4 and here >= 2 * elsewhere


def nearly_enough_free(numbers: MemoryNumbers) -> bool:
    """Tell whether so little is missing that the overhead of this process can be the cause."""
    if numbers.requested is None or numbers.free is None:
        return False
    return 0.0 < numbers.requested - numbers.free <= _OVERHEAD


def request_is_huge(numbers: MemoryNumbers) -> bool:
    """Tell whether one request is for more memory than many a host has."""
    return numbers.requested is not None and numbers.requested >= _HUGE


def request_is_impossible(numbers: MemoryNumbers) -> bool:
    """Tell whether one request is for more memory than any host has."""
    return numbers.requested is not None and numbers.requested >= _BEYOND_ANY_HOST


#: The predicates a rule can name in `when.memory`.
MEMORY_PREDICATES = {
    "request_exceeds_total": request_exceeds_total,
    "own_use_exceeds_total": own_use_exceeds_total,
    "held_by_others": held_by_others,
    "held_mostly_here": held_mostly_here,
    "request_is_less_than_free": request_is_less_than_free,
    "nearly_enough_free": nearly_enough_free,
    "request_is_huge": request_is_huge,
    "request_is_impossible": request_is_impossible,
}


def _bytes(number: str, unit: str) -> float:
    unit = unit.lower()
    return float(number) * (_UNITS.get(unit) or _UNITS.get(unit[:1], 1))
