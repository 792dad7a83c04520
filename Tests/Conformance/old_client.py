"""The older official SDK (3.22.1, `appendRowsToDataset`) against a simulator: run by `run` in an environment of its own.

A plain script: the old SDK and the new one cannot be in one environment.
"""

import json
import os
import sys
import tempfile
import time
import urllib.request

from labelbox import Client, DataRow
from labelbox.exceptions import ApiLimitError, AuthenticationError, ResourceNotFoundError

DATASET = "cmdset0000000000000000001"
sleep = time.sleep
time.sleep = lambda seconds: sleep(min(seconds, 0.1))


def refused(kind, call):
    try:
        call()
    except kind:
        return True
    return False


def main(endpoint):
    client = Client("test-key", endpoint=endpoint)
    dataset = client.get_dataset(DATASET)
    checks = []

    def check(name, holds):
        checks.append(bool(holds))
        print(("ok      " if holds else "FAILED  ") + name)

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.png")
        with open(path, "wb") as file:
            file.write(b"\x89PNG" * 1000)
        task = dataset.create_data_rows(
            [{DataRow.row_data: "https://example.com/1.jpg", DataRow.external_id: "one"}, path, {DataRow.row_data: path, DataRow.external_id: "two"}]
        )
        task.wait_till_done()
        check("an import of a URL and two files", task.status == "COMPLETE")
        rows = list(dataset.data_rows())
        check("its rows", len(rows) == 3 and {row.external_id for row in rows} >= {"one", "two"})

        dataset.create_data_rows_sync([{DataRow.row_data: path, DataRow.external_id: "sync"}])
        check("an import that is done when it answers", dataset.data_row_for_external_id("sync"))

    row = dataset.create_data_row(row_data="https://example.com/2.jpg", external_id="single")
    check("a single row", row.row_data == "https://example.com/2.jpg")
    row.update(external_id="renamed")
    check("an update", dataset.data_row_for_external_id("renamed").uid == row.uid)
    check("an external id that is not there", refused(ResourceNotFoundError, lambda: dataset.data_row_for_external_id("single")))
    DataRow.bulk_delete(list(dataset.data_rows())[:3])
    check("a bulk delete", len(list(dataset.data_rows())) == 2)
    check("the metadata schema", "split" in client.get_data_row_metadata_ontology().reserved_by_name)
    check("a dataset that is not there", refused(ResourceNotFoundError, lambda: client.get_dataset("nope")))
    base = endpoint.removesuffix("/graphql")
    body = json.dumps({"id": "cmproj0000000000000000001", "datasets": [DATASET]}).encode()
    urllib.request.urlopen(urllib.request.Request(base + "/_sim/projects", data=body, method="POST")).close()
    project = client.get_project("cmproj0000000000000000001")
    check("a project's datasets", [each.uid for each in project.datasets()] == [DATASET])
    check("a wrong key", refused(AuthenticationError, lambda: Client("wrong", endpoint=endpoint).get_dataset(DATASET)))
    print(f"{sum(checks)} of {len(checks)} checks of the older SDK passed")
    return 0 if all(checks) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
