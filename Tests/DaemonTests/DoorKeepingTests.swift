import Daemon
import Locking
import TestSupport
import Testing

/// A web port that is lost while the daemon runs, in virtual time.
@Suite("A port that is lost", .timeLimit(.minutes(1)))
struct DoorKeepingTests {
    private struct InUse: Error, CustomStringConvertible { let description = "127.0.0.1:9464: another process listens" }

    /// A door that is open until it is stopped.
    private final class Standing: Sendable {
        private let (stream, continuation) = AsyncStream<Void>.makeStream()
        let stops = Locked(0)

        var door: OpenDoor {
            OpenDoor(
                run: { [stream] in for await _ in stream {} },
                stop: { [self] in
                    stops.withLock { $0 += 1 }
                    continuation.finish()
                })
        }
    }

    private static let lost = OpenDoor(run: {}, stop: {})

    @Test("it is told, tried again after 1, 2, 4 and so on seconds, at most 60, and told when it is there again")
    func lost() async {
        let clock = ManualClock()
        let (told, tries) = (Locked<[String?]>([]), Locked(0))
        let standing = Standing()
        let keeping = DoorKeeping(
            address: "127.0.0.1:9464", clock: clock,
            listen: {
                let number = tries.withLock { tries in
                    tries += 1
                    return tries
                }
                // The first eight tries; and it is lost once more right after.
                if number <= 8 { throw InUse() }
                return number == 9 ? Self.lost : standing.door
            }, tell: { text in told.withLock { $0.append(text) } })
        let keep = Task { await keeping.keep(Self.lost) }
        for (number, seconds) in [1, 2, 4, 8, 16, 32, 60, 60, 60].enumerated() {
            await clock.sleepers(1)
            clock.advance(by: .seconds(seconds) - .milliseconds(1))
            #expect(clock.sleeping == 1 && tries.withLock { $0 } == number)
            clock.advance(by: .milliseconds(1))
        }
        // From the beginning again.
        await clock.sleepers(1)
        #expect(tries.withLock { $0 } == 9)
        clock.advance(by: .seconds(1))
        while tries.withLock({ $0 }) < 10 { await Task.yield() }
        let all = told.withLock { $0 }
        #expect(all.first == "the status page's port 127.0.0.1:9464 was lost; it is tried again")
        #expect(
            all.dropFirst().prefix(8).allSatisfy {
                $0 == "the status page cannot be reached: 127.0.0.1:9464: another process listens"
            })
        #expect(all.count >= 11 && all[9] == nil && all[10]?.contains("was lost") == true)
        keep.cancel()
        await keep.value
        #expect(told.withLock { $0.count } == 12 && standing.stops.withLock { $0 } > 0)
    }

    @Test("who closes it while it is open or lost waits for nothing, and is told nothing", arguments: [true, false])
    func closed(isOpen: Bool) async {
        let clock = ManualClock()
        let told = Locked<[String?]>([])
        let standing = Standing()
        let keeping = DoorKeeping(
            address: "a", clock: clock, listen: { throw InUse() }, tell: { text in told.withLock { $0.append(text) } })
        let keep = Task { await keeping.keep(isOpen ? standing.door : Self.lost) }
        if !isOpen { await clock.sleepers(1) }
        keep.cancel()
        await keep.value
        #expect(told.withLock { $0.count } == (isOpen ? 0 : 1))
        #expect(standing.stops.withLock { $0 } == (isOpen ? 1 : 0))
    }
}
