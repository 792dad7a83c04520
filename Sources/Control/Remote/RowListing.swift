public import Foundation
public import LabelboxAPI
internal import Reporting

/// Pages through a dataset's rows, the newest first, with one page in memory.
public struct RowListing: Sendable {
    /// Which rows.
    public struct Wish: Sendable {
        /// At most so many; `nil` for all.
        public var limit: Int?
        /// Rows a page, 1 to 5,000; Labelbox's own client asks for 500.
        public var pageSize: Int
        /// Only those that were created after this.
        public var createdAfter: Date?

        public init(limit: Int? = nil, pageSize: Int = 500, createdAfter: Date? = nil) {
            self.limit = limit
            self.pageSize = pageSize
            self.createdAfter = createdAfter
        }
    }

    /// Asks for a page: after a row, so many rows.
    public typealias Fetch = @Sendable (_ cursor: String?, _ rows: Int) async throws(LabelboxError) -> Page<ListedRow>

    private let wish: Wish
    private let fetch: Fetch

    public init(_ wish: Wish, fetch: @escaping Fetch) {
        self.wish = wish
        self.fetch = fetch
    }

    /// Goes through the pages until one is empty, or has no cursor, or enough is there.
    ///
    /// A page that is too long to be taken, or to be asked for, is asked for again in halves.
    ///
    /// - Parameter body: Given the rows of each page that are wanted; not called for a page without any.
    /// - Returns: How many rows there were.
    /// - Throws: ``ControlError``, also for a cursor that comes back: it would never end. Or what `body` throws.
    public func forEachPage(_ body: ([ListedRow]) async throws -> Void) async throws -> Int {
        let after = wish.createdAfter.map(Timestamp.text)
        var size = max(1, wish.pageSize)
        var cursor: String?
        var loop = LoopDetector()
        var count = 0
        while wish.limit.map({ count < $0 }) ?? true {
            let rest = wish.limit.map { $0 - count } ?? size
            let page: Page<ListedRow>
            do throws(LabelboxError) {
                // Filtered rows are not counted, so with a filter a page is never cut short.
                page = try await fetch(cursor, after == nil ? min(size, rest) : size)
            } catch {
                guard size > 1, error.kind == .answerTooLarge || error.kind == .queryTooComplex else {
                    throw ControlError("rows list", error)
                }
                size /= 2
                continue
            }
            var wanted = page.rows
            if let after { wanted = try wanted.filter { try Self.isCreated($0, after: after) } }
            // The newest come first, so nothing after a whole page of older ones is newer.
            let isPast = after != nil && wanted.isEmpty
            wanted = Array(wanted.prefix(rest))
            if !wanted.isEmpty {
                count += wanted.count
                try await body(wanted)
            }
            guard !isPast, let next = page.next else { break }
            guard next != cursor, loop.isNew(next) else {
                throw ControlError(
                    "rows list",
                    why: "the server gave the cursor \(VisibleText.of(next)) twice, so the list has no end",
                    hint: "report this to Labelbox; \(count) rows were listed until then", status: .badAnswer)
            }
            cursor = next
        }
        return count
    }

    private static func isCreated(_ row: ListedRow, after: String) throws(ControlError) -> Bool {
        // Both are of one form, in which the order of texts is that of times.
        guard let created = row.createdAt, created.utf8.count == 24, created.utf8.last == UInt8(ascii: "Z") else {
            throw ControlError(
                "data row \(row.id)", why: "its time of creation is \(VisibleText.of(row.createdAt ?? "missing"))",
                hint: "list without --created-after", status: .badAnswer)
        }
        return created > after
    }
}

/// Notices that a sequence repeats itself, with a single element in memory (Brent's algorithm).
package struct LoopDetector {
    private var kept: String?
    private var steps = 0
    private var power = 1

    package init() {}

    /// Whether the element is none that is known to have been there; a loop is noticed within three rounds.
    package mutating func isNew(_ element: String) -> Bool {
        if element == kept { return false }
        steps += 1
        if steps == power {
            kept = element
            steps = 0
            power *= 2
        }
        return true
    }
}
