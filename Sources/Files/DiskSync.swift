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
    private var folders: [FilePath] = []
    private var left: [FilePath] = []
    private var noted: Set<FilePath> = []
    private var notedLeft: Set<FilePath> = []

    public init(disk: DiskSync = DiskSync()) { self.disk = disk }

    /// Notes that entries of `folder` changed.
    ///
    /// Folders are synced in the order in which they were noted, so that what holds a new folder comes before what is in it.
    public func add(_ folder: FilePath) {
        if noted.insert(folder.orCurrent).inserted { folders.append(folder.orCurrent) }
    }

    /// Notes that entries left `folder` for another one.
    ///
    /// It is synced after all that entries came to: a power cut in between leaves a file at both places rather than at none.
    public func addLeft(_ folder: FilePath) {
        if notedLeft.insert(folder.orCurrent).inserted { left.append(folder.orCurrent) }
    }

    /// Syncs what was noted, and forgets it.
    ///
    /// What failed stays noted.
    public func commit() throws(FileError) {
        var devices: [(folder: FilePath, device: UInt64)] = []
        for folder in folders + left {
            do {
                devices.append((folder, try FileLook.at(folder).identity.device))
            } catch  where error.errno == .noSuchFileOrDirectory {
                continue  // removed since: its own parent's sync says so
            }
        }
        let counts = devices.reduce(into: [:]) { $0[$1.device, default: 0] += 1 }
        var whole: Set<UInt64> = []
        for (folder, device) in devices {
            if counts[device, default: 0] < Self.manyFolders {
                try disk.folder(folder)
            } else if whole.insert(device).inserted {
                try disk.fileSystem(of: folder)
            }
        }
        (folders, left, noted, notedLeft) = ([], [], [], [])
    }
}

extension FilePath {
    /// The folder that a path without a folder part lies in.
    var orCurrent: FilePath { isEmpty ? "." : self }

    /// The folder that holds what this path names.
    var parent: FilePath { removingLastComponent().orCurrent }
}
