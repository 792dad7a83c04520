/// Remembers when requests began for longer than a process lives, so that one that follows a killed one keeps the account's budget.
public protocol StartMemory: Sendable {
    /// How long ago the requests began that are younger than the server's window, in any order.
    func ages(within window: Duration) -> [Duration]

    /// Notes that so many requests begin now; called before they are sent, and must not wait for anything.
    func note(_ count: Int)
}
