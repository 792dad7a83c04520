import DataRows
import LabelboxAPI
import Testing
import Transport

@Suite("Operations")
struct OperationTests {
    private let dataset = DatasetID(rawValue: "ds")
    private let task = TaskID(rawValue: "t")
    private let user = UserID(rawValue: "u")

    @Test("a submit goes over a connection of its own, in HTTP/1.1; a read does not need to")
    func connections() async throws {
        let task = #"{"id":"t","status":"IN_PROGRESS"}"#
        let transport = RecordingTransport(
            .json("{\"data\":{\"upsertDataRows\":\(task)}}"),
            .json(#"{"data":{"appendRowsToDataset":{"taskId":"t"}}}"#),
            .json(#"{"data":{"createDataRow":{"id":"r"}}}"#), .json(#"{"data":{"user":{"id":"u"}}}"#))
        let client = makeClient(transport)
        _ = try await client.upsertDataRows(manifestURL: "https://m")
        _ = try await client.appendRows(to: dataset, jsonURL: "https://j")
        _ = try await client.createDataRow(in: dataset, rowData: "x", externalID: nil, globalKey: nil)
        _ = try await client.currentUser()
        #expect(transport.requests.map(\.connection) == [.fresh, .fresh, .fresh, .pooled])
        #expect(transport.requests.map(\.version) == [.http1, .http1, .http1, .negotiated])
        #expect(transport.requests.allSatisfy { $0.header("Authorization") == "Bearer the-key" })
        #expect(transport.requests.allSatisfy { $0.header("Content-Type") == "application/json" })
    }

    @Test("upsertDataRows gives the task")
    func upsert() async throws {
        let transport = RecordingTransport(
            .json(
                """
                {"data":{"upsertDataRows":{"id":"cmtask0000000000000000001","createdAt":"2026-11-21T00:29:25.804Z",
                "updatedAt":"2026-11-21T00:29:25.804Z","name":"Upsert data rows","status":"IN_PROGRESS",
                "completionPercentage":0.0,"result":null,"errors":null,"type":"adv-upsert-data-rows","metadata":null}}}
                """))
        let task = try await makeClient(transport).upsertDataRows(manifestURL: "https://files.example/m?alt=media")
        #expect(task.id.rawValue == "cmtask0000000000000000001")
        #expect(task.status == .inProgress)
        #expect(task.completionPercentage == 0)
        #expect(task.resultURL == nil)
        #expect(task.type == "adv-upsert-data-rows")
        let request = try #require(transport.requests.first)
        #expect(request.json?["variables"] == ["manifestUri": "https://files.example/m?alt=media"])
        #expect(
            request.document
                == "mutation UpsertDataRows($manifestUri: String!) { upsertDataRows(data: { manifestUri: $manifestUri }) "
                + "{ id createdAt updatedAt name status completionPercentage result errors type metadata } }")
    }

    @Test(
        "a submit whose answer is no answer has an unknown outcome",
        arguments: ["<html>", "{}", #"{"data":{"upsertDataRows":null}}"#])
    func unknownSubmit(body: String) async throws {
        let error = await failure { () async throws(LabelboxError) in
            try await makeClient(RecordingTransport(.json(body))).upsertDataRows(manifestURL: "m")
        }
        #expect(error?.outcome == .unknown)
        #expect(error?.isRetryable(as: .submit) == false)
    }

    @Test("appendRowsToDataset that is not accepted is a refusal in the server's words")
    func refused() async throws {
        let transport = RecordingTransport(
            .json(#"{"data":{"appendRowsToDataset":{"taskId":null,"accepted":false,"errorMessage":"no such file"}}}"#))
        let error = await failure { () async throws(LabelboxError) in
            try await makeClient(transport).appendRows(to: dataset, jsonURL: "https://j")
        }
        #expect(error?.kind == .refused)
        #expect(error?.outcome == .failed)
        #expect(error?.message == "no such file")
    }

    @Test("createDataRow names only what is set")
    func create() async throws {
        let answer = RecordingTransport.Script.json(#"{"data":{"createDataRow":{"id":"r"}}}"#)
        let transport = RecordingTransport(answer, answer)
        let client = makeClient(transport)
        #expect(
            try await client.createDataRow(in: dataset, rowData: "x", externalID: nil, globalKey: nil).rawValue == "r")
        _ = try await client.createDataRow(in: dataset, rowData: "x", externalID: "e\"", globalKey: "g")
        #expect(transport.requests[0].json?["variables"] == ["dataset": "ds", "rowData": "x"])
        #expect(!transport.requests[0].document.contains("externalId"))
        #expect(
            transport.requests[1].json?["variables"]
                == ["dataset": "ds", "rowData": "x", "externalId": "e\"", "globalKey": "g"])
    }

    @Test("several tasks are asked for in one request, and a missing one is absent")
    func tasks() async throws {
        let transport = RecordingTransport(
            .json(
                """
                {"data":{"user":{"t0":[{"id":"a","status":"COMPLETE","completionPercentage":100,"result":"https://r"}],
                "t1":[],"t2":[{"id":"c","status":"PAUSED","errors":{"x":1}}],"t3":[{"id":"other","status":"FAILED"}]}}}
                """))
        let ids = ["a", "b", "c", "d"].map(TaskID.init(rawValue:))
        let tasks = try await makeClient(transport).tasks(ids, user: user)
        #expect(Set(tasks.keys) == [ids[0], ids[2]])
        #expect(tasks[ids[0]]?.status == .complete)
        #expect(tasks[ids[0]]?.resultURL == "https://r")
        #expect(tasks[ids[2]]?.status == .unknown("PAUSED"))
        #expect(tasks[ids[2]]?.errors == #"{"x":1}"#)
        #expect(transport.requests.count == 1)
        let request = try #require(transport.requests.first)
        #expect(request.json?["variables"] == ["user": "u", "t0": "a", "t1": "b", "t2": "c", "t3": "d"])
        #expect(
            request.document.hasPrefix(
                "query Tasks($user: ID!, $t0: ID!, $t1: ID!, $t2: ID!, $t3: ID!) { user(where: { id: $user }) { t0: createdTasks(where: { id: $t0 }, skip: 0, first: 1) {"
            ))
    }

    @Test("a task that the server calls not found is absent too")
    func taskNotFound() async throws {
        let transport = RecordingTransport(
            .json(
                """
                {"data":{"user":{"t0":null,"t1":[{"id":"b","status":"FAILED"}]}},"errors":[{"message":"no","path":["user","t0"],
                "extensions":{"code":"RESOURCE_NOT_FOUND"}}]}
                """))
        let ids = ["a", "b"].map(TaskID.init(rawValue:))
        #expect(try await makeClient(transport).tasks(ids, user: user).keys.map(\.rawValue) == ["b"])
    }

    @Test("no tasks, no request")
    func noTasks() async throws {
        let transport = RecordingTransport()
        let client = makeClient(transport)
        #expect(try await client.tasks([], user: user).isEmpty)
        #expect(try await client.results(of: [], limit: 1).isEmpty)
        #expect(try await client.deleteDataRows([]).isEmpty)
        #expect(transport.requests.isEmpty)
    }

    @Test(
        "what a status means",
        arguments: [
            ("IN_PROGRESS", TaskStatus.inProgress, false), ("COMPLETE", .complete, true), ("FAILED", .failed, true),
            ("CANCELLING", .cancelling, false), ("CANCELED", .canceled, true),
            ("CANCELLED", .unknown("CANCELLED"), false),
        ])
    func status(text: String, status: TaskStatus, isFinal: Bool) {
        #expect(TaskStatus(text) == status)
        #expect(status.description == text)
        #expect(status.isFinal == isFinal)
    }

    @Test("created rows come page by page")
    func createdRows() async throws {
        let transport = RecordingTransport(
            .json(
                """
                {"data":{"successesfulDataRowImports":{"nodes":[{"id":"r1","externalId":"img-2","globalKey":null,
                "rowData":"https://x"},{"id":"r2","externalId":null,"globalKey":"g","rowData":{"a":[1]}}],
                "after":"cur","total":3}}}
                """),
            .json(#"{"data":{"successesfulDataRowImports":{"nodes":[],"after":"again","total":3}}}"#))
        let client = makeClient(transport)
        let page = try await client.createdRows(of: task, limit: 2)
        #expect(page.rows.map(\.id.rawValue) == ["r1", "r2"])
        #expect(page.rows.map(\.externalID) == ["img-2", nil])
        #expect(page.rows.map(\.globalKey) == [nil, "g"])
        #expect(page.rows.map(\.rowData) == ["https://x", #"{"a":[1]}"#])
        #expect(page.next == "cur")
        #expect(page.total == 3)
        let last = try await client.createdRows(of: task, after: page.next, limit: 2, withRowData: false)
        #expect(last.rows.isEmpty)
        #expect(last.next == nil)
        #expect(transport.requests[0].json?["variables"] == ["taskId": "t", "first": 2, "from": nil])
        #expect(transport.requests[1].json?["variables"] == ["taskId": "t", "first": 2, "from": "cur"])
        #expect(transport.requests[0].document.contains("rowData"))
        #expect(!transport.requests[1].document.contains("rowData"))
    }

    @Test(
        "failed rows come with the server's words and what was sent",
        arguments: [("null", nil), ("\"\"", nil), ("\"c\"", "c")] as [(String, String?)])
    func failedRows(after: String, next: String?) async throws {
        let transport = RecordingTransport(
            .json(
                """
                {"data":{"failedDataRowImports":{"after":\(after),"total":1,"results":[{"message":"Duplicate global key: 'g'",
                "spec":{"externalId":"e","globalKey":"g","rowData":"https://x"}}]}}}
                """))
        let page = try await makeClient(transport).failedRows(of: task, limit: 5000)
        #expect(
            page.rows == [
                FailedRow(message: "Duplicate global key: 'g'", externalID: "e", globalKey: "g", rowData: "https://x")
            ])
        #expect(page.next == next)
    }

    @Test("results of several tasks come in one request")
    func results() async throws {
        let transport = RecordingTransport(
            .json(
                """
                {"data":{"c0":{"nodes":[{"id":"r1"}],"after":null,"total":1},"f0":{"after":null,"total":0,"results":[]},
                "c1":null,"f1":null},"errors":[{"message":"no","path":["c1"],"extensions":{"code":"RESOURCE_NOT_FOUND"}}]}
                """))
        let ids = ["a", "b"].map(TaskID.init(rawValue:))
        let pages = try await makeClient(transport).results(of: ids, limit: 10, withRowData: false)
        #expect(Array(pages.keys) == [ids[0]])
        #expect(pages[ids[0]]?.created.rows.map(\.id.rawValue) == ["r1"])
        #expect(pages[ids[0]]?.failed.rows.isEmpty == true)
        let request = try #require(transport.requests.first)
        #expect(
            request.document
                == "query Results($first: Int, $t0: ID!, $t1: ID!) { "
                + "c0: successesfulDataRowImports(data: { taskId: $t0, first: $first }) { nodes { id externalId globalKey } after total } "
                + "f0: failedDataRowImports(data: { taskId: $t0, first: $first }) { after total results { message spec { externalId globalKey } } } "
                + "c1: successesfulDataRowImports(data: { taskId: $t1, first: $first }) { nodes { id externalId globalKey } after total } "
                + "f1: failedDataRowImports(data: { taskId: $t1, first: $first }) { after total results { message spec { externalId globalKey } } } }"
        )
    }

    @Test("a created row without an id is a bad answer")
    func rowWithoutID() async throws {
        for node in [#"{"id":null}"#, "{}", "null", "7"] {
            let transport = RecordingTransport(
                .json("{\"data\":{\"successesfulDataRowImports\":{\"nodes\":[\(node)]}}}"))
            let error = await failure { () async throws(LabelboxError) in
                try await makeClient(transport).createdRows(of: task, limit: 1)
            }
            #expect(error?.kind == .badAnswer)
        }
    }

    @Test("a result file is fetched without the key, and read in both its forms")
    func legacyResult() async throws {
        let transport = RecordingTransport(
            .json(
                """
                {"createdDataRows":[{"id":"r","externalId":"e","globalKey":null,"rowData":"https://x"}],"errors":[
                {"message":"m","failedDataRows":[{"externalId":"f1"},{"externalId":"f2","rowData":"https://y"}]}]}
                """),
            .json(#"{"error":{"code":7}}"#))
        let client = makeClient(transport)
        let result = try await client.legacyTaskResult("https://files.example/r.json?sig=1", into: []) { $0.append($1) }
        #expect(
            result == [
                LegacyResult.created(CreatedRow(id: DataRowID(rawValue: "r"), externalID: "e")),
                .failed(FailedRow(message: "m", externalID: "f1")), .failed(FailedRow(message: "m", externalID: "f2")),
            ])
        let error = try await client.legacyTaskResult("https://x", into: []) { $0.append($1) }
        #expect(error == [LegacyResult.error(#"{"code":7}"#)])
        let request = try #require(transport.requests.first)
        #expect(request.method == .get)
        #expect(request.url == "https://files.example/r.json?sig=1")
        #expect(request.headers.isEmpty)
    }

    @Test(
        "a result file that cannot be had",
        arguments: [
            (404, "", LabelboxError.Kind.notFound(resource: "file"), LabelboxError.Outcome.failed),
            (403, "<Error>", .permission, .failed), (503, "", .serverError, .unknown),
            (200, "<html>", .badAnswer, .unknown),
            (200, "[]", .badAnswer, .unknown), (200, "{}", .badAnswer, .unknown), (302, "", .badAnswer, .failed),
        ])
    func noResultFile(
        status: Int, body: String, kind: LabelboxError.Kind, outcome: LabelboxError.Outcome
    ) async throws {
        let error = await failure { () async throws(LabelboxError) in
            try await makeClient(RecordingTransport(.json(body, status: status))).legacyTaskResult("https://x", into: 0)
            {
                count, _ in count += 1
            }
        }
        #expect(error?.kind == kind)
        #expect(error?.outcome == outcome)
    }

    @Test("a key lookup is started with each key once, and asked for until it is done")
    func keyLookup() async throws {
        let transport = RecordingTransport(
            .json(#"{"data":{"dataRowsForGlobalKeys":{"jobId":"j"}}}"#),
            .json(#"{"data":{"dataRowsForGlobalKeysResult":{"jobStatus":"IN_PROGRESS","data":null}}}"#),
            .json(
                """
                {"data":{"dataRowsForGlobalKeysResult":{"data":{"fetchedDataRows":[{"id":"r1"},{"id":""},{"id":""},{"id":"r4"}],
                "notFoundGlobalKeys":["b"],"accessDeniedGlobalKeys":["c"]},"jobStatus":"COMPLETE"}}}
                """),
            .json(#"{"data":{"dataRowsForGlobalKeysResult":{"jobStatus":"FAILED","data":null}}}"#))
        let client = makeClient(transport)
        let lookup = try await client.startKeyLookup(["a", "b", "a", "c", "d"])
        #expect(lookup == KeyLookup(jobID: "j", keys: ["a", "b", "c", "d"]))
        #expect(try await client.keyLookupResult(lookup) == .running)
        #expect(
            try await client.keyLookupResult(lookup)
                == .done(
                    found: ["a": DataRowID(rawValue: "r1"), "d": DataRowID(rawValue: "r4")], notFound: ["b"],
                    denied: ["c"]))
        #expect(try await client.keyLookupResult(lookup) == .failed)
        #expect(transport.requests[0].json?["variables"] == ["keys": ["a", "b", "c", "d"]])
        #expect(transport.requests[1].json?["variables"] == ["jobId": "j"])
    }

    @Test("a key lookup whose rows are fewer than its keys is matched to the keys that were found, or refused")
    func shortKeyLookup() async throws {
        let lookup = KeyLookup(jobID: "j", keys: ["a", "b", "c"])
        func result(_ rows: String, _ missing: String) -> RecordingTransport.Script {
            .json(
                """
                {"data":{"dataRowsForGlobalKeysResult":{"data":{"fetchedDataRows":\(rows),"notFoundGlobalKeys":\(missing),
                "accessDeniedGlobalKeys":[]},"jobStatus":"COMPLETE"}}}
                """)
        }
        let transport = RecordingTransport(
            result(#"[{"id":"r1"},{"id":"r3"}]"#, #"["b"]"#), result(#"[{"id":"r1"}]"#, #"["b"]"#),
            result(#"[{"id":"r1"},{"id":""},{"id":"r3"}]"#, "[]"))
        let client = makeClient(transport)
        let found: [ExactName: DataRowID] = ["a": DataRowID(rawValue: "r1"), "c": DataRowID(rawValue: "r3")]
        #expect(try await client.keyLookupResult(lookup) == .done(found: found, notFound: ["b"], denied: []))
        #expect(
            await failure { () async throws(LabelboxError) in try await client.keyLookupResult(lookup) }?.kind
                == .badAnswer)
        #expect(try await client.keyLookupResult(lookup) == .done(found: found, notFound: ["b"], denied: []))
    }

    @Test("the metadata ontology")
    func ontology() async throws {
        let transport = RecordingTransport(
            .json(
                """
                {"data":{"customMetadataOntology":[{"id":"1","name":"tag","kind":"CustomMetadataString","reserved":true,"options":[]},
                {"id":"2","name":"split","kind":"CustomMetadataEnum","reserved":true,"options":[{"id":"3",
                "kind":"CustomMetadataEnumOption","name":"train","reserved":true}]},
                {"id":"4","name":"later","kind":"CustomMetadataSomething","reserved":false,"options":null}]}}
                """))
        let fields = try await makeClient(transport).metadataOntology().fields
        #expect(fields.map(\.kind) == [.string, .enumeration, .other("CustomMetadataSomething")])
        #expect(fields.map(\.isReserved) == [true, true, false])
        #expect(fields[1].options.map(\.name) == ["train"])
        #expect(fields[2].options.isEmpty)
    }

    @Test("a dataset's rows, page by page, by the cursor that is called startCursor")
    func rowsOfDataset() async throws {
        let transport = RecordingTransport(
            .json(
                """
                {"data":{"datasetDataRows":{"nodes":[{"id":"r","externalId":"e","globalKey":"g","rowData":"x"}],
                "pageInfo":{"hasNextPage":false,"startCursor":"r"}}}}
                """),
            .json(#"{"data":{"datasetDataRows":{"nodes":[],"pageInfo":{"hasNextPage":false,"startCursor":"r"}}}}"#))
        let client = makeClient(transport)
        let page = try await client.dataRows(of: dataset, limit: 500, externalID: "e")
        #expect(page.rows.map(\.globalKey) == ["g"])
        #expect(page.next == "r")
        #expect(try await client.dataRows(of: dataset, after: "r", limit: 500).next == nil)
        #expect(
            transport.requests.map { $0.json?["variables"] } == [
                ["id": "ds", "from": nil, "first": 500, "where": ["externalId": "e"]],
                ["id": "ds", "from": "r", "first": 500, "where": nil],
            ])
    }

    @Test("deletions and updates")
    func changes() async throws {
        let transport = RecordingTransport(
            .json(#"{"data":{"deleteDataRows":[{"id":"a","deleted":true},{"id":"b","deleted":false}]}}"#),
            .json(#"{"data":{"updateDataRow":{"id":"a"}}}"#))
        let client = makeClient(transport)
        let ids = ["a", "b\""].map(DataRowID.init(rawValue:))
        #expect(try await client.deleteDataRows(ids) == [ids[0]])
        #expect(
            transport.requests[0].document
                == #"mutation DeleteDataRows { deleteDataRows(where: { dataRowIds: ["a","b\""] }) { id deleted } }"#)
        try await client.updateDataRow(ids[0], rowData: "{}", globalKey: "g")
        #expect(transport.requests[1].json?["variables"] == ["id": "a", "rowData": "{}", "globalKey": "g"])
        #expect(
            transport.requests[1].document
                == "mutation UpdateDataRow($id: ID!, $rowData: String!, $globalKey: String!) { updateDataRow(where: { id: $id }, data: { rowData: $rowData, globalKey: $globalKey }) { id } }"
        )
        let many = (0...10_000).map { DataRowID(rawValue: "\($0)") }
        #expect(
            await failure { () async throws(LabelboxError) in try await client.deleteDataRows(many) }?.kind == .tooLarge
        )
    }

    @Test("a deletion that may go out once has a connection of its own")
    func deletedOnce() async throws {
        let transport = RecordingTransport(
            .json(#"{"data":{"deleteDataRows":[]}}"#), .json(#"{"data":{"deleteDataRows":[]}}"#))
        let client = makeClient(transport)
        let ids = [DataRowID(rawValue: "a")]
        _ = try await client.deleteDataRows(ids)
        _ = try await client.deleteDataRows(ids, once: true)
        #expect(transport.requests.map(\.connection) == [.pooled, .fresh])
    }

    @Test("where rows are; an answer without them is none, and one that failed as a whole is an error")
    func places() async throws {
        let ids = ["a", "b", "c"].map(DataRowID.init(rawValue:))
        let notFound = #"{"message":"DataRow not found","path":["r1"],"extensions":{"code":"RESOURCE_NOT_FOUND"}}"#
        let broken = #"{"message":"oops","path":["r2"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}"#
        let transport = RecordingTransport(
            .json(
                #"{"errors":[\#(notFound)],"data":{"user":{"id":"u"},"r0":{"id":"a","dataset":{"id":"d"}},"r1":null,"r2":{"id":"c","dataset":{"id":"e"}}}}"#
            ),
            .json(#"{"data":{"user":{"id":"u"},"r0":null,"r1":null,"r2":null}}"#),
            .json(#"{"errors":[\#(notFound),\#(broken)],"data":{"user":{"id":"u"},"r0":null,"r1":null,"r2":null}}"#),
            .json(#"{"data":{"user":{"id":"u"},"r0":{"id":"z","dataset":{"id":"d"}},"r1":null,"r2":null}}"#))
        let client = makeClient(transport)
        #expect(
            try await client.datasets(ofRows: ids) == [ids[0]: .init(rawValue: "d"), ids[2]: .init(rawValue: "e")])
        #expect(try await client.datasets(ofRows: ids).isEmpty)
        #expect(
            await failure { () async throws(LabelboxError) in _ = try await client.datasets(ofRows: ids) } != nil,
            "what the server could not look at is not taken to be absent")
        #expect(
            await failure { () async throws(LabelboxError) in _ = try await client.datasets(ofRows: ids) }?.kind
                == .badAnswer)
        #expect(try await client.datasets(ofRows: []).isEmpty)
        #expect(transport.requests[0].json?["variables"] == ["r0": "a", "r1": "b", "r2": "c"])
    }

    @Test("what rows hold, with their attachments only when they are wanted")
    func contents() async throws {
        let ids = ["a", "b"].map(DataRowID.init(rawValue:))
        let transport = RecordingTransport(
            .json(
                #"{"data":{"user":{"id":"u"},"r0":{"id":"a","externalId":"e","globalKey":null,"rowData":{"x":1},"dataset":{"id":"d"},"attachments":[{"type":"IMAGE","value":"v","name":null}]},"r1":null}}"#
            ), .json(#"{"data":{"user":{"id":"u"},"r0":{"id":"a","dataset":null},"r1":null}}"#))
        let client = makeClient(transport)
        #expect(
            try await client.contents(ofRows: ids, withAttachments: true) == [
                ids[0]: RowContents(
                    row: ListedRow(
                        id: ids[0], externalID: "e", rowData: #"{"x":1}"#, dataset: DatasetID(rawValue: "d")),
                    dataset: DatasetID(rawValue: "d"),
                    attachments: [.init(type: "IMAGE", value: "v", name: nil)])
            ])
        #expect(transport.requests[0].document.contains("attachments"))
        #expect(
            await failure { () async throws(LabelboxError) in
                _ = try await client.contents(ofRows: ids, withAttachments: false)
            }?.kind == .badAnswer)
        #expect(!transport.requests[1].document.contains("attachments"))
        #expect(try await client.contents(ofRows: [], withAttachments: true).isEmpty)
    }

    @Test("searches")
    func searches() async throws {
        let transport = RecordingTransport(
            .json(#"{"data":{"datasets":[{"id":"ds","name":"cats","rowCount":3},{"id":"e","name":null}]}}"#),
            .json(#"{"data":{"datasets":[]}}"#),
            .json(
                """
                {"data":{"externalIdsToDataRowIds":[{"dataRowId":"r1","externalId":"a"},{"dataRowId":"r2","externalId":"a"}]}}
                """),
            .json(#"{"data":{"user":{"createdTasks":[{"id":"t","status":"COMPLETE"}]}}}"#),
            .json(#"{"data":{"project":{"datasets":[{"dataRows":[{"id":"r1"}]},{"dataRows":[{"id":"r2"}]}]}}}"#))
        let client = makeClient(transport)
        #expect(
            try await client.datasets(named: "cats") == [
                DatasetInfo(id: dataset, name: "cats", rowCount: 3), DatasetInfo(id: .init(rawValue: "e"), name: ""),
            ])
        #expect(try await client.datasets(skip: 100).isEmpty)
        #expect(
            try await client.dataRowIDs(forExternalIDs: ["a", "b"]) == [
                "a": ["r1", "r2"].map(DataRowID.init(rawValue:))
            ])
        #expect(try await client.recentTasks(user: user, limit: 5).map(\.id) == [task])
        #expect(try await client.dataRows(ofProject: ProjectID(rawValue: "p")).map(\.id.rawValue) == ["r1", "r2"])
        #expect(try await client.dataRowIDs(forExternalIDs: []).isEmpty)
        #expect(
            transport.requests.map { $0.json?["variables"] } == [
                ["name": "cats", "deleted": false], ["deleted": false], ["ids": ["a", "b"]],
                ["user": "u", "skip": 0, "first": 5], ["id": "p", "first": 100],
            ])
        #expect(
            transport.requests[0].document.contains(
                "where: { AND: [{ name: $name }, { deleted: $deleted }] }, skip: 0, first: 100)"))
        #expect(transport.requests[1].document.contains("skip: 100, first: 100)"))
    }

    @Test("cancelling a task")
    func cancelling() async throws {
        let transport = RecordingTransport(
            .json(#"{"data":{"cancelableTaskTypes":["exportDataRows","advUpsertDataRows"]}}"#),
            .json(#"{"data":{"cancelBulkOperationJob":{"success":true}}}"#),
            .json(#"{"data":{"cancelBulkOperationJob":{"success":null}}}"#))
        let client = makeClient(transport)
        #expect(try await client.cancelableTaskTypes().contains("advUpsertDataRows"))
        #expect(try await client.cancelTask(task))
        #expect(try await client.cancelTask(task) == false)
    }

    @Test("the gate hears what kind of request it is, and may try again")
    func gate() async throws {
        struct TwiceGate: RequestGate {
            func run<T: Sendable>(
                _ kind: RequestKind, _ attempt: @Sendable () async throws(LabelboxError) -> T
            ) async throws(LabelboxError) -> T {
                do throws(LabelboxError) {
                    return try await attempt()
                } catch {
                    guard error.isRetryable(as: kind) else { throw error }
                    return try await attempt()
                }
            }
        }
        let transport = RecordingTransport(
            .json("", status: 502), .json(#"{"data":{"user":{"id":"u","email":"a@b"}}}"#), .json("", status: 502))
        let client = makeClient(transport, gate: TwiceGate())
        #expect(try await client.currentUser().id == user)
        let error = await failure { () async throws(LabelboxError) in try await client.upsertDataRows(manifestURL: "m")
        }
        #expect(error?.kind == .serverError)
        #expect(transport.requests.count == 3)
    }

    @Test("without a key nothing is sent")
    func noKey() async throws {
        struct NoKey: CredentialSource {
            struct Missing: Error, CustomStringConvertible { var description: String { "cannot read the file" } }
            func apiKey() throws -> String { throw Missing() }
        }
        let transport = RecordingTransport()
        for credentials in [NoKey(), FixedKey(key: "")] as [any CredentialSource] {
            let error = await failure { () async throws(LabelboxError) in
                try await makeClient(transport, credentials: credentials).currentUser()
            }
            #expect(error?.kind == .authentication)
            #expect(error?.outcome == .notProcessed)
        }
        #expect(transport.requests.isEmpty)
    }

    @Test("requests run under the client's limits")
    func limits() async throws {
        let transport = RecordingTransport(.json(#"{"data":{"user":{"id":"u"}}}"#), .json(#"{"error":"x"}"#))
        let client = makeClient(
            transport,
            settings: .init(
                connectTimeout: .seconds(3), stallTimeout: .seconds(4), answerLimit: 5, resultFileLimit: 6))
        _ = try await client.currentUser()
        _ = try await client.legacyTaskResult("https://x", into: 0) { count, _ in count += 1 }
        #expect(transport.requests.map(\.responseLimit) == [5, 6])
        #expect(transport.requests.allSatisfy { $0.connectTimeout == .seconds(3) && $0.stallTimeout == .seconds(4) })
    }
}
