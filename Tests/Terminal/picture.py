"""Makes an SVG of what a terminal shows, character for character and colour for colour."""

import argparse
import json
import pathlib
import re
import xml.sax.saxutils

from scene import Scene
from tmux import Pane, width
from view import album

COLUMNS, LINES = 80, 12
# Of one character, in pixels.
WIDE, HIGH, SIZE = 8.4, 19, 14
MARGIN = 14
COLOURS = {None: "#d8dee9", 31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 36: "#76d9e6"}


def pieces(line):
    """Text and its colour, from left to right."""
    colour, found = None, []
    for number, text in re.findall(r"(?:\x1b\[([\d;]*)m)|([^\x1b]+)", line):
        if text:
            found.append((text, colour))
        else:
            code = int(number.split(";")[-1] or 0)
            colour = code if code in COLOURS else None
    return found


def drawn(text, column, row, colour):
    """A piece of a line; blocks are drawn, since fonts leave gaps between them."""
    for part in re.findall("█+|░+| +|[^█░ ]+(?: [^█░ ]+)*", text):
        x, y, columns = MARGIN + column * WIDE, MARGIN + row * HIGH, width(part)
        column += columns
        if part[0] in "█░":
            opacity = "" if part[0] == "█" else ' opacity="0.28"'
            yield f'<rect x="{x:.1f}" y="{y + 2}" width="{columns * WIDE:.1f}" height="{HIGH - 4}" fill="{colour}"{opacity}/>'
        elif part.strip():
            # With its length, so that every font keeps the columns.
            yield (f'<text x="{x:.1f}" y="{y + SIZE}" textLength="{columns * WIDE:.1f}" lengthAdjust="spacingAndGlyphs" fill="{colour}">'
                   f"{xml.sax.saxutils.escape(part)}</text>")


def svg(capture, what):
    lines = capture.rstrip("\n").split("\n")
    shapes = []
    for row, line in enumerate(lines):
        column = 0
        for text, colour in pieces(line):
            shapes += drawn(text, column, row, COLOURS[colour])
            column += width(text)
    across, down = MARGIN * 2 + COLUMNS * WIDE, MARGIN * 2 + len(lines) * HIGH
    title = xml.sax.saxutils.escape(what)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across:.0f} {down}" width="{across:.0f}" height="{down}" role="img" '
            f'font-family="ui-monospace, \'DejaVu Sans Mono\', Menlo, Consolas, monospace" font-size="{SIZE}" xml:space="preserve">\n'
            f'<title>{title}</title>\n<rect width="100%" height="100%" rx="8" fill="#161b22"/>\n' + "\n".join(shapes) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", default=".build/release")
    parser.add_argument("--folder", default="docs/images", type=pathlib.Path)
    options = parser.parse_args()
    with Scene(options.programs, task_delay="2s", requests_per_minute=600) as scene:
        scene.settings = scene.settings.replace("labelbox:\n", "labelbox:\n  bandwidth: 400k\n  files_per_request: 1\n", 1)
        scene.settings = scene.settings.replace("linger: 0s,", "linger: 0s, max_rows_per_task: 200,")
        scene.start()
        album(scene, "batch7", pictures=400, bytes=60_000)
        scene.drop("cats", "catalog.ndjson", scene.rows(12_000))
        scene.drop("dogs", "single.ndjson", scene.rows(400, of="single"))
        scene.drop("dogs", "nightly/wednesday.ndjson", json.dumps({"row_data": "./comes-later.jpg"}) + "\n")
        with Pane(options.programs, COLUMNS, LINES, folder=scene.root) as pane:
            scene.until(lambda: len(list((scene.state / "status").glob("*/**/*.status.json"))) == 4, 20, "all are claimed")
            pane.start("datarowctl status --watch-live --config datarowd.yaml")
            pane.until(lambda text: re.search(r"catalog.* [3-9]\d % .*rows/s, .* left", text)
                       and re.search("batch7.* [kM]B/s, .* left", text) and "complete" in text, "much moves, and something has ended", 90)
            (options.folder / "live.svg").write_text(svg(pane.coloured(), "datarowctl status --watch-live in a terminal of 80 columns"))
            print(pane.text())
            pane.type("q")


main()
