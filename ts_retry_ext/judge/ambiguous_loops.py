"""Tell a loop of a pattern that can match one text in two ways: `(a+)+`, `(a|aa)+`.

Python's `re` tries both ways at each round, so the time doubles with each character. This is decided
exactly, on the graph of the pattern's characters (Glushkov's automaton) and on its product with
itself: the loop is ambiguous if the product has a circle through a pair of equal characters and a
pair of different ones, or if one step of it can be made in two ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Callable, NamedTuple, TypeVar

from ts_retry_ext.judge.character_sets import character_set

_Node = TypeVar("_Node")

#: A repetition that may go on for so long counts as one without an end.
_LOOP = 8
#: Characters of a pattern, its repetitions written out, beyond which it is not looked into.
_LARGEST = 3_000
#: Characters of one loop beyond which its product is not made.
_LARGEST_LOOP = 64
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT")


def has_ambiguous_loop(nodes: Iterable[Any]) -> bool:
    """Tell whether a parsed pattern has one, or is too large to tell."""
    graph = _Graph()
    graph.sequence(nodes)
    return graph.doubles()


class _Part(NamedTuple):
    """Hold how a part of a pattern can begin and end: numbers of characters in the graph."""

    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    nullable: bool = True


class _Graph:
    """Hold the characters of a pattern and which may follow which, and in how many ways."""

    def __init__(self) -> None:
        self.sets: list[int] = []
        self.follow: list[dict[int, int]] = []

    def sequence(self, nodes: Iterable[Any]) -> _Part:
        whole = _Part()
        for operation, argument in nodes:
            whole = self._then(whole, self._node(str(operation), argument))
        return whole

    def _node(self, name: str, argument: Any) -> _Part:
        matched = character_set(name, argument)
        if matched is not None:
            self.sets.append(matched)
            self.follow.append({})
            here = (len(self.sets) - 1,)
            return _Part(here, here, nullable=False)
        if name == "BRANCH":
            return self._either(argument[1])
        if name in ("SUBPATTERN", "ATOMIC_GROUP"):
            return self.sequence(argument[-1] if name == "SUBPATTERN" else argument)
        if name in (*_REPEATS, "POSSESSIVE_REPEAT"):
            return self._repeat(*argument, gives_back=name in _REPEATS)
        if name in ("ASSERT", "ASSERT_NOT"):
            self.sequence(argument[1])
        if name == "GROUPREF_EXISTS":
            return self._either([branch for branch in argument[1:] if branch is not None])
        return _Part()

    def _either(self, branches: Iterable[Any]) -> _Part:
        parts = [self.sequence(branch) for branch in branches]
        return _Part(
            tuple(number for part in parts for number in part.first),
            tuple(number for part in parts for number in part.last),
            any(part.nullable for part in parts),
        )

    def _repeat(self, least: int, most: int, body: Any, *, gives_back: bool) -> _Part:
        part = self.sequence(body)
        if most >= _LOOP:
            if gives_back:
                self._connect(part.last, part.first)
                if part.nullable and least > 1:  # `(a?){50}`: which of the rounds is the empty one?
                    self._connect(part.last, part.first)
            return _Part(part.first, part.last, part.nullable or least == 0)
        ends = part.last if least <= 1 else ()
        before = part
        for count in range(2, most + 1):
            if len(self.sets) > _LARGEST:
                break
            copy = self.sequence(body)
            self._connect(before.last, copy.first)
            ends += copy.last if count >= least else ()
            before = copy
        return _Part(part.first, ends, part.nullable or least == 0)

    def _then(self, one: _Part, other: _Part) -> _Part:
        self._connect(one.last, other.first)
        return _Part(
            one.first + other.first if one.nullable else one.first,
            one.last + other.last if other.nullable else other.last,
            one.nullable and other.nullable,
        )

    def _connect(self, ends: Iterable[int], begins: tuple[int, ...]) -> None:
        for end in ends:
            for begin in begins:
                self.follow[end][begin] = self.follow[end].get(begin, 0) + 1

    def doubles(self) -> bool:
        """Tell whether a loop can match one text in two ways (exponential ambiguity)."""
        nodes = range(len(self.sets))
        if len(nodes) > _LARGEST:
            return True
        for loop in _circles(nodes, lambda number: self.follow[number]):
            inside = set(loop)
            if any(self.follow[a].get(b, 0) > 1 for a in loop for b in loop):
                return True
            if len(loop) > _LARGEST_LOOP:
                return True
            if len(loop) > 1 and self._product_doubles(loop, inside):
                return True
        return False

    def _product_doubles(self, loop: list[int], inside: set[int]) -> bool:
        def after(pair: tuple[int, int]) -> Iterator[tuple[int, int]]:
            for one in self.follow[pair[0]]:
                for other in self.follow[pair[1]]:
                    if one in inside and other in inside and self.sets[one] & self.sets[other]:
                        yield one, other

        pairs = [(one, other) for one in loop for other in loop]
        return any(
            any(one == other for one, other in circle)
            and any(one != other for one, other in circle)
            for circle in _circles(pairs, after)
        )


def _circles(
    nodes: Iterable[_Node], after: Callable[[_Node], Iterable[_Node]]
) -> Iterator[list[_Node]]:
    """Yield the sets of nodes that can reach each other (Tarjan's algorithm, without recursion)."""
    index: dict[_Node, int] = {}
    low: dict[_Node, int] = {}
    stack: list[_Node] = []
    on_stack: set[_Node] = set()
    for root in nodes:
        if root in index:
            continue
        work = [(root, iter(after(root)))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, children = work[-1]
            for child in children:
                if child not in index:
                    index[child] = low[child] = len(index)
                    stack.append(child)
                    on_stack.add(child)
                    work.append((child, iter(after(child))))
                    break
                if child in on_stack:
                    low[node] = min(low[node], index[child])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    circle: list[_Node] = []
                    while not circle or circle[-1] != node:
                        circle.append(stack.pop())
                        on_stack.discard(circle[-1])
                    if len(circle) > 1 or node in after(node):
                        yield circle
