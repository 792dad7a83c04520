internal import DataRows
internal import Files
internal import Foundation
internal import Intake
internal import Ledger
internal import SystemPackage

/// Pass 1: reads a claimed manifest whole, and makes the plan by which it goes on.
///
/// Nothing is sent before the last byte was read: a manifest that is cut off or malformed imports nothing.
struct Planning: Sendable {
    let watches: WatchBoard
    let ledger: any LedgerStore
    let workFolder: WorkFolder
    let workbench: Workbench
    let context: StageContext
    /// Rung when there are media files to find or upload, segments to seal, or imports to close.
    let uploading: Bell
    let sealing: Bell
    let closing: Bell

    func stage(bell: Bell, grants: @escaping @Sendable () -> LeaseGrant) -> Stage<[Leased<ImportRecord>]> {
        Stage(
            name: "planning", width: { Self.width }, bell: bell,
            lease: { hands in
                Self.together(
                    try await ledger.leaseImports(in: .claimed, for: grants(), limit: hands * Self.importsTogether))
            },
            nextDue: { try await ledger.nextDue(.imports(.claimed), after: $0) },
            work: plan,
            giveBack: { items, error in
                try await items.eachGivenBack { try await postpone($0, error) }
            })
    }

    private func postpone(_ item: Leased<ImportRecord>, _ error: any Error) async throws {
        let now = context.clock.now
        try await ledger.postpone(
            item, until: now.advanced(by: DiskTrouble.isOne(error) ? DiskTrouble.wait : .seconds(30)),
            reason: "reading it failed: \(error)", at: now)
    }

    /// So many lists of imports at a time: they share commits, and one that takes long does not hold up the others.
    private static let width = 4
    /// Small manifests cost a commit each and little else, so many at a time share a thread's turn and the commits.
    private static let importsTogether = 16
    /// A manifest past this size is not small.
    private static let small: Int64 = 256 << 10
    /// A manifest past this size takes memory of its own (a window and a table of repetitions), so one at a time is read.
    private static let large: Int64 = 4 << 20
    private let largeTurns = Turns<Bool>()

    /// Lists of small ones, and each of the others alone.
    private static func together(_ items: [Leased<ImportRecord>]) -> [[Leased<ImportRecord>]] {
        var lists: [[Leased<ImportRecord>]] = []
        var small: [Leased<ImportRecord>] = []
        for item in items {
            guard item.item.bytes <= Self.small, !isCompressed(item.item) else {
                lists.append([item])
                continue
            }
            small.append(item)
            if small.count == importsTogether {
                lists.append(small)
                small = []
            }
        }
        return small.isEmpty ? lists : lists + [small]
    }

    private static func isCompressed(_ record: ImportRecord) -> Bool {
        record.path.string.lowercased().hasSuffix(".gz")
    }

    // MARK: Several imports

    private func plan(_ items: [Leased<ImportRecord>]) async throws {
        var works: [(item: Leased<ImportRecord>, draft: PlanDraft)] = []
        for item in items {
            if let watch = watches[item.item.watch] {
                works.append((item, PlanDraft(record: item.item, watch: watch)))
                continue
            }
            let now = context.clock.now
            try await ledger.postpone(
                item, until: now.advanced(by: .seconds(60)),
                reason: "its watch '\(item.item.watch)' is not configured any more; add it again, or cancel the import",
                at: now)
        }
        let isAlone = works.count == 1
        guard let first = works.first else { return }
        let readings =
            if isAlone, first.item.item.bytes > Self.large || Self.isCompressed(first.item.item) {
                try await largeTurns.alone(with: true) { try await read(works) }
            } else {
                try await read(works)
            }
        // What becomes of one must not depend on the others.
        let failure = await withTaskGroup(of: (any Error)?.self) { group in
            for (work, reading) in zip(works, readings) {
                group.addTask {
                    do {
                        try await end(work.item, work.draft, reading)
                        return nil
                    } catch {
                        let isOver = error is CancellationError || Task.isCancelled
                        // If it cannot be put back just now, that is done with the others.
                        if !isAlone, !isOver { try? await postpone(work.item, error) }
                        return error
                    }
                }
            }
            return await group.reduce(nil) { $0 ?? $1 }
        }
        if let failure { throw failure }
    }

    /// Records what reading came to.
    private func end(
        _ item: Leased<ImportRecord>, _ draft: PlanDraft, _ reading: Result<Void, any Error>
    ) async throws {
        let record = item.item
        do {
            try reading.get()
        } catch let error as ManifestError {
            if error.isTruncation, record.attempts < Self.truncationWaits.count {
                let now = context.clock.now
                let next = now.advanced(by: Self.truncationWaits[record.attempts])
                return try await ledger.postpone(
                    item, until: next,
                    reason: "it ends too early (\(error)); it is read again in case it is still being written",
                    at: now)
            }
            draft.end(
                .rejected, "the manifest cannot be read, and nothing of it was imported",
                ErrorEntry(
                    row: error.row, byteOffset: error.byteOffset, pointer: error.pointer, code: error.code,
                    message: "\(error)"))
        } catch let error as IntakeRefusal {
            draft.end(
                .rejected,
                error.code == IntakeRefusal.unreadable
                    ? "the manifest cannot be read, and nothing of it was imported" : "\(error)",
                ErrorEntry(code: error.code, message: "\(error)"))
        }
        try await finish(item, draft)
    }

    /// How long a manifest that ends too early is waited for: a minute in all.
    private static let truncationWaits: [Duration] = [
        .seconds(2), .seconds(4), .seconds(8), .seconds(16), .seconds(32),
    ]

    /// Reads manifests one after the other.
    private func read(
        _ works: [(item: Leased<ImportRecord>, draft: PlanDraft)]
    ) async throws -> [Result<Void, any Error>] {
        let abandonment = Abandonment()
        return try await abandonment.guarding {
            try await workbench.run {
                works.map { item, draft in Result { try read(item, draft, abandonment) } }
            }
        }
    }

    private func read(_ item: Leased<ImportRecord>, _ draft: PlanDraft, _ abandonment: Abandonment) throws {
        _ = try Self.survey(
            draft, workFolder, now: context.clock.now, isCancelled: { abandonment.isAbandoned }, again: {}
        ) { _ in
            if draft.segmentIsFull { try store(item, draft) }
        }
        try checkSidecar(draft)
        // Before the plan that relies on them is recorded, the names of the files that were made are durable as well.
        if draft.needsWorkFolder { try DiskSync().folder(workFolder.folder(of: item.item.id)) }
    }

    /// Reads the claimed manifest into its draft.
    ///
    /// `row` is told of each row that was taken; `again` that all is told anew.
    static func survey(
        _ draft: PlanDraft, _ workFolder: WorkFolder, now: Date, isCancelled: () -> Bool, again: () -> Void,
        row taken: (SurveyedRow) throws -> Void
    ) throws -> SurveySummary {
        let manifest = try openManifest(draft, workFolder, isCancelled: isCancelled)
        let id = draft.record.id
        let summary = try ManifestSurvey.run(
            manifest, policy: draft.watch.policy, now: Int(now.timeIntervalSince1970), keys: workFolder.keys(id),
            prepare: { try workFolder.create(for: id) }, isCancelled: isCancelled,
            again: {
                draft.beginAgain()
                again()
            }
        ) { row in
            try draft.take(row, workFolder: workFolder)
            try taken(row)
        }
        try draft.finish(summary, workFolder: workFolder)
        return summary
    }

    /// Opens the claimed manifest, unfolded if it is compressed.
    static func openManifest(
        _ draft: PlanDraft, _ workFolder: WorkFolder, isCancelled: () -> Bool
    ) throws -> ManifestFile {
        guard let format = ManifestFormat(fileName: draft.record.path.string) else {
            throw IntakeRefusal(
                "its name ends in none of .json, .jsonl, .ndjson (perhaps with .gz), so its layout is not known")
        }
        draft.format = format
        // Named as it was dropped, for that is the name that people know.
        let manifest = try ManifestFile(
            descriptor: try openClaimed(draft.record.claimedPath), name: draft.record.path.string, format: format)
        guard format.isCompressed else {
            if let sidecar = try openSidecar(manifest, draft, workFolder) { return sidecar }
            guard manifest.byteCount <= draft.watch.maximumManifestBytes else {
                throw IntakeRefusal(
                    "it has \(manifest.byteCount) bytes, and max_manifest_size allows \(draft.watch.maximumManifestBytes): "
                        + "split it, or raise the limit")
            }
            return manifest
        }
        try workFolder.create(for: draft.record.id)
        draft.isInflated = true
        return try ManifestInflation.inflate(
            manifest, to: workFolder.inflated(draft.record.id),
            limits: InflationLimits(maximumBytes: draft.watch.maximumManifestBytes),
            isCancelled: isCancelled)
    }

    private static func openClaimed(_ path: FilePath) throws -> FileDescriptor {
        do {
            return try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
        } catch Errno.noSuchFileOrDirectory where !FolderAbsence.isAway(path.removingLastComponent()) {
            throw IntakeRefusal(
                "the claimed manifest is gone: somebody took it away, or put another folder in the place of the watched one; "
                    + "drop it again", code: "manifest_lost")
        }
    }

    /// The one row that a sidecar stands for; nil if the file is a manifest like others.
    private static func openSidecar(
        _ file: ManifestFile, _ draft: PlanDraft, _ workFolder: WorkFolder
    ) throws -> ManifestFile? {
        guard case .sidecar(_, let media) = draft.watch.folder.rules.verdict(draft.record.path) else { return nil }
        let path = media.string
        guard path.utf8.elementsEqual(media.bytes), let name = media.lastComponent?.string else {
            throw IntakeRefusal(
                "the name of its media file is not valid UTF-8, which JSON cannot hold: rename both",
                code: "invalid_sidecar")
        }
        try workFolder.create(for: draft.record.id)
        guard
            let row = try SidecarManifest.expand(
                file, media: "./\(name)", externalID: path, to: workFolder.inflated(draft.record.id),
                maximumBytes: draft.watch.policy.maximumRowBytes)
        else { return nil }
        guard draft.watch.folder.settings.looseMedia == .import else {
            throw IntakeRefusal(
                "it is a sidecar of \(name), and this watch imports no media on its own ('loose_media' is ignore): "
                    + "write a manifest that names the media", code: "sidecar_not_allowed")
        }
        draft.sidecarOf = media
        draft.format = ManifestFormat(.lines)
        draft.isInflated = true
        return row
    }

    /// Refuses a sidecar whose media a manifest names: that manifest says what becomes of it.
    ///
    /// Called on a thread of the workbench.
    private func checkSidecar(_ draft: PlanDraft) throws {
        guard let media = draft.sidecarOf else { return }
        let isNamed = try Workbench.wait {
            try await !ledger.namedPaths(watch: draft.record.watch, among: [media]).isEmpty
        }
        guard isNamed else { return }
        throw IntakeRefusal(
            "\(media.string) is being imported by another manifest, and then its sidecar does not count: put the keys into "
                + "that manifest, or drop the sidecar again, with the media, once that import has ended",
            code: "sidecar_unused")
    }

    // MARK: Storing segments

    /// Stores what is complete, so that no plan has to fit into memory.
    ///
    /// Called on a thread of the workbench.
    private func store(_ item: Leased<ImportRecord>, _ draft: PlanDraft) throws {
        let segments = draft.takeSegments()
        let isFirst = draft.isFirstPart
        draft.isFirstPart = false
        try Workbench.wait {
            try await ledger.recordSegments(
                await located(segments, draft), of: item, isFirst: isFirst, at: context.clock.now)
        }
    }

    /// The folder does nothing else while so many are looked for.
    private static let filesAtOnce = 256

    /// Finds the files that segments name.
    private func located(
        _ segments: [PlanDraft.Segment], _ draft: PlanDraft
    ) async -> [PlannedSegment] {
        let manifest = draft.record.path
        var planned: [PlannedSegment] = []
        for segment in segments {
            var result = segment.planned
            var rest = segment.mediaNames[...]
            while !rest.isEmpty {
                let names = rest.prefix(Self.filesAtOnce)
                rest = rest.dropFirst(names.count)
                let found = await draft.watch.folder.resolveMedia(paths: names, manifestRelativePath: manifest)
                for (name, resolution) in zip(names, found) {
                    var reference = MediaReference(name: name, resolution: resolution, manifest: manifest)
                    reference.expected = draft.expectation(of: name)
                    result.media.append(reference)
                }
            }
            planned.append(result)
        }
        return planned
    }

    private func finish(_ item: Leased<ImportRecord>, _ draft: PlanDraft) async throws {
        draft.judge()
        var plan = draft.plan
        plan.segments = await located(draft.takeSegments(), draft)
        plan.problemsPart = draft.problemsPart
        try await ledger.recordPlan(plan, of: item, isFirst: draft.isFirstPart, at: context.clock.now)
        context.observer.planned(
            watch: draft.record.watch, id: draft.record.id, path: draft.record.path, rows: plan.totalRows,
            rejected: plan.rejectedRows, warnings: plan.warningsTotal, segments: draft.segmentCount)
        if draft.hasMedia { uploading.ring() }
        sealing.ring()
        closing.ring()
    }
}

/// A manifest that cannot be read for a reason of its own.
struct IntakeRefusal: Error, CustomStringConvertible {
    let description: String
    /// A stable word for programs.
    let code: String
    static let unreadable = "unreadable_manifest"
    init(_ description: String, code: String = unreadable) {
        self.description = description
        self.code = code
    }
}

extension MediaReference {
    init(name: String, resolution: MediaResolution, manifest: FilePath) {
        switch resolution {
        case .ready(let media):
            self.init(
                name: name, root: media.rootIndex, path: media.relativePath, identity: MediaIdentity(media.identity))
        case .settling, .missing:
            self.init(name: name, root: 0, path: Self.expected(name, besides: manifest), identity: nil)
        case .refused(let refusal) where refusal.isPassing:
            // As one that is not there yet: it is looked at again when it is to be uploaded.
            self.init(name: name, root: 0, path: Self.expected(name, besides: manifest), identity: nil)
        case .refused(let refusal):
            self.init(
                name: name, root: 0, path: Self.expected(name, besides: manifest), identity: nil,
                failure: ErrorEntry(code: refusal.code.rawValue, message: "\(name): \(refusal.message)"))
        }
    }

    /// How to ask for the file again: as written where that is absolute, else relative to the drop folder.
    private static func expected(_ name: String, besides manifest: FilePath) -> FilePath {
        let path = FilePath(name)
        if path.isAbsolute || name.hasPrefix("file:") { return path }
        // `./a.jpg` is `a.jpg`: by this path loose media is told from media that is named.
        return manifest.removingLastComponent().appending(path.components).lexicallyNormalized()
    }
}

extension MediaIdentity {
    init(_ identity: FileIdentity) {
        self.init(
            device: identity.device, inode: identity.inode, size: identity.size, modified: identity.modified,
            changed: identity.changed)
    }
}
