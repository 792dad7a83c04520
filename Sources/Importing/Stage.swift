internal import Foundation
internal import Ledger
internal import Locking

/// A part of the pipeline: takes due work from the ledger, a few items at a time, and does it.
///
/// There is no channel between stages: there is the ledger, and a bell. So nothing waits in memory, and back-pressure is
/// that a stage leases no more than it has hands.
struct Stage<Item: Sendable>: Sendable {
    /// For the log.
    let name: String
    /// How many items are worked on at a time.
    let width: @Sendable () -> Int
    /// How many hands are free before more is leased, given the width: a lease is a commit, whatever comes of it.
    var leastLeased: @Sendable (_ width: Int) -> Int = { _ in 1 }
    let bell: Bell
    /// Leases at most so many items.
    let lease: @Sendable (Int) async throws -> [Item]
    /// When work that was not due yet at the given time will be; `nil` when there is none.
    let nextDue: @Sendable (Date) async throws -> Date?
    /// Does one item, and records what came of it.
    let work: @Sendable (Item) async throws -> Void
    /// Puts an item back after `work` threw.
    let giveBack: @Sendable (Item, any Error) async throws -> Void
    /// By what the work of an item can be called off; `nil` where it cannot.
    var calledOffBy: @Sendable (Item) -> CalledOff? = { _ in nil }

    /// Works until told to drain, then lets what is in hand end.
    func run(in context: StageContext) async {
        let busy = Locked(0)
        let pulse = context.pulse
        defer { pulse.ends(name) }
        await withDiscardingTaskGroup { group in
            while !context.drain.isDraining {
                let width = width()
                let free = max(0, width - busy.withLock { $0 })
                let hands = free < leastLeased(width) ? 0 : free
                // Asked after from before the lease: what becomes due between the two must not fall through.
                let looked = context.clock.now
                pulse.looks(name)
                do {
                    let items = hands > 0 ? try await lease(hands) : []
                    pulse.took(items.count)
                    for item in items {
                        busy.withLock { $0 += 1 }
                        group.addTask {
                            await handle(item, in: context)
                            busy.withLock { $0 -= 1 }
                            pulse.did()
                            bell.ring()
                        }
                    }
                    context.health.cleared(name)
                    if items.count == hands, hands > 0 { continue }
                    let due = hands > 0 ? try await nextDue(looked) : nil
                    let wait = due.map { max(.zero, Duration.seconds($0.timeIntervalSince(context.clock.now))) }
                    let most = wait.map { min($0 + .milliseconds(1), Self.longestWait) }
                    pulse.waits(name, atMost: most)
                    await bell.wait(atMost: most, on: context.clock)
                } catch {
                    if Task.isCancelled { return }
                    context.health.troubled(name, error)
                    pulse.waits(name, atMost: Self.waitAfterTrouble)
                    await bell.wait(atMost: Self.waitAfterTrouble, on: context.clock)
                }
            }
        }
    }

    private func handle(_ item: Item, in context: StageContext) async {
        // Not the stage's own name, which is cleared whenever it looks for work.
        let disk = "\(name), by its disk,"
        do {
            try await context.callOffs.during(calledOffBy(item)) { try await work(item) }
            context.health.cleared(disk)
        } catch {
            if error is CancellationError || Task.isCancelled { return }
            if DiskTrouble.isOne(error) { context.health.troubled(disk, error) }
            // Of a list of things, what is not lost is given back all the same.
            if case LedgerError.leaseLost? = error as? LedgerError {
                context.observer.leaseLost(stage: name, error: error)
            } else {
                context.observer.stumbled(stage: name, error: error)
            }
            await insistOnGivingBack(item, error, in: context)
        }
    }

    /// Puts an item back, however long the ledger cannot be written.
    ///
    /// What is not given back stays leased for as long as this process lives. The next one finds it all the same.
    private func insistOnGivingBack(_ item: Item, _ cause: any Error, in context: StageContext) async {
        let trouble = "\(name), putting work back"
        while true {
            do {
                try await giveBack(item, cause)
                return context.health.cleared(trouble)
            } catch {
                if case LedgerError.leaseLost? = error as? LedgerError { return context.health.cleared(trouble) }
                if error is CancellationError || Task.isCancelled || context.drain.isDraining { return }
                context.health.troubled(trouble, error)
                do { try await context.clock.sleep(for: Self.waitAfterTrouble) } catch { return }
            }
        }
    }

    /// Due times move only by what stages themselves record, which rings the bell; this is for what nobody foresaw.
    private static var longestWait: Duration { .seconds(300) }
    /// The ledger could not be read or written: a full disk is looked at again this soon.
    private static var waitAfterTrouble: Duration { .seconds(2) }
}

extension Sequence where Self: Sendable, Element: Sendable {
    /// Gives each of several things back that were leased together.
    ///
    /// Some of them may have been recorded before the error came about, or given back by an attempt that failed at a later one:
    /// their lease is gone, which is no reason to keep that of the others.
    func eachGivenBack(_ giveBack: (Element) async throws -> Void) async throws {
        for item in self {
            do { try await giveBack(item) } catch LedgerError.leaseLost {}
        }
    }
}

/// What all stages share.
struct StageContext: Sendable {
    let clock: ImportClock
    let drain: Drain
    let health: PipelineHealth
    let pulse: PipelinePulse
    let observer: ImportObserver
    let callOffs = CallOffs()
}

/// Says to everyone, once, that no new work is to be taken.
public final class Drain: Sendable {
    private struct State {
        var isDraining = false
        var bells: [Bell] = []
    }

    private let state = Locked(State())

    /// Creates it unused.
    public init() {}

    /// Whether new work is no longer to be taken.
    public var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Tells everyone who waits at one of the registered bells.
    public func begin() {
        let bells = state.withLock { state in
            state.isDraining = true
            return state.bells
        }
        for bell in bells { bell.ring() }
    }

    func register(_ bell: Bell) {
        state.withLock { $0.bells.append(bell) }
    }
}

/// What keeps stages from working at all, such as a full disk.
public final class PipelineHealth: Sendable {
    private let troubles = Locked<[String: String]>([:])
    private let changed: @Sendable ([String: String]) -> Void

    init(changed: @escaping @Sendable ([String: String]) -> Void) { self.changed = changed }

    /// The stages that cannot work, each with the reason.
    public var current: [String: String] { troubles.withLock { $0 } }

    func troubled(_ stage: String, _ error: any Error) {
        let now = troubles.withLock { troubles -> [String: String]? in
            guard troubles.updateValue("\(error)", forKey: stage) != "\(error)" else { return nil }
            return troubles
        }
        if let now { changed(now) }
    }

    func cleared(_ stage: String) {
        let now = troubles.withLock { troubles -> [String: String]? in
            troubles.removeValue(forKey: stage) == nil ? nil : troubles
        }
        if let now { changed(now) }
    }
}
