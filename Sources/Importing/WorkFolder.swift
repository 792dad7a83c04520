internal import DataRows
internal import Files
internal import Foundation
internal import SystemPackage

/// Where the files of unfinished imports lie: what belongs to rows, and so is too much for the ledger.
///
/// Every file in it is whole or absent after a crash, and is gone when its import is closed.
struct WorkFolder: Sendable {
    let root: FilePath

    init(stateDirectory: FilePath) { root = stateDirectory.appending("work") }

    /// The folder of one import; its parent is split by the last two characters of the id, so that no folder grows large.
    func folder(of id: ImportID) -> FilePath {
        root.appending(String(id.rawValue.suffix(2))).appending(id.rawValue)
    }

    /// The inflated copy of a compressed manifest.
    func inflated(_ id: ImportID) -> FilePath { folder(of: id).appending("manifest") }
    /// Which rows are repeated.
    func repeats(_ id: ImportID) -> FilePath { folder(of: id).appending("repeats") }
    /// Which rows are for the same key as an earlier one.
    func keys(_ id: ImportID) -> FilePath { folder(of: id).appending("keys") }
    /// The results of rows that were rejected.
    func problems(_ id: ImportID) -> FilePath { folder(of: id).appending("problems.ndjson") }
    /// The results of one segment.
    func part(_ id: ImportID, segment: Int64) -> FilePath { folder(of: id).appending("\(segment).ndjson") }

    func create(for id: ImportID) throws { try DurableRename.createFolder(folder(of: id)) }
}

extension WorkFolder {
    /// Removes what a crash left of imports that have ended.
    ///
    /// - Parameter isOpen: Whether an import still needs its files.
    /// - Throws: what `isOpen` throws.
    func sweep(isOpen: (ImportID) async throws -> Bool) async throws {
        let files = FileManager.default
        for shard in (try? files.contentsOfDirectory(atPath: root.string)) ?? [] {
            for name in (try? files.contentsOfDirectory(atPath: root.appending(shard).string)) ?? [] {
                let id = ImportID(rawValue: name)
                if try await !isOpen(id) { remove(id) }
            }
        }
    }

    /// Removes what an import left; what cannot be removed does no harm.
    func remove(_ id: ImportID) {
        let folder = folder(of: id)
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.string) else { return }
        for name in names { unlink(folder.appending(name).string) }
        rmdir(folder.string)
    }
}
