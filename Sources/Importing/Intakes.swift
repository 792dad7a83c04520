internal import Intake
internal import Ledger
internal import Locking

/// The intakes of all watches: new ones begin, and old ones end, while the others go on.
final class Intakes: Sendable {
    private struct Entry {
        var watch: ImportWatch
        /// Rung when its intake has ended.
        var ended: Bell
    }

    private let entries = Locked<[ObjectIdentifier: Entry]>([:])
    private let isRunning = Locked(false)
    private let arrivals = AsyncStream<ImportWatch>.makeStream()

    /// Begins to take files in, or will once ``run(_:)`` does.
    func begin(_ watch: ImportWatch) {
        let isNew = entries.withLock { entries in
            let key = ObjectIdentifier(watch.folder)
            guard entries[key] == nil else { return false }
            entries[key] = Entry(watch: watch, ended: Bell())
            return true
        }
        if isNew { arrivals.continuation.yield(watch) }
    }

    /// Closes the folder of a watch, and returns when nothing takes files from it any more.
    func end(_ folder: DropFolder) async {
        await folder.close()
        let entry = entries.withLock { $0[ObjectIdentifier(folder)] }
        // One that has not begun finds its folder closed.
        if let entry, isRunning.withLock({ $0 }) { await entry.ended.wait() }
        entries.withLock { $0[ObjectIdentifier(folder)] = nil }
    }

    /// Takes in what ``begin(_:)`` named, each by `intake`, until ``close()``.
    func run(_ intake: @escaping @Sendable (ImportWatch) async -> Void) async {
        isRunning.withLock { $0 = true }
        defer {
            isRunning.withLock { $0 = false }
            // Whoever waits for one that never began waits no longer.
            for entry in entries.withLock({ Array($0.values) }) { entry.ended.ring() }
        }
        await withDiscardingTaskGroup { group in
            for await watch in arrivals.stream {
                group.addTask {
                    await intake(watch)
                    self.entries.withLock { $0[ObjectIdentifier(watch.folder)] }?.ended.ring()
                }
            }
        }
    }

    /// Lets ``run(_:)`` return when what it has begun has ended.
    func close() { arrivals.continuation.finish() }
}
