internal import Locking
internal import NIOCore
internal import NIOPosix

/// Makes the rows of import tasks, one task after the other, on a thread of its own.
final class TaskRunner: Sendable {
    private let world: Locked<World>
    private let loop: any EventLoop
    private let pool: NIOThreadPool

    init(world: Locked<World>, loop: any EventLoop) {
        self.world = world
        self.loop = loop
        pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
    }

    /// Starts a task's work after a while.
    func schedule(_ task: Int, in delay: Duration) {
        _ = loop.scheduleTask(in: .milliseconds(max(0, delay.milliseconds))) { [world, pool] in
            pool.submit { state in
                guard state == .active else { return }
                Importer.run(task) { body in world.withLock { body(&$0) } }
            }
        }
    }

    func stop() async throws { try await pool.shutdownGracefully() }
}
