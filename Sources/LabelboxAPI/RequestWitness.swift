internal import Locking
internal import Transport

/// Hears of each attempt of a request, for metrics.
public struct RequestWitness: Sendable {
    private let now: @Sendable () -> Duration
    private let moved: @Sendable (_ sentBytes: Int64, _ receivedBytes: Int64) -> Void
    private let ended: @Sendable (_ operation: String, _ outcome: String, _ took: Duration) -> Void

    /// Creates a witness.
    ///
    /// - Parameters:
    ///   - now: the time since any fixed point, on a monotonic clock.
    ///   - moved: hears how many more bytes of bodies went each way; called on the transport's thread, which waits for it.
    ///   - ended: hears the field of the API that was asked for, `ok` or the error's code (both of closed sets), and how long it
    ///     took from being sent to being understood.
    public init(
        now: @escaping @Sendable () -> Duration,
        moved: @escaping @Sendable (_ sentBytes: Int64, _ receivedBytes: Int64) -> Void,
        ended: @escaping @Sendable (_ operation: String, _ outcome: String, _ took: Duration) -> Void
    ) {
        self.now = now
        self.moved = moved
        self.ended = ended
    }

    /// Makes one attempt, and tells how it ended.
    func watch<Answer>(
        _ operation: String, _ attempt: () async throws(LabelboxError) -> Answer
    ) async throws(LabelboxError) -> Answer {
        let began = now()
        do {
            let answer = try await attempt()
            ended(operation, "ok", now() - began)
            return answer
        } catch {
            ended(operation, error.code, now() - began)
            throw error
        }
    }

    /// Sends a request, and tells what moves.
    func send(
        _ request: HTTPRequest, over transport: any HTTPTransport
    ) async throws(TransportError) -> HTTPResponse {
        var request = request
        let sent = Locked(Int64(0))
        let (progress, receive) = (request.progress, request.receive)
        request.progress = { [moved] now, total in
            let more = sent.withLock { sent in
                defer { sent = max(sent, now) }
                return now - sent
            }
            if more > 0 { moved(more, 0) }
            progress?(now, total)
        }
        if let receive {
            request.receive = { [moved] bytes in
                moved(0, Int64(bytes.count))
                return receive(bytes)
            }
        }
        let response = try await transport.send(request)
        // A small body may have gone at once, before anybody asked how far it is.
        moved(max(0, request.body.byteCount - sent.withLock { $0 }), Int64(response.body.count))
        return response
    }
}

extension HTTPRequest.Body {
    /// Without the framing of parts.
    fileprivate var byteCount: Int64 {
        switch self {
        case .none: 0
        case .bytes(let bytes): Int64(bytes.count)
        case .multipart(let parts): parts.reduce(0) { $0 + $1.content.byteCount }
        }
    }
}
