"""Charts as SVG, readable on a light and on a dark page: colours come from the page's scheme."""

from html import escape

# Two times eight colours that differ for most kinds of colour blindness (Okabe and Ito), darker on
# a light page than on a dark one.
LIGHT = ("#0059a8", "#8a8a8a", "#b35900", "#00785a", "#a03b78", "#7a6a00", "#2f7fb3", "#444444")
DARK = ("#6db4f2", "#a8a8a8", "#f0a050", "#3fc9a0", "#e08fc0", "#e6d84a", "#9bd1f5", "#d0d0d0")

FONT = 12
LETTER = 6.6  # width of one at that size, on average


def style():
    light = "".join(f".c{i}{{--c:{colour}}}" for i, colour in enumerate(LIGHT))
    dark = "".join(f".c{i}{{--c:{colour}}}" for i, colour in enumerate(DARK))
    return (
        "<style>"
        "svg{--ink:#1b1b1b;--soft:#c9c9c9;--back:#ffffff;"
        "font-family:system-ui,sans-serif;font-size:12px}"
        f"{light}"
        "@media(prefers-color-scheme:dark){"
        "svg{--ink:#ececec;--soft:#4a4a4a;--back:#14171a}"
        f"{dark}}}"
        "text{fill:var(--ink)}.back{fill:var(--back)}.title{font-weight:600}"
        ".bar,.dot{fill:var(--c)}.line{stroke:var(--c);fill:none;stroke-width:2}"
        ".grid{stroke:var(--soft)}.span{stroke:var(--ink)}"
        ".aim{stroke:var(--ink);stroke-dasharray:4 3}"
        "</style>"
    )


def number(value):
    """Short, for an axis or beside a bar: 12,300 or 0.52."""
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ticks(most, wanted=5):
    """Round values from 0 to `most` or the first one beyond it."""
    if most <= 0:
        return [0, 1]
    step = most / wanted
    unit = 1.0
    while unit > step:
        unit /= 10
    while unit * 10 <= step:
        unit *= 10
    size = next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= step)
    values = [0.0]
    while values[-1] < most * (1 - 1e-9):
        values.append(size * len(values))
    return values


def text(x, y, content, anchor="start", kind=""):
    chosen = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{chosen}>{escape(content)}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def document(width, height, title, description, parts):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-labelledby="title text">\n'
        f'<title id="title">{escape(title)}</title>\n<desc id="text">{escape(description)}</desc>\n'
        f"{style()}\n"
        f'<rect width="{width:.0f}" height="{height:.0f}" class="back"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


WIDTH = 860
LEFT = 210
RIGHT = 150
ROW = 20


class Bar:
    """One bar: a Spread, or none and a word that says why."""

    def __init__(self, label, colour, spread=None, note="", aim=None):
        self.label = label
        self.colour = colour
        self.spread = spread
        self.note = note
        self.aim = aim


def bar_panel(top, title, axis, groups, shown=number):
    """Horizontal bars. `groups`: a name and its Bars each; `axis` names the value and its unit;
    `shown` writes a value beside its bar. The parts, and where the panel ends."""
    bars = [bar for _, group in groups for bar in group]
    values = [bar.spread.most for bar in bars if bar.spread]
    values += [bar.aim for bar in bars if bar.aim is not None]
    marks = ticks(max(values, default=1))
    plot = WIDTH - LEFT - RIGHT

    def x(value):
        return LEFT + plot * value / marks[-1]

    parts = [text(12, top + 14, title, kind="title")]
    y = top + 30
    rows = []
    for name, group in groups:
        if name:
            rows.append(text(12, y + 14, name))
            y += ROW
        for bar in group:
            middle = y + ROW / 2
            rows.append(text(LEFT - 8, middle + 4, bar.label, "end"))
            if bar.spread is None:
                rows.append(text(LEFT + 6, middle + 4, bar.note))
            else:
                rows.append(
                    f'<rect x="{LEFT}" y="{y + 3:.1f}" width="{x(bar.spread.median) - LEFT:.1f}" '
                    f'height="{ROW - 6}" class="bar c{bar.colour}"/>'
                )
                least, most = x(bar.spread.least), x(bar.spread.most)
                rows.append(line(least, middle, most, middle, "span"))
                rows.append(line(least, middle - 3, least, middle + 3, "span"))
                rows.append(line(most, middle - 3, most, middle + 3, "span"))
                end = max(most, x(bar.aim) if bar.aim is not None else 0)
                rows.append(text(end + 6, middle + 4, shown(bar.spread.median)))
            if bar.spread and bar.aim is not None:
                rows.append(line(x(bar.aim), y, x(bar.aim), y + ROW, "aim"))
            y += ROW
        y += 6
    for mark in marks:
        parts.append(line(x(mark), top + 26, x(mark), y, "grid"))
        parts.append(text(x(mark), y + 15, number(mark), "middle"))
    parts += rows
    parts.append(text(LEFT + plot / 2, y + 33, axis, "middle"))
    return parts, y + 48


class Curve:
    """Named points (x, y)."""

    def __init__(self, name, colour, points):
        self.name = name
        self.colour = colour
        self.points = points


def curve_panel(top, title, x_axis, y_axis, curves, aim=None, height=190):
    """Lines over a common axis from 0 on. `aim`: a value with its name, as a broken line."""
    xs = [px for curve in curves for px, _ in curve.points]
    ys = [py for curve in curves for _, py in curve.points] + ([aim[0]] if aim else [])
    x_marks, y_marks = ticks(max(xs, default=1)), ticks(max(ys, default=1), 4)
    left, right = 90, 130
    plot = WIDTH - left - right
    floor = top + 34 + height

    def x(value):
        return left + plot * value / x_marks[-1]

    def y(value):
        return floor - height * value / y_marks[-1]

    parts = [text(12, top + 14, f"{title}: {y_axis}", kind="title")]
    for mark in y_marks:
        parts.append(line(left, y(mark), left + plot, y(mark), "grid"))
        parts.append(text(left - 8, y(mark) + 4, number(mark), "end"))
    for mark in x_marks:
        parts.append(line(x(mark), floor, x(mark), floor + 4, "span"))
        parts.append(text(x(mark), floor + 17, number(mark), "middle"))
    parts.append(text(left + plot / 2, floor + 34, x_axis, "middle"))
    names = []
    for curve in curves:
        points = " ".join(f"{x(px):.1f},{y(py):.1f}" for px, py in curve.points)
        parts.append(f'<polyline points="{points}" class="line c{curve.colour}"/>')
        for px, py in curve.points:
            parts.append(
                f'<circle cx="{x(px):.1f}" cy="{y(py):.1f}" r="3" class="dot c{curve.colour}"/>'
            )
        if curve.points:
            names.append((y(curve.points[-1][1]), x(curve.points[-1][0]), curve.name))
    if aim:
        parts.append(line(left, y(aim[0]), left + plot, y(aim[0]), "aim"))
        names.append((y(aim[0]), left + plot, aim[1]))
    last = float("-inf")
    for at, end, name in sorted(names):
        last = max(at, last + FONT + 2)
        parts.append(text(end + 10, last + 4, name))
    return parts, floor + 52


def legend(top, entries):
    """Names with their colours, in rows."""
    parts, x = [], 12
    for name, colour in entries:
        width = 24 + len(name) * LETTER + 14
        if x + width > WIDTH:
            x, top = 12, top + ROW
        parts.append(
            f'<rect x="{x:.1f}" y="{top + 3}" width="14" height="12" class="bar c{colour}"/>'
        )
        parts.append(text(x + 20, top + 14, name))
        x += width
    return parts, top + ROW + 8
