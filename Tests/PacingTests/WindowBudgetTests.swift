import Pacing
import Testing

func at(_ seconds: Double) -> Moment { Moment(offset: .milliseconds(Int(seconds * 1_000))) }

@Suite("Window budget")
struct WindowBudgetTests {
    @Test("the window is full after as many starts as the limit, and free when the oldest is 60 s old")
    func fills() {
        var budget = WindowBudget(limit: 3)
        for second in [0.0, 10, 20] {
            #expect(budget.earliestStart(at: at(second)) == at(second))
            budget.record(at(second))
        }
        #expect(budget.used(at: at(20)) == 3)
        #expect(budget.earliestStart(at: at(20)) == at(60))
        #expect(budget.earliestStart(at: at(59.999)) == at(60))
        #expect(budget.earliestStart(at: at(60)) == at(60))
        budget.record(at(60))
        #expect(budget.earliestStart(at: at(60)) == at(70))
        #expect(budget.used(at: at(75)) == 2)
    }

    @Test("what an earlier process sent counts until it is 60 s old; what is older or from the future does not")
    func earlier() {
        let ages = [10, 59, 60, -1, 1].map { Duration.seconds($0) }
        var budget = WindowBudget(limit: 3, ages: ages)
        #expect(budget.used(at: at(0)) == 3)
        #expect(budget.earliestStart(at: at(0)) == at(1))
        #expect(budget.earliestStart(at: at(1)) == at(1))
        budget.record(at(1))
        #expect(budget.earliestStart(at: at(1)) == at(50))
    }

    @Test("an earlier process with a greater limit holds this one back until enough of it is old")
    func earlierAndMore() {
        var budget = WindowBudget(limit: 2, ages: (0..<10).map { .seconds($0) })
        #expect(budget.earliestStart(at: at(0)) == at(59))
    }

    @Test(
        "each 429 takes 30 %, down to 10 %",
        arguments: [(slowdowns: 1, allowance: 700), (2, 490), (3, 343), (6, 117), (7, 100), (40, 100)])
    func slows(slowdowns: Int, allowance: Int) {
        var budget = WindowBudget(limit: 1_000)
        for _ in 0..<slowdowns { budget.slowDown(at: at(5)) }
        #expect(budget.allowance(at: at(5)) == allowance)
    }

    @Test(
        "each clean window gives 5 % of the limit back, never more than the limit",
        arguments: [(after: 59.0, allowance: 700), (60, 750), (119, 750), (120, 800), (360, 1_000), (90_000, 1_000)])
    func recovers(after: Double, allowance: Int) {
        var budget = WindowBudget(limit: 1_000)
        budget.slowDown(at: at(100))
        #expect(budget.allowance(at: at(100 + after)) == allowance)
    }

    @Test("recovery does not depend on how often somebody looks")
    func recoveryIsStable() {
        var often = WindowBudget(limit: 1_000)
        var once = WindowBudget(limit: 1_000)
        often.slowDown(at: at(0))
        once.slowDown(at: at(0))
        for second in 0..<250 { _ = often.allowance(at: at(Double(second))) }
        #expect(often.allowance(at: at(250)) == once.allowance(at: at(250)))
    }

    @Test("a slowed window waits until enough starts are old")
    func slowedWindowWaits() {
        var budget = WindowBudget(limit: 10)
        for second in 0..<10 { budget.record(at(Double(second))) }
        budget.slowDown(at: at(9))
        // Seven are allowed now, so four of the ten must be gone before the next.
        #expect(budget.earliestStart(at: at(9)) == at(63))
    }

    @Test("a reserve is kept for those who ask with a smaller one")
    func reserve() {
        var budget = WindowBudget(limit: 10)
        for _ in 0..<8 { budget.record(at(0)) }
        #expect(budget.earliestStart(at: at(1), leaving: 2) == at(60))
        #expect(budget.earliestStart(at: at(1)) == at(1))
    }

    @Test("a lower limit takes the starts before it into account")
    func newLimit() {
        var budget = WindowBudget(limit: 10)
        for second in 0..<10 { budget.record(at(Double(second))) }
        budget.setLimit(2)
        #expect(budget.earliestStart(at: at(10)) == at(68))
        budget.setLimit(20)
        #expect(budget.earliestStart(at: at(10)) == at(10))
    }

    @Test("a budget of one still lets one through when it is slowed and a reserve is asked for")
    func one() {
        var budget = WindowBudget(limit: 1)
        budget.slowDown(at: at(0))
        #expect(budget.earliestStart(at: at(0), leaving: 5) == at(0))
    }
}
