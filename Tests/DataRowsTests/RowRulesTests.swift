import DataRows
import Testing

@Suite struct RowRuleTables {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    struct Example: Sendable, CustomTestStringConvertible {
        let row: String
        var code: String?
        var pointer: String?
        var policy = RowPolicy()
        var says: String?
        var testDescription: String { row }

        init(
            _ row: String, _ code: String? = nil, _ pointer: String? = nil, _ operation: RowOperation = .create,
            _ globalKey: GlobalKeyPolicy = .derive, says: String? = nil
        ) {
            self.row = row
            self.code = code
            self.pointer = pointer
            self.says = says
            policy = RowPolicy(operation: operation, globalKey: globalKey)
        }
    }

    static let examples: [Example] = [
        // What a row is.
        Example(#"{"row_data":"https://x/a.jpg"}"#),
        Example(#""a.jpg""#),
        Example(#""""#, "empty_row_data", "/0"),
        Example(#""https://x/a.jpg""#, "address_as_path", "/0"),
        Example("null", "invalid_row", "/0"),
        Example("17", "invalid_row", "/0"),
        Example("[]", "invalid_row", "/0"),
        Example("{}", "empty_row_data", "/0"),
        // Keys.
        Example(#"{"row_data":"t","globalKey":"k"}"#, "unknown_key", "/0/globalKey", says: "\"global_key\""),
        Example(#"{"row_data":"t","externalId":"k"}"#, "unknown_key", "/0/externalId", says: "\"external_id\""),
        Example(#"{"row_data":"t","rowdata":1}"#, "unknown_key", "/0/rowdata", says: "\"row_data\""),
        Example(#"{"row_data":"t","a/b":1}"#, "unknown_key", "/0/a~1b"),
        Example(#"{"row_data":"t","type":1}"#, "unknown_key", "/0/type"),
        Example(#"{"row_data":"t","type":1,"typ\u0065":null}"#),
        Example(#"{"row_data":"t","a":null,"a":1}"#, "unknown_key", "/0/a"),
        Example(#"{"row_data":"\u00733://bucket/a.jpg"}"#, "s3_address", "/0/row_data"),
        Example(#"{"row_data":"a\u0000.jpg"}"#),
        Example(#"{"row_data":"t","whatever":null}"#),
        Example(#"{"row\u005fdata":"t"}"#),
        Example(
            #"{"row_data":"t","dataset_id":"d","uid":"u","created_at":"c","updated_at":"d","media_attributes":{},"media_type":"TEXT","metadata":[]}"#
        ),
        Example(
            "{\"row_data\":\"t\"" + String(repeating: ",\"uid\":1", count: 1100) + "}", "too_many_keys", "/0"),
        // Content.
        Example(#"{"row_data":""}"#, "empty_row_data", "/0/row_data"),
        Example(#"{"row_data":null}"#, "empty_row_data", "/0"),
        Example(#"{"row_data":0}"#, "empty_row_data", "/0/row_data"),
        Example(#"{"row_data":-0.0e5}"#, "empty_row_data", "/0/row_data"),
        Example(#"{"row_data":false}"#, "empty_row_data", "/0/row_data"),
        Example(#"{"row_data":{ }}"#, "empty_row_data", "/0/row_data"),
        Example(#"{"row_data":[]}"#, "empty_row_data", "/0/row_data"),
        Example(#"{"row_data":7}"#, "invalid_row_data", "/0/row_data"),
        Example(#"{"row_data":true}"#, "invalid_row_data", "/0/row_data"),
        Example(#"{"row_data":"t","row_data":""}"#, "empty_row_data", "/0/row_data"),
        Example(#"{"row_data":"","row_data":"t"}"#),
        Example(
            #"{"row_data":"s3://my-bucket/a/b.jpg"}"#, "s3_address", "/0/row_data",
            says: "https://my-bucket.s3.amazonaws.com/a/b.jpg"),
        Example(#"{"row_data":"S3://my-bucket/a/b.jpg"}"#),
        Example(#"{"row_data":"file:\u0000a"}"#, "invalid_path", "/0/row_data"),
        Example(#"{"row_data":"file://elsewhere/a.jpg"}"#, "invalid_path", "/0/row_data"),
        Example(#""\ud800.jpg""#, "invalid_path", "/0"),
        // Names.
        Example(#"{"row_data":"t","external_id":5}"#, "invalid_external_id", "/0/external_id"),
        Example(#"{"row_data":"t","global_key":5}"#, "invalid_global_key", "/0/global_key"),
        Example(#"{"row_data":"t","global_key":""}"#, "invalid_global_key", "/0/global_key"),
        Example(#"{"row_data":"t","global_key":" a"}"#, "invalid_global_key", "/0/global_key"),
        Example(#"{"row_data":"t","global_key":"a "}"#, "invalid_global_key", "/0/global_key"),
        Example(#"{"row_data":"t","global_key":"a  b"}"#, "invalid_global_key", "/0/global_key"),
        Example(#"{"row_data":"t","global_key":"\u0020a"}"#, "invalid_global_key", "/0/global_key"),
        Example(#"{"row_data":"t","global_key":"a b c"}"#),
        Example(#"{"row_data":"t","global_key":null}"#),
        Example("{\"row_data\":\"t\",\"global_key\":\"" + String(repeating: "k", count: 200) + "\"}"),
        Example("{\"row_data\":\"t\",\"global_key\":\"" + String(repeating: "😀", count: 200) + "\"}"),
        Example(
            "{\"row_data\":\"t\",\"global_key\":\"" + String(repeating: "k", count: 201) + "\"}", "invalid_global_key",
            "/0/global_key", says: "201"),
        Example(#"{"row_data":"t"}"#, "missing_global_key", "/0", .create, .require),
        Example(#""a.jpg""#, "missing_global_key", "/0", .create, .require),
        Example(#"{"row_data":"t","global_key":"k"}"#, nil, nil, .create, .require),
        Example(#"{"row_data":"t","key":{"global_key":"k"}}"#, nil, nil, .upsert, .require),
        // What a row is matched on.
        Example(#"{"row_data":"t","key":{"id":"x"}}"#, "key_not_allowed", "/0/key"),
        Example(#"{"row_data":"t","key":{}}"#),
        Example(#"{"row_data":"t","key":null}"#),
        Example(#"{"row_data":"t"}"#, nil, nil, .upsert),
        Example(#"{"external_id":"e","key":{"id":"x"}}"#, nil, nil, .upsert),
        Example(#"{"key":{"id":"x"}}"#, "empty_row_data", "/0", .upsert),
        Example(#"{"key":{"id":"x"},"dataset_id":"d"}"#, "empty_row_data", "/0", .update),
        Example(#"{"row_data":"t"}"#, "missing_key", "/0", .update),
        Example(#""a.jpg""#, "missing_key", "/0", .update),
        Example(#"{"key":{"id":"x"}}"#, nil, nil, .delete),
        Example(#"{"key":{"global_key":"x"}}"#, nil, nil, .delete),
        Example(#"{"key":{"global_key":"x","id":"y"}}"#, "invalid_key", "/0/key", .delete),
        Example(#"{"key":{"gkey":"x"}}"#, "invalid_key", "/0/key", .delete),
        Example(#"{"key":{"id":5,"id":"x"}}"#, nil, nil, .delete),
        Example(#"{"key":{"id":5}}"#, "invalid_key", "/0/key", .delete),
        Example(#"{"key":"x"}"#, "invalid_key", "/0/key", .delete),
        Example(#"{"key":{"global_key":" x"}}"#, "invalid_global_key", "/0/key/global_key", .delete),
        Example("{}", "missing_key", "/0", .delete),
        // What is deleted.
        Example(#"{"global_key":"k"}"#, nil, nil, .delete),
        Example(#"{"external_id":"e"}"#, nil, nil, .delete),
        Example(#"{"id":"i"}"#, nil, nil, .delete),
        Example(#"{"global_key":"k","external_id":"e","dataset_id":"d"}"#, nil, nil, .delete, .require),
        Example(#"{"id":"i","external_id":null,"key":null,"row_data":null}"#, nil, nil, .delete),
        Example(#"{"external_id":"e"}"#, nil, nil, .delete, .require),
        Example(#""k""#, "missing_key", "/0", .delete, says: "names a file"),
        Example("7", "invalid_row", "/0", .delete),
        Example(#"{"external_id":null}"#, "missing_key", "/0", .delete, says: "{\"external_id\""),
        Example(#"{"global_key":"k","id":"i"}"#, "several_names", "/0", .delete, says: "keep one"),
        Example(#"{"key":{"id":"i"},"global_key":"k"}"#, "several_names", "/0", .delete),
        Example(#"{"global_key":"k","row_data":"t"}"#, "content_not_allowed", "/0/row_data", .delete),
        Example(#"{"global_key":"k","attachments":[]}"#, "content_not_allowed", "/0/attachments", .delete),
        Example(#"{"conversationalData":[],"external_id":"e"}"#, "content_not_allowed", nil, .delete),
        Example(#"{"globalkey":"k"}"#, "unknown_key", "/0/globalkey", .delete, says: "\"global_key\""),
        Example(#"{"id":""}"#, "invalid_id", "/0/id", .delete),
        Example(#"{"id":7}"#, "invalid_id", "/0/id", .delete),
        Example(#"{"global_key":""}"#, "invalid_global_key", "/0/global_key", .delete),
        Example(#"{"global_key":"\ud800"}"#, "invalid_global_key", "/0/global_key", .delete),
        Example(#"{"external_id":""}"#, "invalid_external_id", "/0/external_id", .delete),
        Example(#"{"external_id":["e"]}"#, "invalid_external_id", "/0/external_id", .delete),
        Example(#"{"row_data":"t","id":"i"}"#, "unknown_key", "/0/id", .create),
        Example(#"{"row_data":"t","id":"i"}"#, "unknown_key", "/0/id", .update, says: "\"key\": {\"id\""),
        // Attachments.
        Example(#"{"row_data":"t","attachments":[{"type":"IMAGE","value":"v","name":"n"}]}"#),
        Example(#"{"row_data":"t","attachments":null}"#),
        Example(#"{"row_data":"t","attachments":{}}"#),
        Example(#"{"row_data":"t","attachments":"x"}"#, "invalid_attachments", "/0/attachments"),
        Example(#"{"row_data":"t","attachments":["x"]}"#, "invalid_attachment", "/0/attachments/0"),
        Example(#"{"row_data":"t","attachments":[{"value":"v"}]}"#, "missing_attachment_type", "/0/attachments/0"),
        Example(#"{"row_data":"t","attachments":[{"type":"IMAGE"}]}"#, "missing_attachment_value", "/0/attachments/0"),
        Example(
            #"{"row_data":"t","attachments":[{"type":"IMAGE","value":"v"},{"type":"X","value":""}]}"#,
            "invalid_attachment_value", "/0/attachments/1/value"),
        Example(
            #"{"row_data":"t","attachments":[{"type":"image","value":"v"}]}"#, "invalid_attachment_type",
            "/0/attachments/0/type", says: "\"IMAGE\""),
        Example(#"{"row_data":"t","attachments":[{"ty\u0070e":"IMAGE","value":"v"}]}"#),
        // Embeddings.
        Example(
            #"{"row_data":"t","embeddings":[{"embedding_id":"e","vector":[1,2.5,"3",true],"clusters":[1,2.0],"x":1}]}"#),
        Example(#"{"row_data":"t","embeddings":{"a":1}}"#, "invalid_embeddings", "/0/embeddings"),
        Example(#"{"row_data":"t","embeddings":{},"metadata_fields":""}"#),
        Example(#"{"row_data":"t","embeddings":[1]}"#, "invalid_embedding", "/0/embeddings/0"),
        Example(#"{"row_data":"t","embeddings":[{"vector":[]}]}"#, "invalid_embedding_id", "/0/embeddings/0"),
        Example(
            #"{"row_data":"t","embeddings":[{"embedding_id":"e"}]}"#, "invalid_embedding_vector", "/0/embeddings/0"),
        Example(
            #"{"row_data":"t","embeddings":[{"embedding_id":"e","vector":[1,"nan"]}]}"#, "invalid_embedding_vector",
            "/0/embeddings/0/vector/1"),
        Example(
            #"{"row_data":"t","embeddings":[{"embedding_id":"e","vector":[],"clusters":[1.5]}]}"#,
            "invalid_embedding_clusters", "/0/embeddings/0/clusters/0"),
        // Metadata.
        Example(#"{"row_data":"t","metadata_fields":[{"name":"n","value":null},{"schema_id":"s","value":1}]}"#),
        Example(#"{"row_data":"t","metadata_fields":"x"}"#, "invalid_metadata_fields", "/0/metadata_fields"),
        Example(#"{"row_data":"t","metadata_fields":[1]}"#, "invalid_metadata_field", "/0/metadata_fields/0"),
        Example(#"{"row_data":"t","metadata_fields":[{"value":1}]}"#, "missing_metadata_name", "/0/metadata_fields/0"),
        Example(
            #"{"row_data":"t","metadata_fields":[{"name":"n"}]}"#, "missing_metadata_value", "/0/metadata_fields/0"),
        Example(
            #"{"row_data":"t","metadata_fields":[{"name":7,"value":1}]}"#, "invalid_metadata_name",
            "/0/metadata_fields/0/name"),
        Example(#"{"row_data":"t","metadata":"unread"}"#),
        // Older shapes.
        Example(#"{"conversationalData":[{"messageId":"m","content":"c"}],"externalId":"e","type":"t","version":2}"#),
        Example(#"{"conversationalData":{"a":1}}"#, "invalid_conversational_data", "/0/conversationalData"),
        Example(#"{"conversationalData":{}}"#),
        Example(#"{"conversationalData":0}"#, "invalid_conversational_data", "/0/conversationalData"),
        Example(#"{"conversationalData":["x"]}"#, "invalid_message", "/0/conversationalData/0"),
        Example(
            #"{"conversationalData":[{"messageID":"m"}]}"#, "unknown_message_key", "/0/conversationalData/0/messageID",
            says: "\"messageId\""),
        Example(#"{"conversationalData":[],"globalKey":"k"}"#, "unknown_key", "/0/globalKey"),
        Example(#"{"tileLayerUrl":"https://t","row_data":"t","minZoom":1,"anything":[]}"#),
        Example(#"{"tileLayerUrl":"https://t"}"#, "empty_row_data", "/0"),
    ]

    @Test(arguments: examples)
    func eachRowIsJudgedByItsRule(_ example: Example) throws {
        let manifest = try scratch.manifest(example.row + "\n", "a.jsonl")
        let row = try #require(Survey(manifest, policy: example.policy).rows.first)
        #expect(row.problems.first?.code == example.code)
        if let pointer = example.pointer { #expect(row.problems.first?.pointer == pointer) }
        if let says = example.says { #expect(row.problems.first?.message.contains(says) == true) }
    }

    @Test func aRowSaysWhichRowIsToBeDeleted() throws {
        let rows: [(text: String, target: RowTarget)] = [
            (#"{"key":{"id":"i"}}"#, .id("i")), (#"{"key":{"global_key":"k"}}"#, .globalKey("k")),
            (#"{"id":"\u0069"}"#, .id("i")), (#"{"global_key":"k","external_id":"e"}"#, .globalKey("k")),
            (#"{"external_id":"e"}"#, .externalID("e")),
        ]
        let manifest = try scratch.manifest(rows.map(\.text).joined(separator: "\n"), "a.jsonl")
        var found: [RowTarget?] = []
        let end = Int64(rows.map(\.text).joined(separator: "\n").utf8.count)
        try RowReader.read(
            manifest, byteRange: 0..<end, firstRow: 0, rowCount: rows.count, policy: RowPolicy(operation: .delete)
        ) { found.append($0.deletionTarget) }
        #expect(found == rows.map(\.target))
    }

    @Test func deletionsTakeNoDefaults() throws {
        let rows = #""rows":[{"global_key":"k"}]}"#
        let refused = try scratch.manifest(#"{"operation":"delete","defaults":{"external_id":"e"},"# + rows)
        let error = #expect(throws: ManifestError.self) { try Survey(refused) }
        #expect(error?.code == "defaults_not_allowed")
        let fine = try scratch.manifest(#"{"operation":"delete","defaults":{},"# + rows)
        #expect(try Survey(fine, policy: RowPolicy(mediaType: "IMAGE")).rows[0].problems.isEmpty)
    }

    @Test func theOffsetOfAProblemIsThatOfItsValue() throws {
        let text = #"[{"row_data":"é"}, {"row_data":"t","attachments":[{"type":"NO","value":"v"}]}]"#
        let row = try Survey(scratch.manifest(text), windowBytes: 16).rows[1]
        let problem = try #require(row.problems.first)
        let rest = Array(text.utf8)[Int(problem.byteOffset)...]
        #expect(rest.starts(with: "\"NO\"".utf8))
        #expect(problem.pointer == "/1/attachments/0/type")
        #expect(problem.row == 1)
    }

    @Test func allProblemsOfARowAreToldUpToALimit() throws {
        let row = try Survey(
            scratch.manifest(#"[{"row_data":"","global_key":5,"external_id":6,"bad":1}]"#)
        ).rows[0]
        #expect(
            row.problems.map(\.code).sorted()
                == ["empty_row_data", "invalid_external_id", "invalid_global_key", "unknown_key"])
    }

    static let contents: [(String, String?, Bool)] = [
        (#"https://x/a.jpg"#, nil, false), (#"HTTPS://x/a.jpg"#, nil, false), (#"https:\/\/x\/a.jpg"#, nil, false),
        (#"http://x"#, nil, false), (#"gs://b/a.png"#, nil, false), (#"ftp://x/a.png"#, nil, false),
        (#"/abs/a"#, "/abs/a", false), (#"./a"#, "./a", false), (#"../a b"#, "../a b", false),
        (#"\/abs"#, "/abs", false),
        (#"file:a%20b.jpg"#, "a b.jpg", false), (#"file:///srv/a.jpg"#, "/srv/a.jpg", false),
        (#"file://localhost/srv/a"#, "/srv/a", false), (#"img/a.JPG"#, "img/a.JPG", false), (#"a.mp4"#, "a.mp4", false),
        (#"caf\u00e9.png"#, "café.png", false), (#"two\nlines.png"#, nil, false), (#"/two\nlines"#, nil, false),
        (#"Hello world."#, nil, false), (#"a.b"#, nil, false), (#"data:image/png;base64,AAAA"#, nil, false),
        (#"..."#, nil, false),
    ]

    @Test(arguments: contents)
    func contentIsToldApartByItsLooks(_ text: String, _ path: String?, _ needsUpload: Bool) throws {
        let row = try Survey(scratch.manifest("[{\"row_data\":\"\(text)\"}]")).rows[0]
        #expect(row.problems.isEmpty)
        #expect(row.mediaPath == path)
        #expect(row.needsTextUpload == needsUpload)
    }

    @Test func textIsUploadedPastTheLimitOnly() throws {
        for (count, expected) in [(65_536, false), (65_537, true)] {
            let row = try Survey(scratch.manifest("[{\"row_data\":\"\(String(repeating: "x", count: count))\"}]")).rows[
                0]
            #expect(row.needsTextUpload == expected)
        }
        // Escapes count as what they stand for.
        let row = try Survey(scratch.manifest("[{\"row_data\":\"\(String(repeating: "\\u00e9", count: 32_768))\"}]"))
            .rows[0]
        #expect(!row.needsTextUpload)
    }

    @Test func aProblemSurvivesItsJSON() throws {
        let problem = RowProblem(row: 1, byteOffset: 2, pointer: "/1", code: "c", message: "m")
        #expect(try Coding.roundTrip(problem) == problem)
        #expect(try Coding.keys(problem) == ["byte_offset", "code", "message", "pointer", "row"])
    }
}
