import Account
import DataRows
import Foundation
import LabelboxAPI
import Locking
import Pacing
import Testing
import Transport

/// The everyday calls.
extension Scenario {
    private static func row(_ number: Int) -> DataRowID {
        DataRowID(rawValue: "cm" + String(repeating: "0", count: 22) + "\(number)")
    }

    private static let getDataset = Way.calls { client, capture in
        let answer1 = try await client.dataset(dataset)?.name
        #expect(answer1 == capture.outcome["name"].string)
    }

    private static let listRows = Way.calls { client, capture in
        var rows: [ListedRow] = []
        var cursor: String?
        repeat {
            let page = try await client.dataRows(of: dataset, after: cursor, limit: 500)
            rows += page.rows
            cursor = page.next
        } while cursor != nil
        #expect(rows.map(\.externalID) == capture.outcome["external_ids"].list.map(\.string))
    }

    private static let findRow = Way.calls { client, capture in
        let found = try await client.dataRows(of: dataset, limit: 500, externalID: "pop-1")
        #expect(found.rows.map(\.id.rawValue) == [capture.outcome["found"].string])
        let answer2 = try await client.dataRows(of: dataset, limit: 500, externalID: "nope").rows
        #expect(answer2.isEmpty)
    }

    /// A wrong key, on a query and on an upload.
    private static let refusedKey = refused { $0 == .authentication }
    private static let tooFast = refused { $0 == .rateLimited(retryAfter: .seconds(7)) }

    private static func refused(_ isRight: @escaping @Sendable (LabelboxError.Kind) -> Bool) -> Way {
        .calls { client, capture in
            var kinds: [LabelboxError] = []
            do throws(LabelboxError) { _ = try await client.dataset(dataset) } catch { kinds.append(error) }
            if capture.exchanges.count > 1 {
                do throws(LabelboxError) {
                    _ = try await client.uploadFile(
                        content: .bytes(Array("[]".utf8)), byteCount: 2, filename: "a.json",
                        contentType: "application/json")
                } catch { kinds.append(error) }
            }
            #expect(kinds.count == capture.exchanges.count)
            #expect(kinds.allSatisfy { isRight($0.kind) && $0.outcome == .notProcessed }, "\(kinds)")
        }
    }

    static let calls: [Scenario] = [
        Scenario(capture: "sdk-7.17.0/get_dataset", way: getDataset),
        Scenario(capture: "sdk-3.22.1/get_dataset", way: getDataset),
        Scenario(
            capture: "sdk-7.17.0/create_dataset",
            way: .notDone("datasets are made in Labelbox, where their settings are")),
        Scenario(
            capture: "sdk-7.17.0/list_datasets",
            way: .calls { client, capture in
                let all = try await client.datasets()
                let named = try await client.datasets(named: "default")
                #expect(all.map(\.id.rawValue) == capture.outcome["all"].list.map(\.string))
                #expect(named.map(\.id.rawValue) == capture.outcome["named"].list.map(\.string))
            }),
        Scenario(
            capture: "sdk-7.17.0/data_rows_iteration", way: listRows,
            differences: [.datasetNotAskedFirst, .fieldsNotLoaded]),
        Scenario(
            capture: "sdk-7.17.0/data_rows_iteration_trailing", way: listRows,
            differences: [.datasetNotAskedFirst, .fieldsNotLoaded]),
        Scenario(
            capture: "sdk-7.17.0/data_row_for_external_id", way: findRow,
            differences: [.datasetNotAskedFirst, .fieldsNotLoaded]),
        Scenario(
            capture: "sdk-7.17.0/global_key_and_external_id_lookup",
            way: .calls { client, capture in
                func find(_ keys: [ExactName]) async throws -> KeyLookupResult {
                    try await client.keyLookupResult(client.startKeyLookup(keys))
                }
                let one = try await find(["pop-gk-2"])
                let id = DataRowID(rawValue: capture.outcome["id"].string ?? "")
                #expect(one == .done(found: ["pop-gk-2": id], notFound: [], denied: []))
                let answer3 = try await client.dataRow(id)?.globalKey
                #expect(answer3 == "pop-gk-2")
                let two = try await find(["pop-gk-0", "nope"])
                #expect(two == .done(found: ["pop-gk-0": row(0)], notFound: ["nope"], denied: []))
                let rows = try await client.dataRowIDs(forExternalIDs: ["pop-0", "nope"])
                #expect(rows == ["pop-0": [row(0)]])
            }, differences: [.readByOtherMeans]),
        Scenario(
            capture: "sdk-7.17.0/bulk_delete",
            way: .calls { client, _ in
                let answer4 = try await client.deleteDataRows([row(3), row(2)])
                #expect(answer4 == [row(3), row(2)])
                let answer5 = try await client.deleteDataRows([row(1)])
                #expect(answer5 == [row(1)])
            }, differences: [.readByOtherMeans]),
        Scenario(
            capture: "sdk-3.22.1/bulk_delete",
            way: .calls { client, _ in
                let answer6 = try await client.deleteDataRows([row(2), row(1)])
                #expect(answer6 == [row(2), row(1)])
            }, differences: [.readByOtherMeans]),
        Scenario(
            capture: "sdk-7.17.0/update_data_row",
            way: .calls { client, _ in
                try await client.updateDataRow(
                    row(0), rowData: "https://storage.example.com/bucket/img-7.jpg", externalID: "renamed")
                try await client.updateDataRow(row(0), rowData: #"{"pdfUrl": "https://example.com/a.pdf"}"#)
            }, differences: [.readByOtherMeans]),
        Scenario(
            capture: "sdk-3.22.1/update_data_row",
            way: .calls { client, _ in try await client.updateDataRow(row(0), externalID: "renamed") },
            differences: [.readByOtherMeans]),
        Scenario(
            capture: "sdk-7.17.0/task_by_id",
            way: .calls { client, capture in
                let user = try await client.currentUser().id
                let task = TaskID(rawValue: "cmtask0000000000000000001")
                let found = try await client.tasks([task], user: user)[task]
                #expect(found?.type == capture.outcome["type"].string)
                #expect(found?.status.description == capture.outcome["status"].string)
                let answer7 = try await client.tasks([TaskID(rawValue: "cmtask9999999999999999999")], user: user)
                #expect(answer7.isEmpty)
            }, differences: [.importBefore]),
        Scenario(
            capture: "sdk-7.17.0/metadata_ontology",
            way: .calls { client, capture in
                let fields = try await client.metadataOntology().fields
                let names = Dictionary(grouping: fields, by: \.isReserved).mapValues { $0.map(\.name) }
                #expect(names[true] == capture.outcome["reserved"].list.map { $0.string ?? "" })
                #expect(names[false] == capture.outcome["custom"].list.map { $0.string ?? "" })
            }),
        Scenario(capture: "sdk-7.17.0/auth_failure", way: refusedKey),
        Scenario(capture: "sdk-3.22.1/auth_failure", way: refusedKey),
        Scenario(capture: "sdk-7.17.0/rate_limit", way: tooFast),
        Scenario(
            capture: "sdk-3.22.1/rate_limit",
            way: refused { if case .rateLimited = $0 { true } else { false } }),
        Scenario(
            capture: "sdk-7.17.0/retry_server_error",
            way: .gatedCalls { client, capture in
                // Through the gate that the daemon has.
                let kinds = Locked<[LabelboxError.Kind]>([])
                let gate = PacedRequests(
                    pacer: RequestPacer(
                        rules: PacingRules(requestsPerMinute: 1000, maximumConnections: 4), clock: ContinuousClock())
                ) { _, error, isRetried in
                    #expect(isRetried)
                    kinds.withLock { $0.append(error.kind) }
                }
                let found = try await client(gate).dataset(dataset)
                #expect(found?.name == capture.outcome["name"].string)
                #expect(kinds.withLock { $0 } == Array(repeating: .serverError, count: 3))
            }),
        Scenario(
            capture: "sdk-3.22.1/data_rows_iteration",
            way: .calls { client, capture in
                let page = try await client.dataRows(of: dataset, limit: 500)
                #expect(page.rows.count == capture.outcome["rows"].int)
            }, differences: [.byCursor]),
        Scenario(
            capture: "sdk-3.22.1/data_row_for_external_id", way: findRow, differences: [.byCursor]),
    ]
}
