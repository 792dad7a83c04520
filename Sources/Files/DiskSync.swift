internal import CLinux
internal import Glibc
public import SystemPackage

/// Waits until what was written is on the disk.
///
/// Every sync of this module goes through here, so that their number can be known: they are what
/// small files cost.
public struct DiskSync: Sendable {
    /// One wait for the disk.
    public enum Event: Hashable, Sendable {
        case file(FilePath), folder(FilePath), fileSystem(FilePath)
    }

    private let note: (@Sendable (Event) -> Void)?

    /// - Parameter note: is told of each sync after it succeeded.
    public init(note: (@Sendable (Event) -> Void)? = nil) { self.note = note }

    /// Makes a file's content durable.
    public func file(_ descriptor: FileDescriptor, path: FilePath) throws(FileError) {
        guard fsync(descriptor.rawValue) == 0 else { throw .last("fsync", path) }
        note?(.file(path))
    }

    /// Makes what happened to a folder's entries durable: creations, renames, removals.
    public func folder(_ path: FilePath) throws(FileError) {
        try withFolder(path) { (descriptor) throws(FileError) in
            guard fsync(descriptor) == 0 else { throw .last("fsync", path) }
        }
        note?(.folder(path))
    }

    /// Makes everything on the file system of `path` durable: one wait for a whole batch.
    public func fileSystem(of path: FilePath) throws(FileError) {
        try withFolder(path) { (descriptor) throws(FileError) in
            guard clinux_syncfs(descriptor) == 0 else { throw .last("syncfs", path) }
        }
        note?(.fileSystem(path))
    }

    private func withFolder(_ path: FilePath, _ body: (CInt) throws(FileError) -> Void) throws(FileError) {
        let descriptor = path.orCurrent.withPlatformString { open($0, O_RDONLY | O_CLOEXEC | O_DIRECTORY) }
        guard descriptor >= 0 else { throw .last("open", path) }
        defer { close(descriptor) }
        try body(descriptor)
    }
}

/// Collects folders whose entries changed and syncs each of them once.
public final class FolderSync {
    /// From so many folders on one file system, one sync of all of it is cheaper than one for each.
    static let manyFolders = 16

    private let disk: DiskSync
    private var folders: Set<FilePath> = []

    public init(disk: DiskSync = DiskSync()) { self.disk = disk }

    /// Notes that entries of `folder` changed.
    public func add(_ folder: FilePath) { folders.insert(folder.orCurrent) }

    /// Syncs what was noted, and forgets it.
    ///
    /// What failed stays noted.
    public func commit() throws(FileError) {
        var byDevice: [UInt64: [FilePath]] = [:]
        for folder in folders {
            do {
                byDevice[try FileLook.at(folder).identity.device, default: []].append(folder)
            } catch  where error.errno == .noSuchFileOrDirectory {
                folders.remove(folder)  // removed since: its own parent's sync says so
            }
        }
        for group in byDevice.values {
            if group.count >= Self.manyFolders {
                try disk.fileSystem(of: group[0])
            } else {
                for folder in group { try disk.folder(folder) }
            }
            folders.subtract(group)
        }
    }
}

extension FilePath {
    /// The folder that a path without a folder part lies in.
    var orCurrent: FilePath { isEmpty ? "." : self }

    /// The folder that holds what this path names.
    var parent: FilePath { removingLastComponent().orCurrent }
}
