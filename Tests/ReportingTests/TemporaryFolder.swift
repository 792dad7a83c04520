import Foundation
import Reporting
import SystemPackage

/// A folder that is removed with its last reference.
final class TemporaryFolder: Sendable {
    let path: FilePath

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "datarowd-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = FilePath(url.path)
    }

    // Left-overs go with the machine's own cleaning.
    deinit { try? FileManager.default.removeItem(atPath: path.string) }

    func write(_ text: String, to name: String) throws -> FilePath {
        let file = path.appending(name)
        try Data(text.utf8).write(to: URL(filePath: file.string))
        return file
    }
}

/// Writes in place of the daemon's own writer.
struct PlainFiles: FileWriting {
    func replace(_ path: FilePath, with bytes: [UInt8]) throws(StatusFileError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
            let temporary = path.removingLastComponent().appending(".temporary-\(UUID().uuidString)")
            let file = try FileDescriptor.open(
                temporary, .writeOnly, options: [.create, .exclusiveCreate],
                permissions: [.ownerReadWrite, .groupRead])
            try file.closeAfter { _ = try file.writeAll(bytes) }
            try path.withPlatformString { target in
                try temporary.withPlatformString { source in
                    guard rename(source, target) == 0 else { throw Errno(rawValue: errno) }
                }
            }
        } catch let error as Errno {
            throw StatusFileError("write", path, error)
        } catch {
            throw StatusFileError("make the folders of", path, .notDirectory)
        }
    }

    func seal(_ path: FilePath, with bytes: [UInt8]) throws(StatusFileError) { try replace(path, with: bytes) }

    func remove(_ path: FilePath) throws(StatusFileError) {
        guard path.withPlatformString({ unlink($0) }) == 0 || errno == ENOENT else {
            throw StatusFileError("remove", path, Errno(rawValue: errno))
        }
    }

    func read(_ path: FilePath, limit: Int) throws(StatusFileError) -> [UInt8]? {
        guard let data = FileManager.default.contents(atPath: path.string), data.count <= limit else { return nil }
        return Array(data)
    }
}
