internal import Account
internal import Foundation
internal import Importing
internal import Locking
internal import Pacing
internal import Settings

/// What the time of the week says: how fast uploads may go, and whether nothing is to be sent; and what operators say to that.
///
/// The times are those of clocks on the wall, so they are looked at anew each minute, whatever was set meanwhile; not at
/// all where the configuration names none.
final class WeeklyRules: Sendable {
    private struct State {
        var settings: LabelboxSettings
        var isPaused = false
        var quietUntil: Date?
        var limit: Int64?
        var isHeld = false
        var isStopping = false
    }

    private let week: LocalWeek
    private let account: AccountConnection
    private let importer: Importer
    private let changed: @Sendable () -> Void
    private let bell = Bell()
    private let state: Locked<State>

    init(
        _ settings: LabelboxSettings, week: LocalWeek, account: AccountConnection, importer: Importer,
        changed: @escaping @Sendable () -> Void
    ) {
        state = Locked(State(settings: settings))
        self.week = week
        self.account = account
        self.importer = importer
        self.changed = changed
    }

    /// When the quiet hours end that it is now, in the distant future where they never do; `nil` in others.
    var quietUntil: Date? { state.withLock { $0.quietUntil } }

    /// Goes by another configuration.
    func apply(_ settings: LabelboxSettings) {
        state.withLock { state in
            state.settings = settings
            state.quietUntil = nil
        }
        look()
        bell.ring()
    }

    /// An operator paused everything, or ended that.
    func pause(_ isPaused: Bool) {
        state.withLock { $0.isPaused = isPaused }
        look()
    }

    /// Looks at the clock until ``stop()``.
    func run(_ clock: ImportClock) async {
        while !state.withLock({ $0.isStopping }), !Task.isCancelled {
            look()
            let hasTimes = state.withLock { $0.settings.bandwidth != .off || $0.settings.quietHours != .none }
            await bell.wait(atMost: hasTimes ? .seconds(30) : .seconds(3_600), on: clock)
        }
    }

    func stop() {
        state.withLock { $0.isStopping = true }
        bell.ring()
    }

    private func look() {
        let now = Date()
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
        account.limitUploads(to: limit)
        if let isHeld {
            importer.hold(isHeld)
            account.pacer.hold(isHeld)
        }
        if isHeld != nil || isNew { changed() }
    }
}
