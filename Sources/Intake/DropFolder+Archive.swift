internal import Files
internal import FoundationEssentials
public import SystemPackage

/// One file to put away.
public struct PutAway: Hashable, Sendable {
    public let from: FilePath
    /// Where to; nil removes the file.
    public let to: FilePath?

    public init(from: FilePath, to: FilePath?) {
        self.from = from
        self.to = to
    }
}

/// Which of the folders a finished file goes to.
public enum Shelf: String, Hashable, Sendable { case archive, failed }

extension DropFolder {
    /// A free name for a finished file: `archive/<watch>/<date>/<path>` or `failed/<watch>/<path>`.
    ///
    /// Nothing is made yet. Record the answer durably, then call `putAway`: so a crash in between is no harm.
    ///
    /// * `taken`: names that are given away already and may not exist yet.
    /// * Throws `IntakeError` with `.outside` when the path is none below a drop folder.
    public nonisolated func destination(
        for relativePath: FilePath, on shelf: Shelf, avoiding taken: Set<FilePath> = []
    ) throws(IntakeError) -> FilePath {
        let path = relativePath.lexicallyNormalized()
        guard path.isRelative, path.components.first?.kind == .regular else {
            throw IntakeError(.outside, relativePath, "It is no path below a drop folder.")
        }
        let folder = shelf == .archive ? layout.archive(on: wallClock()) : layout.failed
        do {
            return try FreeName.at(folder.pushing(path)) { name throws(FileError) in
                if taken.contains(name) { return true }
                return try FileLook.exists(name)
            }
        } catch {
            throw IntakeError(error)
        }
    }

    /// Moves finished files to the destinations that were recorded for them, or removes them.
    ///
    /// Doing it again after a crash ends in the same: a source that is gone while its destination is there is
    /// done, and so is one whose copy on another file system is complete. Nothing is ever overwritten. Folders that
    /// become empty stay. A few syncs serve the whole batch.
    /// - Returns: one answer for each, in their order; `.destinationTaken` asks for another destination,
    ///   `.vanished` says that the file is neither here nor there.
    public func putAway(_ files: [PutAway]) -> [Result<Void, IntakeError>] {
        let folders = FolderSync(disk: disk)
        var made: Set<FilePath> = []
        var results: [Result<Void, IntakeError>] = []
        for file in files {
            do throws(IntakeError) {
                try putAway(file, folders, &made)
                forget(file.from)
                results.append(.success(()))
            } catch {
                results.append(.failure(error))
            }
        }
        do throws(FileError) {
            try folders.commit()
            return results
        } catch {
            return results.map { $0.flatMap { _ in .failure(IntakeError(error)) } }
        }
    }

    /// What is put away leaves no trace: the same file dropped again is a new one.
    private func forget(_ path: FilePath) {
        var relative = path
        if relative.removePrefix(layout.claimed) {
            // A claim with a long name has folders of its own; others lie flat.
            while relative.components.count > 1 {
                relative.removeLastComponent()
                // Harmless if it stays: an empty folder is no claim.
                try? DurableRename.removeEmptyFolder(layout.claimed.pushing(relative))
            }
        } else if relative.removePrefix(settings.path) {
            handedOut.forget(relative)
        }
    }

    private func putAway(_ file: PutAway, _ folders: FolderSync, _ made: inout Set<FilePath>) throws(IntakeError) {
        do {
            guard let to = file.to else {
                return try DurableRename.remove(file.from, folders: folders, disk: disk)
            }
            let folder = to.removingLastComponent()
            if made.insert(folder).inserted {
                try DurableRename.createFolder(folder, folders: folders, disk: disk)
            }
            try move(file.from, to, folders)
        } catch {
            throw IntakeError(error, at: file.from)
        }
    }

    private func move(_ from: FilePath, _ to: FilePath, _ folders: FolderSync) throws {
        do throws(FileError) {
            try DurableRename.move(from: from, to: to, replacing: false, folders: folders, disk: disk)
        } catch {
            switch error.errno {
            case .noSuchFileOrDirectory:
                guard try FileLook.exists(to) else {
                    throw IntakeError(.vanished, from, "It is neither there nor at its destination \(to).")
                }
            case .fileExists:
                // A move across file systems may have been cut short between the copy and the removal of the source.
                if try FileLook.exists(from) {
                    guard try FileComparison.areEqual(from, to) else {
                        throw IntakeError(.destinationTaken, to, "Another file has this name. Choose another.")
                    }
                    try DurableRename.remove(from, folders: folders, disk: disk)
                }
            default: throw error
            }
            // Whether what happened before a crash was synced is not known.
            folders.add(to.removingLastComponent())
            folders.addLeft(from.removingLastComponent())
        }
    }
}
