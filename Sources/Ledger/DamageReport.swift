internal import Locking

/// Tells of damage once.
final class DamageReport: Sendable {
    private struct State {
        var found: LedgerError?
        var listener: (@Sendable (LedgerError) -> Void)?
    }

    private let state = Locked(State())

    var current: LedgerError? { state.withLock { $0.found } }

    func onDamage(_ listener: @escaping @Sendable (LedgerError) -> Void) {
        let found = state.withLock { state in
            state.listener = listener
            return state.found
        }
        if let found { listener(found) }
    }

    func found(_ error: LedgerError) {
        let listener = state.withLock { state -> (@Sendable (LedgerError) -> Void)? in
            guard state.found == nil else { return nil }
            state.found = error
            return state.listener
        }
        listener?(error)
    }
}
