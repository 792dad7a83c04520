internal import DataRows
internal import Files
internal import Foundation
internal import Intake
internal import Ledger
internal import SystemPackage

/// Puts media away that no unfinished import names any more.
struct MediaLeaving: Sendable {
    let watches: WatchBoard
    let ledger: any LedgerStore
    let context: StageContext

    private static let filesAtOnce = 500

    func stage(bell: Bell, grants: @escaping @Sendable () -> LeaseGrant) -> Stage<[Leased<MediaRecord>]> {
        Stage(
            name: "putting media away", width: { 1 }, bell: bell,
            lease: { _ in
                let items = try await ledger.leaseLeavingMedia(for: grants(), limit: Self.filesAtOnce)
                return items.isEmpty ? [] : [items]
            },
            nextDue: { try await ledger.nextDue(.leavingMedia, after: $0) },
            work: { items in
                for (name, group) in Dictionary(grouping: items, by: \.item.watch) {
                    try await putAway(group, of: name)
                }
            },
            giveBack: { items, _ in
                for item in items { try await later(item, .seconds(10)) }
            })
    }

    private func later(_ item: Leased<MediaRecord>, _ wait: Duration) async throws {
        let now = context.clock.now
        do {
            try await ledger.postponeLeaving(item, until: now.advanced(by: wait), at: now)
        } catch LedgerError.leaseLost {
            // It was done before the error came about.
        }
    }

    private func putAway(_ items: [Leased<MediaRecord>], of name: String) async throws {
        guard let watch = watches[name] else {
            for item in items { try await later(item, .seconds(600)) }
            return
        }
        guard !FolderAbsence.isAway(watch.folder.settings.path) else {
            // What is in it comes back with it, and is not to be taken for new media then.
            for item in items { try await later(item, .seconds(10)) }
            return
        }
        var moves: [(item: Leased<MediaRecord>, file: PutAway)] = []
        var gone: [Leased<MediaRecord>] = []
        var taken = Set<FilePath>()
        for item in items {
            let from = watch.folder.settings.path.appending(item.item.path.components)
            // A file that was put there since under the same name is another file, with an import of its own.
            if item.item.destination == nil {
                switch await hasLeft(item.item, from, watch) {
                case false?: break
                case true?:
                    gone.append(item)
                    continue
                case nil:
                    try await later(item, .seconds(10))
                    continue
                }
            }
            var destination = item.item.destination
            if destination == nil,
                watch.folder.settings.afterImport == .archive || item.item.leavesTo == Shelf.failed.rawValue
            {
                let shelf = item.item.leavesTo.flatMap(Shelf.init(rawValue:)) ?? .archive
                let free = try watch.folder.destination(for: item.item.path, on: shelf, avoiding: taken)
                taken.insert(free)
                destination = free
            }
            moves.append((item, PutAway(from: from, to: destination)))
        }
        try await ledger.recordMediaDestinations(
            moves.compactMap { move in move.file.to.map { (move.item, $0) } }, at: context.clock.now)
        var trouble: IntakeError?
        for (move, result) in zip(moves, await watch.folder.putAway(moves.map(\.file))) {
            switch result {
            case .success:
                gone.append(move.item)
            case .failure(let error) where error.code == .vanished:
                gone.append(move.item)
            case .failure(let error):
                context.observer.notTaken(watch: name, path: move.item.item.path, error: error)
                let isPassing = DiskTrouble.isOne(error)
                if isPassing { trouble = error }
                try await later(move.item, isPassing ? DiskTrouble.wait : .seconds(60))
            }
        }
        // Not the stage's own name, which is cleared whenever it looks for work.
        let what = "putting media of '\(name)' away"
        if let trouble { context.health.troubled(what, trouble) } else { context.health.cleared(what) }
        try await ledger.recordMediaGone(gone, at: context.clock.now)
    }

    /// Whether no file is there, or another one; nil where that cannot be told just now.
    private func hasLeft(_ item: MediaRecord, _ path: FilePath, _ watch: ImportWatch) async -> Bool? {
        guard let identity = item.identity else {
            // It was waited for by an import that was cancelled: what is there by now was meant for that.
            switch await watch.folder.resolveMedia(path: item.path.string, manifestRelativePath: "manifest") {
            case .ready: return false
            case .settling: return nil
            case .missing: return true
            case .refused(let refusal): return refusal.isPassing ? nil : true
            }
        }
        do throws(FileError) {
            let there = try FileLook.at(path).identity
            return there.size != identity.size || there.modified != identity.modified
        } catch {
            return [.noSuchFileOrDirectory, .notDirectory].contains(error.errno) ? true : nil
        }
    }
}
