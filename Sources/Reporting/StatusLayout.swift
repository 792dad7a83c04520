internal import Files
public import SystemPackage

/// Where the status files are.
///
/// `STATE/status/WATCH/PATH.status.json`, where a last name that would have more than 255 bytes is cut and ends in
/// `~` and 16 hex digits of the FNV-1a hash of the whole name.
public struct StatusLayout: Sendable, Hashable {
    /// The folder `status` itself.
    public var root: FilePath

    /// - Parameter stateDirectory: as configured.
    public init(stateDirectory: FilePath) { root = stateDirectory.appending("status") }

    /// The daemon's own status.
    public var daemonFile: FilePath { root.appending("datarowd.json") }
    /// The metrics, for node_exporter's textfile collector.
    public var metricsFile: FilePath { root.appending("metrics.prom") }
    /// The revision of the ledger up to which every status is written.
    public var revisionFile: FilePath { root.appending(".revision") }
    /// The revision of the ledger up to which every status survives a loss of power.
    public var sealFile: FilePath { root.appending(".sealed") }

    /// The status of a manifest that was dropped at `path`, relative to the watched folder.
    public func file(watch: String, path: FilePath) -> FilePath {
        var file = root
        file.components.append(Self.component(Array(watch.utf8)))
        var names = path.components.filter { $0.kind == .regular }.map { FilePath(root: nil, [$0]).bytes }
        let last = names.popLast() ?? []
        for name in names { file.components.append(Self.component(name)) }
        file.components.append(Self.component(Self.statusName(last)))
        return file
    }

    static let suffix = Array(".status.json".utf8)

    static func statusName(_ name: [UInt8]) -> [UInt8] { FittingName.of(name, suffix: suffix) }

    private static func component(_ bytes: [UInt8]) -> FilePath.Component {
        // A name is empty or holds a slash only where a watch is misnamed; the file must stay in the folder all the same.
        let name = FilePath(bytes: bytes.map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0 }).components.last
        guard let name, name.kind == .regular else { return FilePath.Component("_") }
        return name
    }
}
