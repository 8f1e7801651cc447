"""The table, the curves and the raw figures of tests/bench/growth."""

import json
import os

from figures import machine, svg

MIB = 1024 * 1024
RATE_TARGET = 0.9  # of the first step's rate
RSS_TARGET = 1024 * MIB
START_TARGET = 3.0  # seconds
RECORDS_A_SIGNAL = 3  # publish, delivery, acknowledgement


def check(steps, signals):
    """Why the figures are not to be believed; empty when they are."""
    if not steps or steps[-1]["signals"] != signals:
        return f"the fill ended before {signals:,} signals"
    for step in steps:
        if step["records"] != RECORDS_A_SIGNAL * step["signals"]:
            return (f"{step['records']:,} records of {step['signals']:,} signals: expected "
                    f"{RECORDS_A_SIGNAL} each")
    return ""


def figure_table(steps):
    first = steps[0]
    lines = [
        "| signals | records | publish/s | of the first step | p50 ms | p99 ms | whole/s | of the "
        "first step | processor us a signal | RSS MiB | disk bytes a signal | start s |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for step in steps:
        shares = [step[name] / first[name] for name in ("publish_per_second", "whole_per_second")]
        lines.append(
            f"| {step['signals']:,} | {step['records']:,} | {step['publish_per_second']:,.0f} | "
            f"{shares[0]:.2f} | {step['publish_p50_us'] / 1000:.2f} | "
            f"{step['publish_p99_us'] / 1000:.2f} | {step['whole_per_second']:,.0f} | "
            f"{shares[1]:.2f} | {step['processor_us']:,.0f} | {step['rss_bytes'] / MIB:,.0f} | "
            f"{step['disk_bytes'] / step['signals']:,.0f} | {step['start_seconds']:.2f} |"
        )
    return lines


def targets(steps):
    """Judged on the last step, memory and start on the worst one."""
    share = steps[-1]["publish_per_second"] / steps[0]["publish_per_second"]
    rss = max(step["rss_bytes"] for step in steps)
    start = max(step["start_seconds"] for step in steps)
    found = (
        ("publish rate of the last step by the first's", f">= {RATE_TARGET}", f"{share:.2f}",
         share >= RATE_TARGET),
        ("RSS, the most at a step's end", f"<= {RSS_TARGET / MIB:,.0f} MiB",
         f"{rss / MIB:,.0f} MiB", rss <= RSS_TARGET),
        ("start, the longest", f"<= {START_TARGET:.0f} s", f"{start:.2f} s", start <= START_TARGET),
    )
    lines = ["| what | target | measured | reached |", "|---|---|---|---|"]
    for what, target, measured, good in found:
        lines.append(f"| {what} | {target} | {measured} | {'yes' if good else '**no**'} |")
    return lines


def table(steps, facts, command):
    signals = steps[-1]["signals"]
    return "\n".join([
        "# A store that fills",
        "",
        f"`{command}`: {signals:,} signals and {steps[-1]['records']:,} records at the end, on "
        + machine.text(facts) + ".",
        "",
        "Filled in one process with the broker's own sequencer, machine and store (allocator and "
        "cache as a broker has them), without transport and signatures: commands come from memory, "
        "64 publishes under way, one recipient, one section of 1 KiB. In turn 4,096 signals are "
        "published, then delivered in commands of 64 and acknowledged one by one; every batch is "
        "synced. *Publish* counts the time of publishing only, *whole* all the time of the step: "
        "what compactions owe is paid in either. Acknowledged signals stay, as they do until their "
        "retention ends. *Processor* is the whole process's, compactions and the making of the "
        "signals included. RSS is this process's, with the signals that it makes. *Start*: closed "
        "and opened again, the machine loaded.",
        "",
        *targets(steps),
        "",
        *figure_table(steps),
        "",
        "![the curves](growth.svg)",
    ]) + "\n"


def chart(steps):
    def curve(name, colour, value):
        return svg.Curve(name, colour, [(step["signals"], value(step)) for step in steps])

    panels = (
        ("Rate", "signals per second (1/s)",
         [curve("publish", 0, lambda s: s["publish_per_second"]),
          curve("whole", 2, lambda s: s["whole_per_second"])],
         (RATE_TARGET * steps[0]["publish_per_second"], "0.9 of first")),
        ("Publish latency", "milliseconds (ms)",
         [curve("p99", 2, lambda s: s["publish_p99_us"] / 1000),
          curve("p50", 0, lambda s: s["publish_p50_us"] / 1000)], None),
        ("Processor", "microseconds a signal (us)",
         [curve("processor", 0, lambda s: s["processor_us"])], None),
        ("Memory", "RSS, MiB", [curve("RSS", 0, lambda s: s["rss_bytes"] / MIB)],
         (RSS_TARGET / MIB, "target")),
        ("Disk", "bytes a signal (B)",
         [curve("disk", 0, lambda s: s["disk_bytes"] / s["signals"])], None),
        ("Start", "seconds (s)", [curve("start", 0, lambda s: s["start_seconds"])],
         (START_TARGET, "target")),
    )
    parts, top = [], 12
    for title, unit, curves, aim in panels:
        panel, top = svg.curve_panel(top, title, "signals in the store", unit, curves, aim,
                                     height=150)
        parts += panel
    return svg.document(svg.WIDTH, top, "A store that fills",
                        f"Rate, latency, memory, disk and start up to {steps[-1]['signals']:,} "
                        "signals", parts)


def write(folder, steps, facts, command, options):
    """growth.md, growth.svg and growth.json into `folder`."""
    written = {
        "growth.md": table(steps, facts, command),
        "growth.svg": chart(steps),
        "growth.json": json.dumps(
            {"options": options, "machine": facts, "steps": steps}, indent=1
        ) + "\n",
    }
    for name, content in written.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(content)
