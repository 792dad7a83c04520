"""What the official SDK does with the same work; run by a Python that has it. Prints one line of JSON.

    sdk_peer.py ENDPOINT rows N        N rows with a URL each, by Dataset.create_data_rows
    sdk_peer.py ENDPOINT files FOLDER  every file of a folder as a row
"""

import json
import os
import resource
import sys
import time

import labelbox

endpoint, what, amount = sys.argv[1:]
client = labelbox.Client(api_key="test-key", endpoint=endpoint)
dataset = client.get_dataset("cmdset0000000000000000001")
before = resource.getrusage(resource.RUSAGE_SELF)
start = time.monotonic()
if what == "rows":
    rows = [
        {"row_data": f"https://storage.example.com/images/batch-07/{n:08}.jpg", "external_id": f"image-{n:08}",
         "global_key": f"sdk/{n:08}", "media_type": "IMAGE"} for n in range(int(amount))]
else:
    rows = sorted(os.path.join(amount, name) for name in os.listdir(amount))
task = dataset.create_data_rows(rows)
# A poll of this client is every 2 s; how long the last one overshot is none of its work.
task.wait_till_done(timeout_seconds=3600)
seconds = time.monotonic() - start
after = resource.getrusage(resource.RUSAGE_SELF)
if task.errors:
    sys.exit(f"the SDK's import failed: {str(task.errors)[:500]}")
created = len(task.created_data_rows) if what == "files" else len(rows)
print(json.dumps({
    "rows": created, "seconds": seconds,
    "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, "peak": after.ru_maxrss * 1024}))
