import DataRows
import LabelboxAPI
import Testing

/// A result file is read as it comes, whatever the pieces are.
@Suite("Result files of older imports")
struct LegacyResultTests {
    private static let file = #"""
        {"note": {"ignored": ["]}", 1.5, {"createdDataRows": [{"id": "no"}]}]},
         "createdDataRows": [{"id": "r1", "externalId": "a \" ] }", "globalKey": null, "rowData": {"x": ["y"]}},
          {"id":"r2","externalId":null,"globalKey":"käse\\","rowData":"https://x"}],
         "errors": [{"message": "first", "failedDataRows": [{"externalId": "f1", "globalKey": "g"}, {"externalId": 7}]},
          {"failedDataRows": [{"externalId": "late"}], "message": "second"}, null, {"failedDataRows": [{}]}], "more": -1 }
        """#

    private static let whole: [LegacyResult] = [
        .created(CreatedRow(id: DataRowID(rawValue: "r1"), externalID: #"a " ] }"#)),
        .created(CreatedRow(id: DataRowID(rawValue: "r2"), globalKey: #"käse\"#)),
        .failed(FailedRow(message: "first", externalID: "f1", globalKey: "g")),
        .failed(FailedRow(message: "first", externalID: "7")),
        .failed(FailedRow(message: "second", externalID: "late")),
        .failed(FailedRow(message: "refused without a message")),
    ]

    private func read(_ text: String, pieces: Int) -> (results: [LegacyResult], end: String?) {
        var reader = LegacyResultReader()
        var results: [LegacyResult] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            bytes[start..<min(bytes.count, start + pieces)].withUnsafeBytes { piece in
                reader.read(piece) { results.append($0) }
            }
        }
        return (results, reader.end)
    }

    @Test("every entry is found, whatever stands around it", arguments: [1, 2, 3, 7, 64, 4096])
    func entries(pieces: Int) {
        let read = read(Self.file, pieces: pieces)
        #expect(read.results == Self.whole)
        #expect(read.end == nil)
    }

    @Test("a file that is cut off anywhere is not taken for whole")
    func cut() {
        for length in 0..<Self.file.utf8.count {
            let text = String(decoding: Self.file.utf8.prefix(length), as: UTF8.self)
            #expect(read(text, pieces: 64).end != nil, "cut at \(length)")
        }
    }

    @Test(
        "the error of a whole import is text or an object",
        arguments: [
            (#"{"error": "no \"luck\""}"#, #"no "luck""#),
            (#"{"error":{"code":7,"why":["x"]}}"#, #"{"code":7,"why":["x"]}"#),
            (#"{"error": 17}"#, "17"),
        ])
    func errors(text: String, error: String) {
        let read = read(text, pieces: 5)
        #expect(read.results == [.error(error)])
        #expect(read.end == nil)
    }

    @Test(
        "what is no result file is refused",
        arguments: [
            "", "[]", "{}", "null", "<html>", #"{"createdDataRows":[{"id":7}]}"#, #"{"createdDataRows":[{"id":tru}]}"#,
            #"{"createdDataRows":[{}]}"#, #"{"createdDataRows":[]} {"#, #"{"createdDataRows":[]]}"#, #"{"errors":[}]}"#,
            #"{"error" "x"}"#, #"{"error":"x",,:}"#,
        ])
    func refused(text: String) {
        #expect(read(text, pieces: 3).end != nil)
    }

    @Test("empty lists are a result, too", arguments: [#"{"createdDataRows":[],"errors":[]}"#, #"{"errors":null}"#])
    func empty(text: String) {
        let read = read(text, pieces: 1)
        #expect(read.results.isEmpty)
        #expect(read.end == nil)
    }
}
