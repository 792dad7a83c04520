"""The figures as text, as a table, and as a picture."""

import os
import pathlib
import platform
import re
import subprocess
import xml.sax.saxutils

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def number(value):
    if value is None:
        return ""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def cells(line):
    ours = f"{number(line.ours)} {line.unit}".strip()
    theirs = f"{line.peer}: {number(line.theirs)} {line.unit}".strip() if line.theirs is not None else ""
    ratio = f"{number(line.ratio)} ×" if line.ratio is not None else ""
    verdict = {True: "PASS", False: "MISS", None: ""}[line.passed]
    return [line.what, ours, theirs, ratio, line.bar or "", verdict]


def text(line):
    what, ours, theirs, ratio, bar, verdict = cells(line)
    return f"{verdict or '-':4}  {line.group}: {what}: {ours}" + "".join(f"; {part}" for part in (theirs, ratio, bar) if part)


def table(lines):
    out, group = [], None
    for line in lines:
        if line.group != group:
            group = line.group
            out += ["", f"**{group}**", "", "| what | datarowd | peer | ratio | bar | |", "| --- | --- | --- | --- | --- | --- |"]
        out.append("| " + " | ".join(cells(line)) + " |")
    return "\n".join(out[1:])


def machine(programs):
    model = next((m[1] for m in [re.search(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())] if m), "")
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) >> 20
    curl = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    kernel = platform.release().split("-")[0]
    return (f"{os.cpu_count()} cores ({model}), {memory} GiB of memory, Linux {kernel}, {platform.libc_ver()[0]} "
            f"{platform.libc_ver()[1]}, curl {curl}, Python {platform.python_version()}")


def sdk_version(python):
    return subprocess.run(
        [python, "-c", "import labelbox; print(labelbox.__version__)"], capture_output=True, text=True, check=True).stdout.strip()


def write(folder, lines, options):
    page = pathlib.Path(folder) / "performance.md"
    old = page.read_text()
    head, rest = old.split(BEGIN)
    tail = rest.split(END)[1]
    runs = 1 if options.quick else options.repetitions
    told = (f"Measured by `Scripts/bench` on {machine(options.programs)}, the official SDK {sdk_version(options.python)}; "
            + ("one run each." if runs == 1 else f"medians of {runs} runs in which the peers took turns."))
    page.write_text(f"{head}{BEGIN}\n{told}\n\n{table(lines)}\n{END}{tail}")
    pathlib.Path(folder, "images", "performance.svg").write_text(picture(lines))


def picture(lines):
    """How far each bar is met: a bar reaches the mark when the bar is just met, and further when there is room."""
    shown = []
    for line in lines:
        if line.passed is None:
            continue
        limit = float(re.search(r"[\d.]+(?:/\d+)?", line.bar.replace(",", ""))[0].split("/")[0])
        if "/" in line.bar.split("×")[0] and line.ratio is not None:
            limit = 1 / float(line.bar.split("/")[1].split()[0])
        value = line.ratio if line.ratio is not None else line.ours
        # More is better for both, so that one mark serves all.
        room = (value / limit if line.bar.startswith("≥") else limit / max(value, limit / 100))
        shown.append((f"{line.group}: {line.what}", room, line))
    width, left, step, top = 980, 520, 26, 46
    scale = (width - left - 110) / 2
    height = top + step * len(shown) + 24
    mark = left + scale
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="13" '
        'role="img" aria-label="How far each bar is met">',
        "<style>text{fill:#24292f}.met{fill:#2da44e}.missed{fill:#cf222e}.mark{stroke:#57606a}"
        "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.mark{stroke:#8b949e}}</style>",
        f'<text x="{mark}" y="22" text-anchor="middle">bar just met</text>',
        f'<line class="mark" x1="{mark}" x2="{mark}" y1="30" y2="{height - 16}" stroke-dasharray="4 3"/>',
    ]
    for place, (what, room, line) in enumerate(shown):
        y = top + step * place
        # Twice as good is as far as the mark again; beyond that it would only be longer.
        length = scale * min(room, 2)
        parts += [
            f'<text x="{left - 10}" y="{y + 13}" text-anchor="end">{xml.sax.saxutils.escape(what)}</text>',
            f'<rect class="{"met" if line.passed else "missed"}" x="{left}" y="{y}" width="{length:.1f}" height="18" rx="3"/>',
            f'<text x="{left + length + 6:.1f}" y="{y + 13}">{number(line.ratio if line.ratio is not None else line.ours)}'
            f'{" ×" if line.ratio is not None else " " + line.unit}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
