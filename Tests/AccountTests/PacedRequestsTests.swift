import Account
import LabelboxAPI
import Locking
import Pacing
import Testing

/// Answers that a server gives one after the other; the last is repeated.
private final class Script: Sendable {
    private let state: Locked<(answers: [LabelboxError?], attempts: Int)>

    init(_ answers: [LabelboxError?]) { state = Locked((answers, 0)) }

    var attempts: Int { state.withLock { $0.attempts } }

    func attempt() throws(LabelboxError) -> Int {
        let (answer, number) = state.withLock { state in
            state.attempts += 1
            let answer = state.answers.count > 1 ? state.answers.removeFirst() : state.answers.first ?? nil
            return (answer, state.attempts)
        }
        if let answer { throw answer }
        return number
    }
}

private func error(_ kind: LabelboxError.Kind, _ outcome: LabelboxError.Outcome) -> LabelboxError {
    LabelboxError(kind, outcome: outcome, operation: "test", message: "as told")
}

@Suite("Paced requests", .timeLimit(.minutes(1)))
struct PacedRequestsTests {
    private func gate() -> PacedRequests {
        let pacer = RequestPacer(
            rules: PacingRules(requestsPerMinute: 1000, maximumConnections: 4), clock: ContinuousClock(),
            backoff: Backoff(base: .nanoseconds(1), longest: .nanoseconds(1)))
        return PacedRequests(pacer: pacer) { _, _, _ in }
    }

    @Test(
        "what the server did not get is sent again, whatever it was",
        arguments: RequestKind.allCases)
    func notProcessed(kind: RequestKind) async throws {
        let script = Script([error(.unreachable, .notProcessed), error(.serverError, .notProcessed), nil])
        let attempts = try await gate().run(kind) { () async throws(LabelboxError) in try script.attempt() }
        #expect(attempts == 3)
    }

    @Test("a read or an upload of which nobody knows is sent again", arguments: [RequestKind.read, .upload])
    func unknown(kind: RequestKind) async throws {
        let script = Script([error(.connectionLost, .unknown), nil])
        #expect(try await gate().run(kind) { () async throws(LabelboxError) in try script.attempt() } == 2)
    }

    @Test("an upload that is answered without an end is sent again; a page of rows would be as long again")
    func endlessAnswer() async throws {
        let script = Script([error(.answerTooLarge, .unknown), nil])
        #expect(try await gate().run(.upload) { () async throws(LabelboxError) in try script.attempt() } == 2)
        let page = error(.answerTooLarge, .unknown)
        await #expect(throws: page) {
            try await gate().run(.read) { () async throws(LabelboxError) in throw page }
        }
    }

    @Test("a submit of which nobody knows is never sent again")
    func submitUnknown() async throws {
        let lost = error(.connectionLost, .unknown)
        let script = Script([lost, nil])
        await #expect(throws: lost) {
            try await gate().run(.submit) { () async throws(LabelboxError) in try script.attempt() }
        }
        #expect(script.attempts == 1)
    }

    @Test("what the server refused is not sent again", arguments: RequestKind.allCases)
    func refused(kind: RequestKind) async throws {
        let refusal = error(.refused, .failed)
        let script = Script([refusal, nil])
        await #expect(throws: refusal) {
            try await gate().run(kind) { () async throws(LabelboxError) in try script.attempt() }
        }
        #expect(script.attempts == 1)
    }

    @Test("who is called off while waiting learns it at once, and nothing was sent")
    func cancelled() async throws {
        let script = Script([nil])
        let gate = gate()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await gate.run(.read) { () async throws(LabelboxError) in try script.attempt() }
        }
        await #expect(throws: LabelboxError.self) { try await task.value }
        #expect(script.attempts == 0)
    }
}
