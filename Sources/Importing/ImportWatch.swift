public import DataRows
public import Intake

/// One watch of the configuration, as far as imports are concerned.
public struct ImportWatch: Sendable {
    /// What becomes of a manifest with invalid rows.
    public enum InvalidRows: String, Sendable, Codable {
        /// The good rows are imported, the bad ones reported.
        case skip
        /// All or nothing.
        case reject
    }

    public var folder: DropFolder
    /// Where rows go unless their manifest says otherwise.
    public var datasetID: DatasetID?
    /// What manifests may ask for.
    public var operations: Set<RowOperation>
    public var policy: RowPolicy
    /// Whether rows of an upsert are not sent where they are as they should be.
    public var skipsUnchangedRows: Bool
    public var invalidRows: InvalidRows
    public var maximumRowsPerTask: Int
    /// The most rows that one request deletes.
    public var deletesPerRequest: Int
    public var linger: Duration
    /// The most bytes of a manifest, once inflated.
    public var maximumManifestBytes: Int64
    /// How long an uploaded URL may be used again.
    public var mediaURLAge: Duration

    /// The watch's name.
    public var name: String { folder.settings.name }

    public init(
        folder: DropFolder, datasetID: DatasetID?, operations: Set<RowOperation>, policy: RowPolicy,
        skipsUnchangedRows: Bool = true, invalidRows: InvalidRows, maximumRowsPerTask: Int,
        deletesPerRequest: Int = 4_000, linger: Duration,
        maximumManifestBytes: Int64, mediaURLAge: Duration
    ) {
        self.folder = folder
        self.datasetID = datasetID
        self.operations = operations
        self.policy = policy
        self.skipsUnchangedRows = skipsUnchangedRows
        self.invalidRows = invalidRows
        self.maximumRowsPerTask = maximumRowsPerTask
        self.deletesPerRequest = deletesPerRequest
        self.linger = linger
        self.maximumManifestBytes = maximumManifestBytes
        self.mediaURLAge = mediaURLAge
    }
}
