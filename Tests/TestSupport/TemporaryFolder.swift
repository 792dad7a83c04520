internal import Files
internal import Glibc
package import SystemPackage

/// A folder that goes away with the last reference to it.
package final class TemporaryFolder: Sendable {
    package let path: FilePath

    package init(in parent: FilePath = "/tmp") throws {
        path = parent.appending("datarowd-test-\(UInt64.random(in: .min ... .max))")
        try DurableRename.createFolder(path)
    }

    deinit { remove(path) }

    /// Writes a file, its folders made.
    @discardableResult
    package func write(_ text: String, to name: FilePath) throws -> FilePath {
        let file = path.pushing(name)
        try DurableRename.createFolder(file.removingLastComponent())
        let descriptor = try FileDescriptor.open(
            file, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWriteGroupRead)
        try descriptor.closeAfter { _ = try descriptor.writeAll(Array(text.utf8)) }
        return file
    }

    package func makeFolder(_ name: FilePath) throws {
        try DurableRename.createFolder(path.pushing(name))
    }

    package func rename(_ from: FilePath, _ to: FilePath) throws {
        let from = path.pushing(from)
        let to = path.pushing(to)
        guard Glibc.rename(from.string, to.string) == 0 else { throw Errno(rawValue: errno) }
    }

    package func link(_ name: FilePath, to target: FilePath) throws {
        let name = path.pushing(name)
        guard symlink(target.string, name.string) == 0 else { throw Errno(rawValue: errno) }
    }

    /// The names of all regular files below, sorted.
    package func files() throws -> [String] { try fileNames(below: path) }

    private func remove(_ path: FilePath) {
        guard let walk = try? FolderWalk(path) else { return }
        var folders: [FilePath] = [path]
        while let entry = (try? walk.next()) ?? nil {
            let full = path.pushing(entry.path)
            if entry.kind == .directory {
                folders.append(full)
            } else {
                _ = full.withPlatformString { unlink($0) }
            }
        }
        for folder in folders.reversed() { _ = folder.withPlatformString { rmdir($0) } }
    }
}

/// The names of all regular files below a folder, sorted.
package func fileNames(below path: FilePath) throws -> [String] {
    guard try FileLook.exists(path) else { return [] }
    let walk = try FolderWalk(path)
    var names: [String] = []
    while let entry = try walk.next() {
        if entry.kind == .regular { names.append(entry.path.string) }
    }
    return names.sorted()
}

/// What a file holds.
package func text(of path: FilePath) throws -> String {
    let file = try OpenFile.reading(path)
    var bytes = [UInt8](repeating: 0, count: Int(try file.look().identity.size))
    let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
    return String(decoding: bytes.prefix(count), as: UTF8.self)
}
