import Dispatch
import Foundation
import Importing
import Testing

@Suite("Threads for work that blocks", .timeLimit(.minutes(1)))
struct WorkThreadsTests {
    @Test("as much runs at a time as is started, however few cores there are")
    func allAtOnce() async {
        let threads = WorkThreads(name: "test", patience: 0.05)
        let arrived = DispatchSemaphore(value: 0)
        let leave = DispatchSemaphore(value: 0)
        let left = DispatchSemaphore(value: 0)
        await Self.onAThread {
            for _ in 0..<40 {
                threads.start {
                    arrived.signal()
                    leave.wait()
                    left.signal()
                }
            }
            // Nobody leaves before all have come.
            for _ in 0..<40 { arrived.wait() }
            for _ in 0..<40 { leave.signal() }
            for _ in 0..<40 { left.wait() }
        }
    }

    @Test("a thread that has ended its work does the next, and ends when none comes")
    func reuse() async {
        let threads = WorkThreads(name: "test", patience: 0.05)
        await Self.onAThread {
            for _ in 0..<200 {
                let done = DispatchSemaphore(value: 0)
                threads.start { done.signal() }
                done.wait()
            }
            while threads.idleCount > 0 { usleep(10_000) }
            // And one that comes when all have ended is done too, by a new one.
            let done = DispatchSemaphore(value: 0)
            threads.start { done.signal() }
            done.wait()
        }
    }

    @Test("work that comes just as a thread gives up waiting is done")
    func lastMoment() async {
        let threads = WorkThreads(name: "test", patience: 0.001)
        await Self.onAThread {
            for turn in 0..<300 {
                let done = DispatchSemaphore(value: 0)
                threads.start { done.signal() }
                done.wait()
                usleep(useconds_t(900 + turn))
            }
        }
    }

    /// Blocking calls are not for Swift's own threads.
    private static func onAThread(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            Thread.detachNewThread {
                body()
                done.resume()
            }
        }
    }
}
