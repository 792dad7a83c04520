import DataRows
import Ledger
import Testing

@Suite("Warnings") struct WarningTests {
    @Test("Those of a plan are kept, the first hundred, and all counted", arguments: StoreUnderTest.allCases)
    func plan(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let item = try await bench.claim("i")
            var plan = bench.plan([segment(0, 1)])
            plan.warnings = (0..<120).map { failure("odd", row: $0) }
            plan.warningsTotal = 5_000
            try await bench.store.recordPlan(plan, of: item, isFirst: true, at: at(0))
            let record = try await bench.find("i")
            #expect(record.warnings.compactMap(\.row) == Array(0..<100))
            #expect(record.warningsTotal == 5_000)
            #expect(record.errorsTotal == 0)
            #expect(try await bench.store.totals().warnings == ["w": 5_000])
        }
    }

    @Test(
        "That of a file is one of each import that names it, also of one that comes when it is uploaded already",
        arguments: StoreUnderTest.allCases)
    func media(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 1, media: [reference("m", size: 3)])])
            try await bench.planned("j", [segment(0, 1, media: [reference("m", size: 3)])])
            let media = try #require(try await bench.leaseMedia().first)
            try await bench.store.recordUploaded(
                media, content: content(media), warning: failure("other_type"), at: at(1))
            try await bench.planned("k", [segment(0, 1, media: [reference("m", size: 3)])], now: 2)
            for id in ["i", "j", "k"] {
                let record = try await bench.find(id)
                #expect(record.warnings.map(\.code) == ["other_type"], "\(id)")
                #expect(record.warningsTotal == 1)
            }
            #expect(try await bench.store.totals().warnings == ["w": 3])
        }
    }

    @Test("Content is used again only where it is of the same type", arguments: StoreUnderTest.allCases)
    func types(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            func content(_ type: String) -> UploadedContent {
                UploadedContent(sha256: [1], bytes: 3, type: type, url: "https://\(type)", uploadedAt: at(20))
            }
            try await bench.store.recordContent(content("text/plain"))
            try await bench.store.recordContent(content("text/html"))
            for type in ["text/plain", "text/html"] {
                let known = try await bench.store.knownContent(sha256: [1], bytes: 3, type: type, uploadedAfter: at(0))
                #expect(known == content(type))
            }
            #expect(
                try await bench.store.knownContent(sha256: [1], bytes: 3, type: "text/csv", uploadedAfter: at(0)) == nil
            )
        }
    }
}
