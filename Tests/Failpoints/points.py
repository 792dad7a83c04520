"""Which failpoints there are, and what is done at each.

A failpoint is the n-th call of an operation on a class of files or requests: `rename|state/results/drop/list.json.results.ndjson|1`.
The points are those that every one of several undisturbed runs passes, so that none is missed by chance.
"""

import collections

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

# Two rules of equivalence; all else is exhaustive.
# 1. What only reads changes nothing: a kill there is a kill at the next change, and the first, the second and the last call
#    stand for the others of their class.
# 2. A frame of the write-ahead log that is neither the first nor the last of its transaction is seen by no reader (SQLite
#    takes a transaction only with its last frame): the first, one in the middle and the last of all stand for the others.
BOUNDED = {"open", "read", "frame", "page"}

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


def bounded(op, count):
    if op not in BOUNDED or count <= 3:
        return list(range(1, count + 1))
    return [1, 2 if op in ("open", "read") else count // 2, count]


def cases(counts):
    """Every (operation, class, first, last, kind), in a fixed order; `last` 0 is one that lasts."""
    found = []
    for (op, name), count in sorted(counts.items()):
        for number in bounded(op, count):
            found += [(op, name, number, number, kind) for kind in KINDS[op]]
            if op in CUT_AT:
                found += [(op, name, number, number, kind) for kind in CUTS]
        # From the start on, and from the middle on, so that what was begun well is disturbed as well.
        starts = sorted({1, count // 2 + 1})
        found += [(op, name, start, 0, kind) for start in starts for kind in LASTING.get(op, [])]
    return found


def text(case):
    return "|".join(map(str, case))


def smoke(found):
    """A few that touch every operation and class of files, each with another kind."""
    chosen, seen = [], collections.Counter()
    for case in found:
        op, name, number, last, kind = case
        group = (op, name.split("/")[0], name.split("/")[1] if "/" in name else "", kind)
        seen[group] += 1
        if seen[group] == 1:
            chosen.append(case)
    return chosen
