package import Foundation
package import Importing
internal import Locking
package import Settings

/// What the time of the week says: how fast uploads may go, and whether nothing is to be sent; and what operators say to that.
///
/// The times are those of clocks on the wall, so they are looked at anew each minute, whatever was set meanwhile; not at
/// all where the configuration names none.
package final class WeeklyRules: Sendable {
    /// What the rules are kept with.
    package struct Hands: Sendable {
        /// Limits uploads to so many bytes a second; nil ends that.
        package var limitUploads: @Sendable (Int64?) -> Void
        /// Holds back whatever is to be sent, or lets it go.
        package var hold: @Sendable (Bool) -> Void
        /// Told when others are shown something else.
        package var changed: @Sendable () -> Void

        package init(
            limitUploads: @escaping @Sendable (Int64?) -> Void, hold: @escaping @Sendable (Bool) -> Void,
            changed: @escaping @Sendable () -> Void
        ) {
            self.limitUploads = limitUploads
            self.hold = hold
            self.changed = changed
        }
    }

    private struct State {
        var settings: LabelboxSettings
        var isPaused = false
        var quietUntil: Date?
        var limit: Int64?
        var isHeld = false
        var isStopping = false
    }

    private let week: LocalWeek
    private let wallClock: @Sendable () -> Date
    private let hands: Hands
    private let bell = Bell()
    private let state: Locked<State>

    /// - Parameters:
    ///   - settings: With the times.
    ///   - week: Of the time zone that they mean.
    ///   - wallClock: What clocks on the wall say; it may be set.
    ///   - hands: What is done then.
    package init(
        _ settings: LabelboxSettings, week: LocalWeek, wallClock: @escaping @Sendable () -> Date, hands: Hands
    ) {
        state = Locked(State(settings: settings))
        self.week = week
        self.wallClock = wallClock
        self.hands = hands
    }

    /// When the quiet hours end that it is now, in the distant future where they never do; `nil` in others.
    package var quietUntil: Date? { state.withLock { $0.quietUntil } }

    /// Goes by another configuration.
    package func apply(_ settings: LabelboxSettings) {
        state.withLock { state in
            state.settings = settings
            state.quietUntil = nil
        }
        look()
        bell.ring()
    }

    /// An operator paused everything, or ended that.
    package func pause(_ isPaused: Bool) {
        state.withLock { $0.isPaused = isPaused }
        look()
    }

    /// Looks at the clock until ``stop()``.
    package func run(_ clock: ImportClock) async {
        while !state.withLock({ $0.isStopping }), !Task.isCancelled {
            look()
            let hasTimes = state.withLock { $0.settings.bandwidth != .off || $0.settings.quietHours != .none }
            await bell.wait(atMost: hasTimes ? .seconds(30) : .seconds(3_600), on: clock)
        }
    }

    package func stop() {
        state.withLock { $0.isStopping = true }
        bell.ring()
    }

    private func look() {
        let now = wallClock()
        let minute = week.minute(now)
        let (limit, isHeld, isNew) = state.withLock { state -> (Int64?, Bool?, Bool) in
            let hours = state.settings.quietHours
            let isQuiet = hours.contain(minute)
            let before = state.quietUntil
            if !isQuiet {
                state.quietUntil = nil
            } else if before == nil || before.map({ $0 <= now }) == true {
                state.quietUntil = week.next(after: now) { !hours.contain($0) } ?? .distantFuture
            }
            let isHeld = state.isPaused || isQuiet
            state.limit = state.settings.bandwidth.limit(at: minute)
            defer { state.isHeld = isHeld }
            return (state.limit, isHeld == state.isHeld ? nil : isHeld, before != state.quietUntil)
        }
        hands.limitUploads(limit)
        if let isHeld { hands.hold(isHeld) }
        if isHeld != nil || isNew { hands.changed() }
    }
}
