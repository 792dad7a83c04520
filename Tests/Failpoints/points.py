"""Which failpoints there are, and what is done at each.

A failpoint is the n-th call of an operation on a class of files or requests: `rename|state/results/drop/list.json.results.ndjson|1`.
The points are those that every one of several undisturbed runs passes, so that none is missed by chance.
"""

import collections
import hashlib

WAL = "state/ledger.sqlite-wal"

# What changes, sends or waits for something: every call of it is a point.
KINDS = {
    "create": ["kill", "EIO", "ENOSPC", "EMFILE"],
    "mkdir": ["kill", "EIO", "ENOSPC"],
    "write": ["kill", "torn", "short", "EIO", "ENOSPC"],
    "begin log": ["kill", "torn", "short", "EIO", "ENOSPC"],
    "begin": ["kill", "torn", "short", "EIO", "ENOSPC"],
    "commit": ["kill", "torn", "short", "EIO", "ENOSPC"],
    "commit page": ["kill", "torn", "short", "EIO", "ENOSPC"],
    "sync": ["kill", "after", "EIO", "ENOSPC"],
    "syncfs": ["kill", "after", "EIO", "ENOSPC"],
    "rename": ["kill", "after", "EIO", "ENOSPC"],
    "link": ["kill", "after", "EIO", "ENOSPC"],
    "unlink": ["kill", "after", "EIO"],
    "rmdir": ["kill", "EIO"],
    "truncate": ["kill", "EIO", "ENOSPC"],
    "chmod": ["kill", "EIO"],
    "utimens": ["kill", "EIO"],
    "watch": ["kill", "ENOSPC"],
    "connect": ["kill", "ECONNREFUSED", "ETIMEDOUT"],
    "send": ["kill", "torn", "after", "short", "ECONNRESET"],
    "recv": ["kill", "after", "short", "end", "ECONNRESET"],
    # Equivalent ones are bounded, see `bounded`.
    "frame": ["kill", "torn", "EIO", "ENOSPC"],
    "page": ["kill", "torn", "EIO", "ENOSPC"],
    "open": ["EIO", "EMFILE"],
    "read": ["EIO", "short"],
}

# Three rules of equivalence; all else is exhaustive.
# 1. What only reads changes nothing: a kill there is a kill at the next change, and the first, the second and the last call
#    stand for the others of their class.
# 2. A frame of the write-ahead log that is neither the first nor the last of its transaction is seen by no reader (SQLite
#    takes a transaction only with its last frame): the first, one in the middle and the last of all stand for the others.
# 3. The log of request starts and the ledger's mark are read by the next start alone, and written over each time, so their
#    writes are all alike.
BOUNDED = {"open", "read", "frame", "page"}
WITNESSES = {"state/request-starts", "state/ledger.sqlite-mark"}

# With a power cut: the process ends at the point, and what was not synced is lost in each of these ways (see powercut.py).
CUTS = ["cut-all", "cut-names", "cut-data", "cut-some"]
CUT_AT = {"sync", "syncfs", "rename", "unlink", "commit", "send", "recv"}

# Until it clears, for so many seconds of the daemon's time.
LASTING = {
    "create": ["EIO", "ENOSPC", "EMFILE"], "mkdir": ["ENOSPC"], "write": ["EIO", "ENOSPC"], "begin": ["EIO", "ENOSPC"],
    "commit": ["EIO", "ENOSPC"], "sync": ["EIO"], "syncfs": ["EIO"], "rename": ["EIO", "ENOSPC"], "unlink": ["EIO"],
    "rmdir": ["EIO"], "open": ["EMFILE"], "connect": ["ECONNREFUSED"], "recv": ["ECONNRESET"], "send": ["ECONNRESET"],
}


def common(traces):
    """How often each (operation, class) is passed in every run."""
    counts = [collections.Counter(tuple(line.split("|")[:2]) for line in trace) for trace in traces]
    return {key: min(c[key] for c in counts) for key in counts[0] if all(c[key] for c in counts)}


def bounded(op, name, count):
    if (op not in BOUNDED and name not in WITNESSES) or count <= 3:
        return list(range(1, count + 1))
    return [1, 2 if op in ("open", "read") else count // 2, count]


def cases(counts):
    """Every (operation, class, first, last, kind), in a fixed order; `last` 0 is one that lasts."""
    found = []
    for (op, name), count in sorted(counts.items()):
        for number in bounded(op, name, count):
            found += [(op, name, number, number, kind) for kind in KINDS[op]]
            if op in CUT_AT:
                found += [(op, name, number, number, kind) for kind in CUTS]
        # From the start on, and from the middle on, so that what was begun well is disturbed as well.
        starts = sorted({1, count // 2 + 1})
        found += [(op, name, start, 0, kind) for start in starts for kind in LASTING.get(op, [])]
    return found


def text(case):
    return "|".join(map(str, case))


# Bugs that were found here; each case failed once, and is run whatever else is.
REGRESSIONS = {
    "a closing that was cut off after the manifest had moved is done again":
        ("rename", "state/archive/drop/DATE/lines.ndjson.gz", 1, 1, "kill"),
    "a ledger that refuses to close imports that were put away is asked again": ("commit page", WAL, 20, 0, "ENOSPC"),
    "a folder of the archive that cannot be made is no file that vanished":
        ("mkdir", "state/archive/drop/DATE", 2, 2, "ENOSPC"),
    "work that cannot be put back into a full ledger is put back later": ("commit page", WAL, 12, 0, "ENOSPC"),
    "loose media that leaves while the ledger is asked about it is not imported again":
        ("rename", "state/archive/drop/DATE/album/twin.jpg", 1, 1, "kill"),
    "a manifest for loose media that cannot be synced does not stay among the claims":
        ("open", "drop/.datarowd/claimed", 5, 0, "EMFILE"),
    "rows do not fail because a manifest cannot be opened for a moment":
        ("open", "drop/.datarowd/claimed/ID.envelope.json", 2, 2, "EMFILE"),
    "rows on the server are not called failed because a manifest cannot be opened for a while":
        ("open", "drop/.datarowd/claimed/ID.loose-TIME-ID.ndjson", 3, 0, "EMFILE"),
    "why a manifest was rejected outlives trouble with putting it away": ("open", "state/failed", 1, 1, "EMFILE"),
    "a commit is on the disk before anybody acts upon it": ("send", "net/UpsertDataRows", 2, 2, "cut-all"),
    "an unpacked manifest outlives a loss of power": ("sync", WAL, 7, 7, "cut-all"),
    "statuses that a loss of power left empty are written anew": ("send", "net/UpsertDataRows", 3, 3, "cut-names"),
    "a loss of power leaves no archived file nowhere": ("sync", "state/archive/drop/DATE", 4, 4, "cut-all"),
    "what a crash leaves in the making is swept":
        ("rename", "state/results/drop/envelope.json.results.ndjson", 1, 1, "kill"),
    "work files that a loss of power brought back are swept":
        ("rename", "state/results/drop/loose-TIME-ID.ndjson.results.ndjson", 1, 1, "cut-all"),
    "a log of the ledger that cannot be read for a moment is no damaged ledger": ("read", WAL, 2, 2, "EIO"),
    "rows do not fail because the daemon is short of descriptors for a while": ("open", "drop", 25, 0, "EMFILE"),
}


def smoke(found):
    """The regressions, each operation with each of its kinds, and each operation in each folder; early calls, which are sure."""
    found = [case for case in found if case[2] <= 3]
    chosen, seen = list(REGRESSIONS.values()), set()
    for pick in (lambda op, name, kind: (op, kind), lambda op, name, kind: (op, *name.split("/")[:2])):
        for case in sorted(found, key=lambda case: hashlib.sha256(text(case).encode()).digest()):
            op, name, _, last, kind = case
            if last != 0 and pick(op, name, kind) not in seen:
                seen.add(pick(op, name, kind))
                chosen.append(case)
    return list(dict.fromkeys(chosen))
