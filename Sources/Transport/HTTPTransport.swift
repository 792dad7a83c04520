/// Sends one HTTP request and waits for its whole response.
///
/// What speaks HTTP to Labelbox needs no more than this, so a test can replay answers through it.
public protocol HTTPTransport: Sendable {
    /// Sends `request`, at most once as far as the transport decides.
    ///
    /// A 4xx or 5xx is a response. Cancelling the task stops the transfer.
    /// - Throws: ``TransportError`` when no complete response arrived.
    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse
}
