internal import DataRows
internal import Foundation
internal import LabelboxAPI
internal import Transport

/// Whatever a server answers, an operation returns or throws its error, and the key is in neither.
///
/// The first byte chooses the operation, the second the status, the rest is the body.
enum AnswerTarget {
    /// In the dictionary of libFuzzer too, so that answers come to contain it.
    static let key = "lb-key-0123456789abcdef"
    private static let statuses = [
        200, 200, 200, 200, 200, 400, 401, 403, 404, 405, 408, 413, 422, 425, 426, 429, 500, 502, 503, 504, 520, 526,
        301,
        0, 999, -1,
    ]

    static func run(_ input: [UInt8]) throws {
        var choices = Choices(input)
        let operation = choices.byte()
        let status = choices.pick(statuses)
        let response = HTTPResponse(
            status: status, headers: HTTPHeaders([HTTPHeader("Retry-After", "7")]), body: Array(choices.rest))
        guard let outcome = InlineExecutor.run({ await perform(operation, response) }) else {
            throw Finding(description: "operation \(operation) waits for something")
        }
        switch outcome {
        case .success(let text):
            // What concerns single things only comes with data, whatever the gateway makes of it.
            try hold((-1..<500).contains(status), "taken in spite of status \(status): \(text)")
            try hold(!text.contains(key), "the key is in \(text)")
        case .failure(let error):
            let text = error.description + (error.excerpt ?? "") + error.message
            // Nor the beginning of one that was cut off.
            try hold(!text.contains(key), "the key is in \(text)")
            let begin = key.prefix(12)
            let others = String(decoding: input, as: UTF8.self).components(separatedBy: key)
            if !others.contains(where: { $0.contains(begin) }) {
                try hold(!text.contains(begin), "the beginning of the key is in \(text)")
            }
            try hold(!error.hint.isEmpty, "no hint")
            try hold((error.excerpt?.unicodeScalars.count ?? 0) <= 200 * 10, "a long excerpt")
        }
    }

    private struct Transport: HTTPTransport {
        let response: HTTPResponse
        func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse { response }
    }

    private struct Key: CredentialSource {
        func apiKey() -> String { AnswerTarget.key }
    }

    private static let tasks = ["t", "t2", "t3"].map { TaskID(rawValue: $0) }

    private static func perform(_ number: Int, _ response: HTTPResponse) async -> Result<String, LabelboxError> {
        let client = LabelboxClient(
            endpoint: "https://api.example/graphql", credentials: Key(), transport: Transport(response: response),
            gate: UngatedRequests(), unixTime: { 784_111_777 })
        do throws(LabelboxError) {
            return .success(try await answer(number, client))
        } catch {
            return .failure(error)
        }
    }

    private static func answer(_ number: Int, _ client: LabelboxClient) async throws(LabelboxError) -> String {
        switch number % 20 {
        case 0: "\(try await client.currentUser())"
        case 1: "\(try await client.tasks(tasks, user: UserID(rawValue: "u")))"
        case 2: "\(try await client.results(of: tasks, limit: 10))"
        case 3: "\(try await client.createdRows(of: tasks[0], limit: 10))"
        case 4: "\(try await client.failedRows(of: tasks[0], limit: 10))"
        case 5: "\(try await client.upsertDataRows(manifestURL: "https://m"))"
        case 6: "\(try await client.appendRows(to: DatasetID(rawValue: "d"), jsonURL: "https://j"))"
        case 7:
            "\(try await client.createDataRow(in: DatasetID(rawValue: "d"), rowData: "r", externalID: nil, globalKey: "k"))"
        case 8: "\(try await client.keyLookupResult(KeyLookup(jobID: "j", keys: ["a", "b", "c"])))"
        case 9: "\(try await client.startKeyLookup(["a", "b"]))"
        case 10: "\(try await client.metadataOntology())"
        case 11: "\(String(describing: try await client.dataset(DatasetID(rawValue: "d"))))"
        case 12: "\(try await client.datasets(named: "n"))"
        case 13: "\(try await client.dataRows(of: DatasetID(rawValue: "d"), limit: 10))"
        case 14: "\(try await client.dataRowIDs(forExternalIDs: ["a"]))"
        case 15: "\(try await client.recentTasks(user: UserID(rawValue: "u")))"
        case 16: "\(try await client.deleteDataRows([DataRowID(rawValue: "r")]))"
        case 17: "\(try await client.cancelTask(tasks[0])) \(try await client.cancelableTaskTypes())"
        case 18:
            "\(try await client.uploadFile(content: .bytes([1]), byteCount: 1, filename: "f", contentType: "text/plain"))"
        default: "\(try await client.legacyTaskResult("https://r", into: 0) { count, _ in count += 1 })"
        }
    }
}
