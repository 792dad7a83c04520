import Foundation
import Ledger
import Reporting
import Results
import SystemPackage
import Testing

@Suite("Results")
struct ResultsMergerTests {
    private static func line(_ row: Int, _ outcome: ResultLine.Outcome, key: String = "k") -> [UInt8] {
        let fails = !outcome.isSuccess
        var bytes: [UInt8] = []
        ResultLine(
            row: row, globalKey: ResultLine.quoted("\(key)\(row)"),
            externalID: row % 3 == 0 ? nil : ResultLine.quoted("e"),
            outcome: outcome, dataRowID: fails ? nil : ResultLine.quoted("ck\(row)"),
            failure: fails ? .init(code: "bad_row", message: "Row \(row) says \"no\".") : nil
        ).append(to: &bytes)
        return bytes
    }

    @Test(
        "the line of a row that was created is the same whichever way it is written",
        arguments: [
            (0, "k", "e", "ck1"), (1_234_567_890, "é\\n\\\"", nil, "cm0123456789abcdefghijklm"), (7, "", "", ""),
            (8, "k", nil, "an \"id\" with \\ and \n"), (9, String(repeating: "k", count: 2_000), "e", "ck2"),
            (10, "k", String(repeating: "e", count: 900), "ck3"),
        ] as [(Int, String, String?, String)])
    func createdLine(row: Int, key: String, externalID: String?, id: String) {
        let quoted = Array("\"\(key)\"".utf8)
        let name = externalID.map { Array("\"\($0)\"".utf8) }
        var usual: [UInt8] = [1]
        ResultLine(
            row: row, globalKey: quoted[...], externalID: name?[...], outcome: .created,
            dataRowID: ResultLine.quoted(id)
        ).append(to: &usual)
        var quick: [UInt8] = [1]
        quoted.withUnsafeBytes { key in
            (name ?? []).withUnsafeBytes { name in
                Array(id.utf8).withUnsafeBytes { id in
                    ResultLine.appendCreated(
                        row: row, globalKey: key, externalID: externalID == nil ? nil : name, dataRowID: id, to: &quick)
                }
            }
        }
        #expect(quick == usual)
    }

    @Test(
        "lines of every outcome are valid by the schema, whatever their keys hold",
        arguments: ResultLine.Outcome.allCases)
    func linesAreValid(outcome: ResultLine.Outcome) throws {
        let documents = [0, 7, 1_234_567_890_123].map { Self.line($0, outcome, key: #"","outcome":"created"#) }
        #expect(try Schemas.complaints(about: documents, schema: "results-line") == "")
    }

    @Test("a line is written as documented")
    func lineIsExact() {
        #expect(
            String(decoding: Self.line(17, .alreadyPresent), as: UTF8.self)
                == #"{"row":17,"global_key":"k17","external_id":"e","outcome":"already_present","data_row_id":"ck17"}"#
                + "\n")
        #expect(
            String(decoding: Self.line(3, .rejected), as: UTF8.self)
                == #"{"row":3,"global_key":"k3","external_id":null,"outcome":"rejected","error":"#
                + #"{"code":"bad_row","message":"Row 3 says \"no\"."}}"# + "\n")
    }

    /// Parts as an import leaves them: rows fall into runs, some rows of a run into later parts.
    private static func parts(seed: UInt64, rows: Int, folder: TemporaryFolder) throws -> ([ResultsPart], [UInt8]) {
        var random = SplitMix(state: seed)
        var lines: [Int: [[UInt8]]] = [:]
        var all: [UInt8] = []
        let places = Int.random(in: 1...40, using: &random)
        for row in 0..<rows {
            guard let outcome = ResultLine.Outcome.allCases.randomElement(using: &random) else { continue }
            let key = String(repeating: #"\"x,"#, count: Int.random(in: 0...60, using: &random))
            let line = line(row, outcome, key: key)
            all += line
            let place = Bool.random(using: &random) ? row * places / rows : Int.random(in: 0..<places, using: &random)
            lines[place, default: []].append(line)
        }
        var parts: [ResultsPart] = []
        for (place, lines) in lines {
            let bytes = Array(lines.joined())
            guard let first = lines.first,
                let row = Int(String(decoding: first.dropFirst(7).prefix { $0 != 44 }, as: UTF8.self))
            else { continue }
            // The ledger may say less than the first row that really ended in the part.
            let firstRow = Bool.random(using: &random) ? row : row / 2
            if Bool.random(using: &random) {
                let file = try folder.write(String(decoding: bytes, as: UTF8.self), to: "part-\(place)")
                parts.append(ResultsPart(firstRow: firstRow, lines: .file(file)))
            } else {
                parts.append(ResultsPart(firstRow: firstRow, lines: .inline(Data(bytes))))
            }
        }
        return (parts.shuffled(using: &random), all)
    }

    @Test("parts in any order come out sorted by row, byte for byte", arguments: 1...20 as ClosedRange<UInt64>)
    func mergesLikeSorting(seed: UInt64) throws {
        let folder = try TemporaryFolder()
        let rows = [1, 10, 100, 800][Int(seed % 4)]
        let (parts, expected) = try Self.parts(seed: seed, rows: rows, folder: folder)
        var output: [UInt8] = []
        var visited: [Int] = []
        let summary = try ResultsMerger(parts).merge(into: { output += $0 }, visit: { row, _ in visited.append(row) })
        #expect(output == expected)
        #expect(visited == Array(0..<rows))
        #expect(summary.lines == rows)
        #expect(summary.repeated == 0)
        #expect(summary.counts.values.reduce(0, +) == rows)
    }

    @Test("the outcome is told for each row")
    func outcomes() throws {
        let bytes = ResultLine.Outcome.allCases.enumerated().flatMap { Self.line($0, $1, key: #","outcome":"#) }
        var seen: [ResultLine.Outcome] = []
        try ResultsMerger([ResultsPart(firstRow: 0, lines: .inline(Data(bytes)))])
            .merge(into: { _ in }, visit: { seen.append($1) })
        #expect(seen == ResultLine.Outcome.allCases)
    }

    @Test("a row that two parts hold is written once and counted")
    func repeats() throws {
        let part = ResultsPart(firstRow: 4, lines: .inline(Data(Self.line(4, .created))))
        var output: [UInt8] = []
        let summary = try ResultsMerger([part, part]).merge(into: { output += $0 }, visit: { _, _ in })
        #expect(output == Self.line(4, .created))
        #expect(summary.repeated == 1)
    }

    @Test(
        "damage is reported by name and never copied",
        arguments: [
            ("{\"row\":1", "cut off"), ("hello\n", "not one of results"),
            ("{\"row\":1,\"outcome\":\"gone\"}\n", "not one of results"),
            ("{\"row\":2,\"outcome\":\"created\"}\n{\"row\":2,\"outcome\":\"created\"}\n", "row 2 stands after row 2"),
            ("{\"row\":99999999999999999999999,\"outcome\":\"created\"}\n", "not one of results"),
        ])
    func damage(text: String, complaint: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(text, to: "part")
        #expect {
            try ResultsMerger([ResultsPart(firstRow: 0, lines: .file(file))]).merge(into: { _ in }, visit: { _, _ in })
        } throws: {
            "\($0)".contains(complaint) && "\($0)".contains(file.string)
        }
    }

    @Test("a part that begins before the ledger says is an error and no disorder")
    func tooEarly() {
        let parts = [
            ResultsPart(firstRow: 0, lines: .inline(Data(Self.line(5, .created)))),
            ResultsPart(firstRow: 6, lines: .inline(Data(Self.line(2, .created)))),
        ]
        #expect(throws: ResultsMergeError.self) { try ResultsMerger(parts).merge(into: { _ in }, visit: { _, _ in }) }
    }

    @Test("a missing part is an error that names it")
    func missing() {
        let part = ResultsPart(firstRow: 0, lines: .file("/nonexistent/part"))
        #expect { try ResultsMerger([part]).merge(into: { _ in }, visit: { _, _ in }) } throws: {
            "\($0)".contains("/nonexistent/part cannot be read: No such file")
        }
    }

    @Test("nothing to join is no error")
    func empty() throws {
        #expect(try ResultsMerger([]).merge(into: { _ in }, visit: { _, _ in }) == .init())
        let part = ResultsPart(firstRow: 0, lines: .inline(Data()))
        #expect(try ResultsMerger([part]).merge(into: { _ in }, visit: { _, _ in }) == .init())
    }
}

/// A small generator whose numbers are the same in each run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
