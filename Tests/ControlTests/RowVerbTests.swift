import Control
import DataRows
import Foundation
import LabelboxAPI
import Locking
import Reporting
import SystemPackage
import Testing

@Suite("Finding, changing and deleting rows", .timeLimit(.minutes(1)))
struct RowVerbTests {
    private static let row =
        #"{"id":"r1","externalId":"e","globalKey":"g","rowData":"x","createdAt":"c","updatedAt":"u","mediaAttributes":{"a":1},"metadataFields":[],"dataset":{"id":"d1"}}"#
    private let noRow = ScriptedLabelbox.Answer.json(
        #"{"data":{"dataRow":null},"errors":[{"message":"gone","path":["dataRow"],"extensions":{"code":"RESOURCE_NOT_FOUND"}}]}"#
    )
    private func found() -> ScriptedLabelbox.Answer { .json(#"{"data":{"dataRow":\#(Self.row)}}"#) }

    // MARK: Finding

    @Test("a row that is found is printed as its schema says")
    func byID() async throws {
        let box = ScriptedLabelbox(found())
        let line = try await RowFinder(client: box.client, dataset: nil).find(.id("r1"))
        #expect(
            String(decoding: line.jsonLine, as: UTF8.self)
                == #"{"id":"r1","external_id":"e","global_key":"g","row_data":"x","dataset_id":"d1","created_at":"c","updated_at":"u","media_attributes":{"a":1},"metadata_fields":[]}"#
        )
        #expect(line.lines.contains("global key  g"))
        #expect(box.asked[0].contains("dataset { id }"))
    }

    @Test("a row that is not there, or lies elsewhere, is not found")
    func missing() async throws {
        let none = await #expect(throws: ControlError.self) {
            try await RowFinder(client: ScriptedLabelbox(noRow).client, dataset: nil).find(.id("r1"))
        }
        #expect(none?.status == .noInput)
        let elsewhere = await #expect(throws: ControlError.self) {
            try await RowFinder(client: ScriptedLabelbox(found()).client, dataset: .init(rawValue: "d2")).find(
                .id("r1"))
        }
        #expect(elsewhere?.why == "it lies in dataset d1, not in d2")
    }

    @Test("a global key is looked up by a job, which is asked again until it is done")
    func byKey() async throws {
        let box = ScriptedLabelbox(
            .json(#"{"data":{"dataRowsForGlobalKeys":{"jobId":"j"}}}"#),
            .json(#"{"data":{"dataRowsForGlobalKeysResult":{"jobStatus":"IN_PROGRESS","data":null}}}"#),
            .json(
                #"{"data":{"dataRowsForGlobalKeysResult":{"jobStatus":"COMPLETE","data":{"fetchedDataRows":[{"id":"r1"}],"notFoundGlobalKeys":[],"accessDeniedGlobalKeys":[]}}}}"#
            ), found())
        let slept = Locked<[Duration]>([])
        let finder = RowFinder(client: box.client, dataset: nil) { pause in slept.withLock { $0.append(pause) } }
        #expect(try await finder.find(.globalKey("g")).row.id.rawValue == "r1")
        #expect(slept.withLock { $0 } == [.milliseconds(200)])
    }

    @Test("a global key that may not be read is said to be so")
    func denied() async throws {
        let box = ScriptedLabelbox(
            .json(#"{"data":{"dataRowsForGlobalKeys":{"jobId":"j"}}}"#),
            .json(
                #"{"data":{"dataRowsForGlobalKeysResult":{"jobStatus":"COMPLETE","data":{"fetchedDataRows":[{"id":""}],"notFoundGlobalKeys":[],"accessDeniedGlobalKeys":["g"]}}}}"#
            ))
        let error = await #expect(throws: ControlError.self) {
            try await RowFinder(client: box.client, dataset: nil).find(.globalKey("g"))
        }
        #expect(error?.status == .noPermission)
    }

    @Test("several rows of one external id are an error that lists them")
    func several() async throws {
        let box = ScriptedLabelbox(
            .json(
                #"{"data":{"datasetDataRows":{"nodes":[{"id":"r1","globalKey":"g1"},{"id":"r2"}],"pageInfo":{"startCursor":null}}}}"#
            ))
        let error = await #expect(throws: ControlError.self) {
            try await RowFinder(client: box.client, dataset: .init(rawValue: "d")).find(.externalID("e\u{1B}[2J"))
        }
        #expect(error?.status == .data)
        #expect(
            error?.description
                == "external id 'e\\u{1b}[2J': 2 data rows have it: name one of them by --id:\n  r1, dataset d, global key g1\n  r2, dataset d"
        )
    }

    // MARK: Changing

    @Test("an update sends what is given, and reads the row again")
    func updating() async throws {
        let box = ScriptedLabelbox(.json(#"{"data":{"updateDataRow":{"id":"r1"}}}"#), found())
        let update = try RowUpdate(rowData: nil, externalID: "new", globalKey: nil)
        #expect(try await update.run(.id("r1"), by: box.client).row.externalID == "e")
        #expect(box.asked[0].contains(#""variables":{"id":"r1","externalId":"new"}"#), "\(box.asked[0])")
    }

    @Test("an update whose answer is lost says that nobody knows")
    func lostUpdate() async throws {
        let update = try RowUpdate(rowData: "x", externalID: nil, globalKey: nil)
        let error = await #expect(throws: ControlError.self) {
            try await update.run(.id("r1"), by: ScriptedLabelbox(.lost).client)
        }
        #expect(error?.status == .temporary)
        #expect(error?.why.contains("it may or may not have been done") == true)
    }

    @Test(
        "an update that cannot be is refused before anything is sent",
        arguments: [
            (nil, nil, nil), ("", nil, nil), (nil, nil, ""), (nil, nil, String(repeating: "k", count: 201)),
        ] as [(String?, String?, String?)])
    func badUpdates(data: String?, externalID: String?, key: String?) {
        let error = #expect(throws: ControlError.self) {
            try RowUpdate(rowData: data, externalID: externalID, globalKey: key)
        }
        #expect(error?.status == .usage)
    }

    // MARK: Deleting

    private func deletion(
        _ box: ScriptedLabelbox, perRequest: Int = 10, isStopped: @escaping @Sendable () -> Bool = { false }
    ) -> RowDeletion {
        RowDeletion(
            .init(
                client: box.client, temporaryFolder: FilePath(FileManager.default.temporaryDirectory.path),
                isStopped: isStopped, sleep: { _ in }), perRequest: perRequest)
    }

    private func selection(_ ids: [String]) -> RowSelection {
        var selection = RowSelection()
        selection.names = ids.map { .id($0) }
        return selection
    }

    private func deleted(_ ids: String...) -> ScriptedLabelbox.Answer {
        .json(
            #"{"data":{"deleteDataRows":[\#(ids.map { #"{"id":"\#($0)","deleted":true}"# }.joined(separator: ","))]}}"#)
    }

    /// What the look-up of rows answers, in the order of the question.
    private func existing(_ ids: String?...) -> ScriptedLabelbox.Answer {
        let fields = ids.enumerated().map { index, id in
            #","r\#(index)":\#(id.map { #"{"id":"\#($0)","dataset":{"id":"d"}}"# } ?? "null")"#
        }
        return .json(#"{"data":{"user":{"id":"u"}\#(fields.joined())}}"#)
    }

    private func outcomes(
        _ box: ScriptedLabelbox, _ ids: [String], perRequest: Int = 10
    ) async throws -> (lines: [String], progress: RowDeletion.Progress, failure: ControlError?) {
        var lines: [String] = []
        let (progress, failure) = try await deletion(box, perRequest: perRequest).run(selection(ids)) { told, _ in
            lines += told.map { "\($0.id ?? "-") \($0.outcome.rawValue)" }
        }
        return (lines, progress, failure)
    }

    @Test("rows are deleted so many in a request, and what the server does not confirm is looked up")
    func batches() async throws {
        let box = ScriptedLabelbox(deleted("a", "b"), deleted("c"), existing(nil))
        let (lines, progress, failure) = try await outcomes(box, ["a", "b", "c", "d"], perRequest: 2)
        #expect(lines == ["a deleted", "b deleted", "c deleted", "d not_found"])
        #expect(failure == nil)
        #expect(RowDeletion.status(progress, isStopped: false) == .withErrors)
        #expect(progress.sentence(isOver: true) == "deleted 3 of 4 data rows, 1 not found")
    }

    @Test("a row that is given twice is asked for once")
    func twice() async throws {
        let (lines, progress, _) = try await outcomes(ScriptedLabelbox(deleted("a")), ["a", "a"])
        #expect(lines == ["a deleted"])
        #expect(RowDeletion.status(progress, isStopped: false) == .ok)
    }

    @Test("after a lost answer only what is proven to be there is asked for again")
    func lostAnswer() async throws {
        let box = ScriptedLabelbox(.lost, existing(nil, "b"), deleted("b"))
        let (lines, progress, failure) = try await outcomes(box, ["a", "b"])
        #expect(lines == ["a deleted", "b deleted"])
        #expect(failure == nil)
        #expect(progress[.deleted] == 2)
        #expect(box.asked[2].contains(#"[\"b\"]"#), "\(box.asked[2])")
    }

    @Test("when the look-up gives no answer either, nobody knows, and nothing more is deleted")
    func unknown() async throws {
        let box = ScriptedLabelbox(.lost, .lost)
        let (lines, progress, failure) = try await outcomes(box, ["a", "b"], perRequest: 1)
        #expect(lines == ["a unknown"])
        #expect(failure?.status == .temporary)
        #expect(box.asked.count == 2)
        #expect(RowDeletion.status(progress, isStopped: false) == .temporary)
        #expect(progress.sentence(isOver: true) == "deleted 0 of 2 data rows, 1 of which it is not known, 1 not tried")
    }

    @Test("a call that is too large is split")
    func split() async throws {
        let box = ScriptedLabelbox(.status(413, "{}"), deleted("a"), deleted("b", "c"))
        let (lines, _, failure) = try await outcomes(box, ["a", "b", "c"])
        #expect(lines == ["a deleted", "b deleted", "c deleted"])
        #expect(failure == nil)
    }

    @Test("a refusal ends it, and says how far it went")
    func refused() async throws {
        let box = ScriptedLabelbox(
            deleted("a"),
            .json(#"{"errors":[{"message":"no","extensions":{"code":"AUTHORIZATION_ERROR"}}],"data":null}"#))
        let (lines, progress, failure) = try await outcomes(box, ["a", "b", "c"], perRequest: 1)
        #expect(lines == ["a deleted"])
        #expect(failure?.status == .noPermission)
        #expect(progress.sentence(isOver: true) == "deleted 1 of 3 data rows, 2 not tried")
    }

    @Test("who is asked to stop sends nothing more")
    func stopped() async throws {
        let box = ScriptedLabelbox()
        let (progress, _) = try await deletion(box, isStopped: { true }).run(selection(["a"])) { _, _ in }
        #expect(box.asked.isEmpty)
        #expect(RowDeletion.status(progress, isStopped: true) == .interrupted)
    }

    @Test("the dry run looks and deletes nothing")
    func dryRun() async throws {
        let box = ScriptedLabelbox(existing("r1", nil), found())
        let forecast = try await deletion(box).forecast(selection(["r1", "gone"]))
        #expect(forecast.rows == 1)
        #expect(forecast.missing == [.id("gone")])
        #expect(!box.asked.contains { $0.contains("mutation") })
        #expect(
            forecast.lines(width: nil).contains("1 data row would be deleted, and with it all of its labels, for good.")
        )
        let none = await #expect(throws: ControlError.self) {
            try await deletion(ScriptedLabelbox(existing(nil))).forecast(selection(["gone"]))
        }
        #expect(none?.status == .noInput)
    }

    // MARK: Names in files

    private func names(_ text: String, _ kind: NameLines.Kind) throws -> [RowName] {
        let file = FileManager.default.temporaryDirectory.appending(path: "names-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(text.utf8).write(to: file)
        let descriptor = try FileDescriptor.open(FilePath(file.path), .readOnly)
        defer { try? descriptor.close() }
        var lines = NameLines(kind, of: "names", descriptor)
        var names: [RowName] = []
        while let name = try lines.next() { names.append(name) }
        return names
    }

    @Test("lines are names as they are, or objects with a member of that name")
    func lines() throws {
        #expect(try names("a\n\n b c \r\n\"d\"", .id) == [.id("a"), .id("b c"), .id("\"d\"")])
        #expect(
            try names(
                "{\"id\":\"a\",\"global_key\":\"k\\n\"}\n{\"data_row_id\":\"b\",\"global_key\":\"l\"}\n", .globalKey)
                == [.globalKey("k\n"), .globalKey("l")])
        #expect(try names("{\"data_row_id\":\"b\"}", .id) == [.id("b")])
        let long = String(repeating: "x", count: 200_000)
        #expect(try names("\(long)\n\(long)1\n", .externalID) == [.externalID(long), .externalID(long + "1")])
    }

    @Test(
        "a line that has no name is an error with its number",
        arguments: ["a\n{\"x\":1}", "a\n{\"id\":1}", "a\n{broken"])
    func badLines(text: String) throws {
        let error = #expect(throws: ControlError.self) { try names(text, .id) }
        #expect(error?.what == "names:2")
        #expect(error?.status == .usage)
    }

    // MARK: Errors

    @Test(
        "each kind of error has an exit code of its own kind",
        arguments: [
            (.authentication, .noPermission), (.permission, .noPermission), (.notFound(resource: nil), .noInput),
            (.rateLimited(retryAfter: nil), .temporary), (.quota, .temporary), (.unreachable, .unavailable),
            (.serverError, .unavailable), (.badAnswer, .badAnswer), (.refused, .failed), (.conflict, .failed),
            (.cancelled, .interrupted), (.invalidQuery, .software),
        ] as [(LabelboxError.Kind, Control.ExitStatus)])
    func statuses(kind: LabelboxError.Kind, status: Control.ExitStatus) {
        let error = ControlError(
            "rows", LabelboxError(kind, outcome: .failed, operation: "x", httpStatus: 500, message: "as told"))
        #expect(error.status == status)
        #expect(error.description.hasPrefix("rows: HTTP 500: as told: "))
    }
}
