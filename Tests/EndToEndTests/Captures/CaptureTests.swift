import DataRows
import Foundation
import LabelboxAPI
import Testing
import Transport

/// What the official SDK did, datarowd does with the same requests in meaning.
@Suite("Recorded exchanges of the official SDK", .serialized)
struct CaptureTests {
    /// Tables of answers, which have a test of their own.
    private static let tables: Set<String> = ["sdk-7.17.0/error_classification", "sdk-3.22.1/error_classification"]

    @Test("each recording is of one scenario, and each scenario of one recording")
    func scenarios() {
        let scenarios = Scenario.all.map(\.capture)
        #expect(Set(scenarios).count == scenarios.count)
        #expect(Set(scenarios).union(Self.tables) == Set(Capture.names))
        #expect(Capture.names.count == 50)
    }

    @Test("each difference is seen in some scenario, and has a reason")
    func differences() {
        let used = Set(Scenario.all.flatMap { $0.differences.map(\.name) })
        #expect(used == Set(Difference.all.map(\.name)))
        #expect(Difference.all.allSatisfy { !$0.reason.isEmpty })
        #expect(Set(Difference.all.map(\.name)).count == Difference.all.count)
    }

    @Test("the same requests in meaning", .timeLimit(.minutes(2)), arguments: Scenario.all.map(\.capture))
    func reproduced(name: String) async throws {
        let scenario = try #require(Scenario.all.first { $0.capture == name })
        let capture = try Capture(name)
        let replay = try Replay(capture)
        defer { replay.stop() }
        switch scenario.way {
        case .notDone(let reason):
            #expect(!reason.isEmpty)
            return
        case .daemon(let drops): try await run(drops, capture, replay)
        case .calls(let calls): try await calls(Client.make(replay), capture)
        case .gatedCalls(let calls): try await calls({ try Client.make(replay, gate: $0) }, capture)
        }
        #expect(replay.troubles.isEmpty, "\(replay.troubles)")

        let ours = try Meaning(replay.received, addresses: Meaning.addresses(of: replay.uploads))
        let theirs = try Meaning(
            capture.exchanges.map(\.request), addresses: Meaning.addresses(of: try capture.uploads()))
        var (mine, recorded) = (ours.lines, theirs.lines)
        for difference in scenario.differences {
            #expect(difference.settle(&mine, &recorded), "the difference '\(difference.name)' is not there any more")
        }
        #expect(mine.sorted() == recorded.sorted(), "\(Self.compared(mine, recorded))")
        // Rows before the list of them, that before the call, that before its task, and results last.
        #expect(ours.imports != nil, "\(ours.steps)")
        for (call, fields) in ours.fields {
            let known = Self.fields[call, default: []]
            #expect(fields.isSubset(of: known), "\(call) wants \(fields.subtracting(known)), which the SDK never does")
        }
    }

    /// What the SDK wants of each call, in all recordings.
    private static let fields: [String: Set<String>] = {
        var all: [String: Set<String>] = [:]
        for name in Capture.names where !tables.contains(name) {
            guard let capture = try? Capture(name),
                let meaning = try? Meaning(capture.exchanges.map(\.request), addresses: [:])
            else { continue }
            all.merge(meaning.fields) { $0.union($1) }
        }
        // Of what the service's documentation has.
        all["deleteDataRows", default: []].insert("deleted")
        all["dataRow", default: []].formUnion([
            "dataset", "dataset.id", "attachments", "attachments.type", "attachments.value", "attachments.name",
        ])
        return all
    }()

    private func run(_ drops: Scenario.Drops, _ capture: Capture, _ replay: Replay) async throws {
        let watch = ["media_wait: 1m"]
        try await CaptureSite.with(endpoint: "\(replay.base)/graphql", labelbox: drops.labelbox, watch: watch) { site in
            for name in drops.files { try site.drop(name, capture.media(name)) }
            var outcomes: [String] = []
            var words = ""
            for (number, manifest) in drops.manifests.enumerated() {
                try site.drop("\(number).json", Data(manifest.utf8))
                let status = try await site.ended("\(number).json")
                outcomes += try site.results(status).map { $0["outcome"].string ?? "" }
                words = status["errors"].text
            }
            // Rows that have no key and no external id cannot be told apart in results.
            #expect(outcomes.sorted() == drops.outcomes.sorted(), "\(words)")
            for word in drops.words {
                let quoted = String(JSON.string(word).text.dropFirst().dropLast())
                #expect(words.contains(quoted), "\(words)")
            }
        }
    }

    private static func compared(_ ours: [String], _ theirs: [String]) -> String {
        func surplus(_ lines: [String], _ others: [String]) -> [String] {
            var left = others
            return lines.filter { line in
                guard let index = left.firstIndex(of: line) else { return true }
                left.remove(at: index)
                return false
            }
        }
        return "only here:\n  " + surplus(ours, theirs).joined(separator: "\n  ") + "\nonly there:\n  "
            + surplus(theirs, ours).joined(separator: "\n  ")
    }
}

/// A client as the daemon has it, with the key that was recorded.
enum Client {
    struct Key: CredentialSource {
        let key: String
        func apiKey() throws -> String { key }
    }

    static func make(_ replay: Replay, gate: any RequestGate = UngatedRequests()) throws -> LabelboxClient {
        try make("\(replay.base)/graphql", gate: gate)
    }

    static func make(
        _ endpoint: String, gate: any RequestGate = UngatedRequests(), stallTimeout: Duration = .seconds(5)
    ) throws -> LabelboxClient {
        LabelboxClient(
            endpoint: endpoint, credentials: Key(key: "lbfake-key-0001"), transport: try CurlTransport(), gate: gate,
            settings: .init(connectTimeout: .seconds(5), stallTimeout: stallTimeout),
            unixTime: { Int64(Date().timeIntervalSince1970) })
    }
}
