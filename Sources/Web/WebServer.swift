internal import Glibc
internal import Locking
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Why a port cannot be listened on.
public struct WebError: Error, Sendable, CustomStringConvertible {
    /// What it is.
    public enum Kind: Sendable {
        /// Another process listens there.
        case inUse
        /// This user may not listen there.
        case notPermitted
        /// Anything else, such as an address that this machine does not have.
        case unusable
    }

    public let kind: Kind
    public let description: String
}

/// Answers over HTTP what it is asked, and lets nobody change anything.
///
/// One thread, which sleeps while nobody asks. Each connection is for one request: then there is nothing to keep alive, and
/// nothing to be held open by those who mean no good.
public final class WebServer: Sendable {
    /// Where it listens: `HOST:PORT`, with the port that the system chose if it was to choose.
    public let address: String
    /// Whether others than this machine can reach it.
    public let isPublic: Bool

    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - host: a name or an address.
    ///   - port: 0 lets the system choose.
    ///   - limits: what strangers may use up.
    ///   - content: makes what is sent; it may be called by as many at a time as there may be connections.
    /// - Returns: the server, which listens, and answers while ``run()`` runs or not.
    /// - Throws: ``WebError``.
    public static func listen(
        host: String, port: Int, limits: WebLimits = WebLimits(),
        content: @escaping @Sendable (Resource) async -> Content
    ) async throws(WebError) -> WebServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            return try await WebServer(group, host: host, port: port, limits: limits, content: content)
        } catch {
            // Nothing runs on it yet, so nothing can go wrong with its end.
            try? await group.shutdownGracefully()
            throw WebError(error, address: text(host, port))
        }
    }

    private init(
        _ group: MultiThreadedEventLoopGroup, host: String, port: Int, limits: WebLimits,
        content: @escaping @Sendable (Resource) async -> Content
    ) async throws {
        self.group = group
        let target = try SocketAddress.makeAddressResolvingHost(host, port: port)
        isPublic = !target.isLoopback
        let judge = RequestJudge(loopback: isPublic ? nil : host)
        let open = Locked(0)
        channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // Who has said all may say so, and is answered all the same.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // Small buffers, and one of them read at a time.
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                let isAdmitted = open.withLock { count in
                    count += 1
                    return count <= limits.connections
                }
                channel.closeFuture.whenComplete { _ in open.withLock { $0 -= 1 } }
                guard isAdmitted else { return channel.close() }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(Self.handlers(judge, limits, content))
                }
            }
            .bind(to: target).get()
        address = Self.text(host, channel.localAddress?.port ?? port)
    }

    private static func handlers(
        _ judge: RequestJudge, _ limits: WebLimits, _ content: @escaping @Sendable (Resource) async -> Content
    ) -> [any ChannelHandler] {
        var decoding = NIOHTTPDecoderLimitConfiguration()
        decoding.maxHeaderFieldSize = limits.headBytes
        decoding.maxHeaderListSize = limits.headBytes
        decoding.maxHeaderFieldCount = 64
        return [
            HeadLimit(bytes: limits.headBytes),
            HTTPResponseEncoder(),
            ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: decoding)),
            WebConnection(judge: judge, limits: limits, content: content),
        ]
    }

    /// Serves until ``stop()`` is called or the port is lost; then closes every connection, and returns.
    public func run() async {
        // However it closed, it is closed.
        try? await channel.closeFuture.get()
        // Here alone, since a loop that has ended answers nobody any more.
        try? await group.shutdownGracefully()
    }

    /// Has ``run()`` return; of no use after it did.
    public func stop() { channel.close(promise: nil) }

    private static func text(_ host: String, _ port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension WebError {
    fileprivate init(_ error: any Error, address: String) {
        let code = (error as? IOError)?.errnoCode
        switch code {
        case EADDRINUSE:
            kind = .inUse
            description = "http.listen: \(address) is in use by another program; stop that one, or set another port"
        case EACCES, EPERM:
            kind = .notPermitted
            description = "http.listen: this user may not listen on \(address); set a port above 1023"
        case EADDRNOTAVAIL:
            kind = .unusable
            description =
                "http.listen: this machine has no address \(address); set one of its own, such as 127.0.0.1:9464"
        default:
            kind = .unusable
            description =
                "http.listen: cannot listen on \(address): \(error); set another address, such as 127.0.0.1:9464"
        }
    }
}

extension SocketAddress {
    fileprivate var isLoopback: Bool {
        switch self {
        case .v4: ipAddress?.hasPrefix("127.") == true
        case .v6: ipAddress == "::1" || ipAddress?.hasPrefix("::ffff:127.") == true
        case .unixDomainSocket: true
        }
    }
}
