internal import Control
internal import Foundation
internal import Locking
internal import UnixSignals

/// Ctrl-C, or SIGTERM: the first asks for an end in good order, the second for one at once.
final class Interruption: Sendable {
    private struct State {
        var count = 0
        var cancel: (@Sendable () -> Void)?
    }

    private let state = Locked(State())

    /// How long a request that is on its way may still take.
    private static let grace: Duration = .seconds(10)

    /// Takes the signals from now on.
    init() async {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        Task { [weak self] in
            for await _ in signals { self?.arrived() }
        }
    }

    /// Whether it was asked for.
    var isAsked: Bool { state.withLock { $0.count > 0 } }

    /// Says what a second signal, or the end of the first one's patience, calls; before that, any signal ends the program.
    func cancelling(_ cancel: @escaping @Sendable () -> Void) { state.withLock { $0.cancel = cancel } }

    private func arrived() {
        let (count, cancel) = state.withLock { state in
            state.count += 1
            return (state.count, state.cancel)
        }
        guard let cancel else { exit(ExitStatus.interrupted.rawValue) }
        if count > 1 { return cancel() }
        Task {
            try? await Task.sleep(for: Self.grace)  // Nobody cancels it.
            cancel()
        }
    }
}
