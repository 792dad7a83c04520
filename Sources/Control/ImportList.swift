public import Foundation
public import Ledger
public import Reporting

/// Manifests by page: what is unfinished first, then what has ended, newest first.
public struct ImportList: Sendable {
    /// What to list.
    public struct Wish: Sendable, Hashable {
        /// `nil` for all.
        public var state: ImportState?
        /// First seen at least so many seconds ago.
        public var olderThan: Double?
        /// At most so many; 0 for all.
        public var limit: Int

        /// Only what has not ended.
        public var isUnfinished: Bool

        public init(
            state: ImportState? = nil, olderThan: Double? = nil, isUnfinished: Bool = false, limit: Int = 100
        ) {
            self.state = state
            self.isUnfinished = isUnfinished
            self.olderThan = olderThan
            self.limit = limit
        }
    }

    private let state: StateFolder
    private let wish: Wish
    private static let page = 500

    public init(_ state: StateFolder, _ wish: Wish) {
        self.state = state
        self.wish = wish
    }

    /// Calls `body` for each, without holding more than a page of them.
    ///
    /// - Returns: Whether there were more than were wished for.
    @discardableResult
    public func forEach(now: Date, _ body: (StatusReport) throws -> Void) async throws -> Bool {
        var left = wish.limit == 0 ? Int.max : wish.limit
        let before = wish.olderThan.map { now - $0 }
        for report in state.settling(now: now) where wish.state == nil || wish.state == .settling {
            if let before, report.seenAt > before { continue }
            if left == 0 { return true }
            left -= 1
            try body(report)
        }
        let unfinished = ImportState.allCases.filter { !$0.isFinal && $0 != .settling }
        let ended = wish.isUnfinished ? [] : ImportState.allCases.filter(\.isFinal)
        for states in [unfinished, ended] {
            // What is closing is shown as importing, although the ledger knows its end.
            let wanted = states.filter {
                wish.state == nil || wish.state == $0 || wish.state == .importing && $0.isFinal
            }
            guard !wanted.isEmpty else { continue }
            var filter = ImportFilter(states: wanted, seenBefore: before, limit: Self.page)
            while true {
                let page = try await state.ledger.imports(filter)
                for record in page where wish.state == nil || record.shownState == wish.state {
                    if left == 0 { return true }
                    left -= 1
                    try body(try await state.report(record, now: now))
                }
                guard let last = page.last, page.count == Self.page else { break }
                filter.before = last.revision
            }
        }
        return false
    }
}
