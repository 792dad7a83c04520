"""datarowd's own preparation, by way of the test tool `prepare-rows`."""

import json
import os
import subprocess

from sdk import EXACT, Upload


class Tool:
    """A running `prepare-rows`."""

    def __init__(self, path, folder, state, ontology, mutation=None):
        self.folder = folder
        arguments = [path, folder, state, ontology] + (["--mutate", mutation] if mutation else [])
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.number = 0

    def prepare(self, case):
        """What datarowd would send: the tool's answer, with `payloads`, a row for each number of a row that is sent."""
        self.number += 1
        name = f"m{self.number}{case.suffix}"
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(case.content)
        wanted = {"manifest": name, "operation": case.operation, "globalKey": case.global_key}
        if case.media_type:
            wanted["mediaType"] = case.media_type
        self.process.stdin.write(json.dumps(wanted).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"prepare-rows ended with {self.process.wait(10)} at {case.id}"
        answer = json.loads(line)
        chunks = [self.process.stdout.read(length) for length in answer["chunks"]]
        self.process.stdout.read(1)
        os.unlink(path)
        uploads = {file["url"]: file for file in answer["uploads"]}
        rows = []
        for chunk in chunks:
            assert len(chunk) <= 10_000_000, f"{case.id}: a chunk of {len(chunk)} bytes"
            rows += json.loads(chunk.decode("utf-8"), **EXACT)
        numbers = [first + step for first, count in answer["sent"] for step in range(count)]
        answer["inOrder"] = len(numbers) == len(rows) and all(a < b for a, b in zip(numbers, numbers[1:]))
        for row in rows:
            payload = row["payload"] if set(row) == {"id", "payload"} else row
            url = payload.get("row_data")
            if isinstance(url, str) and url in uploads:
                file = uploads[url]
                payload["row_data"] = Upload(file["sha256"], file["name"], file["type"], file["isText"])
        answer["payloads"] = dict(zip(numbers, rows))
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
