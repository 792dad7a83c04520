import Daemon
import Foundation
import Reporting
import Testing

private let hostileNames = ["x\nPRIORITY=0", "x\n\u{0}\nMESSAGE_ID=1", "\u{1b}[2J\u{202e}x"]

@Suite("Journal")
struct JournalTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

    /// The fields of a datagram, by the native protocol's rules for those that tell their length.
    private func fields(_ bytes: [UInt8]) throws -> [(String, String)] {
        var fields: [(String, String)] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let end = try #require(rest.firstIndex(of: 10))
            let name = String(decoding: rest[..<end], as: UTF8.self)
            rest = rest[(end + 1)...]
            try #require(rest.count >= 8)
            let count = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(8)
            try #require(rest.count > count)
            fields.append((name, String(decoding: rest.prefix(count), as: UTF8.self)))
            rest = rest.dropFirst(count)
            #expect(rest.first == 10)
            rest = rest.dropFirst()
        }
        return fields
    }

    @Test("an entry has the message, its priority, its id, and a field for each detail")
    func entry() throws {
        let line = LogLine(
            time: "", level: "warning", priority: 4, message: "Not taken",
            details: [("watch", "cats"), ("manifest", "a b.json"), ("retry-after", "3 s")])
        let fields = try fields(JournalEntry(line, messageID: "0f", identifier: "datarowd").bytes)
        let wanted = [
            ("MESSAGE", #"Not taken watch=cats manifest="a b.json" retry-after="3 s""#), ("PRIORITY", "4"),
            ("SYSLOG_IDENTIFIER", "datarowd"), ("MESSAGE_ID", "0f"), ("DATAROWD_WATCH", "cats"),
            ("DATAROWD_MANIFEST", "a b.json"), ("DATAROWD_RETRY_AFTER", "3 s"),
        ]
        #expect(fields.map(\.0) == wanted.map(\.0))
        #expect(fields.map(\.1) == wanted.map(\.1))
    }

    @Test("no name of a file adds a field or a line", arguments: hostileNames)
    func hostile(name: String) throws {
        let line = LogLine(time: "", level: "info", priority: 6, message: "Claimed", details: [("manifest", name)])
        let fields = try fields(JournalEntry(line, messageID: nil, identifier: "datarowd").bytes)
        #expect(fields.map(\.0) == ["MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "DATAROWD_MANIFEST"])
        for (_, value) in fields { #expect(!value.unicodeScalars.contains { $0.value < 32 || $0 == "\u{202e}" }) }
    }

    @Test("each message that is logged has an id, and each id is logged somewhere")
    func messages() throws {
        let pattern =
            /logger\.(?:trace|debug|info|notice|warning|error|critical)\(\s*"([^"]+)"|message: "(Not started)"/
        let levels = /logger\.log\(\s*level:[^"]*"([^"]+)"/
        var logged: Set<String> = []
        let sources = Self.root.appending(path: "Sources")
        for path in try FileManager.default.subpathsOfDirectory(atPath: sources.path) where path.hasSuffix(".swift") {
            let text = try String(contentsOf: sources.appending(path: path), encoding: .utf8)
            logged.formUnion(text.matches(of: pattern).compactMap { ($0.output.1 ?? $0.output.2).map(String.init) })
            logged.formUnion(text.matches(of: levels).map { String($0.output.1) })
        }
        #expect(logged.count > 20)
        #expect(logged == Set(JournalMessages.ids.keys))
    }

    @Test("ids are 32 hexadecimal digits, none twice, and the catalog explains each of them and no other")
    func catalog() throws {
        let ids = JournalMessages.ids.values
        #expect(Set(ids).count == ids.count)
        for id in ids { #expect(id.wholeMatch(of: /[0-9a-f]{32}/) != nil) }
        let text = try String(contentsOf: Self.root.appending(path: "systemd/datarowd.catalog"), encoding: .utf8)
        let entries = text.matches(
            of: /(?m)^-- ([0-9a-f]{32})\nSubject: .+\nDefined-By: datarowd\nDocumentation: .+\n\n.+\n/)
        #expect(entries.map { String($0.output.1) }.sorted() == ids.sorted())
        #expect(text.matches(of: #/(?m)^-- /#).count == ids.count)
    }
}
