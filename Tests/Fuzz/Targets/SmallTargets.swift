internal import Foundation
internal import Intake
internal import LabelboxAPI
internal import Ledger
internal import Reporting
internal import Results
internal import Settings
internal import SystemPackage
internal import Transport

/// A pause that a server asks for is between nothing and the longest, or none.
enum HeaderTarget {
    static func run(_ input: [UInt8]) throws {
        let lines = input.split(separator: 0x0a, maxSplits: 2, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        let now = Int64(lines.count > 2 ? lines[2] : "") ?? 784_111_777
        for date in [nil, lines.count > 1 ? lines[1] : ""] {
            guard let pause = RetryAfter.pause(lines[0], answerDate: date, now: now) else { continue }
            try hold(
                pause >= .zero && pause <= RetryAfter.longest, "a pause of \(pause) for \(lines[0].debugDescription)")
        }
        if let time = RetryAfter.unixTime(lines[0]) {
            try hold((0...253_402_300_860).contains(time), "\(time) for \(lines[0].debugDescription)")
        }
        let error = TransportError(.other, reach: .notSent, message: "m", url: lines[0])
        for scheme in ["https://", "http://"] where lines[0].hasPrefix(scheme) {
            try hold(!error.url.contains("?") && !error.url.contains("#"), "secrets are left in \(error.url)")
        }
        let headers = HTTPHeaders(lines.map { HTTPHeader($0, $0) })
        try hold(
            headers[lines[0].uppercased()] != nil || lines[0].uppercased().lowercased() != lines[0].lowercased(), "gone"
        )
    }
}

/// What was put into the parts of an upload comes out of it, and nothing else.
enum MultipartTarget {
    static func run(_ input: [UInt8]) throws {
        var choices = Choices(input)
        let step = choices.byte() + 1
        var parts: [HTTPRequest.Part] = []
        for piece in choices.rest.split(separator: 0, omittingEmptySubsequences: false).prefix(6) {
            let fields = piece.split(separator: 1, maxSplits: 2, omittingEmptySubsequences: false)
            let content = Array(fields.count > 2 ? fields[2] : [])
            parts.append(
                HTTPRequest.Part(
                    name: String(decoding: fields[0], as: UTF8.self),
                    filename: fields.count > 1 ? String(decoding: fields[1], as: UTF8.self) : nil,
                    content: .bytes(content.count % 7 == 3 ? content + [UInt8](repeating: 65, count: 5000) : content)))
        }
        let boundary = "0123456789abcdef0123456789abcdef"
        if input.count >= 32, String(decoding: input, as: UTF8.self).contains(boundary) { return }
        let stream = BodyStream(MultipartFraming.stretches(of: parts, boundary: boundary))
        let body = try bytes(of: stream, step: 1 << 16)
        try hold(Int64(body.count) == stream.byteCount, "\(body.count) bytes and not \(stream.byteCount)")
        try hold(stream.seek(to: Int64(step % (body.count + 1))), "no way back")
        try hold(try bytes(of: stream, step: step) == body[(step % (body.count + 1))...], "the rest differs")
        try compare(parts, try take(apart: body, boundary: boundary))
    }

    private static func bytes(of stream: BodyStream, step: Int) throws -> ArraySlice<UInt8> {
        var body: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: step)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try stream.read(into: $0) }
            if count == 0 { return body[...] }
            body += buffer[..<count]
        }
    }

    /// The parts as a server that goes by RFC 7578 sees them: the lines of the header, and the content.
    private static func take(apart body: ArraySlice<UInt8>, boundary: String) throws -> [([String], [UInt8])] {
        let mark = Array("--\(boundary)".utf8)
        var found: [([String], [UInt8])] = []
        var rest = body
        guard rest.starts(with: mark) else { throw Finding(description: "no boundary at the start") }
        rest = rest.dropFirst(mark.count)
        while !rest.starts(with: Array("--".utf8)) {
            guard rest.starts(with: [13, 10]), let blank = index(of: [13, 10, 13, 10], in: rest),
                let end = index(of: [13, 10] + mark, in: rest[(blank + 2)...])
            else { throw Finding(description: "no end of a part in \(rest.quoted)") }
            let header = String(decoding: rest[(rest.startIndex + 2)..<blank], as: UTF8.self)
            found.append(
                (
                    header.unicodeScalars.split(separator: "\n").map { String($0) },
                    Array(rest[(blank + 4)..<max(end, blank + 4)])
                ))
            rest = rest[(end + 2 + mark.count)...]
        }
        try hold(Array(rest) == Array("--\r\n".utf8), "something follows the last part: \(rest.quoted)")
        return found
    }

    private static func index(of pattern: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= pattern.count else { return nil }
        return (bytes.startIndex...bytes.endIndex - pattern.count).first { bytes[$0...].starts(with: pattern) }
    }

    private static func compare(_ parts: [HTTPRequest.Part], _ found: [([String], [UInt8])]) throws {
        try hold(found.count == parts.count, "\(found.count) parts and not \(parts.count)")
        for (part, (header, content)) in zip(parts, found) {
            guard case .bytes(let wanted) = part.content else { continue }
            try hold(content == wanted, "\(content.quoted) for \(wanted.quoted)")
            try hold(header.count == 1, "a name has become a line of the header: \(header)")
        }
    }
}

/// A configuration is refused with places, or taken; and what was taken comes back the same when it is shown.
enum SettingsTarget {
    static func run(_ input: [UInt8]) throws {
        guard let text = String(validating: input, as: UTF8.self) else { return }
        let settings: Settings
        do throws(SettingsError) {
            settings = try Settings.parse(text, file: "f")
        } catch {
            try hold(!error.problems.isEmpty, "refused without a reason")
            for problem in error.problems {
                try hold(!problem.message.isEmpty && problem.file == "f", "\(problem) says nothing")
                if let line = problem.line { try hold(line > 0, "\(problem) has no line") }
            }
            return
        }
        let shown = settings.effectiveYAML(redacted: false)
        let again: Settings
        do throws(SettingsError) {
            again = try Settings.parse(shown, file: "shown")
        } catch {
            throw Finding(description: "\(error) in what was shown: \(shown)")
        }
        try hold(again == settings, "comes back different: \(shown)")
        _ = settings.warnings
    }
}

/// Parts of results are joined in order, or called damaged.
enum ResultsTarget {
    static func run(_ input: [UInt8]) throws {
        let parts = input.split(separator: 0, omittingEmptySubsequences: false).prefix(4)
            .map { ResultsPart(firstRow: Self.firstRow($0), lines: .inline(Data($0))) }
        var output: [UInt8] = []
        var rows: [Int] = []
        do {
            let summary = try ResultsMerger(Array(parts)).merge(
                into: { output += $0 }, visit: { row, _ in rows.append(row) })
            try hold(summary.lines == rows.count, "\(summary.lines) lines, \(rows.count) seen")
            try hold(rows == rows.sorted() && Set(rows).count == rows.count, "rows out of order: \(rows)")
            try hold(summary.counts.values.reduce(0, +) == rows.count, "\(summary.counts) for \(rows.count) rows")
            try hold(output.filter { $0 == 0x0a }.count == rows.count, "lines are missing in \(output.quoted)")
        } catch is ResultsMergeError {}
        try writeAndRead(input)
    }

    private static func firstRow(_ line: ArraySlice<UInt8>) -> Int {
        Int(String(decoding: line.dropFirst(7).prefix { (0x30...0x39).contains($0) }, as: UTF8.self)) ?? 0
    }

    /// A line that is written is found again, whatever the names in it.
    private static func writeAndRead(_ input: [UInt8]) throws {
        let name = String(decoding: input, as: UTF8.self)
        let line = ResultLine(
            row: input.count, globalKey: ResultLine.quoted(name), externalID: ResultLine.quoted(name), outcome: .failed,
            failure: .init(code: name, message: name))
        var bytes: [UInt8] = []
        line.append(to: &bytes)
        try hold(StrictJSON.parse(bytes) != nil, "no JSON: \(bytes.quoted)")
        var found: [ResultLine.Outcome] = []
        try ResultsMerger([ResultsPart(firstRow: input.count, lines: .inline(Data(bytes)))]).merge(
            into: { _ in }, visit: { _, outcome in found.append(outcome) })
        try hold(found == [.failed], "\(bytes.quoted) was read as \(found)")
    }
}

/// What does not show is shown as a number, and JSON that is written is JSON.
enum TextTarget {
    static func run(_ input: [UInt8]) throws {
        let text = String(decoding: input, as: UTF8.self)
        let visible = HarmlessText.of(text)
        for scalar in visible.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                throw Finding(description: "\(scalar.debugDescription) is left of \(text.debugDescription)")
            default: break
            }
        }
        try hold(HarmlessText.of(visible) == visible, "it changes again")
        var writer = JSONWriter(hasLines: true)
        writer.object { $0.member(text, text) }
        guard let value = StrictJSON.parse(writer.bytes) else { throw Finding(description: writer.bytes.quoted) }
        try hold(value.members.first?.value.string == Array(text.utf16), "another text: \(writer.bytes.quoted)")
        try checkLog(text)
        let file = StatusLayout(stateDirectory: "/s").file(watch: text, path: FilePath("/" + text))
        try hold(file.lexicallyNormalized().starts(with: "/s/status"), "a status outside of the folder: \(file)")
        try hold(file.components.allSatisfy { $0.string.utf8.count <= 255 || text.utf8.count > 255 }, "a long name")
    }

    /// One event is one line in which nothing hides, and it can be read again.
    private static func checkLog(_ text: String) throws {
        let line = LogLine(time: "t", level: "info", priority: 6, message: text, details: [("reason", text)])
        for format in [LogLine.Format.text, .json, .journald] {
            let written = line.text(format)
            let words = String(Substring(written.utf8.dropLast()))
            try hold(
                written.utf8.last == 0x0a && HarmlessText.of(words).utf8.elementsEqual(words.utf8),
                "something hides in \(written.debugDescription)")
        }
        let value = StrictJSON.parse(line.text(.json).utf8)
        try hold(value?["message"]?.string == Array(text.utf16), "another message: \(line.text(.json))")
        try hold(value?["reason"]?.string == Array(text.utf16), "another detail: \(line.text(.json))")
        let reason = line.text(.journald).unicodeScalars
            .dropFirst(("<6>" + HarmlessText.of(text) + " reason=").unicodeScalars.count).dropLast()
        guard reason.first == "\"" else { return }
        var inner = reason.dropFirst()
        while let scalar = inner.popFirst() {
            if scalar == "\\" { inner = inner.dropFirst() }
            if scalar == "\"" { try hold(inner.isEmpty, "a quote stands free in \(String(reason))") }
        }
    }
}
