internal import DataRows
public import Files
internal import SystemPackage

/// The claims on disk, found one after the other.
public struct ClaimSequence: Sequence {
    let folders: [(path: FilePath, isCopy: Bool)]

    init(folders: [(path: FilePath, isCopy: Bool)]) { self.folders = folders }

    /// The claims of a watch.
    public init(_ layout: DropFolderLayout) {
        self.init(folders: [(layout.claimed, false), (layout.copied, true)])
    }

    public func makeIterator() -> Iterator { Iterator(folders: folders[...]) }

    public struct Iterator: IteratorProtocol {
        var folders: ArraySlice<(path: FilePath, isCopy: Bool)>
        var walk: FolderWalk?
        /// Why a folder ended early, or was passed over, so that there may be more claims than were found.
        public private(set) var failure: FileError?

        init(folders: ArraySlice<(path: FilePath, isCopy: Bool)>) { self.folders = folders }

        /// The next claim; nil at the end.
        public mutating func next() -> Claim? {
            while let folder = folders.first {
                while let entry = step(folder.path) {
                    guard entry.kind == .regular, let name = entry.path.lastComponent?.bytes,
                        !name.suffix(TemporaryName.suffix.utf8.count).elementsEqual(TemporaryName.suffix.utf8),
                        let (id, relativePath) = ClaimName.decode(entry.path)
                    else { continue }
                    return Claim(
                        importID: id, relativePath: relativePath, path: folder.path.pushing(entry.path),
                        identity: entry.identity, isCopy: folder.isCopy)
                }
                walk = nil
                folders = folders.dropFirst()
            }
            return nil
        }

        private mutating func step(_ folder: FilePath) -> FolderWalk.Entry? {
            do throws(FileError) {
                if walk == nil { walk = try FolderWalk(folder) }
                return try walk?.next()
            } catch {
                // A folder that is missing holds no claims.
                if error.errno != .noSuchFileOrDirectory { failure = error }
                return nil
            }
        }
    }
}
