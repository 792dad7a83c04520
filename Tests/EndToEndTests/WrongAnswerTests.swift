import Foundation
import Testing

/// Answers that are JSON, and not what was asked for: nothing is believed that cannot be, and nothing is lost for it.
@Suite("Answers of wrong types", .serialized)
struct WrongAnswerTests {
    private static let long = String(repeating: "x", count: 1 << 20)

    /// What was asked for is there, and is something else: for each call that may be made again.
    private static let wrong: [String: [Mischief]] = [
        "CurrentUser": values(of: "user") + values(of: "id", in: "user"),
        "UploadFile": values(of: "uploadFile") + values(of: "url", in: "uploadFile") + [
            .data("an address that is none", #"{"uploadFile": {"url": "see below"}}"#),
            .data("an address without an end", #"{"uploadFile": {"url": "https://\#(long)"}}"#),
        ],
        "Tasks": values(of: "user") + values(of: "t0", in: "user") + [
            task(#"[{"id": 7, "status": true}]"#), task(#"[{"id": null, "status": null}]"#), task("[[]]"), task("[]"),
            task(#"[{"id": "somebody else's", "status": "COMPLETE"}]"#),
            .changed("a percentage of 1e308") {
                $0.replacing(/"completionPercentage":\s*[0-9.]+/, with: #""completionPercentage": 1e308"#)
            },
            .changed("a percentage below zero") {
                $0.replacing(/"completionPercentage":\s*[0-9.]+/, with: #""completionPercentage": -1e999"#)
            },
            .changed("a status that nobody knows") {
                $0.replacing(/"status":\s*"\w+"/, with: #""status": "EXPLODED""#)
            },
        ],
        "Results": values(of: "c0") + values(of: "f0") + values(of: "nodes", in: "c0") + [
            .changed("numbers for ids") { $0.replacing(/"id":\s*"\w+"/, with: #""id": 12"#) },
            .changed("nulls for rows") { $0.replacing(/\{\s*"id":[^}]*\}/, with: "null") },
            .changed("rows that were never sent, and less than none of them") {
                $0.replacing(/"globalKey":\s*"[^"]*"/, with: #""globalKey": "never sent""#)
                    .replacing(/"total":\s*\d+/, with: #""total": -3"#)
            },
        ],
        "StartKeyLookup": values(of: "dataRowsForGlobalKeys") + values(of: "jobId", in: "dataRowsForGlobalKeys"),
        "KeyLookupResult": values(of: "dataRowsForGlobalKeysResult")
            + values(of: "jobStatus", in: "dataRowsForGlobalKeysResult") + [
                .data(
                    "nothing found of anything",
                    #"{"dataRowsForGlobalKeysResult": {"jobStatus": "COMPLETE", "data": null}}"#),
                .data(
                    "too few rows",
                    #"{"dataRowsForGlobalKeysResult": {"jobStatus": "COMPLETE", "data": {"fetchedDataRows": [], "notFoundGlobalKeys": 7}}}"#
                ),
                .data("a failure", #"{"dataRowsForGlobalKeysResult": {"jobStatus": "FAILED", "data": {}}}"#),
            ],
    ]

    /// Everything that a value should not be.
    private static func values(of key: String, in outer: String? = nil) -> [Mischief] {
        ["null", "7", "[]", "{}", #""""#, "true"].map { value in
            let inner = #"{"\#(key)": \#(value)}"#
            return .data("\(value) for \(key)", outer.map { #"{"\#($0)": \#(inner)}"# } ?? inner)
        }
    }

    private static func task(_ value: String) -> Mischief {
        .data("\(value) for a task", #"{"user": {"t0": \#(value)}}"#)
    }

    @Test("what is wrong is asked again until it is right", .timeLimit(.minutes(3)), arguments: wrong.keys.sorted())
    func again(_ call: String) async throws {
        let troubles = try #require(Self.wrong[call])
        try await Site.with(networked: SiteSettings(watch: ["linger: 0s"])) { site, network in
            try await site.simulator.seed(1)
            try await site.start()
            // A few at a time, since each failure in a row doubles the wait for the next; but whose key it is is asked once.
            var rest = troubles[...]
            var number = 0
            while !rest.isEmpty || troubles.contains(where: { network.count(of: $0) == 0 }), number < 20 {
                let some = rest.prefix(call == "CurrentUser" ? rest.count : 4)
                rest = rest.dropFirst(some.count)
                for trouble in some { network.aim(trouble, at: call) }
                try site.dropRows("import \(number)", withPicture: true, existing: "seed-0")
                let status = try await site.ended("import \(number).ndjson", within: .seconds(90))
                #expect(status["state"].string == "complete", "\(status)")
                number += 1
            }
            let missed = troubles.filter { network.count(of: $0) == 0 }.map(\.description)
            #expect(missed == [])
            #expect(network.requests < 100 * troubles.count, "\(network.calls)")
            try await site.expectEachRowOnce(besides: ["seed-0"])
            try await site.expectEachSubmitOnce(network)
        }
    }

    private static let wrongTasks: [Mischief] = [
        "null", "7", "[]", "true", #""""#, #"{"a": 1}"#, #""\#(long)""#, #""another's task""#,
    ].map { value in
        .changed("\(value.prefix(20)) for the task's id") { $0.replacing(/"id":\s*"\w+"/, with: "\"id\": \(value)") }
    }

    @Test("a task whose name is not understood is found by its rows", .timeLimit(.minutes(3)))
    func wrongTask() async throws {
        try await Site.with(networked: SiteSettings(watch: ["linger: 0s"])) { site, network in
            try await site.start()
            let troubles =
                Self.wrongTasks + [
                    .data("null for the task", #"{"upsertDataRows": null}"#),
                    .data("a list for the task", #"{"upsertDataRows": []}"#),
                    .data("nothing", "null"), .data("a list for everything", "[]"),
                ]
            for (number, trouble) in troubles.enumerated() {
                network.aim(trouble, at: "UpsertDataRows")
                try site.dropRows("import \(number)", count: 5)
                try await eventually(within: .seconds(30), "\(trouble) has happened") {
                    try site.expectDaemonRuns()
                    return network.count(of: trouble) == 1 ? () : nil
                }
            }
            for (number, trouble) in troubles.enumerated() {
                let status = try await site.ended("import \(number).ndjson", within: .seconds(90))
                #expect(status["state"].string == "complete", "\(trouble): \(status)")
                #expect(status["rows"]["created"].int == 5, "\(trouble): \(status)")
            }
            let log = site.logged()
            #expect(log.utf8.count < 20 << 20 && !log.contains(Self.long), "what is long is cut off")
            try await site.expectEachRowOnce()
            try await site.expectEachSubmitOnce(network)
        }
    }

    @Test("pages of results that lead back to themselves come to an end", .timeLimit(.minutes(2)))
    func endlessPages() async throws {
        try await Site.with(networked: SiteSettings()) { site, network in
            let circle = Mischief.changed("a next page that is the same") {
                $0.replacing(/"after":\s*(null|"[^"]*")/, with: #""after": "again""#)
            }
            for call in ["Results", "CreatedRows", "FailedRows"] { network.aim(circle, at: call, times: nil) }
            try await site.start()
            try site.dropRows("rows")
            try await eventually(within: .seconds(30), "the results were read") {
                network.count(of: circle) > 0 ? () : nil
            }
            try await Task.sleep(for: FastClocks.real(.seconds(120)))
            #expect(network.requests < 200, "\(network.calls)")
            network.heal()
            let status = try await site.ended("rows.ndjson")
            #expect(status["rows"]["created"].int == 20, "\(status)")
            try await site.expectEachRowOnce()
        }
    }

    @Test("when tasks cannot be seen, it is asked anew whose key it is", .timeLimit(.minutes(2)))
    func anotherUser() async throws {
        try await Site.with(networked: SiteSettings()) { site, network in
            // As after a change of the key to that of somebody else, who does not see the first one's tasks.
            network.aim(.data("no tasks", #"{"user": {"t0": []}}"#), at: "Tasks", times: nil)
            try await site.start()
            try site.dropRows("rows")
            try await eventually(within: .seconds(30), "it is asked again whose key it is") {
                try site.expectDaemonRuns()
                return network.calls["CurrentUser"] ?? 0 > 1 ? () : nil
            }
            network.heal()
            let status = try await site.ended("rows.ndjson")
            #expect(status["tasks"].list.compactMap { $0["status"].string } == ["COMPLETE"], "\(status)")
            try await site.expectEachRowOnce()
        }
    }
}
