internal import LabelboxAPI

/// However a result file is cut into pieces on its way, the same is read; and a right one is read.
enum LegacyTarget {
    static func run(_ input: [UInt8]) throws {
        var choices = Choices(input)
        let step = choices.byte() % 32 + 1
        let text = Array(choices.rest)
        let whole = read(text, step: max(text.count, 1))
        let cut = read(text, step: step)
        try hold(whole.end == cut.end, "whole: \(whole.end ?? "right"), in pieces: \(cut.end ?? "right")")
        try hold(whole.results == cut.results, "whole: \(whole.results), in pieces: \(cut.results)")

        guard let file = StrictJSON.parse(text), file.depth <= 8, !file.hasLoneSurrogate,
            Set(file.members.map(\.key)).count == file.members.count, !text.contains(0x5c),
            file.members.count == 1, let created = file["createdDataRows"]?.elements,
            created.allSatisfy({
                $0["id"]?.string?.isEmpty == false && Set($0.members.map(\.key)).count == $0.members.count
            })
        else { return }
        try hold(whole.end == nil, "\(whole.end ?? "") in \(text.quoted)")
        try hold(whole.results.count == created.count, "\(whole.results.count) rows in \(text.quoted)")
    }

    private static func read(_ text: [UInt8], step: Int) -> (results: [LegacyResult], end: String?) {
        var reader = LegacyResultReader()
        var results: [LegacyResult] = []
        for start in stride(from: 0, to: text.count, by: step) {
            text[start..<min(start + step, text.count)].withUnsafeBytes { reader.read($0) { results.append($0) } }
        }
        return (results, reader.end)
    }
}
