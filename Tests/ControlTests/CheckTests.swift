import Control
import DataRows
import Foundation
import Reporting
import Settings
import SystemPackage
import Testing

@Suite("Checking manifests and folders", .timeLimit(.minutes(1)))
struct CheckTests {
    private final class Folder {
        let path = FilePath(FileManager.default.temporaryDirectory.appending(path: "check-\(UUID().uuidString)").path)

        init(_ files: [String: String]) throws {
            for (name, content) in files {
                let file = URL(filePath: path.appending(name).string)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(content.utf8).write(to: file)
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: path.string) }
    }

    private func settings(_ folder: Folder, _ change: (inout WatchSettings) -> Void = { _ in }) -> Settings {
        var watch = WatchSettings(name: "w", path: folder.path, dataset: "ds")
        change(&watch)
        return Settings(stateDirectory: "/nowhere", watches: [watch])
    }

    private func check(
        _ folder: Folder, _ name: String = "", settings: Settings? = nil, ontology: MetadataOntology? = nil
    ) throws -> (reports: [ManifestCheck.Report], totals: CheckTotals) {
        var run = CheckRun(
            settings: settings, watch: nil, workFolder: FilePath(FileManager.default.temporaryDirectory.path),
            now: Date())
        run.ontology = ontology
        var reports: [ManifestCheck.Report] = []
        if name.isEmpty {
            try run.folder(folder.path, told: { reports.append($0) }, unreadable: { _ in })
        } else {
            try run.manifest(folder.path.appending(name)) { reports.append($0) }
        }
        run.finish()
        return (reports.sorted { $0.manifest < $1.manifest }, run.totals)
    }

    private static let good = #"{"row_data": "https://example.com/1.jpg"}"#

    @Test(
        "each way of being wrong has an exit code",
        arguments: [
            (good, .ok), ("{\"row_data\": \"./gone.png\"}", .missingMedia), (good + "\n{\"row_dat\": 1}", .withErrors),
            ("{\"row_dat\": 1}", .failed), ("{\"row_data\"", .failed), ("", .ok),
        ] as [(String, Control.ExitStatus)])
    func statuses(text: String, status: Control.ExitStatus) throws {
        let folder = try Folder(["a.jsonl": text])
        let (reports, totals) = try check(folder, "a.jsonl")
        #expect(reports.map(\.status) == [status])
        #expect(totals.status == status)
    }

    @Test("of several the gravest counts")
    func gravest() throws {
        let folder = try Folder([
            "1.jsonl": Self.good, "2.jsonl": "{\"row_data\": \"./gone.png\"}",
            "3.jsonl": Self.good + "\n{\"row_dat\": 1}",
        ])
        #expect(try check(folder).totals.status == .withErrors)
    }

    @Test("a folder is seen as its watch would: patterns, sub-folders, and media that nobody names")
    func folder() throws {
        let folder = try Folder([
            "a.json": #"["cat.png", "./cat.png", "sub/dog.png"]"#, "cat.png": "cat", "sub/dog.png": "dogs",
            "sub/loose.jpg": "loose", "sub/b.ndjson": Self.good, "c.part": "", ".hidden/d.json": "[", ".e.json": "[",
            ".datarowd/claimed/f.json": "[",
        ])
        let (reports, totals) = try check(folder, settings: settings(folder))
        #expect(reports.map { FilePath($0.manifest).lastComponent?.string } == ["a.json", "b.ndjson"])
        #expect(reports.map(\.rows) == [3, 1])
        #expect(reports[0].mediaFiles == 2, "one file that is spelled in two ways is one")
        #expect(reports[0].mediaBytes == 7)
        #expect(reports.allSatisfy { $0.dataset?.rawValue == "ds" })
        #expect((totals.looseFiles, totals.looseBytes) == (1, 5))
        #expect(totals.ignoredFiles == 2)
        #expect(totals.tasks == 1, "rows of several manifests for one dataset share a task")
        #expect(totals.status == .ok)

        let flat = try check(folder, settings: settings(folder) { $0.recursive = false })
        #expect(flat.reports.count == 1)
        let quiet = try check(folder, settings: settings(folder) { $0.looseMedia = .ignore })
        #expect(quiet.totals.looseFiles == 0)
        let own = try check(folder, settings: settings(folder) { $0.ignore = ["b.*"] })
        #expect(own.reports.contains { $0.manifest.hasSuffix(".e.json") })
        #expect(!own.reports.contains { $0.manifest.hasSuffix("b.ndjson") })
    }

    @Test("a part of a watch is judged as a part of it")
    func part() throws {
        let folder = try Folder(["cat.png": "cat", "sub/a.json": #"["../cat.png"]"#])
        let run = try check(folder, "sub/a.json", settings: settings(folder))
        #expect(run.reports[0].missingMedia.isEmpty)
        // On its own it must not look out of its folder.
        let alone = try check(folder, "sub/a.json")
        #expect(alone.reports[0].missingMediaTotal == 1)
    }

    @Test("what the watch's rules reject as a whole is told")
    func refusals() throws {
        let folder = try Folder([
            "delete.json": #"{"operation": "delete", "rows": [{"key": {"id": "x"}}]}"#,
            "half.jsonl": Self.good + "\n{\"row_dat\": 1}",
        ])
        let deleting = try check(folder, "delete.json", settings: settings(folder))
        #expect(deleting.reports[0].refusal?.contains("'delete' is not among") == true)
        #expect(deleting.reports[0].status == .failed)
        let strict = try check(folder, "half.jsonl", settings: settings(folder) { $0.onInvalidRow = .reject })
        #expect(strict.reports[0].refusal?.contains("1 of 2 rows are invalid") == true)
        let small = try check(folder, "half.jsonl", settings: settings(folder) { $0.maxManifestSize = 10 })
        #expect(small.reports[0].refusal?.contains("max_manifest_size allows 10") == true)
        let allowed = try check(
            folder, "delete.json", settings: settings(folder) { $0.operations = [.create, .delete] })
        #expect(allowed.reports[0].refusal == nil, "\(allowed.reports[0])")
        #expect(allowed.reports[0].requests > 0)
    }

    @Test("a file that is not as its envelope announces it counts as missing")
    func claims() throws {
        let folder = try Folder([
            "a.json": #"{"files": {"cat.png": {"bytes": 5}}, "rows": ["cat.png"]}"#, "cat.png": "cat",
        ])
        let (reports, _) = try check(folder, "a.json")
        #expect(reports[0].missingMedia == ["cat.png: it has 3 bytes, and 5 are announced"])
        #expect(reports[0].mediaFiles == 1)
        #expect(reports[0].mediaBytes == 0)
    }

    @Test("with the ontology at hand, rows that name unknown fields are rejected, others not")
    func metadata() throws {
        let rows = ["tag", "nope", "tag"].map {
            #"{"row_data": "https://example.com/1.jpg", "metadata_fields": [{"name": "\#($0)", "value": "x"}]}"#
        }
        let folder = try Folder(["a.jsonl": (["{\"row_dat\": 1}"] + rows + ["\"./gone.png\""]).joined(separator: "\n")])
        #expect(try check(folder, "a.jsonl").reports[0].rejectedRows == 1)
        let ontology = MetadataOntology([.init(id: "t", name: "tag", kind: .string)])
        let report = try check(folder, "a.jsonl", ontology: ontology).reports[0]
        #expect(report.rejectedRows == 2)
        #expect(report.validRows == 3)
        #expect(report.problems.last?.row == 2)
        #expect(report.problems.last?.code == "unknown_metadata_field")
    }

    @Test("a time of less than a second is said in words, and longer ones with their unit")
    func times() throws {
        let folder = try Folder(["a.jsonl": Self.good])
        var run = settings(folder)
        #expect(
            CheckText.lines(try check(folder, settings: run).reports[0]).contains(
                "  time      less than a second at the configured rate"))
        run.labelbox.requestsPerMinute = 4
        #expect(
            CheckText.lines(try check(folder, settings: run).reports[0]).contains(
                "  time      about 2m00s at the configured rate"))
    }
}
