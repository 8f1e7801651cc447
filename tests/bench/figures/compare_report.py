"""The table, the chart and the raw figures of tests/bench/compare."""

import json
import os

from figures import machine, svg
from figures.contest import (
    BATCHES, CONTESTANTS, NATS, POSTGRES, SCHAKEL, STREAM, STREAM_TARGET, VERIFYING, groups, rate,
    ratio, rows,
)
from figures.numbers import Spread

COLOURS = {name: place for place, name in enumerate(CONTESTANTS)}


def notes(sizes):
    """What each contestant does for a message; `sizes`: bytes as the measuring client told them."""
    request, batch = sizes["request_bytes"], sizes["batch_request_bytes"]
    return {
        SCHAKEL: "mTLS; the client signs (a call, or a batch of 64), the broker verifies, decides, "
        "writes content and log record, and **syncs before it answers**. 1 KiB in one section for "
        f"one recipient is {request:,} bytes in a call, {batch:,} in a batch of 64.",
        "null echo": f"mTLS, gRPC, the same {request:,} bytes in and {sizes['answer_bytes']:,} "
        "out; nothing is done with them.",
        VERIFYING: "the same, and one Ed25519 signature is verified.",
        BATCHES: f"mTLS, one gRPC stream, {batch:,} bytes in and {sizes['batch_answer_bytes']:,} "
        "out for 64 signals; nothing is done with them; as many signals unanswered as in Schakel's "
        "window.",
        NATS: "mTLS, file storage, messages of 1,024 bytes through libnats over one connection; "
        "acknowledged when the server has written them to the operating system: **no fsync a "
        "message** (its default: every 2 minutes), so a power cut loses acknowledged ones. "
        "*sync*: so many threads, each waits; *async*: so many messages unacknowledged, as in "
        "Schakel's window.",
        POSTGRES: "TLS with client certificates, one transaction of two inserts (a row of 1,024 "
        "bytes, an outbox row) by pgbench, prepared; **fsync before it answers** (with group "
        "commit). *statements*: one after the other, as an application does; *pipelined*: all in "
        "one round trip. Counted in whole seconds.",
    }


def reached(row, spread):
    if row.target is None:
        return "", ""
    target = f">= {row.target:.2f}" + (f" (aim {row.aim:.1f})" if row.aim else "")
    if spread is None:
        return target, "not measured"
    return target, "yes" if spread.median >= row.target else "**no**"


def figure_table(results, skipped):
    lines = [
        "| what | Schakel, signals/s | beside | its rate/s | ratio | target | reached |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows():
        own, other, quotient = rate(results, row.own), rate(results, row.other), ratio(results, row)
        beside = row.other.contestant
        if beside in (NATS, POSTGRES):
            beside += f", {row.other.kind} {row.other.in_flight}"
        if row.other.contestant in skipped:
            measured, share = f"skipped: {skipped[row.other.contestant]}", ""
        else:
            measured, share = other.text(), quotient.text(2)
        target, yes = reached(row, quotient)
        lines.append(
            f"| {row.what} | {own.text()} | {beside} | {measured} | {share} | {target} | {yes} |"
        )
    own = rate(results, STREAM)
    yes = "yes" if own.median >= STREAM_TARGET else "**no**"
    lines.append(
        f"| stream publish, batches of 64 | {own.text()} | | | | >= {STREAM_TARGET:,}/s | {yes} |"
    )
    return lines


def latency_table(results):
    lines = [
        "| what | by | p50 ms | p99 ms |",
        "|---|---|---|---|",
    ]
    for group in groups():
        for series in group.series:
            found = results.get(series)
            if not found:
                continue

            def of(name, digits=2, found=found):
                values = [result[name] for result in found if name in result]
                return Spread.of(values).text(digits, 1 / 1000) if values else ""

            p50 = of("p50_us") or (of("mean_us") + " (mean)" if of("mean_us") else "")
            by = series.contestant
            if by in (NATS, POSTGRES):
                by += f", {series.kind} {series.in_flight}"
            lines.append(f"| {group.title} | {by} | {p50} | {of('p99_us')} |")
    return lines


def table(results, skipped, facts, sizes, command, rounds, versions):
    lines = [
        "# Schakel beside others",
        "",
        f"`{command}`: {rounds} interleaved round{'s' if rounds != 1 else ''}, the order rotates; "
        "medians (least..most). A ratio is of one round; shown is the median of the ratios. "
        "Everything on one machine, over the loopback: " + machine.text(facts) + ".",
        "",
        *figure_table(results, skipped),
        "",
        "![signals per second and ratios](compare.svg)",
        "",
        "A batch's latency is that of its 64 signals together.",
        "",
        *latency_table(results),
        "",
        "What each does:",
        "",
    ]
    for name, note in notes(sizes).items():
        version = f" {versions[name]}" if name in versions else ""
        said = f"**skipped**: {skipped[name]}" if name in skipped else note
        lines.append(f"- **{name}**{version}: {said}")
    if skipped:
        lines += ["", "`tests/bench/compare --install` installs what is absent."]
    return "\n".join(lines) + "\n"


def chart(results, skipped):
    def bar(series):
        spread = rate(results, series)
        note = f"skipped: {skipped[series.contestant]}" if spread is None else ""
        return svg.Bar(series.label(), COLOURS[series.contestant], spread, note)

    def quotient(row):
        spread = ratio(results, row)
        note = f"skipped: {skipped[row.other.contestant]}" if spread is None else ""
        return svg.Bar(f"by {row.other.label()}", COLOURS[row.other.contestant], spread, note,
                       row.target)

    calls = [(group.title, [bar(s) for s in group.series]) for group in groups()[:-1]]
    streams = [(group.title, [bar(s) for s in group.series]) for group in groups()[-1:]]
    by_what = {}
    for row in rows():
        by_what.setdefault(row.what, []).append(quotient(row))
    parts, top = svg.legend(12, [(name, COLOURS[name]) for name in CONTESTANTS])
    top += 8
    for title, axis, bars, shown in (
        ("Calls", "signals, calls or transactions per second (1/s)", calls, svg.number),
        ("Streams", "signals or messages per second (1/s)", streams, svg.number),
        ("Schakel's rate divided by the other's, in the same round", "ratio; broken line: target",
         list(by_what.items()), "{:.2f}".format),
    ):
        panel, top = svg.bar_panel(top, title, axis, bars, shown)
        parts += panel
        top += 12
    described = "; ".join(
        f"{row.what}, {row.other.contestant}: "
        + (ratio(results, row).text(2) if ratio(results, row) else "skipped")
        for row in rows()
    )
    return svg.document(svg.WIDTH, top, "Schakel beside others", "Ratios: " + described, parts)


def raw(results, skipped, facts, sizes, options, versions):
    return {
        "options": options,
        "machine": facts,
        "sizes": sizes,
        "versions": versions,
        "skipped": skipped,
        "series": [
            {"contestant": s.contestant, "kind": s.kind, "in_flight": s.in_flight, "rounds": found}
            for s, found in results.items()
        ],
        "rows": [
            {
                "what": row.what,
                "beside": row.other.name,
                "target": row.target,
                "ratio": ratio(results, row).median if ratio(results, row) else None,
            }
            for row in rows()
        ],
    }


def write(folder, results, skipped, facts, sizes, command, options, versions):
    """compare.md, compare.svg and compare.json into `folder`."""
    written = {
        "compare.md": table(results, skipped, facts, sizes, command, options["rounds"], versions),
        "compare.svg": chart(results, skipped),
        "compare.json": json.dumps(
            raw(results, skipped, facts, sizes, options, versions), indent=1
        ) + "\n",
    }
    for name, content in written.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(content)
