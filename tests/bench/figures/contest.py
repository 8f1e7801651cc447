"""Who is compared with whom: the series that are measured, the order of the rounds, the ratios."""

from dataclasses import dataclass

from figures.numbers import Spread, ratios, rotated

# Names on the table and on the chart.
SCHAKEL = "Schakel"
NULL = "null echo"
VERIFYING = "verifying echo"
BATCHES = "batch stream echo"
NATS = "NATS JetStream"
POSTGRES = "PostgreSQL outbox"
CONTESTANTS = (SCHAKEL, NULL, VERIFYING, BATCHES, NATS, POSTGRES)
# What --only takes, beside Schakel itself.
OPTIONAL = {"echo": (NULL, VERIFYING, BATCHES), "nats": (NATS,), "postgres": (POSTGRES,)}

# As many as Schakel's window holds (limits.h). 1,000 and 4,000 came to the same rate, 256 to half.
NATS_UNACKNOWLEDGED = 512
POSTGRES_CLIENTS = 64


@dataclass(frozen=True)
class Series:
    """One thing that is measured in each round."""

    contestant: str
    kind: str  # what the contestant is told to do
    in_flight: int

    @property
    def name(self):
        return f"{self.contestant}, {self.kind} {self.in_flight}"

    def label(self):
        """On the chart, within its group."""
        several = self.contestant in (NATS, POSTGRES)
        return f"{self.contestant}, {self.kind}" if several else self.contestant


@dataclass(frozen=True)
class Row:
    """Two series of one group beside each other, and the least ratio that is wanted."""

    what: str
    own: Series
    other: Series
    target: float | None = None
    aim: float | None = None


@dataclass(frozen=True)
class Group:
    """What is measured one after the other, so that it is compared within seconds."""

    title: str
    series: tuple


def unary(in_flight):
    return Series(SCHAKEL, "publish", in_flight)


STREAM = Series(SCHAKEL, "stream", 1)
STREAM_ECHO = Series(BATCHES, "batch-echo", 1)
NATS_ASYNC = Series(NATS, "async", NATS_UNACKNOWLEDGED)
# A statement at a time, as applications do, and all in one round trip, the best for PostgreSQL.
OUTBOX = Series(POSTGRES, "statements", POSTGRES_CLIENTS)
OUTBOX_PIPELINED = Series(POSTGRES, "pipelined", POSTGRES_CLIENTS)
STREAM_TARGET = 60_000  # signals a second


def groups():
    beside = {
        1: (Series(NATS, "sync", 1),),
        64: (Series(NATS, "sync", 64), OUTBOX, OUTBOX_PIPELINED),
    }
    calls = [
        Group(
            f"one signal a call, {n} in flight",
            (unary(n), Series(NULL, "null", n), Series(VERIFYING, "verifying", n))
            + beside.get(n, ()),
        )
        for n in (1, 16, 64, 256)
    ]
    return calls + [
        Group("a stream, batches of 64", (STREAM, STREAM_ECHO, NATS_ASYNC)),
    ]


def rows():
    null_targets = {64: 0.50, 256: 0.55}
    made = []
    for n in (1, 16, 64, 256):
        what = f"unary publish, {n} in flight"
        made.append(Row(what, unary(n), Series(NULL, "null", n), null_targets.get(n)))
        verifying = 0.70 if n in null_targets else None
        made.append(Row(what, unary(n), Series(VERIFYING, "verifying", n), verifying))
        if n in (1, 64):
            made.append(Row(what, unary(n), Series(NATS, "sync", n)))
        if n == POSTGRES_CLIENTS:
            made.append(Row(what, unary(n), OUTBOX, 3.0))
            made.append(Row(what, unary(n), OUTBOX_PIPELINED))
    stream = "stream publish, batches of 64"
    made.append(Row(stream, STREAM, STREAM_ECHO))
    made.append(Row(stream, STREAM, NATS_ASYNC, 0.8, 1.0))
    return made


def order(group, round_number, skipped):
    """The series of a group as a round measures them: another one first in each round."""
    present = [series for series in group.series if series.contestant not in skipped]
    return rotated(present, round_number)


def run(rounds, measure, skipped, say):
    """All rounds: by series, one result a round. `measure(series)` gives a result; `skipped` holds
    those who do not take part."""
    results = {}
    for number in range(rounds):
        for group in groups():
            for series in order(group, number, skipped):
                result = measure(series)
                results.setdefault(series, []).append(result)
                say(f"round {number + 1}/{rounds}  {group.title:31}  {series.label():30}"
                    f" {result['per_second']:>10,.0f}/s")
    return results


def rates(results, series):
    return [result["per_second"] for result in results.get(series, [])]


def rate(results, series):
    """A Spread, or None for who did not take part."""
    values = rates(results, series)
    return Spread.of(values) if values else None


def ratio(results, row):
    own, other = rates(results, row.own), rates(results, row.other)
    return Spread.of(ratios(own, other)) if own and other else None
