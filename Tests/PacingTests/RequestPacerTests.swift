import Locking
import Pacing
import TestSupport
import Testing

@Suite("Request pacer", .timeLimit(.minutes(1)))
struct RequestPacerTests {
    private let clock = ManualClock()

    private func pacer(perMinute: Int, connections: Int = 8) -> RequestPacer {
        RequestPacer(
            rules: PacingRules(requestsPerMinute: perMinute, maximumConnections: connections), clock: clock,
            random: SeededGenerator(seed: 1))
    }

    @Test("requests within the budget start at once, without a timer")
    func atOnce() async throws {
        let pacer = pacer(perMinute: 100)
        for _ in 0..<8 { _ = try await pacer.admit(.poll) }
        #expect(pacer.snapshot().inFlight == 8)
        #expect(pacer.snapshot().usedInWindow == 8)
        #expect(clock.sleeping == 0)
    }

    @Test("whoever comes after the budget is used up starts when the window has room")
    func waits() async throws {
        let pacer = pacer(perMinute: 1)
        pacer.finish(try await pacer.admit(.poll), .success)
        async let second = pacer.admit(.poll)
        await clock.sleepers(1)
        #expect(pacer.snapshot().waiting == 1)
        clock.advance(by: .seconds(60))
        let permit = try await second
        pacer.finish(permit, .success)
        #expect(pacer.snapshot().usedInWindow == 1)
        #expect(clock.sleeping == 0)
    }

    @Test("a pacer that follows a killed one keeps the budget of both, and notes each start before it is granted")
    func follows() async throws {
        let memory = Memory(sent: [.seconds(5), .seconds(20)])
        let pacer = RequestPacer(
            rules: PacingRules(requestsPerMinute: 3), clock: clock, random: SeededGenerator(seed: 1), memory: memory)
        #expect(pacer.snapshot().usedInWindow == 2)
        _ = try await pacer.admit(.poll)
        #expect(memory.noted == 1)
        async let next = pacer.admit(.poll)
        await clock.sleepers(1)
        #expect(memory.noted == 1)
        clock.advance(by: .seconds(40))
        _ = try await next
        #expect(memory.noted == 2)
    }

    @Test("a pause reaches those who already wait")
    func pauseReachesSleepers() async throws {
        let pacer = pacer(perMinute: 1)
        let first = try await pacer.admit(.poll)
        async let second = pacer.admit(.poll)
        await clock.sleepers(1)
        pacer.finish(first, .rateLimited(retryAfter: .seconds(90)))
        clock.advance(by: .seconds(60))
        // The alarm rang, found the pause and was set again.
        await clock.sleepers(1)
        #expect(pacer.snapshot().waiting == 1)
        #expect(pacer.snapshot().pausedFor == .seconds(30))
        clock.advance(by: .seconds(30))
        pacer.finish(try await second, .success)
        #expect(clock.now == .at(90_000))
    }

    @Test("after a pause those who waited leave in their order, no more at once than may be in flight")
    func noHerd() async throws {
        let pacer = pacer(perMinute: 1_000, connections: 2)
        pacer.finish(try await pacer.admit(.poll), .rateLimited(retryAfter: .seconds(10)))
        let order = Locked<[Int]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let permit = try await pacer.admit(.submit)
                    #expect(pacer.snapshot().inFlight <= 2)
                    order.withLock { $0.append(number) }
                    pacer.finish(permit, .success)
                }
                // Each stands in the queue before the next comes.
                while pacer.snapshot().waiting < number + 1 { await Task.yield() }
            }
            await clock.sleepers(1)
            #expect(clock.sleeping == 1, "twenty who wait need one timer")
            clock.advance(by: .seconds(10))
            try await group.waitForAll()
        }
        #expect(order.withLock { $0 }.sorted() == Array(0..<20))
        #expect(pacer.snapshot().inFlight == 0)
    }

    @Test("a cancelled caller stops waiting at once and takes the timer with it")
    func cancellation() async throws {
        let pacer = pacer(perMinute: 1)
        pacer.finish(try await pacer.admit(.poll), .success)
        let waiting = Task { try await pacer.admit(.poll) }
        await clock.sleepers(1)
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(pacer.snapshot().waiting == 0)
        #expect(pacer.snapshot().usedInWindow == 1)
    }

    @Test("a caller that was cancelled before it asked is not admitted")
    func cancelledBefore() async throws {
        let pacer = pacer(perMinute: 100)
        let bell = Locked<CheckedContinuation<Void, Never>?>(nil)
        let caller = Task {
            await withCheckedContinuation { continuation in bell.withLock { $0 = continuation } }
            return try await pacer.admit(.poll)
        }
        caller.cancel()
        while bell.withLock({ $0 == nil }) { await Task.yield() }
        bell.withLock { $0 }?.resume()
        await #expect(throws: CancellationError.self) { try await caller.value }
        #expect(pacer.snapshot().usedInWindow == 0)
    }

    @Test("one who leaves does not hold up those behind")
    func leaverInFront() async throws {
        let pacer = pacer(perMinute: 1)
        pacer.finish(try await pacer.admit(.poll), .success)
        let leaver = Task { try await pacer.admit(.submit) }
        await clock.sleepers(1)
        let stayer = Task { try await pacer.admit(.submit) }
        while pacer.snapshot().waiting < 2 { await Task.yield() }
        leaver.cancel()
        await #expect(throws: CancellationError.self) { try await leaver.value }
        clock.advance(by: .seconds(60))
        pacer.finish(try await stayer.value, .success)
    }

    @Test("the end of a request lets the next one in")
    func concurrency() async throws {
        let pacer = pacer(perMinute: 100, connections: 1)
        let first = try await pacer.admit(.upload)
        let second = Task { try await pacer.admit(.poll) }
        while pacer.snapshot().waiting < 1 { await Task.yield() }
        #expect(clock.sleeping == 0)
        pacer.finish(first, .success)
        pacer.finish(try await second.value, .success)
    }

    @Test("a blocked account is probed after 5 min, or at once when the configuration was reloaded")
    func blocked() async throws {
        let pacer = pacer(perMinute: 100)
        pacer.finish(try await pacer.admit(.submit), .blocked("Invalid API key"))
        let probe = Task { try await pacer.admit(.submit) }
        await clock.sleepers(1)
        pacer.probeNow()
        pacer.finish(try await probe.value, .blocked("Invalid API key"))
        let later = Task { try await pacer.admit(.submit) }
        await clock.sleepers(1)
        clock.advance(by: .seconds(300))
        pacer.finish(try await later.value, .success)
        #expect(pacer.snapshot().blockedReason == nil)
        pacer.finish(try await pacer.admit(.submit), .success)
    }

    @Test("changed rules reach those who wait")
    func apply() async throws {
        let pacer = pacer(perMinute: 1)
        pacer.finish(try await pacer.admit(.poll), .success)
        let waiting = Task { try await pacer.admit(.poll) }
        await clock.sleepers(1)
        pacer.apply(PacingRules(requestsPerMinute: 2, maximumConnections: 8))
        pacer.finish(try await waiting.value, .success)
        #expect(clock.now == .at(0))
    }

    @Test("the rest before a retry is within the bound of the back-off and ends with a cancellation")
    func rest() async throws {
        let pacer = pacer(perMinute: 100)
        let permit = try await pacer.admit(.poll)
        pacer.finish(permit, .overloaded)
        let resting = Task { try await pacer.rest(beforeRetryOf: permit) }
        await clock.sleepers(1)
        clock.advance(by: .milliseconds(500))
        try await resting.value
        let retry = try await pacer.admit(.poll, retrying: permit)
        #expect(retry.attempt == 2)
        let cancelled = Task { try await pacer.rest(beforeRetryOf: retry) }
        await clock.sleepers(1)
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
    }

    @Test("a permit is given back as neutral when the work throws")
    func withPermit() async throws {
        struct Sorry: Error {}
        let pacer = pacer(perMinute: 100)
        await #expect(throws: Sorry.self) {
            try await pacer.withPermit(.poll) { _ -> (result: Int, verdict: Verdict) in throw Sorry() }
        }
        let result = try await pacer.withPermit(.poll) { _ in (result: 7, verdict: .success) }
        #expect(result == 7)
        #expect(pacer.snapshot().inFlight == 0)
    }

    @Test("many tasks that come, end and are cancelled at once leave nothing behind")
    func storm() async throws {
        let pacer = RequestPacer(
            rules: PacingRules(requestsPerMinute: 100_000, maximumConnections: 5), clock: ContinuousClock())
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<400 {
                group.addTask {
                    let task = Task {
                        let permit = try await pacer.admit(number.isMultiple(of: 3) ? .upload : .poll)
                        #expect(pacer.snapshot().inFlight <= 5)
                        await Task.yield()
                        pacer.finish(permit, .success)
                    }
                    if number.isMultiple(of: 5) { task.cancel() }
                    _ = await task.result
                }
            }
        }
        #expect(pacer.snapshot().inFlight == 0)
        #expect(pacer.snapshot().waiting == 0)
    }
}

private final class Memory: StartMemory {
    private let sent: [Duration]
    private let count = Locked(0)

    init(sent: [Duration]) { self.sent = sent }

    var noted: Int { count.withLock { $0 } }
    func ages(within window: Duration) -> [Duration] { sent.filter { $0 < window } }
    func note(_ count: Int) { self.count.withLock { $0 += count } }
}
