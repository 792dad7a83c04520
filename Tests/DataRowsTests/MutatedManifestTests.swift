import DataRows
import Testing

/// Manifests with a few bytes changed: whatever they have become, they are judged, and what is written is right.
@Suite struct MutatedManifests {
    private static let rows =
        RowSplicing.examples.filter { $0.defaults.isEmpty }.map(\.row)
        + RowRuleTables.examples.map(\.row).filter { $0.utf8.count < 500 }

    private static let tokens = Array("{}[]:,\"\\09.eE+-tfn \n".utf8) + [0x00, 0x80, 0xc3, 0xff]

    private func mutated(_ random: inout SeededRandom) -> [UInt8] {
        let rows = (0..<Int.random(in: 1...6, using: &random)).map { _ in
            Self.rows.randomElement(using: &random) ?? ""
        }
        var text: [UInt8]
        switch Int.random(in: 0...2, using: &random) {
        case 0: text = Array("[\(rows.joined(separator: ", "))]".utf8)
        case 1: text = Array("{\"rows\":[\(rows.joined(separator: ","))],\"defaults\":{\"media_type\":\"IMAGE\"}}".utf8)
        default: text = Array("{\"operation\":\"upsert\",\"rows\":[\(rows.joined(separator: ",\n"))]}".utf8)
        }
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            let at = Int.random(in: 0..<text.count, using: &random)
            let token = Self.tokens.randomElement(using: &random) ?? 0x20
            switch Int.random(in: 0...3, using: &random) {
            case 0: text[at] = token
            case 1: text.insert(token, at: at)
            case 2: text.remove(at: at)
            default: text.removeSubrange(at..<min(text.count, at + 5))
            }
            if text.isEmpty { text = [0x5b] }
        }
        return text
    }

    @Test(.timeLimit(.minutes(5))) func areRefusedOrWrittenAsJSON() throws {
        let scratch = try Scratch()
        var random = SeededRandom(21)
        var refused = 0
        var written = 0
        for _ in 0..<3000 {
            let text = mutated(&random)
            let manifest = try scratch.manifest(text)
            let windowBytes = Int.random(in: 16...300, using: &random)
            let survey: Survey
            do {
                survey = try Survey(manifest, windowBytes: windowBytes)
            } catch let error as ManifestError {
                refused += 1
                #expect(error.byteOffset.map { $0 <= text.count } ?? true)
                continue
            }
            guard let first = survey.rows.first, let last = survey.rows.last else { continue }
            let writer = RowWriter(
                try RowContext(
                    datasetID: DatasetID(rawValue: "set"), policy: RowPolicy(), summary: survey.summary,
                    ontology: RowSplicing.ontology))
            try RowReader.read(
                manifest, byteRange: first.byteRange.lowerBound..<last.byteRange.upperBound, firstRow: 0,
                rowCount: survey.rows.count, policy: RowPolicy(), windowBytes: windowBytes
            ) { row in
                let surveyed = survey.rows[row.index]
                #expect(surveyed.hasGlobalKey || row.repetitionHash == surveyed.repetitionHash)
                #expect(row.byteRange == surveyed.byteRange)
                var chunk = ChunkBuffer()
                do throws(RowWritingError) {
                    _ = try writer.append(
                        row, RowAddition(mediaURL: "https://u", mediaDigest: [UInt8](repeating: 1, count: 32)),
                        to: &chunk)
                } catch {
                    // Metadata is judged only here; all else that is written was found valid before.
                    guard case .problem(let problem) = error else { throw error }
                    #expect(problem.code.contains("metadata") || !surveyed.problems.isEmpty, "\(problem)")
                    #expect(chunk.bytes == [0x5b])
                    return
                }
                chunk.close()
                #expect(
                    JSONCheck.slow(chunk.bytes).verdict == .valid, "\(String(decoding: chunk.bytes, as: UTF8.self))")
                if surveyed.problems.isEmpty {
                    written += 1
                    #expect(chunk.bytes.count - 2 <= surveyed.payloadBytes)
                    #expect(surveyed.mediaPath == row.mediaPath(RowPolicy()))
                }
            }
        }
        // All of these must have come up, or nothing was tried.
        #expect(refused > 500)
        #expect(written > 2000)
    }
}
