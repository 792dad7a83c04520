import Glibc
internal import Locking
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// A Labelbox on loopback: the same protocol over real HTTP, with faults on demand.
///
/// It answers GraphQL at ``endpoint``, hands out files at `/files/`, and has pages of its own beneath `/_sim/`.
public final class Simulator: Sendable {
    /// How a simulator is to behave.
    public struct Settings: Sendable {
        /// 0 for any free port.
        public var port = 0
        public var apiKey = "test-key"
        /// Requests in each 60 seconds; nil for no limit.
        public var requestsPerMinute: Int?
        /// Whether a 429 says when to come back.
        public var sendsRetryAfter = true
        /// How long an import waits before its rows are made.
        public var taskDelay = Duration.milliseconds(200)
        /// How long a lookup of global keys takes.
        public var jobDelay = Duration.zero
        /// How long after its creation a row is found by its keys.
        public var indexLag = Duration.zero
        /// Whether media is only counted and hashed; JSON is always kept.
        public var discardsMedia = false
        /// Where uploads are kept; nil for a temporary folder that goes when the simulator stops.
        public var folder: String?
        public var faults: [Faults.Rule] = []
        public var faultSeed: UInt64 = 1
        /// Datasets that exist from the start.
        public var datasets: [(id: String, name: String)] = []
        /// Projects that exist from the start, with the ids of their datasets.
        public var projects: [(id: String, name: String, datasets: [String])] = []
        /// Root fields that a request may have; nil for no limit.
        public var complexityLimit: Int?
        /// The most files that one upload may hold; nil is no limit.
        public var filesLimit: Int?
        /// A longer request gets a 413 before it is read; nil for no limit.
        public var maximumRequestBytes: Int?
        /// Elements of a page, whatever was asked for.
        public var maximumPage = 5000
        /// Labelbox's documented limit.
        public var maximumRowsPerTask = 150_000
        /// Labelbox's documented limit.
        public var maximumDeletes = 10_000
        /// What an import in the older form does about a global key that is in use.
        public var legacyDuplicates = LegacyDuplicates.row
        /// Whether the older form knows nothing of global keys.
        public var legacyIgnoresKeys = false
        /// How many requests the log keeps.
        public var logLength = 10_000

        public init() {}
    }

    /// What an import in the older form does about a global key that is in use; the service has done all of these.
    public enum LegacyDuplicates: String, Sendable, CaseIterable {
        /// The row fails with a message of its own.
        case row
        /// Its block of 1,000 rows fails, with one message; when no block is left, the task does.
        case block
        /// The whole task fails.
        case task
    }

    public let port: Int
    private let service: Service
    private let runner: TaskRunner
    private let channel: any Channel
    private let group: MultiThreadedEventLoopGroup
    private let temporaryFolder: String?
    private let isStopped = Locked(false)

    private init(
        port: Int, service: Service, runner: TaskRunner, channel: any Channel, group: MultiThreadedEventLoopGroup,
        temporaryFolder: String?
    ) {
        self.port = port
        self.service = service
        self.runner = runner
        self.channel = channel
        self.group = group
        self.temporaryFolder = temporaryFolder
    }

    /// Where a client sends its calls.
    public var endpoint: String { "http://127.0.0.1:\(port)/graphql" }

    /// Starts to listen on 127.0.0.1.
    ///
    /// - Throws: when the port is taken or the folder cannot be made.
    public static func start(_ settings: Settings = Settings()) async throws -> Simulator {
        let (folder, temporary) = try makeFolder(settings.folder)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let world = Locked(World(settings: settings, now: Moment.now()))
        let runner = TaskRunner(world: world, loop: group.next())
        let service = Service(settings: settings, folder: folder, world: world) { task, delay in
            runner.schedule(task, in: delay)
        }
        do {
            let channel = try await listen(on: settings.port, group, service)
            let port = channel.localAddress?.port ?? settings.port
            world.withLock { world in
                world.baseURL = "http://127.0.0.1:\(port)"
                for dataset in settings.datasets {
                    _ = world.createDataset(id: dataset.id, name: dataset.name, now: Moment.now())
                }
                for project in settings.projects {
                    _ = world.createProject(
                        id: project.id, name: project.name, datasets: project.datasets, now: Moment.now())
                }
            }
            return Simulator(
                port: port, service: service, runner: runner, channel: channel, group: group,
                temporaryFolder: temporary)
        } catch {
            try? await runner.stop()
            try? await group.shutdownGracefully()
            if let temporary { removeFolder(temporary) }
            throw error
        }
    }

    private static func listen(
        on port: Int, _ group: MultiThreadedEventLoopGroup, _ service: Service
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // Uploads come in big pieces; small requests do not pay for it, since the size adapts.
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 8192, maximum: 1 << 19)
            )
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(ConnectionHandler(service: service))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
    }

    /// Stops listening, drops what is left of the connections, and removes a temporary folder.
    public func stop() async {
        guard
            isStopped.withLock({ isStopped in
                defer { isStopped = true }
                return !isStopped
            })
        else { return }
        try? await channel.close()
        try? await runner.stop()
        try? await group.shutdownGracefully()
        if let temporaryFolder { Self.removeFolder(temporaryFolder) }
    }

    // MARK: From the same process

    /// Makes requests go wrong from now on.
    public func inject(_ rule: Faults.Rule) { service.control.withLock { $0.faults.add(rule) } }

    /// Lets everything go right again.
    public func resetFaults() { service.control.withLock { $0.faults.removeAll() } }

    /// Creates a dataset with a given id, or renames it.
    public func createDataset(id: String, name: String) {
        service.world.withLock { world in _ = world.createDataset(id: id, name: name, now: Moment.now()) }
    }

    /// What `GET /_sim/state` answers: JSON.
    public var state: String { service.state(Moment.now()).text }

    // MARK: Folders

    private static func makeFolder(_ given: String?) throws -> (folder: String, temporary: String?) {
        if let given {
            if mkdir(given, 0o700) != 0, errno != EEXIST { throw Errno(given) }
            return (given, nil)
        }
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/labelbox-sim-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno("a temporary folder") }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return (folder, folder)
    }

    private static func removeFolder(_ folder: String) {
        guard let stream = opendir(folder) else { return }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { unlink("\(folder)/\(name)") }
        }
        closedir(stream)
        rmdir(folder)
    }
}
