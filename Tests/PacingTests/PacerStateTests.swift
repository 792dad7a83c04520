import Pacing
import Testing

/// Starts everyone who may start now.
private func drain(_ pacer: inout PacerState, at now: Moment) -> (started: [Permit], step: PacerState.Step) {
    var started: [Permit] = []
    while true {
        let step = pacer.next(at: now)
        guard case .start(_, let permit) = step else { return (started, step) }
        started.append(permit)
    }
}

@Suite("Pacer's decisions")
struct PacerStateTests {
    @Test("nothing to do means no wake-up")
    func idle() {
        var pacer = PacerState(rules: PacingRules())
        #expect(pacer.next(at: at(0)) == .idle)
        let ticket = pacer.enqueue(.poll, retrying: nil)
        pacer.leave(ticket)
        pacer.leave(ticket)
        #expect(pacer.next(at: at(0)) == .idle)
    }

    @Test("polls go first, then submissions, then uploads; within each, first come first served")
    func order() {
        var pacer = PacerState(rules: PacingRules(maximumConnections: 1))
        var expected: [(RequestPriority, Int)] = []
        for priority in [RequestPriority.upload, .submit, .poll, .poll] { _ = pacer.enqueue(priority, retrying: nil) }
        expected = [(.poll, 1), (.poll, 1), (.submit, 1), (.upload, 1)]
        var seen: [(RequestPriority, Int)] = []
        while case .start(_, let permit) = pacer.next(at: at(0)) {
            seen.append((permit.priority, permit.attempt))
            pacer.finish(permit, .success, reason: nil, at: at(0))
        }
        #expect(seen.map(\.0) == expected.map(\.0))
    }

    @Test("while it is held only what asks may start, and the others keep their places")
    func held() {
        var pacer = PacerState(rules: PacingRules())
        pacer.hold(true)
        for priority in [RequestPriority.upload, .submit, .poll] { _ = pacer.enqueue(priority, retrying: nil) }
        let (started, step) = drain(&pacer, at: at(0))
        #expect(started.map(\.priority) == [.poll])
        #expect(step == .idle, "nobody wakes up for what may not start")
        #expect(pacer.snapshot(at: at(0)).isHeld)
        pacer.hold(false)
        #expect(drain(&pacer, at: at(1)).started.map(\.priority) == [.submit, .upload])
    }

    @Test("an upload that waits has its turn after four submissions")
    func noStarvation() {
        var pacer = PacerState(rules: PacingRules(maximumConnections: 1))
        for _ in 0..<12 { _ = pacer.enqueue(.submit, retrying: nil) }
        for _ in 0..<2 { _ = pacer.enqueue(.upload, retrying: nil) }
        var seen: [RequestPriority] = []
        while case .start(_, let permit) = pacer.next(at: at(0)) {
            seen.append(permit.priority)
            pacer.finish(permit, .success, reason: nil, at: at(0))
        }
        #expect(seen.firstIndex(of: .upload) == 4)
        #expect(seen.lastIndex(of: .upload) == 9)
        #expect(seen.count == 14)
    }

    @Test("uploads leave one place in flight to the others", arguments: [(connections: 8, uploads: 7), (2, 1), (1, 1)])
    func lastPlace(connections: Int, uploads: Int) {
        var pacer = PacerState(rules: PacingRules(maximumConnections: connections))
        for _ in 0..<30 { _ = pacer.enqueue(.upload, retrying: nil) }
        let (started, step) = drain(&pacer, at: at(0))
        #expect(started.count == uploads)
        #expect(step == .idle)
        for _ in 0..<30 { _ = pacer.enqueue(.poll, retrying: nil) }
        #expect(drain(&pacer, at: at(0)).started.count == connections - uploads)
    }

    @Test("uploads that go on for hours keep nobody from polling when the limit sinks below their number")
    func sideDoor() {
        var pacer = PacerState(rules: PacingRules(maximumConnections: 8))
        for _ in 0..<7 { _ = pacer.enqueue(.upload, retrying: nil) }
        #expect(drain(&pacer, at: at(0)).started.count == 7)
        for second in [1.0, 2, 3] {
            _ = pacer.enqueue(.poll, retrying: nil)
            _ = pacer.enqueue(.poll, retrying: nil)
            let (started, _) = drain(&pacer, at: at(second))
            #expect(started.count == 1)
            for poll in started { pacer.finish(poll, .overloaded, reason: nil, at: at(second)) }
        }
        #expect(pacer.snapshot(at: at(4)).concurrencyLimit == 1)
        _ = pacer.enqueue(.upload, retrying: nil)
        #expect(drain(&pacer, at: at(4)).started.map(\.priority) == [.poll])
        #expect(drain(&pacer, at: at(4)).started.isEmpty)
    }

    @Test("uploads leave a share of the window to the others")
    func reserve() {
        var pacer = PacerState(rules: PacingRules(requestsPerMinute: 100, maximumConnections: 20))
        func run(_ priority: RequestPriority, _ pacer: inout PacerState) -> Int {
            var count = 0
            _ = pacer.enqueue(priority, retrying: nil)
            while case .start(_, let permit) = pacer.next(at: at(1)) {
                count += 1
                pacer.finish(permit, .success, reason: nil, at: at(1))
                _ = pacer.enqueue(priority, retrying: nil)
            }
            return count
        }
        #expect(run(.upload, &pacer) == 95)
        #expect(run(.poll, &pacer) == 5)
    }

    @Test("a retry without budget waits and does not stand in the way of first attempts")
    func retries() {
        var pacer = PacerState(rules: PacingRules(maximumConnections: 20), retries: RetryBudget(reserve: 1))
        _ = pacer.enqueue(.upload, retrying: nil)
        guard case .start(_, let first) = pacer.next(at: at(0)) else {
            Issue.record("not admitted")
            return
        }
        pacer.finish(first, .overloaded, reason: nil, at: at(0))
        _ = pacer.enqueue(.upload, retrying: first)
        guard case .start(_, let second) = pacer.next(at: at(0)) else {
            Issue.record("not admitted")
            return
        }
        #expect(second.attempt == 2)
        pacer.finish(second, .overloaded, reason: nil, at: at(0))
        _ = pacer.enqueue(.upload, retrying: second)
        _ = pacer.enqueue(.upload, retrying: nil)
        let (started, step) = drain(&pacer, at: at(0))
        #expect(started.map(\.attempt) == [1])
        #expect(step == .sleep(until: at(5)))
        #expect(drain(&pacer, at: at(5)).started.map(\.attempt) == [3])
    }

    @Test("a 429 silences everyone, once, and lowers the pace once for all that were in flight")
    func rateLimited() {
        var pacer = PacerState(rules: PacingRules(requestsPerMinute: 1_000))
        for _ in 0..<20 { _ = pacer.enqueue(.submit, retrying: nil) }
        let started = drain(&pacer, at: at(0)).started
        #expect(started.count == 8)
        for permit in started { pacer.finish(permit, .rateLimited(retryAfter: .seconds(17)), reason: nil, at: at(1)) }
        #expect(pacer.next(at: at(2)) == .sleep(until: at(18)))
        let snapshot = pacer.snapshot(at: at(2))
        #expect(snapshot.limit == 700)
        #expect(snapshot.configuredLimit == 1_000)
        #expect(snapshot.pausedFor == .seconds(16))
        #expect(drain(&pacer, at: at(18)).started.count == 8)
    }

    @Test("a blocked account lets one probe through when asked, and its success lets all through")
    func blocked() {
        var pacer = PacerState(rules: PacingRules())
        for _ in 0..<20 { _ = pacer.enqueue(.submit, retrying: nil) }
        for permit in drain(&pacer, at: at(0)).started {
            pacer.finish(permit, .blocked("Invalid API key"), reason: nil, at: at(1))
        }
        #expect(pacer.snapshot(at: at(1)).blockedReason == "Invalid API key")
        #expect(pacer.snapshot(at: at(2)).blockedProbeIn == .seconds(299))
        #expect(pacer.next(at: at(1)) == .sleep(until: at(301)))
        pacer.probeNow(at: at(2))
        let probes = drain(&pacer, at: at(2))
        #expect(probes.started.count == 1)
        #expect(probes.step == .sleep(until: at(302)))
        for probe in probes.started { pacer.finish(probe, .success, reason: nil, at: at(3)) }
        #expect(drain(&pacer, at: at(3)).started.count == 8)
        #expect(pacer.snapshot(at: at(3)).blockedReason == nil)
    }

    @Test("one request that fails again and again is told of, until something is answered")
    func failing() {
        var pacer = PacerState(rules: PacingRules())
        var earlier: Permit?
        for second in 1...3 {
            #expect(pacer.snapshot(at: at(Double(second))).failing == nil)
            _ = pacer.enqueue(.submit, retrying: earlier)
            earlier = drain(&pacer, at: at(Double(second))).started.first
            if let earlier {
                pacer.finish(earlier, .unreachable, reason: "no route", at: at(Double(second)))
            }
        }
        let snapshot = pacer.snapshot(at: at(4))
        #expect(snapshot.breaker == .closed)
        #expect(snapshot.failing == "no route")
        _ = pacer.enqueue(.poll, retrying: nil)
        for permit in drain(&pacer, at: at(4)).started { pacer.finish(permit, .success, reason: nil, at: at(4)) }
        #expect(pacer.snapshot(at: at(4)).failing == nil)
    }

    @Test(
        "one request alone opens the breaker when there is no connection, and never by what was sent",
        arguments: [
            (Verdict.unreachable, CircuitBreaker.State.open), (.interrupted, .closed), (.overloaded, .closed),
        ])
    func oneRequest(verdict: Verdict, breaker: CircuitBreaker.State) {
        var pacer = PacerState(rules: PacingRules())
        var earlier: Permit?
        for second in 1...5 {
            _ = pacer.enqueue(.upload, retrying: earlier)
            earlier = drain(&pacer, at: at(Double(second))).started.first
            if let earlier { pacer.finish(earlier, verdict, reason: nil, at: at(Double(second))) }
        }
        #expect(pacer.snapshot(at: at(5)).breaker == breaker)
        #expect(pacer.snapshot(at: at(5)).failing != nil)
    }

    @Test("a dead server is left alone, then probed, and work goes on after the first answer")
    func breaker() {
        var pacer = PacerState(rules: PacingRules())
        for _ in 0..<20 { _ = pacer.enqueue(.submit, retrying: nil) }
        for permit in drain(&pacer, at: at(0)).started {
            pacer.finish(permit, .unreachable, reason: "connection refused", at: at(1))
        }
        let snapshot = pacer.snapshot(at: at(1))
        #expect(snapshot.breaker == .open)
        #expect(snapshot.breakerReason == "connection refused")
        #expect(snapshot.breakerProbeIn == .seconds(5))
        #expect(snapshot.concurrencyLimit == 4)
        #expect(pacer.next(at: at(1)) == .sleep(until: at(6)))
        let probes = drain(&pacer, at: at(6))
        #expect(probes.started.count == 1)
        for probe in probes.started { pacer.finish(probe, .rateLimited(retryAfter: nil), reason: nil, at: at(7)) }
        #expect(pacer.snapshot(at: at(7)).breaker == .closed)
        #expect(pacer.next(at: at(7)) == .sleep(until: at(67)))
    }

    @Test("a second verdict on the same attempt counts for nothing")
    func finishTwice() {
        var pacer = PacerState(rules: PacingRules())
        _ = pacer.enqueue(.poll, retrying: nil)
        for permit in drain(&pacer, at: at(0)).started {
            pacer.finish(permit, .success, reason: nil, at: at(0))
            pacer.finish(permit, .blocked("no"), reason: nil, at: at(0))
        }
        #expect(pacer.snapshot(at: at(0)).blockedReason == nil)
        #expect(pacer.snapshot(at: at(0)).inFlight == 0)
    }

    @Test("those that leave are forgotten wherever they stand in the lane")
    func leave() {
        var pacer = PacerState(rules: PacingRules(maximumConnections: 20))
        let tickets = (0..<10).map { _ in pacer.enqueue(.poll, retrying: nil) }
        for index in [0, 4, 9] { pacer.leave(tickets[index]) }
        #expect(pacer.snapshot(at: at(0)).waiting == 7)
        #expect(drain(&pacer, at: at(0)).started.count == 7)
    }

    @Test("no schedule of requests and outcomes ever starts more than the limit in any 60 s", arguments: 0..<24)
    func property(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let limit = [1, 7, 60, 300][Int(seed % 4)]
        let connections = Int.random(in: 1...20, using: &random)
        let busyFor = [Duration.seconds(8), .seconds(120), .milliseconds(500)][Int(seed % 3)]
        var pacer = PacerState(rules: PacingRules(requestsPerMinute: limit, maximumConnections: connections))
        var now = at(0)
        var starts: [Moment] = []
        var landing: [(at: Moment, permit: Permit)] = []
        var retriable: [Permit] = []
        var oldest = 0
        var waitingFor = 0
        while now < at(4 * 3_600) {
            // Someone comes.
            for _ in 0..<Int.random(in: 0...4, using: &random) where waitingFor < 500 {
                let priority = RequestPriority.allCases.randomElement(using: &random) ?? .poll
                _ = pacer.enqueue(priority, retrying: Bool.random(using: &random) ? retriable.popLast() : nil)
                waitingFor += 1
            }
            // Those who may, start.
            let (started, step) = drain(&pacer, at: now)
            waitingFor -= started.count
            for permit in started {
                starts.append(now)
                while starts[oldest].duration(to: now) >= .seconds(60) { oldest += 1 }
                #expect(starts.count - oldest <= limit, "\(limit) a minute, at \(now)")
                landing.append((now.advanced(by: busyFor * Double.random(in: 0...1, using: &random)), permit))
            }
            #expect(landing.count <= connections)
            // The time moves on: to the wake-up that was asked for, or less.
            var next = now.advanced(by: .milliseconds(Int.random(in: 1...30_000, using: &random)))
            if case .sleep(let until) = step {
                #expect(until > now)
                if Bool.random(using: &random) { next = until }
            }
            now = next
            // Those whose answer has come, end.
            for (_, permit) in landing.filter({ $0.at <= now }) {
                let verdict: Verdict =
                    switch Int.random(in: 0..<100, using: &random) {
                    case ..<3: .rateLimited(retryAfter: .seconds(Int.random(in: 0...90, using: &random)))
                    case ..<4: .rateLimited(retryAfter: nil)
                    case ..<10: .overloaded
                    case ..<12: .unreachable
                    case ..<14: .interrupted
                    case ..<15: .blocked("quota")
                    case ..<18: .neutral
                    default: .success
                    }
                if [.overloaded, .unreachable, .interrupted].contains(verdict) { retriable.append(permit) }
                pacer.finish(permit, verdict, reason: nil, at: now)
            }
            landing.removeAll { $0.at <= now }
            let snapshot = pacer.snapshot(at: now)
            #expect(snapshot.limit >= 1 && snapshot.limit <= limit)
            #expect(snapshot.concurrencyLimit >= 1 && snapshot.concurrencyLimit <= connections)
        }
        #expect(starts.count > 20, "the schedule must have let something through")
    }

    @Test("at full demand the whole budget is used, window after window")
    func throughput() {
        var pacer = PacerState(rules: PacingRules(requestsPerMinute: 1_200, maximumConnections: 8))
        var now = at(0)
        var count = 0
        for _ in 0..<8 { _ = pacer.enqueue(.submit, retrying: nil) }
        while now < at(600) {
            let (started, step) = drain(&pacer, at: now)
            count += started.count
            // Each answer takes 10 ms, and another request comes at once.
            if started.isEmpty, case .sleep(let until) = step {
                now = until
            } else {
                now = now.advanced(by: .milliseconds(10))
            }
            for permit in started {
                pacer.finish(permit, .success, reason: nil, at: now)
                _ = pacer.enqueue(.submit, retrying: nil)
            }
        }
        #expect(count == 12_000)
    }
}
