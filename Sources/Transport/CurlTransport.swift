/// HTTP over libcurl.
///
/// Certificates are always verified, redirects are not followed, and nothing but `http` and `https` is spoken.
public final class CurlTransport: HTTPTransport {
    /// What all requests share.
    public struct Configuration: Sendable {
        /// Certificates of the authorities to trust, in PEM; nil for the system's.
        public var caFile: String?
        /// Such as `http://proxy:3128`; nil to go by `https_proxy` and `no_proxy`, empty for none at all.
        public var proxy: String?
        public var userAgent: String
        /// How many requests run, and how many connections are kept, at most; further requests wait their turn.
        public var maxConnections: Int

        /// Creates a configuration.
        ///
        /// The cap of 20 connections is what Labelbox's own client uses.
        public init(
            caFile: String? = nil, proxy: String? = nil, userAgent: String = "datarowd", maxConnections: Int = 20
        ) {
            precondition(maxConnections > 0, "a transport needs a connection")
            self.caFile = caFile
            self.proxy = proxy
            self.userAgent = userAgent
            self.maxConnections = maxConnections
        }
    }

    private let loop: CurlLoop

    /// Creates a transport and starts its thread.
    ///
    /// - Throws: ``TransportError`` when there is no memory or no thread to be had, or the user agent cannot be sent.
    public init(_ configuration: Configuration = Configuration()) throws(TransportError) {
        guard HTTPHeader("User-Agent", configuration.userAgent).isWellFormed else {
            throw TransportError(.badHeader, reach: .notSent, message: "the user agent cannot be sent", url: "")
        }
        loop = try CurlLoop(configuration)
    }

    deinit { loop.close() }

    /// How long its thread has not done what it should have; nil when it owes nothing.
    public var silence: Duration? { loop.silence }

    public func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let ticket = Ticket()
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                ticket.attach(continuation)
                loop.start(request, ticket)
            }
        } onCancel: {
            ticket.cancel()
            loop.lookForCancelled()
        }
        return try outcome.get()
    }

    /// Limits how fast bodies that are streamed are sent, by all requests together, in bytes a second; `nil` ends that.
    ///
    /// It holds for what is under way, too. Within any time no more is sent than the limit allows, but for a tenth of a
    /// second's worth.
    public func limitSending(to bytesPerSecond: Int64?) { loop.limitSending(to: bytesPerSecond) }

    /// Stops every transfer, answers everyone who waits with `shutDown`, and returns when the thread is done.
    ///
    /// Whatever is sent afterwards fails in the same way. Calling it again only waits.
    public func shutdown() async {
        loop.close()
        await loop.waitForTheEnd()
    }
}
