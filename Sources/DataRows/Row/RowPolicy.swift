/// What is done with each row of a manifest.
public enum RowOperation: String, Sendable, Codable, CaseIterable {
    case create, upsert, update, delete
}

/// Where a row's global key comes from.
public enum GlobalKeyPolicy: String, Sendable, Codable, CaseIterable {
    /// A row without one gets one that follows from its content.
    case derive
    /// A row without one is rejected.
    case require
    /// A row without one is sent without one.
    case off
}

/// The rules that rows are held to.
public struct RowPolicy: Sendable, Codable, Equatable {
    /// The operation, unless the manifest's own header names another.
    public var operation: RowOperation
    /// Where global keys come from.
    public var globalKey: GlobalKeyPolicy
    /// The media type for rows that give none.
    public var mediaType: String?
    /// The largest chunk, in bytes of UTF-8 JSON; Labelbox's own client stays below 10,000,000.
    public var maximumChunkBytes: Int
    /// The largest row, in bytes; a larger one is rejected without being held.
    public var maximumRowBytes: Int
    /// How deep lists and objects may be nested in a row: 1...64.
    public var maximumDepth: Int
    /// The longest inline text, in bytes of UTF-8; a longer one is uploaded as a file.
    public var maximumTextBytes: Int

    /// Creates a policy; all limits have the defaults of the service.
    public init(
        operation: RowOperation = .create, globalKey: GlobalKeyPolicy = .derive, mediaType: String? = nil,
        maximumChunkBytes: Int = 10_000_000, maximumRowBytes: Int = 10_000_000, maximumDepth: Int = 64,
        maximumTextBytes: Int = 65_536
    ) {
        self.operation = operation
        self.globalKey = globalKey
        self.mediaType = mediaType
        self.maximumChunkBytes = maximumChunkBytes
        self.maximumRowBytes = maximumRowBytes
        self.maximumDepth = maximumDepth
        self.maximumTextBytes = maximumTextBytes
    }

    var depthLimit: Int { min(max(maximumDepth, 1), 64) }
}
