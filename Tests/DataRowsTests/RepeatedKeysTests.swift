import DataRows
import SystemPackage
import Testing

/// Two rows of one manifest for one global key.
@Suite struct RepeatedGlobalKeys {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private struct Found {
        var rows: [SurveyedRow] = []
        var summary: SurveySummary?
        var beginnings = 1
        var preparations = 0

        /// The rows that were rejected as repetitions, and of which earlier one they speak.
        var repetitions: [Int: Int] {
            var found: [Int: Int] = [:]
            for row in rows {
                guard let problem = row.problems.first, problem.code == "duplicate_global_key" else { continue }
                found[row.index] = Int(problem.message.dropFirst(4).prefix { $0.isNumber })
            }
            return found
        }
    }

    private func survey(
        _ text: String, _ operation: RowOperation = .create, memoryKeys: Int? = nil
    ) throws -> Found {
        var found = Found()
        let preparations = Counter()
        found.summary = try ManifestSurvey.run(
            scratch.manifest(text, "a.jsonl"), policy: RowPolicy(operation: operation),
            keys: scratch.path.appending("keys"), tuning: .init(memoryKeys: memoryKeys),
            prepare: { preparations.count += 1 },
            again: {
                found.rows = []
                found.beginnings += 1
            }
        ) { found.rows.append($0) }
        found.preparations = preparations.count
        return found
    }

    private final class Counter { var count = 0 }

    private static func row(_ key: String, _ rest: String = "") -> String {
        #"{"row_data":"t","global_key":"\#(key)"\#(rest)}"# + "\n"
    }

    @Test func theSecondAndLaterRowsAreRejectedAndNameTheFirst() throws {
        let text = ["a", "b", "a", "c", "b", "a"].map { Self.row($0) }.joined()
        let found = try survey(text)
        #expect(found.repetitions == [2: 0, 4: 1, 5: 0])
        #expect(found.summary?.validRows == 3)
        #expect(found.summary?.rejectedRows == 3)
        #expect(found.rows.count == 6)
        #expect(found.rows[2].problems.first?.pointer == "/2")
        #expect(found.rows[2].names.globalKey == Array(#""a""#.utf8))
        #expect(found.beginnings == 2)
    }

    @Test func aManifestWithoutAnyIsReadOnceAndLeavesNoFile() throws {
        let text = (0..<3_000).map { Self.row("k\($0)") }.joined()
        let found = try survey(text, memoryKeys: 100)
        #expect(found.repetitions == [:])
        #expect(found.beginnings == 1)
        #expect(try scratch.names() == ["a.jsonl"])
        #expect(try survey(Self.row("a") + Self.row("b")).preparations == 0, "little is never written down")
    }

    @Test func keysAreComparedByWhatTheyMean() throws {
        let text =
            Self.row("key-1") + Self.row(#"key\u002d1"#) + Self.row("KEY-1") + Self.row("é") + Self.row(#"\u00e9"#)
            + Self.row("e\u{301}")
        #expect(try survey(text).repetitions == [1: 0, 4: 3])
    }

    @Test func rowsWithoutAKeyAndRejectedRowsDoNotCount() throws {
        let text =
            #"{"row_data":"t"}"# + "\n" + #"{"row_data":"t"}"# + "\n" + #"{"row_data":"t","global_key":null}"# + "\n"
            + Self.row("a", #","external_id":5"#) + Self.row("a") + Self.row("a")
        let found = try survey(text)
        #expect(found.repetitions == [5: 4])
        #expect(found.rows.map(\.problems.isEmpty) == [true, true, true, false, true, false])
    }

    @Test(arguments: [RowOperation.upsert, .update])
    func twoRowsForOneDataRowHaveNoOrder(_ operation: RowOperation) throws {
        func row(_ key: String, _ rest: String = "") -> String {
            #"{"key":{\#(key)},"external_id":"e"\#(rest)}"# + "\n"
        }
        let text =
            row(#""global_key":"a""#) + row(#""id":"a""#) + row(#""global_key":"a""#) + row(#""id":"a""#)
            // Its own key again is no repetition; another row's is.
            + row(#""global_key":"b""#, #","global_key":"b""#) + row(#""id":"c""#, #","global_key":"b""#)
        let found = try survey(text, operation)
        #expect(found.repetitions == [2: 0, 3: 1, 5: 4])
        #expect(found.rows[2].problems.first?.message.contains("order") == true)
    }

    @Test func whatIsDeletedTwiceIsDeleted() throws {
        let row = #"{"key":{"global_key":"a"}}"# + "\n"
        #expect(try survey(row + row, .delete).repetitions == [:])
    }

    /// Against a dictionary of everything, with so little memory that nearly all goes through the file.
    @Test(arguments: [(3_000, 40, 16), (5_000, 4_000, 16), (20_000, 15_000, 100), (20_000, 15_000, 100_000)])
    func aFileServesWhereMemoryDoesNot(_ rows: Int, _ distinct: Int, _ memoryKeys: Int) throws {
        var random = SeededRandom(UInt64(rows + distinct))
        var seen: [Int: Int] = [:]
        var expected: [Int: Int] = [:]
        var text = ""
        for row in 0..<rows {
            let key = Int(random.next() % UInt64(distinct))
            if let first = seen[key] { expected[row] = first } else { seen[key] = row }
            // Keys of all lengths, so that every way of hashing them is taken.
            text += Self.row("\(key)" + String(repeating: "-", count: key % 40))
        }
        let found = try survey(text, memoryKeys: memoryKeys)
        #expect(found.repetitions == expected)
        #expect(try scratch.names() == ["a.jsonl", "keys"])
    }
}
