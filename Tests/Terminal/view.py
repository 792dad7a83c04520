"""What `datarowctl` draws, in a real terminal, of a real daemon's imports."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time

from scene import DATASET, Scene
from tmux import PROMPT, Pane, quoted, width

# Names as hostile as they can be: each would move the cursor, recolour, retitle, forge a line, or turn the text around.
HOSTILE = [
    "red \x1b[31m and \x1b[2J\x1b[Hhome.ndjson",
    "title \x1b]0;owned\x07.ndjson",
    "line\nbreak\rand\ttab.ndjson",
    "from right \u202eto left\u202c.ndjson",
    "c1 \u009b31m\u0085next.ndjson",
    "wide 猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫.ndjson",
    "marks e\u0301\u0301\u0301\u0301 and 👩\u200d👩\u200d👧\ufe0f.ndjson",
    "n" * 240 + ".ndjson",
]
BAR = re.compile("[█░]+")


def groups(programs):
    yield moving(programs)
    yield hostile(programs)
    yield elsewhere(programs)


def slow(programs):
    """A daemon whose uploads take half a minute and more, so that something moves while it is looked at."""
    scene = Scene(programs, task_delay="300ms")
    scene.settings = scene.settings.replace("labelbox:\n", "labelbox:\n  bandwidth: 50k\n  files_per_request: 1\n", 1)
    return scene


def album(scene, name, pictures=300, bytes=20_000, watch="cats"):
    """A manifest that names so many media files."""
    rows = []
    for number in range(pictures):
        scene.drop(watch, f"{name}-media/{number}.jpg", b"\xff\xd8\xff\xe0" + os.urandom(bytes))
        rows.append({"row_data": f"./{name}-media/{number}.jpg", "global_key": f"{name} {number}"})
    scene.drop(watch, f"{name}.ndjson", "".join(json.dumps(row) + "\n" for row in rows))


def done(text, name="album"):
    """How much of a manifest is done, in percent."""
    found = re.search(rf"{name}\.ndjson\s+{BAR.pattern}\s+(\d+) %", text)
    return int(found[1]) if found else None


@contextlib.contextmanager
def moving(programs):
    with slow(programs) as scene:
        scene.start()
        with Pane(programs, folder=scene.root) as pane:
            options = "--config datarowd.yaml"
            command = f"datarowctl status --watch-live {options}"
            before = pane.manners()

            def begin():
                pane.press("C-l")
                pane.start(command)
                return pane.until(lambda text: done(text) is not None, "the view is there")

            def end(text=""):
                """The terminal is as it was, and the shell has what is typed."""
                pane.until(lambda shown: shown.rstrip().endswith(PROMPT.strip()) and text in shown, "the shell asks again")
                assert pane.manners() == before, (pane.manners(), before)
                shown, _ = pane.run("echo the shell is heard")
                assert "the shell is heard" in shown, shown

            def bars():
                assert pane.run(command)[0].startswith("nothing is unfinished\n"), pane.text()
                album(scene, "album")
                scene.until(lambda: (scene.state / "status/cats/album.ndjson.status.json").exists(), 20, "it is claimed")
                first = done(begin())
                text = pane.until(lambda text: (done(text) or 0) > max(first, 2) and " left" in text and "/s" in text, "it moves")
                line = next(line for line in text.splitlines() if "album" in line)
                assert re.search(r"cats:album\.ndjson [█░]+ +\d+ % importing, .*\d+ kB/s, .*\d+s left$", line), line
                bar = BAR.search(line)[0]
                assert abs(bar.count("█") / len(bar) * 100 - done(text)) <= 100 / len(bar), line
                assert "0 of 1 ended; q ends the view" in text, text
                second = done(text)
                pane.until(lambda text: done(text) > second, "it moves on")

            def own_screen():
                manners = pane.manners()
                assert (manners["alternate screen"], manners["cursor shows"], manners["lines wrap"]) == ("1", "0", "0"), manners
                assert manners["stty"] != before["stty"]
                # What is typed does not get into the picture.
                pane.type("xyz")
                time.sleep(0.5)
                assert "xyz" not in pane.text(), pane.text()

            def colours():
                line = next(line for line in pane.coloured().splitlines() if "album" in line)
                assert re.search(r"\x1b\[36m[█░]+\x1b\[39m", line), repr(line)

            def resized():
                for columns, lines in ((40, 24), (30, 6), (120, 40), (59, 24), (60, 24), (40, 10), (80, 24)):
                    pane.resize(columns, lines)
                    def fitting(text):
                        shown = text.rstrip("\n").split("\n")
                        # Nothing of another size is left over: the name, its figures, and how many have ended.
                        wanted = 2 if columns >= 60 else 3
                        return (len(shown) == wanted and "album.ndjson" in shown[0] and "0 of 1 ended" in shown[-1]
                                and re.search(r"\d+ % ", shown[wanted - 2]) and all(width(line) < columns for line in shown))
                    text = pane.until(fitting, f"it fits into {columns} columns and {lines} lines", 5)
                    if columns >= 40:
                        assert re.search(r"\d+ kB/s, [\dm]+s left", text), text

            def suspended():
                pane.press("C-z")
                pane.until(lambda text: "Stopped" in text, "the shell has the terminal")
                manners = pane.manners()
                assert manners == before, (manners, before)
                pane.start("fg")
                pane.until(lambda text: done(text) is not None and "Stopped" not in text, "the view is there again")
                assert pane.tell("alternate_on") == "1" and pane.tell("cursor_flag") == "0"

            def quit():
                pane.type("q")
                # What was seen last stays.
                end("0 of 1 ended\n")
                # In a script nobody types, and the view goes on till it is ended.
                pane.start(f"{command} < /dev/null; echo code $?")
                pane.until(lambda text: done(text) is not None, "the view is there")
                pane.type("q")
                time.sleep(0.5)
                assert pane.tell("alternate_on") == "1", pane.text()
                pane.press("C-c")
                end()

            def interrupted():
                for key, number in (("C-c", 2), ("C-\\", 3)):
                    begin()
                    pane.press(key)
                    end()
                    # By the signal itself, so that the shell and scripts see it.
                    pane.start(f"bash -c {quoted(command + '; echo code $?; exit 0')}")
                    pane.until(lambda text: done(text) is not None, "the view is there")
                    pane.press(key)
                    pane.until(lambda text: re.search(rf"code {128 + number}\b|{PROMPT}$", text.rstrip() + " "), "it ends")
                    end()

            def killed():
                for number in (signal.SIGTERM, signal.SIGHUP):
                    begin()
                    found = subprocess.run(["pgrep", "-f", "watch-live --config datarowd.yaml"], capture_output=True, text=True).stdout.split()
                    [mine] = [pid for pid in found if os.readlink(f"/proc/{pid}/cwd") == str(scene.root)]
                    os.kill(int(mine), number)
                    end()

            def plain():
                pane.start(f"NO_COLOR=1 {command}")
                pane.until(lambda text: done(text) is not None, "the view is there")
                assert "\x1b[" not in pane.coloured(), pane.coloured()
                pane.type("q")
                end()
                # Without UTF-8 nothing but ASCII.
                pane.start(f"LC_ALL=C {command}")
                pane.until(lambda text: re.search(r"album\.ndjson #*\.+ +\d+ % ", text), "bars of ASCII")
                pane.type("q")
                end()

            def stopped():
                begin()
                assert scene.stop() == 0
                text = pane.until(lambda text: "datarowd is not running" in text.splitlines()[0], "it says so")
                assert "what waits goes on when it is started" in text, text
                scene.start()
                pane.until(lambda text: "datarowd is" not in text, "it is well again")
                moved = done(pane.text())
                pane.until(lambda text: done(text) > moved, "it moves on", 30)

            def paused():
                subprocess.run(["datarowctl", "pause", "--wait", "--config", scene.root / "datarowd.yaml"], check=True, env=pane.environment, stdout=subprocess.DEVNULL)
                pane.until(lambda text: text.startswith("datarowd is paused: "), "it says so")
                subprocess.run(["datarowctl", "resume", "--wait", "--config", scene.root / "datarowd.yaml"], check=True, env=pane.environment, stdout=subprocess.DEVNULL)
                pane.until(lambda text: "datarowd is" not in text, "it is well again")

            def ended():
                scene.settings = scene.settings.replace("bandwidth: 50k", "bandwidth: off")
                (scene.root / "datarowd.yaml").write_text(scene.settings)
                subprocess.run(["datarowctl", "reload", "--wait", "--config", scene.root / "datarowd.yaml"], check=True, env=pane.environment, stdout=subprocess.DEVNULL)
                pane.until(lambda text: re.search(r"^cats:album\.ndjson █+ +100 % complete, 300/300 rows\n1 of 1 ended\n", text, re.M), "what it ended with stays", 60)
                end()

            yield [
                ("bars, rates and the time that is left move while an import does", bars),
                ("the view has a screen of its own, without cursor and echo", own_screen),
                ("a bar has the colour of its state", colours),
                ("it is drawn anew in every size, and fits into 40 columns", resized),
                ("Ctrl-Z gives the terminal back, and fg takes it again", suspended),
                ("q gives the terminal back as it was, with what was seen last", quit),
                ("Ctrl-C and Ctrl-\\ give it back, too, and end it as signals do", interrupted),
                ("so do SIGTERM and SIGHUP", killed),
                ("with NO_COLOR there is no colour, and without UTF-8 only ASCII", plain),
                ("a daemon that is stopped meanwhile is said to be, and that it is back", stopped),
                ("so is a pause", paused),
                ("when all has ended the view ends, and what it showed stays to be read", ended),
            ]


@contextlib.contextmanager
def hostile(programs):
    with Scene(programs) as scene:
        scene.start()
        for name in HOSTILE:
            # They wait for what is not there.
            scene.drop("dogs", name, '{"row_data": "./nowhere.jpg"}\n')
        with Pane(programs, lines=30, folder=scene.root) as pane:
            options = "--config datarowd.yaml"
            before = pane.manners()
            pane.tmux("select-pane", "-T", "untouched")
            scene.until(lambda: len(list((scene.state / "status/dogs").glob("*.json"))) == len(HOSTILE), 30, "all are claimed")

            def look(columns):
                pane.resize(columns, 30)
                lines = pane.until(lambda text: f"0 of {len(HOSTILE)} ended" in text and [line for line in text.rstrip("\n").split("\n")], "the view is there")
                each = 1 if columns >= 60 else 2
                pane.until(lambda text: len(text.rstrip("\n").split("\n")) == each * len(HOSTILE) + 1, f"each takes {each} lines in {columns} columns")
                lines = pane.text().rstrip("\n").split("\n")
                assert all(width(line) <= columns for line in lines), lines
                # Each bar begins in the same column, whatever the name before it.
                bars = [line for line in lines if BAR.search(line)]
                assert len(bars) == len(HOSTILE), lines
                starts = {width(line[:BAR.search(line).start()]) for line in bars}
                return lines, starts

            def shown():
                pane.start(f"datarowctl status --watch-live {options}")
                lines, starts = look(100)
                text = "\n".join(lines)
                for part in (r"\u{1b}[2J\u{1b}[Hhome", r"\u{1b}]0;owned\u{7}", r"line\nbreak\rand\ttab", r"right \u{202e}to left\u{202c}", r"\u{9b}31m\u{85}next", "猫猫猫"):
                    assert part in text, (part, text)
                assert pane.tell("pane_title") == "untouched", pane.tell("pane_title")
                coloured = pane.coloured()
                assert "\x1b[31m" not in coloured, repr(coloured)
                # tmux measures some emoji otherwise than we do; all others stand in line.
                assert len(starts) <= 2, (starts, lines)

            def narrow():
                look(40)
                look(80)
                pane.type("q")
                pane.until(lambda text: text.rstrip().endswith(PROMPT.strip()), "the shell asks again")
                assert pane.manners() == before, pane.manners()

            def listed():
                text, _ = pane.run(f"datarowctl ls {options}")
                assert r"{1b}[Hhome" in text and r"\u{7}.ndjson" in text and pane.tell("pane_title") == "untouched", text
                assert "\x1b[31m" not in pane.coloured()

            yield [
                ("file names stay text: no colour, no title, no line, no direction of theirs", shown),
                ("they fit into any width, and leave the terminal as it was", narrow),
                ("in lists, too", listed),
            ]


@contextlib.contextmanager
def elsewhere(programs):
    with slow(programs) as scene:
        scene.start()
        album(scene, "album", )
        scene.until(lambda: (scene.state / "status/cats/album.ndjson.status.json").exists(), 20, "it is claimed")
        with Pane(programs, folder=scene.root) as pane:
            options = "--config datarowd.yaml"
            before = pane.manners()

            def piped():
                text, code = pane.run(f"timeout 6 datarowctl status --watch-live {options} > piped.txt; cat -v piped.txt")
                lines = [line for line in (scene.root / "piped.txt").read_text().splitlines()]
                assert lines and all(re.match(r"cats:album\.ndjson (queued|importing) \d+ % ", line) for line in lines), lines
                assert "\x1b" not in "".join(lines) and 1 <= len(lines) <= 4, lines

            def programs_read():
                pane.run(f"timeout 4 datarowctl status --watch-live --json {options} > lines.ndjson")
                reports = [json.loads(line) for line in (scene.root / "lines.ndjson").read_text().splitlines()]
                assert len(reports) > 1 and all(report["manifest"] == "album.ndjson" for report in reports), reports
                uploaded = [report["media"]["uploaded_bytes"] for report in reports]
                assert uploaded == sorted(uploaded) and uploaded[-1] > uploaded[0], uploaded

            def dumb():
                text, _ = pane.run(f"TERM=dumb timeout --foreground 3 datarowctl status --watch-live {options}")
                assert re.match(r"cats:album\.ndjson \w+ \d+ % ", text) and pane.manners() == before, text

            def waiting():
                pane.press("C-l")
                pane.start(f"echo what was before; datarowctl wait album.ndjson {options}")
                pane.until(lambda text: done(text) is not None, "it shows how far it is")
                assert pane.tell("alternate_on") == "0"
                for columns in (50, 40, 80):
                    pane.resize(columns)
                    pane.until(lambda text: re.search(r"\d+ % ", text) and "0 of 1 ended" in text, f"it is drawn in {columns} columns")
                    assert "what was before" in pane.text(), pane.text()
                pane.press("C-c")
                pane.until(lambda text: text.rstrip().endswith(PROMPT.strip()), "the shell asks again")
                assert pane.manners() == before

            def away():
                assert scene.stop() == 0
                pane.run(f"timeout 3 datarowctl status --watch-live {options} > away.txt")
                assert (scene.root / "away.txt").read_text().startswith("datarowd is not running"), (scene.root / "away.txt").read_text()

            yield [
                ("into a file go lines, one for each step, without escape sequences", piped),
                ("with --json go the statuses of what changed", programs_read),
                ("a terminal that cannot redraw gets lines", dumb),
                ("wait draws beneath its command, and wipes out nothing when the terminal is made narrower", waiting),
                ("where the daemon does not run the lines begin with that", away),
            ]
