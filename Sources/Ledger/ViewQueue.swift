internal import Dispatch
package import GRDB
internal import Locking

/// Views that are waiting to be read, several to a look at the ledger.
///
/// Nearly all of them take less time than it takes to get to a connection and back, from one thread to the next. So those that have
/// come together share the way: one thread, one connection, one transaction. It begins after the last of them was asked for,
/// so each sees every step that its caller was told of.
package final class ViewQueue: Sendable {
    private struct View: Sendable {
        let run: @Sendable (Database) -> Void
        /// Called instead when there was no connection for it.
        let fail: @Sendable (any Error) -> Void
    }

    private struct State {
        var waiting: [View] = []
        var idle: [DispatchQueue]
        var busy = 0
    }

    /// So many share one look: a long one among them holds up the others.
    private static let viewsAtOnce = 16
    /// A further connection is used when so many wait for each that is in use.
    private static let crowd = 2

    private let reader: any DatabaseReader
    private let state: Locked<State>

    /// - Parameters:
    ///   - reader: gives connections.
    ///   - connections: how many it has.
    package init(reader: any DatabaseReader, connections: Int) {
        self.reader = reader
        // Serial queues have threads of their own: the shared ones are Swift's, and must never wait for a disk.
        state = Locked(State(idle: (0..<connections).map { DispatchQueue(label: "datarowd.ledger.view.\($0)") }))
    }

    /// How many wait for a connection.
    package var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Runs a view of one moment at or after the call.
    package func perform<Value: Sendable>(_ view: @escaping @Sendable (Database) throws -> Value) async throws -> Value
    {
        try Task.checkCancellation()
        return try await withCheckedThrowingContinuation { continuation in
            let entry = View(
                run: { db in continuation.resume(with: Result { try view(db) }) },
                fail: { error in continuation.resume(throwing: error) })
            let queue = state.withLock { state -> DispatchQueue? in
                state.waiting.append(entry)
                guard state.busy == 0 || state.waiting.count >= state.busy * Self.crowd,
                    let queue = state.idle.popLast()
                else { return nil }
                state.busy += 1
                return queue
            }
            if let queue { queue.async { self.drain(queue) } }
        }
    }

    private func drain(_ queue: DispatchQueue) {
        while let views = next(queue) {
            // What is left when the reader fails.
            var rest = views[...]
            do {
                try reader.read { db in
                    repeat {
                        rest.popFirst()?.run(db)
                    } while !rest.isEmpty && db.isInsideTransaction
                }
                // An error of one view may have ended the transaction: the others are read in another.
                if !rest.isEmpty { putBack(rest) }
            } catch {
                for view in rest { view.fail(error) }
            }
        }
    }

    private func next(_ queue: DispatchQueue) -> [View]? {
        state.withLock { state in
            if state.waiting.isEmpty {
                state.busy -= 1
                state.idle.append(queue)
                return nil
            }
            let views = Array(state.waiting.prefix(Self.viewsAtOnce))
            state.waiting.removeFirst(views.count)
            return views
        }
    }

    private func putBack(_ views: ArraySlice<View>) {
        state.withLock { $0.waiting.insert(contentsOf: views, at: 0) }
    }
}
