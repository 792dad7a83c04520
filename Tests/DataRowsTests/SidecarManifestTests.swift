import DataRows
import Foundation
import SystemPackage
import Testing

/// `photo.jpg.json` beside `photo.jpg`.
@Suite struct Sidecars {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func expand(
        _ text: String, media: String = "./photo.jpg", externalID: String = "sub/photo.jpg"
    ) throws
        -> ManifestFile?
    {
        try SidecarManifest.expand(
            scratch.manifest(text, "photo.jpg.json"), media: media, externalID: externalID,
            to: scratch.path.appending("row"), maximumBytes: 1_000)
    }

    private func row() throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: scratch.path.appending("row").string)), as: UTF8.self)
    }

    @Test(arguments: [
        (#"{}"#, #"{"row_data":"./photo.jpg","external_id":"sub/photo.jpg"}"#),
        (#"{"external_id":"e"}"#, #"{"external_id":"e","row_data":"./photo.jpg"}"#),
        (#"{"external_id":null}"#, #"{"external_id":null,"row_data":"./photo.jpg","external_id":"sub/photo.jpg"}"#),
        (
            #"{"row_data":null, "global_key" : 1e3 }"#,
            #"{"row_data":null, "global_key" : 1e3 ,"row_data":"./photo.jpg","external_id":"sub/photo.jpg"}"#
        ),
        (
            "\u{feff}\n{\n \"global_key\": \"k\"\n}\n",
            "\u{feff}\n{\n \"global_key\": \"k\"\n,\"row_data\":\"./photo.jpg\",\"external_id\":\"sub/photo.jpg\"}"
        ),
        (
            #"{"metadata":[{"rows":1,"row_data":2}]}"#,
            #"{"metadata":[{"rows":1,"row_data":2}],"row_data":"./photo.jpg","external_id":"sub/photo.jpg"}"#
        ),
    ])
    func theKeysStayAsTheyAreAndTheMediaIsAdded(_ text: String, _ expected: String) throws {
        let manifest = try #require(try expand(text))
        #expect(try row() == expected + "\n")
        let survey = try Survey(manifest, policy: RowPolicy())
        #expect(survey.rows.count == 1)
        #expect(survey.summary.dropped.byteCount == Int64(text.utf8.count), "the digest is that of what was dropped")
        if !text.contains("1e3") { #expect(survey.rows.first?.mediaPath == "./photo.jpg") }
    }

    @Test func namesAreEscaped() throws {
        let manifest = try #require(try expand("{}", media: #"./a"b\ü.jpg"#, externalID: #"a"b\ü.jpg"#))
        let row = try Survey(manifest, policy: RowPolicy()).rows[0]
        #expect(row.problems.isEmpty)
        #expect(row.mediaPath == #"./a"b\ü.jpg"#)
    }

    @Test(arguments: [
        #"[]"#, #"[{"external_id":"e"}]"#, #"{"rows":[]}"#, #"{"r\u006fws":[]}"#, #"{"row_data":"t"}"#,
        #"{"x":1,"row_data":7}"#,
        "", "  ", "7", #""a.jpg""#, #"{"x":""# + String(repeating: "x", count: 1_000) + #""}"#,
    ])
    func whatHoldsRowsIsAManifest(_ text: String) throws {
        #expect(try expand(text) == nil)
        #expect(try scratch.names() == ["photo.jpg.json"])
    }

    @Test(arguments: [
        (#"{"external_id":"e",}"#, 19), (#"{"external_id": nothing}"#, 17), (#"{"external_id":"e"} {}"#, 20),
        (#"{"external_id""#, 14),
    ])
    func whatIsNoJSONIsToldSo(_ text: String, _ offset: Int64) throws {
        let manifest = try #require(try expand(text))
        let error = #expect(throws: ManifestError.self) { _ = try Survey(manifest, policy: RowPolicy()) }
        #expect(error?.byteOffset == offset)
    }

    @Test(arguments: [#"{"conversationalData":[]}"#, #"{"tileLayerUrl":"https://x"}"#])
    func otherContentThanTheMediaIsRefused(_ text: String) throws {
        let error = #expect(throws: ManifestError.self) { _ = try expand(text) }
        #expect(error?.code == "invalid_sidecar")
    }

    @Test func anOffsetIsThatOfTheSidecarItself() throws {
        let manifest = try #require(try expand(#"{"global_key": 5}"#))
        let survey = try Survey(manifest, policy: RowPolicy())
        let problem = try #require(
            survey.rows[0].problems.first)
        #expect(problem.code == "invalid_global_key")
        #expect(problem.byteOffset == 15)
    }

    @Test(
        arguments: [
            ("photo.jpg.json", "photo.jpg"), ("a/b/PHOTO.JPG.JSON", "a/b/PHOTO.JPG"), ("x.xyz.json", "x.xyz"),
            ("rows.json", nil),
            ("photo.jpg", nil), ("v1.2.json", nil), (".json", nil), ("a.zip.json", nil), ("jpg.json", nil),
        ] as [(String, String?)])
    func theNameTellsWhatMayBeOne(_ name: String, _ media: String?) {
        let rules = MediaRules(contentTypes: [".xyz": "application/foo"])
        #expect(SidecarManifest.mediaName(of: name, rules: rules) == media)
    }
}
