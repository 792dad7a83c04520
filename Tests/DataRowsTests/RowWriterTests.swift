import DataRows
import Testing

@Suite struct RowSplicing {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    static let ontology = MetadataOntology([
        .init(id: "tag1", name: "tag", kind: .string, isReserved: true),
        .init(id: "num1", name: "score", kind: .number),
        .init(id: "day1", name: "taken", kind: .dateTime),
        .init(
            id: "enu1", name: "split", kind: .enumeration,
            options: [.init(id: "opt1", name: "train"), .init(id: "opt2", name: "test")]),
        .init(id: "emb1", name: "vector", kind: .embedding),
        .init(id: "new1", name: "future", kind: nil),
        .init(id: "tag2", name: "tag", kind: .number),
    ])

    struct Example: Sendable, CustomTestStringConvertible {
        let row: String
        /// What stands in the payload after the dataset.
        let payload: String
        var id = #"{"type":"AUTO","value":""}"#
        var operation = RowOperation.create
        var mediaURL: String?
        var defaults = ""
        var testDescription: String { row }
    }

    static let examples: [Example] = [
        // Bytes go out as they came in.
        Example(
            row:
                #"{ "row_data" : "a\/b\u00e9 é" , "metadata":[ {"n":1.50,"x":1e5,"y":123456789012345678901234567890} ] }"#,
            payload:
                #""row_data" : "a\/b\u00e9 é","metadata":[ {"n":1.50,"x":1e5,"y":123456789012345678901234567890} ]"#),
        Example(
            row: #"{"row_data":{"b":[null, {}],"a":"\ud83d"}}"#, payload: #""row_data":{"b":[null, {}],"a":"\ud83d"}"#),
        // The target dataset wins; nulls, empty keys and repeated keys go.
        Example(row: #"{"dataset_id":"other","row_data":"t"}"#, payload: #""row_data":"t""#),
        Example(
            row: #"{"row_data":"t","external_id":null,"what":null,"uid":"u"}"#, payload: #""row_data":"t","uid":"u""#),
        Example(row: #"{"row_data":"1","uid":"u","row_data":"2"}"#, payload: #""uid":"u","row_data":"2""#),
        Example(row: #"{"external_id":"a","row_data":"t","external_id":null}"#, payload: #""row_data":"t""#),
        Example(row: #"{"row_data":"t","key":{}}"#, payload: #""row_data":"t""#),
        // Media.
        Example(
            row: #"{"row_data":"a/b.jpg","global_key":"k"}"#,
            payload: #""row_data":"https://u","global_key":"k","external_id":"a/b.jpg""#,
            mediaURL: "https://u"),
        Example(
            row: #"{"row_data":"/srv/secret/b.jpg"}"#, payload: #""row_data":"https://u","external_id":"b.jpg""#,
            mediaURL: "https://u"),
        Example(
            row: #"{"row_data":"file:///srv/secret/b%20c.jpg"}"#,
            payload: #""row_data":"https://u","external_id":"b c.jpg""#,
            mediaURL: "https://u"),
        Example(
            row: #"{"row_data":"./b.jpg","external_id":"mine"}"#,
            payload: #""row_data":"https://u","external_id":"mine""#,
            mediaURL: "https://u"),
        Example(
            row: #""x/\"y\".jpg""#, payload: #""row_data":"https://u","external_id":"x/\"y\".jpg""#,
            mediaURL: "https://u"),
        Example(
            row: #""any name""#, payload: #""row_data":"https://u","external_id":"any name""#, mediaURL: "https://u"),
        // Matching.
        Example(
            row: #"{"row_data":"t","key":{"global_key":"g\u0031"}}"#, payload: #""row_data":"t""#,
            id: #"{"type":"GKEY","value":"g\u0031"}"#, operation: .upsert),
        Example(
            row: #"{"key":{"id":"i"},"global_key":"g"}"#, payload: #""global_key":"g""#,
            id: #"{"type":"ID","value":"i"}"#,
            operation: .update),
        Example(row: #"{"row_data":"t"}"#, payload: #""row_data":"t""#, operation: .upsert),
        // Embeddings.
        Example(
            row:
                #"{"row_data":"t","embeddings":[{"vector":[0.250, 1,-3.5e0],"embedding_id":"e","clusters":[1,2.0],"x":1},{"embedding_id":"f","vector":["1_0.5",true," +.5 "],"clusters":[]}]}"#,
            payload:
                #""row_data":"t","embeddings":[{"embeddingId":"e","vector":[0.250, 1,-3.5e0],"clusters":[1,2]},{"embeddingId":"f","vector":[10.5,1,0.5]}]"#
        ),
        // Metadata.
        Example(
            row:
                #"{"row_data":"t","metadata_fields":[{"name":"tag","value":"\u0041"},{"name":"score","value":1.50},{"name":"split","value":"test"}]}"#,
            payload:
                #""row_data":"t","metadata_fields":[{"schemaId":"tag1","value":"\u0041"},{"schemaId":"num1","value":1.50},{"schemaId":"enu1","value":{}},{"schemaId":"opt2","value":{}}]"#
        ),
        Example(
            row:
                #"{"row_data":"t","metadata_fields":[{"schema_id":"enu1","name":"tag","value":"opt1"},{"schema_id":"tag2","value":" 1e3 "},{"name":"future","value":{"a":[]}}]}"#,
            payload:
                #""row_data":"t","metadata_fields":[{"schemaId":"enu1","value":{}},{"schemaId":"opt1","value":{}},{"schemaId":"tag2","value":1e3},{"schemaId":"new1","value":{"a":[]}}]"#
        ),
        Example(
            row: #"{"row_data":"t","metadata_fields":[{"name":"taken","value":"2024-05-01T10:20:30.999+02:00"}]}"#,
            payload: #""row_data":"t","metadata_fields":[{"schemaId":"day1","value":"2024-05-01T08:20:30Z"}]"#),
        Example(row: #"{"row_data":"t","metadata_fields":[]}"#, payload: #""row_data":"t","metadata_fields":[]"#),
        // Defaults.
        Example(
            row: #"{"row_data":"t","media_type":"TEXT"}"#,
            payload: #""row_data":"t","media_type":"TEXT","attachments":[1e1]"#,
            defaults: #"{"media_type":"IMAGE","attachments":[1e1]}"#),
        Example(
            row: #"{"row_data":"t","media_type":null}"#, payload: #""row_data":"t","media_type":"IMAGE""#,
            defaults: #"{"media_type":"IMAGE"}"#),
        Example(
            row: #""a.jpg""#,
            payload:
                #""row_data":"https://u","external_id":"a.jpg","metadata_fields":[{"schemaId":"num1","value":7}]"#,
            mediaURL: "https://u", defaults: #"{"metadata_fields":[{"name":"score","value":7}]}"#),
        // Older shapes.
        Example(
            row: #"{"conversationalData":[{"content":"c"}],"row_data":"gone","externalId":"e","external_id":"f"}"#,
            payload:
                #""row_data":{"type":"application/vnd.labelbox.conversational","version":1,"messages":[{"content":"c"}]},"external_id":"e""#
        ),
        Example(
            row: #"{"version":2,"type":"x","conversationalData":[]}"#,
            payload: #""row_data":{"type":"x","version":2,"messages":[]}"#),
    ]

    @Test(arguments: examples)
    func aRowIsWrittenAsTheServiceTakesIt(_ example: Example) throws {
        let isList = example.defaults.isEmpty
        // What the tests of the rules refuse is none of this test's business.
        let defaults = example.defaults.replacing("[1e1]", with: #"[{"type":"HTML","value":"v"}]"#)
        let manifest = try scratch.manifest(
            isList ? "[\(example.row)]" : "{\"defaults\":\(defaults),\"rows\":[\(example.row)]}")
        let policy = RowPolicy(operation: example.operation, globalKey: .off)
        for windowBytes in [16, 31, 1 << 16] {
            let (text, _, _) = try splice(
                manifest, policy: policy, ontology: Self.ontology, windowBytes: windowBytes
            ) { _ in RowAddition(mediaURL: example.mediaURL) }
            let payload = example.payload.replacing("[1e1]", with: #"[{"type":"HTML","value":"v"}]"#)
            #expect(text == "[{\"id\":\(example.id),\"payload\":{\"dataset_id\":\"set\",\(payload)}}]")
            #expect(Coding.isJSON(Array(text.utf8)) || example.row.contains("ud83d"))
        }
    }

    @Test func tiledImageryOfTheOlderShapeGoesOutUnwrapped() throws {
        let manifest = try scratch.manifest(
            #"[{"tileLayerUrl":"https://t/{z}","row_data":"t","minZoom":1,"bounds":[[1,2]],"x":null,"dataset_id":"o"}]"#
        )
        #expect(
            try splice(manifest).text
                == #"[{"dataset_id":"set","tileLayerUrl":"https://t/{z}","row_data":"t","minZoom":1,"bounds":[[1,2]]}]"#
        )
    }

    @Test func theOlderFormHasOtherNamesAndNoWrapper() throws {
        let manifest = try scratch.manifest(
            #"[{"row_data": "t","external_id":"e","global_key":"g","media_type":"TEXT","metadata_fields":[{"name":"tag","value":"v"}],"attachments":[{"type":"HTML","value":"v"}]},"a.jpg"]"#
        )
        let found = try splice(manifest, form: .append, ontology: Self.ontology) { RowAddition(mediaURL: "u\($0)") }
        #expect(
            found.text
                == #"[{"data":"t","externalId":"e","globalKey":"g","mediaType":"TEXT","metadataFields":[{"schemaId":"tag1","value":"v"}],"attachments":[{"type":"HTML","value":"v"}]},{"data":"u1","externalId":"a.jpg"}]"#
        )
        let key = try #require(found.identities[0].globalKey)
        #expect(found.chunk.string(in: key) == "g")
    }

    @Test func theNamesOfARowAreFoundInItsChunk() throws {
        let manifest = try scratch.manifest(
            #"[{"row_data":"t","global_key":"g\"1","external_id":"e\n"},{"row_data":"t2"},{"row_data":"u","key":{"global_key":"m"}}]"#
        )
        let found = try splice(manifest, policy: RowPolicy(operation: .upsert))
        let names = found.identities.map { found.chunk.string(in: $0.globalKey ?? 0..<0) }
        #expect(names[0] == "g\"1")
        #expect(names[1].hasPrefix("dr1-") && names[1].utf8.count == 68)
        #expect(names[2] == "m")
        #expect(found.identities.map(\.isDerived) == [false, true, false])
        #expect(found.chunk.bytes[try #require(found.identities[0].externalID)].elementsEqual(#""e\n""#.utf8))
        #expect(found.text.contains(#""global_key":"\#(names[1])""#))
    }

    /// The keys, external ids and targets of rows, as text.
    private func names(_ found: (text: String, identities: [RowIdentity], chunk: ChunkBuffer)) -> [[String?]] {
        found.identities.map { identity in
            let target: String? =
                switch identity.target {
                case .id(let range): "id " + found.chunk.string(in: range)
                case .globalKey(let range): "key " + found.chunk.string(in: range)
                case nil: nil
                }
            return [
                identity.globalKey.map(found.chunk.string), identity.isDerived ? "derived" : nil, target,
                identity.externalID.map { String(decoding: found.chunk.bytes[$0], as: UTF8.self) },
            ]
        }
    }

    @Test(
        "a row is called the same whether all of it is written or only its names",
        arguments: [RowWriter.Form.upsert, .append], [GlobalKeyPolicy.off, .derive])
    func namesAlone(form: RowWriter.Form, rule: GlobalKeyPolicy) throws {
        var rows: [(defaults: String, row: String, media: String?)] = Self.examples.map { example in
            // What the tests of the rules refuse is none of this test's business.
            let defaults = example.defaults.replacing("[1e1]", with: #"[{"type":"HTML","value":"v"}]"#)
            return (defaults, example.operation == .create ? example.row : "{}", example.mediaURL)
        }
        let values = [#""row_data":"https://h/1""#, #""row_data":"t""#, #""row_data":{"a":1}"#, #""row_data":"a.jpg""#]
        let names = [
            #""global_key":"k""#, #""global_key":"k\"é","external_id":"e""#, #""global_key":null,"external_id":"e""#,
            #""external_id":"1","global_key":"1","external_id":null"#, #""global_key":"1","global_key":"2""#,
            #""global_key":"k","metadata_fields":[{"name":"tag","value":"v"}]"#,
            #""global_key":"k","metadata_fields":[]"#,
            #""global_key":"k","embeddings":[]"#, #""global_key":"k","key":{}"#, #""external_id":"\u00e9""#,
        ]
        for value in values {
            for name in names {
                for row in ["{\(value),\(name)}", "{\(name),\(value)}"] {
                    rows.append(("", row, "https://u"))
                    rows.append((#"{"external_id":"d"}"#, row, "https://u"))
                }
            }
        }
        var quick = 0
        for (defaults, row, media) in rows {
            let manifest = try scratch.manifest(
                defaults.isEmpty ? "[\(row)]" : "{\"defaults\":\(defaults),\"rows\":[\(row)]}")
            let digest = [UInt8](repeating: 7, count: 32)
            func write(namesOnly: Bool) throws -> (text: String, identities: [RowIdentity], chunk: ChunkBuffer)? {
                do {
                    return try splice(
                        manifest, policy: RowPolicy(operation: .create, globalKey: rule), form: form,
                        ontology: Self.ontology, namesOnly: namesOnly
                    ) { _ in RowAddition(mediaURL: media, mediaDigest: digest) }
                } catch is RowWritingError {
                    return nil
                }
            }
            let (whole, only) = (try write(namesOnly: false), try write(namesOnly: true))
            #expect(only.map(self.names) == whole.map(self.names), "\(row) with \(defaults)")
            if let whole, let only, only.text.utf8.count < whole.text.utf8.count { quick += 1 }
        }
        #expect(quick > 20, "some were written in short, or nothing was compared")
    }

    @Test func aDerivedKeyIsRightForEachLength() throws {
        // The frame around the row has 39 bytes: every length of the last block comes up, and rows that are hashed in pieces.
        let set = DatasetID(rawValue: "set")
        for length in Array(0...130) + [1000, 1024, 1025, 5000] {
            let row = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ length) }
            func part(_ letter: String, _ bytes: [UInt8]) -> [UInt8] {
                letter.utf8 + withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { Array($0) } + bytes
            }
            let ordinal = withUnsafeBytes(of: UInt64(3).bigEndian) { Array($0) }
            let sum = try SHA256Oracle.hexadecimal(part("d", Array("set".utf8)) + part("r", row) + part("o", ordinal))
            let key = row.withUnsafeBytes { DerivedKey.make(dataset: set, row: $0, mediaDigest: nil, ordinal: 3) }
            #expect(key == "dr1-" + sum, "\(length)")
        }
    }

    @Test func aDerivedKeyFollowsFromItsRecipe() throws {
        let row = Array(#"{"row_data":"t"}"#.utf8)
        func length(_ value: Int) -> [UInt8] { (0..<8).map { UInt8(value >> (56 - 8 * $0) & 255) } }
        var recipe = [UInt8(ascii: "d")] + length(3) + Array("set".utf8) + [UInt8(ascii: "r")] + length(row.count) + row
        let digest = [UInt8](repeating: 7, count: 32)
        let end = [UInt8(ascii: "o")] + length(8) + length(5)
        let plain = try SHA256Oracle.hexadecimal(recipe + end)
        recipe += [UInt8(ascii: "m")] + length(32) + digest
        let withMedia = try SHA256Oracle.hexadecimal(recipe + end)
        row.withUnsafeBytes { bytes in
            let set = DatasetID(rawValue: "set")
            #expect(DerivedKey.make(dataset: set, row: bytes, mediaDigest: nil, ordinal: 5) == "dr1-" + plain)
            #expect(DerivedKey.make(dataset: set, row: bytes, mediaDigest: digest, ordinal: 5) == "dr1-" + withMedia)
        }
        // A long row takes another way to the same sum.
        let long = [UInt8](repeating: 0x78, count: 5000)
        let sum = try SHA256Oracle.hexadecimal(
            [UInt8(ascii: "d")] + length(3) + Array("set".utf8) + [UInt8(ascii: "r")] + length(5000) + long + end)
        long.withUnsafeBytes { bytes in
            let key = DerivedKey.make(dataset: DatasetID(rawValue: "set"), row: bytes, mediaDigest: nil, ordinal: 5)
            #expect(key == "dr1-" + sum)
        }
        let found = try splice(scratch.manifest(#"[ {"row_data":"t"} ]"#), policy: RowPolicy()) { _ in
            RowAddition(ordinal: 5)
        }
        #expect(found.text.contains("dr1-" + plain))
    }

    @Test func noKeyIsDerivedForRowsThatAreMatchedOrUpdated() throws {
        for (text, operation) in [
            (#"[{"row_data":"t","key":{"id":"x"}}]"#, RowOperation.upsert),
            (#"[{"row_data":"t","key":{"id":"x"}}]"#, .update),
        ] {
            #expect(try !splice(scratch.manifest(text), policy: RowPolicy(operation: operation)).text.contains("dr1-"))
        }
    }

    @Test func metadataIsRefusedWithItsPlace() throws {
        for (field, code, pointer) in [
            (#"{"name":"tagg","value":"v"}"#, "unknown_metadata_field", "/0/metadata_fields/0/name"),
            (#"{"schema_id":"nope","value":"v"}"#, "unknown_metadata_field", "/0/metadata_fields/0/schema_id"),
            (#"{"name":"tag","value":5}"#, "invalid_metadata_value", "/0/metadata_fields/0/value"),
            (#"{"name":"score","value":"inf"}"#, "invalid_metadata_value", "/0/metadata_fields/0/value"),
            (#"{"name":"score","value":null}"#, "invalid_metadata_value", "/0/metadata_fields/0/value"),
            (#"{"name":"taken","value":"yesterday"}"#, "invalid_metadata_value", "/0/metadata_fields/0/value"),
            (#"{"name":"split","value":"trian"}"#, "invalid_metadata_value", "/0/metadata_fields/0/value"),
            (#"{"schema_id":"enu1","value":"train"}"#, "invalid_metadata_value", "/0/metadata_fields/0/value"),
            (#"{"name":"vector","value":[]}"#, "invalid_metadata_value", "/0/metadata_fields/0/value"),
        ] {
            let text = "[{\"row_data\":\"t\",\"metadata_fields\":[\(field)]}]"
            let error = try #require(throws: RowWritingError.self) {
                try splice(scratch.manifest(text), ontology: Self.ontology)
            }
            guard case .problem(let problem) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(problem.code == code)
            #expect(problem.pointer == pointer)
            #expect(problem.byteOffset > 30)
        }
    }

    @Test func whatIsMissingIsAskedFor() throws {
        let metadata = try scratch.manifest(#"[{"row_data":"t","metadata_fields":[{"name":"tag","value":"v"}]}]"#)
        #expect(throws: RowWritingError.ontologyRequired(row: 0)) { try splice(metadata) }
        let media = try scratch.manifest(#"["a.jpg"]"#)
        #expect(throws: RowWritingError.mediaRequired(row: 0)) { try splice(media) }
        #expect(throws: RowWritingError.mediaRequired(row: 0)) {
            try splice(media, policy: RowPolicy()) { _ in RowAddition(mediaURL: "u") }
        }
    }

    @Test func aFullChunkIsLeftAsItWas() throws {
        let manifest = try scratch.manifest(#"[{"row_data":"one"},{"row_data":"two"}]"#)
        let policy = RowPolicy(globalKey: .off)
        let survey = try Survey(manifest, policy: policy)
        let writer = RowWriter(
            try RowContext(datasetID: DatasetID(rawValue: "set"), policy: policy, summary: survey.summary))
        var chunk = ChunkBuffer(limit: 120)
        var full = 0
        try RowReader.read(
            manifest, byteRange: 1..<survey.rows[1].byteRange.upperBound, firstRow: 0, rowCount: 2, policy: policy
        ) { row in
            do throws(RowWritingError) {
                _ = try writer.append(row, to: &chunk)
            } catch {
                #expect(error == .chunkFull(row: 1))
                full += 1
            }
        }
        chunk.close()
        #expect(full == 1)
        #expect(chunk.count == 1)
        #expect(
            String(decoding: chunk.bytes, as: UTF8.self)
                == #"[{"id":{"type":"AUTO","value":""},"payload":{"dataset_id":"set","row_data":"one"}}]"#)
    }

    @Test func theSurveysBoundHoldsForWhatIsWritten() throws {
        for example in Self.examples where example.defaults.isEmpty {
            let policy = RowPolicy(operation: example.operation)
            let manifest = try scratch.manifest("[\(example.row)]")
            let bound = try Survey(manifest, policy: policy).rows[0].payloadBytes
            let text = try splice(manifest, policy: policy, ontology: Self.ontology) { _ in
                RowAddition(mediaURL: example.mediaURL, mediaDigest: [UInt8](repeating: 0, count: 32))
            }.text
            #expect(text.utf8.count - 2 <= bound)
        }
    }

    @Test func rowsThatChangedUnderTheReaderAreNoticed() throws {
        let policy = RowPolicy()
        for (text, range, count) in [
            (#"[{"row_data":"a"},{"row_data":"b"}]"#, Int64(1)..<34, 3),
            (#"[{"row_data":"a"},{"row_data":"b"}]"#, 1..<34, 1),
            (#"[{"row_data":"a"} {"row_data":"b"}]"#, 1..<34, 2), (#"[{"row_data":"a"},{"row_data":"b" ]"#, 1..<34, 2),
            (#"[                ,{"row_data":"b"}]"#, 1..<34, 2), (#"[{"row_data":"a"},{"row_data":"b"}]"#, 1..<33, 2),
            (#"[{"row_data":"a"},{"row_data"}]"#, 1..<34, 2),
        ] {
            #expect(throws: ManifestError.self) {
                try RowReader.read(
                    scratch.manifest(text), byteRange: range, firstRow: 0, rowCount: count, policy: policy
                ) { _ in }
            }
        }
    }

    @Test func longTextIsHandedOutForItsUpload() throws {
        let policy = RowPolicy(maximumTextBytes: 4)
        let manifest = try scratch.manifest(#"[{"row_data":"a\u00e9\ud800 \"b"},{"row_data":"abcd"}]"#)
        let survey = try Survey(manifest, policy: policy)
        var texts: [[UInt8]?] = []
        try RowReader.read(
            manifest, byteRange: 1..<survey.rows[1].byteRange.upperBound, firstRow: 0, rowCount: 2, policy: policy
        ) { texts.append($0.textToUpload(policy)) }
        #expect(texts == [Array("aé\u{fffd} \"b".utf8), nil])
        #expect(survey.rows.map(\.needsTextUpload) == [true, false])
    }
}
