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
        struct Document: Decodable {
            struct Watch: Decodable {
                struct File: Decodable {
                    var path: String
                    var isManifest: Bool
                    enum CodingKeys: String, CodingKey {
                        case path
                        case isManifest = "is_manifest"
                    }
                }
                var name: String
                var files: [File]
                enum CodingKeys: String, CodingKey {
                    case name
                    case files = "settling_files"
                }
            }
            var watches: [Watch]
        }
        // The file of another version only means that stale statuses of settling files may remain.
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)) else { return [:] }
        return document.watches.reduce(into: [:]) { found, watch in
            found[watch.name, default: []].formUnion(watch.files.filter(\.isManifest).map { FilePath($0.path) })
        }
    }
}
