import Control
import DataRows
import Foundation
import LabelboxAPI
import Locking
import Testing

/// A list that is paged as the service does: the cursor is the last row's id.
private final class PagedList: Sendable {
    private let rows: [ListedRow]
    private let limit: Int
    private let asked = Locked<[Int]>([])

    /// - Parameters:
    ///   - count: rows, numbered from the oldest.
    ///   - limit: the longest page that is answered; a longer one is too long an answer.
    init(_ count: Int, limit: Int = .max) {
        rows = (0..<count).reversed().map {
            ListedRow(id: .init(rawValue: "r\($0)"), createdAt: "2026-11-21T00:00:\($0 < 10 ? "0" : "")\($0).000Z")
        }
        self.limit = limit
    }

    var pageSizes: [Int] { asked.withLock { $0 } }

    func page(_ cursor: String?, _ size: Int) throws(LabelboxError) -> Page<ListedRow> {
        asked.withLock { $0.append(size) }
        guard size <= limit else {
            throw LabelboxError(.answerTooLarge, outcome: .failed, operation: "test", message: "too long")
        }
        let start = cursor.flatMap { cursor in rows.firstIndex { $0.id.rawValue == cursor } }.map { $0 + 1 } ?? 0
        let page = Array(rows[start...].prefix(size))
        return Page(rows: page, next: start + page.count < rows.count ? page.last?.id.rawValue : nil)
    }
}

@Suite("Listing rows", .timeLimit(.minutes(1)))
struct RowListingTests {
    private func ids(_ list: PagedList, _ wish: RowListing.Wish) async throws -> [String] {
        var ids: [String] = []
        let count = try await RowListing(wish) { (cursor, size) async throws(LabelboxError) in
            try list.page(cursor, size)
        }.forEachPage { ids += $0.map(\.id.rawValue) }
        #expect(count == ids.count)
        return ids
    }

    @Test("every row comes once, whatever the page's size", arguments: [1, 3, 10, 49, 50, 51, 500])
    func complete(size: Int) async throws {
        let all = (0..<50).reversed().map { "r\($0)" }
        #expect(try await ids(PagedList(50), .init(pageSize: size)) == all)
    }

    @Test("no more is asked for than is wanted", arguments: [1, 9, 10, 11, 25])
    func limited(limit: Int) async throws {
        let list = PagedList(50)
        #expect(try await ids(list, .init(limit: limit, pageSize: 10)).count == limit)
        #expect(list.pageSizes.reduce(0, +) == limit)
    }

    @Test("an empty dataset is an empty list")
    func empty() async throws {
        #expect(try await ids(PagedList(0), .init()).isEmpty)
    }

    @Test("a page that is too long is asked for again in halves, and the pages stay so")
    func halves() async throws {
        let list = PagedList(20, limit: 7)
        #expect(try await ids(list, .init(pageSize: 20)).count == 20)
        #expect(list.pageSizes == [20, 10, 5, 5, 5, 5])
    }

    @Test("a single row that is too long is an error")
    func tooLong() async throws {
        await #expect(throws: ControlError.self) { try await ids(PagedList(3, limit: 0), .init(pageSize: 4)) }
    }

    @Test("rows created after a time are the newest, and older pages are not asked for")
    func createdAfter() async throws {
        let list = PagedList(50)
        let after = try #require(InstantText.parse("2026-11-21T00:00:40"))
        #expect(try await ids(list, .init(pageSize: 5, createdAfter: after)) == (41..<50).reversed().map { "r\($0)" })
        #expect(list.pageSizes.count == 3)
        #expect(try await ids(PagedList(50), .init(limit: 2, pageSize: 5, createdAfter: after)) == ["r49", "r48"])
    }

    @Test("a cursor that comes back is an error and no endless list", arguments: [1, 2, 3, 7, 100])
    func loop(length: Int) async throws {
        let count = Locked(0)
        let listing = RowListing(.init(pageSize: 1)) { (_, _) async throws(LabelboxError) in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return Page(rows: [ListedRow(id: .init(rawValue: "r"))], next: "c\(number % length)")
        }
        let error = await #expect(throws: ControlError.self) { try await listing.forEachPage { _ in } }
        #expect(error?.status == .badAnswer)
        #expect(error?.why.contains("twice") == true)
        #expect(count.withLock { $0 } <= length * 4 + 4)
    }

    @Test("what the server refuses ends the listing with its words")
    func refused() async throws {
        let listing = RowListing(.init()) { (_, _) async throws(LabelboxError) in
            throw LabelboxError(.authentication, outcome: .notProcessed, operation: "x", message: "Invalid API key")
        }
        let error = await #expect(throws: ControlError.self) { try await listing.forEachPage { _ in } }
        #expect(error?.status == .noPermission)
        #expect(error?.description.hasPrefix("rows list: Invalid API key: put a valid API key into") == true)
    }
}

@Suite("Points in time on the command line")
struct InstantTextTests {
    @Test(
        "days and times are UTC",
        arguments: [
            ("1970-01-01", 0), ("1970-01-02T00:00", 86_400), ("1970-01-01T00:01:05", 65), ("1970-01-01T00:00:01Z", 1),
            ("1970-01-01T00:00:01.25Z", 1.25), ("1970-01-01T00:00:01.123456", 1.123),
        ])
    func times(text: String, seconds: Double) throws {
        #expect(abs(try #require(InstantText.parse(text)).timeIntervalSince1970 - seconds) < 0.0005)
    }

    @Test(
        "anything else is none",
        arguments: ["", "2020", "2020-01", "yesterday", "2020-01-01T1", "2020-13-01", "2020-01-01Tab:cd"])
    func others(text: String) { #expect(InstantText.parse(text) == nil) }
}

@Suite("The budget that is shared with a running daemon")
struct SharedRequestsTests {
    @Test(
        "what the daemon used in the last minute is left out, and a twentieth is always there",
        arguments: [
            (1200, nil, 1200), (1200, .init(used: 0, age: .zero), 1200),
            (1200, .init(used: 900, age: .seconds(3)), 300),
            (1200, .init(used: 1200, age: .seconds(3)), 60), (10, .init(used: 10, age: .zero), 1),
            (1200, .init(used: 1200, age: .seconds(61)), 1200),
        ] as [(Int, SharedRequests.Usage?, Int)])
    func shares(budget: Int, daemon: SharedRequests.Usage?, share: Int) {
        #expect(SharedRequests.share(of: budget, besides: daemon) == share)
    }
}
