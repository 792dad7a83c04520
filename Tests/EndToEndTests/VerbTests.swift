import Foundation
import Glibc
import Testing

/// What datarowctl says, apart from what it reports beside.
struct Said {
    var ending: Child.Ending
    /// Lines of standard output.
    var lines: [String]
    /// Lines that begin with the program's name: errors and progress.
    var notes: [String]

    var json: [JSON] { get throws { try lines.map { try JSON($0) } } }
    var exit: Int32? { if case .exited(let code) = ending { code } else { nil } }
}

extension Site {
    /// Runs datarowctl with this site's configuration.
    func control(_ arguments: String...) async throws -> Said { try await control(arguments) }

    /// Runs a line of bash in which `$CTL` is the tool and `$CONFIG` the configuration.
    func shell(_ line: String) async throws -> (ending: Child.Ending, text: String) {
        try await output(
            of: "/bin/bash",
            ["-c", "CTL='\(Programs.control.path)' CONFIG='\(configuration.path)'; \(line)"])
    }
}

@Suite("The everyday calls", .serialized)
struct VerbTests {
    private let dataset = Simulator.dataset

    // MARK: rows list

    @Test("rows list gives every row of a dataset once, the newest first, in lines of JSON", .timeLimit(.minutes(2)))
    func listing() async throws {
        try await Site.with { site in
            try await site.simulator.seed(1_234)
            let said = try await site.control("rows", "list", "--dataset", dataset, "--page-size", "100")
            #expect(said.exit == 0, "\(said.notes)")
            let keys = try said.json.compactMap { $0["global_key"].string }
            #expect(keys == (0..<1_234).reversed().map { "seed-\($0)" })
            let first = try #require(try said.json.first)
            #expect(first["dataset_id"].string == dataset)
            #expect(first["row_data"].string == "https://example.com/seed-1233.jpg")
            #expect(first["created_at"].string?.hasSuffix("Z") == true)
            try await Validator.expectValid(said.lines, "data-row")

            let limited = try await site.control("rows", "list", "--dataset", dataset, "--limit", "3", "--full")
            #expect(try limited.json.map { $0["external_id"].string } == ["seed-1233", "seed-1232", "seed-1231"])
            #expect(try limited.json.allSatisfy { $0["metadata_fields"] == .list([]) })
            try await Validator.expectValid(limited.lines, "data-row")

            let one = try await site.control("rows", "list", "--dataset", dataset, "--external-id", "seed-7")
            #expect(try one.json.map { $0["global_key"].string } == ["seed-7"])

            let table = try await site.control("rows", "list", "--dataset", dataset, "--limit", "2", "--table")
            #expect(table.lines.count == 3)
            #expect(table.lines.first?.hasPrefix("ID ") == true)
            #expect(table.lines.last?.contains("seed-1232") == true)
        }
    }

    @Test("a project's rows are those of its datasets, and project rows is the same", .timeLimit(.minutes(2)))
    func projects() async throws {
        try await Site.with { site in
            let sim = site.simulator
            try await sim.seed(12)
            try await sim.seed(5, prefix: "other-", in: Simulator.otherDataset)
            try await sim.createProject("cmproject", datasets: [dataset, Simulator.otherDataset])
            let listed = try await site.control("rows", "list", "--project", "cmproject", "--page-size", "5")
            #expect(try listed.json.count == 17)
            #expect(try Set(listed.json.compactMap { $0["dataset_id"].string }) == [dataset, Simulator.otherDataset])
            let rows = try await site.control("project", "rows", "cmproject", "--page-size", "5")
            #expect(rows.lines == listed.lines)
            let limited = try await site.control("project", "rows", "cmproject", "--limit", "13", "--json")
            #expect(limited.lines == Array(listed.lines.prefix(13)))
            let table = try await site.control("project", "rows", "cmproject", "--table")
            #expect(table.lines.count == 17 + 2)

            let none = try await site.control("project", "rows", "nope")
            #expect(none.exit == 66)
            #expect(none.notes.first?.contains("project 'nope': Project not found") == true, "\(none.notes)")
        }
    }

    @Test("a 429 in the middle of a listing is waited out, and no row is lost or told twice", .timeLimit(.minutes(2)))
    func rateLimit() async throws {
        try await Site.with { site in
            try await site.simulator.seed(600)
            try await site.simulator.addFaults(
                #"{"rates": {"429": 0.5}, "operations": ["datasetDataRows"], "count": 2}"#)
            let said = try await site.control("rows", "list", "--dataset", dataset, "--page-size", "50")
            #expect(said.exit == 0)
            #expect(try said.json.compactMap { $0["global_key"].string } == (0..<600).reversed().map { "seed-\($0)" })
            #expect(said.notes.count == 2)
            #expect(said.notes.allSatisfy { $0.contains("trying again in 1s") }, "\(said.notes)")
        }
    }

    @Test("a reader that goes away ends the listing without a word", .timeLimit(.minutes(2)))
    func brokenPipe() async throws {
        try await Site.with { site in
            try await site.simulator.seed(5_000)
            let line =
                #"$CTL rows list --config $CONFIG --dataset \#(dataset) --page-size 50 | head -n 1; echo ${PIPESTATUS[0]}"#
            for prefix in ["", "trap '' PIPE; "] {
                let said = try await site.shell(prefix + line)
                let lines = said.text.split(separator: "\n")
                #expect(lines.count == 2, "\(said.text)")
                #expect(lines.last == "141")
            }
            // It did not go on asking for the hundred pages.
            let calls = try await site.simulator.calls().count
            #expect(calls < 100, "\(calls)")
        }
    }

    @Test(
        "a wrong key, no key and an unknown dataset are each said, with an exit code of their own",
        .timeLimit(.minutes(2)))
    func refusals() async throws {
        try await Site.with { site in
            let unknown = try await site.control("rows", "list", "--dataset", "nope")
            #expect(unknown.exit == 66)
            #expect(
                unknown.notes == [
                    "datarowctl: rows list: Dataset not found: check the id; it must belong to the organization of the API key"
                ])
            try site.write(key: "lbk-wrong-5d2c")
            let wrong = try await site.control("rows", "list", "--dataset", dataset)
            #expect(wrong.exit == 77)
            #expect(wrong.notes.count == 1)
            #expect(wrong.notes[0].contains("Invalid API key: put a valid API key into"), "\(wrong.notes)")
            #expect(!wrong.notes[0].contains("lbk-wrong"))
            try FileManager.default.removeItem(at: site.keyFile)
            let none = try await site.control("rows", "list", "--dataset", dataset)
            #expect(none.exit == 77)
            #expect(none.notes.first?.contains("cannot be read") == true, "\(none.notes)")
            #expect(try await site.control("rows", "list").exit == 64)
            try site.write(key: Simulator.key)
            site.simulator.kill()
            let gone = try await site.control("rows", "list", "--dataset", dataset, "--patience", "100ms")
            #expect(gone.exit == 69)
            #expect(gone.notes.last?.contains("check labelbox.endpoint") == true, "\(gone.notes)")
        }
    }

    // MARK: rows get, datasets show

    @Test("rows get finds a row by each of its names, and lists several of one external id", .timeLimit(.minutes(2)))
    func finding() async throws {
        try await Site.with { site in
            let sim = site.simulator
            try await sim.seed(3)
            try await sim.seed(1, prefix: "twin", in: Simulator.otherDataset)
            _ = try await sim.createRow(
                #"{"query": "mutation { createDataRow(data: {externalId: \"twin0\", rowData: \"hello\", dataset: {connect: {id: \"\#(dataset)\"}}}) { id } }"}"#
            )
            let byKey = try await site.control("rows", "get", "--global-key", "seed-1", "--json")
            let row = try #require(try byKey.json.first)
            #expect(row["external_id"].string == "seed-1")
            #expect(row["dataset_id"].string == dataset)
            try await Validator.expectValid(byKey.lines, "data-row")
            let id = try #require(row["id"].string)
            #expect(try await site.control("rows", "get", "--id", id, "--json").lines == byKey.lines)
            #expect(try await site.control("rows", "get", "--external-id", "seed-1", "--json").lines == byKey.lines)
            let text = try await site.control("rows", "get", "--id", id)
            #expect(text.lines.first == "id          \(id)")
            #expect(text.lines.contains("global key  seed-1"))

            let several = try await site.control("rows", "get", "--external-id", "twin0")
            #expect(several.exit == 65)
            #expect(several.lines.isEmpty)
            #expect(several.notes.count == 3, "\(several.notes)")
            #expect(several.notes[0].contains("external id 'twin0': 2 data rows have it"))
            let one = try await site.control(
                "rows", "get", "--external-id", "twin0", "--dataset", Simulator.otherDataset, "--json")
            #expect(try one.json.first?["global_key"].string == "twin0")

            for name in [["--id", "nope"], ["--global-key", "nope"], ["--external-id", "nope"]] {
                let none = try await site.control("rows", "get", name[0], name[1])
                #expect(none.exit == 66)
                #expect(none.notes.first?.contains("there is no such data row") == true, "\(none.notes)")
            }
            #expect(try await site.control("rows", "get").exit == 64)
        }
    }

    @Test("datasets show tells of one, of those of a name, or of all", .timeLimit(.minutes(2)))
    func datasets() async throws {
        try await Site.with { site in
            try await site.simulator.seed(4)
            let all = try await site.control("datasets", "show", "--json")
            #expect(try all.json.map { $0["name"].string } == ["First", "Second"])
            #expect(try all.json.map { $0["row_count"].int } == [4, 0])
            #expect(try await site.control("datasets", "show").lines.count == 3)
            let one = try await site.control("datasets", "show", dataset)
            #expect(one.lines.contains("rows         4"), "\(one.lines)")
            #expect(try await site.control("datasets", "show", dataset, "--json").lines == [all.lines[0]])
            #expect(try await site.control("datasets", "show", "--name", "Second", "--json").lines == [all.lines[1]])
            #expect(try await site.control("datasets", "show", "nope").exit == 66)
            #expect(try await site.control("datasets", "show", "--name", "nope").exit == 66)
        }
    }

    // MARK: rows update

    @Test("rows update changes what is given and nothing else", .timeLimit(.minutes(2)))
    func updating() async throws {
        try await Site.with { site in
            try await site.simulator.seed(2)
            let one = try await site.control(
                "rows", "update", "--global-key", "seed-0", "--external-id", "new name", "--json")
            #expect(one.exit == 0, "\(one.notes)")
            let row = try #require(try one.json.first)
            #expect(row["external_id"].string == "new name")
            #expect(row["global_key"].string == "seed-0")
            #expect(row["row_data"].string == "https://example.com/seed-0.jpg")
            let id = try #require(row["id"].string)
            let file = site.root.appending(path: "object.json")
            try Data(#"{"type": "object", "n": 1.50}"#.utf8).write(to: file)
            let two = try await site.control(
                "rows", "update", "--id", id, "--row-data", "@\(file.path)", "--new-global-key", "other")
            #expect(two.exit == 0, "\(two.notes)")
            #expect(two.lines.contains("global key  other"))
            let rows = try await site.simulator.rows()
            let changed = try #require(rows.first { $0["id"].string == id })
            #expect(changed["external_id"].string == "new name")
            #expect(changed["row_data"].string == #"{"type": "object", "n": 1.50}"#)
            #expect(rows.filter { $0["global_key"].string == "seed-1" }.count == 1)

            let taken = try await site.control("rows", "update", "--id", id, "--new-global-key", "seed-1")
            #expect(taken.exit != 0)
            #expect(taken.notes.last?.contains("Duplicate global key") == true, "\(taken.notes)")
            #expect(try await site.control("rows", "update", "--id", id).exit == 64)
            #expect(try await site.control("rows", "update", "--id", "nope", "--external-id", "x").exit == 66)

            try await site.simulator.addFaults(#"{"rates": {"lost": 1}, "operations": ["updateDataRow"]}"#)
            let lost = try await site.control(
                "rows", "update", "--id", id, "--external-id", "lost", "--patience", "1ms")
            #expect(lost.exit == 75)
            #expect(lost.notes.last?.contains("it may or may not have been done") == true, "\(lost.notes)")
        }
    }

    // MARK: rows delete

    @Test("rows delete tells first, and acts only with --yes", .timeLimit(.minutes(2)))
    func deleting() async throws {
        try await Site.with { site in
            let sim = site.simulator
            try await sim.seed(30)
            let id = try #require(try await sim.rows().first?["id"].string)
            let chosen = ["--id", id, "--global-key", "seed-5", "--external-id", "seed-9", "--global-key", "no key"]
            func delete(_ more: String...) async throws -> Said {
                try await site.control(["rows", "delete"] + chosen + more)
            }
            let dry = try await delete()
            #expect(dry.exit == 8)
            #expect(dry.lines.contains("3 data rows would be deleted, and with them all of their labels, for good."))
            #expect(dry.lines.contains("not found: global key 'no key'"), "\(dry.lines)")
            let forecast = try await delete("--json")
            #expect(forecast.exit == 8)
            #expect(try forecast.json.first?["rows"].int == 3)
            #expect(try forecast.json.first?["not_found"].int == 1)
            try await Validator.expectValid(forecast.lines, "deletion-line")
            #expect(try await sim.rows().count == 30)

            let done = try await delete("--yes", "--json")
            #expect(done.exit == 3, "one of them was not found")
            #expect(try done.json.filter { $0["outcome"].string == "deleted" }.count == 3)
            #expect(
                try done.json.filter { $0["outcome"].string == "not_found" }.map { $0["global_key"].string } == [
                    "no key"
                ])
            #expect(done.notes.last == "datarowctl: deleted 3 of 4 data rows, 1 not found")
            try await Validator.expectValid(done.lines, "deletion-line")
            let left = Set(try await sim.rows().compactMap { $0["global_key"].string })
            #expect(left == Set((0..<30).map { "seed-\($0)" }).subtracting(["seed-0", "seed-5", "seed-9"]))

            let again = try await site.control("rows", "delete", "--id", id, "--yes")
            #expect(again.exit == 3)
            #expect(again.lines == ["not found    \(id)"])
            #expect(try await site.control("rows", "delete", "--global-key", "no key", "--yes").exit == 66)
            #expect(try await site.control("rows", "delete", "--id", id).exit == 66)
            #expect(try await site.control("rows", "delete").exit == 64)
            #expect(try await site.control("rows", "delete", "--created-after", "2020-01-01").exit == 64)
        }
    }

    @Test(
        "rows delete takes names from a file or a pipe, so many in a request, and those created after a time",
        .timeLimit(.minutes(2)))
    func deletingMany() async throws {
        try await Site.with { site in
            let sim = site.simulator
            try await sim.seed(100)
            let piped = try await site.shell(
                "$CTL rows list --config $CONFIG --dataset \(dataset) --limit 25 "
                    + "| $CTL rows delete --config $CONFIG --from - --yes --per-request 10 2>&1 | tail -n 1")
            #expect(piped.text == "datarowctl: deleted 25 of 25 data rows\n" || piped.text.hasPrefix("deleted "))
            #expect(try await sim.rows().count == 75)
            #expect(try await sim.state()["requests"]["by_operation"]["deleteDataRows"].int == 3)

            let file = site.root.appending(path: "keys")
            try Data("seed-0\n\n  seed-1 \r\nseed-2".utf8).write(to: file)
            let keys = try await site.control(
                "rows", "delete", "--from", file.path, "--by", "global-key", "--yes")
            #expect(keys.exit == 0, "\(keys.notes)")
            #expect(keys.lines.count == 3)
            #expect(try await sim.rows().count == 72)

            let after = ["--dataset", dataset, "--created-after", "2020-01-01"]
            let none = try await site.control(
                "rows", "delete", "--dataset", dataset, "--created-after", "2999-01-01", "--yes")
            #expect(none.exit == 66)
            let dry = try await site.control(["rows", "delete"] + after)
            #expect(dry.exit == 8)
            #expect(dry.lines.contains("… and 62 more"), "\(dry.lines)")
            let all = try await site.control(["rows", "delete"] + after + ["--yes", "--per-request", "50"])
            #expect(all.exit == 0)
            #expect(all.lines.count == 72)
            #expect(try await sim.rows().isEmpty)
        }
    }

    @Test("an external id of several rows deletes nothing", .timeLimit(.minutes(2)))
    func ambiguous() async throws {
        try await Site.with { site in
            let sim = site.simulator
            try await sim.seed(2)
            _ = try await sim.createRow(
                #"{"query": "mutation { createDataRow(data: {externalId: \"seed-1\", rowData: \"hello\", dataset: {connect: {id: \"\#(dataset)\"}}}) { id } }"}"#
            )
            for place in [[], ["--dataset", dataset]] {
                let said = try await site.control(
                    ["rows", "delete", "--external-id", "seed-0", "--external-id", "seed-1", "--yes"] + place)
                #expect(said.exit == 65)
                #expect(said.lines.isEmpty)
                #expect(said.notes.first?.contains("several data rows have the same external id") == true)
                #expect(said.notes.last?.contains("'seed-1': cmr") == true, "\(said.notes)")
            }
            #expect(try await sim.rows().count == 3)
        }
    }

    @Test("a deletion whose answer is lost is looked up", .timeLimit(.minutes(2)))
    func lostAnswer() async throws {
        try await Site.with { site in
            let sim = site.simulator
            try await sim.seed(10)
            // The server does it and hangs up; the second attempt finds the rows gone.
            try await sim.addFaults(#"{"rates": {"lost": 1}, "operations": ["deleteDataRows"], "count": 1}"#)
            let said = try await site.control("rows", "delete", "--global-key", "seed-3", "--yes", "--json")
            #expect(said.exit == 0, "\(said.notes)")
            #expect(try said.json.map { $0["outcome"].string } == ["deleted"])
            #expect(try await sim.rows().count == 9)
            // It never answers.
            try await sim.addFaults(#"{"rates": {"lost": 1}, "operations": ["deleteDataRows"]}"#)
            let never = try await site.control(
                "rows", "delete", "--global-key", "seed-4", "--yes", "--patience", "1ms")
            #expect(never.exit == 0, "\(never.notes)")
            #expect(try await sim.rows().count == 8)
            // Nor does it tell what is there.
            try await sim.addFaults(#"{"rates": {"lost": 1}, "operations": ["dataRow"]}"#)
            let unknown = try await site.control(
                "rows", "delete", "--global-key", "seed-5", "--yes", "--json", "--patience", "1ms")
            #expect(unknown.exit == 75, "\(unknown.notes)")
            #expect(try unknown.json.map { $0["outcome"].string } == ["unknown"])
        }
    }

    @Test("Ctrl-C during a deletion says how far it went", .timeLimit(.minutes(2)))
    func interrupted() async throws {
        try await Site.with { site in
            let sim = site.simulator
            try await sim.seed(40)
            try await sim.addFaults(
                #"{"rates": {"slow": 1}, "operations": ["deleteDataRows"], "delay_ms": 300}"#)
            let log = site.root.appending(path: "delete.log")
            let child = try Child(
                Programs.control,
                [
                    "rows", "delete", "--config", site.configuration.path, "--dataset", dataset, "--created-after",
                    "2020-01-01", "--yes", "--per-request", "1",
                ], output: log)
            try await eventually(within: .seconds(30), "a row was deleted") {
                try await sim.rows().count < 38 ? () : nil
            }
            child.signal(SIGINT)
            #expect(try await child.ended(within: .seconds(20)) == .exited(130))
            let text = try String(contentsOf: log, encoding: .utf8)
            let left = try await sim.rows().count
            #expect(left > 0)
            #expect(
                text.contains("interrupted: deleted \(40 - left) of 40 data rows, \(left) not tried"),
                "\(text.suffix(300)), \(left) are left")
        }
    }

    // MARK: Constant memory

    @Test("a million rows are listed in the memory of ten thousand", .timeLimit(.minutes(4)))
    func constantMemory() async throws {
        #if DEBUG
            let many = 100_000
        #else
            let many = 1_000_000
        #endif
        try await Site.with { site in
            func peak(_ dataset: String, rows: Int) async throws -> Int {
                let count = site.root.appending(path: "count")
                try? FileManager.default.removeItem(at: count)
                // The shell becomes datarowctl, so that the memory is its own.
                let line = """
                    exec '\(Programs.control.path)' rows list --config '\(site.configuration.path)' --dataset \(dataset) \
                    --json > >(wc -l > '\(count.path).part'; mv '\(count.path).part' '\(count.path)')
                    """
                let child = try Child(
                    URL(filePath: "/bin/bash"), ["-c", line], output: site.root.appending(path: "list.log"))
                var peak = 0
                let deadline = ContinuousClock.now.advanced(by: .seconds(200))
                while child.end == nil, ContinuousClock.now < deadline {
                    // It is a high-water mark, so the last look counts; those at the shell are below it.
                    peak = max(peak, child.peakMemory ?? 0)
                    try await Task.sleep(for: .milliseconds(5))
                }
                #expect(child.end == .exited(0))
                let counted = try await eventually(within: .seconds(10), "the lines are counted") {
                    try? String(contentsOf: count, encoding: .utf8)
                }
                #expect(Int(counted.trimmingCharacters(in: .whitespacesAndNewlines)) == rows)
                return peak
            }
            try await site.simulator.seed(10_000, prefix: "few-", in: Simulator.otherDataset)
            try await site.simulator.seed(many)
            let few = try await peak(Simulator.otherDataset, rows: 10_000)
            let all = try await peak(dataset, rows: many)
            print("datarowctl rows list: \(few) KiB for 10,000 rows, \(all) KiB for \(many)")
            #expect(Double(all) <= Double(few) * 1.1 + 4096, "\(few) KiB for 10,000 rows, \(all) KiB for \(many)")
        }
    }

    @Test("--version tells the version")
    func version() async throws {
        let said = try await output(of: Programs.control.path, ["--version"])
        #expect(said.ending == .exited(0))
        #expect(said.text.split(separator: ".").count == 3)
    }
}

extension Site {
    /// Runs datarowctl with this site's configuration.
    func control(_ arguments: [String]) async throws -> Said {
        let ran = try await output(of: Programs.control.path, arguments + ["--config", configuration.path])
        let lines = ran.text.split(separator: "\n").map(String.init)
        return Said(
            ending: ran.ending, lines: lines.filter { !$0.hasPrefix("datarowctl:") },
            notes: lines.filter { $0.hasPrefix("datarowctl:") })
    }
}
