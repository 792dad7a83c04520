internal import DataRows

/// A manifest is read twice; what pass 1 says of it is what pass 2 finds, and what is written of it is right.
///
/// The first six bytes choose how it is read, the rest is the text.
enum ManifestTarget {
    static func run(_ input: [UInt8]) throws {
        var choices = Choices(input)
        let setting = Setting(&choices)
        let text = Array(choices.rest)
        let manifest = try MemoryFile.manifest(text, ManifestFormat(setting.layout))

        let rows: [SurveyedRow]
        let summary: SurveySummary
        do {
            (summary, rows) = try survey(manifest, setting.policy, windowBytes: 1 << 16)
        } catch let error as ManifestError {
            try checkRefusal(error, of: text, manifest, setting)
            return
        }
        try checkRows(rows, summary, of: text, setting)
        let (again, rowsAgain) = try survey(manifest, setting.policy, windowBytes: setting.windowBytes)
        try hold(
            again == summary && rowsAgain.map(String.init(describing:)) == rows.map(String.init(describing:)),
            "a window of \(setting.windowBytes) bytes sees another manifest in \(text.quoted)")
        // Rows that are to be deleted are looked up, and never written.
        guard setting.policy.operation != .delete else { return }
        try SplicedRows(manifest, text, rows, summary, setting).check()
    }

    struct Setting {
        let layout: ManifestFormat.Layout
        let windowBytes: Int
        let policy: RowPolicy
        let form: RowWriter.Form

        init(_ choices: inout Choices) {
            layout = choices.pick([.document, .lines])
            windowBytes = choices.byte() + 16
            var policy = RowPolicy()
            policy.operation = choices.pick([.create, .upsert, .update, .delete])
            policy.globalKey = choices.pick([.derive, .require, .off])
            let limits = choices.byte()
            policy.maximumRowBytes = limits & 1 == 0 ? 10_000_000 : 60
            policy.maximumDepth = limits & 2 == 0 ? 64 : 3
            policy.maximumTextBytes = limits & 4 == 0 ? 65_536 : 20
            policy.maximumChunkBytes = limits & 8 == 0 ? 10_000_000 : 1_500
            policy.mediaType = limits & 16 == 0 ? nil : "IMAGE"
            self.policy = policy
            form = choices.pick([.upsert, .append])
        }

        var depthLimit: Int { policy.maximumDepth }
    }

    private static func survey(
        _ manifest: ManifestFile, _ policy: RowPolicy, windowBytes: Int
    ) throws -> (SurveySummary, [SurveyedRow]) {
        var rows: [SurveyedRow] = []
        let summary = try ManifestSurvey.run(manifest, policy: policy, tuning: .init(windowBytes: windowBytes)) {
            rows.append($0)
        }
        return (summary, rows)
    }

    private static func withoutMark(_ text: [UInt8]) -> ArraySlice<UInt8> {
        text.starts(with: [0xef, 0xbb, 0xbf]) ? text.dropFirst(3) : text[...]
    }

    /// What is refused is refused for a reason, and however it is read.
    private static func checkRefusal(
        _ error: ManifestError, of text: [UInt8], _ manifest: ManifestFile, _ setting: Setting
    ) throws {
        try hold(
            error.byteOffset.map { (0...Int64(text.count)).contains($0) } ?? true,
            "\(error) is outside of \(text.quoted)")
        do {
            _ = try survey(manifest, setting.policy, windowBytes: setting.windowBytes)
            throw Finding(description: "a small window takes what a large one refuses: \(error)")
        } catch let other as ManifestError {
            // How much of a value is held decides which of its faults is met first, but not whether there is one.
            try hold(
                (other.isTruncation == error.isTruncation && other.code == error.code)
                    || setting.policy.maximumRowBytes < 100,
                "a small window says \(other), a large one \(error)")
        }
        let body = withoutMark(text)
        switch setting.layout {
        case .lines:
            if let values = StrictJSON.parseLines(body) {
                try hold(
                    values.contains { $0.depth > setting.depthLimit }, "\(error), but \(text.quoted) holds rows")
            }
        case .document:
            if let rows = StrictJSON.parse(body)?.elements {
                try hold(rows.contains { $0.depth > setting.depthLimit }, "\(error), but \(text.quoted) is a list")
            }
        }
    }

    /// What is taken is what an independent reader finds.
    private static func checkRows(
        _ rows: [SurveyedRow], _ summary: SurveySummary, of text: [UInt8], _ setting: Setting
    ) throws {
        let body = withoutMark(text)
        let offset = text.count - body.count
        let values: [StrictJSON.Value]
        switch setting.layout {
        case .lines:
            guard let found = StrictJSON.parseLines(body) else {
                throw Finding(description: "taken, and no lines of JSON: \(text.quoted)")
            }
            values = found
        case .document:
            guard let document = StrictJSON.parse(body), let found = document.elements ?? document["rows"]?.elements
            else { throw Finding(description: "taken, and no manifest: \(text.quoted)") }
            values = found
        }
        try hold(values.count == rows.count && summary.rows == rows.count, "\(rows.count) rows for \(values.count)")
        try hold(summary.validRows + summary.rejectedRows == rows.count, "\(summary) does not add up")
        for (index, (row, value)) in zip(rows, values).enumerated() {
            let range = Int64(value.range.lowerBound + offset)..<Int64(value.range.upperBound + offset)
            try hold(row.index == index && row.byteRange == range, "row \(index) is not at \(row.byteRange)")
            try hold(value.depth <= setting.depthLimit, "row \(index) is nested \(value.depth) deep")
            for problem in row.problems {
                try hold(
                    problem.row == index && row.byteRange.contains(problem.byteOffset)
                        && (problem.pointer == (summary.isEnvelope ? "/rows" : "") + "/\(index)"
                            || problem.pointer.hasPrefix((summary.isEnvelope ? "/rows" : "") + "/\(index)/")),
                    "\(problem) has no place in row \(index)")
            }
        }
    }
}
