import Control
import Foundation
import Ledger
import Reporting
import SystemPackage
import Testing

@Suite("Manifest name")
struct ManifestNameTests {
    @Test("names are tried as watch and path, as a path beneath a watch, then as a path in any")
    func places() {
        let watches = [(name: "cats", path: FilePath("/drop/cats")), (name: "all", path: FilePath("/drop"))]
        func places(_ name: String, in directory: FilePath = "/home") -> [String] {
            ManifestName(name).places(in: watches, directory: directory).map { "\($0.watch ?? "*"):\($0.path)" }
        }
        #expect(places("cats:a/b.json").first == "cats:a/b.json")
        #expect(places("/drop/cats/a.json") == ["cats:a.json", "all:cats/a.json"])
        #expect(places("a.json", in: "/drop/cats/x") == ["cats:x/a.json", "all:cats/x/a.json", "*:a.json"])
        #expect(places("../a.json", in: "/drop/cats/x").first == "cats:a.json")
        #expect(places("other:a.json") == ["*:other:a.json"])
        #expect(places("/elsewhere/a.json") == [])
    }

    @Test("a manifest is found by its id, its path, its watch and path, and its whole path")
    func finds() async throws {
        let fixture = try StateFixture()
        try await fixture.open("batch7/rows.json", id: "import-1")
        try await fixture.writeDaemon()
        let state = try StateFolder.open(fixture.path)
        for name in [
            "import-1", "batch7/rows.json", "cats:batch7/rows.json",
            fixture.drop.appending("cats/batch7/rows.json").string,
        ] {
            let report = try await ManifestName(name).report(in: state, directory: "/", now: StateFixture.now)
            #expect(report.id == "import-1", "\(name)")
        }
    }

    @Test("a name in two watches must be told apart, and the error says how")
    func ambiguous() async throws {
        let fixture = try StateFixture()
        try await fixture.open("a.json", watch: "cats", id: "1")
        try await fixture.open("a.json", watch: "dogs", id: "2")
        try await fixture.writeDaemon()
        let state = try StateFolder.open(fixture.path)
        await #expect {
            _ = try await ManifestName("a.json").find(in: state, directory: "/", now: StateFixture.now)
        } throws: {
            "\($0)" == "a.json: it was dropped in several watches: cats, dogs: name one of them, as in cats:a.json"
        }
        let report = try await ManifestName("dogs:a.json").report(in: state, directory: "/", now: StateFixture.now)
        #expect(report.id == "2")
    }

    @Test("a file that settles comes before an earlier import of the same path")
    func settling() async throws {
        let fixture = try StateFixture()
        try await fixture.open("a.json")
        try await fixture.writeDaemon(settling: ["a.json"])
        let state = try StateFolder.open(fixture.path)
        let report = try await ManifestName("a.json").report(in: state, directory: "/", now: StateFixture.now)
        #expect(report.state == .settling)
    }

    @Test("what nobody knows is an error that says where to look, with nothing for the terminal to act on")
    func unknown() async throws {
        let fixture = try StateFixture()
        let state = try StateFolder.open(fixture.path)
        await #expect {
            _ = try await ManifestName("x\u{1B}[2J").find(in: state, directory: "/", now: StateFixture.now)
        } throws: {
            ($0 as? ControlError)?.status == .noInput
                && "\($0)".hasPrefix(#"x\u{1b}[2J: no manifest of this name was taken"#)
        }
    }

    @Test("a state directory that is none is an error with a way out")
    func noState() {
        #expect {
            _ = try StateFolder.open("/nonexistent")
        } throws: {
            ($0 as? ControlError)?.status == .noInput && "\($0)".contains("--state-directory")
        }
    }
}
