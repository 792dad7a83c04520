import Pacing
import Testing

@Suite("Circuit breaker")
struct CircuitBreakerTests {
    /// A breaker that five failures opened at 0 s.
    private func opened() -> CircuitBreaker {
        var breaker = CircuitBreaker()
        for number in 1...5 as ClosedRange<UInt64> {
            breaker.recordFailure(permit: number, request: number, at: at(0), reason: "503")
        }
        return breaker
    }

    @Test("five failures in a row of different requests open it")
    func opens() {
        var breaker = CircuitBreaker()
        for number in 1...4 as ClosedRange<UInt64> {
            breaker.recordFailure(permit: number, request: number, at: at(0), reason: "503")
        }
        #expect(breaker.state(at: at(0)) == .closed)
        breaker.recordFailure(permit: 5, request: 5, at: at(0), reason: "503 Service Unavailable")
        #expect(breaker.state(at: at(0)) == .open)
        #expect(breaker.reason == "503 Service Unavailable")
        #expect(breaker.earliestStart(at: at(0)) == at(5))
    }

    @Test("an answer in between starts the count again")
    func answerResets() {
        var breaker = CircuitBreaker()
        for number in 1...20 as ClosedRange<UInt64> {
            breaker.recordFailure(permit: number, request: number, at: at(0), reason: "503")
            if number.isMultiple(of: 4) { breaker.recordAnswer() }
        }
        #expect(breaker.state(at: at(0)) == .closed)
    }

    @Test("one request that fails for ever does not open it")
    func sameRequest() {
        var breaker = CircuitBreaker()
        for permit in 1...50 as ClosedRange<UInt64> {
            breaker.recordFailure(permit: permit, request: 1, at: at(0), reason: "500")
        }
        #expect(breaker.state(at: at(0)) == .closed)
    }

    @Test("five attempts that got no connection open it, even those of one request")
    func noConnection() {
        var breaker = CircuitBreaker()
        for permit in 1...4 as ClosedRange<UInt64> {
            breaker.recordFailure(permit: permit, request: nil, at: at(0), reason: "connection refused")
        }
        #expect(breaker.state(at: at(0)) == .closed)
        breaker.recordFailure(permit: 5, request: nil, at: at(0), reason: "connection refused")
        #expect(breaker.state(at: at(0)) == .open)
    }

    @Test("attempts without a connection and requests that failed are counted together")
    func mixed() {
        var breaker = CircuitBreaker()
        // A permit and a request may have the same number, and are not the same.
        for number in 1...2 as ClosedRange<UInt64> {
            breaker.recordFailure(permit: number, request: nil, at: at(0), reason: "connection refused")
            breaker.recordFailure(permit: 10 + number, request: number, at: at(0), reason: "503")
        }
        #expect(breaker.state(at: at(0)) == .closed)
        breaker.recordFailure(permit: 5, request: nil, at: at(0), reason: "connection refused")
        #expect(breaker.state(at: at(0)) == .open)
    }

    @Test("one probe goes at a time")
    func singleProbe() {
        var breaker = opened()
        #expect(breaker.state(at: at(5)) == .halfOpen)
        #expect(breaker.earliestStart(at: at(6)) == at(6))
        breaker.recordStart(permit: 6, at: at(6))
        #expect(breaker.earliestStart(at: at(7)) == at(36))
        #expect(breaker.state(at: at(7)) == .halfOpen)
        breaker.recordAnswer()
        #expect(breaker.state(at: at(8)) == .closed)
        #expect(breaker.reason == nil)
    }

    @Test("a probe that takes long does not stand in the way of the next, nor does its late failure")
    func longProbe() {
        var breaker = opened()
        breaker.recordStart(permit: 6, at: at(5))
        #expect(breaker.earliestStart(at: at(35)) == at(35))
        breaker.recordStart(permit: 7, at: at(35))
        breaker.recordFailure(permit: 6, request: 6, at: at(36), reason: "timeout")
        #expect(breaker.earliestStart(at: at(36)) == at(65))
        breaker.recordAnswer()
        #expect(breaker.state(at: at(37)) == .closed)
    }

    @Test("the delay doubles with each failed probe, from 5 s to 1 min")
    func delays() {
        var breaker = opened()
        var now = at(0)
        var delays: [Double] = []
        for permit in 10...18 as ClosedRange<UInt64> {
            let due = breaker.earliestStart(at: now)
            delays.append(now.duration(to: due) / .seconds(1))
            now = due
            breaker.recordStart(permit: permit, at: now)
            breaker.recordFailure(permit: permit, request: permit, at: now, reason: "503")
        }
        #expect(delays == [5, 10, 20, 40, 60, 60, 60, 60, 60])
        breaker.recordAnswer()
        #expect(breaker.earliestStart(at: now) == now)
    }

    @Test("failures of requests from before the opening do not put the probe off")
    func lateFailures() {
        var breaker = opened()
        breaker.recordFailure(permit: 7, request: 7, at: at(4), reason: "reset")
        #expect(breaker.earliestStart(at: at(4)) == at(5))
    }

    @Test("a probe that was cancelled leaves its place to the next")
    func cancelledProbe() {
        var breaker = opened()
        breaker.recordStart(permit: 6, at: at(6))
        breaker.recordNothing(permit: 6)
        #expect(breaker.earliestStart(at: at(7)) == at(7))
    }

    @Test("a probe may be asked for before it is due")
    func probeNow() {
        var breaker = opened()
        breaker.probeNow(at: at(1))
        #expect(breaker.earliestStart(at: at(1)) == at(1))
    }
}

@Suite("Adaptive limit")
struct AdaptiveLimitTests {
    @Test("stress halves it, down to one", arguments: [(times: 1, limit: 4), (2, 2), (3, 1), (9, 1)])
    func halves(times: Int, limit: Int) {
        var adaptive = AdaptiveLimit(maximum: 8)
        for second in 1...times { adaptive.recordStress(startedAt: at(Double(second)), at: at(Double(second))) }
        #expect(adaptive.current == limit)
    }

    @Test("requests that were in flight together halve it once")
    func once() {
        var adaptive = AdaptiveLimit(maximum: 8)
        for index in 0..<8 { adaptive.recordStress(startedAt: at(0), at: at(10 + Double(index))) }
        #expect(adaptive.current == 4)
    }

    @Test(
        "as many successes as may be in flight give one back, up to the maximum",
        arguments: [(successes: 0, limit: 1), (1, 2), (2, 2), (3, 3), (5, 3), (6, 4), (27, 7), (28, 8), (99, 8)])
    func grows(successes: Int, limit: Int) {
        var adaptive = AdaptiveLimit(maximum: 8)
        for second in 1...3 { adaptive.recordStress(startedAt: at(Double(second)), at: at(Double(second))) }
        for _ in 0..<successes { adaptive.recordSuccess() }
        #expect(adaptive.current == limit)
    }

    @Test("a new maximum is followed at once, and downwards always")
    func newMaximum() {
        var adaptive = AdaptiveLimit(maximum: 8)
        adaptive.setMaximum(12)
        #expect(adaptive.current == 12)
        adaptive.recordStress(startedAt: at(0), at: at(0))
        adaptive.setMaximum(20)
        #expect(adaptive.current == 6)
        adaptive.setMaximum(2)
        #expect(adaptive.current == 2)
    }
}

@Suite("Account gate")
struct AccountGateTests {
    private func blocked() -> AccountGate {
        var gate = AccountGate()
        gate.block(permit: 1, at: at(0), reason: "Invalid API key")
        return gate
    }

    @Test("it closes with the server's words and lets one probe through after 5 min")
    func probes() {
        var gate = blocked()
        #expect(gate.reason == "Invalid API key")
        #expect(gate.earliestStart(at: at(1)) == at(300))
        gate.recordStart(permit: 2, at: at(300))
        #expect(gate.earliestStart(at: at(301)) == at(600))
        gate.block(permit: 2, at: at(301), reason: "still")
        #expect(gate.reason == "still")
        #expect(gate.earliestStart(at: at(301)) == at(601))
    }

    @Test("the probe's success opens it; that of a request from before does not")
    func opens() {
        var gate = blocked()
        gate.recordSuccess(permit: 0)
        #expect(gate.reason != nil)
        gate.recordStart(permit: 2, at: at(301))
        gate.recordSuccess(permit: 2)
        #expect(gate.reason == nil)
        #expect(gate.earliestStart(at: at(302)) == at(302))
    }

    @Test("refusals of requests from before it closed do not put the probe off")
    func late() {
        var gate = blocked()
        gate.block(permit: 0, at: at(100), reason: "Invalid API key")
        #expect(gate.earliestStart(at: at(100)) == at(300))
    }

    @Test("a probe may be asked for at once, and one that found nothing out comes again")
    func probeNow() {
        var gate = blocked()
        gate.probeNow(at: at(2))
        #expect(gate.earliestStart(at: at(2)) == at(2))
        gate.recordStart(permit: 2, at: at(2))
        gate.recordNothing(permit: 2, at: at(3))
        #expect(gate.earliestStart(at: at(3)) == at(303))
    }
}
