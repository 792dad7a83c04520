import LabelboxSimulator
import Testing

private func at(_ seconds: Double) -> Moment { Moment(milliseconds: Int64(seconds * 1000)) }

@Suite("Rate limit")
struct RateWindowTests {
    @Test("a window opens with a request and closes 60 seconds later")
    func window() {
        var window = RateWindow(limit: 2)
        #expect(window.admit(at: at(100)) == nil)
        #expect(window.admit(at: at(110)) == nil)
        #expect(window.admit(at: at(110)) == .seconds(50))
        #expect(window.admit(at: at(159.999)) == .milliseconds(1))
        #expect(window.admit(at: at(160)) == nil)
        #expect(window.admit(at: at(219)) == nil)
        #expect(window.admit(at: at(219)) == .seconds(1))
    }

    @Test("without a limit everything passes, with 0 nothing")
    func extremes() {
        var open = RateWindow(limit: nil)
        var shut = RateWindow(limit: 0)
        for second in 0..<100 {
            #expect(open.admit(at: at(Double(second))) == nil)
            #expect(shut.admit(at: at(Double(second))) != nil)
        }
    }

    @Test("the busiest minute may be anywhere")
    func busiest() {
        var minute = BusiestMinute()
        for second in [0, 10, 50, 61, 62, 63, 200] { minute.add(at(Double(second))) }
        #expect(minute.maximum == 5)
    }

    @Test("many quiet hours are forgotten")
    func forgetting() {
        var minute = BusiestMinute()
        for second in 0..<300_000 { minute.add(at(Double(second))) }
        #expect(minute.maximum == 60)
    }
}

@Suite("Faults")
struct FaultsTests {
    private func draws(_ count: Int, seed: UInt64, _ rules: Faults.Rule...) -> [Faults.Kind?] {
        var faults = Faults(rules: rules, seed: seed)
        return (0..<count).map { _ in faults.draw(for: ["user"])?.kind }
    }

    @Test("the same seed gives the same faults, another gives others")
    func seeds() {
        let rule = Faults.Rule(rates: [.lost: 0.2, .reset: 0.1])
        #expect(draws(200, seed: 5, rule) == draws(200, seed: 5, rule))
        #expect(draws(200, seed: 5, rule) != draws(200, seed: 6, rule))
    }

    @Test("rates are kept", arguments: [0, 0.1, 0.5, 1])
    func rates(rate: Double) {
        let hits = draws(10_000, seed: 1, Faults.Rule(rates: [.html: rate])).filter { $0 == .html }.count
        #expect(abs(Double(hits) / 10_000 - rate) < 0.02)
    }

    @Test("a count ends, and operations choose")
    func filters() {
        var faults = Faults(seed: 1)
        faults.add(Faults.Rule(rates: [.lost: 1], operations: ["upsertDataRows"], count: 2))
        #expect(faults.draw(for: ["user"]) == nil)
        #expect(faults.draw(for: ["user", "upsertDataRows"])?.kind == .lost)
        #expect(faults.draw(for: ["upsertDataRows"])?.kind == .lost)
        #expect(faults.draw(for: ["upsertDataRows"]) == nil)
        #expect(faults.injected == [.lost: 2])
    }

    @Test("the command line's faults", arguments: ["429=0.1", "lost=1", "lost-502=0.05", "graphql-502=0"])
    func arguments(text: String) throws {
        _ = try Faults.Rule(argument: text)
    }

    @Test("faults that make no sense are refused", arguments: ["429", "429=", "429=2", "429=-1", "rain=0.1", ""])
    func refused(text: String) {
        #expect(throws: FaultError.self) { try Faults.Rule(argument: text) }
    }
}
