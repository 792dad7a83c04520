import DataRows
import Foundation
import Testing

@Suite("Manifest schemas")
struct ManifestSchemaTests {
    private static let good = [
        #"[]"#,
        #"[{"row_data": "https://example.org/1.jpg", "global_key": "a b", "external_id": "e"}, "cats/1.jpg"]"#,
        #"[{"row_data": "gs://bucket/1.jpg"}, {"row_data": "Just a text."}]"#,
        #"[{"row_data": {"type": "application/vnd.labelbox.conversational", "version": 1}}]"#,
        #"[{"row_data": "x", "attachments": [{"type": "RAW_TEXT", "value": "v", "name": "n"}]}]"#,
        #"[{"row_data": "x", "metadata_fields": [{"schema_id": "s", "value": 1.5}, {"name": "n", "value": null}]}]"#,
        #"[{"row_data": "x", "embeddings": [{"embedding_id": "e", "vector": [0.5, "1e-3"], "clusters": [1]}]}]"#,
        #"[{"row_data": "x", "unheard_of": null, "external_id": null, "attachments": null}]"#,
        #"[{"conversationalData": [{"messageId": "1", "content": "hi"}], "externalId": "e", "type": "t", "version": 1}]"#,
        #"[{"row_data": "x", "media_attributes": {"a": 1}, "metadata": [], "uid": "u"}]"#,
        #"{"rows": []}"#,
        #"{"operation": "delete", "rows": [{"key": {"id": "i"}}]}"#,
        #"{"operation": "delete", "defaults": {}, "rows": [{"global_key": "k"}, {"external_id": "e"}, {"id": "i"}]}"#,
        #"{"operation": "delete", "rows": [{"global_key": "k", "external_id": "e", "dataset_id": 1, "row_data": null}]}"#,
        #"{"operation": "update", "rows": [{"key": {"global_key": "k"}, "external_id": "new"}]}"#,
        #"{"dataset_id": "d", "operation": null, "defaults": {"media_type": "IMAGE"}, "rows": ["a.jpg"]}"#,
        #"{"files": {"a.jpg": {"bytes": 3}}, "rows": ["a.jpg"]}"#,
    ]

    private static let bad = [
        #"[1]"#,
        #"[{"row_data": 7}]"#,
        #"[{"row_data": ""}]"#,
        #"[{"row_data": {}}]"#,
        #"[{"row_data": "s3://bucket/1.jpg"}]"#,
        #"["s3://bucket/1.jpg"]"#,
        #"[{"row_data": "x", "unheard_of": 1}]"#,
        #"[{"row_data": "x", "external_id": 1}]"#,
        #"[{"row_data": "x", "global_key": ""}]"#,
        #"[{"row_data": "x", "global_key": " a"}]"#,
        #"[{"row_data": "x", "global_key": "a  b"}]"#,
        #"[{"row_data": "x", "global_key": 1}]"#,
        #"[{"row_data": "x", "attachments": [{"type": "PICTURE", "value": "v"}]}]"#,
        #"[{"row_data": "x", "attachments": [{"type": "IMAGE", "value": ""}]}]"#,
        #"[{"row_data": "x", "metadata_fields": [{"value": 1}]}]"#,
        #"[{"row_data": "x", "metadata_fields": [{"name": "n"}]}]"#,
        #"[{"row_data": "x", "embeddings": [{"embedding_id": "e", "vector": ["one"]}]}]"#,
        #"[{"conversationalData": [{"message": "1"}]}]"#,
        #"{"rows": [], "row": []}"#,
        #"{"operation": "create"}"#,
        #"{"operation": "drop", "rows": []}"#,
        #"{"operation": "delete", "rows": [{"global_key": "k", "row_data": "x"}]}"#,
        #"{"operation": "delete", "rows": [{"global_key": "k", "id": "i"}]}"#,
        #"{"operation": "delete", "rows": [{"external_id": ""}]}"#,
        #"{"operation": "delete", "rows": [{"id": 1}]}"#,
        #"{"operation": "delete", "rows": ["k"]}"#,
        #"{"operation": "delete", "rows": [{}]}"#,
        #"{"operation": "delete", "defaults": {"media_type": "IMAGE"}, "rows": [{"id": "i"}]}"#,
        #"{"dataset_id": "", "rows": []}"#,
        #"{"files": {"a.jpg": {"size": 3}}, "rows": ["a.jpg"]}"#,
        #"{"files": {"a.jpg": {"sha256": "abc"}}, "rows": ["a.jpg"]}"#,
        #"{"operation": "update", "rows": [{"key": {"id": "i", "global_key": "k"}}]}"#,
    ]

    /// What the reader of manifests says.
    private func complaint(about text: String) throws -> String {
        let folder = try TemporaryFolder()
        let path = try folder.write(text, to: "m.json")
        guard let format = ManifestFormat(fileName: "m.json") else { return "no format" }
        let manifest = try ManifestFile(path: path, format: format)
        var problems = ""
        do {
            _ = try ManifestSurvey.run(manifest, policy: RowPolicy()) { row in
                if case .rejected(let found) = row.verdict { problems += "\(found)" }
            }
        } catch let error as ManifestError {
            return "\(error)"
        }
        return problems
    }

    @Test("the schemas say of manifests what the program says")
    func agree() throws {
        for (isGood, texts) in [(true, Self.good), (false, Self.bad)] {
            for (schema, begin) in [("manifest-list", "["), ("manifest-envelope", "{")] {
                let texts = texts.filter { $0.hasPrefix(begin) }
                let found = try Schemas.invalid(among: texts.map { Array($0.utf8) }, schema: schema)
                for (number, text) in texts.enumerated() {
                    #expect(try complaint(about: text).isEmpty == isGood, "program: \(text)")
                    #expect(!found.contains(number) == isGood, "schema: \(text)")
                }
            }
        }
    }
}
