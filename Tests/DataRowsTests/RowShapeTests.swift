import DataRows
import Testing

/// Rows that are like the row before are judged and written as if they stood alone.
@Suite struct RowShapes {
    private static let shapes: [String] = [
        #"{"row_data": "https://example.com/§.jpg", "external_id": "§", "global_key": "§", "media_type": "IMAGE", "metadata_fields": []}"#,
        #"{"row_data":"https://example.com/§","global_key":"§","metadata":{"n":#,"deep":[{"a":[#,#,{"b":"§"}]}]}}"#,
        #"{ "row_data" : "§" ,  "attachments" : [ { "type" : "IMAGE" , "value" : "https://§" } ] , "external_id":"§"  }"#,
        #"{"row_data":"https://§","external_id":null,"embeddings":[{"embedding_id":"§","vector":[#,#,-#]}]}"#,
        #"{"row_d\u0061ta":"https://§","external_id":"§","external_id":"§","global_key":null}"#,
        #"{"unknown":"§","row_data":"https://§"}"#,
        #"{"row_data":{"type":"§","version":#},"global_key":"§"}"#,
        #""§.jpg""#, #"{}"#, #"{"row_data":#}"#,
    ]
    private static let strings = [
        "", "a", "IMAGE", "12345678", "0123456789abcdef0123456789abcdef", "é", "😀 ", #"\""#, #"\\"#, #"\u0041"#, "a b",
        "{\\\"x\\\":1}",
        "null",
    ]
    private static let numbers = ["0", "1", "12.5", "3e7", "0.1E-2", "123456789012345678901234567890"]
    private static let tokens = Array("{}[]:,\"\\09.eE+-tfn ".utf8) + [0x00, 0x80, 0xc3, 0xff]

    /// Lines of which each but the first is mostly like the one before.
    private static func lines(_ random: inout SeededRandom) -> [[UInt8]] {
        var shape = ""
        return (0..<Int.random(in: 1...12, using: &random)).map { index in
            if index == 0 || Int.random(in: 0...5, using: &random) == 0 {
                shape = shapes.randomElement(using: &random) ?? ""
            }
            var line: [UInt8] = []
            for byte in shape.utf8 {
                switch byte {
                case UInt8(ascii: "#"): line += (numbers.randomElement(using: &random) ?? "").utf8
                // The second byte of the sign for a string; the first one is dropped.
                case 0xa7: line += (strings.randomElement(using: &random) ?? "").utf8
                case 0xc2: break
                default: line.append(byte)
                }
            }
            if Int.random(in: 0...15, using: &random) == 0 {
                let at = Int.random(in: 0..<line.count, using: &random)
                let token = tokens.randomElement(using: &random) ?? 0x20
                switch Int.random(in: 0...2, using: &random) {
                case 0: line[at] = token
                case 1: line.insert(token, at: at)
                default: line.remove(at: at)
                }
            }
            return line
        }
    }

    /// What is said of a row, without its place.
    private static func verdict(_ row: SurveyedRow, line start: Int64) -> String {
        let problems = (row.problems + row.warnings).map {
            "\($0.code) \($0.byteOffset - start) \($0.pointer.drop { $0 == "/" }.drop { $0 != "/" }) \($0.message)"
        }
        return """
            \(row.byteRange.lowerBound - start)..<\(row.byteRange.upperBound - start) \(problems) \(row.names) \
            \(row.mediaPath ?? "-") \(row.needsTextUpload) \(row.hasGlobalKey) \(row.needsOntology) \
            \(row.repetitionHash) \(row.payloadBytes)
            """
    }

    @Test(.timeLimit(.minutes(5))) func changeNothing() throws {
        let scratch = try Scratch()
        var random = SeededRandom(77)
        var read = 0
        var refused = 0
        for _ in 0..<1500 {
            let lines = Self.lines(&random)
            let whole = try scratch.manifest(lines.joined(separator: [0x0a]), "whole.jsonl")
            let windowBytes = [64, 200, 1 << 16].randomElement(using: &random) ?? 64
            var alone: [Survey] = []
            var fault: ManifestError?
            for line in lines {
                do {
                    alone.append(try Survey(scratch.manifest(line, "line.jsonl"), windowBytes: windowBytes))
                } catch let error as ManifestError {
                    fault = error
                    break
                }
            }
            if let fault {
                refused += 1
                let start = lines.prefix(alone.count).reduce(0) { $0 + Int64($1.count) + 1 }
                let found = #expect(throws: ManifestError.self) { try Survey(whole, windowBytes: windowBytes) }
                // A line that is cut off ends there, and the text goes on.
                if !fault.isTruncation {
                    #expect(found?.code == fault.code)
                    #expect(found?.byteOffset == fault.byteOffset.map { $0 + start })
                }
                continue
            }
            let survey = try Survey(whole, windowBytes: windowBytes)
            var start: Int64 = 0
            var row = 0
            for (line, one) in zip(lines, alone) {
                for single in one.rows {
                    #expect(Self.verdict(survey.rows[row], line: start) == Self.verdict(single, line: 0))
                    row += 1
                    read += 1
                }
                start += Int64(line.count) + 1
            }
            #expect(row == survey.rows.count)
            try expectSameWriting(scratch, lines, survey, whole, windowBytes)
        }
        // All of these must have come up, or nothing was tried.
        #expect(read > 4000)
        #expect(refused > 200)
    }

    private func expectSameWriting(
        _ scratch: Scratch, _ lines: [[UInt8]], _ survey: Survey, _ whole: ManifestFile, _ windowBytes: Int
    ) throws {
        guard survey.summary.rejectedRows == 0, survey.summary.rows == lines.count else { return }
        let addition = RowAddition(mediaURL: "https://u", mediaDigest: [UInt8](repeating: 1, count: 32))
        func written(_ manifest: ManifestFile) throws -> String {
            try splice(manifest, policy: RowPolicy(), windowBytes: windowBytes) { _ in addition }.text
        }
        let together: String
        do {
            together = try written(whole)
        } catch RowWritingError.problem(let problem) {
            // Metadata is judged only here.
            #expect(problem.code.contains("metadata"))
            return
        }
        let alone = try lines.map {
            try written(scratch.manifest($0, "line.jsonl")).dropFirst().dropLast()
        }
        #expect(together == "[\(alone.joined(separator: ","))]")
    }
}
