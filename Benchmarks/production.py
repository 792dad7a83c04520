"""What is imported: rows as users have them, and files of bytes that do not compress."""

import os


def rows(path, count, prefix="row", layout="lines", has_keys=True):
    """A manifest of `count` rows of about 180 bytes, or 150 without keys."""
    with open(path, "w", buffering=1 << 20) as out:
        if layout == "list":
            out.write("[")
        for n in range(count):
            key = f'"global_key": "{prefix}/{n:08}", ' if has_keys else ""
            text = (
                f'{{"row_data": "https://storage.example.com/images/batch-07/{n:08}.jpg", "external_id": "image-{n:08}", '
                f'{key}"media_type": "IMAGE", "metadata_fields": []}}')
            out.write(text + "\n" if layout == "lines" else (",\n" if n else "") + text)
        if layout == "list":
            out.write("]\n")
    return os.path.getsize(path)


def files(folder, count, size, seed=b"f"):
    """Files with contents of their own, so that none is uploaded for another."""
    os.makedirs(folder, exist_ok=True)
    block = os.urandom(min(size, 1 << 20))
    for n in range(count):
        # What a JPEG begins with, so that it is taken for one.
        head = b"\xff\xd8\xff\xe0" + seed + f"{n:08}".encode() + os.urandom(8)
        with open(f"{folder}/{n:05}.jpg", "wb") as out:
            out.write(head)
            left = size - len(head)
            while left > 0:
                out.write(block[:left])
                left -= len(block)
