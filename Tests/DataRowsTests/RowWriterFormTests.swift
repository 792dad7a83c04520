import DataRows
import Testing

/// The forms for older servers.
@Suite struct OlderForms {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func write(
        _ row: String, _ form: RowWriter.Form, mediaType: String? = nil
    ) throws -> String {
        let policy = RowPolicy(operation: .upsert, globalKey: .off, mediaType: mediaType)
        return try splice(try scratch.manifest("[\(row)]"), policy: policy, form: form) { _ in
            RowAddition(mediaURL: "u")
        }
        .text
    }

    private func problem(_ row: String, _ form: RowWriter.Form, mediaType: String? = nil) throws -> RowProblem {
        do {
            let text = try write(row, form, mediaType: mediaType)
            Issue.record("it was written: \(text)")
        } catch let error as RowWritingError {
            if case .problem(let problem) = error { return problem }
            throw error
        }
        return RowProblem(row: 0, byteOffset: 0, pointer: "", code: "", message: "")
    }

    @Test(
        arguments: [
            (
                #"{"row_data":"https://x/1","external_id":"e","global_key":"k"}"#,
                #"[{"rowData":"https://x/1","externalId":"e","globalKey":"k"}]"#
            ),
            (#"{"row_data":"a text \u00e9","metadata":null,"key":{}}"#, #"[{"rowData":"a text \u00e9"}]"#),
            (#""a/b.png""#, #"[{"rowData":"u","externalId":"a/b.png"}]"#),
        ])
    func aSingleRowIsTheFieldsOfItsCall(row: String, fields: String) throws {
        #expect(try write(row, .single) == fields)
    }

    @Test(
        arguments: [
            (#"{"row_data":{"x":1}}"#, "/0/row_data", "row_data"),
            (#"{"row_data":"t","attachments":[{"type":"HTML","value":"v"}]}"#, "/0/attachments", "attachments"),
            (
                #"{"row_data":"t","metadata_fields":[{"name":"n","value":"v"}]}"#, "/0/metadata_fields",
                "metadata_fields"
            ),
            (#"{"row_data":"t","media_type":"TEXT"}"#, "/0/media_type", "media_type"),
            (#"{"key":{"id":"i"},"row_data":"t"}"#, "/0/key", "upsertDataRows"),
        ])
    func whatOneCallCannotCarryIsRefused(row: String, pointer: String, word: String) throws {
        let problem = try problem(row, .single)
        #expect(problem.pointer == pointer)
        #expect(problem.message.contains(word) && problem.message.contains("createDataRow"))
    }

    @Test func defaultsThatOneCallCannotCarryAreRefused() throws {
        #expect(try problem(#"{"row_data":"t"}"#, .single, mediaType: "TEXT").message.contains("media_type"))
        #expect(try problem(#""a.png""#, .single, mediaType: "IMAGE").message.contains("media_type"))
    }

    @Test func anUpdateIsNotAppended() throws {
        let problem = try problem(#"{"key":{"id":"i"},"row_data":"t"}"#, .append)
        #expect(problem.code == "operation_not_supported")
        #expect(problem.message.contains("appendRowsToDataset") && problem.message.contains("upsertDataRows"))
    }
}
