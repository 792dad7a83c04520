"""Makes a case that fails as small as it can be while it still fails."""

import time

from model import Object, build, document


def parts(value):
    """Each value with one piece taken away, the largest pieces first."""
    if isinstance(value, (dict, Object)):
        members = Object(value.items()) if isinstance(value, dict) else value
        for n in range(len(members)):
            yield Object(members[:n] + members[n + 1:])
        for n, (key, member) in enumerate(members):
            for smaller in parts(member):
                yield Object(members[:n] + [(key, smaller)] + members[n + 1:])
    elif isinstance(value, list):
        if len(value) > 3:
            yield value[:len(value) // 2]
            yield value[len(value) // 2:]
        for n in range(len(value)):
            yield value[:n] + value[n + 1:]
        for n, element in enumerate(value):
            for smaller in parts(element):
                yield value[:n] + [smaller] + value[n + 1:]
    elif isinstance(value, str) and type(value) is str and len(value) > 8:
        yield value[:len(value) // 2]
        yield value[len(value) // 2:]


def shrink(case, comparison, seconds=10):
    """The smallest case found within some seconds, as text."""
    end = time.monotonic() + seconds

    def fails(rows, header):
        smaller = build("shrunk", rows, suffix=case.suffix, header=header, style=case.style, operation=case.operation,
                        global_key=case.global_key, media_type=case.media_type)
        try:
            return bool(comparison.run(smaller).unexplained)
        except AssertionError:
            return False

    rows, header = case.rows, case.header
    if not fails(rows, header):
        # What is wrong with it was done to its text.
        return None
    progress = True
    while progress and time.monotonic() < end:
        progress = False
        for smaller in parts(rows):
            if time.monotonic() > end:
                break
            if fails(smaller, header):
                rows, progress = smaller, True
                break
        if header is not None and not progress:
            for smaller in parts(header):
                if fails(rows, smaller):
                    header, progress = smaller, True
                    break
    return f"{case.operation}, global_key {case.global_key}, {case.suffix}: {document(rows, header, case.style)[:3000]}"
