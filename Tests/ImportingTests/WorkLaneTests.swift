import Dispatch
import Importing
import Locking
import Testing

@Suite("A lane of the workbench")
struct WorkLaneTests {
    private let workbench = Workbench(.threads(name: "lane"))

    @Test("as much work at a time as it is wide, no more, and everything is done", .timeLimit(.minutes(1)))
    func width() async throws {
        let lane = WorkLane(workbench) { 3 }
        let gate = DispatchSemaphore(value: 0)
        let state = Locked((now: 0, most: 0, done: 0))
        try await withThrowingDiscardingTaskGroup { group in
            for _ in 0..<20 {
                group.addTask {
                    try await lane.run {
                        state.withLock { state in
                            state.now += 1
                            state.most = max(state.most, state.now)
                        }
                        gate.wait()
                        state.withLock { state in
                            state.now -= 1
                            state.done += 1
                        }
                    }
                }
            }
            // Nobody goes on before three are at it, and all others wait.
            while state.withLock({ $0.now }) < 3 || lane.waitingCount < 17 { await Task.yield() }
            for _ in 0..<20 { gate.signal() }
        }
        #expect(state.withLock { $0.done } == 20)
        #expect(state.withLock { $0.most } == 3)
    }

    @Test("what waits is taken on in the order in which it came, by the thread that is done")
    func order() async throws {
        let lane = WorkLane(workbench) { 1 }
        let (gate, begun) = (DispatchSemaphore(value: 0), Locked(0))
        let order = Locked<[Int]>([])
        try await withThrowingDiscardingTaskGroup { group in
            for number in 0..<5 {
                group.addTask {
                    try await lane.run {
                        begun.withLock { $0 += 1 }
                        if number == 0 { gate.wait() }
                        order.withLock { $0.append(number) }
                    }
                }
                // One after the other, so that it is known who came first.
                while begun.withLock({ $0 }) == 0 || lane.waitingCount < number { await Task.yield() }
            }
            gate.signal()
        }
        #expect(order.withLock { $0 } == [0, 1, 2, 3, 4])
    }

    @Test("work that fails makes room too")
    func failing() async throws {
        struct Trouble: Error {}
        let lane = WorkLane(workbench) { 1 }
        for _ in 0..<3 { await #expect(throws: Trouble.self) { try await lane.run { throw Trouble() } } }
        #expect(try await lane.run { 7 } == 7)
    }
}
