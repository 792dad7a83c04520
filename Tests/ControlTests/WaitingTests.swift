import Control
import Foundation
import Ledger
import Locking
import Reporting
import SystemPackage
import Testing

@Suite("Waiting", .timeLimit(.minutes(1)))
struct WaitingTests {
    private static func reports(_ states: [ImportState]) -> [StatusReport] {
        states.map { state in
            let file = SettlingFile(
                path: "a.json", bytes: 1, since: StateFixture.now, reason: "", nextLook: nil, isManifest: true)
            var report = StatusReport(settling: file, watch: "cats", now: StateFixture.now)
            report.state = state
            return report
        }
    }

    @Test(
        "the worst end counts",
        arguments: [
            ([ImportState.complete, .complete], Control.ExitStatus.ok),
            ([.complete, .completeWithErrors], .withErrors),
            ([.failed, .completeWithErrors], .failed), ([.completeWithErrors, .rejected], .failed),
            ([.cancelled], .failed), ([], .ok),
        ])
    func worst(states: [ImportState], status: Control.ExitStatus) async throws {
        let result = try await Waiting.untilEnded(
            timeout: nil, elapsed: { .zero }, sleep: { _ in }, look: { Self.reports(states) }, show: { _ in })
        #expect(result == status)
    }

    @Test("it looks again until all have ended, and shows each look")
    func looksAgain() async throws {
        let looks = Locked(0)
        let shown = Locked<[ImportState]>([])
        let states: [ImportState] = [.settling, .queued, .importing, .complete]
        let result = try await Waiting.untilEnded(
            timeout: .seconds(1), elapsed: { .zero }, sleep: { #expect($0 == Waiting.pause) },
            look: {
                Self.reports([
                    states[
                        looks.withLock { count in
                            count += 1; return count
                        } - 1]
                ])
            },
            show: { reports in shown.withLock { $0 += reports.map(\.state) } })
        #expect(result == .ok)
        #expect(shown.withLock { $0 } == states)
    }

    @Test("when the time is up it says so, and never sleeps past it")
    func timesOut() async throws {
        let time = Locked(Duration.zero)
        let result = try await Waiting.untilEnded(
            timeout: .milliseconds(600), elapsed: { time.withLock { $0 } },
            sleep: { pause in time.withLock { $0 += pause } }, look: { Self.reports([.importing]) }, show: { _ in })
        #expect(result == .timedOut)
        #expect(time.withLock { $0 } == .milliseconds(600))
    }

    @Test("a manifest is followed from the drop to its end, past an earlier import of its path")
    func follows() async throws {
        let fixture = try StateFixture()
        try await fixture.open("a.json", id: "1")
        try await fixture.finish()
        try await fixture.writeDaemon()
        let state = try StateFolder.open(fixture.path)
        let earlier = try await state.ledger.find(watch: "cats", path: "a.json").first?.id
        var following = Following(
            [.expected(watch: "cats", path: "a.json", other: earlier)], in: state, directory: "/")
        #expect(try await following.look(now: StateFixture.now).map(\.state) == [.settling])
        try await fixture.writeDaemon(settling: ["a.json"])
        #expect(try await following.look(now: StateFixture.now).first?.stateReason.contains("open for writing") == true)
        try await fixture.open("a.json", id: "2", ago: 1)
        try await fixture.writeDaemon()
        #expect(try await following.look(now: StateFixture.now).map(\.id) == ["2"])
        try await fixture.finish(failed: 3)
        let end = try await following.look(now: StateFixture.now)
        #expect(end.map(\.state) == [.completeWithErrors])
        #expect(Waiting.status(of: end) == .withErrors)
    }

    @Test("everything unfinished can be followed")
    func followsAll() async throws {
        let fixture = try StateFixture()
        try await fixture.open("done.json")
        try await fixture.finish()
        try await fixture.open("a.json")
        try await fixture.open("b.json", watch: "dogs")
        try await fixture.writeDaemon(settling: ["new.json"])
        let state = try StateFolder.open(fixture.path)
        var following = try await Following.unfinished(in: state, directory: "/", limit: 10, now: StateFixture.now)
        #expect(
            Set(try await following.look(now: StateFixture.now).map(\.manifest)) == ["new.json", "a.json", "b.json"])
    }
}
