import DataRows
import Dispatch
import Foundation
import Glibc
import Importing
import LabelboxAPI
import Locking
import SystemPackage
import Transport

/// Prepares manifests as the daemon does, and prints what would be sent; for `Tests/Oracle`, which compares it with what
/// Labelbox's own client would send.
///
/// `prepare-rows FOLDER STATE ONTOLOGY [--mutate NAME]`: reads a line of JSON for each case from standard input
/// (``Case``), and writes a line of JSON (``Answer``) with the chunks behind it, one after the other, and a line
/// break. ONTOLOGY is a file with the service's answer to the question for metadata fields.
@main struct PrepareRows {
    static func main() async throws {
        var arguments = Array(CommandLine.arguments.dropFirst())
        var mutation: Mutation?
        if let at = arguments.firstIndex(of: "--mutate"), at + 1 < arguments.count {
            mutation = Mutation(rawValue: arguments[at + 1])
            guard mutation != nil else { return fail("no such mutation: \(arguments[at + 1])") }
            arguments.removeSubrange(at...at + 1)
        }
        if arguments == ["--list-mutations"] {
            return print(Mutation.allCases.map(\.rawValue).joined(separator: "\n"))
        }
        guard arguments.count == 3 else { return fail("arguments: FOLDER STATE ONTOLOGY [--mutate NAME]") }
        let client = LabelboxClient(
            endpoint: "https://api.invalid/graphql", credentials: NoKey(),
            transport: OneAnswer(body: Array(try Data(contentsOf: URL(filePath: arguments[2])))),
            gate: UngatedRequests(),
            unixTime: { 0 })
        let rehearsal = Rehearsal(
            folder: FilePath(arguments[0]), stateDirectory: FilePath(arguments[1]),
            datasetID: DatasetID(rawValue: "cmdset0000000000000000001"), ontology: try await client.metadataOntology())
        // Preparing blocks its thread, so it has one of its own.
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            let mutation = mutation
            DispatchQueue(label: "prepare-rows").async {
                while let line = readLine() {
                    do { try answer(line, rehearsal, mutation) } catch { fail("\(line): \(error)") }
                }
                done.resume()
            }
        }
    }

    private static func answer(_ line: String, _ rehearsal: Rehearsal, _ mutation: Mutation?) throws {
        let wanted = try JSONDecoder().decode(Case.self, from: Data(line.utf8))
        var policy = RowPolicy(
            operation: wanted.operation ?? .create, globalKey: wanted.globalKey ?? .off, mediaType: wanted.mediaType)
        if let bytes = wanted.maximumRowBytes { policy.maximumRowBytes = bytes }
        var outcome = try rehearsal.prepare(FilePath(wanted.manifest), policy: policy)
        mutation?.apply(to: &outcome)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var output = try encoder.encode(Answer(outcome))
        output.append(0x0a)
        for chunk in outcome.chunks { output.append(contentsOf: chunk) }
        output.append(0x0a)
        FileHandle.standardOutput.write(output)
    }

    private static func fail(_ message: String) {
        FileHandle.standardError.write(Data("prepare-rows: \(message)\n".utf8))
        exit(70)
    }
}

/// One manifest, and the watch that it is dropped in.
struct Case: Decodable {
    /// Relative to FOLDER.
    var manifest: String
    var operation: RowOperation?
    var globalKey: GlobalKeyPolicy?
    var mediaType: String?
    var maximumRowBytes: Int?
}

/// What came of it, but for the chunks' bytes.
struct Answer: Encodable {
    struct Word: Encodable {
        var row: Int?
        var code: String
        var pointer: String?
        var offset: Int64?
        var message: String
    }

    struct File: Encodable {
        var url: String
        var name: String
        var type: String
        var sha256: String
        var isText: Bool
    }

    var refusal: Word?
    var rows: Int
    var operation: String
    var rejected: [Word]
    var failed: [Word]
    var warnings: [Word]
    /// The numbers of the rows that stand in the chunks, in that order, as runs of first number and count.
    var sent: [[Int]]
    /// Their lengths, in bytes.
    var chunks: [Int]
    var uploads: [File]

    init(_ outcome: Rehearsal.Outcome) {
        func word(_ problem: RowProblem) -> Word {
            Word(
                row: problem.row, code: problem.code, pointer: problem.pointer, offset: problem.byteOffset,
                message: problem.message)
        }
        refusal = outcome.refusal.map { Word(code: $0.code, message: $0.message) }
        rows = outcome.rowCount
        operation = outcome.operation
        rejected = outcome.rejected.map(word)
        failed = outcome.failed.map { Word(row: $0.row, code: $0.code, message: $0.message) }
        warnings = outcome.warnings.map(word)
        sent = []
        for row in outcome.sent.map(\.row) {
            if let last = sent.last, last[0] + last[1] == row {
                sent[sent.count - 1][1] += 1
            } else {
                sent.append([row, 1])
            }
        }
        chunks = outcome.chunks.map(\.count)
        uploads = outcome.uploads.map {
            File(
                url: $0.url, name: $0.name, type: $0.contentType, sha256: Hexadecimal.string($0.sha256),
                isText: $0.isText)
        }
    }
}

// MARK: A service that knows its metadata fields and nothing else

private struct NoKey: CredentialSource {
    func apiKey() -> String { "none" }
}

private struct OneAnswer: HTTPTransport {
    let body: [UInt8]
    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        HTTPResponse(status: 200, body: body)
    }
}
