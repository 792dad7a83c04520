import Pacing
import Testing

/// A small generator whose sequence depends on the seed alone (SplitMix64).
struct SeededGenerator: RandomNumberGenerator, Sendable {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

@Suite("Back-off")
struct BackoffTests {
    @Test(
        "the bound doubles from 0.5 s to 60 s and stays there",
        arguments: [
            (retry: 1, milliseconds: 500), (2, 1_000), (3, 2_000), (7, 32_000), (8, 60_000), (9, 60_000),
            (1_000_000, 60_000),
        ])
    func bounds(retry: Int, milliseconds: Int) {
        #expect(Backoff().bound(beforeRetry: retry) == .milliseconds(milliseconds))
    }

    @Test("the delay is spread over all of zero to the bound", arguments: [1, 4, 12])
    func spread(retry: Int) {
        let backoff = Backoff()
        var random = SeededGenerator(seed: 7)
        let bound = backoff.bound(beforeRetry: retry)
        var quarters = [0, 0, 0, 0]
        for _ in 0..<4_000 {
            let delay = backoff.delay(beforeRetry: retry, using: &random)
            #expect(delay >= .zero && delay <= bound)
            quarters[min(3, Int(delay / bound * 4))] += 1
        }
        #expect(quarters.allSatisfy { $0 > 800 && $0 < 1_200 }, "\(quarters)")
    }

    @Test("the same chance gives the same delay")
    func injected() {
        var one = SeededGenerator(seed: 3)
        var other = SeededGenerator(seed: 3)
        #expect(
            Backoff().delay(beforeRetry: 5, using: &one) == Backoff().delay(beforeRetry: 5, using: &other))
    }
}

@Suite("Retry budget")
struct RetryBudgetTests {
    @Test("ten retries are at hand, and then each needs five successes")
    func successes() {
        var budget = RetryBudget()
        for _ in 0..<10 { budget.spend(at: at(1)) }
        #expect(budget.available(at: at(1)) == 0)
        for _ in 0..<4 { budget.recordSuccess(at: at(1)) }
        #expect(budget.available(at: at(1)) == 0)
        budget.recordSuccess(at: at(1))
        #expect(budget.available(at: at(1)) == 1)
        #expect(budget.earliestRetry(at: at(1)) == at(1))
    }

    @Test("an empty budget makes retries wait, and never for ever")
    func trickle() {
        var budget = RetryBudget()
        for _ in 0..<10 { budget.spend(at: at(2)) }
        #expect(budget.earliestRetry(at: at(2)) == at(5))
        #expect(budget.earliestRetry(at: at(5)) == at(5))
        budget.spend(at: at(5))
        #expect(budget.earliestRetry(at: at(5)) == at(10))
    }

    @Test("time refills the reserve and no more; successes save up to the capacity")
    func ceilings() {
        var budget = RetryBudget()
        #expect(budget.available(at: at(1_000_000)) == 10)
        for _ in 0..<1_000 { budget.recordSuccess(at: at(1_000_000)) }
        #expect(budget.available(at: at(1_000_000)) == 100)
        #expect(budget.available(at: at(2_000_000)) == 100)
    }
}

@Suite("Pause")
struct PauseTests {
    @Test(
        "it lasts as the server says, within reason, else a whole window",
        arguments: [
            (retryAfter: Duration.seconds(17) as Duration?, until: 27.0), (.zero, 11), (.seconds(-5), 11),
            (.seconds(1_000_000), 3_610), (nil, 70),
        ])
    func length(retryAfter: Duration?, until: Double) {
        var pause = Pause()
        #expect(pause.until(at: at(10)) == nil)
        pause.begin(at: at(10), retryAfter: retryAfter, window: .seconds(60))
        #expect(pause.until(at: at(10)) == at(until))
        #expect(pause.until(at: at(until)) == nil)
    }

    @Test("a later answer may prolong it and never cuts it short")
    func onlyLonger() {
        var pause = Pause()
        pause.begin(at: at(0), retryAfter: .seconds(30), window: .seconds(60))
        pause.begin(at: at(1), retryAfter: .seconds(2), window: .seconds(60))
        #expect(pause.until(at: at(2)) == at(30))
        pause.begin(at: at(2), retryAfter: .seconds(40), window: .seconds(60))
        #expect(pause.until(at: at(2)) == at(42))
    }
}
