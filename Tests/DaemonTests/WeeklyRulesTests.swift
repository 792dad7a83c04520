import Daemon
import Foundation
import Importing
import Locking
import Settings
import TestSupport
import Testing

/// Quiet hours, limits by the time of the week, and pauses: with a clock on the wall that the test sets.
@Suite("Rules of the week", .timeLimit(.minutes(1)))
struct WeeklyRulesTests {
    /// The rules, and all that they had done.
    private struct Fixture {
        let rules: WeeklyRules
        let clock = ManualClock()
        let wall: Locked<Date>
        let holds = Locked<[Bool]>([])
        let limits = Locked<[Int64?]>([])
        let changes = Locked(0)

        init(_ lines: String..., at time: String) throws {
            let wall = Locked(try Self.date(time))
            self.wall = wall
            rules = WeeklyRules(
                try Self.settings(lines), week: LocalWeek(try #require(TimeZone(identifier: "UTC"))),
                wallClock: { wall.withLock { $0 } },
                hands: .init(
                    limitUploads: { [limits] limit in limits.withLock { $0.append(limit) } },
                    hold: { [holds] isHeld in holds.withLock { $0.append(isHeld) } },
                    changed: { [changes] in changes.withLock { $0 += 1 } }))
        }

        static func settings(_ lines: [String]) throws -> LabelboxSettings {
            let keys = lines.map { "  \($0)\n" }.joined()
            return try Settings.parse(
                "labelbox:\n  api_key_file: /key\n\(keys)watches:\n  - { name: a, path: /a, dataset: cmdset0000000000000000001 }\n",
                file: "test"
            ).labelbox
        }

        static func date(_ text: String) throws -> Date {
            try #require(ISO8601DateFormatter().date(from: "2026-11-\(text):00Z"))
        }

        func set(_ time: String) throws { wall.withLock { [date = try Self.date(time)] in $0 = date } }

        /// Runs the rules beside the test.
        func running(_ body: () async throws -> Void) async throws {
            let time = ImportClock(from: Date(timeIntervalSince1970: 0), on: clock)
            let run = Task { await rules.run(time) }
            await clock.sleepers(1)
            try await body()
            rules.stop()
            await run.value
        }

        /// Lets half a minute of the steady clock pass, and waits until they have looked.
        func look() async {
            clock.advance(by: .seconds(30))
            await clock.sleepers(1)
        }
    }

    @Test("in quiet hours all is held back, from and until the minute that the clock on the wall says")
    func quiet() async throws {
        let fixture = try Fixture("quiet_hours: ['22:00-06:00']", at: "21T21:59")
        try await fixture.running {
            #expect(fixture.holds.withLock { $0 } == [])
            #expect(fixture.rules.quietUntil == nil)
            try fixture.set("21T22:00")
            await fixture.look()
            #expect(fixture.holds.withLock { $0 } == [true])
            #expect(fixture.rules.quietUntil == (try Fixture.date("22T06:00")))
            #expect(fixture.changes.withLock { $0 } == 1)
            try fixture.set("22T05:59")
            await fixture.look()
            #expect(fixture.holds.withLock { $0 } == [true])
            try fixture.set("22T06:00")
            await fixture.look()
            #expect(fixture.holds.withLock { $0 } == [true, false])
            #expect(fixture.rules.quietUntil == nil)
            #expect(fixture.changes.withLock { $0 } == 2)
        }
    }

    @Test("a clock that is set, forwards or back, counts from the next look on")
    func setClock() async throws {
        let fixture = try Fixture("quiet_hours: ['22:00-06:00']", at: "21T23:00")
        try await fixture.running {
            #expect(fixture.holds.withLock { $0 } == [true])
            try fixture.set("20T12:00")
            await fixture.look()
            #expect(fixture.holds.withLock { $0 } == [true, false])
            try fixture.set("25T01:00")
            await fixture.look()
            #expect(fixture.holds.withLock { $0 } == [true, false, true])
            #expect(fixture.rules.quietUntil == (try Fixture.date("25T06:00")))
        }
    }

    @Test("what is paused and quiet goes on only when it is neither")
    func both() async throws {
        let fixture = try Fixture("quiet_hours: ['22:00-06:00']", at: "21T23:00")
        try await fixture.running {
            fixture.rules.pause(true)
            try fixture.set("22T07:00")
            await fixture.look()
            #expect(fixture.holds.withLock { $0 } == [true])
            try fixture.set("22T23:00")
            await fixture.look()
            fixture.rules.pause(false)
            #expect(fixture.holds.withLock { $0 } == [true])
            try fixture.set("23T07:00")
            await fixture.look()
            #expect(fixture.holds.withLock { $0 } == [true, false])
            // At once, whatever the clocks do.
            fixture.rules.pause(true)
            #expect(fixture.holds.withLock { $0 } == [true, false, true])
        }
    }

    @Test("uploads are limited as the time of the week says")
    func limits() async throws {
        let fixture = try Fixture(#"bandwidth: "08:00,512k 19:00,10M 23:00,off""#, at: "21T07:59")
        try await fixture.running {
            for (time, limit) in [("21T08:00", 512 << 10), ("21T19:00", 10 << 20), ("21T23:00", nil)]
                as [(String, Int64?)]
            {
                try fixture.set(time)
                await fixture.look()
                #expect(fixture.limits.withLock { $0.last } == limit, "\(time)")
            }
            #expect(fixture.limits.withLock { $0.first } == .some(nil))
            #expect(fixture.holds.withLock { $0 } == [])
        }
    }

    @Test("without times there is nothing to look at each minute")
    func idle() async throws {
        let fixture = try Fixture(at: "21T23:00")
        try await fixture.running {
            #expect(fixture.limits.withLock { $0.count } == 1)
            fixture.clock.advance(by: .seconds(3_599))
            #expect(fixture.clock.sleeping == 1)
            #expect(fixture.limits.withLock { $0.count } == 1)
        }
    }

    @Test("another configuration counts at once, also one without the hours that hold now")
    func applied() async throws {
        let fixture = try Fixture("quiet_hours: ['22:00-06:00']", at: "21T23:00")
        try await fixture.running {
            fixture.rules.apply(try Fixture.settings(["quiet_hours: ['22:30-23:30']"]))
            #expect(fixture.rules.quietUntil == (try Fixture.date("21T23:30")))
            #expect(fixture.holds.withLock { $0 } == [true])
            fixture.rules.apply(try Fixture.settings(["bandwidth: 1M"]))
            #expect(fixture.rules.quietUntil == nil)
            #expect(fixture.holds.withLock { $0 } == [true, false])
            #expect(fixture.limits.withLock { $0.last } == 1 << 20)
        }
    }
}
