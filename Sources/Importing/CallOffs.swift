internal import Foundation
internal import Ledger
internal import Locking

/// Work that is under way, so that it can be called off when its import is cancelled.
final class CallOffs: Sendable {
    private let state = Locked<[CalledOff: Task<Void, any Error>]>([:])

    /// Does the work of an item, unless it is called off meanwhile: then it is cancelled.
    func during(_ item: CalledOff?, _ work: @escaping @Sendable () async throws -> Void) async throws {
        guard let item else { return try await work() }
        // Of its own, since Swift cancels tasks and not parts of them; it ends before this function does.
        let task = Task { try await work() }
        state.withLock { $0[item] = task }
        defer { state.withLock { $0[item] = nil } }
        try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Cancels the work of items whose leases are gone already; what is not under way is left alone.
    func callOff(_ items: [CalledOff]) {
        let tasks = state.withLock { state in items.compactMap { state[$0] } }
        for task in tasks { task.cancel() }
    }
}
