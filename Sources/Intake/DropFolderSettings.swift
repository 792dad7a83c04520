public import DataRows
public import Files
public import SystemPackage

/// One watch of the configuration, as far as files are concerned.
public struct DropFolderSettings: Hashable, Sendable {
    /// What happens to dropped files after their import.
    public enum AfterImport: String, Hashable, Sendable, CaseIterable { case archive, delete, keep }

    /// What happens to media that no manifest names.
    public enum LooseMedia: String, Hashable, Sendable, CaseIterable { case `import`, ignore }

    /// Names the watch's folders in the state directory.
    public var name: String
    public var path: FilePath
    public var stateDirectory: FilePath
    public var recursive = true
    /// How long a file that was not moved in atomically must be left alone.
    public var settle: Duration = .seconds(2)
    /// How often everything is looked at, whatever the events say.
    public var rescan: Duration = .seconds(60)
    /// Look at intervals instead of trusting events, as on a network file system.
    public var poll = false
    public var ignore = [Glob("*.part"), Glob("*.tmp"), Glob("*~"), Glob(".*")]
    public var manifests = ["*.json", "*.jsonl", "*.ndjson", "*.json.gz", "*.jsonl.gz", "*.ndjson.gz"].map(Glob.init)
    public var looseMedia = LooseMedia.import
    /// Tells which names are those of media, for their sidecars.
    public var media = MediaRules()
    /// How long loose media waits for a manifest that names it.
    public var mediaGrace: Duration = .seconds(30)
    /// How long a manifest waits for media that it names.
    public var mediaWait: Duration = .seconds(600)
    /// Folders outside `path` from which manifests may name files.
    public var mediaRoots: [FilePath] = []
    public var afterImport = AfterImport.archive
    /// Whether no other process may use this folder; false where several hosts share it by a shared ledger.
    public var exclusive = true

    public init(name: String, path: FilePath, stateDirectory: FilePath) {
        self.name = name
        self.path = path
        self.stateDirectory = stateDirectory
    }
}

/// Bounds on what a drop folder holds in memory.
public struct DropFolderLimits: Hashable, Sendable {
    /// Files that settle at once, for manifests and for media each.
    ///
    /// More wait for a later scan.
    public var settling = 50_000
    /// Paths with hints that wait to be looked at; past it everything is scanned.
    public var hints = 16_384
    /// Looks at files in one go, before others get their turn.
    public var looksAtOnce = 4_096
    /// Files remembered as handed out.
    ///
    /// Past it the daemon forgets, and its ledger must know them again.
    public var handedOut = 2_000_000

    public init() {}
}
