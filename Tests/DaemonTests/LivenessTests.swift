import Daemon
import Importing
import Testing

@Suite("Liveness")
struct LivenessTests {
    private static let patience = Duration.seconds(60)

    /// Signs of a daemon that rests, changed as told.
    private func signs(_ change: (inout Liveness.Signs) -> Void = { _ in }) -> Liveness.Signs {
        var signs = Liveness.Signs(
            pulse: .init(stages: [.init(name: "planning"), .init(name: "submitting")]), transportSilence: nil,
            isSending: false, isHeld: false, work: .zero)
        change(&signs)
        return signs
    }

    @Test("a daemon without work is alive, however long")
    func idle() {
        var liveness = Liveness(patience: Self.patience)
        for hour in 0..<100 { #expect(liveness.halt(signs(), at: .seconds(hour * 3600)) == nil) }
    }

    @Test(
        "a stage that waits too long for the ledger, or sleeps past its time, has come to a halt", arguments: [59, 61])
    func stages(seconds: Int) {
        var liveness = Liveness(patience: Self.patience)
        let looking = signs { $0.pulse.stages[0].lookingFor = .seconds(seconds) }
        let overdue = signs { $0.pulse.stages[1].overdueFor = .seconds(seconds) }
        #expect((liveness.halt(looking, at: .zero)?.contains("planning") ?? false) == (seconds > 60))
        #expect((liveness.halt(overdue, at: .zero)?.contains("submitting") ?? false) == (seconds > 60))
    }

    @Test("a thread of transfers that owes something and does not move has come to a halt", arguments: [59, 61])
    func transport(seconds: Int) {
        var liveness = Liveness(patience: Self.patience)
        // Even while requests are on their way: it is this thread that would end those that stall.
        let silent = signs {
            $0.transportSilence = .seconds(seconds)
            $0.isSending = true
        }
        #expect((liveness.halt(silent, at: .zero) != nil) == (seconds > 60))
    }

    /// What may happen while work is in hand.
    enum Sign: CaseIterable {
        case none, ended, sending, held, working, emptied

        func show(_ signs: inout Liveness.Signs, minute: Int) {
            signs.pulse.inHand = 3
            switch self {
            case .none: break
            case .ended: signs.pulse.done = minute / 20
            case .sending: signs.isSending = true
            case .held: signs.isHeld = true
            case .working: signs.work = .milliseconds(40 * minute)
            case .emptied: signs.pulse.inHand = minute % 20 == 0 ? 0 : 3
            }
        }
    }

    @Test("work in hand may take long, but not without any sign", arguments: Sign.allCases)
    func work(sign: Sign) {
        var liveness = Liveness(patience: Self.patience)
        var halted: Int?
        for minute in 0..<120 where halted == nil {
            let now = signs { sign.show(&$0, minute: minute) }
            if liveness.halt(now, at: .seconds(minute * 60)) != nil { halted = minute }
        }
        #expect(halted == (sign == .none ? 31 : nil))
    }

    @Test("after a halt that is over it is alive again")
    func recovers() {
        var liveness = Liveness(patience: Self.patience)
        #expect(liveness.halt(signs { $0.pulse.stages[0].lookingFor = .seconds(100) }, at: .zero) != nil)
        #expect(liveness.halt(signs(), at: .seconds(60)) == nil)
    }
}
