"""Compare schedules of trial loads by what they make of outages; nothing is measured, all is computed.

    python -m bench.schedules

Outages of 5 s to an hour, evenly spread by their logarithm, happen to a model whose failure no rule
knows. `bench.timeline` says what each schedule makes of them. Prints a table, and the numbers as JSON
on the last line.
"""

from __future__ import annotations

from statistics import mean
from typing import Any, Mapping, NamedTuple

from bench.report import Table, now, parser, publish
from bench.timeline import FIRST_SEC, Case, Course, Plan, alone, with_package
from ts_retry_ext.store.trial_schedule import PACE, Pace

SHORTEST_SEC, LONGEST_SEC, COUNT = 5.0, 3600.0, 301
#: The share of the delay that is the schedule's own can be seen from here on: a model is not halted
#: before its third failure.
LONG_SEC = 30.0
LOADS_SEC = (1.0, 3.0, 30.0, 300.0)
#: What was compared: first trial in seconds, share of the downtime, lengths between.
PLANS = (
    (5.0, 0.5, 20.0),
    (10.0, 0.4, 20.0),
    (10.0, 0.5, 0.0),
    (10.0, 0.5, 20.0),
    (10.0, 0.75, 20.0),
    (15.0, 0.5, 20.0),
    (15.0, 0.75, 20.0),
    (30.0, 0.75, 20.0),
)
_COLUMNS = (
    "a load takes", "schedule", "delay, mean", f"delay, longest (from {LONG_SEC:.0f} s on)",
    "later than TorchServe alone, mean", "loads against TorchServe alone's", "loads in a minute, most", "in an hour",
)  # fmt: skip


class Score(NamedTuple):
    """What a schedule makes of all outages.

    Attributes:
        mean_delay: delays after the end of outages, as a share of their lengths, on average.
        longest_delay: the longest of them, for outages of `LONG_SEC` and more.
        later_sec: how much later than TorchServe alone the model serves, on average over the outages
            that TorchServe alone survives.
        loads, loads_alone: loads in these outages, on average, and those of TorchServe alone.
        minute_loads: loads in any outage of up to a minute, the most.
        hour_loads: loads in an outage of an hour.
        survived: share of the outages after which the model serves.
    """

    mean_delay: float
    longest_delay: float
    later_sec: float
    loads: float
    loads_alone: float
    minute_loads: int
    hour_loads: int | None
    survived: float


def outages() -> list[float]:
    """Return the lengths of the outages, in seconds."""
    growth = (LONGEST_SEC / SHORTEST_SEC) ** (1 / (COUNT - 1))
    return [SHORTEST_SEC * growth**number for number in range(COUNT)]


def score(load_sec: float, plan: Plan | None) -> Score:
    """Return what a schedule makes of all outages.

    Args:
        load_sec: how long a load takes.
        plan: the schedule; None for TorchServe alone. Its intervals are the longest that the jitter
            makes of them.
    """

    def course(outage_sec: float) -> Course:
        case = Case(outage_sec, load_sec)
        return alone(case) if plan is None else with_package(case, plan, spread=1.0)

    lengths = outages()
    courses = {length: course(length) for length in lengths}
    delays = {o: c.delay_sec for o, c in courses.items() if c.delay_sec is not None}
    beside = {o: alone(Case(o, load_sec)) for o in lengths}
    inside = {o: c.delay_sec for o, c in beside.items() if c.delay_sec is not None}
    hour = course(LONGEST_SEC)
    return Score(
        mean_delay=mean(delay / o for o, delay in delays.items()),
        longest_delay=max(delay / o for o, delay in delays.items() if o >= LONG_SEC),
        later_sec=mean(delays[o] - delay for o, delay in inside.items()),
        loads=mean(courses[o].loads for o in inside),
        loads_alone=mean(beside[o].loads for o in inside),
        minute_loads=max(course(length / 10).loads for length in range(50, 601)),
        hour_loads=None if hour.delay_sec is None else hour.loads,
        survived=len(delays) / len(lengths),
    )


def measure() -> list[dict[str, Any]]:
    """Return the score of each schedule for each length of a load."""
    found = []
    for load_sec in LOADS_SEC:
        found.append({"load_sec": load_sec, "plan": None, **score(load_sec, None)._asdict()})
        for first_sec, share, lengths in PLANS:
            plan = Plan(first_sec, pace=Pace(share, lengths))
            found.append(
                {
                    "load_sec": load_sec,
                    "plan": [first_sec, share, lengths],
                    **score(load_sec, plan)._asdict(),
                }
            )
    return found


def table(found: Mapping[str, Any]) -> Table:
    """Return the scores, the schedule in force in bold."""
    return Table(_COLUMNS, [_row(row) for row in found["scores"]])


def _row(row: Mapping[str, Any]) -> list[str]:
    hour = row["hour_loads"]
    cells = [
        f"{row['load_sec']:g} s",
        _named(row),
        f"{row['mean_delay']:.2f}",
        f"{row['longest_delay']:.2f}",
        "-" if row["plan"] is None else f"{row['later_sec']:.0f} s",
        f"{row['loads']:.1f} : {row['loads_alone']:.1f}",
        str(row["minute_loads"]),
        "never serves" if hour is None else str(hour),
    ]
    in_force = row["plan"] == [FIRST_SEC, *PACE]
    return [f"**{cell}**" for cell in cells] if in_force else cells


def _named(row: Mapping[str, Any]) -> str:
    if row["plan"] is None:
        return f"TorchServe alone; survives {100 * row['survived']:.0f} %"
    first_sec, share, lengths = row["plan"]
    return f"{first_sec:g} s, {share:g}, {lengths:g}"


def main() -> None:
    """Compute and print."""
    parser(__doc__).parse_args()
    begun_at = now()
    found = {"scores": measure()}
    publish("schedules", found, table(found), begun_at)


if __name__ == "__main__":
    main()
