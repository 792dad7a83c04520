import DataRows
import Foundation
import Ledger
import Reporting
import SystemPackage
import Testing

@Suite("Status report")
struct StatusReportTests {
    private let now = LedgerFixture.start

    @Test("what the ledger says of an import at each stage is valid by the schema")
    func stagesAreValid() async throws {
        let fixture = try LedgerFixture()
        try await fixture.open(["batch7/rows.json"])
        var documents: [[UInt8]] = []
        func note() async throws -> StatusReport {
            let record = try await fixture.record("batch7/rows.json")
            let report = StatusReport(
                record, tasks: try await fixture.ledger.tasks(of: record.id), circumstances: .init(),
                estimator: nil, now: now)
            documents.append(report.fileBytes)
            return report
        }
        #expect(try await note().state == .queued)
        try await fixture.plan()
        #expect(try await note().rows.total == 10)
        try await fixture.submit()
        #expect(try await note().tasks.map(\.taskID) == ["task-1"])
        try await fixture.settle()
        let closing = try await note()
        #expect(closing.state == .importing)
        #expect(closing.progress == 0.999)
        try await fixture.close()
        let end = try await note()
        #expect(end.state == .completeWithErrors)
        #expect(end.progress == 1)
        #expect(end.failedRowsFile == "/failed/x.failed.ndjson")
        #expect(try Schemas.complaints(about: documents, schema: "manifest-status") == "")
    }

    @Test("a file that settles has a valid status without an id, and a name of any bytes survives in base64")
    func settlingIsValid() throws {
        let name: [UInt8] = [0x66, 0xFF, 0x0A, 0x2E, 0x6A, 0x73, 0x6F, 0x6E]
        let file = SettlingFile(
            path: FilePath(platformString: name.map { CChar(bitPattern: $0) } + [0]), bytes: 7, since: now,
            reason: "it is still written to", nextLook: now + 5,
            isManifest: true)
        let report = StatusReport(settling: file, watch: "cats", now: now)
        #expect(report.manifestBase64.flatMap { Data(base64Encoded: $0) } == Data(name))
        #expect(report.stateReason.hasSuffix("it is still written to; it is looked at again at 11:00:05 UTC."))
        #expect(try Schemas.complaints(about: [report.fileBytes], schema: "manifest-status") == "")
    }

    @Test("the schema refuses what is no status")
    func schemaRefuses() throws {
        let wrong = Array(#"{"schema": "datarowd.status/1", "state": "done"}"#.utf8)
        #expect(try Schemas.complaints(about: [wrong], schema: "manifest-status").contains("'done' is not one of"))
    }

    @Test("keys stand in the order of the documentation, each on its line, and what is not known is null")
    func isReadable() async throws {
        var sample = try await Sample.fresh()
        sample.record.sha256 = nil
        let text = String(
            decoding: StatusReport(
                sample.record, tasks: [], circumstances: .init(), estimator: nil, now: now
            ).fileBytes, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[1] == #"  "schema": "datarowd.status/1","#)
        #expect(lines.contains(#"  "sha256": null,"#))
        #expect(
            lines.contains(
                #"  "media": {"files": 0, "bytes": 0, "uploaded_files": 0, "uploaded_bytes": 0, "missing": []},"#))
        #expect(lines.last == "" && lines.dropLast().last == "}")
    }

    @Test("the daemon's report is valid by its schema, in all its states")
    func daemonIsValid() async throws {
        let fixture = try LedgerFixture()
        try await fixture.open(["a.json"])
        let totals = try await fixture.ledger.totals()
        var documents: [[UInt8]] = []
        for state in DaemonState.allCases {
            let snapshot = DaemonSnapshot.sample(state: state, now: now)
            documents.append(
                DaemonReport(
                    snapshot, totals: totals, oldest: ["cats": .init(path: "a.json", since: now)], at: now + 90
                ).fileBytes)
        }
        let text = String(decoding: documents[0], as: UTF8.self)
        #expect(
            text.contains(
                #""oldest_unfinished": {"path": "late.json", "since": "2026-11-21T10:59:00.000Z", "age_seconds": 150}"#)
        )
        #expect(try Schemas.complaints(about: documents, schema: "daemon-status") == "")
    }

    @Test(
        "times are written and read to the millisecond",
        arguments: [
            (0.0, "1970-01-01T00:00:00.000Z"), (951_782_399.999, "2000-02-28T23:59:59.999Z"),
            (951_868_799.0, "2000-02-29T23:59:59.000Z"), (1_795_258_800.25, "2026-11-21T11:00:00.250Z"),
            (-1.0, "1969-12-31T23:59:59.000Z"), (4_107_542_400.0, "2100-03-01T00:00:00.000Z"),
        ])
    func timestamps(seconds: Double, text: String) {
        #expect(Timestamp.text(Date(timeIntervalSince1970: seconds)) == text)
        #expect(Timestamp.date(text) == Date(timeIntervalSince1970: seconds))
    }

    @Test(
        "text is escaped so that neither JSON nor a terminal takes harm",
        arguments: [
            ("a\"b\\c", #""a\"b\\c""#), ("\u{1B}[31m\u{7F}\n\t\r\0", #""\u001b[31m\u007f\n\t\r\u0000""#),
            ("é😀", "\"é😀\""),
        ])
    func escaping(text: String, json: String) {
        var bytes: [UInt8] = []
        JSONWriter.append(text, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == json)
    }
}

extension DaemonSnapshot {
    static func sample(state: DaemonState = .running, now: Date, watches: [WatchSnapshot]? = nil) -> DaemonSnapshot {
        DaemonSnapshot(
            version: "1.0.0", pid: 4711, state: state, reason: "All is well.", startedAt: now,
            watches: watches ?? [
                WatchSnapshot(
                    name: "cats", path: "/drop/cats", mode: .polling, reason: "it is on NFS", settlingCount: 2,
                    settling: [
                        SettlingFile(
                            path: "late.json", bytes: 3, since: now - 60, reason: "it grew", nextLook: now,
                            isManifest: true)
                    ])
            ],
            budget: Budget(requestsPerMinute: 1200, used: 7, pausedUntil: now + 9),
            concurrency: Concurrency(inFlight: 1, limit: 8, maximum: 8),
            breaker: Breaker(state: .halfOpen, nextProbe: now), lastError: Trouble(at: now, message: "HTTP 503"))
    }
}
