"""The page in a real browser, over a real daemon."""


def groups(programs):
    return []
