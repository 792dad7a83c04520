internal import Dispatch
internal import Foundation
internal import Locking

/// Where work is done that keeps a thread busy: reading manifests, hashing media.
///
/// Swift's own threads are as many as the machine has cores and must never wait for a disk; these may.
package final class Workbench: Sendable {
    /// What the work of the present thread is done with.
    @TaskLocal private static var present = (hands: Hands.threads(name: "datarowd.work"), errand: Errand())

    private let hands: Hands

    /// Works with these hands.
    package init(_ hands: Hands) { self.hands = hands }

    /// Runs `body` on a thread of its own; how many at a time is up to the callers.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        let errand = Errand()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                hands.start { [hands] in
                    continuation.resume(with: Self.$present.withValue((hands, errand)) { Result { try body() } })
                }
            }
        } onCancel: {
            errand.cancel()
        }
    }

    /// Runs `body` on a thread of its own, and waits for nothing; it must not ``wait`` itself.
    func begin(_ body: @escaping @Sendable () -> Void) { hands.start(body) }

    /// Waits on a thread of the workbench for something asynchronous.
    ///
    /// It is how a long read stands still until what it produced is stored or sent: back-pressure without a buffer.
    /// Never to be called on one of Swift's own threads. When the work is cancelled, so is what it waits for.
    static func wait<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let (hands, errand) = present
        let done = hands.gate()
        let slot = Locked<Result<Value, any Error>?>(nil)
        // Unstructured because no task is running here; it ends before this function does.
        let task = Task {
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            slot.withLock { $0 = result }
            done.open()
        }
        errand.begin { task.cancel() }
        defer { errand.end() }
        done.wait()
        guard let result = slot.withLock({ $0 }) else { throw CancellationError() }
        return try result.get()
    }
}

/// What a thread of the ``Workbench`` waits for, so that it can be called off.
private final class Errand: Sendable {
    private let state = Locked<(isCancelled: Bool, callOff: (@Sendable () -> Void)?)>((false, nil))

    func begin(_ callOff: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            state.callOff = callOff
            return state.isCancelled
        }
        if isLate { callOff() }
    }

    func end() { state.withLock { $0.callOff = nil } }

    func cancel() {
        let callOff = state.withLock { state in
            state.isCancelled = true
            return state.callOff
        }
        callOff?()
    }
}

/// Threads that may block, and what they wait at.
public struct Hands: Sendable {
    /// What one thread waits at, once, until another opens it.
    package protocol Gate: Sendable {
        func open()
        func wait()
    }

    fileprivate let start: @Sendable (_ body: @escaping @Sendable () -> Void) -> Void
    fileprivate let gate: @Sendable () -> any Gate

    package init(
        start: @escaping @Sendable (_ body: @escaping @Sendable () -> Void) -> Void,
        gate: @escaping @Sendable () -> any Gate
    ) {
        self.start = start
        self.gate = gate
    }

    /// Threads of the system, that nothing else runs on.
    public static func threads(name: String) -> Hands {
        let threads = WorkThreads(name: name)
        return Hands(start: { threads.start($0) }, gate: { Semaphore() })
    }

    private struct Semaphore: Gate {
        let semaphore = DispatchSemaphore(value: 0)
        func open() { semaphore.signal() }
        func wait() { semaphore.wait() }
    }
}

/// Tells threads of the ``Workbench`` that what they do is no longer wanted.
final class Abandonment: Sendable {
    private let flag = Locked(false)

    var isAbandoned: Bool { flag.withLock { $0 } }

    /// Runs `body`, and abandons it when the task is cancelled.
    func guarding<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await withTaskCancellationHandler {
            try await body()
        } onCancel: {
            flag.withLock { $0 = true }
        }
    }
}
