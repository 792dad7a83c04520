public import DataRows
internal import Files
public import Foundation
internal import Intake
public import Settings
public import SystemPackage

/// A dry run of files and folders, one after the other, by the rules of the watches that they lie in.
public struct CheckRun: Sendable {
    public private(set) var totals = CheckTotals()
    /// Where rows would go: a few, however many manifests there are.
    public private(set) var datasets: Set<DatasetID> = []
    /// The metadata fields that there are; `nil` where nobody was asked.
    public var ontology: MetadataOntology?

    private let settings: Settings?
    private let watch: WatchSettings?
    private let workFolder: FilePath
    private let now: Date
    private let requestsPerMinute: Int

    /// - Parameters:
    ///   - settings: The configuration; `nil` where there is none: the defaults are the rules then.
    ///   - watch: By whose rules; `nil` for those of the watch that each file lies in.
    ///   - workFolder: For what does not fit into memory.
    ///   - now: For what expires.
    public init(settings: Settings?, watch: WatchSettings?, workFolder: FilePath, now: Date) {
        self.settings = settings
        self.watch = watch
        self.workFolder = workFolder
        self.now = now
        requestsPerMinute = (settings?.labelbox ?? LabelboxSettings()).requestsPerMinute
    }

    /// The drop folder that a path is judged in, and the path beneath it.
    private struct Scope {
        var watch: WatchSettings?
        var root: FilePath
        var beneath: FilePath
        var rules: FileRules
        var locator: MediaLocator
    }

    private func scope(_ path: FilePath, isFolder: Bool) -> Scope {
        let chosen = watch ?? settings?.watches.first { path.starts(with: $0.path.lexicallyNormalized()) }
        // What lies elsewhere is judged as if its folder were the drop folder.
        var root = isFolder ? path : path.removingLastComponent()
        if let chosen, path.starts(with: chosen.path.lexicallyNormalized()) {
            root = chosen.path.lexicallyNormalized()
        }
        var beneath = path
        _ = beneath.removePrefix(root)
        let rules: FileRules
        if let chosen {
            rules = Place.rules(of: chosen, state: settings?.stateDirectory ?? "/")
        } else {
            rules = FileRules(DropFolderSettings(name: "check", path: root, stateDirectory: "/"))
        }
        return Scope(
            watch: chosen, root: root, beneath: beneath, rules: rules,
            locator: MediaLocator(folder: root, mediaRoots: chosen?.mediaRoots ?? []))
    }

    /// Checks one manifest, whatever it is called.
    public mutating func manifest(
        _ path: FilePath, told: (ManifestCheck.Report) throws -> Void
    ) throws {
        try check(path, scope(path, isFolder: false), named: { _ in }, told: told)
    }

    /// Checks everything that a watch would take beneath a folder.
    ///
    /// - Parameters:
    ///   - path: Absolute.
    ///   - told: Given what was found in each manifest.
    ///   - unreadable: Told what could not be looked at.
    /// - Throws: ``ControlError`` when the folder cannot be read; what `told` throws.
    public mutating func folder(
        _ path: FilePath, told: (ManifestCheck.Report) throws -> Void, unreadable: @escaping (String) -> Void
    ) throws {
        let scope = scope(path, isFolder: true)
        // A number for each named file, not its name: what is left over is loose.
        var named: Set<Int> = []
        var media = 0
        var failures = 0
        do {
            try FolderSurvey.run(
                scope.root, part: scope.beneath, rules: scope.rules,
                unreadable: {
                    failures += 1
                    unreadable("\($0)")
                }
            ) { file, verdict, _ in
                switch verdict {
                case .manifest:
                    var scope = scope
                    scope.beneath = file
                    try check(
                        scope.root.pushing(file), scope,
                        named: { if $0.rootIndex == 0 { named.insert($0.relativePath.hashValue) } }, told: told)
                case .media: media += 1
                case .ignored, .temporary, .looseMediaIgnored: totals.ignoredFiles += 1
                case .own, .subfolder, .outside: break
                }
            }
            // Once more, for only now all names are known.
            if media > 0 {
                try FolderSurvey.run(scope.root, part: scope.beneath, rules: scope.rules, unreadable: { _ in }) {
                    file, verdict, bytes in
                    guard verdict == .media, !named.contains(file.hashValue) else { return }
                    totals.addLoose(bytes: bytes, dataset: scope.watch?.dataset ?? "")
                }
            }
        } catch let error as FileError {
            throw ControlError(
                VisibleText.of(path.string), why: "\(error.errno)", hint: "name a folder that you may read",
                status: error.errno == .noSuchFileOrDirectory ? .noInput : .io)
        }
        if totals.looseFiles > 0, let dataset = scope.watch?.dataset { datasets.insert(DatasetID(rawValue: dataset)) }
        totals.unreadable += failures
        if failures > 0 { totals.raise(.failed) }
    }

    private mutating func check(
        _ path: FilePath, _ scope: Scope, named: (MediaLocator.Place) -> Void,
        told: (ManifestCheck.Report) throws -> Void
    ) throws {
        var rules = ManifestCheck.Rules(
            scope.watch, requestsPerMinute: requestsPerMinute, locator: scope.locator)
        rules.ontology = ontology
        let report = try ManifestCheck(rules).report(
            path, beneath: scope.beneath, workFolder: workFolder, now: now, named: named)
        totals.add(report)
        if let dataset = report.dataset { datasets.insert(dataset) }
        try told(report)
    }

    /// Works out what all of it costs.
    public mutating func finish() {
        let rules = ManifestCheck.Rules(
            watch, requestsPerMinute: requestsPerMinute, locator: MediaLocator(folder: "/", mediaRoots: []))
        totals.finish(
            maximumChunkBytes: rules.policy.maximumChunkBytes, maximumRowsPerTask: rules.maximumRowsPerTask,
            requestsPerMinute: requestsPerMinute)
    }

    /// Takes what was found out online.
    public mutating func add(_ online: OnlineCheck.Report) {
        if !online.problems.isEmpty { totals.raise(.online) }
    }
}
