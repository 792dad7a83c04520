import Control
import Files
import Foundation
import Intake
import Locking
import SystemPackage
import Testing

@Suite("Dropping")
struct DroppingTests {
    private let fixture: StateFixture
    private let source: FilePath
    private let folder: FilePath
    private let dropping: Dropping

    init() throws {
        fixture = try StateFixture()
        source = fixture.path.appending("source")
        folder = fixture.drop.appending("cats")
        try FileManager.default.createDirectory(atPath: source.string, withIntermediateDirectories: true)
        dropping = Dropping(
            folder: folder,
            rules: FileRules(DropFolderSettings(name: "cats", path: folder, stateDirectory: fixture.path)))
    }

    private func file(_ name: String, _ text: String = "x") throws -> FilePath {
        let path = source.appending(name)
        try Data(text.utf8).write(to: URL(filePath: path.string))
        return path
    }

    private func dropped() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted()
    }

    @Test("files arrive whole and by a rename, media before manifests", .timeLimit(.minutes(1)))
    func drops() async throws {
        let files = [try file("rows.json", "[]"), try file("a.jpg", "picture"), try file("b.jpg")]
        let heard = AsyncStream<Void>.makeStream()
        let hints = try DirectoryHints(root: folder) { heard.continuation.yield() }
        #expect(try dropping.drop(files) == ["rows.json"])
        #expect(try dropped() == ["a.jpg", "b.jpg", "rows.json"])
        #expect(FileManager.default.contents(atPath: folder.appending("a.jpg").string) == Data("picture".utf8))
        // What the daemon hears of it.
        var moved: [FilePath] = []
        for await _ in heard.stream {
            for case .movedIn(let path) in hints.take().hints where !path.string.hasPrefix(".") { moved.append(path) }
            if moved.count == 3 { break }
        }
        #expect(moved == ["a.jpg", "b.jpg", "rows.json"])
    }

    @Test("nothing is overwritten, and nothing else is dropped then")
    func neverOverwrites() throws {
        try Data("old".utf8).write(to: URL(filePath: folder.appending("rows.json").string))
        let files = [try file("rows.json"), try file("a.jpg")]
        #expect {
            _ = try dropping.drop(files)
        } throws: {
            "\($0)".contains("exists and is never overwritten")
        }
        #expect(FileManager.default.contents(atPath: folder.appending("rows.json").string) == Data("old".utf8))
        #expect(try dropped() == ["rows.json"])
    }

    @Test("when one file cannot be read none is dropped and no copy is left")
    func allOrNothing() throws {
        let files = [try file("a.jpg"), source.appending("missing.jpg"), try file("rows.json")]
        #expect {
            _ = try dropping.drop(files)
        } throws: {
            "\($0)".contains("missing.jpg") && "\($0)".contains("nothing was dropped")
        }
        #expect(try dropped() == [])
    }

    @Test("a file that the daemon would ignore is refused with the rule", arguments: [".hidden.json", "x.part"])
    func refusesIgnored(name: String) throws {
        let path = try file(name)
        #expect {
            _ = try dropping.drop([path])
        } throws: {
            ($0 as? ControlError)?.status == .usage && "\($0)".contains("matches 'ignore' pattern")
        }
    }

    @Test("two files of one name and a folder are refused")
    func refusesOthers() throws {
        let path = try file("a.jpg")
        #expect(throws: ControlError.self) { _ = try dropping.drop([path, path]) }
        #expect(throws: ControlError.self) { _ = try dropping.drop([source]) }
        #expect(throws: ControlError.self) { _ = try dropping.drop(["/"]) }
        #expect(try dropped() == [])
    }

    @Test("the copies on their way have names that no rule takes")
    func stagedNames() {
        let rules = FileRules(
            {
                var settings = DropFolderSettings(name: "w", path: folder, stateDirectory: fixture.path)
                settings.ignore = []
                return settings
            }())
        #expect(rules.verdict(".datarowd-drop-0123.datarowd-tmp") == .temporary)
    }
}
