package import DataRows
internal import Files
package import Foundation
internal import Intake
internal import Ledger
internal import SystemPackage

/// Takes what is ready in one drop folder, and has the ledger know it.
struct IntakeService: Sendable {
    let watch: ImportWatch
    let ledger: any LedgerStore
    let identifiers: ImportIdentifiers
    let context: StageContext
    /// Rung when there are new imports to plan.
    let planning: Bell

    /// Works until the daemon drains, or the folder is closed.
    func run() async {
        do { try await adoptClaims() } catch { return }
        while !context.drain.isDraining {
            var batch: [ReadyFile] = []
            do {
                batch = try await watch.folder.nextBatch(limit: Self.filesAtOnce)
                if batch.isEmpty { return }
                for role in [ReadyFile.Role.manifest, .sidecar, .looseMedia] {
                    let files = batch.filter { $0.role == role }
                    switch role {
                    case .manifest: try await take(manifests: files)
                    case .sidecar: try await take(sidecars: files)
                    case .looseMedia: try await take(media: files)
                    }
                    batch.removeAll { $0.role == role }
                }
            } catch {
                if error is CancellationError || Task.isCancelled { return }
                context.observer.stumbled(stage: "intake of \(watch.name)", error: error)
                // Nobody else hands out again what is not given back.
                for file in batch { await watch.folder.release(file, changed: false, trouble: "\(error)") }
                // Only a wait that is cut short by the end of the daemon throws, and then the loop ends.
                try? await context.clock.sleep(for: .seconds(2))
            }
        }
    }

    /// So many files share the syncs of a claim and one commit.
    private static let filesAtOnce = 2_000
    /// Rows of one manifest that the daemon writes for loose media.
    private static let looseRows = 10_000

    // MARK: Manifests

    private func take(manifests files: [ReadyFile]) async throws {
        guard !files.isEmpty else { return }
        let fresh = try await withoutKept(files)
        guard !fresh.isEmpty else { return }
        let ids = fresh.map { _ in identifiers.next(at: context.clock.now) }
        var claims: [Claim] = []
        for (file, result) in zip(fresh, await watch.folder.claim(fresh, ids: ids)) {
            switch result {
            case .success(let claim): claims.append(claim)
            case .failure(let error):
                context.observer.notTaken(watch: watch.name, path: file.relativePath, error: error)
            }
        }
        try await open(
            claims, seen: Dictionary(zip(fresh.map(\.relativePath), fresh.map(\.firstSeen))) { first, _ in first })
    }

    /// Has the ledger know claims; goes on trying, for they are ours already and nobody else will take them.
    private func open(_ claims: [Claim], seen: [FilePath: Date]) async throws {
        guard !claims.isEmpty else { return }
        let now = context.clock.now
        let imports = claims.map { claim in
            NewImport(
                id: claim.importID, watch: watch.name, path: claim.relativePath, claimedPath: claim.path,
                bytes: claim.size, seenAt: min(seen[claim.relativePath] ?? now, now))
        }
        while true {
            do {
                try await ledger.open(imports, at: now)
                if await watch.folder.keepsFiles() {
                    try await ledger.recordKept(
                        claims.map { KeptFile(path: $0.relativePath, size: $0.size, modified: $0.identity.modified) },
                        watch: watch.name)
                }
                break
            } catch {
                context.health.troubled("intake of \(watch.name)", error)
                try await context.clock.sleep(for: .seconds(2))
            }
        }
        context.health.cleared("intake of \(watch.name)")
        for claim in claims {
            context.observer.claimed(watch: watch.name, id: claim.importID, path: claim.relativePath)
        }
        planning.ring()
    }

    /// Takes up what an earlier process claimed and did not live to record.
    ///
    /// - Throws: `CancellationError`, and nothing else.
    private func adoptClaims() async throws {
        let trouble = "recovery of the claims of \(watch.name)"
        while true {
            var found = watch.folder.claims().makeIterator()
            var claims: [Claim] = []
            while let claim = found.next() {
                claims.append(claim)
                if claims.count == Self.filesAtOnce {
                    try await adopt(claims)
                    claims = []
                }
            }
            try await adopt(claims)
            guard let failure = found.failure else { return context.health.cleared(trouble) }
            context.health.troubled(trouble, failure)
            if context.drain.isDraining { throw CancellationError() }
            try await context.clock.sleep(for: .seconds(2))
        }
    }

    /// Goes on trying, for until the next start nobody else looks at claims.
    private func adopt(_ claims: [Claim]) async throws {
        let trouble = "recovery of \(watch.name)"
        var unknown: [Claim] = []
        var rest = claims[...]
        while let claim = rest.first {
            do {
                if try await ledger.find(claim.importID) == nil { unknown.append(claim) }
                rest.removeFirst()
                context.health.cleared(trouble)
            } catch {
                if error is CancellationError || context.drain.isDraining { throw CancellationError() }
                context.health.troubled(trouble, error)
                try await context.clock.sleep(for: .seconds(2))
            }
        }
        try await open(unknown, seen: [:])
    }

    // MARK: Sidecars

    /// Takes sidecars, once no manifest is on its way that may name their media: then that manifest is what counts.
    private func take(sidecars files: [ReadyFile]) async throws {
        guard !files.isEmpty else { return }
        var isManifestOnItsWay = await watch.folder.hasSettlingManifests()
        if !isManifestOnItsWay {
            isManifestOnItsWay = try await ledger.unplannedPaths(watch: watch.name, limit: Self.filesAtOnce)
                .contains { if case .manifest = watch.folder.rules.verdict($0) { true } else { false } }
        }
        try await take(manifests: isManifestOnItsWay ? try await late(files) : files)
    }

    // MARK: Loose media

    private func take(media files: [ReadyFile]) async throws {
        guard !files.isEmpty, watch.folder.settings.looseMedia == .import else { return }
        if try await ledger.hasUnplannedImports(watch: watch.name) {
            // One of them may name these files.
            for file in files { await watch.folder.release(file, changed: false) }
            return
        }
        let files = try await withoutThoseAManifestMayName(files)
        guard !files.isEmpty else { return }
        let named = try await ledger.namedPaths(watch: watch.name, among: files.map(\.relativePath))
        // After the ledger was asked: it forgets a file only when that is put away.
        let unnamed = await watch.folder.confirmed(files.filter { !named.contains($0.relativePath) })
        var loose = try await withoutSidecars(withoutKept(unnamed))[...]
        while !loose.isEmpty {
            let some = Array(loose.prefix(Self.looseRows))
            loose = loose.dropFirst(Self.looseRows)
            let taken: LooseClaim
            do {
                taken = try await watch.folder.claimLoose(some, id: identifiers.next(at: context.clock.now))
            } catch {
                // Names that JSON cannot hold are no reason to hold up what can be taken.
                guard error.code == .failed, error.cause == nil else { throw error }
                context.observer.notTaken(watch: watch.name, path: error.path, error: error)
                continue
            }
            for problem in taken.problems {
                context.observer.notTaken(watch: watch.name, path: problem.path, error: problem)
            }
            let oldest = some.map(\.firstSeen).min() ?? context.clock.now
            try await open([taken.claim], seen: [taken.claim.relativePath: oldest])
        }
    }

    /// Gives media back while a manifest still settles in the same folder, for it may name that media.
    ///
    /// The grace alone does not see to it: after a start everything settles anew, and a large manifest is written for longer
    /// than any grace. A manifest that never settles holds media up for `media_wait` and no longer.
    private func withoutThoseAManifestMayName(_ files: [ReadyFile]) async throws -> [ReadyFile] {
        guard await watch.folder.hasSettlingManifests() else { return files }
        return try await late(files)
    }

    /// Gives files back but for those that have waited for `media_wait`.
    private func late(_ files: [ReadyFile]) async throws -> [ReadyFile] {
        let now = context.clock.now
        let patience = watch.folder.settings.mediaWait.seconds
        var late: [ReadyFile] = []
        for file in files {
            if now.timeIntervalSince(file.firstSeen) < patience {
                await watch.folder.release(file, changed: false)
            } else {
                late.append(file)
            }
        }
        return late
    }

    /// Leaves out media that has a sidecar, or had one that was rejected: it is not imported without its keys.
    private func withoutSidecars(_ files: [ReadyFile]) async throws -> [ReadyFile] {
        var alone: [ReadyFile] = []
        var rejected: [ReadyFile] = []
        for file in files {
            if watch.folder.hasSidecar(file.relativePath) {
                try await wait(file)
            } else if try await hadRejectedSidecar(file) {
                rejected.append(file)
            } else {
                alone.append(file)
            }
        }
        try await setAside(rejected)
        return alone
    }

    /// Gives media back until its sidecar is taken; not where that was done, and the sidecar stays for good.
    private func wait(_ file: ReadyFile) async throws {
        if await watch.folder.keepsFiles(), let sidecar = watch.folder.rules.sidecar(of: file.relativePath),
            let look = try? FileLook.at(watch.folder.settings.path.appending(sidecar.components)).identity,
            try await !ledger.keptFiles(
                watch: watch.name, among: [KeptFile(path: sidecar, size: look.size, modified: look.modified)]
            ).isEmpty
        {
            return
        }
        await watch.folder.release(file, changed: false)
    }

    /// Whether the latest sidecar of a file was rejected while the file was there, or not long before it came.
    private func hadRejectedSidecar(_ file: ReadyFile) async throws -> Bool {
        guard let sidecar = watch.folder.rules.sidecar(of: file.relativePath),
            let latest = try await ledger.find(watch: watch.name, path: sidecar).first,
            latest.state == .rejected
        else { return false }
        // It has no end while it is being put away, and the file is with it.
        guard let end = latest.finishedAt else { return true }
        let arrival = Date(timeIntervalSince1970: Double(file.identity.changed) / 1e9)
        return end >= arrival.addingTimeInterval(-watch.folder.settings.mediaWait.seconds)
    }

    /// Puts media to its rejected sidecar.
    private func setAside(_ files: [ReadyFile]) async throws {
        guard !files.isEmpty else { return }
        let reason = IntakeRefusal(
            "its sidecar was rejected, and it is not imported without: mend the sidecar, and drop both again")
        for file in files { context.observer.notTaken(watch: watch.name, path: file.relativePath, error: reason) }
        guard await !watch.folder.keepsFiles() else {
            return try await ledger.recordKept(
                files.map { KeptFile(path: $0.relativePath, size: $0.identity.size, modified: $0.identity.modified) },
                watch: watch.name)
        }
        var taken = Set<FilePath>()
        var moves: [PutAway] = []
        for file in files {
            let free = try watch.folder.destination(for: file.relativePath, on: .failed, avoiding: taken)
            taken.insert(free)
            moves.append(PutAway(from: watch.folder.settings.path.appending(file.relativePath.components), to: free))
        }
        for (file, result) in zip(files, await watch.folder.putAway(moves)) {
            guard case .failure(let error) = result, error.code != .vanished else { continue }
            context.observer.notTaken(watch: watch.name, path: file.relativePath, error: error)
            await watch.folder.release(file, changed: false)
        }
    }

    /// Leaves out files that stayed where they are after an earlier import.
    private func withoutKept(_ files: [ReadyFile]) async throws -> [ReadyFile] {
        guard await watch.folder.keepsFiles() else { return files }
        let kept = try await ledger.keptFiles(
            watch: watch.name,
            among: files.map {
                KeptFile(path: $0.relativePath, size: $0.identity.size, modified: $0.identity.modified)
            })
        return files.filter { !kept.contains($0.relativePath) }
    }
}

/// Makes the ids of imports: in the order of time, and never the same twice.
package struct ImportIdentifiers: Sendable {
    private let random: @Sendable () -> UInt64

    package init(random: @escaping @Sendable () -> UInt64) { self.random = random }

    /// For example `20261121t031500-9f3c01ab52e4d7c0`: lower case, since it becomes part of file names.
    package func next(at now: Date) -> ImportID {
        let seconds = Int(now.timeIntervalSince1970)
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date = "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))"
        let clock = "\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))"
        let digits = String(random(), radix: 16)
        return ImportID(
            rawValue: "\(date)t\(clock)-" + String(repeating: "0", count: 16 - digits.count) + digits)
    }
}
