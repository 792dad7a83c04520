"""The official SDK's calls, one after the other, as a user of it makes them."""

import json

import pytest
import requests
from conftest import DATASET
from lbox.exceptions import (
    AuthenticationError,
    MalformedQueryException,
    ResourceNotFoundError,
)
from labelbox.schema.identifiable import GlobalKey, UniqueId

URL = "https://storage.example.com/bucket/img-{}.jpg"


def urls(count, **more):
    return [{"row_data": URL.format(n), "external_id": f"img-{n}", "global_key": f"gk-{n}", **more} for n in range(count)]


def create(dataset, items):
    task = dataset.create_data_rows(items)
    task.wait_till_done()
    assert task.status == "COMPLETE"
    return task


# Datasets


def test_dataset_by_id(dataset):
    assert (dataset.uid, dataset.name, dataset.row_count) == (DATASET, "default", 0)


def test_unknown_dataset(client):
    with pytest.raises(ResourceNotFoundError):
        client.get_dataset("cmdset00000000000000nope")


def test_create_find_rename_and_delete_a_dataset(client):
    made = client.create_dataset(name="imports", description="for the test")
    assert client.get_dataset(made.uid).name == "imports"
    assert [d.uid for d in client.get_datasets(where=_dataset_entity().name == "imports")] == [made.uid]
    made.update(name="renamed")
    assert client.get_dataset(made.uid).name == "renamed"
    made.delete()
    with pytest.raises(ResourceNotFoundError):
        client.get_dataset(made.uid)


def _dataset_entity():
    from labelbox import Dataset

    return Dataset


def test_datasets_are_paged(client):
    for n in range(120):
        client.execute("mutation($n: String!) { createDataset(data: {name: $n}) { id } }", {"n": f"d-{n}"})
    assert len(list(client.get_datasets())) == 121


def test_project_by_id_and_by_name(sim, client):
    sim.post("/_sim/projects", {"id": "cmproj0000000000000000001", "name": "labels", "datasets": [DATASET]})
    sim.post("/_sim/rows", {"dataset": DATASET, "count": 3})
    project = client.get_project("cmproj0000000000000000001")
    assert (project.name, project.data_row_count) == ("labels", 3)
    assert [p.uid for p in client.get_projects(where=type(project).name == "labels")] == [project.uid]
    with pytest.raises(ResourceNotFoundError):
        client.get_project("nope")


def test_rows_from_nothing_are_paged_and_found(sim, dataset):
    sim.post("/_sim/rows", {"dataset": DATASET, "count": 1200, "prefix": "many-"})
    assert [row.external_id for row in dataset.data_rows()] == [f"many-{n}" for n in reversed(range(1200))]
    assert dataset.data_row_for_external_id("many-7").global_key == "many-7"


def test_user_and_organization(client):
    assert client.get_user().email == "importer@example.com"
    assert client.get_organization().name == "Example Org"


# Creating


def test_urls(sim, dataset):
    task = create(dataset, urls(5))
    assert task.errors is None
    assert {row["external_id"] for row in task.result} == {f"img-{n}" for n in range(5)}
    # The SDK itself loses the order of the rows.
    assert {row["global_key"] for row in sim.rows()} == {f"gk-{n}" for n in range(5)}
    assert sim.state()["submits"]["received"] == 1


def test_files_as_strings_and_in_dicts(sim, dataset, tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG" + bytes(range(256)) * 40)
    (tmp_path / "b č \"q\".txt").write_bytes(b"")
    items = [str(tmp_path / "a.png"), {"row_data": str(tmp_path / "b č \"q\".txt"), "global_key": "b"}]
    task = create(dataset, items)
    assert task.errors is None and len(task.result) == 2
    rows = {row["external_id"].rsplit("/", 1)[1]: row for row in sim.rows()}
    assert requests.get(rows["a.png"]["row_data"]).content == (tmp_path / "a.png").read_bytes()
    answer = requests.get(rows["b č \"q\".txt"]["row_data"])
    assert (answer.status_code, answer.content) == (200, b"")


def test_media_may_be_discarded(start, tmp_path):
    sim = start("--discard-media")
    (tmp_path / "a.png").write_bytes(b"x" * 100_000)
    task = create(sim.client().get_dataset(DATASET), [str(tmp_path / "a.png")])
    assert task.errors is None
    answer = requests.get(sim.rows()[0]["row_data"])
    assert answer.status_code == 410 and answer.json()["bytes"] == 100_000


def test_mixed(sim, dataset, tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    items = [*urls(2), {"row_data": "inline text", "external_id": "t"}, str(tmp_path / "a.txt"), {"row_data": str(tmp_path / "a.txt")}]
    task = create(dataset, items)
    assert task.errors is None and len(task.result) == 5 and len(sim.rows()) == 5


def test_payloads_are_kept_as_they_were_sent(sim, dataset):
    text = "quotes \" and \\ and / and é and 日本 and \u2028 and \U0001f600 and \n"
    create(dataset, [{"row_data": text, "external_id": text, "global_key": "k é \" \\"}])
    [row] = sim.rows()
    assert row["row_data"] == row["external_id"] == text and row["global_key"] == "k é \" \\"
    assert row["payload"] == {"row_data": text, "external_id": text, "global_key": "k é \" \\", "dataset_id": DATASET}


def test_object_row_data(dataset):
    conversation = {"type": "application/vnd.labelbox.conversational", "version": 1, "messages": []}
    pdf = {"pdf_url": "https://example.com/a.pdf", "text_layer_url": "https://example.com/a.json"}
    tile = {"tile_layer_url": "https://example.com/{z}/{x}/{y}.png", "bounds": [[1, 2], [3, 4]], "min_zoom": 1, "max_zoom": 2, "epsg": "EPSG4326"}
    task = create(dataset, [{"row_data": row, "global_key": str(n)} for n, row in enumerate([conversation, pdf, tile])])
    found = {row["global_key"]: row["row_data"] for row in task.result}
    assert json.loads(found["0"]) == conversation
    assert found["1"] == pdf["pdf_url"]
    assert json.loads(found["2"]) == tile


def test_create_data_row(dataset):
    row = dataset.create_data_row(row_data=URL.format(1), external_id="single", global_key="single-gk")
    assert (row.row_data, row.external_id, row.global_key) == (URL.format(1), "single", "single-gk")


def test_several_chunks(sim, dataset, monkeypatch):
    from labelbox.schema.internal import datarow_upload_constants, descriptor_file_creator

    monkeypatch.setattr(datarow_upload_constants, "MAX_DATAROW_PER_API_OPERATION", 150_000, raising=False)
    monkeypatch.setattr(descriptor_file_creator.DescriptorFileCreator, "_chunk_down_by_bytes", _small_chunks, raising=True)
    task = create(dataset, urls(50))
    assert len(task.result) == 50 and sim.state()["uploads"]["files"] > 5


def _small_chunks(self, items, max_chunk_size):
    for start in range(0, len(items), 7):
        yield json.dumps(items[start : start + 7])


# Tasks


def test_wait_till_done_and_task_by_id(start):
    sim = start("--task-delay", "400ms")
    dataset = sim.client().get_dataset(DATASET)
    task = dataset.create_data_rows(urls(3))
    assert task.status == "IN_PROGRESS"
    task.wait_till_done()
    assert task.status == "COMPLETE" and task.completion_percentage == 100
    again = sim.client().get_task_by_id(task.uid)
    assert again.status == "COMPLETE" and len(again.result) == 3


def test_unknown_task(client):
    with pytest.raises(ResourceNotFoundError):
        client.get_task_by_id("cmtask0000000000000000099")


def test_cancel(start):
    sim = start("--task-delay", "60s")
    client = sim.client()
    task = client.get_dataset(DATASET).create_data_rows(urls(3))
    assert client.cancel_task(task.uid)
    assert client.get_task_by_id(task.uid).status == "CANCELED"
    assert sim.rows() == []


def test_a_poisoned_task_fails_whole(sim, dataset):
    task = dataset.create_data_rows(urls(3) + [{"row_data": "poison-task", "global_key": "p"}])
    task.wait_till_done()
    assert task.status == "FAILED" and sim.rows() == []


def test_a_poisoned_row_fails_alone(sim, dataset):
    task = create(dataset, urls(3) + [{"row_data": "https://example.com/poison-row.jpg", "global_key": "p"}])
    assert len(task.errors) == 1 and len(sim.rows()) == 3


# Results


def test_results_over_several_pages(start):
    sim = start("--max-page", "7")
    client = sim.client()
    dataset = client.get_dataset(DATASET)
    create(dataset, urls(30))
    task = create(dataset, urls(60))
    assert len(task.errors) == 30 and len(task.result) == 30
    assert {row["global_key"] for row in task.result} == {f"gk-{n}" for n in range(30, 60)}
    assert all(error["message"].startswith("Duplicate global key: 'gk-") for error in task.errors)


def test_duplicate_global_keys(sim, dataset):
    task = create(dataset, [{"row_data": URL.format(n), "global_key": "same", "external_id": str(n)} for n in range(2)])
    assert len(task.result) == 1
    assert [error["message"] for error in task.errors] == ["Duplicate global key: 'same'"]
    assert task.errors[0]["failedDataRows"][0]["globalKey"] == "same"
    assert [row["external_id"] for row in sim.rows()] in (["0"], ["1"])


def test_a_deleted_rows_key_is_free_again(sim, dataset):
    create(dataset, urls(1))
    list(dataset.data_rows())[0].delete()
    assert create(dataset, urls(1)).errors is None
    assert len(sim.rows()) == 1


def test_rows_that_the_service_refuses(dataset):
    tag = "cko8s9r5v0001h2dk9elqdidh"
    items = [
        {"row_data": URL.format(1), "metadata_fields": [{"schema_id": tag, "value": "x"}, {"schema_id": tag, "value": "y"}]},
        {"row_data": URL.format(2), "media_type": "totallyinvalid"},
        {"row_data": {"invalid_object": "x"}, "media_type": "IMAGE"},
        {"row_data": URL.format(3), "global_key": "k" * 201},
        {"row_data": URL.format(4)},
    ]
    task = create(dataset, items)
    assert {error["message"] for error in task.errors} == {
        f"A schemaId can only be specified once per DataRow : [{tag}]",
        "Found invalid media type: 'totallyinvalid'",
        "Expected type image/*, detected: application/json",
        "Global key must be at most 200 characters",
    }
    assert len(task.result) == 1


def test_metadata_attachments_and_embeddings(client, dataset):
    items = [
        {
            "row_data": URL.format(1),
            "global_key": "m",
            "metadata_fields": [
                {"name": "tag", "value": "a tag"},
                {"name": "split", "value": "valid"},
                {"name": "captureDateTime", "value": "2024-05-01T10:20:30+02:00"},
                {"name": "confidence", "value": 7},
                {"name": "weather", "value": "sunny"},
            ],
            "attachments": [
                {"type": "IMAGE", "value": URL.format(9), "name": "context"},
                {"type": "RAW_TEXT", "value": "please label the cat"},
            ],
            "embeddings": [{"embedding_id": "cm0emb00000000000000000001", "vector": [0.1, 0.2]}],
        }
    ]
    task = create(dataset, items)
    assert task.errors is None
    row = client.get_data_row_by_global_key("m")
    fields = {field["name"]: field["value"] for field in row.metadata_fields}
    assert fields["tag"] == "a tag" and fields["captureDateTime"] == "2024-05-01T08:20:30Z" and fields["confidence"] == 7.0
    assert [(a.attachment_type.value if hasattr(a.attachment_type, "value") else a.attachment_type, a.attachment_value) for a in row.attachments()] == [
        ("IMAGE", URL.format(9)),
        ("RAW_TEXT", "please label the cat"),
    ]


# Finding


def test_data_rows_over_several_pages(start):
    sim = start("--max-page", "50")
    dataset = sim.client().get_dataset(DATASET)
    create(dataset, urls(120))
    rows = list(dataset.data_rows())
    assert [row.external_id for row in rows] == [row["external_id"] for row in reversed(sim.rows())]
    assert len({row.uid for row in rows}) == 120
    assert sim.client().get_dataset(DATASET).row_count == 120


def test_row_for_external_id(dataset):
    create(dataset, urls(3))
    assert dataset.data_row_for_external_id("img-1").global_key == "gk-1"
    assert [row.global_key for row in dataset.data_rows_for_external_id("img-2")] == ["gk-2"]
    with pytest.raises(ResourceNotFoundError):
        dataset.data_row_for_external_id("nope")


def test_global_key_and_external_id_lookups(client, dataset):
    create(dataset, urls(3))
    found = client.get_data_row_ids_for_global_keys(["gk-0", "nope", "gk-2"])
    assert found["status"] == "PARTIAL SUCCESS"
    assert found["results"][1] == "" and found["errors"][0]["global_key"] == "nope"
    assert client.get_data_row_by_global_key("gk-2").external_id == "img-2"
    assert client.get_data_row(found["results"][0]).global_key == "gk-0"
    ids = client.get_data_row_ids_for_external_ids(["img-0", "nope"])
    assert dict(ids) == {"img-0": [found["results"][0]]}


def test_an_index_that_lags(start):
    sim = start("--index-lag", "60s")
    client = sim.client()
    create(client.get_dataset(DATASET), urls(2))
    assert len(sim.rows()) == 2
    assert client.get_data_row_ids_for_global_keys(["gk-0"])["results"] == [""]


# Changing


def test_upsert(sim, client, dataset):
    create(dataset, urls(3))
    row = client.get_data_row_by_global_key("gk-0")
    task = dataset.upsert_data_rows(
        [
            {"key": UniqueId(row.uid), "external_id": "by-id"},
            {"key": GlobalKey("gk-1"), "row_data": URL.format(77)},
            {"key": GlobalKey("new"), "row_data": URL.format(78)},
        ]
    )
    task.wait_till_done()
    assert task.status == "COMPLETE" and task.errors is None and len(task.result) == 3
    rows = {row["global_key"]: row for row in sim.rows()}
    assert rows["gk-0"]["external_id"] == "by-id" and rows["gk-0"]["row_data"] == URL.format(0)
    assert rows["gk-1"]["row_data"] == URL.format(77) and rows["gk-1"]["external_id"] == "img-1"
    assert rows["new"]["row_data"] == URL.format(78)
    assert sim.state()["tasks"]["rows_updated"] == 2


def test_update_a_row(client, dataset):
    create(dataset, urls(1))
    row = next(iter(dataset.data_rows()))
    row.update(external_id="renamed", row_data=URL.format(7), global_key="other")
    assert (row.external_id, row.row_data, row.global_key) == ("renamed", URL.format(7), "other")
    row.update(row_data={"pdfUrl": "https://example.com/a.pdf"})
    assert json.loads(client.get_data_row(row.uid).row_data) == {"pdfUrl": "https://example.com/a.pdf"}
    assert client.get_data_row_by_global_key("other").uid == row.uid


def test_bulk_delete(sim, dataset):
    from labelbox import DataRow

    create(dataset, urls(10))
    rows = sorted(dataset.data_rows(), key=lambda row: row.global_key, reverse=True)
    DataRow.bulk_delete(rows[:9])
    assert [row["global_key"] for row in sim.rows()] == ["gk-0"]
    rows[9].delete()
    assert list(dataset.data_rows()) == []


def test_ten_thousand_deletes_and_no_more(client):
    def delete(count):
        ids = ", ".join(f'"cmr{n:022d}"' for n in range(count))
        return client.execute(f"mutation {{ deleteDataRows(where: {{dataRowIds: [{ids}]}}) {{ id deleted }} }}")

    assert delete(10_000) == {"deleteDataRows": []}
    with pytest.raises(MalformedQueryException):
        delete(10_001)


# Older calls


def legacy_file(client, rows):
    return client.upload_data(json.dumps(rows).encode(), filename="json_import.json", content_type="application/json", sign=True)


def test_append_rows_to_dataset(sim, client):
    url = legacy_file(client, [{"data": URL.format(n), "externalId": str(n), "globalKey": f"g{n % 2}"} for n in range(3)])
    answer = client.execute(
        "mutation($d: ID!, $u: String!) { appendRowsToDataset(data: {datasetId: $d, jsonFileUrl: $u}) { taskId accepted errorMessage } }",
        {"d": DATASET, "u": url},
    )["appendRowsToDataset"]
    assert answer["accepted"]
    task = client.get_task_by_id(answer["taskId"])
    task.wait_till_done()
    assert task.status == "COMPLETE" and task.name == "JSON Import"
    assert {row["external_id"] for row in task.result} == {"0", "1"}
    assert task.errors[0]["message"] == "Duplicate global key: 'g0'"
    assert len(sim.rows()) == 2


def test_append_to_an_unknown_dataset(client):
    answer = client.execute(
        'mutation { appendRowsToDataset(data: {datasetId: "nope", jsonFileUrl: "x"}) { taskId accepted errorMessage } }'
    )["appendRowsToDataset"]
    assert answer == {"taskId": None, "accepted": False, "errorMessage": "Dataset not found"}


def test_append_a_file_that_is_no_list(client):
    url = legacy_file(client, {"not": "a list"})
    task_id = client.execute(
        "mutation($d: ID!, $u: String!) { appendRowsToDataset(data: {datasetId: $d, jsonFileUrl: $u}) { taskId } }",
        {"d": DATASET, "u": url},
    )["appendRowsToDataset"]["taskId"]
    task = client.get_task_by_id(task_id)
    task.wait_till_done()
    assert task.status == "FAILED" and "not a list" in task.errors


def test_append_rows_to_dataset_sync(sim, client):
    url = legacy_file(client, [{"data": URL.format(1), "externalId": "s"}])
    answer = client.execute(
        "mutation($d: ID!, $u: String!) { appendRowsToDatasetSync(data: {datasetId: $d, jsonFileUrl: $u}) { dataset { id rowCount } } }",
        {"d": DATASET, "u": url},
    )
    assert answer == {"appendRowsToDatasetSync": {"dataset": {"id": DATASET, "rowCount": 1}}}


def test_create_data_row_directly(sim, client):
    answer = client.execute(
        'mutation CreateDataRow { createDataRow(data: {externalId: "d", rowData: "https://example.com/d.jpg", '
        'dataset: {connect: {id: "%s"}}}) { id externalId } }' % DATASET
    )["createDataRow"]
    assert answer["externalId"] == "d" and sim.rows()[0]["id"] == answer["id"]


# Keys


def test_a_wrong_key(sim, tmp_path):
    client = sim.client(key="wrong")
    with pytest.raises(AuthenticationError):
        client.get_dataset(DATASET)
    with pytest.raises(AuthenticationError):
        client.upload_data(b"x", filename="x.txt")
