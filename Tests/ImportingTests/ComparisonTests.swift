import DataRows
import Importing
import LabelboxAPI
import Testing

@Suite("What is compared before an upsert")
struct ComparisonTests {
    private let current = RowContents(
        row: ListedRow(
            id: DataRowID(rawValue: "r"), externalID: "caf\u{e9}", globalKey: "k",
            rowData: #"{"b":[1,{"c":null}],"a":"x"}"#),
        dataset: DatasetID(rawValue: "d"),
        attachments: [
            .init(type: "IMAGE", value: "v", name: nil), .init(type: "RAW_TEXT", value: "w", name: "n"),
        ])

    @Test(
        "a row is unchanged when all that it says can be read back and is the same",
        arguments: [
            (#"{"dataset_id":"d"}"#, true),
            (#"{"dataset_id":"other"}"#, false),
            (#"{"global_key":"k"}"#, true),
            (#"{"global_key":"l"}"#, false),
            ("{\"external_id\":\"caf\u{e9}\"}", true),
            (#"{"external_id":"caf\u00e9"}"#, true),
            // The same letter in Unicode's other spelling is another name to the server.
            (#"{"external_id":"cafe\u0301"}"#, false),
            (#"{"external_id":null}"#, false),
            (#"{"row_data":{"a":"x","b":[1,{"c":null}]}}"#, true),
            (#"{"row_data":{"b":[1,{"c":null}],"a":"x"}}"#, true),
            (#"{"row_data":{"b":[1.0,{"c":null}],"a":"x"}}"#, false),
            (#"{"row_data":{"b":[1],"a":"x"}}"#, false),
            (#"{"row_data":{"b":[1,{"c":null}],"a":"x","d":1}}"#, false),
            (#"{"row_data":"https://example.com"}"#, false),
            (#"{"row_data":"{\"b\":[1,{\"c\":null}],\"a\":\"x\"}"}"#, true),
            (#"{"attachments":[{"type":"IMAGE","value":"v"},{"type":"RAW_TEXT","value":"w","name":"n"}]}"#, true),
            (#"{"attachments":[{"type":"RAW_TEXT","value":"w","name":"n"},{"type":"IMAGE","value":"v"}]}"#, false),
            (#"{"attachments":[{"type":"IMAGE","value":"v"}]}"#, false),
            (#"{"attachments":[{"type":"IMAGE","value":"x"},{"type":"RAW_TEXT","value":"w","name":"n"}]}"#, false),
            (#"{"attachments":[{"type":"IMAGE","value":"v"},{"type":"RAW_TEXT","value":"w"}]}"#, false),
            (
                #"{"attachments":[{"type":"IMAGE","value":"v","x":1},{"type":"RAW_TEXT","value":"w","name":"n"}]}"#,
                false
            ),
            (#"{"media_type":"IMAGE"}"#, false),
            (#"{"metadata_fields":[]}"#, false),
            (#"{"embeddings":[]}"#, false),
        ])
    func comparing(payload: String, isUnchanged: Bool) throws {
        let sent = try JSONParser.parse(Array(#"{"id":{"type":"GKEY","value":"k"},"payload":\#(payload)}"#.utf8))
        #expect(RowComparison.isUnchanged(sent, current) == isUnchanged)
    }

    @Test("a row without a payload is no row that could be unchanged")
    func older() throws {
        let sent = try JSONParser.parse(Array(#"{"row_data":"x"}"#.utf8))
        #expect(!RowComparison.isUnchanged(sent, current))
        #expect(!RowComparison.comparable(sent).isComparable)
    }

    @Test("findings survive being kept")
    func findings() throws {
        var findings = Findings()
        for row in [3, 4, 9] { findings.add(segment: 7, row: row, isPresent: row != 4, isMissing: row == 4) }
        findings.addUnchanged(segment: 7, row: 9)
        findings.add(segment: 8, row: 0, isPresent: true, isMissing: false)
        let kept = try Findings.decode(try findings.encoded())
        for (segment, rows) in [(Int64(7), 0..<12), (8, 0..<2), (9, 0..<2)] {
            for row in rows {
                #expect(kept.wasPresent(segment, row) == findings.wasPresent(segment, row))
                #expect(kept.isMissing(segment, row) == findings.isMissing(segment, row))
                #expect(kept.isLeftOut(segment, row) == findings.isLeftOut(segment, row))
            }
        }
        #expect(kept.wasPresent(7, 3) && !kept.wasPresent(7, 4) && kept.isMissing(7, 4) && kept.isLeftOut(7, 9))
        #expect(kept.isUnchanged(7, 9) && !kept.isUnchanged(8, 0) && !kept.isLeftOut(7, 3))
    }
}
