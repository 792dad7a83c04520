import DataRows
import Foundation
import Ledger
import Reporting
import SystemPackage
import Testing

@Suite("State sentence")
struct StateSentenceTests {
    typealias Change = @Sendable (inout Sample, inout StateSentence.Circumstances) -> Void

    struct Case: Sendable, CustomTestStringConvertible {
        var expected: String
        var change: Change
        var testDescription: String { expected }

        init(_ expected: String, _ change: @escaping Change) {
            self.expected = expected
            self.change = change
        }
    }

    private static let now = LedgerFixture.start

    static let cases: [Case] = [
        Case("Taken from the drop folder; it is read and checked next.") { sample, _ in
            sample.record.phase = .claimed
            sample.record.state = .queued
        },
        Case("It could not be read yet: Permission denied; the next try is at 11:00:30 UTC.") { sample, _ in
            sample.record.phase = .claimed
            sample.record.state = .queued
            sample.record.delay = "Permission denied."
            sample.record.nextAttempt = now + 30
        },
        Case("10 rows checked; they are sent with the next batch of their dataset.") { sample, _ in
            sample.record.state = .queued
        },
        Case("10 rows checked; they are sent with the next batch of their dataset; Labelbox does not answer.") {
            sample, circumstances in
            sample.record.state = .queued
            circumstances.obstacle = "Labelbox does not answer"
        },
        Case("Taken from the drop folder; it is read and checked next.") { sample, circumstances in
            sample.record.phase = .claimed
            sample.record.state = .queued
            circumstances.obstacle = "Labelbox does not answer"
        },
        Case("Uploading: 3 of 10 files (22.0 MB of 73.4 MB) are done.") { sample, _ in
            sample.record.state = .queued
            sample.record.openMedia = 7
            sample.record.media.files = 10
            sample.record.media.uploadedFiles = 3
            sample.record.media.bytes = 73_400_320
            sample.record.media.uploadedBytes = 22_020_096
        },
        Case(
            "Waits for a.jpg, b.jpg, c.jpg and 1 more, which it names and which are not there yet, until 11:10:00 UTC; "
                + "then the rows that name what is missing fail."
        ) { sample, circumstances in
            sample.record.state = .waitingForMedia
            circumstances.missing = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
            circumstances.mediaDeadline = now + 600
        },
        Case("Waits for a.jpg, which it names and which is not there yet.") { sample, circumstances in
            sample.record.state = .waitingForMedia
            circumstances.missing = ["a.jpg"]
        },
        Case("Task task-1 with 9 rows runs since 11:00:00 UTC (42 %); it is asked after until it ends.") { sample, _ in
            sample.task.completion = 42
        },
        Case(
            "The answer to the submission of 9 rows was lost; its rows are looked up at 11:00:05 UTC, "
                + "nothing is sent twice."
        ) { sample, circumstances in
            sample.task.phase = .ambiguous
            circumstances.nextLook = now + 5
        },
        Case("Task task-1 has ended; the outcome of its 9 rows is read next.") { sample, _ in
            sample.task.phase = .collecting
        },
        Case("9 rows are being sent: HTTP 503, tried again.") { sample, _ in
            sample.task.phase = .sealed
            sample.task.reason = "HTTP 503, tried again."
        },
        Case("9 rows left; they are sent with the next batch.") { sample, _ in sample.task.phase = .settled },
        Case("Every row has its outcome; the results are written and the manifest is put away next.") { sample, _ in
            sample.record.phase = .closing
            sample.record.state = .failed
        },
        Case("All 10 rows are done: 7 created, 3 already there.") { sample, _ in
            sample.end(.complete)
            sample.record.rows.created = 7
            sample.record.rows.alreadyPresent = 3
        },
        Case("The manifest holds no rows; there was nothing to import.") { sample, _ in
            sample.end(.complete)
            sample.record.rows = RowCounts()
        },
        Case("3 of 10 rows could not be imported (7 created); mend /failed/r.failed.ndjson and drop it again.") {
            sample, _ in
            sample.end(.completeWithErrors)
            sample.record.rows.created = 7
            sample.record.rows.rejected = 1
            sample.record.rows.failed = 2
            sample.record.failedRowsPath = "/failed/r.failed.ndjson"
        },
        Case("The import failed: the dataset does not exist; mend /failed/cats/r.json and drop it again.") {
            sample, _ in
            sample.end(.failed)
            sample.record.reason = "the dataset does not exist."
            sample.record.destination = "/failed/cats/r.json"
        },
        Case("Nothing was imported: No row_data; mend the manifest and drop it again.") { sample, _ in
            sample.end(.rejected)
        },
        Case("The import was cancelled after 2 rows; 'datarowctl retry' takes the rest up again.") { sample, _ in
            sample.end(.cancelled)
            sample.record.errors = []
            sample.record.rows.created = 2
        },
    ]

    @Test("each state says why, what next and when", arguments: cases)
    func sentences(example: Case) async throws {
        var sample = try await Sample.fresh()
        var circumstances = StateSentence.Circumstances()
        example.change(&sample, &circumstances)
        let sentence = StateSentence(sample.record, tasks: [sample.task], circumstances: circumstances, now: Self.now)
        #expect(sentence.text == example.expected)
    }

    @Test("a time on another day says so")
    func otherDay() {
        #expect(Timestamp.clock(Self.now + 86_400, near: Self.now) == "2026-11-22 11:00:00 UTC")
    }
}

extension Sample {
    fileprivate mutating func end(_ state: ImportState) {
        record.phase = .closed
        record.state = state
    }
}
