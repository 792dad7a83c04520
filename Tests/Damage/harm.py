"""The kinds of damage, and which there are for a ledger.

A damage is `file|number|kind`: the file is `file` (the ledger, with all that was in its log), `log` (the write-ahead log beside
an older ledger) or `mark` (the count of commits), the number is that of a page or frame, counted from 0.
"""

import os
import random

PAGE = 4096
LOG_HEADER = 32
FRAME = PAGE + 24

# Where one bit is turned: in a page's head, in its middle, among its last rows, in its sum.
BITS = {"bit 1": 3, "bit 2": PAGE // 2, "bit 3": PAGE - 100, "bit 4": PAGE - 4}
PAGE_KINDS = ["zeros", "random", *BITS, "older", "cut"]
# The same in a frame, and one bit in its own head.
FRAME_KINDS = ["zeros", "random", *BITS, "bit head", "cut"]
# What happens to whole files.
WHOLE = ["gone", "emptied", "text", "older"]

# Where a rebuild is killed; up to the ledger's rename no daemon may start with what is there.
NOT_IN_PLACE = [
    "commit|state/rebuild/ledger.sqlite-wal|3|3", "syncfs|state/rebuild|1|1", "rename|state/rebuild/ready|1|1",
    "mkdir|state/damaged|1|1", "sync|state/damaged|1|1", "create|state/ledger.sqlite-mark|1|1",
    "write|state/ledger.sqlite-mark|1|1", "sync|state/ledger.sqlite-mark|1|1", "rename|state/damaged/TIME/ledger.sqlite|1|1",
    "rename|state/damaged/TIME/ledger.sqlite-wal|1|1", "rename|state/ledger.sqlite|1|1", "rename|state/ledger.sqlite-mark|1|1",
]
REBUILD = NOT_IN_PLACE + [
    "unlink|state/status/.revision|1|1", "unlink|state/rebuild/ledger.sqlite|1|1", "unlink|state/rebuild/ready|1|1",
    "rmdir|state/rebuild|1|1",
]


def all_of(ledger, log):
    """Every damage of a ledger of so many bytes, and of a log of so many."""
    found = [("file", n, kind) for n in range(ledger // PAGE) for kind in PAGE_KINDS]
    found += [("log", n, kind) for n in range((log - LOG_HEADER) // FRAME) for kind in FRAME_KINDS]
    found += [("log", -1, kind) for kind in ("zeros", "bit head")]
    found += [(file, -2, kind) for file in ("file", "log") for kind in WHOLE]
    found += [("mark", -2, kind) for kind in WHOLE if kind != "older"]
    return found


def text(case):
    return "|".join(map(str, case))


def do(case, state, older):
    """Damages the ledger in a state folder; `older` is an earlier copy of its file. False where there is no such page."""
    file, number, kind = case
    ledger = state / "ledger.sqlite"
    path = {"file": ledger, "log": state / "ledger.sqlite-wal", "mark": state / "ledger.sqlite-mark"}[file]
    if number == -2:
        return whole(kind, path, ledger, older)
    size = os.path.getsize(path)
    start, length = (number * PAGE, PAGE) if file == "file" else (LOG_HEADER + number * FRAME, FRAME)
    if number == -1:
        start, length = 0, LOG_HEADER
    if start + length > size:
        return False
    data = bytearray(path.read_bytes())
    before = bytes(data)
    if kind == "cut":
        del data[start:]
    elif kind == "zeros":
        data[start:start + length] = bytes(length)
    elif kind == "random":
        data[start:start + length] = random.Random(text(case)).randbytes(length)
    elif kind == "older":
        was = older.read_bytes()[start:start + length]
        if len(was) == length:
            data[start:start + length] = was
    elif kind == "bit head":
        data[start + 10] ^= 4
    else:
        data[start + length - PAGE + BITS[kind]] ^= 16
    path.write_bytes(data)
    return bytes(data) != before


def whole(kind, path, ledger, older):
    if kind == "gone":
        path.unlink()
    elif kind == "emptied":
        os.truncate(path, 0)
    elif kind == "text":
        path.write_text("This is no ledger.\n" * 1000)
    else:
        # Somebody put a copy back, and its log is gone.
        (ledger.parent / "ledger.sqlite-wal").unlink(missing_ok=True)
        ledger.write_bytes(older.read_bytes())
    (ledger.parent / "ledger.sqlite-shm").unlink(missing_ok=True)
    return True
