internal import GRDB
internal import Locking

/// Quick looks that are waiting, several to a transaction.
///
/// A look of its own costs a turn on a thread and the beginning and end of a transaction, which is far more than one search in an index.
/// Looks that arrive while one transaction reads go into the next one together.
final class LookupQueue: Sendable {
    private typealias Look = @Sendable (Result<Database, any Error>) -> Void

    private let reader: any DatabaseReader
    private let state = Locked<(waiting: [Look], isReading: Bool)>(([], false))

    /// Bounds how long those wait that come first.
    private static let looksAtATime = 64

    init(reader: any DatabaseReader) { self.reader = reader }

    /// Runs a look in a transaction that begins after this was called, so that it sees whatever was recorded before.
    func perform<Value: Sendable>(_ look: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let mustRead = state.withLock { state in
                state.waiting.append { database in
                    continuation.resume(with: Result { try look(try database.get()) })
                }
                defer { state.isReading = true }
                return !state.isReading
            }
            if mustRead { readNext() }
        }
    }

    private func readNext() {
        // Taken before the transaction begins: a look that comes later could miss what was recorded meanwhile.
        let looks = state.withLock { state in
            let looks = Array(state.waiting.prefix(Self.looksAtATime))
            state.waiting.removeFirst(looks.count)
            if looks.isEmpty { state.isReading = false }
            return looks
        }
        if looks.isEmpty { return }
        reader.asyncRead { database in
            for look in looks { look(database) }
            self.readNext()
        }
    }
}
