/// One HTTP request, with the limits that it runs under.
public struct HTTPRequest: Sendable {
    /// What is done with the address.
    public enum Method: Sendable { case get, post }

    /// Which connection carries the request.
    public enum Connection: Sendable {
        /// A kept one when there is any.
        ///
        /// libcurl sends a request again by itself when a kept connection closes before the first byte of the
        /// answer, a POST included. So this is only for what may arrive twice.
        case pooled
        /// A connection of its own. The request is put on the wire at most once.
        case fresh
    }

    /// Which version of HTTP is spoken.
    public enum Version: Sendable {
        /// HTTP/1.1: faster for uploads, and free of libcurl 7.88's HTTP/2 stream errors.
        case http1
        /// HTTP/2 where TLS offers it, else HTTP/1.1.
        case negotiated
    }

    /// What follows the request's header.
    public enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// `multipart/form-data`, in this order, framed by the transport.
        case multipart([Part])
    }

    /// One part of a `multipart/form-data` body.
    public struct Part: Sendable {
        public var name: String
        public var filename: String?
        public var contentType: String?
        public var content: Content

        /// Creates a part; `filename` and `contentType` are left out of its header where they are nil.
        public init(name: String, filename: String? = nil, contentType: String? = nil, content: Content) {
            self.name = name
            self.filename = filename
            self.contentType = contentType
            self.content = content
        }
    }

    /// Where the bytes of a part come from.
    public enum Content: Sendable {
        case bytes([UInt8])
        /// Read as it is sent, never whole into memory.
        case file(FileSlice)

        /// The number of bytes.
        public var byteCount: Int64 {
            switch self {
            case .bytes(let bytes): Int64(bytes.count)
            case .file(let slice): slice.length
            }
        }
    }

    public var url: String
    public var method: Method
    public var headers: [HTTPHeader]
    public var body: Body
    public var connection: Connection
    public var version: Version
    /// The longest body taken as an answer, in bytes after decompression.
    public var responseLimit: Int
    /// How long resolving, connecting and the TLS handshake may take together.
    public var connectTimeout: Duration
    /// How long less than one byte a second may move before the request is given up; whole seconds, rounded up.
    ///
    /// There is no limit on the length of a transfer that moves.
    public var stallTimeout: Duration
    /// Hears how many bytes of the body were sent, and of how many.
    ///
    /// Called on the transport's thread, which waits for it: return at once.
    public var progress: (@Sendable (_ sentBytes: Int64, _ totalBytes: Int64) -> Void)?
    /// Takes the body of an answer with the status 200 as it comes; the response that is returned has none then.
    ///
    /// Called on the transport's thread, which waits for it. `false` ends the transfer.
    public var receive: (@Sendable (_ bytes: UnsafeRawBufferPointer) -> Bool)?

    /// Creates a request.
    public init(
        _ method: Method, url: String, headers: [HTTPHeader] = [], body: Body = .none,
        connection: Connection = .pooled, version: Version = .negotiated, responseLimit: Int = 16 << 20,
        connectTimeout: Duration = .seconds(10), stallTimeout: Duration = .seconds(60),
        progress: (@Sendable (_ sentBytes: Int64, _ totalBytes: Int64) -> Void)? = nil,
        receive: (@Sendable (_ bytes: UnsafeRawBufferPointer) -> Bool)? = nil
    ) {
        self.url = url
        self.method = method
        self.headers = headers
        self.body = body
        self.connection = connection
        self.version = version
        self.responseLimit = responseLimit
        self.connectTimeout = connectTimeout
        self.stallTimeout = stallTimeout
        self.progress = progress
        self.receive = receive
    }
}
