internal import DataRows
internal import Intake
internal import SystemPackage

/// A row that is made for a file is one row that names this file, whatever its name.
enum LooseTarget {
    static func run(_ input: [UInt8]) throws {
        // A name cannot hold a zero byte.
        let name = String(decoding: input.filter { $0 != 0 }.prefix(4000), as: UTF8.self)
        if name.isEmpty { return }
        let line = LooseRow.line(for: name)
        try hold(line.filter { $0 == 0x0a }.count == 1 && line.last == 0x0a, "not one line: \(line.quoted)")
        guard let value = StrictJSON.parse(line) else { throw Finding(description: "no JSON: \(line.quoted)") }
        try hold(value["external_id"]?.string == Array(name.utf16), "another name: \(line.quoted)")
        var rows: [SurveyedRow] = []
        _ = try ManifestSurvey.run(MemoryFile.manifest(line, ManifestFormat(.lines)), policy: RowPolicy()) {
            rows.append($0)
        }
        try hold(rows.count == 1 && rows[0].problems.isEmpty, "\(rows)")
        try hold(rows[0].mediaPath == "./\(name)", "\(line.quoted) names \(rows[0].mediaPath ?? "nothing")")
    }
}
