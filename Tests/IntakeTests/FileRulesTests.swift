import DataRows
import Files
import Foundation
import Intake
import SystemPackage
import Testing

@Suite("File rules")
struct FileRulesTests {
    static func settings(_ change: (inout DropFolderSettings) -> Void = { _ in }) -> DropFolderSettings {
        var settings = DropFolderSettings(name: "cats", path: "/drop", stateDirectory: "/state")
        change(&settings)
        return settings
    }

    @Test(
        "say what a name is taken for, and by which pattern",
        arguments: [
            ("rows.json", "manifest *.json"), ("a/b/rows.ndjson.gz", "manifest *.ndjson.gz"),
            ("rows.jsonl", "manifest *.jsonl"),
            ("photo.jpg.json", "manifest beside photo.jpg"), ("a/b c.JPEG.json", "manifest beside a/b c.JPEG"),
            ("table.csv.json", "manifest beside table.csv"), ("rows.json.json", "manifest *.json"),
            ("rows.ndjson.gz.json", "manifest *.json"), ("scan.v2.json", "manifest *.json"),
            (".jpg.json", "ignored .*"), ("jpg.json", "manifest *.json"), ("photo.jpg.jsonl", "manifest *.jsonl"),
            ("photo.jpg.json.gz", "manifest *.json.gz"),
            ("photo.jpg", "media"), ("noextension", "media"), ("photo.json.jpg", "media"), ("ROWS.JSON", "media"),
            ("rows.json.part", "ignored *.part"), ("rows.json~", "ignored *~"), (".rows.json", "ignored .*"),
            (".git/config.json", "ignored .*"), ("a/.cache/b/rows.json", "ignored .*"),
            ("x.tmp/rows.json", "ignored *.tmp"),
            (".datarowd/claimed/rows.json", "own"), ("a/.datarowd/x", "own"), (".datarowd", "own"),
            ("a/x.datarowd-tmp", "temporary"), ("../rows.json", "outside"), ("/etc/passwd", "outside"), ("", "outside"),
            ("a/../../x", "outside"), ("a/../rows.json", "manifest *.json"),
        ])
    func table(path: String, expected: String) {
        let verdict = FileRules.explain(FilePath(path), settings: Self.settings())
        let text =
            switch verdict {
            case .manifest(let glob): "manifest \(glob)"
            case .sidecar(_, let media): "manifest beside \(media)"
            case .ignored(let glob, _): "ignored \(glob)"
            case .media, .own, .temporary, .subfolder, .looseMediaIgnored, .outside: Self.name(verdict)
            }
        #expect(text == expected)
        #expect(verdict.isTaken == (text.hasPrefix("m")))
    }

    static func name(_ verdict: FileVerdict) -> String {
        switch verdict {
        case .manifest: "manifest"
        case .sidecar: "sidecar"
        case .media: "media"
        case .ignored: "ignored"
        case .own: "own"
        case .temporary: "temporary"
        case .subfolder: "subfolder"
        case .looseMediaIgnored: "looseMediaIgnored"
        case .outside: "outside"
        }
    }

    @Test("follow the watch's own settings")
    func settings() {
        let flat = Self.settings { $0.recursive = false }
        #expect(FileRules.explain("sub/rows.json", settings: flat) == .subfolder)
        #expect(FileRules.explain("rows.json", settings: flat) == .manifest(Glob("*.json")))
        let only = Self.settings { $0.looseMedia = .ignore }
        #expect(FileRules.explain("photo.jpg", settings: only) == .looseMediaIgnored)
        let path = Self.settings { $0.ignore = [Glob("raw/*.json")] }
        #expect(FileRules.explain("raw/a.json", settings: path) == .ignored(Glob("raw/*.json"), part: "raw/a.json"))
        #expect(FileRules.explain("cooked/a.json", settings: path) == .manifest(Glob("*.json")))
    }

    @Test("name the rule in their explanation")
    func explanation() {
        #expect(
            "\(FileRules.explain("a/.x/rows.json", settings: Self.settings()))"
                == "ignored: .x matches 'ignore' pattern .*")
    }
}

@Suite("Claim name")
struct ClaimNameTests {
    @Test(
        "keeps the import and every byte of the dropped path",
        arguments: [
            Array("rows.json".utf8), Array("batch7/rows.json".utf8), Array("a%2Fb/c.json".utf8), Array("a\nb".utf8),
            [0xFF, 0x2F, 0xFE], Array(String(repeating: "x", count: 250).utf8),
            Array((String(repeating: "d/", count: 100) + "rows.json").utf8), Array("%".utf8),
        ])
    func roundTrip(bytes: [UInt8]) throws {
        for id in ["20261121T001418Z-k3f9", "with.dot", "with/slash%"] {
            let name = ClaimName.encode(ImportID(rawValue: id), FilePath(bytes: bytes))
            #expect(name.components.allSatisfy { $0.bytes.count <= 255 })
            let decoded = try #require(ClaimName.decode(name))
            #expect(decoded.id.rawValue == id)
            #expect(decoded.relativePath.bytes == bytes)
        }
    }

    @Test(
        "is not seen in what is none", arguments: ["rows", ".hidden", "id.", "id.%zz", "id.%", "id.%00", "id.%2Fetc"])
    func noClaim(name: String) {
        #expect(ClaimName.decode(FilePath(name)) == nil)
    }
}

@Suite("Date in UTC")
struct UTCDateTests {
    @Test(
        "is spelled as the calendar has it",
        arguments: [
            (0.0, "1970-01-01", "19700101T000000Z"), (951_782_400, "2000-02-29", "20000229T000000Z"),
            (1_795_230_000.7, "2026-11-21", "20261121T030000Z"), (4_107_542_399, "2100-02-28", "21000228T235959Z"),
            (-1, "1969-12-31", "19691231T235959Z"),
        ])
    func table(seconds: Double, day: String, timestamp: String) {
        let date = UTCDate(Date(timeIntervalSince1970: seconds))
        #expect(date.day == day)
        #expect(date.timestamp == timestamp)
    }
}
