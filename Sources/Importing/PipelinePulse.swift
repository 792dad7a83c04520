internal import Foundation
internal import Locking

/// What each stage is at, for whoever judges whether the pipeline gets on.
///
/// Nothing is done for it but taking notes: asking costs no stage a wake-up.
public final class PipelinePulse: Sendable {
    /// What was noted, at one moment.
    public struct Reading: Sendable {
        /// One stage.
        public struct Stage: Sendable {
            public var name: String
            /// How long it has been asking the ledger for work; nil while it waits for some.
            public var lookingFor: Duration?
            /// For how long it should have been awake already; nil when it may sleep.
            public var overdueFor: Duration?

            public init(name: String, lookingFor: Duration? = nil, overdueFor: Duration? = nil) {
                self.name = name
                self.lookingFor = lookingFor
                self.overdueFor = overdueFor
            }
        }

        public var stages: [Stage]
        /// Pieces of work that stages have taken and not ended.
        public var inHand: Int
        /// Pieces of work that have ended since the start.
        public var done: Int

        public init(stages: [Stage] = [], inHand: Int = 0, done: Int = 0) {
            self.stages = stages
            self.inHand = inHand
            self.done = done
        }
    }

    private enum Moment {
        case looking(since: Date)
        case waiting(until: Date?)
    }

    private struct Notes {
        var stages: [String: Moment] = [:]
        var inHand = 0
        var done = 0
    }

    private let notes = Locked(Notes())
    private let clock: ImportClock

    init(clock: ImportClock) { self.clock = clock }

    /// What the stages are at now.
    public func reading() -> Reading {
        let now = clock.now
        return notes.withLock { notes in
            let stages = notes.stages.sorted { $0.key < $1.key }.map { name, moment -> Reading.Stage in
                switch moment {
                case .looking(let since):
                    .init(name: name, lookingFor: .seconds(now.timeIntervalSince(since)))
                case .waiting(let until):
                    .init(
                        name: name, overdueFor: until.flatMap { $0 < now ? .seconds(now.timeIntervalSince($0)) : nil })
                }
            }
            return Reading(stages: stages, inHand: notes.inHand, done: notes.done)
        }
    }

    func looks(_ stage: String) {
        let now = clock.now
        notes.withLock { $0.stages[stage] = .looking(since: now) }
    }

    func waits(_ stage: String, atMost limit: Duration?) {
        let until = limit.map { clock.now.advanced(by: $0) }
        notes.withLock { $0.stages[stage] = .waiting(until: until) }
    }

    /// A stage that has ended owes nothing.
    func ends(_ stage: String) { notes.withLock { $0.stages[stage] = nil } }

    func took(_ count: Int) { notes.withLock { $0.inHand += count } }

    func did() {
        notes.withLock {
            $0.inHand -= 1
            $0.done += 1
        }
    }
}
