import Account
import Foundation
import Locking
import SystemPackage
import TestSupport
import Testing

@Suite("Log of request starts")
struct StartLogTests {
    private let folder: TemporaryFolder
    private let time = Locked(Duration.seconds(1_000))

    init() throws { folder = try TemporaryFolder() }

    private var path: FilePath { folder.path.appending("request-starts") }

    private func log(limit: Int = 4, boot: String = "this one") -> StartLog {
        StartLog(path, limit: limit, boot: boot) { time.withLock { $0 } }
    }

    private func pass(_ seconds: Int) { time.withLock { $0 += .seconds(seconds) } }

    private func note(_ count: Int, in log: StartLog) {
        for _ in 0..<count {
            log.note(1)
            pass(1)
        }
    }

    @Test("is remembered by the next, however the last one ended")
    func remembers() {
        let first = log()
        #expect(first.ages(within: .seconds(60)).isEmpty)
        note(2, in: first)
        pass(10)
        // The first still has the file open, as one that was killed had.
        #expect(log().ages(within: .seconds(60)).sorted() == [.seconds(11), .seconds(12)])
    }

    @Test("keeps the latest of more than there is room for, over several lives")
    func ring() {
        note(3, in: log())
        note(3, in: log())
        let ages = log().ages(within: .seconds(60)).sorted()
        #expect(ages == [.seconds(1), .seconds(2), .seconds(3), .seconds(4)])
        note(1, in: log())
        #expect(log(limit: 2).ages(within: .seconds(60)).sorted() == [.seconds(1), .seconds(2)])
        #expect(log(limit: 10).ages(within: .seconds(60)).count == 2)
    }

    @Test("several at once are as many")
    func several() {
        log().note(3)
        pass(1)
        #expect(log().ages(within: .seconds(60)) == [.seconds(1), .seconds(1), .seconds(1)])
    }

    @Test("only what is younger than the window is told")
    func window() {
        note(1, in: log())
        pass(59)
        #expect(log().ages(within: .seconds(60)).isEmpty)
    }

    @Test("another start of the machine, and a clock that began anew, know of nothing")
    func otherBoot() {
        note(2, in: log())
        #expect(log(boot: "another").ages(within: .seconds(60)).isEmpty)
        note(2, in: log())
        time.withLock { $0 = .seconds(3) }
        #expect(log().ages(within: .seconds(60)).isEmpty)
    }

    @Test(
        "what is no such file is none, and is made one",
        arguments: ["", "x", String(repeating: "x", count: 64), String(repeating: "\u{0}", count: 1_000)])
    func garbage(content: String) throws {
        try Data(content.utf8).write(to: URL(filePath: path.string))
        let first = log()
        #expect(first.ages(within: .seconds(60)).isEmpty)
        first.note(1)
        #expect(log().ages(within: .seconds(60)).count == 1)
    }

    @Test("times that no clock shows are left out")
    func absurd() throws {
        log().note(1)
        var bytes = try Data(contentsOf: URL(filePath: path.string))
        bytes.replaceSubrange(64..<72, with: [UInt8](repeating: 255, count: 8))
        try bytes.write(to: URL(filePath: path.string))
        #expect(log().ages(within: .seconds(60)).isEmpty)
    }

    @Test("where nothing can be written nothing is remembered, and nothing fails")
    func unwritable() {
        let log = StartLog(folder.path.appending("missing/request-starts"), limit: 4, boot: "b") { .seconds(5) }
        log.note(1)
        #expect(log.ages(within: .seconds(60)).isEmpty)
    }
}
