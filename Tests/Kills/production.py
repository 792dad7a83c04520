"""What producers of one round drop, and what must have become of it in the end."""

import collections
import gzip
import hashlib
import json
import os
import random

Row = collections.namedtuple("Row", "name fate content")

# What may become of a row: it is on the server, the server refuses it, or it breaks a rule.
CREATED, REFUSED, REJECTED = "created", "failed", "rejected"


class Production:
    """Manifests and media that a seed makes, each dropped whole by a rename."""

    def __init__(self, seed, folder):
        self.random = random.Random(seed)
        self.seed = seed
        self.folder = folder
        # Rows of each manifest, in their order; a loose file is a row that stands in no manifest of ours.
        self.manifests = {}
        self.loose = {}
        # Digest of each dropped file to its names.
        self.files = collections.defaultdict(list)

    def drop(self, count):
        for _ in range(count):
            self.drop_one()

    def drop_one(self):
        number = len(self.manifests) + len(self.loose)
        name = f"{self.seed}-{number}"
        if self.random.random() < 0.15:
            content = self.image(name)
            self.loose[f"{name}.jpg"] = content
            return self.put(f"{name}.jpg", content)
        rows, texts = [], []
        for index in range(self.random.choice([1, 3, 10, 60, 200])):
            self.add_row(f"{name} {index}", name, index, rows, texts)
        form = self.random.choice(["list", "lines", "envelope", "packed"])
        if form == "list":
            data, ending = "[" + ",\n".join(texts) + "]", "json"
        elif form == "envelope":
            data, ending = '{"operation": "create", "rows": [' + ", ".join(texts) + "]}", "json"
        else:
            data, ending = "".join(text + "\n" for text in texts), "ndjson"
        data = data.encode()
        if form == "packed":
            data, ending = gzip.compress(data, mtime=0), "ndjson.gz"
        path = f"{name}/rows.{ending}"
        self.manifests[path] = rows
        self.put(path, data)

    def add_row(self, name, folder, index, rows, texts):
        throw = self.random.random()
        row, fate, content = {"external_id": name}, CREATED, f"https://example.com/{folder}/{index}.jpg"
        if throw < 0.04:
            content = self.image(name)
            self.put(f"{folder}/{index}.jpg", content)
            row["row_data"] = f"./{index}.jpg"
        elif throw < 0.05:
            # Too long to travel in its row, and so uploaded as a file.
            content = (name + " has much to say. ") * 4000
            row["row_data"] = content
            content = content.encode()
        elif throw < 0.06:
            fate, row["row_data"] = REFUSED, f"https://example.com/poison-row/{folder}/{index}.jpg"
        elif throw < 0.07:
            fate = REJECTED
        else:
            row["row_data"] = content
            if throw < 0.4:
                row["global_key"] = f"key of {name}"
        rows.append(Row(name, fate, content))
        texts.append(json.dumps(row))

    def image(self, name):
        return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + name.encode() * self.random.randint(1, 2000) + b"\xff\xd9"

    def put(self, name, data):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        making = path.with_name(f".{path.name}.part")
        making.write_bytes(data)
        os.rename(making, path)
        self.files[hashlib.sha256(data).hexdigest()].append(name)

    def rows(self):
        """All rows, those of loose media too."""
        for rows in self.manifests.values():
            yield from rows
        for name, content in self.loose.items():
            yield Row(name, CREATED, content)
