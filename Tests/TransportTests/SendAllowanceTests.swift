import Locking
import Testing
import Transport

@Suite("Limits on sending", .timeLimit(.minutes(1)))
struct SendAllowanceTests {
    @Test("without a limit everything may be sent")
    func unlimited() {
        var allowance = SendAllowance()
        #expect(allowance.take(1 << 30, at: .zero) == 1 << 30)
        #expect(allowance.wait(at: .zero) == .zero)
    }

    @Test(
        "within any time no more is taken than the limit allows, but for one burst, and all of it over a long time",
        arguments: [1_024, 100_000, 10 << 20, 1 << 30] as [Int64], [1, 3, 8])
    func bounds(limit: Int64, transfers: Int) {
        var allowance = SendAllowance()
        allowance.set(limit, at: .zero)
        let burst = max(Double(allowance.grain), Double(limit) / 10)
        var now = Duration.zero
        var total = 0
        var times: [(Duration, Int)] = [(.zero, 0)]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3_000 {
            for _ in 0..<transfers {
                let wanted = Int.random(in: 1...(512 << 10), using: &random)
                let taken = allowance.take(wanted, at: now)
                // Sometimes a body ends within what was taken.
                let used = taken > 0 && Int.random(in: 0..<10, using: &random) == 0 ? taken / 2 : taken
                allowance.giveBack(taken - used)
                total += used
            }
            times.append((now, total))
            now += max(allowance.wait(at: now), .microseconds(10))
        }
        for (start, before) in times.enumerated().filter({ $0.offset.isMultiple(of: 97) }).map(\.element) {
            let allowed = burst + Double(limit) * ((now - start) / .seconds(1)) + 1
            #expect(Double(total - before) <= allowed)
        }
        // Nobody waits longer than for one grain, so hardly anything is left unused.
        #expect(Double(total) >= 0.8 * Double(limit) * (now / .seconds(1)) - burst)
    }

    @Test("another limit holds at once")
    func changed() {
        var allowance = SendAllowance()
        allowance.set(1 << 20, at: .zero)
        #expect(allowance.take(1 << 20, at: .seconds(1)) > 0)
        allowance.set(1_024, at: .seconds(1))
        #expect(allowance.take(10, at: .seconds(1)) == 0)
        #expect(allowance.turns(at: .seconds(1)) == 0)
        #expect(allowance.wait(at: .seconds(1)) == .milliseconds(250))
        allowance.set(nil, at: .seconds(1))
        #expect(allowance.take(10, at: .seconds(1)) == 10)
    }

    @Test("connections together send no faster than the limit, each its whole body", arguments: [1, 3, 8])
    func together(connections: Int) async throws {
        let server = LoopbackServer { connection in
            while connection.request(keepingBody: false) != nil { connection.answer() }
        }
        let transport = try makeTransport()
        let limit: Int64 = 4 << 20
        transport.limitSending(to: limit)
        let size: Int64 = (2 << 20) / Int64(connections)
        let clock = ContinuousClock()
        let start = clock.now
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<connections {
                let body = try sparseBody(byteCount: size)
                group.addTask {
                    try await transport.send(
                        HTTPRequest(.post, url: server.url(), body: body, connection: .fresh, version: .http1)
                    ).status
                }
            }
            for try await status in group { #expect(status == 200) }
        }
        // What was counted on the way cannot have gone faster; a busy machine only makes it slower.
        let least = Double(size * Int64(connections) - limit / 10) / Double(limit)
        #expect(start.duration(to: clock.now) / .seconds(1) >= least)
        await transport.shutdown()
    }

    @Test("a limit that is lifted lets go what is under way")
    func lifted() async throws {
        let server = LoopbackServer { connection in
            while connection.request(keepingBody: false) != nil { connection.answer() }
        }
        let transport = try makeTransport()
        // It would take hours.
        transport.limitSending(to: 1_024)
        let body = try sparseBody(byteCount: 16 << 20)
        async let answer = transport.send(
            HTTPRequest(.post, url: server.url(), body: body, version: .http1))
        await server.wait { $0.connections > 0 }
        transport.limitSending(to: nil)
        #expect(try await answer.status == 200)
        await transport.shutdown()
    }
}
