import DataRows
import Testing

@Suite struct ManifestSurveys {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    static let rows = [
        #"{"row_data": "https://a.example/1.jpg", "external_id": "é1", "global_key": "k1"}"#,
        #"{ "row_data" : "text with \" quotes \\ and \u00e9 😀", "metadata": [{"name":"n","value":1.50}] }"#,
        #""local/a.jpg""#,
        #"{"row_data": {"a":[1,2,{"b":null}],"n":123456789012345678901234567890}}"#,
        #"{"row_dat": "x"}"#,
        #"{"row_data": "https://a.example/2.jpg", "attachments": [{"type": "IMAG", "value": "v"}]}"#,
        #"17"#,
    ]

    static let manifests: [(String, String)] = [
        ("list.json", "[" + rows.joined(separator: ",") + "]"),
        ("spaced.json", "\u{feff} [\n" + rows.joined(separator: " ,\r\n\t") + "\n]\n\n"),
        ("lines.jsonl", rows.joined(separator: "\n")),
        ("lines.ndjson", "\u{feff}\n\n" + rows.joined(separator: "\r\n \n") + "\r\n"),
        ("head.json", #"{"dataset_id":"d","operation":"create","rows":["# + rows.joined(separator: ",") + "]}"),
        (
            "tail.json",
            #"{"rows": ["# + rows.joined(separator: ", ")
                + #"] , "defaults": {"media_type":"IMAGE"}, "operation": "upsert", "dataset_id": "d" }"#
        ),
    ]

    @Test(arguments: manifests)
    func everyLayoutGivesTheSameRows(_ name: String, _ text: String) throws {
        let manifest = try scratch.manifest(text, name)
        let survey = try Survey(manifest)
        #expect(survey.summary.rows == Self.rows.count)
        #expect(survey.summary.validRows == 4)
        #expect(survey.summary.rejectedRows == 3)
        #expect(survey.summary.bytes == Int64(text.utf8.count))
        for (row, expected) in zip(survey.rows, Self.rows) {
            #expect(try manifest.bytes(in: row.byteRange) == Array(expected.utf8))
        }
        #expect(
            survey.rows.map { $0.problems.first?.code }
                == [nil, nil, nil, nil, "unknown_key", "invalid_attachment_type", "invalid_row"])
        #expect(survey.rows[2].mediaPath == "local/a.jpg")
        #expect(survey.rows[0].hasGlobalKey)
    }

    @Test(arguments: manifests)
    func theWindowsSizeChangesNothing(_ name: String, _ text: String) throws {
        let manifest = try scratch.manifest(text, name)
        let whole = try Survey(manifest)
        for windowBytes in 16...64 {
            #expect(try Survey(manifest, windowBytes: windowBytes) == whole, "window of \(windowBytes)")
        }
    }

    @Test func anEnvelopesHeaderIsFoundBeforeAndAfterTheRows() throws {
        for text in [
            #"{"dataset_id":"d","operation":"update","defaults":{"media_type":"IMAGE"},"rows":[{"key":{"id":"x"},"row_data":"t"}]}"#,
            #"{"rows":[{"key":{"id":"x"},"row_data":"t"}],"dataset_id":"d","operation":"update","defaults":{"media_type":"IMAGE"}}"#,
            #"{"operation":"update","rows":[{"key":{"id":"x"},"row_data":"t"}],"defaults":{"media_type":"IMAGE"},"dataset_id":"d"}"#,
        ] {
            let survey = try Survey(scratch.manifest(text))
            #expect(survey.summary.header.datasetID?.rawValue == "d")
            #expect(survey.summary.operation == .update)
            #expect(survey.summary.header.defaults == Array(#"{"media_type":"IMAGE"}"#.utf8))
            #expect(survey.summary.validRows == 1)
        }
    }

    @Test func claimsAboutFilesAreRead() throws {
        let digest = String(repeating: "0a", count: 32)
        let survey = try Survey(
            scratch.manifest(#"{"files":{"a.jpg":{"bytes":12,"sha256":"\#(digest)"},"b":{}},"rows":[]}"#))
        #expect(survey.summary.header.files["a.jpg"] == .init(bytes: 12, sha256: [UInt8](repeating: 10, count: 32)))
        #expect(survey.summary.header.files["b"] == .init())
        #expect(survey.summary.rows == 0)
    }

    @Test func theDigestIsThatOfTheFile() throws {
        let survey = try Survey(scratch.manifest("[ ]\n"))
        #expect(survey.summary.dropped.byteCount == 4)
        #expect(
            survey.summary.dropped.hexadecimal
                == "\(try SHA256Oracle.hexadecimal(Array("[ ]\n".utf8)))")
    }

    @Test func emptyListsAndBlankLinesHoldNoRows() throws {
        for (text, name) in [
            ("[]", "a.json"), (" [ ] ", "a.json"), ("", "a.jsonl"), ("\n\r\n", "a.ndjson"), ("{\"rows\":[]}", "a.json"),
        ] {
            #expect(try Survey(scratch.manifest(text, name)).summary.rows == 0)
        }
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        var name = "rows.json"
        let text: String
        let code: String
        var offset: Int64?
        var place: (Int, Int)?
        var pointer: String?
        var isTruncation = false
        var testDescription: String { text }
    }

    static let faults: [Fault] = [
        Fault(text: "", code: "truncated", offset: 0, place: (1, 1), isTruncation: true),
        Fault(text: "\n [", code: "truncated", offset: 3, place: (2, 3), isTruncation: true),
        Fault(text: "[{}", code: "truncated", isTruncation: true),
        Fault(text: "[{},", code: "truncated", isTruncation: true),
        Fault(text: "[{\"a\":\"b", code: "truncated", offset: 8, pointer: "/0/a", isTruncation: true),
        Fault(text: "{\"rows\":[{}]", code: "truncated", isTruncation: true),
        Fault(text: "{\"rows\"", code: "truncated", isTruncation: true),
        Fault(text: "{\"ro", code: "truncated", isTruncation: true),
        Fault(name: "a.jsonl", text: "{}\n{\"a", code: "truncated", isTruncation: true),
        Fault(
            text: "[\n{\"row_data\":\"é\",\"m\":[1,tru]}]", code: "unexpected_character", offset: 29, place: (2, 27),
            pointer: "/0/m/1"),
        Fault(text: "[{},{\"a\":[{},{\"b\":01}]}]", code: "invalid_number", offset: 19, pointer: "/1/a/1/b"),
        Fault(text: "{\"rows\":[{},{\"a\":'x'}]}", code: "unexpected_character", offset: 17, pointer: "/rows/1/a"),
        Fault(text: "[{},]", code: "unexpected_character", offset: 4),
        Fault(text: "[{} {}]", code: "unexpected_character", offset: 4),
        Fault(text: "[,{}]", code: "unexpected_character", offset: 1),
        Fault(text: "[{}] x", code: "trailing_data", offset: 5),
        Fault(text: "[{}][{}]", code: "trailing_data", offset: 4),
        Fault(text: "[{\"a\":\"\u{1}\"}]", code: "control_character", offset: 7, pointer: "/0/a"),
        Fault(text: "[\u{0}]", code: "control_character"),
        Fault(text: "[\u{feff}{}]", code: "unexpected_character", offset: 1),
        Fault(text: "[{\"a\":\"\\q\"}]", code: "invalid_escape", offset: 8),
        Fault(text: "17", code: "not_a_manifest", offset: 0),
        Fault(text: "{\"row_data\":\"https://x\"}", code: "bare_row"),
        Fault(text: "{\"row\":[]}", code: "unknown_key"),
        Fault(text: "{}", code: "missing_rows"),
        Fault(text: "{\"dataset_id\":\"x\"}", code: "missing_rows"),
        Fault(text: "{\"rows\":{}}", code: "invalid_rows", pointer: "/rows"),
        Fault(text: "{\"rows\":[],\"rows\":[]}", code: "repeated_key"),
        Fault(
            text: "{\"rows\":[],\"operation\":\"delte\"}", code: "invalid_operation", offset: 23, pointer: "/operation"),
        Fault(text: "{\"dataset_id\":5,\"rows\":[]}", code: "invalid_dataset_id"),
        Fault(text: "{\"defaults\":[],\"rows\":[]}", code: "invalid_defaults"),
        Fault(
            text: "{\"defaults\":{\"global_key\":\"x\"},\"rows\":[]}", code: "unknown_key",
            pointer: "/defaults/global_key"),
        Fault(
            text: "{\"defaults\":{\"attachments\":[{\"type\":\"X\",\"value\":\"y\"}]},\"rows\":[]}",
            code: "invalid_attachment_type", pointer: "/defaults/attachments/0/type"),
        Fault(text: "{\"files\":{\"a\":{\"bytes\":-1}},\"rows\":[]}", code: "invalid_files", pointer: "/files/a/bytes"),
        Fault(name: "a.jsonl", text: "{} {}", code: "unexpected_character", offset: 3),
        Fault(name: "a.jsonl", text: "{},\n{}", code: "unexpected_character", offset: 2),
        Fault(
            name: "a.jsonl", text: "{}\n{\"a\":}\n{}", code: "unexpected_character", offset: 8, place: (2, 6),
            pointer: "/1/a"),
    ]

    @Test(arguments: faults)
    func aBrokenManifestIsRefusedWithItsPlace(_ fault: Fault) throws {
        let manifest = try scratch.manifest(fault.text, fault.name)
        for windowBytes in [16, 17, 19, 1 << 16] {
            let error = try #require(throws: ManifestError.self) {
                try Survey(manifest, windowBytes: windowBytes)
            }
            #expect(error.code == fault.code)
            #expect(error.isTruncation == fault.isTruncation)
            if let offset = fault.offset { #expect(error.byteOffset == offset) }
            if let place = fault.place { #expect(error.line == place.0 && error.column == place.1) }
            if let pointer = fault.pointer { #expect(error.pointer == pointer) }
            #expect(!error.remedy.isEmpty)
        }
    }

    @Test(arguments: manifests.filter { $0.0.hasSuffix(".json") })
    func aDocumentThatIsCutAnywhereIsTruncated(_ name: String, _ text: String) throws {
        let bytes = Array(text.utf8)
        let end = (bytes.lastIndex { $0 == 0x5d || $0 == 0x7d } ?? 0)
        for length in 0...end where length != 1 && length != 2 || bytes[0] != 0xef {
            let manifest = try scratch.manifest(bytes[..<length], "cut.json")
            let error = try #require(throws: ManifestError.self) { try Survey(manifest, windowBytes: 32) }
            #expect(error.isTruncation, "cut after \(length) bytes: \(error)")
        }
    }

    @Test func aRowTooLongIsRejectedByItsSizeAndNotHeld() throws {
        let long = #"{"row_data":"\#(String(repeating: "x\\n", count: 5000))"}"#
        for (before, between, after, name) in [("[", ",", "]", "a.json"), ("", "\n", "", "a.jsonl")] {
            let manifest = try scratch.manifest(
                before + Self.rows[0] + between + long + between + Self.rows[3] + after, name)
            for windowBytes in [16, 100, 5000, 1 << 16] {
                let survey = try Survey(manifest, policy: RowPolicy(maximumRowBytes: 1000), windowBytes: windowBytes)
                #expect(survey.rows.map(\.problems.first?.code) == [nil, "row_too_large", nil])
                #expect(survey.rows[1].problems.first?.message.contains("\(long.utf8.count) bytes") == true)
                #expect(survey.rows[1].byteRange.count == long.utf8.count)
                #expect(survey.rows[2].index == 2)
            }
        }
    }

    @Test func aRowTooLongIsStillHeldToTheGrammar() throws {
        let manifest = try scratch.manifest(#"[{"row_data":"\#(String(repeating: "x", count: 5000))\q"}]"#)
        let error = try #require(throws: ManifestError.self) {
            try Survey(manifest, policy: RowPolicy(maximumRowBytes: 1000), windowBytes: 64)
        }
        #expect(error.code == "invalid_escape")
        #expect(error.byteOffset == 5015)
    }

    @Test func aSurveyCanBeCancelled() throws {
        let manifest = try scratch.manifest(String(repeating: "{\"row_data\":\"x\"}\n", count: 10_000), "a.jsonl")
        var rows = 0
        #expect(throws: CancellationError.self) {
            try ManifestSurvey.run(manifest, policy: RowPolicy(), isCancelled: { rows > 5000 }) { _ in rows += 1 }
        }
        #expect(rows < 10_000)
    }
}
