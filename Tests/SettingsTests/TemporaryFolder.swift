import Foundation
import SystemPackage

/// A folder that is gone after use.
enum TemporaryFolder {
    static func use(_ body: (FilePath) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "datarowd-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // what is left is the system's to clean
        try body(FilePath(folder.path))
    }
}

extension FilePath {
    func write(_ text: String) throws { try write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: string)) }
}
