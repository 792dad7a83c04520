import Foundation
import Settings
import SystemPackage
import Testing
import Yams

/// The files of the project that are made from the table of keys.
///
/// `DATAROWD_WRITE_GENERATED=1 swift test --filter SettingsTests` writes them anew.
@Suite("Settings files")
struct SettingsFilesTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        .standardizedFileURL

    @Test(
        "the project's files are those that the table of keys makes",
        arguments: [
            ("config/datarowd.yaml", SettingsExample.full), ("docs/schemas/config.schema.json", SettingsSchema.text),
        ])
    func generated(path: String, text: String) throws {
        let url = Self.root.appending(path: path)
        if ProcessInfo.processInfo.environment["DATAROWD_WRITE_GENERATED"] == "1" {
            try text.write(to: url, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: url, encoding: .utf8) == text)
    }

    @Test("the full example holds every key and says nothing but the defaults")
    func fullExample() throws {
        let settings = try Settings.load(FilePath(Self.root.appending(path: "config/datarowd.yaml").path))
        let least = """
            watches:
              - {name: cats, path: /var/spool/datarowd/cats, dataset: ckxxxxxxxxxxxxxxxxxxxxxxx}
            """
        #expect(settings == (try Settings.parse(least, file: "least.yaml")))
        for key in SettingsKey.all where key.section != .defaults {
            #expect(SettingsExample.full.contains("\(key.name):"), "\(key.name)")
            #expect(SettingsExample.full.contains(key.doc), "\(key.name)")
        }
    }

    @Test("the minimal example differs from the defaults in the key file alone")
    func minimalExample() throws {
        var settings = try Settings.load(FilePath(Self.root.appending(path: "config/datarowd.minimal.yaml").path))
        #expect(settings.labelbox.apiKeyFile == "/etc/datarowd/api-key")
        settings.labelbox.apiKeyFile = nil
        #expect(settings == (try Settings.parse(SettingsExample.full, file: "full.yaml")))
    }

    @Test("the schema is a valid one, accepts what the program accepts, and refuses mistakes", .timeLimit(.minutes(1)))
    func schema() throws {
        let good = [
            SettingsExample.full, oneWatch, SettingsTests.unlikeDefaults,
            try Settings.parse(SettingsTests.unlikeDefaults, file: "f").effectiveYAML(redacted: false),
            try Settings.parse(oneWatch, file: "f").effectiveYAML(),
            try String(contentsOf: Self.root.appending(path: "config/datarowd.minimal.yaml"), encoding: .utf8),
        ]
        let bad = [
            "log: {}", "watches: []", oneWatch + "    setle: 2s", oneWatch + "    settle: 2",
            oneWatch + "    settle: fast",
            oneWatch + "    recursive: \"true\"", oneWatch + "    operations: []", oneWatch + "    global_key: none",
            oneWatch + "    deletes_per_request: 10001", oneWatch + "    media_roots: [relative]",
            oneWatch + "    max_manifest_size: 10", oneWatch.replacing("/drop", with: "drop"),
            oneWatch.replacing("name: cats", with: "name: ../cats"), "ledger: postgresql://h/db\n" + oneWatch,
            "labelbox: {endpoint: nowhere}\n" + oneWatch, "labelbox: {max_connections: 21}\n" + oneWatch,
            "http: {listen: 9464}\n" + oneWatch, "defaults: {name: x}\n" + oneWatch, "extra: 1\n" + oneWatch,
        ]
        for yaml in bad { #expect(message { try Settings.parse(yaml, file: "f.yaml") } != nil, "\(yaml)") }
        let input: [String: Any] = [
            "schema": SettingsSchema.text, "good": try good.map(Self.json), "bad": try bad.map(Self.json),
        ]
        let verdict = try Self.python(
            """
            import json, sys
            import jsonschema
            given = json.load(sys.stdin)
            schema = json.loads(given["schema"])
            kind = jsonschema.Draft202012Validator
            kind.check_schema(schema)
            for number, file in enumerate(given["good"]):
                for error in kind(schema).iter_errors(file):
                    print("refused good", number, list(error.absolute_path), error.message)
            for number, file in enumerate(given["bad"]):
                if kind(schema).is_valid(file):
                    print("accepted bad", number, file)
            print("done")
            """, input: try JSONSerialization.data(withJSONObject: input))
        #expect(verdict == "done\n")
    }

    /// The file as a reader of YAML 1.2 sees it, where `off` is a word.
    private static func json(_ yaml: String) throws -> Any {
        try json(try #require(try Yams.compose(yaml: yaml)))
    }

    private static func json(_ node: Node) throws -> Any {
        switch node {
        case .mapping(let mapping):
            return try Dictionary(
                uniqueKeysWithValues: mapping.map { (try #require($0.key.string), try json($0.value)) as (String, Any) }
            )
        case .sequence(let sequence): return try sequence.map(json) as [Any]
        case .scalar(let scalar) where scalar.style != .plain: return scalar.string
        case .scalar(let scalar):
            switch scalar.string {
            case "null", "": return NSNull()
            case "true": return true
            case "false": return false
            case let text: return Int(text) ?? text
            }
        case .alias: return NSNull()
        }
    }

    /// Runs a Python program that reads `input`, and returns what it prints.
    private static func python(_ program: String, input: Data) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-W", "ignore", "-c", program]
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        try process.run()
        stdin.fileHandleForWriting.write(input)
        try stdin.fileHandleForWriting.close()
        let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: output, as: UTF8.self)
    }
}
