internal import Locking

/// The caller's end of a transfer: where the answer goes, and whether it is still wanted.
///
/// Cancelling sets a flag instead of sending a message. The flag is up before the loop is woken, so it cannot matter
/// whether the loop hears of "start" or of "cancel" first.
final class Ticket: Sendable {
    typealias Outcome = Result<HTTPResponse, TransportError>

    private struct State {
        var waiting: CheckedContinuation<Outcome, Never>?
        var isCancelled = false
    }

    private let state = Locked(State())

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func cancel() { state.withLock { $0.isCancelled = true } }

    func attach(_ continuation: CheckedContinuation<Outcome, Never>) {
        state.withLock { $0.waiting = continuation }
    }

    /// Answers the caller, once.
    ///
    /// Later calls do nothing, so every way out may call it.
    func finish(_ outcome: Outcome) {
        let waiting = state.withLock { $0.waiting.take() }
        waiting?.resume(returning: outcome)
    }
}
