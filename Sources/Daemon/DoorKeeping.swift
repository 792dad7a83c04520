/// Something that listens.
package struct OpenDoor: Sendable {
    /// Goes on until it is stopped, or the port is lost.
    let run: @Sendable () async -> Void
    let stop: @Sendable () -> Void

    package init(run: @escaping @Sendable () async -> Void, stop: @escaping @Sendable () -> Void) {
        self.run = run
        self.stop = stop
    }
}

/// Keeps a port open, and opens it again where it was lost.
package struct DoorKeeping<C: Clock>: Sendable where C.Duration == Duration {
    private let address: String
    private let clock: C
    private let listen: @Sendable () async throws -> OpenDoor
    private let tell: @Sendable (String?) -> Void

    private static var firstWait: Duration { .seconds(1) }
    private static var longestWait: Duration { .seconds(60) }

    /// - Parameters:
    ///   - address: For messages.
    ///   - clock: Waits go by it.
    ///   - listen: Begins to listen again.
    ///   - tell: Told why nobody can ask, and with nil that they can again.
    package init(
        address: String, clock: C, listen: @escaping @Sendable () async throws -> OpenDoor,
        tell: @escaping @Sendable (String?) -> Void
    ) {
        self.address = address
        self.clock = clock
        self.listen = listen
        self.tell = tell
    }

    /// Goes on until cancelled.
    package func keep(_ first: OpenDoor) async {
        var door: OpenDoor? = first
        var wait = Self.firstWait
        while true {
            if let current = door {
                await withTaskCancellationHandler {
                    await current.run()
                } onCancel: {
                    current.stop()
                }
                door = nil
                if Task.isCancelled { return }
                tell("the status page's port \(address) was lost; it is tried again")
                wait = Self.firstWait
            }
            // Only while the port is lost; nothing tells when it is free again.
            do { try await clock.sleep(for: wait) } catch { return }
            do {
                door = try await listen()
                tell(nil)
            } catch {
                tell("the status page cannot be reached: \(error)")
                wait = min(wait * 2, Self.longestWait)
            }
        }
    }
}
