internal import DataRows
internal import Files
internal import Foundation
internal import Intake
internal import Ledger
internal import SystemPackage

/// Imports of which only their files tell: results without a status, and manifests among the failed.
struct FinishedResults {
    let state: FilePath
    let watch: String
    let rules: FileRules

    private static let suffix = ".results.ndjson"
    private static let failedSuffixes = [".failed.ndjson", ".failed.json"]

    /// Files of results, with the manifest's path as their names have it.
    func results() -> [(file: FilePath, manifest: FilePath)] {
        files(in: state.appending("results").appending(watch)).compactMap { file, path in
            guard path.string.hasSuffix(Self.suffix) else { return nil }
            return (file, FilePath(String(path.string.dropLast(Self.suffix.count))))
        }
    }

    /// Manifests that were put among the failed.
    func failed() -> [(file: FilePath, manifest: FilePath)] {
        files(in: state.appending("failed").appending(watch)).filter { _, path in
            guard case .manifest = rules.verdict(path) else { return false }
            return !Self.failedSuffixes.contains { path.string.hasSuffix($0) }
        }
    }

    private func files(in folder: FilePath) -> [(FilePath, FilePath)] {
        var found: [(FilePath, FilePath)] = []
        // A folder that is not there holds none; what cannot be read is passed over.
        guard let walk = try? FolderWalk(folder) else { return [] }
        while let entry = (try? walk.next()) ?? nil {
            if entry.kind == .regular { found.append((folder.pushing(entry.path), entry.path)) }
        }
        return found
    }

    /// Counts the lines of a file of results; nil for one that is not whole.
    func read(_ file: FilePath, of manifest: FilePath) -> FinishedImport? {
        struct Line: Decodable {
            var outcome: String
        }
        guard let data = FileManager.default.contents(atPath: file.string), data.last ?? 10 == 10 else { return nil }
        var rows = RowCounts()
        for text in data.split(separator: 10) {
            guard let line = try? JSONDecoder().decode(Line.self, from: text) else { return nil }
            rows.total += 1
            switch line.outcome {
            case "created": rows.created += 1
            case "updated": rows.updated += 1
            case "already_present": rows.alreadyPresent += 1
            case "deleted": rows.deleted += 1
            case "failed": rows.failed += 1
            case "rejected": rows.rejected += 1
            default: return nil
            }
        }
        rows.submitted = rows.total - rows.rejected
        let bad = rows.failed + rows.rejected
        let state: ImportState = bad == 0 ? .complete : rows.succeeded > 0 ? .completeWithErrors : .failed
        guard var found = finished(file, manifest, state) else { return nil }
        found.rows = rows
        found.results = file
        found.failedRows = Self.failedSuffixes
            .map { self.state.appending("failed").appending(watch).appending(manifest.components).appendingToName($0) }
            .first { FileManager.default.fileExists(atPath: $0.string) }
        return found
    }

    /// A manifest that was rejected, or failed as a whole.
    func rejected(_ file: FilePath, _ manifest: FilePath) -> FinishedImport? {
        var found = finished(file, manifest, .rejected)
        found?.reason = "it is among the failed, and the ledger that knew why is gone"
        return found
    }

    private func finished(_ file: FilePath, _ manifest: FilePath, _ state: ImportState) -> FinishedImport? {
        guard let look = try? FileLook.at(file) else { return nil }
        let time = Date(timeIntervalSince1970: Double(look.identity.modified) / 1e9)
        // The same file leads to the same id, however often the ledger is made anew.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in file.bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return FinishedImport(
            id: ImportID(rawValue: "rebuilt-\(String(hash, radix: 16))"), watch: watch, path: manifest, state: state,
            seenAt: time, finishedAt: time)
    }
}
