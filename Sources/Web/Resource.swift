/// What can be asked for.
public enum Resource: String, Sendable, CaseIterable {
    /// The page.
    case page = "/"
    /// Whether all is well.
    case health = "/healthz"
    /// For Prometheus.
    case metrics = "/metrics"
    /// The document of `status/datarowd.json`.
    case status = "/status.json"
    /// What the page shows; for the page alone, and different in each version.
    case pageDocument = "/page.json"
    /// The last hour, likewise.
    case history = "/history.json"
}

/// What is sent for a resource.
public struct Content: Sendable {
    public var type: String
    public var body: [UInt8]
    /// Whether there is something amiss, which the status of the answer tells.
    public var isUnavailable: Bool

    /// Creates it; `type` is that of the header `Content-Type`.
    public init(type: String, body: [UInt8], isUnavailable: Bool = false) {
        self.type = type
        self.body = body
        self.isUnavailable = isUnavailable
    }
}
