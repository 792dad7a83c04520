import Files
import Intake
import SystemPackage
import Testing

@Suite("Settle tracker")
struct SettleTrackerTests {
    typealias Look = (second: Int, version: Int64, sign: SettleTracker.Sign)

    /// A file of which each version differs in size and times.
    static func identity(_ version: Int64, inode: UInt64 = 7) -> FileIdentity {
        FileIdentity(device: 1, inode: inode, size: 100 + version, modified: version, changed: version)
    }

    static let histories: [(name: String, looks: [Look], ready: Int?)] = [
        ("moved in", [(0, 1, .movedIn)], 0),
        ("moved in again over itself", [(0, 1, .movedIn), (1, 2, .movedIn)], 0),
        ("closed, then left alone", [(0, 1, .closed), (1, 1, .seen), (2, 1, .seen)], 2),
        ("closed twice", [(0, 1, .closed), (1, 1, .closed), (2, 1, .seen), (3, 1, .seen)], 3),
        ("closed, then changed", [(0, 1, .closed), (2, 2, .seen), (3, 2, .seen), (4, 2, .seen)], 4),
        ("found twice alike", [(0, 1, .seen), (1, 1, .seen), (2, 1, .seen)], 2),
        ("found twice alike, far apart", [(0, 1, .seen), (60, 1, .seen)], 60),
        ("growing", [(0, 1, .seen), (2, 2, .seen), (4, 3, .seen), (6, 4, .seen)], nil),
        ("found, then moved over", [(0, 1, .seen), (1, 2, .movedIn)], 1),
        ("moved in, but seen first while it settled", [(0, 1, .seen), (1, 1, .movedIn)], 1),
    ]

    @Test("decides by what was seen and when", arguments: histories.indices)
    func table(index: Int) {
        let (name, looks, expected) = Self.histories[index]
        var tracker = SettleTracker(settle: .seconds(2), capacity: 10)
        var ready: Int?
        for look in looks where ready == nil {
            let decision = tracker.observe("f", Self.identity(look.version), by: look.sign, at: .seconds(look.second))
            if decision == .ready { ready = look.second }
        }
        #expect(ready == expected, "\(name)")
    }

    @Test(
        "every part of an identity counts",
        arguments: [
            FileIdentity(device: 2, inode: 7, size: 101, modified: 1, changed: 1),
            FileIdentity(device: 1, inode: 8, size: 101, modified: 1, changed: 1),
            FileIdentity(device: 1, inode: 7, size: 102, modified: 1, changed: 1),
            FileIdentity(device: 1, inode: 7, size: 101, modified: 2, changed: 1),
            FileIdentity(device: 1, inode: 7, size: 101, modified: 1, changed: 2),
        ])
    func parts(other: FileIdentity) {
        var tracker = SettleTracker(settle: .seconds(2), capacity: 10)
        _ = tracker.observe("f", Self.identity(1), by: .seen, at: .zero)
        let decision = tracker.observe("f", other, by: .seen, at: .seconds(2))
        #expect(decision == .settling(until: .seconds(4), .stillChanging))
    }

    @Test("a known writer keeps a file back")
    func writer() {
        var tracker = SettleTracker(settle: .seconds(2), capacity: 10)
        #expect(tracker.observe("f", Self.identity(1), by: .movedIn, at: .zero) == .ready)
        tracker.postpone("f", at: .zero)
        #expect(
            tracker.observe("f", Self.identity(1), by: .seen, at: .seconds(1))
                == .settling(until: .seconds(2), .openForWriting))
        #expect(tracker.observe("f", Self.identity(1), by: .seen, at: .seconds(2)) == .ready)
    }

    @Test(
        "who changes under a reader waits twice as long each time, up to a minute",
        arguments: [(1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (7, 60), (100, 60)])
    func penalty(strikes: Int, seconds: Int) {
        var tracker = SettleTracker(settle: .seconds(1), capacity: 10)
        tracker.settleAgain("f", Self.identity(1), strikes: strikes, at: .zero)
        #expect(tracker.nextDue == .seconds(seconds))
        #expect(tracker.entry("f")?.reason == .changedWhileRead(times: strikes))
        // Not even a rename is believed at once.
        let decision = tracker.observe("f", Self.identity(2), by: .movedIn, at: .seconds(1))
        #expect(decision == .settling(until: .seconds(1 + seconds), .changedWhileRead(times: strikes)))
        #expect(tracker.observe("f", Self.identity(2), by: .seen, at: .seconds(1 + seconds)) == .ready)
        #expect(tracker.take("f")?.strikes == strikes)
    }

    @Test("complete media is held back for a manifest, counted from its first sight")
    func grace() {
        var tracker = SettleTracker(settle: .seconds(2), grace: .seconds(30), capacity: 10)
        #expect(tracker.observe("f", Self.identity(1), by: .movedIn, at: .seconds(1)) == .held(until: .seconds(31)))
        #expect(tracker.entry("f")?.reason == .waitingForManifest)
        #expect(tracker.observe("f", Self.identity(1), by: .seen, at: .seconds(31)) == .ready)
    }

    @Test("holds so many files and leaves the rest for later, but takes what needs no waiting")
    func capacity() {
        var tracker = SettleTracker(settle: .seconds(2), capacity: 2)
        _ = tracker.observe("a", Self.identity(1), by: .seen, at: .zero)
        _ = tracker.observe("b", Self.identity(1), by: .seen, at: .zero)
        #expect(tracker.observe("c", Self.identity(1), by: .seen, at: .zero) == .full)
        #expect(tracker.observe("d", Self.identity(1), by: .movedIn, at: .zero) == .ready)
        #expect(tracker.count == 2)
        tracker.take("a")
        #expect(
            tracker.observe("c", Self.identity(1), by: .seen, at: .zero) == .settling(until: .seconds(2), .firstSeen))
    }

    @Test("asks for a look at each file when it is due, earliest first, and never forgets one")
    func due() {
        var tracker = SettleTracker(settle: .seconds(2), capacity: 1_000)
        for number in (0..<500).reversed() {
            _ = tracker.observe(FilePath("f\(number)"), Self.identity(1), by: .seen, at: .milliseconds(number))
        }
        #expect(tracker.nextDue == .seconds(2))
        #expect(tracker.popDue(at: .milliseconds(1_999), limit: 10) == [])
        let first = tracker.popDue(at: .milliseconds(2_002), limit: 10)
        #expect(first == ["f0", "f1", "f2"])
        // Looked at and changed: due again later.
        for path in first { _ = tracker.observe(path, Self.identity(2), by: .seen, at: .milliseconds(2_002)) }
        var seen: Set<FilePath> = []
        while true {
            let next = tracker.popDue(at: .seconds(10), limit: 7)
            if next.isEmpty { break }
            seen.formUnion(next)
        }
        #expect(seen.count == 500)
    }

    @Test("its queue stays in proportion to the files that wait")
    func churn() {
        var tracker = SettleTracker(settle: .seconds(2), capacity: 10)
        for number in 0..<100_000 {
            let path = FilePath("f\(number)")
            _ = tracker.observe(path, Self.identity(1), by: .seen, at: .milliseconds(number))
            tracker.take(path)
        }
        #expect(tracker.queuedLooks < 2_000)
    }

    @Test("forgets what nobody asked for")
    func drop() {
        var tracker = SettleTracker(settle: .seconds(2), capacity: 10)
        _ = tracker.observe("old", Self.identity(1), by: .seen, at: .zero)
        _ = tracker.observe("new", Self.identity(1), by: .seen, at: .seconds(5))
        tracker.drop(notSeenSince: .seconds(3))
        #expect(tracker.sample(limit: 10).map(\.path) == ["new"])
    }
}
