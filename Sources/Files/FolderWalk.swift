internal import Glibc
public import SystemPackage

/// Goes through a tree of folders, one entry at a time.
///
/// Holds one open folder per level and never a folder's list of names. What vanishes on the way is
/// passed over; what cannot be entered is reported and passed over. Links are not followed.
public final class FolderWalk {
    /// One name in the tree.
    public struct Entry: Hashable, Sendable {
        /// Relative to the root of the walk.
        public let path: FilePath
        public let kind: FileKind
        public let identity: FileIdentity
    }

    /// What to do with a name that was found.
    public enum Choice: Sendable {
        case take
        /// Neither yielded nor entered, and not even looked at.
        case skip
    }

    private struct Level {
        let folder: FilePath
        // An OpaquePointer to a DIR, which this level owns.
        let stream: OpaquePointer
    }

    private let root: FilePath
    private let maximumDepth: Int
    private let choose: (FilePath, FileKind) -> Choice
    private let enter: (FilePath) -> Void
    private let report: (FileError) -> Void
    private var levels: [Level] = []

    /// * `maximumDepth`: how many levels of folders are opened; 1 is the root alone.
    /// * `choose`: is asked about each name before it is looked at; where the file system does not tell the
    ///   kind with the name, first with `.unknown` and then again with the kind.
    /// * `enter`: is told of each folder before it is read, so that it can be watched first. Not the root.
    /// * `report`: is told what could not be read.
    /// * Throws `FileError` when the root cannot be opened.
    public init(
        _ root: FilePath, from start: FilePath = FilePath(), maximumDepth: Int = 64,
        choose: @escaping (FilePath, FileKind) -> Choice = { _, _ in .take },
        enter: @escaping (FilePath) -> Void = { _ in },
        report: @escaping (FileError) -> Void = { _ in }
    ) throws(FileError) {
        self.root = root
        self.maximumDepth = maximumDepth
        self.choose = choose
        self.enter = enter
        self.report = report
        let first = start.isEmpty ? root : root.pushing(start)
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (start.isEmpty ? 0 : O_NOFOLLOW)
        let descriptor = first.withPlatformString { open($0, flags) }
        guard descriptor >= 0 else { throw .last("open", first) }
        guard let stream = fdopendir(descriptor) else {
            let error = FileError.last("fdopendir", first)
            close(descriptor)
            throw error
        }
        levels = [Level(folder: start, stream: stream)]
    }

    deinit {
        for level in levels { closedir(level.stream) }
    }

    /// The next entry; nil when the tree is done.
    ///
    /// A folder is yielded before what is in it.
    public func next() throws(FileError) -> Entry? {
        while let level = levels.last {
            errno = 0
            guard let record = readdir(level.stream) else {
                let reason = Errno(rawValue: errno)
                closedir(level.stream)
                levels.removeLast()
                if reason.rawValue != 0 {
                    let error = FileError("readdir", root.pushing(level.folder), reason)
                    if levels.isEmpty { throw error }
                    report(error)
                }
                continue
            }
            if let entry = entry(record, in: level) { return entry }
        }
        return nil
    }

    private func entry(_ record: UnsafeMutablePointer<dirent>, in level: Level) -> Entry? {
        let name = withUnsafePointer(to: &record.pointee.d_name) { UnsafeRawPointer($0) }
            .assumingMemoryBound(to: CChar.self)
        if name[0] == dot && (name[1] == 0 || (name[1] == dot && name[2] == 0)) { return nil }
        guard let component = FilePath.Component(platformString: name) else { return nil }
        let path = level.folder.appending(component)
        let told = FileKind(directoryType: record.pointee.d_type)
        guard choose(path, told) == .take else { return nil }
        var status = stat()
        guard fstatat(dirfd(level.stream), name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno != ENOENT { report(.last("stat", root.pushing(path))) }
            return nil
        }
        let look = FileLook(status)
        if told == .unknown, choose(path, look.kind) == .skip { return nil }
        if look.kind == .directory { descend(into: path, name: name, of: level) }
        return Entry(path: path, kind: look.kind, identity: look.identity)
    }

    private func descend(into path: FilePath, name: UnsafePointer<CChar>, of level: Level) {
        guard levels.count < maximumDepth else {
            if maximumDepth > 1 {
                let hint = "Drop files at most \(maximumDepth) folders deep."
                report(FileError("open", root.pushing(path), .fileNameTooLong, hint: hint))
            }
            return
        }
        enter(path)
        let descriptor = openat(dirfd(level.stream), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno != ENOENT && errno != ENOTDIR { report(.last("open", root.pushing(path))) }
            return
        }
        guard let stream = fdopendir(descriptor) else {
            report(.last("fdopendir", root.pushing(path)))
            close(descriptor)
            return
        }
        levels.append(Level(folder: path, stream: stream))
    }

    private let dot = CChar(bitPattern: UInt8(ascii: "."))
}

extension FileKind {
    init(directoryType: UInt8) {
        self =
            switch Int(directoryType) {
            case DT_REG: .regular
            case DT_DIR: .directory
            case DT_LNK: .link
            case DT_FIFO: .fifo
            case DT_SOCK: .socket
            case DT_BLK, DT_CHR: .device
            default: .unknown
            }
    }
}
