import DataRows
import Reporting
import Testing

@Suite("Report throttle")
struct ReportThrottleTests {
    private let a = ImportID(rawValue: "a")
    private let b = ImportID(rawValue: "b")

    @Test("what moves is written at most once a second, and the last change is not forgotten")
    func holdsBack() {
        var throttle = ReportThrottle()
        let answer1 = throttle.admits(a, revision: 1, isFinal: false, at: .zero)
        #expect(answer1)
        let answer2 = throttle.admits(a, revision: 2, isFinal: false, at: .milliseconds(100))
        #expect(!answer2)
        let answer3 = throttle.admits(a, revision: 3, isFinal: false, at: .milliseconds(200))
        #expect(!answer3)
        let answer4 = throttle.admits(b, revision: 4, isFinal: false, at: .milliseconds(300))
        #expect(answer4)
        let oldest1 = throttle.oldestWaiting()
        #expect(oldest1 == 2)
        #expect(throttle.nextDue == .seconds(1))
        let answer5 = throttle.due(at: .milliseconds(999))
        #expect(answer5.isEmpty)
        let answer6 = throttle.due(at: .seconds(1))
        #expect(answer6 == [a])
        #expect(throttle.nextDue == nil)
        let oldest2 = throttle.oldestWaiting()
        #expect(oldest2 == nil)
        let answer7 = throttle.admits(a, revision: 5, isFinal: false, at: .milliseconds(1999))
        #expect(!answer7)
        #expect(throttle.nextDue == .seconds(2))
    }

    @Test("an end is written at once and forgotten")
    func endsAtOnce() {
        var throttle = ReportThrottle()
        _ = throttle.admits(a, revision: 1, isFinal: false, at: .zero)
        _ = throttle.admits(a, revision: 2, isFinal: false, at: .zero)
        let answer8 = throttle.admits(a, revision: 3, isFinal: true, at: .zero)
        #expect(answer8)
        #expect(throttle.count == 0)
        let answer9 = throttle.due(at: .seconds(5))
        #expect(answer9.isEmpty)
    }

    @Test("what is remembered is bounded, and nothing is withheld for it")
    func isBounded() {
        var throttle = ReportThrottle(limit: 100)
        for number in 0..<1000 {
            let isAdmitted = throttle.admits(
                ImportID(rawValue: "\(number)"), revision: number, isFinal: false, at: .zero)
            #expect(isAdmitted)
        }
        #expect(throttle.count == 100)
        // After a second, those that do not wait make room.
        let answer10 = throttle.admits(a, revision: 1001, isFinal: false, at: .seconds(2))
        #expect(answer10)
        #expect(throttle.count == 1)
    }

    @Test("in a crowd, what is new waits for a second, and is written once if it ends within it")
    func crowd() {
        var throttle = ReportThrottle()
        let isAdmitted = throttle.admits(a, revision: 1, isFinal: false, isCrowded: true, at: .zero)
        let isOtherAdmitted = throttle.admits(b, revision: 2, isFinal: false, isCrowded: true, at: .zero)
        let isEndAdmitted = throttle.admits(a, revision: 3, isFinal: true, isCrowded: true, at: .milliseconds(500))
        #expect(!isAdmitted && !isOtherAdmitted && isEndAdmitted)
        let oldest3 = throttle.oldestWaiting()
        #expect(oldest3 == 2)
        let due = throttle.due(at: .seconds(1))
        #expect(due == [b])
    }
}
