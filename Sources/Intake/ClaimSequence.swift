internal import DataRows
internal import Files
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

        /// The next claim; nil at the end.
        ///
        /// Folders that cannot be read end early: the next start looks again.
        public mutating func next() -> Claim? {
            while let folder = folders.first {
                // A folder that is missing holds no claims.
                if walk == nil { walk = try? FolderWalk(folder.path) }
                while let entry = (try? walk?.next()) ?? nil {
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
    }
}
