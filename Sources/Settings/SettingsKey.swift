internal import DataRows

/// What a key of the configuration takes.
public enum SettingsKind: Sendable, Hashable {
    /// Any text.
    case text
    /// A name that can be part of a path: letters, digits, dot, underscore, hyphen.
    case name
    /// An id without white space.
    case identifier
    /// An absolute path.
    case path
    /// A URL with one of these schemes and a host.
    case url([String])
    /// `HOST:PORT`.
    case address
    /// `sqlite`, or the address of a database server.
    case ledger
    case boolean
    case integer(ClosedRange<Int>)
    /// `auto`, or a whole number.
    case automatic(ClosedRange<Int>)
    case duration(ClosedRange<Duration>)
    case size(ClosedRange<Int64>)
    case choice([String])
    /// A list of one or more of these, none twice.
    case choices([String])
    /// A list of patterns or other texts, none empty.
    case texts
    /// A list of absolute paths.
    case paths
    /// A limit, or limits by the time of the week: ``BandwidthTimetable``.
    case timetable
    /// A list of times of the week: ``QuietHours``.
    case hours
    /// A mapping from some of these names to sizes; `null` is no limit.
    case sizes([String])
    /// A mapping from extensions of names, such as `.xyz`, to content types.
    case contentTypes
    /// A mapping with the keys of that section.
    case section(SettingsSection)
    /// A list of such mappings.
    case sections(SettingsSection)
}

/// A place in the configuration that has keys of its own.
public enum SettingsSection: String, Sendable, CaseIterable {
    case top, labelbox, http, log, watch
    /// The keys of a watch without those that only make sense in one.
    case defaults
}

/// One key of the configuration: the source of the decoder, the schema, the example and the manual.
public struct SettingsKey: Sendable, Hashable {
    public let section: SettingsSection
    public let name: String
    public let kind: SettingsKind
    /// The default as it would be written in the file; `nil` when the key must be given.
    public let defaultText: String?
    /// One line that says what it does.
    public let doc: String

    /// Whether `null` may be given.
    public var isNullable: Bool { defaultText == "null" }

    init(_ section: SettingsSection, _ name: String, _ kind: SettingsKind, _ defaultText: String?, _ doc: String) {
        self.section = section
        self.name = name
        self.kind = kind
        self.defaultText = defaultText
        self.doc = doc
    }
}

extension SettingsKey {
    /// Every key there is, in the order in which a file shows them.
    public static let all: [SettingsKey] = top + labelbox + http + log + watch + defaults

    /// The keys of a section, in order.
    public static func keys(of section: SettingsSection) -> [SettingsKey] {
        switch section {
        case .top: top
        case .labelbox: labelbox
        case .http: http
        case .log: log
        case .watch: watch
        case .defaults: defaults
        }
    }

    private static let top: [SettingsKey] = [
        SettingsKey(.top, "labelbox", .section(.labelbox), "{}", "the account and how to reach it"),
        SettingsKey(
            .top, "state_directory", .path, "/var/lib/datarowd", "ledger, status/, results/, archive/ and failed/"),
        SettingsKey(.top, "ledger", .ledger, "sqlite", "where the record of all work is kept: sqlite"),
        SettingsKey(.top, "http", .section(.http), "{}", "the read-only door for metrics and status"),
        SettingsKey(.top, "log", .section(.log), "{}", "what is logged, and how"),
        SettingsKey(
            .top, "defaults", .section(.defaults), "{}", "any key of a watch but name and path, for all watches"),
        SettingsKey(.top, "watches", .sections(.watch), nil, "the drop folders"),
    ]

    private static let labelbox: [SettingsKey] = [
        SettingsKey(
            .labelbox, "endpoint", .url(["https", "http"]), "https://api.labelbox.com/graphql", "the GraphQL endpoint"),
        SettingsKey(
            .labelbox, "api_key_file", .path, "null",
            "holds the API key; else the systemd credential \"labelbox-api-key\", else $LABELBOX_API_KEY"),
        SettingsKey(
            .labelbox, "requests_per_minute", .integer(1...100_000), "1200",
            "the account's budget; answers of 429 slow it further, nothing speeds it up past this"),
        SettingsKey(
            .labelbox, "max_connections", .integer(1...20), "8",
            "concurrent requests, adapted downwards under stress"),
        SettingsKey(
            .labelbox, "files_per_request", .automatic(1...100), "auto",
            "small media files that share one upload request, at most; auto is 10, and 1 from when the server refuses it"
        ),
        SettingsKey(
            .labelbox, "bandwidth", .timetable, "\"off\"",
            "how fast uploads go, bytes a second by local time, as rclone has it: 10M, or 08:00,512k 19:00,10M 23:00,off"
        ),
        SettingsKey(
            .labelbox, "quiet_hours", .hours, "[]",
            "local times in which nothing is uploaded or handed over, such as [\"Mon-Fri 08:00-18:00\"]; tasks are followed"
        ),
        SettingsKey(
            .labelbox, "submit_with", .choice(SubmitMutation.allCases.map(\.rawValue)), "upsertDataRows",
            "the mutation that hands rows over; the others are for older servers"),
        SettingsKey(
            .labelbox, "connect_timeout", .duration(.milliseconds(100)...minutes(10)), "10s",
            "for a connection to stand"),
        SettingsKey(
            .labelbox, "stall_timeout", .duration(.seconds(1)...days(1)), "60s",
            "no bytes moved for this long; a healthy transfer may take as long as it takes"),
        SettingsKey(.labelbox, "ca_file", .path, "null", "certificates to trust instead of the system's (PEM)"),
        SettingsKey(
            .labelbox, "proxy", .url(["http", "https", "socks5", "socks5h"]), "null",
            "else the usual https_proxy and no_proxy of the environment"),
    ]

    private static let http: [SettingsKey] = [
        SettingsKey(
            .http, "listen", .address, "null",
            "such as 127.0.0.1:9464, for /metrics, /healthz, /status.json and the status page (read-only)")
    ]

    private static let log: [SettingsKey] = [
        SettingsKey(
            .log, "level", .choice(LogLevel.allCases.map(\.rawValue)), "info", "what is less severe is left out"),
        SettingsKey(
            .log, "format", .choice(LogFormat.allCases.map(\.rawValue)), "auto",
            "auto is journald under systemd, text on a terminal, json otherwise"),
    ]

    private static let watch: [SettingsKey] = [
        SettingsKey(.watch, "name", .name, nil, "names the watch in status, logs and the archive; unique"),
        SettingsKey(.watch, "path", .path, nil, "the folder that is watched"),
        SettingsKey(
            .watch, "dataset", .identifier, nil, "id of the dataset that rows go to, unless the manifest names one"),
        SettingsKey(.watch, "recursive", .boolean, "true", "whether folders in the folder are watched too"),
        SettingsKey(
            .watch, "settle", .duration(.zero ... .seconds(3_600)), "2s",
            "quiet time for what was not moved in atomically"),
        SettingsKey(
            .watch, "rescan", .duration(.seconds(1)...days(1)), "60s",
            "the longest that a file stays unseen when every notification is lost"),
        SettingsKey(
            .watch, "poll", .boolean, "false", "looks only by rescans; chosen by itself on network file systems"),
        SettingsKey(
            .watch, "ignore", .texts, #"["*.part", "*.tmp", "*~", ".*"]"#, "patterns of names that are never touched"),
        SettingsKey(
            .watch, "manifests", .texts,
            #"["*.json", "*.jsonl", "*.ndjson", "*.json.gz", "*.jsonl.gz", "*.ndjson.gz"]"#,
            "patterns of names that are manifests; any other file is media"),
        SettingsKey(
            .watch, "max_manifest_size", .size(1...(16 << 40)), "64GiB",
            "a manifest that is larger once unpacked is rejected, which stops decompression bombs"),
        SettingsKey(
            .watch, "loose_media", .choice(LooseMedia.allCases.map(\.rawValue)), "import",
            "media that no manifest names: import or ignore"),
        SettingsKey(
            .watch, "media_grace", .duration(.zero...days(1)), "30s",
            "how long loose media waits for a manifest that names it"),
        SettingsKey(
            .watch, "media_wait", .duration(.zero...days(30)), "10m",
            "how long a manifest waits for media that it names"),
        SettingsKey(.watch, "media_roots", .paths, "[]", "folders outside 'path' from which manifests may name files"),
        SettingsKey(
            .watch, "media_limits", .sizes(MediaCategory.allCases.map(\.rawValue)),
            "{image: 256MiB, video: 1GiB, audio: 256MiB, text: 256MiB, html: null, pdf: null, geospatial: null, "
                + "point_cloud: null, other: null}",
            "the largest file of each kind that is uploaded; null is no limit, and what is left out has its default"),
        SettingsKey(
            .watch, "content_types", .contentTypes, "{}",
            "what files are sent as, by extension, such as {\".xyz\": \"application/foo\"}; the rest by a table and their first bytes"
        ),
        SettingsKey(
            .watch, "after_import", .choice(AfterImport.allCases.map(\.rawValue)), "archive",
            "what becomes of imported files: archive, delete or keep"),
        SettingsKey(
            .watch, "on_invalid_row", .choice(OnInvalidRow.allCases.map(\.rawValue)), "skip",
            "skip imports the good rows and reports the bad; reject is all or nothing"),
        SettingsKey(
            .watch, "global_key", .choice(GlobalKeyPolicy.allCases.map(\.rawValue)), "derive",
            "for rows without a global key: derive one, require (reject them), or off (at least once)"),
        SettingsKey(
            .watch, "operations", .choices(RowOperation.allCases.map(\.rawValue)), "[create, upsert, update]",
            "what manifests may ask for; delete cascades to labels and cannot be undone"),
        SettingsKey(
            .watch, "operation", .choice(RowOperation.allCases.map(\.rawValue)), "create",
            "what is done with the rows of a manifest that does not say; one of 'operations'"),
        SettingsKey(
            .watch, "unchanged_rows", .choice(UnchangedRows.allCases.map(\.rawValue)), "skip",
            "rows of an upsert that are at Labelbox as the manifest says: skip, which looks at each first, or send"),
        SettingsKey(.watch, "max_rows_per_task", .integer(1...150_000), "20000", "rows in one task at Labelbox"),
        SettingsKey(.watch, "deletes_per_request", .integer(1...10_000), "4000", "rows deleted by one request"),
        SettingsKey(
            .watch, "media_url_age", .duration(.zero...days(30)), "12h", "how long an uploaded URL may be used again"),
        SettingsKey(.watch, "linger", .duration(.zero...minutes(1)), "500ms", "how long a batch waits for more rows"),
        SettingsKey(
            .watch, "media_type", .choice(MediaType.allCases.map(\.rawValue)), "null", "for rows that give none"),
    ]

    private static let defaults: [SettingsKey] = watch.filter { $0.name != "name" && $0.name != "path" }
        .map { SettingsKey(.defaults, $0.name, $0.kind, $0.defaultText, $0.doc) }
}

private func minutes(_ count: Int) -> Duration { .seconds(60 * count) }
private func days(_ count: Int) -> Duration { .seconds(86_400 * count) }
