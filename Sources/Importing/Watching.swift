internal import DataRows
internal import Foundation
internal import LabelboxAPI
internal import Ledger
internal import Locking

/// Asks after tasks, several in one request, until they have ended.
struct Watching: Sendable {
    let ledger: any LedgerStore
    let client: LabelboxClient
    let account: AccountFacts
    let context: StageContext
    let collecting: Bell
    let doubting: Bell
    /// How many tasks one request asks after; halved when the server calls that too complex.
    let tasksAtOnce = Locked(25)

    static let firstPoll: Duration = .seconds(1)
    private static let longestInterval: TimeInterval = 30
    /// A task that cannot be seen may just not have reached the copy of the database that was asked.
    private static let invisibleFor: TimeInterval = 300
    /// From then on it may be that the key is another user's by now.
    private static let invisibleBriefly: TimeInterval = 30

    func stage(bell: Bell, grants: @escaping @Sendable () -> LeaseGrant) -> Stage<[Leased<SubmissionRecord>]> {
        Stage(
            name: "watching", width: { 1 }, bell: bell,
            lease: { _ in
                let limit = tasksAtOnce.withLock { $0 }
                let due = try await ledger.leaseSubmissions(in: [.submitted], for: grants(), limit: limit)
                return due.isEmpty ? [] : [due]
            },
            nextDue: { try await ledger.nextDue(.submissions([.submitted]), after: $0) },
            work: poll,
            giveBack: { items, error in
                let now = context.clock.now
                try await items.eachGivenBack {
                    try await ledger.postpone(
                        $0, until: now.advanced(by: .seconds(5)), reason: "asking after it failed: \(error)", at: now)
                }
            })
    }

    private func poll(_ items: [Leased<SubmissionRecord>]) async throws {
        let user = try await account.user()
        // An answer that comes late tells how it was when it was asked for.
        let asked = context.clock.now
        guard let snapshots = try await ask(items.compactMap(\.item.taskID), user: user) else {
            let now = context.clock.now
            return try await ledger.recordSightings(items.map { ($0, unchanged($0, at: now)) }, at: now)
        }
        let now = context.clock.now
        var sightings: [(Leased<SubmissionRecord>, TaskSighting)] = []
        for item in items {
            guard let snapshot = item.item.taskID.flatMap({ snapshots[$0] }) else {
                if now.timeIntervalSince(item.item.submittedAt ?? now) > Self.invisibleBriefly { account.forgetUser() }
                if try await !lost(item, lookedAt: asked, at: now) {
                    sightings.append((item, unchanged(item, at: now)))
                }
                continue
            }
            sightings.append((item, sighting(of: snapshot, item, at: now)))
        }
        try await ledger.recordSightings(sightings, at: now)
        if sightings.contains(where: { $0.1.hasEnded }) { collecting.ring() }
    }

    /// What the server says of tasks; `nil` when that was too much to ask at once.
    private func ask(_ tasks: [TaskID], user: UserID) async throws -> [TaskID: TaskSnapshot]? {
        do {
            return try await client.tasks(tasks, user: user)
        } catch {
            guard error.kind == .queryTooComplex, tasks.count > 1 else { throw error }
            tasksAtOnce.withLock { $0 = max(1, min($0, tasks.count) / 2) }
            return nil
        }
    }

    /// Whether a task that cannot be seen is given up: its rows are then looked up by their keys.
    private func lost(_ item: Leased<SubmissionRecord>, lookedAt: Date, at now: Date) async throws -> Bool {
        guard lookedAt.timeIntervalSince(item.item.submittedAt ?? lookedAt) > Self.invisibleFor else { return false }
        let reason = "task \(item.item.taskID?.rawValue ?? "") cannot be seen with this key; its rows are looked up"
        try await ledger.recordAmbiguous(item, nextLook: now, reason: reason, at: now)
        context.observer.ambiguous(item.item.id, reason: reason)
        doubting.ring()
        return true
    }

    private func unchanged(_ item: Leased<SubmissionRecord>, at now: Date) -> TaskSighting {
        TaskSighting(
            submission: item.item.id, status: item.item.taskStatus ?? "", completion: item.item.completion,
            hasEnded: false,
            nextPoll: next(after: item.item.attempts, at: now), reason: item.item.reason)
    }

    private func sighting(of task: TaskSnapshot, _ item: Leased<SubmissionRecord>, at now: Date) -> TaskSighting {
        let isUnknown = !["IN_PROGRESS", "CANCELLING"].contains(task.status.description) && !task.status.isFinal
        return TaskSighting(
            submission: item.item.id, status: task.status.description,
            completion: task.completionPercentage ?? item.item.completion,
            hasEnded: task.status.isFinal,
            // The results of what has ended are read at once.
            nextPoll: task.status.isFinal ? now : next(after: item.item.attempts, at: now),
            reason: isUnknown
                ? "its status '\(task.status.description)' is not one that is known; it is asked after again" : "")
    }

    /// Polls begin at 1 s and grow by half each time, up to 30 s; a task that runs for hours is no failure.
    private func next(after polls: Int, at now: Date) -> Date {
        now.addingTimeInterval(min(Self.longestInterval, Self.firstPoll.seconds * pow(1.5, Double(min(polls, 20)))))
    }
}
