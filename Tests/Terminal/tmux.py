"""A real terminal: a pane of tmux, on a server of its own."""

import contextlib
import os
import re
import shlex
import subprocess
import tempfile
import time
import unicodedata

PROMPT = "prompt> "


class Pane:
    """A shell in a terminal of so many columns and lines; a context manager."""

    def __init__(self, programs, columns=80, lines=24, folder=None, **environment):
        # The shell that tmux ends may write its history while the folder goes.
        self.folder = tempfile.TemporaryDirectory(prefix="datarowd-tmux-", ignore_cleanup_errors=True)
        # tmux shows programs a terminal of its own kind, which knows an alternate screen as xterm does.
        self.environment = {
            "PATH": f"{os.path.abspath(programs)}:{os.environ['PATH']}", "HOME": self.folder.name, "TMUX_TMPDIR": self.folder.name,
            "LC_ALL": "C.UTF-8", "SHELL": "/bin/bash", "TERM": "xterm-256color", **environment}
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", lines, "-c", folder or self.folder.name,
                  f"PS1={quoted(PROMPT)} exec bash --norc --noprofile")
        self.tmux("set-option", "-g", "status", "off")
        self.tmux("set-option", "-g", "window-size", "manual")
        self.until(lambda text: text.rstrip().endswith(PROMPT.strip()), "the shell asks")

    def tmux(self, *words):
        done = subprocess.run(["tmux", "-u", "-L", "test", *map(str, words)], env=self.environment, capture_output=True, text=True, errors="replace")
        assert done.returncode == 0, f"tmux {words}: {done.stderr}"
        return done.stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(AssertionError):
            self.tmux("kill-server")
        self.folder.cleanup()

    # MARK: Hands

    def type(self, text):
        self.tmux("send-keys", "-l", "--", text)

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def start(self, command):
        """Types a command and Return, and waits for nothing."""
        self.type(command)
        self.press("Enter")

    def run(self, command, limit=30):
        """What a command prints in the terminal, and its exit code."""
        self.until(lambda text: text.rstrip().endswith(PROMPT.strip()), "the shell asks")
        self.press("C-l")
        self.until(lambda text: text.strip() == PROMPT.strip(), "the terminal is clear")
        self.tmux("clear-history")
        # From a file: a long command line would be wrapped, and its end be taken for what it prints.
        with open(f"{self.folder.name}/run", "w") as script:
            script.write(command + "\n")
        self.start(". ~/run; echo ended with $?.")
        text = self.until(lambda text: re.search(r"^ended with \d+\.$", text, re.M), f"{command} has ended", limit)
        return text.split("\n", 1)[1], int(re.search(r"^ended with (\d+)\.$", text, re.M)[1])

    def resize(self, columns, lines=24):
        self.tmux("resize-window", "-x", columns, "-y", lines)

    # MARK: Eyes

    def text(self):
        """What the terminal shows."""
        return self.tmux("capture-pane", "-p")

    def coloured(self):
        """The same with the colours, as escape sequences."""
        return self.tmux("capture-pane", "-p", "-e")

    def tell(self, name):
        return self.tmux("display-message", "-p", f"#{{{name}}}").strip()

    def until(self, look, fact, limit=15):
        """Looks until what is shown is as it should be."""
        deadline = time.monotonic() + limit
        while True:
            text = self.text()
            if found := look(text):
                return text if found is True or isinstance(found, re.Match) else found
            assert time.monotonic() < deadline, f"not within {limit} s: {fact}; the terminal shows:\n{text}"
            time.sleep(0.05)

    def manners(self):
        """How the terminal is for whoever comes next: its screen, its cursor, whether lines wrap, and what stty tells."""
        return {
            "alternate screen": self.tell("alternate_on"), "cursor shows": self.tell("cursor_flag"), "lines wrap": self.tell("wrap_flag"),
            "stty": subprocess.run(["stty", "-g", "-F", self.tell("pane_tty")], capture_output=True, text=True, check=True).stdout}


def width(line):
    """How many columns a line takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def quoted(*words):
    return shlex.join(map(str, words))
