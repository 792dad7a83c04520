internal import DataRows
internal import Files
internal import Foundation
internal import Intake
internal import Ledger
internal import Results
internal import SystemPackage

/// Ends imports: joins their results, puts their manifests away, and lets go of what they held.
///
/// The order is what makes a crash harmless: where things go is recorded first, then results are written and synced, then
/// the manifest is moved, and only then is the import closed. Each step done twice is the same as done once.
struct Closings: Sendable {
    let watches: WatchBoard
    let ledger: any LedgerStore
    let workFolder: WorkFolder
    let stateDirectory: FilePath
    let workbench: Workbench
    let context: StageContext
    let leaving: Bell

    /// So many imports share the syncs.
    private static let importsAtOnce = 500

    func stage(bell: Bell, grants: @escaping @Sendable () -> LeaseGrant) -> Stage<[Leased<ImportRecord>]> {
        Stage(
            name: "closing", width: { 1 }, bell: bell,
            lease: { _ in
                let items = try await ledger.leaseImports(in: .closing, for: grants(), limit: Self.importsAtOnce)
                return items.isEmpty ? [] : [items]
            },
            nextDue: { try await ledger.nextDue(.imports(.closing), after: $0) },
            work: close,
            giveBack: { items, error in
                for item in items { try await postpone(item, error) }
            })
    }

    private func postpone(_ item: Leased<ImportRecord>, _ error: any Error) async throws {
        let now = context.clock.now
        do {
            try await ledger.postpone(
                item, until: now.advanced(by: DiskTrouble.isOne(error) ? DiskTrouble.wait : .seconds(10)),
                reason: "\(error)", at: now)
        } catch LedgerError.leaseLost {
            // It was closed before the error came about.
        }
    }

    // MARK: A batch

    private func close(_ items: [Leased<ImportRecord>]) async throws {
        var closings: [ClosingPlan] = []
        var taken = Set<FilePath>()
        for item in items {
            guard let watch = watches[item.item.watch] else {
                try await postpone(item, IntakeRefusal("its watch '\(item.item.watch)' is not configured any more"))
                continue
            }
            do {
                closings.append(
                    try ClosingPlan(
                        item, watch, keepsFiles: await watch.folder.keepsFiles(), stateDirectory: stateDirectory,
                        avoiding: &taken))
            } catch {
                try await postpone(item, error)
            }
        }
        guard !closings.isEmpty else { return }
        for (index, parts) in try await ledger.resultsParts(of: closings.map(\.record.id)).enumerated() {
            closings[index].parts = parts
        }
        try await ledger.recordDestinations(closings.map(\.closing), at: context.clock.now)
        let plans = closings
        // What one import cannot write must not hold up the others.
        let making = stateDirectory.appending(StateDirectory.making)
        let tries = try await workbench.run {
            let tries = plans.map { plan in
                Result { try ResultsWriting(plan: plan, workFolder: workFolder, making: making).write() }
            }
            try DiskSync().fileSystem(of: stateDirectory)
            return tries
        }
        var written: [ClosingPlan] = []
        var trouble: (any Error)?
        for (plan, result) in zip(plans, tries) {
            switch result {
            case .success(let plan): written.append(plan)
            case .failure(let error):
                if DiskTrouble.isOne(error) { trouble = error }
                try await postpone(plan.closing.item, error)
            }
        }
        let moved = try await putAway(written, &trouble)
        if let trouble { context.health.troubled(Self.ending, trouble) } else { context.health.cleared(Self.ending) }
        try await ledger.recordClosed(moved.map(\.closing), at: context.clock.now)
        for plan in moved {
            context.observer.ended(
                watch: plan.record.watch, id: plan.record.id, path: plan.record.path, state: plan.record.state.rawValue,
                reason: plan.record.reason)
        }
        try await workbench.run { for plan in moved { workFolder.remove(plan.record.id) } }
        leaving.ring()
    }

    /// Moves the manifests; those that could not be moved are put back.
    private func putAway(_ plans: [ClosingPlan], _ trouble: inout (any Error)?) async throws -> [ClosingPlan] {
        var moved: [ClosingPlan] = []
        for (name, group) in Dictionary(grouping: plans, by: { $0.record.watch }) {
            guard let watch = watches[name] else { continue }
            let files = group.map { PutAway(from: $0.record.claimedPath, to: $0.closing.destination) }
            for (plan, result) in zip(group, await watch.folder.putAway(files)) {
                switch result {
                case .success:
                    moved.append(plan)
                case .failure(let error)
                where error.code == .vanished
                    && !FolderAbsence.isAway(plan.record.claimedPath.removingLastComponent()):
                    // Somebody took the claimed file away; there is nothing left to move.
                    context.observer.notTaken(watch: name, path: plan.record.claimedPath, error: error)
                    moved.append(plan)
                case .failure(let error):
                    if error.code == .destinationTaken {
                        var freed = plan.closing
                        freed.destination = nil
                        try await ledger.recordDestinations([freed], at: context.clock.now)
                    }
                    if DiskTrouble.isOne(error) { trouble = error }
                    try await postpone(plan.closing.item, error)
                }
            }
        }
        return moved
    }

    /// Not the stage's own name, which is cleared whenever it looks for work.
    private static let ending = "ending imports"
}

/// Where everything of one import goes.
struct ClosingPlan: Sendable {
    var closing: Closing
    let watch: ImportWatch
    var parts: [ResultsPart] = []
    let resultsPath: FilePath
    let failedRowsPath: FilePath

    var record: ImportRecord { closing.item.item }

    init(
        _ item: Leased<ImportRecord>, _ watch: ImportWatch, keepsFiles: Bool, stateDirectory: FilePath,
        avoiding taken: inout Set<FilePath>
    ) throws {
        let record = item.item
        self.watch = watch
        let settings = watch.folder.settings
        let hasFailed = record.state == .failed || record.state == .rejected || record.state == .cancelled
        var destination = record.destination
        // A copy was made where files are to stay, and so is removed; all else is moved, or deleted when that is wanted.
        if settings.afterImport != .keep, hasFailed || settings.afterImport == .archive, destination == nil {
            let free = try watch.folder.destination(
                for: record.path, on: hasFailed ? .failed : .archive, avoiding: taken)
            taken.insert(free)
            destination = free
        }
        resultsPath = try Self.free(
            record.resultsPath, stateDirectory.appending("results").appending(watch.name), record.path,
            ".results.ndjson", &taken)
        let failedSuffix =
            record.instructions.flatMap { try? Instructions.decode($0) }?.isEnvelope == true
            ? ".failed.json" : ".failed.ndjson"
        failedRowsPath = try Self.free(
            record.failedRowsPath, stateDirectory.appending("failed").appending(watch.name), record.path, failedSuffix,
            &taken)
        closing = Closing(
            item: item, results: resultsPath, failedRows: failedRowsPath, destination: destination,
            releasesMedia: !keepsFiles)
    }

    /// The name that was recorded by an earlier try, or one that is free.
    private static func free(
        _ recorded: FilePath?, _ folder: FilePath, _ path: FilePath, _ suffix: String, _ taken: inout Set<FilePath>
    ) throws -> FilePath {
        if let recorded { return recorded }
        let wanted = folder.appending(path.components).appendingToName(suffix)
        let name = try FreeName.at(wanted) { name throws(FileError) in
            if taken.contains(name) { return true }
            return try FileLook.exists(name)
        }
        taken.insert(name)
        return name
    }
}
