import DataRows
import Importing
import LabelboxAPI
import Testing

@Suite("Task report")
struct TaskReportTests {
    @Test("of two rows with one key, what exists is what counts, in whatever order they are told")
    func existingWins() {
        let created = CreatedRow(id: DataRowID(rawValue: "r1"), globalKey: "k")
        let failed = FailedRow(message: "Duplicate global key: 'k'", globalKey: "k")
        var first = TaskReport(status: "COMPLETE")
        first.add(created)
        first.add(failed)
        var second = TaskReport(status: "COMPLETE")
        second.add(failed)
        second.add(created)
        #expect(first.word(for: "k") == .created(DataRowID(rawValue: "r1")))
        #expect(second.word(for: "k") == .created(DataRowID(rawValue: "r1")))
    }

    @Test(
        "a task creates all of its rows when each has a key of its own that was told as created, and nothing else was told"
    )
    func createsAll() {
        let made = ["a", "b"].map { (key: String) in
            CreatedRow(id: DataRowID(rawValue: "of-" + key), globalKey: key)
        }
        var report = TaskReport(status: "COMPLETE")
        report.add(made[0])
        #expect(!report.createsAll(of: 2))
        report.add(made[0])
        #expect(!report.createsAll(of: 2), "one row told twice is one row")
        report.add(made[1])
        #expect(report.createsAll(of: 2))
        #expect(!report.createsAll(of: 3))
        var apart = report
        apart.isWhole = false
        #expect(!apart.createsAll(of: 2))
        var keyless = report
        keyless.add(CreatedRow(id: DataRowID(rawValue: "of-c"), externalID: "c"))
        #expect(!keyless.createsAll(of: 2))
        report.add(FailedRow(message: "no", globalKey: "c"))
        #expect(!report.createsAll(of: 2) && !report.createsAll(of: 3))
        var late = TaskReport(status: "COMPLETE")
        late.add(FailedRow(message: "Duplicate global key: 'a'", globalKey: "a"))
        #expect(!late.createsAll(of: 1))
        late.add(made[0])
        #expect(late.createsAll(of: 1), "what exists is what counts")
    }

    @Test("each of many keys leads to its own row, and no other text does")
    func manyKeys() {
        var report = TaskReport(status: "COMPLETE")
        // Keys and ids lie side by side, so some are made of the same letters.
        let keys = (0..<5_000).flatMap {
            ["\($0)", "\($0)r", "k\u{e9}/\($0)/" + String(repeating: "x", count: $0 % 40)]
        }
        for (row, key) in keys.enumerated() {
            report.add(CreatedRow(id: DataRowID(rawValue: "r\(row)"), globalKey: key))
        }
        #expect(report.createsAll(of: keys.count))
        for (row, key) in keys.enumerated() {
            #expect(report.word(for: ExactName(key)) == .created(DataRowID(rawValue: "r\(row)")))
        }
        for other in ["", "r", "5000", "0rr", "k\u{65}\u{301}/0/", "k\u{e9}/1/"] {
            #expect(report.word(for: ExactName(other)) == nil, "\(other)")
        }
    }

    @Test("rows without keys are told apart by their external id, each word once")
    func keyless() {
        var report = TaskReport(status: "COMPLETE")
        report.add(CreatedRow(id: DataRowID(rawValue: "r1"), externalID: "a"))
        report.add(FailedRow(message: "no", externalID: "b"))
        #expect(report.takeWord(externalID: "b")?.word == .failed("no"))
        #expect(report.takeWord(externalID: "a")?.word == .created(DataRowID(rawValue: "r1")))
        #expect(report.takeWord(externalID: "a")?.word == nil)
    }

    @Test("what is said of a row that is named by its id is nobody else's, and a failure is one that was not reported")
    func reserved() {
        let ids = ["r1", "r2", "r3"].map(DataRowID.init(rawValue:))
        var report = TaskReport(status: "COMPLETE")
        report.add(CreatedRow(id: ids[0], externalID: "a"))
        report.add(CreatedRow(id: ids[1], externalID: "a"))
        report.add(CreatedRow(id: ids[2], globalKey: "k"))
        report.add(FailedRow(message: "no", externalID: "a"))
        report.reserve([ids[0], ids[2]])
        #expect(ids.allSatisfy(report.hasReported))
        #expect(!report.hasReported(DataRowID(rawValue: "r4")))
        // The row without a key and without an id is the other one.
        #expect(report.takeWord(externalID: "a")?.word == .created(ids[1]))
        #expect(report.takeFailure(externalID: "a") == "no")
        #expect(report.takeFailure(externalID: "a") == nil)
        #expect(report.takeWord(externalID: "a")?.word == nil)
    }

    @Test(
        "a key in use is told from other failures",
        arguments: [
            (message: "Duplicate global key: 'k'", isDuplicate: true),
            (message: "Duplicate global keys found: a, b", isDuplicate: true),
            (
                message: "Data rows contain empty string or duplicate global keys, which are not allowed",
                isDuplicate: true
            ),
            (message: "Found invalid contents for media type: 'IMAGE'", isDuplicate: false),
        ])
    func duplicates(message: String, isDuplicate: Bool) {
        #expect(TaskReport.isDuplicate(message) == isDuplicate)
    }

    @Test("words about rows of one name are taken in the order in which they came")
    func order() {
        var report = TaskReport(status: "CREATED")
        for number in 0..<3 {
            report.add(.created(DataRowID(rawValue: "r\(number)")), key: nil, externalID: nil)
        }
        report.add(.unknown, key: nil, externalID: nil)
        #expect(
            (0..<5).map { _ in report.takeWord(externalID: nil)?.word } == [
                .created(DataRowID(rawValue: "r0")), .created(DataRowID(rawValue: "r1")),
                .created(DataRowID(rawValue: "r2")), .unknown, nil,
            ])
    }

    @Test("that some keys among many rows are in use is told from one row's key that is")
    func forOthers() {
        #expect(!TaskReport.isForDuplicates("Duplicate global key: 'k'"))
        #expect(TaskReport.isForDuplicates("Duplicate global keys found: k"))
        var report = TaskReport(status: "FAILED")
        report.reason = "Duplicate global keys found: k"
        #expect(!report.isRefusedForDuplicates)
        report.isWhole = false
        #expect(report.isRefusedForDuplicates)
    }

    @Test("two spellings of a text are two keys, and two external ids")
    func spellings() {
        let spellings: [ExactName] = ["caf\u{e9}", "cafe\u{301}"]
        let ids = ["r1", "r2"].map(DataRowID.init(rawValue:))
        var report = TaskReport(status: "COMPLETE")
        for (name, id) in zip(spellings, ids) {
            report.add(CreatedRow(id: id, globalKey: name.text))
            report.add(CreatedRow(id: id, externalID: name.text))
        }
        report.add(found: Dictionary(uniqueKeysWithValues: zip(spellings, ids)))
        for (name, id) in zip(spellings, ids).reversed() {
            #expect(report.word(for: name) == .created(id))
            #expect(report.row(foundBy: name) == id)
            #expect(report.takeWord(externalID: name)?.word == .created(id))
        }
    }

    @Test("rows without names are told apart by their content, and what cannot be told apart is marked")
    func contents() throws {
        var report = TaskReport(status: "COMPLETE")
        report.add(CreatedRow(id: DataRowID(rawValue: "r3"), rowData: "https://example.com/3"))
        report.add(CreatedRow(id: DataRowID(rawValue: "r1"), rowData: "https://example.com/1"))
        report.add(CreatedRow(id: DataRowID(rawValue: "r9"), rowData: "{ }"))
        report.add(FailedRow(message: "no", rowData: "https://example.com/2"))
        #expect(report.needsContent)
        func take(_ content: String?) -> (word: TaskReport.Word, isCertain: Bool)? {
            report.takeWord(externalID: nil, content: content.map { ExactName($0).hashValue })
        }
        let object = try #require(take(nil))
        #expect(object.word == .created(DataRowID(rawValue: "r9")) && !object.isCertain)
        for (number, word) in [
            TaskReport.Word.created(DataRowID(rawValue: "r1")), .failed("no"), .created(DataRowID(rawValue: "r3")),
        ].enumerated() {
            let taken = try #require(take("https://example.com/\(number + 1)"))
            #expect(taken.word == word && taken.isCertain)
        }
        #expect(take("https://example.com/1") == nil)
    }
}
