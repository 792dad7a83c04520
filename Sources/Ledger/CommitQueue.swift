internal import GRDB
internal import Locking

/// Steps that are waiting to be written, several to a commit.
///
/// Each commit costs a sync of the disk, which takes longer than most steps do. Steps that arrive while one commit is
/// under way go into the next one together. When one of them fails, all are run anew, each in a savepoint of its own, so that it takes
/// nothing with it: a step must not do anything but look at the ledger and change it.
/// A step's caller goes on only when the commit that holds it is durable.
final class CommitQueue: Sendable {
    private struct Step: Sendable {
        let run: @Sendable (Database) throws -> Void
        /// Called once, outside the transaction, with the error that kept the step from being durable.
        let end: @Sendable ((any Error)?) -> Void
    }

    private struct State {
        var waiting: [Step] = []
        var isDraining = false
        var isClosed = false
    }

    /// Bounds how long one transaction holds back the readers' view and the first of its callers.
    private static let stepsPerCommit = 256

    private let writer: any DatabaseWriter
    private let state = Locked(State())
    private let changed = Locked<(@Sendable () -> Void)?>(nil)

    /// How a drain comes to the writer's connection; by the connection's own queue unless given.
    private let turns: LedgerTurns?

    /// Told how many commits there are, before anybody is told that theirs is durable.
    private let mark: LedgerMark?

    init(writer: any DatabaseWriter, mark: LedgerMark?, turns: LedgerTurns?) {
        self.writer = writer
        self.mark = mark
        self.turns = turns
    }

    /// Refuses every step from now on: there is no connection for it any more.
    func close() { state.withLock { $0.isClosed = true } }

    /// Has `body` called after each commit that changed something.
    func onChange(_ body: @escaping @Sendable () -> Void) {
        changed.withLock { $0 = body }
    }

    /// Runs a step in one of the next transactions; returns when it is durable.
    func perform<Value: Sendable>(_ step: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        let slot = Locked<Value?>(nil)
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let entry = Step(
                run: { db in
                    let value = try step(db)
                    slot.withLock { $0 = value }
                },
                end: { error in
                    if let error { continuation.resume(throwing: error) } else { continuation.resume() }
                })
            let mustDrain = state.withLock { state in
                state.waiting.append(entry)
                defer { state.isDraining = true }
                return !state.isDraining
            }
            guard mustDrain else { return }
            if let turns {
                turns.later { self.writer.writeWithoutTransaction { self.drain($0) } }
            } else {
                writer.asyncWriteWithoutTransaction { self.drain($0) }
            }
        }
        guard let value = slot.withLock({ $0 }) else {
            throw LedgerError.defect(path: "", why: "a step ended without a value")
        }
        return value
    }

    private func drain(_ db: Database) {
        while true {
            let (steps, isClosed) = state.withLock { state in
                let steps = Array(state.waiting.prefix(Self.stepsPerCommit))
                state.waiting.removeFirst(steps.count)
                if steps.isEmpty { state.isDraining = false }
                return (steps, state.isClosed)
            }
            if steps.isEmpty { return }
            if isClosed {
                for step in steps { step.end(LedgerError.unavailable(path: "", why: "it is closed")) }
                continue
            }
            if let trouble = turns?.trouble() {
                for step in steps { step.end(trouble) }
                continue
            }
            let before = db.totalChangesCount
            for (step, error) in zip(steps, commit(steps, in: db)) { step.end(error) }
            if db.totalChangesCount != before { changed.withLock { $0 }?() }
        }
    }

    private func commit(_ steps: [Step], in db: Database) -> [(any Error)?] {
        var errors = [(any Error)?](repeating: nil, count: steps.count)
        var number: Int?
        do {
            number = try together(steps, in: db)
        } catch let failure as StepFailure {
            // One that fails alone needs no second try.
            if steps.count == 1 { return [failure.cause] }
            do {
                number = try oneByOne(steps, in: db, &errors)
            } catch {
                return steps.indices.map { errors[$0] ?? error }
            }
        } catch {
            return errors.map { _ in error }
        }
        if let number { mark?.write(number) }
        return errors
    }

    /// What ended a transaction before it was to be committed.
    private struct StepFailure: Error {
        let cause: any Error
    }

    /// Runs steps without a way back for each: keeping one costs as much as most steps do, and hardly any step fails.
    ///
    /// - Throws: ``StepFailure`` when one fails; nothing of any of them is left then.
    private func together(_ steps: [Step], in db: Database) throws -> Int? {
        var number: Int?
        let before = db.totalChangesCount
        try db.inTransaction(.immediate) {
            do {
                for step in steps { try step.run(db) }
            } catch {
                throw StepFailure(cause: error)
            }
            if db.totalChangesCount != before { number = try Self.count(db) }
            return .commit
        }
        return number
    }

    /// Runs steps anew, each so that it can be undone without the others.
    private func oneByOne(_ steps: [Step], in db: Database, _ errors: inout [(any Error)?]) throws -> Int? {
        var number: Int?
        let before = db.totalChangesCount
        try db.inTransaction(.immediate) {
            for (index, step) in steps.enumerated() {
                do {
                    try db.inSavepoint {
                        try step.run(db)
                        return .commit
                    }
                } catch {
                    errors[index] = error
                    // After a full disk SQLite may have rolled back everything; then nothing of this commit holds.
                    if !db.isInsideTransaction { throw error }
                }
            }
            if db.totalChangesCount != before { number = try Self.count(db) }
            return .commit
        }
        return number
    }

    /// Counts this commit in itself.
    private static func count(_ db: Database) throws -> Int? {
        try Int.fetchOne(
            db.cachedStatement(sql: "UPDATE counters SET value = value + 1 WHERE name = 'commits' RETURNING value"))
    }
}
