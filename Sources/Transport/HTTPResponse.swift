/// A whole answer, whatever its status.
public struct HTTPResponse: Sendable {
    /// The HTTP status, such as 200.
    public var status: Int
    public var headers: HTTPHeaders
    /// The body, decompressed.
    public var body: [UInt8]

    /// Creates an answer.
    public init(status: Int, headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
