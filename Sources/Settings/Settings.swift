public import DataRows
public import SystemPackage

/// The whole configuration, with every default filled in and `defaults` merged into the watches.
public struct Settings: Sendable, Hashable {
    public var labelbox: LabelboxSettings
    /// Absolute.
    public var stateDirectory: FilePath
    public var ledger: LedgerLocation
    public var http: HTTPSettings
    public var log: LogSettings
    /// At least one; names are unique and paths do not lie in one another.
    public var watches: [WatchSettings]
}

/// The account and how to reach it.
public struct LabelboxSettings: Sendable, Hashable {
    /// URL of the GraphQL endpoint.
    public var endpoint: String
    /// Where the key is, unless it comes from systemd or the environment.
    public var apiKeyFile: FilePath?
    /// 1 to 100,000.
    public var requestsPerMinute: Int
    /// 1 to 20.
    public var maxConnections: Int
    /// Small media files that share one upload request, at most: 1 to 100; nil is `auto`.
    public var filesPerRequest: Int?
    public var bandwidth: BandwidthTimetable
    public var quietHours: QuietHours
    public var submitWith: SubmitMutation
    public var connectTimeout: Duration
    public var stallTimeout: Duration
    public var caFile: FilePath?
    /// URL; may hold a password.
    public var proxy: String?
}

/// Where the ledger is.
public enum LedgerLocation: Sendable, Hashable {
    /// A file in the state directory.
    case sqlite
}

/// The read-only door.
public struct HTTPSettings: Sendable, Hashable {
    /// Where to listen; `nil` means nowhere.
    public var listen: ListenAddress?

    /// Makes the defaults.
    public init() { self.init(SettingsValues([:], .http)) }
}

/// A host and a port to listen on.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name or an address, an IPv6 one without its brackets.
    public var host: String
    /// 0 lets the system choose.
    public var port: Int

    /// `HOST:PORT`, with brackets about an IPv6 address.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Reads `HOST:PORT`.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let port = UInt16(digits) else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("[") && host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" }) else { return nil }
        self.host = String(host)
        self.port = Int(port)
    }
}

public struct LogSettings: Sendable, Hashable {
    public var level: LogLevel
    public var format: LogFormat
}

/// One drop folder.
public struct WatchSettings: Sendable, Hashable {
    /// Letters, digits, dot, underscore and hyphen; unique.
    public var name: String
    /// Absolute.
    public var path: FilePath
    /// Id of the dataset for manifests that name none.
    public var dataset: String
    public var recursive: Bool
    public var settle: Duration
    public var rescan: Duration
    public var poll: Bool
    public var ignore: [String]
    public var manifests: [String]
    /// In bytes, once unpacked.
    public var maxManifestSize: Int64
    public var looseMedia: LooseMedia
    public var mediaGrace: Duration
    public var mediaWait: Duration
    /// Absolute.
    public var mediaRoots: [FilePath]
    /// In bytes; what is not there has no limit.
    public var mediaLimits: [MediaCategory: Int64]
    /// By extension, in lower case with its dot.
    public var contentTypes: [String: String]
    public var afterImport: AfterImport
    public var onInvalidRow: OnInvalidRow
    public var globalKey: GlobalKeyPolicy
    public var operations: Set<RowOperation>
    /// For manifests that do not say; among `operations` unless it is the default.
    public var operation: RowOperation
    public var unchangedRows: UnchangedRows
    /// 1 to 150,000.
    public var maxRowsPerTask: Int
    /// 1 to 10,000.
    public var deletesPerRequest: Int
    public var mediaURLAge: Duration
    public var linger: Duration
    /// For rows that give none; a name of Labelbox's.
    public var mediaType: MediaType?
}

/// The mutation that hands rows over.
public enum SubmitMutation: String, Sendable, CaseIterable {
    case upsertDataRows, appendRowsToDataset, createDataRow
}

/// What is logged; what is less severe is left out.
public enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
}

/// How log lines look.
public enum LogFormat: String, Sendable, CaseIterable {
    case auto, journald, text, json
}

/// What becomes of media that no manifest names.
public enum LooseMedia: String, Sendable, CaseIterable {
    case `import`, ignore
}

/// What becomes of files when their import has ended.
public enum AfterImport: String, Sendable, CaseIterable {
    case archive, delete, keep
}

/// What becomes of a manifest with invalid rows.
public enum OnInvalidRow: String, Sendable, CaseIterable {
    case skip, reject
}

/// What becomes of rows without a global key.
public enum GlobalKeyPolicy: String, Sendable, CaseIterable {
    case derive, require, off
}

/// What a manifest may ask for.
public enum RowOperation: String, Sendable, CaseIterable {
    case create, upsert, update, delete
}

/// What becomes of rows of an upsert that are as they should be.
public enum UnchangedRows: String, Sendable, CaseIterable {
    case skip, send
}

/// Labelbox's names for kinds of data.
public enum MediaType: String, Sendable, CaseIterable {
    case image = "IMAGE"
    case video = "VIDEO"
    case audio = "AUDIO"
    case text = "TEXT"
    case pdf = "PDF"
    case html = "HTML"
    case conversational = "CONVERSATIONAL"
    case tmsGeo = "TMS_GEO"
    case tmsSimple = "TMS_SIMPLE"
    case pointCloud = "POINT_CLOUD"
    case llm = "LLM"
}
