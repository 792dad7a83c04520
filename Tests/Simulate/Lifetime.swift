import Foundation

/// One life of the daemon: from its start to its end or crash.
///
/// What sleeps in it ends with it.
final class Lifetime: @unchecked Sendable {
    // `@unchecked`: only the thread that has the scheduler's baton touches any of it.
    let scheduler: Scheduler
    private(set) var isOver = false
    private var sleepers: [Int: CheckedContinuation<Bool, Never>] = [:]
    private var endings: [Int: @Sendable () -> Void] = [:]
    private var made = 0

    init(_ scheduler: Scheduler) { self.scheduler = scheduler }

    /// Wakes all that sleep, as if they had been cancelled.
    func end() {
        isOver = true
        let (sleepers, endings) = (sleepers, endings)
        self.sleepers = [:]
        self.endings = [:]
        for number in sleepers.keys.sorted() { sleepers[number]?.resume(returning: false) }
        for number in endings.keys.sorted() { endings[number]?() }
    }

    /// Has `body` called when the life ends, unless it is taken back by the number that is returned.
    func atEnd(_ body: @escaping @Sendable () -> Void) -> Int {
        made += 1
        endings[made] = body
        return made
    }

    func takeBack(_ number: Int) { endings[number] = nil }

    fileprivate func sleep(until deadline: Int64) async throws {
        made += 1
        let number = made
        let slept = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard !Task.isCancelled, !isOver else { return continuation.resume(returning: false) }
                guard deadline > scheduler.now else { return continuation.resume(returning: true) }
                sleepers[number] = continuation
                scheduler.at(deadline) { self.sleepers.removeValue(forKey: number)?.resume(returning: true) }
            }
        } onCancel: {
            sleepers.removeValue(forKey: number)?.resume(returning: false)
        }
        if !slept { throw CancellationError() }
    }
}

/// The time of the scheduler, as one life sees it.
struct VirtualClock: Clock {
    struct Instant: InstantProtocol {
        let offset: Int64
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration.nanoseconds) }
        func duration(to other: Instant) -> Duration { .nanoseconds(other.offset - offset) }
        static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
    }

    let life: Lifetime
    /// How wrong the calendar's clock is.
    var error = Duration.zero

    var now: Instant { Instant(offset: life.scheduler.now) }
    var minimumResolution: Duration { .nanoseconds(1) }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await life.sleep(until: deadline.offset)
    }

    /// When everything begins: a day in spring, before noon.
    static let beginning = Date(timeIntervalSince1970: 1_772_366_400)

    /// The calendar's time.
    var date: Date { Self.date(at: life.scheduler.now + error.nanoseconds) }
    static func date(at time: Int64) -> Date { beginning.addingTimeInterval(Double(time) / 1e9) }
}
