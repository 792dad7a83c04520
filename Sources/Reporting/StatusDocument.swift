internal import Foundation
internal import Ledger
internal import SystemPackage

/// Reads back the little that is needed of files written earlier.
enum StatusDocument {
    static func state(in bytes: [UInt8]) -> ImportState? {
        struct Document: Decodable { var state: ImportState }
        // A file that is no status is not ours to judge.
        return (try? JSONDecoder().decode(Document.self, from: Data(bytes)))?.state
    }

    static func settling(in bytes: [UInt8]) -> [String: Set<FilePath>] {
        // The file of another version only means that stale statuses of settling files may remain.
        guard let document = try? DaemonDocument(reading: bytes) else { return [:] }
        return document.watches.reduce(into: [:]) { found, watch in
            found[watch.name, default: []].formUnion(
                watch.settlingFiles.filter(\.isManifest).map { FilePath($0.path) })
        }
    }
}
