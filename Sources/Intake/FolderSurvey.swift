public import Files
public import SystemPackage

/// Goes once through a drop folder, or a part of it, as the daemon's scan does, and takes nothing.
public enum FolderSurvey {
    /// Tells of each regular file in the folders that the rules enter.
    ///
    /// Holds one open folder per level and no list of names.
    ///
    /// - Parameters:
    ///   - folder: the drop folder.
    ///   - part: the part of it, relative to it; empty for all.
    ///   - rules: the watch's.
    ///   - unreadable: told what could not be read; the walk goes on.
    ///   - body: given each file: its path relative to the drop folder, what it is taken for, and its size in bytes.
    /// - Throws: `FileError` when the folder cannot be opened; what `body` throws.
    public static func run(
        _ folder: FilePath, part: FilePath = FilePath(), rules: FileRules,
        unreadable: @escaping (FileError) -> Void, body: (FilePath, FileVerdict, Int64) throws -> Void
    ) throws {
        let walk = try FolderWalk(
            folder, from: part,
            choose: { path, kind in
                guard let name = path.lastComponent else { return .skip }
                switch kind {
                case .directory: return rules.enteringVerdict(name, at: path) == nil ? .take : .skip
                case .regular, .unknown: return .take
                case .link, .fifo, .socket, .device: return .skip
                }
            }, report: unreadable)
        while let entry = try walk.next() {
            guard entry.kind == .regular, let name = entry.path.lastComponent else { continue }
            try body(entry.path, rules.verdict(of: name, at: entry.path), entry.identity.size)
        }
    }
}
